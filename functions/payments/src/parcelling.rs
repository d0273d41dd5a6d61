//! Saying what became of a seller's parcel. What is refused is paid back in the transaction that says so, or is not
//! paid at the door.

use anyhow::Context;
use orders::parcels::ParcelSaid;
use orders::store::Told;
use orders::{Actor, Moves, Order, OrderId, Orders, ParcelProgress, RefusedMoney, SellerOrderView};
use shared::caller::{Caller, UserId};
use shared::dynamo::{Write, Written};
use shared::http::problem::{Busy, Problem};
use shared::letters::EmailQueue;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::run::telemetry;
use shared::values::money::Amount;
use shared::values::time::Timestamp;

use crate::attempt::Payment;
use crate::ids::{PaymentId, Shop};
use crate::refunding::{NoRefund, RefundQueue, amount_of};
use crate::refunds::{Refund, RefundWhy};
use crate::store::Payments;

/// How often a parcel is looked at anew because its order or payment moved meanwhile.
const TRIES: u32 = 8;

/// Telling what became of parcels.
#[derive(Debug, Clone)]
pub struct Parcelling {
    payments: Payments,
    shop: Shop,
    refunds: RefundQueue,
    emails: EmailQueue,
}

impl FromEnv for Parcelling {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            payments: Payments::from_env(aws)?,
            shop: config::required("SHOP_NAME")?,
            refunds: RefundQueue::from_env(aws)?,
            emails: EmailQueue::from_env(aws)?,
        })
    }
}

/// What a refused parcel is to the money of its order, and what is to be asked back of the payment that counts. Of an
/// order of which nothing is sent that is all that may go back; of others what was paid for the parcel, or what is left
/// of it.
///
/// # Errors
/// [`NoRefund::Disputed`] as long as a bank decides about the money.
pub fn refused_money(
    order: &Order,
    moves: &Moves,
    seller: &UserId,
    payment: Option<&Payment>,
    by: &Actor,
    now: Timestamp,
) -> Result<(RefusedMoney, Option<Refund>), NoRefund> {
    let by = by.person().map(ToString::to_string);
    let share = || order.share_of_parcel(seller).map_err(NoRefund::NotBack);
    let (Some(paying), Some(payment)) = (order.payment(), payment) else {
        let is_collected = order.is_paid_at_the_door() && !moves.ends_the_order();
        let money = if is_collected { RefusedMoney::NotCollected(share()?) } else { RefusedMoney::None };
        return Ok((money, None));
    };
    let asked = |amount: Amount, why| {
        let intent = payment.intent_id.clone().filter(|_| amount != Amount::ZERO);
        intent.map(|intent| Refund::requested(payment, intent, amount, why, by.clone(), now))
    };
    if moves.ends_the_order() {
        let amount = paying.goes_back().min(payment.refundable);
        let refund = asked(amount, RefundWhy::Cancelled);
        let amount = refund.as_ref().map_or(Amount::ZERO, Refund::amount);
        return Ok((RefusedMoney::AllGoesBack(amount), refund));
    }
    let left = match amount_of(payment, None) {
        Ok(left) => left,
        Err(NoRefund::Nothing) => return Ok((RefusedMoney::None, None)),
        // The bank has decided that its buyer has the money.
        Err(NoRefund::Disputed) if order.is_charged_back() => return Ok((RefusedMoney::None, None)),
        Err(refused) => return Err(refused),
    };
    let share = share()?;
    let amount = share.amount().min(left);
    Ok(match asked(amount, RefundWhy::Refused) {
        None => (RefusedMoney::None, None),
        Some(refund) => {
            let refund = refund.of_share(Some(share.clone()));
            (RefusedMoney::GoesBack { share, amount }, Some(refund))
        }
    })
}

impl Parcelling {
    fn orders(&self) -> &Orders {
        self.payments.orders()
    }

    fn collect(
        &self,
        now: Timestamp,
    ) -> impl Fn(&Order, &mut Write) -> anyhow::Result<PaymentId> + Send + Sync {
        move |order: &Order, write: &mut Write| {
            self.payments.collect(order, &self.shop, write, order.moment(now))
        }
    }

    /// Moves a parcel on as its seller or an admin says, and with the last one the order; writes down what was paid at
    /// the door, pays back what was refused, and queues the email that tells the buyer. Gives what the seller sees of
    /// it.
    ///
    /// Safe to repeat: the parcel moves once, with it money and pieces come back once, and its email goes out once.
    ///
    /// # Errors
    /// Those of [`Orders::progress_parcel`], and what is in the way of paying back.
    pub async fn tell(
        &self,
        caller: &Caller,
        id: OrderId,
        progress: &ParcelProgress,
        now: Timestamp,
    ) -> Result<SellerOrderView, Problem> {
        let told = match progress.said {
            ParcelSaid::Refused(_) => self.refuse(caller, id, progress, now).await?,
            ParcelSaid::Shipped(_) | ParcelSaid::Delivered => {
                self.orders().progress_parcel(caller, id, progress, &self.collect(now), now).await?
            }
        };
        if told.is_new {
            tracing::info!(order_id = %id, status = %told.order.status(), "parcel moved on");
            telemetry::count("ParcelMoved", 1);
        }
        if let Some(letter) = told.letter() {
            self.emails.send_or_leave(&letter).await;
        }
        let seller = told.seller.as_ref().unwrap_or_else(|| told.order.lines()[0].seller());
        Ok(told.order.seen_by_seller(seller).context("whoever moved a parcel sees it")?)
    }

    async fn refuse(
        &self,
        caller: &Caller,
        id: OrderId,
        progress: &ParcelProgress,
        now: Timestamp,
    ) -> Result<Told, Problem> {
        let mut order = self.orders().find(id).await?.ok_or(orders::Error::NotFound)?;
        let (seller, actor) = order.parcel_told_by(caller, progress.seller.as_ref())?;
        for _ in 0..TRIES {
            let moves = order.moves(std::slice::from_ref(&seller), &progress.said)?;
            let Some(moves) = moves else {
                return Ok(Told { order, seller: Some(seller), is_new: false });
            };
            let payment = match order.payment() {
                None => None,
                Some(paying) => self.payments.find(paying.payment_id).await?,
            };
            let now = order.moment(now);
            let (money, refund) = refused_money(&order, &moves, &seller, payment.as_ref(), &actor, now)?;
            let collect = self.collect(now);
            let asked = (&money, refund.as_ref());
            let written = self.payments.refuse_parcel(&order, &moves, asked, (&actor, &collect), now).await?;
            match written {
                Written::Refused(found) => order = found,
                Written::Done(()) => {
                    tracing::info!(order_id = %id, "parcel refused");
                    if let Some(refund) = &refund {
                        self.refunds.send_or_leave(refund).await;
                    }
                    let order = self.orders().find(id).await?.ok_or(orders::Error::NotFound)?;
                    return Ok(Told { order, seller: Some(seller), is_new: true });
                }
            }
        }
        Err(anyhow::Error::new(Busy).context("refuse a parcel").into())
    }
}
