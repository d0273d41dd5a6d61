//! `POST /resend-code`: emails a new confirmation code to a person who has not confirmed yet.
//!
//! Safe to repeat: the latest code is the one that counts. The answer is the same where there is no such account, or a
//! confirmed one.

use auth::{AppClient, Done, ResendCode};
use shared::guards::rate_limit::{Address, PasswordLimits};
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/resend-code", resend_code)).await
}

async fn resend_code(
    State((limits, app_client)): State<(PasswordLimits, AppClient)>,
    address: Address,
    Now(now): Now,
    Input(wanted): Input<ResendCode>,
) -> Result<Answer<Done>, Problem> {
    let username = &wanted.account.0;
    limits.count("resend-code", address, username.as_str(), now).await?;
    app_client.resend_code(username).await?;
    Ok(Answer::ok(Done { msg: "Confirmation code sent." }))
}
