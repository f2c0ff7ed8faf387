//! The settings by which people are told: mail, and where webhooks may go.

use axum::http::uri::Authority;
use url::{Host, Url};

use super::Reader;
use crate::kit::email::Email;
use crate::kit::secret::Secret;
use crate::kit::text::line;

/// How we send mail.
#[derive(Clone, Debug)]
pub struct MailSettings {
    pub server: MailServer,
    /// The name that stands before the address; may be empty.
    pub from_name: String,
    pub from: Email,
}

#[derive(Clone, Debug)]
pub struct MailServer {
    pub host: String,
    pub port: u16,
    pub security: Security,
    pub login: Option<Login>,
}

#[derive(Clone, Debug)]
pub struct Login {
    pub user: String,
    pub password: Secret,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// From the first byte.
    Tls,
    /// Asked for before anything else is said, and insisted on.
    StartTls,
    /// For a relay that listens on this machine.
    None,
}

impl Security {
    pub fn label(self) -> &'static str {
        match self {
            Self::Tls => "TLS",
            Self::StartTls => "STARTTLS",
            Self::None => "no encryption",
        }
    }

    fn usual_port(self) -> u16 {
        match self {
            Self::Tls => 465,
            Self::StartTls => 587,
            Self::None => 25,
        }
    }
}

/// Hosts that webhooks may go to although they are of our own network, or speak plain http.
#[derive(Clone, Debug, Default)]
pub struct HookHosts(Vec<(String, Option<u16>)>);

impl HookHosts {
    pub fn of(hosts: impl IntoIterator<Item = (String, Option<u16>)>) -> Self {
        Self(hosts.into_iter().collect())
    }

    /// Without a port, any port of the host is meant.
    pub fn holds(&self, host: &str, port: u16) -> bool {
        self.0.iter().any(|(held, its)| held == host && its.is_none_or(|its| its == port))
    }

    pub fn names(&self, host: &str) -> bool {
        self.0.iter().any(|(held, _)| held == host)
    }

    pub fn in_words(&self) -> String {
        let one = |(host, port): &(String, Option<u16>)| match port {
            Some(port) => format!("{host}:{port}"),
            None => host.clone(),
        };
        self.0.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    pub(super) fn mail(&mut self) -> Option<MailSettings> {
        let server = self.secret("PORTAL_SMTP_URL");
        let server_given = self.is_given("PORTAL_SMTP_URL");
        let sender = self.text("PORTAL_SMTP_FROM");
        let from = sender.as_deref().and_then(mailbox);
        if sender.is_some() && from.is_none() {
            self.complain(
                "PORTAL_SMTP_FROM must be an address such as portal@partner.example, or \
                 Presence portal <portal@partner.example>."
                    .to_owned(),
            );
        }
        match (server_given, sender.is_some()) {
            (true, false) => self.complain(
                "PORTAL_SMTP_FROM is missing: mail needs an address it comes from.".to_owned(),
            ),
            (false, true) => self.complain(
                "PORTAL_SMTP_URL is missing: mail needs a server to hand it to.".to_owned(),
            ),
            _ => {}
        }
        let server = self.server(&server?)?;
        let (from_name, from) = from?;
        Some(MailSettings { server, from_name, from })
    }

    fn server(&mut self, text: &Secret) -> Option<MailServer> {
        let parsed = parse_server(text.reveal());
        if let Err(complaint) = &parsed {
            self.complain(format!("PORTAL_SMTP_URL {complaint}"));
        }
        parsed.ok()
    }

    pub(super) fn webhook_hosts(&mut self) -> HookHosts {
        let Some(text) = self.text("PORTAL_WEBHOOK_HOSTS") else { return HookHosts::default() };
        let hosts: Option<Vec<_>> = text
            .split(',')
            .map(str::trim)
            .filter(|host| !host.is_empty())
            .map(|host| {
                let host: Authority = host.parse().ok().filter(|_| !host.contains('@'))?;
                Some((host.host().to_lowercase(), host.port_u16()))
            })
            .collect();
        if hosts.is_none() {
            self.complain(
                "PORTAL_WEBHOOK_HOSTS must be host names, each with or without a port, and \
                 commas between them."
                    .to_owned(),
            );
        }
        HookHosts(hosts.unwrap_or_default())
    }
}

/// What is wrong with it is said without repeating any of it: it may hold a password.
fn parse_server(text: &str) -> Result<MailServer, &'static str> {
    const SHAPE: &str =
        "must be a URL such as smtps://user:password@mail.example, or smtp:// for STARTTLS.";
    let url = Url::parse(text).map_err(|_| SHAPE)?;
    let query: Vec<_> = url.query_pairs().collect();
    let unencrypted = match query.as_slice() {
        [] => false,
        [(name, value)] if name == "tls" && value == "none" => true,
        [(name, value)] if name == "tls" && value == "required" => false,
        _ => return Err("knows only ?tls=none and ?tls=required after the host."),
    };
    let security = match (url.scheme(), unencrypted) {
        ("smtps", false) => Security::Tls,
        ("smtp", false) => Security::StartTls,
        ("smtp", true) => Security::None,
        ("smtps", true) => return Err("says smtps and tls=none: keep one of them."),
        _ => return Err(SHAPE),
    };
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or(SHAPE)?;
    if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
        return Err(SHAPE);
    }
    let user = decoded(url.username()).ok_or(SHAPE)?;
    let password = url.password().map(decoded).map(|it| it.ok_or(SHAPE)).transpose()?;
    let login = match (user.is_empty(), password) {
        (true, None) => None,
        (false, Some(password)) => Some(Login { user, password: Secret::new(password) }),
        _ => return Err("must hold both a user and a password, or neither."),
    };
    if login.is_some() && security == Security::None && !is_this_machine(host) {
        return Err("would send the password in the clear: take tls=none away.");
    }
    Ok(MailServer {
        host: host.trim_matches(['[', ']']).to_owned(),
        port: url.port().unwrap_or(security.usual_port()),
        security,
        login,
    })
}

fn decoded(text: &str) -> Option<String> {
    let text = percent_encoding::percent_decode_str(text).decode_utf8().ok()?;
    (!text.chars().any(char::is_control)).then(|| text.into_owned())
}

fn is_this_machine(host: &str) -> bool {
    match Host::parse(host) {
        Ok(Host::Domain(name)) => name == "localhost",
        Ok(Host::Ipv4(ip)) => ip.is_loopback(),
        Ok(Host::Ipv6(ip)) => ip.is_loopback(),
        Err(_) => false,
    }
}

/// `portal@partner.example`, or the same in angle brackets behind a name.
fn mailbox(text: &str) -> Option<(String, Email)> {
    let (name, address) = match text.strip_suffix('>') {
        Some(text) => text.rsplit_once('<')?,
        None => ("", text),
    };
    let name = line(name.trim().trim_matches('"'), 100).ok()?;
    Some((name, Email::parse(address).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_read_with_its_encryption_and_its_login() {
        let server = parse_server("smtps://ann%40partner:p%2Fw@mail.example").unwrap();
        assert_eq!((server.host.as_str(), server.port), ("mail.example", 465));
        let login = server.login.unwrap();
        assert_eq!((login.user.as_str(), login.password.reveal()), ("ann@partner", "p/w"));
        let server = parse_server("smtp://mail.example").unwrap();
        assert_eq!((server.security, server.port), (Security::StartTls, 587));
        let server = parse_server("smtp://[::1]:2525?tls=none").unwrap();
        assert_eq!((server.security, server.host.as_str()), (Security::None, "::1"));
    }

    #[test]
    fn what_would_give_a_password_away_is_refused() {
        assert!(parse_server("smtp://u:p@mail.example?tls=none").is_err());
        assert!(parse_server("smtp://u:p@127.0.0.1:25?tls=none").is_ok());
        for wrong in ["mail.example", "http://mail.example", "smtp://u@mail.example", "smtp:///x"] {
            assert!(parse_server(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_sender_may_have_a_name() {
        let (name, email) = mailbox("Presence portal <portal@partner.example>").unwrap();
        assert_eq!((name.as_str(), email.as_str()), ("Presence portal", "portal@partner.example"));
        assert!(mailbox("portal@partner.example").is_some());
        assert!(mailbox("nobody").is_none());
    }
}
