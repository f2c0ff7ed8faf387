//! CloudLink: tokens, accounts, users, subscriptions, and what its webhooks say.
//!
//! Where Mitel publishes a contract, we keep to it. Where it does not, these are our assumptions:
//! subscriptions are listed in the same envelope as accounts and users, each in the account whose
//! token asks; they may vanish at any time; and the state of a presence event stands at one of the
//! places that [`event`] lists.

mod ask;
mod cause;
mod client;
pub mod event;
mod token;
mod wire;

use std::fmt;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use reqwest::header::HeaderValue;

pub use cause::{Cause, Refusal};
pub use client::{Account, MOST_PAGES, Subscription, User, Users};
use token::Bearer;

use crate::config::CloudlinkSettings;
use crate::ids::{CloudlinkAccountId, NodeId};
use crate::kit::clock::Clock;
use crate::kit::fresh::Fresh;

/// The topic under which presence is published.
const TOPIC: &str = "platform-api-presence";

/// Our way to CloudLink: one HTTP client, and the tokens it was given.
#[derive(Clone)]
pub struct Cloudlink(Arc<Inside>);

struct Inside {
    http: reqwest::Client,
    settings: CloudlinkSettings,
    clock: Clock,
    /// Who we say we are, in a header of Mitel's.
    app: HeaderValue,
    tokens: Fresh<CloudlinkAccountId, Bearer, Refusal>,
    /// The partner's accounts, for somebody who searches in them.
    listed: Fresh<(), Arc<[Account]>, Refusal>,
    /// How many seconds CloudLink's clock was ahead of ours by the last answer that said.
    ahead: AtomicI64,
    /// When somebody tested the connection last, if that went well.
    tested_at: Mutex<Option<DateTime<Utc>>>,
}

/// No answer has said what time it is.
const UNSAID: i64 = i64::MIN;

impl Cloudlink {
    pub fn new(
        http: reqwest::Client,
        settings: &CloudlinkSettings,
        node: NodeId,
        clock: Clock,
    ) -> Self {
        let (version, os) = (env!("CARGO_PKG_VERSION"), std::env::consts::OS);
        let app = format!("presence-portal/{version};platform={os};session={node};");
        Self(Arc::new(Inside {
            http,
            settings: settings.clone(),
            clock,
            app: HeaderValue::try_from(app)
                .unwrap_or_else(|_| HeaderValue::from_static("presence-portal")),
            tokens: Fresh::new(|refusal: &Refusal| !refusal.cause.needs_person()),
            ahead: AtomicI64::new(UNSAID),
            tested_at: Mutex::default(),
            listed: Fresh::new(|_| false),
        }))
    }

    /// Whether the settings name credentials. Without them everything is refused with
    /// [`Cause::NotConfigured`].
    pub fn is_configured(&self) -> bool {
        self.0.settings.credentials.is_some()
    }
}

impl fmt::Debug for Cloudlink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cloudlink").finish_non_exhaustive()
    }
}
