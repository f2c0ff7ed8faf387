//! Secrets and certificates that follow each other under a running worker.

use std::time::Duration;

use chrono::TimeDelta;
use presence_portal::ids::IntegrationId;
use presence_portal::integrations::credential::{Expiry, PROVING, Spares, halves_of};
use presence_portal::integrations::store::spare::{self, NewSpare};
use presence_portal::integrations::{CredentialKind, rotation, secret_owner, store};
use presence_portal::kit::secret::Secret;
use presence_portal::microsoft::{Cause, Certificate, Credential};
use presence_portal::sandbox::{System, Uses, World};
use sqlx::PgPool;
use tokio::time::timeout;
use uuid::Uuid;

use super::Office;
use crate::support::until;

impl Office {
    async fn integration(&self) -> IntegrationId {
        sqlx::query_scalar("SELECT id FROM integrations WHERE account_id = $1")
            .bind(self.accounts[0])
            .fetch_one(&self.stage.db)
            .await
            .unwrap()
    }

    async fn version(&self) -> i32 {
        let account = self.accounts[0];
        let kept = store::connection_of(&self.stage.db, &self.stage.app.sealer, account).await;
        kept.unwrap().unwrap().version
    }

    async fn in_force(&self) -> CredentialKind {
        let account = self.accounts[0];
        let kept = store::connection_of(&self.stage.db, &self.stage.app.sealer, account).await;
        CredentialKind::of(&kept.unwrap().unwrap().credential)
    }

    async fn spares(&self) -> Spares {
        spare::spares(&self.stage.db, self.accounts[0], self.integration().await).await.unwrap()
    }

    /// Lays a credential ready, as if Microsoft had accepted it.
    async fn lay_ready(&self, credential: &Credential) {
        let (account, integration) = (self.accounts[0], self.integration().await);
        let (secret, certificate) = halves_of(credential);
        let owner = secret_owner(account, integration);
        let now = self.stage.clock.now();
        let new = NewSpare {
            kind: CredentialKind::of(credential),
            sealed: &self.stage.app.sealer.seal(&owner, secret).unwrap(),
            certificate,
            expiry: &Expiry::default(),
            accepted_at: Some(now),
            try_at: None,
        };
        spare::put_next(&self.stage.db, account, integration, new, now).await.unwrap();
    }

    async fn lay_ready_secret(&self, value: &Secret) {
        self.lay_ready(&Credential::Secret(value.clone())).await;
    }

    async fn round(&self) {
        rotation::round(&self.stage.app).await.unwrap();
    }

    async fn take_over(&self) -> bool {
        let (account, version) = (self.accounts[0], self.version().await);
        let portal = presence_portal::audit::Actor::portal();
        rotation::take_over(&self.stage.app, &portal, account, version, "by hand").await.unwrap()
    }

    fn first_secret(&self) -> Uuid {
        self.sandbox.secrets(self.tenant(0))[0].id
    }

    fn uses(&self, key: Uuid) -> Uses {
        self.sandbox.uses(self.tenant(0), key)
    }

    /// The worker signs in with it. Until then the one before serves.
    async fn signs_in_with(&self, key: Uuid) {
        until("it is signed in with", || self.uses(key).tokens > 0).await;
    }

    /// Somebody is told with it. Whoever is told before the worker has signed in anew is told with
    /// the token of before.
    async fn comes_to_use(&self, key: Uuid) {
        for state in ["onCall", "available"].into_iter().cycle().take(40) {
            let used = self.sandbox.until(|_| self.uses(key).requests > 0);
            if timeout(Duration::from_millis(300), used).await.is_ok() {
                return;
            }
            self.phone_is("Bob Stone", state);
        }
        panic!("nobody is told with the new credential");
    }

    /// Every telephone rings, and everybody is seen to be in this kind of call.
    async fn all_are(&self, state: &str, activity: &str) {
        let names: Vec<_> = self.customer(0).people.iter().map(|one| one.name.clone()).collect();
        for name in &names {
            self.phone_is(name, state);
        }
        for name in &names {
            self.holds(name, Some(activity)).await;
        }
    }

    /// No request about anybody's presence was refused, and none of them failed by our books.
    async fn no_push_failed(&self) {
        self.at_rest().await;
        let refused: Vec<_> = self
            .sandbox
            .requests_to(System::Graph)
            .into_iter()
            .filter(|seen| seen.presence_call().is_some() && seen.status >= 400)
            .collect();
        assert!(refused.is_empty(), "{refused:#?}");
        let failed: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM presences WHERE failures > 0 OR trouble IS NOT NULL",
        )
        .fetch_one(&self.stage.db)
        .await
        .unwrap();
        assert_eq!(failed, 0);
    }
}

async fn deeds(db: &PgPool, action: &str) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM activity WHERE action = $1")
        .bind(action)
        .fetch_one(db)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_secret_takes_over_in_a_storm_and_no_push_fails() {
    let office = Office::open(World::of_size(1, 12)).await;
    let (old, new) = (office.first_secret(), office.sandbox.new_secret(office.tenant(0)).unwrap());
    office.lay_ready_secret(&new.value).await;
    let before = office.version().await;
    for round in 0..6 {
        let (state, activity) = [("onCall", "InACall"), ("inConference", "InAConferenceCall")]
            .into_iter()
            .nth(round % 2)
            .unwrap();
        let storm = office.all_are(state, activity);
        if round == 2 {
            let (taken, ()) = tokio::join!(office.take_over(), storm);
            assert!(taken);
        } else {
            storm.await;
        }
    }
    assert!(office.version().await > before);
    assert!(office.uses(old).requests > 0 && office.uses(new.id).requests > 0);
    assert_eq!(office.uses(new.id).tokens, 1);

    office.sandbox.expire_secret(office.tenant(0), old).unwrap();
    office.all_are("onCall", "InACall").await;
    office.no_push_failed().await;
    let refused = |seen: &presence_portal::sandbox::Seen| seen.status != 200;
    assert!(!office.sandbox.requests_to(System::Login).iter().any(refused));
    office.troubled(0, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_refused_at_renewal_is_followed_by_the_next_before_anybody_misses_it() {
    let office = Office::open(World::small()).await;
    let (old, new) = (office.first_secret(), office.sandbox.new_secret(office.tenant(0)).unwrap());
    office.phone_is("Ann Miller", "onCall");
    office.holds("Ann Miller", Some("InACall")).await;
    office.lay_ready_secret(&new.value).await;
    office.sandbox.expire_secret(office.tenant(0), old).unwrap();

    office.pass_and_look(TimeDelta::minutes(55));
    office.until("SELECT version > 1 FROM connections WHERE account_id = $1", 0).await;
    office.phone_is("Bob Stone", "onCall");
    office.holds("Bob Stone", Some("InACall")).await;
    office.signs_in_with(new.id).await;
    office.at_rest().await;
    office.pass_and_look(TimeDelta::minutes(20));
    office.phone_is("Cleo Hart", "onCall");
    office.holds("Cleo Hart", Some("InACall")).await;
    office.no_push_failed().await;
    office.troubled(0, "").await;
    assert!(office.spares().await.previous.is_none(), "nobody goes back to one that has expired");
    assert_eq!(deeds(&office.stage.db, "integration.credential_took_over").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_secret_is_named_everywhere_while_its_last_token_still_serves() {
    let office = Office::open(World::small()).await;
    let account = office.accounts[0];
    office.phone_is("Ann Miller", "onCall");
    office.holds("Ann Miller", Some("InACall")).await;
    office.sandbox.expire_secrets(office.tenant(0)).unwrap();
    // Nothing is to be pushed, and still it is found out.
    office.pass_and_look(TimeDelta::minutes(55));
    office.troubled(0, "secret-expired").await;
    let ann = office.stage.ann().await;
    for place in [
        "/",
        "/accounts",
        &format!("/accounts/{account}"),
        &format!("/accounts/{account}/presence"),
    ] {
        let page = ann.visit(place).await;
        let word =
            if place == "/accounts" { "Needs attention" } else { "The client secret has expired" };
        assert!(page.says(word), "{place}: {}", page.source);
    }
    office.phone_is("Bob Stone", "onCall");
    office.holds("Bob Stone", Some("InACall")).await;
    office.no_push_failed().await;
    office.troubled(0, "secret-expired").await;

    // Then the token is over, and the account waits for a person.
    office.pass_and_look(TimeDelta::minutes(15));
    let asked = office.sandbox.requests_to(System::Login).len();
    office.phone_is("Cleo Hart", "onCall");
    office.until("SELECT EXISTS (SELECT 1 FROM presences WHERE account_id = $1 AND trouble = 'secret-expired')", 0).await;
    assert!(office.sandbox.requests_to(System::Login).len() <= asked + 2);
    assert_eq!(office.held("Cleo Hart"), None);
    let new = office.sandbox.new_secret(office.tenant(0)).unwrap();
    office.save_secret(0, &new.value).await;
    office.holds("Cleo Hart", Some("InACall")).await;
    office.troubled(0, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_next_secret_that_microsoft_refuses_is_taken_back_and_no_push_fails() {
    let office = Office::open(World::small()).await;
    let (old, new) = (office.first_secret(), office.sandbox.new_secret(office.tenant(0)).unwrap());
    office.phone_is("Ann Miller", "onCall");
    office.holds("Ann Miller", Some("InACall")).await;
    office.lay_ready_secret(&new.value).await;
    office.sandbox.expire_secret(office.tenant(0), new.id).unwrap();
    assert!(office.take_over().await);
    office.until("SELECT EXISTS (SELECT 1 FROM spare_credentials WHERE account_id = $1 AND refused IS NOT NULL)", 0).await;
    office.phone_is("Bob Stone", "onCall");
    office.holds("Bob Stone", Some("InACall")).await;
    office.no_push_failed().await;
    office.troubled(0, "").await;
    let spares = office.spares().await;
    let refused = spares.next.unwrap().refused.unwrap();
    assert_eq!(refused.cause, Some(Cause::SecretExpired));
    assert!(spares.previous.is_none());
    assert!(office.uses(new.id).tokens == 0 && office.uses(old).requests > 0);
    assert_eq!(deeds(&office.stage.db, "integration.credential_taken_back").await, 1);
    office.round().await;
    assert!(!office.take_over().await, "it is not accepted any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_secret_takes_over_a_day_before_the_end_and_once_however_many_nodes_look() {
    let office = Office::open(World::small()).await;
    let new = office.sandbox.new_secret(office.tenant(0)).unwrap();
    office.lay_ready_secret(&new.value).await;
    let ends_on = office.stage.clock.now().date_naive() + TimeDelta::days(3);
    sqlx::query("UPDATE connections SET secret_expires_on = $1")
        .bind(ends_on)
        .execute(&office.stage.db)
        .await
        .unwrap();
    office.round().await;
    assert_eq!(office.version().await, 1, "it is not time yet");
    office.pass(TimeDelta::days(2));
    tokio::join!(office.round(), office.round(), office.round(), office.round());
    assert!(office.version().await > 1);
    assert_eq!(deeds(&office.stage.db, "integration.credential_took_over").await, 1);
    let until = "SELECT version > 1 FROM connections WHERE account_id = $1";
    office.until(until, 0).await;
    office.phone_is("Ann Miller", "onCall");
    office.holds("Ann Miller", Some("InACall")).await;
    office.comes_to_use(new.id).await;

    assert!(office.spares().await.previous.is_some(), "in case Microsoft changes its mind");
    office.pass(PROVING);
    office.round().await;
    assert!(office.spares().await.previous.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_takes_over_once_it_is_uploaded_and_is_rolled_before_its_end() {
    let office = Office::open(World::small()).await;
    let (tenant, account) = (office.tenant(0), office.accounts[0]);
    let now = office.stage.clock.now();
    let made = Certificate::make("presence-portal test", now, TimeDelta::days(365)).unwrap();
    office.lay_ready(&Credential::Certificate(made.clone())).await;
    sqlx::query("UPDATE spare_credentials SET accepted_at = NULL, try_at = $1")
        .bind(now)
        .execute(&office.stage.db)
        .await
        .unwrap();
    office.round().await;
    let next = office.spares().await.next.unwrap();
    assert_eq!(next.refused.unwrap().cause, Some(Cause::CertificateWrong), "not uploaded yet");
    assert_eq!(office.in_force().await, CredentialKind::Secret);

    let kept = office.sandbox.upload_certificate(tenant, &made.shown.pem().unwrap()).unwrap();
    assert_eq!(kept.thumbprint, made.shown.thumbprint());
    office.pass(TimeDelta::minutes(61));
    office.round().await;
    assert_eq!(office.in_force().await, CredentialKind::Certificate);
    office.sandbox.expire_secrets(tenant).unwrap();
    office.phone_is("Ann Miller", "onCall");
    office.holds("Ann Miller", Some("InACall")).await;
    office.comes_to_use(kept.id).await;
    office.no_push_failed().await;
    office.troubled(0, "").await;

    // Two months before the end the next one is made; both are good until it takes over.
    sqlx::query("UPDATE connections SET secret_expires_on = $1")
        .bind(office.stage.clock.now().date_naive() + TimeDelta::days(60))
        .execute(&office.stage.db)
        .await
        .unwrap();
    office.pass_and_look(PROVING);
    office.round().await;
    office.round().await;
    office.at_rest().await;
    let next = office.spares().await.next.unwrap();
    assert_eq!(next.kind, CredentialKind::Certificate);
    let pem = next.certificate.unwrap().pem().unwrap();
    let second = office.sandbox.upload_certificate(tenant, &pem).unwrap();
    office.pass(TimeDelta::minutes(61));
    let before = office.version().await;
    office.round().await;
    assert!(office.version().await > before);
    office.signs_in_with(second.id).await;
    office.phone_is("Bob Stone", "onCall");
    office.holds("Bob Stone", Some("InACall")).await;
    office.comes_to_use(second.id).await;
    office.no_push_failed().await;

    office.sandbox.delete_certificates(tenant).unwrap();
    office.sandbox.revoke_tokens(tenant).unwrap();
    office.pass_and_look(PROVING + TimeDelta::minutes(55));
    office.round().await;
    office.troubled(0, "certificate-wrong").await;
    let page = office.stage.ann().await.visit(&format!("/accounts/{account}/presence")).await;
    assert!(page.says("Microsoft does not accept the certificate"));
}
