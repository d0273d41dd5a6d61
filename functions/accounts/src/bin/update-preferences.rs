//! `PUT /users/me/preferences`: changes what the caller wants to be told by which way.
//!
//! Safe to repeat: it writes the same again, but for when a text was asked for.

use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};
use users::{PreferenceChanges, PreferencesView, Users};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::put("/users/me/preferences", update_preferences)).await
}

async fn update_preferences(
    State(users): State<Users>,
    caller: Caller,
    Now(now): Now,
    Input(changes): Input<PreferenceChanges>,
) -> Result<Answer<PreferencesView>, Problem> {
    Ok(Answer::ok(users.prefer(caller.id(), &changes, now).await?.into()))
}
