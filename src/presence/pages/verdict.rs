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
    /// Teams has had the time to take it up.
    pub settled: bool,
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
    let word = spaced(&seen.teams.availability);
    let our = spaced(ours.availability());
    if availability == "offline" {
        return info(format!(
            "Teams shows {shown} although our session says {our}. Most likely the user chose to \
             appear offline, and what a user chooses by hand outranks every application.",
        ));
    }
    let reason = reason(seen.teams);
    match (rank(&availability), rank(&ours.availability().to_lowercase())) {
        (Some(theirs), Some(rank)) if theirs > rank => info(match reason {
            Some(reason) => {
                format!("Teams shows {word} because {reason}; ours is {our} and ranks lower.")
            }
            None => format!(
                "Teams shows {shown} because another session holds it: a Teams client or the \
                 calendar; ours is {our} and ranks lower.",
            ),
        }),
        (Some(_), Some(_)) if seen.settled => info(format!(
            "Teams shows {word} because the user chose it by hand; ours is {our}, and what a user \
             chooses outranks every application.",
        )),
        (Some(_), Some(_)) => warn(format!(
            "Teams shows {shown}, which ranks lower than ours ({our}). The change is on its way, \
             for Teams takes up to a few minutes; or the user chose {word} by hand, which outranks \
             every application.",
        )),
        _ => warn(format!("Teams shows {shown}, a state we do not know. Ours is {our}.")),
    }
}

/// Why Teams shows what it shows, as far as its activity tells: an application can set only some
/// of them, a person others, the calendar yet others.
fn reason(teams: &TeamsPresence) -> Option<&'static str> {
    let (availability, activity) =
        (teams.availability.to_lowercase(), teams.activity.to_lowercase());
    Some(match (availability.as_str(), activity.as_str()) {
        ("donotdisturb", "donotdisturb")
        | ("busy", "busy")
        | ("berightback", _)
        | (_, "urgentinterruptionsonly") => "the user chose it by hand",
        (_, "presenting") => "the user is presenting in Teams",
        (_, "focusing") => "the user’s calendar says that this is focus time",
        (_, "inameeting") => "the user’s calendar says that there is a meeting",
        (_, "inaconferencecall") => "the user is in a Teams meeting",
        (_, "inacall") => "the user is in a Teams call",
        _ => return None,
    })
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
        verdict(Seen { ours, settled: false, wanted: ours, teams: &teams(availability, activity) })
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
        assert_eq!(
            verdict.words,
            "Teams shows Do not disturb because the user chose it by hand; ours is Busy and ranks lower."
        );
        assert_eq!(verdict.kind, "info");
        let verdict = judged(Some(Shows::InACall), "Offline", "OffWork");
        assert!(verdict.words.contains("appear offline"), "{}", verdict.words);
    }

    #[test]
    fn a_meeting_and_a_choice_by_hand_are_told_apart() {
        let meeting = judged(Some(Shows::Away), "Busy", "InAMeeting");
        assert!(meeting.words.contains("there is a meeting; ours is Away"), "{}", meeting.words);
        let back = teams("BeRightBack", "BeRightBack");
        let ours = Some(Shows::InACall);
        let settled = verdict(Seen { ours, settled: true, wanted: ours, teams: &back });
        assert!(settled.words.starts_with("Teams shows Be right back because the user chose it"));
        let fresh = verdict(Seen { ours, settled: false, wanted: ours, teams: &back });
        assert!(fresh.words.contains("on its way"), "{}", fresh.words);
    }

    #[test]
    fn a_lower_state_than_ours_is_worth_a_look() {
        assert_eq!(judged(Some(Shows::InACall), "Available", "Available").kind, "warn");
        assert_eq!(judged(Some(Shows::InACall), "PresenceUnknown", "PresenceUnknown").kind, "warn");
    }

    #[test]
    fn without_a_session_teams_decides() {
        let idle = Seen { ours: None, settled: false, wanted: None, teams: &teams("Away", "Away") };
        assert!(verdict(idle).words.contains("decided by Teams alone"));
        let late = Seen { wanted: Some(Shows::InACall), ..idle };
        assert_eq!(verdict(late).kind, "warn");
    }
}
