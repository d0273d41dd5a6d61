//! Input that breaks a rule: a problem document that helps, nothing half-written, and never a 5xx.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::{Answer, Problem};
use tests::aws::Aws;
use tests::shop::{CODE, Newcomer, PASSWORD, Person, Request, Shop, product, unique};
use tests::template::{Operation, operations};
use tests::wait::at_once;

/// An id in our form that nothing has.
const NOBODY: &str = "01a1f83a-c81e-73c6-9369-b8a11a6916c7";

/// A route that takes a body.
struct Route {
    method: Method,
    path: String,
    caller: Caller,
    /// A body that keeps all rules of form.
    valid: Value,
    /// Whether it can do without one.
    body_is_optional: bool,
    /// The members that a body cannot do without.
    required: BTreeSet<String>,
}

enum Caller {
    Nobody,
    Anyone,
    Admin,
}

/// Every route of the contract that takes a body, but for the one whose body is signed: there nothing is read before
/// the signature. What it names in its path does not exist.
fn routes() -> Vec<Route> {
    let with_body = operations()
        .into_iter()
        .filter(|operation| !operation.body.is_null() && operation.route.function != "receive-stripe-event");
    let route = |operation: Operation| Route {
        method: operation.route.method.parse().expect("a method"),
        path: operation
            .route
            .path
            .replace("{id}", NOBODY)
            .replace("{orderId}", NOBODY)
            .replace("{productId}", NOBODY)
            .replace("{userId}", NOBODY)
            .replace("{code}", "NOBODY"),
        caller: if operation.is_public {
            Caller::Nobody
        } else if operation.who == BTreeSet::from(["admin".to_owned()]) {
            Caller::Admin
        } else {
            Caller::Anyone
        },
        valid: operation.body,
        body_is_optional: !operation.needs_body,
        required: operation.required,
    };
    let routes: Vec<_> = with_body.map(route).collect();
    assert!(routes.len() > 15, "only {} routes take a body", routes.len());
    // Of a `null` no test knows what would be right in its place.
    for route in &routes {
        let members = route.valid.as_object().expect("an object");
        assert!(!members.values().any(Value::is_null), "{}: the first example has a null", route.path);
    }
    routes
}

impl Route {
    async fn request(&self, shop: &Shop, person: &Person) -> Request {
        // Some cannot do without a key, of which each request has its own, or without what opens a guest's order.
        let key = unique("key").replace(' ', "-");
        let request = shop.request(self.method.clone(), &self.path).header("idempotency-key", &key);
        let request = request.header("order-token", "t0xpOcohAKtgwAdTxgHEcw");
        match self.caller {
            Caller::Nobody => request,
            // An access token: to change a password takes one.
            Caller::Anyone => request.token(&person.tokens.access_token),
            Caller::Admin => request.token(&shop.admin().await.tokens.access_token),
        }
    }

    async fn send(&self, shop: &Shop, person: &Person, body: &Value) -> Answer {
        self.request(shop, person).await.json(body).send().await
    }

    /// The valid body, with another member.
    fn with(&self, member: &str, value: Value) -> Value {
        let mut body = self.valid.clone();
        body[member] = value;
        body
    }
}

/// Nothing of a person's was written.
async fn has_nothing(person: &Person) {
    assert_eq!(person.get("/orders").await.is(200), json!({ "orders": [], "nextCursor": null }));
    assert_eq!(person.get("/users/me/products").await.is(200), json!({ "products": [], "nextCursor": null }));
}

fn sorted<'a>(places: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    places.into_iter().map(str::to_owned).collect()
}

fn places(problem: &Problem) -> BTreeSet<String> {
    sorted(problem.places())
}

#[tokio::test]
async fn a_body_that_is_missing_or_no_json_is_malformed() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    for route in routes() {
        let bodies = ["", " ", "{", "{\"a\":}", "no", "'a'", "{\"a\":1}}", "\u{0}", "{\"a\":\"\u{1}\"}"];
        for body in bodies.into_iter().skip(usize::from(route.body_is_optional)) {
            let answer =
                route.request(&shop, &ann).await.header("content-type", "application/json").body(body);
            let problem = answer.send().await.is_problem(400, "malformed-body");
            assert!(problem.detail().len() > 20, "{}", problem.detail());
        }
        let not_utf8 = route.request(&shop, &ann).await.body(vec![b'"', 0xff, b'"']);
        not_utf8.send().await.is_problem(400, "malformed-body");
    }
    has_nothing(&ann).await;
}

#[tokio::test]
async fn a_body_that_is_no_object_is_invalid() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    for route in routes() {
        for body in [json!(null), json!([]), json!([route.valid]), json!("text"), json!(7), json!(true)] {
            route.send(&shop, &ann, &body).await.is_problem(422, "invalid-input").at(["#"]);
        }
    }
    has_nothing(&ann).await;
}

#[tokio::test]
async fn a_key_that_is_there_twice_is_malformed() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    for route in routes() {
        let valid = route.valid.to_string();
        let member = route.valid.as_object().and_then(|body| body.keys().next()).expect("a member");
        let twice = format!("{{\"{member}\":1,{}", &valid[1..]);
        let within = format!("{{\"x\":[{{\"y\":1,\"y\":1}}],{}", &valid[1..]);
        for (body, place) in [(twice, member.as_str()), (within, "x/0/y")] {
            let answer = route.request(&shop, &ann).await.body(body).send().await;
            let problem = answer.is_problem(400, "malformed-body");
            assert_eq!(problem.detail(), format!("{place} in the body is there twice."), "{}", route.path);
        }
    }
    let order = format!(r#"{{"items":[{{"id":"{NOBODY}","quantity":1,"quantity":2}}]}}"#);
    let problem = ann.request(Method::POST, "/orders").body(order).send().await;
    let problem = problem.is_problem(400, "malformed-body");
    assert_eq!(problem.detail(), "items/0/quantity in the body is there twice.");
    has_nothing(&ann).await;
}

#[tokio::test]
async fn deeply_nested_json_is_malformed() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let nested = "[".repeat(20_000) + &"]".repeat(20_000);
    for route in routes() {
        let answer = route.request(&shop, &ann).await.body(nested.clone()).send().await;
        answer.is_problem(400, "malformed-body");
    }
}

#[tokio::test]
async fn a_body_of_another_media_type_is_unsupported() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    for route in routes() {
        for media_type in
            ["application/xml", "multipart/form-data; boundary=x", "image/png", "application/json, text/html"]
        {
            let request = route.request(&shop, &ann).await.header("content-type", media_type);
            let answer = request.body(route.valid.to_string()).send().await;
            answer.is_problem(415, "unsupported-media-type");
        }
        for (header, value) in
            [("content-type", "application/json; charset=iso-8859-1"), ("content-encoding", "gzip")]
        {
            let request = route.request(&shop, &ann).await.header(header, value);
            let problem = request.body(route.valid.to_string()).send().await;
            let problem = problem.is_problem(415, "unsupported-media-type");
            assert!(problem.detail().starts_with("Send the body "), "{}", problem.detail());
        }
    }
    has_nothing(&ann).await;
}

#[tokio::test]
async fn a_body_over_64_kb_is_too_large() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    for route in routes() {
        for bytes in [64 * 1024, 1024 * 1024] {
            let body = route.with("padding", json!("x".repeat(bytes)));
            let problem = route.send(&shop, &ann, &body).await.is_problem(413, "body-too-large");
            assert!(problem.detail().contains("64 KB"), "{}", problem.detail());
        }
    }
    has_nothing(&ann).await;
}

#[tokio::test]
async fn missing_and_unknown_fields_are_told_all_at_once() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    for route in routes() {
        let body = json!({ "unknown": 1, "a/b~c": 2, "100% größe": 3 });
        let problem = route.send(&shop, &ann, &body).await.is_problem(422, "invalid-input");
        let found = places(&problem);
        for field in ["unknown", "a~1b~0c", "100%25%20gr%C3%B6%C3%9Fe"]
            .into_iter()
            .chain(route.required.iter().map(String::as_str))
        {
            assert!(found.contains(&format!("#/{field}")), "{}: no {field} in {found:?}", route.path);
        }
        // `null` is no value.
        for field in &route.required {
            let problem = route.send(&shop, &ann, &route.with(field, Value::Null)).await;
            assert_eq!(
                places(&problem.is_problem(422, "invalid-input")),
                sorted([format!("#/{field}").as_str()])
            );
        }
    }
    has_nothing(&ann).await;
}

#[tokio::test]
async fn no_answer_is_much_longer_than_its_request() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    for route in routes() {
        let many: Value = (0..6_000).map(|number| (format!("k{number}"), json!(1))).collect();
        let problem = route.send(&shop, &ann, &many).await.is_problem(422, "invalid-input");
        assert_eq!(problem.body["errors"].as_array().map(Vec::len), Some(50), "{}", route.path);
        assert!(problem.body["moreErrors"].as_u64().is_some_and(|more| more > 5_900), "{}", route.path);
        assert!(problem.body.to_string().len() < 32 * 1024, "{}", route.path);
        for name in ["%".repeat(60_000), "🫖".repeat(15_000)] {
            let problem = route.send(&shop, &ann, &json!({ name: 1 })).await.is_problem(422, "invalid-input");
            assert!(problem.body.to_string().len() < 8 * 1024, "{}", route.path);
        }
    }
    for query in [format!("limit={}", "9".repeat(4_000)), format!("cursor={}", "x".repeat(4_000))] {
        let problem = ann.get(&format!("/orders?{query}")).await.is_problem(422, "invalid-input");
        assert!(problem.body.to_string().len() < 1024, "{}", problem.body);
    }
    has_nothing(&ann).await;
}

#[tokio::test]
async fn every_field_of_a_wrong_type_is_told_all_at_once() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    for route in routes() {
        for wrong in [json!({}), json!([1]), json!([])] {
            let members = route.valid.as_object().expect("an object").keys();
            let expected = members.clone().map(|member| format!("#/{member}")).collect::<BTreeSet<_>>();
            // Where a list is right, an object is wrong: a list may be empty, and entries have places of their own.
            // Where an object is right, a list is wrong: the members that an empty one lacks have places of their own.
            let wrong_for = |valid: &Value| match valid {
                Value::Array(_) => json!({}),
                Value::Object(_) => json!([]),
                _ => wrong.clone(),
            };
            let body: Value =
                members.map(|member| (member.clone(), wrong_for(&route.valid[member]))).collect();
            let problem = route.send(&shop, &ann, &body).await.is_problem(422, "invalid-input");
            assert_eq!(places(&problem), expected, "{} {body}", route.path);
            let errors = problem.body["errors"].as_array().expect("errors");
            assert!(
                errors
                    .iter()
                    .all(|error| error["detail"].as_str().is_some_and(|text| text.starts_with("must be")))
            );
        }
    }
    has_nothing(&ann).await;
}

#[tokio::test]
async fn texts_are_neither_empty_nor_endless_nor_of_control_characters() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    for route in routes() {
        let members = route.valid.as_object().expect("an object").iter();
        for (member, _) in members.filter(|(_, value)| value.is_string()) {
            let long = "x".repeat(10_000);
            for bad in [
                "",
                "   ",
                "\u{0}",
                "tea\u{7}",
                "tea\u{1b}[31m",
                "tea\u{2028}Total: 0",
                "\u{202e}tea",
                "\u{200b}",
                "\u{e000}",
                long.as_str(),
            ] {
                // A token may be long, and blanks are part of a password.
                let is_token = member.ends_with("Token") || member == "session";
                let is_password = member.to_lowercase().ends_with("password");
                if (is_token && (bad.len() > 9 || !bad.is_ascii()))
                    || (is_password && !bad.is_empty() && bad.len() < 20)
                {
                    continue;
                }
                let answer = route.send(&shop, &ann, &route.with(member, json!(bad))).await;
                let found = places(&answer.is_problem(422, "invalid-input"));
                let start: String = bad.chars().take(9).collect();
                assert_eq!(found, sorted([format!("#/{member}").as_str()]), "{} {start:?}", route.path);
            }
        }
    }
    has_nothing(&ann).await;
}

#[tokio::test]
async fn a_reason_and_a_description_have_rules_too() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let path = format!("/products/{NOBODY}/approval");
    for bad in ["", "\u{0}", &"x".repeat(501)] {
        let answer = shop.admin().await.put(&path, &json!({ "approved": false, "reason": bad })).await;
        answer.is_problem(422, "invalid-input").at(["#/reason"]);
    }
    let lines = ann.lists(product().with("description", json!("One litre.\r\n\tFor the dishwasher."))).await;
    assert_eq!(ann.own(&lines).await.expect("her own")["description"], "One litre.\n\tFor the dishwasher.");
    let answer = ann.post("/products", &product().named("two\nlines").body).await;
    answer.is_problem(422, "invalid-input").at(["#/productName"]);
}

#[tokio::test]
async fn what_is_strange_but_a_text_is_kept_as_it_is() {
    let ann = Shop::open().person("Ann").await;
    let as_they_are = [
        "🫖 ティーポット",
        "<b>tea</b>",
        "'; DROP TABLE products; --",
        "{{7*7}}",
        "👩\u{200d}🍳",
        "می\u{200c}خواهم",
    ];
    // One form of each character, and one space between words.
    let in_one_form = [("a \u{3000} b", "a b"), ("Jose\u{301}", "José")];
    for (name, kept) in as_they_are.map(|name| (name, name)).into_iter().chain(in_one_form) {
        let listed = ann.lists(product().named(&format!("  {name} "))).await;
        assert_eq!(ann.own(&listed).await.expect("her own")["productName"], kept);
    }
}

/// JSON texts, since some are numbers that no JSON library writes.
const NO_QUANTITIES: [&str; 12] = [
    "-1",
    "1.5",
    "1e-1",
    "10000.5",
    "4294967296",
    "1e30",
    "-0.0001",
    "0.9999999999999999",
    "1.00000000000000000000000001",
    "1e400",
    "\"3\"",
    "true",
];
const NO_PRICES: [&str; 13] = [
    "0",
    "-1",
    "-0.01",
    "0.001",
    "99.999",
    "14.309999999999999",
    "14.3100000000000000000000000000001",
    "1000000.01",
    "1e30",
    "1e-30",
    "1e400",
    "\"9\"",
    "true",
];

#[tokio::test]
async fn prices_and_stocks_that_are_none_are_refused() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let refused = async |member: &str, number: &str| {
        let body = product().with(member, json!("NUMBER")).body.to_string().replace("\"NUMBER\"", number);
        let answer = ann.request(Method::POST, "/products").body(body).send().await;
        let place = format!("#/{member}");
        assert_eq!(places(&answer.is_problem(422, "invalid-input")), sorted([place.as_str()]), "{number}");
    };
    for price in NO_PRICES {
        refused("productPrice", price).await;
    }
    for quantity in NO_QUANTITIES.into_iter().chain(["1000001"]) {
        refused("quantity", quantity).await;
    }
    has_nothing(&ann).await;
    for (price, quantity) in [("0.01", 0), ("1000000", 1_000_000), ("1e2", 1), ("100.00", 1)] {
        ann.lists(product().priced(price).stock(quantity)).await;
    }
}

#[tokio::test]
async fn quantities_that_are_none_are_refused() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(50)).await;
    // `PiecesPerLine` is 1000 here.
    for quantity in NO_QUANTITIES.into_iter().chain(["0", "1001", "10001"]) {
        for (body, place) in [
            (format!(r#"{{"id":"{}","quantity":{quantity}}}"#, tea.id), "#/quantity"),
            (format!(r#"{{"items":[{{"id":"{}","quantity":{quantity}}}]}}"#, tea.id), "#/items/0/quantity"),
        ] {
            let answer = bob.request(Method::POST, "/orders").body(body).send().await;
            answer.is_problem(422, "invalid-input").at([place]);
        }
    }
    assert_eq!(shop.stock_of(&tea).await, 50);
    has_nothing(&bob).await;
}

#[tokio::test]
async fn an_order_has_one_product_or_a_list_of_different_ones() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let line = json!({ "id": NOBODY, "quantity": 1 });
    let ids = |count: usize| {
        (0..count).map(|at| json!({ "id": format!("01a1f83a-c81e-73c6-9369-{at:012x}"), "quantity": 1 }))
    };
    let order = async |body: Value| ann.post("/orders", &body).await.is_problem(422, "invalid-input");

    let both = json!({ "id": NOBODY, "quantity": 1, "items": [line] });
    assert!(!order(both).await.places().is_empty());
    order(json!({ "items": [] })).await.at(["#/items"]);
    order(json!({ "items": ids(51).collect::<Vec<_>>() })).await.at(["#/items"]);
    order(json!({ "items": {} })).await.at(["#/items"]);
    order(json!({ "items": [line, 7, null] })).await.at(["#/items/1", "#/items/2"]);
    let twice = order(json!({ "items": [line, line] })).await;
    assert!(twice.places().iter().all(|place| place.starts_with("#/items")), "{}", twice.body);
    let faults = json!({ "items": [{ "id": "tea", "quantity": 0, "price": 1 }, { "quantity": 1 }] });
    order(faults).await.at(["#/items/0/id", "#/items/0/quantity", "#/items/0/price", "#/items/1/id"]);
    for id in ["tea", "", "01a1f83ac81e73c69369b8a11a6916c7", "{01a1f83a-c81e-73c6-9369-b8a11a6916c7}"] {
        order(json!({ "id": id, "quantity": 1 })).await.at(["#/id"]);
    }
    order(json!({ "id": NOBODY, "quantity": 1, "paymentMethod": "barter" })).await.at(["#/paymentMethod"]);

    let unknown = ann.post("/orders", &json!({ "items": ids(50).collect::<Vec<_>>() })).await;
    unknown.is_problem(409, "not-for-sale");
    has_nothing(&ann).await;
}

#[tokio::test]
async fn an_unknown_or_deleted_product_is_not_for_sale() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(5)).await;
    bob.buys(&tea, 1).await;
    ann.request(Method::DELETE, &tea.path()).send().await.is(204);
    for id in [tea.id.as_str(), NOBODY] {
        let answer = bob.post("/create-order", &json!({ "id": id, "quantity": 1 })).await;
        assert_eq!(answer.is_problem(409, "not-for-sale").body["productId"], id);
        shop.get(&format!("/products/{id}")).await.is_problem(404, "not-found");
        let approval = json!({ "approved": true });
        let answer = shop.admin().await.put(&format!("/products/{id}/approval"), &approval).await;
        answer.is_problem(404, "not-found");
    }
    // What was bought before is still the buyer's.
    let page = bob.get("/orders").await.is(200);
    assert_eq!(page["orders"][0]["items"][0]["productName"], "tea");
}

#[tokio::test]
async fn what_is_no_id_is_not_found() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    for id in ["1", "null", "01A1F83A-C81E-73C6-9369-B8A11A6916C7", "%00", "'", &"x".repeat(2000)] {
        shop.get(&format!("/products/{id}")).await.is_problem(404, "not-found");
        ann.get(&format!("/orders/{id}")).await.is_problem(404, "not-found");
        ann.cancels(id).await.is_problem(404, "not-found");
    }
}

#[tokio::test]
async fn an_unknown_path_or_method_is_not_found() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    for (method, path) in [
        (Method::GET, "/nothing"),
        (Method::GET, "/products/a/b/c"),
        (Method::GET, "/sign-up"),
        (Method::DELETE, "/products"),
        (Method::PATCH, "/orders"),
        (Method::PUT, "/create-order"),
        (Method::POST, "/health"),
    ] {
        ann.request(method, path).send().await.is_from_the_gateway(404, "Not Found");
    }
}

#[tokio::test]
async fn a_missing_bad_or_changed_token_is_refused() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let [head, claims, signature] = parts(&ann.tokens.id_token);
    let [_, of_bob, signature_of_bob] = parts(&bob.tokens.id_token);
    // `{"alg":"none"}`
    let unsigned = format!("eyJhbGciOiJub25lIn0.{claims}.");
    let tokens = [
        String::new(),
        "nonsense".into(),
        "a.b.c".into(),
        unsigned,
        format!("{head}.{of_bob}.{signature}"),
        format!("{head}.{claims}.{signature_of_bob}"),
        format!("{head}.{claims}"),
    ];
    for operation in operations().into_iter().filter(|operation| !operation.is_public) {
        let method: Method = operation.route.method.parse().expect("a method");
        let path = &operation.route.path.replace(['{', '}'], "");
        shop.request(method.clone(), path).send().await.is_from_the_gateway(401, "Unauthorized");
        for token in &tokens {
            let answer = shop.request(method.clone(), path).token(token).send().await;
            answer.is_from_the_gateway(401, "Unauthorized");
        }
        let basic = shop.request(method, path).header("authorization", "Basic YW5uOnRlYQ==").send().await;
        basic.is_from_the_gateway(401, "Unauthorized");
    }
}

fn parts(token: &str) -> [&str; 3] {
    token.split('.').collect::<Vec<_>>().try_into().expect("a token has three parts")
}

#[tokio::test]
async fn a_token_of_another_user_pool_is_refused() {
    let shop = Shop::open();
    let token = Aws::open().await.foreign_token().await;
    assert_eq!(parts(&token).len(), 3);
    for path in ["/orders", "/users/me/products"] {
        shop.request(Method::GET, path).token(&token).send().await.is_from_the_gateway(401, "Unauthorized");
    }
    shop.post("/sign-out", &json!({ "accessToken": "nonsense" })).await.is_problem(401, "unauthenticated");
    shop.post("/refresh-token", &json!({ "refreshToken": "nonsense" }))
        .await
        .is_problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_password_against_the_policy_is_refused_with_its_reason() {
    let shop = Shop::open();
    for (password, reason) in [("short-1", "8"), ("no-digits-here", "numeric"), ("12345678", "lowercase")] {
        let mut body = Newcomer::named(&unique("Ann")).body();
        body["password"] = json!(password);
        let answer = shop.post("/sign-up", &body).await;
        let problem = answer.is_problem(422, "invalid-input").at(["#/password"]);
        assert!(problem.body.to_string().contains(reason), "{}", problem.body);
        let sign_in = json!({ "email": body["email"], "password": PASSWORD });
        shop.post("/sign-in", &sign_in).await.is_problem(401, "wrong-credentials");
    }
}

#[tokio::test]
async fn what_is_no_email_address_is_refused() {
    let shop = Shop::open();
    for email in [
        "ann",
        "ann@",
        "@cartwright.test",
        "a b@cartwright.test",
        "ann@cart@wright.test",
        "ann@x\r\nBcc: b@x.test",
    ] {
        let body = json!({ "email": email, "fullName": unique("Ann"), "password": PASSWORD });
        shop.post("/sign-up", &body).await.is_problem(422, "invalid-input").at(["#/email"]);
    }
}

#[tokio::test]
async fn an_account_is_named_in_exactly_one_way() {
    let shop = Shop::open();
    for path in ["/confirm-sign-up", "/resend-code", "/sign-in"] {
        let with = |mut body: Value| {
            match path {
                "/confirm-sign-up" => body["confirmationCode"] = json!(CODE),
                "/sign-in" => body["password"] = json!(PASSWORD),
                _ => {}
            }
            body
        };
        let by_address_as_well = json!({ "fullName": "Ann", "email": "ann@cartwright.test" });
        // An address names no account that is to be confirmed.
        let place = if path == "/sign-in" { "#" } else { "#/email" };
        for (body, place) in [(json!({}), "#"), (by_address_as_well, place)] {
            shop.post(path, &with(body)).await.is_problem(422, "invalid-input").at([place]);
        }
    }
}

#[tokio::test]
async fn who_has_not_confirmed_cannot_sign_in() {
    let shop = Shop::open();
    let newcomer = Newcomer::named(&unique("Ann"));
    shop.sign_up(&newcomer).await.is(201);
    let username = newcomer.full_name.replace(' ', "_");
    for name in [json!({ "fullName": newcomer.full_name }), json!({ "username": username })] {
        let mut body = name.clone();
        body["password"] = json!(PASSWORD);
        shop.post("/sign-in", &body).await.is_problem(401, "wrong-credentials");
    }
    for wrong in ["654321", "000000"] {
        let body = json!({ "fullName": newcomer.full_name, "confirmationCode": wrong });
        shop.post("/confirm-sign-up", &body).await.is_problem(422, "code-mismatch");
    }
    let resent = shop.post("/resend-code", &json!({ "fullName": newcomer.full_name })).await.is(200);
    assert_eq!(resent, json!({ "msg": "Confirmation code sent." }));
    shop.confirm(&newcomer).await.is(200);
    shop.confirm(&newcomer).await.is_problem(422, "code-mismatch");
    let ann = shop.sign_in(&newcomer).await;
    has_nothing(&ann).await;
}

#[tokio::test]
async fn bad_requests_at_once_leave_nothing_behind() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let tea = ann.sells(product().named("tea").stock(5)).await;
    let answers = at_once(30, |number| {
        let (bob, id) = (bob.clone(), tea.id.clone());
        async move {
            let quantity = [json!(0), json!(6), json!("1")][number % 3].clone();
            bob.post("/create-order", &json!({ "id": id, "quantity": quantity })).await
        }
    });
    for answer in answers.await {
        assert!([409, 422].contains(&answer.status), "{answer:?}");
    }
    assert_eq!(shop.stock_of(&tea).await, 5);
    has_nothing(&bob).await;
}
