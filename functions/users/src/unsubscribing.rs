//! How somebody who is not signed in switches off emails of a group: by a token that stands in each of them. It is an
//! HMAC of whose choice it is and which one, so nothing is kept for it, and it opens nothing else.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use shared::caller::UserId;
use shared::http::Parameter;
use shared::http::problem::Problem;
use shared::letters::Stop;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};

use crate::{Group, PersonId, PreferenceChanges, Profile, Users};

/// Bytes of an HMAC that a token has: 128 bits, which nobody guesses.
const TAG: usize = 16;

/// What stands in the link of an email: whose choice, which, and what proves that it came from here.
#[derive(Clone, PartialEq, Eq)]
pub struct UnsubscribeToken {
    person: UserId,
    group: Group,
    tag: [u8; TAG],
}

/// A token is for no log.
impl fmt::Debug for UnsubscribeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnsubscribeToken(…)")
    }
}

impl Parameter for UnsubscribeToken {
    const NAME: &'static str = "token";
}

impl FromStr for UnsubscribeToken {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const SHAPE: &str = "must be a token from the link of an email";
        let mut parts = text.split('.');
        let (Some(person), Some(group), Some(tag), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(SHAPE);
        };
        let tag = URL_SAFE_NO_PAD.decode(tag).ok().and_then(|tag| tag.try_into().ok());
        Ok(Self {
            person: person.parse::<PersonId>().map_err(|_| SHAPE)?.0,
            group: group.parse().map_err(|_| SHAPE)?,
            tag: tag.ok_or(SHAPE)?,
        })
    }
}

/// The choice that a token is about, which came from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsubscribed {
    /// Of what no emails are wanted.
    pub group: Group,
    /// Whether they still come, or did.
    pub profile: Profile,
}

/// What tokens are made with, and the profiles.
#[derive(Clone)]
pub struct Unsubscribing {
    key: String,
    users: Users,
}

impl fmt::Debug for Unsubscribing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unsubscribing(…)")
    }
}

impl FromEnv for Unsubscribing {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { key: config::required("ORDER_TOKEN_KEY")?, users: Users::from_env(aws)? })
    }
}

fn no_such_link() -> Problem {
    Problem::not_found("link")
}

impl Unsubscribing {
    /// The token that stops what a letter belongs to.
    pub fn token(&self, stop: &Stop) -> String {
        let tag = self.mac(&stop.person, stop.group).finalize().into_bytes();
        format!("{}.{}.{}", stop.person, stop.group, URL_SAFE_NO_PAD.encode(&tag[..TAG]))
    }

    fn mac(&self, person: &UserId, group: &str) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.key.as_bytes()).expect("HMAC takes keys of any length");
        // The key makes other things as well, of which none begins so.
        mac.update(format!("unsubscribe#{person}#{group}").as_bytes());
        mac
    }

    fn is_ours(&self, token: &UnsubscribeToken) -> bool {
        self.mac(&token.person, token.group.as_str()).verify_truncated_left(&token.tag).is_ok()
    }

    /// What the token would switch off; changes nothing, since programs open links before people do.
    ///
    /// # Errors
    /// 404 for a token that is not ours, and for whoever is not here any more.
    pub async fn look(&self, token: &UnsubscribeToken) -> Result<Unsubscribed, Problem> {
        if !self.is_ours(token) {
            return Err(no_such_link());
        }
        let profile = self.users.find(&token.person).await?.ok_or_else(no_such_link)?;
        Ok(Unsubscribed { group: token.group, profile })
    }

    /// Switches off the emails that the token is about. Safe to repeat: it writes the same again.
    ///
    /// # Errors
    /// As [`Unsubscribing::look`].
    pub async fn stop(&self, token: &UnsubscribeToken) -> Result<Unsubscribed, Problem> {
        if !self.is_ours(token) {
            return Err(no_such_link());
        }
        let changes = PreferenceChanges::no_emails(token.group);
        let profile = self.users.prefer_of_any(&token.person, &changes).await?.ok_or_else(no_such_link)?;
        Ok(Unsubscribed { group: token.group, profile })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::run::aws::canned::answering;

    const PERSON: &str = "5d0c6a7e-2b0f-4f0e-9c68-3fd12c0b7a94";

    fn with_key(key: &str) -> Unsubscribing {
        let aws = Aws::for_tests(answering(200, &serde_json::Value::Null).0);
        Unsubscribing { key: key.into(), users: Users::from_env(&aws).unwrap() }
    }

    fn token(key: &str, group: Group) -> UnsubscribeToken {
        let stop = Stop { person: UserId::from(PERSON.to_owned()), group: group.as_str() };
        with_key(key).token(&stop).parse().unwrap()
    }

    #[test]
    fn a_token_is_of_one_person_and_one_group_and_of_this_shop() {
        let ours = with_key("ours");
        let sales = token("ours", Group::Sales);
        assert!(ours.is_ours(&sales));
        assert!(!ours.is_ours(&token("theirs", Group::Sales)));
        assert!(!ours.is_ours(&UnsubscribeToken { group: Group::Reviews, ..sales.clone() }));
        let another = UserId::from("6d0c6a7e-2b0f-4f0e-9c68-3fd12c0b7a94".to_owned());
        assert!(!ours.is_ours(&UnsubscribeToken { person: another, ..sales }));
    }

    #[test]
    fn what_has_not_the_shape_of_a_token_is_none() {
        let good = format!("{PERSON}.sales.t0xpOcohAKtgwAdTxgHEcw");
        assert!(good.parse::<UnsubscribeToken>().is_ok());
        for bad in [
            "",
            PERSON,
            "a.sales.t0xpOcohAKtgwAdTxgHEcw",
            &format!("{PERSON}.news.t0xpOcohAKtgwAdTxgHEcw"),
            &format!("{PERSON}.sales.t0xp"),
            &format!("{good}.more"),
        ] {
            assert!(bad.parse::<UnsubscribeToken>().is_err(), "{bad}");
        }
        assert_eq!(format!("{:?}", token("ours", Group::Sales)), "UnsubscribeToken(…)");
    }

    #[tokio::test]
    async fn a_token_that_is_not_ours_is_not_even_looked_up() {
        let (sdk, asked) = answering(500, &serde_json::Value::Null);
        let users = Users::from_env(&Aws::for_tests(sdk)).unwrap();
        let unsubscribing = Unsubscribing { key: "ours".into(), users };
        let foreign = token("theirs", Group::Sales);
        assert_eq!(unsubscribing.look(&foreign).await.unwrap_err().status().as_u16(), 404);
        assert_eq!(unsubscribing.stop(&foreign).await.unwrap_err().status().as_u16(), 404);
        assert!(asked.lock().unwrap().is_empty());
    }
}
