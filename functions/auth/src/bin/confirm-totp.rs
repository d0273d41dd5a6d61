//! `PUT /users/me/totp`: turns a person's second factor on with the first code of the authenticator app.
//!
//! Repeated, it answers that the code was used; the next code of the app confirms again what is so already.

use auth::{ConfirmTotp, Done, SecondFactor};
use shared::caller::AccessToken;
use shared::guards::rate_limit::{Address, PasswordLimits};
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::put("/users/me/totp", confirm_totp)).await
}

async fn confirm_totp(
    State((limits, second_factor)): State<(PasswordLimits, SecondFactor)>,
    token: AccessToken,
    address: Address,
    Now(now): Now,
    Input(confirmation): Input<ConfirmTotp>,
) -> Result<Answer<Done>, Problem> {
    limits.count("confirm-totp", address, &token.caller().id().to_string(), now).await?;
    second_factor.turn_on(&token, &confirmation, now).await?;
    Ok(Answer::ok(Done { msg: "Your second factor is on. Sign in again to use it." }))
}
