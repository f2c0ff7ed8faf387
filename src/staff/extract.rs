//! Who is asking.

use axum::extract::FromRequestParts;
use axum::http::header::ACCEPT;
use axum::http::request::Parts;
use chrono::TimeDelta;

use super::{ABSOLUTE_LIMIT, IDLE_LIMIT, Viewer, cookie, store};
use crate::kit::token;
use crate::state::AppState;
use crate::web::{self, ClientAddress, Db, Partial};

/// Use is written down at most this often.
const NOTED_EVERY: TimeDelta = TimeDelta::minutes(1);

impl FromRequestParts<AppState> for Viewer {
    type Rejection = web::Error;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> web::Result<Self> {
        let Ok(ClientAddress(address)) = ClientAddress::from_request_parts(parts, app).await;
        let Ok(Partial(refreshes)) = Partial::from_request_parts(parts, app).await;
        let accepts = parts.headers.get(ACCEPT).and_then(|value| value.to_str().ok());
        let by_itself = refreshes || accepts == Some("text/event-stream");
        let token = cookie::session_token(&app.config, &parts.headers);
        let digest = token::digest(token.ok_or(web::Error::SignInFirst)?);
        let now = app.clock.now();

        let mut db = Db::take(parts, &app.db).await?;
        let (idle, begun) = (now - IDLE_LIMIT, now - ABSOLUTE_LIMIT);
        let session = store::signed_in(&mut *db.0, &digest, idle, begun).await?;
        let session = session.ok_or(web::Error::SignInFirst)?;
        if !by_itself && now - session.seen_at > NOTED_EVERY {
            store::note_use(&mut *db.0, &digest, now).await?;
        }
        db.leave(parts);
        Ok(Self {
            staff: session.staff,
            name: session.name,
            email: session.email,
            role: session.role.parse()?,
            session: digest,
            address,
            flash: web::flash_of(&parts.headers),
        })
    }
}

/// A partner admin. To anybody else what stands behind this is not there.
#[derive(Clone, Debug)]
pub struct PartnerAdmin(pub Viewer);

impl FromRequestParts<AppState> for PartnerAdmin {
    type Rejection = web::Error;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> web::Result<Self> {
        let viewer = Viewer::from_request_parts(parts, app).await?;
        if viewer.is_partner() { Ok(Self(viewer)) } else { Err(web::Error::NotFound) }
    }
}
