//! A portal that really syncs: its webhook on a port, its workers running, the sandbox beside it.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use presence_portal::ids::{
    AccountId, CloudlinkAccountId, CloudlinkUserId, EntraUserId, IntegrationId, NodeId, TenantId,
};
use presence_portal::integrations::secret_owner;
use presence_portal::kit::secret::Secret;
use presence_portal::kit::wake::Wakes;
use presence_portal::sandbox::{Customer, Sandbox, World};
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};
use url::Url;

use super::node::Node;
use crate::support::Stage;

pub(super) const PATIENCE: Duration = Duration::from_secs(15);

pub struct Office {
    pub stage: Stage,
    pub sandbox: Sandbox,
    /// The accounts, in the order of the world's customers.
    pub accounts: Vec<AccountId>,
    node: Option<Node>,
    listener: Option<TcpListener>,
}

impl Office {
    /// Every customer of the world set up and switched on.
    pub async fn open(world: World) -> Self {
        let mut office = Self::closed(world).await;
        for index in 0..office.accounts.len() {
            office.connect(index).await;
            office.switch(index, true).await;
        }
        office.start().await;
        for index in 0..office.accounts.len() {
            office.settled(index).await;
        }
        office
    }

    /// The accounts are there, and nothing else.
    pub async fn closed(world: World) -> Self {
        let (mut stage, sandbox) = Stage::with_sandbox(world).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut config = (*stage.app.config).clone();
        let address = listener.local_addr().unwrap();
        config.public_url = Url::parse(&format!("http://{address}")).unwrap();
        stage.app.config = Arc::new(config);
        let mut accounts = Vec::new();
        for customer in &sandbox.world().customers {
            let account = stage.account(&customer.name).await;
            sqlx::query("UPDATE accounts SET cloudlink_account_id = $2 WHERE id = $1")
                .bind(account)
                .bind(&customer.account)
                .execute(&stage.db)
                .await
                .unwrap();
            accounts.push(account);
        }
        Self { stage, sandbox, accounts, node: None, listener: Some(listener) }
    }

    pub async fn start(&mut self) {
        let listener = match self.listener.take() {
            Some(listener) => listener,
            None => TcpListener::bind(self.address()).await.unwrap(),
        };
        self.node = Some(Node::start(&self.stage.app, listener));
    }

    fn address(&self) -> String {
        self.stage.app.config.public_url.authority().to_owned()
    }

    /// Another process on the same database, reachable under an address of its own.
    pub async fn second_node(&self) -> Node {
        let mut app = self.stage.app.clone();
        app.node = NodeId::new();
        app.wakes = Wakes::default();
        Node::start(&app, TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    pub async fn kill(&mut self) {
        self.node.take().unwrap().kill().await;
    }

    pub async fn stop(&mut self) {
        self.node.take().unwrap().stop().await;
    }

    /// A new process after the old one has ended.
    pub async fn restart(&mut self) {
        self.stage.app.node = NodeId::new();
        self.stage.app.wakes = Wakes::default();
        self.start().await;
    }

    pub fn customer(&self, index: usize) -> &Customer {
        &self.sandbox.world().customers[index]
    }

    pub fn tenant(&self, index: usize) -> TenantId {
        self.customer(index).tenant
    }

    pub fn cloudlink(&self, index: usize) -> &CloudlinkAccountId {
        &self.customer(index).account
    }

    pub fn phone(&self, name: &str) -> (&CloudlinkAccountId, &CloudlinkUserId) {
        let customers = &self.sandbox.world().customers;
        customers.iter().find_map(|c| Some((&c.account, &c.phone(name)?.user))).unwrap()
    }

    pub fn person(&self, name: &str) -> (TenantId, EntraUserId) {
        let customers = &self.sandbox.world().customers;
        customers.iter().find_map(|c| Some((c.tenant, c.person(name)?.id))).unwrap()
    }

    /// Puts a phone into a state, a little later than whatever was before.
    pub fn phone_is(&self, name: &str, state: &str) {
        self.pass(TimeDelta::milliseconds(10));
        let (account, user) = self.phone(name);
        self.sandbox.phone(account, user, state).unwrap();
    }

    /// What we hold for somebody in Teams, as an activity.
    pub fn held(&self, name: &str) -> Option<String> {
        let (tenant, user) = self.person(name);
        self.sandbox.session(tenant, user).map(|session| session.shows.activity.clone())
    }

    /// Waits until Teams holds this for somebody.
    pub async fn holds(&self, name: &str, activity: Option<&str>) {
        let holds = || self.held(name).as_deref() == activity;
        let seen = timeout(PATIENCE, self.sandbox.until(|_| holds())).await;
        let books = if seen.is_err() { self.books().await } else { String::new() };
        assert!(
            seen.is_ok(),
            "{name}: {:?} is held and not {activity:?}\n{books}",
            self.held(name)
        );
    }

    /// What the portal's own books say, for whoever has to find out why.
    pub(super) async fn books(&self) -> String {
        let tables: Vec<String> = sqlx::query_scalar(
            "SELECT row_to_json(p)::text FROM presences p
             UNION ALL SELECT row_to_json(t)::text FROM presence_troubles t
             UNION ALL SELECT row_to_json(n)::text FROM nodes n
             UNION ALL SELECT json_build_object('a', account_id, 'node', node_id, 'term', term)::text FROM presence_accounts",
        )
        .fetch_all(&self.stage.db)
        .await
        .unwrap();
        format!("{}\n{:?}", tables.join("\n"), self.sandbox.deliveries())
    }

    /// Time passes, for the portal and for the sandbox.
    pub fn pass(&self, time: TimeDelta) {
        self.stage.clock.advance(time);
    }

    /// Time passes, and the workers are told to look.
    pub fn pass_and_look(&self, time: TimeDelta) {
        self.pass(time);
        for account in &self.accounts {
            self.stage.app.wakes.ring(*account);
        }
    }

    /// How often somebody's presence was set or cleared.
    pub fn calls(&self, name: &str) -> Vec<String> {
        let (_, user) = self.person(name);
        let user = user.to_string();
        let calls = self.sandbox.requests().into_iter().filter_map(|seen| {
            let (action, whose) = seen.presence_call()?;
            (whose == user).then(|| action.to_owned())
        });
        calls.collect()
    }

    /// Sets up the integration, as the setup dialog leaves it.
    pub async fn connect(&self, index: usize) {
        let (account, customer) = (self.accounts[index], self.customer(index));
        let integration = IntegrationId::new();
        let db = &self.stage.db;
        sqlx::query(
            "INSERT INTO integrations (account_id, id, kind, release, added_at)
             VALUES ($1, $2, 'microsoft-teams', 2, $3)",
        )
        .bind(account)
        .bind(integration)
        .bind(self.stage.clock.now())
        .execute(db)
        .await
        .unwrap();
        let sealed = self
            .stage
            .app
            .sealer
            .seal(&secret_owner(account, integration), &customer.app.secret.value)
            .unwrap();
        sqlx::query(
            "INSERT INTO connections (account_id, integration_id, name, tenant_id, client_id, cloud, secret, version, updated_at)
             VALUES ($1, $2, 'Teams', $3, $4, 'global', $5, nextval('connection_versions'), $6)",
        )
        .bind(account)
        .bind(integration)
        .bind(customer.tenant)
        .bind(customer.app.client)
        .bind(sealed)
        .bind(self.stage.clock.now())
        .execute(db)
        .await
        .unwrap();
    }

    /// Saves another secret, as the configure dialog does.
    pub async fn save_secret(&self, index: usize, secret: &Secret) {
        let account = self.accounts[index];
        let integration: IntegrationId =
            sqlx::query_scalar("SELECT id FROM integrations WHERE account_id = $1")
                .bind(account)
                .fetch_one(&self.stage.db)
                .await
                .unwrap();
        let sealed =
            self.stage.app.sealer.seal(&secret_owner(account, integration), secret).unwrap();
        sqlx::query(
            "UPDATE connections SET secret = $2, version = nextval('connection_versions') WHERE account_id = $1",
        )
        .bind(account)
        .bind(sealed)
        .execute(&self.stage.db)
        .await
        .unwrap();
        self.stage.app.wakes.ring(account);
    }

    /// The switch of the integrations panel.
    pub async fn switch(&self, index: usize, on: bool) {
        let account = self.accounts[index];
        sqlx::query(
            "INSERT INTO features (account_id, integration_id, feature, enabled, changed_at)
             SELECT account_id, id, 'presence-sync', $2, $3 FROM integrations WHERE account_id = $1
             ON CONFLICT (account_id, integration_id, feature) DO UPDATE SET enabled = $2",
        )
        .bind(account)
        .bind(on)
        .bind(self.stage.clock.now())
        .execute(&self.stage.db)
        .await
        .unwrap();
        self.stage.app.wakes.ring(account);
    }

    /// Somebody presses Sync now.
    pub async fn sync_now(&self, index: usize) {
        self.pass(TimeDelta::seconds(1));
        let account = self.accounts[index];
        sqlx::query("UPDATE presence_accounts SET sync_asked_at = $2 WHERE account_id = $1")
            .bind(account)
            .bind(self.stage.clock.now())
            .execute(&self.stage.db)
            .await
            .unwrap();
        self.stage.app.wakes.ring(account);
    }

    /// Waits until the account is subscribed and its directories were read.
    pub async fn settled(&self, index: usize) {
        self.until(
            "SELECT EXISTS (SELECT 1 FROM presence_accounts WHERE account_id = $1
                AND subscription_id IS NOT NULL AND directory_refreshed_at IS NOT NULL
                AND users_refreshed_at IS NOT NULL AND NOT unmatched)",
            index,
        )
        .await;
    }

    /// Waits until a question about an account is answered with yes.
    pub async fn until(&self, question: &'static str, index: usize) {
        let asked = async {
            while !self.ask(question, index).await {
                sleep(Duration::from_millis(20)).await;
            }
        };
        if timeout(PATIENCE, asked).await.is_err() {
            let troubles: Vec<(String, String)> =
                sqlx::query_as("SELECT cause, detail FROM presence_troubles")
                    .fetch_all(&self.stage.db)
                    .await
                    .unwrap();
            panic!("never came to pass: {question}; troubles: {troubles:?}");
        }
    }

    pub async fn ask(&self, question: &'static str, index: usize) -> bool {
        let answer: Option<Option<bool>> = sqlx::query_scalar(question)
            .bind(self.accounts[index])
            .fetch_optional(&self.stage.db)
            .await
            .unwrap();
        answer.flatten() == Some(true)
    }

    /// Waits until this is what is wrong with an account; nothing, if empty.
    pub async fn troubled(&self, index: usize, cause: &str) {
        let causes = async {
            let causes: Vec<String> = sqlx::query_scalar(
                "SELECT cause FROM presence_troubles WHERE account_id = $1 ORDER BY side",
            )
            .bind(self.accounts[index])
            .fetch_all(&self.stage.db)
            .await
            .unwrap();
            causes.join(" ")
        };
        let mut last = causes.await;
        let began = tokio::time::Instant::now();
        while last != cause {
            if began.elapsed() > PATIENCE {
                let asked = self.sandbox.latest_requests(12);
                let books = self.books().await;
                panic!("trouble is {last:?} and not {cause:?}\n{books}\n{asked:#?}");
            }
            sleep(Duration::from_millis(20)).await;
            last = sqlx::query_scalar(
                "SELECT coalesce(string_agg(cause, ' ' ORDER BY side), '') FROM presence_troubles WHERE account_id = $1",
            )
            .bind(self.accounts[index])
            .fetch_one(&self.stage.db)
            .await
            .unwrap();
        }
    }

    /// The webhook of an account, as CloudLink was told it.
    pub fn hook(&self, index: usize) -> Url {
        self.sandbox.subscriptions(self.cloudlink(index))[0].device.clone()
    }
}
