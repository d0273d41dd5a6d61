//! What the shop's admins are told over SNS.

use anyhow::Context;
use aws_sdk_sns::Client;

use crate::run::aws::{Aws, FromEnv};
use crate::run::config::{self, ConfigError};

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

impl Notices {
    /// Tells the admins: `subject` in at most 100 characters of ASCII, `message` in at most 256 KB.
    ///
    /// # Errors
    /// When the topic takes no message.
    pub async fn publish(&self, subject: String, message: String) -> anyhow::Result<()> {
        let publish = self.client.publish().topic_arn(&self.topic_arn).subject(subject).message(message);
        publish.send().await.map(drop).context("publish a notice")
    }
}
