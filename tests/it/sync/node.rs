//! One running process of the portal, without its pages.

use std::time::Duration;

use presence_portal::presence::{self, Pace};
use presence_portal::state::AppState;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Quick enough for a test, slow enough for a busy machine.
pub const PACE: Pace = Pace {
    heartbeat: Duration::from_millis(100),
    gone_after: Duration::from_secs(2),
    directory: Duration::from_mins(15),
    subscription: Duration::from_mins(10),
    silence: Duration::from_mins(5),
    person: Duration::from_hours(1),
};

pub struct Node {
    stop: CancellationToken,
    parts: JoinSet<()>,
}

impl Node {
    pub fn start(app: &AppState, listener: TcpListener) -> Self {
        let stop = CancellationToken::new();
        let mut parts = JoinSet::new();
        let (inbox, supervisor) = presence::engine(app, PACE);
        let serve = axum::serve(listener, inbox.routes())
            .with_graceful_shutdown(stop.clone().cancelled_owned());
        parts.spawn(async move { serve.await.unwrap() });
        let told = stop.clone();
        parts.spawn(async { supervisor.run(told).await.unwrap() });
        Self { stop, parts }
    }

    /// As `kill -9` does: nothing is finished, nothing given back.
    pub async fn kill(mut self) {
        self.parts.shutdown().await;
    }

    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.parts.join_next().await.is_some() {}
    }
}
