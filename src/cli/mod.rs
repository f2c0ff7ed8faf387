//! The commands.

mod check;
mod demo;
mod rekey;
mod sandbox;
mod serve;
mod settings;
mod staff;

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::audit::chain::Anchor;
use crate::config::Config;
use crate::telemetry;
use settings::Settings;

/// What a service manager should not try again.
const MISCONFIGURED: u8 = 2;

/// Keeps Microsoft Teams in step with the phones of a Mitel partner's customers.
///
/// Without a command it serves. Every setting is an environment variable and a flag; the flag
/// wins, and an empty value counts as none. Others on this machine can see flags: give secrets
/// in the environment or in files.
#[derive(Debug, Parser)]
#[command(version, name = "presence-portal")]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the pages and keep Teams in step (what happens without a command)
    Serve,
    /// Serve with a pretend CloudLink and Microsoft 365 beside it, and customers to try it on
    ///
    /// It has a database of its own in the directory `demo` of the data directory. Where a
    /// usual address is taken it listens on a free one.
    Demo,
    /// Serve the pretend CloudLink and Microsoft 365 alone
    Sandbox,
    /// Look after the people who sign in
    #[command(subcommand)]
    Staff(staff::Command),
    /// Test the settings, Postgres, the master key, Activity and CloudLink; the exit code says
    Check {
        /// What an earlier check printed as Activity's newest seal: it must still be there
        #[arg(long, value_name = "SEAL")]
        activity_seal: Option<Anchor>,
    },
    /// Seal every secret with a new master key
    ///
    /// Reads the old key where the portal reads it, and the new one from
    /// `PORTAL_NEW_MASTER_KEY` or `PORTAL_NEW_MASTER_KEY_FILE`. A key that the portal made
    /// itself, in the data directory, is replaced there, by a random one if none is given.
    Rekey,
}

/// Does what the command line asks for.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come this way, too, and are no failure.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(MISCONFIGURED));
        }
    };
    let command = cli.command.unwrap_or(Command::Serve);
    let config = match Config::read(|name| setting(&command, &cli.settings, name)) {
        Ok(config) => config,
        Err(complaints) => {
            for complaint in complaints {
                eprintln!("{complaint}");
            }
            return ExitCode::from(MISCONFIGURED);
        }
    };
    match begin(command, config) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// As it was set, but for what a command has no use for or has an answer of its own to.
fn setting(command: &Command, settings: &Settings, name: &str) -> Option<String> {
    let given = settings.get(name);
    match (command, name) {
        (Command::Sandbox, "DATABASE_URL") => None,
        (Command::Demo, "PORTAL_MASTER_KEY") if given.is_none() => {
            let database = settings.get("DATABASE_URL");
            let file = settings.get("PORTAL_MASTER_KEY_FILE");
            (database.is_some() && file.is_none()).then(|| demo::MASTER_KEY.to_owned())
        }
        _ => given,
    }
}

fn begin(command: Command, config: Config) -> anyhow::Result<ExitCode> {
    telemetry::begin_logging(&config.log)?;
    let runtime = Runtime::new().context("could not start the runtime")?;
    let outcome = runtime.block_on(async {
        let stop = CancellationToken::new();
        tokio::select! {
            ended = obey(command, config, stop.clone()) => ended,
            insisted = told_twice(stop) => insisted,
        }
    });
    // What still runs on a thread of its own is not waited for.
    runtime.shutdown_timeout(Duration::from_millis(100));
    outcome
}

async fn obey(
    command: Command,
    config: Config,
    stop: CancellationToken,
) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve => serve::serve(config, stop).await?,
        Command::Demo => demo::demo(config, stop).await?,
        Command::Sandbox => sandbox::sandbox(&config, stop).await?,
        Command::Staff(command) => command.run(&config).await?,
        Command::Rekey => rekey::rekey(&config).await?,
        Command::Check { activity_seal } => {
            return check::check(&config, activity_seal.as_ref()).await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The first signal asks us to finish; the second will not wait.
async fn told_twice(stop: CancellationToken) -> anyhow::Result<ExitCode> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    for _ in 0..2 {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        if !stop.is_cancelled() {
            tracing::info!("stopping; a second signal stops at once");
        }
        stop.cancel();
    }
    bail!("stopped short")
}
