//! `POST /confirm-sign-up`: confirms a person's address with the code that was emailed.
//!
//! Safe to repeat: a confirmed account stays so, though the answer is that of a wrong code.

use auth::{AppClient, ConfirmSignUp, Done};
use shared::guards::rate_limit::{Address, PasswordLimits};
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/confirm-sign-up", confirm_sign_up)).await
}

async fn confirm_sign_up(
    State((limits, app_client)): State<(PasswordLimits, AppClient)>,
    address: Address,
    Now(now): Now,
    Input(confirmation): Input<ConfirmSignUp>,
) -> Result<Answer<Done>, Problem> {
    let username = &confirmation.account.0;
    limits.count("confirm-sign-up", address, username.as_str(), now).await?;
    app_client.confirm(username, &confirmation.code).await?;
    Ok(Answer::ok(Done { msg: "User successfully confirmed!" }))
}
