//! Getting back into an account whose password is forgotten.

use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::values::time::Timestamp;
use users::Users;

use crate::{AppClient, Directory, Error, ResetPassword, note};

/// The user pool, and the profiles in which a new password is noted.
#[derive(Debug, Clone)]
pub struct Recovery {
    app_client: AppClient,
    directory: Directory,
    users: Users,
}

impl FromEnv for Recovery {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            app_client: AppClient::from_env(aws)?,
            directory: Directory::from_env(aws)?,
            users: Users::from_env(aws)?,
        })
    }
}

impl Recovery {
    /// Sets a new password with the code that was emailed, and notes it in the person's profile if it can.
    ///
    /// # Errors
    /// Those of [`AppClient::reset_password`].
    pub async fn reset(&self, reset: &ResetPassword, now: Timestamp) -> Result<(), Error> {
        self.app_client.reset_password(&reset.account, &reset.code, &reset.new_password).await?;
        note(async {
            let person = self.directory.user_id_of(&reset.account).await?;
            self.users.password_changed(&person, now).await
        })
        .await;
        Ok(())
    }
}
