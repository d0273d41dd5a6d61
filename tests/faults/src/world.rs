//! What there is in the end: the tables, the mailbox, the bucket and the dead-letter queues, read behind the shop's
//! back.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tests::aws::Aws;
use tests::logs::count_in_logs;
use tests::shop::{Mail, Shop};

use crate::unreadable;

/// An order as the table has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Order {
    pub buyer: String,
    pub status: String,
    /// The products and how many pieces of each.
    pub lines: Vec<(String, i64)>,
    /// The statuses it had, oldest first.
    pub history: Vec<String>,
    /// Whether the total is that of its lines.
    pub adds_up: bool,
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
}

impl Order {
    /// Whether its offers hold its pieces for it.
    pub(crate) fn holds_pieces(&self) -> bool {
        self.status != "cancelled" && !self.handed_over
    }

    /// Whether it waits for a person to ship it, and for nothing else.
    pub(crate) fn waits(&self) -> bool {
        self.status == "pending" && self.manual && !self.is_due
    }
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

/// A product, a category or a banner, as far as its picture and its lists go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    /// `products`, as in the bucket's keys.
    pub kind: &'static str,
    /// As in the bucket's keys.
    pub key: String,
    /// What its offer should say; none for a category or a banner.
    pub terms: Option<Terms>,
    /// The key of its picture in the bucket, that everyone sees.
    pub image: Option<String>,
    /// The key of the picture that waits for an admin.
    pub waiting: Option<String>,
    /// The keys of all that it says there is of both.
    pub objects: BTreeSet<String>,
    /// The lists it is on, by its indexes' keys.
    pub lists: BTreeMap<&'static str, String>,
    /// The lists it should be on, by everything else that it says.
    pub should_be_on: BTreeMap<&'static str, String>,
}

/// All of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    /// By id.
    pub orders: BTreeMap<String, Order>,
    /// By id or name.
    pub shown: BTreeMap<String, Shown>,
    /// By the product's id.
    pub offers: BTreeMap<String, Offer>,
    /// The order that each idempotency key was answered with, by the record's own key.
    pub records: BTreeMap<String, String>,
    /// The emails about each order: kinds, in the order they went out.
    pub emails: BTreeMap<String, Vec<EmailKind>>,
    /// What their buyers' logs say of each order: kinds of events, oldest first.
    pub told: BTreeMap<String, Vec<String>>,
    /// How many emails were counted as possibly sent twice.
    pub counted_duplicates: usize,
    /// The keys in the bucket.
    pub objects: BTreeSet<String>,
    /// The bodies in the dead-letter queues, by queue.
    pub dead_letters: Vec<(&'static str, String)>,
}

/// What an email says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum EmailKind {
    Confirmed,
    Shipping,
    Delivered,
    Cancelled,
}

impl EmailKind {
    fn of(mail: &Mail) -> Option<Self> {
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
    /// Reads everything.
    pub(crate) async fn read(aws: &Aws, shop: &Shop) -> Self {
        let mut world = Self::default();
        for item in readable(scan(aws, "OrdersTable").await) {
            world.orders.insert(text(&item, "orderId"), order(&item));
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
        for item in scan(aws, "GuardsTable").await {
            let id = text(&item, "guardId");
            if let Some(whose) = PLACING.iter().find_map(|placing| id.strip_prefix(placing)) {
                let answer: Value = text(&item, "answer").parse().unwrap_or_default();
                world
                    .records
                    .insert(whose.to_owned(), answer["orderId"].as_str().unwrap_or_default().to_owned());
            }
        }
        let mailbox = shop.get("/local/emails.json").await.is(200);
        let mails: Vec<Mail> = serde_json::from_value(mailbox).expect("a mailbox");
        for mail in mails.iter().rev() {
            if let (Some(kind), Some(order)) = (EmailKind::of(mail), order_of(mail)) {
                world.emails.entry(order).or_default().push(kind);
            }
        }
        let mut log = scan(aws, "ActivityTable").await;
        log.sort_by_key(|entry| text(entry, "at"));
        for entry in log.iter().filter(|entry| text(entry, "kind").starts_with("order.")) {
            world.told.entry(text(entry, "subject")).or_default().push(text(entry, "kind"));
        }
        world.counted_duplicates = count_in_logs("send-email", "PossibleDuplicateEmail");
        for folder in ["uploads/", "checked/", "images/"] {
            world.objects.extend(aws.keys_under(folder).await);
        }
        for queue in [
            "OrdersDeadLetterQueueUrl",
            "EmailsDeadLetterQueueUrl",
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

/// An order's item.
pub(crate) async fn stored(aws: &Aws, order: &str) -> Value {
    aws.item("OrdersTable", ("orderId", order)).await
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

fn list<'a>(item: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    item[name]["L"].as_array().into_iter().flatten().map(|entry| &entry["M"])
}

fn order(item: &Value) -> Order {
    let cost = |line: &Value| number(line, "unitPrice") * number(line, "quantity");
    Order {
        buyer: text(item, "userId"),
        status: text(item, "status"),
        lines: list(item, "lines").map(|line| (text(line, "productId"), number(line, "quantity"))).collect(),
        history: list(item, "history").map(|entry| text(entry, "status")).collect(),
        adds_up: list(item, "lines").map(cost).sum::<i64>() == number(item, "total"),
        is_due: item.get("due").is_some() || item.get("dueAt").is_some(),
        handed_over: item["handedOver"]["BOOL"] == true,
        manual: item["manual"]["BOOL"] == true,
        tracking: item["shipment"]["M"]["trackingNumber"]["S"].as_str().map(str::to_owned),
        is_open: item.get("open").is_some(),
    }
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
    for name in ["approved", "approvedCategory", "pending", "listed", "sweep"] {
        lists.extend(get(name).map(|value| (name, value)));
    }
    let image = get("imageUrl").map(|url| key_of(&url));
    let placed = &item["waitingPicture"]["M"]["placed"]["M"];
    let path = |value: &Value| value["S"].as_str().map(|path| format!("checked/{path}"));
    let waiting = path(&placed["picture"]);
    let each = |images: &Value| -> Vec<Value> {
        images["M"].as_object().into_iter().flatten().map(|(_, value)| value.clone()).collect()
    };
    let mut objects: BTreeSet<String> = image.iter().chain(&waiting).cloned().collect();
    objects.extend(each(&item["images"]).iter().filter_map(|url| Some(key_of(url["S"].as_str()?))));
    objects.extend(each(&placed["renditions"]).iter().filter_map(path));
    let mut should_be_on = BTreeMap::new();
    if item.get("sweepAt").is_some() {
        should_be_on.insert("sweep", "pictures".to_owned());
    }
    match kind {
        "products" if item["isApproved"]["BOOL"] == true => {
            should_be_on.insert("approved", "approved".to_owned());
            should_be_on.insert("approvedCategory", text(item, "category"));
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
        "products" => {}
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
fn order_of(mail: &Mail) -> Option<String> {
    let (_, id) = mail.text.rsplit_once("\nOrder ")?.1.split_once('(')?;
    Some(id.chars().take_while(|c| c.is_ascii_hexdigit() || *c == '-').collect())
}
