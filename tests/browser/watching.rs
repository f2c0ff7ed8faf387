//! Sync now step by step, a pause and its end, a mapping tried before it is saved, and why
//! somebody shows what they show.

use std::time::Duration;

use presence_portal::sandbox::{Pair, Tile};

use crate::support::{Journey, in_a_call};

const SOON: Duration = Duration::from_secs(8);

#[tokio::test(flavor = "multi_thread")]
async fn sync_now_is_watched_to_its_end_without_reloading() {
    let journey = Journey::begin().await.syncing().await;
    let visitor = &journey.visitor;
    journey.open("/presence").await;
    visitor.press("Sync now").await;
    visitor.sees("Read Microsoft Entra changes").await;
    visitor.sees("Sync is done.").await;
    visitor.sees("CloudLink named 3 users.").await;
    visitor.picture("sync-done").await;
    let complaints = visitor.complaints_of_axe().await;
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_clears_the_tile_and_resuming_brings_it_back() {
    let journey = Journey::begin().await.syncing().await;
    let Journey { portal, visitor, customer } = &journey;
    let (_, person) = journey.somebody();
    journey.a_call_turns_a_tile_red(SOON).await;

    journey.open("/presence").await;
    visitor.press("Pause").await;
    visitor.sees("Outside working hours").await;
    visitor.picture("pause-dialog").await;
    let complaints = visitor.complaints_of_axe().await;
    assert!(complaints.is_empty(), "{complaints:#?}");
    visitor.fill("Hours", "3").await;
    visitor.press("Pause").await;
    visitor.sees("Presence sync is paused for 3 hours.").await;
    portal.tile_becomes(customer, person, |tile| !in_a_call(tile), SOON).await;
    visitor.picture("presence-paused").await;

    visitor.press("Resume now").await;
    visitor.sees("Presence sync goes on.").await;
    portal.tile_becomes(customer, person, in_a_call, SOON).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_is_tried_on_the_last_day_before_it_is_saved() {
    let journey = Journey::begin().await.syncing().await;
    let Journey { portal, visitor, customer } = &journey;
    let (_, person) = journey.somebody();
    journey.a_call_turns_a_tile_red(SOON).await;

    journey.open("/presence/mapping").await;
    visitor
        .run("document.querySelector(\"[name='rule-oncall']\").value = 'presenting'", vec![])
        .await;
    visitor.press("Preview").await;
    visitor.sees("users would have shown something else.").await;
    visitor.picture("mapping-preview").await;
    let complaints = visitor.complaints_of_axe().await;
    assert!(complaints.is_empty(), "{complaints:#?}");
    assert!(portal.sandbox.tile(customer.tenant, person).is_some_and(|tile| in_a_call(&tile)));

    visitor.press("Save").await;
    visitor.sees("Saved. One user shows something else now.").await;
    let presenting = |tile: &Tile| tile.activity == "Presenting";
    portal.tile_becomes(customer, person, presenting, SOON).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_verdict_says_what_the_user_chose_by_hand() {
    let journey = Journey::begin().await.syncing().await;
    let Journey { portal, visitor, customer } = &journey;
    let (phone, person) = journey.somebody();
    let pair = |word: &str| Pair { availability: word.to_owned(), activity: word.to_owned() };
    portal.sandbox.teams_client(customer.tenant, person, Some(pair("Available"))).unwrap();
    portal.sandbox.lift(&customer.account, &phone).unwrap();
    portal.tile_becomes(customer, person, in_a_call, SOON).await;
    portal.sandbox.prefer(customer.tenant, person, Some(pair("DoNotDisturb"))).unwrap();

    let page = format!("/presence/users/{phone}");
    journey.open(&page).await;
    visitor
        .sees("Teams shows Do not disturb because the user chose it by hand; ours is Busy and ranks lower.")
        .await;
    visitor.sees("The last 24 hours").await;
    visitor.sees("setPresence: Busy / InACall").await;
    visitor.picture("why-by-hand").await;
}
