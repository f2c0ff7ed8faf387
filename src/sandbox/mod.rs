//! A pretend CloudLink and a pretend Microsoft 365: real HTTP servers on loopback, for the
//! demo, for the tests and for figures.
//!
//! They answer as the real ones do, as far as anybody has written that down, and can be put
//! into every kind of trouble. What happens in them is worked out from the [`Clock`] they are
//! given, so a test that owns the time owns theirs. Nothing of `serve` leads here.

mod cloudlink;
mod control_api;
mod controls;
mod journal;
mod jwt;
mod line;
mod messages;
mod microsoft;
mod page;
mod site;
mod storm;
mod switch;
mod trouble;
mod world;

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use url::Url;

pub use self::cloudlink::delivery::Deliveries;
pub use self::cloudlink::{ContentShape, Manners as CloudlinkManners, Subscription};
pub use self::controls::{Controls, NotThere, PhoneState, Tile};
pub use self::journal::Seen;
pub use self::messages::{Letter, MailManners, Posted};
pub use self::microsoft::apps::{KeptSecret, Standing, Uses};
pub use self::microsoft::assertion::KeptCertificate;
pub use self::microsoft::directory::Removed;
pub use self::microsoft::presence::{Pair, Session};
pub use self::microsoft::quota::Limit;
pub use self::microsoft::{Manners as TenantManners, Tally};
pub use self::storm::Storm;
pub use self::trouble::{System, Trouble};
pub use self::world::{App, AppSecret, Customer, Partner, Permission, Person, Phone, Quirk, World};
use crate::config::{
    CloudlinkCredentials, CloudlinkSettings, HookHosts, MailServer, MailSettings,
    MicrosoftSettings, Security,
};
use crate::kit::clock::Clock;
use crate::kit::email::Email;

/// Where and how a sandbox runs.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// `127.0.0.1:0` takes any free port.
    pub listen: SocketAddr,
    /// How many requests the journal keeps; none at all makes a sandbox for figures.
    pub journal: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), journal: 100_000 }
    }
}

/// A running sandbox. It derefs to its [`Controls`]: every switch there is.
pub struct Sandbox {
    controls: Controls,
    address: SocketAddr,
    mail_address: SocketAddr,
    stop: CancellationToken,
    parts: JoinSet<()>,
}

impl Sandbox {
    /// Starts on a free port of loopback.
    pub async fn start(world: World, clock: Clock) -> anyhow::Result<Self> {
        Self::start_with(world, clock, Settings::default()).await
    }

    pub async fn start_with(
        world: World,
        clock: Clock,
        settings: Settings,
    ) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(settings.listen)
            .await
            .with_context(|| format!("the sandbox cannot listen on {}", settings.listen))?;
        let address = listener.local_addr()?;
        let mail = TcpListener::bind((address.ip(), 0))
            .await
            .context("the pretend mail server cannot listen")?;
        let mail_address = mail.local_addr()?;
        let stop = CancellationToken::new();
        let (controls, post_office, storms) =
            Controls::new(world, clock, settings.journal, stop.clone())?;
        let mut parts = JoinSet::new();
        let service =
            site::routes(controls.clone()).into_make_service_with_connect_info::<line::Scissors>();
        let serve = axum::serve(line::Exchange(listener), service)
            .with_graceful_shutdown(stop.clone().cancelled_owned());
        parts.spawn(async {
            if let Err(error) = serve.await {
                tracing::error!("the sandbox no longer answers: {error}");
            }
        });
        parts.spawn(messages::serve(mail, controls.clone(), stop.clone()));
        parts.spawn(post_office.run());
        parts.spawn(storms.run());
        Ok(Self { controls, address, mail_address, stop, parts })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The page with the phones and the tiles.
    pub fn page_url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// What `PORTAL_CLOUDLINK_URL` has to be.
    pub fn cloudlink_url(&self) -> String {
        format!("http://{}/cloudlink/{{service}}/2017-09-01", self.address)
    }

    /// How a portal reaches this CloudLink.
    pub fn cloudlink_settings(&self) -> CloudlinkSettings {
        let partner = &self.controls.world().partner;
        CloudlinkSettings {
            url: self.cloudlink_url(),
            credentials: Some(CloudlinkCredentials {
                client_id: partner.client_id.clone(),
                client_secret: partner.client_secret.clone(),
                partner_account: partner.account.clone(),
            }),
        }
    }

    /// How a portal reaches this Microsoft, and what it may ask of each tenant in a second.
    pub fn microsoft_settings(&self, requests_per_second: u32) -> MicrosoftSettings {
        let url = |path: &str| Url::parse(&format!("http://{}{path}", self.address)).ok();
        MicrosoftSettings {
            login_url: url("/login"),
            graph_url: url("/graph"),
            requests_per_second,
        }
    }

    /// How a portal hands letters to the pretend mail server.
    pub fn mail_settings(&self) -> Option<MailSettings> {
        let server = MailServer {
            host: self.mail_address.ip().to_string(),
            port: self.mail_address.port(),
            security: Security::None,
            login: None,
        };
        let from = Email::parse("portal@partner.example").ok()?;
        Some(MailSettings { server, from_name: "Presence portal".to_owned(), from })
    }

    /// What lets webhooks come here, although it is no address of the public internet.
    pub fn webhook_hosts(&self) -> HookHosts {
        HookHosts::of([(self.address.ip().to_string(), Some(self.address.port()))])
    }

    /// A webhook whose messages the page shows under this name.
    pub fn webhook_url(&self, name: &str) -> String {
        format!("http://{}/receivers/{name}", self.address)
    }

    /// Stops serving and delivering, and waits until everything has ended.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let ended = async { while self.parts.join_next().await.is_some() {} };
        // A client that never closes its connection must not keep us.
        if timeout(Duration::from_secs(2), ended).await.is_err() {
            self.parts.shutdown().await;
        }
    }

    /// Serves until `stop`: for the commands, which have nothing else to do with it.
    pub async fn run_until(self, stop: CancellationToken) {
        stop.cancelled().await;
        self.stop().await;
    }
}

impl Deref for Sandbox {
    type Target = Controls;

    fn deref(&self) -> &Controls {
        &self.controls
    }
}
