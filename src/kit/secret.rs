//! Secrets: unprintable in memory, sealed at rest.

use anyhow::{Context, anyhow, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use secrecy::{ExposeSecret, SecretString};

const NONCE_BYTES: usize = 24;

/// A secret text in memory.
///
/// It cannot be displayed, serialised or compared, and its memory is wiped
/// when dropped. [`Secret::reveal`] is the only way to the text, so a search
/// for that word finds every place a secret is used.
#[derive(Clone, Debug, Default)]
pub struct Secret(SecretString);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into().into())
    }

    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }

    pub fn is_empty(&self) -> bool {
        self.reveal().is_empty()
    }
}

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// A secret as it lies in the database: of no use without the key, or in another row.
#[derive(Clone, Debug, sqlx::Type)]
#[sqlx(transparent)]
pub struct Sealed(Vec<u8>);

/// The 32 bytes that open every sealed secret.
#[derive(Clone)]
pub struct MasterKey([u8; 32]);

impl MasterKey {
    /// Reads a key from its base64 text. The complaint never repeats the text.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| anyhow!("it is not base64"))?;
        let bytes = <[u8; 32]>::try_from(bytes.as_slice())
            .map_err(|_| anyhow!("it holds {} bytes instead of 32", bytes.len()))?;
        Ok(Self(bytes))
    }

    pub fn random() -> Self {
        Self(rand::random())
    }

    /// The key as text, for the file it is kept in.
    pub fn reveal(&self) -> String {
        STANDARD.encode(self.0)
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// Seals and opens, with the key inside.
#[derive(Clone)]
pub struct Sealer(XChaCha20Poly1305);

impl Sealer {
    pub fn new(key: &MasterKey) -> Self {
        Self(XChaCha20Poly1305::new(&key.0.into()))
    }

    /// Seals `secret` for the row called `owner`: moved to another row, it will not open.
    pub fn seal(&self, owner: &str, secret: &Secret) -> anyhow::Result<Sealed> {
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let payload = Payload { msg: secret.reveal().as_bytes(), aad: owner.as_bytes() };
        let cipher = self
            .0
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| anyhow!("could not seal the secret of {owner}"))?;
        Ok(Sealed([&nonce[..], &cipher].concat()))
    }

    /// Opens what was sealed for `owner` with this key.
    pub fn open(&self, owner: &str, sealed: &Sealed) -> anyhow::Result<Secret> {
        ensure!(sealed.0.len() > NONCE_BYTES, "the sealed secret of {owner} is cut short");
        let (nonce, cipher) = sealed.0.split_at(NONCE_BYTES);
        let nonce = <[u8; NONCE_BYTES]>::try_from(nonce).context("a nonce is 24 bytes")?;
        let payload = Payload { msg: cipher, aad: owner.as_bytes() };
        let text = self.0.decrypt(&XNonce::from(nonce), payload).map_err(|_| {
            anyhow!("the secret of {owner} does not open: another master key, or another row")
        })?;
        Ok(Secret::new(String::from_utf8(text).context("a sealed secret is text")?))
    }

    /// The same secret for the same row, sealed with another key.
    pub fn reseal(&self, new: &Self, owner: &str, sealed: &Sealed) -> anyhow::Result<Sealed> {
        new.seal(owner, &self.open(owner, sealed)?)
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_only_for_its_own_row_and_key() {
        let ours = Sealer::new(&MasterKey::random());
        let kept = ours.seal("connection/1", &Secret::new("s3cret")).unwrap();
        assert_eq!(ours.open("connection/1", &kept).unwrap().reveal(), "s3cret");
        assert!(ours.open("connection/2", &kept).is_err());
        assert!(Sealer::new(&MasterKey::random()).open("connection/1", &kept).is_err());
    }

    #[test]
    fn nothing_of_a_secret_is_printed() {
        let printed = format!("{:?}", Secret::new("s3cret"));
        assert!(!printed.contains("s3cret"), "{printed}");
    }
}
