//! An account's feed from CloudLink: its webhook, its subscription, and when it last spoke.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgExecutor;

use crate::ids::{AccountId, CloudlinkAccountId, SubscriptionId};
use crate::kit::secret::Sealed;

/// How long an account waits before another unknown user has its directory read again.
const STRANGERS_WAIT: TimeDelta = TimeDelta::seconds(60);

/// Notes that events came, and for whom one named a user we do not know.
pub async fn note_events(
    db: impl PgExecutor<'_>,
    accounts: &[AccountId],
    strangers: &[AccountId],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        UPDATE presence_accounts SET
            last_event_at = greatest(last_event_at, $3),
            stranger_at = CASE WHEN account_id = ANY($2)
                AND (stranger_at IS NULL OR stranger_at < $4) THEN $3 ELSE stranger_at END
        WHERE account_id = ANY($1)
        "#,
        accounts as &[AccountId],
        strangers as &[AccountId],
        now,
        now - STRANGERS_WAIT,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Everything needed to look after a subscription.
#[derive(Debug)]
pub struct Feed {
    pub cloudlink_id: CloudlinkAccountId,
    pub hook_key: Sealed,
    pub subscription: Option<SubscriptionId>,
    pub checked_at: Option<DateTime<Utc>>,
    pub made_at: Option<DateTime<Utc>>,
    pub last_event_at: Option<DateTime<Utc>>,
}

pub async fn feed(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<Option<Feed>> {
    sqlx::query_as!(
        Feed,
        r#"
        SELECT a.cloudlink_account_id AS "cloudlink_id: CloudlinkAccountId",
               p.hook_key AS "hook_key: Sealed",
               p.subscription_id AS "subscription: SubscriptionId",
               p.subscription_checked_at AS checked_at,
               p.subscription_made_at AS made_at, p.last_event_at
        FROM presence_accounts p JOIN accounts a ON a.id = p.account_id
        WHERE p.account_id = $1
        "#,
        account as AccountId,
    )
    .fetch_optional(db)
    .await
}

/// Notes that the subscription was looked at, which it is, and whether it was made just now.
pub async fn note_subscription(
    db: impl PgExecutor<'_>,
    account: AccountId,
    subscription: Option<&SubscriptionId>,
    made: bool,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        UPDATE presence_accounts SET subscription_id = $2, subscription_checked_at = $3,
            subscription_made_at = CASE WHEN $4 THEN $3 ELSE coalesce(subscription_made_at, $3) END
        WHERE account_id = $1
        "#,
        account as AccountId,
        subscription as Option<&SubscriptionId>,
        now,
        made,
    )
    .execute(db)
    .await?;
    Ok(())
}
