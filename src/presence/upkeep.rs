//! What an account needs besides pushes: its subscription, its directories, and at the end a
//! farewell. One piece at a time, a limited number of accounts at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::budget::Budget;
use super::problem::Problem;
use super::shared::Shared;
use super::store::leases::Lease;
use super::store::winding;
use super::trouble::{Side, Trouble};
use super::{directory, feed};
use crate::cloudlink;
use crate::integrations;
use crate::microsoft::{Connection, Refusal};

/// How long a piece may take, with every page, every answer waited for and every statement, however
/// many there are. One that hangs would never be taken up again.
const FEED_WITHIN: Duration = Duration::from_mins(5);
const DIRECTORY_WITHIN: Duration = Duration::from_mins(45);

/// What is to be done, as far as it is due.
#[derive(Clone, Debug, Default)]
pub struct Chores {
    pub feed: bool,
    /// With the connection to read the directory with.
    pub directory: Option<(Arc<Connection>, Arc<Budget>)>,
}

/// What came of it.
#[derive(Debug)]
pub enum Upkept {
    Chores {
        feed: Option<Result<(), Problem>>,
        directory: Option<Result<(), Vec<Problem>>>,
    },
    /// The account's sync is forgotten; or why not yet.
    Farewell(Result<bool, Problem>),
}

pub async fn do_chores(shared: Shared, lease: Lease, chores: Chores) -> Upkept {
    let _turn = shared.upkeep.acquire().await;
    let account = lease.account;
    let feed = if chores.feed {
        Some(within(FEED_WITHIN, feed::look_after(&shared, account)).await)
    } else {
        None
    };
    let directory = match &chores.directory {
        Some((connection, budget)) => {
            let read = directory::refresh(&shared, account, connection, budget);
            let read = timeout(DIRECTORY_WITHIN, read).await;
            Some(read.unwrap_or_else(|_| Err(vec![hung()])))
        }
        None => None,
    };
    Upkept::Chores { feed, directory }
}

/// Ends the subscription, and forgets the account's sync; with `all`, the integration too.
///
/// Nothing of ours stands in Teams any more. A CloudLink that will not have us at all cannot
/// keep us from forgetting: what it still sends will meet an unknown webhook.
pub async fn farewell(shared: Shared, lease: Lease, all: bool) -> Upkept {
    let _turn = shared.upkeep.acquire().await;
    Upkept::Farewell(within(FEED_WITHIN, part(&shared, lease, all)).await)
}

async fn within<T>(
    most: Duration,
    work: impl Future<Output = Result<T, Problem>>,
) -> Result<T, Problem> {
    match timeout(most, work).await {
        Ok(done) => done,
        Err(_) => Err(hung()),
    }
}

fn hung() -> Problem {
    anyhow::anyhow!("it hung, and was given up").into()
}

async fn part(shared: &Shared, lease: Lease, all: bool) -> Result<bool, Problem> {
    match feed::end(shared, lease.account).await {
        Err(Problem { trouble: Some(Trouble::Cloudlink(cause)), detail, .. })
            if hopeless(cause) =>
        {
            tracing::warn!(account.id = %lease.account, "the subscription could not be ended: {detail}");
        }
        ended => ended?,
    }
    let mut tx = shared.app.db.begin().await?;
    let now = shared.app.clock.now();
    let gone = winding::forget(&mut tx, shared.app.node, lease, all).await?;
    if gone && all {
        integrations::store::forget(&mut tx, lease.account, now).await?;
    }
    tx.commit().await?;
    shared.app.microsoft.forget_token(lease.account);
    Ok(gone)
}

fn hopeless(cause: cloudlink::Cause) -> bool {
    matches!(
        cause,
        cloudlink::Cause::NotConfigured
            | cloudlink::Cause::CredentialsWrong
            | cloudlink::Cause::Forbidden
            | cloudlink::Cause::Unknown
    )
}

impl Upkept {
    /// Every problem, for the log and the account's health.
    pub fn problems(&self) -> Vec<&Problem> {
        match self {
            Self::Chores { feed, directory } => {
                let feed = feed.iter().filter_map(|done| done.as_ref().err());
                let directory = directory.iter().filter_map(|done| done.as_ref().err()).flatten();
                feed.chain(directory).collect()
            }
            Self::Farewell(done) => done.as_ref().err().into_iter().collect(),
        }
    }

    /// What Microsoft had against our signing in, if that was it.
    pub fn refusal(&self) -> Option<&Refusal> {
        self.problems().into_iter().find_map(|problem| problem.refusal.as_ref())
    }

    /// Whether this piece of upkeep has to be tried again.
    pub fn failed(&self, side: Side) -> bool {
        match self {
            Self::Chores { feed, directory } => match side {
                Side::Feed => feed.as_ref().is_some_and(Result::is_err),
                _ => directory.as_ref().is_some_and(Result::is_err),
            },
            Self::Farewell(done) => done.is_err(),
        }
    }
}
