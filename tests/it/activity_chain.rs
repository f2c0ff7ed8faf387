//! Activity shows when somebody meddled with it, and where.

use presence_portal::audit::chain::Anchor;
use presence_portal::audit::seals::{Verdict, seal_waiting, verify};
use presence_portal::audit::{self, Actor, Changes, Entry};
use presence_portal::kit::secret::{MasterKey, Sealer};
use sqlx::{Connection, Executor};

use crate::support::Stage;

async fn note(stage: &Stage, summary: &str) {
    let mut db = stage.db.acquire().await.unwrap();
    let changes = Changes::default().field("City", "", "Leeds");
    let entry =
        Entry { action: "account.changed", summary: summary.to_owned(), account: None, changes };
    audit::note(&mut db, &Actor::portal(), entry, stage.clock.now()).await.unwrap();
}

/// Five entries, sealed in two goes.
async fn five() -> Stage {
    let stage = Stage::new().await;
    for number in 1..=5 {
        note(&stage, &format!("Deed {number}.")).await;
        if number == 3 {
            assert_eq!(seal_waiting(&stage.db, &stage.app.sealer).await.unwrap(), 3);
        }
    }
    assert_eq!(seal_waiting(&stage.db, &stage.app.sealer).await.unwrap(), 2);
    assert_eq!(seal_waiting(&stage.db, &stage.app.sealer).await.unwrap(), 0);
    stage
}

async fn look(stage: &Stage, kept: Option<&Anchor>) -> Verdict {
    let mut db = stage.db.acquire().await.unwrap();
    verify(&mut db, &stage.app.sealer, kept).await.unwrap()
}

/// As the owner of the database could, who has no master key.
async fn meddle(stage: &Stage, deed: &str) {
    let mut db = stage.db.acquire().await.unwrap();
    let quietly =
        format!("SET session_replication_role = replica; {deed}; RESET session_replication_role");
    db.execute(sqlx::AssertSqlSafe(quietly)).await.unwrap();
}

#[tokio::test]
async fn nobody_changes_or_removes_an_entry_by_the_way() {
    let stage = five().await;
    for deed in [
        "UPDATE activity SET summary = 'Nothing.'",
        "DELETE FROM activity",
        "TRUNCATE activity",
        "DELETE FROM activity_seals",
        "UPDATE activity_seals SET seal = ''",
    ] {
        let refusal = sqlx::query(deed).execute(&stage.db).await.unwrap_err().to_string();
        assert!(refusal.contains("is written once"), "{deed}: {refusal}");
    }
}

#[tokio::test]
async fn what_nobody_touched_fits_and_what_was_just_written_waits() {
    let stage = five().await;
    note(&stage, "A moment ago.").await;
    let verdict = look(&stage, None).await;
    assert_eq!((verdict.sealed, verdict.waiting), (5, 1));
    assert!(verdict.breaks.is_empty(), "{verdict:?}");
    let end = verdict.end.unwrap();
    assert!(look(&stage, Some(&end)).await.breaks.is_empty());
}

#[tokio::test]
async fn whatever_is_done_to_the_entries_is_found_where_it_was_done() {
    let entry = |n: i64| format!("(SELECT activity_id FROM activity_seals WHERE seq = {n})");
    let cases = [
        (
            format!("UPDATE activity SET summary = 'Nothing.' WHERE id = {}", entry(2)),
            "is not what was sealed (seal 2).",
        ),
        (
            format!("UPDATE activity SET actor = 'bob', address = '' WHERE id = {}", entry(5)),
            "is not what was sealed (seal 5).",
        ),
        (format!("DELETE FROM activity WHERE id = {}", entry(4)), "was removed (seal 4)."),
        (
            format!(
                "DELETE FROM activity WHERE id = {}; DELETE FROM activity_seals WHERE seq = 3",
                entry(3)
            ),
            "Seals 3 to 3 were removed.",
        ),
        (
            format!(
                "DELETE FROM activity WHERE id = {}; DELETE FROM activity_seals WHERE seq = 5",
                entry(5)
            ),
            "The newest entries were removed: 5 were sealed.",
        ),
        (
            "INSERT INTO activity (at, actor, address, action, summary)
             VALUES (now(), 'ann', '', 'account.changed', 'Never was.')"
                .to_owned(),
            "has no seal and waits for none.",
        ),
        (
            "DELETE FROM activity_seals WHERE seq = 5;
             UPDATE activity_head SET seq = 4, seal = (SELECT seal FROM activity_seals WHERE seq = 4)"
                .to_owned(),
            "The end of the chain was put in another’s place.",
        ),
        ("DELETE FROM activity_head".to_owned(), "The end of the chain and its key are gone."),
    ];
    for (deed, found) in cases {
        let stage = five().await;
        meddle(&stage, &deed).await;
        let verdict = look(&stage, None).await;
        assert!(verdict.breaks.iter().any(|said| said.ends_with(found)), "{deed}: {verdict:?}");
    }
}

#[tokio::test]
async fn an_older_copy_in_its_place_is_found_by_what_was_kept() {
    let stage = five().await;
    let kept = look(&stage, None).await.end.unwrap();
    let older = Stage::new().await;
    note(&older, "Deed 1.").await;
    seal_waiting(&older.db, &older.app.sealer).await.unwrap();
    let verdict = look(&older, Some(&kept)).await;
    assert_eq!(verdict.breaks, ["The newest entries were removed: 4 that had been kept."]);
}

#[tokio::test]
async fn with_another_master_key_it_goes_on_only_once_it_is_resealed() {
    let stage = five().await;
    let new = Sealer::new(&MasterKey::random());
    let mut db = stage.db.acquire().await.unwrap();
    assert!(verify(&mut db, &new, None).await.is_err());
    let mut tx = db.begin().await.unwrap();
    audit::seals::reseal(&mut tx, &stage.app.sealer, &new).await.unwrap();
    tx.commit().await.unwrap();
    assert!(verify(&mut db, &new, None).await.unwrap().breaks.is_empty());
    drop(db);
    note(&stage, "Under the new one.").await;
    assert_eq!(seal_waiting(&stage.db, &new).await.unwrap(), 1);
}

#[tokio::test]
async fn two_nodes_seal_nothing_twice() {
    let stage = Stage::new().await;
    for number in 0..40 {
        note(&stage, &format!("Deed {number}.")).await;
    }
    let sealed =
        futures_util::future::join_all((0..4).map(|_| seal_waiting(&stage.db, &stage.app.sealer)))
            .await;
    let sealed: usize = sealed.into_iter().map(Result::unwrap).sum();
    assert_eq!(sealed, 40);
    assert!(look(&stage, None).await.breaks.is_empty());
}
