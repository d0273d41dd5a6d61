//! What people did and what they were answered: one side of every invariant.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Instant;

use serde_json::Value;

use crate::reviews::{Key, Said};

/// An answer to a purchase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answered {
    /// 201 with this order.
    Placed(String),
    /// The shop said no, with this status.
    Refused(u16),
    /// No clear answer: the function failed, or there were too many requests.
    Unknown(u16),
}

impl Answered {
    /// Whether there is no need to ask again.
    pub(crate) fn is_clear(&self) -> bool {
        !matches!(self, Self::Unknown(_))
    }
}

/// What a person says of an order that was placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    Shipped,
    Delivered,
}

/// An answer to somebody who cancels an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cancelled {
    /// It is over.
    Done,
    /// It is on its way.
    OnItsWay,
    /// Its money is on its way, and until that has come or not nothing can be said.
    MoneyOnItsWay,
    /// No clear answer.
    Unknown(u16),
}

/// What is asked of the shop, so that it can be asked again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    /// `/orders`, `/cart/checkout` or `/guest-cart/checkout`.
    pub path: &'static str,
    pub body: Value,
}

/// Who buys without an account.
#[derive(Debug, Clone, Default)]
pub(crate) struct Guest {
    /// Where mail goes to.
    pub email: String,
    /// What opens the cart.
    pub cart: String,
    /// What opens the order, as it was answered.
    pub token: Option<String>,
    /// Who asked to have the order, and the statuses that this was answered with.
    pub claims: Vec<(String, u16)>,
}

/// Something bought, or tried to, under one idempotency key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Purchase {
    /// What tells it in a report: `buyer 3` or the name of a scenario.
    pub label: String,
    /// The buyer's id; of a guest, the cart's.
    pub buyer: String,
    /// Who it is, without an account.
    pub guest: Option<Guest>,
    /// What was asked for.
    pub asked: Asked,
    /// The idempotency key.
    pub key: String,
    /// The products and how many pieces of each.
    pub lines: Vec<(String, i64)>,
    /// Every answer, in order.
    pub answers: Vec<Answered>,
    /// The buyer did not ask again after an unclear answer.
    pub given_up: bool,
    /// What cancelling it was answered with, be it the buyer or an admin.
    pub cancels: Vec<Cancelled>,
    /// The attempts to pay it that its buyer was told of.
    pub payments: BTreeSet<String>,
    /// Somebody paid by a page that was over, which Stripe would not let anybody do.
    pub is_forced: bool,
    /// What its seller or an admin said of it, and the statuses that this was answered with.
    pub said: Vec<(Word, u16)>,
    /// What each of several sellers said of the own parcel, and the status that this was answered with.
    pub parcels: Vec<(String, (&'static str, u16))>,
    /// When it was asked for first.
    pub asked_at: Option<Instant>,
    /// When its buyer was told of the order first.
    pub placed_at: Option<Instant>,
    /// Nobody sends, cancels or reviews it but whoever it is of.
    pub left_alone: bool,
}

impl Purchase {
    /// The order, if the buyer was ever told of it.
    pub(crate) fn order(&self) -> Option<&str> {
        self.answers.iter().find_map(|answer| match answer {
            Answered::Placed(order) => Some(order.as_str()),
            _ => None,
        })
    }

    /// Whether the buyer knows what became of the last try to cancel it, if there was one.
    pub(crate) fn knows_if_cancelled(&self) -> bool {
        self.cancels.last().is_none_or(|last| !matches!(last, Cancelled::Unknown(_)))
    }

    /// Who bought it, as an order is known of that nobody was told of.
    pub(crate) fn who(&self) -> &str {
        self.guest.as_ref().map_or(&self.buyer, |guest| &guest.email)
    }

    /// Whether `buyer` is whose this order should be.
    pub(crate) fn may_be_of(&self, order: &str, buyer: &str) -> bool {
        let Some(guest) = &self.guest else { return buyer == self.buyer };
        let claimed = guest.claims.iter().find(|(_, status)| *status == 200);
        match claimed {
            Some((person, _)) => person == buyer,
            None => buyer == format!("guest#{order}"),
        }
    }

    /// Who asked last to have it and has no clear answer.
    pub(crate) fn claimed_in_vain(&self) -> Option<&str> {
        let (person, status) = self.guest.as_ref()?.claims.last()?;
        (![200, 404].contains(status)).then_some(person)
    }

    /// What was said last and had no clear answer.
    pub(crate) fn said_in_vain(&self) -> Option<Word> {
        self.said.last().filter(|(_, status)| ![200, 409].contains(status)).map(|(word, _)| *word)
    }

    /// Whether the buyer knows what became of it.
    pub(crate) fn is_clear(&self) -> bool {
        self.answers.iter().any(Answered::is_clear)
    }
}

/// Something that an admin gives back, under one idempotency key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct GivenBack {
    /// Of which payment.
    pub payment: String,
    /// What was asked for.
    pub body: Value,
    /// Each status, and the refund that was answered.
    pub answers: Vec<(u16, Option<String>)>,
}

impl GivenBack {
    /// Whether there is no need to ask again.
    pub(crate) fn is_clear(&self) -> bool {
        self.answers.last().is_some_and(|(status, _)| *status < 500 && ![408, 429].contains(status))
    }
}

/// Somebody who asks for the end of the account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Leaving {
    /// Where mail went to.
    pub email: String,
    /// Something is owed to this person, or by this person, and stays so.
    pub owes: bool,
    /// What asking was answered with, each time.
    pub answers: Vec<u16>,
}

impl Leaving {
    /// Whether the last answer was clear: it begins, or there is no account.
    pub(crate) fn is_answered(&self) -> bool {
        self.answers.last().is_some_and(|status| [202, 404].contains(status))
    }
}

/// What the sellers know about one product.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Book {
    /// How many pieces there were at first.
    pub initial: i64,
    /// How many were added and deducted by people since.
    pub changed: i64,
    /// The lowest stock that anybody saw, be it for sale or promised.
    pub lowest: i64,
}

/// All of it, shared by everyone.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// By idempotency key.
    purchases: Mutex<BTreeMap<String, Purchase>>,
    /// By idempotency key.
    given_back: Mutex<BTreeMap<String, GivenBack>>,
    books: Mutex<BTreeMap<String, Book>>,
    /// What was given a picture, by its key in the bucket.
    pictured: Mutex<BTreeSet<String>>,
    /// The products that were approved with a picture, and that nobody changed since.
    approved: Mutex<BTreeSet<String>>,
    /// What was deleted and not made again, by its key in the bucket.
    deleted: Mutex<BTreeSet<String>>,
    /// What people last said of products, or that they took it back, as far as they know.
    said: Mutex<BTreeMap<Key, Option<Said>>>,
    /// By the person's id.
    leaving: Mutex<BTreeMap<String, Leaving>>,
    /// How many stars of each number those gave a product who would leave.
    keepsakes: Mutex<BTreeMap<String, [i64; 5]>>,
    /// The products that are in the store.
    in_the_store: Mutex<BTreeSet<String>>,
    /// While it was closed: from an answer that said so until somebody asked to publish it again.
    closings: Mutex<Vec<(Instant, Option<Instant>)>>,
    /// Other requests that had no clear answer in the end.
    unanswered: Mutex<Vec<String>>,
}

impl History {
    /// A new product with so much stock.
    pub(crate) fn listed(&self, product: &str, initial: i64) {
        let book = Book { initial, changed: 0, lowest: initial };
        self.books.lock().expect("no holder of this lock panics").insert(product.to_owned(), book);
    }

    /// Its stock was changed by a person.
    pub(crate) fn stock_changed(&self, product: &str, pieces: i64) {
        let mut books = self.books.lock().expect("no holder of this lock panics");
        books.entry(product.to_owned()).or_default().changed += pieces;
    }

    /// Somebody saw this stock.
    pub(crate) fn saw_stock(&self, product: &str, quantity: i64) {
        if let Some(book) = self.books.lock().expect("no holder of this lock panics").get_mut(product) {
            book.lowest = book.lowest.min(quantity);
        }
    }

    /// Begins a purchase.
    pub(crate) fn begin(&self, key: &str, purchase: Purchase) {
        self.note(key, |begun| *begun = Purchase { key: key.to_owned(), ..purchase });
    }

    /// A purchase as it stands.
    pub(crate) fn purchase(&self, key: &str) -> Option<Purchase> {
        self.purchases.lock().expect("no holder of this lock panics").get(key).cloned()
    }

    /// Begins a purchase, or changes it.
    pub(crate) fn note(&self, key: &str, change: impl FnOnce(&mut Purchase)) {
        let mut purchases = self.purchases.lock().expect("no holder of this lock panics");
        let purchase = purchases.entry(key.to_owned()).or_default();
        key.clone_into(&mut purchase.key);
        change(purchase);
    }

    /// An admin asked for something back, and was answered so.
    pub(crate) fn gave_back(&self, key: &str, payment: &str, body: &Value, answer: (u16, Option<String>)) {
        let mut given_back = self.given_back.lock().expect("no holder of this lock panics");
        let entry = given_back.entry(key.to_owned()).or_default();
        payment.clone_into(&mut entry.payment);
        body.clone_into(&mut entry.body);
        entry.answers.push(answer);
    }

    /// All that admins asked back, by the key.
    pub(crate) fn given_back(&self) -> BTreeMap<String, GivenBack> {
        self.given_back.lock().expect("no holder of this lock panics").clone()
    }

    /// Something was given a picture.
    pub(crate) fn pictured(&self, key: &str) {
        self.pictured.lock().expect("no holder of this lock panics").insert(key.to_owned());
    }

    /// A product was approved with its picture.
    pub(crate) fn approved(&self, key: &str) {
        self.approved.lock().expect("no holder of this lock panics").insert(key.to_owned());
    }

    /// All products that were approved with their picture.
    pub(crate) fn all_approved(&self) -> BTreeSet<String> {
        self.approved.lock().expect("no holder of this lock panics").clone()
    }

    /// All that was given a picture.
    pub(crate) fn all_pictured(&self) -> BTreeSet<String> {
        self.pictured.lock().expect("no holder of this lock panics").clone()
    }

    /// Somebody will leave, or did something about that.
    pub(crate) fn leaving(&self, person: &str, change: impl FnOnce(&mut Leaving)) {
        let mut leaving = self.leaving.lock().expect("no holder of this lock panics");
        change(leaving.entry(person.to_owned()).or_default());
    }

    /// Who would leave.
    pub(crate) fn all_leaving(&self) -> BTreeMap<String, Leaving> {
        self.leaving.lock().expect("no holder of this lock panics").clone()
    }

    /// Somebody who will leave gave a product so many stars, which only such people review.
    pub(crate) fn gave_stars(&self, product: &str, stars: usize) {
        let mut keepsakes = self.keepsakes.lock().expect("no holder of this lock panics");
        if let Some(count) = keepsakes.entry(product.to_owned()).or_default().get_mut(stars - 1) {
            *count += 1;
        }
    }

    /// All stars that such people gave, by the product.
    pub(crate) fn keepsakes(&self) -> BTreeMap<String, [i64; 5]> {
        self.keepsakes.lock().expect("no holder of this lock panics").clone()
    }

    /// A product is in the store.
    pub(crate) fn put_into_the_store(&self, product: &str) {
        self.in_the_store.lock().expect("no holder of this lock panics").insert(product.to_owned());
    }

    /// All products that are in the store.
    pub(crate) fn all_in_the_store(&self) -> BTreeSet<String> {
        self.in_the_store.lock().expect("no holder of this lock panics").clone()
    }

    /// The store was closed: whoever asked for that was answered so at this moment.
    pub(crate) fn closed(&self, at: Instant) {
        self.closings.lock().expect("no holder of this lock panics").push((at, None));
    }

    /// Somebody asks to publish it again, and from now on it may be open, whatever is answered.
    pub(crate) fn may_be_open(&self, at: Instant) {
        if let Some((_, until)) = self.closings.lock().expect("no holder of this lock panics").last_mut() {
            until.get_or_insert(at);
        }
    }

    /// While it was closed, each time.
    pub(crate) fn closings(&self) -> Vec<(Instant, Option<Instant>)> {
        self.closings.lock().expect("no holder of this lock panics").clone()
    }

    /// Something was deleted.
    pub(crate) fn deleted(&self, key: &str) {
        self.deleted.lock().expect("no holder of this lock panics").insert(key.to_owned());
    }

    /// Something that may have been deleted is there again, or may be.
    pub(crate) fn made_again(&self, key: &str) {
        self.deleted.lock().expect("no holder of this lock panics").remove(key);
    }

    /// All that is deleted.
    pub(crate) fn all_deleted(&self) -> BTreeSet<String> {
        self.deleted.lock().expect("no holder of this lock panics").clone()
    }

    /// What is so of a review by what was known of it; `None` where nobody knows.
    pub(crate) fn said(&self, key: &Key, change: impl FnOnce(Option<Option<Said>>) -> Option<Option<Said>>) {
        let mut said = self.said.lock().expect("no holder of this lock panics");
        match change(said.get(key).copied()) {
            Some(known) => drop(said.insert(key.clone(), known)),
            None => drop(said.remove(key)),
        }
    }

    /// All that people know of their reviews.
    pub(crate) fn all_said(&self) -> BTreeMap<Key, Option<Said>> {
        self.said.lock().expect("no holder of this lock panics").clone()
    }

    /// A request had no clear answer, even when all was well again.
    pub(crate) fn left_unanswered(&self, request: &str) {
        self.unanswered.lock().expect("no holder of this lock panics").push(request.to_owned());
    }

    /// All of those.
    pub(crate) fn unanswered(&self) -> Vec<String> {
        self.unanswered.lock().expect("no holder of this lock panics").clone()
    }

    /// All purchases.
    pub(crate) fn purchases(&self) -> Vec<Purchase> {
        self.purchases.lock().expect("no holder of this lock panics").values().cloned().collect()
    }

    /// The keys of all purchases that were answered with an order, and the orders.
    pub(crate) fn placed(&self) -> Vec<(String, String)> {
        let purchases = self.purchases.lock().expect("no holder of this lock panics");
        let placed = purchases.iter().filter_map(|(key, it)| Some((key.clone(), it.order()?.to_owned())));
        placed.collect()
    }

    /// All attempts to pay that somebody was told of.
    pub(crate) fn payments(&self) -> Vec<String> {
        let purchases = self.purchases.lock().expect("no holder of this lock panics");
        purchases.values().flat_map(|purchase| purchase.payments.iter().cloned()).collect()
    }

    /// All products.
    pub(crate) fn books(&self) -> BTreeMap<String, Book> {
        self.books.lock().expect("no holder of this lock panics").clone()
    }
}
