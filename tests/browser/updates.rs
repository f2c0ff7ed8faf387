//! Install update, the fleet, and bulk work, as people do them.

use std::time::Duration;

use presence_portal::sandbox::{Permission, System, Trouble};

use crate::every_page::look_at;
use crate::support::{Portal, SWITCH, Visitor, add_account, set_up};

/// An account that is set up and on the release before the newest, with its panel open.
async fn behind(portal: &Portal, visitor: &Visitor) -> String {
    let customer = portal.customer();
    portal.sign_in(visitor).await;
    add_account(visitor, &customer).await;
    set_up(visitor, &customer, customer.app.secret.value.reveal()).await;
    portal.set_back().await;
    let at = portal.account_path(&customer.name, "/integrations").await;
    visitor.visit(&at).await;
    at
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_is_installed_with_a_reload_in_the_middle() {
    let portal = Portal::start().await;
    let visitor = Visitor::at(&portal.url).await;
    behind(&portal, &visitor).await;
    portal.sandbox.trouble(System::Graph, Trouble::slow(Duration::from_secs(3)));
    visitor.press("Install update").await;
    visitor.sees("What is new in 1.1").await;
    visitor.press("Install update").await;
    visitor.sees("Step 3 of 6: Read the directory").await;
    visitor.picture("update-under-way").await;
    let at = visitor.path().await;
    visitor.visit(&at).await;
    visitor.sees("Step 3 of 6").await;
    visitor.sees("Feature update complete").await;
    let mut wrong = Vec::new();
    look_at(&visitor, &at, "update-complete", &mut wrong).await;
    assert!(wrong.is_empty(), "{wrong:#?}");
    visitor.press("Done").await;
    visitor.sees("release 1.1").await;
    visitor.no_longer_sees("Install update").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_update_says_why_and_is_tried_again() {
    let portal = Portal::start().await;
    let visitor = Visitor::at(&portal.url).await;
    behind(&portal, &visitor).await;
    let tenant = portal.customer().tenant;
    portal.sandbox.revoke(tenant, Permission::ReadWritePresence).unwrap();
    visitor.press("Install update").await;
    visitor.press("Install update").await;
    visitor.sees("The update failed at Step 2 of 6: Check the permissions").await;
    visitor.sees("release 1.0 stays in force").await;
    let mut wrong = Vec::new();
    look_at(&visitor, &visitor.path().await, "update-failed", &mut wrong).await;
    assert!(wrong.is_empty(), "{wrong:#?}");
    portal.sandbox.grant(tenant, Permission::ReadWritePresence).unwrap();
    visitor.press("Try again").await;
    visitor.sees("Feature update complete").await;
    visitor.press("Done").await;
    visitor.sees("release 1.1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scripts_the_page_comes_to_its_end_by_itself() {
    let portal = Portal::start().await;
    let visitor = Visitor::without_scripts_at(&portal.url).await;
    behind(&portal, &visitor).await;
    portal.sandbox.trouble(System::Graph, Trouble::slow(Duration::from_secs(6)));
    visitor.press("Install update").await;
    visitor.press("Install update").await;
    visitor.sees("Step 3 of 6").await;
    visitor.sees("Feature update complete").await;
    visitor.press("Done").await;
    visitor.sees("release 1.1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_stops_at_a_failure_and_goes_on_when_told_to() {
    let portal = Portal::start().await;
    let visitor = Visitor::at(&portal.url).await;
    behind(&portal, &visitor).await;
    let tenant = portal.customer().tenant;
    portal.sandbox.revoke(tenant, Permission::ReadUsers).unwrap();
    let mut wrong = Vec::new();
    look_at(&visitor, "/fleet", "fleet", &mut wrong).await;
    visitor.press("Install for 1 account").await;
    visitor.sees("Check the permissions: The permission User.Read.All is missing").await;
    visitor.sees("1 of 1 account, 1 failed").await;
    look_at(&visitor, &visitor.path().await, "fleet-run", &mut wrong).await;
    portal.sandbox.grant(tenant, Permission::ReadUsers).unwrap();
    visitor.press("Try the failed ones again").await;
    visitor.sees("Finished").await;
    visitor.sees("Release 1.1 is installed.").await;
    look_at(&visitor, "/fleet", "fleet-done", &mut wrong).await;
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_switched_in_bulk_is_switched_back_by_undo() {
    let portal = Portal::start().await;
    let visitor = Visitor::at(&portal.url).await;
    let at = behind(&portal, &visitor).await;
    let account = at.split('/').nth(2).unwrap();
    visitor.visit(&format!("/bulk?account={account}")).await;
    visitor.press("Switch presence sync on").await;
    visitor.sees("Switched on.").await;
    visitor.sees("Finished").await;
    visitor.visit(&at).await;
    visitor.press("Available features").await;
    assert!(visitor.switch_is_on(SWITCH).await);

    let mut wrong = Vec::new();
    look_at(&visitor, "/bulk", "bulk", &mut wrong).await;
    visitor.press("Switch presence sync on").await;
    look_at(&visitor, &visitor.path().await, "bulk-run", &mut wrong).await;
    assert!(wrong.is_empty(), "{wrong:#?}");
    visitor.press("Undo").await;
    visitor.sees("Switched off.").await;
    visitor.visit(&at).await;
    assert!(!visitor.switch_is_on(SWITCH).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_that_waits_says_so_and_is_forgotten_when_told_to() {
    let portal = Portal::start().await;
    let visitor = Visitor::at(&portal.url).await;
    let at = behind(&portal, &visitor).await;
    visitor.press("Available features").await;
    visitor.flip(SWITCH).await;
    portal.feed_is_alive(&portal.customer()).await;
    portal.sandbox.trouble(System::Cloudlink, Trouble::Away);
    visitor.press("Configure Microsoft Teams").await;
    visitor.press("Remove").await;
    visitor.press("Remove integration").await;
    visitor.sees("The clean-up waits: CloudLink cannot be reached").await;
    let mut wrong = Vec::new();
    look_at(&visitor, &at, "removal-waits", &mut wrong).await;
    visitor.press("Forget it").await;
    visitor.sees("The CloudLink subscription may stay, too.").await;
    visitor.picture("forget-it").await;
    visitor.press("Forget it").await;
    visitor.sees("its credentials are forgotten").await;
    visitor.sees("Nothing is connected yet").await;
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_match_are_tested_after_a_question_with_a_result_for_each() {
    let portal = Portal::start().await;
    let visitor = Visitor::at(&portal.url).await;
    let at = behind(&portal, &visitor).await;
    portal.add_accounts(2).await;
    portal.sandbox.revoke(portal.customer().tenant, Permission::ReadWritePresence).unwrap();
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
    visitor.sees("Presence.ReadWrite.All is granted: The token does not carry it").await;
    visitor.sees("Microsoft Teams is not set up.").await;
    look_at(&visitor, &visitor.path().await, "bulk-tested", &mut wrong).await;
    assert!(wrong.is_empty(), "{wrong:#?}");
    visitor.visit(&at).await;
    visitor.sees("one thing is wrong").await;
}
