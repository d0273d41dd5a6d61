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
//! `quantity` changes under conditions of its own and never with anything else: by orders in [`Products::reserve`] and
//! [`Products::restock`], by people in [`Products::set_stock`] and [`Products::deduct`]. `requestedUpload` is the last one's.
//! Everything else changes under `version`, so that of two changes made at the same time none is lost.

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, KeysAndAttributes, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
    Update,
};
use shared::caller::{Caller, UserId};
use shared::dynamo::list::Sort::Descending;
use shared::dynamo::list::{Cursors, List, Page, PageRequest};
use shared::dynamo::{
    Item, from_item, number, text, to_item, transact, unless_condition_failed, update_item,
};
use shared::guards::once::{IdempotencyKey, KeyedRequest};
use shared::http::problem::Problem;
use shared::media::{FileName, UploadId};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::money::Price;
use shared::values::time::Timestamp;

use crate::{
    Category, Deduction, Editor, Error, Listing, Product, ProductId, Refusal, RequestedUpload, StockChange,
};

const APPROVED: List =
    List { index: Some("approved"), partition: "approved", sort: Descending("createdAt"), key: "id" };
const CATEGORY: List =
    List { index: Some("category"), partition: "approvedCategory", sort: Descending("createdAt"), key: "id" };
const OWNER: List =
    List { index: Some("owner"), partition: "ownerId", sort: Descending("createdAt"), key: "id" };
const PENDING: List =
    List { index: Some("pending"), partition: "pending", sort: Descending("createdAt"), key: "id" };

const ALL_APPROVED: &str = "approved";
const AWAITING_IMAGE: &str = "image";
const AWAITING_APPROVAL: &str = "approval";

/// How often a change is tried again when others changed the product first.
const TRIES: u32 = 5;

/// The Products table, with where the answers to changes of stock are recorded.
#[derive(Debug, Clone)]
pub struct Products {
    client: Client,
    table: String,
    guards: String,
}

impl FromEnv for Products {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            client: aws.dynamodb(),
            table: config::required("PRODUCTS_TABLE")?,
            guards: config::required("GUARDS_TABLE")?,
        })
    }
}

/// A product whose stock was changed, and whether the same request had changed it before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockChanged {
    /// As it is now.
    pub product: Product,
    /// Whether the idempotency key brought it back.
    pub replayed: bool,
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
        self.change_if(id, |product| Ok(rule(product))).await
    }

    /// The same for its seller or an admin: the version that is written is one that `caller` may change.
    ///
    /// # Errors
    /// Those of [`Products::change`], and of [`Product::editor`] when it is somebody else's.
    pub async fn change_as(
        &self,
        caller: &Caller,
        id: ProductId,
        rule: impl Fn(Product, Editor) -> Option<Product>,
    ) -> Result<Product, Error> {
        self.change_if(id, |product| {
            let editor = product.editor(caller)?;
            Ok(rule(product, editor))
        })
        .await
    }

    async fn change_if(
        &self,
        id: ProductId,
        rule: impl Fn(Product) -> Result<Option<Product>, Error>,
    ) -> Result<Product, Error> {
        for _ in 0..TRIES {
            let product = self.find(id).await?.ok_or(Error::NotFound)?;
            let read = product.version;
            let Some(changed) = rule(product.clone())? else { return Ok(product) };
            let changed = changed.with_next_version();
            if self.save(&changed, read).await? {
                return Ok(changed);
            }
        }
        Err(Error::ChangedMeanwhile)
    }

    /// Writes all that may change but the stock, if nobody changed the product since `read`.
    async fn save(&self, product: &Product, read: u32) -> anyhow::Result<bool> {
        let values = [
            ("productName", Some(text(&product.product_name))),
            ("productPrice", Some(minor_units(product.product_price))),
            ("description", Some(text(&product.description))),
            ("category", Some(text(&product.category))),
            ("fileName", Some(text(&product.file_name))),
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

    /// Deletes the product for its seller or an admin, in one conditional write. Repeated, there is no such product.
    ///
    /// # Errors
    /// [`Error::NotFound`], or [`Refusal::NotYours`] when it is somebody else's and for sale.
    pub async fn delete(&self, caller: &Caller, id: ProductId) -> Result<(), Error> {
        let deleted = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("id", text(&id))
            .condition_expression(may_change(caller))
            .set_expression_attribute_values(caller_value(caller))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match deleted {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(failed)) => {
                    Err(refused(failed.item(), caller, |_| None)?)
                }
                _ => Err(error).context("delete a product")?,
            },
        }
    }

    /// Notes that its seller or an admin asked for a URL for another picture, in one conditional write: what its file is
    /// called, and whether the picture needs an admin's eye.
    ///
    /// # Errors
    /// [`Error::NotFound`], or [`Refusal::NotYours`] when it is somebody else's and for sale.
    pub async fn request_upload(
        &self,
        caller: &Caller,
        id: ProductId,
        upload: UploadId,
        file_name: &FileName,
    ) -> Result<(), Error> {
        let editor = if caller.is_admin() { Editor::Admin } else { Editor::Seller };
        let requested = RequestedUpload { upload_id: upload, file_name: file_name.clone(), editor };
        let update = Update::builder()
            .table_name(&self.table)
            .key("id", text(&id))
            .update_expression("SET requestedUpload = :upload")
            .condition_expression(may_change(caller))
            .set_expression_attribute_values(caller_value(caller))
            .expression_attribute_values(":upload", AttributeValue::M(to_item(&requested)?))
            .build()
            .context("request an upload")?;
        self.update(update, caller, |_| None).await.map(drop)
    }

    /// Sets or changes the stock for the product's seller or an admin. The condition keeps it from zero to the limit.
    ///
    /// Safe to repeat with a key, whose record is written in the same transaction. Without one, setting is safe by itself,
    /// and a difference is against the SDK's own repetition: a transaction carries a token of its own.
    ///
    /// # Errors
    /// A [`Refusal`], or [`Error::NotFound`].
    pub async fn set_stock(
        &self,
        caller: &Caller,
        id: ProductId,
        change: StockChange,
        key: Option<&IdempotencyKey>,
        now: Timestamp,
    ) -> Result<StockChanged, Error> {
        if let (StockChange::Set(_), None) = (change, key) {
            let update = self.stock_update(caller, id, change)?;
            let product = self.update(update, caller, |product| change.refusal(product)).await?;
            return Ok(StockChanged { product, replayed: false });
        }
        self.change_stock("set-stock", caller, id, change, key, now).await
    }

    /// Takes pieces that go another way than by an order; safe to repeat as [`Products::set_stock`] is.
    ///
    /// # Errors
    /// A [`Refusal`], or [`Error::NotFound`].
    pub async fn deduct(
        &self,
        caller: &Caller,
        id: ProductId,
        deduction: Deduction,
        key: Option<&IdempotencyKey>,
        now: Timestamp,
    ) -> Result<StockChanged, Error> {
        self.change_stock("deduct-stock", caller, id, deduction.into(), key, now).await
    }

    /// Changes the stock and records the key, both or neither, and reads what came of it.
    ///
    /// The record says that it was done and not how many pieces that left. To write that number down, the transaction would
    /// have to depend on the stock being what was read, and of a hundred people who take one piece each most would fail.
    async fn change_stock(
        &self,
        route: &str,
        caller: &Caller,
        id: ProductId,
        change: StockChange,
        key: Option<&IdempotencyKey>,
        now: Timestamp,
    ) -> Result<StockChanged, Error> {
        let keyed = key.map(|key| KeyedRequest::new(route, caller, key, &(id, change))).transpose()?;
        let update = self.stock_update(caller, id, change)?;
        let mut items = vec![TransactWriteItem::builder().update(update).build()];
        if let Some(keyed) = &keyed {
            items.push(keyed.record(&self.guards, &(), now)?);
        }
        let mut replayed = false;
        if let Err(cancelled) = transact(&self.client, items).await? {
            if let Some(keyed) = &keyed {
                replayed = self.was_done(keyed, cancelled.failed(1), now).await?;
            }
            if !replayed {
                return Err(refused(cancelled.failed(0), caller, |product| change.refusal(product))?);
            }
        }
        let product = self.find(id).await?.ok_or(Error::NotFound)?;
        // A repetition has met no condition of the product's.
        product.editor(caller)?;
        Ok(StockChanged { product, replayed })
    }

    /// Whether the key's request was done before, by the record that made the transaction fail.
    async fn was_done(
        &self,
        keyed: &KeyedRequest,
        record: Option<&Item>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let record = match record {
            Some(record) => Some(record.clone()),
            // Where two conditions fail, as after a deduction of the last piece, DynamoDB need not name both.
            None => {
                let get = self.client.get_item().table_name(&self.guards);
                let get = get.key("guardId", text(keyed.guard_id())).consistent_read(true);
                get.send().await.context("read an idempotency record")?.item
            }
        };
        let Some(record) = record else { return Ok(false) };
        let done = keyed.replay::<()>(record, now)?.transpose().map_err(Refusal::from)?;
        Ok(done.is_some())
    }

    fn stock_update(&self, caller: &Caller, id: ProductId, change: StockChange) -> anyhow::Result<Update> {
        let (expression, value) = change.update();
        let allowed = change.allowed();
        Update::builder()
            .table_name(&self.table)
            .key("id", text(&id))
            .update_expression(expression)
            .condition_expression(format!("{} AND quantity BETWEEN :least AND :most", may_change(caller)))
            .set_expression_attribute_values(caller_value(caller))
            .expression_attribute_values(":change", number(value))
            .expression_attribute_values(":least", number(*allowed.start()))
            .expression_attribute_values(":most", number(*allowed.end()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .context("change the stock of a product")
    }

    /// Carries out an update by itself and gives the product as it left it.
    async fn update(
        &self,
        update: Update,
        caller: &Caller,
        refusal: impl Fn(&Product) -> Option<Refusal>,
    ) -> Result<Product, Error> {
        match update_item(&self.client, update, ReturnValue::AllNew).await.context("change a product")? {
            Ok(changed) => Ok(from_item(changed)?),
            Err(found) => Err(refused(Some(&found), caller, refusal)?),
        }
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
            .set_index_name(PENDING.index.map(str::to_owned))
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
            .expression_attribute_values(":price", minor_units(price))
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

/// The condition under which `caller` may change a product that is there.
fn may_change(caller: &Caller) -> &'static str {
    if caller.is_admin() { "attribute_exists(id)" } else { "ownerId = :caller" }
}

/// The value of that condition: DynamoDB refuses one that no expression names.
fn caller_value(caller: &Caller) -> Option<Item> {
    (!caller.is_admin()).then(|| Item::from([(":caller".to_owned(), text(caller.id()))]))
}

/// Why a write for `caller` was not carried out, by the product against which its condition failed.
fn refused(
    found: Option<&Item>,
    caller: &Caller,
    refusal: impl Fn(&Product) -> Option<Refusal>,
) -> anyhow::Result<Error> {
    let Some(found) = found.filter(|item| !item.is_empty()) else { return Ok(Error::NotFound) };
    let product: Product = from_item(found.clone())?;
    if let Err(error) = product.editor(caller) {
        return Ok(error);
    }
    refusal(&product).map(Error::from).context("the product allows the change and its condition failed")
}

fn minor_units(price: Price) -> AttributeValue {
    AttributeValue::N(price.amount().minor().to_string())
}
