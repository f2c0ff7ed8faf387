//! The master key: the right one, the wrong one, and a new one.

use presence_portal::ids::{AccountId, ChannelId, IntegrationId};
use presence_portal::integrations::{secret_owner, store};
use presence_portal::kit::secret::{MasterKey, Sealed, Sealer, Secret};
use presence_portal::microsoft::Credential;
use presence_portal::notifications::{key_owner, url_owner};
use presence_portal::postgres::{Running, throwaway};
use sqlx::{ConnectOptions, Connection, PgConnection};

use super::command::Home;
use crate::support::Stage;

/// Every column that may hold something sealed, or the digest of something.
const BYTES: [&str; 23] = [
    "activity_head.key",
    "activity_head.mark",
    "activity_head.seal",
    "activity_seals.seal",
    "calendars.digest",
    "channels.signing_key",
    "channels.url",
    "channels.url_digest",
    "connections.certificate",
    "connections.secret",
    "half_sign_ins.digest",
    "key_check.sealed",
    "one_time_links.digest",
    "presence_accounts.hook_digest",
    "presence_accounts.hook_key",
    "recovery_codes.digest",
    "renewal_links.digest",
    "second_factors.secret",
    "second_factors.unread_codes",
    "sessions.digest",
    "setup_code.digest",
    "spare_credentials.certificate",
    "spare_credentials.secret",
];

async fn connect(server: &Running) -> PgConnection {
    server.options().connect().await.unwrap()
}

/// An account with a client secret, the one to follow it and a webhook key, and a channel: all
/// sealed with this key.
async fn set_up(db: &mut PgConnection, key: &MasterKey) -> (AccountId, IntegrationId) {
    let (account, integration) = (AccountId::new(), IntegrationId::new());
    let seal = |owner: &str| Sealer::new(key).seal(owner, &Secret::new("hunter2")).unwrap();
    let account_row =
        "INSERT INTO accounts (id, name, cloudlink_account_id, created_at, updated_at)
        VALUES ($1, 'Brightwater', 'cl-1', now(), now())";
    sqlx::query(account_row).bind(account).execute(&mut *db).await.unwrap();
    let integration_row = "INSERT INTO integrations (account_id, id, kind, release, added_at)
        VALUES ($1, $2, 'microsoft-teams', 2, now())";
    let insert = sqlx::query(integration_row).bind(account).bind(integration);
    insert.execute(&mut *db).await.unwrap();
    let connection_row = "INSERT INTO connections (account_id, integration_id, name, tenant_id,
            client_id, cloud, secret, version, updated_at)
        VALUES ($1, $2, 'Portal', $1, $1, 'global', $3, 1, now())";
    let insert = sqlx::query(connection_row).bind(account).bind(integration);
    insert.bind(seal(&secret_owner(account, integration))).execute(&mut *db).await.unwrap();
    let spare_row = "INSERT INTO spare_credentials (account_id, integration_id, slot, credential,
            secret, since)
        VALUES ($1, $2, 'next', 'secret', $3, now())";
    let insert = sqlx::query(spare_row).bind(account).bind(integration);
    insert.bind(seal(&secret_owner(account, integration))).execute(&mut *db).await.unwrap();
    let hook_row = "INSERT INTO presence_accounts (account_id, hook_digest, hook_key)
        VALUES ($1, '\\x00', $2)";
    let insert = sqlx::query(hook_row).bind(account).bind(seal(&format!("hook/{account}")));
    insert.execute(&mut *db).await.unwrap();
    let channel_row =
        "INSERT INTO channels (id, kind, name, url, url_digest, signing_key, created_at)
        VALUES ($1, 'webhook', 'Tickets', $2, '\\x00', $3, now())";
    let channel = ChannelId::new();
    let insert = sqlx::query(channel_row).bind(channel).bind(seal(&url_owner(channel)));
    insert.bind(seal(&key_owner(channel))).execute(&mut *db).await.unwrap();
    (account, integration)
}

/// The URL and the signing key of the channel, as far as this key opens them.
async fn of_channel(db: &mut PgConnection, key: &MasterKey) -> [Option<String>; 2] {
    let (channel, url, signing): (ChannelId, Sealed, Sealed) =
        sqlx::query_as("SELECT id, url, signing_key FROM channels").fetch_one(db).await.unwrap();
    let open = |owner: String, sealed: &Sealed| {
        Sealer::new(key).open(&owner, sealed).ok().map(|secret| secret.reveal().to_owned())
    };
    [open(url_owner(channel), &url), open(key_owner(channel), &signing)]
}

async fn secret(db: &mut PgConnection, key: &MasterKey, account: AccountId) -> Option<String> {
    let connection = store::connection_of(db, &Sealer::new(key), account).await.ok()??;
    let Credential::Secret(secret) = connection.credential else {
        panic!("it signs in with a certificate");
    };
    Some(secret.reveal().to_owned())
}

/// What the database holds of the keys: changed by nothing but a rekey that succeeds.
async fn sealed(db: &mut PgConnection) -> Vec<Sealed> {
    let all = "SELECT sealed FROM key_check UNION ALL SELECT secret FROM connections
        UNION ALL SELECT secret FROM spare_credentials UNION ALL SELECT hook_key FROM presence_accounts
        UNION ALL SELECT url FROM channels UNION ALL SELECT signing_key FROM channels";
    sqlx::query_scalar(all).fetch_all(db).await.unwrap()
}

fn same(one: &[Sealed], other: &[Sealed]) -> bool {
    format!("{one:?}") == format!("{other:?}")
}

#[tokio::test]
async fn the_wrong_key_is_refused_and_nothing_is_touched() {
    let (server, home) = (throwaway().await.unwrap(), Home::new());
    let (right, wrong) = (MasterKey::random().reveal(), MasterKey::random().reveal());
    let url = server.url();
    let with = |key| [("DATABASE_URL", url.as_str()), ("PORTAL_MASTER_KEY", key)];
    let add = ["staff", "add", "--email", "ann@partner.example", "--role", "partner-admin"];
    let added = home.run(&with(&right), &add, "sing to the kettle\n").await;
    assert_eq!(added.code, Some(0), "{added:?}");

    let mut db = connect(&server).await;
    let before = sealed(&mut db).await;
    // As a database from before the last migration would be.
    let last = "DELETE FROM _sqlx_migrations WHERE version = 4";
    sqlx::query(last).execute(&mut db).await.unwrap();
    let ended = home.run(&with(&wrong), &["--listen", "127.0.0.1:0"], "").await;
    assert_eq!(ended.code, Some(1));
    let said = "PORTAL_MASTER_KEY is not the key this database was sealed with.";
    assert!(ended.complained.contains(said), "{}", ended.complained);
    assert!(same(&before, &sealed(&mut db).await));
    let done: i64 = sqlx::query_scalar("SELECT count(*) FROM _sqlx_migrations WHERE version = 4")
        .fetch_one(&mut db)
        .await
        .unwrap();
    assert_eq!(done, 0, "it was migrated");
    db.close().await.unwrap();
}

#[tokio::test]
async fn rekey_keeps_every_secret_openable_with_the_new_key_and_with_no_other() {
    let (server, home) = (throwaway().await.unwrap(), Home::new());
    let (old, new) = (MasterKey::random(), MasterKey::random());
    let (old_text, new_text, url) = (old.reveal(), new.reveal(), server.url());
    let settings = [
        ("DATABASE_URL", url.as_str()),
        ("PORTAL_MASTER_KEY", &old_text),
        ("PORTAL_NEW_MASTER_KEY", &new_text),
    ];
    home.run(&settings, &["staff", "add", "--email", "a@b.example", "--role", "auditor"], "x")
        .await;
    let mut db = connect(&server).await;
    let (account, integration) = set_up(&mut db, &old).await;
    assert_eq!(secret(&mut db, &old, account).await.as_deref(), Some("hunter2"));

    let ended = home.run(&settings, &["rekey"], "").await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.said.contains("2 client secrets, 1 webhook keys"), "{}", ended.said);
    assert_eq!(secret(&mut db, &new, account).await.as_deref(), Some("hunter2"));
    assert_eq!(secret(&mut db, &old, account).await, None);
    let next = store::spare::next_of(&mut db, &Sealer::new(&new), account, integration).await;
    assert!(matches!(next.unwrap(), Some((Credential::Secret(it), _)) if it.reveal() == "hunter2"));
    let (known, unknown) = (Some("hunter2".to_owned()), None::<String>);
    assert_eq!(of_channel(&mut db, &new).await, [known.clone(), known]);
    assert_eq!(of_channel(&mut db, &old).await, [unknown.clone(), unknown]);
    let again = home.run(&settings, &["rekey"], "").await;
    assert_eq!(again.code, Some(1), "the old key is not the key any more");
    db.close().await.unwrap();
}

#[tokio::test]
async fn rekey_waits_for_the_portal_to_be_stopped() {
    let (server, home) = (throwaway().await.unwrap(), Home::new());
    let (old, new, url) =
        (MasterKey::random().reveal(), MasterKey::random().reveal(), server.url());
    let settings = [
        ("DATABASE_URL", url.as_str()),
        ("PORTAL_MASTER_KEY", &old),
        ("PORTAL_NEW_MASTER_KEY", &new),
    ];
    home.run(&settings, &["check"], "").await;
    home.run(&settings, &["staff", "add", "--email", "a@b.example", "--role", "auditor"], "x")
        .await;
    let mut db = connect(&server).await;
    let node = "INSERT INTO nodes (id, started_at, seen_at, version)
        VALUES (gen_random_uuid(), now(), now(), '1')";
    sqlx::query(node).execute(&mut db).await.unwrap();
    let before = sealed(&mut db).await;
    let ended = home.run(&settings, &["rekey"], "").await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.complained.contains("stop it first"), "{}", ended.complained);
    assert!(same(&before, &sealed(&mut db).await));
    db.close().await.unwrap();
}

#[tokio::test]
async fn a_key_that_the_portal_made_is_replaced_where_it_is_kept() {
    let home = Home::new();
    let add = ["staff", "add", "--email", "ann@partner.example", "--role", "partner-admin"];
    assert_eq!(home.run(&[], &add, "sing to the kettle\n").await.code, Some(0));
    let before = home.key_file();
    let ended = home.run(&[], &["rekey"], "").await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_ne!(home.key_file(), before);
    let check = home.run(&[], &["check"], "").await;
    assert!(check.said.contains("Master key    ok: opens this database"), "{}", check.said);
}

#[tokio::test]
async fn every_column_of_bytes_is_known_to_rekey_or_holds_no_secret() {
    let stage = Stage::new().await;
    let columns: Vec<String> = sqlx::query_scalar(
        "SELECT table_name || '.' || column_name FROM information_schema.columns
         WHERE table_schema = 'public' AND data_type = 'bytea' AND table_name <> '_sqlx_migrations'
         ORDER BY 1",
    )
    .fetch_all(&stage.db)
    .await
    .unwrap();
    assert_eq!(columns, BYTES, "a new one? Teach rekey to reseal it, or say here that it need not");
}
