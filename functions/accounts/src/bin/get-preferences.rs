//! `GET /users/me/preferences`: shows what the caller wants to be told by which way; changes nothing.

use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, State};
use users::{PreferencesView, Users};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/users/me/preferences", get_preferences)).await
}

async fn get_preferences(
    State(users): State<Users>,
    caller: Caller,
) -> Result<Answer<PreferencesView>, Problem> {
    let profile = users.find(caller.id()).await?.ok_or_else(|| Problem::not_found("profile"))?;
    Ok(Answer::ok(profile.into()))
}
