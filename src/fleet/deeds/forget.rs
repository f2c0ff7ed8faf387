//! An import, taken back: the account goes, unless something was begun with it.

use crate::accounts;
use crate::audit::Changes;
use crate::integrations;
use crate::runs::store::finish;
use crate::runs::{Job, Outcome};
use crate::state::AppState;

pub async fn work(app: &AppState, job: &Job) -> anyhow::Result<()> {
    let (account, now) = (job.account, app.clock.now());
    let mut tx = app.db.begin().await?;
    let is_there = accounts::store::lock(&mut tx, account).await?;
    let is_used = integrations::store::of_account(&mut *tx, account).await?.is_some();
    let outcome = if !is_there {
        Outcome::Nothing("It is not here any more.".to_owned())
    } else if is_used {
        Outcome::Nothing("It is in use: Microsoft Teams was added to it.".to_owned())
    } else {
        let deed =
            ("account.deleted", format!("{} was deleted: its import was taken back.", job.name));
        super::note(&mut tx, app, job, deed, Changes::default()).await?;
        accounts::store::delete(&mut *tx, account).await?;
        Outcome::Done("It is taken back.".to_owned())
    };
    if finish(&mut tx, job, &outcome, now).await? {
        tx.commit().await?;
    }
    Ok(())
}
