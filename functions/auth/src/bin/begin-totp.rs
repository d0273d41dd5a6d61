//! `POST /users/me/totp`: gives a person who has just signed in a key for an authenticator app.
//!
//! Repeated, it gives another key. The last one counts, and only once `PUT /users/me/totp` has confirmed it.

use auth::{NewTotp, UserPool};
use shared::caller::AccessToken;
use shared::guards::rate_limit::{Address, PasswordLimits};
use shared::http::problem::Problem;
use shared::http::{self, Answer, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/users/me/totp", begin_totp)).await
}

async fn begin_totp(
    State((limits, user_pool)): State<(PasswordLimits, UserPool)>,
    token: AccessToken,
    address: Address,
    Now(now): Now,
) -> Result<Answer<NewTotp>, Problem> {
    limits.count("begin-totp", address, &token.caller().id().to_string(), now).await?;
    Ok(Answer::ok(user_pool.begin_totp(&token, now).await?))
}
