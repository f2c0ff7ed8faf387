//! What a run writes down. Whoever has lost their run writes nothing.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::checks::errand::{Errand, Sum};
use crate::checks::lines::{Finding, Line, State};
use crate::ids::{AccountId, IntegrationId, NodeId};

/// Writes a line down. False when the run is somebody else's by now.
pub async fn write_line(
    db: impl PgExecutor<'_>,
    errand: &Errand,
    line: Line,
    finding: &Finding,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let mend: Vec<_> = finding.mend.iter().map(|mend| mend.key().to_owned()).collect();
    let written = sqlx::query!(
        r#"
        INSERT INTO setup_check_lines (account_id, integration_id, line, state, seen, advice,
            detail, mend, looked_at)
        SELECT account_id, integration_id, $4, $5, $6, $7, $8, $9, $10
        FROM setup_checks WHERE account_id = $1 AND integration_id = $2 AND run = $3
        ON CONFLICT (account_id, integration_id, line) DO UPDATE SET state = $5, seen = $6,
            advice = $7, detail = $8, mend = $9, looked_at = $10
        "#,
        errand.account as AccountId,
        errand.integration as IntegrationId,
        errand.run,
        line.key(),
        finding.state as State,
        finding.seen,
        finding.advice,
        finding.detail,
        &mend,
        now,
    )
    .execute(db)
    .await?;
    Ok(written.rows_affected() == 1)
}

/// Says that the run goes on. False when it is somebody else's by now.
pub async fn stay(db: impl PgExecutor<'_>, errand: &Errand) -> sqlx::Result<bool> {
    let stayed = sqlx::query!(
        r#"
        UPDATE setup_checks SET run_until = now() + interval '2 minutes'
        WHERE account_id = $1 AND integration_id = $2 AND run = $3
        "#,
        errand.account as AccountId,
        errand.integration as IntegrationId,
        errand.run,
    )
    .execute(db)
    .await?;
    Ok(stayed.rows_affected() == 1)
}

/// How a run ended.
#[derive(Clone, Copy, Debug)]
pub struct End<'a> {
    pub sum: &'a Sum,
    /// None: it could not be said, and what was known stays.
    pub matching: Option<&'a str>,
    pub braked: bool,
    pub next: DateTime<Utc>,
    pub finished_at: DateTime<Utc>,
}

/// Ends a run. What could not be looked at this time does not take away what a person had to
/// mend the last time, unless that is seen to be mended; and who asked again meanwhile is not
/// forgotten.
pub async fn finish(
    db: impl PgExecutor<'_>,
    errand: &Errand,
    End { sum, matching, braked, next, finished_at }: End<'_>,
) -> sqlx::Result<()> {
    let worst = sum.worst.as_ref();
    let said = worst.map_or("", |(_, said)| said);
    let greens: Vec<_> = sum.greens.iter().map(|line| line.key().to_owned()).collect();
    sqlx::query!(
        r#"
        UPDATE setup_checks SET run = NULL, run_until = NULL, node_id = NULL, finished_at = $4,
            version = $5, reds = $6, ambers = $7,
            urgent = CASE WHEN kept.kept THEN urgent ELSE $8 END,
            worst = CASE WHEN kept.kept THEN worst ELSE $9 END,
            worst_line = CASE WHEN kept.kept THEN worst_line ELSE $14 END,
            urgent_since = CASE WHEN $8 > 0 OR (kept.kept AND urgent > 0)
                THEN coalesce(urgent_since, $4) END,
            troubled = EXISTS (SELECT FROM presence_troubles t
                WHERE t.account_id = $1 AND t.needs_person AND t.since <= started_at),
            matching = coalesce($11, matching),
            braked_at = CASE WHEN $12 THEN $4 END,
            due_at = CASE WHEN asked_at > started_at THEN due_at ELSE $13 END,
            asked_at = CASE WHEN asked_at > started_at THEN asked_at END,
            pilot = CASE WHEN asked_at > started_at THEN pilot END,
            pilot_name = CASE WHEN asked_at > started_at THEN pilot_name END
        FROM (
            SELECT $10 AND $8 = 0 AND NOT coalesce(worst_line = ANY($15), false) AS kept
            FROM setup_checks WHERE account_id = $1 AND integration_id = $2
        ) kept
        WHERE account_id = $1 AND integration_id = $2 AND run = $3
        "#,
        errand.account as AccountId,
        errand.integration as IntegrationId,
        errand.run,
        finished_at,
        errand.version,
        sum.reds,
        sum.ambers,
        sum.urgent,
        said,
        sum.incomplete,
        matching,
        braked,
        next,
        worst.map(|(line, _)| *line) as Option<Line>,
        &greens,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Gives the runs of a node that stops to the others.
pub async fn give_back(db: impl PgExecutor<'_>, node: NodeId) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE setup_checks SET run = NULL, run_until = NULL, node_id = NULL WHERE node_id = $1",
        node as NodeId,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The lines that a run has not come to.
pub async fn unlooked(db: impl PgExecutor<'_>, errand: &Errand) -> sqlx::Result<Vec<Line>> {
    let looked = sqlx::query_scalar!(
        r#"
        SELECT line FROM setup_check_lines
        WHERE account_id = $1 AND integration_id = $2 AND looked_at >= $3
        "#,
        errand.account as AccountId,
        errand.integration as IntegrationId,
        errand.started_at,
    )
    .fetch_all(db)
    .await?;
    let is_left = |line: &Line| {
        !looked.iter().any(|key| key == line.key())
            && (*line != Line::Pilot || errand.pilot.is_some())
    };
    Ok(Line::ALL.into_iter().filter(is_left).collect())
}
