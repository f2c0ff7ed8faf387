//! Several nodes on one Postgres: who works for whom, how they call each other, and what becomes
//! of what was on its way when one of them ends.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use presence_portal::ids::{AccountId, NodeId};
use presence_portal::kit::secret::Secret;
use presence_portal::presence::store::leases;
use presence_portal::sandbox::{System, Trouble, World};
use sqlx::postgres::PgListener;
use tokio::time::{sleep, timeout};

use super::Office;
use super::node::PACE;

/// How many accounts each node works for, the fewest first; those without a node apart.
async fn shares(office: &Office) -> (Vec<i64>, i64) {
    let counts: Vec<i64> = sqlx::query_scalar(
        "SELECT count(*) FROM presence_accounts WHERE node_id IS NOT NULL GROUP BY node_id ORDER BY 1",
    )
    .fetch_all(&office.stage.db)
    .await
    .unwrap();
    let free = sqlx::query_scalar("SELECT count(*) FROM presence_accounts WHERE node_id IS NULL");
    (counts, free.fetch_one(&office.stage.db).await.unwrap())
}

async fn become_shares(office: &Office, expected: &[i64]) {
    let mut found = shares(office).await;
    for _ in 0..1_000 {
        if found == (expected.to_vec(), 0) {
            return;
        }
        sleep(Duration::from_millis(20)).await;
        found = shares(office).await;
    }
    panic!("{found:?} and not {expected:?}");
}

/// Everybody's first telephone is lifted, and told.
async fn everybody_is_told(office: &Office, activity: &str, state: &str) {
    for index in 0..office.accounts.len() {
        office.pass(TimeDelta::milliseconds(10));
        let phone = &office.customer(index).phones[0];
        office.sandbox.phone(office.cloudlink(index), &phone.user, state).unwrap();
    }
    for index in 0..office.accounts.len() {
        let name = office.customer(index).phones[0].name.clone();
        let customer = office.customer(index);
        let (tenant, user) = (customer.tenant, customer.person(&name).unwrap().id);
        let holds = office.sandbox.until(|sandbox| {
            sandbox.session(tenant, user).is_some_and(|held| held.shows.activity == activity)
        });
        timeout(Duration::from_secs(15), holds).await.expect("told, whoever works for it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_spread_evenly_and_move_when_nodes_come_and_go() {
    let office = Office::open(World::of_size(9, 1)).await;
    become_shares(&office, &[9]).await;
    let second = office.second_node().await;
    become_shares(&office, &[4, 5]).await;
    let third = office.second_node().await;
    become_shares(&office, &[3, 3, 3]).await;
    everybody_is_told(&office, "InACall", "onCall").await;

    second.kill().await;
    become_shares(&office, &[4, 5]).await;
    everybody_is_told(&office, "InAConferenceCall", "inConference").await;

    let fourth = office.second_node().await;
    become_shares(&office, &[3, 3, 3]).await;
    everybody_is_told(&office, "InACall", "onCall").await;
    third.stop().await;
    become_shares(&office, &[4, 5]).await;
    fourth.stop().await;
    become_shares(&office, &[9]).await;
}

/// Makes an account's connection lead into the tenant of the first.
async fn join_the_first_tenant(office: &Office, index: usize) {
    sqlx::query("UPDATE connections SET tenant_id = $2, client_id = $3 WHERE account_id = $1")
        .bind(office.accounts[index])
        .bind(office.tenant(0))
        .bind(office.customer(0).app.client)
        .execute(&office.stage.db)
        .await
        .unwrap();
    let secret: Secret = office.customer(0).app.secret.value.clone();
    office.save_secret(index, &secret).await;
}

const TOGETHER: &str = "SELECT count(DISTINCT p.node_id) = 1 AND count(*) = count(p.node_id)
    FROM presence_accounts p JOIN connections c USING (account_id)
    WHERE c.tenant_id = (SELECT tenant_id FROM connections WHERE account_id = $1)";

#[tokio::test(flavor = "multi_thread")]
async fn accounts_of_one_tenant_are_worked_for_by_one_node() {
    let office = Office::open(World::of_size(9, 1)).await;
    let (second, third) = (office.second_node().await, office.second_node().await);
    become_shares(&office, &[3, 3, 3]).await;
    for index in 1..4 {
        join_the_first_tenant(&office, index).await;
    }
    office.until(TOGETHER, 0).await;
    // Its four stay together, whoever goes; the other five are shared out as far as they go.
    become_shares(&office, &[2, 3, 4]).await;
    second.kill().await;
    become_shares(&office, &[4, 5]).await;
    office.until(TOGETHER, 0).await;
    join_the_first_tenant(&office, 8).await;
    office.until(TOGETHER, 0).await;
    third.kill().await;
    become_shares(&office, &[9]).await;

    // A wait that Microsoft asked of one is asked of all, whoever works for them next.
    office.sandbox.trouble_for(
        System::Graph,
        &office.tenant(0).to_string(),
        Trouble::Status { status: 429, retry_after: Some(600) },
    );
    office.sync_now(0).await;
    office
        .until(
            "SELECT count(*) = 5 FROM presence_accounts WHERE throttled_until IS NOT NULL
             AND $1::uuid IS NOT NULL",
            0,
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_takes_what_belongs_to_a_tenant_that_is_elsewhere() {
    let office = Office::open(World::of_size(2, 1)).await;
    join_the_first_tenant(&office, 1).await;
    let (db, node) = (&office.stage.db, NodeId::new());
    let live = leases::heartbeat(db, node, PACE.gone_after).await.unwrap().live();
    leases::give_back(db, office.stage.app.node, &[office.accounts[1]]).await.unwrap();
    let mut tx = db.begin().await.unwrap();
    let taken = leases::take(&mut tx, node, live, PACE.gone_after).await.unwrap();
    tx.commit().await.unwrap();
    assert!(taken.leases.is_empty(), "{taken:?}");
    office.until(TOGETHER, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ring_that_is_lost_on_its_way_costs_seconds_and_not_the_event() {
    let mut office = Office::closed(World::of_size(4, 1)).await;
    let mut config = (*office.stage.app.config).clone();
    // Nobody hears anybody.
    config.database_listen_url = Some(Secret::new("postgres://127.0.0.1:1/nowhere"));
    office.stage.app.config = Arc::new(config);
    for index in 0..4 {
        office.connect(index).await;
        office.switch(index, true).await;
    }
    office.start().await;
    for index in 0..4 {
        office.settled(index).await;
    }
    let second = office.second_node().await;
    become_shares(&office, &[2, 2]).await;
    for index in 0..4 {
        let phone = &office.customer(index).phones[0];
        office.sandbox.phone(office.cloudlink(index), &phone.user, "onCall").unwrap();
    }
    office.until("SELECT count(*) = 4 FROM presences WHERE $1::uuid IS NOT NULL", 0).await;
    office.pass(TimeDelta::seconds(4));
    for index in 0..4 {
        let tenant = office.tenant(index);
        let held = office.sandbox.until(|sandbox| sandbox.held_sessions(tenant) == 1);
        timeout(Duration::from_secs(15), held).await.expect("the owner looks by itself");
    }
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_rings_are_carried_in_one_notification() {
    let office = Office::open(World::small()).await;
    let mut listener = PgListener::connect_with(&office.stage.db).await.unwrap();
    listener.listen(leases::BELLS).await.unwrap();
    let rung: Vec<_> = (0..150).map(|_| AccountId::new()).collect();
    for account in &rung {
        office.stage.app.wakes.ring(*account);
    }
    let (mut notifications, mut heard) = (0, 0);
    while heard < rung.len() {
        let one = timeout(Duration::from_secs(10), listener.recv()).await.unwrap().unwrap();
        let accounts = one.payload().split(',').filter(|id| !id.is_empty()).count();
        notifications += usize::from(accounts > 0);
        heard += accounts;
    }
    assert!(notifications <= 2, "{notifications} notifications for one flush");
}

/// As if the process had ended between Microsoft's answer and our books.
async fn books_are_set_back(office: &Office) {
    sqlx::query(
        "UPDATE presences SET applied = NULL, applied_entra_id = NULL, applied_at = NULL,
            expires_at = NULL, certain = true, wanted = NULL, due_at = $1, revision = revision + 1",
    )
    .bind(office.stage.clock.now())
    .execute(&office.stage.db)
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_process_that_was_killed_may_have_set_is_cleared_by_the_next() {
    let mut office = Office::open(World::small()).await;
    office.phone_is("Ann Miller", "onCall");
    office.holds("Ann Miller", Some("InACall")).await;
    office.kill().await;
    books_are_set_back(&office).await;
    office.restart().await;
    office.holds("Ann Miller", None).await;
    office.until("SELECT applied IS NULL AND certain AND due_at IS NULL FROM presences WHERE account_id = $1", 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_lost_the_lease_with_a_request_on_its_way_says_so() {
    let mut office = Office::open(World::small()).await;
    office.sandbox.trouble_next(System::Graph, 1, Trouble::slow(Duration::from_secs(4)));
    office.phone_is("Ann Miller", "onCall");
    for _ in 0..1_000 {
        if office.sandbox.trouble_of(System::Graph, None).is_none() {
            break;
        }
        sleep(Duration::from_millis(10)).await;
    }
    // The lease goes to a node that has done nothing yet, and the call is over meanwhile.
    let other = NodeId::new();
    leases::heartbeat(&office.stage.db, other, PACE.gone_after).await.unwrap();
    sqlx::query("UPDATE presence_accounts SET node_id = $1, term = term + 1")
        .bind(other)
        .execute(&office.stage.db)
        .await
        .unwrap();
    books_are_set_back(&office).await;
    sqlx::query("UPDATE presences SET due_at = NULL").execute(&office.stage.db).await.unwrap();
    office.stop().await;
    let in_doubt = "SELECT NOT certain AND due_at IS NOT NULL AND applied IS NOT NULL
        FROM presences WHERE account_id = $1";
    assert!(office.ask(in_doubt, 0).await);
}
