//! `PUT /stores/{id}`: its owner or an admin changes the name, the description or the support address of a store.
//!
//! Safe to repeat: the store is the same then, in another version. With `If-Match` a repetition finds that version.

use shared::http::problem::Problem;
use shared::http::{self, Answer, IfMatch, Input, Now, PathId, State};
use stores::{OwnStore, StoreChanges, StoreId, Stores};
use users::{Admins, CurrentCaller};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::put("/stores/{id}", update_store).conditional()).await
}

async fn update_store(
    State((_, stores)): State<(Admins, Stores)>,
    CurrentCaller(caller): CurrentCaller,
    PathId(id): PathId<StoreId>,
    if_match: IfMatch,
    Now(now): Now,
    Input(changes): Input<StoreChanges>,
) -> Result<Answer<OwnStore>, Problem> {
    Ok(Answer::ok(stores.change(&caller, id, &if_match, &changes, now).await?.into()))
}
