//! The portal, whole but for its listener, and the people on it.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use presence_portal::cloudlink::Cloudlink;
use presence_portal::config::Config;
use presence_portal::ids::{AccountId, NodeId, StaffId};
use presence_portal::kit::clock::Clock;
use presence_portal::kit::email::Email;
use presence_portal::kit::http::http_client;
use presence_portal::kit::password::{Cost, Passwords};
use presence_portal::kit::secret::{MasterKey, Sealer, Secret};
use presence_portal::kit::{token, wake::Wakes};
use presence_portal::microsoft::Microsoft;
use presence_portal::sandbox::{Sandbox, World};
use presence_portal::staff::store::{NewSession, NewStaff};
use presence_portal::staff::{Role, store};
use presence_portal::state::AppState;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::Browser;
use super::database;

pub struct Stage {
    pub app: AppState,
    pub db: PgPool,
    pub clock: Clock,
}

/// Everybody's password.
pub const PASSWORD: &str = "sing to the kettle";

/// A Monday morning.
fn opening() -> DateTime<Utc> {
    "2026-03-02T08:00:00Z".parse().unwrap()
}

/// Settings as the environment would give them.
pub fn settings<const N: usize>(given: [(&str, &str); N]) -> Config {
    let given: HashMap<_, _> = given.into_iter().collect();
    Config::read(|name| given.get(name).map(ToString::to_string)).unwrap()
}

impl Stage {
    /// A portal that knows neither CloudLink nor Microsoft.
    pub async fn new() -> Self {
        Self::with(settings([])).await
    }

    pub async fn with(config: Config) -> Self {
        Self::at(config, Clock::stopped_at(opening())).await
    }

    async fn at(config: Config, clock: Clock) -> Self {
        let db = database::fresh().await;
        let node = NodeId::new();
        let http = http_client().unwrap();
        let app = AppState {
            db: db.clone(),
            clock: clock.clone(),
            sealer: Sealer::new(&MasterKey::random()),
            passwords: Passwords::new(Cost::Trifling),
            microsoft: Microsoft::new(http.clone(), &config.microsoft, clock.clone()),
            cloudlink: Cloudlink::new(http, &config.cloudlink, node, clock.clone()),
            post: presence_portal::post::Post::new(&config).unwrap(),
            config: Arc::new(config),
            wakes: Wakes::default(),
            work: Arc::default(),
            closing: CancellationToken::new(),
            check_bell: Arc::default(),
            node,
        };
        Self { app, db, clock }
    }

    /// A portal between the sandbox's CloudLink and Microsoft, whose time is the stage's.
    pub async fn with_sandbox(world: World) -> (Self, Sandbox) {
        let clock = Clock::stopped_at(opening());
        let sandbox = Sandbox::start(world, clock.clone()).await.unwrap();
        let mut config = settings([]);
        config.cloudlink = sandbox.cloudlink_settings();
        config.microsoft = sandbox.microsoft_settings(config.microsoft.requests_per_second);
        config.mail = sandbox.mail_settings();
        config.webhook_hosts = sandbox.webhook_hosts();
        (Self::at(config, clock).await, sandbox)
    }

    /// Somebody who is not signed in.
    pub fn stranger(&self) -> Browser {
        Browser::new(self.app.clone())
    }

    /// Ann may do everything.
    pub async fn ann(&self) -> Browser {
        self.staff("Ann Archer", "ann@partner.example", Role::PartnerAdmin).await.0
    }

    /// Carl looks after these accounts, and no others.
    pub async fn carl(&self, accounts: &[AccountId]) -> Browser {
        let (browser, carl) =
            self.staff("Carl Cole", "carl@customer.example", Role::AccountAdmin).await;
        self.assign(carl, accounts).await;
        browser
    }

    /// Bob reads what these accounts show, and changes nothing.
    pub async fn bob(&self, accounts: &[AccountId]) -> Browser {
        let (browser, bob) = self.staff("Bob Bray", "bob@auditor.example", Role::Auditor).await;
        self.assign(bob, accounts).await;
        browser
    }

    /// Somebody signed in, whose password is [`PASSWORD`].
    pub async fn staff(&self, name: &str, email: &str, role: Role) -> (Browser, StaffId) {
        let id = StaffId::new();
        let email = Email::parse(email).unwrap();
        let hash = self.app.passwords.hash(&Secret::new(PASSWORD)).await.unwrap();
        let staff = NewStaff { id, name, email: &email, role, password_hash: Some(&hash) };
        store::insert(&self.db, staff, self.clock.now()).await.unwrap();
        let token = token::random();
        let digest = token::digest(token.reveal());
        let session =
            NewSession { digest: &digest, staff: id, address: "127.0.0.1", browser: "test" };
        store::begin_session(&self.db, session, self.clock.now()).await.unwrap();
        let mut browser = Browser::new(self.app.clone());
        browser.keep("session", token.reveal());
        (browser, id)
    }

    async fn assign(&self, staff: StaffId, accounts: &[AccountId]) {
        for account in accounts {
            sqlx::query("INSERT INTO staff_accounts (account_id, staff_id) VALUES ($1, $2)")
                .bind(account)
                .bind(staff)
                .execute(&self.db)
                .await
                .unwrap();
        }
    }

    /// An active account, whose CloudLink id is `cl-` and its name in lower case.
    pub async fn account(&self, name: &str) -> AccountId {
        let id = AccountId::new();
        let cloudlink_id = format!("cl-{}", name.to_lowercase().replace(' ', "-"));
        sqlx::query(
            "INSERT INTO accounts (id, name, cloudlink_account_id, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $4)",
        )
        .bind(id)
        .bind(name)
        .bind(cloudlink_id)
        .bind(self.clock.now())
        .execute(&self.db)
        .await
        .unwrap();
        id
    }
}
