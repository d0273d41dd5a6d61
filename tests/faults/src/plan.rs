//! Which call meets which fault.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use crate::call::Call;
use crate::draws::Draws;
use crate::fault::Fault;

/// Decides for each attempt of each call what goes wrong with it.
pub(crate) trait Plan: Send + Sync {
    /// What goes wrong with this attempt, if anything.
    fn fault(&self, call: &Call) -> Option<Fault>;

    /// What Stripe said to a call that went well, whether its caller hears it or not.
    fn heard(&self, _call: &Call, _answer: &str) {}
}

/// Nothing goes wrong.
#[derive(Debug)]
pub(crate) struct Calm;

impl Plan for Calm {
    fn fault(&self, _: &Call) -> Option<Fault> {
        None
    }
}

/// The functions that the seeded plan leaves alone: people sign up before it begins, and in without it.
const SPARED: [&str; 4] = ["sign-up", "confirm-sign-up", "sign-in", "create-profile"];

/// The functions of the deletion of accounts. They make few of all calls, and have faults of their own.
pub(crate) const LEAVING: [&str; 3] = ["delete-account", "forget-person", "sweep-accounts"];

/// How likely each fault is, among those that a call can meet. What fits few calls weighs more.
const WEIGHTS: [(usize, Fault); 16] = [
    (20, Fault::ReplyDropped),
    (10, Fault::Reset),
    (12, Fault::Throttled),
    (8, Fault::Failed),
    (6, Fault::Unavailable),
    (15, Fault::Conflict),
    (8, Fault::InProgress),
    (15, Fault::Unprocessed),
    (10, Fault::Locked),
    (12, Fault::Delayed),
    (1, Fault::Late),
    (40, Fault::Twice),
    (25, Fault::HeldBack),
    (60, Fault::Stale),
    (7, Fault::KilledBefore),
    (10, Fault::KilledAfter),
];

/// Faults by a seed: the n-th call that a function makes of an operation always meets the same one.
///
/// Which order that call is about depends on how the requests interleave, so a seed repeats the faults, not the run.
pub(crate) struct Seeded {
    seed: u64,
    state: Mutex<State>,
}

/// How much goes wrong with some of the functions.
#[derive(Debug, Clone, Copy, Default)]
struct Share {
    /// How many of 10,000 calls meet a fault.
    rate: usize,
    /// How many faults there will still be.
    left: usize,
}

#[derive(Default)]
struct State {
    /// Of all functions but those of the deletion of accounts.
    usual: Share,
    /// Of those.
    leaving: Share,
    /// How many calls each function has made of each operation.
    counts: HashMap<(String, String), u64>,
    /// Calls whose first attempt was seen.
    seen: HashSet<String>,
    /// Calls whose attempts go on meeting their fault, and how many of them will.
    lasting: HashMap<String, (Fault, usize)>,
}

impl Seeded {
    /// At most `most` faults, in `rate` of 10,000 calls. None of them meet the deletion of an account.
    pub(crate) fn new(seed: u64, rate: usize, most: usize) -> Self {
        let usual = Share { rate, left: most };
        Self { seed, state: Mutex::new(State { usual, ..State::default() }) }
    }

    /// And so many, at such a rate, meet the deletion of accounts.
    pub(crate) fn and_leaving(mut self, rate: usize, most: usize) -> Self {
        self.state.get_mut().expect("no holder of this lock panics").leaving = Share { rate, left: most };
        self
    }

    /// What the `number`-th call of this function and operation meets, and in how many of its attempts.
    fn draw(&self, call: &Call, number: u64, rate: usize) -> Option<(Fault, usize)> {
        let purpose = format!("{} {} {number}", call.function(), call.name());
        let mut draws = Draws::new(self.seed, &purpose);
        if !draws.chance(rate) {
            return None;
        }
        let fitting: Vec<_> = WEIGHTS.into_iter().filter(|(_, fault)| fault.fits(call)).collect();
        let fault = draws.weighted(&fitting)?;
        // The SDK makes three attempts, and so does Stripe's client: most faults pass with the next, some outlast all.
        let attempts = draws.weighted(&[(6, 1), (1, 2), (3, 3)])?;
        Some((fault, attempts))
    }
}

impl Plan for Seeded {
    fn fault(&self, call: &Call) -> Option<Fault> {
        if call.caller.is_none() || SPARED.contains(&call.function()) {
            return None;
        }
        let mut state = self.state.lock().expect("no holder of this lock panics");
        if let Some((fault, left)) = state.lasting.get_mut(&call.id) {
            let fault = *fault;
            *left -= 1;
            if *left == 0 {
                state.lasting.remove(&call.id);
            }
            return Some(fault);
        }
        if !state.seen.insert(call.id.clone()) {
            // A later attempt of a call that was let through or has met its fault.
            return None;
        }
        let count = state.counts.entry((call.function().to_owned(), call.name())).or_default();
        *count += 1;
        let number = *count;
        let is_leaving = LEAVING.contains(&call.function());
        let share = if is_leaving { &mut state.leaving } else { &mut state.usual };
        if share.left == 0 {
            return None;
        }
        let (fault, attempts) = self.draw(call, number, share.rate)?;
        share.left -= 1;
        if attempts > 1 {
            state.lasting.insert(call.id.clone(), (fault, attempts - 1));
        }
        Some(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Caller;
    use crate::call::tests::call;

    fn faults_of(plan: &Seeded, calls: usize) -> Vec<Option<Fault>> {
        let faults = (0..calls).map(|number| {
            let call = call("sqs", "AmazonSQS.SendMessage", "{}");
            plan.fault(&Call { id: number.to_string(), ..call })
        });
        faults.collect()
    }

    #[test]
    fn a_seed_repeats_its_faults() {
        let faults = faults_of(&Seeded::new(7, 3_000, 1_000), 200);
        assert_eq!(faults, faults_of(&Seeded::new(7, 3_000, 1_000), 200));
        assert_ne!(faults, faults_of(&Seeded::new(8, 3_000, 1_000), 200));
        let count = faults.iter().flatten().count();
        assert!((30..90).contains(&count), "{count} of 200 calls");
    }

    #[test]
    fn there_are_no_more_faults_than_asked_for() {
        assert_eq!(faults_of(&Seeded::new(7, 10_000, 5), 200).iter().flatten().count(), 5);
    }

    #[test]
    fn the_deletion_of_accounts_has_faults_of_its_own() {
        let plan = Seeded::new(7, 10_000, 5).and_leaving(10_000, 3);
        let faults_of = |function: &str| {
            let faults = (0..200).filter_map(|number: usize| {
                let caller = Some(Caller { function: function.into(), pid: 7 });
                let id = format!("{function} {number}");
                plan.fault(&Call { id, caller, ..call("sqs", "AmazonSQS.SendMessage", "{}") })
            });
            faults.count()
        };
        assert_eq!((faults_of("forget-person"), faults_of("create-order")), (3, 5));
        let without = Seeded::new(7, 10_000, 5);
        let caller = Some(Caller { function: "forget-person".into(), pid: 7 });
        let call = Call { caller, ..call("sqs", "AmazonSQS.SendMessage", "{}") };
        assert_eq!(without.fault(&call), None);
    }

    #[test]
    fn a_fault_lasts_for_some_attempts_of_its_call_and_not_for_ever() {
        let plan = Seeded::new(7, 10_000, 1_000);
        let mut lasted = Vec::new();
        for number in 0..100 {
            let call = Call { id: number.to_string(), ..call("sqs", "AmazonSQS.SendMessage", "{}") };
            let attempts: Vec<_> = (0..6).filter_map(|_| plan.fault(&call)).collect();
            assert!(attempts.windows(2).all(|two| two[0] == two[1]), "{attempts:?}");
            lasted.push(attempts.len());
        }
        for attempts in 1..=3 {
            assert!(lasted.contains(&attempts), "{lasted:?}");
        }
        assert!(lasted.iter().all(|attempts| (1..=3).contains(attempts)));
    }
}
