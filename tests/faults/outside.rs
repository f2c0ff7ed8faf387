//! Microsoft and CloudLink refuse, hang, reset, and answer what is no answer.

use std::time::Duration;

use presence_portal::kit::clock::Clock;
use presence_portal::sandbox::{Sandbox, System, Trouble, World};
use tokio::time::sleep;

use crate::support::proxy::Proxy;
use crate::support::tls::{self, Door};
use crate::support::{Storm, Town, database};

/// Long enough that workers begin to wait, and short enough that they do not wait for long.
const LASTS: Duration = Duration::from_millis(2_500);

async fn stormy() -> (Town, Storm) {
    let town = Town::open(World::of_size(3, 4)).await;
    let storm = Storm::over(&town, Duration::from_millis(200));
    sleep(Duration::from_secs(1)).await;
    (town, storm)
}

async fn passes_without_a_trace(what: &str, town: &Town, storm: &Storm) {
    storm.calm(town).await;
    let took = storm.is_told(town).await;
    storm.nothing_is_lost(town).await;
    eprintln!("{what}: all was told after {took:.1?}; {} events were taken", storm.taken());
    storm.rise();
    sleep(Duration::from_millis(500)).await;
}

async fn each(troubles: impl IntoIterator<Item = Trouble>) {
    let (town, storm) = stormy().await;
    for trouble in troubles {
        let label = trouble.label();
        town.sandbox.trouble(System::Graph, trouble);
        sleep(LASTS).await;
        town.sandbox.mend(System::Graph);
        passes_without_a_trace(&format!("Graph, {label}"), &town, &storm).await;
    }
    town.until("SELECT NOT EXISTS (SELECT FROM presence_troubles)").await;
    storm.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn graph_that_does_not_do_as_asked_is_asked_again() {
    each([
        Trouble::Away,
        Trouble::Status { status: 429, retry_after: Some(2) },
        Trouble::status(429),
        Trouble::status(503),
        Trouble::status(500),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn graph_that_may_have_done_as_asked_is_asked_again() {
    each([
        Trouble::Hang,
        Trouble::LoseAnswer,
        Trouble::Html { status: 502 },
        Trouble::Html { status: 200 },
        Trouble::Truncated,
        Trouble::HalfJson,
        Trouble::slow(Duration::from_millis(700)),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_is_away_while_tokens_run_out_is_waited_for() {
    let (town, storm) = stormy().await;
    for trouble in [Trouble::Away, Trouble::status(503), Trouble::Hang] {
        let label = trouble.label();
        town.sandbox.trouble(System::Login, trouble);
        for customer in &town.sandbox.world().customers {
            town.sandbox.revoke_tokens(customer.tenant).unwrap();
        }
        sleep(LASTS).await;
        town.sandbox.mend(System::Login);
        passes_without_a_trace(&format!("sign-in, {label}"), &town, &storm).await;
    }
    storm.end().await;
}

/// A town that reaches one of Microsoft's hosts by way of this door.
async fn behind_a_door(setting: &'static str, path: &str) -> (Town, Storm, Door) {
    let sandbox = Sandbox::start(World::of_size(3, 4), Clock::default()).await.unwrap();
    for customer in &sandbox.world().customers {
        sandbox
            .manners(customer.tenant, |manners| manners.links_by_https = path == "/graph")
            .unwrap();
    }
    let door = Door::to(sandbox.address()).await;
    let url = format!("https://{}{path}", door.address);
    let town = Town::beside(sandbox, database::fresh_options().await, |settings| {
        settings.push((setting, url));
        settings.push(("SSL_CERT_FILE", tls::authority()));
    })
    .await;
    let storm = Storm::over(&town, Duration::from_millis(200));
    sleep(Duration::from_secs(1)).await;
    (town, storm, door)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_who_shows_a_certificate_where_one_signs_in_is_not_believed() {
    let (town, storm, door) = behind_a_door("PORTAL_MICROSOFT_LOGIN_URL", "/login").await;
    door.is_a_stranger(true);
    for _ in 0..3 {
        for customer in &town.sandbox.world().customers {
            town.sandbox.revoke_tokens(customer.tenant).unwrap();
        }
        sleep(Duration::from_secs(1)).await;
    }
    door.is_a_stranger(false);
    passes_without_a_trace("a stranger's certificate at sign-in", &town, &storm).await;
    storm.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_who_shows_a_certificate_in_place_of_graph_is_told_nothing() {
    let (town, storm, door) = behind_a_door("PORTAL_MICROSOFT_GRAPH_URL", "/graph").await;
    door.is_a_stranger(true);
    // Requests that had gone in before are answered, or lost, within a moment.
    sleep(Duration::from_millis(500)).await;
    let asked = town.sandbox.requests_to(System::Graph).len();
    sleep(LASTS).await;
    assert_eq!(town.sandbox.requests_to(System::Graph).len(), asked);
    town.until(
        "SELECT EXISTS (SELECT FROM presence_troubles WHERE cause = 'microsoft-unreachable')",
    )
    .await;
    door.is_a_stranger(false);
    passes_without_a_trace("a stranger's certificate at Graph", &town, &storm).await;
    town.until("SELECT NOT EXISTS (SELECT FROM presence_troubles)").await;
    storm.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wire_that_is_cut_or_leads_nowhere_is_laid_anew() {
    let sandbox = Sandbox::start(World::of_size(3, 4), Clock::default()).await.unwrap();
    let proxy = Proxy::to(sandbox.address()).await;
    let graph = format!("http://{}/graph", proxy.address);
    let town = Town::beside(sandbox, database::fresh_options().await, |settings| {
        settings.push(("PORTAL_MICROSOFT_GRAPH_URL", graph));
    })
    .await;
    let storm = Storm::over(&town, Duration::from_millis(200));
    sleep(Duration::from_secs(1)).await;
    proxy.hang_up();
    sleep(LASTS).await;
    proxy.listen_again().await;
    passes_without_a_trace("Graph refused connections", &town, &storm).await;
    proxy.strand();
    passes_without_a_trace("connections to Graph were stranded", &town, &storm).await;
    proxy.swallow(true);
    sleep(LASTS).await;
    proxy.swallow(false);
    passes_without_a_trace("the wire to Graph held everything back", &town, &storm).await;
    storm.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cloudlink_that_is_away_loses_nobody_their_state() {
    let (town, storm) = stormy().await;
    for trouble in [Trouble::Away, Trouble::status(503), Trouble::HalfJson] {
        let label = trouble.label();
        town.sandbox.trouble(System::Cloudlink, trouble);
        sleep(LASTS).await;
        town.sandbox.mend(System::Cloudlink);
        passes_without_a_trace(&format!("CloudLink, {label}"), &town, &storm).await;
    }
    storm.end().await;
}
