//! Money: what people paid by card, what went back, and what of both is written down here and at Stripe.

use std::collections::{BTreeMap, BTreeSet};

use super::Checks;
use crate::books::Intent;
use crate::history::{GivenBack, History, Purchase};
use crate::world::{Back, EmailKind, Order, Payment};

impl Checks<'_> {
    /// For each payment the ledger is what its counters say, and they are what its refunds and its order say.
    pub(super) fn the_ledger_sums(&mut self) {
        const NAME: &str = "the ledger sums";
        let world = self.world;
        for payment in world.payments.values() {
            let Payment { captured, refundable, refunding, refunded, .. } = *payment;
            let kept = payment.kept();
            if kept != captured - refunded {
                let what = format!("the ledger sums to {kept}: {captured} came and {refunded} went");
                self.add(NAME, &payment.order, what);
            }
            if refundable + refunding + refunded != captured || refundable < 0 {
                let what = format!("of {captured}, {refundable} can go, {refunding} goes, {refunded} went");
                self.add(NAME, &payment.order, what);
            }
            let in_status = |status: &str| {
                let refunds = payment.refunds.values().filter(|refund| refund.status == status);
                refunds.map(|refund| refund.amount).sum::<i64>()
            };
            if (in_status("accepted"), in_status("requested")) != (refunded, refunding) {
                let what = format!("{refunding} goes and {refunded} went: {:?}", payment.refunds);
                self.add(NAME, &payment.order, what);
            }
            if (payment.status == "captured") != (captured > 0) {
                let what = format!("an attempt is {}, and {captured} came by it", payment.status);
                self.add(NAME, &payment.order, what);
            }
            for (refund, of_this) in &payment.refunds {
                if of_this.status == "requested" || of_this.is_due {
                    let what = format!("the refund {refund} is still owed: {of_this:?}");
                    self.add("what is to go back is back", &payment.order, what);
                }
            }
        }
        for (id, order) in &world.orders {
            self.the_orders_counters(NAME, id, order);
        }
        let is_lost = |payment: &&Payment| !world.orders.contains_key(&payment.order);
        for lost in world.payments.values().filter(is_lost) {
            self.add(NAME, &lost.order, "somebody may pay an order that is not there".into());
        }
    }

    /// An order counts what its attempts do, but for money of another amount or currency, which it never had.
    fn the_orders_counters(&mut self, name: &'static str, id: &str, order: &Order) {
        let of_this: BTreeMap<_, _> =
            self.world.payments.iter().filter(|(_, payment)| payment.order == id).collect();
        let Some(paying) = &order.paying else {
            if !of_this.is_empty() {
                self.add(name, id, format!("nobody has paid it, and it has {of_this:?}"));
            }
            return;
        };
        let known: BTreeSet<_> = paying.attempts.iter().collect();
        if known.len() != paying.attempts.len() || !known.iter().copied().eq(of_this.keys().copied()) {
            self.add(name, id, format!("it knows of {:?}, and there are {:?}", known, of_this.keys()));
        }
        let counted = |amount: fn(&Payment) -> i64| {
            let counted = of_this.values().filter(|payment| payment.outcome.as_deref() != Some("mismatch"));
            counted.map(|payment| amount(payment)).sum::<i64>()
        };
        let are = (counted(|it| it.captured), counted(|it| it.refunding), counted(|it| it.refunded));
        if are != (paying.paid, paying.refunding, paying.refunded) {
            self.add(name, id, format!("it counts {paying:?}, and its attempts {are:?}"));
        }
        if let Some(other) = of_this.values().find(|payment| payment.buyer != order.buyer) {
            let what = format!("it is {}'s, and its payment {}'s", order.buyer, other.buyer);
            self.add(name, id, what);
        }
    }

    /// Every charge and refund at Stripe is in one ledger here, once and to the cent, and nothing else is.
    pub(super) fn stripes_books_are_ours(&mut self) {
        const NAME: &str = "Stripe's books are ours";
        let world = self.world;
        let mut at_stripe: BTreeMap<&str, Vec<(&String, &Intent)>> = BTreeMap::new();
        for (id, intent) in &world.stripe.intents {
            at_stripe.entry(&intent.payment).or_default().push((id, intent));
        }
        for (id, intents) in &at_stripe {
            if !world.payments.contains_key(*id) {
                self.add(NAME, id, format!("nobody here knows whose that is: {intents:?}"));
            }
        }
        for stray in &world.stripe.strays {
            self.add(NAME, stray, "a refund of no payment".into());
        }
        for (id, payment) in &world.payments {
            let intents = at_stripe.get(id.as_str()).map(Vec::as_slice).unwrap_or_default();
            let mut expected = unknown_to_stripe(payment);
            let besides: i64 = expected.values().sum();
            for (intent, at_stripe) in intents {
                let came: i64 = at_stripe.charges.values().sum();
                if came != 0 {
                    expected.insert(format!("charge:{intent}"), came);
                }
                for (refund, of_this) in &at_stripe.refunds {
                    let [went, came] = [format!("refund:{refund}"), format!("refund-failed:{refund}")];
                    // One that failed before it was written down is not in the ledger at all.
                    if of_this.went || payment.ledger.contains_key(&went) {
                        expected.insert(went, -of_this.amount);
                    }
                    if !of_this.went && expected.contains_key(&format!("refund:{refund}")) {
                        expected.insert(came, of_this.amount);
                    }
                }
            }
            if expected != payment.ledger {
                let what = format!("Stripe has {expected:?}, and the ledger {:?}", payment.ledger);
                self.add(NAME, &payment.order, what);
            }
            let moved: i64 = intents.iter().map(|(_, intent)| intent.moved).sum();
            if moved + besides != payment.kept() {
                let what = format!(
                    "Stripe moved {moved}, others {besides}, and the ledger sums to {}",
                    payment.kept()
                );
                self.add(NAME, &payment.order, what);
            }
        }
    }

    /// Of an order that is over, or of money that nobody wants, nothing is left but what cannot go back.
    pub(super) fn no_money_is_kept(&mut self) {
        const NAME: &str = "no money is kept for a cancelled order";
        let world = self.world;
        for payment in world.payments.values() {
            let is_over = self.order(&payment.order).is_none_or(|order| order.status == "cancelled");
            let kept = payment.kept();
            if (is_over || payment.outcome.is_some()) && kept != 0 && kept > payment.failed() {
                let why = payment.outcome.as_deref().unwrap_or("cancelled");
                self.add(NAME, &payment.order, format!("{kept} is kept, and it is {why}"));
            }
        }
    }

    /// Whoever paid in time has the order, nothing is sent that nobody paid to the cent, and no stock is held for
    /// nobody.
    pub(super) fn what_is_paid_is_sent(&mut self, purchases: &[Purchase]) {
        const NAME: &str = "a paid order is never released";
        let forced: BTreeSet<_> = forced(purchases);
        let world = self.world;
        for session in world.stripe.sessions.values().filter(|session| session.is_paid) {
            let Some(order) = self.order(&session.order) else { continue };
            let payment = world.payments.get(&session.payment);
            let outcome = payment.and_then(|payment| payment.outcome.as_deref());
            // Another amount than was asked for pays nothing.
            if outcome == Some("mismatch") || forced.contains(session.order.as_str()) {
                continue;
            }
            if !order.history.iter().any(|status| status == "pending") {
                let what = format!("its buyer paid in time, and it is {} as {outcome:?}", order.status);
                self.add(NAME, &session.order, what);
            }
        }
        for (id, order) in &world.orders {
            let Some(paying) = &order.paying else { continue };
            let counts = world.payments.get(&paying.counts);
            let came = |it: &Payment| {
                let came = |fact: &str| ["charge:", "cash:"].iter().any(|way| fact.starts_with(way));
                let came = it.ledger.iter().filter(|(fact, _)| came(fact));
                came.map(|(_, amount)| *amount).sum::<i64>()
            };
            let pays = |it: &Payment| it.outcome.is_none() && came(it) == order.total - order.waived;
            let is_paid = counts.is_some_and(|it| it.status == "captured" && pays(it));
            let was_sent = order.history.iter().any(|status| status == "pending");
            if was_sent != is_paid {
                let what = format!("it is {} after {:?}, and {counts:?}", order.status, order.history);
                self.add("what is sent is paid", id, what);
            }
            if !was_sent && order.reason.is_none() {
                self.add(NAME, id, format!("it is {} and nobody said why", order.status));
            }
        }
    }

    /// Nobody can pay any more for an order that is paid, or over. An attempt that failed in a slow way may still be
    /// said to be under way, where that was told last.
    pub(super) fn no_page_is_left_open(&mut self, purchases: &[Purchase]) {
        const NAME: &str = "no page is left open";
        let forced: BTreeSet<_> = forced(purchases);
        let world = self.world;
        for (id, session) in world.stripe.sessions.iter().filter(|(_, session)| session.is_open) {
            if !forced.contains(session.order.as_str()) {
                let status = self.order(&session.order).map(|order| order.status.clone());
                self.add(NAME, &session.order, format!("{id} can be paid, and its order is {status:?}"));
            }
        }
        for (id, payment) in &world.payments {
            let order = self.order(&payment.order);
            let is_over = order.is_none_or(|order| order.status == "cancelled");
            if is_over && ["creating", "open"].contains(&payment.status.as_str()) {
                self.add(NAME, &payment.order, format!("its attempt {id} is {}", payment.status));
            }
        }
    }

    /// What an admin was answered of money that goes back is so, and each request gave it back once.
    pub(super) fn nothing_goes_back_twice(&mut self, history: &History) {
        const NAME: &str = "nothing goes back twice";
        let world = self.world;
        let mut answered: BTreeSet<String> = BTreeSet::new();
        for (key, GivenBack { payment, answers, .. }) in history.given_back() {
            let known = world.payments.get(&payment);
            let refunds: BTreeSet<_> = answers.iter().filter_map(|(_, refund)| refund.clone()).collect();
            if refunds.len() > 1 {
                self.add(NAME, &key, format!("one request was answered {refunds:?}"));
            }
            for refund in &refunds {
                if known.is_none_or(|known| !known.refunds.contains_key(refund)) {
                    self.add(NAME, &key, format!("the refund {refund} of {payment} is not there"));
                }
            }
            answered.extend(refunds);
        }
        for payment in world.payments.values() {
            let by_admins = payment.refunds.iter().filter(|(_, refund)| refund.by_admin);
            for (refund, _) in by_admins.filter(|(id, _)| !answered.contains(*id)) {
                self.add(NAME, &payment.order, format!("nobody was answered with the refund {refund}"));
            }
        }
    }

    /// What an order counts as given back of each product is what its refunds are for, but for those that failed, and
    /// never more than was bought.
    pub(super) fn no_piece_goes_back_twice(&mut self) {
        const NAME: &str = "no piece goes back twice";
        let world = self.world;
        let mut gone: BTreeMap<&str, BTreeMap<&str, Back>> = BTreeMap::new();
        for payment in world.payments.values() {
            let of_order = gone.entry(&payment.order).or_default();
            for refund in payment.refunds.values().filter(|refund| refund.status != "failed") {
                for (product, back) in &refund.share {
                    let counted = of_order.entry(product).or_default();
                    counted.pieces += back.pieces;
                    counted.amount += back.amount;
                }
            }
        }
        for (id, order) in &world.orders {
            let gone = gone.remove(id.as_str()).unwrap_or_default();
            // What is refused before it is paid at the door is never paid, and so no refund is for it.
            let unpaid = if order.by_card { BTreeSet::new() } else { order.refused() };
            let counted = order.back.iter().filter(|(product, _)| !unpaid.contains(product.as_str()));
            let counted: BTreeMap<&str, Back> =
                counted.map(|(product, back)| (product.as_str(), *back)).collect();
            if gone != counted {
                self.add(NAME, id, format!("it counts {counted:?}, and its refunds are for {gone:?}"));
            }
            for (product, back) in &order.back {
                let bought = order.lines.iter().find(|(ordered, _)| ordered == product);
                if bought.is_none_or(|(_, pieces)| back.pieces > *pieces) {
                    self.add(NAME, id, format!("{back:?} of {product} went back, of {bought:?}"));
                }
            }
        }
    }

    /// A refund that another letter does not tell of has one of its own.
    pub(super) fn every_refund_is_told(&mut self) {
        let world = self.world;
        let mut owed: BTreeMap<&str, usize> = BTreeMap::new();
        for payment in world.payments.values() {
            let went = payment.refunds.values().filter(|refund| refund.status == "accepted");
            *owed.entry(&payment.order).or_default() += went.filter(|refund| refund.is_told).count();
        }
        for (order, owed) in owed {
            let emails = world.emails.get(order).map(Vec::as_slice).unwrap_or_default();
            let told = emails.iter().filter(|email| **email == EmailKind::Refunded).count();
            if told < owed {
                let what = format!("{owed} refunds went back, and {told} letters tell of them");
                self.add("every refund is told", order, what);
            }
        }
    }

    /// A coupon that may be used so often only was used as often as there are orders which count it.
    pub(super) fn coupons_count_their_orders(&mut self) {
        const NAME: &str = "coupons count their orders";
        let world = self.world;
        let (mut in_all, mut by_customer): (BTreeMap<&str, i64>, BTreeMap<String, i64>) = Default::default();
        for order in world.orders.values().filter(|order| order.status != "cancelled") {
            let Some(coupon) = &order.coupon else { continue };
            if coupon.in_all {
                *in_all.entry(&coupon.code).or_default() += 1;
            }
            if let Some(customer) = &coupon.customer {
                *by_customer.entry(format!("{}#{customer}", coupon.code)).or_default() += 1;
            }
        }
        for (code, coupon) in &world.coupons {
            let counted = in_all.remove(code.as_str()).unwrap_or_default();
            if counted != coupon.used || coupon.limit.is_some_and(|limit| coupon.used > limit) {
                self.add(NAME, code, format!("{counted} orders count it: {coupon:?}"));
            }
        }
        for (who, used) in &world.uses {
            let counted = by_customer.remove(who).unwrap_or_default();
            if counted != *used {
                self.add(NAME, who, format!("{counted} orders count it, and it was used {used} times"));
            }
        }
        for (code, counted) in in_all {
            self.add(NAME, code, format!("{counted} orders count a coupon that is not there"));
        }
        for (who, counted) in by_customer {
            self.add(NAME, &who, format!("{counted} orders count a use that is not there"));
        }
    }
}

/// What the ledger has of which Stripe knows nothing: what came at the door, and what somebody gave back otherwise.
fn unknown_to_stripe(payment: &Payment) -> BTreeMap<String, i64> {
    let outside = payment.refunds.iter().filter(|(_, refund)| refund.outside);
    let outside = outside.map(|(id, refund)| (format!("outside:{id}"), -refund.amount));
    let came = payment.is_cash().then(|| (format!("cash:{}", payment.order), payment.captured));
    outside.chain(came).collect()
}

/// The orders that were paid by a page which was over.
fn forced(purchases: &[Purchase]) -> BTreeSet<&str> {
    purchases.iter().filter(|purchase| purchase.is_forced).filter_map(Purchase::order).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{after, order};
    use super::*;
    use crate::books::{Refund as AtStripe, Session};
    use crate::world::{Coupon, Letter, Paying, Refund, UsedCoupon, World};

    const LEDGER: &str = "the ledger sums";
    const BOOKS: &str = "Stripe's books are ours";
    const KEPT: &str = "no money is kept for a cancelled order";
    const BACK: &str = "what is to go back is back";
    const RELEASED: &str = "a paid order is never released";
    const SENT: &str = "what is sent is paid";
    const OPEN: &str = "no page is left open";
    const TWICE: &str = "nothing goes back twice";
    const PIECES: &str = "no piece goes back twice";
    const COUPONS: &str = "coupons count their orders";

    /// Ann's order was paid by card, and an admin gave a part of it back.
    fn by_card(history: &mut History, world: &mut World) {
        let counts = "payment".to_owned();
        let paying =
            Paying { paid: 900, refunded: 100, attempts: vec![counts.clone()], counts, refunding: 0 };
        order(world).paying = Some(paying);
        order(world).total = 900;
        order(world).by_card = true;
        order(world).history.insert(0, "awaiting_payment".into());
        world.told.insert(
            "order".into(),
            ["order.placed", "order.paid", "order.shipped"].map(str::to_owned).into(),
        );
        let refund = Refund {
            amount: 100,
            status: "accepted".into(),
            is_told: true,
            by_admin: true,
            ..Refund::default()
        };
        world.emails.entry("order".into()).or_default().push(EmailKind::Refunded);
        let ledger = [("charge:pi_1".to_owned(), 900), ("refund:re_1".to_owned(), -100)];
        let payment = Payment {
            order: "order".into(),
            buyer: "ann".into(),
            kind: "checkout_session".into(),
            status: "captured".into(),
            captured: 900,
            refundable: 800,
            refunding: 0,
            refunded: 100,
            outcome: None,
            ledger: ledger.into(),
            refunds: [("refund".to_owned(), refund)].into(),
        };
        world.payments.insert("payment".into(), payment);
        let at_stripe = Intent {
            payment: "payment".into(),
            charges: [("ch_1".to_owned(), 900)].into(),
            refunds: [("re_1".to_owned(), AtStripe { amount: 100, went: true })].into(),
            moved: 800,
        };
        world.stripe.intents.insert("pi_1".into(), at_stripe);
        let session =
            Session { payment: "payment".into(), order: "order".into(), is_open: false, is_paid: true };
        world.stripe.sessions.insert("cs_1".into(), session);
        history.gave_back("back", "payment", &json!({ "amount": 1 }), (500, None));
        history.gave_back("back", "payment", &json!({ "amount": 1 }), (201, Some("refund".into())));
    }

    /// The invariants that do not hold after something was changed of that.
    fn broken(change: impl FnOnce(&mut History, &mut World)) -> BTreeSet<&'static str> {
        after(|history, world| {
            by_card(history, world);
            change(history, world);
        })
    }

    fn payment(world: &mut World) -> &mut Payment {
        world.payments.get_mut("payment").unwrap()
    }

    fn paying(world: &mut World) -> &mut Paying {
        order(world).paying.as_mut().unwrap()
    }

    fn intent(world: &mut World) -> &mut Intent {
        world.stripe.intents.get_mut("pi_1").unwrap()
    }

    #[test]
    fn nothing_is_broken_when_all_is_well() {
        assert_eq!(broken(|_, _| {}), BTreeSet::new());
    }

    #[test]
    fn counters_that_are_not_the_ledgers_are_noticed() {
        assert_eq!(broken(|_, world| payment(world).refundable = 799), [LEDGER].into());
        assert_eq!(broken(|_, world| payment(world).captured = 901), [LEDGER].into());
        assert_eq!(broken(|_, world| paying(world).paid = 899), [LEDGER].into());
        assert_eq!(broken(|_, world| paying(world).refunding = 1), [LEDGER].into());
        assert_eq!(broken(|_, world| paying(world).refunded = 0), [LEDGER].into());
        assert_eq!(broken(|_, world| paying(world).attempts.clear()), [LEDGER].into());
        assert_eq!(broken(|_, world| payment(world).buyer = "guest#order".into()), [LEDGER].into());
        let nobodys = |_: &mut History, world: &mut World| {
            let lost = Payment { order: "gone".into(), status: "dead".into(), ..Payment::default() };
            world.payments.insert("lost".into(), lost);
        };
        assert_eq!(broken(nobodys), [LEDGER].into());
        let cash = broken(|_, world| order(world).paying = None);
        assert!(cash.contains(LEDGER), "{cash:?}");
    }

    #[test]
    fn a_refund_that_is_owed_in_the_end_is_noticed() {
        let owed = |_: &mut History, world: &mut World| {
            let refund = Refund { amount: 50, status: "requested".into(), is_due: true, ..Refund::default() };
            payment(world).refunds.insert("owed".into(), refund);
            (payment(world).refundable, payment(world).refunding) = (750, 50);
            paying(world).refunding = 50;
        };
        assert_eq!(broken(owed), [BACK].into());
        let letter = |_: &mut History, world: &mut World| {
            let body = r#"{"paymentId":"payment","refundId":"refund"}"#;
            world.dead_letters.push(("RefundsDeadLetterQueueUrl", body.into()));
        };
        assert_eq!(broken(letter), BTreeSet::new());
        let unsettled = broken(|history, world| {
            letter(history, world);
            payment(world).refunds.get_mut("refund").unwrap().is_due = true;
        });
        assert_eq!(unsettled, [BACK, "dead letters are settled"].into());
    }

    #[test]
    fn money_that_one_of_both_books_lacks_or_has_twice_is_noticed() {
        assert_eq!(broken(|_, world| intent(world).moved = 799), [BOOKS].into());
        let twice = |_: &mut History, world: &mut World| {
            let again = intent(world).refunds["re_1"];
            intent(world).refunds.insert("re_2".into(), again);
            intent(world).moved = 700;
        };
        assert_eq!(broken(twice), [BOOKS].into());
        let charged_twice = |_: &mut History, world: &mut World| {
            intent(world).charges.insert("ch_2".into(), 900);
            intent(world).moved = 1_700;
        };
        assert_eq!(broken(charged_twice), [BOOKS].into());
        let made_up = |_: &mut History, world: &mut World| {
            payment(world).ledger.extend([("refund:re_9".into(), -5), ("refund-failed:re_9".into(), 5)]);
        };
        assert_eq!(broken(made_up), [BOOKS].into());
        let of_nobody = |_: &mut History, world: &mut World| {
            let stranger = Intent { payment: "nobody's".into(), ..Intent::default() };
            world.stripe.intents.insert("pi_9".into(), stranger);
        };
        assert_eq!(broken(of_nobody), [BOOKS].into());
        assert_eq!(broken(|_, world| world.stripe.strays.push("re_9".into())), [BOOKS].into());
    }

    /// The refund failed, before it was written down or after.
    fn fails(world: &mut World, after: bool) {
        intent(world).refunds.insert("re_1".into(), AtStripe { amount: 100, went: false });
        intent(world).moved = 900;
        payment(world).refunds.get_mut("refund").unwrap().status = "failed".into();
        (payment(world).refundable, payment(world).refunded) = (900, 0);
        paying(world).refunded = 0;
        if after {
            payment(world).ledger.insert("refund-failed:re_1".into(), 100);
        } else {
            payment(world).ledger.remove("refund:re_1");
        }
    }

    #[test]
    fn a_refund_that_failed_is_in_the_ledger_with_its_return_or_not_at_all() {
        assert_eq!(broken(|_, world| fails(world, true)), BTreeSet::new());
        assert_eq!(broken(|_, world| fails(world, false)), BTreeSet::new());
        let half = broken(|_, world| {
            fails(world, true);
            payment(world).ledger.remove("refund-failed:re_1");
            (payment(world).refundable, payment(world).refunded) = (800, 100);
        });
        assert!(half.contains(BOOKS), "{half:?}");
    }

    /// Her order is cancelled, and what was kept of its money went back.
    fn cancelled(world: &mut World) {
        order(world).status = "cancelled".into();
        order(world).history = ["awaiting_payment", "pending", "cancelled"].map(str::to_owned).into();
        order(world).reason = Some("by_buyer".into());
        order(world).handed_over = false;
        world.told.insert(
            "order".into(),
            ["order.placed", "order.paid", "order.cancelled"].map(str::to_owned).into(),
        );
        world.emails.insert("order".into(), vec![EmailKind::Cancelled, EmailKind::Refunded]);
        world.offers.get_mut("tea").unwrap().quantity = 10;
        let refund = Refund { amount: 800, status: "accepted".into(), ..Refund::default() };
        payment(world).refunds.insert("rest".into(), refund);
        payment(world).ledger.insert("refund:re_2".into(), -800);
        (payment(world).refundable, payment(world).refunded) = (0, 900);
        paying(world).refunded = 900;
        intent(world).refunds.insert("re_2".into(), AtStripe { amount: 800, went: true });
        intent(world).moved = 0;
    }

    #[test]
    fn money_that_is_kept_for_an_order_that_is_over_is_noticed() {
        assert_eq!(broken(|_, world| cancelled(world)), BTreeSet::new());
        let kept = broken(|_, world| {
            cancelled(world);
            payment(world).refunds.remove("rest");
            payment(world).ledger.remove("refund:re_2");
            (payment(world).refundable, payment(world).refunded) = (800, 100);
            paying(world).refunded = 100;
            intent(world).refunds.remove("re_2");
            intent(world).moved = 800;
        });
        assert_eq!(kept, [KEPT].into());
        // What a bank does not take is a person's to give back.
        let failed = broken(|_, world| {
            cancelled(world);
            fails(world, true);
            (payment(world).refundable, payment(world).refunded) = (100, 800);
            paying(world).refunded = 800;
            intent(world).moved = 100;
        });
        assert_eq!(failed, BTreeSet::new());
        let unwanted = broken(|_, world| payment(world).outcome = Some("duplicate".into()));
        assert!(unwanted.contains(KEPT), "{unwanted:?}");
    }

    #[test]
    fn an_order_that_was_paid_in_time_and_never_sent_is_noticed() {
        let released = |world: &mut World| {
            cancelled(world);
            order(world).history.remove(1);
            order(world).reason = Some("not_paid".into());
            world.told.get_mut("order").unwrap().remove(1);
        };
        assert_eq!(broken(|_, world| released(world)), [RELEASED, SENT].into());
        let late = |world: &mut World| {
            released(world);
            payment(world).outcome = Some("late".into());
        };
        assert_eq!(broken(|_, world| late(world)), [RELEASED].into());
        let forced = broken(|history, world| {
            late(world);
            history.note("key", |purchase| purchase.is_forced = true);
        });
        assert_eq!(forced, BTreeSet::new());
        let silent = broken(|history, world| {
            late(world);
            order(world).reason = None;
            history.note("key", |purchase| purchase.is_forced = true);
        });
        assert_eq!(silent, [RELEASED].into());
    }

    #[test]
    fn what_was_sent_and_nobody_paid_is_noticed() {
        let unpaid = broken(|_, world| {
            *payment(world) = Payment {
                order: "order".into(),
                buyer: "ann".into(),
                status: "dead".into(),
                refunds: payment(world).refunds.clone(),
                ..Payment::default()
            };
        });
        assert!(unpaid.contains(SENT), "{unpaid:?}");
        for total in [899, 901] {
            assert_eq!(broken(|_, world| order(world).total = total), [SENT].into());
        }
    }

    #[test]
    fn a_page_on_which_somebody_can_still_pay_is_noticed() {
        let open = |_: &mut History, world: &mut World| {
            let page = Session { is_open: true, is_paid: false, ..world.stripe.sessions["cs_1"].clone() };
            world.stripe.sessions.insert("cs_2".into(), page);
        };
        assert_eq!(broken(open), [OPEN].into());
        let attempt = broken(|_, world| {
            cancelled(world);
            let again = Payment {
                order: "order".into(),
                buyer: "ann".into(),
                status: "open".into(),
                ..Payment::default()
            };
            world.payments.insert("payment 2".into(), again);
            paying(world).attempts.push("payment 2".into());
        });
        assert_eq!(attempt, [OPEN].into());
    }

    #[test]
    fn an_order_that_awaits_its_payment_in_the_end_is_noticed() {
        let held = broken(|_, world| {
            order(world).status = "awaiting_payment".into();
            order(world).history = vec!["awaiting_payment".into()];
        });
        assert!(held.contains("every order is settled"), "{held:?}");
    }

    #[test]
    fn a_refund_of_nobodys_and_one_that_is_not_there_are_noticed() {
        let nobody_asked = broken(|_, world| {
            payment(world).refunds.get_mut("refund").unwrap().by_admin = true;
            world.payments.get_mut("payment").unwrap().refunds.insert(
                "another".into(),
                Refund { amount: 0, status: "accepted".into(), by_admin: true, ..Refund::default() },
            );
        });
        assert_eq!(nobody_asked, [TWICE].into());
        let [twice, gone] = ["refund", "gone"].map(|refund| {
            broken(|history, _| {
                history.gave_back("key 2", "payment", &json!({}), (201, Some(refund.into())));
                history.gave_back("key 2", "payment", &json!({}), (201, Some("gone".into())));
            })
        });
        assert_eq!((twice, gone), ([TWICE].into(), [TWICE].into()));
        let unclear = broken(|history, _| history.gave_back("key 3", "payment", &json!({}), (503, None)));
        assert_eq!(unclear, ["every request is answered"].into());
    }

    #[test]
    fn a_refund_that_nobody_was_told_of_is_noticed() {
        let untold = |world: &mut World| {
            world.emails.get_mut("order").unwrap().retain(|email| *email != EmailKind::Refunded);
        };
        assert_eq!(broken(|_, world| untold(world)), ["every refund is told"].into());
        let failed = broken(|_, world| {
            untold(world);
            fails(world, true);
        });
        assert_eq!(failed, BTreeSet::new());
        let kept = broken(|_, world| {
            let letter = r#"{"kind":"payment.refunded","id":"payment.refund"}"#;
            world.dead_letters.push(("EmailsDeadLetterQueueUrl", letter.into()));
        });
        assert_eq!(kept, BTreeSet::new(), "it came again after it was told");
    }

    #[test]
    fn a_piece_that_goes_back_twice_or_is_counted_for_no_refund_is_noticed() {
        let one = |amount| BTreeMap::from([("tea".to_owned(), Back { pieces: 1, amount })]);
        let for_a_piece = |world: &mut World| {
            payment(world).refunds.get_mut("refund").unwrap().share = one(100);
            order(world).back = one(100);
        };
        let after = |change: fn(&mut World)| {
            broken(|_, world| {
                for_a_piece(world);
                change(world);
            })
        };
        assert_eq!(after(|_| {}), BTreeSet::new());
        assert_eq!(after(|world| order(world).back.clear()), [PIECES].into());
        assert_eq!(after(|world| order(world).back.get_mut("tea").unwrap().amount = 99), [PIECES].into());
        assert_eq!(
            after(|world| payment(world).refunds.get_mut("refund").unwrap().share.clear()),
            [PIECES].into()
        );
        let of_a_failed_one = after(|world| fails(world, true));
        assert_eq!(of_a_failed_one, [PIECES].into());
        let too_many = after(|world| {
            payment(world).refunds.get_mut("refund").unwrap().share.get_mut("tea").unwrap().pieces = 99;
            order(world).back.get_mut("tea").unwrap().pieces = 99;
        });
        assert_eq!(too_many, [PIECES].into());
    }

    #[test]
    fn what_came_at_the_door_or_was_given_back_otherwise_is_no_business_of_stripes() {
        let outside = |world: &mut World| {
            payment(world).refunds.get_mut("refund").unwrap().outside = true;
            payment(world).ledger = [("charge:pi_1".into(), 900), ("outside:refund".into(), -100)].into();
            intent(world).refunds.clear();
            intent(world).moved = 900;
        };
        assert_eq!(broken(|_, world| outside(world)), BTreeSet::new());
        let unwritten = broken(|_, world| {
            outside(world);
            payment(world).ledger.remove("outside:refund");
        });
        assert_eq!(unwritten, [LEDGER, BOOKS].into());
        let cash = |world: &mut World| {
            outside(world);
            order(world).by_card = false;
            order(world).history.remove(0);
            world.stripe = crate::books::Books::default();
            world.told.insert("order".into(), ["order.placed", "order.shipped"].map(str::to_owned).into());
            payment(world).kind = "cash".into();
            payment(world).ledger = [("cash:order".into(), 900), ("outside:refund".into(), -100)].into();
        };
        assert_eq!(broken(|_, world| cash(world)), BTreeSet::new());
        let twice = broken(|_, world| {
            cash(world);
            payment(world).ledger.insert("charge:pi_1".into(), 900);
        });
        assert_eq!(twice, [LEDGER, BOOKS, SENT].into());
    }

    #[test]
    fn a_coupon_that_counts_another_number_of_orders_is_noticed() {
        let used = |history: &mut History, world: &mut World| {
            let customer = Some("ann".to_owned());
            order(world).coupon = Some(UsedCoupon { code: "HALF".into(), in_all: true, customer });
            world.coupons.insert("HALF".into(), Coupon { used: 1, limit: Some(1) });
            world.coupons.insert("FREE".into(), Coupon { used: 0, limit: None });
            world.uses.insert("HALF#ann".into(), 1);
            let _ = history;
        };
        let after = |change: fn(&mut World)| {
            broken(|history, world| {
                used(history, world);
                change(world);
            })
        };
        assert_eq!(after(|_| {}), BTreeSet::new());
        assert_eq!(after(|world| world.coupons.get_mut("HALF").unwrap().used = 2), [COUPONS].into());
        assert_eq!(after(|world| world.coupons.get_mut("HALF").unwrap().limit = Some(0)), [COUPONS].into());
        assert_eq!(after(|world| world.coupons.clear()), [COUPONS].into());
        assert_eq!(after(|world| world.uses.clear()), [COUPONS].into());
        assert_eq!(after(|world| *world.uses.get_mut("HALF#ann").unwrap() = 0), [COUPONS].into());
        assert_eq!(after(|world| order(world).coupon = None), [COUPONS].into());
        // Given back with the order.
        assert_eq!(after(cancelled), [COUPONS].into());
    }

    #[test]
    fn mail_about_a_payment_goes_to_its_buyer() {
        let strange = broken(|_, world| {
            order(world).email = "ann@cartwright.test".into();
            let to = "eve@cartwright.test".to_owned();
            world.letters.push(Letter { order: "order".into(), to, text: String::new() });
        });
        assert_eq!(strange, ["every guest is told"].into());
    }
}
