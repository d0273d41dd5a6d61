//! Giving back the money of one order as a model: every interleaving of two admins who ask for parts, two sellers who
//! refuse theirs, the order's end, the consumer of refunds, somebody in Stripe's Dashboard, and a bank; each of which
//! may be repeated, and may die between any two of its steps, be it that a transaction took effect or that Stripe did
//! what it was asked for.
//!
//! What Stripe tells is how something was when it was told: each such message may be delivered late, again, before
//! earlier ones, or never. What follows from it is the product's own [`RefundState::on`], `Dispute::goes_on`,
//! `amount_of`, `refused_money` and `Paying::goes_back`. In every state that is reached, all processes are ended and
//! what repairs by itself is let run, the sweep and the daily reconciliation: then the books must be Stripe's.

#![expect(clippy::unwrap_used, reason = "the model itself is a test: what it cannot find is its fault")]

mod books;

use std::ops::{Deref, DerefMut};

use payments::disputes::DisputeState;
use payments::refunds::{RefundFollows, RefundHeard, RefundState};
use stateright::{Model, Property};

use crate::exploring::{breaks, holds};
use books::{Bank, Books, CAME, DASHBOARD, Event, Key, PAID_IN_FULL, Read, SELLERS, Standing, Word};

/// What somebody is about to do next. Each step is one call; a refund is named by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Process {
    /// To write that so much is to go back, which could when it was read; and to queue what was written.
    Ask(i8),
    Queue(u8),
    /// To look for a refund at Stripe, or to ask for it.
    Look(u8),
    Post(u8),
    /// To write what was heard of a refund, by how it was when it was read.
    Heard(u8, AsRead, Word),
    /// To end the order, as it was read.
    End(Read),
    /// To refuse the parcel of this seller, likewise.
    Refuse(u8, Read),
    /// To write what was heard of a dispute, by how that was when it was read; then what it did to the money, and to
    /// give back what it left.
    Dispute(AsRead, Event),
    Funds(Event, i8),
    Owe(i8),
}

/// The place of a state among all there are, since those have no order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct AsRead(Option<usize>);

impl AsRead {
    fn of<T: PartialEq>(state: Option<T>, all: &[T]) -> Self {
        Self(state.map(|state| all.iter().position(|one| *one == state).unwrap()))
    }

    fn state<T: Copy>(self, all: &[T]) -> Option<T> {
        self.0.map(|place| all[place])
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct State {
    books: Books,
    /// How often admins asked for something, and how often a refund failed after it went.
    asked: u8,
    failed: u8,
    /// Two at once.
    processes: [Option<Process>; 2],
}

impl Deref for State {
    type Target = Books;

    fn deref(&self) -> &Books {
        &self.books
    }
}

impl DerefMut for State {
    fn deref_mut(&mut self) -> &mut Books {
        &mut self.books
    }
}

impl State {
    fn is_at_work(&self) -> bool {
        self.processes != [None, None]
    }

    fn has_room(&self) -> bool {
        self.processes.contains(&None)
    }

    fn start(&mut self, process: Process) {
        let free = self.processes.iter_mut().find(|process| process.is_none()).unwrap();
        *free = Some(process);
        self.processes.sort_unstable();
    }

    fn end(&mut self, process: usize) -> Process {
        let ended = self.processes[process].take().unwrap();
        self.processes.sort_unstable();
        ended
    }

    /// Somebody hears of a refund, reads how it is here, and is about to write it if it is news.
    fn hears(&self, which: usize, word: Word) -> Option<Process> {
        let known = self.refunds[which].known;
        let heard = match word {
            Word::Went => RefundHeard::Accepted,
            Word::Failed => RefundHeard::Failed,
        };
        let is_news = known.is_none_or(|state| state.on(heard) != RefundFollows::Nothing);
        is_news.then(|| Process::Heard(place(which), AsRead::of(known, &RefundState::ALL), word))
    }

    /// The same of the dispute. It is looked at until it is as was heard; then its money follows.
    fn hears_of_the_bank(&self, event: Event) -> Option<Process> {
        if self.is_news(event) {
            return Some(Process::Dispute(AsRead::of(self.dispute, &DisputeState::ALL), event));
        }
        if event.moves_money() { Some(Process::Funds(event, self.owes())) } else { owing(self.owes()) }
    }
}

fn place(which: usize) -> u8 {
    u8::try_from(which).unwrap()
}

fn owing(parts: i8) -> Option<Process> {
    (parts > 0).then_some(Process::Owe(parts))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Action {
    /// An admin asks for so much, or for all that is left.
    Ask(Option<i8>),
    /// Somebody ends the order.
    End,
    /// A seller does not send the own parcel.
    Refuse(usize),
    /// The consumer gets a message and counts its try; the sweep queues what is owed and was not.
    Carry(usize),
    Sweep(usize),
    /// A message of Stripe's is delivered.
    Tell(usize, Word),
    TellOfTheBank(Event),
    /// Somebody gives something back in Stripe's own pages.
    Dashboard(i8),
    /// A bank does not take what went back.
    Fails(usize),
    /// A buyer asks the bank, and it decides.
    Disputes,
    Decides(Bank),
    /// A day goes by: nobody who was at work is there any more, and Stripe has forgotten its keys.
    Day,
    Step(usize),
    /// What Stripe answers is lost, and it is asked again.
    Again(usize),
    Die(usize),
}

/// What keeps the promise. The model without one of them must be seen to break it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Safeguard {
    /// The ledger's keys are those of what happened, and not of the event that tells it.
    LedgerFact,
    /// What is written moves on from the status that was read.
    StatusCondition,
    /// A parcel is refused as all of them were read.
    Parcels,
    /// What is to go back can still, when that is written.
    Refundable,
    /// Nothing is asked back as long as a dispute stands, when that is written.
    BankDecides,
    /// Stripe is asked for a refund under its key.
    Key,
    /// From the second try on, a refund is looked for first.
    LookFirst,
    /// What is owed is queued again.
    Sweep,
}

/// Who takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shop {
    /// How often admins ask for something back.
    admins: u8,
    /// How many refunds fail after they went.
    fails: u8,
    has_dashboard: bool,
    ends: bool,
    has_sellers: bool,
    has_bank: bool,
    without: Option<Safeguard>,
}

impl Shop {
    fn has(&self, safeguard: Safeguard) -> bool {
        self.without != Some(safeguard)
    }

    /// `Payments::try_refund`, whose condition lets nobody try what is not owed any more.
    fn carries(&self, state: &mut State, which: usize) -> Option<Process> {
        let refund = &mut state.refunds[which];
        if refund.known != Some(RefundState::Requested) {
            return None;
        }
        let is_first = refund.tries == 0;
        refund.tries = if is_first { 1 } else { 2 };
        let looks = !is_first && self.has(Safeguard::LookFirst);
        Some(if looks { Process::Look(place(which)) } else { Process::Post(place(which)) })
    }

    fn step(&self, state: &mut State, process: Process) -> Option<Process> {
        let requested = AsRead::of(Some(RefundState::Requested), &RefundState::ALL);
        match process {
            // Two requests at once are two admins.
            Process::Ask(_) if state.asked >= self.admins => None,
            Process::Ask(amount) => {
                let which = state.takes(amount, self.without)?;
                state.asked += 1;
                Some(Process::Queue(which))
            }
            Process::Queue(which) => {
                state.refunds[usize::from(which)].is_queued = true;
                None
            }
            Process::Look(which) => Some(match state.refunds[usize::from(which)].standing {
                Standing::None => Process::Post(which),
                Standing::Succeeded => Process::Heard(which, requested, Word::Went),
                Standing::Failed => Process::Heard(which, requested, Word::Failed),
            }),
            Process::Post(which) => {
                let word = state.posted(usize::from(which), self.has(Safeguard::Key));
                Some(Process::Heard(which, requested, word))
            }
            Process::Heard(which, read, word) => {
                let read = read.state(&RefundState::ALL);
                state.becomes(usize::from(which), (read, word), self.without);
                None
            }
            Process::End(read) => state.ends(read, self.without)?.map(Process::Queue),
            Process::Refuse(seller, read) => {
                state.refuses(usize::from(seller), read, self.without)?.map(Process::Queue)
            }
            Process::Dispute(read, event) => {
                state.disputes(read.state(&DisputeState::ALL), event);
                state.hears_of_the_bank(event)
            }
            Process::Funds(event, owes) => {
                state.funds_moved(event, self.without);
                owing(owes)
            }
            Process::Owe(parts) => state.takes(parts, self.without).map(Process::Queue),
        }
    }

    fn run(&self, state: &mut State, process: Option<Process>) {
        let mut next = process;
        while let Some(process) = next {
            next = self.step(state, process);
        }
    }

    /// What all is like once everybody has died, the sweep has run, and the reconciliation has read what Stripe told.
    /// Stripe also answers as of old, since nothing is said of how much time has gone by.
    fn quiet(&self, state: &State) -> State {
        let mut state = State { processes: [None, None], ..*state };
        // What is refused while another one is owed is told again after that.
        for _ in 0..3 {
            for which in 0..DASHBOARD {
                if self.has(Safeguard::Sweep) || state.refunds[which].is_queued {
                    let carried = self.carries(&mut state, which);
                    self.run(&mut state, carried);
                }
            }
            for which in 0..=DASHBOARD {
                for word in state.refunds[which].told() {
                    let heard = state.hears(which, *word);
                    self.run(&mut state, heard);
                }
            }
            for event in state.bank.told() {
                let heard = state.hears_of_the_bank(*event);
                self.run(&mut state, heard);
            }
        }
        state
    }

    fn of_people(&self, state: &State, actions: &mut Vec<Action>) {
        if state.asked < self.admins {
            actions.extend([Some(1), None].map(Action::Ask));
        }
        if self.ends && !state.is_over {
            actions.push(Action::End);
        }
        if self.has_sellers {
            let sellers = state.refused.iter().enumerate().filter(|(_, is_refused)| !**is_refused);
            actions.extend(sellers.map(|(seller, _)| Action::Refuse(seller)));
        }
        for which in 0..DASHBOARD {
            let refund = &state.refunds[which];
            if refund.known == Some(RefundState::Requested) && refund.is_queued {
                actions.push(Action::Carry(which));
            }
        }
    }

    fn of_stripe(&self, state: &State, actions: &mut Vec<Action>) {
        let left = state.at_stripe();
        let (is_free, dashboard) =
            (matches!(state.bank, Bank::None | Bank::ForTheShop), state.refunds[DASHBOARD]);
        if self.has_dashboard && dashboard.standing == Standing::None && is_free {
            actions.extend((1..=left).map(Action::Dashboard));
        }
        for which in 0..=DASHBOARD {
            if state.refunds[which].standing == Standing::Succeeded && state.failed < self.fails {
                actions.push(Action::Fails(which));
            }
        }
        if self.has_bank && state.bank == Bank::None && left > 0 {
            actions.push(Action::Disputes);
        }
        if state.bank == Bank::Decides {
            actions.extend([Bank::ForTheShop, Bank::ForTheBuyer].map(Action::Decides));
        }
        if state.refunds.iter().any(|refund| refund.key != Key::Unknown) {
            actions.push(Action::Day);
        }
    }
}

impl Model for Shop {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State { books: PAID_IN_FULL, asked: 0, failed: 0, processes: [None, None] }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.has_room() {
            self.of_people(state, actions);
            for which in 0..=DASHBOARD {
                actions.extend(state.refunds[which].told().iter().map(|word| Action::Tell(which, *word)));
            }
            actions.extend(state.bank.told().iter().map(|event| Action::TellOfTheBank(*event)));
        }
        self.of_stripe(state, actions);
        if self.has(Safeguard::Sweep) {
            actions.extend((0..DASHBOARD).map(Action::Sweep));
        }
        for (number, process) in state.processes.iter().enumerate() {
            match process {
                Some(Process::Post(_)) => {
                    actions.extend([Action::Step(number), Action::Again(number), Action::Die(number)]);
                }
                Some(_) => actions.extend([Action::Step(number), Action::Die(number)]),
                None => {}
            }
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = *state;
        let started = match action {
            Action::Ask(wanted) => state.allowed(wanted).map(Process::Ask),
            Action::End => Some(Process::End(state.read())),
            Action::Refuse(seller) => Some(Process::Refuse(place(seller), state.read())),
            Action::Carry(which) => self.carries(&mut next, which),
            Action::Tell(which, word) => state.hears(which, word),
            Action::TellOfTheBank(event) => state.hears_of_the_bank(event),
            Action::Step(process) => {
                let process = next.end(process);
                self.step(&mut next, process)
            }
            Action::Again(_) | Action::Die(_) | Action::Day | Action::Sweep(_) => {
                self.befalls(&mut next, action);
                None
            }
            Action::Dashboard(_) | Action::Fails(_) | Action::Disputes | Action::Decides(_) => {
                happens_at_stripe(&mut next, action);
                None
            }
        };
        if let Some(process) = started {
            next.start(process);
        }
        (next != *state).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always(COUNTERS, |_, state: &State| {
                let parts = [state.refundable, state.refunding, state.refunded];
                parts.iter().sum::<i8>() == CAME
                    && state.ledger == CAME - state.refunded - state.disputed
                    && state.refunding == state.all_of(RefundState::Requested)
                    && state.refunded == state.all_of(RefundState::Accepted)
            }),
            Property::always(NO_MORE, |_, state: &State| {
                state.refundable >= 0 && state.refunding >= 0 && state.refunded >= 0 && state.at_stripe() >= 0
            }),
            Property::always(ONCE, |_, state: &State| state.refunds.iter().all(|refund| refund.made <= 1)),
            Property::always(STOCK, |_, state: &State| state.released == u8::from(state.is_over)),
            Property::always(PARCELS, |shop: &Self, state: &State| {
                let is_over = state.refused == [true; SELLERS.len()];
                state.given_back == state.refused.map(u8::from)
                    && (!shop.has_sellers || state.is_over == is_over)
            }),
            Property::always(BANK, |_, state: &State| !state.asked_of_a_bank),
            // Everybody may die at any time, so it is enough to look where nobody is at work.
            Property::always(BOOKS, |shop: &Self, state: &State| {
                state.is_at_work() || is_stripes(&shop.quiet(state))
            }),
            Property::always(KEPT, |shop: &Self, state: &State| {
                if state.is_at_work() || !state.is_over {
                    return true;
                }
                let quiet = shop.quiet(state);
                quiet.at_stripe() == 0 || quiet.bank == Bank::Decides || is_told(&quiet)
            }),
            Property::always(NOT_SENT, |shop: &Self, state: &State| {
                if state.is_at_work() {
                    return true;
                }
                let quiet = shop.quiet(state);
                let refused: i8 = quiet.refused.map(i8::from).iter().sum();
                quiet.at_stripe() <= CAME - refused || is_told(&quiet)
            }),
        ];
        properties.extend(self.reached());
        properties
    }
}

impl Shop {
    fn befalls(&self, state: &mut State, action: Action) {
        match action {
            Action::Again(process) => {
                let mut lost = *state;
                let asked = lost.end(process);
                self.step(&mut lost, asked);
                state.books = lost.books;
            }
            Action::Die(process) => drop(state.end(process)),
            Action::Day => {
                state.processes = [None, None];
                for refund in &mut state.refunds {
                    refund.key = Key::Unknown;
                }
            }
            Action::Sweep(which) => {
                let refund = &mut state.refunds[which];
                refund.is_queued |= refund.known == Some(RefundState::Requested);
            }
            _ => {}
        }
    }

    /// What has to happen somewhere, or the model says nothing.
    fn reached(&self) -> Vec<Property<Self>> {
        let mut reached = vec![Property::sometimes(FOUND, |_, state: &State| {
            let is_found = |refund: &books::Refund| {
                refund.known == Some(RefundState::Accepted) && (refund.tries, refund.key) == (2, Key::Unknown)
            };
            state.refunds.iter().any(is_found)
        })];
        if self.has_sellers {
            reached.push(Property::sometimes(EACH, |_, state: &State| {
                let is_back = |refund: &&books::Refund| refund.known == Some(RefundState::Accepted);
                state.is_over
                    && state.asked == 0
                    && state.refunds[..DASHBOARD].iter().filter(is_back).count() == 2
            }));
        }
        if self.admins > 1 {
            reached.push(Property::sometimes(IN_PARTS, |_, state: &State| {
                let is_back = |refund: &&books::Refund| refund.known == Some(RefundState::Accepted);
                state.refunds.iter().filter(is_back).count() == 2
            }));
        }
        if self.fails > 0 {
            reached.push(Property::sometimes(COMES_AGAIN, |_, state: &State| {
                state.refunds.iter().any(books::Refund::came_again)
            }));
            reached.push(Property::sometimes(FAILED_FIRST, |_, state: &State| {
                let never_went = |refund: &books::Refund| {
                    (refund.known, refund.standing) == (Some(RefundState::Failed), Standing::Failed)
                        && !refund.came_again()
                };
                state.refunds.iter().any(never_went)
            }));
        }
        if self.has_bank && self.ends {
            reached.push(Property::sometimes(LEFT, |_, state: &State| {
                state.is_over && state.dispute == Some(DisputeState::Won) && state.refunded == CAME
            }));
        }
        reached
    }
}

fn happens_at_stripe(state: &mut State, action: Action) {
    match action {
        Action::Dashboard(amount) => state.made_in_the_dashboard(amount),
        Action::Fails(which) => {
            state.failed += 1;
            state.refunds[which].standing = Standing::Failed;
        }
        Action::Disputes => state.disputed(),
        Action::Decides(bank) => state.bank = bank,
        _ => {}
    }
}

/// Whether somebody was told that something could not go back.
fn is_told(quiet: &State) -> bool {
    quiet.refunds.iter().any(|refund| refund.known == Some(RefundState::Failed))
}

/// Whether nothing is owed, each refund stands here as it does there, and as much is kept.
fn is_stripes(quiet: &State) -> bool {
    let is_as_there = |refund: &books::Refund| match refund.known {
        None => refund.standing == Standing::None,
        Some(RefundState::Requested) => false,
        Some(RefundState::Accepted) => refund.standing == Standing::Succeeded,
        Some(RefundState::Failed) => refund.standing != Standing::Succeeded,
    };
    quiet.refunds.iter().all(is_as_there) && quiet.ledger == quiet.at_stripe()
}

const COUNTERS: &str = "what came is what can go back, goes back and went, and the ledger sums to it";
const NO_MORE: &str = "never does more go back than came";
const ONCE: &str = "what is asked for once goes back once";
const STOCK: &str = "the stock of an order comes back once, with its end";
const PARCELS: &str = "the pieces of a parcel come back once, and the order is over with the last";
const NOT_SENT: &str =
    "nothing is kept for a parcel that is not sent, unless somebody was told that it failed";
const BANK: &str = "nothing is asked back while a bank has it";
const BOOKS: &str = "the books are Stripe's, and nothing is owed";
const KEPT: &str = "nothing is kept for an order that is over, unless somebody was told that it failed";
// The model says something only if it gets as far as this.
const IN_PARTS: &str = "two parts go back";
const EACH: &str = "each of two parcels goes back by itself";
const FOUND: &str = "a refund is found that Stripe made before it forgot its key";
const COMES_AGAIN: &str = "what went comes again";
const FAILED_FIRST: &str = "a refund is known to have failed that nobody knew to have gone";
const LEFT: &str = "what a bank left goes back for an order that is over";

/// Two admins, and somebody in the Dashboard.
const ADMINS: Shop = Shop {
    admins: 2,
    fails: 1,
    has_dashboard: true,
    ends: false,
    has_sellers: false,
    has_bank: false,
    without: None,
};

/// Two sellers who refuse, beside an admin and somebody in the Dashboard.
const REFUSE: Shop = Shop { admins: 1, has_sellers: true, ..ADMINS };

/// The order's end, beside an admin and somebody in the Dashboard.
const END: Shop = Shop { admins: 1, ends: true, ..ADMINS };

/// An admin, and a bank.
const BANKS: Shop = Shop {
    admins: 1,
    fails: 1,
    has_dashboard: false,
    ends: false,
    has_sellers: false,
    has_bank: true,
    without: None,
};

/// The order's end, and a bank.
const END_AND_BANK: Shop = Shop { admins: 0, ends: true, ..BANKS };

#[test]
fn two_admins_and_somebody_in_the_dashboard_give_back_what_they_asked_for_once_and_never_too_much() {
    holds(ADMINS, 130_000, 26);
}

#[test]
fn an_order_that_ends_gives_back_what_nobody_has_given_back() {
    holds(END, 160_000, 26);
}

#[test]
fn what_two_sellers_do_not_send_goes_back_beside_what_others_give_back() {
    holds(REFUSE, 2_390_000, 35);
}

#[test]
fn what_a_bank_has_is_not_given_back_besides() {
    holds(BANKS, 47_000, 22);
}

#[test]
fn what_a_bank_leaves_goes_back_where_the_order_is_over() {
    holds(END_AND_BANK, 113_000, 39);
}

fn assert_breaks(shop: Shop, without: Safeguard, promise: &'static str) {
    assert!(breaks(Shop { without: Some(without), ..shop }, promise), "{without:?}: {promise}");
}

#[test]
fn a_fact_that_two_events_tell_is_written_twice_where_the_ledger_knows_events() {
    assert_breaks(BANKS, Safeguard::LedgerFact, BOOKS);
}

#[test]
fn without_a_condition_on_the_status_a_refund_fails_twice_and_stock_comes_back_twice() {
    assert_breaks(ADMINS, Safeguard::StatusCondition, COUNTERS);
    assert_breaks(END_AND_BANK, Safeguard::StatusCondition, STOCK);
}

#[test]
fn without_a_condition_on_its_parcels_one_is_refused_twice() {
    assert_breaks(REFUSE, Safeguard::Parcels, PARCELS);
    assert_breaks(REFUSE, Safeguard::Refundable, NO_MORE);
    assert_breaks(REFUSE, Safeguard::Sweep, BOOKS);
}

#[test]
fn without_a_condition_on_what_is_left_two_admins_give_back_more_than_came() {
    assert_breaks(ADMINS, Safeguard::Refundable, NO_MORE);
}

#[test]
fn without_a_condition_on_disputes_something_is_asked_back_that_a_bank_has() {
    assert_breaks(BANKS, Safeguard::BankDecides, BANK);
}

#[test]
fn without_its_key_or_without_looking_first_a_refund_is_made_twice() {
    assert_breaks(ADMINS, Safeguard::Key, ONCE);
    assert_breaks(ADMINS, Safeguard::LookFirst, ONCE);
}

#[test]
fn without_the_sweep_a_refund_whose_asker_died_before_it_was_queued_is_forgotten() {
    assert_breaks(ADMINS, Safeguard::Sweep, BOOKS);
}
