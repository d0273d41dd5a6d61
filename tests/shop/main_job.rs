//! The main job of the shop: a person signs up, lists a product with a picture, an admin approves it, someone orders
//! it, and the shipping email goes out. Each step within its budget of AWS calls.

use serde_json::{Value, json};
use tests::answer::calls;
use tests::shop::{CODE, Newcomer, PASSWORD, RED_PNG, Shop, history, order_id, product, unique};

const NOTHING: [(&str, u32); 0] = [];

#[tokio::test]
async fn from_sign_up_to_the_shipping_email() {
    let shop = Shop::open();
    let name = unique("Jay S Prajapati");
    let email = format!("{}@cartwright.test", name.replace(' ', ".").to_lowercase());

    let signed_up = json!({ "email": email, "fullName": name, "password": PASSWORD });
    let answer = shop.post("/sign-up", &signed_up).await;
    assert_eq!(answer.calls(), calls([("cognito-idp", 2), ("dynamodb", 4)]));
    assert_eq!(answer.is(201), json!({ "msg": "Account created. Please verify your email." }));

    let confirmation = json!({ "fullName": name, "confirmationCode": CODE });
    let answer = shop.post("/confirm-sign-up", &confirmation).await;
    assert_eq!(answer.is(200), json!({ "msg": "User successfully confirmed!" }));

    let by_name = json!({ "fullName": name, "password": PASSWORD });
    let answer = shop.post("/sign-in", &by_name).await;
    assert_eq!(answer.calls(), calls([("cognito-idp", 1), ("dynamodb", 6)]));
    let signed_in = answer.is(200);
    // From then on the account knows the address.
    let answer = shop.post("/sign-in", &by_name).await;
    assert_eq!(answer.calls(), calls([("cognito-idp", 1), ("dynamodb", 4)]));
    assert_eq!(signed_in["msg"], "User successfully signed in!");
    assert_eq!(signed_in["tokens"]["TokenType"], "Bearer");
    assert_eq!(signed_in["tokens"]["ExpiresIn"], 3600);
    for token in ["AccessToken", "IdToken", "RefreshToken"] {
        assert!(signed_in["tokens"][token].as_str().is_some_and(|token| token.len() > 20), "{signed_in}");
    }
    let jay = shop.sign_in(&Newcomer { full_name: name.clone(), email: email.clone(), username: None }).await;

    let shoes = json!({
        "fileName": "shoes.png",
        "fileType": "image/png",
        "productName": "gucci",
        "productPrice": 99.99,
        "description": "I love it.",
        "quantity": 40,
        "category": name,
    });
    let answer = jay.post("/get-upload-url", &shoes).await;
    // Whether the account is open, the limit, and both items at once.
    assert_eq!(answer.calls(), calls([("dynamodb", 3)]));
    let location = answer.header("location").map(str::to_owned);
    let listed = answer.is(201);
    let id = listed["id"].as_str().expect("an id").to_owned();
    let path = format!("/users/me/products/{id}");
    assert_eq!(location, Some(path.clone()));
    let answer = jay.get(&path).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 1)]));
    let waiting = answer.is(200);
    assert_eq!((&waiting["productName"], &waiting["isApproved"]), (&json!("gucci"), &json!(false)));
    let upload_url = listed["uploadUrl"].as_str().expect("an upload URL");
    assert_eq!(listed, json!({ "id": id, "uploadUrl": upload_url }));

    assert_eq!(shop.upload(upload_url, "image/png", RED_PNG.to_vec()).await, 200);
    let listed = tests::shop::Product { id: id.clone(), upload_url: upload_url.into(), name: "gucci".into() };
    let own = jay.own_once(&listed, "its picture waits", |own| own["waitingPicture"].is_object()).await;
    assert_eq!(own["isApproved"], false);
    assert_eq!(own["email"], email.as_str());
    let category = format!("/approve-products?category={}", name.replace(' ', "+"));
    assert_eq!(shop.get(&category).await.is(200), json!({ "products": [], "nextCursor": null }));

    let approval = format!("/products/{id}/approval");
    let answer = shop.admin().await.put(&approval, &json!({ "approved": true })).await;
    // Whether its caller is still an admin; then it is read, marked and written, and its picture copied and taken from
    // where it waited.
    assert_eq!(answer.calls(), calls([("dynamodb", 4), ("s3", 2)]));
    let approved = answer.is(200);
    assert_eq!((&approved["isApproved"], &approved["promised"]), (&json!(true), &json!(0)));

    let answer = shop.get(&category).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 2)]));
    let image_url = approved["imageUrl"].as_str().expect("a picture");
    let for_sale = json!({
        "id": id,
        "fileName": "shoes.png",
        "productName": "gucci",
        "productPrice": 99.99,
        "currency": "USD",
        "description": "I love it.",
        "quantity": 40,
        "category": name,
        "imageUrl": image_url,
        // It is narrower than each of them.
        "images": { "small": image_url, "medium": image_url, "large": image_url },
        "isApproved": true,
        "rating": { "average": null, "count": 0 },
        "createdAt": own["createdAt"],
    });
    assert_eq!(answer.is(200), json!({ "products": [for_sale], "nextCursor": null }));

    let picture = shop.download(image_url).await;
    assert_eq!(picture.status(), 200);
    assert_eq!(picture.headers()["content-type"], "image/png");
    assert_eq!(picture.bytes().await.expect("a picture"), RED_PNG);

    let answer = jay.post("/create-order", &json!({ "id": id, "quantity": 30 })).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 3), ("sqs", 1)]));
    let location = answer.header("location").map(str::to_owned);
    let placed = answer.is(201);
    let order = order_id(&placed);
    assert_eq!(location, Some(format!("/orders/{order}")));
    assert_eq!(placed, json!({ "message": "order placed successfully", "orderId": order }));
    assert_eq!(shop.stock_of(&listed).await, 10);

    let shipped = jay.order_once(&order, "shipping").await;
    let expected = json!({
        "orderId": order,
        "number": shipped["number"],
        "status": "shipping",
        "paymentMethod": "cash_on_delivery",
        "paymentStatus": "on_delivery",
        "items": [{
            "id": id, "productName": "gucci", "productPrice": 99.99, "quantity": 30, "discount": 0, "tax": 0,
            "taxRate": 0, "total": 2999.7,
        }],
        "total": 2999.7,
        "amounts": { "items": 2999.7, "discount": 0, "shipping": 0, "tax": 0, "taxIncluded": 0 },
        "currency": "USD",
        "createdAt": shipped["createdAt"],
        "updatedAt": shipped["history"][1]["at"],
        "history": [
            { "status": "pending", "at": shipped["createdAt"], "by": "buyer" },
            { "status": "shipping", "at": shipped["updatedAt"], "by": "shop" },
        ],
    });
    assert_eq!(shipped, expected);

    let mails = jay.mail_once_there_are(3).await;
    let mut subjects: Vec<_> = mails.iter().map(|mail| mail.subject.as_str()).collect();
    subjects.sort_unstable();
    assert_eq!(subjects, ["Your order of gucci is confirmed", "gucci is for sale", "gucci now shipping"]);
    let shipping = mails.iter().find(|mail| mail.subject == "gucci now shipping");
    let shipping = shipping.unwrap_or_else(|| panic!("no shipping email among {subjects:?}"));
    for told in ["gucci", "30", "2,999.70", &order] {
        assert!(shipping.text.contains(told), "{told} is not in the shipping email: {}", shipping.text);
    }
}

#[tokio::test]
async fn an_order_of_several_products_is_one_transaction() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").priced("4.50").stock(10)).await;
    let mug = ann.sells(product().named("mug").priced("12").stock(3)).await;
    let items = json!([{ "id": tea.id, "quantity": 4 }, { "id": mug.id, "quantity": 1 }]);
    let answer = bob.post("/orders", &json!({ "items": items, "paymentMethod": "cash_on_delivery" })).await;
    assert_eq!(answer.calls(), calls([("dynamodb", 3), ("sqs", 1)]));
    let order = order_id(&answer.is(201));
    let shipped = bob.order_once(&order, "shipping").await;
    assert_eq!(shipped["total"], 30);
    assert_eq!((shop.stock_of(&tea).await, shop.stock_of(&mug).await), (6, 2));
    let mails = bob.mail_once_there_are(2).await;
    let shipping =
        mails.iter().find(|mail| mail.subject.ends_with("now shipping")).expect("a shipping email");
    for told in ["tea", "mug", "30.00"] {
        assert!(shipping.text.contains(told), "{told} is not in the shipping email: {}", shipping.text);
    }
}

#[tokio::test]
async fn a_read_is_one_call_to_dynamodb_and_a_list_of_products_two() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(5)).await;
    let order = bob.buys(&tea, 1).await;
    for (answer, dynamodb) in [
        (shop.get(&tea.path()).await, 1),
        (bob.get("/orders").await, 1),
        (bob.get(&format!("/orders/{order}")).await, 1),
        // The products, and then their offers.
        (shop.get("/products").await, 2),
        (shop.get("/products?category=Things&limit=1").await, 2),
        (shop.get("/approve-products").await, 2),
        (ann.get("/users/me/products").await, 2),
        // Where there is no product there is no offer to read.
        (bob.get("/users/me/products").await, 1),
    ] {
        assert_eq!(answer.calls(), calls([("dynamodb", dynamodb)]), "{}", answer.request);
        answer.is(200);
    }
    let pending = shop.admin().await.get("/products/pending").await;
    let (calls_made, page) = (pending.calls(), pending.is(200));
    let waits = page["products"].as_array().is_some_and(|products| !products.is_empty());
    assert_eq!(calls_made, calls([("dynamodb", if waits { 2 } else { 1 })]), "{page}");
    assert_eq!(shop.get("/health").await.calls(), calls(NOTHING));
}

#[tokio::test]
async fn what_is_refused_at_the_edge_calls_nothing() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let answers = [
        ann.post("/create-order", &json!({})).await,
        ann.post("/products", &json!({})).await,
        shop.post("/sign-in", &json!({})).await,
        ann.get("/orders?limit=0").await,
        ann.get("/orders/no-id").await,
        ann.get("/products/pending").await,
    ];
    for answer in answers {
        assert_eq!(answer.calls(), calls(NOTHING), "{}", answer.request);
    }
}

#[tokio::test]
async fn what_curl_sends_by_itself_is_understood() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    // Seed 002's own commands say no content type.
    let listed = ann.request(reqwest::Method::POST, "/get-upload-url");
    let listed = listed.header("content-type", "application/x-www-form-urlencoded");
    let answer = listed.body(product().body.to_string()).send().await;
    assert!(answer.is(201)["uploadUrl"].is_string());
}

#[tokio::test]
async fn access_tokens_are_as_good_as_id_tokens() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea")).await;
    let order = shop.request(reqwest::Method::POST, "/create-order").token(&bob.tokens.access_token);
    let order = order_id(&order.json(&json!({ "id": tea.id, "quantity": 1 })).send().await.is(201));
    let shipped = bob.order_once(&order, "shipping").await;
    assert_eq!(history(&shipped), ["pending", "shipping"]);
    // The worker finds the address where it is kept, since an access token does not tell it.
    assert_eq!(bob.mail_once_there_are(2).await.len(), 2);
}

#[tokio::test]
async fn tokens_can_be_refreshed_until_the_person_signs_out() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let body =
        json!({ "refreshToken": ann.tokens.refresh_token, "username": ann.full_name.replace(' ', "_") });
    let refreshed = shop.post("/refresh-token", &body).await.is(200);
    assert_eq!(refreshed["msg"], "Tokens refreshed.");
    assert!(refreshed["tokens"]["RefreshToken"].is_null(), "{refreshed}");
    for token in ["AccessToken", "IdToken"] {
        let token = refreshed["tokens"][token].as_str().expect(token);
        shop.request(reqwest::Method::GET, "/orders").token(token).send().await.is(200);
    }
    let answer = shop.post("/sign-out", &json!({ "accessToken": ann.tokens.access_token })).await;
    assert_eq!(answer.is(200), json!({ "msg": "User successfully signed out!" }));
    shop.post("/refresh-token", &body).await.is_problem(401, "unauthenticated");
}

#[tokio::test]
async fn health_says_what_runs() {
    let shop = Shop::open();
    let expected: Value = json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION"), "stage": "local" });
    assert_eq!(shop.get("/health").await.is(200), expected);
}
