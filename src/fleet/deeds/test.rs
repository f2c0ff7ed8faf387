//! The whole setup check of an account, as its own page runs it.

use std::time::Duration;

use tokio::time::sleep;

use crate::checks::{self, Sum};
use crate::integrations;
use crate::runs::store::finish;
use crate::runs::{Failure, Job, Outcome};
use crate::state::AppState;

/// Where a check of the account goes on already, it is looked after so often.
const AFTER: Duration = Duration::from_millis(500);

pub async fn work(app: &AppState, job: &Job) -> anyhow::Result<()> {
    let account = job.account;
    let integration = integrations::store::of_account(&app.db, account).await?;
    let Some((integration, connection)) =
        integration.and_then(|found| Some((found.id, found.connection?)))
    else {
        return super::nothing(app, job, "Microsoft Teams is not set up.").await;
    };
    let sum = loop {
        match checks::check_now(app, account, integration).await? {
            Some(sum) => break sum,
            None => sleep(AFTER).await,
        }
    };
    let outcome = outcome(&sum);
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    if matches!(outcome, Outcome::Done(_)) {
        integrations::store::note_tested(&mut *tx, account, connection.version, now).await?;
    }
    if finish(&mut tx, job, &outcome, now).await? {
        tx.commit().await?;
    }
    Ok(())
}

/// What could not be looked at is no pass.
fn outcome(sum: &Sum) -> Outcome {
    if let Some(finding) = &sum.gravest {
        let others = match sum.reds {
            ..=1 => String::new(),
            2 => " One other thing is wrong: see the setup check.".to_owned(),
            reds => format!(" {} other things are wrong: see the setup check.", reds - 1),
        };
        return Outcome::Failed(Failure {
            title: finding.alone().trim_end_matches('.').to_owned(),
            advice: format!("{}{others}", finding.advice).trim().to_owned(),
            detail: finding.detail.clone(),
        });
    }
    let said = match sum.ambers {
        0 if sum.waiting == 0 => "Every line of the setup check is green.".to_owned(),
        0 => "Nothing is wrong.".to_owned(),
        1 => "Nothing is wrong. One line of the setup check is worth a look.".to_owned(),
        ambers => format!("Nothing is wrong. {ambers} lines of the setup check are worth a look."),
    };
    Outcome::Done(match sum.waiting {
        0 => said,
        _ => format!("{said} The worker has yet to read who is there."),
    })
}
