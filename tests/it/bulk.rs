//! Bulk work over ticked accounts, and taking it back.

use axum::http::{Method, StatusCode};
use presence_portal::app::upkeep;
use presence_portal::ids::AccountId;
use presence_portal::sandbox::{Permission, World};

use crate::support::{Browser, Hands, Page, Stage, run_is};

async fn over(browser: &Browser, accounts: &[AccountId], deed: &str) -> Page {
    let ticked: Vec<_> = accounts.iter().map(|id| format!("account={id}")).collect();
    let page = browser.visit(&format!("/bulk?{}", ticked.join("&"))).await;
    browser.submit(page.form(deed)).await
}

async fn on(stage: &Stage) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT a.name FROM features f JOIN accounts a ON a.id = f.account_id
         WHERE f.enabled ORDER BY a.name",
    )
    .fetch_all(&stage.db)
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn switched_off_in_bulk_and_undone_where_nobody_has_touched_it_since() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let mut accounts = Vec::new();
    for name in ["Acme", "Bolt", "Cobalt", "Delta"] {
        accounts.push(stage.synced_account(name).await);
    }
    stage.switch(accounts[2], false).await;
    accounts.push(stage.account("Empty").await);

    let hands = Hands::at(&stage.app);
    let page = over(&ann, &accounts, "Switch presence sync off").await;
    run_is(&stage.db, "done").await;
    let page = ann.visit(&page.path).await;
    assert!(
        page.says("5 of 5 accounts") && page.says("Done (3)") && page.says("Nothing to do (2)")
    );
    assert!(page.says("It was off already.") && page.says("Microsoft Teams is not added."));
    assert!(on(&stage).await.is_empty());

    // Somebody switches one on again, and off: it is theirs now.
    stage.clock.advance(chrono::TimeDelta::seconds(5));
    for _ in 0..2 {
        let panel = ann.visit(&format!("/accounts/{}/integrations", accounts[1])).await;
        ann.submit(panel.form("Sync presence from CloudLink to MS Teams")).await;
    }
    let undone = ann.submit(page.form("Undo")).await;
    run_is(&stage.db, "done").await;
    let undone = ann.visit(&undone.path).await;
    assert!(undone.says("Somebody has switched it since."), "{}", undone.source);
    assert_eq!(on(&stage).await, ["Acme", "Delta"], "Cobalt was off before, Bolt is somebody's");
    let page = ann.visit(&page.path).await;
    assert!(!page.has_button("Undo") && page.has_link("It was undone"));
    let (action, summary) = stage.activity().await.remove(0);
    assert_eq!(
        (action.as_str(), summary.as_str()),
        ("integration.switched_on", "Presence sync was switched on.")
    );
    hands.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_account_gets_the_whole_setup_check_and_has_its_own_result() {
    let (stage, sandbox) = Stage::with_sandbox(World::of_size(3, 1)).await;
    let ann = stage.ann().await;
    let customers = sandbox.world().customers.clone();
    let mut accounts = Vec::new();
    for customer in &customers {
        let account = stage.account(&customer.name).await;
        sqlx::query("UPDATE accounts SET cloudlink_account_id = $2 WHERE id = $1")
            .bind(account)
            .bind(&customer.account)
            .execute(&stage.db)
            .await
            .unwrap();
        stage.add_teams(account).await;
        let in_spring = stage.clock.now().date_naive() + chrono::TimeDelta::days(120);
        stage.set_up(account, Some(in_spring)).await;
        stage.connect(account, customer).await;
        accounts.push(account);
    }
    accounts.push(stage.account("Empty").await);
    sandbox.expire_secrets(customers[1].tenant).unwrap();
    sandbox.revoke(customers[2].tenant, Permission::ReadWritePresence).unwrap();
    let hands = Hands::at(&stage.app);
    let page = over(&ann, &accounts, "Test connections").await;
    run_is(&stage.db, "done").await;
    let page = ann.visit(&page.path).await;
    assert!(page.says("4 of 4 accounts, 2 failed"), "{}", page.source);
    assert!(page.says("Every line of the setup check is green."), "{}", page.source);
    assert!(page.says("The client secret has expired"));
    assert!(page.says("AADSTS7000222"));
    assert!(page.says("Presence.ReadWrite.All is not granted: the token does not carry it"));
    assert!(page.says("Microsoft Teams is not set up."));
    let of = "SELECT count(*) FROM connections WHERE tested_at IS NOT NULL
        UNION ALL SELECT count(*) FROM setup_checks WHERE finished_at IS NOT NULL AND run IS NULL";
    let counts: Vec<i64> = sqlx::query_scalar(of).fetch_all(&stage.db).await.unwrap();
    assert_eq!(counts, [1, 3], "and each check stands on its own page");
    assert!(ann.visit("/").await.says("The setup check found what a person has to mend"));
    hands.stop().await;
}

#[tokio::test]
async fn all_that_match_are_asked_about_first_and_again_when_they_are_others() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    for number in 0..30 {
        stage.synced_account(&format!("Acme {number:02}")).await;
    }
    stage.synced_account("Bolt").await;
    let body = "action=switch-off&matching=q%3Dacme".to_owned();
    let answer = ann.send(Method::POST, "/bulk", &[], body.clone()).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "nothing is begun");
    let question = ann.visit(answer.headers["location"].to_str().unwrap()).await;
    assert!(question.says("Switch presence sync off for 30 accounts?"), "{}", question.source);
    assert!(question.says("Acme 00") && question.says("and 10 more") && !question.says("Bolt"));
    assert!(question.says("What we show in Teams is cleared at each of them. It can be undone."));
    assert!(question.link("Cancel").contains("q=acme"));
    assert!(!question.has_button("Test connections"), "only what was asked for");

    stage.synced_account("Acme 31").await;
    let form = question.form("Switch presence sync off");
    let asked_again = ann.submit(form).await;
    assert_eq!(asked_again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(asked_again.says("Other accounts match by now."));
    assert!(asked_again.says("Switch presence sync off for 31 accounts?"));
    let runs = async || {
        sqlx::query_scalar::<_, i64>("SELECT coalesce(sum(items), 0)::bigint FROM runs")
            .fetch_one(&stage.db)
            .await
            .unwrap()
    };
    assert_eq!(runs().await, 0);
    let run = ann.submit(asked_again.form("Switch presence sync off")).await;
    assert!(run.says("0 of 31 accounts"), "{}", run.source);
    assert_eq!(runs().await, 31);
    assert_eq!(on(&stage).await.len(), 32, "a run only writes down what is to be done");
}

#[tokio::test]
async fn runs_that_ended_long_ago_are_forgotten_and_others_are_not() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let acme = stage.account("Acme").await;
    let hands = Hands::at(&stage.app);
    over(&ann, &[acme], "Test connections").await;
    run_is(&stage.db, "done").await;
    hands.stop().await;
    over(&ann, &[acme], "Switch presence sync on").await;
    let left = async || {
        sqlx::query_scalar::<_, String>("SELECT state FROM runs ORDER BY begun_at")
            .fetch_all(&stage.db)
            .await
            .unwrap()
    };
    stage.clock.advance(chrono::TimeDelta::days(179));
    upkeep::forget(&stage.app).await;
    assert_eq!(left().await, ["done", "running"]);
    stage.clock.advance(chrono::TimeDelta::days(2));
    upkeep::forget(&stage.app).await;
    assert_eq!(left().await, ["running"], "what goes on is kept, however old");
}

#[tokio::test]
async fn an_account_admin_reaches_their_own_accounts_and_an_auditor_none() {
    let stage = Stage::new().await;
    let (acme, bolt) = (stage.synced_account("Acme").await, stage.synced_account("Bolt").await);
    let (ann, carl, bob) = (stage.ann().await, stage.carl(&[acme]).await, stage.bob(&[acme]).await);
    let ticked = format!("action=switch-off&account={acme}&account={bolt}");
    let answer = bob.send(Method::POST, "/bulk", &[], ticked.clone()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(bob.visit("/bulk").await.status, StatusCode::FORBIDDEN);

    let answer = carl.send(Method::POST, "/bulk", &[], ticked).await;
    let at = answer.headers["location"].to_str().unwrap().to_owned();
    let names: Vec<String> = sqlx::query_scalar("SELECT account_name FROM run_items")
        .fetch_all(&stage.db)
        .await
        .unwrap();
    assert_eq!(names, ["Acme"]);
    assert!(ann.visit(&at).await.says("Begun by carl@customer.example."));
    assert!(carl.visit("/bulk").await.says("Switch presence sync off"));

    let theirs = over(&ann, &[acme], "Test connections").await.path;
    for path in [theirs.clone(), format!("{theirs}/events")] {
        assert_eq!(carl.visit(&path).await.status, StatusCode::NOT_FOUND);
        assert_eq!(bob.visit(&path).await.status, StatusCode::NOT_FOUND);
    }
    for verb in ["cancel", "resume", "again", "undo"] {
        let path = format!("{theirs}/{verb}");
        let answer = carl.send(Method::POST, &path, &[], String::new()).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{verb}");
    }
}

#[tokio::test]
async fn nothing_is_begun_without_accounts_or_a_deed() {
    let stage = Stage::new().await;
    let acme = stage.synced_account("Acme").await;
    let ann = stage.ann().await;
    assert!(ann.visit("/bulk").await.says("No account is ticked"));
    for (body, said) in [
        ("action=test".to_owned(), "Tick at least one account"),
        (format!("action=explode&account={acme}"), "Choose what to do"),
        (format!("action=import&account={acme}"), "Choose what to do"),
    ] {
        let answer = ann.send(Method::POST, "/bulk", &[], body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.body.contains(said), "{said}");
    }
    let runs: i64 =
        sqlx::query_scalar("SELECT count(*) FROM runs").fetch_one(&stage.db).await.unwrap();
    assert_eq!(runs, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_is_taken_back_but_for_accounts_that_are_in_use() {
    let (stage, sandbox) = Stage::with_sandbox(World::of_size(3, 1)).await;
    let ann = stage.ann().await;
    let page = ann.visit("/accounts/import").await;
    ann.submit(page.form("Import all 3 that are not here yet")).await;
    let used = &sandbox.world().customers[1].name;
    let id: AccountId = sqlx::query_scalar("SELECT id FROM accounts WHERE name = $1")
        .bind(used)
        .fetch_one(&stage.db)
        .await
        .unwrap();
    stage.add_teams(id).await;
    let page = ann.visit(&ann.visit("/bulk").await.link("Import from CloudLink")).await;
    let run = run_is(&stage.db, "done").await;
    let page =
        if page.has_button("Undo") { page } else { ann.visit(&format!("/bulk/{run}")).await };
    assert!(page.says("Done (3)"), "{}", page.source);
    let hands = Hands::at(&stage.app);
    let undone = ann.submit(page.form("Undo")).await;
    run_is(&stage.db, "done").await;
    let undone = ann.visit(&undone.path).await;
    assert!(undone.says("It is in use: Microsoft Teams was added to it."), "{}", undone.source);
    let left: Vec<String> =
        sqlx::query_scalar("SELECT name FROM accounts").fetch_all(&stage.db).await.unwrap();
    assert_eq!(left, std::slice::from_ref(used));
    hands.stop().await;
}
