//! Accounts: found, added, changed, deactivated, deleted.

use axum::http::{Method, StatusCode};
use presence_portal::ids::AccountId;

use crate::support::{Page, Stage};

fn names(page: &Page) -> Vec<String> {
    let links = page.all("#results td a");
    links.into_iter().map(|link| link.text().collect::<String>().trim().to_owned()).collect()
}

#[tokio::test]
async fn the_list_is_searched_filtered_and_sorted() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    for name in ["Acme", "Brightwater Dental", "Cobalt 100%", "Dorset_Foods"] {
        stage.account(name).await;
    }
    let page = ann.visit("/accounts").await;
    assert_eq!(page.heading(), "Accounts");
    assert_eq!(names(&page), ["Acme", "Brightwater Dental", "Cobalt 100%", "Dorset_Foods"]);
    assert!(page.says("1–4 of 4"));

    for (sought, found) in [
        ("BRIGHT", vec!["Brightwater Dental"]),
        ("cl-acme", vec!["Acme"]),
        ("%", vec!["Cobalt 100%"]),
        ("_", vec!["Dorset_Foods"]),
        ("\0'\\", vec![]),
        ("nobody", vec![]),
    ] {
        let form = page.form("Search").fill("Search accounts", sought);
        assert_eq!(names(&ann.submit(form).await), found, "{sought:?}");
    }
    let backwards = ann.visit("/accounts?sort=-name").await;
    assert_eq!(names(&backwards)[0], "Dorset_Foods");
    assert!(ann.visit("/accounts?health=none").await.says("1–4 of 4"));
    assert!(ann.visit("/accounts?health=syncing").await.says("No account fits"));
    assert_eq!(names(&ann.visit("/accounts?page=900&sort=nonsense&show=7").await).len(), 4);
}

#[tokio::test]
async fn typing_refreshes_only_the_results() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    stage.account("Acme").await;
    let part = ann.part("/accounts?q=ac").await;
    assert_eq!(names(&part), ["Acme"]);
    assert!(part.all("h1").is_empty());
}

#[tokio::test]
async fn a_long_list_comes_in_pages() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    sqlx::query(
        "INSERT INTO accounts (id, name, cloudlink_account_id, created_at, updated_at)
         SELECT gen_random_uuid(), 'Account ' || to_char(n, 'FM000'), 'cl-' || n, now(), now()
         FROM generate_series(1, 120) n",
    )
    .execute(&stage.db)
    .await
    .unwrap();

    let first = ann.visit("/accounts").await;
    assert_eq!(names(&first).len(), 50);
    assert!(first.says("1–50 of 120") && !first.has_link("Previous"));
    let last = ann.visit(&ann.visit(&first.link("Next")).await.link("Next")).await;
    assert_eq!(names(&last).first().map(String::as_str), Some("Account 101"));
    assert!(last.says("101–120 of 120") && !last.has_link("Next"));
}

#[tokio::test]
async fn an_account_is_added_and_what_was_said_of_it_is_kept() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let page = ann.visit("/accounts").await;
    let page = ann.visit(&page.link("Add account")).await;
    let form = page
        .form("Add account")
        .fill("Customer name", " Acme & Söhne <b> ")
        .fill("CloudLink account id", "327410625")
        .fill("Country", "Germany")
        .fill("Address", "Hauptstraße 1")
        .fill("City", "Köln")
        .fill("Postal code", "50667")
        .fill("Default language", "de-DE")
        .fill("Support contact e-mails", "it@acme.example, help@acme.example\r\nIT@acme.example");
    let page = ann.submit(form).await;
    assert_eq!(page.heading(), "Account information");
    for said in ["Acme & Söhne <b>", "327410625", "Köln", "50667", "de-DE", "help@acme.example"] {
        assert!(page.says(said), "{said}");
    }
    assert_eq!(page.all("a[href='mailto:it@acme.example']").len(), 1);
    assert!(page.says("was added."), "recent activity");
}

#[tokio::test]
async fn a_refused_account_comes_back_as_it_was_typed() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    stage.account("Acme").await;
    let form = ann.visit("/accounts/new").await.form("Add account");

    let page = ann.submit(form.clone()).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(page.complaint("Customer name"), "Give the account its customer’s name.");
    assert_eq!(page.complaint("CloudLink account id"), "Enter the CloudLink account id.");

    let long = "x".repeat(121);
    let typed = form
        .clone()
        .fill("Customer name", &long)
        .fill("CloudLink account id", "no id / at all")
        .fill("Postal code", "\u{1}")
        .fill("Support contact e-mails", "it@acme.example, call Bob")
        .fill("Default language", "klingon!");
    let page = ann.submit(typed.clone()).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.complaint("Customer name").contains("120 characters"));
    assert!(page.complaint("CloudLink account id").contains("GUID or a number"));
    assert!(page.complaint("Support contact e-mails").contains("“call”"));
    assert!(!page.complaint("Default language").is_empty());
    assert!(!page.complaint("Postal code").is_empty());
    for field in ["Customer name", "CloudLink account id", "Support contact e-mails"] {
        assert_eq!(page.form("Add account").value(field), typed.value(field));
    }

    let taken = form.fill("Customer name", "Another").fill("CloudLink account id", "cl-acme");
    let page = ann.submit(taken).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.complaint("CloudLink account id").contains("Another account"));
    let kept: i64 =
        sqlx::query_scalar("SELECT count(*) FROM accounts").fetch_one(&stage.db).await.unwrap();
    assert_eq!(kept, 1, "nothing was saved");
}

#[tokio::test]
async fn customer_information_is_edited_and_the_change_written_down() {
    let stage = Stage::new().await;
    let acme = stage.account("Acme").await;
    let carl = stage.carl(&[acme]).await;
    let page = carl.visit(&format!("/accounts/{acme}")).await;
    let page = carl.visit(&page.link("Edit")).await;
    let form = page.form("Save");
    assert_eq!(form.value("Customer name"), "Acme");

    let page = carl.submit(form.clone()).await;
    assert!(page.says("Nothing was changed."));
    let page = carl.submit(form.fill("Customer name", "Acme Ltd").fill("City", "Leeds")).await;
    assert!(page.says("The customer information is saved."));
    assert!(page.says("Customer name: Acme → Acme Ltd") && page.says("City: Leeds"));
}

#[tokio::test]
async fn an_account_is_pointed_at_another_cloudlink_account_by_a_partner_admin_alone() {
    let stage = Stage::new().await;
    let acme = stage.account("Acme").await;
    let (ann, carl) = (stage.ann().await, stage.carl(&[acme]).await);
    let at = format!("/accounts/{acme}/edit");
    let page = carl.visit(&at).await;
    assert!(page.says("CloudLink account id cl-acme"));
    assert!(page.all("[name=cloudlink_id]").is_empty());
    let forged = "name=Acme&cloudlink_id=cl-cobalt".to_owned();
    let answer = carl.send(Method::POST, &at, &[], forged).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let page = carl.submit(page.form("Save").fill("City", "Leeds")).await;
    assert!(page.says("The customer information is saved.") && page.says("cl-acme"));

    let form = ann.visit(&at).await.form("Save");
    let page = ann.submit(form.fill("CloudLink account id", "cl-cobalt")).await;
    assert!(page.says("CloudLink account id: cl-acme → cl-cobalt"));
}

#[tokio::test]
async fn the_cloudlink_id_stays_while_phones_are_in_sync_by_it() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let acme = stage.account("Acme").await;
    sqlx::query(
        "INSERT INTO presence_accounts (account_id, hook_digest, hook_key) VALUES ($1, 'd', 'k')",
    )
    .bind(acme)
    .execute(&stage.db)
    .await
    .unwrap();
    let form = ann.visit(&format!("/accounts/{acme}/edit")).await.form("Save");
    let page = ann.submit(form.clone().fill("CloudLink account id", "cl-other")).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.complaint("CloudLink account id").contains("Switch presence sync off"));
    let page = ann.submit(form.fill("City", "Leeds")).await;
    assert!(page.says("The customer information is saved."));
}

#[tokio::test]
async fn nobody_sees_or_changes_more_than_their_role_allows() {
    let stage = Stage::new().await;
    let (acme, cobalt) = (stage.account("Acme").await, stage.account("Cobalt").await);
    let (carl, bob) = (stage.carl(&[acme]).await, stage.bob(&[acme]).await);

    for browser in [&carl, &bob] {
        let list = browser.visit("/accounts").await;
        assert_eq!(names(&list), ["Acme"]);
        assert!(!list.has_link("Add account") && !list.has_link("Import from CloudLink"));
        for path in ["/accounts/new", "/accounts/import"] {
            assert_eq!(browser.visit(path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        for path in ["", "/edit", "/activity", "/activity.csv", "/integrations", "/delete"] {
            let path = format!("/accounts/{cobalt}{path}");
            assert_eq!(browser.visit(&path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        let page = browser.visit(&format!("/accounts/{acme}")).await;
        assert!(!page.has_link("Deactivate") && !page.has_link("Delete"));
        for verb in ["deactivate", "delete", "reactivate"] {
            let path = format!("/accounts/{acme}/{verb}");
            let answer = browser.send(Method::POST, &path, &[], format!("word={verb}")).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        }
    }
    assert!(carl.visit(&format!("/accounts/{acme}")).await.has_link("Edit"));
    let page = bob.visit(&format!("/accounts/{acme}")).await;
    assert!(!page.has_link("Edit") && !page.has_link("+ Add new"));
    for path in ["edit", "integrations/add"] {
        let path = format!("/accounts/{acme}/{path}");
        assert_eq!(bob.visit(&path).await.status, StatusCode::FORBIDDEN, "{path}");
        let answer = bob.send(Method::POST, &path, &[], String::new()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(carl.visit("/accounts/nonsense").await.status, StatusCode::NOT_FOUND);
    let stranger = stage.stranger().visit(&format!("/accounts/{acme}")).await;
    assert!(stranger.path.starts_with("/sign-in"), "{}", stranger.path);
}

#[tokio::test]
async fn deactivating_asks_for_the_word_and_can_be_taken_back() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let acme = stage.account("Acme").await;
    let page = ann.visit(&format!("/accounts/{acme}")).await;
    let dialog = ann.part(&page.link("Deactivate")).await;
    assert_eq!(dialog.heading(), "Deactivate Acme?");

    let form = dialog.form("Deactivate");
    let refused = ann.submit_in_place(form.clone().fill("Type the word", "yes")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.complaint("Type the word"), "Type the word deactivate to go on.");
    assert_eq!(refused.form("Deactivate").value("Type the word"), "yes");

    let page = ann.submit(form.fill("Type the word", " Deactivate ")).await;
    assert!(page.says("Acme is deactivated."));
    assert_eq!(names(&ann.visit("/accounts?show=deactivated").await), ["Acme"]);
    assert_eq!(names(&ann.visit("/accounts?show=active").await), Vec::<String>::new());

    let page = ann.submit(page.form("Reactivate")).await;
    assert!(page.says("Acme is active again.") && page.has_link("Deactivate"));
}

#[tokio::test]
async fn an_account_of_which_nothing_stands_in_teams_is_deleted_at_once() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let acme = stage.account("Acme").await;
    let page = ann.visit(&format!("/accounts/{acme}/delete")).await;
    let refused = ann.submit(page.form("Delete")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!refused.complaint("Type the word").is_empty());

    let page = ann.submit(refused.form("Delete").fill("Type the word", "delete")).await;
    assert_eq!(page.path, "/accounts");
    assert!(page.says("Acme is deleted."));
    assert_eq!(ann.visit(&format!("/accounts/{acme}")).await.status, StatusCode::NOT_FOUND);
    assert!(ann.visit("/activity").await.says("Acme was deleted."), "its activity stays");
}

#[tokio::test]
async fn an_account_that_is_being_cleared_goes_when_the_worker_says_so() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let acme = stage.account("Acme").await;
    super::integrations::set_up(&stage, acme).await;
    let form = ann.visit(&format!("/accounts/{acme}/delete")).await.form("Delete");
    let page = ann.submit(form.fill("Type the word", "delete")).await;
    assert_eq!(page.path, format!("/accounts/{acme}"));
    assert!(page.says("Being deleted: clearing presence in Teams…"));
    assert!(page.says("Removing: clearing presence in Teams…"));
    assert!(!page.has_link("Edit") && !page.has_link("Delete") && !page.has_link("+ Add new"));
    let waiting = ann.part(&format!("/accounts/{acme}/deleting")).await;
    assert!(waiting.says("Being deleted") && waiting.moved_to().is_none());

    let forgotten = forget(&stage, acme).await;
    assert!(forgotten && !forget(&stage, acme).await, "once");
    let gone = ann.part(&format!("/accounts/{acme}/deleting")).await;
    assert_eq!(gone.moved_to(), Some("/accounts"));
    assert_eq!(ann.visit(&format!("/accounts/{acme}")).await.status, StatusCode::NOT_FOUND);
}

/// What the worker does once it has cleared up.
async fn forget(stage: &Stage, account: AccountId) -> bool {
    let mut tx = stage.db.begin().await.unwrap();
    let forget = presence_portal::integrations::store::forget;
    let gone = forget(&mut tx, account, stage.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    gone
}
