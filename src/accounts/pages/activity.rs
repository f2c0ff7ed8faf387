//! Who did what, when and from where: for one account, or for all that the viewer may see.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use crate::accounts::TheAccount;
use crate::accounts::csv::download;
use crate::audit::{self, Record, Wanted};
use crate::kit::text;
use crate::staff::Viewer;
use crate::state::AppState;
use crate::web::{
    self, AccountTab, Chrome, Db, FieldErrors, Partial, Query, Section, refused_in, whole_or_part,
};

const PER_PAGE: i64 = 50;

/// What is asked for, what people call it, and what its actions begin with.
const KINDS: [(&str, &str, &[&str]); 6] = [
    ("", "Everything", &[]),
    ("accounts", "Accounts", &["account", "bulk", "fleet"]),
    ("integrations", "Integrations", &["integration"]),
    ("presence", "Presence", &["presence", "mapping", "user"]),
    ("notifications", "Notifications", &["notifications", "calendar"]),
    ("staff", "Staff", &["staff", "profile", "sign_in", "second_factor"]),
];

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/activity", get(everywhere))
        .route("/activity.csv", get(everywhere_as_csv))
        .route("/accounts/{account}/activity", get(of_account))
        .route("/accounts/{account}/activity.csv", get(of_account_as_csv))
}

/// What the address asks for, as it stands there.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Asked {
    #[serde(skip_serializing_if = "String::is_empty")]
    q: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    kind: String,
    /// The first and the last day, in UTC.
    #[serde(skip_serializing_if = "String::is_empty")]
    from: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    until: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    before: String,
}

impl Asked {
    fn parse(&self) -> (Wanted, FieldErrors) {
        let mut errors = FieldErrors::default();
        let from = errors.take("from", day(&self.from)).flatten();
        let until = errors.take("until", day(&self.until)).flatten();
        if from.zip(until).is_some_and(|(from, until)| from > until) {
            errors.add("until", "The last day comes before the first.");
        }
        let kinds = KINDS.iter().find(|(kind, ..)| *kind == self.kind);
        let wanted = Wanted {
            words: (!self.q.trim().is_empty()).then(|| text::words(&self.q)),
            kinds: kinds.map_or(&[], |(_, _, begins)| begins),
            from: from.map(midnight),
            until: until.and_then(|day| day.checked_add_days(Days::new(1))).map(midnight),
            before: self.before.parse().ok(),
            ..Wanted::default()
        };
        (wanted, errors)
    }

    fn narrows(&self) -> bool {
        [&self.q, &self.kind, &self.from, &self.until].iter().any(|text| !text.trim().is_empty())
    }

    fn query(&self, before: Option<i64>) -> String {
        let before = before.map(|id| id.to_string()).unwrap_or_default();
        serde_html_form::to_string(Self { before, ..self.clone() }).unwrap_or_default()
    }
}

fn day(text: &str) -> Result<Option<NaiveDate>, &'static str> {
    match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| "That is not a day. Write it as 2026-03-31."),
    }
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

#[derive(Template)]
#[template(path = "audit/index.html", blocks = ["results"])]
struct ActivityPage {
    chrome: Chrome,
    /// The address of this page, without what is asked.
    here: String,
    of_account: bool,
    asked: Asked,
    errors: FieldErrors,
    records: Vec<Record>,
    newest: Option<String>,
    older: Option<String>,
}

impl ActivityPage {
    fn kinds() -> [(&'static str, &'static str); 6] {
        KINDS.map(|(kind, label, _)| (kind, label))
    }
}

async fn everywhere(
    viewer: Viewer,
    Db(mut db): Db,
    partial: Partial,
    Query(asked): Query<Asked>,
) -> web::Result<Response> {
    let chrome = viewer.chrome("Activity", Section::Activity);
    let all = Wanted { scope: viewer.scope(), ..Wanted::default() };
    show(&mut db, chrome, "/activity".to_owned(), all, asked, partial).await
}

async fn of_account(
    the: TheAccount,
    Db(mut db): Db,
    partial: Partial,
    Query(asked): Query<Asked>,
) -> web::Result<Response> {
    let chrome = the.chrome("Activity", AccountTab::Activity);
    let all = Wanted { account: Some(the.account.id), ..Wanted::default() };
    show(&mut db, chrome, format!("/accounts/{}/activity", the.account.id), all, asked, partial)
        .await
}

/// Shows those of `all` that are asked for.
async fn show(
    db: &mut PgConnection,
    chrome: Chrome,
    here: String,
    all: Wanted,
    asked: Asked,
    partial: Partial,
) -> web::Result<Response> {
    let (narrowed, errors) = asked.parse();
    let wanted = Wanted { scope: all.scope, account: all.account, ..narrowed };
    let mut records = if errors.is_empty() {
        audit::records(&mut *db, &wanted, PER_PAGE + 1).await?
    } else {
        Vec::new()
    };
    let fitting = usize::try_from(PER_PAGE)?;
    let more = records.len() > fitting;
    records.truncate(fitting);
    let at = |before| format!("{here}?{}", asked.query(before));
    let older = records.last().filter(|_| more).map(|last| at(Some(last.id)));
    let newest = wanted.before.map(|_| at(None));
    let of_account = all.account.is_some();
    let page = ActivityPage { chrome, here, of_account, asked, errors, records, newest, older };
    Ok(if page.errors.is_empty() {
        whole_or_part(partial, &page, page.as_results())
    } else {
        refused_in(partial, &page, page.as_results())
    })
}

async fn everywhere_as_csv(
    State(app): State<AppState>,
    viewer: Viewer,
    db: Db,
    Query(asked): Query<Asked>,
) -> web::Result<Response> {
    let (wanted, errors) = asked.parse();
    if !errors.is_empty() {
        return everywhere(viewer, db, Partial(false), Query(asked)).await;
    }
    let wanted = Wanted { scope: viewer.scope(), before: None, ..wanted };
    Ok(download(app.db, wanted, app.clock.now()))
}

async fn of_account_as_csv(
    State(app): State<AppState>,
    the: TheAccount,
    db: Db,
    Query(asked): Query<Asked>,
) -> web::Result<Response> {
    let (wanted, errors) = asked.parse();
    if !errors.is_empty() {
        return of_account(the, db, Partial(false), Query(asked)).await;
    }
    let wanted = Wanted { account: Some(the.account.id), before: None, ..wanted };
    Ok(download(app.db, wanted, app.clock.now()))
}
