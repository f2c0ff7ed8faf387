//! Every page there is to read, of the largest account and over all.

use presence_portal::ids::{AccountId, IntegrationId};
use reqwest::header::{HeaderMap, HeaderValue};
use sqlx::PgPool;

pub struct Place {
    pub path: String,
    /// The path with names in place of ids.
    pub shown: String,
}

impl Place {
    /// Parts of pages are asked for by the script.
    pub fn headers(&self) -> HeaderMap {
        let is_part = ["/live", "/found", "/panel"].iter().any(|part| self.path.contains(part));
        let part =
            is_part.then(|| ("hx-request".parse().unwrap(), HeaderValue::from_static("true")));
        HeaderMap::from_iter(part)
    }
}

const OF_PORTAL: [&str; 34] = [
    "/",
    "/home/live",
    "/accounts",
    "/accounts?q=brew",
    "/accounts?q=nobodyhasthisname",
    "/accounts?q=a",
    "/accounts?show=active",
    "/accounts?show=deactivated",
    "/accounts?health=attention",
    "/accounts?sort=health",
    "/accounts?sort=-name",
    "/accounts?page=2",
    "/accounts?page=200",
    "/accounts/new",
    "/accounts/import",
    "/accounts/filters/new?q=a",
    "/activity",
    "/activity?q=secret",
    "/activity?q=nobodydidthis",
    "/bulk",
    "/bulk?action=test&matching=",
    "/bulk?action=test&matching=q%3Dbrew",
    "/fleet",
    "/staff",
    "/staff/invite",
    "/profile",
    "/settings",
    "/settings/notifications",
    "/settings/notifications/add?kind=webhook",
    "/calendars",
    "/go?q=brew",
    "/go/found?q=nobodyhasthisname",
    "/shortcuts",
    "/glossary",
];

const OF_ACCOUNT: [&str; 46] = [
    "",
    "/edit",
    "/activity",
    "/deactivate",
    "/delete",
    "/integrations",
    "/integrations/panel",
    "/integrations/add",
    "/integrations/{integration}/configure",
    "/integrations/{integration}/remove",
    "/integrations/{integration}/update",
    "/integrations/{integration}/renewals",
    "/integrations/{integration}/check",
    "/integrations/{integration}/check/pilot",
    "/integrations/{integration}/check/pilot?q=nobodyhasthisname",
    "/notifications",
    "/notifications/add?kind=mail",
    "/presence",
    "/presence?range=24h",
    "/presence?range=7d",
    "/presence?q=miller",
    "/presence?q=nobodyhasthisname",
    "/presence?q=nobodyhasthisname&sort=-name",
    "/presence?q=nobodyhasthisname&sort=email",
    "/presence?q=nobodyhasthisname&show=shown",
    "/presence?q=nobodyhasthisname&show=unmatched",
    "/presence?show=unmatched",
    "/presence?show=failing",
    "/presence?show=excluded",
    "/presence?sort=since",
    "/presence/live",
    "/presence/sync",
    "/presence/pause",
    "/presence/mapping",
    "/presence/mapping/preview",
    "/presence/matching",
    "/presence/matching?q=miller",
    "/presence/matching?q=nobodyhasthisname",
    "/presence/matching?show=duplicates",
    "/presence/matching?show=by-hand",
    "/presence/matching/file",
    "/presence/users/{user}",
    "/presence/users/{user}/match",
    "/presence/users/{user}/match?q=miller",
    "/presence/users/{user}/match?q=nobodyhasthisname",
    "/presence/users/{user}/pause",
];

pub async fn of(db: &PgPool) -> Vec<Place> {
    let (account, integration): (AccountId, IntegrationId) = sqlx::query_as(
        "SELECT i.account_id, i.id FROM integrations i
         ORDER BY (SELECT count(*) FROM cloudlink_users u WHERE u.account_id = i.account_id) DESC LIMIT 1",
    )
    .fetch_one(db)
    .await
    .unwrap();
    let user: String = sqlx::query_scalar(
        "SELECT user_id FROM cloudlink_users WHERE account_id = $1 LIMIT 1 OFFSET 100",
    )
    .bind(account)
    .fetch_one(db)
    .await
    .unwrap();
    let portal = OF_PORTAL.map(|path| Place { path: path.to_owned(), shown: path.to_owned() });
    let accounts = OF_ACCOUNT.map(|path| Place {
        path: format!("/accounts/{account}{path}")
            .replace("{integration}", &integration.to_string())
            .replace("{user}", &user),
        shown: format!("/accounts/{{account}}{path}"),
    });
    portal.into_iter().chain(accounts).collect()
}
