//! The list of users as a file for a spreadsheet: written as it is read, however long it is.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::{DateTime, SecondsFormat, Utc};
use futures_util::stream;

use super::people::{Asked, Row, rows};
use crate::accounts::TheAccount;
use crate::accounts::csv::harmless;
use crate::ids::AccountId;
use crate::presence::store::people::{self, After, Wanted};
use crate::state::AppState;
use crate::web::Query;

const AT_ONCE: i64 = 1_000;
const HEAD: [&str; 9] = [
    "Name",
    "E-mail",
    "CloudLink user id",
    "Sync",
    "Telephone",
    "Since (UTC)",
    "Teams",
    "Note",
    "Last push (UTC)",
];

pub fn routes() -> Router<AppState> {
    Router::new().route("/accounts/{account}/presence/users.csv", get(download))
}

/// Everybody who fits the search and the filter, in the order of the list.
async fn download(
    State(app): State<AppState>,
    the: TheAccount,
    Query(asked): Query<Asked>,
) -> Response {
    let today = app.clock.now().format("%Y-%m-%d");
    let name = format!("attachment; filename=\"users-{today}.csv\"");
    let account = the.account.id;
    let pages = stream::try_unfold(Some(None), move |rest: Option<Option<After>>| {
        let (app, asked) = (app.clone(), asked.clone());
        async move {
            let Some(after) = rest else { return anyhow::Ok(None) };
            let is_first = after.is_none();
            let (rows, next) = page(&app, account, &asked, after).await?;
            Ok(Some((written(is_first, &rows)?, next.map(Some))))
        }
    });
    let headers = [(CONTENT_TYPE, "text/csv; charset=utf-8"), (CONTENT_DISPOSITION, &name)];
    (headers, Body::from_stream(pages)).into_response()
}

async fn page(
    app: &AppState,
    account: AccountId,
    asked: &Asked,
    after: Option<After>,
) -> anyhow::Result<(Vec<Row>, Option<After>)> {
    let (filter, sort) = (asked.filter(), asked.sort());
    let wanted = Wanted { account, filter, search: &asked.q, sort, after, limit: AT_ONCE };
    let (listed, next) = people::page(&app.db, wanted).await?;
    Ok((rows(app, account, listed).await?, next))
}

fn written(with_head: bool, rows: &[Row]) -> anyhow::Result<Vec<u8>> {
    let mut sheet = csv::Writer::from_writer(Vec::new());
    if with_head {
        sheet.write_record(HEAD)?;
    }
    let when = |at: Option<DateTime<Utc>>| {
        at.map_or(String::new(), |at| at.to_rfc3339_opts(SecondsFormat::Secs, true))
    };
    for row in rows {
        let sync = match (row.excluded, row.unmatched, row.paused) {
            (true, ..) => "excluded",
            (_, Some(why), _) => why,
            (.., true) => "paused",
            _ => "in step",
        };
        sheet.write_record([
            harmless(&row.name),
            harmless(&row.email),
            harmless(row.user.as_str()),
            sync.to_owned(),
            harmless(row.telephone.as_deref().unwrap_or_default()),
            when(row.since),
            row.teams.words.to_owned(),
            row.teams.note.map_or(String::new(), |(_, words)| words.to_owned()),
            when(row.pushed_at),
        ])?;
    }
    Ok(sheet.into_inner()?)
}
