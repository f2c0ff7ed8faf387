//! Whether Microsoft still lets an account in, and to everything that is needed.

use crate::integrations::{self, check};
use crate::runs::store::finish;
use crate::runs::{Job, Outcome};
use crate::state::AppState;

pub async fn work(app: &AppState, job: &Job) -> anyhow::Result<()> {
    let account = job.account;
    let found = integrations::store::connection_of(&app.db, &app.sealer, account).await?;
    let Some(connection) = found else {
        return super::nothing(app, job, "Microsoft Teams is not set up.").await;
    };
    if let Err(failed) = check::check(&app.microsoft, &connection).await {
        return super::end(app, job, Outcome::Failed(failed.into())).await;
    }
    let now = app.clock.now();
    let said = "Microsoft accepts the credentials, has granted both permissions, and lets us read the directory.";
    let mut tx = app.db.begin().await?;
    integrations::store::note_tested(&mut *tx, account, connection.version, now).await?;
    if finish(&mut tx, job, &Outcome::Done(said.to_owned()), now).await? {
        tx.commit().await?;
    }
    Ok(())
}
