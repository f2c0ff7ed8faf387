//! What Teams should show for a state of the telephone: the default table, and each account's own.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::microsoft::Shows;

/// What a state says about Teams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    Show(Shows),
    /// Let Teams decide: end our session.
    Clear,
    /// The state says nothing about Teams: what the state before it decided stays.
    NoChange,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Choose what Teams should show from the list.")]
pub struct UnknownDecision;

impl Decision {
    pub const ALL: [Self; 7] = [
        Self::Show(Shows::Available),
        Self::Show(Shows::InACall),
        Self::Show(Shows::InAConferenceCall),
        Self::Show(Shows::Away),
        Self::Show(Shows::Presenting),
        Self::Clear,
        Self::NoChange,
    ];

    /// As the database and forms write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Show(shows) => shows.as_str(),
            Self::Clear => "clear",
            Self::NoChange => "no-change",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Show(shows) => shows.label(),
            Self::Clear => "Let Teams decide",
            Self::NoChange => "No change",
        }
    }
}

impl FromStr for Decision {
    type Err = UnknownDecision;

    fn from_str(text: &str) -> Result<Self, UnknownDecision> {
        Self::ALL.into_iter().find(|decision| decision.as_str() == text).ok_or(UnknownDecision)
    }
}

/// The default table, state by state in folded form. What it does not name is [`Decision::NoChange`].
pub const DEFAULT: [(&str, Decision); 18] = [
    ("oncall", Decision::Show(Shows::InACall)),
    ("incall", Decision::Show(Shows::InACall)),
    ("busy", Decision::Show(Shows::InACall)),
    ("onthephone", Decision::Show(Shows::InACall)),
    ("inconference", Decision::Show(Shows::InAConferenceCall)),
    ("conference", Decision::Show(Shows::InAConferenceCall)),
    ("dnd", Decision::Show(Shows::Presenting)),
    ("donotdisturb", Decision::Show(Shows::Presenting)),
    ("away", Decision::Show(Shows::Away)),
    ("berightback", Decision::Show(Shows::Away)),
    ("inactive", Decision::Show(Shows::Away)),
    ("available", Decision::Clear),
    ("idle", Decision::Clear),
    ("online", Decision::Clear),
    ("offline", Decision::Clear),
    ("loggedout", Decision::Clear),
    ("unknown", Decision::Clear),
    ("ringing", Decision::NoChange),
];

/// Where the first release differs from the default table, for every account alike: of what a
/// phone says it shows calls, conferences and Do Not Disturb, and else lets Teams decide.
pub const FIRST_RELEASE: [(&str, Decision); 3] =
    [("away", Decision::Clear), ("berightback", Decision::Clear), ("inactive", Decision::Clear)];

/// A state as it is compared: without case, spaces, `_` and `-`.
pub fn fold(state: &str) -> String {
    state
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// The table of one account: the default, and where it differs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    own: BTreeMap<String, Decision>,
}

/// One line of an account's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Folded.
    pub state: String,
    pub decision: Decision,
    /// What the default table says of this state.
    pub default: Decision,
}

impl Mapping {
    /// From the account's own rules, whose states need not be folded.
    pub fn with(own: impl IntoIterator<Item = (String, Decision)>) -> Self {
        Self { own: own.into_iter().map(|(state, decision)| (fold(&state), decision)).collect() }
    }

    /// The fixed table of the first release.
    pub fn of_first_release() -> Self {
        Self::with(FIRST_RELEASE.map(|(state, decision)| (state.to_owned(), decision)))
    }

    pub fn decide(&self, state: &str) -> Decision {
        let state = fold(state);
        self.own.get(&state).copied().unwrap_or_else(|| by_default(&state))
    }

    /// Whether a rule names the state, be it to change nothing.
    pub fn names(&self, state: &str) -> bool {
        let state = fold(state);
        self.own.contains_key(&state) || DEFAULT.iter().any(|(name, _)| *name == state)
    }

    /// The whole table: the default's lines in its order, then the account's additions.
    pub fn rules(&self) -> Vec<Rule> {
        let defaults = DEFAULT.iter().map(|(state, _)| (*state).to_owned());
        let added = self.own.keys().filter(|state| DEFAULT.iter().all(|(name, _)| name != state));
        defaults
            .chain(added.cloned())
            .map(|state| Rule { decision: self.decide(&state), default: by_default(&state), state })
            .collect()
    }

    /// Only what differs from the default, as it is kept.
    pub fn differences(&self) -> impl Iterator<Item = (&str, Decision)> {
        self.own.iter().map(|(state, decision)| (state.as_str(), *decision)).filter(
            |(state, decision)| {
                let named = DEFAULT.iter().any(|(name, _)| name == state);
                !named || by_default(state) != *decision
            },
        )
    }
}

fn by_default(folded: &str) -> Decision {
    DEFAULT
        .iter()
        .find(|(name, _)| *name == folded)
        .map_or(Decision::NoChange, |(_, decision)| *decision)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_default_table_is_the_specified_one() {
        let default = Mapping::default();
        for (state, decision) in [
            ("On Call", Decision::Show(Shows::InACall)),
            ("ON_THE_PHONE", Decision::Show(Shows::InACall)),
            ("in-conference", Decision::Show(Shows::InAConferenceCall)),
            ("Do Not Disturb", Decision::Show(Shows::Presenting)),
            ("be right back", Decision::Show(Shows::Away)),
            ("LoggedOut", Decision::Clear),
            ("Idle", Decision::Clear),
            ("ringing", Decision::NoChange),
            ("on vacation", Decision::NoChange),
        ] {
            assert_eq!(default.decide(state), decision, "{state}");
        }
        assert!(default.names("Ringing"));
        assert!(!default.names("on vacation"));
    }

    #[test]
    fn the_first_release_shows_calls_and_do_not_disturb_and_nothing_else() {
        let fixed = Mapping::of_first_release();
        for (state, default) in DEFAULT {
            let shown = match default {
                Decision::Show(Shows::InACall | Shows::InAConferenceCall | Shows::Presenting)
                | Decision::NoChange => default,
                _ => Decision::Clear,
            };
            assert_eq!(fixed.decide(state), shown, "{state}");
        }
        assert_eq!(fixed.decide("on vacation"), Decision::NoChange);
    }

    #[test]
    fn what_equals_the_default_is_not_kept() {
        let own = Mapping::with([
            ("Idle".to_owned(), Decision::Show(Shows::Available)),
            ("busy".to_owned(), Decision::Show(Shows::InACall)),
            ("lunch".to_owned(), Decision::NoChange),
        ]);
        let kept: Vec<_> = own.differences().collect();
        assert_eq!(
            kept,
            [("idle", Decision::Show(Shows::Available)), ("lunch", Decision::NoChange)]
        );
        assert_eq!(own.rules().len(), DEFAULT.len() + 1);
    }

    proptest! {
        #[test]
        fn spelling_does_not_matter(state in "[A-Za-z _-]{0,20}", own in "[A-Za-z _-]{0,20}") {
            let mapping = Mapping::with([(own.clone(), Decision::Show(Shows::Away))]);
            let spelled = format!(" {}_", state.to_uppercase());
            prop_assert_eq!(mapping.decide(&state), mapping.decide(&spelled));
            prop_assert_eq!(fold(&fold(&state)), fold(&state));
            prop_assert_eq!(mapping.decide(&own), Decision::Show(Shows::Away));
        }

        #[test]
        fn every_decision_reads_back_what_it_writes(index in 0..Decision::ALL.len()) {
            let decision = Decision::ALL[index];
            prop_assert_eq!(decision.as_str().parse(), Ok(decision));
        }
    }
}
