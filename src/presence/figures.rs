//! The names of everything the engine counts, in one place.

pub const EVENTS_IN: &str = "portal_events_received_total";
pub const EVENTS_NEWER: &str = "portal_events_newer_total";
pub const EVENTS_REFUSED: &str = "portal_events_refused_total";
pub const FLUSH_EVENTS: &str = "portal_flush_events";
pub const FLUSH_SECONDS: &str = "portal_flush_seconds";
pub const QUEUE_DEPTH: &str = "portal_queue_depth";
pub const PUSHES: &str = "portal_pushes_total";
pub const PUSH_SECONDS: &str = "portal_push_seconds";
pub const DELAY_SECONDS: &str = "portal_event_to_answer_seconds";
pub const THROTTLED_SECONDS: &str = "portal_throttled_seconds_total";
pub const LEASES: &str = "portal_leases";
pub const DIRECTORY_REFRESHES: &str = "portal_directory_refreshes_total";
pub const WORKERS_FALLEN: &str = "portal_workers_fallen_total";
