//! `PUT /users/{id}/role`: an admin makes a person a customer, a seller or an admin, with immediate effect.
//!
//! Safe to repeat: what is so already changes nothing.

use accounts::Accounts;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, PathId, State};
use users::{Admins, CurrentAdmin, NewRole, PersonId, PersonView};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::put("/users/{id}/role", set_role)).await
}

async fn set_role(
    State((_, accounts)): State<(Admins, Accounts)>,
    CurrentAdmin(admin): CurrentAdmin,
    PathId(PersonId(id)): PathId<PersonId>,
    Now(now): Now,
    Input(new): Input<NewRole>,
) -> Result<Answer<PersonView>, Problem> {
    Ok(Answer::ok(accounts.set_role(&admin, &id, new.role, now).await?))
}
