use super::*;
use serde_json::{Value, json};
use shared::dynamo::{from_item, to_item};
use shared::http::input::{self, Body};

fn read<T: Body>(body: &Value) -> Result<T, Vec<String>> {
    let read = input::parse(body.to_string().as_bytes());
    read.map_err(|problem| {
        problem.errors().iter().filter_map(|fault| fault.pointer.clone()).collect::<Vec<_>>()
    })
}

fn now() -> Timestamp {
    "2026-12-01T12:00:00.000Z".parse().expect("a time")
}

fn dollars() -> Currency {
    "USD".parse().expect("a currency")
}

/// A coupon of a tenth off, and what else is said of it.
fn coupon(more: &Value) -> Coupon {
    let mut body = json!({ "code": "SPRING", "kind": "percent", "value": 10 });
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    Coupon::new(read(&body).expect("a coupon"), dollars(), now())
}

fn product(number: u32) -> ProductId {
    format!("01a1f83a-c81e-73c6-9369-{number:012x}").parse().expect("an id")
}

fn line(number: u32, category: &str, minor: u64) -> Line<'_> {
    Line { product: product(number), category, value: Amount::from_minor(minor) }
}

fn of<'a>(lines: &'a [Line<'a>]) -> Basket<'a> {
    Basket { lines, currency: dollars(), used_before: 0 }
}

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

#[test]
fn a_coupon_is_for_the_lines_whose_product_or_category_it_names() {
    let lines = [line(1, "Tea", 500), line(2, "Cups", 700), line(3, "Books", 900)];
    for (rules, expected) in [
        (json!({}), [true, true, true]),
        (json!({ "productIds": [product(2)] }), [false, true, false]),
        (json!({ "categories": ["tea"] }), [true, false, false]),
        (json!({ "productIds": [product(2), product(9)], "categories": ["Books"] }), [false, true, true]),
    ] {
        assert_eq!(coupon(&rules).applies_to(&of(&lines), now()), Ok(expected.to_vec()), "{rules}");
    }
    let others = coupon(&json!({ "productIds": [product(9)], "categories": ["Pots"] }));
    assert_eq!(others.applies_to(&of(&lines), now()), Err(Refusal::OtherGoods));
    assert_eq!(coupon(&json!({})).applies_to(&of(&[]), now()), Err(Refusal::OtherGoods));
}

#[test]
fn a_coupon_is_for_its_time_from_its_first_moment_to_before_its_last() {
    let lines = [line(1, "Tea", 500)];
    let summer = json!({ "startsAt": "2026-12-01T12:00:00Z", "endsAt": "2026-12-02T12:00:00Z" });
    let summer = coupon(&summer);
    for (moment, expected) in [
        ("2026-12-01T11:59:59.999Z", Err(Refusal::NotBegun)),
        ("2026-12-01T12:00:00.000Z", Ok(vec![true])),
        ("2026-12-02T11:59:59.999Z", Ok(vec![true])),
        ("2026-12-02T12:00:00.000Z", Err(Refusal::Ended)),
    ] {
        assert_eq!(summer.applies_to(&of(&lines), time(moment)), expected, "{moment}");
    }
    let over = coupon(&json!({})).ended(now()).expect("it was not over");
    assert_eq!(over.applies_to(&of(&lines), now()), Err(Refusal::Ended));
    assert_eq!(coupon(&json!({ "isActive": false })).applies_to(&of(&lines), now()), Err(Refusal::Ended));
}

#[test]
fn the_minimum_is_of_the_lines_that_it_is_for() {
    let minimum = Refusal::BelowMinimum(Amount::from_minor(1_000));
    let tea = coupon(&json!({ "minimum": 10, "categories": ["Tea"] }));
    let lines = [line(1, "Tea", 500), line(2, "Tea", 499), line(3, "Cups", 9_000)];
    assert_eq!(tea.applies_to(&of(&lines), now()), Err(minimum));
    let lines = [line(1, "Tea", 500), line(2, "Tea", 500), line(3, "Cups", 0)];
    assert_eq!(tea.applies_to(&of(&lines), now()), Ok(vec![true, true, false]));
    let lines = [line(1, "Tea", u64::MAX), line(2, "Tea", u64::MAX)];
    assert_eq!(tea.applies_to(&of(&lines), now()), Ok(vec![true, true]), "no sum overflows");
}

#[test]
fn a_coupon_is_used_as_often_as_its_limits_say() {
    let lines = [line(1, "Tea", 500)];
    let limited = coupon(&json!({ "limit": 2, "perCustomer": 1 }));
    let used = |used| Coupon { used, ..limited.clone() };
    assert_eq!(used(1).applies_to(&of(&lines), now()), Ok(vec![true]));
    assert_eq!(used(2).applies_to(&of(&lines), now()), Err(Refusal::UsedUp));
    let by_customer = |used_before| Basket { used_before, ..of(&lines) };
    assert_eq!(used(1).applies_to(&by_customer(1), now()), Err(Refusal::UsedByCustomer));
    assert_eq!(coupon(&json!({})).applies_to(&by_customer(99), now()), Ok(vec![true]));
    let counted = |rules: Value| coupon(&rules).counted();
    assert_eq!(counted(json!({})), Counted { in_all: false, by_customer: false });
    assert_eq!(counted(json!({ "limit": 5 })), Counted { in_all: true, by_customer: false });
    assert_eq!(counted(json!({ "perCustomer": 5 })), Counted { in_all: false, by_customer: true });
}

#[test]
fn a_coupon_is_of_its_currency() {
    let basket = Basket { currency: "EUR".parse().expect("a currency"), ..of(&[]) };
    assert_eq!(coupon(&json!({})).applies_to(&basket, now()), Err(Refusal::OtherCurrency));
}

#[test]
fn every_fault_of_a_coupon_is_told_at_its_place() {
    let changed = |more: Value| {
        let mut body = json!({ "code": "SPRING", "kind": "percent", "value": 10 });
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        read::<NewCoupon>(&body).expect_err(&more.to_string())
    };
    let many: Vec<_> = (0..=100).map(product).collect();
    for (name, values) in [
        ("code", vec![json!(""), json!("AB"), json!("A B C"), json!("ÄÖÜ"), json!("X".repeat(33)), json!(7)]),
        ("kind", vec![json!(""), json!("Percent"), json!(7)]),
        ("value", vec![json!(0), json!(-10), json!(100.001), json!(1.0001), json!("10"), json!(null)]),
        ("minimum", vec![json!(-1), json!(0.001), json!(1_000_000.01)]),
        ("startsAt", vec![json!("tomorrow"), json!(1_790_000_000), json!("2026-02-30T00:00:00Z")]),
        ("endsAt", vec![json!("2026-12-01"), json!("")]),
        ("limit", vec![json!(0), json!(-1), json!(1.5), json!(1_000_000_001)]),
        ("perCustomer", vec![json!(0), json!(1_001), json!("1")]),
        ("productIds", vec![json!([]), json!(["tea"]), json!([product(1), product(1)]), json!(many)]),
        ("categories", vec![json!([]), json!([""]), json!(["Tea", "Tea"]), json!("Tea")]),
        ("isActive", vec![json!("yes"), json!(1)]),
        ("stackable", vec![json!(true)]),
    ] {
        for value in values {
            assert_eq!(changed(json!({ name: value.clone() })), [format!("#/{name}")], "{value}");
        }
    }
    for value in [json!(0), json!(-5), json!(0.001), json!(1_000_000.01)] {
        assert_eq!(changed(json!({ "kind": "amount", "value": value })), ["#/value"], "{value}");
    }
    assert_eq!(changed(json!({ "kind": "free_shipping" })), ["#/value"]);
    for end in ["2026-12-01T00:00:00Z", "2026-11-30T00:00:00Z", "2026-12-01T00:30:00+01:00"] {
        assert_eq!(
            changed(json!({ "startsAt": "2026-12-01T00:00:00Z", "endsAt": end })),
            ["#/endsAt"],
            "{end}"
        );
    }
    assert_eq!(read::<NewCoupon>(&json!({})), Err(vec!["#/code".to_owned(), "#/kind".to_owned()]));
}

#[test]
fn a_code_is_one_in_any_case() {
    let parsed = |text: &str| text.parse::<CouponCode>().map(|code| code.to_string());
    assert_eq!(["spring-10", "Spring-10", "SPRING-10"].map(parsed), [(); 3].map(|()| Ok("SPRING-10".into())));
    // No code is the key of a customer's uses.
    assert!(parsed("SPRING#ann").is_err());
}

#[test]
fn a_change_keeps_what_orders_counted_and_says_nothing_of_what_is_so_already() {
    let before = Coupon { used: 7, ..coupon(&json!({ "limit": 10 })) };
    let later = time("2026-12-05T00:00:00.000Z");
    let changes = |body: &Value| read::<CouponChanges>(body).expect("changes");
    let same = changes(&json!({ "kind": "percent", "value": 10, "limit": 10 }));
    assert_eq!(before.clone().changed(&same, dollars(), later), None);
    let more = changes(&json!({ "kind": "amount", "value": 5, "isActive": false }));
    let after = before.clone().changed(&more, dollars(), later).expect("another");
    assert_eq!((after.used(), after.version(), after.is_active, after.updated_at), (7, 2, false, later));
    assert_eq!(after.counted(), Counted { in_all: false, by_customer: false });
    // What is not said of it stays: a change of its rules does not bring it back.
    let again = after.clone().changed(&same, dollars(), later).expect("another");
    assert!(!again.is_active && again.version == 3);
    assert_eq!(after.ended(later), None);
}

#[test]
fn an_admin_sees_what_was_sent_and_how_often_it_was_used() {
    let sent = json!({
        "code": "TEN-OFF", "kind": "amount", "value": 10.5, "minimum": 20, "startsAt": "2026-12-01T12:00:00.000Z",
        "endsAt": "2026-12-24T00:00:00.000Z", "limit": 100, "perCustomer": 1, "productIds": [product(1)],
        "categories": ["Tea"], "isActive": false
    });
    let coupon = Coupon::new(read(&sent).expect("a coupon"), dollars(), now());
    assert_eq!(from_item::<Coupon>(to_item(&coupon).unwrap()).unwrap(), coupon);
    let mut expected = sent;
    for (name, value) in [
        ("currency", json!("USD")),
        ("used", json!(0)),
        ("version", json!(1)),
        ("createdAt", json!(now())),
        ("updatedAt", json!(now())),
    ] {
        expected[name] = value;
    }
    assert_eq!(json!(CouponView::from(coupon)), expected);
    for (kind, value) in [("percent", json!(8.875)), ("free_shipping", Value::Null)] {
        let body = json!({ "code": "FREE", "kind": kind, "value": value });
        let coupon = Coupon::new(read(&body).expect("a coupon"), dollars(), now());
        assert_eq!(from_item::<Coupon>(to_item(&coupon).unwrap()).unwrap(), coupon);
        let view = json!(CouponView::from(coupon));
        assert_eq!((&view["kind"], view.get("value").unwrap_or(&Value::Null)), (&json!(kind), &value));
    }
}
