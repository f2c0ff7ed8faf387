//! The mapping page: what a telephone's state means in Teams, account by account.

use axum::http::StatusCode;
use chrono::TimeDelta;

use crate::support::Stage;

#[tokio::test]
async fn a_changed_rule_is_saved_applied_and_written_down() {
    let stage = Stage::new().await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    stage.person(acme, "Ada Byron").await;
    stage.said(acme, "Ada Byron", "idle", None).await;
    let at = format!("/accounts/{acme}/presence/mapping");

    let page = ann.visit(&at).await;
    assert_eq!(page.heading(), "Mapping");
    assert!(!page.has_button("Reset to default"), "there is nothing to reset");
    let form = page.form("Save");
    let choices = page.all("tbody select");
    assert_eq!(choices.len(), 18, "every state of the default has its choice");
    assert_eq!(form.value("idle"), "clear");

    let page = ann.submit(form.fill("idle", "available")).await;
    assert!(page.says("Saved. One user shows something else now."), "{}", page.source);
    assert!(page.says("up to 1 call a minute for 1 matched user,"), "and what that costs");
    let wanted: Option<String> =
        sqlx::query_scalar("SELECT wanted FROM presences WHERE due_at IS NOT NULL")
            .fetch_one(&stage.db)
            .await
            .unwrap();
    assert_eq!(wanted.as_deref(), Some("available"));
    assert_eq!(stage.activity().await[0].0, "mapping.changed");

    let page = ann.submit(page.form("Reset to default")).await;
    assert!(!page.has_button("Reset to default"));
    assert!(!page.says("calls a minute"));
}

#[tokio::test]
async fn a_state_that_was_seen_without_a_rule_gets_one_with_one_press() {
    let stage = Stage::new().await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    stage.person(acme, "Ada Byron").await;
    stage.said(acme, "Ada Byron", "On Lunch", None).await;
    sqlx::query("INSERT INTO unmapped_states VALUES ($1, 'onlunch', 'On Lunch', 3, $2)")
        .bind(acme)
        .bind(stage.clock.now())
        .execute(&stage.db)
        .await
        .unwrap();
    // Nothing has decided for Ada yet: her only event named a state without a rule.
    sqlx::query("UPDATE presences SET decided_state = NULL, decided_at = NULL, decided_by = NULL")
        .execute(&stage.db)
        .await
        .unwrap();
    let at = format!("/accounts/{acme}/presence/mapping");
    let page = ann.visit(&at).await;
    assert!(page.says("On Lunch Seen 3 times"));
    let page = ann.submit(page.form("Add rule for On Lunch").fill("shows", "away")).await;
    assert!(page.says("Saved. One user shows something else now."), "{}", page.source);
    assert!(page.says("Every state has a rule"));
    assert!(page.has_button("Remove onlunch"));

    let page = ann.submit(page.form("Remove onlunch")).await;
    assert!(!page.has_button("Remove onlunch"));
}

#[tokio::test]
async fn a_state_that_makes_no_sense_comes_back_as_typed() {
    let stage = Stage::new().await;
    let (ann, acme) = (stage.ann().await, stage.account("Acme").await);
    let at = format!("/accounts/{acme}/presence/mapping");
    let page = ann.visit(&at).await;
    let long = "x".repeat(70);
    let page = ann.submit(page.form("Save").fill("new_state", &long)).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(page.complaint("new_state"), "A state has at most 64 characters.");
    assert_eq!(page.form("Save").value("new_state"), long);

    let page = ann.submit(page.form("Save").fill("new_state", "On-Call")).await;
    assert_eq!(page.complaint("new_state"), "The table has this state already.");
    let page = ann.submit(page.form("Save").fill("new_state", "In Surgery")).await;
    assert!(page.says("insurgery"));
}

#[tokio::test]
async fn an_auditor_reads_the_table() {
    let stage = Stage::new().await;
    let acme = stage.account("Acme").await;
    let bob = stage.bob(&[acme]).await;
    let page = bob.visit(&format!("/accounts/{acme}/presence/mapping")).await;
    assert!(page.says("oncall In a call"));
    assert!(!page.has_button("Save") && page.all("select").is_empty());
    let path = format!("/accounts/{acme}/presence/mapping/reset");
    let answer = bob.send(axum::http::Method::POST, &path, &[], String::new()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_draft_is_replayed_on_the_last_day_and_nothing_is_saved_until_save() {
    let stage = Stage::new().await;
    let acme = stage.synced_account("Acme").await;
    for name in ["Ada Byron", "Bo Lund"] {
        stage.person(acme, name).await;
    }
    stage.said(acme, "Ada Byron", "idle", None).await;
    stage.said(acme, "Bo Lund", "onCall", Some("in-a-call")).await;
    stage.clock.advance(TimeDelta::minutes(150));
    let ann = stage.ann().await;
    let at = format!("/accounts/{acme}/presence/mapping");

    let page = ann.visit(&at).await;
    let unchanged = ann.submit(page.form("Preview")).await;
    assert!(unchanged.says("Nobody would have shown anything else."), "{}", unchanged.source);

    let preview = ann.submit(page.form("Preview").fill("idle", "available")).await;
    assert!(preview.says("1 of 2 users would have shown something else."), "{}", preview.source);
    assert!(preview.says("idle Teams decides Available 1 1 2 h 30 min"), "{}", preview.source);
    assert!(preview.says("Teams decides → Available 2 h 30 min"), "{}", preview.source);
    // Two and a half hours of a call: set once, renewed every four minutes.
    assert!(preview.says("As it is 39 requests, at most 2 in a minute: 1 % of the 3000 a minute"));
    assert!(preview.says("With this draft 77 requests"), "{}", preview.source);
    assert_eq!(preview.form("Save").value("idle"), "available", "the draft is kept as typed");
    let own = "SELECT count(*) FROM mappings";
    let saved: i64 = sqlx::query_scalar(own).fetch_one(&stage.db).await.unwrap();
    assert_eq!(saved, 0, "nothing is saved yet");

    let page = ann.submit(preview.form("Save")).await;
    assert!(page.says("Saved. One user shows something else now."), "{}", page.source);
    let again = ann.visit(&format!("{at}/preview")).await;
    assert_eq!(again.path, at, "a preview has no address of its own");
}
