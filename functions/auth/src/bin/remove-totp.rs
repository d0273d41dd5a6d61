//! `DELETE /users/me/totp`: turns off the second factor of a person who has just signed in with it.
//!
//! Safe to repeat: then it is off already.

use auth::SecondFactor;
use shared::caller::AccessToken;
use shared::guards::rate_limit::{Address, PasswordLimits};
use shared::http::problem::Problem;
use shared::http::{self, NoContent, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::delete("/users/me/totp", remove_totp)).await
}

async fn remove_totp(
    State((limits, second_factor)): State<(PasswordLimits, SecondFactor)>,
    token: AccessToken,
    address: Address,
    Now(now): Now,
) -> Result<NoContent, Problem> {
    limits.count("remove-totp", address, &token.caller().id().to_string(), now).await?;
    second_factor.turn_off(&token, now).await?;
    Ok(NoContent)
}
