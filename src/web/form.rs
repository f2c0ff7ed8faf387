//! What a refused form has to say.

use std::collections::BTreeMap;
use std::fmt::Display;

/// At most one complaint per field: the first thing to put right.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldErrors(BTreeMap<&'static str, String>);

impl FieldErrors {
    pub fn just(field: &'static str, complaint: impl Display) -> Self {
        let mut errors = Self::default();
        errors.add(field, complaint);
        errors
    }

    /// Notes a complaint, unless the field has one already.
    pub fn add(&mut self, field: &'static str, complaint: impl Display) {
        self.0.entry(field).or_insert_with(|| complaint.to_string());
    }

    /// Keeps the value if it parsed; notes the complaint if it did not.
    pub fn take<T, E: Display>(
        &mut self,
        field: &'static str,
        parsed: std::result::Result<T, E>,
    ) -> Option<T> {
        parsed.map_err(|error| self.add(field, error)).ok()
    }

    /// The complaint beside `field`, for its template.
    pub fn of(&self, field: &str) -> Option<&str> {
        self.0.get(field).map(String::as_str)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// For the summary at the head of a refused form.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

/// Whether two values look alike on the page: which option of a list is chosen.
pub fn reads_the_same(one: impl Display, other: impl Display) -> bool {
    one.to_string() == other.to_string()
}
