//! Whom in Entra a CloudLink user without a match is like.
//!
//! Worked out in one statement over an account's directories, after they were read, and kept.
//! Whom in Entra to look at is found by keys (`hint_keys` in the database): comparing every name
//! with every other costs seconds among fifty thousand.

use sqlx::{PgConnection, PgExecutor, PgPool};

use crate::ids::{AccountId, CloudlinkUserId};

/// Works the hints of an account out anew, if anybody is without a match.
pub async fn refresh(db: &PgPool, account: AccountId) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    clear(&mut *tx, account).await?;
    work_out(&mut tx, account, None).await?;
    tx.commit().await
}

/// Works out the hints of these users alone.
pub async fn of_users(
    tx: &mut PgConnection,
    account: AccountId,
    users: &[CloudlinkUserId],
) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM match_hints WHERE account_id = $1 AND user_id = ANY($2)",
        account as AccountId,
        users as &[CloudlinkUserId],
    )
    .execute(&mut *tx)
    .await?;
    work_out(tx, account, Some(users)).await
}

async fn clear(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM match_hints WHERE account_id = $1", account as AccountId)
        .execute(db)
        .await?;
    Ok(())
}

/// Makes the keys of those in Entra that have none, if anybody is without a match.
async fn key(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        UPDATE entra_users SET hint_keys =
            hint_keys(account_id, user_principal_name, mail, proxy_addresses, display_name)
        WHERE account_id = $1 AND hint_keys IS NULL AND NOT gone
            AND EXISTS (SELECT FROM cloudlink_users c
                WHERE c.account_id = $1 AND c.entra_id IS NULL AND NOT c.excluded)
        "#,
        account as AccountId,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The nearest five for each. Of an Entra user every address counts: principal name, mail, alias.
/// A guest's principal name is the address of the guest's own home, written differently.
async fn work_out(
    tx: &mut PgConnection,
    account: AccountId,
    users: Option<&[CloudlinkUserId]>,
) -> sqlx::Result<()> {
    key(&mut *tx, account).await?;
    sqlx::query!(
        r#"
        WITH lost AS MATERIALIZED (
            SELECT user_id, email, split_part(email, '@', 1) AS local, key AS name,
                CASE WHEN cardinality(words) >= 2 THEN ARRAY[
                    words[1] || words[2], words[2] || words[1],
                    left(words[1], 1) || words[2], left(words[2], 1) || words[1],
                    words[1] || left(words[2], 1), words[2] || left(words[1], 1)
                ] ELSE '{}' END AS likes
            FROM (
                SELECT user_id, lower(btrim(c.email)) AS email, key,
                    string_to_array(key, ' ') AS words
                FROM cloudlink_users c, name_key(c.name) AS key
                WHERE c.account_id = $1 AND c.entra_id IS NULL AND NOT c.excluded
                    AND ($2::text[] IS NULL OR c.user_id = ANY($2))
            ) AS named
        ), wanted AS MATERIALIZED (
            SELECT array_agg(DISTINCT hint_key($1, kind, value)) AS keys
            FROM lost, LATERAL (
                SELECT 'a', email UNION ALL SELECT 'l', local UNION ALL SELECT 'n', name
                UNION ALL SELECT 'l', replace(email, '@', '_') || '#ext#'
                UNION ALL SELECT 's', unnest(likes)
            ) AS sought (kind, value)
            WHERE value <> ''
        ), people AS MATERIALIZED (
            SELECT entra_id, lower(user_principal_name) AS upn, lower(mail) AS mail,
                proxy_addresses, display_name
            FROM entra_users
            WHERE account_id = $1 AND NOT gone AND hint_keys && (SELECT keys FROM wanted)
        ), addresses AS MATERIALIZED (
            SELECT entra_id, address, reason, rank, split_part(address, '@', 1) AS local
            FROM people, LATERAL (
                SELECT upn, 'principal-name', 1
                UNION ALL SELECT mail, 'mail', 2 WHERE mail <> ''
                UNION ALL SELECT a, 'alias', 3 FROM unnest(proxy_addresses) AS a
                    WHERE a <> upn AND a IS DISTINCT FROM mail
            ) AS has (address, reason, rank)
        ), found AS (
            SELECT l.user_id, a.entra_id, a.rank, a.reason
            FROM lost l JOIN addresses a ON a.address = l.email WHERE l.email <> ''
            UNION ALL
            SELECT l.user_id, a.entra_id, 4, 'guest'
            FROM lost l JOIN addresses a ON a.local = replace(l.email, '@', '_') || '#ext#'
            WHERE l.email <> '' AND a.reason = 'principal-name'
            UNION ALL
            SELECT l.user_id, p.entra_id, 5, 'name'
            FROM lost l JOIN (
                SELECT entra_id, name_key(display_name) AS name FROM people
            ) AS p ON p.name = l.name WHERE l.name <> ''
            UNION ALL
            SELECT l.user_id, a.entra_id, 6, 'local-part'
            FROM lost l JOIN addresses a ON a.local = l.local
            WHERE l.local <> '' AND a.address <> l.email
            UNION ALL
            SELECT l.user_id, a.entra_id, 7, 'like-name'
            FROM (SELECT user_id, unnest(likes) AS short FROM lost) AS l
            JOIN (SELECT entra_id, translate(local, '.-_', '') AS short FROM addresses) AS a
                ON a.short = l.short
        ), nearest AS (
            SELECT user_id, entra_id, min(rank) AS rank,
                array_agg(DISTINCT reason) AS reasons,
                row_number() OVER (PARTITION BY user_id
                    ORDER BY min(rank), count(DISTINCT reason) DESC, entra_id) AS place
            FROM found GROUP BY user_id, entra_id
        ), kept AS (
            INSERT INTO match_hints (account_id, user_id, entra_id, rank, reasons)
            SELECT $1, user_id, entra_id, rank, reasons FROM nearest WHERE place <= 5
            ON CONFLICT (account_id, user_id, entra_id) DO UPDATE
                SET rank = excluded.rank, reasons = excluded.reasons
        )
        UPDATE cloudlink_users c SET hinted_for = c.name || E'\n' || c.email
        FROM lost l WHERE c.account_id = $1 AND c.user_id = l.user_id
            AND c.hinted_for IS DISTINCT FROM c.name || E'\n' || c.email
        "#,
        account as AccountId,
        users as Option<&[CloudlinkUserId]>,
    )
    .execute(tx)
    .await?;
    Ok(())
}
