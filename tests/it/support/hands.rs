//! Somebody who does the long work, as a process of the portal does.

use std::time::Duration;

use presence_portal::fleet;
use presence_portal::ids::{NodeId, RunId};
use presence_portal::runs::Pace;
use presence_portal::state::AppState;
use sqlx::PgPool;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// Quick enough for a test, slow enough for a busy machine.
const PACE: Pace =
    Pace { rest: Duration::from_millis(30), lease: Duration::from_millis(1_500), at_once: 4 };
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Hands {
    stop: CancellationToken,
    parts: JoinSet<()>,
}

impl Hands {
    /// On a node of their own.
    pub fn at(app: &AppState) -> Self {
        let mut app = app.clone();
        app.node = NodeId::new();
        let stop = CancellationToken::new();
        let mut parts = JoinSet::new();
        parts.spawn(fleet::runner(&app, PACE).run(stop.clone()));
        Self { stop, parts }
    }

    /// As `kill -9` does: nothing is given back.
    pub async fn kill(mut self) {
        self.parts.shutdown().await;
    }

    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.parts.join_next().await.is_some() {}
    }
}

/// Waits until the newest run stands like that, and says which it is.
pub async fn run_is(db: &PgPool, state: &str) -> RunId {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (id, stands): (RunId, String) =
            sqlx::query_as("SELECT id, state FROM runs ORDER BY begun_at DESC, id DESC LIMIT 1")
                .fetch_one(db)
                .await
                .unwrap();
        if stands == state {
            return id;
        }
        if Instant::now() > deadline {
            let items: Vec<String> =
                sqlx::query_scalar("SELECT row_to_json(i)::text FROM run_items i")
                    .fetch_all(db)
                    .await
                    .unwrap();
            panic!("the run is {stands} and not {state}:\n{}", items.join("\n"));
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until a query says so.
pub async fn holds(db: &PgPool, query: &'static str) {
    let deadline = Instant::now() + PATIENCE;
    while !sqlx::query_scalar::<_, bool>(query).fetch_one(db).await.unwrap() {
        assert!(Instant::now() < deadline, "waited in vain: {query}");
        sleep(Duration::from_millis(20)).await;
    }
}
