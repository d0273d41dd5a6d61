//! Who gets an account, before Cognito makes it: the account of a provider's person, and who is linked instead with the
//! account that the address has already.
//!
//! An account is taken over by whoever says, somewhere, that its address is theirs, unless somebody looks. So a
//! provider's word counts only where it says that it has confirmed the address, and only for an account whose person
//! has confirmed the same address here. An admin's account, one with a second factor and one that is closed is never
//! linked, for no provider asks for what protects these. And nobody chooses a username that Cognito would make for a
//! provider's person: whoever owned that name, with a password, would own what they find there.

use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::run::worker::{Failure, NewAccount};
use users::{Email, Profile, Role, Users};

use crate::social::{Provider, Reason};
use crate::user_pool::PoolAccount;
use crate::{AdminEmail, UserPool};

/// What Cognito says within its own words where a username is refused.
pub(crate) const RESERVED: &str = "name-reserved";

const SIGN_IN_OTHERWISE: Failure = Failure::Refused(Reason::SignInOtherwise.as_str());

/// A provider's person who comes for the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    pool_id: String,
    provider: Provider,
    subject: String,
    email: Email,
}

impl Stranger {
    /// Reads Cognito's event; `None` of whoever signs up with a password.
    ///
    /// # Errors
    /// [`Failure::Refused`] for an address that the provider has not confirmed, and for a provider's username.
    pub fn read(account: NewAccount) -> Result<Option<Self>, Failure> {
        let username = account.header.user_name.unwrap_or_default();
        let provider = Provider::of_username(&username);
        if account.header.trigger_source.as_deref() != Some("PreSignUp_ExternalProvider") {
            return if provider.is_some() { Err(Failure::Refused(RESERVED)) } else { Ok(None) };
        }
        let attribute = |name: &str| account.request.user_attributes.get(name).map(String::as_str);
        let email = attribute("email").filter(|_| attribute("email_verified") == Some("true"));
        let email = email.and_then(|email| email.parse().ok());
        let email = email.ok_or(Failure::Refused(Reason::AddressNotConfirmed.as_str()))?;
        let (provider, subject) = provider.ok_or_else(|| anyhow::anyhow!("a provider is unknown"))?;
        let pool_id =
            account.header.user_pool_id.ok_or_else(|| anyhow::anyhow!("the event has no userPoolId"))?;
        Ok(Some(Self { pool_id, provider, subject: subject.to_owned(), email }))
    }

    /// Whether this is the account of the stranger's address: both have confirmed it.
    fn owns(&self, account: &PoolAccount) -> bool {
        account.address.as_ref() == Some(&self.email)
    }
}

/// Whether a provider's word opens an account, as it and its profile are now.
pub(crate) fn is_opened_by_providers(account: &PoolAccount, profile: Option<&Profile>) -> bool {
    // Who has no password here has no second factor that anybody asked for.
    let is_protected = account.is_native && account.has_second_factor;
    !is_protected && profile.is_none_or(|profile| profile.role() != Role::Admin)
}

/// Whether an account may be linked: a confirmed, open one with a password and a profile, that is not protected.
fn may_be_linked(account: &PoolAccount, profile: Option<&Profile>) -> bool {
    account.is_native
        && account.is_enabled
        && profile.is_some_and(|profile| profile.status.is_active() && profile.second_factor_at.is_none())
        && is_opened_by_providers(account, profile)
}

/// Deciding who gets an account.
#[derive(Debug, Clone)]
pub struct Admission {
    user_pool: UserPool,
    users: Users,
    admin_email: AdminEmail,
}

impl FromEnv for Admission {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            user_pool: UserPool::from_env(aws)?,
            users: Users::from_env(aws)?,
            admin_email: AdminEmail::from_env(aws)?,
        })
    }
}

impl Admission {
    /// Lets Cognito make an account, or links the one that there is. Safe to repeat: linked once, it stays so.
    ///
    /// # Errors
    /// [`Failure::Refused`], whose words Cognito hands on to whoever asked.
    pub async fn admit(self, account: NewAccount) -> Result<(), Failure> {
        let Some(stranger) = Stranger::read(account)? else { return Ok(()) };
        if self.admin_email.is(&stranger.email) {
            return Err(SIGN_IN_OTHERWISE);
        }
        let owner = self.user_pool.account_in(&stranger.pool_id, stranger.email.as_str()).await?;
        // An account that has not confirmed the address has no claim to it, and gets none.
        let Some(owner) = owner.filter(|owner| stranger.owns(owner)) else { return Ok(()) };
        let profile = self.users.find(&owner.user_id).await?;
        if !may_be_linked(&owner, profile.as_ref())
            || self.user_pool.is_admin(&stranger.pool_id, &owner.username).await?
        {
            return Err(SIGN_IN_OTHERWISE);
        }
        let identity = (stranger.provider, stranger.subject.as_str());
        Ok(self.user_pool.link(&stranger.pool_id, &owner.username, identity).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use shared::run::aws::canned::{answering_each, item};

    fn event(source: &str, username: &str, attributes: &Value) -> NewAccount {
        serde_json::from_value(json!({
            "version": "1", "triggerSource": source, "region": "us-east-1", "userPoolId": "pool",
            "userName": username, "callerContext": { "awsSdkVersion": "1", "clientId": "client" },
            "request": { "userAttributes": attributes, "validationData": {} },
            "response": { "autoConfirmUser": false, "autoVerifyEmail": false, "autoVerifyPhone": false }
        }))
        .unwrap()
    }

    fn robin() -> NewAccount {
        let attributes = json!({ "email": "Robin@example.com", "email_verified": "true" });
        event("PreSignUp_ExternalProvider", "google_1138", &attributes)
    }

    /// The account that has the address already, and its profile.
    #[derive(Clone)]
    struct Owner {
        status: &'static str,
        is_enabled: bool,
        is_verified: &'static str,
        mfa: Value,
        groups: Value,
        profile: Value,
    }

    fn owner() -> Owner {
        Owner {
            status: "CONFIRMED",
            is_enabled: true,
            is_verified: "true",
            mfa: json!([]),
            groups: json!([{ "GroupName": "seller" }]),
            profile: json!({
                "userId": "5d0c", "email": "robin@example.com", "fullName": "Robin", "username": "Robin_W",
                "createdAt": "2026-11-21T12:00:00.000Z", "schemaVersion": 1
            }),
        }
    }

    /// What becomes of `account`, and the link that Cognito was asked for.
    async fn admitted(account: NewAccount, owner: Option<Owner>, admin: Option<&str>) -> (String, Value) {
        let (sdk, asked) = answering_each(move |request| {
            let Some(owner) = &owner else { return (400, json!({ "__type": "UserNotFoundException" })) };
            if !request["Key"].is_null() {
                let found =
                    if owner.profile.is_null() { json!({}) } else { json!({ "Item": item(&owner.profile) }) };
                return (200, found);
            }
            let attributes =
                [("sub", "5d0c"), ("email", "robin@example.com"), ("email_verified", owner.is_verified)];
            let attributes = attributes.map(|(name, value)| json!({ "Name": name, "Value": value }));
            (
                200,
                json!({
                    "Username": "Robin_W", "UserAttributes": attributes, "UserStatus": owner.status,
                    "Enabled": owner.is_enabled, "UserMFASettingList": owner.mfa,
                    // Of the account and of its groups alike: each reads what is its own.
                    "Groups": owner.groups
                }),
            )
        });
        let aws = Aws::for_tests(sdk);
        let admission = Admission {
            user_pool: UserPool::from_env(&aws).unwrap(),
            users: Users::from_env(&aws).unwrap(),
            admin_email: AdminEmail::for_tests(admin),
        };
        let outcome = match admission.admit(account).await {
            Ok(()) => "admitted".into(),
            Err(Failure::Refused(reason)) => reason.into(),
            Err(failure) => format!("{failure:?}"),
        };
        let link = asked.lock().unwrap().iter().find(|one| !one["SourceUser"].is_null()).cloned();
        (outcome, link.unwrap_or_default())
    }

    #[tokio::test]
    async fn a_stranger_whose_address_nobody_has_gets_an_account() {
        assert_eq!(admitted(robin(), None, None).await, ("admitted".into(), Value::Null));
    }

    #[tokio::test]
    async fn an_account_whose_person_confirmed_the_same_address_is_linked() {
        let (outcome, link) = admitted(robin(), Some(owner()), Some("root@example.com")).await;
        assert_eq!(outcome, "admitted");
        let source = json!({
            "ProviderName": "Google", "ProviderAttributeName": "Cognito_Subject", "ProviderAttributeValue": "1138"
        });
        let destination = json!({ "ProviderName": "Cognito", "ProviderAttributeValue": "Robin_W" });
        assert_eq!(
            link,
            json!({ "UserPoolId": "pool", "SourceUser": source, "DestinationUser": destination })
        );
    }

    #[tokio::test]
    async fn an_address_that_the_provider_has_not_confirmed_opens_and_links_nothing() {
        for attributes in [
            json!({ "email": "robin@example.com", "email_verified": "false" }),
            json!({ "email": "robin@example.com", "email_verified": "" }),
            json!({ "email": "robin@example.com", "email_verified": "True" }),
            json!({ "email": "robin@example.com" }),
            json!({ "email": "robin", "email_verified": "true" }),
            json!({ "email_verified": "true" }),
        ] {
            let account = event("PreSignUp_ExternalProvider", "google_1138", &attributes);
            for owner in [None, Some(owner())] {
                let found = admitted(account.clone(), owner, None).await;
                assert_eq!(found, ("address-not-confirmed".into(), Value::Null), "{attributes}");
            }
        }
    }

    #[tokio::test]
    async fn an_account_that_has_not_confirmed_the_address_is_not_linked_and_stands_in_nobodys_way() {
        let squatter = Owner { is_verified: "false", status: "UNCONFIRMED", ..owner() };
        assert_eq!(admitted(robin(), Some(squatter), None).await, ("admitted".into(), Value::Null));
    }

    #[tokio::test]
    async fn an_account_that_is_protected_closed_or_a_providers_is_not_linked() {
        let profile = |name: &str, value: &str| {
            let mut profile = owner().profile;
            profile[name] = value.into();
            Owner { profile, ..owner() }
        };
        for owner in [
            profile("role", "admin"),
            profile("status", "disabled"),
            profile("status", "deleting"),
            profile("secondFactorAt", "2026-11-21T12:00:00.000Z"),
            Owner { groups: json!([{ "GroupName": "admin" }]), ..owner() },
            Owner { mfa: json!(["SOFTWARE_TOKEN_MFA"]), ..owner() },
            Owner { is_enabled: false, ..owner() },
            Owner { status: "EXTERNAL_PROVIDER", ..owner() },
            Owner { status: "RESET_REQUIRED", ..owner() },
            Owner { profile: Value::Null, ..owner() },
        ] {
            let found = admitted(robin(), Some(owner), None).await;
            assert_eq!(found, ("sign-in-otherwise".into(), Value::Null));
        }
    }

    #[tokio::test]
    async fn the_admins_address_is_nobodys_by_a_provider() {
        let found = admitted(robin(), None, Some("robin@example.com")).await;
        assert_eq!(found, ("sign-in-otherwise".into(), Value::Null));
    }

    #[tokio::test]
    async fn whoever_signs_up_with_a_password_does_as_before_but_under_no_name_that_is_a_providers() {
        let attributes = json!({ "email": "ann@example.com" });
        for source in ["PreSignUp_SignUp", "PreSignUp_AdminCreateUser"] {
            let outcome = async |name| admitted(event(source, name, &attributes), None, None).await.0;
            assert_eq!(outcome("Ann_Lee").await, "admitted");
            for name in ["google_1138", "Google_1138", "OIDC_robin", "oidc_"] {
                assert_eq!(outcome(name).await, "name-reserved", "{name}");
            }
        }
    }
}
