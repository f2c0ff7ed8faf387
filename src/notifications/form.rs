//! What people say of a channel: as typed, and as meant.

use serde::Deserialize;

use super::{Channel, Kind};
use crate::kit::email::{NotAddresses, addresses};
use crate::kit::secret::Secret;
use crate::kit::text::line;
use crate::post::{HookUrl, Hooks};
use crate::web::FieldErrors;

const MOST_RECIPIENTS: usize = 20;

/// The form as typed, kept so that a refused one comes back as it was: all but the URL, which
/// is a secret of its own.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ChannelForm {
    pub kind: String,
    pub name: String,
    pub recipients: String,
    pub url: Secret,
}

/// The form as meant.
#[derive(Clone, Debug)]
pub struct Details {
    pub name: String,
    pub way: Way,
}

#[derive(Clone, Debug)]
pub enum Way {
    Mail(Vec<String>),
    /// None: the one that is there is kept.
    Hook(Option<HookUrl>),
}

impl From<&Channel> for ChannelForm {
    fn from(channel: &Channel) -> Self {
        Self {
            kind: channel.kind.as_str().to_owned(),
            name: channel.name.clone(),
            recipients: channel.recipients.join("\n"),
            url: Secret::default(),
        }
    }
}

impl ChannelForm {
    /// `is_new`: there is no URL yet that could be kept.
    pub fn parse(&self, kind: Kind, is_new: bool, hooks: &Hooks) -> Result<Details, FieldErrors> {
        let mut errors = FieldErrors::default();
        let name = errors.take("name", line(&self.name, 80));
        if name.as_deref() == Some("") {
            errors.add("name", "Give it a name, such as that of the team who reads it.");
        }
        let way = match kind {
            Kind::Mail => errors.take("recipients", recipients(&self.recipients)).map(Way::Mail),
            _ if !is_new && self.url.reveal().trim().is_empty() => Some(Way::Hook(None)),
            _ => errors.take("url", hooks.parse(&self.url)).map(|url| Way::Hook(Some(url))),
        };
        match (name, way) {
            (Some(name), Some(way)) if errors.is_empty() => Ok(Details { name, way }),
            _ => Err(errors),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum NotRecipients {
    #[error("Enter at least one e-mail address.")]
    None,
    #[error(transparent)]
    Wrong(#[from] NotAddresses),
}

fn recipients(text: &str) -> Result<Vec<String>, NotRecipients> {
    let found = addresses(text, MOST_RECIPIENTS)?;
    if found.is_empty() { Err(NotRecipients::None) } else { Ok(found) }
}
