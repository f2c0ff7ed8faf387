//! Microsoft's JSON, read as if anything could stand in it.
//!
//! What we do not know is passed over; what we know, but find in another shape, counts as absent.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::{Next, TeamsPresence, User, UserChanges};
use crate::ids::{ClientId, EntraUserId};
use crate::kit::http::clean;
use crate::kit::secret::Secret;

/// The session that `setPresence` makes or renews.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SetPresence<'a> {
    pub session_id: ClientId,
    pub availability: &'a str,
    pub activity: &'a str,
    pub expiration_duration: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClearPresence {
    pub session_id: ClientId,
}

#[derive(Serialize)]
pub(super) struct WhosePresence<'a> {
    pub ids: &'a [EntraUserId],
}

#[derive(Deserialize)]
pub(super) struct TokenAnswer {
    pub access_token: Secret,
    #[serde(default, deserialize_with = "seconds")]
    pub expires_in: Option<u32>,
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Number(number) => number.as_u64().and_then(|seconds| u32::try_from(seconds).ok()),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    })
}

/// How the token endpoint refuses.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SignInError {
    pub error: String,
    /// AADSTS numbers, as they stand in `error_codes`, else as the description names them.
    pub numbers: Vec<u32>,
    pub trace_id: Option<String>,
}

impl SignInError {
    pub(super) fn read(body: &[u8]) -> Self {
        let Ok(body) = serde_json::from_slice::<Value>(body) else { return Self::default() };
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let mut numbers: Vec<u32> = match body.get("error_codes") {
            Some(Value::Array(codes)) => codes.iter().filter_map(number).collect(),
            _ => Vec::new(),
        };
        if numbers.is_empty() {
            numbers = text("error_description").map(aadsts_numbers).unwrap_or_default();
        }
        Self {
            error: clean(text("error").unwrap_or_default(), 64),
            numbers,
            trace_id: text("trace_id").map(|id| clean(id, 64)),
        }
    }
}

fn number(value: &Value) -> Option<u32> {
    match value {
        Value::Number(number) => u32::try_from(number.as_u64()?).ok(),
        Value::String(text) => text.trim_start_matches("AADSTS").parse().ok(),
        _ => None,
    }
}

/// Every `AADSTS` number in a text, in order.
fn aadsts_numbers(text: &str) -> Vec<u32> {
    text.split("AADSTS")
        .skip(1)
        .filter_map(|rest| {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            rest.get(..digits)?.parse().ok()
        })
        .collect()
}

/// How Graph refuses: its codes from the outermost to the innermost, and the request's id.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct GraphError {
    pub codes: Vec<String>,
    pub request_id: Option<String>,
}

impl GraphError {
    pub(super) fn read(body: &[u8]) -> Self {
        const DEEPEST: usize = 8;
        let Ok(body) = serde_json::from_slice::<Value>(body) else { return Self::default() };
        let mut read = Self::default();
        let mut level = body.get("error");
        while let Some(error) = level
            && read.codes.len() < DEEPEST
        {
            let code = error.get("code").and_then(Value::as_str).unwrap_or_default();
            read.codes.push(clean(code, 64));
            if let Some(id) = error.get("request-id").and_then(Value::as_str) {
                read.request_id = Some(clean(id, 64));
            }
            level = error.get("innerError").or_else(|| error.get("innererror"));
        }
        read
    }

    /// The code that says most: the outermost that says anything, as Microsoft documents those.
    pub(super) fn code(&self) -> Option<String> {
        self.codes.iter().find(|code| !code.is_empty()).cloned()
    }
}

/// A collection as Graph sends it.
#[derive(Deserialize)]
struct Collection {
    value: Vec<Value>,
    #[serde(rename = "@odata.nextLink")]
    next_link: Option<String>,
    #[serde(rename = "@odata.deltaLink")]
    delta_link: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireUser {
    id: EntraUserId,
    #[serde(default, deserialize_with = "said")]
    user_principal_name: Option<String>,
    #[serde(default, deserialize_with = "said")]
    mail: Option<String>,
    #[serde(default, deserialize_with = "addresses")]
    proxy_addresses: Option<Vec<String>>,
    #[serde(default, deserialize_with = "said")]
    display_name: Option<String>,
    #[serde(default, deserialize_with = "yes_or_no")]
    account_enabled: Option<bool>,
    #[serde(default, deserialize_with = "guest")]
    user_type: Option<bool>,
    #[serde(rename = "@removed", default)]
    removed: Option<Value>,
}

/// A text that was said; one said to be null is empty.
fn said<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) if text.len() <= 256 && !text.contains(char::is_control) => Some(text),
        Value::String(text) => Some(clean(&text, 256)),
        Value::Null => Some(String::new()),
        _ => None,
    })
}

fn yes_or_no<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Bool(yes) => Some(yes),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    })
}

/// `Guest` or `Member`. Users from before there were guests have neither, and are members.
fn guest<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => Some(text.eq_ignore_ascii_case("guest")),
        _ => None,
    })
}

fn addresses<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Array(all) => Some(all.iter().filter_map(Value::as_str).filter_map(smtp).collect()),
        Value::Null => Some(Vec::new()),
        _ => None,
    })
}

/// The address in `SMTP:Ann@example.com`; nothing in other kinds of address.
fn smtp(proxy_address: &str) -> Option<String> {
    let (kind, address) = proxy_address.split_once(':')?;
    let usable = kind.eq_ignore_ascii_case("smtp") && address.len() <= 256;
    (usable && !address.contains(char::is_control)).then(|| address.to_lowercase())
}

/// Reads a page of users. `Err`: it is not one, and why.
pub(super) fn users(body: &[u8]) -> Result<Vec<User>, String> {
    read_users(&collection(body)?.value).map(|(users, _)| users)
}

/// Reads a page of changes. `Err`: it is not one, and why.
pub(super) fn changes(body: &[u8]) -> Result<UserChanges, String> {
    let page = collection(body)?;
    let next = match (page.next_link, page.delta_link) {
        (Some(next), _) => Next::Page(next),
        (None, Some(delta)) => Next::Done(delta),
        (None, None) => return Err("a page of changes leads nowhere".to_owned()),
    };
    let (users, removed) = read_users(&page.value)?;
    Ok(UserChanges { users, removed, next })
}

fn collection(body: &[u8]) -> Result<Collection, String> {
    serde_json::from_slice(body).map_err(|error| {
        let kind = if error.is_eof() { "it is cut short" } else { "it is not the JSON we expect" };
        format!("{kind}, at line {} column {}", error.line(), error.column())
    })
}

fn read_users(values: &[Value]) -> Result<(Vec<User>, Vec<EntraUserId>), String> {
    let mut users = Vec::with_capacity(values.len());
    let mut removed = Vec::new();
    for value in values {
        // A user without a proper id is nobody we could ever name again.
        let Ok(user) = WireUser::deserialize(value) else { continue };
        if user.removed.is_some() {
            removed.push(user.id);
        } else {
            users.push(User {
                id: user.id,
                user_principal_name: user.user_principal_name,
                mail: user.mail,
                proxy_addresses: user.proxy_addresses,
                display_name: user.display_name,
                enabled: user.account_enabled,
                guest: user.user_type,
            });
        }
    }
    if users.is_empty() && removed.is_empty() && !values.is_empty() {
        return Err("nobody in it has an id".to_owned());
    }
    Ok((users, removed))
}

/// Reads what Teams shows. `Err`: it is not an answer to that, and why.
pub(super) fn presences(body: &[u8]) -> Result<Vec<TeamsPresence>, String> {
    let presence = |value: &Value| {
        let text = |name: &str| clean(value.get(name).and_then(Value::as_str).unwrap_or(""), 64);
        let away = value.pointer("/outOfOfficeSettings/isOutOfOffice").and_then(Value::as_bool);
        Some(TeamsPresence {
            user: value.get("id")?.as_str()?.parse().ok()?,
            availability: text("availability"),
            activity: text("activity"),
            out_of_office: away.unwrap_or(false),
        })
    };
    Ok(collection(body)?.value.iter().filter_map(presence).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn numbers(body: &Value) -> Vec<u32> {
        SignInError::read(body.to_string().as_bytes()).numbers
    }

    #[test]
    fn numbers_stand_in_a_list_or_in_the_text() {
        assert_eq!(numbers(&json!({"error_codes": [7_000_215]})), [7_000_215]);
        assert_eq!(numbers(&json!({"error_codes": ["AADSTS90002", "1", true]})), [90_002, 1]);
        let told =
            json!({"error_codes": [], "error_description": "AADSTS53003: x AADSTS: AADSTS1"});
        assert_eq!(numbers(&told), [53_003, 1]);
        assert_eq!(numbers(&json!({"error_codes": "7000215"})), [0; 0]);
        assert_eq!(numbers(&json!({"error_codes": [-1, 1e30, 99_999_999_999_u64]})), [0; 0]);
    }

    #[test]
    fn codes_are_read_to_the_innermost() {
        let error = json!({"error": {"code": "", "innerError": {
            "code": "outer", "request-id": "r", "innererror": {"code": "inner"}}}});
        let read = GraphError::read(error.to_string().as_bytes());
        assert_eq!(read.codes, ["", "outer", "inner"]);
        assert_eq!((read.code(), read.request_id), (Some("outer".into()), Some("r".into())));
        assert_eq!(GraphError::read(b"{\"error\":\"text\"}").codes, [""]);
        assert_eq!(GraphError::read(b"<html>"), GraphError::default());
    }

    #[test]
    fn a_page_of_strangers_is_no_page() {
        let page = |value: Value| users(json!({ "value": value }).to_string().as_bytes());
        assert_eq!(page(json!([])).unwrap(), []);
        assert!(page(json!([{"id": 7}, "x"])).is_err());
        let odd = json!([{"id": "33333333-3333-4333-8333-333333333333", "mail": 7,
            "accountEnabled": "False", "displayName": "A\u{0}nn", "proxyAddresses": ["a", 7]}]);
        let odd = page(odd).unwrap().remove(0);
        assert_eq!((odd.mail, odd.enabled), (None, Some(false)));
        assert_eq!(odd.display_name.as_deref(), Some("A nn"), "Postgres keeps no NUL");
        assert_eq!(odd.proxy_addresses, Some(Vec::new()));
    }

    proptest! {
        #[test]
        fn every_number_in_a_text_is_found(all in prop::collection::vec(any::<u32>(), 0..5), between in "[a-z :\r\n]{1,9}") {
            let texts: Vec<_> = all.iter().map(|it| format!("{between}AADSTS{it}{between}")).collect();
            let text = texts.concat();
            prop_assert_eq!(aadsts_numbers(&text), all);
        }

        #[test]
        fn no_bytes_can_break_the_reading(bytes: Vec<u8>, text in "\\PC{0,60}") {
            for body in [bytes, format!("{{\"error\":{text}}}").into_bytes(), format!("AADSTS{text}").into()] {
                let _ = SignInError::read(&body);
                let _ = GraphError::read(&body);
                let _ = (users(&body), changes(&body), presences(&body));
            }
            let _ = aadsts_numbers(&format!("AADSTS{text}AADSTS"));
        }
    }
}
