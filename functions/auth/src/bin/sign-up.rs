//! `POST /sign-up`: creates an unconfirmed account and has a confirmation code emailed.
//!
//! Repeated, it answers that the name is taken: by the account of the first time, which then waits for its code.

use auth::{AppClient, Done, SignUp};
use shared::http::{self, Answer, Input, State};
use shared::problem::Problem;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/sign-up", sign_up)).await
}

async fn sign_up(
    State(app_client): State<AppClient>,
    Input(person): Input<SignUp>,
) -> Result<Answer<Done>, Problem> {
    app_client.sign_up(&person).await?;
    Ok(Answer::created(Done { msg: "Account created. Please verify your email." }))
}
