//! What there is in the end: the tables, the mailbox, the bucket and the dead-letter queues, read behind the shop's
//! back.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ::tests::aws::Aws;
use ::tests::logs::count_in_logs;
use ::tests::shop::{Mail, Shop};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::books::Books;
use crate::inboxes::Inbox;
use crate::leaving::Left;
use crate::reviews::{Reviews, had};
use crate::sales::Sales;
use crate::texts;
use crate::unreadable;

/// An order as the table has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Order {
    pub buyer: String,
    /// Where mail about it goes to.
    pub email: String,
    pub status: String,
    /// The products and how many pieces of each.
    pub lines: Vec<(String, i64)>,
    /// The same of each of its sellers.
    pub sold_by: BTreeMap<String, Vec<(String, i64)>>,
    /// The statuses it had, oldest first.
    pub history: Vec<String>,
    /// What it costs.
    pub total: i64,
    /// Whether the total is that of its lines, its coupon, its way and its taxes.
    pub adds_up: bool,
    /// Why it is over, if it is.
    pub reason: Option<String>,
    /// Whether it is paid by card.
    pub by_card: bool,
    /// What it knows of its money, if that comes by card or has come at the door.
    pub paying: Option<Paying>,
    /// What it counts as given back of each product.
    pub back: BTreeMap<String, Back>,
    /// The products of it that its buyer has.
    pub had: BTreeSet<String>,
    /// What it counted of a coupon.
    pub coupon: Option<UsedCoupon>,
    /// Whether it is still in the index `due`.
    pub is_due: bool,
    /// Whether its pieces have left.
    pub handed_over: bool,
    /// Whether a person ships it.
    pub manual: bool,
    /// The number by which its parcel can be followed.
    pub tracking: Option<String>,
    /// Whether it is on the list of those that are pending.
    pub is_open: bool,
    /// How far each seller's parcel is, where it is sent in parts.
    pub parcels: BTreeMap<String, String>,
    /// What is not paid of it at the door, since it was refused.
    pub waived: i64,
}

impl Order {
    /// Whether it is sent in parts.
    pub(crate) fn is_in_parcels(&self) -> bool {
        !self.parcels.is_empty()
    }

    /// How many parcels are so far.
    pub(crate) fn parcels_that_are(&self, status: &str) -> usize {
        self.parcels.values().filter(|parcel| *parcel == status).count()
    }

    /// The products whose seller does not send them.
    pub(crate) fn refused(&self) -> BTreeSet<&str> {
        let refused = self.parcels.iter().filter(|(_, status)| *status == "refused");
        let lines = refused.filter_map(|(seller, _)| self.sold_by.get(seller)).flatten();
        lines.map(|(product, _)| product.as_str()).collect()
    }

    /// The lines that are sent, or will be.
    pub(crate) fn kept_lines(&self) -> impl Iterator<Item = &(String, i64)> {
        let refused = self.refused();
        self.lines.iter().filter(move |(product, _)| !refused.contains(product.as_str()))
    }

    /// Whether its offers hold its pieces for it.
    pub(crate) fn holds_pieces(&self) -> bool {
        self.status != "cancelled" && !self.handed_over
    }

    /// Whether nobody with an account bought it, or has claimed it.
    pub(crate) fn is_a_guests(&self) -> bool {
        self.buyer.starts_with("guest#")
    }

    /// Whether it waits for a person to ship it, and for nothing else.
    pub(crate) fn waits(&self) -> bool {
        self.status == "pending" && self.manual && !self.is_due
    }
}

/// What an order knows of its money.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Paying {
    pub paid: i64,
    pub refunding: i64,
    pub refunded: i64,
    /// The attempt that counts.
    pub counts: String,
    /// All attempts, the oldest first.
    pub attempts: Vec<String>,
}

/// Pieces of a product that went back, or are to, and what was paid for them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Back {
    pub pieces: i64,
    pub amount: i64,
}

impl Back {
    fn of(item: &Value, pieces: &str) -> Self {
        Self { pieces: number(item, pieces), amount: number(item, "amount") }
    }
}

/// A coupon as an order used it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct UsedCoupon {
    pub code: String,
    /// Whether it was counted.
    pub in_all: bool,
    /// As whose use it was counted, if it was.
    pub customer: Option<String>,
}

/// An attempt to pay, with all that was written down of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Payment {
    pub order: String,
    pub buyer: String,
    /// Where it is paid: `cash` at the door.
    pub kind: String,
    pub status: String,
    pub captured: i64,
    pub refundable: i64,
    pub refunding: i64,
    pub refunded: i64,
    /// Why its money went back at once, if it did.
    pub outcome: Option<String>,
    /// What came, and below zero what went, by its fact: `charge:pi_…`.
    pub ledger: BTreeMap<String, i64>,
    /// What was given back, by its id.
    pub refunds: BTreeMap<String, Refund>,
}

impl Payment {
    /// What came and has not gone.
    pub(crate) fn kept(&self) -> i64 {
        self.ledger.values().sum()
    }

    /// Whether the carrier took it, so that Stripe knows nothing of it.
    pub(crate) fn is_cash(&self) -> bool {
        self.kind == "cash"
    }

    /// What could not go back, or came again: a person gives it back in another way.
    pub(crate) fn failed(&self) -> i64 {
        let failed = self.refunds.values().filter(|refund| refund.status == "failed");
        failed.map(|refund| refund.amount).sum()
    }
}

/// A refund as the table has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Refund {
    pub amount: i64,
    pub status: String,
    /// For which pieces of the order's products it is; for none in particular where there are none.
    pub share: BTreeMap<String, Back>,
    /// Whether somebody gave it back in a way that Stripe knows nothing of.
    pub outside: bool,
    /// Whether a letter of its own tells its buyer.
    pub is_told: bool,
    /// Whether an admin asked for it.
    pub by_admin: bool,
    /// Whether it is still in the index `due`.
    pub is_due: bool,
}

/// A coupon.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Coupon {
    pub used: i64,
    /// As often as it may be used in all, where that is limited.
    pub limit: Option<i64>,
}

/// Mail about an order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Letter {
    pub order: String,
    pub to: String,
    /// What it says.
    pub text: String,
}

/// On which terms a product is sold, as its offer says or as its own item does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Terms {
    pub name: String,
    pub price: i64,
    pub is_for_sale: bool,
}

/// An offer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Offer {
    pub quantity: i64,
    pub promised: i64,
    pub terms: Terms,
}

/// A product, a category, a banner, or a picture of a store, as far as its picture and its lists go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    /// `products`, as in the bucket's keys.
    pub kind: &'static str,
    /// As in the bucket's keys.
    pub key: String,
    /// What its offer should say; none for a category or a banner.
    pub terms: Option<Terms>,
    /// The key of its picture in the bucket, that everyone sees; of several, of the first.
    pub image: Option<String>,
    /// The keys of all its pictures in the bucket that everyone sees, in their order; none for one that is yet to come.
    pub pictures: Vec<Option<String>>,
    /// The key of the picture that waits for an admin, of several of one of them.
    pub waiting: Option<String>,
    /// The keys of all that it says there is of both.
    pub objects: BTreeSet<String>,
    /// The lists it is on, by its indexes' keys.
    pub lists: BTreeMap<&'static str, String>,
    /// The lists it should be on, by everything else that it says.
    pub should_be_on: BTreeMap<&'static str, String>,
}

/// A store, with all that says whether it can be ordered from and seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Store {
    pub status: String,
    /// Whether it was published once.
    pub was_published: bool,
    /// Whether each of its gates is open.
    pub gates: Vec<bool>,
    /// Whether it is among those that are hidden.
    pub is_hidden: bool,
}

/// All of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    /// By id.
    pub orders: BTreeMap<String, Order>,
    /// What each seller has of an order, by the order's id and then the seller's.
    pub of_sellers: BTreeMap<String, BTreeMap<String, Vec<(String, i64)>>>,
    /// Who has to send something of an order, by the order's id and then the seller's.
    pub to_send: BTreeSet<(String, String)>,
    /// Of which parcels a letter is still owed, likewise.
    pub owed_parcels: BTreeSet<(String, String)>,
    /// By id or name.
    pub shown: BTreeMap<String, Shown>,
    /// By the product's id.
    pub offers: BTreeMap<String, Offer>,
    /// By id.
    pub stores: BTreeMap<String, Store>,
    /// The order that each idempotency key was answered with, by the record's own key.
    pub records: BTreeMap<String, String>,
    /// The emails about each order: kinds, in the order they went out.
    pub emails: BTreeMap<String, Vec<EmailKind>>,
    /// The same, as they were sent.
    pub letters: Vec<Letter>,
    /// By id.
    pub payments: BTreeMap<String, Payment>,
    /// Stripe's own books.
    pub stripe: Books,
    /// By code.
    pub coupons: BTreeMap<String, Coupon>,
    /// How often each customer used a coupon, by `{code}#{customer}`.
    pub uses: BTreeMap<String, i64>,
    /// What their buyers' logs say of each order: kinds of events, oldest first.
    pub told: BTreeMap<String, Vec<String>>,
    /// What people were told, by the person.
    pub inboxes: BTreeMap<String, Inbox>,
    /// How many texts went to each number.
    pub texts: BTreeMap<String, usize>,
    /// What is said of products, and who has bought them.
    pub reviews: Reviews,
    /// What was counted of sales and of what waits.
    pub sales: Sales,
    /// How many emails were counted as possibly sent twice.
    pub counted_duplicates: usize,
    /// What the search index says otherwise than the tables: how, and of which product.
    pub misindexed: Vec<(&'static str, String)>,
    /// The files that its pointer names.
    pub index: BTreeSet<String>,
    /// The keys in the buckets.
    pub objects: BTreeSet<String>,
    /// The bodies in the dead-letter queues, by queue.
    pub dead_letters: Vec<(&'static str, String)>,
    /// What is left of those who would leave, by the person's id.
    pub left: BTreeMap<String, Left>,
}

/// What an email says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum EmailKind {
    Confirmed,
    Shipping,
    Delivered,
    Cancelled,
    /// Some of the money went back.
    Refunded,
    /// A part of it is on its way.
    PartSent,
    /// A part of it is not sent.
    PartRefused,
}

impl EmailKind {
    fn of(mail: &Mail) -> Option<Self> {
        if mail.subject.starts_with("You get ") {
            return Some(Self::Refunded);
        }
        if mail.subject.starts_with("Part of your order is on its way") {
            return Some(Self::PartSent);
        }
        if mail.subject.starts_with("We cannot send ") {
            return Some(Self::PartRefused);
        }
        let ends = [
            ("confirmed", Self::Confirmed),
            ("now shipping", Self::Shipping),
            ("has arrived", Self::Delivered),
            ("cancelled", Self::Cancelled),
        ];
        ends.into_iter().find(|(end, _)| mail.subject.ends_with(end)).map(|(_, kind)| kind)
    }
}

/// What the records of placed orders begin with.
const PLACING: [&str; 2] = ["idempotency#create-order#", "idempotency#check-out-cart#"];

impl World {
    /// Whether there is no account of this person any more.
    pub(crate) fn is_gone(&self, person: &str) -> bool {
        self.left.get(person).is_some_and(Left::is_gone)
    }

    /// Reads everything but what is left of people.
    pub(crate) async fn read(aws: &Aws, shop: &Shop) -> Self {
        let mut world = Self::default();
        for item in readable(scan(aws, "OrdersTable").await) {
            world.orders.insert(text(&item, "orderId"), order(&item));
        }
        for item in scan(aws, "SellerOrdersTable").await {
            let of_order = world.of_sellers.entry(text(&item, "orderId")).or_default();
            of_order.insert(text(&item, "sellerId"), list(&item, "lines").map(line).collect());
            let name = (text(&item, "orderId"), text(&item, "sellerId"));
            if item.get("due").is_some() || item.get("dueAt").is_some() {
                world.owed_parcels.insert(name.clone());
            }
            if item.get("open").is_some() {
                world.to_send.insert(name);
            }
        }
        for (kind, table) in
            [("products", "ProductsTable"), ("categories", "CategoriesTable"), ("banners", "BannersTable")]
        {
            for item in readable(scan(aws, table).await) {
                let shown = shown(kind, &item);
                world.shown.insert(shown.key.clone(), shown);
            }
        }
        for item in readable(scan(aws, "OffersTable").await) {
            world.offers.insert(text(&item, "productId"), offer(&item));
        }
        let of_stores = scan(aws, "StoresTable").await;
        for picture in of_stores.iter().flat_map(pictures) {
            let shown = shown("stores", &picture);
            world.shown.insert(shown.key.clone(), shown);
        }
        world.stores = stores(&of_stores);
        for item in scan(aws, "GuardsTable").await {
            let id = text(&item, "guardId");
            if let Some(whose) = PLACING.iter().find_map(|placing| id.strip_prefix(placing)) {
                let answer: Value = text(&item, "answer").parse().unwrap_or_default();
                world
                    .records
                    .insert(whose.to_owned(), answer["orderId"].as_str().unwrap_or_default().to_owned());
            }
        }
        world.payments = payments(&scan(aws, "PaymentsTable").await);
        world.stripe = Books::of(&shop.get("/local/stripe.json").await.is(200));
        for item in scan(aws, "CouponsTable").await {
            let (id, used) = (text(&item, "couponId"), number(&item, "used"));
            if item.get("rules").is_some() {
                let limit = item["rules"]["M"]["limit"]["N"].as_str().and_then(|limit| limit.parse().ok());
                world.coupons.insert(id, Coupon { used, limit });
            } else {
                world.uses.insert(id, used);
            }
        }
        let mailbox = shop.get("/local/emails.json").await.is(200);
        let mails: Vec<Mail> = serde_json::from_value(mailbox).expect("a mailbox");
        for mail in mails.iter().rev() {
            if let (Some(kind), Some(order)) = (EmailKind::of(mail), order_of(mail)) {
                let letter = Letter { order: order.clone(), to: mail.to.clone(), text: mail.text.clone() };
                world.letters.push(letter);
                world.emails.entry(order).or_default().push(kind);
            }
        }
        let mut log = scan(aws, "ActivityTable").await;
        log.sort_by_key(|entry| text(entry, "at"));
        for entry in log.iter().filter(|entry| text(entry, "kind").starts_with("order.")) {
            world.told.entry(text(entry, "subject")).or_default().push(text(entry, "kind"));
        }
        world.inboxes = Inbox::read_all(aws).await;
        world.texts = texts::read_all(shop).await;
        world.reviews = Reviews::read(aws).await;
        world.sales = Sales::read(aws).await;
        world.counted_duplicates = count_in_logs("send-email", "PossibleDuplicateEmail");
        let pointer = aws.item("SearchTable", ("searchId", "index#1")).await;
        world.index = files_of(&pointer);
        let verified = aws.run_asked("reindex-products", Duration::ZERO, &Value::Null).await;
        for kind in ["missing", "extra", "stale"] {
            let ids = verified[kind]["ids"].as_array().into_iter().flatten().filter_map(Value::as_str);
            world.misindexed.extend(ids.map(|id| (kind, id.to_owned())));
        }
        for folder in ["uploads/", "checked/", "images/", "index/"] {
            world.objects.extend(aws.keys_under(folder).await);
        }
        for queue in [
            "OrdersDeadLetterQueueUrl",
            "EmailsDeadLetterQueueUrl",
            "MessagesDeadLetterQueueUrl",
            "InboxDeadLetterQueueUrl",
            "ExportsDeadLetterQueueUrl",
            "PaymentsDeadLetterQueueUrl",
            "PurchasesDeadLetterQueueUrl",
            "RatingsDeadLetterQueueUrl",
            "RefundsDeadLetterQueueUrl",
            "SalesDeadLetterQueueUrl",
            "StockDeadLetterQueueUrl",
            "UploadsDeadLetterQueueUrl",
        ] {
            let bodies = aws.messages_in(queue).await;
            world.dead_letters.extend(bodies.into_iter().map(|body| (queue, body)));
        }
        world
    }
}

/// Every item of a table of the stack.
pub(crate) async fn scan(aws: &Aws, table: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut input = json!({ "TableName": aws.output(table), "ConsistentRead": true });
    loop {
        let page = aws.json("dynamodb", "DynamoDB_20120810.Scan", input.clone()).await;
        items.extend(page["Items"].as_array().into_iter().flatten().cloned());
        match page.get("LastEvaluatedKey") {
            Some(last) => input["ExclusiveStartKey"] = last.clone(),
            None => return items,
        }
    }
}

/// Without the items that nobody can read, which were put there on purpose.
pub(crate) fn readable(items: Vec<Value>) -> impl Iterator<Item = Value> {
    items.into_iter().filter(|item| !unreadable::is_one(item))
}

/// Why money goes back that an admin asks for. What a refused parcel gives back says by whom as well.
const BY_ADMINS: [&str; 3] = ["requested_by_customer", "duplicate", "fraudulent"];

/// Why a refund has a letter of its own. Of the money of a cancelled order another one tells.
const TOLD: [&str; 5] = ["requested_by_customer", "duplicate", "fraudulent", "late", "elsewhere"];

/// The attempts to pay, by the items of their table.
fn payments(items: &[Value]) -> BTreeMap<String, Payment> {
    let mut payments: BTreeMap<String, Payment> = BTreeMap::new();
    for item in items {
        let (id, entry) = (text(item, "paymentId"), text(item, "entry"));
        // Whose an intent is stands under the intent.
        if entry == "pointer" {
            continue;
        }
        let payment = payments.entry(id).or_default();
        if let Some(fact) = entry.strip_prefix("ledger#") {
            payment.ledger.insert(fact.to_owned(), number(item, "amount"));
        } else if let Some(refund) = entry.strip_prefix("refund#") {
            let of_table = Refund {
                amount: number(item, "amount"),
                status: text(item, "status"),
                share: backs(&item["share"]["M"], "pieces"),
                outside: is_true(item, "outside"),
                is_told: is_true(item, "counts") && TOLD.contains(&text(item, "reason").as_str()),
                by_admin: item.get("by").is_some() && BY_ADMINS.contains(&text(item, "reason").as_str()),
                is_due: item.get("due").is_some() || item.get("dueAt").is_some(),
            };
            payment.refunds.insert(refund.to_owned(), of_table);
        } else {
            let (ledger, refunds) =
                (std::mem::take(&mut payment.ledger), std::mem::take(&mut payment.refunds));
            *payment = Payment {
                order: text(item, "orderId"),
                buyer: text(item, "userId"),
                kind: text(item, "kind"),
                status: text(item, "status"),
                captured: number(item, "captured"),
                refundable: number(item, "refundable"),
                refunding: number(item, "refunding"),
                refunded: number(item, "refunded"),
                outcome: item["outcome"]["S"].as_str().map(str::to_owned),
                ledger,
                refunds,
            };
        }
    }
    payments
}

/// An order's item.
pub(crate) async fn stored(aws: &Aws, order: &str) -> Value {
    aws.item("OrdersTable", ("orderId", order)).await
}

/// An attempt to pay.
pub(crate) async fn attempt(aws: &Aws, payment: &str) -> Value {
    let key = json!({ "paymentId": { "S": payment }, "entry": { "S": "payment" } });
    let input = json!({ "TableName": aws.output("PaymentsTable"), "Key": key, "ConsistentRead": true });
    aws.json("dynamodb", "DynamoDB_20120810.GetItem", input).await["Item"].take()
}

/// Whether nothing is owed to an order any more.
pub(crate) async fn is_settled(aws: &Aws, order: &str) -> bool {
    stored(aws, order).await.get("due").is_none()
}

/// Whether the pieces of an order are nobody's promise any more: it was cancelled, or they have left.
pub(crate) async fn has_left(aws: &Aws, order: &str) -> bool {
    let order = stored(aws, order).await;
    text(&order, "status") == "cancelled" || order["handedOver"]["BOOL"] == true
}

/// Whether an order awaits its payment.
pub(crate) fn awaits(order: &Value) -> bool {
    text(order, "status") == "awaiting_payment"
}

/// Whether an order waits for a person to ship it.
pub(crate) fn waits(order: &Value) -> bool {
    text(order, "status") == "pending" && order["manual"]["BOOL"] == true
}

/// A text of an item; empty if there is none.
pub(crate) fn text(item: &Value, name: &str) -> String {
    item[name]["S"].as_str().unwrap_or_default().to_owned()
}

/// A whole number of an item; zero if there is none.
pub(crate) fn number(item: &Value, name: &str) -> i64 {
    item[name]["N"].as_str().and_then(|number| number.parse().ok()).unwrap_or_default()
}

pub(crate) fn list<'a>(item: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    item[name]["L"].as_array().into_iter().flatten().map(|entry| &entry["M"])
}

/// Whether a total is what its parts say. Of lines alone there are no amounts.
fn adds_up(item: &Value) -> bool {
    let cost = |line: &Value| number(line, "unitPrice") * number(line, "quantity");
    let of_lines: i64 = list(item, "lines").map(cost).sum();
    let Some(amounts) = item.get("amounts").map(|amounts| &amounts["M"]) else {
        return of_lines == number(item, "total");
    };
    let [items, discount, shipping, tax, included] =
        ["items", "discount", "shipping", "tax", "taxIncluded"].map(|name| number(amounts, name));
    // A line of its price alone has no amounts either.
    let off: i64 = list(item, "lines").map(|line| number(&line["amounts"]["M"], "discount")).sum();
    of_lines == items
        && off == discount
        && items - discount + shipping + tax - included == number(item, "total")
        && [items, discount, shipping, tax, included].iter().all(|amount| *amount >= 0)
}

fn paying(item: &Value) -> Option<Paying> {
    let payment = &item.get("payment")?["M"];
    let ids = payment["attempts"]["L"].as_array().into_iter().flatten();
    Some(Paying {
        paid: number(payment, "paid"),
        refunding: number(payment, "refunding"),
        refunded: number(payment, "refunded"),
        counts: text(payment, "paymentId"),
        attempts: ids.filter_map(|id| id["S"].as_str()).map(str::to_owned).collect(),
    })
}

/// What of each product went back, by an order or by a refund. What is in a return and not refunded is none of it.
fn backs(of: &Value, pieces: &str) -> BTreeMap<String, Back> {
    let lines = list(of, "lines").map(|line| (text(line, "offerId"), Back::of(line, pieces)));
    lines.filter(|(_, back)| *back != Back::default()).collect()
}

fn used_coupon(item: &Value) -> Option<UsedCoupon> {
    let coupon = &item.get("coupon")?["M"];
    let counted = &coupon["counted"]["M"];
    let customer = coupon["customer"]["S"].as_str().map_or_else(|| text(item, "userId"), str::to_owned);
    Some(UsedCoupon {
        code: text(coupon, "code"),
        in_all: is_true(counted, "inAll"),
        customer: is_true(counted, "byCustomer").then_some(customer),
    })
}

fn is_true(item: &Value, name: &str) -> bool {
    item[name]["BOOL"] == true
}

fn line(item: &Value) -> (String, i64) {
    (text(item, "productId"), number(item, "quantity"))
}

fn sold_by(item: &Value) -> BTreeMap<String, Vec<(String, i64)>> {
    let mut sold_by: BTreeMap<String, Vec<(String, i64)>> = BTreeMap::new();
    for sold in list(item, "lines") {
        sold_by.entry(text(sold, "sellerId")).or_default().push(line(sold));
    }
    sold_by
}

fn order(item: &Value) -> Order {
    let last = list(item, "history").last();
    Order {
        buyer: text(item, "userId"),
        email: text(&item["contact"]["M"], "email"),
        status: text(item, "status"),
        lines: list(item, "lines").map(line).collect(),
        sold_by: sold_by(item),
        history: list(item, "history").map(|entry| text(entry, "status")).collect(),
        total: number(item, "total"),
        adds_up: adds_up(item),
        reason: last.and_then(|entry| entry["reason"]["S"].as_str()).map(str::to_owned),
        by_card: text(item, "paymentMethod") == "card",
        paying: paying(item),
        back: backs(&item["back"]["M"], "refunded"),
        had: had(item),
        coupon: used_coupon(item),
        is_due: item.get("due").is_some() || item.get("dueAt").is_some(),
        handed_over: item["handedOver"]["BOOL"] == true,
        manual: item["manual"]["BOOL"] == true,
        tracking: item["shipment"]["M"]["trackingNumber"]["S"].as_str().map(str::to_owned),
        is_open: item.get("open").is_some(),
        parcels: parcels(item),
        waived: number(item, "waived"),
    }
}

/// The two pictures of a store, each as a thing by itself; none of what is no store.
fn pictures(item: &Value) -> Vec<Value> {
    let (id, is_store) = (text(item, "storeId"), text(item, "entry") == "store");
    let of = |which: &str| {
        let mut picture = item[which]["M"].clone();
        picture["id"] = json!({ "S": format!("{id}.{which}") });
        picture
    };
    if is_store { ["logo", "banner"].map(of).into() } else { Vec::new() }
}

/// An id's sixteen bytes as text.
fn hyphenated(id: &[u8]) -> String {
    let mut text: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    for at in [20, 16, 12, 8] {
        if text.len() >= at {
            text.insert(at, '-');
        }
    }
    text
}

/// All stores, with their gates and their places among the hidden.
fn stores(items: &[Value]) -> BTreeMap<String, Store> {
    let mut stores: BTreeMap<String, Store> = BTreeMap::new();
    let hidden = items.iter().filter(|item| text(item, "storeId").starts_with("hidden#"));
    let hidden: BTreeSet<String> = hidden
        .flat_map(|set| set["stores"]["BS"].as_array().into_iter().flatten())
        .filter_map(|id| STANDARD.decode(id.as_str()?).ok())
        .map(|id| hyphenated(&id))
        .collect();
    for item in items {
        let (id, entry) = (text(item, "storeId"), text(item, "entry"));
        if entry == "store" {
            let store = stores.entry(id.clone()).or_default();
            store.status = text(item, "status");
            store.was_published = item.get("firstPublishedAt").is_some();
            store.is_hidden = hidden.contains(&id);
        } else if entry.starts_with("gate#") {
            stores.entry(id).or_default().gates.push(item["open"]["BOOL"] == true);
        }
    }
    stores
}

fn parcels(item: &Value) -> BTreeMap<String, String> {
    let parcels = item["parcels"]["M"].as_object().into_iter().flatten();
    parcels.map(|(seller, parcel)| (seller.clone(), text(&parcel["M"], "status"))).collect()
}

fn offer(item: &Value) -> Offer {
    let terms = Terms {
        name: text(item, "productName"),
        price: number(item, "price"),
        is_for_sale: item["forSale"]["BOOL"] == true,
    };
    Offer { quantity: number(item, "quantity"), promised: number(item, "promised"), terms }
}

fn shown(kind: &'static str, item: &Value) -> Shown {
    let get = |name: &str| Some(text(item, name)).filter(|text| !text.is_empty());
    let mut lists = BTreeMap::new();
    for name in ["approved", "approvedCategory", "approvedStore", "pending", "listed", "sweep"] {
        lists.extend(get(name).map(|value| (name, value)));
    }
    let image_of = |one: &Value| one["imageUrl"]["S"].as_str().map(key_of);
    let path = |value: &Value| value["S"].as_str().map(|path| format!("checked/{path}"));
    let placed = |one: &Value| one["waitingPicture"]["M"]["placed"]["M"].clone();
    // One stands in the item's own attributes, some of the others before it.
    let mut all: Vec<_> = list(item, "morePictures").cloned().collect();
    let before = usize::try_from(number(item, "picturesBefore")).unwrap_or_default().min(all.len());
    all.insert(before, item.clone());
    let image = image_of(item);
    let pictures: Vec<_> = all.iter().map(image_of).collect();
    let mut waiting = all.iter().filter_map(|one| path(&placed(one)["picture"]));
    let waiting = waiting.next();
    let each = |images: &Value| -> Vec<Value> {
        images["M"].as_object().into_iter().flatten().map(|(_, value)| value.clone()).collect()
    };
    let mut objects: BTreeSet<String> = pictures.iter().flatten().cloned().collect();
    for one in &all {
        objects.extend(path(&placed(one)["picture"]));
        objects.extend(each(&one["images"]).iter().filter_map(|url| Some(key_of(url["S"].as_str()?))));
        objects.extend(each(&placed(one)["renditions"]).iter().filter_map(path));
    }
    let mut should_be_on = BTreeMap::new();
    if item.get("sweepAt").is_some() {
        should_be_on.insert("sweep", "pictures".to_owned());
    }
    match kind {
        "products" if item["isApproved"]["BOOL"] == true => {
            should_be_on.insert("approved", "approved".to_owned());
            should_be_on.insert("approvedCategory", text(item, "category"));
            should_be_on.extend(get("storeId").map(|store| ("approvedStore", store)));
            if waiting.is_some() {
                should_be_on.insert("pending", "approval".to_owned());
            }
        }
        "products" if objects.is_empty() && item.get("wasDecided").is_none() => {
            should_be_on.insert("pending", "image".to_owned());
        }
        "products" if item.get("rejectionReason").is_none() => {
            should_be_on.insert("pending", "approval".to_owned());
        }
        "products" | "stores" => {}
        // A banner is in the index `listed` once it has a picture; a category waits in `pending` until then.
        _ if image.is_some() => drop(should_be_on.insert("listed", "listed".to_owned())),
        "categories" => drop(should_be_on.insert("pending", "image".to_owned())),
        _ => {}
    }
    Shown {
        kind,
        key: match kind {
            "categories" => base64_url(&text(item, "categoryName")),
            _ => text(item, "id"),
        },
        terms: (kind == "products").then(|| Terms {
            name: text(item, "productName"),
            price: number(item, "productPrice"),
            is_for_sale: item["isApproved"]["BOOL"] == true,
        }),
        image,
        pictures,
        waiting,
        objects,
        lists,
        should_be_on,
    }
}

/// The key of what is at a URL that everyone may read.
fn key_of(url: &str) -> String {
    format!("images/{}", url.split_once("/images/").map_or(url, |(_, path)| path))
}

/// As the keys of the bucket have a category's name.
pub(crate) fn base64_url(name: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(name)
}

/// The order that an email is about: a line of its text is `Order {number} ({id})`.
/// The first objects of the files that the pointer of the index names.
fn files_of(pointer: &Value) -> BTreeSet<String> {
    let deltas = pointer["deltas"]["L"].as_array().into_iter().flatten();
    let ids = deltas.chain([&pointer["base"]]).filter_map(|file| file["M"]["id"]["S"].as_str());
    ids.map(|id| format!("index/{id}/0")).collect()
}

fn order_of(mail: &Mail) -> Option<String> {
    let (_, id) = mail.text.rsplit_once("\nOrder ")?.1.split_once('(')?;
    Some(id.chars().take_while(|c| c.is_ascii_hexdigit() || *c == '-').collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(fields: &[(&str, i64)]) -> Value {
        let fields =
            fields.iter().map(|(name, number)| ((*name).to_owned(), json!({ "N": number.to_string() })));
        json!({ "M": fields.collect::<serde_json::Map<_, _>>() })
    }

    /// Two pieces at 4.50 and one at 1.00, a tenth off the first two, 4.90 for sending, a tax on top.
    fn an_order() -> Value {
        let mut tea = numbers(&[("unitPrice", 450), ("quantity", 2)]);
        tea["M"]["amounts"] = numbers(&[("discount", 90), ("tax", 81), ("total", 891)]);
        let mug = numbers(&[("unitPrice", 100), ("quantity", 1)]);
        let amounts =
            [("items", 1_000), ("discount", 90), ("shipping", 490), ("tax", 140), ("taxIncluded", 0)];
        json!({
            "lines": { "L": [tea, mug] },
            "amounts": numbers(&amounts),
            "total": { "N": "1540" },
        })
    }

    #[test]
    fn an_order_adds_up_with_its_coupon_its_way_and_its_taxes() {
        assert!(adds_up(&an_order()));
        for (place, wrong) in [
            ("/total/N", "1541"),
            ("/amounts/M/items/N", "1001"),
            ("/amounts/M/discount/N", "91"),
            ("/amounts/M/shipping/N", "489"),
            ("/amounts/M/tax/N", "141"),
            ("/amounts/M/taxIncluded/N", "1"),
            ("/lines/L/0/M/quantity/N", "3"),
            ("/lines/L/0/M/amounts/M/discount/N", "0"),
        ] {
            let mut order = an_order();
            *order.pointer_mut(place).unwrap() = json!(wrong);
            assert!(!adds_up(&order), "{place}");
        }
        let mut of_lines = an_order();
        of_lines.as_object_mut().unwrap().remove("amounts");
        of_lines["total"] = json!({ "N": "1000" });
        assert!(adds_up(&of_lines));
    }

    #[test]
    fn a_payment_is_read_with_its_ledger_and_its_refunds_in_whatever_order_they_come() {
        let own = |entry: &str, fields: Value| {
            let mut item = fields;
            item["paymentId"] = json!({ "S": "p" });
            item["entry"] = json!({ "S": entry });
            item
        };
        let charge = own("ledger#charge:pi_1", json!({ "amount": { "N": "900" } }));
        let back = own("ledger#refund:re_1", json!({ "amount": { "N": "-100" } }));
        let refund = own(
            "refund#r",
            json!({ "amount": { "N": "100" }, "status": { "S": "accepted" }, "by": { "S": "admin" },
                "reason": { "S": "duplicate" } }),
        );
        let attempt = own(
            "payment",
            json!({ "orderId": { "S": "o" }, "userId": { "S": "ann" }, "status": { "S": "captured" },
                "captured": { "N": "900" }, "refundable": { "N": "800" }, "refunded": { "N": "100" } }),
        );
        let pointer = json!({ "paymentId": { "S": "intent#pi_1" }, "entry": { "S": "pointer" } });
        let items = [back, refund, attempt, charge, pointer];
        let read = payments(&items);
        assert_eq!(read, payments(&items.iter().rev().cloned().collect::<Vec<_>>()));
        assert_eq!(read.keys().collect::<Vec<_>>(), ["p"]);
        assert_eq!((read["p"].kept(), read["p"].captured, read["p"].failed()), (800, 900, 0));
        let refund = Refund { amount: 100, status: "accepted".into(), by_admin: true, ..Refund::default() };
        assert_eq!(read["p"].refunds, [("r".to_owned(), refund)].into());
    }

    #[test]
    fn a_store_is_read_with_its_gates_and_whether_it_is_hidden() {
        let id = "01a1fc3e-6c1e-7a0b-8f0d-2b9f6a7c1d10";
        let bytes: Vec<u8> = (0..16)
            .map(|at| {
                let hex: String = id.chars().filter(|c| *c != '-').skip(2 * at).take(2).collect();
                u8::from_str_radix(&hex, 16).unwrap()
            })
            .collect();
        let entry = |name: &str| json!({ "storeId": { "S": id }, "entry": { "S": name } });
        let mut store = entry("store");
        store["status"] = json!({ "S": "deactivated" });
        store["firstPublishedAt"] = json!({ "S": "2026-11-29T12:04:00.000Z" });
        let mut gate = entry("gate#3");
        gate["open"] = json!({ "BOOL": true });
        let set = json!({
            "storeId": { "S": "hidden#0" }, "entry": { "S": "hidden" }, "stores": { "BS": [STANDARD.encode(bytes)] }
        });
        let name =
            json!({ "storeId": { "S": "teahouse" }, "entry": { "S": "#name" }, "holder": { "S": id } });
        let read =
            Store { status: "deactivated".into(), was_published: true, gates: vec![true], is_hidden: true };
        assert_eq!(
            stores(&[set.clone(), gate.clone(), name, store.clone()]),
            [(id.to_owned(), read.clone())].into()
        );
        store["logo"] = json!({ "M": { "imageUrl": { "S": format!("https://shop.test/images/stores/{id}.logo/1/a.png") } } });
        let [logo, banner] = &pictures(&store)[..] else { panic!("two pictures") };
        let (logo, banner) = (shown("stores", logo), shown("stores", banner));
        assert_eq!(logo.objects, [format!("images/stores/{id}.logo/1/a.png")].into());
        assert_eq!(
            (banner.key, banner.objects, banner.should_be_on),
            (format!("{id}.banner"), [].into(), [].into())
        );
        let alone = Store { is_hidden: false, gates: vec![], ..read };
        assert_eq!(stores(&[store]), [(id.to_owned(), alone)].into());
    }

    #[test]
    fn what_went_back_is_read_without_what_is_only_in_a_return() {
        let line = |id: &str, pieces: i64, amount: i64| {
            json!({ "M": {
                "offerId": { "S": id }, "refunded": { "N": pieces.to_string() },
                "amount": { "N": amount.to_string() }, "returned": { "N": "3" },
            } })
        };
        let back = json!({ "lines": { "L": [line("tea", 2, 900), line("jam", 0, 0)] } });
        assert_eq!(backs(&back, "refunded"), [("tea".to_owned(), Back { pieces: 2, amount: 900 })].into());
    }

    #[test]
    fn a_product_has_what_each_of_its_pictures_refers_to() {
        let (url, text) = (
            |name: &str| json!({ "S": format!("https://shop/images/p/{name}") }),
            |text: &str| json!({ "S": text }),
        );
        let waiting = json!({ "M": { "placed": { "M": {
            "picture": text("p/c"), "renditions": { "M": { "small": text("p/s") } }
        } } } });
        let item = json!({
            "id": text("tea"), "imageUrl": url("b"), "images": { "M": { "small": url("b.320") } },
            "isApproved": { "BOOL": true }, "picturesBefore": { "N": "1" },
            "morePictures": { "L": [{ "M": { "waitingPicture": waiting } }, { "M": { "imageUrl": url("d") } }] },
        });
        let read = shown("products", &item);
        let key = |name: &str| Some(format!("images/p/{name}"));
        assert_eq!(read.pictures, [None, key("b"), key("d")]);
        assert_eq!((read.image, read.waiting.as_deref()), (key("b"), Some("checked/p/c")));
        let objects = ["checked/p/c", "checked/p/s", "images/p/b", "images/p/b.320", "images/p/d"];
        assert_eq!(read.objects, objects.map(str::to_owned).into());
        assert_eq!(read.should_be_on["pending"], "approval");
    }

    #[test]
    fn what_an_order_counted_of_its_coupon_is_its_customers() {
        let used = |customer: Value| {
            let mut coupon = json!({ "M": {
                "code": { "S": "HALF" },
                "counted": { "M": { "inAll": { "BOOL": true }, "byCustomer": { "BOOL": true } } },
            } });
            if !customer.is_null() {
                coupon["M"]["customer"] = customer;
            }
            used_coupon(&json!({ "userId": { "S": "ann" }, "coupon": coupon })).unwrap()
        };
        assert_eq!(used(Value::Null).customer.as_deref(), Some("ann"));
        assert_eq!(used(json!({ "S": "guest#gus" })).customer.as_deref(), Some("guest#gus"));
    }
}
