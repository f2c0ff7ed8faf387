//! What is said of settings, and what never is.

use std::fs;

use presence_portal::config::Config;

use crate::support::settings;

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn complaints(given: &[(&str, &str)]) -> Vec<String> {
    let look_up = |name: &str| {
        let found = given.iter().find(|(given, _)| *given == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    Config::read(look_up).err().unwrap_or_default()
}

#[test]
fn without_a_setting_it_serves_on_loopback_from_a_database_of_its_own() {
    let config = settings([]);
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.public_url.as_str(), "http://127.0.0.1:8080/");
    assert_eq!(config.microsoft.requests_per_second, 50);
    assert_eq!(config.log, "info");
    assert!(config.database_url.is_none() && config.cloudlink.credentials.is_none());
    assert!(config.metrics_listen.is_none());
}

#[test]
fn every_complaint_comes_at_once_and_names_its_setting() {
    let malformed = [
        "PORTAL_LISTEN",
        "PORTAL_PUBLIC_URL",
        "DATABASE_URL",
        "PORTAL_MASTER_KEY",
        "PORTAL_CLOUDLINK_URL",
        "PORTAL_CLOUDLINK_PARTNER_ACCOUNT",
        "PORTAL_MICROSOFT_GRAPH_URL",
        "PORTAL_GRAPH_REQUESTS_PER_SECOND",
        "PORTAL_METRICS_LISTEN",
    ];
    let given: Vec<_> = malformed.iter().map(|name| (*name, "…/:4711")).collect();
    let complaints = complaints(&given);
    for name in malformed {
        let said: Vec<_> = complaints.iter().filter(|said| said.starts_with(name)).collect();
        assert!(!said.is_empty(), "{name} is not in {complaints:#?}");
    }
}

#[test]
fn no_complaint_repeats_a_value() {
    let given = [
        ("PORTAL_LISTEN", "hunter2"),
        ("DATABASE_URL", "mysql://hunter2"),
        ("PORTAL_MASTER_KEY", "hunter2"),
        ("PORTAL_NEW_MASTER_KEY", "hunter2"),
        ("PORTAL_PUBLIC_URL", "https://hunter2@portal.example/?hunter2"),
        ("PORTAL_CLOUDLINK_CLIENT_SECRET", "hunter2"),
        ("PORTAL_CLOUDLINK_CLIENT_SECRET_FILE", "/hunter2"),
        ("PORTAL_SMTP_URL", "smtp://hunter2@mail.example"),
        ("PORTAL_SMTP_FROM", "hunter2"),
        ("PORTAL_WEBHOOK_HOSTS", "hunter2@chat.internal"),
        ("PORTAL_LOG", "hunter2=hunter2=hunter2"),
    ];
    let complaints = complaints(&given);
    assert!(complaints.len() >= 10, "{complaints:#?}");
    assert!(complaints.iter().all(|said| !said.contains("hunter2")), "{complaints:#?}");
}

#[test]
fn a_database_of_ones_own_needs_a_key_of_ones_own() {
    let database = ("DATABASE_URL", "postgres://portal@db.example/portal");
    let said = complaints(&[database]);
    assert!(said[0].starts_with("PORTAL_MASTER_KEY is missing"), "{said:?}");
    assert!(complaints(&[database, ("PORTAL_MASTER_KEY", KEY)]).is_empty());
}

#[test]
fn one_wrong_setting_hides_no_other_and_is_not_called_missing() {
    let said = complaints(&[("DATABASE_URL", "postgres://db.example/portal?sslmode=bogus")]);
    assert!(said[0].starts_with("DATABASE_URL has an option"), "{said:?}");
    assert!(said[1].starts_with("PORTAL_MASTER_KEY is missing"), "{said:?}");
    let said = complaints(&[
        ("PORTAL_CLOUDLINK_CLIENT_ID", "portal"),
        ("PORTAL_CLOUDLINK_CLIENT_SECRET_FILE", "/nowhere/at/all"),
        ("PORTAL_CLOUDLINK_PARTNER_ACCOUNT", "not an id"),
    ]);
    assert!(said.iter().all(|said| !said.contains("is missing")), "{said:?}");
    assert_eq!(said.len(), 2);
}

#[test]
fn a_key_of_another_length_is_refused() {
    let said = complaints(&[("PORTAL_MASTER_KEY", "c2hvcnQ=")]);
    assert_eq!(
        said,
        ["PORTAL_MASTER_KEY must be 32 bytes in base64: it holds 5 bytes instead of 32."]
    );
}

#[test]
fn a_secret_may_come_from_a_file_but_not_from_both() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("key");
    fs::write(&file, format!("{KEY}\n")).unwrap();
    let file = file.to_str().unwrap();
    assert!(settings([("PORTAL_MASTER_KEY_FILE", file)]).master_key.is_some());
    let both = complaints(&[("PORTAL_MASTER_KEY_FILE", file), ("PORTAL_MASTER_KEY", KEY)]);
    assert!(both[0].contains("both set"), "{both:?}");
    let gone = complaints(&[("PORTAL_MASTER_KEY_FILE", "/nowhere/at/all")]);
    assert!(gone[0].contains("cannot be read"), "{gone:?}");
}

#[test]
fn cloudlink_needs_all_three_or_none() {
    let said = complaints(&[("PORTAL_CLOUDLINK_CLIENT_ID", "portal")]);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said.iter().all(|said| said.ends_with("is missing: CloudLink needs all three.")));
}

#[test]
fn mail_needs_a_server_and_a_sender_and_no_password_goes_in_the_clear() {
    let said = complaints(&[("PORTAL_SMTP_URL", "smtps://mail.example")]);
    assert!(said[0].starts_with("PORTAL_SMTP_FROM is missing"), "{said:?}");
    let said = complaints(&[("PORTAL_SMTP_FROM", "portal@partner.example")]);
    assert!(said[0].starts_with("PORTAL_SMTP_URL is missing"), "{said:?}");
    let from = ("PORTAL_SMTP_FROM", "Presence portal <portal@partner.example>");
    let said = complaints(&[("PORTAL_SMTP_URL", "smtp://u:p@mail.example?tls=none"), from]);
    assert!(said[0].contains("in the clear"), "{said:?}");
    let mail = settings([("PORTAL_SMTP_URL", "smtp://u:p@mail.example"), from]).mail.unwrap();
    assert_eq!((mail.server.port, mail.from_name.as_str()), (587, "Presence portal"));
}
