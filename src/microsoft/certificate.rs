//! A certificate of our own in place of a client secret: made here, uploaded to Entra by a person,
//! and proved with signed assertions. Its private key never leaves the database unsealed.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, anyhow};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PSS_SHA256, RsaKeyPair};
use rsa::PrivateKey;
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::EncodePrivateKey;
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;
use x509_cert::Certificate as X509;
use x509_cert::TbsCertificate;
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{self, Builder, CertificateBuilder};
use x509_cert::der::asn1::UtcTime;
use x509_cert::der::pem::LineEnding;
use x509_cert::der::{Decode, Encode, EncodePem};
use x509_cert::ext::pkix::{KeyUsage, KeyUsages};
use x509_cert::ext::{Extension, ToExtension};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{SubjectPublicKeyInfo, SubjectPublicKeyInfoRef};
use x509_cert::time::{Time, Validity};

use crate::ids::ClientId;
use crate::kit::secret::Secret;
use crate::kit::text::hex;

/// Entra takes RSA only, and of at least so many bits.
const BITS: usize = 2048;
/// An assertion is used at once; Entra allows ten minutes.
const ASSERTION_LASTS: TimeDelta = TimeDelta::minutes(5);
/// Clocks differ: a certificate is valid from a little before it was made.
const BEFORE: TimeDelta = TimeDelta::minutes(10);

/// A certificate with its private key.
#[derive(Clone)]
pub struct Certificate {
    /// What is uploaded: anybody may see it.
    pub shown: Shown,
    /// PKCS #8, in base64.
    key: Secret,
}

/// A certificate without its private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    der: Vec<u8>,
    pub ends_at: DateTime<Utc>,
}

impl Shown {
    pub fn read(der: Vec<u8>) -> anyhow::Result<Self> {
        let read = X509::from_der(&der).map_err(|error| anyhow!("not a certificate: {error}"))?;
        let ends = read.tbs_certificate().validity().not_after.to_unix_duration();
        let ends_at =
            i64::try_from(ends.as_secs()).ok().and_then(|s| DateTime::from_timestamp(s, 0));
        Ok(Self { der, ends_at: ends_at.context("a certificate that never ends")? })
    }

    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// As text, the way Entra takes it.
    pub fn pem(&self) -> anyhow::Result<String> {
        let read = X509::from_der(&self.der).map_err(|error| anyhow!("{error}"))?;
        read.to_pem(LineEnding::LF).map_err(|error| anyhow!("{error}"))
    }

    /// As Entra lists it, so that people can tell one from another: SHA-1, in capitals.
    ///
    /// Only ever shown; nothing is trusted by it.
    pub fn thumbprint(&self) -> String {
        let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, &self.der);
        hex(digest.as_ref())
    }
}

impl Certificate {
    /// Makes a key pair, and a certificate for it. Searching for primes takes a while: not for
    /// the threads that serve.
    pub fn make(for_whom: &str, now: DateTime<Utc>, lasts: TimeDelta) -> anyhow::Result<Self> {
        let key = PrivateKey::new(&mut rand::rng(), BITS).context("no key could be made")?;
        let kept = Secret::new(STANDARD.encode(key.to_pkcs8_der()?.as_bytes()));
        let signer = SigningKey::<Sha256>::new(key.clone());
        let public = SubjectPublicKeyInfo::from_key(&key.to_public_key())?;
        let validity = Validity::new(time(now - BEFORE)?, time(now + lasts)?);
        let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ' ');
        let name: String = for_whom.chars().filter(plain).take(60).collect();
        let name = Name::from_str(&format!("CN={}", name.trim()))?;
        let serial = SerialNumber::new(Uuid::new_v4().as_bytes())?;
        let builder = CertificateBuilder::new(OfItself(name), serial, validity, public)?;
        let made = builder.build(&signer)?;
        Ok(Self { shown: Shown::read(made.to_der()?)?, key: kept })
    }

    /// Puts the two halves together again.
    pub fn of(der: Vec<u8>, key: Secret) -> anyhow::Result<Self> {
        Ok(Self { shown: Shown::read(der)?, key })
    }

    /// What is to be sealed.
    pub fn private_key(&self) -> &Secret {
        &self.key
    }

    /// Proves to `audience`, the token endpoint, that `client` holds the private key.
    pub(super) fn assertion(
        &self,
        client: ClientId,
        audience: &str,
        now: DateTime<Utc>,
    ) -> anyhow::Result<Secret> {
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(self.shown.der()));
        let header = json!({"alg": "PS256", "typ": "JWT", "x5t#S256": digest});
        let claims = json!({
            "aud": audience,
            "iss": client,
            "sub": client,
            "jti": Uuid::new_v4(),
            "nbf": now.timestamp(),
            "iat": now.timestamp(),
            "exp": (now + ASSERTION_LASTS).timestamp(),
        });
        let signed = format!("{}.{}", part(header), part(claims));
        let key = STANDARD.decode(self.key.reveal()).context("a private key is base64")?;
        let key = RsaKeyPair::from_pkcs8(&key).map_err(|error| anyhow!("private key: {error}"))?;
        let mut signature = vec![0; key.public().modulus_len()];
        key.sign(&RSA_PSS_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| anyhow!("the assertion could not be signed"))?;
        Ok(Secret::new(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("ends_at", &self.shown.ends_at).finish_non_exhaustive()
    }
}

/// Signed by its own key, and good for signing only.
struct OfItself(Name);

impl BuilderProfile for OfItself {
    fn get_issuer(&self, subject: &Name) -> Name {
        subject.clone()
    }

    fn get_subject(&self) -> Name {
        self.0.clone()
    }

    fn build_extensions(
        &self,
        _: SubjectPublicKeyInfoRef<'_>,
        _: SubjectPublicKeyInfoRef<'_>,
        tbs: &TbsCertificate,
    ) -> builder::Result<Vec<Extension>> {
        let signing = KeyUsage(KeyUsages::DigitalSignature.into());
        Ok(vec![(&signing).to_extension(tbs.subject(), &[])?])
    }
}

fn time(at: DateTime<Utc>) -> anyhow::Result<Time> {
    let seconds = u64::try_from(at.timestamp()).context("a time before 1970")?;
    Ok(Time::UtcTime(UtcTime::from_unix_duration(Duration::from_secs(seconds))?))
}

#[cfg(test)]
mod tests {
    use ring::signature::{RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;

    #[test]
    fn an_assertion_is_signed_with_the_key_of_the_certificate_that_is_uploaded() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let made = Certificate::make("portal.example, O=x", now, TimeDelta::days(365)).unwrap();
        let shown = Shown::read(made.shown.der().to_vec()).unwrap();
        assert_eq!(shown.ends_at, now + TimeDelta::days(365));
        let pem = shown.pem().unwrap();
        assert!(pem.starts_with("-----BEGIN CERTIFICATE-----") && !pem.contains("PRIVATE"));
        assert_eq!(shown.thumbprint().len(), 40);
        assert!(!format!("{made:?}").contains(made.private_key().reveal()));

        let kept = Certificate::of(shown.der().to_vec(), made.private_key().clone()).unwrap();
        let assertion = kept.assertion(Uuid::nil().into(), "https://login/token", now).unwrap();
        let (signed, signature) = assertion.reveal().rsplit_once('.').unwrap();
        let x509 = X509::from_der(shown.der()).unwrap();
        let public = x509.tbs_certificate().subject_public_key_info();
        let key = UnparsedPublicKey::new(
            &RSA_PSS_2048_8192_SHA256,
            public.subject_public_key.raw_bytes(),
        );
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        assert!(key.verify(signed.as_bytes(), &signature).is_ok());
        assert!(key.verify(b"something else", &signature).is_err());
    }
}
