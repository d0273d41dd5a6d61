//! The little of AWS's interface that `cargo local` itself uses on the emulator.
//!
//! The emulator takes the access key `test` for the account's owner and checks no signature of it, so none is made.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use reqwest::{Client, Method};
use serde_json::Value;

/// The emulated AWS at one address.
#[derive(Clone, Debug)]
pub(crate) struct Aws {
    gateway: String,
    http: Client,
}

impl Aws {
    /// The AWS at this address.
    pub(crate) fn at(gateway: String) -> Self {
        Self { gateway, http: client() }
    }

    /// Calls an operation of the JSON protocol, such as `sqs`, `AmazonSQS.GetQueueAttributes`.
    ///
    /// # Errors
    /// It does not answer, or refuses.
    pub(crate) async fn call(&self, service: &str, target: &str, input: &Value) -> Result<Value> {
        let request = self.http.post(&self.gateway).header("authorization", credential(service));
        let request =
            request.header("x-amz-target", target).header("content-type", "application/x-amz-json-1.1");
        let answer = request.body(input.to_string()).send().await.context("the local AWS does not answer")?;
        let refused = !answer.status().is_success();
        let text = answer.text().await?;
        if refused {
            bail!("{target}: {text}");
        }
        serde_json::from_str(&text).with_context(|| format!("{target} answered no JSON: {text}"))
    }

    /// Calls an operation of the REST protocol.
    ///
    /// # Errors
    /// It does not answer, or refuses.
    pub(crate) async fn rest(
        &self,
        method: Method,
        service: &str,
        path: &str,
        input: &Value,
    ) -> Result<Value> {
        let request = self.http.request(method, format!("{}{path}", self.gateway));
        let request = if input.is_null() { request } else { request.json(input) };
        let answer = request.header("authorization", credential(service)).send().await;
        let answer = answer.context("the local AWS does not answer")?;
        if !answer.status().is_success() {
            bail!("{path}: {}", answer.text().await?);
        }
        Ok(answer.json().await.unwrap_or(Value::Null))
    }

    /// The outputs of a stack, by name.
    ///
    /// # Errors
    /// There is no such stack.
    pub(crate) async fn outputs(&self, stack: &str) -> Result<BTreeMap<String, String>> {
        let body = format!("Action=DescribeStacks&Version=2010-05-15&StackName={stack}");
        let request = self.http.post(&self.gateway).header("authorization", credential("cloudformation"));
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        let answer = request.send().await.context("the local AWS does not answer")?.error_for_status()?;
        Ok(parse_outputs(&answer.text().await?))
    }

    /// Whether the emulator answers.
    pub(crate) async fn is_up(&self) -> bool {
        let answer = self.http.get(format!("{}/_ministack/health", self.gateway)).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// What one of the emulator's own pages says.
    ///
    /// # Errors
    /// It does not answer.
    pub(crate) async fn inspect(&self, page: &str) -> Result<Value> {
        let answer = self.http.get(format!("{}/_ministack/{page}", self.gateway)).send().await;
        answer
            .context("the local AWS does not answer")?
            .json()
            .await
            .context("the local AWS answered no JSON")
    }
}

/// An HTTP client for this machine alone: no proxy of the caller's stands between.
pub(crate) fn client() -> Client {
    Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap_or_default()
}

/// What a request for this service says of who sends it.
pub(crate) fn credential(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=none"
    )
}

fn parse_outputs(xml: &str) -> BTreeMap<String, String> {
    let text = |part: &str, tag: &str| {
        let inner = part.split_once(&format!("<{tag}>"))?.1.split_once(&format!("</{tag}>"))?.0;
        Some(inner.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&"))
    };
    let pairs = xml.split("<OutputKey>").skip(1).filter_map(|part| {
        let (name, rest) = part.split_once("</OutputKey>")?;
        Some((name.to_owned(), text(rest, "OutputValue")?))
    });
    pairs.collect()
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
