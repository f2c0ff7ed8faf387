//! Microsoft: signing in as an application, the directory, and presence.
//!
//! One client serves every account. What is asked is asked with a [`Connection`], which says
//! whose directory, in which cloud, and with which secret; the tokens are kept here.

mod application;
mod ask;
mod cause;
mod certificate;
mod cloud;
mod codes;
mod graph;
mod login;
mod look;
mod presence;
mod wire;

use std::fmt;
use std::sync::Arc;

use reqwest::header::HeaderName;
use url::Url;

pub use application::{AppKey, AppKeys};
pub use cause::{Answered, Cause, Field, Permission, Refusal};
pub use certificate::{Certificate, Shown as ShownCertificate};
pub use cloud::{Cloud, UnknownCloud};
pub use graph::{MOST_PAGES, Next, User, UserChanges};
pub use login::Token;
pub use look::Discovered;
pub use presence::{PRESENCES_AT_ONCE, Shows, TeamsPresence, UnknownShows};

use crate::config::MicrosoftSettings;
use crate::ids::{AccountId, ClientId, TenantId};
use crate::kit::clock::Clock;
use crate::kit::fresh::Fresh;
use crate::kit::lanes::Lanes;
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
    Certificate(Certificate),
}

/// Our way to Microsoft, tenant by tenant, and the tokens we were given.
#[derive(Clone)]
pub struct Microsoft(Arc<Inside>);

struct Inside {
    lanes: Lanes,
    /// In place of every cloud's, without a slash at the end.
    login_url: Option<String>,
    graph_url: Option<String>,
    clock: Clock,
    tokens: Fresh<AccountId, Token, Refusal>,
}

/// The request's name on Microsoft's side, and on ours.
static REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
static CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");
/// The same, as the token endpoint calls it.
static X_MS_REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-request-id");

impl Microsoft {
    pub fn new(lanes: impl Into<Lanes>, settings: &MicrosoftSettings, clock: Clock) -> Self {
        let trimmed = |url: &Url| url.as_str().trim_end_matches('/').to_owned();
        Self(Arc::new(Inside {
            lanes: lanes.into(),
            login_url: settings.login_url.as_ref().map(trimmed),
            graph_url: settings.graph_url.as_ref().map(trimmed),
            clock,
            // A token serves to its end, whatever becomes of the credential: who renews it is told.
            tokens: Fresh::new(|_| true),
        }))
    }

    fn login_url(&self, cloud: Cloud) -> &str {
        self.0.login_url.as_deref().unwrap_or(cloud.login())
    }

    /// A place in Graph.
    fn graph(&self, cloud: Cloud, path: &str) -> Result<Url, Refusal> {
        let graph = self.0.graph_url.as_deref().unwrap_or(cloud.graph());
        Url::parse(&format!("{graph}/v1.0/{path}"))
            .map_err(|error| Refusal::new(Cause::Unexpected, error.to_string()))
    }
}

impl fmt::Debug for Microsoft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Microsoft").finish_non_exhaustive()
    }
}
