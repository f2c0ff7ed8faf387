//! The setup check before anything is switched on, and the match doctor behind it.

use presence_portal::sandbox::Permission;

use crate::support::Journey;

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_consent_is_red_with_its_link_and_green_once_given() {
    let Journey { portal, visitor, customer } = Journey::begin().await.set_up().await;
    visitor.press("Setup check").await;
    visitor.press("Run the check").await;
    visitor.sees("One thing is worth a look").await;
    visitor.sees("Nobody has said when the secret expires.").await;
    visitor.sees("3 users: 3 matched.").await;

    portal.sandbox.revoke(customer.tenant, Permission::ReadWritePresence).unwrap();
    visitor.press("Run the check").await;
    visitor.sees("One thing is wrong, 1 worth a look").await;
    visitor.sees("The token does not carry it.").await;
    let consent = visitor
        .run(
            "return [...document.links].find((link) => link.href.includes('adminconsent')).href",
            vec![],
        )
        .await;
    let expected = format!("/{}/adminconsent?client_id={}", customer.tenant, customer.app.client);
    assert!(consent.as_str().unwrap().ends_with(&expected), "{consent}");
    visitor.visit("/").await;
    visitor.sees("The setup check found what a person has to mend").await;
    visitor.press(&format!("Setup check, {}", customer.name)).await;

    portal.sandbox.grant(customer.tenant, Permission::ReadWritePresence).unwrap();
    visitor.press("Run the check").await;
    visitor.no_longer_sees("The token does not carry it.").await;
    visitor.sees("One thing is worth a look").await;

    visitor.press("Try it on a pilot user").await;
    visitor.sees("Nobody who is on the telephone is disturbed.").await;
    visitor.run("document.querySelector('input[name=pilot]').click()", vec![]).await;
    visitor.press("Set and clear it").await;
    visitor.sees("and cleared again.").await;
    assert_eq!(portal.sandbox.held_sessions(customer.tenant), 0);
    assert!(visitor.complaints_of_axe().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_fits_nobody_is_found_accepted_undone_and_matched_from_a_file() {
    let journey = Journey::begin().await;
    for name in ["Dan Frost", "Eve Gale", "Finn Holt"] {
        journey.somebody_fits_nobody(name);
    }
    let Journey { portal, visitor, customer } = journey.set_up().await;
    visitor.press("Setup check").await;
    visitor.press("Run the check").await;
    visitor.sees("6 users: 3 matched, 3 without a match.").await;
    visitor.visit(&portal.account_path(&customer.name, "/integrations").await).await;
    visitor.press("Available features").await;
    visitor.sees("6 users: 3 matched, 3 without a match.").await;
    visitor.press("Who is matched").await;

    visitor.sees("same name").await;
    visitor.picture("match-doctor").await;
    visitor.press("Accept frost@elsewhere.example for Dan Frost").await;
    visitor.sees("Dan Frost is matched with frost@elsewhere.example.").await;
    visitor.press("Tick the nearest of each").await;
    visitor.press("Accept ticked").await;
    visitor.sees("2 users are matched.").await;
    visitor.sees("Everybody has a match").await;

    let by_hand = portal.account_path(&customer.name, "/presence/matching?show=by-hand").await;
    visitor.visit(&by_hand).await;
    assert!(visitor.complaints_of_axe().await.is_empty());
    visitor.press("Tick all").await;
    visitor.press("Undo ticked").await;
    visitor.sees("3 users are left to automatic matching again.").await;

    let list = portal.account_path(&customer.name, "/presence/matching").await;
    visitor.visit(&list).await;
    let csv = visitor
        .run("return fetch(location.pathname + '.csv').then((it) => it.text())", vec![])
        .await;
    let filled = filled_in(csv.as_str().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("matching.csv");
    std::fs::write(&file, filled).unwrap();
    visitor.press("Match from a file").await;
    visitor.attach("CSV file", &file).await;
    visitor.press("Look at it").await;
    visitor.sees("To be matched with frost@elsewhere.example.").await;
    visitor.picture("match-file").await;
    assert!(visitor.complaints_of_axe().await.is_empty());
    visitor.press("Apply 3 lines").await;
    visitor.sees("3 users are matched from the file.").await;
}

/// As somebody would who believes every suggestion.
fn filled_in(sheet: &str) -> String {
    let mut lines = sheet.lines();
    let head = lines.next().unwrap();
    let filled = lines.map(|line| {
        let mut cells: Vec<_> = line.split(',').collect();
        cells[4] = cells[5];
        cells.join(",")
    });
    std::iter::once(head.to_owned()).chain(filled).collect::<Vec<_>>().join("\n")
}
