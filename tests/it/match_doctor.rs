//! The match doctor: whom users without a match might be, accepting that, and files.

use axum::http::{Method, StatusCode};
use presence_portal::ids::{AccountId, EntraUserId};
use presence_portal::presence::store::matching;

use crate::support::{Browser, Page, Stage, id};

struct Scene {
    stage: Stage,
    ann: Browser,
    acme: AccountId,
    at: String,
}

async fn scene() -> Scene {
    let stage = Stage::new().await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    Scene { ann, acme, at: format!("/accounts/{acme}/presence/matching"), stage }
}

/// Somebody in Entra.
#[derive(Clone, Copy)]
struct Entra<'a> {
    name: &'a str,
    upn: &'a str,
    mail: Option<&'a str>,
    aliases: &'a [&'a str],
    enabled: bool,
}

fn entra<'a>(name: &'a str, upn: &'a str) -> Entra<'a> {
    Entra { name, upn, mail: None, aliases: &[], enabled: true }
}

impl Scene {
    async fn has(&self, it: Entra<'_>) -> EntraUserId {
        let id = EntraUserId::from(uuid::Uuid::new_v4());
        sqlx::query(
            "INSERT INTO entra_users (account_id, entra_id, user_principal_name, mail, proxy_addresses, display_name, enabled)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(self.acme)
        .bind(id)
        .bind(it.upn)
        .bind(it.mail)
        .bind(it.aliases)
        .bind(it.name)
        .bind(it.enabled)
        .execute(&self.stage.db)
        .await
        .unwrap();
        id
    }

    /// Somebody with a telephone whom nothing is known to match: `Ada Byron`, `ada.byron@acme.example`.
    async fn phone(&self, name: &str) {
        self.stage.telephone(self.acme, name, None, None).await;
    }

    async fn rematch(&self) {
        matching::rematch(&self.stage.db, self.acme, self.stage.clock.now()).await.unwrap();
    }

    async fn page(&self) -> Page {
        self.ann.visit(&self.at).await
    }

    async fn matched(&self, name: &str) -> Option<EntraUserId> {
        sqlx::query_scalar(
            "SELECT entra_id FROM cloudlink_users WHERE account_id = $1 AND user_id = $2",
        )
        .bind(self.acme)
        .bind(id(name))
        .fetch_one(&self.stage.db)
        .await
        .unwrap()
    }

    /// Sends a file as a browser does, and follows to what it would come to.
    async fn send(&self, file: &str) -> Page {
        let body = format!(
            "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"m.csv\"\r\nContent-Type: text/csv\r\n\r\n{file}\r\n--x\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\n\r\n--x--\r\n"
        );
        let headers = [("content-type", "multipart/form-data; boundary=x")];
        let answer =
            self.ann.send(Method::POST, &format!("{}/file", self.at), &headers, body).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        self.ann.visit(answer.headers["location"].to_str().unwrap()).await
    }
}

/// The row of somebody, in words.
fn row(page: &Page, name: &str) -> String {
    let rows = page.all("tbody tr");
    let words = rows
        .into_iter()
        .map(|row| row.text().flat_map(str::split_whitespace).collect::<Vec<_>>().join(" "));
    words.into_iter().find(|words| words.contains(name)).unwrap_or_default()
}

#[tokio::test]
async fn whoever_is_alike_is_offered_with_the_reason() {
    let scene = scene().await;
    for name in
        ["Ada Byron", "Bo Lund", "Cy Grant", "Di Ross", "Ed Zöllner", "Flo Mann", "Guy Lost"]
    {
        scene.phone(name).await;
    }
    scene.has(entra("A. Byron", "ada.byron@acme.onmicrosoft.example")).await;
    scene.has(entra("Lund, Bo", "b.andersson@acme.example")).await;
    scene.has(entra("Consultant", "cy.grant_acme.example#EXT#@acme.onmicrosoft.example")).await;
    scene.has(Entra { enabled: false, ..entra("Di Ross", "di.ross@acme.example") }).await;
    scene.has(entra("Ed ZOLLNER", "ez@acme.example")).await;
    scene.has(entra("Florence M.", "fmann@acme.example")).await;
    scene.has(entra("Nobody at all", "nobody@acme.example")).await;
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
    ] {
        assert!(row(&page, name).contains(reason), "{name}: {}", row(&page, name));
    }
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
async fn a_list_goes_out_as_a_file_is_filled_in_and_comes_back() {
    let scene = scene().await;
    for name in ["Ada Byron", "Bo Lund", "Cy Grant"] {
        scene.phone(name).await;
    }
    let ada = scene
        .has(Entra { aliases: &["lovelace@acme.example"], ..entra("Ada B", "ada@acme.example") })
        .await;
    let bo = scene.has(entra("Bo Lund", "bo@acme.example")).await;
    scene.has(Entra { enabled: false, ..entra("Gone", "gone@acme.example") }).await;
    scene.rematch().await;

    let csv = scene.ann.visit(&scene.page().await.link("Download CSV")).await;
    assert!(
        csv.headers["content-disposition"].to_str().unwrap().contains("matching-2026-03-02.csv")
    );
    let head = "CloudLink user id,Name,E-mail,Why,Match with,Suggestion,Suggested because";
    assert!(csv.source.starts_with(head), "{}", csv.source);
    assert!(csv.source.contains(
        "Bo-Lund,Bo Lund,bo.lund@acme.example,Nobody in Entra has this address,,bo@acme.example,same name"
    ));

    let page = scene
        .send(&format!(
            "{head}\nAda-Byron,,,,LOVELACE@acme.example,,\nBo-Lund,,,,{bo},,\nCy-Grant,,,,gone@acme.example,,\nNo-One,,,,ada@acme.example,,\nBo-Lund,,,,x,,\n"
        ))
        .await;
    assert!(page.says("To be matched 2") && page.says("Left out 3"), "{}", page.source);
    assert!(
        row(&page, "Ada Byron").contains("2 Ada Byron Match To be matched with ada@acme.example.")
    );
    assert!(row(&page, "Cy Grant").contains("gone@acme.example is disabled in Entra."));
    assert!(page.says("CloudLink has no user No-One in this account."));
    assert!(page.says("“x” is neither an address, nor an object id, nor the word automatic."));
    assert_eq!(scene.matched("Ada Byron").await, None, "nothing has changed yet");

    let apply = page.form("Apply 2 lines");
    let page = scene.ann.submit(apply.clone()).await;
    assert!(page.says("2 users are matched from the file. 3 lines were left out."));
    assert_eq!(
        (scene.matched("Ada Byron").await, scene.matched("Bo Lund").await),
        (Some(ada), Some(bo))
    );
    let twice = scene.ann.submit(apply).await;
    assert!(twice.says("That file was applied already"));

    // What goes out of those matched by hand comes back without a change, or undoes them.
    let csv = scene.ann.visit(&format!("{}.csv?show=by-hand", scene.at)).await;
    let page = scene.send(&csv.source).await;
    assert!(page.says("No change 2") && !page.has_button("Apply 0 lines"), "{}", page.source);
    let page = scene.send("CloudLink user id;Match with\r\nAda-Byron;automatic\r\n").await;
    let page = scene.ann.submit(page.form("Apply 1 lines")).await;
    assert!(page.says("One user is left to automatic matching again."));
    assert_eq!(scene.matched("Ada Byron").await, None);
    assert_eq!(scene.matched("Bo Lund").await, Some(bo));
}

#[tokio::test]
async fn a_file_that_makes_no_sense_is_refused_beside_its_field() {
    let scene = scene().await;
    let page = scene.ann.visit(&format!("{}/file", scene.at)).await;
    assert_eq!(page.heading(), "Match from a file");
    let post = async |name: &str, content: String| {
        let body = format!(
            "--x\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"m\"\r\n\r\n{content}\r\n--x--\r\n"
        );
        let headers = [("content-type", "multipart/form-data; boundary=x")];
        scene.ann.send(Method::POST, &format!("{}/file", scene.at), &headers, body).await
    };
    for (content, complaint) in [
        (String::new(), "Choose a file, or paste its lines below."),
        ("Name,Match with\n".to_owned(), "has to name the column “CloudLink user id”"),
        ("x".repeat(3 * 1024 * 1024), "larger than 2 MB"),
    ] {
        let answer = post("file", content).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.body.contains(complaint), "{complaint}");
    }
    let pasted = post("text", "CloudLink user id,Match with\nu1,\n".to_owned()).await;
    assert!(pasted.body.contains("No line says whom to match with") && pasted.body.contains("u1,"));
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
}
