//! `check`: whether a start would succeed, line by line. No table is changed.

use std::fmt::Display;
use std::process::ExitCode;
use std::time::Duration;

use sqlx::{Connection, PgConnection};

use crate::app::opening::{self, Database};
use crate::audit::{self, chain::Anchor};
use crate::cloudlink::Cloudlink;
use crate::config::Config;
use crate::ids::NodeId;
use crate::kit::clock::Clock;
use crate::kit::http::http_client;
use crate::kit::secret::Sealer;
use crate::kit::text::counted;

/// What was found, said as it is found.
#[derive(Debug, Default)]
struct Findings {
    troubles: u32,
}

impl Findings {
    fn good(what: &str, detail: impl Display) {
        println!("{what:<14}ok: {detail}");
    }

    fn bad(&mut self, what: &str, detail: impl Display) {
        self.troubles += 1;
        println!("{what:<14}NOT OK: {detail}");
    }
}

pub async fn check(config: &Config, kept: Option<&Anchor>) -> anyhow::Result<ExitCode> {
    let mut findings = Findings::default();
    Findings::good("Settings", "complete");
    database(config, kept, &mut findings).await;
    cloudlink(config, &mut findings).await?;
    Ok(match findings.troubles {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

async fn database(config: &Config, kept: Option<&Anchor>, findings: &mut Findings) {
    let database = match opening::find(config).await {
        Ok(database) => database,
        Err(error) => return findings.bad("Postgres", format!("{error:#}")),
    };
    let mut db = match opening::connect(&database.options, Duration::ZERO).await {
        Ok(db) => db,
        Err(error) => return findings.bad("Postgres", format!("{error:#}")),
    };
    match opening::fits(&db) {
        Ok(major) => match &database.embedded {
            Some((_, dir)) => {
                Findings::good("Postgres", format!("{major}, private, in {}", dir.display()));
            }
            None => Findings::good("Postgres", major),
        },
        Err(error) => findings.bad("Postgres", error),
    }
    let missing = opening::migrations_missing(&mut db).await;
    let current = matches!(missing, Ok(0));
    match missing {
        Ok(0) => Findings::good("Migrations", "current"),
        Ok(missing) => Findings::good("Migrations", format!("{missing} to come at the next start")),
        Err(error) => findings.bad("Migrations", format!("{error:#}")),
    }
    match opening::key_stands(config, &database, &mut db).await {
        Ok(said) => Findings::good("Master key", said),
        Err(error) => findings.bad("Master key", format!("{error:#}")),
    }
    if current {
        activity(config, &database, &mut db, kept, findings).await;
    }
    let _ = db.close().await;
    if let Some((server, _)) = database.embedded
        && let Err(error) = server.stop().await
    {
        findings.bad("Postgres", format!("{error:#}"));
    }
}

async fn cloudlink(config: &Config, findings: &mut Findings) -> anyhow::Result<()> {
    let cloudlink =
        Cloudlink::new(http_client()?, &config.cloudlink, NodeId::new(), Clock::default());
    if !cloudlink.is_configured() {
        findings.bad("CloudLink", "PORTAL_CLOUDLINK_CLIENT_ID and its companions are not set");
        return Ok(());
    }
    match cloudlink.accounts().await {
        Ok(accounts) => Findings::good("CloudLink", counted(accounts.len(), "account")),
        Err(refusal) => findings.bad("CloudLink", refusal),
    }
    Ok(())
}

/// Whether Activity is as it was written. Without the key there is no telling.
async fn activity(
    config: &Config,
    database: &Database,
    db: &mut PgConnection,
    kept: Option<&Anchor>,
    findings: &mut Findings,
) {
    let Ok(key) = opening::key(config, database, db).await else { return };
    let verdict = match audit::seals::verify(db, &Sealer::new(&key), kept).await {
        Ok(verdict) => verdict,
        Err(error) => return findings.bad("Activity", format!("{error:#}")),
    };
    for found in &verdict.breaks {
        findings.bad("Activity", found);
    }
    if verdict.breaks.is_empty() {
        let waiting = match verdict.waiting {
            0 => String::new(),
            waiting => format!(", {waiting} more to be sealed"),
        };
        match verdict.end {
            Some(end) => Findings::good(
                "Activity",
                format!(
                    "{} entries as they were sealed, the newest {end}{waiting}",
                    verdict.sealed
                ),
            ),
            None => Findings::good("Activity", format!("nothing is sealed yet{waiting}")),
        }
    }
}
