//! Secrets that a function reads from Secrets Manager itself, when it first needs one: those that are changed while it
//! runs, or that its environment must not show to whoever may look at a function's configuration (decision 0006).

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use aws_sdk_secretsmanager::Client;
use tokio::sync::Mutex;

use crate::run::aws::Aws;
use crate::run::config::{self, ConfigError};

/// How long a secret is used before it is read again: so long the old one has to stay valid when there is a new one.
pub const KEPT: Duration = Duration::from_secs(5 * 60);

/// How long the secret that is known is used on when it cannot be read again.
const KEPT_ON: Duration = Duration::from_secs(30);

/// What can be made from a secret's text.
pub trait FromSecret: Sized + Send + Sync + 'static {
    /// Makes it; `None` where the text is not what it should be. There is no error with a reason, because that would
    /// tell the text.
    fn from_secret(text: &str) -> Option<Self>;
}

/// A secret, read when it is needed and then kept for a while. It is never printed.
pub struct Secret<T> {
    secrets: Client,
    arn: String,
    kept: Arc<Mutex<Option<Kept<T>>>>,
}

struct Kept<T> {
    value: Arc<T>,
    until: Instant,
}

impl<T: FromSecret> Secret<T> {
    /// The secret whose ARN is in the environment variable `name`. Reads nothing yet.
    ///
    /// # Errors
    /// Names the variable that the template should have set.
    pub fn named_by(name: &'static str, aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self::new(Client::new(aws.sdk()), config::required(name)?))
    }

    /// The secret of this ARN or name.
    pub fn new(secrets: Client, arn: String) -> Self {
        Self { secrets, arn, kept: Arc::default() }
    }

    /// The secret as it is, or was at most [`KEPT`] ago. When it cannot be read again, the one that is known is used
    /// on: most often it is still valid.
    ///
    /// # Errors
    /// When Secrets Manager does not give it, or it is not what it should be.
    pub async fn value(&self) -> anyhow::Result<Arc<T>> {
        let mut kept = self.kept.lock().await;
        let now = Instant::now();
        if let Some(known) = kept.as_ref().filter(|known| now < known.until) {
            return Ok(known.value.clone());
        }
        let (value, until) = match (self.read().await, kept.as_ref()) {
            (Ok(value), _) => (Arc::new(value), now + KEPT),
            (Err(error), Some(known)) => {
                tracing::warn!(error = format!("{error:#}"), "a secret cannot be read again");
                (known.value.clone(), now + KEPT_ON)
            }
            (Err(error), None) => return Err(error),
        };
        *kept = Some(Kept { value: value.clone(), until });
        Ok(value)
    }

    /// Forgets `refused`, which turned out not to be valid: the next [`value`](Self::value) is read anew. Whoever has
    /// read a newer one meanwhile keeps it.
    pub async fn forget(&self, refused: &Arc<T>) {
        let mut kept = self.kept.lock().await;
        if kept.as_ref().is_some_and(|known| Arc::ptr_eq(&known.value, refused)) {
            *kept = None;
        }
    }

    /// One that was read already.
    #[cfg(any(test, feature = "testing"))]
    pub fn known(value: T) -> Self {
        let config = aws_sdk_secretsmanager::Config::builder();
        let config = config.behavior_version(aws_sdk_secretsmanager::config::BehaviorVersion::latest());
        let kept = Kept { value: Arc::new(value), until: Instant::now() + KEPT };
        let secrets = Client::from_conf(config.build());
        Self { secrets, arn: "known".into(), kept: Arc::new(Mutex::new(Some(kept))) }
    }

    async fn read(&self) -> anyhow::Result<T> {
        let found = self.secrets.get_secret_value().secret_id(&self.arn).send().await;
        let text = found.context("read a secret")?.secret_string.context("the secret is no text")?;
        T::from_secret(&text).context("the secret is not what it should be")
    }
}

impl<T> Clone for Secret<T> {
    fn clone(&self) -> Self {
        Self { secrets: self.secrets.clone(), arn: self.arn.clone(), kept: self.kept.clone() }
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::aws::canned;
    use serde_json::{Value, json};

    struct Word(String);

    impl FromSecret for Word {
        fn from_secret(text: &str) -> Option<Self> {
            (text != "unset").then(|| Self(text.to_owned()))
        }
    }

    fn secret(status: u16, body: &Value) -> (Secret<Word>, canned::Asked) {
        let (sdk, asked) = canned::answering(status, body);
        (Secret::new(Client::new(&sdk), "arn".into()), asked)
    }

    fn count(asked: &canned::Asked) -> usize {
        asked.lock().unwrap().len()
    }

    /// As if it had been read longer ago than it is kept.
    async fn age(secret: &Secret<Word>) {
        secret.kept.lock().await.as_mut().unwrap().until = Instant::now();
    }

    #[tokio::test]
    async fn a_secret_is_read_once_kept_for_a_while_and_never_printed() {
        let (secret, asked) = secret(200, &json!({ "SecretString": "hush" }));
        let clone = secret.clone();
        assert_eq!(secret.value().await.unwrap().0, "hush");
        assert_eq!(clone.value().await.unwrap().0, "hush");
        assert_eq!(*asked.lock().unwrap(), [json!({ "SecretId": "arn" })]);
        let until = secret.kept.lock().await.as_ref().unwrap().until;
        let kept = until - Instant::now();
        assert!(kept <= KEPT && kept > KEPT - Duration::from_secs(5), "{kept:?}");
        age(&secret).await;
        secret.value().await.unwrap();
        assert_eq!(count(&asked), 2);
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }

    #[tokio::test]
    async fn a_refused_secret_is_read_anew_but_not_one_that_was_read_since() {
        let (secret, asked) = secret(200, &json!({ "SecretString": "hush" }));
        let refused = secret.value().await.unwrap();
        secret.forget(&refused).await;
        let newer = secret.value().await.unwrap();
        assert_eq!(count(&asked), 2);
        secret.forget(&refused).await;
        assert!(Arc::ptr_eq(&secret.value().await.unwrap(), &newer));
        assert_eq!(count(&asked), 2);
    }

    #[tokio::test]
    async fn what_is_known_is_used_on_while_it_cannot_be_read_again() {
        let (secret, asked) = secret(500, &json!({}));
        assert!(secret.value().await.is_err());
        *secret.kept.lock().await = Some(Kept { value: Arc::new(Word("old".into())), until: Instant::now() });
        assert_eq!(secret.value().await.unwrap().0, "old");
        assert_eq!(secret.value().await.unwrap().0, "old");
        assert_eq!(count(&asked), 2);
        age(&secret).await;
        assert_eq!(secret.value().await.unwrap().0, "old");
        assert_eq!(count(&asked), 3);
    }

    #[tokio::test]
    async fn the_error_about_a_wrong_secret_does_not_tell_it() {
        let (secret, _) = secret(200, &json!({ "SecretString": "unset" }));
        let error = format!("{:?}", secret.value().await.err().unwrap());
        assert!(error.contains("not what it should be") && !error.contains("unset"), "{error}");
    }
}
