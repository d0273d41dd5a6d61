//! `GET /users/me/export`: shows all that is kept of a person who has just signed in, or has it made into a file.
//!
//! Safe to repeat: while a file is being made, or is there, no other is.

use accounts::{Exported, Exporting};
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/users/me/export", export_data)).await
}

async fn export_data(
    State(exporting): State<Exporting>,
    caller: Caller,
    Now(now): Now,
) -> Result<Answer<Exported>, Problem> {
    Ok(exporting.export(&caller, now).await?.into())
}
