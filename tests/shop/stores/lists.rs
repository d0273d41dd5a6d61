//! Lists: pages that together hold everything once, in order, and cursors that are good for one list alone.

use axum::extract::FromRequestParts;
use axum::http::Request;
use orders::{Order, Orders};
use products::{Category, NewProduct, Product, ProductId, ProductOffer, Products};
use serde_json::json;
use shared::caller::UserId;
use shared::dynamo::list::{Cursors, Page, PageRequest};
use shared::http::input;
use shared::http::problem::{INVALID_INPUT, Problem};
use shared::values::time::Timestamp;
use tests::aws::Aws as Cloud;
use tests::shop::unique;

use super::products::{approved, approved_with_picture, rejected, upload_at, with_picture};
use super::{
    DAY, MILLISECOND, MINUTE, buyer, for_sale, new_product, now, open, parts, past, placed, someone,
};

pub(super) async fn page(limit: usize, cursor: Option<&str>) -> PageRequest {
    let cursor = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
    let mut parts = parts(Request::get(format!("/orders?limit={limit}{cursor}")));
    PageRequest::from_request_parts(&mut parts, &()).await.expect("a good request")
}

/// The pages of a list, one by one.
async fn pages<T>(limit: usize, read: impl AsyncFn(PageRequest) -> Result<Page<T>, Problem>) -> Vec<Vec<T>> {
    let (mut pages, mut cursor) = (Vec::new(), None);
    loop {
        let found = read(page(limit, cursor.as_deref()).await).await.expect("a page");
        pages.push(found.entries);
        cursor = found.next_cursor;
        if cursor.is_none() {
            return pages;
        }
        assert!(pages.len() < 1_000, "the list does not end");
    }
}

/// The lists that a product stands on.
async fn lists_of(
    (products, cursors): &(Products, Cursors),
    product: ProductId,
    owner: &UserId,
    category: &Category,
) -> Vec<&'static str> {
    let approved = pages(100, async |page| products.list_approved(None, cursors, &page, now()).await).await;
    let of_category =
        pages(100, async |page| products.list_approved(Some(category), cursors, &page, now()).await).await;
    let own = pages(100, async |page| products.list_of(owner, cursors, &page).await).await;
    let pending = pages(100, async |page| products.list_pending(cursors, &page).await).await;
    let bare = products.without_picture_since(now() + DAY, 1_000).await.expect("the index answers");
    let ids = |pages: Vec<Vec<ProductOffer>>| -> Vec<ProductId> {
        pages.concat().iter().map(|found| found.product.id()).collect()
    };
    let lists = [
        ("approved", ids(approved)),
        ("category", ids(of_category)),
        ("owner", ids(own)),
        ("pending", ids(pending)),
        ("without picture", bare.iter().map(Product::id).collect()),
    ];
    let lists = lists.into_iter().filter(|(_, list)| list.contains(&product));
    lists.map(|(name, _)| name).collect()
}

#[tokio::test]
async fn a_product_stands_on_the_lists_of_its_state() {
    let stores: (Products, Cursors) = open().await;
    let products = &stores.0;
    let category = Category::new(&unique("Things")).unwrap();
    let new = new_product(category.as_str(), 5, now());
    products.create(&new).await.unwrap();
    let (id, owner) = (new.product.id(), new.offer.seller());
    let lists = async || lists_of(&stores, id, owner, &category).await;
    let change = async |rule: &dyn Fn(Product) -> Option<Product>| {
        products.change(id, rule).await.unwrap();
    };

    assert_eq!(lists().await, ["owner", "without picture"]);
    change(&approved).await;
    assert_eq!(lists().await, ["approved", "category", "owner"]);
    change(&rejected).await;
    assert_eq!(lists().await, ["owner"], "it was decided on, so nobody waits for its picture");
    change(&with_picture(upload_at(1))).await;
    assert_eq!(lists().await, ["owner", "pending"]);
    change(&rejected).await;
    assert_eq!(lists().await, ["owner"]);
    change(&with_picture(upload_at(2))).await;
    assert_eq!(lists().await, ["owner", "pending"]);
    change(&approved_with_picture).await;
    assert_eq!(lists().await, ["approved", "category", "owner"]);
    change(&with_picture(upload_at(3))).await;
    assert_eq!(lists().await, ["approved", "category", "owner", "pending"], "its new picture waits");
    // Off the public list again: other tests look at it.
    change(&rejected).await;
    assert_eq!(lists().await, ["owner"]);
}

#[tokio::test]
async fn what_waits_for_its_picture_is_found_when_it_has_waited_oldest_first() {
    let products: Products = open().await;
    let (older, newer) = (new_product("Things", 5, now()), new_product("Things", 5, now() + MINUTE));
    products.create(&newer).await.unwrap();
    products.create(&older).await.unwrap();
    let (older, newer) = (older.product.id(), newer.product.id());
    let own = async |cutoff: Timestamp| {
        let found = products.without_picture_since(cutoff, 1_000).await.unwrap();
        let own = found.into_iter().map(|product| product.id());
        own.filter(|id| [older, newer].contains(id)).collect::<Vec<_>>()
    };
    assert_eq!(own(now()).await, []);
    assert_eq!(own(now() + MILLISECOND).await, [older]);
    assert_eq!(own(now() + DAY).await, [older, newer]);
    assert_eq!(products.without_picture_since(now() + DAY, 1).await.unwrap().len(), 1);
}

#[tokio::test]
async fn pages_are_a_whole_list_newest_first_and_the_last_one_says_so() {
    let (orders, products, cursors): (Orders, Products, Cursors) = open().await;
    let (ann, tea) = (buyer().await, for_sale(&products, 50).await);
    let mut expected = Vec::new();
    for number in 0..5 {
        expected.insert(0, placed(&orders, &ann, &[(&tea, 1)], now() + MINUTE * number).await);
    }
    for (limit, sizes) in [
        (1, vec![1, 1, 1, 1, 1]),
        (2, vec![2, 2, 1]),
        (3, vec![3, 2]),
        (4, vec![4, 1]),
        (5, vec![5]),
        (6, vec![5]),
        (100, vec![5]),
    ] {
        let pages = pages(limit, async |page| orders.list_of(ann.id(), &cursors, &page).await).await;
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), sizes, "{limit}");
        assert_eq!(pages.concat().iter().map(Order::id).collect::<Vec<_>>(), expected, "{limit}");
    }
    let nobody = orders.list_of(someone().id(), &cursors, &page(20, None).await).await.unwrap();
    assert_eq!(nobody, Page { entries: Vec::new(), next_cursor: None });
}

#[tokio::test]
async fn what_was_made_at_one_moment_is_on_one_page_each() {
    let (orders, products, cursors): (Orders, Products, Cursors) = open().await;
    let (ann, tea) = (buyer().await, for_sale(&products, 50).await);
    let mut expected = Vec::new();
    for _ in 0..5 {
        expected.push(placed(&orders, &ann, &[(&tea, 1)], now()).await);
    }
    expected.sort();
    for limit in 1..=5 {
        let pages = pages(limit, async |page| orders.list_of(ann.id(), &cursors, &page).await).await;
        let mut found: Vec<_> = pages.concat().iter().map(Order::id).collect();
        found.sort();
        assert_eq!(found, expected, "{limit}");
    }
}

#[tokio::test]
async fn a_cursor_goes_on_where_it_was_whatever_came_or_went_since() {
    let (products, cursors): (Products, Cursors) = open().await;
    let ann = someone();
    let body = r#"{"fileName":"p.png","fileType":"image/png","productName":"p","productPrice":1,
        "description":"Good.","quantity":1,"category":"Things"}"#;
    let make = async |minute: u32| {
        let new: NewProduct = input::parse(body.as_bytes()).unwrap();
        let new = ProductOffer::new(new, &ann, "USD".parse().unwrap(), now() + MINUTE * minute);
        products.create(&new).await.unwrap();
        new.product.id()
    };
    let (first, second, third) = (make(1).await, make(2).await, make(3).await);
    let list = async |cursor: Option<&str>| {
        let page = products.list_of(ann.id(), &cursors, &page(1, cursor).await).await.unwrap();
        (page.entries.iter().map(|found| found.product.id()).collect::<Vec<_>>(), page.next_cursor)
    };
    let (entries, cursor) = list(None).await;
    assert_eq!(entries, [third]);
    make(4).await;
    Cloud::open().await.delete_item("ProductsTable", "id", &third.to_string()).await;
    let (entries, cursor) = list(cursor.as_deref()).await;
    assert_eq!(entries, [second]);
    assert_eq!(list(cursor.as_deref()).await, (vec![first], None));
}

#[tokio::test]
async fn a_cursor_of_another_list_is_refused() {
    let (orders, products, cursors): (Orders, Products, Cursors) = open().await;
    let (ann, bob, tea) = (buyer().await, someone(), for_sale(&products, 5).await);
    for _ in 0..2 {
        placed(&orders, &ann, &[(&tea, 1)], now()).await;
    }
    let first = orders.list_of(ann.id(), &cursors, &page(1, None).await).await.unwrap();
    let next = page(1, first.next_cursor.as_deref()).await;
    assert_eq!(orders.list_of(ann.id(), &cursors, &next).await.unwrap().entries.len(), 1);
    let refused = [
        orders.list_of(bob.id(), &cursors, &next).await.unwrap_err(),
        products.list_of(ann.id(), &cursors, &next).await.unwrap_err(),
        products.list_approved(None, &cursors, &next, now()).await.unwrap_err(),
        products.list_pending(&cursors, &next).await.unwrap_err(),
        orders.list_of(ann.id(), &cursors, &page(1, Some("nonsense")).await).await.unwrap_err(),
    ];
    for problem in refused {
        assert_eq!(problem.kind(), INVALID_INPUT);
    }
}

#[tokio::test]
async fn a_list_tells_the_stock_and_the_price_of_the_offers() {
    let (orders, products, cursors): (Orders, Products, Cursors) = open().await;
    let category = Category::new(&unique("Things")).unwrap();
    let mut new = Vec::new();
    for stock in [7, 8, 9] {
        let one = new_product(category.as_str(), stock, past() + MINUTE * stock);
        products.create(&one).await.unwrap();
        products.change(one.product.id(), approved).await.unwrap();
        new.insert(0, one);
    }
    placed(&orders, &buyer().await, &[(&new[2].offer, 2)], now()).await;
    let page = products.list_approved(Some(&category), &cursors, &page(20, None).await, now()).await.unwrap();
    let seen: Vec<_> = page
        .entries
        .iter()
        .map(|found| (found.product.id(), found.offer.stock().pieces(), found.offer.promised()))
        .collect();
    let expected = [(new[0].product.id(), 9, 0), (new[1].product.id(), 8, 0), (new[2].product.id(), 5, 2)];
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn what_has_lost_its_offer_is_on_no_list_and_in_nobodys_way() {
    let (products, cursors): (Products, Cursors) = open().await;
    let ann = someone();
    let mut ids = Vec::new();
    for minute in 0..3 {
        let body = r#"{"fileName":"p.png","fileType":"image/png","productName":"p","productPrice":1,
            "description":"Good.","quantity":1,"category":"Things"}"#;
        let new: NewProduct = input::parse(body.as_bytes()).unwrap();
        let new = ProductOffer::new(new, &ann, "USD".parse().unwrap(), now() + MINUTE * minute);
        products.create(&new).await.unwrap();
        ids.insert(0, new.product.id());
    }
    Cloud::open().await.delete_item("OffersTable", "offerId", &ids[1].to_string()).await;
    let pages = pages(1, async |page| products.list_of(ann.id(), &cursors, &page).await).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [1, 0, 1]);
    let seen: Vec<_> = pages.concat().iter().map(|found| found.product.id()).collect();
    assert_eq!(seen, [ids[0], ids[2]]);
}

#[tokio::test]
async fn what_nobody_can_read_is_on_no_list_and_the_pages_go_on_behind_it() {
    let (products, cursors, cloud): (Products, Cursors, Cloud) =
        (open().await, open().await, Cloud::open().await);
    let ann = someone();
    let mut ids = Vec::new();
    for minute in 0..4 {
        let body = r#"{"fileName":"p.png","fileType":"image/png","productName":"p","productPrice":1,
            "description":"Good.","quantity":1,"category":"Things"}"#;
        let new: NewProduct = input::parse(body.as_bytes()).unwrap();
        let new = ProductOffer::new(new, &ann, "USD".parse().unwrap(), now() + MINUTE * minute);
        products.create(&new).await.unwrap();
        ids.insert(0, new.product.id());
    }
    // A product, and the offer of another one.
    let nothing = json!({ ":nothing": { "L": [] } });
    let (product, offer) = (ids[1].to_string(), ids[2].to_string());
    cloud.update_item("ProductsTable", ("id", &product), "SET productName = :nothing", nothing.clone()).await;
    cloud.update_item("OffersTable", ("offerId", &offer), "SET price = :nothing", nothing).await;
    for (limit, sizes) in [(1, vec![1, 0, 0, 1]), (2, vec![1, 1]), (4, vec![2])] {
        let pages = pages(limit, async |page| products.list_of(ann.id(), &cursors, &page).await).await;
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), sizes, "{limit}");
        let seen: Vec<_> = pages.concat().iter().map(|found| found.product.id()).collect();
        assert_eq!(seen, [ids[0], ids[3]], "{limit}");
    }
    let waiting = products.without_picture_since(now() + DAY, 1_000).await.unwrap();
    let waiting: Vec<_> = waiting.iter().map(Product::id).collect();
    assert!(waiting.contains(&ids[0]) && !waiting.contains(&ids[1]), "{waiting:?}");
    for id in [ids[1], ids[2]] {
        cloud.delete_item("ProductsTable", "id", &id.to_string()).await;
        cloud.delete_item("OffersTable", "offerId", &id.to_string()).await;
    }
}

#[tokio::test]
async fn an_order_that_nobody_can_read_is_on_no_list_and_the_others_are() {
    let (orders, products, cursors): (Orders, Products, Cursors) = open().await;
    let (ann, tea, cloud) = (buyer().await, for_sale(&products, 9).await, Cloud::open().await);
    let mut expected = Vec::new();
    for number in 0..3 {
        expected.insert(0, placed(&orders, &ann, &[(&tea, 1)], now() + MINUTE * number).await);
    }
    let lost = expected.remove(1).to_string();
    let many = json!({ ":many": { "S": "many" } });
    cloud.update_item("OrdersTable", ("orderId", &lost), "SET attempts = :many", many).await;
    let pages = pages(1, async |page| orders.list_of(ann.id(), &cursors, &page).await).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [1, 0, 1]);
    assert_eq!(pages.concat().iter().map(Order::id).collect::<Vec<_>>(), expected);
    cloud.delete_item("OrdersTable", "orderId", &lost).await;
}
