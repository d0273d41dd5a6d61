//! A client of the emulated AWS: for `cargo local`, its bench and the tests.
//!
//! The emulator takes the access key `test` for the account's owner and checks no signature of it, so none is made.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::Value;

/// It answered, and what it answered is a refusal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{call} answered {status}: {said}")]
pub struct Refused {
    /// What was called.
    pub call: String,
    /// The HTTP status.
    pub status: StatusCode,
    /// Its reason, in the form of the service: JSON or XML with the error's name inside.
    pub said: String,
}

/// The emulated AWS at one address.
#[derive(Clone, Debug)]
pub struct Aws {
    gateway: String,
    http: Client,
}

impl Aws {
    /// The AWS at this address: `http://127.0.0.1:4566`.
    pub fn at(gateway: String) -> Self {
        Self { gateway, http: client() }
    }

    /// The same AWS over connections of its own, for another runtime: those of one are of no use to the other.
    #[must_use]
    pub fn over_other_connections(&self) -> Self {
        Self::at(self.gateway.clone())
    }

    /// Calls an operation of the JSON protocol, such as `sqs`, `AmazonSQS.GetQueueAttributes`.
    ///
    /// # Errors
    /// It does not answer, or refuses.
    pub async fn call(&self, service: &str, target: &str, input: &Value) -> Result<Value> {
        let request = self.request(Method::POST, service, "/").header("x-amz-target", target);
        let request = request.header("content-type", "application/x-amz-json-1.1");
        json(&send(request.body(input.to_string()), target).await?, target)
    }

    /// Calls an operation of the query protocol, such as `sns`, `Subscribe`, and gives the XML that it answers.
    ///
    /// # Errors
    /// It does not answer, or refuses.
    pub async fn query(&self, service: &str, action: &str, parameters: &[(&str, &str)]) -> Result<String> {
        let mut form = format!("Action={action}");
        for (name, value) in parameters {
            let encoded: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
            form += &format!("&{name}={encoded}");
        }
        let request = self.request(Method::POST, service, "/").body(form);
        send(request.header("content-type", "application/x-www-form-urlencoded"), action).await
    }

    /// Calls an operation of the REST protocol that speaks JSON.
    ///
    /// # Errors
    /// It does not answer, or refuses.
    pub async fn rest(&self, method: Method, service: &str, path: &str, input: &Value) -> Result<Value> {
        let request = self.request(method, service, path);
        let request = if input.is_null() { request } else { request.json(input) };
        json(&send(request, path).await?, path)
    }

    /// Puts a bucket, `/media`, or an object into one, `/media/images/a.jpg`.
    ///
    /// # Errors
    /// It does not answer, or refuses.
    pub async fn put(&self, path: &str, body: Vec<u8>) -> Result<()> {
        let put = self.request(Method::PUT, "s3", path).body(body);
        send(put, path).await.map(drop)
    }

    /// The keys of all objects of a bucket that begin with `prefix`.
    ///
    /// # Errors
    /// It does not answer, or there is no such bucket.
    pub async fn keys_under(&self, bucket: &str, prefix: &str) -> Result<Vec<String>> {
        let mut keys: Vec<String> = Vec::new();
        loop {
            let after = keys.last().map(String::as_str).unwrap_or_default();
            let path = format!("/{bucket}?list-type=2&max-keys=1000&prefix={prefix}&start-after={after}");
            let xml = send(self.request(Method::GET, "s3", &path), "ListObjectsV2").await?;
            keys.extend(xml.split("<Key>").skip(1).filter_map(|part| text_before(part, "</Key>")));
            if !xml.contains("<IsTruncated>true</IsTruncated>") {
                return Ok(keys);
            }
        }
    }

    /// Every version of every object of a bucket, old ones as well: its key and which version it is.
    ///
    /// # Errors
    /// It does not answer, or there is no such bucket.
    pub async fn versions(&self, bucket: &str) -> Result<Vec<(String, String)>> {
        let mut versions: Vec<(String, String)> = Vec::new();
        let (mut key, mut version) = (String::new(), String::new());
        loop {
            let path =
                format!("/{bucket}?versions&max-keys=1000&key-marker={key}&version-id-marker={version}");
            let xml = send(self.request(Method::GET, "s3", &path), "ListObjectVersions").await?;
            versions.extend(xml.split("<Version>").skip(1).filter_map(|part| {
                let within =
                    |name: &str| text_before(part.split_once(&format!("<{name}>"))?.1, &format!("</{name}>"));
                Some((within("Key")?, within("VersionId")?))
            }));
            let next =
                |name: &str| text_before(xml.split_once(&format!("<{name}>"))?.1, &format!("</{name}>"));
            let Some(next_key) = next("NextKeyMarker") else { return Ok(versions) };
            version = next("NextVersionIdMarker").unwrap_or_default();
            key = next_key;
        }
    }

    /// A request for one version of an object, as [`Aws::versions`] names it.
    pub fn version(&self, bucket: &str, key: &str, version: &str) -> RequestBuilder {
        // What was put while the bucket had no versions is of none.
        let which = if version == "null" { String::new() } else { format!("?versionId={version}") };
        self.request(Method::GET, "s3", &format!("/{bucket}/{}{which}", encoded(key)))
    }

    /// A request for an object of a bucket, as the account's owner.
    pub fn object(&self, bucket: &str, key: &str) -> RequestBuilder {
        self.request(Method::GET, "s3", &format!("/{bucket}/{}", encoded(key)))
    }

    /// The outputs of a stack, by name.
    ///
    /// # Errors
    /// There is no such stack.
    pub async fn outputs(&self, stack: &str) -> Result<BTreeMap<String, String>> {
        let parameters = [("Version", "2010-05-15"), ("StackName", stack)];
        Ok(parse_outputs(&self.query("cloudformation", "DescribeStacks", &parameters).await?))
    }

    /// Whether the emulator answers.
    pub async fn is_up(&self) -> bool {
        let answer = self.http.get(format!("{}/_ministack/health", self.gateway)).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// What one of the emulator's own pages says.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn inspect(&self, page: &str) -> Result<Value> {
        let request = self.http.get(format!("{}/_ministack/{page}", self.gateway));
        json(&send(request, page).await?, page)
    }

    fn request(&self, method: Method, service: &str, path: &str) -> RequestBuilder {
        let scope = format!("test/20260101/us-east-1/{service}/aws4_request");
        let signature = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=none");
        self.http.request(method, format!("{}{path}", self.gateway)).header("authorization", signature)
    }
}

/// An HTTP client for this machine alone: no proxy of the caller's stands between, and no redirect is followed.
pub fn client() -> Client {
    Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap_or_default()
}

async fn send(request: RequestBuilder, what: &str) -> Result<String> {
    let answer = request.send().await.context("the local AWS does not answer")?;
    let status = answer.status();
    let text = answer.text().await.context("the local AWS broke off")?;
    if !status.is_success() {
        return Err(Refused { call: what.to_owned(), status, said: text }.into());
    }
    Ok(text)
}

/// What was answered as JSON; nothing is null.
fn json(text: &str, what: &str) -> Result<Value> {
    if text.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(text).with_context(|| format!("{what} answered no JSON: {text}"))
}

fn parse_outputs(xml: &str) -> BTreeMap<String, String> {
    let pairs = xml.split("<OutputKey>").skip(1).filter_map(|part| {
        let (name, rest) = part.split_once("</OutputKey>")?;
        let (_, value) = rest.split_once("<OutputValue>")?;
        Some((name.to_owned(), text_before(value, "</OutputValue>")?))
    });
    pairs.collect()
}

/// A key as a path has it.
fn encoded(key: &str) -> String {
    let part = |part: &str| part.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    key.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// The text of an XML element that ends with this tag.
fn text_before(xml: &str, end: &str) -> Option<String> {
    let text = xml.split_once(end)?.0;
    Some(text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_read_by_name() {
        let xml = "<Outputs><member><OutputKey>A</OutputKey><OutputValue>x&amp;y</OutputValue></member>\
                   <member><OutputKey>B</OutputKey><OutputValue>z</OutputValue></member></Outputs>";
        let expected = [("A", "x&y"), ("B", "z")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(parse_outputs(xml), BTreeMap::from(expected));
    }
}
