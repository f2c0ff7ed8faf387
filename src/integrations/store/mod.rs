//! What the database knows of integrations.

mod change;
mod monitors;
mod removal;
pub mod refused;
pub mod renewals;
mod reseal;
mod show;
pub mod spare;
pub mod turn;
mod worker;

pub use change::{
    NewConnection, WriteError, add, begin_removing, forget_unused, save_connection, set_feature,
    set_release,
};
pub use monitors::{
    add_monitor, ask_monitors_for_secret, monitor_has_secret, monitors, remove_monitor,
    spare_monitors,
};
pub use removal::{Removal, removal};
pub use reseal::reseal;
pub use show::{find, of_account};
pub use worker::{connection_of, forget, forget_uncleared, keep_expiry, note_tested};
