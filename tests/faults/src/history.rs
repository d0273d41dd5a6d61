//! What people did and what they were answered: one side of every invariant.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

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

/// Something bought, or tried to, under one idempotency key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Purchase {
    /// What tells it in a report: `buyer 3` or the name of a scenario.
    pub label: String,
    /// The buyer's id.
    pub buyer: String,
    /// The idempotency key.
    pub key: String,
    /// The products and how many pieces of each.
    pub lines: Vec<(String, i64)>,
    /// Every answer, in order.
    pub answers: Vec<Answered>,
    /// The buyer did not ask again after an unclear answer.
    pub given_up: bool,
    /// The statuses that cancelling it was answered with, be it the buyer or an admin.
    pub cancels: Vec<u16>,
    /// What its seller or an admin said of it, and the statuses that this was answered with.
    pub said: Vec<(Word, u16)>,
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
        self.cancels.last().is_none_or(|status| [200, 409].contains(status))
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
    books: Mutex<BTreeMap<String, Book>>,
    /// What was given a picture, by its key in the bucket.
    pictured: Mutex<BTreeSet<String>>,
    /// The products that were approved with a picture, and that nobody changed since.
    approved: Mutex<BTreeSet<String>>,
    /// What was deleted and not made again, by its key in the bucket.
    deleted: Mutex<BTreeSet<String>>,
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

    /// Begins a purchase, or changes it.
    pub(crate) fn note(&self, key: &str, change: impl FnOnce(&mut Purchase)) {
        let mut purchases = self.purchases.lock().expect("no holder of this lock panics");
        let purchase = purchases.entry(key.to_owned()).or_default();
        key.clone_into(&mut purchase.key);
        change(purchase);
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

    /// All products.
    pub(crate) fn books(&self) -> BTreeMap<String, Book> {
        self.books.lock().expect("no holder of this lock panics").clone()
    }
}
