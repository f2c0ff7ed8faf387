//! One request to CloudLink: where it goes, who it says we are, and how a refusal is understood.

use std::sync::atomic::Ordering;

use reqwest::header::{AUTHORIZATION, HeaderName};
use reqwest::{RequestBuilder, StatusCode};
use serde::Serialize;
use url::Url;

use super::{Cause, Cloudlink, Refusal};
use crate::config::CloudlinkCredentials;
use crate::ids::CloudlinkAccountId;
use crate::kit::http::{self, Unread};

/// What is asked, for metrics and logs, and in which account.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    pub name: &'static str,
    pub account: &'a CloudlinkAccountId,
}

impl<'a> Ask<'a> {
    pub(super) fn new(name: &'static str, account: &'a CloudlinkAccountId) -> Self {
        Self { name, account }
    }
}

pub(super) enum Verb<'a, T> {
    Get,
    Post(&'a T),
    Delete,
}

static MITEL_APP: HeaderName = HeaderName::from_static("x-mitel-app");
static CORRELATION_ID: HeaderName = HeaderName::from_static("x-mitel-correlation-id");

impl Cloudlink {
    pub(super) fn credentials(&self) -> Result<&CloudlinkCredentials, Refusal> {
        self.0.settings.credentials.as_ref().ok_or_else(|| {
            Refusal::new(Cause::NotConfigured, "the settings name no CloudLink credentials")
        })
    }

    /// A place in one of CloudLink's services.
    pub(super) fn place(&self, service: &str, path: &str) -> Result<Url, Refusal> {
        let base = self.0.settings.url.replace("{service}", service);
        Url::parse(&format!("{}{path}", base.trim_end_matches('/')))
            .map_err(|error| Refusal::new(Cause::Unexpected, error.to_string()))
    }

    /// Asks with the account's token, and once more with a new one when it is not accepted.
    pub(super) async fn ask<T: Serialize + Sync>(
        &self,
        ask: Ask<'_>,
        verb: Verb<'_, T>,
        url: &Url,
        longest: usize,
    ) -> Result<Vec<u8>, Refusal> {
        let request = |bearer| {
            let request = match &verb {
                Verb::Get => self.0.http.get(url.clone()),
                Verb::Post(body) => self.0.http.post(url.clone()).json(body),
                Verb::Delete => self.0.http.delete(url.clone()),
            };
            request.header(AUTHORIZATION, bearer)
        };
        let bearer = self.token(ask.account).await?;
        let answer = self.send(&ask, request(bearer.clone()), longest).await;
        if !answer.as_ref().is_err_and(|refusal| refusal.status == Some(401)) {
            return answer;
        }
        self.forget_this_token(ask.account, &bearer);
        let bearer = self.token(ask.account).await?;
        self.send(&ask, request(bearer), longest).await
    }

    /// Sends a request as it is, and gives the body of an answer that is no refusal.
    pub(super) async fn send(
        &self,
        ask: &Ask<'_>,
        request: RequestBuilder,
        longest: usize,
    ) -> Result<Vec<u8>, Refusal> {
        let outcome = self.sent(request, longest).await;
        let result = outcome.as_ref().map_or_else(|refusal| refusal.cause.key(), |_| "ok");
        metrics::counter!("cloudlink_requests_total", "call" => ask.name, "result" => result)
            .increment(1);
        if let Err(refusal) = &outcome {
            tracing::info!(
                cloudlink.account.id = %ask.account,
                call = ask.name,
                cause = result,
                status = refusal.status,
                correlation.id = refusal.correlation_id,
                "CloudLink refused"
            );
        }
        outcome
    }

    async fn sent(&self, request: RequestBuilder, longest: usize) -> Result<Vec<u8>, Refusal> {
        let request = request.header(&MITEL_APP, self.0.app.clone());
        let answer = request
            .send()
            .await
            .map_err(|error| Refusal::new(Cause::Unreachable, http::why(&error)))?;
        let status = answer.status();
        let correlation_id = http::header(answer.headers(), &CORRELATION_ID);
        let now = self.0.clock.now();
        let retry_after = http::retry_after(answer.headers(), now);
        if let Some(ahead) = http::ahead(answer.headers(), now) {
            self.0.ahead.store(ahead.num_seconds(), Ordering::Relaxed);
        }
        // The body of a refusal may quote the token we sent: it is not even read.
        let (cause, detail) = if status.is_success() {
            match http::read(answer, longest).await {
                Ok(body) => return Ok(body),
                Err(Unread::Broken(why)) => (Cause::Unreachable, why),
                Err(Unread::TooLong) => {
                    (Cause::Garbled, "the answer is longer than any we expect".to_owned())
                }
            }
        } else {
            (meaning(status), format!("CloudLink answered {status}"))
        };
        Err(Refusal {
            status: Some(status.as_u16()),
            correlation_id,
            retry_after,
            ..Refusal::new(cause, detail)
        })
    }
}

fn meaning(status: StatusCode) -> Cause {
    match status.as_u16() {
        // A wrong path is answered 403 as well.
        401 | 403 => Cause::Forbidden,
        404 | 410 => Cause::Unknown,
        429 => Cause::Throttled,
        408 | 500..=599 => Cause::Trouble,
        400..=499 => Cause::Unexpected,
        // A redirect, which we do not follow, or stranger.
        _ => Cause::Garbled,
    }
}
