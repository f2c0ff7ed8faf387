//! A door of TLS before a server that has none, with the right certificate or a stranger's.
//!
//! The certificates are in `certificates`: `here` is for this machine and signed by `authority`,
//! `wrong` is for somewhere else and signed by itself. They last for a hundred years.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::io::copy_bidirectional;
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
                        let Ok(mut here) = shows.accept(stream).await else { return };
                        let Ok(mut there) = TcpStream::connect(to).await else { return };
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
