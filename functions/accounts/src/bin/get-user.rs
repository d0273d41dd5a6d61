//! `GET /users/{id}`: shows an admin who somebody is and what they may do; changes nothing.

use shared::caller::Admin;
use shared::http::problem::Problem;
use shared::http::{self, Answer, PathId, State};
use users::{PersonId, PersonView, Users};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/users/{id}", get_user)).await
}

async fn get_user(
    State(users): State<Users>,
    _: Admin,
    PathId(PersonId(id)): PathId<PersonId>,
) -> Result<Answer<PersonView>, Problem> {
    let profile = users.find(&id).await?.ok_or_else(|| Problem::not_found("user"))?;
    Ok(Answer::ok(profile.into()))
}
