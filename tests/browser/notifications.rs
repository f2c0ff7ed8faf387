//! Being told of a secret that ended, and that it was renewed.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Journey, Portal};

/// The portal looks every three seconds.
const TOLD_WITHIN: Duration = Duration::from_secs(20);
/// From Microsoft’s first refusal to the last place that says so.
const NAMED_WITHIN: Duration = Duration::from_mins(1);

/// Waits until the webhook was told of this, of that cause.
async fn told(portal: &Portal, event: &str, cause: &str) {
    portal
        .eventually(event, TOLD_WITHIN, async || {
            portal.sandbox.posted().iter().any(|posted| {
                let said: Value = serde_json::from_str(&posted.body).unwrap();
                said["event"] == event && said["accounts"][0]["cause"] == cause
            })
        })
        .await;
}

async fn a_webhook_is_added_and_tested(Journey { portal, visitor, .. }: &Journey) {
    visitor.visit("/settings").await;
    visitor.press("Notifications").await;
    visitor.press("Add a channel").await;
    visitor.press("Add Webhook").await;
    visitor.fill("Name", "Ticket system").await;
    visitor.fill("URL", "https://127.0.0.1/hook").await;
    visitor.press("Add channel").await;
    visitor.sees("That leads into a private network").await;
    visitor.fill("URL", &portal.sandbox.webhook_url("tickets")).await;
    visitor.press("Add channel").await;
    visitor.sees("Keep this signing key now").await;
    visitor.press("Send a test").await;
    visitor.sees("The test was taken. The answer: 200 OK: ok").await;
    assert_eq!(portal.sandbox.posted().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_added_tested_and_told_of_a_secret_that_ended_and_was_renewed() {
    let journey = Journey::begin().await.syncing().await;
    let Journey { portal, visitor, customer } = &journey;
    a_webhook_is_added_and_tested(&journey).await;

    journey.the_secret_expires();
    let refused = Instant::now();
    told(portal, "problem.opened", "secret-expired").await;
    visitor.sees_after_reloading("The client secret has expired").await;
    visitor.picture("channel").await;
    for page in ["", "/integrations", "/presence", "/setup-check"] {
        journey.open(page).await;
        visitor.sees_after_reloading("The client secret has expired").await;
    }
    journey.open_integration("/configure").await;
    visitor.sees("The client secret has expired").await;
    visitor.visit("/accounts").await;
    visitor.sees_after_reloading("Needs attention").await;
    visitor.visit("/").await;
    visitor.sees_after_reloading("The client secret has expired").await;
    assert!(refused.elapsed() < NAMED_WITHIN, "everywhere: {:?}", refused.elapsed());

    let new = portal.sandbox.new_secret(customer.tenant).unwrap();
    journey.open("/integrations").await;
    visitor.press("Configure Microsoft Teams").await;
    visitor.fill("Client Secret (Value)", new.value.reveal()).await;
    visitor.press("Save").await;
    visitor.sees("Saved, and tested with Microsoft").await;
    told(portal, "problem.resolved", "secret-expired").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_added_tested_and_told_without_scripts() {
    let journey = Journey::begin_without_scripts().await.syncing().await;
    a_webhook_is_added_and_tested(&journey).await;
    journey.the_secret_expires();
    told(&journey.portal, "problem.opened", "secret-expired").await;
    journey.visitor.sees_after_reloading("The client secret has expired").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_channel_says_what_the_mail_server_said() {
    let Journey { portal, visitor, .. } = Journey::begin().await;
    portal.sandbox.mail_now(presence_portal::sandbox::MailManners::Refuses);
    visitor.visit("/settings/notifications/add?kind=mail").await;
    visitor.fill("Name", "Ops").await;
    visitor.fill("Recipients", "ops@partner.example").await;
    visitor.press("Add channel").await;
    visitor.press("Send a test").await;
    visitor.sees("550 5.1.1 nobody of that name lives here").await;
    visitor.picture("channel-refused").await;
    portal.sandbox.mail_now(presence_portal::sandbox::MailManners::Takes);
    visitor.press("Send a test").await;
    visitor.sees("The test was taken. The answer: 250 2.0.0").await;
    assert_eq!(portal.sandbox.letters().len(), 1);
}
