//! Signing in with a certificate: the sandbox believes no assertion that Entra would not.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use presence_portal::microsoft::Certificate;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PSS_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Answer, Stage};

/// Signs in with an assertion in which these claims differ.
async fn sign_in(stage: &Stage, certificate: &Certificate, differences: Value) -> Answer {
    let customer = stage.customer();
    let endpoint = stage.url(&format!("/login/{}/oauth2/v2.0/token", customer.tenant));
    let now = stage.clock.now().timestamp();
    let client = customer.app.client;
    let mut claims = json!({"aud": endpoint, "iss": client, "sub": client, "jti": "one",
        "nbf": now, "iat": now, "exp": now + 300});
    claims.as_object_mut().unwrap().extend(differences.as_object().unwrap().clone());
    let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(certificate.shown.der()));
    let header = json!({"alg": "PS256", "typ": "JWT", "x5t#S256": digest});
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let key = STANDARD.decode(certificate.private_key().reveal()).unwrap();
    let key = RsaKeyPair::from_pkcs8(&key).unwrap();
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PSS_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
    let assertion = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
    post(stage, &assertion).await
}

async fn post(stage: &Stage, assertion: &str) -> Answer {
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    stage
        .sign_in(&[
            ("client_secret", "(none)"),
            ("client_assertion_type", kind),
            ("client_assertion", assertion),
        ])
        .await
}

fn number(answer: &Answer) -> u64 {
    answer.body["error_codes"][0].as_u64().unwrap_or_default()
}

#[tokio::test]
async fn an_assertion_is_believed_only_with_an_uploaded_key_and_the_right_claims() {
    let stage = Stage::set().await;
    let (tenant, now) = (stage.customer().tenant, stage.clock.now());
    let make = |days| Certificate::make("test", now, TimeDelta::days(days)).unwrap();
    let (ours, strangers) = (make(30), make(30));
    assert_eq!(number(&sign_in(&stage, &ours, json!({})).await), 700_027, "not uploaded");
    assert!(stage.sandbox.upload_certificate(tenant, "no certificate").is_err());
    let kept = stage.sandbox.upload_certificate(tenant, &ours.shown.pem().unwrap()).unwrap();
    let answer = sign_in(&stage, &ours, json!({})).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    assert_eq!(stage.sandbox.uses(tenant, kept.id).tokens, 1);

    let elsewhere = json!({"aud": "https://login.microsoftonline.com/common"});
    let late = json!({"exp": now.timestamp() - 400});
    let early = json!({"nbf": now.timestamp() + 400});
    let forged = Certificate::of(ours.shown.der().to_vec(), strangers.private_key().clone());
    for (answer, expected) in [
        (sign_in(&stage, &ours, elsewhere).await, 700_023),
        (sign_in(&stage, &ours, json!({"sub": "somebody"})).await, 700_021),
        (sign_in(&stage, &ours, late).await, 700_024),
        (sign_in(&stage, &ours, early).await, 700_024),
        (sign_in(&stage, &strangers, json!({})).await, 700_027),
        (sign_in(&stage, &forged.unwrap(), json!({})).await, 700_027),
        (post(&stage, "not.an.assertion").await, 50_027),
    ] {
        assert_eq!(number(&answer), expected, "{:?}", answer.body);
    }
    stage.clock.advance(TimeDelta::days(31));
    let answer = sign_in(&stage, &ours, json!({})).await;
    let said = answer.body["error_description"].as_str().unwrap();
    assert!(said.contains("The key used is expired"), "{said}");
    stage.sandbox.delete_certificates(tenant).unwrap();
    let said = sign_in(&stage, &ours, json!({})).await;
    assert!(said.body["error_description"].as_str().unwrap().contains("key was not found"));
}
