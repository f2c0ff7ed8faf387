//! What this installation is set to, and whether what it leans on is there.

mod store;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use chrono::{DateTime, Utc};

use store::{Database, Node};

use crate::cloudlink::{Cause, Refusal};
use crate::config::MailSettings;
use crate::ids::NodeId;
use crate::staff::{PartnerAdmin, Viewer};
use crate::state::AppState;
use crate::web::{self, Chrome, Page, Section};

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/settings", get(show))
        .route("/settings/cloudlink/test", post(test_cloudlink))
}

#[derive(Template)]
#[template(path = "settings/show.html")]
struct SettingsPage {
    chrome: Chrome,
    cloudlink: CloudlinkFacts,
    /// What the test that was just made came to.
    refusal: Option<Refusal>,
    public_url: String,
    /// CloudLink cannot reach a private address from outside.
    public_url_is_local: bool,
    database: Database,
    embedded: bool,
    nodes: Vec<Node>,
    this_node: NodeId,
    requests_per_second: u32,
    metrics: String,
    mail: Option<MailFacts>,
    webhook_hosts: String,
}

/// How mail is sent, without the password.
struct MailFacts {
    server: String,
    encryption: &'static str,
    user: String,
    from: String,
}

impl MailFacts {
    fn of(settings: &MailSettings) -> Self {
        let server = &settings.server;
        let from = match settings.from_name.as_str() {
            "" => settings.from.to_string(),
            name => format!("{name} <{}>", settings.from),
        };
        Self {
            server: format!("{}:{}", server.host, server.port),
            encryption: server.security.label(),
            user: server.login.as_ref().map(|login| login.user.clone()).unwrap_or_default(),
            from,
        }
    }
}

struct CloudlinkFacts {
    configured: bool,
    tested_at: Option<DateTime<Utc>>,
    address: String,
    partner_account: String,
    client_id: String,
}

async fn show(State(app): State<AppState>, PartnerAdmin(viewer): PartnerAdmin) -> web::Result {
    Ok(Page(page(&app, &viewer, None).await?).into_response())
}

/// **Test connection**: a refusal is shown beside the connection it concerns.
async fn test_cloudlink(
    State(app): State<AppState>,
    PartnerAdmin(viewer): PartnerAdmin,
) -> web::Result {
    match app.cloudlink.test().await {
        Ok(()) => Ok(web::see_other_saying(
            "/settings",
            "CloudLink accepts our credentials and lists the partner’s accounts.",
        )),
        Err(refusal) => {
            let status = status(refusal.cause);
            let page = page(&app, &viewer, Some(refusal)).await?;
            Ok((status, Page(page)).into_response())
        }
    }
}

/// Our settings are wrong, or somebody else does not answer.
fn status(cause: Cause) -> StatusCode {
    if cause.needs_person() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::BAD_GATEWAY }
}

async fn page(
    app: &AppState,
    viewer: &Viewer,
    refusal: Option<Refusal>,
) -> web::Result<SettingsPage> {
    let config = &app.config;
    let credentials = config.cloudlink.credentials.as_ref();
    let host = config.public_url.host_str().unwrap_or_default();
    Ok(SettingsPage {
        chrome: viewer.chrome("Settings", Section::Settings),
        cloudlink: CloudlinkFacts {
            configured: app.cloudlink.is_configured(),
            tested_at: app.cloudlink.tested_at(),
            address: config.cloudlink.url.clone(),
            partner_account: credentials.map(|c| c.partner_account.to_string()).unwrap_or_default(),
            client_id: credentials.map(|c| c.client_id.clone()).unwrap_or_default(),
        },
        refusal,
        public_url: config.public_url.to_string(),
        public_url_is_local: is_local(host),
        database: store::database(&app.db).await?,
        embedded: config.database_url.is_none(),
        nodes: store::nodes(&app.db).await?,
        this_node: app.node,
        requests_per_second: config.microsoft.requests_per_second,
        metrics: config.metrics_listen.map(|listen| listen.to_string()).unwrap_or_default(),
        mail: config.mail.as_ref().map(MailFacts::of),
        webhook_hosts: config.webhook_hosts.in_words(),
    })
}

fn is_local(host: &str) -> bool {
    host == "localhost"
        || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

/// A size as people say it.
fn size(bytes: i64) -> String {
    match bytes {
        ..1_000_000 => format!("{} kB", bytes / 1_000),
        1_000_000..1_000_000_000 => format!("{} MB", bytes / 1_000_000),
        _ => format!("{}.{} GB", bytes / 1_000_000_000, bytes % 1_000_000_000 / 100_000_000),
    }
}

impl SettingsPage {
    fn size(&self) -> String {
        size(self.database.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_hosts_are_read_as_people_read_them() {
        assert_eq!(
            [size(8_400), size(12_345_678), size(3_210_000_000)],
            ["8 kB", "12 MB", "3.2 GB"]
        );
        assert!(is_local("127.0.0.1") && is_local("[::1]") && is_local("localhost"));
        assert!(!is_local("portal.example.com"));
    }
}
