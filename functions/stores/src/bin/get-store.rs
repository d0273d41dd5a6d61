//! `GET /stores/{id}`: shows one published store to anyone; changes nothing.

use shared::http::problem::Problem;
use shared::http::{self, Answer, PathId, State};
use stores::{PublicStore, StoreId, Stores};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/stores/{id}", get_store)).await
}

async fn get_store(
    State(stores): State<Stores>,
    PathId(id): PathId<StoreId>,
) -> Result<Answer<PublicStore>, Problem> {
    let store = stores.find_published(id).await?;
    let version = store.version();
    Ok(Answer::ok(store.into()).version(version).cacheable())
}
