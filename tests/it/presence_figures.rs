//! The presence page's pictures over an hour, a day and a week, its list as a file, its pauses.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use chrono::TimeDelta;

use crate::support::{Stage, id};

#[tokio::test]
async fn figures_are_told_over_an_hour_a_day_and_a_week() {
    let stage = Stage::new().await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    let now = stage.clock.now();
    let delay = Duration::from_millis(80);
    for (minutes, pushes) in [(3, 5), (120, 100), (4 * 24 * 60, 1_000)] {
        stage.pushed(acme, now - TimeDelta::minutes(minutes), (pushes, 0), delay).await;
    }
    let at = format!("/accounts/{acme}/presence");
    for (range, last, pushes, rows) in [
        ("1h", "last hour", 5, 12),
        ("24h", "last 24 hours", 105, 24),
        ("7d", "last 7 days", 1_105, 7),
    ] {
        let page = ann.visit(&format!("{at}?range={range}")).await;
        assert!(page.says(&format!("Pushes {pushes} in the {last}, 0 failed")), "{}", page.source);
        assert_eq!(page.all("#hour-rows tr").len(), rows);
        assert_eq!(page.all(".chart").len(), 4);
        assert_eq!(page.all("svg[role='img'] title").len(), 3, "it was never throttled");
        assert_eq!(page.all("svg[role='img'] desc").len(), 3);
        let here = page.all("nav[aria-label='Range'] [aria-current]");
        assert_eq!(here[0].attr("id"), Some(format!("range-{range}").as_str()));
        let live = page.all("#now")[0].attr("data-hx-get").unwrap().to_owned();
        assert!(live.contains(&format!("range={range}")), "it refreshes what one looks at: {live}");
        let unchanged = ann.part(&live).await;
        assert_eq!(unchanged.status, StatusCode::NO_CONTENT);
    }
    let odd = ann.visit(&format!("{at}?range=forever")).await;
    assert!(odd.says("Pushes 5 in the last hour"), "an unknown range is the last hour");
}

#[tokio::test]
async fn pictures_follow_the_clocks_of_whoever_looks_and_say_so() {
    let stage = Stage::new().await;
    let (mut ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    let (now, delay) = (stage.clock.now(), Duration::from_millis(80));
    stage.pushed(acme, now - TimeDelta::minutes(3), (5, 0), delay).await;
    let presence = format!("/accounts/{acme}/presence?range=24h");
    for (zone, here, first) in [
        (None, "UTC", "09:00"),
        (Some("Asia/Tokyo"), "Asia/Tokyo", "18:00"),
        (Some("Nowhere/At-all"), "UTC", "09:00"),
    ] {
        if let Some(zone) = zone {
            ann.keep("zone", zone);
        }
        let page = ann.visit(&presence).await;
        assert!(page.says(&format!("Times of the pictures are those of {here}.")));
        assert!(page.says(&format!("From ({here})")));
        assert!(page.text("#hour-rows tr").starts_with(first), "{}", page.text("#hour-rows tr"));
        assert!(ann.visit("/").await.says(&format!("From ({here})")));
    }
    // The account was made when the stage opened, at eight by UTC.
    ann.keep("zone", "Asia/Tokyo");
    let page = ann.visit(&format!("/accounts/{acme}")).await;
    assert!(page.says("Added today, 17:00"), "{}", page.source);
    assert!(page.all("time[data-local]").is_empty(), "nothing is left for a script to put right");
}

#[tokio::test]
async fn the_list_is_sorted_and_comes_as_a_file_whole() {
    let stage = Stage::new().await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    for number in 0..60 {
        stage.person(acme, &format!("Person {number:02}")).await;
    }
    stage.telephone(acme, "=Zoe", None, Some("not-in-entra")).await;
    stage.said(acme, "Person 07", "onCall", Some("in-a-call")).await;
    let at = format!("/accounts/{acme}/presence");

    let page = ann.visit(&format!("{at}?sort=-name")).await;
    assert!(
        page.text("#people-rows tr").starts_with("Person 59"),
        "{}",
        page.text("#people-rows tr")
    );
    let page = ann.visit(&page.link("Next")).await;
    assert_eq!(page.all("#people-rows tr").len(), 11);
    assert!(page.has_link("Person 00") && !page.has_link("Person 50"));
    let page = ann.visit(&format!("{at}?sort=email&show=shown")).await;
    assert_eq!(page.all("#people-rows tr").len(), 1);

    let page = ann.visit(&at).await;
    let file = ann.visit(&page.link("Download CSV")).await;
    assert_eq!(file.source.lines().count(), 62, "a head and everybody\n{}", file.source);
    assert!(file.source.contains("Person 07,person.07@acme.example,Person-07,in step,onCall,"));
    assert!(file.source.contains("'=Zoe,"), "no cell is a formula\n{}", file.source);
    let few = ann.visit(&format!("{at}/users.csv?show=unmatched")).await;
    assert_eq!(few.source.lines().count(), 2, "{}", few.source);
}

#[tokio::test]
async fn a_paused_account_says_so_wherever_one_looks_and_alarms_nobody() {
    let stage = Stage::new().await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    stage.person(acme, "Ada Byron").await;
    stage.said(acme, "Ada Byron", "onCall", None).await;
    stage.trouble(acme, "microsoft", "unreachable", false).await;
    stage.clock.advance(TimeDelta::minutes(20));
    let at = format!("/accounts/{acme}/presence");
    let dialog = ann.visit(&format!("{at}/pause")).await;
    let refused = ann.submit(dialog.form("Pause").fill("hours", "a while")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.complaint("hours"), "Enter a whole number of hours, from 1 to 744.");
    let odd = dialog.form("Save working hours").fill("zone", "Middle/Earth");
    let refused = ann.submit(odd).await;
    assert!(refused.complaint("zone").starts_with("Enter a time zone"));

    let page = ann.submit(dialog.form("Pause").fill("hours", "4")).await;
    assert!(page.says("Presence sync is paused"), "{}", page.source);
    assert!(page.says("It goes on by itself"));
    assert!(page.text("#people-rows tr").contains("Paused"));
    let list = ann.visit("/accounts?health=paused").await;
    assert!(list.has_link("Acme") && list.says("Paused"), "{}", list.source);
    let user = ann.visit(&format!("{at}/users/{}", id("Ada Byron"))).await;
    assert!(user.says("Decision: show nothing Presence sync is paused."), "{}", user.source);
    let home = ann.visit("/").await;
    assert!(!home.says("Microsoft cannot be reached"), "{}", home.source);
    assert_eq!(stage.activity().await[0].0, "presence.paused");

    let page = ann.submit(page.form("Resume now")).await;
    assert!(page.says("Presence sync goes on."));
    assert!(page.has_link("Pause"));
    assert_eq!(stage.activity().await[0].0, "presence.resumed");
}

#[tokio::test]
async fn an_auditor_pauses_nothing_and_others_see_nothing() {
    let stage = Stage::new().await;
    let acme = stage.synced_account("Acme").await;
    stage.person(acme, "Ada Byron").await;
    let other = stage.synced_account("Other").await;
    let (bob, carl) = (stage.bob(&[acme]).await, stage.carl(&[other]).await);
    let at = format!("/accounts/{acme}/presence");
    assert!(!bob.visit(&at).await.has_link("Pause"));
    for deed in ["pause", "pause/end", "pause/hours", "pause/hours/end", "mapping/preview", "sync"]
    {
        for (browser, status) in [(&bob, StatusCode::FORBIDDEN), (&carl, StatusCode::NOT_FOUND)] {
            let path = format!("{at}/{deed}");
            let answer = browser.send(Method::POST, &path, &[], String::new()).await;
            assert_eq!(answer.status, status, "{deed}");
        }
    }
    assert_eq!(bob.visit(&format!("{at}/users.csv")).await.status, StatusCode::OK);
    assert_eq!(carl.visit(&format!("{at}/users.csv")).await.status, StatusCode::NOT_FOUND);
    let nobody = format!("{at}/users/nobody/pause");
    assert_eq!(stage.ann().await.visit(&nobody).await.status, StatusCode::NOT_FOUND);
}
