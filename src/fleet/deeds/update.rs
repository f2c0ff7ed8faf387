//! Install update, step by step. Until the last one the release of before is in force and works.

use crate::audit::Changes;
use crate::integrations::catalog::UpdateStep;
use crate::integrations::{self, Failed, Integration, check};
use crate::microsoft::{Connection, Token};
use crate::presence::store::{matching, rules};
use crate::runs::store::{finish, step_done};
use crate::runs::{Failure, Job, Outcome};
use crate::state::AppState;

pub async fn work(app: &AppState, job: &Job) -> anyhow::Result<()> {
    let Some(integration) = integrations::store::of_account(&app.db, job.account).await? else {
        return super::nothing(app, job, "Microsoft Teams is not added.").await;
    };
    if integration.removing_since.is_some() {
        return super::nothing(app, job, "It is being removed.").await;
    }
    if integration.connection.is_none() {
        return super::nothing(app, job, "Its setup is not complete.").await;
    }
    let steps = integration.kind.steps_from(integration.release);
    if steps.is_empty() {
        // Cut short between the last step and writing that down, it is done; else it was before.
        let said = format!("Release {} is installed already.", integration.kind.newest().name);
        return super::nothing(app, job, &said).await;
    }
    let plan: Vec<&str> = steps.iter().map(|step| step.as_str()).collect();
    let mut under_way = UnderWay { app, job, integration, way: None };
    let before = usize::try_from(job.step).unwrap_or(0);
    for (index, step) in steps.iter().enumerate().skip(before) {
        if !step_done(&app.db, job, index, &plan).await? {
            return Ok(());
        }
        if let Err(failure) = under_way.take(*step).await? {
            return super::end(app, job, Outcome::Failed(failure)).await;
        }
    }
    Ok(())
}

struct UnderWay<'a> {
    app: &'a AppState,
    job: &'a Job,
    integration: Integration,
    /// The way into Microsoft, once it is opened.
    way: Option<(Connection, Token)>,
}

/// A step is done, or failed for a reason that a person can read.
type Taken = anyhow::Result<Result<(), Failure>>;

impl UnderWay<'_> {
    async fn take(&mut self, step: UpdateStep) -> Taken {
        match step {
            UpdateStep::SignIn => Ok(self.sign_in().await?.map(|_| ())),
            UpdateStep::Permissions => self.permissions().await,
            UpdateStep::Directory => self.directory().await,
            UpdateStep::Mapping => self.mapping().await,
            UpdateStep::Matches => self.matches().await,
            UpdateStep::SwitchOver => self.switch_over().await,
        }
    }

    /// With a fresh token: one of before does not know what was granted or revoked since.
    async fn sign_in(&mut self) -> anyhow::Result<Result<&(Connection, Token), Failure>> {
        let (app, account) = (self.app, self.job.account);
        let way = if let Some(way) = self.way.take() {
            way
        } else {
            let found = integrations::store::connection_of(&app.db, &app.sealer, account).await?;
            let Some(connection) = found else { return Ok(Err(gone())) };
            match check::sign_in(&app.microsoft, &connection).await {
                Ok(token) => (connection, token),
                Err(failed) => return Ok(Err(failed.into())),
            }
        };
        Ok(Ok(self.way.insert(way)))
    }

    async fn permissions(&mut self) -> Taken {
        Ok(match self.sign_in().await? {
            Ok((_, token)) => check::permissions(token).map_err(Failure::from),
            Err(failure) => Err(failure),
        })
    }

    async fn directory(&mut self) -> Taken {
        let microsoft = self.app.microsoft.clone();
        Ok(match self.sign_in().await? {
            Ok((connection, token)) => {
                check::directory(&microsoft, connection, token).await.map_err(Failure::from)
            }
            Err(failure) => Err(failure),
        })
    }

    /// Rules kept from before are put into the form that is read from now on.
    async fn mapping(&self) -> Taken {
        let mut tx = self.app.db.begin().await?;
        rules::tidy(&mut tx, self.job.account).await?;
        tx.commit().await?;
        Ok(Ok(()))
    }

    async fn matches(&self) -> Taken {
        let now = self.app.clock.now();
        matching::rematch(&self.app.db, self.job.account, now).await?;
        Ok(Ok(()))
    }

    /// The release, what everybody shows under its rules, and the end of the item: all at once.
    async fn switch_over(&self) -> Taken {
        let Self { app, job, integration, .. } = self;
        let (now, newest) = (app.clock.now(), integration.kind.newest());
        let mut tx = app.db.begin().await?;
        let (account, id) = (job.account, integration.id);
        if !integrations::store::set_release(&mut *tx, account, id, newest.number).await? {
            return Ok(Err(gone()));
        }
        // An event that is judged by the rules of before at this moment is gone through once more.
        rules::mark(&mut *tx, account, now).await?;
        let mapping = rules::mapping(&mut *tx, account).await?;
        let users = rules::decide_anew(&mut tx, account, &mapping, now).await?;
        let old = integration.kind.release(integration.release).map(|release| release.name);
        let changes = Changes::default().field("Release", old, newest.name);
        let deed = ("integration.updated", format!("Release {} was installed.", newest.name));
        super::note(&mut tx, app, job, deed, changes).await?;
        let said = match users {
            0 => format!("Release {} is installed.", newest.name),
            1 => {
                format!("Release {} is installed. One user shows something else now.", newest.name)
            }
            many => format!(
                "Release {} is installed. {many} users show something else now.",
                newest.name
            ),
        };
        if finish(&mut tx, job, &Outcome::Done(said), now).await? {
            tx.commit().await?;
            app.wakes.ring(account);
        }
        Ok(Ok(()))
    }
}

fn gone() -> Failure {
    Failure {
        title: "The integration was changed or removed meanwhile".to_owned(),
        advice: "Look at the account’s integrations, and try again if it is still there."
            .to_owned(),
        detail: String::new(),
    }
}

impl From<Failed> for Failure {
    fn from(failed: Failed) -> Self {
        Self { title: failed.title(), advice: failed.advice(), detail: failed.detail() }
    }
}
