//! CloudLink: tokens, accounts, users, subscriptions and webhooks.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::post;
use chrono::TimeDelta;
use presence_portal::sandbox::{ContentShape, Storm, System, Trouble, World};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{Answer, Stage, until};

impl Stage {
    pub(super) async fn cloudlink_token(&self, account: &str) -> Answer {
        let partner = &self.sandbox.world().partner;
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &partner.client_id),
            ("client_secret", partner.client_secret.reveal()),
            ("account_id", account),
        ];
        let url = self.url("/cloudlink/authentication/2017-09-01/token");
        self.send(self.http.post(url).form(&form)).await
    }

    async fn as_partner(&self) -> String {
        let partner = self.sandbox.world().partner.account.to_string();
        self.cloudlink_token(&partner).await.body["access_token"].as_str().unwrap().to_owned()
    }

    async fn in_account(&self) -> String {
        let account = self.customer().account.to_string();
        self.cloudlink_token(&account).await.body["access_token"].as_str().unwrap().to_owned()
    }

    pub(super) async fn ask(&self, path: &str, token: &str) -> Answer {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            self.url(&format!("/cloudlink{path}"))
        };
        self.send(self.http.get(url).bearer_auth(token)).await
    }

    async fn subscribe(&self, hook: &str) -> Answer {
        let body = json!({
            "applicationId": uuid::Uuid::new_v4(),
            "deviceId": hook,
            "transport": "webhook",
            "topic": "platform-api-presence",
            "subjectFilter": "/presentities/[^/]+$",
            "methodFilter": "PUT",
        });
        let url = self.url("/cloudlink/notifications/2017-09-01/subscriptions");
        let token = self.in_account().await;
        self.send(self.http.post(url).bearer_auth(token).json(&body)).await
    }

    fn lift_ann(&self) {
        let customer = self.customer();
        self.sandbox.lift(&customer.account, &customer.phone("Ann Miller").unwrap().user).unwrap();
    }

    fn hang_ann_up(&self) {
        let customer = self.customer();
        self.sandbox
            .hang_up(&customer.account, &customer.phone("Ann Miller").unwrap().user)
            .unwrap();
    }
}

/// A status, and how long to wait.
type Reply = (u16, Option<u32>);

/// A subscriber that notes what it is told and answers as it was told to.
#[derive(Clone, Default)]
struct Hook {
    heard: Arc<Mutex<Vec<Value>>>,
    answers: Arc<Mutex<VecDeque<Reply>>>,
}

impl Hook {
    async fn open(parts: &mut JoinSet<()>) -> (Self, String) {
        let hook = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let site = Router::new()
            .route("/hook", post(async |State(hook): State<Self>, body: String| hook.hear(&body)))
            .with_state(hook.clone());
        parts.spawn(async { axum::serve(listener, site).await.unwrap() });
        (hook, url)
    }

    fn hear(&self, body: &str) -> impl IntoResponse + use<> {
        let hook = self;
        hook.heard.lock().unwrap().push(serde_json::from_str(body).unwrap());
        let (status, wait) = hook.answers.lock().unwrap().pop_front().unwrap_or((204, None));
        let mut headers = HeaderMap::new();
        if let Some(wait) = wait {
            headers.insert("retry-after", wait.into());
        }
        (StatusCode::from_u16(status).unwrap(), headers)
    }

    fn will_answer(&self, answers: &[Reply]) {
        self.answers.lock().unwrap().extend(answers);
    }

    fn states(&self) -> Vec<String> {
        let heard = self.heard.lock().unwrap();
        let states =
            heard.iter().map(|event| &event["content"]["presences"]["aggregate"]["status"]);
        states.map(|state| state.as_str().unwrap_or_default().to_owned()).collect()
    }
}

#[tokio::test]
async fn a_token_is_for_one_account_and_the_partner_sees_the_list() {
    let stage = Stage::set().await;
    let token = stage.as_partner().await;
    let accounts = stage.ask("/admin/2017-09-01/accounts?$top=1000", &token).await;
    assert_eq!((accounts.status, &accounts.body["count"]), (200, &1.into()));
    assert_eq!(accounts.body["_embedded"]["items"][0]["name"], "Brightwater Dental");
    assert!(accounts.header("x-mitel-correlation-id").is_some());
    let token = stage.in_account().await;
    assert_eq!(stage.ask("/admin/2017-09-01/accounts", &token).await.status, 403);
    let users = format!("/admin/2017-09-01/accounts/{}/users", stage.customer().account);
    let users = stage.ask(&users, &token).await;
    assert_eq!(
        users.body["_embedded"]["items"][0]["email"],
        "ann.miller@brightwater-dental.example"
    );
    let by_number = stage.cloudlink_token(&stage.customer().account_number).await;
    assert_eq!(by_number.status, 200);
    assert_eq!(stage.cloudlink_token("1").await.status, 401);
    assert_eq!(stage.ask("/admin/2017-09-01/accounts", "nonsense").await.status, 401);
}

#[tokio::test]
async fn a_wrong_path_is_a_misleading_403() {
    let stage = Stage::set().await;
    let token = stage.as_partner().await;
    let refused = stage.ask("/admin/2017-09-01/acounts", &token).await;
    assert_eq!(refused.status, 403);
    assert!(refused.body["message"].as_str().unwrap().contains("not a valid key=value pair"));
}

#[tokio::test]
async fn collections_lead_on_and_an_empty_one_embeds_nothing() {
    let stage = Stage::with(World::of_size(5, 0)).await;
    let token = stage.as_partner().await;
    for relative in [false, true] {
        stage.sandbox.cloudlink_manners(|manners| manners.relative_links = relative);
        stage.sandbox.cloudlink_page_size(2);
        let mut path = stage.url("/cloudlink/admin/2017-09-01/accounts?$top=1000");
        let mut names = Vec::new();
        loop {
            let page = stage.ask(&path, &token).await;
            let items = page.body["_embedded"]["items"].as_array().unwrap();
            names.extend(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
            let Some(next) = page.body["_links"]["next"].as_str() else { break };
            assert_eq!(next.starts_with('/'), relative, "{next}");
            path = if relative { stage.url(next) } else { next.to_owned() };
        }
        assert_eq!(names.len(), 5);
    }
    let token = stage.in_account().await;
    let users = format!("/admin/2017-09-01/accounts/{}/users", stage.customer().account);
    let empty = stage.ask(&users, &token).await;
    assert_eq!(empty.body["count"], 0);
    assert!(empty.body.get("_embedded").is_none());
}

#[tokio::test]
async fn a_token_ends_when_its_account_says() {
    let stage = Stage::set().await;
    let account = stage.customer().account.clone();
    stage.sandbox.cloudlink_token_lifetime(&account, TimeDelta::seconds(90)).unwrap();
    let answer = stage.cloudlink_token(account.as_str()).await;
    assert_eq!(answer.body["expires_in"], 90);
    let token = answer.body["access_token"].as_str().unwrap();
    let path = format!("/admin/2017-09-01/accounts/{account}");
    assert_eq!(stage.ask(&path, token).await.status, 200);
    stage.clock.advance(TimeDelta::seconds(90));
    assert_eq!(stage.ask(&path, token).await.status, 401);
}

#[tokio::test]
async fn a_subscriber_hears_of_phones_until_the_subscription_ends() {
    let stage = Stage::set().await;
    let mut parts = JoinSet::new();
    let (hook, url) = Hook::open(&mut parts).await;
    let made = stage.subscribe(&url).await;
    assert_eq!(made.status, 201);
    let id = made.body["subscriptionId"].as_str().unwrap().to_owned();
    stage.lift_ann();
    until(&stage.sandbox, |sandbox| sandbox.deliveries().taken == 1).await;
    let event = hook.heard.lock().unwrap()[0].clone();
    let customer = stage.customer();
    let ann = customer.phone("Ann Miller").unwrap().user.to_string();
    assert_eq!(event["topic"], "platform-api-presence");
    assert_eq!(event["method"], "PUT");
    assert_eq!(event["subject"], format!("/2017-09-01/presentities/{ann}"));
    assert_eq!(event["publisher"]["accountId"], customer.account.to_string());
    assert_eq!(event["subscription"]["subscriptionId"], id);
    assert_eq!(event["content"]["presences"]["aggregate"]["status"], "onCall");
    assert_eq!(event["content"]["presences"]["aggregate"]["enteredOn"], "2026-11-23T12:00:00.000Z");

    let token = stage.in_account().await;
    let listed = stage.ask("/notifications/2017-09-01/subscriptions", &token).await;
    assert_eq!(listed.body["_embedded"]["items"][0]["deviceId"], url);
    let path = stage.url(&format!("/cloudlink/notifications/2017-09-01/subscriptions/{id}"));
    for expected in [204, 404] {
        let ended = stage.send(stage.http.delete(&path).bearer_auth(&token)).await;
        assert_eq!(ended.status, expected);
    }
    stage.hang_ann_up();
    assert_eq!(stage.sandbox.deliveries().waiting, 0, "nobody is told any more");
    stage.sandbox.stop().await;
}

#[tokio::test]
async fn a_delivery_is_tried_again_in_order_until_it_is_taken() {
    let stage = Stage::set().await;
    stage.sandbox.retry_deliveries_after(Duration::from_millis(5));
    let mut parts = JoinSet::new();
    let (hook, url) = Hook::open(&mut parts).await;
    stage.subscribe(&url).await;
    hook.will_answer(&[(500, None), (429, Some(0)), (503, Some(0))]);
    stage.lift_ann();
    stage.hang_ann_up();
    until(&stage.sandbox, |sandbox| sandbox.deliveries().waiting == 0).await;
    assert_eq!(hook.states(), ["onCall", "onCall", "onCall", "onCall", "available"]);
    assert_eq!(stage.sandbox.deliveries().retried, 3);
    hook.will_answer(&[(404, None)]);
    stage.lift_ann();
    until(&stage.sandbox, |sandbox| sandbox.deliveries().refused == 1).await;
    assert_eq!(hook.states().len(), 6, "what is refused for good is not tried again");
}

#[tokio::test]
async fn a_subscriber_is_believed_about_how_long_to_wait() {
    let stage = Stage::set().await;
    let mut parts = JoinSet::new();
    let (hook, url) = Hook::open(&mut parts).await;
    stage.sandbox.retry_deliveries_after(Duration::from_millis(1));
    stage.subscribe(&url).await;
    hook.will_answer(&[(503, Some(1))]);
    let began = std::time::Instant::now();
    stage.lift_ann();
    until(&stage.sandbox, |sandbox| sandbox.deliveries().taken == 1).await;
    assert!(began.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_cloudlink_that_was_away_makes_up_for_what_it_did_not_deliver() {
    let stage = Stage::set().await;
    let mut parts = JoinSet::new();
    let (hook, url) = Hook::open(&mut parts).await;
    stage.subscribe(&url).await;
    stage.sandbox.trouble(System::Cloudlink, Trouble::Away);
    stage.lift_ann();
    stage.hang_ann_up();
    assert_eq!(stage.sandbox.deliveries().waiting, 2);
    stage.sandbox.mend(System::Cloudlink);
    until(&stage.sandbox, |sandbox| sandbox.deliveries().taken == 2).await;
    assert_eq!(hook.states(), ["onCall", "available"]);
}

#[tokio::test]
async fn publications_come_twice_late_or_in_another_shape_when_asked_to() {
    let stage = Stage::set().await;
    let mut parts = JoinSet::new();
    let (hook, url) = Hook::open(&mut parts).await;
    stage.subscribe(&url).await;
    let account = &stage.customer().account;
    let ann = &stage.customer().phone("Ann Miller").unwrap().user;
    stage.lift_ann();
    stage.sandbox.repeat_last(account).unwrap();
    let earlier = super::noon() - TimeDelta::hours(1);
    stage.sandbox.cloudlink_manners(|manners| manners.content = ContentShape::Presence);
    stage.sandbox.phone_since(account, ann, "away", earlier).unwrap();
    until(&stage.sandbox, |sandbox| sandbox.deliveries().taken == 3).await;
    let heard = hook.heard.lock().unwrap();
    assert_eq!(heard[0]["publicationId"], heard[1]["publicationId"]);
    assert_eq!(heard[2]["content"]["presence"], "away");
    assert_eq!(heard[2]["content"]["enteredOn"], "2026-11-23T11:00:00.000Z");
}

#[tokio::test]
async fn a_storm_moves_phones_until_it_is_over() {
    let stage = Stage::set().await;
    let mut parts = JoinSet::new();
    let (hook, url) = Hook::open(&mut parts).await;
    stage.subscribe(&url).await;
    stage.sandbox.storm(Storm { changes: 60, per_second: 10_000, ..Storm::default() });
    until(&stage.sandbox, |sandbox| sandbox.deliveries().taken == 60).await;
    assert_eq!(hook.states().len(), 60);
    stage.sandbox.stop().await;
}
