//! A browser on its way to the local identity provider and back, step by step.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::answer::Answer;
use crate::shop::{Person, Shop, unique};

/// Somebody with an account at the provider.
#[derive(Debug, Clone)]
pub struct Stranger {
    /// What the provider calls the person.
    pub subject: String,
    /// `Robin 5c1e07d2`
    pub full_name: String,
    /// The address there.
    pub email: String,
    /// Whether the provider says that it is the person's.
    pub is_verified: bool,
}

impl Stranger {
    /// Of this name, with an address of their own.
    pub fn named(first_name: &str) -> Self {
        let full_name = unique(first_name);
        let subject = full_name.to_lowercase().replace(' ', "-");
        let email = format!("{subject}@cartwright.test");
        Self { subject, full_name, email, is_verified: true }
    }

    /// With the address that somebody else has as well.
    #[must_use]
    pub fn at(self, email: &str) -> Self {
        Self { email: email.to_owned(), ..self }
    }

    /// What the provider would say without looking.
    #[must_use]
    pub fn unverified(self) -> Self {
        Self { is_verified: false, ..self }
    }

    /// What the provider is told of the person, as a query.
    pub fn query(&self) -> String {
        let Self { subject, full_name, email, is_verified } = self;
        let name = full_name.replace(' ', "%20");
        format!("sub={subject}&name={name}&email={email}&email_verified={is_verified}")
    }
}

/// A browser that was sent to the provider.
#[derive(Debug, Clone)]
pub struct Away {
    shop: Shop,
    /// What the page keeps.
    pub verifier: String,
    /// The cookie of this host.
    pub cookie: String,
    /// The provider's page.
    pub provider: String,
}

/// A browser that comes back from Cognito, or has come back.
#[derive(Debug, Clone)]
pub struct Back {
    shop: Shop,
    /// What the page keeps.
    pub verifier: String,
    /// The cookie of this host.
    pub cookie: String,
    /// Where Cognito sent it, with code and state.
    pub callback: String,
}

/// The challenge of a verifier.
pub fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

/// Where a browser is sent, as a path.
///
/// # Panics
/// When it is sent nowhere.
#[track_caller]
pub fn leads_to(answer: &Answer) -> String {
    assert!(
        matches!(answer.status, 302 | 303),
        "{} answered {} {}",
        answer.request,
        answer.status,
        answer.body
    );
    let to = answer.header("location").expect("a Location");
    let path = to.split_once("://").map_or(to, |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
    path.to_owned()
}

impl Shop {
    /// Goes to `GET /auth/oidc` and on to the provider's page.
    pub async fn goes_to_the_provider(&self) -> Away {
        let verifier = format!("{}{}", uuid::Uuid::now_v7().simple(), uuid::Uuid::now_v7().simple());
        let begun = self.get(&format!("/auth/oidc?challenge={}", challenge(&verifier))).await;
        let cookie =
            begun.header("set-cookie").expect("a cookie").split(';').next().unwrap_or_default().to_owned();
        let at_cognito = self.get(&leads_to(&begun)).await;
        Away { shop: self.clone(), verifier, cookie, provider: leads_to(&at_cognito) }
    }

    /// Signs in as somebody by the provider, from the page to the tokens.
    pub async fn signs_in_by_the_provider(&self, stranger: &Stranger) -> Answer {
        let back = self.goes_to_the_provider().await.answers(Some(stranger)).await;
        let code = back.code().await;
        back.exchanges(&code).await
    }

    /// The same of whom nothing stands in the way.
    pub async fn stranger(&self, stranger: &Stranger) -> Person {
        let signed_in = self.signs_in_by_the_provider(stranger).await.is(200);
        self.signed_in(&stranger.full_name, &stranger.email, &signed_in)
    }
}

impl Away {
    /// Says who one is, or that one thinks better of it, and goes on to Cognito.
    pub async fn answers(self, as_whom: Option<&Stranger>) -> Back {
        let query = self.provider.split_once('?').expect("a query").1;
        let person = as_whom.map(Stranger::query).unwrap_or_default();
        let answered = self.shop.get(&format!("/local/identity/answer?{query}&{person}")).await;
        let at_cognito = self.shop.get(&leads_to(&answered)).await;
        let Self { shop, verifier, cookie, .. } = self;
        Back { shop, verifier, cookie, callback: leads_to(&at_cognito) }
    }
}

impl Back {
    /// Calls `GET /auth/callback` with this cookie.
    pub async fn calls_back_with(&self, cookie: &str) -> Answer {
        self.shop.request(Method::GET, &self.callback).header("cookie", cookie).send().await
    }

    /// What the page is told: `signed-in=…` or `not-signed-in=…`.
    pub async fn is_told(&self) -> String {
        let led = leads_to(&self.calls_back_with(&self.cookie).await);
        led.strip_prefix("/shop#").unwrap_or_else(|| panic!("leads to {led}")).to_owned()
    }

    /// The one-time code.
    pub async fn code(&self) -> String {
        let told = self.is_told().await;
        told.strip_prefix("signed-in=").unwrap_or_else(|| panic!("the page is told {told}")).to_owned()
    }

    /// What the page sends for the tokens.
    pub fn finish(&self, code: &str) -> Value {
        json!({ "code": code, "verifier": self.verifier })
    }

    /// Exchanges a code for tokens.
    pub async fn exchanges(&self, code: &str) -> Answer {
        self.shop.post("/auth/exchange", &self.finish(code)).await
    }
}
