//! What must hold, whatever failed: counted from what people were answered and what there is in the end.

mod leaving;
mod money;

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Answered, Cancelled, History, Purchase, Word};
use crate::inboxes;
use crate::world::{EmailKind, Order, World};

/// Something that should not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    /// The invariant's name, as docs/reliability.md has it.
    pub invariant: &'static str,
    /// What is so instead.
    pub what: String,
    /// The order, the product or the key by which its faults are found.
    pub about: String,
}

/// Every invariant that does not hold.
pub(crate) fn broken(history: &History, world: &World) -> Vec<Broken> {
    let purchases = history.purchases();
    let mut checks = Checks { world, broken: Vec::new() };
    checks.every_request_is_answered(history, &purchases);
    checks.every_order_is_settled(&purchases);
    checks.sellers_have_their_orders();
    checks.parcels_are_as_their_order(&purchases);
    checks.counters_say_what_is_so();
    checks.one_order_for_each_key(&purchases);
    checks.the_stock_adds_up(history);
    checks.what_is_promised_has_not_left();
    checks.product_and_offer_agree();
    checks.cancelled_means_cancelled(&purchases);
    checks.what_was_said_is_so(&purchases);
    checks.every_buyer_is_told_once(history);
    checks.every_guest_is_told(history, &purchases);
    checks.what_happened_is_told(&purchases);
    checks.inboxes_have_what_happened(&purchases);
    checks.no_text_goes_out_twice();
    checks.the_ledger_sums();
    checks.stripes_books_are_ours();
    checks.no_money_is_kept();
    checks.what_is_paid_is_sent(&purchases);
    checks.no_page_is_left_open(&purchases);
    checks.nothing_goes_back_twice(history);
    checks.no_piece_goes_back_twice();
    checks.every_refund_is_told();
    checks.coupons_count_their_orders();
    checks.dead_letters_are_settled();
    checks.nothing_is_half_written();
    checks.uploads_are_indexed_or_gone(history);
    checks.what_is_deleted_is_gone(history);
    checks.totals_equal_the_reviews();
    checks.stores_have_the_stars_of_what_they_sold();
    checks.who_has_what_they_bought();
    checks.what_is_said_of_a_product_is_so(history);
    checks.search_finds_what_is_for_sale();
    checks.a_closed_store_sells_nothing(history, &purchases);
    checks.gates_say_what_their_store_says();
    checks.whoever_leaves_is_gone(history);
    checks.nobody_leaves_an_order_behind();
    checks.reviews_keep_their_stars(history);
    checks.broken
}

struct Checks<'a> {
    world: &'a World,
    broken: Vec<Broken>,
}

impl Checks<'_> {
    fn add(&mut self, invariant: &'static str, about: &str, what: String) {
        self.broken.push(Broken { invariant, what, about: about.to_owned() });
    }

    fn order(&self, id: &str) -> Option<&Order> {
        self.world.orders.get(id)
    }

    fn every_request_is_answered(&mut self, history: &History, purchases: &[Purchase]) {
        const NAME: &str = "every request is answered";
        for purchase in purchases {
            if !purchase.is_clear() && !purchase.given_up {
                let what =
                    format!("{} asked until all was well: {:?}", purchase.label, purchase.answers.last());
                self.add(NAME, &purchase.key, what);
            }
            if let Some(word) = purchase.said_in_vain() {
                let what = format!("{word:?} was said until all was well: {:?}", purchase.said);
                self.add(NAME, purchase.order().unwrap_or_default(), what);
            }
            if !purchase.knows_if_cancelled() {
                let what = format!("{} cancelled until all was well: {:?}", purchase.label, purchase.cancels);
                self.add(NAME, purchase.order().unwrap_or_default(), what);
            }
            if let Some(person) = purchase.claimed_in_vain() {
                let what = format!("{person} claimed it until all was well: {:?}", purchase.guest);
                self.add(NAME, purchase.order().unwrap_or_default(), what);
            }
        }
        for (key, given_back) in history.given_back().iter().filter(|(_, it)| !it.is_clear()) {
            let what = format!("an admin asked for money back until all was well: {given_back:?}");
            self.add(NAME, key, what);
        }
        for request in history.unanswered() {
            self.add(NAME, &request, "asked until all was well".into());
        }
    }

    fn every_order_is_settled(&mut self, purchases: &[Purchase]) {
        const NAME: &str = "every order is settled";
        for purchase in purchases {
            let Some(order) = purchase.order().filter(|order| self.order(order).is_none()) else { continue };
            self.add(
                NAME,
                order,
                format!("{} was answered 201 with an order that is not there", purchase.label),
            );
        }
        for (id, order) in &self.world.orders {
            let is_over = ["shipping", "delivered", "cancelled"].contains(&order.status.as_str());
            if order.is_due || !(is_over || order.waits()) {
                let due = if order.is_due { " and still due" } else { "" };
                self.add(NAME, id, format!("it is {}{due}", order.status));
            }
            let ways: [&[&str]; 5] = [
                &["pending"],
                &["pending", "shipping"],
                &["pending", "shipping", "delivered"],
                &["pending", "cancelled"],
                // Nobody has paid it.
                &["cancelled"],
            ];
            let by_card = order.by_card;
            let ways = if by_card { &ways[..] } else { &ways[..4] };
            // What is paid by card was placed before.
            let since = order.history.strip_prefix(&["awaiting_payment".to_owned()]).filter(|_| by_card);
            let since = if by_card { since.unwrap_or_default() } else { &order.history };
            if order.history.last() != Some(&order.status) || !ways.iter().any(|way| since == *way) {
                self.add(NAME, id, format!("it is {} after {:?}", order.status, order.history));
            }
            if order.is_open != (order.status == "pending") {
                self.add(
                    NAME,
                    id,
                    format!("it is {}, and on the list of pending orders: {}", order.status, order.is_open),
                );
            }
            if !order.adds_up {
                self.add(NAME, id, "its total is not that of its lines".into());
            }
        }
    }

    /// Each seller of an order has the lines that are theirs, and nobody has anything of an order that is not there.
    fn sellers_have_their_orders(&mut self) {
        const NAME: &str = "sellers have their orders";
        let world = self.world;
        for (id, order) in &world.orders {
            let have = world.of_sellers.get(id).cloned().unwrap_or_default();
            if have != order.sold_by {
                self.add(NAME, id, format!("they sell {:?}, and have {have:?}", order.sold_by));
            }
        }
        for id in world.of_sellers.keys().filter(|id| !world.orders.contains_key(*id)) {
            self.add(NAME, id, "somebody has to send an order that is not there".into());
        }
    }

    /// An order goes where its parcels do, and its sellers have to send what is to be sent of it and nothing else.
    fn parcels_are_as_their_order(&mut self, purchases: &[Purchase]) {
        const NAME: &str = "parcels are as their order";
        let world = self.world;
        for (id, order) in &world.orders {
            let waits = order.manual && ["awaiting_payment", "pending"].contains(&order.status.as_str());
            let to_send = |seller: &&String| {
                let parcel = order.parcels.get(*seller);
                waits && parcel.is_none_or(|status| status == "to_send")
            };
            let expected: BTreeSet<_> = order.sold_by.keys().filter(to_send).cloned().collect();
            let found = world.to_send.iter().filter(|(of, _)| of == id).map(|(_, seller)| seller.clone());
            let found: BTreeSet<String> = found.collect();
            if expected != found {
                self.add(NAME, id, format!("{expected:?} have to send it, and {found:?} are told so"));
            }
            if !order.is_in_parcels() {
                continue;
            }
            let stands = match order.parcels.len() {
                _ if order.parcels_that_are("to_send") > 0 => "pending",
                all if order.parcels_that_are("refused") == all => "cancelled",
                _ if order.parcels_that_are("shipped") > 0 => "shipping",
                _ => "delivered",
            };
            if order.status != stands || !order.parcels.keys().eq(order.sold_by.keys()) {
                self.add(
                    NAME,
                    id,
                    format!("it is {}, and its parcels are {:?}", order.status, order.parcels),
                );
            }
        }
        for (id, seller) in &world.owed_parcels {
            self.add(NAME, id, format!("a letter about {seller}'s parcel is still owed"));
        }
        for purchase in purchases {
            let Some((id, order)) = purchase.order().and_then(|id| Some((id, self.order(id)?.clone())))
            else {
                continue;
            };
            for (seller, said) in
                purchase.parcels.iter().filter(|(_, said)| said.1 == 200).map(|(it, said)| (it, said.0))
            {
                let stands = order.parcels.get(seller).map(String::as_str);
                let is_so = match said {
                    "refused" => stands == Some("refused"),
                    _ => matches!(stands, Some("shipped" | "delivered")) || !order.is_in_parcels(),
                };
                if !is_so {
                    self.add(NAME, id, format!("{seller} was told that it is {said}, and it is {stands:?}"));
                }
            }
        }
    }

    fn counters_say_what_is_so(&mut self) {
        const NAME: &str = "counters say what is so";
        let world = self.world;
        for who in world.sales.wrong() {
            let (counted, there) = (world.sales.counted.get(who), world.sales.there.get(who));
            self.add(NAME, who, format!("{counted:?} is counted, and {there:?} is there"));
        }
    }

    fn one_order_for_each_key(&mut self, purchases: &[Purchase]) {
        const NAME: &str = "one order for each key";
        let mut answered = BTreeSet::new();
        let mut unknown: BTreeMap<&str, usize> = BTreeMap::new();
        for purchase in purchases {
            let placed: BTreeSet<&str> = purchase
                .answers
                .iter()
                .filter_map(|answer| match answer {
                    Answered::Placed(order) => Some(order.as_str()),
                    _ => None,
                })
                .collect();
            if placed.len() > 1 {
                self.add(NAME, &purchase.key, format!("{} was answered {placed:?}", purchase.label));
            }
            let first = purchase.answers.iter().position(|answer| matches!(answer, Answered::Placed(_)));
            let later = purchase.answers.iter().skip(first.unwrap_or(usize::MAX));
            for refused in later.filter(|answer| matches!(answer, Answered::Refused(_))) {
                self.add(NAME, &purchase.key, format!("{} was placed and then {refused:?}", purchase.label));
            }
            let record = format!("{}#{}", purchase.buyer, purchase.key);
            let record = self.world.records.get(&record);
            if let Some(order) = purchase.order()
                && record.is_none_or(|record| record != order)
            {
                self.add(NAME, order, format!("{}'s key has the record {record:?}", purchase.label));
            }
            for order in &placed {
                let ordered = self.order(order);
                // A cart keeps its lines as they came, some of them perhaps from before.
                let same = |ordered: &Order| {
                    let [ordered, asked] = [&ordered.lines, &purchase.lines].map(|lines| {
                        let mut lines = lines.clone();
                        lines.sort();
                        lines
                    });
                    ordered == asked
                };
                let is_another =
                    |ordered: &Order| !same(ordered) || !purchase.may_be_of(order, &ordered.buyer);
                if ordered.is_some_and(is_another) {
                    self.add(NAME, order, format!("{} ordered {:?}", purchase.label, purchase.lines));
                }
            }
            answered.extend(placed.into_iter().map(str::to_owned));
            if !purchase.is_clear() {
                *unknown.entry(purchase.who()).or_default() += 1;
            }
        }
        for (id, order) in &self.world.orders {
            if answered.contains(id) {
                continue;
            }
            // Somebody who did not ask again may have an order without knowing it, one for each such key.
            let who = if order.is_a_guests() { &order.email } else { &order.buyer };
            match unknown.get_mut(who.as_str()).filter(|left| **left > 0) {
                Some(left) => *left -= 1,
                None => self.add(NAME, id, "no key was answered with this order".into()),
            }
        }
        for (record, order) in &self.world.records {
            if self.order(order).is_none() {
                self.add(NAME, order, format!("{record} names an order that is not there"));
            }
        }
    }

    fn the_stock_adds_up(&mut self, history: &History) {
        const NAME: &str = "the stock adds up";
        let mut sold: BTreeMap<&str, i64> = BTreeMap::new();
        for order in self.world.orders.values().filter(|order| order.status != "cancelled") {
            for (product, pieces) in order.kept_lines() {
                *sold.entry(product).or_default() += pieces;
            }
        }
        for (product, book) in history.books() {
            let Some(offer) = self.world.offers.get(&product) else {
                self.add(NAME, &product, "it is gone".into());
                continue;
            };
            let quantity = offer.quantity;
            let sold = sold.get(product.as_str()).copied().unwrap_or_default();
            if book.initial + book.changed - sold != quantity {
                let what =
                    format!("{} + {} - {sold} sold, but there are {quantity}", book.initial, book.changed);
                self.add(NAME, &product, what);
            }
            let lowest = book.lowest.min(quantity).min(offer.promised);
            if lowest < 0 {
                self.add("never below zero", &product, format!("there were {lowest} pieces"));
            }
        }
    }

    fn what_is_promised_has_not_left(&mut self) {
        const NAME: &str = "what is promised has not left";
        let mut held: BTreeMap<&str, i64> = BTreeMap::new();
        for (id, order) in &self.world.orders {
            if order.status == "cancelled" && order.handed_over {
                self.add(NAME, id, "it is cancelled, and its pieces have left".into());
            }
            if order.holds_pieces() {
                if order.status != "pending" {
                    self.add(NAME, id, format!("it is {}, and its pieces are still promised", order.status));
                }
                for (product, pieces) in order.kept_lines() {
                    *held.entry(product).or_default() += pieces;
                }
            }
        }
        for (product, offer) in &self.world.offers {
            let held = held.get(product.as_str()).copied().unwrap_or_default();
            if held != offer.promised {
                self.add(NAME, product, format!("orders hold {held}, and {} are promised", offer.promised));
            }
        }
    }

    fn product_and_offer_agree(&mut self) {
        const NAME: &str = "product and offer agree";
        let products =
            self.world.shown.values().filter_map(|shown| Some((&shown.key, shown.terms.as_ref()?)));
        let products: BTreeMap<_, _> = products.collect();
        for (id, terms) in &products {
            match self.world.offers.get(*id) {
                None => self.add(NAME, id, "it has no offer".into()),
                Some(offer) if offer.terms != **terms => {
                    self.add(NAME, id, format!("it is {terms:?}, and its offer {:?}", offer.terms));
                }
                Some(_) => {}
            }
        }
        for id in self.world.offers.keys().filter(|id| !products.contains_key(id)) {
            self.add(NAME, id, "an offer of nothing".into());
        }
    }

    fn cancelled_means_cancelled(&mut self, purchases: &[Purchase]) {
        const NAME: &str = "cancelled means cancelled";
        for purchase in purchases {
            let Some(id) = purchase.order() else { continue };
            let status = self.order(id).map(|order| order.status.clone()).unwrap_or_default();
            // Whose seller has refused a part of it cannot be cancelled any more, until another one refuses the rest.
            let is_in_parcels = self.order(id).is_some_and(Order::is_in_parcels);
            if purchase.cancels.contains(&Cancelled::Done) && status != "cancelled" {
                self.add(NAME, id, format!("its buyer was told that it is cancelled, and it is {status}"));
            }
            if purchase.cancels.contains(&Cancelled::OnItsWay) && status == "cancelled" && !is_in_parcels {
                self.add(NAME, id, "its buyer was told that it is on its way, and it is cancelled".into());
            }
        }
    }

    fn what_was_said_is_so(&mut self, purchases: &[Purchase]) {
        const NAME: &str = "what was said is so";
        for purchase in purchases {
            let Some((id, order)) = purchase.order().and_then(|id| Some((id, self.order(id)?.clone())))
            else {
                continue;
            };
            for (word, answer) in &purchase.said {
                let is_so = match (word, answer) {
                    (Word::Shipped, 200) => {
                        ["shipping", "delivered"].contains(&order.status.as_str())
                            && (order.tracking.as_ref() == Some(&purchase.key) || order.is_in_parcels())
                    }
                    (Word::Shipped, 409) => order.status == "cancelled",
                    (Word::Delivered, 200) => order.status == "delivered",
                    _ => true,
                };
                if !is_so {
                    let what = format!("{word:?} was answered {answer}, and it is {order:?}");
                    self.add(NAME, id, what);
                }
            }
        }
        for (id, order) in &self.world.orders {
            let by_hand = order.manual && ["shipping", "delivered"].contains(&order.status.as_str());
            if by_hand != order.tracking.is_some() && !order.is_in_parcels() {
                self.add(NAME, id, format!("it is {}, and its number {:?}", order.status, order.tracking));
            }
        }
    }

    fn every_buyer_is_told_once(&mut self, history: &History) {
        const NAME: &str = "every buyer is told";
        let mut twice = Vec::new();
        for (id, order) in &self.world.orders {
            let emails = self.world.emails.get(id).map(Vec::as_slice).unwrap_or_default();
            let count = |kind| emails.iter().filter(|email| **email == kind).count();
            use EmailKind::{Cancelled, Confirmed, Delivered, Shipping};
            let (owed, wrong): (_, &[EmailKind]) = match order.status.as_str() {
                "pending" => (None, &[Shipping, Delivered, Cancelled]),
                "cancelled" => (Some(Cancelled), &[Shipping, Delivered]),
                "delivered" => (Some(Delivered), &[Cancelled]),
                // Of each part by itself, unless an admin has sent what was left of it.
                "shipping" if order.is_in_parcels() => (None, &[Delivered, Cancelled]),
                _ => (Some(Shipping), &[Delivered, Cancelled]),
            };
            if owed.is_some_and(|owed| count(owed) == 0) {
                self.add(NAME, id, format!("it is {} and nobody was told", order.status));
            }
            let of_parts = [("shipped", EmailKind::PartSent), ("refused", EmailKind::PartRefused)];
            for (status, kind) in of_parts.into_iter().filter(|_| order.status != "cancelled") {
                let (parts, told) = (order.parcels_that_are(status), count(kind));
                if told < parts && (status == "refused" || count(Shipping) == 0) {
                    self.add(NAME, id, format!("{parts} parts of it are {status}, and {told} letters tell"));
                }
            }
            for kind in [EmailKind::PartSent, EmailKind::PartRefused] {
                for _ in order.parcels.len()..count(kind) {
                    twice.push((id.clone(), format!("{kind:?}")));
                }
            }
            // A confirmation is not swept up: its message is worked or kept.
            if ["pending", "shipping"].contains(&order.status.as_str())
                && count(Confirmed) == 0
                && !self.is_kept("order.confirmed", id)
            {
                self.add(NAME, id, "it was never confirmed, and no dead letter says so".into());
            }
            for wrong in wrong.iter().filter(|wrong| count(**wrong) > 0) {
                self.add(NAME, id, format!("it is {} and its buyer was told {wrong:?}", order.status));
            }
            for kind in [Confirmed, Shipping, Delivered, Cancelled] {
                for _ in 1..count(kind) {
                    twice.push((id.clone(), format!("{kind:?}")));
                }
            }
        }
        twice.extend(self.told_again_of_accounts(history));
        // The window of DESIGN §8.5: sent, and the record was never written. It counts itself.
        if twice.len() > self.world.counted_duplicates {
            for (id, kind) in &twice {
                let counted = self.world.counted_duplicates;
                let what = format!("told {kind} again; {} such, {counted} counted themselves", twice.len());
                self.add("no email twice", id, what);
            }
        }
        for id in self.world.emails.keys().filter(|id| !self.world.orders.contains_key(*id)) {
            self.add(NAME, id, "somebody was told of an order that is not there".into());
        }
    }

    /// Mail about an order goes to its buyer, and to a guest with what opens the order.
    fn every_guest_is_told(&mut self, history: &History, purchases: &[Purchase]) {
        const NAME: &str = "every guest is told";
        let leaving = history.all_leaving();
        let tokens =
            purchases.iter().filter_map(|it| Some((it.order()?, it.guest.as_ref()?.token.as_ref()?)));
        let tokens: BTreeMap<_, _> = tokens.collect();
        let world = self.world;
        for letter in &world.letters {
            let Some(order) = self.order(&letter.order) else { continue };
            let id = letter.order.as_str();
            // The order of who has left knows of no address any more.
            let address = leaving.get(&order.buyer).map_or(&order.email, |leaving| &leaving.email);
            if !letter.to.eq_ignore_ascii_case(address) {
                let what = format!("mail went to {}, and it was bought by {address}", letter.to);
                self.add(NAME, id, what);
                continue;
            }
            // Who claimed it opens it without a token, and earlier mail has one.
            let Some(token) = tokens.get(id).filter(|_| order.is_a_guests()) else { continue };
            if !letter.text.contains(&format!("/guest-orders/{id}#{token}")) {
                self.add(NAME, id, "a guest was not told what opens it".into());
            }
        }
    }

    /// An event for each change of an order that was committed and none for others, and the log has each once. Guests
    /// have no log, and who has left has none any more; who claims a guest's order is told what happens from then on.
    fn what_happened_is_told(&mut self, purchases: &[Purchase]) {
        const NAME: &str = "what happened is told";
        let of_guests = purchases.iter().filter(|purchase| purchase.guest.is_some());
        let of_guests: BTreeSet<_> = of_guests.filter_map(Purchase::order).collect();
        let world = self.world;
        for (id, order) in &world.orders {
            let happened = order.history.iter().enumerate().map(|(index, status)| event_of(index, status));
            let expected: Vec<_> = happened.collect();
            let told = world.told.get(id).cloned().unwrap_or_default();
            let is_so = match order.is_a_guests() || world.is_gone(&order.buyer) {
                true => told.is_empty(),
                false if of_guests.contains(id.as_str()) => expected.ends_with(&told),
                false => told == expected,
            };
            if !is_so {
                self.add(NAME, id, format!("it was {:?}, and the log says {told:?}", order.history));
            }
        }
        for id in world.told.keys().filter(|id| !world.orders.contains_key(*id)) {
            self.add(NAME, id, "the log tells of an order that is not there".into());
        }
    }

    /// Its buyer finds each step of an order in the inbox once, but for what that person did, and each seller that it
    /// is sold; and all of it is unread, since nobody marks anything. Who has left has none any more.
    fn inboxes_have_what_happened(&mut self, purchases: &[Purchase]) {
        const NAME: &str = "inboxes have what happened";
        let of_guests = purchases.iter().filter(|purchase| purchase.guest.is_some());
        let of_guests: BTreeSet<_> = of_guests.filter_map(Purchase::order).collect();
        let world = self.world;
        let told = |person: &str, order: &str| -> Vec<&str> {
            world.inboxes.get(person).map(|inbox| inbox.of(order)).unwrap_or_default()
        };
        for (id, order) in &world.orders {
            let expected = inboxes::told_of(order);
            let mut found = told(&order.buyer, id);
            found.retain(|kind| EXPECTED.contains(kind));
            let is_so = match order.is_a_guests() || world.is_gone(&order.buyer) {
                true => found.is_empty(),
                // From when it was claimed on.
                false if of_guests.contains(id.as_str()) => {
                    found.windows(2).all(|two| two[0] != two[1])
                        && found.iter().all(|it| expected.contains(it))
                }
                false => found == expected,
            };
            if !is_so {
                let what = format!("it was {:?}, and its buyer's inbox says {found:?}", order.history);
                self.add(NAME, id, what);
            }
            let sales = usize::from(inboxes::is_sold(order));
            for seller in order.sold_by.keys() {
                let found = told(seller, id).iter().filter(|kind| **kind == "sale.made").count();
                let sales = if world.is_gone(seller) { 0 } else { sales };
                if found != sales {
                    self.add(NAME, id, format!("{seller} is to be told of {sales} sales and is of {found}"));
                }
            }
        }
        for (person, inbox) in world.inboxes.iter().filter(|(_, inbox)| !inbox.is_unread()) {
            let (told, unread) = (inbox.told.len(), inbox.unread.len());
            self.add(NAME, person, format!("of {told} that nobody has read, {unread} are unread"));
        }
    }

    /// Each number is of one scene, in which one text goes there; it may be lost, and never comes twice.
    fn no_text_goes_out_twice(&mut self) {
        for (number, count) in self.world.texts.iter().filter(|(_, count)| **count > 1) {
            self.add("no text goes out twice", &number[1..], format!("{count} texts went to {number}"));
        }
    }

    /// Whether an email's message is in the dead-letter queue.
    fn is_kept(&self, kind: &str, order: &str) -> bool {
        let mut letters = self.world.dead_letters.iter();
        letters.any(|(_, body)| body.contains(kind) && body.contains(order))
    }

    fn dead_letters_are_settled(&mut self) {
        const NAME: &str = "dead letters are settled";
        for (queue, body) in &self.world.dead_letters {
            let message: serde_json::Value = body.parse().unwrap_or_default();
            // An order to fulfil, what was told of one, or a letter about one.
            // A letter about a refund names both.
            let named = message["id"].as_str().and_then(|id| id.split_once('.'));
            let owed = || Some((message["paymentId"].as_str()?, message["refundId"].as_str()?));
            let is_about_a_parcel = message["kind"].as_str().is_some_and(|kind| kind.starts_with("parcel."));
            // What an event gives rise to is kept here until somebody sends it back, and no order owes it.
            let is_of_an_event = ["account.", "message.", "product.", "review.", "sale.", "store."]
                .iter()
                .any(|service| message["kind"].as_str().is_some_and(|kind| kind.starts_with(service)));
            if is_of_an_event || *queue == "MessagesDeadLetterQueueUrl" {
                continue;
            }
            if let Some((order, seller)) = named.filter(|_| is_about_a_parcel) {
                if self.world.owed_parcels.contains(&(order.to_owned(), seller.to_owned())) {
                    self.add(NAME, order, format!("{queue} has a letter that is owed"));
                }
                continue;
            }
            let refund = named.or_else(owed).and_then(|(payment, refund)| {
                let payment = self.world.payments.get(payment)?;
                Some((payment.order.as_str(), payment.refunds.get(refund)?))
            });
            if let Some((order, refund)) = refund {
                if refund.is_due {
                    self.add(NAME, order, format!("{queue} has a refund that is owed"));
                }
                continue;
            }
            let ids = [&message["orderId"], &message["data"]["orderId"], &message["id"]];
            let id = ids.into_iter().find_map(serde_json::Value::as_str).unwrap_or_default();
            let is_over = |order: &Order| !["awaiting_payment", "pending"].contains(&order.status.as_str());
            let is_settled = |order: &Order| (is_over(order) && !order.is_due) || order.waits();
            let settled = self.order(id).is_some_and(is_settled);
            // Every upload was given to its indexer again before the world was read.
            if !settled {
                self.add(NAME, id, format!("{queue} has {}", body.chars().take(200).collect::<String>()));
            }
        }
    }

    fn nothing_is_half_written(&mut self) {
        const NAME: &str = "nothing is half-written";
        for (key, shown) in &self.world.shown {
            if shown.lists != shown.should_be_on {
                let what =
                    format!("{} is on {:?} and not on {:?}", shown.kind, shown.lists, shown.should_be_on);
                self.add(NAME, key, what);
            }
            for image in shown.objects.difference(&self.world.objects) {
                self.add(NAME, key, format!("its picture {image} is not there"));
            }
            if shown.pictures.iter().flatten().next() != shown.image.as_ref() {
                self.add(NAME, key, format!("the first of {:?} is not {:?}", shown.pictures, shown.image));
            }
            if shown.pictures.len() > MOST_PICTURES {
                self.add(NAME, key, format!("it has {} pictures", shown.pictures.len()));
            }
        }
    }

    fn uploads_are_indexed_or_gone(&mut self, history: &History) {
        const NAME: &str = "uploads are indexed or gone";
        for key in history.all_pictured() {
            if self.world.shown.get(&key).is_none_or(|shown| shown.objects.is_empty()) {
                self.add(NAME, &key, "it was given a picture and has none".into());
            }
        }
        for key in history.all_approved() {
            let shown = self.world.shown.get(&key);
            if shown.is_none_or(|shown| shown.image.is_none() || !shown.lists.contains_key("approved")) {
                self.add(NAME, &key, "it was approved with its picture and is not shown".into());
            }
        }
        for object in self.world.objects.iter().filter(|object| !object.starts_with("index/")) {
            let mut parts = object.split('/');
            let (folder, _, owner) = (parts.next(), parts.next(), parts.next().unwrap_or_default());
            // A store's picture is a thing by itself, a product's is a part of one.
            let thing = self.world.shown.get(owner).or_else(|| self.world.shown.get(without_part(owner)));
            if folder == Some("uploads") {
                self.add(NAME, owner, format!("{object} was left"));
            } else if thing.is_none() {
                self.add(NAME, owner, format!("{object} belongs to nothing"));
            } else if thing.is_some_and(|thing| !thing.objects.contains(object)) {
                self.add(NAME, owner, format!("{object} is no picture of its thing"));
            }
        }
    }
}

impl Checks<'_> {
    /// The index says what the tables say, and every file that its pointer names is there.
    fn search_finds_what_is_for_sale(&mut self) {
        const NAME: &str = "search finds what is for sale";
        let world = self.world;
        for (kind, id) in &world.misindexed {
            self.add(NAME, id, format!("it is {kind} in the index"));
        }
        for file in world.index.difference(&world.objects) {
            self.add(NAME, file, "the pointer names it, and it is not there".into());
        }
    }

    fn what_is_deleted_is_gone(&mut self, history: &History) {
        const NAME: &str = "what is deleted is gone";
        for key in history.all_deleted() {
            if self.world.shown.contains_key(&key) || self.world.offers.contains_key(&key) {
                self.add(NAME, &key, "it is still there".into());
            }
            let of = |object: &&String| object.split('/').nth(2).map(without_part) == Some(key.as_str());
            for object in self.world.objects.iter().filter(of) {
                self.add(NAME, &key, format!("{object} is still there"));
            }
        }
    }
}

impl Checks<'_> {
    fn totals_equal_the_reviews(&mut self) {
        const NAME: &str = "totals equal the reviews";
        let reviews = &self.world.reviews;
        let counted = reviews.counted();
        let none = [0; 5];
        let products: BTreeSet<&str> =
            reviews.totals.keys().map(String::as_str).chain(counted.keys().copied()).collect();
        for product in products {
            let (totals, counted) =
                (reviews.totals.get(product).unwrap_or(&none), counted.get(product).unwrap_or(&none));
            if totals != counted {
                self.add(NAME, product, format!("its reviews are {counted:?}, and its totals {totals:?}"));
            }
        }
        for ((product, author), review) in &reviews.all {
            if !review.is_listed_right {
                self.add(
                    NAME,
                    product,
                    format!("{author}'s {review:?} is on another list than it should be"),
                );
            }
        }
    }

    /// A store has the stars of all that it ever sold, and each product counts as its reviews do.
    fn stores_have_the_stars_of_what_they_sold(&mut self) {
        const NAME: &str = "stores have the stars of what they sold";
        let reviews = &self.world.reviews;
        let mut summed: BTreeMap<&str, [i64; 5]> = BTreeMap::new();
        for rated in reviews.rated.values() {
            let sum = summed.entry(&rated.store).or_default();
            for (sum, stars) in sum.iter_mut().zip(rated.stars) {
                *sum += stars;
            }
        }
        let stores: BTreeSet<&str> =
            reviews.of_stores.keys().map(String::as_str).chain(summed.keys().copied()).collect();
        for store in stores {
            let has = reviews.of_stores.get(store).copied();
            let sum = summed.get(store).copied().unwrap_or_default();
            if has != Some(sum) {
                self.add(NAME, store, format!("it has {has:?}, and its products {sum:?}"));
            }
        }
        for (product, what) in reviews.miscounted() {
            self.add(NAME, product, what);
        }
    }

    /// Who has a product has it by the orders by which that is so, and by no others.
    fn who_has_what_they_bought(&mut self) {
        const NAME: &str = "who has what they bought";
        let mut had: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
        for (id, order) in &self.world.orders {
            for product in &order.had {
                had.entry((product, &order.buyer)).or_default().insert(id);
            }
        }
        let purchases = self.world.reviews.purchases.iter();
        let recorded = purchases.map(|((product, person), orders)| {
            ((product.as_str(), person.as_str()), orders.iter().map(String::as_str).collect())
        });
        let recorded: BTreeMap<_, BTreeSet<&str>> = recorded.collect();
        let keys: BTreeSet<_> = had.keys().chain(recorded.keys()).copied().collect();
        for key in keys {
            let (had, recorded) = (had.get(&key), recorded.get(&key));
            if had != recorded {
                let (product, person) = key;
                self.add(NAME, product, format!("{person} has it by {had:?}, and recorded is {recorded:?}"));
            }
        }
    }

    /// What a review's author and the admins were answered last is so.
    fn what_is_said_of_a_product_is_so(&mut self, history: &History) {
        const NAME: &str = "what is said of a product is so";
        for (key, said) in history.all_said() {
            let is = self.world.reviews.all.get(&key).map(|review| review.said);
            if is != said {
                self.add(NAME, &key.0, format!("{} said {said:?}, and it is {is:?}", key.1));
            }
        }
    }

    /// Whoever asked after the answer that it is closed, and was answered before anybody opened it again, has no order.
    fn a_closed_store_sells_nothing(&mut self, history: &History, purchases: &[Purchase]) {
        const NAME: &str = "a closed store sells nothing";
        let (products, closings) = (history.all_in_the_store(), history.closings());
        for purchase in purchases {
            let is_of_it = purchase.lines.iter().any(|(product, _)| products.contains(product));
            let (Some(asked), Some(placed)) = (purchase.asked_at, purchase.placed_at) else { continue };
            let while_closed = closings
                .iter()
                .any(|(closed, opened)| asked > *closed && opened.is_none_or(|opened| placed < opened));
            if is_of_it && while_closed {
                let what = format!("{} was answered with an order while it was closed", purchase.label);
                self.add(NAME, purchase.order().unwrap_or_default(), what);
            }
        }
    }

    fn gates_say_what_their_store_says(&mut self) {
        const NAME: &str = "gates say what their store says";
        for (id, store) in &self.world.stores {
            let (is_published, hides) = (store.status == "published", store.was_published);
            let gates = if hides { vec![is_published; 16] } else { Vec::new() };
            if store.gates != gates {
                self.add(NAME, id, format!("it is {} and its gates are {:?}", store.status, store.gates));
            }
            if store.is_hidden != (hides && !is_published) {
                self.add(NAME, id, format!("it is {} and hidden: {}", store.status, store.is_hidden));
            }
        }
    }
}

/// The most pictures that a product has.
const MOST_PICTURES: usize = 8;

/// The thing of which this is the owner's name in a key, or of a part of which: `{thing}.{part}`.
fn without_part(owner: &str) -> &str {
    owner.split('.').next().unwrap_or(owner)
}

/// Of what the steps of an order tell its buyer; of parcels and money it is told besides.
const EXPECTED: [&str; 5] =
    ["order.placed", "order.paid", "order.shipped", "order.delivered", "order.cancelled"];

/// What is told when an order comes to have this status: what is paid by card was placed before.
fn event_of(index: usize, status: &str) -> String {
    let kind = match status {
        "pending" if index > 0 => "paid",
        "awaiting_payment" | "pending" => "placed",
        "shipping" => "shipped",
        other => other,
    };
    format!("order.{kind}")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::history::Guest;
    use crate::inboxes::Inbox;
    use crate::reviews::{Rated, Review, Said};
    use crate::sales::Counters;
    use crate::world::{Letter, Offer, Shown, Store, Terms};
    use std::time::{Duration, Instant};

    /// Ann bought two of ten pieces of tea, they ship, and she was told.
    fn all_is_well() -> (History, World) {
        let history = History::default();
        history.listed("tea", 10);
        history.note("key", |purchase| {
            purchase.buyer = "ann".into();
            purchase.lines = vec![("tea".into(), 2)];
            purchase.answers = vec![Answered::Unknown(502), Answered::Placed("order".into())];
        });
        let mut world = World::default();
        let order = Order {
            buyer: "ann".into(),
            status: "shipping".into(),
            lines: vec![("tea".into(), 2)],
            history: vec!["pending".into(), "shipping".into()],
            adds_up: true,
            handed_over: true,
            had: ["tea".to_owned()].into(),
            ..Order::default()
        };
        world.orders.insert("order".into(), order);
        let terms = Terms { name: "tea".into(), price: 450, is_for_sale: true };
        let tea =
            Shown { kind: "products", key: "tea".into(), terms: Some(terms.clone()), ..Shown::default() };
        world.shown.insert("tea".into(), tea);
        world.offers.insert("tea".into(), Offer { quantity: 8, promised: 0, terms });
        world.records.insert("ann#key".into(), "order".into());
        world.emails.insert("order".into(), vec![EmailKind::Confirmed, EmailKind::Shipping]);
        world.told.insert("order".into(), vec!["order.placed".into(), "order.shipped".into()]);
        let entry = |kind: &str| (kind.to_owned(), "order".to_owned());
        let inbox = Inbox {
            told: [("1".to_owned(), entry("order.placed")), ("2".to_owned(), entry("order.shipped"))].into(),
            unread: ["1".to_owned(), "2".to_owned()].into(),
        };
        world.inboxes.insert("ann".into(), inbox);
        let (said, key) = (Said { stars: 4, is_shown: true }, ("tea".to_owned(), "ann".to_owned()));
        history.said(&key, |_| Some(Some(said)));
        world.reviews.all.insert(key.clone(), Review { said, is_listed_right: true });
        world.reviews.totals.insert("tea".into(), [0, 0, 0, 1, 0]);
        world.reviews.purchases.insert(key, ["order".to_owned()].into());
        (history, world)
    }

    /// The invariants that do not hold after something was changed, of which everybody is told.
    pub(crate) fn after(change: impl FnOnce(&mut History, &mut World)) -> BTreeSet<&'static str> {
        after_all(|history, world| {
            change(history, world);
            tell(world);
        })
    }

    /// Those that do not hold after something was changed, and nothing else.
    pub(crate) fn after_all(change: impl FnOnce(&mut History, &mut World)) -> BTreeSet<&'static str> {
        let (mut history, mut world) = all_is_well();
        change(&mut history, &mut world);
        broken(&history, &world).into_iter().map(|broken| broken.invariant).collect()
    }

    /// Everybody is told of every order as it is.
    fn tell(world: &mut World) {
        let mut inboxes = BTreeMap::<String, Inbox>::new();
        let mut add = |person: &str, kind: &str, order: &str| {
            let inbox = inboxes.entry(person.to_owned()).or_default();
            let id = inbox.told.len().to_string();
            inbox.told.insert(id.clone(), (kind.to_owned(), order.to_owned()));
            inbox.unread.insert(id);
        };
        for (id, order) in &world.orders {
            if !order.is_a_guests() {
                inboxes::told_of(order).into_iter().for_each(|kind| add(&order.buyer, kind, id));
            }
            let sellers = order.sold_by.keys().filter(|_| inboxes::is_sold(order));
            sellers.for_each(|seller| add(seller, "sale.made", id));
        }
        world.inboxes = inboxes;
    }

    pub(crate) fn order(world: &mut World) -> &mut Order {
        world.orders.get_mut("order").unwrap()
    }

    fn tea(world: &mut World) -> &mut Shown {
        world.shown.get_mut("tea").unwrap()
    }

    fn told(world: &mut World) -> &mut Vec<String> {
        world.told.get_mut("order").unwrap()
    }

    fn offer(world: &mut World) -> &mut Offer {
        world.offers.get_mut("tea").unwrap()
    }

    /// The orders by which Ann has the tea.
    fn bought(world: &mut World) -> &mut BTreeSet<String> {
        world.reviews.purchases.get_mut(&("tea".to_owned(), "ann".to_owned())).unwrap()
    }

    /// What Ann says of it.
    fn review(world: &mut World) -> &mut Review {
        world.reviews.all.get_mut(&("tea".to_owned(), "ann".to_owned())).unwrap()
    }

    fn emails(world: &mut World) -> &mut Vec<EmailKind> {
        world.emails.get_mut("order").unwrap()
    }

    /// What Ann was told.
    fn inbox(world: &mut World) -> &mut Inbox {
        world.inboxes.get_mut("ann").unwrap()
    }

    #[test]
    fn an_inbox_that_lacks_something_has_it_twice_or_counts_it_wrong_is_noticed() {
        let broken = |change: fn(&mut Inbox)| after_all(|_, world| change(inbox(world)));
        let name = "inboxes have what happened";
        let lacks = |inbox: &mut Inbox| {
            inbox.told.remove("2");
            inbox.unread.remove("2");
        };
        let twice = |inbox: &mut Inbox| {
            inbox.told.insert("3".into(), ("order.shipped".into(), "order".into()));
            inbox.unread.insert("3".into());
        };
        let counts_less = |inbox: &mut Inbox| drop(inbox.unread.pop_first());
        assert_eq!(
            [broken(lacks), broken(twice), broken(counts_less)],
            [[name].into(), [name].into(), [name].into()]
        );
        let untold_sale = after_all(|_, world| {
            order(world).sold_by.insert("sue".into(), vec![("tea".into(), 2)]);
        });
        assert!(untold_sale.contains(name), "{untold_sale:?}");
    }

    #[test]
    fn a_text_that_went_out_twice_is_noticed_and_one_that_was_lost_is_not_owed() {
        let texts = |count: usize| after(|_, world| world.texts = [("+436601234567".into(), count)].into());
        assert_eq!((texts(1), texts(2)), (BTreeSet::new(), ["no text goes out twice"].into()));
    }

    #[test]
    fn nothing_is_broken_when_all_is_well() {
        assert_eq!(after(|_, _| {}), BTreeSet::new());
    }

    /// The same order, of which Sue sends the tea and Joe refuses the cup, each told.
    fn in_parcels(_: &mut History, world: &mut World) {
        let sold_by = BTreeMap::from([
            ("joe".to_owned(), vec![("cup".to_owned(), 1)]),
            ("sue".to_owned(), vec![("tea".to_owned(), 2)]),
        ]);
        let status = |status: &str| status.to_owned();
        let parcels = [("joe".to_owned(), status("refused")), ("sue".to_owned(), status("shipped"))];
        let lines = vec![("tea".to_owned(), 2), ("cup".to_owned(), 1)];
        *order(world) = Order {
            sold_by: sold_by.clone(),
            parcels: parcels.into(),
            manual: true,
            lines,
            ..order(world).clone()
        };
        world.of_sellers.insert("order".into(), sold_by);
        *emails(world) = vec![EmailKind::Confirmed, EmailKind::PartSent, EmailKind::PartRefused];
    }

    #[test]
    fn an_order_that_is_otherwise_than_its_parcels_is_noticed() {
        let broken = |change: &dyn Fn(&mut World)| {
            after(|history, world| {
                in_parcels(history, world);
                history.note("key", |purchase| purchase.lines.push(("cup".into(), 1)));
                change(world);
            })
        };
        let parcels = "parcels are as their order";
        assert_eq!(broken(&|_| {}), BTreeSet::new());
        let waits = |world: &mut World| drop(order(world).parcels.insert("sue".into(), "to_send".into()));
        assert!(broken(&waits).contains(parcels));
        let arrived = |world: &mut World| drop(order(world).parcels.insert("sue".into(), "delivered".into()));
        assert!(broken(&arrived).contains(parcels));
        let lost = |world: &mut World| drop(order(world).parcels.remove("joe"));
        assert!(broken(&lost).contains(parcels));
        let names = || ("order".to_owned(), "joe".to_owned());
        let has_to_send = |world: &mut World| world.to_send.extend([names()]);
        assert_eq!(broken(&has_to_send), [parcels].into());
        let is_owed = |world: &mut World| world.owed_parcels.extend([names()]);
        assert_eq!(broken(&is_owed), [parcels].into());
        let untold = |kind| move |world: &mut World| emails(world).retain(|email| *email != kind);
        assert_eq!(broken(&untold(EmailKind::PartSent)), ["every buyer is told"].into());
        assert_eq!(broken(&untold(EmailKind::PartRefused)), ["every buyer is told"].into());
        let often = |world: &mut World| emails(world).extend([EmailKind::PartSent; 2]);
        assert_eq!(broken(&often), ["no email twice"].into());
    }

    #[test]
    fn counters_that_say_something_else_than_there_is_are_noticed() {
        let counters = "counters say what is so";
        let one = |to_send| Counters { orders: 1, revenue: 0, to_send, to_approve: 0, low_stock: 0 };
        let is_counted = |counted: Option<i64>, there: Option<i64>| {
            after(|_, world| {
                world.sales.counted.extend(counted.map(|to_send| ("sue".to_owned(), one(to_send))));
                world.sales.there.extend(there.map(|to_send| ("sue".to_owned(), one(to_send))));
            })
        };
        assert_eq!(is_counted(Some(1), Some(1)), BTreeSet::new());
        for (counted, there) in [(Some(1), Some(0)), (Some(1), None), (None, Some(0))] {
            assert_eq!(is_counted(counted, there), [counters].into());
        }
    }

    #[test]
    fn pieces_that_were_refused_are_in_stock_and_others_are_sold() {
        let with = |joe: &'static str| {
            after(|history, world| {
                in_parcels(history, world);
                history.note("key", |purchase| purchase.lines.push(("cup".into(), 1)));
                history.listed("cup", 5);
                let terms = Terms { name: "cup".into(), price: 450, is_for_sale: true };
                let shown = tea(world).clone();
                let cup = Shown { key: "cup".into(), terms: Some(terms.clone()), ..shown };
                world.shown.insert("cup".into(), cup);
                world.offers.insert("cup".into(), Offer { quantity: 5, promised: 0, terms });
                order(world).parcels.insert("joe".into(), joe.into());
            })
        };
        assert_eq!(with("refused"), BTreeSet::new());
        assert!(with("shipped").contains("the stock adds up"));
    }

    #[test]
    fn a_seller_who_was_told_something_of_a_parcel_that_is_not_so_is_noticed() {
        let said = |seller: &str, word, status| {
            after(|history, world| {
                in_parcels(history, world);
                history.note("key", |purchase| {
                    purchase.lines.push(("cup".into(), 1));
                    purchase.parcels.push((seller.to_owned(), (word, status)));
                });
            })
        };
        let parcels = "parcels are as their order";
        assert_eq!(said("sue", "shipped", 200), BTreeSet::new());
        assert_eq!(said("joe", "refused", 200), BTreeSet::new());
        assert_eq!(said("joe", "shipped", 200), [parcels].into());
        assert_eq!(said("sue", "refused", 200), [parcels].into());
        assert_eq!(said("sue", "refused", 409), BTreeSet::new());
    }

    #[test]
    fn what_a_seller_lacks_or_has_of_no_order_is_noticed() {
        let lines = || vec![("tea".to_owned(), 2)];
        let sold = |world: &mut World| {
            let sold_by = BTreeMap::from([("sue".to_owned(), lines())]);
            order(world).sold_by = sold_by.clone();
            world.of_sellers.insert("order".into(), sold_by);
        };
        assert_eq!(after(|_, world| sold(world)), BTreeSet::new());
        let lacks = after(|_, world| {
            sold(world);
            world.of_sellers.clear();
        });
        let strange = after(|_, world| {
            world.of_sellers.insert("gone".into(), [("sue".to_owned(), lines())].into());
        });
        assert_eq!(
            [lacks, strange],
            [["sellers have their orders"].into(), ["sellers have their orders"].into()]
        );
    }

    #[test]
    fn an_order_that_is_lost_stuck_or_due_is_noticed() {
        let settled = "every order is settled";
        assert!(after(|_, world| world.orders.clear()).contains(settled));
        assert!(after(|_, world| order(world).status = "pending".into()).contains(settled));
        assert_eq!(after(|_, world| order(world).is_due = true), [settled].into());
        assert_eq!(after(|_, world| order(world).adds_up = false), [settled].into());
        let twice = |_: &mut History, world: &mut World| {
            order(world).history.push("shipping".into());
            told(world).push("order.shipped".into());
        };
        assert_eq!(after(twice), [settled].into());
    }

    #[test]
    fn a_second_order_for_a_key_is_noticed() {
        let doubled = |_: &mut History, world: &mut World| {
            let again = order(world).clone();
            world.orders.insert("again".into(), again);
            world.emails.insert("again".into(), vec![EmailKind::Confirmed, EmailKind::Shipping]);
            let events = told(world).clone();
            world.told.insert("again".into(), events);
            bought(world).insert("again".into());
            offer(world).quantity = 6;
        };
        assert_eq!(after(doubled), ["one order for each key"].into());
        let answered = |history: &mut History, _: &mut World| {
            history.note("key", |purchase| purchase.answers.push(Answered::Refused(409)));
        };
        assert_eq!(after(answered), ["one order for each key"].into());
        assert_eq!(after(|_, world| world.records.clear()), ["one order for each key"].into());
    }

    #[test]
    fn who_did_not_ask_again_may_have_one_order_unknown_to_them() {
        let gave_up = |history: &mut History, _: &mut World| {
            history.note("key", |purchase| {
                purchase.answers = vec![Answered::Unknown(502)];
                purchase.given_up = true;
            });
        };
        assert_eq!(after(gave_up), BTreeSet::new());
        let never_answered = |history: &mut History, _: &mut World| {
            history.note("key", |purchase| purchase.answers = vec![Answered::Unknown(502)]);
        };
        assert_eq!(after(never_answered), ["every request is answered"].into());
    }

    #[test]
    fn stock_that_is_missing_or_sold_twice_is_noticed() {
        assert_eq!(after(|_, world| offer(world).quantity = 7), ["the stock adds up"].into());
        assert_eq!(after(|history, _| history.stock_changed("tea", 1)), ["the stock adds up"].into());
        assert_eq!(after(|history, _| history.saw_stock("tea", -1)), ["never below zero"].into());
    }

    #[test]
    fn pieces_that_are_promised_to_nobody_or_were_never_handed_over_are_noticed() {
        let promised = "what is promised has not left";
        assert_eq!(after(|_, world| offer(world).promised = 2), [promised].into());
        assert_eq!(after(|_, world| order(world).handed_over = false), [promised].into());
        let never_left = |_: &mut History, world: &mut World| {
            order(world).handed_over = false;
            offer(world).promised = 2;
        };
        assert_eq!(after(never_left), [promised].into());
        let twice = |_: &mut History, world: &mut World| offer(world).promised = -2;
        assert_eq!(after(twice), [promised, "never below zero"].into());
    }

    #[test]
    fn an_offer_that_says_something_else_than_its_product_is_noticed() {
        let agree = "product and offer agree";
        assert_eq!(after(|_, world| offer(world).terms.price = 500), [agree].into());
        assert_eq!(after(|_, world| offer(world).terms.is_for_sale = false), [agree].into());
        assert!(after(|_, world| world.offers.clear()).contains(agree));
        assert_eq!(after(|_, world| world.shown.clear()), [agree].into());
    }

    /// The same order, which waits for Ann's parcel to be packed.
    fn waits(_: &mut History, world: &mut World) {
        *order(world) = Order {
            status: "pending".into(),
            history: vec!["pending".into()],
            manual: true,
            is_open: true,
            handed_over: false,
            ..order(world).clone()
        };
        offer(world).promised = 2;
        emails(world).truncate(1);
        told(world).truncate(1);
    }

    #[test]
    fn an_order_may_wait_for_a_person_and_for_nothing_else() {
        assert_eq!(after(waits), BTreeSet::new());
        let settled = "every order is settled";
        for change in [
            |order: &mut Order| order.manual = false,
            |order: &mut Order| order.is_due = true,
            |order: &mut Order| order.is_open = false,
        ] {
            let broken = after(|history, world| {
                waits(history, world);
                change(order(world));
            });
            assert_eq!(broken, [settled].into());
        }
        let unconfirmed = after(|history, world| {
            waits(history, world);
            emails(world).clear();
        });
        assert_eq!(unconfirmed, ["every buyer is told"].into());
        assert_eq!(after(|_, world| order(world).is_open = true), [settled].into());
    }

    #[test]
    fn a_word_that_is_not_so_is_noticed() {
        let said = |word, status| {
            after(|history, world| {
                history.note("key", |purchase| purchase.said.push((word, status)));
                order(world).manual = true;
                order(world).tracking = Some("key".into());
            })
        };
        assert_eq!(said(Word::Shipped, 200), BTreeSet::new());
        assert_eq!(said(Word::Shipped, 409), ["what was said is so"].into());
        assert_eq!(said(Word::Delivered, 200), ["what was said is so"].into());
        assert_eq!(said(Word::Delivered, 409), BTreeSet::new());
        assert_eq!(said(Word::Delivered, 502), ["every request is answered"].into());
        let lost = |_: &mut History, world: &mut World| order(world).manual = true;
        assert_eq!(after(lost), ["what was said is so"].into());
    }

    #[test]
    fn what_was_deleted_and_is_there_is_noticed() {
        let gone = "what is deleted is gone";
        assert_eq!(after(|history, _| history.deleted("tea")), [gone].into());
        let again = |history: &mut History, _: &mut World| {
            history.deleted("tea");
            history.made_again("tea");
        };
        assert_eq!(after(again), BTreeSet::new());
        let left = |history: &mut History, world: &mut World| {
            history.deleted("cup");
            world.objects.extend(["images/products/cup/a.png".into()]);
        };
        assert!(after(left).contains(gone));
    }

    #[test]
    fn a_wrong_answer_to_a_cancellation_is_noticed() {
        let cancelled = |history: &mut History, _: &mut World| {
            history.note("key", |purchase| purchase.cancels.push(Cancelled::Done));
        };
        assert_eq!(after(cancelled), ["cancelled means cancelled"].into());
    }

    #[test]
    fn emails_that_are_missing_wrong_or_sent_twice_are_noticed() {
        let told = "every buyer is told";
        assert_eq!(after(|_, world| emails(world).truncate(1)), [told].into());
        assert_eq!(
            after(|_, world| emails(world).retain(|kind| *kind != EmailKind::Confirmed)),
            [told].into()
        );
        assert_eq!(after(|_, world| emails(world).push(EmailKind::Cancelled)), [told].into());
        assert_eq!(after(|_, world| emails(world).push(EmailKind::Shipping)), ["no email twice"].into());
        let counted = |_: &mut History, world: &mut World| {
            emails(world).push(EmailKind::Shipping);
            world.counted_duplicates = 1;
        };
        assert_eq!(after(counted), BTreeSet::new());
    }

    #[test]
    fn an_event_that_is_missing_doubled_or_made_up_is_noticed() {
        let is_told = "what happened is told";
        assert_eq!(after(|_, world| told(world).truncate(1)), [is_told].into());
        assert_eq!(after(|_, world| told(world).push("order.shipped".into())), [is_told].into());
        assert_eq!(after(|_, world| told(world).push("order.cancelled".into())), [is_told].into());
        assert_eq!(after(|_, world| told(world).reverse()), [is_told].into());
        let made_up = |_: &mut History, world: &mut World| {
            world.told.insert("gone".into(), vec!["order.placed".into()]);
        };
        assert_eq!(after(made_up), [is_told].into());
    }

    /// The same order, bought without an account.
    fn by_a_guest(history: &mut History, world: &mut World) {
        history.note("key", |purchase| {
            purchase.buyer = "guest#cart".into();
            let (email, token) = ("gus@cartwright.test".to_owned(), Some("token".to_owned()));
            purchase.guest = Some(Guest { email, token, ..Guest::default() });
        });
        *order(world) = Order {
            buyer: "guest#order".into(),
            email: "gus@cartwright.test".into(),
            had: BTreeSet::new(),
            ..order(world).clone()
        };
        world.reviews.purchases.clear();
        world.records = [("guest#cart#key".to_owned(), "order".to_owned())].into();
        world.told.clear();
        let text = "See your order: https://shop/guest-orders/order#token\n".to_owned();
        world.letters = vec![Letter { order: "order".into(), to: "Gus@cartwright.test".into(), text }];
    }

    /// And then made Ann's, before it shipped.
    fn claimed(history: &mut History, world: &mut World) {
        by_a_guest(history, world);
        history.note("key", |purchase| {
            let claims = &mut purchase.guest.as_mut().unwrap().claims;
            claims.extend([("eve".to_owned(), 404), ("ann".to_owned(), 200)]);
        });
        order(world).buyer = "ann".into();
        order(world).had = ["tea".to_owned()].into();
        world.reviews.purchases.insert(("tea".into(), "ann".into()), ["order".to_owned()].into());
        world.told.insert("order".into(), vec!["order.shipped".into()]);
    }

    /// What is broken of a guest's order after something was changed.
    fn of_a_guest(change: impl FnOnce(&mut History, &mut World)) -> BTreeSet<&'static str> {
        after(|history, world| {
            by_a_guest(history, world);
            change(history, world);
        })
    }

    #[test]
    fn a_guest_has_an_order_of_the_guests_own_and_mail_that_opens_it() {
        assert_eq!(of_a_guest(|_, _| {}), BTreeSet::new());
        let [told, key] = ["every guest is told", "one order for each key"];
        assert_eq!(of_a_guest(|_, world| world.letters[0].to = "eve@x.test".into()), [told].into());
        assert_eq!(of_a_guest(|_, world| world.letters[0].text.clear()), [told].into());
        let another = of_a_guest(|_, world| {
            world.letters[0].text = "https://shop/guest-orders/another#token".into();
        });
        assert_eq!(another, [told].into());
        assert_eq!(of_a_guest(|_, world| order(world).buyer = "guest#another".into()), [key].into());
        let logged = |_: &mut History, world: &mut World| {
            world.told.insert("order".into(), vec!["order.placed".into()]);
        };
        assert_eq!(of_a_guest(logged), ["what happened is told"].into());
    }

    #[test]
    fn who_did_not_ask_again_may_be_a_guest() {
        let gave_up = |history: &mut History, _: &mut World| {
            history.note("key", |purchase| {
                purchase.answers = vec![Answered::Unknown(502)];
                purchase.given_up = true;
            });
        };
        assert_eq!(of_a_guest(gave_up), BTreeSet::new());
        let of_another = of_a_guest(|history, world| {
            gave_up(history, world);
            order(world).email = "eve@cartwright.test".into();
            world.letters.clear();
        });
        assert_eq!(of_another, ["one order for each key"].into());
    }

    #[test]
    fn an_order_that_was_claimed_is_the_claimers_and_tells_them_what_follows() {
        let after = |change: fn(&mut History, &mut World)| {
            after(|history, world| {
                claimed(history, world);
                change(history, world);
            })
        };
        assert_eq!(after(|_, _| {}), BTreeSet::new());
        let eves = after(|_, world| {
            order(world).buyer = "eve".into();
            let orders = world.reviews.purchases.remove(&("tea".to_owned(), "ann".to_owned())).unwrap();
            world.reviews.purchases.insert(("tea".into(), "eve".into()), orders);
        });
        assert_eq!(eves, ["one order for each key"].into());
        let wrong = after(|_, world| told(world).push("order.cancelled".into()));
        assert_eq!(wrong, ["what happened is told"].into());
        let unclear = after(|history, _| {
            history.note("key", |purchase| {
                purchase.guest.as_mut().unwrap().claims.push(("ann".into(), 500));
            });
        });
        assert_eq!(unclear, ["every request is answered"].into());
    }

    #[test]
    fn a_confirmation_may_wait_in_the_dead_letter_queue_of_a_settled_order() {
        let letter = r#"{"kind":"order.confirmed","id":"order"}"#;
        let kept = |_: &mut History, world: &mut World| {
            emails(world).remove(0);
            world.dead_letters.push(("EmailsDeadLetterQueueUrl", letter.into()));
        };
        assert_eq!(after(kept), BTreeSet::new());
        let unsettled = |_: &mut History, world: &mut World| {
            order(world).is_due = true;
            world.dead_letters.push(("EmailsDeadLetterQueueUrl", letter.into()));
        };
        assert!(after(unsettled).contains("dead letters are settled"));
    }

    /// What is noticed of a purchase of this long that begins then, in milliseconds after all began, where the store
    /// was closed from 100 until 200.
    fn while_closed(product: &str, asked: u64, placed: u64) -> BTreeSet<&'static str> {
        after(|history, _| {
            let began = Instant::now();
            let at = |millis| began + Duration::from_millis(millis);
            history.put_into_the_store(product);
            history.closed(at(100));
            history.may_be_open(at(200));
            history.may_be_open(at(300));
            history.note("key", |purchase| {
                purchase.asked_at = Some(at(asked));
                purchase.placed_at = Some(at(placed));
            });
        })
    }

    #[test]
    fn what_a_closed_store_sells_is_noticed() {
        assert_eq!(while_closed("tea", 110, 190), ["a closed store sells nothing"].into());
        assert_eq!(while_closed("cup", 110, 190), BTreeSet::new(), "it is in no store");
        // Before the answer that it is closed, and once it may be open again, it may sell.
        for (asked, placed) in [(90, 110), (90, 210), (190, 210), (210, 220)] {
            assert_eq!(while_closed("tea", asked, placed), BTreeSet::new(), "{asked} to {placed}");
        }
        let still = after(|history, _| {
            history.put_into_the_store("tea");
            history.closed(Instant::now());
            history.note("key", |purchase| {
                let now = Instant::now() + Duration::from_millis(1);
                (purchase.asked_at, purchase.placed_at) = (Some(now), Some(now));
            });
        });
        assert_eq!(still, ["a closed store sells nothing"].into(), "nobody opened it again");
    }

    #[test]
    fn a_gate_or_a_place_among_the_hidden_that_is_another_than_its_stores_is_noticed() {
        let of = |status: &str, was_published: bool, gates: Vec<bool>, is_hidden: bool| {
            let store = Store { status: status.into(), was_published, gates, is_hidden };
            after(|_, world| drop(world.stores.insert("store".into(), store)))
        };
        let mut one_shut = vec![true; 16];
        one_shut[7] = false;
        for (status, was_published, gates, is_hidden) in [
            ("draft", false, vec![], false),
            ("deactivated", false, vec![], false),
            ("published", true, vec![true; 16], false),
            ("deactivated", true, vec![false; 16], true),
        ] {
            assert_eq!(of(status, was_published, gates, is_hidden), BTreeSet::new(), "{status}");
        }
        for (status, gates, is_hidden) in [
            ("published", one_shut, false),
            ("published", vec![true; 15], false),
            ("published", vec![true; 16], true),
            ("deactivated", vec![true; 16], true),
            ("deactivated", vec![false; 16], false),
        ] {
            let noticed = of(status, true, gates, is_hidden);
            assert_eq!(noticed, ["gates say what their store says"].into(), "{status}");
        }
    }

    #[test]
    fn totals_that_are_not_those_of_the_reviews_are_noticed() {
        let totals = "totals equal the reviews";
        let is = |world: &mut World, stars| {
            world.reviews.totals.insert("tea".into(), stars);
        };
        assert_eq!(after(|_, world| is(world, [0, 0, 0, 2, 0])), [totals].into());
        assert_eq!(after(|_, world| is(world, [0, 0, 0, 0, 1])), [totals].into());
        assert_eq!(after(|_, world| is(world, [-1, 0, 0, 1, 0])), [totals].into());
        assert_eq!(after(|_, world| world.reviews.totals.clear()), [totals].into());
        let of_nothing = after(|_, world| {
            world.reviews.totals.insert("cup".into(), [1, 0, 0, 0, 0]);
        });
        assert_eq!(of_nothing, [totals].into());
        assert_eq!(after(|_, world| review(world).is_listed_right = false), [totals].into());
        let hidden = after(|history, world| {
            let said = Said { stars: 4, is_shown: false };
            history.said(&("tea".into(), "ann".into()), |_| Some(Some(said)));
            review(world).said = said;
        });
        assert_eq!(hidden, [totals].into(), "it counts for nothing");
    }

    /// The tea is sold in a store, with another product that is gone.
    fn in_a_store(world: &mut World) {
        let of = |stars| Rated { store: "store".into(), stars };
        world.reviews.sold_in.insert("tea".into(), "store".into());
        world.reviews.rated.insert("tea".into(), of([0, 0, 0, 1, 0]));
        world.reviews.rated.insert("gone".into(), of([1, 0, 0, 0, 0]));
        world.reviews.of_stores.insert("store".into(), [1, 0, 0, 1, 0]);
        world.reviews.of_stores.insert("empty".into(), [0; 5]);
        let (said, key) = (Said { stars: 1, is_shown: true }, ("gone".to_owned(), "eve".to_owned()));
        world.reviews.all.insert(key, Review { said, is_listed_right: true });
        world.reviews.totals.insert("gone".into(), [1, 0, 0, 0, 0]);
    }

    #[test]
    fn a_store_that_has_other_stars_than_what_it_sold_is_noticed() {
        let is = |change: &dyn Fn(&mut World)| {
            after(|history, world| {
                let said = Said { stars: 1, is_shown: true };
                history.said(&("gone".into(), "eve".into()), |_| Some(Some(said)));
                in_a_store(world);
                change(world);
            })
        };
        assert_eq!(is(&|_| {}), BTreeSet::new());
        let noticed: BTreeSet<&str> = ["stores have the stars of what they sold"].into();
        let stars = |world: &mut World, store: &str, stars| {
            world.reviews.of_stores.insert(store.into(), stars);
        };
        assert_eq!(is(&|world| stars(world, "store", [0, 0, 0, 1, 0])), noticed);
        assert_eq!(is(&|world| stars(world, "store", [1, 0, 0, 2, 0])), noticed, "it was counted twice");
        assert_eq!(is(&|world| stars(world, "empty", [0, 0, 0, 0, 1])), noticed);
        assert_eq!(is(&|world| world.reviews.of_stores.clear()), noticed);
        assert_eq!(is(&|world| drop(world.reviews.rated.remove("tea"))), noticed, "nobody counted it");
        // Both are behind the reviews, by an event that was lost.
        let behind = |world: &mut World| {
            world.reviews.rated.get_mut("tea").unwrap().stars = [0; 5];
            stars(world, "store", [1, 0, 0, 0, 0]);
        };
        assert_eq!(is(&behind), noticed);
        let of_another = |world: &mut World| {
            world.reviews.rated.get_mut("tea").unwrap().store = "empty".into();
            stars(world, "store", [1, 0, 0, 0, 0]);
            stars(world, "empty", [0, 0, 0, 1, 0]);
        };
        assert_eq!(is(&of_another), noticed);
    }

    #[test]
    fn a_purchase_that_is_missing_or_came_back_is_noticed() {
        let has = "who has what they bought";
        assert_eq!(after(|_, world| world.reviews.purchases.clear()), [has].into());
        assert_eq!(after(|_, world| order(world).had.clear()), [has].into());
        let twice = after(|_, world| {
            bought(world).insert("gone".into());
        });
        assert_eq!(twice, [has].into());
    }

    #[test]
    fn what_was_said_of_a_product_and_is_not_so_is_noticed() {
        let so = "what is said of a product is so";
        let said = |said: Option<Option<Said>>| {
            after(|history, _| history.said(&("tea".into(), "ann".into()), |_| said))
        };
        assert_eq!(said(Some(None)), [so].into(), "it was deleted");
        assert_eq!(said(Some(Some(Said { stars: 5, is_shown: true }))), [so].into());
        assert_eq!(said(None), BTreeSet::new(), "nobody knows");
        let lost = after(|_, world| {
            world.reviews.all.clear();
            world.reviews.totals.clear();
        });
        assert_eq!(lost, [so].into());
    }

    #[test]
    fn what_is_half_written_or_left_in_the_bucket_is_noticed() {
        let listed = |_: &mut History, world: &mut World| {
            tea(world).lists.insert("approved", "approved".into());
        };
        assert_eq!(after(listed), ["nothing is half-written"].into());
        let without = |_: &mut History, world: &mut World| {
            tea(world).objects.insert("images/products/tea/a".into());
        };
        assert_eq!(after(without), ["nothing is half-written"].into());
        let not_first = |_: &mut History, world: &mut World| {
            tea(world).image = Some("images/products/tea/1/b".into());
            tea(world).pictures = ["a", "b"].map(|name| Some(format!("images/products/tea/1/{name}"))).into();
        };
        assert_eq!(after(not_first), ["nothing is half-written"].into());
        let too_many = |_: &mut History, world: &mut World| tea(world).pictures = vec![None; 9];
        assert_eq!(after(too_many), ["nothing is half-written"].into());
        let objects = [
            "uploads/products/tea/1/a.png",
            "uploads/products/tea.second/1/a.png",
            "images/products/tea.second/1/deleted.png",
            "images/products/gone.second/1/a.png",
            "images/products/gone/a.png",
            "images/products/tea/1/nobody-approved-it.png",
            "checked/products/tea/1/superseded.png",
        ];
        for object in objects {
            let left = |_: &mut History, world: &mut World| world.objects.extend([object.into()]);
            assert_eq!(after(left), ["uploads are indexed or gone"].into());
        }
        assert_eq!(after(|history, _| history.pictured("tea")), ["uploads are indexed or gone"].into());
        assert_eq!(after(|history, _| history.approved("tea")), ["uploads are indexed or gone"].into());
        // Files of the index are no pictures.
        assert_eq!(after(|_, world| world.objects.extend(["index/a/0".into()])), BTreeSet::new());
    }

    #[test]
    fn what_search_misses_or_makes_up_is_noticed_and_so_is_a_file_that_is_not_there() {
        let noticed: BTreeSet<&str> = ["search finds what is for sale"].into();
        for kind in ["missing", "extra", "stale"] {
            assert_eq!(after(|_, world| world.misindexed.push((kind, "tea".into()))), noticed, "{kind}");
        }
        let named = |world: &mut World| world.index.extend(["index/a/0".into()]);
        assert_eq!(after(|_, world| named(world)), noticed);
        let there = |world: &mut World| {
            named(world);
            world.objects.extend(["index/a/0".into()]);
        };
        assert_eq!(after(|_, world| there(world)), BTreeSet::new());
    }
}
