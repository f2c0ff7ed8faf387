//! The engine's figures, and databases of any size to take them on.
//!
//! `cargo bench --bench engine` takes them all; `-- ingest`, `-- push`, `-- delay` or `-- scale`
//! takes one; `-- seed` fills a database that stays. `-- <command> --help` says what can be chosen.
//!
//! The portal is a process of its own between this one, which plays CloudLink and Microsoft, and
//! a private Postgres that syncs to disk as in production. Every figure stands beside its ceiling,
//! taken in the same minute: what the machine is busy with otherwise slows both.

#![expect(clippy::unwrap_used, reason = "a figure that cannot be taken should stop there")]
#![expect(clippy::panic, reason = "likewise")]

mod delay;
mod hooks;
mod ingest;
mod portal;
mod push;
mod scale;
mod seed;
mod stage;
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
    /// Durable events a second, beside pgbench.
    Ingest(ingest::Wanted),
    /// What a presence update costs, beside the bare client; and the use of a tenant's quota.
    Push,
    /// From an event's arrival to the request that leaves for Graph.
    Delay,
    /// Memory, idle cost and cold start of many accounts.
    Scale(scale::Wanted),
    /// Fills a database with accounts and users, all set up and switched on.
    Seed(seed::Wanted),
    #[command(hide = true)]
    Bare(push::Bare),
}

fn main() {
    // `cargo test --benches` only wants to know that it builds.
    let said: Vec<_> = std::env::args().filter(|arg| arg != "--bench").collect();
    if said.iter().any(|arg| arg == "--test") {
        return;
    }
    let Said { command, seconds } = Said::parse_from(said);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        match command {
            Some(Command::Ingest(wanted)) => ingest::run(&wanted, seconds).await,
            Some(Command::Push) => {
                push::cost(seconds).await;
                push::goodput(seconds.max(30)).await;
            }
            Some(Command::Delay) => delay::run(seconds).await,
            Some(Command::Scale(wanted)) => scale::run(&wanted, seconds).await,
            Some(Command::Seed(wanted)) => seed::run(&wanted).await.unwrap(),
            Some(Command::Bare(wanted)) => push::be_bare(&wanted).await,
            None => {
                ingest::run(&ingest::Wanted::default(), seconds).await;
                push::cost(seconds).await;
                push::goodput(seconds.max(30)).await;
                delay::run(seconds).await;
                scale::run(&scale::Wanted::default(), seconds).await;
            }
        }
    });
}
