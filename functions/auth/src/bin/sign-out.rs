//! `POST /sign-out`: revokes every token that was given to a person.
//!
//! Safe to repeat: a second time the access token is refused, because it is revoked.

use auth::{Done, SignOut, UserPool};
use shared::guards::rate_limit::{Address, PasswordLimits};
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/sign-out", sign_out)).await
}

async fn sign_out(
    State((limits, user_pool)): State<(PasswordLimits, UserPool)>,
    address: Address,
    Now(now): Now,
    Input(session): Input<SignOut>,
) -> Result<Answer<Done>, Problem> {
    limits.count("sign-out", address, session.access_token.as_str(), now).await?;
    user_pool.sign_out(&session.access_token).await?;
    Ok(Answer::ok(Done { msg: "User successfully signed out!" }))
}
