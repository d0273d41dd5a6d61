//! The phone that texts go to: somebody says which, enters the code that came there, and may take it back. A code costs
//! the shop money, so it is counted four times before one goes out: who asks from one address pays none of the others.

use serde::Serialize;
use shared::caller::Caller;
use shared::dynamo::Written;
use shared::guards::rate_limit::{Address, CodeLimits};
use shared::http::problem::Problem;
use shared::letters::Queued;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::texts::TextQueue;
use shared::values::time::Timestamp;
use users::texts::CODE_TEXT;
use users::{
    AddPhone, ConfirmPhone, NewNumber, Number, NumberCodes, PersonId, ProofOf, TextCountries, Users,
    code_mismatch,
};

/// The answer to whoever asks for a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CodeSent {
    msg: &'static str,
}

/// The answer to whoever has proved a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Confirmed {
    msg: &'static str,
    phone: Number,
    confirmed_at: Timestamp,
}

/// Asking for a code.
#[derive(Debug, Clone)]
pub struct AddingPhone {
    countries: TextCountries,
    limits: CodeLimits,
    users: Users,
    texts: TextQueue,
}

impl FromEnv for AddingPhone {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            countries: TextCountries::from_env(aws)?,
            limits: CodeLimits::from_env(aws)?,
            users: Users::from_env(aws)?,
            texts: TextQueue::from_env(aws)?,
        })
    }
}

impl AddingPhone {
    /// Notes the number, and has a code sent there. Repeated, it sends another code, and the one before is good no
    /// more.
    ///
    /// # Errors
    /// `texts-off`, `invalid-input` for a number of a country that texts do not go to, `too-many-requests`,
    /// `account-closed`; 404 without a profile.
    pub async fn add(
        &self,
        caller: &Caller,
        AddPhone { phone }: AddPhone,
        address: Address,
        now: Timestamp,
    ) -> Result<CodeSent, Problem> {
        self.countries.check(&phone, "#/phone")?;
        self.limits.count("add-phone", address, (caller.id(), phone.as_str()), now).await?;
        let new = NewNumber::new(phone, now);
        self.users.wants_number(caller.id(), &new).await?;
        let of = ProofOf { person: PersonId(caller.id().clone()), which: new.id() };
        self.texts.send(&Queued::new(CODE_TEXT, of)).await?;
        Ok(CodeSent { msg: "We have sent a code to that phone. Enter it within ten minutes." })
    }
}

/// Entering a code.
#[derive(Debug, Clone)]
pub struct ConfirmingPhone {
    countries: TextCountries,
    users: Users,
    codes: NumberCodes,
}

impl FromEnv for ConfirmingPhone {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            countries: TextCountries::from_env(aws)?,
            users: Users::from_env(aws)?,
            codes: NumberCodes::from_env(aws)?,
        })
    }
}

impl ConfirmingPhone {
    /// Has texts go to the number that the code proves: a try, which is counted first, and a change of the profile.
    /// Safe to repeat: a code that was taken a moment ago gives the same answer.
    ///
    /// # Errors
    /// `texts-off`, `code-mismatch`, `account-closed`; 404 without a profile.
    pub async fn confirm(
        &self,
        caller: &Caller,
        ConfirmPhone { code }: &ConfirmPhone,
        now: Timestamp,
    ) -> Result<Confirmed, Problem> {
        self.countries.check_any()?;
        let proved = match self.users.tries_code(caller.id(), now).await? {
            Written::Done(profile) => {
                let new = self.codes.proved(&profile, code, now).ok_or_else(code_mismatch)?;
                self.users.number_proved(&profile, new, now).await?
            }
            Written::Refused(profile) => {
                self.codes.proved_before(&profile, code, now).cloned().ok_or_else(code_mismatch)?
            }
        };
        let msg = "Your phone is confirmed. Choose which texts you want with PUT /users/me/preferences.";
        Ok(Confirmed { msg, phone: proved.number, confirmed_at: proved.proved_at })
    }
}
