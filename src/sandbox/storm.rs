//! Many phones at once: bursts of changes for figures, for tests and to look at.

use std::time::Duration;

use rand::RngExt;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Controls;
use crate::ids::{CloudlinkAccountId, CloudlinkUserId};

/// So many changes, at such a pace, of these accounts' phones.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Storm {
    /// None: every account's phones.
    pub account: Option<CloudlinkAccountId>,
    pub changes: u32,
    pub per_second: u32,
    pub states: Vec<String>,
}

impl Default for Storm {
    fn default() -> Self {
        let states = ["onCall", "available", "inConference", "doNotDisturb"];
        Self {
            account: None,
            changes: 200,
            per_second: 50,
            states: states.map(str::to_owned).to_vec(),
        }
    }
}

pub(super) struct StormsOrdered(mpsc::UnboundedSender<Storm>);

impl StormsOrdered {
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<Storm>) {
        let (orders, ordered) = mpsc::unbounded_channel();
        (Self(orders), ordered)
    }

    pub(super) fn order(&self, storm: Storm) {
        // Nobody listens only when the sandbox is being stopped.
        self.0.send(storm).ok();
    }
}

/// Blows every storm that is ordered, side by side.
pub(super) struct Storms {
    controls: Controls,
    ordered: mpsc::UnboundedReceiver<Storm>,
    stop: CancellationToken,
}

impl Storms {
    pub(super) fn new(
        controls: Controls,
        ordered: mpsc::UnboundedReceiver<Storm>,
        stop: CancellationToken,
    ) -> Self {
        Self { controls, ordered, stop }
    }

    pub(super) async fn run(mut self) {
        let mut storms = JoinSet::new();
        loop {
            tokio::select! {
                () = self.stop.cancelled() => break,
                Some(storm) = self.ordered.recv() => {
                    let blow = blow(self.controls.clone(), storm);
                    storms.spawn(self.stop.clone().run_until_cancelled_owned(blow));
                }
                Some(_) = storms.join_next() => {}
            }
        }
        while storms.join_next().await.is_some() {}
    }
}

async fn blow(controls: Controls, storm: Storm) {
    let phones = phones(&controls, storm.account.as_ref());
    if phones.is_empty() || storm.states.is_empty() {
        return;
    }
    // Tokio's clock ticks in milliseconds: several changes per tick where more are wanted.
    let per_tick = storm.per_second.div_ceil(500).max(1);
    let mut ticks =
        tokio::time::interval(Duration::from_secs(1) * per_tick / storm.per_second.max(1));
    let mut left = storm.changes;
    while left > 0 {
        ticks.tick().await;
        for _ in 0..per_tick.min(left) {
            let phone = phones.get(rand::rng().random_range(0..phones.len()));
            let state = storm.states.get(rand::rng().random_range(0..storm.states.len()));
            if let (Some((account, user)), Some(state)) = (phone, state) {
                controls.phone(account, user, state).ok();
            }
        }
        left = left.saturating_sub(per_tick);
    }
}

fn phones(
    controls: &Controls,
    of: Option<&CloudlinkAccountId>,
) -> Vec<(CloudlinkAccountId, CloudlinkUserId)> {
    let accounts = match of {
        Some(account) => controls.account(account).into_iter().collect(),
        None => controls.cloudlink().accounts(),
    };
    let mut phones = Vec::new();
    for account in accounts {
        let state = account.state();
        phones.extend(state.users().map(|user| (account.id.clone(), user.phone.user.clone())));
    }
    phones
}
