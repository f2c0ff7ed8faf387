//! Activity: who may read what, narrowed down, in pages and as a file.

use axum::http::StatusCode;
use presence_portal::audit::{self, Actor, Changes, Entry};
use presence_portal::ids::AccountId;

use crate::support::Stage;

async fn note(
    stage: &Stage,
    account: Option<(AccountId, &str)>,
    action: &'static str,
    summary: &str,
) {
    let mut db = stage.db.acquire().await.unwrap();
    let changes = Changes::default().field("City", "", "Leeds");
    let entry = Entry { action, summary: summary.to_owned(), account, changes };
    audit::note(&mut db, &Actor::portal(), entry, stage.clock.now()).await.unwrap();
}

#[tokio::test]
async fn everyone_reads_of_their_own_accounts_and_partners_of_all() {
    let stage = Stage::new().await;
    let (acme, cobalt) = (stage.account("Acme").await, stage.account("Cobalt").await);
    note(&stage, Some((acme, "Acme")), "account.changed", "Something of Acme.").await;
    note(&stage, Some((cobalt, "Cobalt")), "account.changed", "Something of Cobalt.").await;
    note(&stage, None, "staff.invited", "Somebody was invited.").await;

    let all = stage.ann().await.visit("/activity").await;
    let (carl, bob) = (stage.carl(&[acme]).await, stage.bob(&[acme]).await);
    for said in ["Something of Acme.", "Something of Cobalt.", "Somebody was invited."] {
        assert!(all.says(said), "{said}");
    }
    for browser in [carl, bob] {
        for page in [browser.visit("/activity").await, browser.visit("/activity.csv").await] {
            assert!(page.says("Something of Acme."));
            assert!(!page.says("Something of Cobalt.") && !page.says("invited"), "{}", page.path);
        }
        let own = browser.visit(&format!("/accounts/{acme}/activity")).await;
        assert!(own.says("Something of Acme.") && own.says("City: Leeds"));
        let other = browser.visit(&format!("/accounts/{cobalt}/activity")).await;
        assert_eq!(other.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn it_is_narrowed_by_words_kind_and_days() {
    let stage = Stage::new().await;
    note(&stage, None, "account.changed", "On Monday.").await;
    stage.clock.advance(chrono::TimeDelta::days(1));
    let ada = stage
        .staff("Ada", "ada@partner.example", presence_portal::staff::Role::PartnerAdmin)
        .await
        .0;
    note(&stage, None, "integration.added", "On Tuesday.").await;
    for (query, monday, tuesday) in [
        ("q=MONDAY", true, false),
        ("kind=integrations", false, true),
        ("kind=nonsense", true, true),
        ("from=2026-03-03", false, true),
        ("until=2026-03-02", true, false),
        ("from=2026-03-02&until=2026-03-03", true, true),
        ("q=%00%25", false, false),
    ] {
        let page = ada.visit(&format!("/activity?{query}")).await;
        assert_eq!(
            (page.says("On Monday."), page.says("On Tuesday.")),
            (monday, tuesday),
            "{query}"
        );
    }
    let page = ada.visit("/activity?from=yesterday").await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.complaint("From").contains("2026-03-31"));
    let page = ada.visit("/activity?from=2026-03-05&until=2026-03-01").await;
    assert!(!page.complaint("Until").is_empty());
    let part = ada.part("/activity?from=2026-03-05&until=2026-03-01").await;
    assert!(part.says("The last day comes before the first."), "in place, too");
    let file = ada.visit("/activity.csv?from=yesterday").await;
    assert_eq!(file.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!file.says("On Monday.") && !file.complaint("From").is_empty());
}

#[tokio::test]
async fn words_are_found_by_their_beginnings_rare_or_frequent_and_within_an_account() {
    let stage = Stage::new().await;
    let acme = stage.account("Acme").await;
    note(&stage, Some((acme, "Acme")), "account.changed", "Moved to Leeds.").await;
    // More than are looked up in the index of words.
    sqlx::query(
        "INSERT INTO activity (at, actor, address, action, summary)
         SELECT $1, 'portal', '', 'integration.added', 'Renewed ' || n FROM generate_series(1, 1001) n",
    )
    .bind(stage.clock.now())
    .execute(&stage.db)
    .await
    .unwrap();
    let ann = stage.ann().await;
    let own = format!("/accounts/{acme}/activity");
    for (at, moved, renewed) in [
        ("/activity?q=lee+MOV", true, false),
        ("/activity?q=eeds", false, false),
        ("/activity?q=renew", false, true),
        ("/activity?q=renewed+1001", false, true),
        ("/activity?q=lee+renewed", false, false),
        (&format!("{own}?q=lee"), true, false),
        (&format!("{own}?q=renew"), false, false),
    ] {
        let page = ann.visit(at).await;
        assert_eq!(
            (page.says("Moved to Leeds."), page.says("Renewed 1001")),
            (moved, renewed),
            "{at}"
        );
    }
}

#[tokio::test]
async fn it_comes_in_pages_and_whole_as_a_file() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    sqlx::query(
        "INSERT INTO activity (at, actor, address, action, summary)
         SELECT now(), 'portal', '', 'account.changed', 'Deed ' || n || '.'
         FROM generate_series(1, 1203) n",
    )
    .execute(&stage.db)
    .await
    .unwrap();
    let first = ann.visit("/activity").await;
    assert!(first.says("Deed 1203.") && first.says("Deed 1154.") && !first.says("Deed 1153."));
    let second = ann.visit(&first.link("Next")).await;
    assert!(second.says("Deed 1153.") && !second.says("Deed 1154."));
    assert!(ann.visit(&second.link("Previous")).await.says("Deed 1203."), "back to the newest");

    let file = ann.visit(&first.link("Download CSV")).await;
    assert_eq!(file.headers["content-type"], "text/csv; charset=utf-8");
    assert!(
        file.headers["content-disposition"].to_str().unwrap().contains("activity-2026-03-02.csv")
    );
    let mut sheet = csv::Reader::from_reader(file.source.as_bytes());
    assert_eq!(sheet.records().count(), 1203);
}

#[tokio::test]
async fn a_spreadsheet_takes_no_cell_for_a_formula() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let acme = stage.account("Acme").await;
    let name = "=HYPERLINK(\"http://evil.example\";\"x\")";
    note(&stage, Some((acme, name)), "account.changed", "@SUM(1+1)\n-2").await;
    let file = ann.visit("/activity.csv").await;
    let mut sheet = csv::Reader::from_reader(file.source.as_bytes());
    let row = sheet.records().next().unwrap().unwrap();
    assert_eq!(&row[3], format!("'{name}"));
    assert_eq!(&row[5], "'@SUM(1+1)\n-2");
    assert_eq!(&row[6], "City: nothing → Leeds");
}

#[tokio::test]
async fn the_file_is_of_what_is_shown_after_filtering_in_place() {
    let stage = Stage::new().await;
    note(&stage, None, "account.changed", "Moved to Leeds.").await;
    note(&stage, None, "sign_in.refused", "A sign-in was refused.").await;
    note(&stage, None, "bulk.begun", "Bulk work was begun.").await;
    let ann = stage.ann().await;
    let part = ann.part("/activity?q=leeds").await;
    let file = ann.visit(&part.link("Download CSV")).await;
    assert!(file.says("Moved to Leeds.") && !file.says("Bulk work"));
    for (kind, said) in [("staff", "A sign-in was refused."), ("accounts", "Bulk work was begun.")]
    {
        assert!(ann.visit(&format!("/activity?kind={kind}")).await.says(said), "{kind}");
    }
}
