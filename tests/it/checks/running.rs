//! When it runs, on whom presence is tried, and who may ask for it.

use std::collections::HashSet;

use axum::http::{Method, StatusCode};
use chrono::TimeDelta;
use presence_portal::checks::Checker;
use presence_portal::ids::NodeId;
use presence_portal::sandbox::{Permission, Removed, System, World};

use super::{GOOD, line, scene, scene_of};

#[tokio::test]
async fn every_night_it_runs_by_itself_and_on_one_node_only() {
    let scene = scene().await;
    let runs = || {
        let logins = scene.sandbox.requests_to(System::Login);
        logins.into_iter().filter(|seen| seen.path.ends_with("openid-configuration")).count()
    };
    scene.checked().await;
    assert_eq!(runs(), 1, "what was just set up is checked at once");
    scene.stage.clock.advance(TimeDelta::hours(2));
    scene.checked().await;
    assert_eq!(runs(), 1, "and then not before the night");

    scene.stage.clock.advance(TimeDelta::hours(25));
    let mut other = scene.stage.app.clone();
    other.node = NodeId::new();
    let (one, two) = (Checker::new(scene.stage.app.clone()), Checker::new(other));
    tokio::join!(one.run_due(), two.run_due());
    assert_eq!(runs(), 2, "two nodes, one run");

    // A node that fell in the middle of a run leaves it to the next.
    sqlx::query(
        "UPDATE setup_checks SET due_at = $1, run = gen_random_uuid(),
            run_until = now() + interval '1 minute'",
    )
    .bind(scene.stage.clock.now())
    .execute(&scene.stage.db)
    .await
    .unwrap();
    scene.checked().await;
    assert_eq!(runs(), 2, "nobody meddles with a run that goes on");
    sqlx::query("UPDATE setup_checks SET run_until = now() - interval '1 second'")
        .execute(&scene.stage.db)
        .await
        .unwrap();
    scene.checked().await;
    assert_eq!(runs(), 3);
}

#[tokio::test]
async fn what_was_saved_or_switched_is_checked_anew() {
    let scene = scene().await;
    scene.checked().await;
    sqlx::query("UPDATE connections SET version = version + 1")
        .execute(&scene.stage.db)
        .await
        .unwrap();
    let page = scene.ann.visit(&scene.at).await;
    assert!(page.says("so this is about the old ones"));
    scene.sandbox.forget_requests();
    let page = scene.checked().await;
    assert!(!scene.sandbox.requests_to(System::Login).is_empty());
    assert!(!page.says("so this is about the old ones"));
}

#[tokio::test]
async fn when_the_sync_comes_to_need_a_person_and_when_it_needs_none_it_is_checked_anew() {
    let scene = scene().await;
    let (stage, tenant) = (&scene.stage, scene.customer.tenant);
    sqlx::query(
        "INSERT INTO presence_accounts (account_id, hook_digest, hook_key) VALUES ($1, 'd', 'k')",
    )
    .bind(scene.acme)
    .execute(&stage.db)
    .await
    .unwrap();
    let page = scene.checked().await;
    let label = "Presence.ReadWrite.All is granted";
    assert!(line(&page, label).ends_with(GOOD));
    scene.sandbox.revoke(tenant, Permission::ReadWritePresence).unwrap();
    stage.trouble(scene.acme, "microsoft", "permission-presence", true).await;
    let page = scene.checked().await;
    assert!(line(&page, label).ends_with("Wrong"), "no line says what is true no longer");
    scene.sandbox.forget_requests();
    scene.checked().await;
    assert!(scene.sandbox.requests().is_empty(), "once is enough");

    scene.sandbox.grant(tenant, Permission::ReadWritePresence).unwrap();
    sqlx::query("DELETE FROM presence_troubles").execute(&stage.db).await.unwrap();
    let told = "The setup check found what a person has to mend";
    assert!(!scene.ann.visit("/").await.says(told), "what has healed is not said once more");
    let page = scene.checked().await;
    assert!(line(&page, label).ends_with(GOOD));
    assert!(!scene.ann.visit("/").await.says(told));
}

#[tokio::test]
async fn presence_is_tried_on_the_pilot_somebody_picks_and_on_nobody_who_is_on_the_phone() {
    let scene = scene().await;
    scene.asked().await;
    let page =
        scene.ann.visit(&scene.ann.visit(&scene.at).await.link("Try it on a pilot user")).await;
    assert!(page.says("Nobody who is on the telephone is disturbed."));
    let refused = scene.ann.submit(page.form("Set and clear it")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.says("Choose somebody from the list."));
    let bob = scene.customer.person("Bob Stone").unwrap().id;
    let page =
        scene.ann.submit(page.form("Set and clear it").fill("pilot", &bob.to_string())).await;
    assert!(page.says("tries the pilot user last"));
    let page = scene.checked().await;
    let words = line(&page, "Presence can be set and cleared");
    assert!(words.contains("It was set for Bob Stone, and cleared again."), "{words}");
    let calls: Vec<_> = scene
        .sandbox
        .requests()
        .iter()
        .filter_map(|seen| {
            seen.presence_call().map(|(call, whose)| (call.to_owned(), whose.to_owned()))
        })
        .collect();
    let expected = ["setPresence", "clearPresence"].map(|call| (call.to_owned(), bob.to_string()));
    assert_eq!(calls, expected);
    assert!(scene.sandbox.session(scene.customer.tenant, bob).is_none());
    assert_eq!(scene.stage.activity().await[0].0, "integration.pilot_asked");

    // The next run leaves the pilot alone, and the result stands.
    scene.asked().await;
    assert_eq!(
        scene.sandbox.requests().iter().filter(|it| it.presence_call().is_some()).count(),
        2
    );
    let page = scene.ann.visit(&scene.at).await;
    assert!(line(&page, "Presence can be set and cleared").contains("It was set for Bob Stone"));
}

#[tokio::test]
async fn whoever_is_on_the_telephone_is_not_a_pilot() {
    let scene = scene().await;
    scene.asked().await;
    let ann = scene.customer.person("Ann Miller").unwrap().id;
    let phone = &scene.customer.phone("Ann Miller").unwrap().user;
    let db = &scene.stage.db;
    sqlx::query(
        "INSERT INTO presence_accounts (account_id, hook_digest, hook_key) VALUES ($1, '', '')",
    )
    .bind(scene.acme)
    .execute(db)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO presences (account_id, user_id, state, entered_at, publication_id, received_at,
            wanted, applied, applied_entra_id, applied_at, expires_at)
         VALUES ($1, $2, 'onCall', $3, 'p', $3, 'in-a-call', 'in-a-call', $4, $3, $3)",
    )
    .bind(scene.acme)
    .bind(phone)
    .bind(scene.stage.clock.now())
    .bind(ann)
    .execute(db)
    .await
    .unwrap();
    let page = scene.ann.visit(&format!("{}/pilot", scene.at)).await;
    let page =
        scene.ann.submit(page.form("Set and clear it").fill("pilot", &ann.to_string())).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.says("Ann Miller is on the telephone right now, and is not disturbed."));
}

#[tokio::test]
async fn a_directory_that_lost_most_of_its_people_is_believed_when_asked_again() {
    let world = World::of_size(1, 40);
    let scene = scene_of(world).await;
    scene.asked().await;
    for person in scene.sandbox.people(scene.customer.tenant).iter().skip(5) {
        scene.sandbox.remove_person(scene.customer.tenant, person.id, Removed::ForGood).unwrap();
    }
    let page = scene.asked().await;
    let words = line(&page, "Users in Microsoft Entra");
    assert!(words.contains("35 of 40 users are gone since it was read last."), "{words}");
    assert!(line(&page, "Who is matched").contains("40 users: 40 matched."));
    let page = scene.asked().await;
    assert!(line(&page, "Users in Microsoft Entra").contains("Microsoft Entra has 5 users."));
    assert!(line(&page, "Who is matched").contains("40 users: 5 matched, 35 without a match."));
}

#[tokio::test]
async fn an_auditor_reads_the_check_and_strangers_to_the_account_do_not() {
    let scene = scene().await;
    scene.asked().await;
    let bob = scene.stage.bob(&[scene.acme]).await;
    let page = bob.visit(&scene.at).await;
    assert!(page.says("Everything is as it should be") && !page.has_button("Run the check"));
    let answer = bob.send(Method::POST, &scene.at, &[], String::new()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let other = scene.stage.account("Other").await;
    let teams = scene.at.split('/').nth(4).unwrap();
    let wrong = scene.ann.visit(&format!("/accounts/{other}/integrations/{teams}/check")).await;
    assert_eq!(wrong.status, StatusCode::NOT_FOUND);
    let carl = scene.stage.carl(&[other]).await;
    assert_eq!(carl.visit(&scene.at).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_page_refreshes_itself_only_while_a_run_goes_on() {
    let scene = scene().await;
    let page = scene.ann.visit(&scene.at).await;
    assert!(page.all("#check[data-hx-get]").is_empty());
    let page = scene.ann.submit(page.form("Run the check")).await;
    let refresh = page.all("#check")[0].attr("data-hx-get").unwrap().to_owned();
    assert_eq!(scene.ann.part(&refresh).await.status, StatusCode::NO_CONTENT);
    assert!(page.has_link("Reload"), "for those without scripts");
    scene.checked().await;
    let part = scene.ann.part(&refresh).await;
    assert!(part.all("#check[data-hx-get]").is_empty() && part.all("h1").is_empty());
    let ids: Vec<_> = part.all("[id]").iter().map(|it| it.attr("id").unwrap().to_owned()).collect();
    assert_eq!(ids.len(), ids.iter().collect::<HashSet<_>>().len(), "{ids:?}");
}
