//! How soon the shop is seen: first contentful paint of `/shop`, as the browser itself notes it
//! (<https://w3c.github.io/paint-timing/#first-contentful-paint>), from the beginning of the navigation.

use std::time::Duration;

use serde_json::{Value, json};
use tests::browser::Browser;

use crate::{Series, WARM_UP};

/// The moment of the first text or picture, in milliseconds since the navigation began.
const PAINTED: &str = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime";

/// Looks at the shop so often, each time with nothing of it kept and then once more with what that left.
pub(crate) fn measure(times: usize) -> Value {
    let mut browser = Browser::wide();
    let (mut first, mut next) = (Series::of("the first visit"), Series::of("the next one"));
    for turn in 0..WARM_UP + times {
        browser.call("Network.clearBrowserCache", &json!({}));
        let (new, known) = (painted(&mut browser), painted(&mut browser));
        if turn >= WARM_UP {
            first.took.push(new);
            next.took.push(known);
        }
    }
    [first, next].iter().map(Series::to_json).collect()
}

/// Comes to the shop from nowhere, waits until all of it is shown, and asks when the first of it was.
fn painted(browser: &mut Browser) -> Duration {
    browser.call("Page.navigate", &json!({ "url": "about:blank" }));
    browser.until("nothing is shown", "location.href === 'about:blank'");
    browser.go("/shop");
    browser.until("the paint is noted", &format!("{PAINTED} !== undefined"));
    Duration::from_secs_f64(browser.eval(PAINTED).as_f64().expect("a time") / 1_000.0)
}
