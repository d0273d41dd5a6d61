//! The Returns table.
//!
//! | what | keys |
//! | --- | --- |
//! | a return | `returnId` |
//! | an order's returns, newest first | index `order`: `orderId`, `createdAt` |
//! | returns that somebody has to decide, oldest first | index `open`: `open` ("0"), `createdAt`; sparse |
//! | returns of which a letter is owed | index `due`: `due` ("0"), `dueAt` (when to look); sparse |
//!
//! The pieces of a return are counted in its order in the same transaction.

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Put, ReturnValue, Update};
use offers::OfferId;
use shared::caller::Caller;
use shared::dynamo;
use shared::dynamo::list::Sort::{Ascending, Descending};
use shared::dynamo::list::{Cursors, List, Page, PageRequest};
use shared::dynamo::{Part, Write, Written, from_item, number, text, to_item, update_item};
use shared::guards::{Committed, Guards, KeyedRequest, Once};
use shared::http::problem::Problem;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::time::Timestamp;
use users::OpenAccounts;

use super::Orders;
use super::paying::as_back_was_read;
use crate::back::Back;
use crate::returns::{DueReturn, PARTITION, Return, ReturnId, ReturnStatus};
use crate::{Error, NewLine, Order, OrderId, Refusal};

pub(super) const OF_ORDER: List =
    List { index: Some("order"), partition: "orderId", sort: Descending("createdAt"), key: "returnId" };

const OPEN: List =
    List { index: Some("open"), partition: "open", sort: Ascending("createdAt"), key: "returnId" };

/// As many as one run of the sweep queues well within its timeout; the next run takes the rest.
const BATCH: i32 = 50;

/// The Returns table, with the orders of which things come back.
#[derive(Debug, Clone)]
pub struct Returns {
    pub(super) client: Client,
    pub(super) table: String,
    pub(super) orders: Orders,
    accounts: OpenAccounts,
}

impl FromEnv for Returns {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            client: aws.dynamodb(),
            table: config::table("RETURNS_TABLE"),
            orders: Orders::from_env(aws)?,
            accounts: OpenAccounts::from_env(aws)?,
        })
    }
}

impl Returns {
    /// The orders.
    pub fn orders(&self) -> &Orders {
        &self.orders
    }

    /// The return, whoever's it is.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn find(&self, id: ReturnId) -> anyhow::Result<Option<Return>> {
        let get = self.client.get_item().table_name(&self.table).key("returnId", text(&id));
        let found = get.consistent_read(true).send().await.context("read a return")?;
        found.item.map(from_item).transpose()
    }

    /// All returns of an order, as they are kept: no more than it has pieces.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn kept_of(&self, order: OrderId) -> anyhow::Result<Vec<serde_json::Value>> {
        OF_ORDER.all_kept(&self.client, &self.table, &order).await
    }

    /// A page of an order's returns, the newest first.
    ///
    /// # Errors
    /// `invalid-input` for a cursor of another list.
    pub async fn list_of(
        &self,
        order: OrderId,
        cursors: &Cursors,
        request: &PageRequest,
    ) -> Result<Page<Return>, Problem> {
        cursors.page(&self.client, &self.table, OF_ORDER, &order.to_string(), request).await
    }

    /// The same for the order's buyer, the seller of all of it, or an admin.
    ///
    /// # Errors
    /// `not-found` for others; `invalid-input` for a cursor of another list.
    pub async fn list_for(
        &self,
        caller: &Caller,
        order: OrderId,
        cursors: &Cursors,
        request: &PageRequest,
    ) -> Result<Page<Return>, Problem> {
        let is_theirs =
            |order: &Order| *order.buyer() == *caller.id() || order.is_sold_by(caller) || caller.is_admin();
        self.orders.find(order).await?.filter(is_theirs).ok_or(Error::NotFound)?;
        self.list_of(order, cursors, request).await
    }

    /// A page of the returns that somebody has to decide, the oldest first.
    ///
    /// # Errors
    /// `invalid-input` for a cursor of another list.
    pub async fn list_open(&self, cursors: &Cursors, request: &PageRequest) -> Result<Page<Return>, Problem> {
        cursors.page(&self.client, &self.table, OPEN, PARTITION, request).await
    }

    /// Writes a new return, and counts its pieces in its order, as that was read, in one transaction with the key's
    /// record, if its buyer's account may be used. Refused where something else of the order came back since it was
    /// read.
    ///
    /// Safe to repeat with a key: the record gives the first answer. Safe against the SDK's own repetition without one:
    /// the return's id is new, so a return of that id is this one.
    ///
    /// # Errors
    /// [`Refusal::AccountClosed`], or when the tables cannot be written.
    pub(crate) async fn request(
        &self,
        guards: &Guards,
        order: &Order,
        new: Return,
        keyed: Option<&KeyedRequest>,
        now: Timestamp,
    ) -> Result<Committed<Return>, Error> {
        let mut write = Write::new();
        // Guests have no account.
        let account = match order.buyer() {
            guest if guest.is_guest() => None,
            person => Some(write.check(self.accounts.is_open(person)?)),
        };
        write.put(self.put(&new, "attribute_not_exists(returnId)", None)?);
        write.update(self.orders.back_becomes(order, &order.back_with_return(&new.lines()))?);
        match guards.commit(write, keyed, new.clone(), now).await? {
            Committed::Refused(_) if self.find(new.return_id).await?.is_some() => {
                Ok(Committed::Once(Once::Done(new)))
            }
            Committed::Refused(found) if account.is_some_and(|account| found.at(account).is_some()) => {
                Err(Refusal::AccountClosed.into())
            }
            committed => Ok(committed),
        }
    }

    /// That a return is decided as `next` says, if it is in the status that was read.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn decided(&self, read: &Return, next: &Return) -> anyhow::Result<Put> {
        self.put(next, "#status = :read", Some(read.status))
    }

    fn put(&self, item: &Return, condition: &str, read: Option<ReturnStatus>) -> anyhow::Result<Put> {
        let put = Put::builder().table_name(&self.table).set_item(Some(to_item(item)?));
        let put = put.condition_expression(condition);
        let put = match read {
            None => put,
            Some(status) => put
                .expression_attribute_names("#status", "status")
                .expression_attribute_values(":read", text(status.as_str())),
        };
        put.build().context("put a return")
    }

    /// Writes a decision that concerns the return alone. False where it is not in the status that was read.
    ///
    /// Safe to repeat: the condition lets it happen once.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn accept(&self, read: &Return, next: &Return) -> anyhow::Result<bool> {
        let mut write = Write::new();
        write.put(self.decided(read, next)?);
        Ok(matches!(write.commit(&self.client).await?, Written::Done(())))
    }

    /// Writes that the shop does not take things back: in its order, as it was read, they are in no return any more.
    /// False where one of them is not as it was read.
    ///
    /// Safe to repeat: the condition lets it happen once.
    ///
    /// # Errors
    /// When the tables cannot be written.
    pub async fn refuse(&self, read: &Return, next: &Return, order: &Order) -> anyhow::Result<bool> {
        let mut write = Write::new();
        write.put(self.decided(read, next)?);
        write.update(self.orders.back_becomes(order, &order.back_without_return(&read.lines()))?);
        Ok(matches!(write.commit(&self.client).await?, Written::Done(())))
    }

    /// At most 50 returns of which a letter has fallen due by `now`, longest due first.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub(crate) async fn due(&self, now: Timestamp) -> anyhow::Result<Vec<DueReturn>> {
        dynamo::due(&self.client, (&self.table, "returnId"), PARTITION, now, BATCH).await
    }

    /// Puts off a due return to its next look. False where another sweep or the return's progress was faster.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub(crate) async fn put_off(&self, due: &DueReturn, now: Timestamp) -> anyhow::Result<bool> {
        let update = Update::builder()
            .table_name(&self.table)
            .key("returnId", text(&due.return_id))
            .update_expression("SET dueAt = :next, attempts = :attempts")
            .condition_expression("dueAt = :read AND #status = :status")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":read", text(&due.due_at))
            .expression_attribute_values(":status", text(due.status.as_str()))
            .expression_attribute_values(":next", text(&due.next_due(now)))
            .expression_attribute_values(":attempts", number(due.attempts + 1))
            .build()?;
        let sent = update_item(&self.client, update, ReturnValue::None).await;
        Ok(matches!(sent.context("put off a return")?, Written::Done(_)))
    }

    /// That a return in `status` is owed no letter any more. Safe to repeat; refused where it has moved on.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub(crate) fn settled(&self, id: ReturnId, status: ReturnStatus) -> anyhow::Result<Update> {
        Update::builder()
            .table_name(&self.table)
            .key("returnId", text(&id))
            .update_expression("REMOVE due, dueAt")
            .condition_expression("#status = :status")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":status", text(status.as_str()))
            .build()
            .context("settle a return")
    }

    /// Notes that a return in `status` is owed no letter any more. Safe to repeat; one that has moved on stays due.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub(crate) async fn settle(&self, id: ReturnId, status: ReturnStatus) -> anyhow::Result<()> {
        let settled = update_item(&self.client, self.settled(id, status)?, ReturnValue::None);
        settled.await.map(drop).context("settle a return")
    }
}

impl Orders {
    /// That something came back of an order, as it was read, besides money. Refused where something else did since.
    fn back_becomes(&self, order: &Order, back: &Back) -> anyhow::Result<Update> {
        let update = Update::builder().table_name(&self.table).key("orderId", text(&order.order_id));
        let (update, is_as_read) = as_back_was_read(update, order);
        update
            .update_expression("SET #back = :back")
            .condition_expression(format!("attribute_exists(orderId) AND {is_as_read}"))
            .expression_attribute_values(":back", AttributeValue::M(to_item(back)?))
            .build()
            .context("count a return")
    }

    /// Gives pieces that came back to their offers, with what `write` has already: for each offer its part, which is
    /// refused where the offer is gone.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn restock(&self, lines: &[NewLine], write: &mut Write) -> anyhow::Result<Vec<(Part, OfferId)>> {
        let offers = &self.prices.offers;
        let part =
            |line: &NewLine| Ok((write.update(offers.restock(line.id, line.quantity.pieces())?), line.id));
        lines.iter().map(part).collect()
    }
}
