//! What the terminal shows: steps with their time, notes, errors. Progress goes to standard error, results to standard
//! output.

use std::future::Future;
use std::io::{IsTerminal, Write, stderr, stdout};
use std::time::{Duration, Instant};

use anyhow::Result;

/// Runs a step under its name: a clock that ticks while it lasts, then a tick or a cross with the time it took.
///
/// # Errors
/// The step's own.
pub async fn step<T>(name: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    show(name, stderr().is_terminal(), work).await
}

/// The same for a step beside others that write to the terminal: without the clock.
///
/// # Errors
/// The step's own.
pub(crate) async fn step_beside<T>(name: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    note(name);
    show(name, false, work).await
}

async fn show<T>(name: &str, live: bool, work: impl Future<Output = Result<T>>) -> Result<T> {
    let started = Instant::now();
    tokio::pin!(work);
    let mut clock = tokio::time::interval(Duration::from_secs(1));
    let outcome = loop {
        tokio::select! {
            outcome = &mut work => break outcome,
            _ = clock.tick(), if live => {
                eprint!("\r\x1b[2K  {name} … {}", seconds(started.elapsed()));
                let _ = stderr().flush();
            }
        }
    };
    if live {
        eprint!("\r\x1b[2K");
    }
    let mark = if outcome.is_ok() { paint("32", "✓") } else { paint("31", "✗") };
    eprintln!("{mark} {name} {}", paint("2", &seconds(started.elapsed())));
    outcome
}

/// A line about what happens next, for work that shows its own progress.
pub fn note(text: &str) {
    eprintln!("{} {text}", paint("36", "•"));
}

/// Something is odd, but it goes on.
pub(crate) fn warning(text: &str) {
    eprintln!("{} {text}", paint("33", "!"));
}

/// Why the command ends, in one line.
pub fn error(text: &str) {
    eprintln!("{} {text}", paint("31;1", "error:"));
}

/// A line of a result. Whoever reads may stop in the middle, as `head` does: then this program ends as well.
pub fn line(text: &str) {
    if writeln!(stdout(), "{text}").is_err() {
        std::process::exit(0);
    }
}

/// `println!` for results: see [`line`](crate::say::line).
#[macro_export]
macro_rules! out {
    ($($text:tt)*) => { $crate::say::line(&format!($($text)*)) };
}
pub use crate::out;

/// Text in a colour (an ANSI code), where somebody can see it.
pub(crate) fn paint(code: &str, text: &str) -> String {
    if stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        format!("\x1b[{code}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

/// A duration as people say it: `0.4 s`, `12 s`, `3 min 5 s`.
pub fn seconds(duration: Duration) -> String {
    let whole = duration.as_secs();
    match whole {
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        10..60 => format!("{whole} s"),
        _ => format!("{} min {} s", whole / 60, whole % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_say_them() {
        assert_eq!(seconds(Duration::from_millis(420)), "0.4 s");
        assert_eq!(seconds(Duration::from_millis(12_900)), "12 s");
        assert_eq!(seconds(Duration::from_secs(185)), "3 min 5 s");
    }
}
