//! Mail over TLS: handed over behind the right certificate, and to nobody else.

use std::net::SocketAddr;

use presence_portal::kit::clock::Clock;
use presence_portal::sandbox::{Sandbox, World};

use crate::support::tls::{self, Door};
use crate::support::{Town, database};

/// A portal whose mail server is at this URL, with somebody to write to and something to say.
async fn town(sandbox: Sandbox, url: String) -> Town {
    let town = Town::beside(sandbox, database::fresh_options().await, |settings| {
        settings.push(("PORTAL_SMTP_URL", url));
        settings.push(("PORTAL_SMTP_FROM", "Presence portal <portal@partner.example>".to_owned()));
        settings.push(("SSL_CERT_FILE", tls::authority()));
    })
    .await;
    sqlx::query(
        "INSERT INTO channels (id, kind, name, recipients, created_at)
         VALUES (gen_random_uuid(), 'mail', 'Ops', '{ops@partner.example}', now())",
    )
    .execute(&town.db)
    .await
    .unwrap();
    sqlx::query("UPDATE connections SET secret_expires_on = current_date + 7")
        .execute(&town.db)
        .await
        .unwrap();
    town
}

async fn sandbox() -> (Sandbox, SocketAddr) {
    let sandbox = Sandbox::start(World::small(), Clock::default()).await.unwrap();
    let server = sandbox.mail_settings().unwrap().server;
    let address = SocketAddr::new(server.host.parse().unwrap(), server.port);
    (sandbox, address)
}

const DELIVERED: &str = "SELECT count(*) > 0 AND bool_and(state = 'delivered') FROM outbox";
const REFUSED: &str = "SELECT EXISTS (SELECT FROM outbox WHERE state = 'waiting' AND answer <> '')";

async fn answer(town: &Town) -> String {
    sqlx::query_scalar("SELECT answer FROM outbox WHERE answer <> '' LIMIT 1")
        .fetch_one(&town.db)
        .await
        .unwrap()
}

async fn try_again_now(town: &Town) {
    sqlx::query("UPDATE outbox SET due_at = now()").execute(&town.db).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn both_kinds_of_tls_give_no_letter_to_a_stranger_and_every_letter_to_the_right_one() {
    for scheme in ["smtps", "smtp"] {
        let (sandbox, mail) = sandbox().await;
        let door = if scheme == "smtps" {
            Door::to(mail).await
        } else {
            Door::behind_starttls(mail).await
        };
        door.is_a_stranger(true);
        let town = town(sandbox, format!("{scheme}://localhost:{}", door.address.port())).await;
        town.until(REFUSED).await;
        let said = answer(&town).await;
        assert!(said.to_lowercase().contains("certificate"), "{scheme}: {said}");
        assert!(town.sandbox.letters().is_empty(), "{scheme}");
        door.is_a_stranger(false);
        try_again_now(&town).await;
        town.until(DELIVERED).await;
        let letters = town.sandbox.letters();
        assert!(letters.iter().all(|letter| letter.to == "ops@partner.example"), "{scheme}");
        let told = "The client secret expires within 7 days";
        assert!(letters.iter().any(|letter| letter.subject.contains(told)), "{letters:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_knows_no_starttls_is_told_nothing_in_the_clear() {
    let (sandbox, mail) = sandbox().await;
    let town = town(sandbox, format!("smtp://localhost:{}", mail.port())).await;
    town.until(REFUSED).await;
    let said = answer(&town).await;
    assert!(said.contains("STARTTLS"), "{said}");
    assert!(town.sandbox.letters().is_empty());
}
