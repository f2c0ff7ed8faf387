//! All settings, read once, with every complaint at once.

mod mail;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;
use tracing_subscriber::EnvFilter;
use url::Url;

use crate::ids::CloudlinkAccountId;
use crate::kit::secret::{MasterKey, Secret};

pub use mail::{HookHosts, Login, MailServer, MailSettings, Security};

/// Read once, whole, and never consulted by name again.
#[derive(Clone, Debug)]
pub struct Config {
    /// `PORTAL_LISTEN`: where browsers and CloudLink connect. `127.0.0.1:8080`.
    pub listen: SocketAddr,
    /// `PORTAL_PUBLIC_URL`: how they reach us from outside. `http://{listen}`.
    pub public_url: Url,
    /// `PORTAL_DATA_DIR`: the embedded database and the keys made for it. `./data`.
    pub data_dir: Option<PathBuf>,
    /// `DATABASE_URL`: a Postgres of one's own. Carries a password. Absent: the embedded one.
    pub database_url: Option<Secret>,
    /// `PORTAL_DATABASE_LISTEN_URL`: the one connection that listens for notifications, when
    /// `DATABASE_URL` leads through a pooler that cannot carry it. `DATABASE_URL`.
    pub database_listen_url: Option<Secret>,
    /// `PORTAL_MASTER_KEY` or `PORTAL_MASTER_KEY_FILE`: seals every secret in the database.
    pub master_key: Option<MasterKey>,
    /// `PORTAL_NEW_MASTER_KEY` or `PORTAL_NEW_MASTER_KEY_FILE`: what `rekey` seals with from now on.
    pub new_master_key: Option<MasterKey>,
    pub cloudlink: CloudlinkSettings,
    pub microsoft: MicrosoftSettings,
    /// `PORTAL_SMTP_URL` and `PORTAL_SMTP_FROM`: how mail is sent. None is.
    pub mail: Option<MailSettings>,
    /// `PORTAL_WEBHOOK_HOSTS`: hosts of one's own network that webhooks may go to. None.
    pub webhook_hosts: HookHosts,
    /// `PORTAL_METRICS_LISTEN`: where `/metrics` is served, apart from the pages. Off.
    pub metrics_listen: Option<SocketAddr>,
    /// `PORTAL_SANDBOX_LISTEN`: where `demo` and `sandbox` serve the pretend systems. `127.0.0.1:8090`.
    pub sandbox_listen: SocketAddr,
    /// `PORTAL_LOG`: a tracing filter. `info`.
    pub log: String,
    /// Set by `demo` alone: the styleguide is served beside the pages.
    pub styleguide: bool,
}

/// How we reach CloudLink.
#[derive(Clone, Debug)]
pub struct CloudlinkSettings {
    /// `PORTAL_CLOUDLINK_URL`: a template with `{service}`.
    pub url: String,
    /// `PORTAL_CLOUDLINK_CLIENT_ID`, `…_CLIENT_SECRET` (or `…_FILE`), `…_PARTNER_ACCOUNT`.
    pub credentials: Option<CloudlinkCredentials>,
}

#[derive(Clone, Debug)]
pub struct CloudlinkCredentials {
    pub client_id: String,
    pub client_secret: Secret,
    pub partner_account: CloudlinkAccountId,
}

/// How we reach Microsoft.
#[derive(Clone, Debug)]
pub struct MicrosoftSettings {
    /// `PORTAL_MICROSOFT_LOGIN_URL`: in place of every cloud's login host.
    pub login_url: Option<Url>,
    /// `PORTAL_MICROSOFT_GRAPH_URL`: in place of every cloud's Graph host.
    pub graph_url: Option<Url>,
    /// `PORTAL_GRAPH_REQUESTS_PER_SECOND`: presence requests per tenant. `50`.
    pub requests_per_second: u32,
}

pub const DEFAULT_CLOUDLINK_URL: &str = "https://{service}.api.mitel.io/2017-09-01";
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
const DEFAULT_SANDBOX_LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8090);

impl Config {
    /// Reads the settings, or says everything that is wrong with them at once.
    ///
    /// `setting` looks a name up: in the environment, or in what the command line said.
    /// No complaint repeats a value.
    pub fn read(setting: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<String>> {
        let mut reader = Reader { setting, complaints: Vec::new() };
        let listen = reader.parsed("PORTAL_LISTEN", "an address and port such as 127.0.0.1:8080");
        let listen = listen.unwrap_or(DEFAULT_LISTEN);
        let here =
            Url::parse(&format!("http://{listen}")).map_err(|error| vec![error.to_string()])?;
        let database_url = reader.postgres_url("DATABASE_URL");
        let master_key = reader.master_key("PORTAL_MASTER_KEY");
        if reader.text("DATABASE_URL").is_some() && !reader.is_given("PORTAL_MASTER_KEY") {
            reader.complain(
                "PORTAL_MASTER_KEY is missing: with DATABASE_URL set, the key that seals the \
                 secrets is yours to make (openssl rand -base64 32) and to keep."
                    .to_owned(),
            );
        }
        let config = Self {
            listen,
            public_url: reader.http_url("PORTAL_PUBLIC_URL").unwrap_or(here),
            data_dir: reader.text("PORTAL_DATA_DIR").map(PathBuf::from),
            database_url,
            database_listen_url: reader.postgres_url("PORTAL_DATABASE_LISTEN_URL"),
            master_key,
            new_master_key: reader.master_key("PORTAL_NEW_MASTER_KEY"),
            cloudlink: reader.cloudlink(),
            microsoft: MicrosoftSettings {
                login_url: reader.http_url("PORTAL_MICROSOFT_LOGIN_URL"),
                graph_url: reader.http_url("PORTAL_MICROSOFT_GRAPH_URL"),
                requests_per_second: reader.requests_per_second(),
            },
            mail: reader.mail(),
            webhook_hosts: reader.webhook_hosts(),
            metrics_listen: reader
                .parsed("PORTAL_METRICS_LISTEN", "an address and port such as 127.0.0.1:9090"),
            sandbox_listen: reader
                .parsed("PORTAL_SANDBOX_LISTEN", "an address and port such as 127.0.0.1:8090")
                .unwrap_or(DEFAULT_SANDBOX_LISTEN),
            log: reader.log_filter(),
            styleguide: false,
        };
        if reader.complaints.is_empty() { Ok(config) } else { Err(reader.complaints) }
    }
}

struct Reader<F> {
    setting: F,
    complaints: Vec<String>,
}

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    /// An empty setting is one that was not given.
    fn text(&self, name: &str) -> Option<String> {
        (self.setting)(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    fn complain(&mut self, complaint: String) {
        self.complaints.push(complaint);
    }

    fn parsed<T: FromStr>(&mut self, name: &str, shape: &str) -> Option<T> {
        let parsed = self.text(name)?.parse().ok();
        if parsed.is_none() {
            self.complain(format!("{name} must be {shape}."));
        }
        parsed
    }

    fn http_url(&mut self, name: &str) -> Option<Url> {
        let url: Url = self.parsed(name, "a URL such as https://portal.example.com")?;
        let usable = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if !usable {
            self.complain(format!(
                "{name} must be an http or https URL without user, query or fragment."
            ));
        }
        usable.then_some(url)
    }

    fn postgres_url(&mut self, name: &str) -> Option<Secret> {
        let text = self.text(name)?;
        let is_postgres =
            Url::parse(&text).is_ok_and(|url| matches!(url.scheme(), "postgres" | "postgresql"));
        let usable = is_postgres && text.parse::<PgConnectOptions>().is_ok();
        if !is_postgres {
            self.complain(format!("{name} must be a URL that begins with postgres://."));
        } else if !usable {
            self.complain(format!("{name} has an option that Postgres does not know."));
        }
        usable.then(|| Secret::new(text))
    }

    /// The text itself, or what the file named by `{name}_FILE` holds.
    fn secret(&mut self, name: &str) -> Option<Secret> {
        let file = format!("{name}_FILE");
        match (self.text(name), self.text(&file)) {
            (Some(_), Some(_)) => {
                self.complain(format!("{name} and {file} are both set: keep one of them."));
                None
            }
            (Some(text), None) => Some(Secret::new(text)),
            (None, Some(path)) => match std::fs::read_to_string(path) {
                Ok(text) if !text.trim().is_empty() => Some(Secret::new(text.trim())),
                Ok(_) => {
                    self.complain(format!("{file} names an empty file."));
                    None
                }
                Err(error) => {
                    self.complain(format!(
                        "{file} names a file that cannot be read: {}.",
                        error.kind()
                    ));
                    None
                }
            },
            (None, None) => None,
        }
    }

    /// Whether the setting or its file was given, well or badly.
    fn is_given(&self, name: &str) -> bool {
        self.text(name).is_some() || self.text(&format!("{name}_FILE")).is_some()
    }

    fn master_key(&mut self, name: &str) -> Option<MasterKey> {
        let text = self.secret(name)?;
        match MasterKey::parse(text.reveal()) {
            Ok(key) => Some(key),
            Err(error) => {
                self.complain(format!("{name} must be 32 bytes in base64: {error}."));
                None
            }
        }
    }

    fn log_filter(&mut self) -> String {
        let filter = self.text("PORTAL_LOG").unwrap_or_else(|| "info".to_owned());
        if EnvFilter::builder().parse(&filter).is_err() {
            self.complain(
                "PORTAL_LOG must be a filter such as info or warn,presence_portal=debug."
                    .to_owned(),
            );
        }
        filter
    }

    fn requests_per_second(&mut self) -> u32 {
        const NAME: &str = "PORTAL_GRAPH_REQUESTS_PER_SECOND";
        match self.parsed(NAME, "a whole number from 1 to 10000") {
            Some(rate @ 1..=10_000) => rate,
            Some(_) => {
                self.complain(format!("{NAME} must be a whole number from 1 to 10000."));
                50
            }
            None => 50,
        }
    }

    fn cloudlink(&mut self) -> CloudlinkSettings {
        const PARTNER_ACCOUNT: &str = "PORTAL_CLOUDLINK_PARTNER_ACCOUNT";
        let url =
            self.text("PORTAL_CLOUDLINK_URL").unwrap_or_else(|| DEFAULT_CLOUDLINK_URL.to_owned());
        let usable = url.contains("{service}")
            && Url::parse(&url.replace("{service}", "admin"))
                .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if !usable {
            self.complain(
                "PORTAL_CLOUDLINK_URL must be an http or https URL that contains {service}."
                    .to_owned(),
            );
        }
        let client_id = self.text("PORTAL_CLOUDLINK_CLIENT_ID");
        let client_secret = self.secret("PORTAL_CLOUDLINK_CLIENT_SECRET");
        let partner_account = self.parsed(PARTNER_ACCOUNT, "a CloudLink account id");
        let given = [
            ("PORTAL_CLOUDLINK_CLIENT_ID", client_id.is_some()),
            ("PORTAL_CLOUDLINK_CLIENT_SECRET", self.is_given("PORTAL_CLOUDLINK_CLIENT_SECRET")),
            (PARTNER_ACCOUNT, self.text(PARTNER_ACCOUNT).is_some()),
        ];
        let any = given.iter().any(|(_, given)| *given);
        for (name, _) in given.iter().filter(|(_, given)| any && !given) {
            self.complain(format!("{name} is missing: CloudLink needs all three."));
        }
        let credentials = client_id.zip(client_secret).zip(partner_account).map(
            |((client_id, client_secret), partner_account)| CloudlinkCredentials {
                client_id,
                client_secret,
                partner_account,
            },
        );
        CloudlinkSettings { url, credentials }
    }
}
