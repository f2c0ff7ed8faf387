//! The HTML toolkit: what every page is made with.

pub mod assets;
pub mod chart;
mod error;
mod extract;
mod flash;
mod form;
pub mod glossary;
mod guard;
mod page;
pub mod stream;
pub mod styleguide;
pub mod zone;

pub use error::{Error, OrNotFound, Result, came_from, loggable, show_problems};
pub use extract::{ClientAddress, Db, Form, Partial, Path, Query};
pub use flash::{clear_shown_flash, flash_of};
pub use form::{FieldErrors, reads_the_same};
pub use guard::{no_redirect_inside_a_fragment, own_pages_only, safe_headers};
pub use page::{
    AccountTab, Chrome, Page, Person, Place, Section, refused, refused_in, see_other,
    see_other_saying, whole_or_part,
};
pub use zone::{Scripted, Zone, by_their_clocks};
