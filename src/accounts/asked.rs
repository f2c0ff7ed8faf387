//! What the list's address asks for: the state of the list is in its URL and nowhere else.

use serde::{Deserialize, Serialize};

use super::store::{Health, Sort, Wanted};
use crate::ids::StaffId;
use crate::kit::text;

/// What the address asks for, as it stands there.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Asked {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub q: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub show: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub health: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sort: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub page: String,
}

impl Asked {
    /// Reads what stands after the `?`. What does not parse is left out.
    pub fn read(query: &str) -> Self {
        serde_html_form::from_str(query).unwrap_or_default()
    }

    pub fn wanted(&self, scope: Option<StaffId>) -> Wanted {
        Wanted {
            scope,
            words: text::sought(&self.q).split_whitespace().take(8).map(str::to_owned).collect(),
            active: self.active(),
            health: self.health(),
        }
    }

    pub fn active(&self) -> Option<bool> {
        match self.show.as_str() {
            "active" => Some(true),
            "deactivated" => Some(false),
            _ => None,
        }
    }

    pub fn health(&self) -> Option<Health> {
        self.health.parse().ok()
    }

    pub fn sort(&self) -> Sort {
        self.sort.parse().unwrap_or_default()
    }

    /// Counted from nothing; a page nobody can have meant is the first.
    pub fn page(&self) -> i64 {
        self.page.parse::<i64>().map_or(0, |page| page.clamp(1, 1_000_000) - 1)
    }

    pub fn at(&self, page: i64) -> String {
        let asked = Self { page: (page + 1).to_string(), ..self.clone() };
        format!("/accounts?{}", serde_html_form::to_string(asked).unwrap_or_default())
    }

    /// The same list from its beginning, in the fewest words: what somebody gives a name to.
    pub fn kept(&self) -> String {
        let kept = Self {
            q: self.q.trim().to_owned(),
            show: self.active().map(|_| self.show.clone()).unwrap_or_default(),
            health: self.health().map(|health| health.as_str().to_owned()).unwrap_or_default(),
            sort: if self.sort() == Sort::Name { String::new() } else { self.sort.clone() },
            page: String::new(),
        };
        serde_html_form::to_string(kept).unwrap_or_default()
    }

    pub fn narrows(&self) -> bool {
        !self.q.trim().is_empty() || self.active().is_some() || self.health().is_some()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_kept_search_asks_for_the_same_accounts(query in "[a-z0-9=&%+ ]{0,60}", q in ".{0,30}") {
            let asked = Asked { q, ..Asked::read(&query) };
            let again = Asked::read(&asked.kept());
            prop_assert_eq!(asked.wanted(None).words, again.wanted(None).words);
            prop_assert_eq!((asked.active(), asked.health(), asked.sort()), (again.active(), again.health(), again.sort()));
            prop_assert_eq!(again.kept(), asked.kept());
        }
    }
}
