//! A client of the shop's public API, for the seed and the demo: it has no other way in than everyone.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::say;

/// The password of everyone whom `cargo local` signs up.
pub(crate) const PASSWORD: &str = "Cartwright-1";
/// The emulated Cognito sends this code to everyone.
pub(crate) const CODE: &str = "123456";

/// The shop at one address.
#[derive(Clone)]
pub(crate) struct Shop {
    url: String,
    http: Client,
    aloud: bool,
    header: Option<(&'static str, String)>,
}

/// What the shop answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The header `Retry-After`, in seconds.
    retry_after: Option<u64>,
    /// The JSON, or null.
    pub body: Value,
}

impl Answer {
    /// A text of the answer.
    ///
    /// # Errors
    /// It has no such text.
    pub(crate) fn text(&self, pointer: &str) -> Result<&str> {
        let text = self.body.pointer(pointer).and_then(Value::as_str);
        text.with_context(|| format!("the answer has no {pointer}: {}", shortened(&self.body)))
    }
}

impl Shop {
    /// The shop at this address.
    pub(crate) fn at(url: &str) -> Self {
        Self { url: url.to_owned(), http: ::emulator::client(), aloud: false, header: None }
    }

    /// The same, printing each request as a curl command, and each answer.
    pub(crate) fn aloud(url: &str) -> Self {
        Self { aloud: true, ..Self::at(url) }
    }

    /// The same, whose requests have a header besides: what opens a guest's cart or order, or makes a request be done
    /// once.
    pub(crate) fn with(&self, name: &'static str, value: &str) -> Self {
        Self { header: Some((name, value.to_owned())), ..self.clone() }
    }

    /// Sends a request and takes any answer.
    ///
    /// # Errors
    /// The shop does not answer.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: &Value,
    ) -> Result<Answer> {
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.url));
        let bearer = token.map(|token| ("authorization", format!("Bearer {token}")));
        let headers: Vec<_> = bearer.iter().chain(&self.header).collect();
        for (name, value) in &headers {
            request = request.header(*name, value);
        }
        if !body.is_null() {
            request = request.json(body);
        }
        if self.aloud {
            say::out!("\n{}", curl(&method, &format!("{}{path}", self.url), &headers, body));
        }
        let answer = request.send().await.context("the shop does not answer")?;
        let status = answer.status();
        let retry_after =
            answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        let body = answer.json().await.unwrap_or(Value::Null);
        if self.aloud {
            say::out!("{}", say::paint("2", &format!("{status}")));
            say::out!("{}", serde_json::to_string_pretty(&shortened(&body))?);
        }
        Ok(Answer { status: status.as_u16(), retry_after, body })
    }

    /// Sends a request and takes a good answer alone. Told that it was too often, it waits as long as it should, once.
    ///
    /// # Errors
    /// The shop does not answer, or refuses.
    pub(crate) async fn want(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: &Value,
    ) -> Result<Answer> {
        let mut answer = self.send(method.clone(), path, token, body).await?;
        if let (429, Some(seconds)) = (answer.status, answer.retry_after) {
            say::note(&format!("{method} {path} was too often: waiting {seconds} s"));
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            answer = self.send(method.clone(), path, token, body).await?;
        }
        if !(200..300).contains(&answer.status) {
            bail!("{method} {path} answered {}: {}", answer.status, answer.body);
        }
        Ok(answer)
    }

    /// Uploads a picture to where the shop said.
    ///
    /// # Errors
    /// The upload is refused.
    pub(crate) async fn upload(&self, url: &str, content_type: &str, picture: Vec<u8>) -> Result<()> {
        if self.aloud {
            let short = url.split('?').next().unwrap_or(url);
            say::out!(
                "\ncurl -X PUT '{short}?…' -H 'content-type: {content_type}' --data-binary @picture.png"
            );
        }
        let request = self.http.put(url).header("content-type", content_type).body(picture);
        let answer = request.send().await.context("the upload URL does not answer")?;
        let status = answer.status();
        if self.aloud {
            say::out!("{}", say::paint("2", &format!("{status}")));
        }
        if !status.is_success() {
            bail!("the upload answered {status}: {}", answer.text().await?);
        }
        Ok(())
    }

    /// Signs a person in.
    ///
    /// # Errors
    /// The shop refuses.
    pub(crate) async fn sign_in(&self, email: &str) -> Result<String> {
        let body = json!({ "email": email, "password": PASSWORD });
        let answer = self.want(Method::POST, "/sign-in", None, &body).await?;
        Ok(answer.text("/tokens/IdToken")?.to_owned())
    }

    /// Signs a person in for the one operation that asks for the access token, and all others, which take it as well.
    ///
    /// # Errors
    /// The shop refuses.
    pub(crate) async fn sign_in_for_access(&self, email: &str) -> Result<String> {
        let body = json!({ "email": email, "password": PASSWORD });
        let answer = self.want(Method::POST, "/sign-in", None, &body).await?;
        Ok(answer.text("/tokens/AccessToken")?.to_owned())
    }

    /// Asks again and again until the answer is as wanted.
    ///
    /// # Errors
    /// It does not come to be so in a minute.
    pub(crate) async fn wait(
        &self,
        path: &str,
        token: Option<&str>,
        until: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let quiet = Self { aloud: false, ..self.clone() };
        for _ in 0..300 {
            let answer = quiet.want(Method::GET, path, token, &Value::Null).await?;
            if until(&answer.body) {
                return Ok(answer.body);
            }
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
        bail!("{path} did not come to be as expected in a minute: see `cargo local logs`")
    }
}

fn curl(method: &Method, url: &str, headers: &[&(&str, String)], body: &Value) -> String {
    let mut line = match *method {
        Method::GET => format!("curl {url}"),
        Method::POST if !body.is_null() => format!("curl {url}"),
        _ => format!("curl -X {method} {url}"),
    };
    for (name, value) in headers {
        line += &format!(" \\\n  -H '{name}: {}'", short(value));
    }
    if !body.is_null() {
        line += &format!(" \\\n  -H 'content-type: application/json' -d '{body}'");
    }
    say::paint("1", &line)
}

/// The same JSON with long texts, such as tokens and upload URLs, cut.
fn shortened(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(short(text)),
        Value::Array(values) => values.iter().map(shortened).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), shortened(value))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn short(text: &str) -> String {
    if text.chars().count() <= 160 {
        return text.to_owned();
    }
    text.chars().take(48).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_reads_as_the_curl_command_for_it() {
        let bearer = ("authorization", "Bearer abc".to_owned());
        let line = curl(&Method::POST, "http://localhost:3000/orders", &[&bearer], &json!({ "id": "1" }));
        let expected = "curl http://localhost:3000/orders \\\n  -H 'authorization: Bearer abc' \\\n  \
                        -H 'content-type: application/json' -d '{\"id\":\"1\"}'";
        assert_eq!(line, expected);
    }

    #[test]
    fn long_texts_are_cut_wherever_they_are() {
        let long = "é".repeat(200);
        let cut = shortened(&json!({ "tokens": [long] }));
        assert_eq!(cut["tokens"][0].as_str().unwrap().chars().count(), 49);
    }
}
