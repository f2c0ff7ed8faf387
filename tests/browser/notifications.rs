//! Being told of a secret that ended, and a customer who renews it by a link.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Journey, Portal, Visitor, in_a_call};

/// The portal looks every three seconds.
const TOLD_WITHIN: Duration = Duration::from_secs(20);
/// From Microsoft’s first refusal to the last place that says so.
const NAMED_WITHIN: Duration = Duration::from_mins(1);

fn expire(journey: &Journey) {
    let Journey { portal, customer, .. } = journey;
    portal.sandbox.expire_secrets(customer.tenant).unwrap();
    portal.sandbox.revoke_tokens(customer.tenant).unwrap();
    let (phone, _) = journey.somebody();
    portal.sandbox.lift(&customer.account, &phone).unwrap();
}

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

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_added_tested_and_told_of_a_secret_that_ended_and_was_renewed() {
    let journey = Journey::begin().await.syncing().await;
    let Journey { portal, visitor, customer } = &journey;

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

    expire(&journey);
    let refused = Instant::now();
    told(portal, "problem.opened", "secret-expired").await;
    visitor.sees_after_reloading("The client secret has expired").await;
    visitor.picture("channel").await;
    for page in ["", "/integrations", "/presence"] {
        journey.open(page).await;
        visitor.sees_after_reloading("The client secret has expired").await;
    }
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

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_admin_renews_the_secret_by_a_link_without_scripts() {
    let journey = Journey::begin().await.syncing().await;
    let Journey { portal, visitor, customer } = &journey;
    expire(&journey);
    visitor.visit("/").await;
    visitor.sees_after_reloading("The client secret has expired").await;

    journey.open("/integrations").await;
    visitor.press("Configure Microsoft Teams").await;
    visitor.press("Renewal links").await;
    let link = journey.make_a_renewal_link().await;
    let new = portal.sandbox.new_secret(customer.tenant).unwrap();
    let admin = Visitor::without_scripts_at(&portal.url).await;
    admin.visit(&link).await;
    admin.sees(&format!("A new client secret for {}", customer.name)).await;
    admin.picture("renewal").await;
    admin.fill("Client Secret (Value)", "not-the-secret").await;
    admin.press("Test and use it").await;
    admin.sees("Nothing was changed.").await;
    admin.picture("renewal-refused").await;
    admin.fill("Client Secret (Value)", new.value.reveal()).await;
    admin.press("Test and use it").await;
    admin.sees("The new client secret is in force").await;
    admin.picture("renewal-done").await;

    let (_, person) = journey.somebody();
    portal.tile_becomes(customer, person, in_a_call, Duration::from_secs(10)).await;
    journey.open("/activity").await;
    visitor.sees("renewal link").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_was_used_revoked_or_has_run_out_says_so() {
    let journey = Journey::begin().await.set_up().await;
    let Journey { portal, visitor, customer } = &journey;
    journey.open_integration("/renewals").await;
    let (used, revoked) =
        (journey.make_a_renewal_link().await, journey.make_a_renewal_link().await);
    visitor.press("Revoke").await;
    visitor.sees("Revoked").await;
    let expired = journey.make_a_renewal_link().await;
    portal.the_last_renewal_link_runs_out().await;

    let admin = Visitor::at(&portal.url).await;
    admin.visit(&revoked).await;
    admin.sees("This link was revoked").await;
    admin.picture("renewal-revoked").await;
    admin.visit(&expired).await;
    admin.sees("This link has expired").await;
    let new = portal.sandbox.new_secret(customer.tenant).unwrap();
    admin.visit(&used).await;
    admin.fill("Client Secret (Value)", new.value.reveal()).await;
    admin.press("Test and use it").await;
    admin.sees("The new client secret is in force").await;
    admin.visit(&used).await;
    admin.sees("There is nothing more to do").await;
    assert!(!admin.text().await.contains("Test and use it"));
    assert!(admin.complaints_of_axe().await.is_empty());
    journey.open_integration("/renewals").await;
    for word in ["Used", "Revoked", "Expired"] {
        visitor.sees(word).await;
    }
}
