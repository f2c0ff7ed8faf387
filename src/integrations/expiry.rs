//! When a secret ends, as Entra says: read wherever `Application.Read.All` happens to be granted.

use crate::integrations::credential::Expiry;
use crate::integrations::store;
use crate::microsoft::{Connection, Token};
use crate::state::AppState;

/// Reads from Entra when the connection's secret ends. None when that is not ours to read, it
/// is not listed there, or Entra did not say; nothing depends on it.
pub async fn read(app: &AppState, connection: &Connection, token: &Token) -> Option<Expiry> {
    if !token.reads_applications() {
        return None;
    }
    match app.microsoft.app_keys(connection, token).await {
        Ok(keys) => {
            let ends_at = keys.end_of(&connection.credential)?;
            Some(Expiry::entra(ends_at, app.clock.now()))
        }
        Err(refusal) => {
            tracing::info!(account.id = %connection.account, "the expiry date was not read: {refusal}");
            None
        }
    }
}

/// Reads it for the connection in force, and keeps it. What Entra says counts for more than what
/// somebody typed.
pub async fn look(app: &AppState, connection: &Connection, token: &Token) -> anyhow::Result<()> {
    if let Some(expiry) = read(app, connection, token).await {
        store::keep_expiry(&app.db, connection.account, connection.version, &expiry).await?;
    }
    Ok(())
}
