//! What people say of a connection: as typed, and as meant.

use chrono::{Datelike, NaiveDate};
use serde::Deserialize;

use super::{Connected, CredentialKind};
use crate::ids::{ClientId, TenantId};
use crate::kit::secret::Secret;
use crate::kit::text::line;
use crate::microsoft::Cloud;
use crate::web::FieldErrors;

/// The form as typed, kept so that a refused one comes back as it was: all but the secret,
/// which is never put into a page.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct ConnectionForm {
    pub name: String,
    pub tenant_id: String,
    pub client_id: String,
    pub client_secret: Secret,
    pub cloud: String,
    pub secret_expires_on: String,
    /// Save even though Microsoft cannot be reached.
    pub untested: Option<String>,
}

/// The form as meant.
#[derive(Clone, Debug)]
pub struct Details {
    pub name: String,
    pub tenant: TenantId,
    pub client: ClientId,
    pub cloud: Cloud,
    /// None: the one that is there is kept.
    pub secret: Option<Secret>,
    /// The day on which the old secret ended is not taken for that of a new one.
    pub secret_expires_on: Option<NaiveDate>,
}

const LONGEST_SECRET: usize = 500;
/// Secrets live for two years at most; nobody means a date beyond this.
const LAST_YEAR: i32 = 2199;

impl Default for ConnectionForm {
    fn default() -> Self {
        Self {
            name: String::new(),
            tenant_id: String::new(),
            client_id: String::new(),
            client_secret: Secret::new(""),
            cloud: Cloud::Global.as_str().to_owned(),
            secret_expires_on: String::new(),
            untested: None,
        }
    }
}

impl From<&Connected> for ConnectionForm {
    fn from(connected: &Connected) -> Self {
        Self {
            name: connected.name.clone(),
            tenant_id: connected.tenant.to_string(),
            client_id: connected.client.to_string(),
            cloud: connected.cloud.as_str().to_owned(),
            secret_expires_on: match connected.credential {
                CredentialKind::Secret => connected.expiry.on.map(|day| day.to_string()),
                CredentialKind::Certificate => None,
            }
            .unwrap_or_default(),
            ..Self::default()
        }
    }
}

impl ConnectionForm {
    /// `kept` is the connection that is there: its secret may be kept. Where a `certificate`
    /// lies ready, a first connection needs no secret either.
    pub fn parse(
        &self,
        kept: Option<&Connected>,
        certificate: bool,
        today: NaiveDate,
    ) -> Result<Details, FieldErrors> {
        let mut errors = FieldErrors::default();
        let details = self.details(kept, certificate, today, &mut errors);
        details.filter(|_| errors.is_empty()).ok_or(errors)
    }

    /// Every field is looked at, so that every complaint comes at once.
    fn details(
        &self,
        kept: Option<&Connected>,
        certificate: bool,
        today: NaiveDate,
        errors: &mut FieldErrors,
    ) -> Option<Details> {
        let name = errors.take("name", line(&self.name, 120));
        if name.as_deref() == Some("") {
            errors.add("name", "Give it a name, such as that of the app registration.");
        }
        let tenant = errors.take("tenant_id", guid(&self.tenant_id, "Directory (tenant) ID"));
        let client = errors.take("client_id", guid(&self.client_id, "Application (client) ID"));
        let secret = errors
            .take("client_secret", secret(&self.client_secret, kept.is_some() || certificate));
        let cloud = errors.take("cloud", self.cloud.parse::<Cloud>());
        let mut expires = errors.take("secret_expires_on", expiry(&self.secret_expires_on));
        if expires.flatten().is_some_and(|day| day < today) {
            let is_of_old = |kept: &Connected| {
                kept.credential == CredentialKind::Secret && Some(kept.expiry.on) == expires
            };
            if !kept.is_some_and(is_of_old) {
                let complaint = "That day has passed. When does this secret expire?";
                errors.add("secret_expires_on", complaint);
            } else if matches!(secret, Some(Some(_))) {
                expires = Some(None);
            }
        }
        Some(Details {
            name: name?,
            tenant: tenant?,
            client: client?,
            cloud: cloud?,
            secret: secret?,
            secret_expires_on: expires?,
        })
    }
}

impl Details {
    /// Whether tokens of `old` are of no use with this: another identity, or another secret.
    pub fn is_another_than(&self, old: &Connected) -> bool {
        self.secret.is_some() || self.is_another_application(old)
    }

    /// Whether only what Microsoft does not care about has changed.
    pub fn is_only_renamed(&self, old: &Connected) -> bool {
        !self.is_another_than(old) && (self.name != old.name || self.is_dated_anew(old))
    }

    /// Whether another end was typed than the one that was known. A certificate knows its own.
    pub fn is_dated_anew(&self, old: &Connected) -> bool {
        old.credential == CredentialKind::Secret && self.secret_expires_on != old.expiry.on
    }

    /// Whether it is another application, for which no other credential is known to work.
    pub fn is_another_application(&self, old: &Connected) -> bool {
        (self.tenant, self.client, self.cloud) != (old.tenant, old.client, old.cloud)
    }
}

fn guid<T: std::str::FromStr>(text: &str, where_it_stands: &str) -> Result<T, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(format!("Paste the {where_it_stands} from the app registration’s overview."));
    }
    text.parse().map_err(|_| {
        "That is not an id of Microsoft’s. It looks like 3f1b9a52-7c4e-4f0a-9b1d-2f6f3f0f8a11."
            .to_owned()
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum NotASecret {
    #[error("Paste the Value of the client secret.")]
    Empty,
    #[error("That is too long for a client secret: {LONGEST_SECRET} characters at most.")]
    TooLong,
    #[error("A client secret is one word: letters, digits and signs, no space and no line break.")]
    Broken,
}

/// The next secret as typed, to be laid ready.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct NextForm {
    pub next_secret: Secret,
    pub next_expires_on: String,
}

impl NextForm {
    pub fn parse(&self, today: NaiveDate) -> Result<(Secret, Option<NaiveDate>), FieldErrors> {
        let mut errors = FieldErrors::default();
        let secret = errors.take("next_secret", secret(&self.next_secret, false)).flatten();
        let expires = errors.take("next_expires_on", expiry(&self.next_expires_on));
        if expires.flatten().is_some_and(|day| day <= today) {
            errors.add("next_expires_on", "That day has passed. When does the next secret expire?");
        }
        secret.zip(expires).filter(|_| errors.is_empty()).ok_or(errors)
    }
}

fn secret(typed: &Secret, may_be_kept: bool) -> Result<Option<Secret>, NotASecret> {
    let text = typed.reveal().trim();
    match text {
        "" if may_be_kept => Ok(None),
        "" => Err(NotASecret::Empty),
        _ if text.len() > LONGEST_SECRET => Err(NotASecret::TooLong),
        _ if text.chars().any(|c| c.is_control() || c.is_whitespace()) => Err(NotASecret::Broken),
        _ => Ok(Some(Secret::new(text))),
    }
}

fn expiry(text: &str) -> Result<Option<NaiveDate>, &'static str> {
    match text.trim() {
        "" => Ok(None),
        text => match text.parse::<NaiveDate>() {
            Ok(day) if (2000..=LAST_YEAR).contains(&day.year()) => Ok(Some(day)),
            _ => Err("That is not a day. Write it as 2027-03-31."),
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::integrations::Expiry;

    fn today() -> NaiveDate {
        "2026-03-02".parse().unwrap()
    }

    const ID: &str = "3f1b9a52-7c4e-4f0a-9b1d-2f6f3f0f8a11";

    fn typed(tenant: &str, secret: &str, expires: &str) -> ConnectionForm {
        ConnectionForm {
            name: "Teams".to_owned(),
            tenant_id: tenant.to_owned(),
            client_id: format!("  {ID}\n"),
            client_secret: Secret::new(secret),
            secret_expires_on: expires.to_owned(),
            ..ConnectionForm::default()
        }
    }

    #[test]
    fn ids_and_the_secret_are_taken_without_the_space_that_pasting_brings() {
        let details =
            typed(&format!(" {ID} "), " s3cret\t", "2027-03-31").parse(None, false, today());
        let details = details.unwrap();
        assert_eq!(details.tenant.to_string(), ID);
        assert_eq!(details.client.to_string(), ID);
        assert_eq!(details.secret.unwrap().reveal(), "s3cret");
    }

    #[test]
    fn every_field_has_its_own_complaint() {
        let errors = typed("contoso.onmicrosoft.com", "", "31/03/2027").parse(None, false, today());
        let errors = errors.unwrap_err();
        for field in ["tenant_id", "client_secret", "secret_expires_on"] {
            assert!(errors.of(field).is_some(), "{field}");
        }
        assert_eq!(errors.count(), 3);
        assert!(
            typed(ID, "s3cret", "2026-03-01").parse(None, false, today()).is_err(),
            "it has passed"
        );
        assert!(typed(ID, "two words", "").parse(None, false, today()).is_err());
    }

    #[test]
    fn a_date_that_has_passed_does_not_stand_in_the_way_of_a_new_name() {
        let kept = Connected {
            name: "Old".to_owned(),
            tenant: ID.parse().unwrap(),
            client: ID.parse().unwrap(),
            cloud: Cloud::Global,
            credential: CredentialKind::Secret,
            certificate: None,
            expiry: Expiry { on: "2026-01-01".parse().ok(), ..Expiry::default() },
            tested_at: None,
            version: 1,
        };
        let renamed = typed(ID, "", "2026-01-01").parse(Some(&kept), false, today()).unwrap();
        assert!(renamed.is_only_renamed(&kept) && !renamed.is_another_than(&kept));
        let replaced = typed(ID, "another", "2026-01-01").parse(Some(&kept), false, today());
        assert_eq!(replaced.unwrap().secret_expires_on, None, "it was the old secret’s");
        let replaced = typed(ID, "another", "2026-01-02").parse(Some(&kept), false, today());
        assert!(replaced.unwrap_err().of("secret_expires_on").is_some());
    }

    proptest! {
        #[test]
        fn whatever_is_typed_is_taken_or_complained_of(
            tenant in ".*", secret in any::<String>(), expires in "[0-9-]{0,12}", cloud in ".{0,9}",
        ) {
            let form = ConnectionForm { cloud, ..typed(&tenant, &secret, &expires) };
            match form.parse(None, false, today()) {
                Ok(details) => {
                    prop_assert!(details.secret.is_some_and(|s| !s.is_empty()));
                    prop_assert!(details.secret_expires_on.is_none_or(|day| day >= today()));
                }
                Err(errors) => prop_assert!(errors.count() > 0),
            }
        }
    }
}
