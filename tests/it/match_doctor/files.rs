//! A list goes out as a file, and comes back filled in.

use axum::http::{Method, StatusCode};

use super::{Entra, entra, row, scene};

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
    let page = scene.ann.submit(page.form("Apply 1 line")).await;
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
