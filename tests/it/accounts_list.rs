//! The list of accounts at its full size: always right, narrowed by health, kept under a name.

use axum::http::{Method, StatusCode};
use presence_portal::accounts::selection::Selection;

use crate::support::{Page, Stage};

fn facets(page: &Page) -> Vec<String> {
    let tabs = page.all("nav[aria-label='By health'] a");
    tabs.into_iter()
        .map(|tab| tab.text().flat_map(str::split_whitespace).collect::<Vec<_>>().join(" "))
        .collect()
}

/// What the list would be if it were made anew.
async fn differs_from_the_truth(stage: &Stage) -> i64 {
    sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM accounts a JOIN account_health h ON h.account_id = a.id
            FULL JOIN account_list l ON l.account_id = a.id
            WHERE (l.health, l.cause, l.active, l.name) IS DISTINCT FROM
                (h.health, h.cause, a.deactivated_at IS NULL, lower(a.name)))
          + (SELECT count(*) FROM (SELECT health, active, count(*) n FROM account_list GROUP BY 1, 2) c
            FULL JOIN (SELECT health, active, sum(n) n FROM account_tally GROUP BY 1, 2 HAVING sum(n) <> 0) t
                USING (health, active) WHERE c.n IS DISTINCT FROM t.n)",
    )
    .fetch_one(&stage.db)
    .await
    .unwrap()
}

#[tokio::test]
async fn what_only_the_setup_check_found_stands_below_the_health() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let (acme, off) = (stage.synced_account("Acme").await, stage.synced_account("Off").await);
    stage.synced_account("Well").await;
    for account in [acme, off] {
        sqlx::query(
            "INSERT INTO setup_checks (account_id, integration_id, due_at, reds, urgent, worst_line,
                worst, urgent_since)
             SELECT account_id, id, now(), 2, 2, 'clock', 'The clock is fast.', now()
             FROM integrations WHERE account_id = $1",
        )
        .bind(account)
        .execute(&stage.db)
        .await
        .unwrap();
    }
    stage.trouble(off, "microsoft", "secret-expired", true).await;
    let page = ann.visit("/accounts").await;
    let healths = page.all("tbody td:nth-of-type(3)").into_iter();
    let healths: Vec<_> = healths
        .map(|td| td.text().flat_map(str::split_whitespace).collect::<Vec<_>>().join(" "))
        .collect();
    assert!(healths[0].ends_with("See the setup check"), "{healths:?}");
    assert!(healths[1].ends_with("The client secret has expired"), "{healths:?}");
    assert!(!healths[2].contains("setup check"), "{healths:?}");
    assert_eq!(page.link("See the setup check"), format!("/accounts/{acme}/setup-check"));
}

#[tokio::test]
async fn the_list_follows_whatever_happens_to_an_account() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    stage.account("Nothing yet").await;
    let half = stage.account("Half").await;
    stage.add_teams(half).await;
    let acme = stage.synced_account("Acme").await;
    assert_eq!(
        facets(&ann.visit("/accounts").await),
        ["All 3", "Syncing 1", "Setup not complete 1", "No integration 1"]
    );

    stage.trouble(acme, "microsoft", "secret-expired", true).await;
    let page = ann.visit("/accounts?health=attention").await;
    assert!(
        page.says("Acme") && page.says("The client secret has expired") && page.says("1–1 of 1")
    );
    assert_eq!(differs_from_the_truth(&stage).await, 0);

    sqlx::query("DELETE FROM presence_troubles").execute(&stage.db).await.unwrap();
    stage.switch(acme, false).await;
    assert!(ann.visit("/accounts?health=off").await.says("Acme"));
    sqlx::query("UPDATE accounts SET name = 'Ökohaus', deactivated_at = now() WHERE id = $1")
        .bind(half)
        .execute(&stage.db)
        .await
        .unwrap();
    assert!(ann.visit("/accounts?q=ÖKO&show=deactivated").await.says("Ökohaus"));
    assert_eq!(differs_from_the_truth(&stage).await, 0);

    sqlx::query("DELETE FROM accounts WHERE name = 'Nothing yet'")
        .execute(&stage.db)
        .await
        .unwrap();
    assert!(!ann.visit("/accounts").await.says("Nothing yet"));
    assert_eq!(differs_from_the_truth(&stage).await, 0);
    presence_portal::accounts::store::fold(&stage.db).await.unwrap();
    assert_eq!(differs_from_the_truth(&stage).await, 0);
}

#[tokio::test]
async fn two_who_change_one_account_at_the_same_moment_leave_the_list_right() {
    let stage = Stage::new().await;
    let acme = stage.synced_account("Acme").await;
    stage.trouble(acme, "microsoft", "secret-expired", true).await;
    let (mut one, mut other) = (stage.db.begin().await.unwrap(), stage.db.begin().await.unwrap());
    sqlx::query("DELETE FROM presence_troubles").execute(&mut *one).await.unwrap();
    sqlx::query("UPDATE features SET enabled = false").execute(&mut *other).await.unwrap();
    let (one, other) = tokio::join!(one.commit(), other.commit());
    one.unwrap();
    other.unwrap();
    assert_eq!(differs_from_the_truth(&stage).await, 0);
    assert!(stage.ann().await.visit("/accounts?health=off").await.says("Acme"));
}

#[tokio::test]
async fn every_word_has_to_fit_and_the_gravest_may_come_first() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    for name in ["Acme Foods", "Acme Motors", "Bolt Foods"] {
        stage.account(name).await;
    }
    let bad = stage.synced_account("Zebra").await;
    stage.trouble(bad, "feed", "feed-silent", true).await;
    let page = ann.visit("/accounts?q=foods+acme").await;
    assert!(page.says("Acme Foods") && page.says("1–1 of 1"));
    let page = ann.visit("/accounts?sort=health").await;
    assert_eq!(page.text("#results td a"), "Zebra");
    let carl = stage.carl(&[bad]).await;
    assert_eq!(facets(&carl.visit("/accounts").await), ["All 1", "Needs attention 1"]);
    assert!(carl.visit("/accounts?q=acme").await.says("No account fits"));
}

#[tokio::test]
async fn a_search_is_kept_under_a_name_for_oneself_alone() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    stage.account("Acme").await;
    let list = ann.visit("/accounts?q=ac&health=none&page=1").await;
    let form = ann.visit(&list.link("Save this filter")).await.form("Save filter");
    let refused = ann.submit(form.clone()).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.complaint("Name"), "Give the filter a name.");
    let list = ann.submit(form.clone().fill("Name", "No Teams yet")).await;
    assert_eq!(list.path, "/accounts?q=ac&health=none");
    assert!(list.says("Saved as “No Teams yet”.") && !list.has_link("Save this filter"));
    let again = ann.submit(form.fill("Name", "no teams YET")).await;
    assert_eq!(again.complaint("Name"), "You have a filter of that name already.");

    let start = ann.visit("/accounts").await;
    assert_eq!(start.link("No Teams yet"), "/accounts?q=ac&health=none");
    let (bea, _) =
        stage.staff("Bea", "bea@partner.example", presence_portal::staff::Role::PartnerAdmin).await;
    assert!(!bea.visit("/accounts").await.has_link("No Teams yet"));
    let removing = list.form("Remove the filter No Teams yet");
    assert_eq!(bea.submit(removing.clone()).await.status, StatusCode::NOT_FOUND);
    let gone = ann.submit(removing).await;
    assert!(gone.says("Removed the filter") && !gone.has_link("No Teams yet"));
}

#[tokio::test]
async fn a_selection_names_only_accounts_one_looks_after() {
    let stage = Stage::new().await;
    let (acme, bolt) = (stage.account("Acme").await, stage.account("Bolt").await);
    let (_, carl) =
        stage.staff("Carl", "carl@c.example", presence_portal::staff::Role::AccountAdmin).await;
    sqlx::query("INSERT INTO staff_accounts (account_id, staff_id) VALUES ($1, $2)")
        .bind(acme)
        .bind(carl)
        .execute(&stage.db)
        .await
        .unwrap();
    let ids = [acme.to_string(), bolt.to_string(), "x".to_owned()];
    let ticked = Selection::of_fields(&ids, None);
    let matching = Selection::of_fields(&ids[..1], Some("q=o"));
    for (selection, scope, found) in [
        (&ticked, None, vec!["Acme", "Bolt"]),
        (&ticked, Some(carl), vec!["Acme"]),
        (&matching, None, vec!["Bolt"]),
        (&matching, Some(carl), vec![]),
    ] {
        let accounts = selection.accounts(&stage.db, scope).await.unwrap();
        let names: Vec<_> = accounts.into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, found, "{selection:?}");
    }
}

#[tokio::test]
async fn an_auditor_ticks_nothing() {
    let stage = Stage::new().await;
    let acme = stage.account("Acme").await;
    let page = stage.bob(&[acme]).await.visit("/accounts").await;
    assert!(page.all("[name=account], [name=matching]").is_empty());
    assert_eq!(stage.ann().await.visit("/accounts").await.all("[name=account]").len(), 1);
}

#[tokio::test]
async fn the_palette_leads_to_every_account_and_page_one_may_see() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let acme = stage.account("Acme Foods").await;
    stage.account("Food for Acme").await;
    stage.account("100% Bolt_Co").await;
    let page = ann.visit("/go?q=acme+foods").await;
    assert_eq!(page.heading(), "Go to");
    assert_eq!(page.link("Acme Foods: Mapping"), format!("/accounts/{acme}/presence/mapping"));
    let page = ann.visit("/go?q=ac").await;
    let found: Vec<_> =
        page.all("main li a").into_iter().map(|a| a.text().collect::<String>()).collect();
    assert!(found.contains(&"Accounts".to_owned()));
    let place = |name: &str| found.iter().position(|one| one == name).unwrap();
    assert!(place("Acme Foods") < place("Food for Acme"), "the one that begins so comes first");
    let page = ann.visit("/go?q=foods+pres").await;
    assert_eq!(page.link("Acme Foods: Presence"), format!("/accounts/{acme}/presence"));
    for sought in ["%25", "_"] {
        let page = ann.visit(&format!("/go?q={sought}")).await;
        assert!(page.has_link("100% Bolt_Co") && !page.has_link("Acme Foods"), "{sought}");
    }

    let part = ann.part("/go/found?q=ac").await;
    assert!(part.all("[role=option][href]").len() > 2 && part.all("h1").is_empty());
    assert!(ann.part("/go/found?q=nobody").await.says("Nothing is called “nobody”."));

    let carl = stage.carl(&[acme]).await;
    let page = carl.visit("/go?q=").await;
    assert!(page.has_link("Home") && !page.has_link("Staff"));
    assert!(!carl.visit("/go?q=bolt").await.has_link("100% Bolt_Co"));
    let stranger = stage.stranger();
    for path in ["/go", "/go/found?q=a", "/shortcuts"] {
        let answer = stranger.send(Method::GET, path, &[], String::new()).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}");
    }
    assert_eq!(ann.visit("/shortcuts").await.heading(), "Keyboard shortcuts");
}
