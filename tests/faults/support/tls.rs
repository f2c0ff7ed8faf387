//! A door of TLS before a server that has none, with the right certificate or a stranger's.
//!
//! The certificates are in `certificates`: `here` is for this machine and signed by `authority`,
//! `wrong` is for somewhere else and signed by itself. They last for a hundred years.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

pub struct Door {
    pub address: SocketAddr,
    wrong: Arc<AtomicBool>,
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
        let wrong = Arc::new(AtomicBool::new(false));
        let (says, right, stranger) = (Arc::clone(&wrong), acceptor("here"), acceptor("wrong"));
        let mut open = JoinSet::new();
        open.spawn(async move {
            let mut visits = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let shows = if says.load(Ordering::Acquire) { &stranger } else { &right };
                let shows = shows.clone();
                visits.spawn(async move {
                    let Ok(mut here) = shows.accept(stream).await else { return };
                    let Ok(mut there) = TcpStream::connect(to).await else { return };
                    copy_bidirectional(&mut here, &mut there).await.ok();
                });
            }
        });
        Self { address, wrong, _open: open }
    }

    /// Whether it shows a certificate that is not its own, to whoever comes from now on.
    pub fn is_a_stranger(&self, wrong: bool) {
        self.wrong.store(wrong, Ordering::Release);
    }
}
