//! Duplicates side by side: who in CloudLink and who in Entra share an address.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{CloudlinkUserId, EntraUserId};
use crate::presence::store::doctor::{Candidate, Claimant, Listed};

/// People on both sides who lead to each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shared {
    /// Name, address, and what is to be known of them.
    pub phones: Vec<(CloudlinkUserId, String, String, &'static str)>,
    pub people: Vec<(String, String, String)>,
}

/// Puts together who is joined by an address, whether directly or by others between them. Each
/// of the `listed` is in one group, and the groups come in their order.
pub fn groups(listed: &[Listed], candidates: &[Candidate], claimants: &[Claimant]) -> Vec<Shared> {
    let exact: Vec<_> = candidates.iter().filter(|candidate| candidate.rank <= 3).collect();
    let mut joined: BTreeMap<EntraUserId, BTreeSet<&CloudlinkUserId>> = BTreeMap::new();
    for candidate in &exact {
        joined.entry(candidate.entra).or_default().insert(&candidate.user);
    }
    for claimant in claimants {
        joined.entry(claimant.entra).or_default().insert(&claimant.user);
    }
    let mut seen: BTreeSet<&CloudlinkUserId> = BTreeSet::new();
    let mut groups = Vec::new();
    for one in listed {
        if seen.contains(&one.user) {
            continue;
        }
        let (mut phones, mut people) = (BTreeSet::from([&one.user]), BTreeSet::new());
        loop {
            let before = phones.len() + people.len();
            for (entra, users) in &joined {
                if users.iter().any(|user| phones.contains(user)) {
                    people.insert(*entra);
                    phones.extend(users.iter().copied());
                }
            }
            if phones.len() + people.len() == before {
                break;
            }
        }
        seen.extend(phones.iter().copied());
        groups.push(described(&phones, &people, listed, &exact, claimants));
    }
    groups
}

fn described(
    phones: &BTreeSet<&CloudlinkUserId>,
    people: &BTreeSet<EntraUserId>,
    listed: &[Listed],
    exact: &[&Candidate],
    claimants: &[Claimant],
) -> Shared {
    let phone = |user: &&CloudlinkUserId| {
        let claimant = claimants.iter().find(|claimant| claimant.user == **user);
        if let Some(claimant) = claimant {
            let note = if claimant.by_hand { "matched by hand" } else { "" };
            let (name, email) = (claimant.name.clone(), claimant.email.clone());
            return Some(((*user).clone(), name, email, note));
        }
        let listed = listed.iter().find(|listed| listed.user == **user)?;
        Some(((*user).clone(), listed.name.clone(), listed.email.clone(), ""))
    };
    let person = |entra: &EntraUserId| {
        let found = exact.iter().find(|candidate| candidate.entra == *entra)?;
        let by = match found.rank {
            1 => "by sign-in address",
            2 => "by mail address",
            _ => "by an alias",
        };
        let by = if found.enabled { by.to_owned() } else { format!("{by}, disabled") };
        Some((found.name.clone(), found.address.clone(), by))
    };
    Shared {
        phones: phones.iter().filter_map(phone).collect(),
        people: people.iter().filter_map(person).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> CloudlinkUserId {
        text.parse().unwrap()
    }

    fn entra(number: u128) -> EntraUserId {
        uuid::Uuid::from_u128(number).into()
    }

    fn lost(user: &str) -> Listed {
        Listed {
            user: id(user),
            name: user.to_owned(),
            email: String::new(),
            trouble: Some("duplicate".to_owned()),
            by_hand: false,
            entra_name: None,
            entra_address: None,
            hinted: true,
            sorted: user.to_owned(),
        }
    }

    fn like(user: &str, number: u128, rank: i16) -> Candidate {
        Candidate {
            user: id(user),
            entra: entra(number),
            name: format!("e{number}"),
            address: String::new(),
            enabled: true,
            guest: false,
            rank,
            reasons: Vec::new(),
            taken_by: None,
        }
    }

    #[test]
    fn whoever_is_joined_by_an_address_stands_together() {
        let listed = ["a", "b", "c"].map(lost);
        let candidates =
            [like("a", 1, 2), like("a", 2, 2), like("b", 3, 1), like("c", 2, 3), like("c", 9, 5)];
        let claims = |user: &str, number| Claimant {
            entra: entra(number),
            user: id(user),
            name: user.to_owned(),
            email: String::new(),
            by_hand: user == "d",
        };
        let groups = groups(&listed, &candidates, &[claims("b", 3), claims("d", 3)]);
        let names: Vec<_> = groups
            .iter()
            .map(|group| {
                let phones: Vec<_> = group.phones.iter().map(|(id, ..)| id.as_str()).collect();
                let people: Vec<_> = group.people.iter().map(|(name, ..)| name.as_str()).collect();
                (phones.join(""), people.join(""))
            })
            .collect();
        let expected = [("ac", "e1e2"), ("bd", "e3")];
        assert_eq!(names, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
        assert_eq!(groups[1].phones[1].3, "matched by hand");
    }
}
