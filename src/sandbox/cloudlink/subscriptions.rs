//! `/subscriptions`: who is told of what.

use axum::http::{Method, StatusCode};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::calls::{Answer, Asked, Caller, collection, message};
use super::publication::{METHOD, Publication, TOPIC, written};
use super::{Account, Cloudlink};

/// A subscription of an account's presence.
#[derive(Clone, Debug)]
pub struct Subscription {
    pub id: String,
    pub application: Uuid,
    /// The webhook's URL, which CloudLink calls `deviceId`.
    pub device: Url,
    pub topic: String,
    pub subject_filter: String,
    pub method_filter: Option<String>,
    pub created_on: DateTime<Utc>,
    /// Listed like any other, and delivers nothing.
    pub deaf: bool,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    application_id: Uuid,
    device_id: Url,
    transport: String,
    topic: String,
    subject_filter: Option<String>,
    method_filter: Option<String>,
    publication_filter: Option<String>,
}

impl Subscription {
    /// Whether it asks for this publication. Of regular expressions it knows those that Mitel's
    /// staff hand out: a path, perhaps with `[^/]+` for one segment, perhaps to the end (`$`).
    pub(super) fn takes(&self, publication: &Publication) -> bool {
        !self.deaf
            && self.topic == TOPIC
            && self.method_filter.as_ref().is_none_or(|method| method == METHOD)
            && subject_matches(&self.subject_filter, &publication.subject())
    }

    fn as_listed(&self) -> Value {
        json!({
            "subscriptionId": self.id,
            "applicationId": self.application,
            "deviceId": self.device,
            "transport": "webhook",
            "topic": self.topic,
            "subjectFilter": self.subject_filter,
            "methodFilter": self.method_filter,
            "createdOn": written(self.created_on),
            "_links": {"self": format!("/2017-09-01/subscriptions/{}", self.id)},
        })
    }
}

fn subject_matches(filter: &str, subject: &str) -> bool {
    let (filter, to_the_end) = match filter.strip_suffix('$') {
        Some(filter) => (filter, true),
        None => (filter, false),
    };
    let filter = filter.replace("[^/]+", "*").replace(".*", "*");
    let mut wanted = filter.split('/').filter(|part| !part.is_empty()).peekable();
    let Some(first) = wanted.peek().copied() else { return true };
    let mut parts = subject.split('/').skip_while(|part| *part != first);
    let all = wanted.all(|part| parts.next().is_some_and(|found| part == "*" || part == found));
    all && (!to_the_end || parts.next().is_none())
}

/// Lists, makes and ends the subscriptions of the token's own account.
pub(super) fn answer(
    cloudlink: &Cloudlink,
    caller: &Caller,
    asked: &Asked,
    rest: &[&str],
    now: DateTime<Utc>,
) -> Answer {
    let Some(account) = cloudlink.account(&caller.account) else {
        return message(StatusCode::FORBIDDEN, "Forbidden");
    };
    match (rest, &asked.method) {
        ([], &Method::GET) => {
            let items = account.state().subscriptions.iter().map(Subscription::as_listed).collect();
            collection(cloudlink, asked, items)
        }
        ([], &Method::POST) => subscribe(&account, asked, now),
        ([id], &Method::DELETE) => {
            let mut state = account.state();
            let before = state.subscriptions.len();
            state.subscriptions.retain(|subscription| subscription.id != *id);
            if state.subscriptions.len() < before {
                (StatusCode::NO_CONTENT, None)
            } else {
                message(StatusCode::NOT_FOUND, "Not Found")
            }
        }
        ([id], &Method::GET) => {
            let state = account.state();
            match state.subscriptions.iter().find(|subscription| subscription.id == *id) {
                Some(found) => (StatusCode::OK, Some(found.as_listed())),
                None => message(StatusCode::NOT_FOUND, "Not Found"),
            }
        }
        _ => message(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed"),
    }
}

fn subscribe(account: &Account, asked: &Asked, now: DateTime<Utc>) -> Answer {
    let wanted: Wanted = match serde_json::from_slice(&asked.body) {
        Ok(wanted) => wanted,
        Err(error) => return message(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    if wanted.transport != "webhook" || !matches!(wanted.device_id.scheme(), "http" | "https") {
        return message(StatusCode::BAD_REQUEST, "transport must be webhook and deviceId its URL");
    }
    let subscription = Subscription {
        id: Uuid::new_v4().to_string(),
        application: wanted.application_id,
        device: wanted.device_id,
        topic: wanted.topic,
        subject_filter: wanted.subject_filter.unwrap_or_default(),
        method_filter: wanted.method_filter,
        created_on: now,
        deaf: false,
    };
    let id = subscription.id.clone();
    account.state().subscriptions.push(subscription);
    (StatusCode::CREATED, Some(json!({"subscriptionId": id})))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filters_of_mitels_staff_are_understood() {
        let subject = "/2017-09-01/presentities/ann";
        assert!(subject_matches("/presentities/[^/]+$", subject));
        assert!(subject_matches("/presentities/ann", subject));
        assert!(subject_matches("", subject));
        assert!(!subject_matches("/presentities/bob", subject));
        assert!(!subject_matches("/endpoints/", subject));
        assert!(!subject_matches("/presentities/[^/]+$", "/2017-09-01/presentities/ann/devices"));
    }
}
