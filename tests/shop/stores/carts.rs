//! Carts: changed once whatever was lost, by all who change them at once, and merged once.

use axum::extract::FromRequestParts;
use axum::http::Request;
use carts::{CartOwner, CartToken, Carts, MostPieces};
use offers::Offer;
use orders::{NewLine, Quantity};
use products::Products;
use shared::caller::UserId;
use shared::values::time::Timestamp;
use tests::aws::Aws as Cloud;
use tests::meddler::Meddler;
use tests::wait::at_once;

use super::{DAY, for_sale, now, open, open_behind, parts, someone};

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
    let line = NewLine { id: offer.id(), quantity: Quantity::new(pieces).expect("some") };
    let added = carts.change(owner, Some(offer.id()), now, |cart, offer| cart.add(line, offer, most(), now));
    added.await.expect("a changed cart").token
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
async fn what_changes_nothing_writes_nothing() {
    let products: Products = open().await;
    let (tea, owner) = (for_sale(&products, 5).await, CartOwner::Person(person()));
    let carts: Carts = open().await;
    let id = tea.id();
    let removed = carts.change(&owner, None, now(), |cart, _| Ok(cart.remove(id))).await.unwrap();
    assert_eq!((removed.cart.version(), removed.token), (0, None));
    add(&carts, &owner, (&tea, 2), now()).await;
    let cleared = owner.cart().expect("a cart");
    for version in [2, 2] {
        assert_eq!(carts.clear(&cleared, now()).await.unwrap().version(), version);
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
