//! Looking at Microsoft: the tenant, signing in, permissions.

use chrono::TimeDelta;

use super::errand::Book;
use super::judge;
use super::lines::{Finding, Line, Mend};
use crate::integrations;
use crate::microsoft::{Cause, Connection, Discovered, Permission, Refusal, Token};

const NOT_SET_UP: &str = "The setup is not complete.";
const NOT_SIGNED_IN: &str = "Without signing in there is nothing to look at.";

/// Everything that is learnt by signing in.
const BEHIND_SIGN_IN: [Line; 3] = [Line::ReadUsers, Line::WritePresence, Line::Excess];

/// What else depends on.
#[derive(Default)]
pub struct Seen {
    /// If it lets us read the directory.
    pub connection: Option<Connection>,
    /// How far Microsoft's clock is ahead of ours.
    pub ahead: Option<TimeDelta>,
}

/// Looks at Microsoft's side.
pub async fn look(book: &Book<'_>) -> anyhow::Result<Seen> {
    let (app, errand) = (book.app, book.errand);
    let integration =
        integrations::store::find(&app.db, errand.account, errand.integration).await?;
    let connected = integration.and_then(|integration| integration.connection);
    let connection =
        integrations::store::connection_of(&app.db, &app.sealer, errand.account).await?;
    let (Some(connected), Some(connection)) = (connected, connection) else {
        not_set_up(book).await?;
        return Ok(Seen::default());
    };
    let spares =
        integrations::store::spare::spares(&app.db, errand.account, errand.integration).await?;
    let lasting = |accepted| judge::Lasting {
        credential: connected.credential,
        on: connected.expiry.on,
        source: connected.expiry.source,
        accepted,
        followed: spares.next.as_ref().is_some_and(|next| next.accepted_at.is_some()),
    };
    let today = app.clock.now().date_naive();
    let expiry = |accepted| judge::expiry(lasting(accepted), today);
    let discovered = app.microsoft.discover(connection.cloud, connection.tenant).await;
    let seen = |connection| Seen { connection, ahead: discovered.ahead };
    if !found(book, &discovered).await? {
        let why = "Microsoft was not asked any further.";
        book.skip(&[Line::Application, Line::Secret], why).await?;
        book.note(Line::Expiry, expiry(true)).await?;
        book.skip(&BEHIND_SIGN_IN, NOT_SIGNED_IN).await?;
        return Ok(seen(None));
    }
    match app.microsoft.sign_in(&connection).await {
        Ok(token) => {
            book.note(Line::Application, Finding::green("Microsoft knows it by this id.")).await?;
            book.note(Line::Secret, Finding::green("Microsoft gave us a token for it.")).await?;
            book.note(Line::Expiry, expiry(true)).await?;
            let may_read = permissions(book, &connection, &token).await?;
            Ok(seen(may_read.then_some(connection)))
        }
        Err(refusal) => {
            let found = judge::refused_sign_in(&refusal);
            let said: Vec<Line> = found.iter().map(|(line, _)| *line).collect();
            for (line, finding) in found {
                book.note(line, finding).await?;
            }
            let ended = matches!(refusal.cause, Cause::SecretExpired | Cause::CertificateExpired);
            book.note(Line::Expiry, expiry(!ended)).await?;
            let rest: Vec<_> =
                BEHIND_SIGN_IN.into_iter().filter(|line| !said.contains(line)).collect();
            book.skip(&rest, NOT_SIGNED_IN).await?;
            Ok(seen(None))
        }
    }
}

async fn not_set_up(book: &Book<'_>) -> anyhow::Result<()> {
    let finding = Finding::not_looked_at(NOT_SET_UP)
        .advising("Enter the credentials of an application in the customer’s tenant.")
        .mended_at([Mend::Configure]);
    book.note(Line::Reachable, finding).await?;
    let rest = [Line::Tenant, Line::Application, Line::Secret, Line::Expiry];
    book.skip(&rest, NOT_SET_UP).await?;
    book.skip(&BEHIND_SIGN_IN, NOT_SET_UP).await
}

/// Whether Microsoft and the tenant are there, as anybody may see.
async fn found(book: &Book<'_>, discovered: &Discovered) -> anyhow::Result<bool> {
    let reached = Finding::green("Its sign-in answers.");
    match &discovered.outcome {
        Ok(()) => {
            book.note(Line::Reachable, reached).await?;
            book.note(Line::Tenant, Finding::green("Microsoft knows it, in this cloud.")).await?;
            Ok(true)
        }
        Err(refusal) if matches!(refusal.cause, Cause::TenantUnknown | Cause::OtherCloud) => {
            book.note(Line::Reachable, reached).await?;
            book.note(Line::Tenant, judge::refused(refusal)).await?;
            Ok(false)
        }
        Err(refusal) => {
            book.note(Line::Reachable, judge::refused(refusal)).await?;
            book.skip(&[Line::Tenant], "Microsoft did not say.").await?;
            Ok(false)
        }
    }
}

/// What the token carries, and whether calls prove it. True: the directory may be read.
async fn permissions(
    book: &Book<'_>,
    connection: &Connection,
    token: &Token,
) -> anyhow::Result<bool> {
    let microsoft = &book.app.microsoft;
    let users = microsoft.try_directory(connection, token).await;
    let read = Permission::UserReadAll;
    let judged = judge::permission(read, token.carries(read), users.as_ref().map(|_| ()));
    book.note(Line::ReadUsers, judged).await?;

    let write = Permission::PresenceReadWriteAll;
    let somebody = users.as_ref().ok().and_then(|users| users.first()).map(|user| user.id);
    let judged = match somebody {
        Some(user) => {
            let read = microsoft.try_presence(connection, token, user).await;
            judge::permission(write, token.carries(write), read.as_ref().copied())
        }
        None => without_a_user(token.carries(write)),
    };
    book.note(Line::WritePresence, judged).await?;
    book.note(Line::Excess, judge::excess(token.roles())).await?;
    Ok(users.is_ok())
}

/// There is nobody whose presence could be read to prove the permission.
fn without_a_user(by_token: Option<bool>) -> Finding {
    let write = Permission::PresenceReadWriteAll;
    match by_token {
        Some(false) => {
            let nobody = Refusal {
                cause: Cause::NoSuchUser,
                status: None,
                code: None,
                request_id: None,
                retry_after: None,
                detail: String::new(),
            };
            judge::permission(write, by_token, Err(&nobody))
        }
        Some(true) => Finding::amber(
            "The token carries it. No user could be read on whom a call could prove it.",
        ),
        None => Finding::not_looked_at(
            "The token cannot be read, and no user could be read on whom a call could prove it.",
        ),
    }
}
