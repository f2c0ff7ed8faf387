//! One look at what is wrong, and the difference put into the outbox.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::compare::{Hearer, Step, compare};
use super::message::{About, Event, Message};
use super::open::{Open, join};
use super::reason::Reason;
use super::store;
use super::store::outbox::{Parcel, post};
use super::store::told::{self, Of};
use crate::config::Config;
use crate::ids::MessageId;
use crate::integrations::reminders;
use crate::integrations::store::refused::refused_nexts;
use crate::state::AppState;

/// A message about more accounts than this is several.
const MOST_ACCOUNTS: usize = 100;

/// Compares what is open with what was told, and posts the difference; how many messages.
/// Does nothing while another node does it.
pub async fn scan(app: &AppState) -> anyhow::Result<usize> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    if !told::take_turn(&mut tx).await? {
        return Ok(0);
    }
    let hearers = told::hearers(&mut *tx).await?;
    let told = told::told(&mut *tx).await?;
    if hearers.is_empty() && told.is_empty() {
        return Ok(0);
    }
    let open = open(&mut tx, now).await?;
    let steps = compare(&open, &told, &hearers, now);
    let messages = gather(&app.config, &steps, now);
    for posted in &messages {
        let parcel = Parcel {
            channel: posted.to.channel,
            address: &posted.to.address,
            recipient: &posted.to.recipient,
            message: &posted.message,
            after: posted.after,
        };
        post(&mut *tx, parcel).await?;
        posted.note(&mut tx, now).await?;
    }
    for step in &steps {
        match step {
            Step::Tell { .. } | Step::Over { .. } => {}
            Step::Gone(told) => told::note_gone(&mut *tx, (*told).into(), Some(now)).await?,
            Step::Back(told) => told::note_gone(&mut *tx, (*told).into(), None).await?,
            Step::Forget(told) => told::forget(&mut *tx, (*told).into()).await?,
        }
    }
    tx.commit().await?;
    Ok(messages.len())
}

async fn open(db: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<Vec<Open>> {
    let today = now.date_naive();
    let sides = store::open::troubled(&mut *db).await?;
    let endings = store::open::ending(&mut *db, reminders::horizon(today)).await?;
    let nexts = refused_nexts(&mut *db, None, i64::MAX).await?;
    let checks = store::open::checked(&mut *db, today).await?;
    let mut sides: Vec<_> = sides.into_iter().map(|it| Open::of_trouble(it, now)).collect();
    let mut endings: Vec<_> =
        endings.into_iter().filter_map(|it| Open::of_secret(it, today)).collect();
    join(&mut sides, &mut endings);
    let nexts = nexts.into_iter().map(Open::of_next);
    let checks = checks.into_iter().map(Open::of_check);
    Ok(sides.into_iter().chain(endings).chain(nexts).chain(checks).collect())
}

/// A message that is made, and what it tells of.
struct Posted<'a> {
    to: &'a Hearer,
    message: Message,
    after: Option<MessageId>,
    tells: Vec<&'a Step<'a>>,
}

/// One message for all accounts that have the same to be told to the same recipient: so that
/// one outage is not four hundred mails.
fn gather<'a>(config: &Config, steps: &'a [Step<'a>], now: DateTime<Utc>) -> Vec<Posted<'a>> {
    let mut groups: BTreeMap<_, Vec<&Step<'_>>> = BTreeMap::new();
    for step in steps {
        let Some((to, event, reason)) = news(step) else { continue };
        let key = (to.channel, to.address.as_str(), event, reason.group());
        groups.entry(key).or_default().push(step);
    }
    let parts = groups.values().flat_map(|group| group.chunks(MOST_ACCOUNTS));
    parts.filter_map(|steps| Posted::of(config, steps, now)).collect()
}

fn news<'a>(step: &Step<'a>) -> Option<(&'a Hearer, Event, &'a Reason)> {
    match step {
        Step::Tell { to, event, open, .. } => Some((to, *event, &open.reason)),
        Step::Over { to, told } => Some((to, Event::Resolved, &told.reason)),
        Step::Gone(_) | Step::Back(_) | Step::Forget(_) => None,
    }
}

impl<'a> Posted<'a> {
    fn of(config: &Config, steps: &[&'a Step<'a>], now: DateTime<Utc>) -> Option<Self> {
        let (to, event, reason) = news(steps.first()?)?;
        let url = &config.public_url;
        let accounts = steps.iter().filter_map(|step| match step {
            Step::Tell { open, .. } => Some(About::open(open, url)),
            Step::Over { told, .. } => {
                Some(About::over((told.account, &told.name), (&told.problem, &told.reason), url))
            }
            _ => None,
        });
        let message =
            Message { accounts: accounts.collect(), ..Message::of(config, event, reason, now) };
        // Mail goes on from what told the problem first, where that is the same for all of it.
        let mut firsts = steps.iter().map(|step| match step {
            Step::Tell { before, .. } => before.map(|told| told.message),
            Step::Over { told, .. } => Some(told.message),
            _ => None,
        });
        let first = firsts.next().flatten();
        let after = first.filter(|first| firsts.all(|other| other == Some(*first)));
        Some(Self { to, message, after, tells: steps.to_vec() })
    }

    /// Writes down that this recipient is told.
    async fn note(&self, tx: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<()> {
        for step in &self.tells {
            match step {
                Step::Tell { to, open, before, .. } => {
                    let (account, recipient) = (open.account, to.recipient.as_str());
                    let of = Of { account, recipient, problem: &open.problem };
                    let reason = open.reason.key();
                    told::note_told(&mut *tx, of, &reason, self.message.id, now).await?;
                    if let Some(before) = before.filter(|it| it.problem != open.problem) {
                        told::forget(&mut *tx, before.into()).await?;
                    }
                }
                Step::Over { told, .. } => told::forget(&mut *tx, (*told).into()).await?,
                _ => {}
            }
        }
        Ok(())
    }
}
