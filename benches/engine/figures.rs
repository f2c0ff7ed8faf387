//! The delay from a webhook's arrival to the request that leaves for Graph, and durable events
//! a second. Everything runs in this process on loopback; only Postgres stands beside it: a
//! server of yours with `DATABASE_URL`, else a throw-away one that does not sync to disk.

#[path = "../../tests/it/support/database.rs"]
mod database;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use presence_portal::cloudlink::Cloudlink;
use presence_portal::config::Config;
use presence_portal::ids::{AccountId, CloudlinkUserId, IntegrationId, NodeId};
use presence_portal::integrations::secret_owner;
use presence_portal::kit::clock::Clock;
use presence_portal::kit::http::http_client;
use presence_portal::kit::password::{Cost, Passwords};
use presence_portal::kit::secret::{MasterKey, Sealer};
use presence_portal::kit::wake::Wakes;
use presence_portal::microsoft::Microsoft;
use presence_portal::presence::store::events::{self, Received};
use presence_portal::presence::{self, Pace};
use presence_portal::sandbox::{Customer, Sandbox, Settings, System, World};
use presence_portal::state::AppState;
use reqwest::{Client, StatusCode};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use url::Url;

/// From the webhook's request leaving CloudLink to Graph's request arriving at Microsoft.
pub async fn delay(accounts: usize, per_second: u64, seconds: u64) {
    let each = usize::try_from(per_second * seconds).unwrap() / accounts + 1;
    let portal = Portal::open(World::of_size(accounts, each), 1_000_000).await;
    let mut sent: HashMap<String, DateTime<Utc>> = HashMap::new();
    let mut posts = JoinSet::new();
    let mut beat = interval(Duration::from_secs(1) / u32::try_from(per_second).unwrap());
    beat.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for number in 0..usize::try_from(per_second * seconds).unwrap() {
        beat.tick().await;
        let customer = &portal.sandbox.world().customers[number % accounts];
        let phone = &customer.phones[number / accounts];
        let person = customer.person(&phone.name).unwrap();
        let body = event(customer, &phone.user, number, "onCall");
        let post = portal.client.post(portal.hooks[number % accounts].clone()).body(body);
        sent.insert(person.id.to_string(), Clock::default().now());
        posts.spawn(async move { post.send().await.unwrap().status() });
    }
    while let Some(status) = posts.join_next().await {
        assert_eq!(status.unwrap(), StatusCode::NO_CONTENT);
    }
    sleep(Duration::from_secs(2)).await;
    let mut delays: Vec<_> = portal
        .sandbox
        .requests_to(System::Graph)
        .iter()
        .filter_map(|seen| {
            let (action, user) = seen.presence_call()?;
            let sent = sent.get(user).filter(|_| action == "setPresence")?;
            Some((seen.at - *sent).num_microseconds().unwrap_or(i64::MAX))
        })
        .collect();
    delays.sort_unstable();
    let at = |share: usize| delays[delays.len() * share / 1_000] / 100;
    println!(
        "delay: {} of {} events at {per_second}/s over {accounts} accounts: p50 {}.{} ms, p99 {}.{} ms",
        delays.len(),
        sent.len(),
        at(500) / 10,
        at(500) % 10,
        at(990) / 10,
        at(990) % 10,
    );
    portal.close().await;
}

/// Durable events per second with so many connections, beside the same statement by itself.
pub async fn ingest(connections: usize, seconds: u64) {
    let portal = Portal::open(World::of_size(10, 100), 0).await;
    // Nobody is matched, so that only taking in is measured.
    sqlx::query("UPDATE cloudlink_users SET excluded = true")
        .execute(&portal.app.db)
        .await
        .unwrap();
    let until = Instant::now() + Duration::from_secs(seconds);
    let mut senders = JoinSet::new();
    for connection in 0..connections {
        let customer = portal.sandbox.world().customers[connection % 10].clone();
        let (client, hook) = (portal.client.clone(), portal.hooks[connection % 10].clone());
        senders.spawn(async move {
            let mut took = Vec::new();
            for number in 0.. {
                let began = Instant::now();
                if began > until {
                    break;
                }
                let phone = &customer.phones[(connection / 10 * 14 + number) % 100];
                let state = if number % 2 == 0 { "onCall" } else { "available" };
                let body = event(&customer, &phone.user, connection * 10_000_000 + number, state);
                let answer = client.post(hook.clone()).body(body).send().await.unwrap();
                assert_eq!(answer.status(), StatusCode::NO_CONTENT);
                took.push(began.elapsed());
            }
            took
        });
    }
    let mut took: Vec<_> = senders.join_all().await.into_iter().flatten().collect();
    took.sort_unstable();
    let rate = took.len() as u64 / seconds;
    let p99 = took[took.len() * 99 / 100];
    let alone = statement_alone(&portal, connections, seconds).await;
    let (fsync, commit): (String, String) =
        sqlx::query_as("SELECT current_setting('fsync'), current_setting('synchronous_commit')")
            .fetch_one(&portal.app.db)
            .await
            .unwrap();
    println!(
        "ingest: {rate} events/s at {connections} connections, p99 {p99:.1?}; the statement alone, {connections} at once: {alone} events/s (fsync {fsync}, synchronous_commit {commit})"
    );
    portal.close().await;
}

/// The ceiling: the same upsert, in batches as large as there are connections, by nobody else.
async fn statement_alone(portal: &Portal, batch: usize, seconds: u64) -> u64 {
    let until = Instant::now() + Duration::from_secs(seconds);
    let clock = Clock::default();
    let mut written = 0;
    for round in 0_usize.. {
        if Instant::now() > until {
            break;
        }
        let received = |number: usize| {
            let customer = &portal.sandbox.world().customers[number % 10];
            Received {
                account: portal.accounts[number % 10],
                user: customer.phones[(round * batch + number) / 10 % 100].user.clone(),
                state: if round % 2 == 0 { "onCall" } else { "available" }.to_owned(),
                entered_at: clock.now(),
                publication_id: format!("alone-{round}-{number}"),
                received_at: clock.now(),
            }
        };
        let batch: Vec<_> = (0..batch).map(received).collect();
        events::write(&portal.app.db, &batch).await.unwrap();
        written += batch.len() as u64;
    }
    written / seconds
}

fn event(customer: &Customer, user: &CloudlinkUserId, number: usize, state: &str) -> String {
    let now = Clock::default().now();
    json!({
        "publicationId": format!("p-{number}"), "topic": "platform-api-presence", "method": "PUT",
        "subject": format!("/2017-09-01/presentities/{user}"),
        "content": {"presences": {"aggregate": {"status": state, "enteredOn": now}}},
        "publisher": {"accountId": customer.account, "principalId": user},
        "subscription": {"subscriptionId": "s"},
        "notification": {"createdOn": now, "correlationId": "c"},
    })
    .to_string()
}

/// A portal between the sandbox's systems, every account of it switched on and settled.
struct Portal {
    app: AppState,
    sandbox: Sandbox,
    accounts: Vec<AccountId>,
    hooks: Vec<Url>,
    client: Client,
    stop: CancellationToken,
    parts: JoinSet<()>,
}

impl Portal {
    async fn open(world: World, journal: usize) -> Self {
        let settings = Settings { journal, ..Settings::default() };
        let sandbox = Sandbox::start_with(world, Clock::default(), settings).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut config = Config::read(|_| None).unwrap();
        config.public_url =
            Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        config.cloudlink = sandbox.cloudlink_settings();
        config.microsoft = sandbox.microsoft_settings(50);
        let (db, clock, node) = (database::fresh().await, Clock::default(), NodeId::new());
        let http = http_client().unwrap();
        let app = AppState {
            db,
            clock: clock.clone(),
            sealer: Sealer::new(&MasterKey::random()),
            passwords: Passwords::new(Cost::Trifling),
            microsoft: Microsoft::new(http.clone(), &config.microsoft, clock.clone()),
            cloudlink: Cloudlink::new(http, &config.cloudlink, node, clock),
            post: presence_portal::post::Post::new(&config).unwrap(),
            config: Arc::new(config),
            wakes: Wakes::default(),
            work: Arc::default(),
            closing: CancellationToken::new(),
            check_bell: Arc::default(),
            node,
        };
        let mut accounts = Vec::new();
        for customer in &sandbox.world().customers {
            accounts.push(set_up(&app, customer).await);
        }
        let stop = CancellationToken::new();
        let mut parts = JoinSet::new();
        let (inbox, supervisor) = presence::engine(&app, Pace::default());
        let serve = axum::serve(listener, inbox.routes())
            .with_graceful_shutdown(stop.clone().cancelled_owned());
        parts.spawn(async move { serve.await.unwrap() });
        let told = stop.clone();
        parts.spawn(async { supervisor.run(told).await.unwrap() });
        settled(&app).await;
        let hook = |customer: &Customer| sandbox.subscriptions(&customer.account)[0].device.clone();
        let hooks = sandbox.world().customers.iter().map(hook).collect();
        let client = Client::builder().build().unwrap();
        Self { app, sandbox, accounts, hooks, client, stop, parts }
    }

    async fn close(self) {
        self.stop.cancel();
        self.parts.join_all().await;
        self.sandbox.stop().await;
    }
}

async fn set_up(app: &AppState, customer: &Customer) -> AccountId {
    let (account, integration) = (AccountId::new(), IntegrationId::new());
    let secret =
        app.sealer.seal(&secret_owner(account, integration), &customer.app.secret.value).unwrap();
    let mut tx = app.db.begin().await.unwrap();
    sqlx::query(
        "INSERT INTO accounts (id, name, cloudlink_account_id, created_at, updated_at)
         VALUES ($1, $2, $3, now(), now())",
    )
    .bind(account)
    .bind(&customer.name)
    .bind(&customer.account)
    .execute(&mut *tx)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO integrations (account_id, id, kind, release, added_at)
         VALUES ($1, $2, 'microsoft-teams', 2, now())",
    )
    .bind(account)
    .bind(integration)
    .execute(&mut *tx)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO connections (account_id, integration_id, name, tenant_id, client_id, cloud, secret, version, updated_at)
         VALUES ($1, $2, 'Teams', $3, $4, 'global', $5, 1, now())",
    )
    .bind(account)
    .bind(integration)
    .bind(customer.tenant)
    .bind(customer.app.client)
    .bind(secret)
    .execute(&mut *tx)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO features (account_id, integration_id, feature, enabled, changed_at)
         VALUES ($1, $2, 'presence-sync', true, now())",
    )
    .bind(account)
    .bind(integration)
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    account
}

/// Waits until every account is subscribed and everybody is matched.
async fn settled(app: &AppState) {
    loop {
        let waiting: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM accounts a LEFT JOIN presence_accounts p ON p.account_id = a.id
                WHERE p.subscription_id IS NULL OR p.users_refreshed_at IS NULL)
             OR EXISTS (SELECT 1 FROM cloudlink_users WHERE entra_id IS NULL OR match_changed)",
        )
        .fetch_one(&app.db)
        .await
        .unwrap();
        if !waiting {
            return;
        }
        sleep(Duration::from_millis(100)).await;
    }
}
