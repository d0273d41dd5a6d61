//! Sending a browser elsewhere, and the cookie that finds it again there.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::time::Duration;

/// A cookie that a browser sends to this host alone and no script reads. Its name begins with `__Host-`: no other host
/// can set it, not even a neighbour below the same domain, and it comes over TLS or from the same machine alone.
/// <https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#name-the-__host-prefix>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostCookie {
    /// Its name, with `__Host-`.
    pub name: &'static str,
    /// How long a browser keeps it.
    pub kept: Duration,
}

impl HostCookie {
    /// As a browser is told of it. `Lax`: it goes along when somebody comes from another site, by a link or a redirect.
    fn set(self, value: &str) -> String {
        let seconds = self.kept.as_secs();
        format!("{}={value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={seconds}", self.name)
    }

    /// Its value in a request; `None` where it is absent.
    pub fn value(self, headers: &HeaderMap) -> Option<&str> {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs =
            cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(name, _)| *name == self.name).map(|(_, value)| value)
    }
}

/// Where a browser goes next. Nobody keeps the answer.
#[derive(Clone, PartialEq, Eq)]
pub struct Redirect {
    status: StatusCode,
    to: String,
    cookie: Option<String>,
}

/// Where it leads may be secret.
impl std::fmt::Debug for Redirect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redirect").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Redirect {
    /// 302: what was asked for is there.
    pub fn found(to: impl Into<String>) -> Self {
        Self { status: StatusCode::FOUND, to: to.into(), cookie: None }
    }

    /// 303: it is done, and this is what to look at.
    pub fn see_other(to: impl Into<String>) -> Self {
        Self { status: StatusCode::SEE_OTHER, ..Self::found(to) }
    }

    /// With this cookie.
    #[must_use]
    pub fn with(self, cookie: HostCookie, value: &str) -> Self {
        Self { cookie: Some(cookie.set(value)), ..self }
    }

    /// Where it leads.
    pub fn to(&self) -> &str {
        &self.to
    }

    /// The cookie as a browser is told of it.
    pub fn set_cookie(&self) -> Option<&str> {
        self.cookie.as_deref()
    }
}

impl IntoResponse for Redirect {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        let values = [(header::LOCATION, Some(self.to)), (header::SET_COOKIE, self.cookie)];
        for (name, value) in values {
            if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COOKIE: HostCookie = HostCookie { name: "__Host-thing", kept: Duration::from_mins(10) };

    #[test]
    fn a_browser_is_sent_on_with_a_cookie_of_this_host_alone() {
        let response = Redirect::found("https://there.example/?a=1").with(COOKIE, "x1").into_response();
        assert_eq!(response.status(), 302);
        assert_eq!(response.headers()["location"], "https://there.example/?a=1");
        assert_eq!(
            response.headers()["set-cookie"],
            "__Host-thing=x1; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600"
        );
        let response = Redirect::see_other("/there#secret").into_response();
        assert_eq!((response.status().as_u16(), response.headers().get("set-cookie")), (303, None));
        assert!(!format!("{:?}", Redirect::found("/there#secret")).contains("secret"));
    }

    #[test]
    fn a_cookie_is_found_among_others_by_its_whole_name() {
        let value = |cookies: &[&'static str]| {
            let headers = cookies.iter().map(|one| (header::COOKIE, HeaderValue::from_static(one)));
            COOKIE.value(&headers.collect()).map(str::to_owned)
        };
        assert_eq!(value(&["a=1; __Host-thing=x1; b=2"]), Some("x1".into()));
        assert_eq!(value(&["a=1", "__Host-thing=x1"]), Some("x1".into()));
        for none in [&[][..], &["thing=x1"], &["__Host-things=x1"], &["a=__Host-thing"]] {
            assert_eq!(value(none), None, "{none:?}");
        }
    }
}
