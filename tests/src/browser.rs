//! A browser that a test looks through and types into, over the DevTools protocol
//! (<https://chromedevtools.github.io/devtools-protocol/>), which it speaks over two pipes: no port, and no library.
//!
//! Whatever a page says that it should not is kept: errors in the console, exceptions, what the policy refused, and
//! requests to another host than the shop's. [`Browser::is_content`] is asked at the end.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::shop::Person;

/// Longer than a page takes on a slow machine that also runs all other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// More presses of Tab than any page has places to stop at.
const MOST_TABS: usize = 150;

/// A browser with one page.
#[derive(Debug)]
pub struct Browser {
    process: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    events: VecDeque<Value>,
    calls: u32,
    session: String,
    shop: String,
    profile: PathBuf,
    complaints: Vec<String>,
}

impl Browser {
    /// Starts one, as wide and as high as this.
    ///
    /// # Panics
    /// When there is none, as all of these functions do when something is not as it should be.
    pub fn open(width: u32, height: u32) -> Self {
        let browser = std::env::var("CARTWRIGHT_BROWSER");
        let browser = browser.expect("CARTWRIGHT_BROWSER names no browser: run `cargo local test`");
        let shop = std::env::var("CARTWRIGHT_URL").expect("a shop").trim_end_matches('/').to_owned();
        let profile = std::env::temp_dir().join(format!("cartwright-browser-{}", uuid::Uuid::now_v7()));
        let mut process = Command::new("sh")
            // It reads commands from its third pipe and writes answers to its fourth.
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null"])
            .arg(browser)
            // It opens pages of this test alone; as root there is no sandbox to be had.
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
            ])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-default-apps"])
            .args(["--remote-debugging-pipe", "--hide-scrollbars", "--lang=en"])
            .arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost")
            .arg(format!("--user-data-dir={}", profile.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the browser starts");
        let (input, output) = (process.stdin.take().expect("a pipe"), process.stdout.take().expect("a pipe"));
        let (tell, messages) = channel();
        thread::spawn(move || {
            for message in BufReader::new(output).split(0).map_while(Result::ok) {
                let Ok(message) = serde_json::from_slice(&message) else { continue };
                if tell.send(message).is_err() {
                    break;
                }
            }
        });
        let mut this = Self {
            process,
            input,
            messages,
            events: VecDeque::new(),
            calls: 0,
            session: String::new(),
            shop,
            profile,
            complaints: Vec::new(),
        };
        let target = this.call("Target.createTarget", &json!({ "url": "about:blank" }));
        let attached =
            this.call("Target.attachToTarget", &json!({ "targetId": target["targetId"], "flatten": true }));
        this.session = attached["sessionId"].as_str().expect("a session").to_owned();
        for domain in ["Page", "Runtime", "Log", "Network", "Audits"] {
            this.call(&format!("{domain}.enable"), &json!({}));
        }
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        this.call("Emulation.setDeviceMetricsOverride", &size);
        // How far what was shown has moved, which a page can only be asked from its beginning on.
        let source = "window.moved = 0; new PerformanceObserver(list => { for (const one of list.getEntries()) \
                      if (!one.hadRecentInput) window.moved += one.value; }).observe({ type: 'layout-shift', buffered: true });";
        this.call("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": source }));
        this
    }

    /// One of the size of a laptop.
    pub fn wide() -> Self {
        Self::open(1280, 900)
    }

    /// Sends a command, and gives its result.
    pub fn call(&mut self, method: &str, parameters: &Value) -> Value {
        let id = self.send(method, parameters);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let message = self.next(deadline).unwrap_or_else(|| panic!("{method} is not answered"));
            if message["id"] == id {
                assert!(message["error"].is_null(), "{method} {parameters}: {}", message["error"]);
                return message["result"].clone();
            }
            self.keep(message);
        }
    }

    /// Sends a command whose answer nobody waits for.
    pub fn send(&mut self, method: &str, parameters: &Value) -> u32 {
        self.calls += 1;
        let mut message = json!({ "id": self.calls, "method": method, "params": parameters });
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.input.write_all(&bytes).expect("the browser listens");
        self.calls
    }

    fn next(&self, deadline: Instant) -> Option<Value> {
        match self.messages.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => panic!("the browser has ended"),
        }
    }

    fn keep(&mut self, event: Value) {
        let told = &event["params"];
        match event["method"].as_str().unwrap_or_default() {
            "Runtime.exceptionThrown" => self.complaints.push(told["exceptionDetails"].to_string()),
            "Runtime.consoleAPICalled" if told["type"] == "error" => {
                self.complaints.push(told["args"].to_string());
            }
            // That an answer was 404 is the page's to tell, and no fault of it.
            "Log.entryAdded" if told["entry"]["level"] == "error" && told["entry"]["source"] != "network" => {
                self.complaints.push(told["entry"]["text"].to_string());
            }
            "Audits.issueAdded" if told["issue"]["code"] == "ContentSecurityPolicyIssue" => {
                self.complaints.push(told["issue"]["details"].to_string());
            }
            "Network.requestWillBeSent" => {
                let url = told["request"]["url"].as_str().unwrap_or_default();
                let is_ours = ["http://localhost:", "http://127.0.0.1:", "data:", "blob:"]
                    .iter()
                    .any(|start| url.starts_with(start));
                if !is_ours {
                    self.complaints.push(format!("a request to {url}"));
                }
            }
            _ => {}
        }
        self.events.push_back(event);
    }

    /// Waits for an event that has this in it.
    pub fn event(&mut self, method: &str, has: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let is_it =
                |event: &Value| event["method"] == method && event["params"].to_string().contains(has);
            if let Some(at) = self.events.iter().position(is_it) {
                return self.events.remove(at).expect("just found")["params"].clone();
            }
            let message = self.next(deadline).unwrap_or_else(|| panic!("no {method} with {has}"));
            self.keep(message);
        }
    }

    /// Opens an address of the shop, and waits until its view is shown.
    pub fn go(&mut self, path: &str) {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.shop) };
        self.call("Page.navigate", &json!({ "url": url }));
        self.shown();
    }

    /// Waits until a view is shown, and nothing is loaded for it any more.
    pub fn shown(&mut self) {
        self.until(
            "a view is shown",
            "document.readyState === 'complete' && document.querySelector('main h1, main form') !== null \
             && !document.querySelector('main[aria-busy]')",
        );
    }

    /// What an expression of JavaScript comes to, in the page.
    pub fn eval(&mut self, expression: &str) -> Value {
        let asked = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let result = self.call("Runtime.evaluate", &asked);
        assert!(result["exceptionDetails"].is_null(), "{expression}: {}", result["exceptionDetails"]);
        result["result"]["value"].clone()
    }

    /// Waits until an expression is true.
    pub fn until(&mut self, what: &str, expression: &str) {
        let deadline = Instant::now() + PATIENCE;
        // A page that is going away cannot be asked.
        let asked = json!({ "expression": format!("Boolean({expression})"), "returnByValue": true });
        while self.call("Runtime.evaluate", &asked)["result"]["value"] != true {
            assert!(Instant::now() < deadline, "still not so: {what} ({expression})");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until the page says this.
    pub fn says(&mut self, text: &str) {
        let literal = json!(text).to_string();
        let deadline = Instant::now() + PATIENCE;
        while self.eval(&format!("document.body.innerText.includes({literal})")) != true {
            assert!(Instant::now() < deadline, "{text} is not in {}", self.text());
            thread::sleep(Duration::from_millis(50));
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
    pub fn clicks(&mut self, selector: &str) {
        let literal = json!(selector).to_string();
        self.until(&format!("there is {selector}"), &format!("document.querySelector({literal})"));
        self.eval(&format!("document.querySelector({literal}).click()"));
    }

    /// Writes into a field, as somebody who types does.
    pub fn writes(&mut self, selector: &str, text: &str) {
        let literal = json!(selector).to_string();
        self.until(&format!("there is {selector}"), &format!("document.querySelector({literal})"));
        self.eval(&format!(
            "(field => {{ field.focus(); field.select?.(); }})(document.querySelector({literal}))"
        ));
        self.types(text);
    }

    /// Presses Tab until what a selector means has the focus, as somebody does who has no mouse.
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
    pub fn is_signed_in_as(&mut self, person: &Person) {
        let kept = json!({ "refresh": person.tokens.refresh_token, "username": null }).to_string();
        self.go("/shop/imprint");
        self.eval(&format!("sessionStorage.setItem('cartwright.session', {})", json!(kept)));
    }

    /// How far what was shown has moved: cumulative layout shift.
    pub fn moved(&mut self) -> f64 {
        self.eval("window.moved").as_f64().expect("a number")
    }

    /// How wide the page is, which is no more than the window unless something sticks out.
    pub fn width(&mut self) -> u64 {
        self.eval("document.documentElement.scrollWidth").as_u64().expect("a width")
    }

    /// Asserts that no page has said, asked for or tried what it should not.
    pub fn is_content(&mut self) {
        while let Ok(message) = self.messages.try_recv() {
            self.keep(message);
        }
        assert!(self.complaints.is_empty(), "{:#?}", self.complaints);
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It ends itself when told so; its helpers go with it.
        self.send("Browser.close", &json!({}));
        for _ in 0..50 {
            if self.process.try_wait().is_ok_and(|ended| ended.is_some()) {
                break;
            }
            thread::sleep(Duration::from_millis(100));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}
