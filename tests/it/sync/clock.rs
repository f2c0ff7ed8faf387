//! The clock goes forward and back, by an hour, under everybody's feet.

use chrono::TimeDelta;
use presence_portal::sandbox::{System, World};

use super::Office;

/// Gives the crew's heartbeats, which are real, the time to notice.
async fn noticed(office: &Office) {
    office
        .until(
            "SELECT bool_and(due_at IS NULL OR due_at <= now() + interval '1 hour') FROM presences
             WHERE account_id = $1",
            0,
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_count_while_our_clock_is_an_hour_behind_and_after_it_is_right_again() {
    let office = Office::open(World::small()).await;
    let (account, ann) = office.phone("Ann Miller");
    office.phone_is("Ann Miller", "onCall");
    office.holds("Ann Miller", Some("InACall")).await;
    let right = office.stage.clock.now();

    office.pass(TimeDelta::hours(-1));
    // CloudLink's clock is right, and its events come from our future.
    let tell = |state: &str, seconds: i64| {
        let at = right + TimeDelta::seconds(seconds);
        office.sandbox.phone_since(account, ann, state, at).unwrap();
    };
    tell("available", 5);
    office.holds("Ann Miller", None).await;
    tell("inConference", 10);
    office.holds("Ann Miller", Some("InAConferenceCall")).await;
    office.sandbox.repeat_last(account).unwrap();
    tell("doNotDisturb", 20);
    office.holds("Ann Miller", Some("Presenting")).await;

    office.pass(TimeDelta::hours(1) + TimeDelta::seconds(30));
    tell("available", 30);
    office.holds("Ann Miller", None).await;
    noticed(&office).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_held_through_a_clock_that_jumps_to_and_fro() {
    let office = Office::open(World::small()).await;
    let (account, bob) = office.phone("Bob Stone");
    office.phone_is("Ann Miller", "onCall");
    office.holds("Ann Miller", Some("InACall")).await;
    // CloudLink's clock goes on as it should.
    let mut right = office.stage.clock.now();
    for hours in [1, -1, -1, 1] {
        office.pass_and_look(TimeDelta::hours(hours));
        office.holds("Ann Miller", Some("InACall")).await;
        for (state, held) in [("onCall", Some("InACall")), ("available", None)] {
            right += TimeDelta::seconds(5);
            office.sandbox.phone_since(account, bob, state, right).unwrap();
            office.holds("Bob Stone", held).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn directories_and_subscriptions_are_looked_after_though_the_clock_went_back() {
    let office = Office::open(World::small()).await;
    let asked = office.sandbox.requests_to(System::Cloudlink).len();
    office.pass_and_look(TimeDelta::hours(-3));
    let again =
        office.sandbox.until(|sandbox| sandbox.requests_to(System::Cloudlink).len() > asked);
    tokio::time::timeout(std::time::Duration::from_secs(15), again)
        .await
        .expect("what was last done in the future is done again");
}
