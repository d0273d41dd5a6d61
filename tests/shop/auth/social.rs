//! Signing in by another company, with the local identity provider in its place. What Cognito does otherwise than the
//! emulator is tested against canned answers in functions/auth.

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::calls;
use tests::aws::Aws;
use tests::shop::{Newcomer, PASSWORD, Person, Shop, unique};
use tests::social::{Stranger, challenge, leads_to};

/// What the page is told after the provider's answer.
async fn told(shop: &Shop, stranger: Option<&Stranger>) -> String {
    shop.goes_to_the_provider().await.answers(stranger).await.is_told().await
}

async fn profile(person: &Person) -> Value {
    person.get("/users/me").await.is(200)
}

#[tokio::test]
async fn a_new_person_has_an_account_at_once_and_finds_it_again() {
    let (shop, robin) = (Shop::open(), Stranger::named("Robin"));
    let back = shop.goes_to_the_provider().await.answers(Some(&robin)).await;
    let called = back.calls_back_with(&back.cookie).await;
    // The limit, the ticket of the state, the one of the code.
    assert_eq!(called.calls(), calls([("dynamodb", 3)]));
    let led = leads_to(&called);
    let code = led.strip_prefix("/shop#signed-in=").expect("a code");
    let first = back.exchanges(code).await;
    // The limit, the ticket, the profile looked for and made, the sign-in noted.
    assert_eq!(first.calls(), calls([("cognito-idp", 1), ("cognito-tokens", 1), ("dynamodb", 5)]));
    let first = shop.signed_in(&robin.full_name, &robin.email, &first.is(200));
    let is = profile(&first).await;
    assert_eq!((&is["email"], &is["fullName"]), (&json!(robin.email), &json!(robin.full_name)));

    let again = shop.signs_in_by_the_provider(&robin).await;
    assert_eq!(again.calls(), calls([("cognito-idp", 1), ("cognito-tokens", 1), ("dynamodb", 4)]));
    let again = shop.signed_in(&robin.full_name, &robin.email, &again.is(200));
    assert_eq!(again.id(), first.id());
    assert_eq!(profile(&again).await["createdAt"], is["createdAt"]);
    // The tokens are as good as those for a password.
    let refreshed = shop.post("/refresh-token", &json!({ "refreshToken": again.tokens.refresh_token })).await;
    assert!(refreshed.is(200)["tokens"]["IdToken"].is_string());
    shop.post("/sign-out", &json!({ "accessToken": again.tokens.access_token })).await.is(200);
}

#[tokio::test]
async fn an_account_with_the_same_confirmed_address_is_opened_and_keeps_its_password() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let stranger = Stranger::named("Ann").at(&ann.email);
    let linked = shop.stranger(&stranger).await;
    assert_eq!(linked.id(), ann.id());
    let is = profile(&linked).await;
    assert_eq!((&is["fullName"], &is["email"]), (&json!(ann.full_name), &json!(ann.email)));
    let by_password = shop.post("/sign-in", &json!({ "email": ann.email, "password": PASSWORD })).await;
    let by_password = ann.clone().having(&by_password.is(200));
    assert_eq!(by_password.id(), ann.id());
    assert_eq!(shop.stranger(&stranger).await.id(), ann.id());
}

#[tokio::test]
async fn an_address_that_the_provider_has_not_confirmed_opens_nothing() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    for stranger in [Stranger::named("Mallory"), Stranger::named("Mallory").at(&ann.email)] {
        let mallory = stranger.unverified();
        assert_eq!(told(&shop, Some(&mallory)).await, "not-signed-in=address-not-confirmed");
    }
    // Once it has, it does; and an account that says so no longer is not opened.
    let kim = Stranger::named("Kim");
    shop.stranger(&kim).await;
    let refused = shop.signs_in_by_the_provider(&kim.unverified()).await;
    refused.is_problem(403, "address-not-confirmed");
}

#[tokio::test]
async fn an_account_that_never_confirmed_the_address_stands_in_nobodys_way_and_gets_nothing() {
    let shop = Shop::open();
    let squatter = Newcomer::named(&unique("Squatter"));
    shop.sign_up(&squatter).await.is(201);
    let robin = shop.stranger(&Stranger::named("Robin").at(&squatter.email)).await;
    assert_ne!(profile(&robin).await["fullName"], squatter.full_name);
    shop.confirm(&squatter).await.is_problem(409, "email-taken");
    let body = json!({ "email": squatter.email, "password": PASSWORD });
    shop.post("/sign-in", &body).await.is_problem(401, "wrong-credentials");
}

#[tokio::test]
async fn nobody_signs_up_under_the_name_of_a_providers_person() {
    let shop = Shop::open();
    for name in ["google_1138", "OIDC_robin"] {
        let squatter = Newcomer { username: Some(name.into()), ..Newcomer::named(&unique("Squatter")) };
        shop.sign_up(&squatter).await.is_problem(409, "name-taken");
    }
}

#[tokio::test]
async fn who_thinks_better_of_it_is_back_on_the_page_and_may_begin_again() {
    let (shop, robin) = (Shop::open(), Stranger::named("Robin"));
    assert_eq!(told(&shop, None).await, "not-signed-in=denied");
    shop.stranger(&robin).await;
}

#[tokio::test]
async fn a_callback_is_good_once_with_its_own_state_and_in_its_own_browser() {
    let (shop, robin) = (Shop::open(), Stranger::named("Robin"));
    let expired = "/shop#not-signed-in=expired";
    let away = shop.goes_to_the_provider().await;
    let other = shop.goes_to_the_provider().await;
    let back = away.clone().answers(Some(&robin)).await;
    let led = leads_to(&back.calls_back_with(&back.cookie).await);
    assert!(led.starts_with("/shop#signed-in="), "{led}");
    assert_eq!(leads_to(&back.calls_back_with(&back.cookie).await), expired, "replayed");

    let back = shop.goes_to_the_provider().await.answers(Some(&robin)).await;
    let (path, _) = back.callback.split_once("state=").expect("a state");
    let state = challenge("a state that nobody was given");
    let strange = shop.request(Method::GET, &format!("{path}state={state}"));
    assert_eq!(leads_to(&strange.header("cookie", &back.cookie).send().await), expired, "wrong state");
    assert_eq!(leads_to(&back.calls_back_with(&other.cookie).await), expired, "another browser");
    // Whoever came with it spoilt it for everybody.
    assert_eq!(leads_to(&back.calls_back_with(&back.cookie).await), expired, "after another browser");
    let back = shop.goes_to_the_provider().await.answers(Some(&robin)).await;
    assert_eq!(leads_to(&shop.get(&back.callback).await), expired, "no cookie");
}

#[tokio::test]
async fn a_code_is_good_once_and_for_the_page_that_began() {
    let (shop, robin) = (Shop::open(), Stranger::named("Robin"));
    let back = shop.goes_to_the_provider().await.answers(Some(&robin)).await;
    let code = back.code().await;
    back.exchanges(&code).await.is(200);
    back.exchanges(&code).await.is_problem(401, "sign-in-ended");
    let back = shop.goes_to_the_provider().await.answers(Some(&robin)).await;
    let code = back.code().await;
    let mut stolen = back.finish(&code);
    stolen["verifier"] = challenge("another page's").into();
    shop.post("/auth/exchange", &stolen).await.is_problem(401, "sign-in-ended");
    back.exchanges(&code).await.is_problem(401, "sign-in-ended");
}

#[tokio::test]
async fn no_provider_opens_an_admins_account() {
    let (shop, aws) = (Shop::open(), Aws::open().await);
    let otherwise = "not-signed-in=sign-in-otherwise";
    let admin = shop.another_admin(&aws).await;
    assert_eq!(told(&shop, Some(&Stranger::named("Root").at(&admin.email))).await, otherwise);
    // The owner of the shop's AdminEmail signs up with a password.
    assert_eq!(told(&shop, Some(&Stranger::named("Root").at("admin@cartwright.test"))).await, otherwise);
    let robin = Stranger::named("Robin");
    let person = shop.stranger(&robin).await;
    let path = format!("/users/{}/role", person.id());
    shop.admin().await.put(&path, &json!({ "role": "admin" })).await.is(200);
    let refused = shop.signs_in_by_the_provider(&robin).await;
    refused.is_problem(403, "sign-in-otherwise");
}

#[tokio::test]
async fn no_provider_passes_a_second_factor_by() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    ann.turns_totp_on().await;
    let stranger = Stranger::named("Ann").at(&ann.email);
    assert_eq!(told(&shop, Some(&stranger)).await, "not-signed-in=sign-in-otherwise");
    // Nor one that was turned on after the accounts were linked.
    let bob = shop.person("Bob").await;
    let stranger = Stranger::named("Bob").at(&bob.email);
    shop.stranger(&stranger).await;
    bob.turns_totp_on().await;
    let refused = shop.signs_in_by_the_provider(&stranger).await;
    refused.is_problem(403, "sign-in-otherwise");
}

#[tokio::test]
async fn an_account_that_is_closed_stays_so() {
    let (shop, robin) = (Shop::open(), Stranger::named("Robin"));
    let person = shop.stranger(&robin).await;
    let back = shop.goes_to_the_provider().await.answers(Some(&robin)).await;
    let code = back.code().await;
    let path = format!("/users/{}/disable", person.id());
    shop.admin().await.request(Method::POST, &path).send().await.is(200);
    // Who is on the way by then does not come in either.
    back.exchanges(&code).await.is_problem(403, "account-closed");
    assert_eq!(told(&shop, Some(&robin)).await, "not-signed-in=failed");
}

mod in_a_browser {
    use super::*;
    use crate::local_page::in_a_browser::{dom, has};

    /// What the page shows to a browser whose person has said so to the provider beforehand. The rest is the browser's
    /// own doing: the cookie, all redirects, the page's verifier and its exchange.
    fn shown_to(person: &str) -> String {
        dom(&format!("/local/identity/beforehand?then=/shop/sign-in%3Fwith%3Doidc&{person}"))
    }

    #[tokio::test]
    async fn a_person_signs_in_from_the_page_and_comes_back_to_it() {
        let (shop, robin) = (Shop::open(), Stranger::named("Robin"));
        let signed_in = format!("Signed in as {}, {}.", robin.full_name, robin.email);
        has(&shown_to(&robin.query()), &[&signed_in]);
        // Coming back.
        has(&shown_to(&robin.query()), &[&signed_in]);
        let ann = shop.person("Ann").await;
        let stranger = Stranger::named("Stranger").at(&ann.email);
        has(&shown_to(&stranger.query()), &[&format!("Signed in as {}, {}.", ann.full_name, ann.email)]);
    }

    #[tokio::test]
    async fn a_refusal_is_told_on_the_page() {
        let admin = Stranger::named("Root").at("admin@cartwright.test");
        has(&shown_to(&admin.query()), &["This account opens with its password alone."]);
        has(&shown_to("sub="), &["You said no there"]);
        has(&dom("/shop#signed-in=3q2pOcohAKtgwAdTxgHEcwnX0pOcohAKtgwAdTxgHEc"), &["That did not work."]);
    }

    #[tokio::test]
    async fn the_provider_shows_its_people() {
        let shop = Shop::open();
        let away = shop.goes_to_the_provider().await;
        let page = dom(&away.provider);
        has(
            &page,
            &["<title>Sign in: the local provider</title>", ">Robin Wood</a>", ">Bo Yer</a>", ">Deny</a>"],
        );
    }
}
