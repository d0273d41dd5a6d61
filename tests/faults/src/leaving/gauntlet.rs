//! Every call of the deletion of an account with every fault. Scenes would need somebody new for each pair, and signing
//! people up is slow. So there is one person for each fault: in the deletion of that account each call meets the fault
//! the first time that it is made, and each step is taken until it is done.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use ::tests::wait::at_once;
use serde_json::json;
use tokio::time::sleep;

use super::Leaver;
use crate::call::Call;
use crate::exhaustive::Stage;
use crate::fault::Fault;
use crate::plan::LEAVING;
use crate::workload::{Town, millis};

/// Some of what has to be called when an account ends, so that a deletion that passed by its steps is noticed: of each
/// service, and of each table that is emptied.
const CALLED: [(&str, &str); 15] = [
    ("delete-account", "dynamodb.GetItem Users"),
    ("delete-account", "dynamodb.TransactWriteItems Guards Users"),
    ("forget-person", "cognito-idp.AdminDeleteUser"),
    ("forget-person", "cognito-idp.AdminDisableUser"),
    ("forget-person", "cognito-idp.AdminUserGlobalSignOut"),
    ("forget-person", "dynamodb.DeleteItem Activity"),
    ("forget-person", "dynamodb.DeleteItem Carts"),
    ("forget-person", "dynamodb.DeleteItem Inbox"),
    ("forget-person", "dynamodb.DeleteItem Purchases"),
    ("forget-person", "dynamodb.DeleteItem Users"),
    ("forget-person", "dynamodb.TransactWriteItems Reviews"),
    ("forget-person", "s3.DeleteObject"),
    ("forget-person", "s3.DeleteObjects"),
    ("forget-person", "sqs.SendMessage Emails"),
    ("forget-person", "stripe.POST /v1/checkout/sessions/{id}/expire"),
];

/// How long a deletion may take in which each call fails once, on a slow machine.
const PATIENCE: Duration = Duration::from_mins(3);

/// One fault for each call of one deletion.
#[derive(Debug)]
pub(crate) struct Gauntlet {
    /// By what its calls are known.
    subjects: Vec<String>,
    fault: Fault,
    /// How many attempts of a call meet it.
    attempts: usize,
    state: Mutex<State>,
}

/// The function, and what tells its call from others.
type Row = (String, String);

#[derive(Debug, Default)]
struct State {
    met: BTreeSet<Row>,
    seen: HashSet<String>,
    lasting: HashMap<String, usize>,
}

impl Gauntlet {
    fn new(subjects: Vec<String>, fault: Fault, attempts: usize) -> Self {
        Self { subjects, fault, attempts, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock panics")
    }

    /// What a call meets, if it is a call of this deletion.
    pub(crate) fn fault(&self, call: &Call) -> Option<Fault> {
        let is_its_own = || self.subjects.iter().any(|subject| call.names(subject));
        if !LEAVING.contains(&call.function()) || !is_its_own() {
            return None;
        }
        if call.operation == "StartExecution" {
            // The steps are taken by hand: the workflow would wait for seconds, and longer, after each failure.
            return Some(Fault::Throttled);
        }
        let mut state = self.state();
        if let Some(left) = state.lasting.get_mut(&call.id).filter(|left| **left > 0) {
            *left -= 1;
            return Some(self.fault);
        }
        if !state.seen.insert(call.id.clone())
            || !state.met.insert((call.function().to_owned(), call.signature()))
        {
            return None;
        }
        state.lasting.insert(call.id.clone(), self.attempts - 1);
        Some(self.fault)
    }
}

/// What came of one of them.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// The fault's name.
    pub fault: &'static str,
    /// The calls that met it.
    met: BTreeSet<Row>,
    /// Whether the deletion came to its end.
    is_over: bool,
}

impl Run {
    /// How many calls of each function met the fault.
    pub(crate) fn calls(&self) -> BTreeMap<&str, usize> {
        let mut calls = BTreeMap::new();
        for (function, _) in &self.met {
            *calls.entry(function.as_str()).or_default() += 1;
        }
        calls
    }

    /// What was to be called, or to be over, and was not.
    pub(crate) fn missed(&self) -> Vec<String> {
        let is_met = |(function, call): &(&str, &str)| {
            let mut rows = self.met.iter();
            rows.any(|(by, signature)| by == function && signature == call)
        };
        let missed = CALLED.iter().filter(|row| !is_met(row));
        let mut missed: Vec<_> =
            missed.map(|(function, call)| format!("{function} {call} {}", self.fault)).collect();
        if !self.is_over {
            missed.push(format!("the end of an account, each call {}", self.fault));
        }
        missed
    }
}

/// Lets one account end for each of these faults, all at once.
pub(crate) async fn run(
    town: Town,
    stage: Arc<Stage>,
    faults: Vec<(Fault, usize, &'static str)>,
) -> Vec<Run> {
    let count = faults.len();
    let people = town.arrive(100, count, count, |_| None).await;
    let runs = at_once(count, move |number| {
        let (town, stage, leaver) = (town.clone(), Arc::clone(&stage), people[number].clone());
        let (fault, attempts, name) = faults[number];
        async move {
            let gauntlet = Arc::new(Gauntlet::new(leaver.known_by(), fault, attempts));
            stage.run(&gauntlet);
            town.asks_to_leave(&leaver).await;
            let is_over = town.takes_each_step(&leaver).await;
            stage.end(&gauntlet);
            let met = gauntlet.state().met.clone();
            Run { fault: name, met, is_over }
        }
    });
    runs.await
}

impl Leaver {
    /// What its calls name.
    fn known_by(&self) -> Vec<String> {
        let own = [self.username()].into_iter().chain(self.marks.ids()).chain(self.subjects.clone());
        own.filter(|subject| !subject.is_empty()).collect()
    }
}

impl Town {
    /// Takes the steps of a deletion as the workflow does, each until it is done. Gives whether the last one was.
    async fn takes_each_step(&self, leaver: &Leaver) -> bool {
        let deadline = Instant::now() + PATIENCE;
        let mut task = json!({ "userId": leaver.buyer.id, "step": "requests" });
        while Instant::now() < deadline {
            let taken = self.aws.invoke("forget-person", &task).await;
            if taken["isDone"] == true {
                return true;
            }
            if taken["step"].is_string() {
                let waits = taken["waitSeconds"].as_u64().unwrap_or_default();
                sleep(Duration::from_secs(waits.min(1))).await;
                task = taken;
            } else {
                sleep(millis(50)).await;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Caller;
    use crate::call::tests::call;

    fn forgets(id: &str, table: &str, person: &str) -> Call {
        let body = format!(r#"{{"TableName":"cartwright-local-{table}Table-1","Key":{{"x":"{person}"}}}}"#);
        let caller = Some(Caller { function: "forget-person".into(), pid: 7 });
        Call { id: id.into(), caller, ..call("dynamodb", "DynamoDB_20120810.DeleteItem", &body) }
    }

    #[test]
    fn each_call_of_a_deletion_meets_the_fault_once_and_in_so_many_attempts() {
        let gauntlet = Gauntlet::new(vec!["ann".into()], Fault::ReplyDropped, 2);
        let faults = [
            forgets("a", "Carts", "ann"),
            forgets("a", "Carts", "ann"),
            forgets("a", "Carts", "ann"),
            // Taken again, it passes.
            forgets("b", "Carts", "ann"),
            forgets("c", "Inbox", "ann"),
            forgets("d", "Purchases", "bob"),
            call("dynamodb", "DynamoDB_20120810.GetItem", "ann"),
        ]
        .map(|call| gauntlet.fault(&call));
        let met = Some(Fault::ReplyDropped);
        assert_eq!(faults, [met, met, None, None, met, None, None]);
        let rows: Vec<_> = gauntlet.state().met.iter().map(|(_, signature)| signature.clone()).collect();
        assert_eq!(rows, ["dynamodb.DeleteItem Carts", "dynamodb.DeleteItem Inbox"]);
    }

    #[test]
    fn no_workflow_takes_the_steps_besides() {
        let gauntlet = Gauntlet::new(vec!["ann".into()], Fault::KilledAfter, 1);
        let start = |id: &str| {
            let caller = Some(Caller { function: "delete-account".into(), pid: 7 });
            let body = r#"{"name":"ann-498"}"#;
            Call { id: id.into(), caller, ..call("states", "AWSStepFunctions.StartExecution", body) }
        };
        let faults = ["a", "a", "b"].map(|id| gauntlet.fault(&start(id)));
        assert_eq!(faults, [Some(Fault::Throttled); 3]);
        assert_eq!(gauntlet.state().met, BTreeSet::new());
    }

    #[test]
    fn a_deletion_that_passes_by_what_it_has_to_call_or_never_ends_is_noticed() {
        let row = |(function, call): (&str, &str)| (function.to_owned(), call.to_owned());
        let all = Run { fault: "killed after", met: CALLED.map(row).into(), is_over: true };
        assert_eq!((all.missed(), all.calls()["delete-account"]), (vec![], 2));
        for lost in CALLED {
            let mut met = all.met.clone();
            met.remove(&row(lost));
            let missed = Run { met, ..all.clone() }.missed();
            assert_eq!(missed, [format!("{} {} killed after", lost.0, lost.1)]);
        }
        let never = Run { is_over: false, ..all };
        assert_eq!(never.missed(), ["the end of an account, each call killed after"]);
    }
}
