//! The life of an order as a model: every interleaving of the buyer, the queue, the workflow, the sweep and the sender
//! of emails is tried, each of which may be repeated, and may die between any two of its steps.
//!
//! The rules are the product's own: [`OrderStatus::on`], [`DueOrder::owed`], [`Order::letter`] and
//! [`LetterKind::settles`]. What the model adds is what the database, the queues and the workflow do around them. A
//! step is what one AWS call does, since that is where a function can die. The same is done to the running system, with
//! far fewer interleavings, by `cargo local test --faults`.

#![expect(clippy::unwrap_used, reason = "the model itself is a test: what it cannot find is its fault")]

use std::sync::LazyLock;

use orders::purchase::Prices;
use orders::{Contact, DueOrder, Fulfilment, LetterKind, NewOrder, Order, OrderStatus, Owed, Transition};
use products::ProductOffer;
use shared::caller::Caller;
use shared::http::input;
use shared::values::time::Timestamp;
use stateright::{Checker, Expectation, Model, Property};

const KINDS: [LetterKind; 4] = LetterKind::ALL;

const STOCK: &str = "no piece is sold twice or lost";
const PROMISED: &str = "what is promised is what orders hold that have not left";
const KEY: &str = "a key makes one order and has one answer";
const TRUTH: &str = "nobody is told what is not so";
const EMAIL: &str = "an email goes out once, or its repetition was counted";
const END: &str = "an accepted order is told how it ended once all goes well";
// The model says something only if it gets as far as this.
const SHIPS: &str = "an order ships";
const ARRIVES: &str = "an order arrives";
const IS_CANCELLED: &str = "an order is cancelled";
const GOES_OUT_TWICE: &str = "an email goes out twice";

/// What keeps the promise. The model without one of them must be seen to break it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Safeguard {
    StockCondition,
    IdempotencyRecord,
    StatusCondition,
    Claim,
    Sweep,
    HandedOverOnce,
    OwedNothingWhileItWaits,
}

/// Two people who want the last piece, or one alone.
#[derive(Debug, Clone)]
struct Shop {
    buyers: usize,
    stock: i8,
    /// Whether a person says when an order ships, and not the workflow. Then one also says that it arrived.
    by_hand: bool,
    without: Option<Safeguard>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    stock: i8,
    promised: i8,
    carts: Vec<Cart>,
}

/// One buyer's wish for one piece under one idempotency key, and all that follows from it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Cart {
    /// Requests that have read and not yet written.
    requests: Vec<Request>,
    /// How often the buyer has sent it.
    asked: u8,
    /// How many orders the key has made.
    placed: u8,
    accepted: bool,
    refused_after: bool,
    status: Option<OrderStatus>,
    due: bool,
    attempts: u8,
    /// Messages in the Orders queue.
    queued: u8,
    /// Executions of the workflow.
    runs: Vec<Step>,
    emails: [Mail; 4],
    /// Messages in the Stock queue: the table's stream tells once of each write that was made.
    shipped_told: u8,
    handed_over: bool,
}

/// What a request read before its transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Request {
    in_stock: bool,
    recorded: bool,
}

/// The next state of an execution of `statemachines/order-fulfilment.asl.yaml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Step {
    QueueConfirmation,
    Ship,
    QueueShipping,
    Release,
    QueueCancellation,
}

/// One kind of email about one order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Mail {
    queued: u8,
    claim: Claim,
    sender: Option<Sender>,
    sent: u8,
    possible_duplicate: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
enum Claim {
    #[default]
    Free,
    Held,
    Sent,
}

/// Where the function that handles the message is. There is one at a time: the claim keeps out a second one as long as
/// the first lives, since its lease is longer than a function may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Sender {
    Claimed,
    Sent,
    Recorded,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Action {
    Ask(usize),
    /// The transaction; with or without what comes after it.
    Write(usize, usize, Ending),
    Cancel(usize, Ending),
    /// The seller or an admin says what became of the order.
    Tell(usize, Word, Ending),
    /// The consumer starts an execution; the message may be delivered again.
    Consume(usize, Ending),
    Run(usize, usize, Outcome),
    Sweep(usize, Ending),
    /// A message of the Emails queue is delivered, the claim tried and its order read at the same time. Who finds that
    /// there is nothing to say gives the claim back, or dies before.
    Claim(usize, usize, Ending),
    /// Its sender takes its next step, or dies.
    Send(usize, usize, Ending),
    /// SES refuses the email, and the claim is given back.
    Refuse(usize, usize),
    /// A message of the Stock queue is delivered, and may be again.
    HandOver(usize, Ending),
}

/// What a person says of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Word {
    Shipped,
    Delivered,
}

/// Whether what a function does after its first lasting effect still happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Ending {
    Good,
    Dies,
}

/// What the workflow sees of a task after all its retries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Outcome {
    Done,
    Failed,
    /// It took effect, and its answer was lost.
    FailedAfterwards,
}

/// What the product's rules say, looked up once: states are many.
struct Rules {
    owed: Vec<(OrderStatus, Vec<Owed>)>,
    told: Vec<(OrderStatus, [bool; 4])>,
}

static RULES: LazyLock<Rules> = LazyLock::new(|| {
    let now = Timestamp::from_unix_millis(1_790_000_000_000);
    let product = r#"{"fileName":"p.png","fileType":"image/png","productName":"Tea","productPrice":4.5,
        "description":"Good.","quantity":9,"category":"Things"}"#;
    let product = input::parse(product.as_bytes()).unwrap();
    let ProductOffer { product, offer, .. } =
        ProductOffer::new(product, &Caller::for_tests("seller"), "USD".parse().unwrap(), now);
    let offer = offer.with_terms(product.approved(Vec::new(), now).terms());
    let new = format!(r#"{{"id":"{}","quantity":1}}"#, offer.id());
    let new: NewOrder = input::parse(new.as_bytes()).unwrap();
    let contact: Contact =
        serde_json::from_str(r#"{"email":"ann@cartwright.test","fullName":"Ann"}"#).unwrap();
    let ann = Caller::for_tests("ann");
    let shop = orders::Shop { fulfilment: Fulfilment::Automatic, country: "DE".parse().unwrap() };
    let prices = Prices { offers: vec![offer], ..Prices::default() };
    let (placed, _) = Order::place(&new, &prices, shop, ann.id(), contact, now).unwrap();
    let changed = |status: OrderStatus, attempts: u8| {
        let mut value = serde_json::to_value(&placed).unwrap();
        value["status"] = status.as_str().into();
        value["attempts"] = attempts.into();
        value
    };
    let owed = |status, attempts| {
        let due: DueOrder = serde_json::from_value(changed(status, attempts)).unwrap();
        due.owed()
    };
    let is_told = |status, kind| {
        let order: Order = serde_json::from_value(changed(status, 0)).unwrap();
        order.letter(kind).unwrap().is_some()
    };
    Rules {
        owed: OrderStatus::ALL.map(|status| (status, (0..=20).map(|n| owed(status, n)).collect())).into(),
        told: OrderStatus::ALL.map(|status| (status, KINDS.map(|kind| is_told(status, kind)))).into(),
    }
});

fn owed(status: OrderStatus, attempts: u8) -> Owed {
    // Nothing changes after so many.
    RULES.owed.iter().find(|(of, _)| *of == status).unwrap().1[usize::from(attempts.min(20))]
}

fn is_told(status: OrderStatus, kind: usize) -> bool {
    RULES.told.iter().find(|(of, _)| *of == status).unwrap().1[kind]
}

fn index(kind: LetterKind) -> usize {
    KINDS.iter().position(|one| *one == kind).unwrap()
}

impl Shop {
    fn has(&self, safeguard: Safeguard) -> bool {
        self.without != Some(safeguard)
    }

    /// The conditional update that an action is, with the stock in the same transaction.
    fn transition(&self, state: &mut State, cart: usize, action: orders::Action) -> Transition {
        let Some(status) = state.carts[cart].status else { return Transition::Refused };
        let mut transition = status.on(action);
        if !self.has(Safeguard::StatusCondition) {
            transition = Transition::To(match action {
                orders::Action::Ship => OrderStatus::Shipping,
                orders::Action::Deliver => OrderStatus::Delivered,
                orders::Action::Cancel | orders::Action::Expire => OrderStatus::Cancelled,
                orders::Action::Pay => OrderStatus::Pending,
            });
        }
        if let Transition::To(to) = transition {
            let cart = &mut state.carts[cart];
            cart.status = Some(to);
            // Every transition makes the order due anew, whatever it was.
            cart.due = cart.due || self.has(Safeguard::StatusCondition);
            cart.attempts = 0;
            match action {
                orders::Action::Ship => cart.shipped_told = (cart.shipped_told + 1).min(2),
                orders::Action::Deliver | orders::Action::Pay => {}
                orders::Action::Cancel | orders::Action::Expire => {
                    state.stock += 1;
                    state.promised -= 1;
                }
            }
        }
        transition
    }

    /// The same for the workflow, which leaves alone what a person ships: `None`. Where it comes to ship that, it notes
    /// that nothing is owed until then.
    fn of_workflow(&self, state: &mut State, cart: usize, action: orders::Action) -> Option<Transition> {
        if !self.by_hand || state.carts[cart].status != Some(OrderStatus::Pending) {
            return Some(self.transition(state, cart, action));
        }
        if action == orders::Action::Ship && self.has(Safeguard::OwedNothingWhileItWaits) {
            state.carts[cart].due = false;
        }
        None
    }

    /// The rest of a request to create-order.
    fn write(&self, state: &mut State, cart: usize, request: usize, ending: Ending) {
        let Request { in_stock, recorded } = state.carts[cart].requests.remove(request);
        let is_recorded = self.has(Safeguard::IdempotencyRecord) && state.carts[cart].placed > 0;
        let enough = state.stock >= 1 || (!self.has(Safeguard::StockCondition) && in_stock);
        if recorded || is_recorded {
            // By the first read, by the second one after a refusal, or by the transaction's condition: the first
            // answer.
            state.carts[cart].accepted |= ending == Ending::Good;
        } else if !in_stock || !enough {
            let cart = &mut state.carts[cart];
            cart.refused_after |= cart.accepted;
        } else {
            state.stock -= 1;
            state.promised += 1;
            let cart = &mut state.carts[cart];
            cart.placed += 1;
            cart.status = Some(OrderStatus::Pending);
            cart.due = true;
            if ending == Ending::Good {
                cart.queued = (cart.queued + 1).min(2);
                cart.accepted = true;
            }
        }
    }

    fn run(&self, state: &mut State, cart: usize, run: usize, outcome: Outcome) {
        let step = state.carts[cart].runs.remove(run);
        let took_effect = outcome != Outcome::Failed;
        let next = match step {
            Step::QueueConfirmation | Step::QueueShipping | Step::QueueCancellation => {
                let kind = match step {
                    Step::QueueConfirmation => LetterKind::Confirmed,
                    Step::QueueShipping => LetterKind::Shipping,
                    _ => LetterKind::Cancelled,
                };
                if took_effect {
                    queue(&mut state.carts[cart], kind);
                }
                match (step, outcome) {
                    (Step::QueueConfirmation, Outcome::Done) => Some(Step::Ship),
                    (Step::QueueConfirmation, _) => Some(Step::Release),
                    _ => None,
                }
            }
            Step::Ship => {
                let transition = took_effect.then(|| self.of_workflow(state, cart, orders::Action::Ship));
                match (outcome, transition) {
                    (Outcome::Done, Some(None | Some(Transition::Refused))) => None,
                    (Outcome::Done, _) => Some(Step::QueueShipping),
                    _ => Some(Step::Release),
                }
            }
            Step::Release => {
                let transition = took_effect.then(|| self.of_workflow(state, cart, orders::Action::Cancel));
                match (outcome, transition) {
                    // The execution fails, and the order is due until it was confirmed.
                    (Outcome::Done, Some(None)) => None,
                    (Outcome::Done, Some(Some(Transition::Refused))) => Some(Step::QueueShipping),
                    (Outcome::Done, _) => Some(Step::QueueCancellation),
                    // The execution fails, and the order is still due.
                    _ => None,
                }
            }
        };
        let runs = &mut state.carts[cart].runs;
        runs.extend(next);
        runs.sort_unstable();
    }

    fn sweep(cart: &mut Cart, ending: Ending) {
        let Some(status) = cart.status else { return };
        let owed = owed(status, cart.attempts);
        cart.attempts += 1;
        if ending == Ending::Dies {
            return;
        }
        match owed {
            Owed::Fulfilment => cart.queued = (cart.queued + 1).min(2),
            Owed::Letter(kind) => queue(cart, kind),
            // Paying has a model of its own.
            Owed::Payment => {}
            Owed::Abandoned => cart.due = false,
        }
    }

    fn claim(&self, cart: &mut Cart, kind: usize, ending: Ending) {
        let Some(status) = cart.status else { return };
        let is_told = is_told(status, kind);
        let mail = &mut cart.emails[kind];
        if !is_told {
            if mail.claim != Claim::Sent && self.has(Safeguard::Claim) {
                mail.claim = if ending == Ending::Good { Claim::Free } else { Claim::Held };
            }
            mail.queued -= u8::from(ending == Ending::Good);
            return;
        }
        match mail.claim {
            Claim::Sent => mail.sender = Some(Sender::Recorded),
            Claim::Free => {
                if self.has(Safeguard::Claim) {
                    mail.claim = Claim::Held;
                }
                mail.sender = Some(Sender::Claimed);
            }
            // Its sender died: the lease is over.
            Claim::Held => {
                mail.possible_duplicate = true;
                mail.sender = Some(Sender::Claimed);
            }
        }
    }

    fn send(&self, cart: &mut Cart, kind: usize, ending: Ending) {
        let mail = &mut cart.emails[kind];
        if ending == Ending::Dies {
            mail.sender = None;
            return;
        }
        match mail.sender {
            Some(Sender::Claimed) => {
                mail.sent += 1;
                mail.sender = Some(Sender::Sent);
            }
            Some(Sender::Sent) => {
                mail.claim = Claim::Sent;
                mail.sender = Some(Sender::Recorded);
            }
            Some(Sender::Recorded) => {
                mail.sender = None;
                mail.queued -= 1;
                if KINDS[kind].settles().is_some_and(|status| cart.status == Some(status)) {
                    cart.due = false;
                }
            }
            None => {}
        }
    }

    /// Takes the piece off what is promised, and marks the order in the same transaction.
    fn hand_over(&self, state: &mut State, cart: usize, ending: Ending) {
        let order = &mut state.carts[cart];
        order.shipped_told -= u8::from(ending == Ending::Good);
        if !order.handed_over || !self.has(Safeguard::HandedOverOnce) {
            order.handed_over = true;
            state.promised -= 1;
        }
    }

    /// All goes well from here: nobody dies, everything is delivered, and the sweep comes by.
    fn at_rest(&self, mut state: State) -> State {
        for _ in 0..40 {
            let before = state.clone();
            for cart in 0..state.carts.len() {
                while !state.carts[cart].requests.is_empty() {
                    self.write(&mut state, cart, 0, Ending::Good);
                }
                while state.carts[cart].queued > 0 {
                    state.carts[cart].queued -= 1;
                    state.carts[cart].runs.push(Step::QueueConfirmation);
                }
                while !state.carts[cart].runs.is_empty() {
                    self.run(&mut state, cart, 0, Outcome::Done);
                }
                while state.carts[cart].shipped_told > 0 {
                    self.hand_over(&mut state, cart, Ending::Good);
                }
                for kind in 0..KINDS.len() {
                    while state.carts[cart].emails[kind].queued > 0 {
                        let cart = &mut state.carts[cart];
                        match cart.emails[kind].sender {
                            None => self.claim(cart, kind, Ending::Good),
                            Some(_) => self.send(cart, kind, Ending::Good),
                        }
                    }
                }
                if state.carts[cart].due && self.has(Safeguard::Sweep) {
                    Self::sweep(&mut state.carts[cart], Ending::Good);
                }
            }
            if state == before {
                break;
            }
        }
        state
    }
}

fn queue(cart: &mut Cart, kind: LetterKind) {
    let queued = &mut cart.emails[index(kind)].queued;
    *queued = (*queued + 1).min(2);
}

/// Pieces that are taken by orders.
fn reserved(state: &State) -> i8 {
    let taken = |cart: &&Cart| cart.status.is_some_and(|status| status != OrderStatus::Cancelled);
    i8::try_from(state.carts.iter().filter(taken).count()).unwrap()
}

/// Pieces of orders that have not left.
fn held(state: &State) -> i8 {
    let is_held = |cart: &&Cart| match cart.status {
        Some(OrderStatus::AwaitingPayment | OrderStatus::Pending) => true,
        Some(OrderStatus::Shipping | OrderStatus::Delivered) => !cart.handed_over,
        Some(OrderStatus::Cancelled) | None => false,
    };
    i8::try_from(state.carts.iter().filter(is_held).count()).unwrap()
}

/// Whether an order's last word was this, and nothing is owed any more.
fn is_settled_by(state: &State, kind: LetterKind) -> bool {
    state.carts.iter().any(|cart| cart.emails[index(kind)].sent > 0 && !cart.due)
}

impl Model for Shop {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State { stock: self.stock, promised: 0, carts: vec![Cart::default(); self.buyers] }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (index, cart) in state.carts.iter().enumerate() {
            if cart.asked < 3 && cart.requests.len() < 2 {
                actions.push(Action::Ask(index));
            }
            for ending in [Ending::Good, Ending::Dies] {
                actions.extend((0..cart.requests.len()).map(|one| Action::Write(index, one, ending)));
                // The bounds keep the model finite: what is repeated once can be repeated often.
                let may_queue = |kind| cart.status.is_some() && cart.emails[self::index(kind)].queued < 2;
                if may_queue(LetterKind::Cancelled) {
                    actions.push(Action::Cancel(index, ending));
                }
                if self.by_hand && may_queue(LetterKind::Shipping) {
                    actions.push(Action::Tell(index, Word::Shipped, ending));
                }
                if self.by_hand && may_queue(LetterKind::Delivered) {
                    actions.push(Action::Tell(index, Word::Delivered, ending));
                }
                if cart.queued > 0 && cart.runs.len() < 2 {
                    actions.push(Action::Consume(index, ending));
                }
                if cart.due && cart.attempts < 1 {
                    actions.push(Action::Sweep(index, ending));
                }
                if cart.shipped_told > 0 {
                    actions.push(Action::HandOver(index, ending));
                }
            }
            for outcome in [Outcome::Done, Outcome::Failed, Outcome::FailedAfterwards] {
                actions.extend((0..cart.runs.len()).map(|one| Action::Run(index, one, outcome)));
            }
            for (kind, mail) in cart.emails.iter().enumerate() {
                if mail.sender.is_some() {
                    actions.push(Action::Send(index, kind, Ending::Good));
                    actions.push(Action::Send(index, kind, Ending::Dies));
                    if mail.sender == Some(Sender::Claimed) {
                        actions.push(Action::Refuse(index, kind));
                    }
                } else if mail.queued > 0 && mail.sent < 2 {
                    actions.push(Action::Claim(index, kind, Ending::Good));
                    // Only where there is nothing to say does the claim end in the same step.
                    if cart.status.is_some_and(|status| !is_told(status, kind)) {
                        actions.push(Action::Claim(index, kind, Ending::Dies));
                    }
                }
            }
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        match action {
            Action::Ask(cart) => {
                let in_stock = next.stock >= 1;
                let cart = &mut next.carts[cart];
                let recorded = self.has(Safeguard::IdempotencyRecord) && cart.placed > 0;
                cart.asked += 1;
                cart.requests.push(Request { in_stock, recorded });
                cart.requests.sort_unstable();
            }
            Action::Write(cart, request, ending) => self.write(&mut next, cart, request, ending),
            Action::Cancel(cart, ending) => {
                let transition = self.transition(&mut next, cart, orders::Action::Cancel);
                if ending == Ending::Good && transition != Transition::Refused {
                    queue(&mut next.carts[cart], LetterKind::Cancelled);
                }
            }
            Action::Tell(cart, word, ending) => {
                let (action, letter) = match word {
                    Word::Shipped => (orders::Action::Ship, LetterKind::Shipping),
                    Word::Delivered => (orders::Action::Deliver, LetterKind::Delivered),
                };
                let transition = self.transition(&mut next, cart, action);
                if ending == Ending::Good && transition != Transition::Refused {
                    queue(&mut next.carts[cart], letter);
                }
            }
            Action::Consume(cart, ending) => {
                let cart = &mut next.carts[cart];
                cart.runs.push(Step::QueueConfirmation);
                cart.runs.sort_unstable();
                // A consumer that dies after the start leaves the message, which is delivered again.
                cart.queued -= u8::from(ending == Ending::Good);
            }
            Action::Run(cart, run, outcome) => self.run(&mut next, cart, run, outcome),
            Action::Sweep(cart, ending) => Self::sweep(&mut next.carts[cart], ending),
            Action::Claim(cart, kind, ending) => self.claim(&mut next.carts[cart], kind, ending),
            Action::Send(cart, kind, ending) => self.send(&mut next.carts[cart], kind, ending),
            Action::Refuse(cart, kind) => {
                let mail = &mut next.carts[cart].emails[kind];
                mail.sender = None;
                mail.claim = Claim::Free;
            }
            Action::HandOver(cart, ending) => self.hand_over(&mut next, cart, ending),
        }
        (next != *state).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(STOCK, |shop: &Self, state: &State| {
                state.stock >= 0 && state.stock + reserved(state) == shop.stock
            }),
            Property::always(PROMISED, |_, state: &State| state.promised == held(state)),
            Property::always(KEY, |_, state: &State| {
                state.carts.iter().all(|cart| cart.placed <= 1 && !cart.refused_after)
            }),
            Property::always(TRUTH, |_, state: &State| {
                state.carts.iter().all(|cart| {
                    let told = |kind| cart.emails[index(kind)].sent > 0;
                    !told(LetterKind::Cancelled)
                        || !(told(LetterKind::Shipping) || told(LetterKind::Delivered))
                })
            }),
            Property::always(EMAIL, |_, state: &State| {
                let mails = state.carts.iter().flat_map(|cart| &cart.emails);
                mails.into_iter().all(|mail| mail.sent <= 1 || mail.possible_duplicate)
            }),
            Property::always(END, |shop: &Self, state: &State| {
                let state = shop.at_rest(state.clone());
                state.carts.iter().all(|cart| {
                    let told = |kind| cart.emails[index(kind)].sent > 0;
                    let ended = match cart.status {
                        None => !cart.accepted,
                        // It may wait for its seller, who was told as much as its buyer: that it is there.
                        // Paying has a model of its own.
                        Some(OrderStatus::AwaitingPayment) => false,
                        Some(OrderStatus::Pending) => shop.by_hand && told(LetterKind::Confirmed),
                        Some(OrderStatus::Shipping) => told(LetterKind::Shipping) && cart.handed_over,
                        Some(OrderStatus::Delivered) => told(LetterKind::Delivered) && cart.handed_over,
                        Some(OrderStatus::Cancelled) => told(LetterKind::Cancelled),
                    };
                    ended && !cart.due && cart.runs.is_empty() && cart.queued == 0
                })
            }),
            Property::sometimes(SHIPS, |_, state: &State| is_settled_by(state, LetterKind::Shipping)),
            Property::sometimes(ARRIVES, |shop: &Self, state: &State| {
                !shop.by_hand || is_settled_by(state, LetterKind::Delivered)
            }),
            Property::sometimes(IS_CANCELLED, |_, state: &State| is_settled_by(state, LetterKind::Cancelled)),
            Property::sometimes(GOES_OUT_TWICE, |_, state: &State| {
                state.carts.iter().any(|cart| cart.emails[index(LetterKind::Shipping)].sent > 1)
            }),
        ]
    }
}

/// Which promises some interleaving of at most `depth` steps breaks; what should be possible and is not counts as well.
fn broken(shop: Shop, depth: usize) -> Vec<&'static str> {
    // One thread: only then is every state found by the shortest way to it, and so the depth the same in each run.
    let checker = shop.checker().threads(1).target_max_depth(depth).spawn_bfs().join();
    println!("{} steps lead to {} states", checker.state_count(), checker.unique_state_count());
    let found = checker.discoveries();
    for (name, path) in &found {
        println!("{name}: {:?}", path.clone().into_actions());
    }
    let is_broken = |property: &Property<Shop>| match property.expectation {
        Expectation::Always => found.contains_key(property.name),
        Expectation::Sometimes | Expectation::Eventually => !found.contains_key(property.name),
    };
    checker.model().properties().iter().filter(|one| is_broken(one)).map(|one| one.name).collect()
}

/// One person's order, until it is told how it ended.
fn one_order(without: Option<Safeguard>) -> Vec<&'static str> {
    broken(Shop { buyers: 1, stock: 1, by_hand: false, without }, 13)
}

/// The same where a person ships it and says that it arrived.
fn one_order_by_hand(without: Option<Safeguard>) -> Vec<&'static str> {
    broken(Shop { buyers: 1, stock: 1, by_hand: true, without }, 11)
}

/// The same without what takes longer than the first steps of two orders.
fn two_orders(without: Option<Safeguard>) -> Vec<&'static str> {
    let mut broken = broken(Shop { buyers: 2, stock: 1, by_hand: false, without }, 8);
    broken.retain(|name| ![SHIPS, ARRIVES, IS_CANCELLED, GOES_OUT_TWICE].contains(name));
    broken
}

#[test]
fn an_order_keeps_every_promise_in_every_interleaving() {
    assert_eq!(one_order(None), Vec::<&str>::new());
}

#[test]
fn an_order_that_a_person_ships_keeps_every_promise_in_every_interleaving() {
    assert_eq!(one_order_by_hand(None), Vec::<&str>::new());
}

#[test]
fn two_orders_for_the_last_piece_keep_every_promise_in_every_interleaving() {
    assert_eq!(two_orders(None), Vec::<&str>::new());
}

#[test]
fn without_a_condition_on_the_stock_a_piece_is_sold_twice() {
    assert_eq!(two_orders(Some(Safeguard::StockCondition)), [STOCK]);
}

#[test]
fn without_an_idempotency_record_a_key_makes_two_orders() {
    assert!(two_orders(Some(Safeguard::IdempotencyRecord)).contains(&KEY));
}

#[test]
fn without_a_condition_on_the_status_stock_comes_back_twice() {
    assert!(two_orders(Some(Safeguard::StatusCondition)).contains(&STOCK));
}

#[test]
fn without_a_claim_an_email_goes_out_twice_and_nobody_counts_it() {
    assert_eq!(one_order(Some(Safeguard::Claim)), [EMAIL]);
}

#[test]
fn without_a_mark_on_the_order_its_pieces_leave_twice() {
    assert_eq!(one_order(Some(Safeguard::HandedOverOnce)), [PROMISED]);
}

#[test]
fn without_the_sweep_an_order_is_forgotten() {
    assert_eq!(two_orders(Some(Safeguard::Sweep)), [END]);
}

#[test]
fn an_order_that_waits_for_a_person_and_is_owed_something_is_swept_for_ever() {
    assert_eq!(one_order_by_hand(Some(Safeguard::OwedNothingWhileItWaits)), [END]);
}
