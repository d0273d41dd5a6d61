//! What the shop's admins are told over SNS.

use anyhow::Context;
use aws_sdk_sns::Client;
use shared::aws::{Aws, Connect};
use shared::config::{self, ConfigError};

use crate::Product;

/// SNS takes 256 KB; this many names of products fit many times over.
const MOST_NAMED: usize = 200;

/// The topic of notices.
#[derive(Debug, Clone)]
pub struct Notices {
    client: Client,
    topic_arn: String,
}

impl Connect for Notices {
    fn connect(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { client: Client::new(aws.sdk()), topic_arn: config::required("NOTICE_TOPIC_ARN")? })
    }
}

impl Notices {
    /// Tells how many products were cleaned up, and which.
    ///
    /// # Errors
    /// When the topic takes no message.
    pub async fn products_cleaned_up(&self, products: &[Product]) -> anyhow::Result<()> {
        let (subject, message) = cleaned_up(products);
        let publish = self.client.publish().topic_arn(&self.topic_arn).subject(subject).message(message);
        publish.send().await.map(drop).context("publish a notice")
    }
}

fn cleaned_up(products: &[Product]) -> (String, String) {
    let count = products.len();
    let noun = if count == 1 { "product" } else { "products" };
    let lines: Vec<String> = products
        .iter()
        .take(MOST_NAMED)
        .map(|product| format!("- {} ({})", product.name(), product.id()))
        .collect();
    let subject = format!("{count} {noun} without a picture deleted");
    let message = format!(
        "{count} {noun} had no picture an hour after being listed and were deleted:\n{}\n",
        lines.join("\n")
    );
    (subject, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::auth::Caller;
    use shared::input;
    use shared::time::Timestamp;

    #[test]
    fn a_notice_says_how_many_and_which() {
        let body = r#"{"fileName":"t.png","fileType":"image/png","productName":"Tea","productPrice":4.5,
            "description":"Green.","quantity":40,"category":"Drinks"}"#;
        let new = input::parse(body.as_bytes()).unwrap();
        let now = Timestamp::from_unix_millis(0);
        let product = Product::new(new, &Caller::for_tests("ann"), "USD".parse().unwrap(), now);
        let (subject, message) = cleaned_up(std::slice::from_ref(&product));
        assert_eq!(subject, "1 product without a picture deleted");
        assert!(message.contains(&format!("- Tea ({})", product.id())), "{message}");
    }
}
