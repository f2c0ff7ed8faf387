//! Matches from a file: sent, shown line by line, and only then applied.

use askama::Template;
use axum::Router;
use axum::extract::multipart::{Multipart, MultipartError};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use serde::Deserialize;
use uuid::Uuid;

use super::verdicts::{Verdict, verdicts};
use super::{Changed, at, note_changes};
use crate::accounts::TheAccountToChange;
use crate::ids::AccountId;
use crate::presence::match_file::{self, AUTOMATIC, MATCH, USER};
use crate::presence::store::{by_hand, lock, match_file as store};
use crate::state::AppState;
use crate::web::{
    self, AccountTab, Chrome, FieldErrors, OrNotFound, Page, Path, refused, see_other,
    see_other_saying,
};

/// What comes with the file: boundaries, and a text beside it.
const ROOM: usize = 64 * 1024;
/// So many lines of each kind are shown.
const SHOWN: usize = 100;

pub fn routes() -> Router<AppState> {
    let limit = DefaultBodyLimit::max(match_file::MOST_BYTES + ROOM);
    Router::new()
        .route("/accounts/{account}/presence/matching/file", get(ask).post(send).layer(limit))
        .route("/accounts/{account}/presence/matching/file/{file}", get(look).post(apply))
}

#[derive(Template)]
#[template(path = "presence/doctor/send.html")]
struct SendPage {
    chrome: Chrome,
    at: String,
    text: String,
    errors: FieldErrors,
}

impl SendPage {
    fn of(the: &TheAccountToChange, text: String, errors: FieldErrors) -> Self {
        let chrome = the.chrome("Matches from a file", AccountTab::Presence);
        Self { chrome, at: at(the.account.id), text, errors }
    }
}

async fn ask(the: TheAccountToChange) -> Page<SendPage> {
    Page(SendPage::of(&the, String::new(), FieldErrors::default()))
}

async fn send(
    State(app): State<AppState>,
    the: TheAccountToChange,
    parts: Multipart,
) -> web::Result {
    let refuse = |text: String, complaint: String| {
        let field = if text.is_empty() { "file" } else { "text" };
        refused(SendPage::of(&the, text, FieldErrors::just(field, complaint)))
    };
    let (file, text) = match sent(parts).await {
        Ok(sent) => sent,
        Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return Ok(refuse(String::new(), "The file is larger than 2 MB. Split it.".to_owned()));
        }
        Err(_) => return Err(web::Error::BadRequest),
    };
    if file.is_empty() && text.trim().is_empty() {
        return Ok(refuse(String::new(), "Choose a file, or paste its lines below.".to_owned()));
    }
    let bytes = if file.is_empty() { text.trim().as_bytes() } else { file.as_slice() };
    let lines = match match_file::read(bytes) {
        Ok(lines) => lines,
        Err(refusal) => {
            let text = if file.is_empty() { text } else { String::new() };
            return Ok(refuse(text, refusal.to_string()));
        }
    };
    let (account, now) = (the.account.id, app.clock.now());
    let mut tx = app.db.begin().await?;
    let id = store::keep(&mut tx, account, the.viewer.staff, &lines, now).await?;
    tx.commit().await?;
    Ok(see_other(format!("{}/file/{id}", at(account))))
}

/// The file, and what was pasted.
async fn sent(mut parts: Multipart) -> Result<(Vec<u8>, String), MultipartError> {
    let (mut file, mut text) = (Vec::new(), String::new());
    while let Some(field) = parts.next_field().await? {
        match field.name() {
            Some("file") => file = field.bytes().await?.to_vec(),
            Some("text") => text = field.text().await?,
            _ => {}
        }
    }
    Ok((file, text))
}

#[derive(Deserialize)]
struct InPath {
    file: Uuid,
}

#[derive(Template)]
#[template(path = "presence/doctor/preview.html")]
struct PreviewPage {
    chrome: Chrome,
    at: String,
    file: Uuid,
    /// Lines to be matched, undone, left as they are, and that are wrong.
    matched: usize,
    undone: usize,
    same: usize,
    wrong: usize,
    shown: Vec<Verdict>,
    hidden: usize,
}

async fn look(
    State(app): State<AppState>,
    the: TheAccountToChange,
    Path(InPath { file }): Path<InPath>,
) -> web::Result {
    let account = the.account.id;
    let lines = store::find(&app.db, account, file, the.viewer.staff).await?.or_not_found()?;
    let mut verdicts = verdicts(&app.db, account, &lines).await?;
    let count = |kind: &str| verdicts.iter().filter(|verdict| verdict.kind() == kind).count();
    let (matched, undone) = (count("match"), count("undo"));
    let (same, wrong) = (count("same"), count("wrong"));
    // What is wrong first, each kind in the order of the file.
    verdicts.sort_by_key(|verdict| (verdict.rank(), verdict.number));
    let mut shown = Vec::new();
    for kind in ["wrong", "match", "undo", "same"] {
        shown.extend(verdicts.iter().filter(|one| one.kind() == kind).take(SHOWN).cloned());
    }
    let hidden = verdicts.len() - shown.len();
    let chrome = the.chrome("Matches from a file", AccountTab::Presence);
    let at = at(account);
    Ok(Page(PreviewPage { chrome, at, file, matched, undone, same, wrong, shown, hidden })
        .into_response())
}

async fn apply(
    State(app): State<AppState>,
    the: TheAccountToChange,
    Path(InPath { file }): Path<InPath>,
) -> web::Result {
    let (account, now) = (&the.account, app.clock.now());
    let back = at(account.id);
    let found = store::find(&app.db, account.id, file, the.viewer.staff).await?;
    let Some(lines) = found else {
        let said = "That file was applied already, or is older than a day: send it again.";
        return Ok(see_other_saying(back, said));
    };
    let mut tx = app.db.begin().await?;
    lock(&mut tx, account.id).await?;
    // Looked at once more: something may have changed since it was shown.
    let verdicts = verdicts(&mut *tx, account.id, &lines).await?;
    let done = change(&mut tx, &the, &verdicts, now).await?;
    store::forget(&mut *tx, account.id, file).await?;
    tx.commit().await?;
    app.wakes.ring(account.id);
    let wrong = verdicts.iter().filter(|verdict| verdict.kind() == "wrong").count();
    let rest = match wrong {
        0 => String::new(),
        1 => " One line was left out.".to_owned(),
        many => format!(" {many} lines were left out."),
    };
    Ok(see_other_saying(back, &format!("{done}{rest}")))
}

async fn change(
    tx: &mut sqlx::PgConnection,
    the: &TheAccountToChange,
    verdicts: &[Verdict],
    now: chrono::DateTime<chrono::Utc>,
) -> sqlx::Result<String> {
    let account = the.account.id;
    let whose: (AccountId, &str) = (account, &the.account.name);
    let pairs: Vec<_> = verdicts.iter().filter_map(Verdict::pair).collect();
    let undone: Vec<_> = verdicts.iter().filter_map(Verdict::undone).collect();
    let actor = the.viewer.actor();
    if !undone.is_empty() {
        let names = by_hand::match_all_automatically(&mut *tx, account, &undone, now).await?;
        let changed: Vec<_> = names
            .into_iter()
            .map(|(user, name, from)| Changed { user, name, from, to: None })
            .collect();
        note_changes(&mut *tx, &actor, whose, "user.matched_automatically", &changed, now).await?;
    }
    if !pairs.is_empty() {
        by_hand::match_all(&mut *tx, account, &pairs, now).await?;
        let changed: Vec<_> = verdicts.iter().filter_map(Verdict::changed).collect();
        note_changes(&mut *tx, &actor, whose, "user.matched", &changed, now).await?;
    }
    Ok(match (pairs.len(), undone.len()) {
        (0, 0) => "The file changed nothing.".to_owned(),
        (0, undone) => format!("{} left to automatic matching again.", users(undone)),
        (matched, 0) => format!("{} matched from the file.", users(matched)),
        (matched, undone) => format!(
            "{} matched from the file, {} left to automatic matching again.",
            users(matched),
            users(undone)
        ),
    })
}

fn users(count: usize) -> String {
    if count == 1 { "One user is".to_owned() } else { format!("{count} users are") }
}
