//! The list of an account's users, a page at a time.
//!
//! A page begins after the last row of the one before it, never at a number: so the hundredth
//! page costs what the first does.

use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, PgPool};

use crate::ids::{AccountId, CloudlinkUserId, EntraUserId};
use crate::kit::text;

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
    /// They have a pause or working hours of their own.
    Paused,
}

impl Filter {
    pub const ALL: [Self; 6] =
        [Self::All, Self::Held, Self::Unmatched, Self::Failing, Self::Excluded, Self::Paused];

    /// As URLs write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Held => "shown",
            Self::Unmatched => "unmatched",
            Self::Failing => "failing",
            Self::Excluded => "excluded",
            Self::Paused => "paused",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::All => "All users",
            Self::Held => "Shown in Teams",
            Self::Unmatched => "Unmatched",
            Self::Failing => "Failing",
            Self::Excluded => "Excluded",
            Self::Paused => "Own pause",
        }
    }

    /// What a URL says; anything else means all.
    pub fn from_url(text: &str) -> Self {
        Self::ALL.into_iter().find(|filter| filter.as_str() == text).unwrap_or_default()
    }
}

/// In which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    Name,
    NameBackwards,
    Email,
}

impl Sort {
    pub const ALL: [Self; 3] = [Self::Name, Self::NameBackwards, Self::Email];

    /// As URLs write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::NameBackwards => "-name",
            Self::Email => "email",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Name => "Name, A to Z",
            Self::NameBackwards => "Name, Z to A",
            Self::Email => "E-mail",
        }
    }

    /// What a URL says; anything else means by name.
    pub fn from_url(text: &str) -> Self {
        Self::ALL.into_iter().find(|sort| sort.as_str() == text).unwrap_or_default()
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
    /// The name (or address) in the form by which the database sorts.
    pub name: String,
    pub user: CloudlinkUserId,
}

/// Where most lists are about half over. A search that finds few reads a list to its end, so it
/// reads both halves at once; that they differ in size costs time and nothing else.
pub const MIDDLE: &str = "k";

/// The part of a list to read, in its order: up to a name and a user, or after them.
#[derive(Clone, Copy, Debug)]
enum Part<'a> {
    Beginning,
    Until(&'a str, &'a str),
    After(&'a str, &'a str),
}

/// What to look for.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    pub account: AccountId,
    pub filter: Filter,
    /// A part of a name or an address, without case; empty finds everybody.
    pub search: &'a str,
    pub sort: Sort,
    pub after: Option<After>,
    pub limit: i64,
}

/// One page, and where the next one begins.
pub async fn page(db: &PgPool, wanted: Wanted<'_>) -> sqlx::Result<(Vec<Listed>, Option<After>)> {
    let limit = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
    let account = wanted.account;
    let mut found = match &wanted.after {
        Some(After { name, user }) => found(db, &wanted, Part::After(name, user.as_str())).await?,
        None if wanted.search.trim().is_empty() => found(db, &wanted, Part::Beginning).await?,
        None => {
            let (mut found, rest) = tokio::try_join!(
                found(db, &wanted, Part::Until(MIDDLE, "")),
                found(db, &wanted, Part::After(MIDDLE, "")),
            )?;
            found.extend(rest);
            found
        }
    };
    let more = found.len() > limit;
    found.truncate(limit);
    let ids: Vec<_> = found.iter().map(|key| key.user.as_str().to_owned()).collect();
    let last = found.pop();
    Ok((details(db, account, &ids).await?, last.filter(|_| more)))
}

/// The keys of a page, and one more to know whether another follows. One statement for each
/// filter and order, so that each has its own index; `OFFSET 0` keeps the planner from reading a
/// whole account for the few users that a presence names.
#[expect(clippy::too_many_lines, reason = "it is one statement for each filter")]
async fn found(db: &PgPool, wanted: &Wanted<'_>, part: Part<'_>) -> sqlx::Result<Vec<After>> {
    let &Wanted { account, filter, search, sort, limit, .. } = wanted;
    let search = text::sought(search);
    let (name, user) = match part {
        Part::Beginning => ("", ""),
        Part::Until(name, user) | Part::After(name, user) => (name, user),
    };
    macro_rules! keys {
        ($with:literal, $from:literal, $key:literal, $part:literal, $order:literal) => {
            sqlx::query_as!(
                After,
                $with
                    + "SELECT "
                    + $key
                    + r#" AS "name!", u.user_id AS "user: CloudlinkUserId" "#
                    + $from
                    + " AND strpos(u.searched, $2) > 0 AND "
                    + $part
                    + " ORDER BY "
                    + $order
                    + " LIMIT $5",
                account as AccountId,
                search,
                name,
                user,
                limit + 1,
            )
            .fetch_all(db)
            .await
        };
    }
    macro_rules! in_part {
        ($with:literal, $from:literal, $key:literal, $until:literal, $after:literal, $order:literal) => {
            match part {
                Part::Beginning => {
                    keys!($with, $from, $key, "$3::text || $4::text IS NOT NULL", $order)
                }
                Part::Until(..) => keys!($with, $from, $key, $until, $order),
                Part::After(..) => keys!($with, $from, $key, $after, $order),
            }
        };
    }
    macro_rules! in_order {
        ($with:literal, $from:literal) => {
            match sort {
                Sort::Name => in_part!(
                    $with,
                    $from,
                    "lower(u.name)",
                    "(lower(u.name), u.user_id) <= ($3, $4)",
                    "(lower(u.name), u.user_id) > ($3, $4)",
                    "lower(u.name), u.user_id"
                ),
                Sort::NameBackwards => in_part!(
                    $with,
                    $from,
                    "lower(u.name)",
                    "(lower(u.name), u.user_id) >= ($3, $4)",
                    "(lower(u.name), u.user_id) < ($3, $4)",
                    "lower(u.name) DESC, u.user_id DESC"
                ),
                Sort::Email => in_part!(
                    $with,
                    $from,
                    "lower(u.email)",
                    "(lower(u.email), u.user_id) <= ($3, $4)",
                    "(lower(u.email), u.user_id) > ($3, $4)",
                    "lower(u.email), u.user_id"
                ),
            }
        };
    }
    match filter {
        Filter::All => in_order!("", "FROM cloudlink_users u WHERE u.account_id = $1"),
        Filter::Unmatched => in_order!(
            "",
            "FROM cloudlink_users u
            WHERE u.account_id = $1 AND u.entra_id IS NULL AND NOT u.excluded"
        ),
        Filter::Excluded => {
            in_order!("", "FROM cloudlink_users u WHERE u.account_id = $1 AND u.excluded")
        }
        Filter::Failing => in_order!(
            "WITH those AS MATERIALIZED (
                SELECT user_id FROM presences WHERE account_id = $1 AND trouble IS NOT NULL
            ) ",
            "FROM those CROSS JOIN LATERAL (
                SELECT name, email, user_id, searched FROM cloudlink_users c
                WHERE c.account_id = $1 AND c.user_id = those.user_id OFFSET 0
            ) u WHERE true"
        ),
        // Where many are held the list is walked until a page is full.
        Filter::Held if many_held(db, account).await? => in_order!(
            "",
            "FROM cloudlink_users u WHERE u.account_id = $1 AND (
                SELECT true FROM presences p
                WHERE p.account_id = $1 AND p.user_id = u.user_id AND p.applied IS NOT NULL LIMIT 1)"
        ),
        Filter::Held => in_order!(
            "WITH those AS MATERIALIZED (
                SELECT user_id FROM presences WHERE account_id = $1 AND applied IS NOT NULL
            ) ",
            "FROM those CROSS JOIN LATERAL (
                SELECT name, email, user_id, searched FROM cloudlink_users c
                WHERE c.account_id = $1 AND c.user_id = those.user_id OFFSET 0
            ) u WHERE true"
        ),
        Filter::Paused => in_order!(
            "",
            "FROM presence_pauses z JOIN cloudlink_users u
                ON u.account_id = z.account_id AND u.user_id = z.user_id
            WHERE z.account_id = $1"
        ),
    }
}

/// More sessions are held than are looked up one by one in good time.
async fn many_held(db: &PgPool, account: AccountId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"
        SELECT count(*) = 500 AS "many!" FROM (
            SELECT FROM presences WHERE account_id = $1 AND applied IS NOT NULL LIMIT 500) AS few
        "#,
        account as AccountId,
    )
    .fetch_one(db)
    .await
}

/// What some users are called, by their ids.
pub async fn names(
    db: impl PgExecutor<'_>,
    account: AccountId,
    users: &[String],
) -> sqlx::Result<Vec<(CloudlinkUserId, String)>> {
    let rows = sqlx::query!(
        r#"
        SELECT user_id AS "user: CloudlinkUserId", name FROM cloudlink_users
        WHERE account_id = $1 AND user_id = ANY ($2)
        "#,
        account as AccountId,
        users,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.user, row.name)).collect())
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
        ORDER BY array_position($2, u.user_id)
        "#,
        account as AccountId,
        users,
    )
    .fetch_all(db)
    .await
}
