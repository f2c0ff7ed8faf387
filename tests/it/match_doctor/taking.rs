//! Nobody in Entra is given away twice, and what changed is written down whole.

use presence_portal::presence::store;

use super::{Scene, entra, scene};
use crate::support::{Form, holds, id};

impl Scene {
    async fn by_hand(&self, name: &str, entra: presence_portal::ids::EntraUserId) -> Form {
        let at = format!("/accounts/{}/presence/users/{}/match", self.acme, id(name));
        let page = self.ann.visit(&format!("{at}?q=ada")).await;
        page.form("Match").fill("entra", &entra.to_string())
    }

    async fn press(&self, name: &str, button: &str) -> crate::support::Page {
        let at = format!("/accounts/{}/presence/users/{}", self.acme, id(name));
        self.ann.submit(self.ann.visit(&at).await.form(button)).await
    }
}

#[tokio::test]
async fn two_who_match_two_users_with_the_same_person_at_once_do_not_both_succeed() {
    let scene = scene().await;
    scene.phone("Bo Lund").await;
    scene.phone("Cy Grant").await;
    let ada = scene.has(entra("Ada B", "ada@acme.example")).await;
    let form = scene.by_hand("Bo Lund", ada).await;
    // Somebody else is about to match Cy with her.
    let mut quicker = scene.stage.db.begin().await.unwrap();
    store::lock(&mut quicker, scene.acme).await.unwrap();
    sqlx::query(
        "UPDATE cloudlink_users SET entra_id = $1, matched_by_hand = true WHERE name = 'Cy Grant'",
    )
    .bind(ada)
    .execute(&mut *quicker)
    .await
    .unwrap();
    let waits = "SELECT EXISTS (SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock')";
    let (page, ()) = tokio::join!(scene.ann.submit(form), async {
        holds(&scene.stage.db, waits).await;
        quicker.commit().await.unwrap();
    });
    assert!(page.says("Ada B is matched with Cy Grant already."), "{}", page.source);
    assert_eq!(scene.matched("Bo Lund").await, None);
}

#[tokio::test]
async fn whoever_is_included_again_does_not_drive_what_is_anothers_by_now() {
    let scene = scene().await;
    scene.phone("Bo Lund").await;
    scene.phone("Cy Grant").await;
    let ada = scene.has(entra("Ada B", "ada@acme.example")).await;
    scene.ann.submit(scene.by_hand("Bo Lund", ada).await).await;
    scene.press("Bo Lund", "Exclude").await;
    let page = scene.ann.submit(scene.by_hand("Cy Grant", ada).await).await;
    assert!(page.says("Cy Grant is matched with Ada B."));

    let page = scene.press("Bo Lund", "Include").await;
    assert!(page.says("somebody else is matched with ada@acme.example by now"), "{}", page.source);
    assert_eq!(
        (scene.matched("Bo Lund").await, scene.matched("Cy Grant").await),
        (None, Some(ada))
    );
    let activity = scene.ann.visit(&format!("/accounts/{}/activity", scene.acme)).await;
    assert!(activity.says("entra user: ada@acme.example → nothing"));
}

#[tokio::test]
async fn namesakes_stand_in_the_activity_one_by_one_with_whom_they_were_matched_before() {
    let scene = scene().await;
    for (user, email) in [("one", "one@acme.example"), ("two", "two@acme.example")] {
        sqlx::query(
            "INSERT INTO cloudlink_users (account_id, user_id, name, email)
             VALUES ($1, $2, 'Bo Lund', $3)",
        )
        .bind(scene.acme)
        .bind(user)
        .bind(email)
        .execute(&scene.stage.db)
        .await
        .unwrap();
    }
    scene.has(entra("One", "one@acme.example")).await;
    scene.has(entra("Ada", "ada@acme.example")).await;
    scene.has(entra("Eve", "eve@acme.example")).await;
    scene.rematch().await;
    let file = "CloudLink user id,Match with\none,ada@acme.example\ntwo,eve@acme.example\n";
    let page = scene.send(file).await;
    scene.ann.submit(page.form("Apply 2 lines")).await;
    let activity = scene.ann.visit(&format!("/accounts/{}/activity", scene.acme)).await;
    for said in
        ["Bo Lund (one): one@acme.example → ada@acme.example", "Bo Lund (two): eve@acme.example"]
    {
        assert!(activity.says(said), "{said}: {}", activity.source);
    }
}
