//! A removal under fault: what is ours is cleared before the credentials go, however long it takes,
//! unless somebody says "forget it".

use std::time::Duration;

use axum::http::{Method, StatusCode};
use presence_portal::sandbox::{System, Trouble, World};
use presence_portal::staff::Role;
use tokio::time::sleep;

use super::Office;
use crate::support::Browser;

const GONE: &str = "SELECT NOT EXISTS (SELECT 1 FROM integrations WHERE account_id = $1)";
const ACCOUNT_GONE: &str = "SELECT NOT EXISTS (SELECT 1 FROM accounts WHERE id = $1)";
/// It was tried, in vain, and the account says so.
const TROUBLED: &str = "SELECT EXISTS (SELECT 1 FROM presence_troubles WHERE account_id = $1)";

/// Both on the telephone, and Microsoft away.
async fn away() -> (Office, Browser) {
    let office = Office::open(World::small()).await;
    for name in ["Ann Miller", "Bob Stone"] {
        office.phone_is(name, "onCall");
        office.holds(name, Some("InACall")).await;
    }
    let (pat, _) = office.stage.staff("Pat Poe", "pat@partner.example", Role::PartnerAdmin).await;
    office.sandbox.trouble(System::Graph, Trouble::Away);
    office.sandbox.trouble(System::Login, Trouble::Away);
    (office, pat)
}

fn panel_at(office: &Office) -> String {
    format!("/accounts/{}/integrations", office.accounts[0])
}

async fn remove(office: &Office, pat: &Browser) {
    let page = pat.visit(&panel_at(office)).await;
    let page = pat.visit(&page.link("Configure Microsoft Teams")).await;
    let page = pat.visit(&page.link("Remove")).await;
    pat.submit(page.form("Remove integration")).await;
}

/// Lets time pass, a little at a time and less than a session lasts, until it is so.
async fn passes_until(office: &Office, query: &'static str) {
    for _ in 0..40 {
        if office.ask(query, 0).await {
            return;
        }
        office.pass_and_look(chrono::TimeDelta::seconds(2));
        sleep(Duration::from_millis(150)).await;
    }
    office.until(query, 0).await;
}

/// Every secret of the account as the database holds it, to be looked for afterwards.
async fn secrets(office: &Office) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT encode(secret, 'hex') FROM connections
         UNION ALL SELECT encode(hook_key, 'hex') FROM presence_accounts
         UNION ALL SELECT tenant_id::text FROM connections
         UNION ALL SELECT client_id::text FROM connections",
    )
    .fetch_all(&office.stage.db)
    .await
    .unwrap()
}

/// Looks through every row of every table.
async fn is_nowhere(office: &Office, secrets: &[String]) {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT table_name::text FROM information_schema.tables
         WHERE table_schema = 'public' AND table_type = 'BASE TABLE'",
    )
    .fetch_all(&office.stage.db)
    .await
    .unwrap();
    assert!(tables.len() > 20, "{tables:?}");
    for table in tables {
        let query = format!("SELECT t::text FROM \"{table}\" t");
        let rows: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(query))
            .fetch_all(&office.stage.db)
            .await
            .unwrap();
        for secret in secrets {
            let left: Vec<_> = rows.iter().filter(|row| row.contains(secret.as_str())).collect();
            assert!(left.is_empty(), "{table} still holds {secret}: {left:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn microsoft_away_and_the_portal_killed_it_is_cleared_before_anything_is_forgotten() {
    let (mut office, pat) = away().await;
    let before = secrets(&office).await;
    remove(&office, &pat).await;
    passes_until(&office, TROUBLED).await;
    assert!(!office.ask(GONE, 0).await);
    assert_eq!(office.sandbox.held_sessions(office.tenant(0)), 2);
    let page = pat.visit(&panel_at(&office)).await;
    assert!(page.says("The clean-up waits: Microsoft cannot be reached, since"), "{}", page.source);
    assert!(page.says("2 presences are left to clear; the last of them ends by itself at"));
    assert!(page.has_link("Forget it"));
    let home = pat.visit("/").await;
    assert!(home.says("A removal waits to clear up"), "{}", home.source);

    office.kill().await;
    office.restart().await;
    assert!(!office.ask(GONE, 0).await, "nobody forgot it meanwhile");
    office.sandbox.mend(System::Graph);
    office.sandbox.mend(System::Login);
    passes_until(&office, GONE).await;
    assert_eq!(office.sandbox.held_sessions(office.tenant(0)), 0);
    assert!(office.calls("Ann Miller").contains(&"clearPresence".to_owned()), "not only expired");
    assert!(office.sandbox.subscriptions(office.cloudlink(0)).is_empty());
    is_nowhere(&office, &before).await;
    assert!(pat.visit(&panel_at(&office)).await.says("Nothing is connected yet"));
    assert!(!pat.visit("/").await.says("A removal waits to clear up"));
}

#[tokio::test(flavor = "multi_thread")]
async fn forget_it_says_what_may_stay_and_for_how_long_and_then_lets_go() {
    let (office, pat) = away().await;
    let before = secrets(&office).await;
    remove(&office, &pat).await;
    passes_until(&office, TROUBLED).await;
    let page = pat.visit(&panel_at(&office)).await;
    let page = pat.visit(&page.link("Forget it")).await;
    assert!(page.says("2 presences that we set may stay in Teams for"), "{}", page.source);
    assert!(page.says("minutes at most") && page.has_link("Cancel"));
    let page = pat.submit(page.form("Forget it")).await;
    assert!(page.says("Microsoft Teams is removed, and its credentials are forgotten."));
    assert!(page.says("Nothing is connected yet"));
    is_nowhere(&office, &before).await;
    let (action, summary) = office.stage.activity().await.remove(0);
    assert_eq!(action, "integration.removed");
    assert!(summary.contains("without waiting"), "{summary}");
    office.sandbox.mend(System::Graph);
    office.sandbox.mend(System::Login);
    office.pass_and_look(chrono::TimeDelta::minutes(5));
    assert_eq!(office.sandbox.held_sessions(office.tenant(0)), 0, "they ended as was said");
    assert!(
        office
            .ask("SELECT NOT EXISTS (SELECT 1 FROM presence_accounts WHERE account_id = $1)", 0)
            .await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_account_goes_only_when_it_is_cleared_or_forgotten() {
    for forgotten in [false, true] {
        let (mut office, pat) = away().await;
        let before = secrets(&office).await;
        let account = format!("/accounts/{}", office.accounts[0]);
        let form = pat.visit(&format!("{account}/delete")).await.form("Delete");
        pat.submit(form.fill("Type the word", "delete")).await;
        passes_until(&office, TROUBLED).await;
        office.kill().await;
        office.restart().await;
        assert!(!office.ask(ACCOUNT_GONE, 0).await);
        let page = pat.visit(&account).await;
        assert!(page.says("The clean-up waits"), "{}", page.source);
        if forgotten {
            let page = pat.visit(&page.link("Forget it")).await;
            assert!(page.says("is deleted."));
            let page = pat.submit(page.form("Forget it")).await;
            assert_eq!(page.path, "/accounts");
        } else {
            office.sandbox.mend(System::Graph);
            office.sandbox.mend(System::Login);
            passes_until(&office, ACCOUNT_GONE).await;
            assert_eq!(office.sandbox.held_sessions(office.tenant(0)), 0);
            assert!(office.sandbox.subscriptions(office.cloudlink(0)).is_empty());
        }
        assert!(office.ask(ACCOUNT_GONE, 0).await);
        is_nowhere(&office, &before).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cloudlink_away_keeps_the_credentials_until_the_subscription_is_ended() {
    let (office, pat) = away().await;
    office.sandbox.mend(System::Graph);
    office.sandbox.mend(System::Login);
    office.sandbox.trouble(System::Cloudlink, Trouble::Away);
    remove(&office, &pat).await;
    passes_until(&office, TROUBLED).await;
    assert_eq!(office.sandbox.held_sessions(office.tenant(0)), 0, "Microsoft's part is done");
    let page = pat.visit(&panel_at(&office)).await;
    assert!(
        page.says("CloudLink cannot be reached")
            && page.says("Nothing that we set is left in Teams.")
    );
    let dialog = pat.visit(&page.link("Forget it")).await;
    assert!(dialog.says("The CloudLink subscription may stay, too."));
    office.sandbox.mend(System::Cloudlink);
    passes_until(&office, GONE).await;
    assert!(office.sandbox.subscriptions(office.cloudlink(0)).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_whose_secret_has_expired_says_so_and_leaves_microsoft_in_peace() {
    let mut office = Office::open(World::small()).await;
    office.phone_is("Ann Miller", "onCall");
    office.holds("Ann Miller", Some("InACall")).await;
    office.at_rest().await;
    office.stop().await;
    office.sandbox.expire_secrets(office.tenant(0)).unwrap();
    office.sandbox.revoke_tokens(office.tenant(0)).unwrap();
    let (pat, _) = office.stage.staff("Pat Poe", "pat@partner.example", Role::PartnerAdmin).await;
    remove(&office, &pat).await;
    office.stage.app.microsoft.forget_token(office.accounts[0]);
    let before = office.sandbox.requests_to(System::Login).len();
    office.restart().await;
    office.troubled(0, "secret-expired").await;
    for _ in 0..5 {
        office.pass_and_look(chrono::TimeDelta::seconds(2));
        sleep(Duration::from_millis(50)).await;
    }
    let asked = office.sandbox.requests_to(System::Login).len() - before;
    assert!(asked <= 2, "Microsoft was asked {asked} times");
    let page = pat.visit(&panel_at(&office)).await;
    assert!(page.says("The client secret has expired"), "{}", page.source);
}

#[tokio::test(flavor = "multi_thread")]
async fn forgetting_is_for_what_is_being_removed_and_not_for_auditors() {
    let (office, pat) = away().await;
    let account = office.accounts[0];
    let id: presence_portal::ids::IntegrationId = sqlx::query_scalar("SELECT id FROM integrations")
        .fetch_one(&office.stage.db)
        .await
        .unwrap();
    let at = format!("/accounts/{account}/integrations/{id}/remove/forget");
    let answer = pat.send(Method::POST, &at, &[], String::new()).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND, "it is in use");
    remove(&office, &pat).await;
    let bob = office.stage.bob(&[account]).await;
    let answer = bob.send(Method::POST, &at, &[], String::new()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(!bob.visit(&panel_at(&office)).await.has_link("Forget it"));
    assert!(!office.ask(GONE, 0).await);
}
