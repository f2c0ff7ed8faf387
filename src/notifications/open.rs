//! What is wrong now, account by account, as Home knows it.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::reason::{End, Reason};
use super::store::open::{Checked, Ending, Troubled};
use crate::ids::AccountId;
use crate::integrations::reminders;
use crate::integrations::store::refused::NextRefused;
use crate::microsoft::Cause;
use crate::presence::pages::{at, mend};
use crate::presence::trouble::Trouble;

/// What passes by itself is given so long to do so, as on Home.
pub const PATIENCE: TimeDelta = TimeDelta::minutes(15);
/// The problem of a secret or certificate that ends. Sides of the sync name most others.
pub const SECRET: &str = "client-secret";
/// The problem of one that lies ready and was refused.
pub const NEXT: &str = "next-credential";
/// The problem of what the setup check found.
pub const CHECK: &str = "setup-check";

/// One problem of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    pub account: AccountId,
    pub name: String,
    /// What cannot be wrong twice at once.
    pub problem: String,
    /// What it is told again for.
    pub reason: Reason,
    pub detail: String,
    pub since: Option<DateTime<Utc>>,
    /// Whether it is time to speak of it, and nothing else speaks of it already.
    pub ripe: bool,
    /// The page where it is mended.
    pub path: String,
    /// Another problem of which this one speaks, too.
    pub covers: Option<&'static str>,
}

impl Open {
    pub fn of_trouble(found: Troubled, now: DateTime<Utc>) -> Self {
        let cause = Trouble::by_key(&found.cause);
        let mended = cause.and_then(|cause| mend(found.account, found.integration, cause));
        let (needs_person, patient) = (found.needs_person, found.since <= now - PATIENCE);
        Self {
            path: mended.map_or(format!("/accounts/{}/presence", found.account), |it| it.href),
            account: found.account,
            name: found.name,
            problem: found.side,
            reason: Reason::Trouble(found.cause),
            detail: found.detail,
            since: Some(found.since),
            ripe: needs_person || (patient && !found.paused),
            covers: None,
        }
    }

    /// None while there is time.
    pub fn of_secret(found: Ending, today: NaiveDate) -> Option<Self> {
        let days = (found.on - today).num_days();
        let step = reminders::due(found.on, today)?.days_left;
        let day = found.on.format("%-d %B %Y");
        let when = match days {
            ..0 => format!("expired on {day}"),
            0 => "expires today".to_owned(),
            1 => "expires tomorrow".to_owned(),
            days => format!("expires on {day}, in {days} days"),
        };
        Some(Self {
            account: found.account,
            name: found.name,
            problem: SECRET.to_owned(),
            reason: Reason::Ends(End { what: found.what, on: found.on, step, refused: false }),
            detail: if found.next_waits {
                format!("{when}; the next certificate waits to be uploaded to Entra")
            } else {
                when
            },
            since: None,
            ripe: true,
            path: at(found.account, Some(found.integration), "configure"),
            covers: None,
        })
    }

    pub fn of_next(found: NextRefused) -> Self {
        let cause = Cause::by_key(&found.refused);
        let said = [cause.map_or("", Cause::title), &found.detail];
        let said: Vec<_> = said.into_iter().filter(|words| !words.is_empty()).collect();
        Self {
            account: found.account,
            name: found.name,
            problem: NEXT.to_owned(),
            reason: Reason::Next { what: found.what, cause: found.refused },
            detail: said.join(": "),
            since: Some(found.since),
            ripe: true,
            path: at(found.account, Some(found.integration), "configure"),
            covers: None,
        }
    }

    pub fn of_check(found: Checked) -> Self {
        Self {
            account: found.account,
            name: found.name,
            problem: CHECK.to_owned(),
            // A line is the same one whatever figures stand on it from night to night.
            reason: Reason::Check(found.line),
            detail: found.worst,
            since: Some(found.since),
            ripe: !found.said_elsewhere,
            path: at(found.account, Some(found.integration), "check"),
            covers: None,
        }
    }
}

/// A credential whose day has passed and which Microsoft refuses has one thing wrong with it,
/// and not two: the side of the sync says so, every day, and its end is not told beside it.
pub fn join(sides: &mut [Open], endings: &mut [Open]) {
    for ending in endings {
        let account = ending.account;
        let refused = sides.iter_mut().find(|side| {
            let cause = match &side.reason {
                Reason::Trouble(key) => Cause::by_key(key),
                _ => None,
            };
            side.account == account && cause.is_some_and(Cause::blames_credential)
        });
        let Some(side) = refused else { continue };
        ending.ripe = false;
        let Reason::Ends(end) = &ending.reason else { continue };
        let Reason::Trouble(cause) = &side.reason else { continue };
        if *cause != end.what.expired() {
            continue;
        }
        side.covers = Some(SECRET);
        if end.step < 0 {
            side.detail = format!("{}; {}", ending.detail, side.detail);
            side.reason = Reason::Ends(End { refused: true, ..end.clone() });
        }
    }
}
