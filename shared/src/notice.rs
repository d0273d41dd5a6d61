//! What the shop's admins are told over SNS.

use anyhow::Context;
use aws_sdk_sns::Client;

use crate::run::aws::{Aws, FromEnv};
use crate::run::config::{self, ConfigError};

/// SNS takes 256 KB; this many names fit many times over.
const MOST_NAMED: usize = 200;

/// The topic of notices.
#[derive(Debug, Clone)]
pub struct Notices {
    client: Client,
    topic_arn: String,
}

impl FromEnv for Notices {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { client: Client::new(aws.sdk()), topic_arn: config::required("NOTICE_TOPIC_ARN")? })
    }
}

/// What one of some things is called, and several of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Noun {
    /// `category`
    pub one: &'static str,
    /// `categories`
    pub many: &'static str,
}

impl Notices {
    /// Tells how many things were deleted because their picture did not come in an hour, and which.
    ///
    /// # Errors
    /// When the topic takes no message.
    pub async fn cleaned_up(&self, noun: Noun, names: &[String]) -> anyhow::Result<()> {
        let (subject, message) = cleaned_up(noun, names);
        let publish = self.client.publish().topic_arn(&self.topic_arn).subject(subject).message(message);
        publish.send().await.map(drop).context("publish a notice")
    }
}

fn cleaned_up(noun: Noun, names: &[String]) -> (String, String) {
    let count = names.len();
    let noun = if count == 1 { noun.one } else { noun.many };
    let lines: Vec<String> = names.iter().take(MOST_NAMED).map(|name| format!("- {name}")).collect();
    let subject = format!("{count} {noun} without a picture deleted");
    let message =
        format!("{count} {noun} had no picture after an hour and were deleted:\n{}\n", lines.join("\n"));
    (subject, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOUN: Noun = Noun { one: "category", many: "categories" };

    #[test]
    fn a_notice_says_how_many_and_which() {
        let (subject, message) = cleaned_up(NOUN, &["Tea".into(), "Mugs".into()]);
        assert_eq!(subject, "2 categories without a picture deleted");
        assert!(message.contains("\n- Tea\n- Mugs\n"), "{message}");
        assert_eq!(cleaned_up(NOUN, &["Tea".into()]).0, "1 category without a picture deleted");
    }
}
