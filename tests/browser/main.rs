//! The journeys, in real Chromium, over a real portal and the sandbox.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop there")]

mod calendars;
mod checks;
mod credentials;
mod every_page;
mod first_run;
mod fleet;
mod forced_colours;
mod importing;
mod keyboard;
mod notifications;
mod pictures;
mod presence;
mod removing;
mod renewals;
mod support;
mod updates;
mod watching;
mod without_scripts;
