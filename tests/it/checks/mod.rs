//! The setup check: every line, when asked and by night, and a pilot user.

mod findings;
mod running;

use chrono::TimeDelta;
use presence_portal::checks::Checker;
use presence_portal::ids::AccountId;
use presence_portal::integrations::credential::halves_of;
use presence_portal::integrations::{secret_owner, store};
use presence_portal::microsoft::{Certificate, Credential};
use presence_portal::sandbox::{Customer, Sandbox, World};

use crate::support::{Browser, Page, Stage};

struct Scene {
    stage: Stage,
    sandbox: Sandbox,
    customer: Customer,
    ann: Browser,
    acme: AccountId,
    at: String,
}

/// Microsoft Teams is set up, and presence sync is off.
async fn scene() -> Scene {
    scene_of(World::small()).await
}

async fn scene_of(world: World) -> Scene {
    let (stage, sandbox) = Stage::with_sandbox(world).await;
    let customer = sandbox.world().customers[0].clone();
    let (ann, acme) = (stage.ann().await, stage.account("Acme").await);
    sqlx::query("UPDATE accounts SET cloudlink_account_id = $2 WHERE id = $1")
        .bind(acme)
        .bind(&customer.account)
        .execute(&stage.db)
        .await
        .unwrap();
    let teams = stage.add_teams(acme).await;
    let in_spring = stage.clock.now().date_naive() + TimeDelta::days(120);
    stage.set_up(acme, Some(in_spring)).await;
    stage.connect(acme, &customer).await;
    let at = format!("/accounts/{acme}/integrations/{teams}/check");
    Scene { stage, sandbox, customer, ann, acme, at }
}

impl Scene {
    /// Runs everything that is due, and shows the page.
    async fn checked(&self) -> Page {
        Checker::new(self.stage.app.clone()).run_due().await;
        self.ann.visit(&self.at).await
    }

    /// From now on it signs in with a certificate that nobody has uploaded.
    async fn with_a_certificate(&self) {
        let app = &self.stage.app;
        let made = Certificate::make("portal", app.clock.now(), TimeDelta::days(365)).unwrap();
        let kept = store::connection_of(&app.db, &app.sealer, self.acme).await.unwrap().unwrap();
        let teams = store::of_account(&app.db, self.acme).await.unwrap().unwrap().id;
        let credential = Credential::Certificate(made);
        let (secret, der) = halves_of(&credential);
        let sealed = app.sealer.seal(&secret_owner(self.acme, teams), secret).unwrap();
        sqlx::query(
            "UPDATE connections SET credential = 'certificate', secret = $1, certificate = $2,
                version = $3",
        )
        .bind(sealed)
        .bind(der)
        .bind(kept.version + 1)
        .execute(&app.db)
        .await
        .unwrap();
    }

    /// Somebody asks for it, a minute later.
    async fn asked(&self) -> Page {
        self.stage.clock.advance(TimeDelta::minutes(1));
        let page = self.ann.visit(&self.at).await;
        let page = self.ann.submit(page.form("Run the check")).await;
        assert!(page.says("The check is going on"), "{}", page.source);
        self.checked().await
    }
}

/// What a line of the page says, its state last.
fn line(page: &Page, label: &str) -> String {
    let lines = page.all("li.row");
    let words = lines
        .into_iter()
        .map(|line| line.text().flat_map(str::split_whitespace).collect::<Vec<_>>().join(" "));
    words.into_iter().find(|words| words.starts_with(label)).unwrap_or_default()
}

const GOOD: &str = "Good";
