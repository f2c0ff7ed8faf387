//! What an integration on the first release has less, until it is updated.

use presence_portal::ids::AccountId;
use presence_portal::sandbox::World;

use crate::support::Stage;
use crate::sync::Office;

async fn set_back(stage: &Stage, account: AccountId) {
    sqlx::query("UPDATE integrations SET release = 1 WHERE account_id = $1")
        .bind(account)
        .execute(&stage.db)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_release_shows_calls_and_do_not_disturb_and_leaves_the_rest_to_teams() {
    let mut office = Office::closed(World::small()).await;
    office.connect(0).await;
    set_back(&office.stage, office.accounts[0]).await;
    // Rules that somebody made before are kept, and do not count yet.
    sqlx::query("INSERT INTO mappings (account_id, state, shows) VALUES ($1, 'oncall', 'away')")
        .bind(office.accounts[0])
        .execute(&office.stage.db)
        .await
        .unwrap();
    office.switch(0, true).await;
    office.start().await;
    office.settled(0).await;

    office.phone_is("Ann Miller", "away");
    office.phone_is("Bob Stone", "doNotDisturb");
    office.holds("Bob Stone", Some("Presenting")).await;
    assert_eq!(office.held("Ann Miller"), None, "away came with a later release");
    office.phone_is("Ann Miller", "onCall");
    office.holds("Ann Miller", Some("InACall")).await;
    office.phone_is("Ann Miller", "inactive");
    office.holds("Ann Miller", None).await;
}

#[tokio::test]
async fn the_mapping_of_the_first_release_is_fixed_and_leads_to_the_update() {
    let stage = Stage::new().await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    let at = format!("/accounts/{acme}/presence/mapping");
    let form = ann.visit(&at).await.form("Save");
    set_back(&stage, acme).await;
    let page = ann.visit(&at).await;
    assert!(page.says("This table is fixed for now") && page.says("release 1.1"));
    assert!(!page.has_button("Save") && page.link("Install update").ends_with("/update"));
    let page = ann.submit(form.fill("idle", "available")).await;
    assert!(page.says("That comes with release 1.1. Install it first."));
    let own: i64 =
        sqlx::query_scalar("SELECT count(*) FROM mappings").fetch_one(&stage.db).await.unwrap();
    assert_eq!(own, 0);
}

#[tokio::test]
async fn nobody_is_left_out_before_the_release_that_brings_it() {
    let stage = Stage::new().await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    stage.person(acme, "Ada Byron").await;
    let at = format!("/accounts/{acme}/presence/users/Ada-Byron");
    let exclude = ann.visit(&at).await.form("Exclude");
    set_back(&stage, acme).await;
    let page = ann.visit(&at).await;
    assert!(!page.has_button("Exclude") && page.has_link("Install update to exclude"));
    assert!(ann.submit(exclude.clone()).await.says("That comes with release 1.1."));
    sqlx::query("UPDATE integrations SET release = 2").execute(&stage.db).await.unwrap();
    assert!(ann.submit(exclude).await.says("Ada Byron is excluded."));
}
