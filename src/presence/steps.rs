//! Sync now, step by step, for whoever watches. What cannot be noted is not worth stopping for.

use super::problem::Problem;
use super::shared::Shared;
use super::store::steps as store;
use crate::ids::AccountId;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Connect,
    Cloudlink,
    Entra,
    Match,
    Push,
}

impl Step {
    fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Cloudlink => "cloudlink",
            Self::Entra => "entra",
            Self::Match => "match",
            Self::Push => "push",
        }
    }
}

/// The steps of one reading of an account's directories.
pub struct Steps {
    shared: Shared,
    account: AccountId,
    /// Nobody watches a reading that comes in its regular turn: it is not noted.
    watched: bool,
}

impl Steps {
    pub async fn open(shared: &Shared, account: AccountId, watched: bool) -> Self {
        let steps = Self { shared: shared.clone(), account, watched };
        if watched {
            steps.said(store::clear(&steps.shared.app.db, account).await);
        }
        steps
    }

    pub fn are_watched(&self) -> bool {
        self.watched
    }

    /// One step from its beginning to its end.
    pub async fn take<T, E: Into<Problem>>(
        &self,
        step: Step,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Problem> {
        self.begin(step).await;
        let done = work.await.map_err(Into::into);
        if self.watched {
            let trouble = done.as_ref().err().map(|problem: &Problem| {
                let key = problem.trouble.map_or("ours", super::trouble::Trouble::key);
                (key, if problem.trouble.is_some() { problem.detail.as_str() } else { "" })
            });
            let (app, now) = (&self.shared.app, self.shared.app.clock.now());
            self.said(store::end(&app.db, self.account, step.as_str(), trouble, now).await);
        }
        done
    }

    pub async fn begin(&self, step: Step) {
        if self.watched {
            let (app, now) = (&self.shared.app, self.shared.app.clock.now());
            self.said(store::begin(&app.db, self.account, step.as_str(), now).await);
        }
    }

    pub async fn go_on(&self, step: Step, more: usize) {
        if self.watched && more > 0 {
            let more = i64::try_from(more).unwrap_or(i64::MAX);
            let db = &self.shared.app.db;
            self.said(store::go_on(db, self.account, step.as_str(), more).await);
        }
    }

    fn said(&self, noted: sqlx::Result<()>) {
        if let Err(error) = noted {
            tracing::warn!(account.id = %self.account, "a step of Sync now was not noted: {error}");
        }
    }
}
