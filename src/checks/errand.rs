//! What one run is about, and the book it writes its lines into.

use std::sync::Mutex;
use std::sync::PoisonError;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::lines::{Finding, Group, Line, State};
use super::store;
use crate::ids::{AccountId, CloudlinkAccountId, EntraUserId, IntegrationId};
use crate::state::AppState;

/// One run, claimed by this node.
#[derive(Clone, Debug)]
pub struct Errand {
    pub run: Uuid,
    pub account: AccountId,
    pub cloudlink_id: CloudlinkAccountId,
    pub integration: IntegrationId,
    /// The user on whom to try whether presence can be set, when somebody asked for that.
    pub pilot: Option<EntraUserId>,
    pub pilot_name: String,
    /// Somebody asked; else the night did.
    pub asked: bool,
    /// A person has seen that a directory had shrunk, and asked again.
    pub believes: bool,
    pub started_at: DateTime<Utc>,
    /// Of the connection; none while the setup is not complete.
    pub version: Option<i32>,
}

/// Another node runs this check by now, or the integration is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the run is somebody else’s")]
pub struct Lost;

/// Writes lines down as they are known, and remembers them.
pub struct Book<'a> {
    pub app: &'a AppState,
    pub errand: &'a Errand,
    found: Mutex<Vec<(Line, Finding)>>,
}

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Sum {
    pub reds: i32,
    pub ambers: i32,
    pub urgent: i32,
    /// The first line that a person has to mend, and what was seen.
    pub worst: Option<(Line, String)>,
    /// Lines that are as they should be.
    pub greens: Vec<Line>,
    /// Something could not be looked at, and will be soon.
    pub incomplete: bool,
    /// Lines of which nobody can say anything yet.
    pub waiting: i32,
    /// The gravest line: what a person has to mend, before all else that is red, before a
    /// permission that could not be proved.
    pub gravest: Option<Finding>,
}

impl<'a> Book<'a> {
    pub fn new(app: &'a AppState, errand: &'a Errand) -> Self {
        Self { app, errand, found: Mutex::default() }
    }

    pub async fn note(&self, line: Line, finding: Finding) -> anyhow::Result<()> {
        let now = self.app.clock.now();
        if !store::write_line(&self.app.db, self.errand, line, &finding, now).await? {
            return Err(Lost.into());
        }
        self.found.lock().unwrap_or_else(PoisonError::into_inner).push((line, finding));
        Ok(())
    }

    /// The same for several lines that one cause keeps from being looked at.
    pub async fn skip(&self, lines: &[Line], why: &str) -> anyhow::Result<()> {
        for line in lines {
            self.note(*line, Finding::not_looked_at(why)).await?;
        }
        Ok(())
    }

    pub fn sum(&self) -> Sum {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sum = Sum::default();
        for (line, finding) in found.iter() {
            if finding.state == State::Green {
                sum.greens.push(*line);
            }
            sum.reds += i32::from(finding.state == State::Red);
            sum.ambers += i32::from(finding.state == State::Amber);
            sum.incomplete |= finding.passing;
            sum.waiting += i32::from(finding.passing && finding.state == State::NotLookedAt);
            if finding.urgent {
                sum.worst.get_or_insert_with(|| (*line, finding.alone().to_owned()));
                sum.urgent += 1;
            }
        }
        let of = |wanted: fn(Line, &Finding) -> bool| {
            let found = found.iter().find(|(line, finding)| wanted(*line, finding));
            found.map(|(_, finding)| finding.clone())
        };
        sum.gravest = of(|_, it| it.urgent)
            .or_else(|| of(|_, it| it.state == State::Red))
            .or_else(|| of(|line, it| it.passing && line.group() == Group::Permissions));
        sum
    }

    /// Whether a line came out green, as far as it was looked at.
    pub fn is_green(&self, wanted: Line) -> bool {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.iter().any(|(line, finding)| *line == wanted && finding.state == State::Green)
    }
}
