//! The second factor: the code of an authenticator app (TOTP, RFC 6238), for whoever turns it on.
//!
//! Turning it on or off needs a sign-in of the last minutes: whoever has found a token, or a device that is signed in,
//! can neither lock its person out nor take the second factor away. Such a sign-in gave the password just now and,
//! where there is a second factor, its code.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use shared::caller::{AccessToken, Caller};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::values::time::Timestamp;
use users::{Users, signed_in_just_now};

use crate::{ConfirmTotp, Error, Refusal, UserPool};

/// Whose codes these are, as an app shows it above the account.
const ISSUER: &str = "Cartwright";

/// What a URI may have as it is (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What an authenticator app is told, once.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct NewTotp {
    /// What is to be done, as a sentence.
    msg: &'static str,
    /// The key in Base32, for whoever types it.
    secret: String,
    /// The same as an `otpauth` URI, to be shown as a QR code.
    uri: String,
}

impl NewTotp {
    /// The key of this account, with all else that an app takes for granted: SHA-1, six digits, half a minute.
    fn new(secret: String, username: &str) -> Self {
        let account = utf8_percent_encode(username, RESERVED);
        let uri = format!("otpauth://totp/{ISSUER}:{account}?secret={secret}&issuer={ISSUER}");
        Self {
            msg: "Add this to your authenticator app, then confirm with the code that it shows.",
            secret,
            uri,
        }
    }
}

/// The user pool, which keeps the keys, and the profiles, which tell admins with a second factor from those without.
#[derive(Debug, Clone)]
pub struct SecondFactor {
    user_pool: UserPool,
    users: Users,
}

impl FromEnv for SecondFactor {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { user_pool: UserPool::from_env(aws)?, users: Users::from_env(aws)? })
    }
}

impl SecondFactor {
    /// Turns it off. The profile forgets it first: an admin whom the user pool asks for no code must not pass for one
    /// who gave one. The next sign-in that gives a code has it noted again.
    ///
    /// # Errors
    /// A sign-in that is too old, a profile that cannot be written, and those of [`UserPool::turn_totp_off`].
    pub async fn turn_off(&self, token: &AccessToken, now: Timestamp) -> Result<(), Error> {
        is_fresh(token.caller(), now)?;
        self.users.second_factor_off(token.caller().id(), now).await?;
        self.user_pool.turn_totp_off(token).await
    }

    /// Turns it on with the first code of the app. From then on every sign-in needs one. The profile is told before the
    /// user pool: of what did not come about somebody may hear, of what did somebody must.
    ///
    /// # Errors
    /// Those of [`UserPool::verify_totp`] and [`UserPool::turn_totp_on`], and a profile that cannot be written.
    pub async fn turn_on(
        &self,
        token: &AccessToken,
        confirmation: &ConfirmTotp,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.user_pool.verify_totp(token, &confirmation.code).await?;
        self.users.second_factor_on(token.caller().id(), now).await?;
        self.user_pool.turn_totp_on(token).await
    }
}

impl UserPool {
    /// Makes a key for the person's authenticator app, which counts once a code of it has come.
    ///
    /// # Errors
    /// A sign-in that is too old, and those of [`UserPool::associate_totp`].
    pub async fn begin_totp(&self, token: &AccessToken, now: Timestamp) -> Result<NewTotp, Error> {
        is_fresh(token.caller(), now)?;
        let secret = self.associate_totp(token).await?;
        Ok(NewTotp::new(secret, token.username()))
    }
}

pub(crate) fn is_fresh(caller: &Caller, now: Timestamp) -> Result<(), Refusal> {
    if signed_in_just_now(caller, now) { Ok(()) } else { Err(Refusal::SignInTooOld) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_unix_millis(1_795_262_400_000 + minute * 60_000)
    }

    #[test]
    fn only_a_sign_in_of_the_last_minutes_is_fresh() {
        let ann = || Caller::for_tests("ann");
        assert_eq!(is_fresh(&ann().having_signed_in_at(at(0)), at(10)), Ok(()));
        // Clocks differ a little.
        assert_eq!(is_fresh(&ann().having_signed_in_at(at(1)), at(0)), Ok(()));
        assert_eq!(is_fresh(&ann().having_signed_in_at(at(0)), at(11)), Err(Refusal::SignInTooOld));
        assert_eq!(is_fresh(&ann(), at(0)), Err(Refusal::SignInTooOld));
    }

    #[test]
    fn an_app_is_told_whose_codes_these_are() {
        let totp = NewTotp::new("JBSWY3DPEHPK3PXP".into(), "José & Ann");
        assert_eq!(
            totp.uri,
            "otpauth://totp/Cartwright:Jos%C3%A9%20%26%20Ann?secret=JBSWY3DPEHPK3PXP&issuer=Cartwright"
        );
        assert_eq!(format!("{totp:?}"), "NewTotp(…)");
    }
}
