//! `POST /payments/webhook`: makes so what Stripe signs and tells of payments and refunds.
//!
//! Safe to repeat: what is told again, by the same event or by another one, has happened.

use payments::receiving::{Received, Receiving};
use shared::http::problem::Problem;
use shared::http::{self, Answer, Now, Signed, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/payments/webhook", receive_stripe_event)).await
}

async fn receive_stripe_event(
    State(receiving): State<Receiving>,
    Now(now): Now,
    sent: Signed,
) -> Result<Answer<Received>, Problem> {
    Ok(Answer::ok(receiving.receive(&sent, now).await?))
}
