//! Products whose picture never comes, and products that nobody can read.

use std::time::Duration;

use serde_json::{Value, json};
use tests::logs::count_in_logs;
use tests::shop::{BLUE_PNG, Product, RED_PNG, product, unique};
use tests::wait::a_while;

use crate::{HOUR, open};

#[tokio::test]
async fn what_has_no_picture_after_an_hour_is_deleted_and_the_admins_are_told() {
    let (shop, aws, _soon) = open().await;
    // First, what earlier tests left behind, a batch of it at a time.
    for _ in 0..5 {
        aws.run_on_schedule("clean-up-products", HOUR + Duration::from_mins(1)).await;
    }

    let ann = shop.person("Ann").await;
    let name = unique("Bare");
    let bare = ann.lists(product().named(&name)).await;
    let refused = ann.lists(product().named("refused")).await;
    assert_eq!(shop.upload(&refused.upload_url, "image/png", b"no picture".to_vec()).await, 200);
    ann.own_once(&refused, "it was looked at", |own| own["imageRejection"].is_string()).await;
    let waiting = ann.lists(product().named("waiting")).await;
    assert_eq!(shop.upload(&waiting.upload_url, "image/png", RED_PNG.to_vec()).await, 200);
    ann.own_once(&waiting, "its picture waits", |own| own["waitingPicture"].is_object()).await;
    let sold = ann.sells(product().named("sold")).await;
    let sold_bare = ann.lists(product().named("sold without a picture")).await;
    let approval = format!("{}/approval", sold_bare.path());
    shop.admin().await.put(&approval, &json!({ "approved": true })).await.is(200);

    let inbox = aws.listen_to_notices().await;
    aws.run_on_schedule("clean-up-products", HOUR - Duration::from_mins(5)).await;
    assert!(ann.own(&bare).await.is_some(), "it has not been an hour");
    aws.run_on_schedule("clean-up-products", HOUR + Duration::from_mins(1)).await;
    let notice = aws.notice_in(&inbox).await;
    assert!(notice["Subject"].as_str().is_some_and(|subject| subject.starts_with("2 products")), "{notice}");
    let message = notice["Message"].as_str().expect("a message");
    for told in [name.as_str(), &bare.id, "refused", &refused.id] {
        assert!(message.contains(told), "{told} is not in {message}");
    }
    assert!(!message.contains("waiting") && !message.contains("sold"), "{message}");
    let own = ann.get("/users/me/products").await.is(200);
    let left: Vec<_> =
        own["products"].as_array().expect("products").iter().map(|product| &product["id"]).collect();
    assert_eq!(left, [&json!(sold_bare.id), &json!(sold.id), &json!(waiting.id)]);
    // Nothing to tell, so nothing is told.
    aws.run_on_schedule("clean-up-products", HOUR + Duration::from_mins(1)).await;
    a_while().await;
    assert_eq!(aws.notices_in(&inbox).await, Vec::<Value>::new());
    aws.stop_listening(inbox).await;

    // A picture that comes too late finds no product and brings none back.
    assert_eq!(shop.upload(&bare.upload_url, "image/png", BLUE_PNG.to_vec()).await, 200);
    a_while().await;
    assert!(ann.own(&bare).await.is_none());
}

#[tokio::test]
async fn a_product_and_an_offer_that_nobody_can_read_take_no_list_away() {
    let (shop, aws, _soon) = open().await;
    let ann = shop.person("Ann").await;
    let category = unique("Things").replace(' ', "-");
    let mut sold = Vec::new();
    for _ in 0..3 {
        sold.push(ann.sells(product().in_category(&category)).await);
    }
    let nothing = json!({ ":nothing": { "L": [] } });
    let product = ("id", sold[1].id.as_str());
    aws.update_item("ProductsTable", product, "SET productName = :nothing", nothing.clone()).await;
    aws.update_item("OffersTable", ("offerId", &sold[2].id), "SET price = :nothing", nothing).await;
    let counted = count_in_logs("list-products", "UnreadableItem");
    for answer in [
        shop.get(&format!("/products?category={category}")).await,
        shop.get("/products").await,
        ann.get("/users/me/products").await,
    ] {
        let page = answer.is(200);
        let ids: Vec<_> =
            page["products"].as_array().expect("products").iter().map(|one| one["id"].clone()).collect();
        assert!(ids.contains(&json!(sold[0].id)), "{ids:?}");
        assert!(!ids.contains(&json!(sold[1].id)) && !ids.contains(&json!(sold[2].id)), "{ids:?}");
    }
    assert!(count_in_logs("list-products", "UnreadableItem") > counted, "nobody was told of them");
    for one in &sold[1..] {
        aws.delete_item("ProductsTable", "id", &one.id).await;
        aws.delete_item("OffersTable", "offerId", &one.id).await;
    }
}

#[tokio::test]
async fn pictures_that_no_product_refers_to_are_swept_and_all_others_stay() {
    let (shop, aws, _soon) = open().await;
    let ann = shop.person("Ann").await;
    let waiting = ann.lists(product().named("waiting")).await;
    assert_eq!(shop.upload(&waiting.upload_url, "image/png", RED_PNG.to_vec()).await, 200);
    ann.own_once(&waiting, "its picture waits", |own| own["waitingPicture"].is_object()).await;
    let (sold, renewed) = (ann.sells(product()).await, ann.sells(product()).await);
    let of = async |product: &Product| aws.objects_of(&product.id).await;
    let mark = async |product: &Product| {
        aws.item("ProductsTable", ("id", &product.id)).await["sweepAt"]["S"].as_str().map(str::to_owned)
    };
    for product in [&waiting, &sold, &renewed] {
        assert!(mark(product).await.is_some(), "it was not marked before its picture was put there");
    }
    // As if whoever put a picture there had died before it became the product's.
    let values = json!({ ":nothing": { "BOOL": true } });
    let forget = "SET forgotten = :nothing REMOVE imageUrl, images";
    aws.update_item("ProductsTable", ("id", &renewed.id), forget, values).await;
    let kept = [of(&waiting).await, of(&sold).await];
    assert_eq!((kept[0].len(), kept[1].len(), of(&renewed).await.len()), (1, 1, 1));

    aws.run_on_schedule("clean-up-products", Duration::from_mins(5)).await;
    assert_eq!(of(&renewed).await.len(), 1, "somebody may still be at work on it");
    // First what earlier tests left behind, a batch of it at a time.
    for _ in 0..20 {
        aws.run_on_schedule("clean-up-products", HOUR).await;
        if mark(&renewed).await.is_none() {
            break;
        }
    }
    assert_eq!(of(&renewed).await, [""; 0]);
    assert_eq!([of(&waiting).await, of(&sold).await], kept);
    for product in [&waiting, &sold, &renewed] {
        assert_eq!(mark(product).await, None);
    }
}

#[tokio::test]
async fn of_several_pictures_those_that_a_product_has_no_more_are_swept_and_one_is_enough_to_stay() {
    let (shop, aws, _soon) = open().await;
    let ann = shop.person("Ann").await;
    let adds = async |product: &Product| {
        let file = json!({ "fileName": "more.png", "fileType": "image/png" });
        let added = ann.post(&format!("{}/pictures", product.path()), &file).await.is(201);
        added["uploadUrl"].as_str().expect("a URL").to_owned()
    };
    let page = async |product: &Product| ann.get(&format!("/users/me{}", product.path())).await;
    // Of one the first picture never comes, of another none does, and of two that are sold there are two.
    let (second, none) = (ann.lists(product()).await, ann.lists(product()).await);
    let (sold, renewed) = (ann.sells(product()).await, ann.sells(product()).await);
    adds(&none).await;
    for product in [&second, &sold, &renewed] {
        assert_eq!(shop.upload(&adds(product).await, "image/png", BLUE_PNG.to_vec()).await, 200);
        ann.own_once(product, "one waits", |own| own["waitingPicture"].is_object()).await;
    }
    for product in [&sold, &renewed] {
        let approval = format!("{}/approval", product.path());
        shop.admin().await.put(&approval, &json!({ "approved": true })).await.is(200);
    }
    // As if whoever deleted the second had died before it was gone.
    let values = json!({ ":nothing": { "BOOL": true } });
    let forget = "SET forgotten = :nothing REMOVE morePictures";
    aws.update_item("ProductsTable", ("id", &renewed.id), forget, values).await;
    let of = async |product: &Product| aws.objects_of(&product.id).await;
    let kept = [of(&second).await, of(&sold).await];
    assert_eq!((kept[0].len(), kept[1].len(), of(&renewed).await.len()), (1, 2, 2));

    aws.run_on_schedule("clean-up-products", Duration::from_mins(5)).await;
    assert_eq!(of(&renewed).await.len(), 2, "somebody may still be at work on it");
    let is_marked = async || aws.item("ProductsTable", ("id", &renewed.id)).await["sweepAt"].is_object();
    // First what earlier tests left behind, a batch of it at a time.
    for _ in 0..20 {
        aws.run_on_schedule("clean-up-products", HOUR + Duration::from_mins(1)).await;
        if !is_marked().await && page(&none).await.status == 404 {
            break;
        }
    }
    page(&none).await.is_problem(404, "not-found");
    let shown = shop.get(&renewed.path()).await.is(200)["imageUrl"].clone();
    let left = of(&renewed).await;
    assert!(left.len() == 1 && shown.as_str().is_some_and(|url| url.ends_with(&left[0])), "{left:?} {shown}");
    assert_eq!([of(&second).await, of(&sold).await], kept);
    page(&second).await.is(200);
}
