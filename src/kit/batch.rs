//! Group commit: many callers, one statement.
//!
//! Callers hand in items and wait for their answers; whoever flushes takes all that waits. So an
//! item that comes alone goes alone and at once, and batches grow with load. Flushes keep a
//! little apart: a statement costs the most before it has looked at its first row.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

struct Waiting<I, O> {
    item: I,
    answer: oneshot::Sender<O>,
}

/// Where items are handed in.
#[derive(Debug)]
pub struct Batcher<I, O>(mpsc::Sender<Waiting<I, O>>);

impl<I, O> Clone for Batcher<I, O> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// The other end. Nobody is answered unless somebody takes and flushes.
#[derive(Debug)]
pub struct Flusher<I, O> {
    queue: mpsc::Receiver<Waiting<I, O>>,
    most: usize,
    apart: Duration,
    next: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// As many wait already as may wait.
    #[error("too much waits already")]
    Full,
    /// We are stopping.
    #[error("it is closed")]
    Closed,
}

/// At most `most` items go in one flush, which begins no sooner than `apart` after the one before,
/// and at most `waiting` wait for it.
pub fn batcher<I, O>(
    most: usize,
    waiting: usize,
    apart: Duration,
) -> (Batcher<I, O>, Flusher<I, O>) {
    let (sender, queue) = mpsc::channel(waiting);
    (Batcher(sender), Flusher { queue, most, apart, next: Instant::now() })
}

impl<I, O> Batcher<I, O> {
    /// Hands an item in and waits for its answer, unless too much waits already.
    pub async fn offer(&self, item: I) -> Result<O, NotTaken> {
        let (answer, answered) = oneshot::channel();
        self.0.try_send(Waiting { item, answer }).map_err(|refusal| match refusal {
            mpsc::error::TrySendError::Full(_) => NotTaken::Full,
            mpsc::error::TrySendError::Closed(_) => NotTaken::Closed,
        })?;
        answered.await.map_err(|_| NotTaken::Closed)
    }

    /// Hands an item in, waits for room if there is none, and then for its answer.
    pub async fn submit(&self, item: I) -> Result<O, NotTaken> {
        let (answer, answered) = oneshot::channel();
        self.0.send(Waiting { item, answer }).await.map_err(|_| NotTaken::Closed)?;
        answered.await.map_err(|_| NotTaken::Closed)
    }

    /// How many wait for a flush.
    pub fn depth(&self) -> usize {
        self.0.max_capacity() - self.0.capacity()
    }
}

/// The callers of one flush, waiting.
#[derive(Debug)]
pub struct Callers<O>(Vec<oneshot::Sender<O>>);

impl<O> Callers<O> {
    /// Answers every item, in order. Whoever gets no answer is told that it is closed.
    pub fn answer(self, answers: impl IntoIterator<Item = O>) {
        for (caller, answer) in self.0.into_iter().zip(answers) {
            // Whoever no longer waits has been told by other means.
            let _ = caller.send(answer);
        }
    }
}

impl<I, O> Flusher<I, O> {
    /// How many wait for the next flush.
    pub fn depth(&self) -> usize {
        self.queue.len()
    }

    /// Waits for items and takes all that wait, to be flushed together. Once told to stop, takes
    /// what was handed in before, and then none.
    pub async fn take(&mut self, stop: &CancellationToken) -> Option<(Vec<I>, Callers<O>)> {
        let mut batch = Vec::new();
        if Instant::now() < self.next {
            sleep_until(self.next).await;
        }
        loop {
            tokio::select! {
                biased;
                taken = self.queue.recv_many(&mut batch, self.most) => {
                    if taken == 0 {
                        return None;
                    }
                    break;
                }
                () = stop.cancelled(), if !self.queue.is_closed() => self.queue.close(),
            }
        }
        self.next = Instant::now() + self.apart;
        let (items, callers) =
            batch.into_iter().map(|waiting| (waiting.item, waiting.answer)).unzip();
        Some((items, Callers(callers)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::future::{join, join_all};
    use tokio::time::sleep;

    use super::*;

    /// Doubles numbers, 10 ms a flush, and notes how many went in each.
    async fn doubling(mut flusher: Flusher<u32, u32>, stop: CancellationToken) -> Vec<usize> {
        let mut sizes = Vec::new();
        while let Some((items, callers)) = flusher.take(&stop).await {
            sizes.push(items.len());
            sleep(Duration::from_millis(10)).await;
            callers.answer(items.into_iter().map(|n| n * 2));
        }
        sizes
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_during_a_flush_goes_together_in_the_next() {
        let (batcher, flusher) = batcher(100, 100, Duration::ZERO);
        let stop = CancellationToken::new();
        let callers = async {
            let first = batcher.submit(0);
            let rest = async {
                sleep(Duration::from_millis(1)).await;
                join_all((1..=50).map(|n| batcher.submit(n))).await
            };
            let (first, rest) = join(first, rest).await;
            assert_eq!(first, Ok(0));
            assert_eq!(rest, (1..=50).map(|n| Ok(n * 2)).collect::<Vec<_>>());
            stop.cancel();
        };
        let (sizes, ()) = join(doubling(flusher, stop.clone()), callers).await;
        assert_eq!(sizes, [1, 50]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_goes_at_once_and_what_follows_keeps_its_distance() {
        let (batcher, flusher) = batcher(100, 100, Duration::from_millis(50));
        let (stop, began) = (CancellationToken::new(), Instant::now());
        let callers = async {
            assert_eq!(batcher.submit(0).await, Ok(0));
            assert_eq!(began.elapsed(), Duration::from_millis(10));
            join(batcher.submit(1), async {
                sleep(Duration::from_millis(20)).await;
                batcher.submit(2).await
            })
            .await
            .0
            .unwrap();
            assert_eq!(began.elapsed(), Duration::from_millis(60));
            sleep(Duration::from_millis(50)).await;
            assert_eq!(batcher.submit(3).await, Ok(6));
            assert_eq!(began.elapsed(), Duration::from_millis(120), "long after the one before");
            stop.cancel();
        };
        let (sizes, ()) = join(doubling(flusher, stop.clone()), callers).await;
        assert_eq!(sizes, [1, 2, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn more_than_may_wait_is_refused_and_the_rest_is_finished_after_stop() {
        let (batcher, flusher) = batcher(1, 2, Duration::ZERO);
        let stop = CancellationToken::new();
        let callers = async {
            let asked = join_all((0..10).map(|n| batcher.offer(n)));
            let late = async {
                sleep(Duration::from_millis(1)).await;
                stop.cancel();
                sleep(Duration::from_millis(50)).await;
                batcher.offer(99).await
            };
            join(asked, late).await
        };
        let (_, (asked, late)) = join(doubling(flusher, stop.clone()), callers).await;
        let taken = asked.iter().filter(|answer| answer.is_ok()).count();
        assert_eq!(taken, 2, "{asked:?}");
        assert!(asked.contains(&Err(NotTaken::Full)));
        assert_eq!(late, Err(NotTaken::Closed));
    }
}
