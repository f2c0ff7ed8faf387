//! Importing accounts from CloudLink's own list.

use axum::http::StatusCode;
use presence_portal::sandbox::{System, Trouble, World};

use crate::support::Stage;

#[tokio::test]
async fn the_partners_accounts_are_listed_ticked_and_imported() {
    let (stage, sandbox) = Stage::with_sandbox(World::of_size(3, 1)).await;
    let ann = stage.ann().await;
    let customers = sandbox.world().customers.clone();
    // One is here already, added by its number.
    sqlx::query(
        "INSERT INTO accounts (id, name, cloudlink_account_id, created_at, updated_at)
         VALUES (gen_random_uuid(), 'Known', $1, now(), now())",
    )
    .bind(&customers[0].account_number)
    .execute(&stage.db)
    .await
    .unwrap();

    let page = ann.visit("/accounts").await;
    let page = ann.visit(&page.link("Import from CloudLink")).await;
    assert_eq!(page.all("input[name=account]").len(), 2, "{}", page.source);
    assert!(page.says("Already here"));
    assert!(!page.says(&sandbox.world().partner.name), "the partner's own is not for integrations");

    let refused = ann.submit(page.form("Import ticked accounts")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.says("Tick at least one account"));

    let one = customers[1].account.as_str();
    let page = ann.submit(refused.form("Import ticked accounts").tick("account", one)).await;
    assert!(page.says("1 account is imported.") && page.says(&customers[1].name));
    let page = ann.visit(&page.link(&customers[1].name)).await;
    for said in [&customers[1].city, &customers[1].postal_code, &customers[1].contact] {
        assert!(page.says(said), "{said}");
    }
    assert!(page.says("Imported from CloudLink."), "activity");

    let page = ann.visit("/accounts/import").await;
    let page = ann.submit(page.form("Import the one that is not here yet")).await;
    assert!(page.says("1 account is imported."));
    assert!(!ann.visit("/accounts/import").await.says("Not here yet"));
}

#[tokio::test]
async fn a_search_narrows_what_is_offered() {
    let (stage, sandbox) = Stage::with_sandbox(World::of_size(3, 1)).await;
    let ann = stage.ann().await;
    let wanted = sandbox.world().customers[2].clone();
    let form = ann.visit("/accounts/import").await.form("Search");
    let page = ann.submit(form.fill("Search CloudLink’s accounts", wanted.account.as_str())).await;
    assert_eq!(page.all("input[name=account]").len(), 1);
    assert!(page.says(&wanted.name));
}

#[tokio::test]
async fn what_is_ticked_stays_ticked_while_one_searches_and_cloudlink_is_asked_once() {
    let (stage, sandbox) = Stage::with_sandbox(World::of_size(3, 1)).await;
    let ann = stage.ann().await;
    let customers = sandbox.world().customers.clone();
    let (first, last) = (customers[0].account.as_str(), &customers[2]);
    let form = ann.visit("/accounts/import").await.form("Search").tick("account", first);
    sandbox.forget_requests();
    let sought = form.fill("Search CloudLink’s accounts", last.account.as_str());
    for _ in 0..3 {
        let part = ann.submit_in_place(sought.clone()).await;
        assert_eq!(part.all("input[name=account]").len(), 2, "the one found, and the one ticked");
    }
    assert_eq!(sandbox.requests_to(System::Cloudlink).len(), 1);
    let page = ann.submit(sought).await;
    let page = ann.submit(page.form("Import ticked accounts")).await;
    assert!(page.says("1 account is imported.") && page.says(&customers[0].name));
}

#[tokio::test]
async fn what_keeps_cloudlink_from_answering_is_said_plainly() {
    let stage = Stage::new().await;
    let page = stage.ann().await.visit("/accounts/import").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.says("CloudLink is not connected yet"));
    assert!(page.says("PORTAL_CLOUDLINK_CLIENT_ID") && page.has_link("Add an account by hand"));

    let (stage, sandbox) = Stage::with_sandbox(World::small()).await;
    sandbox.trouble(System::Cloudlink, Trouble::Away);
    let page = stage.ann().await.visit("/accounts/import").await;
    assert!(page.says("CloudLink cannot be reached") && page.has_link("Try again"));
}
