//! The composition root: opens what the portal needs, serves and syncs, and stops together.

pub mod keys;
mod metrics;
pub mod opening;
mod ready;
pub mod rekey;
pub mod store;
pub mod upkeep;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::extract::connect_info::IntoMakeServiceWithConnectInfo;
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::checks::Checker;
use crate::cloudlink::Cloudlink;
use crate::config::Config;
use crate::ids::NodeId;
use crate::kit::clock::Clock;
use crate::kit::http::http_client;
use crate::kit::lanes::Lanes;
use crate::kit::password::{Cost, Passwords};
use crate::kit::secret::{Sealer, Secret};
use crate::kit::wake::Wakes;
use crate::microsoft::Microsoft;
use crate::post::Post;
use crate::postgres::Running;
use crate::presence::{Inbox, Pace, Pulse};
use crate::state::AppState;
use crate::telemetry::Metrics;
use crate::{fleet, integrations, notifications, presence, routes, runs, staff};

/// What is in hand may take this long to finish once we are told to stop.
const GRACE: Duration = Duration::from_secs(9);
/// The private server stops by itself; we stay only to see it.
const FAREWELL: Duration = Duration::from_millis(800);

/// The portal, open and about to be served.
pub struct Portal {
    pub app: AppState,
    /// To be told to whoever starts it: it makes the first partner admin.
    pub setup_code: Option<Secret>,
    listener: TcpListener,
    metrics: Option<(TcpListener, Metrics)>,
    server: Option<Running>,
}

impl Portal {
    /// Opens the database and makes it current, to be served on `listener`. The wrong master
    /// key is refused before anything changes.
    pub async fn open(
        mut config: Config,
        listener: TcpListener,
        metrics: Option<Metrics>,
    ) -> anyhow::Result<Self> {
        let metrics = match (config.metrics_listen, metrics) {
            (Some(address), Some(metrics)) => {
                Some((listen("PORTAL_METRICS_LISTEN", address).await?, metrics))
            }
            _ => None,
        };
        let opened = opening::open(&config).await?;
        settle_on(&mut config, listener.local_addr()?)?;
        let app = state(config, opened.db, opened.sealer)?;
        let setup_code = staff::setup::code_for_start(&app.db).await?;
        let server = opened.database.embedded.map(|(server, _)| server);
        Ok(Self { app, setup_code, listener, metrics, server })
    }

    /// Serves and syncs until `stop`, or until any part ends by itself.
    ///
    /// A program of which half has died is worse than one that restarts whole, so the first
    /// part to end takes the others with it.
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let mut parts = JoinSet::new();
        let (inbox, supervisor) = presence::engine(&self.app, Pace::default());
        let site = axum::serve(self.listener, service(&self.app, inbox, supervisor.pulse()))
            .with_graceful_shutdown(stop.clone().cancelled_owned());
        parts.spawn(async { site.await.context("the web server failed") });
        if let Some((listener, metrics)) = self.metrics {
            parts.spawn(metrics::serve(listener, metrics, self.app.db.clone(), stop.clone()));
        }
        let told = stop.clone();
        parts.spawn(supervisor.run(told));
        let (runner, told) = (fleet::runner(&self.app, runs::Pace::default()), stop.clone());
        parts.spawn(async {
            runner.run(told).await;
            Ok(())
        });
        let (closing, told) = (self.app.closing.clone(), stop.clone());
        parts.spawn(async move {
            told.cancelled().await;
            closing.cancel();
            Ok(())
        });
        parts.spawn(notifications::run(self.app.clone(), stop.clone()));
        let (checker, told) = (Checker::new(self.app.clone()), stop.clone());
        parts.spawn(async {
            checker.run(told).await;
            Ok(())
        });
        parts.spawn(upkeep::run(self.app.clone(), stop.clone()));
        parts.spawn(integrations::rotation::run(self.app.clone(), stop.clone()));
        parts.spawn(upkeep::seal(self.app.clone(), stop.clone()));
        parts.spawn(upkeep::add_up(self.app.clone(), stop.clone()));

        let outcome = together(parts, &stop).await;
        self.app.db.close().await;
        if let Some(server) = self.server {
            let _ = timeout(FAREWELL, server.stop()).await;
        }
        outcome
    }
}

/// Waits for all parts, and tells the others to stop as soon as one has ended.
async fn together(
    mut parts: JoinSet<anyhow::Result<()>>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let mut outcome = Ok(());
    if let Some(first) = parts.join_next().await {
        if !stop.is_cancelled() {
            tracing::error!("a part of the portal ended by itself; the others stop too");
        }
        stop.cancel();
        outcome = first.context("a part panicked").flatten();
    }
    let others = async {
        while let Some(ended) = parts.join_next().await {
            let ended = ended.context("a part panicked").flatten();
            outcome = std::mem::replace(&mut outcome, Ok(())).and(ended);
        }
    };
    if timeout(GRACE, others).await.is_err() {
        tracing::warn!("{} parts had to be cut short", parts.len());
        parts.shutdown().await;
    }
    outcome
}

/// The pages for people, and beside them what is for machines.
fn service(
    app: &AppState,
    inbox: Inbox,
    pulse: Pulse,
) -> IntoMakeServiceWithConnectInfo<Router, SocketAddr> {
    routes::site(app.clone())
        .merge(inbox.routes())
        .merge(ready::routes(app.db.clone(), pulse))
        .into_make_service_with_connect_info::<SocketAddr>()
}

/// What every handler and worker is given.
pub fn state(config: Config, db: PgPool, sealer: Sealer) -> anyhow::Result<AppState> {
    let (clock, node) = (Clock::default(), NodeId::new());
    let http = http_client()?;
    Ok(AppState {
        db,
        sealer,
        passwords: Passwords::new(Cost::Recommended),
        microsoft: Microsoft::new(Lanes::open()?, &config.microsoft, clock.clone()),
        cloudlink: Cloudlink::new(http, &config.cloudlink, node, clock.clone()),
        post: Post::new(&config)?,
        config: Arc::new(config),
        clock,
        wakes: Wakes::default(),
        work: Arc::default(),
        closing: CancellationToken::new(),
        check_bell: Arc::default(),
        node,
    })
}

/// Takes an address, or says which setting has to change.
pub async fn listen(setting: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("{setting} is {address}, where the portal cannot listen; choose another")
    })
}

/// Where browsers really reach us, when that was left to the address we listen on.
fn settle_on(config: &mut Config, bound: SocketAddr) -> anyhow::Result<()> {
    let here = |address| Url::parse(&format!("http://{address}"));
    if config.public_url == here(config.listen)? {
        config.public_url = here(bound)?;
    }
    config.listen = bound;
    Ok(())
}
