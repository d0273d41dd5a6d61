//! `POST /sign-in`: checks a person's password, gives tokens and notes the time in the profile.

use auth::{AppClient, SignIn, SignedIn};
use shared::guards::rate_limit::{Address, PasswordLimits};
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};
use users::Users;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/sign-in", sign_in)).await
}

async fn sign_in(
    State((limits, app_client, users)): State<(PasswordLimits, AppClient, Users)>,
    address: Address,
    Now(now): Now,
    Input(person): Input<SignIn>,
) -> Result<Answer<SignedIn>, Problem> {
    limits.count("sign-in", address, person.account.name(), now).await?;
    let tokens = app_client.sign_in(&person.account, &person.password).await?;
    auth::note(async { users.signed_in(&tokens.user_id()?, now).await }).await;
    Ok(Answer::ok(SignedIn { msg: "User successfully signed in!", tokens }))
}
