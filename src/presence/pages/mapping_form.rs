//! The mapping table and a new rule, as typed and as meant.

use serde::Deserialize;

use crate::presence::mapping::{Decision, Mapping, fold};
use crate::web::FieldErrors;

/// As long as CloudLink's longest, and more.
const LONGEST_STATE: usize = 64;
/// No telephone system has that many.
const MOST_OWN: usize = 200;

/// What the name of a row's choice begins with; its state follows.
const ROW: &str = "rule-";

/// The table as typed.
#[derive(Debug, Default)]
pub struct TableForm {
    /// State and choice.
    rules: Vec<(String, String)>,
    /// The added state whose Remove was pressed.
    remove: String,
    pub new_state: String,
    pub new_shows: String,
}

impl From<Vec<(String, String)>> for TableForm {
    fn from(fields: Vec<(String, String)>) -> Self {
        let mut form = Self::default();
        for (name, value) in fields {
            match name.as_str() {
                "remove" => form.remove = value,
                "new_state" => form.new_state = value,
                "new_shows" => form.new_shows = value,
                name => {
                    let state = name.strip_prefix(ROW).map(str::to_owned);
                    form.rules.extend(state.map(|state| (state, value)));
                }
            }
        }
        form
    }
}

/// One rule as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct NewRule {
    pub state: String,
    pub shows: String,
}

impl TableForm {
    /// The rows that stay, with their choice, if we know it.
    fn rows(&self) -> impl Iterator<Item = (String, Option<Decision>)> {
        let rows = self.rules.iter().map(|(state, shows)| (fold(state), shows.parse().ok()));
        rows.filter(|(state, _)| self.remove.is_empty() || *state != fold(&self.remove))
    }

    /// What was typed, as far as it makes sense, to be shown again.
    pub fn draft(&self) -> Mapping {
        Mapping::with(self.rows().filter_map(|(state, decision)| Some((state, decision?))))
    }

    pub fn parse(&self, old: &Mapping) -> Result<Mapping, FieldErrors> {
        let mut errors = FieldErrors::default();
        let mut own = Vec::new();
        for (state, decision) in self.rows() {
            // A row is one of the table's: others are added below, one at a time.
            let known = old.names(&state);
            match decision {
                Some(decision) if known => own.push((state, decision)),
                _ => errors.add("form", "The table has changed meanwhile. Look at it again."),
            }
        }
        if !self.new_state.trim().is_empty() {
            let rule = NewRule { state: self.new_state.clone(), shows: self.new_shows.clone() };
            match rule.parse() {
                Ok((state, _)) if own.iter().any(|(known, _)| *known == state) => {
                    errors.add("new_state", "The table has this state already.");
                }
                Ok(rule) => own.push(rule),
                Err(refused) => {
                    for (field, wrong) in [("new_state", "state"), ("new_shows", "shows")] {
                        if let Some(complaint) = refused.of(wrong) {
                            errors.add(field, complaint);
                        }
                    }
                }
            }
        }
        if own.len() > MOST_OWN {
            errors.add("form", "That is more states than a telephone system has.");
        }
        if errors.is_empty() { Ok(Mapping::with(own)) } else { Err(errors) }
    }
}

impl NewRule {
    pub fn parse(&self) -> Result<(String, Decision), FieldErrors> {
        let mut errors = FieldErrors::default();
        let state = fold(&self.state);
        if state.is_empty() {
            errors.add("state", "Enter a CloudLink state.");
        } else if state.chars().count() > LONGEST_STATE {
            errors.add("state", "A state has at most 64 characters.");
        } else if state.chars().any(char::is_control) {
            errors.add("state", "A state is one line of letters and digits.");
        }
        match errors.take("shows", self.shows.parse()) {
            Some(shows) if errors.is_empty() => Ok((state, shows)),
            _ => Err(errors),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::microsoft::Shows;

    fn typed(fields: &[(&str, &str)]) -> TableForm {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        TableForm::from(fields.collect::<Vec<_>>())
    }

    #[test]
    fn a_row_is_removed_and_another_added() {
        let old = Mapping::with([("lunch".to_owned(), Decision::Show(Shows::Away))]);
        let form = typed(&[
            ("rule-idle", "clear"),
            ("rule-lunch", "away"),
            ("remove", "lunch"),
            ("new_state", "In Surgery"),
            ("new_shows", "presenting"),
        ]);
        let new = form.parse(&old).unwrap();
        let own: Vec<_> = new.differences().collect();
        assert_eq!(own, [("insurgery", Decision::Show(Shows::Presenting))]);
    }

    #[test]
    fn a_table_that_was_tampered_with_is_refused() {
        let long = "x".repeat(65);
        let form = typed(&[("rule-idle", "on fire"), ("new_state", &long)]);
        let errors = form.parse(&Mapping::default()).unwrap_err();
        assert!(errors.of("form").is_some());
        assert_eq!(errors.of("new_state"), Some("A state has at most 64 characters."));
        assert!(errors.of("new_shows").is_some());
    }
}
