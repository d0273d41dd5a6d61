//! Which requests to Stripe are tries of one call: AWS's SDK gives each call a name, and Stripe's client gives none.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::call::{Call, Caller};

/// How often the client tries a call (`payments::stripe`).
const MOST: usize = 3;

/// Longer than the client waits before it tries again: a second, and more where the machine is busy.
const PAUSE: Duration = Duration::from_secs(3);

/// The calls of Stripe that were made lately.
#[derive(Debug, Default)]
pub(crate) struct Tries(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// How many calls there were.
    calls: usize,
    /// The latest call of those that a process makes in the same words.
    latest: HashMap<String, Latest>,
}

#[derive(Debug)]
struct Latest {
    id: String,
    tries: usize,
    ended: Ended,
}

/// What became of the latest try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// Nothing yet. Whoever asks again has given it up.
    NotYet,
    /// It had no clear answer, and is tried again.
    InVain(Instant),
    /// It was answered.
    Well,
}

impl Tries {
    /// The name of the call that this is a try of: the one before it in the same words, by the same process, if that
    /// had no clear answer a moment ago.
    pub(crate) fn name(&self, call: &Call, now: Instant) -> String {
        let mut state = self.0.lock().expect("no holder of this lock panics");
        let words = words(call);
        if let Some(latest) = state.latest.get_mut(&words)
            && latest.tries < MOST
            && latest.goes_on(now)
        {
            latest.tries += 1;
            latest.ended = Ended::NotYet;
            return latest.id.clone();
        }
        state.calls += 1;
        let id = format!("stripe {}", state.calls);
        let latest = Latest { id: id.clone(), tries: 1, ended: Ended::NotYet };
        state.latest.insert(words, latest);
        id
    }

    /// This try was answered with this status, or not at all.
    pub(crate) fn ended(&self, call: &Call, status: Option<u16>, now: Instant) {
        let mut state = self.0.lock().expect("no holder of this lock panics");
        if let Some(latest) = state.latest.get_mut(&words(call)).filter(|latest| latest.id == call.id) {
            let is_clear = status.is_some_and(|status| status < 500 && ![409, 429].contains(&status));
            latest.ended = if is_clear { Ended::Well } else { Ended::InVain(now) };
        }
    }
}

impl Latest {
    fn goes_on(&self, now: Instant) -> bool {
        match self.ended {
            Ended::NotYet => true,
            Ended::InVain(at) => now.duration_since(at) < PAUSE,
            Ended::Well => false,
        }
    }
}

/// Who asks for what.
fn words(call: &Call) -> String {
    let Call { caller, path, key, body, operation, .. } = call;
    let pid = caller.as_ref().map_or(0, |Caller { pid, .. }| *pid);
    format!("{pid} {} {operation} {path} {body}", key.as_deref().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::tests::to_stripe;

    /// The names of tries that end so, each so many seconds after the one before.
    fn names(tries: &[(Option<u16>, u64)]) -> Vec<String> {
        let (all, mut now) = (Tries::default(), Instant::now());
        let mut names = Vec::new();
        for (status, later) in tries {
            let mut call = to_stripe("POST", "/v1/refunds", "amount=1");
            call.id = all.name(&call, now);
            all.ended(&call, *status, now);
            names.push(call.id);
            now += Duration::from_secs(*later);
        }
        names
    }

    #[test]
    fn what_had_no_clear_answer_is_tried_up_to_three_times_and_then_it_is_another_call() {
        let [one, two] = ["stripe 1", "stripe 2"];
        assert_eq!(names(&[(None, 1), (Some(500), 1), (Some(429), 1), (None, 1)]), [one, one, one, two]);
        assert_eq!(names(&[(Some(200), 0), (Some(200), 0)]), [one, two]);
        assert_eq!(names(&[(Some(400), 0), (Some(400), 0)]), [one, two]);
        assert_eq!(names(&[(Some(409), 5), (None, 0)]), [one, two], "a consumer that failed tries it anew");
    }

    #[test]
    fn another_process_and_another_request_make_another_call() {
        let (all, now) = (Tries::default(), Instant::now());
        let call = to_stripe("POST", "/v1/refunds", "amount=1");
        let another = Caller { function: "send-refund".into(), pid: 8 };
        let names = [
            all.name(&call, now),
            all.name(&call, now),
            all.name(&to_stripe("POST", "/v1/refunds", "amount=2"), now),
            all.name(&Call { caller: Some(another), ..call }, now),
        ];
        assert_eq!(names, ["stripe 1", "stripe 1", "stripe 2", "stripe 3"]);
    }
}
