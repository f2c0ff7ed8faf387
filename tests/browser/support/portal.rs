//! A portal whole: its own database, its own sandbox, real sockets between all of them.

use std::time::{Duration, Instant};

use presence_portal::app::Portal as Opened;
use presence_portal::config::Config;
use presence_portal::ids::{AccountId, CloudlinkUserId, EntraUserId, IntegrationId, StaffId};
use presence_portal::kit::clock::Clock;
use presence_portal::kit::email::Email;
use presence_portal::kit::secret::{MasterKey, Secret};
use presence_portal::sandbox::{Customer, Sandbox, Tile, World};
use presence_portal::staff::Role;
use presence_portal::staff::store::{self, NewStaff};
use presence_portal::state::AppState;
use sqlx::ConnectOptions;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::Visitor;
use super::database;

pub const EMAIL: &str = "ann@partner.example";
pub const PASSWORD: &str = "a long walk by the river";
/// Until a worker has read both directories and CloudLink sends us events.
const SETTLES_WITHIN: Duration = Duration::from_secs(15);

pub struct Portal {
    pub url: String,
    pub sandbox: Sandbox,
    app: AppState,
    setup_code: Option<Secret>,
    _parts: JoinSet<()>,
    _stop: DropGuard,
}

impl Portal {
    pub async fn start() -> Self {
        let sandbox = Sandbox::start(World::small(), Clock::default()).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut config =
            Config::read(|name| (name == "PORTAL_PUBLIC_URL").then(|| url.clone())).unwrap();
        config.database_url =
            Some(Secret::new(database::fresh_options().await.to_url_lossy().to_string()));
        config.master_key = Some(MasterKey::random());
        config.cloudlink = sandbox.cloudlink_settings();
        config.microsoft = sandbox.microsoft_settings(50);
        config.mail = sandbox.mail_settings();
        config.webhook_hosts = sandbox.webhook_hosts();
        let portal = Opened::open(config, listener, None).await.unwrap();
        let (app, setup_code) = (portal.app.clone(), portal.setup_code.clone());
        let stop = CancellationToken::new();
        let (mut parts, told) = (JoinSet::new(), stop.clone());
        parts.spawn(async { portal.run(told).await.unwrap() });
        Self { url, sandbox, app, setup_code, _parts: parts, _stop: stop.drop_guard() }
    }

    pub fn setup_code(&self) -> String {
        self.setup_code.as_ref().unwrap().reveal().to_owned()
    }

    /// Makes a partner admin and signs them in, as a person would.
    pub async fn sign_in(&self, visitor: &Visitor) {
        let (email, password) = (Email::parse(EMAIL).unwrap(), Secret::new(PASSWORD));
        let hash = self.app.passwords.hash(&password).await.unwrap();
        let staff = NewStaff {
            id: StaffId::new(),
            name: "Ann Archer",
            email: &email,
            role: Role::PartnerAdmin,
            password_hash: Some(&hash),
        };
        store::insert(&self.app.db, staff, self.app.clock.now()).await.unwrap();
        visitor.visit("/sign-in").await;
        visitor.fill("Email", EMAIL).await;
        visitor.fill("Password", PASSWORD).await;
        visitor.press("Sign in").await;
        visitor.sees("Ann Archer").await;
    }

    /// So many accounts without an integration: Account 001, Account 002…
    pub async fn add_accounts(&self, how_many: i32) {
        sqlx::query(
            "INSERT INTO accounts (id, name, cloudlink_account_id, created_at, updated_at)
             SELECT gen_random_uuid(), 'Account ' || to_char(n, 'FM000'), 'cl-' || n, now(), now()
             FROM generate_series(1, $1) n",
        )
        .bind(how_many)
        .execute(&self.app.db)
        .await
        .unwrap();
    }

    pub fn customer(&self) -> Customer {
        self.sandbox.world().customers.first().unwrap().clone()
    }

    pub async fn account_path(&self, name: &str, page: &str) -> String {
        let id: AccountId = sqlx::query_scalar("SELECT id FROM accounts WHERE name = $1")
            .bind(name)
            .fetch_one(&self.app.db)
            .await
            .unwrap();
        format!("/accounts/{id}{page}")
    }

    /// Puts every integration back to the release before the newest.
    pub async fn set_back(&self) {
        sqlx::query("UPDATE integrations SET release = 1").execute(&self.app.db).await.unwrap();
    }

    /// What every connection signs in with ends in so many days.
    pub async fn secrets_end_in(&self, days: i32) {
        sqlx::query("UPDATE connections SET secret_expires_on = current_date + $1")
            .bind(days)
            .execute(&self.app.db)
            .await
            .unwrap();
    }

    /// What was in force before is not kept any more, as two hours later.
    pub async fn the_one_before_is_forgotten(&self) {
        sqlx::query("DELETE FROM spare_credentials WHERE slot = 'previous'")
            .execute(&self.app.db)
            .await
            .unwrap();
    }

    /// The time of the renewal link that was made last is up.
    pub async fn the_last_renewal_link_runs_out(&self) {
        sqlx::query(
            "UPDATE renewal_links SET expires_at = now() - interval '1 minute'
             WHERE made_at = (SELECT max(made_at) FROM renewal_links)",
        )
        .execute(&self.app.db)
        .await
        .unwrap();
    }

    /// A page of the account's integration: `/configure`.
    pub async fn integration_path(&self, name: &str, page: &str) -> String {
        let id: IntegrationId = sqlx::query_scalar(
            "SELECT i.id FROM integrations i JOIN accounts a ON a.id = i.account_id WHERE a.name = $1",
        )
        .bind(name)
        .fetch_one(&self.app.db)
        .await
        .unwrap();
        self.account_path(name, &format!("/integrations/{id}{page}")).await
    }

    /// Waits until the worker has matched the users and CloudLink knows where to send events.
    pub async fn feed_is_alive(&self, customer: &Customer) {
        self.feed_is_alive_within(customer, SETTLES_WITHIN).await;
    }

    pub async fn feed_is_alive_within(&self, customer: &Customer, within: Duration) {
        let matched = "SELECT count(*) FROM cloudlink_users WHERE entra_id IS NOT NULL";
        self.eventually("a live feed and matched users", within, async || {
            let users: i64 = sqlx::query_scalar(matched).fetch_one(&self.app.db).await.unwrap();
            users > 0 && !self.sandbox.subscriptions(&customer.account).is_empty()
        })
        .await;
    }

    pub async fn tile_becomes(
        &self,
        customer: &Customer,
        person: EntraUserId,
        wanted: impl Fn(&Tile) -> bool,
        within: Duration,
    ) {
        self.eventually("the tile to change", within, async || {
            self.sandbox.tile(customer.tenant, person).is_some_and(|tile| wanted(&tile))
        })
        .await;
    }

    pub async fn eventually(&self, what: &str, within: Duration, holds: impl AsyncFn() -> bool) {
        let deadline = Instant::now() + within;
        while !holds().await {
            assert!(Instant::now() < deadline, "waited {within:?} for {what}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// A telephone and the person it belongs to.
pub fn matched(customer: &Customer) -> (CloudlinkUserId, EntraUserId) {
    let phone = customer.phones.first().unwrap();
    let person = customer.people.iter().find(|person| person.user_principal_name == phone.email);
    (phone.user.clone(), person.unwrap().id)
}
