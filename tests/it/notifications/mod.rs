//! Who is told what: by mail, by webhook, and in a calendar.

mod calendars;
mod channels;
mod delivery;
mod endings;
mod telling;

use presence_portal::ids::AccountId;
use presence_portal::notifications::{deliver, scan};
use presence_portal::sandbox::Posted;

use crate::support::{Browser, Page, Stage};

/// As the portal does it every few seconds: looks, and hands over what is due.
async fn look_and_tell(stage: &Stage) {
    scan(&stage.app).await.unwrap();
    while deliver(&stage.app).await.unwrap() > 0 {}
}

/// Where channels stand: the partner's, or an account's.
fn place(account: Option<AccountId>) -> String {
    match account {
        Some(account) => format!("/accounts/{account}/notifications"),
        None => "/settings/notifications".to_owned(),
    }
}

pub async fn add_mail(browser: &Browser, account: Option<AccountId>, to: &str) -> Page {
    let page = browser.visit(&format!("{}/add?kind=mail", place(account))).await;
    let form = page.form("Add channel").fill("Name", "Ops").fill("Recipients", to);
    let page = browser.submit(form).await;
    assert!(page.says("The channel is added."), "{}", page.source);
    page
}

async fn add_hook(browser: &Browser, account: Option<AccountId>, kind: &str, url: &str) -> Page {
    let page = browser.visit(&format!("{}/add?kind={kind}", place(account))).await;
    let form = page.form("Add channel").fill("Name", "Tickets").fill("url", url);
    let page = browser.submit(form).await;
    assert!(page.says("The channel is added."), "{}", page.source);
    page
}

fn json(posted: &Posted) -> serde_json::Value {
    serde_json::from_str(&posted.body).unwrap()
}
