//! Add, set up, switch on, lift a telephone; and what happens when a secret ends.

use std::time::{Duration, Instant};

use presence_portal::sandbox::{Customer, Tile};

use crate::support::{Portal, Visitor, matched};

const SWITCH: &str = "Sync presence from CloudLink to MS Teams";
/// From the telephone to the tile, whole.
const AT_MOST: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread")]
async fn a_lifted_telephone_turns_a_tile_red_until_it_is_hung_up() {
    let portal = Portal::start().await;
    let visitor = Visitor::at(&portal.url).await;
    let customer = portal.customer();
    portal.sign_in(&visitor).await;

    add_account(&visitor, &customer).await;
    set_up(&visitor, &customer, customer.app.secret.value.reveal()).await;
    visitor.press("Available features").await;
    visitor.flip(SWITCH).await;
    visitor.sees("Teams takes a few minutes").await;
    portal.feed_is_alive(&customer).await;

    let (phone, person) = matched(&customer);
    portal.sandbox.lift(&customer.account, &phone).unwrap();
    let red = |tile: &Tile| tile.availability == "Busy" && tile.activity == "InACall";
    portal.tile_becomes(&customer, person, red, AT_MOST).await;

    visitor.press("Presence").await;
    visitor.sees("In a call").await;

    portal.sandbox.hang_up(&customer.account, &phone).unwrap();
    let cleared = |tile: &Tile| tile.activity != "InACall";
    portal.tile_becomes(&customer, person, cleared, AT_MOST).await;
    assert!(portal.sandbox.session(customer.tenant, person).is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_secret_is_named_and_a_new_one_heals() {
    let portal = Portal::start().await;
    let visitor = Visitor::at(&portal.url).await;
    let customer = portal.customer();
    portal.sign_in(&visitor).await;
    add_account(&visitor, &customer).await;
    set_up(&visitor, &customer, customer.app.secret.value.reveal()).await;
    visitor.press("Available features").await;
    visitor.flip(SWITCH).await;
    portal.feed_is_alive(&customer).await;

    portal.sandbox.expire_secrets(customer.tenant).unwrap();
    portal.sandbox.revoke_tokens(customer.tenant).unwrap();
    let (phone, person) = matched(&customer);
    portal.sandbox.lift(&customer.account, &phone).unwrap();
    visitor.visit("/").await;
    visitor.sees_after_reloading("The client secret has expired").await;

    let new = portal.sandbox.new_secret(customer.tenant).unwrap();
    visitor.visit(&portal.account_path(&customer.name, "/integrations").await).await;
    visitor.sees("Needs attention").await;
    visitor.press("Configure Microsoft Teams").await;
    visitor.fill("Client Secret (Value)", new.value.reveal()).await;
    visitor.press("Save").await;
    visitor.sees("Saved, and tested with Microsoft").await;
    visitor.sees_after_reloading("Ready").await;
    let red = |tile: &Tile| tile.activity == "InACall";
    portal.tile_becomes(&customer, person, red, Duration::from_secs(10)).await;
    visitor.no_longer_sees("Needs attention").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_refused_beside_its_field_and_nothing_is_saved() {
    let portal = Portal::start().await;
    let visitor = Visitor::at(&portal.url).await;
    let customer = portal.customer();
    portal.sign_in(&visitor).await;
    add_account(&visitor, &customer).await;
    add_teams(&visitor).await;
    visitor.press("Complete setup").await;
    fill_set_up(&visitor, &customer, "00000000-0000-4000-8000-000000000000").await;
    visitor.press("Save").await;
    visitor.sees("Secret ID").await;
    visitor.visit(&portal.account_path(&customer.name, "/integrations").await).await;
    visitor.sees("Complete setup").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_the_integration_clears_what_it_set() {
    let portal = Portal::start().await;
    let visitor = Visitor::at(&portal.url).await;
    let customer = portal.customer();
    portal.sign_in(&visitor).await;
    add_account(&visitor, &customer).await;
    set_up(&visitor, &customer, customer.app.secret.value.reveal()).await;
    visitor.press("Available features").await;
    visitor.flip(SWITCH).await;
    portal.feed_is_alive(&customer).await;
    let (phone, person) = matched(&customer);
    portal.sandbox.lift(&customer.account, &phone).unwrap();
    portal.tile_becomes(&customer, person, |tile| tile.activity == "InACall", AT_MOST).await;

    visitor.press("Configure Microsoft Teams").await;
    visitor.press("Remove").await;
    visitor.sees("Remove Microsoft Teams integration").await;
    visitor.press("Remove integration").await;
    portal.tile_becomes(&customer, person, |tile| tile.activity != "InACall", AT_MOST * 3).await;
    let deadline = Instant::now() + AT_MOST * 3;
    while !portal.sandbox.subscriptions(&customer.account).is_empty() {
        assert!(Instant::now() < deadline, "the subscription is ended");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    visitor.no_longer_sees("Configure Microsoft Teams").await;
    visitor.no_longer_sees("Removing").await;
}

pub async fn add_account(visitor: &Visitor, customer: &Customer) {
    visitor.visit("/accounts").await;
    visitor.press("Add account").await;
    visitor.fill("Customer name", &customer.name).await;
    visitor.fill("CloudLink account id", customer.account.as_str()).await;
    visitor.fill("Support contact e-mails", "help@customer.example").await;
    visitor.press("Add account").await;
    visitor.sees("Customer information").await;
}

pub async fn add_teams(visitor: &Visitor) {
    visitor.press("+ Add new").await;
    visitor.press("3rd party").await;
    visitor.press("Add").await;
    visitor.press("Done").await;
    visitor.sees("Microsoft Teams").await;
}

pub async fn fill_set_up(visitor: &Visitor, customer: &Customer, secret: &str) {
    visitor.fill("Name", "Teams of the customer").await;
    visitor.fill("Tenant Id", &customer.tenant.to_string()).await;
    visitor.fill("Application (Client) Id", &customer.app.client.to_string()).await;
    visitor.fill("Client Secret (Value)", secret).await;
}

pub async fn set_up(visitor: &Visitor, customer: &Customer, secret: &str) {
    add_teams(visitor).await;
    visitor.press("Complete setup").await;
    fill_set_up(visitor, customer, secret).await;
    visitor.press("Save").await;
    visitor.sees("Ready").await;
}
