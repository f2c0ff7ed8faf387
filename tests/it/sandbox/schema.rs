//! The shapes of what the pretend systems say, field by field, as the vendors document them.

use presence_portal::sandbox::Permission;
use serde_json::{Value, json};

use super::Stage;

/// Whether `value` has exactly the shape of `like`: the same fields with values of the same kinds.
/// A null on either side fits anything.
fn shaped(value: &Value, like: &Value, at: &str) {
    match (value, like) {
        (Value::Null, _) | (_, Value::Null) => {}
        (Value::Object(value), Value::Object(like)) => {
            let (found, wanted): (Vec<_>, Vec<_>) = (value.keys().collect(), like.keys().collect());
            assert_eq!(found, wanted, "the fields of {at}");
            for (name, like) in like {
                shaped(&value[name], like, &format!("{at}.{name}"));
            }
        }
        (Value::Array(values), Value::Array(like)) => {
            for value in values {
                shaped(value, &like[0], &format!("{at}[]"));
            }
        }
        (value, like) => assert_eq!(
            std::mem::discriminant(value),
            std::mem::discriminant(like),
            "{at} is {value} where {like} was expected"
        ),
    }
}

#[tokio::test]
async fn graph_answers_in_its_own_shapes() {
    let stage = Stage::set().await;
    let tenant = stage.customer().tenant;
    let token = stage.token().await;
    let text = "text";
    let presence = json!({
        "@odata.context": text, "id": text, "availability": text, "activity": text,
        "outOfOfficeSettings": {"message": null, "isOutOfOffice": false},
        "sequenceNumber": text, "statusMessage": null,
    });
    let read = stage.get(&format!("/users/{}/presence", stage.ann()), &token).await;
    shaped(&read.body, &presence, "presence");
    let user = json!({
        "businessPhones": [text], "displayName": text, "givenName": text, "jobTitle": null,
        "mail": text, "mobilePhone": null, "officeLocation": null, "preferredLanguage": null,
        "surname": text, "userPrincipalName": text, "id": text,
    });
    let users = json!({"@odata.context": text, "@odata.nextLink": text, "value": [user]});
    let page = stage.get("/users?$top=1", &token).await;
    shaped(&page.body, &users, "users");
    let error = json!({"error": {"code": text, "message": text, "innerError": {
        "date": text, "request-id": text, "client-request-id": text,
    }}});
    let refused = stage.get("/applications", &token).await;
    assert_eq!(refused.status, 403);
    shaped(&refused.body, &error, "error");
    assert_eq!(
        refused.header("request-id"),
        refused.body["error"]["innerError"]["request-id"].as_str()
    );
    stage.sandbox.grant(tenant, Permission::ReadApplications).unwrap();
    let token = stage.token().await;
    let secret = json!({
        "customKeyIdentifier": null, "displayName": text, "endDateTime": text, "hint": text,
        "keyId": text, "secretText": null, "startDateTime": text,
    });
    let app = json!({
        "id": text, "appId": text, "displayName": text, "keyCredentials": [],
        "passwordCredentials": [secret],
    });
    let client = stage.customer().app.client;
    let one = stage.get(&format!("/applications(appId='{client}')"), &token).await;
    shaped(&one.body, &app, "application");
    assert_eq!(one.body["passwordCredentials"][0]["hint"].as_str().unwrap().len(), 3);
}

#[tokio::test]
async fn login_answers_in_its_own_shapes() {
    let stage = Stage::set().await;
    let text = "text";
    let token = json!({
        "token_type": text, "expires_in": 1, "ext_expires_in": 1, "access_token": text,
    });
    shaped(&stage.sign_in(&[]).await.body, &token, "token");
    let refusal = json!({
        "error": text, "error_description": text, "error_codes": [1], "timestamp": text,
        "trace_id": text, "correlation_id": text, "error_uri": text,
    });
    shaped(&stage.sign_in(&[("client_secret", "x")]).await.body, &refusal, "refusal");
}

#[tokio::test]
async fn cloudlink_answers_in_its_own_shapes() {
    let stage = Stage::set().await;
    let text = "text";
    let partner = stage.sandbox.world().partner.account.to_string();
    let token = json!({
        "token_type": text, "expires_in": 1, "access_token": text, "refresh_token": text,
        "scope": text,
    });
    let answer = stage.cloudlink_token(&partner).await;
    shaped(&answer.body, &token, "token");
    assert_eq!(answer.body["token_type"], "bearer");
    let token = answer.body["access_token"].as_str().unwrap().to_owned();
    let user = json!({
        "userId": text, "accountId": text, "name": text, "displayName": text, "role": text,
        "extension": text, "extensionVerified": true, "sipAddress": text, "email": text,
        "emailVerified": true, "createdOn": text, "_links": {"self": text},
    });
    let users = json!({"count": 1, "_links": {"self": text}, "_embedded": {"items": [user]}});
    let account = stage.customer().account.clone();
    let answer = stage.ask(&format!("/admin/2017-09-01/accounts/{account}/users"), &token).await;
    shaped(&answer.body, &users, "users");
    let nobody = stage.ask("/admin/2017-09-01/accounts/1", &token).await;
    shaped(&nobody.body, &json!({"message": text}), "error");
}
