//! The names of what long work counts, for `/metrics`.

/// Items that ended, by deed and by what came of them.
pub const ITEMS: &str = "portal_run_items_total";
/// Runs that were begun, by deed and kind.
pub const RUNS: &str = "portal_runs_total";
/// How long an item is worked on.
pub const ITEM_SECONDS: &str = "portal_run_item_seconds";
/// Items that this node works on now.
pub const IN_HAND: &str = "portal_run_items_in_hand";
