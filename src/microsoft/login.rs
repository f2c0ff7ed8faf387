//! Signing in as an application: tokens, kept until some minutes before they end.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::HeaderValue;
use serde::Deserialize;
use uuid::Uuid;

use super::wire::{SignInError, TokenAnswer};
use super::{Cause, Connection, Credential, Microsoft, Permission, Refusal, codes};
use crate::ids::AccountId;
use crate::kit::fresh::{Fetch, Held};
use crate::kit::http::{self, Unread};
use crate::kit::secret::Secret;

/// A token, and what it says about itself.
#[derive(Clone)]
pub struct Token(Arc<Inside>);

struct Inside {
    bearer: HeaderValue,
    roles: Option<Vec<String>>,
    issued_at: DateTime<Utc>,
}

impl Token {
    /// The permissions that the token carries, for diagnostics only.
    ///
    /// `None` when it cannot be read: its format is Microsoft's to change.
    pub fn roles(&self) -> Option<&[String]> {
        self.0.roles.as_deref()
    }

    /// The permissions we need and the token is known not to carry.
    pub fn missing(&self) -> Vec<Permission> {
        let lacks = |wanted: &Permission| self.carries(*wanted) == Some(false);
        Permission::ALL.into_iter().filter(lacks).collect()
    }

    /// Whether the token carries a permission, if that can be told.
    pub fn carries(&self, permission: Permission) -> Option<bool> {
        self.roles().map(|roles| roles.iter().any(|role| role == permission.as_str()))
    }

    /// Whether it may read app registrations, and with them when our secret ends. That is not
    /// needed, and most admins do not grant it.
    pub fn reads_applications(&self) -> bool {
        self.roles().is_some_and(|roles| roles.iter().any(|role| role == "Application.Read.All"))
    }

    pub(super) fn bearer(&self) -> HeaderValue {
        self.0.bearer.clone()
    }

    pub(super) fn issued_at(&self) -> DateTime<Utc> {
        self.0.issued_at
    }

    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("roles", &self.roles()).finish_non_exhaustive()
    }
}

impl Microsoft {
    /// Asks for a new token, whatever is kept, and keeps nothing.
    pub async fn sign_in(&self, connection: &Connection) -> Result<Token, Refusal> {
        self.fetch_token(connection).await.map(|held| held.value)
    }

    /// Asks for a new token before the next request, so that a change of permissions is noticed.
    pub fn forget_token(&self, account: AccountId) {
        self.0.tokens.forget(&account);
    }

    /// Forgets tokens that are over: of accounts that are gone, or worked for by another node.
    pub fn sweep_tokens(&self) {
        self.0.tokens.sweep(self.0.clock.now());
    }

    /// The token that is kept for this very connection, or a new one.
    pub(super) async fn token(&self, connection: &Connection) -> Result<Token, Refusal> {
        let now = self.0.clock.now();
        let edition = edition(connection);
        self.0
            .tokens
            .get(connection.account, edition, now, || Box::pin(self.fetch_token(connection)))
            .await
    }

    /// Renews the token that is kept for this connection when its time has come, or gets a first
    /// one. A refusal is told although the token of before may serve on.
    pub async fn renew_token(&self, connection: &Connection) -> Result<Token, Refusal> {
        let (account, now) = (connection.account, self.0.clock.now());
        let fetch = || -> Fetch<'_, Token, Refusal> { Box::pin(self.fetch_token(connection)) };
        self.0.tokens.renew(account, edition(connection), now, fetch).await
    }

    /// When the token that is kept for this connection is to be renewed; none is kept, if none.
    pub fn token_due_at(&self, connection: &Connection) -> Option<DateTime<Utc>> {
        let held = self.0.tokens.held(&connection.account, edition(connection))?;
        Some(held.renew_at)
    }

    /// Forgets a token that Graph did not accept, unless another has come in its place.
    pub(super) fn forget_this_token(&self, account: AccountId, token: &Token) {
        self.0.tokens.forget_if(&account, |kept| kept.is(token));
    }

    async fn fetch_token(&self, connection: &Connection) -> Result<Held<Token>, Refusal> {
        let outcome = self.ask_for_token(connection).await;
        let result = outcome.as_ref().map_or_else(|refusal| refusal.cause.key(), |_| "ok");
        metrics::counter!("microsoft_tokens_total", "result" => result).increment(1);
        if let Err(refusal) = &outcome {
            tracing::info!(
                account.id = %connection.account,
                cause = result,
                status = refusal.status,
                code = refusal.code,
                request.id = refusal.request_id,
                "Microsoft gave no token"
            );
        }
        outcome
    }

    /// What proves that we are the application: the secret itself, or a signed assertion.
    fn proof(&self, connection: &Connection, endpoint: &str) -> Result<Secret, Refusal> {
        match &connection.credential {
            Credential::Secret(secret) => Ok(secret.clone()),
            Credential::Certificate(certificate) => certificate
                .assertion(connection.client, endpoint, self.0.clock.now())
                .map_err(|error| Refusal::new(Cause::SignInRefused, format!("{error:#}"))),
        }
    }

    async fn ask_for_token(&self, connection: &Connection) -> Result<Held<Token>, Refusal> {
        const LONGEST: usize = 64 * 1024;
        let login = self.login_url(connection.cloud);
        let endpoint = format!("{login}/{}/oauth2/v2.0/token", connection.tenant);
        let client = connection.client.to_string();
        let proof = self.proof(connection, &endpoint)?;
        let mut form = vec![("client_id", client.as_str()), ("scope", connection.cloud.scope())];
        match &connection.credential {
            Credential::Secret(_) => form.push(("client_secret", proof.reveal())),
            Credential::Certificate(_) => {
                form.push(("client_assertion_type", JWT_BEARER));
                form.push(("client_assertion", proof.reveal()));
            }
        }
        form.push(("grant_type", "client_credentials"));
        let asked = self
            .0
            .lanes
            .of(connection.tenant)
            .post(endpoint)
            .header("client-request-id", Uuid::new_v4().to_string())
            .form(&form)
            .send()
            .await;
        let answer = asked.map_err(|error| Refusal::new(Cause::Unreachable, http::why(&error)))?;
        let now = self.0.clock.now();
        let status = answer.status();
        let request_id = http::header(answer.headers(), &super::X_MS_REQUEST_ID);
        let retry_after = http::retry_after(answer.headers(), now);
        let refused = |cause, detail: String| Refusal {
            status: Some(status.as_u16()),
            request_id: request_id.clone(),
            retry_after,
            ..Refusal::new(cause, detail)
        };
        let body = match http::read(answer, LONGEST).await {
            Ok(body) => body,
            Err(Unread::Broken(why)) => return Err(refused(Cause::Unreachable, why)),
            Err(Unread::TooLong) => {
                return Err(refused(Cause::Garbled, "the token is longer than any token".into()));
            }
        };
        if status.is_success() {
            return held(&body, now)
                .ok_or_else(|| refused(Cause::Garbled, "what came is not a token".into()));
        }
        let error = SignInError::read(&body);
        let cause = codes::of_sign_in(status.as_u16(), &error.error, &error.numbers);
        let cause = more_exactly(cause, &connection.credential, now);
        let known = error.numbers.iter().find(|number| codes::of_aadsts(**number).is_some());
        let code = known.or(error.numbers.first()).map(|number| format!("AADSTS{number}"));
        let said = [code.as_deref(), Some(error.error.as_str())];
        let said: Vec<_> = said.into_iter().flatten().filter(|text| !text.is_empty()).collect();
        let mut refusal = refused(
            cause,
            match said.as_slice() {
                [] => format!("the sign-in was answered with status {status}"),
                said => format!("the sign-in was refused: {}", said.join(", ")),
            },
        );
        refusal.code = code;
        refusal.request_id = error.trace_id.or(refusal.request_id);
        Err(refusal)
    }
}

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What we know of a refused credential beyond Microsoft's number.
fn more_exactly(cause: Cause, credential: &Credential, now: DateTime<Utc>) -> Cause {
    match (cause, credential) {
        // The ID that stands beside a secret's value is a GUID; no value is.
        (Cause::SecretWrong, Credential::Secret(secret))
            if Uuid::try_parse(secret.reveal().trim()).is_ok() =>
        {
            Cause::SecretIdPasted
        }
        (Cause::CertificateWrong, Credential::Certificate(certificate))
            if certificate.shown.ends_at <= now =>
        {
            Cause::CertificateExpired
        }
        _ => cause,
    }
}

/// A token with its times: due for renewal some minutes before its end, not all at once.
fn held(body: &[u8], now: DateTime<Utc>) -> Option<Held<Token>> {
    const UNSAID: u32 = 300;
    const LONGEST: u32 = 24 * 3600;
    let answer: TokenAnswer = serde_json::from_slice(body).ok()?;
    let text = answer.access_token.reveal();
    if text.is_empty() {
        return None;
    }
    let mut bearer = HeaderValue::try_from(format!("Bearer {text}")).ok()?;
    bearer.set_sensitive(true);
    let life = answer.expires_in.unwrap_or(UNSAID).min(LONGEST);
    let early = Duration::from_secs(rand::random_range(300..360))
        .min(Duration::from_secs(u64::from(life / 4)));
    let ends_at = now + TimeDelta::seconds(i64::from(life));
    Some(Held {
        value: Token(Arc::new(Inside { bearer, roles: roles(text), issued_at: now })),
        renew_at: ends_at - early,
        // A token that ends on its way is of no use.
        ends_at: ends_at - early.min(Duration::from_secs(30)),
    })
}

/// What the token's second part says under `roles`: nothing there is no roles.
fn roles(token: &str) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    struct Claims {
        #[serde(default)]
        roles: Vec<String>,
    }
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?.trim_end_matches('=')).ok()?;
    serde_json::from_slice::<Claims>(&claims).ok().map(|claims| claims.roles)
}

/// Changes with everything that a token depends on: one that was asked for with a secret that
/// was only tried is never used with another.
fn edition(connection: &Connection) -> u64 {
    let mut hasher = DefaultHasher::new();
    (connection.version, connection.tenant, connection.client, connection.cloud).hash(&mut hasher);
    match &connection.credential {
        Credential::Secret(secret) => secret.reveal().hash(&mut hasher),
        Credential::Certificate(certificate) => certificate.shown.der().hash(&mut hasher),
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> String {
        format!("eyJhbGciOiJub25lIn0.{}.signature", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn roles_are_read_when_they_can_be() {
        let both = token(r#"{"roles":["User.Read.All","Presence.ReadWrite.All"],"tid":"x"}"#);
        assert_eq!(roles(&both).unwrap().len(), 2);
        assert_eq!(roles(&token(r#"{"tid":"x"}"#)), Some(Vec::new()), "nothing was granted");
        assert_eq!(roles("opaque"), None);
        assert_eq!(roles("a.%%%.c"), None);
        assert_eq!(roles(&token(r#"{"roles":"User.Read.All"}"#)), None);
    }

    #[test]
    fn a_token_knows_what_it_lacks_and_shows_nothing_of_itself() {
        let now = DateTime::UNIX_EPOCH;
        let body = format!(
            r#"{{"access_token":"{}","expires_in":"3599"}}"#,
            token(r#"{"roles":["User.Read.All"]}"#)
        );
        let held = held(body.as_bytes(), now).unwrap();
        assert_eq!(held.value.missing(), [Permission::PresenceReadWriteAll]);
        assert!(held.renew_at <= now + TimeDelta::seconds(3299));
        assert!(held.renew_at < held.ends_at && held.ends_at < now + TimeDelta::seconds(3599));
        assert!(!format!("{:?}", held.value).contains("eyJ"));
    }

    #[test]
    fn what_is_not_a_token_is_not_kept() {
        for body in ["", "{}", "<html>", r#"{"access_token":""}"#, r#"{"access_token":"a\nb"}"#] {
            assert!(held(body.as_bytes(), DateTime::UNIX_EPOCH).is_none(), "{body}");
        }
    }
}
