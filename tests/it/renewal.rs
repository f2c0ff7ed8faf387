//! The renewal link: a customer's own admin pastes a new secret, and the partner never sees it.

use axum::http::{Method, StatusCode};
use chrono::TimeDelta;
use presence_portal::ids::AccountId;
use presence_portal::integrations::store::connection_of;
use presence_portal::microsoft::Credential;
use presence_portal::sandbox::{Customer, Sandbox, System, Trouble, World};

use crate::support::{Browser, Page, Stage};

struct Scene {
    stage: Stage,
    sandbox: Sandbox,
    customer: Customer,
    account: AccountId,
    ann: Browser,
    /// Where the links of the integration are.
    at: String,
}

impl Scene {
    async fn new() -> Self {
        let (stage, sandbox) = Stage::with_sandbox(World::small()).await;
        let customer = sandbox.world().customers.first().unwrap().clone();
        let account = stage.account("Acme").await;
        let integration = stage.add_teams(account).await;
        stage.set_up(account, Some(stage.clock.now().date_naive())).await;
        stage.connect(account, &customer).await;
        let ann = stage.ann().await;
        let at = format!("/accounts/{account}/integrations/{integration}/renewals");
        Self { stage, sandbox, customer, account, ann, at }
    }

    /// Makes a link; the path of its address.
    async fn link(&self) -> String {
        let page = self.ann.visit(&self.at).await;
        let page = self.ann.submit(page.form("Make a renewal link")).await;
        assert!(page.says("Send this link now: it is not shown again"), "{}", page.source);
        let link = page.text(".copy__text");
        assert!(!self.ann.visit(&self.at).await.source.contains(&link));
        link.strip_prefix("http://127.0.0.1:8080").unwrap().to_owned()
    }

    fn new_secret(&self) -> String {
        let new = self.sandbox.new_secret(self.customer.tenant).unwrap();
        new.value.reveal().to_owned()
    }

    async fn secret_in_force(&self) -> String {
        let found = connection_of(&self.stage.db, &self.stage.app.sealer, self.account).await;
        match found.unwrap().unwrap().credential {
            Credential::Secret(secret) => secret.reveal().to_owned(),
            Credential::Certificate(_) => panic!("it signs in with a certificate"),
        }
    }

    async fn paste(&self, visitor: &Browser, page: &Page, secret: &str) -> Page {
        visitor.submit(page.form("Test and use it").fill("Client Secret (Value)", secret)).await
    }
}

#[tokio::test]
async fn a_customers_admin_renews_the_secret_without_an_account_here() {
    let scene = Scene::new().await;
    let (path, new) = (scene.link().await, scene.new_secret());
    let visitor = scene.stage.stranger();
    let page = visitor.visit(&path).await;
    assert_eq!(page.heading(), "A new client secret for Acme");
    assert!(page.says(&scene.customer.app.client.to_string()));
    assert!(page.says(&scene.customer.tenant.to_string()));
    assert!(page.says("not the Secret ID"));
    assert!(!page.has_link("Home") && !page.says("Sign out"), "nothing else of the portal");
    assert_eq!(page.headers["referrer-policy"], "strict-origin", "the link goes into no Referer");
    let outside = page.all("a[href^='https://']");
    assert!(
        outside.iter().all(|link| link.attr("rel") == Some("noreferrer")) && !outside.is_empty()
    );

    let in_a_year = scene.stage.clock.now().date_naive() + TimeDelta::days(365);
    let form = page.form("Test and use it").fill("Client Secret (Value)", &new);
    let page = visitor.submit(form.fill("Secret expires on", &in_a_year.to_string())).await;
    assert_eq!(
        (page.status, page.heading().as_str()),
        (StatusCode::OK, "The new client secret is in force")
    );
    assert_eq!(scene.secret_in_force().await, new);
    let on: chrono::NaiveDate = sqlx::query_scalar("SELECT secret_expires_on FROM connections")
        .fetch_one(&scene.stage.db)
        .await
        .unwrap();
    assert_eq!(on, in_a_year);

    let activity = scene.ann.visit("/activity").await;
    assert!(
        activity.says("renewal link")
            && activity.says("The client secret was replaced, tested with Microsoft.")
    );
    assert!(activity.says("A renewal link was made"));
    for path in ["/activity", &scene.at, &format!("/accounts/{}/integrations", scene.account)] {
        assert!(!scene.ann.visit(path).await.source.contains(&new), "the partner never sees it");
    }
    assert!(scene.ann.visit(&scene.at).await.says("Used"));
}

#[tokio::test]
async fn a_secret_that_microsoft_refuses_changes_nothing_and_the_link_goes_on_working() {
    let scene = Scene::new().await;
    let (path, old) = (scene.link().await, scene.secret_in_force().await);
    let visitor = scene.stage.stranger();
    let page = visitor.visit(&path).await;
    let refused = scene.paste(&visitor, &page, "00000000-0000-4000-8000-000000000000").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!refused.complaint("Client Secret (Value)").is_empty(), "{}", refused.source);
    assert!(refused.says("Secret ID") && refused.says("Nothing was changed."));
    assert!(!refused.source.contains("00000000-0000-4000-8000"), "a secret is in no page");
    let empty = scene.paste(&visitor, &page, " ").await;
    assert_eq!(empty.complaint("Client Secret (Value)"), "Paste the Value of the client secret.");

    scene.sandbox.trouble(System::Login, Trouble::Status { status: 503, retry_after: None });
    let away = scene.paste(&visitor, &page, &scene.new_secret()).await;
    assert_eq!(away.status, StatusCode::UNPROCESSABLE_ENTITY, "nothing is saved untested");
    assert!(!away.has_button("Save without testing"));
    scene.sandbox.mend(System::Login);
    assert_eq!(scene.secret_in_force().await, old);
    let refusals = scene.stage.activity().await;
    let refusals = refusals.iter().filter(|(it, _)| it == "integration.renewal_refused").count();
    assert_eq!(refusals, 2);

    let page = scene.paste(&visitor, &page, &scene.new_secret()).await;
    assert_eq!(page.heading(), "The new client secret is in force");
}

#[tokio::test]
async fn used_expired_revoked_and_unknown_links_say_so_each_in_their_own_words() {
    let scene = Scene::new().await;
    let visitor = scene.stage.stranger();
    let (used, revoked, expired) = (scene.link().await, scene.link().await, scene.link().await);
    let page = visitor.visit(&used).await;
    scene.paste(&visitor, &page, &scene.new_secret()).await;
    // Both others are listed; the newest stands first.
    let page = scene.ann.visit(&scene.at).await;
    let action = page.all("form[action$='/revoke']")[1].attr("action").unwrap().to_owned();
    let answer = scene.ann.send(Method::POST, &action, &[], String::new()).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    scene.stage.clock.advance(TimeDelta::days(7));

    let said = async |path: &str| {
        let page = visitor.visit(path).await;
        assert!(page.all("form").is_empty(), "there is nothing to fill in");
        (page.status.as_u16(), page.heading())
    };
    assert_eq!(said(&used).await, (200, "The new client secret is in force".to_owned()));
    assert_eq!(said(&revoked).await, (410, "This link was revoked".to_owned()));
    assert_eq!(said(&expired).await, (410, "This link has expired".to_owned()));
    assert_eq!(said("/renew/guessed").await, (410, "There is nothing behind this link".to_owned()));

    // Nor does posting to them do anything.
    let before = scene.secret_in_force().await;
    for path in [&used, &revoked, &expired] {
        let body = format!("client_secret={}", scene.new_secret());
        let answer = visitor.send(Method::POST, path, &[], body).await;
        assert!(matches!(answer.status.as_u16(), 200 | 410), "{}", answer.status);
    }
    assert_eq!(scene.secret_in_force().await, before);
}

#[tokio::test]
async fn of_two_who_use_a_link_at_once_one_is_told_that_it_was_used() {
    let scene = Scene::new().await;
    let path = scene.link().await;
    let visitor = scene.stage.stranger();
    let page = visitor.visit(&path).await;
    let (one, other) = (scene.new_secret(), scene.new_secret());
    let (first, second) =
        tokio::join!(scene.paste(&visitor, &page, &one), scene.paste(&visitor, &page, &other));
    assert_eq!(first.heading(), "The new client secret is in force");
    assert_eq!(second.heading(), "The new client secret is in force");
    let replaced = scene.stage.activity().await;
    let replaced = replaced.iter().filter(|(it, _)| it == "integration.secret_replaced").count();
    assert_eq!(replaced, 1);
}

#[tokio::test]
async fn whoever_guesses_is_slowed_down() {
    let scene = Scene::new().await;
    let path = scene.link().await;
    let visitor = scene.stage.stranger();
    let page = visitor.visit(&path).await;
    for _ in 0..6 {
        let refused = scene.paste(&visitor, &page, "wrong").await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let asked = scene.sandbox.requests_to(System::Login).len();
    let slowed = scene.paste(&visitor, &page, "wrong").await;
    assert_eq!(slowed.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(slowed.says("Too many attempts. Try again in 30 seconds."), "{}", slowed.source);
    assert_eq!(scene.sandbox.requests_to(System::Login).len(), asked, "Microsoft is not asked");
    scene.stage.clock.advance(TimeDelta::seconds(31));
    let page = scene.paste(&visitor, &page, &scene.new_secret()).await;
    assert_eq!(page.heading(), "The new client secret is in force");
}

#[tokio::test]
async fn only_a_partner_admin_makes_and_revokes_links_and_they_are_kept_as_digests() {
    let scene = Scene::new().await;
    let path = scene.link().await;
    let page = scene.ann.visit(&scene.at).await;
    let revoke = page.all("form[action$='/revoke']")[0].attr("action").unwrap().to_owned();
    let (carl, bob) =
        (scene.stage.carl(&[scene.account]).await, scene.stage.bob(&[scene.account]).await);
    let seen = carl.visit(&scene.at).await;
    assert!(!seen.has_button("Make a renewal link") && !seen.has_button("Revoke"));
    for browser in [&carl, &bob] {
        for path in [&scene.at, &revoke] {
            let answer = browser.send(Method::POST, path, &[], "days=7".to_owned()).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN);
        }
    }
    let token = path.strip_prefix("/renew/").unwrap();
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT r::text FROM renewal_links r UNION ALL SELECT a::text FROM activity a",
    )
    .fetch_all(&scene.stage.db)
    .await
    .unwrap();
    assert!(rows.iter().all(|row| !row.contains(token)), "{rows:#?}");
    let configure = scene.at.replace("/renewals", "/configure");
    assert_eq!(scene.ann.visit(&configure).await.link("Renewal links"), scene.at);
}

#[tokio::test]
async fn a_link_of_a_connection_that_is_being_removed_says_that_it_is_not_needed() {
    let scene = Scene::new().await;
    let path = scene.link().await;
    sqlx::query("UPDATE integrations SET removing_since = now()")
        .execute(&scene.stage.db)
        .await
        .unwrap();
    let page = scene.stage.stranger().visit(&path).await;
    assert_eq!(
        (page.status, page.heading().as_str()),
        (StatusCode::GONE, "This link is not needed any more")
    );
}
