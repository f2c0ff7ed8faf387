//! The second factor: a sealed secret, the steps used, and recovery codes.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

use crate::ids::StaffId;
use crate::kit::secret::{Sealed, Sealer};
use crate::kit::token::TokenDigest;

/// Somebody's second factor, confirmed or being set up.
#[derive(Clone, Debug)]
pub struct SecondFactor {
    pub secret: Sealed,
    pub confirmed_at: Option<DateTime<Utc>>,
    /// Recovery codes they have not been seen to keep.
    pub unread_codes: Option<Sealed>,
    /// Recovery codes left.
    pub codes_left: i64,
}

pub async fn second_factor(
    db: impl PgExecutor<'_>,
    staff: StaffId,
) -> sqlx::Result<Option<SecondFactor>> {
    sqlx::query_as!(
        SecondFactor,
        r#"
        SELECT secret AS "secret: Sealed", confirmed_at, unread_codes AS "unread_codes: Sealed",
            (SELECT count(*) FROM recovery_codes AS code
             WHERE code.staff_id = second_factors.staff_id) AS "codes_left!"
        FROM second_factors WHERE staff_id = $1
        "#,
        staff as StaffId,
    )
    .fetch_optional(db)
    .await
}

/// Offers a secret, in place of one that was never confirmed. A confirmed one stays.
pub async fn offer_second_factor(
    db: impl PgExecutor<'_>,
    staff: StaffId,
    secret: &Sealed,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO second_factors (staff_id, secret) VALUES ($1, $2)
        ON CONFLICT (staff_id) DO UPDATE SET secret = $2
        WHERE second_factors.confirmed_at IS NULL
        "#,
        staff as StaffId,
        secret as &Sealed,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Turns it on; false when it was on, or gone, or its secret another one, by then.
pub async fn confirm_second_factor(
    db: impl PgExecutor<'_>,
    staff: StaffId,
    (secret, step): (&Sealed, i64),
    unread_codes: &Sealed,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let confirmed = sqlx::query!(
        r#"
        UPDATE second_factors SET confirmed_at = $3, last_step = $4, unread_codes = $5
        WHERE staff_id = $1 AND secret = $2 AND confirmed_at IS NULL
        "#,
        staff as StaffId,
        secret as &Sealed,
        now,
        step,
        unread_codes as &Sealed,
    );
    Ok(confirmed.execute(db).await?.rows_affected() == 1)
}

pub async fn add_recovery_code(
    db: impl PgExecutor<'_>,
    staff: StaffId,
    digest: &TokenDigest,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO recovery_codes (staff_id, digest) VALUES ($1, $2)",
        staff as StaffId,
        digest as &TokenDigest,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Their owner has kept them: they are not shown again.
pub async fn keep_recovery_codes(db: impl PgExecutor<'_>, staff: StaffId) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE second_factors SET unread_codes = NULL WHERE staff_id = $1",
        staff as StaffId
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Uses up the codes of this step and those before it; false when they were.
pub async fn take_step(db: impl PgExecutor<'_>, staff: StaffId, step: i64) -> sqlx::Result<bool> {
    let taken = sqlx::query!(
        r#"
        UPDATE second_factors SET last_step = $2
        WHERE staff_id = $1 AND last_step < $2 AND confirmed_at IS NOT NULL
        "#,
        staff as StaffId,
        step,
    );
    Ok(taken.execute(db).await?.rows_affected() == 1)
}

/// Uses a recovery code up; false when it is none.
pub async fn take_recovery_code(
    db: impl PgExecutor<'_>,
    staff: StaffId,
    digest: &TokenDigest,
) -> sqlx::Result<bool> {
    let taken = sqlx::query!(
        "DELETE FROM recovery_codes WHERE staff_id = $1 AND digest = $2",
        staff as StaffId,
        digest as &TokenDigest,
    );
    Ok(taken.execute(db).await?.rows_affected() == 1)
}

/// Its recovery codes go with it; false when there was none that was on.
pub async fn forget_second_factor(db: impl PgExecutor<'_>, staff: StaffId) -> sqlx::Result<bool> {
    let gone = sqlx::query!(
        "DELETE FROM second_factors WHERE staff_id = $1 AND confirmed_at IS NOT NULL",
        staff as StaffId
    );
    Ok(gone.execute(db).await?.rows_affected() == 1)
}

/// Whose row a secret is sealed for.
pub fn secret_owner(staff: StaffId) -> String {
    format!("second-factor/{staff}")
}

pub fn codes_owner(staff: StaffId) -> String {
    format!("recovery-codes/{staff}")
}

/// Seals everything of the second factors with another key; says how many secrets it were.
pub async fn reseal(tx: &mut PgConnection, old: &Sealer, new: &Sealer) -> anyhow::Result<u64> {
    let rows = sqlx::query!(
        r#"
        SELECT staff_id AS "staff: StaffId", secret AS "secret: Sealed",
            unread_codes AS "codes: Sealed"
        FROM second_factors FOR UPDATE
        "#
    )
    .fetch_all(&mut *tx)
    .await?;
    let mut resealed = 0;
    for row in rows {
        let owner = secret_owner(row.staff);
        let secret = new.seal(&owner, &old.open(&owner, &row.secret)?)?;
        let owner = codes_owner(row.staff);
        let codes =
            row.codes.map(|codes| new.seal(&owner, &old.open(&owner, &codes)?)).transpose()?;
        sqlx::query!(
            "UPDATE second_factors SET secret = $2, unread_codes = $3 WHERE staff_id = $1",
            row.staff as StaffId,
            &secret as &Sealed,
            codes.as_ref() as Option<&Sealed>,
        )
        .execute(&mut *tx)
        .await?;
        resealed += 1 + u64::from(codes.is_some());
    }
    Ok(resealed)
}
