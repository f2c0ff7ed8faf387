//! Presence sync, switched on or off.

use crate::audit::Changes;
use crate::fleet::store;
use crate::integrations::{self, Feature};
use crate::runs::store::finish;
use crate::runs::{Job, Outcome};
use crate::state::AppState;

pub async fn work(app: &AppState, job: &Job, on: bool) -> anyhow::Result<()> {
    let Some(integration) = integrations::store::of_account(&app.db, job.account).await? else {
        return super::nothing(app, job, "Microsoft Teams is not added.").await;
    };
    if integration.removing_since.is_some() {
        return super::nothing(app, job, "It is being removed.").await;
    }
    if integration.connection.is_none() {
        return super::nothing(app, job, "Its setup is not complete.").await;
    }
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    // What somebody has switched since is theirs.
    if let Some(undone) = job.undoes
        && !store::is_as_switched(&mut *tx, job.account, undone).await?
    {
        drop(tx);
        return super::nothing(app, job, "Somebody has switched it since.").await;
    }
    let (account, id) = (job.account, integration.id);
    let feature = Feature::PresenceSync;
    let changed = integrations::store::set_feature(&mut *tx, account, id, feature, on, now).await?;
    let word = if on { "on" } else { "off" };
    let outcome = if changed {
        let action = if on { "integration.switched_on" } else { "integration.switched_off" };
        let summary = format!("Presence sync was switched {word}.");
        super::note(&mut tx, app, job, (action, summary), Changes::default()).await?;
        Outcome::Done(format!("Switched {word}."))
    } else {
        Outcome::Nothing(format!("It was {word} already."))
    };
    if finish(&mut tx, job, &outcome, now).await? {
        tx.commit().await?;
        app.wakes.ring(account);
    }
    Ok(())
}
