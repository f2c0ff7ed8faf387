//! `POST /token`: client credentials, in the account that is named.

use axum::http::{StatusCode, header};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::Cloudlink;
use super::calls::{Answer, Asked, Claims, message};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Wanted {
    grant_type: String,
    client_id: String,
    client_secret: String,
    account_id: String,
}

pub(super) fn answer(cloudlink: &Cloudlink, asked: &Asked, now: DateTime<Utc>) -> Answer {
    let kind = asked.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if !kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")) {
        return message(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported Media Type");
    }
    let wanted: Wanted = serde_html_form::from_bytes(&asked.body).unwrap_or_default();
    if wanted.grant_type != "client_credentials" {
        return message(StatusCode::BAD_REQUEST, "unsupported grant_type");
    }
    let partner = &cloudlink.partner;
    let secret = partner.client_secret.reveal().as_bytes();
    let known = wanted.client_id == partner.client_id
        && bool::from(secret.ct_eq(wanted.client_secret.as_bytes()));
    let manners = cloudlink.manners().clone();
    if !known || manners.refuse_partner {
        return message(StatusCode::UNAUTHORIZED, "Unauthorized");
    }
    let (account, role, lifetime) = if wanted.account_id == partner.account.as_str() {
        (partner.account.to_string(), "PARTNER_ADMIN", None)
    } else {
        let account = cloudlink.account(&wanted.account_id);
        let Some(account) = account.filter(|account| !account.state().refused) else {
            return message(StatusCode::UNAUTHORIZED, "Unauthorized");
        };
        let lifetime = account.state().token_lifetime;
        (account.id.to_string(), "PARTNER_ADMIN", lifetime)
    };
    let lifetime = lifetime.unwrap_or(manners.token_lifetime);
    let claims = Claims {
        account_id: account,
        partner_id: "991000002".to_owned(),
        principal_id: partner.client_id.clone(),
        role: role.to_owned(),
        iss: "https://authentication.sandbox.api.mitel.io/cloudlink".to_owned(),
        iat: now.timestamp(),
        exp: (now + lifetime).timestamp(),
    };
    let token = cloudlink.key.sign("HS256", &claims, 0);
    let body = json!({
        "token_type": "bearer",
        "expires_in": lifetime.num_seconds(),
        "access_token": token,
        "refresh_token": Uuid::new_v4(),
        "scope": "read write",
    });
    (StatusCode::OK, Some(body))
}
