//! Cognito's user pool, and what its errors mean.
//!
//! | type | for | needs |
//! | --- | --- | --- |
//! | [`AppClient`] | what people do for themselves, from signing up to a new password | `USER_POOL_CLIENT_ID`, |
//! | | | `APP_CLIENT_SECRET` |
//! | [`Directory`] | an account's name, whose it is, and the end of its sessions | `USER_POOL_ID` |
//! | [`UserPool`] | what a token alone decides, and groups, where the event names the pool | nothing |
//!
//! Nobody learns from these whether an account exists: what Cognito says of a person who is there alone, such as that
//! an account is confirmed, closed for a while or has had its share of codes, they answer as what is said of nobody.
//! That a username is taken is told, or nobody could choose another; an address is never told to be.
//!
//! The SDK repeats a call whose answer was lost. A repeated sign-up then finds the username taken, by the very account
//! that it made; nothing in Cognito's answer tells whose it is, so `name-taken` says what to do in either case.
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-managing-errors.html>

use std::time::Duration;

use anyhow::Context;
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::config::http::HttpResponse;
use aws_sdk_cognitoidentityprovider::config::retry::RetryConfig;
use aws_sdk_cognitoidentityprovider::config::timeout::TimeoutConfig;
use aws_sdk_cognitoidentityprovider::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cognitoidentityprovider::types::{
    AttributeType, AuthFlowType, AuthenticationResultType, ChallengeNameType, ProviderUserIdentifierType,
    SoftwareTokenMfaSettingsType, UserStatusType, VerifySoftwareTokenResponseType,
};
use shared::caller::{ADMINS, AccessToken, UserId};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use users::{Email, Username};

use crate::client_secret::ClientSecret;
use crate::social::Provider;
use crate::{
    Account, AnswerChallenge, Challenge, ChangePassword, ConfirmationCode, Confirmed, Error, Password,
    Refusal, SignUp, Token, Tokens, TotpCode, admission,
};

/// What follows when something that a sign-in asks for was right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInStep {
    /// That was all.
    Done(Tokens),
    /// The account has a second factor.
    Challenged(Challenge),
}

/// What people do for themselves, through the pool's app client. Cognito takes these calls unsigned, from whoever knows
/// the client's secret.
#[derive(Debug, Clone)]
pub struct AppClient {
    cognito: Client,
    client_id: String,
    secret: ClientSecret,
}

impl FromEnv for AppClient {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            cognito: Client::new(aws.sdk()),
            client_id: config::required("USER_POOL_CLIENT_ID")?,
            secret: ClientSecret::from_env(aws)?,
        })
    }
}

impl AppClient {
    async fn secret_hash(&self, username: &str) -> Result<String, Error> {
        self.secret.hash(username, &self.client_id).await
    }

    /// Opens an account and has its code emailed.
    ///
    /// # Errors
    /// A taken name, a weak password, or what the user pool does not take.
    pub async fn sign_up(&self, person: &SignUp) -> Result<(), Error> {
        let sign_up = self
            .cognito
            .sign_up()
            .client_id(&self.client_id)
            .secret_hash(self.secret_hash(person.username.as_str()).await?)
            .username(person.username.as_str())
            .password(&person.password.0)
            .user_attributes(attribute("email", person.email.as_str())?);
        let sent = sign_up.send().await;
        sent.map_err(|error| {
            meaning("sign up", error, |code, message| match code {
                "UsernameExistsException" => Some(Refusal::NameTaken),
                // The words of admit-social-sign-up, within Cognito's.
                "UserLambdaValidationException" if message.contains(admission::RESERVED) => {
                    Some(Refusal::NameTaken)
                }
                "AliasExistsException" => Some(Refusal::EmailTaken),
                "InvalidPasswordException" => Some(weak_password("password", message)),
                "InvalidParameterException" => refused_field(person, message),
                _ => None,
            })
        })?;
        Ok(())
    }

    /// Proves an account's address by the code that was sent there. At most two tries: whoever has lost the answer of
    /// the first learns by the second that it was done.
    ///
    /// # Errors
    /// A code that is not good for this account, or, with a good one, an address that is another account's.
    pub async fn confirm(&self, username: &Username, code: &ConfirmationCode) -> Result<(), Error> {
        let confirm = self
            .cognito
            .confirm_sign_up()
            .client_id(&self.client_id)
            .secret_hash(self.secret_hash(username.as_str()).await?)
            .username(username.as_str())
            .confirmation_code(&code.0);
        let first = confirm.clone().customize().config_override(one_long_try()).send().await;
        let (sent, is_second) = match first {
            Err(error) if may_have_taken_effect(&error) => (confirm.send().await, true),
            sent => (sent, false),
        };
        match sent {
            // Our first try did it, and its answer was lost. Otherwise nobody hears that an account is confirmed.
            Err(error) if is_second && is_confirmed(&error) => Ok(()),
            Err(error) => Err(meaning("confirm a sign-up", error, |code, message| match code {
                "AliasExistsException" => Some(Refusal::EmailTaken),
                _ => bad_code(code, message),
            })),
            Ok(_) => Ok(()),
        }
    }

    /// Has a new code emailed, if the account exists and is not confirmed yet.
    ///
    /// # Errors
    /// Only what says nothing of the account.
    pub async fn resend_code(&self, username: &Username) -> Result<(), Error> {
        let resend = self
            .cognito
            .resend_confirmation_code()
            .client_id(&self.client_id)
            .secret_hash(self.secret_hash(username.as_str()).await?)
            .username(username.as_str());
        let Err(error) = resend.send().await else { return Ok(()) };
        let nobody = match (error.code(), error.message().unwrap_or_default()) {
            (_, message) if is_ours_to_mend(message) || is_about_emails_of_today(message) => false,
            // Nobody, or an account that got its share of codes for this hour.
            (Some("UserNotFoundException" | "LimitExceededException"), _) => true,
            (Some("InvalidParameterException"), message) => {
                message.contains("already confirmed") || breaks_a_constraint(message)
            }
            _ => false,
        };
        if nobody {
            return Ok(());
        }
        Err(meaning("resend a code", error, |_, _| None))
    }

    /// Exchanges a password for tokens, or for the question for a second factor.
    ///
    /// # Errors
    /// A wrong name or password, an account that is not confirmed, or one that needs a new password.
    pub async fn sign_in(&self, account: &Account, password: &Password) -> Result<SignInStep, Error> {
        let sign_in = self
            .cognito
            .initiate_auth()
            .client_id(&self.client_id)
            .auth_flow(AuthFlowType::UserPasswordAuth)
            .auth_parameters("USERNAME", account.name())
            .auth_parameters("PASSWORD", &password.0)
            .auth_parameters("SECRET_HASH", self.secret_hash(account.name()).await?);
        let sent = sign_in.send().await;
        let output = sent.map_err(|error| {
            meaning("sign in", error, |code, message| match code {
                // Not authorized: also an account that Cognito has closed for a while, after five wrong passwords.
                // That one is not confirmed it says before it looks at the password.
                "NotAuthorizedException" | "UserNotConfirmedException" | "UserNotFoundException" => {
                    Some(Refusal::WrongCredentials)
                }
                "PasswordResetRequiredException" => Some(Refusal::NewPasswordRequired),
                "InvalidParameterException" if breaks_a_constraint(message) => {
                    Some(Refusal::WrongCredentials)
                }
                _ => None,
            })
        })?;
        if let Some(result) = output.authentication_result {
            return tokens(result).map(SignInStep::Done);
        }
        match output.challenge_name {
            Some(ChallengeNameType::SoftwareTokenMfa) => {
                let session = output.session.context("a challenge came without a session")?;
                // An answer goes by the account's own name, whatever its person called it.
                let name = output.challenge_parameters.and_then(|mut all| all.remove("USER_ID_FOR_SRP"));
                let name = name.unwrap_or_else(|| account.name().to_owned());
                Ok(SignInStep::Challenged(Challenge::totp(session, name)))
            }
            Some(ChallengeNameType::NewPasswordRequired) => Err(Refusal::NewPasswordRequired.into()),
            challenge => Err(unknown(challenge.as_ref())),
        }
    }

    /// Exchanges the code of an authenticator app for tokens, after the password.
    ///
    /// # Errors
    /// A wrong code, or a sign-in that is none or has waited for it too long.
    pub async fn answer_challenge(&self, answer: &AnswerChallenge) -> Result<Tokens, Error> {
        let username = answer.username.as_str();
        let respond = self
            .cognito
            .respond_to_auth_challenge()
            .client_id(&self.client_id)
            .challenge_name(ChallengeNameType::SoftwareTokenMfa)
            .session(&answer.session.0)
            .challenge_responses("USERNAME", username)
            .challenge_responses("SOFTWARE_TOKEN_MFA_CODE", &answer.code.0)
            .challenge_responses("SECRET_HASH", self.secret_hash(username).await?);
        let sent = respond.send().await;
        let output = sent.map_err(|error| meaning("answer a challenge", error, bad_answer))?;
        match output.authentication_result {
            Some(result) => tokens(result),
            None => Err(unknown(output.challenge_name.as_ref())),
        }
    }

    /// Has a code for a new password emailed, if there is such an account with a confirmed address.
    ///
    /// # Errors
    /// Only what says nothing of the account.
    pub async fn forgot_password(&self, account: &Account) -> Result<(), Error> {
        let forgot = self
            .cognito
            .forgot_password()
            .client_id(&self.client_id)
            .secret_hash(self.secret_hash(account.name()).await?)
            .username(account.name());
        let Err(error) = forgot.send().await else { return Ok(()) };
        let tells_of_the_account = match (error.code(), error.message().unwrap_or_default()) {
            (_, message) if is_ours_to_mend(message) || is_about_emails_of_today(message) => false,
            // Nobody; disabled, or waiting for a first password; or an account that got its share of codes for this
            // hour.
            (
                Some(
                    "UserNotFoundException"
                    | "NotAuthorizedException"
                    | "UserNotConfirmedException"
                    | "LimitExceededException",
                ),
                _,
            ) => true,
            (Some("InvalidParameterException"), message) => {
                message.contains("no registered/verified") || breaks_a_constraint(message)
            }
            _ => false,
        };
        if tells_of_the_account {
            return Ok(());
        }
        Err(meaning("send a code for a new password", error, |_, _| None))
    }

    /// Sets a new password by the code that was emailed.
    ///
    /// # Errors
    /// A code that is not good for this account, or a weak password.
    pub async fn reset_password(
        &self,
        account: &Account,
        code: &ConfirmationCode,
        new_password: &Password,
    ) -> Result<(), Error> {
        let reset = self
            .cognito
            .confirm_forgot_password()
            .client_id(&self.client_id)
            .secret_hash(self.secret_hash(account.name()).await?)
            .username(account.name())
            .confirmation_code(&code.0)
            .password(&new_password.0);
        reset.send().await.map_err(|error| {
            meaning("reset a password", error, |code, message| {
                refused_password("newPassword", code, message).or_else(|| bad_code(code, message))
            })
        })?;
        Ok(())
    }

    /// Exchanges a refresh token for new access and ID tokens.
    ///
    /// # Errors
    /// When the token is not ours, has expired or was revoked.
    pub async fn refresh(&self, token: &Token) -> Result<Tokens, Error> {
        // Takes the secret itself: only the token says whose the hash would be.
        let refresh = self
            .cognito
            .get_tokens_from_refresh_token()
            .client_id(&self.client_id)
            .client_secret(self.secret.value().await?)
            .refresh_token(&token.0);
        let sent = refresh.send().await;
        let output = sent.map_err(|error| meaning("refresh tokens", error, bad_token))?;
        tokens(output.authentication_result.context("no tokens came")?)
    }
}

/// An account, as the user pool has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolAccount {
    /// Its name.
    pub username: String,
    /// Whose it is.
    pub user_id: UserId,
    /// Its address, if it was proved.
    pub address: Option<Email>,
    /// Whether its person has a password here, and confirmed the address by it.
    pub is_native: bool,
    /// Whether it may be used.
    pub is_enabled: bool,
    /// Whether a sign-in with the password asks for the code of an app.
    pub has_second_factor: bool,
}

/// The account that a name, or a confirmed address, stands for in a pool.
async fn account_in(cognito: &Client, pool_id: &str, name: &str) -> anyhow::Result<Option<PoolAccount>> {
    let found = match cognito.admin_get_user().user_pool_id(pool_id).username(name).send().await {
        Err(error) if error.code() == Some("UserNotFoundException") => return Ok(None),
        found => found.context("look up an account")?,
    };
    let attributes = found.user_attributes.unwrap_or_default();
    let attribute =
        |name: &str| attributes.iter().find(|one| one.name() == name).and_then(AttributeType::value);
    let is_proved = attribute("email_verified") == Some("true");
    Ok(Some(PoolAccount {
        username: found.username,
        user_id: UserId::from(attribute("sub").context("the account has no sub")?.to_owned()),
        address: attribute("email").filter(|_| is_proved).and_then(|email| email.parse().ok()),
        is_native: found.user_status == Some(UserStatusType::Confirmed),
        is_enabled: found.enabled,
        has_second_factor: !found.user_mfa_setting_list.unwrap_or_default().is_empty(),
    }))
}

/// Finds the person of an account.
#[derive(Debug, Clone)]
pub struct Directory {
    cognito: Client,
    pool_id: String,
}

impl FromEnv for Directory {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { cognito: Client::new(aws.sdk()), pool_id: config::required("USER_POOL_ID")? })
    }
}

impl Directory {
    /// Gives an account its person's full name. Safe to repeat: the same name changes nothing.
    ///
    /// # Errors
    /// When the user pool does not take it.
    pub async fn name(&self, person: &SignUp) -> anyhow::Result<()> {
        let update = self
            .cognito
            .admin_update_user_attributes()
            .user_pool_id(&self.pool_id)
            .username(person.username.as_str())
            .user_attributes(attribute("name", person.full_name.as_str())?);
        update.send().await.context("name an account")?;
        Ok(())
    }

    /// Gives an account another address, which its person has proved to us. Safe to repeat: the same address changes
    /// nothing.
    ///
    /// # Errors
    /// An address that is another account's.
    pub async fn set_address(&self, username: &str, address: &Email) -> Result<(), Error> {
        let update = self
            .cognito
            .admin_update_user_attributes()
            .user_pool_id(&self.pool_id)
            .username(username)
            .user_attributes(attribute("email", address.as_str())?)
            .user_attributes(attribute("email_verified", "true")?);
        update.send().await.map_err(|error| {
            meaning("change an address", error, |code, _| match code {
                "AliasExistsException" => Some(Refusal::EmailTaken),
                "UserNotFoundException" => Some(Refusal::BadToken),
                _ => None,
            })
        })?;
        Ok(())
    }

    /// Who the person of a confirmed account is.
    ///
    /// # Errors
    /// When there is no such account, or the user pool does not answer.
    pub async fn user_id_of(&self, account: &Account) -> anyhow::Result<UserId> {
        let get = self.cognito.admin_get_user().user_pool_id(&self.pool_id).username(account.name());
        let found = get.send().await.context("look up who an account is")?;
        let sub = found.user_attributes().iter().find(|attribute| attribute.name() == "sub");
        let sub = sub.and_then(|sub| sub.value()).context("the account has no sub")?;
        Ok(UserId::from(sub.to_owned()))
    }

    /// One for the tests of what is made of it.
    #[cfg(test)]
    pub(crate) fn for_tests(aws: &Aws) -> Self {
        Self { cognito: Client::new(aws.sdk()), pool_id: "pool".into() }
    }

    /// The account of this name; `None` where there is none.
    ///
    /// # Errors
    /// When the user pool does not answer.
    pub async fn account(&self, username: &str) -> anyhow::Result<Option<PoolAccount>> {
        account_in(&self.cognito, &self.pool_id, username).await
    }

    /// Revokes every token that the person of a confirmed account was given. Safe to repeat.
    ///
    /// # Errors
    /// When the user pool does not do it.
    pub async fn end_sessions(&self, account: &Account) -> Result<(), Error> {
        let end =
            self.cognito.admin_user_global_sign_out().user_pool_id(&self.pool_id).username(account.name());
        end.send().await.map_err(|error| Error::SessionsRemain(error.into()))?;
        Ok(())
    }
}

/// What a token alone decides, or the event that names the pool.
#[derive(Debug, Clone)]
pub struct UserPool {
    cognito: Client,
}

impl FromEnv for UserPool {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { cognito: Client::new(aws.sdk()) })
    }
}

impl UserPool {
    /// Revokes every token that the person of this access token was given.
    ///
    /// # Errors
    /// When the token is not ours, has expired or was revoked.
    pub async fn sign_out(&self, token: &Token) -> Result<(), Error> {
        let sent = self.cognito.global_sign_out().access_token(&token.0).send().await;
        sent.map_err(|error| meaning("sign out", error, bad_token))?;
        Ok(())
    }

    /// Changes the password of the person of this access token, who knows the old one.
    ///
    /// # Errors
    /// A wrong old password, a weak new one, or a token that was revoked.
    pub async fn change_password(&self, token: &AccessToken, change: &ChangePassword) -> Result<(), Error> {
        let request = self
            .cognito
            .change_password()
            .access_token(token.as_str())
            .previous_password(&change.previous.0)
            .proposed_password(&change.proposed.0);
        request.send().await.map_err(|error| {
            meaning("change a password", error, |code, message| match code {
                // Cognito has one code for a token and for a password that it refuses.
                "NotAuthorizedException" if message.contains("attempts exceeded") => {
                    Some(Refusal::TooManyRequests)
                }
                "NotAuthorizedException" if message.contains("username or password") => {
                    Some(Refusal::Field("previousPassword", "is not the current password".into()))
                }
                _ => refused_password("proposedPassword", code, message).or_else(|| bad_token(code, message)),
            })
        })?;
        Ok(())
    }

    /// Revokes every token that the person of this access token was given, after the password was changed by it.
    ///
    /// # Errors
    /// When the user pool does not do it.
    pub async fn end_sessions(&self, token: &AccessToken) -> Result<(), Error> {
        let end = self.cognito.global_sign_out().access_token(token.as_str()).send().await;
        // Who has signed out meanwhile has ended them.
        match end {
            Err(error) if error.code() == Some("NotAuthorizedException") => Ok(()),
            Err(error) => Err(Error::SessionsRemain(error.into())),
            Ok(_) => Ok(()),
        }
    }

    /// Makes a key for an authenticator app, in Base32. The app that the account has stays until a code of the new one
    /// was verified.
    ///
    /// # Errors
    /// When the token was revoked.
    pub async fn associate_totp(&self, token: &AccessToken) -> Result<String, Error> {
        let sent = self.cognito.associate_software_token().access_token(token.as_str()).send().await;
        let output = sent.map_err(|error| meaning("begin a second factor", error, bad_token))?;
        Ok(output.secret_code.context("no key came")?)
    }

    /// Checks a code of the app that was associated last. From then on the account has that app and no other.
    ///
    /// # Errors
    /// A wrong code, no app, or a token that was revoked.
    pub async fn verify_totp(&self, token: &AccessToken, code: &TotpCode) -> Result<(), Error> {
        let verify = self.cognito.verify_software_token().access_token(token.as_str()).user_code(&code.0);
        let output = verify.send().await.map_err(|error| {
            meaning("confirm a second factor", error, |code, message| match code {
                "SoftwareTokenMFANotFoundException" => Some(Refusal::TotpNotBegun),
                "EnableSoftwareTokenMFAException" if message.contains("associated") => {
                    Some(Refusal::TotpNotBegun)
                }
                "CodeMismatchException" | "EnableSoftwareTokenMFAException" | "ExpiredCodeException" => {
                    Some(Refusal::TotpMismatch)
                }
                _ => bad_token(code, message),
            })
        })?;
        match output.status {
            Some(VerifySoftwareTokenResponseType::Success) => Ok(()),
            _ => Err(Refusal::TotpMismatch.into()),
        }
    }

    /// Has every sign-in ask for a code of the app. Safe to repeat.
    ///
    /// # Errors
    /// When the token was revoked, or the account has no app.
    pub async fn turn_totp_on(&self, token: &AccessToken) -> Result<(), Error> {
        self.prefer_totp(token, true).await
    }

    /// Has no sign-in ask for a code. Safe to repeat.
    ///
    /// # Errors
    /// When the token was revoked.
    pub async fn turn_totp_off(&self, token: &AccessToken) -> Result<(), Error> {
        self.prefer_totp(token, false).await
    }

    async fn prefer_totp(&self, token: &AccessToken, on: bool) -> Result<(), Error> {
        let settings = SoftwareTokenMfaSettingsType::builder().enabled(on).preferred_mfa(on).build();
        let prefer = self.cognito.set_user_mfa_preference().access_token(token.as_str());
        let sent = prefer.software_token_mfa_settings(settings).send().await;
        sent.map_err(|error| meaning("turn a second factor on or off", error, bad_token))?;
        Ok(())
    }

    /// The account of this name or confirmed address in a pool; `None` where there is none.
    ///
    /// # Errors
    /// When the user pool does not answer.
    pub async fn account_in(&self, pool_id: &str, name: &str) -> anyhow::Result<Option<PoolAccount>> {
        account_in(&self.cognito, pool_id, name).await
    }

    /// Whether an account is in the group of the admins, as somebody who was made one by hand is.
    ///
    /// # Errors
    /// When the user pool does not answer.
    pub async fn is_admin(&self, pool_id: &str, username: &str) -> anyhow::Result<bool> {
        let list = self.cognito.admin_list_groups_for_user().user_pool_id(pool_id).username(username);
        let groups = list.send().await.context("list the groups of an account")?;
        Ok(groups.groups().iter().any(|group| group.group_name() == Some(ADMINS)))
    }

    /// Lets a provider's person sign in to an account that has a password. Safe to repeat: linked once, it stays so.
    ///
    /// # Errors
    /// When the user pool does not take it.
    pub async fn link(
        &self,
        pool_id: &str,
        username: &str,
        (provider, subject): (Provider, &str),
    ) -> anyhow::Result<()> {
        let account = ProviderUserIdentifierType::builder().provider_name("Cognito");
        let stranger = ProviderUserIdentifierType::builder()
            .provider_name(provider.at_cognito())
            .provider_attribute_name("Cognito_Subject")
            .provider_attribute_value(subject);
        let link = self
            .cognito
            .admin_link_provider_for_user()
            .user_pool_id(pool_id)
            .destination_user(account.provider_attribute_value(username).build())
            .source_user(stranger.build());
        match link.send().await {
            Err(error)
                if error.message().is_some_and(|message| message.contains("is already linked to Dest")) =>
            {
                Ok(())
            }
            linked => linked.map(drop).context("link an account"),
        }
    }

    /// Makes a person an admin. Safe to repeat: a member of the group stays in it.
    ///
    /// # Errors
    /// When the user pool does not take it.
    pub async fn add_to_admins(&self, person: &Confirmed) -> anyhow::Result<()> {
        let add = self
            .cognito
            .admin_add_user_to_group()
            .user_pool_id(&person.pool_id)
            .username(person.profile.username.as_str())
            .group_name(ADMINS);
        add.send().await.context("add a person to the admins")?;
        Ok(())
    }
}

fn attribute(name: &str, value: &str) -> anyhow::Result<AttributeType> {
    AttributeType::builder().name(name).value(value).build().context("name an attribute")
}

fn tokens(result: AuthenticationResultType) -> Result<Tokens, Error> {
    Ok(Tokens {
        access_token: result.access_token.context("no access token came")?,
        expires_in: result.expires_in,
        id_token: result.id_token.context("no ID token came")?,
        refresh_token: result.refresh_token,
        token_type: result.token_type.unwrap_or_else(|| "Bearer".into()),
    })
}

/// What an error of Cognito means to the client: `refusal` knows the operation's own codes, the rest is the same for
/// all.
fn meaning<E>(
    operation: &'static str,
    error: SdkError<E, HttpResponse>,
    refusal: impl Fn(&str, &str) -> Option<Refusal>,
) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let (code, message) = (error.code().unwrap_or_default(), error.message().unwrap_or_default());
    if is_ours_to_mend(message) {
        return anyhow::Error::new(error).context(operation).into();
    }
    if let Some(refusal) = refusal(code, message) {
        return refusal.into();
    }
    if code == "CodeDeliveryFailureException" || is_about_emails_of_today(message) {
        return Error::NotMailed(anyhow::Error::new(error).context(operation));
    }
    let is_unavailable = match code {
        "LimitExceededException" | "TooManyFailedAttemptsException" => {
            return Refusal::TooManyRequests.into();
        }
        // Of all accounts together, by the quotas of the AWS account. The other two are said of one.
        // <https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html#category_operations>
        "TooManyRequestsException" => {
            return Error::Throttled(anyhow::Error::new(error).context(operation));
        }
        // Such as create-profile, when it failed: what Cognito calls, not what the client sent.
        "InternalErrorException"
        | "InvalidLambdaResponseException"
        | "UnexpectedLambdaException"
        | "UserLambdaValidationException" => true,
        _ => may_have_taken_effect(&error),
    };
    let cause = anyhow::Error::new(error).context(operation);
    if is_unavailable { Error::Unavailable(cause) } else { Error::Failed(cause) }
}

/// Cognito waits up to 5 seconds for a trigger, and answers after it.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html>
fn one_long_try() -> aws_sdk_cognitoidentityprovider::config::Builder {
    const LONG: Duration = Duration::from_secs(6);
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(LONG).operation_timeout(LONG).build();
    aws_sdk_cognitoidentityprovider::config::Builder::new()
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts)
}

/// Whether a call that failed may have been carried out, or be answered another time.
fn may_have_taken_effect<E>(error: &SdkError<E, HttpResponse>) -> bool {
    match error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => true,
        SdkError::ServiceError(answer) => answer.raw().status().is_server_error(),
        _ => false,
    }
}

fn is_confirmed<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    error.code() == Some("NotAuthorizedException")
        && error.message().is_some_and(|message| message.ends_with("Current status is CONFIRMED"))
}

/// Whether Cognito refused what is ours. Our secret, for which it has the code of a wrong password: "Unable to verify
/// secret hash for client …", or "Client … is configured with secret but SECRET_HASH was not received". The words of
/// write-account-email, for which it has that of a wrong field: "Value … at 'emailBody' failed to satisfy constraint".
fn is_ours_to_mend(message: &str) -> bool {
    ["secret hash", "SECRET_HASH", "client secret", "at 'emailBody'", "at 'emailSubject'"]
        .iter()
        .any(|ours| message.contains(ours))
}

/// Whether no more emails go out today, for which Cognito has the code of an account that asked for too many codes:
/// "Exceeded daily email limit for the operation or the account. …".
fn is_about_emails_of_today(message: &str) -> bool {
    message.contains("daily email limit")
}

/// Whether Cognito refused a value by its pattern or length. Its other complaints about parameters are about our
/// settings.
fn breaks_a_constraint(message: &str) -> bool {
    message.contains("failed to satisfy constraint")
}

/// Cognito's ways to refuse a code, in which an account that is not there, one that is in another status, and one that
/// got too many wrong codes look different.
fn bad_code(code: &str, message: &str) -> Option<Refusal> {
    match code {
        "CodeMismatchException"
        | "ExpiredCodeException"
        | "LimitExceededException"
        | "NotAuthorizedException"
        | "TooManyFailedAttemptsException"
        | "UserNotConfirmedException"
        | "UserNotFoundException" => Some(Refusal::CodeMismatch),
        "InvalidParameterException" if breaks_a_constraint(message) => Some(Refusal::CodeMismatch),
        _ => None,
    }
}

/// Cognito's ways to refuse the answer to a challenge. All but a wrong code are about a sign-in that does not go on;
/// whether it ever began, and for whom, is not told.
fn bad_answer(code: &str, message: &str) -> Option<Refusal> {
    match code {
        "CodeMismatchException" | "ExpiredCodeException" => Some(Refusal::TotpMismatch),
        "NotAuthorizedException"
        | "PasswordResetRequiredException"
        | "SoftwareTokenMFANotFoundException"
        | "UserNotConfirmedException"
        | "UserNotFoundException" => Some(Refusal::SignInEnded),
        "InvalidParameterException" if is_about_a_session(message) => Some(Refusal::SignInEnded),
        _ => None,
    }
}

/// Whether Cognito refused a session by its form.
fn is_about_a_session(message: &str) -> bool {
    breaks_a_constraint(message) || message.to_lowercase().contains("session")
}

/// Something that a sign-in asks for and nobody set up here: the user pool was changed by hand.
fn unknown(challenge: Option<&ChallengeNameType>) -> Error {
    tracing::error!(
        challenge = challenge.map(ChallengeNameType::as_str),
        "the user pool asks for what is unknown"
    );
    Refusal::UnknownChallenge.into()
}

fn bad_token(code: &str, message: &str) -> Option<Refusal> {
    match code {
        "NotAuthorizedException" | "UserNotFoundException" | "PasswordResetRequiredException" => {
            Some(Refusal::BadToken)
        }
        "InvalidParameterException" if breaks_a_constraint(message) => Some(Refusal::BadToken),
        _ => None,
    }
}

/// The policy's complaint in Cognito's words, as the end of a sentence about the password.
fn weak_password(field: &'static str, message: &str) -> Refusal {
    let reason = message.trim_end_matches('.');
    let detail =
        reason.strip_prefix("Password ").map_or_else(|| format!("is refused: {reason}"), str::to_owned);
    Refusal::Field(field, detail)
}

/// What is wrong with a new password, if that is what Cognito complains of.
fn refused_password(field: &'static str, code: &str, message: &str) -> Option<Refusal> {
    match code {
        "InvalidPasswordException" => Some(weak_password(field, message)),
        "PasswordHistoryPolicyViolationException" => {
            Some(Refusal::Field(field, "was used before: choose a new one".into()))
        }
        "InvalidParameterException" if breaks_a_constraint(message) && message.contains("assword") => {
            Some(Refusal::Field(field, "has characters that a password cannot have".into()))
        }
        _ => None,
    }
}

/// Which field of a sign-up a complaint about a parameter is about, if it is about one.
fn refused_field(person: &SignUp, message: &str) -> Option<Refusal> {
    let message = message.to_lowercase();
    if message.contains("username") {
        let detail = "has characters that a username cannot have";
        Some(Refusal::Field(person.named_by, detail.into()))
    } else if message.contains("email") {
        Some(Refusal::Field("email", "must be an email address that can receive mail".into()))
    } else if message.contains("password") {
        Some(Refusal::Field("password", "has characters that a password cannot have".into()))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_cognitoidentityprovider::Config;
    use aws_sdk_cognitoidentityprovider::config::{BehaviorVersion, Credentials, Region};
    use aws_smithy_runtime_api::client::http::{
        HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
    };
    use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use serde_json::{Value, json};
    use shared::http::input;
    use shared::http::problem::Problem;
    use std::sync::{Arc, Mutex};

    /// Answers every request alike and remembers the last one. The emulator is kinder than Cognito, so what rests on
    /// its errors is tested against answers as AWS writes them.
    #[derive(Debug, Clone)]
    struct Canned {
        status: u16,
        body: String,
        knows_the_secret: bool,
        asked: Arc<Mutex<Value>>,
    }

    impl HttpConnector for Canned {
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            let body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
            let is_signed = request.headers().get("authorization").is_some();
            *self.asked.lock().unwrap() = json!({ "signed": is_signed, "body": body });
            let status = self.status.try_into().unwrap();
            HttpConnectorFuture::ready(Ok(HttpResponse::new(status, self.body.clone().into())))
        }
    }

    impl Canned {
        fn answer(status: u16, body: &Value) -> Self {
            Self { status, body: body.to_string(), knows_the_secret: true, asked: Arc::default() }
        }

        fn error(code: &str, message: &str) -> Self {
            Self::answer(400, &json!({ "__type": code, "message": message }))
        }

        fn client(&self) -> Client {
            let connector = SharedHttpConnector::new(self.clone());
            let config = Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::from_static("us-east-1"))
                .credentials_provider(Credentials::new("id", "secret", None, None, "tests"))
                .retry_config(RetryConfig::disabled())
                .http_client(http_client_fn(move |_, _| connector.clone()));
            Client::from_conf(config.build())
        }

        fn app_client(&self) -> AppClient {
            let connector = SharedHttpConnector::new(self.clone());
            let secrets = aws_sdk_secretsmanager::Config::builder()
                .behavior_version(aws_sdk_secretsmanager::config::BehaviorVersion::latest())
                .region(Region::from_static("us-east-1"))
                .credentials_provider(Credentials::new("id", "secret", None, None, "tests"))
                .retry_config(RetryConfig::disabled())
                .http_client(http_client_fn(move |_, _| connector.clone()));
            AppClient {
                cognito: self.client(),
                client_id: "client".into(),
                secret: ClientSecret::for_tests(secrets.build(), self.knows_the_secret.then_some("secret")),
            }
        }

        async fn sign_up(&self, body: Value) -> Result<(), Error> {
            self.app_client().sign_up(&input::parse(body.to_string().as_bytes()).unwrap()).await
        }

        async fn confirm(&self) -> Result<(), Error> {
            self.app_client().confirm(&Username::existing("Ann"), &ConfirmationCode("274023".into())).await
        }

        async fn resend(&self) -> Result<(), Error> {
            self.app_client().resend_code(&Username::existing("Ann")).await
        }

        async fn sign_in(&self) -> Result<SignInStep, Error> {
            let account = Account::Email("ann@example.com".parse().unwrap());
            self.app_client().sign_in(&account, &Password("passwrod123".into())).await
        }

        async fn answer_challenge(&self) -> Result<Tokens, Error> {
            let answer = json!({ "username": "Ann_Lee", "session": "session", "code": "287082" });
            let answer = input::parse(answer.to_string().as_bytes()).unwrap();
            self.app_client().answer_challenge(&answer).await
        }

        async fn verify_totp(&self) -> Result<(), Error> {
            let user_pool = UserPool { cognito: self.client() };
            user_pool.verify_totp(&AccessToken::for_tests("ann", "token"), &TotpCode("287082".into())).await
        }

        async fn forgot(&self) -> Result<(), Error> {
            self.app_client().forgot_password(&Account::Username(Username::existing("Ann"))).await
        }

        async fn reset(&self) -> Result<(), Error> {
            let account = Account::Username(Username::existing("Ann"));
            let code = ConfirmationCode("654321".into());
            self.app_client().reset_password(&account, &code, &Password("new-secret-1".into())).await
        }

        async fn change(&self) -> Result<(), Error> {
            let change = ChangePassword {
                previous: Password("old-secret-1".into()),
                proposed: Password("new-secret-1".into()),
            };
            let user_pool = UserPool { cognito: self.client() };
            user_pool.change_password(&AccessToken::for_tests("ann", "token"), &change).await
        }

        async fn refresh(&self) -> Result<Tokens, Error> {
            self.app_client().refresh(&Token("token".into())).await
        }

        async fn sign_out(&self) -> Result<(), Error> {
            UserPool { cognito: self.client() }.sign_out(&Token("token".into())).await
        }

        fn asked(&self) -> Value {
            self.asked.lock().unwrap().clone()
        }
    }

    fn ann() -> Value {
        json!({ "email": "ann@example.com", "fullName": "Ann Lee", "password": "passwrod123" })
    }

    #[track_caller]
    fn refusal<T>(result: Result<T, Error>) -> Refusal {
        match result {
            Err(Error::Refused(refusal)) => refusal,
            Err(error) => panic!("{error:?} is no refusal"),
            Ok(_) => panic!("nothing was refused"),
        }
    }

    fn status<T>(result: Result<T, Error>) -> u16 {
        result.map_or_else(|error| Problem::from(error).status().as_u16(), |_| 200)
    }

    #[tokio::test]
    async fn a_sign_up_gives_cognito_name_and_address_unsigned() {
        let cognito = Canned::answer(200, &json!({ "UserConfirmed": false, "UserSub": "5d0c" }));
        cognito.sign_up(ann()).await.unwrap();
        assert_eq!(
            cognito.asked(),
            json!({ "signed": false, "body": {
                "ClientId": "client", "SecretHash": "y8K0Qv3xpFDPHgXNDZcpDvhVWpyPfoNis5JbG7z1BdA=", "Username": "Ann_Lee", "Password": "passwrod123",
                "UserAttributes": [{ "Name": "email", "Value": "ann@example.com" }]
            }})
        );
    }

    #[tokio::test]
    async fn a_taken_name_is_told() {
        let cognito = Canned::error("UsernameExistsException", "User already exists");
        assert_eq!(refusal(cognito.sign_up(ann()).await), Refusal::NameTaken);
    }

    #[tokio::test]
    async fn the_password_policy_speaks_for_itself() {
        let cognito = Canned::error(
            "InvalidPasswordException",
            "Password did not conform with policy: Password must have numeric characters",
        );
        let detail = "did not conform with policy: Password must have numeric characters";
        assert_eq!(refusal(cognito.sign_up(ann()).await), Refusal::Field("password", detail.into()));
    }

    #[tokio::test]
    async fn a_refused_name_is_the_field_that_it_came_from() {
        let message = "1 validation error detected: Value at 'username' failed to satisfy constraint: Member must \
                       satisfy regular expression pattern: [\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}]+";
        let cognito = Canned::error("InvalidParameterException", message);
        let mut named = ann();
        named["username"] = json!("a\u{200d}b");
        for (body, field) in [(ann(), "fullName"), (named, "username")] {
            let detail = "has characters that a username cannot have";
            assert_eq!(refusal(cognito.sign_up(body).await), Refusal::Field(field, detail.into()));
        }
    }

    #[tokio::test]
    async fn a_refused_address_is_told() {
        let cognito = Canned::error("InvalidParameterException", "Invalid email address format.");
        let detail = "must be an email address that can receive mail";
        assert_eq!(refusal(cognito.sign_up(ann()).await), Refusal::Field("email", detail.into()));
    }

    #[tokio::test]
    async fn a_wrong_code_and_no_account_look_the_same() {
        for (code, message) in [
            ("CodeMismatchException", "Invalid verification code provided, please try again."),
            ("UserNotFoundException", "Username/client id combination not found."),
            ("NotAuthorizedException", "User is disabled."),
            ("NotAuthorizedException", "User cannot be confirmed. Current status is CONFIRMED"),
            ("ExpiredCodeException", "Invalid code provided, please request a code again."),
            ("LimitExceededException", "Attempt limit exceeded, please try after some time."),
            ("TooManyFailedAttemptsException", "Too many failed attempts"),
            ("InvalidParameterException", "Value at 'username' failed to satisfy constraint: …"),
        ] {
            assert_eq!(
                refusal(Canned::error(code, message).confirm().await),
                Refusal::CodeMismatch,
                "{code}"
            );
        }
    }

    /// Does what it is asked and loses its first answer; a second time there is nothing left to confirm.
    #[derive(Debug, Clone)]
    struct LosesAnAnswer(Arc<Mutex<u32>>);

    impl HttpConnector for LosesAnAnswer {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            let mut calls = self.0.lock().unwrap();
            *calls += 1;
            let answer = match *calls {
                1 => Err(ConnectorError::timeout("no answer".into())),
                _ => Ok(HttpResponse::new(400.try_into().unwrap(), confirmed().body.into())),
            };
            HttpConnectorFuture::ready(answer)
        }
    }

    fn confirmed() -> Canned {
        Canned::error("NotAuthorizedException", "User cannot be confirmed. Current status is CONFIRMED")
    }

    #[tokio::test]
    async fn whoever_was_confirmed_by_a_try_whose_answer_was_lost_hears_so_and_nobody_else() {
        let (calls, known) = (Arc::default(), confirmed().app_client());
        let connector = SharedHttpConnector::new(LosesAnAnswer(Arc::clone(&calls)));
        let config = known.cognito.config().to_builder();
        let config = config.http_client(http_client_fn(move |_, _| connector.clone())).build();
        let losing = AppClient { cognito: Client::from_conf(config), ..known.clone() };
        let (username, code) = (Username::existing("Ann"), ConfirmationCode("274023".into()));
        losing.confirm(&username, &code).await.unwrap();
        assert_eq!(*calls.lock().unwrap(), 2);
        assert_eq!(refusal(known.confirm(&username, &code).await), Refusal::CodeMismatch);
    }

    #[tokio::test]
    async fn an_address_belongs_to_the_first_who_confirms_it() {
        let message = "An account with the email already exists.";
        assert_eq!(
            refusal(Canned::error("AliasExistsException", message).confirm().await),
            Refusal::EmailTaken
        );
    }

    #[tokio::test]
    async fn a_code_for_nobody_is_sent_as_well() {
        for (code, message) in [
            ("UserNotFoundException", "Username/client id combination not found."),
            ("InvalidParameterException", "User is already confirmed."),
            ("LimitExceededException", "Attempt limit exceeded, please try after some time."),
        ] {
            assert!(Canned::error(code, message).resend().await.is_ok(), "{code}");
        }
    }

    #[tokio::test]
    async fn a_wrong_password_and_no_account_look_the_same() {
        for (code, message) in [
            ("NotAuthorizedException", "Incorrect username or password."),
            ("UserNotFoundException", "User does not exist."),
            ("NotAuthorizedException", "User is disabled."),
            ("UserNotConfirmedException", "User is not confirmed."),
            // Cognito closes an account for a while after five wrong passwords: one that is there.
            ("NotAuthorizedException", "Password attempts exceeded"),
        ] {
            assert_eq!(refusal(Canned::error(code, message).sign_in().await), Refusal::WrongCredentials);
        }
    }

    #[tokio::test]
    async fn an_account_made_by_hand_needs_a_new_password_first() {
        let challenge = json!({ "ChallengeName": "NEW_PASSWORD_REQUIRED", "ChallengeParameters": {} });
        assert_eq!(refusal(Canned::answer(200, &challenge).sign_in().await), Refusal::NewPasswordRequired);
    }

    #[tokio::test]
    async fn a_right_password_gives_tokens() {
        let result = json!({ "AuthenticationResult": {
            "AccessToken": "a", "ExpiresIn": 3600, "IdToken": "i", "RefreshToken": "r", "TokenType": "Bearer"
        }, "ChallengeParameters": {} });
        let cognito = Canned::answer(200, &result);
        let SignInStep::Done(tokens) = cognito.sign_in().await.unwrap() else { panic!("it did not suffice") };
        assert_eq!(serde_json::to_value(tokens).unwrap(), result["AuthenticationResult"]);
        assert_eq!(
            cognito.asked(),
            json!({ "signed": false, "body": {
                "ClientId": "client", "AuthFlow": "USER_PASSWORD_AUTH",
                "AuthParameters": {
                    "USERNAME": "ann@example.com", "PASSWORD": "passwrod123",
                    "SECRET_HASH": "gq2HDjDXQzW7ofROEL3VWiM1HR3kntcgEGReY43DyPY="
                }
            }})
        );
    }

    #[tokio::test]
    async fn where_there_is_a_second_factor_a_right_password_gives_a_session_and_the_accounts_own_name() {
        let challenge = json!({
            "ChallengeName": "SOFTWARE_TOKEN_MFA", "Session": "session",
            "ChallengeParameters": { "USER_ID_FOR_SRP": "Ann_Lee", "FRIENDLY_DEVICE_NAME": "phone" }
        });
        let step = Canned::answer(200, &challenge).sign_in().await.unwrap();
        let expected = Challenge::totp("session".into(), "Ann_Lee".into());
        assert_eq!(step, SignInStep::Challenged(expected));
    }

    #[tokio::test]
    async fn what_nobody_set_up_is_told_and_is_no_failure_of_ours() {
        for name in
            ["SMS_MFA", "EMAIL_OTP", "SELECT_MFA_TYPE", "MFA_SETUP", "CUSTOM_CHALLENGE", "OF_TOMORROW"]
        {
            let challenge = json!({ "ChallengeName": name, "Session": "s", "ChallengeParameters": {} });
            let cognito = Canned::answer(200, &challenge);
            assert_eq!(refusal(cognito.sign_in().await), Refusal::UnknownChallenge, "{name}");
            assert_eq!(refusal(cognito.answer_challenge().await), Refusal::UnknownChallenge, "{name}");
        }
        // Neither tokens nor a question.
        assert_eq!(refusal(Canned::answer(200, &json!({})).sign_in().await), Refusal::UnknownChallenge);
    }

    #[tokio::test]
    async fn a_code_of_the_app_gives_tokens_by_the_clients_secret() {
        let result = json!({ "AuthenticationResult": {
            "AccessToken": "a", "ExpiresIn": 3600, "IdToken": "i", "RefreshToken": "r", "TokenType": "Bearer"
        }});
        let cognito = Canned::answer(200, &result);
        let tokens = cognito.answer_challenge().await.unwrap();
        assert_eq!(serde_json::to_value(tokens).unwrap(), result["AuthenticationResult"]);
        assert_eq!(
            cognito.asked(),
            json!({ "signed": false, "body": {
                "ClientId": "client", "ChallengeName": "SOFTWARE_TOKEN_MFA", "Session": "session",
                "ChallengeResponses": {
                    "USERNAME": "Ann_Lee", "SOFTWARE_TOKEN_MFA_CODE": "287082",
                    "SECRET_HASH": "y8K0Qv3xpFDPHgXNDZcpDvhVWpyPfoNis5JbG7z1BdA="
                }
            }})
        );
    }

    #[tokio::test]
    async fn a_wrong_code_of_the_app_and_a_used_one_can_be_tried_again() {
        for (code, message) in [
            ("CodeMismatchException", "Invalid code received for user"),
            ("ExpiredCodeException", "Your software token has already been used once."),
        ] {
            let refused = refusal(Canned::error(code, message).answer_challenge().await);
            assert_eq!(refused, Refusal::TotpMismatch, "{message}");
        }
    }

    #[tokio::test]
    async fn a_sign_in_that_has_ended_and_one_that_never_began_look_the_same() {
        for (code, message) in [
            ("NotAuthorizedException", "Invalid session for the user, session is expired."),
            ("NotAuthorizedException", "Invalid session for the user."),
            ("NotAuthorizedException", "User is disabled."),
            ("UserNotFoundException", "User does not exist."),
            ("UserNotConfirmedException", "User is not confirmed."),
            ("SoftwareTokenMFANotFoundException", "Software Token MFA does not exist for the user."),
            ("InvalidParameterException", "Value at 'session' failed to satisfy constraint: …"),
            ("InvalidParameterException", "Missing required parameter Session"),
        ] {
            let refused = refusal(Canned::error(code, message).answer_challenge().await);
            assert_eq!(refused, Refusal::SignInEnded, "{message}");
        }
        let cognito = Canned::error("TooManyRequestsException", "…");
        assert_eq!(status(cognito.answer_challenge().await), 429);
        assert_eq!(status(Canned::error("InternalErrorException", "…").answer_challenge().await), 503);
        let secret = Canned::error("NotAuthorizedException", "Unable to verify secret hash for client 1a2b");
        assert_eq!(status(secret.answer_challenge().await), 500);
    }

    #[tokio::test]
    async fn a_key_for_an_app_comes_by_the_access_token_unsigned() {
        let cognito = Canned::answer(200, &json!({ "SecretCode": "JBSWY3DPEHPK3PXP" }));
        let user_pool = UserPool { cognito: cognito.client() };
        let token = AccessToken::for_tests("ann", "token");
        assert_eq!(user_pool.associate_totp(&token).await.unwrap(), "JBSWY3DPEHPK3PXP");
        assert_eq!(cognito.asked(), json!({ "signed": false, "body": { "AccessToken": "token" } }));
        let revoked = UserPool { cognito: Canned::error("NotAuthorizedException", "…").client() };
        assert_eq!(refusal(revoked.associate_totp(&token).await), Refusal::BadToken);
    }

    #[tokio::test]
    async fn a_code_of_the_new_app_is_verified() {
        let cognito = Canned::answer(200, &json!({ "Status": "SUCCESS" }));
        cognito.verify_totp().await.unwrap();
        let body = json!({ "AccessToken": "token", "UserCode": "287082" });
        assert_eq!(cognito.asked(), json!({ "signed": false, "body": body }));
        let verified = Canned::answer(200, &json!({ "Status": "ERROR" })).verify_totp().await;
        assert_eq!(refusal(verified), Refusal::TotpMismatch);
    }

    #[tokio::test]
    async fn what_is_wrong_with_the_first_code_of_an_app_is_told() {
        let mismatch = "Code mismatch and fail enable Software Token MFA";
        for (code, message, expected) in [
            ("EnableSoftwareTokenMFAException", mismatch, Refusal::TotpMismatch),
            ("CodeMismatchException", "Invalid verification code provided.", Refusal::TotpMismatch),
            ("SoftwareTokenMFANotFoundException", "…", Refusal::TotpNotBegun),
            (
                "EnableSoftwareTokenMFAException",
                "No software token MFA has been associated for verification.",
                Refusal::TotpNotBegun,
            ),
            ("NotAuthorizedException", "Access Token has been revoked", Refusal::BadToken),
        ] {
            assert_eq!(refusal(Canned::error(code, message).verify_totp().await), expected, "{message}");
        }
    }

    #[tokio::test]
    async fn a_second_factor_is_turned_on_and_off_by_the_access_token() {
        let cognito = Canned::answer(200, &json!({}));
        let user_pool = UserPool { cognito: cognito.client() };
        let token = AccessToken::for_tests("ann", "token");
        let settings = |on: bool| json!({ "Enabled": on, "PreferredMfa": on });
        user_pool.turn_totp_on(&token).await.unwrap();
        let body = json!({ "AccessToken": "token", "SoftwareTokenMfaSettings": settings(true) });
        assert_eq!(cognito.asked(), json!({ "signed": false, "body": body }));
        user_pool.turn_totp_off(&token).await.unwrap();
        let body = json!({ "AccessToken": "token", "SoftwareTokenMfaSettings": settings(false) });
        assert_eq!(cognito.asked(), json!({ "signed": false, "body": body }));
    }

    #[tokio::test]
    async fn the_secret_is_read_once_and_never_printed() {
        let known = Canned::answer(200, &json!({ "SecretString": "very-secret" }));
        let app_client = Canned { knows_the_secret: false, ..known.clone() }.app_client();
        assert_eq!(app_client.secret.value().await.unwrap(), "very-secret");
        assert_eq!(known.asked(), json!({ "signed": true, "body": { "SecretId": "arn" } }));
        *known.asked.lock().unwrap() = Value::Null;
        assert_eq!(app_client.secret.value().await.unwrap(), "very-secret");
        assert_eq!(known.asked(), Value::Null);
        assert!(!format!("{app_client:?}").contains("very-secret"));
    }

    #[tokio::test]
    async fn without_the_secret_it_is_worth_another_try() {
        let cognito = Canned { knows_the_secret: false, ..Canned::error("InternalServiceError", "…") };
        assert_eq!(status(cognito.sign_in().await), 503);
        assert_eq!(status(cognito.refresh().await), 503);
    }

    #[tokio::test]
    async fn a_refresh_token_is_exchanged_with_the_secret_and_without_a_name() {
        let result = json!({ "AuthenticationResult": {
            "AccessToken": "a", "ExpiresIn": 3600, "IdToken": "i", "TokenType": "Bearer"
        }});
        let cognito = Canned::answer(200, &result);
        let tokens = cognito.refresh().await.unwrap();
        assert_eq!(serde_json::to_value(tokens).unwrap(), result["AuthenticationResult"]);
        let body = json!({ "ClientId": "client", "ClientSecret": "secret", "RefreshToken": "token" });
        assert_eq!(cognito.asked(), json!({ "signed": false, "body": body }));
    }

    #[tokio::test]
    async fn an_account_is_given_its_persons_name() {
        let cognito = Canned::answer(200, &json!({}));
        let directory = Directory { cognito: cognito.client(), pool_id: "pool".into() };
        directory.name(&input::parse(ann().to_string().as_bytes()).unwrap()).await.unwrap();
        let attributes = [json!({ "Name": "name", "Value": "Ann Lee" })];
        let body = json!({ "UserPoolId": "pool", "Username": "Ann_Lee", "UserAttributes": attributes });
        assert_eq!(cognito.asked(), json!({ "signed": true, "body": body }));
    }

    #[tokio::test]
    async fn a_bad_token_is_refused() {
        for (code, message) in [
            ("NotAuthorizedException", "Refresh Token has been revoked"),
            ("NotAuthorizedException", "Invalid Access Token"),
            ("InvalidParameterException", "Value at 'accessToken' failed to satisfy constraint: …"),
        ] {
            let cognito = Canned::error(code, message);
            assert_eq!(refusal(cognito.refresh().await), Refusal::BadToken);
            assert_eq!(refusal(cognito.sign_out().await), Refusal::BadToken);
        }
    }

    #[tokio::test]
    async fn too_much_is_too_much_everywhere() {
        for code in ["TooManyRequestsException", "LimitExceededException", "TooManyFailedAttemptsException"] {
            let cognito = Canned::error(code, "Attempt limit exceeded, please try after some time.");
            assert_eq!(status(cognito.sign_up(ann()).await), 429, "{code}");
            assert_eq!(status(cognito.sign_in().await), 429, "{code}");
            assert_eq!(status(cognito.refresh().await), 429, "{code}");
            assert_eq!(status(cognito.sign_out().await), 429, "{code}");
            assert_eq!(status(cognito.change().await), 429, "{code}");
        }
        // The other two are said of an account, and only of one that is there.
        let cognito = Canned::error("TooManyRequestsException", "Too many requests");
        assert_eq!(status(cognito.confirm().await), 429);
        assert_eq!(status(cognito.resend().await), 429);
        assert_eq!(status(cognito.reset().await), 429);
    }

    #[tokio::test]
    async fn a_pause_for_everyone_is_told_from_one_for_an_account() {
        let everyone = Canned::error("TooManyRequestsException", "Rate exceeded");
        assert!(matches!(everyone.sign_in().await, Err(Error::Throttled(_))));
        assert!(matches!(everyone.forgot().await, Err(Error::Throttled(_))));
        for code in ["LimitExceededException", "TooManyFailedAttemptsException"] {
            let account = Canned::error(code, "Attempt limit exceeded, please try after some time.");
            assert_eq!(refusal(account.sign_in().await), Refusal::TooManyRequests, "{code}");
        }
    }

    #[tokio::test]
    async fn a_day_without_emails_is_no_attempt_too_many() {
        let message = "Exceeded daily email limit for the operation or the account. If a higher limit is required, \
                       please configure your user pool to use your own Amazon SES configuration.";
        for (code, message) in [("LimitExceededException", message), ("CodeDeliveryFailureException", "…")]
        {
            let cognito = Canned::error(code, message);
            assert!(matches!(cognito.sign_up(ann()).await, Err(Error::NotMailed(_))), "{code}");
            assert!(matches!(cognito.resend().await, Err(Error::NotMailed(_))), "{code}");
            assert!(matches!(cognito.forgot().await, Err(Error::NotMailed(_))), "{code}");
            assert_eq!(status(cognito.forgot().await), 503);
        }
    }

    #[tokio::test]
    async fn what_cognito_cannot_do_now_is_worth_another_try() {
        for code in
            ["UserLambdaValidationException", "CodeDeliveryFailureException", "InternalErrorException"]
        {
            assert_eq!(status(Canned::error(code, "…").confirm().await), 503, "{code}");
        }
        let silent =
            Canned { status: 502, body: "<html>".into(), knows_the_secret: true, asked: Arc::default() };
        assert_eq!(status(silent.sign_in().await), 503);
    }

    #[tokio::test]
    async fn a_mistake_in_our_settings_is_ours() {
        let message = "USER_PASSWORD_AUTH flow not enabled for this client";
        assert_eq!(status(Canned::error("InvalidParameterException", message).sign_in().await), 500);
        assert_eq!(status(Canned::error("ResourceNotFoundException", "…").sign_up(ann()).await), 500);
        for message in [
            "Unable to verify secret hash for client 1a2b",
            "Client 1a2b is configured with secret but SECRET_HASH was not received",
        ] {
            let cognito = Canned::error("NotAuthorizedException", message);
            assert_eq!(status(cognito.sign_in().await), 500, "{message}");
            assert_eq!(status(cognito.confirm().await), 500, "{message}");
            assert_eq!(status(cognito.forgot().await), 500, "{message}");
            assert_eq!(status(cognito.reset().await), 500, "{message}");
        }
    }

    #[tokio::test]
    async fn an_email_that_cognito_does_not_take_is_ours_to_mend_and_never_passes_for_sent() {
        for field in ["emailBody", "emailSubject"] {
            let message =
                format!("1 validation error detected: Value '…' at '{field}' failed to satisfy constraint");
            let cognito = Canned::error("InvalidParameterException", &message);
            assert_eq!(status(cognito.sign_up(ann()).await), 500, "{message}");
            assert_eq!(status(cognito.resend().await), 500, "{message}");
            assert_eq!(status(cognito.forgot().await), 500, "{message}");
        }
    }

    #[tokio::test]
    async fn a_forgotten_password_has_one_answer_whoever_forgot_it() {
        let sent =
            json!({ "CodeDeliveryDetails": { "DeliveryMedium": "EMAIL", "Destination": "a***@e***" } });
        let cognito = Canned::answer(200, &sent);
        cognito.forgot().await.unwrap();
        let body = json!({ "ClientId": "client", "SecretHash": "4t7OizLDqyrms5ai/x+0FDMIdReC1QazKVtOwa0RPBA=", "Username": "Ann" });
        assert_eq!(cognito.asked(), json!({ "signed": false, "body": body }));
        for (code, message) in [
            ("UserNotFoundException", "Username/client id combination not found."),
            ("NotAuthorizedException", "User is disabled."),
            ("NotAuthorizedException", "User password cannot be reset in the current state."),
            (
                "InvalidParameterException",
                "Cannot reset password for the user as there is no registered/verified email or phone_number",
            ),
            ("InvalidParameterException", "Value at 'username' failed to satisfy constraint: …"),
            ("LimitExceededException", "Attempt limit exceeded, please try after some time."),
        ] {
            assert_eq!(status(Canned::error(code, message).forgot().await), 200, "{message}");
        }
    }

    #[tokio::test]
    async fn a_code_that_cannot_be_sent_now_is_worth_another_try() {
        assert_eq!(status(Canned::error("TooManyRequestsException", "…").forgot().await), 429);
        assert_eq!(status(Canned::error("CodeDeliveryFailureException", "…").forgot().await), 503);
        assert_eq!(status(Canned::error("ResourceNotFoundException", "…").forgot().await), 500);
    }

    #[tokio::test]
    async fn a_code_sets_a_new_password() {
        let cognito = Canned::answer(200, &json!({}));
        cognito.reset().await.unwrap();
        assert_eq!(
            cognito.asked(),
            json!({ "signed": false, "body": {
                "ClientId": "client", "SecretHash": "4t7OizLDqyrms5ai/x+0FDMIdReC1QazKVtOwa0RPBA=", "Username": "Ann",
                "ConfirmationCode": "654321", "Password": "new-secret-1"
            }})
        );
    }

    #[tokio::test]
    async fn a_wrong_code_for_a_new_password_and_no_account_look_the_same() {
        for (code, message) in [
            ("CodeMismatchException", "Invalid verification code provided, please try again."),
            ("UserNotFoundException", "Username/client id combination not found."),
            ("UserNotConfirmedException", "User is not confirmed."),
            ("NotAuthorizedException", "User is disabled."),
            ("ExpiredCodeException", "Invalid code provided, please request a code again."),
            ("LimitExceededException", "Attempt limit exceeded, please try after some time."),
            ("TooManyFailedAttemptsException", "Too many failed attempts"),
            ("InvalidParameterException", "Value at 'username' failed to satisfy constraint: …"),
        ] {
            assert_eq!(refusal(Canned::error(code, message).reset().await), Refusal::CodeMismatch, "{code}");
        }
    }

    #[tokio::test]
    async fn a_new_password_is_the_field_that_it_came_in() {
        let weak = "Password did not conform with policy: Password not long enough";
        let detail = "did not conform with policy: Password not long enough";
        let weak = Canned::error("InvalidPasswordException", weak);
        assert_eq!(refusal(weak.reset().await), Refusal::Field("newPassword", detail.into()));
        assert_eq!(refusal(weak.change().await), Refusal::Field("proposedPassword", detail.into()));
        let used =
            Canned::error("PasswordHistoryPolicyViolationException", "Password has already been used.");
        let detail = "was used before: choose a new one";
        assert_eq!(refusal(used.reset().await), Refusal::Field("newPassword", detail.into()));
        assert_eq!(refusal(used.change().await), Refusal::Field("proposedPassword", detail.into()));
        let odd = Canned::error(
            "InvalidParameterException",
            "Value at 'proposedPassword' failed to satisfy constraint: …",
        );
        let detail = "has characters that a password cannot have";
        assert_eq!(refusal(odd.change().await), Refusal::Field("proposedPassword", detail.into()));
    }

    #[tokio::test]
    async fn a_password_is_changed_by_the_access_token_unsigned() {
        let cognito = Canned::answer(200, &json!({}));
        cognito.change().await.unwrap();
        assert_eq!(
            cognito.asked(),
            json!({ "signed": false, "body": {
                "AccessToken": "token", "PreviousPassword": "old-secret-1", "ProposedPassword": "new-secret-1"
            }})
        );
    }

    #[tokio::test]
    async fn all_sessions_end_by_the_token_of_one_or_by_the_name_of_the_account() {
        let cognito = Canned::answer(200, &json!({}));
        let token = AccessToken::for_tests("ann", "token");
        let (user_pool, directory) = (
            UserPool { cognito: cognito.client() },
            Directory { cognito: cognito.client(), pool_id: "pool".into() },
        );
        user_pool.end_sessions(&token).await.unwrap();
        assert_eq!(cognito.asked(), json!({ "signed": false, "body": { "AccessToken": "token" } }));
        let account = Account::Email("ann@example.com".parse().unwrap());
        directory.end_sessions(&account).await.unwrap();
        let body = json!({ "UserPoolId": "pool", "Username": "ann@example.com" });
        assert_eq!(cognito.asked(), json!({ "signed": true, "body": body }));
    }

    #[tokio::test]
    async fn sessions_that_could_not_be_ended_are_told() {
        let end = async |code: &str| {
            let user_pool = UserPool { cognito: Canned::error(code, "…").client() };
            user_pool.end_sessions(&AccessToken::for_tests("ann", "token")).await
        };
        assert!(matches!(end("InternalErrorException").await, Err(Error::SessionsRemain(_))));
        // Somebody else of the account has just ended them.
        assert!(end("NotAuthorizedException").await.is_ok());
    }

    #[tokio::test]
    async fn a_wrong_old_password_and_a_revoked_token_are_told_apart() {
        let wrong = Canned::error("NotAuthorizedException", "Incorrect username or password.");
        let detail = "is not the current password";
        assert_eq!(refusal(wrong.change().await), Refusal::Field("previousPassword", detail.into()));
        let revoked = Canned::error("NotAuthorizedException", "Access Token has been revoked");
        assert_eq!(refusal(revoked.change().await), Refusal::BadToken);
        let locked = Canned::error("NotAuthorizedException", "Password attempts exceeded");
        assert_eq!(refusal(locked.change().await), Refusal::TooManyRequests);
    }

    #[tokio::test]
    async fn an_account_leads_to_its_person() {
        let attributes = [
            json!({ "Name": "email", "Value": "ann@example.com" }),
            json!({ "Name": "sub", "Value": "5d0c" }),
        ];
        let cognito = Canned::answer(200, &json!({ "Username": "Ann", "UserAttributes": attributes }));
        let directory = Directory { cognito: cognito.client(), pool_id: "pool".into() };
        let account = Account::Username(Username::existing("Ann"));
        assert_eq!(directory.user_id_of(&account).await.unwrap(), UserId::from("5d0c".to_owned()));
        let body = json!({ "UserPoolId": "pool", "Username": "Ann" });
        assert_eq!(cognito.asked(), json!({ "signed": true, "body": body }));
    }

    #[tokio::test]
    async fn the_admin_joins_the_group_of_the_events_pool() {
        let cognito = Canned::answer(200, &json!({}));
        let event = serde_json::from_value(json!({
            "version": "1", "triggerSource": "PostConfirmation_ConfirmSignUp", "userPoolId": "pool", "userName": "Ann",
            "callerContext": {}, "response": {},
            "request": { "userAttributes": { "sub": "5d0c", "email": "ann@example.com" } }
        }));
        let now = shared::values::time::Timestamp::from_unix_millis(0);
        let person = Confirmed::read(event.unwrap(), now).unwrap().unwrap();
        UserPool { cognito: cognito.client() }.add_to_admins(&person).await.unwrap();
        let body = json!({ "UserPoolId": "pool", "Username": "Ann", "GroupName": "admin" });
        assert_eq!(cognito.asked(), json!({ "signed": true, "body": body }));
    }
}
