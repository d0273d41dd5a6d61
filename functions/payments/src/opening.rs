//! The page on which an attempt is paid: asked for with what was stored, however often.

use anyhow::Context;
use orders::{Order, OrderId, OrderQueue, PaymentChoice, PaymentId};
use shared::dynamo::Write;
use shared::http::problem::{Kind, Problem, StatusCode};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::run::telemetry;
use shared::values::money::{Amount, Currency};
use shared::values::time::Timestamp;

use crate::attempt::{AttemptStatus, Payment};
use crate::deciding::{Said, State};
use crate::minimum::{MAXIMUM, minimum};
use crate::settings::Terms;
use crate::settling::{About, Settling, speaks_of};
use crate::store::Payments;
use crate::stripe::{ClientSecret, SessionRequest, StripeError};

const TOO_SMALL: Kind = Kind::new(StatusCode::CONFLICT, "amount-too-small", "Amount too small");
const TOO_LARGE: Kind = Kind::new(StatusCode::CONFLICT, "amount-too-large", "Amount too large");

/// The first attempt to pay an order. Both are written in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstAttempt {
    payment: Payment,
    /// What its page is asked for with.
    request: SessionRequest,
}

impl FirstAttempt {
    /// Its id.
    pub fn id(&self) -> PaymentId {
        self.payment.payment_id
    }
}

/// Opening the page of an attempt.
#[derive(Debug, Clone)]
pub struct Opening {
    terms: Terms,
    settling: Settling,
}

impl FromEnv for Opening {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { terms: Terms::from_env(aws)?, settling: Settling::from_env(aws)? })
    }
}

impl Opening {
    /// How the shop takes payments.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The payments.
    pub fn payments(&self) -> &Payments {
        self.settling.applying().payments()
    }

    /// Asking Stripe.
    pub(crate) fn settling(&self) -> &Settling {
        &self.settling
    }

    /// That so much can be paid by card here.
    ///
    /// # Errors
    /// `card-payments-off`, `amount-too-small`, `amount-too-large`.
    pub fn takes(&self, amount: Amount, currency: Currency) -> Result<(), Problem> {
        self.terms.take_cards()?;
        let least = minimum(currency);
        if amount < least {
            let detail = "This is less than can be paid by card. Pay on delivery, or order more.";
            return Err(Problem::new(TOO_SMALL, detail).with("minimum", least.in_major()));
        }
        if amount > MAXIMUM {
            let detail = "This is more than can be paid by card at once. Pay on delivery, or order less.";
            return Err(Problem::new(TOO_LARGE, detail).with("maximum", MAXIMUM.in_major()));
        }
        Ok(())
    }

    /// A new order as it is to be paid; with its first attempt, which is written with it, where that is by card.
    ///
    /// # Errors
    /// Those of [`Opening::takes`].
    pub fn to_be_paid(
        &self,
        order: Order,
        choice: PaymentChoice,
        write: &mut Write,
        now: Timestamp,
    ) -> Result<(Order, Option<Box<FirstAttempt>>), Problem> {
        if order.total() == Amount::ZERO || choice == PaymentChoice::CashOnDelivery {
            return Ok((order, None));
        }
        self.takes(order.total(), order.currency())?;
        let payment = Payment::new(PaymentId::at(now), &order, 1, self.terms(), now);
        write.put(self.payments().new_attempt(&payment)?);
        let order = order.awaiting(payment.payment_id, payment.expires_at);
        let request = payment.session_request(&order).context("ask for a session")?;
        Ok((order, Some(Box::new(FirstAttempt { payment, request }))))
    }

    /// Opens the page of an order that was written just now, or queues one that has nothing to wait for.
    ///
    /// # Errors
    /// Those of [`Opening::open`].
    pub async fn open_or_queue(
        &self,
        queue: &OrderQueue,
        id: OrderId,
        attempt: Option<Box<FirstAttempt>>,
        now: Timestamp,
    ) -> anyhow::Result<Option<Payment>> {
        match attempt.map(|attempt| *attempt) {
            Some(FirstAttempt { payment, request }) => {
                telemetry::count_in_stage("CardOrderPlaced", 1);
                self.open_by(&request, payment, now).await.map(Some)
            }
            None => {
                queue.send_or_leave(id).await;
                Ok(None)
            }
        }
    }

    /// Opens the page of an attempt of `order`, and gives the attempt as it is then: where it is unclear what Stripe
    /// did, as it was, and whoever asks next tries again.
    ///
    /// Safe to repeat: Stripe makes one session for an attempt.
    ///
    /// # Errors
    /// When Stripe refuses the request for good. Then nobody can pay by the attempt, and an order that has no other one
    /// is over.
    pub async fn open(&self, order: &Order, attempt: Payment, now: Timestamp) -> anyhow::Result<Payment> {
        let request = attempt.session_request(order).context("ask for a session")?;
        self.open_by(&request, attempt, now).await
    }

    async fn open_by(
        &self,
        request: &SessionRequest,
        attempt: Payment,
        now: Timestamp,
    ) -> anyhow::Result<Payment> {
        let session = match self.settling.stripe().create_session(request).await {
            Ok(session) => session,
            Err(error) => return self.not_opened(attempt, error, now).await,
        };
        let noted = self.payments().opened(attempt.payment_id, &session, now).await;
        let noted = match noted {
            Ok(noted) => noted,
            Err(error) => {
                left(&attempt, &format!("{error:#}"));
                return Ok(attempt);
            }
        };
        if noted.status == AttemptStatus::Dead {
            // It was given up while Stripe made it: nobody is to pay by it.
            self.settling.stripe().expire(&session.id).await.map_err(anyhow::Error::new)?;
        }
        Ok(noted)
    }

    /// The same for an attempt that is paid in a form of the shop's own, with what that form is opened with: nothing
    /// where it is unclear what Stripe did.
    ///
    /// Safe to repeat: Stripe makes one intent for an attempt.
    ///
    /// # Errors
    /// Those of [`Opening::open`].
    pub(crate) async fn open_intent(
        &self,
        attempt: Payment,
        now: Timestamp,
    ) -> anyhow::Result<(Payment, Option<ClientSecret>)> {
        let intent = match self.settling.stripe().create_intent(&attempt.intent_request()).await {
            Ok(intent) => intent,
            Err(error) => return Ok((self.not_opened(attempt, error, now).await?, None)),
        };
        let noted = match self.payments().opened_intent(attempt.payment_id, &intent.id, now).await {
            Ok(noted) => noted,
            Err(error) => {
                // Nobody pays by what the sweep would have to look for.
                left(&attempt, &format!("{error:#}"));
                return Ok((attempt, None));
            }
        };
        if noted.status == AttemptStatus::Dead {
            self.settling.stripe().cancel_intent(&intent.id).await.map_err(anyhow::Error::new)?;
        }
        let secret = intent.secret.filter(|_| noted.status == AttemptStatus::Open);
        Ok((noted, secret))
    }

    async fn not_opened(
        &self,
        attempt: Payment,
        error: StripeError,
        now: Timestamp,
    ) -> anyhow::Result<Payment> {
        let about = speaks_of(&error);
        if matches!(error, StripeError::Refused { .. }) {
            telemetry::count_in_stage("StripeRefused", 1);
        }
        if about == About::TheKey {
            left(&attempt, &format!("{:#}", anyhow::Error::new(error)));
            return Ok(attempt);
        }
        let (payment, order) = (attempt.payment_id, attempt.order_id);
        let said = Said { payment, order, session: None, state: State::Dead, event: None };
        self.settling.applying().apply(&said, now).await?;
        Err(anyhow::Error::new(error).context("make a session"))
    }

    /// The first attempt of an order that was placed before, if it has one, as it is; its page opened if that was not
    /// noted before.
    ///
    /// # Errors
    /// Those of [`Opening::open`], and when there is no such attempt.
    pub async fn opened(&self, id: Option<PaymentId>, now: Timestamp) -> anyhow::Result<Option<Payment>> {
        let Some(id) = id else { return Ok(None) };
        let attempt = self.payments().find(id).await?.context("there is no such payment")?;
        if attempt.status != AttemptStatus::Creating {
            return Ok(Some(attempt));
        }
        let order = self.payments().orders().find(attempt.order_id).await?;
        self.open(&order.context("there is no such order")?, attempt, now).await.map(Some)
    }
}

/// An attempt stays as it is; the sweep asks Stripe about it.
fn left(attempt: &Payment, error: &str) {
    tracing::error!(payment_id = %attempt.payment_id, error, "a session is left to the sweep");
    telemetry::count("SessionLeftToSweep", 1);
}
