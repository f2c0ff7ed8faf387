//! Every component in every state, on one page: for whoever changes them.

use askama::Template;
use chrono::{DateTime, Utc};

use super::{Chrome, FieldErrors};

#[derive(Template)]
#[template(path = "styleguide.html")]
pub struct StyleguidePage {
    pub chrome: Chrome,
    pub errors: FieldErrors,
    pub now: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::AccountId;
    use crate::web::{AccountTab, Person, Place, assets};

    #[test]
    fn every_component_can_be_drawn() {
        let page = StyleguidePage {
            chrome: Chrome {
                title: "Styleguide".to_owned(),
                place: Place::Account {
                    id: AccountId::new(),
                    name: "Acme".to_owned(),
                    deactivated: true,
                    tab: AccountTab::Presence,
                },
                person: Person {
                    name: "Ada".to_owned(),
                    email: "ada@example.com".to_owned(),
                    role: "Partner admin",
                    is_partner: true,
                    may_change: true,
                },
                flash: Some("Saved.".to_owned()),
                assets: assets::Urls,
            },
            errors: FieldErrors::just("email", "That is not an e-mail address."),
            now: DateTime::UNIX_EPOCH,
        };
        let html = page.render().unwrap();
        if let Ok(path) = std::env::var("STYLEGUIDE_OUT") {
            std::fs::write(path, &html).unwrap();
        }
        assert!(html.contains("<h1>Styleguide</h1>"));
    }
}
