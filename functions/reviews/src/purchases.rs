//! The Purchases table: who has bought what, so that a review needs no look at orders.
//!
//! | what | keys |
//! | --- | --- |
//! | what a person has of a product | `userId`, `productId` |
//!
//! `orders` has the ids of the orders by which the person has it; where that set is there, it was bought. It follows
//! the orders by their events, a second late. Each event is a reason to look at its order and to write what is so by
//! then, so that events may come twice and in any order: whoever writes looks again behind the write, and writes anew
//! where the order has become another one meanwhile.

use std::collections::BTreeMap;

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck};
use orders::{OrderId, Orders};
use shared::caller::UserId;
use shared::dynamo::list::{List, Sort};
use shared::dynamo::{Item, KeptItems, Stretch, number, text, unless_condition_failed};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};

use crate::{ProductId, SCHEMA_VERSION};

/// How often an order is looked at again because it became another one meanwhile.
const TRIES: u32 = 10;

/// Purchases of somebody are deleted so many at a time.
const AT_ONCE: i32 = 100;

const OF_PERSON: List =
    List { index: None, partition: "userId", sort: Sort::Ascending("productId"), key: "productId" };

/// The Purchases table.
#[derive(Debug, Clone)]
pub struct Purchases {
    client: Client,
    table: String,
}

impl FromEnv for Purchases {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { client: aws.dynamodb(), table: config::table("PURCHASES_TABLE") })
    }
}

impl Purchases {
    /// That a person has bought a product, as a part of what is written with it.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn is_bought(&self, person: &UserId, product: ProductId) -> anyhow::Result<ConditionCheck> {
        ConditionCheck::builder()
            .table_name(&self.table)
            .set_key(Some(key(person, product)))
            .condition_expression("attribute_exists(orders)")
            .build()
            .context("look who bought a product")
    }

    /// Records what the buyer of an order has of it, as the order stands. Safe to repeat, at any time: it records what
    /// is so. What guests have is nobody's, until they claim it.
    ///
    /// # Errors
    /// When there is no such order, a table does not answer, or the order did not stop to change.
    pub async fn follow(&self, orders: &Orders, id: OrderId) -> anyhow::Result<()> {
        let mut written: Option<(UserId, BTreeMap<ProductId, bool>)> = None;
        for _ in 0..TRIES {
            let order = orders.find(id).await?.context("there is no such order")?;
            let so = (order.buyer().clone(), order.had());
            if so.0.is_guest() || written.as_ref() == Some(&so) {
                return Ok(());
            }
            for (product, has_it) in &so.1 {
                self.record(&so.0, *product, id, *has_it).await?;
            }
            written = Some(so);
        }
        anyhow::bail!("the order changed again and again")
    }

    /// Safe to repeat: an order is in the set once.
    async fn record(
        &self,
        person: &UserId,
        product: ProductId,
        order: OrderId,
        has_it: bool,
    ) -> anyhow::Result<()> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(person, product)))
            .expression_attribute_values(":order", AttributeValue::Ss(vec![order.to_string()]));
        let update = if has_it {
            update
                .update_expression("SET schemaVersion = :schema ADD orders :order")
                .expression_attribute_values(":schema", number(SCHEMA_VERSION))
        } else {
            // Where nothing is recorded there is nothing to take back, and no item to make.
            update.update_expression("DELETE orders :order").condition_expression("attribute_exists(userId)")
        };
        unless_condition_failed(update.send().await).map(drop).context("record a purchase")
    }

    /// A stretch of what a person has bought, as it is kept.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn kept_of(&self, person: &UserId, stretch: Stretch) -> anyhow::Result<KeptItems> {
        OF_PERSON.kept(&self.client, &self.table, person, stretch).await
    }

    /// Forgets what a person has bought. Safe to repeat, and to be repeated for events that were under way.
    ///
    /// # Errors
    /// When the table does not answer; what is gone by then is gone.
    pub async fn forget(&self, person: &UserId) -> anyhow::Result<()> {
        let mut start = None;
        loop {
            let found = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("userId = :person")
                .expression_attribute_values(":person", text(person))
                .projection_expression("userId, productId")
                .consistent_read(true)
                .limit(AT_ONCE)
                .set_exclusive_start_key(start)
                .send()
                .await
                .context("read what a person has bought")?;
            for key in found.items.unwrap_or_default() {
                let delete = self.client.delete_item().table_name(&self.table).set_key(Some(key));
                delete.send().await.context("forget a purchase")?;
            }
            start = found.last_evaluated_key;
            if start.is_none() {
                return Ok(());
            }
        }
    }
}

fn key(person: &UserId, product: ProductId) -> Item {
    Item::from([("userId".to_owned(), text(person)), ("productId".to_owned(), text(&product))])
}
