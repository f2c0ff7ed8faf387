//! Settings: what this installation is set to, for partner admins alone.

use axum::http::StatusCode;
use presence_portal::sandbox::World;

use crate::support::Stage;

#[tokio::test]
async fn settings_show_database_nodes_and_what_is_not_set_up() {
    let stage = Stage::new().await;
    stage.synced_account("Acme").await;
    let ann = stage.ann().await;
    let page = ann.visit("/settings").await;
    assert_eq!(page.heading(), "Settings");
    assert!(page.says("Postgres ") && page.says("Version 0.1.0"));
    assert!(page.says("Not set up. Until PORTAL_SMTP_URL and PORTAL_SMTP_FROM are set"));
    assert!(page.has_link("Notifications") && page.has_link("Expiry calendars"));
    assert!(page.says("CloudLink is not connected yet"));
    let tested = ann.submit(page.form("Test connection")).await;
    assert_eq!(tested.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(tested.says("PORTAL_CLOUDLINK_CLIENT_ID"), "{}", tested.source);
    assert!(page.says("Alive"));
    assert!(page.says("Only this machine reaches it."), "the public URL is on loopback");
}

#[tokio::test]
async fn test_connection_says_what_cloudlink_answered() {
    let (stage, sandbox) = Stage::with_sandbox(World::small()).await;
    let ann = stage.ann().await;
    let page = ann.visit("/settings").await;
    let page = ann.submit(page.form("Test connection")).await;
    assert!(page.says("CloudLink accepts our credentials"), "{}", page.source);
    assert!(ann.visit("/settings").await.says("Connected tested"));

    sandbox.stop().await;
    let page = ann.submit(page.form("Test connection")).await;
    assert_eq!(page.status, StatusCode::BAD_GATEWAY);
    assert!(page.says("CloudLink cannot be reached"));
    assert!(!ann.visit("/settings").await.says("Connected"));
}

#[tokio::test]
async fn nobody_else_sees_settings() {
    let stage = Stage::new().await;
    let acme = stage.account("Acme").await;
    for browser in [stage.carl(&[acme]).await, stage.bob(&[acme]).await] {
        assert_eq!(browser.visit("/settings").await.status, StatusCode::NOT_FOUND);
        assert!(!browser.visit("/").await.has_link("Settings"));
    }
}
