//! Accounts whose presence is synced, and the people in them, straight into the database: for
//! pages, to which it makes no difference how things came to be.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use presence_portal::ids::{AccountId, EntraUserId, IntegrationId, NodeId};
use presence_portal::integrations::secret_owner;
use presence_portal::kit::secret::Secret;
use presence_portal::presence::delays::{BUCKETS, bucket};
use presence_portal::sandbox::Customer;

use super::Stage;

/// The tenant, the application and its secret that every such account has.
pub const TENANT: &str = "11111111-1111-4111-8111-111111111111";
pub const CLIENT: &str = "22222222-2222-4222-8222-222222222222";

impl Stage {
    /// An account with Microsoft Teams added, set up, switched on, and a node working for it.
    pub async fn synced_account(&self, name: &str) -> AccountId {
        let account = self.account(name).await;
        self.add_teams(account).await;
        self.set_up(account, None).await;
        self.switch(account, true).await;
        self.admit(account).await;
        account
    }

    pub async fn add_teams(&self, account: AccountId) -> IntegrationId {
        let integration = IntegrationId::new();
        sqlx::query(
            "INSERT INTO integrations (account_id, id, kind, release, added_at)
             VALUES ($1, $2, 'microsoft-teams', 2, $3)",
        )
        .bind(account)
        .bind(integration)
        .bind(self.clock.now())
        .execute(&self.db)
        .await
        .unwrap();
        integration
    }

    async fn integration(&self, account: AccountId) -> IntegrationId {
        sqlx::query_scalar("SELECT id FROM integrations WHERE account_id = $1")
            .bind(account)
            .fetch_one(&self.db)
            .await
            .unwrap()
    }

    pub async fn set_up(&self, account: AccountId, expires_on: Option<NaiveDate>) {
        let integration = self.integration(account).await;
        let owner = secret_owner(account, integration);
        let secret = self.app.sealer.seal(&owner, &Secret::new("right")).unwrap();
        sqlx::query(
            "INSERT INTO connections (account_id, integration_id, name, tenant_id, client_id,
                cloud, secret, version, secret_expires_on, updated_at)
             VALUES ($1, $2, 'Teams', $3::text::uuid, $4::text::uuid, 'global', $5, 1, $6, $7)",
        )
        .bind(account)
        .bind(integration)
        .bind(TENANT)
        .bind(CLIENT)
        .bind(secret)
        .bind(expires_on)
        .bind(self.clock.now())
        .execute(&self.db)
        .await
        .unwrap();
    }

    /// Leads the account to this customer's tenant, as the sandbox has it.
    pub async fn connect(&self, account: AccountId, customer: &Customer) {
        let integration = self.integration(account).await;
        let owner = secret_owner(account, integration);
        let secret = self.app.sealer.seal(&owner, &customer.app.secret.value).unwrap();
        sqlx::query(
            "UPDATE connections SET tenant_id = $2, client_id = $3, secret = $4
             WHERE account_id = $1",
        )
        .bind(account)
        .bind(customer.tenant)
        .bind(customer.app.client)
        .bind(secret)
        .execute(&self.db)
        .await
        .unwrap();
    }

    pub async fn switch(&self, account: AccountId, on: bool) {
        let integration = self.integration(account).await;
        sqlx::query(
            "INSERT INTO features (account_id, integration_id, feature, enabled, changed_at)
             VALUES ($1, $2, 'presence-sync', $3, $4)
             ON CONFLICT (account_id, integration_id, feature) DO UPDATE SET enabled = $3",
        )
        .bind(account)
        .bind(integration)
        .bind(on)
        .bind(self.clock.now())
        .execute(&self.db)
        .await
        .unwrap();
    }

    /// A node works for the account and has read both directories.
    async fn admit(&self, account: AccountId) {
        let node = NodeId::new();
        sqlx::query(
            "INSERT INTO nodes (id, started_at, seen_at, version) VALUES ($1, now(), now(), '0')",
        )
        .bind(node)
        .execute(&self.db)
        .await
        .unwrap();
        sqlx::query(
            "INSERT INTO presence_accounts (account_id, node_id, hook_digest, hook_key,
                directory_refreshed_at, users_refreshed_at, last_event_at)
             VALUES ($1, $2, $3, '', $4, $4, $4)",
        )
        .bind(account)
        .bind(node)
        .bind(account.to_string().into_bytes())
        .bind(self.clock.now())
        .execute(&self.db)
        .await
        .unwrap();
    }

    /// Somebody with a telephone, matched with somebody in Entra of the same name.
    pub async fn person(&self, account: AccountId, name: &str) -> EntraUserId {
        let entra = self.entra_user(account, name).await;
        self.telephone(account, name, Some(entra), None).await;
        entra
    }

    /// Somebody in Entra alone.
    pub async fn entra_user(&self, account: AccountId, name: &str) -> EntraUserId {
        let entra = EntraUserId::from(uuid::Uuid::new_v4());
        sqlx::query(
            "INSERT INTO entra_users (account_id, entra_id, user_principal_name, display_name)
             VALUES ($1, $2, $3, $4)",
        )
        .bind(account)
        .bind(entra)
        .bind(address(name))
        .bind(name)
        .execute(&self.db)
        .await
        .unwrap();
        entra
    }

    /// Somebody with a telephone, whose id is their name without spaces.
    pub async fn telephone(
        &self,
        account: AccountId,
        name: &str,
        entra: Option<EntraUserId>,
        trouble: Option<&str>,
    ) {
        sqlx::query(
            "INSERT INTO cloudlink_users (account_id, user_id, name, email, entra_id, match_trouble)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(account)
        .bind(id(name))
        .bind(name)
        .bind(address(name))
        .bind(entra)
        .bind(trouble)
        .execute(&self.db)
        .await
        .unwrap();
    }

    /// The telephone said `state`, and Teams was told `shows` (none: nothing is to be shown).
    pub async fn said(&self, account: AccountId, name: &str, state: &str, shows: Option<&str>) {
        let now = self.clock.now();
        sqlx::query(
            "INSERT INTO presences (account_id, user_id, state, entered_at, publication_id,
                received_at, decided_state, decided_at, decided_by, wanted, applied,
                applied_entra_id, applied_at, expires_at, asked_at, asked_for, answer_status,
                answer_ms, request_id)
             SELECT $1, $2, $3, $4, 'p1', $4, lower($3), $4, 'p1', $5, $5,
                CASE WHEN $5 IS NOT NULL THEN entra_id END, $4,
                CASE WHEN $5 IS NOT NULL THEN $6 END, $4, coalesce($5, 'clear'), 200, 87, 'req-1'
             FROM cloudlink_users WHERE account_id = $1 AND user_id = $2",
        )
        .bind(account)
        .bind(id(name))
        .bind(state)
        .bind(now)
        .bind(shows)
        .bind(now + TimeDelta::minutes(5))
        .execute(&self.db)
        .await
        .unwrap();
    }

    pub async fn trouble(&self, account: AccountId, side: &str, cause: &str, needs_person: bool) {
        sqlx::query(
            "INSERT INTO presence_troubles
                (account_id, side, cause, detail, since, last_at, needs_person)
             VALUES ($1, $2, $3, 'AADSTS7000222, request-id r-7', $4, $4, $5)",
        )
        .bind(account)
        .bind(side)
        .bind(cause)
        .bind(self.clock.now())
        .bind(needs_person)
        .execute(&self.db)
        .await
        .unwrap();
    }

    /// What was pushed in one minute, each within `delay`.
    pub async fn pushed(
        &self,
        account: AccountId,
        minute: DateTime<Utc>,
        (pushes, failures): (i32, i32),
        delay: std::time::Duration,
    ) {
        let mut delays = vec![0_i32; BUCKETS];
        delays[bucket(delay)] = pushes;
        sqlx::query(
            "INSERT INTO push_minutes (account_id, minute, pushes, failures, delays)
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(account)
        .bind(minute)
        .bind(pushes)
        .bind(failures)
        .bind(delays)
        .execute(&self.db)
        .await
        .unwrap();
    }

    /// How many presence monitors have yet to be given a new secret.
    pub async fn monitors_waiting(&self) -> i64 {
        sqlx::query_scalar("SELECT count(needs_secret_since) FROM presence_monitors")
            .fetch_one(&self.db)
            .await
            .unwrap()
    }

    /// The newest entries of the activity, newest first: action and summary.
    pub async fn activity(&self) -> Vec<(String, String)> {
        sqlx::query_as("SELECT action, summary FROM activity ORDER BY id DESC")
            .fetch_all(&self.db)
            .await
            .unwrap()
    }
}

pub fn id(name: &str) -> String {
    name.replace(' ', "-")
}

fn address(name: &str) -> String {
    format!("{}@acme.example", name.to_lowercase().replace(' ', "."))
}
