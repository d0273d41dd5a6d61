//! Giving money back: asked for by an admin, by what ends an order, or by money that nobody wants; carried out by a
//! queue's consumer; and swept up like everything else that is owed.

use anyhow::{Context, anyhow};
use aws_sdk_sqs::Client;
use orders::{NewLine, NotBack, Order, PaymentId, Share};
use serde::{Deserialize, Serialize};
use shared::guards::{Committed, Guards, KeyReused, KeyedRequest, Once};
use shared::http::input::{Body, Fields};
use shared::http::problem::{Busy, Kind, Problem, StatusCode};
use shared::letters::{EmailQueue, Queued};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::run::telemetry;
use shared::values::money::{Amount, InMajor, Price};
use shared::values::time::Timestamp;
use users::CurrentAdmin;

use crate::attempt::{AttemptStatus, Payment};
use crate::ids::{EventId, RefundId, StripeRefundId};
use crate::letters::PaymentLetterKind;
use crate::refunds::{Refund, RefundHeard, RefundState, RefundWhy};
use crate::settling::{About, speaks_of};
use crate::store::{DUE_SHARDS, DueRefund, Passed, Payments};
use crate::stripe::{self, Stripe, StripeError};

/// As many of each shard as one run queues well within its timeout; the next run takes the rest.
const BATCH: i32 = 50;

/// How often the letter about one is queued again before somebody has to look.
const LETTER_TRIES: u32 = 10;

/// How often a refund is planned anew because others gave something of the order back at the same time.
const TRIES_AT_ONCE: u32 = 4;

/// How often a refund is tried before somebody has to look.
const TRIES: u32 = 20;

/// A refund waits to be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefundQueued {
    /// Of which attempt.
    pub payment_id: PaymentId,
    /// Which one.
    pub refund_id: RefundId,
}

/// The queue of refunds.
#[derive(Debug, Clone)]
pub struct RefundQueue {
    client: Client,
    url: String,
}

impl FromEnv for RefundQueue {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { client: Client::new(aws.sdk()), url: config::required("REFUNDS_QUEUE_URL")? })
    }
}

impl RefundQueue {
    /// Queues a refund. Queued twice, it is carried out once.
    ///
    /// # Errors
    /// When the queue takes nothing.
    pub async fn send(&self, queued: &RefundQueued) -> anyhow::Result<()> {
        let body = serde_json::to_string(queued)?;
        let send = self.client.send_message().queue_url(&self.url).message_body(body);
        send.send().await.map(drop).context("queue a refund")
    }

    /// Queues a refund that was just recorded. It is due, so what cannot be queued now is swept up later.
    pub async fn send_or_leave(&self, refund: &Refund) {
        let queued = RefundQueued { payment_id: refund.payment_id, refund_id: refund.refund_id };
        if let Err(error) = self.send(&queued).await {
            tracing::error!(refund_id = %refund.refund_id, error = format!("{error:#}"), "left to the sweep");
            telemetry::count("RefundLeftToSweep", 1);
        }
    }
}

/// What Stripe says of refunds becomes so, and buyers are told of it.
#[derive(Debug, Clone)]
pub struct Refunds {
    payments: Payments,
    emails: EmailQueue,
}

impl FromEnv for Refunds {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { payments: Payments::from_env(aws)?, emails: EmailQueue::from_env(aws)? })
    }
}

impl Refunds {
    /// Writes down what Stripe says of a refund, of ours or of one that somebody made in Stripe's own pages. Tells of
    /// which attempt it is, and whether that is new.
    ///
    /// Safe to repeat: the ledger takes each fact once.
    ///
    /// # Errors
    /// When the tables cannot be written; and while a refund that is owed stands in the way of one made elsewhere.
    pub async fn heard(
        &self,
        said: &stripe::Refund,
        event: Option<EventId>,
        now: Timestamp,
    ) -> anyhow::Result<(Option<PaymentId>, Passed)> {
        let Some(heard) = RefundHeard::of(&said.status) else { return Ok((None, Passed::Before)) };
        let owner = match (said.metadata.payment, &said.intent) {
            (Some(payment), _) => Some(payment),
            (None, Some(intent)) => self.payments.owner_of(intent).await?.map(|owner| owner.payment_id),
            (None, None) => None,
        };
        let Some(payment) = owner else {
            tracing::info!(refund = %said.id, "a refund of somebody else's money");
            return Ok((None, Passed::Before));
        };
        let name = said.metadata.refund.map_or_else(|| said.id.to_string(), |refund| refund.to_string());
        let passed = match self.payments.refund(payment, &name).await? {
            Some(refund) => self.becomes(&refund, heard, &said.id, event, now).await?,
            None if said.metadata.refund.is_some() => {
                tracing::error!(payment_id = %payment, refund_id = name, "Stripe speaks of a refund that is not here");
                telemetry::count_in_stage("UnknownPayment", 1);
                Passed::Before
            }
            None if heard == RefundHeard::Failed => self.failed_elsewhere(payment, said, now).await?,
            None => self.made_elsewhere(payment, said, event, now).await?,
        };
        Ok((Some(payment), passed))
    }

    /// What is told in any order: that it went may be told after it came again, and is so no more.
    async fn failed_elsewhere(
        &self,
        payment: PaymentId,
        said: &stripe::Refund,
        now: Timestamp,
    ) -> anyhow::Result<Passed> {
        let payment = self.payments.find(payment).await?.context("there is no such payment")?;
        let amount = said.amount.context("a refund has an amount")?;
        match self.payments.failed_elsewhere(&payment, (&said.id, amount), now).await? {
            Passed::Now => Ok(Passed::Now),
            // It was told meanwhile that it went.
            Passed::Before => Err(Busy).context("write down a refund that failed"),
        }
    }

    async fn made_elsewhere(
        &self,
        payment: PaymentId,
        said: &stripe::Refund,
        event: Option<EventId>,
        now: Timestamp,
    ) -> anyhow::Result<Passed> {
        let payment = self.payments.find(payment).await?.context("there is no such payment")?;
        let amount = said.amount.context("a refund has an amount")?;
        match self.payments.gone_elsewhere(&payment, (&said.id, amount), event, now).await? {
            Some(refund) => {
                tell(&self.emails, &refund).await;
                Ok(Passed::Now)
            }
            None if self.payments.refund(payment.payment_id, said.id.as_str()).await?.is_some() => {
                Ok(Passed::Before)
            }
            None => anyhow::bail!("more went back in Stripe's pages than is not owed already"),
        }
    }

    /// What is heard of a refund becomes so, from wherever it stands: it may have gone back since it was read, and have
    /// failed after that.
    async fn becomes(
        &self,
        refund: &Refund,
        heard: RefundHeard,
        at_stripe: &StripeRefundId,
        event: Option<EventId>,
        now: Timestamp,
    ) -> anyhow::Result<Passed> {
        let mut refund = refund.clone();
        for _ in 0..TRIES_AT_ONCE {
            let failed = match (heard, refund.state()) {
                (RefundHeard::Accepted, RefundState::Requested) => {
                    let accepted = self.payments.accept(&refund, at_stripe, event, now).await?;
                    if accepted == Passed::Now {
                        tell(&self.emails, &refund).await;
                    }
                    return Ok(accepted);
                }
                (RefundHeard::Failed, RefundState::Requested) => self.payments.refuse(&refund, now).await?,
                (RefundHeard::Failed, RefundState::Accepted) => {
                    self.payments.returned(&refund, at_stripe, event.clone(), now).await?
                }
                (RefundHeard::Accepted, RefundState::Accepted | RefundState::Failed)
                | (RefundHeard::Failed, RefundState::Failed) => return Ok(Passed::Before),
            };
            if failed == Passed::Now {
                refund_failed(&refund);
                return Ok(failed);
            }
            let name = refund.name();
            let read = self.payments.refund(name.payment_id, &name.name).await?;
            refund = read.context("a refund stays")?;
        }
        Err(Busy).context("write down what became of a refund")
    }
}

/// Queues the letter about a refund that went back. It is due, so what cannot be queued now is swept up later.
async fn tell(emails: &EmailQueue, refund: &Refund) {
    if refund.is_told() {
        emails.send_or_leave(&Queued::new(PaymentLetterKind::Refunded, refund.name())).await;
    }
}

/// Somebody has to give the money back in another way.
fn refund_failed(refund: &Refund) {
    tracing::error!(payment_id = %refund.payment_id, refund_id = %refund.refund_id, "a refund failed");
    telemetry::count_in_stage("RefundFailed", 1);
}

/// Carrying refunds out.
#[derive(Debug, Clone)]
pub struct SendingBack {
    refunds: Refunds,
    stripe: Stripe,
}

impl FromEnv for SendingBack {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { refunds: Refunds::from_env(aws)?, stripe: Stripe::from_env(aws)? })
    }
}

impl SendingBack {
    /// Has Stripe carry a refund out that is owed.
    ///
    /// Safe to repeat, also after Stripe has forgotten its key: from the second try on it is looked for first.
    ///
    /// # Errors
    /// When Stripe does not say what it did, or a call failed: it is tried again.
    pub async fn carry_out(&self, queued: &RefundQueued, now: Timestamp) -> anyhow::Result<()> {
        let RefundQueued { payment_id, refund_id } = *queued;
        let Some(refund) = self.refunds.payments.try_refund(payment_id, refund_id, now).await? else {
            return Ok(());
        };
        let made = match self.made_before(&refund).await? {
            Some(made) => Ok(made),
            None => self.stripe.refund(&refund.request()?).await,
        };
        match made {
            Ok(made) => {
                let heard = RefundHeard::of(&made.status).context("Stripe says nothing of a refund")?;
                self.refunds.becomes(&refund, heard, &made.id, None, now).await.map(drop)
            }
            Err(error @ StripeError::Refused { .. }) if speaks_of(&error) == About::TheRequest => {
                tracing::error!(refund_id = %refund_id, error = format!("{:#}", anyhow!(error)), "refused");
                if self.refunds.payments.refuse(&refund, now).await? == Passed::Now {
                    refund_failed(&refund);
                }
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn made_before(&self, refund: &Refund) -> anyhow::Result<Option<stripe::Refund>> {
        if refund.tries <= 1 {
            return Ok(None);
        }
        let known = self.stripe.refunds_of(refund.intent()?).await?;
        Ok(known.into_iter().find(|made| made.metadata.refund == Some(refund.refund_id)))
    }
}

/// The refunds that are due, and the queues that they, or the letters about them, go back to.
#[derive(Debug, Clone)]
pub struct RefundSweep {
    payments: Payments,
    queue: RefundQueue,
    emails: EmailQueue,
}

impl FromEnv for RefundSweep {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            payments: Payments::from_env(aws)?,
            queue: RefundQueue::from_env(aws)?,
            emails: EmailQueue::from_env(aws)?,
        })
    }
}

impl RefundSweep {
    /// Queues again what is still owed: one refund that cannot be swept keeps no other waiting.
    ///
    /// Safe to repeat: each is put off before it is queued, and what is queued twice has one effect.
    ///
    /// # Errors
    /// Tells how many failed, after all of them were tried.
    pub async fn run(&self, now: Timestamp) -> anyhow::Result<()> {
        let mut failed = 0;
        for shard in DUE_SHARDS {
            for refund in self.payments.due(shard, now, BATCH).await? {
                if let Err(error) = self.sweep(&refund, now).await {
                    let refund_id = refund.refund_id;
                    tracing::error!(%refund_id, error = format!("{error:#}"), "a refund was not swept up");
                    failed += 1;
                }
            }
        }
        anyhow::ensure!(failed == 0, "{failed} refunds could not be swept up");
        Ok(())
    }

    async fn sweep(&self, refund: &DueRefund, now: Timestamp) -> anyhow::Result<()> {
        if !self.payments.put_off(refund, now).await? {
            return Ok(());
        }
        let (refund_id, is_letter) = (refund.refund_id, refund.status == RefundState::Accepted);
        tracing::warn!(%refund_id, is_letter, "swept up");
        telemetry::count("RefundSwept", 1);
        if is_letter {
            return self.sweep_letter(refund).await;
        }
        if refund.tries >= TRIES {
            telemetry::count_in_stage("RefundAbandoned", 1);
        }
        let payment_id = refund.payment_id;
        self.queue.send(&RefundQueued { payment_id, refund_id }).await
    }

    async fn sweep_letter(&self, refund: &DueRefund) -> anyhow::Result<()> {
        if refund.tries >= LETTER_TRIES {
            telemetry::count("EmailAbandoned", 1);
            return self.payments.forget(&refund.name()).await;
        }
        self.emails.send(&Queued::new(PaymentLetterKind::Refunded, refund.name())).await
    }
}

shared::names!(
    /// Why an admin gives money back.
    pub enum RefundReason {
        /// The buyer wanted it.
        RequestedByCustomer = "requested_by_customer",
        /// It was paid twice.
        Duplicate = "duplicate",
        /// Somebody else paid with the buyer's card.
        Fraudulent = "fraudulent",
    }
);

impl From<RefundReason> for RefundWhy {
    fn from(reason: RefundReason) -> Self {
        match reason {
            RefundReason::RequestedByCustomer => Self::RequestedByCustomer,
            RefundReason::Duplicate => Self::Duplicate,
            RefundReason::Fraudulent => Self::Fraudulent,
        }
    }
}

/// What an admin gives back: `{amount}`, `{lines: [{id, quantity}], shipping}`, or without them all that is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewRefund {
    /// How much, or for what.
    pub part: RefundPart,
    /// Why: the buyer wanted it, unless told otherwise.
    pub reason: Option<RefundReason>,
    /// Whether it was given back already, in another way than the provider's.
    pub outside: bool,
}

/// How much is given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum RefundPart {
    /// All that is left.
    Rest,
    /// This much.
    Amount(Price),
    /// What was paid for these pieces.
    Share {
        /// Of which lines, each once.
        lines: Vec<NewLine>,
        /// And for sending them.
        shipping: bool,
    },
}

impl Body for NewRefund {
    fn read(fields: &mut Fields) -> Option<Self> {
        let reason = fields.member("reason");
        let outside: Option<Option<bool>> = fields.member("outside");
        let amount: Option<Option<Price>> = fields.member("amount");
        let shipping: Option<Option<bool>> = fields.member("shipping");
        let has_lines = fields.has("lines");
        let lines = if has_lines { NewLine::read_each_once(fields, "lines") } else { Some(Vec::new()) };
        let (lines, shipping) = (lines?, shipping?.unwrap_or_default());
        let part = match (amount?, has_lines || shipping) {
            (Some(_), true) => {
                fields.fault("amount", "must not be given together with lines or shipping");
                return None;
            }
            (Some(amount), false) => RefundPart::Amount(amount),
            (None, true) => RefundPart::Share { lines, shipping },
            (None, false) => RefundPart::Rest,
        };
        Some(Self { part, reason: reason?, outside: outside?.unwrap_or_default() })
    }
}

/// The answer to a refund that was asked for, as its record keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefundAsked {
    refund_id: RefundId,
    amount: Amount,
    refundable: Amount,
    /// Whether it was given back before it was asked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    outside: bool,
}

/// The same as an admin sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RefundAskedView {
    refund_id: RefundId,
    status: RefundState,
    amount: InMajor,
    refundable: InMajor,
}

impl From<RefundAsked> for RefundAskedView {
    fn from(asked: RefundAsked) -> Self {
        Self {
            refund_id: asked.refund_id,
            status: if asked.outside { RefundState::Accepted } else { RefundState::Requested },
            amount: asked.amount.in_major(),
            refundable: asked.refundable.in_major(),
        }
    }
}

const TOO_LARGE: Kind = Kind::new(StatusCode::CONFLICT, "refund-too-large", "Refund too large");
const DISPUTED: Kind = Kind::new(StatusCode::CONFLICT, "payment-disputed", "Payment disputed");
const NOTHING: Kind = Kind::new(StatusCode::CONFLICT, "nothing-to-refund", "Nothing to refund");

const IN_CASH: Kind = Kind::new(StatusCode::CONFLICT, "paid-in-cash", "Paid in cash");

/// Why nothing goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRefund {
    /// Nothing came, or all of it went back; or what is asked for cost nothing.
    Nothing,
    /// Its buyer has asked the bank for it.
    Disputed,
    /// Less is left than that.
    TooLarge {
        /// This much.
        refundable: Amount,
    },
    /// Of the order not as much is left.
    NotBack(NotBack),
    /// It was paid at the door: somebody gives it back, and says so then.
    InCash,
}

impl From<NoRefund> for Problem {
    fn from(refusal: NoRefund) -> Self {
        match refusal {
            NoRefund::Nothing => Self::new(NOTHING, "There is no money of this payment to give back."),
            NoRefund::Disputed => {
                let detail = "The buyer has asked the bank for this money, and would have it twice. \
                              Answer the bank in the pages of the provider of payments.";
                Self::new(DISPUTED, detail)
            }
            NoRefund::TooLarge { refundable } => {
                Self::new(TOO_LARGE, "Less than that is left of this payment.")
                    .with("refundable", refundable.in_major())
            }
            NoRefund::NotBack(refusal) => refusal.into(),
            NoRefund::InCash => Self::new(
                IN_CASH,
                "It was paid at the door, so nobody but you can give it back. Do that, and then say so with \
                 \"outside\": true.",
            ),
        }
    }
}

/// How much of a payment goes back where this much is wanted, or all that is left.
///
/// # Errors
/// [`NoRefund`].
pub fn amount_of(payment: &Payment, wanted: Option<Amount>) -> Result<Amount, NoRefund> {
    let refundable = payment.refundable;
    if payment.disputes > 0 {
        return Err(NoRefund::Disputed);
    }
    if payment.status != AttemptStatus::Captured || refundable == Amount::ZERO {
        return Err(NoRefund::Nothing);
    }
    match wanted.unwrap_or(refundable) {
        Amount::ZERO => Err(NoRefund::Nothing),
        amount if amount > refundable => Err(NoRefund::TooLarge { refundable }),
        amount => Ok(amount),
    }
}

/// How much of a payment goes back for what an admin asks for, and for which share of its order.
///
/// # Errors
/// [`NoRefund`].
pub fn planned(
    payment: &Payment,
    order: &Order,
    asked: &NewRefund,
) -> Result<(Amount, Option<Share>), NoRefund> {
    if payment.is_cash() && !asked.outside {
        return Err(NoRefund::InCash);
    }
    match &asked.part {
        RefundPart::Rest => amount_of(payment, None).map(|amount| (amount, None)),
        RefundPart::Amount(amount) => amount_of(payment, Some(amount.amount())).map(|amount| (amount, None)),
        // What came was not the order's money.
        RefundPart::Share { .. } if !payment.counts() => Err(NoRefund::Nothing),
        RefundPart::Share { lines, shipping } => {
            amount_of(payment, None)?;
            let share = order.share(lines, *shipping).map_err(NoRefund::NotBack)?;
            Ok((amount_of(payment, Some(share.amount()))?, Some(share)))
        }
    }
}

/// Giving money back for admins.
#[derive(Debug, Clone)]
pub struct Refunding {
    payments: Payments,
    guards: Guards,
    queue: RefundQueue,
    emails: EmailQueue,
}

impl FromEnv for Refunding {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            payments: Payments::from_env(aws)?,
            guards: Guards::from_env(aws)?,
            queue: RefundQueue::from_env(aws)?,
            emails: EmailQueue::from_env(aws)?,
        })
    }
}

impl Refunding {
    /// Asks for a part of a payment back, or for all that is left, and queues that; or writes down what was given back
    /// in another way.
    ///
    /// Safe to repeat with its key: the first answer comes again, and nothing goes back twice. Of two at once one finds
    /// the other's, and is planned anew.
    ///
    /// # Errors
    /// `not-found`, and what [`NoRefund`] says.
    pub async fn refund(
        &self,
        admin: &CurrentAdmin,
        id: PaymentId,
        asked: &NewRefund,
        keyed: Option<&KeyedRequest>,
        now: Timestamp,
    ) -> Result<Once<RefundAsked>, Problem> {
        for _ in 0..TRIES_AT_ONCE {
            let payment = self.payments.find(id).await?.ok_or_else(|| Problem::not_found("payment"))?;
            let order = self.payments.orders().find(payment.order_id).await?;
            let order = order.context("a payment has an order")?;
            let planned = match planned(&payment, &order, asked) {
                Ok(planned) => planned,
                Err(refused) => {
                    // The same request may have taken it before: then that is its answer. Or somebody else has.
                    let answer = self.guards.answered(keyed, now).await?;
                    return answer.ok_or_else(|| refused.into());
                }
            };
            match self.ask_back(admin, (&payment, &order), planned, asked, keyed, now).await? {
                Committed::Once(asked) => return Ok(asked),
                Committed::KeyReused => return Err(KeyReused.into()),
                Committed::Refused(_) => {}
            }
        }
        Err(anyhow!(Busy).context("ask for a refund").into())
    }

    async fn ask_back(
        &self,
        admin: &CurrentAdmin,
        (payment, order): (&Payment, &Order),
        (amount, share): (Amount, Option<Share>),
        asked: &NewRefund,
        keyed: Option<&KeyedRequest>,
        now: Timestamp,
    ) -> anyhow::Result<Committed<RefundAsked>> {
        let why = asked.reason.unwrap_or(RefundReason::RequestedByCustomer).into();
        let by = Some(admin.0.id().to_string());
        let refund = if asked.outside {
            Refund::outside(payment, amount, why, by, now)
        } else {
            let intent = payment.intent_id.clone().context("what has money has an intent")?;
            Refund::requested(payment, intent, amount, why, by, now)
        };
        let refund = refund.of_share(share);
        let left = payment.refundable.minor().saturating_sub(amount.minor());
        let answer = RefundAsked {
            refund_id: refund.refund_id,
            amount,
            refundable: Amount::from_minor(left),
            outside: asked.outside,
        };
        let asked_back = self.payments.ask_back(&self.guards, (&refund, order), keyed, answer, now);
        let committed = asked_back.await?;
        if let Committed::Once(Once::Done(_)) = &committed {
            tracing::info!(payment_id = %payment.payment_id, refund_id = %refund.refund_id, "refund asked for");
            if refund.outside {
                tell(&self.emails, &refund).await;
            } else {
                self.queue.send_or_leave(&refund).await;
            }
        }
        Ok(committed)
    }
}
