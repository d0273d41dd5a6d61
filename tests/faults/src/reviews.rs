//! What people say of products while things go wrong, and what there is of it in the end: the reviews, what they come
//! to, and who has bought what.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ::tests::answer::Answer;
use ::tests::aws::Aws;
use ::tests::shop::{Person, Product};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::draws::Draws;
use crate::workload::{PATIENCE, Town, millis};
use crate::world::{list, number, readable, scan, stored, text};

/// Of which product, and whose.
pub(crate) type Key = (String, String);

/// A review, as far as it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Said {
    pub stars: i64,
    /// Whether everybody sees it.
    pub is_shown: bool,
}

/// A review as the table has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Review {
    pub said: Said,
    /// Whether it stands on those lists of its product that it should stand on, and on no others.
    pub is_listed_right: bool,
}

/// How a product counts in the rating of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rated {
    pub store: String,
    pub stars: [i64; 5],
}

/// What there is of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reviews {
    pub all: BTreeMap<Key, Review>,
    /// How many reviews of a product give one star, two, and so on.
    pub totals: BTreeMap<String, [i64; 5]>,
    /// How each product that was rated counts for its store.
    pub rated: BTreeMap<String, Rated>,
    /// The stars that a store has, by its id.
    pub of_stores: BTreeMap<String, [i64; 5]>,
    /// The stores of products that are in one.
    pub sold_in: BTreeMap<String, String>,
    /// The orders by which a person has a product.
    pub purchases: BTreeMap<Key, BTreeSet<String>>,
}

impl Reviews {
    /// Reads all of it.
    pub(crate) async fn read(aws: &Aws) -> Self {
        let mut reviews = Self::default();
        for item in scan(aws, "ReviewsTable").await {
            let (product, author) = (text(&item, "productId"), text(&item, "userId"));
            if author == "#totals" {
                reviews.totals.insert(product, stars_in(&item));
            } else {
                reviews.all.insert((product, author), review(&item));
            }
        }
        for item in scan(aws, "StoresTable").await {
            let (key, stars) = (text(&item, "storeId"), stars_in(&item));
            match text(&item, "entry").as_str() {
                "store" => drop(reviews.of_stores.insert(key, stars)),
                "#rated" => drop(reviews.rated.insert(key, Rated { store: text(&item, "of"), stars })),
                _ => {}
            }
        }
        for item in readable(scan(aws, "ProductsTable").await) {
            let store = text(&item, "storeId");
            if !store.is_empty() {
                reviews.sold_in.insert(text(&item, "id"), store);
            }
        }
        for item in scan(aws, "PurchasesTable").await {
            let orders = orders_of(&item);
            if !orders.is_empty() {
                reviews.purchases.insert((text(&item, "productId"), text(&item, "userId")), orders);
            }
        }
        reviews
    }

    /// The products that are or were in a store and count for another one than theirs, or by other stars than their
    /// reviews give, with what is so.
    pub(crate) fn miscounted(&self) -> Vec<(&str, String)> {
        let sold = self.sold_in.iter().map(|(product, store)| (product.as_str(), store.as_str()));
        let counted = self.rated.iter().map(|(product, rated)| (product.as_str(), rated.store.as_str()));
        let wrong =
            sold.chain(counted).collect::<BTreeSet<_>>().into_iter().filter_map(|(product, store)| {
                let stars = self.totals.get(product).copied().unwrap_or_default();
                let rated = self.rated.get(product);
                let counts = rated.map_or([0; 5], |rated| rated.stars);
                let is_right = counts == stars && rated.is_none_or(|rated| rated.store == store);
                let what = || format!("of {store}, its reviews give {stars:?}, and it counts as {rated:?}");
                (!is_right).then(|| (product, what()))
            });
        wrong.collect()
    }

    /// What the reviews of each product that are shown come to.
    pub(crate) fn counted(&self) -> BTreeMap<&str, [i64; 5]> {
        let mut counted: BTreeMap<&str, [i64; 5]> = BTreeMap::new();
        for ((product, _), review) in self.all.iter().filter(|(_, review)| review.said.is_shown) {
            let each = counted.entry(product).or_default();
            let index = usize::try_from(review.said.stars - 1).unwrap_or_default();
            if let Some(count) = each.get_mut(index) {
                *count += 1;
            }
        }
        counted
    }
}

/// How many reviews give one star, two, and so on, by an item that counts them.
fn stars_in(item: &Value) -> [i64; 5] {
    [1, 2, 3, 4, 5].map(|stars| number(item, &format!("stars{stars}")))
}

fn orders_of(item: &Value) -> BTreeSet<String> {
    let orders = item["orders"]["SS"].as_array().into_iter().flatten();
    orders.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn review(item: &Value) -> Review {
    let said = Said { stars: number(item, "stars"), is_shown: item.get("hidden").is_none() };
    let (product, at) = (text(item, "productId"), text(item, "createdAt"));
    let Said { stars, is_shown } = said;
    let lists = ["rank", "shelf", "shownAt"].map(|name| text(item, name));
    let should_be = if is_shown {
        [format!("{stars}#{at}"), format!("{product}#{stars}"), at]
    } else {
        [String::new(), "hidden".to_owned(), String::new()]
    };
    Review { said, is_listed_right: lists == should_be }
}

/// The products of an order that its buyer has, by its item: its seller has sent it, be it before the others, and not
/// all of it is paid back. Guests have nothing, and neither has who has left.
pub(crate) fn had(order: &Value) -> BTreeSet<String> {
    let payment = &order["payment"]["M"];
    let [paid, back] = [number(payment, "paid"), number(payment, "refunding") + number(payment, "refunded")];
    let status = text(order, "status");
    let is_nobodys = text(order, "userId").starts_with("guest#") || order.get("forgottenAt").is_some();
    if status == "cancelled" || is_nobodys || (paid > 0 && back >= paid) {
        return BTreeSet::new();
    }
    let refunded = |offer: &str| -> i64 {
        let back = list(&order["back"]["M"], "lines").filter(|line| text(line, "offerId") == offer);
        back.map(|line| number(line, "refunded")).sum()
    };
    let parcels = &order["parcels"]["M"];
    let is_sent = |seller: &str| match parcels[seller].is_object() {
        true => ["shipped", "delivered"].contains(&text(&parcels[seller]["M"], "status").as_str()),
        false => ["shipping", "delivered"].contains(&status.as_str()),
    };
    let lines = list(order, "lines").filter(|line| is_sent(&text(line, "sellerId")));
    let left = lines.filter(|line| refunded(&text(line, "offerId")) < number(line, "quantity"));
    left.map(|line| text(line, "productId")).collect()
}

/// Whether it is recorded of an order what its buyer has of it.
pub(crate) async fn is_recorded(aws: &Aws, order: &str) -> bool {
    let item = stored(aws, order).await;
    let (buyer, had) = (text(&item, "userId"), had(&item));
    for line in list(&item, "lines") {
        let product = text(line, "productId");
        let key = json!({ "userId": { "S": buyer }, "productId": { "S": product } });
        let input = json!({ "TableName": aws.output("PurchasesTable"), "Key": key, "ConsistentRead": true });
        let found = aws.json("dynamodb", "DynamoDB_20120810.GetItem", input).await["Item"].take();
        if orders_of(&found).contains(order) != had.contains(&product) {
            return false;
        }
    }
    true
}

/// Whether a product of a store counts for it by the stars that its reviews give.
pub(crate) async fn is_counted(aws: &Aws, product: &str) -> bool {
    let read = async |table: &str, keys: [(&str, &str); 2]| {
        let key: Value =
            keys.into_iter().map(|(name, value)| (name.to_owned(), json!({ "S": value }))).collect();
        let input = json!({ "TableName": aws.output(table), "Key": key, "ConsistentRead": true });
        aws.json("dynamodb", "DynamoDB_20120810.GetItem", input).await["Item"].take()
    };
    let totals = read("ReviewsTable", [("productId", product), ("userId", "#totals")]).await;
    let rated = read("StoresTable", [("storeId", product), ("entry", "#rated")]).await;
    stars_in(&totals) == stars_in(&rated)
}

/// What somebody does with a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Post(u8),
    Edit(u8),
    Reply,
    Hide,
    Show,
    Delete,
}

impl Town {
    /// Does something with a buyer's review until that has a clear answer, and notes what is so then. Gives whether it
    /// had one.
    pub(crate) async fn acts(&self, buyer: &Person, product: &Product, act: Act) -> bool {
        let key = (product.id.clone(), buyer.id());
        for _ in 0..2 * PATIENCE {
            let answer = self.act(buyer, product, act).await;
            if answer.status < 500 && ![408, 429].contains(&answer.status) {
                self.history.said(&key, |said| after(said, act, &answer));
                return true;
            }
            // It may have come to pass, and nobody knows.
            self.history.said(&key, |_| None);
            sleep(millis(if answer.status == 429 { 2_000 } else { 150 })).await;
        }
        false
    }

    async fn act(&self, buyer: &Person, product: &Product, act: Act) -> Answer {
        let own = format!("/reviews/{}", product.id);
        let of_others = format!("{own}/{}", buyer.id());
        let admin = self.shop.admin().await;
        match act {
            Act::Post(stars) => buyer.reviews(product, &json!({ "stars": stars })).await,
            Act::Edit(stars) => buyer.put(&own, &json!({ "stars": stars })).await,
            Act::Delete => buyer.request(Method::DELETE, &own).send().await,
            Act::Hide => admin.put(&format!("{of_others}/visibility"), &json!({ "visible": false })).await,
            Act::Show => admin.put(&format!("{of_others}/visibility"), &json!({ "visible": true })).await,
            Act::Reply => {
                let reply = json!({ "text": "Thank you." });
                self.seller_of(product).put(&format!("{of_others}/reply"), &reply).await
            }
        }
    }

    /// Who sells something.
    fn seller_of(&self, product: &Product) -> &Person {
        let name = product.name.rsplit(' ').next().and_then(|number| number.parse::<usize>().ok());
        &self.sellers[name.unwrap_or_default() % 2]
    }

    /// Says something of what was bought, changes and deletes it, and as an admin hides it.
    pub(crate) async fn review(self, seed: u64, done: Arc<AtomicBool>) {
        let mut draws = Draws::new(seed, "reviewing");
        while !done.load(Ordering::Relaxed) {
            sleep(millis(150)).await;
            let placed = self.history.placed();
            let Some((key, _)) = placed.get(draws.below(placed.len())) else { continue };
            let purchase = self.history.purchase(key).expect("a purchase");
            let Some(buyer) = self.buyers.iter().find(|buyer| buyer.id == purchase.buyer) else { continue };
            let bought = purchase.lines.first().map(|(id, _)| id.clone()).unwrap_or_default();
            let Some((_, product)) = self.products.iter().find(|(_, product)| product.id == bought) else {
                continue;
            };
            let stars = u8::try_from(draws.below(5)).unwrap_or_default() + 1;
            let acts = [
                (6, Act::Post(stars)),
                (4, Act::Edit(stars)),
                (2, Act::Hide),
                (2, Act::Show),
                (2, Act::Delete),
                (1, Act::Reply),
            ];
            let act = draws.weighted(&acts).unwrap_or(Act::Show);
            self.acts(&buyer.person, product, act).await;
        }
    }
}

/// What is so of a review after a clear answer; `None` where that is not known. Of what was known before, only what the
/// answer shows is believed: an earlier try without an answer may have come to pass.
fn after(said: Option<Option<Said>>, act: Act, answer: &Answer) -> Option<Option<Said>> {
    match (act, answer.status) {
        (Act::Delete, 204 | 404) => Some(None),
        (_, 200 | 201) => {
            let stars = answer.body["stars"].as_i64()?;
            Some(Some(Said { stars, is_shown: answer.body.get("hidden").is_none() }))
        }
        // It was reviewed before, perhaps by a try without an answer; or there is nothing to change.
        _ => said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(status: &str, refunded: i64, payment: [i64; 3]) -> Value {
        let number = |number: i64| json!({ "N": number.to_string() });
        let line = |product: &str, pieces: i64| {
            json!({ "M": {
                "offerId": { "S": product }, "productId": { "S": product }, "quantity": number(pieces),
                "sellerId": { "S": format!("seller of {product}") }
            } })
        };
        let back = json!({ "M": { "offerId": { "S": "tea" }, "refunded": number(refunded) } });
        let [paid, refunding, back_already] = payment.map(number);
        json!({
            "userId": { "S": "ann" }, "status": { "S": status }, "lines": { "L": [line("tea", 2), line("cup", 1)] },
            "back": { "M": { "lines": { "L": [back] } } },
            "payment": { "M": { "paid": paid, "refunding": refunding, "refunded": back_already } }
        })
    }

    #[test]
    fn a_buyer_has_what_is_sent_and_not_paid_back() {
        let products = |item: &Value| had(item).into_iter().collect::<Vec<_>>();
        assert_eq!(products(&order("shipping", 1, [0, 0, 0])), ["cup", "tea"]);
        assert_eq!(products(&order("delivered", 2, [0, 0, 0])), ["cup"]);
        assert_eq!(products(&order("pending", 0, [0, 0, 0])), [""; 0]);
        assert_eq!(products(&order("shipping", 0, [900, 400, 499])), ["cup", "tea"]);
        assert_eq!(products(&order("shipping", 0, [900, 400, 500])), [""; 0]);
        let in_parts = |status: &str, tea: &str, cup: &str| {
            let parcel = |status: &str| json!({ "M": { "status": { "S": status } } });
            let mut order = order(status, 0, [0, 0, 0]);
            order["parcels"] = json!({ "M": { "seller of tea": parcel(tea), "seller of cup": parcel(cup) } });
            order
        };
        assert_eq!(products(&in_parts("shipping", "shipped", "refused")), ["tea"]);
        assert_eq!(products(&in_parts("pending", "delivered", "to_send")), ["tea"]);
        assert_eq!(products(&in_parts("pending", "refused", "to_send")), [""; 0]);
        assert_eq!(products(&in_parts("cancelled", "refused", "refused")), [""; 0]);
        let mut guests = order("shipping", 0, [0, 0, 0]);
        guests["userId"]["S"] = json!("guest#order");
        assert_eq!(products(&guests), [""; 0]);
        let mut of_who_left = order("shipping", 0, [0, 0, 0]);
        of_who_left["forgottenAt"] = json!({ "S": "2026-11-29T12:00:00.000Z" });
        assert_eq!(products(&of_who_left), [""; 0]);
    }

    #[test]
    fn a_review_is_read_with_whether_it_stands_where_it_should() {
        let mut item = json!({
            "productId": { "S": "tea" }, "userId": { "S": "ann" }, "stars": { "N": "4" }, "createdAt": { "S": "noon" },
            "rank": { "S": "4#noon" }, "shelf": { "S": "tea#4" }, "shownAt": { "S": "noon" }
        });
        let said = |is_shown| Said { stars: 4, is_shown };
        assert_eq!(review(&item), Review { said: said(true), is_listed_right: true });
        item["rank"] = json!({ "S": "5#noon" });
        assert!(!review(&item).is_listed_right);
        item["hidden"] = json!({ "M": {} });
        assert_eq!(review(&item), Review { said: said(false), is_listed_right: false });
        for name in ["rank", "shownAt"] {
            item.as_object_mut().unwrap().remove(name);
        }
        item["shelf"] = json!({ "S": "hidden" });
        assert!(review(&item).is_listed_right);
    }
}
