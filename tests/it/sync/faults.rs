//! Whatever goes wrong outside is named, is waited for as it should be, and passes without a trace.

use std::time::Duration;

use chrono::TimeDelta;
use presence_portal::kit::secret::Secret;
use presence_portal::sandbox::{Permission, Standing, System, Trouble, World};
use tokio::time::{Instant, sleep};

use super::Office;

/// How many requests came, once no more of them come.
async fn settled(office: &Office, system: System) -> usize {
    let count = || office.sandbox.requests_to(system).len();
    let (mut seen, mut since) = (count(), Instant::now());
    while since.elapsed() < Duration::from_millis(500) {
        sleep(Duration::from_millis(20)).await;
        if count() != seen {
            (seen, since) = (count(), Instant::now());
        }
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_secret_is_named_and_a_new_one_heals_it_without_a_restart() {
    let office = Office::open(World::small()).await;
    office.sandbox.expire_secrets(office.tenant(0)).unwrap();
    office.sandbox.revoke_tokens(office.tenant(0)).unwrap();
    office.phone_is("Ann Miller", "onCall");
    office.troubled(0, "secret-expired").await;

    // Events alone do not make it try again; what was asked at the same moment has its answer.
    let tried = settled(&office, System::Login).await;
    office.phone_is("Bob Stone", "onCall");
    sleep(Duration::from_millis(500)).await;
    assert_eq!(office.sandbox.requests_to(System::Login).len(), tried);

    let secret = office.sandbox.new_secret(office.tenant(0)).unwrap();
    office.save_secret(0, &secret.value).await;
    office.holds("Ann Miller", Some("InACall")).await;
    office.holds("Bob Stone", Some("InACall")).await;
    office.troubled(0, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_a_disabled_app_and_a_lost_permission_each_have_their_name() {
    let office = Office::open(World::small()).await;
    let tenant = office.tenant(0);
    let good = office.customer(0).app.secret.value.clone();

    office.save_secret(0, &Secret::new("not~the~secret~at~all~and~quite~long")).await;
    office.troubled(0, "secret-wrong").await;
    office.phone_is("Ann Miller", "onCall");

    office.sandbox.app_is(tenant, Standing::Disabled).unwrap();
    office.save_secret(0, &good).await;
    office.troubled(0, "application-disabled").await;

    office.sandbox.revoke(tenant, Permission::ReadWritePresence).unwrap();
    office.sandbox.app_is(tenant, Standing::Good).unwrap();
    office.sync_now(0).await;
    office.troubled(0, "permission-presence").await;

    office.sandbox.grant(tenant, Permission::ReadWritePresence).unwrap();
    office.sync_now(0).await;
    office.holds("Ann Miller", Some("InACall")).await;
    office.troubled(0, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_asked_before_the_wait_is_over() {
    let office = Office::open(World::small()).await;
    let wait = Trouble::Status { status: 429, retry_after: Some(2) };
    office.sandbox.trouble_next(System::Graph, 1, wait);
    // The two seconds begin with the refusal, which is later than this.
    let began = Instant::now();
    office.phone_is("Ann Miller", "onCall");
    office.troubled(0, "microsoft-throttling").await;
    let before = office.sandbox.requests_to(System::Graph).len();
    office.phone_is("Bob Stone", "onCall");
    office.sync_now(0).await;
    while began.elapsed() < Duration::from_millis(1_700) {
        assert_eq!(
            office.sandbox.requests_to(System::Graph).len(),
            before,
            "{:?}",
            began.elapsed()
        );
        sleep(Duration::from_millis(50)).await;
    }
    office.holds("Ann Miller", Some("InACall")).await;
    office.holds("Bob Stone", Some("InACall")).await;
    office.troubled(0, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_but_never_answered_is_put_right() {
    for trouble in [
        Trouble::LoseAnswer,
        Trouble::Truncated,
        Trouble::Html { status: 502 },
        Trouble::Html { status: 200 },
        Trouble::HalfJson,
        Trouble::status(500),
    ] {
        let office = Office::open(World::small()).await;
        let label = trouble.label();
        office.sandbox.trouble_next(System::Graph, 1, trouble);
        office.phone_is("Ann Miller", "onCall");
        office.until("SELECT asked_at IS NOT NULL FROM presences WHERE account_id = $1", 0).await;
        // The call is over before anybody could tell whether it was shown.
        office.phone_is("Ann Miller", "available");
        office
            .until(
                "SELECT applied IS NULL AND due_at IS NULL FROM presences WHERE account_id = $1",
                0,
            )
            .await;
        assert_eq!(office.held("Ann Miller"), None, "{label}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passing_failure_is_tried_again_by_itself() {
    let office = Office::open(World::small()).await;
    office.sandbox.trouble_next(System::Graph, 2, Trouble::status(503));
    office.phone_is("Ann Miller", "onCall");
    office
        .until("SELECT EXISTS (SELECT 1 FROM presences WHERE account_id = $1 AND failures > 0)", 0)
        .await;
    for _ in 0..10 {
        office.pass_and_look(TimeDelta::seconds(5));
        sleep(Duration::from_millis(100)).await;
    }
    office.holds("Ann Miller", Some("InACall")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_hangs_delays_no_other() {
    let office = Office::open(World::of_size(3, 2)).await;
    let hanging = office.tenant(0).to_string();
    office.sandbox.trouble_for(System::Graph, &hanging, Trouble::Hang);
    let name = |office: &Office, index: usize| office.customer(index).phones[0].name.clone();
    office.phone_is(&name(&office, 0), "onCall");
    sleep(Duration::from_millis(200)).await;
    for index in [1, 2] {
        let began = Instant::now();
        let (account, phone) = (office.cloudlink(index), &office.customer(index).phones[0]);
        office.sandbox.phone(account, &phone.user, "onCall").unwrap();
        let tenant = office.tenant(index);
        let held = office.sandbox.until(|sandbox| sandbox.held_sessions(tenant) == 1);
        tokio::time::timeout(Duration::from_secs(5), held).await.unwrap();
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    }
    office.sandbox.mend_for(System::Graph, &hanging);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_subscription_is_made_again_and_a_double_one_ended() {
    let office = Office::open(World::small()).await;
    office.sandbox.drop_subscriptions(office.cloudlink(0)).unwrap();
    office.pass_and_look(TimeDelta::minutes(11));
    office.troubled(0, "feed-silent").await;
    assert_eq!(office.sandbox.subscriptions(office.cloudlink(0)).len(), 1);
    office.phone_is("Ann Miller", "onCall");
    office.holds("Ann Miller", Some("InACall")).await;

    office.sandbox.double_subscriptions(office.cloudlink(0)).unwrap();
    office.pass_and_look(TimeDelta::minutes(11));
    office.troubled(0, "").await;
    assert_eq!(office.sandbox.subscriptions(office.cloudlink(0)).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_in_name_only_is_made_anew_after_an_hour_of_silence() {
    let office = Office::open(World::small()).await;
    let account = office.cloudlink(0);
    office.phone_is("Ann Miller", "onCall");
    office.holds("Ann Miller", Some("InACall")).await;
    let first = office.sandbox.subscriptions(account)[0].id.clone();
    office.sandbox.deafen_subscriptions(account).unwrap();
    office.phone_is("Ann Miller", "available");
    for _ in 0..5 {
        office.pass_and_look(TimeDelta::minutes(13));
        sleep(Duration::from_millis(300)).await;
    }
    let anew = |sandbox: &presence_portal::sandbox::Controls| {
        let there = sandbox.subscriptions(account);
        there.len() == 1 && there[0].id != first
    };
    tokio::time::timeout(Duration::from_secs(15), office.sandbox.until(anew)).await.unwrap();
    office.phone_is("Ann Miller", "inConference");
    office.holds("Ann Miller", Some("InAConferenceCall")).await;
    office.troubled(0, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emptied_directory_is_not_believed_until_somebody_says_so() {
    let office = Office::open(World::of_size(1, 30)).await;
    let tenant = office.tenant(0);
    let phone = office.customer(0).phones[0].clone();
    office.sandbox.phone(office.cloudlink(0), &phone.user, "onCall").unwrap();
    let held = office.sandbox.until(|sandbox| sandbox.held_sessions(tenant) == 1);
    tokio::time::timeout(Duration::from_secs(10), held).await.unwrap();

    for person in office.sandbox.people(tenant) {
        office
            .sandbox
            .remove_person(tenant, person.id, presence_portal::sandbox::Removed::ForGood)
            .unwrap();
    }
    office.sync_now(0).await;
    office.troubled(0, "directory-shrunk").await;
    assert!(office.ask("SELECT count(*) = 30 FROM entra_users WHERE account_id = $1", 0).await);
    assert!(office.ask("SELECT count(*) = 30 FROM cloudlink_users WHERE account_id = $1 AND entra_id IS NOT NULL", 0).await);

    office.sync_now(0).await;
    office.until("SELECT count(*) = 0 FROM entra_users WHERE account_id = $1", 0).await;
    office.troubled(0, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delta_link_that_has_run_out_begins_anew() {
    let office = Office::open(World::small()).await;
    let (tenant, ann) = office.person("Ann Miller");
    office.sandbox.remove_person(tenant, ann, presence_portal::sandbox::Removed::ForGood).unwrap();
    office.sandbox.reset_delta(tenant).unwrap();
    office.sync_now(0).await;
    office.until("SELECT count(*) = 2 FROM entra_users WHERE account_id = $1", 0).await;
    office.troubled(0, "").await;
}
