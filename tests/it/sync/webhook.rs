//! What the webhook takes, and what it says to the rest.

use presence_portal::sandbox::World;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::Office;

/// An event of Ann's, as CloudLink sends it.
fn event(office: &Office, id: &str, state: &str) -> Value {
    let (account, ann) = office.phone("Ann Miller");
    json!({
        "publicationId": id, "topic": "platform-api-presence", "method": "PUT",
        "subject": format!("/2017-09-01/presentities/{ann}"),
        "content": {"presences": {"aggregate": {"status": state}}},
        "publisher": {"accountId": account, "principalId": ann},
        "subscription": {"subscriptionId": "s"},
        "notification": {"createdOn": office.stage.clock.now(), "correlationId": "c"},
    })
}

async fn post(url: reqwest::Url, body: impl Into<reqwest::Body>) -> (StatusCode, String) {
    let client = Client::builder().build().unwrap();
    let answer = client.post(url).body(body).send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_answered_when_it_is_written_down_and_a_repeat_as_well() {
    let office = Office::open(World::small()).await;
    let body = event(&office, "p-1", "onCall").to_string();
    for _ in 0..2 {
        let (status, _) = post(office.hook(0), body.clone()).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        let written =
            "SELECT count(*) = 1 FROM presences WHERE account_id = $1 AND publication_id = 'p-1'";
        assert!(office.ask(written, 0).await);
    }
    office.holds("Ann Miller", Some("InACall")).await;
    assert_eq!(office.calls("Ann Miller"), ["setPresence"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_events_may_come_in_one_body_and_only_the_newest_counts() {
    let office = Office::open(World::small()).await;
    let older = event(&office, "p-1", "onCall");
    office.pass(chrono::TimeDelta::seconds(1));
    let newer = event(&office, "p-2", "doNotDisturb");
    let (status, _) = post(office.hook(0), json!([newer, older]).to_string()).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    office.holds("Ann Miller", Some("Presenting")).await;
    assert_eq!(office.calls("Ann Miller"), ["setPresence"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_event_is_refused_with_a_reason_and_disturbs_nothing() {
    let office = Office::open(World::small()).await;
    let mut foreign = event(&office, "p-1", "onCall");
    foreign["publisher"]["accountId"] = json!("another-account");
    let mut nul = event(&office, "p-1", "onCall");
    nul["publicationId"] = json!("p\u{0}1");
    let mut nobody = event(&office, "p-1", "onCall");
    nobody["subject"] = json!("/presentities/");
    for body in [
        String::new(),
        "{".into(),
        "[]x".into(),
        "3".into(),
        "{}".into(),
        foreign.to_string(),
        nul.to_string(),
        nobody.to_string(),
    ] {
        let (status, reason) = post(office.hook(0), body.clone()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        assert!(reason.trim().len() > 5, "no reason for {body}");
    }
    assert!(office.ask("SELECT count(*) = 0 FROM presences WHERE account_id = $1", 0).await);
    office.phone_is("Ann Miller", "onCall");
    office.holds("Ann Miller", Some("InACall")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn states_of_every_shape_are_survived() {
    let office = Office::open(World::small()).await;
    let mut number = 0;
    for state in ["", " ", "\u{0}\u{1}", "état d’âme", &"x".repeat(90), "__--"] {
        number += 1;
        let body = event(&office, &format!("odd-{number}"), state).to_string();
        let (status, reason) = post(office.hook(0), body).await;
        assert!(
            status == StatusCode::NO_CONTENT || status == StatusCode::BAD_REQUEST,
            "{state:?}: {reason}"
        );
    }
    office.phone_is("Ann Miller", "onCall");
    office.holds("Ann Miller", Some("InACall")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_key_is_not_found_and_too_long_a_body_is_too_long() {
    let office = Office::open(World::small()).await;
    let hook = office.hook(0);
    let unknown = hook.join("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").unwrap();
    let body = event(&office, "p-1", "onCall").to_string();
    assert_eq!(post(unknown, body).await.0, StatusCode::NOT_FOUND);
    let long = format!("{}{}", " ".repeat(70_000), event(&office, "p-1", "onCall"));
    assert_eq!(post(hook, long).await.0, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_postgres_is_away_cloudlink_is_asked_to_come_again() {
    let office = Office::open(World::small()).await;
    let (hook, body) = (office.hook(0), event(&office, "p-1", "onCall").to_string());
    post(hook.clone(), body.clone()).await;
    office.stage.db.close().await;
    let answer = Client::builder().build().unwrap().post(hook).body(body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers().contains_key("retry-after"));
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_can_be_written_is_put_off_and_what_was_taken_is_written() {
    let office = Office::open(World::small()).await;
    let hook = office.hook(0);
    let mut lock = office.stage.db.begin().await.unwrap();
    sqlx::query("LOCK TABLE presences IN EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    let client = Client::builder().build().unwrap();
    let mut posts = JoinSet::new();
    for body in 0..200 {
        let events = (0..120).map(|number| {
            json!({
                "publicationId": format!("p-{body}-{number}"), "topic": "platform-api-presence",
                "subject": format!("/presentities/u-{body}-{number}"), "method": "PUT",
                "content": {"status": "busy"},
                "publisher": {"accountId": office.phone("Ann Miller").0},
                "notification": {"createdOn": office.stage.clock.now()},
            })
        });
        let post = client.post(hook.clone()).body(events.collect::<Value>().to_string());
        posts.spawn(async move { post.send().await.unwrap() });
    }
    let mut put_off = 0_i64;
    while put_off < 50 {
        let answer = posts.join_next().await.unwrap().unwrap();
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(answer.headers().contains_key("retry-after"));
        put_off += 1;
    }
    lock.commit().await.unwrap();
    let mut taken = 0_i64;
    while let Some(answer) = posts.join_next().await {
        match answer.unwrap().status() {
            StatusCode::NO_CONTENT => taken += 1,
            status => assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE),
        }
    }
    assert!(taken > 100, "only {taken} were taken");
    let written: i64 = sqlx::query_scalar("SELECT count(*) FROM presences")
        .fetch_one(&office.stage.db)
        .await
        .unwrap();
    assert_eq!(written, taken * 120);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_names_no_state_is_taken_and_asks_for_no_rule() {
    let office = Office::open(World::small()).await;
    let mut nameless = event(&office, "p-1", "onCall");
    nameless["content"] = json!({});
    for body in [nameless, event(&office, "p-2", "onLunch")] {
        let (status, _) = post(office.hook(0), body.to_string()).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
    }
    let asked =
        "SELECT array_agg(state) = ARRAY['onlunch'] FROM unmapped_states WHERE account_id = $1";
    assert!(office.ask(asked, 0).await);
}
