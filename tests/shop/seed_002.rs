//! The examples of seed 002, the document that Cartwright answers first, sent to the letter: `docs/seeds.md` has them
//! beside what differs here, and why.
//!
//! The person, the address and the category of the examples belong to this journey: no other test uses them.

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::Answer;
use tests::aws::Aws;
use tests::shop::{CODE, RED_PNG, Shop, subject};
use tests::wait::eventually;

const EMAIL: &str = "jayspprajapati24@gmail.com";
const SIGN_UP: &str = r#"{
  "email": "jayspprajapati24@gmail.com",
  "fullName": "Jay S Prajapati",
  "password": "passwrod123"
}"#;
const SIGN_UP_BY_CURL: &str =
    r#"{"email": "jayspprajapati24@gmail.com", "fullName": "Jay S Prajapati", "password": "Hello@123"}"#;
const CONFIRM_SIGN_UP: &str = r#"{
  "fullName": "Jay S Prajapati",
  "confirmationCode": "274023"
}"#;
const SIGN_IN: &str = r#"{
  "fullName": "Jay S Prajapati",
  "password": "passwrod123"
}"#;
const BANNER: &str = r#"{
  "fileName": "baner1.png",
  "fileType": "image/png"
}"#;
const CATEGORY: &str = r#"{
  "fileName": "fashion1.png",
  "fileType": "image/png",
  "categoryName": "fashion1"
}"#;
const PRODUCT: &str = r#"{
  "fileName": "shoes.png",
  "fileType": "image/png",
  "productName": "gucci",
  "productPrice": 100,
  "description": "I love it.",
  "quantity": 40,
  "category": "Clothes"
}"#;
/// The id is the one that the shop gave, the rest is the example's.
const ORDER: &str = r#"{
  "id": "df38e02c-2adf-4e3a-948f-c6d7bc02d767",
  "quantity": 30
}"#;
const ID_IN_ORDER: &str = "df38e02c-2adf-4e3a-948f-c6d7bc02d767";

/// Sends a text of the document as its `curl -d` does, which calls every body a form.
async fn post(shop: &Shop, path: &str, token: Option<&str>, body: &str) -> Answer {
    let mut request = shop.request(Method::POST, path);
    if let Some(token) = token {
        request = request.token(token);
    }
    request.header("content-type", "application/x-www-form-urlencoded").body(body.to_owned()).send().await
}

/// Uploads a picture, and finds the entry that shows it.
async fn shown(shop: &Shop, upload_url: &str, list: &str, entry: impl Fn(&Value) -> Option<Value>) -> Value {
    assert_eq!(shop.upload(upload_url, "image/png", RED_PNG.to_vec()).await, 200);
    eventually("the picture is shown", async || entry(&shop.get(list).await.is(200))).await
}

/// Everyone can read what is at the entry's `imageUrl`, which ends with the file's name.
async fn is_a_public_picture(shop: &Shop, entry: &Value, file: &str) {
    let url = entry["imageUrl"].as_str().expect("a picture");
    assert!(url.ends_with(&format!("-{file}")), "{url}");
    assert_eq!(shop.download(url).await.bytes().await.expect("a picture"), RED_PNG);
}

#[tokio::test]
async fn every_example_of_the_document_works() {
    let (shop, aws) = (Shop::open(), Aws::open().await);

    // authService
    let answer = post(&shop, "/sign-up", None, SIGN_UP).await;
    assert_eq!(answer.is(201), json!({ "msg": "Account created. Please verify your email." }));
    post(&shop, "/sign-up", None, SIGN_UP_BY_CURL).await.is_problem(409, "name-taken");
    // The document's code is that of one email; this cloud sends another one.
    post(&shop, "/confirm-sign-up", None, CONFIRM_SIGN_UP).await.is_problem(422, "code-mismatch");
    let answer = post(&shop, "/confirm-sign-up", None, &CONFIRM_SIGN_UP.replace("274023", CODE)).await;
    assert_eq!(answer.is(200), json!({ "msg": "User successfully confirmed!" }));
    let signed_in = post(&shop, "/sign-in", None, SIGN_IN).await.is(200);
    let token = |name: &str| signed_in["tokens"][name].as_str().expect(name).to_owned();
    let (id_token, access_token) = (token("IdToken"), token("AccessToken"));
    let expected = json!({
        "msg": "User successfully signed in!",
        "tokens": {
            "AccessToken": access_token,
            "ExpiresIn": 3600,
            "IdToken": id_token,
            "RefreshToken": token("RefreshToken"),
            "TokenType": "Bearer",
        },
    });
    assert_eq!(signed_in, expected);

    // "Stores user data in DynamoDB with a userId as the partition key", "Usernames are derived from full names".
    let user = aws.item("UsersTable", ("userId", &subject(&id_token))).await;
    assert_eq!((&user["fullName"]["S"], &user["email"]["S"]), (&json!("Jay S Prajapati"), &json!(EMAIL)));
    let by_username = json!({ "username": "Jay_S_Prajapati", "password": "passwrod123" });
    shop.post("/sign-in", &by_username).await.is(200);

    // bannerService. Uploading is for admins here.
    let admin = shop.admin().await.tokens.id_token.clone();
    let answer = post(&shop, "/banners/upload-url", Some(&admin), BANNER).await.is(201);
    let (id, url) = (answer["id"].clone(), answer["uploadURL"].as_str().expect("a URL").to_owned());
    let banner = shown(&shop, &url, "/banners", |answer| {
        let banners = answer["banners"].as_array().expect("banners");
        banners.iter().find(|banner| banner["id"] == id).cloned()
    });
    is_a_public_picture(&shop, &banner.await, "baner1.png").await;
    post(&shop, "/banners/upload-url", Some(&id_token), BANNER).await.is_problem(403, "forbidden");

    // categoryService. So it is here.
    let answer = post(&shop, "/categories/upload-url", Some(&admin), CATEGORY).await.is(201);
    let url = answer["uploadUrl"].as_str().expect("a URL");
    assert_eq!(answer, json!({ "uploadUrl": url }));
    let category = shown(&shop, url, "/categories?limit=100", |answer| {
        let categories = answer.as_array().expect("a bare array");
        categories.iter().find(|category| category["categoryName"] == "fashion1").cloned()
    });
    let category = category.await;
    let expected = json!({
        "categoryName": "fashion1", "imageUrl": category["imageUrl"], "images": category["images"],
    });
    assert_eq!(category, expected);
    is_a_public_picture(&shop, &category, "fashion1.png").await;
    post(&shop, "/categories/upload-url", Some(&id_token), CATEGORY).await.is_problem(403, "forbidden");

    // productService
    post(&shop, "/get-upload-url", None, PRODUCT).await.is_from_the_gateway(401, "Unauthorized");
    let listed = post(&shop, "/get-upload-url", Some(&id_token), PRODUCT).await.is(201);
    let id = listed["id"].as_str().expect("an id");
    let url = listed["uploadUrl"].as_str().expect("a URL");
    assert_eq!(shop.upload(url, "image/png", RED_PNG.to_vec()).await, 200);
    let own = eventually("the product has its picture", async || {
        let request = shop.request(Method::GET, "/users/me/products").token(&id_token);
        let own = request.send().await.is(200)["products"][0].clone();
        own["waitingPicture"].is_object().then_some(own)
    });
    assert_eq!(own.await["isApproved"], false);
    let approved = json!({ "approved": true });
    shop.admin().await.put(&format!("/products/{id}/approval"), &approved).await.is(200);
    let products = shop.get("/approve-products?limit=100").await.is(200);
    let products = products["products"].as_array().expect("products");
    let product = products.iter().find(|product| product["id"] == id).expect("the approved product");
    let expected = json!({
        "id": id,
        "fileName": "shoes.png",
        "productName": "gucci",
        "productPrice": 100,
        "currency": "USD",
        "description": "I love it.",
        "quantity": 40,
        "category": "Clothes",
        "imageUrl": product["imageUrl"],
        "images": product["images"],
        "isApproved": true,
        "rating": { "average": null, "count": 0 },
        "createdAt": product["createdAt"],
    });
    assert_eq!(*product, expected);
    is_a_public_picture(&shop, product, "shoes.png").await;

    // orderService
    let order = ORDER.replace(ID_IN_ORDER, id);
    post(&shop, "/create-order", None, &order).await.is_from_the_gateway(401, "Unauthorized");
    post(&shop, "/create-order", Some(&id_token), ORDER).await.is_problem(409, "not-for-sale");
    let placed = post(&shop, "/create-order", Some(&id_token), &order).await.is(201);
    let order_id = placed["orderId"].as_str().expect("an order's id");
    assert_eq!(placed, json!({ "message": "order placed successfully", "orderId": order_id }));
    // "Checks stock availability": 30 of 40 are taken, so another 30 are not to be had.
    let refused = post(&shop, "/create-order", Some(&id_token), &order).await;
    assert_eq!(refused.is_problem(409, "out-of-stock").body["available"], 10);
    eventually("the order is shipping", async || {
        let request = shop.request(Method::GET, &format!("/orders/{order_id}")).token(&id_token);
        (request.send().await.is(200)["status"] == "shipping").then_some(())
    })
    .await;
    let mail = eventually("the email is out", async || {
        let mails = shop.mail_to(EMAIL).await;
        mails.into_iter().find(|mail| mail.subject == "gucci now shipping")
    });
    assert!(mail.await.text.contains(order_id));

    // authService again, last: the tokens are of no use to Cognito afterwards.
    let sign_out = format!("{{\n  \"accessToken\": \"{access_token}\"\n}}");
    let answer = post(&shop, "/sign-out", None, &sign_out).await;
    assert_eq!(answer.is(200), json!({ "msg": "User successfully signed out!" }));
    post(&shop, "/sign-out", None, &sign_out).await.is_problem(401, "unauthenticated");
}
