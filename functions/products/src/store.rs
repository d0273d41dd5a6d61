//! The Products table.
//!
//! | what | keys |
//! | --- | --- |
//! | a product | `id` |
//! | everything for sale, newest first | index `approved`: `approved` = "approved", `createdAt`; sparse |
//! | what is for sale in a category, newest first | index `category`: `approvedCategory`, `createdAt`; sparse |
//! | a seller's products, newest first | index `owner`: `ownerId`, `createdAt` |
//! | what waits for its picture ("image") or for an admin ("approval") | index `pending`: `pending`, `createdAt`; sparse |
//!
//! `quantity` changes by [`Products::reserve`] and [`Products::restock`] alone, under a condition of its own. Everything
//! else changes under `version`, so that of two changes made at the same time none is lost.

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeValue, KeysAndAttributes, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use shared::auth::UserId;
use shared::aws::{Aws, Connect};
use shared::config::{self, ConfigError};
use shared::dynamo::{Item, from_item, number, text, to_item, unless_condition_failed};
use shared::money::Price;
use shared::page::Sort::Descending;
use shared::page::{Cursors, List, Page, PageRequest};
use shared::problem::Problem;
use shared::time::Timestamp;

use crate::{Category, Error, Listing, Product, ProductId};

const APPROVED: List =
    List { index: "approved", partition: "approved", sort: Descending("createdAt"), key: "id" };
const CATEGORY: List =
    List { index: "category", partition: "approvedCategory", sort: Descending("createdAt"), key: "id" };
const OWNER: List = List { index: "owner", partition: "ownerId", sort: Descending("createdAt"), key: "id" };
const PENDING: List =
    List { index: "pending", partition: "pending", sort: Descending("createdAt"), key: "id" };

const ALL_APPROVED: &str = "approved";
const AWAITING_IMAGE: &str = "image";
const AWAITING_APPROVAL: &str = "approval";

/// How often a change is tried again when others changed the product first.
const TRIES: u32 = 5;

/// The Products table.
#[derive(Debug, Clone)]
pub struct Products {
    client: Client,
    table: String,
}

impl Connect for Products {
    fn connect(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { client: aws.dynamodb(), table: config::required("PRODUCTS_TABLE")? })
    }
}

impl Products {
    /// Records a new product. Its id is new as well, so a repetition by the SDK writes the same item again.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn create(&self, product: &Product) -> anyhow::Result<()> {
        let mut item = to_item(product)?;
        item.extend(
            index_keys(product).into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))),
        );
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        put.send().await.map(drop).context("record a product")
    }

    /// The product as it is now, whoever may see it.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn find(&self, id: ProductId) -> anyhow::Result<Option<Product>> {
        self.get(id, true).await
    }

    async fn get(&self, id: ProductId, consistent: bool) -> anyhow::Result<Option<Product>> {
        let get = self.client.get_item().table_name(&self.table).key("id", text(&id));
        let found = get.consistent_read(consistent).send().await.context("read a product")?;
        found.item.map(from_item).transpose()
    }

    /// The product as everyone may see it, as of a moment ago, at half the cost of a consistent read.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none or it is not for sale.
    pub async fn for_sale(&self, id: ProductId) -> Result<Product, Error> {
        self.get(id, false).await?.filter(Product::is_for_sale).ok_or(Error::NotFound)
    }

    /// A page of what is for sale, in one category or all, newest first.
    ///
    /// # Errors
    /// `invalid-input` for a cursor of another list.
    pub async fn list_approved(
        &self,
        category: Option<&Category>,
        cursors: &Cursors,
        request: &PageRequest,
    ) -> Result<Page<Product>, Problem> {
        let (list, of) = match category {
            Some(category) => (CATEGORY, category.as_str()),
            None => (APPROVED, ALL_APPROVED),
        };
        cursors.page(&self.client, &self.table, list, of, request).await
    }

    /// A page of what `owner` sells or wants to sell, newest first.
    ///
    /// # Errors
    /// `invalid-input` for a cursor of another list.
    pub async fn list_of(
        &self,
        owner: &UserId,
        cursors: &Cursors,
        request: &PageRequest,
    ) -> Result<Page<Product>, Problem> {
        cursors.page(&self.client, &self.table, OWNER, &owner.to_string(), request).await
    }

    /// A page of what waits for an admin, newest first.
    ///
    /// # Errors
    /// `invalid-input` for a cursor of another list.
    pub async fn list_pending(
        &self,
        cursors: &Cursors,
        request: &PageRequest,
    ) -> Result<Page<Product>, Problem> {
        cursors.page(&self.client, &self.table, PENDING, AWAITING_APPROVAL, request).await
    }

    /// Applies `rule` to the product as it is, and tries again when somebody else changed it meanwhile. Where the rule gives
    /// `None` there is nothing to change. Safe to repeat as far as the rule is: it sees what an earlier try wrote.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such product, [`Error::ChangedMeanwhile`] when the others did not stop.
    pub async fn change(
        &self,
        id: ProductId,
        rule: impl Fn(Product) -> Option<Product>,
    ) -> Result<Product, Error> {
        for _ in 0..TRIES {
            let product = self.find(id).await?.ok_or(Error::NotFound)?;
            let read = product.version;
            let Some(changed) = rule(product.clone()) else { return Ok(product) };
            let changed = changed.with_next_version();
            if self.save(&changed, read).await? {
                return Ok(changed);
            }
        }
        Err(Error::ChangedMeanwhile)
    }

    /// Writes what a decision or an upload may change, if nobody changed the product since `read`.
    async fn save(&self, product: &Product, read: u32) -> anyhow::Result<bool> {
        let values = [
            ("isApproved", Some(AttributeValue::Bool(product.is_approved))),
            ("rejectionReason", product.rejection_reason.as_deref().map(text)),
            ("imageUrl", product.image_url.as_deref().map(text)),
            ("imageUploadId", product.image_upload_id.as_ref().map(text)),
            ("imageRejection", product.image_rejection.as_deref().map(text)),
            ("updatedAt", Some(text(&product.updated_at))),
            ("version", Some(number(product.version))),
        ];
        let (mut set, mut remove) = (Vec::new(), Vec::new());
        let mut update = self.client.update_item().table_name(&self.table).key("id", text(&product.id));
        for (name, value) in values.into_iter().chain(index_keys(product)) {
            match value {
                Some(value) => {
                    set.push(format!("{name} = :{name}"));
                    update = update.expression_attribute_values(format!(":{name}"), value);
                }
                None => remove.push(name),
            }
        }
        let expression = format!("SET {} REMOVE {}", set.join(", "), remove.join(", "));
        let saved = update
            .update_expression(expression)
            .condition_expression("version = :read")
            .expression_attribute_values(":read", number(read))
            .send()
            .await;
        Ok(unless_condition_failed(saved).context("change a product")?.is_some())
    }

    /// At most `limit` products that have waited for their picture since before `cutoff`, oldest first.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn without_picture_since(&self, cutoff: Timestamp, limit: i32) -> anyhow::Result<Vec<Product>> {
        let found = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(PENDING.index)
            .key_condition_expression("pending = :image AND createdAt < :cutoff")
            .expression_attribute_values(":image", text(AWAITING_IMAGE))
            .expression_attribute_values(":cutoff", text(&cutoff))
            .limit(limit)
            .send()
            .await
            .context("read the products without a picture")?;
        found.items.unwrap_or_default().into_iter().map(from_item).collect()
    }

    /// Deletes the product if it still has no picture and is not approved: the index tells of a moment ago. Gives whether
    /// this call deleted it.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn delete_without_picture(&self, id: ProductId) -> anyhow::Result<bool> {
        let deleted = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("id", text(&id))
            .condition_expression("attribute_not_exists(imageUrl) AND isApproved = :no")
            .expression_attribute_values(":no", AttributeValue::Bool(false))
            .send()
            .await;
        // Where the condition fails, its picture came, an admin approved it, or it is gone already.
        Ok(unless_condition_failed(deleted).context("delete a product without a picture")?.is_some())
    }

    /// Takes `quantity` pieces for an order, in the order's transaction, if the product is for sale at `price` and has them.
    /// Where the condition fails, the transaction tells the product as it is.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn reserve(&self, id: ProductId, quantity: u32, price: Price) -> anyhow::Result<TransactWriteItem> {
        let update = Update::builder()
            .table_name(&self.table)
            .key("id", text(&id))
            .update_expression("SET quantity = quantity - :quantity")
            .condition_expression("isApproved = :yes AND productPrice = :price AND quantity >= :quantity")
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .expression_attribute_values(":price", AttributeValue::N(price.amount().minor().to_string()))
            .expression_attribute_values(":quantity", number(quantity))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Gives `quantity` pieces back, in the transaction that cancels their order, if the product still exists.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn restock(&self, id: ProductId, quantity: u32) -> anyhow::Result<TransactWriteItem> {
        let update = Update::builder()
            .table_name(&self.table)
            .key("id", text(&id))
            .update_expression("SET quantity = quantity + :quantity")
            .condition_expression("attribute_exists(id)")
            .expression_attribute_values(":quantity", number(quantity))
            .build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// The table's name and what to read of it, for a BatchGetItem that reads other tables as well. Consistent: a price or an
    /// approval of a moment ago would only fail the transaction.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn batch(
        &self,
        ids: impl IntoIterator<Item = ProductId>,
    ) -> anyhow::Result<(String, KeysAndAttributes)> {
        let keys = ids.into_iter().map(|id| Item::from([("id".to_owned(), text(&id))])).collect();
        let batch = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build()?;
        Ok((self.table.clone(), batch))
    }
}

/// The keys of the sparse indexes that put a product on its list; `None` takes it off.
fn index_keys(product: &Product) -> [(&'static str, Option<AttributeValue>); 3] {
    let (approved, category, pending) = match product.listing() {
        Listing::Approved => (Some(ALL_APPROVED), Some(product.category.as_str()), None),
        Listing::AwaitingApproval => (None, None, Some(AWAITING_APPROVAL)),
        Listing::AwaitingImage => (None, None, Some(AWAITING_IMAGE)),
        Listing::Rejected => (None, None, None),
    };
    [
        (APPROVED.partition, approved.map(text)),
        (CATEGORY.partition, category.map(text)),
        (PENDING.partition, pending.map(text)),
    ]
}
