//! The Sales table.
//!
//! | what | keys |
//! | --- | --- |
//! | what was sold on a day | `sellerId` (or `shop`), `entry` = `day#{day}`, of the shop `day#{day}#{shard}` |
//! | what waits now | `sellerId`, `entry` = `day#now`, of the shop `day#now#{shard}` |
//! | how an order counts, so that it counts once | `sellerId`, `entry` = `order#{orderId}` |
//! | how a product counts, likewise | `sellerId`, `entry` = `product#{productId}` |
//! | what a seller sold in an hour, to be told of | `sellerId`, `entry` = `hour#{hour}` |
//! | index `due`: `due` = `hours`, `dueAt` | hours of which sellers are still to be told |
//!
//! The counters of the last days and of now are one query. A shard is the last digit of an id, which is random: all
//! orders of the shop would meet in one counter. DynamoDB deletes days, orders that wait for nothing and products that
//! are gone after 60 days, and hours after 30.

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{Put, Update};
use products::Products;
use products::events::ProductTold;
use serde::{Deserialize, Serialize};
use shared::caller::UserId;
use shared::dynamo::list::{List, Sort};
use shared::dynamo::{
    Consistency, Item, KeptItems, Read, Stretch, Write, Written, from_item, number, read_each, text, to_item,
};
use shared::http::problem::Busy;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::run::telemetry;
use shared::values::money::Amount;
use shared::values::time::Timestamp;

use super::Orders;
use super::hours;
use crate::digests::Hour;
use crate::sales::{
    Counter, DAY, DAYS, Difference, KEPT, Party, ProductStanding, SCHEMA_VERSION, Standing, Summary, Told,
    day_of,
};
use crate::{Order, OrderId};

const KEYS: (&str, &str) = ("sellerId", "entry");

const OF_SELLER: List = List { index: None, partition: KEYS.0, sort: Sort::Ascending(KEYS.1), key: KEYS.1 };

/// How often an order or a product is counted anew because somebody else counted it at the same time.
const TRIES: u32 = 4;

/// The Sales table, with the orders and the products that are counted.
#[derive(Debug, Clone)]
pub struct Sales {
    client: Client,
    table: String,
    orders: Orders,
    products: Products,
}

impl FromEnv for Sales {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            client: aws.dynamodb(),
            table: config::table("SALES_TABLE"),
            orders: Orders::from_env(aws)?,
            products: Products::from_env(aws)?,
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
    /// In which hour its seller is told of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hour: Option<Hour>,
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

/// How a product counts, as the table has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CountedProduct {
    seller_id: String,
    entry: String,
    /// How often it was counted.
    version: u32,
    #[serde(flatten)]
    standing: ProductStanding,
    /// Likewise; nothing as long as there is such a product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    schema_version: u32,
}

impl Sales {
    /// Counts what an event is about, as it stands. Safe to repeat, and in any order.
    ///
    /// # Errors
    /// Those of [`Self::count`] and [`Self::count_product`].
    pub async fn hear(&self, told: &Told, now: Timestamp) -> anyhow::Result<()> {
        match told {
            Told::Order(order) => {
                telemetry::about("orders", order.order_id);
                self.count(order.order_id, now).await
            }
            Told::Product(product) => {
                telemetry::about("products", product.product_id);
                self.count_product(product, now).await
            }
        }
    }

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

    /// A stretch of what a seller's orders were counted as, as it is kept.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn kept_of(&self, seller: &UserId, stretch: Stretch) -> anyhow::Result<KeptItems> {
        OF_SELLER.kept(&self.client, &self.table, seller, stretch).await
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
        let more = standing.since(known.unwrap_or(Standing::NONE));
        let hour = hour_of(party, order, more, before.and_then(|before| before.hour), now);
        write.put(self.counted(party, order, standing, known, hour, now)?);
        if let (Party::Seller(seller), Some(hour)) = (party, hour)
            && more.orders != 0
            && now < hour.due_at()
        {
            write.update(hours::counted(&self.table, seller, hour, order, more)?);
        }
        let id = order.id().to_string();
        if more.is_of_a_day() {
            let day = format!("{DAY}{}{}", day_of(order.placed_at()), party.shard(&id));
            write.update(self.of_a_day(party, &day, order, more)?);
        }
        if more.is_of_now() {
            write.update(self.of_now(party, &id, more)?);
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
        hour: Option<Hour>,
        now: Timestamp,
    ) -> anyhow::Result<Put> {
        let counted = Counted {
            seller_id: party.key(),
            entry: entry_of(order),
            version: standing.version,
            is_sold: standing.is_sold,
            revenue: standing.revenue,
            is_to_send: standing.is_to_send,
            hour,
            expires_at: (!standing.is_to_send).then(|| (now + KEPT).unix_seconds()),
            schema_version: SCHEMA_VERSION,
        };
        self.if_known(to_item(&counted)?, known.map(|known| known.version))
    }

    /// How something counts, if it was counted as it was read: under this version, or not yet.
    fn if_known(&self, counted: Item, version: Option<u32>) -> anyhow::Result<Put> {
        let put = Put::builder().table_name(&self.table).set_item(Some(counted));
        let put = match version {
            None => put.condition_expression("attribute_not_exists(entry)"),
            Some(version) => put
                .condition_expression("version = :known")
                .expression_attribute_values(":known", number(version)),
        };
        put.build().context("write down how something counts")
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

    /// What waits is other by the order or the product of this id.
    fn of_now(&self, party: &Party, id: &str, more: Difference) -> anyhow::Result<Update> {
        Update::builder()
            .table_name(&self.table)
            .key("sellerId", text(&party.key()))
            .key("entry", text(&format!("{DAY}now{}", party.shard(id))))
            .update_expression(
                "SET schemaVersion = :schema ADD toSend :send, toApprove :approve, lowStock :low",
            )
            .expression_attribute_values(":schema", number(SCHEMA_VERSION))
            .expression_attribute_values(":send", number(more.to_send))
            .expression_attribute_values(":approve", number(more.to_approve))
            .expression_attribute_values(":low", number(more.low_stock))
            .build()
            .context("count what waits")
    }

    /// Counts a product as it stands, for its seller and for the shop.
    ///
    /// Safe to repeat, and in any order: it is written down how it was counted, under the number of times that it was,
    /// in the transaction that adds what is other than it was. That is read before the product is: so whoever has read
    /// an older state of the product than another is refused where the other has written since.
    ///
    /// # Errors
    /// When the tables cannot be read or written.
    pub async fn count_product(&self, told: &ProductTold, now: Timestamp) -> anyhow::Result<()> {
        let seller = Party::Seller(told.seller_id.clone());
        let entry = format!("product#{}", told.product_id);
        for _ in 0..TRIES {
            let known = self.known_product(&seller, &entry).await?;
            let found = self.products.find(told.product_id).await?;
            let standing = ProductStanding::of(found.as_ref());
            let counted = CountedProduct {
                seller_id: seller.key(),
                entry: entry.clone(),
                version: known.as_ref().map_or(0, |known| known.version) + 1,
                standing,
                expires_at: found.is_none().then(|| (now + KEPT).unix_seconds()),
                schema_version: SCHEMA_VERSION,
            };
            let mut write = Write::new();
            write.put(self.if_known(to_item(&counted)?, known.as_ref().map(|known| known.version))?);
            let more = standing.since(known.map(|known| known.standing).unwrap_or_default());
            if more.is_of_now() {
                let id = told.product_id.to_string();
                write.update(self.of_now(&seller, &id, more)?);
                write.update(self.of_now(&Party::Shop, &id, more)?);
            }
            if let Written::Done(()) = write.commit(&self.client).await? {
                return Ok(());
            }
        }
        Err(Busy).context("count a product")
    }

    async fn known_product(&self, seller: &Party, entry: &str) -> anyhow::Result<Option<CountedProduct>> {
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let get = get.key("sellerId", text(&seller.key())).key("entry", text(entry));
        let found = get.send().await.context("read how a product was counted")?;
        found.item.map(from_item).transpose()
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

/// In which hour a seller is told of an order: that in which it is sold. Nobody is told of what they sold themselves.
fn hour_of(
    party: &Party,
    order: &Order,
    more: Difference,
    before: Option<Hour>,
    now: Timestamp,
) -> Option<Hour> {
    let Party::Seller(seller) = party else { return None };
    if more.orders > 0 && seller != order.buyer() { Some(Hour::of(now)) } else { before }
}

fn entry_of(order: &Order) -> String {
    format!("order#{}", order.id())
}
