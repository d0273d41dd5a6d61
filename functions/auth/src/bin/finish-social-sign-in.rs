//! `POST /auth/exchange`: gives the page that began a social sign-in its tokens, and notes the time in the profile.
//!
//! Repeated, it answers that the sign-in has ended: the code is good once.

use auth::{FinishSocialSignIn, FinishingSocially, SignedIn};
use shared::guards::rate_limit::{Address, PasswordLimits};
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/auth/exchange", finish_social_sign_in)).await
}

async fn finish_social_sign_in(
    State((limits, social)): State<(PasswordLimits, FinishingSocially)>,
    address: Address,
    Now(now): Now,
    Input(finish): Input<FinishSocialSignIn>,
) -> Result<Answer<SignedIn>, Problem> {
    limits.count_address("finish-social-sign-in", address, now).await?;
    let tokens = social.finish(&finish, now).await?;
    Ok(Answer::ok(SignedIn { msg: "User successfully signed in!", tokens }))
}
