//! The next secret, and a certificate instead: laid ready in the Configure dialog.

use axum::http::{Method, StatusCode};
use presence_portal::ids::{AccountId, IntegrationId};
use presence_portal::integrations::store::spare;
use presence_portal::integrations::{CredentialKind, Expiry, store};
use presence_portal::kit::secret::Secret;
use presence_portal::microsoft::Credential;
use presence_portal::sandbox::{Customer, Permission, Sandbox, System, Trouble, World};

use crate::support::{Browser, Page, Stage, until};

struct Scene {
    stage: Stage,
    sandbox: Sandbox,
    customer: Customer,
    ann: Browser,
    acme: AccountId,
    teams: IntegrationId,
}

/// Microsoft Teams is added and waits to be set up.
async fn added() -> Scene {
    let (stage, sandbox) = Stage::with_sandbox(World::small()).await;
    let customer = sandbox.world().customers[0].clone();
    let (ann, acme) = (stage.ann().await, stage.account("Acme").await);
    let teams = stage.add_teams(acme).await;
    Scene { stage, sandbox, customer, ann, acme, teams }
}

async fn set_up() -> Scene {
    let scene = added().await;
    let form = scene.dialog("setup").await.form("Save");
    let form = scene.filled(form).fill("Client Secret (Value)", scene.secret());
    let page = scene.ann.submit(form.fill("Secret expires on", "2026-08-01")).await;
    assert!(page.says("Microsoft Teams is set up."), "{}", page.source);
    scene
}

impl Scene {
    fn secret(&self) -> &str {
        self.customer.app.secret.value.reveal()
    }

    fn filled(&self, form: crate::support::Form) -> crate::support::Form {
        form.fill("Name", "Portal app")
            .fill("Tenant Id", &self.customer.tenant.to_string())
            .fill("Application (Client) Id", &self.customer.app.client.to_string())
    }

    async fn dialog(&self, name: &str) -> Page {
        let at = format!("/accounts/{}/integrations/{}/{name}", self.acme, self.teams);
        self.ann.visit(&at).await
    }

    async fn configure(&self) -> Page {
        self.dialog("configure").await
    }

    async fn in_force(&self) -> CredentialKind {
        let kept = store::connection_of(&self.stage.db, &self.stage.app.sealer, self.acme).await;
        CredentialKind::of(&kept.unwrap().unwrap().credential)
    }

    async fn activity(&self) -> Page {
        self.ann.visit(&format!("/accounts/{}/activity", self.acme)).await
    }
}

#[tokio::test]
async fn the_next_secret_is_tested_laid_ready_and_put_in_force_by_a_button() {
    let scene = set_up().await;
    let page = scene.configure().await;
    assert!(page.says("In force: client secret, expires on 1 August 2026"));
    assert!(page.says("typed by ann@partner.example"));
    for reminder in ["3 May 2026, 90 days before", "31 July 2026, 1 day before", "every day"] {
        assert!(page.says(reminder), "{reminder}");
    }
    let form = page.form("Test and keep").fill("Value of the next secret", "wr0ng~value");
    let refused = scene.ann.submit(form).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.complaint("Value of the next secret").contains("does not accept"));
    assert!(refused.says("Sync goes on with what there was.") && !refused.says("Ready to follow"));

    let new = scene.sandbox.new_secret(scene.customer.tenant).unwrap();
    let form = scene.configure().await.form("Test and keep");
    let form = form.fill("Value of the next secret", new.value.reveal());
    let page = scene.ann.submit(form.fill("It expires on", "2027-01-31")).await;
    assert!(page.says("Tested with Microsoft, and laid ready."), "{}", page.source);
    assert!(page.says("Ready to follow: client secret, good until 31 January 2027"));
    assert!(page.says("Accepted by Microsoft"));
    assert!(page.says("It takes over by itself on 31 July 2026"));
    assert!(!page.source.contains(new.value.reveal()), "a secret is never put into a page");

    let page = scene.ann.submit(page.form("Use it now")).await;
    assert!(page.says("It is in force. Sync has changed over to it."));
    let page = scene.configure().await;
    assert!(page.says("In force: client secret, expires on 31 January 2027"));
    assert!(page.says("The one before is kept until"));
    let noted = scene.activity().await;
    assert!(noted.says("The next client secret was laid ready, tested with Microsoft."));
    assert!(noted.says("The next client secret took over, by hand."));
}

#[tokio::test]
async fn a_next_secret_is_not_kept_while_microsoft_is_away_and_can_be_discarded() {
    let scene = set_up().await;
    let page = scene.configure().await;
    scene.ann.submit(page.form("Add monitor").fill("Monitor", "monitor-1")).await;
    let new = scene.sandbox.new_secret(scene.customer.tenant).unwrap();
    let form = page.form("Test and keep").fill("Value of the next secret", new.value.reveal());
    scene.sandbox.trouble(System::Login, Trouble::Away);
    let refused = scene.ann.submit(form.clone()).await;
    assert!(refused.says("Microsoft cannot be reached") && !refused.says("Ready to follow"));
    scene.sandbox.mend(System::Login);
    let part = scene.ann.submit_in_place(form).await;
    assert!(part.says("Ready to follow") && part.all("h1").is_empty(), "the section alone");
    assert_eq!(scene.stage.monitors_waiting().await, 1, "whoever has the value now can update it");
    let home = scene.ann.visit("/").await;
    assert!(home.says("Presence monitors wait for the new client secret"));
    assert!(home.says("Also update the client secret of monitor-1"));
    assert!(home.has_button("monitor-1 is updated"), "ticked off where one is told");

    let page = scene.ann.submit(scene.configure().await.form("Discard")).await;
    assert!(page.says("Discarded.") && !page.says("Ready to follow"));
    assert_eq!(scene.stage.monitors_waiting().await, 0);
    assert!(scene.activity().await.says("The next client secret was discarded."));
}

#[tokio::test]
async fn a_certificate_is_made_downloaded_uploaded_and_signs_in_without_any_secret() {
    let scene = set_up().await;
    let page = scene.configure().await;
    scene.ann.submit(page.form("Add monitor").fill("Monitor", "monitor-1")).await;
    let page = scene.ann.submit(page.form("Make a certificate")).await;
    assert!(page.says("Ready to follow: certificate") && page.says("Not tried yet"));
    let refused = scene.ann.submit(page.form("Use it now")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.says("Microsoft does not accept the certificate"));
    assert!(refused.says("Entra does not have it yet"));
    assert_eq!(scene.in_force().await, CredentialKind::Secret);

    let file = scene.ann.visit(&page.link("Download certificate")).await;
    assert!(file.source.starts_with("-----BEGIN CERTIFICATE-----"));
    assert!(!file.source.contains("PRIVATE KEY"));
    scene.sandbox.upload_certificate(scene.customer.tenant, &file.source).unwrap();
    scene.sandbox.expire_secrets(scene.customer.tenant).unwrap();
    let page = scene.ann.submit(scene.configure().await.form("Use it now")).await;
    assert!(page.says("It is in force."), "{}", page.source);
    assert_eq!(scene.in_force().await, CredentialKind::Certificate);
    let page = scene.configure().await;
    assert!(page.says("In force: certificate, expires on 2 March 2027 (as the certificate says)"));
    assert_eq!(scene.stage.monitors_waiting().await, 0);

    // An empty secret keeps it; a secret that is typed replaces it.
    let page = scene.ann.submit(page.form("Save").fill("Name", "Renamed")).await;
    assert!(page.says("Saved."));
    assert_eq!(scene.in_force().await, CredentialKind::Certificate);
    let new = scene.sandbox.new_secret(scene.customer.tenant).unwrap();
    let form = scene.configure().await.form("Save");
    let page = scene.ann.submit(form.fill("Client Secret (Value)", new.value.reveal())).await;
    assert!(page.says("Saved, and tested with Microsoft."));
    assert_eq!(scene.in_force().await, CredentialKind::Secret);
    assert_eq!(scene.stage.monitors_waiting().await, 1);
}

#[tokio::test]
async fn the_setup_can_be_completed_with_a_certificate_and_no_secret() {
    let scene = added().await;
    let page = scene.dialog("setup").await;
    let page = scene.ann.submit(page.form("Make a certificate")).await;
    assert!(page.says("leave the secret empty, and save"), "{}", page.source);
    let form = scene.filled(page.form("Save"));
    let refused = scene.ann.submit(form.clone()).await;
    assert!(refused.complaint("Client Secret (Value)").contains("certificate"));
    let file = scene.ann.visit(&page.link("Download certificate")).await;
    scene.sandbox.upload_certificate(scene.customer.tenant, &file.source).unwrap();
    let page = scene.ann.submit(form).await;
    assert!(page.says("Microsoft Teams is set up."), "{}", page.source);
    assert_eq!(scene.in_force().await, CredentialKind::Certificate);
    assert!(!scene.configure().await.says("Ready to follow"));
}

#[tokio::test]
async fn the_end_is_read_from_entra_when_that_is_granted() {
    let scene = set_up().await;
    scene.sandbox.grant(scene.customer.tenant, Permission::ReadApplications).unwrap();
    let page = scene.ann.submit(scene.configure().await.form("Save")).await;
    assert!(page.says("Saved, and tested with Microsoft."));
    let ends_on = scene.sandbox.secrets(scene.customer.tenant)[0].until;
    let said = format!("expires on {} (read from Entra just now)", ends_on.format("%-d %B %Y"));
    assert!(scene.configure().await.says(&said), "{said}");
}

#[tokio::test]
async fn an_auditor_may_not_touch_credentials() {
    let scene = set_up().await;
    let bob = scene.stage.bob(&[scene.acme]).await;
    let at = format!("/accounts/{}/integrations/{}", scene.acme, scene.teams);
    for path in ["next", "next/use", "next/discard", "certificate"] {
        let answer = bob.send(Method::POST, &format!("{at}/{path}"), &[], String::new()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test]
async fn the_day_on_which_the_old_secret_expired_does_not_stand_in_the_way_of_a_new_one() {
    let scene = set_up().await;
    sqlx::query("UPDATE connections SET secret_expires_on = '2026-03-01'")
        .execute(&scene.stage.db)
        .await
        .unwrap();
    let new = scene.sandbox.new_secret(scene.customer.tenant).unwrap();
    let form = scene.configure().await.form("Save");
    assert_eq!(form.value("Secret expires on"), "2026-03-01");
    let form = form.fill("Client Secret (Value)", new.value.reveal());
    let refused = scene.ann.submit(form.clone().fill("Secret expires on", "2026-02-28")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.complaint("Secret expires on").contains("passed"), "it was typed anew");

    let page = scene.ann.submit(form).await;
    assert!(page.says("Saved, and tested with Microsoft; say when the new one expires."));
    assert_eq!(scene.configure().await.form("Save").value("Secret expires on"), "");
    assert!(scene.activity().await.says("Secret expires on: 2026-03-01 → nothing"));
}

#[tokio::test]
async fn enter_in_a_field_never_saves_untested() {
    let scene = added().await;
    scene.sandbox.trouble(System::Login, Trouble::Away);
    let form = scene.dialog("setup").await.form("Save");
    let form = scene.filled(form).fill("Client Secret (Value)", scene.secret());
    let page = scene.ann.submit(form).await;
    assert!(page.has_button("Save without testing"));
    assert!(page.all("#setup-form button")[0].attr("name").is_none(), "Enter presses the first");
}

#[tokio::test]
async fn nothing_is_laid_ready_for_an_integration_that_went_meanwhile() {
    let scene = set_up().await;
    let new = scene.sandbox.new_secret(scene.customer.tenant).unwrap();
    let form = scene.configure().await.form("Test and keep");
    let form = form.fill("Value of the next secret", new.value.reveal());
    // The test takes its time, and somebody else removes the integration.
    scene.sandbox.trouble_next(System::Graph, 1, Trouble::Slow { milliseconds: 1000 });
    scene.sandbox.forget_requests();
    let (page, ()) = tokio::join!(scene.ann.submit(form), async {
        let asked = || !scene.sandbox.requests_to(System::Login).is_empty();
        until("the test is on its way", asked).await;
        sqlx::query("UPDATE integrations SET removing_since = now()")
            .execute(&scene.stage.db)
            .await
            .unwrap();
    });
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert!(!scene.activity().await.says("laid ready"));
}

#[tokio::test]
async fn what_the_portal_makes_by_itself_replaces_nothing_that_lies_ready() {
    let scene = set_up().await;
    let new = scene.sandbox.new_secret(scene.customer.tenant).unwrap();
    let form = scene.configure().await.form("Test and keep");
    scene.ann.submit(form.fill("Value of the next secret", new.value.reveal())).await;
    let (sealer, expiry) = (&scene.stage.app.sealer, Expiry::default());
    let owner = presence_portal::integrations::secret_owner(scene.acme, scene.teams);
    let spare = spare::NewSpare {
        kind: CredentialKind::Secret,
        sealed: &sealer.seal(&owner, &Secret::new("another")).unwrap(),
        certificate: None,
        expiry: &expiry,
        accepted_at: None,
        try_at: None,
    };
    let (db, now) = (&scene.stage.db, scene.stage.clock.now());
    assert!(!spare::put_first(db, scene.acme, scene.teams, spare, now).await.unwrap());
    let next = spare::next_of(db, sealer, scene.acme, scene.teams).await.unwrap().unwrap().0;
    assert!(matches!(next, Credential::Secret(kept) if kept.reveal() == new.value.reveal()));
}

#[tokio::test]
async fn one_that_cannot_be_opened_holds_up_no_other() {
    let scene = set_up().await;
    scene.ann.submit(scene.configure().await.form("Make a certificate")).await;
    let (db, sealer) = (&scene.stage.db, &scene.stage.app.sealer);
    let broken = scene.stage.account("Broken").await;
    let teams = scene.stage.add_teams(broken).await;
    scene.stage.set_up(broken, None).await;
    sqlx::query(
        "INSERT INTO spare_credentials (account_id, integration_id, slot, credential, secret, since, try_at)
         VALUES ($1, $2, 'next', 'secret', 'not sealed', now(), $3)",
    )
    .bind(broken)
    .bind(teams)
    .bind(scene.stage.clock.now())
    .execute(db)
    .await
    .unwrap();
    let now = scene.stage.clock.now() + chrono::TimeDelta::days(1);
    let taken = spare::take_those_to_try(db, sealer, now, now).await.unwrap();
    assert_eq!(taken.iter().map(|one| one.connection.account).collect::<Vec<_>>(), [scene.acme]);
}
