//! One running function, called as Lambda calls it: this plays the Lambda Runtime API for one process.
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;

/// How long a function may take to start or to answer, on however busy a machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is run as a function: a binary, or Node.js with a bundle.
#[derive(Clone, Debug)]
pub(super) struct Program {
    /// What to execute.
    pub command: PathBuf,
    /// With what.
    pub arguments: Vec<OsString>,
    /// The files that Lambda would unpack.
    pub files: Vec<PathBuf>,
    /// What the template, and Lambda itself, would set.
    pub environment: Vec<(String, String)>,
}

/// A running function.
pub(super) struct Function {
    child: Child,
    events: mpsc::Sender<Bytes>,
    happened: mpsc::UnboundedReceiver<Happening>,
    server: JoinHandle<()>,
    log: PathBuf,
    /// From the start of the process to its first request for an event.
    pub initialisation: Duration,
}

/// What a function answered, and how long it took: from the event's going out to the answer's having come in.
pub(super) struct Answer {
    /// The answer.
    pub body: Bytes,
    /// The time.
    pub took: Duration,
}

enum Happening {
    Polled(Instant),
    Sent(Instant),
    Answered(Instant, Bytes),
    Failed(Bytes),
}

struct Api {
    events: Mutex<mpsc::Receiver<Bytes>>,
    happened: mpsc::UnboundedSender<Happening>,
}

impl Function {
    /// Starts the process and waits until it asks for an event. What it says goes to `log`.
    ///
    /// # Errors
    /// It cannot be started, or ends, or says that it cannot start.
    pub(super) async fn start(program: &Program, log: &Path) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (events, waiting) = mpsc::channel(1);
        let (sender, happened) = mpsc::unbounded_channel();
        let api = Arc::new(Api { events: Mutex::new(waiting), happened: sender });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(error))
            .with_state(api);
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        let output = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = Command::new(&program.command);
        command.args(&program.arguments).env_clear();
        command.envs(program.environment.iter().map(|(name, value)| (name, value)));
        command.env("AWS_LAMBDA_RUNTIME_API", address.to_string());
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let started = Instant::now();
        let child = command.spawn().with_context(|| format!("cannot start {}", program.command.display()))?;
        let mut function =
            Self { child, events, happened, server, log: log.to_owned(), initialisation: Duration::ZERO };
        function.initialisation = match function.next().await? {
            Happening::Polled(at) => at - started,
            Happening::Failed(why) => bail!("it cannot start: {}", String::from_utf8_lossy(&why)),
            Happening::Sent(_) | Happening::Answered(..) => bail!("it answered before it was asked"),
        };
        Ok(function)
    }

    /// Calls it once, and waits until it asks for more.
    ///
    /// # Errors
    /// It fails, ends, or takes longer than anyone would wait.
    pub(super) async fn call(&mut self, event: &Bytes) -> Result<Answer> {
        self.events.send(event.clone()).await.context("the function's server is gone")?;
        let Happening::Sent(sent) = self.next().await? else { bail!("it did not take its event") };
        let (at, body) = match self.next().await? {
            Happening::Answered(at, body) => (at, body),
            Happening::Failed(why) => bail!("it failed: {}", String::from_utf8_lossy(&why)),
            Happening::Sent(_) | Happening::Polled(_) => bail!("it took another event before it answered"),
        };
        let Happening::Polled(_) = self.next().await? else { bail!("it did not ask for more") };
        Ok(Answer { body, took: at - sent })
    }

    async fn next(&mut self) -> Result<Happening> {
        let happening = tokio::time::timeout(PATIENCE, async {
            loop {
                tokio::select! {
                    happening = self.happened.recv() => break happening.context("the function's server is gone"),
                    () = tokio::time::sleep(Duration::from_millis(200)) => {
                        if let Some(status) = self.child.try_wait()? {
                            bail!("it ended: {status}");
                        }
                    }
                }
            }
        });
        let happening = match happening.await {
            Ok(happening) => happening,
            Err(_) => Err(anyhow::anyhow!("nothing came from it in {} s", PATIENCE.as_secs())),
        };
        happening.with_context(|| {
            let said = fs::read_to_string(&self.log).unwrap_or_default();
            let last: Vec<_> = said.lines().rev().take(5).collect();
            format!("{} said: {}", self.log.display(), last.into_iter().rev().collect::<Vec<_>>().join("\n"))
        })
    }

    /// The processor time of all its threads so far.
    ///
    /// # Errors
    /// It is gone, or the kernel keeps no such count (`CONFIG_SCHED_INFO`).
    pub(super) fn cpu(&self) -> Result<Duration> {
        let mut nanos = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            // A thread that has ended meanwhile did so idle.
            let Ok(schedstat) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
            nanos += on_cpu(&schedstat).context("/proc/…/schedstat cannot be read")?;
        }
        Ok(Duration::from_nanos(nanos))
    }

    /// The most memory that it ever had resident, in bytes.
    ///
    /// # Errors
    /// It is gone.
    pub(super) fn peak_memory(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        peak(&status).context("/proc/…/status has no VmHWM")
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.server.abort();
    }
}

/// Nanoseconds on a processor, the first of three numbers.
fn on_cpu(schedstat: &str) -> Option<u64> {
    schedstat.split_whitespace().next()?.parse().ok()
}

/// `VmHWM:      8412 kB`, in bytes.
fn peak(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

async fn next(State(api): State<Arc<Api>>) -> ([(HeaderName, String); 5], Bytes) {
    let _ = api.happened.send(Happening::Polled(Instant::now()));
    let event = api.events.lock().await.recv().await.unwrap_or_default();
    let deadline = jiff::Timestamp::UNIX_EPOCH.as_millisecond() + 4_102_444_800_000;
    let header = |name, value: &str| (HeaderName::from_static(name), value.to_owned());
    let headers = [
        header("content-type", "application/json"),
        header("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
        header("lambda-runtime-deadline-ms", &deadline.to_string()),
        header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:000000000000:function:bench"),
        header("lambda-runtime-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0"),
    ];
    let _ = api.happened.send(Happening::Sent(Instant::now()));
    (headers, event)
}

async fn response(State(api): State<Arc<Api>>, body: Bytes) -> StatusCode {
    let _ = api.happened.send(Happening::Answered(Instant::now(), body));
    StatusCode::ACCEPTED
}

async fn error(State(api): State<Arc<Api>>, body: Bytes) -> StatusCode {
    let _ = api.happened.send(Happening::Failed(body));
    StatusCode::ACCEPTED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_counts_are_read() {
        assert_eq!(on_cpu("223248846 230940641 98\n"), Some(223_248_846));
        assert_eq!(peak("Name:\tx\nVmPeak:\t 9000 kB\nVmHWM:\t    8412 kB\n"), Some(8412 * 1024));
        assert_eq!(peak("Name:\tx\n"), None);
    }
}
