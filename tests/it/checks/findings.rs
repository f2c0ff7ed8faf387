//! What stands on each line, and never a pass for what could not be looked at.

use chrono::TimeDelta;
use presence_portal::checks::Checker;
use presence_portal::sandbox::{Permission, Person, Standing, System, Trouble, World};

use super::{GOOD, line, scene};
use crate::support::Stage;

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
    assert!(home.says("Presence.ReadWrite.All is not granted: the token does not carry it."));
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
async fn a_certificate_is_called_one_and_its_follower_is_enough() {
    let scene = scene().await;
    let db = &scene.stage.db;
    let shown = "UPDATE connections SET secret_expires_on = $1, expiry_source = 'certificate'";
    let on = scene.stage.clock.now().date_naive() + TimeDelta::days(9);
    sqlx::query(shown).bind(on).execute(db).await.unwrap();
    scene.with_a_certificate().await;
    let page = scene.asked().await;
    let words = line(&page, "The certificate lasts");
    assert!(words.contains("in 9 days, as the certificate says."), "{words}");
    assert!(words.contains("Upload the next certificate") && words.ends_with("Worth a look"));
    assert!(line(&page, "The certificate is accepted").ends_with("Wrong"), "{}", page.source);
    assert!(!page.says("The secret is accepted") && !page.says("The secret lasts"));
    let home = scene.ann.visit("/").await;
    assert!(home.says("Microsoft does not accept the certificate."), "{}", home.source);

    sqlx::query(
        "INSERT INTO spare_credentials (account_id, integration_id, slot, credential, secret, since,
            accepted_at)
         SELECT account_id, integration_id, 'next', 'secret', secret, $1, $1 FROM connections",
    )
    .bind(scene.stage.clock.now())
    .execute(db)
    .await
    .unwrap();
    let page = scene.asked().await;
    let words = line(&page, "The certificate lasts");
    assert!(words.contains("takes over by itself.") && words.ends_with(GOOD), "{words}");
}

#[tokio::test]
async fn the_directory_says_who_is_a_guest() {
    let scene = scene().await;
    let ann = scene.sandbox.people(scene.customer.tenant).into_iter().next().unwrap();
    let invited = Person {
        id: uuid::Uuid::new_v4().into(),
        name: "Gus Guest".to_owned(),
        user_principal_name: "gus@elsewhere.example".to_owned(),
        mail: None,
        guest: true,
        ..ann
    };
    scene.sandbox.add_person(scene.customer.tenant, invited).unwrap();
    scene.asked().await;
    let guests: Vec<String> =
        sqlx::query_scalar("SELECT user_principal_name FROM entra_users WHERE guest")
            .fetch_all(&scene.stage.db)
            .await
            .unwrap();
    assert_eq!(guests, ["gus@elsewhere.example"]);
}
