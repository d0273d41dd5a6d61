//! `GET /stores`: lists the published stores, newest first; changes nothing.

use shared::dynamo::list::{Cursors, PageRequest};
use shared::http::problem::Problem;
use shared::http::{self, Answer, State};
use stores::{PublicStore, StoreList, Stores};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/stores", list_stores)).await
}

async fn list_stores(
    State((stores, cursors)): State<(Stores, Cursors)>,
    page: PageRequest,
) -> Result<Answer<StoreList<PublicStore>>, Problem> {
    Ok(Answer::page(stores.list_published(&cursors, &page).await?).cacheable())
}
