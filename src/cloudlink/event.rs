//! What CloudLink's webhook says.
//!
//! The envelope is Mitel's and published; what a presence event holds inside is not, so
//! [`STATES`] is an assumption: the places where the state may stand, in the order we look.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::TOPIC;
use crate::ids::{CloudlinkAccountId, CloudlinkUserId, SubscriptionId};

/// A user's telephone has changed its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The same event delivered twice has the same one.
    pub publication_id: String,
    pub account: CloudlinkAccountId,
    pub user: CloudlinkUserId,
    /// As CloudLink spells it; none when the event names no state we can find.
    pub state: Option<String>,
    /// When the state was entered, by CloudLink's clock.
    pub at: DateTime<Utc>,
    pub subscription: Option<SubscriptionId>,
    pub correlation_id: Option<String>,
}

/// Why a body is not an event, in words for whoever sent it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub &'static str);

/// Where in `content` the state may stand, and its time beside it.
const STATES: [(&str, &str); 5] = [
    ("/presences/aggregate/status", "/presences/aggregate/enteredOn"),
    ("/aggregate/status", "/aggregate/enteredOn"),
    ("/status", "/enteredOn"),
    ("/state", "/enteredOn"),
    ("/presence", "/enteredOn"),
];

/// No state's name is longer, nor is any id that we keep.
const LONGEST: usize = 128;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    #[serde(default)]
    publication_id: Value,
    #[serde(default)]
    topic: Value,
    #[serde(default)]
    subject: Value,
    #[serde(default)]
    content: Value,
    #[serde(default)]
    publisher: Value,
    #[serde(default)]
    subscription: Value,
    #[serde(default)]
    notification: Value,
}

/// Reads one event, or an array of them.
///
/// Of an array, what is no event is left out; it is refused only when nothing in it is one.
pub fn parse(body: &[u8]) -> Result<Vec<Event>, Malformed> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if first != Some(&b'[') {
        let one: Wire = serde_json::from_slice(body).map_err(|error| {
            Malformed(if error.is_data() { "not a JSON object" } else { "not JSON" })
        })?;
        return one.event().map(|event| vec![event]);
    }
    let all: Vec<&RawValue> = serde_json::from_slice(body).map_err(|_| Malformed("not JSON"))?;
    let mut events = Vec::with_capacity(all.len());
    let mut first_complaint = None;
    for one in all {
        let one = serde_json::from_str::<Wire>(one.get());
        let one = one.map_err(|_| Malformed("not a JSON object"));
        match one.and_then(Wire::event) {
            Ok(event) => events.push(event),
            Err(complaint) => {
                tracing::debug!(reason = complaint.0, "left out what is no event");
                first_complaint.get_or_insert(complaint);
            }
        }
    }
    match first_complaint {
        Some(complaint) if events.is_empty() => Err(complaint),
        _ => Ok(events),
    }
}

impl Wire {
    fn event(self) -> Result<Event, Malformed> {
        if self.topic.as_str().is_some_and(|topic| topic != TOPIC) {
            return Err(Malformed("topic is not platform-api-presence"));
        }
        let subject = self.subject.as_str().ok_or(Malformed("subject is missing"))?;
        let user = subject.rsplit('/').next().unwrap_or_default();
        let account = self.publisher.get("accountId").and_then(Value::as_str);
        let account = account.ok_or(Malformed("publisher.accountId is missing"))?;
        let (state, beside) = self.state()?;
        let at = beside
            .or_else(|| self.notification.get("createdOn").and_then(time))
            .ok_or(Malformed("neither enteredOn nor notification.createdOn is a time"))?;
        let optional = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        Ok(Event {
            publication_id: plain(&self.publication_id)
                .ok_or(Malformed("publicationId is missing or not an id"))?,
            account: CloudlinkAccountId::parse(account)
                .map_err(|_| Malformed("publisher.accountId is not an id"))?,
            user: CloudlinkUserId::parse(user)
                .map_err(|_| Malformed("subject does not end in a user’s id"))?,
            state,
            at,
            subscription: optional(self.subscription.get("subscriptionId"))
                .and_then(|id| SubscriptionId::parse(&id).ok()),
            correlation_id: self.notification.get("correlationId").and_then(plain),
        })
    }

    /// The state at the first place that has one, and the time beside it.
    fn state(&self) -> Result<(Option<String>, Option<DateTime<Utc>>), Malformed> {
        for (place, beside) in STATES {
            let Some(state) = self.content.pointer(place).filter(|it| it.is_string()) else {
                continue;
            };
            let state = plain(state).ok_or(Malformed("the state is empty or too long"))?;
            return Ok((Some(state), self.content.pointer(beside).and_then(time)));
        }
        Ok((None, None))
    }
}

/// A text that can be kept and shown.
fn plain(value: &Value) -> Option<String> {
    let text = value.as_str()?.trim();
    let fits = !text.is_empty() && text.len() <= LONGEST && !text.contains(char::is_control);
    fits.then(|| text.to_owned())
}

/// A time in any of the ways in which Mitel's examples write one: RFC 3339, or milliseconds since
/// 1970, as a number or a text. What lies outside this century is a mistake and no time.
fn time(value: &Value) -> Option<DateTime<Utc>> {
    let time = match value {
        Value::String(text) => {
            let text = text.trim();
            match text.parse::<i64>() {
                Ok(number) => since_1970(number),
                Err(_) => DateTime::parse_from_rfc3339(text)
                    .ok()
                    .map(|time| time.to_utc())
                    // Without a zone it is UTC, as everything of Mitel's.
                    .or_else(|| {
                        DateTime::parse_from_rfc3339(&format!("{text}Z")).ok().map(Into::into)
                    }),
            }
        }
        Value::Number(number) => since_1970(number.as_i64()?),
        _ => None,
    }?;
    let century = 946_684_800..4_102_444_800;
    century.contains(&time.timestamp()).then_some(time)
}

/// Milliseconds, unless they would lie before 1973: then it is seconds.
fn since_1970(number: i64) -> Option<DateTime<Utc>> {
    if number < 100_000_000_000 {
        DateTime::from_timestamp(number, 0)
    } else {
        DateTime::from_timestamp_millis(number)
    }
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
