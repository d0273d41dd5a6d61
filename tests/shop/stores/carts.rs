//! Carts: changed once whatever was lost, by all who change them at once, and merged once.

use std::future::ready;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::extract::FromRequestParts;
use axum::http::Request;
use carts::store::{Changed, Error};
use carts::{Cart, CartOwner, CartToken, Carts, Change, ChangeId, CheckingOut, MostPieces, Refusal};
use offers::Offer;
use orders::{NewLine, Quantity};
use products::Products;
use promotions::{Coupon, CouponChanges, Coupons, NewCoupon};
use serde_json::json;
use shared::caller::UserId;
use shared::guards::Once;
use shared::http::{IfMatch, input};
use shared::values::time::Timestamp;
use tests::aws::Aws as Cloud;
use tests::meddler::Meddler;
use tests::shop::unique;
use tests::wait::at_once;

use super::{DAY, MILLISECOND, before, for_sale, now, open, open_behind, open_with, parts, someone};

fn most() -> MostPieces {
    MostPieces::new(100)
}

fn person() -> UserId {
    someone().id().clone()
}

async fn guest(token: Option<CartToken>) -> CartOwner {
    let mut request = Request::get("/guest-cart").header("authorization", "Bearer nonsense");
    if let Some(token) = token {
        request = request.header("cart-token", token.reveal());
    }
    CartOwner::from_request_parts(&mut parts(request), &()).await.expect("a guest")
}

/// Puts pieces in as add-cart-item does, and gives the token of a new cart.
async fn add(
    carts: &Carts,
    owner: &CartOwner,
    (offer, pieces): (&Offer, u32),
    now: Timestamp,
) -> Option<CartToken> {
    let change = Change::of(owner, &IfMatch::Any, now);
    adds(carts, change, (offer, pieces)).await.expect("a changed cart").token
}

/// The same, as it is asked for.
async fn adds(carts: &Carts, change: Change<'_>, (offer, pieces): (&Offer, u32)) -> Result<Changed, Error> {
    let (line, now) = (line(offer, pieces), change.now());
    let add = |cart: Cart, offer: Option<Offer>| ready(cart.add(line, offer.as_ref(), most(), now));
    carts.change(&change.about(offer.id()), add).await
}

fn line(offer: &Offer, pieces: u32) -> NewLine {
    NewLine { id: offer.id(), quantity: Quantity::new(pieces).expect("some") }
}

fn versions(versions: &[u32]) -> IfMatch {
    IfMatch::Versions(versions.iter().copied().collect())
}

/// The version, and the pieces of each line.
async fn found(carts: &Carts, owner: &CartOwner, now: Timestamp) -> (u32, Vec<u32>) {
    let Some(cart) = carts.find(owner, now).await.expect("the table answers") else { return (0, Vec::new()) };
    (cart.version(), cart.lines().iter().map(|line| line.quantity().pieces()).collect())
}

#[tokio::test]
async fn pieces_whose_reply_is_lost_are_added_once() {
    let products: Products = open().await;
    let (tea, owner) = (for_sale(&products, 5).await, CartOwner::Person(person()));
    let carts: Carts = open().await;
    for (version, sum) in [(1, 2), (2, 4)] {
        let behind: Carts = open_behind(Meddler::lose_reply("PutItem")).await;
        add(&behind, &owner, (&tea, 2), now()).await;
        assert_eq!(found(&carts, &owner, now()).await, (version, vec![sum]));
    }
}

#[tokio::test]
async fn a_rivals_change_in_the_middle_is_kept_and_so_is_ones_own() {
    let products: Products = open().await;
    let (tea, owner) = (for_sale(&products, 5).await, CartOwner::Person(person()));
    let carts: Carts = open().await;
    let rival = (carts.clone(), owner.clone(), tea.clone());
    let behind: Carts = open_behind(Meddler::before("PutItem", 0..1, move || {
        let (carts, owner, tea) = rival.clone();
        async move { _ = add(&carts, &owner, (&tea, 1), now()).await }
    }))
    .await;
    add(&behind, &owner, (&tea, 2), now()).await;
    assert_eq!(found(&carts, &owner, now()).await, (2, vec![3]));
}

#[tokio::test]
async fn what_is_asked_for_by_one_key_is_added_once_whoever_changed_the_cart_since() {
    let products: Products = open().await;
    let (tea, cup, owner) =
        (for_sale(&products, 5).await, for_sale(&products, 5).await, CartOwner::Person(person()));
    let carts: Carts = open().await;
    let add_by = async |carts: &Carts, key: &str, pieces: u32| {
        let id = ChangeId::of(&key.parse().expect("a key"), line(&tea, pieces));
        let change = Change::of(&owner, &IfMatch::Any, now()).named(Some(id));
        adds(carts, change, (&tea, pieces)).await.map(|changed| changed.cart.version())
    };
    assert_eq!(add_by(&carts, "one", 2).await.unwrap(), 1);
    add(&carts, &owner, (&cup, 1), now()).await;
    // The repetition is answered the cart as it is by then.
    assert_eq!(add_by(&carts, "one", 2).await.unwrap(), 2);
    assert_eq!(found(&carts, &owner, now()).await, (2, vec![2, 1]));
    assert!(matches!(add_by(&carts, "one", 3).await, Err(Error::KeyReused(_))));
    assert_eq!(add_by(&carts, "two", 2).await.unwrap(), 3);
    assert_eq!(found(&carts, &owner, now()).await, (3, vec![4, 1]));
    let behind: Carts = open_behind(Meddler::lose_reply("PutItem")).await;
    add_by(&behind, "three", 1).await.expect("once");
    // The same request at the same time puts first.
    let rival = (carts.clone(), owner.clone(), tea.clone());
    let behind: Carts = open_behind(Meddler::before("PutItem", 0..1, move || {
        let (carts, owner, tea) = rival.clone();
        async move {
            let id = ChangeId::of(&"four".parse().expect("a key"), line(&tea, 1));
            let change = Change::of(&owner, &IfMatch::Any, now()).named(Some(id));
            adds(&carts, change, (&tea, 1)).await.expect("the rival's");
        }
    }))
    .await;
    add_by(&behind, "four", 1).await.expect("once");
    assert_eq!(found(&carts, &owner, now()).await, (5, vec![6, 1]));
}

#[tokio::test]
async fn a_change_of_another_version_than_was_seen_changes_nothing() {
    let products: Products = open().await;
    let (tea, owner) = (for_sale(&products, 5).await, CartOwner::Person(person()));
    let carts: Carts = open().await;
    let add_if = async |carts: &Carts, if_match: &IfMatch| {
        adds(carts, Change::of(&owner, if_match, now()), (&tea, 1))
            .await
            .map(|changed| changed.cart.version())
    };
    // What was never written is of version 0.
    assert!(matches!(add_if(&carts, &versions(&[1])).await, Err(Error::AnotherVersion)));
    assert_eq!(add_if(&carts, &versions(&[0])).await.unwrap(), 1);
    assert!(matches!(add_if(&carts, &versions(&[0, 2])).await, Err(Error::AnotherVersion)));
    // A put whose reply was lost has made the next version, which is nobody else's.
    let behind: Carts = open_behind(Meddler::lose_reply("PutItem")).await;
    assert_eq!(add_if(&behind, &versions(&[1])).await.unwrap(), 2);
    // A rival in the middle has changed what was seen.
    let rival = (carts.clone(), owner.clone(), tea.clone());
    let behind: Carts = open_behind(Meddler::before("PutItem", 0..1, move || {
        let (carts, owner, tea) = rival.clone();
        async move { _ = add(&carts, &owner, (&tea, 1), now()).await }
    }))
    .await;
    assert!(matches!(add_if(&behind, &versions(&[2])).await, Err(Error::AnotherVersion)));
    assert_eq!(found(&carts, &owner, now()).await, (3, vec![3]));
}

#[tokio::test]
async fn a_cart_is_cleared_as_it_was_seen_whatever_reply_was_lost() {
    let products: Products = open().await;
    let (tea, owner) = (for_sale(&products, 5).await, CartOwner::Person(person()));
    let carts: Carts = open().await;
    let cart = owner.cart().expect("a cart");
    let clear = async |carts: &Carts, version: u32| {
        carts.clear(&cart, &versions(&[version]), now()).await.map(|cart| cart.version())
    };
    assert_eq!(clear(&carts, 0).await.unwrap(), 0);
    assert!(matches!(clear(&carts, 1).await, Err(Error::AnotherVersion)));
    add(&carts, &owner, (&tea, 1), before()).await;
    assert!(matches!(clear(&carts, 2).await, Err(Error::AnotherVersion)));
    let behind: Carts = open_behind(Meddler::lose_reply("UpdateItem")).await;
    assert_eq!(clear(&behind, 1).await.unwrap(), 2);
    assert_eq!(found(&carts, &owner, now()).await, (2, vec![]));
    // Another request a moment later has not seen that it is empty.
    let later = carts.clear(&cart, &versions(&[1]), now() + MILLISECOND).await;
    assert!(matches!(later, Err(Error::AnotherVersion)));
}

#[tokio::test]
async fn what_changes_nothing_writes_nothing() {
    let products: Products = open().await;
    let (tea, owner) = (for_sale(&products, 5).await, CartOwner::Person(person()));
    let carts: Carts = open().await;
    let id = tea.id();
    let change = Change::of(&owner, &IfMatch::Any, now());
    let remove = |cart: Cart, _| ready(Ok::<_, Refusal>(cart.remove(id)));
    let removed = carts.change(&change, remove).await.unwrap();
    assert_eq!((removed.cart.version(), removed.token), (0, None));
    add(&carts, &owner, (&tea, 2), now()).await;
    let cleared = owner.cart().expect("a cart");
    for version in [2, 2] {
        assert_eq!(carts.clear(&cleared, &IfMatch::Any, now()).await.unwrap().version(), version);
    }
    assert_eq!(found(&carts, &owner, now()).await, (2, vec![]));
}

#[tokio::test]
async fn a_cart_whose_time_is_over_is_empty_before_anybody_deletes_it() {
    let products: Products = open().await;
    let (tea, owner) = (for_sale(&products, 5).await, CartOwner::Person(person()));
    let carts: Carts = open().await;
    add(&carts, &owner, (&tea, 2), now()).await;
    assert_eq!(found(&carts, &owner, now() + 59 * DAY).await, (1, vec![2]));
    assert_eq!(found(&carts, &owner, now() + 60 * DAY).await, (1, vec![]));
    add(&carts, &owner, (&tea, 1), now() + 60 * DAY).await;
    assert_eq!(found(&carts, &owner, now() + 60 * DAY).await, (2, vec![1]));
}

// C7.
#[tokio::test]
async fn a_guests_cart_is_kept_under_the_hash_of_a_token_that_the_shop_made() {
    let products: Products = open().await;
    let (tea, carts): (_, Carts) = (for_sale(&products, 5).await, open().await);
    let token = add(&carts, &guest(None).await, (&tea, 2), now()).await.expect("a token");
    assert_eq!(add(&carts, &guest(Some(token)).await, (&tea, 1), now()).await, None);
    assert_eq!(found(&carts, &guest(Some(token)).await, now()).await, (2, vec![3]));
    let item = Cloud::open().await.item("CartsTable", ("cartId", &token.cart().to_string())).await;
    assert!(item.is_object() && !item.to_string().contains(&token.reveal()), "{item}");
    // What nobody has given out opens nothing, and never will.
    let made_up = CartToken::mint();
    let other = add(&carts, &guest(Some(made_up)).await, (&tea, 1), now()).await.expect("another token");
    assert_ne!(other, made_up);
    assert_eq!(found(&carts, &guest(Some(made_up)).await, now()).await, (0, vec![]));
    assert_eq!(found(&carts, &guest(Some(token)).await, now() + 30 * DAY).await, (2, vec![]));
}

// C4, C5.
#[tokio::test]
async fn a_guests_cart_is_merged_once_however_often_it_is_asked_for() {
    let products: Products = open().await;
    let (tea, cup, carts) = (for_sale(&products, 5).await, for_sale(&products, 5).await, open().await);
    let bob = person();
    let owner = CartOwner::Person(bob.clone());
    add(&carts, &owner, (&tea, 1), now()).await;
    let token = add(&carts, &guest(None).await, (&tea, 2), now()).await.expect("a token");
    add(&carts, &guest(Some(token)).await, (&cup, 1), now()).await;
    let merges = at_once(6, |_| {
        let (carts, bob) = (carts.clone(), bob.clone());
        async move { carts.merge(&bob, token, most(), now()).await }
    });
    for merged in merges.await {
        let (cart, notes) = merged.expect("merged, now or before");
        assert_eq!((cart.version(), notes), (2, vec![]));
    }
    assert_eq!(found(&carts, &owner, now()).await, (2, vec![3, 1]));
    assert_eq!(found(&carts, &guest(Some(token)).await, now()).await, (0, vec![]));
}

#[tokio::test]
async fn a_merge_whose_reply_is_lost_has_happened_once() {
    let products: Products = open().await;
    let (tea, carts): (_, Carts) = (for_sale(&products, 5).await, open().await);
    let bob = person();
    add(&carts, &CartOwner::Person(bob.clone()), (&tea, 1), now()).await;
    let token = add(&carts, &guest(None).await, (&tea, 2), now()).await.expect("a token");
    let behind: Carts = open_behind(Meddler::lose_reply("TransactWriteItems")).await;
    behind.merge(&bob, token, most(), now()).await.expect("merged");
    assert_eq!(found(&carts, &CartOwner::Person(bob), now()).await, (2, vec![3]));
}

#[tokio::test]
async fn what_a_guest_adds_while_the_cart_is_merged_goes_along() {
    let products: Products = open().await;
    let (tea, carts): (_, Carts) = (for_sale(&products, 5).await, open().await);
    let bob = person();
    let token = add(&carts, &guest(None).await, (&tea, 2), now()).await.expect("a token");
    let rival = (carts.clone(), guest(Some(token)).await, tea.clone());
    let behind: Carts = open_behind(Meddler::before("TransactWriteItems", 0..1, move || {
        let (carts, owner, tea) = rival.clone();
        async move { _ = add(&carts, &owner, (&tea, 1), now()).await }
    }))
    .await;
    behind.merge(&bob, token, most(), now()).await.expect("merged");
    assert_eq!(found(&carts, &CartOwner::Person(bob), now()).await, (1, vec![3]));
}

/// Ordering carts behind a meddler, as check-out-cart does in a shop where one address is ordered for once an hour.
async fn checking_out_behind(meddler: Meddler) -> CheckingOut {
    let endpoint = std::env::var("AWS_ENDPOINT_URL").expect("no AWS to test, run `cargo local test`");
    let endpoint = meddler.stand_before(endpoint).await;
    let nowhere = "http://127.0.0.1:1";
    let settings = [
        ("AWS_ENDPOINT_URL_DYNAMODB", endpoint.as_str()),
        ("AWS_ENDPOINT_URL_SQS", nowhere),
        ("CARDS_PER_HOUR", "9"),
        ("EMAILS_QUEUE_URL", nowhere),
        ("FULFILMENT", "automatic"),
        ("GUEST_CASH", "true"),
        ("LIMIT_KEY", "a key of the tests"),
        ("LIMIT_PER_DAY", "9/86400"),
        ("LIMIT_PER_EMAIL", "1/3600"),
        ("LIMIT_PER_GUEST", "9/60"),
        ("LIMIT_PER_PERSON", "9/60"),
        ("ORDER_TOKEN_KEY", "a key of the tests"),
        ("ORDERS_QUEUE_URL", nowhere),
        ("PIECES_PER_LINE", "100"),
        ("REFUNDS_QUEUE_URL", nowhere),
        ("SHOP_COUNTRY", "DE"),
        ("SHOP_NAME", "tests"),
        ("STRIPE_API_SECRET", "nothing"),
        ("STRIPE_URL", nowhere),
    ];
    open_with(settings.map(|(name, value)| (name, Some(value.to_owned()))).into()).await
}

#[tokio::test]
async fn an_order_that_is_counted_anew_counts_once_for_its_guests_address() {
    let (products, carts, coupons): (Products, Carts, Coupons) = open().await;
    let tea = for_sale(&products, 5).await;
    let token = add(&carts, &guest(None).await, (&tea, 1), now()).await.expect("a token");
    let code = unique("c").replace(' ', "-");
    let rules = json!({ "code": code, "kind": "amount", "value": 1, "limit": 5 });
    let new: NewCoupon = input::parse(rules.to_string().as_bytes()).expect("a coupon");
    let coupon = Coupon::new(new, "USD".parse().expect("a currency"), now());
    coupons.create(&coupon).await.expect("a coupon");
    // Twice an admin changes the coupon just before the order is written, to what costs the same.
    let (admin, code) = (coupons.clone(), coupon.code().clone());
    let limit = AtomicU32::new(5);
    let meddler = Meddler::before("TransactWriteItems", 0..2, move || {
        let (admin, code) = (admin.clone(), code.clone());
        let rules =
            json!({ "kind": "amount", "value": 1, "limit": limit.fetch_add(1, Ordering::Relaxed) + 1 });
        async move {
            let changes: CouponChanges = input::parse(rules.to_string().as_bytes()).expect("changes");
            let change = |coupon: Coupon| coupon.changed(&changes, "USD".parse().expect("a currency"), now());
            admin.change(&code, &IfMatch::Any, change).await.expect("a change");
        }
    });
    let checking_out = checking_out_behind(meddler).await;
    let email = format!("{}@cartwright.test", unique("gus").replace(' ', "."));
    let asked = json!({
        "email": email, "fullName": "Gus", "expectedTotal": 3.5, "couponCode": coupon.code().to_string(),
    });
    let asked = || input::parse(asked.to_string().as_bytes()).expect("a checkout");
    let owner = guest(Some(token)).await;
    let placed = checking_out.check_out_guest(&owner, asked(), None, now()).await;
    assert!(matches!(placed, Ok(Once::Done(_))), "{placed:?}");
    assert_eq!(coupons.find(coupon.code()).await.unwrap().map(|coupon| coupon.used()), Some(1));
    // That was the one that the address may have.
    let token = add(&carts, &guest(None).await, (&tea, 1), now()).await.expect("a token");
    let refused = checking_out.check_out_guest(&guest(Some(token)).await, asked(), None, now()).await;
    assert_eq!(refused.map(drop).map_err(|refused| refused.status().as_u16()), Err(429));
}
