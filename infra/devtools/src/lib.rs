//! A browser by the DevTools protocol (<https://chromedevtools.github.io/devtools-protocol/>), spoken over two pipes: no
//! port, and no library. The tests look through it, and `cargo local screenshots` takes its pictures with it.
//!
//! Whatever a page says that it should not is kept as a [complaint](Browser::complaints): errors in the console,
//! exceptions, what the policy refused, requests and sockets to another host than the shop's.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use serde_json::{Value, json};

/// Longer than a page takes on a slow machine that also runs all other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// As high as a picture of a whole page is at most, in pixels of CSS.
const HIGHEST: f64 = 8_000.0;

/// What the browser says of a page that was left while it was asked something.
const LEFT: [&str; 3] = [
    "Inspected target navigated or closed",
    "Execution context was destroyed",
    "Cannot find default execution context",
];

/// Of which time of day a page is to look (`prefers-color-scheme`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Dark words on a light ground.
    Day,
    /// The reverse.
    Night,
}

impl Scheme {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Day, Self::Night];

    /// What it is called in the names of files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Night => "night",
        }
    }
}

/// What is between a page and the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// Nothing: no request gets through.
    Offline,
    /// A way that delays each answer by so much.
    Delay(Duration),
}

/// What a picture has in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame {
    /// What somebody sees who has not scrolled.
    Window,
    /// The page from its top to its bottom.
    Whole,
}

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
    /// Starts a browser for the shop at this URL.
    ///
    /// # Errors
    /// It does not start, or does not answer.
    pub fn start(program: &Path, shop: &str) -> Result<Self> {
        let profile = std::env::temp_dir().join(format!("cartwright-browser-{}", uuid::Uuid::now_v7()));
        let mut process = Command::new("sh")
            // It reads commands from its third pipe and writes answers to its fourth.
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null"])
            .arg(program)
            // It opens pages of one shop alone; as root there is no sandbox to be had.
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
            ])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-default-apps"])
            .args(["--remote-debugging-pipe", "--hide-scrollbars", "--lang=en"])
            .arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1")
            .arg(format!("--user-data-dir={}", profile.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let (input, output) =
            process.stdin.take().zip(process.stdout.take()).context("the browser has no pipes")?;
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
            shop: shop.trim_end_matches('/').to_owned(),
            profile,
            complaints: Vec::new(),
        };
        let target = this.call("Target.createTarget", &json!({ "url": "about:blank" }))?;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = this.call("Target.attachToTarget", &attach)?;
        attached["sessionId"].as_str().context("no session with the page")?.clone_into(&mut this.session);
        for domain in ["Page", "Runtime", "Log", "Network", "Audits"] {
            this.call(&format!("{domain}.enable"), &json!({}))?;
        }
        // How far what was shown has moved, which a page can only be asked from its beginning on.
        let source = "window.moved = 0; new PerformanceObserver(list => { for (const one of list.getEntries()) \
                      if (!one.hadRecentInput) window.moved += one.value; }).observe({ type: 'layout-shift', buffered: true });";
        this.call("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": source }))?;
        Ok(this)
    }

    /// Makes the window as large as this, in pixels of CSS, each of which is `scale` pixels of a picture.
    ///
    /// # Errors
    /// See [`Browser::call`]; so it is of all that follows.
    pub fn resize(&mut self, width: u32, height: u32, scale: u32) -> Result<()> {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", &size).map(drop)
    }

    /// Has pages look as by day or by night, and move nothing that is not asked to.
    ///
    /// # Errors
    /// See [`Browser::call`].
    pub fn looks(&mut self, scheme: Scheme) -> Result<()> {
        let colours = if scheme == Scheme::Night { "dark" } else { "light" };
        let features = json!([
            { "name": "prefers-color-scheme", "value": colours },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        self.call("Emulation.setEmulatedMedia", &json!({ "features": features })).map(drop)
    }

    /// Sends a command, and gives its result.
    ///
    /// # Errors
    /// The browser has ended, does not answer in a minute, or refuses.
    pub fn call(&mut self, method: &str, parameters: &Value) -> Result<Value> {
        let id = self.send(method, parameters)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let message = self.next(deadline)?.with_context(|| format!("{method} is not answered"))?;
            if message["id"] == id {
                ensure!(message["error"].is_null(), "{method} {parameters}: {}", message["error"]);
                return Ok(message["result"].clone());
            }
            self.keep(message);
        }
    }

    /// Sends a command whose answer nobody waits for.
    ///
    /// # Errors
    /// The browser has ended.
    pub fn send(&mut self, method: &str, parameters: &Value) -> Result<u32> {
        self.calls += 1;
        let mut message = json!({ "id": self.calls, "method": method, "params": parameters });
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.input.write_all(&bytes).context("the browser has ended")?;
        Ok(self.calls)
    }

    fn next(&self, deadline: Instant) -> Result<Option<Value>> {
        match self.messages.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(message) => Ok(Some(message)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => bail!("the browser has ended"),
        }
    }

    fn keep(&mut self, event: Value) {
        self.complaints.extend(complaint(&event));
        self.events.push_back(event);
    }

    /// Has a page asked over this network from now on.
    ///
    /// # Errors
    /// See [`Browser::call`].
    pub fn network(&mut self, network: Network) -> Result<()> {
        let (offline, latency) = match network {
            Network::Offline => (true, 0),
            Network::Delay(latency) => (false, latency.as_millis()),
        };
        let conditions = json!({ "offline": offline, "latency": latency, "downloadThroughput": -1, "uploadThroughput": -1 });
        self.call("Network.emulateNetworkConditions", &conditions).map(drop)
    }

    /// Waits for an event that has this in it, and gives what it tells.
    ///
    /// # Errors
    /// It does not come in a minute.
    pub fn event(&mut self, method: &str, has: &str) -> Result<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let is_it =
                |event: &Value| event["method"] == method && event["params"].to_string().contains(has);
            if let Some(at) = self.events.iter().position(is_it) {
                let event = self.events.remove(at).unwrap_or_default();
                return Ok(event["params"].clone());
            }
            let message = self.next(deadline)?.with_context(|| format!("no {method} with {has}"))?;
            self.keep(message);
        }
    }

    /// Opens an address of the shop, and waits until its view is shown.
    ///
    /// # Errors
    /// It is not shown in a minute.
    pub fn go(&mut self, path: &str) -> Result<()> {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.shop) };
        // What is shown now is not it: an admin's view behind another # is one of the same page. A page that is going
        // away anyway cannot be told.
        let mark = "document.querySelector('main h1')?.setAttribute('data-before', ''); location.href";
        let here = self.call("Runtime.evaluate", &json!({ "expression": mark })).unwrap_or_default();
        if here["result"]["value"] == url {
            self.call("Page.reload", &json!({}))?;
        } else {
            let navigated = self.call("Page.navigate", &json!({ "url": url }))?;
            if navigated["loaderId"].is_null() && !url.contains("/admin#") {
                self.eval("document.querySelector('main h1')?.removeAttribute('data-before')")?;
            }
        }
        self.shown()
    }

    /// Waits until a view is shown, and nothing is loaded for it any more.
    ///
    /// # Errors
    /// It is not so in a minute.
    pub fn shown(&mut self) -> Result<()> {
        self.until(
            "a view is shown",
            "document.readyState === 'complete' && document.querySelector('main h1, main form') !== null \
             && !document.querySelector('main[aria-busy], main h1[data-before]')",
        )
    }

    /// What an expression of JavaScript comes to, in the page.
    ///
    /// # Errors
    /// It throws.
    pub fn eval(&mut self, expression: &str) -> Result<Value> {
        self.evaluate(expression, &json!({}))
    }

    /// The same in a world of its own, which sees the page and is not seen by it, and to which the page's policy says
    /// nothing; `script` is run there first.
    ///
    /// # Errors
    /// One of them throws.
    pub fn eval_apart(&mut self, script: &str, expression: &str) -> Result<Value> {
        let frame = self.call("Page.getFrameTree", &json!({}))?["frameTree"]["frame"]["id"].clone();
        let world = json!({ "frameId": frame, "worldName": "apart" });
        let world = self.call("Page.createIsolatedWorld", &world)?["executionContextId"].clone();
        let run = self.call("Runtime.evaluate", &json!({ "expression": script, "contextId": world }))?;
        ensure!(run["exceptionDetails"].is_null(), "the script: {}", run["exceptionDetails"]);
        self.evaluate(expression, &json!({ "contextId": world }))
    }

    fn evaluate(&mut self, expression: &str, context: &Value) -> Result<Value> {
        let mut asked = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        if !context["contextId"].is_null() {
            asked["contextId"] = context["contextId"].clone();
        }
        let result = self.call("Runtime.evaluate", &asked)?;
        ensure!(result["exceptionDetails"].is_null(), "{expression}: {}", result["exceptionDetails"]);
        Ok(result["result"]["value"].clone())
    }

    /// Waits until an expression is true.
    ///
    /// # Errors
    /// It is not in a minute.
    pub fn until(&mut self, what: &str, expression: &str) -> Result<()> {
        self.within(PATIENCE, what, expression)
    }

    /// Waits for so long until an expression is true.
    ///
    /// # Errors
    /// It is not by then.
    pub fn within(&mut self, patience: Duration, what: &str, expression: &str) -> Result<()> {
        let deadline = Instant::now() + patience;
        let asked = json!({ "expression": format!("Boolean({expression})"), "returnByValue": true });
        loop {
            match self.call("Runtime.evaluate", &asked) {
                Ok(found) if found["result"]["value"] == true => return Ok(()),
                // A page that is going away cannot be asked; the next one can.
                Err(error) if !LEFT.iter().any(|words| error.to_string().contains(words)) => {
                    return Err(error);
                }
                Ok(_) | Err(_) => {}
            }
            ensure!(Instant::now() < deadline, "still not so: {what} ({expression})");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until what is shown has its colours, and what is in sight its pictures.
    ///
    /// # Errors
    /// The page has gone.
    pub fn settle(&mut self) -> Result<()> {
        self.eval(
            "(async () => {
                const frame = () => new Promise(done => requestAnimationFrame(done));
                await frame();
                await frame();
                const ends = animation => animation.effect.getComputedTiming().endTime < 5_000;
                const movements = document.getAnimations().filter(ends).map(one => one.finished.catch(() => {}));
                const isSeen = ({ top, bottom }) => bottom >= 0 && top <= innerHeight;
                const pictures = [...document.images]
                    .filter(one => one.loading !== 'lazy' || isSeen(one.getBoundingClientRect()))
                    .map(one => one.decode().catch(() => {}));
                const late = new Promise(done => setTimeout(done, 10_000));
                await Promise.race([late, Promise.all([...movements, ...pictures])]);
                await frame();
            })()",
        )
        .map(drop)
    }

    /// A picture of the page, as WebP of this quality out of 100.
    ///
    /// # Errors
    /// The page has gone.
    pub fn picture(&mut self, frame: Frame, quality: u8) -> Result<Vec<u8>> {
        let mut asked = json!({ "format": "webp", "quality": quality });
        if frame == Frame::Whole {
            // What is below comes when somebody scrolls there.
            self.eval("for (const one of document.images) one.loading = 'eager'")?;
            let size = self.call("Page.getLayoutMetrics", &json!({}))?["cssContentSize"].clone();
            let height = size["height"].as_f64().context("a page has a height")?.min(HIGHEST);
            asked["captureBeyondViewport"] = json!(true);
            asked["clip"] = json!({ "x": 0, "y": 0, "width": size["width"], "height": height, "scale": 1 });
        }
        self.settle()?;
        let taken = self.call("Page.captureScreenshot", &asked)?;
        let data = taken["data"].as_str().context("no picture")?;
        base64::engine::general_purpose::STANDARD.decode(data).context("no picture")
    }

    /// Makes the page that of whoever has this refresh token, as a reload would.
    ///
    /// # Errors
    /// The shop's pages do not come.
    pub fn take_up(&mut self, refresh_token: &str) -> Result<()> {
        let kept = json!({ "refresh": refresh_token, "username": null }).to_string();
        self.go("/shop/imprint")?;
        self.eval(&format!("sessionStorage.setItem('cartwright.session', {})", json!(kept))).map(drop)
    }

    /// What the pages have said, asked for or tried that they should not.
    pub fn complaints(&mut self) -> &[String] {
        while let Ok(message) = self.messages.try_recv() {
            self.keep(message);
        }
        &self.complaints
    }
}

/// The views of one of the shop's pages, as its `main.js` names them: `/orders/:id`.
pub fn views(script: &str) -> Vec<String> {
    let routes = script.lines().filter(|line| line.contains(", from("));
    routes.filter_map(|line| Some(line.trim().strip_prefix("[\"")?.split('"').next()?.to_owned())).collect()
}

/// What an event tells that should not be.
fn complaint(event: &Value) -> Option<String> {
    let told = &event["params"];
    match event["method"].as_str().unwrap_or_default() {
        "Runtime.exceptionThrown" => Some(told["exceptionDetails"].to_string()),
        "Runtime.consoleAPICalled" if told["type"] == "error" => Some(told["args"].to_string()),
        // That an answer was 404 is the page's to tell, and no fault of it.
        "Log.entryAdded" if told["entry"]["level"] == "error" && told["entry"]["source"] != "network" => {
            Some(told["entry"]["text"].to_string())
        }
        "Audits.issueAdded" if told["issue"]["code"] == "ContentSecurityPolicyIssue" => {
            Some(told["issue"]["details"].to_string())
        }
        "Network.requestWillBeSent" => elsewhere(&told["request"]["url"]),
        "Network.webSocketCreated" => elsewhere(&told["url"]),
        _ => None,
    }
}

fn elsewhere(url: &Value) -> Option<String> {
    const HERE: [&str; 6] =
        ["http://localhost:", "http://127.0.0.1:", "ws://localhost:", "ws://127.0.0.1:", "data:", "blob:"];
    let url = url.as_str().unwrap_or_default();
    (!HERE.iter().any(|start| url.starts_with(start))).then(|| format!("a request to {url}"))
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It ends itself when told so; its helpers go with it.
        let _ = self.send("Browser.close", &json!({}));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn event(method: &str, told: &Value) -> Value {
        json!({ "method": method, "params": told })
    }

    #[test]
    fn a_request_or_a_socket_to_another_host_is_a_complaint() {
        let request = |url: &str| event("Network.requestWillBeSent", &json!({ "request": { "url": url } }));
        let socket = |url: &str| event("Network.webSocketCreated", &json!({ "url": url }));
        for fine in ["http://localhost:3000/shop", "data:image/png;base64,", "blob:http://localhost:3000/1"] {
            assert_eq!(complaint(&request(fine)), None, "{fine}");
        }
        assert_eq!(complaint(&socket("ws://localhost:3000/socket?ticket=x")), None);
        let told = complaint(&request("https://fonts.example/a.woff2"));
        assert_eq!(told.as_deref(), Some("a request to https://fonts.example/a.woff2"));
        assert!(complaint(&socket("wss://push.example/")).is_some());
    }

    #[test]
    fn what_the_policy_refused_and_what_was_thrown_are_complaints_and_an_answer_is_none() {
        let refused = json!({ "issue": { "code": "ContentSecurityPolicyIssue", "details": "img-src" } });
        assert!(complaint(&event("Audits.issueAdded", &refused)).is_some());
        let other = json!({ "issue": { "code": "GenericIssue", "details": "a form" } });
        assert_eq!(complaint(&event("Audits.issueAdded", &other)), None);
        assert!(complaint(&event("Runtime.exceptionThrown", &json!({ "exceptionDetails": "x" }))).is_some());
        let entry = |source: &str| json!({ "entry": { "level": "error", "source": source, "text": "404 (Not Found)" } });
        assert_eq!(complaint(&event("Log.entryAdded", &entry("network"))), None);
        assert!(complaint(&event("Log.entryAdded", &entry("security"))).is_some());
    }

    #[test]
    fn a_script_names_its_views_and_what_else_has_a_path_is_none() {
        let script = "const routes = [\n  [\"/\", from(\"./home.js\")],\n  [\"/orders/:id\", from(\"orders\", \"order\")],\n\
                      ];\nconst PLACES = [\n  [\"/orders\", \"orders\", \"box\"],\n];";
        assert_eq!(views(script), ["/", "/orders/:id"]);
    }

    mod in_a_browser {
        use super::*;

        /// A page whose policy is that of the shop's: it may not run what it did not bring.
        const PAGE: &str = "data:text/html,<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; \
                            require-trusted-types-for 'script'; trusted-types 'none'\"><body><main><h1>Tea</h1></main>";

        #[test]
        fn a_page_is_asked_from_outside_whatever_its_policy_and_gives_a_picture() {
            let program = std::env::var("CARTWRIGHT_BROWSER");
            let program = program.expect("CARTWRIGHT_BROWSER names no browser: run `cargo local test`");
            let mut browser = Browser::start(Path::new(&program), "http://localhost:1").unwrap();
            browser.resize(320, 200, 1).unwrap();
            browser.looks(Scheme::Night).unwrap();
            browser.call("Page.navigate", &json!({ "url": PAGE })).unwrap();
            browser.shown().unwrap();
            assert_eq!(browser.eval("matchMedia('(prefers-color-scheme: dark)').matches").unwrap(), true);
            let told = browser.eval_apart(
                "globalThis.apart = 'seen'",
                "apart + ' ' + document.querySelector('h1').textContent",
            );
            assert_eq!(told.unwrap(), "seen Tea");
            assert_eq!(browser.eval("typeof apart").unwrap(), "undefined");
            assert_eq!(&browser.picture(Frame::Whole, 50).unwrap()[..4], b"RIFF");
            assert_eq!(browser.complaints(), [] as [String; 0]);
        }
    }
}
