//! Install update, as people do it: to its end, and when a step fails.

use std::time::Duration;

use presence_portal::sandbox::{Permission, System, Trouble};

use crate::every_page::look_at;
use crate::support::Journey;

const WITHIN: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn an_update_is_installed_with_a_reload_in_the_middle() {
    let Journey { portal, visitor, .. } = Journey::begin().await.behind().await;
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
    let Journey { portal, visitor, customer } = Journey::begin().await.behind().await;
    let tenant = customer.tenant;
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
async fn without_scripts_a_failed_update_leaves_the_old_release_working_and_is_tried_again() {
    let journey = Journey::begin_without_scripts().await.syncing().await;
    let Journey { portal, visitor, customer } = &journey;
    portal.set_back().await;
    portal.sandbox.revoke(customer.tenant, Permission::ReadUsers).unwrap();
    journey.open("/integrations").await;
    visitor.press("Install update").await;
    visitor.sees("What is new in 1.1").await;
    visitor.press("Install update").await;
    visitor.sees("The update failed at Step 2 of 6: Check the permissions").await;
    visitor.sees("The permission User.Read.All is missing").await;
    visitor.sees("release 1.0 stays in force and works as before").await;
    journey.a_call_turns_a_tile_red(WITHIN).await;
    journey.open("/integrations").await;
    visitor.sees("Release 1.0 works as before.").await;
    visitor.press("See what to do").await;

    portal.sandbox.grant(customer.tenant, Permission::ReadUsers).unwrap();
    portal.sandbox.trouble(System::Graph, Trouble::slow(Duration::from_secs(6)));
    visitor.press("Try again").await;
    visitor.sees("Step 3 of 6").await;
    visitor.sees("Feature update complete").await;
    visitor.press("Done").await;
    visitor.sees("release 1.1").await;
}
