//! The list of an account's users, a page at a time.
//!
//! A page begins after the last row of the one before it, never at a number: so the hundredth
//! page costs what the first does.

use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, PgPool};

use crate::ids::{AccountId, CloudlinkUserId, EntraUserId};

/// Which users to list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Filter {
    #[default]
    All,
    /// Teams holds a session of ours.
    Held,
    Unmatched,
    Failing,
    Excluded,
}

impl Filter {
    pub const ALL: [Self; 5] =
        [Self::All, Self::Held, Self::Unmatched, Self::Failing, Self::Excluded];

    /// As URLs write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Held => "shown",
            Self::Unmatched => "unmatched",
            Self::Failing => "failing",
            Self::Excluded => "excluded",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::All => "All users",
            Self::Held => "Shown in Teams",
            Self::Unmatched => "Unmatched",
            Self::Failing => "Failing",
            Self::Excluded => "Excluded",
        }
    }

    /// What a URL says; anything else means all.
    pub fn from_url(text: &str) -> Self {
        Self::ALL.into_iter().find(|filter| filter.as_str() == text).unwrap_or_default()
    }
}

/// A user, as the list shows them.
#[derive(Clone, Debug)]
pub struct Listed {
    pub user: CloudlinkUserId,
    pub name: String,
    pub email: String,
    pub entra: Option<EntraUserId>,
    pub match_trouble: Option<String>,
    pub excluded: bool,
    /// The state of the telephone, as CloudLink spells it; none before the first event.
    pub state: Option<String>,
    pub entered_at: Option<DateTime<Utc>>,
    pub wanted: Option<String>,
    pub applied: Option<String>,
    pub applied_at: Option<DateTime<Utc>>,
    pub expires_at: Option<DateTime<Utc>>,
    pub trouble: Option<String>,
    pub asked_at: Option<DateTime<Utc>>,
}

/// Where a page begins: after this row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct After {
    /// The name in the form by which the database sorts.
    pub name: String,
    pub user: CloudlinkUserId,
}

/// What to look for.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    pub account: AccountId,
    pub filter: Filter,
    /// A part of a name or an address, without case; empty finds everybody.
    pub search: &'a str,
    pub after: Option<After>,
    pub limit: i64,
}

/// One page, and where the next one begins.
pub async fn page(db: &PgPool, wanted: Wanted<'_>) -> sqlx::Result<(Vec<Listed>, Option<After>)> {
    let limit = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
    let account = wanted.account;
    let mut found = found(db, wanted).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let ids: Vec<_> = found.iter().map(|key| key.user.as_str().to_owned()).collect();
    let last = found.pop();
    Ok((details(db, account, &ids).await?, last.filter(|_| more)))
}

/// The keys of a page, and one more to know whether another follows. One statement for each
/// filter, so that each has its own index; `OFFSET 0` keeps the planner from reading a whole
/// account for the few users that a presence names.
async fn found(db: impl PgExecutor<'_>, wanted: Wanted<'_>) -> sqlx::Result<Vec<After>> {
    let Wanted { account, filter, search, after, limit } = wanted;
    let search = search.trim().to_lowercase();
    let (name, user) =
        after.map_or((String::new(), String::new()), |after| (after.name, after.user.into()));
    macro_rules! keys {
        ($statement:literal) => {
            sqlx::query_as!(After, $statement, account as AccountId, search, name, user, limit + 1,)
                .fetch_all(db)
                .await
        };
    }
    match filter {
        Filter::All => keys!(
            r#"
            SELECT lower(u.name) AS "name!", u.user_id AS "user: CloudlinkUserId"
            FROM cloudlink_users u
            WHERE u.account_id = $1
                AND ($2 = '' OR position($2 IN u.searched) > 0)
                AND (lower(u.name), u.user_id) > ($3, $4)
            ORDER BY lower(u.name), u.user_id
            LIMIT $5
            "#
        ),
        Filter::Unmatched => keys!(
            r#"
            SELECT lower(u.name) AS "name!", u.user_id AS "user: CloudlinkUserId"
            FROM cloudlink_users u
            WHERE u.account_id = $1 AND u.entra_id IS NULL AND NOT u.excluded
                AND ($2 = '' OR position($2 IN u.searched) > 0)
                AND (lower(u.name), u.user_id) > ($3, $4)
            ORDER BY lower(u.name), u.user_id
            LIMIT $5
            "#
        ),
        Filter::Excluded => keys!(
            r#"
            SELECT lower(u.name) AS "name!", u.user_id AS "user: CloudlinkUserId"
            FROM cloudlink_users u
            WHERE u.account_id = $1 AND u.excluded
                AND ($2 = '' OR position($2 IN u.searched) > 0)
                AND (lower(u.name), u.user_id) > ($3, $4)
            ORDER BY lower(u.name), u.user_id
            LIMIT $5
            "#
        ),
        Filter::Failing => keys!(
            r#"
            WITH those AS MATERIALIZED (
                SELECT user_id FROM presences WHERE account_id = $1 AND trouble IS NOT NULL
            )
            SELECT lower(u.name) AS "name!", u.user_id AS "user: CloudlinkUserId"
            FROM those CROSS JOIN LATERAL (
                SELECT name, user_id, searched FROM cloudlink_users c
                WHERE c.account_id = $1 AND c.user_id = those.user_id OFFSET 0
            ) u
            WHERE ($2 = '' OR position($2 IN u.searched) > 0)
                AND (lower(u.name), u.user_id) > ($3, $4)
            ORDER BY lower(u.name), u.user_id
            LIMIT $5
            "#
        ),
        Filter::Held => keys!(
            r#"
            WITH those AS MATERIALIZED (
                SELECT user_id FROM presences WHERE account_id = $1 AND applied IS NOT NULL
            )
            SELECT lower(u.name) AS "name!", u.user_id AS "user: CloudlinkUserId"
            FROM those CROSS JOIN LATERAL (
                SELECT name, user_id, searched FROM cloudlink_users c
                WHERE c.account_id = $1 AND c.user_id = those.user_id OFFSET 0
            ) u
            WHERE ($2 = '' OR position($2 IN u.searched) > 0)
                AND (lower(u.name), u.user_id) > ($3, $4)
            ORDER BY lower(u.name), u.user_id
            LIMIT $5
            "#
        ),
    }
}

async fn details(
    db: impl PgExecutor<'_>,
    account: AccountId,
    users: &[String],
) -> sqlx::Result<Vec<Listed>> {
    sqlx::query_as!(
        Listed,
        r#"
        SELECT u.user_id AS "user: CloudlinkUserId", u.name, u.email,
            u.entra_id AS "entra: EntraUserId", u.match_trouble, u.excluded,
            p.state AS "state?", p.entered_at AS "entered_at?", p.wanted, p.applied,
            p.applied_at, p.expires_at, p.trouble, p.asked_at
        FROM cloudlink_users u
        LEFT JOIN presences p ON p.account_id = u.account_id AND p.user_id = u.user_id
        WHERE u.account_id = $1 AND u.user_id = ANY ($2)
        ORDER BY lower(u.name), u.user_id
        "#,
        account as AccountId,
        users,
    )
    .fetch_all(db)
    .await
}
