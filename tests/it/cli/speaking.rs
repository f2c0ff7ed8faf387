//! What the commands say before they do anything.

use super::command::Home;

#[tokio::test]
async fn malformed_settings_end_with_code_2_and_every_complaint() {
    let settings = [
        ("PORTAL_LISTEN", "hunter2"),
        ("PORTAL_MASTER_KEY", "hunter2"),
        ("DATABASE_URL", "mysql://hunter2"),
    ];
    let ended = Home::new().run(&settings, &["serve"], "").await;
    assert_eq!(ended.code, Some(2));
    let complaints: Vec<_> = ended.complained.lines().collect();
    assert_eq!(complaints.len(), 3, "{complaints:?}");
    assert!(!ended.complained.contains("hunter2"), "{complaints:?}");
}

#[tokio::test]
async fn a_flag_goes_before_the_environment_wherever_it_stands() {
    let environment = [("PORTAL_LISTEN", "127.0.0.1:1"), ("PORTAL_LOG", "=")];
    for arguments in [["--log", "==", "check"], ["check", "--log", "=="]] {
        let ended = Home::new().run(&environment, &arguments, "").await;
        assert_eq!(ended.code, Some(2));
        assert!(ended.complained.starts_with("PORTAL_LOG must be"), "{}", ended.complained);
    }
}

#[tokio::test]
async fn the_help_names_every_command_and_setting_and_no_value() {
    let secret = [("PORTAL_CLOUDLINK_CLIENT_SECRET", "hunter2")];
    let help = Home::new().run(&secret, &["--help"], "").await;
    assert_eq!(help.code, Some(0));
    for expected in ["serve", "demo", "sandbox", "staff", "check", "rekey", "PORTAL_GRAPH_REQUESTS"]
    {
        assert!(help.said.contains(expected), "no {expected} in\n{}", help.said);
    }
    assert!(!help.said.contains("hunter2"));
}

#[tokio::test]
async fn check_says_each_line_and_its_code_says_whether_all_is_well() {
    let home = Home::new();
    let ended = home.run(&[], &["check"], "").await;
    assert_eq!(ended.code, Some(1), "CloudLink is not set up");
    for expected in ["Settings      ok", "Postgres      ok", "Migrations    ok", "Master key    ok"]
    {
        assert!(ended.said.contains(expected), "no {expected} in\n{}", ended.said);
    }
    assert!(ended.said.contains("CloudLink     NOT OK"), "{}", ended.said);

    let nowhere = [
        ("DATABASE_URL", "postgres://portal:hunter2@127.0.0.1:1/portal"),
        ("PORTAL_MASTER_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
    ];
    let ended = home.run(&nowhere, &["check"], "").await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.said.contains("Postgres      NOT OK"), "{}", ended.said);
    assert!(!ended.said.contains("hunter2") && !ended.complained.contains("hunter2"));
}
