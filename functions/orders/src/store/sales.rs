//! The Sales table.
//!
//! | what | keys |
//! | --- | --- |
//! | what was sold on a day | `sellerId` (a person, or `shop`), `entry` = `day#{day}`, of the shop `day#{day}#{shard}` |
//! | how many orders are to be sent now | `sellerId`, `entry` = `day#now`, of the shop `day#now#{shard}` |
//! | how an order counts, so that it counts once | `sellerId`, `entry` = `order#{orderId}` |
//!
//! The counters of the last days and of now are one query. A shard is the last digit of an order's id, which is random:
//! all orders of the shop would meet in one counter. DynamoDB deletes days and what waits for nothing after 60 days.

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{Put, Update};
use serde::{Deserialize, Serialize};
use shared::dynamo::{Consistency, Read, Write, Written, from_item, number, read_each, text, to_item};
use shared::http::problem::Busy;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::money::Amount;
use shared::values::time::Timestamp;

use super::Orders;
use crate::sales::{Counter, DAY, DAYS, Difference, KEPT, Party, SCHEMA_VERSION, Standing, Summary, day_of};
use crate::{Order, OrderId};

const KEYS: (&str, &str) = ("sellerId", "entry");

/// How often an order is counted anew because somebody else counted it at the same time.
const TRIES: u32 = 4;

/// The Sales table, with the orders that are counted.
#[derive(Debug, Clone)]
pub struct Sales {
    client: Client,
    table: String,
    orders: Orders,
}

impl FromEnv for Sales {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            client: aws.dynamodb(),
            table: config::table("SALES_TABLE"),
            orders: Orders::from_env(aws)?,
        })
    }
}

/// How an order counts for somebody, as the table has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Counted {
    seller_id: String,
    entry: String,
    version: u32,
    is_sold: bool,
    revenue: Amount,
    is_to_send: bool,
    /// In seconds since 1970, as DynamoDB's time to live takes it; nothing as long as it is to be sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    schema_version: u32,
}

impl Counted {
    fn standing(&self) -> Standing {
        let Self { version, is_sold, revenue, is_to_send, .. } = *self;
        Standing { version, is_sold, revenue, is_to_send }
    }
}

impl Sales {
    /// Counts an order as it stands for everybody for whom it counts.
    ///
    /// Safe to repeat, and in any order: it is written down at which version it counts how, in the transaction that
    /// adds what is other than it was; an older version changes nothing.
    ///
    /// # Errors
    /// When there is no such order or the tables cannot be written.
    pub async fn count(&self, id: OrderId, now: Timestamp) -> anyhow::Result<()> {
        for _ in 0..TRIES {
            let order = self.orders.find(id).await?.context("there is no such order")?;
            let known = self.known(&order).await?;
            let mut is_counted = true;
            for party in Party::all_of(&order) {
                let before = known.iter().find(|known| known.seller_id == party.key());
                is_counted &= self.count_for(&party, &order, before, now).await?;
            }
            if is_counted {
                return Ok(());
            }
        }
        Err(Busy).context("count an order")
    }

    /// How it was counted before.
    async fn known(&self, order: &Order) -> anyhow::Result<Vec<Counted>> {
        let entry = entry_of(order);
        let parties = Party::all_of(order);
        let entries = parties.iter().map(|party| (party.key(), entry.as_str()));
        let read = Read::new().entries(&self.table, KEYS, entries, Consistency::Strong)?;
        let mut found = read.fetch(&self.client).await.context("read how an order was counted")?;
        found.take(&self.table).into_iter().map(from_item).collect()
    }

    /// False where somebody else has counted it since.
    async fn count_for(
        &self,
        party: &Party,
        order: &Order,
        before: Option<&Counted>,
        now: Timestamp,
    ) -> anyhow::Result<bool> {
        let standing = Standing::of(party, order);
        let known = before.map(Counted::standing);
        if known.is_some_and(|known| known.version >= standing.version) {
            return Ok(true);
        }
        let mut write = Write::new();
        write.put(self.counted(party, order, standing, known, now)?);
        let more = standing.since(known.unwrap_or(Standing::NONE));
        let shard = party.shard(order).map(|shard| format!("#{shard}")).unwrap_or_default();
        if (more.orders, more.revenue) != (0, 0) {
            let day = format!("{DAY}{}{shard}", day_of(order.placed_at()));
            write.update(self.of_a_day(party, &day, order, more)?);
        }
        if more.to_send != 0 {
            write.update(self.of_now(party, &format!("{DAY}now{shard}"), more)?);
        }
        Ok(matches!(write.commit(&self.client).await?, Written::Done(())))
    }

    /// That it counts so, if it was counted as it was read.
    fn counted(
        &self,
        party: &Party,
        order: &Order,
        standing: Standing,
        known: Option<Standing>,
        now: Timestamp,
    ) -> anyhow::Result<Put> {
        let counted = Counted {
            seller_id: party.key(),
            entry: entry_of(order),
            version: standing.version,
            is_sold: standing.is_sold,
            revenue: standing.revenue,
            is_to_send: standing.is_to_send,
            expires_at: (!standing.is_to_send).then(|| (now + KEPT).unix_seconds()),
            schema_version: SCHEMA_VERSION,
        };
        let put = Put::builder().table_name(&self.table).set_item(Some(to_item(&counted)?));
        let put = match known {
            None => put.condition_expression("attribute_not_exists(entry)"),
            Some(known) => put
                .condition_expression("version = :known")
                .expression_attribute_values(":known", number(known.version)),
        };
        put.build().context("write down how an order counts")
    }

    fn of_a_day(
        &self,
        party: &Party,
        entry: &str,
        order: &Order,
        more: Difference,
    ) -> anyhow::Result<Update> {
        Update::builder()
            .table_name(&self.table)
            .key("sellerId", text(&party.key()))
            .key("entry", text(entry))
            .update_expression(
                "SET currency = :currency, expiresAt = :end, schemaVersion = :schema \
                 ADD orders :orders, revenue :revenue",
            )
            .expression_attribute_values(":currency", text(&order.currency()))
            .expression_attribute_values(":end", number((order.placed_at() + KEPT).unix_seconds()))
            .expression_attribute_values(":schema", number(SCHEMA_VERSION))
            .expression_attribute_values(":orders", number(more.orders))
            .expression_attribute_values(":revenue", number(more.revenue))
            .build()
            .context("count a day's sales")
    }

    fn of_now(&self, party: &Party, entry: &str, more: Difference) -> anyhow::Result<Update> {
        Update::builder()
            .table_name(&self.table)
            .key("sellerId", text(&party.key()))
            .key("entry", text(entry))
            .update_expression("SET schemaVersion = :schema ADD toSend :more")
            .expression_attribute_values(":schema", number(SCHEMA_VERSION))
            .expression_attribute_values(":more", number(more.to_send))
            .build()
            .context("count what is to be sent")
    }

    /// How somebody's business goes, in one query.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn summary(&self, party: &Party, now: Timestamp) -> anyhow::Result<Summary> {
        Ok(Summary::of(&self.counters(party, now).await?, now))
    }

    async fn counters(&self, party: &Party, now: Timestamp) -> anyhow::Result<Vec<Counter>> {
        let first = day_of(now - std::time::Duration::from_hours(24) * (DAYS - 1));
        let query = self.client.query().table_name(&self.table);
        let query = query
            .key_condition_expression("sellerId = :party AND entry BETWEEN :first AND :last")
            .expression_attribute_values(":party", text(&party.key()))
            .expression_attribute_values(":first", text(&format!("{DAY}{first}")))
            // Behind every entry of now.
            .expression_attribute_values(":last", text(&format!("{DAY}now~")));
        let found = query.send().await.context("read what was sold")?;
        Ok(read_each(found.items.unwrap_or_default(), "entry"))
    }
}

fn entry_of(order: &Order) -> String {
    format!("order#{}", order.id())
}
