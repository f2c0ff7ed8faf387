//! The signature a receiver knows us by, as the Standard Webhooks specification has it: HMAC-SHA256
//! over id, time and body, so that there are libraries to check it in every language.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::ids::MessageId;
use crate::kit::secret::Secret;

const PREFIX: &str = "whsec_";

/// A new key, as its receiver enters it: `whsec_` and 32 random bytes in base64.
pub fn new_key() -> Secret {
    Secret::new(format!("{PREFIX}{}", STANDARD.encode(rand::random::<[u8; 32]>())))
}

/// The header `webhook-signature`.
pub fn signature(
    key: &Secret,
    id: MessageId,
    at: DateTime<Utc>,
    body: &[u8],
) -> anyhow::Result<String> {
    let bytes = key.reveal().strip_prefix(PREFIX).unwrap_or_default();
    let bytes = STANDARD.decode(bytes).map_err(|_| anyhow::anyhow!("a signing key is base64"))?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&bytes)?;
    mac.update(format!("{id}.{}.", at.timestamp()).as_bytes());
    mac.update(body);
    Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The figures are those of an independent reckoning (Python's hmac).
    #[test]
    fn a_signature_is_what_the_specification_says() {
        let key = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let id = "0190163d-8694-739b-aea5-966c26f8ad90".parse().unwrap();
        let at = DateTime::from_timestamp(1_614_265_330, 0).unwrap();
        let made = signature(&key, id, at, br#"{"test": 2432232314}"#).unwrap();
        assert_eq!(made, "v1,1WzrcKiuZeSRzN0D0oR1yUHAm1M8Uhu2i6rZmwKLdpg=");
    }
}
