//! What people do who buy from carts, pay by card or have no account; and what admins and banks give back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ::tests::answer::Answer;
use ::tests::shop::{Person, Request};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::draws::Draws;
use crate::history::{Asked, Guest, Purchase};
use crate::workload::{PATIENCE, Town, millis};
use crate::world::{attempt, list, stored, text};

/// How somebody buys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// At once, paid at the door.
    Order,
    /// What is in the cart, paid at the door.
    Cart,
    /// The same by card.
    Card,
    /// The same as `Cart`, without an account.
    Guest,
    /// The same as `Card`, without an account.
    GuestCard,
}

impl Way {
    /// How likely each is.
    pub(crate) const WEIGHTS: [(usize, Self); 5] =
        [(6, Self::Order), (2, Self::Cart), (7, Self::Card), (1, Self::Guest), (3, Self::GuestCard)];

    pub(crate) fn is_by_card(self) -> bool {
        matches!(self, Self::Card | Self::GuestCard)
    }

    pub(crate) fn is_a_guests(self) -> bool {
        matches!(self, Self::Guest | Self::GuestCard)
    }
}

/// What a buyer does about an order by card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Means {
    /// Pays, which is told in one of these manners.
    Pays(&'static str),
    /// Pays, of which the shop hears by the page that the buyer comes back to.
    ComesBack,
    /// Has a card declined, and pays with another one.
    Declined,
    /// Pays in a slow way: it comes, or does not, or nobody knows until the end.
    Slowly(Option<&'static str>),
    /// Lets the page go by, asks for another one and pays there.
    Again,
    /// Pays something else than was asked for, and then perhaps what was.
    AnotherAmount,
    /// Cancels, and pays all the same by the page that is over.
    TooLate,
    /// Nothing.
    Never,
}

impl Means {
    const WEIGHTS: [(usize, Self); 17] = [
        (10, Self::Pays("once")),
        (3, Self::Pays("twice")),
        (2, Self::Pays("other-id")),
        (2, Self::Pays("late")),
        (1, Self::Pays("out-of-order")),
        (1, Self::Pays("twice-after-refund")),
        (1, Self::Pays("api-2019")),
        (3, Self::Pays("never")),
        (4, Self::ComesBack),
        (2, Self::Declined),
        (2, Self::Slowly(Some("arrive"))),
        (1, Self::Slowly(Some("fail"))),
        (1, Self::Slowly(None)),
        (3, Self::Again),
        (1, Self::AnotherAmount),
        (1, Self::TooLate),
        (4, Self::Never),
    ];
}

/// Whose cart it is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Holder<'a> {
    Person(&'a Person),
    /// Whoever has this token.
    Guest(&'a str),
}

impl Town {
    /// A request about a cart: `/cart/items` of a person is `/guest-cart/items` of a guest.
    fn about_cart(&self, holder: Holder<'_>, method: Method, path: &str) -> Request {
        match holder {
            Holder::Person(person) => person.request(method, path),
            Holder::Guest(token) => self
                .shop
                .request(method, &path.replacen("/cart", "/guest-cart", 1))
                .header("cart-token", token),
        }
    }

    /// Puts exactly this into a cart, as often as it takes, and gives what the cart shows then; nothing where it cannot
    /// be ordered.
    pub(crate) async fn fill(
        &self,
        holder: Holder<'_>,
        lines: &[(String, i64)],
        coupon: Option<&str>,
    ) -> Option<Value> {
        for _ in 0..2 {
            for (id, pieces) in lines {
                let quantity = json!({ "quantity": pieces });
                self.until_it_is_done(holder, &format!("/cart/items/{id}"), &quantity).await;
            }
            if coupon.is_some() {
                self.until_it_is_done(holder, "/cart", &json!({ "couponCode": coupon })).await;
            }
            let shown = self.about_cart(holder, Method::GET, "/cart").send().await;
            let is_in_it = |(id, pieces): &(String, i64)| {
                let items = shown.body["items"].as_array().into_iter().flatten();
                items.into_iter().any(|item| item["id"] == **id && item["quantity"] == *pieces)
            };
            let count = shown.body["items"].as_array().map_or(0, Vec::len);
            if shown.status == 200 && count == lines.len() && lines.iter().all(is_in_it) {
                if shown.body["canCheckOut"] == true {
                    return Some(shown.body);
                }
                // A coupon that is used up would stand in the way of the next order as well.
                self.until_it_is_done(holder, "/cart", &json!({ "couponCode": null })).await;
                return None;
            }
            // Something is left of what could not be ordered before.
            self.about_cart(holder, Method::DELETE, "/cart").send().await;
        }
        None
    }

    async fn until_it_is_done(&self, holder: Holder<'_>, path: &str, body: &Value) {
        for _ in 0..PATIENCE {
            let answer = self.about_cart(holder, Method::PUT, path).json(body).send().await;
            if answer.status < 500 && answer.status != 429 {
                return;
            }
            sleep(millis(100)).await;
        }
    }

    /// A cart of somebody without an account, with its first line: what opens it.
    pub(crate) async fn guest_cart(&self, (id, pieces): &(String, i64)) -> Option<String> {
        for _ in 0..PATIENCE {
            let item = json!({ "id": id, "quantity": pieces });
            let made = self.shop.post("/guest-cart/items", &item).await;
            if let Some(token) = made.body["cartToken"].as_str().filter(|_| made.status == 200) {
                return Some(token.to_owned());
            }
            sleep(millis(100)).await;
        }
        None
    }

    /// What is asked of the shop to order a cart as it was shown.
    pub(crate) fn checkout(path: &'static str, shown: &Value, by_card: bool, guest: Option<&Guest>) -> Asked {
        let mut body = json!({ "expectedTotal": shown["amounts"]["total"], "cartVersion": shown["version"] });
        if by_card {
            body["paymentMethod"] = json!("card");
        }
        if let Some(guest) = guest {
            body["email"] = json!(guest.email);
            body["fullName"] = json!("Gus Guest");
        }
        Asked { path, body }
    }

    /// Begins a purchase in this way; nothing where the cart cannot be ordered.
    pub(crate) async fn begin(&self, draws: &mut Draws, number: usize, key: &str, way: Way) -> Option<()> {
        let buyer = &self.buyers[number];
        let lines = self.basket(draws);
        let coupon = draws.chance(2_500).then(|| self.coupons[draws.below(self.coupons.len())].clone());
        let mut purchase = Purchase {
            label: format!("buyer {number} ({way:?})"),
            buyer: buyer.id.clone(),
            lines,
            ..Purchase::default()
        };
        if way == Way::Order {
            purchase.asked = order_of(&purchase.lines);
        } else if way.is_a_guests() {
            let cart = self.guest_cart(&purchase.lines[0]).await?;
            let email = format!("{key}@cartwright.test");
            let guest = Guest { email, cart: cart.clone(), ..Guest::default() };
            let shown = self.fill(Holder::Guest(&cart), &purchase.lines, coupon.as_deref()).await?;
            purchase.asked = Self::checkout("/guest-cart/checkout", &shown, way.is_by_card(), Some(&guest));
            purchase.buyer = cart_id(&cart);
            purchase.guest = Some(guest);
        } else {
            let holder = Holder::Person(&buyer.person);
            let shown = self.fill(holder, &purchase.lines, coupon.as_deref()).await?;
            purchase.asked = Self::checkout("/cart/checkout", &shown, way.is_by_card(), None);
        }
        self.history.begin(key, purchase);
        Some(())
    }

    /// Something happens at Stripe to a payment, or to anything else there; gives the status.
    pub(crate) async fn at_stripe(&self, what: &str, id: &str, act: &Value) -> u16 {
        self.shop.post(&format!("/local/stripe/{what}/{id}"), act).await.status
    }

    /// A buyer's request about an order: with the order's token where the buyer has no account.
    fn about_order(&self, purchase: &Purchase, order: &str, of_people: &str, of_guests: &str) -> Request {
        let claimed = || {
            let claims = purchase.guest.as_ref()?.claims.iter();
            claims.filter(|(_, status)| *status == 200).map(|(person, _)| person).next_back()
        };
        let token = purchase.guest.as_ref().and_then(|guest| guest.token.as_ref());
        match token.filter(|_| claimed().is_none()) {
            Some(token) => {
                let path = format!("/guest-orders/{order}/{of_guests}");
                self.shop.request(Method::POST, &path).header("order-token", token)
            }
            None => {
                let id = claimed().unwrap_or(&purchase.buyer);
                let buyer = self.buyers.iter().find(|buyer| buyer.id == *id).expect("its buyer");
                buyer.person.request(Method::POST, of_people)
            }
        }
    }

    /// Opens the page on which an order is paid; gives the attempt, once its page is there.
    pub(crate) async fn page(&self, key: &str, order: &str) -> Option<String> {
        for _ in 0..PATIENCE {
            let purchase = self.history.purchase(key)?;
            let request = self.about_order(&purchase, order, &format!("/payments/{order}"), "payments");
            let answer = request.send().await;
            self.note_payment(key, &answer.body["paymentId"]);
            match answer.status {
                200 | 201 if answer.body["status"] == "open" => {
                    return answer.body["paymentId"].as_str().map(str::to_owned);
                }
                200 | 201 | 429 | 500.. => sleep(millis(200)).await,
                _ => return None,
            }
        }
        None
    }

    pub(crate) fn note_payment(&self, key: &str, id: &Value) {
        if let Some(id) = id.as_str() {
            self.history.note(key, |purchase| {
                purchase.payments.insert(id.to_owned());
            });
        }
    }

    /// The buyer comes back from the page, which asks Stripe until it has an answer.
    pub(crate) async fn refresh(&self, key: &str, order: &str, payment: &str) -> Option<Answer> {
        for _ in 0..PATIENCE {
            let purchase = self.history.purchase(key)?;
            let path = format!("/payments/{payment}/refresh");
            let answer = self.about_order(&purchase, order, &path, "refresh").send().await;
            if answer.status == 200 {
                return Some(answer);
            }
            sleep(millis(200)).await;
        }
        None
    }

    /// Tries to cancel an order for whoever bought it, and notes the answer.
    pub(crate) async fn cancel_of(&self, key: &str, order: &str) -> u16 {
        let Some(purchase) = self.history.purchase(key) else { return 404 };
        let path = format!("/orders/{order}/cancel");
        let answer = self.about_order(&purchase, order, &path, "cancel").send().await;
        self.note_cancelled(key, &answer)
    }

    /// Somebody with an account makes a guest's order their own, or tries to.
    pub(crate) async fn claim(&self, key: &str, order: &str, person: &str) {
        let guest = self.history.purchase(key).and_then(|purchase| purchase.guest);
        let Some(token) = guest.and_then(|guest| guest.token) else { return };
        let Some(buyer) = self.buyers.iter().find(|buyer| buyer.id == person) else { return };
        for _ in 0..PATIENCE {
            let body = json!({ "orderId": order, "orderToken": token });
            let status = buyer.person.post("/orders/claim", &body).await.status;
            self.history.note(key, |purchase| {
                let guest = purchase.guest.as_mut().expect("a guest's");
                guest.claims.push((person.to_owned(), status));
            });
            if status < 500 && status != 429 {
                return;
            }
            sleep(millis(200)).await;
        }
    }

    /// Goes about paying an order in one of the ways that there are.
    pub(crate) async fn pay(&self, draws: &mut Draws, key: &str, order: &str) {
        let means = draws.weighted(&Means::WEIGHTS).unwrap_or(Means::Never);
        if means == Means::Never {
            return;
        }
        // Where the answer said nothing of a page, it is asked for.
        let Some(payment) = self.page(key, order).await else { return };
        let act = async |act: Value| self.at_stripe("sessions", &payment, &act).await;
        match means {
            Means::Pays(how) => drop(act(json!({ "do": "pay", "deliver": [how] })).await),
            Means::ComesBack => {
                act(json!({ "do": "pay", "deliver": ["never"] })).await;
                self.refresh(key, order, &payment).await;
            }
            Means::Declined => {
                act(json!({ "do": "decline" })).await;
                act(json!({ "do": "pay" })).await;
            }
            Means::Slowly(then) => {
                act(json!({ "do": "pay-later" })).await;
                sleep(millis(draws.below(800))).await;
                if let Some(then) = then {
                    act(json!({ "do": then })).await;
                }
            }
            Means::Again => {
                self.let_go_by(&payment).await;
                self.pay_on_another_page(key, order).await;
            }
            Means::AnotherAmount => {
                act(json!({ "do": "pay", "amount": 7 })).await;
                if draws.chance(5_000) {
                    sleep(millis(draws.below(600))).await;
                    self.pay_on_another_page(key, order).await;
                }
            }
            Means::TooLate => {
                self.cancel_of(key, order).await;
                self.history.note(key, |purchase| purchase.is_forced = true);
                act(json!({ "do": "pay", "force": true, "deliver": ["twice"] })).await;
            }
            Means::Never => {}
        }
    }

    /// The time of a page that is open is over, as far as the shop knows.
    pub(crate) async fn let_go_by(&self, payment: &str) {
        if text(&attempt(&self.aws, payment).await, "status") != "open" {
            return;
        }
        let update = json!({
            "TableName": self.aws.output("PaymentsTable"),
            "Key": { "paymentId": { "S": payment }, "entry": { "S": "payment" } },
            "UpdateExpression": "SET expiresAt = :over",
            "ExpressionAttributeValues": { ":over": { "S": "2001-09-09T01:46:40.000Z" } },
        });
        self.aws.json("dynamodb", "DynamoDB_20120810.UpdateItem", update).await;
    }

    /// Somebody has tried to carry a refund out, of whom nothing more is known.
    pub(crate) async fn tried(&self, payment: &str, refund: &str) {
        let update = json!({
            "TableName": self.aws.output("PaymentsTable"),
            "Key": { "paymentId": { "S": payment }, "entry": { "S": format!("refund#{refund}") } },
            "UpdateExpression": "SET tries = :one",
            "ExpressionAttributeValues": { ":one": { "N": "1" } },
        });
        self.aws.json("dynamodb", "DynamoDB_20120810.UpdateItem", update).await;
    }

    async fn pay_on_another_page(&self, key: &str, order: &str) {
        if let Some(another) = self.page(key, order).await {
            self.at_stripe("sessions", &another, &json!({ "do": "pay" })).await;
        }
    }

    /// What admins give back, also in Stripe's own pages; and banks that do not take it.
    pub(crate) async fn give_back(self, seed: u64, done: Arc<AtomicBool>) {
        let mut draws = Draws::new(seed, "giving back");
        for count in 0.. {
            self.pause(&done, 700).await;
            if done.load(Ordering::Relaxed) {
                return;
            }
            let payments = self.history.payments();
            let Some(payment) = payments.get(draws.below(payments.len())) else { continue };
            let attempted = attempt(&self.aws, payment).await;
            if text(&attempted, "status") != "captured" {
                continue;
            }
            match draws.weighted(&[(3, 'p'), (3, 'l'), (1, 'o'), (1, 'a'), (2, 'd'), (1, 'f')]).unwrap_or('p')
            {
                'd' => {
                    let amount = 1 + draws.below(60);
                    let act = json!({ "do": "refund", "amount": amount, "deliver": ["twice"] });
                    self.at_stripe("sessions", payment, &act).await;
                }
                'f' => self.a_bank_refuses(payment).await,
                what => {
                    let body = self.wanted_back(&mut draws, what, &text(&attempted, "orderId")).await;
                    self.ask_back(&format!("back-{seed}-{count}"), payment, &body).await;
                }
            }
        }
    }

    /// What an admin wants to give back of an order: a part, all that is left, a piece, or a part that somebody gave
    /// back otherwise.
    async fn wanted_back(&self, draws: &mut Draws, what: char, order: &str) -> Value {
        let amount = f64::from(u32::try_from(1 + draws.below(90)).unwrap_or(1)) / 100.0;
        match what {
            'a' => json!({}),
            'l' => {
                let number = draws.below(3);
                Self::piece_of(&stored(&self.aws, order).await, number)
            }
            'o' => json!({ "amount": amount, "outside": true }),
            _ => json!({ "amount": amount }),
        }
    }

    /// That a piece of one of an order's lines goes back.
    pub(crate) fn piece_of(order: &Value, number: usize) -> Value {
        let lines: Vec<&Value> = list(order, "lines").collect();
        let id = text(lines[number % lines.len()], "offerId");
        json!({ "lines": [{ "id": id, "quantity": 1 }] })
    }

    /// An admin asks for money back until that has a clear answer, or leaves it for later.
    pub(crate) async fn ask_back(&self, key: &str, payment: &str, body: &Value) {
        for _ in 0..PATIENCE {
            let path = format!("/payments/{payment}/refund");
            let request = self.shop.admin().await.request(Method::POST, &path);
            let answer = request.header("idempotency-key", key).json(body).send().await;
            let refund = answer.body["refundId"].as_str().filter(|_| answer.status == 201);
            self.history.gave_back(key, payment, body, (answer.status, refund.map(str::to_owned)));
            if answer.status < 500 && answer.status != 429 {
                return;
            }
            sleep(millis(200)).await;
        }
    }

    /// The bank of a refund does not take it after all.
    async fn a_bank_refuses(&self, payment: &str) {
        let told = self.shop.get(&format!("/local/stripe.json?of={payment}")).await;
        let refunds = told.body["refunds"].as_array().into_iter().flatten();
        let mut made = refunds.filter(|refund| refund["status"] == "succeeded");
        if let Some(id) = made.next().and_then(|refund| refund["id"].as_str()) {
            self.at_stripe("refunds", id, &json!({ "do": "fail", "deliver": ["twice"] })).await;
        }
    }
}

/// What is asked of the shop to order without a cart.
pub(crate) fn order_of(lines: &[(String, i64)]) -> Asked {
    let items: Vec<_> = lines.iter().map(|(id, pieces)| json!({ "id": id, "quantity": pieces })).collect();
    Asked { path: "/orders", body: json!({ "items": items }) }
}

/// The key of a guest's cart in its table, by what opens it: see `carts::CartToken`.
pub(crate) fn cart_id(token: &str) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use sha2::{Digest, Sha256};
    let bytes = URL_SAFE_NO_PAD.decode(token).unwrap_or_default();
    format!("guest#{}", URL_SAFE_NO_PAD.encode(Sha256::digest(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guests_cart_is_known_by_the_hash_of_what_opens_it() {
        let id = cart_id("AAAAAAAAAAAAAAAAAAAAAA");
        assert_eq!(id, "guest#N0cI__dxndWXnsh11WzSKG9tPPfsMXo7JWMqqyjsN7s");
    }

    #[test]
    fn a_checkout_says_what_the_page_showed_and_who_buys() {
        let shown = json!({ "version": 3, "amounts": { "total": 9.5 } });
        let asked = Town::checkout("/cart/checkout", &shown, false, None);
        assert_eq!(asked.body, json!({ "expectedTotal": 9.5, "cartVersion": 3 }));
        let guest = Guest { email: "gus@cartwright.test".into(), ..Guest::default() };
        let asked = Town::checkout("/guest-cart/checkout", &shown, true, Some(&guest));
        let expected = json!({
            "expectedTotal": 9.5, "cartVersion": 3, "paymentMethod": "card",
            "email": "gus@cartwright.test", "fullName": "Gus Guest",
        });
        assert_eq!((asked.path, asked.body), ("/guest-cart/checkout", expected));
    }

    #[test]
    fn every_way_of_buying_and_of_paying_is_drawn() {
        let mut draws = Draws::new(1, "ways");
        let drawn: Vec<_> = (0..2_000).filter_map(|_| draws.weighted(&Means::WEIGHTS)).collect();
        assert!(Means::WEIGHTS.iter().all(|(_, means)| drawn.contains(means)));
        let drawn: Vec<_> = (0..500).filter_map(|_| draws.weighted(&Way::WEIGHTS)).collect();
        assert!(Way::WEIGHTS.iter().all(|(_, way)| drawn.contains(way)));
    }
}
