//! What a person may do in the shop: the role, and whether the account is open. The profile is the truth; the user pool
//! has copies, groups and whether it lets the person sign in, and what it was not told yet is kept in [`Sync`].

use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::caller::{Caller, UserId};
use shared::dynamo::list::Page;
use shared::http::problem::{Kind, Problem, SIGN_IN_TOO_OLD, StatusCode};
use shared::values::time::Timestamp;

use crate::{Email, FullName, Profile, Role, Username};

shared::names!(
    /// Whether an account may be used.
    #[derive(Default)]
    pub enum Status {
        /// It may.
        #[default]
        Active = "active",
        /// An admin has closed it.
        Disabled = "disabled",
        /// Its person has asked for its deletion, which is under way.
        Deleting = "deleting",
    }
);

impl Status {
    /// Whether it may be used.
    pub fn is_active(&self) -> bool {
        *self == Self::Active
    }
}

shared::id!(
    /// Names a change that the user pool has to hear of.
    SyncId
);

shared::id!(
    /// Names a person's wish to leave.
    DepartureId
);

/// That the user pool may not know yet what the profile says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sync {
    /// Which change it is about.
    pub id: SyncId,
    /// Whether every token that the person has is to be revoked.
    pub sign_out: bool,
}

/// How long ago the sign-in may be of whoever does what only the person may.
const FRESH: Duration = Duration::from_mins(10);

/// That the caller gave the password, and the second factor if there is one, in the last minutes: whoever has found a
/// token, or a device that is signed in, cannot say so.
///
/// # Errors
/// `sign-in-too-old`.
pub fn fresh_sign_in(caller: &Caller, now: Timestamp) -> Result<(), Problem> {
    if signed_in_just_now(caller, now) { Ok(()) } else { Err(sign_in_too_old()) }
}

/// Whether that is so.
pub fn signed_in_just_now(caller: &Caller, now: Timestamp) -> bool {
    caller.signed_in_at().is_some_and(|at| at + FRESH >= now)
}

fn sign_in_too_old() -> Problem {
    let detail = "This needs a sign-in of the last ten minutes. Sign in again, and send the new token.";
    Problem::insufficient_sign_in(SIGN_IN_TOO_OLD, detail)
}

/// Why an account is not deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LeavingRefusal {
    /// Its person signed in too long ago.
    #[error("the sign-in is too old")]
    SignInTooOld,
    /// It is an admin's.
    #[error("an admin stays until another takes the role away")]
    Admin,
    /// An admin has closed it.
    #[error("the account is closed")]
    Closed,
}

const ADMIN_STAYS: Kind = Kind::new(StatusCode::CONFLICT, "admin-stays", "An admin's account");

impl From<LeavingRefusal> for Problem {
    fn from(refusal: LeavingRefusal) -> Self {
        match refusal {
            LeavingRefusal::SignInTooOld => sign_in_too_old(),
            LeavingRefusal::Admin => Self::new(
                ADMIN_STAYS,
                "An admin's account is not deleted. Ask another admin to take the role away first.",
            ),
            LeavingRefusal::Closed => account_closed(),
        }
    }
}

/// Why somebody's role or account stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StandingRefusal {
    /// It is one's own.
    #[error("nobody changes their own role or account")]
    Own,
    /// The person is leaving.
    #[error("the account is being deleted")]
    Leaving,
}

const OWN_ACCOUNT: Kind = Kind::new(StatusCode::CONFLICT, "own-account", "One's own account");
const ACCOUNT_LEAVING: Kind =
    Kind::new(StatusCode::CONFLICT, "account-leaving", "The account is being deleted");

/// What is told to whoever may do nothing more with an account.
pub const ACCOUNT_CLOSED: Kind = Kind::new(StatusCode::FORBIDDEN, "account-closed", "Account closed");

/// What somebody hears whose account is disabled, or about to be deleted.
pub fn account_closed() -> Problem {
    Problem::new(
        ACCOUNT_CLOSED,
        "Your account is closed, or is being deleted. If you did not ask for that, write to whoever runs the shop.",
    )
}

impl From<StandingRefusal> for Problem {
    fn from(refusal: StandingRefusal) -> Self {
        match refusal {
            StandingRefusal::Own => Self::new(
                OWN_ACCOUNT,
                "Nobody changes their own role, or disables or enables their own account. Ask another admin.",
            ),
            StandingRefusal::Leaving => Self::new(
                ACCOUNT_LEAVING,
                "This account is being deleted. Nothing about it can be changed any more.",
            ),
        }
    }
}

impl Profile {
    /// The role that the person has, whether or not it was ever written down.
    pub fn role(&self) -> Role {
        self.role.unwrap_or(Role::Customer)
    }

    /// The profile with another role; `None` where it is so already.
    ///
    /// # Errors
    /// [`StandingRefusal`].
    pub fn with_role(self, role: Role, by: &UserId, now: Timestamp) -> Result<Option<Self>, StandingRefusal> {
        self.may_be_changed(by)?;
        if self.role == Some(role) {
            return Ok(None);
        }
        let is_less = match (self.role(), role) {
            (Role::Admin, Role::Customer | Role::Seller) | (Role::Seller, Role::Customer) => true,
            (Role::Admin, Role::Admin)
            | (Role::Seller, Role::Seller | Role::Admin)
            | (Role::Customer, Role::Customer | Role::Seller | Role::Admin) => false,
        };
        let sync = self.to_tell(is_less, now);
        Ok(Some(Self { role: Some(role), role_changed_at: Some(now), sync: Some(sync), ..self }))
    }

    /// The profile of an account that may be used, or not; `None` where it is so already.
    ///
    /// # Errors
    /// [`StandingRefusal`].
    pub fn with_status(
        self,
        status: Status,
        by: &UserId,
        now: Timestamp,
    ) -> Result<Option<Self>, StandingRefusal> {
        self.may_be_changed(by)?;
        if self.status == status {
            return Ok(None);
        }
        let sync = self.to_tell(!status.is_active(), now);
        Ok(Some(Self { status, sync: Some(sync), ..self }))
    }

    /// The profile of a person who asks for the account's deletion; `None` where that is under way.
    ///
    /// # Errors
    /// [`LeavingRefusal`].
    pub fn leaving(self, caller: &Caller, now: Timestamp) -> Result<Option<Self>, LeavingRefusal> {
        match (self.status, self.role()) {
            (Status::Deleting, _) => Ok(None),
            (Status::Disabled, _) => Err(LeavingRefusal::Closed),
            (Status::Active, Role::Admin) => Err(LeavingRefusal::Admin),
            (Status::Active, _) if caller.is_admin() => Err(LeavingRefusal::Admin),
            (Status::Active, Role::Customer | Role::Seller) if signed_in_just_now(caller, now) => {
                Ok(Some(Self { status: Status::Deleting, ..self }))
            }
            (Status::Active, Role::Customer | Role::Seller) => Err(LeavingRefusal::SignInTooOld),
        }
    }

    fn may_be_changed(&self, by: &UserId) -> Result<(), StandingRefusal> {
        if self.user_id == *by {
            Err(StandingRefusal::Own)
        } else if self.status == Status::Deleting {
            Err(StandingRefusal::Leaving)
        } else {
            Ok(())
        }
    }

    /// What the user pool has to hear, besides what it has not heard yet.
    fn to_tell(&self, sign_out: bool, now: Timestamp) -> Sync {
        let before = self.sync.as_ref().is_some_and(|sync| sync.sign_out);
        Sync { id: SyncId::at(now), sign_out: sign_out || before }
    }
}

/// A person as an admin sees them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonView {
    user_id: UserId,
    email: Email,
    full_name: FullName,
    username: Username,
    role: Role,
    status: Status,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_sign_in_at: Option<Timestamp>,
    has_second_factor: bool,
    /// Whether tokens may still say otherwise: the user pool has not heard of the last change.
    is_pending: bool,
}

impl From<Profile> for PersonView {
    fn from(profile: Profile) -> Self {
        Self {
            role: profile.role(),
            user_id: profile.user_id,
            email: profile.email,
            full_name: profile.full_name,
            username: profile.username,
            status: profile.status,
            created_at: profile.created_at,
            last_sign_in_at: profile.last_sign_in_at,
            has_second_factor: profile.second_factor_at.is_some(),
            is_pending: profile.sync.is_some(),
        }
    }
}

/// A person as the indexes have them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    user_id: UserId,
    email: Email,
    full_name: FullName,
    #[serde(default)]
    role: Option<Role>,
    #[serde(default)]
    status: Status,
    created_at: Timestamp,
}

/// A person in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedView {
    user_id: UserId,
    email: Email,
    full_name: FullName,
    role: Role,
    status: Status,
    created_at: Timestamp,
}

/// A page of the shop's people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PeopleList {
    users: Vec<ListedView>,
    next_cursor: Option<String>,
}

impl From<Page<Listed>> for PeopleList {
    fn from(page: Page<Listed>) -> Self {
        let Page { entries, next_cursor } = page.map(|one| ListedView {
            user_id: one.user_id,
            email: one.email,
            full_name: one.full_name,
            role: one.role.unwrap_or(Role::Customer),
            status: one.status,
            created_at: one.created_at,
        });
        Self { users: entries, next_cursor }
    }
}

shared::body!(
    /// The body of `PUT /users/{id}/role`.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct NewRole {
        /// What the person is to be.
        pub role: Role,
    }
);

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ann() -> Profile {
        serde_json::from_value(json!({
            "userId": "ann", "email": "ann@example.com", "fullName": "Ann Lee", "username": "Ann_Lee",
            "createdAt": "2026-11-21T12:00:00.000Z"
        }))
        .unwrap()
    }

    fn root() -> UserId {
        UserId::from("root".to_owned())
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_unix_millis(1_795_262_400_000 + minute * 60_000)
    }

    fn becoming(from: Option<Role>, to: Role) -> Option<bool> {
        let changed = Profile { role: from, ..ann() }.with_role(to, &root(), at(1)).unwrap()?;
        assert_eq!((changed.role, changed.role_changed_at), (Some(to), Some(at(1))));
        changed.sync.map(|sync| sync.sign_out)
    }

    #[test]
    fn whoever_may_do_less_is_signed_out_and_what_is_so_already_is_no_change() {
        for role in Role::ALL {
            assert_eq!(becoming(Some(role), role), None);
        }
        // A role that nobody ever wrote down is written down.
        assert_eq!(becoming(None, Role::Customer), Some(false));
        assert_eq!(becoming(None, Role::Admin), Some(false));
        assert_eq!(becoming(Some(Role::Seller), Role::Admin), Some(false));
        assert_eq!(becoming(Some(Role::Admin), Role::Seller), Some(true));
        assert_eq!(becoming(Some(Role::Seller), Role::Customer), Some(true));
    }

    #[test]
    fn a_sign_out_that_is_still_owed_stays_owed() {
        let demoted = Profile { role: Some(Role::Admin), ..ann() };
        let demoted = demoted.with_role(Role::Customer, &root(), at(1)).unwrap().unwrap();
        let promoted = demoted.clone().with_role(Role::Admin, &root(), at(2)).unwrap().unwrap();
        assert!(promoted.sync.as_ref().unwrap().sign_out);
        assert_ne!(promoted.sync, demoted.sync);
    }

    #[test]
    fn nobody_changes_their_own_role_or_account() {
        let own = ann().user_id;
        assert_eq!(ann().with_role(Role::Customer, &own, at(0)), Err(StandingRefusal::Own));
        assert_eq!(ann().with_status(Status::Disabled, &own, at(0)), Err(StandingRefusal::Own));
    }

    #[test]
    fn an_account_is_deleted_by_its_person_after_a_fresh_sign_in_and_never_an_admins() {
        let caller = || Caller::for_tests("ann").having_signed_in_at(at(0));
        assert_eq!(ann().leaving(&caller(), at(10)).unwrap().unwrap().status, Status::Deleting);
        assert_eq!(ann().leaving(&caller(), at(11)), Err(LeavingRefusal::SignInTooOld));
        assert_eq!(ann().leaving(&Caller::for_tests("ann"), at(0)), Err(LeavingRefusal::SignInTooOld));
        let root = Profile { role: Some(Role::Admin), ..ann() };
        assert_eq!(root.leaving(&caller(), at(1)), Err(LeavingRefusal::Admin));
        assert_eq!(ann().leaving(&caller().as_admin(), at(1)), Err(LeavingRefusal::Admin));
        let closed = Profile { status: Status::Disabled, ..ann() };
        assert_eq!(closed.leaving(&caller(), at(1)), Err(LeavingRefusal::Closed));
        let leaving = Profile { status: Status::Deleting, ..ann() };
        assert_eq!(leaving.leaving(&caller(), at(1)), Ok(None));
    }

    #[test]
    fn an_account_is_closed_and_opened_again_and_whoever_leaves_stays_gone() {
        let closed = ann().with_status(Status::Disabled, &root(), at(0)).unwrap().unwrap();
        assert!(closed.sync.as_ref().unwrap().sign_out);
        assert_eq!(closed.clone().with_status(Status::Disabled, &root(), at(0)), Ok(None));
        let open = closed.with_status(Status::Active, &root(), at(0)).unwrap().unwrap();
        assert_eq!(open.status, Status::Active);
        let leaving = Profile { status: Status::Deleting, ..ann() };
        assert_eq!(
            leaving.clone().with_status(Status::Active, &root(), at(0)),
            Err(StandingRefusal::Leaving)
        );
        assert_eq!(leaving.with_role(Role::Seller, &root(), at(0)), Err(StandingRefusal::Leaving));
    }
}
