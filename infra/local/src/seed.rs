//! The people, products, categories and the banner that a new shop has, made over its public API.
//!
//! Safe to repeat, also after a crash in the middle: it asks what there is and makes what is missing.

use anyhow::{Result, bail};
use reqwest::Method;
use serde_json::{Value, json};

use crate::deploy::ADMIN;
use crate::pictures::{self, Shape};
use crate::shop::{CODE, PASSWORD, Shop};

/// Who sells the seeded products.
const SELLER: &str = "seller@cartwright.test";
/// Who may buy them.
pub(crate) const BUYER: &str = "buyer@cartwright.test";

/// A shape, its colour and that of its ground.
type Picture = (Shape, [u8; 3], [u8; 3]);

struct Product {
    name: &'static str,
    category: &'static str,
    price: f64,
    quantity: u32,
    description: &'static str,
    picture: Picture,
}

const PRODUCTS: [Product; 6] = [
    Product {
        name: "Stoneware mug",
        category: "Home",
        price: 14.5,
        quantity: 120,
        description: "Holds a third of a litre and keeps it warm.",
        picture: (Shape::Disc, [46, 92, 138], [232, 238, 244]),
    },
    Product {
        name: "Linen throw",
        category: "Home",
        price: 59.0,
        quantity: 25,
        description: "Washed linen, 130 by 170 centimetres.",
        picture: (Shape::Stripes, [214, 178, 120], [250, 244, 232]),
    },
    Product {
        name: "Canvas shoes",
        category: "Clothes",
        price: 79.95,
        quantity: 40,
        description: "Light shoes with a rubber sole, for summer and for the city.",
        picture: (Shape::Diamond, [176, 58, 46], [250, 235, 230]),
    },
    Product {
        name: "Wool scarf",
        category: "Clothes",
        price: 39.0,
        quantity: 60,
        description: "Two metres of lambswool, woven, not knitted.",
        picture: (Shape::Checks, [88, 110, 68], [226, 232, 214]),
    },
    Product {
        name: "Pocket atlas",
        category: "Books",
        price: 18.25,
        quantity: 200,
        description: "All countries on 180 pages that fit a coat pocket.",
        picture: (Shape::Ring, [64, 64, 96], [240, 240, 248]),
    },
    Product {
        name: "Rust by candlelight",
        category: "Books",
        price: 24.99,
        quantity: 80,
        description: "Essays on programs that do not fall over at night.",
        picture: (Shape::Dots, [200, 96, 32], [48, 36, 32]),
    },
];

/// The categories of the products, each with its picture.
const CATEGORIES: [(&str, Picture); 3] = [
    ("Books", (Shape::Stripes, [64, 64, 96], [240, 240, 248])),
    ("Clothes", (Shape::Checks, [176, 58, 46], [250, 235, 230])),
    ("Home", (Shape::Ring, [46, 92, 138], [232, 238, 244])),
];
/// The picture at the top of the shop.
const BANNER: Picture = (Shape::Diamond, [200, 96, 32], [255, 246, 230]);

/// Makes the people, products, categories and the banner that are missing.
///
/// # Errors
/// The shop refuses what it should take.
pub(crate) async fn people_and_products(shop: &Shop) -> Result<()> {
    let admin = person(shop, "Admin", ADMIN).await?;
    let seller = person(shop, "Seller", SELLER).await?;
    person(shop, "Buyer", BUYER).await?;
    let mut there = products_of(shop, &seller).await?;
    for product in &PRODUCTS {
        if !there.iter().any(|one| one["productName"] == product.name && has_picture(one)) {
            create(shop, &seller, product).await?;
        }
    }
    there = products_of(shop, &seller).await?;
    // What else the seller lists waits for an admin, as it should.
    there.retain(|one| PRODUCTS.iter().any(|product| one["productName"] == product.name));
    for product in there.iter().filter(|one| has_picture(one) && one["isApproved"] == false) {
        let path = format!("/products/{}/approval", product["id"].as_str().unwrap_or_default());
        shop.want(Method::PUT, &path, Some(&admin), &json!({ "approved": true })).await?;
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

/// Creates a product, uploads its picture and waits until the shop has taken it.
async fn create(shop: &Shop, seller: &str, product: &Product) -> Result<()> {
    let file = format!("{}.png", product.name.to_lowercase().replace(' ', "-"));
    let body = json!({
        "fileName": file,
        "fileType": "image/png",
        "productName": product.name,
        "productPrice": product.price,
        "description": product.description,
        "quantity": product.quantity,
        "category": product.category,
    });
    let created = shop.want(Method::POST, "/products", Some(seller), &body).await?;
    let (shape, ink, ground) = product.picture;
    shop.upload(created.text("/uploadUrl")?, "image/png", pictures::png(shape, ink, ground)?).await?;
    let id = created.text("/id")?.to_owned();
    let taken = |page: &Value| {
        let mut products = page["products"].as_array().into_iter().flatten();
        products.any(|one| one["id"] == id.as_str() && has_picture(one))
    };
    shop.wait("/users/me/products?limit=100", Some(seller), taken).await?;
    Ok(())
}
