//! `serve`: the pages and the sync.

use tokio_util::sync::CancellationToken;

use crate::app::{Portal, listen};
use crate::config::Config;
use crate::telemetry;

pub async fn serve(config: Config, stop: CancellationToken) -> anyhow::Result<()> {
    let metrics = config.metrics_listen.map(|_| telemetry::begin_counting()).transpose()?;
    // First of all, so that a second portal is told at once that there is another.
    let listener = listen("PORTAL_LISTEN", config.listen).await?;
    let opened = stop.run_until_cancelled(Portal::open(config, listener, metrics)).await;
    let Some(portal) = opened.transpose()? else { return Ok(()) };
    announce(&portal);
    portal.run(stop).await
}

/// On standard output, for whoever started it.
pub fn announce(portal: &Portal) {
    let url = portal.app.config.public_url.as_str().trim_end_matches('/');
    println!("The portal is at {url}");
    if let Some(code) = &portal.setup_code {
        println!("Nobody can sign in yet: open {url}/welcome and enter the code {}", code.reveal());
    }
}
