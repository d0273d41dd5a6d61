//! Trying a model out: all that can happen in it, or what happens until it breaks a promise.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::hash::Hash;

use stateright::{Checker, Expectation, HasDiscoveries, Model};

/// Tries all that can happen, without a limit of depth: every promise holds, and what should be possible is, in at
/// least so many different states, the farthest of them so many steps away. A model that lost half of what can happen
/// must not pass. Prints how each promise that broke was broken.
pub fn holds<M>(model: M, least: usize, farthest: usize)
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + PartialEq + Hash + Send + Sync,
    M::Action: Clone + Debug + PartialEq + Send + Sync,
{
    // One thread: only then is every state found by the shortest way to it, and so the depth the same in each run.
    let checker = model.checker().threads(1).spawn_bfs().join();
    let found = checker.discoveries();
    let broken = checker.model().properties().into_iter().filter(|property| match property.expectation {
        Expectation::Always => found.contains_key(property.name),
        Expectation::Sometimes | Expectation::Eventually => !found.contains_key(property.name),
    });
    let broken: Vec<_> = broken.map(|property| property.name).collect();
    for name in &broken {
        println!("{name}: {:#?}", found.get(name).map(|path| path.clone().into_actions()));
    }
    let (states, depth) = (checker.unique_state_count(), checker.max_depth());
    println!("{} steps lead to {states} states, the farthest of them in {depth}", checker.state_count());
    assert_eq!(broken, Vec::<&str>::new());
    assert!(states >= least && depth >= farthest, "{states} states, {depth} steps");
}

/// Whether something that can happen breaks this promise: it is looked for until it is found.
pub fn breaks<M>(model: M, promise: &'static str) -> bool
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + PartialEq + Hash + Send + Sync,
    M::Action: Clone + Debug + PartialEq + Send + Sync,
{
    let until = HasDiscoveries::AnyOf(BTreeSet::from([promise]));
    let checker = model.checker().threads(1).finish_when(until).spawn_bfs().join();
    let found = checker.discovery(promise);
    println!(
        "{} states: {promise}: {:?}",
        checker.unique_state_count(),
        found.clone().map(stateright::Path::into_actions)
    );
    found.is_some()
}
