//! What no webhook brought: what happened at Stripe is read there and goes the way of a webhook, and the ledger of each
//! payment that it is about is held against its counters. After a table was restored, this is what fills it up.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::Context;
use futures_util::future::{join_all, try_join_all};
use orders::PaymentId;
use serde::{Deserialize, Serialize};
use shared::guards::Guards;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::run::telemetry;
use shared::values::time::Timestamp;

use crate::events::{Delivered, Event, EventType, Ours};
use crate::hearing::{Hearing, To};
use crate::ids::EventId;
use crate::stripe::{Stripe, StripeError};

/// For how long Stripe tries a webhook.
const TOLD_FOR: Duration = Duration::from_hours(3 * 24);

/// For how long an event may be on its way without being missed: a webhook that fails comes again within the hour.
const ON_ITS_WAY: Duration = Duration::from_hours(1);

/// How many pages of a hundred events one run reads. The next run goes on from there.
const MOST_PAGES: usize = 50;

/// How long a run begins pages, so that the last one is through before the function is ended.
const BEGINS_FOR: Duration = Duration::from_secs(25);

/// How many events are made so at the same time.
const AT_ONCE: usize = 10;

/// What the reading is called among others.
const READING: &str = "reconcile-payments";

/// What a run is asked for: by its schedule nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Since when, unless it is the last days. Stripe remembers thirty.
    #[serde(default)]
    pub since: Option<Timestamp>,
}

/// Of a time, what is still to be read: the older part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Window {
    since: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    older_than: Option<EventId>,
}

impl Window {
    fn of(since: Timestamp) -> Self {
        Self { since, older_than: None }
    }

    /// The one that a webhook can be missed in.
    fn of_the_last_days(now: Timestamp) -> Self {
        Self::of(now - TOLD_FOR)
    }
}

/// How far a run has come.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reading {
    window: Window,
    /// Whether an earlier run began it: what happened since then is in no window yet.
    is_left_over: bool,
}

impl Reading {
    fn begun(window: Window) -> Self {
        Self { window, is_left_over: false }
    }

    /// From where the last run left off, if it did.
    fn of(left: Option<Window>, now: Timestamp) -> Self {
        left.map_or_else(
            || Self::begun(Window::of_the_last_days(now)),
            |window| Self { window, is_left_over: true },
        )
    }

    /// How it goes on after a page, after whose last event the next one begins, if there is one.
    fn after(&self, next: Option<EventId>, now: Timestamp) -> Option<Self> {
        match next {
            Some(_) => {
                let window = Window { older_than: next, ..self.window.clone() };
                Some(Self { window, is_left_over: self.is_left_over })
            }
            None if self.is_left_over => Some(Self::begun(Window::of_the_last_days(now))),
            None => None,
        }
    }
}

/// What came of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Tally {
    reconciled: u32,
    missed: u32,
    mismatched: u32,
    failed: u32,
}

/// Looking for what no webhook brought.
#[derive(Debug, Clone)]
pub struct Reconciling {
    hearing: Hearing,
    stripe: Stripe,
    guards: Guards,
    ours: Ours,
}

impl FromEnv for Reconciling {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            hearing: Hearing::from_env(aws)?,
            stripe: Stripe::from_env(aws)?,
            guards: Guards::from_env(aws)?,
            ours: Ours::from_env(aws)?,
        })
    }
}

impl Reconciling {
    /// Reads what happened, page by page, from where the last run left off. A window that was left is read to its end
    /// before a new one is begun, so that nothing between both is left out.
    ///
    /// Safe to repeat, and to leave at any step: what was told before changes nothing.
    ///
    /// # Errors
    /// When Stripe does not say, or a call failed; and how many events failed, after all others were read.
    pub async fn run(&self, asked: &Asked, now: Timestamp) -> anyhow::Result<()> {
        if !self.stripe.has_a_key().await? {
            tracing::info!("the shop has no key of Stripe's, and so nothing to read");
            return Ok(());
        }
        let mut reading = match asked.since {
            Some(since) => Reading::begun(Window::of(since)),
            None => Reading::of(self.guards.place(READING, now).await?, now),
        };
        let (mut failed, begun) = (0, Instant::now());
        for _ in 0..MOST_PAGES {
            if begun.elapsed() > BEGINS_FOR {
                break;
            }
            let (tally, next) = self.page(&reading.window, now).await?;
            failed += tally.failed;
            let Some(on) = reading.after(next, now) else {
                self.guards.forget_place(READING).await?;
                break;
            };
            self.guards.keep_place(READING, &on.window, now).await?;
            reading = on;
        }
        anyhow::ensure!(failed == 0, "{failed} events could not be made so");
        Ok(())
    }

    /// Reads a page, and says after which event the next one begins.
    async fn page(&self, window: &Window, now: Timestamp) -> anyhow::Result<(Tally, Option<EventId>)> {
        let Window { since, older_than } = window;
        let page = self.stripe.events(&self.ours, *since, &EventType::ALL, older_than.as_ref()).await;
        let page = match page {
            Ok(page) => page,
            Err(error) => {
                if matches!(error, StripeError::Refused { status: 400 | 404, .. }) {
                    // Stripe may have forgotten the event that this page begins after: the next run begins anew.
                    self.guards.forget_place(READING).await?;
                }
                return Err(anyhow::Error::new(error).context("read what happened at Stripe"));
            }
        };
        // Whose a refund or a dispute is, is known by the money that came before it. Otherwise the order makes no
        // difference.
        let ours = page.events.into_iter().rev().filter_map(|event| match event {
            Delivered::Ours(event) => Some(*event),
            Delivered::Foreign(_) => None,
        });
        let (came, follows): (Vec<Event>, Vec<Event>) =
            ours.partition(|event| event.happened.is_of_money_that_comes());
        let mut tally = Tally::default();
        let mut payments = BTreeSet::new();
        for events in [came, follows] {
            for some in events.chunks(AT_ONCE) {
                let heard = join_all(some.iter().map(|event| self.event(event.clone(), now))).await;
                payments.extend(heard.into_iter().filter_map(|one| one.count(&mut tally)));
            }
        }
        let payments: Vec<_> = payments.into_iter().collect();
        for some in payments.chunks(AT_ONCE) {
            let adds_up = try_join_all(some.iter().map(|payment| self.adds_up(*payment))).await?;
            tally.mismatched += u32::try_from(adds_up.iter().filter(|adds_up| !**adds_up).count())?;
        }
        telemetry::count("EventsReconciled", tally.reconciled);
        tracing::info!(?tally, "a page of Stripe's events was read");
        Ok((tally, page.next))
    }

    /// Makes so what one event says. One that cannot be made so keeps no other one waiting.
    async fn event(&self, event: Event, now: Timestamp) -> Reconciled {
        let (id, created) = (event.id.clone(), event.created);
        let came = match self.hearing.hear(event, now).await {
            Ok(came) => came,
            Err(error) => {
                tracing::error!(event_id = %id, error = format!("{error:#}"), "an event was not reconciled");
                return Reconciled::Failed;
            }
        };
        match came.to {
            To::News if is_missed(created, now) => {
                tracing::error!(event_id = %id, payment_id = ?came.payment, "no webhook brought this");
                telemetry::count_in_stage("FactsMissed", 1);
                Reconciled::Missed(came.payment)
            }
            To::News | To::Nothing => Reconciled::AsItIs(came.payment),
            To::Ignored(_) => Reconciled::Ignored,
        }
    }

    /// Holds the ledger of an attempt against its counters. What is written in between may be read by half, so what
    /// does not add up is read again.
    async fn adds_up(&self, id: PaymentId) -> anyhow::Result<bool> {
        for _ in 0..2 {
            let whole = self.hearing.payments().whole(id).await.context("read a ledger")?;
            if whole.is_none_or(|whole| whole.adds_up()) {
                return Ok(true);
            }
        }
        tracing::error!(payment_id = %id, "a ledger is not what its payment counts");
        telemetry::count_in_stage("LedgerMismatch", 1);
        Ok(false)
    }
}

/// What came of an event that was read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reconciled {
    /// It could not be made so.
    Failed,
    /// Nobody here follows it.
    Ignored,
    /// It was so, or a webhook may still bring it.
    AsItIs(Option<PaymentId>),
    /// No webhook brought it.
    Missed(Option<PaymentId>),
}

impl Reconciled {
    /// Counts it, and gives the attempt that it is about.
    fn count(self, tally: &mut Tally) -> Option<PaymentId> {
        match self {
            Self::Failed => tally.failed += 1,
            Self::Ignored => {}
            Self::AsItIs(_) => tally.reconciled += 1,
            Self::Missed(_) => {
                tally.reconciled += 1;
                tally.missed += 1;
            }
        }
        match self {
            Self::Failed | Self::Ignored => None,
            Self::AsItIs(payment) | Self::Missed(payment) => payment,
        }
    }
}

/// Whether an event that brought something new should have come by a webhook before `now`.
fn is_missed(created: Option<Timestamp>, now: Timestamp) -> bool {
    created.is_none_or(|created| created + ON_ITS_WAY < now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::now;

    fn id(id: &str) -> Option<EventId> {
        Some(id.parse().unwrap())
    }

    #[test]
    fn a_run_reads_the_days_in_which_a_webhook_may_have_come() {
        let reading = Reading::of(None, now());
        assert_eq!(reading.window.since, now() - Duration::from_hours(72));
        let second = reading.after(id("evt_7"), now()).unwrap();
        assert_eq!(
            (second.window.since, second.window.older_than.clone()),
            (reading.window.since, id("evt_7"))
        );
        assert_eq!(second.after(None, now()), None, "it has come to its end");
    }

    #[test]
    fn what_the_last_run_left_is_read_before_what_came_since() {
        let left = Window { since: now() - Duration::from_hours(96), older_than: id("evt_7") };
        let stored = serde_json::to_string(&left).unwrap();
        let reading = Reading::of(serde_json::from_str(&stored).unwrap(), now());
        assert_eq!(reading.window, left);
        let on = reading.after(id("evt_3"), now()).unwrap();
        assert_eq!(on.window, Window { older_than: id("evt_3"), ..left });
        let anew = on.after(None, now()).unwrap();
        assert_eq!(anew, Reading::of(None, now()), "and then the last days");
        assert_eq!(anew.after(None, now()), None);
    }

    #[test]
    fn what_came_of_events_is_counted() {
        let payment = Some(crate::tests::id(1));
        let mut tally = Tally::default();
        let heard =
            [Reconciled::Missed(payment), Reconciled::AsItIs(None), Reconciled::Ignored, Reconciled::Failed];
        assert_eq!(heard.map(|one| one.count(&mut tally)), [payment, None, None, None]);
        assert_eq!(tally, Tally { reconciled: 2, missed: 1, mismatched: 0, failed: 1 });
    }

    #[test]
    fn what_is_told_within_the_hour_may_still_be_on_its_way() {
        assert!(!is_missed(Some(now() - Duration::from_mins(59)), now()));
        assert!(is_missed(Some(now() - Duration::from_mins(61)), now()));
        assert!(is_missed(None, now()));
    }

    #[test]
    fn a_schedule_asks_for_nothing_and_who_calls_by_hand_for_a_time() {
        let asked = |detail: &str| serde_json::from_str::<Asked>(detail);
        assert_eq!(asked("{}").unwrap(), Asked::default());
        let since = asked(r#"{"since": "2026-11-20T00:00:00.000Z"}"#).unwrap().since;
        assert_eq!(since, Some("2026-11-20T00:00:00.000Z".parse().unwrap()));
        assert!(asked(r#"{"from": "2026-11-20T00:00:00.000Z"}"#).is_err());
    }
}
