//! One account hangs, and nine hundred and ninety-nine others do not notice.

use std::time::{Duration, Instant};

use chrono::SecondsFormat;
use futures_util::{StreamExt, stream};
use presence_portal::kit::clock::Clock;
use presence_portal::sandbox::{System, Trouble, World};
use reqwest::Client;
use serde_json::json;
use tokio::time::timeout;

use crate::support::{Person, Town, rounds};

/// A machine that does other things besides is noisier than what is promised. So the one account
/// hangs and does not by turns, and each round is compared by itself, until in one the two halves
/// agree: noise falls on either half as often, an account that really kept others waiting would
/// do so in every round, and for seconds.
const MOST_ROUNDS: usize = 8;
const MOST: f64 = 1.2;
/// Others who change their state between two turns, and how many of them at once.
const A_TURN: usize = 50;
const AT_ONCE: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_hangs_is_not_noticed_by_all_the_others() {
    let accounts = rounds("PORTAL_FAULT_ACCOUNTS", 1_000);
    let town = Town::open(World::of_size(accounts, 1)).await;
    let client = Client::builder().timeout(Duration::from_mins(1)).build().unwrap();
    let (hanging, others) = town.people.split_first().unwrap();
    let tenant = hanging.tenant.to_string();
    // Every token is fetched, every connection open.
    delays(&town, &client, others, "inConference").await;
    for round in 0..MOST_ROUNDS {
        let (mut usually, mut meanwhile) = (Vec::new(), Vec::new());
        let state = if round % 2 == 0 { "onCall" } else { "available" };
        for (turn, some) in others.chunks(A_TURN).enumerate() {
            if (turn + round) % 2 == 0 {
                town.sandbox.trouble_for(System::Graph, &tenant, Trouble::Hang);
                tell(&client, hanging, if turn % 4 < 2 { "onCall" } else { "dnd" }).await;
                let held = town.held(hanging);
                meanwhile.extend(delays(&town, &client, some, state).await);
                assert_eq!(town.held(hanging), held, "it really hangs");
            } else {
                town.sandbox.mend_for(System::Graph, &tenant);
                usually.extend(delays(&town, &client, some, state).await);
            }
        }
        let (usual, hung) = (p99(&mut usually), p99(&mut meanwhile));
        eprintln!(
            "p99 of {} others: {usual:.0?} usually, {hung:.0?} while one hangs",
            others.len()
        );
        if hung.as_secs_f64() <= usual.as_secs_f64() * MOST {
            return;
        }
    }
    panic!("the others were slower all the time");
}

fn p99(delays: &mut [Duration]) -> Duration {
    delays.sort_unstable();
    delays[delays.len() * 99 / 100]
}

/// Changes everybody's state, and measures from the event until Teams holds it.
async fn delays(town: &Town, client: &Client, people: &[Person], state: &str) -> Vec<Duration> {
    let measured = stream::iter(people).map(|person| async move {
        let began = Instant::now();
        tell(client, person, state).await;
        let held = match state {
            "onCall" => Some("InACall"),
            "inConference" => Some("InAConferenceCall"),
            _ => None,
        };
        let holds = town.sandbox.until(|_| town.held(person).as_deref() == held);
        timeout(Duration::from_mins(1), holds).await.expect("it is told at all");
        began.elapsed()
    });
    measured.buffer_unordered(AT_ONCE).collect().await
}

async fn tell(client: &Client, person: &Person, state: &str) {
    let at = Clock::default().now().to_rfc3339_opts(SecondsFormat::Micros, true);
    let body = json!({
        "publicationId": uuid::Uuid::new_v4(), "topic": "platform-api-presence", "method": "PUT",
        "subject": format!("/2017-09-01/presentities/{}", person.user),
        "content": {"presences": {"aggregate": {"status": state, "enteredOn": at}}},
        "publisher": {"accountId": person.cloudlink, "principalId": person.user},
        "notification": {"createdOn": at},
    });
    let answer = client.post(person.hook.clone()).body(body.to_string()).send().await.unwrap();
    assert_eq!(answer.status(), 204);
}
