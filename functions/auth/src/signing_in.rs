//! Getting tokens for a password.

use anyhow::Context;
use shared::guards::rate_limit::{Address, PasswordLimits};
use shared::http::problem::Problem;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::values::time::Timestamp;
use users::Users;

use crate::{AppClient, PATIENCE, SignIn, Tokens, note};

/// The user pool, the limits of its guesses, and the profiles in which a sign-in is noted.
#[derive(Debug, Clone)]
pub struct SigningIn {
    limits: PasswordLimits,
    app_client: AppClient,
    users: Users,
}

impl FromEnv for SigningIn {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            limits: PasswordLimits::from_env(aws)?,
            app_client: AppClient::from_env(aws)?,
            users: Users::from_env(aws)?,
        })
    }
}

impl SigningIn {
    /// Exchanges a password for tokens. A right one takes its try back from the limits and is noted in the person's
    /// profile, if it can be.
    ///
    /// # Errors
    /// Too many tries, and those of [`AppClient::sign_in`].
    pub async fn sign_in(
        &self,
        person: &SignIn,
        address: Address,
        now: Timestamp,
    ) -> Result<Tokens, Problem> {
        let attempt = self.limits.count("sign-in", address, person.account.name(), now).await?;
        let tokens = self.app_client.sign_in(&person.account, &person.password).await?;
        let in_profile = note(async { self.users.signed_in(&tokens.user_id()?, now).await });
        let taken_back = tokio::time::timeout(PATIENCE, attempt.succeeded());
        let ((), taken_back) = tokio::join!(in_profile, taken_back);
        if let Err(error) = taken_back.context("it took too long").flatten() {
            tracing::warn!(error = format!("{error:#}"), "a right password still counts as a wrong one");
        }
        Ok(tokens)
    }
}
