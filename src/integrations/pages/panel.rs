//! The Integrations panel, wherever it stands, and its own page.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::Deserialize;

use super::the::TheIntegration;
use crate::accounts::{Account, TheAccount, trouble};
use crate::audit::{self, Changes, Entry};
use crate::ids::AccountId;
use crate::integrations::catalog::UpdateStep;
use crate::integrations::credential::Spares;
use crate::integrations::store::Removal;
use crate::integrations::{
    Checked, Connected, Feature, Integration, Monitor, Trouble, Update, reminders, store,
};
use crate::runs::ItemState;
use crate::staff::Viewer;
use crate::state::AppState;
use crate::web::{self, AccountTab, Chrome, Form, Page, see_other_saying};

/// A removal that takes longer than this is waiting for something.
const SLOW: TimeDelta = TimeDelta::seconds(30);

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/accounts/{account}/integrations", get(show))
        .route("/accounts/{account}/integrations/panel", get(part))
        .route(
            "/accounts/{account}/integrations/{integration}/features/presence-sync",
            post(switch),
        )
}

/// What the panel shows, and the panel: a page puts it in whole.
#[derive(Template)]
#[template(path = "integrations/panel.html")]
pub(super) struct Panel {
    account: AccountId,
    may_change: bool,
    /// Even of an account that is being deleted.
    may_forget: bool,
    is_active: bool,
    integration: Option<Integration>,
    /// What is left, while it is being removed.
    removal: Option<Removal>,
    /// Monitors that have yet to be given a new secret.
    waiting: Vec<Monitor>,
    spares: Spares,
    now: DateTime<Utc>,
}

impl Panel {
    pub(super) async fn of(
        app: &AppState,
        account: &Account,
        viewer: &Viewer,
    ) -> anyhow::Result<Self> {
        let mut db = app.db.acquire().await?;
        let integration = store::of_account(&mut *db, account.id).await?;
        let mut waiting = match &integration {
            Some(integration) => store::monitors(&mut *db, account.id, integration.id).await?,
            None => Vec::new(),
        };
        waiting.retain(|monitor| monitor.needs_secret_since.is_some());
        let removing = integration.as_ref().filter(|found| found.removing_since.is_some());
        let removal = match removing {
            Some(_) => store::removal(&mut *db, account.id).await?,
            None => None,
        };
        let spares = match &integration {
            Some(integration) => store::spare::spares(&mut *db, account.id, integration.id).await?,
            None => Spares::default(),
        };
        Ok(Self {
            account: account.id,
            may_forget: viewer.may_change(),
            may_change: viewer.may_change() && account.deleting_since.is_none(),
            is_active: account.is_active(),
            integration,
            removal,
            waiting,
            spares,
            now: app.clock.now(),
        })
    }

    /// Whether a removal takes longer than people wait for.
    fn is_stuck(&self) -> bool {
        let troubled = self.integration.as_ref().is_some_and(|found| found.trouble.is_some());
        let slow = |removal: &Removal| self.now - removal.since > SLOW;
        self.removal.as_ref().is_some_and(|removal| troubled || slow(removal))
    }

    fn at(&self) -> String {
        format!("/accounts/{}/integrations", self.account)
    }

    /// With what it signs in, and how long that is good.
    fn signs_in_with(&self, connection: &Connected) -> String {
        let what = connection.credential.words();
        match connection.expiry.on {
            None => format!("Signs in with a {what}; nobody has said when it expires"),
            Some(day) => {
                let lasts = if day < self.now.date_naive() { "expired on" } else { "good until" };
                let said = connection.expiry.said(self.now);
                format!("Signs in with a {what}, {lasts} {} ({said})", written(day))
            }
        }
    }

    /// What to say of the day on which the secret or certificate expires, if that is soon or past,
    /// and how urgent it is: nothing is, where the next one lies ready.
    fn expiry(&self, connection: &Connected) -> Option<(&'static str, String)> {
        let (day, today) = (connection.expiry.on?, self.now.date_naive());
        reminders::due(day, today)?;
        let (left, what) = ((day - today).num_days(), connection.credential.words());
        let sentence = match left {
            ..0 => format!("By the date known here, the {what} expired on {}.", written(day)),
            0 => format!("The {what} expires today."),
            1 => format!("The {what} expires tomorrow."),
            _ => format!("The {what} expires in {left} days, on {}.", written(day)),
        };
        let next = self.spares.next.as_ref().filter(|next| next.accepted_at.is_some());
        Some(match next {
            Some(next) => {
                let next = next.kind.words();
                ("info", format!("{sentence} The next {next} lies ready and takes over by itself."))
            }
            None if left <= reminders::URGENT => ("warn", sentence),
            None => ("info", sentence),
        })
    }

    /// A certificate that was made and waits for somebody to upload it.
    fn waits_for_upload(&self) -> bool {
        let next = self.spares.next.as_ref();
        next.is_some_and(|next| next.certificate.is_some() && next.accepted_at.is_none())
    }
}

fn written(day: NaiveDate) -> String {
    day.format("%-d %B %Y").to_string()
}

impl Integration {
    /// Its state: kind and words.
    fn state(&self) -> (&'static str, &'static str) {
        match (&self.connection, &self.trouble) {
            _ if self.removing_since.is_some() => {
                ("working", "Removing: clearing presence in Teams…")
            }
            (None, _) => ("warn", "Setup not complete"),
            (Some(_), Some(Trouble { needs_person: true, .. })) => ("danger", "Needs attention"),
            (Some(_), _) => ("ok", "Ready"),
        }
    }

    /// Whether there is one to install, and none being installed.
    fn has_update(&self) -> bool {
        self.connection.is_some()
            && self.release < self.kind.newest().number
            && !self.update.as_ref().is_some_and(|update| update.state.is_open())
    }

    /// Whether the panel is soon to show something else.
    fn is_moving(&self) -> bool {
        self.removing_since.is_some()
            || self.update.as_ref().is_some_and(|update| update.state.is_open())
    }

    fn release_name(&self) -> &'static str {
        self.kind.release(self.release).map_or("newer than this portal", |release| release.name)
    }
}

impl Update {
    fn all_steps(&self) -> usize {
        self.plan.len().max(1)
    }

    /// The step that it is at, in words.
    fn at_step(&self) -> &'static str {
        let at = self.plan.get(usize::try_from(self.step).unwrap_or(0));
        at.map_or("waiting to begin", |name| UpdateStep::label_of(name))
    }
}

impl Checked {
    /// What it came to: kind and words.
    fn verdict(&self) -> (&'static str, String) {
        match (self.reds, self.ambers) {
            (0, 0) => ("ok", "all good".to_owned()),
            (0, 1) => ("warn", "one thing is worth a look".to_owned()),
            (0, ambers) => ("warn", format!("{ambers} things are worth a look")),
            (1, _) => ("danger", "one thing is wrong".to_owned()),
            (reds, _) => ("danger", format!("{reds} things are wrong")),
        }
    }
}

impl Trouble {
    fn kind(&self) -> &'static str {
        if self.needs_person { "danger" } else { "warn" }
    }

    fn title(&self) -> &'static str {
        trouble::title(&self.cause)
    }
}

#[derive(Template)]
#[template(path = "integrations/show.html")]
struct IntegrationsPage {
    chrome: Chrome,
    panel: Panel,
}

async fn show(State(app): State<AppState>, the: TheAccount) -> web::Result<Response> {
    let panel = Panel::of(&app, &the.account, &the.viewer).await?;
    let chrome = the.chrome("Integrations & Apps", AccountTab::Integrations);
    Ok(Page(IntegrationsPage { chrome, panel }).into_response())
}

/// The panel alone, which refreshes itself while something is being removed.
async fn part(State(app): State<AppState>, the: TheAccount) -> web::Result<Response> {
    let panel = Panel::of(&app, &the.account, &the.viewer).await?;
    Ok(Page(panel).into_response())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Switched {
    presence_sync: String,
}

async fn switch(
    State(app): State<AppState>,
    the: TheIntegration,
    Form(switched): Form<Switched>,
) -> web::Result<Response> {
    let (account, now) = (&the.the.account, app.clock.now());
    let on = match switched.presence_sync.as_str() {
        "on" => true,
        "off" => false,
        _ => return Err(web::Error::BadRequest),
    };
    if the.integration.connection.is_none() {
        return Ok(see_other_saying(the.back(), "Complete the setup first."));
    }
    let (action, summary) = if on {
        ("integration.switched_on", "Presence sync was switched on.")
    } else {
        ("integration.switched_off", "Presence sync was switched off.")
    };
    let mut tx = app.db.begin().await?;
    let feature = Feature::PresenceSync;
    if store::set_feature(&mut *tx, account.id, the.integration.id, feature, on, now).await? {
        let entry = Entry {
            action,
            summary: summary.to_owned(),
            account: Some((account.id, &account.name)),
            changes: Changes::default(),
        };
        audit::note(&mut tx, &the.the.viewer.actor(), entry, now).await?;
    }
    tx.commit().await?;

    app.wakes.ring(account.id);
    let said = if on {
        "Presence sync is on. Teams takes a few minutes to show a change."
    } else {
        "Presence sync is off. What it showed in Teams is being cleared."
    };
    Ok(see_other_saying(the.back(), said))
}
