//! Presence: sessions, precedence, time-outs, refusals, and how much may be asked.

use chrono::TimeDelta;
use presence_portal::sandbox::{Limit, Pair, Permission, Quirk, World};
use serde_json::json;

use super::Stage;

const CALL: [&str; 2] = ["Busy", "InACall"];

#[tokio::test]
async fn a_session_shows_until_it_is_cleared_or_expires() {
    let stage = Stage::set().await;
    let token = stage.token().await;
    assert_eq!(stage.shown(), "Offline");
    let set = stage.set_presence(&token, CALL, "PT5M").await;
    assert_eq!((set.status, set.body), (200, serde_json::Value::Null));
    assert_eq!(stage.shown(), "Busy – In a call");
    assert_eq!(stage.clear_presence(&token).await.status, 200);
    assert_eq!(stage.shown(), "Offline");
    let again = stage.clear_presence(&token).await;
    assert_eq!((again.status, again.code()), (404, "NotFound"));
    stage.set_presence(&token, CALL, "PT5M").await;
    stage.clock.advance(TimeDelta::minutes(5));
    assert_eq!(stage.shown(), "Offline");
    assert_eq!(stage.clear_presence(&token).await.status, 404, "it had expired");
}

#[tokio::test]
async fn an_app_raises_what_teams_shows_and_cannot_lower_it() {
    let stage = Stage::set().await;
    let token = stage.token().await;
    let tenant = stage.customer().tenant;
    let ann = stage.customer().person("Ann Miller").unwrap().id;
    stage.sandbox.teams_client(tenant, ann, Some(Pair::new("Available", "Available"))).unwrap();
    stage.set_presence(&token, ["Away", "Away"], "PT1H").await;
    assert_eq!(stage.shown(), "Available");
    stage.set_presence(&token, CALL, "PT1H").await;
    assert_eq!(stage.shown(), "Busy – In a call");
    stage.set_presence(&token, ["DoNotDisturb", "Presenting"], "PT1H").await;
    assert_eq!(stage.shown(), "Do not disturb – Presenting");
    stage.sandbox.prefer(tenant, ann, Some(Pair::new("BeRightBack", "BeRightBack"))).unwrap();
    assert_eq!(stage.shown(), "Be right back", "what was picked by hand stands above");
    stage.sandbox.prefer(tenant, ann, Some(Pair::new("Offline", "OffWork"))).unwrap();
    assert_eq!(stage.shown(), "Offline – Off work");
    stage.sandbox.prefer(tenant, ann, None).unwrap();
    stage.clear_presence(&token).await;
    assert_eq!(stage.shown(), "Available");
}

#[tokio::test]
async fn a_preference_set_by_an_app_lapses_by_itself() {
    let stage = Stage::set().await;
    let token = stage.token().await;
    let path = |action: &str| format!("/users/{}/presence/{action}", stage.ann());
    stage.set_presence(&token, CALL, "PT4H").await;
    let busy = json!({"availability": "Busy", "activity": "Busy", "expirationDuration": "PT1H"});
    assert_eq!(stage.post(&path("setUserPreferredPresence"), &token, busy).await.status, 200);
    assert_eq!(stage.shown(), "Busy");
    stage.clock.advance(TimeDelta::minutes(61));
    assert_eq!(stage.shown(), "Busy – In a call");
    let token = stage.token().await;
    let pair = json!({"availability": "Busy", "activity": "InACall"});
    assert_eq!(stage.post(&path("setUserPreferredPresence"), &token, pair).await.status, 400);
    for _ in 0..2 {
        let cleared = stage.post(&path("clearUserPreferredPresence"), &token, json!({})).await;
        assert_eq!(cleared.status, 200, "a second clear is a success, too");
    }
}

#[tokio::test]
async fn available_fades_after_five_minutes_whatever_was_asked_for() {
    let stage = Stage::set().await;
    let token = stage.token().await;
    stage.set_presence(&token, ["Available", "Available"], "PT4H").await;
    assert_eq!(stage.shown(), "Available");
    stage.clock.advance(TimeDelta::minutes(5));
    assert_eq!(stage.shown(), "Available – Inactive");
    stage.clock.advance(TimeDelta::minutes(5));
    assert_eq!(stage.shown(), "Away");
}

#[tokio::test]
async fn only_the_five_pairs_and_five_minutes_to_four_hours_are_taken() {
    let stage = Stage::set().await;
    let token = stage.token().await;
    for pair in [
        ["Busy", "Busy"],
        ["DoNotDisturb", "DoNotDisturb"],
        ["BeRightBack", "BeRightBack"],
        ["Offline", "Offline"],
        ["Busy", "InAMeeting"],
    ] {
        let refused = stage.set_presence(&token, pair, "PT5M").await;
        assert_eq!((refused.status, refused.code()), (400, "InvalidArgument"), "{pair:?}");
    }
    for lasts in ["PT4M59S", "PT4H1S", "P1D"] {
        let refused = stage.set_presence(&token, CALL, lasts).await;
        let message = "The provided [ExpirationDuration] is out of range.";
        assert_eq!((refused.status, &refused.body["error"]["message"]), (400, &message.into()));
    }
    for lasts in ["PT5M", "PT300S", "PT4H", "PT240M"] {
        assert_eq!(stage.set_presence(&token, CALL, lasts).await.status, 200, "{lasts}");
    }
    assert_eq!(stage.set_presence(&token, CALL, "5 minutes").await.status, 400);
}

#[tokio::test]
async fn the_session_id_is_asked_for_before_the_permission() {
    let stage = Stage::set().await;
    let tenant = stage.customer().tenant;
    stage.sandbox.revoke(tenant, Permission::ReadWritePresence).unwrap();
    let token = stage.token().await;
    let path = format!("/users/{}/presence/clearPresence", stage.ann());
    let refused = stage.post(&path, &token, json!({"sessionId": ""})).await;
    assert_eq!((refused.status, refused.code()), (400, "InvalidArgument"));
    assert_eq!(refused.body["error"]["message"], "[SessionId]: The SessionId field is required.");
    assert_eq!(stage.clear_presence(&token).await.status, 403);
    let strange = json!({"sessionId": stage.customer().app.client, "sesionId": "typo"});
    assert_eq!(stage.post(&path, &token, strange).await.status, 400, "unknown fields are refused");
}

#[tokio::test]
async fn presence_is_read_as_a_whole_for_650_users_at_most() {
    let stage = Stage::set().await;
    let token = stage.token().await;
    stage.set_presence(&token, CALL, "PT5M").await;
    let read = stage.get(&format!("/users/{}/presence", stage.ann()), &token).await;
    assert_eq!(
        (&read.body["availability"], &read.body["activity"]),
        (&"Busy".into(), &"InACall".into())
    );
    let stranger = uuid::Uuid::new_v4().to_string();
    let body = json!({"ids": [stage.ann(), stranger]});
    let read = stage.post("/communications/getPresencesByUserId", &token, body).await;
    assert_eq!(read.body["value"].as_array().unwrap().len(), 1);
    assert_eq!(read.body["value"][0]["activity"], "InACall");
    let many: Vec<_> = (0..651).map(|_| stage.ann()).collect();
    let refused =
        stage.post("/communications/getPresencesByUserId", &token, json!({"ids": many})).await;
    assert_eq!(refused.status, 400);
}

#[tokio::test]
async fn whoever_has_no_teams_or_is_not_there_is_not_found() {
    let customer = World::small().customers.remove(0).employs_with("Nina Void", Quirk::NoTeams);
    let stage = Stage::with(World::empty().with(customer)).await;
    let token = stage.token().await;
    let nina = stage.customer().person("Nina Void").unwrap().id;
    let ann = stage.customer().person("Ann Miller").unwrap().clone();
    let session = json!({
        "sessionId": stage.customer().app.client, "availability": "Busy", "activity": "InACall",
    });
    for user in [nina.to_string(), uuid::Uuid::new_v4().to_string(), ann.user_principal_name] {
        let path = format!("/users/{user}/presence/setPresence");
        let refused = stage.post(&path, &token, session.clone()).await;
        assert_eq!((refused.status, refused.code()), (404, "NotFound"), "{user}");
    }
    assert_eq!(stage.sandbox.tile(stage.customer().tenant, nina), None);
}

#[tokio::test]
async fn past_the_limit_it_says_when_and_counts_whoever_does_not_wait() {
    let stage = Stage::set().await;
    let tenant = stage.customer().tenant;
    let limit = Limit { units: 3, within: TimeDelta::seconds(30) };
    stage.sandbox.manners(tenant, |manners| manners.presence_limit = limit).unwrap();
    let token = stage.token().await;
    for _ in 0..3 {
        assert_eq!(stage.set_presence(&token, CALL, "PT5M").await.status, 200);
    }
    let refused = stage.set_presence(&token, CALL, "PT5M").await;
    assert_eq!((refused.status, refused.code()), (429, "TooManyRequests"));
    assert_eq!(refused.header("retry-after"), Some("30"));
    assert_eq!(refused.body["error"]["innerError"]["status"], "429");
    assert_eq!(stage.get("/users?$top=1", &token).await.status, 200, "the directory counts apart");
    stage.clock.advance(TimeDelta::seconds(29));
    assert_eq!(stage.set_presence(&token, CALL, "PT5M").await.status, 429);
    assert_eq!(stage.sandbox.tally(tenant).before_retry_after, 1);
    stage.clock.advance(TimeDelta::seconds(30));
    assert_eq!(stage.set_presence(&token, CALL, "PT5M").await.status, 200);
    let tally = stage.sandbox.tally(tenant);
    assert_eq!((tally.throttled, tally.before_retry_after), (2, 1));
}

#[tokio::test]
async fn a_throttled_tenant_says_how_long_to_the_second() {
    let stage = Stage::set().await;
    let tenant = stage.customer().tenant;
    let token = stage.token().await;
    stage.sandbox.throttle(tenant, TimeDelta::milliseconds(2_128)).unwrap();
    let refused = stage.get("/users", &token).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("3")));
    stage.sandbox.manners(tenant, |manners| manners.fractional_retry_after = true).unwrap();
    let refused = stage.set_presence(&token, CALL, "PT5M").await;
    assert_eq!(refused.header("retry-after"), Some("2.128"));
    stage.clock.advance(TimeDelta::seconds(3));
    assert_eq!(stage.get("/users", &token).await.status, 200);
}

#[tokio::test]
async fn requests_that_change_nothing_are_counted_and_renewals_are_not() {
    let stage = Stage::set().await;
    let tenant = stage.customer().tenant;
    let token = stage.token().await;
    stage.set_presence(&token, CALL, "PT5M").await;
    stage.clock.advance(TimeDelta::minutes(4));
    stage.set_presence(&token, CALL, "PT5M").await;
    assert_eq!(stage.sandbox.tally(tenant).changed_nothing, 0, "a renewal");
    stage.set_presence(&token, CALL, "PT5M").await;
    assert_eq!(stage.sandbox.tally(tenant).changed_nothing, 1, "the same again");
    stage.clear_presence(&token).await;
    stage.clear_presence(&token).await;
    assert_eq!(stage.sandbox.tally(tenant).changed_nothing, 2, "nothing to clear");
}

#[tokio::test]
async fn the_journal_has_every_request_and_no_secret() {
    let stage = Stage::set().await;
    let token = stage.token().await;
    stage.set_presence(&token, CALL, "PT5M").await;
    let requests = stage.sandbox.requests();
    assert_eq!(requests.len(), 2);
    let set = &requests[1];
    assert_eq!(set.presence_call(), Some(("setPresence", stage.ann().as_str())));
    assert_eq!((set.at, set.status), (super::noon(), 200));
    assert!(set.body.contains("InACall"));
    let text = serde_json::to_string(&requests).unwrap();
    assert!(!text.contains(stage.customer().app.secret.value.reveal()) && !text.contains(&token));
}
