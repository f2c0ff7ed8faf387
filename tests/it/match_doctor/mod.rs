//! The match doctor: whom users without a match might be, accepting that, and files.

mod files;
mod offering;
mod taking;

use axum::http::{Method, StatusCode};
use presence_portal::ids::{AccountId, EntraUserId};
use presence_portal::presence::store::matching;

use crate::support::{Browser, Page, Stage, id};

struct Scene {
    stage: Stage,
    ann: Browser,
    acme: AccountId,
    at: String,
}

async fn scene() -> Scene {
    let stage = Stage::new().await;
    let (ann, acme) = (stage.ann().await, stage.synced_account("Acme").await);
    Scene { ann, acme, at: format!("/accounts/{acme}/presence/matching"), stage }
}

/// Somebody in Entra.
#[derive(Clone, Copy)]
struct Entra<'a> {
    name: &'a str,
    upn: &'a str,
    mail: Option<&'a str>,
    aliases: &'a [&'a str],
    enabled: bool,
}

fn entra<'a>(name: &'a str, upn: &'a str) -> Entra<'a> {
    Entra { name, upn, mail: None, aliases: &[], enabled: true }
}

impl Scene {
    async fn has(&self, it: Entra<'_>) -> EntraUserId {
        let id = EntraUserId::from(uuid::Uuid::new_v4());
        sqlx::query(
            "INSERT INTO entra_users (account_id, entra_id, user_principal_name, mail, proxy_addresses, display_name, enabled)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(self.acme)
        .bind(id)
        .bind(it.upn)
        .bind(it.mail)
        .bind(it.aliases)
        .bind(it.name)
        .bind(it.enabled)
        .execute(&self.stage.db)
        .await
        .unwrap();
        id
    }

    /// Somebody with a telephone whom nothing is known to match: `Ada Byron`, `ada.byron@acme.example`.
    async fn phone(&self, name: &str) {
        self.stage.telephone(self.acme, name, None, None).await;
    }

    async fn rematch(&self) {
        matching::rematch(&self.stage.db, self.acme, self.stage.clock.now()).await.unwrap();
    }

    async fn page(&self) -> Page {
        self.ann.visit(&self.at).await
    }

    async fn matched(&self, name: &str) -> Option<EntraUserId> {
        sqlx::query_scalar(
            "SELECT entra_id FROM cloudlink_users WHERE account_id = $1 AND user_id = $2",
        )
        .bind(self.acme)
        .bind(id(name))
        .fetch_one(&self.stage.db)
        .await
        .unwrap()
    }

    /// Sends a file as a browser does, and follows to what it would come to.
    async fn send(&self, file: &str) -> Page {
        let body = format!(
            "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"m.csv\"\r\nContent-Type: text/csv\r\n\r\n{file}\r\n--x\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\n\r\n--x--\r\n"
        );
        let headers = [("content-type", "multipart/form-data; boundary=x")];
        let answer =
            self.ann.send(Method::POST, &format!("{}/file", self.at), &headers, body).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        self.ann.visit(answer.headers["location"].to_str().unwrap()).await
    }
}

/// The row of somebody, in words.
fn row(page: &Page, name: &str) -> String {
    let rows = page.all("tbody tr");
    let words = rows
        .into_iter()
        .map(|row| row.text().flat_map(str::split_whitespace).collect::<Vec<_>>().join(" "));
    words.into_iter().find(|words| words.contains(name)).unwrap_or_default()
}
