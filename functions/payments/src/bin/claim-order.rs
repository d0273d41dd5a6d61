//! `POST /orders/claim`: makes a guest's order and its payments those of the caller, who has what opens it.
//!
//! Safe to repeat: what is the caller's already stays so.

use orders::OrderView;
use orders::guests::Claim;
use payments::claiming::Claiming;
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, State};
use shared::run::telemetry;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/orders/claim", claim_order)).await
}

async fn claim_order(
    State(claiming): State<Claiming>,
    caller: Caller,
    Input(claim): Input<Claim>,
) -> Result<Answer<OrderView>, Problem> {
    telemetry::about("orders", claim.order_id);
    Ok(Answer::ok(claiming.claim(&caller, claim).await?.into()))
}
