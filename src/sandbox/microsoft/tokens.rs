//! Access tokens as Entra makes them for an application.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::jwt::{SigningKey, Unverified};
use crate::ids::{ClientId, TenantId};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) aud: String,
    pub(super) iss: String,
    pub(super) iat: i64,
    pub(super) nbf: i64,
    pub(super) exp: i64,
    pub(super) app_displayname: String,
    pub(super) appid: ClientId,
    pub(super) idtyp: String,
    /// Absent when nothing is granted, as Entra leaves it out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) roles: Vec<String>,
    pub(super) tid: TenantId,
    /// Not Entra's: the key that was signed in with, for the books of the sandbox.
    pub(super) sandbox_key: Uuid,
    pub(super) ver: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadToken {
    Missing,
    Malformed,
    Expired,
}

/// An opaque token is one in which nobody finds claims.
pub(super) fn sign(claims: &Claims, key: &SigningKey, generation: u32, opaque: bool) -> String {
    let token = key.sign("RS256", claims, generation);
    if opaque { URL_SAFE_NO_PAD.encode(token) } else { token }
}

/// Reads a token as far as its claims, without believing them yet.
pub(super) fn read(token: &str) -> Result<Unverified<Claims>, BadToken> {
    let plain = if token.contains('.') {
        Some(token.to_owned())
    } else {
        URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok())
    };
    plain.and_then(|token| Unverified::read(&token)).ok_or(BadToken::Malformed)
}

pub(super) fn verify(
    token: Unverified<Claims>,
    key: &SigningKey,
    generation: u32,
    now: DateTime<Utc>,
) -> Result<Claims, BadToken> {
    if !key.signed(&token, generation) {
        return Err(BadToken::Malformed);
    }
    if token.claims.exp <= now.timestamp() { Err(BadToken::Expired) } else { Ok(token.claims) }
}
