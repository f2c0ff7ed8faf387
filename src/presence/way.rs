//! An account's way to Microsoft: its connection, and its place in the tenant's budget.

use std::future::pending;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use metrics::gauge;

use super::budget::{Budget, Place, Slot};
use super::figures;
use super::plan;
use super::shared::Shared;
use super::store::due::{DueUser, Standing};
use super::store::leases;
use crate::ids::AccountId;
use crate::integrations;
use crate::microsoft::Connection;

pub struct Way {
    pub connection: Arc<Connection>,
    place: Place,
}

/// What came of opening a way.
pub enum Opened {
    Open(Way),
    /// There is no connection any more.
    Gone,
    /// It does not open yet.
    NotYet,
    /// Another node works for the tenant.
    Elsewhere,
}

impl Opened {
    pub fn way(self) -> Option<Way> {
        match self {
            Self::Open(way) => Some(way),
            _ => None,
        }
    }
}

impl Way {
    pub async fn open(shared: &Shared, account: AccountId, standing: &Standing) -> Opened {
        let _turn = shared.opening.acquire().await;
        let app = &shared.app;
        if let Some(tenant) = standing.tenant {
            let gone_after = shared.pace.gone_after;
            match leases::tenant_is_elsewhere(&app.db, app.node, tenant, gone_after).await {
                Ok(false) => {}
                Ok(true) => return Opened::Elsewhere,
                Err(error) => {
                    tracing::warn!(account.id = %account, "{error}");
                    return Opened::NotYet;
                }
            }
        }
        match integrations::store::connection_of(&app.db, &app.sealer, account).await {
            Ok(Some(connection)) => {
                let place = Place::new(shared.budgets.of(connection.tenant));
                let way = Self { connection: Arc::new(connection), place };
                if let Some(until) = standing.throttled_until {
                    way.close_until(until, app.clock.now());
                }
                Opened::Open(way)
            }
            Ok(None) => Opened::Gone,
            Err(error) => {
                tracing::error!(account.id = %account, "the connection does not open: {error:#}");
                Opened::NotYet
            }
        }
    }

    pub fn budget(&self) -> &Arc<Budget> {
        self.place.budget()
    }

    pub fn parts(&self) -> (Arc<Connection>, Arc<Budget>) {
        (Arc::clone(&self.connection), Arc::clone(self.budget()))
    }

    /// No request leaves before then.
    pub fn close_until(&self, until: DateTime<Utc>, now: DateTime<Utc>) {
        if let Ok(wait) = (until - now).to_std() {
            self.budget().close_for(wait);
        }
    }
}

/// Waits until the next user's request may leave, in the order of urgency among all accounts
/// of the tenant.
pub async fn slot(way: Option<&Way>, next: Option<&DueUser>) -> Slot {
    match way.zip(next) {
        Some((way, next)) => way.place.slot(plan::urgency(&next.facts)).await,
        None => pending().await,
    }
}

/// A worker that has looked at its account, for as long as it works.
pub struct Up;

impl Up {
    pub fn new() -> Self {
        gauge!(figures::WORKERS).increment(1.0);
        Self
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        gauge!(figures::WORKERS).decrement(1.0);
    }
}
