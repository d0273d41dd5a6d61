//! `POST /sign-in/challenge`: checks the code of a person's app, gives tokens and notes the time in the profile.
//!
//! Repeated, it answers that the code was used or the sign-in has ended: both are good once.

use auth::{AnswerChallenge, SignedIn, SigningIn};
use shared::guards::rate_limit::Address;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/sign-in/challenge", answer_challenge)).await
}

async fn answer_challenge(
    State(signing_in): State<SigningIn>,
    address: Address,
    Now(now): Now,
    Input(answer): Input<AnswerChallenge>,
) -> Result<Answer<SignedIn>, Problem> {
    let tokens = signing_in.answer_challenge(&answer, address, now).await?;
    Ok(Answer::ok(SignedIn { msg: "User successfully signed in!", tokens }))
}
