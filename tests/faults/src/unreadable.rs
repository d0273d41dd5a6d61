//! Items that nobody can read, as a later release may leave behind when it is taken back: they stop nothing. They lie
//! where most is read: among the orders that are due, first on the lists of products, in the offer of a product.

use serde_json::{Value, json};
use tests::logs::count_in_logs;

use crate::invariants::Broken;
use crate::workload::Town;

/// How their ids begin.
const MARK: &str = "00000000-0000-7000-8000-";

/// Before everything that is due.
const LONG_AGO: &str = "2001-09-09T01:46:40.000Z";
/// Newer than everything on a list.
const LAST: &str = "2100-01-01T00:00:00.000Z";

/// How many parts the index of orders that are due has.
const SHARDS: usize = 16;

fn id(number: usize) -> String {
    format!("{MARK}{number:012}")
}

/// Whether this is one of them, or the product whose offer is.
pub(crate) fn is_one(item: &Value) -> bool {
    ["orderId", "offerId", "id"]
        .iter()
        .any(|key| item[key]["S"].as_str().is_some_and(|id| id.starts_with(MARK)))
}

/// Puts them there.
pub(crate) async fn plant(town: &Town) {
    for shard in 0..SHARDS {
        let order = json!({
            "orderId": { "S": id(shard) },
            "userId": { "S": town.buyers[0].id },
            "createdAt": { "S": LAST },
            "status": { "S": "lost" },
            "due": { "S": format!("{shard:02}") },
            "dueAt": { "S": LONG_AGO },
            "attempts": { "N": "0" },
        });
        town.aws.put_item("OrdersTable", order).await;
    }
    let (_, real) = &town.products[1];
    let product = town.aws.item("ProductsTable", ("id", &real.id)).await;
    let offer = town.aws.item("OffersTable", ("offerId", &real.id)).await;
    for (number, is_readable) in [(SHARDS, true), (SHARDS + 1, false)] {
        let (mut product, mut offer) = (product.clone(), offer.clone());
        product["id"]["S"] = json!(id(number));
        product["createdAt"]["S"] = json!(LAST);
        for name in ["offerId", "productId"] {
            offer[name]["S"] = json!(id(number));
        }
        if is_readable {
            offer["price"] = json!({ "S": "a lot" });
        } else {
            product["pending"] = json!({ "S": "approval" });
            product["productName"] = json!({ "L": [] });
        }
        town.aws.put_item("ProductsTable", product).await;
        town.aws.put_item("OffersTable", offer).await;
    }
}

/// What they stopped, and who did not say that they are there.
pub(crate) async fn broken(town: &Town) -> Vec<Broken> {
    const NAME: &str = "what nobody can read stops nothing";
    let mut broken = Vec::new();
    let mut add = |what: String| {
        broken.push(Broken { invariant: NAME, what, about: String::new() });
    };
    let (_, real) = &town.products[1];
    for (answer, list, known) in [
        (town.shop.get("/products?limit=100").await, "products", Some(&real.id)),
        (town.sellers[1].get("/users/me/products?limit=100").await, "products", Some(&real.id)),
        (town.shop.admin().await.get("/products/pending").await, "products", None),
        (town.buyers[0].person.get("/orders").await, "orders", None),
    ] {
        let entries = answer.body[list].as_array().map_or(0, Vec::len);
        let text = answer.body.to_string();
        // Where a product is too old for the page, the page is full but for the two.
        let is_whole = known.is_none_or(|known| text.contains(known.as_str())) || entries == 98;
        if answer.status != 200 || text.contains(MARK) || !is_whole {
            add(format!("{} answered {} with {entries} {list}", answer.request, answer.status));
        }
    }
    for shard in 0..SHARDS {
        let order = town.aws.item("OrdersTable", ("orderId", &id(shard))).await;
        if order["dueAt"]["S"] != LONG_AGO {
            add(format!("the sweep changed {order}"));
        }
    }
    for function in ["sweep-orders", "list-products", "list-pending-products", "list-orders"] {
        if count_in_logs(function, "UnreadableItem") == 0 {
            add(format!("{function} left one out and did not count it"));
        }
    }
    broken
}
