//! The Reviews table.
//!
//! | what | keys |
//! | --- | --- |
//! | a review | `productId`, `userId` (its author) |
//! | how many reviews of a product give how many stars | `productId`, `userId` = `#totals`: no `sub` has a `#` |
//! | a product's reviews, newest first | index `newest`: `productId`, `shownAt`; sparse |
//! | the same by their stars | index `rated`: `productId`, `rank` = `{stars}#{createdAt}`; sparse |
//! | those of so many stars, newest first | index `starred`: `shelf` = `{productId}#{stars}`, `createdAt`; sparse |
//! | those that are hidden, newest first | the same: `shelf` = "hidden" |
//! | a person's reviews, newest first | index `author`: `userId`, `createdAt` |
//!
//! A hidden review has no `shownAt` and no `rank`, and so stands on no product's list. Whatever changes what counts of
//! a review changes the totals in the same transaction, by how many more or fewer, so that of two at the same time none
//! is lost. A review changes under its `version`; and since one that is posted anew begins with the first again, under
//! its `createdAt` and its `shelf` as well, which says what counts of it.

use std::collections::BTreeMap;

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Delete, Put, Update};
use products::Products;
use products::ratings::TOTALS;
use products::store::{NotAnothers, why_not_anothers, why_not_theirs};
use serde::Deserialize;
use shared::caller::UserId;
use shared::dynamo::list::Sort::{Ascending, Descending};
use shared::dynamo::list::{Cursors, List, Page, PageRequest};
use shared::dynamo::{
    Item, KeptItems, Part, Stretch, Write, Written, from_item, number, put_item, read_each, text, to_item,
};
use shared::http::IfMatch;
use shared::http::problem::Problem;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::id::random_bytes;
use shared::values::time::Timestamp;
use users::OpenAccounts;

use crate::{Error, Given, Order, ProductId, PurchaseRule, Purchases, Review, SCHEMA_VERSION};

const NEWEST: List =
    List { index: Some("newest"), partition: "productId", sort: Descending("shownAt"), key: "userId" };
const HIGHEST: List =
    List { index: Some("rated"), partition: "productId", sort: Descending("rank"), key: "userId" };
const LOWEST: List = List { sort: Ascending("rank"), ..HIGHEST };
const STARRED: List = List {
    index: Some("starred"),
    partition: "shelf",
    sort: Descending("createdAt"),
    key: "userId,productId",
};
const AUTHOR: List =
    List { index: Some("author"), partition: "userId", sort: Descending("createdAt"), key: "productId" };

const HIDDEN: &str = "hidden";

/// How often a change is tried again when others changed the review first.
const TRIES: u32 = 5;

/// Reviews of somebody are forgotten so many at a time.
const AT_ONCE: i32 = 50;

/// The Reviews table.
#[derive(Debug, Clone)]
pub struct Reviews {
    client: Client,
    table: String,
    purchases: Purchases,
    products: Products,
    accounts: OpenAccounts,
}

impl FromEnv for Reviews {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            client: aws.dynamodb(),
            table: config::table("REVIEWS_TABLE"),
            purchases: Purchases::from_env(aws)?,
            products: Products::from_env(aws)?,
            accounts: OpenAccounts::from_env(aws)?,
        })
    }
}

/// Which review: that of a product by a person.
pub type Key<'a> = (ProductId, &'a UserId);

/// As who somebody changes a review.
#[derive(Debug, Clone, PartialEq)]
pub enum By {
    /// As one of whom nothing is asked that was not before.
    Anybody,
    /// As its author, whose account may be used.
    Author(UserId),
    /// As the seller of its product, by the condition of [`Products::is_theirs`].
    Seller(ConditionCheck),
}

impl By {
    /// Why it is not so, by the item against which the condition failed.
    fn refused(&self, found: Item) -> anyhow::Result<Error> {
        match self {
            Self::Author(_) => Ok(Error::AccountClosed),
            Self::Seller(_) => not_theirs(found),
            Self::Anybody => anyhow::bail!("a change was refused that has no condition"),
        }
    }
}

/// Who may post a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Buyers,
    Anybody,
}

/// What became of a review that was to be posted.
enum Posted {
    Done,
    NotBought,
}

impl Reviews {
    /// Records a review and counts its stars, in one transaction that reads nothing before it. Where its author need
    /// not have bought the product and has not, that is one more.
    ///
    /// Safe to repeat by the SDK: a review whose reply was lost is known again.
    ///
    /// # Errors
    /// [`Error::NoProduct`], [`Error::OwnProduct`], [`Error::AccountClosed`], [`Error::AlreadyReviewed`],
    /// [`Error::NotBought`]: the first that is so.
    pub async fn post(&self, review: Review, rule: PurchaseRule) -> Result<Review, Error> {
        match (self.post_as(Who::Buyers, &review).await?, rule) {
            (Posted::Done, _) => Ok(review),
            (Posted::NotBought, PurchaseRule::Needed) => Err(Error::NotBought),
            (Posted::NotBought, PurchaseRule::Noted) => {
                let review = review.unverified();
                self.post_as(Who::Anybody, &review).await?;
                Ok(review)
            }
        }
    }

    async fn post_as(&self, who: Who, review: &Review) -> Result<Posted, Error> {
        let mut write = Write::new();
        let product = write.check(self.products.is_anothers(review.product_id, &review.user_id)?);
        let account = write.check(self.accounts.is_open(&review.user_id)?);
        let bought = match who {
            Who::Buyers => Some(write.check(self.purchases.is_bought(&review.user_id, review.product_id)?)),
            Who::Anybody => None,
        };
        let put = self.put(review)?.condition_expression("attribute_not_exists(userId)");
        let own = write.put(put.build().context("post a review")?);
        if let Some(totals) = self.totals(review.product_id, None, review.counts())? {
            write.update(totals);
        }
        let Written::Refused(mut found) = write.commit(&self.client).await.context("post a review")? else {
            return Ok(Posted::Done);
        };
        if let Some(item) = found.take(product) {
            return Err(match why_not_anothers(item, &review.user_id)? {
                NotAnothers::NotFound => Error::NoProduct,
                NotAnothers::Own => Error::OwnProduct,
            });
        }
        if found.at(account).is_some() {
            return Err(Error::AccountClosed);
        }
        if let Some(item) = found.take(own) {
            let there: Review = from_item(item)?;
            // It may be this one, whose reply was lost.
            return if there == *review { Ok(Posted::Done) } else { Err(Error::AlreadyReviewed) };
        }
        if bought.is_some_and(|bought| found.at(bought).is_some()) {
            return Ok(Posted::NotBought);
        }
        Err(anyhow::anyhow!("a review was refused for no reason").into())
    }

    /// The review as it is now.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn find(&self, key: Key<'_>) -> anyhow::Result<Option<Review>> {
        let get = self.client.get_item().table_name(&self.table).set_key(Some(key_of(key)));
        let found = get.consistent_read(true).send().await.context("read a review")?;
        found.item.map(from_item).transpose()
    }

    /// A page of a product's reviews that are shown, in an order and perhaps of so many stars alone. Of those that have
    /// the same stars, any order is that of time.
    ///
    /// # Errors
    /// `invalid-input` for a cursor of another list.
    pub async fn list(
        &self,
        product: ProductId,
        order: Order,
        stars: Option<Given>,
        cursors: &Cursors,
        request: &PageRequest,
    ) -> Result<Page<Review>, Problem> {
        let (list, of) = match (stars, order) {
            (Some(stars), _) => (STARRED, shelf(product, stars)),
            (None, Order::Newest) => (NEWEST, product.to_string()),
            (None, Order::Highest) => (HIGHEST, product.to_string()),
            (None, Order::Lowest) => (LOWEST, product.to_string()),
        };
        cursors.page(&self.client, &self.table, list, &of, request).await
    }

    /// A page of a person's reviews, newest first, also those that are hidden.
    ///
    /// # Errors
    /// `invalid-input` for a cursor of another list.
    pub async fn list_of(
        &self,
        author: &UserId,
        cursors: &Cursors,
        request: &PageRequest,
    ) -> Result<Page<Review>, Problem> {
        cursors.page(&self.client, &self.table, AUTHOR, &author.to_string(), request).await
    }

    /// A page of all reviews that are hidden, newest first.
    ///
    /// # Errors
    /// `invalid-input` for a cursor of another list.
    pub async fn list_hidden(
        &self,
        cursors: &Cursors,
        request: &PageRequest,
    ) -> Result<Page<Review>, Problem> {
        cursors.page(&self.client, &self.table, STARRED, HIDDEN, request).await
    }

    /// Applies `rule` to a review, if it is a version that the request is about, and tries again when somebody else
    /// changed it meanwhile. Where the rule gives `None` there is nothing to change. That the caller is who it takes
    /// is a condition of the write; and a seller has to be that of the product also where nothing is written. Safe to
    /// repeat as far as the rule is.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::AnotherVersion`], [`Error::ChangedMeanwhile`], those of the rule, and where the
    /// caller is not who it takes [`Error::AccountClosed`], [`Error::NotTheSeller`] or [`Error::NoProduct`].
    pub async fn change(
        &self,
        key: Key<'_>,
        if_match: &IfMatch,
        by: &By,
        rule: impl Fn(Review) -> Result<Option<Review>, Error>,
    ) -> Result<Review, Error> {
        let mut tried: Option<Review> = None;
        for _ in 0..TRIES {
            let Some(found) = self.find(key).await? else {
                // Who does not sell the product is told that, whatever reviews it has.
                self.is_so(by).await?;
                return Err(Error::NotFound);
            };
            // Refused, a write may be one whose reply was lost: then this is what it wrote.
            if tried.is_some_and(|tried| tried == found) {
                return Ok(found);
            }
            let next =
                if if_match.allows(found.version) { rule(found.clone()) } else { Err(Error::AnotherVersion) };
            let Some(next) = (match next {
                Ok(next) => next,
                Err(error) => {
                    self.is_so(by).await?;
                    return Err(error);
                }
            }) else {
                self.is_so(by).await?;
                return Ok(found);
            };
            if self.replace(&found, &next, by).await? {
                return Ok(next);
            }
            tried = Some(next);
        }
        Err(Error::ChangedMeanwhile)
    }

    /// Looks whether whoever speaks for the seller is that, where nothing is written.
    async fn is_so(&self, by: &By) -> Result<(), Error> {
        let By::Seller(sells_it) = by else { return Ok(()) };
        let mut write = Write::new();
        let product = write.check(sells_it.clone());
        match write.commit(&self.client).await.context("look whose product it is")? {
            Written::Done(()) => Ok(()),
            Written::Refused(mut found) => Err(not_theirs(found.take(product).unwrap_or_default())?),
        }
    }

    /// That the caller is who it takes, as a part of a write.
    fn check(&self, write: &mut Write, by: &By) -> anyhow::Result<Option<Part>> {
        Ok(match by {
            By::Anybody => None,
            By::Author(author) => Some(write.check(self.accounts.is_open(author)?)),
            By::Seller(sells_it) => Some(write.check(sells_it.clone())),
        })
    }

    /// Writes a review over the version that was read, with the stars that count of it, and tells whether it was that.
    async fn replace(&self, read: &Review, next: &Review, by: &By) -> Result<bool, Error> {
        let put = self.put(next)?.condition_expression(AS_READ);
        let put =
            put.set_expression_attribute_values(Some(as_read(read))).build().context("change a review")?;
        let totals = self.totals(read.product_id, read.counts(), next.counts())?;
        let mut write = Write::new();
        let condition = self.check(&mut write, by)?;
        if condition.is_none() && totals.is_none() {
            let written = put_item(&self.client, put).await.context("change a review")?;
            return Ok(matches!(written, Written::Done(())));
        }
        write.put(put);
        if let Some(totals) = totals {
            write.update(totals);
        }
        match write.commit(&self.client).await.context("change a review")? {
            Written::Done(()) => Ok(true),
            Written::Refused(mut found) => match condition.and_then(|condition| found.take(condition)) {
                Some(item) => Err(by.refused(item)?),
                None => Ok(false),
            },
        }
    }

    /// Deletes a review, if it is a version that the request is about, and takes its stars off. Repeated, there is
    /// none.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::AnotherVersion`], [`Error::ChangedMeanwhile`].
    pub async fn delete(&self, key: Key<'_>, if_match: &IfMatch) -> Result<(), Error> {
        let mut was_tried = false;
        for _ in 0..TRIES {
            let Some(found) = self.find(key).await? else {
                // Refused, a deletion may be one whose reply was lost.
                return if was_tried { Ok(()) } else { Err(Error::NotFound) };
            };
            if !if_match.allows(found.version) {
                return Err(Error::AnotherVersion);
            }
            let mut write = Write::new();
            write.delete(self.deletion(&found)?);
            if let Some(totals) = self.totals(found.product_id, found.counts(), None)? {
                write.update(totals);
            }
            if let Written::Done(()) = write.commit(&self.client).await.context("delete a review")? {
                return Ok(());
            }
            was_tried = true;
        }
        Err(Error::ChangedMeanwhile)
    }

    /// A stretch of what somebody said of products, as it is kept.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn kept_of(&self, person: &UserId, stretch: Stretch) -> anyhow::Result<KeptItems> {
        AUTHOR.kept(&self.client, &self.table, person, stretch).await
    }

    /// Leaves of all reviews of a person whose account goes what [`Review::forgotten`] leaves, each in one transaction,
    /// and the totals as they are. Safe to repeat: what is forgotten is no review of that person's.
    ///
    /// # Errors
    /// When the table does not answer, or somebody else changed a review again and again.
    pub async fn forget_author(&self, author: &UserId, now: Timestamp) -> anyhow::Result<()> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Named {
            product_id: ProductId,
        }
        let mut start = None;
        loop {
            let found = self
                .client
                .query()
                .table_name(&self.table)
                .set_index_name(AUTHOR.index.map(str::to_owned))
                .key_condition_expression("userId = :author")
                .expression_attribute_values(":author", text(author))
                .limit(AT_ONCE)
                .set_exclusive_start_key(start)
                .send()
                .await
                .context("read the reviews of a person")?;
            for Named { product_id } in read_each(found.items.unwrap_or_default(), "productId") {
                self.forget_one((product_id, author), now).await?;
            }
            start = found.last_evaluated_key;
            if start.is_none() {
                return Ok(());
            }
        }
    }

    async fn forget_one(&self, key: Key<'_>, now: Timestamp) -> anyhow::Result<()> {
        for _ in 0..TRIES {
            // The index tells of a moment ago.
            let Some(found) = self.find(key).await? else { return Ok(()) };
            let mut write = Write::new();
            write.delete(self.deletion(&found)?);
            let nobody = uuid::Builder::from_random_bytes(random_bytes()).into_uuid();
            let put = self.put(&found.forgotten(nobody, now))?;
            let put = put.condition_expression("attribute_not_exists(userId)");
            write.put(put.build().context("forget whose review it was")?);
            if let Written::Done(()) =
                write.commit(&self.client).await.context("forget whose review it was")?
            {
                return Ok(());
            }
        }
        anyhow::bail!("the review was changed by others at the same time")
    }

    /// The deletion of a review as it was read.
    fn deletion(&self, read: &Review) -> anyhow::Result<Delete> {
        Delete::builder()
            .table_name(&self.table)
            .set_key(Some(key_of((read.product_id, &read.user_id))))
            .condition_expression(AS_READ)
            .set_expression_attribute_values(Some(as_read(read)))
            .build()
            .context("delete a review")
    }

    fn put(&self, review: &Review) -> anyhow::Result<aws_sdk_dynamodb::types::builders::PutBuilder> {
        Ok(Put::builder().table_name(&self.table).set_item(Some(with_index_keys(review)?)))
    }

    /// What becomes of a product's totals when these stars count no more and those do; nothing where they are the same.
    /// The transaction's other parts let it happen once.
    fn totals(
        &self,
        product: ProductId,
        before: Option<Given>,
        after: Option<Given>,
    ) -> anyhow::Result<Option<Update>> {
        let mut changes: BTreeMap<Given, i64> = BTreeMap::new();
        for (stars, change) in
            before.map(|stars| (stars, -1)).into_iter().chain(after.map(|stars| (stars, 1)))
        {
            *changes.entry(stars).or_default() += change;
        }
        changes.retain(|_, change| *change != 0);
        if changes.is_empty() {
            return Ok(None);
        }
        let mut update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key_of((product, &UserId::from(TOTALS.to_owned())))))
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":schema", number(SCHEMA_VERSION))
            .expression_attribute_values(":one", number(1));
        let mut added = vec!["#version :one".to_owned()];
        for (stars, change) in changes {
            added.push(format!("stars{stars} :of{stars}"));
            update = update.expression_attribute_values(format!(":of{stars}"), number(change));
        }
        let update =
            update.update_expression(format!("SET schemaVersion = :schema ADD {}", added.join(", ")));
        update.build().map(Some).context("count stars")
    }
}

/// Why the product is not the caller's.
fn not_theirs(found: Item) -> anyhow::Result<Error> {
    Ok(match why_not_theirs(found)? {
        products::Error::NotYours => Error::NotTheSeller,
        products::Error::NotFound => Error::NoProduct,
        error => anyhow::bail!(error),
    })
}

fn key_of((product, author): Key<'_>) -> Item {
    Item::from([("productId".to_owned(), text(&product)), ("userId".to_owned(), text(author))])
}

/// That a review is the one that was read.
const AS_READ: &str = "version = :read AND createdAt = :posted AND shelf = :shelf";

/// The values of [`AS_READ`].
fn as_read(read: &Review) -> Item {
    Item::from([
        (":read".to_owned(), number(read.version)),
        (":posted".to_owned(), text(&read.created_at)),
        (":shelf".to_owned(), text(&shelf_of(read))),
    ])
}

/// Where a review stands by what counts of it.
fn shelf_of(review: &Review) -> String {
    review.counts().map_or_else(|| HIDDEN.to_owned(), |stars| shelf(review.product_id, stars))
}

/// Where the reviews of a product stand that give so many stars.
fn shelf(product: ProductId, stars: Given) -> String {
    format!("{product}#{stars}")
}

/// A review's item: its attributes, and the keys of the lists that it stands on.
fn with_index_keys(review: &Review) -> anyhow::Result<Item> {
    let mut item = to_item(review)?;
    let mut stands = |name: &str, value: AttributeValue| item.insert(name.to_owned(), value);
    stands(STARRED.partition, text(&shelf_of(review)));
    if let Some(stars) = review.counts() {
        stands("shownAt", text(&review.created_at));
        stands("rank", text(&format!("{stars}#{}", review.created_at)));
    }
    Ok(item)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use shared::run::aws::canned::answering;

    const PRODUCT: &str = "01a1fbbc-f7cc-71a0-aa66-431f703e44ea";

    fn review(hidden: bool) -> Review {
        let mut review = json!({
            "productId": PRODUCT, "userId": "ann", "stars": 4, "verified": true,
            "createdAt": "2026-11-28T12:04:00.000Z", "updatedAt": "2026-11-28T12:05:00.000Z", "version": 2,
            "schemaVersion": 1
        });
        if hidden {
            review["hidden"] = json!({ "at": "2026-11-28T12:05:00.000Z" });
        }
        serde_json::from_value(review).unwrap()
    }

    fn keys(review: &Review) -> Vec<(String, String)> {
        let own = to_item(review).unwrap();
        let all = with_index_keys(review).unwrap();
        let mut keys: Vec<_> = all
            .into_iter()
            .filter(|(name, _)| !own.contains_key(name))
            .map(|(name, value)| (name, value.as_s().unwrap().clone()))
            .collect();
        keys.sort();
        keys
    }

    #[test]
    fn a_hidden_review_stands_on_no_list_of_its_product() {
        let stands = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            keys(&review(false)),
            [
                stands("rank", "4#2026-11-28T12:04:00.000Z"),
                stands("shelf", &format!("{PRODUCT}#4")),
                stands("shownAt", "2026-11-28T12:04:00.000Z"),
            ]
        );
        assert_eq!(keys(&review(true)), [stands("shelf", "hidden")]);
    }

    /// By how much each number of stars changes, as the update says it.
    fn counted(before: Option<u8>, after: Option<u8>) -> Vec<String> {
        let (sdk, _) = answering(200, &serde_json::Value::Null);
        let reviews = Reviews::from_env(&Aws::for_tests(sdk)).unwrap();
        let stars = |stars: Option<u8>| stars.and_then(Given::new);
        let Some(update) = reviews.totals(PRODUCT.parse().unwrap(), stars(before), stars(after)).unwrap()
        else {
            return Vec::new();
        };
        let (_, added) = update.update_expression.split_once(" ADD #version :one, ").unwrap();
        let values = update.expression_attribute_values.unwrap();
        let change = |part: &str| {
            let (name, value) = part.split_once(' ').unwrap();
            format!("{name} {}", values[value].as_n().unwrap())
        };
        added.split(", ").map(change).collect()
    }

    #[test]
    fn totals_change_by_what_counts_of_a_review_before_and_after() {
        assert_eq!(counted(None, Some(5)), ["stars5 1"]);
        assert_eq!(counted(Some(2), None), ["stars2 -1"]);
        assert_eq!(counted(Some(2), Some(5)), ["stars2 -1", "stars5 1"]);
        assert_eq!(counted(Some(3), Some(3)), [""; 0]);
        assert_eq!(counted(None, None), [""; 0]);
    }
}
