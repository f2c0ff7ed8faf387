//! E-mail addresses.

use std::fmt;
use std::str::FromStr;

use email_address::EmailAddress;
use serde::{Deserialize, Serialize};

/// An e-mail address, kept as it was typed and compared without case.
#[derive(Clone, Debug, Serialize, Deserialize, sqlx::Type)]
#[serde(try_from = "String", into = "String")]
#[sqlx(transparent)]
pub struct Email(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    #[error("Enter an e-mail address.")]
    Empty,
    #[error("That is not an e-mail address. It should look like name@example.com.")]
    Malformed,
    #[error("That e-mail address is too long: 254 characters at most.")]
    TooLong,
}

impl Email {
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(EmailError::Empty);
        }
        if text.len() > 254 {
            return Err(EmailError::TooLong);
        }
        EmailAddress::from_str(text).map_err(|_| EmailError::Malformed)?;
        if text.contains(['<', '"', ' ', '[']) {
            return Err(EmailError::Malformed);
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which two addresses are compared.
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAddresses {
    #[error("“{0}” is not an e-mail address. Put one on each line, or commas between them.")]
    Malformed(String),
    #[error("Those are too many: {0} addresses at most.")]
    TooMany(usize),
}

/// Addresses with commas, semicolons or space between them; each once, and `most` of them.
pub fn addresses(text: &str, most: usize) -> Result<Vec<String>, NotAddresses> {
    let mut found: Vec<Email> = Vec::new();
    let parts = text.split(|c: char| c == ',' || c == ';' || c.is_whitespace());
    for part in parts.filter(|part| !part.is_empty()) {
        let shown = || part.chars().filter(|c| !c.is_control()).take(60).collect();
        let email = Email::parse(part).map_err(|_| NotAddresses::Malformed(shown()))?;
        if !found.contains(&email) {
            found.push(email);
        }
        if found.len() > most {
            return Err(NotAddresses::TooMany(most));
        }
    }
    Ok(found.into_iter().map(String::from).collect())
}

impl PartialEq for Email {
    fn eq(&self, other: &Self) -> bool {
        self.folded() == other.folded()
    }
}

impl Eq for Email {}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Email {
    type Err = EmailError;

    fn from_str(text: &str) -> Result<Self, EmailError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Email {
    type Error = EmailError;

    fn try_from(text: String) -> Result<Self, EmailError> {
        Self::parse(&text)
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}
