//! What came of requests, written down for many accounts in one statement, and only by the
//! node that holds the lease.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::ids::{AccountId, CloudlinkUserId, EntraUserId, NodeId};
use crate::presence::plan::Held;

/// How one user stands after a step.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub account: AccountId,
    pub user: CloudlinkUserId,
    pub term: i64,
    /// As it was when the step was planned: if it has risen since, the user stays due.
    pub revision: i64,
    pub held: Option<Held>,
    pub due_at: Option<DateTime<Utc>>,
    pub urgency: i16,
    pub failures: i32,
    pub trouble: Option<&'static str>,
    /// The event that waited has been told.
    pub told: bool,
    /// The request, if one was made.
    pub asked: Option<Asked>,
}

/// One request and its answer, for whoever asks why a user shows what they show.
#[derive(Clone, Debug)]
pub struct Asked {
    pub at: DateTime<Utc>,
    /// What was asked for: one of the five, or 'clear'.
    pub wanted: &'static str,
    pub status: Option<i32>,
    pub milliseconds: i32,
    pub request_id: Option<String>,
    /// It changed something or failed: it is kept beside those before it.
    pub memorable: bool,
}

/// A user whose outcome was accepted, and when it is due now.
#[derive(Clone, Debug)]
pub struct Accepted {
    pub account: AccountId,
    pub user: CloudlinkUserId,
    pub due_at: Option<DateTime<Utc>>,
}

/// Writes outcomes down. Those of accounts that another node holds by now are refused: they
/// are not among the accepted.
pub async fn write(
    db: impl PgExecutor<'_>,
    node: NodeId,
    outcomes: &[Outcome],
) -> sqlx::Result<Vec<Accepted>> {
    let column = Columns::of(outcomes);
    sqlx::query_as!(
        Accepted,
        r#"
        WITH given AS (
            SELECT * FROM unnest($2::uuid[], $3::text[], $4::bigint[], $5::bigint[],
                $6::text[], $7::uuid[], $8::timestamptz[], $9::timestamptz[], $10::bool[],
                $11::timestamptz[], $12::smallint[], $13::int[], $14::text[], $15::bool[],
                $16::timestamptz[], $17::text[], $18::int[], $19::int[], $20::text[], $21::bool[])
            AS o (account_id, user_id, term, revision, applied, applied_on, since, until, certain,
                due_at, urgency, failures, trouble, told, asked_at, asked_for, status, ms, request_id,
                memorable)
        ), ours AS (
            SELECT account_id, term FROM presence_accounts
            WHERE node_id = $1 AND account_id = ANY($2)
            ORDER BY account_id FOR SHARE
        ), remembered AS (
            INSERT INTO presence_history
                (account_id, slot, user_id, at, asked_for, answer_status, answer_ms, request_id)
            SELECT o.account_id, floor(date_part('epoch', o.asked_at))::bigint / 21600 % 6, o.user_id,
                o.asked_at, o.asked_for, o.status, o.ms, o.request_id
            FROM given o JOIN ours ON ours.account_id = o.account_id AND ours.term = o.term
            WHERE o.memorable
        )
        UPDATE presences p SET
            applied = o.applied, applied_entra_id = o.applied_on, applied_at = o.since,
            expires_at = o.until, certain = o.certain,
            due_at = CASE WHEN p.revision = o.revision THEN o.due_at ELSE p.due_at END,
            urgency = CASE WHEN p.revision = o.revision THEN o.urgency ELSE p.urgency END,
            waiting_since = CASE WHEN p.revision = o.revision AND o.told THEN NULL ELSE p.waiting_since END,
            failures = o.failures, trouble = o.trouble,
            asked_at = coalesce(o.asked_at, p.asked_at),
            asked_for = coalesce(o.asked_for, p.asked_for),
            answer_status = CASE WHEN o.asked_at IS NULL THEN p.answer_status ELSE o.status END,
            answer_ms = CASE WHEN o.asked_at IS NULL THEN p.answer_ms ELSE o.ms END,
            request_id = CASE WHEN o.asked_at IS NULL THEN p.request_id ELSE o.request_id END
        FROM given o JOIN ours ON ours.account_id = o.account_id AND ours.term = o.term
        WHERE p.account_id = o.account_id AND p.user_id = o.user_id
        RETURNING p.account_id AS "account: AccountId", p.user_id AS "user: CloudlinkUserId", p.due_at
        "#,
        node as NodeId,
        &column.accounts as &[AccountId],
        &column.users as &[CloudlinkUserId],
        &column.terms,
        &column.revisions,
        &column.applied as &[Option<&str>],
        &column.on as &[Option<EntraUserId>],
        &column.since as &[Option<DateTime<Utc>>],
        &column.until as &[Option<DateTime<Utc>>],
        &column.certain,
        &column.due as &[Option<DateTime<Utc>>],
        &column.urgency,
        &column.failures,
        &column.trouble as &[Option<&str>],
        &column.told,
        &column.asked_at as &[Option<DateTime<Utc>>],
        &column.asked_for as &[Option<&str>],
        &column.status as &[Option<i32>],
        &column.milliseconds as &[Option<i32>],
        &column.request_ids as &[Option<&str>],
        &column.memorable,
    )
    .fetch_all(db)
    .await
}

/// Outcomes, as Postgres takes them: one array per column.
#[derive(Default)]
struct Columns<'a> {
    accounts: Vec<AccountId>,
    users: Vec<CloudlinkUserId>,
    terms: Vec<i64>,
    revisions: Vec<i64>,
    applied: Vec<Option<&'a str>>,
    on: Vec<Option<EntraUserId>>,
    since: Vec<Option<DateTime<Utc>>>,
    until: Vec<Option<DateTime<Utc>>>,
    certain: Vec<bool>,
    due: Vec<Option<DateTime<Utc>>>,
    urgency: Vec<i16>,
    failures: Vec<i32>,
    trouble: Vec<Option<&'a str>>,
    told: Vec<bool>,
    asked_at: Vec<Option<DateTime<Utc>>>,
    asked_for: Vec<Option<&'a str>>,
    status: Vec<Option<i32>>,
    milliseconds: Vec<Option<i32>>,
    request_ids: Vec<Option<&'a str>>,
    memorable: Vec<bool>,
}

impl<'a> Columns<'a> {
    fn of(outcomes: &'a [Outcome]) -> Self {
        let mut columns = Self::default();
        for outcome in outcomes {
            columns.add(outcome);
        }
        columns
    }

    fn add(&mut self, outcome: &'a Outcome) {
        let (held, asked) = (outcome.held.as_ref(), outcome.asked.as_ref());
        self.accounts.push(outcome.account);
        self.users.push(outcome.user.clone());
        self.terms.push(outcome.term);
        self.revisions.push(outcome.revision);
        self.applied.push(held.map(|held| held.shows.as_str()));
        self.on.push(held.map(|held| held.on));
        self.since.push(held.map(|held| held.since));
        self.until.push(held.map(|held| held.until));
        self.certain.push(held.is_none_or(|held| held.certain));
        self.due.push(outcome.due_at);
        self.urgency.push(outcome.urgency);
        self.failures.push(outcome.failures);
        self.trouble.push(outcome.trouble);
        self.told.push(outcome.told);
        self.asked_at.push(asked.map(|asked| asked.at));
        self.asked_for.push(asked.map(|asked| asked.wanted));
        self.status.push(asked.and_then(|asked| asked.status));
        self.milliseconds.push(asked.map(|asked| asked.milliseconds));
        self.request_ids.push(asked.and_then(|asked| asked.request_id.as_deref()));
        self.memorable.push(asked.is_some_and(|asked| asked.memorable));
    }
}
