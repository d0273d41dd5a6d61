//! What goes wrong in the next call of the API.

use serde::{Deserialize, Serialize};

use super::books::Books;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mishap {
    /// It takes effect, and the connection ends without an answer.
    AnswerLost,
    /// It takes effect, and the answer comes late.
    Slow,
    /// It fails before anything happens; another try may do.
    #[serde(rename = "500")]
    Failed,
    /// It fails, and the failure is kept under the request's `Idempotency-Key`.
    #[serde(rename = "500-kept")]
    FailedForGood,
    /// There were too many requests.
    #[serde(rename = "429")]
    TooMany,
    /// Another request with the key is being worked on.
    #[serde(rename = "409")]
    InUse,
    /// Nobody takes the request, and nothing happens.
    ConnectionRefused,
    /// The refund that it makes waits for its bank.
    RefundPending,
}

/// Everything that can go wrong.
#[cfg(test)]
pub(crate) const ALL: [Mishap; 8] = [
    Mishap::AnswerLost,
    Mishap::Slow,
    Mishap::Failed,
    Mishap::FailedForGood,
    Mishap::TooMany,
    Mishap::InUse,
    Mishap::ConnectionRefused,
    Mishap::RefundPending,
];

/// What goes wrong, and in which calls.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    /// What goes wrong.
    pub fault: Mishap,
    /// In calls about this alone: an id of Stripe's, or one of the shop's in metadata.
    #[serde(default)]
    pub of: Option<String>,
    /// In this call alone: `POST /v1/refunds`, `POST /v1/checkout/sessions/{id}/expire`.
    #[serde(default)]
    pub call: Option<String>,
    /// In how many calls.
    #[serde(default = "once")]
    pub times: u32,
    /// How late a slow answer is.
    #[serde(default = "nine")]
    pub seconds: u32,
}

fn once() -> u32 {
    1
}

fn nine() -> u32 {
    9
}

impl Books {
    /// What goes wrong in a call, which counts as one of its times.
    pub(crate) fn fault_in(&mut self, call: &str, about: &[String]) -> Option<Fault> {
        let is_meant = |fault: &Fault| {
            fault.of.as_ref().is_none_or(|of| about.contains(of))
                && fault.call.as_ref().is_none_or(|wanted| wanted == call)
        };
        let place = self.faults.iter().position(is_meant)?;
        let fault = self.faults[place].clone();
        self.faults[place].times = fault.times.saturating_sub(1);
        self.faults.retain(|fault| fault.times > 0);
        Some(fault)
    }
}
