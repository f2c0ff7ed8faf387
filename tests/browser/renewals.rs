//! A customer's own admin renews the secret by a link: made, followed, refused, used, over.

use std::time::Duration;

use crate::support::{Journey, Visitor, in_a_call};

/// From the expired secret to the links that are over; `admin` has no account here.
async fn a_link_is_made_followed_and_over(journey: &Journey, admin: &Visitor) {
    let Journey { portal, visitor, customer } = journey;
    journey.the_secret_expires();
    visitor.visit("/").await;
    visitor.sees_after_reloading("The client secret has expired").await;
    journey.open("/integrations").await;
    visitor.press("Configure Microsoft Teams").await;
    visitor.press("Renewal links").await;
    let used = journey.make_a_renewal_link().await;
    let revoked = journey.make_a_renewal_link().await;
    visitor.press("Revoke").await;
    visitor.sees("Revoked").await;
    let expired = journey.make_a_renewal_link().await;
    portal.the_last_renewal_link_runs_out().await;

    admin.visit(&revoked).await;
    admin.sees("This link was revoked").await;
    admin.picture("renewal-revoked").await;
    admin.visit(&expired).await;
    admin.sees("This link has expired").await;

    let new = portal.sandbox.new_secret(customer.tenant).unwrap();
    admin.visit(&used).await;
    admin.sees(&format!("A new client secret for {}", customer.name)).await;
    admin.picture("renewal").await;
    admin.press("Test and use it").await;
    admin.sees("Paste the Value of the client secret.").await;
    admin.fill("Client Secret (Value)", "not-the-secret").await;
    admin.press("Test and use it").await;
    admin.sees("Microsoft does not accept the client secret").await;
    admin.sees("Nothing was changed.").await;
    let marked = "return document.querySelector('[name=client_secret]').ariaInvalid";
    assert_eq!(admin.run(marked, vec![]).await, "true", "it is said beside the field");
    admin.picture("renewal-refused").await;
    admin.fill("Client Secret (Value)", new.value.reveal()).await;
    admin.press("Test and use it").await;
    admin.sees("The new client secret is in force").await;
    admin.picture("renewal-done").await;
    let (_, person) = journey.somebody();
    portal.tile_becomes(customer, person, in_a_call, Duration::from_secs(10)).await;

    admin.visit(&used).await;
    admin.sees("There is nothing more to do").await;
    assert!(!admin.text().await.contains("Test and use it"));
    journey.open_integration("/renewals").await;
    for word in ["Used", "Revoked", "Expired"] {
        visitor.sees(word).await;
    }
    journey.open("/activity").await;
    visitor.sees("renewal link").await;
    let secret = new.value.reveal();
    assert!(!visitor.text().await.contains(secret), "nobody here ever sees it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_admin_renews_the_secret_by_a_link() {
    let journey = Journey::begin().await.syncing().await;
    let admin = Visitor::at(&journey.portal.url).await;
    a_link_is_made_followed_and_over(&journey, &admin).await;
    assert!(admin.complaints_of_axe().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_admin_renews_the_secret_by_a_link_without_scripts() {
    let journey = Journey::begin_without_scripts().await.syncing().await;
    let admin = Visitor::without_scripts_at(&journey.portal.url).await;
    a_link_is_made_followed_and_over(&journey, &admin).await;
}
