//! Roles, and accounts that are closed and opened again. The profile is the truth and changes first; then the user pool
//! hears of it, and what it could not be told is swept up. Whoever reads a role to change something reads the profile.

use shared::caller::{Admin, Caller, UserId};
use shared::guards::Guards;
use shared::http::problem::{Busy, Problem};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::values::time::Timestamp;
use users::{PersonView, Profile, Restanding, Role, StandingRefusal, Status, Users};

use crate::user_pool::UserPool;

/// How often a change is tried again when others changed the same account first.
const TRIES: u32 = 5;

/// The profiles, and the user pool that has copies of what they say.
#[derive(Debug, Clone)]
pub struct Accounts {
    users: Users,
    guards: Guards,
    user_pool: UserPool,
}

impl FromEnv for Accounts {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            users: Users::from_env(aws)?,
            guards: Guards::from_env(aws)?,
            user_pool: UserPool::from_env(aws)?,
        })
    }
}

impl Accounts {
    /// Makes a person something else. Safe to repeat: what is so already is only told to the user pool again where that
    /// did not hear of it.
    ///
    /// # Errors
    /// `own-account`, `account-leaving`, 404, and 403 for who is no admin any more.
    pub async fn set_role(
        &self,
        admin: &Caller,
        id: &UserId,
        role: Role,
        now: Timestamp,
    ) -> Result<PersonView, Problem> {
        self.change(admin, id, |profile| profile.with_role(role, admin.id(), now)).await
    }

    /// Closes an account, or opens it again. Safe to repeat as [`Accounts::set_role`] is.
    ///
    /// # Errors
    /// `own-account`, `account-leaving`, 404, and 403 for who is no admin any more.
    pub async fn set_status(
        &self,
        admin: &Caller,
        id: &UserId,
        status: Status,
        now: Timestamp,
    ) -> Result<PersonView, Problem> {
        self.change(admin, id, |profile| profile.with_status(status, admin.id(), now)).await
    }

    async fn change(
        &self,
        admin: &Caller,
        id: &UserId,
        rule: impl Fn(Profile) -> Result<Option<Profile>, StandingRefusal>,
    ) -> Result<PersonView, Problem> {
        for _ in 0..TRIES {
            let found = self.users.find(id).await?.ok_or_else(|| Problem::not_found("user"))?;
            let Some(next) = rule(found.clone())? else { return Ok(self.told(found).await.into()) };
            match self.users.restand(&self.guards, &found, &next, admin.id()).await? {
                Restanding::Done => return Ok(self.told(next).await.into()),
                Restanding::NotByAnAdmin => return Err(Admin::needed()),
                Restanding::Changed => {}
            }
        }
        Err(anyhow::Error::new(Busy).into())
    }

    /// The profile once the user pool has heard of it, or as it is where that has to wait for the sweep: it counts all
    /// the same.
    async fn told(&self, profile: Profile) -> Profile {
        if profile.sync.is_none() {
            return profile;
        }
        match self.tell(profile.clone()).await {
            Ok(told) => told,
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "the user pool hears of an account later");
                profile
            }
        }
    }

    /// Has the user pool say what the profile says, until that stays so.
    async fn tell(&self, mut profile: Profile) -> anyhow::Result<Profile> {
        for _ in 0..TRIES {
            let username = &profile.username;
            self.user_pool.set_role(username, profile.role()).await?;
            self.user_pool.set_status(username, profile.status).await?;
            if profile.sync.as_ref().is_some_and(|sync| sync.sign_out) {
                self.user_pool.sign_out(username).await?;
            }
            if self.users.synced(&self.guards, &profile).await? {
                return Ok(Profile { sync: None, ..profile });
            }
            match self.users.find(&profile.user_id).await? {
                Some(found) => profile = found,
                None => return Ok(profile),
            }
        }
        Err(Busy.into())
    }

    /// Tells the user pool of what it has not heard. Safe to repeat.
    ///
    /// # Errors
    /// When the tables or the user pool do not answer. What is left stays for the next time.
    pub async fn sweep(&self) -> anyhow::Result<()> {
        let mut failed = None;
        for id in self.users.unsynced(&self.guards).await? {
            let told = match self.users.find(&id).await? {
                Some(profile) => self.tell(profile).await.map(drop),
                None => self.users.nothing_to_sync(&self.guards, &id).await,
            };
            failed = told.err().or(failed);
        }
        failed.map_or(Ok(()), Err)
    }
}
