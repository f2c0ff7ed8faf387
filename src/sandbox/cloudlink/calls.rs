//! `/cloudlink/{service}/2017-09-01/…`: which service, whose token, which call.

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, header};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::jwt::Unverified;
use super::{Cloudlink, admin, authentication, subscriptions};

/// One request to CloudLink.
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) service: String,
    /// After the version: `/accounts`.
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// How the client reaches this service: `http://127.0.0.1:8090/cloudlink/admin/2017-09-01`.
    pub(crate) base: String,
}

/// Whoever calls, as the token says.
pub(crate) struct Caller {
    pub(crate) account: String,
    pub(super) claims: Claims,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Claims {
    pub(super) account_id: String,
    pub(super) partner_id: String,
    pub(super) principal_id: String,
    pub(super) role: String,
    pub(super) iss: String,
    pub(super) iat: i64,
    pub(super) exp: i64,
}

pub(super) type Answer = (StatusCode, Option<Value>);

/// An error as the API's gateway words it.
pub(super) fn message(status: StatusCode, text: &str) -> Answer {
    (status, Some(json!({"message": text})))
}

impl Caller {
    /// `None`: no token, or not one of ours, or one that has ended.
    pub(crate) fn of(
        cloudlink: &Cloudlink,
        headers: &HeaderMap,
        now: DateTime<Utc>,
    ) -> Option<Self> {
        let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let token = Unverified::<Claims>::read(text.strip_prefix("Bearer ").unwrap_or(text))?;
        let valid = cloudlink.key.signed(&token, 0) && token.claims.exp > now.timestamp();
        let claims = token.claims;
        valid.then(|| Self { account: claims.account_id.clone(), claims })
    }

    pub(super) fn is_partner(&self, cloudlink: &Cloudlink) -> bool {
        self.account == cloudlink.partner.account.as_str()
    }
}

impl Asked {
    pub(super) fn option(&self, name: &str) -> Option<String> {
        let fields: Vec<(String, String)> =
            serde_html_form::from_str(&self.query).unwrap_or_default();
        fields.into_iter().find(|(field, _)| field == name).map(|(_, value)| value)
    }
}

/// Answers one request. `caller` is whoever the token says, when it says anybody.
pub(crate) fn answer(
    cloudlink: &Cloudlink,
    caller: Option<&Caller>,
    asked: &Asked,
    now: DateTime<Utc>,
) -> Answer {
    let path: Vec<&str> = asked.path.split('/').filter(|part| !part.is_empty()).collect();
    if let ("authentication", ["token"], &Method::POST) =
        (asked.service.as_str(), path.as_slice(), &asked.method)
    {
        return authentication::answer(cloudlink, asked, now);
    }
    let Some(caller) = caller else { return message(StatusCode::UNAUTHORIZED, "Unauthorized") };
    match (asked.service.as_str(), path.as_slice()) {
        ("authentication", ["token"]) => {
            (StatusCode::OK, serde_json::to_value(&caller.claims).ok())
        }
        ("admin", ["accounts", rest @ ..]) => admin::answer(cloudlink, caller, asked, rest),
        ("notifications", ["subscriptions", rest @ ..]) => {
            subscriptions::answer(cloudlink, caller, asked, rest, now)
        }
        // A wrong path gets a misleading 403, which quotes the token.
        _ => {
            let bearer =
                asked.headers.get(header::AUTHORIZATION).and_then(|text| text.to_str().ok());
            let bearer = bearer.unwrap_or_default();
            let token = bearer.strip_prefix("Bearer ").unwrap_or(bearer);
            let text = format!(
                "'{token}' not a valid key=value pair (missing equal-sign) in Authorization header: '{bearer}'."
            );
            message(StatusCode::FORBIDDEN, &text)
        }
    }
}

/// One page of a collection: `_embedded` is missing when there is nothing.
pub(super) fn collection(cloudlink: &Cloudlink, asked: &Asked, items: Vec<Value>) -> Answer {
    let top = asked.option("$top").and_then(|top| top.parse().ok()).unwrap_or(100);
    let size = cloudlink.page_size().min(usize::max(top, 1));
    let start = asked.option("$skiptoken").and_then(|token| token.parse().ok()).unwrap_or(0);
    let total = items.len();
    let page: Vec<Value> = items.into_iter().skip(start).take(size).collect();
    let relative = cloudlink.manners().relative_links;
    let here = if relative {
        format!("/{}", asked.path.trim_start_matches('/'))
    } else {
        format!("{}{}", asked.base, asked.path)
    };
    let mut links = json!({"self": here});
    if let (true, Some(links)) = (start + page.len() < total, links.as_object_mut()) {
        let path = if relative {
            // From the root of the host, as a path is.
            let root = asked.base.splitn(4, '/').nth(3).unwrap_or_default();
            format!("/{root}{}", asked.path)
        } else {
            here
        };
        let next = format!("{path}?$top={top}&$skiptoken={}", start + page.len());
        links.insert("next".to_owned(), json!(next));
    }
    let mut body = json!({"count": page.len(), "_links": links});
    if let (false, Some(body)) = (page.is_empty(), body.as_object_mut()) {
        body.insert("_embedded".to_owned(), json!({"items": page}));
    }
    (StatusCode::OK, Some(body))
}
