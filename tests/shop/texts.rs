//! What people write: the same text is the same thing whatever typed it.

use reqwest::Method;
use serde_json::{Value, json};
use tests::shop::{Newcomer, PASSWORD, Shop, product, unique};

async fn signs_in(shop: &Shop, name: &str, value: &str, password: &str) -> u16 {
    shop.post("/sign-in", &json!({ name: value, "password": password })).await.status
}

#[tokio::test]
async fn a_name_and_a_password_are_the_same_from_every_keyboard() {
    let shop = Shop::open();
    let mut jose = Newcomer::named(&unique("José"));
    jose.email = format!("{}@cartwright.test", unique("jose").replace(' ', "."));
    let mut body = jose.body();
    body["password"] = json!("Contraseña\u{a0}1é");
    shop.post("/sign-up", &body).await.is(201);
    shop.confirm(&jose).await.is(200);
    let on_a_mac = jose.full_name.replace('é', "e\u{301}").replace(' ', " \u{3000}");
    for name in [&jose.full_name, &on_a_mac] {
        for password in ["Contraseña 1é", "Contrasen\u{303}a\u{2003}1e\u{301}"] {
            assert_eq!(signs_in(&shop, "fullName", name, password).await, 200, "{name} {password}");
        }
    }
    assert_eq!(signs_in(&shop, "fullName", &jose.full_name, "Contrasena 1e").await, 401);
    let again = Newcomer { email: format!("x.{}", jose.email), full_name: on_a_mac, username: None };
    shop.sign_up(&again).await.is_problem(409, "name-taken");
}

#[tokio::test]
async fn an_address_at_a_domain_of_any_script_is_one_address() {
    let shop = Shop::open();
    let mut pat = Newcomer::named(&unique("Pat"));
    let local = pat.email.split('@').next().expect("a local part").to_owned();
    pat.email = format!("{local}@München.example");
    shop.sign_up(&pat).await.is(201);
    shop.confirm(&pat).await.is(200);
    for domain in ["münchen.example", "mu\u{308}nchen.example", "XN--MNCHEN-3YA.example"] {
        let email = format!("{local}@{domain}");
        assert_eq!(signs_in(&shop, "email", &email, PASSWORD).await, 200, "{email}");
    }
    let pat = shop.sign_in(&pat).await;
    let tea = pat.lists(product().named("tea")).await;
    assert_eq!(pat.own(&tea).await.expect("his own")["email"], format!("{local}@münchen.example"));
}

#[tokio::test]
async fn a_category_is_found_in_whichever_form_its_name_is_sent() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let category = unique("Größe");
    let tea = ann.sells(product().named("tea").with("category", json!(category))).await;
    for name in [category.clone(), category.replace('ö', "o\u{308}"), category.replace(' ', "  ")] {
        let mut query = form_urlencoded(&name);
        query.insert_str(0, "/products?category=");
        let page = shop.get(&query).await.is(200);
        assert_eq!(page["products"][0]["id"], tea.id, "{name}");
    }
}

fn form_urlencoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn an_id_is_the_same_in_capitals_and_an_empty_cursor_is_none() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(5)).await;
    let capitals = tea.id.to_uppercase();
    assert_eq!(shop.get(&format!("/products/{capitals}")).await.is(200)["id"], tea.id);
    let order = bob.post("/orders", &json!({ "id": capitals, "quantity": 1 })).await.is(201);
    let order = order["orderId"].as_str().expect("an id");
    bob.order_once(order, "shipping").await;
    let order = order.to_uppercase();
    assert_eq!(bob.get(&format!("/orders/{order}")).await.is(200)["items"][0]["id"], tea.id);
    let twice = json!({ "items": [{ "id": tea.id, "quantity": 1 }, { "id": capitals, "quantity": 1 }] });
    bob.post("/orders", &twice).await.is_problem(422, "invalid-input");

    let first = bob.get("/orders").await.is(200);
    for query in ["cursor=", "cursor=&limit=", "limit=20.0", "limit=2e1"] {
        assert_eq!(bob.get(&format!("/orders?{query}")).await.is(200), first, "{query}");
    }
    for limit in ["%2B5", "+5", "05", "%205", "5%20", "0x5", "1e400", "0.9999999999999999999"] {
        bob.get(&format!("/orders?limit={limit}")).await.is_problem(422, "invalid-input").at(["limit"]);
    }
}

#[tokio::test]
async fn a_media_type_is_the_same_in_capitals() {
    let ann = Shop::open().person("Ann").await;
    let listed = product().with("fileType", json!("image/PNG")).body;
    let answer: Value = ann.request(Method::POST, "/products").json(&listed).send().await.is(201);
    assert!(answer["uploadUrl"].is_string(), "{answer}");
}
