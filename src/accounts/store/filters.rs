//! Searches of the list that somebody gave a name.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::ids::{FilterId, StaffId};
use crate::kit::db::violates;

/// So many stand in a line above the list; nobody finds anything among more.
pub const MOST: i64 = 20;

#[derive(Clone, Debug)]
pub struct Filter {
    pub id: FilterId,
    pub name: String,
    /// What stands after the `?`.
    pub query: String,
}

pub async fn of(db: impl PgExecutor<'_>, staff: StaffId) -> sqlx::Result<Vec<Filter>> {
    sqlx::query_as!(
        Filter,
        r#"
        SELECT id AS "id: FilterId", name, query FROM saved_filters
        WHERE staff_id = $1 ORDER BY lower(name), id
        "#,
        staff as StaffId,
    )
    .fetch_all(db)
    .await
}

#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    #[error("You have a filter of that name already.")]
    NameTaken,
    #[error("You have {MOST} filters already: remove one first.")]
    TooMany,
    #[error(transparent)]
    Db(sqlx::Error),
}

pub async fn save(
    db: impl PgExecutor<'_>,
    staff: StaffId,
    filter: &Filter,
    now: DateTime<Utc>,
) -> Result<(), SaveError> {
    let saved = sqlx::query!(
        r#"
        INSERT INTO saved_filters (staff_id, id, name, query, created_at)
        SELECT $1, $2, $3, $4, $5
        WHERE (SELECT count(*) FROM saved_filters WHERE staff_id = $1) < $6
        "#,
        staff as StaffId,
        filter.id as FilterId,
        filter.name,
        filter.query,
        now,
        MOST,
    )
    .execute(db)
    .await;
    match saved {
        Ok(saved) if saved.rows_affected() == 0 => Err(SaveError::TooMany),
        Ok(_) => Ok(()),
        Err(error) if violates(&error, "saved_filters_name") => Err(SaveError::NameTaken),
        Err(error) => Err(SaveError::Db(error)),
    }
}

/// Its name, if they had it.
pub async fn remove(
    db: impl PgExecutor<'_>,
    staff: StaffId,
    id: FilterId,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        "DELETE FROM saved_filters WHERE staff_id = $1 AND id = $2 RETURNING name",
        staff as StaffId,
        id as FilterId,
    )
    .fetch_optional(db)
    .await
}
