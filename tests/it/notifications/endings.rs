//! Secrets, certificates, what lies ready, and what the setup check found.

use chrono::TimeDelta;
use presence_portal::ids::AccountId;
use presence_portal::sandbox::{Sandbox, World};

use super::{add_hook, add_mail, json, look_and_tell};
use crate::support::{Browser, Stage};

struct Scene {
    stage: Stage,
    ann: Browser,
    sandbox: Sandbox,
    acme: AccountId,
}

async fn scene() -> Scene {
    let (stage, sandbox) = Stage::with_sandbox(World::empty()).await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    add_mail(&ann, None, "ops@partner.example").await;
    Scene { stage, ann, sandbox, acme }
}

impl Scene {
    async fn does(&self, deed: &'static str) {
        let today = self.stage.clock.now();
        sqlx::query(deed).bind(self.acme).bind(today).execute(&self.stage.db).await.unwrap();
    }

    async fn expires_in(&self, days: i64, credential: &str) {
        let on = self.stage.clock.now().date_naive() + TimeDelta::days(days);
        sqlx::query(
            "UPDATE connections SET secret_expires_on = $2, credential = $3,
                certificate = CASE WHEN $3 = 'certificate' THEN '\\x00'::bytea END
             WHERE account_id = $1",
        )
        .bind(self.acme)
        .bind(on)
        .bind(credential)
        .execute(&self.stage.db)
        .await
        .unwrap();
    }

    /// What was told since the last time, by its subjects.
    async fn told(&self) -> Vec<String> {
        look_and_tell(&self.stage).await;
        look_and_tell(&self.stage).await;
        let told = self.sandbox.letters().into_iter().map(|letter| letter.subject).collect();
        self.sandbox.forget_messages();
        told
    }

    async fn heals(&self) {
        self.does("DELETE FROM presence_troubles WHERE account_id = $1 AND since <= $2").await;
    }
}

const NEXT_IS_ACCEPTED: &str = "INSERT INTO spare_credentials (account_id, integration_id, slot,
        credential, secret, since, accepted_at)
    SELECT account_id, integration_id, 'next', 'secret', secret, $2, $2 FROM connections
    WHERE account_id = $1
    ON CONFLICT (account_id, integration_id, slot) DO UPDATE SET accepted_at = $2, refused = NULL";
const NEXT_IS_REFUSED: &str = "INSERT INTO spare_credentials (account_id, integration_id, slot,
        credential, secret, since, refused, refused_detail, refused_at)
    SELECT account_id, integration_id, 'next', 'secret', secret, $2, 'secret-wrong', 'AADSTS7000215',
        $2 FROM connections WHERE account_id = $1";

#[tokio::test]
async fn nobody_is_reminded_while_the_next_one_lies_ready() {
    let scene = scene().await;
    scene.expires_in(20, "secret").await;
    assert_eq!(scene.told().await, ["Acme: The client secret expires within 30 days"]);
    scene.does(NEXT_IS_ACCEPTED).await;
    let told = scene.told().await;
    assert_eq!(told, ["Acme: Resolved: The client secret expires within 30 days"]);
    for _ in 0..25 {
        scene.stage.clock.advance(TimeDelta::days(1));
        assert!(scene.told().await.is_empty());
    }
}

#[tokio::test]
async fn a_certificates_end_is_told_as_a_certificates() {
    let scene = scene().await;
    add_hook(&scene.ann, None, "webhook", &scene.sandbox.webhook_url("x")).await;
    scene.expires_in(7, "certificate").await;
    look_and_tell(&scene.stage).await;
    let posted = json(&scene.sandbox.posted()[0]);
    assert_eq!(posted["accounts"][0]["cause"], "certificate-ends-7");
    let text = scene.sandbox.letters()[0].text.clone();
    assert!(text.contains("Upload the next certificate") && !text.contains("secret"), "{text}");
    assert_eq!(scene.told().await, ["Acme: The certificate expires within 7 days"]);
    scene.expires_in(-1, "certificate").await;
    assert_eq!(scene.told().await, ["Acme: The certificate’s expiry date has passed"]);
}

#[tokio::test]
async fn an_expired_secret_is_one_problem_whoever_says_so() {
    let scene = scene().await;
    scene.expires_in(-1, "secret").await;
    assert_eq!(scene.told().await, ["Acme: The client secret’s expiry date has passed"]);
    // Microsoft finds out as well: the same thing, told already.
    scene.stage.trouble(scene.acme, "microsoft", "secret-expired", true).await;
    assert!(scene.told().await.is_empty());
    for _ in 0..3 {
        scene.stage.clock.advance(TimeDelta::days(1));
        assert_eq!(scene.told().await, ["Acme: The client secret has expired"], "daily");
    }
    scene.heals().await;
    scene.expires_in(365, "secret").await;
    assert_eq!(scene.told().await, ["Acme: Resolved: The client secret has expired"]);
    assert!(scene.told().await.is_empty());
}

#[tokio::test]
async fn a_refusal_on_the_last_day_is_told_at_once_and_then_daily() {
    let scene = scene().await;
    scene.expires_in(0, "secret").await;
    assert_eq!(scene.told().await, ["Acme: The client secret expires today"]);
    scene.stage.trouble(scene.acme, "microsoft", "secret-expired", true).await;
    assert_eq!(scene.told().await, ["Acme: Now: The client secret has expired"]);
    scene.stage.clock.advance(TimeDelta::days(1));
    assert_eq!(scene.told().await, ["Acme: The client secret has expired"]);
    scene.heals().await;
    scene.expires_in(90, "secret").await;
    let told = scene.told().await;
    assert_eq!(told.len(), 2, "over, and the reminder of the new one: {told:?}");
    assert!(told.contains(&"Acme: Resolved: The client secret has expired".to_owned()));
}

#[tokio::test]
async fn a_date_that_was_typed_wrong_is_told_once_the_secret_works() {
    let scene = scene().await;
    scene.expires_in(-9, "secret").await;
    scene.stage.trouble(scene.acme, "microsoft", "secret-wrong", true).await;
    let told = scene.told().await;
    assert_eq!(told, ["Acme: Microsoft does not accept the client secret"], "one thing at a time");
    scene.heals().await;
    let mut told = scene.told().await;
    told.sort();
    assert_eq!(
        told,
        [
            "Acme: Resolved: Microsoft does not accept the client secret",
            "Acme: The client secret’s expiry date has passed"
        ]
    );
}

#[tokio::test]
async fn a_next_secret_that_microsoft_refuses_is_told_and_is_on_home() {
    let scene = scene().await;
    scene.does(NEXT_IS_REFUSED).await;
    let ann = &scene.ann;
    let home = ann.visit("/").await;
    assert!(home.says("What lies ready to follow was refused"), "{}", home.source);
    assert!(home.says("the next client secret: Microsoft does not accept the client secret"));
    look_and_tell(&scene.stage).await;
    let letter = scene.sandbox.letters()[0].clone();
    assert!(letter.text.contains("AADSTS7000215") && letter.text.contains("/configure"));
    assert_eq!(scene.told().await, ["Acme: Microsoft refused the next client secret"]);
    scene.does(NEXT_IS_ACCEPTED).await;
    assert_eq!(scene.told().await, ["Acme: Resolved: Microsoft refused the next client secret"]);
    assert!(!ann.visit("/").await.says("What lies ready to follow was refused"));
}

#[tokio::test]
async fn what_the_setup_check_found_is_told_unless_the_sync_says_so_itself() {
    let scene = scene().await;
    scene
        .does(
            "INSERT INTO setup_checks (account_id, integration_id, due_at, reds, urgent, worst_line, worst,
                urgent_since)
             SELECT account_id, id, $2, 1, 1, 'clock',
                'This server’s clock is 7 hours fast, by Microsoft’s clock.', $2
             FROM integrations WHERE account_id = $1",
        )
        .await;
    look_and_tell(&scene.stage).await;
    let letter = scene.sandbox.letters()[0].clone();
    assert!(letter.text.contains("clock is 7 hours fast") && letter.text.contains("/check"));
    let title = "Acme: The setup check found what a person has to mend";
    assert_eq!(scene.told().await, [title]);
    // Another figure on the same line is no news.
    scene.does("UPDATE setup_checks SET worst = 'This server’s clock is 8 hours fast, by Microsoft’s clock.' WHERE account_id = $1 AND due_at <= $2").await;
    assert!(scene.told().await.is_empty());
    scene.stage.trouble(scene.acme, "microsoft", "permission-presence", true).await;
    assert_eq!(scene.told().await, ["Acme: The permission Presence.ReadWrite.All is missing"]);
    scene.heals().await;
    assert_eq!(
        scene.told().await,
        ["Acme: Resolved: The permission Presence.ReadWrite.All is missing"],
        "of the check nothing new is to be said"
    );
    scene.does("UPDATE setup_checks SET urgent = 0 WHERE account_id = $1 AND due_at <= $2").await;
    let over = scene.told().await;
    assert_eq!(over, ["Acme: Resolved: The setup check found what a person has to mend"]);
}
