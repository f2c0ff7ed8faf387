//! What is to be told to whom: what is open against what each recipient was told.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::message::Event;
use super::open::Open;
use super::reason::Reason;
use crate::ids::{AccountId, ChannelId, MessageId};

/// What comes and goes by itself has to stay away so long before it is called over.
pub const SETTLED: TimeDelta = TimeDelta::minutes(5);

/// One recipient of one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hearer {
    pub channel: ChannelId,
    /// None: hears of every account.
    pub account: Option<AccountId>,
    /// Two hearers with the same one are one recipient.
    pub recipient: String,
    /// The mail address; empty for all else.
    pub address: String,
}

impl Hearer {
    fn hears(&self, account: AccountId) -> bool {
        self.account.is_none_or(|its| its == account)
    }
}

/// What a recipient was told last of a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub account: AccountId,
    pub name: String,
    pub recipient: String,
    pub problem: String,
    pub reason: Reason,
    /// The message that told it first.
    pub message: MessageId,
    pub gone_at: Option<DateTime<Utc>>,
}

/// One difference, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// To be told, after what was told before.
    Tell { to: &'a Hearer, event: Event, open: &'a Open, before: Option<&'a Told> },
    /// To be told that it is over.
    Over { to: &'a Hearer, told: &'a Told },
    /// It is away; whether for good shows later.
    Gone(&'a Told),
    /// It was away and is back, for the same reason: nothing to tell.
    Back(&'a Told),
    /// Nobody is there any more to be told that it is over.
    Forget(&'a Told),
}

type Key<'a> = (AccountId, &'a str, &'a str);

/// Every difference. Of several hearers who are one recipient, the first is used.
pub fn compare<'a>(
    open: &'a [Open],
    told: &'a [Told],
    hearers: &'a [Hearer],
    now: DateTime<Utc>,
) -> Vec<Step<'a>> {
    let known: BTreeMap<Key<'_>, &Told> = told
        .iter()
        .map(|told| ((told.account, told.recipient.as_str(), told.problem.as_str()), told))
        .collect();
    let mut steps = Vec::new();
    let mut is_open: BTreeSet<Key<'_>> = BTreeSet::new();
    for open in open {
        let hearing = hearers.iter().filter(|hearer| hearer.hears(open.account));
        for hearer in hearing {
            let key = (open.account, hearer.recipient.as_str(), open.problem.as_str());
            if is_open.insert(key) {
                let covered = open.covers.map(|problem| (open.account, key.1, problem));
                let told = known.get(&key).or_else(|| known.get(&covered?));
                steps.extend(step_for_open(open, hearer, told.copied()));
            }
        }
    }
    for (key, told) in known {
        if !is_open.contains(&key) {
            let (account, recipient, _) = key;
            let hearer = hearers.iter().find(|it| it.recipient == recipient && it.hears(account));
            steps.extend(step_for_gone(told, hearer, now));
        }
    }
    steps
}

fn step_for_open<'a>(open: &'a Open, to: &'a Hearer, before: Option<&'a Told>) -> Option<Step<'a>> {
    let is_reminder = open.reason.is_reminder();
    let Some(told) = before else {
        let first = if open.reason.is_refused() { Event::Opened } else { Event::Reminder };
        let event = if is_reminder { first } else { Event::Opened };
        return open.ripe.then_some(Step::Tell { to, event, open, before: None });
    };
    if open.ripe && open.reason.is_news_after(&told.reason) {
        let event = if is_reminder { Event::Reminder } else { Event::Changed };
        return Some(Step::Tell { to, event, open, before });
    }
    // Another reason that is not ripe yet is no proof that the first has ended.
    told.gone_at.is_some().then_some(Step::Back(told))
}

fn step_for_gone<'a>(
    told: &'a Told,
    hearer: Option<&'a Hearer>,
    now: DateTime<Utc>,
) -> Option<Step<'a>> {
    let Some(to) = hearer else { return Some(Step::Forget(told)) };
    match told.gone_at {
        _ if told.reason.needs_person() => Some(Step::Over { to, told }),
        Some(gone) if gone + SETTLED <= now => Some(Step::Over { to, told }),
        Some(_) => None,
        None => Some(Step::Gone(told)),
    }
}
