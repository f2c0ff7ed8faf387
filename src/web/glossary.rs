//! The words of the field, explained in a sentence or two: where they stand, and in one list.

/// A word, and what it means here.
#[derive(Clone, Copy, Debug)]
pub struct Term {
    /// As templates name it.
    pub key: &'static str,
    pub word: &'static str,
    pub meaning: &'static str,
}

/// In the order of the alphabet.
pub const TERMS: &[Term] = &[
    Term {
        key: "delay",
        word: "Delay",
        meaning: "The time from what a telephone did to Microsoft’s answer. Half of all pushes are \
                  quicker than the median; 95 of 100 are quicker than the second figure. Our share \
                  ends when the request leaves.",
    },
    Term {
        key: "feed",
        word: "Feed",
        meaning: "The events that CloudLink sends us when a telephone changes. It is silent when \
                  none come, and then the subscription behind it is looked at and made anew.",
    },
    Term {
        key: "lease",
        word: "Lease",
        meaning: "A node’s claim to work for an account. Each account is worked for by one node; if \
                  that one goes away, another takes the account over within 15 seconds.",
    },
    Term {
        key: "match",
        word: "Match",
        meaning: "The link between a CloudLink user and a Microsoft Entra user: the same e-mail \
                  address, or chosen by hand. Without one there is nobody to show anything for.",
    },
    Term {
        key: "node",
        word: "Node",
        meaning: "One running process of this portal. Several may share one database and its work.",
    },
    Term {
        key: "presentity",
        word: "Presentity",
        meaning: "CloudLink’s word for whoever has a presence. Here it is a user, known by this id.",
    },
    Term {
        key: "push",
        word: "Push",
        meaning: "One request to Microsoft: to set, renew or clear what Teams shows for a user.",
    },
    Term {
        key: "quarantine",
        word: "Quarantine",
        meaning: "An account rests here when going on is of no use before somebody acts. It is tried \
                  once an hour, and the first success ends it.",
    },
    Term {
        key: "read-back",
        word: "Read-back",
        meaning: "What Microsoft says that Teams shows now. It is asked for anew, so that nobody has \
                  to take our word for it.",
    },
    Term {
        key: "release",
        word: "Release",
        meaning: "The version of an integration. Install update moves it to the newest; until then \
                  it stays as it is, with what that release can do.",
    },
    Term {
        key: "session",
        word: "Session",
        meaning: "What we hold in Teams for a user while their telephone says something. It ends by \
                  itself unless we renew it; without one, Teams decides alone.",
    },
    Term {
        key: "throttling",
        word: "Throttling",
        meaning: "Microsoft asks us to wait when there were too many requests. Nothing is lost: it \
                  is sent when the wait is over, calls first.",
    },
];

/// The word of that key and what it means; nothing for a key that is not there.
pub fn of(key: &str) -> (&'static str, &'static str) {
    let term = TERMS.iter().find(|term| term.key == key);
    term.map_or(("", ""), |term| (term.word, term.meaning))
}
