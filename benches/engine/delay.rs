//! From the webhook's request leaving CloudLink to Graph's request arriving at Microsoft.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use presence_portal::kit::clock::Clock;
use presence_portal::sandbox::System;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use crate::hooks::Line;
use crate::stage::Stage;
use crate::world::Shape;

const ACCOUNTS: usize = 100;
const PER_SECOND: u32 = 100;
const LINES: usize = 16;

pub async fn run(seconds: u64) {
    let all = usize::try_from(u64::from(PER_SECOND) * seconds).unwrap();
    let world = Shape { accounts: ACCOUNTS, users: all + ACCOUNTS, largest: 0, odd: 0 }.world();
    let stage = Stage::open(world, 1_000_000, "SELECT 1", &[]).await;
    let mut lines = Vec::new();
    for _ in 0..LINES {
        lines.push(std::sync::Arc::new(Mutex::new(Line::to(stage.portal.address).await)));
    }
    let mut sent: HashMap<String, DateTime<Utc>> = HashMap::new();
    let mut posts = JoinSet::new();
    let mut beat = interval(Duration::from_secs(1) / PER_SECOND);
    beat.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for number in 0..all {
        beat.tick().await;
        let hook = stage.hooks[number % ACCOUNTS].clone();
        let phone = &hook.customer.phones[number / ACCOUNTS];
        let person = hook.customer.person(&phone.name).unwrap();
        sent.insert(person.id.to_string(), Clock::default().now());
        let line = std::sync::Arc::clone(&lines[number % LINES]);
        posts.spawn(async move {
            let event = hook.event(number / ACCOUNTS, number, "onCall").to_string();
            let began = Instant::now();
            assert_eq!(line.lock().await.post(&hook, &event).await, 204);
            began.elapsed()
        });
    }
    let mut durable = posts.join_all().await;
    sleep(Duration::from_secs(2)).await;
    let mut delays: Vec<_> = stage
        .sandbox
        .requests_to(System::Graph)
        .iter()
        .filter_map(|seen| {
            let (action, user) = seen.presence_call()?;
            let sent = sent.get(user).filter(|_| action == "setPresence")?;
            (seen.at - *sent).to_std().ok()
        })
        .collect();
    delays.sort_unstable();
    durable.sort_unstable();
    let at = |all: &[Duration], share: usize| all[all.len() * share / 1_000];
    println!(
        "delay: {} of {all} events at {PER_SECOND}/s over {ACCOUNTS} accounts reached Graph: p50 {:.1?}, p99 {:.1?}",
        delays.len(),
        at(&delays, 500),
        at(&delays, 990),
    );
    println!(
        "delay: ceiling p50 {:.1?}, p99 {:.1?}: until the event is durable and answered, which comes first",
        at(&durable, 500),
        at(&durable, 990),
    );
    stage.close().await;
}
