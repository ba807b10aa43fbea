//! Who is next, and who never stands here twice.

use super::*;

const MOST: usize = 8;

fn name(text: &str) -> Name {
    Name::new("ns", text)
}

fn opened() -> State {
    State {
        is_open: true,
        ..State::default()
    }
}

fn filled(lane: Lane, names: &[&str]) -> State {
    let mut state = opened();
    for text in names {
        state.push(&name(text), lane);
    }
    state
}

/// Takes this many, each of which ends at once.
fn order(state: &mut State, turns: usize) -> Vec<String> {
    let now = Instant::now();
    let mut order = Vec::new();
    for _ in 0..turns {
        let Some((name, lane)) = state.pop(now, MOST) else {
            break;
        };
        state.end(&name, lane, Action::await_change(), now);
        order.push(name.name().to_owned());
    }
    order
}

#[test]
fn namespaces_take_turns_within_a_lane() {
    let mut state = opened();
    for text in ["big/1", "big/2", "big/3", "small/1"] {
        let (namespace, name) = text.split_once('/').expect("two parts");
        state.push(&Name::new(namespace, name), Lane::Reference);
    }
    let now = Instant::now();
    let taken = std::iter::from_fn(|| state.pop(now, MOST).map(|(name, _)| name.to_string()));
    assert_eq!(taken.collect::<Vec<_>>(), ["big/1", "small/1", "big/2", "big/3"]);
}

#[test]
fn a_lane_goes_before_the_next_one_and_none_is_starved() {
    let mut state = opened();
    for (prefix, lane) in [
        ("resync", Lane::Resync),
        ("reference", Lane::Reference),
        ("object", Lane::Object),
    ] {
        for number in 0..16 {
            state.push(&name(&format!("{prefix}-{number}")), lane);
        }
    }
    let order = order(&mut state, 48);
    let places = |prefix: &str| {
        let taken = order.iter().enumerate().filter(|(_, name)| name.starts_with(prefix));
        taken.map(|(place, _)| place).take(3).collect::<Vec<_>>()
    };
    assert_eq!(places("object"), [0, 1, 2]);
    assert_eq!(places("reference"), [3, 11, 19]);
    assert_eq!(places("resync"), [7, 15, 23]);
    assert_eq!(order.len(), 48);
    assert!(state.places.is_empty());
}

#[test]
fn a_change_takes_an_object_out_of_a_slower_lane_and_nothing_puts_it_back() {
    let mut state = filled(Lane::Resync, &["a", "b"]);
    state.push(&name("b"), Lane::Object);
    state.push(&name("b"), Lane::Resync);
    assert_eq!(order(&mut state, 9), ["b", "a"]);
}

#[test]
fn an_object_is_never_reconciled_twice_at_a_time() {
    let mut state = filled(Lane::Object, &["a"]);
    let now = Instant::now();
    let (taken, lane) = state.pop(now, MOST).expect("one waits");
    state.push(&taken, Lane::Resync);
    state.push(&taken, Lane::Object);
    assert_eq!(state.pop(now, MOST), None, "its reconcile runs");
    state.end(&taken, lane, Action::requeue(Duration::from_mins(1)), now);
    assert_eq!(
        state.pop(now, MOST),
        Some((taken, Lane::Object)),
        "once, however often it was woken"
    );
    assert!(state.timers.is_empty(), "what it comes to is decided anew");
}

#[test]
fn no_more_run_than_may_and_a_quarter_is_kept_free_for_the_first_lane() {
    let mut state = filled(Lane::Resync, &["a", "b", "c", "d", "e"]);
    let now = Instant::now();
    let taken: Vec<_> = std::iter::from_fn(|| state.pop(now, 4)).collect();
    assert_eq!(taken.len(), 3);
    state.push(&name("changed"), Lane::Object);
    assert_eq!(state.pop(now, 4), Some((name("changed"), Lane::Object)));
    state.push(&name("another"), Lane::Object);
    assert_eq!(state.pop(now, 4), None);
    state.end(&name("changed"), Lane::Object, Action::await_change(), now);
    assert_eq!(state.pop(now, 4), Some((name("another"), Lane::Object)));
    let mut state = filled(Lane::Resync, &["a", "b"]);
    assert!(state.pop(now, 1).is_some(), "one at a time is enough for everybody");
}

#[test]
fn while_the_first_lane_is_at_work_the_others_have_a_quarter() {
    let mut state = filled(Lane::Resync, &["a", "b", "c", "d", "e", "f", "g", "h"]);
    let now = Instant::now();
    state.push(&name("changed"), Lane::Object);
    let taken: Vec<_> = std::iter::from_fn(|| state.pop(now, 8)).collect();
    assert_eq!(taken.len(), 3, "{taken:?}");
    state.end(&name("changed"), Lane::Object, Action::await_change(), now);
    let more: Vec<_> = std::iter::from_fn(|| state.pop(now, 8)).collect();
    assert_eq!(more.len(), 4, "{more:?}");
}

#[test]
fn an_object_comes_back_by_itself_unless_it_is_woken_before() {
    let mut state = filled(Lane::Object, &["a"]);
    let (now, pause) = (Instant::now(), Duration::from_secs(5));
    let (taken, lane) = state.pop(now, MOST).expect("one waits");
    state.end(&taken, lane, Action::requeue(pause), now);
    assert_eq!(state.pop(now, MOST), None);
    assert_eq!(state.pop(now + pause, MOST), Some((taken.clone(), Lane::Resync)));
    state.end(&taken, Lane::Resync, Action::requeue(pause), now);
    state.push(&taken, Lane::Object);
    assert_eq!(state.pop(now, MOST), Some((taken.clone(), Lane::Object)));
    state.end(&taken, Lane::Object, Action::await_change(), now);
    assert_eq!(state.pop(now + pause, MOST), None);
    assert!(state.places.is_empty() && state.timers.is_empty());
}

#[tokio::test]
async fn a_turn_says_when_its_object_was_woken_last() {
    let queue = Queue::default();
    queue.open();
    queue.push(&name("a"), Lane::Object);
    let between = Instant::now();
    let turn = queue.next(MOST).await;
    assert!(turn.woken <= between);
    queue.push(&name("a"), Lane::Resync);
    queue.push(&name("b"), Lane::Object);
    turn.end(Action::await_change());
    let again = Instant::now();
    queue.push(&name("b"), Lane::Resync);
    for expected in ["b", "a"] {
        let turn = queue.next(MOST).await;
        assert_eq!(turn.name, name(expected));
        assert_eq!(turn.woken >= again, expected == "b", "also where it keeps its place");
        turn.end(Action::await_change());
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_the_next_hears_of_it() {
    let queue = Queue::default();
    queue.push(&name("early"), Lane::Object);
    queue.open();
    let waits = queue.clone();
    let next = tokio::spawn(async move { waits.next(MOST).await });
    tokio::task::yield_now().await;
    assert!(!next.is_finished(), "what came before the queue was open went by");
    queue.push(&name("a"), Lane::Object);
    let turn = next.await.expect("a turn");
    assert_eq!(turn.name, name("a"));
    turn.end(Action::requeue(Duration::from_millis(20)));
    assert_eq!(queue.next(MOST).await.name, name("a"));
}
