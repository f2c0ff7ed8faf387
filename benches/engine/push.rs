//! What a presence update costs, beside the bare HTTP client; and how much of a tenant's quota
//! is used when more is asked than fits.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use presence_portal::ids::AccountId;
use presence_portal::kit::http::http_client;
use presence_portal::presence::store::leases;
use presence_portal::sandbox::{Sandbox, TenantManners};
use sqlx::{Postgres, Transaction};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use url::Url;

use crate::hooks::Line;
use crate::portal::Cost;
use crate::stage::Stage;
use crate::world::Shape;

/// Requests of the bare client on their way at once: as many as one account's worker has.
const AT_ONCE: usize = 16;

/// Processor time per thousand updates, from the event on and from when they are due on; and the
/// same of a client that does nothing else.
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
    let updates = accounts * each * 2;
    let mut done = 0.0;
    let whole = Spent::of(&stage, updates, async {
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
            done += all_of(updates) / 2.0;
            stage.portal.reaches("portal_pushes_total", "result=\"done\"", done).await;
        }
    })
    .await;
    whole.say("from the event on");

    for wanted in [Some("in-a-call"), None] {
        let due = make_due(&stage, wanted).await;
        done += all_of(updates) / 2.0;
        let pushed = Spent::of(&stage, updates / 2, async {
            due.commit().await.unwrap();
            stage.portal.reaches("portal_pushes_total", "result=\"done\"", done).await;
        })
        .await;
        pushed.say(if wanted.is_some() { "set, once due" } else { "cleared, once due" });
    }
    let bare = bare(&stage.sandbox, updates) / (all_of(updates) / 1_000.0);
    println!("push: ceiling {bare:.3} s a thousand, the bare HTTP client with nothing to remember");
    stage.close().await;
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand")]
fn all_of(updates: usize) -> f64 {
    updates as f64
}

/// What a number of updates took and cost.
struct Spent {
    updates: usize,
    took: Duration,
    cost: Cost,
}

impl Spent {
    async fn of(stage: &Stage, updates: usize, work: impl Future<Output = ()>) -> Self {
        let (began, before) = (Instant::now(), stage.portal.cost());
        work.await;
        Self { updates, took: began.elapsed(), cost: stage.portal.cost() - before }
    }

    fn say(&self, which: &str) {
        let thousands = all_of(self.updates) / 1_000.0;
        let portal = self.cost.portal / thousands;
        let postgres = self.cost.postgres.unwrap_or(f64::NAN) / thousands;
        println!(
            "push: {} updates in {:.1?}, {which}; a thousand cost {:.3} s of processor: {portal:.3} the portal, {postgres:.3} Postgres",
            self.updates,
            self.took,
            portal + postgres
        );
    }
}

/// Everybody is to show something else, as after a change of the mapping, once this is committed.
async fn make_due(stage: &Stage, wanted: Option<&str>) -> Transaction<'static, Postgres> {
    let mut tx = stage.opened.db.begin().await.unwrap();
    sqlx::query(
        "UPDATE presences SET wanted = $1, urgency = 0, revision = revision + 1, due_at = now(),
            waiting_since = now() WHERE wanted IS DISTINCT FROM $1",
    )
    .bind(wanted)
    .execute(&mut *tx)
    .await
    .unwrap();
    let accounts: Vec<AccountId> = sqlx::query_scalar("SELECT account_id FROM presence_accounts")
        .fetch_all(&mut *tx)
        .await
        .unwrap();
    leases::ring_elsewhere(&mut *tx, &accounts).await.unwrap();
    tx
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
