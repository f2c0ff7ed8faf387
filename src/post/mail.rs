//! Mail, handed to one server by SMTP.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{CertificateStore, Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use tokio::time::timeout;

use super::{Refused, Taken};
use crate::config::{MailServer, MailSettings, Security};
use crate::ids::MessageId;
use crate::kit::email::Email;
use crate::kit::http::clean;

/// For each step of the conversation…
const LONGEST_STEP: Duration = Duration::from_secs(10);
/// …and for the whole of it.
const LONGEST: Duration = Duration::from_secs(20);
const SHOWN: usize = 200;

/// Hands letters over, if a server was set.
#[derive(Clone)]
pub struct Mail(Option<Arc<Office>>);

struct Office {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// One letter to one person.
#[derive(Clone, Copy, Debug)]
pub struct Letter<'a> {
    /// The same whenever it is sent again: who gets it twice can know.
    pub id: MessageId,
    pub to: &'a Email,
    pub subject: &'a str,
    pub text: &'a str,
    /// The letter it goes on from.
    pub after: Option<MessageId>,
}

impl Mail {
    pub fn new(settings: Option<&MailSettings>) -> anyhow::Result<Self> {
        let Some(settings) = settings else { return Ok(Self(None)) };
        let name = Some(settings.from_name.clone()).filter(|name| !name.is_empty());
        let from = Mailbox::new(name, address(&settings.from)?);
        Ok(Self(Some(Arc::new(Office { transport: transport(&settings.server)?, from }))))
    }

    pub fn is_set_up(&self) -> bool {
        self.0.is_some()
    }

    pub async fn send(&self, letter: Letter<'_>) -> Result<Taken, Refused> {
        let Some(office) = &self.0 else {
            return Err(Refused::lasting("Mail is not set up: PORTAL_SMTP_URL is missing."));
        };
        let message = office.message(letter).map_err(|error| {
            Refused::lasting(format!("It could not be put into a mail: {error}"))
        })?;
        match timeout(LONGEST, office.transport.send(message)).await {
            Ok(Ok(response)) => {
                let said: Vec<_> = response.message().collect();
                let answer = format!("{} {}", response.code(), said.join(" "));
                Ok(Taken { answer: clean(&answer, SHOWN) })
            }
            Ok(Err(error)) => Err(refusal(&error)),
            Err(_) => Err(Refused::passing("The mail server did not answer in time.")),
        }
    }
}

impl Office {
    fn message(&self, letter: Letter<'_>) -> anyhow::Result<Message> {
        let domain = self.from.email.domain();
        let named = |id: MessageId| format!("<{id}@{domain}>");
        // RFC 3834: nobody’s machine should answer a machine.
        let by_machine = HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        );
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, address(letter.to)?))
            .subject(letter.subject)
            .message_id(Some(named(letter.id)))
            .raw_header(by_machine)
            .header(ContentType::TEXT_PLAIN);
        if let Some(first) = letter.after {
            message = message.in_reply_to(named(first)).references(named(first));
        }
        Ok(message.body(letter.text.to_owned())?)
    }
}

fn transport(server: &MailServer) -> anyhow::Result<AsyncSmtpTransport<Tokio1Executor>> {
    let tls = match server.security {
        Security::Tls => Tls::Wrapper(certificates(&server.host)?),
        Security::StartTls => Tls::Required(certificates(&server.host)?),
        Security::None => Tls::None,
    };
    let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host)
        .port(server.port)
        .tls(tls)
        .timeout(Some(LONGEST_STEP));
    let transport = match &server.login {
        Some(login) => {
            let password = login.password.reveal().to_owned();
            transport.credentials(Credentials::new(login.user.clone(), password))
        }
        None => transport,
    };
    Ok(transport.build())
}

/// The system’s authorities, or those built in where it has none: as for everything else.
fn certificates(host: &str) -> anyhow::Result<TlsParameters> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let with =
        |store| TlsParameters::builder(host.to_owned()).certificate_store(store).build_rustls();
    with(CertificateStore::Default)
        .or_else(|_| with(CertificateStore::WebpkiRoots))
        .context("could not set up TLS for mail")
}

fn address(email: &Email) -> anyhow::Result<Address> {
    email.as_str().parse().with_context(|| format!("{email} cannot be written to"))
}

/// `550 5.1.1 No such mailbox` where the server spoke, else what became of the connection.
fn refusal(error: &lettre::transport::smtp::Error) -> Refused {
    let mut cause = error.source();
    let mut said = String::new();
    while let Some(inner) = cause {
        said = inner.to_string();
        cause = inner.source();
    }
    let answer = match error.status() {
        Some(code) => format!("{code} {said}"),
        None if error.is_timeout() => "The mail server did not answer in time.".to_owned(),
        None if error.is_tls() => format!("No encrypted connection could be made: {said}"),
        None if said.is_empty() => error.to_string(),
        None => said,
    };
    Refused {
        answer: clean(answer.trim(), SHOWN),
        lasting: error.is_permanent() || error.is_client(),
        retry_after: None,
    }
}
