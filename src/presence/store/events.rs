//! Events made durable: many in one statement, the newest per user by its own time.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

use crate::ids::{AccountId, CloudlinkAccountId, CloudlinkUserId};
use crate::integrations::{Ability, Kind};
use crate::kit::token::TokenDigest;
use crate::presence::mapping;

/// One event, ready to be written down.
#[derive(Clone, Debug)]
pub struct Received {
    pub account: AccountId,
    pub user: CloudlinkUserId,
    /// As CloudLink spelled it; empty if it named none.
    pub state: String,
    /// Its own time.
    pub entered_at: DateTime<Utc>,
    pub publication_id: String,
    pub received_at: DateTime<Utc>,
}

/// What a flush changed for one user. Users for whom nothing was new have none.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    pub account: AccountId,
    /// Teams should show something else now.
    pub due: bool,
    /// The first event of a user whom the directory does not name.
    pub stranger: bool,
}

/// The account whose webhook has this key.
#[derive(Clone, Debug)]
pub struct Hook {
    pub account: AccountId,
    pub cloudlink_id: CloudlinkAccountId,
}

pub async fn hook(db: impl PgExecutor<'_>, key: &TokenDigest) -> sqlx::Result<Option<Hook>> {
    sqlx::query_as!(
        Hook,
        r#"
        SELECT p.account_id AS "account: AccountId",
               a.cloudlink_account_id AS "cloudlink_id: CloudlinkAccountId"
        FROM presence_accounts p JOIN accounts a ON a.id = p.account_id
        WHERE p.hook_digest = $1
        "#,
        key as &TokenDigest,
    )
    .fetch_optional(db)
    .await
}

/// Gives events from the future the time at which they first came, and keeps that in mind for
/// when they come again: so none of them stands in the way of those that follow.
///
/// It is our clock that may have gone back: so what comes from the future and is new counts as
/// newer than all we hold, and in the order in which it came.
pub async fn date_back(tx: &mut PgConnection, events: &mut [&mut Received]) -> sqlx::Result<()> {
    let accounts: Vec<_> = events.iter().map(|event| event.account).collect();
    let users: Vec<_> = events.iter().map(|event| event.user.clone()).collect();
    let ids: Vec<_> = events.iter().map(|event| event.publication_id.clone()).collect();
    let received: Vec<_> = events.iter().map(|event| event.received_at).collect();
    sqlx::query!(
        r#"
        INSERT INTO future_events (account_id, publication_id, received_at)
        SELECT DISTINCT ON (1, 2) e.account_id, e.publication_id,
               greatest(e.received_at, p.entered_at, p.decided_at) + n * interval '1 microsecond'
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) WITH ORDINALITY
             AS e (account_id, user_id, publication_id, received_at, n)
        LEFT JOIN presences p ON p.account_id = e.account_id AND p.user_id = e.user_id
        WHERE EXISTS (SELECT 1 FROM presence_accounts a WHERE a.account_id = e.account_id)
        ORDER BY 1, 2, 3
        ON CONFLICT DO NOTHING
        "#,
        &accounts as &[AccountId],
        &users as &[CloudlinkUserId],
        &ids,
        &received,
    )
    .execute(&mut *tx)
    .await?;
    let first = sqlx::query!(
        r#"
        SELECT account_id AS "account_id: AccountId", publication_id, received_at
        FROM future_events
        WHERE (account_id, publication_id) IN (SELECT * FROM unnest($1::uuid[], $2::text[]))
        "#,
        &accounts as &[AccountId],
        &ids,
    )
    .fetch_all(&mut *tx)
    .await?;
    let first: HashMap<_, _> = first
        .into_iter()
        .map(|row| ((row.account_id, row.publication_id), row.received_at))
        .collect();
    for event in events {
        let known = first.get(&(event.account, event.publication_id.clone()));
        event.entered_at = known.copied().unwrap_or(event.received_at);
    }
    Ok(())
}

/// Writes events down and decides what Teams should show for them, in one statement.
///
/// Two things are kept of a user: the newest event, and the newest that decides something (a
/// phone that rings says nothing about Teams). Each is replaced only by what is newer by the
/// event's own time, then by publication id: so the order in which events come, and how often,
/// makes no difference. An integration that is not updated yet has the fixed rules of its release.
///
/// Of two events with the very same time nothing says which is the later: not even the order in
/// which they come, for one that was not taken at once comes again after the other. So it is
/// decided in a way on which every node, order and repetition agrees.
#[expect(clippy::too_many_lines, reason = "it is one statement")]
pub async fn write(db: impl PgExecutor<'_>, events: &[Received]) -> sqlx::Result<Vec<Written>> {
    let accounts: Vec<_> = events.iter().map(|event| event.account).collect();
    let users: Vec<_> = events.iter().map(|event| event.user.clone()).collect();
    let states: Vec<_> = events.iter().map(|event| event.state.clone()).collect();
    let folded: Vec<_> = events.iter().map(|event| mapping::fold(&event.state)).collect();
    let entered: Vec<_> = events.iter().map(|event| event.entered_at).collect();
    let ids: Vec<_> = events.iter().map(|event| event.publication_id.clone()).collect();
    let received: Vec<_> = events.iter().map(|event| event.received_at).collect();
    let (names, shows): (Vec<_>, Vec<_>) = mapping::DEFAULT
        .iter()
        .map(|(state, decision)| ((*state).to_owned(), decision.as_str().to_owned()))
        .unzip();
    let (fixed, fixed_shows): (Vec<_>, Vec<_>) = mapping::FIRST_RELEASE
        .iter()
        .map(|(state, decision)| ((*state).to_owned(), decision.as_str().to_owned()))
        .unzip();
    sqlx::query_as!(
        Written,
        r#"
        WITH given AS (
            SELECT e.*, coalesce(f.shows, m.shows, d.shows, 'no-change') AS shows,
                   -- an event that names no state has none that wants a rule
                   m.shows IS NULL AND d.shows IS NULL AND e.folded <> '' AS unmapped
            FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[],
                        $6::text[], $7::timestamptz[])
                 AS e (account_id, user_id, state, folded, entered_at, publication_id, received_at)
            JOIN presence_accounts a ON a.account_id = e.account_id
            LEFT JOIN integrations i ON i.account_id = e.account_id
                AND i.kind = 'microsoft-teams' AND i.release < $10
            LEFT JOIN unnest($11::text[], $12::text[]) AS f (state, shows)
                ON f.state = e.folded AND i.id IS NOT NULL
            LEFT JOIN mappings m ON m.account_id = e.account_id AND m.state = e.folded
                AND i.id IS NULL
            LEFT JOIN unnest($8::text[], $9::text[]) AS d (state, shows) ON d.state = e.folded
        ), newest AS (
            SELECT DISTINCT ON (account_id, user_id) * FROM given
            ORDER BY account_id, user_id, entered_at DESC, publication_id DESC
        ), deciding AS (
            SELECT DISTINCT ON (account_id, user_id)
                   account_id, user_id, folded, entered_at, publication_id,
                   nullif(shows, 'clear') AS wanted
            FROM given WHERE shows <> 'no-change'
            ORDER BY account_id, user_id, entered_at DESC, publication_id DESC
        ), strange AS (
            INSERT INTO unmapped_states AS s (account_id, state, spelled, seen, last_seen_at)
            SELECT account_id, folded, max(state), count(*), max(received_at)
            FROM given WHERE unmapped GROUP BY account_id, folded ORDER BY account_id, folded
            ON CONFLICT (account_id, state) DO UPDATE SET
                spelled = excluded.spelled, seen = s.seen + excluded.seen,
                last_seen_at = greatest(s.last_seen_at, excluded.last_seen_at)
        ), written AS (
            INSERT INTO presences AS p (
                account_id, user_id, state, entered_at, publication_id, received_at,
                decided_state, decided_at, decided_by, wanted, due_at, waiting_since, urgency
            )
            SELECT n.account_id, n.user_id, n.state, n.entered_at, n.publication_id, n.received_at,
                   d.folded, d.entered_at, d.publication_id, d.wanted,
                   CASE WHEN d.wanted IS NOT NULL THEN n.received_at END,
                   CASE WHEN d.wanted IS NOT NULL THEN n.received_at END,
                   CASE WHEN d.wanted IN ('in-a-call', 'in-a-conference-call') THEN 0 ELSE 1 END
            FROM newest n LEFT JOIN deciding d USING (account_id, user_id)
            ORDER BY n.account_id, n.user_id
            ON CONFLICT (account_id, user_id) DO UPDATE SET
                state = CASE WHEN (excluded.entered_at, excluded.publication_id) > (p.entered_at, p.publication_id)
                    THEN excluded.state ELSE p.state END,
                entered_at = CASE WHEN (excluded.entered_at, excluded.publication_id) > (p.entered_at, p.publication_id)
                    THEN excluded.entered_at ELSE p.entered_at END,
                publication_id = CASE WHEN (excluded.entered_at, excluded.publication_id) > (p.entered_at, p.publication_id)
                    THEN excluded.publication_id ELSE p.publication_id END,
                received_at = CASE WHEN (excluded.entered_at, excluded.publication_id) > (p.entered_at, p.publication_id)
                    THEN excluded.received_at ELSE p.received_at END,
                decided_state = CASE WHEN (excluded.decided_at, excluded.decided_by)
                        > (coalesce(p.decided_at, '-infinity'), coalesce(p.decided_by, ''))
                    THEN excluded.decided_state ELSE p.decided_state END,
                decided_at = CASE WHEN (excluded.decided_at, excluded.decided_by)
                        > (coalesce(p.decided_at, '-infinity'), coalesce(p.decided_by, ''))
                    THEN excluded.decided_at ELSE p.decided_at END,
                decided_by = CASE WHEN (excluded.decided_at, excluded.decided_by)
                        > (coalesce(p.decided_at, '-infinity'), coalesce(p.decided_by, ''))
                    THEN excluded.decided_by ELSE p.decided_by END,
                wanted = CASE WHEN (excluded.decided_at, excluded.decided_by)
                        > (coalesce(p.decided_at, '-infinity'), coalesce(p.decided_by, ''))
                    THEN excluded.wanted ELSE p.wanted END,
                due_at = CASE WHEN (excluded.decided_at, excluded.decided_by)
                        > (coalesce(p.decided_at, '-infinity'), coalesce(p.decided_by, ''))
                        AND excluded.wanted IS DISTINCT FROM p.wanted
                    THEN excluded.received_at ELSE p.due_at END,
                waiting_since = CASE WHEN (excluded.decided_at, excluded.decided_by)
                        > (coalesce(p.decided_at, '-infinity'), coalesce(p.decided_by, ''))
                        AND excluded.wanted IS DISTINCT FROM p.wanted
                    THEN excluded.received_at ELSE p.waiting_since END,
                urgency = CASE WHEN (excluded.decided_at, excluded.decided_by)
                        > (coalesce(p.decided_at, '-infinity'), coalesce(p.decided_by, ''))
                        AND excluded.wanted IS DISTINCT FROM p.wanted
                    THEN CASE WHEN excluded.wanted IN ('in-a-call', 'in-a-conference-call')
                                OR p.wanted IN ('in-a-call', 'in-a-conference-call')
                                OR p.applied IN ('in-a-call', 'in-a-conference-call') THEN 0 ELSE 1 END
                    ELSE p.urgency END,
                revision = p.revision + CASE WHEN (excluded.decided_at, excluded.decided_by)
                        > (coalesce(p.decided_at, '-infinity'), coalesce(p.decided_by, ''))
                        AND excluded.wanted IS DISTINCT FROM p.wanted
                    THEN 1 ELSE 0 END
            WHERE (excluded.entered_at, excluded.publication_id) > (p.entered_at, p.publication_id)
               OR (excluded.decided_at, excluded.decided_by)
                   > (coalesce(p.decided_at, '-infinity'), coalesce(p.decided_by, ''))
            RETURNING account_id, user_id, state, entered_at, received_at,
                waiting_since, due_at, xmax = 0 AS inserted
        ), remembered AS (
            INSERT INTO presence_history (account_id, slot, user_id, at, state, entered_at)
            SELECT account_id, floor(date_part('epoch', received_at))::bigint / 21600 % 6, user_id,
                received_at, state, entered_at
            FROM written
        )
        SELECT w.account_id AS "account!: AccountId",
               coalesce(w.waiting_since = w.due_at, false) AS "due!",
               (w.inserted AND u.user_id IS NULL) AS "stranger!"
        FROM written w
        LEFT JOIN cloudlink_users u ON u.account_id = w.account_id AND u.user_id = w.user_id
        "#,
        &accounts as &[AccountId],
        &users as &[CloudlinkUserId],
        &states,
        &folded,
        &entered,
        &ids,
        &received,
        &names,
        &shows,
        Kind::MicrosoftTeams.since(Ability::OwnMapping).number,
        &fixed,
        &fixed_shows,
    )
    .fetch_all(db)
    .await
}
