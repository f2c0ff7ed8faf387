//! The list of accounts: searched, filtered, sorted, a page at a time.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::ids::{AccountId, CloudlinkAccountId, StaffId};

/// How an account is doing, as the view `account_health` says in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// A person has to act.
    Attention,
    /// Something is wrong that passes by itself.
    Waiting,
    Syncing,
    /// For some hours, or outside working hours.
    Paused,
    Off,
    Setup,
    None,
    Removing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such word")]
pub struct UnknownWord;

impl Health {
    pub const ALL: [Self; 8] = [
        Self::Attention,
        Self::Waiting,
        Self::Syncing,
        Self::Paused,
        Self::Off,
        Self::Setup,
        Self::None,
        Self::Removing,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Attention => "attention",
            Self::Waiting => "waiting",
            Self::Syncing => "syncing",
            Self::Paused => "paused",
            Self::Off => "off",
            Self::Setup => "setup",
            Self::None => "none",
            Self::Removing => "removing",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Attention => "Needs attention",
            Self::Waiting => "Waiting for it to pass",
            Self::Syncing => "Syncing",
            Self::Paused => "Paused",
            Self::Off => "Switched off",
            Self::Setup => "Setup not complete",
            Self::None => "No integration",
            Self::Removing => "Removing",
        }
    }

    /// The kind of its icon and colour.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Attention => "danger",
            Self::Waiting | Self::Setup => "warn",
            Self::Syncing => "ok",
            Self::Paused | Self::Off | Self::None => "neutral",
            Self::Removing => "working",
        }
    }
}

impl FromStr for Health {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|health| health.as_str() == text).ok_or(UnknownWord)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    Name,
    NameBackwards,
    Newest,
    Oldest,
}

impl Sort {
    pub const ALL: [Self; 4] = [Self::Name, Self::NameBackwards, Self::Newest, Self::Oldest];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::NameBackwards => "-name",
            Self::Newest => "newest",
            Self::Oldest => "oldest",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Name => "Name, A to Z",
            Self::NameBackwards => "Name, Z to A",
            Self::Newest => "Newest first",
            Self::Oldest => "Oldest first",
        }
    }
}

impl FromStr for Sort {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == text).ok_or(UnknownWord)
    }
}

/// Which accounts are wanted. What is empty does not matter.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only those that these staff look after; `None`: all.
    pub scope: Option<StaffId>,
    /// Folded text, found in the name, the CloudLink id or the city.
    pub text: String,
    pub active: Option<bool>,
    pub health: Option<Health>,
}

/// An account as the list shows it.
#[derive(Clone, Debug)]
pub struct Listed {
    pub id: AccountId,
    pub name: String,
    pub cloudlink_id: CloudlinkAccountId,
    pub city: String,
    pub country: String,
    pub deactivated_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    health: String,
    /// What is wrong, by its key.
    pub cause: Option<String>,
}

impl Listed {
    pub fn health(&self) -> Health {
        self.health.parse().unwrap_or(Health::None)
    }
}

/// How many accounts fit the search, and how many of them are active.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub all: i64,
    pub active: i64,
}

/// Each order is a statement of its own, so that each can walk its index and stop early.
macro_rules! page_in_order {
    ($db:expr, $wanted:expr, $most:expr, $skip:expr, $order:literal) => {
        sqlx::query_as!(
            Listed,
            r#"
            WITH page AS (
                SELECT * FROM accounts a
                WHERE ($1::uuid IS NULL OR EXISTS (
                        SELECT FROM staff_accounts s WHERE s.account_id = a.id AND s.staff_id = $1))
                    AND ($2 = '' OR strpos(lower(a.name), $2) > 0 OR strpos(lower(a.city), $2) > 0
                        OR strpos(lower(a.cloudlink_account_id), $2) > 0)
                    AND ($3::boolean IS NULL OR (a.deactivated_at IS NULL) = $3)
                    AND ($4::text IS NULL OR a.id IN (
                        SELECT account_id FROM account_health WHERE health = $4))
                ORDER BY "#
                + $order
                + r#" LIMIT $5 OFFSET $6
            )
            SELECT a.id AS "id: AccountId", a.name,
                a.cloudlink_account_id AS "cloudlink_id: CloudlinkAccountId",
                a.city, a.country, a.deactivated_at, a.created_at, h.health AS "health!",
                h.cause AS "cause?"
            FROM page a
            JOIN account_health h ON h.account_id = a.id
            ORDER BY "#
                + $order,
            $wanted.scope as Option<StaffId>,
            $wanted.text,
            $wanted.active,
            $wanted.health.map(Health::as_str),
            $most,
            $skip,
        )
        .fetch_all($db)
        .await
    };
}

/// At most `most` accounts, after the first `skip`.
pub async fn page(
    db: impl PgExecutor<'_>,
    wanted: &Wanted,
    sort: Sort,
    most: i64,
    skip: i64,
) -> sqlx::Result<Vec<Listed>> {
    match sort {
        Sort::Name => page_in_order!(db, wanted, most, skip, "lower(a.name), a.id"),
        Sort::NameBackwards => {
            page_in_order!(db, wanted, most, skip, "lower(a.name) DESC, a.id DESC")
        }
        Sort::Newest => page_in_order!(db, wanted, most, skip, "a.created_at DESC, a.id DESC"),
        Sort::Oldest => page_in_order!(db, wanted, most, skip, "a.created_at, a.id"),
    }
}

/// How many there are, whether active or not.
pub async fn count(db: impl PgExecutor<'_>, wanted: &Wanted) -> sqlx::Result<Counts> {
    sqlx::query_as!(
        Counts,
        r#"
        SELECT count(*) AS "all!", count(*) FILTER (WHERE a.deactivated_at IS NULL) AS "active!"
        FROM accounts a
        WHERE ($1::uuid IS NULL OR EXISTS (
                SELECT FROM staff_accounts s WHERE s.account_id = a.id AND s.staff_id = $1))
            AND ($2 = '' OR strpos(lower(a.name), $2) > 0 OR strpos(lower(a.city), $2) > 0
                OR strpos(lower(a.cloudlink_account_id), $2) > 0)
            AND ($3::text IS NULL OR a.id IN (
                SELECT account_id FROM account_health WHERE health = $3))
        "#,
        wanted.scope as Option<StaffId>,
        wanted.text,
        wanted.health.map(Health::as_str),
    )
    .fetch_one(db)
    .await
}
