//! Somebody at a browser: they find things by their names, and wait until they see them.

use std::future::Future;
use std::time::{Duration, Instant};

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::elements::Element;
use serde_json::{Value, json};

use super::chromium::{Chromium, Scripts};
use super::look;

const PATIENCE: Duration = Duration::from_secs(10);
const AXE: &str = include_str!("../vendor/axe.min.js");

/// Finds what can be seen and has the role and accessible name asked for.
const FIND: &str = r"
    const [kind, name] = arguments;
    const kinds = {
        button: 'button, a[href], summary',
        switch: '[role=switch]',
        field: 'input, select, textarea',
        box: 'input[type=checkbox]',
    };
    const folded = (text) => (text ?? '').replace(/\s+/g, ' ').trim();
    const nameOf = (element) => {
        const label = element.getAttribute('aria-label');
        if (label) return folded(label);
        const by = element.getAttribute('aria-labelledby');
        if (by) return folded(by.split(' ').map((id) => document.getElementById(id)?.textContent).join(' '));
        if (element.labels?.length) return folded(element.labels[0].textContent);
        return folded(element.textContent);
    };
    const dialog = [...document.querySelectorAll('dialog[open]')].pop();
    const seen = (element) => element.checkVisibility({ visibilityProperty: true });
    return [...(dialog ?? document).querySelectorAll(kinds[kind])]
        .find((element) => seen(element) && nameOf(element) === name) ?? null;
";

/// Keys that are no characters.
pub mod keys {
    pub const BACKSPACE: &str = "\u{e003}";
    pub const ENTER: &str = "\u{e007}";
    pub const ESCAPE: &str = "\u{e00c}";
    pub const TAB: &str = "\u{e004}";
    pub const DOWN: &str = "\u{e015}";
    pub const CONTROL_K: &str = "\u{e009}k";
}

pub struct Visitor {
    pub(super) chromium: Chromium,
    home: String,
}

impl Visitor {
    pub async fn at(home: &str) -> Self {
        Self { chromium: Chromium::start(Scripts::On).await, home: home.to_owned() }
    }

    pub async fn without_scripts_at(home: &str) -> Self {
        Self { chromium: Chromium::start(Scripts::Off).await, home: home.to_owned() }
    }

    pub async fn visit(&self, path: &str) {
        let url =
            if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.home) };
        self.chromium.client.goto(&url).await.unwrap();
    }

    pub async fn path(&self) -> String {
        self.chromium.client.current_url().await.unwrap().path().to_owned()
    }

    /// A button, or a link that looks like one: whoever presses it does not care.
    pub async fn press(&self, button: &str) {
        self.click("button", button).await;
    }

    pub async fn flip(&self, switch: &str) {
        self.click("switch", switch).await;
    }

    /// Ticks a box of that name, or takes the tick away.
    pub async fn flip_box(&self, name: &str) {
        self.click("box", name).await;
    }

    /// Presses these keys, wherever the focus is; see [`keys`].
    pub async fn types(&self, typed: &str) {
        let pressed = typed.chars().fold(KeyActions::new("keyboard".to_owned()), |keys, key| {
            let keys = keys.then(KeyAction::Down { value: key });
            // A modifier stays down until the end.
            if key == '\u{e009}' { keys } else { keys.then(KeyAction::Up { value: key }) }
        });
        self.chromium.client.perform_actions(pressed).await.unwrap();
        self.chromium.client.release_actions().await.unwrap();
    }

    pub async fn switch_is_on(&self, switch: &str) -> bool {
        let state = async || {
            let element = self.look_for("switch", switch).await?;
            let state = element.attr("aria-checked").await.ok()?;
            let is_ticked = element.attr("checked").await.ok()?.is_some();
            Some(is_ticked || state.as_deref() == Some("true"))
        };
        self.until(&format!("switch {switch:?}"), state).await
    }

    /// Types into the field of that label, over what stood there. Like what follows, it survives a
    /// page arriving under it.
    pub async fn fill(&self, field: &str, text: &str) {
        let filled = async || {
            let element = self.look_for("field", field).await?;
            element.clear().await.ok()?;
            element.send_keys(text).await.ok()
        };
        self.until(&format!("field {field:?} to fill"), filled).await;
    }

    /// Chooses from the list of that label.
    pub async fn choose(&self, field: &str, option: &str) {
        let chosen = async || {
            let element = self.look_for("field", field).await?;
            element.select_by_label(option).await.ok()
        };
        self.until(&format!("{option:?} in {field:?}"), chosen).await;
    }

    /// Chooses a file for the field of that label.
    pub async fn attach(&self, field: &str, file: &std::path::Path) {
        let path = file.to_str().unwrap();
        let chosen = async || {
            let element = self.look_for("field", field).await?;
            element.send_keys(path).await.ok()
        };
        self.until(&format!("field {field:?} for a file"), chosen).await;
    }

    /// A click that survives a page refreshing under it.
    async fn click(&self, kind: &str, name: &str) {
        let clicked = async || {
            let element = self.look_for(kind, name).await?;
            element.click().await.ok()
        };
        self.until(&format!("{kind} {name:?} to click"), clicked).await;
    }

    async fn look_for(&self, kind: &str, name: &str) -> Option<Element> {
        let found = self.run(FIND, vec![json!(kind), json!(name)]).await;
        let reference = found.as_object()?;
        let id = reference.values().next()?.as_str()?.to_owned();
        Some(Element::from_element_id(self.chromium.client.clone(), id.into()))
    }

    pub async fn sees(&self, sentence: &str) {
        let seen = async || self.text().await.contains(sentence).then_some(());
        self.until(&format!("{sentence:?}"), seen).await;
    }

    /// For what a page does not bring by itself.
    pub async fn sees_after_reloading(&self, sentence: &str) {
        self.sees_after_reloading_for(sentence, PATIENCE).await;
    }

    pub async fn sees_after_reloading_for(&self, sentence: &str, patience: Duration) {
        let seen = async || {
            self.chromium.client.refresh().await.unwrap();
            self.text().await.contains(sentence).then_some(())
        };
        self.within(patience, &format!("{sentence:?}"), seen).await;
    }

    pub async fn no_longer_sees(&self, sentence: &str) {
        let gone = async || (!self.text().await.contains(sentence)).then_some(());
        self.until(&format!("{sentence:?} to go"), gone).await;
    }

    /// What can be read on the page now, white space folded.
    pub async fn text(&self) -> String {
        let text = self.run("return document.body?.innerText ?? ''", vec![]).await;
        text.as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Everything axe has to say against the page as it stands: nothing, one hopes.
    pub async fn complaints_of_axe(&self) -> Vec<String> {
        let every = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
        self.axe(json!({ "runOnly": every, "resultTypes": ["violations"] })).await
    }

    /// What axe has to say against the colours alone.
    pub async fn complaints_about_colours(&self) -> Vec<String> {
        let only = json!({ "type": "rule", "values": ["color-contrast", "link-in-text-block"] });
        self.axe(json!({ "runOnly": only, "resultTypes": ["violations"], "preload": false })).await
    }

    async fn axe(&self, asked: Value) -> Vec<String> {
        // It is half a megabyte: once for a page is enough.
        if self.run("return typeof axe", vec![]).await != "object" {
            self.run(AXE, vec![]).await;
        }
        let run = "const [asked, done] = arguments;
            axe.run(document, asked)
                .then((result) => done(result.violations.map((violation) =>
                    `${violation.id}: ${violation.help}: ${violation.nodes.map((n) => n.html).join(' | ')}`)))
                .catch((error) => done([String(error)]));";
        let found = self.chromium.client.execute_async(run, vec![asked]).await.unwrap();
        serde_json::from_value(found).unwrap()
    }

    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.chromium.client.execute(script, arguments).await.unwrap_or(Value::Null)
    }

    pub async fn picture(&self, name: &str) {
        let png = self.chromium.client.screenshot().await.unwrap();
        let file = format!("{}.png", look::file_name(name));
        std::fs::write(look::folder("pictures").join(file), png).unwrap();
    }

    pub async fn until<T, F: Future<Output = Option<T>>>(
        &self,
        what: &str,
        look: impl Fn() -> F,
    ) -> T {
        self.within(PATIENCE, what, look).await
    }

    async fn within<T, F: Future<Output = Option<T>>>(
        &self,
        patience: Duration,
        what: &str,
        look: impl Fn() -> F,
    ) -> T {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(found) = look().await {
                return found;
            }
            if Instant::now() > deadline {
                self.picture("last-seen").await;
                panic!(
                    "waited for {what} on {}, which says:\n{}",
                    self.path().await,
                    self.text().await
                );
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }
}
