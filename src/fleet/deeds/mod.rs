//! How each deed is done to one account.

mod forget;
mod switch;
mod test;
mod update;

use crate::audit::{self, Changes, Entry};
use crate::runs::store::finish;
use crate::runs::{Deed, Doer, Job, Outcome};
use crate::state::AppState;

#[derive(Clone)]
pub struct Deeds {
    app: AppState,
}

impl Deeds {
    pub(super) fn new(app: AppState) -> Self {
        Self { app }
    }
}

impl Doer for Deeds {
    async fn work(&self, job: Job) -> anyhow::Result<()> {
        let app = &self.app;
        match job.deed {
            Deed::Update => update::work(app, &job).await,
            Deed::Test => test::work(app, &job).await,
            Deed::SwitchOn => switch::work(app, &job, true).await,
            Deed::SwitchOff => switch::work(app, &job, false).await,
            Deed::ForgetImported => forget::work(app, &job).await,
            // Done when it was asked for; only written down as a run.
            Deed::Import => nothing(app, &job, "It is imported.").await,
        }
    }
}

async fn end(app: &AppState, job: &Job, outcome: Outcome) -> anyhow::Result<()> {
    let mut tx = app.db.begin().await?;
    if finish(&mut tx, job, &outcome, app.clock.now()).await? {
        tx.commit().await?;
    }
    Ok(())
}

async fn nothing(app: &AppState, job: &Job, why: &str) -> anyhow::Result<()> {
    end(app, job, Outcome::Nothing(why.to_owned())).await
}

/// What Activity is told, in the name of whoever began the run.
async fn note(
    tx: &mut sqlx::PgConnection,
    app: &AppState,
    job: &Job,
    (action, summary): (&'static str, String),
    changes: Changes,
) -> sqlx::Result<()> {
    let entry = Entry { action, summary, account: Some((job.account, &job.name)), changes };
    audit::note(tx, &job.actor, entry, app.clock.now()).await
}
