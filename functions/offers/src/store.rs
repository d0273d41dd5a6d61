//! The Offers table.
//!
//! | what | keys |
//! | --- | --- |
//! | an offer | `offerId`; no index, so that a sale writes this item alone |
//!
//! `quantity` and `promised` change under conditions of their own: by orders in [`Offers::reserve`],
//! [`Offers::release`], [`Offers::hand_over`] and [`Offers::restock`], by people in [`Offers::change_stock`].
//! Everything else changes with its product, in one transaction.

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, ReturnValue, Update};
use shared::caller::Caller;
use shared::dynamo::{
    Batch, Consistency, Item, Read, Write, Written, from_item, minor, number, read_each, text, to_item,
    update_item,
};
use shared::guards::{Committed, Guards, KeyReused, KeyedRequest, Once};
use shared::http::problem::Problem;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::money::Price;
use shared::values::time::Timestamp;

use crate::{Availability, NotReserved, Offer, OfferId, StockChange, StockRefusal, Terms, may_change};

/// The Offers table.
#[derive(Debug, Clone)]
pub struct Offers {
    client: Client,
    table: String,
}

impl FromEnv for Offers {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { client: aws.dynamodb(), table: config::table("OFFERS_TABLE") })
    }
}

/// Why the stock of an offer could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum StockError {
    /// A rule said no.
    #[error(transparent)]
    Refused(#[from] StockRefusal),
    /// The key came before with another request.
    #[error(transparent)]
    KeyReused(#[from] KeyReused),
    /// A call failed.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

impl From<StockError> for Problem {
    fn from(error: StockError) -> Self {
        match error {
            StockError::Refused(refusal) => refusal.into(),
            StockError::KeyReused(reused) => reused.into(),
            StockError::Failed(error) => error.into(),
        }
    }
}

impl Offers {
    /// Records a new offer, in the transaction that records its product.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn create(&self, offer: &Offer) -> anyhow::Result<Put> {
        Put::builder()
            .table_name(&self.table)
            .set_item(Some(to_item(offer)?))
            .build()
            .context("record an offer")
    }

    /// Sets the terms of an offer, in the transaction that changes its product. Its stock stays as it is.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn set_terms(&self, id: OfferId, terms: &Terms) -> anyhow::Result<Update> {
        let for_sale = terms.availability == Availability::ForSale;
        let set = "SET productName = :name, price = :price, category = :category, forSale = :forSale";
        let update = match &terms.image_url {
            Some(url) => {
                let update = self.update(id).update_expression(format!("{set}, imageUrl = :url"));
                update.expression_attribute_values(":url", text(url))
            }
            None => self.update(id).update_expression(format!("{set} REMOVE imageUrl")),
        };
        update
            .condition_expression("attribute_exists(offerId)")
            .expression_attribute_values(":name", text(&terms.product_name))
            .expression_attribute_values(":price", minor(terms.price.amount()))
            .expression_attribute_values(":category", text(&terms.category))
            .expression_attribute_values(":forSale", AttributeValue::Bool(for_sale))
            .build()
            .context("set the terms of an offer")
    }

    /// Deletes an offer, in the transaction that deletes its product.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn delete(&self, id: OfferId) -> anyhow::Result<Delete> {
        Delete::builder().table_name(&self.table).key("offerId", text(&id)).build().context("delete an offer")
    }

    /// Promises `quantity` pieces to an order, in the order's transaction, if the offer is for sale at `price` and has
    /// them. [`why_not_reserved`] tells why it is not so.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn reserve(&self, id: OfferId, quantity: u32, price: Price) -> anyhow::Result<Update> {
        self.update(id)
            .update_expression("SET quantity = quantity - :quantity ADD promised :quantity")
            .condition_expression("forSale = :yes AND price = :price AND quantity >= :quantity")
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .expression_attribute_values(":price", minor(price.amount()))
            .expression_attribute_values(":quantity", number(quantity))
            .build()
            .context("reserve pieces of an offer")
    }

    /// Gives `quantity` promised pieces back, in the transaction that cancels their order, if the offer still exists.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn release(&self, id: OfferId, quantity: u32) -> anyhow::Result<Update> {
        self.update(id)
            .update_expression("SET quantity = quantity + :quantity, promised = promised - :quantity")
            .condition_expression("attribute_exists(offerId)")
            .expression_attribute_values(":quantity", number(quantity))
            .build()
            .context("give pieces of an offer back")
    }

    /// Takes `quantity` promised pieces off the shelf, once their order is on its way, if the offer still exists.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn hand_over(&self, id: OfferId, quantity: u32) -> anyhow::Result<Update> {
        self.update(id)
            .update_expression("SET promised = promised - :quantity")
            .condition_expression("attribute_exists(offerId)")
            .expression_attribute_values(":quantity", number(quantity))
            .build()
            .context("hand pieces of an offer over")
    }

    /// Adds `quantity` pieces that came back from a buyer, in the transaction that takes them back, if the offer still
    /// exists.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn restock(&self, id: OfferId, quantity: u32) -> anyhow::Result<Update> {
        self.update(id)
            .update_expression("SET quantity = quantity + :quantity")
            .condition_expression("attribute_exists(offerId)")
            .expression_attribute_values(":quantity", number(quantity))
            .build()
            .context("take pieces of an offer back")
    }

    /// Changes the stock for the offer's seller or an admin. The condition keeps it from zero to the limit.
    ///
    /// Safe to repeat with a key, whose record is written in the same transaction. Without one, setting is safe by
    /// itself, and everything else is against the SDK's own repetition: a transaction carries a token of its own.
    ///
    /// The record says that it was done and not how many pieces that left. To write that number down, the transaction
    /// would have to depend on the stock being what was read, and of a hundred people who take one piece each most
    /// would fail.
    ///
    /// # Errors
    /// A [`StockRefusal`], or [`KeyReused`].
    pub async fn change_stock(
        &self,
        guards: &Guards,
        caller: &Caller,
        id: OfferId,
        change: StockChange,
        keyed: Option<&KeyedRequest>,
        now: Timestamp,
    ) -> Result<Once<()>, StockError> {
        let update = self.stock_update(caller, id, change)?;
        if keyed.is_none() && change.is_idempotent() {
            return match update_item(&self.client, update, ReturnValue::None).await? {
                Written::Done(_) => Ok(Once::Done(())),
                Written::Refused(found) => Err(why_not_changed(found, caller, change)?.into()),
            };
        }
        let mut write = Write::new();
        let stock = write.update(update);
        match guards.commit(write, keyed, (), now).await? {
            Committed::Once(done) => Ok(done),
            Committed::KeyReused => Err(KeyReused.into()),
            Committed::Refused(mut found) => {
                let found = found.take(stock).context("a change of stock was refused for another reason")?;
                Err(why_not_changed(found, caller, change)?.into())
            }
        }
    }

    fn stock_update(&self, caller: &Caller, id: OfferId, change: StockChange) -> anyhow::Result<Update> {
        let (expression, value) = change.update();
        let allowed = change.allowed();
        let mut update = self.update(id);
        // DynamoDB refuses a value that no expression names.
        let whose = if caller.is_admin() {
            "attribute_exists(offerId)"
        } else {
            update = update.expression_attribute_values(":caller", text(caller.id()));
            "sellerId = :caller"
        };
        update
            .update_expression(expression)
            .condition_expression(format!("{whose} AND quantity BETWEEN :least AND :most"))
            .expression_attribute_values(":change", number(value))
            .expression_attribute_values(":least", number(*allowed.start()))
            .expression_attribute_values(":most", number(*allowed.end()))
            .build()
            .context("change the stock of an offer")
    }

    fn update(&self, id: OfferId) -> aws_sdk_dynamodb::types::builders::UpdateBuilder {
        Update::builder().table_name(&self.table).key("offerId", text(&id))
    }

    /// Adds offers to what is read at the same time.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn with(
        &self,
        read: Read,
        ids: impl IntoIterator<Item = OfferId>,
        consistency: Consistency,
    ) -> anyhow::Result<Read> {
        read.of(&self.table, "offerId", ids, consistency)
    }

    /// The offers that were read, in no order, without those that nobody can read.
    pub fn found_in(&self, batch: &mut Batch) -> Vec<Offer> {
        read_each(batch.take(&self.table), "offerId")
    }
}

/// Why an offer that was asked for `quantity` pieces at `price` did not give them, by its item as it stood then.
///
/// # Errors
/// When the item is no offer, or allows what was refused.
pub fn why_not_reserved(
    found: Item,
    id: OfferId,
    quantity: u32,
    price: Price,
) -> anyhow::Result<NotReserved> {
    if found.is_empty() {
        return Ok(NotReserved::NotForSale(id));
    }
    let offer: Offer = from_item(found)?;
    offer.refusal(quantity, price).context("the offer allows the order and its condition failed")
}

fn why_not_changed(found: Item, caller: &Caller, change: StockChange) -> anyhow::Result<StockRefusal> {
    if found.is_empty() {
        return Ok(StockRefusal::NotFound);
    }
    let offer: Offer = from_item(found)?;
    if may_change(caller, &offer.seller_id) {
        return change.refusal(&offer).context("the offer allows the change and its condition failed");
    }
    // What is for sale is known to everyone; of all else nothing is told.
    Ok(if offer.for_sale { StockRefusal::NotYours } else { StockRefusal::NotFound })
}
