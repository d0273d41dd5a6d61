//! `DELETE /users/me/phone`: forgets the phone that the caller had texts at, and that they were wanted there.
//!
//! Safe to repeat: then there is nothing to forget.

use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, NoContent, State};
use users::Users;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::delete("/users/me/phone", remove_phone)).await
}

async fn remove_phone(State(users): State<Users>, caller: Caller) -> Result<NoContent, Problem> {
    users.forget_number(caller.id()).await?;
    Ok(NoContent)
}
