//! The people, stores, products, reviews, categories and the banner that a new shop has, made over its public API.
//!
//! Safe to repeat, also after a crash in the middle: it asks what there is and makes what is missing.

mod reviews;
mod stores;

use anyhow::{Result, bail};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use reqwest::Method;
use serde_json::{Value, json};

use self::stores::Opened;
use crate::catalogue::reviews::REVIEWERS;
use crate::catalogue::{BANNER, CATEGORIES, PRODUCTS, Person, Product, SELLERS};
use crate::deploy;
use crate::pictures::Picture;
use crate::shop::{Answer, CODE, PASSWORD, Shop};

/// Who runs the shop.
const ADMIN: Person = Person { full_name: "Admin", email: deploy::ADMIN };
/// Who may buy what is for sale.
pub(crate) const BUYER: Person = Person { full_name: "Buyer", email: "buyer@cartwright.test" };

/// So many things are made at the same moment. Each takes a function's process, and a laptop has few cores.
const AT_ONCE: usize = 6;

/// A product that is there.
struct Listed {
    id: String,
    /// Who sells it, of [`SELLERS`].
    seller: usize,
    /// Whether a piece of it can be ordered.
    is_sold: bool,
}

/// Makes what tests begin with, as far as it is missing: people, the products of one seller, categories and the banner.
///
/// # Errors
/// The shop refuses what it should take.
pub(crate) async fn people_and_products(shop: &Shop) -> Result<()> {
    let (admin, sellers, _) =
        tokio::try_join!(person(shop, &ADMIN), people(shop, &SELLERS[..1]), person(shop, &BUYER))?;
    let products = async {
        let there = each(&sellers, |seller| products_of(shop, seller)).await?;
        products(shop, &admin, &sellers, &there, &[]).await
    };
    tokio::try_join!(products, categories_and_banner(shop, &admin))?;
    Ok(())
}

/// Makes what people look at, as far as it is missing: the same, the products divided among stores, and reviews.
///
/// # Errors
/// The shop refuses what it should take.
pub(crate) async fn whole_shop(shop: &Shop) -> Result<()> {
    let (admin, sellers, _) =
        tokio::try_join!(person(shop, &ADMIN), people(shop, &SELLERS), person(shop, &BUYER))?;
    let products = async {
        let there = each(&sellers, |seller| products_of(shop, seller)).await?;
        let stores = stores::open_all(shop, &sellers, &there).await?;
        let listed = products(shop, &admin, &sellers, &there, &stores).await?;
        anyhow::Ok((stores, listed))
    };
    // It takes the longest: there is time to sign others up.
    let reviewers = each(&REVIEWERS, |reviewer| person(shop, &reviewer.person));
    let ((stores, listed), reviewers, ()) =
        tokio::try_join!(products, reviewers, categories_and_banner(shop, &admin))?;
    reviews::write_all(shop, &reviewers, &sellers, &listed).await?;
    stores::until_seen(shop, &sellers, &stores).await
}

/// Makes the products that are missing, each in its store if that is among these, and has them approved; gives all of
/// them in their order. What the sellers have is known.
async fn products(
    shop: &Shop,
    admin: &str,
    sellers: &[String],
    there: &[Vec<Value>],
    stores: &[Opened],
) -> Result<Vec<Listed>> {
    // All of them are sent before any is waited for: the shop looks at their pictures side by side.
    let sent = each(&PRODUCTS, |product| send(shop, sellers, there, stores, product)).await?;
    let sent = PRODUCTS.iter().zip(sent);
    each(sent, |(product, (seller, id))| async move {
        let is_sold = approve(shop, admin, &sellers[seller], stores, (product, &id)).await?;
        anyhow::Ok(Listed { id, seller, is_sold })
    })
    .await
}

/// Lists a product with all its pictures, as far as they are missing; gives who sells it, and its id.
async fn send(
    shop: &Shop,
    sellers: &[String],
    there: &[Vec<Value>],
    stores: &[Opened],
    product: &Product,
) -> Result<(usize, String)> {
    let known = there.iter().enumerate().find_map(|(seller, products)| {
        let mut known = products.iter().filter(|one| one["productName"] == product.name && has_picture(one));
        Some((seller, known.next()?["id"].as_str()?.to_owned()))
    });
    let (seller, id) = match known {
        Some(known) => known,
        None => {
            let home = stores.iter().find(|opened| opened.store.has(product));
            let seller = home.map_or(0, |opened| opened.store.seller);
            let store = home.map(|opened| opened.id.as_str());
            (seller, create(shop, &sellers[seller], product, store).await?)
        }
    };
    add_pictures(shop, &sellers[seller], product, &id).await?;
    Ok((seller, id))
}

/// Has a product approved once its pictures are there; gives whether it can be ordered. What else the seller lists
/// waits for an admin, as it should; and nothing comes on sale in a store that somebody closed.
async fn approve(
    shop: &Shop,
    admin: &str,
    seller: &str,
    stores: &[Opened],
    (product, id): (&Product, &str),
) -> Result<bool> {
    let path = format!("/users/me/products/{id}");
    let all_are_there = |page: &Value| pictures_of(page).count() >= product.pictures.len();
    let page = shop.wait(&path, Some(seller), all_are_there).await?;
    if stores.iter().any(|opened| !opened.is_published && page["storeId"] == opened.id) {
        return Ok(false);
    }
    if page["isApproved"] == false || page["waitingPicture"].is_object() {
        let path = format!("/products/{id}/approval");
        shop.want(Method::PUT, &path, Some(admin), &json!({ "approved": true })).await?;
    }
    Ok(page["quantity"].as_u64().is_some_and(|pieces| pieces > 0))
}

/// Makes the categories and the banner that are missing.
async fn categories_and_banner(shop: &Shop, admin: &str) -> Result<()> {
    let there = shop.want(Method::GET, "/categories?limit=100", None, &Value::Null).await?.body;
    for (name, picture) in CATEGORIES {
        if has(&there, "categoryName", name) {
            continue;
        }
        let file = format!("{}.png", name.to_lowercase());
        let body = json!({ "fileName": file, "fileType": "image/png", "categoryName": name });
        let asked = shop.want(Method::POST, "/categories/upload-url", Some(admin), &body).await?;
        shop.upload(asked.text("/uploadUrl")?, "image/png", picture.png()?).await?;
        shop.wait("/categories?limit=100", Some(admin), |list| has(list, "categoryName", name)).await?;
    }
    let there = shop.want(Method::GET, "/banners", None, &Value::Null).await?.body;
    if there["banners"].as_array().is_some_and(|banners| !banners.is_empty()) {
        return Ok(());
    }
    let body = json!({ "fileName": "welcome.png", "fileType": "image/png" });
    let asked = shop.want(Method::POST, "/banners/upload-url", Some(admin), &body).await?;
    shop.upload(asked.text("/uploadURL")?, "image/png", BANNER.png()?).await?;
    let id = asked.text("/id")?;
    shop.wait("/banners", Some(admin), |page| has(&page["banners"], "id", id)).await?;
    Ok(())
}

/// Whether one of the things in a list says this of itself.
fn has(list: &Value, member: &str, value: &str) -> bool {
    list.as_array().into_iter().flatten().any(|thing| thing[member] == value)
}

/// Does something with each of some things, a few at the same moment; what comes of them is in their order.
async fn each<T, R, F>(things: impl IntoIterator<Item = T>, what: impl FnMut(T) -> F) -> Result<Vec<R>>
where
    F: Future<Output = Result<R>>,
{
    stream::iter(things).map(what).buffered(AT_ONCE).try_collect().await
}

/// Signs people in, as [`person`] does.
async fn people(shop: &Shop, people: &[Person]) -> Result<Vec<String>> {
    each(people, |one| person(shop, one)).await
}

/// Signs a person in, after signing up and confirming whatever of it is missing.
async fn person(shop: &Shop, Person { full_name, email }: &Person) -> Result<String> {
    let credentials = json!({ "email": email, "password": PASSWORD });
    let first = shop.send(Method::POST, "/sign-in", None, &credentials).await?;
    if first.status == 200 {
        return Ok(first.text("/tokens/IdToken")?.to_owned());
    }
    let new = json!({ "email": email, "fullName": full_name, "password": PASSWORD });
    let created = shop.send(Method::POST, "/sign-up", None, &new).await?;
    if created.status != 201 && created.status != 409 {
        bail!("POST /sign-up answered {}: {}", created.status, created.body);
    }
    let code = json!({ "fullName": full_name, "confirmationCode": CODE });
    shop.want(Method::POST, "/confirm-sign-up", None, &code).await?;
    shop.sign_in(email).await
}

/// All products of a seller, page by page.
///
/// # Errors
/// The shop refuses.
pub(crate) async fn products_of(shop: &Shop, seller: &str) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/users/me/products?limit=100{cursor}");
        let page = shop.want(Method::GET, &path, Some(seller), &Value::Null).await?;
        all.extend(page.body["products"].as_array().into_iter().flatten().cloned());
        match page.body["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(all),
        }
    }
}

/// Whether a product has a picture, be it shown or one that waits for an admin.
fn has_picture(product: &Value) -> bool {
    product["imageUrl"].is_string() || product["waitingPicture"].is_object()
}

/// The pictures of a product that are shown or wait for an admin.
fn pictures_of(page: &Value) -> impl Iterator<Item = &Value> {
    page["pictures"].as_array().into_iter().flatten().filter(|picture| has_picture(picture))
}

/// What a picture of a product is called.
fn file_of(product: &Product, number: usize) -> String {
    format!("{}-{}.png", product.file, number + 1)
}

/// Creates a product, in a store if it has one, and uploads its first picture; gives its id.
async fn create(shop: &Shop, seller: &str, product: &Product, store: Option<&str>) -> Result<String> {
    let body = json!({
        "fileName": file_of(product, 0),
        "fileType": "image/png",
        "productName": product.name,
        "productPrice": product.price,
        "description": product.description,
        "quantity": product.quantity,
        "category": product.category,
        "storeId": store,
    });
    let created = shop.want(Method::POST, "/products", Some(seller), &body).await?;
    upload(shop, &created, product.pictures[0]).await?;
    Ok(created.text("/id")?.to_owned())
}

/// Adds the pictures of a product that it does not have yet.
async fn add_pictures(shop: &Shop, seller: &str, product: &Product, id: &str) -> Result<()> {
    if product.pictures.len() == 1 {
        return Ok(());
    }
    let path = format!("/users/me/products/{id}");
    let page = shop.want(Method::GET, &path, Some(seller), &Value::Null).await?.body;
    // The first was sent a moment ago.
    let known = pictures_of(&page).count().max(1);
    for (number, picture) in product.pictures.iter().enumerate().skip(known) {
        let body = json!({ "fileName": file_of(product, number), "fileType": "image/png" });
        let path = format!("/products/{id}/pictures");
        let added = shop.want(Method::POST, &path, Some(seller), &body).await?;
        upload(shop, &added, *picture).await?;
    }
    Ok(())
}

/// Uploads a picture to where the shop said.
async fn upload(shop: &Shop, asked: &Answer, picture: Picture) -> Result<()> {
    shop.upload(asked.text("/uploadUrl")?, "image/png", picture.png()?).await
}
