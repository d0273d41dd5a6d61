//! `POST /sign-out`: revokes every token that was given to a person.
//!
//! Safe to repeat: a second time the access token is refused, because it is revoked.

use auth::{Done, SignOut, UserPool};
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/sign-out", sign_out)).await
}

async fn sign_out(
    State(user_pool): State<UserPool>,
    Input(session): Input<SignOut>,
) -> Result<Answer<Done>, Problem> {
    user_pool.sign_out(&session.access_token).await?;
    Ok(Answer::ok(Done { msg: "User successfully signed out!" }))
}
