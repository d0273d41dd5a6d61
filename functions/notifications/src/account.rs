//! The emails about accounts: Cognito sends them, and asks here what they are to say and how they are to look.

use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::run::worker::{CustomMessage, Failure};

use crate::{Email, WebShop};

/// What Cognito's emails say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountEmails {
    shop: WebShop,
    goes_by_ses: bool,
}

impl FromEnv for AccountEmails {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        let identity = config::optional::<String>("EMAIL_IDENTITY_ARN")?;
        Ok(Self { shop: WebShop::from_env(aws)?, goes_by_ses: identity.is_some() })
    }
}

impl AccountEmails {
    /// Puts the shop's words into the message, where it has some. Cognito takes none where it sends by itself and not
    /// by the shop's SES (`EmailSendingAccount`): it would refuse the sign-up.
    ///
    /// # Errors
    /// [`Failure::Refused`] for what is not to be done; a template that cannot be filled in.
    pub fn write(&self, mut message: CustomMessage) -> Result<CustomMessage, Failure> {
        let letter = auth::letters::letter(&message)?;
        if let Some(letter) = letter.filter(|_| self.goes_by_ses) {
            let email = Email::of(&letter, &self.shop)?;
            message.response.email_subject = Some(email.subject);
            message.response.email_message = Some(in_ascii(&email.html));
        }
        Ok(message)
    }
}

/// The same page in ASCII. Cognito refuses a message with joiners, isolates or spaces of other kinds in it:
/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_MessageTemplateType.html>
fn in_ascii(html: &str) -> String {
    let mut ascii = String::with_capacity(html.len());
    for character in html.chars() {
        if character.is_ascii() {
            ascii.push(character);
        } else {
            ascii.push_str(&format!("&#{};", u32::from(character)));
        }
    }
    ascii
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use auth::letters::Occasion;
    use serde_json::{Value, json};

    /// What Cognito sends.
    fn event(source: &str, username: &str) -> Value {
        json!({
            "version": "1", "triggerSource": source, "region": "us-east-1", "userPoolId": "us-east-1_pool",
            "userName": username,
            "callerContext": { "awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": "client" },
            "request": {
                "userAttributes": { "sub": "5d0c", "email": "ann@cartwright.test", "email_verified": "false" },
                "codeParameter": "{####}",
                "usernameParameter": if source.ends_with("AdminCreateUser") { json!("{username}") } else { Value::Null },
                "clientMetadata": {}
            },
            "response": { "smsMessage": null, "emailMessage": null, "emailSubject": null }
        })
    }

    fn written(emails: &AccountEmails, event: &Value) -> Result<Value, Failure> {
        let message = serde_json::from_value(event.clone()).unwrap();
        Ok(serde_json::to_value(emails.write(message)?).unwrap())
    }

    fn by_ses() -> AccountEmails {
        AccountEmails { shop: "https://shop.example".parse().unwrap(), goes_by_ses: true }
    }

    /// The subject and the page.
    fn email(occasion: Occasion, username: &str) -> (String, String) {
        let answer = written(&by_ses(), &event(occasion.as_str(), username)).unwrap();
        let text = |name: &str| answer["response"][name].as_str().unwrap().to_owned();
        (text("emailSubject"), text("emailMessage"))
    }

    fn with_words() -> impl Iterator<Item = Occasion> {
        let refused = [Occasion::UpdateUserAttribute, Occasion::VerifyUserAttribute];
        Occasion::ALL.into_iter().filter(move |occasion| !refused.contains(occasion))
    }

    #[test]
    fn cognito_gets_its_event_back_with_a_subject_and_a_page() {
        let event = event("CustomMessage_SignUp", "Ann_Lee");
        let mut answer = written(&by_ses(), &event).unwrap();
        assert_eq!(answer["response"]["emailSubject"], "Confirm your Cartwright account");
        let page = answer["response"]["emailMessage"].take();
        for part in [
            ">Cartwright</p>",
            "Hello,<br>Somebody signed up for Cartwright with this address and the username &#8220;Ann_Lee&#8221;.<br>",
            "<bdi>{####}</bdi></p>",
            r#"href="https://shop.example""#,
        ] {
            assert!(page.as_str().unwrap().contains(part), "{part} is not in {page}");
        }
        answer["response"]["emailSubject"] = Value::Null;
        assert_eq!(answer, event, "nothing else is different");
    }

    /// `emailBody` of Cognito's: 6 to 20,000 characters of `[\p{L}\p{M}\p{S}\p{N}\p{P}\s*]`, `{####}` among them, and
    /// a subject of at most 140.
    #[test]
    fn every_email_is_one_that_cognito_takes() {
        let names =
            ["Ann_Lee".to_owned(), "\u{5d0}".repeat(100), "می\u{200c}خواهم".to_owned(), "&".repeat(100)];
        for (occasion, username) in with_words().flat_map(|one| names.iter().map(move |name| (one, name))) {
            let (subject, page) = email(occasion, username);
            let is_plain = |text: &str| text.chars().all(|c| c.is_ascii_graphic() || c == ' ' || c == '\n');
            assert!(is_plain(&subject) && is_plain(&page), "{occasion} of {username}: {page}");
            assert!(subject.len() <= 140 && page.len() <= 20_000, "{occasion}: {} bytes", page.len());
            assert_eq!(page.matches("{####}").count(), 1, "{occasion}: {page}");
            let is_filled_in = page.contains("{username}");
            assert_eq!(is_filled_in, occasion == Occasion::AdminCreateUser, "{occasion}: {page}");
        }
    }

    #[test]
    fn a_username_is_text_and_never_a_placeholder() {
        for (username, written) in [
            ("<b>{####}</b>", "&#60;b&#62;&#65371;####}&#60;/b&#62;"),
            ("{username}", "&#65371;username}"),
            ("{##Click_here##}", "&#65371;##Click_here##}"),
            ("Zo\u{eb}", "Zo&#235;"),
            ("a\u{2028}b", "a b"),
        ] {
            let (_, page) = email(Occasion::ForgotPassword, username);
            assert!(
                page.contains(&format!(" with the username &#8220;{written}&#8221;.")),
                "{username}: {page}"
            );
            assert!(!page.contains("{username}") && !page.contains("{##C"), "{page}");
        }
    }

    #[test]
    fn where_cognito_sends_by_itself_it_is_left_its_own_words_but_not_the_address() {
        let by_cognito = AccountEmails { goes_by_ses: false, ..by_ses() };
        for occasion in with_words() {
            let event = event(occasion.as_str(), "Ann_Lee");
            assert_eq!(written(&by_cognito, &event).unwrap(), event, "{occasion}");
        }
        let refused = written(&by_cognito, &event("CustomMessage_UpdateUserAttribute", "Ann_Lee"));
        assert!(matches!(refused, Err(Failure::Refused(_))));
    }

    #[test]
    fn an_occasion_that_nobody_knows_yet_has_the_words_of_the_pool() {
        let event = event("CustomMessage_Anniversary", "Ann_Lee");
        assert_eq!(written(&by_ses(), &event).unwrap(), event);
    }

    #[test]
    fn an_address_is_not_changed_past_the_shop() {
        for source in ["CustomMessage_UpdateUserAttribute", "CustomMessage_VerifyUserAttribute"] {
            let refused = written(&by_ses(), &event(source, "Ann_Lee")).unwrap_err();
            assert_eq!(refused.to_string(), "an address is not changed at Cognito");
        }
    }

    /// What people get, with a code in it.
    pub(crate) fn previews() -> Vec<(String, String)> {
        let name = |occasion| match occasion {
            Occasion::SignUp => "sign-up",
            Occasion::ResendCode => "resent-code",
            Occasion::ForgotPassword => "forgotten-password",
            Occasion::AdminCreateUser => "made-by-an-admin",
            Occasion::Authentication => "second-factor",
            Occasion::UpdateUserAttribute | Occasion::VerifyUserAttribute => unreachable!("no email"),
        };
        let hostile = ("account-hostile-name".to_owned(), email(Occasion::SignUp, r#"<img_src=x>"{####}"#).1);
        let mut previews: Vec<_> = with_words()
            .map(|occasion| (format!("account-{}", name(occasion)), email(occasion, "Jay_S_Prajapati").1))
            .chain([hostile])
            .collect();
        for (_, page) in &mut previews {
            *page = page.replace("{####}", "123456").replace("{username}", "Jay_S_Prajapati");
        }
        previews
    }
}
