//! One request to Graph: sent with a token, timed, and its refusal understood.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Response};
use serde::de::IgnoredAny;
use tracing::{Span, field};
use url::Url;
use uuid::Uuid;

use super::codes::Area;
use super::wire::GraphError;
use super::{Answered, Cause, Connection, Microsoft, Permission, Refusal, Token, codes};
use crate::kit::http::{self, Unread};

/// What is asked.
pub(super) struct Ask {
    /// For metrics and logs.
    pub name: &'static str,
    pub area: Area,
    pub method: Method,
    pub url: Url,
    /// JSON; none for a question without a body.
    pub body: Option<Vec<u8>>,
    pub wait: Duration,
}

/// A token younger than this says as much about our permissions as a new one would.
const YOUNG: TimeDelta = TimeDelta::minutes(5);

impl Microsoft {
    /// Asks with the token that is kept, and once more with a new one when the kept one may be
    /// what Graph objects to.
    pub(super) async fn ask(&self, connection: &Connection, ask: &Ask) -> Answered<Response> {
        let token = match self.token(connection).await {
            Ok(token) => token,
            Err(refusal) => return Answered::unasked(refusal),
        };
        let answered = self.ask_with(connection, ask, &token).await;
        if !self.may_be_the_token(&answered, &token) {
            return answered;
        }
        self.forget_this_token(connection.account, &token);
        match self.token(connection).await {
            Ok(token) => self.ask_with(connection, ask, &token).await,
            Err(refusal) => Answered { outcome: Err(refusal), ..answered },
        }
    }

    fn may_be_the_token(&self, answered: &Answered<Response>, token: &Token) -> bool {
        match answered.status {
            Some(401) => answered.outcome.as_ref().is_err_and(|it| it.cause == Cause::Unexpected),
            // Permissions may have been granted or taken since it was issued.
            Some(403) => self.0.clock.now() - token.issued_at() >= YOUNG,
            _ => false,
        }
    }

    /// Asks with this token and no other.
    pub(super) async fn ask_with(
        &self,
        connection: &Connection,
        ask: &Ask,
        token: &Token,
    ) -> Answered<Response> {
        let began = Instant::now();
        let correlation = Uuid::new_v4();
        Span::current().record("correlation.id", field::display(correlation));
        let mut request = self
            .0
            .lanes
            .of(connection.tenant)
            .request(ask.method.clone(), ask.url.clone())
            .header(AUTHORIZATION, token.bearer())
            .header(&super::CLIENT_REQUEST_ID, correlation.to_string())
            .timeout(ask.wait);
        if let Some(body) = &ask.body {
            request = request
                .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
                .body(body.clone());
        }
        let answered = match request.send().await {
            Err(error) => {
                let refusal = Refusal::new(Cause::Unreachable, http::why(&error));
                Answered { took: began.elapsed(), ..Answered::unasked(refusal) }
            }
            Ok(response) => {
                let status = Some(response.status().as_u16());
                let request_id = http::header(response.headers(), &super::REQUEST_ID);
                let took = began.elapsed();
                let outcome = if response.status().is_success() {
                    Ok(response)
                } else {
                    Err(self.refusal(ask.area, token, response).await)
                };
                Answered { status, request_id, took, outcome }
            }
        };
        let result = answered.outcome.as_ref().map_or_else(|it| it.cause.key(), |_| "ok");
        metrics::counter!("microsoft_requests_total", "call" => ask.name, "result" => result)
            .increment(1);
        tracing::debug!(
            account.id = %connection.account,
            call = ask.name,
            result,
            status = answered.status,
            correlation.id = %correlation,
            request.id = answered.request_id,
            took = ?answered.took,
            "asked Microsoft"
        );
        answered
    }

    async fn refusal(&self, area: Area, token: &Token, response: Response) -> Refusal {
        const LONGEST: usize = 64 * 1024;
        let status = response.status();
        let retry_after = http::retry_after(response.headers(), self.0.clock.now());
        let request_id = http::header(response.headers(), &super::REQUEST_ID);
        // The status says enough when the body does not come, or is no JSON.
        let body = http::read(response, LONGEST).await.unwrap_or_default();
        let error = GraphError::read(&body);
        let mut cause = codes::of_graph(area, status.as_u16(), &error.codes);
        if area == Area::Presence
            && cause == Cause::PermissionMissing(Permission::PresenceReadWriteAll)
            && token.carries(Permission::PresenceReadWriteAll) == Some(true)
        {
            // We may set presence, but not this one.
            cause = Cause::UserRefused;
        }
        let code = error.code();
        let detail = match &code {
            Some(code) => format!("Graph answered {status}: {code}"),
            None => format!("Graph answered {status}"),
        };
        Refusal {
            status: Some(status.as_u16()),
            code,
            request_id: request_id.or(error.request_id),
            retry_after,
            ..Refusal::new(cause, detail)
        }
    }
}

impl<T> Answered<T> {
    /// Nothing was answered, perhaps because nothing was asked.
    pub(super) fn unasked(refusal: Refusal) -> Self {
        Self { status: None, request_id: None, took: Duration::ZERO, outcome: Err(refusal) }
    }

    /// The same answer with its outcome read further. A refusal made in reading says what it answers.
    pub(super) fn and<U>(self, outcome: Result<U, Refusal>) -> Answered<U> {
        let Self { status, request_id, took, .. } = self;
        let outcome = outcome.map_err(|refusal| Refusal {
            status: refusal.status.or(status),
            request_id: refusal.request_id.or_else(|| request_id.clone()),
            ..refusal
        });
        Answered { status, request_id, took, outcome }
    }
}

impl Answered<Response> {
    /// Reads the whole answer, up to `longest` bytes, as `read` understands it.
    pub(super) async fn read<T>(
        self,
        longest: usize,
        read: impl FnOnce(&[u8]) -> Result<T, String>,
    ) -> Result<T, Refusal> {
        let Self { status, request_id, took, outcome } = self;
        let outcome = match http::read(outcome?, longest).await {
            Ok(body) => read(&body).map_err(|why| {
                Refusal::new(Cause::Garbled, format!("the answer is of no use: {why}"))
            }),
            Err(Unread::Broken(why)) => Err(Refusal::new(Cause::Unreachable, why)),
            Err(Unread::TooLong) => {
                Err(Refusal::new(Cause::Garbled, "the answer is longer than any we expect"))
            }
        };
        let answered = Answered { status, request_id, took, outcome: Ok(()) };
        answered.and(outcome).outcome
    }

    /// Takes the answer to something that was to be done: empty, or JSON that nobody needs.
    ///
    /// Anything else comes from a proxy or a page of maintenance in between, whatever its status
    /// says: then nothing is known to be done.
    pub(super) async fn done(self) -> Answered<()> {
        const LONGEST: usize = 16 * 1024;
        let Self { status, request_id, took, outcome } = self;
        let outcome = match outcome {
            Ok(response) if response.content_length() == Some(0) => Ok(()),
            Ok(response) => match http::read(response, LONGEST).await {
                Ok(body) if !is_json_or_blank(&body) => {
                    Err(Refusal::new(Cause::Garbled, "the answer is not Graph’s"))
                }
                // What was done is done, whatever becomes of the rest.
                _ => Ok(()),
            },
            Err(refusal) => Err(refusal),
        };
        Answered { status, request_id, took, outcome: Ok(()) }.and(outcome)
    }
}

fn is_json_or_blank(body: &[u8]) -> bool {
    body.trim_ascii().is_empty() || serde_json::from_slice::<IgnoredAny>(body).is_ok()
}
