//! The way to receivers: a signed request, and what came of it.

use std::time::{Duration, Instant};

use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError, Stage};
use shared::run::outside::{Method, Outside, OutsideError, Request};
use shared::values::time::Timestamp;

use crate::delivery::{ANSWER_KEPT, Attempt, Delivery, Fault};
use crate::{Endpoint, signatures};

/// How long a receiver may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Hosts of the machine that a local shop runs on: `https://8080.receiver.test/hook` is its port 8080. No name below
/// `.test` is anybody's (RFC 2606).
const DETOUR: &str = ".receiver.test";

/// Sends to receivers, wherever in the open internet they are.
#[derive(Debug, Clone)]
pub struct Receivers {
    public: Outside,
    detour: Option<Detour>,
}

/// Where receivers are that are on the same machine as the shop, without their port.
#[derive(Debug, Clone)]
struct Detour {
    machine: Outside,
    base: String,
}

impl FromEnv for Receivers {
    fn from_env(_: &Aws) -> Result<Self, ConfigError> {
        let (stage, base) = (config::required("STAGE")?, config::optional("WEBHOOK_DETOUR")?);
        Ok(Self::new(stage, base))
    }
}

impl Receivers {
    /// On a laptop, hosts below `.receiver.test` are at `base`; anywhere else `base` is nothing.
    pub fn new(stage: Stage, base: Option<String>) -> Self {
        let base = base.filter(|_| stage == Stage::Local);
        let detour = base.map(|base| Detour { machine: Outside::new("receivers"), base });
        Self { public: Outside::to_public("receivers"), detour }
    }

    /// Sends a delivery, signed by each secret of its endpoint. Whatever comes of it is an attempt.
    pub async fn post(&self, endpoint: &Endpoint, delivery: &Delivery, now: Timestamp) -> Attempt {
        let (id, seconds) = (delivery.event().to_string(), now.unix_seconds().to_string());
        let signatures = signatures(&endpoint.secrets(now), &id, now, delivery.body());
        let headers = [
            ("content-type", "application/json"),
            ("user-agent", "Cartwright-Webhooks/1"),
            ("webhook-id", id.as_str()),
            ("webhook-timestamp", &seconds),
            ("webhook-signature", &signatures),
        ];
        let (outside, url) = self.way_to(endpoint.url().to_string());
        let request = Request { method: Method::Post, url: &url, headers: &headers, body: delivery.body() };
        let start = Instant::now();
        let answer = outside.send_for_head(&request, PATIENCE, ANSWER_KEPT).await;
        let took = start.elapsed();
        match answer {
            Ok(answer) => Attempt::answered(now, took, answer.status, &answer.body),
            Err(OutsideError::TimedOut(_)) => Attempt::unanswered(now, took, Fault::TimedOut),
            Err(OutsideError::NotPublic(_)) => Attempt::unanswered(now, took, Fault::NotPublic),
            Err(OutsideError::Connection(_) | OutsideError::Unsendable(_) | OutsideError::TooLarge) => {
                Attempt::unanswered(now, took, Fault::NotConnected)
            }
        }
    }

    /// Who goes there, and by which URL.
    fn way_to(&self, url: String) -> (&Outside, String) {
        let detoured = self.detour.as_ref().and_then(|detour| {
            let (port, rest) = url.strip_prefix("https://")?.split_once(DETOUR)?;
            let port: u16 = port.parse().ok()?;
            Some((&detour.machine, format!("{}:{port}{rest}", detour.base)))
        });
        detoured.unwrap_or((&self.public, url))
    }
}
