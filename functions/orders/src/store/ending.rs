//! How an order ends before it ships: its stock and the use of its coupon come back, once.

use std::fmt;

use offers::Offers;
use promotions::Redemption;
use shared::caller::{Caller, UserId};
use shared::dynamo::{Write, Written};
use shared::values::money::Amount;
use shared::values::time::Timestamp;
use users::CurrentAdmin;

use super::paying::{as_read, nobody_tried_again};
use super::{Besides, Orders, existing, without_refused};
use crate::purchase::UsedCoupon;
use crate::workflow::Released;
use crate::{Action, Actor, Error, Line, Order, OrderId, Refusal, Transition};

/// What is written in the transaction that ends an order, besides what the order is: each time anew, since it may be
/// tried several times.
pub type Also<'a> = &'a (dyn Fn(&mut Write) -> anyhow::Result<()> + Send + Sync);

/// How an order is to end.
#[derive(Clone, Copy)]
pub struct Ending<'a> {
    actor: &'a Actor,
    money: Money,
    also: Also<'a>,
}

/// What of an order's money its end depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Money {
    /// It is paid at the door, or not at all.
    None,
    /// So much of it goes back.
    GoesBack(Amount),
    /// No attempt can take any.
    NeverCame,
}

impl fmt::Debug for Ending<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ending")
            .field("actor", self.actor)
            .field("money", &self.money)
            .finish_non_exhaustive()
    }
}

impl<'a> Ending<'a> {
    /// Of an order that is paid at the door, or not at all.
    pub fn without_money(actor: &'a Actor) -> Self {
        Self { actor, money: Money::None, also: &|_| Ok(()) }
    }

    /// Of a pending order, as it was read: so much of its money goes back, which `also` asks for.
    pub fn of_a_paid_one(actor: &'a Actor, goes_back: Amount, also: Also<'a>) -> Self {
        Self { actor, money: Money::GoesBack(goes_back), also }
    }

    /// Of an order, as it was read, none of whose attempts can take money any more, of which `also` makes sure.
    pub fn of_an_unpaid_one(actor: &'a Actor, also: Also<'a>) -> Self {
        Self { actor, money: Money::NeverCame, also }
    }

    /// Whether it is the workflow's, and a person ships the order.
    fn is_kept_from(&self, order: &Order) -> bool {
        order.manual && *self.actor == Actor::WORKFLOW && self.action() == Action::Cancel
    }

    fn action(&self) -> Action {
        match self.money {
            Money::None | Money::GoesBack(_) => Action::Cancel,
            Money::NeverCame => Action::Expire,
        }
    }

    /// Why an order, as it is, did not end at `now`.
    fn refused(&self, found: &Order, now: Timestamp) -> Refused {
        match found.status.on(self.action()) {
            Transition::Already => Refused::For(Ended::Already),
            Transition::Refused => Refused::For(Ended::OnItsWay),
            Transition::Unsettled => Refused::For(Ended::Unsettled),
            Transition::To(_) if self.is_kept_from(found) => Refused::For(Ended::Waits),
            // A part of it is, or is not sent: the rest is its sellers' to refuse.
            Transition::To(_) if found.is_in_parcels() => Refused::For(Ended::OnItsWay),
            Transition::To(_) => match found.next_moment(now) {
                Ok(moment) => Refused::Until(moment),
                // It is not about the time, and so about the money.
                Err(_) => Refused::For(Ended::Moved),
            },
        }
    }

    fn besides(&self, order: &Order) -> anyhow::Result<Besides> {
        match (self.money, &order.payment) {
            (Money::None, None) => Ok(Besides::default()),
            (Money::GoesBack(amount), Some(payment)) => as_read(payment, amount),
            (Money::NeverCame, Some(payment)) => Ok(nobody_tried_again(payment)),
            (Money::None, Some(_)) => anyhow::bail!("an order whose money is the provider's ends with it"),
            (Money::GoesBack(_) | Money::NeverCame, None) => {
                anyhow::bail!("no provider has money of the order")
            }
        }
    }
}

/// What became of an order that was to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It is over now.
    Now,
    /// It was over before.
    Already,
    /// It is on its way.
    OnItsWay,
    /// A person ships it, who alone gives it up.
    Waits,
    /// The provider of payments is to be asked first.
    Unsettled,
    /// Its money, or what was to be written with it, is not as it was read: look again.
    Moved,
}

/// Why an order did not end.
enum Refused {
    /// For good, or until somebody has looked again.
    For(Ended),
    /// It can end at this moment, which is after what happened last.
    Until(Timestamp),
}

impl Orders {
    /// Ends an order and gives its stock and the use of its coupon back, in one transaction whose condition lets it
    /// happen once. The workflow does not cancel what waits for a person.
    ///
    /// Of `order`, as it was read, what never changes is believed, its id, its lines and its coupon; of its money the
    /// transaction makes sure.
    ///
    /// # Errors
    /// When there is no such order or the tables cannot be written.
    pub async fn end(&self, order: &Order, ending: Ending<'_>, now: Timestamp) -> anyhow::Result<Ended> {
        let (mut lines, mut now): (Vec<&Line>, _) = (order.lines.iter().collect(), now);
        let mut coupon = order.coupon.clone();
        loop {
            let (action, besides) = (ending.action(), ending.besides(order)?);
            let mut write = Write::new();
            let own = write.update(self.transition(order.order_id, action, ending.actor, besides, now)?);
            let parts = self.for_each(&lines, &mut write, Offers::release)?;
            let given_back = self.give_back(coupon.as_ref(), order.customer(), &mut write)?;
            if !ending.is_kept_from(order) {
                self.close_for_sellers(order, &mut write)?;
            }
            (ending.also)(&mut write)?;
            let Written::Refused(mut found) = write.commit(&self.client).await? else {
                return Ok(Ended::Now);
            };
            if let Some(found) = found.take(own) {
                match ending.refused(&existing(found)?, now) {
                    Refused::For(ended) => return Ok(ended),
                    Refused::Until(moment) => now = moment,
                }
                continue;
            }
            let before = (lines.len(), coupon.clone());
            lines = without_refused(parts, &found);
            coupon = coupon.map(|coupon| coupon.without(given_back.gone(&found)));
            if before == (lines.len(), coupon.clone()) {
                return Ok(Ended::Moved);
            }
        }
    }

    /// Cancels a pending order that is paid at the door, or not at all.
    ///
    /// # Errors
    /// Those of [`Orders::end`].
    pub async fn release(&self, order: &Order, actor: &Actor, now: Timestamp) -> anyhow::Result<Released> {
        Ok(match self.end(order, Ending::without_money(actor), now).await? {
            Ended::Now => Released::Released,
            Ended::Already => Released::AlreadyCancelled,
            Ended::OnItsWay => Released::AlreadyShipping,
            Ended::Waits => Released::Waits,
            Ended::Unsettled | Ended::Moved => {
                anyhow::bail!("the order can be cancelled and its condition failed")
            }
        })
    }

    /// Gives what an order counted of its coupon back.
    pub(super) fn give_back(
        &self,
        coupon: Option<&UsedCoupon>,
        customer: &UserId,
        write: &mut Write,
    ) -> anyhow::Result<Redemption> {
        let Some(UsedCoupon { code, counted, .. }) = coupon else { return Ok(Redemption::default()) };
        self.prices.coupons.give_back(write, code, customer, *counted)
    }

    /// Cancels an order for the shop that is paid at the door, or not at all.
    ///
    /// # Errors
    /// [`Error::NotFound`], or [`Refusal::NotCancellable`] when it is on its way.
    pub async fn withdraw(&self, admin: &CurrentAdmin, id: OrderId, now: Timestamp) -> Result<Order, Error> {
        let order = self.find(id).await?.ok_or(Error::NotFound)?;
        self.cancel_as(order, &Actor::admin(admin), now).await
    }

    /// Cancels an order for its buyer that is paid at the door, or not at all.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is not the buyer's, [`Refusal::NotCancellable`] when it is on its way.
    pub async fn cancel(&self, buyer: &Caller, id: OrderId, now: Timestamp) -> Result<Order, Error> {
        self.cancel_as(self.find_of(buyer, id).await?, &Actor::BUYER, now).await
    }

    /// Cancels an order that is paid at the door, or not at all.
    ///
    /// # Errors
    /// [`Refusal::NotCancellable`] when it is on its way.
    pub async fn cancel_as(&self, order: Order, actor: &Actor, now: Timestamp) -> Result<Order, Error> {
        if order.status.on(Action::Cancel) == Transition::Already {
            return Ok(order);
        }
        match self.release(&order, actor, now).await? {
            Released::Released | Released::AlreadyCancelled => {
                self.find(order.order_id).await?.ok_or(Error::NotFound)
            }
            Released::AlreadyShipping | Released::Waits => Err(Refusal::NotCancellable.into()),
        }
    }
}
