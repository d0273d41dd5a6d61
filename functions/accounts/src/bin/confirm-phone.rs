//! `POST /users/me/phone/confirm`: has texts to the caller go to the phone that the code from there proves.
//!
//! Safe to repeat: the same code gives the same phone, for ten minutes.

use accounts::phones::{Confirmed, ConfirmingPhone};
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};
use users::ConfirmPhone;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/users/me/phone/confirm", confirm_phone)).await
}

async fn confirm_phone(
    State(confirming): State<ConfirmingPhone>,
    caller: Caller,
    Now(now): Now,
    Input(confirm): Input<ConfirmPhone>,
) -> Result<Answer<Confirmed>, Problem> {
    Ok(Answer::ok(confirming.confirm(&caller, &confirm, now).await?))
}
