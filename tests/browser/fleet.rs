//! One deed over many accounts: the fleet in its rings, tests and switches in bulk.

use presence_portal::sandbox::{Customer, Permission};

use crate::every_page::look_at;
use crate::support::{Journey, SWITCH, add_account, set_up};

/// Another account of the same tenant beside the first one, both on the release before the newest.
async fn two_behind(journey: Journey) -> Journey {
    let journey = journey.set_up().await;
    let Journey { portal, visitor, customer } = &journey;
    let second = Customer {
        name: "Kestrel Books".to_owned(),
        account: "kestrel-books".parse().unwrap(),
        ..customer.clone()
    };
    add_account(visitor, &second).await;
    set_up(visitor, &second, second.app.secret.value.reveal()).await;
    portal.set_back().await;
    journey
}

/// The first ring fails, and the second one is not begun.
async fn a_failure_stops_it(Journey { portal, visitor, customer }: &Journey) {
    portal.sandbox.revoke(customer.tenant, Permission::ReadUsers).unwrap();
    visitor.visit("/fleet").await;
    visitor.sees("First one account").await;
    visitor.sees("Then a tenth: 1").await;
    visitor.choose("Between two rings", "Go on at once").await;
    visitor.press("Install for 2 accounts").await;
    visitor.sees("Stopped: nothing further is begun").await;
    visitor.sees("One account failed.").await;
    visitor.sees("1 of 2 accounts, 1 failed").await;
    visitor.sees("Check the permissions: The permission User.Read.All is missing").await;
    visitor.sees("Waiting").await;
}

/// Resumed, it leaves only the one that failed behind; and that one is tried again.
async fn it_is_resumed_and_tried_again(Journey { portal, visitor, customer }: &Journey) {
    portal.sandbox.grant(customer.tenant, Permission::ReadUsers).unwrap();
    visitor.press("Resume").await;
    visitor.sees("2 of 2 accounts, 1 failed").await;
    visitor.sees("Release 1.1 is installed.").await;
    visitor.sees("The permission User.Read.All is missing").await;
    visitor.press("Try the failed ones again").await;
    visitor.sees("1 of 1 account").await;
    visitor.sees("Finished").await;
    visitor.sees("Release 1.1 is installed.").await;
    visitor.visit("/fleet").await;
    visitor.sees("Every account is on the newest release").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_stops_at_a_failure_and_goes_on_when_told_to() {
    let journey = two_behind(Journey::begin().await).await;
    let visitor = &journey.visitor;
    let mut wrong = Vec::new();
    look_at(visitor, "/fleet", "fleet", &mut wrong).await;
    a_failure_stops_it(&journey).await;
    look_at(visitor, &visitor.path().await, "fleet-run", &mut wrong).await;
    it_is_resumed_and_tried_again(&journey).await;
    look_at(visitor, "/fleet", "fleet-done", &mut wrong).await;
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_stops_at_a_failure_and_goes_on_when_told_to_without_scripts() {
    let journey = two_behind(Journey::begin_without_scripts().await).await;
    a_failure_stops_it(&journey).await;
    it_is_resumed_and_tried_again(&journey).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_switched_in_bulk_is_switched_back_by_undo() {
    let journey = Journey::begin().await.set_up().await;
    let visitor = &journey.visitor;
    let at = visitor.path().await;
    let account = at.split('/').nth(2).unwrap();
    visitor.visit(&format!("/bulk?account={account}")).await;
    visitor.press("Switch presence sync on").await;
    visitor.sees("Switched on.").await;
    visitor.sees("Finished").await;
    visitor.visit(&at).await;
    visitor.press("Available features").await;
    assert!(visitor.switch_is_on(SWITCH).await);

    let mut wrong = Vec::new();
    look_at(visitor, "/bulk", "bulk", &mut wrong).await;
    visitor.press("Switch presence sync on").await;
    look_at(visitor, &visitor.path().await, "bulk-run", &mut wrong).await;
    assert!(wrong.is_empty(), "{wrong:#?}");
    visitor.press("Undo").await;
    visitor.sees("Switched off.").await;
    visitor.visit(&at).await;
    assert!(!visitor.switch_is_on(SWITCH).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_match_are_tested_after_a_question_with_a_result_for_each() {
    let Journey { portal, visitor, customer } = Journey::begin().await.set_up().await;
    let at = visitor.path().await;
    portal.add_accounts(2).await;
    portal.sandbox.revoke(customer.tenant, Permission::ReadWritePresence).unwrap();
    visitor.visit("/accounts").await;
    visitor.flip_box("Select all on this page").await;
    visitor.flip_box("All 3 that match").await;
    visitor.press("Test connections").await;
    visitor.sees("Test connections for 3 accounts?").await;
    visitor.sees("Each gets the whole setup check. Nothing is changed.").await;
    let mut wrong = Vec::new();
    look_at(&visitor, "/bulk?action=test&matching=", "bulk-question", &mut wrong).await;
    visitor.press("Test connections").await;
    visitor.sees("3 of 3 accounts, 1 failed").await;
    visitor.sees("Presence.ReadWrite.All is not granted: the token does not carry it").await;
    visitor.sees("Microsoft Teams is not set up.").await;
    look_at(&visitor, &visitor.path().await, "bulk-tested", &mut wrong).await;
    assert!(wrong.is_empty(), "{wrong:#?}");
    visitor.visit(&at).await;
    visitor.sees("one thing is wrong").await;
}
