//! What becomes of a message that was not dealt with.

use std::fmt;

use aws_sdk_sqs::Client;

use crate::run::aws::{Aws, FromEnv};
use crate::run::config::{self, ConfigError};
use crate::run::telemetry::{self, Calls};

/// Why a message, or an event, was not dealt with. Any error becomes [`Failure::Failed`] by `?`; what can never succeed
/// says so: `.map_err(Failure::Never)?`.
#[derive(Debug)]
pub enum Failure {
    /// It is not its time yet, such as while another function is at it. That is no error; the message comes again. Each
    /// time counts for how often its queue delivers it.
    Later(&'static str),
    /// It would fail as often as it came. It goes to the dead-letter queue at once, and somebody has to look.
    Never(anyhow::Error),
    /// It is not to be, and whoever asked is told so. That is no error of ours.
    Refused(&'static str),
    /// It failed, and may not the next time. It comes again, and ends in the dead-letter queue when that does not help.
    Failed(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Later(reason) | Self::Refused(reason) => f.write_str(reason),
            Self::Never(error) | Self::Failed(error) => error.fmt(f),
        }
    }
}

impl Failure {
    /// Writes the line that ends the work on `what` in the log.
    pub(super) fn log(&self, subject: Option<&str>, calls: &Calls, what: &'static str) {
        let aws_calls = calls.total();
        match self {
            Self::Later(reason) => tracing::info!(subject, aws_calls, reason, "{what} comes again later"),
            Self::Refused(reason) => tracing::warn!(subject, aws_calls, reason, "{what} refused"),
            Self::Never(error) | Self::Failed(error) => {
                tracing::error!(subject, aws_calls, error = format!("{error:#}"), "{what} failed");
            }
        }
    }
}

/// The queue for what can never succeed, from the variable `DEAD_LETTER_QUEUE_URL`. A function without it lets such a
/// message fail until its own queue puts it there.
#[derive(Debug, Clone)]
pub(super) struct DeadLetters(Option<Queue>);

#[derive(Debug, Clone)]
struct Queue {
    client: Client,
    url: String,
}

impl FromEnv for DeadLetters {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        let url = config::optional("DEAD_LETTER_QUEUE_URL")?;
        Ok(Self(url.map(|url| Queue { client: Client::new(aws.sdk()), url })))
    }
}

impl DeadLetters {
    /// Puts `letter` into the queue if what it asks for can never be done, and so is done with it. Everything else
    /// stays what it is.
    pub(super) async fn take_if_never(
        &self,
        done: Result<(), Failure>,
        letter: String,
    ) -> Result<(), Failure> {
        let (error, queue) = match (done, &self.0) {
            (Err(Failure::Never(error)), Some(queue)) => (error, queue),
            (done, _) => return done,
        };
        let send = queue.client.send_message().queue_url(&queue.url).message_body(letter).send().await;
        if let Err(not_taken) = send {
            let not_taken = anyhow::Error::from(not_taken).context("put it into the dead-letter queue");
            return Err(Failure::Failed(not_taken.context(format!("{error:#}"))));
        }
        tracing::error!(error = format!("{error:#}"), "given up: it is in the dead-letter queue");
        telemetry::count("GivenUp", 1);
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::run::aws::canned::{self, Asked};
    use anyhow::Context;
    use serde_json::{Value, json};
    use std::io::Read;
    use std::sync::Arc;

    /// A dead-letter queue that answers with this status, and what it is asked.
    pub(in crate::run::worker) fn queue(status: u16) -> (DeadLetters, Asked) {
        let (sdk, asked) = canned::answering(status, &json!({ "MessageId": "1" }));
        let queue = Queue { client: Client::new(&sdk), url: "https://sqs/dead".into() };
        (DeadLetters(Some(queue)), asked)
    }

    /// No such queue.
    pub(in crate::run::worker) fn no_queue() -> DeadLetters {
        DeadLetters(None)
    }

    #[test]
    fn an_error_may_pass_unless_it_says_otherwise() {
        fn read(text: &str) -> Result<u32, Failure> {
            Ok(text.parse()?)
        }
        fn find(found: Option<u32>) -> Result<u32, Failure> {
            found.context("there is none").map_err(Failure::Never)
        }
        assert!(matches!(read("x"), Err(Failure::Failed(_))));
        assert!(matches!(find(None), Err(Failure::Never(_))));
    }

    /// The line that this leaves in the log.
    fn line(failure: &Failure) -> Value {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let log = tracing_subscriber::fmt().json().with_writer(Arc::new(writer)).finish();
        tracing::subscriber::with_default(log, || {
            failure.log(Some("things/1"), &Calls::default(), "message");
        });
        let mut said = String::new();
        reader.read_to_string(&mut said).unwrap();
        serde_json::from_str(&said).unwrap()
    }

    #[test]
    fn what_another_is_at_is_no_error_in_the_log_and_what_failed_is() {
        let busy = line(&Failure::Later("another try is at it"));
        assert_eq!(
            (&busy["level"], &busy["fields"]["reason"]),
            (&json!("INFO"), &json!("another try is at it"))
        );
        assert_eq!(line(&Failure::Refused("not to be"))["level"], "WARN");
        for failed in
            [Failure::Never(anyhow::anyhow!("as asked")), Failure::Failed(anyhow::anyhow!("as asked"))]
        {
            let failed = line(&failed);
            assert_eq!((&failed["level"], &failed["fields"]["error"]), (&json!("ERROR"), &json!("as asked")));
        }
    }
}
