//! Waiting for what happens in the background, and doing many things at once.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// Longer than anything takes on a slow machine that also runs all other tests.
const PATIENCE: Duration = Duration::from_secs(90);

/// Tries again and again until there is something.
///
/// # Panics
/// When there is nothing after a minute and a half.
pub async fn eventually<T>(what: &str, mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = attempt().await {
            return found;
        }
        assert!(Instant::now() < deadline, "after {} seconds still not so: {what}", PATIENCE.as_secs());
        sleep(Duration::from_millis(150)).await;
    }
}

/// Time enough for what must not happen to happen.
pub async fn a_while() {
    sleep(Duration::from_secs(3)).await;
}

/// How many things are under way at the same moment. The emulator answers one call after another, and a function gives
/// a call up after 4.5 seconds, so more of them than this end in time-outs on a slow machine that runs other tests as
/// well.
const AT_ONCE: usize = 24;

/// Does something many times, up to two dozen at the same moment; the results are in the order of the numbers.
///
/// # Panics
/// When one of them does.
pub async fn at_once<T, F>(times: usize, mut action: impl FnMut(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    let places = Arc::new(Semaphore::new(AT_ONCE));
    for number in 0..times {
        let (action, places) = (action(number), places.clone());
        tasks.spawn(async move {
            let _place = places.acquire().await.expect("nobody closes it");
            (number, action.await)
        });
    }
    let mut results = tasks.join_all().await;
    results.sort_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn results_come_in_order() {
        let results = at_once(3, async |number| number * 10).await;
        assert_eq!(results, [0, 10, 20]);
    }
}
