//! What a seller sees of orders and says of parcels, where the shop ships by itself. What people ship is in the
//! disruptions, which change how the shop does.

use reqwest::Method;
use serde_json::json;
use tests::answer::calls;
use tests::shop::{RED_PNG, Shop, history, order_id, product};
use tests::wait::eventually;

#[tokio::test]
async fn a_seller_sees_the_own_part_of_an_order_and_nothing_of_others() {
    let shop = Shop::open();
    let (ann, eve, bob) = (shop.person("Ann").await, shop.person("Eve").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").priced("4.50").stock(9)).await;
    let cup = eve.sells(product().named("cup").priced("12.00").stock(9)).await;
    let items = json!({ "items": [{ "id": tea.id, "quantity": 2 }, { "id": cup.id, "quantity": 1 }] });
    let of_both = order_id(&bob.post("/orders", &items).await.is(201));
    let of_eve = bob.buys(&cup, 1).await;
    for order in [&of_both, &of_eve] {
        bob.order_once(order, "shipping").await;
    }

    let list = ann.get("/seller/orders").await;
    assert_eq!(list.calls(), calls([("dynamodb", 2)]));
    let list = list.is(200);
    assert_eq!(list["orders"].as_array().map(Vec::len), Some(1), "{list}");
    let one = ann.get(&format!("/seller/orders/{of_both}")).await;
    assert_eq!(one.calls(), calls([("dynamodb", 1)]));
    let one = one.is(200);
    assert_eq!(list["orders"][0], one);
    assert_eq!(
        (&one["status"], &one["total"], &one["items"][0]["id"]),
        (&json!("shipped"), &json!(9), &json!(tea.id))
    );
    assert_eq!((one["items"].as_array().map(Vec::len), &one["buyer"]["email"]), (Some(1), &json!(bob.email)));
    assert_eq!(eve.get("/seller/orders").await.is(200)["orders"].as_array().map(Vec::len), Some(2));
    // What ships by itself is nobody's to send.
    let nothing = json!({ "orders": [], "nextCursor": null });
    assert_eq!(ann.get("/seller/orders?status=to_send").await.is(200), nothing);
    assert_eq!(ann.get("/seller/orders?status=shipped").await.is(200), list);
    assert_eq!(bob.get("/seller/orders").await.is(200), nothing, "who buys sells nothing by that");
    ann.get("/seller/orders?status=sent").await.is_problem(422, "invalid-input").at(["status"]);

    for (person, order) in [(&bob, &of_both), (&ann, &of_eve), (shop.admin().await, &of_eve)] {
        person.get(&format!("/seller/orders/{order}")).await.is_problem(404, "not-found");
    }
    ann.get("/seller/orders/none").await.is_problem(404, "not-found");
}

#[tokio::test]
async fn what_the_shop_sent_arrives_part_by_part_and_its_buyer_is_told_once() {
    let shop = Shop::open();
    let (ann, eve, bob) = (shop.person("Ann").await, shop.person("Eve").await, shop.person("Bob").await);
    let (tea, cup) =
        (ann.sells(product().named("tea").stock(9)).await, eve.sells(product().named("cup").stock(9)).await);
    let items = json!({ "items": [{ "id": tea.id, "quantity": 2 }, { "id": cup.id, "quantity": 1 }] });
    let order = order_id(&bob.post("/orders", &items).await.is(201));
    // Of an order that has arrived, nobody is told any more that it left.
    bob.mail_once_there_are(2).await;
    let path = format!("/seller/orders/{order}/status");
    let (delivered, of_eve) =
        (json!({ "status": "delivered" }), json!({ "status": "delivered", "sellerId": eve.id() }));
    bob.put(&path, &delivered).await.is_problem(403, "forbidden");
    shop.person("Carl").await.put(&path, &delivered).await.is_problem(404, "not-found");
    ann.put(&path, &of_eve).await.is_problem(403, "forbidden");
    let admin = shop.admin().await;
    admin.put(&path, &delivered).await.is_problem(422, "invalid-input").at(["#/sellerId"]);
    ann.put(&format!("/orders/{order}/status"), &delivered).await.is_problem(409, "several-parcels");

    let handed_over = async || ann.own(&tea).await.filter(|tea| tea["promised"] == 0);
    eventually("nobody else is at the order any more", handed_over).await;
    let told = ann.put(&path, &delivered).await;
    // The order, the parcel with it, and the order again; nobody is told yet.
    assert_eq!(told.calls(), calls([("dynamodb", 3)]));
    assert_eq!(told.is(200)["status"], "delivered");
    let seen = bob.order(&order).await;
    assert_eq!(history(&seen), ["pending", "shipping"]);
    assert_eq!(seen["parcels"].as_array().map(Vec::len), Some(2));
    let told = admin.put(&path, &of_eve).await;
    assert_eq!(
        (told.is(200)["status"].clone(), history(&bob.order(&order).await).len()),
        (json!("delivered"), 3)
    );
    bob.mail_once_there_are(3).await;
    let subjects: Vec<_> = bob.mail_about(&order).await.into_iter().map(|mail| mail.subject).collect();
    let arrived = subjects.iter().filter(|subject| subject.ends_with("has arrived"));
    assert_eq!((subjects.len(), arrived.count()), (3, 1), "{subjects:?}");
}

#[tokio::test]
async fn what_a_seller_sold_is_counted_by_day_and_read_in_one_call() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let none = json!({ "orders": 0, "revenue": 0 });
    let nothing = json!({ "today": none, "last30Days": none, "toSend": 0, "toApprove": 0, "lowStock": 0 });
    assert_eq!(ann.get("/seller/summary").await.is(200), nothing);
    let tea = ann.sells(product().named("tea").priced("4.50").stock(9)).await;
    for pieces in [1, 2] {
        let order = bob.buys(&tea, pieces).await;
        bob.order_once(&order, "shipping").await;
    }
    let sold = json!({ "orders": 2, "revenue": 13.5 });
    let counted = eventually("both are counted, and none is to be sent", async || {
        let answer = ann.get("/seller/summary").await;
        assert_eq!(answer.calls(), calls([("dynamodb", 1)]));
        Some(answer.is(200)).filter(|found| found["last30Days"] == sold && found["toSend"] == 0)
    });
    assert_eq!(counted.await["currency"], "USD");
    assert_eq!(bob.get("/seller/summary").await.is(200), nothing);
}

#[tokio::test]
async fn what_an_admin_has_to_look_at_and_what_runs_low_is_counted_for_its_seller() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let counts = async |to_approve: u32, low_stock: u32| {
        let what = format!("{to_approve} to approve, {low_stock} running low");
        let is_so = async || {
            let found = ann.get("/seller/summary").await.is(200);
            (found["toApprove"] == to_approve && found["lowStock"] == low_stock).then_some(())
        };
        eventually(&what, is_so).await;
    };
    // Few pieces of what nobody can buy yet are nothing to see to.
    let cup = ann.lists(product().named("cup").stock(2)).await;
    assert_eq!(shop.upload(&cup.upload_url, "image/png", RED_PNG.to_vec()).await, 200);
    counts(1, 0).await;
    shop.admin().await.put(&format!("{}/approval", cup.path()), &json!({ "approved": true })).await.is(200);
    counts(0, 1).await;
    let tea = ann.sells(product().named("tea").stock(6)).await;
    let order = bob.buys(&tea, 2).await;
    counts(0, 2).await;
    ann.put(&format!("{}/stock", cup.path()), &json!({ "set": 5 })).await.is(200);
    counts(0, 1).await;
    // Its name is one that an admin has not seen: nobody can buy it until then.
    ann.put(&tea.path(), &json!({ "productName": "green tea" })).await.is(200);
    counts(1, 0).await;
    bob.order_once(&order, "shipping").await;
    ann.request(Method::DELETE, &tea.path()).send().await.is(204);
    counts(0, 0).await;
    assert_eq!(ann.get("/seller/summary").await.is(200)["today"]["orders"], 1, "it was sold all the same");
}

#[tokio::test]
async fn an_admin_sees_the_shop_at_a_glance_in_four_calls() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    ann.get("/admin/overview").await.is_problem(403, "forbidden");
    ann.sells(product().named("tea").stock(2)).await;
    let overview = eventually("what runs low is seen, and the index says how late it is", async || {
        let answer = shop.admin().await.get("/admin/overview").await;
        assert_eq!(answer.calls(), calls([("dynamodb", 2), ("sqs", 2)]));
        let seen = answer.is(200);
        let is_so = seen["lowStock"].as_i64() > Some(0) && seen["search"]["lagSeconds"].is_u64();
        is_so.then_some(seen)
    });
    let overview = overview.await;
    let names: Vec<_> = overview["queues"].as_array().expect("queues").iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["orders", "emails"]);
    assert!(overview["search"]["products"].as_i64() > Some(0), "{overview}");
    assert!(overview["last30Days"]["orders"].as_i64() >= overview["today"]["orders"].as_i64(), "{overview}");
}

#[tokio::test]
async fn every_faulty_field_of_a_parcel_is_named() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let order = shop.person("Bob").await.buys(&ann.sells(product().named("tea")).await, 1).await;
    let faulty = json!({
        "status": "shipped", "carrier": "", "trackingNumber": "<1>", "trackingUrl": "http://a.example", "sellerId": "a b",
        "by": "me",
    });
    let path = format!("/seller/orders/{order}/status");
    let places = ["#/by", "#/carrier", "#/sellerId", "#/trackingNumber", "#/trackingUrl"];
    ann.put(&path, &faulty).await.is_problem(422, "invalid-input").at(places);
}
