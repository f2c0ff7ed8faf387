//! From Microsoft's refusal to the letter, with everything running that runs in a portal.

use std::time::{Duration, Instant};

use presence_portal::notifications;
use presence_portal::sandbox::{System, World};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Office;
use crate::notifications::add_mail;
use crate::support::until;

const WITHIN: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_secret_is_in_the_mail_within_a_minute_of_microsofts_first_refusal() {
    let office = Office::open(World::small()).await;
    let ann = office.stage.ann().await;
    add_mail(&ann, None, "ops@partner.example").await;
    add_mail(&ann, Some(office.accounts[0]), "help@customer.example").await;
    let (stop, mut parts) = (CancellationToken::new(), JoinSet::new());
    parts.spawn(notifications::run(office.stage.app.clone(), stop.clone()));
    let told = |to: &str, subject: &str| {
        let letters = office.sandbox.letters();
        letters.into_iter().find(|letter| letter.to.contains(to) && letter.subject == subject)
    };

    office.sandbox.expire_secrets(office.tenant(0)).unwrap();
    office.sandbox.revoke_tokens(office.tenant(0)).unwrap();
    office.phone_is("Ann Miller", "onCall");
    let refused = || office.sandbox.requests_to(System::Login).iter().any(|it| it.status == 401);
    until("Microsoft to refuse", refused).await;
    let since = Instant::now();
    let subject = "Brightwater Dental: The client secret has expired";
    for to in ["ops@partner.example", "help@customer.example"] {
        until(&format!("a letter to {to}"), || told(to, subject).is_some()).await;
        let letter = told(to, subject).unwrap();
        assert!(letter.text.contains("AADSTS7000222"), "{}", letter.text);
        assert!(letter.text.contains("/configure"), "where it is mended: {}", letter.text);
    }
    assert!(since.elapsed() < WITHIN, "it took {:?}", since.elapsed());

    let new = office.sandbox.new_secret(office.tenant(0)).unwrap();
    office.save_secret(0, &new.value).await;
    office.holds("Ann Miller", Some("InACall")).await;
    let over = "Brightwater Dental: Resolved: The client secret has expired";
    for to in ["ops@partner.example", "help@customer.example"] {
        until(&format!("{to} to hear the end"), || told(to, over).is_some()).await;
    }
    assert_eq!(office.sandbox.letters().len(), 4, "each is told once");
    stop.cancel();
    parts.join_next().await.unwrap().unwrap().unwrap();
}
