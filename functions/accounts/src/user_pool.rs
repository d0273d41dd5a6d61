//! Cognito's user pool, as whoever runs the shop sees it: groups, and who may sign in. Every call is safe to repeat,
//! and an account that is not there any more is in no group and signed in nowhere.

use anyhow::Context;
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::error::{ProvideErrorMetadata, SdkError};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use users::{Role, Status, Username};

/// The groups that are copies of roles. Who buys and no more is in none.
const GROUPS: [Role; 2] = [Role::Admin, Role::Seller];

/// The user pool.
#[derive(Debug, Clone)]
pub struct UserPool {
    cognito: Client,
    id: String,
}

impl FromEnv for UserPool {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { cognito: Client::new(aws.sdk()), id: config::required("USER_POOL_ID")? })
    }
}

impl UserPool {
    /// Has the groups say this role, and no other.
    ///
    /// # Errors
    /// When the user pool does not take it.
    pub async fn set_role(&self, username: &Username, role: Role) -> anyhow::Result<()> {
        for group in GROUPS {
            if group == role {
                let add = self.cognito.admin_add_user_to_group().user_pool_id(&self.id);
                let add = add.username(username.as_str()).group_name(group.as_str());
                unless_gone(add.send().await).context("add somebody to a group")?;
            } else {
                let remove = self.cognito.admin_remove_user_from_group().user_pool_id(&self.id);
                let remove = remove.username(username.as_str()).group_name(group.as_str());
                unless_gone(remove.send().await).context("take somebody out of a group")?;
            }
        }
        Ok(())
    }

    /// Lets an account sign in, or not.
    ///
    /// # Errors
    /// When the user pool does not take it.
    pub async fn set_status(&self, username: &Username, status: Status) -> anyhow::Result<()> {
        if status.is_active() {
            let enable = self.cognito.admin_enable_user().user_pool_id(&self.id);
            unless_gone(enable.username(username.as_str()).send().await).context("let an account sign in")
        } else {
            let disable = self.cognito.admin_disable_user().user_pool_id(&self.id);
            unless_gone(disable.username(username.as_str()).send().await)
                .context("let an account sign in no more")
        }
    }

    /// Deletes an account.
    ///
    /// # Errors
    /// When the user pool does not take it.
    pub async fn delete(&self, username: &Username) -> anyhow::Result<()> {
        let delete = self.cognito.admin_delete_user().user_pool_id(&self.id);
        unless_gone(delete.username(username.as_str()).send().await).context("delete an account")
    }

    /// Revokes every token that an account was given. What API Gateway takes by its signature is good until it expires.
    ///
    /// # Errors
    /// When the user pool does not take it.
    pub async fn sign_out(&self, username: &Username) -> anyhow::Result<()> {
        let out = self.cognito.admin_user_global_sign_out().user_pool_id(&self.id);
        unless_gone(out.username(username.as_str()).send().await).context("sign somebody out everywhere")
    }
}

/// What an account that is not there has to be told is nothing.
fn unless_gone<T, E>(sent: Result<T, SdkError<E>>) -> anyhow::Result<()>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match sent {
        Ok(_) => Ok(()),
        Err(error) if error.code() == Some("UserNotFoundException") => Ok(()),
        Err(error) => Err(error.into()),
    }
}
