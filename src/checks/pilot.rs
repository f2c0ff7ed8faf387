//! Trying on one user, whom somebody has picked, whether presence can be set and cleared.
//!
//! Away ranks lowest of all that Teams can be told: where the user's own Teams client runs, it
//! does not even show. It is cleared at once, and if that should fail it ends by itself after
//! five minutes. Somebody for whom the sync holds a session, or is about to, is left in peace.

use super::errand::Book;
use super::judge;
use super::lines::{Finding, Line};
use super::store;
use crate::ids::EntraUserId;
use crate::integrations;
use crate::microsoft::{Connection, Shows};

const LEAST: Shows = Shows::Away;

/// Tries it, if somebody asked for it.
pub async fn look(book: &Book<'_>) -> anyhow::Result<()> {
    let (app, errand) = (book.app, book.errand);
    let Some(user) = errand.pilot else { return Ok(()) };
    let connection =
        integrations::store::connection_of(&app.db, &app.sealer, errand.account).await?;
    let Some(connection) = connection else {
        return book.skip(&[Line::Pilot], "The setup is not complete.").await;
    };
    let finding = if store::is_in_use(&app.db, errand.account, user).await? {
        Finding::not_looked_at(format!(
            "{} is on the telephone: what Teams shows comes from there, and is not disturbed.",
            errand.pilot_name
        ))
        .advising("Pick somebody else, or try again later.")
    } else {
        let tried = try_on(book, &connection, user).await;
        // The sync may have shown something meanwhile, which our clearing would have taken away.
        store::look_again_at(&app.db, errand.account, user, app.clock.now()).await?;
        app.wakes.ring(errand.account);
        tried
    };
    book.note(Line::Pilot, finding).await
}

async fn try_on(book: &Book<'_>, connection: &Connection, user: EntraUserId) -> Finding {
    let (microsoft, name) = (&book.app.microsoft, &book.errand.pilot_name);
    // Whatever was granted meanwhile, a token of before does not know.
    microsoft.forget_token(connection.account);
    if let Err(refusal) = microsoft.set_presence_briefly(connection, user, LEAST).await.outcome {
        let finding = judge::refused(&refusal);
        let alone = format!("Presence could not be set for {name}. {}", finding.seen);
        let seen = format!("Setting it for {name} was refused. {}", finding.seen);
        return Finding { seen, ..finding }.or_alone(alone);
    }
    let cleared = microsoft.clear_presence(connection, user).await;
    match cleared.outcome {
        Ok(()) => Finding::green(format!("It was set for {name}, and cleared again.")),
        Err(refusal) => {
            let finding = judge::refused(&refusal);
            let but = format!(
                "was set for {name}, but clearing it was refused; it ends by itself within five minutes. {}",
                finding.seen
            );
            Finding { seen: format!("It {but}"), ..finding }.or_alone(format!("Presence {but}"))
        }
    }
}
