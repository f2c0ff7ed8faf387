//! What holds on every page: who may see it, and how it is made.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use presence_portal::staff::Role;

use crate::support::Stage;

#[tokio::test]
async fn a_page_that_is_not_there_says_so_and_shows_a_way_on() {
    let stage = Stage::new().await;
    let page = stage.stranger().visit("/no-such-page").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert_eq!(page.heading(), "There is no such page");
    assert!(page.has_link("Go to Home"));
}

#[tokio::test]
async fn every_refusal_has_a_way_on() {
    let mut config = crate::support::settings([]);
    config.styleguide = true;
    let stage = Stage::with(config).await;
    let ann = stage.ann().await;
    let came = "http://portal.example/accounts?q=a";
    for status in [400, 403, 404, 405, 413, 422] {
        let path = format!("/styleguide/problem/{status}");
        let page = ann.visit_from(came, &path).await;
        assert_eq!(page.status.as_u16(), status);
        assert_eq!(page.link("Go back"), "/accounts?q=a", "{status}");
        assert!(page.has_link("Go to Home"));
    }
    for status in [408, 429, 500, 503, 504] {
        let page = ann.visit(&format!("/styleguide/problem/{status}")).await;
        assert_eq!(page.link("Try again"), format!("/styleguide/problem/{status}"));
        assert!(page.has_link("Go to Home"));
    }
    let page = ann.visit_from("http://evil.example/accounts", "/nothing").await;
    assert!(!page.source.contains("evil.example"));
}

#[tokio::test]
async fn every_answer_tells_the_browser_to_trust_nobody_else() {
    let stage = Stage::new().await;
    let page = stage.stranger().visit("/no-such-page").await;
    let header = |name: &str| page.headers.get(name).unwrap().to_str().unwrap().to_owned();
    assert!(header("content-security-policy").contains("frame-ancestors 'none'"));
    assert!(!header("content-security-policy").contains("unsafe"));
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("cache-control"), "no-store");
    assert!(page.says(&header("x-request-id")), "the reference is on the page");
}

#[tokio::test]
async fn a_form_from_another_site_is_refused() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let forged = [
        vec![("sec-fetch-site", "cross-site")],
        vec![("sec-fetch-site", "same-site")],
        vec![("origin", "http://evil.example")],
        vec![("origin", "null")],
    ];
    for headers in forged {
        let answer = ann.send(Method::POST, "/sign-out", &headers, String::new()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{headers:?}");
    }
    let bare = Request::post("/sign-out").header("host", "portal.example");
    let answer = ann.ask(bare.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "neither header");
}

#[tokio::test]
async fn enter_in_a_field_presses_the_main_button_and_not_the_search_for_accounts() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    stage.account("Acme").await;
    let (_, carl) = stage.staff("Carl", "carl@customer.example", Role::AccountAdmin).await;
    for path in ["/staff/invite".to_owned(), format!("/staff/{carl}")] {
        let page = ann.visit(&path).await;
        let pressed = page.all("main form[novalidate] button")[0];
        assert!(pressed.attr("formaction").is_none(), "{path}: the first one is pressed");
    }
}
