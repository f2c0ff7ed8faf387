//! A calendar of the days on which secrets end: made, read by whoever has its address, revoked.

use crate::support::{Journey, Visitor};

/// What a calendar program gets at that address: nothing once it is revoked.
async fn read(visitor: &Visitor, address: &str) -> String {
    let read = "const file = new XMLHttpRequest(); file.open('GET', arguments[0], false); \
        file.send(); return file.status === 200 ? file.responseText : ''";
    visitor.run(read, vec![address.into()]).await.as_str().unwrap().to_owned()
}

async fn a_calendar_is_made_read_and_revoked(journey: &Journey) {
    let Journey { portal, visitor, customer } = journey;
    portal.secrets_end_in(45).await;
    visitor.visit("/settings").await;
    visitor.press("Expiry calendars").await;
    visitor.press("Make a calendar").await;
    visitor.sees("Give it a name").await;
    visitor.fill("Name", "Outlook of the desk").await;
    visitor.press("Make a calendar").await;
    visitor.sees("Subscribe to this address now").await;
    let address = journey.copied().await;
    let calendar = read(visitor, &address).await;
    assert!(calendar.starts_with("BEGIN:VCALENDAR"), "{calendar}");
    assert!(calendar.replace("\r\n ", "").contains(&customer.name), "{calendar}");

    visitor.visit("/calendars").await;
    visitor.sees("last read").await;
    assert!(!visitor.text().await.contains("Subscribe to this address"), "it is shown once");
    visitor.press("Revoke Outlook of the desk").await;
    visitor.sees("No calendar yet").await;
    assert_eq!(read(visitor, &address).await, "", "its address leads nowhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_of_expiries_is_read_until_it_is_revoked() {
    let journey = Journey::begin().await.set_up().await;
    a_calendar_is_made_read_and_revoked(&journey).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_of_expiries_is_read_until_it_is_revoked_without_scripts() {
    let journey = Journey::begin_without_scripts().await.set_up().await;
    a_calendar_is_made_read_and_revoked(&journey).await;
}
