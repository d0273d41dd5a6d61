//! `POST /change-password`: changes the password of a signed-in person, who gives the old one.
//!
//! Repeated, it answers that the old password is wrong, because it has changed.

use auth::{ChangePassword, Done, UserPool};
use shared::caller::AccessToken;
use shared::guards::rate_limit::{Address, PasswordLimits};
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};
use users::Users;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/change-password", change_password)).await
}

async fn change_password(
    State((limits, user_pool, users)): State<(PasswordLimits, UserPool, Users)>,
    token: AccessToken,
    address: Address,
    Now(now): Now,
    Input(change): Input<ChangePassword>,
) -> Result<Answer<Done>, Problem> {
    limits.count("change-password", address, &token.caller().id().to_string(), now).await?;
    user_pool.change_password(&token, &change).await?;
    auth::note(users.password_changed(token.caller().id(), now)).await;
    Ok(Answer::ok(Done { msg: "Password successfully changed!" }))
}
