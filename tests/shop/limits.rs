//! How often one may ask. The limits per account and per person are production's; everyone here shares one address, so
//! that limit is a hundred times higher. What comes from other addresses is tested in shared/src/guards/rate_limit.rs.

use reqwest::Method;
use serde_json::json;
use tests::answer::Answer;
use tests::shop::{PASSWORD, Person, Shop, product, unique};
use tests::wait::at_once;

/// `LimitPerAccount`
const PER_ACCOUNT: usize = 20;
/// `LimitPerPerson`
const PER_PERSON: usize = 120;

/// The answer says when to come back.
#[track_caller]
fn says_when(refused: &Answer, limit: &str) {
    let wait: u32 = refused.header("retry-after").and_then(|wait| wait.parse().ok()).expect("seconds");
    assert!((1..=600).contains(&wait), "{wait}");
    assert_eq!(refused.header("ratelimit"), Some(format!("\"{limit}\";r=0;t={wait}").as_str()));
    refused.clone().is_problem(429, "too-many-requests");
}

async fn guesses(shop: &Shop, name: &str) -> Answer {
    shop.post("/sign-in", &json!({ "fullName": name, "password": "Wrong-password-1" })).await
}

#[tokio::test]
async fn an_account_takes_so_many_guesses_whether_or_not_it_exists() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    for name in [ann.full_name.clone(), unique("Nobody")] {
        let (shop_, name_) = (shop.clone(), name.clone());
        let guess = move |_| {
            let (shop, name) = (shop_.clone(), name_.clone());
            async move { guesses(&shop, &name).await }
        };
        let answers = at_once(PER_ACCOUNT + 10, guess).await;
        let passed = answers.iter().filter(|answer| answer.status == 401).count();
        // Two windows may meet just now; then up to a few more have faded by.
        assert!((PER_ACCOUNT - 1..=PER_ACCOUNT + 2).contains(&passed), "{passed} guesses at {name}");
        for refused in answers.iter().filter(|answer| answer.status != 401) {
            says_when(refused, "account");
            assert_eq!(
                refused.header("ratelimit-policy"),
                Some("\"address\";q=6000;w=60, \"account\";q=20;w=300, \"account-in-all\";q=500;w=3600")
            );
        }
        // Another case of its letters, or a space for an underscore, is the same account.
        let other = name.to_uppercase();
        says_when(&guesses(&shop, &other).await, "account");
    }
    // From this address the right password by the same name has to wait as well; another account does not.
    let right = json!({ "fullName": ann.full_name, "password": PASSWORD });
    says_when(&shop.post("/sign-in", &right).await, "account");
    shop.person("Bob").await;
}

#[tokio::test]
async fn a_right_password_is_no_guess() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let right = json!({ "fullName": ann.full_name, "password": PASSWORD });
    for _ in 0..PER_ACCOUNT + 5 {
        shop.post("/sign-in", &right).await.is(200);
    }
}

#[tokio::test]
async fn a_session_is_refreshed_and_ended_so_often() {
    let shop = Shop::open();
    let token = unique("token").replace(' ', ".");
    for (path, name) in [("/refresh-token", "refreshToken"), ("/sign-out", "accessToken")] {
        let body = json!({ name: token });
        for _ in 0..PER_ACCOUNT {
            shop.post(path, &body).await.is_problem(401, "unauthenticated");
        }
        let refused = shop.post(path, &body).await;
        says_when(&refused, "account");
        assert_eq!(refused.calls().get("cognito-idp"), None);
    }
}

#[tokio::test]
async fn each_route_counts_for_itself() {
    let shop = Shop::open();
    let name = unique("Nobody");
    for _ in 0..=PER_ACCOUNT {
        shop.post("/forgot-password", &json!({ "fullName": name })).await;
    }
    let again = shop.post("/forgot-password", &json!({ "fullName": name })).await;
    says_when(&again, "account");
    assert_eq!(again.calls().get("cognito-idp"), None);
    guesses(&shop, &name).await.is_problem(401, "wrong-credentials");
}

async fn lists(person: &Person) -> Answer {
    person.request(Method::POST, "/products").json(&product().body).send().await
}

#[tokio::test]
async fn a_person_lists_so_many_products_and_no_more() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let mut refused = None;
    for _ in 0..20 {
        let person = ann.clone();
        let answers = at_once(40, move |_| {
            let person = person.clone();
            async move { lists(&person).await }
        });
        let answers = answers.await;
        refused = answers.into_iter().find(|answer| answer.status != 201);
        if refused.is_some() {
            break;
        }
    }
    let refused = refused.unwrap_or_else(|| panic!("more than {PER_PERSON} products were listed"));
    says_when(&refused, "person");
    assert_eq!(refused.header("ratelimit-policy"), Some("\"person\";q=120;w=60"));
    lists(&shop.person("Bob").await).await.is(201);
}

#[tokio::test]
async fn a_person_asks_for_so_many_upload_urls_and_no_more() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let path = format!("{}/upload-url", ann.lists(product()).await.path());
    let mut refused = None;
    for _ in 0..20 {
        let (person, path) = (ann.clone(), path.clone());
        let ask = move |_| {
            let (person, path) = (person.clone(), path.clone());
            async move { person.post(&path, &json!({ "fileName": "a.png", "fileType": "image/png" })).await }
        };
        refused = at_once(40, ask).await.into_iter().find(|answer| answer.status != 201);
        if refused.is_some() {
            break;
        }
    }
    says_when(&refused.unwrap_or_else(|| panic!("more than {PER_PERSON} URLs were given")), "person");
}
