//! What orders and returns still say of a customer who has left: amounts, lines and times, which the law asks for, and
//! neither name, address nor words.

use anyhow::Context;
use serde::Deserialize;
use shared::caller::UserId;
use shared::dynamo::{Remains, read_each, text};
use shared::values::time::Timestamp;

use super::{CUSTOMER, Orders};
use crate::returns::ReturnStatus;
use crate::store::returns::{OF_ORDER, Returns};
use crate::{Order, OrderId, OrderStatus};

/// Where nobody is written to: a domain that can never be anybody's (RFC 2606).
const NOBODYS_ADDRESS: &str = "former-customer@deleted.invalid";

/// What a customer is called who has left.
const NOBODYS_NAME: &str = "A former customer";

/// How many orders a call looks after.
const AT_ONCE: usize = 25;

impl Orders {
    /// Some of a customer's orders with which something is still to happen: they are to be paid, to leave, or a letter
    /// about them is owed.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn unfinished_of(&self, customer: &UserId) -> anyhow::Result<Vec<Order>> {
        let is_unfinished = "#status IN (:awaiting, :pending) OR attribute_exists(due)";
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .set_index_name(CUSTOMER.index.map(str::to_owned))
            .key_condition_expression("userId = :customer")
            .filter_expression(is_unfinished)
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":customer", text(customer))
            .expression_attribute_values(":awaiting", text(&OrderStatus::AwaitingPayment))
            .expression_attribute_values(":pending", text(&OrderStatus::Pending));
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let found = query.clone().set_exclusive_start_key(start).send().await;
            let found = found.context("read what a customer waits for")?;
            items.extend(found.items.unwrap_or_default());
            start = found.last_evaluated_key;
            if start.is_none() || items.len() >= AT_ONCE {
                return Ok(read_each(items, CUSTOMER.key));
            }
        }
    }

    async fn to_be_forgotten(&self, customer: &UserId) -> anyhow::Result<Vec<Order>> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .set_index_name(CUSTOMER.index.map(str::to_owned))
            .key_condition_expression("userId = :customer")
            .filter_expression("attribute_not_exists(forgottenAt)")
            .expression_attribute_values(":customer", text(customer));
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let found = query.clone().set_exclusive_start_key(start).send().await;
            let found = found.context("read a customer's orders")?;
            items.extend(found.items.unwrap_or_default());
            start = found.last_evaluated_key;
            if start.is_none() || items.len() >= AT_ONCE {
                items.truncate(AT_ONCE);
                return Ok(read_each(items, CUSTOMER.key));
            }
        }
    }

    async fn forget_one(&self, id: OrderId, now: Timestamp) -> anyhow::Result<()> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("orderId", text(&id))
            .update_expression(
                "SET contact.email = :address, contact.fullName = :name, forgottenAt = :now REMOVE shippingAddress",
            )
            .condition_expression("attribute_exists(orderId)")
            .expression_attribute_values(":address", text(NOBODYS_ADDRESS))
            .expression_attribute_values(":name", text(NOBODYS_NAME))
            .expression_attribute_values(":now", text(&now));
        update.send().await.map(drop).context("take the customer out of an order")
    }
}

impl Orders {
    /// Those of a customer's orders of which something has come back, or is to.
    async fn with_something_back(&self, customer: &UserId) -> anyhow::Result<Vec<OrderId>> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Named {
            order_id: OrderId,
        }
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .set_index_name(CUSTOMER.index.map(str::to_owned))
            .key_condition_expression("userId = :customer")
            .filter_expression("attribute_exists(#back)")
            .expression_attribute_names("#back", "back")
            .expression_attribute_values(":customer", text(customer))
            .projection_expression("orderId");
        let (mut ids, mut start) = (Vec::new(), None);
        loop {
            let found = query.clone().set_exclusive_start_key(start).send().await;
            let found = found.context("read what a customer sends back")?;
            let named: Vec<Named> = read_each(found.items.unwrap_or_default(), CUSTOMER.key);
            ids.extend(named.into_iter().map(|named| named.order_id));
            start = found.last_evaluated_key;
            if start.is_none() {
                return Ok(ids);
            }
        }
    }
}

impl Returns {
    /// Whether the shop has to say yet whether it takes back what a customer wants to return: a query for the orders,
    /// and one for each of which something has come back, or is to.
    ///
    /// # Errors
    /// When the tables cannot be read.
    pub async fn are_undecided_of(&self, customer: &UserId) -> anyhow::Result<bool> {
        for order in self.orders.with_something_back(customer).await? {
            let query = self
                .client
                .query()
                .table_name(&self.table)
                .set_index_name(OF_ORDER.index.map(str::to_owned))
                .key_condition_expression("orderId = :order")
                .filter_expression("#status = :requested")
                .expression_attribute_names("#status", "status")
                .expression_attribute_values(":order", text(&order))
                .expression_attribute_values(":requested", text(&ReturnStatus::Requested));
            if query.send().await.context("read an order's returns")?.count > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes name, address and words of a customer out of orders and returns, twenty-five orders in a call. Safe to
    /// repeat: an order is noted last.
    ///
    /// # Errors
    /// When the tables cannot be read or written.
    pub async fn forget(&self, customer: &UserId, now: Timestamp) -> anyhow::Result<Remains> {
        let orders = self.orders.to_be_forgotten(customer).await?;
        for order in &orders {
            self.forget_of(order.id()).await?;
            self.orders.forget_one(order.id(), now).await?;
        }
        Ok(if orders.is_empty() { Remains::Nothing } else { Remains::More })
    }

    /// Takes the words out of the returns of an order, of which there are no more than it has pieces.
    async fn forget_of(&self, order: OrderId) -> anyhow::Result<()> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .set_index_name(OF_ORDER.index.map(str::to_owned))
            .key_condition_expression("orderId = :order")
            .expression_attribute_values(":order", text(&order));
        let found = query.send().await.context("read an order's returns")?;
        for item in found.items.unwrap_or_default() {
            let Some(id) = item.get(OF_ORDER.key).cloned() else { continue };
            let update = self.client.update_item().table_name(&self.table).key(OF_ORDER.key, id);
            let update = update.update_expression("REMOVE reason, refusal");
            let update = update.condition_expression("attribute_exists(returnId)");
            update.send().await.context("take the words out of a return")?;
        }
        Ok(())
    }
}
