//! One credential after another: the next secret laid ready, and a certificate instead.

use std::time::Duration;

use presence_portal::sandbox::{Customer, Tile};

use crate::presence::{add_account, set_up};
use crate::support::{Portal, Visitor, matched};

const WITHIN: Duration = Duration::from_secs(10);

fn is_red(tile: &Tile) -> bool {
    tile.activity == "InACall"
}

/// An account that syncs, with the visitor on its integrations.
async fn syncing(portal: &Portal, visitor: &Visitor, customer: &Customer) {
    portal.sign_in(visitor).await;
    add_account(visitor, customer).await;
    set_up(visitor, customer, customer.app.secret.value.reveal()).await;
    visitor.press("Available features").await;
    visitor.flip("Sync presence from CloudLink to MS Teams").await;
    portal.feed_is_alive(customer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_secret_is_laid_ready_and_takes_over_when_the_old_one_is_refused() {
    let portal = Portal::start().await;
    let visitor = Visitor::at(&portal.url).await;
    let customer = portal.customer();
    syncing(&portal, &visitor, &customer).await;

    let new = portal.sandbox.new_secret(customer.tenant).unwrap();
    visitor.press("Configure Microsoft Teams").await;
    visitor.press("Lay the next secret ready").await;
    visitor.fill("Value of the next secret", "wr0ng~value").await;
    visitor.press("Test and keep").await;
    visitor.sees("Microsoft does not accept the client secret").await;
    visitor.fill("Value of the next secret", new.value.reveal()).await;
    visitor.press("Test and keep").await;
    visitor.sees("Accepted by Microsoft").await;
    visitor.picture("next-secret-ready").await;

    let old = portal.sandbox.secrets(customer.tenant)[0].id;
    portal.sandbox.expire_secret(customer.tenant, old).unwrap();
    portal.sandbox.revoke_tokens(customer.tenant).unwrap();
    let (phone, person) = matched(&customer);
    portal.sandbox.lift(&customer.account, &phone).unwrap();
    portal.tile_becomes(&customer, person, is_red, WITHIN).await;
    assert!(portal.sandbox.uses(customer.tenant, new.id).requests > 0);

    visitor.visit(&portal.account_path(&customer.name, "/activity").await).await;
    visitor.sees("The next client secret took over, at once").await;
    visitor.visit(&portal.integration_path(&customer.name, "/configure").await).await;
    visitor.no_longer_sees("Ready to follow").await;
    visitor.visit("/").await;
    visitor.no_longer_sees("The client secret has expired").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_made_uploaded_and_signs_in_without_scripts_and_without_a_secret() {
    let portal = Portal::start().await;
    let visitor = Visitor::without_scripts_at(&portal.url).await;
    let customer = portal.customer();
    syncing(&portal, &visitor, &customer).await;

    visitor.visit(&portal.integration_path(&customer.name, "/configure").await).await;
    visitor.press("Sign in with a certificate instead").await;
    visitor.press("Make a certificate").await;
    visitor.sees("Not tried yet").await;
    visitor.press("Use it now").await;
    visitor.sees("Microsoft does not accept the certificate").await;
    visitor.picture("certificate-to-upload").await;
    let read = "const file = new XMLHttpRequest(); file.open('GET', arguments[0], false); \
        file.send(); return file.responseText";
    let file = portal.integration_path(&customer.name, "/certificate/next").await;
    let pem = visitor.run(read, vec![file.into()]).await;
    assert!(pem.as_str().unwrap().starts_with("-----BEGIN CERTIFICATE-----"));

    let sandbox = portal.sandbox.page_url();
    let switches = format!(
        "{}/customers/{}/switches",
        sandbox.as_str().trim_end_matches('/'),
        customer.tenant
    );
    visitor.visit(&switches).await;
    visitor.fill("Certificate, as text", pem.as_str().unwrap()).await;
    visitor.press("Upload certificate").await;
    visitor.sees("Delete all certificates").await;

    visitor.visit(&portal.integration_path(&customer.name, "/configure").await).await;
    visitor.press("Use it now").await;
    visitor.sees("It is in force").await;
    visitor.sees("Signs in with a certificate").await;
    portal.sandbox.expire_secrets(customer.tenant).unwrap();
    portal.sandbox.revoke_tokens(customer.tenant).unwrap();
    let (phone, person) = matched(&customer);
    portal.sandbox.lift(&customer.account, &phone).unwrap();
    portal.tile_becomes(&customer, person, is_red, WITHIN).await;
    let kept = portal.sandbox.certificates(customer.tenant)[0].id;
    assert!(portal.sandbox.uses(customer.tenant, kept).requests > 0);
}
