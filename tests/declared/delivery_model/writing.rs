//! What is written of what was heard, and on which conditions: those of the product's transactions.

use orders::OrderStatus;
use payments::attempt::{AttemptStatus, Heard, Outcome};
use payments::deciding::{Decision, Known, State as Stripes, decide};
use shared::values::money::Amount;

use super::pages::{Page, Word};
use super::{Killed, Process, Read, Safeguard, Shop, State, Then, payment};
use crate::payment_model::{ORDERS, index, money, said};

impl Shop {
    /// As much as was heard to have come; as much as was asked for, where nobody compares.
    fn stripes(&self, number: u8, word: Word) -> Stripes {
        let mut money = money(number);
        if word == Word::PaidOther && self.has(Safeguard::AmountCompared) {
            money.amount = Amount::from_minor(1);
        }
        match word {
            Word::Dead => Stripes::Dead,
            Word::Processing => Stripes::Processing,
            Word::Paid | Word::PaidOther => Stripes::Paid(money),
        }
    }

    fn decides(&self, number: u8, word: Word, read: Read) -> Decision {
        let status = OrderStatus::ALL[usize::from(read.order)];
        let attempt = AttemptStatus::ALL[usize::from(read.attempt)];
        let outcome = read.outcome.map(|outcome| Outcome::ALL[usize::from(outcome)]);
        let order = ORDERS.iter().find(|(of, _)| *of == (status, read.many, read.counts));
        let known = Known {
            order: order.map(|(_, order)| order),
            payment: payment(number, attempt, outcome),
            is_in_the_ledger: read.is_charged,
        };
        decide(known, &said(number, self.stripes(number, word)))
    }

    /// `Applying::apply`: money is written at once where an order of that total awaits it; otherwise it is read what is
    /// known, and written what follows.
    pub fn hears(&self, state: &mut State, number: u8, word: Word, then: Option<Then>) -> Option<Process> {
        if self.captures(state, number, word) {
            return Some(Process::Queue);
        }
        let read = state.read(number);
        match self.decides(number, word, read) {
            Decision::Nothing => self.goes_on(number, then?, Killed::Waits),
            Decision::Recorded { queue } => queue.then_some(Process::Queue),
            _ => Some(Process::Write(number, word, read, then)),
        }
    }

    /// `Payments::capture`, with the conditions of `Orders::paid`.
    fn captures(&self, state: &mut State, number: u8, word: Word) -> bool {
        let is_as_asked =
            word == Word::Paid || (word == Word::PaidOther && !self.has(Safeguard::AmountCompared));
        let attempt = *state.of(number);
        let is_so = is_as_asked && state.awaits() && attempt.can(Heard::Paid) && attempt.charged == 0;
        if is_so {
            (state.order, state.counts, state.is_processing) = (OrderStatus::Pending, number, false);
            state.at(number).hears(Heard::Paid);
            state.at(number).charged += 1;
        }
        is_so
    }

    /// What was decided is written, if its conditions hold; otherwise it is decided anew.
    pub fn writes(
        &self,
        state: &mut State,
        (number, word, read): (u8, Word, Read),
        then: Option<Then>,
    ) -> Option<Process> {
        let killed = match self.decides(number, word, read) {
            Decision::SendBack(outcome) if sends_back(state, number, read, outcome) => Some(Killed::Out),
            Decision::Wait if state.awaits() && state.of(number).can(Heard::Processing) => {
                state.is_processing = true;
                state.at(number).hears(Heard::Processing);
                Some(Killed::Waits)
            }
            Decision::Note if state.of(number).can(Heard::Processing) => {
                state.at(number).hears(Heard::Processing);
                Some(Killed::Waits)
            }
            Decision::Release => {
                (releases_with(state, number, read) || !state.awaits()).then_some(Killed::Waits)
            }
            Decision::Bury { .. } => {
                state.at(number).hears(Heard::Died);
                Some(Killed::Waits)
            }
            Decision::Capture | Decision::SendBack(_) | Decision::Wait | Decision::Note => None,
            decision @ (Decision::Recorded { .. } | Decision::Nothing | Decision::Unknown) => {
                panic!("{decision:?} of {word:?}, {read:?}")
            }
        };
        match killed {
            Some(killed) => self.goes_on(number, then?, killed),
            None => self.hears(state, number, word, then),
        }
    }

    /// After an attempt was asked about.
    pub fn goes_on(&self, number: u8, then: Then, killed: Killed) -> Option<Process> {
        match (then, killed) {
            (Then::Open(_), Killed::Waits) => None,
            (Then::Open(new), Killed::Out) if number + 1 < new => Some(Process::End(number + 1, then)),
            (Then::Open(new), Killed::Out) => Some(Process::Make(new)),
            (Then::Release { many, counts, waits }, killed) => {
                let waits = waits || killed == Killed::Waits;
                let is_last = number == many || !self.has(Safeguard::EveryAttempt);
                match (is_last, waits) {
                    (false, _) => Some(Process::End(number + 1, Then::Release { many, counts, waits })),
                    (true, false) => Some(Process::Release(many, counts)),
                    (true, true) => None,
                }
            }
        }
    }

    /// `Settling::kill`. A page that nobody noted is asked for with its key: Stripe gives the one that it made, makes
    /// it now, or refuses because it would be too short.
    pub fn ends(&self, state: &mut State, number: u8, then: Then) -> Option<Process> {
        if state.is_out(number) {
            return self.goes_on(number, then, Killed::Out);
        }
        let attempt = state.at(number);
        if attempt.status == AttemptStatus::Captured {
            return None;
        }
        if !self.has(Safeguard::AskStripe) {
            return Some(Process::Bury(number, then));
        }
        match attempt.page {
            Page::None if !attempt.is_late => {
                attempt.page = Page::Made;
                Some(Process::End(number, then))
            }
            Page::Made | Page::Open => {
                attempt.page = Page::Expired;
                Some(Process::Bury(number, then))
            }
            Page::None | Page::Expired => Some(Process::Bury(number, then)),
            page => self.hears(state, number, page.asked().unwrap(), Some(then)),
        }
    }

    /// `Payments::release`, with the conditions of `Orders::end`: the order and each attempt are as they were read.
    pub fn releases(&self, state: &mut State, many: u8, counts: u8) {
        let is_over = if self.has(Safeguard::EveryAttempt) {
            state.many() == many && (1..=many).all(|number| state.is_out(number))
        } else {
            state.is_out(counts)
        };
        let is_so = state.awaits() || !self.has(Safeguard::StatusCondition);
        if is_so && state.counts == counts && is_over {
            state.order = OrderStatus::Cancelled;
            state.released += 1;
        }
    }
}

/// `Payments::send_back`, with the conditions of `Orders::sends_back`, which a mismatch does without: its money was
/// never the order's.
fn sends_back(state: &mut State, number: u8, read: Read, outcome: Outcome) -> bool {
    let is_as_read = outcome == Outcome::Mismatch
        || (index(&OrderStatus::ALL, &state.order), state.counts) == (read.order, read.counts);
    let attempt = state.at(number);
    let is_so = is_as_read && attempt.can(Heard::Paid) && attempt.charged == 0;
    if is_so {
        attempt.hears(Heard::Paid);
        (attempt.outcome, attempt.charged) = (Some(outcome), attempt.charged + 1);
    }
    is_so
}

/// `Payments::release_with`, with the conditions of `Orders::end`.
fn releases_with(state: &mut State, number: u8, read: Read) -> bool {
    let was_dead = AttemptStatus::ALL[usize::from(read.attempt)] == AttemptStatus::Dead;
    let attempt = state.of(number);
    let can_die = if was_dead { attempt.status == AttemptStatus::Dead } else { attempt.can(Heard::Died) };
    let is_as_read = (state.counts, state.many()) == (read.counts, read.many);
    let is_so = state.awaits() && is_as_read && can_die;
    if is_so {
        state.at(number).hears(Heard::Died);
        state.order = OrderStatus::Cancelled;
        state.released += 1;
    }
    is_so
}
