//! The list of accounts.

use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;

use crate::accounts::asked::Asked;
use crate::accounts::store::filters::{self, Filter};
use crate::accounts::store::{self, Counts, Health, Listed, Sort};
use crate::accounts::trouble;
use crate::runs::Deed;
use crate::staff::Viewer;
use crate::state::AppState;
use crate::web::{self, Chrome, Db, Partial, Query, Section, whole_or_part};

const PER_PAGE: i64 = 50;

pub fn routes() -> Router<AppState> {
    Router::new().route("/accounts", get(index))
}

#[derive(Template)]
#[template(path = "accounts/index.html", blocks = ["results"])]
struct IndexPage {
    chrome: Chrome,
    asked: Asked,
    filters: Vec<Filter>,
    accounts: Vec<Listed>,
    counts: Counts,
    total: i64,
    first: i64,
    previous: Option<String>,
    next: Option<String>,
}

/// One way to narrow the list by health: how many there are, and where they are.
struct Facet {
    health: Option<Health>,
    n: i64,
    href: String,
    here: bool,
}

impl IndexPage {
    fn healths() -> Vec<(&'static str, &'static str)> {
        let each = Health::ALL.map(|health| (health.as_str(), health.label()));
        std::iter::once(("", "Any")).chain(each).collect()
    }

    fn sorts() -> [(&'static str, &'static str); 5] {
        Sort::ALL.map(|sort| (sort.as_str(), sort.label()))
    }

    fn shows() -> [(&'static str, &'static str); 3] {
        [("", "All"), ("active", "Active"), ("deactivated", "Deactivated")]
    }

    /// All, and each health that somebody has or that was asked for.
    fn facets(&self) -> Vec<Facet> {
        let asked_for = self.asked.health();
        let each = Health::ALL.into_iter().map(Some);
        let facets = std::iter::once(None).chain(each).map(|health| {
            let wanted = health.map(|health| health.as_str().to_owned()).unwrap_or_default();
            Facet {
                health,
                n: self.counts.of(self.asked.active(), health),
                href: Asked { health: wanted, ..self.asked.clone() }.at(0),
                here: health == asked_for,
            }
        });
        facets.filter(|facet| facet.n > 0 || facet.here || facet.health.is_none()).collect()
    }

    /// "1–50 of 412".
    fn words(&self) -> String {
        let last = self.first + i64::try_from(self.accounts.len()).unwrap_or_default();
        format!("{}–{last} of {}", self.first + 1, self.total)
    }

    /// Worth a name, and without one.
    fn may_be_saved(&self) -> bool {
        let kept = self.asked.kept();
        !kept.is_empty() && !self.filters.iter().any(|filter| filter.query == kept)
    }
}

async fn index(
    viewer: Viewer,
    Db(mut db): Db,
    partial: Partial,
    Query(asked): Query<Asked>,
) -> web::Result<Response> {
    let wanted = asked.wanted(viewer.scope());

    let filters = filters::of(&mut *db, viewer.staff).await?;
    let counts = store::count(&mut *db, &wanted).await?;
    let total = counts.of(wanted.active, wanted.health);
    let page = asked.page().min((total - 1).max(0) / PER_PAGE);
    let first = page * PER_PAGE;
    let accounts = store::page(&mut *db, &wanted, asked.sort(), PER_PAGE, first).await?;
    drop(db);

    let page = IndexPage {
        chrome: viewer.chrome("Accounts", Section::Accounts),
        previous: (page > 0).then(|| asked.at(page - 1)),
        next: (first + PER_PAGE < total).then(|| asked.at(page + 1)),
        asked,
        filters,
        accounts,
        counts,
        total,
        first,
    };
    Ok(whole_or_part(partial, &page, page.as_results()))
}
