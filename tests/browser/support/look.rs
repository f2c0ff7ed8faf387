//! A page as it looks: light, dark or in forced colours, wide or narrow, whole on one picture.

use std::path::{Path, PathBuf};

use axum::http::Method;
use fantoccini::wd::WebDriverCompatibleCommand;
use serde_json::{Value, json};
use url::{ParseError, Url};

use super::Visitor;

pub const NARROW: u32 = 320;
pub const WIDE: u32 = 1280;
const HIGHEST: u32 = 4000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Light,
    Dark,
    /// The colours of the reader's system instead of ours, light or dark.
    Forced,
    ForcedDark,
}

impl Scheme {
    pub fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
            Self::Forced => "forced",
            Self::ForcedDark => "forced-dark",
        }
    }
}

/// A command of Chromium's own protocol.
#[derive(Debug)]
struct Devtools(Value);

impl WebDriverCompatibleCommand for Devtools {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.0.to_string()))
    }
}

impl Visitor {
    pub async fn in_scheme(&self, scheme: Scheme) {
        let dark =
            if matches!(scheme, Scheme::Dark | Scheme::ForcedDark) { "dark" } else { "light" };
        let forced = matches!(scheme, Scheme::Forced | Scheme::ForcedDark);
        let forced = if forced { "active" } else { "none" };
        let features = json!([
            { "name": "prefers-color-scheme", "value": dark },
            { "name": "forced-colors", "value": forced },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// Of that width, and so high that nothing is cut off and nothing has to stick.
    pub async fn whole_at(&self, width: u32) {
        self.see_at(width, 900).await;
        let height = "return document.documentElement.scrollHeight";
        let height = self.run(height, vec![]).await.as_u64().unwrap_or(900);
        let height = u32::try_from(height).unwrap_or(HIGHEST).clamp(600, HIGHEST);
        self.see_at(width, height).await;
    }

    /// A window of exactly that size: Chromium's own are never narrower than 500 px.
    async fn see_at(&self, width: u32, height: u32) {
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
        // Two frames later it has been laid out.
        let settled = "const done = arguments[0];
            requestAnimationFrame(() => requestAnimationFrame(() => done(innerWidth)));";
        self.chromium.client.execute_async(settled, vec![]).await.unwrap();
    }

    /// By how much the page is wider than the window.
    pub async fn sideways(&self) -> i64 {
        let excess = "return document.documentElement.scrollWidth - window.innerWidth";
        self.run(excess, vec![]).await.as_i64().unwrap_or_default()
    }

    /// Keeps the HTML of the page as the portal sent it, for the Nu checker.
    pub async fn keep_source(&self, name: &str) {
        let read = "const done = arguments[0];
            fetch(location.href, { cache: 'no-store' }).then((page) => page.text()).then(done, () => done(''));";
        let source = self.chromium.client.execute_async(read, vec![]).await.unwrap();
        let source = source.as_str().unwrap_or_default();
        std::fs::write(folder("pages").join(format!("{}.html", file_name(name))), source).unwrap();
    }

    async fn devtools(&self, command: &str, parameters: Value) {
        let command = Devtools(json!({ "cmd": command, "params": parameters }));
        self.chromium.client.issue_cmd(command).await.unwrap();
    }
}

/// A place for what is to be looked at afterwards.
pub fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

pub fn file_name(name: &str) -> String {
    name.replace(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-', "-")
}
