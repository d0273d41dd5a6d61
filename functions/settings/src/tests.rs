use super::shipping::{LONGEST_ID, MOST_METHODS, MOST_PRICES};
use super::tax::MOST_RATES;
use super::*;
use serde_json::{Value, json};
use shared::dynamo::{Item, from_item, to_item};
use shared::http::input;
use shared::values::country::Country;
use shared::values::money::Sum;

fn read<D: Document>(body: &Value) -> Result<D, Vec<String>> {
    let read = input::parse(body.to_string().as_bytes());
    read.map_err(|problem| {
        problem.errors().iter().filter_map(|fault| fault.pointer.clone()).collect::<Vec<_>>()
    })
}

fn shipping(methods: &Value) -> Shipping {
    read(&json!({ "methods": methods })).expect("shipping")
}

fn method(id: &str) -> Value {
    json!({
        "id": id, "name": "By post", "countries": ["DE", "AT"],
        "prices": [{ "from": 0, "price": 4.9 }, { "from": 50, "price": 0 }]
    })
}

fn country(code: &str) -> Country {
    code.parse().expect("a country")
}

fn now() -> Timestamp {
    Timestamp::from_unix_millis(1_790_000_000_123)
}

fn offered(shipping: &Shipping, code: &str, total: &str) -> Value {
    let total: Sum = total.parse().expect("a total");
    json!(shipping.offered(country(code), total.amount()))
}

// ── Shipping ───────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_method_costs_what_its_last_price_that_was_reached_says() {
    let shipping = shipping(&json!([method("standard")]));
    for (total, price) in
        [("0", json!(4.9)), ("49.99", json!(4.9)), ("50", json!(0)), ("1000000000000", json!(0))]
    {
        let expected = json!([{ "id": "standard", "name": "By post", "price": price }]);
        assert_eq!(offered(&shipping, "DE", total), expected, "{total}");
    }
    assert_eq!(offered(&shipping, "FR", "50"), json!([]));
}

#[test]
fn a_method_whose_first_price_is_not_reached_is_not_offered() {
    let mut courier = method("courier");
    courier["countries"] = json!("*");
    courier["prices"] = json!([{ "from": 100, "price": 9.5 }]);
    let shipping = shipping(&json!([courier, method("standard")]));
    let ids = |code: &str, total: &str| -> Vec<String> {
        let offered = offered(&shipping, code, total);
        let offered = offered.as_array().expect("a list");
        offered.iter().map(|method| method["id"].as_str().expect("an id").to_owned()).collect()
    };
    assert_eq!(ids("DE", "99.99"), ["standard"]);
    assert_eq!(ids("DE", "100"), ["courier", "standard"], "in the admins' order");
    assert_eq!(ids("NZ", "100"), ["courier"]);
}

#[test]
fn without_methods_none_is_named() {
    assert_eq!(offered(&Shipping::default(), "DE", "5"), json!([]));
    assert_eq!(shipping(&json!([])), Shipping::default());
}

#[test]
fn every_fault_of_shipping_is_told_at_its_place() {
    let changed = |name: &str, value: Value| {
        let mut method = method("standard");
        method[name] = value;
        read::<Shipping>(&json!({ "methods": [method] })).expect_err(name)
    };
    let too_long = "x".repeat(LONGEST_ID + 1);
    for (name, values) in [
        ("id", vec![json!(""), json!("Standard"), json!("a b"), json!("ü"), json!(too_long), json!(7)]),
        ("name", vec![json!(""), json!(" "), json!("x".repeat(121)), json!("a\nb")]),
        (
            "countries",
            vec![
                json!([]),
                json!("DE"),
                json!(["de"]),
                json!(["DE", "DE"]),
                json!(["QQ"]),
                json!(7),
                json!(""),
            ],
        ),
        ("taxRate", vec![json!(100.001), json!(-1), json!(0.0001), json!("19")]),
        (
            "prices",
            vec![
                json!([]),
                json!({}),
                json!([{ "from": 0, "price": 1 }, { "from": 0, "price": 2 }]),
                json!([{ "from": 50, "price": 1 }, { "from": 0, "price": 2 }]),
                json!(vec![json!({ "from": 0, "price": 1 }); MOST_PRICES + 1]),
            ],
        ),
    ] {
        for value in values {
            assert_eq!(changed(name, value.clone()), [format!("#/methods/0/{name}")], "{value}");
        }
    }
    let prices = json!([{ "from": -1, "price": 0.001 }, { "price": 1_000_000.01, "until": 5 }]);
    let places = ["0/from", "0/price", "1/from", "1/price", "1/until"];
    assert_eq!(changed("prices", prices), places.map(|place| format!("#/methods/0/prices/{place}")));
    let twice = json!({ "methods": [method("a"), method("b"), method("a")] });
    assert_eq!(read::<Shipping>(&twice), Err(vec!["#/methods".to_owned()]));
    let many: Vec<_> = (0..=MOST_METHODS).map(|number| method(&number.to_string())).collect();
    assert_eq!(read::<Shipping>(&json!({ "methods": many })), Err(vec!["#/methods".to_owned()]));
    assert_eq!(read::<Shipping>(&json!({})), Err(vec!["#/methods".to_owned()]));
}

// ── Tax ────────────────────────────────────────────────────────────────────────────────────────────────────

fn tax(rates: &Value) -> Tax {
    read(&with_rates(rates)).expect("tax")
}

fn with_rates(rates: &Value) -> Value {
    json!({ "pricesIncludeTax": true, "shippingIncludesTax": false, "rates": rates, "default": 1.5 })
}

#[test]
fn the_most_specific_rate_holds_in_whatever_order_they_stand() {
    let mut rates = vec![
        json!({ "country": "US", "percent": 1 }),
        json!({ "country": "US", "category": "Books", "percent": 2 }),
        json!({ "country": "US", "region": "New York", "percent": 8.875 }),
        json!({ "country": "US", "region": "New York", "category": "Books", "percent": 4 }),
        json!({ "country": "DE", "percent": 19 }),
    ];
    for _ in 0..rates.len() {
        rates.rotate_left(1);
        let tax = tax(&json!(rates));
        for (code, region, category, thousandths) in [
            ("US", Some("New York"), Some("Books"), 4_000),
            ("US", Some("NEW YORK"), Some("books"), 4_000),
            ("US", Some("New York"), Some("Tea"), 8_875),
            ("US", Some("New York"), None, 8_875),
            ("US", Some("Ohio"), Some("Books"), 2_000),
            ("US", None, Some("Books"), 2_000),
            ("US", None, None, 1_000),
            ("DE", Some("New York"), Some("Books"), 19_000),
            ("FR", None, None, 1_500),
        ] {
            let rate = tax.rate_for(country(code), region, category).thousandths();
            assert_eq!(rate, thousandths, "{code} {region:?} {category:?}");
        }
    }
}

#[test]
fn nothing_is_taxed_until_somebody_says_so() {
    let tax = Tax::default();
    assert_eq!(tax.rate_for(country("DE"), None, None).thousandths(), 0);
    assert!(tax.prices_include_tax() && tax.shipping_includes_tax());
}

#[test]
fn every_fault_of_taxes_is_told_at_its_place() {
    let faults = |rates: Value| read::<Tax>(&with_rates(&rates)).expect_err("faults");
    let rate =
        json!({ "country": "EU", "region": "", "category": "x".repeat(61), "percent": 8.8751, "city": 1 });
    let places = ["country", "region", "category", "percent", "city"];
    assert_eq!(faults(json!([rate])), places.map(|place| format!("#/rates/0/{place}")));
    let of = |region: &str| json!({ "country": "US", "region": region, "percent": 1 });
    assert_eq!(faults(json!([of("Ohio"), of("OHIO")])), ["#/rates"], "capitals make no other region");
    assert_eq!(faults(json!(vec![of("Ohio"); MOST_RATES + 1])), ["#/rates"]);
    let places = ["pricesIncludeTax", "shippingIncludesTax", "default", "rates"];
    let required = read::<Tax>(&json!({})).expect_err("faults");
    assert_eq!(required, places.map(|place| format!("#/{place}")));
}

// ── Documents ──────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn an_admin_sees_what_was_sent() {
    let mut standard = method("standard");
    standard["taxRate"] = json!(8.875);
    let mut courier = method("courier");
    courier["countries"] = json!("*");
    let sent = json!({ "methods": [standard, courier] });
    let document = read::<Shipping>(&sent).expect("shipping");
    let next = Versioned::default().replaced_by(&document, now()).expect("another document");
    let mut expected = sent;
    // Countries stand by the alphabet.
    expected["methods"][0]["countries"] = json!(["AT", "DE"]);
    expected["version"] = json!(2);
    expected["updatedAt"] = json!(now());
    assert_eq!(json!(Shown::from(next)), expected);

    let sent =
        with_rates(&json!([{ "country": "US", "region": "Ohio", "category": "Tea", "percent": 5.75 }]));
    let next = Versioned::default().replaced_by(&read::<Tax>(&sent).expect("tax"), now());
    let mut expected = sent;
    expected["version"] = json!(2);
    expected["updatedAt"] = json!(now());
    assert_eq!(json!(Shown::from(next.expect("another document"))), expected);
}

#[test]
fn what_nobody_has_set_is_the_first_version() {
    let first = json!({ "version": 1, "methods": [] });
    assert_eq!(json!(Shown::from(Versioned::<Shipping>::default())), first);
    let tax = json!({
        "version": 1, "pricesIncludeTax": true, "shippingIncludesTax": true, "rates": [], "default": 0
    });
    assert_eq!(json!(Shown::from(Versioned::<Tax>::default())), tax);
}

#[test]
fn what_is_so_already_is_no_other_version() {
    let set = Versioned::default().replaced_by(&shipping(&json!([method("a")])), now()).expect("another");
    assert_eq!(set.replaced_by(set.document(), now()), None);
    assert_eq!(Versioned::<Tax>::default().replaced_by(&Tax::default(), now()), None);
}

#[test]
fn a_document_reads_back_as_it_was_written() {
    let mut anywhere = method("anywhere");
    anywhere["countries"] = json!("*");
    let documents = shipping(&json!([method("standard"), anywhere]));
    let set = Versioned::default().replaced_by(&documents, now()).expect("another");
    assert_eq!(from_item::<Versioned<Shipping>>(to_item(&set).unwrap()).unwrap(), set);
    let rates = tax(&json!([{ "country": "US", "region": "Ohio", "percent": 5.75 }]));
    let set = Versioned::default().replaced_by(&rates, now()).expect("another");
    assert_eq!(from_item::<Versioned<Tax>>(to_item(&set).unwrap()).unwrap(), set);
}

/// How large DynamoDB says that an item is, or a little more.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
fn bytes(item: &Item) -> usize {
    fn of(value: &Value) -> usize {
        match value {
            Value::Null | Value::Bool(_) => 1,
            Value::Number(_) => 21,
            Value::String(text) => text.len(),
            Value::Array(values) => 3 + values.iter().map(|value| 1 + of(value)).sum::<usize>(),
            Value::Object(members) => 3 + members.iter().map(|(k, v)| 1 + k.len() + of(v)).sum::<usize>(),
        }
    }
    of(&from_item::<Value>(item.clone()).expect("a map"))
}

#[test]
fn the_largest_documents_leave_room_in_their_items() {
    // Three quarters of what DynamoDB takes.
    const ROOM: usize = 300 * 1024;
    let (letter, countries) = ("\u{10000}", Country::all().collect::<Vec<_>>());
    let tiers: Vec<_> = (1..=MOST_PRICES).map(|from| json!({ "from": from, "price": 1_000_000 })).collect();
    let largest = |number: usize| {
        let id = format!("{number:0>40}");
        json!({ "id": id, "name": letter.repeat(120), "countries": countries, "prices": tiers, "taxRate": 8.875 })
    };
    let methods: Vec<_> = (0..MOST_METHODS).map(largest).collect();
    let set = Versioned::default().replaced_by(&shipping(&json!(methods)), now()).expect("another");
    let of_shipping = bytes(&to_item(&set).unwrap());
    let largest = |number: usize| {
        let region = format!("{number:0>3}{}", letter.repeat(57));
        json!({ "country": "US", "region": region, "category": letter.repeat(60), "percent": 8.875 })
    };
    let rates: Vec<_> = (0..MOST_RATES).map(largest).collect();
    let set = Versioned::default().replaced_by(&tax(&json!(rates)), now()).expect("another");
    let of_tax = bytes(&to_item(&set).unwrap());
    for size in [of_shipping, of_tax] {
        assert!((100 * 1024..ROOM).contains(&size), "{of_shipping} and {of_tax}");
    }
}
