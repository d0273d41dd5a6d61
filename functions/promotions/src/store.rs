//! The Coupons table.
//!
//! | what | keys |
//! | --- | --- |
//! | a coupon | `couponId` = its code |
//! | its uses by a customer | `couponId` = `{code}#{sub}`: no code has a `#` |
//! | all coupons, newest first | index `listed`, sparse: `listed` = "listed" for coupons, `createdAt` |
//!
//! `used` changes in the transactions of orders, under conditions of its own, and only where there is a limit to keep.
//! Everything else of a coupon changes under its `version`, so that of two changes made at the same time none is lost,
//! and an order counts by the rules that it was told.

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, Update};
use shared::caller::UserId;
use shared::dynamo::list::Sort::Descending;
use shared::dynamo::list::{Cursors, List, Page, PageRequest};
use shared::dynamo::{
    Batch, Consistency, Found, Part, Read, Write, Written, from_item, number, text, to_item,
    unless_condition_failed, update_item,
};
use shared::http::IfMatch;
use shared::http::problem::Problem;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};

use crate::{Counted, Coupon, CouponCode, Error, Refusal, SCHEMA_VERSION};

const LISTED: List =
    List { index: Some("listed"), partition: "listed", sort: Descending("createdAt"), key: "couponId" };

const ALL_COUPONS: &str = "listed";

/// How often a change is tried again when others changed the coupon first.
const TRIES: u32 = 5;

/// The Coupons table.
#[derive(Debug, Clone)]
pub struct Coupons {
    client: Client,
    table: String,
}

impl FromEnv for Coupons {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { client: aws.dynamodb(), table: config::table("COUPONS_TABLE") })
    }
}

/// What an order's transaction counts, or a release's gives back: the parts of it, by their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Redemption {
    /// The uses of the coupon, where it has a limit.
    pub in_all: Option<Part>,
    /// Those by its customer, where one may use it so often only.
    pub by_customer: Option<Part>,
}

/// Why an order's transaction did not count a coupon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotRedeemed {
    /// It is not for this order, or no more.
    Refused(Refusal),
    /// An admin changed it since it was read: look again whether it is for this order.
    Changed,
}

impl Redemption {
    /// Which parts failed: what was to be given back is gone.
    pub fn gone(self, found: &Found) -> Counted {
        let is_gone = |part: Option<Part>| part.is_some_and(|part| found.at(part).is_some());
        Counted { in_all: is_gone(self.in_all), by_customer: is_gone(self.by_customer) }
    }

    /// Why it failed, if it did, by what the coupon and its uses were then. `None` where something else of the
    /// transaction failed.
    ///
    /// # Errors
    /// When the item is no coupon, or allows what was refused.
    pub fn refusal(self, found: &mut Found, read: &Coupon) -> anyhow::Result<Option<NotRedeemed>> {
        if let Some(item) = self.in_all.and_then(|part| found.take(part)) {
            if item.is_empty() {
                return Ok(Some(NotRedeemed::Refused(Refusal::Ended)));
            }
            let coupon: Coupon = from_item(item)?;
            return match coupon.rules.limit {
                _ if !coupon.is_active => Ok(Some(NotRedeemed::Refused(Refusal::Ended))),
                _ if coupon.version != read.version => Ok(Some(NotRedeemed::Changed)),
                Some(limit) if coupon.used >= limit.0 => Ok(Some(NotRedeemed::Refused(Refusal::UsedUp))),
                _ => anyhow::bail!("the coupon allows the order and its condition failed"),
            };
        }
        let has_too_many = self.by_customer.is_some_and(|part| found.at(part).is_some());
        Ok(has_too_many.then_some(NotRedeemed::Refused(Refusal::UsedByCustomer)))
    }
}

/// A customer's uses of a coupon.
#[derive(serde::Deserialize)]
struct Uses {
    used: u32,
}

impl Coupons {
    /// Records a new coupon. Safe to repeat by the SDK: the same coupon is there once.
    ///
    /// # Errors
    /// [`Error::Exists`].
    pub async fn create(&self, coupon: &Coupon) -> Result<(), Error> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(to_item(coupon)?))
            .item(LISTED.partition, text(ALL_COUPONS))
            .condition_expression("attribute_not_exists(couponId)");
        let written = unless_condition_failed(put.send().await).context("record a coupon")?;
        // Refused, it may be one whose reply was lost: then this is what was written.
        if written.is_some() || self.find(&coupon.code).await?.as_ref() == Some(coupon) {
            Ok(())
        } else {
            Err(Error::Exists)
        }
    }

    /// The coupon as it is now.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn find(&self, code: &CouponCode) -> anyhow::Result<Option<Coupon>> {
        let get = self.client.get_item().table_name(&self.table).key("couponId", text(code));
        let found = get.consistent_read(true).send().await.context("read a coupon")?;
        found.item.map(from_item).transpose()
    }

    /// A page of all coupons, newest first.
    ///
    /// # Errors
    /// `invalid-input` for a cursor of another list.
    pub async fn list(&self, cursors: &Cursors, request: &PageRequest) -> Result<Page<Coupon>, Problem> {
        cursors.page(&self.client, &self.table, LISTED, ALL_COUPONS, request).await
    }

    /// Applies `rule` to the coupon, if it is a version that the request is about, and tries again when somebody else
    /// changed it meanwhile. Where the rule gives `None` there is nothing to change. Safe to repeat as far as the rule
    /// is. How often the coupon was used stays as orders count it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::AnotherVersion`], and [`Error::ChangedMeanwhile`] when the others did not stop.
    pub async fn change(
        &self,
        code: &CouponCode,
        if_match: &IfMatch,
        rule: impl Fn(Coupon) -> Option<Coupon>,
    ) -> Result<Coupon, Error> {
        let mut tried: Option<Coupon> = None;
        for _ in 0..TRIES {
            let found = self.find(code).await?.ok_or(Error::NotFound)?;
            // Refused, a write may be one whose reply was lost: then this is what it wrote, used perhaps since then.
            if tried.is_some_and(|tried| Coupon { used: found.used, ..tried } == found) {
                return Ok(found);
            }
            if !if_match.allows(found.version) {
                return Err(Error::AnotherVersion);
            }
            let read = found.version;
            let Some(next) = rule(found.clone()) else { return Ok(found) };
            let written = update_item(&self.client, self.changes(read, &next)?, ReturnValue::AllNew).await;
            match written.context("change a coupon")? {
                Written::Done(item) => return Ok(from_item(item)?),
                Written::Refused(_) => tried = Some(next),
            }
        }
        Err(Error::ChangedMeanwhile)
    }

    fn changes(&self, read: u32, next: &Coupon) -> anyhow::Result<Update> {
        let set =
            "#rules = :rules, currency = :currency, isActive = :active, version = :next, updatedAt = :now";
        self.update(&next.code)
            .update_expression(format!("SET {set}"))
            .condition_expression("version = :read")
            .expression_attribute_names("#rules", "rules")
            .expression_attribute_values(":rules", AttributeValue::M(to_item(&next.rules)?))
            .expression_attribute_values(":currency", text(&next.currency))
            .expression_attribute_values(":active", AttributeValue::Bool(next.is_active))
            .expression_attribute_values(":next", number(next.version))
            .expression_attribute_values(":now", text(&next.updated_at))
            .expression_attribute_values(":read", number(read))
            .build()
            .context("change a coupon")
    }

    /// Adds a coupon, and how often this customer has used it, to what is read at the same time.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn with(
        &self,
        read: Read,
        code: Option<&CouponCode>,
        customer: Option<&UserId>,
        consistency: Consistency,
    ) -> anyhow::Result<Read> {
        let uses = code.zip(customer).map(|(code, customer)| use_of(code, customer));
        read.of(&self.table, "couponId", code.map(ToString::to_string).into_iter().chain(uses), consistency)
    }

    /// What was read of a coupon, and of how often its customer has used it.
    ///
    /// # Errors
    /// When it is not as this code writes it.
    pub fn found_in(&self, batch: &mut Batch) -> anyhow::Result<(Option<Coupon>, u32)> {
        let (mut coupon, mut used) = (None, 0);
        for item in batch.take(&self.table) {
            // Uses by a customer have no rules.
            if item.contains_key("rules") {
                coupon = Some(from_item(item)?);
            } else {
                used = from_item::<Uses>(item)?.used;
            }
        }
        Ok((coupon, used))
    }

    /// How often a customer has used a coupon, as far as that was counted.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn used_by(&self, code: &CouponCode, customer: &UserId) -> anyhow::Result<u32> {
        let get =
            self.client.get_item().table_name(&self.table).key("couponId", text(&use_of(code, customer)));
        let found = get.consistent_read(true).send().await.context("read the uses of a coupon")?;
        Ok(found.item.map(from_item::<Uses>).transpose()?.map_or(0, |uses| uses.used))
    }

    /// Counts a use of a coupon, as it was read, in the transaction of an order: once more in all, if that stays within
    /// its limit and its rules are still those, and once more by this customer, if one may. What needs no counting adds
    /// nothing. [`Redemption::refusal`] tells why it failed.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn redeem(
        &self,
        write: &mut Write,
        coupon: &Coupon,
        customer: &UserId,
    ) -> anyhow::Result<Redemption> {
        let mut redemption = Redemption::default();
        if let Some(limit) = coupon.rules.limit {
            let update = self
                .update(&coupon.code)
                .update_expression("SET used = used + :one")
                .condition_expression("isActive = :yes AND version = :read AND used < :limit")
                .expression_attribute_values(":one", number(1))
                .expression_attribute_values(":yes", AttributeValue::Bool(true))
                .expression_attribute_values(":read", number(coupon.version))
                .expression_attribute_values(":limit", number(limit.0));
            redemption.in_all = Some(write.update(update.build().context("count a use of a coupon")?));
        }
        if let Some(most) = coupon.rules.per_customer {
            let update = self
                .update(&use_of(&coupon.code, customer))
                .update_expression("SET schemaVersion = :schema ADD used :one")
                .condition_expression("attribute_not_exists(used) OR used < :most")
                .expression_attribute_values(":schema", number(SCHEMA_VERSION))
                .expression_attribute_values(":one", number(1))
                .expression_attribute_values(":most", number(most.0));
            redemption.by_customer = Some(write.update(update.build().context("count a customer's use")?));
        }
        Ok(redemption)
    }

    /// Gives back what an order counted, in the transaction that releases it, which makes that happen once. What is
    /// gone, or at nothing, fails its part: the release leaves that part out and tries again.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn give_back(
        &self,
        write: &mut Write,
        code: &CouponCode,
        customer: &UserId,
        counted: Counted,
    ) -> anyhow::Result<Redemption> {
        let mut less = |key: &str| {
            let update = self
                .update(&key)
                .update_expression("SET used = used - :one")
                .condition_expression("used > :none")
                .expression_attribute_values(":one", number(1))
                .expression_attribute_values(":none", number(0));
            anyhow::Ok(write.update(update.build().context("give a use of a coupon back")?))
        };
        let in_all = counted.in_all.then(|| less(&code.to_string())).transpose()?;
        let by_customer = counted.by_customer.then(|| less(&use_of(code, customer))).transpose()?;
        Ok(Redemption { in_all, by_customer })
    }

    fn update(&self, key: &impl ToString) -> UpdateBuilder {
        Update::builder().table_name(&self.table).key("couponId", text(key))
    }
}

/// The key of a coupon's uses by a customer.
fn use_of(code: &CouponCode, customer: &UserId) -> String {
    format!("{code}#{customer}")
}
