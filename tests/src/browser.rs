//! A browser that a test looks through and types into, by the DevTools protocol: what [`devtools`] has, and what people
//! do. Whatever it cannot do fails the test.
//!
//! Whatever a page says that it should not is kept: errors in the console, exceptions, what the policy refused, and
//! requests to another host than the shop's. [`Browser::is_content`] is asked at the end.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
pub use devtools::{Network, Scheme};
use serde_json::{Value, json};

use crate::shop::Person;

/// More presses of Tab than any page has places to stop at.
const MOST_TABS: usize = 150;

/// A network on which a view says that it is on its way before it is there, which it does after a quarter of a second.
pub const SLOW: Network = Network::Delay(Duration::from_millis(300));

/// A browser with one page.
#[derive(Debug)]
pub struct Browser(devtools::Browser);

/// What the browser gave; where it gave nothing, the test fails.
#[track_caller]
fn given<T>(result: Result<T>) -> T {
    result.unwrap_or_else(|error| panic!("{error:#}"))
}

/// What `cargo local test` has said.
fn told(name: &str) -> PathBuf {
    std::env::var_os(name).unwrap_or_else(|| panic!("{name} names nothing: run `cargo local test`")).into()
}

impl Browser {
    /// Starts one, as wide and as high as this.
    ///
    /// # Panics
    /// When there is none, as all of these functions do when something is not as it should be.
    pub fn open(width: u32, height: u32) -> Self {
        let shop = std::env::var("CARTWRIGHT_URL").expect("a shop");
        let mut browser = given(devtools::Browser::start(&told("CARTWRIGHT_BROWSER"), &shop));
        given(browser.resize(width, height, 1));
        Self(browser)
    }

    /// One of the size of a laptop.
    pub fn wide() -> Self {
        Self::open(1280, 900)
    }

    /// Sends a command, and gives its result.
    #[track_caller]
    pub fn call(&mut self, method: &str, parameters: &Value) -> Value {
        given(self.0.call(method, parameters))
    }

    /// Sends a command whose answer nobody waits for.
    #[track_caller]
    pub fn send(&mut self, method: &str, parameters: &Value) -> u32 {
        given(self.0.send(method, parameters))
    }

    /// Has the page ask over this network from now on.
    pub fn network(&mut self, network: Network) {
        given(self.0.network(network));
    }

    /// Waits for an event that has this in it.
    #[track_caller]
    pub fn event(&mut self, method: &str, has: &str) -> Value {
        given(self.0.event(method, has))
    }

    /// Opens an address of the shop, and waits until its view is shown.
    #[track_caller]
    pub fn go(&mut self, path: &str) {
        given(self.0.go(path));
    }

    /// Waits until a view is shown, and nothing is loaded for it any more.
    #[track_caller]
    pub fn shown(&mut self) {
        given(self.0.shown());
    }

    /// What an expression of JavaScript comes to, in the page.
    #[track_caller]
    pub fn eval(&mut self, expression: &str) -> Value {
        given(self.0.eval(expression))
    }

    /// Waits until an expression is true.
    #[track_caller]
    pub fn until(&mut self, what: &str, expression: &str) {
        given(self.0.until(what, expression));
    }

    /// Waits for so long until an expression is true.
    #[track_caller]
    pub fn within(&mut self, patience: Duration, what: &str, expression: &str) {
        given(self.0.within(patience, what, expression));
    }

    /// Waits until the page says this.
    #[track_caller]
    pub fn says(&mut self, text: &str) {
        let says = format!("document.body?.innerText.includes({})", json!(text));
        if let Err(error) = self.0.until(text, &says) {
            panic!("{error:#} in {}", self.text());
        }
    }

    /// All that the page says.
    pub fn text(&mut self) -> String {
        self.eval("document.body.innerText").as_str().unwrap_or_default().to_owned()
    }

    /// Presses a key: `Tab`, `Enter`, `ArrowDown`, `Escape`, or a space.
    pub fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Tab" => (9, ""),
            "Enter" => (13, "\r"),
            "Escape" => (27, ""),
            " " => (32, " "),
            "ArrowLeft" => (37, ""),
            "ArrowUp" => (38, ""),
            "ArrowRight" => (39, ""),
            "ArrowDown" => (40, ""),
            _ => panic!("no key {key}"),
        };
        let kind = if text.is_empty() { "rawKeyDown" } else { "keyDown" };
        let name = if key == " " { "Space" } else { key };
        let mut down = json!({ "type": kind, "key": key, "code": name, "windowsVirtualKeyCode": code, "nativeVirtualKeyCode": code });
        if !text.is_empty() {
            down["text"] = json!(text);
        }
        self.call("Input.dispatchKeyEvent", &down);
        let up = json!({ "type": "keyUp", "key": key, "code": name, "windowsVirtualKeyCode": code });
        self.call("Input.dispatchKeyEvent", &up);
    }

    /// Types into whatever has the focus.
    pub fn types(&mut self, text: &str) {
        self.call("Input.insertText", &json!({ "text": text }));
    }

    /// Clicks on what a selector means first.
    #[track_caller]
    pub fn clicks(&mut self, selector: &str) {
        let literal = json!(selector).to_string();
        self.until(&format!("there is {selector}"), &format!("document.querySelector({literal})"));
        self.eval(&format!("document.querySelector({literal}).click()"));
    }

    /// Writes into a field, as somebody who types does.
    #[track_caller]
    pub fn writes(&mut self, selector: &str, text: &str) {
        let literal = json!(selector).to_string();
        self.until(&format!("there is {selector}"), &format!("document.querySelector({literal})"));
        self.eval(&format!(
            "(field => {{ field.focus(); field.select?.(); }})(document.querySelector({literal}))"
        ));
        self.types(text);
    }

    /// Presses Tab until what a selector means has the focus, as somebody does who has no mouse.
    #[track_caller]
    pub fn tabs_to(&mut self, selector: &str) {
        let literal = json!(selector).to_string();
        for _ in 0..MOST_TABS {
            self.press("Tab");
            if self.eval(&format!("Boolean(document.activeElement?.matches({literal}))")) == true {
                return;
            }
        }
        panic!("Tab leads nowhere to {selector} in {}", self.text());
    }

    /// Makes the page that of somebody who has signed in, as a reload would.
    #[track_caller]
    pub fn is_signed_in_as(&mut self, person: &Person) {
        given(self.0.take_up(&person.tokens.refresh_token));
    }

    /// Waits until the bell beside the view counts so many unread notifications, a moment after it was told.
    #[track_caller]
    pub fn unread(&mut self, count: u32) {
        let bell = "document.querySelector('.tools a[href=\"/shop/inbox\"] .count-badge')?.textContent";
        self.within(
            Duration::from_secs(10),
            &format!("{count} are unread"),
            &format!("{bell} === '{count}'"),
        );
    }

    /// How far what was shown has moved: cumulative layout shift.
    pub fn moved(&mut self) -> f64 {
        self.eval("window.moved").as_f64().expect("a number")
    }

    /// How wide the page is, which is no more than the window unless something sticks out.
    pub fn width(&mut self) -> u64 {
        self.eval("document.documentElement.scrollWidth").as_u64().expect("a width")
    }

    /// Asserts that everybody can use what is shown, as far as a machine can tell: that no rule of axe-core
    /// (<https://dequeuniversity.com/rules/axe/>) is broken.
    #[track_caller]
    pub fn is_accessible(&mut self, view: &str, schemes: &[Scheme]) {
        let axe = given(script(&told("CARTWRIGHT_AXE")));
        for &scheme in schemes {
            given(self.0.looks(scheme));
            given(self.0.settle());
            // What is right of thousands of elements need not be told.
            let found = given(self.0.eval_apart(
                &axe,
                "axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations.flatMap(rule => \
                 rule.nodes.map(node => `${rule.id} at ${node.target.join(' ')}: ${node.failureSummary}`)))",
            ));
            let faults: Vec<_> = found.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            assert!(faults.is_empty(), "{view} by {}:\n{}", scheme.name(), faults.join("\n"));
        }
        self.call("Emulation.setEmulatedMedia", &json!({ "features": [] }));
    }

    /// Asserts that no page has said, asked for or tried what it should not.
    #[track_caller]
    pub fn is_content(&mut self) {
        let complaints = self.0.complaints();
        assert!(complaints.is_empty(), "{complaints:#?}");
    }
}

/// The views of a page, as its `main.js` names them, that none of these addresses leads to.
///
/// # Panics
/// When there is no such file.
pub fn unseen(script: &str, seen: &[String]) -> Vec<String> {
    let mut unseen = devtools::views(&crate::template::text(script));
    let all = unseen.clone();
    for address in seen {
        let path = address.split(['?', '#']).next().unwrap_or_default();
        let shown = all.iter().find(|pattern| leads_to(pattern, path));
        unseen.retain(|pattern| Some(pattern) != shown);
    }
    unseen
}

/// Whether a path is one of a pattern: `/orders/1` of `/orders/:id`.
fn leads_to(pattern: &str, path: &str) -> bool {
    let parts = |text: &str| -> Vec<String> {
        text.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let (pattern, path) = (parts(pattern), parts(path));
    let fits = |(part, is): (&String, &String)| part.starts_with(':') || part == is;
    pattern.len() == path.len() && pattern.iter().zip(&path).all(fits)
}

/// A script whose value is nothing that has to be passed on.
fn script(path: &Path) -> Result<String> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(format!("{text};0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_seen_where_it_is_the_first_that_an_address_leads_to() {
        let left =
            unseen("functions/pages/site/shop/main.js", &["/stores/mine".into(), "/search?q=tea".into()]);
        for (pattern, is_left) in
            [("/stores/mine", false), ("/stores/:id", true), ("/search", false), ("/", true)]
        {
            assert_eq!(left.iter().any(|one| one == pattern), is_left, "{pattern} of {left:?}");
        }
        assert!(unseen("functions/pages/site/admin/main.js", &[]).len() > 15);
        assert!(
            leads_to("/", "") && leads_to("/orders/:id", "/orders/1") && !leads_to("/orders/:id", "/orders")
        );
    }
}
