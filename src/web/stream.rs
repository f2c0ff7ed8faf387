//! A part of a page that is sent again whenever it has changed: server-sent events.

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::Result;

/// How often it is looked whether something has changed.
const EVERY: Duration = Duration::from_millis(400);
/// Then the browser asks anew, and we look again who asks.
const LONGEST: Duration = Duration::from_secs(25);

/// How long the browser waits before it asks anew.
const SOON: Duration = Duration::from_millis(500);

/// A part as it stands, and whether it will change any more.
#[derive(Debug)]
pub struct Part {
    pub html: String,
    pub is_last: bool,
}

/// Sends the part whenever it has changed, until it is the last or the portal stops.
pub fn parts<F, L>(closing: CancellationToken, look: L) -> Response
where
    L: Fn() -> F + Send + 'static,
    F: Future<Output = Result<Part>> + Send + 'static,
{
    let first =
        Watch { closing, look, seen: String::new(), until: Instant::now() + LONGEST, over: false };
    let events = stream::unfold(first, Watch::next);
    Sse::new(events).into_response()
}

struct Watch<L> {
    closing: CancellationToken,
    look: L,
    seen: String,
    until: Instant,
    over: bool,
}

impl<F, L> Watch<L>
where
    L: Fn() -> F,
    F: Future<Output = Result<Part>>,
{
    async fn next(mut self) -> Option<(std::result::Result<Event, Infallible>, Self)> {
        loop {
            if self.over {
                return None;
            }
            // Whatever is wrong: the browser asks again, and then it is told as a page.
            let part = (self.look)().await.ok()?;
            self.over = part.is_last;
            if part.html != self.seen || part.is_last {
                let event = Event::default().event(if part.is_last { "last" } else { "part" });
                let event = event.retry(SOON).data(&part.html);
                self.seen = part.html;
                return Some((Ok(event), self));
            }
            if Instant::now() > self.until {
                return None;
            }
            self.closing.run_until_cancelled(sleep(EVERY)).await?;
        }
    }
}
