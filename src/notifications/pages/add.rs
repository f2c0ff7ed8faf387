//! Adding a channel: which kind, then where it leads.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::whose::{Whose, WhoseToChange};
use crate::audit::{self, Changes, Entry};
use crate::ids::ChannelId;
use crate::kit::secret::Secret;
use crate::kit::token;
use crate::notifications::form::{ChannelForm, Details, Way};
use crate::notifications::store::channels::{self, NewChannel, Place};
use crate::notifications::{Kind, key_owner, url_owner};
use crate::post::sign;
use crate::staff::carry;
use crate::state::AppState;
use crate::web::{self, Chrome, FieldErrors, Form, Page, Query, refused, see_other_saying};

/// No list that a person keeps is longer.
const MOST: i64 = 30;

pub(super) fn routes(at: &str) -> Router<AppState> {
    Router::new().route(&format!("{at}/add"), get(ask).post(add))
}

#[derive(Template)]
#[template(path = "notifications/kinds.html")]
struct KindsPage {
    chrome: Chrome,
    at: String,
    mail_is_set_up: bool,
}

#[derive(Template)]
#[template(path = "notifications/add.html")]
struct AddPage {
    chrome: Chrome,
    at: String,
    kind: Kind,
    form: ChannelForm,
    errors: FieldErrors,
    mail_is_set_up: bool,
}

impl AddPage {
    fn with(
        app: &AppState,
        whose: &Whose,
        kind: Kind,
        form: ChannelForm,
        errors: FieldErrors,
    ) -> Self {
        Self {
            chrome: whose.chrome(format!("Add a channel: {}", kind.label())),
            at: whose.at(),
            kind,
            form,
            errors,
            mail_is_set_up: app.post.mail.is_set_up(),
        }
    }
}

async fn ask(
    State(app): State<AppState>,
    WhoseToChange(whose): WhoseToChange,
    Query(mut form): Query<ChannelForm>,
) -> Response {
    let Ok(kind) = form.kind.parse::<Kind>() else {
        let (chrome, at) = (whose.chrome("Add a channel"), whose.at());
        let mail_is_set_up = app.post.mail.is_set_up();
        return Page(KindsPage { chrome, at, mail_is_set_up }).into_response();
    };
    // Whom the customer wants to be asked is whom to tell, unless somebody says otherwise.
    let contacts = whose.account.as_ref().map(|account| account.support_emails.join("\n"));
    form.recipients = contacts.unwrap_or_default();
    Page(AddPage::with(&app, &whose, kind, form, FieldErrors::default())).into_response()
}

async fn add(
    State(app): State<AppState>,
    WhoseToChange(whose): WhoseToChange,
    Form(form): Form<ChannelForm>,
) -> web::Result<Response> {
    let kind: Kind = form.kind.parse().map_err(|_| web::Error::BadRequest)?;
    let refuse = |form, errors| Ok(refused(AddPage::with(&app, &whose, kind, form, errors)));
    let details = match form.parse(kind, true, &app.post.hooks) {
        Ok(details) => details,
        Err(errors) => return refuse(form, errors),
    };
    let id = ChannelId::new();
    let key = (kind == Kind::Webhook).then(sign::new_key);
    if !insert(&app, &whose, id, kind, &details, key.as_ref()).await? {
        let full = format!("There are {MOST} channels here, which is as many as there may be.");
        return refuse(form, FieldErrors::just("form", full));
    }
    let to = format!("{}/{id}", whose.at());
    let said = "The channel is added. Send a test, to see that it arrives.";
    let response = see_other_saying(to, said);
    match key {
        Some(key) => carry::carry(&app, response, &key),
        None => Ok(response),
    }
}

async fn insert(
    app: &AppState,
    whose: &Whose,
    id: ChannelId,
    kind: Kind,
    details: &Details,
    key: Option<&Secret>,
) -> web::Result<bool> {
    let now = app.clock.now();
    let key = key.map(|key| app.sealer.seal(&key_owner(id), key)).transpose()?;
    let kept = KeptPlace::of(app, id, &details.way)?;
    let new = NewChannel {
        id,
        account: whose.id(),
        kind: kind.as_str(),
        name: &details.name,
        place: kept.place(),
        signing_key: key.as_ref(),
    };
    let mut tx = app.db.begin().await?;
    if !channels::insert(&mut *tx, new, MOST, now).await? {
        return Ok(false);
    }
    let entry = Entry {
        action: "notifications.channel_added",
        summary: format!("The channel {} ({}) was added.", details.name, kind.label()),
        account: whose.about(),
        changes: Changes::default().field("Leads to", None::<String>, kept.shown()),
    };
    audit::note(&mut tx, &whose.viewer.actor(), entry, now).await?;
    tx.commit().await?;
    Ok(true)
}

/// Where a channel leads, as it will be kept: its URL sealed.
pub(super) struct KeptPlace {
    recipients: Vec<String>,
    url: Option<(crate::kit::secret::Sealed, String, token::TokenDigest)>,
}

impl KeptPlace {
    pub(super) fn of(app: &AppState, id: ChannelId, way: &Way) -> anyhow::Result<Self> {
        Ok(match way {
            Way::Mail(recipients) => Self { recipients: recipients.clone(), url: None },
            Way::Hook(None) => Self { recipients: Vec::new(), url: None },
            Way::Hook(Some(url)) => {
                let secret = url.secret();
                let sealed = app.sealer.seal(&url_owner(id), &secret)?;
                let url = Some((sealed, url.shown(), token::digest(secret.reveal())));
                Self { recipients: Vec::new(), url }
            }
        })
    }

    pub(super) fn place(&self) -> Place<'_> {
        let (url, shown, digest) = match &self.url {
            Some((url, shown, digest)) => (Some(url), shown.as_str(), Some(digest)),
            None => (None, "", None),
        };
        Place { recipients: &self.recipients, url, url_shown: shown, url_digest: digest }
    }

    /// For Activity, which holds no secret.
    pub(super) fn shown(&self) -> String {
        match &self.url {
            Some((_, shown, _)) => shown.clone(),
            None => self.recipients.join(", "),
        }
    }
}
