//! The expiry calendar: read by whoever has its address, until it is revoked.

use axum::http::{Method, StatusCode};
use chrono::{NaiveDate, TimeDelta};
use presence_portal::ids::AccountId;

use crate::support::{Browser, Stage};

async fn connected(stage: &Stage, name: &str, expires_in: Option<i64>) -> AccountId {
    let account = stage.account(name).await;
    stage.add_teams(account).await;
    let on = expires_in.map(|days| stage.clock.now().date_naive() + TimeDelta::days(days));
    stage.set_up(account, on).await;
    account
}

/// Makes a calendar; the path of its address.
async fn make(browser: &Browser) -> String {
    let page = browser.visit("/calendars").await;
    let page =
        browser.submit(page.form("Make a calendar").fill("Name", "Outlook of the desk")).await;
    assert!(page.says("it is not shown again"), "{}", page.source);
    let address = page.text(".copy__text");
    assert!(!browser.visit("/calendars").await.source.contains(&address));
    address.strip_prefix("http://127.0.0.1:8080").unwrap().to_owned()
}

#[tokio::test]
async fn the_partners_calendar_has_every_day_on_which_a_secret_ends() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    connected(&stage, "Acme; Sons, Ltd", Some(30)).await;
    connected(&stage, "Bolt", Some(-3)).await;
    connected(&stage, "Undated", None).await;
    let path = make(&ann).await;

    let answer = stage.stranger().send(Method::GET, &path, &[], String::new()).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers["content-type"], "text/calendar; charset=utf-8");
    let text = answer.body.replace("\r\n ", "");
    let on: NaiveDate = stage.clock.now().date_naive() + TimeDelta::days(30);
    assert!(text.starts_with("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"), "{text}");
    assert!(text.contains(&format!("DTSTART;VALUE=DATE:{}\r\n", on.format("%Y%m%d"))), "{text}");
    assert!(text.contains("SUMMARY:Client secret of Acme\\; Sons\\, Ltd expires\r\n"), "{text}");
    assert_eq!(text.matches("BEGIN:VEVENT").count(), 2);
    assert!(ann.visit("/calendars").await.says("last read"));
    let again = stage.stranger().send(Method::GET, &path, &[], String::new()).await;
    assert_eq!(again.body, answer.body, "nothing changed, so nothing does");
}

#[tokio::test]
async fn a_revoked_calendar_is_not_there() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let path = make(&ann).await;
    let page = ann.visit("/calendars").await;
    let page = ann.submit(page.form("Revoke Outlook of the desk")).await;
    assert!(page.says("its address leads nowhere now"));
    for path in [path.as_str(), "/ical/guessed.ics", "/ical/guessed"] {
        assert_eq!(stage.stranger().visit(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let actions: Vec<_> = stage.activity().await.into_iter().map(|(action, _)| action).collect();
    assert_eq!(actions, ["calendar.revoked", "calendar.made"]);
}

#[tokio::test]
async fn an_account_admins_calendar_shows_what_they_look_after_as_long_as_they_may() {
    let stage = Stage::new().await;
    let mine = connected(&stage, "Mine", Some(30)).await;
    connected(&stage, "Other", Some(30)).await;
    let carl = stage.carl(&[mine]).await;
    let path = make(&carl).await;
    let read = async || stage.stranger().send(Method::GET, &path, &[], String::new()).await;
    let answer = read().await;
    assert!(answer.body.contains("Mine") && !answer.body.contains("Other"), "{}", answer.body);
    assert!(!stage.ann().await.visit("/calendars").await.says("Outlook of the desk"));

    sqlx::query("DELETE FROM staff_accounts").execute(&stage.db).await.unwrap();
    assert!(!read().await.body.contains("Mine"));
    sqlx::query("UPDATE staff SET disabled_at = now() WHERE role = 'account-admin'")
        .execute(&stage.db)
        .await
        .unwrap();
    assert_eq!(read().await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_auditor_makes_none_and_its_address_is_kept_as_a_digest() {
    let stage = Stage::new().await;
    let acme = connected(&stage, "Acme", Some(30)).await;
    let bob = stage.bob(&[acme]).await;
    assert!(!bob.visit("/calendars").await.has_button("Make a calendar"));
    let answer = bob.send(Method::POST, "/calendars", &[], "name=x".to_owned()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);

    let path = make(&stage.ann().await).await;
    let token = path.strip_prefix("/ical/").unwrap().strip_suffix(".ics").unwrap();
    let rows: Vec<String> =
        sqlx::query_scalar("SELECT c::text FROM calendars c").fetch_all(&stage.db).await.unwrap();
    assert!(rows.iter().all(|row| !row.contains(token)));
    assert_eq!(token.len(), 43, "256 bits");
}
