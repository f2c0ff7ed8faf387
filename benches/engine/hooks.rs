//! Events as CloudLink sends them, over plain sockets: whoever sends must cost less than whoever
//! takes in.

use chrono::Utc;
use presence_portal::app::opening::Opened;
use presence_portal::ids::CloudlinkAccountId;
use presence_portal::kit::clock::Clock;
use presence_portal::kit::secret::Sealed;
use presence_portal::sandbox::Customer;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Where an account's events go, and who they are about.
#[derive(Clone)]
pub struct Hook {
    pub path: String,
    pub customer: Arc<Customer>,
}

/// The webhooks of these customers, as the database has them.
pub async fn hooks(opened: &Opened, customers: &[Customer]) -> Vec<Hook> {
    let rows: Vec<(uuid::Uuid, CloudlinkAccountId, Sealed)> = sqlx::query_as(
        "SELECT p.account_id, a.cloudlink_account_id, p.hook_key
         FROM presence_accounts p JOIN accounts a ON a.id = p.account_id",
    )
    .fetch_all(&opened.db)
    .await
    .unwrap();
    let paths: HashMap<_, _> = rows
        .into_iter()
        .map(|(account, cloudlink, key)| {
            let key = opened.sealer.open(&format!("hook/{account}"), &key).unwrap();
            (cloudlink, format!("/hooks/cloudlink/{}", key.reveal()))
        })
        .collect();
    let hook = |customer: &Customer| Hook {
        path: paths[&customer.account].clone(),
        customer: Arc::new(customer.clone()),
    };
    customers.iter().map(hook).collect()
}

impl Hook {
    /// What CloudLink says when this user's phone changes.
    pub fn event(&self, user: usize, number: usize, state: &str) -> Value {
        let now = Clock::default().now();
        let user = &self.customer.phones[user].user;
        json!({
            "publicationId": format!("p-{number}"), "topic": "platform-api-presence", "method": "PUT",
            "subject": format!("/2017-09-01/presentities/{user}"),
            "content": {"presences": {"aggregate": {"status": state, "enteredOn": now}}},
            "publisher": {"accountId": self.customer.account, "principalId": user},
            "subscription": {"subscriptionId": "s"},
            "notification": {"createdOn": now.with_timezone(&Utc), "correlationId": "c"},
        })
    }
}

/// One connection of CloudLink's.
pub struct Line {
    stream: TcpStream,
    heard: Vec<u8>,
}

impl Line {
    pub async fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, heard: Vec::new() }
    }

    /// Posts a body, and returns the status of the answer.
    pub async fn post(&mut self, hook: &Hook, body: &str) -> u16 {
        let head = format!(
            "POST {} HTTP/1.1\r\nhost: portal\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            hook.path,
            body.len()
        );
        self.stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).await.unwrap();
        loop {
            if let Some(end) = self.heard.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&self.heard[..end]).to_lowercase();
                let status = head[9..12].parse().unwrap();
                let length = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
                    .unwrap_or(0);
                while self.heard.len() < end + 4 + length {
                    self.hear().await;
                }
                self.heard.drain(..end + 4 + length);
                return status;
            }
            self.hear().await;
        }
    }

    async fn hear(&mut self) {
        assert_ne!(self.stream.read_buf(&mut self.heard).await.unwrap(), 0, "the portal hung up");
    }
}
