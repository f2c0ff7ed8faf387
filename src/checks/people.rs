//! Looking at who is there: users in CloudLink, users in Entra, and who is matched with whom.
//!
//! A worker keeps both directories of an account that is synced, and its tables are counted.
//! Of any other account they are read here, so that it can be said who would be matched.

use chrono::{DateTime, Utc};

use super::errand::Book;
use super::judge;
use super::lines::{Finding, Line, Mend};
use crate::microsoft::Connection;
use crate::presence::preview::{self, Read, Unread};
use crate::presence::store::directory::Shrinkage;
use crate::presence::store::overview::{self, Numbers, Standing};

pub async fn look(
    book: &Book<'_>,
    connection: Option<&Connection>,
    reached: bool,
) -> anyhow::Result<Outcome> {
    let (app, account) = (book.app, book.errand.account);
    let standing = overview::standing(&app.db, account).await?;
    let has_worker = overview::has_worker(&app.db, account).await?;
    let users = if has_worker {
        Settled::by_worker(standing.users_refreshed_at)
    } else if reached {
        let (id, believes) = (&book.errand.cloudlink_id, book.errand.believes);
        Settled::of(preview::read_cloudlink(app, account, id, believes).await)?
    } else {
        Settled::not_looked_at("CloudLink could not be asked.")
    };
    let people = match connection {
        _ if has_worker => Settled::by_worker(standing.directory_refreshed_at),
        Some(connection) => {
            Settled::of(preview::read_entra(app, connection, book.errand.believes).await)?
        }
        None => Settled::not_looked_at("Microsoft’s directory could not be read."),
    };
    let known = users.known && people.known;
    if !has_worker && known {
        preview::match_users(app, account).await?;
    }
    let numbers = overview::numbers(&app.db, account).await?;
    let in_entra = overview::in_entra(&app.db, account).await?;
    let braked = users.shrunk || people.shrunk;
    book.note(Line::Users, users.counted(numbers.users, "CloudLink names")).await?;
    book.note(Line::Directory, people.counted(in_entra, "Microsoft Entra has")).await?;
    let matching = if known {
        matched(&numbers)
    } else {
        Finding::not_looked_at("Both directories have to be read first.")
    };
    book.note(Line::Matching, matching).await?;
    Ok(Outcome { summary: known.then(|| summary(&numbers)), braked, standing })
}

/// What is kept of it besides the lines.
pub struct Outcome {
    /// Such as "412 users: 398 matched, 9 without a match, 5 duplicates".
    pub summary: Option<String>,
    /// A directory had shrunk beyond belief.
    pub braked: bool,
    pub standing: Standing,
}

/// What came of looking for one directory.
#[derive(Default)]
struct Settled {
    /// When there is something to say against it.
    finding: Option<Finding>,
    /// The directory is known, if not as of now.
    known: bool,
    shrunk: bool,
    /// When the worker read it.
    read_at: Option<DateTime<Utc>>,
}

impl Settled {
    fn by_worker(read_at: Option<DateTime<Utc>>) -> Self {
        let unread = Finding::not_looked_at("The worker has yet to read it for the first time.");
        let finding = read_at.is_none().then(|| unread.passing());
        Self { finding, known: read_at.is_some(), read_at, shrunk: false }
    }

    fn not_looked_at(why: &str) -> Self {
        Self { finding: Some(Finding::not_looked_at(why)), ..Self::default() }
    }

    fn of(read: Result<Read, Unread>) -> anyhow::Result<Self> {
        let finding = match read {
            Ok(Read::Done | Read::Left) => return Ok(Self { known: true, ..Self::default() }),
            Ok(Read::Shrunk(Shrinkage { gone, present })) => {
                let seen = format!(
                    "{gone} of {present} users are gone since it was read last. Nothing was changed."
                );
                let advice =
                    "If they were really removed, run the check once more, and it is believed.";
                let finding = Some(Finding::amber(seen).advising(advice));
                return Ok(Self { finding, known: true, shrunk: true, read_at: None });
            }
            Err(Unread::Microsoft(refusal)) => judge::refused(&refusal),
            Err(Unread::Cloudlink(refusal)) => judge::refused_by_cloudlink(&refusal),
            Err(Unread::Ours(error)) => return Err(error.into()),
        };
        Ok(Self { finding: Some(finding), ..Self::default() })
    }

    fn counted(self, count: i64, of: &str) -> Finding {
        let read = self.read_at.map(|at| format!(" Read at {}.", at.format("%H:%M UTC")));
        let read = read.unwrap_or_default();
        match (self.finding, count) {
            (Some(finding), _) => finding,
            (None, 0) => Finding::red(format!("{of} nobody.{read}")).advising(
                "Check the ids of this account and of its tenant; or nobody is there yet.",
            ),
            (None, 1) => Finding::green(format!("{of} one user.{read}")),
            (None, _) => Finding::green(format!("{of} {count} users.{read}")),
        }
    }
}

/// Who is matched, and who is not.
fn matched(numbers: &Numbers) -> Finding {
    let (said, fine) = (format!("{}.", summary(numbers)), numbers.unmatched == 0);
    let finding = match numbers.matched() {
        0 if numbers.users > numbers.excluded => Finding::red(&said)
            .or_alone(format!("Nobody is matched. {said}"))
            .advising("Users are matched by e-mail address, and none fits. See who they might be, or check the tenant."),
        _ if fine => return Finding::green(said),
        _ => Finding::amber(said).advising("See who the others might be, and accept what fits."),
    };
    finding.mended_at([Mend::Matching])
}

/// In one sentence, as the switch says it before it is turned.
pub fn summary(numbers: &Numbers) -> String {
    let users = match numbers.users {
        1 => "1 user".to_owned(),
        many => format!("{many} users"),
    };
    let duplicates = if numbers.duplicate == 1 {
        "1 duplicate".to_owned()
    } else {
        format!("{} duplicates", numbers.duplicate)
    };
    let parts = [
        (numbers.not_in_entra, format!("{} without a match", numbers.not_in_entra)),
        (numbers.duplicate, duplicates),
        (numbers.disabled, format!("{} disabled in Entra", numbers.disabled)),
        (numbers.no_teams, format!("{} without Teams", numbers.no_teams)),
        (numbers.excluded, format!("{} excluded", numbers.excluded)),
    ];
    let rest = parts.into_iter().filter(|(count, _)| *count > 0).map(|(_, words)| words);
    let all: Vec<_> = [format!("{} matched", numbers.matched())].into_iter().chain(rest).collect();
    format!("{users}: {}", all.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_summed_up_in_one_sentence() {
        let numbers = Numbers {
            users: 412,
            unmatched: 14,
            not_in_entra: 9,
            duplicate: 5,
            ..Numbers::default()
        };
        assert_eq!(summary(&numbers), "412 users: 398 matched, 9 without a match, 5 duplicates");
        let one = Numbers { users: 1, ..Numbers::default() };
        assert_eq!(summary(&one), "1 user: 1 matched");
    }
}
