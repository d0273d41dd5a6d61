//! Hands a text to SNS, once. What becomes of it there, only the log of deliveries says, where an account keeps one.

use aws_sdk_sns::Client;
use aws_sdk_sns::config::retry::RetryConfig;
use aws_sdk_sns::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sns::operation::publish::PublishError;
use aws_sdk_sns::types::MessageAttributeValue;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::texts::Text;
use users::Number;

/// What one text may cost, in dollars: SNS sends none that costs more. It is twice what most of Europe costs, and a
/// tenth of what a number costs that somebody earns by.
const MOST_DOLLARS: &str = "0.20";

/// SNS, as a sender of texts.
#[derive(Debug, Clone)]
pub struct Texter {
    client: Client,
}

impl FromEnv for Texter {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        // A retry by the SDK could send twice what was sent once and answered late.
        let config = aws_sdk_sns::config::Builder::from(aws.sdk()).retry_config(RetryConfig::disabled());
        Ok(Self { client: Client::from_conf(config.build()) })
    }
}

/// Why a text is not known to have gone out.
#[derive(Debug, thiserror::Error)]
pub enum NotTexted {
    /// Whoever has the phone wants no texts of this account: it certainly did not go out, and never will.
    #[error("the phone has opted out")]
    OptedOut,
    /// SNS said no: it certainly did not go out.
    #[error("SNS refused the text")]
    Refused(#[source] anyhow::Error),
    /// No clear answer came: it may have gone out.
    #[error("SNS did not say whether it took the text")]
    Unknown(#[source] anyhow::Error),
}

impl Texter {
    /// Sends the text to the number.
    ///
    /// # Errors
    /// Says whether it may have gone out all the same.
    pub async fn send(&self, to: &Number, text: &Text) -> Result<(), NotTexted> {
        let attribute = |kind: &str, value: &str| {
            let attribute = MessageAttributeValue::builder().data_type(kind).string_value(value).build();
            attribute.map_err(|error| NotTexted::Refused(error.into()))
        };
        let publish = self
            .client
            .publish()
            .phone_number(to.as_str())
            .message(text.as_str())
            // Before advertisements, and also where those must not come.
            .message_attributes("AWS.SNS.SMS.SMSType", attribute("String", "Transactional")?)
            .message_attributes("AWS.SNS.SMS.MaxPrice", attribute("Number", MOST_DOLLARS)?);
        publish.send().await.map(drop).map_err(|error| {
            if is_opt_out(&error) {
                NotTexted::OptedOut
            } else if is_refusal(&error) {
                NotTexted::Refused(error.into())
            } else {
                NotTexted::Unknown(error.into())
            }
        })
    }
}

/// SNS has a name of its own for it in some operations, and says it in words in others.
fn is_opt_out(error: &SdkError<PublishError>) -> bool {
    match error.code() {
        Some("OptedOut" | "OptedOutException") => true,
        Some("InvalidParameter" | "InvalidParameterValue") => {
            error.message().is_some_and(|message| message.to_lowercase().contains("opted out"))
        }
        _ => false,
    }
}

/// An answer of the class 4xx is SNS's no; everything else leaves it open.
fn is_refusal(error: &SdkError<PublishError>) -> bool {
    match error {
        SdkError::ConstructionFailure(_) => true,
        SdkError::ServiceError(answer) => answer.raw().status().is_client_error(),
        _ => false,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::{Value, json};
    use shared::run::aws::canned::{Asked, answering};

    /// What SNS answers where it takes a text.
    pub(crate) fn taken() -> Value {
        "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult><MessageId>1</MessageId>\
         </PublishResult></PublishResponse>"
            .into()
    }

    /// What SNS answers where it does not.
    pub(crate) fn refused(code: &str, message: &str) -> Value {
        format!(
            "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type>\
             <Code>{code}</Code><Message>{message}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
        )
        .into()
    }

    async fn sends(status: u16, answer: &Value) -> (Result<(), NotTexted>, Asked) {
        let (sdk, asked) = answering(status, answer);
        let texter = Texter::from_env(&Aws::for_tests(sdk)).unwrap();
        let sent =
            texter.send(&"+4915112345678".parse().unwrap(), &Text::new("Tea is ready.").unwrap()).await;
        (sent, asked)
    }

    #[tokio::test]
    async fn a_text_is_transactional_and_costs_no_more_than_it_may() {
        let (sent, asked) = sends(200, &taken()).await;
        sent.unwrap();
        let asked = asked.lock().unwrap();
        let [publish] = asked.as_slice() else { panic!("{asked:?}") };
        assert_eq!(
            [&publish["Action"], &publish["PhoneNumber"], &publish["Message"], &publish["TopicArn"]],
            [&json!("Publish"), &json!("+4915112345678"), &json!("Tea is ready."), &Value::Null]
        );
        let attributes: Vec<_> = (1..=2)
            .map(|at| {
                let of = |what: &str| {
                    let name = format!("MessageAttributes.entry.{at}.{what}");
                    publish[name.as_str()].as_str().unwrap_or_default().to_owned()
                };
                (of("Name"), of("Value.DataType"), of("Value.StringValue"))
            })
            .collect();
        for (name, kind, value) in [
            ("AWS.SNS.SMS.SMSType", "String", "Transactional"),
            ("AWS.SNS.SMS.MaxPrice", "Number", MOST_DOLLARS),
        ] {
            assert!(attributes.contains(&(name.into(), kind.into(), value.into())), "{attributes:?}");
        }
    }

    #[tokio::test]
    async fn what_sns_says_of_a_phone_that_opted_out_is_understood_however_it_says_it() {
        for (code, message) in [
            ("OptedOut", "The phone number is opted out."),
            ("InvalidParameter", "Invalid parameter: PhoneNumber Reason: +4915112345678 is opted out"),
        ] {
            let (sent, _) = sends(400, &refused(code, message)).await;
            assert!(matches!(sent, Err(NotTexted::OptedOut)), "{code}: {sent:?}");
        }
    }

    #[tokio::test]
    async fn an_answer_that_is_a_no_is_known_and_any_other_leaves_it_open() {
        for (status, code, is_known) in [
            (400, "InvalidParameter", true),
            (403, "AuthorizationError", true),
            (429, "Throttled", true),
            (500, "InternalError", false),
        ] {
            let (sent, asked) = sends(status, &refused(code, "as asked")).await;
            let is_refused = matches!(sent, Err(NotTexted::Refused(_)));
            assert_eq!((is_refused, asked.lock().unwrap().len()), (is_known, 1), "{code}: {sent:?}");
        }
    }
}
