//! Who is offered, and what becomes of an offer.

use axum::http::{Method, StatusCode};

use super::{Entra, entra, row, scene};

#[tokio::test]
async fn whoever_is_alike_is_offered_with_the_reason() {
    let scene = scene().await;
    for name in [
        "Ada Byron",
        "Bo Lund",
        "Cy Grant",
        "Di Ross",
        "Ed Zöllner",
        "Flo Mann",
        "Guy Lost",
        "Hal Ives",
        "Ira Jones",
    ] {
        scene.phone(name).await;
    }
    scene.has(entra("A. Byron", "ada.byron@acme.onmicrosoft.example")).await;
    scene.has(entra("Lund, Bo", "b.andersson@acme.example")).await;
    scene.has(entra("Consultant", "cy.grant_acme.example#EXT#@acme.onmicrosoft.example")).await;
    scene.has(Entra { enabled: false, ..entra("Di Ross", "di.ross@acme.example") }).await;
    scene.has(entra("Ed ZOLLNER", "ez@acme.example")).await;
    scene.has(entra("Florence M.", "fmann@acme.example")).await;
    scene.has(entra("Nobody at all", "nobody@acme.example")).await;
    // Invited, and nothing in the address says so.
    let invited = scene.has(entra("Hal Ives", "hal@partner.example")).await;
    let member = scene.has(entra("Ira Jones", "ira_x.example#EXT#@acme.example")).await;
    for (who, guest) in [(invited, true), (member, false)] {
        sqlx::query("UPDATE entra_users SET guest = $2 WHERE entra_id = $1")
            .bind(who)
            .bind(guest)
            .execute(&scene.stage.db)
            .await
            .unwrap();
    }
    scene.rematch().await;

    let page = scene.page().await;
    assert_eq!(page.heading(), "Match doctor");
    for (name, reason) in [
        ("Ada Byron", "ada.byron@acme.onmicrosoft.example same before the @"),
        (
            "Bo Lund",
            "Lund, Bo b.andersson@acme.example same name · another sign-in address: renamed?",
        ),
        ("Cy Grant", "invited under this address · a guest of the tenant"),
        ("Di Ross", "this is their sign-in address · disabled in Entra"),
        ("Ed Zöllner", "same name"),
        ("Flo Mann", "an address like this name"),
        ("Guy Lost", "Nobody is like them."),
        ("Hal Ives", "a guest of the tenant"),
    ] {
        assert!(row(&page, name).contains(reason), "{name}: {}", row(&page, name));
    }
    assert!(!row(&page, "Ira Jones").contains("a guest"), "the directory knows better");
    assert!(row(&page, "Di Ross").contains("Disabled in Entra"));
    assert!(
        !page.has_button("Accept di.ross@acme.example for Di Ross"),
        "enabled, they match by themselves"
    );
    assert!(!page.says("nobody@acme.example"));
    let disabled = scene.ann.visit(&format!("{}?show=disabled", scene.at)).await;
    assert_eq!(disabled.all("tbody tr").len(), 1);
    let found = scene.ann.part(&format!("{}?q=LUND", scene.at)).await;
    assert!(found.says("Bo Lund") && !found.says("Ada Byron") && found.all("h1").is_empty());
}

#[tokio::test]
async fn one_click_accepts_ticks_accept_many_and_all_of_it_can_be_undone() {
    let scene = scene().await;
    for name in ["Ada Byron", "Bo Lund", "Cy Grant"] {
        scene.phone(name).await;
    }
    let ada = scene.has(entra("Ada Byron", "ada@acme.example")).await;
    let bo = scene.has(entra("Bo Lund", "bo@acme.example")).await;
    let cy = scene.has(entra("Cy Grant", "cy@acme.example")).await;
    scene.rematch().await;

    let page = scene.page().await;
    let page = scene.ann.submit(page.form("Accept ada@acme.example for Ada Byron")).await;
    assert!(page.says("Ada Byron is matched with ada@acme.example."));
    assert_eq!(scene.matched("Ada Byron").await, Some(ada));
    assert!(row(&page, "Ada Byron").is_empty());
    let activity = scene.stage.activity().await;
    assert_eq!(activity[0].1, "Ada Byron was matched by hand, with ada@acme.example.");

    let nothing = scene.ann.submit(page.form("Accept ticked")).await;
    assert!(nothing.says("Nobody was ticked, so nothing has changed."));
    let ticked = scene.ann.visit(&page.link("Tick the nearest of each")).await;
    let page = scene.ann.submit(ticked.form("Accept ticked")).await;
    assert!(page.says("2 users are matched.") && page.says("Everybody has a match"));
    assert_eq!(
        (scene.matched("Bo Lund").await, scene.matched("Cy Grant").await),
        (Some(bo), Some(cy))
    );

    let by_hand = format!("{}?show=by-hand", scene.at);
    let page = scene.ann.visit(&by_hand).await;
    assert_eq!(page.all("tbody tr").len(), 3);
    assert!(row(&page, "Bo Lund").contains("bo@acme.example"));
    let page = scene.ann.submit(page.form("Undo the match of Bo Lund")).await;
    assert!(page.says("Bo Lund is left to automatic matching again."));
    assert_eq!(scene.matched("Bo Lund").await, None);
    let ticked = scene.ann.visit(&page.link("Tick all")).await;
    let page = scene.ann.submit(ticked.form("Undo ticked")).await;
    assert!(page.says("2 users are left to automatic matching again."));
    let page = scene.page().await;
    assert_eq!(page.all("tbody tr").len(), 3);
    assert!(page.has_button("Accept bo@acme.example for Bo Lund"), "and they are offered again");
}

#[tokio::test]
async fn nobody_is_given_away_twice() {
    let scene = scene().await;
    scene.phone("Ada Byron").await;
    scene.phone("Ada byron").await;
    let ada = scene.has(entra("Ada Byron", "countess@acme.example")).await;
    scene.rematch().await;
    let ticked = scene.ann.visit(&format!("{}?tick=on", scene.at)).await;
    let page = scene.ann.submit(ticked.form("Accept ticked")).await;
    assert!(page.says("One was not: countess@acme.example was ticked for somebody else, too."));
    let matched = [scene.matched("Ada Byron").await, scene.matched("Ada byron").await];
    assert_eq!(matched.into_iter().flatten().collect::<Vec<_>>(), [ada]);
    assert!(page.says("matched with Ada"));
    // A page that has grown old.
    let late = scene.ann.submit(ticked.form("Accept ticked")).await;
    assert!(
        late.says("Nobody was matched. 2 were not") || late.says("One was not"),
        "{}",
        late.source
    );
    assert_eq!([scene.matched("Ada Byron").await, scene.matched("Ada byron").await], matched);
}

#[tokio::test]
async fn duplicates_stand_side_by_side() {
    let scene = scene().await;
    scene.phone("Ada Byron").await;
    scene.phone("Bo Lund").await;
    scene.phone("Bo lund").await;
    scene.has(entra("Ada", "ada.byron@acme.example")).await;
    scene
        .has(Entra {
            mail: Some("ada.byron@acme.example"),
            ..entra("Shared box", "box@acme.example")
        })
        .await;
    let twins =
        [entra("Countess", "countess@acme.example"), entra("Lovelace", "lovelace@acme.example")];
    for twin in twins {
        scene.has(Entra { mail: Some("ada.byron@home.example"), ..twin }).await;
    }
    sqlx::query(
        "UPDATE cloudlink_users SET email = 'ada.byron@home.example' WHERE name = 'Ada Byron'",
    )
    .execute(&scene.stage.db)
    .await
    .unwrap();
    scene.has(entra("Bo Lund", "bo.lund@acme.example")).await;
    scene.rematch().await;
    let page = scene.ann.visit(&format!("{}?show=duplicate", scene.at)).await;
    assert!(row(&page, "Ada Byron").contains("Several people in Entra have this address"));
    assert!(row(&page, "Bo Lund").contains("Somebody else in CloudLink leads to the same person"));
    let groups: Vec<_> = page
        .all("li.row")
        .iter()
        .map(|group| group.text().flat_map(str::split_whitespace).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(groups.len(), 2, "{groups:?}");
    assert!(groups[0].contains("countess@acme.example · by mail address"));
    assert!(groups[0].contains("lovelace@acme.example · by mail address"));
    assert!(groups[1].contains("Bo Lund") && groups[1].contains("Bo lund"));
    assert!(groups[1].contains("bo.lund@acme.example · by sign-in address"));

    let page = scene.ann.submit(page.form("Accept lovelace@acme.example for Ada Byron")).await;
    assert!(page.says("Ada Byron is matched with lovelace@acme.example."));
}

#[tokio::test]
async fn an_auditor_looks_and_changes_nothing_and_other_accounts_stay_apart() {
    let scene = scene().await;
    scene.phone("Ada Byron").await;
    let ada = scene.has(entra("Ada Byron", "ada@acme.example")).await;
    scene.rematch().await;
    let bob = scene.stage.bob(&[scene.acme]).await;
    let page = bob.visit(&scene.at).await;
    assert!(page.says("same name") && !page.has_button("Accept ada@acme.example for Ada Byron"));
    assert!(!page.has_link("Match from a file"));
    let pair = serde_html_form::to_string([("one", format!("Ada-Byron {ada}"))]).unwrap();
    for path in ["accept", "undo", "file"] {
        let answer =
            bob.send(Method::POST, &format!("{}/{path}", scene.at), &[], pair.clone()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }
    let bolt = scene.stage.synced_account("Bolt").await;
    scene.stage.telephone(bolt, "Ada Byron", None, None).await;
    let answer = scene
        .ann
        .send(Method::POST, &format!("/accounts/{bolt}/presence/matching/accept"), &[], pair)
        .await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let matched: i64 =
        sqlx::query_scalar("SELECT count(*) FROM cloudlink_users WHERE entra_id IS NOT NULL")
            .fetch_one(&scene.stage.db)
            .await
            .unwrap();
    assert_eq!(matched, 0, "another account’s person is nobody here");
}

#[tokio::test]
async fn before_anybody_was_read_the_list_leads_to_the_setup_check() {
    let scene = scene().await;
    let page = scene.page().await;
    assert!(page.says("Nobody has been read yet") && page.has_link("Setup check"));
    let presence = scene.ann.visit(&format!("/accounts/{}/presence", scene.acme)).await;
    assert_eq!(presence.link("Match doctor"), scene.at);

    scene.phone("Guy Lost").await;
    let page = scene.page().await;
    assert!(row(&page, "Guy Lost").contains("Microsoft Entra has to be read first"));
    assert!(!page.says("Nobody is like them."), "nobody has looked");
}

#[tokio::test]
async fn the_file_is_of_what_is_shown_after_filtering_in_place() {
    let scene = scene().await;
    scene.phone("Ada Byron").await;
    scene.phone("Bo Lund").await;
    scene.rematch().await;
    let part = scene.ann.part(&format!("{}?q=ada", scene.at)).await;
    let file = scene.ann.visit(&part.link("Download CSV")).await;
    assert!(file.says("Ada Byron") && !file.says("Bo Lund"), "{}", file.source);
}
