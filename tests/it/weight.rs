//! What a page weighs at first view: itself and all it brings, as it comes over the wire.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::TimeDelta;

use crate::support::{Browser, Page, Stage};

const AT_MOST: usize = 60_000;

#[tokio::test]
async fn no_page_weighs_more_than_sixty_kilobytes_at_first_view() {
    let stage = Stage::new().await;
    let ann = stage.ann().await;
    let acme = stage.synced_account("Acme").await;
    for number in 0..60 {
        stage.person(acme, &format!("Person {number:02}")).await;
        stage.account(&format!("Customer {number:02} of ours")).await;
    }
    for minute in 0..60_i32 {
        let at = stage.clock.now() - TimeDelta::minutes(minute.into());
        let delay = Duration::from_millis(40 + 17 * u64::from(minute.unsigned_abs() % 7));
        stage.pushed(acme, at, (20 + minute % 9, minute % 2), delay).await;
    }
    let at = format!("/accounts/{acme}");
    let panel = ann.visit(&at).await;
    let (setup, user) = (
        panel.all("a[href$='/configure'], a[href$='/setup']")[0].attr("href").unwrap().to_owned(),
        ann.visit(&format!("{at}/presence")).await.link("Person 00"),
    );
    let of_account = ["", "/presence", "/presence/mapping", "/presence/matching", "/activity"];
    let mut pages: Vec<_> = of_account.iter().map(|page| format!("{at}{page}")).collect();
    let of_portal = ["/", "/accounts", "/activity", "/settings", "/fleet", "/staff", "/bulk"];
    pages.extend(of_portal.map(str::to_owned));
    pages.extend([setup, user]);

    let mut heavy = Vec::new();
    for path in pages {
        let page = ann.visit(&path).await;
        let (mut weight, headers) = ann.weighed(&path).await;
        assert_eq!(headers.get("content-encoding").unwrap(), "br", "{path}");
        for asset in assets(&page) {
            weight += asset_weight(&ann, &asset).await;
        }
        println!("{weight:>6} {path}");
        if weight > AT_MOST {
            heavy.push(format!("{path}: {weight} bytes"));
        }
    }
    assert!(heavy.is_empty(), "{heavy:#?}");
}

/// What is fetched once and kept: it is compressed, named by its content, and never asked for again.
async fn asset_weight(browser: &Browser, asset: &str) -> usize {
    let (weight, headers) = browser.weighed(asset).await;
    assert_eq!(headers.get("cache-control").unwrap(), "public, max-age=31536000, immutable");
    let digest = asset.split('/').nth(2).unwrap();
    assert!(digest.len() == 16 && digest.bytes().all(|b| b.is_ascii_hexdigit()), "{asset}");
    let is_small = weight < 1_000;
    assert!(is_small || headers.get("content-encoding").unwrap() == "br", "{asset}");
    weight
}

fn assets(page: &Page) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (what, attribute) in
        [("link[href]", "href"), ("script[src]", "src"), ("img[src]", "src"), ("use[href]", "href")]
    {
        for element in page.all(what) {
            let address = element.attr(attribute).unwrap();
            let address = address.split('#').next().unwrap();
            assert!(address.starts_with("/static/"), "{address} is not ours");
            found.insert(address.to_owned());
        }
    }
    assert!(found.len() >= 4, "{found:?}");
    found
}
