//! `POST /reset-password`: sets a new password with the code that was emailed, and ends all sessions.
//!
//! Repeated, it answers that the code is wrong or expired: a code is good once.

use auth::{Done, Recovery, ResetPassword};
use shared::guards::rate_limit::{Address, PasswordLimits};
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/reset-password", reset_password)).await
}

async fn reset_password(
    State((limits, recovery)): State<(PasswordLimits, Recovery)>,
    address: Address,
    Now(now): Now,
    Input(reset): Input<ResetPassword>,
) -> Result<Answer<Done>, Problem> {
    limits.count("reset-password", address, reset.account.name(), now).await?;
    recovery.reset(&reset, now).await?;
    Ok(Answer::ok(Done { msg: "Password successfully reset!" }))
}
