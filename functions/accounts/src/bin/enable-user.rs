//! `POST /users/{id}/enable`: an admin opens an account again that was closed.
//!
//! Safe to repeat: what is so already changes nothing.

use accounts::Accounts;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Now, PathId, State};
use users::{Admins, CurrentAdmin, PersonId, PersonView, Status};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/users/{id}/enable", enable_user)).await
}

async fn enable_user(
    State((_, accounts)): State<(Admins, Accounts)>,
    CurrentAdmin(admin): CurrentAdmin,
    PathId(PersonId(id)): PathId<PersonId>,
    Now(now): Now,
) -> Result<Answer<PersonView>, Problem> {
    Ok(Answer::ok(accounts.set_status(&admin, &id, Status::Active, now).await?))
}
