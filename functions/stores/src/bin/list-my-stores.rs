//! `GET /users/me/stores`: lists the caller's own stores in every state, newest first; changes nothing.

use shared::caller::Caller;
use shared::dynamo::list::{Cursors, PageRequest};
use shared::http::problem::Problem;
use shared::http::{self, Answer, State};
use stores::{OwnStore, StoreList, Stores};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/users/me/stores", list_my_stores)).await
}

async fn list_my_stores(
    State((stores, cursors)): State<(Stores, Cursors)>,
    caller: Caller,
    page: PageRequest,
) -> Result<Answer<StoreList<OwnStore>>, Problem> {
    Ok(Answer::page(stores.list_of(caller.id(), &cursors, &page).await?))
}
