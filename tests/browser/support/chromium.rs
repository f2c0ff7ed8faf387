//! A real Chromium, driven through `ChromeDriver`, for as long as one test needs it.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tempfile::TempDir;

/// Whether pages may run their scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scripts {
    On,
    Off,
}

/// The driver's process and the browser's profile: both go with it.
pub struct Chromium {
    driver: Child,
    port: u16,
    pub client: Client,
    _profile: TempDir,
}

impl Chromium {
    pub async fn start(scripts: Scripts) -> Self {
        let (driver, port) = start_driver();
        let profile = tempfile::tempdir().unwrap();
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities(&profile, scripts))
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("Chromium starts");
        Self { driver, port, client, _profile: profile }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // A driver that is merely killed leaves its browser behind; asked to, it closes both.
        let asked = TcpStream::connect(("127.0.0.1", self.port)).and_then(|mut driver| {
            driver.write_all(
                b"GET /shutdown HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
            )
        });
        if asked.is_err() {
            self.driver.kill().ok();
        }
        self.driver.wait().ok();
    }
}

fn start_driver() -> (Child, u16) {
    let driver = std::env::var("CHROMEDRIVER").unwrap_or_else(|_| "chromedriver".to_owned());
    let mut child = Command::new(&driver)
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{driver} does not start ({error}): bin/test installs it"));
    let output = BufReader::new(child.stdout.take().unwrap());
    let (told, port) = mpsc::channel();
    std::thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                told.send(port.trim_end_matches('.').parse().unwrap()).ok();
            }
        }
    });
    let port = port.recv_timeout(Duration::from_secs(30)).expect("ChromeDriver says its port");
    (child, port)
}

fn capabilities(profile: &TempDir, scripts: Scripts) -> serde_json::Map<String, serde_json::Value> {
    let mut chromium = json!({
        "args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--window-size=1280,900",
            "--force-prefers-reduced-motion",
            format!("--user-data-dir={}", profile.path().display()),
        ],
        "prefs": {},
    });
    if let Ok(binary) = std::env::var("CHROMIUM") {
        chromium["binary"] = json!(binary);
    }
    if scripts == Scripts::Off {
        chromium["prefs"] = json!({ "profile.managed_default_content_settings.javascript": 2 });
    }
    let all = json!({ "browserName": "chrome", "goog:chromeOptions": chromium });
    all.as_object().cloned().unwrap()
}
