//! How a message gets there: retried, in order, by one node, and given up in the end.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use presence_portal::notifications::store::outbox;
use presence_portal::notifications::{deliver, scan};
use presence_portal::sandbox::{MailManners, World};
use presence_portal::staff::Role;

use super::{add_hook, add_mail, json, look_and_tell};
use crate::support::{Elsewhere, Reply, Stage};

#[tokio::test]
async fn what_is_not_taken_is_tried_again_with_the_same_id() {
    let (stage, sandbox) = Stage::with_sandbox(World::empty()).await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    let page = add_hook(&ann, None, "webhook", &sandbox.webhook_url("ops")).await;
    sandbox.hooks_answer(503);
    stage.trouble(acme, "microsoft", "secret-expired", true).await;
    look_and_tell(&stage).await;
    let page = ann.visit(&page.path).await;
    assert!(page.says("Tried once 503 Service Unavailable: told to refuse"), "{}", page.source);
    look_and_tell(&stage).await;
    assert_eq!(sandbox.posted().len(), 1, "not before its time");

    stage.clock.advance(TimeDelta::seconds(30));
    sandbox.hooks_answer(200);
    look_and_tell(&stage).await;
    let posted = sandbox.posted();
    assert_eq!(posted.len(), 2);
    assert_eq!(posted[0].id, posted[1].id, "a receiver knows it again");
    assert_ne!(posted[0].timestamp, posted[1].timestamp);
    assert!(ann.visit(&page.path).await.says("Delivered 200 OK: ok"));
}

#[tokio::test]
async fn the_end_never_comes_before_the_beginning() {
    let (stage, sandbox) = Stage::with_sandbox(World::empty()).await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    add_hook(&ann, None, "webhook", &sandbox.webhook_url("ops")).await;
    sandbox.hooks_answer(503);
    stage.trouble(acme, "microsoft", "secret-expired", true).await;
    look_and_tell(&stage).await;
    sqlx::query("DELETE FROM presence_troubles").execute(&stage.db).await.unwrap();
    sandbox.hooks_answer(200);
    look_and_tell(&stage).await;
    assert_eq!(sandbox.posted().len(), 1, "the first message waits, so the second does");
    stage.clock.advance(TimeDelta::minutes(1));
    look_and_tell(&stage).await;
    let events: Vec<_> = sandbox.posted().iter().map(|it| json(it)["event"].clone()).collect();
    assert_eq!(events, ["problem.opened", "problem.opened", "problem.resolved"]);
}

#[tokio::test]
async fn a_channel_that_fails_is_on_home_and_tells_what_it_could_not_once_it_works() {
    let (stage, sandbox) = Stage::with_sandbox(World::empty()).await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    let page = add_mail(&ann, None, "ops@partner.example").await;
    sandbox.mail_now(MailManners::Refuses);
    stage.trouble(acme, "microsoft", "secret-expired", true).await;
    for _ in 0..40 {
        look_and_tell(&stage).await;
        stage.clock.advance(TimeDelta::hours(2));
    }
    // Ann has long been signed out.
    let amy = stage.staff("Amy Ash", "amy@partner.example", Role::PartnerAdmin).await.0;
    let channel = amy.visit(&page.path).await;
    assert!(channel.says("Given up after"), "{}", channel.source);
    assert!(channel.says("550 5.1.1 nobody of that name lives here"));
    assert!(amy.visit("/").await.says("Notifications to Ops do not arrive"));
    let tries: i32 =
        sqlx::query_scalar("SELECT attempts FROM outbox").fetch_one(&stage.db).await.unwrap();
    assert!((8..=25).contains(&tries), "nobody is pestered: {tries}");
    assert!(sandbox.letters().is_empty());

    let failed = amy.submit(channel.form("Send a test")).await;
    assert!(failed.says("The test was not taken"));
    assert!(failed.says("ops@partner.example: 550 5.1.1 nobody of that name lives here"));
    sandbox.mail_now(MailManners::Takes);
    let tested = amy.submit(failed.form("Send a test")).await;
    assert!(tested.says("The test was taken. The answer: 250 2.0.0 it is in the pretend mailbox"));
    look_and_tell(&stage).await;
    let subjects: Vec<_> = sandbox.letters().into_iter().map(|letter| letter.subject).collect();
    assert_eq!(subjects, ["This is a test", "Acme: The client secret has expired"]);
    assert!(!amy.visit("/").await.says("do not arrive"));
}

#[tokio::test]
async fn an_accounts_failing_channel_is_seen_by_those_who_look_after_it() {
    let (stage, sandbox) = Stage::with_sandbox(World::empty()).await;
    let (acme, bolt) = (stage.synced_account("Acme").await, stage.synced_account("Bolt").await);
    let ann = stage.ann().await;
    for account in [acme, bolt] {
        add_mail(&ann, Some(account), &format!("{account}@customer.example")).await;
        stage.trouble(account, "microsoft", "secret-expired", true).await;
    }
    sandbox.mail_now(MailManners::Puts);
    for _ in 0..2 {
        look_and_tell(&stage).await;
        stage.clock.advance(TimeDelta::minutes(1));
    }
    let home = stage.carl(&[acme]).await.visit("/").await;
    assert!(home.says("Notifications do not arrive"), "{}", home.source);
    assert!(home.has_link("See the channel, Acme") && !home.has_link("See the channel, Bolt"));
}

#[tokio::test]
async fn of_two_nodes_one_hands_a_message_over() {
    let (stage, sandbox) = Stage::with_sandbox(World::empty()).await;
    let ann = stage.ann().await;
    let addresses: Vec<_> = (0..20).map(|number| format!("p{number}@partner.example")).collect();
    add_mail(&ann, None, &addresses.join(" ")).await;
    let acme = stage.synced_account("Acme").await;
    stage.trouble(acme, "microsoft", "secret-expired", true).await;
    scan(&stage.app).await.unwrap();
    let node = || async { while deliver(&stage.app).await.unwrap() > 0 {} };
    tokio::join!(node(), node(), node());
    let to: Vec<_> = sandbox.letters().into_iter().map(|letter| letter.to).collect();
    assert_eq!(to.len(), 20);
    assert_eq!(to.into_iter().collect::<BTreeSet<_>>().len(), 20);
}

#[tokio::test]
async fn a_message_whose_node_died_is_handed_over_by_another() {
    let (stage, sandbox) = Stage::with_sandbox(World::empty()).await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    add_hook(&ann, None, "webhook", &sandbox.webhook_url("ops")).await;
    stage.trouble(acme, "microsoft", "secret-expired", true).await;
    scan(&stage.app).await.unwrap();
    let claim = TimeDelta::minutes(2);
    let claimed = outbox::claim(&stage.db, 8, stage.clock.now(), claim).await.unwrap();
    assert_eq!(claimed.len(), 1);
    assert_eq!(deliver(&stage.app).await.unwrap(), 0, "it is being handed over");
    stage.clock.advance(claim);
    assert_eq!(deliver(&stage.app).await.unwrap(), 1);
    assert_eq!(sandbox.posted()[0].id, claimed[0].message.id.to_string());
    // The dead one comes back to life, too late.
    let late = (claimed[0].message.id, claimed[0].attempts);
    let noted = outbox::note(&stage.db, late, outbox::Outcome::GivenUp, "late").await.unwrap();
    assert!(!noted);
}

#[tokio::test]
async fn whoever_asks_for_time_gets_it() {
    let busy = |_: &_| Reply::raw(429, &[("retry-after", "600")], "slow down");
    let elsewhere = Elsewhere::answering(busy).await;
    let host = elsewhere.url.strip_prefix("http://").unwrap();
    let stage = Stage::with(crate::support::settings([("PORTAL_WEBHOOK_HOSTS", host)])).await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    add_hook(&ann, None, "webhook", &format!("{}/busy", elsewhere.url)).await;
    stage.trouble(acme, "microsoft", "secret-expired", true).await;
    look_and_tell(&stage).await;
    stage.clock.advance(TimeDelta::seconds(599));
    look_and_tell(&stage).await;
    assert_eq!(elsewhere.heard_at("/busy").len(), 1);
    stage.clock.advance(TimeDelta::seconds(2));
    look_and_tell(&stage).await;
    assert_eq!(elsewhere.heard_at("/busy").len(), 2);
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_said_so() {
    let away = |_: &_| Reply::raw(307, &[("location", "/elsewhere")], "");
    let elsewhere = Elsewhere::answering(away).await;
    let host = elsewhere.url.strip_prefix("http://").unwrap();
    let stage = Stage::with(crate::support::settings([("PORTAL_WEBHOOK_HOSTS", host)])).await;
    let ann = stage.ann().await;
    let page = add_hook(&ann, None, "webhook", &format!("{}/hook", elsewhere.url)).await;
    let page = ann.submit(page.form("Send a test")).await;
    assert!(page.says("307 Temporary Redirect: redirects are not followed"), "{}", page.source);
    assert!(elsewhere.heard_at("/elsewhere").is_empty());
}
