//! Microsoft: signing in as an application, the directory, and presence.
//!
//! One client serves every account. What is asked is asked with a [`Connection`], which says
//! whose directory, in which cloud, and with which secret; the tokens are kept here.

mod cause;
mod cloud;
mod graph;
mod login;
mod presence;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

pub use cause::{Answered, Cause, Field, Permission, Refusal};
pub use cloud::{Cloud, UnknownCloud};
pub use graph::{Next, User, UserChanges};
pub use login::Token;
pub use presence::{PRESENCES_AT_ONCE, Shows, TeamsPresence, UnknownShows};

use crate::config::MicrosoftSettings;
use crate::ids::{AccountId, ClientId, TenantId};
use crate::kit::clock::Clock;
use crate::kit::secret::Secret;

/// An account's way into its Microsoft tenant.
#[derive(Clone, Debug)]
pub struct Connection {
    pub account: AccountId,
    /// Rises with every new secret or identity; tokens of an older version are forgotten.
    pub version: i32,
    pub tenant: TenantId,
    pub client: ClientId,
    pub cloud: Cloud,
    pub credential: Credential,
}

/// How the application proves that it is itself.
#[derive(Clone, Debug)]
pub enum Credential {
    Secret(Secret),
}

/// Our way to Microsoft: one HTTP client, and the tokens it was given.
#[derive(Clone)]
pub struct Microsoft(Arc<Inside>);

struct Inside {
    http: reqwest::Client,
    login_url: Option<Url>,
    graph_url: Option<Url>,
    clock: Clock,
}

impl Microsoft {
    pub fn new(http: reqwest::Client, settings: &MicrosoftSettings, clock: Clock) -> Self {
        Self(Arc::new(Inside {
            http,
            login_url: settings.login_url.clone(),
            graph_url: settings.graph_url.clone(),
            clock,
        }))
    }

    async fn not_yet(&self) -> Answered<()> {
        let _ = (&self.0.http, &self.0.login_url, &self.0.graph_url, &self.0.clock);
        let _ = (Cloud::graph, Cloud::scope);
        std::future::ready(()).await;
        Answered {
            status: None,
            request_id: None,
            took: Duration::ZERO,
            outcome: Err(Refusal::new(Cause::Unreachable, "not asked yet")),
        }
    }
}

impl fmt::Debug for Microsoft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Microsoft").finish_non_exhaustive()
    }
}
