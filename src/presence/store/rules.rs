//! An account's own rules, and the states no rule names.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

use crate::ids::AccountId;
use crate::integrations::{Ability, Kind};
use crate::presence::mapping::{self, Decision, Mapping};

/// The table that is in force: the account's own, or that of the release it has. What the
/// database holds and we do not know is left out.
pub async fn mapping(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<Mapping> {
    let rows = sqlx::query!(
        r#"
        SELECT i.release AS "release?", m.state AS "state?", m.shows AS "shows?"
        FROM (VALUES ($1::uuid)) AS a (account_id)
        LEFT JOIN integrations i ON i.account_id = a.account_id AND i.kind = 'microsoft-teams'
        LEFT JOIN mappings m ON m.account_id = a.account_id
        "#,
        account as AccountId,
    )
    .fetch_all(db)
    .await?;
    let teams = Kind::MicrosoftTeams;
    let release = rows.first().and_then(|row| row.release);
    if release.is_some_and(|release| !teams.can(release, Ability::OwnMapping)) {
        return Ok(Mapping::of_first_release());
    }
    let known = rows.into_iter().filter_map(|row| Some((row.state?, row.shows?.parse().ok()?)));
    Ok(Mapping::with(known))
}

/// Keeps of `mapping` what differs from the default, and nothing else.
pub async fn replace(
    tx: &mut PgConnection,
    account: AccountId,
    mapping: &Mapping,
) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM mappings WHERE account_id = $1", account as AccountId)
        .execute(&mut *tx)
        .await?;
    let (states, shows): (Vec<_>, Vec<_>) = mapping
        .differences()
        .map(|(state, decision)| (state.to_owned(), decision.as_str().to_owned()))
        .unzip();
    sqlx::query!(
        r#"
        INSERT INTO mappings (account_id, state, shows)
        SELECT $1, rule.state, rule.shows FROM unnest($2::text[], $3::text[]) AS rule (state, shows)
        "#,
        account as AccountId,
        &states,
        &shows,
    )
    .execute(&mut *tx)
    .await?;
    // A state that a rule names now is not unmapped any more.
    sqlx::query!(
        "DELETE FROM unmapped_states WHERE account_id = $1 AND state = ANY ($2)",
        account as AccountId,
        &states,
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// Puts rules that were kept from before into the form in which they are read: states folded,
/// one rule for each, and nothing that we do not know.
pub async fn tidy(tx: &mut PgConnection, account: AccountId) -> sqlx::Result<()> {
    let rows = sqlx::query!(
        "SELECT state, shows FROM mappings WHERE account_id = $1 ORDER BY state FOR UPDATE",
        account as AccountId,
    )
    .fetch_all(&mut *tx)
    .await?;
    let known = rows.into_iter().filter_map(|row| Some((row.state, row.shows.parse().ok()?)));
    replace(tx, account, &Mapping::with(known)).await
}

/// The rules have changed: marked for the worker to go through.
pub async fn mark(
    db: impl PgExecutor<'_>,
    account: AccountId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE presence_accounts SET remapped_at = $2 WHERE account_id = $1",
        account as AccountId,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Everybody has been decided anew since the rules changed, if they have not changed again.
pub async fn unmark(
    db: impl PgExecutor<'_>,
    account: AccountId,
    changed: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE presence_accounts SET remapped_at = NULL WHERE account_id = $1 AND remapped_at = $2",
        account as AccountId,
        changed,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A state that CloudLink sent and no rule names.
#[derive(Clone, Debug)]
pub struct Unmapped {
    /// Folded.
    pub state: String,
    /// As it came last.
    pub spelled: String,
    pub seen: i64,
    pub last_seen_at: DateTime<Utc>,
}

/// The last seen first.
pub async fn unmapped(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<Vec<Unmapped>> {
    sqlx::query_as!(
        Unmapped,
        r#"
        SELECT state, spelled, seen, last_seen_at
        FROM unmapped_states
        WHERE account_id = $1
        ORDER BY last_seen_at DESC, state
        LIMIT 100
        "#,
        account as AccountId,
    )
    .fetch_all(db)
    .await
}

/// Decides anew for every user of whom an event came; returns how many of them want something
/// else now. Those are due at once.
///
/// Of each user two states are kept: the newest, and the newest that decided something. A new
/// rule may make the former decide; a changed one changes what the latter says.
pub async fn decide_anew(
    tx: &mut PgConnection,
    account: AccountId,
    mapping: &Mapping,
    now: DateTime<Utc>,
) -> sqlx::Result<u64> {
    let spelled = sqlx::query_scalar!(
        r#"
        SELECT DISTINCT state FROM presences
        WHERE account_id = $1
        UNION
        SELECT DISTINCT decided_state FROM presences
        WHERE account_id = $1 AND decided_state IS NOT NULL
        "#,
        account as AccountId,
    )
    .fetch_all(&mut *tx)
    .await?;
    let rules: Vec<_> = spelled
        .into_iter()
        .flatten()
        .filter_map(|state| match mapping.decide(&state) {
            Decision::Show(shows) => Some((state, Some(shows.as_str().to_owned()))),
            Decision::Clear => Some((state, None)),
            Decision::NoChange => None,
        })
        .collect();
    let states: Vec<_> = rules.iter().map(|(state, _)| state.clone()).collect();
    let folded: Vec<_> = states.iter().map(|state| mapping::fold(state)).collect();
    let wanted: Vec<_> = rules.into_iter().map(|(_, wanted)| wanted).collect();
    sqlx::query!(
        r#"
        UPDATE presences p
        SET decided_state = rule.folded, decided_at = p.entered_at, decided_by = p.publication_id
        FROM unnest($2::text[], $3::text[]) AS rule (state, folded)
        WHERE p.account_id = $1 AND p.state = rule.state
            AND (p.decided_at IS NULL
                OR (p.entered_at, p.publication_id) > (p.decided_at, p.decided_by))
        "#,
        account as AccountId,
        &states,
        &folded,
    )
    .execute(&mut *tx)
    .await?;
    let changed = sqlx::query!(
        r#"
        UPDATE presences p
        SET wanted = rule.wanted, due_at = $4, urgency = 1, revision = revision + 1
        FROM unnest($2::text[], $3::text[]) AS rule (state, wanted)
        WHERE p.account_id = $1 AND p.decided_state = rule.state
            AND p.wanted IS DISTINCT FROM rule.wanted
        "#,
        account as AccountId,
        &folded,
        &wanted as &[Option<String>],
        now,
    )
    .execute(&mut *tx)
    .await?;
    Ok(changed.rows_affected())
}
