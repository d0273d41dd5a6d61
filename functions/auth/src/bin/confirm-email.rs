//! `POST /users/me/email/confirm`: gives a person's account the address that the code from there proves.
//!
//! Safe to repeat: the same code gives the same address.

use auth::{ConfirmEmail, Done, ProvingAddress};
use shared::caller::AccessToken;
use shared::guards::rate_limit::Address;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/users/me/email/confirm", confirm_email)).await
}

async fn confirm_email(
    State(proving): State<ProvingAddress>,
    token: AccessToken,
    address: Address,
    Now(now): Now,
    Input(confirm): Input<ConfirmEmail>,
) -> Result<Answer<Done>, Problem> {
    Ok(Answer::ok(proving.prove(&token, &confirm, address, now).await?))
}
