//! Another address for an account, by a code that is emailed there. It needs a sign-in of the last minutes: whoever
//! reads the address of an account can set its password.

use shared::caller::{AccessToken, Caller};
use shared::guards::Guards;
use shared::guards::rate_limit::{Address, PasswordLimits};
use shared::http::problem::Problem;
use shared::letters::{EmailQueue, Queued};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::values::time::Timestamp;
use users::{AddressCodes, AddressLetterKind, ChangeOf, PersonId, Users};

use crate::second_factor::is_fresh;
use crate::{ConfirmEmail, Directory, Done, Error, NewEmail, Refusal};

/// Asking for another address.
#[derive(Debug, Clone)]
pub struct AskingForAddress {
    limits: PasswordLimits,
    users: Users,
    emails: EmailQueue,
}

impl FromEnv for AskingForAddress {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            limits: PasswordLimits::from_env(aws)?,
            users: Users::from_env(aws)?,
            emails: EmailQueue::from_env(aws)?,
        })
    }
}

impl AskingForAddress {
    /// Notes the address, and has a code emailed there. Whether it is somebody's already is told to whoever has the
    /// code.
    ///
    /// # Errors
    /// Too many tries, a sign-in that is too old, and those of [`Users::wants_address`].
    pub async fn ask(
        &self,
        caller: &Caller,
        new: NewEmail,
        address: Address,
        now: Timestamp,
    ) -> Result<Done, Problem> {
        self.limits.count("change-email", address, &caller.id().to_string(), now).await?;
        is_fresh(caller, now)?;
        let new = users::NewAddress::new(new.email, now);
        self.users.wants_address(caller.id(), &new).await?;
        let of = ChangeOf { person: PersonId(caller.id().clone()), which: new.id() };
        self.emails.send(&Queued::new(AddressLetterKind::Code, of)).await?;
        Ok(Done { msg: "We have sent a code to that address. Enter it to use the address." })
    }
}

/// Proving another address.
#[derive(Debug, Clone)]
pub struct ProvingAddress {
    limits: PasswordLimits,
    users: Users,
    guards: Guards,
    codes: AddressCodes,
    directory: Directory,
    emails: EmailQueue,
}

impl FromEnv for ProvingAddress {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            limits: PasswordLimits::from_env(aws)?,
            users: Users::from_env(aws)?,
            guards: Guards::from_env(aws)?,
            codes: AddressCodes::from_env(aws)?,
            directory: Directory::from_env(aws)?,
            emails: EmailQueue::from_env(aws)?,
        })
    }
}

impl ProvingAddress {
    /// Gives the account and then the profile the address that the code proves, and tells whoever reads the one from
    /// before. Safe to repeat: where it died between the two, the second time does the rest, as does the next sign-in.
    ///
    /// # Errors
    /// Too many tries, a wrong code, and those of [`Directory::set_address`].
    pub async fn prove(
        &self,
        token: &AccessToken,
        confirm: &ConfirmEmail,
        address: Address,
        now: Timestamp,
    ) -> Result<Done, Problem> {
        let id = token.caller().id();
        self.limits.count("confirm-email", address, &id.to_string(), now).await?;
        let profile = self.users.find(id).await?.ok_or_else(|| Problem::not_found("profile"))?;
        if !profile.status.is_active() {
            return Err(users::account_closed());
        }
        let proved = self.codes.proved(&profile, confirm.code.as_str(), now);
        let new = proved.ok_or(Error::from(Refusal::CodeMismatch))?;
        self.directory.set_address(token.username(), new.address()).await?;
        if let Some(of) = self.users.address_proved(&self.guards, &profile, new, now).await? {
            self.emails.send_or_leave(&Queued::new(AddressLetterKind::Changed, of)).await;
        }
        Ok(Done { msg: "Your address is changed." })
    }
}
