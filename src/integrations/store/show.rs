//! An integration with all that its row shows, in one statement.

use anyhow::Context;
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgExecutor;

use crate::ids::{AccountId, ClientId, IntegrationId, RunId, TenantId};
use crate::integrations::credential::{CredentialKind, Expiry, ExpirySource};
use crate::integrations::{Checked, Connected, Integration, Kind, Trouble, Update};
use crate::microsoft::ShownCertificate;
use crate::runs::ItemState;

/// The account's integration of that id: another account's is not found.
pub async fn find(
    db: impl PgExecutor<'_>,
    account: AccountId,
    id: IntegrationId,
) -> anyhow::Result<Option<Integration>> {
    Ok(of_account(db, account).await?.filter(|integration| integration.id == id))
}

/// The integration of an account. There is one kind so far, and the database sees to it that
/// an account has one of each.
pub async fn of_account(
    db: impl PgExecutor<'_>,
    account: AccountId,
) -> anyhow::Result<Option<Integration>> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT i.id AS "id: IntegrationId", i.kind, i.release, i.added_at, i.removing_since,
            c.name AS "name?", c.tenant_id AS "tenant?: TenantId", c.client_id AS "client?: ClientId",
            c.cloud AS "cloud?", c.secret_expires_on, c.expiry_source, c.expiry_by, c.expiry_at,
            c.credential AS "credential?", c.certificate, c.tested_at, c.version AS "version?",
            COALESCE(f.enabled, false) AS "presence_sync!",
            t.cause AS "cause?", t.detail AS "detail?", t.since AS "since?",
            t.needs_person AS "needs_person?",
            u.run_id AS "run?: RunId", u.state AS "update_state?: ItemState", u.plan AS "plan?",
            u.step AS "step?", u.said AS "said?",
            s.finished_at AS "checked_at?", s.reds AS "reds?", s.ambers AS "ambers?", s.matching AS "matching?"
        FROM integrations i
        LEFT JOIN connections c ON c.account_id = i.account_id AND c.integration_id = i.id
        LEFT JOIN features f ON f.account_id = i.account_id AND f.integration_id = i.id
            AND f.feature = 'presence-sync'
        LEFT JOIN setup_checks s ON s.account_id = i.account_id AND s.integration_id = i.id
        LEFT JOIN LATERAL (
            SELECT * FROM presence_troubles p WHERE p.account_id = i.account_id
            ORDER BY p.needs_person DESC, p.since LIMIT 1
        ) t ON true
        LEFT JOIN LATERAL (
            -- One that waits for its ring is not under way yet.
            SELECT n.* FROM run_items n JOIN runs r ON r.id = n.run_id
            WHERE n.account_id = i.account_id AND r.deed = 'update'
                AND (r.kind = 'one' OR n.state IN ('working', 'failed'))
            ORDER BY (n.state IN ('waiting', 'working')) DESC, r.begun_at DESC LIMIT 1
        ) u ON u.seen_at IS NULL AND u.state IN ('waiting', 'working', 'done', 'failed')
        WHERE i.account_id = $1
        "#,
        account as AccountId,
    )
    .fetch_optional(db)
    .await?;
    row.map(|row| row.integration(account)).transpose()
}

struct Row {
    id: IntegrationId,
    kind: String,
    release: i32,
    added_at: DateTime<Utc>,
    removing_since: Option<DateTime<Utc>>,
    name: Option<String>,
    tenant: Option<TenantId>,
    client: Option<ClientId>,
    cloud: Option<String>,
    secret_expires_on: Option<NaiveDate>,
    expiry_source: Option<String>,
    expiry_by: Option<String>,
    expiry_at: Option<DateTime<Utc>>,
    credential: Option<String>,
    certificate: Option<Vec<u8>>,
    tested_at: Option<DateTime<Utc>>,
    version: Option<i32>,
    presence_sync: bool,
    cause: Option<String>,
    detail: Option<String>,
    since: Option<DateTime<Utc>>,
    needs_person: Option<bool>,
    run: Option<RunId>,
    update_state: Option<ItemState>,
    plan: Option<Vec<String>>,
    step: Option<i16>,
    said: Option<String>,
    checked_at: Option<DateTime<Utc>>,
    reds: Option<i32>,
    ambers: Option<i32>,
    matching: Option<String>,
}

impl Row {
    fn integration(self, account: AccountId) -> anyhow::Result<Integration> {
        let connection = match (self.name, self.tenant, self.client, self.cloud, self.version) {
            (Some(name), Some(tenant), Some(client), Some(cloud), Some(version)) => {
                Some(Connected {
                    name,
                    tenant,
                    client,
                    cloud: cloud.parse().context("a cloud in the database")?,
                    credential: match self.credential {
                        Some(kind) => kind.parse()?,
                        None => CredentialKind::Secret,
                    },
                    certificate: self.certificate.map(ShownCertificate::read).transpose()?,
                    expiry: Expiry {
                        on: self.secret_expires_on,
                        source: ExpirySource::read(self.expiry_source.as_deref()),
                        by: self.expiry_by,
                        at: self.expiry_at,
                    },
                    tested_at: self.tested_at,
                    version,
                })
            }
            _ => None,
        };
        let trouble = self.cause.zip(self.since).map(|(cause, since)| Trouble {
            cause,
            since,
            detail: self.detail.unwrap_or_default(),
            needs_person: self.needs_person.unwrap_or_default(),
        });
        let kind: Kind = self.kind.parse().context("a kind in the database")?;
        // One that failed is of no interest once another has succeeded.
        let is_behind = self.release < kind.newest().number;
        let update = self.run.zip(self.update_state);
        let update = update.filter(|(_, state)| is_behind || *state != ItemState::Failed);
        let update = update.map(|(run, state)| Update {
            run,
            state,
            plan: self.plan.unwrap_or_default(),
            step: self.step.unwrap_or_default(),
            said: self.said.unwrap_or_default(),
        });
        let checked = self.checked_at.map(|at| Checked {
            at,
            reds: self.reds.unwrap_or_default(),
            ambers: self.ambers.unwrap_or_default(),
            matching: self.matching.unwrap_or_default(),
        });
        Ok(Integration {
            id: self.id,
            account,
            kind,
            release: self.release,
            added_at: self.added_at,
            removing_since: self.removing_since,
            connection,
            presence_sync: self.presence_sync,
            trouble,
            update,
            checked,
        })
    }
}
