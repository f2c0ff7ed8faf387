//! The names of everything the engine counts, in one place, with what they mean.

use metrics::{describe_counter, describe_gauge, describe_histogram};

pub const EVENTS_IN: &str = "portal_events_received_total";
pub const EVENTS_NEWER: &str = "portal_events_newer_total";
pub const EVENTS_REPEATED: &str = "portal_events_repeated_total";
pub const EVENTS_REFUSED: &str = "portal_events_refused_total";
pub const FLUSH_EVENTS: &str = "portal_flush_events";
pub const FLUSH_SECONDS: &str = "portal_flush_seconds";
pub const QUEUE_DEPTH: &str = "portal_queue_depth";
pub const PUSHES: &str = "portal_pushes_total";
pub const PUSH_SECONDS: &str = "portal_push_seconds";
pub const DELAY_SECONDS: &str = "portal_event_to_answer_seconds";
pub const THROTTLED_SECONDS: &str = "portal_throttled_seconds_total";
pub const SESSIONS_HELD: &str = "portal_sessions_held";
pub const RENEWALS_DUE: &str = "portal_renewals_due";
pub const LEASES: &str = "portal_leases";
pub const WORKERS: &str = "portal_workers";
pub const WORKERS_FALLEN: &str = "portal_workers_fallen_total";
pub const DIRECTORY_REFRESHES: &str = "portal_directory_refreshes_total";
pub const SUBSCRIPTION_CHECKS: &str = "portal_subscription_checks_total";

const COUNTERS: [(&str, &str); 10] = [
    (EVENTS_IN, "Events that CloudLink sent"),
    (EVENTS_NEWER, "Users for whom events said something new"),
    (EVENTS_REPEATED, "Events that came again, or later than newer ones"),
    (EVENTS_REFUSED, "Requests to the webhook that were refused, by status"),
    (PUSHES, "Presence requests answered by Microsoft, by result"),
    (THROTTLED_SECONDS, "Seconds in which Microsoft wanted no request, by tenant added up"),
    (WORKERS_FALLEN, "Workers that fell and were started again"),
    (DIRECTORY_REFRESHES, "Readings of an account's directories, by result"),
    (SUBSCRIPTION_CHECKS, "Looks at an account's subscription, by result"),
    ("microsoft_tokens_total", "Tokens asked of Microsoft, by result"),
];

const GAUGES: [(&str, &str); 5] = [
    (QUEUE_DEPTH, "What waits to be written, by queue"),
    (SESSIONS_HELD, "Users whom Teams shows something of ours for, of this node's accounts"),
    (RENEWALS_DUE, "Sessions of this node's accounts that are due for renewal and wait for it"),
    (LEASES, "Accounts this node works for"),
    (WORKERS, "Workers of this node that have looked at their account"),
];

const HISTOGRAMS: [(&str, &str); 4] = [
    (FLUSH_EVENTS, "Events written in one statement"),
    (FLUSH_SECONDS, "How long that took"),
    (PUSH_SECONDS, "How long Microsoft took to answer a presence request"),
    (DELAY_SECONDS, "From an event's arrival to Microsoft's answer"),
];

/// Says what everything means to whoever reads the metrics.
pub fn describe() {
    for (name, meaning) in COUNTERS {
        describe_counter!(name, meaning);
    }
    for (name, meaning) in GAUGES {
        describe_gauge!(name, meaning);
    }
    for (name, meaning) in HISTOGRAMS {
        describe_histogram!(name, meaning);
    }
}
