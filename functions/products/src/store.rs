//! The Products table.
//!
//! | what | keys |
//! | --- | --- |
//! | a product | `id` |
//! | everything for sale, newest first | index `approved`: `approved` = "approved", `createdAt`; sparse |
//! | what is for sale in a category, newest first | index `category`: `approvedCategory`, `createdAt`; sparse |
//! | what is for sale in a store, newest first | index `store`: `approvedStore`, `createdAt`; sparse |
//! | a seller's products, newest first | index `owner`: `ownerId`, `createdAt` |
//! | waits for its picture ("image") or an admin ("approval") | index `pending`: `pending`, `createdAt`; sparse |
//! | may have pictures that are not its own | index `sweep`: `sweep` = "pictures", `sweepAt`; sparse |
//!
//! Of its pictures one stands in the item's own attributes and the others in `morePictures`, as [`crate::gallery`]
//! says. `requestedUpload` is the last one's, and `sweepAt` is put off by whoever is about to put a picture into the
//! bucket. Everything else changes under `version`, so that of two changes made at the same time none is lost; and what
//! a product's offer repeats of it changes there in the same transaction.
//!
//! A store that is published no longer takes nothing off these lists: whoever shows them leaves out what is hidden
//! ([`HiddenStores`]), and orders go by the store's gates. A product comes on sale only through such a gate, so that
//! what was never published has nothing to hide.

use std::collections::HashMap;

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Delete, Put, ReturnValue, Update};
use offers::{Offers, StockChange};
use serde::Deserialize;
use shared::caller::{Caller, UserId};
use shared::dynamo::list::Sort::Descending;
use shared::dynamo::list::{Cursors, List, Page, PageRequest};
use shared::dynamo::{
    Batch, Consistency, Item, KeptItems, Read, Stretch, Write, Written, from_item, number, read_each, text,
    to_item, unless_condition_failed, update_item,
};
use shared::guards::{Guards, KeyedRequest, Once};
use shared::http::IfMatch;
use shared::http::problem::Problem;
use shared::media::{FileName, UploadId};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::time::Timestamp;
use stores::{Gate, HiddenStores, StoreId, Stores};

use crate::gallery::RequestedUpload;
use crate::ratings::{Ratings, Stars};
use crate::{
    Category, Editor, Error, Listing, PictureId, PictureRefusal, Product, ProductId, ProductOffer,
    SWEPT_AFTER,
};

const APPROVED: List =
    List { index: Some("approved"), partition: "approved", sort: Descending("createdAt"), key: "id" };
const CATEGORY: List =
    List { index: Some("category"), partition: "approvedCategory", sort: Descending("createdAt"), key: "id" };
const STORE: List =
    List { index: Some("store"), partition: "approvedStore", sort: Descending("createdAt"), key: "id" };
const OWNER: List =
    List { index: Some("owner"), partition: "ownerId", sort: Descending("createdAt"), key: "id" };
const PENDING: List =
    List { index: Some("pending"), partition: "pending", sort: Descending("createdAt"), key: "id" };

const ALL_APPROVED: &str = "approved";
const AWAITING_IMAGE: &str = "image";
const AWAITING_APPROVAL: &str = "approval";
const PICTURES: &str = "pictures";

/// Whether a list says what people think of its products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rated {
    Yes,
    No,
}

/// Of so many products one call reads what they cost and how they are rated, with what is read of their stores: it
/// reads a hundred items.
const RATED_AT_ONCE: usize = 40;

/// How often a change is tried again when others changed the product first: as
/// many times as it has pictures, which may all come at once, and two.
const TRIES: u32 = 10;

/// The Products table, with the offers that change together with it.
#[derive(Debug, Clone)]
pub struct Products {
    client: Client,
    table: String,
    offers: Offers,
    ratings: Ratings,
    stores: Stores,
    hidden: HiddenStores,
}

impl FromEnv for Products {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            client: aws.dynamodb(),
            table: config::table("PRODUCTS_TABLE"),
            offers: Offers::from_env(aws)?,
            ratings: Ratings::from_env(aws)?,
            stores: Stores::from_env(aws)?,
            hidden: HiddenStores::from_env(aws)?,
        })
    }
}

impl Products {
    /// Records a new product and its offer, if its store is its seller's. Their id is new as well, so a repetition by
    /// the SDK writes the same items again.
    ///
    /// # Errors
    /// [`Error::NotYourStore`].
    pub async fn create(&self, ProductOffer { product, offer, .. }: &ProductOffer) -> Result<(), Error> {
        let mut write = Write::new();
        let put = Put::builder().table_name(&self.table).set_item(Some(with_index_keys(product)?));
        write.put(put.build().context("record a product")?);
        write.put(self.offers.create(offer)?);
        if let Some(store) = product.store_id {
            write.check(self.stores.is_of(store, &product.owner_id)?);
        }
        match write.commit(&self.client).await.context("record a product")? {
            Written::Done(()) => Ok(()),
            // Nothing else has a condition.
            Written::Refused(_) => Err(Error::NotYourStore),
        }
    }

    /// The product and its offer as they are now, whoever may see them.
    ///
    /// # Errors
    /// When the tables cannot be read.
    pub async fn find(&self, id: ProductId) -> anyhow::Result<Option<ProductOffer>> {
        let read = Read::new().of(&self.table, "id", [id], Consistency::Strong)?;
        let read = self.offers.with(read, [id.into()], Consistency::Strong)?;
        self.found_in(&mut read.fetch(&self.client).await.context("read a product")?)
    }

    /// The caller's own product, whatever its state.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none or it is somebody else's.
    pub async fn find_of(&self, caller: &Caller, id: ProductId) -> Result<ProductOffer, Error> {
        let found = self.find(id).await?;
        found.filter(|found| found.product.is_of(caller)).ok_or(Error::NotFound)
    }

    /// The one product that was read, with its offer.
    fn found_in(&self, found: &mut Batch) -> anyhow::Result<Option<ProductOffer>> {
        let product = found.take(&self.table).pop().map(from_item).transpose()?;
        let offer = self.offers.found_in(found).pop();
        Ok(product.zip(offer).map(|(product, offer)| ProductOffer { product, offer, rating: None }))
    }

    /// Adds products, their offers and how they are rated to what is read at the same time: three keys each.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn with(
        &self,
        read: Read,
        ids: impl IntoIterator<Item = ProductId> + Clone,
        consistency: Consistency,
    ) -> anyhow::Result<Read> {
        let read = read.of(&self.table, "id", ids.clone(), consistency)?;
        let read = self.ratings.with(read, ids.clone(), consistency)?;
        self.offers.with(read, ids.into_iter().map(Into::into), consistency)
    }

    /// The products that were read together with their offers and ratings, by their ids: neither those that have no
    /// offer, nor those that nobody can read.
    pub fn all_found_in(&self, batch: &mut Batch) -> HashMap<ProductId, ProductOffer> {
        let offers = self.offers.found_in(batch);
        let mut offers: HashMap<_, _> = offers.into_iter().map(|offer| (offer.product_id(), offer)).collect();
        let stars = self.ratings.found_in(batch);
        let products = read_each::<Product>(batch.take(&self.table), "id");
        let found = products.into_iter().filter_map(|product| {
            let offer = offers.remove(&product.id)?;
            let rating = Some(stars.get(&product.id).copied().unwrap_or_default().rating());
            Some((product.id, ProductOffer { product, offer, rating }))
        });
        found.collect()
    }

    /// The next hundred of everything for sale, or of what one store sells, behind `start`, as of a moment ago, and
    /// where the rest begins: for what has to look at all of it. Three calls.
    ///
    /// # Errors
    /// When the tables cannot be read.
    pub async fn next_approved(
        &self,
        of: Option<StoreId>,
        start: Option<Item>,
    ) -> anyhow::Result<(Vec<ProductOffer>, Option<Item>)> {
        const AT_ONCE: i32 = 100;
        let (list, of) = match of {
            Some(store) => (STORE, store.to_string()),
            None => (APPROVED, ALL_APPROVED.to_owned()),
        };
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .set_index_name(list.index.map(str::to_owned))
            .key_condition_expression("#list = :of")
            .expression_attribute_names("#list", list.partition)
            .expression_attribute_values(":of", text(&of))
            .limit(AT_ONCE)
            .set_exclusive_start_key(start);
        let found = query.send().await.context("read what is for sale")?;
        let products = read_each::<Product>(found.items.unwrap_or_default(), "id");
        let page = Page { entries: products, next_cursor: None };
        let (read, ratings) = self.with_offers_of(&page, Rated::Yes)?;
        let (mut offers, stars) = self.fetch(read, ratings).await?;
        Ok((self.with_offers_in(page, &mut offers, Some(&stars)).entries, found.last_evaluated_key))
    }

    /// How many of the reviews of something that is for sale give how many stars, as of a moment ago.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such product, it is not for sale or its store is hidden.
    pub async fn stars_of(&self, id: ProductId, now: Timestamp) -> Result<Stars, Error> {
        let read = Read::new().of(&self.table, "id", [id], Consistency::Eventual)?;
        let read = self.ratings.with(read, [id], Consistency::Eventual)?;
        let (read, look) = self.hidden.with(read, now)?;
        let mut found = read.fetch(&self.client).await.context("read how a product is rated")?;
        let hidden = self.hidden.found_in(&mut found, look).await?;
        let product: Option<Product> = found.take(&self.table).pop().map(from_item).transpose()?;
        let is_seen = |product: &Product| product.is_for_sale() && !hidden.has(product.store_id);
        product.filter(is_seen).ok_or(Error::NotFound)?;
        Ok(self.ratings.found_in(&mut found).remove(&id).unwrap_or_default())
    }

    /// Of which store a product is, whether or not it is for sale; `None` where it is of none or gone.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn store_of(&self, id: ProductId) -> anyhow::Result<Option<StoreId>> {
        let get = self.client.get_item().table_name(&self.table).key("id", text(&id));
        let found = get.consistent_read(true).send().await.context("read of which store a product is")?;
        let product: Option<Product> = found.item.map(from_item).transpose()?;
        Ok(product.and_then(|product| product.store_id))
    }

    /// That a product is for sale and somebody else's than `person`'s, as a part of what another service writes.
    /// [`why_not_anothers`] tells why it is not so.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn is_anothers(&self, id: ProductId, person: &UserId) -> anyhow::Result<ConditionCheck> {
        ConditionCheck::builder()
            .table_name(&self.table)
            .key("id", text(&id))
            .condition_expression("isApproved = :yes AND ownerId <> :person")
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .expression_attribute_values(":person", text(person))
            .build()
            .context("look whose product it is")
    }

    /// That `person` sells a product, as a part of what another service writes. [`why_not_theirs`] tells why it is not
    /// so.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn is_theirs(&self, id: ProductId, person: &UserId) -> anyhow::Result<ConditionCheck> {
        ConditionCheck::builder()
            .table_name(&self.table)
            .key("id", text(&id))
            .condition_expression("ownerId = :person")
            .expression_attribute_values(":person", text(person))
            .build()
            .context("look whose product it is")
    }

    /// The product as everyone may see it, with its rating, as of a moment ago, at half the cost of a consistent read.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none, it is not for sale or its store is hidden.
    pub async fn for_sale(&self, id: ProductId, now: Timestamp) -> Result<ProductOffer, Error> {
        let read = Read::new().of(&self.table, "id", [id], Consistency::Eventual)?;
        let read = self.offers.with(read, [id.into()], Consistency::Eventual)?;
        let read = self.ratings.with(read, [id], Consistency::Eventual)?;
        let (read, look) = self.hidden.with(read, now)?;
        let mut found = read.fetch(&self.client).await.context("read a product")?;
        let hidden = self.hidden.found_in(&mut found, look).await?;
        let seen = self.found_in(&mut found)?.filter(|found| found.product.is_for_sale());
        let seen = seen.filter(|found| !hidden.has(found.product.store_id)).ok_or(Error::NotFound)?;
        let stars = self.ratings.found_in(&mut found).remove(&id).unwrap_or_default();
        Ok(ProductOffer { rating: Some(stars.rating()), ..seen })
    }

    /// Of these products those that everyone may see, in this order, with what they cost and how they are rated, as of
    /// a moment ago. One read, of twenty at most.
    ///
    /// # Errors
    /// When a table cannot be read.
    pub(crate) async fn some_for_sale(
        &self,
        ids: &[ProductId],
        now: Timestamp,
    ) -> Result<Vec<ProductOffer>, Problem> {
        let read = self.with(Read::new(), ids.iter().copied(), Consistency::Eventual)?;
        let (read, look) = self.hidden.with(read, now)?;
        let mut found = read.fetch(&self.client).await.context("read products")?;
        let hidden = self.hidden.found_in(&mut found, look).await?;
        let mut products = self.all_found_in(&mut found);
        let is_seen = |product: &Product| product.is_for_sale() && !hidden.has(product.store_id);
        let seen = ids.iter().filter_map(|id| products.remove(id)).filter(|found| is_seen(&found.product));
        Ok(seen.collect())
    }

    /// A page of what is for sale, in one category or all, newest first. What hidden stores sell is left out, so a page
    /// may be shorter than asked for; its cursor goes on behind them.
    ///
    /// # Errors
    /// `invalid-input` for a cursor of another list.
    pub async fn list_approved(
        &self,
        category: Option<&Category>,
        cursors: &Cursors,
        request: &PageRequest,
        now: Timestamp,
    ) -> Result<Page<ProductOffer>, Problem> {
        let (list, of) = match category {
            Some(category) => (CATEGORY, category.as_str()),
            None => (APPROVED, ALL_APPROVED),
        };
        let page = cursors.page::<Product>(&self.client, &self.table, list, of, request).await?;
        let (read, ratings) = self.with_offers_of(&page, Rated::Yes)?;
        let (read, look) = self.hidden.with(read, now)?;
        let (mut found, stars) = self.fetch(read, ratings).await?;
        let hidden = self.hidden.found_in(&mut found, look).await?;
        let mut page = self.with_offers_in(page, &mut found, Some(&stars));
        page.entries.retain(|entry| !hidden.has(entry.product.store_id));
        Ok(page)
    }

    /// A page of what is for sale in a store, newest first: one query for the products, and one read for what they
    /// cost, how they are rated and whether the store is published.
    ///
    /// # Errors
    /// `invalid-input` for a cursor of another list; `not-found` for a store that nobody sees.
    pub async fn list_in_store(
        &self,
        store: StoreId,
        cursors: &Cursors,
        request: &PageRequest,
    ) -> Result<Page<ProductOffer>, Problem> {
        let of = store.to_string();
        let page = cursors.page::<Product>(&self.client, &self.table, STORE, &of, request).await?;
        let (read, ratings) = self.with_offers_of(&page, Rated::Yes)?;
        let read = self.stores.with_gates(read, [store], Gate::of(store), Consistency::Strong)?;
        let (mut found, stars) = self.fetch(read, ratings).await?;
        if self.stores.open_in(&mut found).contains(&store) {
            Ok(self.with_offers_in(page, &mut found, Some(&stars)))
        } else {
            Err(Problem::not_found("store"))
        }
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
    ) -> Result<Page<ProductOffer>, Problem> {
        self.page(OWNER, &owner.to_string(), cursors, request).await
    }

    /// A page of what waits for an admin, newest first.
    ///
    /// # Errors
    /// `invalid-input` for a cursor of another list.
    pub async fn list_pending(
        &self,
        cursors: &Cursors,
        request: &PageRequest,
    ) -> Result<Page<ProductOffer>, Problem> {
        self.page(PENDING, AWAITING_APPROVAL, cursors, request).await
    }

    /// A page of a list that not everyone sees: one query for the products, and one read for what they cost and how
    /// many there are.
    async fn page(
        &self,
        list: List,
        of: &str,
        cursors: &Cursors,
        request: &PageRequest,
    ) -> Result<Page<ProductOffer>, Problem> {
        let page = cursors.page::<Product>(&self.client, &self.table, list, of, request).await?;
        let (read, _) = self.with_offers_of(&page, Rated::No)?;
        let mut found = read.fetch(&self.client).await.context("read the offers of a page")?;
        Ok(self.with_offers_in(page, &mut found, None))
    }

    /// What a page shows besides its products: their offers and, where that is wanted, what people think of them, which
    /// has a read of its own where both do not fit into one.
    fn with_offers_of(&self, page: &Page<Product>, rated: Rated) -> anyhow::Result<(Read, Read)> {
        let ids = || page.entries.iter().map(|product| product.id);
        let offers = self.offers.with(Read::new(), ids().map(Into::into), Consistency::Eventual)?;
        match rated {
            Rated::No => Ok((offers, Read::new())),
            Rated::Yes if page.entries.len() <= RATED_AT_ONCE => {
                Ok((self.ratings.with(offers, ids(), Consistency::Eventual)?, Read::new()))
            }
            Rated::Yes => {
                let ratings = self.ratings.with(Read::new(), ids(), Consistency::Eventual)?;
                Ok((offers, ratings))
            }
        }
    }

    /// Reads both side by side; without keys, nothing is asked.
    async fn fetch(&self, read: Read, ratings: Read) -> anyhow::Result<(Batch, HashMap<ProductId, Stars>)> {
        let (found, rated) = tokio::join!(read.fetch(&self.client), ratings.fetch(&self.client));
        let mut found = found.context("read the offers of a page")?;
        let mut rated = rated.context("read how the products of a page are rated")?;
        let mut stars = self.ratings.found_in(&mut found);
        stars.extend(self.ratings.found_in(&mut rated));
        Ok((found, stars))
    }

    fn with_offers_in(
        &self,
        page: Page<Product>,
        found: &mut Batch,
        stars: Option<&HashMap<ProductId, Stars>>,
    ) -> Page<ProductOffer> {
        let offers = self.offers.found_in(found);
        let mut offers: HashMap<_, _> = offers.into_iter().map(|offer| (offer.product_id(), offer)).collect();
        let rating =
            |id: ProductId| stars.map(|stars| stars.get(&id).copied().unwrap_or_default()).map(Stars::rating);
        // The index tells of a moment ago: what has no offer has just been deleted.
        let entries = page.entries.into_iter().filter_map(|product| {
            let (offer, rating) = (offers.remove(&product.id)?, rating(product.id));
            Some(ProductOffer { product, offer, rating })
        });
        Page { entries: entries.collect(), next_cursor: page.next_cursor }
    }

    /// Applies `rule` to the product as it is, and tries again when somebody else changed it meanwhile. Where the rule
    /// gives `None` there is nothing to change. Safe to repeat as far as the rule is: it sees what an earlier try
    /// wrote.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such product, [`Error::ChangedMeanwhile`] when the others did not stop.
    pub async fn change(
        &self,
        id: ProductId,
        rule: impl Fn(Product) -> Option<Product>,
    ) -> Result<ProductOffer, Error> {
        self.change_if(id, &IfMatch::Any, |product| Ok(rule(product))).await
    }

    /// The same for its seller or an admin: the version that is written over is one that `caller` may change, and that
    /// the request is about.
    ///
    /// # Errors
    /// Those of [`Products::change`] and of [`Product::editor`], and [`Error::AnotherVersion`].
    pub async fn change_as(
        &self,
        caller: &Caller,
        id: ProductId,
        if_match: &IfMatch,
        rule: impl Fn(Product, Editor) -> Option<Product>,
    ) -> Result<ProductOffer, Error> {
        self.change_if(id, if_match, |product| {
            let editor = product.editor(caller)?;
            Ok(rule(product, editor))
        })
        .await
    }

    /// The same for what becomes of its pictures, by a rule that may refuse. What it allowed is written over the very
    /// version that it was asked about: of many who add the last picture at once one does.
    ///
    /// # Errors
    /// Those of [`Products::change_as`], and [`Error::Picture`].
    pub async fn change_pictures(
        &self,
        caller: &Caller,
        id: ProductId,
        if_match: &IfMatch,
        rule: impl Fn(Product, Editor) -> Result<Option<Product>, PictureRefusal>,
    ) -> Result<ProductOffer, Error> {
        self.change_if(id, if_match, |product| {
            let editor = product.editor(caller)?;
            // What another version has or has not is nothing to whoever asks about one.
            if if_match.allows(product.version) { Ok(rule(product, editor)?) } else { Ok(None) }
        })
        .await
    }

    /// The write's condition is the very version that was compared with `if_match`.
    async fn change_if(
        &self,
        id: ProductId,
        if_match: &IfMatch,
        rule: impl Fn(Product) -> Result<Option<Product>, Error>,
    ) -> Result<ProductOffer, Error> {
        let mut tried = None;
        for _ in 0..TRIES {
            let found = self.find(id).await?.ok_or(Error::NotFound)?;
            // Refused, a write may be one whose reply was lost: then this is what it wrote.
            if tried.as_ref().is_some_and(|tried: &Product| tried.is_the_same_version(&found.product)) {
                return Ok(found);
            }
            let changed = rule(found.product.clone())?;
            if !if_match.allows(found.product.version) {
                return Err(Error::AnotherVersion);
            }
            let Some(changed) = changed else { return Ok(found) };
            let product = changed.following(&found.product);
            if self.save(&found.product, &product).await? {
                let offer = found.offer.with_terms(product.terms());
                return Ok(ProductOffer { product, offer, rating: None });
            }
            tried = Some(product);
        }
        Err(Error::ChangedMeanwhile)
    }

    /// Writes a product over the version that was `read`, and no other one. Safe to repeat by the SDK: a write whose
    /// reply was lost is known again.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is gone, [`Error::ChangedMeanwhile`] when somebody else changed it.
    pub(crate) async fn replace(&self, read: &ProductOffer, changed: Product) -> Result<ProductOffer, Error> {
        let product = changed.following(&read.product);
        if self.save(&read.product, &product).await? {
            let offer = read.offer.clone().with_terms(product.terms());
            return Ok(ProductOffer { product, offer, rating: None });
        }
        let found = self.find(product.id).await?.ok_or(Error::NotFound)?;
        if product.is_the_same_version(&found.product) { Ok(found) } else { Err(Error::ChangedMeanwhile) }
    }

    /// Writes what is different about a product since it was `read`, if nobody else changed it meanwhile; and its offer
    /// where that repeats what is different.
    ///
    /// # Errors
    /// [`Error::StoreNotPublished`] where it would come on sale in a store that is not published.
    async fn save(&self, read: &Product, product: &Product) -> Result<bool, Error> {
        let update = self.changes(read, product)?;
        if product.terms() == read.terms() {
            let saved = update_item(&self.client, update, ReturnValue::None).await;
            return Ok(matches!(saved.context("change a product")?, Written::Done(_)));
        }
        let mut write = Write::new();
        write.update(update);
        write.update(self.offers.set_terms(product.id.into(), &product.terms())?);
        let comes_on_sale = product.is_for_sale() && !read.is_for_sale();
        let gate = match product.store_id.filter(|_| comes_on_sale) {
            Some(store) => Some(write.check(self.stores.is_open(store, Gate::of(product.id))?)),
            None => None,
        };
        match write.commit(&self.client).await.context("change a product")? {
            Written::Done(()) => Ok(true),
            Written::Refused(found) if gate.is_some_and(|gate| found.at(gate).is_some()) => {
                Err(Error::StoreNotPublished)
            }
            Written::Refused(_) => Ok(false),
        }
    }

    /// What is different between two versions, as an update of the first one: derived from the items, so that no
    /// attribute can be forgotten.
    fn changes(&self, read: &Product, product: &Product) -> anyhow::Result<Update> {
        let (old, new) = (with_index_keys(read)?, with_index_keys(product)?);
        let (mut set, mut remove) = (Vec::new(), Vec::new());
        let mut update = Update::builder().table_name(&self.table).key("id", text(&product.id));
        for (index, (name, value)) in
            new.iter().filter(|(name, value)| old.get(*name) != Some(value)).enumerate()
        {
            set.push(format!("#s{index} = :s{index}"));
            update = update
                .expression_attribute_names(format!("#s{index}"), name)
                .expression_attribute_values(format!(":s{index}"), value.clone());
        }
        for (index, name) in old.keys().filter(|name| !new.contains_key(*name)).enumerate() {
            remove.push(format!("#r{index}"));
            update = update.expression_attribute_names(format!("#r{index}"), name);
        }
        let mut expression = format!("SET {}", set.join(", "));
        if !remove.is_empty() {
            expression = format!("{expression} REMOVE {}", remove.join(", "));
        }
        update
            .update_expression(expression)
            .condition_expression("version = :read")
            .expression_attribute_values(":read", number(read.version))
            .build()
            .context("change a product")
    }

    /// Deletes the product and its offer for its seller or an admin, in one conditional write, and tells whether there
    /// was one. Repeated, there is none.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is somebody else's, [`Error::NotYours`] when that is for sale, or
    /// [`Error::AnotherVersion`].
    pub async fn delete(&self, caller: &Caller, id: ProductId, if_match: &IfMatch) -> Result<bool, Error> {
        let (condition, values) = may_change(caller, if_match);
        let delete = Delete::builder()
            .table_name(&self.table)
            .key("id", text(&id))
            .condition_expression(condition)
            .set_expression_attribute_values(values);
        match self.delete_both(id, delete.build().context("delete a product")?).await? {
            Written::Done(()) => Ok(true),
            Written::Refused(found) if found.is_empty() => Ok(false),
            Written::Refused(found) => Err(refused(found, caller, if_match)?),
        }
    }

    /// A stretch of what a seller has, each with its offer, as it is kept: two calls for a hundred.
    ///
    /// # Errors
    /// When the tables cannot be read.
    pub async fn kept_of(&self, seller: &UserId, stretch: Stretch) -> anyhow::Result<KeptItems> {
        let mut kept = OWNER.kept(&self.client, &self.table, seller, stretch).await?;
        let ids = kept.items.iter().filter_map(|product| product["id"].as_str()?.parse::<ProductId>().ok());
        let read = self.offers.with(Read::new(), ids.map(Into::into), Consistency::Eventual)?;
        let offers = self.offers.found_in(&mut read.fetch(&self.client).await.context("read offers")?);
        for product in &mut kept.items {
            let offer = offers.iter().find(|offer| product["id"] == offer.product_id().to_string());
            product["offer"] = serde_json::to_value(offer)?;
        }
        Ok(kept)
    }

    /// Ten products of a seller's, as of a moment ago.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn some_of(&self, seller: &UserId) -> anyhow::Result<Vec<ProductId>> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .set_index_name(OWNER.index.map(str::to_owned))
            .key_condition_expression("ownerId = :seller")
            .expression_attribute_values(":seller", text(seller))
            .limit(10);
        let found = query.send().await.context("read what somebody sells")?;
        let products: Vec<Product> = read_each(found.items.unwrap_or_default(), "id");
        Ok(products.iter().map(Product::id).collect())
    }

    /// Deletes a product of this seller's, if it is there, and its offer. Safe to repeat.
    ///
    /// # Errors
    /// When the tables do not take it.
    pub async fn delete_of(&self, seller: &UserId, id: ProductId) -> anyhow::Result<()> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .key("id", text(&id))
            .condition_expression("ownerId = :seller")
            .expression_attribute_values(":seller", text(seller));
        self.delete_both(id, delete.build().context("delete a product")?).await.map(drop)
    }

    /// Whether pieces of a seller's are promised to orders that have not shipped: of a hundred products, the newest.
    ///
    /// # Errors
    /// When the tables cannot be read.
    pub async fn are_owed_by(&self, seller: &UserId) -> anyhow::Result<bool> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .set_index_name(OWNER.index.map(str::to_owned))
            .key_condition_expression("ownerId = :seller")
            .expression_attribute_values(":seller", text(seller))
            .scan_index_forward(false)
            .limit(100);
        let found = query.send().await.context("read what somebody sells")?;
        let products: Vec<Product> = read_each(found.items.unwrap_or_default(), "id");
        for product in products {
            let found = self.find(product.id()).await?;
            if found.is_some_and(|found| found.offer.promised() > 0) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Deletes a product under its condition, and its offer with it; refused, it gives the product as it stood then.
    async fn delete_both(&self, id: ProductId, delete: Delete) -> anyhow::Result<Written<(), Item>> {
        let mut write = Write::new();
        let product = write.delete(delete);
        write.delete(self.offers.delete(id.into())?);
        Ok(match write.commit(&self.client).await.context("delete a product")? {
            Written::Done(()) => Written::Done(()),
            Written::Refused(mut found) => Written::Refused(found.take(product).unwrap_or_default()),
        })
    }

    /// Notes that its seller or an admin asked for a URL for another picture in the place of the one at `imageUrl`, in
    /// one conditional write: what its file is called, and whether the picture needs an admin's eye. Gives which
    /// picture that is.
    ///
    /// # Errors
    /// [`Error::NotFound`], or [`Error::NotYours`] when it is somebody else's and for sale, or
    /// [`Error::AnotherVersion`].
    pub async fn request_upload(
        &self,
        caller: &Caller,
        id: ProductId,
        if_match: &IfMatch,
        upload: UploadId,
        file_name: &FileName,
    ) -> Result<PictureId, Error> {
        let editor = if caller.is_admin() { Editor::Admin } else { Editor::Seller };
        let requested = RequestedUpload { upload_id: upload, file_name: file_name.clone(), editor };
        let (condition, values) = may_change(caller, if_match);
        let update = Update::builder()
            .table_name(&self.table)
            .key("id", text(&id))
            .update_expression("SET requestedUpload = :upload")
            .condition_expression(condition)
            .set_expression_attribute_values(values)
            .expression_attribute_values(":upload", AttributeValue::M(to_item(&requested)?))
            .build()
            .context("request an upload")?;
        match update_item(&self.client, update, ReturnValue::AllNew).await.context("request an upload")? {
            Written::Done(item) => Ok(from_item::<Product>(item)?.own_picture_id()),
            Written::Refused(found) => Err(refused(found, caller, if_match)?),
        }
    }

    /// Changes the stock for the product's seller or an admin, and gives what came of it. Safe to repeat as
    /// [`Offers::change_stock`] is.
    ///
    /// # Errors
    /// [`Error::Stock`], or [`Error::NotFound`] when it was deleted meanwhile.
    pub async fn change_stock(
        &self,
        guards: &Guards,
        caller: &Caller,
        id: ProductId,
        change: StockChange,
        keyed: Option<&KeyedRequest>,
        now: Timestamp,
    ) -> Result<Once<ProductOffer>, Error> {
        let done = self.offers.change_stock(guards, caller, id.into(), change, keyed, now).await?;
        let found = self.find(id).await?.ok_or(Error::NotFound)?;
        // A repetition has met no condition of the offer's.
        found.product.editor(caller)?;
        Ok(done.map(|()| found))
    }

    /// Marks the product, if it is there, to be swept once whoever works on its pictures at `now` is done or dead.
    /// Repeated, it puts that off.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn sweep_later(&self, id: ProductId, now: Timestamp) -> anyhow::Result<()> {
        let mark = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", text(&id))
            .update_expression("SET sweep = :pictures, sweepAt = :at")
            .condition_expression("attribute_exists(id)")
            .expression_attribute_values(":pictures", text(PICTURES))
            .expression_attribute_values(":at", text(&(now + SWEPT_AFTER)));
        unless_condition_failed(mark.send().await).map(drop).context("mark a product")
    }

    /// At most `limit` products that were marked to be swept before `now`, with the mark, oldest first.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn to_be_swept(
        &self,
        now: Timestamp,
        limit: i32,
    ) -> anyhow::Result<Vec<(ProductId, Timestamp)>> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Marked {
            id: ProductId,
            sweep_at: Timestamp,
        }
        let found = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("sweep")
            .key_condition_expression("sweep = :pictures AND sweepAt < :now")
            .expression_attribute_values(":pictures", text(PICTURES))
            .expression_attribute_values(":now", text(&now))
            .limit(limit)
            .send()
            .await
            .context("read the products to be swept")?;
        let marked = read_each::<Marked>(found.items.unwrap_or_default(), "id");
        Ok(marked.into_iter().map(|marked| (marked.id, marked.sweep_at)).collect())
    }

    /// Takes the mark off, or puts it off until `again`, unless somebody marked the product anew since it was
    /// `marked`. Safe to repeat.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn swept(
        &self,
        id: ProductId,
        marked: Timestamp,
        again: Option<Timestamp>,
    ) -> anyhow::Result<()> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", text(&id))
            .condition_expression("sweepAt = :marked")
            .expression_attribute_values(":marked", text(&marked));
        let update = match again {
            Some(again) => update
                .update_expression("SET sweepAt = :again")
                .expression_attribute_values(":again", text(&again)),
            None => update.update_expression("REMOVE sweep, sweepAt"),
        };
        unless_condition_failed(update.send().await).map(drop).context("unmark a product")
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
        Ok(read_each(found.items.unwrap_or_default(), "id"))
    }

    /// Deletes the product and its offer if it still has no picture and nobody decided on it: the index tells of a
    /// moment ago. Gives whether this call deleted it.
    ///
    /// # Errors
    /// When the tables cannot be written.
    pub async fn delete_without_picture(&self, id: ProductId) -> anyhow::Result<bool> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .key("id", text(&id))
            .condition_expression(
                "attribute_not_exists(imageUrl) AND attribute_not_exists(waitingPicture) AND isApproved = :no \
                 AND attribute_not_exists(rejectionReason) AND attribute_not_exists(wasDecided)",
            )
            .expression_attribute_values(":no", AttributeValue::Bool(false));
        // Where the condition fails, its picture came, an admin approved it, or it is gone already.
        let deleted = self.delete_both(id, delete.build().context("delete a product without a picture")?);
        Ok(matches!(deleted.await?, Written::Done(())))
    }
}

/// Why [`Products::is_anothers`] does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAnothers {
    /// There is no such product, or it is not for sale.
    NotFound,
    /// The person sells it.
    Own,
}

/// Why a product is not for sale by another than `person`, by its item as it stood then.
///
/// # Errors
/// When the item is no product.
pub fn why_not_anothers(found: Item, person: &UserId) -> anyhow::Result<NotAnothers> {
    if found.is_empty() {
        return Ok(NotAnothers::NotFound);
    }
    let product: Product = from_item(found)?;
    Ok(if product.owner_id == *person { NotAnothers::Own } else { NotAnothers::NotFound })
}

/// Why a product is not the seller's who was asked for, by its item as it stood then.
///
/// # Errors
/// When the item is no product.
pub fn why_not_theirs(found: Item) -> anyhow::Result<Error> {
    if found.is_empty() {
        return Ok(Error::NotFound);
    }
    let product: Product = from_item(found)?;
    Ok(if product.is_for_sale() { Error::NotYours } else { Error::NotFound })
}

/// A product's item: its attributes, and the keys of the lists that it stands on.
fn with_index_keys(product: &Product) -> anyhow::Result<Item> {
    let mut item = to_item(product)?;
    let keys = index_keys(product).into_iter();
    item.extend(keys.filter_map(|(name, value)| Some((name.to_owned(), value?))));
    Ok(item)
}

/// The keys of the sparse indexes that put a product on its lists; `None` takes it off.
fn index_keys(product: &Product) -> [(&'static str, Option<AttributeValue>); 5] {
    let listing = product.listing();
    let is_approved = listing == Listing::Approved;
    let pending = match listing {
        Listing::AwaitingImage => Some(AWAITING_IMAGE),
        _ if product.awaits_approval() => Some(AWAITING_APPROVAL),
        _ => None,
    };
    [
        (APPROVED.partition, is_approved.then(|| text(ALL_APPROVED))),
        (CATEGORY.partition, is_approved.then(|| text(product.category.as_str()))),
        (STORE.partition, product.store_id.filter(|_| is_approved).map(|store| text(&store))),
        (PENDING.partition, pending.map(text)),
        ("sweep", product.sweep_at.map(|_| text(PICTURES))),
    ]
}

/// The condition under which `caller` may change a product that is there and that the request is about, with its
/// values, if it has any: DynamoDB refuses a value that no expression names, and no values at all.
fn may_change(caller: &Caller, if_match: &IfMatch) -> (String, Option<Item>) {
    let (mut condition, mut values) = if caller.is_admin() {
        ("attribute_exists(id)".to_owned(), Item::new())
    } else {
        ("ownerId = :caller".to_owned(), Item::from([(":caller".to_owned(), text(caller.id()))]))
    };
    if let Some((version, named)) = if_match.condition() {
        condition = format!("{condition} AND {version}");
        values.extend(named);
    }
    (condition, (!values.is_empty()).then_some(values))
}

/// Why a write for `caller` was not carried out, by the product against which its condition failed.
fn refused(found: Item, caller: &Caller, if_match: &IfMatch) -> anyhow::Result<Error> {
    if found.is_empty() {
        return Ok(Error::NotFound);
    }
    let product: Product = from_item(found)?;
    match product.editor(caller) {
        Err(error) => Ok(error),
        Ok(_) if !if_match.allows(product.version()) => Ok(Error::AnotherVersion),
        Ok(_) => anyhow::bail!("the product allows the change and its condition failed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use shared::run::aws::canned::answering;

    /// A product without anything that it need not have.
    fn bare() -> Value {
        json!({
            "id": "01a1fbbc-f7cc-71a0-aa66-431f703e44ea", "ownerId": "ann", "fileName": "tea.png",
            "productName": "Tea", "productPrice": 450, "currency": "USD", "description": "Green.",
            "category": "Drinks", "isApproved": false, "createdAt": "2026-11-28T12:04:00.000Z",
            "updatedAt": "2026-11-28T12:04:00.000Z", "version": 1, "schemaVersion": 1
        })
    }

    /// The same product with everything that one can have, and of which everything is different.
    fn full() -> Value {
        let upload = "01a1fbbc-f7cd-71a0-aa66-431f703e44ea";
        json!({
            "id": "01a1fbbc-f7cc-71a0-aa66-431f703e44ea", "ownerId": "bob", "email": "bob@cartwright.test",
            "fileName": "pot.png", "productName": "Pot", "productPrice": 900, "currency": "EUR",
            "description": "Brown.", "category": "Kitchen", "sku": "POT-1",
            "storeId": "01a1fbbc-f7ce-71a0-aa66-431f703e44ea", "imageUrl": "https://shop.example/images/pot.png",
            "images": { "small": "small.jpg", "medium": "medium.jpg", "large": "large.jpg" },
            "imageUploadId": upload,
            "imageRejection": "The file is empty.",
            "requestedUpload": { "uploadId": upload, "fileName": "lid.png", "editor": "seller" },
            "waitingPicture": {
                "uploadId": upload, "fileName": "lid.png", "editor": "admin",
                "placed": { "picture": "products/pot/folder/lid.png" }
            },
            "pictureId": upload, "picturesBefore": 1,
            "morePictures": [{
                "id": "01a1fbbc-f7ce-71a0-aa66-431f703e44ea", "fileName": "handle.png",
                "imageUrl": "https://shop.example/images/handle.png",
                "images": { "small": "small.jpg", "medium": "medium.jpg", "large": "large.jpg" },
                "imageUploadId": upload, "imageRejection": "The file is empty.",
                "requestedUpload": { "uploadId": upload, "fileName": "spout.png", "editor": "seller" },
                "waitingPicture": {
                    "uploadId": upload, "fileName": "spout.png", "editor": "admin",
                    "placed": { "picture": "products/pot/folder/spout.png" }
                }
            }],
            "sweepAt": "2026-11-29T12:04:00.000Z", "isApproved": true, "approvedPrice": 900, "wasDecided": true,
            "rejectionReason": "Blurred.", "createdAt": "2026-11-28T12:05:00.000Z",
            "updatedAt": "2026-11-28T12:05:00.000Z", "version": 2, "schemaVersion": 2
        })
    }

    fn read(product: Value) -> Product {
        serde_json::from_value(product).unwrap()
    }

    /// What an update makes of an item, as DynamoDB would.
    fn updated(mut item: Item, update: &Update) -> Item {
        let values = update.expression_attribute_values.as_ref().unwrap();
        let (set, remove) =
            update.update_expression.split_once(" REMOVE ").unwrap_or((&update.update_expression, ""));
        let name =
            |placeholder: &str| update.expression_attribute_names.as_ref().unwrap()[placeholder].clone();
        for (placeholder, value) in
            set.trim_start_matches("SET ").split(", ").filter_map(|one| one.split_once(" = "))
        {
            item.insert(name(placeholder), values[value].clone());
        }
        for placeholder in remove.split(", ").filter(|placeholder| !placeholder.is_empty()) {
            item.remove(&name(placeholder));
        }
        item
    }

    #[test]
    fn whatever_is_different_about_a_product_is_saved() {
        let (bare, full) = (read(bare()), read(full()));
        // Whoever gives a product another field says here what it is like in a full one.
        let missing: Vec<_> = format!("{full:#?}")
            .lines()
            .filter(|line| line.starts_with("    ") && !line.starts_with("     "))
            .filter(|line| line.ends_with(": None,") || line.ends_with(": false,"))
            .map(str::to_owned)
            .collect();
        assert_eq!(missing, [""; 0]);
        let (sdk, _) = answering(200, &Value::Null);
        let products = Products::from_env(&Aws::for_tests(sdk)).unwrap();
        for (old, new) in [(&bare, &full), (&full, &bare)] {
            let update = products.changes(old, new).unwrap();
            let saved = updated(with_index_keys(old).unwrap(), &update);
            assert_eq!(saved, with_index_keys(new).unwrap());
            assert_eq!(shared::dynamo::from_item::<Product>(saved).unwrap(), *new);
        }
        let stays = |name: &&String| {
            with_index_keys(&bare).unwrap().get(*name) == with_index_keys(&full).unwrap().get(*name)
        };
        let full = with_index_keys(&full).unwrap();
        let same: Vec<_> = full.keys().filter(stays).collect();
        assert_eq!(same, ["id"], "all else is different, so that none of it is saved by chance");
    }
}
