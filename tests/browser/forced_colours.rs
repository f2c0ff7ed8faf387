//! Where the reader's system chooses the colours, nothing hangs on ours.

use serde_json::Value;

use crate::support::{Journey, Scheme, Visitor, in_a_call, keys};

/// Says what cannot be seen.
const LOOK: &str = include_str!("forced_colours.js");

#[tokio::test(flavor = "multi_thread")]
async fn states_edges_pictures_and_the_focus_are_seen_in_the_readers_own_colours() {
    let journey = Journey::begin().await.syncing().await;
    let Journey { portal, visitor, customer } = &journey;
    let (phone, person) = journey.somebody();
    portal.sandbox.lift(&customer.account, &phone).unwrap();
    portal.tile_becomes(customer, person, in_a_call, std::time::Duration::from_secs(15)).await;
    let mut wrong = Vec::new();
    for scheme in [Scheme::Forced, Scheme::ForcedDark] {
        visitor.in_scheme(scheme).await;
        visitor.visit("/").await;
        look(visitor, "Home", scheme, &mut wrong).await;
        for page in [
            "",
            "/presence",
            &format!("/presence/users/{phone}"),
            "/presence/mapping",
            "/setup-check",
        ] {
            journey.open(page).await;
            look(visitor, page, scheme, &mut wrong).await;
        }
        for (page, opener, seen) in [
            ("", "Configure Microsoft Teams", "Client Secret (Value)"),
            ("/presence", "Pause", "Pause presence sync"),
        ] {
            journey.open(page).await;
            visitor.press(opener).await;
            visitor.sees(seen).await;
            look(visitor, opener, scheme, &mut wrong).await;
        }
        visitor.visit("/").await;
        visitor.types(keys::CONTROL_K).await;
        visitor.sees("choose").await;
        look(visitor, "Go to", scheme, &mut wrong).await;
        let styleguide = format!("{}styleguide", portal.sandbox.page_url());
        visitor.visit(&styleguide).await;
        look(visitor, "the styleguide", scheme, &mut wrong).await;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_that_is_on_does_not_look_like_one_that_is_off() {
    let journey = Journey::begin().await.set_up().await;
    let visitor = &journey.visitor;
    visitor.in_scheme(Scheme::Forced).await;
    let track = "return getComputedStyle(document.querySelector('.switch__track')).backgroundColor";
    visitor.press("Available features").await;
    let off = visitor.run(track, vec![]).await;
    visitor.flip(crate::support::SWITCH).await;
    visitor
        .until("the switch to be on", async || {
            visitor.switch_is_on(crate::support::SWITCH).await.then_some(())
        })
        .await;
    let on = visitor.run(track, vec![]).await;
    assert!(off.is_string() && off != on, "{off} and {on}");
}

/// Writes down what cannot be seen on the page as it stands.
async fn look(visitor: &Visitor, place: &str, scheme: Scheme, wrong: &mut Vec<String>) {
    // Whoever uses the keys sees the focus.
    visitor.types(keys::DOWN).await;
    let found: Value = visitor.run(LOOK, vec![]).await;
    let found = found.as_array().unwrap_or_else(|| panic!("nothing was looked at on {place:?}"));
    let said = found.iter().map(|complaint| format!("{place}, {}: {complaint}", scheme.name()));
    wrong.extend(said);
}
