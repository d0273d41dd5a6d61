//! A buyer asks the bank for the money of a payment by card. The numbers are those of docs/payments.md.

use serde_json::{Value, json};
use tests::paying::{Awaiting, awaiting, facts, key};
use tests::wait::{a_while, eventually};

/// An order by card that is paid.
async fn paid() -> Awaiting {
    let paid = awaiting().await;
    paid.is_paid().await;
    paid
}

/// The payment as an admin sees it, once its dispute has come to that and its ledger has so many facts.
async fn once(paid: &Awaiting, status: &str, many: usize) -> Value {
    let is_so = |whole: &Value| whole["disputes"][0]["status"] == status && facts(whole).len() == many;
    eventually(status, async || Some(paid.whole().await).filter(is_so)).await
}

/// What the ledger of a payment sums to, in minor units.
fn sum(whole: &Value) -> i64 {
    let entries = whole["ledger"].as_array().expect("a ledger").iter();
    let cents = |entry: &Value| {
        let text = entry["amount"].to_string();
        let (major, minor) = text.split_once('.').unwrap_or((&text, ""));
        let amount: i64 = format!("{major}{minor:0<2}").parse().expect("an amount");
        if entry["direction"] == "out" { -amount } else { amount }
    };
    entries.map(cents).sum()
}

fn id(happened: &Value) -> String {
    happened["object"]["id"].as_str().expect("an id").to_owned()
}

// F11: of 99.99 the bank takes 100.40.
#[tokio::test]
async fn a_dispute_of_more_than_was_paid_is_written_down_and_nothing_goes_back_besides() {
    let paid = paid().await;
    let dispute = id(&paid.at_stripe(json!({ "do": "dispute", "amount": 10_040 })).await);
    let whole = once(&paid, "open", 2).await;
    assert_eq!((sum(&whole), &whole["disputed"]), (-41, &json!(true)));
    assert_eq!(facts(&whole), ["charge", "dispute"]);
    let shown = &whole["disputes"][0];
    assert_eq!((&shown["disputeId"], &shown["amount"]), (&json!(dispute), &json!(100.4)));
    assert_eq!((&whole["refundable"], &whole["refunded"]), (&json!(0), &json!(0)));
    for asked in [json!({}), json!({ "amount": 0.01 })] {
        paid.refunds(&asked, &key("refund")).await.is_problem(409, "payment-disputed");
    }
    // Its buyer sees that, but neither the bank's words nor the ledger.
    let seen = paid.buyer.get(&format!("/payments/{}", paid.payment)).await.is(200);
    assert_eq!((&seen["disputed"], seen.get("disputes"), seen.get("ledger")), (&json!(true), None, None));
    assert_eq!(paid.order().await["paymentStatus"], "paid", "the bank has not decided");
    paid.happens("disputes", &dispute, json!({ "do": "lose" })).await;
    paid.order_once("the bank has taken it", |order| order["paymentStatus"] == "charged_back").await;
    let whole = once(&paid, "lost", 2).await;
    assert_eq!(sum(&whole), -41);
    paid.refunds(&json!({}), &key("refund")).await.is_problem(409, "payment-disputed");
}

#[tokio::test]
async fn a_dispute_that_is_won_leaves_the_money_to_be_given_back() {
    let paid = paid().await;
    let dispute = id(&paid.at_stripe(json!({ "do": "dispute" })).await);
    once(&paid, "open", 2).await;
    paid.happens("disputes", &dispute, json!({ "do": "win" })).await;
    let whole = once(&paid, "won", 3).await;
    assert_eq!((sum(&whole), &whole["disputed"]), (9_999, &json!(false)));
    assert_eq!(paid.order().await["paymentStatus"], "paid");
    paid.refunds(&json!({ "amount": 10 }), &key("refund")).await.is(201);
    paid.order_once("a part went back", |order| order["paymentStatus"] == "partially_refunded").await;
}

// Every event twice, the newest first, as if by another network.
#[tokio::test]
async fn a_dispute_comes_to_the_same_in_whatever_order_and_however_often_it_is_told() {
    for (ends, status, expected) in [("lose", "lost", "charged_back"), ("win", "won", "paid")] {
        let paid = paid().await;
        let never = json!({ "do": "dispute", "amount": 10_040, "deliver": ["never"] });
        let opened = paid.at_stripe(never).await;
        let act = json!({ "do": ends, "deliver": ["never"] });
        let closed = paid.happens("disputes", &id(&opened), act).await;
        let events = [&opened, &closed].into_iter().flat_map(|one| one["events"].as_array().expect("events"));
        let events: Vec<_> = events.map(|event| event.as_str().expect("an id").to_owned()).collect();
        assert!(paid.whole().await["disputes"].as_array().is_some_and(Vec::is_empty), "nobody has told");
        for _ in 0..2 {
            for event in events.iter().rev() {
                paid.happens("events", event, json!({ "do": "deliver", "deliver": ["twice"] })).await;
            }
        }
        let facts = if ends == "win" { 3 } else { 2 };
        let whole = once(&paid, status, facts).await;
        a_while().await;
        assert_eq!(paid.whole().await, whole);
        assert_eq!(sum(&whole), if ends == "win" { 9_999 } else { -41 });
        assert_eq!(paid.order().await["paymentStatus"], expected);
    }
}
