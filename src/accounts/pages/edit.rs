//! Adding an account, and changing what is said of one.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::accounts::form::{AccountForm, Details};
use crate::accounts::store::{self, WriteError};
use crate::accounts::{Account, TheAccountToChange, places};
use crate::audit::{self, Changes, Entry};
use crate::ids::AccountId;
use crate::staff::PartnerAdmin;
use crate::state::AppState;
use crate::web::{
    self, AccountTab, Chrome, FieldErrors, Form, Page, Section, refused, see_other_saying,
};

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/accounts/new", get(new).post(create))
        .route("/accounts/{account}/edit", get(edit).post(update))
}

/// New, edit and refused alike.
#[derive(Template)]
#[template(path = "accounts/edit.html")]
struct EditPage {
    chrome: Chrome,
    /// None: it is to be added.
    account: Option<AccountId>,
    form: AccountForm,
    errors: FieldErrors,
}

impl EditPage {
    fn action(&self) -> String {
        self.account.map_or_else(|| "/accounts/new".to_owned(), |id| format!("/accounts/{id}/edit"))
    }

    /// What is to be found there.
    fn behind(&self) -> &'static str {
        if self.account.is_some() { "Account information" } else { "Accounts" }
    }

    fn back(&self) -> String {
        self.account.map_or_else(|| "/accounts".to_owned(), |id| format!("/accounts/{id}"))
    }
}

async fn new(PartnerAdmin(viewer): PartnerAdmin) -> Response {
    let chrome = viewer.chrome("Add account", Section::Accounts);
    let (form, errors) = Default::default();
    Page(EditPage { chrome, account: None, form, errors }).into_response()
}

async fn create(
    State(app): State<AppState>,
    PartnerAdmin(viewer): PartnerAdmin,
    Form(form): Form<AccountForm>,
) -> web::Result<Response> {
    let refuse = |form, errors| {
        let chrome = viewer.chrome("Add account", Section::Accounts);
        Ok(refused(EditPage { chrome, account: None, form, errors }))
    };
    let details = match form.parse() {
        Ok(details) => details,
        Err(errors) => return refuse(form, errors),
    };
    let (id, now) = (AccountId::new(), app.clock.now());

    let mut tx = app.db.begin().await?;
    match store::insert(&mut *tx, id, &details, now).await {
        Ok(()) => {}
        Err(WriteError::CloudlinkIdTaken) => return refuse(form, taken()),
        Err(error) => return Err(error.into()),
    }
    let entry = Entry {
        action: "account.created",
        summary: format!("{} was added.", details.name),
        account: Some((id, &details.name)),
        changes: Changes::default(),
    };
    audit::note(&mut tx, &viewer.actor(), entry, now).await?;
    tx.commit().await?;

    let said = format!("{} is added. Now add Microsoft Teams to it.", details.name);
    Ok(see_other_saying(format!("/accounts/{id}"), &said))
}

async fn edit(the: TheAccountToChange) -> Response {
    let page = EditPage {
        chrome: the.chrome("Edit customer information", AccountTab::Information),
        account: Some(the.account.id),
        form: AccountForm::from(&the.account),
        errors: FieldErrors::default(),
    };
    Page(page).into_response()
}

async fn update(
    State(app): State<AppState>,
    the: TheAccountToChange,
    Form(mut form): Form<AccountForm>,
) -> web::Result<Response> {
    if !the.viewer.is_partner() {
        // Whose telephones these are is the partner's to say.
        let own = the.account.cloudlink_id.as_str();
        if !["", own].contains(&form.cloudlink_id.trim()) {
            return Err(web::Error::Forbidden);
        }
        own.clone_into(&mut form.cloudlink_id);
    }
    let refuse = |form, errors| {
        let chrome = the.chrome("Edit customer information", AccountTab::Information);
        Ok(refused(EditPage { chrome, account: Some(the.account.id), form, errors }))
    };
    let details = match form.parse() {
        Ok(details) => details,
        Err(errors) => return refuse(form, errors),
    };
    let (id, now) = (the.account.id, app.clock.now());
    let changes = changes(&the.account, &details);
    if changes.is_empty() {
        return Ok(see_other_saying(format!("/accounts/{id}"), "Nothing was changed."));
    }

    let mut tx = app.db.begin().await?;
    match store::update(&mut *tx, id, &details, now).await {
        Ok(()) => {}
        Err(WriteError::CloudlinkIdTaken) => return refuse(form, taken()),
        Err(WriteError::CloudlinkIdInUse) => return refuse(form, in_use()),
        Err(error) => return Err(error.into()),
    }
    let entry = Entry {
        action: "account.changed",
        summary: "The customer information was changed.".to_owned(),
        account: Some((id, &details.name)),
        changes,
    };
    audit::note(&mut tx, &the.viewer.actor(), entry, now).await?;
    tx.commit().await?;

    app.wakes.ring(id);
    Ok(see_other_saying(format!("/accounts/{id}"), "The customer information is saved."))
}

fn taken() -> FieldErrors {
    FieldErrors::just("cloudlink_id", "Another account here has that CloudLink account id.")
}

fn in_use() -> FieldErrors {
    let advice = "The phones of the present CloudLink account are in sync. Switch presence sync \
                  off first, and wait until Teams is cleared.";
    FieldErrors::just("cloudlink_id", advice)
}

fn changes(old: &Account, new: &Details) -> Changes {
    Changes::default()
        .field("Customer name", old.name.as_str(), new.name.as_str())
        .field("CloudLink account id", old.cloudlink_id.as_str(), new.cloudlink_id.as_str())
        .field("Country", old.country.as_str(), new.country.as_str())
        .field("Address", old.address.as_str(), new.address.as_str())
        .field("City", old.city.as_str(), new.city.as_str())
        .field("Postal code", old.postal_code.as_str(), new.postal_code.as_str())
        .field("Default language", old.language.as_str(), new.language.as_str())
        .field(
            "Support contact e-mails",
            old.support_emails.as_slice(),
            new.support_emails.as_slice(),
        )
}
