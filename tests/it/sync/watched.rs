//! What the engine writes down for whoever watches: the steps of Sync now, and what happened.

use chrono::TimeDelta;
use presence_portal::presence::store::{growth, history, hours};
use presence_portal::sandbox::World;

use super::Office;

const DONE: &str = "SELECT ended_at IS NOT NULL
        AND began_at >= (SELECT sync_asked_at FROM presence_accounts a WHERE a.account_id = $1)
    FROM presence_sync_steps WHERE account_id = $1 AND step = 'push'";

#[tokio::test(flavor = "multi_thread")]
async fn sync_now_shows_its_steps_to_the_end() {
    let office = Office::open(World::small()).await;
    let ann = office.stage.ann().await;
    office.pass(TimeDelta::seconds(1));
    let presence = ann.visit(&format!("/accounts/{}/presence", office.accounts[0])).await;
    let steps = ann.submit(presence.form("Sync now")).await;
    assert!(steps.says("Sync has begun"), "{}", steps.source);
    office.until(DONE, 0).await;
    let steps = ann.visit(&format!("/accounts/{}/presence/sync", office.accounts[0])).await;
    for told in [
        "Sync is done.",
        "Microsoft accepted the credentials.",
        "CloudLink named 3 users.",
        "Nothing has changed since the last time.",
        "Every match stays as it was.",
        "Teams was up to date already.",
    ] {
        assert!(steps.says(told), "{told}\n{}", steps.source);
    }
    assert!(!steps.source.contains("data-hx-trigger=\"every 1s\""), "what is over asks no more");
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_now_says_which_step_failed_and_what_to_do() {
    let office = Office::open(World::small()).await;
    let ann = office.stage.ann().await;
    office.sandbox.expire_secrets(office.tenant(0)).unwrap();
    office.sandbox.revoke_tokens(office.tenant(0)).unwrap();
    office.pass(TimeDelta::seconds(1));
    let presence = ann.visit(&format!("/accounts/{}/presence", office.accounts[0])).await;
    ann.submit(presence.form("Sync now")).await;
    office
        .until(
            "SELECT count(*) = 1 FROM presence_sync_steps WHERE account_id = $1
                AND step = 'connect' AND trouble = 'secret-expired'",
            0,
        )
        .await;
    office
        .until("SELECT ended_at IS NOT NULL FROM presence_sync_steps WHERE account_id = $1 AND step = 'match'", 0)
        .await;
    let steps = ann.visit(&format!("/accounts/{}/presence/sync", office.accounts[0])).await;
    assert!(steps.says("Sync could not do everything"), "{}", steps.source);
    assert!(steps.says("The client secret has expired"), "{}", steps.source);
    assert!(steps.says("CloudLink named 3 users."), "the other side is read all the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_to_somebody_is_kept_for_a_day_and_let_go_in_slots() {
    let office = Office::open(World::small()).await;
    let ann = office.stage.ann().await;
    office.phone_is("Ann Miller", "onCall");
    office.holds("Ann Miller", Some("InACall")).await;
    office.phone_is("Ann Miller", "available");
    office.holds("Ann Miller", None).await;
    office.at_rest().await;
    let (_, phone) = office.phone("Ann Miller");
    let page = ann.visit(&format!("/accounts/{}/presence/users/{phone}", office.accounts[0])).await;
    for told in [
        "CloudLink said onCall",
        "means In a call",
        "setPresence: Busy / InACall",
        "CloudLink said available",
        "clearPresence",
        "Read back from Teams",
    ] {
        assert!(page.says(told), "{told}\n{}", page.source);
    }

    let (db, now) = (&office.stage.db, office.stage.clock.now());
    let kept = async || -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM presence_history").fetch_one(db).await.unwrap()
    };
    assert_eq!(kept().await, 4);
    for hours in [0, 6, 12, 18, 24] {
        history::make_room(db, now + TimeDelta::hours(hours)).await.unwrap();
    }
    assert_eq!(kept().await, 4, "a day later all of it is there");
    history::make_room(db, now + TimeDelta::hours(30)).await.unwrap();
    assert_eq!(kept().await, 0, "before its slot is used again it is empty");
}

#[tokio::test]
async fn hours_are_added_up_once_and_read_as_the_minutes_were() {
    let stage = crate::support::Stage::new().await;
    let acme = stage.synced_account("Acme").await;
    let now = stage.clock.now();
    let delay = std::time::Duration::from_millis(80);
    for minutes in [1, 30, 70, 95, 200, 1_000] {
        stage.pushed(acme, now - TimeDelta::minutes(i64::from(minutes)), (minutes, 1), delay).await;
    }
    let from = now - TimeDelta::days(2);
    let read = async || {
        let figures = hours::by_hour(&stage.db, acme, from).await.unwrap();
        let delays: u64 = figures.iter().flat_map(|one| one.delays.counts()).sum();
        let pushes: i64 = figures.iter().map(|one| one.pushes).sum();
        (pushes, delays, figures.iter().map(|one| one.failures).sum::<i64>())
    };
    let before = read().await;
    assert_eq!(before, (1_396, 1_396, 6));
    hours::close(&stage.db, now).await.unwrap();
    assert_eq!(read().await, before, "added up by the hour they say the same");
    hours::close(&stage.db, now).await.unwrap();
    hours::close(&stage.db, now + TimeDelta::hours(3)).await.unwrap();
    assert_eq!(read().await, before, "and nothing is counted twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_will_ask_for_again_is_let_go_and_the_rest_stays() {
    let office = Office::open(World::small()).await;
    office.phone_is("Ann Miller", "onCall");
    office.holds("Ann Miller", Some("InACall")).await;
    office.at_rest().await;
    let (db, account, now) = (&office.stage.db, office.accounts[0], office.stage.clock.now());
    for statement in [
        "INSERT INTO presences (account_id, user_id, state, entered_at, publication_id, received_at)
         VALUES ($1, 'stranger', 'onCall', $2, 'p', $2)",
        "INSERT INTO unmapped_states SELECT $1, 's' || n, 'S' || n, 1, $2 - n * interval '1 minute'
         FROM generate_series(1, 250) AS n",
        "INSERT INTO people_counts (account_id, unmatched, held) SELECT gen_random_uuid(), 0, 0
         FROM (VALUES ($1::uuid, $2::timestamptz)) AS v",
    ] {
        sqlx::query(statement).bind(account).bind(now).execute(db).await.unwrap();
    }
    assert_eq!(growth::forget_strangers(db, now).await.unwrap(), 0, "it came just now");
    assert_eq!(growth::forget_unmapped(db, now).await.unwrap(), 50, "nobody reads so many");
    assert_eq!(growth::forget_counts(db).await.unwrap(), 1, "its account is gone");

    let later = now + TimeDelta::days(31);
    assert_eq!(
        growth::forget_strangers(db, later).await.unwrap(),
        0,
        "CloudLink was not read since"
    );
    sqlx::query("UPDATE presence_accounts SET users_refreshed_at = $1")
        .bind(later)
        .execute(db)
        .await
        .unwrap();
    assert_eq!(growth::forget_strangers(db, later).await.unwrap(), 1);
    assert!(office.ask("SELECT count(*) = 1 FROM presences WHERE account_id = $1", 0).await);
}
