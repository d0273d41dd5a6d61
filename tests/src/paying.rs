//! Orders by card, and what happens to their money at the Stripe on the laptop.

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::aws::Aws;
use crate::shop::{Person, Product, Shop, order_id, product, unique};
use crate::wait::eventually;

/// An order by card that awaits its payment.
#[derive(Debug)]
pub struct Awaiting {
    /// Where.
    pub shop: Shop,
    /// From whom.
    pub seller: Person,
    /// By whom.
    pub buyer: Person,
    /// What.
    pub product: Product,
    /// The order's id.
    pub order: String,
    /// Its payment's id.
    pub payment: String,
}

/// An idempotency key that nobody else has.
pub fn key(of: &str) -> String {
    unique(of).replace(' ', "-")
}

/// Asks for what is in a cart, to be paid by card.
pub async fn check_out(buyer: &Person, total: f64) -> Answer {
    let asked = json!({ "expectedTotal": total, "paymentMethod": "card" });
    let request = buyer.request(Method::POST, "/cart/checkout").header("idempotency-key", &key("card"));
    request.json(&asked).send().await
}

/// One piece at 99.99 of three, that is to be paid by card.
///
/// # Panics
/// When it cannot be had.
pub async fn awaiting() -> Awaiting {
    awaiting_pieces(1, "99.99", 99.99, &json!({})).await
}

/// So many pieces of three at this price, as it was chosen in the cart, that are to be paid by card.
///
/// # Panics
/// When they cannot be had.
pub async fn awaiting_pieces(pieces: u32, price: &str, total: f64, chosen: &Value) -> Awaiting {
    let shop = Shop::open();
    let (seller, buyer) = (shop.person("Ann").await, shop.person("Bob").await);
    let product = seller.sells(product().named("shoes").priced(price).stock(3)).await;
    buyer.post("/cart/items", &json!({ "id": product.id, "quantity": pieces })).await.is(200);
    buyer.put("/cart", chosen).await.is(200);
    let placed = check_out(&buyer, total).await.is(201);
    assert_eq!(placed["payment"]["status"], "open", "{placed}");
    assert!(placed["payment"]["url"].is_string(), "{placed}");
    let payment = placed["payment"]["paymentId"].as_str().expect("a payment").to_owned();
    Awaiting { shop, seller, product, order: order_id(&placed), payment, buyer }
}

impl Awaiting {
    /// Something happens to it at Stripe.
    pub async fn at_stripe(&self, act: Value) -> Value {
        self.happens("sessions", &self.payment, act).await
    }

    /// Something happens to one of Stripe's things. Gives the thing, and the events that tell of it.
    pub async fn happens(&self, things: &str, id: &str, act: Value) -> Value {
        self.shop.post(&format!("/local/stripe/{things}/{id}"), &act).await.is(200)
    }

    /// It is paid, and that is heard of.
    pub async fn is_paid(&self) {
        self.at_stripe(json!({ "do": "pay" })).await;
        self.order_once("it is paid", |order| order["paymentStatus"] == "paid").await;
    }

    /// What Stripe has of it.
    pub async fn books(&self) -> Value {
        self.shop.get(&format!("/local/stripe.json?of={}", self.payment)).await.is(200)
    }

    /// What its page says.
    pub async fn refresh(&self) -> Value {
        let path = format!("/payments/{}/refresh", self.payment);
        self.buyer.request(Method::POST, &path).send().await.is(200)
    }

    /// Its order as its buyer sees it.
    pub async fn order(&self) -> Value {
        self.buyer.order(&self.order).await
    }

    /// The payment as an admin sees it.
    pub async fn whole(&self) -> Value {
        self.shop.admin().await.get(&format!("/payments/{}", self.payment)).await.is(200)
    }

    /// The order, once that is so.
    pub async fn order_once(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        eventually(what, async || Some(self.order().await).filter(&is_so)).await
    }

    /// Somebody asks Stripe of the order, as when its time to pay is over.
    pub async fn is_due(&self) {
        Aws::open().await.send_message("PaymentsQueueUrl", &json!({ "orderId": self.order })).await;
    }

    /// An admin gives money back.
    pub async fn refunds(&self, body: &Value, key: &str) -> Answer {
        let path = format!("/payments/{}/refund", self.payment);
        let request = self.shop.admin().await.request(Method::POST, &path);
        request.header("idempotency-key", key).json(body).send().await
    }

    /// How many pieces are left.
    pub async fn stock(&self) -> u64 {
        self.shop.stock_of(&self.product).await
    }
}

/// What kinds of facts the ledger of a payment has.
///
/// # Panics
/// When it has none.
pub fn facts(whole: &Value) -> Vec<String> {
    let ledger = whole["ledger"].as_array().expect("a ledger").iter();
    let kind = |entry: &Value| {
        entry["fact"].as_str().and_then(|fact| fact.split(':').next()).unwrap_or_default().to_owned()
    };
    ledger.map(kind).collect()
}
