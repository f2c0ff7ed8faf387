//! Behind a pooler that gives every transaction another connection.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use presence_portal::sandbox::World;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::support::server::{Server, unprivileged};
use crate::support::{Storm, Town};

struct Pooler {
    port: u16,
    child: Child,
    _dir: TempDir,
}

impl Pooler {
    /// None where there is none and none can be fetched.
    async fn before(server: &Server) -> Option<Self> {
        let script =
            "cd \"$0\" && . bin/lib/common.sh && . bin/lib/debian.sh && . bin/lib/pgbouncer.sh
            pgbouncer_find";
        let asked = Command::new("sh").args(["-c", script, env!("CARGO_MANIFEST_DIR")]).output();
        let said = String::from_utf8(asked.unwrap().stdout).unwrap();
        let program = said.lines().next()?.to_owned();
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let port = crate::support::free_port();
        let users = dir.path().join("users");
        fs::write(&users, "\"postgres\" \"\"\n").unwrap();
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = trust\nauth_file = {}\n\
             pool_mode = transaction\ndefault_pool_size = 4\nmax_client_conn = 200\n\
             max_prepared_statements = 200\nignore_startup_parameters = extra_float_digits\n",
            server.port,
            users.display()
        );
        let file = dir.path().join("pgbouncer.ini");
        fs::write(&file, settings).unwrap();
        let mut command = Command::new(program);
        command.arg(&file).current_dir("/").stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        unprivileged(&mut command);
        let pooler = Self { port, child: command.spawn().unwrap(), _dir: dir };
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Some(pooler);
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("the pooler does not start");
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_but_the_listener_works_behind_a_pooler_in_transaction_mode() {
    let server = Server::start().await;
    let Some(pooler) = Pooler::before(&server).await else {
        eprintln!(
            "SKIPPED: there is no PgBouncer of 1.21 or newer here, and none could be fetched"
        );
        return;
    };
    let direct = server.database("portal").await;
    let listen = crate::support::as_url(&direct);
    let mut town = Town::on(World::of_size(3, 4), direct.port(pooler.port), |settings| {
        settings.push(("PORTAL_DATABASE_LISTEN_URL", listen));
    })
    .await;
    let storm = Storm::over(&town, Duration::from_millis(100));
    for _ in 0..2 {
        sleep(Duration::from_secs(2)).await;
        storm.calm(&town).await;
        let took = storm.is_told(&town).await;
        storm.nothing_is_lost(&town).await;
        eprintln!("behind a pooler: told after {took:.1?}; {} events were taken", storm.taken());
        // Nothing is left on a connection of the pooler's that keeps the next from starting.
        town.portal.kill();
        town.portal.start();
        town.is_ready().await;
        storm.rise();
    }
    storm.end().await;
    drop(pooler);
}
