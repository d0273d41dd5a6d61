//! Measures a running shop from where those are whom it serves: [`told`] listens as people do, [`webhooks`] as other
//! systems, [`paint`] looks as a browser does. `cargo local bench` starts a shop, runs this once for each, and reads
//! what it prints: a list of `{what, took, answered}` as JSON, times in microseconds.
//!
//! It goes by the same clients as the journeys (`tests`), and like these ends at the first thing that is not as it
//! should be.

mod paint;
mod told;
mod webhooks;

use std::process::ExitCode;
use std::time::Duration;

use serde_json::Value;

/// How often everything is done before it counts: each function has to start once.
const WARM_UP: usize = 5;

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (part, times) = (arguments.next(), arguments.next().and_then(|times| times.parse().ok()));
    let measured = match (part.as_deref(), times) {
        (Some("told"), Some(times)) => told::measure(times).await,
        (Some("webhooks"), Some(times)) => webhooks::measure(times).await,
        (Some("paint"), Some(times)) => paint::measure(times),
        _ => {
            eprintln!("measure-shop told|webhooks|paint TIMES");
            return ExitCode::FAILURE;
        }
    };
    println!("{measured}");
    ExitCode::SUCCESS
}

/// How long something took each time.
#[derive(Debug)]
struct Series {
    what: &'static str,
    took: Vec<Duration>,
    /// When the request that it began with was answered, if that is something else.
    answered: Vec<Duration>,
}

impl Series {
    const fn of(what: &'static str) -> Self {
        Self { what, took: Vec::new(), answered: Vec::new() }
    }

    fn to_json(&self) -> Value {
        let micros =
            |times: &[Duration]| times.iter().map(|it| json_number(it.as_micros())).collect::<Value>();
        serde_json::json!({ "what": self.what, "took": micros(&self.took), "answered": micros(&self.answered) })
    }
}

fn json_number(micros: u128) -> Value {
    u64::try_from(micros).unwrap_or(u64::MAX).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same text as the bench reads in its test.
    #[test]
    fn a_series_is_written_in_microseconds() {
        let series = Series { took: vec![Duration::from_millis(250)], ..Series::of("alone") };
        let read: Value = serde_json::from_str(r#"{"what":"alone","took":[250000],"answered":[]}"#).unwrap();
        assert_eq!(series.to_json(), read);
    }
}
