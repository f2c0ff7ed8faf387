//! Complete setup and Configure, against a pretend Microsoft.

use axum::http::StatusCode;
use presence_portal::ids::AccountId;
use presence_portal::integrations::store;
use presence_portal::microsoft::{Connection, Credential};
use presence_portal::sandbox::{Customer, Permission, Sandbox, Standing, System, Trouble, World};

use crate::support::{Browser, Form, Page, Stage, until};

struct Scene {
    stage: Stage,
    sandbox: Sandbox,
    customer: Customer,
    ann: Browser,
    acme: AccountId,
}

/// Microsoft Teams is added and waits to be set up.
async fn scene() -> Scene {
    let (stage, sandbox) = Stage::with_sandbox(World::small()).await;
    let customer = sandbox.world().customers[0].clone();
    let (ann, acme) = (stage.ann().await, stage.account("Acme").await);
    let dialog = ann.visit(&format!("/accounts/{acme}/integrations/add?tab=3rd-party")).await;
    ann.submit(dialog.form("Add")).await;
    Scene { stage, sandbox, customer, ann, acme }
}

impl Scene {
    async fn panel(&self) -> Page {
        self.ann.visit(&format!("/accounts/{}/integrations", self.acme)).await
    }

    /// The form, filled in as it should be.
    async fn right(&self) -> Form {
        let page = self.ann.visit(&self.panel().await.link("Complete setup")).await;
        page.form("Save")
            .fill("Name", "Portal app")
            .fill("Tenant Id", &format!(" {} ", self.customer.tenant))
            .fill("Application (Client) Id", &self.customer.app.client.to_string())
            .fill("Client Secret (Value)", self.secret())
    }

    fn secret(&self) -> &str {
        self.customer.app.secret.value.reveal()
    }

    async fn set_up(&self) {
        let page = self.ann.submit(self.right().await).await;
        assert!(page.says("Microsoft Teams is set up."), "{}", page.source);
    }

    async fn configure(&self) -> Page {
        self.ann.visit(&self.panel().await.link("Configure Microsoft Teams")).await
    }

    async fn kept(&self) -> Option<Connection> {
        store::connection_of(&self.stage.db, &self.stage.app.sealer, self.acme).await.unwrap()
    }

    async fn kept_secret(&self) -> String {
        let Credential::Secret(secret) = self.kept().await.unwrap().credential else {
            panic!("it signs in with a certificate");
        };
        secret.reveal().to_owned()
    }
}

#[tokio::test]
async fn the_setup_is_tested_saved_and_sealed() {
    let scene = scene().await;
    let page = scene.ann.visit(&scene.panel().await.link("Complete setup")).await;
    assert_eq!(page.heading(), "Complete setup");
    for named in ["User.Read.All", "Presence.ReadWrite.All", "Grant admin consent", "Secret ID"] {
        assert!(page.says(named), "the guide names {named}");
    }
    assert_eq!(page.all("[data-copy='User.Read.All']").len(), 1);
    assert!(page.has_link("Cancel") && page.has_link("Remove"));

    scene.set_up().await;
    let kept = scene.kept().await.unwrap();
    assert_eq!((kept.tenant, kept.client), (scene.customer.tenant, scene.customer.app.client));
    assert_eq!(scene.kept_secret().await, scene.secret());
    let sealed: Vec<u8> = sqlx::query_scalar("SELECT secret FROM connections")
        .fetch_one(&scene.stage.db)
        .await
        .unwrap();
    let plain = scene.secret().as_bytes();
    assert!(!sealed.windows(plain.len()).any(|part| part == plain));

    let page = scene.panel().await;
    assert!(page.says("Ready") && page.says("Portal app") && !page.has_link("Complete setup"));
    assert!(!scene.sandbox.requests_to(System::Graph).is_empty(), "the directory was read");
}

#[tokio::test]
async fn what_is_malformed_is_said_beside_its_field_before_anybody_is_asked() {
    let scene = scene().await;
    let form = scene.right().await;
    let typed = form
        .clone()
        .fill("Name", "")
        .fill("Tenant Id", "contoso.onmicrosoft.com")
        .fill("Application (Client) Id", "")
        .fill("Client Secret (Value)", "")
        .fill("Secret expires on", "2026-02-30");
    let page = scene.ann.submit(typed.clone()).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    for field in [
        "Name",
        "Tenant Id",
        "Application (Client) Id",
        "Client Secret (Value)",
        "Secret expires on",
    ] {
        assert!(!page.complaint(field).is_empty(), "{field}");
    }
    assert_eq!(page.form("Save").value("Tenant Id"), "contoso.onmicrosoft.com");
    let page = scene.ann.submit(form.clone().fill("cloud", "mars")).await;
    assert!(!page.complaint("Cloud").is_empty());
    let page = scene.ann.submit(form.fill("Secret expires on", "2026-03-01")).await;
    assert!(page.complaint("Secret expires on").contains("passed"));
    assert!(scene.sandbox.requests_to(System::Login).is_empty() && scene.kept().await.is_none());
}

#[tokio::test]
async fn each_cause_is_named_beside_the_field_it_concerns() {
    let scene = scene().await;
    let form = scene.right().await;
    let tenant = scene.customer.tenant;
    let (secret, client) = ("Client Secret (Value)", "Application (Client) Id");
    let stranger = "11111111-2222-4333-8444-555555555555";

    let secret_id = scene.customer.app.secret.id.to_string();
    for (form, field, cause) in [
        (form.clone().fill("Tenant Id", stranger), "Tenant Id", "does not know this tenant"),
        (form.clone().fill(client, stranger), client, "not in this tenant"),
        (form.clone().fill(secret, "wr0ng~value"), secret, "does not accept the client secret"),
        (form.clone().fill(secret, &secret_id), secret, "The Secret ID was pasted"),
    ] {
        let page = scene.ann.submit(form.clone()).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.complaint(field).contains(cause), "{field}: {}", page.complaint(field));
        assert!(page.says("Nothing was saved"));
        assert!(!page.has_button("Save without testing"));
        for kept in ["Name", "Tenant Id", client] {
            assert_eq!(page.form("Save").value(kept), form.value(kept), "as typed");
        }
        assert!(!page.source.contains(&form.value(secret)), "a secret is never put into a page");
        assert!(page.says("type it again"));
    }
    scene.sandbox.app_is(tenant, Standing::Disabled).unwrap();
    let page = scene.ann.submit(form.clone()).await;
    assert!(page.complaint(client).contains("disabled"));
    scene.sandbox.app_is(tenant, Standing::Good).unwrap();
    scene.sandbox.expire_secrets(tenant).unwrap();
    let page = scene.ann.submit(form).await;
    assert!(page.complaint(secret).contains("has expired"));
    assert!(scene.kept().await.is_none());
}

#[tokio::test]
async fn missing_permissions_are_named_and_once_granted_the_same_form_is_taken() {
    let scene = scene().await;
    let form = scene.right().await;
    let tenant = scene.customer.tenant;
    scene.sandbox.revoke(tenant, Permission::ReadWritePresence).unwrap();
    let page = scene.ann.submit(form.clone()).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        page.text("[role=alert] .callout__title"),
        "The permission Presence.ReadWrite.All is missing"
    );
    scene.sandbox.revoke(tenant, Permission::ReadUsers).unwrap();
    let page = scene.ann.submit(form.clone()).await;
    assert!(page.says("The permissions User.Read.All and Presence.ReadWrite.All are missing"));
    assert!(page.has_link("Open it in Microsoft Entra"));

    scene.sandbox.grant(tenant, Permission::ReadUsers).unwrap();
    scene.sandbox.grant(tenant, Permission::ReadWritePresence).unwrap();
    let page = scene.ann.submit(form).await;
    assert!(page.says("Microsoft Teams is set up."));
}

#[tokio::test]
async fn only_when_microsoft_cannot_be_reached_may_it_be_saved_untested() {
    let scene = scene().await;
    let form = scene.right().await;
    scene.sandbox.trouble(System::Login, Trouble::Away);
    let page = scene.ann.submit(form.clone()).await;
    assert!(page.says("Microsoft cannot be reached"));
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(scene.kept().await.is_none());
    let untested = page.form("Save without testing").fill("Client Secret (Value)", scene.secret());

    scene.sandbox.mend(System::Login);
    scene.sandbox.expire_secrets(scene.customer.tenant).unwrap();
    let page = scene.ann.submit(untested.clone()).await;
    assert!(page.complaint("Client Secret (Value)").contains("expired"), "it can be reached again");
    assert!(scene.kept().await.is_none());

    scene.sandbox.trouble(System::Login, Trouble::Away);
    let page = scene.ann.submit(untested).await;
    assert!(page.says("Saved without testing.") && page.says("Not tested yet"));
    assert_eq!(scene.kept_secret().await, scene.secret());

    scene.sandbox.mend(System::Login);
    let fresh = scene.sandbox.new_secret(scene.customer.tenant).unwrap();
    let form = scene.configure().await.form("Save");
    let page = scene.ann.submit(form.fill("Client Secret (Value)", fresh.value.reveal())).await;
    assert!(page.says("Saved, and tested with Microsoft.") && !page.says("Not tested yet"));
}

#[tokio::test]
async fn an_empty_secret_keeps_the_old_one_and_is_tested_with_it() {
    let scene = scene().await;
    scene.set_up().await;
    let page = scene.configure().await;
    assert_eq!(page.heading(), "Configure Microsoft Teams");
    assert!(!page.source.contains(scene.secret()), "never shown again");
    let form = page.form("Save");
    assert_eq!(form.value("Tenant Id"), scene.customer.tenant.to_string());
    let before = scene.kept().await.unwrap();

    scene.sandbox.forget_requests();
    let page = scene.ann.submit(form.clone().fill("Name", "Renamed")).await;
    assert!(page.says("Saved.") && page.says("Renamed"));
    assert!(scene.sandbox.requests_to(System::Login).is_empty(), "a name is nothing to Microsoft");
    assert_eq!(scene.kept().await.unwrap().version, before.version);

    let page = scene.ann.submit(scene.configure().await.form("Save")).await;
    assert!(page.says("Saved, and tested with Microsoft."));
    let after = scene.kept().await.unwrap();
    assert!(after.version > before.version, "tokens of before are of no use");
    assert_eq!(scene.kept_secret().await, scene.secret());
}

#[tokio::test]
async fn a_new_secret_replaces_the_old_one_only_once_it_works() {
    let scene = scene().await;
    scene.set_up().await;
    let before = scene.kept().await.unwrap().version;
    let form = scene.configure().await.form("Save");
    let page = scene.ann.submit(form.clone().fill("Client Secret (Value)", "wr0ng~value")).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.says("sync goes on with what there was"));
    assert_eq!(scene.kept_secret().await, scene.secret());
    assert_eq!(scene.kept().await.unwrap().version, before);

    let fresh = scene.sandbox.replace_secrets(scene.customer.tenant).unwrap();
    let form = form.fill("Client Secret (Value)", fresh.value.reveal());
    let page = scene.ann.submit(form.clone()).await;
    assert!(page.says("Saved, and tested with Microsoft."));
    assert_eq!(scene.kept_secret().await, fresh.value.reveal());
    assert!(scene.kept().await.unwrap().version > before);
    let noted = scene.ann.visit(&format!("/accounts/{}/activity", scene.acme)).await;
    assert!(noted.says("The client secret was replaced, tested with Microsoft."));
    let csv = scene.ann.visit(&format!("/accounts/{}/activity.csv", scene.acme)).await;
    for source in [&noted.source, &csv.source, &page.source] {
        assert!(!source.contains(fresh.value.reveal()) && !source.contains(scene.secret()));
    }
}

#[tokio::test]
async fn what_somebody_else_saved_meanwhile_is_not_overwritten() {
    let scene = scene().await;
    scene.set_up().await;
    let save = scene.stage.db.clone();
    // The test takes its time, and another admin is quicker.
    scene.sandbox.trouble_next(System::Graph, 1, Trouble::Slow { milliseconds: 2000 });
    let form = scene.configure().await.form("Save").fill("Name", "Mine");
    let form = form.fill("Client Secret (Value)", scene.secret());
    let theirs = async {
        until("the test is on its way", || !scene.sandbox.requests_to(System::Login).is_empty())
            .await;
        sqlx::query(
            "UPDATE connections SET name = 'Theirs', version = nextval('connection_versions')",
        )
        .execute(&save)
        .await
        .unwrap();
    };
    scene.sandbox.forget_requests();
    let (page, ()) = tokio::join!(scene.ann.submit(form), theirs);
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.says("Somebody else changed this meanwhile"));
    assert!(scene.panel().await.says("Theirs"));
}

#[tokio::test]
async fn monitors_are_listed_and_ask_for_a_new_secret_until_ticked() {
    let scene = scene().await;
    scene.set_up().await;
    let page = scene.configure().await;
    let refused = scene.ann.submit_in_place(page.form("Add monitor")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.complaint("Monitor"), "Give the monitor its name.");
    let form = page.form("Add monitor").fill("Monitor", "monitor-1").fill("Note", "in Leeds");
    let list = scene.ann.submit_in_place(form).await;
    assert!(list.says("monitor-1") && list.all("h1").is_empty(), "the list alone");
    scene.ann.submit(page.form("Add monitor").fill("Monitor", "monitor-2")).await;
    assert_eq!(scene.stage.monitors_waiting().await, 0);

    let fresh = scene.sandbox.new_secret(scene.customer.tenant).unwrap();
    let form = scene.configure().await.form("Save");
    let page = scene.ann.submit(form.fill("Client Secret (Value)", fresh.value.reveal())).await;
    assert!(page.says("Also update the client secret of monitor-1 (in Leeds)"));
    assert_eq!(scene.stage.monitors_waiting().await, 2);

    let page = scene.ann.submit(page.form("monitor-1 is updated")).await;
    assert!(page.says("monitor-1 is ticked off.") && page.says("monitor-2"));
    assert!(!page.has_button("monitor-1 is updated"));
    let page = scene.configure().await;
    let page = scene.ann.submit(page.form("Take monitor-2 off the list")).await;
    assert!(!page.says("monitor-2"));
    assert_eq!(scene.stage.monitors_waiting().await, 0);
}
