//! `GET /users`: lists the shop's people to an admin, newest first or by how their address begins; changes nothing.

use shared::caller::Admin;
use shared::dynamo::list::{Cursors, PageRequest};
use shared::http::problem::Problem;
use shared::http::{self, Answer, QueryParameter, State};
use users::{EmailPrefix, PeopleList, Users};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/users", list_users)).await
}

async fn list_users(
    State((users, cursors)): State<(Users, Cursors)>,
    _: Admin,
    QueryParameter(email): QueryParameter<EmailPrefix>,
    page: PageRequest,
) -> Result<Answer<PeopleList>, Problem> {
    Ok(Answer::page(users.list(email.as_ref(), &cursors, &page).await?))
}
