//! The secret of the pool's app client, which Cognito asks for in every call that people make through it. Without one,
//! whoever knows the client's id, which is in every token, could call Cognito past the limits and rules of this API.

use std::fmt;
use std::sync::Arc;

use anyhow::Context;
use aws_sdk_secretsmanager::Client;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use tokio::sync::OnceCell;

use crate::Error;

/// The secret, read from Secrets Manager when it is first needed and then kept.
#[derive(Clone)]
pub struct ClientSecret {
    secrets: Client,
    arn: String,
    value: Arc<OnceCell<String>>,
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret(…)")
    }
}

impl FromEnv for ClientSecret {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            secrets: Client::new(aws.sdk()),
            arn: config::required("APP_CLIENT_SECRET")?,
            value: Arc::default(),
        })
    }
}

impl ClientSecret {
    /// The secret itself.
    ///
    /// # Errors
    /// When Secrets Manager does not give it.
    pub async fn value(&self) -> Result<&str, Error> {
        let read = async || {
            let found = self.secrets.get_secret_value().secret_id(&self.arn).send().await;
            let found = found.context("read the app client's secret")?;
            found.secret_string.context("the app client's secret is no text")
        };
        self.value.get_or_try_init(read).await.map(String::as_str).map_err(Error::Unavailable)
    }

    /// What proves to Cognito, in a call about `username`, that it comes from this client: an HMAC-SHA256 in Base64.
    /// <https://docs.aws.amazon.com/cognito/latest/developerguide/signing-up-users-in-your-app.html#cognito-user-pools-computing-secret-hash>
    ///
    /// # Errors
    /// When Secrets Manager does not give the secret.
    pub async fn hash(&self, username: &str, client_id: &str) -> Result<String, Error> {
        let secret = self.value().await?;
        let mut mac =
            Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
        mac.update(username.as_bytes());
        mac.update(client_id.as_bytes());
        Ok(STANDARD.encode(mac.finalize().into_bytes()))
    }

    /// One that is known already.
    #[cfg(test)]
    pub(crate) fn for_tests(secrets: &aws_sdk_secretsmanager::Config, value: Option<&str>) -> Self {
        let value = value.map_or_else(OnceCell::new, |value| OnceCell::new_with(Some(value.to_owned())));
        Self { secrets: Client::from_conf(secrets.clone()), arn: "arn".into(), value: Arc::new(value) }
    }
}
