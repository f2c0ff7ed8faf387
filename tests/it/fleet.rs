//! Fleet update: one account, then a tenth, then all; stopped by what fails; resumed, cancelled.

use axum::http::{Method, StatusCode};
use chrono::TimeDelta;
use presence_portal::ids::AccountId;
use presence_portal::sandbox::{Permission, Sandbox, World};

use crate::support::{Browser, Hands, Page, Stage, holds, run_is};

/// So many accounts on the first release, named so that they stand in this order.
async fn behind(count: usize) -> (Stage, Sandbox, Browser, Vec<AccountId>) {
    let (stage, sandbox) = Stage::with_sandbox(World::of_size(count, 1)).await;
    let ann = stage.ann().await;
    let mut accounts = Vec::new();
    for (index, customer) in sandbox.world().customers.clone().iter().enumerate() {
        let account = stage.synced_account(&format!("Acme {index:02}")).await;
        stage.connect(account, customer).await;
        accounts.push(account);
    }
    sqlx::query("UPDATE integrations SET release = 1").execute(&stage.db).await.unwrap();
    (stage, sandbox, ann, accounts)
}

async fn begin(ann: &Browser, rest: &str) -> Page {
    let page = ann.visit("/fleet").await;
    let button = page.all("form[action='/fleet'] button")[0].text().collect::<String>();
    ann.submit(page.form(button.trim()).fill("Between two rings", rest)).await
}

async fn updated(stage: &Stage) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM integrations WHERE release = 2")
        .fetch_one(&stage.db)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_stops_the_fleet_and_resumed_it_leaves_only_that_one_behind() {
    let (stage, sandbox, ann, accounts) = behind(12).await;
    let broken = sandbox.world().customers[2].tenant;
    sandbox.revoke(broken, Permission::ReadUsers).unwrap();
    let page = ann.visit("/fleet").await;
    assert!(page.says("Then a tenth: 2") && page.says("Then all the others: 9"), "{}", page.source);
    let page = begin(&ann, "0").await;
    assert!(page.says("0 of 12 accounts"));

    let hands = Hands::at(&stage.app);
    run_is(&stage.db, "stopped").await;
    let page = ann.visit(&page.path).await;
    assert!(page.says("Stopped: nothing further is begun") && page.says("One account failed."));
    assert!(page.says("Check the permissions: The permission User.Read.All is missing"));
    assert!(updated(&stage).await <= 2, "the last ring was not begun");
    let waiting: i64 =
        sqlx::query_scalar("SELECT count(*) FROM run_items WHERE ring = 2 AND state = 'waiting'")
            .fetch_one(&stage.db)
            .await
            .unwrap();
    assert_eq!(waiting, 9);

    ann.submit(page.form("Resume")).await;
    run_is(&stage.db, "done").await;
    assert_eq!(updated(&stage).await, 11);
    let page = ann.visit(&format!("{}?show=failed", page.path)).await;
    assert!(page.says("Acme 02") && !page.says("Acme 03") && page.says("Failed (1)"));
    let left = ann.visit(&format!("/accounts/{}/integrations", accounts[2])).await;
    assert!(left.says("The update failed at “Check the permissions”"));

    sandbox.grant(broken, Permission::ReadUsers).unwrap();
    ann.submit(page.form("Try the failed ones again")).await;
    run_is(&stage.db, "done").await;
    assert_eq!(updated(&stage).await, 12);
    assert!(ann.visit("/fleet").await.says("Every account is on the newest release"));
    hands.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_needs_attention_since_its_update_keeps_the_next_ring_waiting() {
    let (stage, _sandbox, ann, accounts) = behind(4).await;
    let page = begin(&ann, "600").await;
    let hands = Hands::at(&stage.app);
    holds(&stage.db, "SELECT next_ring_at IS NOT NULL FROM runs").await;
    assert!(ann.visit(&page.path).await.says("The next one begins after a rest"));
    assert_eq!(updated(&stage).await, 1);
    stage.clock.advance(TimeDelta::minutes(5));
    stage.trouble(accounts[0], "microsoft", "secret-expired", true).await;
    stage.clock.advance(TimeDelta::minutes(6));
    run_is(&stage.db, "stopped").await;
    let page = ann.visit(&page.path).await;
    assert!(page.says("Acme 00 needs attention since it was updated."), "{}", page.source);

    ann.submit(page.form("Resume")).await;
    holds(&stage.db, "SELECT next_ring_at IS NOT NULL OR state = 'done' FROM runs").await;
    stage.clock.advance(TimeDelta::minutes(11));
    run_is(&stage.db, "done").await;
    assert_eq!(updated(&stage).await, 4);
    hands.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelled_it_begins_nothing_further_and_another_may_begin() {
    let (stage, _sandbox, ann, _) = behind(4).await;
    let page = begin(&ann, "86400").await;
    let twice = begin_again(&ann).await;
    assert_eq!(twice.status, StatusCode::OK);
    assert!(twice.says("A fleet update is under way already."));
    let hands = Hands::at(&stage.app);
    holds(&stage.db, "SELECT next_ring_at IS NOT NULL FROM runs").await;
    let page = ann.submit(ann.visit(&page.path).await.form("Cancel the rest")).await;
    assert!(page.says("Cancelled"));
    run_is(&stage.db, "cancelled").await;
    assert_eq!(updated(&stage).await, 1);
    begin(&ann, "0").await;
    run_is(&stage.db, "done").await;
    assert_eq!(updated(&stage).await, 4);
    let said: Vec<_> = stage.activity().await.into_iter().map(|(action, _)| action).collect();
    assert!(
        said.contains(&"bulk.cancelled".to_owned()) && said.contains(&"fleet.begun".to_owned())
    );
    hands.stop().await;
}

/// As from a page that was opened before.
async fn begin_again(ann: &Browser) -> Page {
    let answer = ann.send(Method::POST, "/fleet", &[], "rest=0&stops_after=1".to_owned()).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    ann.visit("/fleet").await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_share_the_work_and_do_nothing_twice() {
    let (stage, _sandbox, ann, _) = behind(10).await;
    let (one, other) = (Hands::at(&stage.app), Hands::at(&stage.app));
    begin(&ann, "0").await;
    run_is(&stage.db, "done").await;
    assert_eq!(updated(&stage).await, 10);
    let noted = stage.activity().await;
    let times = noted.iter().filter(|(action, _)| action == "integration.updated").count();
    assert_eq!(times, 10);
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn the_fleet_is_the_partners_alone_and_its_form_is_read_with_care() {
    let stage = Stage::new().await;
    let acme = stage.synced_account("Acme").await;
    let (ann, carl) = (stage.ann().await, stage.carl(&[acme]).await);
    assert_eq!(carl.visit("/fleet").await.status, StatusCode::NOT_FOUND);
    let forged = "rest=0&stops_after=1".to_owned();
    let answer = carl.send(Method::POST, "/fleet", &[], forged).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);

    assert!(ann.visit("/fleet").await.says("Every account is on the newest release"));
    sqlx::query("UPDATE integrations SET release = 1").execute(&stage.db).await.unwrap();
    let form = ann.visit("/fleet").await.form("Install for 1 account");
    let page = ann.submit(form.fill("Stop after so many failures", "none")).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(page.complaint("Stop after so many failures"), "Enter a number, 1 or more.");
}
