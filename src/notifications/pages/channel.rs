//! One channel: what it was told last, a test, and every change to it.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use chrono::TimeDelta;

use super::add::KeptPlace;
use super::whose::{TheChannel, TheChannelToChange};
use crate::audit::{self, Changes, Entry};
use crate::kit::secret::Secret;
use crate::notifications::deliver::{Tried, send_test};
use crate::notifications::form::{ChannelForm, Details, Way};
use crate::notifications::store::outbox::{self, Delivery};
use crate::notifications::store::{channels, told};
use crate::notifications::{Channel, Kind, key_owner};
use crate::post::{Refused, sign};
use crate::staff::carry;
use crate::staff::store::attempts::{self, Limit};
use crate::state::AppState;
use crate::web::{self, Chrome, FieldErrors, Form, Page, refused, see_other_saying};

const LATEST: i64 = 30;
/// A test goes out at once, to whatever address somebody entered: so there are only so many.
const TESTS: Limit = Limit {
    free: 20,
    first_wait: TimeDelta::seconds(30),
    longest_wait: TimeDelta::minutes(10),
    memory: TimeDelta::hours(1),
};

pub(super) fn routes(at: &str) -> Router<AppState> {
    let at = format!("{at}/{{channel}}");
    Router::new()
        .route(&at, get(show).post(change))
        .route(&format!("{at}/test"), post(test))
        .route(&format!("{at}/key"), post(new_key))
        .route(&format!("{at}/remove"), post(remove))
}

#[derive(Template)]
#[template(path = "notifications/channel.html")]
struct ChannelPage {
    chrome: Chrome,
    back: String,
    at: String,
    channel: Channel,
    form: ChannelForm,
    errors: FieldErrors,
    deliveries: Vec<Delivery>,
    /// The signing key, the one time it is shown.
    key: Option<Secret>,
    /// What came of the test that was just made.
    tried: Tried,
    mail_is_set_up: bool,
    may_change: bool,
}

impl ChannelPage {
    async fn of(app: &AppState, the: &TheChannel) -> web::Result<Self> {
        let (whose, channel) = (&the.whose, &the.channel);
        let deliveries = outbox::latest(&app.db, whose.id(), Some(channel.id), LATEST).await?;
        Ok(Self {
            chrome: whose.chrome(channel.name.clone()),
            back: whose.at(),
            at: the.at(),
            form: ChannelForm::from(channel),
            channel: channel.clone(),
            errors: FieldErrors::default(),
            deliveries,
            key: None,
            tried: Vec::new(),
            mail_is_set_up: app.post.mail.is_set_up(),
            may_change: whose.viewer.may_change(),
        })
    }

    fn url_label(&self) -> &'static str {
        url_label(self.channel.kind)
    }
}

async fn show(
    State(app): State<AppState>,
    the: TheChannel,
    headers: HeaderMap,
) -> web::Result<Response> {
    let mut page = ChannelPage::of(&app, &the).await?;
    page.key = fresh_key(&app, &the.channel, &headers).await?;
    let shown = page.key.is_some();
    let response = Page(page).into_response();
    if shown { carry::shown(&app, response) } else { Ok(response) }
}

/// The signing key that the step before this one made, if it is this channel's.
async fn fresh_key(
    app: &AppState,
    channel: &Channel,
    headers: &HeaderMap,
) -> web::Result<Option<Secret>> {
    let Some(carried) = carry::carried(app, headers) else { return Ok(None) };
    let kept = channels::kept(&app.db, channel.id).await?;
    let Some(sealed) = kept.and_then(|kept| kept.signing_key) else { return Ok(None) };
    let key = app.sealer.open(&key_owner(channel.id), &sealed)?;
    Ok((key.reveal() == carried.reveal()).then_some(key))
}

async fn change(
    State(app): State<AppState>,
    TheChannelToChange(the): TheChannelToChange,
    Form(form): Form<ChannelForm>,
) -> web::Result<Response> {
    let details = match form.parse(the.channel.kind, false, &app.post.hooks) {
        Ok(details) => details,
        Err(errors) => {
            let page = ChannelPage { form, errors, ..ChannelPage::of(&app, &the).await? };
            return Ok(refused(page));
        }
    };
    save(&app, &the, &details).await?;
    Ok(see_other_saying(the.at(), "Saved. Send a test, to see that it arrives."))
}

async fn save(app: &AppState, the: &TheChannel, details: &Details) -> web::Result<()> {
    let (channel, now) = (&the.channel, app.clock.now());
    let kept = KeptPlace::of(app, channel.id, &details.way)?;
    let leads_to = match &details.way {
        Way::Hook(None) => channel.leads_to(),
        _ => kept.shown(),
    };
    let mut tx = app.db.begin().await?;
    channels::change(&mut *tx, channel.id, &details.name, kept.place()).await?;
    if let Way::Mail(recipients) = &details.way {
        outbox::drop_strangers(&mut *tx, channel.id, recipients).await?;
    }
    // A new chance for what it could not tell before.
    told::forget_given_up(&mut *tx, channel.id).await?;
    outbox::hurry(&mut *tx, channel.id, now).await?;
    let entry = Entry {
        action: "notifications.channel_changed",
        summary: format!("The channel {} was changed.", details.name),
        account: the.whose.about(),
        changes: Changes::default()
            .field("Name", channel.name.as_str(), details.name.as_str())
            .field("Leads to", channel.leads_to(), leads_to),
    };
    audit::note(&mut tx, &the.whose.viewer.actor(), entry, now).await?;
    tx.commit().await?;
    Ok(())
}

/// **Send a test**: what the other side answered is shown as it is.
async fn test(
    State(app): State<AppState>,
    TheChannelToChange(the): TheChannelToChange,
) -> web::Result<Response> {
    let tried = match take_turn(&app, &the).await? {
        Ok(()) => send_test(&app, &the.channel).await?,
        Err(seconds) => {
            let answer = format!("Too many tests. Try again in {seconds} seconds.");
            let refused = Refused { answer, lasting: false, retry_after: None };
            vec![(String::new(), Err(refused))]
        }
    };
    if let [(_, Ok(taken))] = tried.as_slice() {
        let said = format!("The test was taken. The answer: {}", taken.answer);
        return Ok(see_other_saying(the.at(), &said));
    }
    if tried.iter().all(|(_, answer)| answer.is_ok()) {
        let said = format!("All {} tests were taken by the mail server.", tried.len());
        return Ok(see_other_saying(the.at(), &said));
    }
    let TheChannel { whose, channel } = the;
    let found = channels::of(&app.db, whose.id(), Some(channel.id)).await?;
    let the = TheChannel { whose, channel: found.into_iter().next().unwrap_or(channel) };
    let page = ChannelPage { tried, ..ChannelPage::of(&app, &the).await? };
    Ok((StatusCode::BAD_GATEWAY, Page(page)).into_response())
}

/// Counts a test of somebody's; or says how many seconds they have to wait.
async fn take_turn(app: &AppState, the: &TheChannel) -> sqlx::Result<Result<(), i64>> {
    let (subject, now) = (format!("test {}", the.whose.viewer.staff), app.clock.now());
    let mut tx = app.db.begin().await?;
    let taken = attempts::take(&mut tx, &subject, TESTS, now).await?;
    tx.commit().await?;
    Ok(taken.map_err(|until| (until - now).num_seconds().max(1)))
}

async fn new_key(
    State(app): State<AppState>,
    TheChannelToChange(the): TheChannelToChange,
) -> web::Result<Response> {
    let (channel, now) = (&the.channel, app.clock.now());
    if channel.kind != Kind::Webhook {
        return Err(web::Error::NotFound);
    }
    let key = sign::new_key();
    let sealed = app.sealer.seal(&key_owner(channel.id), &key)?;
    let mut tx = app.db.begin().await?;
    channels::set_signing_key(&mut *tx, channel.id, &sealed).await?;
    let entry = Entry {
        action: "notifications.key_replaced",
        summary: format!("The channel {} has a new signing key.", channel.name),
        account: the.whose.about(),
        changes: Changes::default(),
    };
    audit::note(&mut tx, &the.whose.viewer.actor(), entry, now).await?;
    tx.commit().await?;
    carry::carry(&app, see_other_saying(the.at(), "There is a new signing key."), &key)
}

async fn remove(
    State(app): State<AppState>,
    TheChannelToChange(the): TheChannelToChange,
) -> web::Result<Response> {
    let (channel, now) = (&the.channel, app.clock.now());
    let mut tx = app.db.begin().await?;
    if channels::remove(&mut *tx, channel.id).await? {
        let entry = Entry {
            action: "notifications.channel_removed",
            summary: format!("The channel {} was removed.", channel.name),
            account: the.whose.about(),
            changes: Changes::default().field("Leads to", channel.leads_to(), None::<String>),
        };
        audit::note(&mut tx, &the.whose.viewer.actor(), entry, now).await?;
    }
    tx.commit().await?;
    let said = format!("The channel {} is removed. Nothing more is sent to it.", channel.name);
    Ok(see_other_saying(the.whose.at(), &said))
}

pub(super) fn url_label(kind: Kind) -> &'static str {
    match kind {
        Kind::Slack => "Incoming webhook URL",
        Kind::Teams => "Workflow URL",
        Kind::Webhook | Kind::Mail => "URL",
    }
}
