//! Why Cartwright says no to a sign-up, a sign-in or what is between them, and how the client hears of it.

use shared::http::problem::{
    self, FieldError, Kind, Problem, SERVICE_UNAVAILABLE, SIGN_IN_TOO_OLD, StatusCode, TOO_MANY_REQUESTS,
};
use shared::run::telemetry;

/// What the client can mend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Another account has the username.
    #[error("the username is taken")]
    NameTaken,
    /// Another account has confirmed the address.
    #[error("the email address is taken")]
    EmailTaken,
    /// A field is not what the user pool takes; the text ends a sentence about it.
    #[error("{0} {1}")]
    Field(&'static str, String),
    /// The code is not the one that was emailed last, is too old or was tried too often, or nobody waits for one. Which
    /// of these would tell whether there is such an account.
    #[error("the confirmation code is wrong")]
    CodeMismatch,
    /// No such account, not its password, one that is not confirmed, or one that Cognito has closed for a while because
    /// of too many wrong passwords. Which of these would tell whether there is such an account.
    #[error("the name or the password is wrong")]
    WrongCredentials,
    /// The code of the authenticator app is not the one that it shows now, or was used already.
    #[error("the code of the app is wrong")]
    TotpMismatch,
    /// A sign-in that has waited for its code too long, or is none. Which of these would tell whether there is such an
    /// account.
    #[error("the sign-in has ended")]
    SignInEnded,
    /// A social sign-in that was finished already, took too long, or is another page's.
    #[error("the social sign-in has ended")]
    SocialSignInEnded,
    /// The account is not opened by a provider: it is an admin's, or has a second factor, which none would ask for.
    #[error("the account is opened in another way")]
    SignInOtherwise,
    /// The provider does not say that the address is the person's.
    #[error("the address is not confirmed")]
    AddressNotConfirmed,
    /// Cognito asks for something else than a password and the code of an app, which nobody set up here.
    #[error("the user pool asks for what cannot be answered")]
    UnknownChallenge,
    /// No key was made for an authenticator app, whose code could be confirmed.
    #[error("no second factor was begun")]
    TotpNotBegun,
    /// The person signed in too long ago for this.
    #[error("the sign-in is too old")]
    SignInTooOld,
    /// Whoever runs the user pool reset the account's password.
    #[error("the account needs a new password")]
    NewPasswordRequired,
    /// The token is not ours, or no longer good.
    #[error("the token is refused")]
    BadToken,
    /// Cognito wants a pause of this account.
    #[error("too many requests")]
    TooManyRequests,
}

/// What comes back instead of an answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The client's to mend.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Nobody's to mend: Cognito, or what it calls, does not answer now.
    #[error("the user pool does not answer")]
    Unavailable(#[source] anyhow::Error),
    /// Nobody's to mend but whoever runs the shop: Cognito takes no more requests of this AWS account now.
    #[error("the user pool takes no more requests")]
    Throttled(#[source] anyhow::Error),
    /// Nobody's to mend but whoever runs the shop: no more emails go out today, or this one could not.
    #[error("the email could not be sent")]
    NotMailed(#[source] anyhow::Error),
    /// The password is new, but sessions that began with the old one go on.
    #[error("the sessions could not be ended")]
    SessionsRemain(#[source] anyhow::Error),
    /// Ours to mend.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

const NAME_TAKEN: Kind = Kind::new(StatusCode::CONFLICT, "name-taken", "The name is taken");
const EMAIL_TAKEN: Kind = Kind::new(StatusCode::CONFLICT, "email-taken", "The email address is taken");
const CODE_MISMATCH: Kind =
    Kind::new(StatusCode::UNPROCESSABLE_ENTITY, "code-mismatch", "Wrong confirmation code");
const WRONG_CREDENTIALS: Kind =
    Kind::new(StatusCode::UNAUTHORIZED, "wrong-credentials", "Wrong name or password");
const SIGN_IN_ENDED: Kind = Kind::new(StatusCode::UNAUTHORIZED, "sign-in-ended", "The sign-in has ended");
const SIGN_IN_OTHERWISE: Kind =
    Kind::new(StatusCode::FORBIDDEN, "sign-in-otherwise", "The account is opened in another way");
const ADDRESS_NOT_CONFIRMED: Kind =
    Kind::new(StatusCode::FORBIDDEN, "address-not-confirmed", "The address is not confirmed");
const UNKNOWN_CHALLENGE: Kind =
    Kind::new(StatusCode::FORBIDDEN, "unknown-challenge", "The account asks for something else");
const TOTP_NOT_BEGUN: Kind = Kind::new(StatusCode::CONFLICT, "totp-not-begun", "No second factor was begun");

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let (kind, detail) = match refusal {
            Refusal::Field(name, detail) => {
                return Self::invalid_input(vec![FieldError::body(format!("#/{name}"), detail)]);
            }
            Refusal::NameTaken => (
                NAME_TAKEN,
                "This username is taken. Choose another and send it as `username`. If the account is yours, \
                 confirm it or sign in.",
            ),
            Refusal::EmailTaken => {
                (EMAIL_TAKEN, "This email address already belongs to an account. Sign in instead.")
            }
            Refusal::CodeMismatch => (
                CODE_MISMATCH,
                "That code is not right, or no longer. Use the one in the latest email, or ask for a new one.",
            ),
            Refusal::WrongCredentials => (
                WRONG_CREDENTIALS,
                "The name or the password is wrong, or the account is not confirmed yet. After several wrong tries wait \
                 some minutes before the next.",
            ),
            Refusal::TotpMismatch => (
                CODE_MISMATCH,
                "That is not the code that your authenticator app shows now, or it was used already. Wait for the next \
                 one.",
            ),
            Refusal::SignInEnded => (
                SIGN_IN_ENDED,
                "This sign-in has taken too long, is done already or had too many wrong codes. Begin again with your \
                 password.",
            ),
            Refusal::SocialSignInEnded => (
                SIGN_IN_ENDED,
                "This sign-in has taken too long, is done already or began elsewhere. Begin again on the page where \
                 you want to be signed in.",
            ),
            Refusal::SignInOtherwise => (
                SIGN_IN_OTHERWISE,
                "This account is not opened by another company. Sign in with your password, and with the code of your \
                 authenticator app if you have one.",
            ),
            Refusal::AddressNotConfirmed => (
                ADDRESS_NOT_CONFIRMED,
                "The company that you signed in with does not say that your email address is yours. Confirm it there, \
                 or sign up here with a password.",
            ),
            Refusal::UnknownChallenge => (
                UNKNOWN_CHALLENGE,
                "Your account is set up to ask for something that this shop cannot take. Tell whoever runs the shop.",
            ),
            Refusal::TotpNotBegun => {
                (TOTP_NOT_BEGUN, "There is no new key to confirm. Ask for one with POST /users/me/totp.")
            }
            Refusal::SignInTooOld => {
                return Self::insufficient_sign_in(
                    SIGN_IN_TOO_OLD,
                    "This needs a sign-in of the last ten minutes. Sign in again, and send the new access token.",
                );
            }
            Refusal::NewPasswordRequired => {
                (problem::FORBIDDEN, "Your password was reset. Ask for a code to set a new one.")
            }
            Refusal::BadToken => {
                return Self::invalid_token(
                    "The token is not valid, has expired or was revoked. Sign in again.",
                );
            }
            Refusal::TooManyRequests => {
                (TOO_MANY_REQUESTS, "Too many attempts. Wait a little, then try again.")
            }
        };
        Self::new(kind, detail)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => refusal.into(),
            Error::Unavailable(cause) => {
                tracing::warn!(error = format!("{cause:#}"), "the user pool does not answer");
                Self::new(
                    SERVICE_UNAVAILABLE,
                    "We cannot reach your account right now. Please try again in a moment.",
                )
            }
            Error::Throttled(cause) => {
                tracing::warn!(error = format!("{cause:#}"), "the user pool takes no more requests");
                telemetry::count_in_stage("CognitoThrottled", 1);
                Refusal::TooManyRequests.into()
            }
            Error::NotMailed(cause) => {
                tracing::error!(error = format!("{cause:#}"), "an account's email could not be sent");
                telemetry::count_in_stage("AccountEmailNotSent", 1);
                Self::new(SERVICE_UNAVAILABLE, "We cannot send emails right now. Please try again later.")
            }
            Error::SessionsRemain(cause) => {
                tracing::error!(error = format!("{cause:#}"), "sessions outlive their password");
                Self::new(
                    SERVICE_UNAVAILABLE,
                    "Your password is changed, but you may still be signed in elsewhere. Sign in with the new \
                     password, then sign out: that ends all sessions.",
                )
            }
            Error::Failed(cause) => cause.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_its_status() {
        let status = |refusal: Refusal| Problem::from(Error::from(refusal)).status().as_u16();
        assert_eq!(status(Refusal::NameTaken), 409);
        assert_eq!(status(Refusal::EmailTaken), 409);
        assert_eq!(status(Refusal::Field("password", "is weak".into())), 422);
        assert_eq!(status(Refusal::CodeMismatch), 422);
        assert_eq!(status(Refusal::WrongCredentials), 401);
        assert_eq!(status(Refusal::BadToken), 401);
        assert_eq!(status(Refusal::NewPasswordRequired), 403);
        assert_eq!(status(Refusal::TooManyRequests), 429);
        assert_eq!(status(Refusal::TotpMismatch), 422);
        assert_eq!(status(Refusal::SignInEnded), 401);
        assert_eq!(status(Refusal::UnknownChallenge), 403);
        assert_eq!(status(Refusal::TotpNotBegun), 409);
        assert_eq!(status(Refusal::SignInTooOld), 401);
    }

    #[test]
    fn a_refused_field_is_pointed_at() {
        let problem = Problem::from(Refusal::Field("password", "is weak".into()));
        assert_eq!(problem.errors(), [FieldError::body("#/password", "is weak")]);
    }

    #[test]
    fn whoever_may_still_be_signed_in_elsewhere_hears_it() {
        let problem = Problem::from(Error::SessionsRemain(anyhow::anyhow!("timed out")));
        assert_eq!(problem.kind(), SERVICE_UNAVAILABLE);
        assert!(format!("{problem:?}").contains("Your password is changed, but"), "{problem:?}");
    }

    /// Metrics are lines on the standard output, which is the harness's while it runs tests: so this test runs once
    /// more, alone in a process of its own.
    #[test]
    fn an_email_that_could_not_be_sent_is_counted_and_a_silent_user_pool_is_not() {
        const ALONE: &str = "CARTWRIGHT_TEST_ALONE";
        const NAME: &str =
            "refusal::tests::an_email_that_could_not_be_sent_is_counted_and_a_silent_user_pool_is_not";
        if std::env::var_os(ALONE).is_some() {
            let _ = Problem::from(Error::Unavailable(anyhow::anyhow!("timed out")));
            let _ = Problem::from(Error::NotMailed(anyhow::anyhow!("50 a day")));
            return;
        }
        let alone = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", NAME, "--nocapture"])
            .env(ALONE, "1")
            .env("STAGE", "production")
            .output()
            .unwrap();
        let said = String::from_utf8(alone.stdout).unwrap();
        let lines = said.lines().filter_map(|line| serde_json::from_str(&line[line.find('{')?..]).ok());
        let lines: Vec<serde_json::Value> = lines.collect();
        let [line] = lines.as_slice() else { panic!("{said}") };
        let metrics = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!((&line["AccountEmailNotSent"], &line["stage"]), (&1.into(), &"production".into()));
        assert_eq!(metrics["Dimensions"][0][0], "stage", "{line}");
        assert_eq!(metrics["Metrics"][0]["Name"], "AccountEmailNotSent", "{line}");
    }

    #[test]
    fn whoever_comes_when_cognito_takes_no_more_requests_is_answered_as_one_who_came_too_often() {
        let throttled = Problem::from(Error::Throttled(anyhow::anyhow!("Rate exceeded")));
        assert_eq!(throttled, Problem::from(Refusal::TooManyRequests));
    }

    #[test]
    fn a_silent_user_pool_is_worth_another_try() {
        let problem = Problem::from(Error::Unavailable(anyhow::anyhow!("timed out")));
        assert_eq!(problem.kind(), SERVICE_UNAVAILABLE);
    }
}
