//! Style sheet, scripts and icons, embedded, under URLs that change with their content.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;

use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::{Error, Path};

struct Asset {
    name: &'static str,
    kind: &'static str,
    body: &'static str,
    digest: String,
}

impl Asset {
    fn new(name: &'static str, kind: &'static str, body: &'static str) -> Self {
        let mut hasher = DefaultHasher::new();
        body.hash(&mut hasher);
        Self { name, kind, body, digest: format!("{:016x}", hasher.finish()) }
    }

    fn url(&self) -> String {
        format!("/static/{}/{}", self.digest, self.name)
    }
}

/// One bundle, in the order of the cascade; each sheet stands in a layer, which is written here
/// and not in the sheet.
macro_rules! layered {
    ($($layer:literal: $($sheet:literal)+;)+) => {
        concat!(
            include_str!("../../static/css/tokens.css"),
            $("@layer ", $layer, " {\n", $(include_str!(concat!("../../static/css/", $sheet)),)+ "}\n",)+
        )
    };
}

static CSS: LazyLock<Asset> = LazyLock::new(|| {
    let body = layered! {
        "reset": "reset.css";
        "base": "base.css";
        "shared": "shared.css";
        "layout": "layout.css";
        "components": "buttons.css" "fields.css" "surfaces.css" "tables.css" "states.css" "charts.css" "dialogs.css" "features.css";
        "utilities": "utilities.css";
    };
    Asset::new("app.css", "text/css; charset=utf-8", body)
});

static HTMX: LazyLock<Asset> = LazyLock::new(|| {
    let body = include_str!("../../static/js/htmx.min.js");
    Asset::new("htmx.js", "text/javascript; charset=utf-8", body)
});

static JS: LazyLock<Asset> = LazyLock::new(|| {
    let body = concat!(
        include_str!("../../static/js/app.js"),
        include_str!("../../static/js/selection.js"),
        include_str!("../../static/js/keys.js"),
    );
    Asset::new("app.js", "text/javascript; charset=utf-8", body)
});

static ICONS: LazyLock<Asset> = LazyLock::new(|| {
    let body = include_str!("../../static/img/icons.svg");
    Asset::new("icons.svg", "image/svg+xml", body)
});

static MARK: LazyLock<Asset> = LazyLock::new(|| {
    let body = include_str!("../../static/img/mark.svg");
    Asset::new("mark.svg", "image/svg+xml", body)
});

/// The URLs, for templates.
#[derive(Clone, Copy, Debug, Default)]
pub struct Urls;

impl Urls {
    pub fn css(self) -> String {
        CSS.url()
    }

    pub fn htmx(self) -> String {
        HTMX.url()
    }

    pub fn js(self) -> String {
        JS.url()
    }

    /// Our mark, which is the icon of the window, too.
    pub fn mark(self) -> String {
        MARK.url()
    }

    /// One icon of the sprite, such as `icon("phone")`.
    pub fn icon(self, name: &str) -> String {
        format!("{}#{name}", ICONS.url())
    }
}

pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/static/{digest}/{name}", get(serve)).route("/favicon.ico", get(favicon))
}

/// For browsers that ask without having been told: no page of ours.
async fn favicon() -> Response {
    ([(header::CONTENT_TYPE, MARK.kind), (header::CACHE_CONTROL, "max-age=86400")], MARK.body)
        .into_response()
}

/// An asset of an older build is still served, only not kept for ever.
async fn serve(Path((digest, name)): Path<(String, String)>) -> Response {
    let assets = [&CSS, &HTMX, &JS, &ICONS, &MARK];
    let Some(asset) = assets.into_iter().find(|asset| asset.name == name) else {
        return Error::NotFound.into_response();
    };
    let keep =
        if asset.digest == digest { "public, max-age=31536000, immutable" } else { "no-cache" };
    ([(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, keep)], asset.body)
        .into_response()
}
