//! An identity provider on the laptop, in place of Google: OpenID Connect with an authorization code, a page on which
//! one is one of three people or thinks better of it, and tokens by a key that is made at the start.
//!
//! What a page's links say of a person, scripts and tests may say of others: `/local/identity/answer?sub=…&email=…`.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::{Form, Json, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use form_urlencoded::Serializer;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use std::sync::Arc;

use crate::cloud::Record;
use crate::pages::POLICY;
use crate::proxy::{Proxy, problem};

/// What the shop is here: the template's `OidcClientId`.
pub(crate) const CLIENT_ID: &str = "cartwright";
/// What it proves that by.
pub(crate) const CLIENT_SECRET: &str = "oidc_local_cartwright";
/// The secret in Secrets Manager that holds it: the template's `OidcClientSecret`.
pub(crate) const SECRET_NAME: &str = "cartwright-local-oidc-client";

/// The cookie of whoever has said beforehand who they are.
const SIGNED_IN: &str = "local-identity";

/// For how many seconds its tokens are good.
const GOOD_FOR: i64 = 3600;

/// The people of the page, with what there is to see by each.
const PEOPLE: [(&str, &str, &str, bool, &str); 3] = [
    ("robin", "Robin Wood", "robin@cartwright.test", true, "comes for the first time, and later comes back"),
    ("buyer", "Bo Yer", "buyer@cartwright.test", true, "has an account with a password and the same address"),
    ("kim", "Kim Dow", "kim@cartwright.test", false, "has not confirmed the address"),
];

/// Where it is: the template's `OidcIssuer`.
pub(crate) fn issuer(record: &Record) -> String {
    format!("{}/local/identity", record.url())
}

/// What was said of a person, by the names of the claims.
type Claims = HashMap<String, String>;

/// The provider of one cloud.
pub(crate) struct Provider {
    key: EcdsaKeyPair,
    issuer: String,
    /// Where people are sent back to.
    callback: String,
    codes: Mutex<HashMap<String, Claims>>,
}

impl Provider {
    /// The provider of a cloud, with a new key.
    ///
    /// # Errors
    /// There is no randomness to be had.
    pub(crate) fn of(record: &Record) -> Result<Self> {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).and_then(|key| {
            Ok(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.as_ref(), &random)?)
        });
        Ok(Self {
            key: key.ok().context("no key could be made for the local provider")?,
            issuer: issuer(record),
            callback: format!("{}/oauth2/idpresponse", record.url()),
            codes: Mutex::default(),
        })
    }

    fn key_id(&self) -> String {
        use sha2::Digest;
        let hash = sha2::Sha256::digest(self.key.public_key().as_ref());
        URL_SAFE_NO_PAD.encode(hash.get(..8).unwrap_or_default())
    }

    /// A token with these claims, as a JWT.
    fn signed(&self, claims: &Value) -> Option<String> {
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": self.key_id() });
        let [header, claims] = [&header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let text = format!("{header}.{claims}");
        let signature = self.key.sign(&SystemRandom::new(), text.as_bytes()).ok()?;
        Some(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// The key by which anybody can check a token.
    fn keys(&self) -> Value {
        let point = self.key.public_key().as_ref();
        let coordinate =
            |at: std::ops::Range<usize>| URL_SAFE_NO_PAD.encode(point.get(at).unwrap_or_default());
        json!({ "keys": [{
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.key_id(),
            "x": coordinate(1..33), "y": coordinate(33..65),
        }] })
    }

    /// Where a browser goes back to after this answer: with a code for a person, or without.
    fn answer(&self, asked: &Claims) -> Response {
        let get = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
        if get("redirect_uri") != self.callback || get("client_id") != CLIENT_ID {
            let detail =
                "This provider sends people back to the local cloud alone, for the client cartwright.";
            return problem(StatusCode::BAD_REQUEST, "bad-request", "Not this client", detail);
        }
        let address = format!("{}?", self.callback);
        let query = address.len();
        let mut back = Serializer::for_suffix(address, query);
        back.append_pair("state", get("state"));
        if get("sub").is_empty() {
            back.append_pair("error", "access_denied")
                .append_pair("error_description", "The person said no.");
        } else {
            let code = uuid::Uuid::now_v7().to_string();
            back.append_pair("code", &code);
            self.codes.lock().unwrap_or_else(PoisonError::into_inner).insert(code, asked.clone());
        }
        Redirect::to(&back.finish()).into_response()
    }

    /// The tokens for a code, once.
    fn tokens(&self, asked: &Claims, now: i64) -> Result<Value, &'static str> {
        let get = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
        if (get("client_id"), get("client_secret")) != (CLIENT_ID, CLIENT_SECRET) {
            return Err("invalid_client");
        }
        let person = self.codes.lock().unwrap_or_else(PoisonError::into_inner).remove(get("code"));
        let person = person.filter(|_| get("redirect_uri") == self.callback).ok_or("invalid_grant")?;
        let mut claims = json!({
            "iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + GOOD_FOR,
            "email_verified": person.get("email_verified").is_some_and(|verified| verified == "true"),
        });
        for name in ["sub", "email", "name", "nonce"] {
            if let Some(value) = person.get(name) {
                claims[name] = value.as_str().into();
            }
        }
        let id_token = self.signed(&claims).ok_or("server_error")?;
        let access_token = uuid::Uuid::now_v7().to_string();
        Ok(json!({
            "access_token": access_token, "id_token": id_token, "token_type": "Bearer", "expires_in": GOOD_FOR
        }))
    }
}

/// All below `/local`.
pub(crate) fn routes() -> Router<Arc<Proxy>> {
    Router::new()
        .route("/identity/.well-known/openid-configuration", get(discovery))
        .route("/identity/jwks.json", get(keys))
        .route("/identity/authorize", get(authorize))
        .route("/identity/answer", get(answer))
        .route("/identity/beforehand", get(beforehand))
        .route("/identity/token", post(token))
}

type Cloud = State<Arc<Proxy>>;

async fn discovery(State(proxy): Cloud) -> Json<Value> {
    let issuer = &proxy.identity.issuer;
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks.json"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "scopes_supported": ["openid", "email", "profile"],
        "claims_supported": ["sub", "email", "email_verified", "name"],
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
    }))
}

async fn keys(State(proxy): Cloud) -> Json<Value> {
    Json(proxy.identity.keys())
}

/// The page on which one is somebody; whoever has said so beforehand is not asked.
async fn authorize(State(proxy): Cloud, Query(asked): Query<Claims>, headers: HeaderMap) -> Response {
    let cookies = headers.get(header::COOKIE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
    if let Some((_, said)) = pairs.find(|(name, _)| *name == SIGNED_IN) {
        let said = URL_SAFE_NO_PAD.decode(said).unwrap_or_default();
        let person = form_urlencoded::parse(&said).into_owned();
        let mut response = proxy.identity.answer(&asked.into_iter().chain(person).collect());
        let over = format!("{SIGNED_IN}=; Path=/local/identity; Max-Age=0");
        add_cookie(&mut response, &over);
        return response;
    }
    let link = |person: &[(&str, &str)]| {
        let mut query = Serializer::new(String::new());
        for (name, value) in &asked {
            query.append_pair(name, value);
        }
        let query = query.extend_pairs(person).finish();
        format!("/local/identity/answer?{}", query.replace('&', "&amp;"))
    };
    let people = PEOPLE.map(|(sub, name, email, is_verified, what)| {
        let is_verified = if is_verified { "true" } else { "false" };
        let person = [("sub", sub), ("name", name), ("email", email), ("email_verified", is_verified)];
        format!(
            "<p><a class=\"button\" href=\"{}\">{name}</a> {email}<br><span>{what}</span></p>",
            link(&person)
        )
    });
    let page = include_str!("identity.html").replace("<!-- people -->", &people.join("\n"));
    let page = page.replace("<!-- deny -->", &format!("<a href=\"{}\">Deny</a>", link(&[])));
    let headers =
        [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, POLICY)];
    (headers, page).into_response()
}

/// What a link of the page says.
async fn answer(State(proxy): Cloud, Query(asked): Query<Claims>) -> Response {
    proxy.identity.answer(&asked)
}

/// Says beforehand who the browser's person is, for the next sign-in, and leads to a page of the local cloud: for tests
/// in a browser in which nobody clicks.
async fn beforehand(Query(mut said): Query<Claims>) -> Response {
    let then = said.remove("then").filter(|then| then.starts_with("/shop")).unwrap_or_else(|| "/shop".into());
    let said = Serializer::new(String::new()).extend_pairs(&said).finish();
    let mut response = Redirect::to(&then).into_response();
    let said = URL_SAFE_NO_PAD.encode(said);
    add_cookie(&mut response, &format!("{SIGNED_IN}={said}; Path=/local/identity; HttpOnly; SameSite=Lax"));
    response
}

fn add_cookie(response: &mut Response, cookie: &str) {
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the provider's clock; what it signs takes the time as an argument"
)]
async fn token(State(proxy): Cloud, Form(asked): Form<Claims>) -> Response {
    match proxy.identity.tokens(&asked, jiff::Timestamp::now().as_second()) {
        Ok(tokens) => ([(header::CACHE_CONTROL, "no-store")], Json(tokens)).into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    fn provider() -> Provider {
        Provider::of(&Record { port: 3000, ..Record::default() }).unwrap()
    }

    fn claims(pairs: &[(&str, &str)]) -> Claims {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn robin() -> Claims {
        claims(&[
            ("client_id", CLIENT_ID),
            ("redirect_uri", "http://localhost:3000/oauth2/idpresponse"),
            ("state", "s&1"),
            ("sub", "robin"),
            ("email", "robin@cartwright.test"),
            ("email_verified", "true"),
        ])
    }

    fn location(response: &Response) -> &str {
        response.headers()["location"].to_str().unwrap()
    }

    fn redeeming(code: &str) -> Claims {
        claims(&[
            ("client_id", CLIENT_ID),
            ("client_secret", CLIENT_SECRET),
            ("redirect_uri", "http://localhost:3000/oauth2/idpresponse"),
            ("code", code),
        ])
    }

    fn part(token: &str, at: usize) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(token.split('.').nth(at).unwrap()).unwrap()
    }

    #[test]
    fn a_code_gives_a_token_by_the_published_key_once() {
        let provider = provider();
        let back = provider.answer(&robin());
        let code = location(&back).split_once("state=s%261&code=").unwrap().1;
        let tokens = provider.tokens(&redeeming(code), 1000).unwrap();
        assert_eq!(provider.tokens(&redeeming(code), 1000), Err("invalid_grant"));
        let token = tokens["id_token"].as_str().unwrap();
        let said: Value = serde_json::from_slice(&part(token, 1)).unwrap();
        assert_eq!(
            said,
            json!({
                "iss": "http://localhost:3000/local/identity", "aud": "cartwright", "iat": 1000, "exp": 4600,
                "email_verified": true, "sub": "robin", "email": "robin@cartwright.test"
            })
        );
        let key = &provider.keys()["keys"][0];
        let mut point = vec![4];
        for name in ["x", "y"] {
            point.extend(URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap());
        }
        let signed = token.rsplit_once('.').unwrap().0;
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
        key.verify(signed.as_bytes(), &part(token, 2)).unwrap();
        assert!(key.verify(b"another", &part(token, 2)).is_err());
    }

    #[test]
    fn who_says_no_goes_back_without_a_code() {
        let mut nobody = robin();
        nobody.remove("sub");
        let back = provider().answer(&nobody);
        assert!(
            location(&back)
                .ends_with("?state=s%261&error=access_denied&error_description=The+person+said+no.")
        );
    }

    #[test]
    fn only_the_shop_gets_codes_and_only_by_its_secret_tokens() {
        let provider = provider();
        for (name, value) in [("redirect_uri", "http://evil.example/"), ("client_id", "another")] {
            let mut asked = robin();
            asked.insert(name.into(), value.into());
            assert_eq!(provider.answer(&asked).status(), 400, "{name}");
        }
        let back = provider.answer(&robin());
        let code = location(&back).rsplit_once('=').unwrap().1;
        let mut asked = redeeming(code);
        asked.insert("client_secret".into(), "guessed".into());
        assert_eq!(provider.tokens(&asked, 0), Err("invalid_client"));
        assert!(provider.tokens(&redeeming(code), 0).is_ok());
    }
}
