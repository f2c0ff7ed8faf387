//! The presence page: how an account is doing, who shows what, and why.

use std::time::Duration;

use axum::http::StatusCode;
use chrono::TimeDelta;
use presence_portal::home;
use presence_portal::presence::store::overview;

use crate::support::{Stage, id};

#[tokio::test]
async fn users_are_counted_as_they_come_and_go_added_up_or_not() {
    let stage = Stage::new().await;
    let acme = stage.synced_account("Acme").await;
    let cobalt = stage.synced_account("Cobalt").await;
    let counted = async |account| overview::numbers(&stage.db, account).await.unwrap().users;
    stage.telephone(cobalt, "Eve Gale", None, None).await;
    for name in ["Ann Miller", "Bob Stone", "Cleo Hart"] {
        stage.telephone(acme, name, None, None).await;
    }
    assert_eq!(counted(acme).await, 3);
    home::count_people(&stage.db).await.unwrap();
    assert_eq!(counted(acme).await, 3, "added up");
    let gone = "DELETE FROM cloudlink_users WHERE account_id = $1 AND name <> 'Ann Miller'";
    sqlx::query(gone).bind(acme).execute(&stage.db).await.unwrap();
    assert_eq!(counted(acme).await, 1);
    stage.telephone(acme, "Dan Frost", None, None).await;
    home::count_people(&stage.db).await.unwrap();
    assert_eq!((counted(acme).await, counted(cobalt).await), (2, 1));
}

#[tokio::test]
async fn health_says_first_what_is_missing_and_leads_to_it() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let acme = stage.account("Acme").await;
    let page = ann.visit(&format!("/accounts/{acme}/presence")).await;
    assert_eq!(page.heading(), "Presence");
    assert!(page.says("Microsoft Teams is not added to this account yet"));
    assert_eq!(page.link("Add Microsoft Teams"), format!("/accounts/{acme}/integrations"));

    let teams = stage.add_teams(acme).await;
    let page = ann.visit(&format!("/accounts/{acme}/presence")).await;
    assert!(page.says("The setup of Microsoft Teams is not complete"));
    let setup = format!("/accounts/{acme}/integrations/{teams}/setup");
    assert_eq!(page.link("Complete setup"), setup);

    let bolt = stage.synced_account("Bolt").await;
    stage.person(bolt, "Ada Byron").await;
    let page = ann.visit(&format!("/accounts/{bolt}/presence")).await;
    assert!(page.says("1 of 1 user is kept in step with Teams."));

    stage.trouble(bolt, "microsoft", "secret-expired", true).await;
    let page = ann.visit(&format!("/accounts/{bolt}/presence")).await;
    assert!(page.says("The client secret has expired"));
    assert!(page.says("AADSTS7000222"), "Microsoft's own code stands below");
    assert!(page.link("Configure Microsoft Teams").ends_with("/configure"));
}

#[tokio::test]
async fn numbers_and_pictures_tell_the_last_hour() {
    let stage = Stage::new().await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    stage.person(acme, "Ada Byron").await;
    stage.telephone(acme, "Bo Lund", None, Some("duplicate")).await;
    stage.said(acme, "Ada Byron", "onCall", Some("in-a-call")).await;
    let now = stage.clock.now();
    let delay = Duration::from_millis(80);
    stage.pushed(acme, now - TimeDelta::minutes(3), (5, 2), delay).await;
    stage.pushed(acme, now - TimeDelta::hours(2), (100, 0), delay).await;

    let page = ann.visit(&format!("/accounts/{acme}/presence")).await;
    assert!(page.says("Matched 1 of 2 users"));
    assert!(page.says("Unmatched 1 1 duplicate"));
    assert!(page.says("Sessions held 1"));
    assert!(page.says("Pushes 5 in the last hour, 2 failed"), "two hours ago is not the last hour");
    assert_eq!(page.all(".chart").len(), 4);
    assert!(
        page.says("Microsoft did not ask us to wait in this time."),
        "there is nothing to draw"
    );
    let pictures = page.all("svg[role='img']");
    assert_eq!(pictures.len(), 3);
    for picture in pictures {
        assert!(picture.attr("aria-labelledby").is_some());
    }
    assert!(!page.source.contains("style=\""), "no inline style, which the browser would refuse");
    assert_eq!(page.all("#hour-rows tr").len(), 12, "the figures behind the pictures");
}

#[tokio::test]
async fn users_are_searched_filtered_and_paged() {
    let stage = Stage::new().await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    for number in 0..60 {
        stage.person(acme, &format!("Person {number:02}")).await;
    }
    stage.telephone(acme, "Zoe Zander", None, Some("not-in-entra")).await;
    let at = format!("/accounts/{acme}/presence");

    let page = ann.visit(&at).await;
    assert_eq!(page.all("#people-rows tr").len(), 50);
    assert!(!page.has_link("Zoe Zander"));
    let page = ann.visit(&page.link("Next")).await;
    assert_eq!(page.all("#people-rows tr").len(), 11);
    assert!(page.has_link("Zoe Zander") && page.has_link("From the start"));
    assert!(!page.has_link("Person 49"));

    let page = ann.part(&format!("{at}?q=SON+07")).await;
    assert_eq!(page.all("#people-rows tr").len(), 1);
    assert!(page.all("h1").is_empty(), "htmx gets the list alone");
    let page = ann.visit(&format!("{at}?show=unmatched")).await;
    assert!(page.says("Zoe Zander") && page.says("Not in Entra"));
    assert_eq!(page.all("#people-rows tr").len(), 1);
    let page = ann.visit(&format!("{at}?q=nobody")).await;
    assert!(page.says("Nobody fits"));
}

#[tokio::test]
async fn a_search_finds_everybody_once_in_every_order_from_page_to_page() {
    let stage = Stage::new().await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    let mut people = Vec::new();
    for number in 0..120 {
        let first = ["Abe", "Kay", "Zoe", "k", "Joran", "5th"][number % 6];
        let name = format!("{first} Sought {number:03}");
        stage.person(acme, &name).await;
        people.push(name);
    }
    stage.person(acme, "Kim Other").await;
    people.sort_unstable();
    for order in ["name", "-name", "email"] {
        let mut found = Vec::new();
        let mut at = format!("/accounts/{acme}/presence?q=SOUGHT&sort={order}");
        loop {
            let page = ann.visit(&at).await;
            let names = page.all("#people-rows tr th a").into_iter();
            found.extend(names.map(|name| name.text().collect::<String>()));
            if !page.has_link("Next") {
                break;
            }
            at = page.link("Next");
            assert!(found.len() <= people.len(), "{order}: {at}");
        }
        let folded = |name: &String| name.to_lowercase();
        assert!(order == "-name" || found.is_sorted_by_key(folded), "{order}: {found:?}");
        assert!(order != "-name" || found.iter().rev().is_sorted_by_key(folded), "{found:?}");
        found.sort_unstable();
        assert_eq!(found, people, "{order}");
    }
    let offered = format!("/accounts/{acme}/presence/users/{}/match?q=sought", id("Kim Other"));
    let names: Vec<String> = ann
        .visit(&offered)
        .await
        .all("#candidates label")
        .into_iter()
        .map(|one| one.text().collect())
        .collect();
    assert!(names.len() > 1 && names.iter().all(|name| name.starts_with("5th")), "{names:?}");
}

#[tokio::test]
async fn each_user_shows_telephone_and_teams_and_live_parts_answer_only_when_something_changed() {
    let stage = Stage::new().await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    stage.person(acme, "Ada Byron").await;
    let at = format!("/accounts/{acme}/presence");
    let page = ann.visit(&at).await;
    let refresh = |page: &crate::support::Page| {
        let rows = page.all("#people-rows");
        rows[0].attr("data-hx-get").unwrap().to_owned()
    };
    let unchanged = ann.part(&refresh(&page)).await;
    assert_eq!(unchanged.status, StatusCode::NO_CONTENT);

    stage.said(acme, "Ada Byron", "onCall", Some("in-a-call")).await;
    let changed = ann.part(&refresh(&page)).await;
    assert_eq!(changed.status, StatusCode::OK);
    let row = changed.text("#people-rows tr");
    assert!(row.contains("onCall In a call"), "{row}");
    let live = ann.part(&format!("{at}/live")).await;
    assert!(live.says("Sessions held 1"));
    assert_eq!(live.all("#hour-rows").len(), 1, "the table behind the pictures comes along");
}

#[tokio::test]
async fn sync_now_asks_the_worker_and_says_so() {
    let stage = Stage::new().await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    let at = format!("/accounts/{acme}/presence");
    let page = ann.visit(&at).await;
    let page = ann.submit(page.form("Sync now")).await;
    assert!(page.says("Sync has begun: both directories are being read again."));
    assert_eq!(stage.activity().await[0].0, "presence.sync_asked");

    let idle = stage.account("Idle").await;
    let page = ann.visit(&format!("/accounts/{idle}/presence")).await;
    assert!(!page.has_button("Sync now"), "there is nothing to sync");
    let sync = format!("/accounts/{idle}/presence/sync");
    let answer = ann.send(axum::http::Method::POST, &sync, &[], String::new()).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "and a stale page's button does no harm");
}

#[tokio::test]
async fn an_excluded_user_shows_nothing_and_can_be_included_again() {
    let stage = Stage::new().await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    stage.person(acme, "Ada Byron").await;
    stage.said(acme, "Ada Byron", "onCall", Some("in-a-call")).await;
    let at = format!("/accounts/{acme}/presence/users/{}", id("Ada Byron"));
    let page = ann.visit(&at).await;
    let page = ann.submit(page.form("Exclude")).await;
    assert!(page.says("Ada Byron is excluded. What we set in Teams is being cleared."));
    assert!(page.says("Decision: show nothing"));
    let due: i64 = sqlx::query_scalar("SELECT count(*) FROM presences WHERE due_at IS NOT NULL")
        .fetch_one(&stage.db)
        .await
        .unwrap();
    assert_eq!(due, 1, "the worker has something to clear");
    let page = ann.submit(page.form("Include")).await;
    assert!(page.has_button("Exclude"));
    let activity = stage.activity().await;
    assert_eq!(activity[1], ("user.excluded".into(), "Ada Byron was excluded.".into()));
    assert_eq!(activity[0].0, "user.included");
}

#[tokio::test]
async fn a_user_is_matched_by_hand_and_given_back_to_automatic_matching() {
    let stage = Stage::new().await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    stage.telephone(acme, "Bo Lund", None, Some("not-in-entra")).await;
    let boris = stage.entra_user(acme, "Boris Lund").await;
    let taken = stage.person(acme, "Ada Byron").await;
    let at = format!("/accounts/{acme}/presence/users/{}", id("Bo Lund"));

    let page = ann.visit(&format!("{at}/match?q=")).await;
    let nobody = ann.submit(page.form("Match")).await;
    assert_eq!(nobody.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(nobody.says("Choose somebody from the list."));
    let refused = ann.submit(page.form("Match").fill("entra", &taken.to_string())).await;
    assert!(refused.says("Ada Byron is matched with Ada Byron already."));

    let page = ann.submit(page.form("Match").fill("entra", &boris.to_string())).await;
    assert!(page.says("Bo Lund is matched with Boris Lund."), "{}", page.source);
    assert!(page.says("by hand"));
    assert_eq!(stage.activity().await[0].0, "user.matched");

    let page = ann.submit(page.form("Match automatically")).await;
    assert!(page.says("automatic matching, which finds nobody so far"));
    assert!(page.says("Not in Entra"));
}

#[tokio::test]
async fn whoever_is_likely_is_offered_before_anything_is_searched_for() {
    let stage = Stage::new().await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    stage.telephone(acme, "Lund Bo", None, Some("not-in-entra")).await;
    stage.telephone(acme, "Bo Lund", None, Some("not-in-entra")).await;
    stage.person(acme, "Bonny Byron").await;
    for free in ["Zoe Zander", "Bosse Free", "Abe Early"] {
        stage.entra_user(acme, free).await;
    }
    let bo = stage.entra_user(acme, "Bo Lund").await;
    let match_by_hand = |user: &str| format!("/accounts/{acme}/presence/users/{}/match", id(user));
    let offered = async |path: &str| {
        let page = ann.visit(path).await;
        let names = page.all("#candidates label").into_iter().map(|one| one.text().collect());
        names.collect::<Vec<String>>()
    };

    // The same name, then whom nobody has: near in the alphabet, and from its beginning.
    let names = offered(&match_by_hand("Bo Lund")).await;
    let firsts: Vec<_> = names.iter().map(|name| name.split_once(' ').unwrap().0).collect();
    assert_eq!(firsts, ["Bo", "Bosse", "Zoe", "Abe"], "{names:?}");
    // The match doctor knows that the other is of the same name, too.
    let doctor = ann.visit(&format!("/accounts/{acme}/presence/matching")).await;
    assert!(doctor.says("Lund Bo"), "{}", doctor.source);
    let names = offered(&match_by_hand("Lund Bo")).await;
    assert!(names[0].starts_with("Bo Lund"), "{names:?}");

    let names = offered(&format!("{}?q=zander", match_by_hand("Bo Lund"))).await;
    assert_eq!(names.len(), 1, "{names:?}");
    let page = ann.visit(&match_by_hand("Bo Lund")).await;
    ann.submit(page.form("Match").fill("entra", &bo.to_string())).await;
    let page = ann.visit(&match_by_hand("Bo Lund")).await;
    let chosen = page.all("#candidates input[checked]");
    assert_eq!(
        chosen[0].attr("value"),
        Some(bo.to_string().as_str()),
        "whom they are matched with"
    );
}

#[tokio::test]
async fn a_search_means_each_letter_as_it_stands() {
    let stage = Stage::new().await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    for name in ["Per Cent", "Per%Cent", "Per_Cent", "Per\\Cent"] {
        stage.person(acme, name).await;
    }
    for (typed, found) in [("r%25c", 1), ("r_c", 1), ("r%5Cc", 1), ("R+C", 1), ("PER", 4), ("+", 4)]
    {
        let page = ann.visit(&format!("/accounts/{acme}/presence?q={typed}")).await;
        assert_eq!(page.all("#people-rows tr").len(), found, "{typed}\n{}", page.source);
        let user = format!("/accounts/{acme}/presence/users/{}/match?q={typed}", id("Per Cent"));
        let page = ann.visit(&user).await;
        let offered = page.all("#candidates label").len();
        assert!(offered == found || typed == "+", "{typed}: {offered}");
    }
}

#[tokio::test]
async fn an_auditor_looks_and_changes_nothing_and_others_see_nothing() {
    let stage = Stage::new().await;
    let acme = stage.synced_account("Acme").await;
    stage.person(acme, "Ada Byron").await;
    let other = stage.synced_account("Other").await;
    let (bob, carl) = (stage.bob(&[acme]).await, stage.carl(&[other]).await);
    let user = format!("/accounts/{acme}/presence/users/{}", id("Ada Byron"));
    for path in [format!("/accounts/{acme}/presence"), user.clone()] {
        let page = bob.visit(&path).await;
        assert_eq!(page.status, StatusCode::OK);
        for button in ["Sync now", "Exclude", "Match by hand"] {
            assert!(!page.has_button(button) && !page.has_link(button), "{button}");
        }
        assert_eq!(carl.visit(&path).await.status, StatusCode::NOT_FOUND);
        assert!(stage.stranger().visit(&path).await.path.starts_with("/sign-in"));
    }
    let method = axum::http::Method::POST;
    for deed in ["exclude", "match", "match/automatic"] {
        let path = format!("{user}/{deed}");
        let answer = bob.send(method.clone(), &path, &[], String::new()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{deed}");
    }
    let ann = stage.ann().await;
    let nobody = ann.visit(&format!("/accounts/{acme}/presence/users/no-such-user")).await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
}
