//! The directory: its pages, its changes, and links that lead astray.

use presence_portal::ids::EntraUserId;
use presence_portal::microsoft::{Cause, Next, Permission};
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;

#[tokio::test]
async fn a_directory_that_may_not_be_read_is_a_missing_permission() {
    let (microsoft, _there, _) = graph(|_| refused(403, "Authorization_RequestDenied")).await;
    let connection = connection();
    let token = microsoft.sign_in(&connection).await.unwrap();
    let read = Cause::PermissionMissing(Permission::UserReadAll);
    assert_eq!(microsoft.try_directory(&connection, &token).await.unwrap_err().cause, read);
    assert_eq!(microsoft.user_changes(&connection, None).await.unwrap_err().cause, read);
}

/// A directory of two pages and a delta link.
fn pages(base: &str, heard: &Heard) -> Value {
    let delta = format!("{base}/graph/v1.0/users/delta");
    let ann = json!({
        "id": user(), "userPrincipalName": "ann@x.example", "mail": null, "displayName": "Ann",
        "accountEnabled": true, "userType": "Guest", "proxyAddresses": ["SMTP:Ann@X.example", "x500:/o=X", "smtp:a@x.example"],
    });
    let gone = json!({"id": Uuid::from_u128(9), "@removed": {"reason": "deleted"}});
    if heard.path.contains("skiptoken=2") {
        json!({
            "value": [{"id": user(), "accountEnabled": false}, gone, {"id": "nobody"}],
            "@odata.deltaLink": format!("{delta}?$deltatoken=d1"),
        })
    } else if heard.path.contains("$deltatoken=d1") {
        json!({"value": [], "@odata.deltaLink": format!("{delta}?$deltatoken=d2")})
    } else {
        json!({"value": [ann], "@odata.nextLink": format!("{delta}?$skiptoken=2")})
    }
}

#[tokio::test]
async fn the_directory_is_read_page_by_page_and_then_only_its_changes() {
    let (microsoft, there, _) =
        graph(|heard| Reply::json(200, &pages(&format!("http://{}", heard.header("host")), heard)))
            .await;
    let connection = connection();
    let first = microsoft.user_changes(&connection, None).await.unwrap();
    assert_eq!(
        there.heard().pop().unwrap().path,
        "/graph/v1.0/users/delta?$select=id,userPrincipalName,mail,displayName,accountEnabled,proxyAddresses,userType"
    );
    let ann = &first.users[0];
    assert_eq!((ann.mail.as_deref(), ann.guest), (Some(""), Some(true)), "said to have none");
    assert_eq!(ann.proxy_addresses.as_deref().unwrap(), ["ann@x.example", "a@x.example"]);
    let Next::Page(next) = first.next else { panic!("there is a second page") };

    let second = microsoft.user_changes(&connection, Some(&next)).await.unwrap();
    let ann = &second.users[0];
    assert_eq!((ann.enabled, &ann.mail, second.users.len()), (Some(false), &None, 1));
    assert_eq!(ann.guest, None, "not said again");
    assert_eq!(second.removed, [EntraUserId::from(Uuid::from_u128(9))]);
    let Next::Done(delta) = second.next else { panic!("that was all") };

    let third = microsoft.user_changes(&connection, Some(&delta)).await.unwrap();
    assert!(third.users.is_empty());
    assert!(matches!(third.next, Next::Done(link) if link.ends_with("d2")));
}

#[tokio::test]
async fn a_link_that_has_run_out_starts_the_directory_over() {
    for (status, code) in [(410, ""), (400, "syncStateNotFound"), (400, "ResyncRequired")] {
        let (microsoft, there, _) = graph(move |_| refused(status, code)).await;
        let link = format!("{}/graph/v1.0/users/delta?$deltatoken=old", there.url);
        let refusal = microsoft.user_changes(&connection(), Some(&link)).await.unwrap_err();
        assert_eq!(refusal.cause, Cause::StartOver);
    }
}

#[tokio::test]
async fn no_link_takes_our_token_to_another_host() {
    let stranger = Elsewhere::answering(|_| Reply::raw(200, &[], "{}")).await;
    let foreign = format!("{}/graph/v1.0/users/delta?$skiptoken=2", stranger.url);
    let body = json!({"value": [], "@odata.nextLink": foreign});
    let (microsoft, there, _) = graph(move |_| Reply::json(200, &body)).await;
    let connection = connection();
    let refusal = microsoft.user_changes(&connection, None).await.unwrap_err();
    assert_eq!(refusal.cause, Cause::Garbled);
    let asked = there.heard().len();
    let refusal = microsoft.user_changes(&connection, Some(&foreign)).await.unwrap_err();
    assert_eq!(refusal.cause, Cause::StartOver, "a link kept from another Graph is of no use");
    assert_eq!(there.heard().len(), asked);
    assert!(stranger.heard().is_empty());
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_is_named_so() {
    let huge: &'static str = Box::leak("x".repeat(17 * 1024 * 1024).into_boxed_str());
    for body in ["<html>proxy</html>", "{\"value\":[{\"id\":", "", "[]", r#"{"value":[]}"#, huge] {
        let (microsoft, _there, _) = graph(move |_| Reply::raw(200, &[], body)).await;
        let refusal = microsoft.user_changes(&connection(), None).await.unwrap_err();
        assert_eq!(refusal.cause, Cause::Garbled, "{body:.40}");
    }
    let (microsoft, _there, _) = graph(|_| Reply::broken(200, "{\"value\":[")).await;
    let refusal = microsoft.user_changes(&connection(), None).await.unwrap_err();
    assert_eq!(refusal.cause, Cause::Unreachable);
}

#[tokio::test]
async fn an_address_is_looked_up_with_its_quotes_doubled() {
    let (microsoft, there, _) = graph(|_| Reply::json(200, &json!({"value": []}))).await;
    let found = microsoft.users_by_address(&connection(), "o'neil@x.example").await.unwrap();
    assert!(found.is_empty());
    let asked = url::Url::parse(&format!("http://x{}", there.heard().pop().unwrap().path)).unwrap();
    let (_, filter) = asked.query_pairs().next().unwrap();
    assert_eq!(
        filter,
        "userPrincipalName eq 'o''neil@x.example' or mail eq 'o''neil@x.example' \
         or proxyAddresses/any(a:a eq 'smtp:o''neil@x.example')"
    );
}
