//! What people change about themselves, and the second factor.

use axum::http::{Method, StatusCode};
use chrono::TimeDelta;
use presence_portal::kit::secret::{MasterKey, Sealer};
use presence_portal::staff::Role;
use presence_portal::staff::store::second_factor;
use totp_rs::{Builder, Secret, Totp};

use crate::support::{Browser, PASSWORD, Page, Stage};

async fn is_signed_in(browser: &Browser) -> bool {
    let answer = browser.send(Method::GET, "/sign-in", &[], String::new()).await;
    answer.status == StatusCode::SEE_OTHER
}

/// Ann signed in with her password, as far as that leads.
async fn sign_in(browser: &Browser) -> Page {
    let page = browser.visit("/sign-in?next=%2Fprofile").await;
    let form = page.form("Sign in").fill("Email", "ann@partner.example");
    browser.submit(form.fill("Password", PASSWORD)).await
}

async fn actions(stage: &Stage) -> Vec<String> {
    sqlx::query_scalar("SELECT action FROM activity ORDER BY id")
        .fetch_all(&stage.db)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_name_is_changed_and_what_is_no_name_is_refused() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let page = ann.visit("/profile").await;
    assert_eq!(page.form("Save name").value("Name"), "Ann Archer");
    let refused = ann.submit(page.form("Save name").fill("Name", "  ")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.complaint("Name"), "Enter a name.");
    let page = ann.submit(page.form("Save name").fill("Name", "Ann Bow")).await;
    assert!(page.says("Saved.") && page.says("Ann Bow"));
    assert_eq!(actions(&stage).await, ["profile.renamed"]);
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_the_old_one_and_ends_other_sessions() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let elsewhere = stage.stranger();
    sign_in(&elsewhere).await;
    let page = ann.visit("/profile").await;
    let form = |current: &str, new: &str| {
        page.form("Change password").fill("Current password", current).fill("New password", new)
    };
    let refused = ann.submit(form("sing to the cattle", "whistle at the fridge")).await;
    assert_eq!(refused.complaint("Current password"), "That is not your current password.");
    let refused = ann.submit(form(PASSWORD, "short")).await;
    assert!(refused.complaint("New password").starts_with("That is too short"));
    assert!(is_signed_in(&elsewhere).await);

    let page = ann.submit(form(PASSWORD, "whistle at the fridge")).await;
    assert!(page.says("you are signed out everywhere else"));
    assert!(is_signed_in(&ann).await && !is_signed_in(&elsewhere).await);
    assert_eq!(sign_in(&elsewhere).await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn guessing_the_current_password_is_slowed_like_signing_in() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let guess = async |current: &str| {
        let body = format!("current={current}&new=whistle+at+the+fridge");
        ann.send(Method::POST, "/profile/password", &[], body).await.status
    };
    for _ in 0..5 {
        assert_eq!(guess("wrong").await, StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert_eq!(guess("sing+to+the+kettle").await, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn sessions_are_listed_in_words_and_ended_one_by_one_or_all() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let agents = [
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1",
    ];
    let mut others = Vec::new();
    for agent in agents {
        let browser = stage.stranger();
        let body = "email=ann%40partner.example&password=sing+to+the+kettle".to_owned();
        browser.send(Method::POST, "/sign-in", &[("user-agent", agent)], body).await;
        others.push(browser);
    }
    let page = ann.visit("/profile").await;
    assert!(page.says("Firefox on Linux") && page.says("Safari on iPhone"));
    assert_eq!(page.all(".badge").len(), 1, "one of them is this browser");
    let page = ann.submit(page.form("End session of Firefox on Linux, 127.0.0.1")).await;
    assert!(page.says("That session is ended.") && !page.says("Firefox on Linux"));
    assert!(!is_signed_in(&others[0]).await && is_signed_in(&others[1]).await);
    let page = ann.submit(page.form("End all others")).await;
    assert!(page.says("One other session is ended."));
    assert!(!is_signed_in(&others[1]).await && is_signed_in(&ann).await);
}

#[tokio::test]
async fn nobody_ends_the_session_of_somebody_else() {
    let stage = Stage::new().await;
    let (ann, carl) = (stage.ann().await, stage.carl(&[]).await);
    let ids: Vec<i64> =
        sqlx::query_scalar("SELECT id FROM sessions").fetch_all(&stage.db).await.unwrap();
    for id in ids {
        carl.send(Method::POST, &format!("/profile/sessions/{id}/end"), &[], String::new()).await;
    }
    assert!(is_signed_in(&ann).await);
}

/// Ann's authenticator app, after she scanned the code on this page.
fn scanned(page: &Page) -> Totp {
    let secret = page.text(".copy__text").replace(' ', "");
    let secret = Secret::try_from_base32(secret).unwrap();
    Builder::new().with_secret(secret).with_account_name("ann").build().unwrap()
}

fn code(app: &Totp, stage: &Stage) -> String {
    app.generate(stage.clock.now().timestamp().try_into().unwrap()).to_string()
}

/// The second factor of Ann turned on: her app and her recovery codes.
async fn turned_on(stage: &Stage, ann: &Browser) -> (Totp, Vec<String>) {
    let mut page = ann.visit("/profile/second-factor").await;
    if page.has_button("Set up") {
        page = ann.submit(page.form("Set up")).await;
    }
    assert_eq!(page.all("svg.qr path").len(), 1);
    let app = scanned(&page);
    let page = ann.submit(page.form("Turn on").fill("Code", &code(&app, stage))).await;
    assert!(page.says("The second factor is on."), "{}", page.source);
    let codes = page.all(".codes code").iter().map(|code| code.text().collect()).collect();
    (app, codes)
}

async fn give(browser: &Browser, code: &str) -> Page {
    let page = browser.visit("/sign-in/code?next=%2Fprofile").await;
    browser.submit(page.form("Sign in").fill("Code", code)).await
}

#[tokio::test]
async fn a_second_factor_is_on_once_a_code_was_shown_to_work() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let page = ann.visit("/profile/second-factor").await;
    let page = ann.submit(page.form("Set up")).await;
    let refused = ann.submit(page.form("Turn on").fill("Code", "000000")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.complaint("Code").starts_with("That is not the code"));
    sign_in(&stage.stranger()).await;
    let other = stage.stranger();
    assert_eq!(sign_in(&other).await.path, "/profile", "until then nobody is asked for one");

    let (app, codes) = turned_on(&stage, &ann).await;
    assert_eq!(codes.len(), 10);
    let page = ann.submit(ann.visit("/profile/second-factor").await.form("I have kept them")).await;
    assert_eq!(page.path, "/profile");
    assert!(!ann.visit("/profile/second-factor").await.source.contains(&codes[0]));
    let shown = ann.visit("/profile/second-factor").await;
    assert!(shown.all(".copy__text").is_empty(), "nor is the secret shown again");

    stage.clock.advance(TimeDelta::seconds(30));
    let phone = stage.stranger();
    assert_eq!(sign_in(&phone).await.heading(), "One more step");
    assert!(!is_signed_in(&phone).await, "the password alone opens nothing");
    assert_eq!(phone.visit("/profile").await.heading(), "Sign in");
    assert_eq!(give(&phone, &code(&app, &stage)).await.path, "/profile");
}

#[tokio::test]
async fn a_code_is_taken_once_and_so_is_a_recovery_code() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let (app, codes) = turned_on(&stage, &ann).await;
    let thief = stage.stranger();
    sign_in(&thief).await;
    let used = give(&thief, &code(&app, &stage)).await;
    assert_eq!(used.status, StatusCode::UNPROCESSABLE_ENTITY, "it turned the factor on");
    stage.clock.advance(TimeDelta::seconds(30));
    let first = code(&app, &stage);
    assert_eq!(give(&thief, &first).await.path, "/profile");
    let second = stage.stranger();
    sign_in(&second).await;
    assert_eq!(give(&second, &first).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(give(&second, &codes[3].to_lowercase()).await.path, "/profile");
    let third = stage.stranger();
    sign_in(&third).await;
    assert_eq!(give(&third, &codes[3]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(ann.visit("/profile/second-factor").await.says("9 recovery codes left."));
}

#[tokio::test]
async fn guessing_codes_is_slowed_and_the_step_between_does_not_last() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let (app, _) = turned_on(&stage, &ann).await;
    stage.clock.advance(TimeDelta::minutes(1));
    let thief = stage.stranger();
    sign_in(&thief).await;
    for _ in 0..5 {
        assert_eq!(give(&thief, "000000").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let refused = give(&thief, &code(&app, &stage)).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    sign_in(&thief).await;
    let refused = give(&thief, &code(&app, &stage)).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "the password again does not help");
    stage.clock.advance(TimeDelta::minutes(10));
    assert_eq!(thief.visit("/sign-in/code").await.heading(), "Sign in");
    let body = format!("code={}", code(&app, &stage));
    let answer = thief.send(Method::POST, "/sign-in/code", &[], body).await;
    assert_eq!(answer.headers["location"], "/sign-in");
    assert!(!is_signed_in(&thief).await);
}

#[tokio::test]
async fn it_is_turned_off_with_the_password_or_by_a_partner_admin() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    turned_on(&stage, &ann).await;
    let page = ann.visit("/profile/second-factor").await;
    let refused = ann.submit(page.form("Turn off").fill("Password", "wrong")).await;
    assert_eq!(refused.complaint("Password"), "That is not your password.");
    assert!(ann.submit(page.form("Turn off").fill("Password", PASSWORD)).await.says("is off."));

    let (dora, _) = stage.staff("Dora", "dora@partner.example", Role::PartnerAdmin).await;
    turned_on(&stage, &ann).await;
    let list = dora.visit("/staff").await;
    let page = dora.visit(&list.link("Ann Archer")).await;
    dora.submit(page.form("Turn second factor off")).await;
    assert_eq!(sign_in(&stage.stranger()).await.path, "/profile");
    assert_eq!(
        actions(&stage).await.iter().filter(|action| *action == "second_factor.off").count(),
        2
    );
}

#[tokio::test]
async fn a_new_password_by_link_still_asks_for_the_code() {
    let stage = Stage::new().await;
    let (ann, id) = stage.staff("Ann", "ann@partner.example", Role::PartnerAdmin).await;
    turned_on(&stage, &ann).await;
    let page = ann.visit(&format!("/staff/{id}")).await;
    let page = ann.submit(page.form("New password link")).await;
    let link = page.text(".callout .copy__text").replace("http://127.0.0.1:8080", "");
    let thief = stage.stranger();
    let page = thief.visit(&link).await;
    let form = page.form("Set password and sign in").fill("Password", PASSWORD);
    assert_eq!(thief.submit(form).await.heading(), "One more step");
    assert!(!is_signed_in(&thief).await);
}

#[tokio::test]
async fn what_is_kept_of_the_second_factor_is_sealed_and_moves_to_a_new_key() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let (app, codes) = turned_on(&stage, &ann).await;
    let kept: String = sqlx::query_scalar(
        "SELECT encode(secret, 'escape') || encode(unread_codes, 'escape') FROM second_factors",
    )
    .fetch_one(&stage.db)
    .await
    .unwrap();
    assert!(!kept.contains(&codes[0]) && !kept.contains(&app.secret().to_base32()));

    let new = Sealer::new(&MasterKey::random());
    let mut tx = stage.db.begin().await.unwrap();
    let resealed = second_factor::reseal(&mut tx, &stage.app.sealer, &new).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(resealed, 2);
    let page = ann.visit("/profile/second-factor").await;
    assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR, "the old key opens it no more");
}
