//! Long work over accounts: a run, and an item for each account it goes over.
//!
//! The rows are the truth. Whoever begins a run only writes them; a [`Runner`] on any node claims
//! items, does them and writes down what came of each. So a run survives a reload, signing out, a
//! restart and a kill: a claim that is not kept runs out, and another goes on with the step that
//! was not done. How an item is done is a [`Doer`]'s to know.

mod figures;
mod ring;
mod runner;
pub mod store;

use chrono::{DateTime, Utc};

use crate::audit::Actor;
use crate::ids::{AccountId, RunId, StaffId};

pub use ring::rings;
pub use runner::{Doer, Pace, Runner};

/// What is done to each account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "kebab-case")]
pub enum Deed {
    Update,
    Test,
    SwitchOn,
    SwitchOff,
    Import,
    ForgetImported,
}

/// How a run came about, and so where it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "kebab-case")]
pub enum Kind {
    /// An account's own.
    One,
    /// In rings.
    Fleet,
    Bulk,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "kebab-case")]
pub enum State {
    Running,
    /// By failures, until somebody lets it go on.
    Stopped,
    Cancelled,
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "kebab-case")]
pub enum ItemState {
    Waiting,
    Working,
    Done,
    /// There was nothing to do.
    Nothing,
    Failed,
    Cancelled,
}

#[derive(Clone, Debug)]
pub struct Run {
    pub id: RunId,
    pub deed: Deed,
    pub kind: Kind,
    pub staff: Option<StaffId>,
    pub actor: String,
    pub begun_at: DateTime<Utc>,
    pub state: State,
    pub stopped_why: Option<String>,
    pub ended_at: Option<DateTime<Utc>>,
    /// Nothing further is begun.
    pub cancelled_at: Option<DateTime<Utc>>,
    pub ring: i16,
    pub next_ring_at: Option<DateTime<Utc>>,
    pub items: i32,
    pub done: i32,
    pub nothing: i32,
    pub failed: i32,
    pub undoes: Option<RunId>,
    pub undone_by: Option<RunId>,
}

/// One account's part in a run.
#[derive(Clone, Debug)]
pub struct Item {
    pub account: AccountId,
    /// The account's name as it was then.
    pub name: String,
    pub ring: i16,
    pub state: ItemState,
    /// Its steps by name, once it is begun and has more than one.
    pub plan: Vec<String>,
    /// How many of them are done.
    pub step: i16,
    pub said: String,
    pub advice: String,
    pub detail: String,
    pub ended_at: Option<DateTime<Utc>>,
}

/// An item that this node has claimed.
#[derive(Clone, Debug)]
pub struct Job {
    pub run: RunId,
    pub deed: Deed,
    pub kind: Kind,
    pub actor: Actor,
    /// The run whose changes are taken back.
    pub undoes: Option<RunId>,
    pub account: AccountId,
    pub name: String,
    /// How many steps were done before, here or elsewhere.
    pub step: i16,
    pub claim: i64,
    /// How often it was claimed since it came a step further, this time among them.
    pub tries: i16,
}

/// What came of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done(String),
    /// Why there was nothing to do.
    Nothing(String),
    Failed(Failure),
}

/// Why an item failed: what is the matter, what to do, and what a vendor's support will ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    pub title: String,
    pub advice: String,
    pub detail: String,
}

impl Deed {
    /// What may be done to ticked accounts.
    pub const OVER_TICKED: [Self; 4] = [Self::Test, Self::SwitchOn, Self::SwitchOff, Self::Update];

    /// As forms write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Update => "update",
            Self::Test => "test",
            Self::SwitchOn => "switch-on",
            Self::SwitchOff => "switch-off",
            Self::Import => "import",
            Self::ForgetImported => "forget-imported",
        }
    }

    /// What is done, as a heading.
    pub fn label(self) -> &'static str {
        match self {
            Self::Update => "Install update",
            Self::Test => "Test connections",
            Self::SwitchOn => "Switch presence sync on",
            Self::SwitchOff => "Switch presence sync off",
            Self::Import => "Import from CloudLink",
            Self::ForgetImported => "Take an import back",
        }
    }
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::Fleet => "fleet",
            Self::Bulk => "bulk",
        }
    }
}

impl Run {
    /// How many items have ended.
    pub fn ended(&self) -> i32 {
        self.done + self.nothing + self.failed
    }

    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Running | State::Stopped)
    }
}

impl State {
    /// Its kind of icon and colour, and the word for it.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Running => ("working", "Running"),
            Self::Stopped => ("warn", "Stopped"),
            Self::Cancelled => ("neutral", "Cancelled"),
            Self::Done => ("ok", "Finished"),
        }
    }
}

impl ItemState {
    pub fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Working)
    }

    /// As the database and addresses write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Working => "working",
            Self::Done => "done",
            Self::Nothing => "nothing",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Waiting => ("neutral", "Waiting"),
            Self::Working => ("working", "Working"),
            Self::Done => ("ok", "Done"),
            Self::Nothing => ("neutral", "Nothing to do"),
            Self::Failed => ("danger", "Failed"),
            Self::Cancelled => ("neutral", "Cancelled"),
        }
    }
}
