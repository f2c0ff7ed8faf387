//! A wire that can be cut, held, and mended: between the portal and whatever it talks to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

pub struct Proxy {
    pub address: SocketAddr,
    to: SocketAddr,
    state: watch::Sender<State>,
    listening: Arc<Mutex<JoinSet<()>>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// Everything is taken, and nothing passed on.
    swallows: bool,
    /// How many connections there have been.
    connections: u64,
    /// The first so many lead nowhere, for ever.
    stranded: u64,
}

impl State {
    fn passes(self, connection: u64) -> bool {
        !self.swallows && connection >= self.stranded
    }
}

impl Proxy {
    pub async fn to(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let proxy =
            Self { address, to, state: watch::Sender::default(), listening: Arc::default() };
        proxy.listen(listener);
        proxy
    }

    /// Whether it takes everything and passes nothing on, without a word.
    pub fn swallow(&self, swallows: bool) {
        self.state.send_modify(|state| state.swallows = swallows);
    }

    /// The connections that are there lead nowhere for ever; new ones are well.
    pub fn strand(&self) {
        self.state.send_modify(|state| state.stranded = state.connections);
    }

    /// Nobody listens any more, and what was connected is cut.
    pub fn hang_up(&self) {
        *self.listening.lock().unwrap() = JoinSet::new();
    }

    pub async fn listen_again(&self) {
        self.listen(TcpListener::bind(self.address).await.unwrap());
    }

    fn listen(&self, listener: TcpListener) {
        let (state, to) = (self.state.clone(), self.to);
        self.listening.lock().unwrap().spawn(async move {
            let mut wires = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let mut number = 0;
                state.send_modify(|state| {
                    number = state.connections;
                    state.connections += 1;
                });
                wires.spawn(carry(stream, to, number, state.subscribe()));
            }
        });
    }
}

async fn carry(here: TcpStream, to: SocketAddr, number: u64, state: watch::Receiver<State>) {
    let Ok(there) = TcpStream::connect(to).await else { return };
    here.set_nodelay(true).ok();
    there.set_nodelay(true).ok();
    let (from_here, to_here) = here.into_split();
    let (from_far, to_far) = there.into_split();
    tokio::join!(
        pass(from_here, to_far, number, state.clone()),
        pass(from_far, to_here, number, state),
    );
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    number: u64,
    mut state: watch::Receiver<State>,
) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if state.wait_for(|state| state.passes(number)).await.is_err()
            || to.write_all(&buffer[..read]).await.is_err()
        {
            return;
        }
    }
    if state.wait_for(|state| state.passes(number)).await.is_ok() {
        to.shutdown().await.ok();
    }
}
