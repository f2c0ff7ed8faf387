//! Postgres crashes, hangs, and vanishes behind a wire, under load.

use std::time::Duration;

use presence_portal::sandbox::World;
use sqlx::postgres::PgConnectOptions;
use tokio::time::sleep;

use crate::support::proxy::Proxy;
use crate::support::server::Server;
use crate::support::{Storm, Town};

async fn stormy(database: PgConnectOptions) -> (Town, Storm) {
    let town = Town::on(World::of_size(3, 4), database, |_| {}).await;
    let storm = Storm::over(&town, Duration::from_millis(150));
    sleep(Duration::from_secs(1)).await;
    (town, storm)
}

async fn passes_without_a_trace(what: &str, town: &Town, storm: &Storm) {
    storm.calm(town).await;
    let took = storm.is_told(town).await;
    storm.nothing_is_lost(town).await;
    town.is_ready().await;
    eprintln!("{what}: all was told after {took:.1?}; {} events were taken", storm.taken());
    storm.rise();
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_stopped_at_once_and_started_again_has_kept_every_event() {
    let mut server = Server::start().await;
    let (town, storm) = stormy(server.database("portal").await).await;
    for down in [0, 4] {
        server.crash();
        sleep(Duration::from_secs(down)).await;
        server.launch().await;
        storm.nothing_is_lost(&town).await;
        passes_without_a_trace("Postgres crashed", &town, &storm).await;
        sleep(Duration::from_secs(1)).await;
    }
    storm.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_that_hangs_is_waited_for_and_cloudlink_asked_to_come_again() {
    let server = Server::start().await;
    let (town, storm) = stormy(server.database("portal").await).await;
    // Shorter than a lease lasts, and longer.
    for hangs in [3, 16] {
        server.freeze();
        sleep(Duration::from_secs(hangs)).await;
        let (ready, why) = town.portal.readiness().await;
        assert!(!ready, "ready without a database: {why}");
        server.thaw();
        passes_without_a_trace("Postgres hung", &town, &storm).await;
        sleep(Duration::from_secs(1)).await;
    }
    storm.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_lead_nowhere_are_given_up() {
    let server = Server::start().await;
    let proxy = Proxy::to(([127, 0, 0, 1], server.port).into()).await;
    let database = server.database("portal").await.port(proxy.address.port());
    let (mut town, storm) = stormy(database.clone()).await;
    // We look into the books by a way of our own.
    town.db = presence_portal::kit::db::pool(4).connect_lazy_with(server.options("portal"));
    // As after a fail-over: the old server says nothing any more, not even that it is gone.
    proxy.strand();
    passes_without_a_trace("connections were stranded", &town, &storm).await;
    proxy.swallow(true);
    sleep(Duration::from_secs(16)).await;
    proxy.strand();
    proxy.swallow(false);
    passes_without_a_trace("the network was away", &town, &storm).await;
    storm.end().await;
}
