//! What each side has in its books of the money of one order: ours, with the conditions on which they are written, and
//! Stripe's.

use std::sync::LazyLock;

use orders::parcels::ParcelSaid;
use orders::{Order, OrderStatus, Paying};
use payments::Payment;
use payments::attempt::AttemptStatus;
use payments::disputes::{Dispute, DisputeState};
use payments::parcelling::refused_money;
use payments::refunding::amount_of;
use payments::refunds::{RefundFollows, RefundHeard, RefundState};
use payments::stripe;
use serde_json::json;
use shared::caller::Caller;
use shared::values::money::Amount;
use shared::values::time::Timestamp;

use super::Safeguard;
use crate::payment_model::{AT, order, payment};

/// What came, in parts that can go back one by one.
pub const CAME: i8 = 2;

/// As many as an order has of two admins, of its end and of what a bank left, and one from the Dashboard.
pub const REFUNDS: usize = 5;

/// Who sells the order, each one part of what came.
pub const SELLERS: [&str; 2] = ["b0b", "e5e"];

/// The one that somebody makes in Stripe's own pages.
pub const DASHBOARD: usize = REFUNDS - 1;

/// How a refund stands at Stripe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// There is none.
    None,
    /// The money went, as far as Stripe knows.
    Succeeded,
    /// It came again.
    Failed,
}

/// What Stripe remembers of an idempotency key: what it answered first, also where that was no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    Unknown,
    Made,
    Refused,
}

/// What Stripe says of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Word {
    Went,
    Failed,
}

impl Word {
    fn heard(self) -> RefundHeard {
        match self {
            Self::Went => RefundHeard::Accepted,
            Self::Failed => RefundHeard::Failed,
        }
    }
}

/// A refund on both sides. One from the Dashboard is not known here until it is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Refund {
    pub amount: i8,
    pub known: Option<RefundState>,
    /// How often the ledger has that it went, and that it came again.
    went: u8,
    again: u8,
    /// Whether there was a message of it. It may be delivered at any time and again, so it is never gone.
    pub is_queued: bool,
    /// How often it was tried: not at all, once, or more often.
    pub tries: u8,
    pub standing: Standing,
    /// How many Stripe has made of it.
    pub made: u8,
    pub key: Key,
}

const NO_REFUND: Refund = Refund {
    amount: 0,
    known: None,
    went: 0,
    again: 0,
    is_queued: false,
    tries: 0,
    standing: Standing::None,
    made: 0,
    key: Key::Unknown,
};

impl Refund {
    /// What Stripe has told of it up to now, the oldest first. Each may be delivered at any time, in any order, again,
    /// or never.
    pub fn told(&self) -> &'static [Word] {
        match self.standing {
            Standing::None => &[],
            Standing::Succeeded => &[Word::Went],
            Standing::Failed => &[Word::Went, Word::Failed],
        }
    }

    pub fn came_again(&self) -> bool {
        self.again > 0
    }

    fn at_stripe(&self) -> i8 {
        let made = i8::try_from(self.made).unwrap();
        if self.standing == Standing::Succeeded { self.amount * made } else { 0 }
    }
}

/// How a dispute stands at Stripe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bank {
    None,
    Decides,
    ForTheShop,
    ForTheBuyer,
}

/// What Stripe tells of a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Event {
    Created,
    Withdrawn,
    Won,
    Reinstated,
    Lost,
}

impl Event {
    const ALL: [Self; 5] = [Self::Created, Self::Withdrawn, Self::Won, Self::Reinstated, Self::Lost];

    /// The status in it, and when it happened.
    fn says(self) -> (&'static str, &'static str) {
        match self {
            Self::Created | Self::Withdrawn => ("needs_response", AT),
            Self::Won | Self::Reinstated => ("won", "2026-12-28T12:00:00.000Z"),
            Self::Lost => ("lost", "2026-12-28T12:00:00.000Z"),
        }
    }

    pub fn moves_money(self) -> bool {
        matches!(self, Self::Withdrawn | Self::Reinstated)
    }
}

impl Bank {
    /// The same as [`Refund::told`].
    pub fn told(self) -> &'static [Event] {
        match self {
            Self::None => &[],
            Self::Decides => &[Event::Created, Event::Withdrawn],
            Self::ForTheShop => &[Event::Created, Event::Withdrawn, Event::Won, Event::Reinstated],
            Self::ForTheBuyer => &[Event::Created, Event::Withdrawn, Event::Lost],
        }
    }

    fn has_it(self) -> bool {
        matches!(self, Self::Decides | Self::ForTheBuyer)
    }
}

/// How a dispute goes on here: what is known of it, and how many more stand by then. By [`Dispute::goes_on`].
type Ways = Vec<(Option<DisputeState>, Event, Option<(DisputeState, i8)>)>;

static WAYS: LazyLock<Ways> = LazyLock::new(|| {
    let (order, payment) = (order(OrderStatus::Pending, 1, 1), payment(1, AttemptStatus::Captured, None));
    let now: Timestamp = AT.parse().unwrap();
    let heard = |event: Event| {
        let (status, since) = event.says();
        let said: stripe::Dispute =
            serde_json::from_value(json!({ "id": "du_1", "status": status })).unwrap();
        (said, since.parse::<Timestamp>().unwrap())
    };
    let begun = |event| {
        let (said, since) = heard(event);
        Dispute::heard_of(&said, &payment, &order, since, now)
    };
    let state = |dispute: &Dispute| -> DisputeState {
        serde_json::from_value(serde_json::to_value(dispute).unwrap()["status"].clone()).unwrap()
    };
    let first = Event::ALL.map(|event| {
        let next = begun(event);
        (None, event, Some((state(&next), i8::try_from(next.counted(None).stand).unwrap())))
    });
    let then = [Event::Created, Event::Won, Event::Lost].map(begun).into_iter().flat_map(|before| {
        Event::ALL.map(|event| {
            let (said, since) = heard(event);
            let next = before.goes_on(&said, since, now);
            let next =
                next.map(|next| (state(&next), i8::try_from(next.counted(Some(&before)).stand).unwrap()));
            (Some(state(&before)), event, next)
        })
    });
    first.into_iter().chain(then).collect()
});

fn goes_on(known: Option<DisputeState>, event: Event) -> Option<(DisputeState, i8)> {
    let way = WAYS.iter().find(|(before, said, _)| (*before, *said) == (known, event));
    way.and_then(|(_, _, next)| *next)
}

fn minor(parts: i8) -> u64 {
    u64::try_from(parts).unwrap() * 1_000
}

fn parts(amount: Amount) -> i8 {
    i8::try_from(amount.minor() / 1_000).unwrap()
}

/// A payment of which so much can go back, and which so many disputes are about.
fn payment_with(refundable: u64, disputes: u8) -> Payment {
    let mut item = serde_json::to_value(payment(1, AttemptStatus::Captured, None)).unwrap();
    (item["refundable"], item["disputes"]) = (json!(refundable), json!(disputes));
    serde_json::from_value(item).unwrap()
}

/// How much goes back for what an admin asks for, by [`amount_of`]: of what is left, which is disputed or not.
type Allowed = Vec<((i8, bool, Option<i8>), Option<i8>)>;

static ALLOWED: LazyLock<Allowed> = LazyLock::new(|| {
    let wanted = [None, Some(1)];
    let left = (0..=CAME).flat_map(|left| [(left, false), (left, true)]);
    let all = left.flat_map(|(left, is_disputed)| wanted.map(|wanted| (left, is_disputed, wanted)));
    all.map(|(left, is_disputed, wanted)| {
        let payment = payment_with(minor(left), u8::from(is_disputed));
        let allowed = amount_of(&payment, wanted.map(|parts| Amount::from_minor(minor(parts))));
        ((left, is_disputed, wanted), allowed.ok().map(parts))
    })
    .collect()
});

/// What an order counts of its money when nothing went back.
static PAID: LazyLock<Paying> = LazyLock::new(|| {
    let paying = order(OrderStatus::Pending, 1, 1).payment().unwrap().clone();
    Paying { paid: Amount::from_minor(minor(CAME)), ..paying }
});

/// An order of two sellers who have not sent anything yet, of which the other one has refused or not.
fn of_two_sellers(is_refused: bool, refunding: i8, refunded: i8) -> Order {
    let mut item = serde_json::to_value(order(OrderStatus::Pending, 1, 1)).unwrap();
    let mut line = item["lines"][0].clone();
    line["unitPrice"] = json!(minor(1));
    let mut other = line.clone();
    let id = "01a1fbbc-f982-7d04-8367-8c1b9055f408";
    (other["offerId"], other["productId"], other["sellerId"]) = (json!(id), json!(id), json!(SELLERS[1]));
    (item["lines"], item["total"], item["manual"]) = (json!([line, other]), json!(minor(CAME)), json!(true));
    item["payment"]["paid"] = json!(minor(CAME));
    item["payment"]["refunding"] = json!(minor(refunding));
    item["payment"]["refunded"] = json!(minor(refunded));
    if is_refused {
        item["parcels"] = json!({ SELLERS[0]: { "status": "to_send" }, SELLERS[1]: { "status": "refused" } });
    }
    serde_json::from_value(item).unwrap()
}

/// How much goes back for a parcel that is refused, by [`refused_money`]: where the other one is or not, and so much is
/// on its way back, and so much went.
type Worth = Vec<((bool, i8, i8), i8)>;

static WORTH: LazyLock<Worth> = LazyLock::new(|| {
    let seller = Caller::for_tests(SELLERS[0]);
    let of = |is_refused: bool, refunding: i8, refunded: i8| {
        let order = of_two_sellers(is_refused, refunding, refunded);
        let (whose, by) = order.parcel_told_by(&seller, None).unwrap();
        let moves = order.moves(std::slice::from_ref(&whose), &ParcelSaid::Refused(None)).unwrap().unwrap();
        let mut payment = serde_json::to_value(payment_with(minor(CAME - refunding - refunded), 0)).unwrap();
        payment["intentId"] = json!("pi_1");
        let payment = serde_json::from_value(payment).unwrap();
        let asked = refused_money(&order, &moves, &whose, Some(&payment), &by, AT.parse().unwrap());
        asked.unwrap().1.map_or(0, |refund| parts(refund.amount()))
    };
    let goes =
        (0..=CAME).flat_map(|refunding| (0..=CAME - refunding).map(move |refunded| (refunding, refunded)));
    let all = goes.flat_map(|(refunding, refunded)| [false, true].map(|other| (other, refunding, refunded)));
    all.map(|(other, refunding, refunded)| ((other, refunding, refunded), of(other, refunding, refunded)))
        .collect()
});

/// What was read of an order that is to end, or of which a parcel is to be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Read {
    refunding: i8,
    refunded: i8,
    disputes: i8,
    refused: [bool; SELLERS.len()],
}

impl Read {
    /// By [`Paying::goes_back`].
    fn goes_back(self) -> i8 {
        let count = |parts| Amount::from_minor(minor(parts));
        let (refunding, refunded) = (count(self.refunding), count(self.refunded));
        let disputes = u32::try_from(self.disputes).unwrap();
        parts(Paying { refunding, refunded, disputes, ..PAID.clone() }.goes_back())
    }

    /// How much goes back for the parcel of this seller, and whether nothing is sent then.
    fn refuses(self, seller: usize) -> (i8, bool) {
        let is_last = self.refused.iter().enumerate().all(|(other, refused)| other == seller || *refused);
        let asked = (is_last, self.refunding, self.refunded);
        let worth = WORTH.iter().find(|(of, _)| *of == asked).map(|(_, worth)| *worth);
        (worth.unwrap_or_default(), is_last)
    }
}

/// The money of one order that was paid by one attempt. Each counter is written in one transaction to both, so there is
/// one of it here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Books {
    /// Whether the order is cancelled, and how often its stock came back.
    pub is_over: bool,
    pub released: u8,
    /// Whose parcels are refused, and how often the pieces of each came back.
    pub refused: [bool; SELLERS.len()],
    pub given_back: [u8; SELLERS.len()],
    pub refundable: i8,
    pub refunding: i8,
    pub refunded: i8,
    /// What the ledger sums to.
    pub ledger: i8,
    /// How many disputes stand, as far as is known here, and what banks have taken.
    pub disputes: i8,
    pub disputed: i8,
    pub dispute: Option<DisputeState>,
    withdrawn: u8,
    reinstated: u8,
    /// Whether something was asked back that a bank had, as far as was known when it was written.
    pub asked_of_a_bank: bool,
    pub refunds: [Refund; REFUNDS],
    /// The dispute at Stripe, of so much.
    pub bank: Bank,
    pub bank_has: i8,
}

pub const PAID_IN_FULL: Books = Books {
    is_over: false,
    released: 0,
    refused: [false; SELLERS.len()],
    given_back: [0; SELLERS.len()],
    refundable: CAME,
    refunding: 0,
    refunded: 0,
    ledger: CAME,
    disputes: 0,
    disputed: 0,
    dispute: None,
    withdrawn: 0,
    reinstated: 0,
    asked_of_a_bank: false,
    refunds: [NO_REFUND; REFUNDS],
    bank: Bank::None,
    bank_has: 0,
};

/// What is read.
impl Books {
    /// What an admin gets who asks for so much back, or for all.
    pub fn allowed(&self, wanted: Option<i8>) -> Option<i8> {
        let asked = (self.refundable, self.disputes > 0, wanted);
        ALLOWED.iter().find(|(of, _)| *of == asked).and_then(|(_, allowed)| *allowed)
    }

    pub fn read(&self) -> Read {
        let Self { refunding, refunded, disputes, refused, .. } = *self;
        Read { refunding, refunded, disputes, refused }
    }

    /// What was kept because a bank was to decide, and goes back now.
    pub fn owes(&self) -> i8 {
        let is_won = self.dispute == Some(DisputeState::Won);
        if is_won && self.is_over && self.disputes == 0 { self.refundable } else { 0 }
    }

    pub fn all_of(&self, state: RefundState) -> i8 {
        self.refunds.iter().filter(|refund| refund.known == Some(state)).map(|refund| refund.amount).sum()
    }

    /// What Stripe still has.
    pub fn at_stripe(&self) -> i8 {
        let gone: i8 = self.refunds.iter().map(Refund::at_stripe).sum();
        CAME - gone - if self.bank.has_it() { self.bank_has } else { 0 }
    }
}

/// What Stripe does.
impl Books {
    /// A refund is asked for. Stripe gives back what is there, unless a bank has it or may get it.
    pub fn posted(&mut self, which: usize, has_keys: bool) -> Word {
        let (left, is_disputed, refund) = (self.at_stripe(), self.bank.has_it(), &mut self.refunds[which]);
        match refund.key {
            Key::Made if has_keys => return Word::Went,
            Key::Refused if has_keys => return Word::Failed,
            Key::Unknown | Key::Made | Key::Refused => {}
        }
        if is_disputed || refund.amount > left {
            refund.key = Key::Refused;
            return Word::Failed;
        }
        (refund.key, refund.standing) = (Key::Made, Standing::Succeeded);
        refund.made += 1;
        Word::Went
    }

    pub fn made_in_the_dashboard(&mut self, amount: i8) {
        self.refunds[DASHBOARD] = Refund { amount, standing: Standing::Succeeded, made: 1, ..NO_REFUND };
    }

    pub fn disputed(&mut self) {
        (self.bank, self.bank_has) = (Bank::Decides, self.at_stripe());
    }
}

/// What is written here. Each is a transaction: false where its condition does not hold.
impl Books {
    /// `Payments::takes`, which asks for a refund.
    pub fn takes(&mut self, amount: i8, without: Option<Safeguard>) -> Option<u8> {
        let is_there = self.refundable >= amount || without == Some(Safeguard::Refundable);
        let is_free = self.disputes == 0 || without == Some(Safeguard::BankDecides);
        (is_there && is_free).then(|| {
            self.asked_of_a_bank |= self.disputes > 0;
            self.begun(amount)
        })
    }

    fn begun(&mut self, amount: i8) -> u8 {
        let free = self.refunds[..DASHBOARD].iter().position(|refund| refund.known.is_none());
        let which = free.expect("there is room for as many refunds as there can be");
        self.refunds[which] = Refund { amount, known: Some(RefundState::Requested), ..NO_REFUND };
        self.refundable -= amount;
        self.refunding += amount;
        u8::try_from(which).unwrap()
    }

    /// `Payments::end_paid` and `Orders::end`.
    pub fn ends(&mut self, read: Read, without: Option<Safeguard>) -> Option<Option<u8>> {
        let goes_back = read.goes_back();
        let is_pending = !self.is_over || without == Some(Safeguard::StatusCondition);
        let is_there = goes_back == 0 || self.refundable == goes_back;
        (is_pending && self.read() == read && is_there).then(|| {
            self.is_over = true;
            self.released += 1;
            (goes_back > 0).then(|| self.begun(goes_back))
        })
    }

    /// `Payments::refuse_parcel`: the parcels are as they were read. With the last one the order is over, and as much
    /// goes back of its money as was read; with another one what it is worth, if it is still there.
    pub fn refuses(&mut self, seller: usize, read: Read, without: Option<Safeguard>) -> Option<Option<u8>> {
        let (goes_back, is_last) = read.refuses(seller);
        let is_as_read = self.refused == read.refused || without == Some(Safeguard::Parcels);
        let is_there = match (goes_back, is_last) {
            (0, _) => true,
            (_, true) => self.refundable == goes_back && self.disputes == read.disputes,
            (_, false) => self.refundable >= goes_back && self.disputes == 0,
        };
        let is_paid_as_read = !is_last || (self.refunding, self.refunded) == (read.refunding, read.refunded);
        (is_as_read && is_there && is_paid_as_read).then(|| {
            self.refused[seller] = true;
            self.given_back[seller] += 1;
            if is_last {
                self.is_over = true;
                self.released += 1;
            }
            (goes_back > 0).then(|| self.begun(goes_back))
        })
    }

    /// `Refunds::becomes`, and for one from the Dashboard that nobody knew of `gone_elsewhere` and `failed_elsewhere`:
    /// what was heard of a refund, by how it was when it was read.
    pub fn becomes(
        &mut self,
        which: usize,
        (read, word): (Option<RefundState>, Word),
        without: Option<Safeguard>,
    ) -> bool {
        let is_as_read = self.refunds[which].known == read || without == Some(Safeguard::StatusCondition);
        let follows = read.map(|state| state.on(word.heard()));
        match (read, word, follows) {
            _ if !is_as_read => false,
            (None, Word::Went, _) => self.gone_elsewhere(which, without),
            (None, Word::Failed, _) => {
                self.refunds[which].known = Some(RefundState::Failed);
                true
            }
            (Some(RefundState::Requested), _, Some(RefundFollows::To(RefundState::Accepted))) => {
                self.accepted(which, without)
            }
            (Some(RefundState::Requested), _, Some(RefundFollows::To(RefundState::Failed))) => {
                self.refused(which)
            }
            (Some(RefundState::Accepted), _, Some(RefundFollows::To(RefundState::Failed))) => {
                self.returned(which, without)
            }
            (Some(_), _, _) => false,
        }
    }

    /// `Payments::accept`.
    fn accepted(&mut self, which: usize, without: Option<Safeguard>) -> bool {
        let refund = &mut self.refunds[which];
        let is_new = refund.went == 0 || without == Some(Safeguard::LedgerFact);
        if self.refunding < refund.amount || !is_new {
            return false;
        }
        (refund.known, refund.went) = (Some(RefundState::Accepted), refund.went + 1);
        self.refunding -= refund.amount;
        self.refunded += refund.amount;
        self.ledger -= refund.amount;
        true
    }

    /// `Payments::refuse`.
    fn refused(&mut self, which: usize) -> bool {
        let refund = &mut self.refunds[which];
        if self.refunding < refund.amount {
            return false;
        }
        refund.known = Some(RefundState::Failed);
        self.refunding -= refund.amount;
        self.refundable += refund.amount;
        true
    }

    /// `Payments::returned`.
    fn returned(&mut self, which: usize, without: Option<Safeguard>) -> bool {
        let refund = &mut self.refunds[which];
        let is_new = refund.again == 0 || without == Some(Safeguard::LedgerFact);
        if self.refunded < refund.amount || !is_new {
            return false;
        }
        (refund.known, refund.again) = (Some(RefundState::Failed), refund.again + 1);
        self.refunded -= refund.amount;
        self.refundable += refund.amount;
        self.ledger += refund.amount;
        true
    }

    /// `Payments::gone_elsewhere`: refused as long as another refund is owed that Stripe will refuse because of it.
    fn gone_elsewhere(&mut self, which: usize, without: Option<Safeguard>) -> bool {
        let refund = &mut self.refunds[which];
        if self.refundable < refund.amount && without != Some(Safeguard::Refundable) {
            return false;
        }
        (refund.known, refund.went) = (Some(RefundState::Accepted), refund.went + 1);
        self.refundable -= refund.amount;
        self.refunded += refund.amount;
        self.ledger -= refund.amount;
        true
    }

    /// `Payments::dispute`, if what is known of the dispute is as it was read.
    pub fn disputes(&mut self, read: Option<DisputeState>, event: Event) {
        if let (Some((next, stand)), true) = (goes_on(read, event), self.dispute == read) {
            self.dispute = Some(next);
            self.disputes += stand;
        }
    }

    /// Whether what is told of the dispute is news here.
    pub fn is_news(&self, event: Event) -> bool {
        goes_on(self.dispute, event).is_some()
    }

    /// `Payments::funds_moved`. Stripe may tell one fact by two events: where the ledger's keys are those of events,
    /// each of both is written.
    pub fn funds_moved(&mut self, event: Event, without: Option<Safeguard>) {
        let most = if without == Some(Safeguard::LedgerFact) { 2 } else { 1 };
        let (fact, more) = match event {
            Event::Withdrawn => (&mut self.withdrawn, self.bank_has),
            Event::Reinstated => (&mut self.reinstated, -self.bank_has),
            Event::Created | Event::Won | Event::Lost => return,
        };
        if *fact < most {
            *fact += 1;
            self.disputed += more;
            self.ledger -= more;
        }
    }
}
