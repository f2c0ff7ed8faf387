//! When a worker has nothing left to do: what it has done can be looked at then.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::Office;
use super::office::PATIENCE;

impl Office {
    /// Waits until nobody is due: what was to be told is told, and written down.
    pub async fn at_rest(&self) {
        let nobody_is_due = async {
            let due = "SELECT EXISTS (SELECT 1 FROM presences WHERE due_at <= $1)";
            let now = self.stage.clock.now();
            while sqlx::query_scalar(due).bind(now).fetch_one(&self.stage.db).await.unwrap() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        let rested = timeout(PATIENCE, nobody_is_due).await;
        assert!(rested.is_ok(), "somebody is due all the while\n{}", self.books().await);
    }
}
