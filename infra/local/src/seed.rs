//! The people, products, categories and the banner that a new shop has, made over its public API.
//!
//! Safe to repeat, also after a crash in the middle: it asks what there is and makes what is missing.

use anyhow::{Result, bail};
use reqwest::Method;
use serde_json::{Value, json};

use crate::catalogue::{BANNER, CATEGORIES, PRODUCTS, Picture, Product};
use crate::deploy::ADMIN;
use crate::pictures;
use crate::shop::{Answer, CODE, PASSWORD, Shop};

/// Who sells the seeded products.
const SELLER: &str = "seller@cartwright.test";
/// Who may buy them.
pub(crate) const BUYER: &str = "buyer@cartwright.test";

/// Makes the people, products, categories and the banner that are missing.
///
/// # Errors
/// The shop refuses what it should take.
pub(crate) async fn people_and_products(shop: &Shop) -> Result<()> {
    let admin = person(shop, "Admin", ADMIN).await?;
    let seller = person(shop, "Seller", SELLER).await?;
    person(shop, "Buyer", BUYER).await?;
    let there = products_of(shop, &seller).await?;
    let mut ids = Vec::new();
    // All of them are sent before any is waited for: the shop looks at their pictures side by side.
    for product in &PRODUCTS {
        let mut known = there.iter().filter(|one| one["productName"] == product.name && has_picture(one));
        let id = match known.next().and_then(|one| one["id"].as_str()) {
            Some(id) => id.to_owned(),
            None => create(shop, &seller, product).await?,
        };
        add_pictures(shop, &seller, product, &id).await?;
        ids.push(id);
    }
    // What else the seller lists waits for an admin, as it should.
    for (product, id) in PRODUCTS.iter().zip(ids) {
        let path = format!("/users/me/products/{id}");
        let all_are_there = |page: &Value| pictures_of(page).count() >= product.pictures.len();
        let page = shop.wait(&path, Some(&seller), all_are_there).await?;
        if page["isApproved"] == false || page["waitingPicture"].is_object() {
            let path = format!("/products/{id}/approval");
            shop.want(Method::PUT, &path, Some(&admin), &json!({ "approved": true })).await?;
        }
    }
    categories_and_banner(shop, &admin).await
}

/// Makes the categories and the banner that are missing.
async fn categories_and_banner(shop: &Shop, admin: &str) -> Result<()> {
    let there = shop.want(Method::GET, "/categories?limit=100", None, &Value::Null).await?.body;
    for (name, (shape, ink, ground)) in CATEGORIES {
        if has(&there, "categoryName", name) {
            continue;
        }
        let file = format!("{}.png", name.to_lowercase());
        let body = json!({ "fileName": file, "fileType": "image/png", "categoryName": name });
        let asked = shop.want(Method::POST, "/categories/upload-url", Some(admin), &body).await?;
        shop.upload(asked.text("/uploadUrl")?, "image/png", pictures::png(shape, ink, ground)?).await?;
        shop.wait("/categories?limit=100", Some(admin), |list| has(list, "categoryName", name)).await?;
    }
    let there = shop.want(Method::GET, "/banners", None, &Value::Null).await?.body;
    if there["banners"].as_array().is_some_and(|banners| !banners.is_empty()) {
        return Ok(());
    }
    let (shape, ink, ground) = BANNER;
    let body = json!({ "fileName": "welcome.png", "fileType": "image/png" });
    let asked = shop.want(Method::POST, "/banners/upload-url", Some(admin), &body).await?;
    shop.upload(asked.text("/uploadURL")?, "image/png", pictures::png(shape, ink, ground)?).await?;
    let id = asked.text("/id")?;
    shop.wait("/banners", Some(admin), |page| has(&page["banners"], "id", id)).await?;
    Ok(())
}

/// Whether one of the things in a list says this of itself.
fn has(list: &Value, member: &str, value: &str) -> bool {
    list.as_array().into_iter().flatten().any(|thing| thing[member] == value)
}

/// Signs a person in, after signing up and confirming whatever of it is missing.
async fn person(shop: &Shop, full_name: &str, email: &str) -> Result<String> {
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
async fn products_of(shop: &Shop, seller: &str) -> Result<Vec<Value>> {
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

/// Creates a product and uploads its first picture; gives its id.
async fn create(shop: &Shop, seller: &str, product: &Product) -> Result<String> {
    let body = json!({
        "fileName": file_of(product, 0),
        "fileType": "image/png",
        "productName": product.name,
        "productPrice": product.price,
        "description": product.description,
        "quantity": product.quantity,
        "category": product.category,
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
async fn upload(shop: &Shop, asked: &Answer, (shape, ink, ground): Picture) -> Result<()> {
    shop.upload(asked.text("/uploadUrl")?, "image/png", pictures::png(shape, ink, ground)?).await
}
