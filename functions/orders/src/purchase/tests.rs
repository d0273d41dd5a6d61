use super::*;
use crate::tests::{ann, now, offer, order, shop};
use crate::{NewOrder, Order};
use proptest::prelude::*;
use serde_json::{Value, json};
use shared::http::input::{self, Body};

fn read<T: Body>(body: &Value) -> T {
    input::parse(body.to_string().as_bytes()).unwrap()
}

/// Of a shop that sends by post for this much, and taxes by 19 %.
fn prices(price: &Value, items_inside: bool, shipping_inside: bool) -> Prices {
    let post =
        json!({ "id": "post", "name": "Post", "countries": "*", "prices": [{ "from": 0, "price": price }] });
    let courier = json!({
        "id": "courier", "name": "Courier", "countries": ["DE"], "prices": [{ "from": 0, "price": price }],
    });
    let tax = json!({
        "pricesIncludeTax": items_inside, "shippingIncludesTax": shipping_inside, "default": 19, "rates": [],
    });
    let shipping = read(&json!({ "methods": [post, courier] }));
    Prices { shipping, tax: read(&tax), ..Prices::default() }
}

fn named(body: &Value) -> NamedCoupon {
    NamedCoupon { coupon: Some(Coupon::new(read(body), dollars(), now())), used_before: 0 }
}

fn dollars() -> Currency {
    "USD".parse().unwrap()
}

fn chosen(code: &str) -> Choices {
    Choices { coupon_code: Some(code.parse().unwrap()), ..Choices::default() }
}

fn wanted((offer, pieces): &(Offer, u32)) -> Wanted<'_> {
    Wanted { offer, quantity: Quantity::new(*pieces).unwrap() }
}

fn purchase(offers: &[(Offer, u32)], choices: &Choices, prices: &Prices) -> Purchase {
    let wanted: Vec<_> = offers.iter().map(wanted).collect();
    Purchase::of(&wanted, dollars(), choices, prices, shop().country, now()).unwrap()
}

#[test]
fn an_order_keeps_what_its_purchase_came_to_and_which_uses_of_a_coupon_it_counted() {
    let (tea, cup) = (offer("tea", "10", 9), offer("cup", "5", 9));
    let ten = named(&json!({ "code": "TEN", "kind": "amount", "value": 10, "limit": 5 }));
    let prices =
        Prices { offers: vec![tea.clone(), cup.clone()], named: ten, ..prices(&json!(4), false, false) };
    let (buyer, contact) = ann();
    let address = read(&json!({ "name": "Mara", "line1": "Quay 42", "city": "Hamburg", "country": "DE" }));
    let choices = Choices { shipping_address: Some(address), ..chosen("TEN") };
    let wanted = NewOrder { choices, ..order(&[(&tea, 2), (&cup, 1)]) };
    let (placed, _) = Order::place(&wanted, &prices, shop(), &buyer, contact, now()).unwrap();
    // 15.00 and 19 % of 12.00 and of 3.00, 4.00 and 19 % of that.
    assert_eq!(placed.total().minor(), 1_500 + 228 + 57 + 400 + 76);
    let shown = serde_json::to_value(crate::OrderView::from(placed.clone())).unwrap();
    assert_eq!(
        shown["amounts"],
        json!({ "items": 25, "discount": 10, "shipping": 4, "tax": 3.61, "taxIncluded": 0 })
    );
    assert_eq!((&shown["couponCode"], &shown["shippingMethod"]), (&json!("TEN"), &json!("post")));
    let first = json!({ "discount": 8, "tax": 2.28, "taxRate": 19, "total": 14.28 });
    for (name, value) in first.as_object().unwrap() {
        assert_eq!(&shown["items"][0][name], value, "{name}");
    }
    let coupon = placed.coupon.unwrap();
    assert_eq!(coupon.counted, Counted { in_all: true, by_customer: false });
    let gone = coupon.without(Counted { in_all: true, by_customer: true });
    assert_eq!(gone.counted, Counted { in_all: false, by_customer: false });
}

#[test]
fn the_cheapest_way_is_taken_unless_another_is_chosen_and_of_equals_the_first() {
    let tea = [(offer("tea", "10", 9), 1)];
    let method = |choices: &Choices, price: &Value| {
        let purchase = purchase(&tea, choices, &prices(price, true, true));
        purchase.method().map(ToString::to_string)
    };
    assert_eq!(method(&Choices::default(), &json!(4)).as_deref(), Some("post"));
    let courier = Choices { shipping_method: Some("courier".parse().unwrap()), ..Choices::default() };
    assert_eq!(method(&courier, &json!(4)).as_deref(), Some("courier"));
    let none = Prices { shipping: Shipping::default(), ..prices(&json!(4), true, true) };
    let purchase = purchase(&tea, &courier, &none);
    assert_eq!((purchase.method(), purchase.agrees(None)), (None, Ok(())));
    assert!(!purchase.shown().estimated, "it costs the same everywhere");
}

#[test]
fn a_purchase_is_ordered_at_the_total_that_was_expected_and_where_it_can_be_sent() {
    let tea = [(offer("tea", "10", 9), 1)];
    let prices = prices(&json!(4), true, true);
    let agrees = |choices: &Choices, expected: Option<u64>| {
        let purchase = purchase(&tea, choices, &prices);
        purchase.agrees(expected.map(Amount::from_minor))
    };
    assert_eq!(agrees(&Choices::default(), Some(1_400)), Err(Refusal::NoAddress));
    // The courier is for Germany alone, where this shop is not; who knows where this goes.
    let by_courier = Choices { shipping_method: Some("courier".parse().unwrap()), ..Choices::default() };
    let abroad =
        Purchase::of(&[wanted(&tea[0])], dollars(), &by_courier, &prices, "AT".parse().unwrap(), now());
    assert_eq!(abroad.unwrap().agrees(None), Err(Refusal::NoAddress));
    let by_pigeon = Choices { shipping_method: Some("pigeon".parse().unwrap()), ..Choices::default() };
    assert!(matches!(agrees(&by_pigeon, None), Err(Refusal::Chosen(_))));
    let address = json!({ "name": "Mara", "line1": "Quay 42", "city": "Hamburg", "country": "DE" });
    let sent = Choices { shipping_address: Some(read(&address)), ..Choices::default() };
    assert_eq!((agrees(&sent, None), agrees(&sent, Some(1_400))), (Ok(()), Ok(())));
    let changed = Problem::from(agrees(&sent, Some(1_399)).unwrap_err());
    let told = serde_json::to_value(&changed).unwrap();
    assert_eq!((&told["expectedTotal"], &told["total"]), (&json!(13.99), &json!(14)));
    assert_eq!(told["amounts"]["shipping"], 4);
    let pigeon = Choices { shipping_method: Some("pigeon".parse().unwrap()), ..sent };
    let refused = agrees(&pigeon, Some(1));
    assert!(matches!(refused, Err(Refusal::Chosen(Fault::ShippingNotAvailable { .. }))), "{refused:?}");
}

#[test]
fn a_coupon_that_is_used_up_is_told_apart_from_one_that_is_not_valid() {
    let fault = |reason| Fault::CouponNotValid { code: "TEN".parse().unwrap(), reason };
    let kind = |reason| Problem::from(fault(reason)).kind();
    assert_ne!(kind(Some(promotions::Refusal::UsedUp)), kind(Some(promotions::Refusal::Ended)));
    assert_eq!(kind(None), kind(Some(promotions::Refusal::NotBegun)));
}

#[test]
fn an_address_is_in_no_log() {
    let address: Address =
        read(&json!({ "name": "Mara", "line1": "Quay 42", "city": "Hamburg", "country": "DE" }));
    assert_eq!(format!("{address:?}"), "Address(…)");
}

proptest! {
    #[test]
    fn a_total_is_what_its_amounts_say(
        lines in prop::collection::vec((1..=1_000_000_u64, 1..=20_u32), 1..10),
        off in 1..=100_u32,
        items_inside: bool,
        shipping_inside: bool,
    ) {
        let offers: Vec<_> = lines
            .iter()
            .map(|(minor, pieces)| (offer("tea", &Amount::from_minor(*minor).to_string(), 100), *pieces))
            .collect();
        let named = named(&json!({ "code": "OFF", "kind": "percent", "value": off }));
        let prices = Prices { named, ..prices(&json!(4.99), items_inside, shipping_inside) };
        let purchase = purchase(&offers, &chosen("OFF"), &prices);
        let Amounts { items, discount, shipping, tax, tax_included } = purchase.amounts();
        let sum = items.minor() - discount.minor() + shipping.minor() + tax.minor() - tax_included.minor();
        prop_assert_eq!(purchase.total().minor(), sum);
        prop_assert!(discount <= items && tax_included <= tax);
        prop_assert_eq!(purchase.faults(), &[]);
    }
}
