//! The stores of a new shop.

use anyhow::Result;
use reqwest::Method;
use serde_json::{Value, json};

use super::each;
use crate::catalogue::PRODUCTS;
use crate::catalogue::stores::{STORES, Store};
use crate::shop::Shop;

/// A store that is there.
pub(super) struct Opened {
    /// As what it was opened.
    pub store: &'static Store,
    pub id: String,
    /// Whether everyone sees it: not when somebody closed it.
    pub is_published: bool,
}

/// Opens and publishes the stores that are missing. What the sellers list is known.
pub(super) async fn open_all(shop: &Shop, sellers: &[String], there: &[Vec<Value>]) -> Result<Vec<Opened>> {
    let own = each(sellers, |seller| async move {
        anyhow::Ok(shop.want(Method::GET, "/users/me/stores", Some(seller), &Value::Null).await?.body)
    })
    .await?;
    each(&STORES, |store| {
        open(shop, &sellers[store.seller], store, (&own[store.seller], &there[store.seller]))
    })
    .await
}

/// Opens a store, gives it its pictures and publishes it, as far as that was not done before.
async fn open(
    shop: &Shop,
    seller: &str,
    store: &'static Store,
    (stores, products): (&Value, &[Value]),
) -> Result<Opened> {
    // Its owner may have given it another name: then it is known by what is in it.
    let is_inside = |one: &&Value| {
        PRODUCTS.iter().any(|product| store.has(product) && one["productName"] == product.name)
    };
    let has_its_products =
        |id: &Value| products.iter().filter(is_inside).any(|product| product["storeId"] == *id);
    let mut stores = stores["stores"].as_array().into_iter().flatten();
    let known = stores.find(|own| own["name"] == store.name || has_its_products(&own["id"]));
    let mut page = match known {
        Some(known) => known.clone(),
        None => {
            let body = json!({
                "name": store.name,
                "description": store.description,
                "supportEmail": store.support_email,
            });
            shop.want(Method::POST, "/stores", Some(seller), &body).await?.body
        }
    };
    let id = page["id"].as_str().unwrap_or_default().to_owned();
    for (which, shown, picture) in [("logo", "logoUrl", store.logo), ("banner", "bannerUrl", store.banner)] {
        if page[shown].is_string() {
            continue;
        }
        let file = format!("{}-{which}.png", store.file);
        let body = json!({ "picture": which, "fileName": file, "fileType": "image/png" });
        let path = format!("/stores/{id}/upload-url");
        let asked = shop.want(Method::POST, &path, Some(seller), &body).await?;
        shop.upload(asked.text("/uploadUrl")?, "image/png", picture.png()?).await?;
    }
    if page["status"] == "draft" {
        let path = format!("/stores/{id}/status");
        page = shop.want(Method::PUT, &path, Some(seller), &json!({ "status": "published" })).await?.body;
    }
    Ok(Opened { store, id, is_published: page["status"] == "published" })
}

/// Waits until the stores have their pictures.
pub(super) async fn until_seen(shop: &Shop, sellers: &[String], stores: &[Opened]) -> Result<()> {
    let have_theirs = |opened: &Opened, page: &Value| {
        let mut own = page["stores"].as_array().into_iter().flatten();
        own.any(|own| own["id"] == opened.id && own["logoUrl"].is_string() && own["bannerUrl"].is_string())
    };
    for opened in stores {
        let seller = &sellers[opened.store.seller];
        shop.wait("/users/me/stores", Some(seller), |page| have_theirs(opened, page)).await?;
    }
    Ok(())
}
