//! Stripe's books: sessions, intents, charges, refunds, disputes, and each movement of money. No clock and no network.
//!
//! Two rules hold whatever comes: what is refunded of a charge is never more than was charged, and the movements of a
//! charge sum to what it, its refunds and its disputes say.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::deliveries::{Delivery, Switch};
use super::faults::Fault;
use super::form::names_an_id;
use super::idempotency::Kept;
use super::money;
use super::refusal::Refusal;

/// What a shop hangs on an object.
pub(crate) type Metadata = BTreeMap<String, String>;

/// A time, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Moment(pub i64);

impl Moment {
    /// In seconds, as Stripe counts.
    pub(crate) fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// So many milliseconds later.
    pub(crate) fn after(self, milliseconds: i64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }
}

/// What has an id and a time at which it was made.
pub(crate) trait Object {
    fn id(&self) -> &str;
    fn created(&self) -> i64;
}

macro_rules! objects {
    ($($name:ident),+) => {
        $(impl Object for $name {
            fn id(&self) -> &str {
                &self.id
            }

            fn created(&self) -> i64 {
                self.created
            }
        })+
    };
}

objects!(Session, Intent, Charge, Refund, Dispute, Event);

/// Objects of one kind, in the order in which they were made.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "Vec<T>", into = "Vec<T>")]
#[serde(bound(serialize = "T: Object + Clone + Serialize", deserialize = "T: Object + Deserialize<'de>"))]
pub(crate) struct Table<T> {
    all: Vec<T>,
    places: HashMap<String, usize>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { all: Vec::new(), places: HashMap::new() }
    }
}

impl<T: Object> From<Vec<T>> for Table<T> {
    fn from(all: Vec<T>) -> Self {
        let places = all.iter().enumerate().map(|(place, one)| (one.id().to_owned(), place)).collect();
        Self { all, places }
    }
}

impl<T> From<Table<T>> for Vec<T> {
    fn from(table: Table<T>) -> Self {
        table.all
    }
}

impl<T: Object> Table<T> {
    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        self.places.get(id).and_then(|place| self.all.get(*place))
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        self.places.get(id).and_then(|place| self.all.get_mut(*place))
    }

    pub(crate) fn add(&mut self, one: T) {
        self.places.insert(one.id().to_owned(), self.all.len());
        self.all.push(one);
    }

    /// The oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.all.iter()
    }
}

/// How a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SessionState {
    /// It can be paid.
    Open,
    /// A debit is under way.
    Processing,
    /// The money is there.
    Paid,
    /// The debit failed. The session stays complete, and unpaid.
    Failed,
    /// It can no longer be paid.
    Expired,
}

/// How an intent stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum IntentState {
    /// It waits for a card that pays.
    RequiresPaymentMethod,
    /// A debit is under way.
    Processing,
    /// The money is there.
    Succeeded,
    /// It can no longer be paid.
    Canceled,
}

/// What a buyer, a bank, the clock or the shop does about a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Paid at once.
    Paid,
    /// A debit was ordered, whose money comes later, or not.
    PaidLater,
    /// The debit's money came.
    Arrived,
    /// The debit failed.
    Bounced,
    /// The bank declined the card; the buyer may try another.
    Declined,
    /// It was given up.
    Ended,
}

impl SessionState {
    /// What it becomes; nothing where that cannot happen.
    pub(crate) fn on(self, step: Step) -> Option<Self> {
        match self {
            Self::Open => match step {
                Step::Paid => Some(Self::Paid),
                Step::PaidLater => Some(Self::Processing),
                Step::Declined => Some(Self::Open),
                Step::Ended => Some(Self::Expired),
                Step::Arrived | Step::Bounced => None,
            },
            Self::Processing => match step {
                Step::Arrived => Some(Self::Paid),
                Step::Bounced => Some(Self::Failed),
                Step::Paid | Step::PaidLater | Step::Declined | Step::Ended => None,
            },
            Self::Paid | Self::Failed | Self::Expired => None,
        }
    }

    /// Stripe's word: what the session is, beside whether it is paid.
    pub(crate) fn status(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Processing | Self::Paid | Self::Failed => "complete",
            Self::Expired => "expired",
        }
    }
}

impl IntentState {
    /// What it becomes; nothing where that cannot happen.
    pub(crate) fn on(self, step: Step) -> Option<Self> {
        match self {
            Self::RequiresPaymentMethod => match step {
                Step::Paid => Some(Self::Succeeded),
                Step::PaidLater => Some(Self::Processing),
                Step::Declined => Some(Self::RequiresPaymentMethod),
                Step::Ended => Some(Self::Canceled),
                Step::Arrived | Step::Bounced => None,
            },
            Self::Processing => match step {
                Step::Arrived => Some(Self::Succeeded),
                Step::Bounced => Some(Self::RequiresPaymentMethod),
                Step::Paid | Step::PaidLater | Step::Declined | Step::Ended => None,
            },
            Self::Succeeded | Self::Canceled => None,
        }
    }

    /// Stripe's word.
    pub(crate) fn status(self) -> &'static str {
        match self {
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::Processing => "processing",
            Self::Succeeded => "succeeded",
            Self::Canceled => "canceled",
        }
    }
}

/// How a charge or a refund stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    Pending,
    Succeeded,
    Failed,
}

impl Standing {
    /// Stripe's word.
    pub(crate) fn status(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }

    /// What a refund becomes when its bank says whether it took the money; a success may still turn into a failure.
    fn refund_on(self, is_taken: bool) -> Option<Self> {
        match (self, is_taken) {
            (Self::Pending, true) => Some(Self::Succeeded),
            (Self::Pending | Self::Succeeded, false) => Some(Self::Failed),
            (Self::Succeeded, true) | (Self::Failed, _) => None,
        }
    }
}

/// How a dispute stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DisputeState {
    NeedsResponse,
    Won,
    Lost,
}

impl DisputeState {
    /// Stripe's word.
    pub(crate) fn status(self) -> &'static str {
        match self {
            Self::NeedsResponse => "needs_response",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }
}

/// One of the things that a session is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Line {
    pub name: String,
    pub quantity: i64,
    pub unit_amount: i64,
}

/// A Checkout Session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Session {
    pub id: String,
    pub created: i64,
    pub expires_at: i64,
    pub state: SessionState,
    pub amount: i64,
    pub currency: String,
    pub lines: Vec<Line>,
    pub metadata: Metadata,
    /// What its intent will have.
    pub intent_metadata: Metadata,
    /// Made when somebody first tries to pay.
    pub intent: Option<String>,
    pub success_url: String,
    pub cancel_url: Option<String>,
    /// The page to pay on.
    pub url: String,
    pub client_reference_id: Option<String>,
    pub customer_email: Option<String>,
    pub locale: Option<String>,
    pub submit_type: Option<String>,
    pub payment_method_types: Vec<String>,
    pub adaptive_pricing: bool,
}

/// A PaymentIntent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Intent {
    pub id: String,
    pub created: i64,
    pub state: IntentState,
    pub amount: i64,
    pub currency: String,
    pub metadata: Metadata,
    pub description: Option<String>,
    pub client_secret: String,
    pub payment_method_types: Vec<String>,
    pub latest_charge: Option<String>,
    /// The session that it was made for.
    pub session: Option<String>,
    pub cancellation_reason: Option<String>,
    pub canceled_at: Option<i64>,
    /// Whether the last try to pay failed.
    pub is_declined: bool,
}

/// A charge: one try to take money.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Charge {
    pub id: String,
    pub created: i64,
    pub standing: Standing,
    pub intent: String,
    pub amount: i64,
    pub amount_refunded: i64,
    pub currency: String,
    pub is_disputed: bool,
    pub metadata: Metadata,
}

/// A refund.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Refund {
    pub id: String,
    pub created: i64,
    pub standing: Standing,
    pub charge: String,
    pub intent: String,
    pub amount: i64,
    pub currency: String,
    pub reason: Option<String>,
    pub metadata: Metadata,
}

/// A dispute.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Dispute {
    pub id: String,
    pub created: i64,
    pub state: DisputeState,
    pub charge: String,
    pub intent: String,
    pub amount: i64,
    pub currency: String,
    pub reason: String,
}

/// Money that came or went: Stripe's balance transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Movement {
    pub id: String,
    pub created: i64,
    /// Whose money it is about.
    pub charge: String,
    /// The charge, refund or dispute that moved it.
    pub source: String,
    pub kind: String,
    /// Negative where it went.
    pub amount: i64,
    pub currency: String,
}

/// That something changed, with the object as it was then.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Event {
    pub id: String,
    pub created: i64,
    pub kind: String,
    pub object: Value,
    /// The request that made it and its `Idempotency-Key`.
    pub request: Option<(String, Option<String>)>,
    /// What it can be found by: ids of Stripe's and of the shop's.
    pub about: Vec<String>,
}

/// A refund that is asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewRefund {
    /// All that is left, without it.
    pub amount: Option<i64>,
    pub reason: Option<String>,
    pub metadata: Metadata,
    /// Whether its bank takes its time.
    pub is_pending: bool,
}

/// What was paid, where that is not what was asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct OtherMoney {
    pub amount: Option<i64>,
    pub currency: Option<String>,
}

/// All that the simulator knows.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Books {
    /// What makes the ids of these books others than those of other books.
    seed: String,
    /// How many ids were made.
    made: u64,
    /// Where the pages are: `http://localhost:3000`.
    pub shop: String,
    pub sessions: Table<Session>,
    pub intents: Table<Intent>,
    pub charges: Table<Charge>,
    pub refunds: Table<Refund>,
    pub disputes: Table<Dispute>,
    pub movements: Vec<Movement>,
    pub events: Table<Event>,
    pub deliveries: Vec<Delivery>,
    pub kept: HashMap<String, Kept>,
    pub faults: Vec<Fault>,
    pub switches: Vec<Switch>,
    /// The request that is being answered.
    #[serde(skip)]
    pub asking: Option<(String, Option<String>)>,
    /// Events that nobody has yet thought of delivering.
    #[serde(skip)]
    pub fresh: Vec<String>,
}

impl Books {
    /// Empty books.
    pub(crate) fn new(seed: &str, shop: &str) -> Self {
        Self { seed: seed.to_owned(), shop: shop.to_owned(), ..Self::default() }
    }

    /// An id like Stripe's: `pi_` and 24 letters and digits.
    pub(crate) fn new_id(&mut self, prefix: &str) -> String {
        const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        self.made += 1;
        let digest = Sha256::digest(format!("{} {}", self.seed, self.made));
        let letters = digest.iter().take(24).map(|byte| char::from(LETTERS[usize::from(*byte) % 62]));
        format!("{prefix}{}", letters.collect::<String>())
    }

    pub(crate) fn session(&self, id: &str) -> Result<&Session, Refusal> {
        self.sessions.get(id).ok_or_else(|| Refusal::missing("checkout.session", id, "session"))
    }

    pub(crate) fn intent(&self, id: &str) -> Result<&Intent, Refusal> {
        self.intents.get(id).ok_or_else(|| Refusal::missing("payment_intent", id, "intent"))
    }

    pub(crate) fn charge(&self, id: &str) -> Result<&Charge, Refusal> {
        self.charges.get(id).ok_or_else(|| Refusal::missing("charge", id, "charge"))
    }

    pub(crate) fn refund(&self, id: &str) -> Result<&Refund, Refusal> {
        self.refunds.get(id).ok_or_else(|| Refusal::missing("refund", id, "refund"))
    }

    pub(crate) fn dispute(&self, id: &str) -> Result<&Dispute, Refusal> {
        self.disputes.get(id).ok_or_else(|| Refusal::missing("dispute", id, "dispute"))
    }

    pub(crate) fn event(&self, id: &str) -> Result<&Event, Refusal> {
        self.events.get(id).ok_or_else(|| Refusal::missing("event", id, "id"))
    }

    /// What a payment can be found by: its session, its intent, its charge, and the shop's ids in their metadata.
    pub(crate) fn names_of(&self, session: Option<&str>, intent: Option<&str>) -> Vec<String> {
        let session = session.and_then(|id| self.sessions.get(id));
        let intent = intent.or(session.and_then(|session| session.intent.as_deref()));
        let intent = intent.and_then(|id| self.intents.get(id));
        let session = session.or_else(|| self.sessions.get(intent?.session.as_deref()?));
        let mut names = Vec::new();
        if let Some(session) = session {
            names.push(session.id.clone());
            names.extend(session.client_reference_id.clone());
            names.extend(ids_in(&session.metadata));
        }
        if let Some(intent) = intent {
            names.push(intent.id.clone());
            names.extend(intent.latest_charge.clone());
            names.extend(ids_in(&intent.metadata));
        }
        names.sort();
        names.dedup();
        names
    }

    /// Writes an event down.
    pub(crate) fn tell(&mut self, kind: &str, object: Value, about: Vec<String>, now: Moment) -> String {
        let (id, request) = (self.new_id("evt_"), self.asking.clone());
        let created = now.seconds();
        self.fresh.push(id.clone());
        self.events.add(Event { id: id.clone(), created, kind: kind.to_owned(), object, request, about });
        id
    }

    /// Ends what is over by now.
    pub(crate) fn pass(&mut self, now: Moment) {
        let is_over = |one: &&Session| one.state == SessionState::Open && one.expires_at <= now.seconds();
        let over: Vec<String> = self.sessions.iter().filter(is_over).map(|one| one.id.clone()).collect();
        for id in over {
            // It is open, so it can end.
            let _ = self.step(&id, Step::Ended, &OtherMoney::default(), false, now);
        }
    }

    /// A step of a session's. `force` lets one be paid that is over.
    pub(crate) fn step(
        &mut self,
        id: &str,
        step: Step,
        money: &OtherMoney,
        force: bool,
        now: Moment,
    ) -> Result<(), Refusal> {
        let session = self.session(id)?.clone();
        let forced = (force && step == Step::Paid && session.state == SessionState::Expired)
            .then_some(SessionState::Paid);
        let Some(next) = session.state.on(step).or(forced) else {
            return Err(Refusal::forbidden(format!(
                "This Checkout Session has a status of `{}` and is {}.",
                session.state.status(),
                if session.state == SessionState::Paid { "paid" } else { "unpaid" }
            )));
        };
        let intent = match step {
            Step::Paid | Step::PaidLater | Step::Declined => Some(self.intent_for(&session, now)),
            Step::Arrived | Step::Bounced | Step::Ended => session.intent.clone(),
        };
        if let Some(intent) = &intent {
            self.step_of_intent(intent, step, money, now)?;
        }
        let paid =
            intent.as_ref().and_then(|id| self.intents.get(id)).map(|one| (one.amount, one.currency.clone()));
        if let Some(session) = self.sessions.get_mut(id) {
            session.state = next;
            session.intent = intent;
            if let (Step::Paid | Step::PaidLater, Some((amount, currency))) = (step, paid) {
                (session.amount, session.currency) = (amount, currency);
            }
        }
        let kind = match step {
            Step::Paid | Step::PaidLater => "checkout.session.completed",
            Step::Arrived => "checkout.session.async_payment_succeeded",
            Step::Bounced => "checkout.session.async_payment_failed",
            Step::Ended => "checkout.session.expired",
            Step::Declined => return Ok(()),
        };
        let (object, about) = (self.session(id)?.shown(), self.names_of(Some(id), None));
        self.tell(kind, object, about, now);
        Ok(())
    }

    /// The intent of a session, made when somebody first tries to pay.
    fn intent_for(&mut self, session: &Session, now: Moment) -> String {
        let there = session.intent.as_ref().and_then(|id| self.intents.get(id));
        if let Some(intent) = there.filter(|intent| intent.state == IntentState::RequiresPaymentMethod) {
            return intent.id.clone();
        }
        let (amount, currency) = (session.amount, session.currency.clone());
        let mut intent = self.new_intent(amount, currency, session.intent_metadata.clone(), now);
        intent.session = Some(session.id.clone());
        intent.payment_method_types.clone_from(&session.payment_method_types);
        self.add_intent(intent, now)
    }

    /// An intent that is not written down yet.
    pub(crate) fn new_intent(
        &mut self,
        amount: i64,
        currency: String,
        metadata: Metadata,
        now: Moment,
    ) -> Intent {
        let id = self.new_id("pi_");
        Intent {
            client_secret: self.new_id(&format!("{id}_secret_")),
            id,
            created: now.seconds(),
            state: IntentState::RequiresPaymentMethod,
            amount,
            currency,
            metadata,
            description: None,
            payment_method_types: vec!["card".to_owned()],
            latest_charge: None,
            session: None,
            cancellation_reason: None,
            canceled_at: None,
            is_declined: false,
        }
    }

    /// Writes an intent down.
    pub(crate) fn add_intent(&mut self, intent: Intent, now: Moment) -> String {
        let (id, object) = (intent.id.clone(), intent.shown());
        self.intents.add(intent);
        let about = self.names_of(None, Some(&id));
        self.tell("payment_intent.created", object, about, now);
        id
    }

    /// A step of an intent's, with its charge and the money.
    pub(crate) fn step_of_intent(
        &mut self,
        id: &str,
        step: Step,
        money: &OtherMoney,
        now: Moment,
    ) -> Result<(), Refusal> {
        let intent = self.intent(id)?;
        let status = intent.state.status();
        let Some(next) = intent.state.on(step) else {
            let message = format!("This PaymentIntent has a status of {status}.");
            return Err(Refusal::forbidden(message).code("payment_intent_unexpected_state"));
        };
        if let Some(intent) = self.intents.get_mut(id) {
            intent.state = next;
            if let Step::Paid | Step::PaidLater = step {
                intent.amount = money.amount.unwrap_or(intent.amount);
                intent.currency = money.currency.clone().unwrap_or_else(|| intent.currency.clone());
            }
            intent.is_declined = matches!(step, Step::Declined | Step::Bounced);
            if step == Step::Ended {
                intent.canceled_at = Some(now.seconds());
                intent.cancellation_reason.get_or_insert_with(|| "automatic".to_owned());
            }
        }
        let told = match step {
            Step::Paid => [self.charge_for(id, Standing::Succeeded, now)?, Some("payment_intent.succeeded")],
            Step::PaidLater => {
                [self.charge_for(id, Standing::Pending, now)?, Some("payment_intent.processing")]
            }
            Step::Declined => {
                [self.charge_for(id, Standing::Failed, now)?, Some("payment_intent.payment_failed")]
            }
            Step::Arrived => {
                [self.settle_charge(id, Standing::Succeeded, now)?, Some("payment_intent.succeeded")]
            }
            Step::Bounced => {
                [self.settle_charge(id, Standing::Failed, now)?, Some("payment_intent.payment_failed")]
            }
            Step::Ended => [None, Some("payment_intent.canceled")],
        };
        for kind in told.into_iter().flatten() {
            let intent = self.intent(id)?;
            let object = match (kind.starts_with("charge."), &intent.latest_charge) {
                (true, Some(charge)) => self.charge(charge)?.shown(),
                (_, _) => intent.shown(),
            };
            let about = self.names_of(None, Some(id));
            self.tell(kind, object, about, now);
        }
        Ok(())
    }

    /// A new charge for an intent, and the event that tells of it.
    fn charge_for(
        &mut self,
        intent: &str,
        standing: Standing,
        now: Moment,
    ) -> Result<Option<&'static str>, Refusal> {
        let id = self.new_id("ch_");
        let intent = self.intent(intent)?.clone();
        self.charges.add(Charge {
            id: id.clone(),
            created: now.seconds(),
            standing: Standing::Pending,
            intent: intent.id.clone(),
            amount: intent.amount,
            amount_refunded: 0,
            currency: intent.currency,
            is_disputed: false,
            metadata: intent.metadata,
        });
        if let Some(intent) = self.intents.get_mut(&intent.id) {
            intent.latest_charge = Some(id);
        }
        match standing {
            Standing::Pending => Ok(Some("charge.pending")),
            Standing::Succeeded | Standing::Failed => self.settle_charge(&intent.id, standing, now),
        }
    }

    /// The bank's word on an intent's latest charge, and the event that tells of it.
    fn settle_charge(
        &mut self,
        intent: &str,
        standing: Standing,
        now: Moment,
    ) -> Result<Option<&'static str>, Refusal> {
        let Some(id) = self.intent(intent)?.latest_charge.clone() else { return Ok(None) };
        if let Some(charge) = self.charges.get_mut(&id) {
            charge.standing = standing;
        }
        if standing == Standing::Succeeded {
            let amount = self.charge(&id)?.amount;
            self.moves(&id, &id, "charge", amount, now)?;
            return Ok(Some("charge.succeeded"));
        }
        Ok(Some("charge.failed"))
    }

    fn moves(
        &mut self,
        charge: &str,
        source: &str,
        kind: &str,
        amount: i64,
        now: Moment,
    ) -> Result<(), Refusal> {
        let (id, currency) = (self.new_id("txn_"), self.charge(charge)?.currency.clone());
        let (charge, source, kind) = (charge.to_owned(), source.to_owned(), kind.to_owned());
        let created = now.seconds();
        self.movements.push(Movement { id, created, charge, source, kind, amount, currency });
        Ok(())
    }

    /// The charge of an intent that took money.
    pub(crate) fn charge_of(&self, intent: &str) -> Result<&Charge, Refusal> {
        let charge = self.intent(intent)?.latest_charge.as_ref().and_then(|id| self.charges.get(id));
        charge.filter(|charge| charge.standing == Standing::Succeeded).ok_or_else(|| {
            Refusal::forbidden(format!(
                "This PaymentIntent ({intent}) does not have a successful charge to refund."
            ))
        })
    }

    /// Gives money of a charge back.
    pub(crate) fn give_back(&mut self, charge: &str, new: NewRefund, now: Moment) -> Result<String, Refusal> {
        let charge = self.charge(charge)?.clone();
        let left = charge.amount - charge.amount_refunded;
        let amount = new.amount.unwrap_or(left);
        self.may_be_refunded(&charge, amount)?;
        let id = self.new_id("re_");
        if let Some(charge) = self.charges.get_mut(&charge.id) {
            charge.amount_refunded += amount;
        }
        self.refunds.add(Refund {
            id: id.clone(),
            created: now.seconds(),
            standing: if new.is_pending { Standing::Pending } else { Standing::Succeeded },
            charge: charge.id.clone(),
            intent: charge.intent.clone(),
            amount,
            currency: charge.currency.clone(),
            reason: new.reason,
            metadata: new.metadata,
        });
        self.moves(&charge.id, &id, "refund", -amount, now)?;
        self.tell_of_refund(&id, "refund.created", now)?;
        let (object, about) = (self.charge(&charge.id)?.shown(), self.names_of(None, Some(&charge.intent)));
        self.tell("charge.refunded", object, about, now);
        Ok(id)
    }

    fn may_be_refunded(&self, charge: &Charge, amount: i64) -> Result<(), Refusal> {
        let left = charge.amount - charge.amount_refunded;
        let is_open = |dispute: &Dispute| dispute.charge == charge.id && dispute.state != DisputeState::Won;
        if charge.standing != Standing::Succeeded {
            let message = format!(
                "This PaymentIntent ({}) does not have a successful charge to refund.",
                charge.intent
            );
            return Err(Refusal::forbidden(message));
        }
        if self.disputes.iter().any(is_open) {
            let message = format!("Charge {} has been charged back; cannot issue a refund.", charge.id);
            return Err(Refusal::forbidden(message).code("charge_disputed"));
        }
        if left == 0 {
            let message = format!("Charge {} has already been refunded.", charge.id);
            return Err(Refusal::forbidden(message).code("charge_already_refunded"));
        }
        if amount > left {
            let (asked, left) = (money::said(amount, &charge.currency), money::said(left, &charge.currency));
            let of =
                if charge.amount_refunded == 0 { "charge amount" } else { "unrefunded amount on charge" };
            let message = format!("Refund amount ({asked}) is greater than {of} ({left})");
            return Err(Refusal::forbidden(message).param("amount"));
        }
        Ok(())
    }

    fn tell_of_refund(&mut self, id: &str, kind: &str, now: Moment) -> Result<(), Refusal> {
        let refund = self.refund(id)?;
        let mut about = self.names_of(None, Some(&refund.intent));
        about.push(refund.id.clone());
        about.extend(ids_in(&refund.metadata));
        let object = refund.shown();
        self.tell(kind, object, about, now);
        Ok(())
    }

    /// The bank's word on a refund.
    pub(crate) fn settle_refund(&mut self, id: &str, is_taken: bool, now: Moment) -> Result<(), Refusal> {
        let refund = self.refund(id)?.clone();
        let Some(next) = refund.standing.refund_on(is_taken) else {
            let message = format!("This refund has a status of {}.", refund.standing.status());
            return Err(Refusal::forbidden(message));
        };
        if let Some(refund) = self.refunds.get_mut(id) {
            refund.standing = next;
        }
        if next == Standing::Failed {
            if let Some(charge) = self.charges.get_mut(&refund.charge) {
                charge.amount_refunded -= refund.amount;
            }
            self.moves(&refund.charge, id, "refund_failure", refund.amount, now)?;
        }
        self.tell_of_refund(id, "refund.updated", now)?;
        if next == Standing::Failed {
            self.tell_of_refund(id, "refund.failed", now)?;
        }
        Ok(())
    }

    /// The buyer's bank takes money of a charge back; by the exchange rate of the day it may be more than was paid.
    pub(crate) fn open_dispute(
        &mut self,
        charge: &str,
        amount: Option<i64>,
        reason: Option<String>,
        now: Moment,
    ) -> Result<String, Refusal> {
        let charge = self.charge(charge)?.clone();
        if charge.is_disputed {
            return Err(Refusal::forbidden(format!("Charge {} is disputed already.", charge.id)));
        }
        let (id, amount) = (self.new_id("dp_"), amount.unwrap_or(charge.amount));
        if let Some(charge) = self.charges.get_mut(&charge.id) {
            charge.is_disputed = true;
        }
        self.disputes.add(Dispute {
            id: id.clone(),
            created: now.seconds(),
            state: DisputeState::NeedsResponse,
            charge: charge.id.clone(),
            intent: charge.intent.clone(),
            amount,
            currency: charge.currency.clone(),
            reason: reason.unwrap_or_else(|| "fraudulent".to_owned()),
        });
        self.moves(&charge.id, &id, "dispute", -amount, now)?;
        for kind in ["charge.dispute.created", "charge.dispute.funds_withdrawn"] {
            self.tell_of_dispute(&id, kind, now)?;
        }
        Ok(id)
    }

    fn tell_of_dispute(&mut self, id: &str, kind: &str, now: Moment) -> Result<(), Refusal> {
        let dispute = self.dispute(id)?;
        let mut about = self.names_of(None, Some(&dispute.intent));
        about.push(dispute.id.clone());
        let object = dispute.shown();
        self.tell(kind, object, about, now);
        Ok(())
    }

    /// The banks' last word on a dispute.
    pub(crate) fn close_dispute(&mut self, id: &str, is_won: bool, now: Moment) -> Result<(), Refusal> {
        let dispute = self.dispute(id)?.clone();
        if dispute.state != DisputeState::NeedsResponse {
            let message = format!("This dispute has a status of {}.", dispute.state.status());
            return Err(Refusal::forbidden(message));
        }
        if let Some(dispute) = self.disputes.get_mut(id) {
            dispute.state = if is_won { DisputeState::Won } else { DisputeState::Lost };
        }
        if is_won {
            self.moves(&dispute.charge, id, "dispute_reversal", dispute.amount, now)?;
            self.tell_of_dispute(id, "charge.dispute.funds_reinstated", now)?;
        }
        self.tell_of_dispute(id, "charge.dispute.closed", now)
    }
}

/// The shop's ids in metadata.
pub(crate) fn ids_in(metadata: &Metadata) -> impl Iterator<Item = String> {
    metadata.iter().filter(|(name, _)| names_an_id(name)).map(|(_, id)| id.clone())
}
