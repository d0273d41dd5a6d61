//! What comes back of an order once it is on its way: pieces in returns, and money for pieces and for sending them.
//! What an order knows of it is one counter for each line under one version, so that whoever gives something back does
//! so by what was read.

use std::collections::BTreeMap;

use offers::{OfferId, ProductId};
use serde::{Deserialize, Serialize};
use shared::caller::UserId;
use shared::http::problem::{FieldError, Kind, Problem, StatusCode};
use shared::values::money::Amount;
use totals::{paid_back, shared_out};

use crate::parcels::Parcel;
use crate::purchase::LineAmounts;
use crate::{Line, NewLine, Order, OrderStatus};

/// What came back of an order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Back {
    /// How often it changed.
    pub(crate) version: u32,
    /// Lines of which something came back.
    pub(crate) lines: Vec<LineBack>,
    /// What was given back for sending it, once something was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) shipping: Option<Amount>,
}

/// What came back of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LineBack {
    offer_id: OfferId,
    /// Pieces that are paid back, or are to be.
    refunded: u32,
    /// So much for them.
    amount: Amount,
    /// Pieces in returns that nobody has refused.
    returned: u32,
}

impl LineBack {
    fn none(offer_id: OfferId) -> Self {
        Self { offer_id, refunded: 0, amount: Amount::ZERO, returned: 0 }
    }

    fn is_none(&self) -> bool {
        *self == Self::none(self.offer_id)
    }

    /// How many pieces are paid back, or are to be.
    pub fn refunded(&self) -> u32 {
        self.refunded
    }

    /// How many are in returns that nobody has refused.
    pub fn returned(&self) -> u32 {
        self.returned
    }
}

/// The part of an order that one refund is for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Share {
    /// Pieces of its lines.
    pub lines: Vec<Pieces>,
    /// What sending it cost, where that is a part of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<Amount>,
}

/// Pieces of a line, with what is given back for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pieces {
    /// Of which offer.
    pub offer_id: OfferId,
    /// How many.
    pub pieces: u32,
    /// So much for all of them.
    pub amount: Amount,
}

impl Share {
    /// All that is given back for it.
    pub fn amount(&self) -> Amount {
        let lines = self.lines.iter().map(|line| line.amount.minor()).sum::<u64>();
        Amount::from_minor(lines + self.shipping.map_or(0, Amount::minor))
    }
}

/// Why something does not come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotBack {
    /// The order has no such line.
    #[error("the order has no line {0}")]
    NotOrdered(OfferId),
    /// Fewer pieces are left.
    #[error("{left} pieces of {id} are left")]
    TooMany {
        /// Of this line.
        id: OfferId,
        /// This many.
        left: u32,
    },
    /// What sending it cost was given back before.
    #[error("what sending it cost was given back before")]
    Shipping,
}

const ALREADY_REFUNDED: Kind = Kind::new(StatusCode::CONFLICT, "already-refunded", "Already refunded");

impl From<NotBack> for Problem {
    fn from(refusal: NotBack) -> Self {
        match refusal {
            NotBack::NotOrdered(id) => {
                let detail = format!("has {id}, which is not in the order");
                Self::invalid_input(vec![FieldError::body("#/lines", detail)])
            }
            NotBack::TooMany { id, left } => {
                let detail = "Fewer pieces than that are left of this line: the others were refunded before.";
                Self::new(ALREADY_REFUNDED, detail).with("productId", id).with("left", left)
            }
            NotBack::Shipping => {
                Self::new(ALREADY_REFUNDED, "What sending the order cost was refunded before.")
            }
        }
    }
}

impl Order {
    /// What came back of it; nothing where nothing did.
    pub fn back(&self) -> Option<&Back> {
        self.back.as_ref()
    }

    /// What came back of a line.
    pub fn back_of(&self, id: OfferId) -> LineBack {
        let lines = self.back.as_ref().map_or(&[][..], |back| &back.lines);
        lines.iter().find(|line| line.offer_id == id).copied().unwrap_or(LineBack::none(id))
    }

    /// What is in it, each product once, and whether its buyer has that: its seller has sent it, be it before the
    /// others have, and neither all of the order's money nor all of that product's pieces are paid back or are to be.
    pub fn had(&self) -> BTreeMap<ProductId, bool> {
        let parcels = self.parcels();
        let is_over = self.status == OrderStatus::Cancelled;
        let is_paid_back =
            self.was_paid() && self.payment.as_ref().is_some_and(|paid| paid.kept() == Amount::ZERO);
        let mut had = BTreeMap::new();
        for line in &self.lines {
            let is_left = self.back_of(line.offer_id).refunded < line.quantity.pieces();
            let is_kept = is_left && !is_paid_back && !is_over;
            let is_sent = parcels.get(&line.seller_id).is_some_and(Parcel::is_sent);
            *had.entry(line.product_id).or_insert(false) |= is_sent && is_kept;
        }
        had
    }

    fn line(&self, id: OfferId) -> Result<&Line, NotBack> {
        self.lines.iter().find(|line| line.offer_id == id).ok_or(NotBack::NotOrdered(id))
    }

    /// What sending it cost, with its tax: what the lines do not come to.
    fn shipping_total(&self) -> Amount {
        let lines = self.lines.iter().map(|line| line.paid().minor()).sum::<u64>();
        Amount::from_minor(self.total.minor().saturating_sub(lines))
    }

    /// What is given back for these pieces, and for sending them where that is wanted. Whatever the order in which
    /// pieces come back, and whichever of the refunds fail and are made again: all of a line's pieces are its total,
    /// and never more.
    ///
    /// # Errors
    /// [`NotBack`], where not as much is left.
    pub fn share(&self, wanted: &[NewLine], shipping: bool) -> Result<Share, NotBack> {
        let lines = wanted.iter().map(|wanted| {
            let NewLine { id, quantity } = *wanted;
            let left = self.line(id)?.quantity.pieces().saturating_sub(self.back_of(id).refunded);
            if quantity.pieces() > left {
                return Err(NotBack::TooMany { id, left });
            }
            self.pieces(id, quantity.pieces())
        });
        let lines = lines.collect::<Result<_, _>>()?;
        Ok(Share { lines, shipping: self.shipping_share(shipping)? })
    }

    /// The same for pieces that came back: those that were paid back before are not paid back again.
    ///
    /// # Errors
    /// [`NotBack`] but for [`NotBack::TooMany`].
    pub fn share_of_what_is_left(&self, wanted: &[NewLine], shipping: bool) -> Result<Share, NotBack> {
        let mut lines = Vec::with_capacity(wanted.len());
        for NewLine { id, quantity } in wanted {
            let left = self.line(*id)?.quantity.pieces().saturating_sub(self.back_of(*id).refunded);
            if left > 0 {
                lines.push(self.pieces(*id, quantity.pieces().min(left))?);
            }
        }
        Ok(Share { lines, shipping: self.shipping_share(shipping)? })
    }

    fn shipping_share(&self, is_wanted: bool) -> Result<Option<Amount>, NotBack> {
        let was_given = self.back.as_ref().is_some_and(|back| back.shipping.is_some());
        match (is_wanted, self.shipping_left()) {
            (false, _) => Ok(None),
            (true, Amount::ZERO) if was_given => Err(NotBack::Shipping),
            (true, left) => Ok(Some(left)),
        }
    }

    /// What of sending it was not given back.
    fn shipping_left(&self) -> Amount {
        let given = self.back.as_ref().and_then(|back| back.shipping).unwrap_or(Amount::ZERO);
        Amount::from_minor(self.shipping_total().minor().saturating_sub(given.minor()))
    }

    /// What is given back, or is not to be paid, where this seller sends nothing: what is left of the seller's lines,
    /// and their share of what sending all of them cost. Parcels that are refused one after the other come to the
    /// order's total.
    ///
    /// # Errors
    /// [`NotBack::NotOrdered`], which no line of the order's own is.
    pub fn share_of_parcel(&self, seller: &UserId) -> Result<Share, NotBack> {
        let lines: Vec<NewLine> = self
            .lines_of(seller)
            .map(|line| NewLine { id: line.offer_id, quantity: line.quantity })
            .collect();
        let share = self.share_of_what_is_left(&lines, false)?;
        let shipping = self.shipping_of_parcel(seller).min(self.shipping_left());
        Ok(Share { shipping: Some(shipping).filter(|amount| *amount != Amount::ZERO), ..share })
    }

    /// A seller's share of what sending all of it cost, by what the lines came to.
    fn shipping_of_parcel(&self, seller: &UserId) -> Amount {
        let sellers = self.sellers();
        let came_to = |seller: &&UserId| {
            Amount::from_minor(self.lines_of(seller).map(|line| line.paid().minor()).sum::<u64>())
        };
        let weights: Vec<Amount> = sellers.iter().map(came_to).collect();
        let shares = shared_out(self.shipping_total(), &weights).unwrap_or_default();
        let of_seller = sellers.iter().zip(shares).find(|(of, _)| **of == seller);
        of_seller.map_or(Amount::ZERO, |(_, share)| share)
    }

    /// What is given back for so many pieces more, of those that are left.
    fn pieces(&self, id: OfferId, pieces: u32) -> Result<Pieces, NotBack> {
        let (line, before) = (self.line(id)?, self.back_of(id));
        let until = paid_back(line.paid(), line.quantity.pieces(), 0, before.refunded.saturating_add(pieces));
        let until = until.ok_or(NotBack::TooMany { id, left: 0 })?;
        let amount = until.minor().saturating_sub(before.amount.minor());
        Ok(Pieces { offer_id: id, pieces, amount: Amount::from_minor(amount) })
    }

    /// What came back, with a share that is given back now.
    pub(crate) fn back_with(&self, share: &Share) -> Back {
        let mut back = self.changed(share.lines.iter().map(|line| line.offer_id), |line| {
            for given in share.lines.iter().filter(|given| given.offer_id == line.offer_id) {
                line.refunded = line.refunded.saturating_add(given.pieces);
                let amount = line.amount.minor().saturating_add(given.amount.minor());
                line.amount = Amount::from_minor(amount);
            }
        });
        if let Some(more) = share.shipping {
            let before = back.shipping.map_or(0, Amount::minor);
            back.shipping = Some(Amount::from_minor(before.saturating_add(more.minor())));
        }
        back
    }

    /// The same without a share that was not given back after all.
    pub(crate) fn back_without(&self, share: &Share) -> Back {
        let mut back = self.changed(share.lines.iter().map(|line| line.offer_id), |line| {
            for given in share.lines.iter().filter(|given| given.offer_id == line.offer_id) {
                line.refunded = line.refunded.saturating_sub(given.pieces);
                let amount = line.amount.minor().saturating_sub(given.amount.minor());
                line.amount = Amount::from_minor(amount);
            }
        });
        if let Some(less) = share.shipping {
            let before = back.shipping.map_or(0, Amount::minor);
            let left = Amount::from_minor(before.saturating_sub(less.minor()));
            back.shipping = Some(left).filter(|left| *left != Amount::ZERO);
        }
        back
    }

    /// What came back, with pieces of a return.
    pub(crate) fn back_with_return(&self, pieces: &[NewLine]) -> Back {
        self.changed(pieces.iter().map(|line| line.id), |line| {
            let more = pieces.iter().find(|more| more.id == line.offer_id);
            let more = more.map_or(0, |more| more.quantity.pieces());
            line.returned = line.returned.saturating_add(more);
        })
    }

    /// The same without those of a return that was refused.
    pub(crate) fn back_without_return(&self, pieces: &[NewLine]) -> Back {
        self.changed(pieces.iter().map(|line| line.id), |line| {
            let less = pieces.iter().find(|less| less.id == line.offer_id);
            let less = less.map_or(0, |less| less.quantity.pieces());
            line.returned = line.returned.saturating_sub(less);
        })
    }

    /// The next version of what came back, with a change of these lines.
    fn changed(&self, ids: impl Iterator<Item = OfferId>, change: impl Fn(&mut LineBack)) -> Back {
        let mut back = self.back.clone().unwrap_or_default();
        back.version = back.version.saturating_add(1);
        for id in ids {
            let mut line = self.back_of(id);
            change(&mut line);
            back.lines.retain(|other| other.offer_id != id);
            back.lines.extend(Some(line).filter(|line| !line.is_none()));
        }
        back
    }
}

impl Line {
    /// What was paid for all of its pieces.
    pub fn paid(&self) -> Amount {
        let of_price = || self.total().unwrap_or(Amount::ZERO);
        self.amounts.map_or_else(of_price, LineAmounts::total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parcels::ParcelSaid;
    use crate::parcels::tests::{moved, seller};
    use crate::{Quantity, tests};
    use proptest::prelude::*;
    use serde_json::json;

    fn pieces(id: OfferId, pieces: u32) -> NewLine {
        NewLine { id, quantity: Quantity::new(pieces).unwrap() }
    }

    /// An order of one line of so many pieces that came to `total`, and of sending it.
    fn order(quantity: u32, total: u64, shipping: u64) -> (Order, OfferId) {
        let placed = tests::placed(&[("Tea", quantity)]);
        let mut item = serde_json::to_value(placed).unwrap();
        item["lines"][0]["amounts"] = json!({ "discount": 0, "tax": 0, "taxRate": 0, "total": total });
        item["total"] = json!(total + shipping);
        let order: Order = serde_json::from_value(item).unwrap();
        let id = order.lines[0].offer_id;
        (order, id)
    }

    fn given(order: &Order, share: &Share) -> Order {
        Order { back: Some(order.back_with(share)), ..order.clone() }
    }

    fn taken_back(order: &Order, share: &Share) -> Order {
        Order { back: Some(order.back_without(share)), ..order.clone() }
    }

    proptest! {
        // F9: with the discount and the taxes that are in the line's total.
        #[test]
        fn pieces_that_come_back_in_any_split_are_the_lines_total(
            total in 0..1_000_000_u64, split in prop::collection::vec(1..5_u32, 1..9),
        ) {
            let (mut order, id) = order(split.iter().sum(), total, 0);
            let mut sum = 0;
            for part in split {
                let share = order.share(&[pieces(id, part)], false).unwrap();
                sum += share.amount().minor();
                order = given(&order, &share);
            }
            prop_assert_eq!(sum, total);
            let left = NotBack::TooMany { id, left: 0 };
            prop_assert_eq!(order.share(&[pieces(id, 1)], false), Err(left));
        }

        // F3, F7: what fails can be given back again, and nothing is lost or doubled by that.
        #[test]
        fn whichever_refunds_fail_the_pieces_are_never_more_than_the_total_and_in_the_end_all_of_it(
            total in 0..1_000_u64, quantity in 1..12_u32,
            steps in prop::collection::vec((1..4_u32, any::<bool>(), any::<prop::sample::Index>()), 0..20),
        ) {
            let (mut order, id) = order(quantity, total, 0);
            let mut made: Vec<Share> = Vec::new();
            let sum = |made: &[Share]| made.iter().map(|share| share.amount().minor()).sum::<u64>();
            for (part, fails, which) in steps {
                if fails && !made.is_empty() {
                    let failed = made.swap_remove(which.index(made.len()));
                    order = taken_back(&order, &failed);
                } else if let Ok(share) = order.share(&[pieces(id, part)], false) {
                    order = given(&order, &share);
                    made.push(share);
                }
                prop_assert!(sum(&made) <= total);
                prop_assert_eq!(order.back_of(id).amount.minor(), sum(&made));
            }
            let left = quantity - order.back_of(id).refunded();
            if left > 0 {
                let share = order.share(&[pieces(id, left)], false).unwrap();
                made.push(share);
                prop_assert_eq!(sum(&made), total);
            }
        }
    }

    // F8.
    #[test]
    fn sending_it_is_given_back_once_and_again_where_that_failed() {
        let (order, id) = order(3, 1_000, 490);
        let share = order.share(&[pieces(id, 1)], true).unwrap();
        assert_eq!((share.amount().minor(), share.shipping), (333 + 490, Some(Amount::from_minor(490))));
        let paid_back = given(&order, &share);
        assert_eq!(paid_back.share(&[], true), Err(NotBack::Shipping));
        let again = taken_back(&paid_back, &share);
        assert_eq!(again.share(&[pieces(id, 1)], true), Ok(share));
        assert_eq!((again.back_of(id), again.back().unwrap().version), (LineBack::none(id), 2));
    }

    /// An order of sellers with these totals of their lines, and of sending them.
    fn of_sellers(totals: &[u64], shipping: u64) -> Order {
        let numbers: Vec<u8> = (0..).take(totals.len()).collect();
        let mut item = serde_json::to_value(crate::parcels::tests::of_sellers(&numbers)).unwrap();
        for (at, total) in totals.iter().enumerate() {
            let amounts = json!({ "discount": 0, "tax": 0, "taxRate": 0, "total": total });
            item["lines"][at]["amounts"] = amounts;
        }
        item["total"] = json!(totals.iter().sum::<u64>() + shipping);
        serde_json::from_value(item).unwrap()
    }

    #[test]
    fn a_parcel_is_worth_its_lines_and_its_share_of_sending_all_of_them() {
        let order = of_sellers(&[900, 450], 490);
        let share = |order: &Order, number| order.share_of_parcel(&seller(number)).unwrap();
        let of_first = share(&order, 0);
        assert_eq!(
            (of_first.amount().minor(), of_first.shipping),
            (900 + 327, Some(Amount::from_minor(327)))
        );
        // What an admin gave back of it before is not given back again.
        let id = order.lines[0].offer_id;
        let refunded = given(&order, &order.share(&[pieces(id, 1)], false).unwrap());
        assert_eq!(share(&refunded, 0).amount().minor(), 450 + 327);
        let shipping_too = given(&order, &order.share(&[], true).unwrap());
        assert_eq!((share(&shipping_too, 0).amount().minor(), share(&shipping_too, 0).shipping), (900, None));
        // And an admin gives back what is left of sending it.
        let one = given(&order, &of_first);
        assert_eq!(one.share(&[], true).unwrap().shipping, Some(Amount::from_minor(163)));
        assert_eq!(given(&one, &share(&one, 1)).share(&[], true), Err(NotBack::Shipping));
        assert_eq!(share(&of_sellers(&[900, 450], 0), 1).shipping, None, "nothing was charged for it");
    }

    proptest! {
        #[test]
        fn parcels_that_are_refused_one_by_one_come_to_the_total(
            totals in prop::collection::vec(0..100_000_u64, 1..6), shipping in 0..10_000_u64, from in 0..6_usize,
        ) {
            let (mut order, mut sum) = (of_sellers(&totals, shipping), 0);
            for at in 0..totals.len() {
                let number = u8::try_from((at + from) % totals.len()).unwrap();
                let share = order.share_of_parcel(&seller(number)).unwrap();
                sum += share.amount().minor();
                order = given(&order, &share);
            }
            prop_assert_eq!(sum, order.total().minor());
        }
    }

    #[test]
    fn a_buyer_has_what_is_sent_as_long_as_a_piece_of_it_is_not_paid_back() {
        let (placed, tea) = order(3, 1_000, 490);
        let had = |order: &Order| order.had().into_values().collect::<Vec<_>>();
        assert_eq!(had(&placed), [false], "it is not on its way");
        let sent = Order { status: OrderStatus::Shipping, ..placed };
        assert_eq!(had(&sent), [true]);
        let some = given(&sent, &sent.share(&[pieces(tea, 2)], true).unwrap());
        assert_eq!(had(&some), [true]);
        let rest = some.share(&[pieces(tea, 1)], false).unwrap();
        let all = given(&some, &rest);
        assert_eq!(had(&all), [false]);
        assert_eq!(had(&taken_back(&all, &rest)), [true], "the refund failed");
        let cancelled = Order { status: OrderStatus::Cancelled, ..sent.clone() };
        assert_eq!(had(&cancelled), [false]);
    }

    #[test]
    fn a_buyer_has_the_first_parcel_before_the_others_are_sent_and_none_that_was_refused() {
        let mut order = of_sellers(&[900, 450, 300], 0);
        let other = order.lines[0].product_id;
        for (at, line) in order.lines.iter_mut().enumerate() {
            line.product_id = [other, ProductId::at(tests::now()), ProductId::at(tests::now())][at];
        }
        let products: Vec<ProductId> = order.lines.iter().map(|line| line.product_id).collect();
        let said = |order: &Order, number, said: &ParcelSaid| {
            moved(order, &order.moves(&[seller(number)], said).unwrap().unwrap())
        };
        let had = |order: &Order| {
            let had = order.had();
            products.iter().map(|product| had[product]).collect::<Vec<_>>()
        };
        let one = said(&order, 0, &ParcelSaid::Shipped(None));
        assert_eq!((one.status, had(&one)), (OrderStatus::Pending, vec![true, false, false]));
        let refused = said(&one, 1, &ParcelSaid::Refused(None));
        assert_eq!(had(&refused), [true, false, false]);
        let arrived = said(&refused, 0, &ParcelSaid::Delivered);
        assert_eq!((arrived.status, had(&arrived)), (OrderStatus::Pending, vec![true, false, false]));
        let all = said(&arrived, 2, &ParcelSaid::Shipped(None));
        assert_eq!((all.status, had(&all)), (OrderStatus::Shipping, vec![true, false, true]));
        let id = all.lines[0].offer_id;
        let back = given(&all, &all.share(&[pieces(id, 2)], false).unwrap());
        assert_eq!(had(&back), [false, false, true]);
    }

    #[test]
    fn what_is_paid_back_as_a_whole_is_had_no_more_whatever_its_lines_say() {
        let paid = |back: [u64; 2]| {
            let mut item = serde_json::to_value(order(3, 1_000, 0).0).unwrap();
            item["status"] = json!("delivered");
            let payment = "01a1fbbc-f7cc-71a0-aa66-431f703e44ea";
            item["payment"] = json!({
                "paid": 1_000, "refunding": back[0], "refunded": back[1], "paymentId": payment, "attempts": [payment]
            });
            serde_json::from_value::<Order>(item).unwrap().had().into_values().collect::<Vec<_>>()
        };
        assert_eq!(paid([0, 0]), [true]);
        assert_eq!(paid([400, 500]), [true]);
        assert_eq!(paid([500, 500]), [false]);
    }

    #[test]
    fn a_product_of_two_lines_is_had_by_either_and_one_product_not_for_another() {
        let mut order = tests::placed(&[("Tea", 2), ("Cup", 1)]);
        order.status = OrderStatus::Delivered;
        let [tea, cup] = [0, 1].map(|line: usize| order.lines[line].offer_id);
        let back = given(&order, &order.share(&[pieces(tea, 2)], false).unwrap());
        let [of_tea, of_cup] = [0, 1].map(|line: usize| order.lines[line].product_id);
        assert_eq!(back.had(), [(of_tea, false), (of_cup, true)].into());
        let mut both = back;
        both.lines[1].product_id = of_tea;
        assert_eq!((both.had(), both.back_of(cup).refunded()), ([(of_tea, true)].into(), 0));
    }

    #[test]
    fn more_pieces_than_are_left_or_another_product_do_not_come_back() {
        let (order, id) = order(3, 1_000, 0);
        let order = given(&order, &order.share(&[pieces(id, 2)], false).unwrap());
        assert_eq!(order.share(&[pieces(id, 2)], false), Err(NotBack::TooMany { id, left: 1 }));
        let what_is_left = order.share_of_what_is_left(&[pieces(id, 2)], false).unwrap();
        assert_eq!(what_is_left.lines, [Pieces { offer_id: id, pieces: 1, amount: Amount::from_minor(334) }]);
        let other = tests::placed(&[("Cup", 1)]).lines[0].offer_id;
        assert_eq!(order.share(&[pieces(other, 1)], false), Err(NotBack::NotOrdered(other)));
    }

    #[test]
    fn an_order_of_which_nothing_came_back_says_nothing_of_it() {
        let (order, id) = order(3, 1_000, 0);
        assert_eq!(serde_json::to_value(&order).unwrap().get("back"), None);
        let back = given(&order, &order.share(&[pieces(id, 2)], false).unwrap());
        let item = shared::dynamo::to_item(&back).unwrap();
        assert_eq!(shared::dynamo::from_item::<Order>(item).unwrap(), back);
    }
}
