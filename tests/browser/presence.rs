//! Add, set up, switch on, lift a telephone; and what happens when a secret ends.

use std::time::{Duration, Instant};

use presence_portal::sandbox::{System, Tile, Trouble};

use crate::support::{Journey, add_account, add_teams, fill_set_up, in_a_call};

/// From the telephone to the tile, whole.
const AT_MOST: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread")]
async fn a_lifted_telephone_turns_a_tile_red_until_it_is_hung_up() {
    let journey = Journey::begin().await.set_up().await;
    let Journey { portal, visitor, customer } = &journey;
    journey.switch_on().await;
    visitor.sees("Teams takes a few minutes").await;

    let (phone, person) = journey.somebody();
    portal.sandbox.lift(&customer.account, &phone).unwrap();
    let red = |tile: &Tile| tile.availability == "Busy" && tile.activity == "InACall";
    portal.tile_becomes(customer, person, red, AT_MOST).await;

    visitor.press("Presence").await;
    visitor.sees("In a call").await;

    portal.sandbox.hang_up(&customer.account, &phone).unwrap();
    portal.tile_becomes(customer, person, |tile| !in_a_call(tile), AT_MOST).await;
    assert!(portal.sandbox.session(customer.tenant, person).is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_secret_is_named_and_a_new_one_heals() {
    let journey = Journey::begin().await.syncing().await;
    let Journey { portal, visitor, customer } = &journey;
    visitor.press("Configure Microsoft Teams").await;
    visitor.fill("Monitor", "Reception screen").await;
    visitor.press("Add monitor").await;
    visitor.sees("Reception screen").await;
    journey.the_secret_expires();
    visitor.visit("/").await;
    visitor.sees_after_reloading("The client secret has expired").await;

    let new = portal.sandbox.new_secret(customer.tenant).unwrap();
    journey.open("/integrations").await;
    visitor.sees("Needs attention").await;
    visitor.press("Configure Microsoft Teams").await;
    visitor.fill("Client Secret (Value)", "wr0ng~value").await;
    visitor.press("Save").await;
    visitor.sees("Nothing was saved: sync goes on with what there was").await;
    visitor.fill("Client Secret (Value)", new.value.reveal()).await;
    visitor.press("Save").await;
    visitor.sees("Saved, and tested with Microsoft").await;
    visitor.sees_after_reloading("Ready").await;
    visitor.sees("Also update the client secret of Reception screen").await;
    visitor.press("Reception screen is updated").await;
    visitor.no_longer_sees("Also update the client secret of").await;
    let (_, person) = journey.somebody();
    portal.tile_becomes(customer, person, in_a_call, Duration::from_secs(10)).await;
    visitor.no_longer_sees("Needs attention").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_refused_beside_its_field_and_nothing_is_saved() {
    let journey = Journey::begin().await;
    let Journey { portal, visitor, customer } = &journey;
    add_account(visitor, customer).await;
    add_teams(visitor).await;
    visitor.press("Complete setup").await;
    fill_set_up(visitor, customer, "00000000-0000-4000-8000-000000000000").await;
    visitor.press("Save").await;
    visitor.sees("Secret ID").await;
    journey.open("/integrations").await;
    visitor.sees("Complete setup").await;

    // Only while Microsoft cannot be reached is it saved without a test.
    visitor.press("Complete setup").await;
    fill_set_up(visitor, customer, customer.app.secret.value.reveal()).await;
    assert!(!visitor.text().await.contains("Save without testing"));
    portal.sandbox.trouble(System::Login, Trouble::Away);
    visitor.press("Save").await;
    visitor.sees("Microsoft cannot be reached").await;
    visitor.fill("Client Secret (Value)", customer.app.secret.value.reveal()).await;
    visitor.press("Save without testing").await;
    visitor.sees("Not tested yet").await;
    portal.sandbox.mend(System::Login);
    visitor.press("Configure Microsoft Teams").await;
    visitor.press("Save").await;
    visitor.sees("Saved, and tested with Microsoft").await;
    visitor.no_longer_sees("Not tested yet").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_the_integration_clears_what_it_set() {
    let journey = Journey::begin().await.syncing().await;
    journey.a_call_turns_a_tile_red(AT_MOST).await;
    let Journey { portal, visitor, customer } = &journey;
    let (_, person) = journey.somebody();

    visitor.press("Configure Microsoft Teams").await;
    visitor.press("Remove").await;
    visitor.sees("Remove Microsoft Teams integration").await;
    visitor.press("Remove integration").await;
    portal.tile_becomes(customer, person, |tile| !in_a_call(tile), AT_MOST * 3).await;
    let deadline = Instant::now() + AT_MOST * 3;
    while !portal.sandbox.subscriptions(&customer.account).is_empty() {
        assert!(Instant::now() < deadline, "the subscription is ended");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    visitor.no_longer_sees("Configure Microsoft Teams").await;
    visitor.no_longer_sees("Removing").await;
}
