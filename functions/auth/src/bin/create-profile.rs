//! After Cognito confirmed a person: records the profile, and makes the shop's AdminEmail an admin.
//!
//! Safe to repeat: the first profile stays, and so does everybody in the group. Cognito waits for this and tries three
//! times, five seconds each; after that the account is confirmed without a profile, until this event is invoked again.

use auth::{AdminEmail, Confirmed, UserPool};
use shared::run::worker::{self, Confirmation};
use shared::values::time::Timestamp;
use users::Users;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::on_confirmation(create_profile).await
}

async fn create_profile(
    (users, user_pool, admin_email): (Users, UserPool, AdminEmail),
    event: Confirmation,
    now: Timestamp,
) -> anyhow::Result<()> {
    let Some(person) = Confirmed::read(event, now)? else { return Ok(()) };
    let person = admin_email.appoint(person);
    users.create(&person.profile).await?;
    if person.is_admin() {
        user_pool.add_to_admins(&person).await?;
    }
    Ok(())
}
