//! The list of accounts.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::{Deserialize, Serialize};

use crate::accounts::store::{self, Counts, Health, Listed, Sort};
use crate::accounts::trouble;
use crate::kit::text;
use crate::staff::Viewer;
use crate::state::AppState;
use crate::web::{self, Chrome, Partial, Query, Section, whole_or_part};

const PER_PAGE: i64 = 50;

pub fn routes() -> Router<AppState> {
    Router::new().route("/accounts", get(index))
}

/// What the address asks for, as it stands there.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Asked {
    #[serde(skip_serializing_if = "String::is_empty")]
    q: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    show: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    health: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    sort: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    page: String,
}

impl Asked {
    fn active(&self) -> Option<bool> {
        match self.show.as_str() {
            "active" => Some(true),
            "deactivated" => Some(false),
            _ => None,
        }
    }

    /// Counted from nothing; a page nobody can have meant is the first.
    fn page(&self) -> i64 {
        self.page.parse::<i64>().map_or(0, |page| page.clamp(1, 1_000_000) - 1)
    }

    fn at(&self, page: i64) -> String {
        let asked = Self { page: (page + 1).to_string(), ..self.clone() };
        format!("/accounts?{}", serde_html_form::to_string(asked).unwrap_or_default())
    }

    fn narrows(&self) -> bool {
        !self.q.trim().is_empty() || self.active().is_some() || !self.health.is_empty()
    }
}

#[derive(Template)]
#[template(path = "accounts/index.html", blocks = ["results"])]
struct IndexPage {
    chrome: Chrome,
    asked: Asked,
    sort: Sort,
    accounts: Vec<Listed>,
    counts: Counts,
    total: i64,
    first: i64,
    previous: Option<String>,
    next: Option<String>,
}

impl IndexPage {
    fn healths() -> Vec<(&'static str, &'static str)> {
        let each = Health::ALL.map(|health| (health.as_str(), health.label()));
        std::iter::once(("", "Any")).chain(each).collect()
    }

    fn sorts() -> [(&'static str, &'static str); 4] {
        Sort::ALL.map(|sort| (sort.as_str(), sort.label()))
    }

    fn shows(&self) -> [(&'static str, String); 3] {
        let Counts { all, active } = self.counts;
        [
            ("", format!("All ({all})")),
            ("active", format!("Active ({active})")),
            ("deactivated", format!("Deactivated ({})", all - active)),
        ]
    }

    /// "1–50 of 412".
    fn words(&self) -> String {
        let last = self.first + i64::try_from(self.accounts.len()).unwrap_or_default();
        format!("{}–{last} of {}", self.first + 1, self.total)
    }
}

async fn index(
    State(app): State<AppState>,
    viewer: Viewer,
    partial: Partial,
    Query(asked): Query<Asked>,
) -> web::Result<Response> {
    let wanted = store::Wanted {
        scope: viewer.scope(),
        text: text::sought(&asked.q),
        active: asked.active(),
        health: asked.health.parse().ok(),
    };
    let sort: Sort = asked.sort.parse().unwrap_or_default();

    let mut db = app.db.acquire().await?;
    let counts = store::count(&mut *db, &wanted).await?;
    let total = match wanted.active {
        None => counts.all,
        Some(true) => counts.active,
        Some(false) => counts.all - counts.active,
    };
    let page = asked.page().min((total - 1).max(0) / PER_PAGE);
    let accounts = store::page(&mut *db, &wanted, sort, PER_PAGE, page * PER_PAGE).await?;
    drop(db);

    let first = page * PER_PAGE;
    let page = IndexPage {
        chrome: viewer.chrome("Accounts", Section::Accounts),
        previous: (page > 0).then(|| asked.at(page - 1)),
        next: (first + PER_PAGE < total).then(|| asked.at(page + 1)),
        asked,
        sort,
        accounts,
        counts,
        total,
        first,
    };
    Ok(whole_or_part(partial, &page, page.as_results()))
}
