use super::*;
use crate::checkout::{Refusal as CheckOutRefusal, Version};
use crate::priced::{LineProblem, PricedCart, Shop};
use offers::{Availability, Category, ProductId, Terms};
use orders::purchase::{NamedCoupon, Prices};
use orders::{Contact, Fulfilment};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use shared::caller::UserId;
use shared::http::input;
use users::FullName;

const MOST: u32 = 100;

fn now() -> Timestamp {
    Timestamp::from_unix_millis(1_790_000_000_000)
}

fn most() -> MostPieces {
    MostPieces::new(MOST)
}

fn read<T: Field>(json: &str) -> T {
    T::parse(json.parse().unwrap()).unwrap()
}

fn offer(name: &str, price: &str, stock: u32) -> Offer {
    of_currency(name, price, stock, "USD")
}

fn of_currency(name: &str, price: &str, stock: u32, currency: &str) -> Offer {
    let (price, stock) = (read(price), read(&stock.to_string()));
    let (id, name) = (ProductId::at(now()), ProductName::new(name).unwrap());
    let (category, seller) = (Category::new("Drinks").unwrap(), UserId::from("ann".to_owned()));
    let new = Offer::new(id, name, price, currency.parse().unwrap(), category, stock, seller);
    on(&new, price, Availability::ForSale)
}

/// The offer on other terms.
fn on(offer: &Offer, price: Price, availability: Availability) -> Offer {
    let product_name = offer.product_name().clone();
    let category = Category::new(offer.category().unwrap()).unwrap();
    let image_url = Some("https://media.test/tea.png".to_owned());
    offer.clone().with_terms(Terms { product_name, price, category, image_url, availability })
}

fn empty() -> Cart {
    Cart::empty(CartId::of_person(&UserId::from("bob".to_owned())), now())
}

fn guests() -> Cart {
    Cart::empty(CartToken::mint().cart(), now())
}

fn line(offer: &Offer, pieces: u32) -> NewLine {
    NewLine { id: offer.id(), quantity: Quantity::new(pieces).unwrap() }
}

fn with(cart: Cart, lines: &[(&Offer, u32)]) -> Cart {
    let fill = |cart: Cart, (offer, pieces): &(&Offer, u32)| {
        cart.add(line(offer, *pieces), Some(offer), most(), now()).unwrap()
    };
    lines.iter().fold(cart, fill)
}

/// As if it had been put.
fn kept(cart: Cart) -> Cart {
    cart.changed(ChangeId::random(), now())
}

fn pieces(cart: &Cart) -> Vec<(OfferId, u32)> {
    cart.lines().iter().map(|line| (line.offer_id(), line.quantity().pieces())).collect()
}

/// A shop that sends for nothing and has no taxes.
fn shop() -> Shop {
    Shop { most: most(), country: "DE".parse().unwrap() }
}

fn prices(offers: &[&Offer]) -> Prices {
    Prices { offers: offers.iter().map(|offer| (*offer).clone()).collect(), ..Prices::default() }
}

fn priced(cart: &Cart, offers: &[&Offer]) -> PricedCart {
    PricedCart::of(cart, prices(offers), shop(), now()).unwrap()
}

fn shown(cart: &Cart, offers: &[&Offer]) -> Json {
    serde_json::to_value(priced::CartView::from(priced(cart, offers))).unwrap()
}

fn asking(body: &Json) -> CheckOut {
    input::parse(body.to_string().as_bytes()).unwrap()
}

/// The order that Bob's cart becomes, or the problem that he is told.
fn order(cart: &Cart, prices: Prices, asked: &Json) -> Result<orders::Order, Json> {
    let shop_of_orders = orders::Shop { fulfilment: Fulfilment::Automatic, country: shop().country };
    let contact =
        Contact { email: "bob@cartwright.test".parse().unwrap(), full_name: FullName::new("Bob").unwrap() };
    let priced = PricedCart::of(cart, prices, shop(), now()).unwrap();
    let bob = UserId::from("bob".to_owned());
    let placed = priced.order(cart, &asking(asked), shop_of_orders, &bob, contact, now());
    placed.map(|(order, _)| order).map_err(|problem| serde_json::to_value(problem).unwrap())
}

/// What kind of problem it is.
fn kind(problem: &Json) -> &str {
    problem["type"].as_str().unwrap().rsplit(':').next().unwrap()
}

#[test]
fn one_product_is_one_line_whose_pieces_are_added_up() {
    let (tea, cup) = (offer("tea", "4.5", 9), offer("cup", "3", 9));
    let cart = with(empty(), &[(&tea, 1), (&cup, 1), (&tea, 2)]);
    assert_eq!(pieces(&cart), [(tea.id(), 3), (cup.id(), 1)]);
    assert_eq!(pieces(&cart.remove(tea.id())), [(cup.id(), 1)]);
}

#[test]
fn what_is_not_for_sale_does_not_come_in_and_can_always_go_out() {
    let tea = offer("tea", "4.5", 9);
    let withheld = on(&tea, tea.price(), Availability::Withheld);
    for gone in [None, Some(&withheld)] {
        let refused = Err(Refusal::NotForSale(tea.id()));
        assert_eq!(empty().add(line(&tea, 1), gone, most(), now()), refused);
        assert_eq!(with(empty(), &[(&tea, 1)]).set(tea.id(), Wanted(2), gone, most(), now()), refused);
        let taken_out = with(empty(), &[(&tea, 1)]).set(tea.id(), Wanted(0), gone, most(), now()).unwrap();
        assert!(taken_out.lines().is_empty());
    }
}

#[test]
fn a_line_has_no_more_pieces_than_the_shop_sells_at_once_and_is_told_how_many_are_in_it() {
    let tea = offer("tea", "4.5", 9);
    let cart = with(empty(), &[(&tea, MOST)]);
    let refused = cart.clone().add(line(&tea, 1), Some(&tea), most(), now()).unwrap_err();
    assert_eq!(refused, Refusal::TooManyPieces { in_cart: MOST, most: MOST });
    let faults = Problem::from(refused).errors().to_vec();
    let detail = "must be at most 100 with the 100 in the cart: the shop sells no more at once";
    assert_eq!(faults, [FieldError::body("#/quantity", detail)]);
    let refused = cart.set(tea.id(), Wanted(MOST + 1), Some(&tea), most(), now()).unwrap_err();
    assert_eq!(refused, Refusal::TooManyPieces { in_cart: 0, most: MOST });
}

#[test]
fn a_cart_has_fifty_lines_and_no_more() {
    let offers: Vec<_> = (0..=MOST_LINES).map(|_| offer("tea", "1", 9)).collect();
    let full = with(empty(), &offers[..MOST_LINES].iter().map(|offer| (offer, 1)).collect::<Vec<_>>());
    let another = &offers[MOST_LINES];
    assert_eq!(full.clone().add(line(another, 1), Some(another), most(), now()), Err(Refusal::Full));
    assert!(full.add(line(&offers[0], 1), Some(&offers[0]), most(), now()).is_ok());
}

#[test]
fn what_has_expired_is_empty_though_it_is_still_there() {
    let tea = offer("tea", "4.5", 9);
    for (cart, life) in [(empty(), OF_PERSON), (guests(), OF_GUEST)] {
        let cart = kept(with(cart, &[(&tea, 1)]));
        assert_eq!(cart.clone().as_of(now() + life - Duration::from_secs(1)), cart);
        let expired = cart.as_of(now() + life);
        assert_eq!((expired.lines().len(), expired.version()), (0, 1), "its versions go on");
    }
}

#[test]
fn a_cart_remembers_its_last_changes() {
    let ids: Vec<_> = (0..=REMEMBERED).map(|_| ChangeId::random()).collect();
    let cart = ids.iter().fold(empty(), |cart, id| cart.changed(id.clone(), now()));
    assert_eq!(cart.was_changed_by(&ids[0]), Ok(false));
    assert!(ids[1..].iter().all(|id| cart.was_changed_by(id) == Ok(true)));
    assert_eq!(cart.version(), u32::try_from(ids.len()).unwrap());
}

#[test]
fn a_key_names_one_change_and_with_another_body_none() {
    let tea = offer("tea", "1", 9);
    let id = |key: &str, pieces| ChangeId::of(&key.parse().unwrap(), line(&tea, pieces));
    let cart = empty().changed(id("one", 2), now());
    assert_eq!(cart.was_changed_by(&id("one", 2)), Ok(true));
    assert_eq!(cart.was_changed_by(&id("one", 3)), Err(KeyReused));
    assert_eq!(cart.was_changed_by(&id("two", 2)), Ok(false));
    assert_eq!(cart.was_changed_by(&ChangeId::random()), Ok(false));
    // What names no key is not taken for one that comes from one, and a key does not stand in the cart.
    let others = kept(kept(empty()));
    assert_eq!(others.was_changed_by(&id("one", 2)), Ok(false));
    assert!(!serde_json::to_string(&cart).unwrap().contains("one"));
}

// C4, C5.
#[test]
fn merging_adds_the_pieces_of_one_product_up_and_keeps_the_rest() {
    let (tea, cup, pot) = (offer("tea", "1", 9), offer("cup", "1", 9), offer("pot", "1", 9));
    let own = with(empty(), &[(&tea, 1), (&pot, 1)]);
    let guest = with(guests(), &[(&tea, 2), (&cup, 4)]);
    let (merged, notes) = own.clone().merge(&guest, most());
    assert_eq!(pieces(&merged), [(tea.id(), 3), (pot.id(), 1), (cup.id(), 4)]);
    assert_eq!((notes, merged.id()), (Vec::new(), own.id()));
}

#[test]
fn what_is_too_much_for_one_cart_is_left_out_and_told() {
    let offers: Vec<_> = (0..MOST_LINES + 2).map(|_| offer("tea", "1", 9)).collect();
    let all: Vec<_> = offers.iter().map(|offer| (offer, 60)).collect();
    let own = with(empty(), &all[..MOST_LINES - 1]);
    let mut guest = with(guests(), &all[MOST_LINES - 2..]);
    guest.lines.reverse();
    for (index, line) in guest.lines.iter_mut().rev().enumerate() {
        line.added_at = now() + Duration::from_secs(u64::try_from(index).unwrap());
    }
    let (merged, notes) = own.merge(&guest, most());
    assert_eq!(notes, [Note::TooManyPieces, Note::TooManyLines]);
    assert_eq!(merged.lines().len(), MOST_LINES);
    assert_eq!(pieces(&merged)[MOST_LINES - 2..], [(offers[48].id(), MOST), (offers[49].id(), 60)]);
}

proptest! {
    #[test]
    fn nothing_that_fits_is_lost_by_merging(
        own in prop::collection::btree_map(0..60_usize, 1..=MOST, 0..40),
        theirs in prop::collection::btree_map(0..60_usize, 1..=MOST, 0..40),
    ) {
        let offers: Vec<_> = (0..60).map(|_| offer("tea", "1", 9)).collect();
        let fill = |cart, lines: &std::collections::BTreeMap<usize, u32>| {
            with(cart, &lines.iter().map(|(index, pieces)| (&offers[*index], *pieces)).collect::<Vec<_>>())
        };
        let (merged, notes) = fill(empty(), &own).merge(&fill(guests(), &theirs), most());
        let mut different: Vec<_> = own.keys().chain(theirs.keys()).collect();
        different.sort_unstable();
        different.dedup();
        prop_assert_eq!(merged.lines().len(), different.len().min(MOST_LINES));
        prop_assert_eq!(notes.contains(&Note::TooManyLines), different.len() > MOST_LINES);
        for (id, pieces) in pieces(&merged) {
            let index = offers.iter().position(|offer| offer.id() == id).unwrap();
            let sum = own.get(&index).unwrap_or(&0) + theirs.get(&index).unwrap_or(&0);
            prop_assert_eq!(pieces, sum.min(MOST));
            prop_assert!(sum <= MOST || notes.contains(&Note::TooManyPieces));
        }
    }

    #[test]
    fn a_cart_costs_the_sum_of_its_lines(lines in prop::collection::vec((1..=100_000_000_u64, 1..=MOST), 0..50)) {
        let priced_at = |minor: u64| offer("tea", &Amount::from_minor(minor).to_string(), MOST);
        let offers: Vec<_> = lines.iter().map(|(minor, _)| priced_at(*minor)).collect();
        let lines_of: Vec<_> = offers.iter().zip(&lines).map(|(offer, (_, pieces))| (offer, *pieces)).collect();
        let shown = shown(&with(empty(), &lines_of), &offers.iter().collect::<Vec<_>>());
        let sum: u64 = lines.iter().map(|(minor, pieces)| minor * u64::from(*pieces)).sum();
        let sum = serde_json::to_value(Amount::from_minor(sum).in_major()).unwrap();
        prop_assert_eq!((&shown["amounts"]["items"], &shown["amounts"]["total"]), (&sum, &sum));
    }
}

// C7.
#[test]
fn a_token_has_128_bits_and_the_table_does_not_have_it() {
    let token = CartToken::mint();
    assert_eq!((token.reveal().len(), format!("{token:?}")), (22, "CartToken(…)".to_owned()));
    assert!(!token.cart().to_string().contains(&token.reveal()));
    assert_eq!(token.cart(), token.reveal().parse::<CartToken>().unwrap().cart());
    assert_ne!(token.cart(), CartToken::mint().cart());
}

// C1, C2.
#[test]
fn a_cart_shows_the_price_of_today_and_that_of_then() {
    let tea = offer("tea", "4.50", 9);
    let cart = kept(with(empty(), &[(&tea, 2)]));
    let dearer = on(&tea, read("5"), Availability::ForSale);
    assert_eq!(
        shown(&cart, &[&dearer]),
        json!({
            "version": 1, "currency": "USD",
            "items": [{
                "id": tea.id(), "productName": "tea", "imageUrl": "https://media.test/tea.png",
                "productPrice": 5, "priceWhenAdded": 4.5, "quantity": 2,
                "total": 10, "available": 9, "problem": null,
            }],
            "couponCode": null, "shippingMethod": null, "shippingAddress": null,
            "amounts": {
                "items": 10, "discount": 0, "shipping": 0, "tax": 0, "taxIncluded": 0, "total": 10, "estimated": false,
            },
            "problems": [], "canCheckOut": true,
        })
    );
}

// C3.
#[test]
fn a_line_whose_product_is_gone_keeps_its_name_and_costs_nothing() {
    let (tea, cup) = (offer("tea", "4.50", 9), offer("cup", "3", 9));
    let cart = with(empty(), &[(&tea, 2), (&cup, 1)]);
    let view = shown(&cart, &[&cup]);
    let line = json!({
        "id": tea.id(), "productName": "tea", "imageUrl": null, "productPrice": null, "priceWhenAdded": 4.5,
        "quantity": 2,
        "total": null, "available": 0, "problem": "not-for-sale",
    });
    assert_eq!((&view["items"][0], &view["amounts"]["total"]), (&line, &json!(3)));
    assert_eq!((&view["problems"], &view["canCheckOut"]), (&json!(["not-for-sale"]), &json!(false)));
}

#[test]
fn every_line_says_what_is_in_its_way() {
    let (tea, cup) = (offer("tea", "4.50", 1), offer("cup", "3", 9));
    let pot = of_currency("pot", "20", 9, "EUR");
    let cart = with(empty(), &[(&tea, 2), (&pot, 1), (&cup, 9)]);
    let few = Shop { most: MostPieces::new(5), ..shop() };
    let few = PricedCart::of(&cart, prices(&[&tea, &cup, &pot]), few, now()).unwrap();
    let problems: Vec<_> = few.lines().iter().map(|line| (line.id(), line.problem())).collect();
    let expected = [
        (tea.id(), Some(LineProblem::OutOfStock)),
        (pot.id(), Some(LineProblem::MixedCurrencies)),
        (cup.id(), Some(LineProblem::TooManyPieces)),
    ];
    assert_eq!(problems, expected);
    let amounts = serde_json::to_value(few.amounts()).unwrap();
    assert_eq!(amounts["total"], 36, "what is priced in another currency is not added");
    assert!(!shown(&empty(), &[])["canCheckOut"].as_bool().unwrap(), "nothing is nothing to order");
}

// C3: every line, not the first alone.
#[test]
fn a_checkout_names_every_line_that_cannot_be_had_before_it_speaks_of_the_total() {
    let (tea, cup, pot) = (offer("tea", "4.50", 1), offer("cup", "3", 9), offer("pot", "20", 9));
    let cart = kept(with(empty(), &[(&pot, 1), (&tea, 2), (&cup, 1)]));
    let refused = order(&cart, prices(&[&tea, &pot]), &json!({ "expectedTotal": 1 })).unwrap_err();
    let lines = json!([
        { "productId": tea.id(), "problem": "out-of-stock", "available": 1 },
        { "productId": cup.id(), "problem": "not-for-sale" },
    ]);
    assert_eq!((kind(&refused), &refused["status"]), ("out-of-stock", &json!(409)));
    assert_eq!(refused["lines"], lines);
}

// C1: never the old price.
#[test]
fn another_total_than_expected_is_refused_with_what_changed() {
    let (tea, cup) = (offer("tea", "4.50", 9), offer("cup", "3", 9));
    let cart = kept(with(empty(), &[(&tea, 2), (&cup, 1)]));
    let dearer = on(&tea, read("5"), Availability::ForSale);
    let today = || prices(&[&dearer, &cup]);
    let refused = order(&cart, today(), &json!({ "expectedTotal": 12 })).unwrap_err();
    assert_eq!(kind(&refused), "total-changed");
    assert_eq!((&refused["expectedTotal"], &refused["total"]), (&json!(12), &json!(13)));
    assert_eq!(
        refused["lines"],
        json!([{ "productId": tea.id(), "productPrice": 5, "priceWhenAdded": 4.5 }])
    );
    let agreed = order(&cart, today(), &json!({ "expectedTotal": 13.00 })).unwrap();
    assert_eq!(agreed.lines().iter().map(orders::Line::offer_id).collect::<Vec<_>>(), [tea.id(), cup.id()]);
}

// C12.
#[test]
fn an_expected_total_is_compared_to_the_cent_and_not_as_a_float() {
    let tea = offer("tea", "9.66", 9);
    let cart = kept(with(empty(), &[(&tea, 3)]));
    for (total, agrees) in [("28.98", true), ("28.980", true), ("28.97", false), ("28.99", false)] {
        let asked: Json = serde_json::from_str(&format!("{{\"expectedTotal\":{total}}}")).unwrap();
        assert_eq!(order(&cart, prices(&[&tea]), &asked).is_ok(), agrees, "{total}");
    }
    for total in ["28.978999", "28.979", "-1", "\"28.98\"", "1e400"] {
        let parsed = input::parse::<CheckOut>(format!("{{\"expectedTotal\":{total}}}").as_bytes());
        let faults = parsed.unwrap_err().errors().to_vec();
        assert_eq!(faults[0].pointer.as_deref(), Some("#/expectedTotal"), "{total}");
    }
    assert!(input::parse::<CheckOut>(b"{}").is_err(), "whoever orders says what was seen");
}

/// The cart of this version after it became an order of 12.00.
fn ordered(version: u32) -> Cart {
    let order = LastOrder {
        cart_version: version,
        order_id: OrderId::at(now()),
        total: Amount::from_minor(1_200),
        currency: "USD".parse().unwrap(),
        payment_id: None,
    };
    Cart { version: version + 1, last_order: Some(order), ..empty() }
}

// C6.
#[test]
fn a_cart_becomes_one_order_and_says_which() {
    let became = |cart: &Cart, body: Json| cart.became(&asking(&body)).is_some();
    let cart = ordered(7);
    assert!(became(&cart, json!({ "expectedTotal": 12, "cartVersion": 7 })));
    assert!(became(&cart, json!({ "expectedTotal": 12 })), "a second click, which names no version");
    assert!(!became(&cart, json!({ "expectedTotal": 12, "cartVersion": 8 })));
    assert!(!became(&cart, json!({ "expectedTotal": 11, "cartVersion": 7 })), "somebody saw another cart");
    assert!(!became(&empty(), json!({ "expectedTotal": 12 })));
    // Somebody has filled it since: what names no version is about what is in it.
    let tea = offer("tea", "6", 9);
    let filled = kept(with(cart, &[(&tea, 2)]));
    assert!(!became(&filled, json!({ "expectedTotal": 12 })));
    assert!(became(&filled, json!({ "expectedTotal": 12, "cartVersion": 7 })));
    let emptied = kept(filled.remove(tea.id()));
    assert!(!became(&emptied, json!({ "expectedTotal": 12 })), "it was changed since");
}

#[test]
fn only_what_was_seen_is_ordered_and_nothing_is_no_order() {
    let tea = offer("tea", "6", 9);
    let filled = kept(with(empty(), &[(&tea, 2)]));
    let asked = |version: Option<u32>| CheckOut {
        expected_total: "12".parse().unwrap(),
        payment_method: None,
        cart_version: version.map(Version),
        choices: CartChanges::default(),
    };
    assert_eq!(filled.is_orderable(&asked(None)), Ok(()));
    assert_eq!(filled.is_orderable(&asked(Some(1))), Ok(()));
    assert_eq!(filled.is_orderable(&asked(Some(2))), Err(CheckOutRefusal::Changed { version: 1 }));
    assert_eq!(empty().is_orderable(&asked(None)), Err(CheckOutRefusal::Empty));
    assert_eq!(empty().is_orderable(&asked(Some(0))), Err(CheckOutRefusal::Empty));
}

fn choosing(body: &Json) -> CartChanges {
    input::parse(body.to_string().as_bytes()).unwrap()
}

fn setting<T: Body>(body: &Json) -> T {
    input::parse(body.to_string().as_bytes()).unwrap()
}

fn hamburg() -> Json {
    json!({ "name": "Mara", "line1": "Quay 42", "postalCode": "20459", "city": "Hamburg", "country": "DE" })
}

/// What costs 4.90 to send within Germany, for nothing from 50 on, and is taxed by 19 %, inside its price.
fn sending(offers: &[&Offer]) -> Prices {
    let post = json!({
        "id": "post", "name": "By post", "countries": ["DE"],
        "prices": [{ "from": 0, "price": 4.9 }, { "from": 50, "price": 0 }],
    });
    let tax = json!({
        "pricesIncludeTax": true, "shippingIncludesTax": true, "default": 0,
        "rates": [{ "country": "DE", "percent": 19 }, { "country": "DE", "category": "Drinks", "percent": 7 }],
    });
    Prices { shipping: setting(&json!({ "methods": [post] })), tax: setting(&tax), ..prices(offers) }
}

fn with_coupon(body: &Json, used_before: u32, prices: Prices) -> Prices {
    let coupon = promotions::Coupon::new(setting(body), "USD".parse().unwrap(), now());
    Prices { named: NamedCoupon { coupon: Some(coupon), used_before }, ..prices }
}

fn view(cart: &Cart, prices: Prices) -> Json {
    serde_json::to_value(priced::CartView::from(PricedCart::of(cart, prices, shop(), now()).unwrap()))
        .unwrap()
}

#[test]
fn what_is_not_said_stays_chosen_and_null_takes_it_back() {
    let chosen = empty().choose(choosing(&json!({ "couponCode": "spring", "shippingAddress": hamburg() })).0);
    assert_eq!(chosen.choices().coupon_code.as_ref().map(ToString::to_string).as_deref(), Some("SPRING"));
    let other = chosen.clone().choose(choosing(&json!({ "couponCode": null, "shippingMethod": "post" })).0);
    assert_eq!(other.choices().coupon_code, None);
    assert_eq!(other.choices().shipping_address, chosen.choices().shipping_address);
    assert!(chosen.is_like(&chosen.clone().choose(choosing(&json!({})).0)));
    assert!(!chosen.is_like(&other));
    let expired = Cart { expires_at: now().unix_seconds(), ..other };
    assert!(!expired.as_of(now()).has_something(), "a cart that has expired has nobody's address");
    let faulty = input::parse::<CartChanges>(
        br#"{"couponCode":"A B","shippingAddress":{"name":"Mara","country":"XX"}}"#,
    );
    let faults = faulty.unwrap_err().errors().to_vec();
    let pointers: Vec<_> = faults.iter().filter_map(|fault| fault.pointer.as_deref()).collect();
    for pointer in
        ["#/couponCode", "#/shippingAddress/line1", "#/shippingAddress/city", "#/shippingAddress/country"]
    {
        assert!(pointers.contains(&pointer), "{pointer} of {pointers:?}");
    }
}

#[test]
fn what_a_guest_chose_counts_where_its_owner_has_chosen_nothing() {
    let own = empty().choose(choosing(&json!({ "couponCode": "OWN" })).0);
    let guest = guests().choose(choosing(&json!({ "couponCode": "THEIRS", "shippingAddress": hamburg() })).0);
    let (merged, _) = own.merge(&guest, most());
    assert_eq!(merged.choices().coupon_code.as_ref().map(ToString::to_string).as_deref(), Some("OWN"));
    assert_eq!(merged.choices().shipping_address, guest.choices().shipping_address);
}

#[test]
fn a_cart_costs_its_sending_and_says_what_tax_is_in_it() {
    let tea = offer("tea", "10.70", 9);
    let cart = kept(with(empty(), &[(&tea, 2)]));
    let amounts = |made_of: [Json; 3], total: f64, estimated: bool| {
        let [discount, shipping, tax] = made_of;
        json!({
            "items": 21.4, "discount": discount, "shipping": shipping, "tax": tax, "taxIncluded": tax,
            "total": total, "estimated": estimated,
        })
    };
    // 21.40 with 7 % inside is 1.40, 4.90 with 19 % inside is 0.78.
    assert_eq!(
        view(&cart, sending(&[&tea]))["amounts"],
        amounts([json!(0), json!(4.9), json!(2.18)], 26.3, true)
    );
    let there = cart.choose(choosing(&json!({ "shippingAddress": hamburg(), "couponCode": "HALF" })).0);
    assert_eq!(
        view(&there, sending(&[&tea]))["amounts"],
        amounts([json!(0), json!(4.9), json!(2.18)], 26.3, false)
    );
    let half = json!({ "code": "HALF", "kind": "percent", "value": 50 });
    let halved = with_coupon(&half, 0, sending(&[&tea]));
    assert_eq!(view(&there, halved)["amounts"], amounts([json!(10.7), json!(4.9), json!(1.48)], 15.6, false));
    let free = with_coupon(&json!({ "code": "HALF", "kind": "free_shipping" }), 0, sending(&[&tea]));
    assert_eq!(view(&there, free)["amounts"], amounts([json!(0), json!(0), json!(1.4)], 21.4, false));
}

#[test]
fn a_coupon_that_is_not_valid_takes_nothing_off_and_is_no_order() {
    let tea = offer("tea", "10", 9);
    let cart = kept(with(empty(), &[(&tea, 1)])).choose(choosing(&json!({ "couponCode": "HALF" })).0);
    let half = |more: &Json, used_before| {
        let mut body = json!({ "code": "HALF", "kind": "percent", "value": 50 });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        with_coupon(&body, used_before, prices(&[&tea]))
    };
    let refused = |prices: Prices| {
        let shown = view(&cart, prices.clone());
        assert_eq!(
            (&shown["amounts"]["total"], &shown["problems"]),
            (&json!(10), &json!(["coupon-not-valid"]))
        );
        let refused = order(&cart, prices, &json!({ "expectedTotal": 10 })).unwrap_err();
        assert_eq!((kind(&refused), &refused["code"]), ("coupon-not-valid", &json!("HALF")));
        (refused["reason"].as_str().unwrap().to_owned(), refused["minimum"].as_u64())
    };
    assert_eq!(refused(prices(&[&tea])), ("unknown".into(), None));
    assert_eq!(refused(half(&json!({ "isActive": false }), 0)), ("ended".into(), None));
    assert_eq!(refused(half(&json!({ "perCustomer": 1 }), 1)), ("used-by-customer".into(), None));
    assert_eq!(refused(half(&json!({ "categories": ["Cups"] }), 0)), ("other-products".into(), None));
    assert_eq!(refused(half(&json!({ "minimum": 20 }), 0)), ("below-minimum".into(), Some(20)));
    let shown = view(&cart, half(&json!({ "categories": ["Drinks"], "minimum": 10 }), 0));
    assert_eq!((&shown["amounts"]["total"], &shown["canCheckOut"]), (&json!(5), &json!(true)));
}

#[test]
fn what_is_sent_needs_an_address_that_the_shop_sends_to() {
    let tea = offer("tea", "10", 9);
    let cart = kept(with(empty(), &[(&tea, 1)]));
    let order = |cart: &Cart, total: &Json| order(cart, sending(&[&tea]), &json!({ "expectedTotal": total }));
    let refused = order(&cart, &json!(14.9)).unwrap_err();
    assert_eq!(refused["errors"][0]["pointer"], "#/shippingAddress");
    let there = cart.clone().choose(choosing(&json!({ "shippingAddress": hamburg() })).0);
    assert!(order(&there, &json!(14.9)).is_ok());
    let mut vienna = hamburg();
    vienna["country"] = json!("AT");
    for elsewhere in [json!({ "shippingAddress": vienna }), json!({ "shippingMethod": "courier" })] {
        let elsewhere = there.clone().choose(choosing(&elsewhere).0);
        let shown = view(&elsewhere, sending(&[&tea]));
        assert_eq!(
            (&shown["problems"], &shown["canCheckOut"]),
            (&json!(["shipping-not-available"]), &json!(false))
        );
        let refusal = order(&elsewhere, &json!(10)).unwrap_err();
        assert_eq!(kind(&refusal), "shipping-not-available");
    }
}

#[test]
fn a_line_of_a_store_that_is_closed_is_in_the_way_until_the_store_is_open_again() {
    let store: StoreId = "01a1fc3e-6c1e-7a0b-8f0d-2b9f6a7c1d10".parse().unwrap();
    let (tea, cup) = (offer("tea", "4.5", 9).in_store(Some(store)), offer("cup", "3", 9));
    let cart = with(empty(), &[(&tea, 2), (&cup, 1)]);
    assert_eq!(cart.stores(), [store].into(), "which gates to read is known before its offers");
    let closed = shown(&cart, &[&tea, &cup]);
    let line = &closed["items"][0];
    let seen = (&line["problem"], &line["productPrice"], &line["total"], &line["available"]);
    assert_eq!(seen, (&json!("store-closed"), &Json::Null, &Json::Null, &json!(0)));
    assert_eq!((&closed["problems"], &closed["canCheckOut"]), (&json!(["store-closed"]), &json!(false)));
    assert_eq!(closed["amounts"]["total"], 3, "it counts for nothing");
    let refused = order(&cart, prices(&[&tea, &cup]), &json!({ "expectedTotal": 3 })).unwrap_err();
    assert_eq!(kind(&refused), "store-closed");
    assert_eq!(refused["lines"], json!([{ "productId": tea.id(), "problem": "store-closed" }]));

    let open = Prices { open_stores: [store].into(), ..prices(&[&tea, &cup]) };
    let placed = order(&cart, open, &json!({ "expectedTotal": 12 })).unwrap();
    assert_eq!(serde_json::to_value(placed).unwrap()["lines"][0]["storeId"], json!(store));
}
