//! The people who sign in: roles, sessions, who may see what.
//!
//! A handler that takes a [`Viewer`] is closed to strangers. What a role may not
//! see is a 404; what it may see but not change is a 403 and has no button.

mod add;
mod browser;
pub mod carry;
mod cookie;
mod door;
mod extract;
mod form;
mod link;
mod pages;
pub mod password;
mod profile;
mod qr;
mod rights;
mod second_factor;
pub mod setup;
mod sign_in;
pub mod store;
mod throttle;

use std::net::IpAddr;
use std::str::FromStr;

use chrono::TimeDelta;

use crate::audit::Actor;
use crate::ids::StaffId;
use crate::kit::email::Email;
use crate::kit::text;
use crate::kit::token::TokenDigest;
use crate::web::{Chrome, Person, Place, Section, assets};

pub use add::{AddError, Addition, add};
pub use cookie::{ended_session, session_cookie};
pub use extract::PartnerAdmin;
pub use pages::routes;
pub use throttle::network;

/// A session nobody used for this long has ended. A page that refreshes itself is no use.
pub const IDLE_LIMIT: TimeDelta = TimeDelta::hours(2);
/// A session ends after this long, used or not.
pub const ABSOLUTE_LIMIT: TimeDelta = TimeDelta::hours(12);
/// Who gave the right password has so long to give the code of the second factor.
const HALF_LIMIT: TimeDelta = TimeDelta::minutes(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "kebab-case")]
pub enum Role {
    /// Everything, every account.
    PartnerAdmin,
    /// The accounts assigned to them.
    AccountAdmin,
    /// Reads what their accounts show, changes nothing.
    Auditor,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::PartnerAdmin, Self::AccountAdmin, Self::Auditor];

    /// As the database and the command line write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PartnerAdmin => "partner-admin",
            Self::AccountAdmin => "account-admin",
            Self::Auditor => "auditor",
        }
    }

    /// To choose from: as the database writes them, and in words.
    pub fn choices() -> [(&'static str, &'static str); 3] {
        Self::ALL.map(|role| (role.as_str(), role.words()))
    }

    fn words(self) -> &'static str {
        match self {
            Self::PartnerAdmin => "Partner admin: everything, every account",
            Self::AccountAdmin => "Account admin: looks after the accounts ticked below",
            Self::Auditor => "Auditor: reads the accounts ticked below, changes nothing",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::PartnerAdmin => "Partner admin",
            Self::AccountAdmin => "Account admin",
            Self::Auditor => "Auditor",
        }
    }
}

#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("Choose a role: partner-admin, account-admin or auditor.")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(UnknownRole)
    }
}

/// Whoever is signed in and asks.
#[derive(Clone, Debug)]
pub struct Viewer {
    pub staff: StaffId,
    pub name: String,
    pub email: Email,
    pub role: Role,
    /// The session they ask with.
    pub session: TokenDigest,
    pub address: IpAddr,
    /// What the page before this one had to say.
    pub flash: Option<String>,
}

/// What a button asks of whoever presses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    Look,
    Change,
    /// What concerns every account, or the portal itself.
    Partner,
}

impl Viewer {
    pub fn has(&self, right: Right) -> bool {
        match right {
            Right::Look => true,
            Right::Change => self.may_change(),
            Right::Partner => self.is_partner(),
        }
    }

    pub fn may_change(&self) -> bool {
        self.role != Role::Auditor
    }

    pub fn is_partner(&self) -> bool {
        self.role == Role::PartnerAdmin
    }

    /// Whose accounts a store should look among; `None` is everybody's.
    pub fn scope(&self) -> Option<StaffId> {
        (!self.is_partner()).then_some(self.staff)
    }

    pub fn actor(&self) -> Actor {
        Actor::staff(self.staff, &self.email, self.address)
    }

    pub fn chrome(&self, title: impl Into<String>, section: Section) -> Chrome {
        self.chrome_at(title, Place::Section(section))
    }

    pub fn chrome_at(&self, title: impl Into<String>, place: Place) -> Chrome {
        Chrome {
            title: title.into(),
            place,
            person: Person {
                name: self.name.clone(),
                email: self.email.to_string(),
                role: self.role.label(),
                is_partner: self.is_partner(),
                may_change: self.may_change(),
            },
            flash: self.flash.clone(),
            assets: assets::Urls,
        }
    }
}

#[derive(Clone, Copy, Debug, thiserror::Error)]
enum NotAName {
    #[error("Enter a name.")]
    Empty,
    #[error(transparent)]
    NotALine(#[from] text::NotALine),
}

/// A person's name, as they write it.
fn parse_name(typed: &str) -> Result<String, NotAName> {
    let name = text::line(typed, 100)?;
    if name.is_empty() { Err(NotAName::Empty) } else { Ok(name) }
}
