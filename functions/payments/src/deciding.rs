//! What follows from what the provider says of an attempt: one rule for whoever hears of it, be it by a webhook, by the
//! page that the buyer comes back to, or by a sweep. It calls nothing. What it decides is written on conditions that
//! hold only as long as what it decided by is still so.

use orders::{Order, OrderId, OrderStatus, PaymentId};
use shared::values::money::Amount;

use crate::attempt::{AttemptKind, AttemptStatus, Follows, Heard, Outcome, Payment};
use crate::ids::{EventId, IntentId, SessionId};
use crate::stripe::{CurrencyCode, Intent, IntentStatus, PaymentStatus, Session, SessionStatus};

/// What the provider says of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Of which attempt.
    pub payment: PaymentId,
    /// To pay which order.
    pub order: OrderId,
    /// By which session, where it is said.
    pub session: Option<SessionId>,
    /// What.
    pub state: State,
    /// In which event, if it was one.
    pub event: Option<EventId>,
}

/// How an attempt stands, as the provider says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Its buyer can pay.
    Open,
    /// Its buyer has paid in a slow way.
    Processing,
    /// The money is there.
    Paid(Money),
    /// Nobody can pay by it any more.
    Dead,
    /// Nobody can pay the PaymentIntent any more: of an attempt that is paid on the provider's page that means nothing,
    /// since its session tells.
    Canceled,
}

/// Money that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Money {
    /// What it is called at the provider, and so in the ledger.
    pub intent: IntentId,
    /// How much it is.
    pub amount: Amount,
    /// In which currency.
    pub currency: CurrencyCode,
}

impl State {
    /// How a session stands; `None` where it does not say so.
    pub fn of(session: &Session) -> Option<Self> {
        match (&session.status, &session.payment_status) {
            (SessionStatus::Open, _) => Some(Self::Open),
            (SessionStatus::Expired, _) => Some(Self::Dead),
            (SessionStatus::Complete, PaymentStatus::Unpaid) => Some(Self::Processing),
            (SessionStatus::Complete, PaymentStatus::Paid) => {
                let (intent, amount) = (session.intent.clone()?, session.amount?);
                Some(Self::Paid(Money { intent, amount, currency: session.currency.clone()? }))
            }
            (SessionStatus::Complete, PaymentStatus::NotRequired | PaymentStatus::Other(_))
            | (SessionStatus::Other(_), _) => None,
        }
    }

    /// How a PaymentIntent stands; `None` where it does not say so.
    pub fn of_intent(intent: &Intent) -> Option<Self> {
        match intent.status {
            IntentStatus::RequiresPaymentMethod
            | IntentStatus::RequiresConfirmation
            | IntentStatus::RequiresAction => Some(Self::Open),
            IntentStatus::Processing => Some(Self::Processing),
            IntentStatus::Canceled => Some(Self::Canceled),
            IntentStatus::Succeeded => Self::paid_by(intent),
            IntentStatus::Other(_) => None,
        }
    }

    /// What was paid by a PaymentIntent; `None` where it does not say how much.
    pub fn paid_by(intent: &Intent) -> Option<Self> {
        let (amount, currency) = (intent.received?, intent.currency.clone()?);
        Some(Self::Paid(Money { intent: intent.id.clone(), amount, currency }))
    }
}

impl Said {
    /// What a session says of the attempt that it was made for; `None` where it does not say of which.
    pub fn by(session: &Session, state: State, event: Option<EventId>) -> Option<Self> {
        let (payment, order) = (session.metadata.payment?, session.metadata.order?);
        Some(Self { payment, order, session: Some(session.id.clone()), state, event })
    }

    /// The same of a PaymentIntent.
    pub fn by_intent(intent: &Intent, state: State, event: Option<EventId>) -> Option<Self> {
        let (payment, order) = (intent.metadata.payment?, intent.metadata.order?);
        Some(Self { payment, order, session: None, state, event })
    }
}

/// What is known when something is decided.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The order.
    pub order: Option<&'a Order>,
    /// The attempt.
    pub payment: Option<&'a Payment>,
    /// Whether the ledger has this money.
    pub is_in_the_ledger: bool,
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The money pays the order.
    Capture,
    /// The money is recorded, and all of it goes back.
    SendBack(Outcome),
    /// The money is there already. An order that is to be sent is queued again: whoever recorded it may have died
    /// before.
    Recorded {
        /// Whether it is to be sent.
        queue: bool,
    },
    /// The money is on its way, and the order waits for it.
    Wait,
    /// The attempt is on its way, and its order does not wait for it any more.
    Note,
    /// Nobody can pay the order any more: it is over.
    Release,
    /// Nobody can pay by this attempt.
    Bury {
        /// Whether the others are to be looked at now.
        look: bool,
    },
    /// Nothing.
    Nothing,
    /// There is no such attempt, no such order, or they do not belong together.
    Unknown,
}

/// What follows from what was said.
pub fn decide(known: Known<'_>, said: &Said) -> Decision {
    let (Some(order), Some(payment)) = (known.order, known.payment) else { return Decision::Unknown };
    if payment.order_id != said.order || order.id() != said.order || payment.payment_id != said.payment {
        return Decision::Unknown;
    }
    match &said.state {
        State::Open => Decision::Nothing,
        State::Paid(money) => {
            if known.is_in_the_ledger {
                return Decision::Recorded { queue: order.status() == OrderStatus::Pending };
            }
            paid(order, payment, money, said.session.as_ref())
        }
        State::Processing => match (payment.status.on(Heard::Processing), order.status()) {
            (Follows::To(_), OrderStatus::AwaitingPayment) => Decision::Wait,
            (
                Follows::To(_),
                OrderStatus::Pending
                | OrderStatus::Shipping
                | OrderStatus::Delivered
                | OrderStatus::Cancelled,
            ) => Decision::Note,
            (Follows::Already | Follows::Nothing | Follows::GiveUp, _) => Decision::Nothing,
        },
        State::Dead => dead(order, payment),
        State::Canceled => match payment.kind {
            AttemptKind::PaymentIntent => dead(order, payment),
            AttemptKind::CheckoutSession | AttemptKind::Cash => Decision::Nothing,
        },
    }
}

/// Money that the ledger does not have yet.
fn paid(order: &Order, payment: &Payment, money: &Money, session: Option<&SessionId>) -> Decision {
    if payment.status == AttemptStatus::Captured {
        // An attempt has one session and a session one intent, so this is money that nobody asked for.
        return Decision::Unknown;
    }
    let is_its_own = match (&payment.session_id, session, &payment.intent_id) {
        (Some(known), Some(said), _) => known == said,
        (_, _, Some(known)) => *known == money.intent,
        (None, _, None) | (_, None, None) => true,
    };
    let is_as_asked = money.amount == payment.amount && money.currency.is(payment.currency);
    let is_the_total = payment.amount == order.total() && payment.currency == order.currency();
    if !is_its_own || !is_as_asked || !is_the_total {
        return Decision::SendBack(Outcome::Mismatch);
    }
    match order.status() {
        OrderStatus::AwaitingPayment => Decision::Capture,
        OrderStatus::Pending | OrderStatus::Shipping | OrderStatus::Delivered => {
            Decision::SendBack(Outcome::Duplicate)
        }
        OrderStatus::Cancelled => Decision::SendBack(Outcome::Late),
    }
}

fn dead(order: &Order, payment: &Payment) -> Decision {
    let is_awaited = order.status() == OrderStatus::AwaitingPayment;
    let (is_only_one, counts) = order.payment().map_or((false, false), |paying| {
        (paying.attempts == [payment.payment_id], paying.payment_id == payment.payment_id)
    });
    match payment.status.on(Heard::Died) {
        Follows::To(_) | Follows::Already if is_awaited && is_only_one => Decision::Release,
        Follows::To(_) => Decision::Bury { look: is_awaited && counts },
        Follows::Already | Follows::Nothing | Follows::GiveUp => Decision::Nothing,
    }
}
