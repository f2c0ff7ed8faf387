//! `/users/delta`: everybody first, then what changed, with links that go stale.

use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::TenantState;
use super::answers::Answer;
use super::directory::{Entry, touched, user};
use super::graph::{Asked, Caller, bad_request};
use super::users::{may_read, selected};

const LASTS: TimeDelta = TimeDelta::days(7);
const LARGEST_PAGE: usize = 200;

/// What a link remembers: it is all the state there is.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Link {
    select: Vec<String>,
    generation: u32,
    issued: i64,
    /// The changes up to here have been told.
    since: usize,
    /// How many changes there were when this round began: where the next one starts.
    until: usize,
    walk: Walk,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Walk {
    /// Through everybody, from this place on.
    Everybody(usize),
    /// Through what changed, from this one on.
    Changes(usize),
    /// A delta link: the next round begins when it is followed.
    Rest,
}

pub(super) fn page(
    caller: &Caller,
    state: &TenantState,
    asked: &Asked,
    now: DateTime<Utc>,
) -> Answer {
    let answered = may_read(caller, asked)
        .and_then(|()| link_of(state, asked, now))
        .map(|link| follow(state, asked, link, now));
    answered.unwrap_or_else(|refusal| refusal)
}

/// The link that was followed, or a new round.
fn link_of(state: &TenantState, asked: &Asked, now: DateTime<Utc>) -> Result<Link, Answer> {
    let directory = &state.directory;
    for unsupported in ["$top", "$orderby", "$expand", "$skip"] {
        if asked.option(unsupported).is_some() {
            return Err(bad_request(&format!("'{unsupported}' is not supported by the service.")));
        }
    }
    let fresh = |select, walk| Link {
        select,
        generation: directory.generation,
        issued: now.timestamp(),
        since: 0,
        until: directory.now(),
        walk,
    };
    let token = asked.option("$skiptoken").or_else(|| asked.option("$deltatoken"));
    let mut link = match token.as_deref() {
        None | Some("") => return Ok(fresh(selected(asked)?, Walk::Everybody(0))),
        Some("latest") => {
            let until = directory.now();
            return Ok(Link {
                since: until,
                walk: Walk::Changes(usize::MAX),
                ..fresh(selected(asked)?, Walk::Rest)
            });
        }
        Some(token) => Link::read(token)?,
    };
    if link.generation != directory.generation {
        let empty = format!("{}/v1.0/users/delta?$deltatoken=", asked.base);
        let message = "Resync required. Replace the local state with the server's, starting from an empty token.";
        return Err(
            Answer::refused(StatusCode::GONE, "resyncRequired", message).with("location", empty)
        );
    }
    let issued = DateTime::from_timestamp(link.issued, 0).unwrap_or(now);
    if now - issued > LASTS {
        let message = "The sync state generation is not found.";
        return Err(Answer::refused(StatusCode::BAD_REQUEST, "syncStateNotFound", message));
    }
    if link.walk == Walk::Rest {
        link.until = directory.now();
        link.walk = Walk::Changes(0);
    }
    Ok(link)
}

fn follow(state: &TenantState, asked: &Asked, link: Link, now: DateTime<Utc>) -> Answer {
    let size = state.manners.page_size.clamp(1, LARGEST_PAGE);
    let awkward = state.manners.awkward_delta;
    let (value, next) = match link.walk {
        Walk::Everybody(place) => everybody(state, &link, place, size),
        Walk::Changes(place) => changes(state, &link, place, size),
        Walk::Rest => (Vec::new(), None),
    };
    let mut value = value;
    // As Graph may: an empty page that still leads on, and somebody told twice.
    let first_page = matches!(link.walk, Walk::Everybody(0) | Walk::Changes(0));
    let empty_first = awkward && first_page && asked.option("$skiptoken").is_none();
    if awkward && let Some(one) = value.first().cloned() {
        value.push(one);
    }
    let mut body = json!({"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users"});
    let Some(fields) = body.as_object_mut() else { return Answer::ok(body) };
    let mut base = format!("{}/v1.0/users/delta", asked.base);
    if state.manners.links_by_https {
        base = base.replacen("http:", "https:", 1);
    }
    if empty_first {
        let same = Link { issued: now.timestamp(), ..link };
        fields.insert(
            "@odata.nextLink".to_owned(),
            json!(format!("{base}?$skiptoken={}", same.write())),
        );
        fields.insert("value".to_owned(), json!([]));
        return Answer::ok(body);
    }
    if let Some(walk) = next {
        let next = Link { walk, issued: now.timestamp(), ..link };
        let url = format!("{base}?$skiptoken={}", next.write());
        fields.insert("@odata.nextLink".to_owned(), json!(url));
    } else {
        let next = Link { walk: Walk::Rest, since: link.until, issued: now.timestamp(), ..link };
        let url = format!("{base}?$deltatoken={}", next.write());
        fields.insert("@odata.deltaLink".to_owned(), json!(url));
    }
    fields.insert("value".to_owned(), Value::Array(value));
    Answer::ok(body)
}

fn everybody(
    state: &TenantState,
    link: &Link,
    place: usize,
    size: usize,
) -> (Vec<Value>, Option<Walk>) {
    let mut found = state.directory.from(place).filter(|(_, entry)| entry.removed.is_none());
    let people = found.by_ref().take(size);
    let value = people.map(|(_, entry)| Value::Object(user(&entry.person, &link.select))).collect();
    (value, found.next().map(|(place, _)| Walk::Everybody(place)))
}

/// Each who changed once: whole when new, else only with what is different.
fn changes(
    state: &TenantState,
    link: &Link,
    place: usize,
    size: usize,
) -> (Vec<Value>, Option<Walk>) {
    let changed = state.directory.between(link.since, link.until);
    let page = changed.iter().skip(place).take(size);
    let value = page.map(|(entry, fields)| told(entry, *fields, &link.select)).collect();
    let after = place.saturating_add(size);
    (value, (after < changed.len()).then_some(Walk::Changes(after)))
}

fn told(entry: &Entry, fields: u16, select: &[String]) -> Value {
    if let Some(removed) = entry.removed {
        return json!({"id": entry.person.id, "@removed": {"reason": removed.reason()}});
    }
    let different: Vec<String> =
        select.iter().filter(|name| touched(name, fields)).cloned().collect();
    Value::Object(user(&entry.person, &different))
}

impl Link {
    fn write(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    fn read(token: &str) -> Result<Self, Answer> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok();
        let link = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        link.ok_or_else(|| bad_request("Badly formed content."))
    }
}
