//! Whom the demo's portal tells: a desk whose letters end in the pretend mailbox, and a ticket
//! system that is the receiver of webhooks on the sandbox's page.

use crate::ids::ChannelId;
use crate::kit::secret::Secret;
use crate::kit::token;
use crate::notifications::store::channels::{self, NewChannel, Place};
use crate::notifications::{Kind, key_owner, url_owner};
use crate::post::sign;
use crate::state::AppState;

const DESK: &str = "Service desk";
const TICKETS: &str = "Ticket system";
const MOST: i64 = 30;

/// Adds both to a new demo.
pub async fn plant(app: &AppState, receiver: &str) -> anyhow::Result<()> {
    let desk = NewChannel {
        id: ChannelId::new(),
        account: None,
        kind: Kind::Mail.as_str(),
        name: DESK,
        place: Place { recipients: &["desk@partner.example".to_owned()], ..Place::default() },
        signing_key: None,
    };
    channels::insert(&app.db, desk, MOST, app.clock.now()).await?;

    let id = ChannelId::new();
    let url = app.post.hooks.parse(&Secret::new(receiver))?;
    let sealed = app.sealer.seal(&url_owner(id), &url.secret())?;
    let key = app.sealer.seal(&key_owner(id), &sign::new_key())?;
    let tickets = NewChannel {
        id,
        account: None,
        kind: Kind::Webhook.as_str(),
        name: TICKETS,
        place: Place {
            url: Some(&sealed),
            url_shown: &url.shown(),
            url_digest: Some(&token::digest(url.secret().reveal())),
            ..Place::default()
        },
        signing_key: Some(&key),
    };
    channels::insert(&app.db, tickets, MOST, app.clock.now()).await?;
    Ok(())
}

/// The sandbox may listen somewhere else than the last time: the ticket system moves with it.
pub async fn follow(app: &AppState, receiver: &str) -> anyhow::Result<()> {
    let found = channels::of(&app.db, None, None).await?;
    let found = found.into_iter().find(|it| it.kind == Kind::Webhook && it.name == TICKETS);
    let url = app.post.hooks.parse(&Secret::new(receiver))?;
    if let Some(tickets) = found.filter(|tickets| tickets.url_shown != url.shown()) {
        let sealed = app.sealer.seal(&url_owner(tickets.id), &url.secret())?;
        let place = Place {
            url: Some(&sealed),
            url_shown: &url.shown(),
            url_digest: Some(&token::digest(url.secret().reveal())),
            ..Place::default()
        };
        channels::change(&app.db, tickets.id, TICKETS, place).await?;
    }
    Ok(())
}
