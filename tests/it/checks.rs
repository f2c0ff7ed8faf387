//! The setup check: every line, when asked and by night, and a pilot user.

use std::collections::HashSet;

use axum::http::{Method, StatusCode};
use chrono::TimeDelta;
use presence_portal::checks::Checker;
use presence_portal::ids::{AccountId, NodeId};
use presence_portal::sandbox::{
    Customer, Permission, Removed, Sandbox, Standing, System, Trouble, World,
};

use crate::support::{Browser, Page, Stage};

struct Scene {
    stage: Stage,
    sandbox: Sandbox,
    customer: Customer,
    ann: Browser,
    acme: AccountId,
    at: String,
}

/// Microsoft Teams is set up, and presence sync is off.
async fn scene() -> Scene {
    scene_of(World::small()).await
}

async fn scene_of(world: World) -> Scene {
    let (stage, sandbox) = Stage::with_sandbox(world).await;
    let customer = sandbox.world().customers[0].clone();
    let (ann, acme) = (stage.ann().await, stage.account("Acme").await);
    sqlx::query("UPDATE accounts SET cloudlink_account_id = $2 WHERE id = $1")
        .bind(acme)
        .bind(&customer.account)
        .execute(&stage.db)
        .await
        .unwrap();
    let teams = stage.add_teams(acme).await;
    let in_spring = stage.clock.now().date_naive() + TimeDelta::days(120);
    stage.set_up(acme, Some(in_spring)).await;
    stage.connect(acme, &customer).await;
    let at = format!("/accounts/{acme}/integrations/{teams}/check");
    Scene { stage, sandbox, customer, ann, acme, at }
}

impl Scene {
    /// Runs everything that is due, and shows the page.
    async fn checked(&self) -> Page {
        Checker::new(self.stage.app.clone()).run_due().await;
        self.ann.visit(&self.at).await
    }

    /// Somebody asks for it, a minute later.
    async fn asked(&self) -> Page {
        self.stage.clock.advance(TimeDelta::minutes(1));
        let page = self.ann.visit(&self.at).await;
        let page = self.ann.submit(page.form("Run the check")).await;
        assert!(page.says("The check is going on"), "{}", page.source);
        self.checked().await
    }
}

/// What a line of the page says, its state last.
fn line(page: &Page, label: &str) -> String {
    let lines = page.all("li.row");
    let words = lines
        .into_iter()
        .map(|line| line.text().flat_map(str::split_whitespace).collect::<Vec<_>>().join(" "));
    words.into_iter().find(|words| words.starts_with(label)).unwrap_or_default()
}

const GOOD: &str = "Good";

#[tokio::test]
async fn a_setup_that_is_right_is_good_on_every_line_and_says_who_would_be_matched() {
    let scene = scene().await;
    let page = scene.ann.visit(&scene.at).await;
    assert_eq!(page.heading(), "Setup check");
    assert!(page.says("This setup has not been checked yet"));
    let page = scene.asked().await;
    assert!(page.says("Everything is as it should be"), "{}", page.source);
    for good in [
        "Microsoft can be reached",
        "The tenant exists",
        "The application is known in it",
        "The secret is accepted",
        "The secret lasts",
        "User.Read.All is granted",
        "Presence.ReadWrite.All is granted",
        "No permission that is not needed",
        "The CloudLink account can be reached",
        "Users in CloudLink",
        "Users in Microsoft Entra",
        "Who is matched",
        "This server’s clock is right",
    ] {
        assert!(line(&page, good).ends_with(GOOD), "{good}: {}", line(&page, good));
    }
    assert!(line(&page, "Who is matched").contains("3 users: 3 matched."));
    assert!(line(&page, "The CloudLink account").contains("Brightwater Dental"));
    assert!(line(&page, "The subscription is alive").ends_with("Not looked at"));
    assert!(line(&page, "Presence can be set").contains("Nobody has asked for it."));

    let panel = scene.ann.visit(&format!("/accounts/{}/integrations", scene.acme)).await;
    assert_eq!(panel.link("Setup check"), scene.at);
    assert!(panel.says("3 users: 3 matched. Who is matched"), "before the switch is turned");
    let presence = scene.ann.visit(&format!("/accounts/{}/presence", scene.acme)).await;
    assert_eq!(scene.ann.visit(&presence.link("Setup check")).await.path, scene.at);

    assert_eq!(scene.sandbox.held_sessions(scene.customer.tenant), 0);
    let presence_calls = scene
        .sandbox
        .requests()
        .into_iter()
        .filter_map(|seen| seen.presence_call().map(|_| ()))
        .count();
    assert_eq!(presence_calls, 0, "nothing was pushed");
    let workers: i64 = sqlx::query_scalar("SELECT count(*) FROM presence_accounts")
        .fetch_one(&scene.stage.db)
        .await
        .unwrap();
    assert_eq!(workers, 0, "and nothing is about to be");
}

#[tokio::test]
async fn consent_that_is_missing_is_red_with_the_way_to_give_it_until_it_is_given() {
    let scene = scene().await;
    let tenant = scene.customer.tenant;
    scene.sandbox.revoke(tenant, Permission::ReadWritePresence).unwrap();
    let page = scene.asked().await;
    let words = line(&page, "Presence.ReadWrite.All is granted");
    assert!(words.contains("The token does not carry it.") && words.ends_with("Wrong"), "{words}");
    assert!(page.says("One thing is wrong"));
    assert!(line(&page, "User.Read.All is granted").ends_with(GOOD));
    let consent = page.link("Grant admin consent");
    let client = scene.customer.app.client;
    assert_eq!(
        consent,
        format!("https://login.microsoftonline.com/{tenant}/adminconsent?client_id={client}")
    );
    let entra = page.link("API permissions in Entra");
    assert!(entra.contains(&format!("CallAnAPI/appId/{client}")), "{entra}");
    let home = scene.ann.visit("/").await;
    assert!(home.says("The setup check found what a person has to mend"));
    assert_eq!(home.link("Setup check, Acme"), scene.at);

    // Reading alone is not enough.
    scene.sandbox.grant(tenant, Permission::ReadPresence).unwrap();
    let page = scene.asked().await;
    let words = line(&page, "Presence.ReadWrite.All is granted");
    assert!(words.contains("Presence can be read, by another permission, but not set."), "{words}");

    scene.sandbox.revoke(tenant, Permission::ReadPresence).unwrap();
    scene.sandbox.grant(tenant, Permission::ReadWritePresence).unwrap();
    let page = scene.asked().await;
    assert!(line(&page, "Presence.ReadWrite.All is granted").ends_with(GOOD));
    let home = scene.ann.visit("/").await;
    assert!(home.says("All is well"), "{}", home.source);
}

#[tokio::test]
async fn each_cause_stands_on_its_own_line_and_what_is_behind_it_was_not_looked_at() {
    let scene = scene().await;
    let tenant = scene.customer.tenant;
    let turn = |on: bool| scene.sandbox.manners(tenant, |manners| manners.unknown = on).unwrap();
    turn(true);
    let page = scene.asked().await;
    assert!(line(&page, "The tenant exists").ends_with("Wrong"));
    assert!(line(&page, "Microsoft can be reached").ends_with(GOOD));
    assert!(line(&page, "The secret is accepted").ends_with("Not looked at"));
    turn(false);

    scene.sandbox.app_is(tenant, Standing::Deleted).unwrap();
    let page = scene.asked().await;
    assert!(line(&page, "The application is known").contains("not in this tenant"));
    assert!(line(&page, "The tenant exists").ends_with(GOOD));
    scene.sandbox.app_is(tenant, Standing::Good).unwrap();

    scene.sandbox.expire_secrets(tenant).unwrap();
    let page = scene.asked().await;
    let words = line(&page, "The secret is accepted");
    assert!(words.contains("has expired") && words.contains("AADSTS7000222"), "{words}");
    assert!(words.contains("Certificates & secrets in Entra"));
    assert!(line(&page, "The application is known").ends_with(GOOD));
    for behind in ["User.Read.All is granted", "Users in Microsoft Entra", "Who is matched"] {
        assert!(line(&page, behind).ends_with("Not looked at"), "{}", line(&page, behind));
    }
    assert!(
        line(&page, "Users in CloudLink").ends_with(GOOD),
        "CloudLink’s side is another matter"
    );
}

#[tokio::test]
async fn a_look_up_that_failed_is_never_a_pass() {
    let scene = scene().await;
    let behind = [
        "User.Read.All is granted",
        "Presence.ReadWrite.All is granted",
        "Users in Microsoft Entra",
        "Who is matched",
    ];
    for trouble in [
        Trouble::Away,
        Trouble::Status { status: 500, retry_after: None },
        Trouble::Html { status: 200 },
        Trouble::HalfJson,
    ] {
        scene.sandbox.trouble(System::Graph, trouble.clone());
        let page = scene.asked().await;
        for label in behind {
            assert!(!line(&page, label).ends_with(GOOD), "{trouble:?}: {}", line(&page, label));
        }
        assert!(!page.says("Everything is as it should be"));
        assert!(scene.ann.visit("/").await.says("All is well"), "it passes by itself");
    }
    scene.sandbox.mend(System::Graph);
    for system in [System::Login, System::Cloudlink] {
        scene.sandbox.trouble(system, Trouble::Away);
        let page = scene.asked().await;
        assert!(!line(&page, "Who is matched").ends_with(GOOD));
        assert!(!page.says("Everything is as it should be"));
        scene.sandbox.mend(system);
    }
    scene.stage.clock.advance(TimeDelta::minutes(75));
    let page = scene.checked().await;
    assert!(page.says("Everything is as it should be"), "it is tried again within the hour or so");
}

#[tokio::test]
async fn what_a_person_has_to_mend_is_not_forgotten_while_microsoft_is_away() {
    let scene = scene().await;
    scene.sandbox.revoke(scene.customer.tenant, Permission::ReadUsers).unwrap();
    scene.asked().await;
    assert!(scene.ann.visit("/").await.says("The setup check found"));
    scene.sandbox.trouble(System::Login, Trouble::Away);
    scene.asked().await;
    assert!(scene.ann.visit("/").await.says("The setup check found"), "nobody knows better");
}

#[tokio::test]
async fn a_permission_too_many_and_a_clock_that_is_off_are_worth_a_look() {
    let scene = scene().await;
    scene.sandbox.grant(scene.customer.tenant, Permission::ReadPresence).unwrap();
    scene.sandbox.clocks_are_ahead(TimeDelta::seconds(40));
    let page = scene.asked().await;
    let words = line(&page, "No permission that is not needed");
    assert!(words.contains("Granted, but not needed: Presence.Read.All."), "{words}");
    assert!(words.ends_with("Worth a look"));
    let words = line(&page, "This server’s clock is right");
    assert!(words.contains("It is 40 seconds slow"), "{words}");
    assert!(page.says("2 things are worth a look"));
    scene.sandbox.clocks_are_ahead(TimeDelta::minutes(-10));
    let page = scene.asked().await;
    assert!(line(&page, "This server’s clock is right").contains("10 minutes fast"));
}

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
async fn an_integration_that_is_not_set_up_has_its_cloudlink_side_looked_at() {
    let (stage, sandbox) = Stage::with_sandbox(World::small()).await;
    let (ann, acme) = (stage.ann().await, stage.account("Acme").await);
    let account = &sandbox.world().customers[0].account;
    sqlx::query("UPDATE accounts SET cloudlink_account_id = $2 WHERE id = $1")
        .bind(acme)
        .bind(account)
        .execute(&stage.db)
        .await
        .unwrap();
    let page = ann.visit(&format!("/accounts/{acme}/setup-check")).await;
    assert!(page.says("Nothing is connected yet"));
    let teams = stage.add_teams(acme).await;
    let at = format!("/accounts/{acme}/integrations/{teams}/check");
    let setup = ann.visit(&format!("/accounts/{acme}/integrations/{teams}/setup")).await;
    assert_eq!(setup.link("Setup check"), at);
    ann.submit(ann.visit(&at).await.form("Run the check")).await;
    Checker::new(stage.app.clone()).run_due().await;
    let page = ann.visit(&at).await;
    assert!(line(&page, "Microsoft can be reached").contains("Complete setup"));
    assert!(line(&page, "Users in CloudLink").contains("CloudLink names 3 users."));
    assert!(line(&page, "Who is matched").ends_with("Not looked at"));
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
    assert!(page.all("#check[hx-get]").is_empty());
    let page = scene.ann.submit(page.form("Run the check")).await;
    let refresh = page.all("#check")[0].attr("hx-get").unwrap().to_owned();
    assert_eq!(scene.ann.part(&refresh).await.status, StatusCode::NO_CONTENT);
    assert!(page.has_link("Reload"), "for those without scripts");
    scene.checked().await;
    let part = scene.ann.part(&refresh).await;
    assert!(part.all("#check[hx-get]").is_empty() && part.all("h1").is_empty());
    let ids: Vec<_> = part.all("[id]").iter().map(|it| it.attr("id").unwrap().to_owned()).collect();
    assert_eq!(ids.len(), ids.iter().collect::<HashSet<_>>().len(), "{ids:?}");
}
