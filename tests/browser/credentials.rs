//! One credential after another: the next secret laid ready, and a certificate instead.

use std::time::Duration;

use crate::support::Journey;

const WITHIN: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn the_next_secret_is_laid_ready_and_takes_over_when_the_old_one_is_refused() {
    let journey = Journey::begin().await.syncing().await;
    let Journey { portal, visitor, customer } = &journey;

    portal.secrets_end_in(7).await;
    visitor.visit("/").await;
    visitor.sees("A client secret expires soon").await;
    let new = portal.sandbox.new_secret(customer.tenant).unwrap();
    visitor.press(&format!("Configure Microsoft Teams, {}", customer.name)).await;
    visitor.press("Reminders").await;
    visitor.sees("1 day before").await;
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
    journey.a_call_turns_a_tile_red(WITHIN).await;
    assert!(portal.sandbox.uses(customer.tenant, new.id).requests > 0);

    journey.open("/activity").await;
    visitor.sees("The next client secret took over, at once").await;
    journey.open_integration("/configure").await;
    visitor.no_longer_sees("Ready to follow").await;
    visitor.visit("/").await;
    visitor.no_longer_sees("The client secret has expired").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_made_uploaded_and_signs_in_without_scripts_and_without_a_secret() {
    let journey = Journey::begin_without_scripts().await.syncing().await;
    let Journey { portal, visitor, customer } = &journey;

    journey.open_integration("/configure").await;
    visitor.press("Sign in with a certificate instead").await;
    visitor.press("Make a certificate").await;
    visitor.sees("Not tried yet").await;
    visitor.press("Use it now").await;
    visitor.sees("Microsoft does not accept the certificate").await;
    visitor.picture("certificate-to-upload").await;
    journey.upload_next_certificate().await;
    visitor.press("Use it now").await;
    visitor.sees("It is in force").await;
    visitor.sees("Signs in with a certificate").await;
    portal.sandbox.expire_secrets(customer.tenant).unwrap();
    portal.sandbox.revoke_tokens(customer.tenant).unwrap();
    journey.a_call_turns_a_tile_red(WITHIN).await;
    let kept = portal.sandbox.certificates(customer.tenant)[0].id;
    assert!(portal.sandbox.uses(customer.tenant, kept).requests > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_ends_soon_is_followed_by_the_next_once_that_is_uploaded() {
    let journey = Journey::begin().await.syncing().await;
    let Journey { portal, visitor, customer } = &journey;
    visitor.press("Configure Microsoft Teams").await;
    visitor.press("Sign in with a certificate instead").await;
    visitor.press("Make a certificate").await;
    visitor.sees("Not tried yet").await;
    let first = journey.upload_next_certificate().await;
    visitor.press("Use it now").await;
    visitor.sees("It is in force").await;

    // Fifty days before its end the next one is made by itself.
    portal.the_one_before_is_forgotten().await;
    portal.secrets_end_in(50).await;
    visitor.visit("/").await;
    visitor.sees_after_reloading("A certificate expires within three months").await;
    journey.open("/integrations").await;
    let made = "A certificate was made and waits to be uploaded to Entra";
    visitor.sees_after_reloading_for(made, Duration::from_secs(30)).await;
    journey.open_integration("/configure").await;
    visitor.picture("certificate-rolls").await;
    let second = journey.upload_next_certificate().await;
    assert_ne!(first, second);
    visitor.press("Use it now").await;
    visitor.sees("It is in force").await;
    journey.open_integration("/configure").await;
    visitor.sees("The one before is kept until").await;
    portal.sandbox.revoke_tokens(customer.tenant).unwrap();
    journey.a_call_turns_a_tile_red(WITHIN).await;
    let kept = portal.sandbox.certificates(customer.tenant);
    assert!(portal.sandbox.uses(customer.tenant, kept[1].id).requests > 0, "both are valid");
}
