//! Who did what, when, from where. Written in the transaction of the change itself.

pub mod chain;
mod store;

use std::net::IpAddr;

use serde_json::{Map, Value, json};

pub use store::seals;
pub use store::{Record, Wanted, note, note_each, records};

use crate::ids::{AccountId, StaffId};
use crate::kit::email::Email;

/// Whoever did it.
#[derive(Clone, Debug)]
pub struct Actor {
    staff: Option<StaffId>,
    name: String,
    address: String,
}

impl Actor {
    pub fn staff(staff: StaffId, email: &Email, address: IpAddr) -> Self {
        Self { staff: Some(staff), name: email.to_string(), address: address.to_string() }
    }

    /// Somebody who is not signed in, as they named themselves.
    pub fn stranger(email: &str, address: IpAddr) -> Self {
        Self { staff: None, name: email.to_owned(), address: address.to_string() }
    }

    /// Whoever asked for work that is done later, as [`Actor::parts`] gave them.
    pub fn of_parts(staff: Option<StaffId>, name: String, address: String) -> Self {
        Self { staff, name, address }
    }

    pub fn parts(&self) -> (Option<StaffId>, &str, &str) {
        (self.staff, &self.name, &self.address)
    }

    /// As whom they are written down.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The portal itself.
    pub fn portal() -> Self {
        Self { staff: None, name: "portal".to_owned(), address: String::new() }
    }

    /// Somebody at the command line of this machine.
    pub fn command_line() -> Self {
        Self { staff: None, name: "command line".to_owned(), address: String::new() }
    }
}

/// What was done. The summary is one sentence, and neither it nor a change holds a secret.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// Such as `account.created`.
    pub action: &'static str,
    pub summary: String,
    pub account: Option<(AccountId, &'a str)>,
    pub changes: Changes,
}

/// Fields whose value changed, with the old and the new one.
#[derive(Clone, Debug, Default)]
pub struct Changes(Map<String, Value>);

impl Changes {
    /// Notes `field` if its value changed.
    #[must_use]
    pub fn field(mut self, field: &str, old: impl Into<Value>, new: impl Into<Value>) -> Self {
        let (old, new) = (old.into(), new.into());
        if old != new {
            self.0.insert(field.to_owned(), json!({ "old": old, "new": new }));
        }
        self
    }

    /// As they were written down.
    fn read(value: Value) -> Self {
        match value {
            Value::Object(fields) => Self(fields),
            _ => Self::default(),
        }
    }

    /// Each field that changed, its old value and its new one, in words.
    pub fn in_words(&self) -> Vec<(String, String, String)> {
        let of = |change: &Value, which| words(change.get(which).unwrap_or(&Value::Null));
        self.0
            .iter()
            .map(|(field, change)| (field.clone(), of(change, "old"), of(change, "new")))
            .collect()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn words(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) if text.is_empty() => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "nothing".to_owned(),
        Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
