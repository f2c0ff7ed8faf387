//! The first run, in, and out.

use axum::http::{Method, StatusCode};
use chrono::TimeDelta;
use presence_portal::staff::{self, Role};

use crate::support::{Browser, PASSWORD, Page, Stage};

async fn sign_in(browser: &Browser, email: &str, password: &str) -> Page {
    let page = browser.visit("/sign-in").await;
    let form = page.form("Sign in").fill("Email", email).fill("Password", password);
    browser.submit(form).await
}

/// A partner admin with a password, and nobody signed in.
async fn with_ann() -> Stage {
    let stage = Stage::new().await;
    stage.ann().await;
    stage
}

async fn activity(stage: &Stage) -> Vec<String> {
    sqlx::query_scalar("SELECT action || ' ' || actor FROM activity ORDER BY id")
        .fetch_all(&stage.db)
        .await
        .unwrap()
}

#[tokio::test]
async fn without_staff_every_way_leads_to_the_welcome_and_the_code_lets_in_once() {
    let stage = Stage::new().await;
    let stranger = stage.stranger();
    let page = stranger.visit("/sign-in").await;
    assert_eq!((page.path.as_str(), page.heading().as_str()), ("/welcome", "Welcome"));

    let void = staff::setup::code_for_start(&stage.db).await.unwrap().unwrap();
    let code = staff::setup::code_for_start(&stage.db).await.unwrap().unwrap();
    let filled = |page: &Page, code: &str| {
        page.form("Begin")
            .fill("Set-up code", code)
            .fill("Your name", "Ann Archer")
            .fill("Email", "ann@partner.example")
            .fill("Password", PASSWORD)
    };
    let refused = stranger.submit(filled(&page, void.reveal())).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "a restart voids the old code");
    assert!(refused.complaint("Set-up code").starts_with("That is not the code."));
    assert_eq!(refused.form("Begin").value("Your name"), "Ann Archer");
    assert!(!refused.source.contains(PASSWORD) && !refused.source.contains(void.reveal()));

    let typed = code.reveal().to_lowercase().replace('-', " ");
    stranger.submit(filled(&refused, &typed)).await;
    assert!(stranger.cookie("session").is_some());
    assert_eq!(stage.stranger().visit("/welcome").await.status, StatusCode::NOT_FOUND);
    assert!(staff::setup::code_for_start(&stage.db).await.unwrap().is_none());
    assert_eq!(activity(&stage).await, ["staff.first_admin ann@partner.example"]);
}

#[tokio::test]
async fn of_two_who_use_the_set_up_code_at_once_one_gets_in() {
    let stage = Stage::new().await;
    let code = staff::setup::code_for_start(&stage.db).await.unwrap().unwrap();
    let mut tries = Vec::new();
    for email in ["ann@partner.example", "eve@stranger.example"] {
        let browser = stage.stranger();
        let form = browser.visit("/welcome").await.form("Begin").fill("Set-up code", code.reveal());
        let form = form.fill("Your name", "Somebody").fill("Email", email);
        tries.push(async move {
            browser.submit(form.fill("Password", PASSWORD)).await;
            browser.cookie("session").is_some()
        });
    }
    let got_in = futures_util::future::join_all(tries).await;
    assert_eq!(got_in.iter().filter(|in_| **in_).count(), 1, "{got_in:?}");
}

#[tokio::test]
async fn what_a_password_must_be_is_said_beside_it() {
    let stage = Stage::new().await;
    let stranger = stage.stranger();
    let page = stranger.visit("/welcome").await;
    assert!(page.says("At least 12 characters."));
    let form = page.form("Begin").fill("Email", "ann@partner.example");
    let refused = stranger.submit(form.fill("Password", "short")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        refused.complaint("Password"),
        "That is too short: a password has at least 12 characters."
    );
    assert_eq!(refused.complaint("Your name"), "Enter a name.");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_told_the_same() {
    let stage = with_ann().await;
    let (_, dora) = stage.staff("Dora", "dora@partner.example", Role::Auditor).await;
    sqlx::query("UPDATE staff SET disabled_at = now() WHERE id = $1")
        .bind(dora)
        .execute(&stage.db)
        .await
        .unwrap();
    let tries = [
        ("ann@partner.example", "sing to the cattle"),
        ("nobody@partner.example", PASSWORD),
        ("dora@partner.example", PASSWORD),
    ];
    for (email, password) in tries {
        let stranger = stage.stranger();
        let page = sign_in(&stranger, email, password).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.says("Wrong e-mail address or password."), "{email}");
        assert_eq!(page.form("Sign in").value("Email"), email);
        assert!(!page.source.contains(password), "what was typed does not come back");
        assert!(stranger.cookie("session").is_none());
    }
    assert_eq!(activity(&stage).await, tries.map(|(email, _)| format!("sign_in.refused {email}")));
}

#[tokio::test]
async fn signing_in_leads_where_one_wanted_to_go_and_nowhere_else() {
    let stage = with_ann().await;
    let wanted = [
        ("%2Fprofile", "/profile"),
        ("https%3A%2F%2Fevil.example", "/"),
        ("%2F%2Fevil.example", "/"),
        ("%2F%5Cevil.example", "/"),
        ("%2F%09%2Fevil.example", "/"),
    ];
    for (next, expected) in wanted {
        let stranger = stage.stranger();
        stranger.visit(&format!("/sign-in?next={next}")).await;
        let body = format!("email=ANN%40partner.example&password=sing+to+the+kettle&next={next}");
        let answer = stranger.send(Method::POST, "/sign-in", &[], body).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        assert_eq!(answer.headers["location"], expected, "{next}");
    }
}

#[tokio::test]
async fn a_form_sent_after_the_session_ended_leads_back_to_the_page_it_was_on() {
    let stage = with_ann().await;
    let stranger = stage.stranger();
    let page = ("referer", "http://portal.example/accounts?q=a");
    let evil = ("referer", "http://evil.example/accounts");
    let part = ("hx-request", "true");
    let here = "/sign-in?next=%2Faccounts%3Fq%3Da";
    for (path, headers, expected) in [
        ("/accounts/1/deactivate", vec![page], here),
        ("/accounts/1/deactivate", vec![evil], "/sign-in"),
        ("/accounts/1/deactivate", vec![], "/sign-in"),
        ("/accounts/1/deactivate", vec![page, part], here),
    ] {
        let answer = stranger.send(Method::POST, path, &headers, String::new()).await;
        let to = answer.headers.get("location").or(answer.headers.get("hx-redirect"));
        assert_eq!(to.unwrap(), expected, "{headers:?}");
    }
    let answer = stranger.send(Method::GET, "/staff", &[page], String::new()).await;
    assert_eq!(answer.headers["location"], "/sign-in?next=%2Fstaff");
}

#[tokio::test]
async fn signing_in_begins_a_new_session_and_ends_the_old_one() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let old = ann.cookie("session").unwrap();
    let body = "email=ann%40partner.example&password=sing+to+the+kettle".to_owned();
    let answer = ann.send(Method::POST, "/sign-in", &[], body).await;
    let cookie = answer.headers["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    assert_ne!(ann.cookie("session").unwrap(), old);

    let sessions: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sessions").fetch_one(&stage.db).await.unwrap();
    assert_eq!(sessions, 1);
    let mut thief = stage.stranger();
    thief.keep("session", &old);
    assert_eq!(thief.visit("/sign-in").await.path, "/sign-in", "the old one is worth nothing");
}

#[tokio::test]
async fn a_session_ends_when_nobody_uses_it_and_in_any_case_after_a_day_of_work() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let signed_in = async || {
        ann.send(Method::GET, "/sign-in", &[], String::new()).await.status == StatusCode::SEE_OTHER
    };
    for _ in 0..6 {
        assert!(signed_in().await);
        stage.clock.advance(TimeDelta::minutes(119));
    }
    assert!(signed_in().await, "11 hours and 54 minutes, used every two hours");
    stage.clock.advance(TimeDelta::minutes(7));
    assert!(!signed_in().await, "twelve hours");

    let carl = stage.carl(&[]).await;
    stage.clock.advance(TimeDelta::minutes(121));
    assert_eq!(carl.visit("/sign-in").await.heading(), "Sign in", "two hours idle");

    staff::store::forget_expired(&stage.db, stage.clock.now()).await.unwrap();
    let left: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sessions").fetch_one(&stage.db).await.unwrap();
    assert_eq!(left, 0, "what has expired is forgotten");
}

#[tokio::test]
async fn signing_out_ends_the_session_wherever_else_its_cookie_is() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let copy = ann.clone();
    let mut stolen = stage.stranger();
    stolen.keep("session", &copy.cookie("session").unwrap());
    let answer = ann.send(Method::POST, "/sign-out", &[], String::new()).await;
    assert_eq!(answer.headers["location"], "/sign-in");
    assert!(ann.cookie("session").is_none());
    assert!(ann.visit("/sign-in").await.says("You are signed out."));
    assert_eq!(stolen.visit("/sign-in").await.path, "/sign-in");
    assert_eq!(activity(&stage).await, ["sign_in.ended ann@partner.example"]);
}

#[tokio::test]
async fn guessing_closes_the_door_for_longer_and_longer_even_to_the_right_password() {
    let stage = with_ann().await;
    let stranger = stage.stranger();
    for email in ["ann@partner.example", "nobody@partner.example"] {
        for _ in 0..5 {
            let page = sign_in(&stranger, email, "wrong").await;
            assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        }
        let page = sign_in(&stranger, &email.to_uppercase(), PASSWORD).await;
        assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS, "whoever it is");
        assert!(page.says("Too many attempts for this e-mail address. Try again in 15 seconds."));
        assert_eq!(page.headers["retry-after"], "15");
    }
    stage.clock.advance(TimeDelta::seconds(15));
    sign_in(&stranger, "ann@partner.example", "wrong").await;
    let page = sign_in(&stranger, "ann@partner.example", PASSWORD).await;
    assert!(page.says("Try again in 30 seconds."), "twice as long");

    stage.clock.advance(TimeDelta::seconds(30));
    sign_in(&stranger, "ann@partner.example", PASSWORD).await;
    assert!(stranger.cookie("session").is_some());
    let stranger = stage.stranger();
    for _ in 0..5 {
        let page = sign_in(&stranger, "ann@partner.example", "wrong").await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "success starts it anew");
    }
}

#[tokio::test]
async fn a_hundred_guesses_at_once_are_no_better_than_one_after_another() {
    let stage = with_ann().await;
    let guesses = (0..40).map(|_| async {
        let body = "email=ann%40partner.example&password=wrong".to_owned();
        stage.stranger().send(Method::POST, "/sign-in", &[], body).await.status
    });
    let answers = futures_util::future::join_all(guesses).await;
    let looked_at = answers.iter().filter(|s| **s == StatusCode::UNPROCESSABLE_ENTITY).count();
    assert_eq!(looked_at, 5, "{answers:?}");
}

#[tokio::test]
async fn an_address_that_tries_many_names_is_slowed_too_and_no_other() {
    let stage = with_ann().await;
    let guess = async |from: &str, email: &str| {
        let body = format!("email={email}%40partner.example&password=wrong");
        let headers = [("x-forwarded-for", from)];
        stage.stranger().send(Method::POST, "/sign-in", &headers, body).await
    };
    for n in 0..50 {
        let answer = guess("203.0.113.9", &format!("name{n}")).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let answer = guess("203.0.113.9", "ann").await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.body.contains("Too many attempts from your network."));
    let answer = guess("203.0.113.10", "ann").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_hash_from_cheaper_days_is_made_dearer_at_the_next_sign_in() {
    use presence_portal::kit::password::{Cost, Passwords};

    let mut stage = with_ann().await;
    stage.app.passwords = Passwords::new(Cost::Recommended);
    sign_in(&stage.stranger(), "ann@partner.example", PASSWORD).await;
    let hash: String =
        sqlx::query_scalar("SELECT password_hash FROM staff").fetch_one(&stage.db).await.unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    let again = stage.stranger();
    sign_in(&again, "ann@partner.example", PASSWORD).await;
    assert!(again.cookie("session").is_some());
}
