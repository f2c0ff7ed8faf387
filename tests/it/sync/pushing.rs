//! Events become presence: the newest wins, nothing is sent that changes nothing, and what is
//! held stays held.

use chrono::TimeDelta;
use presence_portal::sandbox::{Customer, Quirk, World};

use super::Office;

#[tokio::test(flavor = "multi_thread")]
async fn a_lifted_phone_turns_the_tile_red_and_hanging_up_gives_it_back() {
    let office = Office::open(World::small()).await;
    office.phone_is("Ann Miller", "onCall");
    office.holds("Ann Miller", Some("InACall")).await;
    office.phone_is("Ann Miller", "inConference");
    office.holds("Ann Miller", Some("InAConferenceCall")).await;
    office.phone_is("Ann Miller", "available");
    office.holds("Ann Miller", None).await;
    assert_eq!(office.calls("Ann Miller"), ["setPresence", "setPresence", "clearPresence"]);
    assert!(office.calls("Bob Stone").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ringing_phone_changes_nothing_and_is_listed_only_if_no_rule_names_it() {
    let office = Office::open(World::small()).await;
    office.phone_is("Ann Miller", "onCall");
    office.holds("Ann Miller", Some("InACall")).await;
    office.phone_is("Ann Miller", "ringing");
    office.phone_is("Ann Miller", "Gone Fishing");
    office
        .until(
            "SELECT EXISTS (SELECT 1 FROM unmapped_states WHERE account_id = $1
                AND state = 'gonefishing' AND spelled = 'Gone Fishing')",
            0,
        )
        .await;
    office.phone_is("Bob Stone", "onCall");
    office.holds("Bob Stone", Some("InACall")).await;
    assert_eq!(office.held("Ann Miller").as_deref(), Some("InACall"));
    assert_eq!(office.calls("Ann Miller"), ["setPresence"]);
    let ringing = "SELECT NOT EXISTS (SELECT 1 FROM unmapped_states WHERE account_id = $1 AND state = 'ringing')";
    assert!(office.ask(ringing, 0).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn late_and_repeated_events_change_nothing() {
    let office = Office::open(World::small()).await;
    let (account, ann) = office.phone("Ann Miller");
    let long_ago = office.stage.clock.now() - TimeDelta::minutes(1);
    office.phone_is("Ann Miller", "onCall");
    office.holds("Ann Miller", Some("InACall")).await;
    office.sandbox.repeat_last(account).unwrap();
    office.sandbox.phone_since(account, ann, "available", long_ago).unwrap();
    office.phone_is("Bob Stone", "onCall");
    office.holds("Bob Stone", Some("InACall")).await;
    assert_eq!(office.held("Ann Miller").as_deref(), Some("InACall"));
    assert_eq!(office.calls("Ann Miller"), ["setPresence"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_from_the_future_does_not_stand_in_the_way_of_those_that_follow() {
    let office = Office::open(World::small()).await;
    let (account, ann) = office.phone("Ann Miller");
    let next_year = office.stage.clock.now() + TimeDelta::days(365);
    office.sandbox.phone_since(account, ann, "onCall", next_year).unwrap();
    office.holds("Ann Miller", Some("InACall")).await;
    office.sandbox.repeat_last(account).unwrap();
    office.phone_is("Ann Miller", "available");
    office.holds("Ann Miller", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_held_for_as_long_as_it_lasts_at_one_request_every_few_minutes() {
    let office = Office::open(World::small()).await;
    office.phone_is("Ann Miller", "onCall");
    office.holds("Ann Miller", Some("InACall")).await;
    for _ in 0..60 {
        office.pass_and_look(TimeDelta::seconds(60));
        let now = office.stage.clock.now();
        // Renewed before it ends, and long before anybody has to see.
        let lasts = |office: &Office| {
            let (tenant, ann) = office.person("Ann Miller");
            office
                .sandbox
                .session(tenant, ann)
                .is_some_and(|held| held.expires_at - now > TimeDelta::seconds(59))
        };
        let seen = tokio::time::timeout(
            std::time::Duration::from_secs(5),
            office.sandbox.until(|_| lasts(&office)),
        );
        assert!(seen.await.is_ok(), "it nearly ran out");
    }
    let calls = office.calls("Ann Miller").len();
    assert!((12..=21).contains(&calls), "{calls} requests in an hour");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_matched_by_any_of_their_addresses_and_never_by_guess() {
    let matched = [
        ("Ann Miller", Quirk::None),
        ("Bob Stone", Quirk::UpnDiffers),
        ("Cleo Hart", Quirk::Alias),
        ("Dan Field", Quirk::Capitals),
    ];
    let odd = [
        ("Eve Price", Quirk::Duplicate, "duplicate"),
        ("Finn Wood", Quirk::Disabled, "disabled"),
        ("Gil Reed", Quirk::NotInEntra, "not-in-entra"),
        ("Hal Room", Quirk::NoAddress, "not-in-entra"),
        ("Ida Moss", Quirk::NoTeams, "no-teams"),
    ];
    let mut customer = Customer::named("Harbour Inn");
    for (name, quirk) in matched.into_iter().chain(odd.map(|(name, quirk, _)| (name, quirk))) {
        customer = customer.employs_with(name, quirk);
    }
    let office = Office::open(World::empty().with(customer)).await;
    for (name, _, _) in odd {
        office.phone_is(name, "onCall");
    }
    for (name, _) in matched {
        office.phone_is(name, "onCall");
        office.holds(name, Some("InACall")).await;
    }
    office
        .until(
            "SELECT count(*) = 1 FROM cloudlink_users WHERE account_id = $1 AND match_trouble = 'no-teams'",
            0,
        )
        .await;
    let said: Vec<(String, String)> = sqlx::query_as(
        "SELECT name, match_trouble FROM cloudlink_users WHERE match_trouble IS NOT NULL ORDER BY name",
    )
    .fetch_all(&office.stage.db)
    .await
    .unwrap();
    let expected = odd.map(|(name, _, trouble)| (name.to_owned(), trouble.to_owned()));
    assert_eq!(said, expected);
    assert_eq!(office.sandbox.held_sessions(office.tenant(0)), matched.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_somebody_new_has_the_directory_read_again() {
    let office = Office::open(World::small()).await;
    let newcomer = Customer::named("Brightwater Dental").employs("Zoe Lake");
    let phone = newcomer.phone("Zoe Lake").unwrap().clone();
    let person = newcomer.person("Zoe Lake").unwrap().clone();
    let zoe = person.id;
    office.sandbox.add_phone(office.cloudlink(0), phone.clone()).unwrap();
    office.sandbox.add_person(office.tenant(0), person).unwrap();
    office.pass(TimeDelta::seconds(61));
    office.sandbox.phone(office.cloudlink(0), &phone.user, "onCall").unwrap();
    let tenant = office.tenant(0);
    let held = office.sandbox.until(|sandbox| sandbox.session(tenant, zoe).is_some());
    tokio::time::timeout(std::time::Duration::from_secs(10), held).await.expect("Zoe is matched");
}
