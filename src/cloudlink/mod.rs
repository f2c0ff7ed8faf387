//! CloudLink: tokens, accounts, users, subscriptions, and what its webhooks say.

mod cause;
mod client;
pub mod event;

use std::fmt;
use std::sync::Arc;

pub use cause::{Cause, Refusal};
/// The topic under which presence is published.
const TOPIC: &str = "platform-api-presence";

pub use client::{Account, Subscription, User};

use crate::config::CloudlinkSettings;
use crate::ids::NodeId;
use crate::kit::clock::Clock;

/// Our way to CloudLink: one HTTP client, and the tokens it was given.
#[derive(Clone)]
pub struct Cloudlink(Arc<Inside>);

struct Inside {
    http: reqwest::Client,
    settings: CloudlinkSettings,
    clock: Clock,
}

impl Cloudlink {
    pub fn new(
        http: reqwest::Client,
        settings: &CloudlinkSettings,
        node: NodeId,
        clock: Clock,
    ) -> Self {
        let _ = node;
        Self(Arc::new(Inside { http, settings: settings.clone(), clock }))
    }

    /// Whether the settings name credentials. Without them everything is refused with
    /// [`Cause::NotConfigured`].
    pub fn is_configured(&self) -> bool {
        self.0.settings.credentials.is_some()
    }

    async fn not_yet(&self) -> Result<(), Refusal> {
        let _ = (&self.0.http, &self.0.clock);
        std::future::ready(()).await;
        Err(Refusal::new(Cause::Unreachable, "not asked yet"))
    }
}

impl fmt::Debug for Cloudlink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cloudlink").finish_non_exhaustive()
    }
}
