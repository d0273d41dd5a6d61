//! The Payments table.
//!
//! | what | keys |
//! | --- | --- |
//! | an attempt to pay | `paymentId`, `entry` = `payment` |
//! | a refund | `paymentId`, `entry` = `refund#{its id, or Stripe's where it was made there}` |
//! | a dispute | `paymentId`, `entry` = `dispute#{Stripe's id of it}` |
//! | what came or went, once for each fact | `paymentId`, `entry` = `ledger#{fact}` |
//! | whose money a PaymentIntent of Stripe's is | `paymentId` = `intent#{its id}`, `entry` = `pointer` |
//! | an order's attempts | index `order`: `orderId`, `createdAt`; of all entries attempts alone have both |
//! | refunds of which something is owed, the money or a letter | index `due`: `due` ("0" to "3"), `dueAt`; sparse |
//!
//! The ledger is put and never changed. Its facts are named after Stripe's objects, or after ours where Stripe knows
//! nothing of them, so that what is told several times, or by several events, is written once.

mod attempts;
mod disputes;
mod refunds;

use std::time::Duration;

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Put, Update};
use orders::{Order, OrderId, Orders, PaymentId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::dynamo::list::Sort::{Ascending, Descending};
use shared::dynamo::list::{Cursors, List, Page, PageRequest};
use shared::dynamo::{Batch, Consistency, Item, Read, from_item, number, text, to_item};
use shared::http::problem::Problem;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::money::Amount;
use shared::values::time::Timestamp;
use users::OpenAccounts;

use crate::attempt::{ATTEMPT, Payment, SCHEMA_VERSION};
use crate::deciding::{Said, State};
use crate::disputes::{DISPUTE, Dispute, Funds};
use crate::ids::{EventId, IntentId, RefundId};
use crate::refunds::Refund;

pub(crate) use disputes::Disputed;
pub use refunds::{DueRefund, Passed};

/// How long a refund may be owed before it is swept up: longer than it takes when all is well.
pub(crate) const GRACE: Duration = Duration::from_mins(2);

/// The shards of the index `due`.
pub(crate) const DUE_SHARDS: [&str; 4] = ["0", "1", "2", "3"];

const KEYS: (&str, &str) = ("paymentId", "entry");

const WHOLE: List = List { index: None, partition: KEYS.0, sort: Ascending(KEYS.1), key: KEYS.1 };

const OF_ORDER: List =
    List { index: Some("order"), partition: "orderId", sort: Descending("createdAt"), key: "paymentId" };

/// The shard of the index `due` for a refund: by its id's last digit, which is random.
pub(crate) fn due_shard(id: &str) -> String {
    let digit = id.chars().next_back().and_then(|digit| digit.to_digit(16)).unwrap_or_default();
    DUE_SHARDS[usize::try_from(digit).unwrap_or_default() % DUE_SHARDS.len()].to_owned()
}

/// The Payments table, with the orders that payments change.
#[derive(Debug, Clone)]
pub struct Payments {
    client: Client,
    table: String,
    orders: Orders,
    accounts: OpenAccounts,
}

impl FromEnv for Payments {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            client: aws.dynamodb(),
            table: config::table("PAYMENTS_TABLE"),
            orders: Orders::from_env(aws)?,
            accounts: OpenAccounts::from_env(aws)?,
        })
    }
}

/// Something that came or went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LedgerEntry {
    payment_id: PaymentId,
    entry: String,
    /// What came; below zero, what went.
    amount: i64,
    at: Timestamp,
    /// What it is about: Stripe's object, or ours.
    object_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event_id: Option<EventId>,
    schema_version: u32,
}

impl LedgerEntry {
    /// What it is about: `charge:pi_…`.
    pub fn fact(&self) -> &str {
        self.entry.strip_prefix(LEDGER).unwrap_or(&self.entry)
    }

    /// What came; below zero, what went.
    pub fn amount(&self) -> i64 {
        self.amount
    }

    /// When it was written down.
    pub fn at(&self) -> Timestamp {
        self.at
    }
}

const LEDGER: &str = "ledger#";

/// A fact of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fact<'a> {
    Charge(&'a str),
    /// Taken at the door.
    Cash(OrderId),
    Refund(&'a str),
    RefundFailed(&'a str),
    /// Given back by somebody in another way than the provider's.
    Outside(RefundId),
    Withdrawn(&'a str),
    Reinstated(&'a str),
}

impl Fact<'_> {
    fn entry(self) -> String {
        match self {
            Self::Charge(id) => format!("{LEDGER}charge:{id}"),
            Self::Cash(order) => format!("{LEDGER}cash:{order}"),
            Self::Refund(id) => format!("{LEDGER}refund:{id}"),
            Self::RefundFailed(id) => format!("{LEDGER}refund-failed:{id}"),
            Self::Outside(id) => format!("{LEDGER}outside:{id}"),
            Self::Withdrawn(id) => format!("{LEDGER}dispute:{id}:{}", Funds::Withdrawn),
            Self::Reinstated(id) => format!("{LEDGER}dispute:{id}:{}", Funds::Reinstated),
        }
    }

    fn object(self) -> String {
        match self {
            Self::Charge(id)
            | Self::Refund(id)
            | Self::RefundFailed(id)
            | Self::Withdrawn(id)
            | Self::Reinstated(id) => id.to_owned(),
            Self::Cash(order) => order.to_string(),
            Self::Outside(id) => id.to_string(),
        }
    }

    fn signed(self, amount: Amount) -> anyhow::Result<i64> {
        let amount = i64::try_from(amount.minor()).context("an amount fits")?;
        Ok(match self {
            Self::Charge(_) | Self::Cash(_) | Self::RefundFailed(_) | Self::Reinstated(_) => amount,
            Self::Refund(_) | Self::Outside(_) | Self::Withdrawn(_) => -amount,
        })
    }
}

/// An attempt with all that was written down of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// The attempt.
    pub payment: Payment,
    /// What was given back of it, or is to be.
    pub refunds: Vec<Refund>,
    /// What its buyer asked the bank for.
    pub disputes: Vec<Dispute>,
    /// What came and went.
    pub ledger: Vec<LedgerEntry>,
}

impl Whole {
    /// Whether what the attempt counts is what the ledger sums to, and all that came is accounted for.
    pub fn adds_up(&self) -> bool {
        let minor = |amount: Amount| i128::from(amount.minor());
        let payment = &self.payment;
        let sum: i128 = self.ledger.iter().map(|entry| i128::from(entry.amount)).sum();
        let gone = minor(payment.refunded) + i128::from(payment.disputed);
        let parts = minor(payment.refundable) + minor(payment.refunding) + minor(payment.refunded);
        sum == minor(payment.captured) - gone && parts == minor(payment.captured)
    }
}

/// Whose money a PaymentIntent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Owner {
    /// The attempt that it paid.
    #[serde(rename = "ownerId")]
    pub payment_id: PaymentId,
    /// Its order.
    pub order_id: OrderId,
}

/// What something is decided by, as it was read at one go.
#[derive(Debug)]
pub(crate) struct Found {
    pub order: Option<Order>,
    pub payment: Option<Payment>,
    pub is_in_the_ledger: bool,
}

impl Payments {
    /// The orders.
    pub fn orders(&self) -> &Orders {
        &self.orders
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The attempt, whoever's it is.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn find(&self, id: PaymentId) -> anyhow::Result<Option<Payment>> {
        self.get(&id.to_string(), ATTEMPT).await?.map(from_item).transpose()
    }

    async fn get(&self, id: &str, entry: &str) -> anyhow::Result<Option<Item>> {
        let get = self.client.get_item().table_name(&self.table);
        let get = get.key("paymentId", text(id)).key("entry", text(entry));
        Ok(get.consistent_read(true).send().await.context("read a payment")?.item)
    }

    /// An order's attempts, in no order.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn attempts(&self, ids: &[PaymentId]) -> anyhow::Result<Vec<Payment>> {
        let entries = ids.iter().map(|id| (id, ATTEMPT));
        let read = Read::new().entries(&self.table, KEYS, entries, Consistency::Strong)?;
        let mut found = read.fetch(&self.client).await.context("read an order's payments")?;
        found.take(&self.table).into_iter().map(from_item).collect()
    }

    /// The attempt, its refunds and its ledger.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn whole(&self, id: PaymentId) -> anyhow::Result<Option<Whole>> {
        let query = self.client.query().table_name(&self.table).consistent_read(true);
        let query = query.key_condition_expression("paymentId = :id");
        let found = query.expression_attribute_values(":id", text(&id)).send().await;
        let (mut payment, mut refunds, mut disputes, mut ledger) = (None, Vec::new(), Vec::new(), Vec::new());
        for item in found.context("read a payment")?.items.unwrap_or_default() {
            match item.get("entry") {
                Some(AttributeValue::S(entry)) if entry == ATTEMPT => payment = Some(from_item(item)?),
                Some(AttributeValue::S(entry)) if entry.starts_with(LEDGER) => ledger.push(from_item(item)?),
                Some(AttributeValue::S(entry)) if entry.starts_with(DISPUTE) => {
                    disputes.push(from_item(item)?);
                }
                _ => refunds.push(from_item::<Refund>(item)?),
            }
        }
        ledger.sort_by_key(LedgerEntry::at);
        refunds.sort_by_key(|refund| refund.requested_at);
        disputes.sort_by_key(|dispute: &Dispute| dispute.created_at);
        Ok(payment.map(|payment| Whole { payment, refunds, disputes, ledger }))
    }

    /// All that is kept of an order's money: its attempts, refunds, disputes and the ledger. A query for the attempts,
    /// and one for each of them.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn kept_of(&self, order: OrderId) -> anyhow::Result<Vec<Value>> {
        let mut entries = Vec::new();
        for attempt in OF_ORDER.all_kept(&self.client, &self.table, &order).await? {
            let id = attempt["paymentId"].as_str().context("an attempt has an id")?;
            entries.extend(WHOLE.all_kept(&self.client, &self.table, &id).await?);
        }
        Ok(entries)
    }

    /// A page of an order's attempts, the newest first.
    ///
    /// # Errors
    /// `invalid-input` for a cursor of another list.
    pub async fn list(
        &self,
        order: OrderId,
        cursors: &Cursors,
        request: &PageRequest,
    ) -> Result<Page<Payment>, Problem> {
        cursors.page(&self.client, &self.table, OF_ORDER, &order.to_string(), request).await
    }

    /// What is known of what is said.
    pub(crate) async fn known(&self, said: &Said) -> anyhow::Result<Found> {
        let mut entries = vec![(said.payment, ATTEMPT.to_owned())];
        if let State::Paid(money) = &said.state {
            entries.push((said.payment, Fact::Charge(money.intent.as_str()).entry()));
        }
        let read = self.orders.with(Read::new(), said.order)?;
        let read = read.entries(&self.table, KEYS, entries, Consistency::Strong)?;
        let mut found = read.fetch(&self.client).await.context("read what is known of a payment")?;
        let order = self.orders.found_in(&mut found)?;
        let (payments, ledger) = self.entries_in(&mut found);
        let payment = payments.into_iter().next().map(from_item).transpose()?;
        Ok(Found { order, payment, is_in_the_ledger: !ledger.is_empty() })
    }

    /// The attempts that were read, and what was read of the ledger.
    fn entries_in(&self, found: &mut Batch) -> (Vec<Item>, Vec<Item>) {
        let is_attempt = |item: &Item| item.get("entry") == Some(&text(ATTEMPT));
        found.take(&self.table).into_iter().partition(is_attempt)
    }

    /// Whose money a PaymentIntent is, if it is this shop's.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn owner_of(&self, intent: &IntentId) -> anyhow::Result<Option<Owner>> {
        self.get(&pointer_key(intent), POINTER).await?.map(from_item).transpose()
    }

    fn pointer(&self, intent: &IntentId, owner: Owner) -> anyhow::Result<Put> {
        let mut item = to_item(&owner)?;
        item.insert("paymentId".into(), text(&pointer_key(intent)));
        item.insert("entry".into(), text(POINTER));
        item.insert("schemaVersion".into(), number(SCHEMA_VERSION));
        Put::builder().table_name(&self.table).set_item(Some(item)).build().context("point to a payment")
    }

    /// Writes a fact down, once.
    fn ledger(
        &self,
        payment_id: PaymentId,
        fact: Fact<'_>,
        amount: Amount,
        event_id: Option<EventId>,
        at: Timestamp,
    ) -> anyhow::Result<Put> {
        let entry = LedgerEntry {
            payment_id,
            entry: fact.entry(),
            amount: fact.signed(amount)?,
            at,
            object_id: fact.object(),
            event_id,
            schema_version: SCHEMA_VERSION,
        };
        Put::builder()
            .table_name(&self.table)
            .set_item(Some(to_item(&entry)?))
            .condition_expression("attribute_not_exists(entry)")
            .build()
            .context("write a fact down")
    }

    /// An update of an entry that notes the time as well, to which `:now` belongs.
    fn change(&self, payment: PaymentId, entry: &str, now: Timestamp) -> UpdateBuilder {
        Update::builder()
            .table_name(&self.table)
            .key("paymentId", text(&payment))
            .key("entry", text(entry))
            .expression_attribute_values(":now", text(&now))
    }
}

const POINTER: &str = "pointer";

fn pointer_key(intent: &IntentId) -> String {
    format!("intent#{intent}")
}
