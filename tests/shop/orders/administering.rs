//! What admins see of orders and do with them: list, look, cancel.

use serde_json::{Value, json};
use tests::answer::calls;
use tests::shop::{Person, Shop, cancelled, history, product, shipping};
use tests::wait::eventually;

/// The page, and where the list goes on.
async fn page(admin: &Person, query: &str) -> (Vec<Value>, Option<String>) {
    let page = admin.get(&format!("/admin/orders?{query}")).await.is(200);
    let next = page["nextCursor"].as_str().map(str::to_owned);
    (page["orders"].as_array().cloned().expect("orders"), next)
}

fn ids(orders: &[Value]) -> Vec<String> {
    orders.iter().map(|order| order["orderId"].as_str().expect("an id").to_owned()).collect()
}

/// Walks the list until all of `wanted` were seen; gives everything that was seen.
async fn walk(admin: &Person, query: &str, wanted: &[String]) -> Vec<Value> {
    let (mut seen, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let at = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let (orders, next) = page(admin, &format!("{query}{at}")).await;
        seen.extend(orders);
        let found = ids(&seen);
        if wanted.iter().all(|id| found.contains(id)) || next.is_none() {
            return seen;
        }
        cursor = next;
    }
}

#[tokio::test]
async fn all_orders_are_listed_once_newest_first() {
    let shop = Shop::open();
    let admin = shop.admin().await;
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(50)).await;
    let mut placed = Vec::new();
    for _ in 0..12 {
        placed.push(bob.buys(&tea, 1).await);
    }
    let seen = eventually("the list has them all", async || {
        let seen = walk(admin, "limit=5", &placed).await;
        let found = ids(&seen);
        placed.iter().all(|id| found.contains(id)).then_some(seen)
    });
    let seen = seen.await;
    let found = ids(&seen);
    let mut sorted = found.clone();
    sorted.sort_unstable_by(|one, other| other.cmp(one));
    sorted.dedup();
    assert_eq!(found, sorted, "newest first, each once");
    let row = seen.iter().find(|row| row["orderId"] == placed[0].as_str()).expect("the first order");
    let order = bob.order(&placed[0]).await;
    assert_eq!(row["buyer"], json!({ "userId": bob.id(), "fullName": bob.full_name, "email": bob.email }));
    for member in ["total", "currency", "createdAt"] {
        assert_eq!(row[member], order[member], "{member}");
    }
    let first = admin.get("/admin/orders?limit=5").await;
    assert_eq!(first.calls(), calls([("dynamodb", 8)]), "eight shards, side by side, once");
}

#[tokio::test]
async fn orders_are_listed_by_their_status() {
    let shop = Shop::open();
    let admin = shop.admin().await;
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(50)).await;
    let (ships, arrives) = (bob.buys(&tea, 1).await, bob.buys(&tea, 1).await);
    bob.order_once(&ships, "shipping").await;
    bob.order_once(&arrives, "shipping").await;
    let word = json!({ "status": "delivered" });
    ann.put(&format!("/orders/{arrives}/status"), &word).await.is(200);
    for (order, status) in [(&ships, "shipping"), (&arrives, "delivered")] {
        let wanted = [order.clone()];
        let seen = eventually("the order is in its list", async || {
            let seen = walk(admin, &format!("limit=20&status={status}"), &wanted).await;
            ids(&seen).contains(order).then_some(seen)
        });
        assert!(seen.await.iter().all(|row| row["status"] == status));
    }
    let pending = walk(admin, "limit=100&status=pending", &[]).await;
    assert!(!ids(&pending).contains(&ships) && !ids(&pending).contains(&arrives));
    admin.get("/admin/orders?status=lost").await.is_problem(422, "invalid-input");
    let (_, next) = page(admin, "limit=1").await;
    let elsewhere = format!("/admin/orders?status=shipping&cursor={}", next.expect("more"));
    admin.get(&elsewhere).await.is_problem(422, "invalid-input");
}

#[tokio::test]
async fn an_admin_sees_what_became_of_an_order() {
    let shop = Shop::open();
    let admin = shop.admin().await;
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(5)).await;
    let order = bob.buys(&tea, 2).await;
    bob.order_once(&order, "shipping").await;
    let word = json!({ "status": "delivered" });
    ann.put(&format!("/orders/{order}/status"), &word).await.is(200);
    let path = format!("/admin/orders/{order}");
    let seen = eventually("all emails are out", async || {
        let seen = admin.get(&path).await.is(200);
        let emails = seen["emails"].as_array().expect("emails");
        emails.iter().any(|it| it["kind"] == "order.delivered" && it["status"] == "sent").then_some(seen)
    });
    let seen = seen.await;
    assert_eq!(history(&seen), ["pending", "shipping", "delivered"]);
    let did = |at: usize| (seen["history"][at]["by"].as_str(), seen["history"][at]["userId"].as_str());
    let (bobs, anns) = (bob.id(), ann.id());
    assert_eq!(
        [did(0), did(1), did(2)],
        [(Some("buyer"), Some(bobs.as_str())), (Some("shop"), None), (Some("seller"), Some(anns.as_str())),]
    );
    let kinds: Vec<_> =
        seen["events"].as_array().expect("events").iter().map(|it| it["kind"].as_str()).collect();
    assert_eq!(kinds, [Some("order.placed"), Some("order.shipped"), Some("order.delivered")]);
    assert_eq!(seen["sellers"], json!([ann.id()]));
    assert_eq!(seen["buyer"]["email"], bob.email.as_str());
    assert_eq!(admin.get(&path).await.calls(), calls([("dynamodb", 1)]));
    admin.get("/admin/orders/01a1f83a-c81e-73c6-9369-b8a11a6916c7").await.is_problem(404, "not-found");

    // Who sells all of it sees it as its buyer does, and nobody else sees it.
    assert_eq!(ann.order(&order).await, bob.order(&order).await);
    shop.person("Eve").await.get(&format!("/orders/{order}")).await.is_problem(404, "not-found");
}

#[tokio::test]
async fn what_an_admin_cancels_goes_back_into_stock_and_its_buyer_is_told() {
    let shop = Shop::open();
    let admin = shop.admin().await;
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(50)).await;
    for _ in 0..20 {
        let order = bob.buys(&tea, 2).await;
        let answer = admin.post(&format!("/admin/orders/{order}/cancel"), &json!({})).await;
        if answer.status == 409 {
            answer.is_problem(409, "not-cancellable");
            assert!(["shipping"].contains(&bob.order(&order).await["status"].as_str().unwrap_or_default()));
            continue;
        }
        let answer = answer.is(200);
        assert_eq!(history(&answer), ["pending", "cancelled"]);
        assert_eq!(answer["history"][1]["by"], "admin");
        assert_eq!(answer["history"][1]["reason"], "The shop cancelled it. You have not been charged.");
        assert_eq!(bob.order(&order).await, answer);
        let again = admin.post(&format!("/admin/orders/{order}/cancel"), &json!({})).await;
        assert_eq!(again.is(200), answer);
        let mails = eventually("the buyer is told", async || {
            Some(bob.mail_about(&order).await).filter(|mails| cancelled(mails) > 0)
        });
        let mails = mails.await;
        assert_eq!((cancelled(&mails), shipping(&mails)), (1, 0));
        let seen = admin.get(&format!("/admin/orders/{order}")).await.is(200);
        assert_eq!(seen["history"][1]["userId"], admin.id().as_str());
        let bought = bob.get("/orders?limit=100").await.is(200);
        let kept = bought["orders"].as_array().expect("orders").iter();
        let kept = kept.filter(|order| order["status"] != "cancelled").count();
        assert_eq!(shop.stock_of(&tea).await, 50 - 2 * kept as u64);
        return;
    }
    panic!("twenty orders in a row shipped before they could be cancelled");
}
