//! CloudLink's JSON, read as if anything could stand in it.
//!
//! Numbers and booleans come as texts at times; what we know, but find in another shape, is empty.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{Account, Subscription, User};
use crate::ids::{CloudlinkAccountId, CloudlinkUserId, SubscriptionId};
use crate::kit::http::clean;
use crate::kit::secret::Secret;

/// A standing order for the presence of a whole account, as Mitel's staff describe it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Subscribe<'a> {
    pub application_id: Uuid,
    pub device_id: &'a str,
    pub transport: &'a str,
    pub topic: &'a str,
    pub subject_filter: &'a str,
    pub method_filter: &'a str,
}

/// One page of a collection, and the link to the next as it was written.
#[derive(Debug, PartialEq)]
pub(super) struct Page {
    pub items: Vec<Value>,
    pub next: Option<String>,
}

#[derive(Default, Deserialize)]
struct Envelope {
    #[serde(default, rename = "_links")]
    links: Value,
    #[serde(default, rename = "_embedded")]
    embedded: Embedded,
}

#[derive(Default)]
struct Embedded(Vec<Value>);

impl<'de> Deserialize<'de> for Embedded {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut embedded = Value::deserialize(deserializer)?;
        Ok(match embedded.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) => Self(items),
            _ => Self::default(),
        })
    }
}

/// Reads a page. `Err`: it is not one, and why.
pub(super) fn page(body: &[u8]) -> Result<Page, String> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if first != Some(&b'{') {
        return Err("it is not a JSON object".to_owned());
    }
    let page: Envelope = serde_json::from_slice(body).map_err(|error| {
        let kind = if error.is_eof() { "it is cut short" } else { "it is not the JSON we expect" };
        format!("{kind}, at line {} column {}", error.line(), error.column())
    })?;
    let next = page.links.get("next");
    // HAL writes a link as an object; CloudLink writes a text.
    let next = next.and_then(|next| next.as_str().or_else(|| next.get("href")?.as_str()));
    let next = next.filter(|next| !next.is_empty()).map(str::to_owned);
    Ok(Page { items: page.embedded.0, next })
}

/// A text, or a number written as one; anything else is empty.
fn text(value: &Value, name: &str) -> String {
    match value.pointer(name) {
        Some(Value::String(text)) => clean(text.trim(), 256),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

fn first_text(value: &Value, names: &[&str]) -> String {
    names.iter().map(|name| text(value, name)).find(|text| !text.is_empty()).unwrap_or_default()
}

/// An account; none when it has no id by which it could be asked for.
pub(super) fn account(value: &Value) -> Option<Account> {
    let contacts = value.get("contacts").and_then(Value::as_array);
    let emails = contacts.into_iter().flatten().map(|contact| text(contact, "/email"));
    Some(Account {
        id: CloudlinkAccountId::parse(&text(value, "/accountId")).ok()?,
        number: text(value, "/accountNumber"),
        name: text(value, "/name"),
        active: !matches!(text(value, "/active").as_str(), "false" | "False")
            && value.get("active") != Some(&Value::Bool(false)),
        country: text(value, "/location/address/country"),
        address: text(value, "/location/address/street"),
        city: text(value, "/location/address/city"),
        postal_code: text(value, "/location/address/zipCode"),
        language: text(value, "/languageCode"),
        support_emails: emails.filter(|email| !email.is_empty()).collect(),
    })
}

/// A user; none when it has no id by which an event could name it.
pub(super) fn user(value: &Value) -> Option<User> {
    let id = CloudlinkUserId::parse(&text(value, "/userId")).ok()?;
    let whole = format!("{} {}", text(value, "/firstName"), text(value, "/lastName"));
    let name = first_text(value, &["/name", "/displayName"]);
    Some(User {
        id,
        name: if name.is_empty() { whole.trim().to_owned() } else { name },
        email: text(value, "/email"),
        extension: text(value, "/extension"),
    })
}

/// A subscription; none when it has no id by which it could be ended.
pub(super) fn subscription(value: &Value) -> Option<Subscription> {
    Some(Subscription {
        id: SubscriptionId::parse(&first_text(value, &["/subscriptionId", "/id"])).ok()?,
        hook: Secret::new(value.get("deviceId").and_then(Value::as_str).unwrap_or_default()),
        topic: text(value, "/topic"),
        application: text(value, "/applicationId").parse().ok(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_page_may_lack_anything_but_its_braces() {
        let read = |value: Value| page(value.to_string().as_bytes());
        assert_eq!(read(json!({})).unwrap(), Page { items: Vec::new(), next: None });
        assert_eq!(
            read(json!({"count": 0, "_embedded": null})).unwrap().items,
            Vec::<Value>::new()
        );
        let full = read(json!({
            "count": "2",
            "_links": {"self": "/a", "next": "/b"},
            "_embedded": {"items": [1, 2]},
        }));
        assert_eq!(
            full.unwrap(),
            Page { items: vec![json!(1), json!(2)], next: Some("/b".into()) }
        );
        let hal = read(json!({"_links": {"next": {"href": "/c"}}})).unwrap();
        assert_eq!(hal.next.as_deref(), Some("/c"));
        assert!(page(b"<html>").is_err());
        assert!(page(b"[]").is_err());
        assert_eq!(
            page(b"{\"_embedded\": {\"it").unwrap_err(),
            "it is cut short, at line 1 column 18"
        );
    }

    #[test]
    fn an_account_is_read_whatever_its_shape() {
        let account = account(&json!({
            "accountId": "a-1", "accountNumber": 327_410_625, "name": "Acme", "active": "false",
            "location": {"address": {"street": "1 High St", "zipCode": "AB1"}},
            "contacts": [{"email": "help@acme.example"}, {"name": "nobody"}, 7],
        }))
        .unwrap();
        assert_eq!((account.number.as_str(), account.active), ("327410625", false));
        assert_eq!(account.support_emails, ["help@acme.example"]);
        assert_eq!((account.address.as_str(), account.city.as_str()), ("1 High St", ""));
        assert!(super::account(&json!({"name": "without an id"})).is_none());
    }

    #[test]
    fn a_user_has_the_first_name_that_is_there() {
        let user = user(&json!({"userId": "u", "firstName": "Ann", "lastName": "Lee"})).unwrap();
        assert_eq!((user.name.as_str(), user.email.as_str()), ("Ann Lee", ""));
        let extension = super::user(&json!({"userId": "u", "name": "A", "extension": 2001}));
        assert_eq!(extension.unwrap().extension, "2001");
    }

    #[test]
    fn where_events_go_is_not_printed() {
        let hook = "https://portal.example.com/hooks/cloudlink/key";
        let kept = subscription(&json!({"subscriptionId": "s", "deviceId": hook})).unwrap();
        assert_eq!(kept.hook.reveal(), hook);
        assert!(!format!("{kept:?}").contains("key"));
    }

    proptest! {
        #[test]
        fn no_bytes_can_break_the_reading(bytes: Vec<u8>, text in "\\PC{0,80}") {
            let _ = page(&bytes);
            let _ = page(format!("{{\"_links\":{text},\"_embedded\":{{}}}}").as_bytes());
        }
    }
}
