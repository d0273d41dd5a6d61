//! Who calls: read from the claims of the token that API Gateway has verified, never from the request itself.

use std::collections::HashMap;
use std::fmt;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use lambda_http::request::RequestContext;
use serde::{Deserialize, Serialize};

use crate::http::problem::{FORBIDDEN, FieldError, Problem, UNAUTHENTICATED};
use crate::values::time::Timestamp;

/// The group whose people run the shop.
pub const ADMINS: &str = "admin";

/// What begins the name of somebody without an account.
const GUEST: &str = "guest#";

/// A person, as Cognito's `sub` names them for good; or somebody without an account, as `guest#` and what names them.
/// No `sub` has a `#`, and [`Caller`] takes none that has: whoever signs in is never taken for a guest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(String);

impl UserId {
    /// Somebody without an account, named by what the shop has of them.
    pub fn guest(named: impl fmt::Display) -> Self {
        Self(format!("{GUEST}{named}"))
    }

    /// Whether it is somebody without an account.
    pub fn is_guest(&self) -> bool {
        self.0.starts_with(GUEST)
    }
}

impl From<String> for UserId {
    fn from(sub: String) -> Self {
        Self(sub)
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A signed-in person. As an extractor it answers 401 where there is none.
#[derive(Clone, PartialEq, Eq)]
pub struct Caller {
    id: UserId,
    email: Option<String>,
    groups: Vec<String>,
    signed_in_at: Option<Timestamp>,
}

impl Caller {
    /// Who it is.
    pub fn id(&self) -> &UserId {
        &self.id
    }

    /// The address, which ID tokens carry and access tokens do not.
    pub fn email(&self) -> Option<&str> {
        self.email.as_deref()
    }

    /// Whether the person runs the shop, by the token: up to an hour ago. What changes something asks a table besides
    /// (`CurrentAdmin`).
    pub fn is_admin(&self) -> bool {
        self.is_in(ADMINS)
    }

    /// The same person without the rights of an admin.
    #[must_use]
    pub fn as_no_admin(mut self) -> Self {
        self.groups.retain(|group| group != ADMINS);
        self
    }

    /// When the person gave what the sign-in asked for (`auth_time`); a token that was refreshed since keeps it.
    pub fn signed_in_at(&self) -> Option<Timestamp> {
        self.signed_in_at
    }

    fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|name| name == group)
    }

    /// Reads the claims of a Cognito ID or access token.
    fn from_claims(claims: &HashMap<String, String>) -> Option<Self> {
        let id = claims.get("sub").filter(|sub| !sub.is_empty() && !sub.contains('#'))?.clone();
        let groups = claims.get("cognito:groups").map(|groups| group_names(groups)).unwrap_or_default();
        let signed_in_at = claims.get("auth_time").and_then(|seconds| seconds.parse::<i64>().ok());
        let signed_in_at =
            signed_in_at.map(|seconds| Timestamp::from_unix_millis(seconds.saturating_mul(1000)));
        Some(Self { id: UserId(id), email: claims.get("email").cloned(), groups, signed_in_at })
    }

    /// Someone for the tests of rules.
    #[cfg(any(test, feature = "testing"))]
    pub fn for_tests(id: &str) -> Self {
        Self {
            id: UserId(id.into()),
            email: Some(format!("{id}@cartwright.test")),
            groups: Vec::new(),
            signed_in_at: None,
        }
    }

    /// The same for tests who signed in then.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn having_signed_in_at(self, at: Timestamp) -> Self {
        Self { signed_in_at: Some(at), ..self }
    }

    /// The same for tests, who runs the shop.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn as_admin(mut self) -> Self {
        self.groups.push(ADMINS.into());
        self
    }
}

/// Without the address, which is nobody's business in a log.
impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller").field("id", &self.id).field("groups", &self.groups).finish_non_exhaustive()
    }
}

/// An HTTP API writes a list claim as `[admin seller]`; a comma or quotes would be a JSON list's.
fn group_names(claim: &str) -> Vec<String> {
    let separators = |c: char| c.is_whitespace() || matches!(c, '[' | ']' | ',' | '"');
    claim.split(separators).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let claims = match parts.extensions.get::<RequestContext>() {
            Some(RequestContext::ApiGatewayV2(context)) => context.authorizer.as_ref(),
            _ => None,
        };
        claims.and_then(|authorizer| Self::from_claims(&authorizer.jwt.as_ref()?.claims)).ok_or_else(|| {
            Problem::new(
                UNAUTHENTICATED,
                "Sign in, and send the ID token or the access token as Authorization: Bearer.",
            )
        })
    }
}

/// A signed-in person of the group `admin`, for what only reads. As an extractor it answers 403 to everyone else. What
/// changes something takes `CurrentAdmin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin(pub Caller);

impl<S: Sync> FromRequestParts<S> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        if caller.is_admin() { Ok(Self(caller)) } else { Err(Self::needed()) }
    }
}

impl Admin {
    /// What everyone else is told.
    pub fn needed() -> Problem {
        Problem::new(FORBIDDEN, "Only the shop's admins may do this.")
    }
}

/// A signed-in person with the access token that the request came with, for what Cognito asks one for. As an extractor
/// it answers 422 to a caller who sent an ID token: that says who somebody is, but lets nobody change the account.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken {
    caller: Caller,
    username: String,
    token: String,
}

impl AccessToken {
    /// Whose it is.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Someone's for tests.
    #[cfg(any(test, feature = "testing"))]
    pub fn for_tests(id: &str, token: &str) -> Self {
        Self { caller: Caller::for_tests(id), username: id.into(), token: token.into() }
    }

    /// The same for tests, from a sign-in at that time.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn of_a_sign_in_at(self, at: Timestamp) -> Self {
        Self { caller: self.caller.having_signed_in_at(at), ..self }
    }

    /// What the account is called in the user pool.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// The token itself.
    pub fn as_str(&self) -> &str {
        &self.token
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(…)")
    }
}

impl<S: Sync> FromRequestParts<S> for AccessToken {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        let header =
            parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let token = header.split_whitespace().next_back().unwrap_or_default().to_owned();
        if claim(parts, "token_use").is_some_and(|use_| use_ == "access") {
            let username = claim(parts, "username").unwrap_or_default().to_owned();
            Ok(Self { caller, username, token })
        } else {
            let detail = "must carry an access token: an ID token cannot change the account";
            Err(Problem::invalid_input(vec![FieldError::parameter("Authorization", detail)]))
        }
    }
}

fn claim<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    match parts.extensions.get::<RequestContext>() {
        Some(RequestContext::ApiGatewayV2(context)) => {
            context.authorizer.as_ref()?.jwt.as_ref()?.claims.get(name).map(String::as_str)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::problem::INVALID_INPUT;

    fn claims(claims: &[(&str, &str)]) -> HashMap<String, String> {
        claims.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn an_id_token_names_person_address_and_groups() {
        let caller = Caller::from_claims(&claims(&[
            ("sub", "ann"),
            ("email", "ann@cartwright.test"),
            ("cognito:groups", "[admin seller]"),
        ]));
        let caller = caller.unwrap();
        assert_eq!(caller.id().to_string(), "ann");
        assert_eq!(caller.email(), Some("ann@cartwright.test"));
        assert!(caller.is_admin());
        assert!(!format!("{caller:?}").contains("cartwright.test"), "{caller:?}");
        let caller = caller.as_no_admin();
        assert!(!caller.is_admin() && caller.is_in("seller"));
    }

    #[test]
    fn a_token_says_when_its_person_signed_in() {
        let at = |claim: &[(&str, &str)]| {
            let claims = claims(&[&[("sub", "ann")], claim].concat());
            Caller::from_claims(&claims).unwrap().signed_in_at().map(Timestamp::unix_seconds)
        };
        assert_eq!(at(&[("auth_time", "1795262400")]), Some(1_795_262_400));
        assert_eq!(at(&[("auth_time", "noon")]), None);
        assert_eq!(at(&[]), None);
    }

    #[test]
    fn an_access_token_has_no_address() {
        let caller = Caller::from_claims(&claims(&[("sub", "ann"), ("username", "Ann")])).unwrap();
        assert_eq!(caller.email(), None);
        assert!(!caller.is_admin());
    }

    #[test]
    fn without_a_subject_there_is_nobody() {
        assert_eq!(Caller::from_claims(&claims(&[("username", "Ann")])), None);
        assert_eq!(Caller::from_claims(&claims(&[("sub", "")])), None);
    }

    #[test]
    fn whoever_signs_in_is_no_guest() {
        let guest = UserId::guest(7);
        assert!(guest.is_guest() && !UserId::from("ann".to_owned()).is_guest());
        assert_eq!(Caller::from_claims(&claims(&[("sub", &guest.to_string())])), None);
    }

    async fn access_token(token_use: &str) -> Result<AccessToken, Problem> {
        let context = serde_json::json!({
            "accountId": "1", "apiId": "a", "domainName": "d", "requestId": "r", "stage": "$default",
            "time": "21/Nov/2026:00:00:00 +0000", "timeEpoch": 1, "routeKey": "POST /change-password",
            "http": { "method": "POST", "path": "/change-password", "protocol": "HTTP/1.1", "sourceIp": "::1" },
            "authorizer": { "jwt": {
                "claims": { "sub": "ann", "username": "Ann", "token_use": token_use }, "scopes": null
            }},
        });
        let request = axum::http::Request::post("/change-password").header("authorization", "Bearer a.b.c");
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        parts.extensions.insert(RequestContext::ApiGatewayV2(serde_json::from_value(context).unwrap()));
        AccessToken::from_request_parts(&mut parts, &()).await
    }

    #[tokio::test]
    async fn an_id_token_is_no_access_token() {
        let token = access_token("access").await.unwrap();
        assert_eq!((token.as_str(), token.caller().id().to_string()), ("a.b.c", "ann".into()));
        assert_eq!(token.username(), "Ann");
        assert_eq!(format!("{token:?}"), "AccessToken(…)");
        assert_eq!(access_token("id").await.unwrap_err().kind(), INVALID_INPUT);
    }

    #[test]
    fn a_group_is_its_whole_name() {
        for groups in ["[administrators]", "[not-admin]", "[]", ""] {
            let caller = Caller::from_claims(&claims(&[("sub", "ann"), ("cognito:groups", groups)]));
            assert!(!caller.unwrap().is_admin(), "{groups}");
        }
        assert_eq!(group_names(r#"["admin", "seller"]"#), ["admin", "seller"]);
    }
}
