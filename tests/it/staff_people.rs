//! Inviting people, what they may do, and keeping them out.

use axum::http::{Method, StatusCode};
use chrono::TimeDelta;
use presence_portal::ids::AccountId;
use presence_portal::kit::email::Email;
use presence_portal::kit::secret::Secret;
use presence_portal::staff::{self, Addition, Role};

use crate::support::{Browser, PASSWORD, Page, Stage};

/// Ann invites Dora as an account admin of these accounts; the page that shows the link.
async fn invite_dora(ann: &Browser, accounts: &[AccountId]) -> Page {
    let page = ann.visit("/staff/invite").await;
    let mut form =
        page.form("Invite").fill("Name", "Dora Day").fill("Email", "dora@partner.example");
    form = form.fill("role", "account-admin");
    for account in accounts {
        form = form.tick("account", &account.to_string());
    }
    ann.submit(form).await
}

/// The path of the link that a page shows.
fn link_on(page: &Page) -> String {
    let link = page.text(".callout .copy__text");
    link.strip_prefix("http://127.0.0.1:8080").unwrap().to_owned()
}

async fn accept(browser: &Browser, link: &str) -> Page {
    let page = browser.visit(link).await;
    browser.submit(page.form("Set password and sign in").fill("Password", PASSWORD)).await
}

async fn sign_in(browser: &Browser, email: &str) -> bool {
    let page = browser.visit("/sign-in").await;
    browser.submit(page.form("Sign in").fill("Email", email).fill("Password", PASSWORD)).await;
    browser.cookie("session").is_some()
}

async fn actions(stage: &Stage) -> Vec<String> {
    sqlx::query_scalar("SELECT action FROM activity ORDER BY id")
        .fetch_all(&stage.db)
        .await
        .unwrap()
}

async fn is_signed_in(browser: &Browser) -> bool {
    let answer = browser.send(Method::GET, "/sign-in", &[], String::new()).await;
    answer.status == StatusCode::SEE_OTHER
}

#[tokio::test]
async fn who_is_invited_follows_the_link_once_chooses_a_password_and_is_in() {
    let stage = Stage::new().await;
    let acme = stage.account("Acme").await;
    let ann = stage.ann().await;
    let page = invite_dora(&ann, &[acme]).await;
    assert_eq!(page.heading(), "Dora Day");
    let link = link_on(&page);
    let list = ann.visit("/staff").await;
    assert!(list.says("Dora Day") && list.says("Invited") && list.says("Acme"));
    let again = ann.visit(&page.path).await;
    assert!(!again.source.contains("/invitation/"), "the link is shown once");

    let dora = stage.stranger();
    let page = dora.visit(&link).await;
    assert_eq!(page.heading(), "Welcome, Dora Day");
    let form = page.form("Set password and sign in").fill("Password", "dora@partner.example");
    let refused = dora.submit(form).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.complaint("Password"), "Choose a password that is not the e-mail address.");
    accept(&dora, &link).await;
    assert!(is_signed_in(&dora).await);
    assert!(ann.visit("/staff").await.says("Active"));

    let thief = stage.stranger().visit(&link).await;
    assert_eq!(thief.status, StatusCode::GONE);
    assert!(thief.says("It has been used already."));
    assert_eq!(actions(&stage).await, ["staff.invited", "staff.invitation_accepted"]);
}

#[tokio::test]
async fn of_two_who_follow_a_link_at_once_one_gets_in() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let link = link_on(&invite_dora(&ann, &[]).await);
    let tries = [stage.stranger(), stage.stranger()].map(|browser| {
        let link = link.clone();
        async move {
            let body = "password=sing+to+the+kettle".to_owned();
            browser.send(Method::POST, &link, &[], body).await.status
        }
    });
    let mut answers = futures_util::future::join_all(tries).await;
    answers.sort();
    assert_eq!(answers, [StatusCode::SEE_OTHER, StatusCode::GONE]);
}

#[tokio::test]
async fn a_link_expires_after_a_week_a_newer_one_replaces_it_and_revoking_ends_it() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let page = invite_dora(&ann, &[]).await;
    let first = link_on(&page);
    let page = ann.submit(page.form("New invitation link")).await;
    let second = link_on(&page);
    assert!(stage.stranger().visit(&first).await.says("There is a newer one."));

    stage.clock.advance(TimeDelta::days(7) - TimeDelta::seconds(1));
    assert_eq!(stage.stranger().visit(&second).await.heading(), "Welcome, Dora Day");
    stage.clock.advance(TimeDelta::seconds(1));
    assert!(stage.stranger().visit(&second).await.says("It has expired."));
    assert!(!accepts(&stage, &second).await);

    let ann = signed_in_again(&stage).await;
    assert!(ann.visit("/staff").await.says("Invitation expired"));
    let page = ann.submit(ann.visit(&page.path).await.form("New invitation link")).await;
    let third = link_on(&page);
    let list = ann.submit(page.form("Revoke invitation")).await;
    assert!(list.says("The invitation is revoked.") && !list.says("Dora Day"));
    assert!(stage.stranger().visit(&third).await.says("It has been revoked"));
    assert_eq!(invite_dora(&ann, &[]).await.heading(), "Dora Day", "and she may be invited anew");
}

async fn accepts(stage: &Stage, link: &str) -> bool {
    let body = "password=sing+to+the+kettle".to_owned();
    stage.stranger().send(Method::POST, link, &[], body).await.status == StatusCode::SEE_OTHER
}

async fn signed_in_again(stage: &Stage) -> Browser {
    let ann = stage.stranger();
    assert!(sign_in(&ann, "ann@partner.example").await);
    ann
}

#[tokio::test]
async fn an_address_is_invited_once_and_the_form_comes_back_as_typed() {
    let stage = Stage::new().await;
    let acme = stage.account("Acme").await;
    let ann = stage.ann().await;
    let page = ann.visit("/staff/invite").await;
    let form = page.form("Invite").fill("Name", "Anna").fill("Email", "ANN@partner.example");
    let form = form.fill("role", "auditor").tick("account", &acme.to_string());
    let refused = ann.submit(form).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.complaint("Email"), "Somebody with that e-mail address is here already.");
    assert_eq!(refused.form("Invite").value("Name"), "Anna");
    assert_eq!(refused.all("input[name=account][checked]").len(), 1);
    let empty = ann.submit(page.form("Invite")).await;
    assert_eq!(empty.complaint("Name"), "Enter a name.");
    assert_eq!(empty.complaint("Email"), "Enter an e-mail address.");
    assert!(empty.says("Choose a role."));
}

#[tokio::test]
async fn accounts_are_found_by_search_and_those_ticked_stay_ticked() {
    let stage = Stage::new().await;
    let acme = stage.account("Acme").await;
    for n in 0..60 {
        stage.account(&format!("Branch {n:02}")).await;
    }
    let ann = stage.ann().await;
    let page = ann.visit("/staff/invite").await;
    assert!(page.says("There are more: search for the one you mean."));
    let form = page.form("Search").fill("Name", "Dora Day").tick("account", &acme.to_string());
    let form = form.fill("Search accounts", "branch 59");
    let part = ann.submit_in_place(form.clone()).await;
    assert_eq!(part.all("input[name=account]").len(), 2);
    assert!(part.all("h1").is_empty());
    let whole = ann.submit(form).await;
    assert_eq!(whole.form("Invite").value("Name"), "Dora Day");
    assert!(whole.says("Branch 59") && !whole.says("Branch 58"));
    assert_eq!(whole.all("input[name=account][checked]").len(), 1);
}

#[tokio::test]
async fn what_somebody_may_do_changes_at_once_and_is_written_down() {
    let stage = Stage::new().await;
    let (acme, brick) = (stage.account("Acme").await, stage.account("Brick").await);
    let ann = stage.ann().await;
    let (dora, id) = stage.staff("Dora", "dora@partner.example", Role::PartnerAdmin).await;
    assert_eq!(dora.visit("/staff").await.status, StatusCode::OK);
    let page = ann.visit(&format!("/staff/{id}")).await;
    let form = page.form("Save").fill("role", "auditor");
    let form = form.tick("account", &acme.to_string()).tick("account", &brick.to_string());
    assert!(ann.submit(form).await.says("Saved."));
    assert_eq!(dora.visit("/staff").await.status, StatusCode::NOT_FOUND);
    let (changes, actor): (serde_json::Value, String) =
        sqlx::query_as("SELECT changes, actor FROM activity").fetch_one(&stage.db).await.unwrap();
    assert_eq!(changes["role"], serde_json::json!({ "old": "Partner admin", "new": "Auditor" }));
    assert_eq!(changes["accounts"], serde_json::json!({ "old": "", "new": "Acme, Brick" }));
    assert_eq!(actor, "ann@partner.example");

    let page = ann.visit(&format!("/staff/{id}")).await;
    assert_eq!(page.all("input[name=account][checked]").len(), 2);
    ann.submit(page.form("Save")).await;
    assert_eq!(actions(&stage).await.len(), 1, "nothing changed, so nothing is written");
}

#[tokio::test]
async fn who_is_disabled_is_signed_out_at_once_and_may_come_back() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let (dora, id) = stage.staff("Dora", "dora@partner.example", Role::AccountAdmin).await;
    let page = ann.visit(&format!("/staff/{id}")).await;
    let page = ann.submit(page.form("New password link")).await;
    let link = link_on(&page);
    let page = ann.submit(page.form("Disable")).await;
    assert!(page.says("Dora is signed out everywhere and cannot sign in."));
    assert!(!is_signed_in(&dora).await);
    assert!(!sign_in(&stage.stranger(), "dora@partner.example").await);
    assert!(!accepts(&stage, &link).await, "nor by a link made before");
    ann.submit(page.form("Enable")).await;
    assert!(!is_signed_in(&dora).await, "the old session stays ended");
    assert!(sign_in(&dora, "dora@partner.example").await);
    assert_eq!(
        actions(&stage).await,
        [
            "staff.reset_offered",
            "staff.disabled",
            "sign_in.refused",
            "staff.enabled",
            "sign_in.done"
        ]
    );
}

#[tokio::test]
async fn the_last_active_partner_admin_keeps_the_keys() {
    let stage = Stage::new().await;
    let (ann, id) = stage.staff("Ann", "ann@partner.example", Role::PartnerAdmin).await;
    invite_dora(&ann, &[]).await;
    sqlx::query("UPDATE staff SET role = 'partner-admin'").execute(&stage.db).await.unwrap();
    let page = ann.visit(&format!("/staff/{id}")).await;
    let refused = ann.submit(page.form("Save").fill("role", "auditor")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.says("This is the last active partner admin."), "an invited one is not active");
    let answer = ann.send(Method::POST, &format!("/staff/{id}/disable"), &[], String::new()).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(is_signed_in(&ann).await);
}

#[tokio::test]
async fn two_partner_admins_who_disable_each_other_at_once_do_not_both_succeed() {
    for _ in 0..5 {
        let stage = Stage::new().await;
        let (ann, a) = stage.staff("Ann", "ann@partner.example", Role::PartnerAdmin).await;
        let (dora, d) = stage.staff("Dora", "dora@partner.example", Role::PartnerAdmin).await;
        let (at_dora, at_ann) = (format!("/staff/{d}/disable"), format!("/staff/{a}/disable"));
        futures_util::future::join(
            ann.send(Method::POST, &at_dora, &[], String::new()),
            dora.send(Method::POST, &at_ann, &[], String::new()),
        )
        .await;
        let active: i64 =
            sqlx::query_scalar("SELECT count(*) FROM staff WHERE disabled_at IS NULL")
                .fetch_one(&stage.db)
                .await
                .unwrap();
        assert_eq!(active, 1);
    }
}

#[tokio::test]
async fn who_forgot_their_password_gets_a_link_that_signs_them_out_everywhere_else() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let (dora, id) = stage.staff("Dora", "dora@partner.example", Role::AccountAdmin).await;
    let page = ann.visit(&format!("/staff/{id}")).await;
    let link = link_on(&ann.submit(page.form("New password link")).await);
    assert!(is_signed_in(&dora).await, "until she uses it nothing changes");
    let phone = stage.stranger();
    assert_eq!(phone.visit(&link).await.heading(), "A new password");
    accept(&phone, &link).await;
    assert!(is_signed_in(&phone).await && !is_signed_in(&dora).await);
}

#[tokio::test]
async fn a_link_made_for_one_is_not_shown_on_the_page_of_another() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let (_, id) = stage.staff("Dora", "dora@partner.example", Role::AccountAdmin).await;
    let answer = ann.send(Method::POST, &format!("/staff/{id}/link"), &[], String::new()).await;
    assert!(!answer.body.contains("/invitation/") && ann.cookie("link").is_some());
    let (_, other) = stage.staff("Otto", "otto@partner.example", Role::AccountAdmin).await;
    let page = ann.visit(&format!("/staff/{other}")).await;
    assert!(!page.source.contains("/invitation/"));
}

#[tokio::test]
async fn staff_pages_are_for_partner_admins_and_are_not_there_for_others() {
    let stage = Stage::new().await;
    let acme = stage.account("Acme").await;
    let (_, ann) = stage.staff("Ann", "ann@partner.example", Role::PartnerAdmin).await;
    let (carl, bob, eve) = (stage.carl(&[acme]).await, stage.bob(&[acme]).await, stage.stranger());
    for path in ["/staff".to_owned(), "/staff/invite".to_owned(), format!("/staff/{ann}")] {
        for browser in [&carl, &bob] {
            assert_eq!(browser.visit(&path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        assert_eq!(eve.visit(&path).await.heading(), "Sign in");
    }
    for deed in ["", "/link", "/link/revoke", "/disable", "/enable", "/accounts"] {
        let path = format!("/staff/{ann}{deed}");
        for browser in [&carl, &bob] {
            let answer = browser.send(Method::POST, &path, &[], "role=auditor".to_owned()).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        }
        let answer = eve.send(Method::POST, &path, &[], "role=auditor".to_owned()).await;
        assert!(answer.headers["location"].to_str().unwrap().starts_with("/sign-in"));
    }
    assert!(actions(&stage).await.is_empty());
    assert!(!bob.visit("/staff").await.says("Staff"));
}

#[tokio::test]
async fn somebody_can_be_added_at_the_command_line() {
    let stage = Stage::new().await;
    stage.account("Acme").await;
    let email = Email::parse("dora.day@partner.example").unwrap();
    let password = Secret::new(PASSWORD);
    let add = async |role, accounts: &[&str]| {
        let accounts: Vec<_> = accounts.iter().map(ToString::to_string).collect();
        let addition = Addition { email: &email, role, accounts: &accounts, password: &password };
        let now = stage.clock.now();
        staff::add(&stage.db, &stage.app.passwords, &addition, now).await.map_err(|e| e.to_string())
    };
    assert_eq!(
        add(Role::Auditor, &["cl-acme", "nowhere"]).await.unwrap_err(),
        "There is no account nowhere."
    );
    assert!(add(Role::PartnerAdmin, &["cl-acme"]).await.is_err());
    let id = add(Role::Auditor, &["cl-acme"]).await.unwrap();
    assert_eq!(
        add(Role::Auditor, &[]).await.unwrap_err(),
        "Somebody with that e-mail address is here already."
    );
    assert!(sign_in(&stage.stranger(), "dora.day@partner.example").await);
    let page = stage.ann().await.visit(&format!("/staff/{id}")).await;
    assert_eq!((page.heading().as_str(), page.says("Acme")), ("Dora Day", true));
}
