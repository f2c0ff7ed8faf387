//! Ids and secrets that are the same at every start.

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::ids::CloudlinkAccountId;
use crate::kit::secret::Secret;

/// A GUID that these words always give.
pub(super) fn guid(words: &[&str]) -> Uuid {
    let [bytes, _] = halves(words);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

pub(super) fn cloudlink_account(name: &str) -> CloudlinkAccountId {
    guid(&["cloudlink account", name])
        .to_string()
        .parse()
        .unwrap_or_else(|_| unreachable!("a GUID is letters, digits and hyphens"))
}

/// Nine digits, as CloudLink numbers its accounts.
pub(super) fn account_number(name: &str) -> String {
    let number = guid(&["account number", name]).as_u128() % 900_000_000;
    (number + 100_000_000).to_string()
}

/// Forty characters in the shape Entra gives a client secret.
pub(super) fn secret(name: &str) -> Secret {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789~-_.";
    let mut text = String::with_capacity(40);
    for part in ["first", "second"] {
        for byte in halves(&["secret", part, name]).concat() {
            let letter = ALPHABET.get(usize::from(byte) % ALPHABET.len()).copied();
            text.push(char::from(letter.unwrap_or(b'~')));
        }
    }
    text.truncate(40);
    text.replace_range(3..6, "8Q~");
    Secret::new(text)
}

/// A name as part of a domain: `St. Brigid's Hospice` is `st-brigids-hospice`.
pub(super) fn slug(name: &str) -> String {
    let kept = name.to_lowercase().replace(['\'', '.'], "").replace('&', " ");
    let words = kept.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}

fn halves(words: &[&str]) -> [[u8; 16]; 2] {
    let mut hasher = Sha256::new();
    for word in words {
        hasher.update(word.as_bytes());
        hasher.update([0]);
    }
    let mut halves = [[0; 16]; 2];
    for (place, byte) in halves.as_flattened_mut().iter_mut().zip(hasher.finalize()) {
        *place = byte;
    }
    halves
}
