//! Signing in with an account at another company, such as Google: an authorization code flow (RFC 6749, OpenID Connect)
//! at Cognito, which asks the company.
//!
//! ```text
//! page ──challenge──▶ begin ──state, nonce, code challenge──▶ Cognito ──▶ the company ──▶ Cognito
//!   ▲                  └─cookie, ticket of the state                                        │
//!   └──────one-time code────── go_on ◀───────────────────code, state, cookie────────────────┘
//! page ──one-time code, verifier──▶ finish ──code, verifier, secret──▶ Cognito's tokens
//! ```
//!
//! Each arrow is good once and in one place: the state in the browser that has its cookie, the one-time code on the
//! page whose verifier fits the challenge (as RFC 7636 has it), Cognito's code with our verifier and our secret. So
//! nobody is signed in as somebody else by a link, and no address, log or history has a token.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use shared::guards::Guards;
use shared::guards::claims::TryId;
use shared::http::input::{Field, Value};
use shared::http::problem::{FieldError, Problem};
use shared::http::{FromRequestParts, HostCookie, Parameter, Parts, Redirect};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::id::random_bytes;
use shared::values::time::Timestamp;

/// How long somebody may take at the company.
const PATIENCE: Duration = Duration::from_mins(10);

/// How long the page has to fetch the tokens.
const TO_FINISH: Duration = Duration::from_mins(1);

/// In which browser a sign-in began.
const BROWSER: HostCookie = HostCookie { name: "__Host-social-sign-in", kept: PATIENCE };

/// The tickets of the two steps.
const BEGUN: &str = "social-sign-in";
pub(crate) const RETURNED: &str = "social-sign-in-code";

/// What Cognito's tokens are good for. The last one is for what people do with their own account, as the tokens for a
/// password are: without it no social sign-in could be ended.
const SCOPES: &str = "openid email profile aws.cognito.signin.user.admin";

shared::names!(
    /// Where else people have an account.
    pub enum Provider {
        /// Google.
        Google = "google",
        /// Any other provider of OpenID Connect, as the template names one.
        Oidc = "oidc",
    }
);

impl Provider {
    /// What Cognito calls it.
    pub const fn at_cognito(self) -> &'static str {
        match self {
            Self::Google => "Google",
            Self::Oidc => "Oidc",
        }
    }

    /// The provider and its name for the person, by the username that Cognito makes of the two: `google_1138`. Where
    /// usernames have no case, the provider's name has none either.
    pub fn of_username(username: &str) -> Option<(Self, &str)> {
        let (name, subject) = username.split_once('_')?;
        let provider = Self::ALL.into_iter().find(|one| one.at_cognito().eq_ignore_ascii_case(name))?;
        Some((provider, subject))
    }
}

/// The providers that the shop has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Providers(Vec<Provider>);

impl FromStr for Providers {
    type Err = shared::values::names::NotAName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split(',').map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

/// 256 random bits that nobody guesses, as 43 characters of base64url.
pub(crate) fn secret() -> String {
    URL_SAFE_NO_PAD.encode(random_bytes::<32>())
}

fn hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text))
}

fn is_of_base64url(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// What a page will prove to be itself by: the SHA-256 of its verifier in base64url (RFC 7636, `S256`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Challenge(String);

impl FromStr for Challenge {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_one = text.len() == 43 && is_of_base64url(text);
        is_one.then(|| Self(text.to_owned())).ok_or("must be a SHA-256 in base64url: 43 characters")
    }
}

impl Parameter for Challenge {
    const NAME: &'static str = "challenge";
}

/// What a page made up before it asked for a sign-in.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier(String);

impl Verifier {
    /// The challenge that it answers.
    pub fn challenge(&self) -> Challenge {
        Challenge(hash(&self.0))
    }
}

impl Field for Verifier {
    fn parse(value: Value) -> Result<Self, String> {
        let text = value.as_str().ok_or("must be a string")?;
        let is_one = (43..=128).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
        let refused = "must be 43 to 128 letters of ASCII, digits and any of -._~";
        is_one.then(|| Self(text.to_owned())).ok_or_else(|| refused.into())
    }
}

/// What the page was given after the sign-in, good once and for a minute.
#[derive(Clone, PartialEq, Eq)]
pub struct OneTimeCode(String);

impl OneTimeCode {
    /// The code itself.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Field for OneTimeCode {
    fn parse(value: Value) -> Result<Self, String> {
        let text = value.as_str().ok_or("must be a string")?;
        let is_one = text.len() == 43 && is_of_base64url(text);
        is_one.then(|| Self(text.to_owned())).ok_or_else(|| "must be a code of 43 characters".into())
    }
}

macro_rules! redact {
    ($($name:ident),+) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )+};
}

redact!(Verifier, OneTimeCode, CameBack, Step, Returned);

shared::body!(
    /// The body of `POST /auth/exchange`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct FinishSocialSignIn {
        /// What came back with the browser.
        pub code: OneTimeCode,
        /// What the challenge was made of.
        pub verifier: Verifier,
    }
);

/// A page of the shop, as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnPath(String);

impl FromStr for ReturnPath {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl Parameter for ReturnPath {
    const NAME: &'static str = "return";
}

/// The pages of the shop to which a sign-in may lead; the first is where it leads by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnPaths(Vec<String>);

impl FromStr for ReturnPaths {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let paths: Vec<_> = text.split(',').map(str::to_owned).collect();
        let is_path = |path: &String| {
            path.starts_with('/')
                && !path.starts_with("//")
                && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte))
        };
        paths
            .iter()
            .all(is_path)
            .then_some(Self(paths))
            .ok_or("must be paths of the shop, with commas between")
    }
}

impl ReturnPaths {
    /// The page that was asked for, or the first.
    ///
    /// # Errors
    /// One that is not on the list.
    fn admit(&self, asked: Option<&ReturnPath>) -> Result<&str, Problem> {
        let mut paths = self.0.iter();
        let found = match asked {
            Some(ReturnPath(asked)) => paths.find(|path| *path == asked),
            None => paths.next(),
        };
        let refused =
            || FieldError::parameter(ReturnPath::NAME, format!("must be one of {}", self.0.join(", ")));
        found.map(String::as_str).ok_or_else(|| Problem::invalid_input(vec![refused()]))
    }
}

/// What a page asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wish {
    provider: Provider,
    challenge: Challenge,
    return_to: String,
    /// Whether it is the second time without anybody's doing.
    is_second: bool,
}

/// A sign-in that goes on at Cognito, kept under its state.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Step {
    wish: Wish,
    verifier: String,
    nonce: String,
    /// The SHA-256 of the browser's cookie.
    browser: String,
}

/// A sign-in whose tokens wait at Cognito, kept under the one-time code.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Returned {
    /// Cognito's, good for five minutes.
    pub code: String,
    /// What our code challenge was made of.
    pub verifier: String,
    /// What the ID token has to say.
    pub nonce: String,
    /// The page's.
    pub challenge: Challenge,
}

/// The request by which a browser comes back from Cognito.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct CameBack {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
    description: Option<String>,
    browser: Option<String>,
}

impl<S: Sync> FromRequestParts<S> for CameBack {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let query = parts.uri.query().unwrap_or_default();
        let browser = BROWSER.value(&parts.headers).map(str::to_owned);
        let mut back = Self { browser, ..Self::default() };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = Some(value.into_owned()).filter(|value| !value.is_empty());
            match &*name {
                "state" => back.state = value,
                "code" => back.code = value,
                "error" => back.error = value,
                "error_description" => back.description = value,
                _ => {}
            }
        }
        Ok(back)
    }
}

shared::names!(
    /// Why a browser comes back to the shop without being signed in.
    pub enum Reason {
        /// The person has thought better of it.
        Denied = "denied",
        /// It took too long, is done already, or began in another browser.
        Expired = "expired",
        /// The provider does not say that the address is the person's.
        AddressNotConfirmed = "address-not-confirmed",
        /// The address has an account that is opened in another way.
        SignInOtherwise = "sign-in-otherwise",
        /// Something went wrong.
        Failed = "failed",
    }
);

/// How it went at Cognito.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    Code(String),
    /// Cognito has just linked the account, and trips over that: the next time it knows.
    /// <https://github.com/aws-amplify/amplify-flutter/issues/1716>
    Linked,
    Refused(Reason),
}

impl CameBack {
    fn outcome(self) -> Outcome {
        let description = self.description.unwrap_or_default();
        match (self.error.as_deref(), self.code) {
            (None, Some(code)) => Outcome::Code(code),
            (Some(_), _) if description.contains("Already found an entry for username") => Outcome::Linked,
            // The words of admit-social-sign-up, within Cognito's.
            (Some(_), _) if description.contains(Reason::AddressNotConfirmed.as_str()) => {
                Outcome::Refused(Reason::AddressNotConfirmed)
            }
            (Some(_), _) if description.contains(Reason::SignInOtherwise.as_str()) => {
                Outcome::Refused(Reason::SignInOtherwise)
            }
            (Some("access_denied"), _) => Outcome::Refused(Reason::Denied),
            (error, _) => {
                tracing::warn!(error, "a provider, or Cognito, refused a sign-in");
                Outcome::Refused(Reason::Failed)
            }
        }
    }
}

/// Sending a browser to Cognito, and back to the shop.
#[derive(Debug, Clone)]
pub struct SocialSignIn {
    guards: Guards,
    providers: Providers,
    return_paths: ReturnPaths,
    cognito_url: String,
    client_id: String,
    callback_url: String,
    shop_url: String,
}

impl FromEnv for SocialSignIn {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            guards: Guards::from_env(aws)?,
            providers: config::optional("PROVIDERS")?.unwrap_or_default(),
            return_paths: config::required("RETURN_PATHS")?,
            cognito_url: config::required("COGNITO_URL")?,
            client_id: config::required("SIGN_IN_CLIENT_ID")?,
            callback_url: config::required("CALLBACK_URL")?,
            shop_url: config::optional("SHOP_URL")?.unwrap_or_default(),
        })
    }
}

impl SocialSignIn {
    /// Sends a browser to the provider. Safe to repeat: each time is a sign-in of its own, and the browser's last one
    /// counts.
    ///
    /// # Errors
    /// A provider that the shop does not have, and a page that is not on its list.
    pub async fn begin(
        &self,
        provider: Provider,
        challenge: Challenge,
        return_to: Option<&ReturnPath>,
        now: Timestamp,
    ) -> Result<Redirect, Problem> {
        if !self.providers.0.contains(&provider) {
            return Err(Problem::not_found("provider"));
        }
        let return_to = self.return_paths.admit(return_to)?.to_owned();
        Ok(self.send_away(Wish { provider, challenge, return_to, is_second: false }, now).await?)
    }

    async fn send_away(&self, wish: Wish, now: Timestamp) -> anyhow::Result<Redirect> {
        let [state, verifier, nonce, browser] = std::array::from_fn(|_| secret());
        let challenge = hash(&verifier);
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", &self.callback_url)
            .append_pair("scope", SCOPES)
            .append_pair("identity_provider", wish.provider.at_cognito())
            .append_pair("state", &state)
            .append_pair("nonce", &nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .finish();
        let step = Step { wish, verifier, nonce, browser: hash(&browser) };
        self.guards.issue_ticket(BEGUN, &state, &step, (now, PATIENCE)).await?;
        Ok(Redirect::found(format!("{}/oauth2/authorize?{query}", self.cognito_url)).with(BROWSER, &browser))
    }

    /// Sends a browser that comes back from Cognito on to the shop, with a one-time code or with why there is none.
    /// Once: the state is good for one.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn go_on(&self, back: CameBack, now: Timestamp) -> anyhow::Result<Redirect> {
        let step: Option<Step> = match &back.state {
            Some(state) => self.guards.take_ticket(BEGUN, state, TryId::at(now), now).await?,
            None => None,
        };
        let browser = back.browser.as_deref().map(hash);
        let Some(step) = step.filter(|step| browser.as_ref() == Some(&step.browser)) else {
            return Ok(self.back_to("/", "not-signed-in", Reason::Expired.as_str()));
        };
        let Step { wish, verifier, nonce, .. } = step;
        match back.outcome() {
            Outcome::Code(code) => {
                let one_time_code = secret();
                let returned = Returned { code, verifier, nonce, challenge: wish.challenge };
                let lifetime = (now, TO_FINISH);
                self.guards.issue_ticket(RETURNED, &one_time_code, &returned, lifetime).await?;
                Ok(self.back_to(&wish.return_to, "signed-in", &one_time_code))
            }
            Outcome::Linked if !wish.is_second => self.send_away(Wish { is_second: true, ..wish }, now).await,
            Outcome::Linked => Ok(self.back_to(&wish.return_to, "not-signed-in", Reason::Failed.as_str())),
            Outcome::Refused(reason) => Ok(self.back_to(&wish.return_to, "not-signed-in", reason.as_str())),
        }
    }

    /// To a page of the shop. What it is told stands behind `#`, which no server and no other site is sent.
    fn back_to(&self, path: &str, what: &str, is: &str) -> Redirect {
        Redirect::see_other(format!("{}{}#{what}={is}", self.shop_url, path.trim_end_matches('/')))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};
    use shared::run::aws::canned::{Asked, answering_each, item};

    fn noon() -> Timestamp {
        Timestamp::from_unix_millis(1_795_262_400_000)
    }

    fn social(answers: impl Fn(&Json) -> (u16, Json) + Send + Sync + 'static) -> (SocialSignIn, Asked) {
        let (sdk, asked) = answering_each(answers);
        let social = SocialSignIn {
            guards: Guards::from_env(&Aws::for_tests(sdk)).unwrap(),
            providers: "google".parse().unwrap(),
            return_paths: "/,/cart".parse().unwrap(),
            cognito_url: "https://cognito.example".into(),
            client_id: "client".into(),
            callback_url: "https://api.example/auth/callback".into(),
            shop_url: "https://shop.example".into(),
        };
        (social, asked)
    }

    fn challenge() -> Challenge {
        hash("the page's").parse().unwrap()
    }

    fn held(asked: &Asked) -> Json {
        let asked = asked.lock().unwrap();
        serde_json::from_str(asked.last().unwrap()["Item"]["holds"]["S"].as_str().unwrap()).unwrap()
    }

    /// What a browser brings back from a sign-in that began here, with this.
    fn came_back(with: CameBack) -> CameBack {
        CameBack { state: Some("state".into()), browser: Some("this one".into()), ..with }
    }

    /// Where a browser is sent that comes back, while the table has this step.
    async fn sent_on(back: CameBack, step: Option<Json>) -> (String, Vec<Json>) {
        let (social, asked) = social(move |request| match (&request["UpdateExpression"], &step) {
            (Json::Null, _) => (200, json!({})),
            (_, Some(step)) => (200, json!({ "Attributes": item(&json!({ "holds": step.to_string() })) })),
            (_, None) => {
                let name = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
                (400, json!({ "__type": name }))
            }
        });
        let to = social.go_on(back, noon()).await.unwrap().to().to_owned();
        let asked = asked.lock().unwrap().clone();
        (to, asked)
    }

    fn step() -> Json {
        json!({
            "wish": {
                "provider": "google", "challenge": challenge(), "returnTo": "/cart", "isSecond": false
            },
            "verifier": "ours", "nonce": "once", "browser": hash("this one")
        })
    }

    fn code() -> CameBack {
        came_back(CameBack { code: Some("of-cognito".into()), ..CameBack::default() })
    }

    fn refused(error: &str, description: &str) -> CameBack {
        let (error, description) = (Some(error.to_owned()), Some(description.to_owned()));
        came_back(CameBack { error, description, ..CameBack::default() })
    }

    #[tokio::test]
    async fn a_browser_is_sent_to_cognito_with_a_state_that_only_this_browser_can_bring_back() {
        let (social, asked) = social(|_| (200, json!({})));
        let cart = "/cart".parse().unwrap();
        let sent = social.begin(Provider::Google, challenge(), Some(&cart), noon()).await.unwrap();
        let (to, query) = sent.to().split_once('?').unwrap();
        assert_eq!(to, "https://cognito.example/oauth2/authorize");
        let query: std::collections::BTreeMap<_, _> = form_urlencoded::parse(query.as_bytes()).collect();
        let held = held(&asked);
        for (name, value) in [
            ("response_type", "code"),
            ("client_id", "client"),
            ("redirect_uri", "https://api.example/auth/callback"),
            ("identity_provider", "Google"),
            ("scope", SCOPES),
            ("nonce", held["nonce"].as_str().unwrap()),
            ("code_challenge", &hash(held["verifier"].as_str().unwrap())),
            ("code_challenge_method", "S256"),
        ] {
            assert_eq!(query[name], value, "{name}");
        }
        assert_eq!(held["wish"], step()["wish"]);
        assert_eq!(query["state"].len(), 43);
        // Whoever reads the table finds neither the state nor the cookie.
        let kept = asked.lock().unwrap()[0].to_string();
        assert!(!kept.contains(&*query["state"]), "{kept}");
        let cookie = sent.set_cookie().unwrap();
        let value = cookie.split([';', '=']).nth(1).unwrap();
        assert!(cookie.starts_with("__Host-social-sign-in=") && !kept.contains(value), "{cookie}");
        assert_eq!(held["browser"], hash(value));
    }

    #[tokio::test]
    async fn a_provider_that_the_shop_does_not_have_is_nowhere_and_no_page_but_a_listed_one_is_returned_to() {
        let (social, asked) = social(|_| (200, json!({})));
        let status = async |provider, path: Option<&str>| {
            let path = path.map(|path| path.parse().unwrap());
            let begun = social.begin(provider, challenge(), path.as_ref(), noon()).await;
            begun.map_or_else(|problem| problem.status().as_u16(), |_| 302)
        };
        assert_eq!(status(Provider::Oidc, None).await, 404);
        for path in ["https://evil.example", "//evil.example", "/cart/", "/other", "cart", "/cart#a"] {
            assert_eq!(status(Provider::Google, Some(path)).await, 422, "{path}");
        }
        assert!(asked.lock().unwrap().is_empty());
        assert_eq!(status(Provider::Google, None).await, 302);
    }

    #[tokio::test]
    async fn who_comes_back_gets_a_code_of_our_own_and_cognitos_is_kept_for_a_minute() {
        let (to, asked) = sent_on(code(), Some(step())).await;
        let one_time_code = to.strip_prefix("https://shop.example/cart#signed-in=").unwrap();
        assert_eq!(one_time_code.len(), 43);
        let kept = &asked[1]["Item"];
        let holds: Json = serde_json::from_str(kept["holds"]["S"].as_str().unwrap()).unwrap();
        assert_eq!(
            holds,
            json!({ "code": "of-cognito", "verifier": "ours", "nonce": "once", "challenge": challenge() })
        );
        assert_eq!(kept["goodUntil"]["N"], (noon().unix_millis() + 60_000).to_string());
        assert!(!kept.to_string().contains(one_time_code));
    }

    #[tokio::test]
    async fn a_replayed_callback_a_strange_state_and_another_browser_lead_nowhere() {
        let nowhere = "https://shop.example#not-signed-in=expired";
        // Taken already, too old or never given: the table does not tell them apart.
        assert_eq!(sent_on(code(), None).await.0, nowhere);
        for back in [
            CameBack { state: None, ..code() },
            CameBack { browser: None, ..code() },
            CameBack { browser: Some("another".into()), ..code() },
            CameBack { browser: Some(hash("this one")), ..code() },
        ] {
            let (to, asked) = sent_on(back, Some(step())).await;
            assert_eq!(to, nowhere);
            assert!(asked.iter().all(|one| one["Item"].is_null()), "{asked:?}");
        }
    }

    #[tokio::test]
    async fn a_refusal_leads_to_the_page_with_its_reason() {
        for (error, description, reason) in [
            ("access_denied", "User denied access", "denied"),
            (
                "invalid_request",
                "PreSignUp failed with error address-not-confirmed. ",
                "address-not-confirmed",
            ),
            ("invalid_request", "PreSignUp failed with error sign-in-otherwise. ", "sign-in-otherwise"),
            ("invalid_request", "User is disabled.", "failed"),
            ("server_error", "", "failed"),
        ] {
            let (to, _) = sent_on(refused(error, description), Some(step())).await;
            assert_eq!(to, format!("https://shop.example/cart#not-signed-in={reason}"), "{description}");
        }
        let (to, _) = sent_on(came_back(CameBack::default()), Some(step())).await;
        assert_eq!(to, "https://shop.example/cart#not-signed-in=failed");
    }

    #[tokio::test]
    async fn whom_cognito_has_just_linked_is_sent_there_once_more_and_not_for_ever() {
        let tripped = || refused("invalid_request", "Already found an entry for username google_1138");
        let (to, asked) = sent_on(tripped(), Some(step())).await;
        assert!(to.starts_with("https://cognito.example/oauth2/authorize?"), "{to}");
        let holds: Json = serde_json::from_str(asked[1]["Item"]["holds"]["S"].as_str().unwrap()).unwrap();
        assert_eq!(holds["wish"]["isSecond"], true);
        let mut second = step();
        second["wish"]["isSecond"] = true.into();
        let (to, _) = sent_on(tripped(), Some(second)).await;
        assert_eq!(to, "https://shop.example/cart#not-signed-in=failed");
    }

    #[test]
    fn a_username_that_cognito_made_names_provider_and_person() {
        assert_eq!(Provider::of_username("google_1138"), Some((Provider::Google, "1138")));
        assert_eq!(Provider::of_username("Oidc_a_b"), Some((Provider::Oidc, "a_b")));
        assert_eq!(Provider::of_username("Ann_Lee"), None);
        assert_eq!(Provider::of_username("Ann"), None);
    }

    #[test]
    fn only_paths_of_the_shop_are_listed() {
        for bad in ["", "cart", "https://evil.example", "//evil.example", "/a,", "/a b", "/@evil", "/a?b"] {
            assert!(bad.parse::<ReturnPaths>().is_err(), "{bad}");
        }
        assert!("facebook".parse::<Providers>().is_err());
    }

    #[test]
    fn nothing_secret_is_printed() {
        let finish = FinishSocialSignIn {
            code: OneTimeCode::parse(Value::String(secret())).unwrap(),
            verifier: Verifier::parse(Value::String(secret())).unwrap(),
        };
        assert_eq!(
            format!("{finish:?}"),
            "FinishSocialSignIn { code: OneTimeCode(…), verifier: Verifier(…) }"
        );
        assert_eq!(format!("{:?}", code()), "CameBack(…)");
    }
}
