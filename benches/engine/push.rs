//! What a presence update costs, beside the bare HTTP client; and how much of a tenant's quota
//! is used when more is asked than fits.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use presence_portal::kit::http::http_client;
use presence_portal::sandbox::{Sandbox, TenantManners};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use url::Url;

use crate::hooks::Line;
use crate::stage::Stage;
use crate::world::Shape;

/// Requests of the bare client on their way at once: as many as one account's worker has.
const AT_ONCE: usize = 16;

/// Processor time per thousand updates, and the same of a client that does nothing else.
pub async fn cost(seconds: u64) {
    let accounts = 20;
    // As many as fit into the time, give or take: what counts is the cost of each.
    let each = usize::try_from(seconds * 50).unwrap().clamp(50, 2_000);
    let world = Shape { accounts, users: accounts * each, largest: 0, odd: 0 }.world();
    let many = [("PORTAL_GRAPH_REQUESTS_PER_SECOND", "10000".to_owned())];
    let stage = Stage::open(world, 0, "SELECT 1", &many).await;
    for customer in &stage.sandbox.world().customers {
        stage.sandbox.manners(customer.tenant, no_limit).unwrap();
    }
    let before = stage.portal.cost();
    let began = Instant::now();
    for (round, state) in ["onCall", "available"].into_iter().enumerate() {
        let mut line = Line::to(stage.portal.address).await;
        for start in (0..each).step_by(50) {
            for hook in &stage.hooks {
                let users = start..(start + 50).min(each);
                let events: Vec<_> =
                    users.map(|user| hook.event(user, user * 2 + round, state)).collect();
                let body = serde_json::to_string(&events).unwrap();
                assert_eq!(line.post(hook, &body).await, 204);
            }
        }
        let done = f64::from(u32::try_from(accounts * each * (round + 1)).unwrap());
        stage.portal.reaches("portal_pushes_total", "result=\"done\"", done).await;
    }
    let took = began.elapsed();
    let spent = stage.portal.cost() - before;
    let updates = accounts * each * 2;
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let thousands = updates as f64 / 1_000.0;
    let (portal, postgres) =
        (spent.portal / thousands, spent.postgres.unwrap_or(f64::NAN) / thousands);
    let bare = bare(&stage.sandbox, updates) / thousands;
    println!(
        "push: {updates} updates in {took:.1?}; a thousand cost {:.3} s of processor: {portal:.3} the portal, {postgres:.3} Postgres",
        portal + postgres
    );
    println!("push: ceiling {bare:.3} s a thousand, the bare HTTP client with nothing to remember");
    stage.close().await;
}

fn no_limit(manners: &mut TenantManners) {
    manners.presence_limit.units = u32::MAX;
}

/// Sends the same requests from a process that does nothing else, and returns what it spent.
fn bare(sandbox: &Sandbox, requests: usize) -> f64 {
    let customer = &sandbox.world().customers[0];
    let login = format!("http://{}/login/{}/oauth2/v2.0/token", sandbox.address(), customer.tenant);
    let graph = format!("http://{}/graph/v1.0/users", sandbox.address());
    let users: Vec<_> = customer.people.iter().take(50).map(|who| who.id.to_string()).collect();
    let said = Command::new(std::env::current_exe().unwrap())
        .args(["bare", "--", &login, &graph, &customer.app.client.to_string()])
        .args([customer.app.secret.value.reveal(), &requests.to_string(), &users.join(",")])
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "the bare client failed: {complaint}");
    String::from_utf8_lossy(&said.stdout).trim().parse().unwrap()
}

#[derive(Debug, clap::Args)]
pub struct Bare {
    login: Url,
    graph: String,
    client: String,
    secret: String,
    requests: usize,
    users: String,
}

/// The bare client: sets a presence, and again, and says what processor time it took.
pub async fn be_bare(wanted: &Bare) {
    let http = http_client().unwrap();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &wanted.client),
        ("client_secret", &wanted.secret),
        ("scope", "https://graph.microsoft.com/.default"),
    ];
    let answer = http.post(wanted.login.clone()).form(&form).send().await.unwrap();
    let answer: serde_json::Value = answer.json().await.unwrap();
    let token = Arc::new(format!("Bearer {}", answer["access_token"].as_str().unwrap()));
    let body = format!(
        r#"{{"sessionId":"{}","availability":"Busy","activity":"InACall","expirationDuration":"PT5M"}}"#,
        wanted.client
    );
    let users: Vec<_> = wanted.users.split(',').map(str::to_owned).collect();
    let mut senders = JoinSet::new();
    for sender in 0..AT_ONCE {
        let (http, token, body) = (http.clone(), Arc::clone(&token), body.clone());
        let (graph, users) = (wanted.graph.clone(), users.clone());
        let requests = wanted.requests / AT_ONCE;
        senders.spawn(async move {
            for number in 0..requests {
                let user = &users[(sender + number * AT_ONCE) % users.len()];
                let answer = http
                    .post(format!("{graph}/{user}/presence/setPresence"))
                    .header("authorization", token.as_str())
                    .header("content-type", "application/json")
                    .body(body.clone())
                    .send()
                    .await
                    .unwrap();
                assert!(answer.status().is_success(), "{}", answer.status());
                answer.bytes().await.unwrap();
            }
        });
    }
    senders.join_all().await;
    println!("{}", crate::portal::spent(std::process::id(), false));
}

/// How much of 1,500 requests in 30 seconds is used when three times as much is wanted.
pub async fn goodput(seconds: u64) {
    let users = usize::try_from(seconds * 50 * 3).unwrap();
    let world = Shape { accounts: 1, users, largest: 0, odd: 0 }.world();
    let stage = Stage::open(world, 0, "SELECT 1", &[]).await;
    let hook = &stage.hooks[0];
    let tenant = hook.customer.tenant;
    let mut line = Line::to(stage.portal.address).await;
    stage.sandbox.forget_tally(tenant).unwrap();
    let events: Vec<_> = (0..users).map(|user| hook.event(user, user, "onCall")).collect();
    for some in events.chunks(50) {
        let body = serde_json::to_string(some).unwrap();
        assert_eq!(line.post(hook, &body).await, 204);
    }
    sleep(Duration::from_secs(2)).await;
    let before = stage.sandbox.tally(tenant);
    sleep(Duration::from_secs(seconds)).await;
    let after = stage.sandbox.tally(tenant);
    let good =
        (after.presence_requests - after.throttled) - (before.presence_requests - before.throttled);
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let share = good as f64 * 100.0 / (seconds * 50) as f64;
    println!(
        "push: goodput {good} of {} under overload, {share:.1} % of 1,500 in 30 s; {} throttled, {} before Retry-After was over, {} that changed nothing",
        seconds * 50,
        after.throttled,
        after.before_retry_after,
        after.changed_nothing
    );
    stage.close().await;
}
