//! A page as a person meets it: by its words, labels and buttons.

use axum::http::{HeaderMap, Method, StatusCode};
use scraper::{ElementRef, Html, Selector};

use super::browser::Answer;

pub struct Page {
    /// Where the browser is, after any redirects.
    pub path: String,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub source: String,
    html: Html,
}

/// Text with its white space folded.
fn words(element: ElementRef) -> String {
    element.text().flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

fn selector(text: &str) -> Selector {
    Selector::parse(text).unwrap()
}

/// What assistive technology calls a control that is no form field.
fn name_of(element: ElementRef) -> String {
    element.attr("aria-label").map_or_else(|| words(element), str::to_owned)
}

impl Page {
    pub(super) fn new(path: &str, Answer { status, headers, body }: Answer) -> Self {
        // This browser runs no scripts, so it shows what stands in <noscript>.
        let html = Html::parse_document(&body.replace("<noscript>", "").replace("</noscript>", ""));
        Self { path: path.to_owned(), status, headers, source: body, html }
    }

    /// Where htmx was told to send the browser.
    pub fn moved_to(&self) -> Option<&str> {
        self.headers.get("hx-redirect")?.to_str().ok()
    }

    /// Elements by CSS selector.
    pub fn all(&self, css: &str) -> Vec<ElementRef<'_>> {
        self.html.select(&selector(css)).collect()
    }

    /// The words in the first element a selector finds.
    pub fn text(&self, css: &str) -> String {
        let found = self.all(css).first().copied();
        words(found.unwrap_or_else(|| panic!("no {css} on {}:\n{}", self.path, self.source)))
    }

    /// Whether a person can read this on the page.
    pub fn says(&self, sentence: &str) -> bool {
        self.all("body").first().is_some_and(|body| words(*body).contains(sentence))
    }

    pub fn heading(&self) -> String {
        self.text("h1")
    }

    pub fn has_button(&self, name: &str) -> bool {
        self.all("button").into_iter().any(|button| name_of(button) == name)
    }

    pub fn has_link(&self, name: &str) -> bool {
        self.all("a[href]").into_iter().any(|link| name_of(link) == name)
    }

    /// Where the link of that name leads.
    pub fn link(&self, name: &str) -> String {
        let links = self.all("a[href]");
        let names: Vec<_> = links.iter().map(|link| name_of(*link)).collect();
        let found = links.into_iter().find(|link| name_of(*link) == name);
        let link = found.unwrap_or_else(|| panic!("no link {name:?} on {}: {names:?}", self.path));
        link.attr("href").unwrap().to_owned()
    }

    /// The complaint beside the field of that label or name; empty when there is none.
    pub fn complaint(&self, field: &str) -> String {
        let control = self.control(field);
        let described = control.attr("aria-describedby").unwrap_or_default();
        if control.attr("aria-invalid") != Some("true") {
            return String::new();
        }
        let error = described.split(' ').find(|id| id.ends_with("-error"));
        let error = error.unwrap_or_else(|| panic!("{field} is invalid and does not say why"));
        self.text(&format!("[id='{error}']"))
    }

    /// The field of that label, or else of that name.
    fn control(&self, field: &str) -> ElementRef<'_> {
        let by_label = self.all("label").into_iter().find(|label| words(*label) == field);
        let id = by_label.and_then(|label| label.attr("for"));
        let css = id.map_or_else(|| format!("[name='{field}']"), |id| format!("[id='{id}']"));
        let found = self.all(&css).first().copied();
        found.unwrap_or_else(|| panic!("no field {field:?} on {}:\n{}", self.path, self.source))
    }

    /// The form with a button of that name.
    pub fn form(&self, button: &str) -> Form {
        let buttons = self.all("button");
        let names: Vec<_> = buttons.iter().map(|button| name_of(*button)).collect();
        let pressed = buttons
            .into_iter()
            .find(|candidate| name_of(*candidate) == button)
            .unwrap_or_else(|| panic!("no button {button:?} on {}: {names:?}", self.path));
        let form = match pressed.attr("form") {
            Some(id) => self.all(&format!("form[id='{id}']")).first().copied(),
            None => pressed
                .ancestors()
                .filter_map(ElementRef::wrap)
                .find(|ancestor| ancestor.value().name() == "form"),
        };
        let form = form.unwrap_or_else(|| panic!("the button {button:?} is in no form"));
        Form::read(self, form, pressed)
    }
}

/// A form on a page, with what its fields hold.
#[derive(Clone, Debug)]
pub struct Form {
    method: Method,
    action: String,
    /// Label (or name, where there is none) and name of every field.
    fields: Vec<(String, String)>,
    values: Vec<(String, String)>,
}

impl Form {
    fn read(page: &Page, form: ElementRef, pressed: ElementRef) -> Self {
        let get = form.attr("method").is_none_or(|method| method.eq_ignore_ascii_case("get"));
        let action = pressed.attr("formaction").or_else(|| form.attr("action"));
        let (mut fields, mut values) = (Vec::new(), Vec::new());
        for control in form.select(&selector("input[name], select[name], textarea[name]")) {
            let name = control.attr("name").unwrap().to_owned();
            let label = control.attr("id").map(|id| page.all(&format!("label[for='{id}']")));
            let label = label.and_then(|labels| labels.first().map(|label| words(*label)));
            fields.push((label.unwrap_or_else(|| name.clone()), name.clone()));
            values.extend(value_of(control).map(|value| (name, value)));
        }
        if let Some(name) = pressed.attr("name") {
            values.push((name.to_owned(), pressed.attr("value").unwrap_or_default().to_owned()));
        }
        Self {
            method: if get { Method::GET } else { Method::POST },
            action: action.unwrap_or(&page.path).to_owned(),
            fields,
            values,
        }
    }

    /// Types into the field of that label (or name).
    pub fn fill(mut self, field: &str, value: &str) -> Self {
        let name = self.name(field);
        self.values.retain(|(n, _)| *n != name);
        self.values.push((name, value.to_owned()));
        self
    }

    /// Ticks a box whose value is `value`, beside those ticked already.
    pub fn tick(mut self, field: &str, value: &str) -> Self {
        let name = self.name(field);
        self.values.push((name, value.to_owned()));
        self
    }

    pub fn untick(mut self, field: &str) -> Self {
        let name = self.name(field);
        self.values.retain(|(n, _)| *n != name);
        self
    }

    /// What the field of that label (or name) holds.
    pub fn value(&self, field: &str) -> String {
        let name = self.name(field);
        let found = self.values.iter().find(|(n, _)| *n == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    fn name(&self, field: &str) -> String {
        let by_label = self.fields.iter().find(|(label, name)| label == field || name == field);
        let (_, name) =
            by_label.unwrap_or_else(|| panic!("no field {field:?} in {:?}", self.fields));
        name.clone()
    }

    pub(super) fn request(self) -> (Method, String, String) {
        let body = serde_html_form::to_string(&self.values).unwrap();
        if self.method == Method::GET {
            let path = self.action.split('?').next().unwrap();
            return (Method::GET, format!("{path}?{body}"), String::new());
        }
        (self.method, self.action, body)
    }
}

/// What a browser would send for a control nobody touched.
fn value_of(control: ElementRef) -> Option<String> {
    if control.attr("disabled").is_some() {
        return None;
    }
    match control.value().name() {
        "textarea" => Some(control.text().collect::<String>().trim_start_matches('\n').to_owned()),
        "select" => {
            let options: Vec<_> = control.select(&selector("option")).collect();
            let chosen = options.iter().find(|option| option.attr("selected").is_some());
            let chosen = chosen.or_else(|| options.first())?;
            Some(chosen.attr("value").map_or_else(|| words(*chosen), str::to_owned))
        }
        _ => match control.attr("type").unwrap_or("text") {
            "checkbox" | "radio" => {
                control.attr("checked").map(|_| control.attr("value").unwrap_or("on").to_owned())
            }
            "submit" | "button" | "file" => None,
            _ => Some(control.attr("value").unwrap_or_default().to_owned()),
        },
    }
}
