//! The Webhooks table.
//!
//! | what | `webhookId` (partition) | `entry` (sort) |
//! | --- | --- | --- |
//! | an endpoint | `endpoints` | its id |
//! | how many there are | `endpoints` | `#count` |
//! | who is sending to an endpoint at this moment, and since when that fails | its id | `sending` |
//! | a delivery | its id | `delivery` |
//!
//! | index | keys | read by |
//! | --- | --- | --- |
//! | `endpoint` | `endpointId`, `createdAt` | the list of an endpoint's deliveries |
//! | `due` | `due` = the endpoint's id, `dueAt` | the sweep: what is to be sent again, or was left over |
//!
//! All endpoints are one query: their number is kept by a condition. An endpoint changes under its `version`, so that
//! of two changes made at the same time none is lost. A delivery is put if it is not there; each attempt claims it
//! under how often it was tried, so of two senders one sends. DynamoDB deletes it some time after `expiresAt`.
//!
//! An endpoint's part of `due` is its own: however much is due to one, the others' is found as fast.

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, ReturnValue, Update};
use serde::Deserialize;
use shared::dynamo::list::Sort::Descending;
use shared::dynamo::list::{Cursors, List, Page, PageRequest};
use shared::dynamo::{
    Item, Write, Written, due, from_item, number, put_item, read_each, text, to_item, update_item,
};
use shared::http::IfMatch;
use shared::http::problem::Problem;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::id::random_bytes;
use shared::values::time::Timestamp;

use crate::delivery::{Attempt, Delivery, DeliveryId, DeliveryStatus, LEASE, LEFT_TO_THE_QUEUE, Next};
use crate::{Endpoint, EndpointId, Error};

const ENDPOINTS: &str = "endpoints";
const COUNT: &str = "#count";
const SENDING: &str = "sending";
const DELIVERY: &str = "delivery";

const DELIVERIES: List = List {
    index: Some("endpoint"),
    partition: "endpointId",
    sort: Descending("createdAt"),
    key: "webhookId,entry",
};

/// How often a change is tried again when others changed the endpoint first.
const TRIES: u32 = 5;

/// How many deliveries may be on their way to one endpoint at the same time, by the attributes that have them. One that
/// fails has the first alone. (decision 0068: what bounds whom.)
const SLOTS: [&str; 3] = ["s0", "s1", "s2"];

shared::id!(
    /// Names one try to send. A message that is delivered twice at once is two tries.
    TryId
);

/// The Webhooks table.
#[derive(Debug, Clone)]
pub struct Webhooks {
    client: Client,
    table: String,
}

impl FromEnv for Webhooks {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { client: aws.dynamodb(), table: config::required("WEBHOOKS_TABLE")? })
    }
}

/// How many endpoints there may be, from the variable `WEBHOOK_ENDPOINTS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Most(u32);

impl FromEnv for Most {
    fn from_env(_: &Aws) -> Result<Self, ConfigError> {
        config::required("WEBHOOK_ENDPOINTS").map(Self)
    }
}

/// A place among those who send to an endpoint, for a minute at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    name: &'static str,
    mine: String,
}

/// What came of asking for a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taking {
    /// It is ours.
    Taken(Slot),
    /// Others have all that there are.
    Full {
        /// Whether the endpoint has failed since it last took something.
        is_failing: bool,
    },
    /// There is no such endpoint any more.
    Gone,
}

/// Who is sending to an endpoint.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sending {
    #[serde(default)]
    failing_since: Option<Timestamp>,
    #[serde(default)]
    s0: Option<String>,
    #[serde(default)]
    s1: Option<String>,
    #[serde(default)]
    s2: Option<String>,
}

impl Sending {
    fn holders(&self) -> [(&'static str, Option<&str>); 3] {
        let [s0, s1, s2] = SLOTS;
        [(s0, self.s0.as_deref()), (s1, self.s1.as_deref()), (s2, self.s2.as_deref())]
    }

    /// A place that nobody has at `now`.
    fn free(&self, now: &str) -> Option<&'static str> {
        let open = if self.failing_since.is_some() { 1 } else { SLOTS.len() };
        let mut holders = self.holders().into_iter().take(open);
        holders.find(|(_, holder)| holder.is_none_or(|until| until < now)).map(|(name, _)| name)
    }
}

/// A delivery whose time has come, as the index has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DueDelivery {
    /// Its name.
    #[serde(rename = "webhookId")]
    pub id: DeliveryId,
    /// To whom it goes.
    pub due: EndpointId,
    /// How often it was tried.
    pub attempts: u32,
    due_at: Timestamp,
}

impl Webhooks {
    /// Records a new endpoint, if there are fewer than `most`. Safe to repeat by the SDK: the same endpoint is there
    /// once.
    ///
    /// # Errors
    /// [`Error::TooMany`].
    pub async fn create(&self, endpoint: &Endpoint, Most(most): Most) -> Result<(), Error> {
        let (mut write, id) = (Write::new(), endpoint.id());
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(to_item(endpoint)?))
            .item("webhookId", text(ENDPOINTS))
            .condition_expression("attribute_not_exists(webhookId)");
        let put = write.put(put.build().context("record an endpoint")?);
        let sending = Put::builder()
            .table_name(&self.table)
            .item("webhookId", text(&id))
            .item("entry", text(SENDING))
            .item("schemaVersion", number(1));
        write.put(sending.build().context("record who sends to an endpoint")?);
        let count = self
            .update(ENDPOINTS, COUNT)
            .update_expression("SET schemaVersion = :schema ADD endpoints :one")
            .condition_expression("attribute_not_exists(endpoints) OR endpoints < :most")
            .expression_attribute_values(":schema", number(1))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":most", number(most));
        // A condition that nothing fulfils where there may be none.
        let count = if most == 0 { count.condition_expression("endpoints < :most") } else { count };
        write.update(count.build().context("count endpoints")?);
        match write.commit(&self.client).await? {
            Written::Done(()) => Ok(()),
            // It is one whose reply was lost: ids are not chosen twice.
            Written::Refused(found) if found.at(put).is_some() => Ok(()),
            Written::Refused(_) => Err(Error::TooMany(most)),
        }
    }

    /// All endpoints, in the order in which they were made.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn endpoints(&self) -> anyhow::Result<Vec<Endpoint>> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            // The count begins with a character that no id has, and that stands before all of theirs.
            .key_condition_expression("webhookId = :endpoints AND entry >= :first")
            .expression_attribute_values(":endpoints", text(ENDPOINTS))
            .expression_attribute_values(":first", text("0"))
            .consistent_read(true);
        let found = query.send().await.context("read all endpoints")?;
        Ok(read_each(found.items.unwrap_or_default(), "entry"))
    }

    /// The endpoint as it is now.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn endpoint(&self, id: EndpointId) -> anyhow::Result<Option<Endpoint>> {
        let found = self.item(ENDPOINTS, &id.to_string()).await.context("read an endpoint")?;
        found.map(from_item).transpose()
    }

    /// The endpoint as it is now, which somebody asked for.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn existing(&self, id: EndpointId) -> Result<Endpoint, Error> {
        self.endpoint(id).await?.ok_or(Error::NotFound)
    }

    /// Applies `rule` to the endpoint, if it is a version that the request is about, and tries again when somebody else
    /// changed it meanwhile. Where the rule gives `None` there is nothing to change. Safe to repeat as far as the rule
    /// is.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::AnotherVersion`], and [`Error::ChangedMeanwhile`] when the others did not stop.
    pub async fn change(
        &self,
        id: EndpointId,
        if_match: &IfMatch,
        rule: impl Fn(&Endpoint) -> Option<Endpoint>,
    ) -> Result<Endpoint, Error> {
        let mut tried: Option<Endpoint> = None;
        for _ in 0..TRIES {
            let found = self.existing(id).await?;
            // Refused, a write may be one whose reply was lost: then this is what it wrote.
            if tried.as_ref() == Some(&found) {
                return Ok(found);
            }
            if !if_match.allows(found.version) {
                return Err(Error::AnotherVersion);
            }
            let Some(next) = rule(&found) else { return Ok(found) };
            if next.is_on() && !found.is_on() {
                self.forget_failures(id).await?;
            }
            let put = Put::builder()
                .table_name(&self.table)
                .set_item(Some(to_item(&next)?))
                .item("webhookId", text(ENDPOINTS))
                .condition_expression("version = :read")
                .expression_attribute_values(":read", number(found.version));
            match put_item(&self.client, put.build().context("change an endpoint")?).await? {
                Written::Done(()) => return Ok(next),
                Written::Refused(_) => tried = Some(next),
            }
        }
        Err(Error::ChangedMeanwhile)
    }

    /// Has an endpoint begin anew, as if it had never failed. Safe to repeat.
    async fn forget_failures(&self, id: EndpointId) -> anyhow::Result<()> {
        let update = self
            .update(&id.to_string(), SENDING)
            .update_expression("REMOVE failingSince")
            .condition_expression("attribute_exists(webhookId)");
        let update = update.build().context("forget failures")?;
        update_item(&self.client, update, ReturnValue::None).await.map(drop).context("forget failures")
    }

    /// Deletes an endpoint, if it is a version that the request is about. What is on its way to it is stopped by
    /// whoever finds it gone.
    ///
    /// # Errors
    /// [`Error::NotFound`], also the second time, and [`Error::AnotherVersion`].
    pub async fn delete(&self, id: EndpointId, if_match: &IfMatch) -> Result<(), Error> {
        let mut write = Write::new();
        let (condition, values) = match if_match.condition() {
            None => ("attribute_exists(webhookId)".to_owned(), None),
            Some((condition, values)) => (condition, Some(values)),
        };
        let endpoint = Delete::builder()
            .table_name(&self.table)
            .key("webhookId", text(ENDPOINTS))
            .key("entry", text(&id))
            .condition_expression(condition)
            .set_expression_attribute_values(values);
        let endpoint = write.delete(endpoint.build().context("delete an endpoint")?);
        let sending =
            Delete::builder().table_name(&self.table).key("webhookId", text(&id)).key("entry", text(SENDING));
        write.delete(sending.build().context("delete who sends to an endpoint")?);
        let count = self
            .update(ENDPOINTS, COUNT)
            .update_expression("ADD endpoints :less")
            .expression_attribute_values(":less", number(-1));
        write.update(count.build().context("count endpoints")?);
        match write.commit(&self.client).await? {
            Written::Done(()) => Ok(()),
            Written::Refused(found) if found.at(endpoint).is_some_and(|item| !item.is_empty()) => {
                Err(Error::AnotherVersion)
            }
            Written::Refused(_) => Err(Error::NotFound),
        }
    }

    /// Records a delivery, if it is not there. Gives it as it is then: recorded now, or at an earlier time.
    ///
    /// # Errors
    /// When the table does not take it.
    pub async fn record(&self, delivery: Delivery) -> anyhow::Result<Delivery> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(to_item(&delivery)?))
            .item("entry", text(DELIVERY))
            .condition_expression("attribute_not_exists(webhookId)");
        let put = put.build().context("record a delivery")?;
        match put_item(&self.client, put).await.context("record a delivery")? {
            Written::Done(()) => Ok(delivery),
            Written::Refused(found) => from_item(found),
        }
    }

    /// A delivery as it is now.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn delivery(&self, id: DeliveryId) -> anyhow::Result<Option<Delivery>> {
        let found = self.item(&id.to_string(), DELIVERY).await.context("read a delivery")?;
        found.map(from_item).transpose()
    }

    /// A page of an endpoint's deliveries, newest first; with a status, of that status alone.
    ///
    /// # Errors
    /// `invalid-input` for a cursor of another list.
    pub async fn deliveries(
        &self,
        endpoint: EndpointId,
        status: Option<DeliveryStatus>,
        cursors: &Cursors,
        request: &PageRequest,
    ) -> Result<Page<Delivery>, Problem> {
        let (of, only) = (endpoint.to_string(), status.map(|status| ("status", status.as_str())));
        cursors.filtered_page(&self.client, &self.table, DELIVERIES, &of, only, request).await
    }

    /// Asks for a place among those who send to an endpoint, for the try `me`. Whoever dies with it loses it after a
    /// minute.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn take_slot(&self, endpoint: EndpointId, me: TryId, now: Timestamp) -> anyhow::Result<Taking> {
        let (mine, now) = (format!("{}#{me}", now + LEASE), now.to_string());
        let [random] = random_bytes();
        let mut name = SLOTS[usize::from(random) % SLOTS.len()];
        for _ in 0..=SLOTS.len() {
            let found = match self.try_slot(endpoint, name, &mine, &now).await? {
                Written::Done(_) => return Ok(Taking::Taken(Slot { name, mine })),
                Written::Refused(found) if found.is_empty() => return Ok(Taking::Gone),
                Written::Refused(found) => from_item::<Sending>(found)?,
            };
            // The SDK tried twice, and its first try took effect.
            if let Some((name, _)) = found.holders().into_iter().find(|(_, holder)| *holder == Some(&mine)) {
                return Ok(Taking::Taken(Slot { name, mine }));
            }
            let is_failing = found.failing_since.is_some();
            let Some(free) = found.free(&now) else { return Ok(Taking::Full { is_failing }) };
            name = free;
        }
        Ok(Taking::Full { is_failing: false })
    }

    async fn try_slot(
        &self,
        endpoint: EndpointId,
        name: &str,
        mine: &str,
        now: &str,
    ) -> anyhow::Result<Written<Item, Item>> {
        let is_free = "attribute_exists(webhookId) AND (attribute_not_exists(#slot) OR #slot < :now)";
        let condition = if name == SLOTS[0] {
            is_free.to_owned()
        } else {
            format!("{is_free} AND attribute_not_exists(failingSince)")
        };
        let update = self
            .update(&endpoint.to_string(), SENDING)
            .update_expression("SET #slot = :mine")
            .condition_expression(condition)
            .expression_attribute_names("#slot", name)
            .expression_attribute_values(":mine", text(mine))
            .expression_attribute_values(":now", text(now));
        let update = update.build().context("ask for a place")?;
        update_item(&self.client, update, ReturnValue::None).await.context("ask for a place")
    }

    /// Gives a place back and notes whether the endpoint took what was sent, if anything was. Gives since when it
    /// fails. Where the place is another's by now, nothing is noted: that one's attempt will say.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn leave_slot(
        &self,
        endpoint: EndpointId,
        slot: &Slot,
        attempt: Option<&Attempt>,
    ) -> anyhow::Result<Option<Timestamp>> {
        let update = self
            .update(&endpoint.to_string(), SENDING)
            .condition_expression("#slot = :mine")
            .expression_attribute_names("#slot", slot.name)
            .expression_attribute_values(":mine", text(&slot.mine));
        let update = match attempt {
            None => update.update_expression("REMOVE #slot"),
            Some(attempt) if attempt.is_success() => update.update_expression("REMOVE #slot, failingSince"),
            Some(attempt) => update
                .update_expression("SET failingSince = if_not_exists(failingSince, :at) REMOVE #slot")
                .expression_attribute_values(":at", text(&attempt.ended_at())),
        };
        let update = update.build().context("leave a place")?;
        let left = update_item(&self.client, update, ReturnValue::AllNew).await.context("leave a place")?;
        let (Written::Done(item) | Written::Refused(item)) = left;
        if item.is_empty() {
            return Ok(None);
        }
        Ok(from_item::<Sending>(item)?.failing_since)
    }

    /// Claims a delivery for its next attempt: nobody else sends it for a minute, and then a sweep looks at it. Whether
    /// it is ours.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn claim(&self, delivery: &Delivery, me: TryId, now: Timestamp) -> anyhow::Result<bool> {
        let update = self
            .of(delivery.id())
            .update_expression(
                "SET attempts = :next, leaseUntil = :until, dueAt = :until, holder = :me REMOVE againAt",
            )
            .condition_expression(
                "#status = :pending AND attempts = :read AND (attribute_not_exists(leaseUntil) OR leaseUntil <= :now)",
            )
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":pending", text(DeliveryStatus::Pending.as_str()))
            .expression_attribute_values(":read", number(delivery.attempts()))
            .expression_attribute_values(":next", number(delivery.attempts() + 1))
            .expression_attribute_values(":me", text(&me))
            .expression_attribute_values(":now", text(&now))
            .expression_attribute_values(":until", text(&(now + LEASE)));
        let update = update.build().context("claim a delivery")?;
        Ok(match update_item(&self.client, update, ReturnValue::None).await.context("claim a delivery")? {
            Written::Done(_) => true,
            // The SDK tried twice, and its first try took effect.
            Written::Refused(found) => found.get("holder") == Some(&text(&me)),
        })
    }

    /// Writes what came of the attempt number `attempts`, counted from 1. Safe to repeat. Where the delivery has gone
    /// on since, it stays as it is.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn settle(
        &self,
        id: DeliveryId,
        attempts: u32,
        attempt: &Attempt,
        next: Next,
    ) -> anyhow::Result<()> {
        let update = self.of(id);
        let update = match next {
            Next::Done | Next::GivenUp => update.update_expression(
                "SET #status = :status, lastAttempt = :attempt REMOVE due, dueAt, againAt, leaseUntil, holder",
            ),
            Next::Again(at) => update
                .update_expression(
                    "SET #status = :status, lastAttempt = :attempt, againAt = :again, dueAt = :look \
                     REMOVE leaseUntil, holder",
                )
                .expression_attribute_values(":again", text(&at))
                .expression_attribute_values(":look", text(&next.looked_at(attempt.ended_at(), at))),
        };
        let update = update
            .condition_expression("#status = :pending AND attempts = :attempts")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":pending", text(DeliveryStatus::Pending.as_str()))
            .expression_attribute_values(":attempts", number(attempts))
            .expression_attribute_values(":status", text(next.status().as_str()))
            .expression_attribute_values(":attempt", AttributeValue::M(to_item(attempt)?));
        let update = update.build().context("settle a delivery")?;
        update_item(&self.client, update, ReturnValue::None).await.map(drop).context("settle a delivery")
    }

    /// Stops a delivery that is to be sent: nobody wants it any more. Safe to repeat.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn stop(&self, id: DeliveryId) -> anyhow::Result<()> {
        let update = self
            .of(id)
            .update_expression("SET #status = :stopped REMOVE due, dueAt, againAt, leaseUntil, holder")
            .condition_expression("#status = :pending")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":pending", text(DeliveryStatus::Pending.as_str()))
            .expression_attribute_values(":stopped", text(DeliveryStatus::Stopped.as_str()));
        let update = update.build().context("stop a delivery")?;
        update_item(&self.client, update, ReturnValue::None).await.map(drop).context("stop a delivery")
    }

    /// Has a delivery sent again, as if it had never been tried, unless it is being sent. Safe to repeat.
    ///
    /// # Errors
    /// [`Error::NoDelivery`] and [`Error::BeingSent`].
    pub async fn revive(&self, delivery: &Delivery, now: Timestamp) -> Result<Delivery, Error> {
        let update = self
            .of(delivery.id())
            .update_expression(
                "SET #status = :pending, attempts = :none, due = :due, dueAt = :look \
                 REMOVE againAt, leaseUntil, holder",
            )
            .condition_expression(
                "attribute_exists(webhookId) AND (attribute_not_exists(leaseUntil) OR leaseUntil <= :now)",
            )
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":pending", text(DeliveryStatus::Pending.as_str()))
            .expression_attribute_values(":none", number(0))
            .expression_attribute_values(":due", text(&delivery.endpoint()))
            .expression_attribute_values(":now", text(&now))
            .expression_attribute_values(":look", text(&(now + LEFT_TO_THE_QUEUE)));
        let update = update.build().context("send a delivery again")?;
        let sent = update_item(&self.client, update, ReturnValue::AllNew).await;
        match sent.context("send a delivery again")? {
            Written::Done(item) => Ok(from_item(item)?),
            Written::Refused(item) if item.is_empty() => Err(Error::NoDelivery),
            Written::Refused(_) => Err(Error::BeingSent),
        }
    }

    /// At most `limit` deliveries to an endpoint whose time has come.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn due(
        &self,
        endpoint: EndpointId,
        now: Timestamp,
        limit: i32,
    ) -> anyhow::Result<Vec<DueDelivery>> {
        due(&self.client, (&self.table, "webhookId"), &endpoint.to_string(), now, limit).await
    }

    /// Has the next sweep look at a due delivery later. Whether it was so before: of two sweeps one puts it off.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn put_off(&self, delivery: &DueDelivery, now: Timestamp) -> anyhow::Result<bool> {
        let update = self
            .of(delivery.id)
            .update_expression("SET dueAt = :look")
            .condition_expression("dueAt = :read AND attempts = :attempts")
            .expression_attribute_values(":read", text(&delivery.due_at))
            .expression_attribute_values(":attempts", number(delivery.attempts))
            .expression_attribute_values(":look", text(&(now + LEFT_TO_THE_QUEUE)));
        let update = update.build().context("put a delivery off")?;
        let sent = update_item(&self.client, update, ReturnValue::None).await;
        Ok(matches!(sent.context("put a delivery off")?, Written::Done(_)))
    }

    async fn item(&self, id: &str, entry: &str) -> anyhow::Result<Option<Item>> {
        let get = self.client.get_item().table_name(&self.table);
        let get = get.key("webhookId", text(id)).key("entry", text(entry)).consistent_read(true);
        Ok(get.send().await?.item)
    }

    fn update(&self, id: &str, entry: &str) -> UpdateBuilder {
        Update::builder().table_name(&self.table).key("webhookId", text(id)).key("entry", text(entry))
    }

    fn of(&self, id: DeliveryId) -> UpdateBuilder {
        self.update(&id.to_string(), DELIVERY)
    }
}
