//! `cargo local demo`: the main job as a person would do it, from sign-up to the shipping email, with every request and
//! answer.

use std::time::Instant;

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::{Value, json};

use crate::deploy::ADMIN;
use crate::pictures::{self, Shape};
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
    let picture = pictures::png(Shape::Triangle, [120, 40, 120], [246, 236, 246])?;
    shop.upload(created.text("/uploadUrl")?, "image/png", picture).await?;
    let mine = |page: &Value| {
        let mut products = page["products"].as_array().into_iter().flatten();
        products.any(|one| one["id"] == id.as_str() && one["waitingPicture"].is_object())
    };
    shop.wait("/users/me/products?limit=100", &token, mine).await?;

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
    shop.wait(&order, &token, |order| order["status"] == "shipping").await?;
    shop.want(Method::GET, &order, Some(&token), &Value::Null).await?;

    heading("…and the email goes out");
    let shipping =
        |mail: &Value| mail["subject"].as_str().is_some_and(|subject| subject.ends_with("now shipping"));
    let mail = self::mail(&record.url(), &email, shipping).await?;
    say::out!("\n{}", letter(&mail));

    say::out!(
        "\nThat was all, in {}. The shop stays open at {}; its mailbox is at {}/local.",
        say::seconds(started.elapsed()),
        record.url(),
        record.url()
    );
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
