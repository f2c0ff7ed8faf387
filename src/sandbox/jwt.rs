//! Tokens in the shape of a JWT, signed so that only this sandbox takes them back.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// Signs tokens for as long as the sandbox runs; those of an earlier start are refused.
#[derive(Clone, Copy)]
pub(super) struct SigningKey([u8; 32]);

/// A token that was read, and is not believed yet.
pub(super) struct Unverified<T> {
    pub(super) claims: T,
    signed: String,
    signature: String,
}

impl SigningKey {
    pub(super) fn random() -> Self {
        Self(rand::random())
    }

    /// `generation` is part of the signature: a later one no longer takes this token.
    pub(super) fn sign(&self, algorithm: &str, claims: &impl Serialize, generation: u32) -> String {
        let header = json!({"typ": "JWT", "alg": algorithm, "kid": "sandbox"}).to_string();
        let claims = serde_json::to_vec(claims).unwrap_or_default();
        let signed =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = self.signature(&signed, generation);
        format!("{signed}.{signature}")
    }

    pub(super) fn signed<T>(&self, token: &Unverified<T>, generation: u32) -> bool {
        self.signature(&token.signed, generation) == token.signature
    }

    fn signature(&self, signed: &str, generation: u32) -> String {
        let mut hasher = Sha256::new();
        hasher.update(self.0);
        hasher.update(generation.to_be_bytes());
        hasher.update(signed.as_bytes());
        URL_SAFE_NO_PAD.encode(hasher.finalize())
    }
}

impl<T: DeserializeOwned> Unverified<T> {
    pub(super) fn read(token: &str) -> Option<Self> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (_, claims) = signed.split_once('.')?;
        let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
        Some(Self {
            claims: serde_json::from_slice(&claims).ok()?,
            signed: signed.to_owned(),
            signature: signature.to_owned(),
        })
    }
}
