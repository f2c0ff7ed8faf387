//! The app registration itself, for whoever was granted `Application.Read.All`: when the keys end.

use chrono::{DateTime, Utc};
use reqwest::Method;
use serde_json::Value;

use super::ask::Ask;
use super::codes::Area;
use super::{Connection, Credential, Microsoft, Refusal, Token};

/// A client secret as Entra lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppKey {
    /// The first three characters of its value.
    pub hint: String,
    pub ends_at: DateTime<Utc>,
}

/// The client secrets of an app registration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppKeys(pub Vec<AppKey>);

impl AppKeys {
    /// When the secret of `credential` ends. Of several that could be it, the first to end: so
    /// nobody is reminded too late.
    pub fn end_of(&self, credential: &Credential) -> Option<DateTime<Utc>> {
        let Credential::Secret(secret) = credential else { return None };
        let hinted = |key: &&AppKey| key.hint.len() >= 3 && secret.reveal().starts_with(&key.hint);
        self.0.iter().filter(hinted).map(|key| key.ends_at).min()
    }
}

impl Microsoft {
    /// The keys of the connection's own app registration, asked for with `token`.
    ///
    /// For tokens that may ([`Token::reads_applications`]); others are refused.
    pub async fn app_keys(
        &self,
        connection: &Connection,
        token: &Token,
    ) -> Result<AppKeys, Refusal> {
        const LONGEST: usize = 1024 * 1024;
        let path = format!(
            "applications(appId='{}')?$select=id,appId,passwordCredentials",
            connection.client
        );
        let ask = Ask {
            name: "application",
            area: Area::Directory,
            method: Method::GET,
            url: self.graph(connection.cloud, &path)?,
            body: None,
            wait: std::time::Duration::from_secs(10),
        };
        self.ask_with(connection, &ask, token).await.read(LONGEST, read).await
    }
}

/// `Err`: it is no app registration, and why. A key that makes no sense is passed over.
fn read(body: &[u8]) -> Result<AppKeys, String> {
    let body: Value = serde_json::from_slice(body).map_err(|_| "it is not JSON".to_owned())?;
    let Some(Value::Array(keys)) = body.get("passwordCredentials") else {
        return Err("it does not list the client secrets".to_owned());
    };
    let key = |value: &Value| {
        let text = |name| value.get(name).and_then(Value::as_str);
        let ends_at = DateTime::parse_from_rfc3339(text("endDateTime")?).ok()?.to_utc();
        Some(AppKey { hint: text("hint").unwrap_or_default().to_owned(), ends_at })
    };
    Ok(AppKeys(keys.iter().filter_map(key).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::secret::Secret;

    fn key(hint: &str, day: u32) -> AppKey {
        let ends_at = DateTime::from_timestamp(i64::from(day) * 86_400, 0).unwrap();
        AppKey { hint: hint.to_owned(), ends_at }
    }

    #[test]
    fn a_secret_is_known_by_its_first_letters() {
        let keys = AppKeys(vec![key("abc", 9), key("xyz", 1), key("abc", 5), key("", 2)]);
        let end = |text: &str| keys.end_of(&Credential::Secret(Secret::new(text)));
        assert_eq!(end("abc8Q~rest").map(|at| at.timestamp() / 86_400), Some(5));
        assert_eq!(end("Abc8Q~rest"), None);
        assert_eq!(end("ab"), None);
    }

    #[test]
    fn keys_are_read_as_far_as_they_make_sense() {
        let body = br#"{"passwordCredentials":[{"hint":"abc","endDateTime":"2027-01-01T00:00:00Z"},
            {"hint":null,"endDateTime":"2027-01-02T00:00:00.123Z"},{"endDateTime":"never"},7]}"#;
        assert_eq!(read(body).unwrap().0.len(), 2);
        assert!(read(b"[]").is_err() && read(b"<html>").is_err());
    }
}
