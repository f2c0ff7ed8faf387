//! The private Postgres: found or fetched, started, shared, and there again after every crash.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use presence_portal::postgres::{Running, embedded, throwaway};
use rustix::process::{Pid, Signal, kill_process};
use sqlx::{ConnectOptions, Connection, PgConnection};

use crate::support::until;

/// A data directory that the account which runs Postgres can reach.
fn data_dir() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    dir
}

async fn connect(server: &Running) -> PgConnection {
    server.options().connect().await.unwrap()
}

async fn count(server: &Running) -> i64 {
    let mut db = connect(server).await;
    let count = sqlx::query_scalar("SELECT count(*) FROM kept").fetch_one(&mut db).await.unwrap();
    db.close().await.unwrap();
    count
}

async fn keep_one(server: &Running) {
    let mut db = connect(server).await;
    for statement in ["CREATE TABLE IF NOT EXISTS kept (n int)", "INSERT INTO kept VALUES (1)"] {
        sqlx::query(statement).execute(&mut db).await.unwrap();
    }
    db.close().await.unwrap();
}

/// The process that serves this data directory.
fn postmaster(data_dir: &Path) -> Option<i32> {
    let cluster = fs::read_dir(data_dir)
        .ok()?
        .filter_map(Result::ok)
        .find(|entry| entry.file_name().to_string_lossy().starts_with("pg-"))?;
    let text = fs::read_to_string(cluster.path().join("data/postmaster.pid")).ok()?;
    text.lines().next()?.parse().ok()
}

fn kill(pid: i32) {
    let pid = Pid::from_raw(pid).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
}

#[tokio::test]
async fn a_second_start_finds_what_the_first_one_kept_and_is_quick() {
    let dir = data_dir();
    let server = embedded(dir.path()).await.unwrap();
    keep_one(&server).await;
    server.stop().await.unwrap();
    assert_eq!(postmaster(dir.path()), None, "it is still running");

    let begun = Instant::now();
    let server = embedded(dir.path()).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(3), "it took {:?}", begun.elapsed());
    assert_eq!(count(&server).await, 1);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn nobody_else_may_reach_it() {
    use std::os::unix::fs::PermissionsExt;
    let dir = data_dir();
    let server = embedded(dir.path()).await.unwrap();
    let mut db = connect(&server).await;
    let tcp: String = sqlx::query_scalar("SHOW listen_addresses").fetch_one(&mut db).await.unwrap();
    assert_eq!(tcp, "");
    let cluster = dir.path().join(format!("pg-{}", server.major()));
    assert_eq!(fs::metadata(cluster).unwrap().permissions().mode() & 0o777, 0o700);
    let fsync: String = sqlx::query_scalar("SHOW fsync").fetch_one(&mut db).await.unwrap();
    assert_eq!(fsync, "on");
    db.close().await.unwrap();
    server.stop().await.unwrap();
}

#[tokio::test]
async fn two_that_start_at_once_share_one_and_the_last_turns_the_light_off() {
    let dir = data_dir();
    let (one, other) = tokio::join!(embedded(dir.path()), embedded(dir.path()));
    let (one, other) = (one.unwrap(), other.unwrap());
    keep_one(&one).await;
    one.stop().await.unwrap();
    assert_eq!(count(&other).await, 1, "it went on for the other");
    other.stop().await.unwrap();
    until("the server is gone", || postmaster(dir.path()).is_none()).await;
}

#[tokio::test]
async fn a_server_that_is_killed_comes_back_with_what_it_had() {
    let dir = data_dir();
    let server = embedded(dir.path()).await.unwrap();
    keep_one(&server).await;
    let killed = postmaster(dir.path()).unwrap();
    kill(killed);
    until("another has taken its place", || {
        postmaster(dir.path()).is_some_and(|pid| pid != killed)
    })
    .await;
    let deadline = Instant::now() + Duration::from_secs(20);
    while server.options().connect().await.is_err() {
        assert!(Instant::now() < deadline, "it does not answer");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(count(&server).await, 1);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_process_number_that_was_given_away_is_no_reason_not_to_start() {
    let dir = data_dir();
    let server = embedded(dir.path()).await.unwrap();
    keep_one(&server).await;
    let cluster = dir.path().join(format!("pg-{}", server.major()));
    let pid_file = cluster.join("data/postmaster.pid");
    let left = fs::read_to_string(&pid_file).unwrap();
    server.stop().await.unwrap();
    // A power cut leaves the file, and after it the number may be anybody's: here, ours.
    let ours = std::process::id().to_string();
    let others: Vec<_> = left.lines().skip(1).collect();
    fs::write(&pid_file, format!("{ours}\n{}\n", others.join("\n"))).unwrap();
    let server = embedded(dir.path()).await.unwrap();
    assert_eq!(count(&server).await, 1);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_data_directory_with_a_long_name_is_as_good_as_any() {
    let dir = data_dir();
    let long = dir.path().join("d".repeat(120));
    let server = embedded(&long).await.unwrap();
    keep_one(&server).await;
    assert_eq!(count(&server).await, 1);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_cluster_that_was_begun_and_never_finished_is_begun_anew() {
    let dir = data_dir();
    let server = embedded(dir.path()).await.unwrap();
    let cluster = dir.path().join(format!("pg-{}", server.major()));
    server.stop().await.unwrap();
    fs::rename(cluster.join("data"), cluster.join("data.new")).unwrap();
    fs::remove_file(cluster.join("data.new/PG_VERSION")).unwrap();
    let server = embedded(dir.path()).await.unwrap();
    keep_one(&server).await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_throwaway_leaves_nothing_behind() {
    let server = throwaway().await.unwrap();
    let mut db = connect(&server).await;
    let dir: String = sqlx::query_scalar("SHOW data_directory").fetch_one(&mut db).await.unwrap();
    db.close().await.unwrap();
    assert!(Path::new(&dir).is_absolute());
    // Not stopped but let go of, as when its process is killed.
    drop(server);
    let parent = Path::new(&dir).parent().unwrap().parent().unwrap().to_owned();
    until("its directory is gone", || !parent.exists()).await;
}
