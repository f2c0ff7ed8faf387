//! The page: a desk of phones to lift, Teams tiles to watch, and every switch in reach.

mod desk;
mod messages;
mod person;
mod switches;
mod systems;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use serde_json::{Map, Value};

use super::control_api::from_here;
use super::switch::Switch;
use super::world::Customer;
use super::{Controls, NotThere, System};
use crate::ids::TenantId;
use crate::web::{self, Form, OrNotFound, Partial, assets, see_other, styleguide};

pub(super) fn routes() -> Router<Controls> {
    let pages = Router::new()
        .merge(desk::routes())
        .merge(person::routes())
        .merge(switches::routes())
        .merge(systems::routes())
        .merge(messages::routes())
        .route("/switch", post(turn))
        .route("/sandbox.css", get(style))
        .merge(assets::routes())
        .merge(styleguide::routes());
    pages.layer(from_fn(safe_headers)).layer(middleware::from_fn(web::show_problems))
}

/// What stands around every page.
struct Chrome {
    title: String,
    /// The customers to choose from, as far as they fit.
    customers: Vec<CustomerLink>,
    more: usize,
    here: Option<TenantId>,
    /// Every system with what ails it.
    systems: Vec<(System, Option<String>)>,
    assets: assets::Urls,
}

struct CustomerLink {
    name: String,
    tenant: TenantId,
    here: bool,
}

/// More would only have to be scrolled past: the others are reached by their address.
const MOST_LINKS: usize = 100;

impl Chrome {
    fn new(controls: &Controls, title: &str, here: Option<TenantId>) -> Self {
        let all = &controls.world().customers;
        let link = |customer: &Customer| CustomerLink {
            name: customer.name.clone(),
            tenant: customer.tenant,
            here: Some(customer.tenant) == here,
        };
        let mut customers: Vec<_> = all.iter().take(MOST_LINKS).map(link).collect();
        if let Some(hidden) = all.iter().skip(MOST_LINKS).find(|one| Some(one.tenant) == here) {
            customers.push(link(hidden));
        }
        let systems = System::ALL
            .map(|system| (system, controls.trouble_of(system, None).map(|it| it.label())));
        Self {
            title: title.to_owned(),
            more: all.len().saturating_sub(customers.len()),
            customers,
            here,
            systems: systems.into(),
            assets: assets::Urls,
        }
    }
}

fn customer_of(controls: &Controls, tenant: TenantId) -> web::Result<&Customer> {
    controls.world().customers.iter().find(|customer| customer.tenant == tenant).or_not_found()
}

/// Turns a switch from a form, and leads back to the page it stands on.
async fn turn(
    State(controls): State<Controls>,
    Partial(partial): Partial,
    headers: HeaderMap,
    Form(fields): Form<Vec<(String, String)>>,
) -> web::Result {
    if !from_here(&headers) {
        return Err(web::Error::Forbidden);
    }
    let back = fields.iter().find(|(name, _)| name == "back").map(|(_, path)| path.clone());
    let switch: Switch =
        serde_json::from_value(as_json(fields)).map_err(|_| web::Error::BadRequest)?;
    switch.turn(&controls).map_err(|NotThere(_)| web::Error::NotFound)?;
    if partial {
        let changed = (HeaderName::from_static("hx-trigger"), HeaderValue::from_static("changed"));
        return Ok((StatusCode::NO_CONTENT, [changed]).into_response());
    }
    let back = back.filter(|path| path.starts_with('/') && !path.starts_with("//"));
    Ok(see_other(back.as_deref().unwrap_or("/")))
}

/// A form knows only texts: what looks like a number or a yes becomes one, where it is no name.
fn as_json(fields: Vec<(String, String)>) -> Value {
    const TEXTS: [&str; 8] =
        ["name", "address", "email", "mail", "user-principal-name", "whose", "account", "user"];
    let mut object = Map::new();
    for (name, text) in fields {
        let text = text.trim();
        let value = match text {
            _ if text.is_empty() || name == "back" => continue,
            _ if TEXTS.contains(&name.as_str()) => Value::from(text),
            "true" => Value::from(true),
            "false" => Value::from(false),
            _ => text.parse::<u64>().map_or_else(|_| Value::from(text), Value::from),
        };
        object.insert(name, value);
    }
    Value::Object(object)
}

async fn style() -> impl IntoResponse {
    let headers =
        [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
    (headers, include_str!("../../../static/css/sandbox.css"))
}

async fn safe_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let policy = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_says_numbers_and_names() {
        let field = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let fields = vec![
            field("do", "throttle"),
            field("seconds", "30"),
            field("on", "true"),
            field("name", "42"),
            field("address", " "),
            field("back", "/"),
        ];
        let expected =
            serde_json::json!({"do": "throttle", "seconds": 30, "on": true, "name": "42"});
        assert_eq!(as_json(fields), expected);
    }
}
