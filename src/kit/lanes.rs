//! Several HTTP clients side by side: whoever gets no answer takes the way from few others.
//!
//! Over HTTP/2 all requests to a host share one connection, in which its server lets only so many
//! be on their way, a hundred as a rule. Requests of some that are never answered could fill it,
//! and all others would wait for them.

use std::hash::{DefaultHasher, Hash, Hasher};

use reqwest::Client;

use super::http::http_client;

/// How many lanes there are.
const LANES: u64 = 8;

#[derive(Clone, Debug)]
pub struct Lanes {
    first: Client,
    others: Vec<Client>,
}

impl Lanes {
    pub fn open() -> anyhow::Result<Self> {
        let others = (1..LANES).map(|_| http_client()).collect::<anyhow::Result<_>>()?;
        Ok(Self { first: http_client()?, others })
    }

    /// The lane of this one: always the same.
    pub fn of(&self, whom: impl Hash) -> &Client {
        let mut hasher = DefaultHasher::new();
        whom.hash(&mut hasher);
        let place = usize::try_from(hasher.finish() % LANES).unwrap_or(0);
        self.others.get(place).unwrap_or(&self.first)
    }
}

/// One lane for everybody.
impl From<Client> for Lanes {
    fn from(first: Client) -> Self {
        Self { first, others: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_a_lane_and_neighbours_are_few() {
        let lanes = Lanes::open().unwrap();
        let lane = |whom: u32| std::ptr::from_ref(lanes.of(whom));
        let all: Vec<_> = (0..800).map(lane).collect();
        assert_eq!(all, (0..800).map(lane).collect::<Vec<_>>());
        for one in &all {
            let neighbours = all.iter().filter(|other| *other == one).count();
            assert!((50..200).contains(&neighbours), "{neighbours}");
        }
    }
}
