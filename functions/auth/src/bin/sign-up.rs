//! `POST /sign-up`: creates an unconfirmed account and has a confirmation code emailed.
//!
//! Repeated, it answers that the name is taken: by the account of the first time, which then waits for its code.

use auth::{Done, SignUp, SigningUp};
use shared::guards::rate_limit::{Address, EveryonesLimit, PasswordLimits};
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    let routes = http::post("/sign-up", sign_up).and("/users/register").and("/auth/register");
    http::serve(routes).await
}

async fn sign_up(
    State((limits, in_all, signing_up)): State<(PasswordLimits, EveryonesLimit, SigningUp)>,
    address: Address,
    Now(now): Now,
    Input(person): Input<SignUp>,
) -> Result<Answer<Done>, Problem> {
    limits.count("sign-up", address, person.email().as_str(), now).await?;
    in_all.count("sign-up", now).await?;
    signing_up.sign_up(&person).await?;
    Ok(Answer::created(Done { msg: "Account created. Please verify your email." }))
}
