//! Getting tokens for a password and, where the account has a second factor, for the code of an authenticator app.

use anyhow::Context;
use shared::guards::Guards;
use shared::guards::rate_limit::{Address, Attempt, PasswordLimits};
use shared::http::problem::Problem;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::values::time::Timestamp;
use users::Users;

use crate::{AnswerChallenge, AppClient, PATIENCE, SignIn, SignInStep, Tokens, note};

/// The user pool, the limits of its guesses, and the profiles in which a sign-in is noted.
#[derive(Debug, Clone)]
pub struct SigningIn {
    limits: PasswordLimits,
    app_client: AppClient,
    users: Users,
    guards: Guards,
}

impl FromEnv for SigningIn {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            limits: PasswordLimits::from_env(aws)?,
            app_client: AppClient::from_env(aws)?,
            users: Users::from_env(aws)?,
            guards: Guards::from_env(aws)?,
        })
    }
}

impl SigningIn {
    /// Exchanges a password for tokens, or for the question for a second factor. A right one takes its try back from
    /// the limits and, where that is all, is noted in the person's profile, if it can be.
    ///
    /// # Errors
    /// Too many tries, and those of [`AppClient::sign_in`].
    pub async fn sign_in(
        &self,
        person: &SignIn,
        address: Address,
        now: Timestamp,
    ) -> Result<SignInStep, Problem> {
        let attempt = self.limits.count("sign-in", address, person.account.name(), now).await?;
        let step = self.app_client.sign_in(&person.account, &person.password).await?;
        let in_profile = async {
            if let SignInStep::Done(tokens) = &step {
                note(self.note_in_profile(tokens, SecondFactorGiven::No, now)).await;
            }
        };
        tokio::join!(in_profile, take_back(&attempt));
        Ok(step)
    }

    /// Exchanges the code of an authenticator app for tokens, after the password. A right one takes its try back from
    /// the limits and is noted in the person's profile, if it can be.
    ///
    /// # Errors
    /// Too many tries, and those of [`AppClient::answer_challenge`].
    pub async fn answer_challenge(
        &self,
        answer: &AnswerChallenge,
        address: Address,
        now: Timestamp,
    ) -> Result<Tokens, Problem> {
        let attempt = self.limits.count("answer-challenge", address, answer.username.as_str(), now).await?;
        let tokens = self.app_client.answer_challenge(answer).await?;
        let in_profile = note(self.note_in_profile(&tokens, SecondFactorGiven::Yes, now));
        tokio::join!(in_profile, take_back(&attempt));
        Ok(tokens)
    }

    async fn note_in_profile(
        &self,
        tokens: &Tokens,
        second_factor: SecondFactorGiven,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        let (person, completed_at) = tokens.sign_in()?;
        let with_second_factor = match second_factor {
            SecondFactorGiven::Yes => Some(completed_at),
            SecondFactorGiven::No => None,
        };
        let sign_in = users::SignIn { with_second_factor, address: tokens.address() };
        self.users.signed_in(&self.guards, &person, &sign_in, now).await
    }
}

/// Whether a code was given besides the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SecondFactorGiven {
    Yes,
    No,
}

/// Takes a try back, since it was no failure; nobody waits long for that.
async fn take_back(attempt: &Attempt) {
    let taken_back = tokio::time::timeout(PATIENCE, attempt.succeeded()).await;
    if let Err(error) = taken_back.context("it took too long").flatten() {
        tracing::warn!(error = format!("{error:#}"), "a right password or code still counts as a wrong one");
    }
}
