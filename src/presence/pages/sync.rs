//! **Sync now**, and watching it step by step.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::{DateTime, Utc};

use super::Live;
use super::health::title_of;
use super::people::Asked;
use crate::accounts::{Account, TheAccount, TheAccountToChange};
use crate::audit::{self, Changes, Entry};
use crate::presence::store::by_hand;
use crate::presence::store::overview::{self, Stage, Standing};
use crate::presence::store::steps::{self, Step};
use crate::presence::trouble::Trouble;
use crate::state::AppState;
use crate::web::{self, AccountTab, Chrome, Page, Partial, Query};

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/accounts/{account}/presence/sync", get(show).post(sync))
        .route("/accounts/{account}/presence/sync/live", get(live))
}

#[derive(Template)]
#[template(path = "presence/sync.html", blocks = ["part"])]
struct SyncPage {
    chrome: Chrome,
    account: Account,
    may_sync: bool,
    over: bool,
    live: Live,
}

/// The part of [`SyncPage`] that moves.
#[derive(Template)]
#[template(path = "presence/sync_steps.html")]
struct Steps {
    account: Account,
    lines: Vec<Line>,
    ended: usize,
    words: String,
    over: bool,
}

/// One step in words.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    kind: &'static str,
    title: &'static str,
    state: &'static str,
    words: String,
    ended_at: Option<DateTime<Utc>>,
    /// What to do about it.
    advice: &'static str,
}

async fn show(State(app): State<AppState>, the: TheAccount) -> web::Result {
    Ok(Page(page(&app, the).await?).into_response())
}

async fn live(
    State(app): State<AppState>,
    the: TheAccount,
    Query(asked): Query<Asked>,
    Partial(partial): Partial,
) -> web::Result {
    if !partial {
        return Ok(web::see_other(format!("/accounts/{}/presence/sync", the.account.id)));
    }
    let page = page(&app, the).await?;
    page.live.clone().unless_seen(&asked.seen, &page.as_part())
}

async fn page(app: &AppState, the: TheAccount) -> web::Result<SyncPage> {
    let (account, now) = (&the.account, app.clock.now());
    let mut db = app.db.acquire().await?;
    let standing = overview::standing(&mut *db, account.id).await?;
    let found = steps::all(&mut *db, account.id).await?;
    let waiting = steps::waiting(&mut *db, account.id, now).await?;
    let lines = lines(&found, &standing, waiting);
    let over = is_over(&found, &standing);
    let part = Steps {
        ended: lines.iter().filter(|line| line.ended_at.is_some()).count(),
        words: sum_up(&lines, &standing, over),
        account: account.clone(),
        lines,
        over,
    };
    Ok(SyncPage {
        chrome: the.chrome("Sync now", AccountTab::Presence),
        may_sync: the.viewer.may_change() && standing.stage == Stage::On,
        live: Live::of(&part)?,
        account: the.account,
        over,
    })
}

const STEPS: [(&str, &str); 5] = [
    ("connect", "Sign in to Microsoft"),
    ("cloudlink", "Read CloudLink users"),
    ("entra", "Read Microsoft Entra changes"),
    ("match", "Match users"),
    ("push", "Push what has changed"),
];

fn is_waited_for(standing: &Standing) -> bool {
    standing.sync_asked_at > standing.directory_refreshed_at
}

/// Nothing will change any more until somebody asks again.
fn is_over(found: &[Step], standing: &Standing) -> bool {
    let ended = |name| found.iter().any(|step| step.step == name && step.ended_at.is_some());
    let failed = found.iter().any(|step| step.trouble.is_some());
    if found.is_empty() {
        !is_waited_for(standing)
    } else {
        ended("push") || failed && ended("match")
    }
}

fn lines(found: &[Step], standing: &Standing, waiting: i64) -> Vec<Line> {
    let failed = found.iter().any(|step| step.trouble.is_some());
    let lines = STEPS.iter().map(|(name, title)| {
        let blank = Line {
            kind: "neutral",
            title,
            state: "waits",
            words: String::new(),
            ended_at: None,
            advice: "",
        };
        let Some(step) = found.iter().find(|step| step.step == *name) else {
            let skipped = failed && *name == "entra";
            return if skipped { Line { state: "left out", ..blank } } else { blank };
        };
        match (&step.trouble, step.ended_at) {
            (Some(trouble), ended_at) => Line {
                kind: "danger",
                state: "failed",
                words: complaint(trouble, step.detail.as_deref().unwrap_or_default()),
                advice: Trouble::by_key(trouble).map_or("", Trouble::advice),
                ended_at,
                ..blank
            },
            (None, None) => Line {
                kind: "working",
                state: "goes on",
                words: so_far(name, step.done, waiting),
                ..blank
            },
            (None, ended_at) => Line {
                kind: "ok",
                state: "done",
                words: done(name, step.done, standing),
                ended_at,
                ..blank
            },
        }
    });
    lines.collect()
}

fn complaint(trouble: &str, detail: &str) -> String {
    let title =
        if trouble == "ours" { "Something went wrong in the portal" } else { title_of(trouble) };
    if detail.is_empty() { format!("{title}.") } else { format!("{title}: {detail}") }
}

fn people(count: i64) -> String {
    if count == 1 { "1 user".to_owned() } else { format!("{count} users") }
}

fn so_far(step: &str, done: i64, waiting: i64) -> String {
    match step {
        "cloudlink" | "entra" if done > 0 => format!("{} so far.", people(done)),
        "push" => format!("{} to go.", people(waiting)),
        _ => String::new(),
    }
}

fn done(step: &str, done: i64, standing: &Standing) -> String {
    match step {
        "connect" => "Microsoft accepted the credentials.".to_owned(),
        "cloudlink" => format!("CloudLink named {}.", people(done)),
        "entra" if done == 0 => "Nothing has changed since the last time.".to_owned(),
        "entra" => format!("{} read or changed.", people(done)),
        "match" if done == 0 => "Every match stays as it was.".to_owned(),
        "match" => format!("{} matched differently than before.", people(done)),
        _ if standing.stage != Stage::On => String::new(),
        _ if done == 0 => "Teams was up to date already.".to_owned(),
        _ => format!("Teams was told about {}.", people(done)),
    }
}

fn sum_up(lines: &[Line], standing: &Standing, over: bool) -> String {
    let failed = lines.iter().filter(|line| line.kind == "danger").count();
    match (over, failed) {
        (true, 0) if lines.iter().all(|line| line.ended_at.is_none()) => {
            "Nobody has asked for a sync yet.".to_owned()
        }
        (true, 0) => "Sync is done.".to_owned(),
        (true, _) => "Sync could not do everything: see below.".to_owned(),
        (false, _) => match lines.iter().find(|line| line.kind == "working") {
            Some(line) => format!("{} …", line.title),
            None if standing.staffed => "The worker is about to begin.".to_owned(),
            None => "No node works for this account yet. One takes it over within 15 seconds."
                .to_owned(),
        },
    }
}

/// Both directories are read again, and what had failed is tried again.
async fn sync(State(app): State<AppState>, the: TheAccountToChange) -> web::Result<Response> {
    let TheAccountToChange { viewer, account } = the;
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let asked = by_hand::ask_for_sync(&mut tx, account.id, now).await?;
    if asked {
        let entry = Entry {
            action: "presence.sync_asked",
            summary: "Asked for both directories to be read again.".to_owned(),
            account: Some((account.id, &account.name)),
            changes: Changes::default(),
        };
        audit::note(&mut tx, &viewer.actor(), entry, now).await?;
    }
    tx.commit().await?;
    app.wakes.ring(account.id);
    let said = if asked {
        "Sync has begun: both directories are being read again."
    } else {
        "There is nothing to sync: presence sync is not switched on for this account."
    };
    Ok(web::see_other_saying(format!("/accounts/{}/presence/sync", account.id), said))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &str, ended: bool, trouble: Option<&str>) -> Step {
        Step {
            step: name.to_owned(),
            began_at: DateTime::UNIX_EPOCH,
            ended_at: ended.then_some(DateTime::UNIX_EPOCH),
            done: 3,
            trouble: trouble.map(str::to_owned),
            detail: trouble.map(|_| "AADSTS7000222".to_owned()),
        }
    }

    #[test]
    fn a_step_that_failed_says_why_and_the_others_go_on() {
        let standing = Standing { stage: Stage::On, ..Standing::default() };
        let found = [
            step("connect", true, Some("secret-expired")),
            step("cloudlink", true, None),
            step("match", true, None),
            step("push", false, None),
        ];
        let lines = lines(&found, &standing, 2);
        let states: Vec<_> = lines.iter().map(|line| line.state).collect();
        assert_eq!(states, ["failed", "done", "left out", "done", "goes on"]);
        assert_eq!(lines[0].words, "The client secret has expired: AADSTS7000222");
        assert!(!lines[0].advice.is_empty());
        assert_eq!(lines[4].words, "2 users to go.");
        assert!(is_over(&found, &standing), "what is not signed in cannot push");
    }

    #[test]
    fn it_is_over_when_everybody_was_told() {
        let asked = Some(DateTime::UNIX_EPOCH);
        let standing = Standing { stage: Stage::On, sync_asked_at: asked, ..Standing::default() };
        assert!(!is_over(&[], &standing), "the worker has yet to begin");
        let running = [step("connect", true, None), step("push", false, None)];
        assert!(!is_over(&running, &standing));
        assert!(is_over(&[step("push", true, None)], &standing));
    }
}
