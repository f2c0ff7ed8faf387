//! Somebody in Entra, to choose from when a user is matched by hand.
//!
//! An account has fifty thousand of them, and most are matched with somebody: whoever is offered is
//! found by an index, or among the few that are walked through.

use sqlx::{PgExecutor, PgPool};

use super::people::MIDDLE;
use super::why::Person;
use crate::ids::{AccountId, CloudlinkUserId, EntraUserId};
use crate::kit::text;

/// So many are walked through, by name, for those with whom nobody is matched.
const WALKED: i64 = 500;

/// Somebody in Entra, to choose from.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub id: EntraUserId,
    pub name: String,
    pub address: String,
    pub enabled: bool,
    /// The CloudLink user they are matched with already.
    pub taken_by: Option<String>,
}

/// The first Entra users by name whose name or address holds `search`. An index has all that this
/// looks into, and both halves of it are read at once.
pub async fn named(
    db: &PgPool,
    account: AccountId,
    search: &str,
    only_enabled: bool,
    limit: i64,
) -> sqlx::Result<Vec<EntraUserId>> {
    macro_rules! half {
        ($which:literal) => {
            sqlx::query_scalar!(
                r#"SELECT entra_id AS "id: EntraUserId" FROM entra_users
                WHERE account_id = $1 AND NOT gone AND (enabled OR NOT $4)
                    AND strpos(searched, $2) > 0 AND lower(display_name) "#
                    + $which
                    + " $3 ORDER BY lower(display_name), entra_id LIMIT $5",
                account as AccountId,
                text::sought(search),
                MIDDLE,
                only_enabled,
                limit,
            )
            .fetch_all(db)
        };
    }
    let (mut found, rest) = tokio::try_join!(half!("<"), half!(">="))?;
    found.extend(rest);
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(found)
}

/// Entra users whose name or address holds `search`, or who have it as an alias: the first few by
/// name.
pub async fn found(
    db: &PgPool,
    account: AccountId,
    user: &CloudlinkUserId,
    search: &str,
    limit: i64,
) -> sqlx::Result<Vec<Candidate>> {
    let named = named(db, account, search, false, limit).await?;
    sqlx::query_as!(
        Candidate,
        r#"
        WITH by_alias AS MATERIALIZED (
            SELECT e.entra_id FROM entra_users e
            WHERE position('@' IN $2) > 0 AND e.account_id = $1 AND NOT e.gone
                AND e.hint_keys && ARRAY[hint_key($1, 'a', $2)] AND $2 = ANY (e.proxy_addresses)
            UNION ALL
            SELECT e.entra_id FROM entra_users e
            WHERE position('@' IN $2) > 0 AND e.account_id = $1 AND NOT e.gone
                AND e.hint_keys IS NULL AND $2 = ANY (e.proxy_addresses)
            LIMIT $3
        )
        SELECT e.entra_id AS "id: EntraUserId", e.display_name AS name,
            e.user_principal_name AS address, e.enabled,
            (SELECT u.name FROM cloudlink_users u
                WHERE u.account_id = $1 AND u.entra_id = e.entra_id AND u.user_id <> $4
                    AND NOT u.excluded LIMIT 1) AS taken_by
        FROM (SELECT unnest($5::uuid[]) AS entra_id UNION TABLE by_alias) AS those
        JOIN entra_users e ON e.account_id = $1 AND e.entra_id = those.entra_id
        ORDER BY lower(e.display_name), e.entra_id
        LIMIT $3
        "#,
        account as AccountId,
        text::sought(search),
        limit,
        user as &CloudlinkUserId,
        &named as &[EntraUserId],
    )
    .fetch_all(db)
    .await
}

/// Before anything is searched for: whom they are matched with, then whom they are like, then those
/// with whom nobody is matched, near them in the alphabet and from its beginning.
pub async fn likely(
    db: impl PgExecutor<'_>,
    account: AccountId,
    person: &Person,
    limit: i64,
) -> sqlx::Result<Vec<Candidate>> {
    let name = text::sought(&person.name);
    let near: String = name.chars().take(3).collect();
    sqlx::query_as!(
        Candidate,
        r#"
        WITH likely AS (
            SELECT entra_id, 0 AS place FROM cloudlink_users
            WHERE account_id = $1 AND user_id = $2 AND entra_id IS NOT NULL
            UNION ALL
            SELECT entra_id, rank FROM match_hints WHERE account_id = $1 AND user_id = $2
            UNION ALL
            (SELECT entra_id, 8 FROM entra_users
            WHERE account_id = $1 AND NOT gone AND lower(display_name) = $3 LIMIT $5)
        ), walked AS MATERIALIZED (
            (SELECT entra_id FROM entra_users
            WHERE account_id = $1 AND NOT gone AND lower(display_name) >= $4
            ORDER BY lower(display_name), entra_id LIMIT $6)
            UNION
            (SELECT entra_id FROM entra_users WHERE account_id = $1 AND NOT gone
            ORDER BY lower(display_name), entra_id LIMIT $6)
        ), free AS (
            SELECT entra_id, 9 FROM walked w WHERE NOT EXISTS (
                SELECT FROM cloudlink_users u
                WHERE u.account_id = $1 AND u.entra_id = w.entra_id AND u.user_id <> $2)
        )
        SELECT e.entra_id AS "id: EntraUserId", e.display_name AS name,
            e.user_principal_name AS address, e.enabled,
            (SELECT u.name FROM cloudlink_users u
                WHERE u.account_id = $1 AND u.entra_id = e.entra_id AND u.user_id <> $2
                    AND NOT u.excluded LIMIT 1) AS taken_by
        FROM (
            SELECT entra_id, min(place) AS place
            FROM (TABLE likely UNION ALL TABLE free) AS either GROUP BY entra_id
        ) AS those
        JOIN entra_users e ON e.account_id = $1 AND e.entra_id = those.entra_id AND NOT e.gone
        ORDER BY those.place, lower(e.display_name) < $4, lower(e.display_name), e.entra_id
        LIMIT $5
        "#,
        account as AccountId,
        &person.user as &CloudlinkUserId,
        name,
        near,
        limit,
        WALKED,
    )
    .fetch_all(db)
    .await
}

pub async fn one(
    db: impl PgExecutor<'_>,
    account: AccountId,
    user: &CloudlinkUserId,
    id: EntraUserId,
) -> sqlx::Result<Option<Candidate>> {
    sqlx::query_as!(
        Candidate,
        r#"
        SELECT e.entra_id AS "id: EntraUserId", e.display_name AS name,
            e.user_principal_name AS address, e.enabled,
            (SELECT u.name FROM cloudlink_users u
                WHERE u.account_id = $1 AND u.entra_id = e.entra_id AND u.user_id <> $3
                    AND NOT u.excluded LIMIT 1) AS taken_by
        FROM entra_users e
        WHERE e.account_id = $1 AND e.entra_id = $2 AND NOT e.gone
        "#,
        account as AccountId,
        id as EntraUserId,
        user as &CloudlinkUserId,
    )
    .fetch_optional(db)
    .await
}
