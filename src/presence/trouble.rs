//! What can be wrong with an account's sync, by name, with what to do about it.

use crate::{accounts, cloudlink, microsoft};

/// Which side something is wrong on. An account has at most one trouble on each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Signing in to Microsoft, and presence.
    Microsoft,
    /// Reading either directory, and believing it.
    Directory,
    /// CloudLink's events.
    Feed,
}

impl Side {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Microsoft => "microsoft",
            Self::Directory => "directory",
            Self::Feed => "feed",
        }
    }
}

/// A named cause, of whatever side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    Microsoft(microsoft::Cause),
    Cloudlink(cloudlink::Cause),
    /// The subscription was gone, and could not be made again yet or was made again often.
    FeedSilent,
    /// A directory came back absurdly small.
    DirectoryShrunk,
}

impl Trouble {
    /// As the database, metrics and links write it.
    pub fn key(self) -> &'static str {
        match self {
            Self::Microsoft(cause) => cause.key(),
            Self::Cloudlink(cause) => cause.key(),
            Self::FeedSilent => "feed-silent",
            Self::DirectoryShrunk => "directory-shrunk",
        }
    }

    pub fn by_key(key: &str) -> Option<Self> {
        match key {
            "feed-silent" => Some(Self::FeedSilent),
            "directory-shrunk" => Some(Self::DirectoryShrunk),
            key => microsoft::Cause::by_key(key)
                .map(Self::Microsoft)
                .or_else(|| cloudlink::Cause::by_key(key).map(Self::Cloudlink)),
        }
    }

    /// Whether it lasts until a person changes something; all else passes by itself.
    pub fn needs_person(self) -> bool {
        match self {
            Self::Microsoft(cause) => cause.needs_person(),
            Self::Cloudlink(cause) => cause.needs_person(),
            Self::FeedSilent => false,
            Self::DirectoryShrunk => true,
        }
    }

    /// What is the matter, in a few words.
    pub fn title(self) -> &'static str {
        match self {
            Self::Microsoft(cause) => cause.title(),
            Self::Cloudlink(cause) => cause.title(),
            Self::FeedSilent | Self::DirectoryShrunk => accounts::trouble::title(self.key()),
        }
    }

    /// What to do about it.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Microsoft(cause) => cause.advice(),
            Self::Cloudlink(cause) => cause.advice(),
            Self::FeedSilent => {
                "CloudLink had lost our subscription, and it was made again. If this stays, check that CloudLink can reach the public URL of this portal."
            }
            Self::DirectoryShrunk => {
                "More than half of the users were missing from the directory, so nothing was changed. If they were really removed, press Sync now and it is believed."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_is_found_by_its_key() {
        let microsoft = microsoft::Cause::ALL.into_iter().map(Trouble::Microsoft);
        let cloudlink = cloudlink::Cause::ALL.into_iter().map(Trouble::Cloudlink);
        let own = [Trouble::FeedSilent, Trouble::DirectoryShrunk];
        for trouble in microsoft.chain(cloudlink).chain(own) {
            assert_eq!(Trouble::by_key(trouble.key()), Some(trouble), "{}", trouble.key());
        }
    }
}
