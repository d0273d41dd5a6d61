//! `PUT /stores/{id}/status`: its owner or an admin publishes a store, or takes it and its products out of the shop.
//!
//! Safe to repeat: what is so already changes nothing. What an admin took out, admins alone publish again.

use shared::http::problem::Problem;
use shared::http::{self, Answer, IfMatch, Input, Now, PathId, State};
use stores::{NewStatus, OwnStore, StoreId, Stores, keeping};
use users::{Admins, CurrentCaller};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::put("/stores/{id}/status", set_store_status).conditional()).await
}

async fn set_store_status(
    State((_, stores)): State<(Admins, Stores)>,
    CurrentCaller(caller): CurrentCaller,
    PathId(id): PathId<StoreId>,
    if_match: IfMatch,
    Now(now): Now,
    Input(new): Input<NewStatus>,
) -> Result<Answer<OwnStore>, Problem> {
    Ok(Answer::ok(keeping::set_status(&stores, &caller, id, &if_match, &new, now).await?.into()))
}
