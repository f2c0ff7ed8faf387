//! Home: what needs a person today, each with the button that mends it.

use std::time::Duration;

use axum::http::StatusCode;
use chrono::TimeDelta;
use presence_portal::sandbox::World;

use crate::support::Stage;

#[tokio::test]
async fn without_accounts_home_says_how_to_begin() {
    let (stage, _sandbox) = Stage::with_sandbox(World::empty()).await;
    let page = stage.ann().await.visit("/").await;
    assert_eq!(page.heading(), "Home");
    assert!(page.says("No accounts yet"));
    assert!(page.has_link("Add account") && page.has_link("Import from CloudLink"));
}

#[tokio::test]
async fn when_all_is_well_home_says_so() {
    let (stage, _sandbox) = Stage::with_sandbox(World::empty()).await;
    let acme = stage.synced_account("Acme").await;
    stage.person(acme, "Ada Byron").await;
    let page = stage.ann().await.visit("/").await;
    assert!(page.says("All is well Nothing needs a person. 1 of 1 account is synced."));
}

#[tokio::test]
async fn what_needs_a_person_is_grouped_by_cause_with_the_way_to_mend_it() {
    let (stage, _sandbox) = Stage::with_sandbox(World::empty()).await;
    for number in 0..7 {
        let account = stage.synced_account(&format!("Refused {number}")).await;
        stage.trouble(account, "microsoft", "permission-presence", true).await;
    }
    let today = stage.clock.now().date_naive();
    let soon = stage.account("Soon").await;
    let teams = stage.add_teams(soon).await;
    stage.set_up(soon, Some(today + TimeDelta::days(9))).await;
    let past = stage.account("Past").await;
    stage.add_teams(past).await;
    stage.set_up(past, Some(today - TimeDelta::days(1))).await;
    let later = stage.account("Later").await;
    stage.add_teams(later).await;
    stage.set_up(later, Some(today + TimeDelta::days(91))).await;
    let half = stage.account("Half").await;
    stage.add_teams(half).await;
    let lost = stage.synced_account("Lost").await;
    stage.telephone(lost, "Bo Lund", None, Some("not-in-entra")).await;
    stage.telephone(lost, "Nobody looked yet", None, None).await;

    let page = stage.ann().await.visit("/").await;
    assert!(page.says("The permission Presence.ReadWrite.All is missing"));
    assert!(page.says("7 accounts") && page.says("and 2 more"));
    assert!(page.says("expires on 11 Mar 2026, in 9 days"));
    assert!(page.says("expired on 1 Mar 2026"));
    assert!(!page.says("Later"), "more than ninety days are enough");
    assert!(page.says("One user is not matched with Microsoft Entra"));
    assert!(!page.says("All is well"));
    let configure = page.link("Configure Microsoft Teams, Soon");
    assert_eq!(configure, format!("/accounts/{soon}/integrations/{teams}/configure"));
    assert!(page.has_link("Complete setup, Half"));
    assert_eq!(page.link("See who, Lost"), format!("/accounts/{lost}/presence?show=unmatched"));

    // The gravest first.
    let titles: Vec<_> = page.all("h3").iter().map(|h| h.text().collect::<String>()).collect();
    let place = |words: &str| titles.iter().position(|title| title.contains(words)).unwrap();
    assert!(place("Presence.ReadWrite.All") < place("expires soon"));
    assert!(place("expires soon") < place("not matched"));
}

#[tokio::test]
async fn what_passes_by_itself_is_said_too_after_what_needs_somebody() {
    let (stage, _sandbox) = Stage::with_sandbox(World::empty()).await;
    let (away, wrong) = (stage.synced_account("Away").await, stage.synced_account("Wrong").await);
    stage.trouble(away, "microsoft", "microsoft-unreachable", false).await;
    stage.trouble(wrong, "microsoft", "secret-wrong", true).await;
    let ann = stage.ann().await;
    let kinds = |page: &crate::support::Page| {
        let heads = page.all(".concern h3 .status").into_iter();
        heads.map(|head| head.attr("class").unwrap().to_owned()).collect::<Vec<_>>()
    };
    let page = ann.visit("/").await;
    assert!(page.says("Microsoft cannot be reached"), "{}", page.source);
    assert_eq!(kinds(&page), ["status status--danger", "status status--info"]);
    stage.clock.advance(TimeDelta::minutes(16));
    assert_eq!(kinds(&ann.visit("/").await), ["status status--danger", "status status--warn"]);
}

#[tokio::test]
async fn an_auditor_is_offered_nothing_that_they_may_not_do() {
    let (stage, _sandbox) = Stage::with_sandbox(World::empty()).await;
    let acme = stage.synced_account("Acme").await;
    stage.trouble(acme, "microsoft", "secret-expired", true).await;
    let (ann, bob) = (stage.ann().await, stage.bob(&[acme]).await);
    for path in ["/".to_owned(), format!("/accounts/{acme}/presence")] {
        let words = if path == "/" {
            "Configure Microsoft Teams, Acme"
        } else {
            "Configure Microsoft Teams"
        };
        assert!(ann.visit(&path).await.has_link(words), "{path}");
        let page = bob.visit(&path).await;
        assert!(page.says("The client secret has expired") && !page.has_link(words), "{path}");
    }
}

#[tokio::test]
async fn an_account_admin_sees_only_what_they_look_after() {
    let stage = Stage::new().await;
    let (mine, other) = (stage.synced_account("Mine").await, stage.synced_account("Other").await);
    for account in [mine, other] {
        stage.trouble(account, "microsoft", "secret-wrong", true).await;
        let now = stage.clock.now();
        stage.pushed(account, now, (4, 0), Duration::from_millis(30)).await;
    }
    let page = stage.carl(&[mine]).await.visit("/").await;
    assert!(page.has_link("Mine") && !page.has_link("Other"));
    assert!(page.says("Pushes 4"));
    assert!(!page.says("CloudLink is not connected yet"), "that is the partner's to mend");
    let page = stage.ann().await.visit("/").await;
    assert!(page.says("Pushes 8"));
    assert!(page.says("CloudLink is not connected yet"));
}

#[tokio::test]
async fn totals_are_added_up_once_and_stay_right_while_minutes_pass() {
    let stage = Stage::new().await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    let delay = Duration::from_millis(80);
    for minute in 0..3 {
        stage.pushed(acme, stage.clock.now() + TimeDelta::minutes(minute), (2, 1), delay).await;
    }
    stage.clock.advance(TimeDelta::minutes(2));
    for _ in 0..3 {
        assert!(ann.visit("/").await.says("Pushes 6 3 failed"));
        stage.clock.advance(TimeDelta::minutes(5));
    }
    stage.clock.advance(TimeDelta::minutes(50));
    let page = ann.visit("/").await;
    assert!(page.says("Pushes 0 0 failed"), "{}", page.source);
}

#[tokio::test]
async fn home_refreshes_itself_only_when_something_changed() {
    let stage = Stage::new().await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    let page = ann.visit("/").await;
    let refresh = page.all("#now")[0].attr("data-hx-get").unwrap().to_owned();
    assert_eq!(ann.part(&refresh).await.status, StatusCode::NO_CONTENT);
    stage.trouble(acme, "feed", "feed-silent", false).await;
    assert!(ann.part(&refresh).await.says("CloudLink’s feed is silent"));
    assert_eq!(ann.visit(&refresh).await.heading(), "Home", "without htmx it is the whole page");
}

#[tokio::test]
async fn the_oldest_trouble_comes_first_and_what_is_counted_stays_right() {
    let (stage, _sandbox) = Stage::with_sandbox(World::empty()).await;
    let (late, early) = (stage.synced_account("Late").await, stage.synced_account("Early").await);
    stage.trouble(early, "microsoft", "secret-wrong", true).await;
    stage.clock.advance(TimeDelta::hours(1));
    stage.trouble(late, "microsoft", "secret-expired", true).await;
    let ann = stage.ann().await;
    let page = ann.visit("/").await;
    let titles: Vec<_> = page.all("h3").iter().map(|h| h.text().collect::<String>()).collect();
    let place = |words: &str| titles.iter().position(|title| title.contains(words)).unwrap();
    assert!(place("does not accept the client secret") < place("secret has expired"), "{titles:?}");

    let someone = stage.entra_user(late, "Ada").await;
    stage.telephone(late, "Bo", None, Some("not-in-entra")).await;
    stage.telephone(late, "Cy", None, Some("duplicate")).await;
    assert!(ann.visit("/").await.says("2 users are not matched"));
    sqlx::query("UPDATE cloudlink_users SET entra_id = $1 WHERE name = 'Bo'")
        .bind(someone)
        .execute(&stage.db)
        .await
        .unwrap();
    assert!(ann.visit("/").await.says("One user is not matched"));
    sqlx::query("DELETE FROM cloudlink_users").execute(&stage.db).await.unwrap();
    sqlx::query("DELETE FROM presence_troubles").execute(&stage.db).await.unwrap();
    let page = ann.visit("/").await;
    assert!(page.says("All is well") && page.says("It has been so since"), "{}", page.source);
}

#[tokio::test]
async fn accounts_on_an_older_release_are_counted_with_the_way_to_update_them() {
    let stage = Stage::new().await;
    let (acme, bolt) = (stage.synced_account("Acme").await, stage.synced_account("Bolt").await);
    let (ann, carl) = (stage.ann().await, stage.carl(&[bolt]).await);
    assert!(!ann.visit("/").await.says("older release"));
    sqlx::query("UPDATE integrations SET release = 1").execute(&stage.db).await.unwrap();
    let home = ann.visit("/").await;
    assert!(home.says("2 accounts are on an older release"), "{}", home.source);
    assert_eq!(home.link("Fleet update"), "/fleet");
    let update = home.link("Install update, Acme");
    assert!(update.starts_with(&format!("/accounts/{acme}/")) && update.ends_with("/update"));
    let theirs = carl.visit("/").await;
    assert!(theirs.says("One account is on an older release") && !theirs.has_link("Fleet update"));
    sqlx::query("UPDATE accounts SET deactivated_at = now()").execute(&stage.db).await.unwrap();
    assert!(!ann.visit("/").await.says("older release"));
}
