//! How long the server takes for each page, over a database that was filled beforehand.
//!
//! `cargo bench --bench engine -- seed …` fills one; `cargo bench --bench pages -- --dir …` asks
//! for every page of it, one request after the other, as a browser does: signed in, compressed.
//! No worker runs meanwhile, so nothing goes out and the figures are the pages' own.

#![expect(clippy::unwrap_used, reason = "a figure that cannot be taken should stop there")]

mod places;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use mimalloc::MiMalloc;
use presence_portal::app::{self, opening};
use presence_portal::config::Config;
use presence_portal::routes;
use reqwest::header::{ACCEPT_ENCODING, COOKIE, SET_COOKIE};
use reqwest::{Client, StatusCode, redirect};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use places::Place;

/// Of a hundred requests for a page, 95 should be answered within this.
const AIM: Duration = Duration::from_millis(15);

#[derive(Parser)]
#[command(name = "pages", about = "How long the server takes for each page.")]
struct Said {
    /// Where the private Postgres was filled; else `DATABASE_URL` and `PORTAL_MASTER_KEY` say where.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Requests for each page.
    #[arg(long, default_value_t = 200)]
    times: usize,
    /// Only pages whose address holds this.
    #[arg(long, default_value = "")]
    only: String,
    #[arg(long, default_value = "admin@partner.example")]
    email: String,
    #[arg(long, default_value = "a seed for every garden")]
    password: String,
}

/// As the portal has it.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() {
    // `cargo test --benches` only wants to know that it builds.
    let said: Vec<_> = std::env::args().filter(|arg| arg != "--bench").collect();
    if said.iter().any(|arg| arg == "--test") {
        return;
    }
    let said = Said::parse_from(said);
    tokio::runtime::Runtime::new().unwrap().block_on(run(&said));
}

async fn run(said: &Said) {
    let config = config(said.dir.as_deref());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let opened = opening::open(&config).await.unwrap();
    let app = app::state(config, opened.db.clone(), opened.sealer.clone()).unwrap();
    let site = routes::site(app.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let stop = CancellationToken::new();
    let server = axum::serve(listener, site).with_graceful_shutdown(stop.clone().cancelled_owned());
    let mut parts = JoinSet::new();
    parts.spawn(async { server.await.unwrap() });

    let visitor = Visitor::sign_in(address, said).await;
    let mut slow = 0;
    let places = places::of(&app.db).await;
    for place in &places {
        visitor.measure(place, 0).await;
    }
    // What a first visit has worked out is tidied up after, as it would be within a minute.
    sqlx::query("VACUUM ANALYZE").execute(&app.db).await.unwrap();
    println!("{:>8} {:>8} {:>8} {:>9}  page", "p50 ms", "p95 ms", "max ms", "bytes");
    for place in places.iter().filter(|place| place.path.contains(&said.only)) {
        slow += usize::from(!visitor.measure(place, said.times).await);
    }
    println!("{slow} of {} pages take longer than {} ms at p95.", places.len(), AIM.as_millis());
    drop(visitor);
    stop.cancel();
    while parts.join_next().await.is_some() {}
    opened.close().await.unwrap();
}

struct Visitor {
    client: Client,
    address: SocketAddr,
    cookie: String,
}

impl Visitor {
    async fn sign_in(address: SocketAddr, said: &Said) -> Self {
        let client = Client::builder().redirect(redirect::Policy::none()).build().unwrap();
        let form = [("email", &said.email), ("password", &said.password)];
        let answer = client
            .post(format!("http://{address}/sign-in"))
            .header("sec-fetch-site", "same-origin")
            .form(&form)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "signing in was refused");
        let cookies = answer.headers().get_all(SET_COOKIE).into_iter();
        let cookie = cookies
            .map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap())
            .collect::<Vec<_>>()
            .join("; ");
        Self { client, address, cookie }
    }

    /// Whether it keeps to the aim. No times: it is only visited.
    async fn measure(&self, place: &Place, times: usize) -> bool {
        let mut bytes = 0;
        let mut took = Vec::with_capacity(times);
        // The first few prepare statements and fill caches.
        for number in 0..times + 3 {
            let began = Instant::now();
            let answer = self
                .client
                .get(format!("http://{}{}", self.address, place.path))
                .header(COOKIE, &self.cookie)
                .header(ACCEPT_ENCODING, "br")
                .headers(place.headers())
                .send()
                .await
                .unwrap();
            let status = answer.status();
            bytes = answer.bytes().await.unwrap().len();
            assert!(status.is_success() || status.is_redirection(), "{} is {status}", place.path);
            if number >= 3 {
                took.push(began.elapsed());
            }
        }
        if times == 0 {
            return true;
        }
        took.sort_unstable();
        let at = |share: usize| took[(took.len() * share / 100).min(took.len() - 1)];
        let good = at(95) <= AIM;
        println!(
            "{:>8.1} {:>8.1} {:>8.1} {:>9}  {}{}",
            millis(at(50)),
            millis(at(95)),
            millis(at(100)),
            bytes,
            place.shown,
            if good { "" } else { "  <- slow" },
        );
        good
    }
}

fn millis(took: Duration) -> f64 {
    took.as_secs_f64() * 1_000.0
}

/// The environment's settings, with another data directory if one is given.
fn config(dir: Option<&std::path::Path>) -> Config {
    let own = dir.is_some();
    Config::read(|name| match name {
        "PORTAL_DATA_DIR" if own => dir.map(|dir| dir.display().to_string()),
        "DATABASE_URL" | "PORTAL_MASTER_KEY" | "PORTAL_MASTER_KEY_FILE" if own => None,
        // Nobody is there: a page that reads back from Teams is refused at once.
        "PORTAL_MICROSOFT_LOGIN_URL" => Some("http://127.0.0.1:9/login".to_owned()),
        "PORTAL_MICROSOFT_GRAPH_URL" => Some("http://127.0.0.1:9/graph".to_owned()),
        name => std::env::var(name).ok(),
    })
    .unwrap()
}
