//! A door of TLS before a server that has none, with the right certificate or a stranger's. It
//! stands open from the first byte, or behind STARTTLS.
//!
//! The certificates are in `certificates`: `here` is for this machine and signed by `authority`,
//! `wrong` is for somewhere else and signed by itself. They last for a hundred years.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

pub struct Door {
    pub address: SocketAddr,
    stranger: watch::Sender<bool>,
    _open: JoinSet<()>,
}

/// What the portal is to trust.
pub fn authority() -> String {
    certificate("authority").display().to_string()
}

fn certificate(name: &str) -> PathBuf {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults/support/certificates");
    PathBuf::from(dir).join(name).with_extension("pem")
}

fn acceptor(name: &str) -> TlsAcceptor {
    let file = certificate(name);
    let chain = CertificateDer::pem_file_iter(&file).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(&file).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

impl Door {
    pub async fn to(to: SocketAddr) -> Self {
        Self::leading(to, false).await
    }

    /// To a mail server, as one that speaks in the clear until it is asked not to.
    pub async fn behind_starttls(to: SocketAddr) -> Self {
        Self::leading(to, true).await
    }

    async fn leading(to: SocketAddr, after_starttls: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (right, wrong) = (acceptor("here"), acceptor("wrong"));
        let (stranger, says) = watch::channel(false);
        let mut open = JoinSet::new();
        open.spawn(async move {
            let mut visits = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let mut says = says.clone();
                let shows = if *says.borrow_and_update() { &wrong } else { &right };
                let shows = shows.clone();
                visits.spawn(async move {
                    let carried = async {
                        let Some(stream) = asked_for(stream, after_starttls).await else { return };
                        let Ok(mut here) = shows.accept(stream).await else { return };
                        let Ok(mut there) = TcpStream::connect(to).await else { return };
                        if after_starttls {
                            // It has greeted already.
                            line(&mut there).await;
                        }
                        copy_bidirectional(&mut here, &mut there).await.ok();
                    };
                    tokio::select! {
                        () = carried => {}
                        _ = says.changed() => {}
                    }
                });
            }
        });
        Self { address, stranger, _open: open }
    }

    /// Whether it shows a certificate that is not its own. Whoever is inside is sent away.
    pub fn is_a_stranger(&self, wrong: bool) {
        self.stranger.send_replace(wrong);
    }
}

/// Speaks SMTP until STARTTLS is asked for; none if it never is.
async fn asked_for(mut stream: TcpStream, after_starttls: bool) -> Option<TcpStream> {
    if !after_starttls {
        return Some(stream);
    }
    stream.write_all(b"220 the door\r\n").await.ok()?;
    loop {
        let said = line(&mut stream).await?;
        match said.get(..4)?.to_ascii_uppercase().as_str() {
            "EHLO" => stream.write_all(b"250-the door\r\n250 STARTTLS\r\n").await.ok()?,
            "STAR" => break,
            _ => stream.write_all(b"530 5.7.0 STARTTLS first\r\n").await.ok()?,
        }
    }
    stream.write_all(b"220 2.0.0 go ahead\r\n").await.ok()?;
    Some(stream)
}

/// One line, and not a byte of what follows it.
async fn line(stream: &mut TcpStream) -> Option<String> {
    let mut line = Vec::new();
    while line.last() != Some(&b'\n') {
        line.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(line).ok()
}
