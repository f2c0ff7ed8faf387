//! The pages of channels: who may see and change what, and what is never shown.

use axum::http::{Method, StatusCode};
use presence_portal::kit::secret::Secret;
use presence_portal::post::sign;
use presence_portal::sandbox::World;

use super::{add_hook, add_mail, json, look_and_tell, place};
use crate::support::{Stage, settings};

#[tokio::test]
async fn a_receiver_can_tell_that_a_message_is_from_this_portal() {
    let (stage, sandbox) = Stage::with_sandbox(World::empty()).await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    let page = add_hook(&ann, None, "webhook", &sandbox.webhook_url("ops")).await;
    assert!(page.says("Keep this signing key now: it is not shown again"));
    let key = Secret::new(page.text(".copy__text"));
    assert!(!ann.visit(&page.path).await.source.contains(key.reveal()));

    stage.trouble(acme, "microsoft", "secret-expired", true).await;
    look_and_tell(&stage).await;
    let posted = &sandbox.posted()[0];
    let said = json(posted);
    assert_eq!(said["id"], posted.id.as_str());
    assert_eq!(said["event"], "problem.opened");
    assert_eq!(said["accounts"][0]["name"], "Acme");
    let at = chrono::DateTime::from_timestamp(posted.timestamp.parse().unwrap(), 0).unwrap();
    assert_eq!(at, stage.clock.now());
    let signed = |key: &Secret| {
        sign::signature(key, posted.id.parse().unwrap(), at, posted.body.as_bytes()).unwrap()
    };
    assert_eq!(posted.signature, signed(&key));

    let page = ann.submit(ann.visit(&page.path).await.form("New signing key")).await;
    let new = Secret::new(page.text(".copy__text"));
    assert_ne!(signed(&new), signed(&key));
}

#[tokio::test]
async fn slack_and_teams_get_what_they_understand() {
    let (stage, sandbox) = Stage::with_sandbox(World::empty()).await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme & Sons").await);
    for kind in ["slack", "teams"] {
        add_hook(&ann, None, kind, &sandbox.webhook_url(kind)).await;
    }
    stage.trouble(acme, "microsoft", "secret-expired", true).await;
    look_and_tell(&stage).await;
    let posted = sandbox.posted();
    let of = |kind: &str| json(posted.iter().find(|it| it.to == kind).unwrap());
    let text = of("slack")["text"].as_str().unwrap().to_owned();
    assert!(text.contains("*The client secret has expired*"), "{text}");
    assert!(text.contains("|Acme &amp; Sons>"), "{text}");
    let card = &of("teams")["attachments"][0];
    assert_eq!(card["contentType"], "application/vnd.microsoft.card.adaptive");
    assert_eq!(card["content"]["type"], "AdaptiveCard");
    assert_eq!(card["content"]["body"][2]["facts"][0]["title"], "Acme & Sons");
}

#[tokio::test]
async fn where_a_webhook_leads_is_never_shown_or_written_down() {
    let (stage, sandbox) = Stage::with_sandbox(World::empty()).await;
    let ann = stage.ann().await;
    let url = sandbox.webhook_url("s3cret-path");
    let page = add_hook(&ann, None, "slack", &url).await;
    let tested = ann.submit(page.form("Send a test")).await;
    assert!(tested.says("The test was taken. The answer: 200 OK: ok"), "{}", tested.source);
    let refused = page.form("Save").fill("name", "").fill("url", &url);
    let refused = ann.submit(refused).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    for page in
        [&page, &tested, &refused, &ann.visit(&place(None)).await, &ann.visit("/activity").await]
    {
        assert!(!page.source.contains("s3cret-path"), "{}", page.path);
    }
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT c::text FROM channels c UNION ALL SELECT a::text FROM activity a
         UNION ALL SELECT o::text FROM outbox o",
    )
    .fetch_all(&stage.db)
    .await
    .unwrap();
    assert!(rows.iter().all(|row| !row.contains("s3cret-path")), "{rows:#?}");
}

#[tokio::test]
async fn a_webhook_into_the_own_network_is_refused_beside_its_field() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let page = ann.visit("/settings/notifications/add?kind=webhook").await;
    for (url, why) in [
        ("https://127.0.0.1:5432/", "That leads into a private network"),
        ("http://chat.example/", "has to begin with https://"),
        ("", "Paste the webhook’s URL."),
    ] {
        let form = page.form("Add channel").fill("Name", "Tickets").fill("URL", url);
        let refused = ann.submit(form).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.complaint("url").contains(why), "{url}: {}", refused.complaint("url"));
    }
}

#[tokio::test]
async fn a_name_that_leads_inside_is_found_out_when_something_is_sent() {
    // What resolves to loopback is refused by where it leads, not by how it is spelled.
    let stage = Stage::with(settings([("PORTAL_WEBHOOK_HOSTS", "somewhere.else")])).await;
    let ann = stage.ann().await;
    let host = hostname_of_this_machine();
    let Some(host) = host else { return };
    let page = ann.visit("/settings/notifications/add?kind=webhook").await;
    let form =
        page.form("Add channel").fill("Name", "In").fill("URL", &format!("https://{host}:9/"));
    let page = ann.submit(form).await;
    let tested = ann.submit(page.form("Send a test")).await;
    assert!(tested.says("its address is not of the public internet"), "{}", tested.source);
}

/// A name in /etc/hosts that leads inside, if there is one beside localhost.
fn hostname_of_this_machine() -> Option<String> {
    let hosts = std::fs::read_to_string("/etc/hosts").ok()?;
    let line = hosts.lines().find(|line| {
        let inside =
            line.starts_with("127.") || line.starts_with("10.") || line.starts_with("172.");
        inside && !line.contains("localhost")
    })?;
    line.split_whitespace().nth(1).map(str::to_owned)
}

#[tokio::test]
async fn the_contacts_of_an_account_are_offered_as_recipients() {
    let stage = Stage::new().await;
    let (ann, acme) = (stage.ann().await, stage.account("Acme").await);
    sqlx::query("UPDATE accounts SET support_emails = '{help@acme.example,it@acme.example}'")
        .execute(&stage.db)
        .await
        .unwrap();
    let page = ann.visit(&format!("{}/add?kind=mail", place(Some(acme)))).await;
    assert_eq!(page.form("Add channel").value("Recipients"), "help@acme.example\nit@acme.example");
    assert!(page.says("Mail is not set up on this portal"));
    let form = page.form("Add channel").fill("Name", "X").fill("Recipients", "nobody");
    let refused = ann.submit(form).await;
    assert!(refused.complaint("Recipients").contains("“nobody” is not an e-mail address"));
}

#[tokio::test]
async fn without_a_mail_server_a_test_says_so() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let page = add_mail(&ann, None, "ops@partner.example").await;
    let page = ann.submit(page.form("Send a test")).await;
    assert_eq!(page.status, StatusCode::BAD_GATEWAY);
    assert!(page.says("Mail is not set up: PORTAL_SMTP_URL is missing."), "{}", page.source);
}

#[tokio::test]
async fn there_are_only_so_many_tests_an_hour() {
    let (stage, sandbox) = Stage::with_sandbox(World::empty()).await;
    let ann = stage.ann().await;
    let page = add_mail(&ann, None, "ops@partner.example").await;
    for _ in 0..20 {
        assert!(ann.submit(page.form("Send a test")).await.says("The test was taken."));
    }
    let page = ann.submit(page.form("Send a test")).await;
    assert!(page.says("Too many tests. Try again in 30 seconds."), "{}", page.source);
    assert_eq!(sandbox.letters().len(), 20);
}

#[tokio::test]
async fn an_account_admin_manages_the_channels_of_their_accounts_and_no_others() {
    let (stage, sandbox) = Stage::with_sandbox(World::empty()).await;
    let (acme, bolt) = (stage.account("Acme").await, stage.account("Bolt").await);
    let ann = stage.ann().await;
    let partners = add_mail(&ann, None, "ops@partner.example").await;
    let bolts = add_mail(&ann, Some(bolt), "help@bolt.example").await;
    let (carl, bob) = (stage.carl(&[acme]).await, stage.bob(&[acme]).await);

    let page = add_hook(&carl, Some(acme), "webhook", &sandbox.webhook_url("acme")).await;
    assert!(
        carl.visit(&place(Some(acme))).await.says("One channel of the partner hears of it, too.")
    );
    let id = page.path.rsplit('/').next().unwrap();
    for path in [
        partners.path.clone(),
        bolts.path.clone(),
        place(None),
        place(Some(bolt)),
        // A channel of one account under the address of another.
        format!("{}/{}", place(Some(acme)), bolts.path.rsplit('/').next().unwrap()),
        format!("{}/{}", place(Some(acme)), partners.path.rsplit('/').next().unwrap()),
    ] {
        assert_eq!(carl.visit(&path).await.status, StatusCode::NOT_FOUND, "{path}");
        let answer = carl.send(Method::POST, &format!("{path}/remove"), &[], String::new()).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    let seen = bob.visit(&page.path).await;
    assert_eq!(seen.status, StatusCode::OK);
    assert!(!seen.has_button("Send a test") && !seen.has_button("Save"));
    for deed in ["", "/test", "/key", "/remove"] {
        let path = format!("{}/{id}{deed}", place(Some(acme)));
        let answer = bob.send(Method::POST, &path, &[], String::new()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }
    let add = format!("{}/add", place(Some(acme)));
    assert_eq!(bob.visit(&add).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn every_change_is_in_activity_and_a_removed_channel_is_silent() {
    let (stage, sandbox) = Stage::with_sandbox(World::empty()).await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    let page = add_mail(&ann, Some(acme), "help@acme.example").await;
    let page = ann.submit(page.form("Save").fill("Recipients", "it@acme.example")).await;
    assert!(page.says("Saved."), "{}", page.source);
    let page = ann.submit(page.form("Remove channel")).await;
    assert!(page.says("The channel Ops is removed. Nothing more is sent to it."));
    stage.trouble(acme, "microsoft", "secret-expired", true).await;
    look_and_tell(&stage).await;
    assert!(sandbox.letters().is_empty());
    let actions: Vec<_> = stage.activity().await.into_iter().map(|(action, _)| action).collect();
    assert_eq!(
        actions,
        [
            "notifications.channel_removed",
            "notifications.channel_changed",
            "notifications.channel_added"
        ]
    );
    let activity = ann.visit("/activity?kind=notifications").await;
    assert!(activity.says("help@acme.example") && activity.says("it@acme.example"));
}
