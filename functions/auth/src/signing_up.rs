//! Opening an account.

use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;

use crate::{AppClient, Directory, Error, SignUp, note};

/// The user pool, from the side of people and from ours.
#[derive(Debug, Clone)]
pub struct SigningUp {
    app_client: AppClient,
    directory: Directory,
}

impl FromEnv for SigningUp {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { app_client: AppClient::from_env(aws)?, directory: Directory::from_env(aws)? })
    }
}

impl SigningUp {
    /// Opens an account, has its code emailed and gives it the person's full name. People may write their address
    /// alone, so the name is written for them; where that fails the person is called by the username.
    ///
    /// # Errors
    /// Those of [`AppClient::sign_up`].
    pub async fn sign_up(&self, person: &SignUp) -> Result<(), Error> {
        self.app_client.sign_up(person).await?;
        note(self.directory.name(person)).await;
        Ok(())
    }
}
