//! What people say of an account: as typed, and as meant.

use serde::Deserialize;

use super::Account;
use crate::cloudlink;
use crate::ids::CloudlinkAccountId;
use crate::kit::email::{Email, addresses};
use crate::kit::text::line;
use crate::web::FieldErrors;

/// The form as typed, kept so that a refused one comes back as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct AccountForm {
    pub name: String,
    pub cloudlink_id: String,
    pub country: String,
    pub address: String,
    pub city: String,
    pub postal_code: String,
    pub language: String,
    pub support_emails: String,
}

/// The form as meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    pub name: String,
    pub cloudlink_id: CloudlinkAccountId,
    pub country: String,
    pub address: String,
    pub city: String,
    pub postal_code: String,
    pub language: String,
    pub support_emails: Vec<String>,
}

const MOST_EMAILS: usize = 20;

impl AccountForm {
    pub fn parse(&self) -> Result<Details, FieldErrors> {
        let mut errors = FieldErrors::default();
        let details = self.details(&mut errors);
        details.filter(|_| errors.is_empty()).ok_or(errors)
    }

    /// Every field is looked at, so that every complaint comes at once.
    fn details(&self, errors: &mut FieldErrors) -> Option<Details> {
        let name = errors.take("name", line(&self.name, 120));
        if name.as_deref() == Some("") {
            errors.add("name", "Give the account its customer’s name.");
        }
        let cloudlink_id = if self.cloudlink_id.trim().is_empty() {
            errors.add("cloudlink_id", "Enter the CloudLink account id.");
            None
        } else {
            let refused = |_| "A CloudLink account id is a GUID or a number: letters, digits and - _ . @ : only, 64 at most.";
            errors.take(
                "cloudlink_id",
                CloudlinkAccountId::parse(&self.cloudlink_id).map_err(refused),
            )
        };
        let country = errors.take("country", line(&self.country, 80));
        let address = errors.take("address", line(&self.address, 200));
        let city = errors.take("city", line(&self.city, 100));
        let postal_code = errors.take("postal_code", line(&self.postal_code, 20));
        let language = errors.take("language", language_tag(&self.language));
        let support_emails =
            errors.take("support_emails", addresses(&self.support_emails, MOST_EMAILS));
        Some(Details {
            name: name?,
            cloudlink_id: cloudlink_id?,
            country: country?,
            address: address?,
            city: city?,
            postal_code: postal_code?,
            language: language?,
            support_emails: support_emails?,
        })
    }
}

impl Details {
    /// What CloudLink says of an account; what we could not keep of it is left out.
    pub fn of_cloudlink(account: &cloudlink::Account) -> Option<Self> {
        let name: String = account.name.chars().filter(|c| !c.is_control()).take(120).collect();
        let emails = account.support_emails.iter().filter(|email| Email::parse(email).is_ok());
        let mut form = AccountForm {
            name: if name.trim().is_empty() { account.id.to_string() } else { name },
            cloudlink_id: account.id.to_string(),
            country: account.country.clone(),
            address: account.address.clone(),
            city: account.city.clone(),
            postal_code: account.postal_code.clone(),
            language: account.language.clone(),
            support_emails: emails.take(MOST_EMAILS).cloned().collect::<Vec<_>>().join("\n"),
        };
        let Err(errors) = form.parse() else { return form.parse().ok() };
        let optional = [
            ("country", &mut form.country),
            ("address", &mut form.address),
            ("city", &mut form.city),
            ("postal_code", &mut form.postal_code),
            ("language", &mut form.language),
            ("support_emails", &mut form.support_emails),
        ];
        for (field, text) in optional {
            if errors.of(field).is_some() {
                text.clear();
            }
        }
        form.parse().ok()
    }
}

impl From<&Account> for AccountForm {
    fn from(account: &Account) -> Self {
        Self {
            name: account.name.clone(),
            cloudlink_id: account.cloudlink_id.to_string(),
            country: account.country.clone(),
            address: account.address.clone(),
            city: account.city.clone(),
            postal_code: account.postal_code.clone(),
            language: account.language.clone(),
            support_emails: account.support_emails.join("\n"),
        }
    }
}

/// A language tag such as `en-GB`, or nothing.
fn language_tag(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    let mut parts = text.split('-');
    let language = parts.next().unwrap_or_default();
    let letters = |part: &str| part.chars().all(|c| c.is_ascii_alphabetic());
    let fits = (2..=3).contains(&language.len())
        && letters(language)
        && text.len() <= 35
        && parts.all(|part| {
            (2..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric())
        });
    if text.is_empty() || fits {
        Ok(text.to_owned())
    } else {
        Err("Choose a language, or a tag such as en-GB.")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kit::email::NotAddresses;

    fn read(text: &str) -> Result<Vec<String>, NotAddresses> {
        addresses(text, MOST_EMAILS)
    }

    #[test]
    fn addresses_stand_with_commas_or_on_lines_of_their_own() {
        let two = vec!["a@example.com".to_owned(), "b@example.com".to_owned()];
        assert_eq!(read("a@example.com, b@example.com"), Ok(two.clone()));
        assert_eq!(read("a@example.com\r\nb@example.com\n A@Example.com"), Ok(two));
        assert_eq!(read(" \n"), Ok(Vec::new()));
        assert_eq!(read("a@example.com, ask Bob"), Err(NotAddresses::Malformed("ask".to_owned())));
    }

    #[test]
    fn a_language_is_a_tag_or_nothing() {
        for tag in ["", "en", "en-GB", "zh-Hant-TW", "pt-BR"] {
            assert_eq!(language_tag(tag), Ok(tag.to_owned()));
        }
        for wrong in ["e", "english", "en_GB", "en-", "-", "12", "en-GB-"] {
            assert!(language_tag(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_typed_is_taken_or_complained_of(
            name in any::<String>(), id in any::<String>(), country in any::<String>(),
            emails in any::<String>(), language in any::<String>(),
        ) {
            let form = AccountForm {
                name, cloudlink_id: id, country, support_emails: emails, language,
                ..AccountForm::default()
            };
            match form.parse() {
                Ok(details) => {
                    prop_assert!(!details.name.is_empty() && details.name.chars().count() <= 120);
                    prop_assert!(!details.name.contains('\0') && !details.country.contains('\0'));
                    prop_assert!(details.support_emails.iter().all(|email| Email::parse(email).is_ok()));
                }
                Err(errors) => prop_assert!(errors.count() > 0),
            }
        }

        #[test]
        fn an_address_list_survives_being_shown_and_read_again(
            names in prop::collection::hash_set("[a-z]{1,8}", 0..5),
        ) {
            let emails: Vec<_> = names.iter().map(|name| format!("{name}@example.com")).collect();
            prop_assert_eq!(read(&emails.join("\n")), Ok(emails.clone()));
            prop_assert_eq!(read(&emails.join(";  ")), Ok(emails));
        }
    }
}
