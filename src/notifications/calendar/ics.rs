//! iCalendar, as RFC 5545 has it: the little of it that a day in the calendar needs.

use std::fmt::Write as _;

use chrono::{DateTime, Days, NaiveDate, Utc};

use crate::ids::IntegrationId;
use crate::integrations::CredentialKind;

/// A secret or certificate that ends, and what to say of it.
#[derive(Clone, Debug)]
pub struct Ending {
    pub integration: IntegrationId,
    pub account_name: String,
    pub connection_name: String,
    pub what: CredentialKind,
    pub on: NaiveDate,
    pub changed_at: DateTime<Utc>,
    pub version: i32,
    /// Where it is renewed.
    pub url: String,
}

/// Octets in a line, without its end.
const LONGEST_LINE: usize = 75;
/// Days before the end on which a calendar program speaks up by itself.
const ALARMS: [u8; 2] = [30, 7];

/// The whole calendar.
pub fn calendar(name: &str, endings: &[Ending]) -> String {
    let mut out = Lines::default();
    out.line("BEGIN:VCALENDAR");
    out.line("VERSION:2.0");
    out.line("PRODID:-//presence-portal//Expiry dates//EN");
    out.line("CALSCALE:GREGORIAN");
    out.line("METHOD:PUBLISH");
    out.text("NAME", name);
    out.text("X-WR-CALNAME", name);
    out.line("REFRESH-INTERVAL;VALUE=DURATION:PT6H");
    out.line("X-PUBLISHED-TTL:PT6H");
    for ending in endings {
        event(&mut out, ending);
    }
    out.line("END:VCALENDAR");
    out.0
}

/// The day of a secret keeps its name (UID) when it moves, so that a program moves it, too.
fn event(out: &mut Lines, ending: &Ending) {
    let stamp = ending.changed_at.format("%Y%m%dT%H%M%SZ");
    let day = |day: NaiveDate| day.format("%Y%m%d").to_string();
    let next = ending.on.checked_add_days(Days::new(1)).unwrap_or(ending.on);
    let (what, todo) = match ending.what {
        CredentialKind::Secret => {
            ("Client secret", "Create a new one before, and paste its Value here")
        }
        CredentialKind::Certificate => {
            ("Certificate", "Upload the next one to Entra before; it is here")
        }
    };
    let summary = format!("{what} of {} expires", ending.account_name);
    let description = format!(
        "The {} of {} in Microsoft Entra ends on this day. {todo}:\n{}",
        ending.what.words(),
        ending.connection_name,
        ending.url
    );
    out.line("BEGIN:VEVENT");
    out.line(&format!("UID:client-secret-{}@presence-portal", ending.integration));
    out.line(&format!("DTSTAMP:{stamp}"));
    out.line(&format!("LAST-MODIFIED:{stamp}"));
    out.line(&format!("SEQUENCE:{}", ending.version.max(0)));
    out.line(&format!("DTSTART;VALUE=DATE:{}", day(ending.on)));
    out.line(&format!("DTEND;VALUE=DATE:{}", day(next)));
    out.text("SUMMARY", &summary);
    out.text("DESCRIPTION", &description);
    out.line(&format!("URL:{}", ending.url));
    out.line("TRANSP:TRANSPARENT");
    for days in ALARMS {
        out.line("BEGIN:VALARM");
        out.line("ACTION:DISPLAY");
        out.text("DESCRIPTION", &summary);
        out.line(&format!("TRIGGER:-P{days}D"));
        out.line("END:VALARM");
    }
    out.line("END:VEVENT");
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    /// A property whose value is text, in which some signs mean something.
    fn text(&mut self, property: &str, value: &str) {
        let value = value
            .replace('\\', "\\\\")
            .replace(';', "\\;")
            .replace(',', "\\,")
            .replace("\r\n", "\\n")
            .replace(['\n', '\r'], "\\n");
        self.line(&format!("{property}:{value}"));
    }

    /// Folds what is too long, never inside of a character.
    fn line(&mut self, line: &str) {
        let mut length = 0;
        for c in line.chars().filter(|c| !c.is_control()) {
            if length + c.len_utf8() > LONGEST_LINE {
                self.0.push_str("\r\n ");
                length = 1;
            }
            let _ = write!(self.0, "{c}");
            length += c.len_utf8();
        }
        self.0.push_str("\r\n");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ending(account: &str) -> Ending {
        Ending {
            integration: IntegrationId::new(),
            account_name: account.to_owned(),
            connection_name: "Presence, sync; \\o/".to_owned(),
            what: CredentialKind::Secret,
            on: "2027-03-31".parse().unwrap(),
            changed_at: "2026-03-02T08:00:05Z".parse().unwrap(),
            version: 4,
            url: "https://portal.example/accounts/1/integrations/2/configure".to_owned(),
        }
    }

    fn unfolded(calendar: &str) -> Vec<String> {
        calendar.replace("\r\n ", "").split("\r\n").map(str::to_owned).collect()
    }

    #[test]
    fn a_secrets_end_is_a_whole_day_with_a_name_that_stays() {
        let one = ending("Brightwater");
        let lines = unfolded(&calendar("Expiry dates", std::slice::from_ref(&one)));
        let has = |line: &str| assert!(lines.iter().any(|it| it == line), "{line}: {lines:#?}");
        has(&format!("UID:client-secret-{}@presence-portal", one.integration));
        has("DTSTAMP:20260302T080005Z");
        has("DTSTART;VALUE=DATE:20270331");
        has("DTEND;VALUE=DATE:20270401");
        has("SUMMARY:Client secret of Brightwater expires");
        has("TRIGGER:-P7D");
        assert!(lines.iter().any(|it| it.contains(r"Presence\, sync\; \\o/ in Microsoft")));
        assert_eq!(lines.last().map(String::as_str), Some(""), "the last line ends, too");
        let one = Ending { what: CredentialKind::Certificate, ..one };
        let lines = unfolded(&calendar("Expiry dates", &[one]));
        assert!(lines.contains(&"SUMMARY:Certificate of Brightwater expires".to_owned()));
        assert!(!lines.iter().any(|line| line.contains("secret of")), "{lines:#?}");
    }

    proptest! {
        #[test]
        fn no_line_is_too_long_and_no_name_breaks_out_of_its_line(account in any::<String>()) {
            let made = calendar("Expiry dates", &[ending(&account)]);
            for line in made.split("\r\n") {
                prop_assert!(line.len() <= 75, "{}", line);
                prop_assert!(!line.contains(['\r', '\n']));
            }
            let begun = unfolded(&made).into_iter().filter(|line| line.starts_with("BEGIN:")).count();
            prop_assert_eq!(begun, 4);
        }
    }
}
