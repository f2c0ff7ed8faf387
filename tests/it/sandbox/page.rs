//! The sandbox's own pages and its control API.

use presence_portal::sandbox::{Pair, World};
use scraper::{ElementRef, Html, Selector};
use serde_json::{Value, json};

use super::Stage;

type Fields<'a> = Vec<(&'a str, &'a str)>;

impl Stage {
    async fn visit(&self, path: &str) -> (u16, Html) {
        let response = self.http.get(self.url(path)).send().await.unwrap();
        let status = response.status().as_u16();
        (status, Html::parse_document(&response.text().await.unwrap()))
    }

    async fn submit(&self, fields: &[(&str, &str)]) -> reqwest::Response {
        let origin = format!("http://{}", self.sandbox.address());
        let request = self.http.post(self.url("/switch")).form(fields);
        request.header("origin", origin).send().await.unwrap()
    }

    async fn turn(&self, switch: Value) -> super::Answer {
        self.send(self.http.post(self.url("/control")).json(&switch)).await
    }

    async fn read(&self, path: &str) -> Value {
        self.send(self.http.get(self.url(path))).await.body
    }
}

fn texts(page: &Html, selector: &str) -> Vec<String> {
    let selector = Selector::parse(selector).unwrap();
    let words = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    page.select(&selector).map(|found| words(found.text().collect())).collect()
}

fn names(page: &Html, selector: &str) -> Vec<String> {
    let selector = Selector::parse(selector).unwrap();
    page.select(&selector).filter_map(|found| found.attr("aria-label").map(str::to_owned)).collect()
}

/// What each button of a form posts.
fn posts<'a>(form: &ElementRef<'a>) -> Vec<Fields<'a>> {
    let (mut fields, mut buttons) = (Vec::new(), Vec::new());
    for field in form.select(&Selector::parse("input, select, button").unwrap()) {
        let kind = field.value().name();
        let typed = if kind == "select" { "60" } else { "Somebody New" };
        let field = field.value();
        let pair = (field.attr("name").unwrap_or_default(), field.attr("value").unwrap_or(typed));
        if kind == "button" { buttons.push(pair) } else { fields.push(pair) }
    }
    let post = |button| {
        let all = fields.iter().copied().chain([button]);
        all.filter(|(name, _)| !name.is_empty()).collect()
    };
    buttons.into_iter().map(post).collect()
}

#[tokio::test]
async fn the_desk_has_phones_to_lift_and_tiles_to_watch() {
    let stage = Stage::set().await;
    let (status, page) = stage.visit("/").await;
    assert_eq!(status, 200);
    assert_eq!(texts(&page, "h1"), ["Brightwater Dental"]);
    let phone = stage.customer().phone("Ann Miller").unwrap().user.clone();
    assert_eq!(
        names(&page, &format!("[data-phone='{phone}'] button")),
        [
            "Lift Ann Miller's phone",
            "Ring Ann Miller's phone",
            "Conference on Ann Miller's phone",
            "Do not disturb on Ann Miller's phone",
            "Away on Ann Miller's phone",
            "Hang up Ann Miller's phone",
        ]
    );
    let tile = format!("[data-user='{}'] .presence", stage.ann());
    assert_eq!(texts(&page, &tile), ["Offline"]);
    let token = stage.token().await;
    stage.set_presence(&token, ["Busy", "InACall"], "PT5M").await;
    let (_, page) = stage.visit(&format!("/customers/{}", stage.customer().tenant)).await;
    assert_eq!(texts(&page, &tile), ["Busy – In a call"]);
    assert_eq!(texts(&page, ".tile--busy .tile__name"), ["Ann Miller"]);
}

#[tokio::test]
async fn the_desk_is_sent_anew_only_when_something_moved() {
    let stage = Stage::set().await;
    let tenant = stage.customer().tenant;
    let (_, page) = stage.visit("/").await;
    let next = |page: &Html| {
        let desk = Selector::parse("#desk").unwrap();
        page.select(&desk).next().unwrap().attr("data-hx-get").unwrap().to_owned()
    };
    assert_eq!(stage.visit(&next(&page)).await.0, 204);
    let ann = stage.customer().person("Ann Miller").unwrap().id;
    stage.sandbox.teams_client(tenant, ann, Some(Pair::new("Away", "Away"))).unwrap();
    let (status, part) = stage.visit(&next(&page)).await;
    assert_eq!(status, 200);
    assert_eq!(stage.visit(&next(&part)).await.0, 204);
}

#[tokio::test]
async fn a_phone_is_lifted_by_a_form_that_leads_back() {
    let stage = Stage::set().await;
    let customer = stage.customer();
    let phone = &customer.phone("Ann Miller").unwrap().user;
    let mut fields = [
        ("do", "phone"),
        ("account", customer.account.as_str()),
        ("user", phone.as_str()),
        ("status", "onCall"),
        ("back", "/customers/x"),
    ];
    let answer = stage.submit(&fields).await;
    assert_eq!(answer.status().as_u16(), 303);
    assert_eq!(answer.headers()["location"], "/customers/x");
    let lifted = stage.sandbox.phone_state(&customer.account, phone).unwrap();
    assert_eq!(lifted.status, "onCall");
    fields[4].1 = "//evil.example";
    assert_eq!(stage.submit(&fields).await.headers()["location"], "/");
    let foreign = stage.http.post(stage.url("/switch")).form(&fields);
    let foreign = foreign.header("origin", "http://evil.example").send().await.unwrap();
    assert_eq!(foreign.status().as_u16(), 403);
    assert_eq!(stage.submit(&[("do", "nonsense")]).await.status().as_u16(), 400);
}

#[tokio::test]
async fn every_button_on_every_page_turns_a_switch() {
    let stage = Stage::set().await;
    let (tenant, ann) = (stage.customer().tenant, stage.ann());
    let pages = [
        "/systems".to_owned(),
        format!("/customers/{tenant}"),
        format!("/customers/{tenant}/switches"),
        format!("/customers/{tenant}/people/{ann}"),
    ];
    let mut turned = 0;
    for path in pages {
        let (status, page) = stage.visit(&path).await;
        assert_eq!((status, texts(&page, "h1").len()), (200, 1), "{path}");
        for form in page.select(&Selector::parse("form").unwrap()) {
            // Whoever is deleted for good does not come back for the next button.
            // What is uploaded has to be a certificate, which no form has at hand.
            let turns = |post: &&Vec<(&str, &str)>| {
                !post.contains(&("forever", "true"))
                    && !post.contains(&("do", "upload-certificate"))
            };
            for post in posts(&form).iter().filter(turns) {
                let answer = stage.submit(post).await;
                assert_eq!(answer.status().as_u16(), 303, "{path}: {post:?}");
                if post.contains(&("do", "remove-person")) {
                    stage.sandbox.restore_person(tenant, ann.parse().unwrap()).unwrap();
                }
                turned += 1;
            }
        }
    }
    assert!(turned > 50, "{turned} buttons");
}

#[tokio::test]
async fn an_unknown_page_is_a_page_and_an_empty_world_says_so() {
    let stage = Stage::with(World::empty()).await;
    let (status, page) = stage.visit("/").await;
    assert_eq!((status, texts(&page, "h1")), (200, vec!["Sandbox".to_owned()]));
    let (status, page) = stage.visit(&format!("/customers/{}", uuid::Uuid::new_v4())).await;
    assert_eq!((status, texts(&page, "h1").len()), (404, 1));
}

#[tokio::test]
async fn the_control_api_turns_switches_and_tells_what_there_is() {
    let stage = Stage::set().await;
    let customer = stage.customer();
    let (account, tenant, ann) = (&customer.account, customer.tenant, stage.ann());
    let phone = &customer.phone("Ann Miller").unwrap().user;
    let lift = json!({"do": "phone", "account": account, "user": phone, "status": "onCall"});
    assert_eq!(stage.turn(lift).await.status, 200);
    let made = stage.turn(json!({"do": "replace-secrets", "tenant": tenant})).await;
    let secret = [("client_secret", made.body["value"].as_str().unwrap())];
    let token = stage.sign_in(&secret).await.body["access_token"].as_str().unwrap().to_owned();
    let trouble = json!({
        "do": "trouble", "system": "graph", "requests": 1,
        "kind": "status", "status": 503, "retry_after": 2,
    });
    assert_eq!(stage.turn(trouble).await.status, 200);
    assert_eq!(stage.get("/users", &token).await.status, 503);
    stage.set_presence(&token, ["Busy", "InACall"], "PT5M").await;

    let user = stage.read(&format!("/control/tenants/{tenant}/users/{ann}")).await;
    assert_eq!(user["tile"]["words"], "Busy – In a call");
    assert_eq!(user["session"]["activity"], "InACall");
    let phones = stage.read(&format!("/control/accounts/{account}")).await;
    assert_eq!(phones["phones"][0]["status"], "onCall");
    let all = stage.read(&format!("/control/tenants/{tenant}")).await;
    assert_eq!((&all["held-sessions"], &all["standing"]), (&1.into(), &"good".into()));
    let requests = stage.read("/control/requests?system=graph&last=1").await;
    assert!(requests[0]["path"].as_str().unwrap().ends_with("/setPresence"));
    let world = stage.read("/control/world").await;
    assert_eq!(world["customers"][0]["secret-id"], customer.app.secret.id.to_string());
    assert_eq!(stage.turn(json!({"do": "fly"})).await.status, 422);
    let nobody = json!({"do": "expire-secrets", "tenant": uuid::Uuid::new_v4()});
    assert_eq!(stage.turn(nobody).await.status, 404);
}
