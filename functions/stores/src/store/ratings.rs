//! How stores are rated: the stars of all that they ever sold, added up in the store's own item, so that whoever reads
//! it has them. How each product counts in them is an item of its own, which changes in the transaction that adds what
//! is other than that: so products may be told of twice and in any order.
//!
//! That a product goes changes nothing. Else whoever sells what people dislike would delete it, and be liked.

use std::fmt;

use anyhow::Context;
use aws_sdk_dynamodb::types::{Put, Update};
use serde::{Deserialize, Serialize};
use shared::dynamo::{Write, Written, from_item, number, text, to_item};
use shared::http::problem::Busy;
use shared::values::stars::Stars;

use super::{STORE, Stores};
use crate::{SCHEMA_VERSION, StoreId};

const RATED: &str = "#rated";

/// How often a product is counted anew because somebody else counted it at the same time.
const TRIES: u32 = 5;

/// How a product counts, as the table has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rated {
    /// The product's id: the table calls each of its keys so.
    store_id: String,
    entry: String,
    /// In the rating of which store. It is never another one.
    of: StoreId,
    #[serde(flatten)]
    stars: Stars,
    /// At which version of the product's totals.
    version: u32,
    schema_version: u32,
}

impl Rated {
    fn new(product: String, of: StoreId, version: u32, stars: Stars) -> Self {
        Self {
            store_id: product,
            entry: RATED.to_owned(),
            of,
            stars,
            version,
            schema_version: SCHEMA_VERSION,
        }
    }
}

impl Stores {
    /// Counts what a product is rated, with all of its stars at this version of them, in the rating of its store, which
    /// `find` looks up where that is not known; it gives `None` for a product of no store and for one that is gone.
    ///
    /// Safe to repeat, and in any order: an older version changes nothing.
    ///
    /// # Errors
    /// When the table does not answer, `find` fails, there is no such store, or others did not stop.
    pub async fn rate(
        &self,
        product: impl fmt::Display,
        version: u32,
        stars: Stars,
        find: impl Future<Output = anyhow::Result<Option<StoreId>>>,
    ) -> anyhow::Result<()> {
        let product = product.to_string();
        let (mut find, mut found) = (Some(find), None);
        for _ in 0..TRIES {
            let before = self.rated(&product).await?;
            if before.as_ref().is_some_and(|before| before.version >= version) {
                return Ok(());
            }
            let known = before.as_ref().map(|before| before.of).or(found);
            if known.is_none()
                && let Some(find) = find.take()
            {
                found = find.await?;
            }
            let Some(store) = known.or(found) else { return Ok(()) };
            let rated = Rated::new(product.clone(), store, version, stars);
            if self.count(before.as_ref(), &rated).await? {
                return Ok(());
            }
        }
        Err(Busy).context("rate a store")
    }

    /// How a product counts now.
    async fn rated(&self, product: &str) -> anyhow::Result<Option<Rated>> {
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let get = get.key("storeId", text(&product)).key("entry", text(RATED));
        let found = get.send().await.context("read how a product counts")?;
        found.item.map(from_item).transpose()
    }

    /// Writes how it counts from now on, and adds the difference to its store. False where somebody else has counted it
    /// since it was read.
    async fn count(&self, before: Option<&Rated>, rated: &Rated) -> anyhow::Result<bool> {
        let mut write = Write::new();
        let put = Put::builder().table_name(&self.table).set_item(Some(to_item(rated)?));
        let put = match before {
            None => put.condition_expression("attribute_not_exists(entry)"),
            Some(before) => put
                .condition_expression("version = :read")
                .expression_attribute_values(":read", number(before.version)),
        };
        let own = write.put(put.build().context("count a product in its store's rating")?);
        let more = rated.stars.since(before.map(|before| before.stars).unwrap_or_default());
        if let Some(more) = self.more(rated.of, more)? {
            write.update(more);
        }
        match write.commit(&self.client).await.context("rate a store")? {
            Written::Done(()) => Ok(true),
            Written::Refused(found) if found.at(own).is_some() => Ok(false),
            Written::Refused(_) => anyhow::bail!("there is no store {}", rated.of),
        }
    }

    /// That a store has so many more of each number of stars; nothing where it has as many.
    fn more(&self, store: StoreId, more: [i64; 5]) -> anyhow::Result<Option<Update>> {
        let mut update = self.update(&store, STORE).condition_expression("attribute_exists(storeId)");
        let mut added = Vec::new();
        for (stars, more) in (1..).zip(more).filter(|(_, more): &(u8, i64)| *more != 0) {
            added.push(format!("stars{stars} :of{stars}"));
            update = update.expression_attribute_values(format!(":of{stars}"), number(more));
        }
        if added.is_empty() {
            return Ok(None);
        }
        let update = update.update_expression(format!("ADD {}", added.join(", ")));
        update.build().map(Some).context("rate a store")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use shared::run::aws::canned::answering;
    use shared::run::aws::{Aws, FromEnv};
    use shared::values::time::Timestamp;

    /// By how many more of which stars a store has, as the update says it.
    fn added(before: [u32; 5], after: [u32; 5]) -> Vec<String> {
        let (sdk, _) = answering(200, &Value::Null);
        let stores = Stores::from_env(&Aws::for_tests(sdk)).unwrap();
        let more = Stars::of(after).since(Stars::of(before));
        let store = StoreId::at(Timestamp::from_unix_millis(0));
        let Some(update) = stores.more(store, more).unwrap() else { return Vec::new() };
        let values = update.expression_attribute_values.unwrap();
        let parts = update.update_expression.strip_prefix("ADD ").unwrap().split(", ");
        let change = |part: &str| {
            let (name, value) = part.split_once(' ').unwrap();
            format!("{name} {}", values[value].as_n().unwrap())
        };
        parts.map(change).collect()
    }

    #[test]
    fn a_store_has_so_many_stars_more_or_fewer_as_its_product() {
        assert_eq!(added([0; 5], [0, 0, 0, 0, 2]), ["stars5 2"]);
        assert_eq!(added([1, 0, 0, 3, 0], [0, 0, 0, 3, 1]), ["stars1 -1", "stars5 1"]);
        assert_eq!(added([1; 5], [1; 5]), [""; 0]);
    }

    #[test]
    fn how_a_product_counts_is_read_as_it_was_written() {
        let store = StoreId::at(Timestamp::from_unix_millis(0));
        let rated = Rated::new("tea".into(), store, 3, Stars::of([0, 1, 0, 0, 2]));
        let item = to_item(&rated).unwrap();
        assert_eq!(
            (item["storeId"].as_s().unwrap().as_str(), item["stars5"].as_n().unwrap().as_str()),
            ("tea", "2")
        );
        assert_eq!(from_item::<Rated>(item).unwrap(), rated);
    }
}
