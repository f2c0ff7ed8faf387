//! Customers whose sync is on, the portal that works for them, and a look into its books.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use presence_portal::ids::{
    AccountId, CloudlinkAccountId, CloudlinkUserId, EntraUserId, IntegrationId, TenantId,
};
use presence_portal::integrations::{Kind, secret_owner};
use presence_portal::kit::clock::Clock;
use presence_portal::kit::db::pool;
use presence_portal::kit::secret::{MasterKey, Sealer};
use presence_portal::sandbox::{Customer, Sandbox, World};
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tokio::time::sleep;
use url::Url;

use super::{Portal, database};

/// Long enough for a machine that does ten things at once; what is promised is far below.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// Somebody with a telephone, and with Teams.
#[derive(Clone, Debug)]
pub struct Person {
    pub account: AccountId,
    pub cloudlink: CloudlinkAccountId,
    pub user: CloudlinkUserId,
    pub tenant: TenantId,
    pub entra: EntraUserId,
    pub hook: Url,
}

/// The way to a database, for another program.
pub fn as_url(options: &PgConnectOptions) -> String {
    let database = options.get_database().unwrap();
    if let Some(dir) = options.get_socket() {
        format!("postgres://postgres@localhost/{database}?host={}", dir.display())
    } else {
        let (host, port) = (options.get_host(), options.get_port());
        format!("postgres://postgres@{host}:{port}/{database}?sslmode=disable")
    }
}

pub struct Town {
    pub sandbox: Sandbox,
    pub portal: Portal,
    pub db: PgPool,
    pub people: Vec<Person>,
}

impl Town {
    pub async fn open(world: World) -> Self {
        Self::on(world, database::fresh_options().await, |_| {}).await
    }

    /// On this database, with settings that are changed before the portal starts.
    pub async fn on(
        world: World,
        database: PgConnectOptions,
        change: impl FnOnce(&mut Vec<(&'static str, String)>),
    ) -> Self {
        let sandbox = Sandbox::start(world, Clock::default()).await.unwrap();
        Self::beside(sandbox, database, change).await
    }

    pub async fn beside(
        sandbox: Sandbox,
        database: PgConnectOptions,
        change: impl FnOnce(&mut Vec<(&'static str, String)>),
    ) -> Self {
        let key = MasterKey::random();
        let partner = sandbox.world().partner.clone();
        let mut settings = vec![
            ("DATABASE_URL", as_url(&database)),
            ("PORTAL_MASTER_KEY", key.reveal()),
            ("PORTAL_CLOUDLINK_URL", sandbox.cloudlink_url()),
            ("PORTAL_CLOUDLINK_CLIENT_ID", partner.client_id),
            ("PORTAL_CLOUDLINK_CLIENT_SECRET", partner.client_secret.reveal().to_owned()),
            ("PORTAL_CLOUDLINK_PARTNER_ACCOUNT", partner.account.to_string()),
            ("PORTAL_MICROSOFT_LOGIN_URL", format!("http://{}/login", sandbox.address())),
            ("PORTAL_MICROSOFT_GRAPH_URL", format!("http://{}/graph", sandbox.address())),
        ];
        change(&mut settings);
        let mut portal = Portal::new(settings);
        portal.start();
        let db = pool(4).connect_lazy_with(database);
        let mut town = Self { sandbox, portal, db, people: Vec::new() };
        town.is_ready().await;
        let sealer = Sealer::new(&key);
        let customers = town.sandbox.world().customers.clone();
        let mut accounts = Vec::new();
        for customer in &customers {
            accounts.push(town.move_in(&sealer, customer).await);
        }
        town.settle(&customers, &accounts).await;
        town
    }

    pub async fn is_ready(&self) {
        let began = Instant::now();
        while !self.portal.readiness().await.0 {
            assert!(began.elapsed() < PATIENCE, "not ready\n{}", self.portal.last_words());
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// As the add and setup dialogs leave it.
    async fn move_in(&self, sealer: &Sealer, customer: &Customer) -> AccountId {
        let (account, integration) = (AccountId::new(), IntegrationId::new());
        let secret =
            sealer.seal(&secret_owner(account, integration), &customer.app.secret.value).unwrap();
        sqlx::query(
            "WITH a AS (
                INSERT INTO accounts (id, name, cloudlink_account_id, created_at, updated_at)
                VALUES ($1, $2, $3, $8, $8)
            ), i AS (
                INSERT INTO integrations (account_id, id, kind, release, added_at)
                VALUES ($1, $4, 'microsoft-teams', $9, $8)
            ), c AS (
                INSERT INTO connections (account_id, integration_id, name, tenant_id, client_id,
                    cloud, secret, version, updated_at)
                VALUES ($1, $4, 'Teams', $5, $6, 'global', $7, 1, $8)
            )
            INSERT INTO features (account_id, integration_id, feature, enabled, changed_at)
            VALUES ($1, $4, 'presence-sync', true, $8)",
        )
        .bind(account)
        .bind(&customer.name)
        .bind(&customer.account)
        .bind(integration)
        .bind(customer.tenant)
        .bind(customer.app.client)
        .bind(secret)
        .bind(Clock::default().now())
        .bind(Kind::MicrosoftTeams.newest().number)
        .execute(&self.db)
        .await
        .unwrap();
        account
    }

    /// Waits until everybody is matched and their events would come.
    async fn settle(&mut self, customers: &[Customer], accounts: &[AccountId]) {
        let people: usize = customers.iter().map(|customer| customer.phones.len()).sum();
        let matched = format!(
            "SELECT count(*) = {people} FROM cloudlink_users u JOIN presence_accounts p USING (account_id)
             WHERE u.entra_id IS NOT NULL AND p.subscription_id IS NOT NULL"
        );
        self.until(&matched).await;
        for (customer, account) in customers.iter().zip(accounts) {
            let hook = self.sandbox.subscriptions(&customer.account)[0].device.clone();
            for phone in &customer.phones {
                let person =
                    customer.people.iter().find(|one| one.user_principal_name == phone.email);
                self.people.push(Person {
                    account: *account,
                    cloudlink: customer.account.clone(),
                    user: phone.user.clone(),
                    tenant: customer.tenant,
                    entra: person.unwrap().id,
                    hook: hook.clone(),
                });
            }
        }
    }

    /// Waits until the books say yes.
    pub async fn until(&self, question: &str) {
        let began = Instant::now();
        loop {
            let asked = sqlx::query_scalar(sqlx::AssertSqlSafe(question.to_owned()));
            let answer: Result<bool, _> = asked.fetch_one(&self.db).await;
            if answer.as_ref().is_ok_and(|yes| *yes) {
                return;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "never came to pass: {question}: {answer:?}\n{}\n{}",
                self.books().await,
                self.portal.last_words()
            );
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// What Teams holds of ours for somebody, as an activity.
    pub fn held(&self, person: &Person) -> Option<String> {
        let session = self.sandbox.session(person.tenant, person.entra);
        session.map(|session| session.shows.activity.clone())
    }

    /// What the portal wrote down, for whoever has to find out why.
    pub async fn books(&self) -> String {
        let rows: Vec<String> = sqlx::query_scalar(
            "SELECT row_to_json(t)::text FROM presence_troubles t
             UNION ALL SELECT json_build_object('a', account_id, 'node', node_id, 'term', term)::text
                FROM presence_accounts
             UNION ALL SELECT row_to_json(p)::text FROM presences p WHERE due_at IS NOT NULL",
        )
        .fetch_all(&self.db)
        .await
        .unwrap_or_default();
        rows.iter().take(40).fold(String::new(), |mut text, row| {
            writeln!(text, "{row}").unwrap();
            text
        })
    }
}
