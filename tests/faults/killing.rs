//! `kill -9` of the portal in the middle of a storm, at a moment that nobody chose.

use std::time::{Duration, Instant};

use presence_portal::sandbox::World;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::support::{Storm, Town, rounds};

/// Portals that are killed side by side: each spends most of its time waiting for the leases of
/// the one before it to run out.
const SIDE_BY_SIDE: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_it_loses_nothing_and_tells_everything() {
    let rounds = rounds("PORTAL_FAULT_ROUNDS", SIDE_BY_SIDE);
    let mut towns = JoinSet::new();
    for nth in 0..SIDE_BY_SIDE.min(rounds) {
        let share = rounds / SIDE_BY_SIDE + usize::from(nth < rounds % SIDE_BY_SIDE);
        towns.spawn(kill_again_and_again(share));
    }
    let mut took = Vec::new();
    while let Some(one) = towns.join_next().await {
        took.extend(one.unwrap());
    }
    took.sort_unstable();
    let (median, last) = (took[took.len() / 2], took[took.len() - 1]);
    eprintln!("{} kills: all was told after {median:.1?}, at most {last:.1?}", took.len());
}

/// How long each time from the start after the kill until all was told.
async fn kill_again_and_again(times: usize) -> Vec<Duration> {
    let mut town = Town::open(World::of_size(3, 5)).await;
    let storm = Storm::over(&town, Duration::from_millis(250));
    let mut took = Vec::new();
    for _ in 0..times {
        let moments = rand::random_range(0..2_000);
        sleep(Duration::from_millis(moments)).await;
        town.portal.kill();
        storm.nothing_is_lost(&town).await;
        town.portal.start();
        if rand::random_bool(0.3) {
            // And once more while it comes up, or takes over what the last one left.
            sleep(Duration::from_millis(rand::random_range(0..12_000))).await;
            town.portal.kill();
            storm.nothing_is_lost(&town).await;
            town.portal.start();
        }
        let began = Instant::now();
        storm.calm(&town).await;
        storm.is_told(&town).await;
        took.push(began.elapsed());
        storm.rise();
    }
    storm.end().await;
    took
}
