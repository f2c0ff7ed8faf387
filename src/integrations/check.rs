//! The test of a connection before it is saved: sign in, look at the roles, read the directory.

use std::time::Duration;

use crate::microsoft::{Cause, Connection, Field, Microsoft, Permission, Refusal, Token};

/// The page that waits for the test has to come before its browser gives up.
const LONGEST: Duration = Duration::from_secs(20);

/// Why a connection is of no use as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failed {
    Refused(Refusal),
    /// Microsoft lets us in, but has not granted everything: what is missing, never nothing.
    Missing(Vec<Permission>),
}

/// Tries a connection that nobody uses yet. What others use meanwhile is not disturbed. The token
/// with which it worked.
pub async fn check(microsoft: &Microsoft, connection: &Connection) -> Result<Token, Failed> {
    let tried = tokio::time::timeout(LONGEST, steps(microsoft, connection)).await;
    tried.unwrap_or_else(|_| Err(Failed::Refused(too_slow())))
}

async fn steps(microsoft: &Microsoft, connection: &Connection) -> Result<Token, Failed> {
    let token = sign_in(microsoft, connection).await?;
    permissions(&token)?;
    directory(microsoft, connection, &token).await?;
    Ok(token)
}

/// Whether Microsoft accepts the credentials.
pub async fn sign_in(microsoft: &Microsoft, connection: &Connection) -> Result<Token, Failed> {
    microsoft.sign_in(connection).await.map_err(Failed::of)
}

/// Whether everything we need is granted, as far as the token says.
pub fn permissions(token: &Token) -> Result<(), Failed> {
    let missing = token.missing();
    if missing.is_empty() { Ok(()) } else { Err(Failed::Missing(missing)) }
}

/// Whether the directory can be read.
pub async fn directory(
    microsoft: &Microsoft,
    connection: &Connection,
    token: &Token,
) -> Result<(), Failed> {
    microsoft.try_directory(connection, token).await.map_err(Failed::of)?;
    Ok(())
}

fn too_slow() -> Refusal {
    Refusal {
        cause: Cause::Unreachable,
        status: None,
        code: None,
        request_id: None,
        retry_after: None,
        detail: format!("no answer within {} seconds", LONGEST.as_secs()),
    }
}

impl Failed {
    fn of(refusal: Refusal) -> Self {
        match refusal.cause {
            Cause::PermissionMissing(permission) => Self::Missing(vec![permission]),
            _ => Self::Refused(refusal),
        }
    }

    /// Whether nothing is known against the connection: Microsoft was not to be had.
    pub fn is_away(&self) -> bool {
        matches!(self, Self::Refused(refusal)
            if matches!(refusal.cause, Cause::Unreachable | Cause::Trouble))
    }

    /// What speaks against the secret or certificate itself, and not against the rest.
    pub fn against_credential(&self) -> Option<(Cause, &str)> {
        match self {
            Self::Refused(refusal) if refusal.cause.blames_credential() => {
                Some((refusal.cause, &refusal.detail))
            }
            _ => None,
        }
    }

    /// The field of the form that it concerns; none when it is the whole.
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::Refused(refusal) => refusal.cause.field().map(Field::as_str),
            Self::Missing(_) => None,
        }
    }

    pub fn title(&self) -> String {
        match self {
            Self::Refused(refusal) => refusal.cause.title().to_owned(),
            Self::Missing(missing) => match missing.as_slice() {
                [one] => format!("The permission {} is missing", one.as_str()),
                _ => format!("The permissions {} are missing", names(missing)),
            },
        }
    }

    pub fn advice(&self) -> String {
        match self {
            Self::Refused(refusal) => refusal.cause.advice().to_owned(),
            Self::Missing(missing) => format!(
                "The sign-in worked. Add {} to the app registration as Microsoft Graph \
                 application permissions (not delegated ones), grant admin consent, wait a \
                 minute, and try again.",
                names(missing)
            ),
        }
    }

    /// What Microsoft's support will ask for.
    pub fn detail(&self) -> String {
        match self {
            Self::Refused(Refusal { detail, request_id: Some(id), .. }) => {
                format!("{detail} · Microsoft’s request id {id}")
            }
            Self::Refused(refusal) => refusal.detail.clone(),
            Self::Missing(_) => String::new(),
        }
    }
}

fn names(permissions: &[Permission]) -> String {
    permissions.iter().map(|one| one.as_str()).collect::<Vec<_>>().join(" and ")
}
