//! Looking at CloudLink: the account, and the subscription to its events.

use chrono::TimeDelta;

use super::errand::Book;
use super::judge;
use super::lines::{Finding, Line, Mend};
use crate::presence::feed::{self, Seen};

/// Looks at the account. True: it can be reached. And how far CloudLink's clock is ahead of ours.
pub async fn look(book: &Book<'_>) -> anyhow::Result<(bool, Option<TimeDelta>)> {
    let (answered, ahead) = book.app.cloudlink.account_and_time(&book.errand.cloudlink_id).await;
    let reached = match answered {
        Ok(account) => {
            let finding = if account.active {
                Finding::green(format!("CloudLink calls it {}.", account.name))
            } else {
                Finding::amber(format!("CloudLink calls it {}, and says it is not active.", account.name))
                    .advising("Nobody’s telephone says anything while it is so. Look at the account in Mitel Administration.")
            };
            book.note(Line::Cloudlink, finding).await?;
            true
        }
        Err(refusal) => {
            book.note(Line::Cloudlink, judge::refused_by_cloudlink(&refusal)).await?;
            false
        }
    };
    Ok((reached, ahead))
}

/// Looks for the subscription of an account that is synced.
pub async fn look_at_feed(book: &Book<'_>, reached: bool, syncing: bool) -> anyhow::Result<()> {
    let finding = if !syncing {
        Finding::not_looked_at("Presence sync is off: there is one as soon as it is switched on.")
            .mended_at([Mend::Integrations])
    } else if !reached {
        Finding::not_looked_at("CloudLink could not be asked.")
    } else {
        match feed::look(book.app, book.errand.account).await? {
            None => {
                Finding::amber("It is being made: a node takes the account over within 15 seconds.")
                    .passing()
            }
            Some(Err(refusal)) => judge::refused_by_cloudlink(&refusal),
            Some(Ok(seen)) => subscription(seen),
        }
    };
    book.note(Line::Subscription, finding).await
}

fn subscription(seen: Seen) -> Finding {
    let spoke = match seen.last_event_at {
        Some(at) => format!("The last event came on {}.", at.format("%-d %B %Y at %H:%M UTC")),
        None => "No event has come yet.".to_owned(),
    };
    match seen.leading_here {
        0 => Finding::amber(format!("CloudLink has none that leads here. {spoke}"))
            .advising(
                "It is looked for every ten minutes and made again; Sync now does it at once.",
            )
            .mended_at([Mend::Presence])
            .passing(),
        1 if seen.stale == 0 => Finding::green(format!("CloudLink sends its events here. {spoke}")),
        _ => Finding::amber(format!("CloudLink has more than one of ours. {spoke}"))
            .advising("All but one are ended at the next look, within ten minutes.")
            .passing(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::lines::State;

    #[test]
    fn one_subscription_is_right_and_none_or_two_are_not() {
        let state = |leading_here, stale| {
            subscription(Seen { leading_here, stale, last_event_at: None }).state
        };
        assert_eq!(state(1, 0), State::Green);
        for (leading_here, stale) in [(0, 0), (0, 1), (1, 1), (2, 0)] {
            assert_eq!(state(leading_here, stale), State::Amber);
        }
    }
}
