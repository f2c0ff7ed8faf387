//! Bells between nodes, over Postgres: to hurry things up, never to be relied on.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::store::leases;
use crate::ids::AccountId;
use crate::kit::db::in_time;
use crate::state::AppState;

/// A notification holds 8,000 bytes.
const AT_ONCE: usize = 200;
/// Rings are gathered for so long: one look around, and one notification, for many.
const GATHER: Duration = Duration::from_millis(20);
const AGAIN: Duration = Duration::from_secs(2);

/// Carries rings that nobody here listened for to the other nodes; and has every node look around
/// when nobody works for one of the accounts, for it may want a worker for the first time.
pub async fn carry(app: AppState, look_around: Arc<Notify>, stop: CancellationToken) {
    while let Some(accounts) = stop.run_until_cancelled(app.wakes.unheard()).await {
        for some in accounts.chunks(AT_ONCE) {
            let carried = async {
                if leases::lacks_a_worker(&app.db, some).await? {
                    look_around.notify_one();
                    leases::ring_elsewhere(&app.db, &[]).await?;
                }
                leases::ring_elsewhere(&app.db, some).await
            };
            if let Err(error) = in_time(carried).await {
                tracing::warn!("{} rings were not carried: {error}", some.len());
                look_around.notify_one();
            }
        }
        sleep(GATHER).await;
    }
}

/// Rings here what other nodes rang. The one connection that must not go through a
/// transaction pooler.
pub async fn listen(app: AppState, look_around: Arc<Notify>, stop: CancellationToken) {
    stop.run_until_cancelled(async {
        loop {
            if let Err(error) = hear(&app, &look_around).await {
                tracing::warn!("bells of other nodes are not heard for a while: {error}");
            }
            sleep(AGAIN).await;
        }
    })
    .await;
}

async fn hear(app: &AppState, look_around: &Notify) -> sqlx::Result<()> {
    let alone = PgPoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
    let pool = match &app.config.database_listen_url {
        Some(url) => alone.connect(url.reveal()).await?,
        None => alone.connect_with((*app.db.connect_options()).clone()).await?,
    };
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen(leases::BELLS).await?;
    loop {
        match listener.try_recv().await? {
            None => look_around.notify_one(),
            Some(notification) if notification.payload().is_empty() => look_around.notify_one(),
            Some(notification) => {
                for account in notification.payload().split(',') {
                    if let Ok(account) = account.parse::<AccountId>() {
                        app.wakes.ring_here(account);
                    }
                }
            }
        }
    }
}
