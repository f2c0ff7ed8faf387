//! The one HTTP client for everything outside, and how to read what comes back.

use std::error::Error as _;
use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use reqwest::{Client, ClientBuilder, NoProxy, Proxy, Response};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use url::Url;

/// Opens the client that every outside call shares.
///
/// It follows no redirect, so that a bearer goes nowhere but where it was sent; it gives every
/// request a time-out; and it speaks HTTP/2 wherever the server does. Certificates are checked
/// against the system's authorities, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name; on a
/// system that has none, against Mozilla's as they were when we were built.
pub fn http_client() -> anyhow::Result<Client> {
    http_client_with(|builder| builder)
}

/// The same, with more said of how it goes about it.
pub fn http_client_with(more: impl Fn(ClientBuilder) -> ClientBuilder) -> anyhow::Result<Client> {
    // Somebody else may have installed one already, which is as good.
    let _ = ring::default_provider().install_default();
    if let Ok(client) = more(builder()?).build() {
        return Ok(client);
    }
    // The client does not say what it lacks; in practice it is the authorities.
    let named = ["SSL_CERT_FILE", "SSL_CERT_DIR"].iter().any(|it| std::env::var_os(it).is_some());
    let authorities = if named {
        // Whoever chose authorities wants no others; plain http works without any.
        tracing::warn!(
            "no certificate authority where SSL_CERT_FILE and SSL_CERT_DIR point to: no https address will be trusted"
        );
        RootCertStore::empty()
    } else {
        tracing::info!("the system has no certificate authorities: using those built in");
        built_in_authorities()
    };
    more(builder()?)
        .tls_backend_preconfigured(trusting(authorities))
        .build()
        .context("could not set up the HTTP client")
}

fn builder() -> anyhow::Result<ClientBuilder> {
    let client = Client::builder()
        .user_agent(concat!("presence-portal/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(5))
        .timeout(Duration::from_secs(30))
        // Below the minute after which common servers hang up: a request must not meet a closing door.
        .pool_idle_timeout(Duration::from_secs(50))
        // A dead HTTP/2 connection would otherwise swallow every request until the kernel notices.
        .http2_keep_alive_interval(Duration::from_secs(20))
        .http2_keep_alive_timeout(Duration::from_secs(10))
        .http2_adaptive_window(true);
    proxies().map(|proxies| proxies.into_iter().fold(client.no_proxy(), ClientBuilder::proxy))
}

/// The proxies that the environment names, by the usual names; never for this machine itself,
/// or the sandbox could not be reached from behind one.
fn proxies() -> anyhow::Result<Vec<Proxy>> {
    let spared = format!("{},localhost,127.0.0.0/8,::1", setting("no_proxy").unwrap_or_default());
    let mut proxies = Vec::new();
    let mut add = |name: &str, proxy: fn(String) -> reqwest::Result<Proxy>| {
        let Some(address) = setting(name) else { return anyhow::Ok(()) };
        // The address may carry a password: the complaint names the setting only.
        let proxy = proxy(address).map_err(|_| anyhow::anyhow!("{name} is not a proxy’s URL"))?;
        proxies.push(proxy.no_proxy(NoProxy::from_string(&spared)));
        Ok(())
    };
    add("https_proxy", Proxy::https)?;
    add("http_proxy", Proxy::http)?;
    add("all_proxy", Proxy::all)?;
    Ok(proxies)
}

fn setting(name: &str) -> Option<String> {
    [name.to_lowercase(), name.to_uppercase()]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.trim().is_empty())
}

/// The hosts of those proxies: whoever looks at where connections lead lets these pass.
pub fn proxy_hosts() -> Vec<String> {
    let host = |name| {
        let address = setting(name)?;
        let url = if address.contains("://") { address } else { format!("http://{address}") };
        Url::parse(&url).ok()?.host_str().map(str::to_lowercase)
    };
    ["https_proxy", "http_proxy", "all_proxy"].into_iter().filter_map(host).collect()
}

fn built_in_authorities() -> RootCertStore {
    RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
}

fn trusting(authorities: RootCertStore) -> ClientConfig {
    let mut config =
        ClientConfig::builder().with_root_certificates(authorities).with_no_client_auth();
    config.alpn_protocols = vec!["h2".into(), "http/1.1".into()];
    config
}

/// Why an answer could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread {
    /// The connection broke or the time ran out.
    Broken(String),
    TooLong,
}

/// Reads a body, as long as it keeps to the limit.
pub async fn read(mut response: Response, limit: usize) -> Result<Vec<u8>, Unread> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > limit => return Err(Unread::TooLong),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(error) => return Err(Unread::Broken(why(&error))),
        }
    }
}

/// Why a request had no answer, on one line, without the address that was asked.
pub fn why(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        let what = if error.is_connect() { "no connection in time" } else { "no answer in time" };
        return what.to_owned();
    }
    // The outermost text holds the URL; the innermost says what happened.
    let mut cause = error.source();
    let mut text = String::from("the request failed");
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    clean(&text, 200)
}

/// How long a server asks us to wait: seconds, of which fractions count as whole, or a date.
pub fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    const LONGEST: Duration = Duration::from_hours(24);
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        let seconds = seconds.is_finite().then(|| seconds.ceil().max(0.0))?;
        return Some(Duration::try_from_secs_f64(seconds).map_or(LONGEST, |it| it.min(LONGEST)));
    }
    let until = DateTime::parse_from_rfc2822(text).ok()?.to_utc();
    // A date that is over asks for nothing more.
    Some((until - now).to_std().unwrap_or_default().min(LONGEST))
}

/// How far the clock of whoever answered is ahead of ours, to the second; negative: behind.
pub fn ahead(headers: &HeaderMap, now: DateTime<Utc>) -> Option<TimeDelta> {
    let theirs = DateTime::parse_from_rfc2822(headers.get(DATE)?.to_str().ok()?.trim()).ok()?;
    Some(TimeDelta::seconds((theirs.to_utc() - now).num_seconds()))
}

/// A header's value, when it is short and plain enough to keep and to show.
pub fn header(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?.trim();
    (!text.is_empty()).then(|| clean(text, 128))
}

/// Somebody else's text, cut short and on one line.
pub fn clean(text: &str, longest: usize) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(longest).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reqwest::header::HeaderValue;

    use super::*;

    fn asked(text: &str) -> Option<Duration> {
        let now = "1994-11-06T08:49:00Z".parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_bytes(text.as_bytes()).unwrap());
        retry_after(&headers, now)
    }

    #[test]
    fn waiting_is_understood_in_seconds_and_as_a_date() {
        assert_eq!(asked("10"), Some(Duration::from_secs(10)));
        assert_eq!(asked("2.128"), Some(Duration::from_secs(3)));
        assert_eq!(asked(" 0 "), Some(Duration::ZERO));
        assert_eq!(asked("-5"), Some(Duration::ZERO));
        assert_eq!(asked("1e300"), Some(Duration::from_hours(24)));
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::from_secs(37)));
        assert_eq!(asked("Sun, 06 Nov 1994 08:40:37 GMT"), Some(Duration::ZERO));
        assert_eq!(asked("soon"), None);
        assert_eq!(asked("NaN"), None);
    }

    #[test]
    fn a_machine_without_authorities_gets_those_we_were_built_with() {
        let _ = ring::default_provider().install_default();
        for authorities in [built_in_authorities(), RootCertStore::empty()] {
            let client = builder().unwrap().tls_backend_preconfigured(trusting(authorities));
            assert!(client.build().is_ok());
        }
    }

    proptest! {
        #[test]
        fn no_header_makes_us_wait_more_than_a_day(text in "[ -~]{0,40}") {
            prop_assert!(asked(&text).is_none_or(|wait| wait <= Duration::from_hours(24)));
        }

        #[test]
        fn a_fraction_of_a_second_is_a_whole_one(seconds in 0_u32..80_000, part in 1_u32..1000) {
            let wait = asked(&format!("{seconds}.{part:03}"));
            prop_assert_eq!(wait, Some(Duration::from_secs(u64::from(seconds) + 1)));
        }
    }
}
