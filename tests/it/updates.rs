//! Install update: true steps, a failure that changes nothing, and no way to be cut short.

use axum::http::{Method, StatusCode};
use presence_portal::ids::AccountId;
use presence_portal::sandbox::{Permission, Sandbox, System, Trouble, World};

use crate::support::{Browser, Hands, Page, Stage, holds, run_is};

/// An account on the first release, in the tenant of the sandbox's only customer.
async fn behind() -> (Stage, Sandbox, Browser, AccountId) {
    let (stage, sandbox) = Stage::with_sandbox(World::small()).await;
    let ann = stage.ann().await;
    let acme = stage.synced_account("Acme").await;
    stage.connect(acme, &sandbox.world().customers[0]).await;
    sqlx::query("UPDATE integrations SET release = 1").execute(&stage.db).await.unwrap();
    (stage, sandbox, ann, acme)
}

async fn panel(browser: &Browser, account: AccountId) -> Page {
    browser.visit(&format!("/accounts/{account}/integrations")).await
}

async fn begin(browser: &Browser, account: AccountId) -> Page {
    let dialog = browser.visit(&panel(browser, account).await.link("Install update")).await;
    assert!(dialog.says("What is new in 1.1"));
    browser.submit(dialog.form("Install update")).await
}

async fn release(stage: &Stage) -> i32 {
    sqlx::query_scalar("SELECT release FROM integrations").fetch_one(&stage.db).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_goes_step_by_step_and_ends_with_done() {
    let (stage, _sandbox, ann, acme) = behind().await;
    stage.person(acme, "Ada Byron").await;
    stage.said(acme, "Ada Byron", "away", None).await;
    let page = begin(&ann, acme).await;
    assert_eq!(page.heading(), "Install update");
    assert!(page.path.contains("/update/"), "a reload finds it again: {}", page.path);
    assert!(page.says("Waiting to begin"));
    assert_eq!(page.all("progress").len(), 1);
    assert!(page.source.contains(r#"<noscript><meta http-equiv="refresh""#));
    let beside = panel(&ann, acme).await;
    assert!(beside.says("Installing the update") && !beside.has_link("Install update"));
    assert_eq!(beside.link("Show progress"), page.path);

    let hands = Hands::at(&stage.app);
    run_is(&stage.db, "done").await;
    let done = ann.visit(&page.path).await;
    assert!(done.says("Feature update complete"), "{}", done.source);
    assert!(done.says("Release 1.1 is installed. One user shows something else now."));
    for step in ["Sign in to Microsoft", "Check the permissions", "Switch over"] {
        assert!(done.says(step), "{step}");
    }
    assert!(!done.source.contains("http-equiv"), "it rests");
    assert_eq!(release(&stage).await, 2);
    let due: bool = sqlx::query_scalar("SELECT due_at IS NOT NULL FROM presences")
        .fetch_one(&stage.db)
        .await
        .unwrap();
    assert!(due, "the worker has it to do");

    assert!(panel(&ann, acme).await.says("Feature update complete"), "wherever one comes back");
    let after = ann.submit(done.form("Done")).await;
    assert!(after.path.ends_with("/integrations") && after.says("release 1.1"));
    assert!(!after.says("Feature update complete") && !after.has_link("Install update"));
    let (action, summary) = stage.activity().await.remove(0);
    assert_eq!(
        (action.as_str(), summary.as_str()),
        ("integration.updated", "Release 1.1 was installed.")
    );
    hands.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_step_says_which_and_why_and_the_old_release_works_on() {
    let (stage, sandbox, ann, acme) = behind().await;
    let tenant = sandbox.world().customers[0].tenant;
    sandbox.revoke(tenant, Permission::ReadWritePresence).unwrap();
    let hands = Hands::at(&stage.app);
    let at = begin(&ann, acme).await.path;
    run_is(&stage.db, "done").await;
    let page = ann.visit(&at).await;
    assert!(
        page.says("The update failed at Step 2 of 6: Check the permissions"),
        "{}",
        page.source
    );
    assert!(page.says("The permission Presence.ReadWrite.All is missing."));
    assert!(page.says("release 1.0 stays in force and works as before"));
    assert_eq!(release(&stage).await, 1);
    let beside = panel(&ann, acme).await;
    assert!(beside.says("The update failed at “Check the permissions”"));
    assert_eq!(beside.link("See what to do"), at);
    assert!(beside.has_link("Install update"), "it may be tried again from here, too");

    sandbox.grant(tenant, Permission::ReadWritePresence).unwrap();
    let again = ann.submit(page.form("Try again")).await;
    assert_ne!(again.path, at);
    run_is(&stage.db, "done").await;
    assert!(ann.visit(&again.path).await.says("Feature update complete"));
    assert_eq!(release(&stage).await, 2);
    hands.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_after_a_kill_goes_on_with_the_step_that_was_not_done() {
    let (stage, sandbox, ann, acme) = behind().await;
    sandbox.trouble(System::Graph, Trouble::Hang);
    let hands = Hands::at(&stage.app);
    let at = begin(&ann, acme).await.path;
    holds(&stage.db, "SELECT step = 2 FROM run_items").await;
    hands.kill().await;
    let page = ann.visit(&at).await;
    assert!(page.says("Step 3 of 6: Read the directory…"), "{}", page.source);
    assert_eq!(release(&stage).await, 1);

    sandbox.mend(System::Graph);
    let others = Hands::at(&stage.app);
    run_is(&stage.db, "done").await;
    assert!(ann.visit(&at).await.says("Feature update complete"));
    let claims: i64 =
        sqlx::query_scalar("SELECT claim FROM run_items").fetch_one(&stage.db).await.unwrap();
    assert_eq!(claims, 2, "taken over once");
    others.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_on_our_side_each_time_is_given_up_and_says_so() {
    let (stage, _sandbox, ann, acme) = behind().await;
    sqlx::query("UPDATE connections SET secret = 'not sealed by us'")
        .execute(&stage.db)
        .await
        .unwrap();
    let hands = Hands::at(&stage.app);
    let at = begin(&ann, acme).await.path;
    holds(&stage.db, "SELECT tries = 1 FROM run_items").await;
    // As if it had been tried again and again.
    sqlx::query("UPDATE run_items SET tries = 6").execute(&stage.db).await.unwrap();
    run_is(&stage.db, "done").await;
    let page = ann.visit(&at).await;
    assert!(page.says("Something went wrong on our side each time"), "{}", page.source);
    assert_eq!(release(&stage).await, 1);
    hands.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_told_to_stop_gives_its_work_back_at_once() {
    let (stage, sandbox, ann, acme) = behind().await;
    sandbox.trouble(System::Graph, Trouble::Hang);
    let hands = Hands::at(&stage.app);
    begin(&ann, acme).await;
    holds(&stage.db, "SELECT step = 2 FROM run_items").await;
    hands.stop().await;
    let free: bool = sqlx::query_scalar("SELECT claimed_until IS NULL FROM run_items")
        .fetch_one(&stage.db)
        .await
        .unwrap();
    assert!(free);
}

#[tokio::test(flavor = "multi_thread")]
async fn pressed_twice_it_is_installed_once() {
    let (stage, _sandbox, ann, acme) = behind().await;
    let dialog = ann.visit(&panel(&ann, acme).await.link("Install update")).await;
    let form = dialog.form("Install update");
    let (first, second) = (ann.submit(form.clone()).await, ann.submit(form.clone()).await);
    assert_eq!(first.path, second.path);
    let hands = Hands::at(&stage.app);
    run_is(&stage.db, "done").await;
    assert!(ann.submit(form).await.says("The newest release is installed already."));
    let runs: i64 =
        sqlx::query_scalar("SELECT count(*) FROM runs").fetch_one(&stage.db).await.unwrap();
    assert_eq!(runs, 1);
    hands.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_watches_and_a_stranger_finds_nothing() {
    let (stage, _sandbox, ann, acme) = behind().await;
    let at = begin(&ann, acme).await.path;
    let bob = stage.bob(&[acme]).await;
    assert!(bob.visit(&at).await.says("Waiting to begin"));
    let bolt = stage.account("Bolt").await;
    let carl = stage.carl(&[bolt]).await;
    assert_eq!(carl.visit(&at).await.status, StatusCode::NOT_FOUND);
    let events = carl.send(Method::GET, &format!("{at}/events"), &[], String::new()).await;
    assert_eq!(events.status, StatusCode::NOT_FOUND);

    let hands = Hands::at(&stage.app);
    run_is(&stage.db, "done").await;
    let page = bob.visit(&at).await;
    assert!(page.has_link("Done") && !page.has_button("Done"));
    let answer = bob.send(Method::POST, &format!("{at}/done"), &[], String::new()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    hands.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_part_that_moves_is_sent_until_the_last() {
    let (stage, _sandbox, ann, acme) = behind().await;
    let at = begin(&ann, acme).await.path;
    let hands = Hands::at(&stage.app);
    let accept = [("accept", "text/event-stream")];
    let stream = ann.send(Method::GET, &format!("{at}/events"), &accept, String::new()).await;
    assert_eq!(stream.headers["content-type"], "text/event-stream");
    let (_, last) = stream.body.rsplit_once("event: last").unwrap();
    assert!(last.contains("Feature update complete") && !last.contains("<html"), "{last}");
    hands.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rules_of_before_are_in_force_again_after_the_update_and_in_order() {
    let (stage, _sandbox, ann, acme) = behind().await;
    sqlx::query("INSERT INTO mappings VALUES ($1, 'On Call', 'away'), ($1, 'idle', 'on-fire')")
        .bind(acme)
        .execute(&stage.db)
        .await
        .unwrap();
    let hands = Hands::at(&stage.app);
    begin(&ann, acme).await;
    run_is(&stage.db, "done").await;
    let rules: Vec<(String, String)> =
        sqlx::query_as("SELECT state, shows FROM mappings").fetch_all(&stage.db).await.unwrap();
    assert_eq!(rules, [("oncall".to_owned(), "away".to_owned())]);
    let page = ann.visit(&format!("/accounts/{acme}/presence/mapping")).await;
    assert!(page.has_button("Reset to default") && !page.says("This table is fixed"));
    hands.stop().await;
}
