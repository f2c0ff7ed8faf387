//! Removing an integration while the other side is away: it waits, and ends or is forgotten.

use std::time::Duration;

use presence_portal::sandbox::{System, Trouble};

use crate::every_page::look_at;
use crate::support::{Journey, in_a_call};

const WITHIN: Duration = Duration::from_secs(10);
/// What waits is tried again a little later each time.
const CLEARED_WITHIN: Duration = Duration::from_mins(1);

/// One call is shown, one system goes away, and the integration is removed.
async fn removed_while_away(journey: Journey, away: &[System]) -> Journey {
    let journey = journey.syncing().await;
    journey.a_call_turns_a_tile_red(WITHIN).await;
    let Journey { portal, visitor, .. } = &journey;
    for system in away {
        portal.sandbox.trouble(*system, Trouble::Away);
    }
    journey.open("/integrations").await;
    visitor.press("Configure Microsoft Teams").await;
    visitor.press("Remove").await;
    visitor.press("Remove integration").await;
    // Whoever reloads before it is answered takes it back.
    visitor.sees("Removing: clearing presence in Teams").await;
    journey
}

async fn it_is_forgotten(Journey { visitor, .. }: &Journey) {
    visitor.press("Forget it").await;
    visitor.sees("its credentials are forgotten").await;
    visitor.sees("Nothing is connected yet").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_that_waits_says_so_and_is_forgotten_when_told_to() {
    let journey = removed_while_away(Journey::begin().await, &[System::Cloudlink]).await;
    let visitor = &journey.visitor;
    visitor.sees("The clean-up waits: CloudLink cannot be reached").await;
    let mut wrong = Vec::new();
    look_at(visitor, &visitor.path().await, "removal-waits", &mut wrong).await;
    visitor.press("Forget it").await;
    visitor.sees("The CloudLink subscription may stay, too.").await;
    visitor.picture("forget-it").await;
    it_is_forgotten(&journey).await;
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_microsoft_away_a_removal_is_forgotten_without_scripts() {
    let away = [System::Graph, System::Login];
    let journey = removed_while_away(Journey::begin_without_scripts().await, &away).await;
    let visitor = &journey.visitor;
    visitor.sees_after_reloading("The clean-up waits: Microsoft cannot be reached").await;
    visitor.sees("1 presence is left to clear").await;
    visitor.visit("/").await;
    visitor.sees("A removal waits to clear up").await;
    visitor.press(&format!("See what is left, {}", journey.customer.name)).await;
    visitor.press("Forget it").await;
    visitor.sees("may stay in Teams").await;
    it_is_forgotten(&journey).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn once_microsoft_is_back_a_removal_ends_by_itself() {
    let away = [System::Graph, System::Login];
    let journey = removed_while_away(Journey::begin().await, &away).await;
    let Journey { portal, visitor, customer } = &journey;
    visitor.sees_after_reloading("The clean-up waits: Microsoft cannot be reached").await;
    portal.sandbox.mend(System::Graph);
    portal.sandbox.mend(System::Login);
    visitor.sees_after_reloading_for("Nothing is connected yet", CLEARED_WITHIN).await;
    let (_, person) = journey.somebody();
    let tile = portal.sandbox.tile(customer.tenant, person);
    assert!(!tile.is_some_and(|tile| in_a_call(&tile)), "what we showed is gone");
    assert!(portal.sandbox.subscriptions(&customer.account).is_empty());
}
