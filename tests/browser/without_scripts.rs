//! The same roads with scripts switched off: every form posts, every page stands by itself.

use std::time::Duration;

use presence_portal::sandbox::{MailManners, Permission, System, Trouble};

use crate::support::{Journey, SWITCH, Visitor, in_a_call};

const WITHIN: Duration = Duration::from_secs(10);
/// A node looks for accounts that nobody works for every few seconds.
const TAKEN_UP_WITHIN: Duration = Duration::from_secs(25);

#[tokio::test(flavor = "multi_thread")]
async fn everything_up_to_the_switch_works_without_scripts() {
    let journey = Journey::begin_without_scripts().await.syncing().await;
    journey.open("/integrations").await;
    journey.visitor.press("Available features").await;
    assert!(journey.visitor.switch_is_on(SWITCH).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_replaced_the_next_one_laid_ready_and_monitors_ticked_off() {
    let journey = Journey::begin_without_scripts().await.syncing().await;
    let Journey { portal, visitor, customer } = &journey;
    journey.open_integration("/configure").await;
    visitor.fill("Monitor", "Reception screen").await;
    visitor.fill("Note", "in the hall").await;
    visitor.press("Add monitor").await;
    visitor.sees("Reception screen").await;

    journey.open_integration("/configure").await;
    visitor.fill("Client Secret (Value)", "00000000-0000-4000-8000-000000000000").await;
    visitor.press("Save").await;
    visitor.sees("Nothing was saved: sync goes on with what there was").await;
    let new = portal.sandbox.new_secret(customer.tenant).unwrap();
    visitor.fill("Client Secret (Value)", new.value.reveal()).await;
    visitor.press("Save").await;
    visitor.sees("Saved, and tested with Microsoft").await;
    visitor.sees("Also update the client secret of Reception screen").await;
    visitor.visit("/").await;
    visitor.sees("Presence monitors wait for the new client secret").await;
    visitor.sees("Also update the client secret of Reception screen (in the hall)").await;
    visitor.press("Reception screen is updated").await;
    visitor.sees("Reception screen is ticked off.").await;
    visitor.no_longer_sees("Presence monitors wait").await;

    portal.secrets_end_in(7).await;
    visitor.visit("/").await;
    visitor.sees("A client secret expires soon").await;
    let next = portal.sandbox.new_secret(customer.tenant).unwrap();
    journey.open_integration("/configure").await;
    visitor.press("Reminders").await;
    visitor.sees("1 day before").await;
    visitor.sees("on, every day").await;
    visitor.press("Lay the next secret ready").await;
    visitor.fill("Value of the next secret", "wr0ng~value").await;
    visitor.press("Test and keep").await;
    visitor.sees("Microsoft does not accept the client secret").await;
    visitor.fill("Value of the next secret", next.value.reveal()).await;
    visitor.press("Test and keep").await;
    visitor.sees("Accepted by Microsoft").await;
    visitor.visit("/").await;
    visitor.no_longer_sees("A client secret expires soon").await;
    journey.open_integration("/configure").await;
    visitor.press("Use it now").await;
    visitor.sees("It is in force").await;
    portal.sandbox.expire_secret(customer.tenant, new.id).unwrap();
    portal.sandbox.revoke_tokens(customer.tenant).unwrap();
    journey.a_call_turns_a_tile_red(WITHIN).await;
    assert!(portal.sandbox.uses(customer.tenant, next.id).requests > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setup_is_checked_users_are_matched_and_a_channel_is_added() {
    let journey = Journey::begin_without_scripts().await;
    journey.somebody_fits_nobody("Dan Frost");
    journey.somebody_fits_nobody("Eve Gale");
    let journey = journey.set_up().await;
    let Journey { portal, visitor, .. } = &journey;
    visitor.press("Setup check").await;
    visitor.sees_after_reloading("5 users: 3 matched, 2 without a match.").await;
    visitor.sees_after_reloading("2 things are worth a look").await;
    portal.sandbox.trouble(System::Graph, Trouble::Away);
    visitor.press("Run the check").await;
    visitor.sees_after_reloading("Microsoft cannot be reached").await;
    visitor.sees_after_reloading("3 things are worth a look").await;
    portal.sandbox.mend(System::Graph);
    visitor.press("Try it on a pilot user").await;
    visitor.press("Set and clear it").await;
    visitor.sees("Choose somebody from the list.").await;
    visitor.run("document.querySelector('input[name=pilot]').click()", vec![]).await;
    visitor.press("Set and clear it").await;
    visitor.sees_after_reloading("and cleared again.").await;

    journey.open("/presence/matching").await;
    visitor.press("Accept frost@elsewhere.example for Dan Frost").await;
    visitor.sees("Dan Frost is matched with frost@elsewhere.example.").await;
    visitor.press("Tick the nearest of each").await;
    visitor.press("Accept ticked").await;
    visitor.sees("Eve Gale is matched with gale@elsewhere.example.").await;
    journey.open("/presence/matching?show=by-hand").await;
    visitor.press("Undo the match of Dan Frost").await;
    visitor.sees("Dan Frost is left to automatic matching again.").await;
    journey.open("/presence/matching/file").await;
    visitor
        .fill(
            "Or paste its lines",
            "CloudLink user id,Match with\nphone-dan-frost,frost@elsewhere.example\n\
             nobody,frost@elsewhere.example\nphone-eve-gale,nobody@x.example",
        )
        .await;
    visitor.press("Look at it").await;
    visitor.sees("Left out").await;
    visitor.press("Apply 1 line").await;
    visitor.sees("One user is matched from the file. 2 lines were left out.").await;

    visitor.visit("/settings/notifications/add?kind=mail").await;
    visitor.fill("Name", "Ops").await;
    visitor.fill("Recipients", "ops@partner.example").await;
    visitor.press("Add channel").await;
    portal.sandbox.mail_now(MailManners::Refuses);
    visitor.press("Send a test").await;
    visitor.sees("550 5.1.1 nobody of that name lives here").await;
    portal.sandbox.mail_now(MailManners::Takes);
    visitor.press("Send a test").await;
    visitor.sees("The test was taken").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bulk_work_over_all_that_match_is_asked_about_done_and_undone() {
    let journey = Journey::begin_without_scripts().await.set_up().await;
    let Journey { portal, visitor, customer } = &journey;
    portal.add_accounts(3).await;
    visitor.visit("/accounts").await;
    visitor.flip_box("All 4 that match").await;
    visitor.press("Switch presence sync on").await;
    visitor.sees("Switch presence sync on for 4 accounts?").await;
    visitor.sees("It can be undone.").await;
    visitor.press("Switch presence sync on").await;
    visitor.sees("Finished").await;
    visitor.sees("Switched on.").await;
    visitor.sees("Microsoft Teams is not added.").await;
    visitor.press("Undo").await;
    visitor.sees("Switched off.").await;

    portal.sandbox.revoke(customer.tenant, Permission::ReadWritePresence).unwrap();
    all_are_to(visitor, "Test connections").await;
    visitor.sees("4 of 4 accounts, 1 failed").await;
    visitor.sees("Presence.ReadWrite.All is not granted: the token does not carry it").await;
    portal.sandbox.grant(customer.tenant, Permission::ReadWritePresence).unwrap();
    visitor.press("Try the failed ones again").await;
    visitor.sees("Nothing is wrong.").await;

    portal.set_back().await;
    visitor.visit("/").await;
    visitor.sees("One account is on an older release").await;
    all_are_to(visitor, "Install update").await;
    visitor.sees("Release 1.1 is installed.").await;
    visitor.sees("Finished").await;
}

/// Ticks all four accounts, and says yes.
async fn all_are_to(visitor: &Visitor, deed: &str) {
    visitor.visit("/accounts").await;
    visitor.flip_box("All 4 that match").await;
    visitor.press(deed).await;
    visitor.sees(&format!("{deed} for 4 accounts?")).await;
    visitor.press(deed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_deactivated_reactivated_and_deleted_with_what_it_showed() {
    let journey = Journey::begin_without_scripts().await.syncing().await;
    journey.a_call_turns_a_tile_red(WITHIN).await;
    let Journey { portal, visitor, customer } = &journey;
    let (phone, person) = journey.somebody();
    journey.open("").await;
    visitor.press("Deactivate").await;
    visitor.fill("Type the word", "yes").await;
    visitor.press("Deactivate").await;
    visitor.sees("To go on, type deactivate.").await;
    visitor.fill("Type the word", "deactivate").await;
    visitor.press("Deactivate").await;
    portal.tile_becomes(customer, person, |tile| !in_a_call(tile), WITHIN).await;
    let silent = async || portal.sandbox.subscriptions(&customer.account).is_empty();
    portal.eventually("the subscription to end", WITHIN, silent).await;
    portal.sandbox.hang_up(&customer.account, &phone).unwrap();
    visitor.press("Reactivate").await;
    portal.feed_is_alive_within(customer, TAKEN_UP_WITHIN).await;
    journey.a_call_turns_a_tile_red(WITHIN).await;

    journey.open_integration("/remove").await;
    visitor.press("Remove integration").await;
    portal.tile_becomes(customer, person, |tile| !in_a_call(tile), WITHIN).await;
    journey.open("/integrations").await;
    visitor.sees_after_reloading("Nothing is connected yet").await;
    journey.open("/delete").await;
    visitor.fill("Type the word", "deactivate").await;
    visitor.press("Delete").await;
    visitor.sees("To go on, type delete.").await;
    visitor.fill("Type the word", "delete").await;
    visitor.press("Delete").await;
    visitor.sees(&format!("{} is deleted.", customer.name)).await;
}
