//! The way to AWS: one HTTP client with Amazon's roots alone, one set of credentials, every call counted.

#[cfg(any(test, feature = "testing"))]
pub mod canned;

use std::cell::OnceCell;
use std::time::{Duration, Instant};

use aws_config::environment::credentials::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::interceptors::InterceptorContext;
use aws_sdk_dynamodb::config::retry::{ClassifyRetry, RetryAction};
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_types::app_name::AppName;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use crate::run::config::{self, ConfigError};
use crate::run::telemetry;

/// The SDK parses its trust store at every start. Amazon's five roots instead of the machine's hundred and fifty halve
/// the start of a function; every AWS endpoint chains to them.
const AMAZON_ROOTS: &[u8] = include_bytes!("aws/amazon-roots.pem");

/// How long one call of AWS may take, with all its tries. It is below the timeout of every function that calls AWS, the
/// shortest of which Cognito sets (5 seconds): a call that hangs becomes an error of ours, in the log and with an
/// answer, before Lambda kills the function.
pub const CALL_TIMEOUT: Duration = Duration::from_millis(4500);

/// How long each try may take. A user pool answers some calls after it has called a function and sent an email itself,
/// and what is tried again too soon was done already.
const TRY_TIMEOUT: Duration = Duration::from_secs(4);

/// How long to wait for a connection: within a region it comes in a few milliseconds or not at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Where clients of AWS come from.
#[derive(Debug)]
pub struct Aws {
    sdk: SdkConfig,
    dynamodb: OnceCell<aws_sdk_dynamodb::Client>,
}

impl Aws {
    /// Reads region, credentials, endpoints and the application's name from the environment that Lambda gives; calls
    /// nothing.
    ///
    /// # Errors
    /// When the bundled roots cannot be read, or the name has what no user agent may say.
    pub fn from_env() -> Result<Self, lambda_runtime::Error> {
        let roots = TrustStore::empty().with_pem_certificate(AMAZON_ROOTS);
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(TlsContext::builder().with_trust_store(roots).build()?)
            .build_https();
        // `aws_config::load` would look for profiles in files as well, and for credentials in five other places: code
        // that makes a tenth of a small binary (decision 0042).
        let mut sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(SharedCredentialsProvider::new(
                EnvironmentVariableCredentialsProvider::new(),
            ))
            .http_client(Counted(http))
            .retry_config(RetryConfig::standard().with_max_attempts(3))
            .timeout_config(timeouts())
            // It watches how fast a body comes, at a price for every call; the timeouts, and Lambda's own, bound that
            // already.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .service_config(EnvironmentVariables);
        sdk.set_region(config::optional::<String>("AWS_REGION")?.map(Region::new));
        // What a call's user agent says of its sender.
        sdk.set_app_name(config::optional::<String>("AWS_SDK_UA_APP_ID")?.map(AppName::new).transpose()?);
        Ok(Self { sdk: sdk.build(), dynamodb: OnceCell::new() })
    }

    /// What a service's client is made from.
    pub fn sdk(&self) -> &SdkConfig {
        &self.sdk
    }

    /// The function's one DynamoDB client.
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let client = || {
            let config = aws_sdk_dynamodb::config::Builder::from(&self.sdk).retry_classifier(Conflicts);
            aws_sdk_dynamodb::Client::from_conf(config.build())
        };
        self.dynamodb.get_or_init(client).clone()
    }
}

/// What the client of a service is told: `AWS_ENDPOINT_URL_SQS`, say, for SQS alone, and otherwise `AWS_ENDPOINT_URL`,
/// [as in all of AWS's SDKs](https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html).
#[derive(Debug)]
struct EnvironmentVariables;

impl LoadServiceConfig for EnvironmentVariables {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_uppercase().replace(' ', "_");
        let of_its_own = std::env::var(format!("{}_{service}", key.env()));
        of_its_own.or_else(|_| std::env::var(key.env())).ok()
    }
}

/// Tries a write of one item again that met a transaction on that item: DynamoDB refuses it at once instead of queueing
/// it, and the SDK takes that for final.
#[derive(Debug)]
struct Conflicts;

impl ClassifyRetry for Conflicts {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error =
            context.output_or_error().and_then(Result::err).and_then(OrchestratorError::as_operation_error);
        let Some(error) = error else { return RetryAction::NoActionIndicated };
        let is_conflict = error
            .downcast_ref()
            .map(UpdateItemError::is_transaction_conflict_exception)
            .or_else(|| error.downcast_ref().map(PutItemError::is_transaction_conflict_exception))
            .or_else(|| error.downcast_ref().map(DeleteItemError::is_transaction_conflict_exception));
        if is_conflict == Some(true) {
            RetryAction::transient_error()
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "conflicts with transactions"
    }
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(TRY_TIMEOUT)
        .operation_timeout(CALL_TIMEOUT)
        .build()
}

/// Counts what goes over the wire, retries included: an interceptor would have to be added to every client.
#[derive(Debug)]
struct Counted<T>(T);

impl HttpClient for Counted<SharedHttpClient> {
    fn http_connector(
        &self,
        wanted: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Counted(self.0.http_connector(wanted, components)))
    }
}

impl HttpConnector for Counted<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let service =
            service_of(request.headers().get("authorization"), request.headers().get("x-amz-target"));
        let call = self.0.call(request);
        HttpConnectorFuture::new(async move {
            let start = Instant::now();
            let response = call.await;
            telemetry::count_call(service, start.elapsed());
            response
        })
    }
}

/// The service of a request, by its signature's credential scope, or by its target where it is not signed: a user
/// pool's public operations.
fn service_of(authorization: Option<&str>, target: Option<&str>) -> &'static str {
    const SERVICES: [&str; 9] =
        ["dynamodb", "sqs", "s3", "sns", "ses", "states", "cognito-idp", "secretsmanager", "execute-api"];
    match (authorization, target) {
        (Some(authorization), _) => {
            let scope = authorization.split(['/', ',']).nth(3).unwrap_or_default();
            SERVICES.into_iter().find(|service| *service == scope).unwrap_or("other")
        }
        (None, Some(target)) if target.starts_with("AWSCognitoIdentityProviderService.") => "cognito-idp",
        (None, _) => "other",
    }
}

/// Something a handler works with, made once when the function starts: a table's store, a queue, the media bucket.
pub trait FromEnv: Clone + Send + Sync + 'static {
    /// Makes it from the environment; calls nothing.
    ///
    /// # Errors
    /// Names the variable that the template should have set.
    fn from_env(aws: &Aws) -> Result<Self, ConfigError>;
}

impl<A: FromEnv, B: FromEnv> FromEnv for (A, B) {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok((A::from_env(aws)?, B::from_env(aws)?))
    }
}

impl<A: FromEnv, B: FromEnv, C: FromEnv> FromEnv for (A, B, C) {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok((A::from_env(aws)?, B::from_env(aws)?, C::from_env(aws)?))
    }
}

impl<A: FromEnv, B: FromEnv, C: FromEnv, D: FromEnv> FromEnv for (A, B, C, D) {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok((A::from_env(aws)?, B::from_env(aws)?, C::from_env(aws)?, D::from_env(aws)?))
    }
}

impl FromEnv for () {
    fn from_env(_: &Aws) -> Result<Self, ConfigError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_counted_for_the_service_it_was_signed_for() {
        let signed =
            "AWS4-HMAC-SHA256 Credential=AKID/20261121/us-east-1/sqs/aws4_request, SignedHeaders=host";
        assert_eq!(service_of(Some(signed), None), "sqs");
        assert_eq!(service_of(None, Some("AWSCognitoIdentityProviderService.SignUp")), "cognito-idp");
        assert_eq!(service_of(None, None), "other");
    }

    /// AWS that takes a request and never answers it.
    #[derive(Debug, Clone)]
    struct Silent;

    impl HttpConnector for Silent {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            HttpConnectorFuture::new(std::future::pending())
        }
    }

    #[tokio::test]
    async fn a_call_that_hangs_is_an_error_in_time() {
        let (sdk, _) = canned::answering(200, &serde_json::Value::Null);
        let connector = SharedHttpConnector::new(Silent);
        let http = aws_smithy_runtime_api::client::http::http_client_fn(move |_, _| connector.clone());
        let sdk = sdk.into_builder().http_client(http).timeout_config(timeouts());
        let sdk = sdk.retry_config(RetryConfig::standard().with_max_attempts(3)).build();
        let started = Instant::now();
        let error = aws_sdk_dynamodb::Client::new(&sdk).list_tables().send().await.unwrap_err();
        assert!(matches!(error, aws_sdk_dynamodb::error::SdkError::TimeoutError(_)), "{error:?}");
        assert!(started.elapsed() < CALL_TIMEOUT + Duration::from_millis(400), "{:?}", started.elapsed());
    }

    #[tokio::test]
    async fn a_write_that_meets_a_transaction_is_tried_again_and_one_whose_condition_fails_is_not() {
        let retries = RetryConfig::standard().with_max_attempts(3);
        let retries = retries.with_initial_backoff(Duration::from_millis(1));
        for (fault, tries) in [("TransactionConflictException", 3), ("ConditionalCheckFailedException", 1)] {
            let kind = format!("com.amazonaws.dynamodb.v20120810#{fault}");
            let (sdk, asked) = canned::answering(400, &serde_json::json!({ "__type": kind }));
            let sdk = sdk.into_builder().retry_config(retries.clone()).build();
            let client = Aws::for_tests(sdk).dynamodb();
            let id = aws_sdk_dynamodb::types::AttributeValue::S("a".to_owned());
            assert!(client.update_item().table_name("t").key("id", id.clone()).send().await.is_err());
            assert!(client.put_item().table_name("t").item("id", id.clone()).send().await.is_err());
            assert!(client.delete_item().table_name("t").key("id", id).send().await.is_err());
            assert_eq!(asked.lock().unwrap().len(), 3 * tries, "{fault}");
        }
    }

    #[test]
    fn a_service_may_have_an_endpoint_of_its_own() {
        let variables = [
            ("AWS_ENDPOINT_URL", Some("http://all.test")),
            ("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", Some("http://pools.test")),
        ];
        let endpoint = |service| {
            let key = ServiceConfigKey::builder().service_id(service).env("AWS_ENDPOINT_URL");
            let key = key.profile("endpoint_url").build().unwrap();
            temp_env::with_vars(variables, || EnvironmentVariables.load_config(key))
        };
        assert_eq!(endpoint("Cognito Identity Provider").as_deref(), Some("http://pools.test"));
        assert_eq!(endpoint("SQS").as_deref(), Some("http://all.test"));
    }

    #[test]
    fn region_and_name_are_the_environments() {
        let variables = [("AWS_REGION", Some("eu-central-1")), ("AWS_SDK_UA_APP_ID", Some("get-cart.7"))];
        let aws = temp_env::with_vars(variables, || Aws::from_env().unwrap());
        assert_eq!(aws.sdk().region().map(Region::as_ref), Some("eu-central-1"));
        assert_eq!(aws.sdk().app_name().map(AppName::as_ref), Some("get-cart.7"));
    }

    #[test]
    fn the_bundled_roots_are_read() {
        assert!(Aws::from_env().is_ok());
        let count = AMAZON_ROOTS.windows(11).filter(|window| window == b"-----BEGIN ").count();
        assert_eq!(count, 5);
    }
}
