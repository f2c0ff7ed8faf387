//! Presence: set, cleared, read, and refused.

use std::time::Duration;

use chrono::TimeDelta;
use presence_portal::microsoft::{Cause, Permission, Shows};
use serde_json::json;
use tokio::time::Instant;
use uuid::Uuid;

use super::*;

#[tokio::test]
async fn presence_is_set_in_the_session_of_the_application() {
    let (microsoft, there, _) = graph(|_| Reply::raw(200, &[("request-id", "req-1")], "")).await;
    let connection = connection();
    for (shows, availability, activity, lasts) in [
        (Shows::Available, "Available", "Available", "PT5M"),
        (Shows::InACall, "Busy", "InACall", "PT5M"),
        (Shows::InAConferenceCall, "Busy", "InAConferenceCall", "PT5M"),
        (Shows::Away, "Away", "Away", "PT1H"),
        (Shows::Presenting, "DoNotDisturb", "Presenting", "PT1H"),
    ] {
        let answered = microsoft.set_presence(&connection, user(), shows).await;
        assert_eq!(answered.status, Some(200));
        assert_eq!(answered.request_id.as_deref(), Some("req-1"));
        answered.outcome.unwrap();
        let asked = there.heard_at(&set_presence()).pop().unwrap();
        assert_eq!(asked.header("content-type"), "application/json");
        assert!(asked.header("authorization").starts_with("Bearer e30."));
        assert!(asked.header("client-request-id").parse::<Uuid>().is_ok());
        assert!(asked.header("user-agent").starts_with("presence-portal/"));
        assert_eq!(
            asked.json(),
            json!({
                "sessionId": CLIENT, "availability": availability, "activity": activity,
                "expirationDuration": lasts,
            })
        );
    }
}

#[tokio::test]
async fn a_page_that_is_not_graphs_sets_nothing_whatever_its_status() {
    for (body, outcome) in [
        ("<html>maintenance</html>", Err(Cause::Garbled)),
        ("{\"value\":", Err(Cause::Garbled)),
        (" \r\n", Ok(())),
        ("{}", Ok(())),
    ] {
        let (microsoft, _there, _) = graph(move |_| Reply::raw(200, &[], body)).await;
        let answered = microsoft.set_presence(&connection(), user(), Shows::Away).await;
        assert_eq!(answered.outcome.map_err(|refusal| refusal.cause), outcome, "{body}");
    }
}

#[tokio::test]
async fn a_session_that_is_gone_counts_as_cleared() {
    let (microsoft, there, _) = graph(|_| refused(404, "NotFound")).await;
    let answered = microsoft.clear_presence(&connection(), user()).await;
    assert_eq!(answered.status, Some(404));
    answered.outcome.unwrap();
    let asked = there.heard().pop().unwrap();
    assert!(asked.path.ends_with("/presence/clearPresence"));
    assert_eq!(asked.json(), json!({"sessionId": CLIENT}));
}

#[tokio::test]
async fn a_refused_presence_is_named_by_its_code() {
    for (status, code, cause) in [
        (400, "InvalidArgument", Cause::UserRefused),
        (401, "ServiceError", Cause::Trouble),
        (404, "Request_ResourceNotFound", Cause::NoSuchUser),
        (429, "TooManyRequests", Cause::Throttled),
        (500, "InternalServerError", Cause::Trouble),
        (504, "UnknownError", Cause::Trouble),
    ] {
        let (microsoft, there, _) = graph(move |_| refused(status, code)).await;
        let answered = microsoft.set_presence(&connection(), user(), Shows::Away).await;
        let refusal = answered.outcome.unwrap_err();
        assert_eq!((refusal.cause, refusal.status), (cause, Some(status)), "{code}");
        assert_eq!(refusal.code.as_deref(), Some(code));
        assert_eq!(refusal.request_id.as_deref(), Some("inner-1"));
        assert_eq!(there.heard_at(&set_presence()).len(), 1, "nothing is tried twice here");
    }
}

#[tokio::test]
async fn waiting_is_as_long_as_graph_asks() {
    for (asked, seconds) in [("10", 10), ("2.128", 3), ("Mon, 02 Mar 2026 08:00:42 GMT", 42)] {
        let (microsoft, _there, _) =
            graph(move |_| Reply::raw(429, &[("retry-after", asked)], "")).await;
        let answered = microsoft.set_presence(&connection(), user(), Shows::Away).await;
        let refusal = answered.outcome.unwrap_err();
        assert_eq!(refusal.cause, Cause::Throttled);
        assert_eq!(refusal.retry_after, Some(Duration::from_secs(seconds)));
    }
}

#[tokio::test]
async fn a_forbidden_presence_is_a_missing_permission_or_this_user_alone() {
    let write = Cause::PermissionMissing(Permission::PresenceReadWriteAll);
    for (roles, cause) in [(&BOTH[..1], write), (&BOTH[..], Cause::UserRefused)] {
        let (microsoft, there, clock) = microsoft(move |heard| {
            if heard.path.starts_with("/login") { token(roles) } else { refused(403, "Forbidden") }
        })
        .await;
        let connection = connection();
        let set = || microsoft.set_presence(&connection, user(), Shows::Away);
        assert_eq!(set().await.outcome.unwrap_err().cause, cause);
        assert_eq!(token_requests(&there), 1, "a new token would say the same");
        clock.advance(TimeDelta::minutes(6));
        assert_eq!(set().await.outcome.unwrap_err().cause, cause);
        assert_eq!(token_requests(&there), 2, "consent may have been given since");
    }
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let stranger = Elsewhere::answering(|_| Reply::raw(200, &[], "{}")).await;
    let to = stranger.url.clone();
    let (microsoft, _there, _) =
        graph(move |_| Reply::raw(307, &[("location", to.as_str())], "")).await;
    let answered = microsoft.set_presence(&connection(), user(), Shows::Away).await;
    assert_eq!(answered.outcome.unwrap_err().cause, Cause::Garbled);
    assert!(stranger.heard().is_empty());
}

#[tokio::test]
async fn a_server_that_hangs_is_given_ten_seconds() {
    let (microsoft, there, _) = graph(|_| Reply::Never).await;
    let connection = connection();
    let set = microsoft.set_presence(&connection, user(), Shows::Away);
    let watch = async {
        there.has_heard(2).await;
        // From here on nothing moves but time.
        tokio::time::pause();
        Instant::now()
    };
    let (answered, since) = tokio::join!(set, watch);
    assert_eq!(answered.outcome.unwrap_err().cause, Cause::Unreachable);
    let waited = since.elapsed();
    assert!(waited > Duration::from_secs(8) && waited < Duration::from_secs(11), "{waited:?}");
}

#[tokio::test]
async fn what_teams_shows_is_read_for_many_at_once() {
    let (microsoft, there, _) = graph(|_| {
        Reply::json(
            200,
            &json!({"value": [
                {"id": user(), "availability": "Busy", "activity": "InACall",
                 "outOfOfficeSettings": {"isOutOfOffice": true}},
                {"id": Uuid::from_u128(7), "availability": "SomethingNew"},
            ]}),
        )
    })
    .await;
    let shown = microsoft.presences(&connection(), &[user()]).await.unwrap();
    assert_eq!((shown[0].user, shown[0].activity.as_str()), (user(), "InACall"));
    assert!(shown[0].out_of_office);
    assert_eq!((shown[1].availability.as_str(), shown[1].activity.as_str()), ("SomethingNew", ""));
    let asked = there.heard().pop().unwrap();
    assert_eq!(asked.path, "/graph/v1.0/communications/getPresencesByUserId");
    assert_eq!(asked.json(), json!({"ids": [user()]}));
}
