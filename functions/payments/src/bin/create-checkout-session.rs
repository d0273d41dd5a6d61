//! `POST /payments/create-checkout-session`: places an order and opens the page to pay it on, in one request.
//!
//! Also `POST /guest-payments/create-checkout-session`. Safe to repeat: a key gives the first answer.

use orders::NewCardOrder;
use payments::buying::{Buying, GuestCardOrder};
use payments::views::SessionView;
use shared::caller::Caller;
use shared::guards::rate_limit::Address;
use shared::http::problem::Problem;
use shared::http::{self, Answer, IdempotencyKey, Input, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    let routes = http::post("/payments/create-checkout-session", create_session);
    http::serve(routes.or("/guest-payments/create-checkout-session", create_guest_session)).await
}

async fn create_session(
    State(buying): State<Buying>,
    caller: Caller,
    key: Option<IdempotencyKey>,
    Now(now): Now,
    Input(order): Input<NewCardOrder>,
) -> Result<Answer<SessionView>, Problem> {
    Ok(SessionView::answer(buying.buy_as_person(&caller, &order, key.as_ref(), now).await?))
}

async fn create_guest_session(
    State(buying): State<Buying>,
    address: Address,
    key: Option<IdempotencyKey>,
    Now(now): Now,
    Input(order): Input<GuestCardOrder>,
) -> Result<Answer<SessionView>, Problem> {
    Ok(SessionView::answer(buying.buy_as_guest(address, order, key.as_ref(), now).await?))
}
