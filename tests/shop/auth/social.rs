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

/// The whole way as a person goes it: from the shop's sign-in page by its button to the provider's page, by a link of
/// that back over Cognito, and on to what the shop's page makes of it.
mod in_a_browser {
    use tests::browser::Browser;
    use tests::shop::subject;

    use super::*;
    use crate::local_page::in_a_browser::{dom, has};

    const OVER: &str = "This sign-in is over: it took too long, was used already, or began in another browser. \
                        Please begin again.";
    const OTHERWISE: &str =
        "This account does not open that way. Please sign in as you did before, with your password.";

    /// Goes to the provider's page by the button of the sign-in page that is shown.
    fn goes_on(browser: &mut Browser) {
        browser.clicks("main .or ~ button");
        browser.until(
            "the provider's page is shown",
            "location.pathname === '/local/identity/authorize' && document.querySelector('a.button')",
        );
    }

    fn begins(browser: &mut Browser) {
        browser.go("/shop/sign-in");
        goes_on(browser);
    }

    /// Follows a link of the provider's page, whose person is this one.
    fn answers(browser: &mut Browser, stranger: &Stranger) {
        let person = json!(stranger.query());
        browser.eval(&format!(
            "(link => {{ const to = new URL(link.href); \
             for (const [name, value] of new URLSearchParams({person})) to.searchParams.set(name, value); \
             link.href = to.href; link.click(); }})(document.querySelector('a.button'))"
        ));
        comes_back(browser);
    }

    fn denies(browser: &mut Browser) {
        browser.clicks("main a:not(.button)");
        comes_back(browser);
    }

    fn comes_back(browser: &mut Browser) {
        browser.until("it leads back to the shop", "location.pathname.startsWith('/shop')");
    }

    fn signs_in_by_password(browser: &mut Browser, email: &str) {
        browser.writes("[name=name]", email);
        browser.writes("[name=password]", PASSWORD);
        browser.clicks("main form button[type=submit]");
        browser.until("the person is signed in", "document.querySelector('.menu')");
    }

    /// As closing the tab does: what it keeps of a person is gone.
    fn signs_out(browser: &mut Browser) {
        browser.eval("sessionStorage.clear()");
    }

    /// Who is signed in on the page, by what it keeps.
    async fn is_in(shop: &Shop, browser: &mut Browser) -> Option<String> {
        let kept = browser.eval("sessionStorage.getItem('cartwright.session')");
        let kept: Value = serde_json::from_str(kept.as_str()?).expect("JSON");
        let mut body = json!({ "refreshToken": kept["refresh"] });
        if kept["username"].is_string() {
            body["username"] = kept["username"].clone();
        }
        let fresh = shop.post("/refresh-token", &body).await.is(200);
        Some(subject(fresh["tokens"]["IdToken"].as_str().expect("a token")))
    }

    /// The page says this where one begins again, and nobody is signed in.
    async fn is_refused(shop: &Shop, browser: &mut Browser, why: &str) {
        browser.says(why);
        assert_eq!(browser.eval("document.querySelector('main [role=alert]').innerText.trim()"), why);
        assert_eq!(browser.eval("location.pathname + location.hash"), "/shop/sign-in");
        browser.until("one may begin again", "document.querySelector('main .or ~ button')");
        assert_eq!(is_in(shop, browser).await, None);
        assert_eq!(browser.eval("document.querySelector('.menu')"), Value::Null);
    }

    fn signed_in(name: &str, email: &str) -> String {
        format!("Signed in as {name}, {email}.")
    }

    #[tokio::test]
    async fn a_new_person_has_an_account_and_finds_the_same_one_when_coming_back() {
        let (shop, robin) = (Shop::open(), Stranger::named("Robin"));
        let mut browser = Browser::wide();
        begins(&mut browser);
        answers(&mut browser, &robin);
        browser.says(&signed_in(&robin.full_name, &robin.email));
        // Neither the address nor the history has the code.
        assert_eq!(browser.eval("location.pathname + location.search + location.hash"), "/shop");
        let first = is_in(&shop, &mut browser).await.expect("somebody");
        browser.go("/shop/account");
        let shown = "document.querySelector('[name=fullName]').value";
        assert_eq!(browser.eval(shown), json!(robin.full_name));
        // A reload keeps the sign-in, and the sign-in page has nothing to ask.
        browser.go("/shop/sign-in");
        browser.until("it leads on", "location.pathname === '/shop' && document.querySelector('.menu')");

        signs_out(&mut browser);
        begins(&mut browser);
        answers(&mut browser, &robin);
        browser.says(&signed_in(&robin.full_name, &robin.email));
        assert_eq!(is_in(&shop, &mut browser).await, Some(first));
        browser.is_content();
    }

    #[tokio::test]
    async fn whoever_has_an_account_with_the_address_opens_that_one_by_either_way() {
        let shop = Shop::open();
        let ann = shop.person("Ann").await;
        let mut browser = Browser::wide();
        begins(&mut browser);
        let stranger = Stranger::named("Stranger").at(&ann.email);
        answers(&mut browser, &stranger);
        // Cognito takes over the provider's name, and the profile keeps its own.
        browser.says(&signed_in(&stranger.full_name, &ann.email));
        assert_eq!(is_in(&shop, &mut browser).await, Some(ann.id()));
        assert_eq!(ann.get("/users/me").await.is(200)["fullName"], json!(ann.full_name));

        signs_out(&mut browser);
        browser.go("/shop/sign-in");
        signs_in_by_password(&mut browser, &ann.email);
        assert_eq!(is_in(&shop, &mut browser).await, Some(ann.id()));
        let found = shop.admin().await.get(&format!("/users?email={}", ann.email)).await.is(200);
        assert_eq!(found["users"].as_array().map(Vec::len), Some(1), "{found}");
        browser.is_content();
    }

    #[tokio::test]
    async fn whoever_says_no_is_told_so_in_their_language_and_may_begin_again() {
        let (shop, robin) = (Shop::open(), Stranger::named("Robin"));
        let mut browser = Browser::wide();
        begins(&mut browser);
        denies(&mut browser);
        let why = "You said no there, so you are not signed in. You can begin again, or use your password.";
        is_refused(&shop, &mut browser, why).await;
        // It is told once.
        browser.go("/shop/sign-in");
        assert_eq!(browser.eval("document.querySelector('main [role=alert]')"), Value::Null);
        browser.eval("localStorage.setItem('cartwright.language', 'de')");
        begins(&mut browser);
        denies(&mut browser);
        let why = "Sie haben dort abgelehnt und sind deshalb nicht angemeldet. \
                   Sie können neu beginnen oder Ihr Passwort nehmen.";
        is_refused(&shop, &mut browser, why).await;
        goes_on(&mut browser);
        answers(&mut browser, &robin);
        browser.says(&format!("Angemeldet als {}, {}.", robin.full_name, robin.email));
        browser.is_content();
    }

    #[tokio::test]
    async fn a_callback_that_is_opened_again_changes_nothing_and_says_why() {
        let (shop, robin) = (Shop::open(), Stranger::named("Robin"));
        let mut browser = Browser::wide();
        begins(&mut browser);
        answers(&mut browser, &robin);
        browser.says(&signed_in(&robin.full_name, &robin.email));
        let id = is_in(&shop, &mut browser).await;
        let sent = browser.event("Network.requestWillBeSent", "/auth/callback?");
        let callback = sent["request"]["url"].as_str().expect("an address").to_owned();
        assert!(callback.contains("state=") && callback.contains("code="), "{callback}");

        browser.go(&callback);
        browser.says("That sign-in is over already, and nothing has changed.");
        assert!(id.is_some() && is_in(&shop, &mut browser).await == id, "who is in stays so");
        signs_out(&mut browser);
        browser.go(&callback);
        is_refused(&shop, &mut browser, OVER).await;
        // Nor is a code of the page's worth anything that nobody was given.
        browser.go("/shop#signed-in=3q2pOcohAKtgwAdTxgHEcwnX0pOcohAKtgwAdTxgHEc");
        is_refused(&shop, &mut browser, "That did not work. Please begin again, or use your password.").await;
        browser.is_content();
    }

    #[tokio::test]
    async fn a_state_that_is_forged_or_another_browsers_signs_nobody_in() {
        let shop = Shop::open();
        let mut browser = Browser::wide();
        let mallory = Stranger::named("Mallory");
        // What Mallory came back with is good, and she has somebody else open it.
        let back = shop.goes_to_the_provider().await.answers(Some(&mallory)).await;
        let (path, _) = back.callback.split_once("state=").expect("a state");
        let forged = format!("{path}state={}", challenge("a state that nobody was given"));
        for callback in [&forged, &back.callback] {
            begins(&mut browser);
            browser.go(callback);
            is_refused(&shop, &mut browser, OVER).await;
        }
        // Whoever went on by themselves is not stopped by it.
        let robin = Stranger::named("Robin");
        goes_on(&mut browser);
        answers(&mut browser, &robin);
        browser.says(&signed_in(&robin.full_name, &robin.email));
        browser.is_content();
    }

    #[tokio::test]
    async fn an_admin_is_told_to_sign_in_by_password_and_does() {
        let (shop, aws) = (Shop::open(), Aws::open().await);
        let mut browser = Browser::wide();
        let admin = shop.another_admin(&aws).await;
        for email in [&*admin.email, "admin@cartwright.test"] {
            begins(&mut browser);
            answers(&mut browser, &Stranger::named("Root").at(email));
            is_refused(&shop, &mut browser, OTHERWISE).await;
        }
        signs_in_by_password(&mut browser, &admin.email);
        assert_eq!(is_in(&shop, &mut browser).await, Some(admin.id()));

        // Who has become one since is refused at the last step, where the page asks for the tokens.
        signs_out(&mut browser);
        let robin = Stranger::named("Robin");
        let person = shop.stranger(&robin).await;
        let role = format!("/users/{}/role", person.id());
        shop.admin().await.put(&role, &json!({ "role": "admin" })).await.is(200);
        begins(&mut browser);
        answers(&mut browser, &robin);
        is_refused(&shop, &mut browser, OTHERWISE).await;
        browser.is_content();
    }

    #[tokio::test]
    async fn an_address_that_the_provider_does_not_vouch_for_signs_nobody_in_and_the_page_says_what_to_do() {
        let shop = Shop::open();
        let ann = shop.person("Ann").await;
        let mut browser = Browser::wide();
        begins(&mut browser);
        answers(&mut browser, &Stranger::named("Mallory").at(&ann.email).unverified());
        let why = "The other company does not say that the address is yours. \
                   Confirm it there and begin again, or use a password here.";
        is_refused(&shop, &mut browser, why).await;
        browser.is_content();
    }

    #[tokio::test]
    async fn a_link_to_the_sign_in_page_may_begin_by_itself() {
        let robin = Stranger::named("Robin");
        let mut browser = Browser::wide();
        browser.go("/shop/terms");
        let link = format!("/local/identity/beforehand?then=/shop/sign-in%3Fwith%3Doidc&{}", robin.query());
        browser.eval(&format!("location.href = {}", json!(link)));
        browser.until("it leads back to the shop", "location.pathname === '/shop'");
        browser.says(&signed_in(&robin.full_name, &robin.email));
        browser.is_content();
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
