//! The planner against a small model of Teams, with everything around it that may go wrong:
//! random histories of events, matches, lost answers, refusals, throttling, crashes, clocks that
//! jump, and time; shrunk to the shortest that breaks a promise.

use std::time::Duration;

use chrono::TimeDelta;
use proptest::prelude::*;

use super::world::{Fate, Happening, PER_SECOND, USERS, World};
use super::*;

fn shows() -> impl Strategy<Value = Option<Shows>> {
    prop::option::of(prop::sample::select(Shows::ALL.to_vec()))
}

/// What happens when all goes well.
fn life() -> BoxedStrategy<Happening> {
    prop_oneof![
        3 => (0..USERS, shows()).prop_map(|(user, wanted)| Happening::Wants(user, wanted)),
        1 => (0..USERS, prop::option::of(0..2u8)).prop_map(|(user, on)| Happening::Matched(user, on)),
        1 => (0..USERS, any::<bool>()).prop_map(|(user, out)| Happening::Excluded(user, out)),
        1 => any::<bool>().prop_map(Happening::Switched),
        2 => (0..2_000u16).prop_map(Happening::Passes),
        6 => Just(Happening::Works(Fate::Done)),
    ]
    .boxed()
}

fn losses() -> BoxedStrategy<Happening> {
    let fates = prop_oneof![
        Just(Fate::Refused),
        Just(Fate::LostOnTheWay),
        Just(Fate::AnswerLost),
        (1..60u8).prop_map(Fate::Throttled),
    ];
    fates.prop_map(Happening::Works).boxed()
}

fn crashes() -> BoxedStrategy<Happening> {
    let meanwhile = prop::collection::vec((0..USERS, shows()), 0..3);
    (any::<bool>(), meanwhile).prop_map(|(done, then)| Happening::Crash(done, then)).boxed()
}

fn jumps() -> BoxedStrategy<Happening> {
    (-7_200..7_200i16).prop_map(Happening::Jumps).boxed()
}

fn history(more: Vec<(u32, BoxedStrategy<Happening>)>) -> impl Strategy<Value = Vec<Happening>> {
    let kinds = std::iter::once((8, life())).chain(more).collect();
    prop::collection::vec(prop::strategy::Union::new_weighted(kinds), 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn when_events_stop_teams_holds_what_the_newest_maps_to(history in history(vec![(4, losses())])) {
        let mut world = World::after(&history);
        world.finish();
        prop_assert_eq!(world.shown(), world.target());
    }

    #[test]
    fn it_stays_so_for_as_long_as_somebody_looks_when_it_is_due(
        history in history(vec![(2, losses()), (1, crashes())])
    ) {
        let mut world = World::after(&history);
        world.finish();
        for _ in 0..20 {
            prop_assert_eq!(world.shown(), world.target());
            let Some(due) = world.rows.iter().filter_map(|row| row.due).min() else { break };
            prop_assert!(due > world.clock());
            world.now = due - world.off - TimeDelta::milliseconds(1);
            prop_assert_eq!(world.shown(), world.target(), "it must not have ended yet");
            world.now = due - world.off;
            world.finish();
        }
    }

    #[test]
    fn without_losses_no_request_changes_nothing(history in history(vec![])) {
        let mut world = World::after(&history);
        world.finish();
        prop_assert_eq!(world.teams.idle, 0);
    }

    #[test]
    fn a_crash_leaves_nobody_wrong(history in history(vec![(4, crashes()), (1, losses())])) {
        let mut world = World::after(&history);
        world.finish();
        prop_assert_eq!(world.shown(), world.target());
    }

    #[test]
    fn a_clock_that_jumps_leaves_nobody_wrong_for_longer_than_a_session_lasts(
        history in history(vec![(3, jumps()), (1, losses())])
    ) {
        let mut world = World::after(&history);
        world.finish();
        for _ in 0..12 {
            world.now += TimeDelta::minutes(5);
            world.finish();
        }
        prop_assert_eq!(world.shown(), world.target());
    }

    #[test]
    fn no_second_has_more_than_its_share_whatever_happens(
        history in history(vec![(4, losses())])
    ) {
        let mut world = World::after(&history);
        world.finish();
        for few in world.sent.windows(PER_SECOND + 1) {
            prop_assert!(few[PER_SECOND] - few[0] > Duration::from_secs(1));
        }
    }
}
