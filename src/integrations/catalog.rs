//! What can be added to an account, and its releases: data, newest last.

use std::str::FromStr;

/// An application that can be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    MicrosoftTeams,
}

/// Who makes an application: the tab it stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maker {
    Mitel,
    ThirdParty,
}

/// Something an integration can do, switched on and off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Feature {
    PresenceSync,
}

/// Something that came with a release, and is not there before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ability {
    /// The account says for itself what a phone's state means in Teams.
    OwnMapping,
    /// Users are left out of the sync, and taken in again.
    UserScope,
}

/// One step of installing an update. The last one alone makes the new release count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UpdateStep {
    SignIn,
    Permissions,
    Directory,
    Mapping,
    Matches,
    SwitchOver,
}

/// A version of an integration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Release {
    pub number: i32,
    /// As people write it.
    pub name: &'static str,
    /// What is new, a sentence each.
    pub news: &'static [&'static str],
    /// What came with it.
    pub brings: &'static [Ability],
    /// What has to be done before an integration is switched over to it.
    pub steps: &'static [UpdateStep],
}

/// Microsoft Teams, from the first release to the newest. What was released is never changed.
const MICROSOFT_TEAMS: [Release; 2] = [
    Release {
        number: 1,
        name: "1.0",
        news: &[
            "Shows in Microsoft Teams when somebody is on the phone, in a conference, or wants not to be disturbed.",
        ],
        brings: &[],
        steps: &[],
    },
    Release {
        number: 2,
        name: "1.1",
        news: &[
            "Each account says for itself what a phone’s state means in Teams.",
            "Phones that are away, soon back or inactive show as Away.",
            "Users can be left out of the sync, and taken in again.",
        ],
        brings: &[Ability::OwnMapping, Ability::UserScope],
        steps: &[
            UpdateStep::SignIn,
            UpdateStep::Permissions,
            UpdateStep::Directory,
            UpdateStep::Mapping,
            UpdateStep::Matches,
        ],
    },
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("There is no such application.")]
pub struct UnknownKind;

impl Kind {
    pub const ALL: [Self; 1] = [Self::MicrosoftTeams];

    /// As the database and forms write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MicrosoftTeams => "microsoft-teams",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::MicrosoftTeams => "Microsoft Teams",
        }
    }

    /// What it is good for, in a sentence.
    pub fn purpose(self) -> &'static str {
        match self {
            Self::MicrosoftTeams => "Shows in Teams when somebody is on the phone.",
        }
    }

    pub fn maker(self) -> Maker {
        match self {
            Self::MicrosoftTeams => Maker::ThirdParty,
        }
    }

    pub fn releases(self) -> &'static [Release] {
        match self {
            Self::MicrosoftTeams => &MICROSOFT_TEAMS,
        }
    }

    /// What a new integration gets, and what Install update leads to.
    pub fn newest(self) -> Release {
        match self {
            Self::MicrosoftTeams => {
                let [.., newest] = MICROSOFT_TEAMS;
                newest
            }
        }
    }

    /// What leads from a release to the newest, each step once; nothing when it is the newest.
    pub fn steps_from(self, release: i32) -> Vec<UpdateStep> {
        let ahead = self.releases().iter().filter(|ahead| ahead.number > release);
        let mut steps: Vec<UpdateStep> = Vec::new();
        for step in ahead.flat_map(|ahead| ahead.steps) {
            if !steps.contains(step) {
                steps.push(*step);
            }
        }
        if release < self.newest().number {
            steps.push(UpdateStep::SwitchOver);
        }
        steps
    }

    /// The release with which an ability came.
    pub fn since(self, ability: Ability) -> Release {
        let bringing = self.releases().iter().find(|release| release.brings.contains(&ability));
        bringing.copied().unwrap_or(self.newest())
    }

    /// Whether an integration of that release has the ability.
    pub fn can(self, release: i32, ability: Ability) -> bool {
        release >= self.since(ability).number
    }

    /// The release of that number. One this program does not know is one of a newer program.
    pub fn release(self, number: i32) -> Option<Release> {
        self.releases().iter().copied().find(|release| release.number == number)
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownKind)
    }
}

impl UpdateStep {
    pub const ALL: [Self; 6] = [
        Self::SignIn,
        Self::Permissions,
        Self::Directory,
        Self::Mapping,
        Self::Matches,
        Self::SwitchOver,
    ];

    /// As the database writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::Permissions => "permissions",
            Self::Directory => "directory",
            Self::Mapping => "mapping",
            Self::Matches => "matches",
            Self::SwitchOver => "switch-over",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::SignIn => "Sign in to Microsoft",
            Self::Permissions => "Check the permissions",
            Self::Directory => "Read the directory",
            Self::Mapping => "Convert the mapping",
            Self::Matches => "Match the users again",
            Self::SwitchOver => "Switch over to the new release",
        }
    }

    /// The label of a step by its name; a newer program may know others.
    pub fn label_of(name: &str) -> &'static str {
        Self::ALL.into_iter().find(|step| step.as_str() == name).map_or("Another step", Self::label)
    }
}

impl Feature {
    /// As the database and URLs write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PresenceSync => "presence-sync",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::PresenceSync => "Sync presence from CloudLink to MS Teams",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_ends_with_switching_over_and_the_newest_needs_none() {
        let steps = Kind::MicrosoftTeams.steps_from(1);
        assert_eq!(steps.last(), Some(&UpdateStep::SwitchOver));
        assert_eq!(steps.len(), 6, "each step once: {steps:?}");
        assert_eq!(Kind::MicrosoftTeams.steps_from(2), []);
        for step in UpdateStep::ALL {
            assert_eq!(UpdateStep::label_of(step.as_str()), step.label());
        }
    }

    #[test]
    fn an_older_release_has_less() {
        for ability in [Ability::OwnMapping, Ability::UserScope] {
            assert!(!Kind::MicrosoftTeams.can(1, ability), "{ability:?}");
            assert!(Kind::MicrosoftTeams.can(2, ability), "{ability:?}");
            assert!(Kind::MicrosoftTeams.can(99, ability), "a newer program knows more");
        }
    }

    #[test]
    fn releases_count_upwards_and_say_what_is_new() {
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert!(kind.releases().is_sorted_by_key(|release| release.number));
            assert!(kind.releases().iter().all(|release| !release.news.is_empty()));
            assert_eq!(kind.release(kind.newest().number), Some(kind.newest()));
            assert_eq!(kind.releases().last(), Some(&kind.newest()));
        }
    }
}
