//! What people are told about their accounts where Cognito sends them a code: it asks for the words first.

use shared::letters::{Letter, Recipient};
use shared::run::worker::{CustomMessage, Failure};
use shared::values::text::isolated;

shared::names!(
    /// What a message of Cognito's is for, by the name that Cognito has for it.
    pub enum Occasion {
        /// Somebody signed up.
        SignUp = "CustomMessage_SignUp",
        /// Whoever signed up asked for the code again.
        ResendCode = "CustomMessage_ResendCode",
        /// A new password was asked for, by its person or by whoever runs the shop.
        ForgotPassword = "CustomMessage_ForgotPassword",
        /// Whoever runs the shop made an account, in Cognito's console or by its API.
        AdminCreateUser = "CustomMessage_AdminCreateUser",
        /// Somebody knows the password, and the second factor comes by email.
        Authentication = "CustomMessage_Authentication",
        /// Whoever is signed in asks Cognito itself for another address.
        UpdateUserAttribute = "CustomMessage_UpdateUserAttribute",
        /// The same, for its code once more.
        VerifyUserAttribute = "CustomMessage_VerifyUserAttribute",
    }
);

/// The letter with this message's code; `None` where the user pool's own words have to do: for an occasion that this
/// code does not know.
///
/// # Errors
/// [`Failure::Refused`] for another address: the shop would not hear of it, and go on writing to the old one.
pub fn letter(message: &CustomMessage) -> Result<Option<Letter>, Failure> {
    let source = message.header.trigger_source.as_deref().unwrap_or_default();
    let Ok(occasion) = source.parse::<Occasion>() else { return Ok(None) };
    let words = occasion.words().ok_or(Failure::Refused("an address is not changed at Cognito"))?;
    let username = match occasion {
        // Cognito insists on filling it in.
        Occasion::AdminCreateUser => message.request.username_parameter.clone(),
        _ => message.header.user_name.as_deref().map(within_a_sentence),
    };
    let (Some(username), Some(code)) = (username, &message.request.code_parameter) else { return Ok(None) };
    let news = [format!("{} “{username}”.", words.news), words.code.to_owned()];
    Ok(Some(Letter {
        // Whoever reads this is the person of the account only if they say so by the code.
        to: Recipient::new("", ""),
        subject: words.subject.into(),
        headline: words.headline.into(),
        paragraphs: news.into_iter().chain(words.otherwise.map(str::to_owned)).collect(),
        code: Some(code.clone()),
        rows: Vec::new(),
        totals: Vec::new(),
        link: None,
        links: Vec::new(),
        reference: Vec::new(),
    }))
}

/// A username as text. Cognito fills in what looks like its placeholder, `{####}`, wherever it stands; with a brace of
/// full width it does not, and the name is the same to the shop.
fn within_a_sentence(username: &str) -> String {
    isolated(&username.replace('{', "\u{ff5b}"))
}

/// What is said on an occasion.
struct Words {
    subject: &'static str,
    headline: &'static str,
    /// What happened. It ends before the username.
    news: &'static str,
    /// What the code is for, and how long Cognito takes it.
    code: &'static str,
    /// What to do about it if it was not oneself.
    otherwise: Option<&'static str>,
}

/// The address is somebody's who may never have heard of the shop.
const NOT_YOU: &str =
    "If you did not sign up, ignore this email: without the code nobody can use your address.";

impl Occasion {
    /// Codes to confirm are good for a day, those for a password for an hour, at sign-in for a session of 3 minutes,
    /// and a first password for what the pool's policy says, by default 7 days.
    /// <https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html>
    const fn words(self) -> Option<Words> {
        Some(match self {
            Self::SignUp => Words {
                subject: "Confirm your Cartwright account",
                headline: "Confirm your account",
                news: "Somebody signed up for Cartwright with this address and the username",
                code: "If it was you, enter this code within 24 hours.",
                otherwise: Some(NOT_YOU),
            },
            Self::ResendCode => Words {
                subject: "Your new code for Cartwright",
                headline: "Here is your new code",
                news: "It confirms the account at Cartwright with this address and the username",
                code: "Enter it within 24 hours, and no older one.",
                otherwise: Some(NOT_YOU),
            },
            Self::ForgotPassword => Words {
                subject: "Your code for a new password at Cartwright",
                headline: "Set a new password",
                news: "Somebody asked for a new password for the account at Cartwright with the username",
                code: "If it was you, enter this code within an hour, with the new password.",
                otherwise: Some("If not, ignore this email: without the code the password stays as it is."),
            },
            Self::AdminCreateUser => Words {
                subject: "Your Cartwright account",
                headline: "You have an account at Cartwright",
                news: "It was made for you, with the username",
                code: "Its first password is good for 7 days.",
                otherwise: None,
            },
            Self::Authentication => Words {
                subject: "Your code to sign in at Cartwright",
                headline: "Finish signing in",
                news: "Somebody gave the right password for the account at Cartwright with the username",
                code: "If it was you, enter this code within 3 minutes.",
                otherwise: Some("If not, pass the code on to nobody, and set a new password."),
            },
            Self::UpdateUserAttribute | Self::VerifyUserAttribute => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// What Cognito sends.
    fn message(source: &str, username: &str) -> CustomMessage {
        let attributes = json!({ "sub": "5d0c", "email": "ann@cartwright.test", "name": "Ann Lee" });
        let event = json!({
            "version": "1", "triggerSource": source, "region": "us-east-1", "userPoolId": "us-east-1_pool",
            "userName": username, "callerContext": { "awsSdkVersion": "1", "clientId": "client" },
            "request": {
                "userAttributes": attributes, "codeParameter": "{####}", "linkParameter": "{##Click Here##}",
                "usernameParameter": if source.ends_with("AdminCreateUser") { "{username}".into() } else { Value::Null }
            },
            "response": { "smsMessage": null, "emailMessage": null, "emailSubject": null }
        });
        serde_json::from_value(event).unwrap()
    }

    fn letter_on(occasion: Occasion) -> Letter {
        letter(&message(occasion.as_str(), "Ann_Lee")).unwrap().unwrap()
    }

    #[test]
    fn every_code_says_what_it_is_for_whose_it_is_and_how_long_it_is_good() {
        use Occasion::{AdminCreateUser, Authentication, ForgotPassword, ResendCode, SignUp};
        for (occasion, subject, username, validity) in [
            (SignUp, "Confirm your Cartwright account", "Ann_Lee", "24 hours"),
            (ResendCode, "Your new code for Cartwright", "Ann_Lee", "24 hours"),
            (ForgotPassword, "Your code for a new password at Cartwright", "Ann_Lee", "an hour"),
            (AdminCreateUser, "Your Cartwright account", "{username}", "7 days"),
            (Authentication, "Your code to sign in at Cartwright", "Ann_Lee", "3 minutes"),
        ] {
            let letter = letter_on(occasion);
            let [news, code, otherwise @ ..] = &letter.paragraphs[..] else { panic!("{letter:?}") };
            assert_eq!(letter.subject, subject);
            assert!(news.ends_with(&format!(" the username “{username}”.")), "{occasion}: {news}");
            assert!(code.contains(validity), "{occasion}: {code}");
            assert_eq!(letter.code.as_deref(), Some("{####}"));
            // Nobody signed up to be given an account, and nothing is to be ignored of a password that is known.
            let tells_to_ignore = otherwise.iter().any(|text| text.contains("ignore this email"));
            assert_eq!(
                tells_to_ignore,
                [SignUp, ResendCode, ForgotPassword].contains(&occasion),
                "{occasion}"
            );
        }
    }

    #[test]
    fn an_address_is_not_changed_past_the_shop() {
        for source in ["CustomMessage_UpdateUserAttribute", "CustomMessage_VerifyUserAttribute"] {
            let refused = letter(&message(source, "Ann_Lee")).unwrap_err();
            assert!(
                matches!(refused, Failure::Refused("an address is not changed at Cognito")),
                "{refused:?}"
            );
        }
    }

    #[test]
    fn what_cognito_may_think_of_next_has_the_words_of_the_pool() {
        for source in ["CustomMessage_Anniversary", "", "CustomMessage_signup"] {
            assert_eq!(letter(&message(source, "Ann_Lee")).unwrap(), None, "{source}");
        }
        let mut without_source = message("CustomMessage_SignUp", "Ann_Lee");
        without_source.header.trigger_source = None;
        assert_eq!(letter(&without_source).unwrap(), None);
    }

    #[test]
    fn without_a_code_or_a_username_there_is_no_letter() {
        let mut without_code = message("CustomMessage_SignUp", "Ann_Lee");
        without_code.request.code_parameter = None;
        assert_eq!(letter(&without_code).unwrap(), None);
        let mut without_name = message("CustomMessage_SignUp", "Ann_Lee");
        without_name.header.user_name = None;
        assert_eq!(letter(&without_name).unwrap(), None);
    }

    #[test]
    fn a_username_is_neither_a_placeholder_nor_turns_what_is_around_it() {
        for (username, written) in
            [("{####}", "\u{ff5b}####}"), ("{##Go##}", "\u{ff5b}##Go##}"), ("תה_1", "\u{2068}תה_1\u{2069}")]
        {
            let letter = letter(&message("CustomMessage_SignUp", username)).unwrap().unwrap();
            assert!(letter.paragraphs[0].ends_with(&format!(" “{written}”.")), "{:?}", letter.paragraphs);
        }
        let typed = users::Username::new("\u{ff5b}####}").unwrap();
        assert_eq!(typed.as_str(), "{####}", "it is the same name to the shop");
    }

    #[test]
    fn nobody_is_called_by_a_name_that_a_stranger_may_have_chosen() {
        for occasion in [Occasion::SignUp, Occasion::ResendCode, Occasion::ForgotPassword] {
            assert_eq!(letter_on(occasion).to.name, "");
        }
    }
}
