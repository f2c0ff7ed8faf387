//! Client assertions: verified against the certificates that were uploaded, as Entra does.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;
use x509_cert::Certificate;
use x509_cert::der::{Decode, DecodePem};

use super::apps::Registration;
use super::sign_in::Aadsts;
use crate::ids::ClientId;
use crate::kit::text::hex;

/// Clocks may differ by so much.
const SKEW: TimeDelta = TimeDelta::minutes(5);

/// A certificate as the directory keeps it.
#[derive(Clone, Debug)]
pub struct KeptCertificate {
    /// The key's id.
    pub id: Uuid,
    /// SHA-256 of it, as assertions name it.
    pub digest: String,
    /// SHA-1 of it, as people see it.
    pub thumbprint: String,
    pub from: DateTime<Utc>,
    pub until: DateTime<Utc>,
    public_key: Vec<u8>,
}

impl KeptCertificate {
    /// Reads what was uploaded: PEM, or DER in base64. None: it is no certificate.
    pub(in crate::sandbox) fn read(text: &str) -> Option<Self> {
        let read = Certificate::from_pem(text.trim().as_bytes()).ok();
        let read = read.or_else(|| {
            let der = STANDARD.decode(text.split_whitespace().collect::<String>()).ok()?;
            Certificate::from_der(&der).ok()
        })?;
        let der = x509_cert::der::Encode::to_der(&read).ok()?;
        let tbs = read.tbs_certificate();
        let at = |time: x509_cert::time::Time| {
            let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok()?;
            DateTime::from_timestamp(seconds, 0)
        };
        let sha1 = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, &der);
        Some(Self {
            id: Uuid::new_v4(),
            digest: URL_SAFE_NO_PAD.encode(Sha256::digest(&der)),
            thumbprint: hex(sha1.as_ref()),
            from: at(tbs.validity().not_before)?,
            until: at(tbs.validity().not_after)?,
            public_key: tbs.subject_public_key_info().subject_public_key.raw_bytes().to_vec(),
        })
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(rename = "x5t#S256")]
    digest: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    aud: String,
    iss: String,
    sub: String,
    jti: String,
    nbf: Option<i64>,
    exp: i64,
}

/// The id of the key with which `app` proved itself to `endpoint`.
pub(super) fn verify(
    app: &Registration,
    client: ClientId,
    assertion: &str,
    endpoint: &str,
    now: DateTime<Utc>,
) -> Result<Uuid, Aadsts> {
    let malformed =
        || Aadsts::new(50_027, "invalid_request", 400, "JWT token is invalid or malformed.");
    let (signed, signature) = assertion.rsplit_once('.').ok_or_else(malformed)?;
    let (header, claims) = signed.split_once('.').ok_or_else(malformed)?;
    let header: Header = part(header).ok_or_else(malformed)?;
    let claims: Claims = part(claims).ok_or_else(malformed)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| malformed())?;
    let algorithm: &dyn VerificationAlgorithm = match header.alg.as_str() {
        "PS256" => &RSA_PSS_2048_8192_SHA256,
        "RS256" => &RSA_PKCS1_2048_8192_SHA256,
        _ => return Err(malformed()),
    };
    let digest = header.digest.filter(|_| !claims.jti.is_empty()).ok_or_else(malformed)?;
    let key = app.certificates.iter().find(|kept| kept.digest == digest).ok_or_else(|| {
        bad_signature(&format!(
            "The key was not found., Thumbprint of key used by client: '{digest}', Please visit the \
             Azure Portal, Graph Explorer or directly use MS Graph to see configured keys for app Id \
             '{client}'."
        ))
    })?;
    if key.until <= now {
        return Err(bad_signature(&format!(
            "The key used is expired., Thumbprint of key used by client: '{digest}', Found key \
             'Start={}, End={}'.",
            key.from.format("%m/%d/%Y %H:%M:%S"),
            key.until.format("%m/%d/%Y %H:%M:%S"),
        )));
    }
    UnparsedPublicKey::new(algorithm, &key.public_key)
        .verify(signed.as_bytes(), &signature)
        .map_err(|_| bad_signature("Client assertion failed signature validation."))?;
    if claims.iss != client.to_string() || claims.sub != claims.iss {
        let text = "Client assertion application identifier doesn't match 'client_id' parameter.";
        return Err(Aadsts::new(700_021, "invalid_client", 401, text));
    }
    if claims.aud != endpoint {
        let text = "Client assertion audience claim does not match Realm issuer.";
        return Err(Aadsts::new(700_023, "invalid_client", 401, text));
    }
    let (from, until) = (claims.nbf.unwrap_or(0), claims.exp);
    if from > (now + SKEW).timestamp() || until <= (now - SKEW).timestamp() {
        let text = "Client assertion is not within its valid time range. Verify that your system's clock is accurate.";
        return Err(Aadsts::new(700_024, "invalid_client", 401, text));
    }
    Ok(key.id)
}

fn part<T: serde::de::DeserializeOwned>(text: &str) -> Option<T> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    serde_json::from_slice::<Value>(&bytes).ok().and_then(|it| serde_json::from_value(it).ok())
}

fn bad_signature(reason: &str) -> Aadsts {
    let text = format!("Client assertion contains an invalid signature. [Reason - {reason}]");
    Aadsts::new(700_027, "invalid_client", 401, text)
}
