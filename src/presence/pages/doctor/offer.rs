//! Whom a user might be, in words: how alike they are, and whether they can be had.

use crate::presence::store::doctor::{Candidate, Listed};

/// Somebody in Entra who is offered for a CloudLink user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// What the form posts: both ids.
    pub value: String,
    pub name: String,
    pub address: String,
    /// Such as "same name · same before the @".
    pub alike: String,
    /// What stands in the way, or is worth knowing.
    pub note: Option<String>,
    pub can_be_had: bool,
}

impl Offer {
    pub fn of(candidate: &Candidate) -> Self {
        let note = match candidate {
            Candidate { taken_by: Some(other), .. } => Some(format!("matched with {other}")),
            Candidate { enabled: false, .. } => {
                Some("disabled in Entra; enabled there, they are matched".to_owned())
            }
            Candidate { guest: true, .. } => Some("a guest of the tenant".to_owned()),
            _ => None,
        };
        Self {
            value: format!("{} {}", candidate.user, candidate.entra),
            name: candidate.name.clone(),
            address: candidate.address.clone(),
            alike: alike(&candidate.reasons),
            note,
            can_be_had: candidate.enabled && candidate.taken_by.is_none(),
        }
    }
}

/// An exact address says all there is to say; else every likeness counts.
fn alike(reasons: &[String]) -> String {
    let has = |reason: &str| reasons.iter().any(|one| one == reason);
    for (reason, words) in [
        ("principal-name", "this is their sign-in address"),
        ("mail", "this is their mail address"),
        ("alias", "this is one of their aliases"),
    ] {
        if has(reason) {
            return words.to_owned();
        }
    }
    let mut words = Vec::new();
    if has("guest") {
        words.push("invited under this address");
    }
    if has("name") {
        words.push("same name");
    }
    if has("local-part") {
        words.push("same before the @");
    } else if has("name") {
        words.push("another sign-in address: renamed?");
    }
    if has("like-name") && !has("name") {
        words.push("an address like this name");
    }
    words.join(" · ")
}

/// Whether the directory was read since CloudLink named them.
pub fn was_looked_for(listed: &Listed) -> bool {
    listed.trouble.is_some() || listed.email.trim().is_empty()
}

/// Why somebody has no match.
pub fn why(listed: &Listed, candidates: &[Candidate]) -> &'static str {
    let exact = candidates.iter().filter(|candidate| candidate.rank <= 3).count();
    match listed.trouble.as_deref() {
        _ if listed.email.trim().is_empty() => "CloudLink has no e-mail address",
        Some("duplicate") if exact > 1 => "Several people in Entra have this address",
        Some("duplicate") => "Somebody else in CloudLink leads to the same person",
        Some("disabled") => "Disabled in Entra",
        Some("no-teams") => "Microsoft says they have no Teams",
        Some("not-in-entra") => "Nobody in Entra has this address",
        _ => "Not looked for yet: Microsoft Entra has to be read first",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(reasons: &[&str]) -> String {
        alike(&reasons.iter().map(|&reason| reason.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn likenesses_are_said_as_people_say_them() {
        assert_eq!(said(&["mail", "name"]), "this is their mail address");
        assert_eq!(said(&["name", "local-part"]), "same name · same before the @");
        assert_eq!(said(&["name"]), "same name · another sign-in address: renamed?");
        assert_eq!(said(&["like-name"]), "an address like this name");
        assert_eq!(
            said(&["guest", "name", "like-name"]),
            "invited under this address · same name · another sign-in address: renamed?"
        );
    }
}
