//! One step for one user: ask Microsoft, and write down what came of it.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use metrics::histogram;
use tokio::time::sleep;

use super::budget::{Budget, Slot};
use super::figures;
use super::plan::{self, Answer, Facts, Step, Urgency};
use super::shared::Shared;
use super::store::doubt;
use super::store::due::DueUser;
use super::store::leases::Lease;
use super::store::matching;
use super::store::outcomes::{Accepted, Asked, Outcome};
use super::tally::Delay;
use crate::ids::CloudlinkUserId;
use crate::kit::db::in_time;
use crate::microsoft::{Answered, Cause, Connection, Refusal};

/// How long a user whom Microsoft refuses is left alone.
const REFUSED_RESTS: TimeDelta = TimeDelta::hours(1);

/// What the worker has to know of a step that was done.
#[derive(Debug)]
pub struct Done {
    pub user: CloudlinkUserId,
    /// Whether a request was made, and what Microsoft had against it.
    pub request: Option<Result<(), Refusal>>,
    /// What it was made with.
    pub with: Option<Arc<Connection>>,
    /// When the user is due again.
    pub due_at: Option<DateTime<Utc>>,
    /// Another node has the lease: stop.
    pub lost: bool,
}

/// Asks Microsoft for one step, and writes the outcome down.
pub async fn push(
    shared: Shared,
    lease: Lease,
    ((connection, budget), slot): ((Arc<Connection>, Arc<Budget>), Slot),
    due: DueUser,
    step: Step,
) -> Done {
    let clock = &shared.app.clock;
    let asked = clock.now();
    let asking = ask(&shared, &connection, step).await;
    drop(slot);
    let Some((wanted, answered)) = asking else {
        return keep_books(shared, lease, due, step).await;
    };
    let now = clock.now();
    // At once, and not when the books are kept: nothing more may leave meanwhile.
    if let Some(wait) = answered.outcome.as_ref().err().and_then(|refusal| refusal.retry_after) {
        shared.tally.throttled(lease.account, now, budget.close_for(wait));
    }
    let (answer, after) = judge(&answered.outcome);
    histogram!(figures::PUSH_SECONDS).record(answered.took);
    count(&shared, lease, &due, &answered, now);

    let facts = Facts { held: plan::settle(&due.facts, step, answer, asked, now), ..due.facts };
    let (due_at, failures) = match after {
        After::Next => (next(&facts, now), 0),
        After::Again => (Some(now), due.failures),
        After::Wait => {
            let failures = due.failures.saturating_add(1);
            let wait = plan::back_off(failures.unsigned_abs(), rand::random());
            (Some(now + wait), failures)
        }
        After::LeaveAlone => (Some(now + REFUSED_RESTS), due.failures.saturating_add(1)),
    };
    let refusal = answered.outcome.as_ref().err();
    let outcome = Outcome {
        due_at,
        failures,
        trouble: refusal.map(|refusal| refusal.cause.key()),
        told: refusal.is_none(),
        asked: Some(Asked {
            at: asked,
            wanted,
            status: answered.status.map(i32::from),
            milliseconds: i32::try_from(answered.took.as_millis()).unwrap_or(i32::MAX),
            request_id: answered.request_id.clone(),
            memorable: refusal.is_some() || !matches!(step, Step::Renew { .. }),
        }),
        ..outcome(lease, &due, &facts, now)
    };
    let accepted = write(&shared, outcome).await;
    if accepted.is_none() {
        confess(&shared, lease, &due, step, now).await;
    }
    if refusal.is_some_and(|refusal| refusal.cause.concerns_one_user())
        && let Some(on) = step.on()
    {
        let (db, user) = (&shared.app.db, (&due.user, on));
        let noted = matching::note_refusal(db, lease.account, user, now);
        if let Err(error) = in_time(noted).await {
            tracing::warn!(account.id = %lease.account, "a refused user was not noted: {error}");
        }
    }
    Done { with: Some(connection), ..done(due.user, Some(answered.outcome), accepted) }
}

/// A step that needs no request: the session has ended, or nothing is to be done before its time.
pub async fn keep_books(shared: Shared, lease: Lease, due: DueUser, step: Step) -> Done {
    let now = shared.app.clock.now();
    let facts = Facts { held: plan::settle(&due.facts, step, Answer::Done, now, now), ..due.facts };
    let outcome = Outcome { due_at: next(&facts, now), ..outcome(lease, &due, &facts, now) };
    let accepted = write(&shared, outcome).await;
    done(due.user, None, accepted)
}

fn outcome(lease: Lease, due: &DueUser, facts: &Facts, now: DateTime<Utc>) -> Outcome {
    let urgency = match plan::plan(facts, now) {
        Step::Rest { .. } | Step::Renew { .. } => Urgency::Renewal,
        _ => plan::urgency(facts),
    };
    Outcome {
        account: lease.account,
        user: due.user.clone(),
        term: lease.term,
        revision: due.revision,
        held: facts.held,
        due_at: None,
        urgency: urgency as i16,
        failures: 0,
        trouble: None,
        told: true,
        asked: None,
    }
}

fn next(facts: &Facts, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    match plan::plan(facts, now) {
        Step::Rest { until } => until,
        _ => Some(now),
    }
}

fn done(
    user: CloudlinkUserId,
    request: Option<Result<(), Refusal>>,
    accepted: Option<Accepted>,
) -> Done {
    let lost = accepted.is_none();
    Done { user, request, with: None, due_at: accepted.and_then(|accepted| accepted.due_at), lost }
}

async fn ask(
    shared: &Shared,
    connection: &Connection,
    step: Step,
) -> Option<(&'static str, Answered<()>)> {
    let microsoft = &shared.app.microsoft;
    match step {
        Step::Set { on, shows } | Step::Renew { on, shows } => {
            Some((shows.as_str(), microsoft.set_presence(connection, on, shows).await))
        }
        Step::Clear { on } => Some(("clear", microsoft.clear_presence(connection, on).await)),
        Step::Forget | Step::Rest { .. } => None,
    }
}

/// What to do after an answer.
enum After {
    Next,
    /// As soon as the account may ask again.
    Again,
    /// Later, doubling.
    Wait,
    LeaveAlone,
}

fn judge(outcome: &Result<(), Refusal>) -> (Answer, After) {
    let Err(refusal) = outcome else { return (Answer::Done, After::Next) };
    let refused = refusal.status.is_some_and(|status| (400..500).contains(&status));
    let answer = if refused { Answer::Refused } else { Answer::Unknown };
    match refusal.cause {
        cause if cause.concerns_one_user() => (Answer::Refused, After::LeaveAlone),
        // The account as a whole waits; the user does not wait longer than it.
        Cause::Throttled => (Answer::Refused, After::Again),
        // Most likely something about this one request: the account goes on with others.
        Cause::Unexpected => (answer, After::Wait),
        cause if cause.needs_person() => (Answer::Refused, After::Again),
        _ => (answer, After::Wait),
    }
}

fn count(
    shared: &Shared,
    lease: Lease,
    due: &DueUser,
    answered: &Answered<()>,
    now: DateTime<Utc>,
) {
    match &answered.outcome {
        Ok(()) => {
            let waited = due.waiting_since.and_then(|since| (now - since).to_std().ok());
            let delay = waited.map(|whole| Delay { whole, microsoft: answered.took });
            shared.tally.pushed(lease.account, now, delay);
        }
        Err(refusal) => shared.tally.failed(lease.account, now, refusal.cause.key()),
    }
}

/// The lease was lost while the request was on its way: whoever has it now cannot know of it.
async fn confess(shared: &Shared, lease: Lease, due: &DueUser, step: Step, now: DateTime<Utc>) {
    let Some(on) = step.on() else { return };
    let said = doubt::of_user(&shared.app.db, lease.account, &due.user, on, now);
    match in_time(said).await {
        Ok(()) => shared.app.wakes.ring_elsewhere(lease.account),
        Err(error) => tracing::warn!(account.id = %lease.account, "{error}"),
    }
}

/// Keeps on until Postgres has taken it: what Teams was told must not be forgotten.
async fn write(shared: &Shared, outcome: Outcome) -> Option<Accepted> {
    let mut wait = Duration::from_millis(100);
    loop {
        if let Ok(accepted) = shared.write(outcome.clone()).await {
            return accepted;
        }
        sleep(wait.mul_f64(1.0 - rand::random::<f64>() / 2.0)).await;
        wait = (wait * 2).min(Duration::from_secs(5));
    }
}
