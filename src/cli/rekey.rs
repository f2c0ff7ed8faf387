//! `rekey`: a new master key.

use anyhow::{Context, bail};

use crate::app::keys::KeyFile;
use crate::app::opening::{self, Opened};
use crate::app::rekey::{Resealed, reseal};
use crate::config::Config;
use crate::kit::secret::MasterKey;

pub async fn rekey(config: &Config) -> anyhow::Result<()> {
    let opened = opening::open(config).await?;
    let outcome = replace(config, &opened).await;
    opened.close().await?;
    let (resealed, file) = outcome?;
    println!(
        "Sealed anew: {} client secrets, {} webhook keys, {} second factors, {} channels.",
        resealed.client_secrets, resealed.webhook_keys, resealed.second_factors, resealed.channels
    );
    match file {
        Some(file) => println!("The new key is in {}. Back it up.", file.path().display()),
        None => println!("Start the portal with the new key as PORTAL_MASTER_KEY from now on."),
    }
    Ok(())
}

/// The key file, when it is there that the portal keeps its key, takes the new key only once
/// the database has; a start in between finishes what was begun.
async fn replace(config: &Config, opened: &Opened) -> anyhow::Result<(Resealed, Option<KeyFile>)> {
    let file = match (&config.master_key, &opened.database.embedded) {
        (None, Some((_, data_dir))) => Some(KeyFile::within(data_dir)),
        _ => None,
    };
    let new = match (&config.new_master_key, &file) {
        (Some(new), _) => new.clone(),
        (None, Some(_)) => MasterKey::random(),
        (None, None) => bail!(
            "PORTAL_NEW_MASTER_KEY is missing: make one with openssl rand -base64 32. Nothing \
             was changed."
        ),
    };
    if let Some(file) = &file {
        file.keep_next(&new)?;
    }
    let resealed = reseal(&opened.db, &opened.sealer, &new).await?;
    if let Some(file) = &file {
        file.take_next().context("The database has the new key, and so will the next start")?;
    }
    Ok((resealed, file))
}
