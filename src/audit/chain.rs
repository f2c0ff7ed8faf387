//! What shows that somebody meddled with Activity.
//!
//! Every entry gets a seal: a code over itself and the seal before it, under a key that the master
//! key seals. Entries are sealed within seconds of being written, one after another, so whoever
//! writes waits for nobody; the page shows them at once.
//!
//! What it proves: whoever has the database but not the master key can change, remove, insert or
//! reorder no sealed entry, the newest included, without `presence-portal check` saying where.
//! What it does not: an entry that is changed before it is sealed; and a whole older copy put in
//! the place of the database, for that is what its own end says it is. Against the latter, keep
//! what `check` prints somewhere else, and hand it to the next one.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use uuid::Uuid;

use crate::kit::secret::Secret;

/// For whom the chain's key is sealed.
pub const OWNER: &str = "activity";

pub type Seal = [u8; 32];

/// Before the first entry.
pub const BEGINNING: Seal = [0; 32];

/// An entry as it stands in the database, every column of it.
#[derive(Clone, Debug)]
pub struct Written {
    pub id: i64,
    pub at: DateTime<Utc>,
    pub staff_id: Option<Uuid>,
    pub actor: String,
    pub address: String,
    pub account_id: Option<Uuid>,
    pub account_name: Option<String>,
    pub action: String,
    pub summary: String,
    pub changes: Value,
}

/// What seals the entries of one database.
pub struct Chain(Hmac<Sha256>);

impl Chain {
    pub fn new(key: &Secret) -> anyhow::Result<Self> {
        Ok(Self(Hmac::new_from_slice(key.reveal().as_bytes())?))
    }

    /// The seal of the entry that comes after the one sealed with `before`.
    pub fn seal(&self, before: &Seal, entry: &Written) -> Seal {
        let changes = entry.changes.to_string();
        let texts: [&[u8]; 10] = [
            &entry.id.to_be_bytes(),
            &entry.at.timestamp_micros().to_be_bytes(),
            entry.staff_id.as_ref().map_or(&[], |id| id.as_bytes()),
            entry.actor.as_bytes(),
            entry.address.as_bytes(),
            entry.account_id.as_ref().map_or(&[], |id| id.as_bytes()),
            entry.account_name.as_deref().unwrap_or_default().as_bytes(),
            entry.action.as_bytes(),
            entry.summary.as_bytes(),
            changes.as_bytes(),
        ];
        let mut code = self.0.clone();
        code.update(b"entry");
        code.update(before);
        for text in texts {
            // With its length, so that no text can pass for the end of one and the start of the next.
            code.update(&(text.len() as u64).to_be_bytes());
            code.update(text);
        }
        code.finalize().into_bytes().into()
    }

    /// The mark of the end: an older end put back needs its own, which nobody kept.
    pub fn mark(&self, seq: i64, seal: &Seal) -> Seal {
        let mut code = self.0.clone();
        code.update(b"end");
        code.update(&seq.to_be_bytes());
        code.update(seal);
        code.finalize().into_bytes().into()
    }
}

/// The place of an entry in the chain and the head of its seal: to be kept elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    pub seq: i64,
    pub seal: String,
}

impl Anchor {
    pub fn of(seq: i64, seal: &Seal) -> Self {
        let head = seal.iter().take(8).fold(0_u64, |head, byte| (head << 8) | u64::from(*byte));
        Self { seq, seal: format!("{head:016x}") }
    }
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, self.seal)
    }
}

#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("write it as check printed it, such as 412:9f86d081884c7d65")]
pub struct NotAnAnchor;

impl FromStr for Anchor {
    type Err = NotAnAnchor;

    fn from_str(text: &str) -> Result<Self, NotAnAnchor> {
        let (seq, seal) = text.trim().split_once(':').ok_or(NotAnAnchor)?;
        let seq = seq.parse().ok().filter(|seq| *seq > 0).ok_or(NotAnAnchor)?;
        let is_seal = seal.len() == 16 && seal.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_seal { Ok(Self { seq, seal: seal.to_lowercase() }) } else { Err(NotAnAnchor) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(id: i64, actor: &str, address: &str) -> Written {
        Written {
            id,
            at: DateTime::UNIX_EPOCH,
            staff_id: None,
            actor: actor.to_owned(),
            address: address.to_owned(),
            account_id: None,
            account_name: None,
            action: "account.changed".to_owned(),
            summary: "Changed.".to_owned(),
            changes: Value::Null,
        }
    }

    proptest! {
        #[test]
        fn no_two_entries_have_one_seal(
            one in ("[ab]{0,3}", "[ab]{0,3}", 0_i64..3), other in ("[ab]{0,3}", "[ab]{0,3}", 0_i64..3),
        ) {
            let chain = Chain::new(&Secret::new("key")).unwrap();
            let sealed = |(actor, address, id): &(String, String, i64)| {
                chain.seal(&BEGINNING, &entry(*id, actor, address))
            };
            prop_assert_eq!(sealed(&one) == sealed(&other), one == other);
        }
    }

    #[test]
    fn a_seal_hangs_on_the_one_before_and_on_the_key() {
        let (ours, theirs) = (
            Chain::new(&Secret::new("ours")).unwrap(),
            Chain::new(&Secret::new("theirs")).unwrap(),
        );
        let entry = entry(1, "ann", "");
        let seal = ours.seal(&BEGINNING, &entry);
        assert_ne!(seal, ours.seal(&seal, &entry));
        assert_ne!(seal, theirs.seal(&BEGINNING, &entry));
        assert_ne!(ours.mark(1, &seal), ours.mark(2, &seal));
    }

    #[test]
    fn an_anchor_is_read_as_it_is_printed() {
        let anchor = Anchor::of(412, &[0x9f; 32]);
        assert_eq!(anchor.to_string(), "412:9f9f9f9f9f9f9f9f");
        assert_eq!(anchor.to_string().parse::<Anchor>().unwrap(), anchor);
        for wrong in
            ["", "412", "0:9f9f9f9f9f9f9f9f", "x:9f9f9f9f9f9f9f9f", "1:9f", "1:zzzzzzzzzzzzzzzz"]
        {
            assert!(wrong.parse::<Anchor>().is_err(), "{wrong}");
        }
    }
}
