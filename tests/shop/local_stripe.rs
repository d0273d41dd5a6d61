//! `/local/stripe`, the Stripe on the laptop: what a client of its API and a test find, and what a browser makes of it.

use reqwest::Method;
use serde_json::{Value, json};
use tests::answer::Answer;
use tests::shop::Shop;
use uuid::Uuid;

const KEY: &str = "rk_local_cartwright";
const API: &str = "/local/stripe/api/v1";

/// A call of Stripe's API, as the functions make it.
async fn stripe(shop: &Shop, method: Method, path: &str, key: &str, form: &str) -> Answer {
    let request = shop.request(method, &format!("{API}/{path}")).token(KEY).header("idempotency-key", key);
    request.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned()).send().await
}

/// A session of 5.00 for a payment of that id, of another shop's: what is told of it goes past this one.
fn session(payment: &str, product: &str) -> String {
    format!(
        "mode=payment&success_url=http%3A%2F%2Flocalhost%2Fok&line_items[0][quantity]=1\
         &line_items[0][price_data][currency]=usd&line_items[0][price_data][unit_amount]=500\
         &line_items[0][price_data][product_data][name]={product}&metadata[payment_id]={payment}\
         &metadata[shop]=of-the-tests&payment_intent_data[metadata][payment_id]={payment}\
         &payment_intent_data[metadata][shop]=of-the-tests"
    )
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

#[tokio::test]
async fn a_payment_is_played_from_its_session_to_its_refund() {
    let (shop, payment) = (Shop::open(), Uuid::now_v7().to_string());
    let form = session(&payment, "Tea");
    let made = stripe(&shop, Method::POST, "checkout/sessions", &payment, &form).await;
    assert!(made.header("request-id").is_some_and(|id| id.starts_with("req_")), "{made:?}");
    let made = made.is(200);
    let again = stripe(&shop, Method::POST, "checkout/sessions", &payment, &form).await;
    assert_eq!((again.header("idempotent-replayed"), &again.body), (Some("true"), &made));
    let page = format!("/local/stripe/pay/{}", text(&made, "id"));
    assert!(text(&made, "url").ends_with(&page), "{made}");

    let act = format!("/local/stripe/sessions/{payment}");
    let paid = shop.post(&act, &json!({ "do": "pay", "deliver": ["never"] })).await.is(200);
    let intent = text(&paid["object"], "payment_intent").to_owned();
    let refund = format!("payment_intent={intent}&amount=200");
    stripe(&shop, Method::POST, "refunds", &format!("{payment}-refund"), &refund).await.is(200);
    shop.post(&act, &json!({ "do": "pay" })).await.is(409);
    let books = shop.get(&format!("/local/stripe.json?of={payment}")).await.is(200);
    assert_eq!(books["balance"], json!({ "usd": 300 }));
    let moved: Vec<_> =
        books["balance_transactions"].as_array().expect("a list").iter().map(|one| &one["amount"]).collect();
    assert_eq!(moved, [-200, 500]);
}

#[tokio::test]
async fn what_goes_wrong_for_one_payment_does_not_for_another() {
    let (shop, one, other) = (Shop::open(), Uuid::now_v7().to_string(), Uuid::now_v7().to_string());
    shop.post("/local/stripe/next-call", &json!({ "fault": "500", "of": one })).await.is(204);
    let make = async |payment: &str| {
        stripe(&shop, Method::POST, "checkout/sessions", payment, &session(payment, "Tea")).await
    };
    make(&other).await.is(200);
    let failed = make(&one).await;
    assert_eq!(failed.header("stripe-should-retry"), Some("true"));
    assert_eq!(failed.is(500)["error"]["type"], "api_error");
    make(&one).await.is(200);
    shop.request(Method::GET, &format!("{API}/events")).send().await.is(401);
}

mod in_a_browser {
    use super::*;
    use crate::local_page::in_a_browser::{as_text, dom, has};

    #[tokio::test]
    async fn the_page_to_pay_on_shows_names_as_text_and_what_can_be_done() {
        let (shop, payment) = (Shop::open(), Uuid::now_v7().to_string());
        let hostile = "%3Cimg+src%3Dx+onerror%3D%22document.title%3D%27pwned%27%22%3E";
        let form = session(&payment, hostile);
        let made = stripe(&shop, Method::POST, "checkout/sessions", &payment, &form).await.is(200);
        let id = text(&made, "id");
        let page = dom(&format!("/local/stripe/pay/{id}"));
        let name = as_text("<img src=x onerror=\"document.title='pwned'\">");
        has(
            &page,
            &[
                "<title>Pay: Stripe, local</title>",
                &format!("<td>{name}</td>"),
                "Pay 5.00 USD</button>",
                "Decline</button>",
                "Pay by debit (later)</button>",
                "Expire now</button>",
                "aria-live=\"polite\"",
            ],
        );
        let act = format!("/local/stripe/sessions/{id}");
        shop.post(&act, &json!({ "do": "pay", "deliver": ["never"] })).await.is(200);
        let page = dom(&format!("/local/stripe/pay/{id}"));
        has(&page, &["Paid.", "<a class=\"button\" href=\"http://localhost/ok\">To the shop</a>"]);
        assert!(!page.contains("Decline</button>"), "{page}");

        let page = dom(&format!("/local/stripe#{id}"));
        let told = format!("<b>5.00 USD</b> <span class=\"id\">{payment}</span>");
        has(
            &page,
            &[
                "<title>Stripe, local</title>",
                &told,
                "<span class=\"status paid\">paid</span>",
                "Open a dispute</button>",
                "<b>checkout.session.completed</b>",
            ],
        );
    }
}
