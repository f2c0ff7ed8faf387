//! What holds on every page, as a browser shows it: axe finds nothing, nothing is wider than
//! the window, and a picture is kept of each.

use crate::support::{
    Journey, NARROW, Portal, Scheme, Visitor, WIDE, add_account, matched, set_up,
};

#[tokio::test(flavor = "multi_thread")]
async fn axe_finds_nothing_on_any_page_of_an_account_wide_or_narrow() {
    let journey = Journey::begin().await.syncing().await;
    let Journey { portal, visitor, customer } = &journey;
    let account = portal.account_path(&customer.name, "").await;
    let mut wrong = Vec::new();
    let (phone, _) = journey.somebody();
    portal.sandbox.lift(&customer.account, &phone).unwrap();

    let user = format!("/presence/users/{phone}");
    let of_account = [
        "",
        "/edit",
        "/integrations",
        "/integrations/add",
        "/presence",
        "/presence?range=7d",
        "/presence/pause",
        "/presence/sync",
        &user,
        &format!("{user}/match"),
        &format!("{user}/pause"),
        "/presence/mapping",
        "/notifications",
        "/notifications/add",
        "/notifications/add?kind=mail",
        "/setup-check",
        "/presence/matching",
        "/presence/matching?show=by-hand",
        "/presence/matching/file",
        "/activity",
        "/deactivate",
        "/delete",
    ];
    for page in of_account {
        let name = format!("account{}", page.replace(['/', '?', '='], "-"));
        look_at(visitor, &format!("{account}{page}"), &name, &mut wrong).await;
    }
    let dialog = portal.integration_path(&customer.name, "/configure").await;
    look_at(visitor, &dialog, "configure", &mut wrong).await;
    visitor.press("Sign in with a certificate instead").await;
    visitor.press("Make a certificate").await;
    visitor.sees("Not tried yet").await;
    look_at(visitor, &dialog, "configure-with-certificate", &mut wrong).await;
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn axe_finds_nothing_on_any_page_of_the_portal_wide_or_narrow() {
    let portal = Portal::start().await;
    let visitor = Visitor::at(&portal.url).await;
    let customer = portal.customer();
    let mut wrong = Vec::new();
    look_at(&visitor, "/welcome", "welcome", &mut wrong).await;
    portal.sign_in(&visitor).await;
    look_at(&visitor, "/", "home-empty", &mut wrong).await;
    look_at(&visitor, "/accounts", "accounts-empty", &mut wrong).await;
    add_account(&visitor, &customer).await;
    set_up(&visitor, &customer, customer.app.secret.value.reveal()).await;
    let of_portal = [
        "/",
        "/accounts",
        "/accounts/new",
        "/accounts/import",
        "/activity",
        "/bulk",
        "/fleet",
        "/staff",
        "/profile",
        "/settings",
        "/settings/notifications",
        "/settings/notifications/add?kind=webhook",
        "/calendars",
        "/renew/nothing",
        "/go?q=a",
        "/shortcuts",
        "/glossary",
        "/accounts/filters/new?q=a",
        "/no-such-page",
    ];
    for page in of_portal {
        look_at(&visitor, page, &format!("page{}", page.replace('/', "-")), &mut wrong).await;
    }
    visitor.visit("/").await;
    visitor.press("Sign out").await;
    look_at(&visitor, "/sign-in", "sign-in", &mut wrong).await;
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn axe_finds_nothing_on_the_sandboxs_own_pages_nor_in_the_styleguide() {
    let portal = Portal::start().await;
    let at = portal.sandbox.page_url().as_str().trim_end_matches('/').to_owned();
    let visitor = Visitor::at(&at).await;
    let customer = portal.customer();
    let (phone, person) = matched(&customer);
    portal.sandbox.lift(&customer.account, &phone).unwrap();
    let desk = format!("/customers/{}", customer.tenant);
    let mut wrong = Vec::new();
    for (path, name) in [
        (desk.clone(), "desk"),
        (format!("{desk}/switches"), "switches"),
        (format!("{desk}/people/{person}"), "person"),
        ("/systems".to_owned(), "systems"),
        ("/messages".to_owned(), "messages"),
        ("/styleguide".to_owned(), "styleguide"),
        ("/styleguide/dialog".to_owned(), "styleguide-dialog"),
    ] {
        look_at(&visitor, &path, &format!("sandbox-{name}"), &mut wrong).await;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Looks at a page wide, narrow and in the dark, keeps its HTML, and writes down what is wrong.
pub async fn look_at(visitor: &Visitor, path: &str, name: &str, wrong: &mut Vec<String>) {
    visitor.visit(path).await;
    visitor.keep_source(name).await;
    for (scheme, width) in [(Scheme::Dark, WIDE), (Scheme::Light, WIDE), (Scheme::Light, NARROW)] {
        visitor.in_scheme(scheme).await;
        visitor.whole_at(width).await;
        visitor.picture(&format!("{name}-{}-{width}", scheme.name())).await;
        // In the dark only the colours are others; where it is narrow much is another.
        let complaints = match scheme {
            Scheme::Dark => visitor.complaints_about_colours().await,
            _ => visitor.complaints_of_axe().await,
        };
        let here = format!("{path}, {} at {width}", scheme.name());
        wrong.extend(complaints.iter().map(|complaint| format!("{here}: {complaint}")));
        let excess = visitor.sideways().await;
        if excess > 0 {
            wrong.push(format!("{here} is {excess} px wider than the window"));
        }
    }
    visitor.whole_at(WIDE).await;
}
