//! What each seller sends of an order, and what an order is by what its sellers have sent: rules, which call nothing.
//!
//! An order that is sent as a whole has no parcels written down, and they stand as it does. With the first word of one
//! of several sellers the order keeps them all, and from then on it goes where they do.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shared::caller::{Caller, UserId};
use shared::http::input::{Body, Field, Fields, Value};
use shared::values::money::Amount;
use shared::values::time::Timestamp;

use crate::{Action, Actor, Error, Order, OrderStatus, Progress, Refusal, Share, Shipment, Transition};

shared::text!(
    /// Why a seller does not send something.
    ParcelReason, 1..=500
);

/// Whose parcel an admin speaks of: a person's id, of 1 to 128 letters, digits and hyphens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedSeller(UserId);

impl Field for NamedSeller {
    fn parse(value: Value) -> Result<Self, String> {
        let text = value.as_str().ok_or("must be a string")?;
        let is_id = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if !is_id || !(1..=128).contains(&text.len()) {
            return Err("must be a person's id: 1 to 128 letters, digits and hyphens".into());
        }
        Ok(Self(UserId::from(text.to_owned())))
    }
}

shared::names!(
    /// How far a seller's parcel is.
    pub enum ParcelStatus {
        /// The seller has it.
        ToSend = "to_send",
        /// It is on its way.
        Shipped = "shipped",
        /// It arrived.
        Delivered = "delivered",
        /// The seller does not send it.
        Refused = "refused",
    }
);

/// What a seller sends of an order, and how it travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parcel {
    /// How far it is.
    pub status: ParcelStatus,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// How it travels, if that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipment: Option<Shipment>,
    /// Why it is not sent, if that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ParcelReason>,
    /// What its buyer gets back for it, or need not pay, once it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back: Option<Amount>,
}

impl Parcel {
    /// Whether it has left its seller.
    pub fn is_sent(&self) -> bool {
        match self.status {
            ParcelStatus::Shipped | ParcelStatus::Delivered => true,
            ParcelStatus::ToSend | ParcelStatus::Refused => false,
        }
    }
}

/// The parcels of an order, by their sellers.
pub type Parcels = BTreeMap<UserId, Parcel>;

/// What is done with a parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParcelAction {
    /// It is handed over for shipping.
    Ship,
    /// It arrived.
    Deliver,
    /// Its seller does not send it.
    Refuse,
}

impl ParcelAction {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Ship, Self::Deliver, Self::Refuse];
}

/// What an action means for a parcel as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follows {
    /// It moves on.
    To(ParcelStatus),
    /// It has happened before: nothing to do.
    Already,
    /// It cannot happen any more, or not yet.
    Refused,
}

impl ParcelStatus {
    /// Every transition there is.
    pub fn on(self, action: ParcelAction) -> Follows {
        match (action, self) {
            (ParcelAction::Ship, Self::ToSend) => Follows::To(Self::Shipped),
            (ParcelAction::Deliver, Self::Shipped) => Follows::To(Self::Delivered),
            (ParcelAction::Refuse, Self::ToSend) => Follows::To(Self::Refused),
            (ParcelAction::Ship, Self::Shipped | Self::Delivered)
            | (ParcelAction::Deliver, Self::Delivered)
            | (ParcelAction::Refuse, Self::Refused) => Follows::Already,
            (ParcelAction::Ship, Self::Refused)
            | (ParcelAction::Deliver, Self::ToSend | Self::Refused)
            | (ParcelAction::Refuse, Self::Shipped | Self::Delivered) => Follows::Refused,
        }
    }

    /// How far the parcels of an order are that is sent as a whole.
    fn of_a_whole(order: OrderStatus) -> Self {
        match order {
            OrderStatus::AwaitingPayment | OrderStatus::Pending | OrderStatus::Cancelled => Self::ToSend,
            OrderStatus::Shipping => Self::Shipped,
            OrderStatus::Delivered => Self::Delivered,
        }
    }
}

/// What a seller says of a parcel: `{status: "shipped", carrier?, trackingNumber?, trackingUrl?}`,
/// `{status: "delivered"}` or `{status: "refused", reason?}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParcelSaid {
    /// It is on its way.
    Shipped(Option<Shipment>),
    /// It arrived.
    Delivered,
    /// It is not sent.
    Refused(Option<ParcelReason>),
}

impl ParcelSaid {
    fn action(&self) -> ParcelAction {
        match self {
            Self::Shipped(_) => ParcelAction::Ship,
            Self::Delivered => ParcelAction::Deliver,
            Self::Refused(_) => ParcelAction::Refuse,
        }
    }

    /// What it says of an order of one seller; `None` where that is not said of orders.
    pub fn of_the_whole(&self) -> Option<Progress> {
        match self {
            Self::Shipped(shipment) => Some(Progress::Shipped(shipment.clone())),
            Self::Delivered => Some(Progress::Delivered),
            Self::Refused(_) => None,
        }
    }

    /// The parcel as it is after this was said of it, and moved it there.
    fn applied_to(&self, parcel: &Parcel, status: ParcelStatus) -> Parcel {
        match self {
            Self::Shipped(shipment) => Parcel { status, shipment: shipment.clone(), ..parcel.clone() },
            Self::Delivered => Parcel { status, ..parcel.clone() },
            Self::Refused(reason) => Parcel { status, reason: reason.clone(), ..parcel.clone() },
        }
    }

    /// Whether a parcel of which it was said before was said to travel in another way.
    fn contradicts(&self, parcel: &Parcel) -> bool {
        match self {
            Self::Shipped(shipment) => shipment.is_some() && *shipment != parcel.shipment,
            Self::Delivered | Self::Refused(_) => false,
        }
    }

    /// Why it cannot be said of a parcel that stands so.
    fn refusal(&self, status: ParcelStatus) -> Refusal {
        match (self.action(), status) {
            (ParcelAction::Ship | ParcelAction::Deliver, ParcelStatus::Refused) => Refusal::ParcelRefused,
            (ParcelAction::Refuse, _) => Refusal::ParcelOnItsWay,
            (
                ParcelAction::Ship | ParcelAction::Deliver,
                ParcelStatus::ToSend | ParcelStatus::Shipped | ParcelStatus::Delivered,
            ) => Refusal::NotShipped,
        }
    }
}

shared::names!(
    enum Said {
        Shipped = "shipped",
        Delivered = "delivered",
        Refused = "refused",
    }
);

/// What somebody says of a parcel, and of whose where that somebody is no seller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParcelProgress {
    /// What.
    pub said: ParcelSaid,
    /// Of whose parcel, where that was named.
    pub seller: Option<UserId>,
}

impl Body for ParcelProgress {
    fn read(fields: &mut Fields) -> Option<Self> {
        let said: Option<Said> = fields.required("status");
        let seller: Option<Option<NamedSeller>> = fields.member("sellerId");
        let said = match said? {
            Said::Delivered => Some(ParcelSaid::Delivered),
            Said::Refused => fields.member("reason").map(ParcelSaid::Refused),
            Said::Shipped => Shipment::read(fields).map(ParcelSaid::Shipped),
        };
        Some(Self { said: said?, seller: seller?.map(|NamedSeller(id)| id) })
    }
}

/// What becomes of an order when parcels of it move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moves {
    /// All its parcels, as they are then.
    pub(crate) parcels: Parcels,
    /// Whose moved.
    pub(crate) moved: Vec<UserId>,
    /// What that is to the order, one after the other; nothing where it stays as it is.
    pub(crate) path: Vec<Action>,
}

impl Moves {
    /// Where an order stands then that stood at `status`.
    pub(crate) fn leads_from(&self, status: OrderStatus) -> Vec<(Action, OrderStatus)> {
        let mut at = status;
        let mut steps = Vec::with_capacity(self.path.len());
        for action in &self.path {
            if let Transition::To(next) = at.on(*action) {
                steps.push((*action, next));
                at = next;
            }
        }
        steps
    }

    /// The same with what the refused parcel is worth to its buyer.
    pub(crate) fn worth(&self, back: Option<Amount>) -> Self {
        let mut moves = self.clone();
        for seller in &self.moved {
            if let Some(parcel) = moves.parcels.get_mut(seller) {
                parcel.back = back;
            }
        }
        moves
    }

    /// The same, said at `now`.
    pub(crate) fn said_at(&self, now: Timestamp) -> Self {
        let mut moves = self.clone();
        for seller in &self.moved {
            if let Some(parcel) = moves.parcels.get_mut(seller) {
                parcel.at = Some(now);
            }
        }
        moves
    }

    /// Whether nothing of the order is sent: all of it was refused.
    pub fn ends_the_order(&self) -> bool {
        self.path == [Action::Cancel]
    }
}

/// What a refused parcel is to the money of its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefusedMoney {
    /// Nothing: it costs nothing, nothing of it is left, or the order is over and nothing was paid.
    None,
    /// It is not to be paid at the door.
    NotCollected(Share),
    /// What was paid for it goes back.
    GoesBack {
        /// For which part of the order.
        share: Share,
        /// How much of it.
        amount: Amount,
    },
    /// The order is over, and so much goes back of all that was paid.
    AllGoesBack(Amount),
}

impl RefusedMoney {
    /// What it is worth to the buyer, where the parcel's own letter tells.
    pub(crate) fn amount(&self) -> Option<Amount> {
        match self {
            Self::None | Self::AllGoesBack(_) => None,
            Self::NotCollected(share) => Some(share.amount()),
            Self::GoesBack { amount, .. } => Some(*amount),
        }
    }
}

/// What parcels that stand so are to an order that stood at `status`: as long as one is to be sent, nothing.
fn path(status: OrderStatus, parcels: &Parcels) -> Vec<Action> {
    let is_one = |wanted| parcels.values().any(|parcel| parcel.status == wanted);
    if is_one(ParcelStatus::ToSend) {
        return Vec::new();
    }
    if !is_one(ParcelStatus::Shipped) && !is_one(ParcelStatus::Delivered) {
        return vec![Action::Cancel];
    }
    let ships = (status == OrderStatus::Pending).then_some(Action::Ship);
    let arrives = (!is_one(ParcelStatus::Shipped)).then_some(Action::Deliver);
    ships.into_iter().chain(arrives).collect()
}

impl Order {
    /// How far each seller's parcel is.
    pub fn parcels(&self) -> Parcels {
        if let Some(parcels) = &self.parcels {
            return parcels.clone();
        }
        let status = ParcelStatus::of_a_whole(self.status);
        let parcel = Parcel { status, at: None, shipment: self.shipment.clone(), reason: None, back: None };
        self.sellers().into_iter().map(|seller| (seller.clone(), parcel.clone())).collect()
    }

    /// Which word of it this is: each that is said of it, or of a part of it, has a greater number than the one before.
    pub fn version(&self) -> u32 {
        let word = |parcel: &Parcel| match parcel.status {
            ParcelStatus::ToSend => 0,
            ParcelStatus::Shipped | ParcelStatus::Refused => 1,
            ParcelStatus::Delivered => 2,
        };
        let words: usize = self.parcels.iter().flatten().map(|(_, parcel)| word(parcel)).sum();
        u32::try_from(self.history.len() + words).unwrap_or(u32::MAX)
    }

    /// What was paid, or is to be, for this seller's lines.
    pub fn sold_by(&self, seller: &UserId) -> Amount {
        Amount::from_minor(self.lines_of(seller).map(|line| line.paid().minor()).sum())
    }

    /// What was paid for it, or is to be, without what was refused.
    pub fn sold_for(&self) -> Amount {
        Amount::from_minor(self.total.minor().saturating_sub(self.not_sent().minor()))
    }

    /// Whether it is sent in parts, since one of its sellers spoke of a parcel.
    pub fn is_in_parcels(&self) -> bool {
        self.parcels.is_some()
    }

    /// The parcel of this seller, of an order that is sent in parts.
    pub fn parcel_of(&self, seller: &UserId) -> Option<&Parcel> {
        self.parcels.as_ref()?.get(seller)
    }

    /// Why sellers do not send something, each reason once.
    pub(crate) fn refusals(&self) -> Vec<&ParcelReason> {
        let mut reasons: Vec<_> =
            self.parcels.iter().flatten().filter_map(|(_, it)| it.reason.as_ref()).collect();
        reasons.dedup();
        reasons
    }

    /// What refused parcels are worth to the buyer, of an order of which others are sent.
    pub(crate) fn not_sent(&self) -> Amount {
        let worth = self.parcels.iter().flatten().filter_map(|(_, parcel)| parcel.back);
        Amount::from_minor(worth.map(Amount::minor).sum())
    }

    /// The same order with what a refused parcel is to its money, where that is paid at the door.
    pub(crate) fn without_refused(&self, money: &RefusedMoney) -> Self {
        let RefusedMoney::NotCollected(share) = money else { return self.clone() };
        let waived = self.waived.map_or(0, Amount::minor).saturating_add(share.amount().minor());
        let waived = Some(Amount::from_minor(waived));
        Self { back: Some(self.back_with(share)), waived, ..self.clone() }
    }

    /// Whether this seller said that nothing is sent.
    pub(crate) fn is_refused_by(&self, seller: &UserId) -> bool {
        self.parcel_of(seller).is_some_and(|parcel| parcel.status == ParcelStatus::Refused)
    }

    /// Whether `person` sells something of it.
    pub fn is_of_seller(&self, person: &UserId) -> bool {
        self.lines.iter().any(|line| line.seller_id == *person)
    }

    /// Of whose parcel `caller` speaks, and in which part: sellers of their own, admins of that which they name, or of
    /// the only one.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a caller who may not see it, [`Error::NotTheirs`] for its buyer and for a seller who
    /// names another; [`Refusal::WhichSeller`] where an admin names none of several.
    pub fn parcel_told_by(&self, caller: &Caller, named: Option<&UserId>) -> Result<(UserId, Actor), Error> {
        let is_seller = self.is_of_seller(caller.id());
        let own = is_seller.then(|| caller.id()).filter(|own| named.is_none_or(|named| named == *own));
        let Some(actor) = Actor::of(own.is_some(), caller) else {
            let knows_it = is_seller || self.user_id == *caller.id();
            return Err(if knows_it { Error::NotTheirs } else { Error::NotFound });
        };
        let sellers = self.sellers();
        let only = (sellers.len() == 1).then(|| sellers[0]);
        match own.or(named).or(only) {
            Some(seller) if self.is_of_seller(seller) => Ok((seller.clone(), actor)),
            Some(_) => Err(Error::NotFound),
            None => Err(Refusal::WhichSeller.into()),
        }
    }

    /// What becomes of it when this is said of the parcels of these sellers; `None` where it was said before.
    ///
    /// # Errors
    /// The [`Refusal`] of what cannot come to pass.
    pub fn moves(&self, sellers: &[UserId], said: &ParcelSaid) -> Result<Option<Moves>, Refusal> {
        match self.status {
            OrderStatus::AwaitingPayment => return Err(Refusal::AwaitsPayment),
            OrderStatus::Cancelled => {
                let is_said = said.action() == ParcelAction::Refuse
                    && sellers.iter().all(|seller| self.is_refused_by(seller));
                return if is_said { Ok(None) } else { Err(Refusal::Cancelled) };
            }
            OrderStatus::Pending if !self.manual => return Err(Refusal::SentByShop),
            OrderStatus::Pending | OrderStatus::Shipping | OrderStatus::Delivered => {}
        }
        let mut parcels = self.parcels();
        let mut moved = Vec::new();
        for (seller, parcel) in parcels.iter_mut().filter(|(seller, _)| sellers.contains(seller)) {
            match parcel.status.on(said.action()) {
                Follows::To(status) => {
                    *parcel = said.applied_to(parcel, status);
                    moved.push(seller.clone());
                }
                Follows::Already if said.contradicts(parcel) => return Err(Refusal::ShippedOtherwise),
                Follows::Already => {}
                Follows::Refused => return Err(said.refusal(parcel.status)),
            }
        }
        let path = path(self.status, &parcels);
        Ok((!moved.is_empty()).then_some(Moves { parcels, moved, path }))
    }

    /// Of whose parcels the whole order's `progress` speaks: of those that were refused it says nothing, nor of those
    /// that were sent before.
    pub(crate) fn spoken_of(&self, progress: &Progress) -> Vec<UserId> {
        let is_meant = |status: ParcelStatus| match progress {
            Progress::Shipped(_) => status == ParcelStatus::ToSend,
            Progress::Delivered => status != ParcelStatus::Refused,
        };
        let parcels = self.parcels().into_iter().filter(|(_, parcel)| is_meant(parcel.status));
        parcels.map(|(seller, _)| seller).collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::tests;
    use proptest::prelude::*;
    use serde_json::json;
    use shared::http::input;

    pub(crate) fn seller(number: u8) -> UserId {
        UserId::from(format!("seller-{number}"))
    }

    /// An order that waits for people to send it, with a line of `Tea` for each of these sellers.
    pub(crate) fn of_sellers(sellers: &[u8]) -> Order {
        let placed = tests::placed(&vec![("Tea", 2); sellers.len()]);
        let mut item = serde_json::to_value(placed).unwrap();
        item["manual"] = json!(true);
        for (at, number) in sellers.iter().enumerate() {
            item["lines"][at]["sellerId"] = json!(seller(*number));
        }
        serde_json::from_value(item).unwrap()
    }

    /// The order as it is when parcels of it moved.
    pub(crate) fn moved(order: &Order, moves: &Moves) -> Order {
        let status = moves.leads_from(order.status).last().map_or(order.status, |(_, status)| *status);
        Order { parcels: Some(moves.parcels.clone()), status, ..order.clone() }
    }

    fn shipped(by: &str) -> ParcelSaid {
        let shipment = serde_json::from_value(json!({ "carrier": by })).unwrap();
        ParcelSaid::Shipped(Some(shipment))
    }

    fn said(order: &Order, number: u8, said: &ParcelSaid) -> Order {
        moved(order, &order.moves(&[seller(number)], said).unwrap().unwrap())
    }

    fn parse(body: &str) -> Result<ParcelProgress, Vec<String>> {
        let pointers = |problem: shared::http::problem::Problem| {
            problem.errors().iter().filter_map(|error| error.pointer.clone()).collect::<Vec<_>>()
        };
        input::parse(body.as_bytes()).map_err(pointers)
    }

    #[test]
    fn a_parcel_is_sent_and_arrives_or_is_refused_and_nothing_else() {
        let follows = |action| ParcelStatus::ALL.map(|status| status.on(action));
        let (already, refused) = (Follows::Already, Follows::Refused);
        let expected = [Follows::To(ParcelStatus::Shipped), already, already, refused];
        assert_eq!(follows(ParcelAction::Ship), expected);
        let expected = [refused, Follows::To(ParcelStatus::Delivered), already, refused];
        assert_eq!(follows(ParcelAction::Deliver), expected);
        let expected = [Follows::To(ParcelStatus::Refused), refused, refused, already];
        assert_eq!(follows(ParcelAction::Refuse), expected);
    }

    #[test]
    fn an_order_ships_with_its_last_parcel_and_arrives_when_all_have() {
        let order = of_sellers(&[1, 2]);
        let one = said(&order, 1, &shipped("DHL"));
        assert_eq!((one.status, one.is_in_parcels()), (OrderStatus::Pending, true));
        let both = said(&one, 2, &ParcelSaid::Shipped(None));
        assert_eq!(both.status, OrderStatus::Shipping);
        let first = said(&both, 2, &ParcelSaid::Delivered);
        assert_eq!(first.status, OrderStatus::Shipping);
        assert_eq!(said(&first, 1, &ParcelSaid::Delivered).status, OrderStatus::Delivered);
    }

    #[test]
    fn what_nobody_sends_is_over_and_the_rest_goes_its_way() {
        let order = of_sellers(&[1, 2]);
        let refused = ParcelSaid::Refused(None);
        let one = said(&order, 1, &refused);
        assert_eq!(one.status, OrderStatus::Pending);
        let none = one.moves(&[seller(2)], &refused).unwrap().unwrap();
        assert!(none.ends_the_order());
        assert_eq!(moved(&one, &none).status, OrderStatus::Cancelled);
        assert_eq!(said(&one, 2, &shipped("DHL")).status, OrderStatus::Shipping);
        // What had arrived already when the last one was refused is all there is.
        let arrived = said(&said(&order, 2, &shipped("DHL")), 2, &ParcelSaid::Delivered);
        let last = arrived.moves(&[seller(1)], &refused).unwrap().unwrap();
        assert_eq!(last.path, [Action::Ship, Action::Deliver]);
        assert_eq!(moved(&arrived, &last).status, OrderStatus::Delivered);
    }

    #[test]
    fn nobody_has_what_its_seller_has_refused_to_send_also_where_that_cost_nothing() {
        let order = of_sellers(&[1, 2]);
        let [one, other] = [0, 1].map(|line: usize| order.lines[line].product_id);
        let refused = said(&order, 1, &ParcelSaid::Refused(None));
        assert_eq!(refused.had(), [(one, false), (other, false)].into());
        let sent = said(&refused, 2, &shipped("DHL"));
        assert_eq!((sent.had(), sent.back()), ([(one, false), (other, true)].into(), None));
    }

    #[test]
    fn what_was_said_changes_nothing_and_what_contradicts_it_is_refused() {
        let order = of_sellers(&[1, 2]);
        let one = said(&order, 1, &shipped("DHL"));
        let again = |order: &Order, said: &ParcelSaid| order.moves(&[seller(1)], said);
        assert_eq!(again(&one, &shipped("DHL")), Ok(None));
        assert_eq!(again(&one, &ParcelSaid::Shipped(None)), Ok(None));
        assert_eq!(again(&one, &shipped("UPS")), Err(Refusal::ShippedOtherwise));
        assert_eq!(again(&one, &ParcelSaid::Refused(None)), Err(Refusal::ParcelOnItsWay));
        assert_eq!(again(&order, &ParcelSaid::Delivered), Err(Refusal::NotShipped));
        let refused = said(&order, 1, &ParcelSaid::Refused(None));
        assert_eq!(again(&refused, &ParcelSaid::Refused(None)), Ok(None));
        assert_eq!(again(&refused, &shipped("DHL")), Err(Refusal::ParcelRefused));
        let over = said(&refused, 2, &ParcelSaid::Refused(None));
        assert_eq!(again(&over, &ParcelSaid::Refused(None)), Ok(None));
        assert_eq!(again(&over, &shipped("DHL")), Err(Refusal::Cancelled));
    }

    #[test]
    fn a_part_of_what_the_shop_sends_or_nobody_has_paid_is_not_sent() {
        let order = of_sellers(&[1, 2]);
        let shop = Order { manual: false, ..order.clone() };
        assert_eq!(shop.moves(&[seller(1)], &shipped("DHL")), Err(Refusal::SentByShop));
        let unpaid = Order { status: OrderStatus::AwaitingPayment, ..order.clone() };
        assert_eq!(unpaid.moves(&[seller(1)], &shipped("DHL")), Err(Refusal::AwaitsPayment));
        let cancelled = Order { status: OrderStatus::Cancelled, ..order };
        assert_eq!(cancelled.moves(&[seller(1)], &shipped("DHL")), Err(Refusal::Cancelled));
        // Once the shop has sent it, a part of it can arrive.
        let sent = Order { status: OrderStatus::Shipping, ..shop };
        let one = said(&sent, 1, &ParcelSaid::Delivered);
        assert_eq!(one.parcel_of(&seller(2)).unwrap().status, ParcelStatus::Shipped);
        assert_eq!(said(&one, 2, &ParcelSaid::Delivered).status, OrderStatus::Delivered);
    }

    #[test]
    fn an_admin_speaks_of_all_parcels_that_it_can_be_said_of() {
        let one = said(&of_sellers(&[1, 2, 3]), 1, &ParcelSaid::Refused(None));
        let two = said(&one, 2, &shipped("DHL"));
        assert_eq!(two.spoken_of(&Progress::Shipped(None)), [seller(3)]);
        assert_eq!(two.spoken_of(&Progress::Delivered), [seller(2), seller(3)]);
        let not_yet = two.moves(&two.spoken_of(&Progress::Delivered), &ParcelSaid::Delivered);
        assert_eq!(not_yet, Err(Refusal::NotShipped));
    }

    #[test]
    fn sellers_speak_of_their_own_parcel_and_admins_of_one_they_name() {
        let order = of_sellers(&[1, 2]);
        let caller = |name: &str| Caller::for_tests(name);
        let of = |caller: &Caller, named: Option<u8>| {
            order
                .parcel_told_by(caller, named.map(seller).as_ref())
                .map(|(seller, actor)| (seller, actor.part))
        };
        assert_eq!(of(&caller("seller-1"), None).unwrap(), (seller(1), crate::Part::Seller));
        assert_eq!(of(&caller("seller-1"), Some(1)).unwrap().0, seller(1));
        assert!(matches!(of(&caller("seller-1"), Some(2)), Err(Error::NotTheirs)));
        assert!(matches!(of(&caller("ann"), None), Err(Error::NotTheirs)), "its buyer");
        assert!(matches!(of(&caller("eve"), Some(1)), Err(Error::NotFound)));
    }

    #[test]
    fn a_parcel_is_told_of_with_as_much_as_is_known() {
        let delivered = ParcelProgress { said: ParcelSaid::Delivered, seller: None };
        assert_eq!(parse(r#"{"status":"delivered"}"#), Ok(delivered));
        let of_another = parse(r#"{"status":"shipped","carrier":"DHL","sellerId":"seller-2"}"#).unwrap();
        assert_eq!(of_another, ParcelProgress { said: shipped("DHL"), seller: Some(seller(2)) });
        for (body, pointers) in [
            ("{}", vec!["#/status"]),
            (r#"{"status":"sent"}"#, vec!["#/status"]),
            (r#"{"status":"shipped","carrier":"","sellerId":"a b"}"#, vec!["#/carrier", "#/sellerId"]),
            (r#"{"status":"shipped","trackingUrl":"http://a.example"}"#, vec!["#/trackingUrl"]),
            (r#"{"status":"delivered","carrier":"DHL"}"#, vec!["#/carrier"]),
            (r#"{"status":"delivered","reason":"Why?"}"#, vec!["#/reason"]),
            (r#"{"status":"refused","carrier":"DHL","reason":""}"#, vec!["#/carrier", "#/reason"]),
        ] {
            let mut found = parse(body).unwrap_err();
            found.sort_unstable();
            assert_eq!(found, pointers, "{body}");
        }
    }

    fn words() -> impl Strategy<Value = (u8, ParcelSaid)> {
        let said = prop::sample::select(vec![
            ParcelSaid::Shipped(None),
            ParcelSaid::Delivered,
            ParcelSaid::Refused(None),
        ]);
        (0..4_u8, said)
    }

    proptest! {
        #[test]
        fn whatever_sellers_say_the_order_stands_as_its_parcels_do(
            sellers in 1..4_u8, words in prop::collection::vec(words(), 0..20),
        ) {
            let mut order = of_sellers(&(0..sellers).collect::<Vec<_>>());
            for (number, said) in words {
                let Ok(Some(moves)) = order.moves(&[seller(number % sellers)], &said) else { continue };
                // No step of the order is left out.
                prop_assert_eq!(moves.leads_from(order.status).len(), moves.path.len());
                order = moved(&order, &moves);
                let count = |wanted| order.parcels().values().filter(|parcel| parcel.status == wanted).count();
                let (open, refused) = (count(ParcelStatus::ToSend), count(ParcelStatus::Refused));
                let expected = if open > 0 {
                    OrderStatus::Pending
                } else if refused == usize::from(sellers) {
                    OrderStatus::Cancelled
                } else if count(ParcelStatus::Shipped) > 0 {
                    OrderStatus::Shipping
                } else {
                    OrderStatus::Delivered
                };
                prop_assert_eq!(order.status, expected);
            }
        }
    }
}
