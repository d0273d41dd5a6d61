//! `cargo local demo`: the main job as a person would do it, from sign-up to the shipping email, and a guest's cart
//! that is paid by card, with every request and answer.

use std::time::Instant;

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::{Value, json};

use crate::deploy::ADMIN;
use crate::pictures::inks::{LILAC, PLUM};
use crate::pictures::{clothes, on};
use crate::shop::{CODE, PASSWORD, Shop};
use crate::{say, up};

/// Runs `cargo local demo`.
///
/// # Errors
/// The shop did not start, or did not do its job.
pub(crate) async fn run() -> Result<()> {
    let record = up::if_needed().await?;
    let started = Instant::now();
    let shop = Shop::aloud(&record.url());
    // Every run plays another person, so that it can be run again and again.
    let name = format!("Robin {}", suffix());
    let email = format!("{}@cartwright.test", name.to_lowercase().replace(' ', "."));

    heading("A person signs up");
    let body = json!({ "email": email, "fullName": name, "password": PASSWORD });
    shop.want(Method::POST, "/sign-up", None, &body).await?;

    heading("…takes the code from the email, and confirms");
    let mail = mail(&record.url(), &email, |_| true).await?;
    say::out!("\n{}", letter(&mail));
    let body = json!({ "fullName": name, "confirmationCode": CODE });
    shop.want(Method::POST, "/confirm-sign-up", None, &body).await?;

    heading("…and signs in");
    let token = shop.sign_in(&email).await?;

    heading("They list a product, with a picture");
    let body = json!({
        "fileName": "shoes.png",
        "fileType": "image/png",
        "productName": "Gucci shoes",
        "productPrice": 99.99,
        "description": "I love it.",
        "quantity": 40,
        "category": "Clothes",
    });
    let created = shop.want(Method::POST, "/get-upload-url", Some(&token), &body).await?;
    let id = created.text("/id")?.to_owned();
    let picture = on(LILAC, |c| clothes::shoe(c, PLUM)).png()?;
    shop.upload(created.text("/uploadUrl")?, "image/png", picture).await?;
    let mine = |page: &Value| {
        let mut products = page["products"].as_array().into_iter().flatten();
        products.any(|one| one["id"] == id.as_str() && one["waitingPicture"].is_object())
    };
    shop.wait("/users/me/products?limit=100", Some(&token), mine).await?;

    heading("An admin sees it waiting, and approves it");
    let admin = Shop::at(&record.url()).sign_in(ADMIN).await?;
    let path = format!("/products/{id}/approval");
    shop.want(Method::PUT, &path, Some(&admin), &json!({ "approved": true })).await?;

    heading("Now everyone sees it");
    shop.want(Method::GET, &format!("/products/{id}"), None, &Value::Null).await?;

    heading("Somebody orders two");
    let order = json!({ "id": id, "quantity": 2 });
    let placed = shop.want(Method::POST, "/create-order", Some(&token), &order).await?;
    let order = format!("/orders/{}", placed.text("/orderId")?);

    heading("The order is queued, worked by Step Functions, and ships");
    shop.wait(&order, Some(&token), |order| order["status"] == "shipping").await?;
    shop.want(Method::GET, &order, Some(&token), &Value::Null).await?;

    heading("…and the email goes out");
    let shipping =
        |mail: &Value| mail["subject"].as_str().is_some_and(|subject| subject.ends_with("now shipping"));
    let mail = self::mail(&record.url(), &email, shipping).await?;
    say::out!("\n{}", letter(&mail));

    guest(&shop, &record.url(), &id, &admin).await?;

    say::out!(
        "\nThat was all, in {}. The shop stays open at {}; its mailbox is at {}/local.",
        say::seconds(started.elapsed()),
        record.url(),
        record.url()
    );
    Ok(())
}

/// A guest buys one piece of a product by card, an admin gives a part of the money back, and an email tells of it.
async fn guest(shop: &Shop, url: &str, product: &str, admin: &str) -> Result<()> {
    heading("Somebody without an account puts one into a cart");
    let item = json!({ "id": product, "quantity": 1 });
    let cart = shop.want(Method::POST, "/guest-cart/items", None, &item).await?;
    let with_cart = shop.with("cart-token", cart.text("/cartToken")?);

    heading("…looks at what it comes to, and checks out, to pay by card");
    let cart = with_cart.want(Method::GET, "/guest-cart", None, &Value::Null).await?;
    let email = format!("sasha.{}@cartwright.test", suffix());
    let body = json!({
        "email": email,
        "fullName": "Sasha Guest",
        "paymentMethod": "card",
        "expectedTotal": cart.body["amounts"]["total"],
    });
    let placed = with_cart.want(Method::POST, "/guest-cart/checkout", None, &body).await?;
    let order = format!("/guest-orders/{}", placed.text("/orderId")?);
    let with_order = shop.with("order-token", placed.text("/orderToken")?);
    let page = placed.text("/payment/url")?;
    if !page.starts_with(url) {
        say::out!("\nThis shop has an account of Stripe's: the page is {page}");
        return Ok(());
    }

    heading("They pay on Stripe's page, which is on this laptop");
    say::out!("\n{page}, button Pay; or, for a test:");
    let payment = placed.text("/payment/paymentId")?;
    let paid = json!({ "do": "pay" });
    shop.want(Method::POST, &format!("/local/stripe/sessions/{payment}"), None, &paid).await?;

    heading("Stripe tells the shop, and the order is paid and ships");
    with_order.wait(&order, None, |order| order["status"] == "shipping").await?;
    with_order.want(Method::GET, &order, None, &Value::Null).await?;

    heading("An admin gives a part of the money back");
    let part = json!({ "amount": 10, "reason": "requested_by_customer" });
    let once = shop.with("idempotency-key", &format!("demo-{payment}"));
    once.want(Method::POST, &format!("/payments/{payment}/refund"), Some(admin), &part).await?;
    with_order.wait(&order, None, |order| order["paymentStatus"] == "partially_refunded").await?;
    shop.want(Method::GET, &format!("/payments/{payment}"), Some(admin), &Value::Null).await?;

    heading("…and the guest is told");
    let refunded =
        |mail: &Value| mail["subject"].as_str().is_some_and(|subject| subject.starts_with("You get "));
    let mail = self::mail(url, &email, refunded).await?;
    say::out!("\n{}", letter(&mail));
    Ok(())
}

fn heading(text: &str) {
    say::out!("\n{}", say::paint("36;1", &format!("── {text}")));
}

/// Waits for a person's email.
async fn mail(url: &str, to: &str, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
    let http = ::emulator::client();
    for _ in 0..300 {
        let mails: Value = http.get(format!("{url}/local/emails.json")).send().await?.json().await?;
        let mut mails = mails.as_array().into_iter().flatten();
        if let Some(mail) = mails.find(|mail| mail["to"] == to && wanted(mail)) {
            return Ok(mail.clone());
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    None.with_context(|| {
        format!("no such email came for {to} in a minute: see `cargo local logs send-email`")
    })
}

fn letter(mail: &Value) -> String {
    let field = |name: &str| mail[name].as_str().unwrap_or_default().to_owned();
    let lines = format!("To: {}\nSubject: {}\n\n{}", field("to"), field("subject"), field("text").trim_end());
    lines.lines().map(|line| format!("  │ {line}\n")).collect::<String>().trim_end().to_owned()
}

/// A few letters that no earlier run had.
fn suffix() -> String {
    let random = uuid::Uuid::now_v7().as_u128();
    (0..6).map(|at| char::from(b'a' + u8::try_from((random >> (8 * at)) % 26).unwrap_or_default())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_reads_as_a_letter() {
        let mail = json!({ "to": "a@b.test", "subject": "tea now shipping", "text": "Hello\n\nBye\n" });
        assert_eq!(
            letter(&mail),
            "  │ To: a@b.test\n  │ Subject: tea now shipping\n  │ \n  │ Hello\n  │ \n  │ Bye"
        );
    }

    #[test]
    fn every_run_is_another_person() {
        assert_ne!(suffix(), suffix());
    }
}
