//! Accounts and sessions, which Cognito's user pool keeps. What the other services may know of a person is in the crate
//! `users`.
//!
//! | module | for |
//! | --- | --- |
//! | here | what a person sends and gets: parsed once, so that a value of these types is a valid one |
//! | [`refusal`] | why Cartwright says no |
//! | [`recovery`] | a new password, for a known one or a forgotten one, and the end of all sessions |
//! | [`signing_up`] | an account |
//! | [`signing_in`] | tokens for a password, and for the code of an authenticator app where there is one |
//! | [`second_factor`] | turning such an app on and off |
//! | [`confirmed`] | who a person is once Cognito has confirmed the address |
//! | [`social`] | a sign-in by another company, until the browser is back |
//! | [`social_tokens`] | its tokens, and who gets none |
//! | [`admission`] | who gets an account by another company, and whose account is linked with it |
//! | [`letters`] | what the emails with a code say |
//! | [`new_address`] | another address, by a code of our own |
//! | [`user_pool`] | Cognito |
//! | [`client_secret`] | what proves to Cognito that a call is ours |

use std::fmt;
use std::time::Duration;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use shared::caller::UserId;
use shared::http::input::{Body, Field, Fields, Value};
use shared::run::telemetry;
use shared::values::text::{Lines, plainly_spaced, trimmed, unprintable};
use shared::values::time::Timestamp;
use users::{Email, FullName, Username};

pub mod admission;
pub mod client_secret;
pub mod confirmed;
pub mod letters;
pub mod new_address;
pub mod recovery;
pub mod refusal;
pub mod second_factor;
pub mod signing_in;
pub mod signing_up;
pub mod social;
pub mod social_tokens;
pub mod user_pool;

pub use admission::Admission;
pub use confirmed::{AdminEmail, Confirmed};
pub use new_address::{AskingForAddress, ProvingAddress};
pub use recovery::{Change, Recovery};
pub use refusal::{Error, Refusal};
pub use second_factor::{NewTotp, SecondFactor};
pub use signing_in::SigningIn;
pub use signing_up::SigningUp;
pub use social::{
    CameBack, Challenge as PageChallenge, FinishSocialSignIn, Provider, ReturnPath, SocialSignIn,
};
pub use social_tokens::FinishingSocially;
pub use user_pool::{AppClient, Directory, SignInStep, UserPool};

/// A password as it was typed, in the form of `OpaqueString` (RFC 8265, section 4.2): the keyboard at the next sign-in
/// may compose letters and space words differently. What is strong enough is the user pool's to say.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Field for Password {
    fn parse(value: Value) -> Result<Self, String> {
        let text = plainly_spaced(text_of(&value)?);
        // Cognito takes no space at either end. Trimming one off would change the password behind its owner's back.
        if trimmed(&text) != text {
            return Err("must not begin or end with a space".into());
        }
        // A word about which one it is would stand in the answer.
        if unprintable(&text, Lines::One).is_some_and(|character| !character.is_control()) {
            return Err("must not contain characters that cannot be seen".into());
        }
        bounded(&text, 256).map(Self)
    }
}

/// The digits that were emailed to prove an address.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfirmationCode(String);

impl ConfirmationCode {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Field for ConfirmationCode {
    fn parse(value: Value) -> Result<Self, String> {
        let code = bounded(text_of(&value)?, 2048)?;
        if !code.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err("must be the digits from the email".into());
        }
        Ok(Self(code))
    }
}

/// The six digits that an authenticator app shows for half a minute.
#[derive(Clone, PartialEq, Eq)]
pub struct TotpCode(String);

impl Field for TotpCode {
    fn parse(value: Value) -> Result<Self, String> {
        let code = trimmed(text_of(&value)?);
        if code.len() != 6 || !code.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err("must be the six digits that the authenticator app shows".into());
        }
        Ok(Self(code.to_owned()))
    }
}

/// What ties the steps of one sign-in together; Cognito's, and good for some minutes.
#[derive(Clone, PartialEq, Eq)]
pub struct Session(String);

impl Field for Session {
    fn parse(value: Value) -> Result<Self, String> {
        bounded(text_of(&value)?, 2048).map(Self)
    }
}

/// A token that Cognito gave.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Field for Token {
    fn parse(value: Value) -> Result<Self, String> {
        bounded(text_of(&value)?, 16_384).map(Self)
    }
}

fn text_of(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| "must be a string".into())
}

/// The text without white space around it, which counts for what is too long.
fn bounded(text: &str, most: usize) -> Result<String, String> {
    let count = text.chars().count();
    let text = trimmed(text);
    if text.is_empty() {
        Err("must not be empty".into())
    } else if count > most {
        Err(format!("must have at most {most} characters, but has {count}"))
    } else if text.contains(char::is_control) {
        Err("must not contain control characters".into())
    } else {
        Ok(text.to_owned())
    }
}

/// Addresses and secrets stay out of logs and panics, whatever prints the struct that holds them.
macro_rules! redact {
    ($($name:ident),+) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )+};
}

redact!(Password, ConfirmationCode, Session, Token, TotpCode);

impl Token {
    /// The token itself, which is what its session is called where it is counted how often somebody uses it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Which account a person means. Each account has one username; an address stands for it only once it is confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Account {
    /// By its username, or by the full name that makes it.
    Username(Username),
    /// By its address.
    Email(Email),
}

impl Account {
    /// The name or address, as the account is called where it is counted how often somebody tries it.
    pub fn name(&self) -> &str {
        match self {
            Self::Username(username) => username.as_str(),
            Self::Email(email) => email.as_str(),
        }
    }
}

impl Body for Account {
    fn read(fields: &mut Fields) -> Option<Self> {
        let by_email = fields.has("email");
        let email = fields.optional("email").map(Self::Email);
        let username = username(fields, Some(by_email));
        if by_email { email } else { username.map(Self::Username) }
    }
}

/// An account that may not be confirmed yet, which its address therefore does not name: whoever owns an address must
/// not confirm it, by the code that came there, for a stranger who signed up with it and knows the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unconfirmed(pub Username);

impl Body for Unconfirmed {
    fn read(fields: &mut Fields) -> Option<Self> {
        username(fields, None).map(Self)
    }
}

/// The username by the one of its two fields that the body has. `by_email` is whether the body has an address instead,
/// where it may.
fn username(fields: &mut Fields, by_email: Option<bool>) -> Option<Username> {
    let named = ["fullName", "username"].into_iter().filter(|name| fields.has(name)).count();
    let full_name = fields.optional::<FullName>("fullName");
    let username = fields.optional("username");
    if named + usize::from(by_email == Some(true)) != 1 {
        let fields_that_name =
            if by_email.is_some() { "fullName, username and email" } else { "fullName and username" };
        fields.fault_of_all(&format!("needs exactly one of {fields_that_name}"));
        return None;
    }
    let hint = if by_email.is_some() { ": send it as email" } else { "" };
    let by_full_name = full_name.and_then(|name| {
        let username = Username::of(&name);
        username.map_err(|detail| fields.fault("fullName", &format!("{detail}{hint}"))).ok()
    });
    by_full_name.or(username)
}

/// The body of `POST /sign-up`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignUp {
    username: Username,
    full_name: FullName,
    email: Email,
    password: Password,
    /// The field that the username comes from.
    named_by: &'static str,
}

impl SignUp {
    /// Where the code goes.
    pub fn email(&self) -> &Email {
        &self.email
    }
}

impl Body for SignUp {
    fn read(fields: &mut Fields) -> Option<Self> {
        let email = fields.required("email");
        let full_name = fields.required::<FullName>("fullName");
        let password = fields.required("password");
        let named_by = if fields.has("username") { "username" } else { "fullName" };
        let chosen = fields.optional("username");
        let full_name = full_name?;
        let username = if named_by == "username" {
            chosen
        } else {
            let derived = Username::of(&full_name);
            derived.map_err(|detail| fields.fault("fullName", &detail)).ok()
        };
        Some(Self { username: username?, full_name, email: email?, password: password?, named_by })
    }
}

shared::body!(
    /// The body of `POST /confirm-sign-up`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ConfirmSignUp {
        /// Whose address the code proves.
        pub account: Unconfirmed = ..,
        /// The code from the email.
        pub code: ConfirmationCode = "confirmationCode",
    }
);

shared::body!(
    /// The body of `POST /resend-code`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ResendCode {
        /// Who waits for a code.
        pub account: Unconfirmed = ..,
    }
);

shared::body!(
    /// The body of `POST /sign-in`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct SignIn {
        /// Who it is.
        pub account: Account = ..,
        /// The proof of it.
        pub password: Password,
    }
);

shared::body!(
    /// The body of `POST /sign-in/challenge`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct AnswerChallenge {
        /// Who it is, as the challenge named the account.
        pub username: Username,
        /// Which sign-in goes on.
        pub session: Session,
        /// What the authenticator app shows.
        pub code: TotpCode,
    }
);

shared::body!(
    /// The body of `PUT /users/me/totp`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ConfirmTotp {
        /// What the authenticator app shows.
        pub code: TotpCode,
    }
);

shared::body!(
    /// The body of `POST /refresh-token`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct RefreshToken {
        /// The refresh token of a sign-in.
        pub refresh_token: Token,
        /// Whose it is. Nobody needs it: the token names its person.
        _username: Option<Username> = "username",
    }
);

shared::body!(
    /// The body of `POST /sign-out`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct SignOut {
        /// The access token of any of the person's sign-ins.
        pub access_token: Token,
    }
);

shared::body!(
    /// The body of `POST /forgot-password`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ForgotPassword {
        /// Who forgot it.
        pub account: Account = ..,
    }
);

shared::body!(
    /// The body of `POST /reset-password`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ResetPassword {
        /// Whose password it is.
        pub account: Account = ..,
        /// The code from the email.
        pub code: ConfirmationCode = "confirmationCode",
        /// What it is to be.
        pub new_password: Password,
    }
);

shared::body!(
    /// The body of `POST /users/me/email`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct NewEmail {
        /// The address that the account is to have.
        pub email: Email,
    }
);

shared::body!(
    /// The body of `POST /users/me/email/confirm`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ConfirmEmail {
        /// The code from the email.
        pub code: ConfirmationCode = "confirmationCode",
    }
);

shared::body!(
    /// The body of `POST /change-password`, under Cognito's own names.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ChangePassword {
        /// What it was.
        pub previous: Password = "previousPassword",
        /// What it is to be.
        pub proposed: Password = "proposedPassword",
    }
);

/// An answer that says what was done, and no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Done {
    /// What was done, as a sentence.
    pub msg: &'static str,
}

/// An answer with tokens.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct SignedIn {
    /// What was done, as a sentence.
    pub msg: &'static str,
    /// What to send with later requests.
    pub tokens: Tokens,
}

/// The answer to a right password: tokens, or what else is asked for.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum PasswordTaken {
    /// It sufficed.
    SignedIn(SignedIn),
    /// The account has a second factor.
    Challenged {
        /// What is to be done, as a sentence.
        msg: &'static str,
        /// What is asked for.
        #[serde(flatten)]
        challenge: Challenge,
    },
}

impl From<SignInStep> for PasswordTaken {
    fn from(step: SignInStep) -> Self {
        match step {
            SignInStep::Done(tokens) => {
                Self::SignedIn(SignedIn { msg: "User successfully signed in!", tokens })
            }
            SignInStep::Challenged(challenge) => {
                Self::Challenged { msg: "Enter the code that your authenticator app shows.", challenge }
            }
        }
    }
}

/// What Cognito asks for after the password.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Challenge {
    /// What it is, under Cognito's name.
    challenge: &'static str,
    session: String,
    /// The account's own name, which the answer has to give: the person may have named it by its address.
    username: String,
}

impl Challenge {
    /// The code of an authenticator app.
    fn totp(session: String, username: String) -> Self {
        Self { challenge: "SOFTWARE_TOKEN_MFA", session, username }
    }
}

/// The answer to a changed password.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// What was done, as a sentence.
    pub msg: &'static str,
    /// What this session goes on with; absent where it has to sign in anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Tokens>,
}

/// What Cognito gives to whoever signs in, under its own names.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tokens {
    access_token: String,
    /// Seconds until the access and the ID token expire.
    expires_in: i32,
    id_token: String,
    /// Given at sign-in alone; it stays good over refreshes.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    token_type: String,
}

redact!(Tokens, SignedIn, Changed, PasswordTaken, Challenge, NewTotp);

impl Tokens {
    /// Whose they are and when they were given for what a sign-in asks for.
    ///
    /// # Errors
    /// When the access token is not what Cognito's are.
    pub fn sign_in(&self) -> anyhow::Result<(UserId, Timestamp)> {
        #[derive(Deserialize)]
        struct Claims {
            sub: UserId,
            auth_time: i64,
        }
        let Claims { sub, auth_time } = claims(&self.access_token).context("read an access token")?;
        Ok((sub, Timestamp::from_unix_millis(auth_time.saturating_mul(1000))))
    }

    /// The address that the user pool knows as confirmed, if it tells one that a profile can have.
    pub fn address(&self) -> Option<Email> {
        #[derive(Deserialize)]
        struct Claims {
            email: String,
            email_verified: bool,
        }
        let Claims { email, email_verified } = claims(&self.id_token).ok()?;
        email.parse().ok().filter(|_| email_verified)
    }
}

/// What a token says. Cognito itself gave it a moment ago, so nobody checks its signature.
fn claims<T: DeserializeOwned>(token: &str) -> anyhow::Result<T> {
    let claims = token.split('.').nth(1).context("the token has no claims")?;
    let claims = URL_SAFE_NO_PAD.decode(claims).context("the claims are not in base64url")?;
    serde_json::from_slice(&claims).context("the claims are not as they should be")
}

/// How long somebody waits for what is only noted.
const PATIENCE: Duration = Duration::from_secs(2);

/// Carries out `noting`, which writes down what Cognito has done already. Nobody is told that it failed, for there is
/// nothing left to do: it is logged and counted, and the one line in the person's activity is missing.
pub async fn note(noting: impl Future<Output = anyhow::Result<()>>) {
    let noted = tokio::time::timeout(PATIENCE, noting).await;
    if let Err(error) = noted.context("it took too long").flatten() {
        tracing::warn!(error = format!("{error:#}"), "the profile was not updated");
        telemetry::count("ProfileNotUpdated", 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};
    use shared::http::input;

    fn read<T: Body>(body: &Json) -> Result<T, Vec<(String, String)>> {
        input::parse(body.to_string().as_bytes()).map_err(|problem| {
            let faults = problem.errors().iter();
            faults.map(|fault| (fault.pointer.clone().unwrap_or_default(), fault.detail.clone())).collect()
        })
    }

    fn fault<T>(pointer: &str, detail: &str) -> Result<T, Vec<(String, String)>> {
        Err(vec![(pointer.into(), detail.into())])
    }

    fn username(name: &str) -> Account {
        Account::Username(Username::existing(name))
    }

    fn sign_up() -> Json {
        json!({ "email": "jay@example.com", "fullName": "Jay S Prajapati", "password": "passwrod123" })
    }

    fn with(mut body: Json, name: &str, value: impl Into<Json>) -> Json {
        body[name] = value.into();
        body
    }

    #[test]
    fn a_full_name_makes_the_username() {
        let person: SignUp = read(&sign_up()).unwrap();
        assert_eq!(person.username.as_str(), "Jay_S_Prajapati");
        assert_eq!(person.full_name.as_str(), "Jay S Prajapati");
        let person: SignUp = read(&with(sign_up(), "fullName", "  Ann\u{a0} Lee ")).unwrap();
        assert_eq!(person.username.as_str(), "Ann_Lee");
    }

    #[test]
    fn a_second_person_of_the_same_name_chooses_a_username() {
        let person: SignUp = read(&with(sign_up(), "username", "jay_2")).unwrap();
        assert_eq!(person.username.as_str(), "jay_2");
        assert_eq!(person.full_name.as_str(), "Jay S Prajapati");
    }

    #[test]
    fn a_username_has_no_blanks() {
        let refused = read::<SignUp>(&with(sign_up(), "username", "jay two"));
        assert_eq!(refused, fault("#/username", "must not contain spaces"));
    }

    #[test]
    fn a_name_is_never_somebodys_address() {
        let detail = "must not be an email address";
        for (name, pointer) in [("username", "#/username"), ("fullName", "#/fullName")] {
            assert_eq!(read::<SignUp>(&with(sign_up(), name, "ann@example.com")), fault(pointer, detail));
        }
        let sign_in = json!({ "fullName": "ann@example.com", "password": "a" });
        let detail = "must not be an email address: send it as email";
        assert_eq!(read::<SignIn>(&sign_in), fault("#/fullName", detail));
    }

    #[test]
    fn every_fault_of_a_sign_up_is_told_at_once() {
        let long = "a".repeat(10_000);
        let body =
            json!({ "email": "jay", "fullName": long, "username": "", "password": 7, "role": "admin" });
        let mut faults = read::<SignUp>(&body).unwrap_err();
        faults.sort();
        let expected = [
            ("#/email", "must be an email address"),
            ("#/fullName", "must have at most 100 characters, but has 10000"),
            ("#/password", "must be a string"),
            ("#/role", "is not a field of this request, which has email, fullName, password, username"),
            ("#/username", "must not be empty"),
        ];
        assert_eq!(faults, expected.map(|(pointer, detail)| (pointer.into(), detail.into())));
    }

    #[test]
    fn an_account_is_named_in_exactly_one_way() {
        let read = |body| read::<ForgotPassword>(&body).map(|forgot| forgot.account);
        assert_eq!(read(json!({ "fullName": "Jay S Prajapati" })), Ok(username("Jay_S_Prajapati")));
        assert_eq!(read(json!({ "username": "jay_2", "email": null })), Ok(username("jay_2")));
        assert_eq!(
            read(json!({ "email": "jay@example.com" })),
            Ok(Account::Email("jay@example.com".parse().unwrap()))
        );
        let detail = "needs exactly one of fullName, username and email";
        assert_eq!(read(json!({})), fault("#", detail));
        assert_eq!(read(json!({ "fullName": "Jay", "email": "jay@example.com" })), fault("#", detail));
        assert_eq!(read(json!({ "email": "jay" })), fault("#/email", "must be an email address"));
    }

    #[test]
    fn an_address_names_no_account_that_is_to_be_confirmed() {
        let resend = |body| read::<ResendCode>(&body).map(|resend| resend.account.0);
        assert_eq!(
            resend(json!({ "fullName": "Jay S Prajapati" })),
            Ok(Username::existing("Jay_S_Prajapati"))
        );
        assert_eq!(resend(json!({ "username": "jay_2" })), Ok(Username::existing("jay_2")));
        let detail = "needs exactly one of fullName and username";
        assert_eq!(resend(json!({ "fullName": "Jay", "username": "jay_2" })), fault("#", detail));
        let by_email = json!({ "email": "jay@example.com", "confirmationCode": "274023" });
        let mut faults = read::<ConfirmSignUp>(&by_email).unwrap_err();
        faults.sort();
        let unknown = "is not a field of this request, which has confirmationCode, fullName, username";
        assert_eq!(faults, [("#", detail), ("#/email", unknown)].map(|(at, what)| (at.into(), what.into())));
    }

    #[test]
    fn a_password_is_taken_as_it_was_typed() {
        let read = |text: &str| Password::parse(Value::String(text.into())).map(|password| password.0);
        assert_eq!(read("correct horse Ä\"\\"), Ok("correct horse Ä\"\\".into()));
        assert_eq!(read(" secret1"), Err("must not begin or end with a space".into()));
        assert_eq!(read("secret\u{0}1"), Err("must not contain control characters".into()));
        assert_eq!(read(""), Err("must not be empty".into()));
        assert_eq!(read(&"a".repeat(257)), Err("must have at most 256 characters, but has 257".into()));
    }

    #[test]
    fn a_password_is_the_same_from_every_keyboard() {
        let read = |json: &str| Password::parse(json.parse().unwrap()).map(|password| password.0);
        assert_eq!(read(r#""Jose\u0301\u3000\u00a01""#), Ok("José  1".into()));
        assert_eq!(read(r#""secret1\u3000""#), Err("must not begin or end with a space".into()));
        for unseen in [r#""se\u200bcret""#, r#""se\u202ecret""#, r#""se\u2028cret""#, r#""\ue000secret""#] {
            assert_eq!(read(unseen), Err("must not contain characters that cannot be seen".into()));
        }
    }

    #[test]
    fn a_person_has_one_name_whatever_typed_it() {
        let named = |name: &str| read::<SignUp>(&with(sign_up(), "fullName", name)).unwrap();
        for name in ["José Lee", "Jose\u{301} Lee", " José \u{a0} Lee", "José\u{3000}Lee"] {
            assert_eq!(named(name), named("José Lee"), "{name}");
        }
        // Letters of full width are those of ASCII to whoever types them (RFC 8265, section 3.3).
        assert_eq!(named("Ａｎｎ－２").username, named("Ann-2").username);
        let username = |name: &str| read::<ForgotPassword>(&json!({ "username": name })).unwrap().account;
        assert_eq!(username("ｊａｙ＿２"), username("jay_2"));
        assert!(read::<ForgotPassword>(&json!({ "username": "ann＠example.com" })).is_err());
    }

    #[test]
    fn a_code_is_digits() {
        let read = |json: &str| ConfirmationCode::parse(json.parse().unwrap()).map(|code| code.0);
        assert_eq!(read("\" 274023 \""), Ok("274023".into()));
        for json in ["\"27402x\"", "\"\"", "\"١٢٣\"", "274023"] {
            assert!(read(json).is_err(), "{json}");
        }
    }

    #[test]
    fn neither_address_nor_secret_is_ever_printed() {
        let person: SignUp = read(&sign_up()).unwrap();
        let confirmation: ConfirmSignUp =
            read(&json!({ "fullName": "Jay S Prajapati", "confirmationCode": "274023" })).unwrap();
        let session: RefreshToken =
            read(&json!({ "refreshToken": "very-secret", "username": "jay_2" })).unwrap();
        let printed = format!("{person:?} {confirmation:?} {session:?}");
        for secret in ["jay@", "example.com", "passwrod123", "274023", "very-secret"] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }

    fn tokens(access_token: &str) -> Tokens {
        Tokens {
            access_token: access_token.into(),
            expires_in: 3600,
            id_token: "i".into(),
            refresh_token: None,
            token_type: "Bearer".into(),
        }
    }

    fn token(claims: &Json) -> String {
        format!("header.{}.signature", URL_SAFE_NO_PAD.encode(claims.to_string()))
    }

    #[test]
    fn an_access_token_says_whose_it_is_and_since_when() {
        let claims = json!({ "sub": "5d0c", "token_use": "access", "auth_time": 1_795_262_400 });
        let noon = Timestamp::from_unix_millis(1_795_262_400_000);
        assert_eq!(tokens(&token(&claims)).sign_in().unwrap(), (UserId::from("5d0c".to_owned()), noon));
        for odd in ["", "a.b", "a.!.c", "a.e30.c"] {
            assert!(tokens(odd).sign_in().is_err(), "{odd}");
        }
    }

    #[test]
    fn an_id_token_says_the_address_once_it_is_confirmed() {
        let address = |claims: &Json| Tokens { id_token: token(claims), ..tokens("a") }.address();
        let known = address(&json!({ "email": "Ann@example.com", "email_verified": true }));
        assert_eq!(known, Some("ann@example.com".parse().unwrap()));
        for claims in [
            json!({ "email": "ann@example.com", "email_verified": false }),
            // Cognito takes addresses that no profile has.
            json!({ "email": "\"a b\"@example.com", "email_verified": true }),
            json!({}),
        ] {
            assert_eq!(address(&claims), None, "{claims}");
        }
        assert_eq!(tokens("a").address(), None);
    }

    #[test]
    fn a_code_of_an_app_is_six_digits() {
        let confirm = |code: &str| read::<ConfirmTotp>(&json!({ "code": code })).map(|body| body.code.0);
        assert_eq!(confirm(" 012345 "), Ok("012345".into()));
        for code in ["", "12345", "1234567", "12345a", "١٢٣٤٥٦"] {
            let detail = "must be the six digits that the authenticator app shows";
            assert_eq!(confirm(code), fault("#/code", detail), "{code}");
        }
    }

    #[test]
    fn a_second_factor_is_asked_for_under_cognitos_name() {
        let challenge = Challenge::totp("session".into(), "Ann_Lee".into());
        let answer = PasswordTaken::from(SignInStep::Challenged(challenge));
        assert!(!format!("{answer:?}").contains("Ann_Lee"));
        assert_eq!(
            serde_json::to_value(answer).unwrap(),
            json!({
                "msg": "Enter the code that your authenticator app shows.",
                "challenge": "SOFTWARE_TOKEN_MFA", "session": "session", "username": "Ann_Lee"
            })
        );
    }

    #[tokio::test]
    async fn what_cannot_be_noted_stops_nobody() {
        note(async { anyhow::bail!("the table is away") }).await;
        note(std::future::pending()).await;
    }

    #[test]
    fn tokens_have_cognitos_names() {
        assert_eq!(
            serde_json::to_value(SignedIn { msg: "Tokens refreshed.", tokens: tokens("a") }).unwrap(),
            json!({
                "msg": "Tokens refreshed.",
                "tokens": { "AccessToken": "a", "ExpiresIn": 3600, "IdToken": "i", "TokenType": "Bearer" }
            })
        );
    }
}
