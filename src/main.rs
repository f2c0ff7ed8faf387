//! Which command was asked for; nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    presence_portal::cli::run(std::env::args_os())
}
