//! Tools that know nothing of the domain or of pages.

pub mod batch;
pub mod clock;
pub mod db;
pub mod email;
pub mod fresh;
pub mod http;
pub mod lanes;
pub mod password;
pub mod private_file;
pub mod secret;
pub mod text;
pub mod token;
pub mod wake;
