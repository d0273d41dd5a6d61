//! Who may still run the shop. A token says for an hour who was an admin when it was given, and never how its person
//! signed in; what changes something therefore asks the Users table each time, consistently, for one read unit.
//!
//! | the token says | the profile's `role` | may change things as an admin |
//! | --- | --- | --- |
//! | admin | `admin`, or none (from before there were roles) | yes |
//! | admin | `seller` or `customer`, or there is no profile | no |
//! | anything else | is not read | no |
//!
//! Whoever's account is closed, or about to be deleted, changes nothing as an admin either. What anybody may do with an
//! open account alone, such as to sell, asks [`OpenAccounts`], which reads the same for everybody.
//!
//! With `ADMIN_MFA` the token has to come from a sign-in with a second factor, besides: one that was completed when
//! every sign-in needed it, which is at `secondFactorAt` or later.

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::ConditionCheck;
use serde::Deserialize;
use shared::caller::{Admin, Caller, UserId};
use shared::dynamo::{self, from_item};
use shared::http::problem::{Problem, SECOND_FACTOR_NEEDED};
use shared::http::{FromRef, FromRequestParts, Parts};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::time::Timestamp;

use crate::store::IS_ACTIVE;
use crate::{Role, Status, account_closed};

shared::names!(
    /// What an admin signs in with, from the variable `ADMIN_MFA`.
    pub enum AdminMfa {
        /// The password suffices.
        Spared = "false",
        /// A second factor as well.
        Needed = "true",
    }
);

/// Who may still run the shop, by the Users table.
#[derive(Debug, Clone)]
pub struct Admins {
    dynamodb: Client,
    table: String,
    mfa: AdminMfa,
}

impl FromEnv for Admins {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            dynamodb: aws.dynamodb(),
            table: config::table("USERS_TABLE"),
            mfa: config::required("ADMIN_MFA")?,
        })
    }
}

/// What a profile says of its person's rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Standing {
    #[serde(default)]
    role: Option<Role>,
    #[serde(default)]
    second_factor_at: Option<Timestamp>,
    #[serde(default)]
    status: Status,
}

/// What an admin by the token is by the Users table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Admin,
    NoAdmin,
    WithoutSecondFactor,
}

impl Standing {
    fn verdict(self, signed_in_at: Option<Timestamp>, mfa: AdminMfa) -> Verdict {
        if !self.status.is_active() {
            return Verdict::NoAdmin;
        }
        match (self.role, mfa) {
            (Some(Role::Customer | Role::Seller), _) => Verdict::NoAdmin,
            (Some(Role::Admin) | None, AdminMfa::Spared) => Verdict::Admin,
            (Some(Role::Admin) | None, AdminMfa::Needed) => match (self.second_factor_at, signed_in_at) {
                (Some(since), Some(at)) if at >= since => Verdict::Admin,
                _ => Verdict::WithoutSecondFactor,
            },
        }
    }
}

impl Admins {
    /// The person with the rights that are still so. Who is no admin by the token costs no call.
    ///
    /// # Errors
    /// `second-factor-needed` for an admin who signed in without; a table that cannot be read.
    pub async fn current(&self, caller: Caller) -> Result<Caller, Problem> {
        if !caller.is_admin() {
            return Ok(caller);
        }
        match self.verdict(&caller).await? {
            Verdict::Admin => Ok(caller),
            Verdict::NoAdmin => Ok(caller.as_no_admin()),
            Verdict::WithoutSecondFactor => Err(Problem::insufficient_sign_in(
                SECOND_FACTOR_NEEDED,
                "An admin changes things only after a sign-in with a second factor. Turn it on with \
                 POST /users/me/totp, then sign in again.",
            )),
        }
    }

    async fn verdict(&self, caller: &Caller) -> anyhow::Result<Verdict> {
        let found = standing_of(&self.dynamodb, &self.table, caller).await?;
        Ok(found.map_or(Verdict::NoAdmin, |standing| standing.verdict(caller.signed_in_at(), self.mfa)))
    }
}

/// What the profile of a person says as of now, if there is one.
async fn standing_of(client: &Client, table: &str, caller: &Caller) -> anyhow::Result<Option<Standing>> {
    let get = client
        .get_item()
        .table_name(table)
        .key("userId", dynamo::text(caller.id()))
        .consistent_read(true)
        .projection_expression("userId, #role, #status, secondFactorAt")
        .expression_attribute_names("#role", "role")
        .expression_attribute_names("#status", "status");
    let found = get.send().await.context("read what a person may do")?.item;
    found.map(from_item).transpose()
}

/// Whose account is open, by the Users table.
#[derive(Debug, Clone)]
pub struct OpenAccounts {
    dynamodb: Client,
    table: String,
}

impl FromEnv for OpenAccounts {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { dynamodb: aws.dynamodb(), table: config::table("USERS_TABLE") })
    }
}

impl OpenAccounts {
    /// Goes on for a person whose account may be used.
    ///
    /// # Errors
    /// `account-closed` where it is disabled, being deleted or gone; a table that cannot be read.
    pub async fn check(&self, caller: &Caller) -> Result<(), Problem> {
        let standing = standing_of(&self.dynamodb, &self.table, caller).await?;
        if standing.is_some_and(|standing| standing.status.is_active()) {
            Ok(())
        } else {
            Err(account_closed())
        }
    }

    /// That a person's account may be used, as a part of what is written for them: what its deletion comes upon later
    /// was there before it was asked for. Where it fails, [`account_closed`] is the answer. It costs two write units.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn is_open(&self, person: &UserId) -> anyhow::Result<ConditionCheck> {
        ConditionCheck::builder()
            .table_name(&self.table)
            .key("userId", dynamo::text(person))
            .condition_expression(format!("attribute_exists(userId) AND {IS_ACTIVE}"))
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":active", dynamo::text(&Status::Active))
            .build()
            .context("look whether an account is open")
    }
}

/// A signed-in person with the rights that are still so, for what an admin may change besides others. As an extractor
/// it answers 401 where there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrentCaller(pub Caller);

impl<S: Send + Sync> FromRequestParts<S> for CurrentCaller
where
    Admins: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        Admins::from_ref(state).current(caller).await.map(Self)
    }
}

/// A signed-in person who is still an admin, for what admins alone may change. As an extractor it answers 403 to
/// everyone else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrentAdmin(pub Caller);

impl<S: Send + Sync> FromRequestParts<S> for CurrentAdmin
where
    Admins: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let CurrentCaller(caller) = CurrentCaller::from_request_parts(parts, state).await?;
        if caller.is_admin() { Ok(Self(caller)) } else { Err(Admin::needed()) }
    }
}

impl<A> FromRef<(Self, A)> for Admins {
    fn from_ref((admins, _): &(Self, A)) -> Self {
        admins.clone()
    }
}

impl<A, B> FromRef<(Self, A, B)> for Admins {
    fn from_ref((admins, ..): &(Self, A, B)) -> Self {
        admins.clone()
    }
}

impl<A, B, C> FromRef<(Self, A, B, C)> for Admins {
    fn from_ref((admins, ..): &(Self, A, B, C)) -> Self {
        admins.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use shared::run::aws::canned::{Asked, answering};

    /// Those of a table that gives this answer to each read, and what it is asked.
    fn admins(answer: &Value) -> (Admins, Asked) {
        let (sdk, asked) = answering(200, answer);
        (Admins { dynamodb: Client::new(&sdk), table: "users".into(), mfa: AdminMfa::Spared }, asked)
    }

    #[tokio::test]
    async fn who_is_an_admin_by_the_token_is_looked_up_as_of_now_each_time_and_nobody_else_is() {
        let item = json!({ "userId": { "S": "ann" }, "role": { "S": "admin" } });
        let (admins, asked) = admins(&json!({ "Item": item }));
        for _ in 0..2 {
            assert!(admins.current(Caller::for_tests("ann").as_admin()).await.unwrap().is_admin());
        }
        assert!(!admins.current(Caller::for_tests("bob")).await.unwrap().is_admin());
        let asked = asked.lock().unwrap();
        assert_eq!(asked.len(), 2);
        for read in asked.iter() {
            assert_eq!(
                (&read["TableName"], &read["Key"]),
                (&json!("users"), &json!({ "userId": { "S": "ann" } }))
            );
            // Whoever took the role away a moment ago may rely on it.
            assert_eq!(read["ConsistentRead"], true, "{read}");
        }
    }

    #[tokio::test]
    async fn an_admin_by_the_token_whom_the_table_does_not_know_as_one_is_none() {
        let seller = json!({ "Item": { "userId": { "S": "ann" }, "role": { "S": "seller" } } });
        for answer in [seller, json!({})] {
            let (admins, _) = admins(&answer);
            assert!(
                !admins.current(Caller::for_tests("ann").as_admin()).await.unwrap().is_admin(),
                "{answer}"
            );
        }
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_unix_millis(1_795_262_400_000 + minute * 60_000)
    }

    fn standing(role: Option<Role>, second_factor_at: Option<Timestamp>) -> Standing {
        Standing { role, second_factor_at, status: Status::Active }
    }

    #[test]
    fn whoever_has_a_closed_account_is_no_admin() {
        for status in [Status::Disabled, Status::Deleting] {
            let closed = Standing { status, ..standing(Some(Role::Admin), None) };
            assert_eq!(closed.verdict(None, AdminMfa::Spared), Verdict::NoAdmin);
        }
    }

    #[tokio::test]
    async fn only_an_open_account_goes_on() {
        let open = |answer: &Value| {
            let (sdk, _) = answering(200, answer);
            OpenAccounts { dynamodb: Client::new(&sdk), table: "users".into() }
        };
        let ann = Caller::for_tests("ann");
        let item = json!({ "userId": { "S": "ann" } });
        assert_eq!(open(&json!({ "Item": item })).check(&ann).await, Ok(()));
        let closed = json!({ "Item": { "userId": { "S": "ann" }, "status": { "S": "deleting" } } });
        for answer in [closed, json!({})] {
            let refused = open(&answer).check(&ann).await.unwrap_err();
            assert_eq!(refused.kind(), crate::standing::ACCOUNT_CLOSED);
        }
    }

    #[test]
    fn whoever_is_told_to_be_something_else_is_no_admin_whatever_the_token_says() {
        for mfa in AdminMfa::ALL {
            for role in [Role::Customer, Role::Seller] {
                let verdict = standing(Some(role), Some(at(0))).verdict(Some(at(1)), mfa);
                assert_eq!(verdict, Verdict::NoAdmin);
            }
        }
    }

    #[test]
    fn an_admin_from_before_there_were_roles_stays_one() {
        for role in [None, Some(Role::Admin)] {
            assert_eq!(standing(role, None).verdict(None, AdminMfa::Spared), Verdict::Admin);
        }
    }

    #[test]
    fn a_sign_in_counts_from_the_first_that_gave_a_second_factor() {
        let verdict = |since, signed_in| standing(None, since).verdict(signed_in, AdminMfa::Needed);
        assert_eq!(verdict(Some(at(5)), Some(at(5))), Verdict::Admin);
        assert_eq!(verdict(Some(at(5)), Some(at(9))), Verdict::Admin);
        for (since, signed_in) in [
            // Signed in before it was turned on; never turned on, or turned off; a token that does not say when.
            (Some(at(5)), Some(at(4))),
            (None, Some(at(9))),
            (Some(at(5)), None),
        ] {
            assert_eq!(verdict(since, signed_in), Verdict::WithoutSecondFactor);
        }
    }
}
