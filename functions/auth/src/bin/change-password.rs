//! `POST /change-password`: changes the password of a signed-in person, who gives the old one, and ends all sessions.
//!
//! Repeated, it answers that the old password is wrong, because it has changed.

use auth::{Change, ChangePassword, Changed};
use shared::caller::AccessToken;
use shared::guards::rate_limit::{Address, PasswordLimits};
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/change-password", change_password)).await
}

async fn change_password(
    State((limits, passwords)): State<(PasswordLimits, Change)>,
    token: AccessToken,
    address: Address,
    Now(now): Now,
    Input(change): Input<ChangePassword>,
) -> Result<Answer<Changed>, Problem> {
    limits.count("change-password", address, &token.caller().id().to_string(), now).await?;
    let tokens = passwords.change(&token, &change, now).await?;
    Ok(Answer::ok(Changed { msg: "Password successfully changed!", tokens }))
}
