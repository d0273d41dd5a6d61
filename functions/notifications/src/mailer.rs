//! Hands an email to SES, once.

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::config::retry::RetryConfig;
use aws_sdk_sesv2::error::SdkError;
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageHeader};
use shared::letters::Recipient;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};

use crate::Email;

/// SES.
#[derive(Debug, Clone)]
pub struct Mailer {
    client: Client,
    sender: String,
    /// By which SES tells what comes back.
    configuration_set: String,
}

impl FromEnv for Mailer {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        // A retry by the SDK could send twice what was sent once and answered late; our own tries look at the claim
        // first.
        let config = aws_sdk_sesv2::config::Builder::from(aws.sdk()).retry_config(RetryConfig::disabled());
        Ok(Self {
            client: Client::from_conf(config.build()),
            sender: config::required("EMAIL_SENDER")?,
            configuration_set: config::required("EMAIL_CONFIGURATION_SET")?,
        })
    }
}

/// Why an email is not known to have gone out.
#[derive(Debug, thiserror::Error)]
pub enum NotSent {
    /// SES said no: it certainly did not go out.
    #[error("SES refused the email")]
    Refused(#[source] anyhow::Error),
    /// No clear answer came: it may have gone out.
    #[error("SES did not say whether it took the email")]
    Unknown(#[source] anyhow::Error),
}

impl Mailer {
    /// Sends `email` to the person's address. One that can be stopped says so to mail programs, which then have a
    /// button for it ([RFC 8058](https://www.rfc-editor.org/rfc/rfc8058)).
    ///
    /// # Errors
    /// Says whether it may have gone out all the same.
    pub async fn send(&self, to: &Recipient, email: &Email) -> Result<(), NotSent> {
        let content = |text: &str| Content::builder().data(text).charset("UTF-8").build();
        let message = || -> anyhow::Result<Message> {
            let body = Body::builder().text(content(&email.text)?).html(content(&email.html)?).build();
            let message = Message::builder().subject(content(&email.subject)?).body(body);
            let header = |name, value: &str| MessageHeader::builder().name(name).value(value).build();
            Ok(match &email.stop {
                None => message,
                Some(url) => message
                    .headers(header("List-Unsubscribe", &format!("<{url}>"))?)
                    .headers(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")?),
            }
            .build())
        };
        let message = message().map_err(NotSent::Refused)?;
        let sent = self
            .client
            .send_email()
            .from_email_address(&self.sender)
            .configuration_set_name(&self.configuration_set)
            .destination(Destination::builder().to_addresses(&to.email).build())
            .content(EmailContent::builder().simple(message).build())
            .send()
            .await;
        sent.map(drop).map_err(|error| {
            if is_refusal(&error) { NotSent::Refused(error.into()) } else { NotSent::Unknown(error.into()) }
        })
    }
}

/// An answer of the class 4xx is SES's no; everything else leaves it open.
fn is_refusal(error: &SdkError<SendEmailError>) -> bool {
    match error {
        SdkError::ConstructionFailure(_) => true,
        SdkError::ServiceError(answer) => answer.raw().status().is_client_error(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use shared::run::aws::canned::answering;

    #[tokio::test]
    async fn mail_programs_are_told_how_an_email_is_stopped_where_it_can_be() {
        let (sdk, asked) = answering(200, &json!({ "MessageId": "1" }));
        let variables =
            [("EMAIL_SENDER", Some("shop@cartwright.test")), ("EMAIL_CONFIGURATION_SET", Some("shop"))];
        let mailer = temp_env::with_vars(variables, || Mailer::from_env(&Aws::for_tests(sdk)));
        let mailer = mailer.unwrap();
        let to = Recipient::new("ann@cartwright.test", "Ann");
        let email = |stop: Option<&str>| Email {
            subject: "Tea".into(),
            text: "Tea.".into(),
            html: "<p>Tea.".into(),
            stop: stop.map(str::to_owned),
        };
        mailer.send(&to, &email(Some("https://api.example/unsubscribe?token=t"))).await.unwrap();
        mailer.send(&to, &email(None)).await.unwrap();
        let asked = asked.lock().unwrap();
        let headers = |at: usize| asked[at]["Content"]["Simple"].get("Headers").cloned();
        let expected = json!([
            { "Name": "List-Unsubscribe", "Value": "<https://api.example/unsubscribe?token=t>" },
            { "Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click" },
        ]);
        assert_eq!((headers(0), headers(1)), (Some(expected), None));
        assert_eq!(asked[0]["ConfigurationSetName"], "shop", "SES tells what comes back");
    }
}
