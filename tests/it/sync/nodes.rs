//! Processes come and go; what was accepted is done.

use std::time::Duration;

use chrono::TimeDelta;
use presence_portal::microsoft::Shows;
use presence_portal::presence::plan::Held;
use presence_portal::presence::store::outcomes::{self, Outcome};
use presence_portal::sandbox::{System, Trouble, World};
use tokio::time::{sleep, timeout};

use super::Office;

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_event_survives_the_process_that_accepted_it() {
    let mut office = Office::open(World::small()).await;
    office.sandbox.trouble(System::Graph, Trouble::Hang);
    office.phone_is("Ann Miller", "onCall");
    office.until("SELECT EXISTS (SELECT 1 FROM presences WHERE account_id = $1)", 0).await;
    office.kill().await;
    office.sandbox.mend(System::Graph);
    office.restart().await;
    office.holds("Ann Miller", Some("InACall")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_ended_while_nobody_was_there_are_not_cleared() {
    let mut office = Office::open(World::small()).await;
    office.phone_is("Ann Miller", "onCall");
    office.holds("Ann Miller", Some("InACall")).await;
    office.until("SELECT applied = 'in-a-call' FROM presences WHERE account_id = $1", 0).await;
    office.kill().await;
    sqlx::query("UPDATE presences SET wanted = NULL, due_at = $1")
        .bind(office.stage.clock.now())
        .execute(&office.stage.db)
        .await
        .unwrap();
    office.pass(TimeDelta::minutes(6));
    office.restart().await;
    office.until("SELECT applied IS NULL FROM presences WHERE account_id = $1", 0).await;
    assert_eq!(office.calls("Ann Miller"), ["setPresence"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_node_takes_over_from_one_that_died_and_hears_its_webhooks() {
    let mut office = Office::open(World::of_size(4, 2)).await;
    let second = office.second_node().await;
    let shared = "SELECT count(*) = 2 FROM presence_accounts p JOIN nodes n ON n.id = p.node_id
        WHERE n.id = (SELECT node_id FROM presence_accounts ORDER BY account_id LIMIT 1) AND $1::uuid IS NOT NULL";
    office.until(shared, 0).await;

    // Events come to the first node; the second works for half of the accounts.
    for index in 0..4 {
        let phone = &office.customer(index).phones[0];
        office.sandbox.phone(office.cloudlink(index), &phone.user, "onCall").unwrap();
        let tenant = office.tenant(index);
        let held = office.sandbox.until(|sandbox| sandbox.held_sessions(tenant) == 1);
        timeout(Duration::from_secs(3), held).await.expect("the owner is rung");
    }

    office
        .until("SELECT count(*) = 4 FROM presences WHERE applied = 'in-a-call' AND $1::uuid IS NOT NULL", 0)
        .await;
    office.kill().await;
    sqlx::query(
        "UPDATE presences SET wanted = NULL, due_at = $1, urgency = 0, revision = revision + 1",
    )
    .bind(office.stage.clock.now())
    .execute(&office.stage.db)
    .await
    .unwrap();
    // Nobody rang: the survey sees what was overlooked.
    office.pass(TimeDelta::seconds(4));
    for index in 0..4 {
        let tenant = office.tenant(index);
        let cleared = office.sandbox.until(|sandbox| sandbox.held_sessions(tenant) == 0);
        timeout(Duration::from_secs(10), cleared).await.expect("the other node takes over");
    }
    second.stop().await;
    let free = "SELECT count(*) = 4 FROM presence_accounts WHERE node_id IS DISTINCT FROM (SELECT id FROM nodes ORDER BY seen_at DESC LIMIT 1) OR $1 IS NULL";
    office.until(free, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_lost_the_lease_writes_nothing_down() {
    let office = Office::open(World::small()).await;
    office.phone_is("Ann Miller", "onCall");
    office.holds("Ann Miller", Some("InACall")).await;
    office.until("SELECT applied = 'in-a-call' FROM presences WHERE account_id = $1", 0).await;
    let (_, user) = office.phone("Ann Miller");
    let now = office.stage.clock.now();
    let term: i64 = sqlx::query_scalar("SELECT term FROM presence_accounts")
        .fetch_one(&office.stage.db)
        .await
        .unwrap();
    let (_, on) = office.person("Ann Miller");
    let stale = Outcome {
        account: office.accounts[0],
        user: user.clone(),
        term: term - 1,
        revision: 0,
        held: Some(Held { shows: Shows::Away, on, since: now, until: now, certain: true }),
        due_at: None,
        urgency: 1,
        failures: 0,
        trouble: None,
        told: true,
        asked: None,
    };
    let accepted =
        outcomes::write(&office.stage.db, office.stage.app.node, &[stale]).await.unwrap();
    assert!(accepted.is_empty());
    assert!(
        office.ask("SELECT applied = 'in-a-call' FROM presences WHERE account_id = $1", 0).await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn directories_that_were_read_and_not_matched_are_read_by_the_next_process() {
    let mut office = Office::open(World::small()).await;
    office.stop().await;
    sqlx::raw_sql(
        "UPDATE presence_accounts SET unmatched = true;
         UPDATE cloudlink_users SET entra_id = NULL, match_trouble = NULL;",
    )
    .execute(&office.stage.db)
    .await
    .unwrap();
    office.restart().await;
    office.phone_is("Ann Miller", "onCall");
    office.holds("Ann Miller", Some("InACall")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_told_to_stop_gives_its_leases_back() {
    let mut office = Office::open(World::small()).await;
    let stopped = timeout(Duration::from_secs(8), office.stop()).await;
    assert!(stopped.is_ok(), "it takes too long to stop");
    assert!(
        office.ask("SELECT node_id IS NULL FROM presence_accounts WHERE account_id = $1", 0).await
    );
    office.phone_is("Ann Miller", "onCall");
    sleep(Duration::from_millis(100)).await;
    office.restart().await;
    // CloudLink delivers again what nobody took.
    office.holds("Ann Miller", Some("InACall")).await;
}
