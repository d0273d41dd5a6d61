//! What Stripe says to the shop, as a test says it in its place.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::aws::Aws;

/// The header `Stripe-Signature` for a body that is sent now.
///
/// # Panics
/// When the secret cannot be read.
pub async fn signature(body: &str) -> String {
    let aws = Aws::open().await;
    let secret = json!({ "SecretId": aws.output("StripeWebhookArn") });
    let secret = aws.json("secretsmanager", "secretsmanager.GetSecretValue", secret).await;
    let secrets: Value = secret["SecretString"].as_str().expect("a text").parse().expect("JSON");
    let key = secrets["secrets"][0].as_str().expect("a secret");
    #[expect(clippy::disallowed_methods, reason = "it is signed now")]
    let time = jiff::Timestamp::now().as_second();
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("any length will do");
    mac.update(format!("{time}.{body}").as_bytes());
    let proof: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={time},v1={proof}")
}
