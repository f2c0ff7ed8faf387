//! `staff add`: somebody who may sign in, added by whoever may run commands here.

use std::io::{IsTerminal, Read, stdin};

use anyhow::{Context, bail};
use clap::Args;
use tokio::task::spawn_blocking;

use crate::app::opening;
use crate::config::Config;
use crate::kit::clock::Clock;
use crate::kit::email::Email;
use crate::kit::password::{Cost, Passwords};
use crate::kit::secret::Secret;
use crate::staff::{Addition, Role, add};

/// No password is longer.
const LONGEST_INPUT: u64 = 4096;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Add somebody; their password is read from standard input
    Add(Add),
}

#[derive(Debug, Args)]
pub struct Add {
    /// What they sign in with
    #[arg(long, value_parser = Email::parse)]
    email: Email,
    /// partner-admin, account-admin or auditor
    #[arg(long, value_parser = |text: &str| text.parse::<Role>())]
    role: Role,
    /// The accounts they look after, by our ids or by CloudLink's
    #[arg(long = "account", value_name = "ID", num_args = 1..)]
    accounts: Vec<String>,
}

impl Command {
    pub async fn run(self, config: &Config) -> anyhow::Result<()> {
        let Self::Add(wanted) = self;
        let password = spawn_blocking(password).await??;
        let opened = opening::open(config).await?;
        let addition = Addition {
            email: &wanted.email,
            role: wanted.role,
            accounts: &wanted.accounts,
            password: &password,
        };
        let passwords = Passwords::new(Cost::Recommended);
        let added = add(&opened.db, &passwords, &addition, Clock::default().now()).await;
        opened.close().await?;
        added?;
        println!("{} may sign in now, as {}.", wanted.email, wanted.role.label().to_lowercase());
        Ok(())
    }
}

/// The first line of standard input.
fn password() -> anyhow::Result<Secret> {
    if stdin().is_terminal() {
        eprintln!("Password (it is shown as you type it):");
        let mut line = String::new();
        stdin().read_line(&mut line).context("cannot read the password")?;
        return Ok(Secret::new(line.trim_end_matches(['\r', '\n'])));
    }
    let mut input = String::new();
    stdin().take(LONGEST_INPUT).read_to_string(&mut input).context("cannot read the password")?;
    match input.lines().next() {
        Some(line) if !line.is_empty() => Ok(Secret::new(line)),
        _ => bail!("Give the password on standard input."),
    }
}
