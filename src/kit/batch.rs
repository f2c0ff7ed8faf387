//! Group commit: many callers, one statement.
//!
//! Callers hand in items and wait for their answers; one flush at a time takes all that
//! waits. So an item that comes alone goes alone and at once, and batches grow with load.

use std::future::Future;

use tokio::sync::{mpsc, oneshot};
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

/// The other end. Nothing is flushed unless somebody runs it.
#[derive(Debug)]
pub struct Flusher<I, O> {
    queue: mpsc::Receiver<Waiting<I, O>>,
    most: usize,
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

/// At most `most` items go in one flush, and at most `waiting` wait for it.
pub fn batcher<I, O>(most: usize, waiting: usize) -> (Batcher<I, O>, Flusher<I, O>) {
    let (sender, queue) = mpsc::channel(waiting);
    (Batcher(sender), Flusher { queue, most })
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

impl<I, O> Flusher<I, O> {
    /// Flushes until told to stop, and then what was handed in before.
    ///
    /// `flush` answers every item, in order. Whoever gets no answer is told that it is closed.
    pub async fn run<F, Fut>(mut self, stop: CancellationToken, mut flush: F)
    where
        F: FnMut(Vec<I>) -> Fut,
        Fut: Future<Output = Vec<O>>,
    {
        let mut batch = Vec::new();
        loop {
            let taken = tokio::select! {
                biased;
                taken = self.queue.recv_many(&mut batch, self.most) => taken,
                () = stop.cancelled(), if !self.queue.is_closed() => {
                    self.queue.close();
                    continue;
                }
            };
            if taken == 0 {
                return;
            }
            let (items, askers): (Vec<_>, Vec<_>) =
                batch.drain(..).map(|waiting| (waiting.item, waiting.answer)).unzip();
            for (answer, asker) in flush(items).await.into_iter().zip(askers) {
                // Whoever no longer waits has been told by other means.
                let _ = asker.send(answer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use futures_util::future::{join, join_all};
    use tokio::time::sleep;

    use super::*;

    /// Doubles numbers, 10 ms a flush, and notes how many went in each.
    async fn doubling(flusher: Flusher<u32, u32>, stop: CancellationToken) -> Vec<usize> {
        let sizes = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&sizes);
        flusher
            .run(stop, move |items| {
                noted.lock().unwrap().push(items.len());
                async move {
                    sleep(Duration::from_millis(10)).await;
                    items.into_iter().map(|n| n * 2).collect()
                }
            })
            .await;
        let sizes = sizes.lock().unwrap();
        sizes.clone()
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_during_a_flush_goes_together_in_the_next() {
        let (batcher, flusher) = batcher(100, 100);
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
    async fn more_than_may_wait_is_refused_and_the_rest_is_finished_after_stop() {
        let (batcher, flusher) = batcher(1, 2);
        let stop = CancellationToken::new();
        let callers = async {
            let asked = join_all((0..10).map(|n| batcher.offer(n)));
            let late = async {
                sleep(Duration::from_millis(1)).await;
                stop.cancel();
                sleep(Duration::from_millis(1)).await;
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
