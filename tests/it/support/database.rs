//! A database for each test, copied from one that has been migrated.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use presence_portal::kit::db::pool;
use presence_portal::postgres;
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, PgPool};

static MIGRATIONS: Migrator = sqlx::migrate!();
static NEXT: AtomicU32 = AtomicU32::new(0);

/// `DATABASE_URL`'s server, else a throw-away one of our own for as long as the tests run.
static SERVER: LazyLock<PgConnectOptions> = LazyLock::new(|| {
    // A runtime of its own, which stays: the tests' runtimes come and go.
    std::thread::spawn(|| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let server = runtime.block_on(async {
            let server = find_server().await;
            make_template(&server).await;
            server
        });
        std::mem::forget(runtime);
        server
    })
    .join()
    .unwrap()
});

async fn find_server() -> PgConnectOptions {
    if let Ok(url) = std::env::var("DATABASE_URL") {
        return url.parse().unwrap();
    }
    let server = postgres::throwaway().await.unwrap();
    let options = server.options();
    // It goes when this process does.
    std::mem::forget(server);
    options
}

fn named(kind: &str) -> String {
    format!("portal_test_{}_{kind}", std::process::id())
}

async fn make_template(server: &PgConnectOptions) {
    let mut admin = server.connect().await.unwrap();
    forget_the_dead(&mut admin).await;
    let template = named("template");
    run(&mut admin, format!("CREATE DATABASE {template}")).await;
    let mut db = server.clone().database(&template).connect().await.unwrap();
    MIGRATIONS.run(&mut db).await.unwrap();
    db.close().await.unwrap();
}

/// Drops what earlier runs left on a server that outlives them.
async fn forget_the_dead(admin: &mut PgConnection) {
    let left: Vec<String> = sqlx::query_scalar(
        "SELECT datname FROM pg_database WHERE datname LIKE 'portal\\_test\\_%'",
    )
    .fetch_all(&mut *admin)
    .await
    .unwrap();
    for name in left {
        let pid = name.split('_').nth(2).unwrap_or_default();
        if !std::path::Path::new("/proc").join(pid).exists() {
            run(admin, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        }
    }
}

async fn run(admin: &mut PgConnection, statement: String) {
    admin.execute(AssertSqlSafe(statement)).await.unwrap();
}

/// The way to a migrated, empty database that no other test sees.
pub async fn fresh_options() -> PgConnectOptions {
    let options = tokio::task::spawn_blocking(|| SERVER.clone()).await.unwrap();
    let name = named(&NEXT.fetch_add(1, Ordering::Relaxed).to_string());
    let mut admin = options.connect().await.unwrap();
    let template = named("template");
    run(&mut admin, format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")).await;
    admin.close().await.unwrap();
    options.database(&name)
}

pub async fn fresh() -> PgPool {
    let options = fresh_options().await;
    pool(6).connect_with(options).await.unwrap()
}
