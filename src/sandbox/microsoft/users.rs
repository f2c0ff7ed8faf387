//! `/users` and `/users/{id}`.

use axum::http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::super::world::{Permission, Person};
use super::TenantState;
use super::answers::Answer;
use super::directory::{DEFAULT_PROPERTIES, property, user};
use super::graph::{Asked, Caller, bad_request};

const USUAL_PAGE: usize = 100;
const LARGEST_PAGE: usize = 999;

/// `GET /users`, a page at a time.
pub(super) fn list(caller: &Caller, state: &TenantState, asked: &Asked) -> Answer {
    page(caller, state, asked).unwrap_or_else(|refusal| refusal)
}

fn page(caller: &Caller, state: &TenantState, asked: &Asked) -> Result<Answer, Answer> {
    may_read(caller, asked)?;
    if asked.option("$skip").is_some() {
        return Err(bad_request("'$skip' is not supported by the service."));
    }
    let top = match asked.option("$top").map(|top| top.parse::<usize>()) {
        None => USUAL_PAGE,
        Some(Ok(top @ 1..=LARGEST_PAGE)) => top,
        Some(_) => {
            let message = "Invalid page size specified. Must be between 1 and 999 inclusive.";
            let status = axum::http::StatusCode::BAD_REQUEST;
            return Err(Answer::refused(status, "Request_BadRequest", message));
        }
    };
    let properties = selected(asked)?;
    let filter = asked.option("$filter").map(|text| Filter::parse(&text)).transpose()?;
    let start = match asked.option("$skiptoken") {
        None => 0,
        Some(token) => token
            .strip_prefix("place-")
            .and_then(|place| place.parse().ok())
            .ok_or_else(|| bad_request("The specified '$skiptoken' is not valid."))?,
    };
    let wanted = |person: &Person| filter.as_ref().is_none_or(|filter| filter.takes(person));
    let mut found = state
        .directory
        .from(start)
        .filter(|(_, entry)| entry.removed.is_none() && wanted(&entry.person));
    let size = top.min(state.manners.page_size.max(1));
    let value: Vec<Value> = found
        .by_ref()
        .take(size)
        .map(|(_, entry)| Value::Object(user(&entry.person, &properties)))
        .collect();
    let mut body = json!({
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users",
        "value": value,
    });
    if let (Some((place, _)), Some(body)) = (found.next(), body.as_object_mut()) {
        let mut link = format!("{}/v1.0/users?", asked.base);
        for name in ["$select", "$top", "$filter"] {
            if let Some(value) = asked.option(name) {
                let value = utf8_percent_encode(&value, NON_ALPHANUMERIC);
                link = format!("{link}{name}={value}&");
            }
        }
        let link = format!("{link}$skiptoken=place-{place}");
        body.insert("@odata.nextLink".to_owned(), json!(link));
    }
    Ok(Answer::ok(body))
}

/// `GET /users/{id or UPN}`.
pub(super) fn one(caller: &Caller, state: &TenantState, asked: &Asked, named: &str) -> Answer {
    let found = || {
        may_read(caller, asked)?;
        let properties = selected(asked)?;
        let person = state.directory.named(named).ok_or_else(|| Answer::no_such_resource(named))?;
        let mut body = user(person, &properties);
        let context = "https://graph.microsoft.com/v1.0/$metadata#users/$entity";
        body.insert("@odata.context".to_owned(), json!(context));
        Ok(Answer::ok(Value::Object(body)))
    };
    found().unwrap_or_else(|refusal| refusal)
}

pub(super) fn may_read(caller: &Caller, asked: &Asked) -> Result<(), Answer> {
    if asked.method != Method::GET {
        return Err(Answer::not_allowed());
    }
    caller.may(Permission::ReadUsers).then_some(()).ok_or_else(Answer::denied)
}

/// The properties asked for, or Graph's own choice.
pub(super) fn selected(asked: &Asked) -> Result<Vec<String>, Answer> {
    let Some(select) = asked.option("$select") else {
        return Ok(DEFAULT_PROPERTIES.map(str::to_owned).to_vec());
    };
    let names: Vec<String> = select.split(',').map(|name| name.trim().to_owned()).collect();
    match names.iter().find(|name| !is_property(name)) {
        Some(unknown) => Err(bad_request(&format!(
            "Could not find a property named '{unknown}' on type 'microsoft.graph.user'."
        ))),
        None => Ok(names),
    }
}

fn is_property(name: &str) -> bool {
    let nobody = Person {
        id: uuid::Uuid::nil().into(),
        name: String::new(),
        user_principal_name: String::new(),
        mail: None,
        aliases: Vec::new(),
        enabled: true,
        teams: false,
        guest: false,
    };
    property(&nobody, name).is_some()
}

/// `a eq 'x' or b eq 'y'`, where a term may also be `proxyAddresses/any(p:p eq 'smtp:x')` or
/// `startswith(a,'x')`: what the directory indexes.
struct Filter(Vec<Term>);

enum Term {
    Equals(String, String),
    StartsWith(String, String),
    AnyEquals(String, String),
}

impl Filter {
    fn parse(text: &str) -> Result<Self, Answer> {
        let terms = text.split(" or ").map(|term| Term::parse(term.trim()));
        let terms: Option<Vec<_>> = terms.collect();
        let unsupported = || {
            let status = axum::http::StatusCode::BAD_REQUEST;
            Answer::refused(
                status,
                "Request_UnsupportedQuery",
                "Unsupported or invalid query filter clause specified.",
            )
        };
        terms.map(Self).ok_or_else(unsupported)
    }

    fn takes(&self, person: &Person) -> bool {
        self.0.iter().any(|term| term.takes(person))
    }
}

impl Term {
    fn parse(term: &str) -> Option<Self> {
        let known = |name: &str| is_property(name).then(|| name.to_owned());
        if let Some(inside) = term.strip_prefix("startswith(").and_then(|t| t.strip_suffix(')')) {
            let (name, value) = inside.split_once(',')?;
            return Some(Self::StartsWith(known(name.trim())?, literal(value)?));
        }
        if let Some((name, inside)) = term.split_once("/any(") {
            let (variable, rest) = inside.strip_suffix(')')?.split_once(':')?;
            let (compared, value) = rest.split_once(" eq ")?;
            let same = compared.trim() == variable.trim();
            return same.then_some(Self::AnyEquals(known(name.trim())?, literal(value)?));
        }
        let (name, value) = term.split_once(" eq ")?;
        Some(Self::Equals(known(name.trim())?, literal(value)?))
    }

    fn takes(&self, person: &Person) -> bool {
        let text = |name: &str| {
            property(person, name).and_then(|value| Some(value.as_str()?.to_lowercase()))
        };
        match self {
            Self::Equals(name, wanted) => text(name).is_some_and(|value| value == *wanted),
            Self::StartsWith(name, wanted) => {
                text(name).is_some_and(|value| value.starts_with(wanted.as_str()))
            }
            Self::AnyEquals(name, wanted) => property(person, name).is_some_and(|values| {
                let values = values.as_array().into_iter().flatten();
                values.filter_map(Value::as_str).any(|value| value.to_lowercase() == *wanted)
            }),
        }
    }
}

/// `'O''Brien'` is `o'brien`: the directory compares without case.
fn literal(text: &str) -> Option<String> {
    let inside = text.trim().strip_prefix('\'')?.strip_suffix('\'')?;
    Some(inside.replace("''", "'").to_lowercase())
}
