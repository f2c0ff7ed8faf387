//! Events that are well formed, events that are not, and whatever else may be sent.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn published(content: &Value) -> Value {
    json!({
        "publicationId": "d588e181-0000-4000-8000-000000000001",
        "topic": "platform-api-presence",
        "method": "PUT",
        "subject": "/2017-09-01/presentities/ann",
        "content": content,
        "publisher": {"accountId": "327410625", "principalId": "ann"},
        "subscription": {"subscriptionId": "sub-1"},
        "notification": {"createdOn": "2026-04-26T12:12:39.971Z", "correlationId": "cor-1"},
    })
}

fn read(event: &Value) -> Result<Event, Malformed> {
    parse(&serde_json::to_vec(event).unwrap()).map(|mut events| events.remove(0))
}

fn state_of(content: &Value) -> (Option<String>, DateTime<Utc>) {
    let event = read(&published(content)).unwrap();
    (event.state, event.at)
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[test]
fn an_event_is_read_whole() {
    let entered = "2026-04-26T12:12:38.940Z";
    let content = json!({"presences": {"aggregate": {"status": "onCall", "enteredOn": entered}}});
    let event = read(&published(&content)).unwrap();
    assert_eq!(event.publication_id, "d588e181-0000-4000-8000-000000000001");
    assert_eq!(event.account.as_str(), "327410625");
    assert_eq!(event.user.as_str(), "ann");
    assert_eq!(event.state.as_deref(), Some("onCall"));
    assert_eq!(event.at, at(entered));
    assert_eq!(event.subscription.unwrap().as_str(), "sub-1");
    assert_eq!(event.correlation_id.as_deref(), Some("cor-1"));
}

#[test]
fn the_state_is_the_first_text_in_the_order_of_its_places() {
    let mut content = json!({
        "presences": {"principal": {"status": "own"}, "aggregate": {"status": "1"}},
        "aggregate": {"status": "2"}, "status": "3", "state": "4", "presence": "5",
    });
    for (place, expected) in [
        ("/presences/aggregate/status", "1"),
        ("/aggregate/status", "2"),
        ("/status", "3"),
        ("/state", "4"),
        ("/presence", "5"),
    ] {
        assert_eq!(state_of(&content).0.as_deref(), Some(expected));
        // A place that holds no text is passed over.
        *content.pointer_mut(place).unwrap() = json!({"status": 7});
    }
    assert_eq!(state_of(&content).0, None);
}

#[test]
fn the_time_stands_beside_the_state_or_is_when_it_was_published() {
    let created = at("2026-04-26T12:12:39.971Z");
    assert_eq!(state_of(&json!({"status": "idle"})).1, created);
    assert_eq!(state_of(&json!({"status": "idle", "enteredOn": "yesterday"})).1, created);
    assert_eq!(
        state_of(&json!({"status": "idle", "enteredOn": "0001-01-01T00:00:00Z"})).1,
        created
    );
    let elsewhere = json!({"aggregate": {"status": "idle"}, "enteredOn": "2026-01-01T00:00:00Z"});
    assert_eq!(state_of(&elsewhere).1, created);
    for entered in [
        json!("2026-04-26T12:12:38.940Z"),
        json!("2026-04-26T14:12:38.940+02:00"),
        json!("2026-04-26T12:12:38.940"),
        json!(1_777_205_558_940_i64),
        json!("1777205558940"),
    ] {
        let content = json!({"status": "idle", "enteredOn": entered});
        assert_eq!(state_of(&content).1, at("2026-04-26T12:12:38.940Z"), "{entered}");
    }
}

#[test]
fn what_is_no_event_is_told_why() {
    let without = |name: &str| {
        let mut event = published(&json!({"status": "idle"}));
        event.as_object_mut().unwrap().remove(name);
        read(&event).unwrap_err().to_string()
    };
    assert_eq!(without("publicationId"), "publicationId is missing or not an id");
    assert_eq!(without("subject"), "subject is missing");
    assert_eq!(without("publisher"), "publisher.accountId is missing");
    assert_eq!(without("notification"), "neither enteredOn nor notification.createdOn is a time");
    assert_eq!(parse(b"{").unwrap_err(), Malformed("not JSON"));
    assert_eq!(parse(b"").unwrap_err(), Malformed("not JSON"));
    assert_eq!(parse(b"7").unwrap_err(), Malformed("not a JSON object"));
    assert_eq!(parse(b"[7]").unwrap_err(), Malformed("not a JSON object"));
    let mut other = published(&json!({"state": "ringing"}));
    other["topic"] = json!("platform-api-media");
    assert_eq!(read(&other).unwrap_err(), Malformed("topic is not platform-api-presence"));
    let endless = published(&json!({"status": "x".repeat(LONGEST + 1)}));
    assert_eq!(read(&endless).unwrap_err(), Malformed("the state is empty or too long"));
    let unkeepable = published(&json!({"status": "a\u{0}b"}));
    assert!(read(&unkeepable).is_err());
}

#[test]
fn several_events_come_in_one_array_and_a_bad_one_spoils_none() {
    let good = published(&json!({"status": "idle"}));
    let mixed = json!([good, {"subject": 1}, good]);
    assert_eq!(parse(mixed.to_string().as_bytes()).unwrap().len(), 2);
    assert_eq!(parse(b" []").unwrap(), []);
}

/// Any JSON at all, with our names in it more often than chance would have it.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        Just(json!("2026-04-26T12:12:38.940Z")),
    ];
    let name = prop_oneof![
        ".{0,8}",
        proptest::sample::select(
            "publicationId topic subject content publisher accountId notification createdOn \
             presences aggregate status enteredOn state"
                .split(' ')
                .collect::<Vec<_>>(),
        )
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(5, 60, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..8)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_and_no_json_can_break_the_reading(bytes: Vec<u8>, value in anything()) {
        let _ = parse(&bytes);
        let _ = parse(value.to_string().as_bytes());
        // Past the envelope, too.
        let _ = parse(published(&value).to_string().as_bytes());
        let mut beside = published(&json!({"status": "idle"}));
        beside["notification"] = value;
        let _ = parse(beside.to_string().as_bytes());
    }

    #[test]
    fn a_well_formed_event_is_read_as_it_was_written(
        id in "[0-9a-f-]{1,36}",
        account in "[0-9a-z]{1,20}",
        user in "[0-9a-z@.:_-]{0,20}[0-9a-z]",
        state in "[a-zA-Z][a-zA-Z _-]{0,30}[a-zA-Z]",
        millis in 946_684_800_000_i64..4_102_444_800_000,
        place in 0..STATES.len(),
    ) {
        prop_assume!(!user.starts_with('.'));
        let entered = DateTime::from_timestamp_millis(millis).unwrap();
        let (path, beside) = STATES[place];
        let mut content = json!({});
        for (path, value) in [(path, json!(state)), (beside, json!(entered.to_rfc3339()))] {
            let mut level = &mut content;
            for name in path.split('/').skip(1) {
                level = &mut level[name];
            }
            *level = value;
        }
        let mut event = published(&content);
        event["publicationId"] = json!(id);
        event["publisher"]["accountId"] = json!(account);
        event["subject"] = json!(format!("/presentities/{user}"));
        let read = read(&event).unwrap();
        prop_assert_eq!(read.publication_id, id);
        prop_assert_eq!(read.account.as_str(), account);
        prop_assert_eq!(read.user.as_str(), user);
        prop_assert_eq!(read.state, Some(state));
        prop_assert_eq!(read.at, entered);
    }
}
