//! The secret of the pool's app client, which Cognito asks for in every call that people make through it. Without one,
//! whoever knows the client's id, which is in every token, could call Cognito past the limits and rules of this API.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::run::secrets::{FromSecret, Secret};

use crate::Error;

/// The secret, read from Secrets Manager when it is first needed.
#[derive(Clone, Debug)]
pub struct ClientSecret(Secret<Text>);

/// The secret's text, as Cognito made it.
struct Text(String);

impl FromSecret for Text {
    fn from_secret(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }
}

impl FromEnv for ClientSecret {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Secret::named_by("APP_CLIENT_SECRET", aws).map(Self)
    }
}

impl ClientSecret {
    /// The secret itself.
    ///
    /// # Errors
    /// When Secrets Manager does not give it.
    pub async fn value(&self) -> Result<String, Error> {
        let text = self.0.value().await.map_err(Error::Unavailable)?;
        Ok(text.0.clone())
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
    pub(crate) fn known_to_tests(value: &str) -> Self {
        Self(Secret::known(Text(value.into())))
    }

    /// One that is known already, or that these secrets have.
    #[cfg(test)]
    pub(crate) fn for_tests(secrets: aws_sdk_secretsmanager::Config, value: Option<&str>) -> Self {
        Self(match value {
            Some(value) => Secret::known(Text(value.into())),
            None => Secret::new(aws_sdk_secretsmanager::Client::from_conf(secrets), "arn".into()),
        })
    }
}
