//! Being told of a secret that ended, and a customer who renews it by a link.

use std::time::Duration;

use presence_portal::sandbox::{Customer, Tile};
use serde_json::Value;

use crate::presence::{add_account, set_up};
use crate::support::{Portal, Visitor, matched};

const SWITCH: &str = "Sync presence from CloudLink to MS Teams";
/// The portal looks every three seconds.
const TOLD_WITHIN: Duration = Duration::from_secs(20);

async fn syncing(portal: &Portal, visitor: &Visitor) -> Customer {
    let customer = portal.customer();
    portal.sign_in(visitor).await;
    add_account(visitor, &customer).await;
    set_up(visitor, &customer, customer.app.secret.value.reveal()).await;
    visitor.press("Available features").await;
    visitor.flip(SWITCH).await;
    portal.feed_is_alive(&customer).await;
    customer
}

fn expire(portal: &Portal, customer: &Customer) {
    portal.sandbox.expire_secrets(customer.tenant).unwrap();
    portal.sandbox.revoke_tokens(customer.tenant).unwrap();
    let (phone, _) = matched(customer);
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
    let portal = Portal::start().await;
    let visitor = Visitor::at(&portal.url).await;
    let customer = syncing(&portal, &visitor).await;

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

    expire(&portal, &customer);
    told(&portal, "problem.opened", "secret-expired").await;
    visitor.sees_after_reloading("The client secret has expired").await;
    visitor.picture("channel").await;

    let new = portal.sandbox.new_secret(customer.tenant).unwrap();
    visitor.visit(&portal.account_path(&customer.name, "/integrations").await).await;
    visitor.press("Configure Microsoft Teams").await;
    visitor.fill("Client Secret (Value)", new.value.reveal()).await;
    visitor.press("Save").await;
    visitor.sees("Saved, and tested with Microsoft").await;
    told(&portal, "problem.resolved", "secret-expired").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_channel_says_what_the_mail_server_said() {
    let portal = Portal::start().await;
    let visitor = Visitor::at(&portal.url).await;
    portal.sign_in(&visitor).await;
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
    let portal = Portal::start().await;
    let visitor = Visitor::at(&portal.url).await;
    let customer = syncing(&portal, &visitor).await;
    expire(&portal, &customer);
    visitor.visit("/").await;
    visitor.sees_after_reloading("The client secret has expired").await;

    visitor.visit(&portal.account_path(&customer.name, "/integrations").await).await;
    visitor.press("Configure Microsoft Teams").await;
    visitor.press("Renewal links").await;
    visitor.press("Make a renewal link").await;
    visitor.sees("Send this link now").await;
    let link =
        visitor.run("return document.querySelector('.copy__text').textContent", vec![]).await;
    let link = link.as_str().unwrap().to_owned();

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

    let (_, person) = matched(&customer);
    let red = |tile: &Tile| tile.activity == "InACall";
    portal.tile_becomes(&customer, person, red, Duration::from_secs(10)).await;
    visitor.visit(&portal.account_path(&customer.name, "/activity").await).await;
    visitor.sees("renewal link").await;
}
