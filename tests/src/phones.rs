//! Phones that texts go to, and what came there.

use serde_json::json;

use crate::shop::{Person, Shop};
use crate::wait::eventually;

/// Where a person says to which phone texts go.
pub const PHONE: &str = "/users/me/phone";
/// Where that phone is proved.
pub const CONFIRM: &str = "/users/me/phone/confirm";

/// A number that nobody else has.
pub fn number() -> String {
    // The end of an id is chance alone.
    format!("+49151{:010}", uuid::Uuid::now_v7().as_u128() % 10_000_000_000)
}

/// All texts to a number, oldest first.
///
/// # Panics
/// When the local cloud does not tell.
pub async fn texts_to(shop: &Shop, number: &str) -> Vec<String> {
    let texts = shop.get(&format!("/local/texts.json?to={}", number.replace('+', "%2B"))).await.is(200);
    let texts = texts.as_array().expect("texts").iter().rev();
    texts.map(|text| text["text"].as_str().expect("a text").to_owned()).collect()
}

/// The same, as soon as there are so many.
pub async fn texts_once(shop: &Shop, number: &str, count: usize) -> Vec<String> {
    eventually(&format!("there are {count} texts"), async || {
        Some(texts_to(shop, number).await).filter(|texts| texts.len() >= count)
    })
    .await
}

/// The code of the last text to a number, of which there are so many.
///
/// # Panics
/// When none are asked for.
pub async fn code_of(shop: &Shop, number: &str, count: usize) -> String {
    let texts = texts_once(shop, number, count).await;
    texts.last().expect("a text").chars().take(6).collect()
}

/// Has texts to a person go to this number, which got none before.
pub async fn has(shop: &Shop, person: &Person, number: &str) {
    person.post(PHONE, &json!({ "phone": number })).await.is(202);
    let code = code_of(shop, number, 1).await;
    person.post(CONFIRM, &json!({ "code": code })).await.is(200);
}
