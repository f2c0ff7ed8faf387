//! How many requests a day takes, minute by minute.

use chrono::TimeDelta;

use crate::microsoft::Shows;

/// What the day costs in requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    pub requests: u64,
    /// In its busiest minute.
    pub peak: u64,
}

/// Requests minute by minute: those that stand alone, and how the rate of renewals changes.
pub(super) struct Requests {
    alone: Vec<f64>,
    rate: Vec<f64>,
}

impl Requests {
    pub(super) fn over(minutes: usize) -> Self {
        Self { alone: vec![0.0; minutes], rate: vec![0.0; minutes] }
    }

    pub(super) fn one(&mut self, at: TimeDelta) {
        if let Some(count) = slot(&mut self.alone, at) {
            *count += 1.0;
        }
    }

    pub(super) fn renewed(&mut self, shows: Shows, start: TimeDelta, end: TimeDelta) {
        let every = shows.renew_after();
        if (end - start).to_std().is_ok_and(|lasted| lasted > every) {
            let rate = 60.0 / every.as_secs_f64();
            if let Some(count) = slot(&mut self.rate, start) {
                *count += rate;
            }
            if let Some(count) = slot(&mut self.rate, end) {
                *count -= rate;
            }
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "requests of a day, none of them negative"
    )]
    pub(super) fn cost(&self) -> Cost {
        let (mut rate, mut sum, mut peak) = (0.0, 0.0_f64, 0.0_f64);
        for (alone, turn) in self.alone.iter().zip(&self.rate) {
            rate += turn;
            sum += alone + rate;
            peak = peak.max(alone + rate);
        }
        // Halves of a hundred users come from adding up, not from anything that happened.
        let whole = |requests: f64| (requests - 1e-6).max(0.0).ceil() as u64;
        Cost { requests: whole(sum), peak: whole(peak) }
    }
}

fn slot(minutes: &mut [f64], at: TimeDelta) -> Option<&mut f64> {
    let index = usize::try_from(at.num_minutes()).ok()?;
    minutes.get_mut(index)
}
