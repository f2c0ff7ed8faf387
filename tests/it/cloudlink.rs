//! What we ask of CloudLink, and what we make of its answers.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use presence_portal::cloudlink::{Cause, Cloudlink};
use presence_portal::config::{CloudlinkCredentials, CloudlinkSettings};
use presence_portal::ids::{CloudlinkAccountId, NodeId, SubscriptionId};
use presence_portal::kit::clock::Clock;
use presence_portal::kit::http::http_client;
use presence_portal::kit::secret::Secret;
use presence_portal::sandbox::{Sandbox, World};
use serde_json::json;
use uuid::Uuid;

use crate::support::{Elsewhere, Heard, Reply};

const PARTNER: &str = "991000002";
const TOKEN: &str = "/authentication/2017-09-01/token";

fn account() -> CloudlinkAccountId {
    CloudlinkAccountId::parse("acme").unwrap()
}

fn opening() -> DateTime<Utc> {
    "2026-03-02T08:00:00Z".parse().unwrap()
}

/// A token that names the account it is for.
fn token(heard: &Heard) -> Reply {
    let account = heard.text().split("account_id=").nth(1).unwrap();
    let token = format!("token-of-{account}-{}", Uuid::new_v4());
    Reply::json(200, &json!({"access_token": token, "expires_in": "3747", "token_type": "bearer"}))
}

/// A CloudLink that signs everybody in, and otherwise answers like this.
async fn signed_in(
    answer: impl Fn(&Heard) -> Reply + Send + Sync + 'static,
) -> (Cloudlink, Elsewhere, Clock) {
    cloudlink(move |heard| if heard.path == TOKEN { token(heard) } else { answer(heard) }).await
}

async fn cloudlink(
    answer: impl Fn(&Heard) -> Reply + Send + Sync + 'static,
) -> (Cloudlink, Elsewhere, Clock) {
    let there = Elsewhere::answering(answer).await;
    let settings = CloudlinkSettings {
        url: format!("{}/{{service}}/2017-09-01", there.url),
        credentials: Some(CloudlinkCredentials {
            client_id: "our-client".to_owned(),
            client_secret: Secret::new("our&secret"),
            partner_account: CloudlinkAccountId::parse(PARTNER).unwrap(),
        }),
    };
    let clock = Clock::stopped_at(opening());
    let node = Uuid::nil().into();
    let cloudlink = Cloudlink::new(http_client().unwrap(), &settings, node, clock.clone());
    (cloudlink, there, clock)
}

#[tokio::test]
async fn every_call_says_who_we_are_and_in_which_account() {
    let (cloudlink, there, _) = signed_in(|_| Reply::json(200, &json!({"count": 0}))).await;
    assert!(cloudlink.users(&account(), None).await.unwrap().users.is_empty());
    assert!(cloudlink.accounts().await.unwrap().is_empty());
    let [sign_in, users, partner_sign_in, accounts] = &there.heard()[..] else {
        panic!("four requests")
    };
    assert_eq!(sign_in.header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(
        sign_in.text(),
        "grant_type=client_credentials&client_id=our-client&client_secret=our%26secret&account_id=acme"
    );
    assert!(partner_sign_in.text().ends_with("account_id=991000002"));
    assert_eq!(users.path, "/admin/2017-09-01/accounts/acme/users?$top=1000");
    assert!(users.header("authorization").starts_with("Bearer token-of-acme-"));
    assert_eq!(accounts.path, "/admin/2017-09-01/accounts?$top=1000");
    assert!(accounts.header("authorization").starts_with("Bearer token-of-991000002-"));
    for asked in there.heard() {
        assert_eq!(
            asked.header("x-mitel-app"),
            format!(
                "presence-portal/{};platform={};session={};",
                env!("CARGO_PKG_VERSION"),
                std::env::consts::OS,
                NodeId::from(Uuid::nil())
            )
        );
    }
}

#[tokio::test]
async fn collections_are_followed_to_their_end() {
    for absolute in [true, false] {
        let (cloudlink, there, _) = signed_in(move |heard| {
            let place = "/admin/2017-09-01/accounts?page=";
            let host =
                if absolute { format!("http://{}", heard.header("host")) } else { String::new() };
            let page = |id: &str, next: &str| {
                json!({
                    "_links": {"next": format!("{host}{place}{next}")},
                    "_embedded": {"items": [{"accountId": id, "name": id}, {"name": "no id"}]},
                })
            };
            match heard.path.rsplit('=').next().unwrap() {
                "1000" => Reply::json(200, &page("first", "2")),
                "2" => Reply::json(200, &page("second", "3")),
                _ => Reply::json(200, &json!({"count": 0, "_links": {}})),
            }
        })
        .await;
        let accounts = cloudlink.accounts().await.unwrap();
        let names: Vec<_> = accounts.iter().map(|account| account.name.as_str()).collect();
        assert_eq!(names, ["first", "second"]);
        assert_eq!(there.heard_at(TOKEN).len(), 1);
    }
}

#[tokio::test]
async fn no_link_takes_our_token_to_another_host() {
    let stranger = Elsewhere::answering(|_| Reply::json(200, &json!({}))).await;
    let next = json!({"_links": {"next": format!("{}/accounts", stranger.url)}});
    let (cloudlink, _there, _) = signed_in(move |_| Reply::json(200, &next)).await;
    assert_eq!(cloudlink.accounts().await.unwrap_err().cause, Cause::Garbled);

    let to = stranger.url.clone();
    let (cloudlink, _there, _) =
        signed_in(move |_| Reply::raw(302, &[("location", to.as_str())], "")).await;
    assert_eq!(cloudlink.accounts().await.unwrap_err().cause, Cause::Garbled);
    assert!(stranger.heard().is_empty());
}

#[tokio::test]
async fn a_subscription_is_ordered_listed_and_ended() {
    let (cloudlink, there, _) = signed_in(|heard| match heard.method.as_str() {
        "POST" => Reply::json(201, &json!({"subscriptionId": "sub-1"})),
        "GET" => Reply::json(
            200,
            &json!({"_embedded": {"items": [
                {"subscriptionId": "sub-1", "deviceId": "https://p.example/hooks/cloudlink/k",
                 "topic": "platform-api-presence", "applicationId": Uuid::nil()},
                {"topic": "without an id"},
            ]}}),
        ),
        _ if heard.path.ends_with("sub-1") => Reply::raw(204, &[], ""),
        _ => Reply::json(404, &json!({"message": "Not Found"})),
    })
    .await;
    let hook = "https://p.example/hooks/cloudlink/k".parse().unwrap();
    let made = cloudlink.subscribe(&account(), &hook, Uuid::nil()).await.unwrap();
    assert_eq!(made.as_str(), "sub-1");
    let asked = there.heard().pop().unwrap();
    assert_eq!(asked.path, "/notifications/2017-09-01/subscriptions");
    assert_eq!(
        asked.json(),
        json!({
            "applicationId": Uuid::nil(), "deviceId": hook.as_str(), "transport": "webhook",
            "topic": "platform-api-presence", "subjectFilter": "/presentities/[^/]+$",
            "methodFilter": "PUT",
        })
    );

    let listed = cloudlink.subscriptions(&account()).await.unwrap();
    assert_eq!((listed.len(), &listed[0].id), (1, &made));
    assert_eq!(listed[0].hook.reveal(), hook.as_str());

    cloudlink.unsubscribe(&account(), &made).await.unwrap();
    assert_eq!(there.heard().pop().unwrap().method, "DELETE");
    let gone = SubscriptionId::parse("sub-2").unwrap();
    cloudlink.unsubscribe(&account(), &gone).await.unwrap();
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_renewed_before_its_end() {
    let (cloudlink, there, clock) = signed_in(|_| Reply::json(200, &json!({}))).await;
    let account = account();
    let all = join_all((0..20).map(|_| cloudlink.users(&account, None))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(there.heard_at(TOKEN).len(), 1);
    clock.advance(TimeDelta::minutes(57));
    cloudlink.users(&account, None).await.unwrap();
    assert_eq!(there.heard_at(TOKEN).len(), 1);
    clock.advance(TimeDelta::minutes(3));
    cloudlink.users(&account, None).await.unwrap();
    assert_eq!(there.heard_at(TOKEN).len(), 2);
}

#[tokio::test]
async fn a_token_that_is_not_accepted_is_replaced_once() {
    let asked = AtomicUsize::new(0);
    let (cloudlink, there, _) = signed_in(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::json(401, &json!({"message": "Unauthorized"})),
        _ => Reply::json(200, &json!({})),
    })
    .await;
    cloudlink.users(&account(), None).await.unwrap();
    assert_eq!(there.heard_at(TOKEN).len(), 2);
}

#[tokio::test]
async fn a_refusal_is_named_and_carries_mitels_number_but_never_the_token() {
    for (status, cause) in [
        (401, Cause::Forbidden),
        (403, Cause::Forbidden),
        (404, Cause::Unknown),
        (422, Cause::Unexpected),
        (429, Cause::Throttled),
        (500, Cause::Trouble),
        (301, Cause::Garbled),
    ] {
        let (cloudlink, _there, _) = signed_in(move |heard| {
            let quoted = format!("not a valid key=value pair: '{}'", heard.header("authorization"));
            let headers = [("x-mitel-correlation-id", "cor-1"), ("retry-after", "3")];
            Reply::raw(status, &headers, quoted)
        })
        .await;
        let refusal = cloudlink.users(&account(), None).await.unwrap_err();
        assert_eq!((refusal.cause, refusal.status), (cause, Some(status)));
        assert_eq!(refusal.correlation_id.as_deref(), Some("cor-1"));
        assert_eq!(refusal.retry_after, Some(Duration::from_secs(3)));
        assert!(!format!("{refusal:?}").contains("token-of"), "{refusal:?}");
    }
}

#[tokio::test]
async fn wrong_credentials_are_told_from_an_account_out_of_reach() {
    let (nobody, _there, _) = cloudlink(|_| Reply::json(401, &json!({"message": "no"}))).await;
    assert_eq!(nobody.test().await.unwrap_err().cause, Cause::CredentialsWrong);
    assert_eq!(nobody.users(&account(), None).await.unwrap_err().cause, Cause::CredentialsWrong);

    let (partner_only, _there, _) = cloudlink(|heard| {
        if heard.path != TOKEN {
            Reply::json(200, &json!({}))
        } else if heard.text().ends_with(PARTNER) {
            token(heard)
        } else {
            Reply::json(401, &json!({"message": "Unauthorized"}))
        }
    })
    .await;
    partner_only.test().await.unwrap();
    assert_eq!(partner_only.users(&account(), None).await.unwrap_err().cause, Cause::Forbidden);
}

#[tokio::test]
async fn what_is_no_answer_is_named_and_no_crash() {
    for body in ["<html>proxy</html>", "{\"_embedded\":{\"items\":[", "", "[]", "7"] {
        let (cloudlink, _there, _) = signed_in(move |_| Reply::raw(200, &[], body)).await;
        assert_eq!(cloudlink.accounts().await.unwrap_err().cause, Cause::Garbled, "{body}");
        let (cloudlink, _there, _) = cloudlink_of(body).await;
        assert_eq!(cloudlink.accounts().await.unwrap_err().cause, Cause::Garbled, "{body}");
    }
    let (cloudlink, _there, _) = signed_in(|_| Reply::broken(200, "{\"_links\":")).await;
    assert_eq!(cloudlink.accounts().await.unwrap_err().cause, Cause::Unreachable);
}

/// A CloudLink that answers everything, signing in included, with this.
async fn cloudlink_of(body: &'static str) -> (Cloudlink, Elsewhere, Clock) {
    cloudlink(move |_| Reply::raw(200, &[], body)).await
}

#[tokio::test]
async fn without_credentials_nothing_is_asked() {
    let settings =
        CloudlinkSettings { url: "http://127.0.0.1:9/{service}".into(), credentials: None };
    let http = http_client().unwrap();
    let cloudlink = Cloudlink::new(http, &settings, NodeId::new(), Clock::default());
    assert!(!cloudlink.is_configured());
    assert_eq!(cloudlink.test().await.unwrap_err().cause, Cause::NotConfigured);
    assert_eq!(cloudlink.users(&account(), None).await.unwrap_err().cause, Cause::NotConfigured);
}

#[tokio::test]
async fn a_whole_cloudlink_is_read_page_by_page() {
    let world = World::of_size(7, 12);
    let sandbox = Sandbox::start(world, Clock::stopped_at(opening())).await.unwrap();
    sandbox.cloudlink_page_size(5);
    for relative in [false, true] {
        sandbox.cloudlink_manners(|manners| manners.relative_links = relative);
        let settings = sandbox.cloudlink_settings();
        let clock = Clock::stopped_at(opening());
        let cloudlink =
            Cloudlink::new(http_client().unwrap(), &settings, NodeId::new(), clock.clone());
        cloudlink.test().await.unwrap();
        let accounts = cloudlink.accounts().await.unwrap();
        assert_eq!(accounts.len(), 7);
        let (ours, told) = (&sandbox.world().customers[2], &accounts[2]);
        assert_eq!((&told.id, &told.name, &told.city), (&ours.account, &ours.name, &ours.city));
        assert_eq!(told.support_emails, std::slice::from_ref(&ours.contact));
        let (mut users, mut link) = (Vec::new(), None);
        loop {
            let page = cloudlink.users(&ours.account, link.as_ref()).await.unwrap();
            users.extend(page.users);
            link = page.next;
            if link.is_none() {
                break;
            }
        }
        assert_eq!(users.len(), ours.phones.len());
        assert_eq!((&users[3].id, &users[3].email), (&ours.phones[3].user, &ours.phones[3].email));

        sandbox.refuse_account(&ours.account, true).unwrap();
        clock.advance(TimeDelta::hours(2));
        assert_eq!(cloudlink.users(&ours.account, None).await.unwrap_err().cause, Cause::Forbidden);
        sandbox.refuse_account(&ours.account, false).unwrap();
    }
}

#[tokio::test]
async fn a_whole_cloudlink_keeps_our_subscription_until_it_is_ended() {
    let sandbox = Sandbox::start(World::small(), Clock::stopped_at(opening())).await.unwrap();
    let settings = sandbox.cloudlink_settings();
    let http = http_client().unwrap();
    let cloudlink = Cloudlink::new(http, &settings, NodeId::new(), Clock::stopped_at(opening()));
    let account = sandbox.world().customers[0].account.clone();
    let hook = "http://127.0.0.1:9/hooks/cloudlink/key".parse().unwrap();
    assert!(cloudlink.subscriptions(&account).await.unwrap().is_empty());
    let made = cloudlink.subscribe(&account, &hook, Uuid::nil()).await.unwrap();
    let listed = cloudlink.subscriptions(&account).await.unwrap();
    assert_eq!((listed.len(), &listed[0].id), (1, &made));
    assert_eq!(listed[0].hook.reveal(), hook.as_str());
    assert_eq!(listed[0].application, Some(Uuid::nil()));
    for _ in 0..2 {
        cloudlink.unsubscribe(&account, &made).await.unwrap();
        assert!(cloudlink.subscriptions(&account).await.unwrap().is_empty());
    }
}
