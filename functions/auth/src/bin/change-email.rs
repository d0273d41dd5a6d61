//! `POST /users/me/email`: has a code emailed to the address that a person who has just signed in wants to have.
//!
//! Repeated, it has another code emailed; the last one counts.

use auth::{AskingForAddress, Done, NewEmail};
use shared::caller::Caller;
use shared::guards::rate_limit::Address;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/users/me/email", change_email)).await
}

async fn change_email(
    State(asking): State<AskingForAddress>,
    caller: Caller,
    address: Address,
    Now(now): Now,
    Input(new): Input<NewEmail>,
) -> Result<Answer<Done>, Problem> {
    Ok(Answer::accepted(asking.ask(&caller, new, address, now).await?))
}
