//! Each kind of thing that people are told in the open page: it is in the inbox of whom it concerns, and is pushed to
//! the page that listens. Which test tries which kind by which way is in tests/declared/told.rs; parcels, which are
//! sent by hand, and phones that take no texts are in the disruptions.

use serde_json::json;
use tests::aws::{Aws, Feedback};
use tests::paying::{awaiting, key};
use tests::shop::{Shop, product, unique};
use tests::socket::Page;
use tests::wait::eventually;

#[tokio::test]
async fn a_seller_hears_at_once_what_becomes_of_what_they_sell_and_who_reviews_it_of_the_reply() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let (mut of_ann, mut of_bob) = (Page::of(&ann).await, Page::of(&bob).await);
    let tea = ann.sells(product().named("tea").stock(6)).await;
    of_ann.is_told("product.approved", Some(&tea.id)).await;
    let order = bob.buys(&tea, 2).await;
    of_ann.is_told("sale.made", Some(&order)).await;
    of_ann.is_told("product.ran-low", Some(&tea.id)).await;

    eventually("the purchase is known", async || {
        (bob.reviews(&tea, &json!({ "stars": 4 })).await.status == 201).then_some(())
    })
    .await;
    of_ann.is_told("review.posted", Some(&tea.id)).await;
    let reply = format!("/reviews/{}/{}/reply", tea.id, bob.id());
    ann.put(&reply, &json!({ "text": "Thank you." })).await.is(200);
    of_bob.is_told("review.answered", Some(&tea.id)).await;

    let admin = shop.admin().await;
    let decision = json!({ "approved": false, "reason": "Blurred." });
    admin.put(&format!("{}/approval", tea.path()), &decision).await.is(200);
    of_ann.is_told("product.rejected", Some(&tea.id)).await;
    let store = ann.post("/stores", &json!({ "name": unique("Tea house") })).await.is(201);
    let store = store["id"].as_str().expect("an id");
    let path = format!("/stores/{store}/status");
    ann.put(&path, &json!({ "status": "published" })).await.is(200);
    admin.put(&path, &json!({ "status": "deactivated" })).await.is(200);
    of_ann.is_told("store.deactivated", Some(store)).await;
}

#[tokio::test]
async fn a_buyer_hears_at_once_how_an_order_goes_on_and_that_money_goes_back() {
    let paid = awaiting().await;
    let mut page = Page::of(&paid.buyer).await;
    paid.is_paid().await;
    page.is_told("order.paid", Some(&paid.order)).await;
    page.is_told("order.shipped", Some(&paid.order)).await;
    paid.refunds(&json!({ "amount": 1 }), &key("refund")).await.is(201);
    page.is_told("order.refunded", Some(&paid.order)).await;
    let path = format!("/orders/{}/status", paid.order);
    paid.seller.put(&path, &json!({ "status": "delivered" })).await.is(200);
    page.is_told("order.delivered", Some(&paid.order)).await;
    let another = paid.buyer.buys(&paid.product, 1).await;
    page.is_told("order.placed", Some(&another)).await;
}

#[tokio::test]
async fn a_buyer_hears_at_once_that_an_order_is_over_and_reads_it_in_the_mail() {
    let awaiting = awaiting().await;
    let mut page = Page::of(&awaiting.buyer).await;
    awaiting.is_due().await;
    awaiting.is_due().await;
    awaiting.order_once("it is over", |order| order["status"] == "cancelled").await;
    page.is_told("order.cancelled", Some(&awaiting.order)).await;
    eventually("it is told by email", async || {
        let mails = awaiting.buyer.mail_about(&awaiting.order).await;
        mails.iter().any(|mail| mail.subject == "Your order of shoes is cancelled").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_person_hears_at_once_what_happens_to_the_account() {
    let (shop, aws) = (Shop::open(), Aws::open().await);
    let ann = shop.person("Ann").await;
    let mut page = Page::of(&ann).await;
    ann.put("/users/me", &json!({ "fullName": unique("Ann Fox") })).await.is(200);
    page.is_told("user.profile-changed", None).await;
    ann.turns_totp_on().await;
    page.is_told("user.second-factor-changed", None).await;
    aws.tells_of_mail(Feedback::Bounced, &ann.email).await;
    page.is_told("user.email-suppressed", None).await;
    let role = format!("/users/{}/role", ann.id());
    shop.admin().await.put(&role, &json!({ "role": "seller" })).await.is(200);
    page.is_told("user.role-changed", None).await;
}
