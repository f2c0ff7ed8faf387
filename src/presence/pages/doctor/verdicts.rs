//! What each line of a file would come to, and why some come to nothing.

use std::collections::HashMap;

use sqlx::PgExecutor;

use super::Changed;
use crate::ids::{AccountId, CloudlinkUserId, EntraUserId};
use crate::presence::match_file::{Line, Said};
use crate::presence::store::match_file::{Known, know};

/// One line, judged.
#[derive(Clone, Debug)]
pub struct Verdict {
    pub number: u32,
    /// The user's name, as far as CloudLink knows one.
    pub name: String,
    pub words: String,
    outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Match { user: CloudlinkUserId, entra: EntraUserId, was: Option<String>, address: String },
    Undo(CloudlinkUserId),
    Same,
    Wrong,
}

impl Verdict {
    pub fn kind(&self) -> &'static str {
        match self.outcome {
            Outcome::Match { .. } => "match",
            Outcome::Undo(_) => "undo",
            Outcome::Same => "same",
            Outcome::Wrong => "wrong",
        }
    }

    /// How it looks, and its word.
    pub fn status(&self) -> (&'static str, &'static str) {
        match self.outcome {
            Outcome::Match { .. } => ("ok", "Match"),
            Outcome::Undo(_) => ("info", "Automatic"),
            Outcome::Same => ("neutral", "No change"),
            Outcome::Wrong => ("danger", "Left out"),
        }
    }

    pub fn rank(&self) -> u8 {
        u8::from(self.outcome != Outcome::Wrong)
    }

    pub fn pair(&self) -> Option<(CloudlinkUserId, EntraUserId)> {
        match &self.outcome {
            Outcome::Match { user, entra, .. } => Some((user.clone(), *entra)),
            _ => None,
        }
    }

    pub fn undone(&self) -> Option<CloudlinkUserId> {
        match &self.outcome {
            Outcome::Undo(user) => Some(user.clone()),
            _ => None,
        }
    }

    pub fn changed(&self) -> Option<Changed> {
        match &self.outcome {
            Outcome::Match { user, was, address, .. } => Some(Changed {
                user: user.clone(),
                name: self.name.clone(),
                from: was.clone(),
                to: Some(address.clone()),
            }),
            _ => None,
        }
    }
}

/// Judges every line, against the directories and against each other.
pub async fn verdicts(
    db: impl PgExecutor<'_>,
    account: AccountId,
    lines: &[Line],
) -> sqlx::Result<Vec<Verdict>> {
    let (mut numbers, mut users, mut with) = (Vec::new(), Vec::new(), Vec::new());
    for line in lines {
        let (user, target) = match &line.said {
            Said::Match { user, with } => (user, with.clone()),
            Said::Automatic { user } => (user, String::new()),
            Said::Nonsense(_) => continue,
        };
        numbers.push(i32::try_from(line.number).unwrap_or(i32::MAX));
        users.push(user.clone());
        with.push(target);
    }
    let known = know(db, account, &numbers, &users, &with).await?;
    let known: HashMap<_, _> =
        known.into_iter().map(|one| (u32::try_from(one.number).unwrap_or(0), one)).collect();
    Ok(judged(lines, &known))
}

fn judged(lines: &[Line], known: &HashMap<u32, Known>) -> Vec<Verdict> {
    let mut first_of_user: HashMap<&CloudlinkUserId, u32> = HashMap::new();
    let mut first_of_entra: HashMap<EntraUserId, u32> = HashMap::new();
    // Whom somebody else's line takes away from a user, and gives to nobody.
    let moved: HashMap<&CloudlinkUserId, Option<EntraUserId>> = lines
        .iter()
        .filter_map(|line| match &line.said {
            Said::Match { user, .. } => Some((user, known.get(&line.number)?.entra)),
            Said::Automatic { user } => Some((user, None)),
            Said::Nonsense(_) => None,
        })
        .collect();
    lines
        .iter()
        .map(|line| {
            let known = known.get(&line.number);
            let name = known.and_then(|known| known.name.clone()).unwrap_or_default();
            let user = match &line.said {
                Said::Match { user, .. } | Said::Automatic { user } => Some(user),
                Said::Nonsense(_) => None,
            };
            let twice = user.and_then(|user| {
                let first = *first_of_user.entry(user).or_insert(line.number);
                (first != line.number).then_some(first)
            });
            let judged = match (twice, known) {
                (Some(first), _) => Err(format!("Line {first} is about this user, too.")),
                (None, known) => judge(line, known, &moved, &mut first_of_entra),
            };
            let (outcome, words) = judged.unwrap_or_else(|why| (Outcome::Wrong, why));
            Verdict { number: line.number, name, words, outcome }
        })
        .collect()
}

fn judge(
    line: &Line,
    known: Option<&Known>,
    moved: &HashMap<&CloudlinkUserId, Option<EntraUserId>>,
    first_of_entra: &mut HashMap<EntraUserId, u32>,
) -> Result<(Outcome, String), String> {
    let (user, with) = match &line.said {
        Said::Nonsense(why) => return Err(why.clone()),
        Said::Match { user, with } => (user, Some(with)),
        Said::Automatic { user } => (user, None),
    };
    let known = known.filter(|known| known.name.is_some());
    let known = known.ok_or_else(|| format!("CloudLink has no user {user} in this account."))?;
    let by_hand = known.by_hand == Some(true);
    let Some(with) = with else {
        return Ok(if by_hand {
            (Outcome::Undo(user.clone()), "Left to automatic matching again.".to_owned())
        } else {
            (Outcome::Same, "Matched automatically already.".to_owned())
        });
    };
    let (entra, address) = match (known.candidates, known.entra, &known.address) {
        (1, Some(entra), Some(address)) => (entra, address.clone()),
        (0, ..) => return Err(format!("Nobody in Entra answers to {with}.")),
        _ => return Err(format!("Several people in Entra answer to {with}. Use an object id.")),
    };
    if known.enabled == Some(false) {
        return Err(format!("{address} is disabled in Entra."));
    }
    let first = *first_of_entra.entry(entra).or_insert(line.number);
    if first != line.number {
        return Err(format!("Line {first} is about {address}, too."));
    }
    if by_hand && known.was == Some(entra) {
        return Ok((Outcome::Same, format!("Matched with {address} already.")));
    }
    let keeps_it = known
        .taken_by
        .as_ref()
        .is_some_and(|other| moved.get(other).is_none_or(|to| *to == Some(entra)));
    if keeps_it {
        let other = known.taken_by_name.as_deref().unwrap_or("somebody else");
        return Err(format!("{address} is matched with {other} already."));
    }
    let words = format!("To be matched with {address}.");
    let was = known.was_address.clone();
    Ok((Outcome::Match { user: user.clone(), entra, was, address }, words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> CloudlinkUserId {
        text.parse().unwrap()
    }

    fn line(number: u32, user: &str, with: &str) -> Line {
        let user = id(user);
        let said = match with {
            "" => Said::Automatic { user },
            with => Said::Match { user, with: with.to_owned() },
        };
        Line { number, said }
    }

    fn known(number: i32, entra: u128) -> Known {
        Known {
            number,
            name: Some(format!("User {number}")),
            by_hand: Some(false),
            was: None,
            was_address: None,
            candidates: 1,
            entra: Some(uuid::Uuid::from_u128(entra).into()),
            address: Some(format!("{entra}@x.example")),
            enabled: Some(true),
            taken_by: None,
            taken_by_name: None,
        }
    }

    fn kinds(lines: &[Line], known: Vec<Known>) -> Vec<&'static str> {
        let known =
            known.into_iter().map(|one| (u32::try_from(one.number).unwrap(), one)).collect();
        judged(lines, &known).iter().map(Verdict::kind).collect()
    }

    #[test]
    fn lines_are_judged_against_each_other() {
        let lines = [line(2, "a", "x"), line(3, "b", "y"), line(4, "a", "z"), line(5, "c", "x")];
        let all = vec![known(2, 1), known(3, 2), known(4, 3), known(5, 1)];
        assert_eq!(kinds(&lines, all), ["match", "match", "wrong", "wrong"]);
    }

    #[test]
    fn two_may_change_places_and_nobody_is_taken_from_a_third() {
        let taken = |number, entra, by: &str| Known {
            taken_by: Some(id(by)),
            taken_by_name: Some(by.to_owned()),
            ..known(number, entra)
        };
        let lines = [line(2, "a", "x"), line(3, "b", "y"), line(4, "c", "z")];
        let all = vec![taken(2, 1, "b"), taken(3, 2, "a"), taken(4, 3, "d")];
        assert_eq!(kinds(&lines, all), ["match", "match", "wrong"]);
    }

    #[test]
    fn what_is_so_already_changes_nothing() {
        let lines = [line(2, "a", "x"), line(3, "b", ""), line(4, "c", ""), line(5, "d", "w")];
        let same = Known { by_hand: Some(true), was: known(2, 1).entra, ..known(2, 1) };
        let undone = Known { by_hand: Some(true), ..known(3, 2) };
        let several = Known { candidates: 2, ..known(5, 4) };
        assert_eq!(
            kinds(&lines, vec![same, undone, known(4, 3), several]),
            ["same", "undo", "same", "wrong"]
        );
    }
}
