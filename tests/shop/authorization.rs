//! Who may do what: every route of the contract, called by everyone, lets in whom its `security` and its `x-who` name.
//!
//! The contract is read, so that a new route is walked without a word here. A route of an owner needs its kind of thing
//! in [`People::thing`].

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::Answer;
use tests::aws::Aws;
use tests::shop::{Newcomer, Person, Product, Shop, order_id, product};
use tests::template::{Operation, Route, operations};

/// An id in our form that nothing has.
const NOBODY: &str = "01a1f83a-c81e-73c6-9369-b8a11a6916c7";

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// Nobody whom we know: without a token, or with one that proves nothing.
    Unknown,
    /// Someone who signed in. For a thing that has an owner: another one.
    Customer,
    /// Another one, of the group `seller`.
    Seller,
    /// Who runs the shop.
    Admin,
    /// The thing's owner.
    Owner,
}

/// How far a call came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reached {
    /// API Gateway did not take the token.
    Unauthenticated,
    /// The function said that this is not for the caller.
    Forbidden,
    /// The function said that there is no such thing.
    Nothing,
    /// The function did what was asked, or refused what was said rather than who said it.
    Inside,
}

fn reached(answer: &Answer) -> Reached {
    let kind = answer.body["type"].as_str().and_then(|kind| kind.rsplit(':').next());
    match (answer.status, kind) {
        (401, None) if answer.body == json!({ "message": "Unauthorized" }) => Reached::Unauthenticated,
        (403, Some("forbidden")) => Reached::Forbidden,
        (404, Some("not-found")) => Reached::Nothing,
        (200..500, _) if answer.header("x-request-id").is_some() => Reached::Inside,
        _ => panic!("{} answered {} {}", answer.request, answer.status, answer.body),
    }
}

/// Where the contract lets a caller come. A thing that is not there is found missing behind the check and not before
/// it.
fn may_reach(operation: &Operation, who: Who) -> &'static [Reached] {
    let named = |name: &str| operation.who.contains(name);
    match who {
        _ if named("public") => &[Reached::Inside, Reached::Nothing],
        Who::Unknown => &[Reached::Unauthenticated],
        _ if named("user") => &[Reached::Inside, Reached::Nothing],
        Who::Admin if named("admin") && named("owner") => &[Reached::Inside],
        Who::Admin if named("admin") => &[Reached::Inside, Reached::Nothing],
        Who::Owner if named("owner") => &[Reached::Inside],
        // Of what another owns: not even that it is there, unless everyone can see it.
        _ if named("owner") => &[Reached::Nothing, Reached::Forbidden],
        _ => &[Reached::Forbidden],
    }
}

struct People {
    ann: Person,
    bob: Person,
    seller: Person,
    admin: Person,
    /// Who deletes the account.
    leaving: Person,
    tea: Product,
    cup: Product,
    /// A store of Ann's: nobody may have many.
    store: String,
    /// Tokens that prove nothing, by what is wrong with them.
    bad_tokens: Vec<(&'static str, String)>,
}

impl People {
    async fn gather(shop: &Shop, aws: &Aws) -> Self {
        let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
        // Neither seller of the two calls for the other's.
        let tea = shop.person("Cleo").await.sells(product().named("tea").stock(100)).await;
        let cup = ann.sells(product().named("cup").stock(100)).await;
        let bad_tokens = vec![
            ("broken", "nonsense".into()),
            ("of another user pool", aws.foreign_token().await),
            ("that says it is of another user pool", with_claim(&ann, "iss", json!("https://shop.test"))),
            ("expired", with_claim(&ann, "exp", json!(1))),
            ("that says it is an admin's", with_claim(&ann, "cognito:groups", json!(["admin"]))),
            ("that says it is somebody else's", with_claim(&ann, "sub", json!(NOBODY))),
        ];
        let seller = a_seller(shop, aws).await;
        let store = ann.post("/stores", &json!({ "name": tests::shop::unique("Tea") })).await.is(201);
        let store = store["id"].as_str().expect("an id").to_owned();
        let (admin, leaving) = (shop.admin().await.clone(), shop.person("Lee").await);
        Self { store, ann, bob, seller, admin, leaving, tea, cup, bad_tokens }
    }

    /// Something of Ann's that nobody has touched, for a route with `{id}`.
    async fn thing(&self, Route { method, path, .. }: &Route) -> String {
        match path.split('/').nth(1) {
            Some("payments") if method == "POST" && path == "/payments/{id}" || path.contains("/order/") => {
                order_id(&self.to_be_paid().await)
            }
            Some("payments") => {
                self.to_be_paid().await["payment"]["paymentId"].as_str().expect("a payment").to_owned()
            }
            // What she sells, and Bob bought.
            Some("orders") if path.ends_with("/status") => self.bob.buys(&self.cup, 1).await,
            Some("seller") => self.bob.buys(&self.cup, 1).await,
            Some("products" | "users") => self.ann.lists(product().stock(100)).await.id,
            Some("stores") => self.store.clone(),
            Some("orders") => self.ann.buys(&self.tea, 1).await,
            // Of what she sells, and Bob bought: the id of the product, and Bob's.
            Some("reviews") => {
                let mug = self.ann.sells(product().named("mug").stock(100)).await;
                self.bob.gets(&mug).await;
                self.bob.reviews(&mug, &json!({ "stars": 4 })).await.is(201);
                format!("{}/{}", mug.id, self.bob.id())
            }
            // Of what she sells, and Bob wants to send back.
            Some("returns") => {
                let order = self.bob.buys(&self.cup, 1).await;
                self.bob.order_once(&order, "shipping").await;
                let items = json!({ "items": [{ "id": self.cup.id, "quantity": 1 }] });
                let asked = self.bob.post(&format!("/orders/{order}/returns"), &items).await.is(201);
                asked["returnId"].as_str().expect("a return's id").to_owned()
            }
            _ => panic!("{path} is an owner's: say here what Ann owns for it"),
        }
    }

    /// An order of Ann's that is to be paid by card.
    async fn to_be_paid(&self) -> Value {
        self.ann.post("/cart/items", &json!({ "id": self.tea.id, "quantity": 1 })).await.is(200);
        let total = self.ann.get("/cart").await.is(200)["amounts"]["total"].clone();
        let by_card = json!({ "expectedTotal": total, "paymentMethod": "card" });
        self.ann.post("/cart/checkout", &by_card).await.is(201)
    }
}

/// One of Ann's tokens with another claim, and so with a signature that is not its own.
fn with_claim(person: &Person, name: &str, value: Value) -> String {
    let mut parts: Vec<_> = person.tokens.id_token.split('.').map(str::to_owned).collect();
    let claims = URL_SAFE_NO_PAD.decode(&parts[1]).expect("claims in base64");
    let mut claims: Value = serde_json::from_slice(&claims).expect("claims in JSON");
    claims[name] = value;
    parts[1] = URL_SAFE_NO_PAD.encode(claims.to_string());
    parts.join(".")
}

/// Someone of the group `seller`, with tokens that say so.
async fn a_seller(shop: &Shop, aws: &Aws) -> Person {
    let newcomer = Newcomer::named(&tests::shop::unique("Sam"));
    shop.sign_up(&newcomer).await.is(201);
    shop.confirm(&newcomer).await.is(200);
    let username = newcomer.full_name.replace(' ', "_");
    let membership =
        json!({ "UserPoolId": aws.output("UserPoolId"), "Username": username, "GroupName": "seller" });
    let add = "AWSCognitoIdentityProviderService.AdminAddUserToGroup";
    aws.json("cognito-idp", add, membership).await;
    shop.sign_in(&newcomer).await
}

/// Calls the operation for the thing `id`. What is not an owner's gets an empty body: enough to see who is let in, and
/// it changes nothing.
async fn call(shop: &Shop, operation: &Operation, id: &str, token: Option<&str>) -> Answer {
    let route = &operation.route;
    // A path with two ids names a part of the first thing: so does `id`, with a slash between them.
    let mut ids = id.split('/').cycle();
    let path = route
        .path
        .split('/')
        .map(|part| if part.starts_with('{') { ids.next().unwrap_or_default() } else { part });
    let method: Method = route.method.parse().expect("a method");
    let mut request = shop.request(method, &path.collect::<Vec<_>>().join("/"));
    if let Some(token) = token {
        request = request.token(token);
    }
    let body = if operation.who.contains("owner") { operation.body.clone() } else { json!({}) };
    if !operation.body.is_null() {
        request = request.json(&body);
    }
    request.send().await
}

#[tokio::test]
async fn every_route_lets_in_whom_the_contract_names_and_nobody_else() {
    let (shop, aws) = (Shop::open(), Aws::open().await);
    let people = People::gather(&shop, &aws).await;
    let mut wrong = Vec::new();
    for operation in operations() {
        assert!(!operation.who.is_empty(), "{:?} does not say x-who", operation.route);
        let is_owners = operation.who.contains("owner");
        let id = if is_owners { people.thing(&operation.route).await } else { NOBODY.to_owned() };
        let mut callers = vec![("without a token", Who::Unknown, None)];
        callers.extend(
            people.bad_tokens.iter().map(|(what, token)| (*what, Who::Unknown, Some(token.as_str()))),
        );
        callers.extend([
            ("a customer", Who::Customer, Some(people.bob.tokens.id_token.as_str())),
            ("a customer by access token", Who::Customer, Some(people.bob.tokens.access_token.as_str())),
            ("a seller", Who::Seller, Some(people.seller.tokens.id_token.as_str())),
        ]);
        if !operation.who.contains("admin") || !is_owners {
            callers.push(("the admin", Who::Admin, Some(people.admin.tokens.id_token.as_str())));
        }
        // Whoever has deleted their account is nobody to all that follows.
        if operation.route.method == "DELETE" && operation.route.path == "/users/me" {
            callers.retain(|(_, who, _)| matches!(who, Who::Unknown | Who::Admin));
            callers.push(("who leaves", Who::Customer, Some(people.leaving.tokens.id_token.as_str())));
        }
        if is_owners {
            callers.push(("its owner", Who::Owner, Some(people.ann.tokens.id_token.as_str())));
        }
        for (name, who, token) in callers {
            check(&operation, (name, who), &call(&shop, &operation, &id, token).await, &mut wrong);
        }
        // What ends a thing ends it for the next caller: who else may gets another.
        if is_owners && operation.who.contains("admin") {
            let another = people.thing(&operation.route).await;
            let token = people.admin.tokens.id_token.as_str();
            let answer = call(&shop, &operation, &another, Some(token)).await;
            check(&operation, ("the admin", Who::Admin), &answer, &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn check(operation: &Operation, (name, who): (&str, Who), answer: &Answer, wrong: &mut Vec<String>) {
    let expected = may_reach(operation, who);
    let reached = reached(answer);
    if !expected.contains(&reached) {
        wrong.push(format!(
            "{} for {name}: {} {}; may reach {expected:?} and reached {reached:?}",
            answer.request, answer.status, answer.body
        ));
    }
}

#[tokio::test]
async fn a_file_name_is_no_path() {
    let shop = Shop::open();
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let of_bob = bob.lists(product()).await;
    for name in [
        format!("../../{}/x/picture.png", of_bob.id),
        format!("/uploads/products/{}/picture.png", of_bob.id),
        format!("..%2f..%2f{}%2fpicture.png", of_bob.id),
        "..\\..\\picture.png".to_owned(),
        "?X-Amz-Expires=604800&.png".to_owned(),
        "#.png".to_owned(),
    ] {
        let listed = ann.lists(product().with("fileName", json!(name))).await;
        let url: reqwest::Url = listed.upload_url.parse().expect("a URL");
        let key: Vec<_> = url.path_segments().expect("a path").collect();
        let at = key.iter().position(|part| *part == "uploads").expect("a key under uploads/");
        assert_eq!((key[at + 1], key[at + 2], key.len() - at), ("products", listed.id.as_str(), 5), "{url}");
        let expiries: Vec<_> = url.query_pairs().filter(|(name, _)| name == "X-Amz-Expires").collect();
        assert_eq!(expiries, [("X-Amz-Expires".into(), "900".into())], "{url}");
    }
}
