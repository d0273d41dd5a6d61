//! `POST /sign-in`: checks a person's password and gives tokens; changes nothing.

use auth::{AppClient, SignIn, SignedIn};
use shared::http::{self, Answer, Input, State};
use shared::problem::Problem;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/sign-in", sign_in)).await
}

async fn sign_in(
    State(app_client): State<AppClient>,
    Input(person): Input<SignIn>,
) -> Result<Answer<SignedIn>, Problem> {
    let tokens = app_client.sign_in(&person.account, &person.password).await?;
    Ok(Answer::ok(SignedIn { msg: "User successfully signed in!", tokens }))
}
