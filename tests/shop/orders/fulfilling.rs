//! What becomes of an order, as its seller or an admin says: on its way, with how to follow it, and arrived.

use serde_json::{Value, json};
use tests::answer::{Answer, calls};
use tests::shop::{Person, Shop, history, product};
use tests::wait::{a_while, at_once, eventually};

async fn says(person: &Person, order: &str, what: &Value) -> Answer {
    person.put(&format!("/orders/{order}/status"), what).await
}

fn delivered() -> Value {
    json!({ "status": "delivered" })
}

#[tokio::test]
async fn an_order_arrives_when_its_seller_says_so_and_its_buyer_is_told_once() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(5)).await;
    let order = bob.buys(&tea, 2).await;
    bob.order_once(&order, "shipping").await;
    bob.mail_once_there_are(2).await;

    let answers = at_once(5, |_| {
        let (ann, order) = (ann.clone(), order.clone());
        async move { says(&ann, &order, &delivered()).await }
    });
    let answers = answers.await;
    // Who moves it writes down with it what was paid at the door, and reads it again.
    assert!(answers.iter().all(|answer| answer.calls()["dynamodb"] >= 2 && answer.calls()["sqs"] == 1));
    let again = says(&ann, &order, &delivered()).await;
    assert_eq!(again.calls(), calls([("dynamodb", 2), ("sqs", 1)]));
    for answer in answers.into_iter().chain([again]) {
        let arrived = answer.is(200);
        assert_eq!(history(&arrived), ["pending", "shipping", "delivered"]);
        let by: Vec<_> = (0..3).map(|at| arrived["history"][at]["by"].as_str().expect("who")).collect();
        assert_eq!(by, ["buyer", "shop", "seller"]);
        assert_eq!(bob.order(&order).await, arrived);
    }
    // It did ship; how was not said then and is not now.
    says(&ann, &order, &json!({ "status": "shipped" })).await.is(200);
    let late = json!({ "status": "shipped", "carrier": "DHL" });
    says(&ann, &order, &late).await.is_problem(409, "already-shipped");
    bob.cancels(&order).await.is_problem(409, "not-cancellable");

    let told = eventually("the buyer is told", async || {
        Some(bob.mail_about(&order).await).filter(|mails| mails.len() >= 3)
    });
    told.await;
    a_while().await;
    let mails = bob.mail_about(&order).await;
    let arrived = mails.iter().filter(|mail| mail.subject == "Your order of tea has arrived");
    assert_eq!((mails.len(), arrived.count()), (3, 1), "{mails:?}");
    assert_eq!(shop.stock_of(&tea).await, 3);
}

#[tokio::test]
async fn nobody_says_it_but_who_sells_all_of_it_and_admins() {
    let shop = Shop::open();
    let (ann, bob, eve) = (shop.person("Ann").await, shop.person("Bob").await, shop.person("Eve").await);
    let (tea, cup) =
        (ann.sells(product().named("tea").stock(5)).await, eve.sells(product().named("cup").stock(5)).await);
    let items = json!({ "items": [{ "id": tea.id, "quantity": 1 }, { "id": cup.id, "quantity": 1 }] });
    let of_both = tests::shop::order_id(&bob.post("/orders", &items).await.is(201));
    let of_ann = bob.buys(&tea, 1).await;
    for order in [&of_both, &of_ann] {
        bob.order_once(order, "shipping").await;
        says(&bob, order, &delivered()).await.is_problem(403, "forbidden");
        assert_eq!(history(&bob.order(order).await), ["pending", "shipping"]);
    }
    says(&eve, &of_ann, &delivered()).await.is_problem(404, "not-found");
    for one in [&ann, &eve] {
        says(one, &of_both, &delivered()).await.is_problem(409, "several-parcels");
    }
    let arrived = says(shop.admin().await, &of_both, &delivered()).await.is(200);
    assert_eq!(arrived["history"][2]["by"], "admin");
    assert!(
        !arrived.to_string().contains(&shop.admin().await.id()),
        "who the admin is, is nobody's business"
    );
}

#[tokio::test]
async fn every_faulty_field_is_named() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let order = shop.person("Bob").await.buys(&ann.sells(product().named("tea")).await, 1).await;
    let faulty = json!({
        "status": "sent", "carrier": "", "trackingNumber": "<1>", "trackingUrl": "http://a.example", "by": "me",
    });
    says(&ann, &order, &faulty).await.is_problem(422, "invalid-input").at([
        "#/by",
        "#/carrier",
        "#/status",
        "#/trackingNumber",
        "#/trackingUrl",
    ]);
}
