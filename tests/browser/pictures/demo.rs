//! `presence-portal demo`, as anybody starts it.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::Visitor;

/// Ends with the test, as Ctrl-C would end it.
pub struct Demo {
    process: Child,
    pub url: String,
    pub sandbox: String,
    password: String,
    _data: TempDir,
}

impl Demo {
    pub fn start() -> Self {
        // The account that Postgres runs as has to reach it, too.
        let open = Permissions::from_mode(0o755);
        let data = tempfile::Builder::new().permissions(open).tempdir().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_presence-portal"))
            .arg("demo")
            .env_remove("DATABASE_URL")
            .env("PORTAL_DATA_DIR", data.path())
            .env("PORTAL_LISTEN", "127.0.0.1:0")
            .env("PORTAL_SANDBOX_LISTEN", "127.0.0.1:0")
            .env("PORTAL_LOG", "error")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut said = BTreeMap::new();
        for line in lines.by_ref().map_while(Result::ok) {
            for words in ["portal is at ", "with the password ", "watch Teams at "] {
                if let Some((_, value)) = line.split_once(words) {
                    said.insert(words, value.trim_end_matches('/').to_owned());
                }
            }
            if said.len() == 3 {
                break;
            }
        }
        std::thread::spawn(move || lines.for_each(drop));
        let mut take = |words| said.remove(words).unwrap_or_else(|| panic!("{words}: unsaid"));
        let url = take("portal is at ");
        let (password, sandbox) = (take("with the password "), take("watch Teams at "));
        Self { process, url, sandbox, password, _data: data }
    }

    pub async fn sign_in(&self, visitor: &Visitor) {
        visitor.visit("/sign-in").await;
        visitor.fill("Email", "admin@partner.example").await;
        visitor.fill("Password", &self.password).await;
        visitor.press("Sign in").await;
        visitor.sees("What needs a person today").await;
    }

    /// Turns a switch of the sandbox, and leaves the visitor on its page.
    pub async fn turn(&self, visitor: &Visitor, switch: Value) -> Value {
        visitor.visit(&format!("{}/control/world", self.sandbox)).await;
        let turn = "const ask = new XMLHttpRequest();
            ask.open('POST', '/control', false);
            ask.send(arguments[0]);
            return JSON.parse(ask.responseText)";
        visitor.run(turn, vec![json!(switch.to_string())]).await
    }

    /// The customer of that name, as the sandbox lists it.
    pub async fn customer(&self, visitor: &Visitor, name: &str) -> Value {
        visitor.visit(&format!("{}/control/world", self.sandbox)).await;
        let world = visitor.run("return JSON.parse(document.body.innerText)", vec![]).await;
        let customers = world["customers"].as_array().unwrap();
        customers.iter().find(|customer| customer["name"] == name).unwrap().clone()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let id = self.process.id().to_string();
        Command::new("kill").args(["-INT", &id]).status().ok();
        self.process.wait().ok();
    }
}
