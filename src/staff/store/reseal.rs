//! Second factors, sealed anew when the master key is replaced.

use sqlx::PgConnection;

use crate::ids::StaffId;
use crate::kit::secret::{Sealed, Sealer};

/// Seals every second factor and its unread codes anew, and says how many.
pub async fn reseal(tx: &mut PgConnection, old: &Sealer, new: &Sealer) -> anyhow::Result<usize> {
    let rows = sqlx::query!(
        r#"
        SELECT staff_id AS "staff: StaffId", secret AS "secret: Sealed",
            unread_codes AS "codes: Sealed"
        FROM second_factors FOR UPDATE
        "#,
    )
    .fetch_all(&mut *tx)
    .await?;
    for row in &rows {
        let reseal = |kind: &str, sealed| old.reseal(new, &format!("{kind}/{}", row.staff), sealed);
        let codes = row.codes.as_ref().map(|codes| reseal("recovery-codes", codes)).transpose()?;
        sqlx::query!(
            "UPDATE second_factors SET secret = $2, unread_codes = $3 WHERE staff_id = $1",
            row.staff as StaffId,
            reseal("second-factor", &row.secret)? as Sealed,
            codes as Option<Sealed>,
        )
        .execute(&mut *tx)
        .await?;
    }
    Ok(rows.len())
}
