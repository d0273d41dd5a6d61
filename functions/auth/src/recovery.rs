//! A new password, and the end of all sessions that began with the old one: whoever changes a password may do so
//! because somebody else knows it.

use shared::caller::AccessToken;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::values::time::Timestamp;
use users::{Username, Users};

use crate::{
    Account, AppClient, ChangePassword, Directory, Error, ResetPassword, SignInStep, Tokens, UserPool, note,
};

/// A new password for somebody who is signed in and knows the old one.
#[derive(Debug, Clone)]
pub struct Change {
    app_client: AppClient,
    user_pool: UserPool,
    users: Users,
}

impl FromEnv for Change {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            app_client: AppClient::from_env(aws)?,
            user_pool: UserPool::from_env(aws)?,
            users: Users::from_env(aws)?,
        })
    }
}

impl Change {
    /// Sets the new password, ends all sessions of the person and gives this one new tokens, or none where that fails
    /// or needs a second factor: the password is changed all the same. Notes it in the profile if it can.
    ///
    /// # Errors
    /// Those of [`UserPool::change_password`], and sessions that could not be ended.
    pub async fn change(
        &self,
        token: &AccessToken,
        change: &ChangePassword,
        now: Timestamp,
    ) -> Result<Option<Tokens>, Error> {
        self.user_pool.change_password(token, change).await?;
        let noted = note(self.users.password_changed(token.caller().id(), now));
        let (ended, ()) = tokio::join!(self.user_pool.end_sessions(token), noted);
        ended?;
        let account = Account::Username(Username::existing(token.username()));
        match self.app_client.sign_in(&account, &change.proposed).await {
            Ok(SignInStep::Done(tokens)) => Ok(Some(tokens)),
            // Only its person can answer.
            Ok(SignInStep::Challenged(_)) => Ok(None),
            Err(error) => {
                tracing::warn!(%error, "a session has to sign in anew by itself");
                Ok(None)
            }
        }
    }
}

/// A new password for a forgotten one.
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
    /// Sets a new password with the code that was emailed and ends all sessions of the person. Notes it in the profile
    /// if it can.
    ///
    /// # Errors
    /// Those of [`AppClient::reset_password`], and sessions that could not be ended.
    pub async fn reset(&self, reset: &ResetPassword, now: Timestamp) -> Result<(), Error> {
        self.app_client.reset_password(&reset.account, &reset.code, &reset.new_password).await?;
        let noted = note(async {
            let person = self.directory.user_id_of(&reset.account).await?;
            self.users.password_changed(&person, now).await
        });
        let (ended, ()) = tokio::join!(self.directory.end_sessions(&reset.account), noted);
        ended
    }
}
