//! Texts where SNS does not send them.

use serde_json::{Value, json};
use tests::phones;
use tests::shop::product;
use tests::socket::Page;
use tests::wait::{a_while, eventually};

use super::open;
use super::orders::in_place_of_aws;

/// As of a phone whose owner answered STOP.
const OPTED_OUT: &str = "HTTP/1.1 400 Bad Request\r\ncontent-type: text/xml\r\nconnection: close\r\n\r\n\
    <ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type>\
    <Code>OptedOut</Code><Message>The phone number is opted out.</Message></Error>\
    <RequestId>1</RequestId></ErrorResponse>";

#[tokio::test]
async fn whoever_answered_stop_gets_no_text_any_more_and_reads_of_it_in_the_inbox() {
    let (shop, aws, _soon) = open().await;
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(5)).await;
    let phone = phones::number();
    phones::has(&shop, &bob, &phone).await;
    let texts = json!({ "texts": { "parcelSent": true, "delivered": true, "textVersion": 1 } });
    bob.put("/users/me/preferences", &texts).await.is(200);
    let mut page = Page::of(&bob).await;

    let change =
        aws.change("send-text").await.env("AWS_ENDPOINT_URL_SNS", &in_place_of_aws(Some(OPTED_OUT)).await);
    let refusing = change.make().await;
    let order = bob.buys(&tea, 1).await;
    page.is_told("user.texts-stopped", None).await;
    refusing.undo();
    let chosen = bob.get("/users/me/preferences").await.is(200)["texts"].clone();
    assert_eq!(
        (&chosen["phone"], [&chosen["parcelSent"], &chosen["delivered"]]),
        (&json!(phone), [&Value::Null; 2])
    );

    // What SNS takes again is not for a phone that wanted no more.
    bob.order_once(&order, "shipping").await;
    ann.put(&format!("/orders/{order}/status"), &json!({ "status": "delivered" })).await.is(200);
    page.is_told("order.delivered", Some(&order)).await;
    aws.quiet().await;
    a_while().await;
    assert_eq!(phones::texts_to(&shop, &phone).await.len(), 1, "nothing but the code");
    // Whoever wants them again proves the phone again.
    bob.post(phones::PHONE, &json!({ "phone": phone })).await.is(202);
    let code = phones::code_of(&shop, &phone, 2).await;
    bob.post(phones::CONFIRM, &json!({ "code": code })).await.is(200);
    bob.put("/users/me/preferences", &texts).await.is(200);
    let again = bob.buys(&tea, 1).await;
    let number = bob.order(&again).await["number"].as_str().expect("a number").to_owned();
    eventually("texts come again", async || {
        phones::texts_to(&shop, &phone).await.iter().any(|text| text.contains(&number)).then_some(())
    })
    .await;
}
