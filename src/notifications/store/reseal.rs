//! Webhooks' URLs and signing keys, sealed anew when the master key is replaced.

use sqlx::PgConnection;

use crate::ids::ChannelId;
use crate::kit::secret::{Sealed, Sealer};
use crate::notifications::{key_owner, url_owner};

/// Seals every channel's secrets anew, and says how many channels had any.
pub async fn reseal(tx: &mut PgConnection, old: &Sealer, new: &Sealer) -> anyhow::Result<u64> {
    let rows = sqlx::query!(
        r#"
        SELECT id AS "id: ChannelId", url AS "url: Sealed", signing_key AS "key: Sealed"
        FROM channels WHERE url IS NOT NULL FOR UPDATE
        "#,
    )
    .fetch_all(&mut *tx)
    .await?;
    for row in &rows {
        let again = |owner: String, sealed: &Option<Sealed>| {
            sealed.as_ref().map(|sealed| old.reseal(new, &owner, sealed)).transpose()
        };
        let url = again(url_owner(row.id), &row.url)?;
        let key = again(key_owner(row.id), &row.key)?;
        sqlx::query!(
            "UPDATE channels SET url = $2, signing_key = $3 WHERE id = $1",
            row.id as ChannelId,
            url as Option<Sealed>,
            key as Option<Sealed>,
        )
        .execute(&mut *tx)
        .await?;
    }
    Ok(rows.len() as u64)
}
