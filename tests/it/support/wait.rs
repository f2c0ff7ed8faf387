//! Waiting for what another process does.

use std::time::{Duration, Instant};

/// Long enough for a machine that does ten things at once.
const PATIENCE: Duration = Duration::from_secs(30);

/// Looks again and again, and fails when it has not come about in time.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
