//! Who a person is, once Cognito has confirmed the address.

use anyhow::Context;
use shared::caller::UserId;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::run::worker::{Confirmation, ConfirmationSource};
use shared::values::time::Timestamp;
use users::{Email, FullName, Profile, Role, Username};

/// A person whose sign-up has just been confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmed {
    /// Who it is.
    pub profile: Profile,
    pub(crate) pool_id: String,
    email_is_proved: bool,
}

impl Confirmed {
    /// Reads Cognito's event. It also comes after a forgotten password was replaced, which confirms nobody: `None`.
    ///
    /// # Errors
    /// When the event lacks what every account of the pool has.
    pub fn read(event: Confirmation, now: Timestamp) -> anyhow::Result<Option<Self>> {
        let header = event.cognito_event_user_pools_header;
        if header.trigger_source != Some(ConfirmationSource::ConfirmSignUp) {
            return Ok(None);
        }
        let attributes = event.request.user_attributes;
        let attribute =
            |name: &'static str| attributes.get(name).with_context(|| format!("the event has no {name}"));
        let username = Username::existing(header.user_name.context("the event has no userName")?);
        // Whoever signs up at Cognito itself, past this API, may have any name or none.
        let full_name = attributes.get("name").and_then(|name| FullName::new(name).ok());
        let user_id = UserId::from(attribute("sub")?.clone());
        let email =
            attribute("email")?.parse().map_err(|_| anyhow::anyhow!("the event's email is no address"))?;
        let full_name = full_name.unwrap_or_else(|| username.as_full_name());
        let profile = Profile::new(user_id, email, full_name, username, now);
        Ok(Some(Self {
            profile,
            pool_id: header.user_pool_id.context("the event has no userPoolId")?,
            email_is_proved: attributes.get("email_verified").is_some_and(|verified| verified == "true"),
        }))
    }
}

impl Confirmed {
    /// Whether the person runs the shop.
    pub fn is_admin(&self) -> bool {
        self.profile.role == Some(Role::Admin)
    }
}

/// The address whose owner becomes admin, if the template names one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminEmail(Option<Email>);

impl FromEnv for AdminEmail {
    fn from_env(_: &Aws) -> Result<Self, ConfigError> {
        Ok(Self(config::optional("ADMIN_EMAIL")?))
    }
}

impl AdminEmail {
    /// Whether it is this address.
    pub fn is(&self, email: &Email) -> bool {
        self.0.as_ref() == Some(email)
    }

    /// One for the tests of rules.
    #[cfg(test)]
    pub(crate) fn for_tests(email: Option<&str>) -> Self {
        Self(email.map(|email| email.parse().expect("an address")))
    }

    /// The person, as an admin if it is this one's address. One that was not proved is anybody's.
    #[must_use]
    pub fn appoint(&self, mut person: Confirmed) -> Confirmed {
        if person.email_is_proved && self.0.as_ref() == Some(&person.profile.email) {
            person.profile.role = Some(Role::Admin);
        }
        person
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOON: i64 = 1_795_262_400_000;

    fn event(source: &str, attributes: &serde_json::Value) -> Confirmation {
        serde_json::from_value(json!({
            "version": "1", "triggerSource": source, "region": "us-east-1", "userPoolId": "us-east-1_pool",
            "userName": "Ann_Lee", "callerContext": { "awsSdkVersion": "1", "clientId": "client" },
            "request": { "userAttributes": attributes }, "response": {}
        }))
        .unwrap()
    }

    fn confirmed(attributes: &serde_json::Value) -> Confirmed {
        let event = event("PostConfirmation_ConfirmSignUp", attributes);
        Confirmed::read(event, Timestamp::from_unix_millis(NOON)).unwrap().unwrap()
    }

    fn ann() -> serde_json::Value {
        json!({ "sub": "5d0c", "email": "Ann@example.com", "email_verified": "true", "name": "Ann Lee" })
    }

    fn admin(address: &str) -> AdminEmail {
        AdminEmail(Some(address.parse().unwrap()))
    }

    #[test]
    fn a_confirmed_person_gets_a_profile() {
        let person = confirmed(&ann());
        assert_eq!(person.pool_id, "us-east-1_pool");
        assert_eq!(
            serde_json::to_value(person.profile).unwrap(),
            json!({
                "userId": "5d0c", "email": "ann@example.com", "fullName": "Ann Lee", "username": "Ann_Lee",
                "createdAt": "2026-11-21T12:00:00.000Z", "version": 1, "schemaVersion": 1
            })
        );
    }

    #[test]
    fn a_replaced_password_confirms_nobody() {
        let event = event("PostConfirmation_ConfirmForgotPassword", &ann());
        assert_eq!(Confirmed::read(event, Timestamp::from_unix_millis(NOON)).unwrap(), None);
    }

    #[test]
    fn who_has_no_name_that_fits_is_called_by_the_username() {
        for name in [json!(null), json!(""), json!("a\nb"), json!("a".repeat(101))] {
            let mut attributes = ann();
            attributes["name"] = name;
            attributes.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            assert_eq!(confirmed(&attributes).profile.full_name.as_str(), "Ann_Lee");
        }
    }

    #[test]
    fn the_owner_of_the_admins_address_is_the_admin() {
        let appointed = admin("ANN@example.com").appoint(confirmed(&ann()));
        assert!(appointed.is_admin());
        assert_eq!(serde_json::to_value(appointed.profile).unwrap()["role"], "admin");
        assert_eq!(admin("bob@example.com").appoint(confirmed(&ann())), confirmed(&ann()));
        assert!(!AdminEmail(None).appoint(confirmed(&ann())).is_admin());
    }

    #[test]
    fn an_address_that_was_not_proved_makes_no_admin() {
        let mut attributes = ann();
        attributes["email_verified"] = json!("false");
        assert!(!admin("ann@example.com").appoint(confirmed(&attributes)).is_admin());
    }

    #[test]
    fn an_event_without_a_subject_fails() {
        let event = event("PostConfirmation_ConfirmSignUp", &json!({ "email": "ann@example.com" }));
        let error = Confirmed::read(event, Timestamp::from_unix_millis(NOON)).unwrap_err();
        assert_eq!(error.to_string(), "the event has no sub");
    }
}
