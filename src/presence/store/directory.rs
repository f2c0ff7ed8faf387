//! The directory of Entra as last read, page by page and never whole in memory.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

use crate::ids::{AccountId, CloudlinkAccountId, EntraUserId, TenantId};
use crate::microsoft;

/// Where the last reading ended.
#[derive(Clone, Debug)]
pub struct Bookmark {
    pub cloudlink_id: CloudlinkAccountId,
    pub delta_link: Option<String>,
    pub delta_tenant: Option<TenantId>,
    pub refreshed_at: Option<DateTime<Utc>>,
    pub sync_asked_at: Option<DateTime<Utc>>,
    pub braked_at: Option<DateTime<Utc>>,
}

impl Bookmark {
    /// Whether somebody has pressed Sync now since.
    pub fn is_asked_for(&self) -> bool {
        self.sync_asked_at > self.refreshed_at
    }
}

pub async fn bookmark(
    db: impl PgExecutor<'_>,
    account: AccountId,
) -> sqlx::Result<Option<Bookmark>> {
    sqlx::query_as!(
        Bookmark,
        r#"
        SELECT a.cloudlink_account_id AS "cloudlink_id: CloudlinkAccountId",
            p.delta_link, p.delta_tenant AS "delta_tenant: TenantId",
            p.directory_refreshed_at AS refreshed_at, p.sync_asked_at, p.braked_at
        FROM presence_accounts p JOIN accounts a ON a.id = p.account_id
        WHERE p.account_id = $1
        "#,
        account as AccountId,
    )
    .fetch_optional(db)
    .await
}

/// The generation of a reading for which no worker is needed.
pub async fn generation(db: impl PgExecutor<'_>) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS "generation!""#
    )
    .fetch_one(db)
    .await
}

/// Begins a reading of Entra from the start: what it names has the generation that is returned,
/// or a later one.
pub async fn next_generation(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<i64> {
    let generation = sqlx::query_scalar!(
        r#"
        UPDATE presence_accounts SET
            -- by the clock, so that it rises even when the row was forgotten meanwhile
            generation = greatest(generation + 1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)
        WHERE account_id = $1
        RETURNING generation
        "#,
        account as AccountId,
    )
    .fetch_optional(db)
    .await?;
    Ok(generation.unwrap_or_default())
}

/// Forgets what an interrupted reading marked as gone.
pub async fn unmark(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE entra_users SET gone = false WHERE account_id = $1 AND gone",
        account as AccountId,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Writes one page of Microsoft's answer. What a user's entry does not say stays as it was.
pub async fn write_entra(
    tx: &mut PgConnection,
    account: AccountId,
    from_start: Option<i64>,
    page: &microsoft::UserChanges,
) -> sqlx::Result<()> {
    // The same user may come twice in a page; Postgres takes each only once.
    let mut users: HashMap<EntraUserId, microsoft::User> = HashMap::new();
    for user in &page.users {
        match users.entry(user.id) {
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(user.clone());
            }
            std::collections::hash_map::Entry::Occupied(mut entry) => {
                overlay(entry.get_mut(), user);
            }
        }
    }
    let users: Vec<_> = users.into_values().collect();
    let ids: Vec<_> = users.iter().map(|user| user.id).collect();
    let names: Vec<_> = users.iter().map(|user| user.user_principal_name.as_deref()).collect();
    let mails: Vec<_> = users.iter().map(|user| user.mail.as_deref()).collect();
    let addresses: Vec<_> =
        users.iter().map(|user| user.proxy_addresses.as_ref().map(|all| all.join("\n"))).collect();
    let shown: Vec<_> = users.iter().map(|user| user.display_name.as_deref()).collect();
    let enabled: Vec<_> = users.iter().map(|user| user.enabled).collect();
    let guests: Vec<_> = users.iter().map(|user| user.guest).collect();
    sqlx::query!(
        r#"
        WITH given AS (
            SELECT * FROM unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bool[], $9::bool[])
                AS g (entra_id, upn, mail, addresses, shown, enabled, guest)
        ), updated AS (
            UPDATE entra_users e SET
                user_principal_name = coalesce(g.upn, e.user_principal_name),
                mail = coalesce(g.mail, e.mail),
                proxy_addresses = coalesce(string_to_array(nullif(g.addresses, ''), E'\n'),
                    CASE WHEN g.addresses IS NULL THEN e.proxy_addresses ELSE '{}' END),
                display_name = coalesce(g.shown, e.display_name),
                enabled = coalesce(g.enabled, e.enabled), guest = coalesce(g.guest, e.guest),
                -- made anew when what they were made of is another
                hint_keys = CASE WHEN (coalesce(g.upn, e.user_principal_name),
                        coalesce(g.mail, e.mail), coalesce(g.shown, e.display_name))
                        IS DISTINCT FROM (e.user_principal_name, e.mail, e.display_name)
                        OR coalesce(g.addresses <> array_to_string(e.proxy_addresses, E'\n'), false)
                    THEN NULL ELSE e.hint_keys END,
                generation = greatest(e.generation, $2), gone = false
            FROM given g WHERE e.account_id = $1 AND e.entra_id = g.entra_id
            RETURNING e.entra_id
        )
        INSERT INTO entra_users (account_id, entra_id, user_principal_name, mail, proxy_addresses,
            display_name, enabled, guest, generation)
        SELECT $1, g.entra_id, coalesce(g.upn, ''), g.mail,
            coalesce(string_to_array(nullif(g.addresses, ''), E'\n'), '{}'),
            coalesce(g.shown, ''), coalesce(g.enabled, true), g.guest, $2
        FROM given g WHERE NOT EXISTS (SELECT 1 FROM updated u WHERE u.entra_id = g.entra_id)
        ON CONFLICT DO NOTHING
        "#,
        account as AccountId,
        from_start.unwrap_or(0),
        &ids as &[EntraUserId],
        &names as &[Option<&str>],
        &mails as &[Option<&str>],
        &addresses as &[Option<String>],
        &shown as &[Option<&str>],
        &enabled as &[Option<bool>],
        &guests as &[Option<bool>],
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "UPDATE entra_users SET gone = true WHERE account_id = $1 AND entra_id = ANY($2)",
        account as AccountId,
        &page.removed as &[EntraUserId],
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "UPDATE presence_accounts SET unmatched = true WHERE account_id = $1 AND NOT unmatched",
        account as AccountId,
    )
    .execute(tx)
    .await?;
    Ok(())
}

fn overlay(user: &mut microsoft::User, later: &microsoft::User) {
    let later = later.clone();
    user.user_principal_name = later.user_principal_name.or(user.user_principal_name.take());
    user.mail = later.mail.or(user.mail.take());
    user.proxy_addresses = later.proxy_addresses.or(user.proxy_addresses.take());
    user.display_name = later.display_name.or(user.display_name.take());
    user.enabled = later.enabled.or(user.enabled);
    user.guest = later.guest.or(user.guest);
}

/// How many of a directory are gone, of how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shrinkage {
    pub gone: i64,
    pub present: i64,
}

/// So few may go at any time.
const A_FEW: i64 = 10;

impl Shrinkage {
    /// So many are gone, beside so many who were named.
    pub fn of(gone: usize, named: usize) -> Self {
        let count = |people| i64::try_from(people).unwrap_or(i64::MAX);
        Self { gone: count(gone), present: count(gone.saturating_add(named)) }
    }

    /// Whether so many are gone that it is likelier a mistake.
    pub fn is_beyond_belief(self) -> bool {
        self.gone > A_FEW && self.gone * 2 > self.present
    }
}

/// Counts what a reading found gone: what it said so of and, from the start, what it did not name.
pub async fn entra_shrinkage(
    db: impl PgExecutor<'_>,
    account: AccountId,
    from_start: Option<i64>,
) -> sqlx::Result<Shrinkage> {
    sqlx::query_as!(
        Shrinkage,
        r#"
        SELECT count(*) FILTER (WHERE gone OR generation < $2) AS "gone!", count(*) AS "present!"
        FROM entra_users WHERE account_id = $1
        "#,
        account as AccountId,
        from_start.unwrap_or(0),
    )
    .fetch_one(db)
    .await
}

/// Believes a reading of Entra that brought news: lets go of who is gone.
pub async fn finish_entra(
    tx: &mut PgConnection,
    account: AccountId,
    from_start: Option<i64>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM entra_users WHERE account_id = $1 AND (gone OR generation < $2)",
        account as AccountId,
        from_start.unwrap_or(0),
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "UPDATE presence_accounts SET unmatched = true WHERE account_id = $1 AND NOT unmatched",
        account as AccountId,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Keeps where the next reading of Entra begins.
pub async fn note_entra(
    db: impl PgExecutor<'_>,
    account: AccountId,
    (tenant, delta_link): (TenantId, &str),
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        UPDATE presence_accounts SET delta_link = $2, delta_tenant = $3, directory_refreshed_at = $4
        WHERE account_id = $1
        "#,
        account as AccountId,
        delta_link,
        tenant as TenantId,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A directory had shrunk beyond belief: a Sync now after this moment says that it is right.
pub async fn note_brake(
    db: impl PgExecutor<'_>,
    account: AccountId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        UPDATE presence_accounts SET braked_at = $2,
            directory_refreshed_at = coalesce(directory_refreshed_at, $2),
            users_refreshed_at = coalesce(users_refreshed_at, $2)
        WHERE account_id = $1
        "#,
        account as AccountId,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Takes the brake off: what was read has been believed.
pub async fn release_brake(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE presence_accounts SET braked_at = NULL WHERE account_id = $1 AND braked_at IS NOT NULL",
        account as AccountId,
    )
    .execute(db)
    .await?;
    Ok(())
}
