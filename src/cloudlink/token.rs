//! Signing in to CloudLink: one token per account, kept until shortly before its end.

use std::time::Duration;

use chrono::TimeDelta;
use reqwest::header::HeaderValue;
use serde::Deserialize;
use serde_json::Value;

use super::ask::Ask;
use super::{Cause, Cloudlink, Refusal};
use crate::ids::CloudlinkAccountId;
use crate::kit::fresh::Held;
use crate::kit::secret::Secret;

/// What goes into the header of a request: unprintable, cheap to copy.
pub(super) type Bearer = HeaderValue;

#[derive(Deserialize)]
struct Answer {
    access_token: Secret,
    #[serde(default)]
    expires_in: Value,
}

impl Cloudlink {
    /// The token for an account: the one that is kept, or a new one.
    pub(super) async fn token(&self, account: &CloudlinkAccountId) -> Result<Bearer, Refusal> {
        let refusal = match self.kept_token(account).await {
            Err(refusal) if refusal.cause == Cause::CredentialsWrong => refusal,
            outcome => return outcome,
        };
        let partner = &self.credentials()?.partner_account;
        if account == partner {
            return Err(refusal);
        }
        // CloudLink refuses a wrong secret and an account out of reach in the same words. If
        // the partner's own door opens, it is the account.
        match self.kept_token(partner).await {
            Err(partner) if partner.cause == Cause::CredentialsWrong => Err(refusal),
            _ => Err(Refusal { cause: Cause::Forbidden, ..refusal }),
        }
    }

    pub(super) fn forget_this_token(&self, account: &CloudlinkAccountId, bearer: &Bearer) {
        self.0.tokens.forget_if(account, |kept| kept == bearer);
    }

    async fn kept_token(&self, account: &CloudlinkAccountId) -> Result<Bearer, Refusal> {
        let now = self.0.clock.now();
        let fetch = || -> crate::kit::fresh::Fetch<'_, Bearer, Refusal> {
            Box::pin(self.fetch_token(account))
        };
        self.0.tokens.get(account.clone(), 0, now, fetch).await
    }

    async fn fetch_token(&self, account: &CloudlinkAccountId) -> Result<Held<Bearer>, Refusal> {
        const LONGEST: usize = 64 * 1024;
        let credentials = self.credentials()?;
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", credentials.client_id.as_str()),
            ("client_secret", credentials.client_secret.reveal()),
            ("account_id", account.as_str()),
        ];
        let url = self.place("authentication", "/token")?;
        let request = self.0.http.post(url).form(&form);
        let body = self.send(&Ask::new("token", account), request, LONGEST).await;
        let body = body.map_err(|refusal| match (refusal.status, refusal.cause) {
            (Some(400 | 401 | 403), _) => Refusal { cause: Cause::CredentialsWrong, ..refusal },
            _ => refusal,
        })?;
        self.held(&body).ok_or_else(|| Refusal::new(Cause::Garbled, "what came is not a token"))
    }

    /// A token with its times: due for renewal some minutes before its end, not all at once.
    fn held(&self, body: &[u8]) -> Option<Held<Bearer>> {
        const UNSAID: u64 = 300;
        const LONGEST: u64 = 24 * 3600;
        let answer: Answer = serde_json::from_slice(body).ok()?;
        let text = answer.access_token.reveal();
        if text.is_empty() {
            return None;
        }
        let mut bearer = HeaderValue::try_from(format!("Bearer {text}")).ok()?;
        bearer.set_sensitive(true);
        let life = match &answer.expires_in {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let life = Duration::from_secs(life.unwrap_or(UNSAID).min(LONGEST));
        let early = Duration::from_secs(rand::random_range(180..240)).min(life / 4);
        let ends_at = self.0.clock.now() + TimeDelta::from_std(life).ok()?;
        Some(Held {
            value: bearer,
            renew_at: ends_at - early,
            // A token that ends on its way is of no use.
            ends_at: ends_at - early.min(Duration::from_secs(30)),
        })
    }
}
