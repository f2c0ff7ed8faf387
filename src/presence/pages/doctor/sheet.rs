//! The list as a file for a spreadsheet, in the form in which it is taken back.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::stream;
use sqlx::PgPool;

use super::list::Asked;
use super::offer::{Offer, why};
use crate::accounts::{TheAccount, harmless};
use crate::ids::AccountId;
use crate::kit::text::{anywhere, sought};
use crate::presence::match_file::{MATCH, USER};
use crate::presence::store::doctor::{self, Show, Wanted};
use crate::presence::store::people::After;
use crate::state::AppState;
use crate::web::{self, Query};

const AT_ONCE: i64 = 500;

pub fn routes() -> Router<AppState> {
    Router::new().route("/accounts/{account}/presence/matching.csv", get(download))
}

/// Written as it is read, however much there is.
async fn download(
    State(app): State<AppState>,
    the: TheAccount,
    Query(asked): Query<Asked>,
) -> web::Result<Response> {
    let day = app.clock.now().format("%Y-%m-%d");
    let name = format!("attachment; filename=\"matching-{day}.csv\"");
    let list = List {
        db: app.db,
        account: the.account.id,
        show: asked.shown(),
        search: anywhere(&sought(&asked.q)),
    };
    let begin = Some((list, None::<After>, true));
    let rows = stream::try_unfold(begin, |rest| async move {
        let Some((list, after, is_first)) = rest else { return anyhow::Ok(None) };
        let (part, next) = list.part(after, is_first).await?;
        Ok(Some((part, next.map(|next| (list, Some(next), false)))))
    });
    let headers = [(CONTENT_TYPE, "text/csv; charset=utf-8"), (CONTENT_DISPOSITION, name.as_str())];
    Ok((headers, Body::from_stream(rows)).into_response())
}

struct List {
    db: PgPool,
    account: AccountId,
    show: Show,
    search: String,
}

impl List {
    async fn part(
        &self,
        after: Option<After>,
        is_first: bool,
    ) -> anyhow::Result<(Vec<u8>, Option<After>)> {
        let Self { db, account, show, search } = self;
        let wanted = Wanted { account: *account, show: *show, search, after, limit: AT_ONCE };
        let (listed, next) = doctor::page(db, wanted).await?;
        let candidates = if *show == Show::ByHand {
            Vec::new()
        } else {
            doctor::candidates(db, *account, &listed).await?
        };
        let mut sheet = csv::Writer::from_writer(Vec::new());
        if is_first {
            let head = [USER, "Name", "E-mail", "Why", MATCH, "Suggestion", "Suggested because"];
            sheet.write_record(head)?;
        }
        for one in &listed {
            let own: Vec<_> =
                candidates.iter().filter(|other| other.user == one.user).cloned().collect();
            let nearest = own.iter().map(Offer::of).find(|offer| offer.can_be_had);
            let why = if one.by_hand { "Matched by hand" } else { why(one, &own) };
            sheet.write_record([
                harmless(one.user.as_str()),
                harmless(&one.name),
                harmless(&one.email),
                why.to_owned(),
                harmless(one.entra_address.as_deref().unwrap_or_default()),
                harmless(nearest.as_ref().map_or("", |offer| &offer.address)),
                nearest.map(|offer| offer.alike).unwrap_or_default(),
            ])?;
        }
        Ok((sheet.into_inner()?, next))
    }
}
