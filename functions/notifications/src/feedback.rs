//! What SES tells of mail that came back or was called spam: nothing is written to its address any more.

use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::run::telemetry;
use users::{AddressIds, Feedback, Mail, Suppression, Users};

/// Who has an address, and where it is noted that it gets no email.
#[derive(Debug, Clone)]
pub struct Recording {
    users: Users,
    mail: Mail,
    addresses: AddressIds,
}

impl FromEnv for Recording {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            users: Users::from_env(aws)?,
            mail: Mail::from_env(aws)?,
            addresses: AddressIds::from_env(aws)?,
        })
    }
}

impl Recording {
    /// Notes the addresses to which nothing is written any more, with whose each is. Safe to repeat, and in any order.
    ///
    /// # Errors
    /// When a table does not answer; what is noted by then stays.
    pub async fn record(&self, feedback: &Feedback) -> anyhow::Result<()> {
        for (address, reason, at) in feedback.suppressed() {
            let person = self.users.with_address(&address).await?;
            let suppression = Suppression::new(self.addresses.of(address.as_str()), reason, person, at);
            if self.mail.suppress(&suppression).await? {
                tracing::info!(%reason, "an address gets no email any more");
                telemetry::count("AddressSuppressed", 1);
            }
        }
        Ok(())
    }
}
