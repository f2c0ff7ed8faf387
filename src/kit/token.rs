//! Unguessable tokens: handed out once, kept only as digests.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::secret::Secret;

/// What the database keeps of a token: enough to recognise it, not to make it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, sqlx::Type)]
#[sqlx(transparent)]
pub struct TokenDigest(Vec<u8>);

/// A new token: 256 random bits, as 43 characters that need no escaping in a URL.
pub fn random() -> Secret {
    Secret::new(URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()))
}

pub fn digest(token: &str) -> TokenDigest {
    TokenDigest(Sha256::digest(token.as_bytes()).to_vec())
}
