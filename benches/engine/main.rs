//! The engine's figures, and databases of any size to take them on.
//!
//! `cargo bench --bench engine` takes them all; `-- ingest` or `-- delay` takes one; `-- seed`
//! fills a database that stays. `-- <command> --help` says what can be chosen.

#![expect(clippy::unwrap_used, reason = "a figure that cannot be taken should stop there")]

mod figures;
mod seed;
mod world;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "engine", about = "The engine's figures, and databases to take them on.")]
struct Said {
    #[command(subcommand)]
    command: Option<Command>,
    /// How long each figure is taken.
    #[arg(long, default_value_t = 20, global = true)]
    seconds: u64,
}

#[derive(Subcommand)]
enum Command {
    /// From an event's arrival to the request that leaves for Graph.
    Delay,
    /// Durable events a second.
    Ingest,
    /// Fills a database with accounts and users, all set up and switched on.
    Seed(seed::Wanted),
}

fn main() {
    // `cargo test --benches` only wants to know that it builds.
    let said: Vec<_> = std::env::args().filter(|arg| arg != "--bench").collect();
    if said.iter().any(|arg| arg == "--test") {
        return;
    }
    let said = Said::parse_from(said);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let Said { command, seconds } = said;
        match command {
            Some(Command::Seed(wanted)) => seed::run(&wanted).await.unwrap(),
            Some(Command::Delay) => figures::delay(100, 100, seconds).await,
            Some(Command::Ingest) => figures::ingest(64, seconds).await,
            None => {
                figures::delay(100, 100, seconds).await;
                figures::ingest(64, seconds).await;
            }
        }
    });
}
