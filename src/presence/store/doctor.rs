//! Users without a match, whom in Entra they are like, and who is matched by hand.

use sqlx::{PgExecutor, PgPool};

use super::hints;
use super::people::After;
use crate::ids::{AccountId, CloudlinkUserId, EntraUserId};

/// Whom to list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Show {
    #[default]
    Lost,
    NotInEntra,
    Duplicate,
    Disabled,
    NoTeams,
    ByHand,
}

impl Show {
    pub const ALL: [Self; 6] = [
        Self::Lost,
        Self::NotInEntra,
        Self::Duplicate,
        Self::Disabled,
        Self::NoTeams,
        Self::ByHand,
    ];

    /// As URLs write it, and as the database names the trouble.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::NotInEntra => "not-in-entra",
            Self::Duplicate => "duplicate",
            Self::Disabled => "disabled",
            Self::NoTeams => "no-teams",
            Self::ByHand => "by-hand",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Lost => "Everybody without a match",
            Self::NotInEntra => "Not in Entra",
            Self::Duplicate => "Duplicates",
            Self::Disabled => "Disabled in Entra",
            Self::NoTeams => "Without Teams",
            Self::ByHand => "Matched by hand",
        }
    }

    /// What a URL says; anything else means everybody without a match.
    pub fn from_url(text: &str) -> Self {
        Self::ALL.into_iter().find(|show| show.as_str() == text).unwrap_or_default()
    }

    fn trouble(self) -> Option<&'static str> {
        match self {
            Self::Lost | Self::ByHand => None,
            trouble => Some(trouble.as_str()),
        }
    }
}

/// How many there are of each.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub lost: i64,
    pub not_in_entra: i64,
    pub duplicate: i64,
    pub disabled: i64,
    pub no_teams: i64,
    pub by_hand: i64,
    /// Somebody has been read from CloudLink at all.
    pub any: bool,
}

impl Counts {
    pub fn of(&self, show: Show) -> i64 {
        match show {
            Show::Lost => self.lost,
            Show::NotInEntra => self.not_in_entra,
            Show::Duplicate => self.duplicate,
            Show::Disabled => self.disabled,
            Show::NoTeams => self.no_teams,
            Show::ByHand => self.by_hand,
        }
    }
}

pub async fn counts(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<Counts> {
    sqlx::query_as!(
        Counts,
        r#"
        SELECT count(*) AS "lost!",
            count(*) FILTER (WHERE match_trouble = 'not-in-entra') AS "not_in_entra!",
            count(*) FILTER (WHERE match_trouble = 'duplicate') AS "duplicate!",
            count(*) FILTER (WHERE match_trouble = 'disabled') AS "disabled!",
            count(*) FILTER (WHERE match_trouble = 'no-teams') AS "no_teams!",
            (SELECT count(*) FROM cloudlink_users
                WHERE account_id = $1 AND matched_by_hand) AS "by_hand!",
            EXISTS (SELECT FROM cloudlink_users WHERE account_id = $1) AS "any!"
        FROM cloudlink_users
        WHERE account_id = $1 AND entra_id IS NULL AND NOT excluded
        "#,
        account as AccountId,
    )
    .fetch_one(db)
    .await
}

/// A CloudLink user on the list.
#[derive(Clone, Debug)]
pub struct Listed {
    pub user: CloudlinkUserId,
    pub name: String,
    pub email: String,
    pub trouble: Option<String>,
    pub by_hand: bool,
    /// Whom they are matched with, when by hand.
    pub entra_name: Option<String>,
    pub entra_address: Option<String>,
    /// Somebody has looked whom they are like, under this name and address.
    pub hinted: bool,
    /// The name in the form by which the database sorts.
    pub sorted: String,
}

/// What to look for.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    pub account: AccountId,
    pub show: Show,
    /// What [`anywhere`](crate::kit::text::anywhere) makes of a part of a name or an address.
    pub search: &'a str,
    pub after: Option<After>,
    pub limit: i64,
}

/// One page, and where the next one begins.
pub async fn page(db: &PgPool, wanted: Wanted<'_>) -> sqlx::Result<(Vec<Listed>, Option<After>)> {
    let Wanted { account, show, search, after, limit } = wanted;
    let (name, user) =
        after.map_or((String::new(), String::new()), |after| (after.name, after.user.into()));
    let mut listed = if show == Show::ByHand {
        sqlx::query_as!(
            Listed,
            r#"
            SELECT u.user_id AS "user: CloudlinkUserId", u.name, u.email, u.match_trouble AS trouble,
                true AS "by_hand!", e.display_name AS "entra_name?",
                e.user_principal_name AS "entra_address?", true AS "hinted!",
                lower(u.name) AS "sorted!"
            FROM cloudlink_users u
            LEFT JOIN entra_users e ON e.account_id = u.account_id AND e.entra_id = u.entra_id
            WHERE u.account_id = $1 AND u.matched_by_hand
                AND ($2 = '' OR u.searched LIKE $2)
                AND (lower(u.name), u.user_id) > ($3, $4)
            ORDER BY lower(u.name), u.user_id
            LIMIT $5
            "#,
            account as AccountId,
            search,
            name,
            user,
            limit + 1,
        )
        .fetch_all(db)
        .await?
    } else {
        sqlx::query_as!(
            Listed,
            r#"
            SELECT u.user_id AS "user: CloudlinkUserId", u.name, u.email, u.match_trouble AS trouble,
                u.matched_by_hand AS by_hand, NULL AS entra_name, NULL AS entra_address,
                u.hinted_for IS NOT DISTINCT FROM u.name || E'\n' || u.email AS "hinted!",
                lower(u.name) AS "sorted!"
            FROM cloudlink_users u
            WHERE u.account_id = $1 AND u.entra_id IS NULL AND NOT u.excluded
                AND ($6::text IS NULL OR u.match_trouble = $6)
                AND ($2 = '' OR u.searched LIKE $2)
                AND (lower(u.name), u.user_id) > ($3, $4)
            ORDER BY lower(u.name), u.user_id
            LIMIT $5
            "#,
            account as AccountId,
            search,
            name,
            user,
            limit + 1,
            show.trouble(),
        )
        .fetch_all(db)
        .await?
    };
    let more = listed.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    listed.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let last = listed.last().filter(|_| more);
    let after = last.map(|last| After { name: last.sorted.clone(), user: last.user.clone() });
    Ok((listed, after))
}

/// Somebody in Entra whom a CloudLink user is like.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub user: CloudlinkUserId,
    pub entra: EntraUserId,
    pub name: String,
    pub address: String,
    pub enabled: bool,
    pub guest: bool,
    pub rank: i16,
    pub reasons: Vec<String>,
    /// The CloudLink user they are matched with already.
    pub taken_by: Option<String>,
}

/// Whom these users are like, the nearest first. Of whom nobody has looked yet is looked now.
pub async fn candidates(
    db: &PgPool,
    account: AccountId,
    listed: &[Listed],
) -> sqlx::Result<Vec<Candidate>> {
    let new: Vec<_> = listed.iter().filter(|one| !one.hinted).map(|one| one.user.clone()).collect();
    if !new.is_empty() {
        let mut tx = db.begin().await?;
        hints::of_users(&mut tx, account, &new).await?;
        tx.commit().await?;
    }
    let users: Vec<_> = listed.iter().map(|one| one.user.clone()).collect();
    sqlx::query_as!(
        Candidate,
        r#"
        SELECT h.user_id AS "user: CloudlinkUserId", h.entra_id AS "entra: EntraUserId",
            e.display_name AS name, e.user_principal_name AS address, e.enabled,
            coalesce(e.guest, position('#ext#' IN lower(e.user_principal_name)) > 0) AS "guest!",
            h.rank, h.reasons,
            (SELECT u.name FROM cloudlink_users u
                WHERE u.account_id = $1 AND u.entra_id = h.entra_id AND NOT u.excluded
                LIMIT 1) AS taken_by
        FROM match_hints h
        JOIN entra_users e ON e.account_id = h.account_id AND e.entra_id = h.entra_id
        WHERE h.account_id = $1 AND h.user_id = ANY($2) AND NOT e.gone
        ORDER BY h.user_id, h.rank, cardinality(h.reasons) DESC, h.entra_id
        "#,
        account as AccountId,
        &users as &[CloudlinkUserId],
    )
    .fetch_all(db)
    .await
}

/// A CloudLink user who leads to an Entra user, too.
#[derive(Clone, Debug)]
pub struct Claimant {
    pub entra: EntraUserId,
    pub user: CloudlinkUserId,
    pub name: String,
    pub email: String,
    pub by_hand: bool,
}

/// Everybody whose address, or a person's word, leads to one of these Entra users.
pub async fn claimants(
    db: impl PgExecutor<'_>,
    account: AccountId,
    entra: &[EntraUserId],
) -> sqlx::Result<Vec<Claimant>> {
    sqlx::query_as!(
        Claimant,
        r#"
        SELECT entra_id AS "entra!: EntraUserId", user_id AS "user!: CloudlinkUserId",
            name AS "name!", email AS "email!", matched_by_hand AS "by_hand!"
        FROM (
            SELECT h.entra_id, u.user_id, u.name, u.email, u.matched_by_hand
            FROM match_hints h
            JOIN cloudlink_users u ON u.account_id = h.account_id AND u.user_id = h.user_id
            WHERE h.account_id = $1 AND h.entra_id = ANY($2) AND h.rank <= 3
                AND u.entra_id IS NULL AND NOT u.excluded
            UNION
            SELECT u.entra_id, u.user_id, u.name, u.email, u.matched_by_hand
            FROM cloudlink_users u
            WHERE u.account_id = $1 AND u.entra_id = ANY($2) AND NOT u.excluded
        ) AS claims
        ORDER BY entra_id, name, user_id
        "#,
        account as AccountId,
        entra as &[EntraUserId],
    )
    .fetch_all(db)
    .await
}

/// A pair somebody wants matched, with what is known of both.
#[derive(Clone, Debug)]
pub struct Pair {
    pub user: CloudlinkUserId,
    pub entra: EntraUserId,
    /// None: there is no such CloudLink user.
    pub name: Option<String>,
    pub was: Option<EntraUserId>,
    pub was_address: Option<String>,
    /// None: there is no such Entra user.
    pub address: Option<String>,
    pub enabled: Option<bool>,
    pub taken_by: Option<CloudlinkUserId>,
    pub taken_by_name: Option<String>,
}

pub async fn pairs(
    db: impl PgExecutor<'_>,
    account: AccountId,
    wanted: &[(CloudlinkUserId, EntraUserId)],
) -> sqlx::Result<Vec<Pair>> {
    let (users, entra): (Vec<_>, Vec<_>) = wanted.iter().cloned().unzip();
    sqlx::query_as!(
        Pair,
        r#"
        SELECT g.user_id AS "user!: CloudlinkUserId", g.entra_id AS "entra!: EntraUserId",
            u.name AS "name?", u.entra_id AS "was?: EntraUserId",
            w.user_principal_name AS "was_address?", e.user_principal_name AS "address?",
            e.enabled AS "enabled?", t.user_id AS "taken_by?: CloudlinkUserId",
            t.name AS "taken_by_name?"
        FROM unnest($2::text[], $3::uuid[]) AS g (user_id, entra_id)
        LEFT JOIN cloudlink_users u ON u.account_id = $1 AND u.user_id = g.user_id
        LEFT JOIN entra_users w ON w.account_id = $1 AND w.entra_id = u.entra_id
        LEFT JOIN entra_users e ON e.account_id = $1 AND e.entra_id = g.entra_id AND NOT e.gone
        LEFT JOIN LATERAL (
            SELECT o.user_id, o.name FROM cloudlink_users o
            WHERE o.account_id = $1 AND o.entra_id = g.entra_id AND o.user_id <> g.user_id
                AND NOT o.excluded LIMIT 1
        ) AS t ON true
        "#,
        account as AccountId,
        &users as &[CloudlinkUserId],
        &entra as &[EntraUserId],
    )
    .fetch_all(db)
    .await
}
