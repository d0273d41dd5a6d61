//! What people do while things go wrong: buyers (how they pay by card is in [`crate::cards`]), sellers, cancellers and
//! the admin over few products, with sweeps, duplicates and a watcher beside them. What waits for a person is shipped,
//! what is not wanted any more is deleted.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::Answer;
use tests::aws::Aws;
use tests::shop::{BLUE_PNG, NewProduct, Newcomer, Person, Product, RED_PNG, Shop, product};
use tests::wait::at_once;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::cards::Way;
use crate::draws::Draws;
use crate::events;
use crate::history::{Answered, Cancelled, History, Purchase, Word};
use crate::leaving::Leaver;
use crate::world::{awaits, base64_url, has_left, is_settled, list, number, readable, scan, stored, text};

/// How many people buy.
const BUYERS: usize = 12;
/// How many products there are; the first is scarce: everyone wants it, and it is hardly ever restocked.
const PRODUCTS: usize = 6;
/// The buyer asks so often before leaving it for later.
pub(crate) const PATIENCE: usize = 4;

/// Who and what there is.
#[derive(Debug, Clone)]
pub(crate) struct Town {
    pub shop: Shop,
    pub aws: Aws,
    pub history: Arc<History>,
    pub buyers: Arc<Vec<Buyer>>,
    pub sellers: Arc<Vec<Person>>,
    /// Each with the seller's number.
    pub products: Arc<Vec<(usize, Product)>>,
    /// A store of the first seller's, in which all of the products are but the scarce one.
    pub store: Arc<str>,
    /// The codes of coupons: one for so many orders, one for so many of each customer.
    pub coupons: Arc<Vec<String>>,
    /// People whose accounts end, as soon as they have all that they have.
    pub leavers: Arc<Mutex<Vec<Leaver>>>,
    /// Changes of stock that no clear answer came to, to be asked again: seller, path, key, body, product, pieces.
    unclear: Arc<tokio::sync::Mutex<Vec<StockChange>>>,
    /// Deletions that no clear answer came to.
    undeleted: Arc<tokio::sync::Mutex<Vec<Deletion>>>,
}

/// Somebody wants something gone: who, where, and its key in the bucket.
#[derive(Debug, Clone)]
struct Deletion {
    person: Person,
    path: String,
    key: String,
}

/// A person with their id.
#[derive(Debug, Clone)]
pub(crate) struct Buyer {
    pub person: Person,
    pub id: String,
}

#[derive(Debug, Clone)]
struct StockChange {
    seller: usize,
    path: String,
    key: String,
    body: Value,
    product: String,
    pieces: i64,
}

/// Whether several people sell what is in an order.
fn is_of_several(order: &Value) -> bool {
    let sellers: BTreeSet<String> = list(order, "lines").map(|line| text(line, "sellerId")).collect();
    sellers.len() > 1
}

impl Town {
    /// Signs everyone up and lists the products, while nothing goes wrong.
    pub(crate) async fn settle(shop: Shop, aws: Aws) -> Self {
        let admin =
            Newcomer { full_name: "Admin".into(), email: "admin@cartwright.test".into(), username: None };
        if shop.sign_up(&admin).await.status == 201 {
            shop.confirm(&admin).await.is(200);
        }
        let people = at_once(BUYERS + 2, |number| {
            let shop = shop.clone();
            async move { shop.person(if number < 2 { "Seller" } else { "Buyer" }).await }
        });
        let mut people = people.await;
        let buyers = people.split_off(2).into_iter().map(|person| Buyer { id: person.id(), person });
        let town = Self {
            history: Arc::default(),
            buyers: Arc::new(buyers.collect()),
            sellers: Arc::new(people),
            products: Arc::default(),
            store: Arc::from(""),
            coupons: Arc::default(),
            leavers: Arc::default(),
            unclear: Arc::default(),
            undeleted: Arc::default(),
            shop,
            aws,
        };
        let store =
            town.sellers[0].post("/stores", &json!({ "name": tests::shop::unique("Tea") })).await.is(201);
        let town = Self { store: Arc::from(store["id"].as_str().expect("an id")), ..town };
        let open = json!({ "status": "published" });
        town.sellers[0].put(&town.status_path(), &open).await.is(200);
        let products = at_once(PRODUCTS, |number| {
            let town = town.clone();
            async move {
                let stock = if number == 0 { 25 } else { 60 };
                let name = format!("thing {number}");
                let product = match number {
                    0 | 1 | 3 | 5 => town.lists(number % 2, product().named(&name).stock(stock)).await,
                    _ => town.lists(0, town.of_the_store(&name, stock)).await,
                };
                (number % 2, product)
            }
        });
        let mut coupons = Vec::new();
        for (name, rules) in [("ALL", json!({ "limit": 30 })), ("EACH", json!({ "perCustomer": 3 }))] {
            let code = tests::shop::unique(name).replace(' ', "-").to_uppercase();
            let mut coupon = json!({ "code": code, "kind": "percent", "value": 10 });
            coupon.as_object_mut().expect("an object").extend(rules.as_object().expect("rules").clone());
            town.shop.admin().await.post("/coupons", &coupon).await.is(201);
            coupons.push(code);
        }
        Self { products: Arc::new(products.await), coupons: Arc::new(coupons), ..town }
    }

    /// A product that is in the store.
    pub(crate) fn of_the_store(&self, name: &str, stock: u32) -> NewProduct {
        product().named(name).stock(stock).with("storeId", json!(*self.store))
    }

    fn status_path(&self) -> String {
        format!("/stores/{}/status", self.store)
    }

    /// A new product for sale, in the books.
    pub(crate) async fn lists(&self, seller: usize, new: NewProduct) -> Product {
        let (person, stock) = (&self.sellers[seller], new.body["quantity"].as_i64().expect("a quantity"));
        let is_in_the_store = new.body["storeId"].is_string();
        let listed = person.lists(new).await;
        self.shop.upload(&listed.upload_url, "image/png", RED_PNG.to_vec()).await;
        while person.own(&listed).await.is_none_or(|own| !own["waitingPicture"].is_object()) {
            sleep(millis(100)).await;
        }
        let approval = format!("{}/approval", listed.path());
        self.shop.admin().await.put(&approval, &json!({ "approved": true })).await.is(200);
        self.history.listed(&listed.id, stock);
        if is_in_the_store {
            self.history.put_into_the_store(&listed.id);
        }
        listed
    }

    /// Asks for a purchase once and notes the answer.
    pub(crate) async fn ask(&self, key: &str) -> Answered {
        let purchase = self.history.purchase(key).expect("a purchase");
        let now = Instant::now();
        self.history.note(key, |purchase| purchase.asked_at = purchase.asked_at.or(Some(now)));
        let request = match &purchase.guest {
            Some(guest) => {
                self.shop.request(Method::POST, purchase.asked.path).header("cart-token", &guest.cart)
            }
            None => self.person(&purchase.buyer).request(Method::POST, purchase.asked.path),
        };
        let answer = request.header("idempotency-key", key).json(&purchase.asked.body).send().await;
        self.note_answer(key, &answer)
    }

    /// Somebody who buys, by the id.
    fn person(&self, id: &str) -> Person {
        let leavers = self.leavers();
        let leavers = leavers.iter().map(|leaver| &leaver.buyer);
        let found = self.buyers.iter().chain(leavers).find(|buyer| buyer.id == id);
        found.map(|buyer| buyer.person.clone()).expect("its buyer")
    }

    fn note_answer(&self, key: &str, answer: &Answer) -> Answered {
        let answered = match answer.status {
            201 => Answered::Placed(answer.body["orderId"].as_str().unwrap_or_default().to_owned()),
            status @ (408 | 429 | 500..) => Answered::Unknown(status),
            status => Answered::Refused(status),
        };
        let token = answer.body["orderToken"].as_str().map(str::to_owned);
        self.history.note(key, |purchase| {
            purchase.answers.push(answered.clone());
            if let Answered::Placed(_) = answered {
                purchase.placed_at.get_or_insert(Instant::now());
            }
            if let (Some(guest), Some(token)) = (&mut purchase.guest, token) {
                guest.token = Some(token);
            }
        });
        self.note_payment(key, &answer.body["payment"]["paymentId"]);
        answered
    }

    pub(crate) fn note_cancelled(&self, key: &str, answer: &Answer) -> u16 {
        let is_processing =
            answer.body["type"].as_str().is_some_and(|kind| kind.ends_with(":payment-processing"));
        let cancelled = match answer.status {
            200 => Cancelled::Done,
            409 if is_processing => Cancelled::MoneyOnItsWay,
            409 => Cancelled::OnItsWay,
            status => Cancelled::Unknown(status),
        };
        self.history.note(key, |purchase| purchase.cancels.push(cancelled));
        answer.status
    }

    /// The same for an admin, who cancels whatever is not wanted in the shop.
    async fn withdraw(&self, key: &str, order: &str) {
        let path = format!("/admin/orders/{order}/cancel");
        let answer = self.shop.admin().await.request(Method::POST, &path).send().await;
        self.note_cancelled(key, &answer);
    }

    /// Says of an order what its seller says, or an admin where there are several; and notes the answer.
    pub(crate) async fn say(&self, purchase: &Purchase, order: &str, word: Word) {
        let owner = |id: &str| self.products.iter().find(|(_, product)| product.id == id).map(|(it, _)| *it);
        let mut owners: Vec<_> = purchase.lines.iter().map(|(id, _)| owner(id)).collect();
        owners.dedup();
        let person = match owners.as_slice() {
            [Some(seller)] => &self.sellers[*seller],
            _ => self.shop.admin().await,
        };
        let body = match word {
            Word::Shipped => {
                json!({ "status": "shipped", "carrier": "DHL", "trackingNumber": purchase.key })
            }
            Word::Delivered => json!({ "status": "delivered" }),
        };
        let status = person.put(&format!("/orders/{order}/status"), &body).await.status;
        self.history.note(&purchase.key, |purchase| purchase.said.push((word, status)));
    }

    /// Each of several sellers sends the own parcel of an order, and a few refuse it.
    async fn send_parts(&self, draws: &mut Draws, purchase: &Purchase, order: &str) {
        let owner = |id: &str| self.products.iter().find(|(_, product)| product.id == id).map(|(it, _)| *it);
        let owners: BTreeSet<usize> = purchase.lines.iter().filter_map(|(id, _)| owner(id)).collect();
        for owner in owners {
            let word = if draws.chance(2_500) { "refused" } else { "shipped" };
            let seller = &self.sellers[owner];
            let path = format!("/seller/orders/{order}/status");
            let status = seller.put(&path, &json!({ "status": word })).await.status;
            let note = (seller.id(), (word, status));
            self.history.note(&purchase.key, |purchase| purchase.parcels.push(note));
        }
    }

    /// Ships what waits for a person, says of some that they arrived, and cancels a few as the admin.
    async fn fulfil(self, seed: u64, done: Arc<AtomicBool>) {
        let mut draws = Draws::new(seed, "fulfilling");
        while !done.load(Ordering::Relaxed) {
            self.pause(&done, 120).await;
            let placed = self.history.placed();
            let Some((key, order)) = placed.get(draws.below(placed.len())) else { continue };
            let purchase = self.history.purchase(key).expect("a purchase");
            if purchase.left_alone {
                continue;
            }
            match draws.weighted(&[(6, 's'), (3, 'd'), (1, 'c')]).unwrap_or('s') {
                'c' => self.withdraw(key, order).await,
                'd' => self.say(&purchase, order, Word::Delivered).await,
                _ => {
                    let stored = stored(&self.aws, order).await;
                    // What the workflow ships has no number, and what is not paid yet is not to be sent.
                    if stored["manual"]["BOOL"] == true && !awaits(&stored) {
                        if is_of_several(&stored) && draws.chance(6_000) {
                            self.send_parts(&mut draws, &purchase, order).await;
                        } else {
                            self.say(&purchase, order, Word::Shipped).await;
                        }
                    }
                }
            }
        }
    }

    /// Asks for something to be gone until that has a clear answer, or leaves it for later.
    async fn delete(&self, deletion: Deletion) {
        for _ in 0..PATIENCE {
            if self.try_to_delete(&deletion).await {
                return;
            }
            sleep(millis(100)).await;
        }
        self.undeleted.lock().await.push(deletion);
    }

    /// Whether a clear answer came: it is gone, or was.
    async fn try_to_delete(&self, deletion: &Deletion) -> bool {
        let answer = deletion.person.request(Method::DELETE, &deletion.path).send().await;
        let is_gone = [204, 404].contains(&answer.status);
        if is_gone {
            self.history.deleted(&deletion.key);
        }
        is_gone
    }

    /// Closes the store now and then for a moment, and opens it again.
    async fn keep_the_store(self, seed: u64, done: Arc<AtomicBool>) {
        let mut draws = Draws::new(seed, "storekeeper");
        while !done.load(Ordering::Relaxed) {
            self.pause(&done, 1_500 + draws.below(2_500)).await;
            let closed = json!({ "status": "deactivated" });
            if self.sellers[0].put(&self.status_path(), &closed).await.status == 200 {
                self.history.closed(Instant::now());
                self.pause(&done, 300 + draws.below(900)).await;
            }
            // Also where no answer said that it is closed: it may be.
            while !self.opens_the_store().await && !done.load(Ordering::Relaxed) {
                sleep(millis(100)).await;
            }
        }
    }

    /// Whether it is answered that the store is open.
    pub(crate) async fn opens_the_store(&self) -> bool {
        self.history.may_be_open(Instant::now());
        self.sellers[0].put(&self.status_path(), &json!({ "status": "published" })).await.status == 200
    }

    /// Goes about its business under the seed until so many orders are placed, which are sent by hand or not, or until
    /// the time is over. Gives how many were.
    pub(crate) async fn live(&self, seed: u64, orders: usize, by_hand: bool, most: Duration) -> usize {
        let done = Arc::new(AtomicBool::new(false));
        let placed = Arc::new(AtomicUsize::new(0));
        let mut others = JoinSet::new();
        for seller in 0..self.sellers.len() {
            others.spawn(self.clone().sell(seller, seed, Arc::clone(&done)));
        }
        others.spawn(self.clone().administer(seed, Arc::clone(&done)));
        others.spawn(self.clone().fulfil(seed, Arc::clone(&done)));
        others.spawn(self.clone().give_back(seed, Arc::clone(&done)));
        others.spawn(self.clone().review(seed, Arc::clone(&done)));
        others.spawn(self.clone().keep_the_store(seed, Arc::clone(&done)));
        others.spawn(self.clone().leave(seed, by_hand, Arc::clone(&done)));
        others.spawn(self.clone().sweep(Arc::clone(&done)));
        others.spawn(self.clone().deliver_again(seed, Arc::clone(&done)));
        others.spawn(self.clone().watch(Arc::clone(&done)));
        let mut buyers = JoinSet::new();
        let deadline = Instant::now() + most;
        for number in 0..self.buyers.len() {
            buyers.spawn(self.clone().buy(number, seed, orders, Arc::clone(&placed), deadline));
        }
        buyers.join_all().await;
        done.store(true, Ordering::Relaxed);
        others.join_all().await;
        placed.load(Ordering::Relaxed)
    }

    async fn buy(self, number: usize, seed: u64, orders: usize, placed: Arc<AtomicUsize>, deadline: Instant) {
        let mut draws = Draws::new(seed, &format!("buyer {number}"));
        let buyer = self.buyers[number].clone();
        for count in 0.. {
            if placed.load(Ordering::Relaxed) >= orders || Instant::now() > deadline {
                return;
            }
            let key = format!("buyer-{seed}-{number}-{count}");
            let way = draws.weighted(&Way::WEIGHTS).unwrap_or(Way::Order);
            if self.begin(&mut draws, number, &key, way).await.is_none() {
                sleep(millis(draws.below(150))).await;
                continue;
            }
            let mut answered = self.ask(&key).await;
            let mut again = 1;
            while !answered.is_clear() && again < PATIENCE {
                let wait = if answered == Answered::Unknown(429) { 2_000 } else { 50 + draws.below(400) };
                sleep(millis(wait)).await;
                answered = self.ask(&key).await;
                again += 1;
            }
            match answered {
                Answered::Placed(order) => {
                    placed.fetch_add(1, Ordering::Relaxed);
                    if draws.chance(1_500) {
                        // The client repeats what was answered: a lost reply on its own side.
                        self.ask(&key).await;
                    }
                    if way.is_a_guests() && draws.chance(2_500) {
                        self.claim(&key, &order, &buyer.id).await;
                    }
                    if way.is_by_card() {
                        self.pay(&mut draws, &key, &order).await;
                    }
                    if draws.chance(2_000) {
                        sleep(millis(draws.below(80))).await;
                        self.cancel_of(&key, &order).await;
                    }
                }
                Answered::Refused(_) => sleep(millis(draws.below(150))).await,
                Answered::Unknown(_) => {
                    let gives_up = draws.chance(3_000);
                    self.history.note(&key, |purchase| purchase.given_up = gives_up);
                }
            }
        }
    }

    /// One to three products, often the scarce one.
    pub(crate) fn basket(&self, draws: &mut Draws) -> Vec<(String, i64)> {
        let mut lines: Vec<(String, i64)> = Vec::new();
        for _ in 0..1 + draws.below(3) {
            let number = if draws.chance(2_500) { 0 } else { draws.below(self.products.len()) };
            let id = self.products[number].1.id.clone();
            let pieces = i64::try_from(1 + draws.below(3)).unwrap_or(1);
            if lines.iter().all(|(other, _)| *other != id) {
                lines.push((id, pieces));
            }
        }
        lines
    }

    async fn sell(self, seller: usize, seed: u64, done: Arc<AtomicBool>) {
        let mut draws = Draws::new(seed, &format!("seller {seller}"));
        let person = self.sellers[seller].clone();
        let own: Vec<_> =
            self.products.iter().enumerate().filter(|(_, (owner, _))| *owner == seller).collect();
        for count in 0.. {
            if done.load(Ordering::Relaxed) {
                return;
            }
            let (number, (_, product)) = own[draws.below(own.len())];
            let what = draws.weighted(&[(6, 'a'), (1, 'd'), (1, 'p'), (2, 'i'), (2, 'm'), (1, 'x')]);
            let what = what.unwrap_or('a');
            match what {
                'a' => {
                    let shown = self.shop.get(&product.path()).await;
                    let left = shown.body["quantity"].as_i64().unwrap_or(100);
                    let pieces = match number {
                        0 if left == 0 && draws.chance(3_000) => 1 + draws.below(3),
                        0 => 0,
                        _ if left < 40 => 10 + draws.below(40),
                        _ => 0,
                    };
                    if pieces > 0 {
                        let body = json!({ "add": pieces });
                        self.change_stock(
                            seller,
                            product,
                            "stock",
                            &format!("{seed}-{count}"),
                            &body,
                            i64::try_from(pieces).unwrap_or(0),
                        )
                        .await;
                    }
                }
                'd' => {
                    let number = format!("{seed}-{count}");
                    self.change_stock(seller, product, "deduct", &number, &json!({ "quantity": 1 }), -1)
                        .await;
                }
                'p' => {
                    // Less than half of it would take the product off sale.
                    let price = 10 + draws.below(10);
                    person.put(&product.path(), &json!({ "productPrice": price })).await;
                }
                'x' => self.lists_and_deletes(&person, &mut draws).await,
                'm' => self.changes_pictures(&person, product, &mut draws).await,
                _ => {
                    let picture = if draws.chance(5_000) { RED_PNG } else { BLUE_PNG };
                    let path = format!("{}/upload-url", product.path());
                    let asked =
                        person.post(&path, &json!({ "fileName": "new.png", "fileType": "image/png" })).await;
                    self.upload(&asked, "index-product-image", picture, draws.chance(3_000)).await;
                }
            }
            sleep(millis(100 + draws.below(500))).await;
        }
    }

    /// Adds a picture, puts the last one first, or deletes one, whatever it is.
    async fn changes_pictures(&self, person: &Person, product: &Product, draws: &mut Draws) {
        let path = format!("{}/pictures", product.path());
        if draws.chance(5_000) {
            let file = json!({ "fileName": "more.png", "fileType": "image/png" });
            let added = person.post(&path, &file).await;
            return self.upload(&added, "index-product-image", BLUE_PNG, draws.chance(3_000)).await;
        }
        let page = person.get(&format!("/users/me{}", product.path())).await;
        let pictures = page.body["pictures"].as_array().into_iter().flatten();
        let mut ids: Vec<_> = pictures.filter_map(|picture| picture["id"].as_str()).collect();
        if ids.is_empty() {
            return;
        }
        if draws.chance(5_000) {
            ids.rotate_right(1);
            person.put(&path, &json!({ "pictures": ids })).await;
        } else {
            let one = format!("{path}/{}", ids[draws.below(ids.len())]);
            person.request(Method::DELETE, &one).send().await;
        }
    }

    /// Lists a product that is deleted again, be its picture there by then or on its way.
    async fn lists_and_deletes(&self, person: &Person, draws: &mut Draws) {
        let listed = person.post("/products", &product().named("passing").body).await;
        let Some(id) = listed.body["id"].as_str() else { return };
        self.upload(&listed, "index-product-image", RED_PNG, draws.chance(3_000)).await;
        sleep(millis(draws.below(1_500))).await;
        let path = format!("/products/{id}");
        self.delete(Deletion { person: person.clone(), path, key: id.to_owned() }).await;
    }

    /// Uploads to the URL that was answered, if one was, and lets S3 tell of it twice if asked to.
    async fn upload(&self, asked: &Answer, indexer: &str, picture: &[u8], twice: bool) {
        let Some(url) = asked.body["uploadUrl"].as_str().or(asked.body["uploadURL"].as_str()) else { return };
        let status = self.shop.upload(url, "image/png", picture.to_vec()).await;
        if status == 200 && twice {
            self.aws.invoke(indexer, &events::uploaded(&self.aws, url)).await;
        }
    }

    async fn change_stock(
        &self,
        seller: usize,
        product: &Product,
        route: &str,
        number: &str,
        body: &Value,
        pieces: i64,
    ) {
        let change = StockChange {
            seller,
            path: format!("{}/{route}", product.path()),
            key: format!("seller-{seller}-{number}"),
            body: body.clone(),
            product: product.id.clone(),
            pieces,
        };
        for _ in 0..PATIENCE {
            if self.try_to_change_stock(&change).await {
                return;
            }
            sleep(millis(100)).await;
        }
        self.unclear.lock().await.push(change);
    }

    /// Whether a clear answer came.
    async fn try_to_change_stock(&self, change: &StockChange) -> bool {
        let request = self.sellers[change.seller].request(Method::PUT, &change.path);
        let answer = request.header("idempotency-key", &change.key).json(&change.body).send().await;
        match answer.status {
            200 => self.history.stock_changed(&change.product, change.pieces),
            408 | 429 | 500.. => return false,
            _ => {}
        }
        true
    }

    async fn administer(self, seed: u64, done: Arc<AtomicBool>) {
        let mut draws = Draws::new(seed, "admin");
        while !done.load(Ordering::Relaxed) {
            self.approve_what_waits(&mut draws).await;
            let name = format!("category {}", draws.below(5));
            let body = json!({ "fileName": "new.png", "fileType": "image/png", "categoryName": name });
            let admin = self.shop.admin().await;
            let category = base64_url(&name);
            self.history.made_again(&category);
            let asked = admin.post("/categories/upload-url", &body).await;
            self.upload(&asked, "index-category-image", RED_PNG, draws.chance(3_000)).await;
            let body = json!({ "fileName": "new.png", "fileType": "image/png" });
            let asked = admin.post("/banners/upload-url", &body).await;
            self.upload(&asked, "index-banner-image", BLUE_PNG, draws.chance(3_000)).await;
            self.pause(&done, 500 + draws.below(1_500)).await;
            if draws.chance(3_000) {
                let path = format!("/categories/{}", name.replace(' ', "%20"));
                self.delete(Deletion { person: admin.clone(), path, key: category }).await;
            }
            if let Some(id) = asked.body["id"].as_str().filter(|_| draws.chance(5_000)) {
                let path = format!("/banners/{id}");
                self.delete(Deletion { person: admin.clone(), path, key: id.to_owned() }).await;
            }
            self.pause(&done, 1_000).await;
        }
    }

    /// Decides on the new pictures of what is for sale as they are on the admins' list, which may be different by then.
    async fn approve_what_waits(&self, draws: &mut Draws) {
        let admin = self.shop.admin().await;
        let pending = admin.get("/products/pending?limit=100").await;
        let waiting = pending.body["products"].as_array().into_iter().flatten();
        for product in waiting.filter(|product| product["isApproved"] == true) {
            let path = format!("/products/{}/approval", product["id"].as_str().unwrap_or_default());
            let request = admin.request(Method::PUT, &path).json(&json!({ "approved": true }));
            let seen = format!("\"{}\"", product["version"]);
            let request = if draws.chance(5_000) { request.header("if-match", &seen) } else { request };
            let answer = request.send().await;
            assert!(matches!(answer.status, 200 | 404 | 409 | 412 | 500..), "{path}: {}", answer.status);
        }
    }

    async fn sweep(self, done: Arc<AtomicBool>) {
        while !done.load(Ordering::Relaxed) {
            self.pause(&done, 6_000).await;
            // A minute after everything that was placed by now has fallen due.
            let later = Duration::from_mins(3);
            for function in ["sweep-orders", "sweep-payments"] {
                self.aws.invoke(function, &events::scheduled(later)).await;
            }
            for function in ["clean-up-products", "clean-up-categories"] {
                self.aws.invoke(function, &events::scheduled(Duration::ZERO)).await;
            }
        }
    }

    /// Delivers messages again, as SQS may hours later. Those of orders that are owed nothing any more: others it would
    /// help along.
    async fn deliver_again(self, seed: u64, done: Arc<AtomicBool>) {
        let mut draws = Draws::new(seed, "duplicates");
        while !done.load(Ordering::Relaxed) {
            self.pause(&done, 400).await;
            let placed = self.history.placed();
            let Some((_, order)) = placed.get(draws.below(placed.len())) else { continue };
            let kinds = ["order.confirmed", "order.shipping", "order.delivered", "order.cancelled"];
            let kind = kinds.get(draws.below(8));
            let what = draws.below(4);
            if !is_settled(&self.aws, order).await {
                continue;
            }
            match kind {
                Some(kind) => {
                    self.aws.send_message("EmailsQueueUrl", &json!({ "kind": kind, "id": order })).await;
                }
                None if what == 0 => self.tell_again_that_it_ships(order).await,
                None if what == 1 => self.tell_again_what_stripe_told(order, &mut draws).await,
                None if what == 2 => {
                    self.aws.send_message("PaymentsQueueUrl", &json!({ "orderId": order })).await;
                }
                None => self.aws.send_message("OrdersQueueUrl", &json!({ "orderId": order })).await,
            }
        }
    }

    /// Tells of an order that ships as the topic did before, if it did.
    async fn tell_again_that_it_ships(&self, order: &str) {
        let item = stored(&self.aws, order).await;
        if text(&item, "status") == "shipping" && has_left(&self.aws, order).await {
            let event = events::shipped(order, &text(&item, "updatedAt"));
            self.aws.send_message("StockQueueUrl", &event).await;
        }
    }

    /// Has Stripe tell something of an order again that it told before, if it did.
    async fn tell_again_what_stripe_told(&self, order: &str, draws: &mut Draws) {
        let told = self.shop.get(&format!("/local/stripe.json?of={order}")).await;
        let ids: Vec<_> =
            told.body["deliveries"].as_array().into_iter().flatten().map(|one| &one["event"]).collect();
        if let Some(id) = ids.get(draws.below(ids.len())).and_then(|id| id.as_str()) {
            self.at_stripe("events", id, &json!({ "do": "deliver" })).await;
        }
    }

    async fn watch(self, done: Arc<AtomicBool>) {
        while !done.load(Ordering::Relaxed) {
            self.look_at_the_stock().await;
            self.pause(&done, 1_000).await;
        }
    }

    async fn look_at_the_stock(&self) {
        for item in readable(scan(&self.aws, "OffersTable").await) {
            let lowest = number(&item, "quantity").min(number(&item, "promised"));
            self.history.saw_stock(&text(&item, "productId"), lowest);
        }
    }

    pub(crate) async fn pause(&self, done: &AtomicBool, milliseconds: usize) {
        let end = Instant::now() + millis(milliseconds);
        while Instant::now() < end && !done.load(Ordering::Relaxed) {
            sleep(millis(100)).await;
        }
    }

    /// When all is well again: everybody asks again for what they had no clear answer to. That they get one now is
    /// another invariant.
    pub(crate) async fn ask_again(&self) {
        if !self.opens_the_store().await && !self.opens_the_store().await {
            self.history.left_unanswered("PUT the store's status");
        }
        for purchase in self.history.purchases() {
            if !purchase.is_clear() && !purchase.given_up {
                self.ask_until_clear(&purchase.key).await;
            }
        }
        for purchase in self.history.purchases() {
            if let (Some(person), Some(order)) = (purchase.claimed_in_vain(), purchase.order()) {
                self.claim(&purchase.key, order, person).await;
            }
        }
        for purchase in self.history.purchases().iter().filter(|purchase| !purchase.knows_if_cancelled()) {
            let Some(order) = purchase.order() else { continue };
            self.cancel_of(&purchase.key, order).await;
        }
        for (key, given_back) in self.history.given_back().iter().filter(|(_, it)| !it.is_clear()) {
            self.ask_back(key, &given_back.payment, &given_back.body).await;
        }
        for purchase in self.history.purchases() {
            if let (Some(word), Some(order)) = (purchase.said_in_vain(), purchase.order()) {
                self.say(&purchase, order, word).await;
            }
        }
        for deletion in self.undeleted.lock().await.drain(..) {
            if !self.try_to_delete(&deletion).await && !self.try_to_delete(&deletion).await {
                self.history.left_unanswered(&format!("DELETE {}", deletion.path));
            }
        }
        for change in self.unclear.lock().await.drain(..) {
            if !self.try_to_change_stock(&change).await && !self.try_to_change_stock(&change).await {
                self.history.left_unanswered(&format!("{} with {}", change.path, change.key));
            }
        }
    }

    async fn ask_until_clear(&self, key: &str) {
        for _ in 0..5 {
            match self.ask(key).await {
                Answered::Unknown(429) => sleep(Duration::from_secs(15)).await,
                Answered::Unknown(_) => sleep(millis(300)).await,
                _ => return,
            }
        }
    }
}

pub(crate) fn millis(count: usize) -> Duration {
    Duration::from_millis(u64::try_from(count).unwrap_or(u64::MAX))
}
