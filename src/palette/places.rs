//! Where one can go: the pages of the portal, and those of each account.

use super::store::Found;
use crate::staff::Viewer;

/// A line of the palette.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    pub icon: &'static str,
    pub name: String,
    /// What tells it from others of that name.
    pub note: String,
    pub href: String,
}

/// Page, icon, address, whether only partner admins have it, and what else people call it.
const PAGES: [(&str, &str, &str, bool, &str); 10] = [
    ("Home", "house", "/", false, "dashboard attention troubles start"),
    ("Accounts", "building", "/accounts", false, "customers tenants list"),
    (
        "Accounts that need attention",
        "triangle-alert",
        "/accounts?health=attention",
        false,
        "broken errors",
    ),
    ("Add account", "plus", "/accounts/new", true, "new customer create"),
    ("Import from CloudLink", "download", "/accounts/import", true, "fetch customers"),
    ("Activity", "history", "/activity", false, "log audit history"),
    ("Staff", "users", "/staff", true, "people invite roles"),
    ("Settings", "settings", "/settings", true, "cloudlink nodes version"),
    ("My profile", "circle-user", "/profile", false, "password sessions second factor"),
    ("Keyboard shortcuts", "circle-help", "/shortcuts", false, "keys help"),
];

/// The pages of an account after its first: name, icon, and what comes after the account's address.
const TABS: [(&str, &str, &str); 4] = [
    ("Integrations & Apps", "puzzle", "/integrations"),
    ("Presence", "activity", "/presence"),
    ("Mapping", "arrow-right-left", "/presence/mapping"),
    ("Activity", "history", "/activity"),
];

pub type Tab = (&'static str, &'static str, &'static str);

/// The portal's pages whose name, or what else they are called, has a word for each of `words`.
pub fn pages(viewer: &Viewer, words: &[&str]) -> Vec<Destination> {
    let fitting = PAGES.iter().filter(|(name, _, _, partners, other)| {
        let called = format!("{name} {other}").to_lowercase();
        let begins = |word: &&str| called.split(' ').any(|part| part.starts_with(*word));
        (!partners || viewer.is_partner()) && words.iter().all(begins)
    });
    fitting
        .map(|(name, icon, href, ..)| Destination {
            icon,
            name: (*name).to_owned(),
            note: String::new(),
            href: (*href).to_owned(),
        })
        .collect()
}

/// What somebody may have meant: an account's page named by the last word ("acme pres"), or else
/// an account named by all of them. Each reading comes with the pages it means.
pub fn readings(words: &[&str]) -> Vec<(Vec<String>, Vec<Tab>)> {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let mut readings = Vec::new();
    if let [name @ .., last] = words
        && !name.is_empty()
        && last.chars().count() > 1
    {
        let means =
            |(tab, ..): &&Tab| tab.to_lowercase().split(' ').any(|part| part.starts_with(last));
        let tabs: Vec<_> = TABS.iter().filter(means).copied().collect();
        if !tabs.is_empty() {
            readings.push((owned(name), tabs));
        }
    }
    if !words.is_empty() {
        readings.push((owned(words), Vec::new()));
    }
    readings
}

/// The accounts themselves, or those of their pages that were meant. Of one alone, every page.
pub fn of_accounts(accounts: &[Found], tabs: &[Tab]) -> Vec<Destination> {
    let at = |account: &Found, (tab, icon, path): &Tab| Destination {
        icon,
        name: format!("{}: {tab}", account.name),
        note: account.cloudlink_id.clone(),
        href: format!("/accounts/{}{path}", account.id),
    };
    let itself = |account: &Found| Destination {
        icon: "building",
        name: account.name.clone(),
        note: account.cloudlink_id.clone(),
        href: format!("/accounts/{}", account.id),
    };
    match accounts {
        [one] if tabs.is_empty() => {
            std::iter::once(itself(one)).chain(TABS.iter().map(|tab| at(one, tab))).collect()
        }
        _ if tabs.is_empty() => accounts.iter().map(itself).collect(),
        _ => accounts.iter().flat_map(|one| tabs.iter().map(|tab| at(one, tab))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::AccountId;

    fn found(name: &str) -> Found {
        Found { id: AccountId::new(), name: name.to_owned(), cloudlink_id: "cl".to_owned() }
    }

    #[test]
    fn the_last_word_may_name_a_page_of_the_account() {
        let read = readings(&["acme", "foods", "pres"]);
        assert_eq!(read[0].0, ["acme", "foods"]);
        assert_eq!(read[0].1.iter().map(|tab| tab.0).collect::<Vec<_>>(), ["Presence"]);
        assert_eq!(read[1], (vec!["acme".into(), "foods".into(), "pres".into()], Vec::new()));
        assert_eq!(readings(&["presence"]).len(), 1, "a page of which account?");
        assert!(readings(&[]).is_empty());
    }

    #[test]
    fn of_one_account_every_page_is_offered() {
        let names = |accounts: &[Found], tabs: &[Tab]| {
            of_accounts(accounts, tabs).into_iter().map(|one| one.name).collect::<Vec<_>>()
        };
        assert_eq!(names(&[found("Acme")], &[]).len(), 1 + TABS.len());
        assert_eq!(names(&[found("Acme"), found("Bolt")], &[]), ["Acme", "Bolt"]);
        assert_eq!(names(&[found("Acme")], &TABS[1..2]), ["Acme: Presence"]);
    }
}
