//! The dialog that adds an application to an account.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use crate::accounts::{Account, TheAccountToChange};
use crate::audit::{self, Changes, Entry};
use crate::ids::IntegrationId;
use crate::integrations::catalog::Maker;
use crate::integrations::store::{self, WriteError};
use crate::integrations::{Integration, Kind};
use crate::state::AppState;
use crate::web::{self, AccountTab, Chrome, Form, Partial, Query, see_other, whole_or_part};

pub fn routes() -> Router<AppState> {
    Router::new().route("/accounts/{account}/integrations/add", get(choose).post(add))
}

/// As the address names the tab of third parties.
const THIRD_PARTY: &str = "3rd-party";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    tab: String,
}

#[derive(Template)]
#[template(path = "integrations/add.html", blocks = ["dialog"])]
struct AddPage {
    chrome: Chrome,
    account: Account,
    tab: Maker,
    integration: Option<Integration>,
    /// Why it was not added.
    complaint: Option<&'static str>,
}

impl AddPage {
    fn back(&self) -> String {
        format!("/accounts/{}/integrations", self.account.id)
    }

    /// What stands on this tab, each with what the account has of it.
    fn offers(&self) -> impl Iterator<Item = (Kind, Option<&Integration>)> {
        let kinds = Kind::ALL.into_iter().filter(|kind| kind.maker() == self.tab);
        kinds.map(|kind| (kind, self.has(kind)))
    }

    fn has(&self, kind: Kind) -> Option<&Integration> {
        self.integration.as_ref().filter(|integration| integration.kind == kind)
    }
}

async fn page(
    app: &AppState,
    the: &TheAccountToChange,
    tab: Maker,
    complaint: Option<&'static str>,
) -> web::Result<AddPage> {
    Ok(AddPage {
        chrome: the.chrome("Add new integration", AccountTab::Integrations),
        account: the.account.clone(),
        tab,
        integration: store::of_account(&app.db, the.account.id).await?,
        complaint,
    })
}

async fn choose(
    State(app): State<AppState>,
    the: TheAccountToChange,
    partial: Partial,
    Query(asked): Query<Asked>,
) -> web::Result<Response> {
    let tab = if asked.tab == THIRD_PARTY { Maker::ThirdParty } else { Maker::Mitel };
    let page = page(&app, &the, tab, None).await?;
    Ok(whole_or_part(partial, &page, page.as_dialog()))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Chosen {
    kind: String,
}

async fn add(
    State(app): State<AppState>,
    the: TheAccountToChange,
    Partial(partial): Partial,
    Form(chosen): Form<Chosen>,
) -> web::Result<Response> {
    let kind: Kind = chosen.kind.parse().map_err(|_| web::Error::BadRequest)?;
    let (account, now) = (&the.account, app.clock.now());

    let mut tx = app.db.begin().await?;
    let added = store::add(&mut *tx, account.id, IntegrationId::new(), kind, now).await;
    if added.is_ok() {
        let entry = Entry {
            action: "integration.added",
            summary: format!("{} was added.", kind.label()),
            account: Some((account.id, &account.name)),
            changes: Changes::default(),
        };
        audit::note(&mut tx, &the.viewer.actor(), entry, now).await?;
        tx.commit().await?;
    } else {
        tx.rollback().await?;
    }

    let tab = kind.maker();
    let mut page = page(&app, &the, tab, None).await?;
    match added {
        Ok(()) => {}
        // Pressed twice, or by two people: it is there, which is all that was wanted.
        Err(WriteError::AlreadyThere)
            if page.has(kind).is_some_and(|found| found.removing_since.is_none()) => {}
        Err(WriteError::AlreadyThere) => {
            page.complaint = Some(
                "It is still being removed. Wait until presence in Teams is cleared, then add it again.",
            );
        }
        Err(WriteError::AccountGoes) => {
            page.complaint = Some("This account is being deleted: nothing can be added to it.");
        }
        Err(error) => return Err(error.into()),
    }
    Ok(if page.complaint.is_some() {
        let page = whole_or_part(Partial(partial), &page, page.as_dialog());
        (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
    } else if partial {
        whole_or_part(Partial(true), &page, page.as_dialog())
    } else {
        see_other(format!("{}/add?tab={THIRD_PARTY}", page.back()))
    })
}
