//! `POST /forgot-password`: emails a person a code for a new password.
//!
//! Safe to repeat: the latest code is the one that counts. The answer is the same where there is no such account.

use auth::{AppClient, Done, ForgotPassword};
use shared::guards::rate_limit::{Address, PasswordLimits};
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/forgot-password", forgot_password)).await
}

async fn forgot_password(
    State((limits, app_client)): State<(PasswordLimits, AppClient)>,
    address: Address,
    Now(now): Now,
    Input(wanted): Input<ForgotPassword>,
) -> Result<Answer<Done>, Problem> {
    limits.count("forgot-password", address, wanted.account.name(), now).await?;
    app_client.forgot_password(&wanted.account).await?;
    Ok(Answer::ok(Done { msg: "If the account exists, a code for a new password was sent." }))
}
