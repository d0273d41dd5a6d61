//! `POST /guest-orders/links`: queues an email with the links of an address's orders, whether there are any or not.
//!
//! Each request is one email at most; how many an address gets is limited.

use orders::guests::{LinksOf, LinksPromised, SendingLinks};
use shared::guards::rate_limit::Address;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/guest-orders/links", send_order_links)).await
}

async fn send_order_links(
    State(sending): State<SendingLinks>,
    address: Address,
    Now(now): Now,
    Input(of): Input<LinksOf>,
) -> Result<Answer<LinksPromised>, Problem> {
    Ok(Answer::accepted(sending.send(of, address, now).await?))
}
