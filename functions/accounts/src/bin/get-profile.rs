//! `GET /users/me`: shows what the caller has told the shop of themselves; changes nothing.

use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, State};
use users::{ProfileView, Users};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/users/me", get_profile)).await
}

async fn get_profile(State(users): State<Users>, caller: Caller) -> Result<Answer<ProfileView>, Problem> {
    let profile = users.find(caller.id()).await?.ok_or_else(|| Problem::not_found("profile"))?;
    let version = profile.version;
    Ok(Answer::ok(ProfileView::from(profile)).version(version))
}
