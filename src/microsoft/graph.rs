//! The directory: who is in Microsoft Entra.

use std::time::Duration;

use reqwest::Method;
use url::Url;

use super::ask::Ask;
use super::codes::Area;
use super::{Cause, Cloud, Connection, Microsoft, Refusal, Token, wire};
use crate::ids::EntraUserId;

/// A user in Entra, as far as an answer said; what is `None` was not said and has not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub id: EntraUserId,
    pub user_principal_name: Option<String>,
    /// Empty: the user has none.
    pub mail: Option<String>,
    /// Lower case, without the `smtp:` in front; other kinds of address are left out.
    pub proxy_addresses: Option<Vec<String>>,
    pub display_name: Option<String>,
    pub enabled: Option<bool>,
    /// Invited from elsewhere, whatever the principal name looks like.
    pub guest: Option<bool>,
}

/// One page of what changed in a directory. The same user may come twice; the later one counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserChanges {
    pub users: Vec<User>,
    pub removed: Vec<EntraUserId>,
    pub next: Next,
}

/// Where to go on, both times by giving the link to [`Microsoft::user_changes`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// There is more now.
    Page(String),
    /// That was all; what changes from now on will be found here.
    Done(String),
}

/// More pages than any directory has.
pub const MOST_PAGES: usize = 20_000;

/// A page of 999 users with many addresses each is well below this.
const LONGEST_PAGE: usize = 16 * 1024 * 1024;

const FIELDS: &str = "id,userPrincipalName,mail,displayName,accountEnabled,proxyAddresses,userType";

impl Microsoft {
    /// One page of the directory's changes: its beginning without a link, or where a link leads.
    ///
    /// A link that has run out is refused with [`Cause::StartOver`], as is one that leads
    /// anywhere but to this connection's Graph.
    pub async fn user_changes(
        &self,
        connection: &Connection,
        link: Option<&str>,
    ) -> Result<UserChanges, Refusal> {
        let cloud = connection.cloud;
        let url = match link {
            None => self.graph(cloud, &format!("users/delta?$select={FIELDS}"))?,
            Some(link) => self.own_link(cloud, link).ok_or_else(|| {
                Refusal::new(Cause::StartOver, "the link that was kept leads to another host")
            })?,
        };
        let answered = self.ask(connection, &look("user-changes", url)).await;
        let changes = answered.read(LONGEST_PAGE, wire::changes).await?;
        if matches!(&changes.next, Next::Page(next) if Some(next.as_str()) == link) {
            return Err(Refusal::endless());
        }
        let (Next::Page(next) | Next::Done(next)) = &changes.next;
        match self.own_link(cloud, next) {
            Some(_) => Ok(changes),
            // Following it would hand our token to whoever is there.
            None => {
                Err(Refusal::new(Cause::Garbled, "the next page is said to be on another host"))
            }
        }
    }

    /// A harmless look into the directory, with a token from [`Microsoft::sign_in`] and no other:
    /// so that a setup is tested with what was typed and not with what was kept.
    pub async fn try_directory(
        &self,
        connection: &Connection,
        token: &Token,
    ) -> Result<Vec<User>, Refusal> {
        let url = self.graph(connection.cloud, &format!("users?$select={FIELDS}&$top=5"))?;
        let answered = self.ask_with(connection, &look("users", url), token).await;
        answered.read(LONGEST_PAGE, wire::users).await
    }

    /// The first few users of the directory.
    pub async fn first_users(
        &self,
        connection: &Connection,
        top: u16,
    ) -> Result<Vec<User>, Refusal> {
        let top = top.clamp(1, 999);
        let url = self.graph(connection.cloud, &format!("users?$select={FIELDS}&$top={top}"))?;
        let answered = self.ask(connection, &look("users", url)).await;
        answered.read(LONGEST_PAGE, wire::users).await
    }

    /// Whoever has this address, as principal name, mail, or one among many. Two are two candidates.
    pub async fn users_by_address(
        &self,
        connection: &Connection,
        address: &str,
    ) -> Result<Vec<User>, Refusal> {
        let mut url = self.graph(connection.cloud, "users")?;
        // In OData a quote inside a text is written twice.
        let address = address.replace('\'', "''");
        let filter = format!(
            "userPrincipalName eq '{address}' or mail eq '{address}' \
             or proxyAddresses/any(a:a eq 'smtp:{address}')"
        );
        url.query_pairs_mut().append_pair("$filter", &filter).append_pair("$select", FIELDS);
        let answered = self.ask(connection, &look("users", url)).await;
        answered.read(LONGEST_PAGE, wire::users).await
    }

    /// A link that Graph gave us, if it leads back to the same Graph.
    fn own_link(&self, cloud: Cloud, link: &str) -> Option<Url> {
        let graph = self.graph(cloud, "").ok()?;
        let link = Url::parse(link).ok()?;
        let same = link.origin() == graph.origin()
            && link.path().starts_with(graph.path())
            && link.username().is_empty()
            && link.password().is_none();
        same.then_some(link)
    }
}

fn look(name: &'static str, url: Url) -> Ask {
    let wait = Duration::from_secs(30);
    Ask { name, area: Area::Directory, method: Method::GET, url, body: None, wait }
}
