//! Paying an order as a model of what Stripe tells: every message is how a session was when it was told, and comes
//! late, again, before earlier ones, or never. Buyers pay at once, in a slow way whose money comes or does not, or
//! another amount. Each step of a process is one call to Stripe or to the database; it may die after each, also between
//! Stripe's having ended a page and our writing so, and between a transaction and the message that passes it on.
//!
//! What follows from what is heard is the product's own `decide` and [`AttemptStatus::on`]. That each refund that is
//! asked for is made once is what `refund_model.rs` shows, so that here asking for it is the end of it.

#![expect(clippy::unwrap_used, reason = "the model itself is a test: what it cannot find is its fault")]

mod pages;
mod writing;

use orders::OrderStatus;
use payments::Payment;
use payments::attempt::{AttemptStatus, Follows, Heard, Outcome};
use stateright::{Model, Property};

use crate::exploring::{breaks, holds};
use crate::payment_model::{PAYMENTS, index};
use pages::{Attempt, NEW, Page, Word};

/// What was read of an order and an attempt when something was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Read {
    order: u8,
    counts: u8,
    many: u8,
    attempt: u8,
    outcome: Option<u8>,
    is_charged: bool,
}

/// What somebody is about to do next. Each step is one call; an attempt is named by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Process {
    /// To have Stripe make a page, and to note that; to end one that was given up meanwhile.
    Make(u8),
    Note(u8),
    Shut(u8),
    /// To begin another attempt, if so many are all there are.
    TryAgain(u8),
    /// To end a page at Stripe, and to note that, on the way to something.
    End(u8, Then),
    Bury(u8, Then),
    /// To write what was decided by what was read.
    Write(u8, Word, Read, Option<Then>),
    /// To release the order, whose attempts are all out.
    Release(u8, u8),
    /// To queue the order, which is paid.
    Queue,
}

/// What attempts are ended for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Then {
    /// To release the order, of which so many attempts were read and which counts, unless money is on its way.
    Release { many: u8, counts: u8, waits: bool },
    /// To open the page of this one.
    Open(u8),
}

/// What an attempt is, after Stripe was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Killed {
    Out,
    Waits,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct State {
    order: OrderStatus,
    counts: u8,
    /// Whether the order waits for money that is on its way, so that nobody is asked to pay again.
    is_processing: bool,
    /// Whether there was a message to send it. It may be delivered at any time and again, so it is never gone.
    is_queued: bool,
    /// How often the stock came back.
    released: u8,
    attempts: [Option<Attempt>; 2],
    /// Two at once.
    processes: [Option<Process>; 2],
}

impl State {
    fn at(&mut self, number: u8) -> &mut Attempt {
        self.attempts[usize::from(number) - 1].as_mut().unwrap()
    }

    fn of(&self, number: u8) -> &Attempt {
        self.attempts[usize::from(number) - 1].as_ref().unwrap()
    }

    fn all(&self) -> impl Iterator<Item = &Attempt> {
        self.attempts.iter().flatten()
    }

    fn many(&self) -> u8 {
        1 + u8::from(self.attempts[1].is_some())
    }

    fn awaits(&self) -> bool {
        self.order == OrderStatus::AwaitingPayment
    }

    /// By [`Payment::is_out`].
    fn is_out(&self, number: u8) -> bool {
        let attempt = self.of(number);
        payment(number, attempt.status, attempt.outcome).is_some_and(Payment::is_out)
    }

    fn read(&self, number: u8) -> Read {
        let attempt = self.of(number);
        Read {
            order: index(&OrderStatus::ALL, &self.order),
            counts: self.counts,
            many: self.many(),
            attempt: index(&AttemptStatus::ALL, &attempt.status),
            outcome: attempt.outcome.map(|outcome| index(&Outcome::ALL, &outcome)),
            is_charged: attempt.charged > 0,
        }
    }

    fn is_at_work(&self) -> bool {
        self.processes != [None, None]
    }

    fn start(&mut self, process: Process) {
        *self.processes.iter_mut().find(|process| process.is_none()).unwrap() = Some(process);
        self.processes.sort_unstable();
    }

    fn end(&mut self, process: usize) -> Process {
        let ended = self.processes[process].take().unwrap();
        self.processes.sort_unstable();
        ended
    }
}

fn payment(number: u8, status: AttemptStatus, outcome: Option<Outcome>) -> Option<&'static Payment> {
    PAYMENTS.iter().find(|(of, _)| *of == (number, status, outcome)).map(|(_, payment)| payment)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Action {
    /// A buyer pays on an open page, and what was slow comes or does not; or Stripe takes what it never should.
    Pays(u8, Page),
    Expires(u8),
    /// Time goes by.
    Late(u8),
    /// A message of Stripe's is delivered, or Stripe is asked by the page that the buyer comes back to.
    Tell(u8, Word),
    TryAgain,
    /// The buyer asks again for a page whose address nobody has.
    AskAgain,
    /// The order is due: it is settled, or queued again. Cancelling one that is not paid does the same.
    Sweep,
    /// The workflow sends what is queued.
    Ship,
    Step(usize),
    /// An answer is lost, and the call is made again.
    Again(usize),
    Die(usize),
}

/// What keeps the promise. The model without one of them must be seen to break it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Safeguard {
    /// Stripe has ended every page before an order is released.
    AskStripe,
    /// Every attempt is ended, and not the one that counts alone.
    EveryAttempt,
    /// What came is what was asked for.
    AmountCompared,
    /// An order is released that awaits its payment.
    StatusCondition,
    /// An order that is paid is queued again when it is due.
    Sweep,
}

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shop {
    attempts: u8,
    is_slow: bool,
    has_other_amounts: bool,
    /// Whether Stripe takes money by pages that are expired.
    is_rogue: bool,
    without: Option<Safeguard>,
}

impl Shop {
    fn has(&self, safeguard: Safeguard) -> bool {
        self.without != Some(safeguard)
    }

    fn step(&self, state: &mut State, process: Process) -> Option<Process> {
        match process {
            Process::Make(number) => self.makes(state, number),
            Process::Note(number) => notes(state, number),
            Process::Shut(number) => {
                state.at(number).shut();
                None
            }
            Process::TryAgain(many) => {
                let is_so = state.awaits() && state.many() == many;
                is_so.then(|| {
                    state.attempts[usize::from(many)] = Some(NEW);
                    state.counts = many + 1;
                    opens(many + 1)
                })
            }
            Process::End(number, then) => self.ends(state, number, then),
            Process::Bury(number, then) => {
                state.at(number).hears(Heard::Died);
                self.goes_on(number, then, Killed::Out)
            }
            Process::Write(number, word, read, then) => self.writes(state, (number, word, read), then),
            Process::Release(many, counts) => {
                self.releases(state, many, counts);
                None
            }
            Process::Queue => {
                state.is_queued = true;
                None
            }
        }
    }

    /// Stripe makes a page, gives the one that it made, or refuses because it would be too short, and so has made none
    /// before.
    fn makes(&self, state: &mut State, number: u8) -> Option<Process> {
        let attempt = state.at(number);
        match attempt.page {
            Page::None if attempt.is_late => return self.hears(state, number, Word::Dead, None),
            Page::None => attempt.page = Page::Made,
            _ => {}
        }
        Some(Process::Note(number))
    }

    fn settles(&self, state: &State) -> Process {
        let first = if self.has(Safeguard::EveryAttempt) { 1 } else { state.counts };
        let (many, counts) = (state.many(), state.counts);
        Process::End(first, Then::Release { many, counts, waits: false })
    }

    fn run(&self, state: &mut State, process: Option<Process>) {
        let mut next = process;
        while let Some(process) = next {
            next = self.step(state, process);
        }
    }

    /// What all is like once everybody has died, time has gone by, and what repairs by itself has run: first the sweep,
    /// which asks Stripe; then the reconciliation, which reads what Stripe told, the oldest first.
    fn quiet(&self, state: &State) -> State {
        let mut state = State { processes: [None, None], ..*state };
        for attempt in state.attempts.iter_mut().flatten() {
            attempt.is_late = true;
            attempt.shut();
        }
        self.sweeps(&mut state);
        for number in 1..=state.many() {
            for word in state.of(number).page.told() {
                // What Stripe says when it is asked does not have to be told.
                if !self.is_rogue && state.of(number).page != Page::Bounced {
                    continue;
                }
                let heard = self.hears(&mut state, number, *word, None);
                self.run(&mut state, heard);
            }
        }
        self.sweeps(&mut state);
        if state.order == OrderStatus::Pending && state.is_queued {
            state.order = OrderStatus::Shipping;
        }
        state
    }

    fn sweeps(&self, state: &mut State) {
        if state.awaits() {
            self.run(state, Some(self.settles(state)));
        }
        state.is_queued |= state.order == OrderStatus::Pending && self.has(Safeguard::Sweep);
    }

    /// On which pages something can be paid, how, and what becomes of it.
    fn pays(&self, page: Page) -> impl Iterator<Item = Page> {
        let ways = match page {
            Page::Open => [Some(Page::Paid), self.is_slow.then_some(Page::Slow), self.other()],
            Page::Slow => [Some(Page::SlowPaid), Some(Page::Bounced), None],
            Page::Expired => [self.is_rogue.then_some(Page::PaidLate), None, None],
            Page::None
            | Page::Made
            | Page::Paid
            | Page::PaidOther
            | Page::SlowPaid
            | Page::Bounced
            | Page::PaidLate => [None; 3],
        };
        ways.into_iter().flatten()
    }

    fn other(&self) -> Option<Page> {
        self.has_other_amounts.then_some(Page::PaidOther)
    }
}

/// A page is noted, and its buyer has its address; or it was given up meanwhile.
fn notes(state: &mut State, number: u8) -> Option<Process> {
    let attempt = state.at(number);
    attempt.hears(Heard::Made);
    if attempt.page == Page::Made && attempt.status == AttemptStatus::Open {
        attempt.page = Page::Open;
    }
    (attempt.status.on(Heard::Made) == Follows::GiveUp).then_some(Process::Shut(number))
}

/// To open the page of an attempt, once those before it are ended.
fn opens(number: u8) -> Process {
    if number == 1 { Process::Make(1) } else { Process::End(1, Then::Open(number)) }
}

impl Model for Shop {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            order: OrderStatus::AwaitingPayment,
            counts: 1,
            is_processing: false,
            is_queued: false,
            released: 0,
            attempts: [Some(NEW), None],
            processes: [None, Some(Process::Make(1))],
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let may_start = state.processes.contains(&None);
        for number in 1..=state.many() {
            let attempt = state.of(number);
            actions.extend(self.pays(attempt.page).map(|page| Action::Pays(number, page)));
            match attempt.page {
                Page::Made | Page::Open => actions.push(Action::Expires(number)),
                Page::None if !attempt.is_late => actions.push(Action::Late(number)),
                _ => {}
            }
            if may_start {
                actions.extend(attempt.page.told().iter().map(|word| Action::Tell(number, *word)));
            }
        }
        if may_start && state.awaits() && !state.is_processing && state.many() < self.attempts {
            actions.push(Action::TryAgain);
        }
        let current = state.of(state.counts);
        if may_start && state.awaits() && current.status == AttemptStatus::Creating && !current.is_late {
            actions.push(Action::AskAgain);
        }
        if may_start && (state.awaits() || state.order == OrderStatus::Pending) {
            actions.push(Action::Sweep);
        }
        if state.order == OrderStatus::Pending && state.is_queued {
            actions.push(Action::Ship);
        }
        for (number, process) in state.processes.iter().enumerate() {
            if process.is_some() {
                actions.extend([Action::Step(number), Action::Again(number), Action::Die(number)]);
            }
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = *state;
        let started = match action {
            Action::Tell(number, word) => self.hears(&mut next, number, word, None),
            Action::TryAgain => Some(Process::TryAgain(state.many())),
            Action::AskAgain => Some(opens(state.counts)),
            Action::Sweep if state.awaits() => Some(self.settles(state)),
            Action::Step(process) => {
                let process = next.end(process);
                self.step(&mut next, process)
            }
            _ => {
                self.befalls(&mut next, action);
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
            Property::always(STOCK, |_, state: &State| {
                state.released == u8::from(state.order == OrderStatus::Cancelled)
            }),
            Property::always(LEDGER, |_, state: &State| {
                let is_written = |attempt: &Attempt| {
                    attempt.charged == u8::from(attempt.status == AttemptStatus::Captured)
                };
                state.all().all(is_written)
            }),
            Property::always(PAID, |_, state: &State| {
                let is_paid = |attempt: &Attempt| {
                    (attempt.status, attempt.outcome) == (AttemptStatus::Captured, None)
                        && attempt.page.has_money()
                        && attempt.page != Page::PaidOther
                };
                !is_to_be_sent(state) || is_paid(state.of(state.counts))
            }),
            Property::always(CLOSED, |_, state: &State| {
                let can_pay = |attempt: &Attempt| match attempt.page {
                    Page::None => !attempt.is_late,
                    page => matches!(page, Page::Made | Page::Open | Page::Slow),
                };
                state.order != OrderStatus::Cancelled || !state.all().any(can_pay)
            }),
            // Everybody may die at any time, so it is enough to look where nobody is at work.
            Property::always(BOOKS, |shop: &Self, state: &State| {
                state.is_at_work() || is_stripes(&shop.quiet(state))
            }),
            Property::always(SENT, |shop: &Self, state: &State| {
                state.is_at_work() || shop.quiet(state).order != OrderStatus::Pending
            }),
            // An order ends once none of its attempts can pay it, and what is told late begins none of them anew.
            Property::always(REVIVED, |_, state: &State| {
                let is_revived = |attempt: &Attempt| {
                    (attempt.page, attempt.status) == (Page::Bounced, AttemptStatus::Processing)
                };
                state.order != OrderStatus::Cancelled || !state.all().any(is_revived)
            }),
        ];
        properties.extend(self.reached());
        properties
    }
}

impl Shop {
    fn befalls(&self, state: &mut State, action: Action) {
        match action {
            Action::Pays(number, page) => state.at(number).page = page,
            Action::Expires(number) => state.at(number).page = Page::Expired,
            Action::Late(number) => state.at(number).is_late = true,
            Action::Sweep => self.sweeps(state),
            Action::Ship => state.order = OrderStatus::Shipping,
            Action::Again(process) => {
                let mut lost = *state;
                let called = lost.end(process);
                self.step(&mut lost, called);
                *state = State { processes: state.processes, ..lost };
            }
            Action::Die(process) => drop(state.end(process)),
            Action::Tell(..) | Action::TryAgain | Action::AskAgain | Action::Step(_) => {}
        }
    }

    /// What has to happen somewhere, or the model says nothing.
    fn reached(&self) -> Vec<Property<Self>> {
        let mut reached = vec![
            Property::sometimes(IS_SENT, |_, state: &State| state.order == OrderStatus::Shipping),
            Property::sometimes(IS_RELEASED, |_, state: &State| {
                state.order == OrderStatus::Cancelled && state.all().all(|attempt| attempt.charged == 0)
            }),
        ];
        if self.attempts > 1 {
            reached.push(Property::sometimes(BY_THE_FIRST, |_, state: &State| {
                is_to_be_sent(state) && (state.many(), state.counts) == (2, 1)
            }));
        }
        if self.is_slow {
            reached.push(Property::sometimes(IS_SLOW, |_, state: &State| {
                is_to_be_sent(state) && state.all().any(|attempt| attempt.page == Page::SlowPaid)
            }));
        }
        for (is_possible, outcome, name) in [
            (self.has_other_amounts, Outcome::Mismatch, IS_ANOTHER_AMOUNT),
            (self.is_rogue, Outcome::Late, IS_LATE),
        ] {
            if is_possible {
                reached.push(sent_back(outcome, name));
            }
        }
        reached
    }
}

fn sent_back(outcome: Outcome, name: &'static str) -> Property<Shop> {
    match outcome {
        Outcome::Mismatch => Property::sometimes(name, |_, state: &State| {
            state.all().any(|attempt| attempt.outcome == Some(Outcome::Mismatch))
        }),
        Outcome::Late => Property::sometimes(name, |_, state: &State| {
            state.all().any(|attempt| attempt.outcome == Some(Outcome::Late))
        }),
        Outcome::Duplicate => Property::sometimes(name, |_, state: &State| {
            state.all().any(|attempt| attempt.outcome == Some(Outcome::Duplicate))
        }),
    }
}

fn is_to_be_sent(state: &State) -> bool {
    matches!(state.order, OrderStatus::Pending | OrderStatus::Shipping)
}

/// Whether no order waits for ever, all that came is written, and what is kept pays what is sent. Of money that is on
/// its way nobody knows yet.
fn is_stripes(quiet: &State) -> bool {
    let is_written = |attempt: &Attempt| attempt.charged == u8::from(attempt.page.has_money());
    let is_kept = |attempt: &&Attempt| attempt.page.has_money() && attempt.outcome.is_none();
    let kept = quiet.all().filter(is_kept).count();
    quiet.all().any(|attempt| attempt.page == Page::Slow)
        || (!quiet.awaits() && quiet.all().all(is_written) && kept == usize::from(is_to_be_sent(quiet)))
}

const STOCK: &str = "the stock of an order comes back once, with its end";
const LEDGER: &str = "what came is written down once, whatever tells of it";
const PAID: &str = "an order that is to be sent has its money";
const CLOSED: &str = "nobody can pay for an order that is over";
const BOOKS: &str = "the books are Stripe's, and nothing is kept for an order that is over";
const SENT: &str = "an order that is paid is sent";
const REVIVED: &str = "what is told late of a slow payment that did not come is not waited for";
// The model says something only if it gets as far as this.
const IS_SENT: &str = "an order is sent";
const IS_RELEASED: &str = "an order is released";
const BY_THE_FIRST: &str = "an order is paid by its first attempt though there is a second";
const IS_SLOW: &str = "an order is paid in a slow way";
const IS_ANOTHER_AMOUNT: &str = "another amount goes back";
const IS_LATE: &str = "late money goes back";

/// One attempt, and all that its buyer can do.
const ONE: Shop = Shop { attempts: 1, is_slow: true, has_other_amounts: true, is_rogue: true, without: None };

/// Two attempts, and a Stripe that keeps its word.
const TWO: Shop = Shop { attempts: 2, is_rogue: false, ..ONE };

/// Two attempts, and one that does not.
const ROGUE: Shop = Shop { attempts: 2, ..ONE };

#[test]
fn whatever_is_told_of_one_page_and_when_the_books_are_stripes() {
    holds(ONE, 740, 12);
}

#[test]
fn whatever_is_told_of_two_pages_and_when_the_books_are_stripes() {
    holds(TWO, 17_000, 26);
}

#[test]
fn money_that_stripe_should_not_have_taken_goes_back_whatever_is_told_and_when() {
    holds(ROGUE, 36_000, 26);
}

fn assert_breaks(shop: Shop, without: Safeguard, promise: &'static str) {
    assert!(breaks(Shop { without: Some(without), ..shop }, promise), "{without:?}: {promise}");
}

#[test]
fn without_asking_stripe_an_order_is_released_that_can_be_paid() {
    assert_breaks(ONE, Safeguard::AskStripe, CLOSED);
}

#[test]
fn asking_about_the_attempt_that_counts_alone_releases_an_order_that_can_be_paid_by_another() {
    assert_breaks(TWO, Safeguard::EveryAttempt, CLOSED);
    assert_breaks(TWO, Safeguard::EveryAttempt, BOOKS);
}

#[test]
fn without_comparing_amounts_an_order_is_sent_for_another_one() {
    assert_breaks(ONE, Safeguard::AmountCompared, PAID);
}

#[test]
fn without_a_condition_on_the_status_stock_comes_back_twice() {
    assert_breaks(ONE, Safeguard::StatusCondition, STOCK);
}

#[test]
fn without_the_sweep_an_order_is_forgotten_whose_payment_was_written_by_who_died_before_queueing_it() {
    assert_breaks(TWO, Safeguard::Sweep, SENT);
}
