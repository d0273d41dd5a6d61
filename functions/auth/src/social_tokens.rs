//! The tokens of a sign-in by another company: fetched from Cognito for the page that began it, and looked at before
//! anybody gets them.

use std::time::Duration;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use shared::caller::{ADMINS, UserId};
use shared::guards::Guards;
use shared::guards::claims::TryId;
use shared::http::problem::Problem;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::run::outside::{Method, Outside, Request};
use shared::values::time::Timestamp;
use users::{Email, FullName, Profile, Username, Users};

use crate::admission::is_opened_by_providers;
use crate::client_secret::ClientSecret;
use crate::social::{RETURNED, Returned};
use crate::{Directory, Error, FinishSocialSignIn, Refusal, Tokens, claims, note};

/// How long Cognito may take: its triggers have five seconds.
const PATIENCE: Duration = Duration::from_secs(6);

/// Where Cognito gives tokens for its authorization codes.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html>
#[derive(Debug, Clone)]
pub struct TokenEndpoint {
    outside: Outside,
    url: String,
    client_id: String,
    secret: ClientSecret,
    callback_url: String,
}

impl FromEnv for TokenEndpoint {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            outside: Outside::new("cognito-tokens"),
            url: format!("{}/oauth2/token", config::required::<String>("COGNITO_URL")?),
            client_id: config::required("USER_POOL_CLIENT_ID")?,
            secret: ClientSecret::from_env(aws)?,
            callback_url: config::required("CALLBACK_URL")?,
        })
    }
}

/// As Cognito answers.
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    id_token: String,
    refresh_token: String,
    expires_in: i32,
    token_type: String,
}

impl TokenEndpoint {
    /// Exchanges Cognito's code for tokens. Once: whoever lost the answer begins anew.
    ///
    /// # Errors
    /// A code that is not good, or no longer.
    async fn redeem(&self, returned: &Returned) -> Result<Tokens, Error> {
        let secret = self.secret.value().await?;
        let us = STANDARD.encode(format!("{}:{secret}", self.client_id));
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "authorization_code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", &self.callback_url)
            .append_pair("code", &returned.code)
            .append_pair("code_verifier", &returned.verifier)
            .finish();
        let authorization = format!("Basic {us}");
        let headers = [
            ("authorization", authorization.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
            ("accept", "application/json"),
        ];
        let request = Request { method: Method::Post, url: &self.url, headers: &headers, body: &body };
        let sent = self.outside.send(&request, PATIENCE).await;
        let response = sent.map_err(|error| Error::Unavailable(anyhow::Error::new(error)))?;
        match response.status {
            200 => {
                let granted =
                    serde_json::from_slice::<Granted>(&response.body).context("read Cognito's tokens")?;
                Ok(Tokens {
                    access_token: granted.access_token,
                    expires_in: granted.expires_in,
                    id_token: granted.id_token,
                    refresh_token: Some(granted.refresh_token),
                    token_type: granted.token_type,
                })
            }
            400 if is_about_the_code(&response.body) => Err(Refusal::SocialSignInEnded.into()),
            429 => Err(Error::Throttled(anyhow::anyhow!("Cognito's token endpoint takes no more requests"))),
            500.. => Err(Error::Unavailable(anyhow::anyhow!(
                "Cognito's token endpoint answered {}",
                response.status
            ))),
            status => Err(anyhow::anyhow!("Cognito's token endpoint answered {status}").into()),
        }
    }
}

fn is_about_the_code(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Refused {
        error: String,
    }
    serde_json::from_slice::<Refused>(body).is_ok_and(|refused| refused.error == "invalid_grant")
}

/// Who a sign-in says that it is of.
#[derive(Deserialize)]
struct Identity {
    sub: UserId,
    aud: String,
    #[serde(rename = "cognito:username")]
    username: String,
    #[serde(rename = "cognito:groups", default)]
    groups: Vec<String>,
    #[serde(default)]
    nonce: String,
    #[serde(default)]
    name: String,
}

impl Identity {
    /// The profile of a person who has none yet, as create-profile makes it.
    fn profile(self, email: Email, now: Timestamp) -> Profile {
        let username = Username::existing(self.username);
        let full_name = FullName::new(&self.name).unwrap_or_else(|_| username.as_full_name());
        Profile::new(self.sub, email, full_name, username, now)
    }
}

/// Getting the tokens of a sign-in by another company.
#[derive(Debug, Clone)]
pub struct FinishingSocially {
    guards: Guards,
    endpoint: TokenEndpoint,
    directory: Directory,
    users: Users,
}

impl FromEnv for FinishingSocially {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            guards: Guards::from_env(aws)?,
            endpoint: TokenEndpoint::from_env(aws)?,
            directory: Directory::from_env(aws)?,
            users: Users::from_env(aws)?,
        })
    }
}

impl FinishingSocially {
    /// Exchanges the one-time code for tokens, once. Whoever has no profile yet gets one: after a first sign-in Cognito
    /// calls create-profile, which may be later than this, or have failed. Whose tokens are refused never had them.
    ///
    /// # Errors
    /// A code that is not good or another page's, and an account that is closed or not opened by providers.
    pub async fn finish(&self, finish: &FinishSocialSignIn, now: Timestamp) -> Result<Tokens, Problem> {
        let returned: Option<Returned> =
            self.guards.take_ticket(RETURNED, finish.code.as_str(), TryId::at(now), now).await?;
        let returned = returned.filter(|returned| returned.challenge == finish.verifier.challenge());
        let returned = returned.ok_or(Refusal::SocialSignInEnded)?;
        let tokens = self.endpoint.redeem(&returned).await?;
        let identity: Identity = claims(&tokens.id_token).context("read an ID token")?;
        if identity.nonce != returned.nonce || identity.aud != self.endpoint.client_id {
            tracing::error!("an ID token is not of the sign-in that it was given for");
            return Err(Refusal::SocialSignInEnded.into());
        }
        let (account, profile) =
            tokio::try_join!(self.directory.account(&identity.username), self.users.find(&identity.sub))?;
        let account = account.filter(|account| account.is_enabled && account.user_id == identity.sub);
        let account = account.ok_or_else(users::account_closed)?;
        if profile.as_ref().is_some_and(|profile| !profile.status.is_active()) {
            return Err(users::account_closed());
        }
        let is_admin = identity.groups.iter().any(|group| group == ADMINS);
        if is_admin || !is_opened_by_providers(&account, profile.as_ref()) {
            return Err(Refusal::SignInOtherwise.into());
        }
        let address = tokens.address().ok_or(Refusal::AddressNotConfirmed)?;
        let (person, _) = tokens.sign_in()?;
        if profile.is_none() {
            self.users.create(&identity.profile(address.clone(), now)).await?;
        }
        let sign_in = users::SignIn { with_second_factor: None, address: Some(address) };
        note(self.users.signed_in(&self.guards, &person, &sign_in, now)).await;
        Ok(tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::{Value, json};
    use sha2::{Digest, Sha256};
    use shared::http::input;
    use shared::run::aws::canned::{answering_each, item};
    use shared::run::outside::stand_in::{Reply, StandIn};

    const VERIFIER: &str = "what-the-page-made-up-0123456789-0123456789";

    fn noon() -> Timestamp {
        Timestamp::from_unix_millis(1_795_262_400_000)
    }

    fn token(claims: &Value) -> String {
        format!("h.{}.s", URL_SAFE_NO_PAD.encode(claims.to_string()))
    }

    fn claims_of_robin() -> Value {
        json!({
            "sub": "5d0c", "aud": "client", "cognito:username": "google_1138", "nonce": "once", "name": "Robin Wood",
            "email": "robin@example.com", "email_verified": true, "cognito:groups": ["pool_Google"]
        })
    }

    fn granted(claims: &Value) -> Reply {
        let access = token(&json!({ "sub": "5d0c", "auth_time": 1_795_262_400 }));
        let granted = json!({
            "access_token": access, "id_token": token(claims), "refresh_token": "r", "expires_in": 3600,
            "token_type": "Bearer"
        });
        Reply::answer(200, granted.to_string())
    }

    fn profile() -> Value {
        json!({
            "userId": "5d0c", "email": "robin@example.com", "fullName": "Robin Wood", "username": "google_1138",
            "createdAt": "2026-11-21T12:00:00.000Z", "version": 1, "schemaVersion": 1
        })
    }

    /// What the shop knows when somebody finishes.
    #[derive(Clone)]
    struct World {
        ticket: bool,
        status: &'static str,
        is_enabled: bool,
        mfa: Value,
        profile: Option<Value>,
    }

    fn world() -> World {
        let profile = Some(profile());
        World { ticket: true, status: "EXTERNAL_PROVIDER", is_enabled: true, mfa: json!([]), profile }
    }

    struct Finished {
        outcome: Result<Tokens, Problem>,
        /// What AWS was asked.
        asked: Vec<Value>,
        /// What Cognito's token endpoint was asked.
        redeemed: Vec<String>,
    }

    async fn finish(world: World, reply: Reply, verifier: &str) -> Finished {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        let returned = json!({ "code": "c", "verifier": "ours", "nonce": "once", "challenge": challenge });
        let (sdk, asked) = answering_each(move |request| {
            let update = request["UpdateExpression"].as_str().unwrap_or_default();
            if update.contains("takenBy") {
                let failed = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
                return if world.ticket {
                    (200, json!({ "Attributes": item(&json!({ "holds": returned.to_string() })) }))
                } else {
                    (400, json!({ "__type": failed }))
                };
            }
            if !request["Username"].is_null() {
                let sub = json!({ "Name": "sub", "Value": "5d0c" });
                let name = &request["Username"];
                return (
                    200,
                    json!({
                        "Username": name, "UserAttributes": [sub], "UserStatus": world.status,
                        "Enabled": world.is_enabled, "UserMFASettingList": world.mfa
                    }),
                );
            }
            let found = world.profile.clone().map_or(json!({}), |profile| json!({ "Item": item(&profile) }));
            match (update, &request["Item"]) {
                ("", Value::Null) => (200, found),
                ("", _) => (200, json!({})),
                _ => (200, json!({ "Attributes": item(&profile()) })),
            }
        });
        let aws = Aws::for_tests(sdk);
        let server = StandIn::start([reply]).await;
        let endpoint = TokenEndpoint {
            outside: Outside::new("cognito-tokens"),
            url: format!("{}/oauth2/token", server.url),
            client_id: "client".into(),
            secret: ClientSecret::known_to_tests("secret"),
            callback_url: "https://api.example/auth/callback".into(),
        };
        let finishing = FinishingSocially {
            guards: Guards::from_env(&aws).unwrap(),
            endpoint,
            directory: Directory::for_tests(&aws),
            users: Users::from_env(&aws).unwrap(),
        };
        let body = json!({ "code": "a".repeat(43), "verifier": verifier }).to_string();
        let outcome = finishing.finish(&input::parse(body.as_bytes()).unwrap(), noon()).await;
        let asked = asked.lock().unwrap().clone();
        let redeemed = server.asked().into_iter();
        let redeemed = redeemed.map(|one| {
            assert_eq!(one.what, "POST /oauth2/token");
            assert_eq!(one.header("authorization"), Some("Basic Y2xpZW50OnNlY3JldA=="));
            one.body
        });
        Finished { outcome, asked, redeemed: redeemed.collect() }
    }

    async fn refused(world: World, reply: Reply) -> (u16, String) {
        let problem = finish(world, reply, VERIFIER).await.outcome.unwrap_err();
        (problem.status().as_u16(), format!("{:?}", problem.kind()))
    }

    #[tokio::test]
    async fn a_code_is_redeemed_with_our_verifier_and_secret_and_the_sign_in_is_noted() {
        let finished = finish(world(), granted(&claims_of_robin()), VERIFIER).await;
        let tokens = finished.outcome.unwrap();
        assert_eq!(tokens.refresh_token.as_deref(), Some("r"));
        let callback = "https%3A%2F%2Fapi.example%2Fauth%2Fcallback";
        let redeemed = format!(
            "grant_type=authorization_code&client_id=client&redirect_uri={callback}&code=c&code_verifier=ours"
        );
        assert_eq!(finished.redeemed, [redeemed]);
        // The ticket, the account, the profile, the note.
        assert_eq!(finished.asked.len(), 4, "{:?}", finished.asked);
    }

    #[tokio::test]
    async fn who_has_no_profile_yet_gets_one_with_the_providers_name_and_address() {
        let newcomer = World { profile: None, ..world() };
        let finished = finish(newcomer, granted(&claims_of_robin()), VERIFIER).await;
        finished.outcome.unwrap();
        let put = finished.asked.iter().find(|one| !one["Item"].is_null()).unwrap();
        assert_eq!(put["ConditionExpression"], "attribute_not_exists(userId)");
        for (name, value) in [
            ("userId", "5d0c"),
            ("email", "robin@example.com"),
            ("fullName", "Robin Wood"),
            ("username", "google_1138"),
        ] {
            assert_eq!(put["Item"][name]["S"], value);
        }
        assert!(put["Item"]["role"].is_null());
    }

    #[tokio::test]
    async fn a_code_that_was_used_is_too_old_or_is_another_pages_gives_nothing_and_asks_cognito_nothing() {
        let other_page = "what-another-page-made-up-0123456789-0123456";
        for (world, verifier) in [(World { ticket: false, ..world() }, VERIFIER), (world(), other_page)] {
            let finished = finish(world, granted(&claims_of_robin()), verifier).await;
            assert_eq!(finished.outcome.unwrap_err().status(), 401);
            assert!(finished.redeemed.is_empty());
            assert_eq!(finished.asked.len(), 1);
        }
    }

    #[tokio::test]
    async fn a_token_of_another_sign_in_or_client_is_no_sign_in() {
        for (name, value) in [("nonce", "another"), ("nonce", ""), ("aud", "another")] {
            let mut claims = claims_of_robin();
            claims[name] = value.into();
            let (status, kind) = refused(world(), granted(&claims)).await;
            assert!(status == 401 && kind.contains("sign-in-ended"), "{name}: {status} {kind}");
        }
    }

    #[tokio::test]
    async fn what_cognito_does_not_redeem_is_told_from_what_it_cannot_redeem_now() {
        let invalid = json!({ "error": "invalid_grant" }).to_string();
        assert_eq!(refused(world(), Reply::answer(400, invalid)).await.0, 401);
        let ours = json!({ "error": "invalid_client" }).to_string();
        assert_eq!(refused(world(), Reply::answer(400, ours)).await.0, 500);
        assert_eq!(refused(world(), Reply::answer(200, "no tokens")).await.0, 500);
        assert_eq!(refused(world(), Reply::answer(429, "")).await.0, 429);
        assert_eq!(refused(world(), Reply::answer(503, "")).await.0, 503);
        assert_eq!(refused(world(), Reply::Lose).await.0, 503);
    }

    #[tokio::test]
    async fn an_account_that_is_closed_or_gone_is_not_opened() {
        let closed = |status: &str| {
            let mut profile = profile();
            profile["status"] = status.into();
            World { profile: Some(profile), ..world() }
        };
        for world in [closed("disabled"), closed("deleting"), World { is_enabled: false, ..world() }] {
            let (status, kind) = refused(world, granted(&claims_of_robin())).await;
            assert!(status == 403 && kind.contains("account-closed"), "{status} {kind}");
        }
        // The name is another person's by now.
        let mut claims = claims_of_robin();
        claims["sub"] = "other".into();
        assert_eq!(refused(world(), granted(&claims)).await.0, 403);
    }

    #[tokio::test]
    async fn an_admin_and_who_has_a_second_factor_sign_in_otherwise() {
        let mut in_group = claims_of_robin();
        in_group["cognito:groups"] = json!(["pool_Google", "admin"]);
        let mut by_profile = profile();
        by_profile["role"] = "admin".into();
        let by_profile = World { profile: Some(by_profile), ..world() };
        let app = World { status: "CONFIRMED", mfa: json!(["SOFTWARE_TOKEN_MFA"]), ..world() };
        for (world, claims) in
            [(world(), in_group), (by_profile, claims_of_robin()), (app, claims_of_robin())]
        {
            let (status, kind) = refused(world, granted(&claims)).await;
            assert!(status == 403 && kind.contains("sign-in-otherwise"), "{status} {kind}");
        }
    }

    #[tokio::test]
    async fn an_address_that_is_confirmed_no_longer_makes_no_profile() {
        let mut claims = claims_of_robin();
        claims["email_verified"] = false.into();
        let finished = finish(World { profile: None, ..world() }, granted(&claims), VERIFIER).await;
        assert_eq!(finished.outcome.unwrap_err().status(), 403);
        assert!(finished.asked.iter().all(|one| one["Item"].is_null()));
    }
}
