//! Accounts that come from CloudLink's own list.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::accounts::form::Details;
use crate::ids::{AccountId, CloudlinkAccountId};

/// An account to be, under the id it gets.
#[derive(Clone, Debug)]
pub struct NewAccount {
    pub id: AccountId,
    pub details: Details,
}

/// Which of these CloudLink accounts are here already.
pub async fn present(
    db: impl PgExecutor<'_>,
    ids: &[CloudlinkAccountId],
) -> sqlx::Result<Vec<CloudlinkAccountId>> {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    sqlx::query_scalar!(
        r#"
        SELECT cloudlink_account_id AS "id: CloudlinkAccountId"
        FROM accounts WHERE cloudlink_account_id = ANY($1)
        "#,
        &ids,
    )
    .fetch_all(db)
    .await
}

/// Adds them, all in one statement; one whose CloudLink id is taken meanwhile is left out.
/// Says which were added.
pub async fn import(
    db: impl PgExecutor<'_>,
    accounts: &[NewAccount],
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<(AccountId, String)>> {
    let each = |of: fn(&Details) -> &str| -> Vec<String> {
        accounts.iter().map(|account| of(&account.details).to_owned()).collect()
    };
    let ids: Vec<AccountId> = accounts.iter().map(|account| account.id).collect();
    // An array of arrays would have to be square: so they travel as text, a line each.
    let emails: Vec<String> =
        accounts.iter().map(|account| account.details.support_emails.join("\n")).collect();
    let rows = sqlx::query!(
        r#"
        INSERT INTO accounts (id, name, cloudlink_account_id, country, address, city,
            postal_code, language, support_emails, created_at, updated_at)
        SELECT id, name, cloudlink_id, country, address, city, postal_code, language,
            CASE WHEN emails = '' THEN '{}' ELSE string_to_array(emails, E'\n') END, $10, $10
        FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                $7::text[], $8::text[], $9::text[])
            AS new (id, name, cloudlink_id, country, address, city, postal_code, language, emails)
        ON CONFLICT (cloudlink_account_id) DO NOTHING
        RETURNING id AS "id: AccountId", name
        "#,
        &ids as &[AccountId],
        &each(|details| &details.name),
        &each(|details| details.cloudlink_id.as_str()),
        &each(|details| &details.country),
        &each(|details| &details.address),
        &each(|details| &details.city),
        &each(|details| &details.postal_code),
        &each(|details| &details.language),
        &emails,
        now,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}
