//! The Integrations panel: adding, switching, removing.

use axum::http::{Method, StatusCode};
use presence_portal::ids::{AccountId, IntegrationId};
use presence_portal::integrations::{secret_owner, store};
use presence_portal::kit::secret::Secret;

use crate::support::{Browser, Page, Stage};

pub const SWITCH: &str = "Sync presence from CloudLink to MS Teams";
pub const GUID: &str = "3f1b9a52-7c4e-4f0a-9b1d-2f6f3f0f8a11";

/// Microsoft Teams, set up without asking anybody; its secret is `s3cret-of-the-stage`.
pub async fn set_up(stage: &Stage, account: AccountId) -> IntegrationId {
    let id = added(stage, account).await;
    let owner = secret_owner(account, id);
    let sealed = stage.app.sealer.seal(&owner, &Secret::new("s3cret-of-the-stage")).unwrap();
    sqlx::query(
        "INSERT INTO connections (account_id, integration_id, name, tenant_id, client_id, cloud,
            secret, version, tested_at, updated_at)
         VALUES ($1, $2, 'Teams app', $3::uuid, $3::uuid, 'global', $4,
            nextval('connection_versions'), $5, $5)",
    )
    .bind(account)
    .bind(id)
    .bind(GUID)
    .bind(sealed)
    .bind(stage.clock.now())
    .execute(&stage.db)
    .await
    .unwrap();
    id
}

async fn added(stage: &Stage, account: AccountId) -> IntegrationId {
    let id = IntegrationId::new();
    sqlx::query(
        "INSERT INTO integrations (account_id, id, kind, release, added_at)
         VALUES ($1, $2, 'microsoft-teams', 2, now())",
    )
    .bind(account)
    .bind(id)
    .execute(&stage.db)
    .await
    .unwrap();
    id
}

async fn panel(browser: &Browser, account: AccountId) -> Page {
    browser.visit(&format!("/accounts/{account}/integrations")).await
}

async fn health(stage: &Stage, account: AccountId) -> String {
    sqlx::query_scalar("SELECT health FROM account_health WHERE account_id = $1")
        .bind(account)
        .fetch_one(&stage.db)
        .await
        .unwrap()
}

fn is_on(page: &Page) -> bool {
    page.all("[role=switch]")[0].attr("aria-checked") == Some("true")
}

#[tokio::test]
async fn microsoft_teams_is_added_from_the_third_parties() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let acme = stage.account("Acme").await;
    let page = panel(&ann, acme).await;
    assert!(page.says("Nothing is connected yet"));
    let page = ann.visit(&page.link("+ Add new")).await;
    assert!(page.has_link("Mitel") && !page.has_button("Add"));
    let page = ann.visit(&page.link("3rd party")).await;
    assert!(page.says("Microsoft Teams"));
    let page = ann.submit(page.form("Add")).await;
    assert!(page.says("Added") && !page.has_button("Add"));
    let page = ann.visit(&page.link("Done")).await;
    assert!(page.says("Microsoft Teams") && page.says("Setup not complete"));
    assert!(page.has_link("Complete setup") && !page.has_link("Configure Microsoft Teams"));
    assert!(page.all("[role=switch]").is_empty());
    let newest: i32 =
        sqlx::query_scalar("SELECT release FROM integrations").fetch_one(&stage.db).await.unwrap();
    assert_eq!(newest, 2);
}

#[tokio::test]
async fn adding_in_the_dialog_stays_in_the_dialog() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let acme = stage.account("Acme").await;
    let dialog = ann.part(&format!("/accounts/{acme}/integrations/add?tab=3rd-party")).await;
    assert!(dialog.all("nav.nav").is_empty(), "the dialog alone");
    let form = dialog.form("Add");
    let after = ann.submit_in_place(form.clone()).await;
    assert_eq!(after.status, StatusCode::OK);
    assert!(after.moved_to().is_none() && after.says("Added") && after.has_link("Done"));
    let twice = ann.submit_in_place(form).await;
    assert_eq!(twice.status, StatusCode::OK, "pressed twice: it is there");
    let count: i64 =
        sqlx::query_scalar("SELECT count(*) FROM integrations").fetch_one(&stage.db).await.unwrap();
    assert_eq!(count, 1);
}

#[tokio::test]
async fn an_integration_that_was_never_set_up_is_removed_at_once() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let acme = stage.account("Acme").await;
    added(&stage, acme).await;
    let page = ann.visit(&panel(&ann, acme).await.link("Complete setup")).await;
    let page = ann.visit(&page.link("Remove")).await;
    assert_eq!(page.heading(), "Remove Microsoft Teams integration");
    assert!(page.has_link("Cancel"));
    let page = ann.submit(page.form("Remove integration")).await;
    assert!(page.says("Microsoft Teams is removed.") && page.says("Nothing is connected yet"));
}

#[tokio::test]
async fn the_switch_says_how_it_stands_and_is_written_down_once() {
    let stage = Stage::new().await;
    let acme = stage.account("Acme").await;
    let carl = stage.carl(&[acme]).await;
    set_up(&stage, acme).await;
    let page = panel(&carl, acme).await;
    assert!(page.says("Ready") && page.says("Available features"));
    assert!(page.says("Teams takes a few minutes to show a change."));
    assert!(!is_on(&page));
    assert_ne!(health(&stage, acme).await, "syncing");

    let on = page.form(SWITCH);
    let page = carl.submit(on.clone()).await;
    assert!(is_on(&page) && page.says("Presence sync is on."));
    assert_eq!(health(&stage, acme).await, "syncing");
    carl.submit(on).await;
    let off = carl.submit(page.form(SWITCH)).await;
    assert!(!is_on(&off));
    let noted: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM activity WHERE action LIKE 'integration.switched%'",
    )
    .fetch_one(&stage.db)
    .await
    .unwrap();
    assert_eq!(noted, 2, "on once and off once");
}

#[tokio::test]
async fn the_switch_leads_back_to_the_page_it_was_pressed_on() {
    let stage = Stage::new().await;
    let acme = stage.account("Acme").await;
    let id = set_up(&stage, acme).await;
    let carl = stage.carl(&[acme]).await;
    let own = format!("/accounts/{acme}");
    let at = format!("{own}/integrations/{id}/features/presence-sync");
    for (from, back) in [
        (format!("http://portal.example{own}"), own.clone()),
        (format!("http://portal.example{own}/integrations"), format!("{own}/integrations")),
        (format!("http://evil.example{own}"), format!("{own}/integrations")),
        ("http://portal.example//evil.example".to_owned(), format!("{own}/integrations")),
    ] {
        let headers = [("referer", from.as_str())];
        let answer = carl.send(Method::POST, &at, &headers, "presence_sync=on".to_owned()).await;
        assert_eq!(answer.headers["location"], back, "{from}");
    }
}

#[tokio::test]
async fn the_switch_stands_still_for_auditors_and_while_the_account_is_deactivated() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let acme = stage.account("Acme").await;
    let id = set_up(&stage, acme).await;
    let bob = stage.bob(&[acme]).await;
    let page = panel(&bob, acme).await;
    assert!(page.all("[role=switch]").is_empty() && page.says(&format!("{SWITCH}: Off")));
    assert!(!page.has_link("Configure Microsoft Teams"));
    let at = format!("/accounts/{acme}/integrations/{id}");
    for verb in ["configure", "remove", "features/presence-sync", "monitors", "update"] {
        let answer = bob.send(Method::POST, &format!("{at}/{verb}"), &[], String::new()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{verb}");
    }

    ann.submit(panel(&ann, acme).await.form(SWITCH)).await;
    let form = ann.visit(&format!("/accounts/{acme}/deactivate")).await.form("Deactivate");
    ann.submit(form.fill("Type the word", "deactivate")).await;
    assert!(panel(&ann, acme).await.says("The account is deactivated"));
    assert_ne!(health(&stage, acme).await, "syncing");
}

#[tokio::test]
async fn an_integration_that_was_set_up_waits_for_the_worker_to_clear_up() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let acme = stage.account("Acme").await;
    let id = set_up(&stage, acme).await;
    let page = ann.visit(&panel(&ann, acme).await.link("Configure Microsoft Teams")).await;
    let dialog = ann.part(&page.link("Remove")).await;
    let answer = ann.submit_in_place(dialog.form("Remove integration")).await;
    assert_eq!(answer.moved_to(), Some(format!("/accounts/{acme}/integrations").as_str()));

    let page = panel(&ann, acme).await;
    assert!(page.says("Removing: clearing presence in Teams…"));
    assert!(!page.has_link("Configure Microsoft Teams") && !page.has_link("Complete setup"));
    let itself = page.all("#integrations-panel[data-hx-trigger]");
    let part = ann.part(itself[0].attr("data-hx-get").unwrap()).await;
    assert!(part.says("Removing") && part.all("h1").is_empty());
    assert_eq!(health(&stage, acme).await, "removing");

    let dialog = ann.visit(&format!("/accounts/{acme}/integrations/add?tab=3rd-party")).await;
    assert!(dialog.says("Being removed") && !dialog.has_button("Add"));
    let again = format!("/accounts/{acme}/integrations/add");
    let answer = ann.send(Method::POST, &again, &[], "kind=microsoft-teams".into()).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.body.contains("still being removed"));
    for verb in ["configure", "remove"] {
        let path = format!("/accounts/{acme}/integrations/{id}/{verb}");
        assert_eq!(ann.visit(&path).await.status, StatusCode::NOT_FOUND, "{verb}");
    }

    let mut tx = stage.db.begin().await.unwrap();
    assert!(store::forget(&mut tx, acme, stage.clock.now()).await.unwrap());
    tx.commit().await.unwrap();
    let page = panel(&ann, acme).await;
    assert!(page.says("Nothing is connected yet"));
    assert!(page.all("#integrations-panel[data-hx-trigger]").is_empty(), "it rests");
    assert!(ann.visit(&format!("/accounts/{acme}/activity")).await.says("credentials forgotten"));
}

#[tokio::test]
async fn another_accounts_integration_is_not_there() {
    let stage = Stage::new().await;
    let (acme, cobalt) = (stage.account("Acme").await, stage.account("Cobalt").await);
    let (carl, theirs) = (stage.carl(&[acme]).await, set_up(&stage, cobalt).await);
    for account in [acme, cobalt] {
        for verb in ["setup", "configure", "remove", "update", "features/presence-sync"] {
            let path = format!("/accounts/{account}/integrations/{theirs}/{verb}");
            let answer = carl.send(Method::POST, &path, &[], "presence_sync=on".into()).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        }
    }
    assert_ne!(health(&stage, cobalt).await, "syncing");
}

#[tokio::test]
async fn an_older_release_offers_the_update() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let acme = stage.account("Acme").await;
    set_up(&stage, acme).await;
    assert!(!panel(&ann, acme).await.has_link("Install update"));
    sqlx::query("UPDATE integrations SET release = 1").execute(&stage.db).await.unwrap();
    let page = ann.visit(&panel(&ann, acme).await.link("Install update")).await;
    assert!(page.says("What is new in 1.1"));
}

#[tokio::test]
async fn what_is_wrong_is_said_in_the_row_with_the_way_to_mend_it() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let acme = stage.account("Acme").await;
    set_up(&stage, acme).await;
    sqlx::query(
        "INSERT INTO presence_accounts (account_id, hook_digest, hook_key) VALUES ($1, 'd', 'k')",
    )
    .bind(acme)
    .execute(&stage.db)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO presence_troubles (account_id, side, cause, detail, since, last_at, needs_person)
         VALUES ($1, 'microsoft', 'secret-expired', '', now(), now(), true)",
    )
    .bind(acme)
    .execute(&stage.db)
    .await
    .unwrap();
    sqlx::query("UPDATE connections SET secret_expires_on = '2026-03-20'")
        .execute(&stage.db)
        .await
        .unwrap();
    let page = panel(&ann, acme).await;
    assert!(page.says("Needs attention") && page.says("The client secret has expired"));
    assert!(page.says("The client secret expires in 18 days, on 20 March 2026."));
    assert_eq!(page.link("See what to do"), format!("/accounts/{acme}/presence"));
    let list = ann.visit("/accounts?health=attention").await;
    assert!(list.says("Acme") && list.says("The client secret has expired"));
    let configure = ann.visit(&page.link("Configure Microsoft Teams")).await;
    assert!(configure.says("The client secret has expired"), "where it is mended");
    assert!(configure.says("enter its Value in place of the old one"));

    sqlx::query("UPDATE connections SET secret_expires_on = '2026-02-20'")
        .execute(&stage.db)
        .await
        .unwrap();
    let page = panel(&ann, acme).await;
    assert!(page.says("Signs in with a client secret, expired on 20 February 2026"));
}
