//! Addresses of pages, as people give them to be shown to others.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::http::input::{Field, Value};

/// How long one may be: room for what trackers put in, and for three in an email.
const LONGEST: usize = 500;

/// An address of the open web: `https`, a host that has a dot, no user's name, at most 500 characters of ASCII. What is
/// not ASCII stands in it percent-encoded, as RFC 3986 has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HttpsUrl(String);

impl Field for HttpsUrl {
    fn parse(value: Value) -> Result<Self, String> {
        let text = value.as_str().ok_or("must be a string")?;
        if text.len() > LONGEST {
            return Err(format!("must have at most {LONGEST} characters"));
        }
        if is_open(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err("must be a URL that begins with https:// and names a host of the web".into())
        }
    }
}

/// The contract says the same as a pattern.
fn is_open(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://") else { return false };
    let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
    let is_label =
        |label: &str| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let is_port = (1..=5).contains(&port.len()) && port.chars().all(|c| c.is_ascii_digit());
    let is_plain =
        |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}');
    host.contains('.')
        && !host.starts_with('-')
        && host.split('.').all(is_label)
        && is_port
        && rest.chars().all(is_plain)
}

impl fmt::Display for HttpsUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_the_web_is_taken_as_it_is() {
        for text in [
            "https://example.com",
            "https://track.example.com:8443/a/b?number=1%20Z&x=[1]#top",
            "https://example.com?q=caf%C3%A9",
        ] {
            assert_eq!(
                HttpsUrl::parse(Value::String(text.into())).map(|url| url.to_string()),
                Ok(text.to_owned())
            );
        }
    }

    #[test]
    fn whatever_could_lead_elsewhere_is_refused() {
        let long = format!("https://example.com/{}", "a".repeat(500));
        for text in [
            "",
            "example.com",
            "http://example.com",
            "HTTPS://example.com",
            "javascript:alert(1)",
            "//example.com",
            "https://",
            "https:///a",
            "https://intranet/a",
            "https://[::1]/a",
            "https://bank.example@evil.example/",
            "https://example.com/a b",
            "https://example.com/\"><b>",
            "https://exämple.com",
            "https://example.com/é",
            " https://example.com",
            "https://example.com\n",
            "https://-a.example",
            "https://a..example",
            "https://a.example:x",
            "https://a.example:",
            &long,
        ] {
            assert!(HttpsUrl::parse(Value::String(text.into())).is_err(), "{text}");
        }
        assert!(HttpsUrl::parse("1".parse().unwrap()).is_err());
    }
}
