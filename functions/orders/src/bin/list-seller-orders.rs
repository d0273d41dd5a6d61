//! `GET /seller/orders`: lists what the caller sells of orders, newest first, or what is to be sent; changes nothing.

use orders::{Orders, SellerOrderList, SellerStatus};
use shared::caller::Caller;
use shared::dynamo::list::{Cursors, PageRequest};
use shared::http::problem::Problem;
use shared::http::{self, Answer, QueryParameter, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/seller/orders", list_seller_orders)).await
}

async fn list_seller_orders(
    State((orders, cursors)): State<(Orders, Cursors)>,
    caller: Caller,
    QueryParameter(status): QueryParameter<SellerStatus>,
    page: PageRequest,
) -> Result<Answer<SellerOrderList>, Problem> {
    Ok(Answer::page(orders.list_of_seller(caller.id(), status, &cursors, &page).await?))
}
