//! Starting, being told to stop, being killed, and starting again.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use sqlx::ConnectOptions;

use super::command::Home;
use crate::support::database;

const ANYWHERE: [&str; 2] = ["--listen", "127.0.0.1:0"];

async fn status(url: &str) -> u16 {
    let http = presence_portal::kit::http::http_client().unwrap();
    http.get(url).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn it_serves_until_told_to_stop_and_ends_well() {
    let home = Home::new();
    let metrics = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let arguments = ["--listen", "127.0.0.1:0", "--metrics-listen", &metrics];
    let portal = home.serve(&arguments, "enter the code").await;
    let url = portal.address("The portal is at ");
    assert_eq!(status(&format!("{url}/health/live")).await, 200);
    assert_eq!(status(&format!("{url}/metrics")).await, 404, "it is not for browsers");
    assert_eq!(status(&format!("http://{metrics}/metrics")).await, 200);
    let deadline = Instant::now() + Duration::from_secs(10);
    while status(&format!("{url}/health/ready")).await != 200 {
        assert!(Instant::now() < deadline, "it does not get ready");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let told = Instant::now();
    portal.signal(Signal::TERM);
    assert_eq!(portal.ended().await, Some(0));
    assert!(told.elapsed() < Duration::from_secs(10), "it took {:?}", told.elapsed());
}

#[tokio::test]
async fn killed_it_starts_again_on_its_data() {
    let home = Home::new();
    let portal = home.serve(&ANYWHERE, "enter the code").await;
    drop(portal);
    let add = ["staff", "add", "--email", "ann@partner.example", "--role", "partner-admin"];
    let added = home.run(&[], &add, "sing to the kettle\n").await;
    assert_eq!(added.code, Some(0), "{added:?}");
    let portal = home.serve(&ANYWHERE, "The portal is at").await;
    assert!(!portal.said().contains("enter the code"), "Ann can sign in");
    drop(portal);
    let again = home.run(&[], &add, "sing to the kettle\n").await;
    assert_eq!(again.code, Some(1));
    assert!(again.complained.contains("here already"), "{again:?}");
}

#[tokio::test]
async fn an_address_that_is_taken_is_said_with_its_setting() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = Home::new().run(&[], &["--listen", &address], "").await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.complained.contains("PORTAL_LISTEN"), "{}", ended.complained);
}

#[tokio::test]
async fn the_demo_leaves_a_database_with_real_customers_alone() {
    let options = database::fresh_options().await;
    let mut db = options.connect().await.unwrap();
    sqlx::raw_sql(
        "INSERT INTO accounts (id, name, cloudlink_account_id, created_at, updated_at)
         VALUES (gen_random_uuid(), 'Real Customer', 'cl-real', now(), now())",
    )
    .execute(&mut db)
    .await
    .unwrap();
    let url = options.to_url_lossy().to_string();
    let settings = [("DATABASE_URL", url.as_str())];
    let anywhere = ["demo", "--listen", "127.0.0.1:0", "--sandbox-listen", "127.0.0.1:0"];
    let home = Home::new();
    let ended = tokio::time::timeout(Duration::from_secs(30), home.run(&settings, &anywhere, ""));
    let ended = ended.await.expect("it does not serve");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.complained.contains("not the demo's"), "{}", ended.complained);
    let nodes: i64 =
        sqlx::query_scalar("SELECT count(*) FROM nodes").fetch_one(&mut db).await.unwrap();
    assert_eq!(nodes, 0, "it has not joined");
}

#[tokio::test]
async fn the_demo_takes_free_ports_and_signs_in_with_the_same_password_every_time() {
    let home = Home::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let arguments = ["demo", "--listen", &address, "--sandbox-listen", &address];
    let demo = home.serve(&arguments, "Press Ctrl-C").await;
    assert_ne!(demo.address("The portal is at http://"), address);
    assert_eq!(status(&demo.address("watch Teams at ")).await, 200);
    let password = demo.address("with the password ");
    demo.signal(Signal::INT);
    assert_eq!(demo.ended().await, Some(0));
    let demo = home.serve(&arguments, "Press Ctrl-C").await;
    assert_eq!(demo.address("with the password "), password);
}
