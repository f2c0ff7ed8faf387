//! Signing in, slowed: per account, and per address far more generously.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;

use super::store::attempts::{self, Limit};
use crate::kit::email::Email;

/// For one person's e-mail address or second factor.
const PERSON: Limit = Limit {
    free: 5,
    first_wait: TimeDelta::seconds(15),
    longest_wait: TimeDelta::minutes(15),
    memory: TimeDelta::hours(24),
};

/// For everybody behind one network address, which may be a whole office.
const ADDRESS: Limit = Limit {
    free: 50,
    first_wait: TimeDelta::seconds(15),
    longest_wait: TimeDelta::minutes(15),
    memory: TimeDelta::hours(1),
};

/// Which door an attempt knocks at.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    /// There need be no such person: a door that does not exist closes like one that does.
    person: Option<String>,
    address: String,
}

/// The door is closed for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Closed {
    pub wait: TimeDelta,
    whose: Whose,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Person,
    Address,
}

impl Attempt {
    pub(super) fn with_password(email: &Email, address: IpAddr) -> Self {
        Self { person: Some(format!("email {}", email.folded())), address: network(address) }
    }

    pub(super) fn with_code(email: &Email, address: IpAddr) -> Self {
        Self { person: Some(format!("code {}", email.folded())), address: network(address) }
    }

    pub(super) fn with_setup_code(address: IpAddr) -> Self {
        Self { person: None, address: network(address) }
    }

    /// Counts it as failed until [`Attempt::succeeded`]. When a door is closed, nothing is counted.
    pub(super) async fn take(
        &self,
        db: &sqlx::PgPool,
        now: DateTime<Utc>,
    ) -> sqlx::Result<Result<(), Closed>> {
        let mut tx = db.begin().await?;
        if let Some(person) = &self.person
            && let Err(until) = attempts::take(&mut tx, person, PERSON, now).await?
        {
            return Ok(Err(Closed { wait: until - now, whose: Whose::Person }));
        }
        if let Err(until) = attempts::take(&mut tx, &self.address, ADDRESS, now).await? {
            return Ok(Err(Closed { wait: until - now, whose: Whose::Address }));
        }
        tx.commit().await?;
        Ok(Ok(()))
    }

    /// Forgives the person everything, and the address this attempt.
    pub(super) async fn succeeded(&self, tx: &mut PgConnection) -> sqlx::Result<()> {
        self.forgive(&mut *tx).await?;
        attempts::take_back(tx, &self.address).await
    }

    /// Forgives the person everything.
    pub(super) async fn forgive(&self, tx: &mut PgConnection) -> sqlx::Result<()> {
        match &self.person {
            Some(person) => attempts::forget(tx, person).await,
            None => Ok(()),
        }
    }
}

impl Closed {
    /// What the page says. The same whether or not there is such a person.
    pub(super) fn words(self) -> String {
        let wait = in_words(self.wait);
        match self.whose {
            Whose::Person => {
                format!("Too many attempts for this e-mail address. Try again in {wait}.")
            }
            Whose::Address => {
                format!("Too many attempts from your network. Try again in {wait}.")
            }
        }
    }

    pub(super) fn seconds(self) -> i64 {
        seconds(self.wait)
    }
}

/// Whole seconds, upwards: who waits so long is let in.
fn seconds(wait: TimeDelta) -> i64 {
    (wait.num_milliseconds() + 999).div_euclid(1000).max(1)
}

fn in_words(wait: TimeDelta) -> String {
    match seconds(wait) {
        1 => "1 second".to_owned(),
        seconds @ ..60 => format!("{seconds} seconds"),
        60 => "1 minute".to_owned(),
        seconds => format!("{} minutes", (seconds + 59) / 60),
    }
}

/// An IPv6 visitor has 2⁶⁴ addresses of their own, so their network stands for them.
pub fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => format!("address {v4}"),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("address {a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_said_in_words_and_never_too_short() {
        assert_eq!(in_words(TimeDelta::milliseconds(1)), "1 second");
        assert_eq!(in_words(TimeDelta::milliseconds(14_001)), "15 seconds");
        assert_eq!(in_words(TimeDelta::seconds(60)), "1 minute");
        assert_eq!(in_words(TimeDelta::seconds(61)), "2 minutes");
        assert_eq!(in_words(TimeDelta::minutes(15)), "15 minutes");
    }

    #[test]
    fn neighbours_in_one_ipv6_network_share_a_limit() {
        let network_of = |text: &str| network(text.parse().unwrap());
        assert_eq!(network_of("2001:db8::1"), network_of("2001:db8::ffff:2"));
        assert_ne!(network_of("2001:db8::1"), network_of("2001:db8:0:1::1"));
        assert_eq!(network_of("::ffff:192.0.2.1"), network_of("192.0.2.1"));
    }
}
