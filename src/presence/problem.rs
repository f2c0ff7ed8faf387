//! Why a piece of upkeep fell short: something outside refused, or Postgres was away.

use std::time::Duration;

use super::trouble::{Side, Trouble};
use crate::microsoft::{Cause, Permission};
use crate::{cloudlink, microsoft};

#[derive(Debug)]
pub struct Problem {
    pub side: Side,
    /// None: ours (Postgres, or a secret that does not open). The log has it.
    pub trouble: Option<Trouble>,
    pub detail: String,
    pub retry_after: Option<Duration>,
    /// Microsoft's own words, where it was Microsoft.
    pub refusal: Option<microsoft::Refusal>,
}

/// On which side of an account Microsoft's refusal stands.
///
/// Reading the directory needs a permission of its own: without it pushes still go on.
pub fn side_of(cause: Cause) -> Side {
    match cause {
        Cause::PermissionMissing(Permission::UserReadAll) => Side::Directory,
        _ => Side::Microsoft,
    }
}

impl From<microsoft::Refusal> for Problem {
    fn from(refusal: microsoft::Refusal) -> Self {
        Self {
            side: side_of(refusal.cause),
            trouble: Some(Trouble::Microsoft(refusal.cause)),
            detail: refusal.detail.clone(),
            retry_after: refusal.retry_after,
            refusal: Some(refusal),
        }
    }
}

impl From<cloudlink::Refusal> for Problem {
    fn from(refusal: cloudlink::Refusal) -> Self {
        Self {
            side: Side::Feed,
            trouble: Some(Trouble::Cloudlink(refusal.cause)),
            detail: refusal.detail,
            retry_after: refusal.retry_after,
            refusal: None,
        }
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        anyhow::Error::from(error).into()
    }
}

impl From<anyhow::Error> for Problem {
    fn from(error: anyhow::Error) -> Self {
        Self {
            side: Side::Directory,
            trouble: None,
            detail: format!("{error:#}"),
            retry_after: None,
            refusal: None,
        }
    }
}
