//! Who did what, when, from where. Written in the transaction of the change itself.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use sqlx::PgConnection;

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

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

pub async fn note(
    tx: &mut PgConnection,
    actor: &Actor,
    entry: Entry<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let (account, account_name) = entry.account.unzip();
    sqlx::query!(
        r#"
        INSERT INTO activity
            (at, staff_id, actor, address, account_id, account_name, action, summary, changes)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        "#,
        now,
        actor.staff as Option<StaffId>,
        actor.name,
        actor.address,
        account as Option<AccountId>,
        account_name,
        entry.action,
        entry.summary,
        Value::Object(entry.changes.0),
    )
    .execute(tx)
    .await?;
    Ok(())
}
