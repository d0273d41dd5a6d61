//! What publish-events makes of a change is what `infra/api/events.yaml` says of it.

use std::collections::BTreeSet;

use activity::Kind;
use boon::{Compiler, Draft, Schemas};
use events::{Event, Sources};
use inbox::telling::Happened;
use orders::events::OrderEvent;
use serde_json::{Value, json};
use shared::run::aws::canned::item;
use shared::run::aws::{Aws, FromEnv};
use shared::run::worker::Change;
use tests::template::{Template, text, yaml};
use webhooks::EventType;

const ORDER: &str = "01a1fbbc-f982-7d04-8367-8c1b9055f3fd";
const PRODUCT: &str = "01a1fbbc-f7cc-71a0-aa66-431f703e44ea";
const STORE: &str = "01a1fc3e-6c1e-7a0b-8f0d-2b9f6a7c1d10";
const NOON: &str = "2026-11-21T12:00:00.000Z";
const LATER: &str = "2026-11-21T12:05:00.000Z";

fn change(id: &str, table: &str, old: &Value, new: &Value) -> Change {
    serde_json::from_value(json!({
        "eventID": id, "eventName": "MODIFY", "awsRegion": "eu-central-1",
        "eventSourceARN": format!("arn:aws:dynamodb:eu-central-1:1:table/{table}/stream/2026-11-21T00:00:00.000"),
        "dynamodb": { "Keys": {}, "OldImage": item(old), "NewImage": item(new), "SequenceNumber": "1", "SizeBytes": 1 }
    }))
    .expect("a record of a stream")
}

fn order(history: &[(&str, Option<&str>)]) -> Value {
    let entries: Value = history
        .iter()
        .map(|(status, reason)| match reason {
            None => json!({ "status": status, "at": NOON }),
            Some(reason) => json!({ "status": status, "at": NOON, "reason": reason }),
        })
        .collect();
    let line = json!({
        "offerId": PRODUCT, "productId": PRODUCT, "productName": "Tea", "unitPrice": 525, "quantity": 2, "sellerId": "b0b"
    });
    json!({
        "orderId": ORDER, "userId": "5d0c", "contact": { "email": "ann@example.com", "fullName": "Ann" },
        "schemaVersion": 1, "status": history.last().expect("a status").0, "paymentMethod": "cash_on_delivery",
        "lines": [line], "total": 1050, "currency": "USD", "createdAt": NOON, "updatedAt": NOON, "history": entries
    })
}

fn product(is_approved: bool, reason: Option<&str>) -> Value {
    let mut product = json!({
        "id": PRODUCT, "ownerId": "5d0c", "email": "ann@example.com", "fileName": "tea.png", "productName": "Tea",
        "productPrice": 525, "currency": "USD", "description": "Green", "category": "Drinks",
        "isApproved": is_approved, "createdAt": NOON, "updatedAt": LATER, "version": 1
    });
    if let Some(reason) = reason {
        product["rejectionReason"] = reason.into();
    }
    product
}

fn submitted() -> Value {
    let mut product = product(false, None);
    product["wasDecided"] = true.into();
    product
}

fn offer(pieces: u32) -> Value {
    json!({
        "offerId": PRODUCT, "productId": PRODUCT, "productName": "Tea", "price": 525, "currency": "USD",
        "quantity": pieces, "forSale": true, "sellerId": "b0b", "schemaVersion": 1
    })
}

/// An order that is sent in parts.
fn in_parcels(one: &str, other: &str) -> Value {
    let mut order = order(&[("pending", None)]);
    order["parcels"] =
        json!({ "b0b": { "status": one, "at": LATER }, "e5e": { "status": other, "at": LATER } });
    order
}

/// An order that is on its way, of which so much goes back.
fn paid_back(refunding: u32) -> Value {
    let mut order = order(&[("pending", None), ("shipping", None)]);
    order["payment"] = json!({
        "paid": 1050, "refunding": refunding, "refunded": 0, "paymentId": ORDER, "attempts": [ORDER]
    });
    order
}

fn of_a_guest() -> Value {
    let mut order = order(&[("pending", None)]);
    order["userId"] = format!("guest#{ORDER}").into();
    order
}

fn review(with: &Value) -> Value {
    let mut review = json!({
        "productId": PRODUCT, "userId": "5d0c", "stars": 4, "text": "Tea for Ann.", "verified": true, "createdAt": NOON,
        "updatedAt": LATER, "version": 1, "schemaVersion": 1
    });
    review.as_object_mut().expect("an item").extend(with.as_object().cloned().unwrap_or_default());
    review
}

fn totals(fives: u32) -> Value {
    json!({ "productId": PRODUCT, "userId": "#totals", "stars5": fives, "version": fives, "schemaVersion": 1 })
}

fn store(status: &str, by: Option<&str>) -> Value {
    let mut store = json!({
        "storeId": STORE, "entry": "store", "ownerId": "5d0c", "name": "Tea house", "nameKey": "teahouse",
        "supportEmail": "help@example.com", "status": status, "logo": {}, "banner": {}, "createdAt": NOON,
        "updatedAt": LATER, "version": 2, "schemaVersion": 1
    });
    if let Some(by) = by {
        store["deactivatedBy"] = by.into();
    }
    store
}

fn profile(with: &Value) -> Value {
    let mut profile = json!({
        "userId": "5d0c", "email": "ann@example.com", "fullName": "Ann Lee", "username": "Ann_Lee", "createdAt": NOON
    });
    profile.as_object_mut().expect("an item").extend(with.as_object().cloned().unwrap_or_default());
    profile
}

/// An entry of a person's mail.
fn mail(entry: &str) -> Value {
    json!({
        "about": "5d0c6a7e-2b0f-4f0e-9c68-3fd12c0b7a94", "entry": entry, "at": NOON, "email": "ann@example.com",
        "subject": "Your Tea", "text": "Dear Ann"
    })
}

async fn sources() -> Sources {
    let aws = Aws::from_env().expect("a way to AWS");
    let variables = [
        ("STAGE", Some("local")),
        ("MAIL_TABLE", Some("Mail")),
        ("OFFERS_TABLE", Some("Offers")),
        ("ORDERS_TABLE", Some("Orders")),
        ("PRODUCTS_TABLE", Some("Products")),
        ("REVIEWS_TABLE", Some("Reviews")),
        ("STORES_TABLE", Some("Stores")),
        ("USERS_TABLE", Some("Users")),
    ];
    temp_env::with_vars(variables, || Sources::from_env(&aws)).expect("the environment of a function")
}

/// What is published of changes that are all that can happen.
async fn published() -> Vec<Event> {
    let nothing = json!({});
    let placed = order(&[("pending", None)]);
    let awaiting = order(&[("awaiting_payment", None)]);
    let shipping = order(&[("pending", None), ("shipping", None)]);
    let cancelled = |reason| order(&[("pending", None), ("cancelled", Some(reason))]);
    let changes = [
        ("Orders", &nothing, &placed),
        ("Orders", &nothing, &awaiting),
        ("Orders", &awaiting, &order(&[("awaiting_payment", None), ("pending", None)])),
        ("Orders", &awaiting, &order(&[("awaiting_payment", None), ("cancelled", Some("not_paid"))])),
        ("Orders", &placed, &shipping),
        ("Orders", &shipping, &order(&[("pending", None), ("shipping", None), ("delivered", None)])),
        ("Orders", &placed, &cancelled("by_buyer")),
        ("Orders", &placed, &cancelled("not_shippable")),
        ("Orders", &placed, &cancelled("by_shop")),
        ("Orders", &placed, &in_parcels("shipped", "to_send")),
        ("Orders", &placed, &in_parcels("to_send", "refused")),
        ("Orders", &of_a_guest(), &placed),
        ("Orders", &paid_back(0), &paid_back(300)),
        ("Orders", &paid_back(300), &paid_back(0)),
        ("Reviews", &nothing, &review(&nothing)),
        ("Reviews", &review(&nothing), &review(&json!({ "stars": 2 }))),
        (
            "Reviews",
            &review(&nothing),
            &review(&json!({ "reply": { "text": "Thank you, Ann.", "at": LATER } })),
        ),
        (
            "Reviews",
            &review(&nothing),
            &review(&json!({ "hidden": { "reason": "Names Ann.", "at": LATER } })),
        ),
        ("Reviews", &review(&json!({ "hidden": { "at": NOON } })), &review(&nothing)),
        ("Reviews", &review(&nothing), &nothing),
        ("Reviews", &totals(1), &totals(2)),
        ("Products", &nothing, &product(false, None)),
        ("Products", &product(false, None), &product(true, None)),
        ("Products", &product(false, None), &product(false, Some("Blurred."))),
        ("Products", &product(false, None), &submitted()),
        ("Products", &submitted(), &product(false, None)),
        ("Products", &submitted(), &nothing),
        ("Offers", &offer(5), &offer(4)),
        ("Offers", &offer(4), &offer(5)),
        ("Stores", &nothing, &store("draft", None)),
        ("Stores", &store("draft", None), &store("published", None)),
        ("Stores", &store("published", None), &store("deactivated", Some("owner"))),
        ("Stores", &store("deactivated", Some("owner")), &store("deactivated", Some("admin"))),
        ("Users", &nothing, &profile(&nothing)),
        ("Users", &profile(&nothing), &profile(&json!({ "lastSignInAt": LATER }))),
        ("Users", &profile(&nothing), &profile(&json!({ "passwordChangedAt": LATER }))),
        ("Users", &profile(&nothing), &profile(&json!({ "fullName": "Ann Fox", "updatedAt": LATER }))),
        ("Users", &profile(&nothing), &profile(&json!({ "role": "seller", "roleChangedAt": LATER }))),
        ("Mail", &nothing, &mail("message#01a1fbbc-f982-7d04-8367-8c1b9055f403")),
        ("Mail", &nothing, &mail("suppressed#id")),
        ("Users", &profile(&nothing), &profile(&json!({ "secondFactor": { "isOn": true, "at": LATER } }))),
        ("Users", &profile(&nothing), &profile(&json!({ "textsStoppedAt": LATER }))),
        ("Users", &profile(&nothing), &profile(&json!({ "textSent": { "id": ORDER, "at": LATER } }))),
    ];
    let sources = sources().await;
    let told = changes.into_iter().enumerate().map(|(number, (table, old, new))| {
        let told = sources.events_of(change(&number.to_string(), table, old, new)).expect("events");
        assert_eq!(told.len(), 1, "{table}: {old} to {new}");
        told
    });
    told.flatten().collect()
}

#[tokio::test]
async fn what_is_published_fits_its_schema() {
    let mut compiler = Compiler::new();
    compiler.set_default_draft(Draft::V2020_12);
    compiler.enable_format_assertions();
    compiler.add_resource("events.json", yaml("infra/api/events.yaml")).unwrap();
    for event in published().await {
        let mut schemas = Schemas::new();
        let place = format!("events.json#/components/messages/{}/payload", event.kind);
        let schema = compiler.compile(&place, &mut schemas).unwrap();
        let value = serde_json::to_value(&event).unwrap();
        if let Err(fault) = schemas.validate(&value, schema) {
            panic!("{value:#}\n{fault:#}");
        }
    }
}

#[tokio::test]
async fn every_kind_is_published_and_described() {
    let document = yaml("infra/api/events.yaml");
    let names = |place: &str| -> BTreeSet<String> {
        document.pointer(place).unwrap().as_object().unwrap().keys().cloned().collect()
    };
    let orders = OrderEvent::KINDS.to_vec();
    let mail = users::events::MailWhat::ALL.map(users::events::MailWhat::as_str);
    let (products, users) = (products::events::What::ALL, users::events::What::ALL);
    let stores = stores::events::What::ALL.map(stores::events::What::as_str);
    let stock = offers::events::What::ALL.map(offers::events::What::as_str);
    let all = [
        orders,
        products.map(products::events::What::as_str).into(),
        reviews::events::What::ALL.map(reviews::events::What::as_str).into(),
        stores.into(),
        stock.into(),
        users.map(users::events::What::as_str).into(),
        mail.into(),
    ]
    .concat();
    let kinds: BTreeSet<String> = all.into_iter().map(str::to_owned).collect();
    assert_eq!(published().await.iter().map(|event| event.kind.to_owned()).collect::<BTreeSet<_>>(), kinds);
    assert_eq!(names("/components/messages"), kinds);
    assert_eq!(names("/channels/events/messages"), kinds);
    assert!(
        Kind::ALL.iter().all(|kind| kinds.contains(kind.as_str())),
        "the log has kinds that nobody tells"
    );
    assert!(
        Happened::ALL.iter().all(|kind| kinds.contains(kind.as_str())),
        "people are to be told of kinds that nobody tells"
    );
    let types: BTreeSet<String> = EventType::ALL.map(|one| one.as_str().to_owned()).into();
    assert_eq!(types, kinds, "webhooks may want each kind, and no other");
    let state = yaml("infra/state/template.yaml");
    let wanted = &state["Resources"]["WebhookEventsSubscription"]["Properties"]["FilterPolicy"]["type"];
    let wanted: Vec<_> = wanted.as_array().expect("kinds").iter().filter_map(Value::as_str).collect();
    assert_eq!(wanted, kinds.iter().collect::<Vec<_>>());
    let contract = yaml("infra/api/webhooks.yaml");
    let said = contract["components"]["schemas"]["EventType"]["enum"].as_array().expect("types").iter();
    assert_eq!(said.filter_map(Value::as_str).map(str::to_owned).collect::<BTreeSet<_>>(), kinds);
}

/// The kinds of events that a queue asks for.
fn asked_by(subscription: &str) -> BTreeSet<String> {
    let template = Template::read();
    let subscription = template.of("AWS::SNS::Subscription").find(|one| one.id == subscription);
    let kinds = subscription.expect("a subscription").property("FilterPolicy")["type"].as_array();
    kinds.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[test]
fn queues_ask_for_the_events_of_which_people_are_told() {
    let emailed = notifications::messages::Told::ALL.map(|kind| kind.as_str().to_owned());
    assert_eq!(asked_by("MessagesSubscription"), emailed.into());
    let listed = Happened::ALL.map(|kind| kind.as_str().to_owned());
    assert_eq!(asked_by("InboxSubscription"), listed.into());
    let texted = orders::OrderTextKind::ALL.map(|kind| kind.as_str().to_owned());
    assert_eq!(asked_by("TextsSubscription"), texted.into());
}

/// What stands in code in a column of the table of who is told what.
pub(crate) fn told_by(column: usize) -> BTreeSet<String> {
    let document = text("docs/notifications.md");
    let rows = document.lines().filter(|line| line.starts_with('|')).skip(2);
    let cells = rows.filter_map(|row| row.split('|').nth(column));
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

#[test]
fn it_is_written_down_who_is_told_what_by_which_way() {
    let letters = [
        orders::LetterKind::ALL.map(|kind| kind.to_string()).to_vec(),
        orders::letters::ParcelLetterKind::ALL.map(|kind| kind.to_string()).to_vec(),
        orders::letters::ReturnLetterKind::ALL.map(|kind| kind.to_string()).to_vec(),
        orders::letters::GuestLetterKind::ALL.map(|kind| kind.to_string()).to_vec(),
        orders::digests::SaleLetterKind::ALL.map(|kind| kind.to_string()).to_vec(),
        payments::letters::PaymentLetterKind::ALL.map(|kind| kind.to_string()).to_vec(),
        products::ProductLetterKind::ALL.map(|kind| kind.to_string()).to_vec(),
        reviews::ReviewLetterKind::ALL.map(|kind| kind.to_string()).to_vec(),
        stores::StoreLetterKind::ALL.map(|kind| kind.to_string()).to_vec(),
        users::AccountLetterKind::ALL.map(|kind| kind.to_string()).to_vec(),
        users::AddressLetterKind::ALL.map(|kind| kind.to_string()).to_vec(),
        users::ExportLetterKind::ALL.map(|kind| kind.to_string()).to_vec(),
        users::MessageLetterKind::ALL.map(|kind| kind.to_string()).to_vec(),
        users::NoticeLetterKind::ALL.map(|kind| kind.to_string()).to_vec(),
    ];
    assert_eq!(told_by(3), letters.concat().into_iter().collect());
    assert_eq!(told_by(4), inbox::Kind::ALL.map(|kind| kind.to_string()).into());
    let texts = orders::OrderTextKind::ALL.map(|kind| kind.to_string()).to_vec();
    let others =
        [notifications::admin_texts::ADMIN_TEXT, users::texts::CODE_TEXT].map(str::to_owned).to_vec();
    assert_eq!(told_by(5), [texts, others].concat().into_iter().collect());
}

#[tokio::test]
async fn an_event_names_nobody() {
    for event in published().await {
        let text = serde_json::to_string(&event).unwrap();
        for name in ["Ann", "example.com", "Tea", "Blurred"] {
            assert!(!text.contains(name), "{text}");
        }
    }
}

#[tokio::test]
async fn an_event_has_the_same_id_at_every_repetition_and_no_other_has_it() {
    let sources = sources().await;
    let shipped = order(&[("pending", None), ("shipping", None)]);
    let ids = |id: &str| -> Vec<_> {
        let told = sources.events_of(change(id, "Orders", &json!({}), &shipped)).unwrap();
        told.into_iter().map(|event| event.id).collect()
    };
    assert_eq!(ids("a"), ids("a"));
    let all: BTreeSet<_> = ids("a").into_iter().chain(ids("b")).collect();
    assert_eq!(all.len(), 4);
    let signed_up = sources.events_of(change("a", "Users", &json!({}), &profile(&json!({})))).unwrap();
    assert!(!all.contains(&signed_up[0].id));
}

#[tokio::test]
async fn a_table_that_tells_nothing_is_a_mistake() {
    assert!(sources().await.events_of(change("1", "Banners", &json!({}), &json!({}))).is_err());
}
