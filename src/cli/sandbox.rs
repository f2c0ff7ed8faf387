//! `sandbox`: the pretend systems alone.

use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::kit::clock::Clock;
use crate::sandbox::{Sandbox, Settings, World};

pub async fn sandbox(config: &Config, stop: CancellationToken) -> anyhow::Result<()> {
    let settings = Settings { listen: config.sandbox_listen, ..Settings::default() };
    let sandbox = Sandbox::start_with(World::demo(), Clock::default(), settings).await?;
    let cloudlink = sandbox.cloudlink_settings();
    println!("The sandbox is at {}", sandbox.page_url());
    println!("To lead a portal there, set");
    println!("  PORTAL_CLOUDLINK_URL={}", cloudlink.url);
    if let Some(credentials) = cloudlink.credentials {
        println!("  PORTAL_CLOUDLINK_CLIENT_ID={}", credentials.client_id);
        println!("  PORTAL_CLOUDLINK_CLIENT_SECRET={}", credentials.client_secret.reveal());
        println!("  PORTAL_CLOUDLINK_PARTNER_ACCOUNT={}", credentials.partner_account);
    }
    let microsoft = sandbox.microsoft_settings(config.microsoft.requests_per_second);
    for (name, url) in [("LOGIN", microsoft.login_url), ("GRAPH", microsoft.graph_url)] {
        if let Some(url) = url {
            println!("  PORTAL_MICROSOFT_{name}_URL={url}");
        }
    }
    if let Some(mail) = sandbox.mail_settings() {
        println!("  PORTAL_SMTP_URL=smtp://{}:{}?tls=none", mail.server.host, mail.server.port);
        println!("  PORTAL_SMTP_FROM={}", mail.from);
    }
    println!("  PORTAL_WEBHOOK_HOSTS={}", sandbox.webhook_hosts().in_words());
    println!("Webhooks may go to {}", sandbox.webhook_url("anybody"));
    sandbox.run_until(stop).await;
    Ok(())
}
