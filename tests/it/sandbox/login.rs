//! Signing in: tokens, and the AADSTS rows.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use presence_portal::sandbox::{Customer, Permission, Standing, World};
use serde_json::Value;

use super::{Answer, Stage};

/// What is different about the request, and what it gets.
type Row<'a> = (&'a [(&'a str, &'a str)], u64, &'a str, u16);

fn claims(answer: &Answer) -> Value {
    let token = answer.body["access_token"].as_str().unwrap();
    let claims = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}

#[tokio::test]
async fn a_token_says_who_may_do_what_and_for_how_long() {
    let stage = Stage::set().await;
    let answer = stage.sign_in(&[]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["expires_in"], 3599);
    let claims = claims(&answer);
    assert_eq!(claims["tid"], stage.customer().tenant.to_string());
    assert_eq!(claims["appid"], stage.customer().app.client.to_string());
    assert_eq!(claims["exp"], super::noon().timestamp() + 3599);
    let roles: Vec<&str> =
        claims["roles"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(roles, ["User.Read.All", "Presence.ReadWrite.All"]);
    stage.sandbox.stop().await;
}

#[tokio::test]
async fn nothing_granted_is_a_token_without_roles_and_graph_refuses_it() {
    let customer = World::small().customers.remove(0);
    let customer = customer.without(Permission::ReadUsers).without(Permission::ReadWritePresence);
    let stage = Stage::with(World::empty().with(customer)).await;
    let answer = stage.sign_in(&[]).await;
    assert!(claims(&answer).get("roles").is_none());
    let token = stage.token().await;
    let refused = stage.get("/users", &token).await;
    assert_eq!((refused.status, refused.code()), (403, "Authorization_RequestDenied"));
    let refused = stage.set_presence(&token, ["Busy", "InACall"], "PT5M").await;
    assert_eq!((refused.status, refused.code()), (403, "Forbidden"));
    assert_eq!(refused.body["error"]["message"], "");
}

#[tokio::test]
async fn every_refusal_has_its_aadsts_row() {
    let stage = Stage::set().await;
    let secret_id = stage.customer().app.secret.id.to_string();
    let stranger = uuid::Uuid::new_v4().to_string();
    let rows: [Row<'_>; 10] = [
        (&[("tenant", "not-a-tenant")], 900_023, "invalid_request", 400),
        (&[("tenant", &stranger)], 90_002, "invalid_request", 400),
        (&[("client_id", &stranger)], 700_016, "unauthorized_client", 400),
        (&[("client_secret", "guess")], 7_000_215, "invalid_client", 401),
        (&[("client_secret", &secret_id)], 7_000_215, "invalid_client", 401),
        (&[("client_secret", "(none)")], 7_000_218, "invalid_client", 401),
        (
            &[("scope", "https://graph.microsoft.com/User.Read.All")],
            1_002_012,
            "invalid_scope",
            400,
        ),
        (&[("scope", "https://graph.microsoft.us/.default")], 90_002, "invalid_request", 400),
        (&[("scope", "(none)")], 900_144, "invalid_request", 400),
        (&[("grant_type", "password")], 70_003, "unsupported_grant_type", 400),
    ];
    for (differences, number, error, status) in rows {
        let answer = stage.sign_in(differences).await;
        assert_eq!(answer.status, status, "{differences:?}");
        assert_eq!(answer.body["error"], error, "{differences:?}");
        assert_eq!(answer.body["error_codes"], serde_json::json!([number]), "{differences:?}");
        let description = answer.body["error_description"].as_str().unwrap();
        assert!(description.starts_with(&format!("AADSTS{number}: ")), "{description}");
        let trace = answer.body["trace_id"].as_str().unwrap();
        assert!(description.contains(&format!("Trace ID: {trace}")), "{description}");
        assert_eq!(answer.body["timestamp"], "2026-11-23 12:00:00Z");
    }
    stage.sandbox.stop().await;
}

#[tokio::test]
async fn what_an_admin_does_to_the_app_shows_at_the_next_sign_in() {
    let stage = Stage::set().await;
    let tenant = stage.customer().tenant;
    for (standing, number) in [
        (Standing::Disabled, 7_000_112),
        (Standing::WithoutConsent, 7_000_229),
        (Standing::Deleted, 700_016),
    ] {
        stage.sandbox.app_is(tenant, standing).unwrap();
        assert_eq!(stage.sign_in(&[]).await.body["error_codes"][0], number, "{standing:?}");
    }
    stage.sandbox.app_is(tenant, Standing::Good).unwrap();
    stage.sandbox.manners(tenant, |manners| manners.conditional_access = true).unwrap();
    let blocked = stage.sign_in(&[]).await;
    assert_eq!((blocked.status, &blocked.body["error_codes"][0]), (400, &53_003.into()));
    assert!(blocked.body["claims"].is_string() && blocked.body["suberror"].is_string());
    stage.sandbox.manners(tenant, |manners| manners.conditional_access = false).unwrap();
    assert_eq!(stage.sign_in(&[]).await.status, 200);
}

#[tokio::test]
async fn a_secret_expires_on_its_day_and_a_new_one_works_beside_it() {
    let world = World::small().customers.remove(0).with_secret_for(TimeDelta::days(1));
    let stage = Stage::with(World::empty().with(world)).await;
    assert_eq!(stage.sign_in(&[]).await.status, 200);
    stage.clock.advance(TimeDelta::days(1));
    let expired = stage.sign_in(&[]).await;
    assert_eq!((expired.status, &expired.body["error_codes"][0]), (401, &7_000_222.into()));
    let new = stage.sandbox.new_secret(stage.customer().tenant).unwrap();
    assert_eq!(stage.sign_in(&[("client_secret", new.value.reveal())]).await.status, 200);
    let replaced = stage.sandbox.replace_secrets(stage.customer().tenant).unwrap();
    let rotated = stage.sign_in(&[("client_secret", new.value.reveal())]).await;
    assert_eq!(rotated.body["error_codes"][0], 7_000_215);
    assert_eq!(stage.sign_in(&[("client_secret", replaced.value.reveal())]).await.status, 200);
}

#[tokio::test]
async fn graph_takes_a_token_until_it_ends_and_no_other() {
    let stage = Stage::set().await;
    let tenant = stage.customer().tenant;
    stage
        .sandbox
        .manners(tenant, |manners| manners.token_lifetime = TimeDelta::seconds(60))
        .unwrap();
    let token = stage.token().await;
    stage.sandbox.revoke(tenant, Permission::ReadUsers).unwrap();
    assert_eq!(stage.get("/users", &token).await.status, 200, "a token keeps the roles it has");
    stage.clock.advance(TimeDelta::seconds(60));
    let expired = stage.get("/users", &token).await;
    assert_eq!((expired.status, expired.code()), (401, "InvalidAuthenticationToken"));
    assert!(expired.header("www-authenticate").is_some_and(|text| text.starts_with("Bearer")));
    assert_eq!(stage.get("/users", "nonsense").await.status, 401);
    let token = stage.token().await;
    stage.sandbox.revoke_tokens(tenant).unwrap();
    assert_eq!(stage.get("/users", &token).await.status, 401);
}

#[tokio::test]
async fn an_opaque_token_tells_nothing_and_works() {
    let stage =
        Stage::with(World::empty().with(Customer::named("Opaque").employs("Ann Miller"))).await;
    stage.sandbox.manners(stage.customer().tenant, |manners| manners.opaque_tokens = true).unwrap();
    let token = stage.token().await;
    assert!(!token.contains('.'));
    assert_eq!(stage.get("/users", &token).await.status, 200);
}
