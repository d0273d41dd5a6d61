//! An attempt to pay an order, and how it may go on. Nothing that is said of it makes it less than captured.

use orders::{Order, OrderId, PaymentId};
use serde::{Deserialize, Serialize};
use shared::caller::UserId;
use shared::values::money::{Amount, Currency};
use shared::values::time::Timestamp;

use crate::ids::{IntentId, SessionId, Shop};
use crate::settings::Terms;
use crate::stripe::{
    CurrencyCode, IntentRequest, Line, Lines, NotTheTotal, PaymentMethod, SessionRequest, SessionUrl,
};

/// The shape in which attempts and refunds are written.
pub(crate) const SCHEMA_VERSION: u32 = 1;

shared::names!(
    /// How far an attempt is.
    pub enum AttemptStatus {
        /// Recorded; the provider may know of it or not.
        Creating = "creating",
        /// Its buyer can pay.
        Open = "open",
        /// Its buyer has paid in a slow way.
        Processing = "processing",
        /// The money is there.
        Captured = "captured",
        /// Nobody can pay by it any more.
        Dead = "dead",
    }
);

/// What is heard of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// The provider knows of it.
    Made,
    /// Its buyer has paid in a slow way.
    Processing,
    /// The money is there.
    Paid,
    /// A card was declined. Its buyer may try another one.
    Declined,
    /// Nobody can pay by it any more.
    Died,
}

impl Heard {
    /// All there is.
    pub const ALL: [Self; 5] = [Self::Made, Self::Processing, Self::Paid, Self::Declined, Self::Died];
}

/// What something that is heard means for an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follows {
    /// It goes on.
    To(AttemptStatus),
    /// It was heard before.
    Already,
    /// It means nothing by now.
    Nothing,
    /// The provider has made what was given up meanwhile: nobody is to pay by it.
    GiveUp,
}

impl AttemptStatus {
    /// Every transition there is. Money that comes late is captured as well, and what becomes of it is another
    /// question.
    pub fn on(self, heard: Heard) -> Follows {
        match (heard, self) {
            (Heard::Made, Self::Creating) => Follows::To(Self::Open),
            (Heard::Made, Self::Dead) => Follows::GiveUp,
            (Heard::Paid, Self::Creating | Self::Open | Self::Processing | Self::Dead) => {
                Follows::To(Self::Captured)
            }
            (Heard::Processing, Self::Creating | Self::Open) => Follows::To(Self::Processing),
            (Heard::Died, Self::Creating | Self::Open | Self::Processing) => Follows::To(Self::Dead),
            (Heard::Made, Self::Open)
            | (Heard::Paid, Self::Captured)
            | (Heard::Processing, Self::Processing)
            | (Heard::Died, Self::Dead) => Follows::Already,
            (Heard::Made, Self::Processing | Self::Captured)
            // That it was slow is told late: it has failed since.
            | (Heard::Processing, Self::Dead)
            | (Heard::Processing | Heard::Died, Self::Captured)
            | (
                Heard::Declined,
                Self::Creating | Self::Open | Self::Processing | Self::Captured | Self::Dead,
            ) => Follows::Nothing,
        }
    }

    /// From which statuses something that is heard leads on.
    pub(crate) fn before(heard: Heard) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |status| matches!(status.on(heard), Follows::To(_)))
    }
}

shared::names!(
    /// Why money that came is sent back at once.
    pub enum Outcome {
        /// It is another amount, or of another currency.
        Mismatch = "mismatch",
        /// Its order was over.
        Late = "late",
        /// Its order was paid already.
        Duplicate = "duplicate",
    }
);

shared::names!(
    /// Where an attempt is paid.
    pub enum AttemptKind {
        /// On the provider's page.
        CheckoutSession = "checkout_session",
        /// In a form of the shop's own pages, which the provider has drawn into it.
        PaymentIntent = "payment_intent",
        /// To the carrier, at the door: there is one attempt, and it has paid.
        Cash = "cash",
    }
);

shared::names!(
    /// Where an order is to be paid by card.
    pub enum CardKind {
        /// On the provider's page.
        CheckoutSession = "checkout_session",
        /// In a form of the shop's own pages.
        PaymentIntent = "payment_intent",
    }
);

impl From<CardKind> for AttemptKind {
    fn from(kind: CardKind) -> Self {
        match kind {
            CardKind::CheckoutSession => Self::CheckoutSession,
            CardKind::PaymentIntent => Self::PaymentIntent,
        }
    }
}

/// An attempt to pay, as the table keeps it. All that the provider is asked for comes from here and from the order, so
/// that the same is asked for however often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Payment {
    pub(crate) payment_id: PaymentId,
    pub(crate) entry: String,
    pub(crate) order_id: OrderId,
    pub(crate) user_id: UserId,
    pub(crate) kind: AttemptKind,
    /// The first, the second…
    pub(crate) attempt: u32,
    pub(crate) amount: Amount,
    pub(crate) currency: Currency,
    pub(crate) status: AttemptStatus,
    pub(crate) shop: Shop,
    /// The web shop as it was then, to which the buyer comes back.
    pub(crate) url_base: String,
    /// Whether a guest began it, who comes back to a page of guests' orders, also after somebody has claimed the order.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) of_guest: bool,
    pub(crate) methods: Vec<PaymentMethod>,
    pub(crate) expires_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) session_id: Option<SessionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) intent_id: Option<IntentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<SessionUrl>,
    /// What came.
    pub(crate) captured: Amount,
    /// In which currency, where that is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) captured_currency: Option<CurrencyCode>,
    /// What of it can still go back.
    pub(crate) refundable: Amount,
    pub(crate) refunding: Amount,
    pub(crate) refunded: Amount,
    /// How many disputes stand, as long as which nothing goes back.
    #[serde(default, skip_serializing_if = "is_none")]
    pub(crate) disputes: u32,
    /// What banks have taken of it and not given back: more than came, if they say so. Below zero for as long as it is
    /// heard that they gave it back, and not yet that they took it.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub(crate) disputed: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) outcome: Option<Outcome>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) schema_version: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_none(count: &u32) -> bool {
    *count == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_nothing(amount: &i64) -> bool {
    *amount == 0
}

/// The entry of an attempt.
pub(crate) const ATTEMPT: &str = "payment";

impl Payment {
    /// The attempt `attempt` to pay `order`, which costs something, as the shop takes payments now.
    pub fn new(id: PaymentId, order: &Order, attempt: u32, terms: &Terms, now: Timestamp) -> Self {
        Self {
            attempt,
            url_base: terms.url_base.clone(),
            methods: terms.methods.clone(),
            expires_at: terms.until(now),
            ..Self::first(id, order, &terms.shop, now)
        }
    }

    /// What the carrier took for `order` at the door, of which no provider knows.
    pub fn of_cash(id: PaymentId, order: &Order, shop: &Shop, now: Timestamp) -> Self {
        let paid = order.due_amount();
        Self {
            kind: AttemptKind::Cash,
            status: AttemptStatus::Captured,
            amount: paid,
            captured: paid,
            refundable: paid,
            ..Self::first(id, order, shop, now)
        }
    }

    /// The first attempt to pay `order`, of which nothing is known but that.
    fn first(id: PaymentId, order: &Order, shop: &Shop, now: Timestamp) -> Self {
        let none = Amount::ZERO;
        Self {
            payment_id: id,
            entry: ATTEMPT.to_owned(),
            order_id: order.id(),
            user_id: order.buyer().clone(),
            kind: AttemptKind::CheckoutSession,
            attempt: 1,
            amount: order.total(),
            currency: order.currency(),
            status: AttemptStatus::Creating,
            shop: shop.clone(),
            url_base: String::new(),
            of_guest: order.is_a_guests(),
            methods: Vec::new(),
            expires_at: now,
            session_id: None,
            intent_id: None,
            url: None,
            captured: none,
            captured_currency: None,
            refundable: none,
            refunding: none,
            refunded: none,
            disputes: 0,
            disputed: 0,
            outcome: None,
            created_at: now,
            updated_at: now,
            schema_version: SCHEMA_VERSION,
        }
    }

    /// Whether the carrier took it, so that no provider can give it back.
    pub(crate) fn is_cash(&self) -> bool {
        self.kind == AttemptKind::Cash
    }

    /// The same, to be paid there.
    #[must_use]
    pub fn paid_by(self, kind: CardKind) -> Self {
        Self { kind: kind.into(), ..self }
    }

    /// Where it is paid.
    pub fn kind(&self) -> AttemptKind {
        self.kind
    }

    /// Its id.
    pub fn id(&self) -> PaymentId {
        self.payment_id
    }

    /// How far it is.
    pub fn status(&self) -> AttemptStatus {
        self.status
    }

    /// Which order it pays.
    pub fn order_id(&self) -> OrderId {
        self.order_id
    }

    /// Until when it can take money, unless that is slow.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Whether its money is its order's: not where another amount came, or another currency.
    pub(crate) fn counts(&self) -> bool {
        self.outcome != Some(Outcome::Mismatch)
    }

    /// What of it can go back: nothing that its buyer has from the bank.
    pub(crate) fn can_go_back(&self) -> Amount {
        if self.disputes > 0 { Amount::ZERO } else { self.refundable }
    }

    /// Whether the order does not count on it any more: nobody can pay by it, or what came was another amount.
    pub fn is_out(&self) -> bool {
        match self.status {
            AttemptStatus::Dead => true,
            AttemptStatus::Captured => !self.counts(),
            AttemptStatus::Creating | AttemptStatus::Open | AttemptStatus::Processing => false,
        }
    }

    /// What the provider is asked for: a function of what was stored alone, neither of the clock nor of the present
    /// configuration, since a request that comes again must be the same to the byte.
    ///
    /// # Errors
    /// When the order's lines are not its total.
    pub fn session_request(&self, order: &Order) -> Result<SessionRequest, NotTheTotal> {
        let pages = if self.of_guest { "guest-orders" } else { "orders" };
        let (id, page) = (self.payment_id, format!("{}/{pages}/{}", self.url_base, self.order_id));
        let lines = order.charges().into_iter().map(|(name, amount)| Line { name, amount }).collect();
        let (shipping, tax) = order.charged_besides();
        Ok(SessionRequest {
            payment: id,
            order: self.order_id,
            shop: self.shop.clone(),
            lines: Lines::new(lines, shipping, tax, self.amount)?,
            currency: self.currency,
            expires_at: self.expires_at,
            success_url: format!("{page}?payment={id}"),
            cancel_url: format!("{page}?payment={id}&cancelled=1"),
            methods: self.methods.clone(),
        })
    }

    /// The same of an attempt that is paid in a form of the shop's own.
    pub fn intent_request(&self) -> IntentRequest {
        IntentRequest {
            payment: self.payment_id,
            order: self.order_id,
            shop: self.shop.clone(),
            amount: self.amount,
            currency: self.currency,
        }
    }
}
