//! With the keyboard alone: the list, the palette, ticks that stay, the focus where it was, and
//! the whole way from signing in to a mended integration.

use crate::support::{EMAIL, Journey, PASSWORD, Portal, Visitor, keys};

/// What has the focus: its accessible name, or its words.
async fn focused(visitor: &Visitor) -> String {
    let name = "const e = document.activeElement;
        return (e.getAttribute('aria-label') ?? e.labels?.[0]?.textContent ?? e.textContent).replace(/\\s+/g, ' ').trim()";
    visitor.run(name, vec![]).await.as_str().unwrap_or_default().to_owned()
}

async fn becomes_focused(visitor: &Visitor, name: &str) {
    visitor
        .until(&format!("the focus on {name:?}"), async || {
            focused(visitor).await.contains(name).then_some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_and_the_palette_need_no_mouse() {
    let portal = Portal::start().await;
    let visitor = Visitor::at(&portal.url).await;
    portal.sign_in(&visitor).await;
    portal.add_accounts(120).await;
    visitor.visit("/accounts").await;
    visitor.sees("1–50 of 120").await;

    visitor.types("/").await;
    becomes_focused(&visitor, "Search accounts").await;
    visitor.types("account 07j").await;
    visitor.sees("No account fits").await;
    visitor.types(keys::BACKSPACE).await;
    visitor.sees("1–12 of 12").await;
    visitor.run("document.activeElement.blur()", vec![]).await;
    visitor.types("jjj").await;
    becomes_focused(&visitor, "Account 071").await;
    visitor.types("xk").await;
    becomes_focused(&visitor, "Account 070").await;
    visitor.sees("1 selected").await;

    visitor.types("?").await;
    visitor.sees("Shortcuts of a single key").await;
    assert!(
        visitor.complaints_of_axe().await.is_empty(),
        "{:?}",
        visitor.complaints_of_axe().await
    );
    visitor.types(keys::ESCAPE).await;
    becomes_focused(&visitor, "Account 070").await;

    visitor.types(keys::CONTROL_K).await;
    becomes_focused(&visitor, "Account or page").await;
    visitor.types("account 033").await;
    visitor.sees("Account 033: Mapping").await;
    visitor.picture("palette").await;
    let complaints = visitor.complaints_of_axe().await;
    assert!(complaints.is_empty(), "{complaints:#?}");
    visitor.types(keys::DOWN).await;
    let meant = "const field = document.activeElement;
        return document.getElementById(field.getAttribute('aria-activedescendant')).textContent";
    let meant = visitor.run(meant, vec![]).await;
    assert!(meant.as_str().unwrap().contains("Account 033: Integrations"), "{meant}");
    visitor.types(keys::ESCAPE).await;
    becomes_focused(&visitor, "Account 070").await;

    visitor.types(keys::CONTROL_K).await;
    becomes_focused(&visitor, "Account or page").await;
    visitor.types("account 034 mapp").await;
    visitor.sees("Account 034: Mapping").await;
    visitor.no_longer_sees("Account 034: Presence").await;
    visitor.types(keys::ENTER).await;
    visitor.sees("Account 034").await;
    visitor
        .until("the mapping page", async || {
            visitor.path().await.ends_with("/presence/mapping").then_some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_ticked_stays_ticked_while_one_pages_and_searches() {
    let portal = Portal::start().await;
    let visitor = Visitor::at(&portal.url).await;
    portal.sign_in(&visitor).await;
    portal.add_accounts(120).await;
    visitor.visit("/accounts").await;
    visitor.flip_box("Select Account 002").await;
    visitor.sees("1 selected").await;
    visitor.press("Next").await;
    visitor.sees("51–100 of 120").await;
    visitor.sees("1 selected, 1 not on this page").await;
    visitor.flip_box("Select all on this page").await;
    visitor.sees("51 selected, 1 not on this page").await;
    visitor.picture("selection").await;
    visitor.fill("Search accounts", "account 00").await;
    visitor.sees("1–10 of 10").await;
    visitor.sees("51 selected, 49 not on this page").await;
    let ticked = "return document.querySelector(\"[aria-label='Select Account 002']\").checked";
    assert_eq!(visitor.run(ticked, vec![]).await, true);
    let sent = "return new FormData(document.getElementById('bulk')).getAll('account').length";
    assert_eq!(visitor.run(sent, vec![]).await, 51);

    visitor.flip_box("All 10 that match").await;
    visitor.sees("10 selected").await;
    let sent = "const sent = new FormData(document.getElementById('bulk'));
        return sent.get('matching') + sent.getAll('account').length";
    assert_eq!(visitor.run(sent, vec![]).await, "q=account+000");
    visitor.press("Clear selection").await;
    visitor.sees("Tick accounts to work on several at once.").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn single_keys_can_be_switched_off_and_never_act_in_a_field() {
    let portal = Portal::start().await;
    let visitor = Visitor::at(&portal.url).await;
    portal.sign_in(&visitor).await;
    portal.add_accounts(3).await;
    visitor.visit("/accounts").await;
    visitor.press("Keyboard shortcuts").await;
    visitor.flip_box("Shortcuts of a single key").await;
    visitor.types(keys::ESCAPE).await;
    becomes_focused(&visitor, "Keyboard shortcuts").await;
    visitor.run("document.activeElement.blur()", vec![]).await;
    visitor.types("j?/").await;
    visitor.types(keys::CONTROL_K).await;
    becomes_focused(&visitor, "Account or page").await;
    assert!(!visitor.text().await.contains("Shortcuts of a single key"), "? was off");
}

/// Presses Tab until what has that name has the focus, and can be seen to have it.
async fn tab_to(visitor: &Visitor, name: &str) {
    for _ in 0..80 {
        visitor.types(keys::TAB).await;
        if focused(visitor).await.starts_with(name) {
            let ring = "return getComputedStyle(document.activeElement).outlineStyle";
            assert_ne!(visitor.run(ring, vec![]).await, "none", "{name:?} shows no focus");
            return;
        }
    }
    panic!("Tab never came to {name:?} on {}", visitor.path().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_secret_is_mended_from_signing_in_on_without_a_mouse() {
    let journey = Journey::begin().await.syncing().await;
    let Journey { portal, visitor, customer } = &journey;
    journey.the_secret_expires();
    visitor.visit("/").await;
    visitor.sees_after_reloading("The client secret has expired").await;
    let new = portal.sandbox.new_secret(customer.tenant).unwrap();
    visitor.press("Sign out").await;

    // From here on there is no mouse.
    becomes_focused(visitor, "Email").await;
    visitor.types(EMAIL).await;
    tab_to(visitor, "Password").await;
    visitor.types(PASSWORD).await;
    visitor.types(keys::ENTER).await;
    visitor.sees("The client secret has expired").await;
    tab_to(visitor, "Skip to content").await;
    visitor.types(keys::ENTER).await;
    tab_to(visitor, "Configure Microsoft Teams").await;
    visitor.types(keys::ENTER).await;
    visitor.sees("In Microsoft Entra").await;
    tab_to(visitor, "Client Secret (Value)").await;
    visitor.types("wr0ng~value").await;
    visitor.types(keys::ENTER).await;
    visitor.sees("Microsoft does not accept the client secret").await;
    becomes_focused(visitor, "Client Secret (Value)").await;
    visitor.types(new.value.reveal()).await;
    visitor.types(keys::ENTER).await;
    visitor.sees("Saved, and tested with Microsoft").await;

    visitor.types(keys::CONTROL_K).await;
    becomes_focused(visitor, "Account or page").await;
    visitor.types("home").await;
    visitor.sees("Home").await;
    visitor.types(keys::ENTER).await;
    visitor.sees("What needs a person today").await;
    visitor.no_longer_sees("The client secret has expired").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_focus_comes_back_from_dialogs_and_explanations() {
    let journey = Journey::begin().await.set_up().await;
    let visitor = &journey.visitor;
    journey.open("").await;
    for (opener, inside) in [
        ("+ Add new", "Add new integration"),
        ("Configure Microsoft Teams", "In Microsoft Entra"),
        ("Keyboard shortcuts", "In a list of accounts"),
        ("Glossary", "Presentity"),
    ] {
        tab_to(visitor, opener).await;
        visitor.types(keys::ENTER).await;
        visitor.sees(inside).await;
        let within = "return document.getElementById('dialog').contains(document.activeElement)";
        assert_eq!(visitor.run(within, vec![]).await, true, "{opener}: the focus is inside");
        visitor.types(keys::ESCAPE).await;
        visitor.no_longer_sees(inside).await;
        becomes_focused(visitor, opener).await;
    }

    visitor.visit("/").await;
    tab_to(visitor, "What does “Session” mean?").await;
    visitor.types(keys::ENTER).await;
    visitor.sees("Teams decides alone").await;
    assert_eq!(visitor.complaints_of_axe().await, [""; 0]);
    visitor.types(keys::ESCAPE).await;
    visitor.no_longer_sees("Teams decides alone").await;
    becomes_focused(visitor, "What does “Session” mean?").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn enter_in_a_field_presses_the_main_button() {
    let portal = Portal::start().await;
    let visitor = Visitor::at(&portal.url).await;
    portal.sign_in(&visitor).await;
    portal.add_accounts(3).await;
    visitor.visit("/staff/invite").await;
    visitor.sees("Account 001").await;
    visitor.fill("Name", "Carl Cole").await;
    visitor.fill("Email", "carl@customer.example").await;
    visitor.types(keys::ENTER).await;
    // Invite says what is missing; a search would not.
    visitor.sees("Choose a role.").await;
}
