//! Orders of guests, and orders by their short numbers.

use anyhow::Context;
use aws_sdk_dynamodb::types::Update;
use futures_util::future::try_join_all;
use shared::caller::UserId;
use shared::dynamo::list::{Cursors, Page, PageRequest};
use shared::dynamo::{number, read_each, text};
use shared::http::problem::Problem;
use shared::values::time::Timestamp;

use super::paying::many;
use super::{LIST_SHARDS, Orders};
use crate::admin::OrderEntry;
use crate::guests::GuestId;
use crate::letters::GuestOrder;
use crate::number::Between;
use crate::{Order, OrderNumber, OrderStatus};

/// So many orders of one guest are told at most, the newest.
const MOST: i32 = 50;

impl Orders {
    /// That a guest's order, as it was read, is `person`'s, who then finds it among their own. Refused where it is
    /// somebody's by now, was tried to be paid again, or was paid at the door.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn claimed(&self, order: &Order, person: &UserId) -> anyhow::Result<Update> {
        let update = Update::builder()
            .table_name(&self.table)
            .key("orderId", text(&order.order_id))
            .update_expression("SET userId = :person REMOVE guest")
            .expression_attribute_values(":person", text(person))
            .expression_attribute_values(":guest", text(&UserId::guest(order.order_id)));
        let update = match &order.payment {
            None => update.condition_expression("userId = :guest AND attribute_not_exists(payment)"),
            Some(payment) => update
                .condition_expression("userId = :guest AND size(payment.attempts) = :many")
                .expression_attribute_values(":many", number(many(payment))),
        };
        update.build().context("claim an order")
    }

    /// The orders of a guest since then, the newest first.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn of_guest(&self, guest: &GuestId, since: Timestamp) -> anyhow::Result<Vec<GuestOrder>> {
        let found = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("guest")
            .key_condition_expression("guest = :guest AND createdAt >= :since")
            .expression_attribute_values(":guest", text(guest))
            .expression_attribute_values(":since", text(&since))
            .scan_index_forward(false)
            .limit(MOST)
            .send()
            .await
            .context("read the orders of a guest")?;
        Ok(read_each(found.items.unwrap_or_default(), "orderId"))
    }

    /// A page of all orders as [`Orders::list_all`] gives it; or those of a number, all of them.
    ///
    /// # Errors
    /// `invalid-input` for a cursor of another list.
    pub async fn look_up(
        &self,
        number: Option<OrderNumber>,
        status: Option<OrderStatus>,
        cursors: &Cursors,
        request: &PageRequest,
        now: Timestamp,
    ) -> Result<Page<OrderEntry>, Problem> {
        let Some(number) = number else { return self.list_all(status, cursors, request).await };
        let mut entries = self.numbered(number, now).await?;
        entries.retain(|entry| status.is_none_or(|status| entry.status() == status));
        Ok(Page { entries, next_cursor: None })
    }

    /// The orders of a number, the newest first: a query for each stretch of time in which they may have been placed,
    /// in the one shard that they are in. A stretch is 33 seconds, of which a query sees some thousand orders.
    async fn numbered(&self, number: OrderNumber, now: Timestamp) -> anyhow::Result<Vec<OrderEntry>> {
        let index = usize::try_from(number.last_digit()).unwrap_or_default() % LIST_SHARDS.len();
        let stretches = number.stretches(now).map(|stretch| self.placed_in(LIST_SHARDS[index], stretch));
        let found: Vec<Vec<OrderEntry>> = try_join_all(stretches).await?;
        Ok(found.into_iter().flatten().filter(|entry| OrderNumber::from(entry.id()) == number).collect())
    }

    async fn placed_in(&self, shard: &str, Between { from, to }: Between) -> anyhow::Result<Vec<OrderEntry>> {
        let found = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("all")
            .key_condition_expression("#all = :shard AND orderId BETWEEN :from AND :to")
            .expression_attribute_names("#all", "all")
            .expression_attribute_values(":shard", text(shard))
            .expression_attribute_values(":from", text(&from))
            .expression_attribute_values(":to", text(&to))
            .scan_index_forward(false)
            .send()
            .await
            .context("look for an order by its number")?;
        Ok(read_each(found.items.unwrap_or_default(), "orderId"))
    }
}
