//! The two statements that decide most, against a few lines of plain Rust: who is matched with
//! whom, and which event counts.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use chrono::{DateTime, TimeDelta, Utc};
use presence_portal::cloudlink;
use presence_portal::ids::{AccountId, CloudlinkUserId, EntraUserId};
use presence_portal::microsoft::{Next, User, UserChanges};
use presence_portal::presence::mapping::{Decision, Mapping, fold};
use presence_portal::presence::store::events::{self, Received};
use presence_portal::presence::store::{directory, matching, telephones};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::Stage;

/// Runs a property whose cases talk to the database.
async fn check<S, F, Fut>(cases: u32, strategy: S, property: F)
where
    S: Strategy + Send + 'static,
    F: Fn(S::Value) -> Fut + Send + 'static,
    Fut: Future<Output = Result<(), TestCaseError>>,
{
    let runtime = tokio::runtime::Handle::current();
    let run = move || {
        let config = Config { cases, failure_persistence: None, ..Config::default() };
        TestRunner::new(config)
            .run(&strategy, |value| runtime.block_on(property(value)))
            .unwrap_or_else(|error| panic!("{error}"));
    };
    tokio::task::spawn_blocking(run).await.unwrap();
}

/// An account that takes events, and nothing in it.
async fn empty_account(db: &PgPool) -> AccountId {
    let account = AccountId::new();
    for statement in [
        "INSERT INTO accounts (id, name, cloudlink_account_id, created_at, updated_at)
         VALUES ($1, 'A', $1::text, now(), now())",
        "INSERT INTO presence_accounts (account_id, hook_digest, hook_key)
         VALUES ($1, $1::text::bytea, '')",
    ] {
        sqlx::query(statement).bind(account).execute(db).await.unwrap();
    }
    account
}

/// Few enough addresses that people get into each other's way.
const ADDRESSES: [&str; 4] = ["ann@x.example", "BOB@x.example", "cleo@X.example", ""];

#[derive(Clone, Debug)]
struct Entra {
    upn: usize,
    mail: usize,
    aliases: Vec<usize>,
    enabled: bool,
}

#[derive(Clone, Debug)]
struct Person {
    email: usize,
    excluded: bool,
    by_hand: Option<usize>,
}

fn entra() -> impl Strategy<Value = Entra> {
    let aliases = prop::collection::vec(0..3usize, 0..2);
    (0..3usize, 0..4usize, aliases, prop::bool::weighted(0.8))
        .prop_map(|(upn, mail, aliases, enabled)| Entra { upn, mail, aliases, enabled })
}

fn person() -> impl Strategy<Value = Person> {
    let by_hand = prop::option::weighted(0.2, 0..4usize);
    (0..4usize, prop::bool::weighted(0.2), by_hand).prop_map(|(email, excluded, by_hand)| Person {
        email,
        excluded,
        by_hand,
    })
}

type Verdict = Result<usize, &'static str>;

/// Who is who: by principal name, else mail, else another address, and nobody by guess.
fn reference(people: &[Person], directory: &[Entra]) -> Vec<Verdict> {
    let same = |a: usize, b: usize| ADDRESSES[a].eq_ignore_ascii_case(ADDRESSES[b]);
    let rank = |person: &Person, entra: &Entra| {
        let ways = [
            same(entra.upn, person.email),
            same(entra.mail, person.email),
            entra.aliases.iter().any(|a| same(*a, person.email)),
        ];
        ways.iter().position(|way| *way).filter(|_| !ADDRESSES[person.email].is_empty())
    };
    let alone = |person: &Person| -> Verdict {
        let best = directory.iter().filter_map(|entra| rank(person, entra)).min();
        let best = best.ok_or("not-in-entra")?;
        let found: Vec<_> =
            (0..directory.len()).filter(|n| rank(person, &directory[*n]) == Some(best)).collect();
        match found[..] {
            [one] if directory[one].enabled => Ok(one),
            [_] => Err("disabled"),
            _ => Err("duplicate"),
        }
    };
    let mut claims = BTreeMap::new();
    for person in people.iter().filter(|person| !person.excluded) {
        let claimed = person.by_hand.map_or_else(|| alone(person).ok(), Some);
        if let Some(claimed) = claimed {
            *claims.entry(claimed).or_insert(0) += 1;
        }
    }
    let verdict = |person: &Person| match (person.by_hand, alone(person)) {
        (Some(chosen), _) => Ok(chosen),
        (None, Ok(one)) if !person.excluded && claims.get(&one) > Some(&1) => Err("duplicate"),
        (None, verdict) => verdict,
    };
    people.iter().map(verdict).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn matching_agrees_with_a_reader_of_the_rules() {
    let stage = Stage::new().await;
    let db = stage.db.clone();
    let world = (prop::collection::vec(person(), 0..6), prop::collection::vec(entra(), 4..7));
    check(60, world, move |(people, directory)| {
        let db = db.clone();
        async move {
            let account = empty_account(&db).await;
            let id = |n: usize| -> EntraUserId { Uuid::from_u128(n as u128 + 1).into() };
            let users = directory.iter().enumerate().map(|(n, entra)| User {
                id: id(n),
                user_principal_name: Some(ADDRESSES[entra.upn].to_owned()),
                mail: Some(ADDRESSES[entra.mail].to_owned()),
                proxy_addresses: Some(
                    entra.aliases.iter().map(|a| ADDRESSES[*a].to_lowercase()).collect(),
                ),
                display_name: None,
                enabled: Some(entra.enabled),
                guest: None,
            });
            let page = UserChanges {
                users: users.collect(),
                removed: Vec::new(),
                next: Next::Done(String::new()),
            };
            let mut tx = db.begin().await.unwrap();
            directory::write_entra(&mut tx, account, Some(1), &page).await.unwrap();
            tx.commit().await.unwrap();
            let phones: Vec<_> = people
                .iter()
                .enumerate()
                .map(|(n, person)| cloudlink::User {
                    id: CloudlinkUserId::parse(&format!("u{n}")).unwrap(),
                    name: String::new(),
                    email: format!(" {}", ADDRESSES[person.email]),
                    extension: String::new(),
                })
                .collect();
            telephones::write(&db, account, &phones).await.unwrap();
            for (n, person) in people.iter().enumerate() {
                sqlx::query(
                    "UPDATE cloudlink_users SET excluded = $3, matched_by_hand = $4 IS NOT NULL, entra_id = $4,
                        match_trouble = NULL WHERE account_id = $1 AND user_id = $2",
                )
                .bind(account)
                .bind(format!("u{n}"))
                .bind(person.excluded)
                .bind(person.by_hand.map(id))
                .execute(&db)
                .await
                .unwrap();
            }
            let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
            matching::rematch(&db, account, now).await.unwrap();
            let again = matching::rematch(&db, account, now).await.unwrap();
            prop_assert_eq!(again, 0, "matching twice changes nothing");
            let rows: Vec<(Option<EntraUserId>, Option<String>)> = sqlx::query_as(
                "SELECT entra_id, match_trouble FROM cloudlink_users WHERE account_id = $1 ORDER BY user_id",
            )
            .bind(account)
            .fetch_all(&db)
            .await
            .unwrap();
            let expected: Vec<_> = reference(&people, &directory)
                .into_iter()
                .map(|verdict| match verdict {
                    Ok(one) => (Some(id(one)), None),
                    Err(trouble) => (None, Some(trouble.to_owned())),
                })
                .collect();
            prop_assert_eq!(rows, expected);
            Ok(())
        }
    })
    .await;
}

#[derive(Clone, Debug)]
struct Said {
    user: u8,
    state: &'static str,
    second: i64,
}

fn said() -> impl Strategy<Value = Said> {
    let states = prop::sample::select(vec!["onCall", "Idle", "ringing", "DND", "odd", "away"]);
    (0..2u8, states, 0..6i64).prop_map(|(user, state, second)| Said { user, state, second })
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_order_nor_repetition_of_events_matters() {
    let stage = Stage::new().await;
    let db = stage.db.clone();
    let history = prop::collection::vec(said(), 1..12).prop_flat_map(|said| {
        let order: Vec<_> = (0..said.len()).chain(0..said.len()).collect();
        (Just(said), Just(order).prop_shuffle(), prop::collection::vec(1..5usize, 24))
    });
    check(60, history, move |(said, order, batches)| {
        let db = db.clone();
        async move {
            let account = empty_account(&db).await;
            let opening: DateTime<Utc> = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
            let received = |n: &usize| Received {
                account,
                user: CloudlinkUserId::parse(&format!("u{}", said[*n].user)).unwrap(),
                state: said[*n].state.to_owned(),
                entered_at: opening + TimeDelta::seconds(said[*n].second),
                publication_id: format!("p{n:02}"),
                received_at: opening + TimeDelta::seconds(60),
            };
            let mut rest = &order[..];
            let mut sizes = batches.iter();
            while !rest.is_empty() {
                let size = sizes.next().copied().unwrap_or(24).min(rest.len());
                let (batch, left) = rest.split_at(size);
                let batch: Vec<_> = batch.iter().map(received).collect();
                events::write(&db, &batch).await.unwrap();
                rest = left;
            }
            let rows: Vec<(String, String, Option<String>, Option<String>)> = sqlx::query_as(
                "SELECT user_id, state, decided_state, wanted FROM presences WHERE account_id = $1 ORDER BY user_id",
            )
            .bind(account)
            .fetch_all(&db)
            .await
            .unwrap();
            prop_assert_eq!(rows, expected(&said));
            Ok(())
        }
    })
    .await;
}

/// What is held when the same events came in order, each once.
fn expected(said: &[Said]) -> Vec<(String, String, Option<String>, Option<String>)> {
    let mapping = Mapping::default();
    let users: BTreeSet<_> = said.iter().map(|one| one.user).collect();
    let held = |user: &u8| {
        let mut of_user: Vec<_> =
            said.iter().enumerate().filter(|(_, one)| one.user == *user).collect();
        of_user.sort_by_key(|(n, one)| (one.second, *n));
        let newest = of_user.last().unwrap().1.state.to_owned();
        let decisions = of_user.iter().rev().map(|(_, one)| (one.state, mapping.decide(one.state)));
        let decided = decisions.into_iter().find(|(_, decision)| *decision != Decision::NoChange);
        let wanted = decided.and_then(|(_, decision)| match decision {
            Decision::Show(shows) => Some(shows.as_str().to_owned()),
            _ => None,
        });
        (format!("u{user}"), newest, decided.map(|(state, _)| fold(state)), wanted)
    };
    users.iter().map(held).collect()
}
