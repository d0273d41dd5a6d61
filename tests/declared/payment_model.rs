//! Paying an order as a model: every interleaving of the buyer, Stripe, its webhooks, a second attempt, the sweep, the
//! cancelling of the order and the consumer of refunds, each of which may be repeated, and may die between any two of
//! its steps. Webhooks come late, twice or never.
//!
//! What follows from what Stripe says is the product's own [`decide`], on orders and attempts of the product's own
//! types. What the model adds is what the database's conditions and Stripe do around it. In every state that is
//! reached, all processes are ended and what repairs by itself is let run: then the books must be right.

#![expect(clippy::unwrap_used, reason = "the model itself is a test: what it cannot find is its fault")]

use std::sync::LazyLock;

use orders::{Order, OrderStatus};
use payments::Payment;
use payments::attempt::{AttemptStatus, Follows, Heard, Outcome};
use payments::deciding::{Decision, Known, Money, Said, State as Stripes, decide};
use payments::stripe::CurrencyCode;
use serde_json::json;
use shared::values::money::Amount;
use stateright::{Checker, Model, Property};

const ORDER: &str = "01a1fbbc-f982-7d04-8367-8c1b9055f3ff";
pub const AT: &str = "2026-11-28T12:00:00.000Z";

fn id(number: u8) -> String {
    format!("01a1fbbc-f982-7d04-8367-8c1b9055f40{number}")
}

/// An order of 99.99 USD in a status, of so many attempts, of which this one counts.
pub fn order(status: OrderStatus, attempts: u8, counts: u8) -> Order {
    let line = json!({
        "offerId": id(9), "productId": id(9), "productName": "Tea", "unitPrice": 9_999, "quantity": 1, "sellerId": "b0b"
    });
    let attempts: Vec<_> = (1..=attempts).map(id).collect();
    serde_json::from_value(json!({
        "orderId": ORDER, "userId": "ann", "contact": { "email": "ann@cartwright.test", "fullName": "Ann" },
        "schemaVersion": 1, "status": status, "paymentMethod": "card", "lines": [line], "total": 9_999,
        "currency": "USD", "createdAt": AT, "updatedAt": AT, "history": [{ "status": "awaiting_payment", "at": AT }],
        "payment": { "paid": 0, "refunding": 0, "refunded": 0, "paymentId": id(counts), "attempts": attempts }
    }))
    .unwrap()
}

/// The attempt of this number, as the table keeps it.
pub fn payment(number: u8, status: AttemptStatus, outcome: Option<Outcome>) -> Payment {
    serde_json::from_value(json!({
        "paymentId": id(number), "entry": "payment", "orderId": ORDER, "userId": "ann", "kind": "checkout_session",
        "attempt": number, "amount": 9_999, "currency": "USD", "status": status, "shop": "cartwright",
        "urlBase": "https://shop.example", "methods": ["card"], "expiresAt": AT, "captured": 0, "refundable": 0,
        "refunding": 0, "refunded": 0, "outcome": outcome, "createdAt": AT, "updatedAt": AT, "schemaVersion": 1
    }))
    .unwrap()
}

pub fn money(number: u8) -> Money {
    let currency = CurrencyCode::try_from("usd".to_owned()).unwrap();
    Money { intent: format!("pi_{number}").parse().unwrap(), amount: Amount::from_minor(9_999), currency }
}

pub fn said(number: u8, state: Stripes) -> Said {
    let (payment, order) = (id(number).parse().unwrap(), ORDER.parse().unwrap());
    Said { payment, order, session: None, state, event: None }
}

/// A session at Stripe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Session {
    None,
    Open,
    Expired,
    Paid,
}

/// A refund of a whole attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Back {
    None,
    Requested,
    Accepted,
}

/// One attempt, on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Attempt {
    status: AttemptStatus,
    outcome: Option<Outcome>,
    /// Whether the ledger has what came, and what went.
    charged: bool,
    repaid: bool,
    back: Back,
    session: Session,
    /// Whether its buyer can no longer be given a page: it would be too short.
    is_late: bool,
    /// How often Stripe has given it back.
    refunds: u8,
}

const NEW: Attempt = Attempt {
    status: AttemptStatus::Creating,
    outcome: None,
    charged: false,
    repaid: false,
    back: Back::None,
    session: Session::None,
    is_late: false,
    refunds: 0,
};

/// What somebody is about to do next. Each step is one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Process {
    /// To have Stripe make the page of an attempt, and then to note that.
    Make(u8),
    Note(u8),
    /// To write what was decided by an order and an attempt as they were.
    Write(u8, Read),
    /// To end the attempts from this one on, then to release the order, of which so many were read.
    Settle(u8, u8),
    /// The same before another attempt gets its page.
    GiveUp(u8, u8),
}

/// What was read when something was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Read {
    order: u8,
    counts: u8,
    attempts: u8,
    attempt: u8,
    charged: bool,
    is_paid: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    order: OrderStatus,
    counts: u8,
    attempts: Vec<Attempt>,
    /// How often the stock came back.
    released: u8,
    processes: Vec<Process>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Action {
    Pay(u8),
    /// Time goes by.
    Late(u8),
    Expires(u8),
    /// A webhook, or the page that the buyer comes back to.
    Hear(u8),
    TryAgain,
    Sweep,
    Cancel,
    Refund(u8),
    /// Stripe has made a refund, and whoever asked for it died.
    RefundUnheard(u8),
    Step(usize),
    Die(usize),
}

/// What keeps the promise. The model without it must be seen to break it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Safeguard {
    /// Every attempt is ended, and not the one that counts alone.
    EveryAttempt,
}

#[derive(Debug, Clone)]
struct Shop {
    /// Whether Stripe takes money by sessions that are expired: what it never should.
    is_rogue: bool,
    without: Option<Safeguard>,
}

pub type Orders = Vec<((OrderStatus, u8, u8), Order)>;

pub static ORDERS: LazyLock<Orders> = LazyLock::new(|| {
    let of = |status, attempts, counts| ((status, attempts, counts), order(status, attempts, counts));
    OrderStatus::ALL
        .into_iter()
        .flat_map(|status| [(1, 1), (2, 1), (2, 2)].map(|(many, counts)| of(status, many, counts)))
        .collect()
});

pub type Payments = Vec<((u8, AttemptStatus, Option<Outcome>), Payment)>;

pub static PAYMENTS: LazyLock<Payments> = LazyLock::new(|| {
    let outcomes = || [None].into_iter().chain(Outcome::ALL.map(Some));
    let of = |number, status| {
        outcomes().map(move |outcome| ((number, status, outcome), payment(number, status, outcome)))
    };
    [1, 2]
        .into_iter()
        .flat_map(|number| AttemptStatus::ALL.into_iter().flat_map(move |s| of(number, s)))
        .collect()
});

pub fn index<T: PartialEq>(all: &[T], one: &T) -> u8 {
    all.iter().position(|it| it == one).unwrap().try_into().unwrap()
}

impl State {
    fn at(&mut self, number: u8) -> &mut Attempt {
        &mut self.attempts[usize::from(number) - 1]
    }

    fn of(&self, number: u8) -> &Attempt {
        &self.attempts[usize::from(number) - 1]
    }

    fn many(&self) -> u8 {
        u8::try_from(self.attempts.len()).unwrap()
    }

    fn numbers(&self) -> impl Iterator<Item = u8> + use<> {
        1..=self.many()
    }

    fn read(&self, number: u8, is_paid: bool) -> Read {
        Read {
            order: index(&OrderStatus::ALL, &self.order),
            counts: self.counts,
            attempts: self.many(),
            attempt: index(&AttemptStatus::ALL, &self.of(number).status),
            charged: self.of(number).charged,
            is_paid,
        }
    }

    /// What Stripe says of an attempt, if there is something to say.
    fn hear(&self, number: u8) -> Option<Process> {
        match self.of(number).session {
            Session::None | Session::Open => None,
            Session::Expired => Some(Process::Write(number, self.read(number, false))),
            Session::Paid => Some(Process::Write(number, self.read(number, true))),
        }
    }

    fn start(&mut self, process: Process) {
        self.processes.push(process);
        self.processes.sort_unstable();
    }
}

impl Shop {
    fn has(&self, safeguard: Safeguard) -> bool {
        self.without != Some(safeguard)
    }

    /// Writes what was decided, if the conditions hold; otherwise it is decided anew.
    fn write(&self, state: &mut State, number: u8, read: Read) -> Option<Process> {
        let status = OrderStatus::ALL[usize::from(read.order)];
        let attempt = AttemptStatus::ALL[usize::from(read.attempt)];
        let outcome = state.of(number).outcome.filter(|_| attempt == AttemptStatus::Captured);
        let order = ORDERS.iter().find(|(of, _)| *of == (status, read.attempts, read.counts));
        let payment = PAYMENTS.iter().find(|(of, _)| *of == (number, attempt, outcome));
        let known = Known {
            order: order.map(|(_, order)| order),
            payment: payment.map(|(_, payment)| payment),
            is_in_the_ledger: read.charged,
        };
        let stripes = if read.is_paid { Stripes::Paid(money(number)) } else { Stripes::Dead };
        let decision = decide(known, &said(number, stripes));
        let is_free = !state.of(number).charged;
        let can = |state: &State, heard| matches!(state.of(number).status.on(heard), Follows::To(_));
        let is_done = match decision {
            Decision::Capture
                if state.order == OrderStatus::AwaitingPayment && can(state, Heard::Paid) && is_free =>
            {
                (state.order, state.counts) = (OrderStatus::Pending, number);
                let attempt = state.at(number);
                (attempt.status, attempt.charged) = (AttemptStatus::Captured, true);
                true
            }
            Decision::SendBack(outcome)
                if (state.order, state.counts) == (status, read.counts)
                    && can(state, Heard::Paid)
                    && is_free =>
            {
                let attempt = state.at(number);
                (attempt.status, attempt.charged) = (AttemptStatus::Captured, true);
                (attempt.outcome, attempt.back) = (Some(outcome), Back::Requested);
                true
            }
            Decision::Capture | Decision::SendBack(_) => false,
            Decision::Release => {
                let is_so = state.order == OrderStatus::AwaitingPayment
                    && (state.counts, state.many()) == (read.counts, read.attempts)
                    && (can(state, Heard::Died) || state.of(number).status == AttemptStatus::Dead);
                if is_so {
                    state.at(number).status = AttemptStatus::Dead;
                    state.order = OrderStatus::Cancelled;
                    state.released += 1;
                }
                is_so || state.order != OrderStatus::AwaitingPayment
            }
            Decision::Bury { .. } => {
                if can(state, Heard::Died) {
                    state.at(number).status = AttemptStatus::Dead;
                }
                true
            }
            Decision::Recorded { .. } | Decision::Nothing => true,
            Decision::Wait | Decision::Note | Decision::Unknown => panic!("{decision:?} of {read:?}"),
        };
        (!is_done).then(|| Process::Write(number, state.read(number, read.is_paid)))
    }

    /// Ends one attempt at Stripe; false where it turns out to be paid.
    fn kill(state: &mut State, number: u8) -> Result<(), Process> {
        let attempt = state.at(number);
        match (attempt.status, attempt.session) {
            (AttemptStatus::Dead, _) => return Ok(()),
            (AttemptStatus::Captured, _) | (_, Session::Paid) => {
                return Err(Process::Write(number, state.read(number, true)));
            }
            (_, Session::Open) => attempt.session = Session::Expired,
            // Stripe makes it now, and ends it at once; or it is too late for that.
            (_, Session::None) if !attempt.is_late => attempt.session = Session::Expired,
            (_, Session::None | Session::Expired) => {}
        }
        state.at(number).status = AttemptStatus::Dead;
        Ok(())
    }

    fn step(&self, state: &mut State, process: Process) -> Option<Process> {
        match process {
            Process::Make(number) => {
                let attempt = state.at(number);
                if attempt.session == Session::None && !attempt.is_late {
                    attempt.session = Session::Open;
                }
                Some(Process::Note(number))
            }
            Process::Note(number) => {
                let attempt = state.at(number);
                match (attempt.status.on(Heard::Made), attempt.session) {
                    (Follows::To(to), Session::Open | Session::Expired | Session::Paid) => {
                        attempt.status = to;
                    }
                    (Follows::GiveUp, Session::Open) => attempt.session = Session::Expired,
                    _ => {}
                }
                None
            }
            Process::Write(number, read) => self.write(state, number, read),
            Process::GiveUp(number, new) if number < new => match Self::kill(state, number) {
                Ok(()) => Some(Process::GiveUp(number + 1, new)),
                Err(paid) => Some(paid),
            },
            Process::GiveUp(_, new) => Some(Process::Make(new)),
            Process::Settle(number, many) if number <= many => match Self::kill(state, number) {
                Ok(()) => Some(Process::Settle(number + 1, many)),
                Err(paid) => Some(paid),
            },
            Process::Settle(_, many) => {
                let is_out = |attempt: &Attempt| attempt.status == AttemptStatus::Dead;
                let is_so = if self.has(Safeguard::EveryAttempt) {
                    state.many() == many && state.attempts.iter().all(is_out)
                } else {
                    is_out(state.of(state.counts))
                };
                if state.order == OrderStatus::AwaitingPayment && is_so {
                    state.order = OrderStatus::Cancelled;
                    state.released += 1;
                }
                None
            }
        }
    }

    fn settle(&self, state: &State) -> Process {
        let first = if self.has(Safeguard::EveryAttempt) { 1 } else { state.counts };
        Process::Settle(first, state.many())
    }

    fn run(&self, state: &mut State, process: Process) {
        let mut next = Some(process);
        while let Some(process) = next {
            next = self.step(state, process);
        }
    }

    fn refund(state: &mut State, number: u8, is_heard: bool) {
        let attempt = state.at(number);
        // Stripe makes one, by its key or because it is looked for first.
        attempt.refunds = 1;
        if is_heard {
            (attempt.back, attempt.repaid) = (Back::Accepted, true);
        }
    }

    /// What all is like once everybody has died, time has gone by, and what repairs by itself has run. No webhook
    /// comes.
    fn quiet(&self, state: &State) -> State {
        let mut state = state.clone();
        state.processes.clear();
        for number in state.numbers() {
            let attempt = state.at(number);
            attempt.is_late = true;
            if attempt.session == Session::Open {
                attempt.session = Session::Expired;
            }
        }
        for _ in 0..3 {
            if state.order == OrderStatus::AwaitingPayment {
                let settle = self.settle(&state);
                self.run(&mut state, settle);
            }
        }
        self.heard_at_last(&mut state);
        for number in state.numbers() {
            if state.of(number).back == Back::Requested {
                Self::refund(&mut state, number, true);
            }
        }
        state
    }

    /// Money that came when nobody waited for it is heard of by its webhook alone, which comes in the end.
    fn heard_at_last(&self, state: &mut State) {
        for number in state.numbers() {
            if self.is_rogue && state.of(number).session == Session::Paid {
                let heard = state.hear(number).unwrap();
                self.run(state, heard);
            }
        }
    }
}

impl Model for Shop {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let order = OrderStatus::AwaitingPayment;
        let processes = vec![Process::Make(1)];
        vec![State { order, counts: 1, attempts: vec![NEW], released: 0, processes }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let may_start = state.processes.len() < 2;
        for number in state.numbers() {
            let attempt = state.of(number);
            if attempt.session == Session::Open || (self.is_rogue && attempt.session == Session::Expired) {
                actions.push(Action::Pay(number));
            }
            if attempt.session == Session::Open {
                actions.push(Action::Expires(number));
            }
            if !attempt.is_late {
                actions.push(Action::Late(number));
            }
            if may_start && state.hear(number).is_some() {
                actions.push(Action::Hear(number));
            }
            if attempt.back == Back::Requested {
                actions.extend([Action::Refund(number), Action::RefundUnheard(number)]);
            }
        }
        let awaits = state.order == OrderStatus::AwaitingPayment;
        if may_start && awaits {
            actions.push(Action::Sweep);
            if state.many() < 2 {
                actions.push(Action::TryAgain);
            }
        }
        if state.order == OrderStatus::Pending {
            actions.push(Action::Cancel);
        }
        for process in 0..state.processes.len() {
            actions.extend([Action::Step(process), Action::Die(process)]);
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        match action {
            Action::Pay(number) => next.at(number).session = Session::Paid,
            Action::Expires(number) => next.at(number).session = Session::Expired,
            Action::Late(number) => next.at(number).is_late = true,
            Action::Hear(number) => next.start(state.hear(number)?),
            Action::TryAgain => {
                next.attempts.push(NEW);
                next.counts = 2;
                next.start(Process::GiveUp(1, 2));
            }
            Action::Sweep => next.start(self.settle(state)),
            Action::Cancel => {
                let counts = next.counts;
                let attempt = next.at(counts);
                if attempt.back == Back::None {
                    attempt.back = Back::Requested;
                    next.order = OrderStatus::Cancelled;
                    next.released += 1;
                }
            }
            Action::Refund(number) => Self::refund(&mut next, number, true),
            Action::RefundUnheard(number) => Self::refund(&mut next, number, false),
            Action::Step(process) => {
                let process = next.processes.remove(process);
                if let Some(then) = self.step(&mut next, process) {
                    next.start(then);
                }
            }
            Action::Die(process) => drop(next.processes.remove(process)),
        }
        (next != *state).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(STOCK, |_, state: &State| {
                state.released == u8::from(state.order == OrderStatus::Cancelled)
            }),
            Property::always(KEPT, |_, state: &State| {
                state.order != OrderStatus::Pending || {
                    let attempt = state.of(state.counts);
                    attempt.status == AttemptStatus::Captured
                        && attempt.outcome.is_none()
                        && attempt.back == Back::None
                }
            }),
            Property::always(BOOKS, |shop, state: &State| {
                let quiet = shop.quiet(state);
                let kept = |attempt: &Attempt| attempt.session == Session::Paid && attempt.refunds == 0;
                let is_booked = |attempt: &Attempt| {
                    attempt.charged == (attempt.session == Session::Paid)
                        && attempt.repaid == (attempt.refunds == 1)
                };
                let many = quiet.attempts.iter().filter(|attempt| kept(attempt)).count();
                let expected = usize::from(quiet.order == OrderStatus::Pending);
                quiet.order != OrderStatus::AwaitingPayment
                    && quiet.attempts.iter().all(is_booked)
                    && many == expected
            }),
            Property::sometimes(IS_PAID, |_, state: &State| state.order == OrderStatus::Pending),
            Property::sometimes(IS_RELEASED, |_, state: &State| {
                state.order == OrderStatus::Cancelled && state.attempts.iter().all(|it| !it.charged)
            }),
            Property::sometimes(BY_THE_FIRST, |_, state: &State| {
                state.order == OrderStatus::Pending && state.many() == 2 && state.counts == 1
            }),
            Property::sometimes(IS_SENT_BACK, |shop: &Shop, state: &State| {
                !shop.is_rogue || state.attempts.iter().any(|attempt| attempt.outcome == Some(Outcome::Late))
            }),
        ]
    }
}

const STOCK: &str = "the stock of an order comes back once, with its end";
const KEPT: &str = "an order that is to be sent has its money";
const BOOKS: &str = "the books are Stripe's, and nothing is kept for an order that is over";
// The model says something only if it gets as far as this.
const IS_PAID: &str = "an order is paid";
const IS_RELEASED: &str = "an order is released";
const BY_THE_FIRST: &str = "an order is paid by its first attempt though there is a second";
const IS_SENT_BACK: &str = "late money goes back";

/// The properties that do not hold.
fn broken(shop: Shop) -> Vec<&'static str> {
    let checker = shop.checker().threads(2).spawn_bfs().join();
    let found = checker.discoveries();
    let names = [STOCK, KEPT, BOOKS];
    let unreached = [IS_PAID, IS_RELEASED, BY_THE_FIRST, IS_SENT_BACK];
    let broken = names.into_iter().filter(|name| found.contains_key(name));
    broken.chain(unreached.into_iter().filter(|name| !found.contains_key(name))).collect()
}

#[test]
fn whatever_happens_the_books_are_stripes_and_nobody_pays_for_nothing() {
    assert_eq!(broken(Shop { is_rogue: false, without: None }), Vec::<&str>::new());
}

#[test]
fn money_that_stripe_should_not_have_taken_goes_back() {
    assert_eq!(broken(Shop { is_rogue: true, without: None }), Vec::<&str>::new());
}

#[test]
fn asking_about_the_attempt_that_counts_alone_keeps_money_for_nothing() {
    let without = Some(Safeguard::EveryAttempt);
    assert!(broken(Shop { is_rogue: false, without }).contains(&BOOKS));
}
