//! Durable events a second, beside what pgbench does with the same statement.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use presence_portal::integrations::Kind;
use presence_portal::presence::mapping;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::hooks::{Hook, Line};
use crate::stage::Stage;
use crate::world::Shape;

/// Both mean a call: so that events are written down and nothing is pushed.
const STATES: [&str; 2] = ["onCall", "busy"];

#[derive(Debug, clap::Args)]
pub struct Wanted {
    /// Events a second over all connections; 0: as many as it takes in.
    #[arg(long, default_value_t = 0)]
    pub rate: u32,
    /// How many send at once.
    #[arg(long, default_value_t = 64)]
    pub connections: usize,
    /// How many events go in one request.
    #[arg(long, default_value_t = 1)]
    pub together: usize,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { rate: 0, connections: 64, together: 1 }
    }
}

pub async fn run(wanted: &Wanted, seconds: u64) {
    let shape = Shape { accounts: 100, users: 10_000, largest: 0, odd: 0 };
    let stage =
        Stage::open(shape.world(), 0, "UPDATE cloudlink_users SET excluded = true", &[]).await;
    warm_up(&stage).await;
    let before = stage.portal.cost();
    let flushes = stage.portal.metric("portal_flush_events_count", "").await;
    let (answered, refused, mut took) = storm(&stage, wanted, seconds).await;
    let cost = stage.portal.cost() - before;
    let flushes = stage.portal.metric("portal_flush_events_count", "").await - flushes;
    took.sort_unstable();
    let at = |share: usize| took[took.len() * share / 1_000];
    #[expect(clippy::cast_precision_loss, reason = "a few hundred thousand")]
    let (rate, batch, thousand) = (
        answered as f64 / seconds as f64,
        (answered as f64 / flushes).max(1.0),
        answered as f64 / 1_000.0,
    );
    println!(
        "ingest: {rate:.0} events/s at {} connections, p50 {:.1?}, p99 {:.1?}, {refused} put off; {batch:.0} a flush; a thousand cost {:.3} s of the portal and {:.3} s of Postgres",
        wanted.connections,
        at(500),
        at(990),
        cost.portal / thousand,
        cost.postgres.unwrap_or(f64::NAN) / thousand,
    );
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 1,024")]
    let batch = batch.round() as usize;
    match ceiling(&stage, batch, seconds) {
        Some(ceiling) => println!(
            "ingest: ceiling {ceiling:.0} events/s, pgbench with the same statement and {batch} a batch; we reach {:.0} %",
            rate * 100.0 / ceiling
        ),
        None => println!("ingest: no ceiling, for there is no pgbench here"),
    }
    stage.close().await;
}

/// Everybody's first event, so that the rest only say something newer.
async fn warm_up(stage: &Stage) {
    let mut line = Line::to(stage.portal.address).await;
    for hook in &stage.hooks {
        let events: Vec<_> =
            (0..hook.customer.phones.len()).map(|user| hook.event(user, user, "onCall")).collect();
        for some in events.chunks(50) {
            let body = serde_json::to_string(some).unwrap();
            assert_eq!(line.post(hook, &body).await, 204);
        }
    }
}

/// How many events were taken, how many put off, and how long each took.
async fn storm(stage: &Stage, wanted: &Wanted, seconds: u64) -> (u64, u64, Vec<Duration>) {
    let began = Instant::now();
    let until = began + Duration::from_secs(seconds);
    let each = match wanted.rate {
        0 => Duration::ZERO,
        rate => Duration::from_secs(1) * u32::try_from(wanted.connections).unwrap() / rate,
    };
    let together = wanted.together;
    let mut senders = JoinSet::new();
    for connection in 0..wanted.connections {
        let hooks: Vec<Hook> =
            stage.hooks.iter().skip(connection % 10).step_by(10).cloned().collect();
        let mut line = Line::to(stage.portal.address).await;
        senders.spawn(async move {
            let (mut taken, mut refused, mut took) = (0, 0, Vec::new());
            for number in 0_usize.. {
                let turn = began + each * u32::try_from(number).unwrap();
                tokio::time::sleep_until(turn).await;
                let sent = if each.is_zero() { Instant::now() } else { turn };
                if sent > until {
                    break;
                }
                let hook = &hooks[number % hooks.len()];
                let user = connection * 7 + number / hooks.len();
                let says = STATES[number % 2];
                let event = |place: usize| {
                    let user = (user + place) % hook.customer.phones.len();
                    hook.event(user, connection * 10_000_000 + number * together + place, says)
                };
                let body = match together {
                    1 => event(0).to_string(),
                    _ => serde_json::to_string(&(0..together).map(event).collect::<Vec<_>>())
                        .unwrap(),
                };
                match line.post(hook, &body).await {
                    204 => taken += together as u64,
                    503 => refused += together as u64,
                    other => panic!("the webhook answered {other}"),
                }
                took.push(sent.elapsed());
            }
            (taken, refused, took)
        });
    }
    let mut all = (0, 0, Vec::new());
    while let Some(sender) = senders.join_next().await {
        let (taken, refused, took) = sender.unwrap();
        all = (all.0 + taken, all.1 + refused, [all.2, took].concat());
    }
    all
}

/// What pgbench reaches with the same statement, at its best number of clients.
fn ceiling(stage: &Stage, batch: usize, seconds: u64) -> Option<f64> {
    let pgbench = programs().into_iter().find(|program| program.exists())?;
    let cluster = std::fs::read_dir(&stage.dir).unwrap().filter_map(Result::ok);
    let socket = cluster.map(|entry| entry.path()).find(|path| path.join("data").exists())?;
    let scripts: Vec<_> = (0..50).map(|number| script(stage, number, batch)).collect();
    let best = [1, 2, 4].map(|clients| {
        let mut command = Command::new(&pgbench);
        command.args(["-n", "-M", "prepared", "-U", "postgres", "-h"]).arg(&socket);
        command.args(["-c", &clients.to_string(), "-T", &(seconds / 3 + 1).to_string()]);
        for script in &scripts {
            command.arg("-f").arg(script);
        }
        let said = command.arg("postgres").output().unwrap();
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        let line = said.lines().find(|line| line.starts_with("tps = ")).unwrap_or("tps = 0 ");
        line[6..].split(' ').next().unwrap().parse::<f64>().unwrap_or(0.0)
    });
    #[expect(clippy::cast_precision_loss, reason = "at most 1,024")]
    Some(best.into_iter().fold(0.0, f64::max) * batch as f64)
}

fn programs() -> Vec<PathBuf> {
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let installed = installed.filter_map(Result::ok).map(|entry| entry.path().join("bin/pgbench"));
    let paths = std::env::var_os("PATH").unwrap_or_default();
    installed.chain(std::env::split_paths(&paths).map(|dir| dir.join("pgbench"))).collect()
}

/// The statement that the portal writes events with, about some of the users.
fn script(stage: &Stage, number: usize, batch: usize) -> PathBuf {
    let chosen = (0..batch).map(|place| {
        let hook = &stage.hooks[(number * 7 + place) % stage.hooks.len()];
        let user = &hook.customer.phones[(number + place / stage.hooks.len() * 3) % 100].user;
        (hook, user)
    });
    let accounts: Vec<_> =
        chosen.clone().map(|(hook, _)| hook.customer.account.to_string()).collect();
    let users: Vec<_> = chosen.map(|(_, user)| user.to_string()).collect();
    let list = |values: &[String]| format!("'{{{}}}'", values.join(","));
    let same = |value: &str, kind: &str| format!("array_fill({value}::{kind}, ARRAY[{batch}])");
    let now = same("clock_timestamp()", "timestamptz");
    let mut statement = statement();
    let (states, shows): (Vec<_>, Vec<_>) = mapping::DEFAULT
        .iter()
        .map(|(state, decision)| ((*state).to_owned(), decision.as_str().to_owned()))
        .unzip();
    let accounts = format!(
        "(SELECT array_agg(a.id ORDER BY n) FROM unnest({}::text[]) WITH ORDINALITY AS t (c, n) JOIN accounts a ON a.cloudlink_account_id = t.c)",
        list(&accounts)
    );
    let (fixed, fixed_shows): (Vec<_>, Vec<_>) = mapping::FIRST_RELEASE
        .iter()
        .map(|(state, decision)| ((*state).to_owned(), decision.as_str().to_owned()))
        .unzip();
    let values = [
        accounts,
        list(&users),
        same("'busy'", "text"),
        same("'busy'", "text"),
        now.clone(),
        same(&format!("'b-{number}'"), "text"),
        now,
        list(&states),
        list(&shows),
        Kind::MicrosoftTeams.newest().number.to_string(),
        list(&fixed),
        list(&fixed_shows),
    ];
    for (place, value) in values.iter().enumerate().rev() {
        statement = statement.replace(&format!("${}", place + 1), value);
    }
    let mut text = String::new();
    writeln!(text, "{};", statement.split_whitespace().collect::<Vec<_>>().join(" ")).unwrap();
    let file = stage.dir.join(format!("batch-{number}.sql"));
    std::fs::write(&file, text).unwrap();
    file
}

/// As it was checked when the portal was built.
fn statement() -> String {
    let queries = Path::new(env!("CARGO_MANIFEST_DIR")).join(".sqlx");
    let files = std::fs::read_dir(queries).unwrap().filter_map(Result::ok);
    let texts = files.filter_map(|file| std::fs::read_to_string(file.path()).ok());
    let queries = texts.filter_map(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
    queries
        .filter_map(|query| query["query"].as_str().map(str::to_owned))
        .find(|query| query.contains("INSERT INTO unmapped_states"))
        .unwrap()
}
