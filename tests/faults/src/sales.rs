//! What was counted of what was sold and of what waits, and what there is to count in the end.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ::tests::aws::Aws;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::workload::Town;
use crate::world::{list, number, readable, scan, text};

/// Whose counters those of the whole shop are.
const SHOP: &str = "shop";

/// As many pieces of a product are not few.
const ENOUGH: i64 = 5;

/// What somebody's counters come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    pub orders: i64,
    /// Of the whole shop alone.
    pub revenue: i64,
    pub to_send: i64,
    pub to_approve: i64,
    pub low_stock: i64,
}

/// The counters that are not nothing, by the id of who sells, and of the shop.
pub(crate) type Counted = BTreeMap<String, Counters>;

/// What was counted, and what it should be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sales {
    pub counted: Counted,
    pub there: Counted,
}

impl Sales {
    /// Reads all of it.
    pub(crate) async fn read(aws: &Aws) -> Self {
        let counted = counted(&scan(aws, "SalesTable").await);
        let [orders, products, offers] = [
            scan(aws, "OrdersTable").await,
            scan(aws, "ProductsTable").await,
            scan(aws, "OffersTable").await,
        ]
        .map(|items| readable(items).collect::<Vec<_>>());
        Self { counted, there: there(&orders, &products, &offers) }
    }

    /// Whose counters say something else than there is.
    pub(crate) fn wrong(&self) -> impl Iterator<Item = &String> {
        let is_wrong = move |who: &&String| self.counted.get(*who) != self.there.get(*who);
        let other = self.there.keys().filter(move |who| !self.counted.contains_key(*who));
        self.counted.keys().chain(other).filter(is_wrong)
    }
}

fn counted(items: &[Value]) -> Counted {
    let mut counted = Counted::new();
    for item in items.iter().filter(|item| text(item, "entry").starts_with("day#")) {
        let who = text(item, "sellerId");
        let revenue = if who == SHOP { number(item, "revenue") } else { 0 };
        let counters = counted.entry(who).or_default();
        counters.orders += number(item, "orders");
        counters.revenue += revenue;
        counters.to_send += number(item, "toSend");
        counters.to_approve += number(item, "toApprove");
        counters.low_stock += number(item, "lowStock");
    }
    without_nothing(counted)
}

fn there(orders: &[Value], products: &[Value], offers: &[Value]) -> Counted {
    let mut there = Counted::new();
    for order in orders {
        count_order(&mut there, order);
    }
    for product in products.iter().filter(|product| text(product, "pending") == "approval") {
        for who in [text(product, "ownerId"), SHOP.to_owned()] {
            there.entry(who).or_default().to_approve += 1;
        }
    }
    let is_low = |offer: &&Value| offer["forSale"]["BOOL"] == true && number(offer, "quantity") < ENOUGH;
    for offer in offers.iter().filter(is_low) {
        for who in [text(offer, "sellerId"), SHOP.to_owned()] {
            there.entry(who).or_default().low_stock += 1;
        }
    }
    without_nothing(there)
}

/// What is refused counts for the shop alone, without what it was worth.
fn count_order(there: &mut Counted, order: &Value) {
    let status = text(order, "status");
    if ["awaiting_payment", "cancelled"].contains(&status.as_str()) {
        return;
    }
    let is_pending = status == "pending";
    let parcels = &order["parcels"]["M"];
    let mut sellers: Vec<String> = list(order, "lines").map(|line| text(line, "sellerId")).collect();
    sellers.sort_unstable();
    sellers.dedup();
    for seller in sellers {
        let parcel = text(&parcels[&seller]["M"], "status");
        if parcel == "refused" {
            continue;
        }
        let of_seller = there.entry(seller).or_default();
        of_seller.orders += 1;
        of_seller.to_send += i64::from(is_pending && ["", "to_send"].contains(&parcel.as_str()));
    }
    let worth = parcels.as_object().into_iter().flatten().map(|(_, parcel)| number(&parcel["M"], "back"));
    let of_shop = there.entry(SHOP.to_owned()).or_default();
    of_shop.orders += 1;
    of_shop.revenue += number(order, "total") - worth.sum::<i64>();
    of_shop.to_send += i64::from(is_pending);
}

fn without_nothing(mut counted: Counted) -> Counted {
    counted.retain(|_, counters| *counters != Counters::default());
    counted
}

/// What an operator does with the dead letters, and then waits until all that was told is counted: streams and topics
/// have no queue to look into. What is not so within the bound is an invariant's to tell.
pub(crate) async fn settle(town: &Town) {
    for body in town.aws.messages_in("SalesDeadLetterQueueUrl").await {
        let record = json!({ "messageId": "redriven", "body": body, "eventSource": "aws:sqs" });
        town.aws.invoke("update-sales", &json!({ "Records": [record] })).await;
    }
    town.aws.purge("SalesDeadLetterQueueUrl").await;
    let deadline = Instant::now() + Duration::from_secs(60);
    while Sales::read(&town.aws).await.wrong().next().is_some() && Instant::now() < deadline {
        sleep(Duration::from_millis(500)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(status: &str, parcels: &Value) -> Value {
        let line = |seller: &str| json!({ "M": { "sellerId": { "S": seller } } });
        json!({
            "status": { "S": status }, "total": { "N": "1350" }, "lines": { "L": [line("ann"), line("eve")] },
            "parcels": { "M": parcels },
        })
    }

    fn of(counters: &Counted, who: &str) -> (i64, i64, i64) {
        let counters = counters.get(who).copied().unwrap_or_default();
        (counters.orders, counters.revenue, counters.to_send)
    }

    #[test]
    fn an_order_counts_for_who_sends_something_of_it() {
        let parcel = |status: &str| json!({ "M": { "status": { "S": status }, "back": { "N": "900" } } });
        let refused = json!({ "ann": parcel("refused"), "eve": { "M": { "status": { "S": "to_send" } } } });
        for (status, parcels, ann, eve, shop) in [
            ("awaiting_payment", json!({}), (0, 0, 0), (0, 0, 0), (0, 0, 0)),
            ("cancelled", json!({}), (0, 0, 0), (0, 0, 0), (0, 0, 0)),
            ("pending", json!({}), (1, 0, 1), (1, 0, 1), (1, 1350, 1)),
            ("pending", refused, (0, 0, 0), (1, 0, 1), (1, 450, 1)),
            ("shipping", json!({}), (1, 0, 0), (1, 0, 0), (1, 1350, 0)),
        ] {
            let there = there(&[order(status, &parcels)], &[], &[]);
            assert_eq!(
                (of(&there, "ann"), of(&there, "eve"), of(&there, SHOP)),
                (ann, eve, shop),
                "{status}"
            );
        }
    }

    #[test]
    fn counters_of_all_days_and_parts_are_added_up_and_compared() {
        let item = |who: &str, entry: &str, orders: &str| {
            let (who, entry) = (json!({ "S": who }), json!({ "S": entry }));
            json!({ "sellerId": who, "entry": entry, "orders": { "N": orders }, "revenue": { "N": "1350" } })
        };
        let items = [
            item(SHOP, "day#2026-11-29#a", "1"),
            item("ann", "day#2026-11-29", "1"),
            item("ann", "order#1", "7"),
        ];
        let counted = counted(&items);
        assert_eq!((of(&counted, SHOP), of(&counted, "ann")), ((1, 1350, 0), (1, 0, 0)));
        let there = there(&[order("shipping", &json!({}))], &[], &[]);
        let sales = Sales { counted, there };
        assert_eq!(sales.wrong().collect::<Vec<_>>(), ["eve"]);
    }

    #[test]
    fn products_that_wait_and_those_for_sale_of_which_few_are_left_count() {
        let product = |pending: &str| json!({ "ownerId": { "S": "ann" }, "pending": { "S": pending } });
        let offer = |for_sale: bool, pieces: &str| json!({ "sellerId": { "S": "ann" }, "forSale": { "BOOL": for_sale }, "quantity": { "N": pieces } });
        let (products, offers) = (
            [product("approval"), product("image")],
            [offer(true, "4"), offer(true, "0"), offer(true, "5"), offer(false, "1")],
        );
        let there = there(&[], &products, &offers);
        let expected = Counters { to_approve: 1, low_stock: 2, ..Counters::default() };
        assert_eq!(there, [("ann".to_owned(), expected), (SHOP.to_owned(), expected)].into());
    }
}
