//! Signing in: causes, and tokens that are kept.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::join_all;
use presence_portal::config::MicrosoftSettings;
use presence_portal::kit::clock::Clock;
use presence_portal::kit::http::http_client;
use presence_portal::kit::secret::Secret;
use presence_portal::microsoft::{Cause, Cloud, Connection, Credential, Microsoft, Shows};
use serde_json::json;
use uuid::Uuid;

use super::*;

#[tokio::test]
async fn a_sign_in_is_a_form_with_the_clouds_own_scope() {
    let (microsoft, there, _) = graph(|_| Reply::json(200, &json!({"value": []}))).await;
    let connection = Connection { cloud: Cloud::Dod, ..connection() };
    let signed_in = microsoft.sign_in(&connection).await.unwrap();
    assert_eq!(signed_in.roles().unwrap(), BOTH);
    assert!(signed_in.missing().is_empty());

    let asked = &there.heard()[0];
    assert_eq!(asked.path, format!("/login/{TENANT}/oauth2/v2.0/token"));
    assert_eq!(asked.header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(
        asked.text(),
        format!(
            "client_id={CLIENT}&scope=https%3A%2F%2Fdod-graph.microsoft.us%2F.default\
             &client_secret=abc8Q%7Ethe-value&grant_type=client_credentials"
        )
    );
}

#[tokio::test]
async fn each_cause_of_a_refused_sign_in_is_named_by_its_number() {
    for (status, error, number, cause) in [
        (401, "invalid_client", 7_000_222, Cause::SecretExpired),
        (401, "invalid_client", 7_000_215, Cause::SecretWrong),
        (400, "unauthorized_client", 700_016, Cause::ApplicationUnknown),
        (401, "invalid_client", 7_000_229, Cause::ApplicationUnknown),
        (400, "invalid_request", 90_002, Cause::TenantUnknown),
        (400, "invalid_request", 900_023, Cause::TenantUnknown),
        (401, "unauthorized_client", 7_000_112, Cause::ApplicationDisabled),
        (400, "invalid_grant", 53_003, Cause::ConditionalAccess),
        (400, "invalid_request", 90_038, Cause::OtherCloud),
        (400, "invalid_request", 90_033, Cause::Trouble),
        (400, "invalid_request", 90_055, Cause::Throttled),
        (400, "invalid_grant", 7_777_777, Cause::SignInRefused),
    ] {
        // As a list of codes, and only named in the description.
        for codes in [json!([number]), json!([])] {
            let body = json!({
                "error": error, "error_codes": codes, "trace_id": "trace-1",
                "error_description": format!("AADSTS{number}: words.\r\nTrace ID: trace-1"),
            });
            let (microsoft, _there, _) = microsoft(move |_| Reply::json(status, &body)).await;
            let refusal = microsoft.sign_in(&connection()).await.unwrap_err();
            assert_eq!(refusal.cause, cause, "{number}");
            assert_eq!(refusal.status, Some(status));
            assert_eq!(refusal.code, Some(format!("AADSTS{number}")));
            assert_eq!(refusal.request_id.as_deref(), Some("trace-1"));
            assert!(!refusal.detail.contains("abc8Q"), "{}", refusal.detail);
        }
    }
}

#[tokio::test]
async fn a_wrong_secret_that_looks_like_a_guid_is_a_secret_id() {
    let body = json!({"error": "invalid_client", "error_codes": [7_000_215]});
    let (microsoft, _there, _) = microsoft(move |_| Reply::json(401, &body)).await;
    let pasted = Secret::new(Uuid::new_v4().to_string());
    let connection = Connection { credential: Credential::Secret(pasted), ..connection() };
    assert_eq!(microsoft.sign_in(&connection).await.unwrap_err().cause, Cause::SecretIdPasted);
}

#[tokio::test]
async fn what_is_no_answer_to_a_sign_in_is_named_and_no_crash() {
    for (reply, cause) in [
        (
            Reply::raw as fn(u16, &[(&str, &str)], &'static str) -> Reply,
            200,
            "<html>portal</html>",
            Cause::Garbled,
        ),
        (Reply::raw, 200, "{\"access_token\":\"ab", Cause::Garbled),
        (Reply::raw, 200, "", Cause::Garbled),
        (Reply::raw, 502, "<html>Bad Gateway</html>", Cause::Trouble),
        (Reply::raw, 403, "<html>proxy</html>", Cause::Garbled),
        (Reply::raw, 429, "", Cause::Throttled),
        (|status, _, body| Reply::broken(status, body), 200, "{\"access", Cause::Unreachable),
    ]
    .map(|(reply, status, body, cause)| (move || reply(status, &[], body), cause))
    {
        let (microsoft, _there, _) = microsoft(move |_| reply()).await;
        assert_eq!(microsoft.sign_in(&connection()).await.unwrap_err().cause, cause);
    }
}

#[tokio::test]
async fn however_many_ask_at_once_there_is_one_token() {
    let (microsoft, there, clock) = graph(|_| Reply::raw(200, &[], "")).await;
    let connection = connection();
    let set = || microsoft.set_presence(&connection, user(), Shows::InACall);
    let all = join_all((0..40).map(|_| set())).await;
    assert!(all.iter().all(|answered| answered.outcome.is_ok()));
    assert_eq!(token_requests(&there), 1);

    clock.advance(TimeDelta::minutes(53));
    set().await.outcome.unwrap();
    assert_eq!(token_requests(&there), 1, "it lasts nearly to its end");
    clock.advance(TimeDelta::minutes(2));
    set().await.outcome.unwrap();
    assert_eq!(token_requests(&there), 2, "and is renewed some minutes before");

    microsoft.forget_token(connection.account);
    set().await.outcome.unwrap();
    assert_eq!(token_requests(&there), 3);
}

#[tokio::test]
async fn a_new_secret_is_used_with_the_next_request() {
    let (microsoft, there, _) = graph(|_| Reply::raw(204, &[], "")).await;
    let old = connection();
    microsoft.set_presence(&old, user(), Shows::Away).await.outcome.unwrap();
    let secret = Credential::Secret(Secret::new("new8Q~value"));
    let new = Connection { version: 2, credential: secret, ..old };
    microsoft.set_presence(&new, user(), Shows::Away).await.outcome.unwrap();
    let forms = there.heard_at(&format!("/login/{TENANT}/oauth2/v2.0/token"));
    assert!(forms[1].text().contains("new8Q"));
    let pushes = there.heard_at(&set_presence());
    assert_ne!(pushes[0].header("authorization"), pushes[1].header("authorization"));
}

#[tokio::test]
async fn a_token_that_is_still_good_outlives_trouble_at_the_sign_in() {
    let asked = AtomicUsize::new(0);
    let (microsoft, there, clock) = microsoft(move |heard| {
        match (heard.path.starts_with("/login"), asked.fetch_add(1, Ordering::SeqCst)) {
            (true, 0) => token(&BOTH),
            (true, _) => Reply::raw(503, &[("retry-after", "7")], ""),
            (false, _) => Reply::raw(200, &[], ""),
        }
    })
    .await;
    let connection = connection();
    let set = || microsoft.set_presence(&connection, user(), Shows::Away);
    set().await.outcome.unwrap();
    clock.advance(TimeDelta::minutes(56));
    set().await.outcome.unwrap();
    set().await.outcome.unwrap();
    assert_eq!(token_requests(&there), 2, "renewing is not tried at every turn");
    clock.advance(TimeDelta::minutes(4));
    let refusal = set().await.outcome.unwrap_err();
    assert_eq!(refusal.cause, Cause::Trouble);
    assert_eq!(refusal.retry_after, Some(Duration::from_secs(7)));
}

#[tokio::test]
async fn a_token_that_graph_does_not_accept_is_replaced_once() {
    let asked = AtomicUsize::new(0);
    let (microsoft, there, _) = graph(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => refused(401, "InvalidAuthenticationToken"),
        _ => Reply::raw(200, &[], ""),
    })
    .await;
    microsoft.set_presence(&connection(), user(), Shows::Away).await.outcome.unwrap();
    assert_eq!(token_requests(&there), 2);

    let (microsoft, there, _) = graph(|_| refused(401, "InvalidAuthenticationToken")).await;
    let answered = microsoft.set_presence(&connection(), user(), Shows::Away).await;
    assert_eq!(answered.outcome.unwrap_err().cause, Cause::Unexpected);
    assert_eq!(token_requests(&there), 2, "and not again");
    assert_eq!(there.heard_at(&set_presence()).len(), 2);
}

#[tokio::test]
async fn a_host_that_is_not_there_is_unreachable() {
    let settings = MicrosoftSettings {
        login_url: Some("http://127.0.0.1:9".parse().unwrap()),
        graph_url: None,
        requests_per_second: 50,
    };
    let microsoft = Microsoft::new(http_client().unwrap(), &settings, Clock::default());
    let answered = microsoft.set_presence(&connection(), user(), Shows::Away).await;
    assert_eq!(answered.status, None);
    let refusal = answered.outcome.unwrap_err();
    assert_eq!(refusal.cause, Cause::Unreachable);
    assert!(refusal.detail.contains("refused"), "{}", refusal.detail);
}

#[tokio::test]
async fn nothing_printed_holds_a_token_or_a_secret() {
    let (microsoft, _there, _) = graph(|_| Reply::raw(200, &[], "")).await;
    let connection = connection();
    let token = microsoft.sign_in(&connection).await.unwrap();
    microsoft.set_presence(&connection, user(), Shows::Away).await.outcome.unwrap();
    let printed = format!("{microsoft:?} {connection:?} {token:?}");
    assert!(!printed.contains("e30.") && !printed.contains("abc8Q"), "{printed}");
}
