//! A pause clears what is held, sets nothing meanwhile, and ends by itself.

use chrono::TimeDelta;
use presence_portal::sandbox::World;

use super::Office;
use crate::support::Browser;

const PAUSED: &str = "SELECT health = 'paused' FROM account_health WHERE account_id = $1";
const SYNCING: &str = "SELECT health = 'syncing' FROM account_health WHERE account_id = $1";

async fn on_the_phone(names: &[&str]) -> (Office, Browser) {
    let office = Office::open(World::small()).await;
    for name in names {
        office.phone_is(name, "onCall");
        office.holds(name, Some("InACall")).await;
    }
    let ann = office.stage.ann().await;
    (office, ann)
}

fn page(office: &Office, path: &str) -> String {
    format!("/accounts/{}/presence{path}", office.accounts[0])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_clears_everybody_and_ends_by_itself() {
    let (office, ann) = on_the_phone(&["Ann Miller", "Bob Stone"]).await;
    let dialog = ann.visit(&page(&office, "/pause")).await;
    let said = ann.submit(dialog.form("Pause").fill("hours", "2")).await;
    assert!(said.says("Presence sync is paused for 2 hours."), "{}", said.source);
    office.holds("Ann Miller", None).await;
    office.holds("Bob Stone", None).await;
    assert!(office.ask(PAUSED, 0).await);

    // What is said meanwhile is kept in mind, and not pushed.
    let calls = (office.calls("Ann Miller").len(), office.calls("Cleo Hart").len());
    office.phone_is("Ann Miller", "inConference");
    office.phone_is("Cleo Hart", "onCall");
    office
        .until(
            "SELECT count(*) = 3 FROM presences WHERE account_id = $1 AND wanted IS NOT NULL
                AND due_at > received_at",
            0,
        )
        .await;
    assert_eq!((office.calls("Ann Miller").len(), office.calls("Cleo Hart").len()), calls);

    office.pass_and_look(TimeDelta::minutes(121));
    office.holds("Ann Miller", Some("InAConferenceCall")).await;
    office.holds("Cleo Hart", Some("InACall")).await;
    office.until(SYNCING, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn resuming_sets_at_once_what_is_wanted() {
    let (office, ann) = on_the_phone(&["Ann Miller"]).await;
    let dialog = ann.visit(&page(&office, "/pause")).await;
    let paused = ann.submit(dialog.form("Pause").fill("hours", "24")).await;
    office.holds("Ann Miller", None).await;
    let resumed = ann.submit(paused.form("Resume now")).await;
    assert!(resumed.says("Presence sync goes on."), "{}", resumed.source);
    office.holds("Ann Miller", Some("InACall")).await;
    office.until("SELECT count(*) = 0 FROM presence_pauses WHERE account_id = $1", 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_of_one_user_leaves_the_others_alone() {
    let (office, ann) = on_the_phone(&["Ann Miller", "Bob Stone"]).await;
    let (_, phone) = office.phone("Ann Miller");
    let at = page(&office, &format!("/users/{phone}"));
    let dialog = ann.visit(&format!("{at}/pause")).await;
    let said = ann.submit(dialog.form("Pause").fill("hours", "1")).await;
    assert!(said.says("Sync for Ann Miller is paused for one hour."), "{}", said.source);
    assert!(said.says("Sync is paused for this user"));
    office.holds("Ann Miller", None).await;
    assert_eq!(office.held("Bob Stone").as_deref(), Some("InACall"));
    assert!(!office.ask(PAUSED, 0).await, "the account goes on");
    office.pass_and_look(TimeDelta::minutes(61));
    office.holds("Ann Miller", Some("InACall")).await;
    office.until("SELECT count(*) = 0 FROM presence_pauses WHERE account_id = $1", 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn outside_working_hours_nothing_is_set_until_they_begin_again() {
    let (office, ann) = on_the_phone(&["Ann Miller"]).await;
    // Working hours that end in three minutes, every day, by the clock of UTC.
    let clock = |after: i64| {
        let at = office.stage.clock.now() + TimeDelta::minutes(after);
        at.format("%H:%M").to_string()
    };
    let dialog = ann.visit(&page(&office, "/pause")).await;
    let form = dialog.form("Save working hours").fill("zone", "UTC");
    let form = form.tick("day", "Saturday").tick("day", "Sunday");
    let said = ann.submit(form.fill("from", &clock(-60)).fill("to", &clock(3))).await;
    assert!(said.says("Presence sync keeps working hours: Monday to Sunday"), "{}", said.source);
    office
        .until("SELECT NOT changed AND NOT paused FROM presence_pauses WHERE account_id = $1", 0)
        .await;
    assert_eq!(office.held("Ann Miller").as_deref(), Some("InACall"));

    office.pass_and_look(TimeDelta::minutes(4));
    office.holds("Ann Miller", None).await;
    office.until(PAUSED, 0).await;
    let overview = ann.visit(&page(&office, "")).await;
    assert!(overview.says("Presence sync rests outside working hours"), "{}", overview.source);

    // The next day, in working hours.
    office.pass_and_look(TimeDelta::hours(23));
    office.holds("Ann Miller", Some("InACall")).await;
    office.until(SYNCING, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_survives_the_death_of_a_node() {
    let (mut office, ann) = on_the_phone(&["Ann Miller"]).await;
    let dialog = ann.visit(&page(&office, "/pause")).await;
    office.kill().await;
    ann.submit(dialog.form("Pause").fill("hours", "1")).await;
    office.restart().await;
    office.holds("Ann Miller", None).await;
    office.kill().await;
    office.pass(TimeDelta::hours(2));
    office.restart().await;
    office.holds("Ann Miller", Some("InACall")).await;
}
