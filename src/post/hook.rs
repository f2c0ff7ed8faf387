//! Webhooks: where one may lead, and handing a body over.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::Client;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use url::{Host, Url};

use super::address::{PublicOnly, Spared, is_public, leads_inside};
use super::{Refused, Taken};
use crate::config::HookHosts;
use crate::kit::http::{clean, http_client_with, proxy_hosts, read, retry_after, why};
use crate::kit::secret::Secret;

const LONGEST: Duration = Duration::from_secs(10);
const LONGEST_URL: usize = 2000;
/// As much of an answer as a person wants to read.
const SHOWN: usize = 160;
const MOST_READ: usize = 16 * 1024;

/// Hands bodies to webhooks. It follows no redirect, and finds no way into the network it
/// stands in, but to the hosts it was told of.
#[derive(Clone)]
pub struct Hooks {
    client: Client,
    hosts: HookHosts,
    /// Then a proxy looks the names up, past our resolver.
    behind_one: bool,
}

#[derive(Debug)]
struct Known {
    hosts: HookHosts,
    proxies: Vec<String>,
}

impl Spared for Known {
    fn spares(&self, host: &str) -> bool {
        self.hosts.names(host) || self.proxies.iter().any(|proxy| proxy == host)
    }
}

/// Where a webhook leads. The path of many is a password, so it is shown to nobody.
#[derive(Clone)]
pub struct HookUrl(Url);

impl std::fmt::Debug for HookUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HookUrl({}…)", self.shown())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAHook {
    #[error("Paste the webhook’s URL.")]
    Empty,
    #[error("That is not a URL. It begins with https://.")]
    Malformed,
    #[error("A webhook has to begin with https://, or what is sent could be read on the way.")]
    NotHttps,
    #[error("Leave user and password out of the URL: the signature says who sends.")]
    HasUser,
    #[error(
        "That leads into a private network, where webhooks may not go. PORTAL_WEBHOOK_HOSTS can allow the host."
    )]
    Inside,
}

impl HookUrl {
    pub fn secret(&self) -> Secret {
        Secret::new(self.0.as_str())
    }

    /// What may be shown: where it leads, without its path.
    pub fn shown(&self) -> String {
        self.0.origin().ascii_serialization()
    }
}

impl Hooks {
    pub fn new(hosts: HookHosts) -> anyhow::Result<Self> {
        let proxies = proxy_hosts();
        let behind_one = !proxies.is_empty();
        let known = Known { hosts: hosts.clone(), proxies };
        let resolver = Arc::new(PublicOnly { spared: Arc::new(known) });
        let client = http_client_with(|builder| {
            builder.dns_resolver(Arc::clone(&resolver)).timeout(LONGEST)
        })?;
        Ok(Self { client, hosts, behind_one })
    }

    /// Reads what somebody typed. Names are looked up only when something is sent.
    pub fn parse(&self, text: &Secret) -> Result<HookUrl, NotAHook> {
        let text = text.reveal().trim();
        if text.is_empty() {
            return Err(NotAHook::Empty);
        }
        let mut url = Some(text)
            .filter(|text| text.len() <= LONGEST_URL)
            .and_then(|text| Url::parse(text).ok())
            .ok_or(NotAHook::Malformed)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(NotAHook::Malformed);
        }
        url.set_fragment(None);
        let host = url.host_str().map(str::to_owned).ok_or(NotAHook::Malformed)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(NotAHook::HasUser);
        }
        let port = url.port_or_known_default().ok_or(NotAHook::Malformed)?;
        if self.hosts.holds(&host, port) {
            return Ok(HookUrl(url));
        }
        let inside = match url.host() {
            Some(Host::Ipv4(ip)) => !is_public(ip.into()),
            Some(Host::Ipv6(ip)) => !is_public(ip.into()),
            Some(Host::Domain(name)) => {
                let name = name.trim_end_matches('.');
                name == "localhost" || name.ends_with(".localhost")
            }
            None => true,
        };
        match (inside, url.scheme()) {
            (true, _) => Err(NotAHook::Inside),
            (false, "https") => Ok(HookUrl(url)),
            (false, _) => Err(NotAHook::NotHttps),
        }
    }

    /// Hands over a JSON body. 2xx is taken, anything else is not.
    pub async fn send(
        &self,
        url: &HookUrl,
        mut headers: HeaderMap,
        body: Vec<u8>,
        now: DateTime<Utc>,
    ) -> Result<Taken, Refused> {
        // What was allowed when it was entered may not be any more.
        self.parse(&url.secret()).map_err(|refused| Refused::lasting(refused.to_string()))?;
        let host = url.0.host_str().unwrap_or_default();
        if self.behind_one && !self.hosts.names(host) && leads_inside(host).await {
            return Err(Refused::lasting(NotAHook::Inside.to_string()));
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let sent = self.client.post(url.0.clone()).headers(headers).body(body).send().await;
        let response = sent.map_err(|error| Refused::passing(why(&error)))?;
        let status = response.status();
        let retry_after = retry_after(response.headers(), now);
        let said = read(response, MOST_READ).await.unwrap_or_default();
        let answer = in_words(status, &said);
        if status.is_success() {
            return Ok(Taken { answer });
        }
        let lasting = !(status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429));
        let answer = if status.is_redirection() {
            format!("{answer}: redirects are not followed, enter the address it leads to")
        } else {
            answer
        };
        Err(Refused { answer, lasting, retry_after })
    }
}

/// `404 Not Found: no_service`, so far as the other side speaks in words.
fn in_words(status: reqwest::StatusCode, body: &[u8]) -> String {
    let status = match status.canonical_reason() {
        Some(reason) => format!("{} {reason}", status.as_u16()),
        None => status.as_u16().to_string(),
    };
    let said = std::str::from_utf8(body).unwrap_or_default().trim();
    let is_page = said.starts_with('<');
    if said.is_empty() || is_page { status } else { format!("{status}: {}", clean(said, SHOWN)) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hooks() -> Hooks {
        Hooks::new(HookHosts::of([("chat.internal".to_owned(), Some(8443))])).unwrap()
    }

    fn refusal(text: &str) -> Option<NotAHook> {
        hooks().parse(&Secret::new(text)).err()
    }

    #[test]
    fn a_webhook_leads_out_by_https_or_to_a_host_that_was_allowed() {
        assert_eq!(refusal("https://hooks.slack.com/services/T0/B0/x"), None);
        assert_eq!(refusal("https://8.8.8.8/x"), None);
        assert_eq!(refusal("http://chat.internal:8443/hooks/1"), None);
        assert_eq!(refusal("http://chat.internal/hooks/1"), Some(NotAHook::NotHttps));
        assert_eq!(refusal("http://hooks.slack.com/x"), Some(NotAHook::NotHttps));
        assert_eq!(refusal("https://user:pw@example.com/"), Some(NotAHook::HasUser));
        for inside in [
            "https://127.0.0.1/",
            "https://localhost:9/",
            "https://[::1]/",
            "https://169.254.169.254/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://a.localhost./",
            "https://10.0.0.8/",
        ] {
            assert_eq!(refusal(inside), Some(NotAHook::Inside), "{inside}");
        }
        for wrong in ["ftp://example.com/", "hooks.slack.com", "https://", "file:///etc/passwd"] {
            assert_eq!(refusal(wrong), Some(NotAHook::Malformed), "{wrong}");
        }
    }

    #[test]
    fn the_secret_part_of_a_webhook_is_never_shown() {
        let url = hooks().parse(&Secret::new("https://hooks.slack.com/services/s3cret")).unwrap();
        assert_eq!(url.shown(), "https://hooks.slack.com");
        assert!(!format!("{url:?}").contains("s3cret"));
    }

    proptest! {
        #[test]
        fn whatever_is_typed_is_taken_or_complained_of(text in any::<String>()) {
            let _ = hooks().parse(&Secret::new(text));
        }
    }
}
