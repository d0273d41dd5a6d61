//! `PUT /users/me`: changes what the caller tells the shop of themselves: name, number, language, addresses, marketing.
//!
//! Safe to repeat: it writes the same again, and with `If-Match` what is so already is no other version.

use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, IfMatch, Input, Now, State};
use users::{ProfileChanges, ProfileView, Users};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::put("/users/me", update_profile).conditional()).await
}

async fn update_profile(
    State(users): State<Users>,
    caller: Caller,
    if_match: IfMatch,
    Now(now): Now,
    Input(changes): Input<ProfileChanges>,
) -> Result<Answer<ProfileView>, Problem> {
    Ok(Answer::ok(users.change(caller.id(), &changes, &if_match, now).await?.into()))
}
