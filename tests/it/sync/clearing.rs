//! Whatever ends the sync for somebody, our session in Teams ends before we forget it.

use std::time::Duration;

use presence_portal::presence::store::{matching, telephones};
use presence_portal::sandbox::{System, Trouble, World};

use super::Office;
use crate::support::until;

impl Office {
    fn next_push_is_slow(&self) {
        self.sandbox.trouble_next(System::Graph, 1, Trouble::slow(Duration::from_millis(1_500)));
    }

    async fn next_push_is_under_way(&self) {
        let arrived = || self.sandbox.trouble_of(System::Graph, None).is_none();
        until("the request has arrived", arrived).await;
    }
}

async fn both_on_the_phone() -> Office {
    let office = Office::open(World::small()).await;
    for name in ["Ann Miller", "Bob Stone"] {
        office.phone_is(name, "onCall");
        office.holds(name, Some("InACall")).await;
    }
    office
}

const FORGOTTEN: &str = "SELECT NOT EXISTS (SELECT 1 FROM presence_accounts WHERE account_id = $1)";

#[tokio::test(flavor = "multi_thread")]
async fn switching_off_clears_everybody_and_ends_the_subscription() {
    let office = both_on_the_phone().await;
    office.switch(0, false).await;
    office.holds("Ann Miller", None).await;
    office.holds("Bob Stone", None).await;
    office.until(FORGOTTEN, 0).await;
    assert!(office.sandbox.subscriptions(office.cloudlink(0)).is_empty());

    // States of before are not believed after.
    office.switch(0, true).await;
    office.settled(0).await;
    assert_eq!(office.sandbox.held_sessions(office.tenant(0)), 0);
    office.phone_is("Bob Stone", "onCall");
    office.holds("Bob Stone", Some("InACall")).await;
    assert_eq!(office.held("Ann Miller"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_clears_everybody_and_then_forgets_the_credentials() {
    let office = both_on_the_phone().await;
    sqlx::query("UPDATE integrations SET removing_since = now() WHERE account_id = $1")
        .bind(office.accounts[0])
        .execute(&office.stage.db)
        .await
        .unwrap();
    office.stage.app.wakes.ring(office.accounts[0]);
    office.until("SELECT NOT EXISTS (SELECT 1 FROM integrations WHERE account_id = $1)", 0).await;
    assert_eq!(office.sandbox.held_sessions(office.tenant(0)), 0);
    assert!(office.sandbox.subscriptions(office.cloudlink(0)).is_empty());
    for left in [
        FORGOTTEN,
        "SELECT NOT EXISTS (SELECT 1 FROM connections WHERE account_id = $1)",
        "SELECT NOT EXISTS (SELECT 1 FROM cloudlink_users WHERE account_id = $1)",
        "SELECT NOT EXISTS (SELECT 1 FROM entra_users WHERE account_id = $1)",
    ] {
        assert!(office.ask(left, 0).await, "{left}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_forgotten_while_microsoft_is_away() {
    let office = both_on_the_phone().await;
    office.sandbox.trouble(System::Graph, Trouble::status(503));
    office.switch(0, false).await;
    office.until("SELECT max(failures) > 0 FROM presences WHERE account_id = $1", 0).await;
    assert!(!office.ask(FORGOTTEN, 0).await);
    office.sandbox.mend(System::Graph);
    for _ in 0..40 {
        if office.ask(FORGOTTEN, 0).await {
            break;
        }
        office.pass_and_look(chrono::TimeDelta::seconds(2));
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    office.until(FORGOTTEN, 0).await;
    assert_eq!(office.sandbox.held_sessions(office.tenant(0)), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deactivated_account_is_cleared_too() {
    let office = both_on_the_phone().await;
    sqlx::query("UPDATE accounts SET deactivated_at = now() WHERE id = $1")
        .bind(office.accounts[0])
        .execute(&office.stage.db)
        .await
        .unwrap();
    office.stage.app.wakes.ring(office.accounts[0]);
    office.until(FORGOTTEN, 0).await;
    assert_eq!(office.sandbox.held_sessions(office.tenant(0)), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_left_entra_is_unmatched_and_forgotten_by_teams() {
    let office = both_on_the_phone().await;
    let (tenant, ann) = office.person("Ann Miller");
    office
        .sandbox
        .change_person(tenant, ann, |person| {
            person.user_principal_name = "gone@elsewhere.example".to_owned();
            person.mail = None;
            person.aliases.clear();
        })
        .unwrap();
    office.sync_now(0).await;
    office.holds("Ann Miller", None).await;
    assert_eq!(office.held("Bob Stone").as_deref(), Some("InACall"));
    let why = "SELECT EXISTS (SELECT 1 FROM cloudlink_users WHERE account_id = $1
        AND name = 'Ann Miller' AND entra_id IS NULL AND match_trouble = 'not-in-entra')";
    assert!(office.ask(why, 0).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_excluded_is_cleared_and_shown_again_when_included() {
    let office = both_on_the_phone().await;
    for (excluded, held) in [(true, None), (false, Some("InACall"))] {
        let now = office.stage.clock.now();
        sqlx::query(
            "WITH u AS (UPDATE cloudlink_users SET excluded = $2
                WHERE account_id = $1 AND name = 'Ann Miller' RETURNING user_id)
             UPDATE presences SET due_at = $3, urgency = 1, revision = revision + 1
             WHERE account_id = $1 AND user_id IN (SELECT user_id FROM u)",
        )
        .bind(office.accounts[0])
        .bind(excluded)
        .bind(now)
        .execute(&office.stage.db)
        .await
        .unwrap();
        matching::rematch(&office.stage.db, office.accounts[0], now).await.unwrap();
        office.stage.app.wakes.ring(office.accounts[0]);
        office.holds("Ann Miller", held).await;
        assert_eq!(office.held("Bob Stone").as_deref(), Some("InACall"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_on_its_way_when_somebody_left_cloudlink_is_cleared_at_once() {
    let office = Office::open(World::small()).await;
    let (cloudlink, user) = office.phone("Ann Miller");
    office.next_push_is_slow();
    office.phone_is("Ann Miller", "onCall");
    office.next_push_is_under_way().await;
    office.sandbox.remove_phone(cloudlink, user).unwrap();
    let (app, account) = (&office.stage.app, office.accounts[0]);
    telephones::let_go(&app.db, account, std::slice::from_ref(user), app.clock.now())
        .await
        .unwrap();
    let done = || office.calls("Ann Miller") == ["setPresence", "clearPresence"];
    until("it is set and cleared", done).await;
    office.holds("Ann Miller", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_held_against_nobody_but_whom_it_was_about() {
    let office = Office::open(World::small()).await;
    let ((tenant, ann), (_, cleo)) = (office.person("Ann Miller"), office.person("Cleo Hart"));
    office.sandbox.change_person(tenant, ann, |person| person.teams = false).unwrap();
    office.next_push_is_slow();
    office.phone_is("Ann Miller", "onCall");
    office.next_push_is_under_way().await;
    let (_, user) = office.phone("Ann Miller");
    sqlx::query(
        "UPDATE cloudlink_users SET entra_id = $3, match_changed = true
         WHERE account_id = $1 AND user_id = $2",
    )
    .bind(office.accounts[0])
    .bind(user)
    .bind(cleo)
    .execute(&office.stage.db)
    .await
    .unwrap();
    office.stage.app.wakes.ring(office.accounts[0]);
    office.holds("Cleo Hart", Some("InACall")).await;
    assert!(
        office
            .ask(
                "SELECT bool_and(match_trouble IS NULL AND refused_at IS NULL) FROM cloudlink_users
                 WHERE account_id = $1",
                0
            )
            .await
    );
}
