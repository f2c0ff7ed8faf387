//! Passwords: slow to guess, and never slow for anybody else.

use std::sync::Arc;
use std::thread::available_parallelism;

use anyhow::anyhow;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::secret::Secret;

/// How dear one guess is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// Argon2id with 19 MiB and two passes, as OWASP recommends.
    Recommended,
    /// Next to nothing: for tests, which sign in a hundred times a second.
    Trifling,
}

impl Cost {
    fn params(self) -> Params {
        match self {
            Self::Recommended => Params::DEFAULT,
            Self::Trifling => Params::new(Params::MIN_M_COST, 1, 1, None).unwrap_or_default(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Wrong,
    Right,
    /// Right, but hashed when hashing was cheaper: hash it anew while it is at hand.
    RightButWeak,
}

/// Hashes and verifies on threads of their own, a few at a time, so that a flood of
/// sign-ins takes neither the memory nor the threads that serve everybody.
#[derive(Clone)]
pub struct Passwords {
    params: Params,
    turns: Arc<Semaphore>,
}

impl Passwords {
    pub fn new(cost: Cost) -> Self {
        let turns = available_parallelism().map_or(2, usize::from).clamp(2, 8);
        Self { params: cost.params(), turns: Arc::new(Semaphore::new(turns)) }
    }

    /// The hash in PHC form, with a salt of its own.
    pub async fn hash(&self, password: &Secret) -> anyhow::Result<String> {
        let password = password.clone();
        let argon2 = self.argon2();
        self.in_turn(move || {
            let hash = argon2.hash_password(password.reveal().as_bytes());
            hash.map(|hash| hash.to_string()).map_err(|error| anyhow!("hashing failed: {error}"))
        })
        .await?
    }

    /// Whether `password` is the one that was hashed. Without a hash it is wrong, and takes
    /// as long to be: nobody learns from the time whether there is such a person.
    pub async fn verify(&self, password: &Secret, hash: Option<&str>) -> anyhow::Result<Verdict> {
        let Some(hash) = hash else {
            self.hash(password).await?;
            return Ok(Verdict::Wrong);
        };
        let hash = PasswordHash::new(hash).map_err(|e| anyhow!("a kept hash is malformed: {e}"))?;
        let kept = Params::try_from(&hash).map_err(|e| anyhow!("a kept hash is malformed: {e}"))?;
        let weak = kept.m_cost() < self.params.m_cost() || kept.t_cost() < self.params.t_cost();
        let password = password.clone();
        let argon2 = self.argon2();
        self.in_turn(move || match argon2.verify_password(password.reveal().as_bytes(), &hash) {
            Err(_) => Verdict::Wrong,
            Ok(()) if weak => Verdict::RightButWeak,
            Ok(()) => Verdict::Right,
        })
        .await
    }

    fn argon2(&self) -> Argon2<'static> {
        Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params.clone())
    }

    /// The turn goes with the work: a visitor who gives up does not let two take one place.
    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> anyhow::Result<T> {
        let turn = Arc::clone(&self.turns).acquire_owned().await?;
        let done = spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        Ok(done.await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_recognised_and_another_is_not() {
        let passwords = Passwords::new(Cost::Recommended);
        let hash = passwords.hash(&Secret::new("correct horse")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let verify =
            async |text: &str, hash| passwords.verify(&Secret::new(text), hash).await.unwrap();
        assert_eq!(verify("correct horse", Some(&hash)).await, Verdict::Right);
        assert_eq!(verify("battery staple", Some(&hash)).await, Verdict::Wrong);
        assert_eq!(verify("correct horse", None).await, Verdict::Wrong);
    }

    #[tokio::test]
    async fn a_hash_from_cheaper_days_is_told_apart() {
        let password = Secret::new("correct horse");
        let cheap = Passwords::new(Cost::Trifling).hash(&password).await.unwrap();
        let verdict = Passwords::new(Cost::Recommended).verify(&password, Some(&cheap)).await;
        assert_eq!(verdict.unwrap(), Verdict::RightButWeak);
    }
}
