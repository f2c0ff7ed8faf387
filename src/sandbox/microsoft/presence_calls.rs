//! The presence calls: set and clear a session or a preference, and read what comes of them.

use axum::http::{Method, StatusCode};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::super::world::Permission;
use super::TenantState;
use super::answers::Answer;
use super::graph::{Asked, Caller, bad_request};
use super::presence::{Pair, Preferred, Presence, Session};
use crate::ids::EntraUserId;

const MOST_IDS: usize = 650;
const SHORTEST: TimeDelta = TimeDelta::minutes(5);
const LONGEST: TimeDelta = TimeDelta::hours(4);

pub(super) fn answer(
    caller: &Caller,
    state: &mut TenantState,
    asked: &Asked,
    user: &str,
    call: &str,
    now: DateTime<Utc>,
) -> Answer {
    let answered = match (call, &asked.method) {
        ("", &Method::GET) => read(caller, state, user, now),
        ("setPresence", &Method::POST) => set(caller, state, asked, user, now),
        ("clearPresence", &Method::POST) => clear(caller, state, asked, user, now),
        ("setUserPreferredPresence", &Method::POST) => prefer(caller, state, asked, user, now),
        ("clearUserPreferredPresence", &Method::POST) => unprefer(caller, state, user),
        ("setStatusMessage", &Method::POST) => set_message(caller, state, asked, user),
        (
            "setAutomaticLocation"
            | "setManualLocation"
            | "clearAutomaticLocation"
            | "clearLocation",
            &Method::POST,
        ) => Err(Answer::forbidden()),
        (
            ""
            | "setPresence"
            | "clearPresence"
            | "setUserPreferredPresence"
            | "clearUserPreferredPresence"
            | "setStatusMessage",
            _,
        ) => Err(Answer::not_allowed()),
        _ => Err(Answer::no_such_segment(call)),
    };
    answered.unwrap_or_else(|refusal| refusal)
}

fn set(
    caller: &Caller,
    state: &mut TenantState,
    asked: &Asked,
    user: &str,
    now: DateTime<Utc>,
) -> Result<Answer, Answer> {
    let known = ["sessionId", "availability", "activity", "expirationDuration"];
    let fields = asked.fields(&known)?;
    let owner = session_id(&fields)?;
    let shows = pair(&fields)?;
    if !shows.may_be_a_session() {
        let Pair { availability, activity } = shows;
        let message = format!(
            "The combination of [Availability] '{availability}' and [Activity] '{activity}' is not supported."
        );
        return Err(Answer::invalid_argument(message));
    }
    let lasts = duration(&fields)?.unwrap_or(SHORTEST);
    if lasts < SHORTEST || lasts > LONGEST {
        return Err(Answer::invalid_argument("The provided [ExpirationDuration] is out of range."));
    }
    may_write(caller)?;
    let user = teams_user(state, user)?;
    let presence = state.presence.entry(user).or_default();
    let needless = presence.session(owner, now).is_some_and(|running| {
        running.shows == shows && (now - running.set_at) * 2 < running.expires_at - running.set_at
    });
    presence.set(Session { owner, shows, set_at: now, expires_at: now + lasts }, now);
    state.tally.changed_nothing += u64::from(needless);
    Ok(Answer::done())
}

fn clear(
    caller: &Caller,
    state: &mut TenantState,
    asked: &Asked,
    user: &str,
    now: DateTime<Utc>,
) -> Result<Answer, Answer> {
    let owner = session_id(&asked.fields(&["sessionId"])?)?;
    may_write(caller)?;
    let user = teams_user(state, user)?;
    let there = state.presence.get_mut(&user).is_some_and(|presence| presence.clear(owner, now));
    state.tally.changed_nothing += u64::from(!there);
    if there { Ok(Answer::done()) } else { Err(not_found("The presence session does not exist.")) }
}

fn prefer(
    caller: &Caller,
    state: &mut TenantState,
    asked: &Asked,
    user: &str,
    now: DateTime<Utc>,
) -> Result<Answer, Answer> {
    let fields = asked.fields(&["availability", "activity", "expirationDuration"])?;
    let shows = pair(&fields)?;
    if !shows.may_be_preferred() {
        return Err(Answer::invalid_argument(
            "The combination of [Availability] and [Activity] is not supported.",
        ));
    }
    let lasts = duration(&fields)?.unwrap_or_else(|| usual_preference(&shows));
    may_write(caller)?;
    let user = teams_user(state, user)?;
    let presence = state.presence.entry(user).or_default();
    presence.prefer(Some(Preferred { shows, expires_at: now + lasts }));
    Ok(Answer::done())
}

/// A day for Busy and Do not disturb, a week for the others.
pub(crate) fn usual_preference(shows: &Pair) -> TimeDelta {
    match shows.availability.as_str() {
        "Busy" | "DoNotDisturb" => TimeDelta::days(1),
        _ => TimeDelta::days(7),
    }
}

/// A second clear is a success, too.
fn unprefer(caller: &Caller, state: &mut TenantState, user: &str) -> Result<Answer, Answer> {
    may_write(caller)?;
    let user = teams_user(state, user)?;
    state.presence.entry(user).or_default().prefer(None);
    Ok(Answer::done())
}

fn set_message(
    caller: &Caller,
    state: &mut TenantState,
    asked: &Asked,
    user: &str,
) -> Result<Answer, Answer> {
    let message = asked.fields(&["statusMessage"])?.remove("statusMessage");
    let message =
        message.ok_or_else(|| Answer::invalid_argument("The StatusMessage field is required."))?;
    may_write(caller)?;
    let user = teams_user(state, user)?;
    state.presence.entry(user).or_default().status_message = Some(message);
    Ok(Answer::done())
}

fn read(
    caller: &Caller,
    state: &TenantState,
    user: &str,
    now: DateTime<Utc>,
) -> Result<Answer, Answer> {
    may_read(caller)?;
    let user = teams_user(state, user)?;
    let mut body = as_read(user, state.presence.get(&user), now);
    body.insert(
        "@odata.context".to_owned(),
        json!("https://graph.microsoft.com/v1.0/$metadata#presence"),
    );
    Ok(Answer::ok(Value::Object(body)))
}

/// `POST /communications/getPresencesByUserId`: those it knows, in the order asked.
pub(super) fn by_ids(
    caller: &Caller,
    state: &TenantState,
    asked: &Asked,
    now: DateTime<Utc>,
) -> Answer {
    let found = || {
        if asked.method != Method::POST {
            return Err(Answer::not_allowed());
        }
        let fields = asked.fields(&["ids"])?;
        let ids: Vec<String> = fields
            .get("ids")
            .and_then(|ids| serde_json::from_value(ids.clone()).ok())
            .ok_or_else(|| bad_request("The parameter 'ids' is required."))?;
        if ids.is_empty() || ids.len() > MOST_IDS {
            return Err(Answer::bare(StatusCode::BAD_REQUEST));
        }
        may_read(caller)?;
        let people = ids.iter().filter_map(|id| state.directory.get(id.parse().ok()?));
        let presences = people.map(|person| {
            if person.teams {
                return Value::Object(as_read(person.id, state.presence.get(&person.id), now));
            }
            let unknown = "PresenceUnknown";
            json!({"id": person.id, "availability": unknown, "activity": unknown})
        });
        Ok(Answer::ok(json!({
            "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#Collection(microsoft.graph.presence)",
            "value": presences.collect::<Vec<_>>(),
        })))
    };
    found().unwrap_or_else(|refusal| refusal)
}

fn as_read(
    user: EntraUserId,
    presence: Option<&Presence>,
    now: DateTime<Utc>,
) -> Map<String, Value> {
    let Pair { availability, activity } = presence
        .map_or_else(|| Pair::new("Offline", "Offline"), |presence| presence.aggregate(now));
    let mut read = Map::new();
    read.insert("id".to_owned(), json!(user));
    read.insert("availability".to_owned(), json!(availability));
    read.insert("activity".to_owned(), json!(activity));
    read.insert("outOfOfficeSettings".to_owned(), json!({"message": null, "isOutOfOffice": false}));
    let sequence = presence.map_or(0, |presence| presence.sequence);
    read.insert("sequenceNumber".to_owned(), json!(format!("A{sequence:020}")));
    let message = presence.and_then(|presence| presence.status_message.clone());
    read.insert("statusMessage".to_owned(), message.unwrap_or(Value::Null));
    read
}

fn may_write(caller: &Caller) -> Result<(), Answer> {
    let may = caller.may(Permission::ReadWritePresence);
    may.then_some(()).ok_or_else(Answer::forbidden)
}

fn may_read(caller: &Caller) -> Result<(), Answer> {
    let may = caller.may(Permission::ReadWritePresence) || caller.may(Permission::ReadPresence);
    may.then_some(()).ok_or_else(Answer::forbidden)
}

/// Presence belongs to Teams users, and they are named by their GUID alone.
fn teams_user(state: &TenantState, named: &str) -> Result<EntraUserId, Answer> {
    let person = named.parse().ok().and_then(|id| state.directory.get(id));
    let person = person.ok_or_else(|| not_found("The user was not found."))?;
    if person.teams {
        return Ok(person.id);
    }
    Err(match state.manners.no_teams_status {
        403 => Answer::forbidden(),
        _ => not_found("The user was not found."),
    })
}

fn not_found(message: &str) -> Answer {
    Answer::refused(StatusCode::NOT_FOUND, "NotFound", message)
}

/// Any GUID opens a session, even one that is not the caller's own client id.
fn session_id(fields: &Map<String, Value>) -> Result<crate::ids::ClientId, Answer> {
    let text = fields.get("sessionId").and_then(Value::as_str).unwrap_or_default();
    if text.is_empty() {
        return Err(Answer::invalid_argument("[SessionId]: The SessionId field is required."));
    }
    text.parse().map_err(|_| Answer::invalid_argument("The provided [SessionId] is not a GUID."))
}

fn pair(fields: &Map<String, Value>) -> Result<Pair, Answer> {
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    match (text("availability"), text("activity")) {
        (Some(availability), Some(activity)) => Ok(Pair::new(availability, activity)),
        (None, _) => {
            Err(Answer::invalid_argument("[Availability]: The Availability field is required."))
        }
        _ => Err(Answer::invalid_argument("[Activity]: The Activity field is required.")),
    }
}

fn duration(fields: &Map<String, Value>) -> Result<Option<TimeDelta>, Answer> {
    match fields.get("expirationDuration") {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let parsed = value.as_str().and_then(iso_duration);
            let malformed =
                || bad_request("Cannot convert the literal to the expected type 'Edm.Duration'.");
            parsed.map(Some).ok_or_else(malformed)
        }
    }
}

/// `PT5M`, `PT1H30M`, `P1DT2H`, `PT300S`: whole numbers, as durations are written in practice.
fn iso_duration(text: &str) -> Option<TimeDelta> {
    let rest = text.strip_prefix('P')?;
    let (days, time) = match rest.split_once('T') {
        Some((_, "")) => return None,
        Some((days, time)) => (days, time),
        None => (rest, ""),
    };
    if days.is_empty() && time.is_empty() {
        return None;
    }
    let mut total = 0_i64;
    for (part, units) in
        [(days, [('D', 86_400), ('\0', 0), ('\0', 0)]), (time, [('H', 3_600), ('M', 60), ('S', 1)])]
    {
        let mut part = part;
        for (unit, seconds) in units {
            if let Some((number, after)) = part.split_once(unit) {
                let number: u32 = number.parse().ok()?;
                total = total.checked_add(i64::from(number).checked_mul(seconds)?)?;
                part = after;
            }
        }
        if !part.is_empty() {
            return None;
        }
    }
    TimeDelta::try_seconds(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_iso_writes_them() {
        let seconds = |text| iso_duration(text).map(|lasts| lasts.num_seconds());
        assert_eq!(seconds("PT5M"), Some(300));
        assert_eq!(seconds("PT300S"), Some(300));
        assert_eq!(seconds("PT1H30M"), Some(5_400));
        assert_eq!(seconds("P1DT1S"), Some(86_401));
        for malformed in ["", "P", "PT", "5M", "PT5", "PTM", "P5M", "PT1M1H"] {
            assert_eq!(seconds(malformed), None, "{malformed}");
        }
    }
}
