//! HTTP for services of AWS that the SDK has no client for: signed as the SDK signs, by the same crate.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>

use std::time::{Duration, SystemTime};

use anyhow::Context;
use aws_config::SdkConfig;
use aws_sdk_dynamodb::config::ProvideCredentials;
use aws_sigv4::http_request::{PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;

use crate::run::aws::Aws;
use crate::run::outside::{Method, Outside, Request, Response};
use crate::values::time::Timestamp;

/// The way to a service that takes signed requests.
#[derive(Debug, Clone)]
pub struct Signed {
    sdk: SdkConfig,
    service: &'static str,
    outside: Outside,
}

impl Signed {
    /// The way to the service of this name, as signatures have it. It connects to nothing yet.
    pub fn new(aws: &Aws, service: &'static str) -> Self {
        Self { sdk: aws.sdk().clone(), service, outside: Outside::new(service) }
    }

    /// Sends `body`, which is of this type, and waits until the whole answer is here, but no longer than `patience`.
    ///
    /// # Errors
    /// When there are no credentials, or no whole answer came. The request may have had its effect all the same.
    pub async fn send(
        &self,
        method: Method,
        url: &str,
        media_type: &str,
        body: &str,
        patience: Duration,
    ) -> anyhow::Result<Response> {
        let signature = self.signature(method, url, media_type, body, Timestamp::now()).await?;
        let signed = signature.iter().map(|(name, value)| (*name, value.as_str()));
        let headers: Vec<_> = std::iter::once(("content-type", media_type)).chain(signed).collect();
        let request = Request { method, url, headers: &headers, body };
        self.outside.send(&request, patience).await.with_context(|| format!("ask {}", self.service))
    }

    /// The headers that say who sends a request, and when.
    async fn signature(
        &self,
        method: Method,
        url: &str,
        media_type: &str,
        body: &str,
        now: Timestamp,
    ) -> anyhow::Result<Vec<(&'static str, String)>> {
        let credentials = self.sdk.credentials_provider().context("nobody gives credentials")?;
        let credentials =
            credentials.provide_credentials().await.context("get the function's credentials")?;
        let identity: Identity = credentials.into();
        let region = self.sdk.region().context("no region is set")?;
        let since_1970 = Duration::from_millis(u64::try_from(now.unix_millis()).unwrap_or_default());
        let mut how = SigningSettings::default();
        // Some services want to be told the hash of the body.
        how.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(region.as_ref())
            .name(self.service)
            .time(SystemTime::UNIX_EPOCH + since_1970)
            .settings(how)
            .build()
            .context("sign a request")?;
        let headers = [("content-type", media_type)].into_iter();
        let request =
            SignableRequest::new(method.as_str(), url, headers, SignableBody::Bytes(body.as_bytes()))?;
        let (instructions, _) = sign(request, &parameters.into())?.into_parts();
        let (headers, _) = instructions.into_parts();
        Ok(headers.iter().map(|header| (header.name(), header.value().to_owned())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::aws::canned::answering;
    use crate::run::outside::stand_in::{Reply, StandIn};
    use serde_json::Value;

    fn signed() -> Signed {
        Signed::new(&Aws::for_tests(answering(200, &Value::Null).0), "es")
    }

    #[tokio::test]
    async fn a_request_says_who_sends_it_and_its_body_cannot_be_another() {
        let now = Timestamp::from_unix_millis(1_790_000_000_000);
        let sign = async |url: &str, body: &str| {
            signed().signature(Method::Post, url, "application/json", body, now).await.unwrap()
        };
        let url = "https://domain.example/things/_find";
        let headers = sign(url, "{}").await;
        let value = |name: &str| headers.iter().find(|(other, _)| *other == name).unwrap().1.clone();
        assert_eq!(value("x-amz-date"), "20260921T141320Z");
        let scope = "AWS4-HMAC-SHA256 Credential=id/20260921/us-east-1/es/aws4_request, \
                     SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date, Signature=";
        assert!(value("authorization").starts_with(scope), "{}", value("authorization"));
        assert_eq!(sign(url, "{}").await, headers);
        assert_ne!(sign(url, "[]").await, headers);
        assert_ne!(sign("https://domain.example/things/_put", "{}").await, headers);
    }

    #[tokio::test]
    async fn it_goes_out_with_its_signature() {
        let server = StandIn::start([Reply::answer(200, "{}")]).await;
        let url = format!("{}/things/_find", server.url);
        let sent = signed().send(Method::Put, &url, "application/json", "{}", Duration::from_secs(5)).await;
        assert_eq!(sent.unwrap().status, 200);
        let asked = server.asked();
        assert_eq!(asked[0].what, "PUT /things/_find");
        for name in ["authorization", "x-amz-date", "x-amz-content-sha256", "content-type"] {
            assert!(asked[0].headers.contains_key(name), "{name}");
        }
    }
}
