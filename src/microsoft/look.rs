//! Looks that change nothing and use nobody's kept token: for the setup check.

use std::time::Duration;

use chrono::TimeDelta;
use reqwest::Method;
use serde::Deserialize;

use super::ask::Ask;
use super::codes::Area;
use super::wire::{SignInError, WhosePresence, presences};
use super::{Cause, Cloud, Connection, Microsoft, Refusal, Token, codes};
use crate::ids::{EntraUserId, TenantId};
use crate::kit::http::{self, Unread};

/// What Microsoft tells anybody of a tenant.
#[derive(Clone, Debug)]
pub struct Discovered {
    /// How far Microsoft's clock is ahead of ours, to the second; negative: behind.
    pub ahead: Option<TimeDelta>,
    pub outcome: Result<(), Refusal>,
}

/// What is read of a tenant's `OpenID` configuration.
#[derive(Deserialize)]
struct Configuration {
    #[serde(default)]
    msgraph_host: Option<String>,
}

const WAIT: Duration = Duration::from_secs(15);

impl Microsoft {
    /// Looks for a tenant where everybody may look: its `OpenID` configuration. No credentials go there.
    pub async fn discover(&self, cloud: Cloud, tenant: TenantId) -> Discovered {
        const LONGEST: usize = 64 * 1024;
        let login = self.login_url(cloud);
        let place = format!("{login}/{tenant}/v2.0/.well-known/openid-configuration");
        let answer = match self.0.lanes.of(()).get(place).timeout(WAIT).send().await {
            Ok(answer) => answer,
            Err(error) => {
                let refusal = Refusal::new(Cause::Unreachable, http::why(&error));
                return Discovered { ahead: None, outcome: Err(refusal) };
            }
        };
        let now = self.0.clock.now();
        let ahead = http::ahead(answer.headers(), now);
        let status = answer.status();
        let retry_after = http::retry_after(answer.headers(), now);
        let refused = |cause, detail: String| Refusal {
            status: Some(status.as_u16()),
            retry_after,
            ..Refusal::new(cause, detail)
        };
        let outcome = match http::read(answer, LONGEST).await {
            Err(Unread::Broken(why)) => Err(refused(Cause::Unreachable, why)),
            Err(Unread::TooLong) => {
                Err(refused(Cause::Garbled, "the answer is longer than any we expect".to_owned()))
            }
            Ok(body) if status.is_success() => match serde_json::from_slice(&body) {
                Ok(configuration) => in_this_cloud(cloud, &configuration)
                    .map_err(|host| refused(Cause::OtherCloud, format!("its Graph is {host}"))),
                Err(_) => Err(refused(Cause::Garbled, "the answer is of no use".to_owned())),
            },
            Ok(body) => {
                let error = SignInError::read(&body);
                let cause = match codes::of_sign_in(status.as_u16(), &error.error, &error.numbers) {
                    // Here nothing but the tenant was named.
                    Cause::SignInRefused if error.error == "invalid_tenant" => Cause::TenantUnknown,
                    cause => cause,
                };
                let number = error.numbers.first().map(|number| format!("AADSTS{number}"));
                let code = number.unwrap_or_else(|| format!("status {}", status.as_u16()));
                Err(refused(cause, format!("Microsoft answered {code}")))
            }
        };
        Discovered { ahead, outcome }
    }

    /// Whether presence can be read, with a token from [`Microsoft::sign_in`] and no other.
    pub async fn try_presence(
        &self,
        connection: &Connection,
        token: &Token,
        user: EntraUserId,
    ) -> Result<(), Refusal> {
        const LONGEST: usize = 64 * 1024;
        let url = self.graph(connection.cloud, "communications/getPresencesByUserId")?;
        let body = serde_json::to_vec(&WhosePresence { ids: &[user] })
            .map_err(|error| Refusal::new(Cause::Unexpected, error.to_string()))?;
        let (name, area, method) = ("presences", Area::Presences, Method::POST);
        let ask = Ask { name, area, method, url, body: Some(body), wait: WAIT };
        self.ask_with(connection, &ask, token).await.read(LONGEST, presences).await.map(|_| ())
    }
}

/// Whether the Graph that a tenant names belongs to this cloud; else its host. The two clouds of
/// the US government share a login, which may name either's.
fn in_this_cloud(cloud: Cloud, configuration: &Configuration) -> Result<(), String> {
    let Some(host) = &configuration.msgraph_host else { return Ok(()) };
    let known = Cloud::ALL.into_iter().find(|known| {
        known.graph().strip_prefix("https://").is_some_and(|its| its.eq_ignore_ascii_case(host))
    });
    match known {
        Some(known) if known.login() == cloud.login() => Ok(()),
        _ => Err(http::clean(host, 64)),
    }
}
