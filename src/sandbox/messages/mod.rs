//! Where everything ends that the portal tells somebody: a pretend mail server and a receiver
//! of webhooks, which keep what they get to be looked at.

mod letter;
mod smtp;

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub(super) use smtp::serve;

use super::Controls;

/// A letter that was taken.
#[derive(Clone, Debug, Serialize)]
pub struct Letter {
    pub at: DateTime<Utc>,
    pub from: String,
    pub to: String,
    pub subject: String,
    pub message_id: String,
    pub in_reply_to: String,
    pub text: String,
}

/// What came by a webhook.
#[derive(Clone, Debug, Serialize)]
pub struct Posted {
    pub at: DateTime<Utc>,
    /// The last segment of its address.
    pub to: String,
    pub id: String,
    pub timestamp: String,
    pub signature: String,
    pub body: String,
    /// What it was answered.
    pub status: u16,
}

/// How the mail server takes letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MailManners {
    #[default]
    Takes,
    /// 451: later.
    Puts,
    /// 550: never.
    Refuses,
}

impl MailManners {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Takes => "takes",
            Self::Puts => "puts",
            Self::Refuses => "refuses",
        }
    }
}

/// Older ones are forgotten.
const KEPT: usize = 500;

/// Both, with what they got.
pub(super) struct Messages(Mutex<Kept>);

struct Kept {
    mail: MailManners,
    hook_status: u16,
    letters: VecDeque<Letter>,
    posted: VecDeque<Posted>,
}

impl Default for Messages {
    fn default() -> Self {
        let kept = Kept {
            mail: MailManners::default(),
            hook_status: 200,
            letters: VecDeque::new(),
            posted: VecDeque::new(),
        };
        Self(Mutex::new(kept))
    }
}

impl Messages {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Controls {
    /// Every letter so far, oldest first.
    pub fn letters(&self) -> Vec<Letter> {
        self.messages().lock().letters.iter().cloned().collect()
    }

    /// Everything that came by webhook so far, oldest first.
    pub fn posted(&self) -> Vec<Posted> {
        self.messages().lock().posted.iter().cloned().collect()
    }

    pub fn mail_manners(&self) -> MailManners {
        self.messages().lock().mail
    }

    pub fn mail_now(&self, manners: MailManners) {
        self.messages().lock().mail = manners;
        self.poke();
    }

    pub fn hook_status(&self) -> u16 {
        self.messages().lock().hook_status
    }

    /// What webhooks are answered from now on.
    pub fn hooks_answer(&self, status: u16) {
        self.messages().lock().hook_status = status;
        self.poke();
    }

    pub fn forget_messages(&self) {
        let mut kept = self.messages().lock();
        kept.letters.clear();
        kept.posted.clear();
        drop(kept);
        self.poke();
    }

    fn take_letter(&self, letter: Letter) {
        let mut kept = self.messages().lock();
        keep(&mut kept.letters, letter);
        drop(kept);
        self.poke();
    }

    pub(super) fn take_posted(&self, posted: Posted) {
        let mut kept = self.messages().lock();
        keep(&mut kept.posted, posted);
        drop(kept);
        self.poke();
    }
}

fn keep<T>(kept: &mut VecDeque<T>, new: T) {
    if kept.len() == KEPT {
        kept.pop_front();
    }
    kept.push_back(new);
}
