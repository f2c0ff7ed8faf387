//! Why Teams shows what it shows, from Microsoft's rules of precedence.
//!
//! A user's own choice outranks every session. Among sessions Do not disturb outranks Busy,
//! Busy outranks Available, and Available outranks Away. So an application can raise what Teams
//! shows, and can never lower it.

use crate::microsoft::{Shows, TeamsPresence};

/// What we hold for a user, and what Teams says.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The session we set and that has not ended.
    pub ours: Option<Shows>,
    /// What the newest event asks for.
    pub wanted: Option<Shows>,
    pub teams: &'a TeamsPresence,
}

/// A verdict: whether all is as it should be, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// ok, info or warn.
    pub kind: &'static str,
    pub words: String,
}

/// Judges what Teams shows.
pub fn verdict(seen: Seen<'_>) -> Verdict {
    let shown = said(seen.teams);
    let Some(ours) = seen.ours else { return without_us(seen, &shown) };
    let availability = seen.teams.availability.to_lowercase();
    if same(ours, seen.teams) {
        return ok(format!("Teams shows {shown}, which is what we set."));
    }
    if availability == ours.availability().to_lowercase() {
        return ok(format!(
            "Teams shows {shown}. It is of the same rank as ours ({}), and the newer of the two is named.",
            ours.label(),
        ));
    }
    if availability == "offline" {
        return info(format!(
            "Teams shows {shown} although our session says {}. Most likely the user chose to \
             appear offline, and what a user chooses by hand outranks every application.",
            ours.label(),
        ));
    }
    match (rank(&availability), rank(&ours.availability().to_lowercase())) {
        (Some(theirs), Some(rank)) if theirs > rank => info(format!(
            "Teams shows {shown}. Ours is {} and ranks lower: the user chose {shown} by hand, or \
             another session (a Teams client, a meeting) holds it. An application can raise what \
             Teams shows, never lower it.",
            ours.label(),
        )),
        (Some(_), Some(_)) => warn(format!(
            "Teams shows {shown}, which ranks lower than ours ({}). The user chose it by hand, \
             which outranks every application, or the change is on its way: Teams takes up to a \
             few minutes.",
            ours.label(),
        )),
        _ => {
            warn(format!("Teams shows {shown}, a state we do not know. Ours is {}.", ours.label()))
        }
    }
}

fn without_us(seen: Seen<'_>, shown: &str) -> Verdict {
    match seen.wanted {
        Some(wanted) => warn(format!(
            "Teams shows {shown}, decided without us: the telephone asks for {}, and we hold no \
             session for this user yet.",
            wanted.label(),
        )),
        None => ok(format!(
            "Teams shows {shown}, decided by Teams alone: by its clients, its calendar, and what \
             the user chose. We hold no session for this user."
        )),
    }
}

/// The order among sessions; the higher wins.
fn rank(availability: &str) -> Option<u8> {
    Some(match availability {
        "donotdisturb" => 4,
        "busy" | "busyidle" => 3,
        "available" | "availableidle" => 2,
        "away" | "berightback" => 1,
        _ => return None,
    })
}

fn same(ours: Shows, teams: &TeamsPresence) -> bool {
    teams.availability.eq_ignore_ascii_case(ours.availability())
        && teams.activity.eq_ignore_ascii_case(ours.activity())
}

/// What Teams shows, in words: "Busy (in a call)".
pub fn said(teams: &TeamsPresence) -> String {
    let (availability, activity) = (spaced(&teams.availability), spaced(&teams.activity));
    let shown = if availability.eq_ignore_ascii_case(&activity) || activity.is_empty() {
        availability
    } else {
        format!("{availability} ({})", activity.to_lowercase())
    };
    if teams.out_of_office { format!("{shown}, out of office") } else { shown }
}

/// `DoNotDisturb` as `Do not disturb`.
fn spaced(word: &str) -> String {
    let mut spaced = String::new();
    for letter in word.chars() {
        if letter.is_uppercase() && !spaced.is_empty() {
            spaced.push(' ');
            spaced.extend(letter.to_lowercase());
        } else {
            spaced.push(letter);
        }
    }
    spaced
}

fn ok(words: String) -> Verdict {
    Verdict { kind: "ok", words }
}

fn info(words: String) -> Verdict {
    Verdict { kind: "info", words }
}

fn warn(words: String) -> Verdict {
    Verdict { kind: "warn", words }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn teams(availability: &str, activity: &str) -> TeamsPresence {
        TeamsPresence {
            user: uuid::Uuid::nil().into(),
            availability: availability.to_owned(),
            activity: activity.to_owned(),
            out_of_office: false,
        }
    }

    fn judged(ours: Option<Shows>, availability: &str, activity: &str) -> Verdict {
        verdict(Seen { ours, wanted: ours, teams: &teams(availability, activity) })
    }

    #[test]
    fn what_we_set_and_what_teams_shows_agree() {
        let verdict = judged(Some(Shows::InACall), "Busy", "InACall");
        assert_eq!(verdict.words, "Teams shows Busy (in a call), which is what we set.");
        assert_eq!(judged(Some(Shows::InACall), "busy", "InAMeeting").kind, "ok");
    }

    #[test]
    fn what_a_user_chose_outranks_ours() {
        let verdict = judged(Some(Shows::InACall), "DoNotDisturb", "DoNotDisturb");
        assert!(verdict.words.starts_with("Teams shows Do not disturb. Ours is In a call"));
        assert_eq!(verdict.kind, "info");
        let verdict = judged(Some(Shows::InACall), "Offline", "OffWork");
        assert!(verdict.words.contains("appear offline"), "{}", verdict.words);
    }

    #[test]
    fn a_lower_state_than_ours_is_worth_a_look() {
        assert_eq!(judged(Some(Shows::InACall), "Available", "Available").kind, "warn");
        assert_eq!(judged(Some(Shows::InACall), "PresenceUnknown", "PresenceUnknown").kind, "warn");
    }

    #[test]
    fn without_a_session_teams_decides() {
        let idle = Seen { ours: None, wanted: None, teams: &teams("Away", "Away") };
        assert!(verdict(idle).words.contains("decided by Teams alone"));
        let late = Seen { wanted: Some(Shows::InACall), ..idle };
        assert_eq!(verdict(late).kind, "warn");
    }
}
