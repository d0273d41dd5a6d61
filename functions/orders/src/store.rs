//! The Orders table.
//!
//! | what | keys |
//! | --- | --- |
//! | an order | `orderId` |
//! | a buyer's orders, newest first | index `customer`: `userId`, `createdAt` |
//! | orders that are owed something, by when to look | index `due`: `due` ("00" to "15", by the order's id), `dueAt`; sparse |
//!
//! An order is `due` from its first moment until its last email is recorded as sent, so whatever dies between leaves a
//! trace that the sweep finds.

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeValue, KeysAndAttributes, Put, ReturnValue, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update,
};
use products::{Product, Products};
use shared::caller::{Caller, UserId};
use shared::dynamo::list::Sort::Descending;
use shared::dynamo::list::{Cursors, List, Page, PageRequest};
use shared::dynamo::{
    Cancelled, Item, from_item, number, text, to_item, transact, unless_condition_failed, update_item,
};
use shared::guards::once::{IdempotencyKey, KeyedRequest};
use shared::http::problem::Problem;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::time::Timestamp;

use crate::workflow::{Released, Shipped};
use crate::{
    CancellationReason, Error, Event, GRACE, HistoryEntry, Line, NewOrder, Order, OrderId, OrderPlaced,
    OrderStatus, Refusal, Transition,
};

const CUSTOMER: List =
    List { index: Some("customer"), partition: "userId", sort: Descending("createdAt"), key: "orderId" };

/// Every order writes to the index `due`, so it is spread over this many partitions.
const DUE_SHARDS: u8 = 16;

/// The shard of the index `due` for an order: its id's last hexadecimal digit, which is random.
pub(crate) fn due_shard(id: OrderId) -> String {
    let last = id.to_string().pop().and_then(|digit| digit.to_digit(16)).unwrap_or_default();
    format!("{last:02}")
}

/// The shards of the index `due`.
pub fn due_shards() -> impl Iterator<Item = String> {
    (0..DUE_SHARDS).map(|shard| format!("{shard:02}"))
}

/// The Orders table, with what placing an order writes in the same transaction.
#[derive(Debug, Clone)]
pub struct Orders {
    client: Client,
    table: String,
    guards: String,
    products: Products,
}

impl FromEnv for Orders {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            client: aws.dynamodb(),
            table: config::required("ORDERS_TABLE")?,
            guards: config::required("GUARDS_TABLE")?,
            products: Products::from_env(aws)?,
        })
    }
}

/// A placed order's answer, and whether it had been given before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The answer.
    pub answer: OrderPlaced,
    /// Whether the idempotency key brought it back.
    pub replayed: bool,
}

impl Orders {
    /// Places an order: one read of its products and of the key's record, one transaction that reserves the stock and
    /// writes order and record.
    ///
    /// Safe to repeat with a key: the record makes the second transaction fail and gives the first answer. Safe against the
    /// SDK's own repetition without one: the order's id is new, so an order of that id is this one.
    ///
    /// # Errors
    /// A [`Refusal`] that names the line, or [`KeyReused`](shared::guards::once::KeyReused).
    pub async fn place(
        &self,
        buyer: &Caller,
        order: &NewOrder,
        key: Option<&IdempotencyKey>,
        now: Timestamp,
    ) -> Result<Placed, Error> {
        let keyed = key.map(|key| KeyedRequest::new("create-order", buyer, key, order)).transpose()?;
        let (products, record) = self.read(order, keyed.as_ref()).await?;
        if let Some(placed) = replay(keyed.as_ref(), record, now)? {
            return Ok(placed);
        }
        let order = match Order::place(order, &products, buyer, now) {
            Ok(order) => order,
            Err(refusal) => {
                // Tables are not read at one moment: the same request may have taken the last piece and written its record
                // between the two reads.
                let (_, record) =
                    if keyed.is_some() { self.read(order, keyed.as_ref()).await? } else { (products, None) };
                return replay(keyed.as_ref(), record, now)?.ok_or(refusal.into());
            }
        };
        let answer = OrderPlaced::new(order.order_id);

        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(to_item(&order)?))
            .condition_expression("attribute_not_exists(orderId)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .context("put an order")?;
        let mut items = vec![TransactWriteItem::builder().put(put).build()];
        for line in &order.lines {
            items.push(self.products.reserve(line.product_id, line.quantity.pieces(), line.unit_price)?);
        }
        if let Some(keyed) = &keyed {
            items.push(keyed.record(&self.guards, &answer, now)?);
        }
        match transact(&self.client, items).await? {
            Ok(()) => Ok(Placed { answer, replayed: false }),
            // An order of this new id is this order: an earlier try took effect and its reply was lost.
            Err(cancelled) if cancelled.failed(0).is_some() => Ok(Placed { answer, replayed: false }),
            Err(cancelled) => {
                let record = cancelled.failed(order.lines.len() + 1).cloned();
                match replay(keyed.as_ref(), record, now)? {
                    Some(placed) => Ok(placed),
                    None => Err(refused_line(&order.lines, &cancelled)?.into()),
                }
            }
        }
    }

    /// The products of `order` and the key's record, in one BatchGetItem.
    async fn read(
        &self,
        order: &NewOrder,
        keyed: Option<&KeyedRequest>,
    ) -> anyhow::Result<(Vec<Product>, Option<Item>)> {
        const TRIES: u32 = 3;
        let (products_table, batch) = self.products.batch(order.products())?;
        let mut wanted = vec![(products_table.clone(), batch)];
        if let Some(keyed) = keyed {
            let key = Item::from([("guardId".to_owned(), text(keyed.guard_id()))]);
            wanted.push((
                self.guards.clone(),
                KeysAndAttributes::builder().keys(key).consistent_read(true).build()?,
            ));
        }
        let mut wanted: std::collections::HashMap<_, _> = wanted.into_iter().collect();
        let (mut products, mut record) = (Vec::new(), None);
        for _ in 0..TRIES {
            let found = self.client.batch_get_item().set_request_items(Some(wanted)).send().await;
            let found = found.context("read the products of an order")?;
            for (table, items) in found.responses.unwrap_or_default() {
                if table == products_table {
                    products.extend(items.into_iter().map(from_item).collect::<anyhow::Result<Vec<_>>>()?);
                } else {
                    record = items.into_iter().next().or(record);
                }
            }
            // DynamoDB leaves keys unread when it is asked too much at once.
            match found.unprocessed_keys.filter(|left| !left.is_empty()) {
                None => return Ok((products, record)),
                Some(left) => wanted = left,
            }
        }
        Err(shared::http::problem::Busy).context("read the products of an order")
    }

    /// The order, whoever's it is.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn find(&self, id: OrderId) -> anyhow::Result<Option<Order>> {
        let get = self.client.get_item().table_name(&self.table).key("orderId", text(&id));
        let found = get.consistent_read(true).send().await.context("read an order")?;
        found.item.map(from_item).transpose()
    }

    /// The order, if it is this buyer's.
    ///
    /// # Errors
    /// [`Error::NotFound`] also when it is somebody else's.
    pub async fn find_of(&self, buyer: &Caller, id: OrderId) -> Result<Order, Error> {
        self.find(id).await?.filter(|order| order.user_id == *buyer.id()).ok_or(Error::NotFound)
    }

    /// A page of this buyer's orders, newest first.
    ///
    /// # Errors
    /// `invalid-input` for a cursor of another list.
    pub async fn list_of(
        &self,
        buyer: &UserId,
        cursors: &Cursors,
        request: &PageRequest,
    ) -> Result<Page<Order>, Problem> {
        cursors.page(&self.client, &self.table, CUSTOMER, &buyer.to_string(), request).await
    }

    /// Moves a pending order to shipping. Safe to repeat: the condition lets it happen once.
    ///
    /// # Errors
    /// When there is no such order or the table cannot be written.
    pub async fn ship(&self, id: OrderId, now: Timestamp) -> anyhow::Result<Shipped> {
        let update = self.transition(id, Event::Ship, None, now)?;
        let sent = update_item(&self.client, update, ReturnValue::None).await.context("ship an order")?;
        let Err(found) = sent else { return Ok(Shipped::Shipped) };
        match status_of(&found)?.on(Event::Ship) {
            Transition::Already => Ok(Shipped::AlreadyShipping),
            Transition::Refused => Ok(Shipped::Cancelled),
            Transition::To(_) => anyhow::bail!("the order can ship and its condition failed"),
        }
    }

    /// Cancels a pending order and gives its stock back, in one transaction whose condition lets it happen once.
    ///
    /// Of `order`, as it was read, only what never changes is believed: its id and its lines.
    ///
    /// # Errors
    /// When there is no such order or the tables cannot be written.
    pub async fn release(
        &self,
        order: &Order,
        reason: CancellationReason,
        now: Timestamp,
    ) -> anyhow::Result<Released> {
        let mut lines: Vec<&Line> = order.lines.iter().collect();
        loop {
            let update = self.transition(order.order_id, Event::Cancel, Some(reason), now)?;
            let mut items = vec![TransactWriteItem::builder().update(update).build()];
            for line in &lines {
                items.push(self.products.restock(line.product_id, line.quantity.pieces())?);
            }
            let Err(cancelled) = transact(&self.client, items).await? else {
                return Ok(Released::Released);
            };
            if let Some(found) = cancelled.failed(0) {
                return Ok(match status_of(found)?.on(Event::Cancel) {
                    Transition::Already => Released::AlreadyCancelled,
                    Transition::Refused => Released::AlreadyShipping,
                    Transition::To(_) => {
                        anyhow::bail!("the order can be cancelled and its condition failed")
                    }
                });
            }
            // A product that was deleted meanwhile gets nothing back; the others do. Each turn leaves at least one out.
            let mut index = 0;
            lines.retain(|_| {
                index += 1;
                cancelled.failed(index).is_none()
            });
        }
    }

    /// Cancels an order for its buyer.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is not the buyer's, [`Refusal::NotCancellable`] when it is on its way.
    pub async fn cancel(&self, buyer: &Caller, id: OrderId, now: Timestamp) -> Result<Order, Error> {
        let order = self.find_of(buyer, id).await?;
        if order.status.on(Event::Cancel) == Transition::Already {
            return Ok(order);
        }
        match self.release(&order, CancellationReason::ByBuyer, now).await? {
            Released::Released | Released::AlreadyCancelled => self.find_of(buyer, id).await,
            Released::AlreadyShipping => Err(Refusal::NotCancellable.into()),
        }
    }

    /// The update that an event is, under the condition that the order's status allows it.
    fn transition(
        &self,
        id: OrderId,
        event: Event,
        reason: Option<CancellationReason>,
        now: Timestamp,
    ) -> anyhow::Result<Update> {
        let mut update = Update::builder().table_name(&self.table).key("orderId", text(&id));
        let mut allowed = Vec::new();
        for from in OrderStatus::ALL {
            if let Transition::To(to) = from.on(event) {
                let name = format!(":from{}", allowed.len());
                let entry = HistoryEntry {
                    status: to,
                    at: now,
                    reason: reason.map(|reason| reason.as_str().to_owned()),
                };
                update = update
                    .expression_attribute_values(&name, text(from.as_str()))
                    .expression_attribute_values(":to", text(to.as_str()))
                    .expression_attribute_values(
                        ":entry",
                        AttributeValue::L(vec![AttributeValue::M(to_item(&entry)?)]),
                    );
                allowed.push(name);
            }
        }
        update
            .update_expression(
                "SET #status = :to, updatedAt = :now, dueAt = :due, attempts = :none, \
                 history = list_append(history, :entry)",
            )
            .condition_expression(format!("#status IN ({})", allowed.join(", ")))
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":now", text(&now))
            .expression_attribute_values(":due", text(&(now + GRACE)))
            .expression_attribute_values(":none", number(0))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .context("build a transition")
    }

    /// At most `limit` orders of one shard that have fallen due by `now`, longest due first.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn due(&self, shard: &str, now: Timestamp, limit: i32) -> anyhow::Result<Vec<Order>> {
        let found = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("due")
            .key_condition_expression("due = :shard AND dueAt <= :now")
            .expression_attribute_values(":shard", text(shard))
            .expression_attribute_values(":now", text(&now))
            .limit(limit)
            .send()
            .await
            .context("read the orders that are due")?;
        found.items.unwrap_or_default().into_iter().map(from_item).collect()
    }

    /// Puts off a due order to its next look. Gives false when another sweep or the order's progress was faster: the
    /// index tells of a moment ago.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn put_off(&self, order: &Order, now: Timestamp) -> anyhow::Result<bool> {
        let Some(due_at) = order.due_at else { return Ok(false) };
        let sent = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("orderId", text(&order.order_id))
            .update_expression("SET dueAt = :next, attempts = :attempts")
            .condition_expression("dueAt = :read AND #status = :status")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":read", text(&due_at))
            .expression_attribute_values(":status", text(order.status.as_str()))
            .expression_attribute_values(":next", text(&order.next_due(now)))
            .expression_attribute_values(":attempts", number(order.attempts + 1))
            .send()
            .await;
        Ok(unless_condition_failed(sent).context("put off a due order")?.is_some())
    }

    /// Notes that an order in `status` is owed nothing more. Safe to repeat; an order that has moved on stays due.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn settle(&self, id: OrderId, status: OrderStatus) -> anyhow::Result<()> {
        let sent = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("orderId", text(&id))
            .update_expression("REMOVE due, dueAt")
            .condition_expression("#status = :status")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":status", text(status.as_str()))
            .send()
            .await;
        unless_condition_failed(sent).map(drop).context("settle an order")
    }
}

/// The answer that the key's record holds, if there is one.
fn replay(
    keyed: Option<&KeyedRequest>,
    record: Option<Item>,
    now: Timestamp,
) -> Result<Option<Placed>, Error> {
    let (Some(keyed), Some(record)) = (keyed, record) else { return Ok(None) };
    let Some(answer) = keyed.replay(record, now)? else { return Ok(None) };
    Ok(Some(Placed { answer: answer.map_err(Refusal::from)?, replayed: true }))
}

/// The status of the order against which a condition failed.
fn status_of(found: &Item) -> anyhow::Result<OrderStatus> {
    anyhow::ensure!(!found.is_empty(), "there is no such order");
    Ok(from_item::<Order>(found.clone())?.status)
}

/// Which line made a transaction fail, and why, by the product as it was then.
fn refused_line(lines: &[Line], cancelled: &Cancelled) -> anyhow::Result<Refusal> {
    for (index, line) in lines.iter().enumerate() {
        let Some(found) = cancelled.failed(index + 1) else { continue };
        let id = line.product_id;
        if found.is_empty() {
            return Ok(Refusal::NotForSale(id));
        }
        let product: Product = from_item(found.clone())?;
        return Ok(if !product.is_for_sale() {
            Refusal::NotForSale(id)
        } else if product.price() == line.unit_price {
            Refusal::OutOfStock { id, available: product.stock().pieces() }
        } else {
            Refusal::PriceChanged(id)
        });
    }
    anyhow::bail!("a transaction was cancelled for none of its lines")
}
