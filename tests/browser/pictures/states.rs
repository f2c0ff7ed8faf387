//! What there is to take pictures of.

use serde_json::{Value, json};

use super::Photographer;
use super::demo::Demo;
use crate::support::{NARROW, Portal, keys};

/// A portal that nobody has used yet.
pub async fn before_anything(portal: &Portal, see: &mut Photographer) {
    see.page("/welcome", "welcome").await;
    portal.sign_in(&see.visitor).await;
    for (path, name) in [
        ("/", "home-empty"),
        ("/accounts", "accounts-empty"),
        ("/accounts/import", "import"),
        ("/bulk", "bulk-empty"),
        ("/fleet", "fleet-empty"),
        ("/settings/notifications", "notifications-empty"),
        ("/calendars", "calendars-empty"),
    ] {
        see.page(path, name).await;
    }
}

pub async fn of_strangers(see: &mut Photographer) {
    see.page("/sign-in", "sign-in").await;
    see.visitor.fill("Email", "nobody@partner.example").await;
    see.visitor.fill("Password", "not the password").await;
    see.visitor.press("Sign in").await;
    see.visitor.sees("Wrong e-mail address or password").await;
    see.shot("sign-in-refused").await;
    see.page("/invitation/nothing", "invitation-dead").await;
    see.page("/renew/nothing", "renewal-dead").await;
    see.page("/no-such-page", "problem-404").await;
    for status in ["403", "422", "429", "500", "503"] {
        see.page(&format!("/styleguide/problem/{status}"), &format!("problem-{status}")).await;
    }
    see.page("/styleguide", "styleguide").await;
    see.page("/styleguide/dialog", "styleguide-dialog").await;
}

pub async fn of_the_demo(demo: &Demo, see: &mut Photographer) {
    telephones(demo, see).await;
    of_the_portal(see).await;
    of_accounts(see).await;
    of_a_user(see).await;
    of_the_mapping(see).await;
    dialogs(see).await;
    when_others_fail(demo, see).await;
}

/// Some are on the telephone, and one says what nobody has a rule for.
async fn telephones(demo: &Demo, see: &mut Photographer) {
    for name in ["Brightwater Dental", "Harbour & Finch Solicitors"] {
        let customer = demo.customer(&see.visitor, name).await;
        let states = ["onCall", "inConference", "dnd", "away", "idle", "onLunch", "onCall"];
        for (phone, status) in customer["phones"].as_array().unwrap().iter().zip(states) {
            let (account, user) = (&customer["account"], &phone["user"]);
            let lift = json!({ "do": "phone", "account": account, "user": user, "status": status });
            demo.turn(&see.visitor, lift).await;
        }
    }
}

async fn of_the_portal(see: &mut Photographer) {
    for (path, name) in [
        ("/", "home"),
        ("/accounts", "accounts"),
        ("/accounts?health=attention", "accounts-attention"),
        ("/accounts?q=nobody", "accounts-none-fits"),
        ("/accounts/new", "account-new"),
        ("/accounts/import", "import-nothing-left"),
        ("/bulk", "bulk"),
        ("/fleet", "fleet"),
        ("/activity", "activity"),
        ("/activity?q=nothing+of+the+kind", "activity-none-fits"),
        ("/staff", "staff"),
        ("/staff/invite", "staff-invite"),
        ("/profile", "profile"),
        ("/profile/second-factor", "second-factor"),
        ("/settings", "settings"),
        ("/settings/notifications", "notifications"),
        ("/settings/notifications/add", "channel-add"),
        ("/settings/notifications/add?kind=webhook", "channel-add-webhook"),
        ("/calendars", "calendars"),
        ("/go?q=a", "go"),
        ("/shortcuts", "shortcuts"),
        ("/glossary", "glossary"),
        ("/accounts/filters/new?q=a", "filter-new"),
    ] {
        see.page(path, name).await;
    }
    see.visitor.visit("/staff").await;
    see.visitor.press("Admin").await;
    see.shot("staff-person").await;
    see.visitor.visit("/accounts/new").await;
    see.visitor.press("Add account").await;
    see.visitor.sees("another look").await;
    see.shot("account-new-refused").await;
    see.visitor.visit("/accounts").await;
    see.visitor.flip_box("Select Brightwater Dental").await;
    see.visitor.flip_box("Select Calder Valley Brewing").await;
    see.visitor.sees("2 selected").await;
    see.shot("accounts-ticked").await;
    see.visitor.press("Clear selection").await;
}

async fn of_accounts(see: &mut Photographer) {
    let at = account(see, "Brightwater Dental").await;
    for (page, name) in [
        ("", "account"),
        ("/edit", "account-edit"),
        ("/integrations", "integrations"),
        ("/presence", "presence"),
        ("/presence?range=24h", "presence-24h"),
        ("/presence?range=7d", "presence-7d"),
        ("/presence?show=unmatched", "presence-unmatched"),
        ("/presence?q=nobody", "presence-none-fits"),
        ("/presence/sync", "sync"),
        ("/presence/matching", "matching"),
        ("/presence/matching/file", "matching-file"),
        ("/presence/mapping", "mapping"),
        ("/setup-check", "setup-check"),
        ("/notifications", "account-notifications"),
        ("/activity", "account-activity"),
        ("/deactivate", "deactivate"),
        ("/delete", "delete"),
    ] {
        see.page(&format!("{at}{page}"), name).await;
    }
    for (customer, page, name) in [
        ("Kestrel Aviation", "", "account-expired"),
        ("Kestrel Aviation", "/presence", "presence-expired"),
        ("Meridian Travel", "/setup-check", "setup-check-red"),
        ("Oakfield Academy", "/presence", "presence-paused"),
        ("Papadakis Olive Oil", "/presence", "presence-not-set-up"),
        ("St. Brigid's Hospice", "", "account-without-integration"),
        ("St. Brigid's Hospice", "/presence", "presence-nothing"),
        ("Tamarind Hotels", "", "account-deactivated"),
        ("Northgate Vets", "/presence", "presence-off"),
        ("Westmoor Building Society", "/integrations", "certificate-waiting"),
        ("Harbour & Finch Solicitors", "/presence/matching", "matching-duplicates"),
    ] {
        let at = account(see, customer).await;
        see.page(&format!("{at}{page}"), name).await;
    }
}

async fn of_a_user(see: &mut Photographer) {
    let at = account(see, "Brightwater Dental").await;
    see.visitor.visit(&format!("{at}/presence?show=shown")).await;
    see.visitor.sees("In a call").await;
    let user = "return document.querySelector('#people-rows a').getAttribute('href')";
    let user = see.visitor.run(user, vec![]).await.as_str().unwrap().to_owned();
    see.page(&user, "why").await;
    see.page(&format!("{user}/match"), "match-by-hand").await;
    see.page(&format!("{user}/pause"), "pause-user").await;
    see.visitor.visit(&user).await;
    see.visitor.press("What does “Session” mean?").await;
    see.shot("glossary-in-place").await;
    see.visitor.visit(&user).await;
    see.visitor.press("Exclude").await;
    see.visitor.sees("excluded").await;
    see.shot("why-excluded").await;
    see.visitor.press("Include").await;
}

async fn of_the_mapping(see: &mut Photographer) {
    let at = account(see, "Brightwater Dental").await;
    see.visitor.visit(&format!("{at}/presence/mapping")).await;
    let choose = "const idle = document.querySelector('[name=rule-idle]');
        idle.value = [...idle.options].find((option) => option.text.startsWith('Available')).value";
    see.visitor.run(choose, vec![]).await;
    see.visitor.press("Preview").await;
    see.visitor.sees("Nothing is saved yet").await;
    see.shot("mapping-preview").await;
}

/// Open over their pages, as most people see them.
async fn dialogs(see: &mut Photographer) {
    let at = account(see, "Papadakis Olive Oil").await;
    see.visitor.visit(&at).await;
    see.visitor.press("Complete setup").await;
    see.visitor.sees("In Microsoft Entra").await;
    see.shot("dialog-setup").await;
    see.visitor.press("Save").await;
    see.visitor.sees("another look").await;
    see.shot("dialog-setup-refused").await;

    let at = account(see, "St. Brigid's Hospice").await;
    see.visitor.visit(&at).await;
    see.visitor.press("+ Add new").await;
    see.visitor.sees("Add new integration").await;
    see.shot("dialog-add").await;
    see.visitor.press("3rd party").await;
    see.visitor.sees("Microsoft Teams").await;
    see.shot("dialog-add-3rd-party").await;

    let at = account(see, "Westmoor Building Society").await;
    see.visitor.visit(&at).await;
    see.visitor.press("Configure Microsoft Teams").await;
    see.visitor.sees("Ready to follow").await;
    see.shot("dialog-configure").await;
    see.visitor.press("Remove").await;
    see.visitor.sees("Remove Microsoft Teams integration").await;
    see.shot("dialog-remove").await;

    let at = account(see, "Calder Valley Brewing").await;
    see.visitor.visit(&at).await;
    see.visitor.press("Install update").await;
    see.visitor.sees("What is new").await;
    see.shot("dialog-update").await;
    see.visitor.press("Install update").await;
    see.visitor.sees("Feature update complete").await;
    see.shot("update-complete").await;

    see.visitor.visit(&format!("{at}/presence")).await;
    see.visitor.press("Pause").await;
    see.visitor.sees("Pause presence sync").await;
    see.shot("dialog-pause").await;

    see.visitor.visit("/").await;
    see.visitor.types(keys::CONTROL_K).await;
    see.visitor.sees("choose").await;
    see.visitor.types("bright").await;
    see.visitor.sees("Brightwater Dental: Mapping").await;
    see.shot("dialog-palette").await;
    see.visitor.types(keys::ESCAPE).await;

    see.visitor.whole_at(NARROW).await;
    see.visitor.visit("/").await;
    see.visitor.press("Menu").await;
    see.visitor.picture("menu-light-320").await;
}

async fn when_others_fail(demo: &Demo, see: &mut Photographer) {
    let trouble = |system| json!({ "do": "trouble", "system": system, "kind": "away" });
    let mend = |system: &str| -> Value { json!({ "do": "mend", "system": system }) };
    demo.turn(&see.visitor, trouble("cloudlink")).await;
    see.page("/accounts/import", "import-failing").await;
    see.visitor.visit("/settings").await;
    see.visitor.press("Test connection").await;
    see.visitor.sees("CloudLink").await;
    see.shot("settings-failing").await;
    demo.turn(&see.visitor, mend("cloudlink")).await;

    demo.turn(&see.visitor, trouble("login")).await;
    let at = account(see, "Brightwater Dental").await;
    see.visitor.visit(&at).await;
    see.visitor.press("Configure Microsoft Teams").await;
    see.visitor.fill("Client Secret (Value)", "another~secret").await;
    see.visitor.press("Save").await;
    see.visitor.sees("Save without testing").await;
    see.shot("dialog-configure-unreachable").await;
    demo.turn(&see.visitor, mend("login")).await;
}

/// The address of the account of that name, as the list links it.
async fn account(see: &Photographer, name: &str) -> String {
    see.visitor.visit("/accounts").await;
    let link = "return [...document.querySelectorAll('.table__main a')]
        .find((link) => link.textContent === arguments[0]).getAttribute('href')";
    see.visitor.run(link, vec![json!(name)]).await.as_str().unwrap().to_owned()
}
