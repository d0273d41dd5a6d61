//! `POST /confirm-sign-up`: confirms a person's address with the code that was emailed.
//!
//! Safe to repeat: a confirmed account stays so, and the answer says that it is.

use auth::{AppClient, ConfirmSignUp, Directory, Done, Refusal};
use shared::guards::rate_limit::{Address, PasswordLimits};
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/confirm-sign-up", confirm_sign_up)).await
}

async fn confirm_sign_up(
    State((limits, app_client, directory)): State<(PasswordLimits, AppClient, Directory)>,
    address: Address,
    Now(now): Now,
    Input(confirmation): Input<ConfirmSignUp>,
) -> Result<Answer<Done>, Problem> {
    limits.count("confirm-sign-up", address, confirmation.account.name(), now).await?;
    let username = directory.username_of(&confirmation.account).await?.ok_or(Refusal::CodeMismatch)?;
    app_client.confirm(&username, &confirmation.code).await?;
    Ok(Answer::ok(Done { msg: "User successfully confirmed!" }))
}
