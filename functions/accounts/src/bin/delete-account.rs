//! `DELETE /users/me`: begins the deletion of the account of a person who has just signed in.
//!
//! Safe to repeat: it is begun once.

use accounts::{Departure, Leaving};
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::delete("/users/me", delete_account)).await
}

async fn delete_account(
    State(leaving): State<Leaving>,
    caller: Caller,
    Now(now): Now,
) -> Result<Answer<Departure>, Problem> {
    Ok(Answer::accepted(leaving.begin(&caller, now).await?))
}
