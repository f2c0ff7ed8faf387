//! What is told, to whom, and how often.

use chrono::TimeDelta;
use presence_portal::ids::AccountId;
use presence_portal::notifications::scan;
use presence_portal::sandbox::{Letter, Sandbox, World};

use super::{add_hook, add_mail, json, look_and_tell};
use crate::support::Stage;

async fn opened() -> (Stage, Sandbox) {
    Stage::with_sandbox(World::empty()).await
}

fn subjects(letters: &[Letter]) -> Vec<&str> {
    letters.iter().map(|letter| letter.subject.as_str()).collect()
}

async fn heals(stage: &Stage, account: AccountId) {
    sqlx::query("DELETE FROM presence_troubles WHERE account_id = $1")
        .bind(account)
        .execute(&stage.db)
        .await
        .unwrap();
}

async fn expires_in(stage: &Stage, account: AccountId, days: i64) {
    let on = stage.clock.now().date_naive() + TimeDelta::days(days);
    sqlx::query("UPDATE connections SET secret_expires_on = $2 WHERE account_id = $1")
        .bind(account)
        .bind(on)
        .execute(&stage.db)
        .await
        .unwrap();
}

#[tokio::test]
async fn what_needs_a_person_is_told_at_once_and_only_once() {
    let (stage, sandbox) = opened().await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    add_mail(&ann, None, "ops@partner.example").await;
    look_and_tell(&stage).await;
    assert!(sandbox.letters().is_empty(), "all is well");

    stage.trouble(acme, "microsoft", "secret-expired", true).await;
    for _ in 0..3 {
        look_and_tell(&stage).await;
        stage.clock.advance(TimeDelta::hours(5));
    }
    let letters = sandbox.letters();
    assert_eq!(subjects(&letters), ["Acme: The client secret has expired"]);
    let letter = &letters[0];
    assert_eq!(
        (letter.from.as_str(), letter.to.as_str()),
        ("portal@partner.example", "ops@partner.example")
    );
    assert!(letter.text.contains("AADSTS7000222, request-id r-7"), "{}", letter.text);
    assert!(letter.text.contains(&format!("http://127.0.0.1:8080/accounts/{acme}/integrations/")));
    assert!(letter.text.contains("/settings/notifications/"), "where to change that");
}

#[tokio::test]
async fn what_passes_by_itself_has_a_quarter_of_an_hour_to_do_so() {
    let (stage, sandbox) = opened().await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    add_mail(&ann, None, "ops@partner.example").await;
    stage.trouble(acme, "microsoft", "microsoft-unreachable", false).await;
    stage.clock.advance(TimeDelta::minutes(14));
    look_and_tell(&stage).await;
    assert!(sandbox.letters().is_empty());
    stage.clock.advance(TimeDelta::minutes(1));
    look_and_tell(&stage).await;
    assert_eq!(sandbox.letters().len(), 1);

    // It goes, comes back, and goes: what flickers is not told each time.
    heals(&stage, acme).await;
    look_and_tell(&stage).await;
    stage.clock.advance(TimeDelta::minutes(4));
    stage.trouble(acme, "microsoft", "microsoft-unreachable", false).await;
    look_and_tell(&stage).await;
    stage.clock.advance(TimeDelta::minutes(10));
    look_and_tell(&stage).await;
    assert_eq!(sandbox.letters().len(), 1, "it was not over");
    heals(&stage, acme).await;
    look_and_tell(&stage).await;
    stage.clock.advance(TimeDelta::minutes(5));
    look_and_tell(&stage).await;
    let letters = sandbox.letters();
    assert!(letters[1].subject.starts_with("Acme: Resolved: "), "{:?}", letters[1].subject);
}

#[tokio::test]
async fn another_reason_is_told_again_and_the_end_once() {
    let (stage, sandbox) = opened().await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    add_mail(&ann, None, "ops@partner.example").await;
    stage.trouble(acme, "microsoft", "secret-expired", true).await;
    look_and_tell(&stage).await;
    heals(&stage, acme).await;
    stage.trouble(acme, "microsoft", "secret-wrong", true).await;
    look_and_tell(&stage).await;
    heals(&stage, acme).await;
    look_and_tell(&stage).await;
    look_and_tell(&stage).await;
    let letters = sandbox.letters();
    assert_eq!(letters.len(), 3);
    assert!(letters[1].subject.starts_with("Acme: Now: "), "{}", letters[1].subject);
    assert!(letters[2].subject.starts_with("Acme: Resolved: "), "{}", letters[2].subject);
    // A mail program shows them as one conversation.
    assert_eq!(letters[1].in_reply_to, letters[0].message_id);
    assert_eq!(letters[2].in_reply_to, letters[0].message_id);
    assert_ne!(letters[2].message_id, letters[0].message_id);
}

#[tokio::test]
async fn one_cause_at_many_accounts_is_one_message() {
    let (stage, sandbox) = opened().await;
    let ann = stage.ann().await;
    add_mail(&ann, None, "ops@partner.example").await;
    add_hook(&ann, None, "webhook", &sandbox.webhook_url("ops")).await;
    for number in 0..30 {
        let account = stage.synced_account(&format!("Customer {number}")).await;
        stage.trouble(account, "feed", "cloudlink-forbidden", true).await;
    }
    look_and_tell(&stage).await;
    let letters = sandbox.letters();
    assert_eq!(letters.len(), 1);
    assert!(letters[0].subject.starts_with("30 accounts: "), "{}", letters[0].subject);
    assert!(letters[0].text.contains("and 10 more: http"), "{}", letters[0].text);
    let posted = sandbox.posted();
    assert_eq!(posted.len(), 1);
    assert_eq!(json(&posted[0])["accounts"].as_array().unwrap().len(), 30, "none is left out");
}

#[tokio::test]
async fn who_is_reached_by_two_channels_is_told_once() {
    let (stage, sandbox) = opened().await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    add_mail(&ann, None, "ops@partner.example, help@acme.example").await;
    add_mail(&ann, Some(acme), "Help@Acme.example").await;
    let url = sandbox.webhook_url("ops");
    add_hook(&ann, None, "slack", &url).await;
    add_hook(&ann, Some(acme), "slack", &url).await;
    stage.trouble(acme, "microsoft", "secret-expired", true).await;
    look_and_tell(&stage).await;
    let mut to: Vec<_> = sandbox.letters().into_iter().map(|letter| letter.to).collect();
    to.sort();
    assert_eq!(to, ["help@acme.example", "ops@partner.example"]);
    assert_eq!(sandbox.posted().len(), 1);
    heals(&stage, acme).await;
    look_and_tell(&stage).await;
    assert_eq!((sandbox.letters().len(), sandbox.posted().len()), (4, 2));
}

#[tokio::test]
async fn an_accounts_channel_hears_of_nobody_else() {
    let (stage, sandbox) = opened().await;
    let ann = stage.ann().await;
    let (acme, bolt) = (stage.synced_account("Acme").await, stage.synced_account("Bolt").await);
    add_mail(&ann, Some(acme), "help@acme.example").await;
    stage.trouble(bolt, "microsoft", "secret-expired", true).await;
    look_and_tell(&stage).await;
    assert!(sandbox.letters().is_empty());
    stage.trouble(acme, "microsoft", "secret-expired", true).await;
    look_and_tell(&stage).await;
    assert_eq!(subjects(&sandbox.letters()), ["Acme: The client secret has expired"]);
}

#[tokio::test]
async fn a_new_channel_hears_of_what_is_wrong_already() {
    let (stage, sandbox) = opened().await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    add_mail(&ann, None, "ops@partner.example").await;
    stage.trouble(acme, "microsoft", "secret-expired", true).await;
    look_and_tell(&stage).await;
    add_mail(&ann, None, "new@partner.example").await;
    look_and_tell(&stage).await;
    let to: Vec<_> = sandbox.letters().into_iter().map(|letter| letter.to).collect();
    assert_eq!(to, ["ops@partner.example", "new@partner.example"]);
}

#[tokio::test]
async fn a_deactivated_account_has_nothing_wrong() {
    let (stage, sandbox) = opened().await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    add_mail(&ann, None, "ops@partner.example").await;
    stage.trouble(acme, "microsoft", "secret-expired", true).await;
    look_and_tell(&stage).await;
    sqlx::query("UPDATE accounts SET deactivated_at = now()").execute(&stage.db).await.unwrap();
    look_and_tell(&stage).await;
    look_and_tell(&stage).await;
    let letters = sandbox.letters();
    assert_eq!(letters.len(), 2);
    assert!(letters[1].subject.contains("Resolved"));
}

#[tokio::test]
async fn each_step_before_a_secret_ends_is_told_once_and_then_every_day() {
    let (stage, sandbox) = opened().await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    add_mail(&ann, None, "ops@partner.example").await;
    expires_in(&stage, acme, 100).await;
    let mut told = Vec::new();
    for day in 0..104 {
        // Twice a day, to no avail.
        look_and_tell(&stage).await;
        look_and_tell(&stage).await;
        let letters = sandbox.letters();
        if letters.len() > told.len() {
            told.push(100 - day);
        }
        assert_eq!(letters.len(), told.len());
        stage.clock.advance(TimeDelta::days(1));
    }
    assert_eq!(told, [90, 60, 30, 14, 7, 1, 0, -1, -2, -3]);
    let letters = sandbox.letters();
    let subjects = subjects(&letters);
    assert_eq!(subjects[0], "Acme: The client secret expires within 90 days");
    assert_eq!(subjects[5], "Acme: The client secret expires tomorrow");
    assert_eq!(subjects[9], "Acme: The client secret’s expiry date has passed");
    assert!(letters[2].text.contains("expires on 10 June 2026, in 30 days"), "{}", letters[2].text);

    // A new secret ends it.
    expires_in(&stage, acme, 365).await;
    look_and_tell(&stage).await;
    look_and_tell(&stage).await;
    let letters = sandbox.letters();
    assert_eq!(letters.len(), 11);
    assert!(letters[10].text.contains("There is a new client secret"), "{}", letters[10].text);
}

#[tokio::test]
async fn of_many_scans_at_once_one_tells() {
    let (stage, _sandbox) = opened().await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    add_mail(&ann, None, "ops@partner.example").await;
    stage.trouble(acme, "microsoft", "secret-expired", true).await;
    let scans = futures_util::future::join_all((0..5).map(|_| scan(&stage.app))).await;
    let posted: usize = scans.into_iter().map(Result::unwrap).sum();
    assert_eq!(posted, 1);
}
