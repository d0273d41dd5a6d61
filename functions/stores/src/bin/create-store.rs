//! `POST /stores`: records a store that nobody else sees until it is published.
//!
//! Repeated, its name is taken: by the first one.

use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};
use stores::{Keeping, NewStore, OwnStore};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/stores", create_store)).await
}

async fn create_store(
    State(keeping): State<Keeping>,
    caller: Caller,
    Now(now): Now,
    Input(new): Input<NewStore>,
) -> Result<Answer<OwnStore>, Problem> {
    Ok(Answer::created(keeping.open(&caller, new, now).await?.into()))
}
