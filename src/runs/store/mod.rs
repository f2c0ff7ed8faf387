//! What the database knows of long work.

mod begin;
mod show;
mod steer;
mod work;

pub use begin::{NewRun, begin, record};
pub use show::{Found, found, item, items, of, open_update, recent};
pub use steer::{cancel, end_rests, forget_ended, lock, resume, seen};
pub use work::{claim, finish, give_up, keep, step_done};
