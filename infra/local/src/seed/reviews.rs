//! What customers of a new shop say of what they have bought.

use std::time::Duration;

use anyhow::{Result, bail};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Listed, each};
use crate::catalogue::PRODUCTS;
use crate::catalogue::reviews::{REVIEWERS, Review, Reviewer};
use crate::shop::Shop;

/// A purchase is asked for so often and after such a pause: for a minute, and not so often that the shop refuses.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(600);

/// Writes the reviews that are missing, all reviewers at the same time, and what the sellers say to them.
pub(super) async fn write_all(
    shop: &Shop,
    tokens: &[String],
    sellers: &[String],
    listed: &[Listed],
) -> Result<()> {
    each(REVIEWERS.iter().zip(tokens), |(reviewer, token)| write(shop, (reviewer, token), sellers, listed))
        .await?;
    Ok(())
}

/// Writes what is missing of what one person says, who first buys what was not bought yet.
async fn write(
    shop: &Shop,
    (reviewer, token): (&Reviewer, &str),
    sellers: &[String],
    listed: &[Listed],
) -> Result<()> {
    let path = "/users/me/reviews?limit=100";
    let there = shop.want(Method::GET, path, Some(token), &Value::Null).await?.body;
    let there = |listed: &Listed| {
        let mut there = there["reviews"].as_array().into_iter().flatten();
        there.find(|one| one["productId"] == listed.id).cloned()
    };
    let about = |review: &Review| {
        let mut listed = PRODUCTS.iter().zip(listed).filter(|(product, _)| product.file == review.product);
        listed.next().map(|(_, listed)| listed)
    };
    let all = reviewer.reviews.iter().filter_map(|review| about(review).map(|listed| (review, listed)));
    let all: Vec<_> = all.map(|(review, listed)| (review, listed, there(listed))).collect();
    let missing = all.iter().filter(|(_, listed, there)| there.is_none() && listed.is_sold);
    buy(shop, token, missing.map(|(_, listed, _)| listed.id.as_str())).await?;
    for (review, Listed { id, seller, is_sold }, there) in all {
        let said = match there {
            Some(there) => there,
            None if *is_sold => post(shop, token, (reviewer, review), id).await?,
            None => continue,
        };
        // Of what an admin hid its seller knows nothing.
        if let Some(reply) = review.reply
            && said["reply"].is_null()
            && said["hidden"].is_null()
        {
            let path = format!("/reviews/{id}/{}/reply", said["userId"].as_str().unwrap_or_default());
            shop.want(Method::PUT, &path, Some(&sellers[*seller]), &json!({ "text": reply })).await?;
        }
    }
    Ok(())
}

/// Orders one piece of each of these that was not ordered before, and waits until they were sent.
async fn buy<'a>(shop: &Shop, token: &str, products: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut products = products.peekable();
    if products.peek().is_none() {
        return Ok(());
    }
    let there = shop.want(Method::GET, "/orders?limit=100", Some(token), &Value::Null).await?.body;
    let orders = there["orders"].as_array().into_iter().flatten();
    let ordered =
        orders.filter(|order| order["status"] != "cancelled").filter_map(|order| order["items"].as_array());
    let ordered: Vec<_> = ordered.flatten().map(|line| &line["id"]).collect();
    let wanted: Vec<_> = products.filter(|id| !ordered.iter().any(|ordered| *ordered == id)).collect();
    let Some(first) = wanted.first() else { return Ok(()) };
    let items: Vec<_> = wanted.iter().map(|id| json!({ "id": id, "quantity": 1 })).collect();
    // Whoever orders anew because the answer was lost has ordered once.
    let once = shop.with("idempotency-key", &format!("seed-{first}"));
    let placed = once.want(Method::POST, "/orders", Some(token), &json!({ "items": items })).await?;
    let path = format!("/orders/{}", placed.text("/orderId")?);
    shop.wait(&path, Some(token), |order| order["status"] != "pending").await?;
    Ok(())
}

/// Says something of a product, as soon as the shop knows that its author has it: about a second after it was sent.
async fn post(
    shop: &Shop,
    token: &str,
    (reviewer, review): (&Reviewer, &Review),
    product: &str,
) -> Result<Value> {
    let path = format!("/products/{product}/reviews");
    let body = json!({
        "stars": review.stars,
        "title": review.title,
        "text": review.text,
        "name": reviewer.pen_name,
    });
    for _ in 0..TRIES {
        let answer = shop.send(Method::POST, &path, Some(token), &body).await?;
        match answer.status {
            201 => return Ok(answer.body),
            403 => tokio::time::sleep(PAUSE).await,
            status => bail!("POST {path} answered {status}: {}", answer.body),
        }
    }
    bail!("POST {path}: it was not known to be bought in a minute: see `cargo local logs record-purchases`")
}
