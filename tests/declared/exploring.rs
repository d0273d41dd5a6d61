//! Trying a model out: all that can happen in it, or what happens until it breaks a promise.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::hash::Hash;

use stateright::{Checker, Expectation, HasDiscoveries, Model};

/// What a model came to.
#[derive(Debug)]
pub struct Explored {
    /// What does not hold. What should be possible and is not counts as well.
    pub broken: Vec<&'static str>,
    /// How many different states there are.
    pub states: usize,
    /// How many steps lead to the farthest of them.
    pub depth: usize,
}

/// Tries all that can happen, without a limit of depth, and prints how each promise that broke was broken.
pub fn explored<M>(model: M) -> Explored
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
    Explored { broken, states, depth }
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
