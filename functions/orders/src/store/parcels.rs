//! What sellers have of orders, and parcels that move. The order's item is the lock: its parcels change as a whole, on
//! the condition that they are as they were read, in one transaction with what their sellers have of it.

use std::collections::{HashMap, HashSet};

use anyhow::Context;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Put, ReturnValue, Update};
use offers::Offers;
use serde::Serialize;
use shared::caller::{Caller, UserId};
use shared::dynamo::list::Sort::{Ascending, Descending};
use shared::dynamo::list::{Cursors, List, Page, PageRequest};
use shared::dynamo::{
    self, Consistency, Item, KeptItems, Read, Stretch, Write, Written, minor, number, read_each, text,
    to_item, update_item,
};
use shared::http::problem::{Busy, Problem};
use shared::letters::Queued;
use shared::values::money::Amount;
use shared::values::time::Timestamp;

use super::ending::Also;
use super::paying::{as_back_was_read, as_read};
use super::{Besides, Collect, Orders, due_shard, existing, without_refused};
use crate::letters::ParcelLetterKind;
use crate::parcels::{Moves, ParcelSaid, ParcelStatus, RefusedMoney};
use crate::selling::{DUE, DueParcel, ParcelName, SellerEntry, SellerOrderView, SellerStatus};
use crate::{
    Action, Actor, Error, GRACE, HistoryEntry, LetterKind, Line, Order, OrderId, OrderStatus, ParcelProgress,
    Progress,
};

const OF_SELLER: List =
    List { index: None, partition: "sellerId", sort: Descending("orderId"), key: "sellerId" };

/// Whoever has waited longest is sent to first.
const TO_SEND: List =
    List { index: Some("open"), partition: "open", sort: Ascending("orderId"), key: "sellerId" };

/// How often parcels are looked at anew because others of their order moved meanwhile.
const TRIES: u32 = 8;

/// As many as one run of the sweep queues well within its timeout; the next run takes the rest.
const BATCH: i32 = 50;

/// What was said of an order or of a part of it, and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// The order, as it is then.
    pub order: Order,
    /// Of whose parcel, where not of the whole order.
    pub seller: Option<UserId>,
    /// Whether it was not said before.
    pub is_new: bool,
}

impl Told {
    /// The letter that tells the buyer, where one does. What was said before may have been told with the whole order;
    /// and if its own letter did not go out, that is swept up.
    pub fn letter(&self) -> Option<Queued> {
        let id = self.order.id();
        let of_order = match self.order.status() {
            OrderStatus::Shipping if self.seller.is_none() => Some(LetterKind::Shipping),
            OrderStatus::Delivered => Some(LetterKind::Delivered),
            OrderStatus::Cancelled => Some(LetterKind::Cancelled),
            OrderStatus::AwaitingPayment | OrderStatus::Pending | OrderStatus::Shipping => None,
        };
        let of_order = of_order.map(|kind| Queued::new(kind, id));
        let of_parcel = || {
            let seller_id = self.seller.clone().filter(|_| self.is_new)?;
            let kind = ParcelLetterKind::of(self.order.parcel_of(&seller_id)?.status)?;
            Some(Queued::new(kind, ParcelName { order_id: id, seller_id }))
        };
        of_order.or_else(of_parcel)
    }
}

/// Which letter tells the buyer that parcels moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ToldBy {
    /// One for each of them.
    Parcel,
    /// One for the order.
    Order,
}

impl Orders {
    /// A page of what this seller has of orders, newest first, or of those that are in one status. What was never paid
    /// is left out, and a page may be shorter for it. Two calls.
    ///
    /// # Errors
    /// `invalid-input` for a cursor of another list.
    pub async fn list_of_seller(
        &self,
        seller: &UserId,
        status: Option<SellerStatus>,
        cursors: &Cursors,
        request: &PageRequest,
    ) -> Result<Page<SellerOrderView>, Problem> {
        let list = if status == Some(SellerStatus::ToSend) { TO_SEND } else { OF_SELLER };
        let of = seller.to_string();
        let page: Page<SellerEntry> =
            cursors.page(&self.client, &self.of_sellers, list, &of, request).await?;
        let ids: HashSet<OrderId> = page.entries.iter().map(|entry| entry.order_id).collect();
        // What has moved on since the index was written is seen to.
        let read = Read::new().of(&self.table, "orderId", ids, Consistency::Strong)?;
        let mut found = read.fetch(&self.client).await.context("read a seller's orders")?;
        let orders: Vec<Order> = read_each(found.take(&self.table), "orderId");
        let orders: HashMap<OrderId, Order> =
            orders.into_iter().map(|order| (order.order_id, order)).collect();
        let seen = |entry: SellerEntry| orders.get(&entry.order_id)?.seen_by_seller(seller);
        let is_wanted = |view: &SellerOrderView| status.is_none_or(|status| status == view.status());
        let entries = page.entries.into_iter().filter_map(seen).filter(is_wanted).collect();
        Ok(Page { entries, next_cursor: page.next_cursor })
    }

    /// A stretch of what a seller has of orders, as it is kept.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn kept_of_seller(&self, seller: &UserId, stretch: Stretch) -> anyhow::Result<KeptItems> {
        OF_SELLER.kept(&self.client, &self.of_sellers, seller, stretch).await
    }

    /// What this seller has of an order.
    ///
    /// # Errors
    /// [`Error::NotFound`] also where nothing in it is the seller's, or it was never paid.
    pub async fn find_of_seller(&self, seller: &UserId, id: OrderId) -> Result<SellerOrderView, Error> {
        let order = self.find(id).await?;
        order.and_then(|order| order.seen_by_seller(seller)).ok_or(Error::NotFound)
    }

    /// Moves a parcel on as its seller or an admin says. The only one of an order is the order.
    ///
    /// Safe to repeat: each parcel moves once, under the condition that all of them are as they were read; and where
    /// they are not, it is decided anew by how they stood.
    ///
    /// # Errors
    /// Those of [`Order::parcel_told_by`] and [`Order::moves`].
    pub async fn progress_parcel(
        &self,
        caller: &Caller,
        id: OrderId,
        progress: &ParcelProgress,
        collect: Collect<'_>,
        now: Timestamp,
    ) -> Result<Told, Error> {
        let order = self.find(id).await?.ok_or(Error::NotFound)?;
        let (seller, actor) = order.parcel_told_by(caller, progress.seller.as_ref())?;
        let is_whole = order.sellers().len() == 1;
        if let Some(whole) = progress.said.of_the_whole().filter(|_| is_whole) {
            let (order, is_new) = self.progress_whole(order, &actor, &whole, collect, now).await?;
            return Ok(Told { order, seller: None, is_new });
        }
        let whose = [seller];
        let of_these = |_: &Order| whose.to_vec();
        let said = (&progress.said, ToldBy::Parcel);
        let (order, is_new) = self.move_parcels(order, &of_these, said, (&actor, collect), now).await?;
        let [seller] = whose;
        Ok(Told { order, seller: Some(seller), is_new })
    }

    /// Moves all parcels of an order on of which that is to be said, with one letter.
    pub(super) async fn progress_all(
        &self,
        order: Order,
        actor: &Actor,
        progress: &Progress,
        collect: Collect<'_>,
        now: Timestamp,
    ) -> Result<(Order, bool), Error> {
        let said = match progress {
            Progress::Shipped(shipment) => ParcelSaid::Shipped(shipment.clone()),
            Progress::Delivered => ParcelSaid::Delivered,
        };
        let spoken_of = |order: &Order| order.spoken_of(progress);
        self.move_parcels(order, &spoken_of, (&said, ToldBy::Order), (actor, collect), now).await
    }

    /// How parcels move is guessed by the order as it was read, and corrected by how it stood.
    async fn move_parcels(
        &self,
        mut order: Order,
        whose: &(dyn Fn(&Order) -> Vec<UserId> + Sync),
        (said, told_by): (&ParcelSaid, ToldBy),
        (actor, collect): (&Actor, Collect<'_>),
        now: Timestamp,
    ) -> Result<(Order, bool), Error> {
        for _ in 0..TRIES {
            let Some(moves) = order.moves(&whose(&order), said)? else { return Ok((order, false)) };
            match self.moved(&order, &moves, (told_by, None), (actor, collect), now).await? {
                Written::Done(()) => {
                    let moved = self.find(order.order_id).await?;
                    return Ok((moved.context("there is no such order")?, true));
                }
                Written::Refused(found) => order = existing(found)?,
            }
        }
        Err(anyhow::Error::new(Busy).context("move parcels on").into())
    }

    /// Writes that a seller does not send a parcel of an order, as it was read: its pieces and, where nothing else is
    /// sent, the use of the order's coupon come back, and with `also` its money. Refused, it gives the order as it
    /// stood, or as it is where something else of it is not as it was read.
    ///
    /// Safe to repeat: the parcel moves once, and only with it does anything come back.
    ///
    /// # Errors
    /// When there is no such order or the tables cannot be written.
    pub async fn refuse_parcel(
        &self,
        order: &Order,
        moves: &Moves,
        (money, also): (&RefusedMoney, Also<'_>),
        (actor, collect): (&Actor, Collect<'_>),
        now: Timestamp,
    ) -> anyhow::Result<Written<(), Order>> {
        let (moves, refused) = (moves.worth(money.amount()), Some((money, also)));
        match self.moved(order, &moves, (ToldBy::Parcel, refused), (actor, collect), now).await? {
            Written::Done(()) => Ok(Written::Done(())),
            Written::Refused(found) => existing(found).map(Written::Refused),
        }
    }

    /// Writes it, or gives the order as it stood.
    async fn moved(
        &self,
        order: &Order,
        moves: &Moves,
        (told_by, refused): (ToldBy, Option<(&RefusedMoney, Also<'_>)>),
        (actor, collect): (&Actor, Collect<'_>),
        now: Timestamp,
    ) -> anyhow::Result<Written<(), Item>> {
        let now = order.moment(now);
        let moves = &moves.said_at(now);
        let money = refused.map(|(money, _)| money);
        let goes_back = moves.moved.iter().filter(|_| refused.is_some());
        let mut lines: Vec<&Line> = goes_back.flat_map(|seller| order.lines_of(seller)).collect();
        let mut coupon = order.coupon.clone().filter(|_| moves.ends_the_order());
        loop {
            let mut write = Write::new();
            // What is refused with the last word is not paid.
            let paid = money.map_or_else(|| order.clone(), |money| order.without_refused(money));
            let arrives = moves.path.contains(&Action::Deliver) && paid.is_paid_at_the_door();
            let is_paid = arrives && paid.due_amount() != Amount::ZERO;
            let payment = if is_paid { Some(collect(&paid, &mut write)?) } else { None };
            let collected = payment.map(|payment| Besides::collected(&paid, payment)).transpose()?;
            let own = self.parcels_become(order, moves, (told_by, money), (actor, collected), now)?;
            let own = write.update(own);
            for part in self.parts_moved(order, moves, told_by, now)? {
                write.put(part);
            }
            let parts = self.for_each(&lines, &mut write, Offers::release)?;
            let given_back = self.give_back(coupon.as_ref(), order.customer(), &mut write)?;
            if let Some((_, also)) = refused {
                also(&mut write)?;
            }
            let Written::Refused(mut found) = write.commit(&self.client).await? else {
                return Ok(Written::Done(()));
            };
            let stood = found.take(own);
            let before = (lines.len(), coupon.clone());
            lines = without_refused(parts, &found);
            coupon = coupon.map(|coupon| coupon.without(given_back.gone(&found)));
            if stood.is_some() || before == (lines.len(), coupon.clone()) {
                let found = match stood {
                    Some(found) => Some(found),
                    None => self.item(order.order_id).await?,
                };
                return found.map(Written::Refused).context("there is no such order");
            }
        }
    }

    /// What sellers have of an order whose parcels moved.
    fn parts_moved(
        &self,
        order: &Order,
        moves: &Moves,
        told_by: ToldBy,
        now: Timestamp,
    ) -> anyhow::Result<Vec<Put>> {
        let part = |seller: &UserId| {
            let parcel = moves.parcels.get(seller).context("a parcel that moved is one")?.clone();
            let is_owed = told_by == ToldBy::Parcel
                && !moves.ends_the_order()
                && ParcelLetterKind::of(parcel.status).is_some();
            self.of_seller(&order.part_of(seller, Some(parcel), is_owed.then_some(now + GRACE)))
        };
        moves.moved.iter().map(part).collect()
    }

    /// That an order's parcels are what they become, and the order what that is to it, if both are as they were read.
    fn parcels_become(
        &self,
        order: &Order,
        moves: &Moves,
        (told_by, money): (ToldBy, Option<&RefusedMoney>),
        (actor, collected): (&Actor, Option<Besides>),
        now: Timestamp,
    ) -> anyhow::Result<Update> {
        let mut update = Update::builder()
            .table_name(&self.table)
            .key("orderId", text(&order.order_id))
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":status", text(order.status.as_str()))
            .expression_attribute_values(":parcels", value(&moves.parcels)?);
        let (mut set, mut removed) = (String::from("parcels = :parcels"), String::new());
        let mut when = match &order.parcels {
            None => "#status = :status AND attribute_not_exists(parcels)".to_owned(),
            Some(parcels) => {
                update = update.expression_attribute_values(":read", value(parcels)?);
                "#status = :status AND parcels = :read".to_owned()
            }
        };
        if let Some(besides) = collected {
            set.push_str(besides.set);
            when.push_str(besides.when);
            update = besides.named_in(update);
        }
        update = match money {
            None | Some(RefusedMoney::None) => update,
            Some(RefusedMoney::AllGoesBack(amount)) => {
                let payment = order.payment.as_ref().context("what was paid has a payment")?;
                let besides = as_read(payment, *amount)?;
                set.push_str(besides.set);
                when.push_str(besides.when);
                besides.named_in(update)
            }
            Some(RefusedMoney::NotCollected(_) | RefusedMoney::GoesBack { .. }) => {
                let (update, is_as_read) = as_back_was_read(update, order);
                when.push_str(" AND ");
                when.push_str(is_as_read);
                set.push_str(", #back = :back");
                given_back(update, order, money, &mut set)?
            }
        };
        let steps = moves.leads_from(order.status);
        if let Some((_, to)) = steps.last() {
            update = self
                .moved_on(update, order, &steps, actor, now)?
                .expression_attribute_values(":to", text(to.as_str()));
            set.push_str(
                ", #status = :to, updatedAt = :now, attempts = :none, history = list_append(history, :entries)",
            );
            when.push_str(" AND updatedAt < :now");
            removed.push_str(" REMOVE #open");
            // Each parcel owes its own letter that it is on its way.
            if *to == OrderStatus::Shipping && told_by == ToldBy::Parcel {
                removed.push_str(", due, dueAt");
            } else {
                set.push_str(", due = :shard, dueAt = :due");
                update = update
                    .expression_attribute_values(":shard", text(&due_shard(order.order_id)))
                    .expression_attribute_values(":due", text(&(now + GRACE)));
            }
        }
        update
            .update_expression(format!("SET {set}{removed}"))
            .condition_expression(when)
            .build()
            .context("move an order's parcels on")
    }

    /// What an update that moves an order on through these steps says besides.
    fn moved_on(
        &self,
        update: UpdateBuilder,
        order: &Order,
        steps: &[(Action, OrderStatus)],
        actor: &Actor,
        now: Timestamp,
    ) -> anyhow::Result<UpdateBuilder> {
        let entry = |(action, status): &(Action, OrderStatus)| {
            let (by, reason) = (Some(actor.clone()), actor.reason(*action));
            to_item(&HistoryEntry { status: *status, at: now, reason, by }).map(AttributeValue::M)
        };
        anyhow::ensure!(!steps.is_empty() && order.updated_at < now, "it is said after what happened last");
        let entries = steps.iter().map(entry).collect::<Result<_, _>>()?;
        Ok(update
            .expression_attribute_names("#open", "open")
            .expression_attribute_values(":now", text(&now))
            .expression_attribute_values(":none", number(0))
            .expression_attribute_values(":entries", AttributeValue::L(entries)))
    }

    /// Adds to what ends an order, or sends it as a whole, that none of its sellers has anything to send any more,
    /// where they had.
    pub(super) fn close_for_sellers(&self, order: &Order, write: &mut Write) -> anyhow::Result<()> {
        if order.manual {
            for part in order.closed_for_sellers() {
                write.put(self.of_seller(&part)?);
            }
        }
        Ok(())
    }

    /// At most 50 parcels of which a letter has fallen due by `now`, longest due first.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub(crate) async fn due_parcels(&self, now: Timestamp) -> anyhow::Result<Vec<DueParcel>> {
        dynamo::due(&self.client, (&self.of_sellers, "orderId"), DUE, now, BATCH).await
    }

    /// Puts off a due parcel to its next look. False where another sweep or the parcel's progress was faster.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub(crate) async fn put_off_parcel(&self, due: &DueParcel, now: Timestamp) -> anyhow::Result<bool> {
        let update = self
            .parcel(&due.name(), due.parcel.status)
            .update_expression("SET dueAt = :next, attempts = :attempts")
            .condition_expression("dueAt = :read AND parcel.#status = :status")
            .expression_attribute_values(":read", text(&due.due_at))
            .expression_attribute_values(":next", text(&due.next_due(now)))
            .expression_attribute_values(":attempts", number(due.attempts + 1))
            .build()?;
        let sent = update_item(&self.client, update, ReturnValue::None).await;
        Ok(matches!(sent.context("put off a parcel")?, Written::Done(_)))
    }

    /// That a parcel in `status` is owed no letter any more. Safe to repeat; refused where it has moved on.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub(crate) fn parcel_settled(&self, name: &ParcelName, status: ParcelStatus) -> anyhow::Result<Update> {
        self.parcel(name, status)
            .update_expression("REMOVE due, dueAt")
            .condition_expression("parcel.#status = :status")
            .build()
            .context("settle a parcel")
    }

    /// Notes that a parcel in `status` is owed no letter any more. Safe to repeat; one that has moved on stays due.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub(crate) async fn settle_parcel(&self, name: &ParcelName, status: ParcelStatus) -> anyhow::Result<()> {
        let settled = update_item(&self.client, self.parcel_settled(name, status)?, ReturnValue::None);
        settled.await.map(drop).context("settle a parcel")
    }

    /// An update of what a seller has of an order, which speaks of this status of the parcel.
    fn parcel(&self, name: &ParcelName, status: ParcelStatus) -> UpdateBuilder {
        Update::builder()
            .table_name(&self.of_sellers)
            .key("sellerId", text(&name.seller_id))
            .key("orderId", text(&name.order_id))
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":status", text(status.as_str()))
    }
}

/// Says in an update what came back of an order with a refused parcel.
fn given_back(
    update: UpdateBuilder,
    order: &Order,
    money: Option<&RefusedMoney>,
    set: &mut String,
) -> anyhow::Result<UpdateBuilder> {
    match money {
        Some(money @ RefusedMoney::NotCollected(_)) => {
            let without = order.without_refused(money);
            set.push_str(", waived = :waived");
            let waived = without.waived.context("something is not collected")?;
            let update = update.expression_attribute_values(":waived", minor(waived));
            Ok(update.expression_attribute_values(":back", value(&without.back)?))
        }
        Some(RefusedMoney::GoesBack { share, amount }) => {
            set.push_str(", payment.refunding = payment.refunding + :goesBack");
            let update = update.expression_attribute_values(":goesBack", minor(*amount));
            Ok(update.expression_attribute_values(":back", value(&order.back_with(share))?))
        }
        None | Some(RefusedMoney::None | RefusedMoney::AllGoesBack(_)) => Ok(update),
    }
}

/// Something as an attribute.
fn value(of: &impl Serialize) -> anyhow::Result<AttributeValue> {
    to_item(of).map(AttributeValue::M)
}
