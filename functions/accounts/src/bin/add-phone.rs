//! `POST /users/me/phone`: has a code sent to the phone that the caller wants texts at.
//!
//! Repeated, it sends another code, as often as the limits let it.

use accounts::phones::{AddingPhone, CodeSent};
use shared::caller::Caller;
use shared::guards::rate_limit::Address;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};
use users::AddPhone;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/users/me/phone", add_phone)).await
}

async fn add_phone(
    State(adding): State<AddingPhone>,
    caller: Caller,
    address: Address,
    Now(now): Now,
    Input(phone): Input<AddPhone>,
) -> Result<Answer<CodeSent>, Problem> {
    Ok(Answer::accepted(adding.add(&caller, phone, address, now).await?))
}
