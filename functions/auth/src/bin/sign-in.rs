//! `POST /sign-in`: checks a person's password, gives tokens and notes the time in the profile.
//!
//! Where the account has a second factor, it gives a session instead, with which `POST /sign-in/challenge` goes on.

use auth::{PasswordTaken, SignIn, SigningIn};
use shared::guards::rate_limit::Address;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    let routes = http::post("/sign-in", sign_in).and("/users/login").and("/auth/login");
    http::serve(routes).await
}

async fn sign_in(
    State(signing_in): State<SigningIn>,
    address: Address,
    Now(now): Now,
    Input(person): Input<SignIn>,
) -> Result<Answer<PasswordTaken>, Problem> {
    Ok(Answer::ok(signing_in.sign_in(&person, address, now).await?.into()))
}
