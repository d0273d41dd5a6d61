//! `POST /payments/{id}/refund`: an admin gives money back, of some lines or in all, or notes that it was given.
//!
//! Safe to repeat: the same `Idempotency-Key`, without which nothing is given back, gives the first answer.

use payments::PaymentId;
use payments::refunding::{NewRefund, RefundAskedView, Refunding};
use shared::guards::KeyedRequest;
use shared::http::problem::Problem;
use shared::http::{self, Answer, IdempotencyKey, Input, Now, PathId, State};
use shared::run::telemetry;
use users::{Admins, CurrentAdmin};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/payments/{id}/refund", refund_payment)).await
}

async fn refund_payment(
    State((_, refunding)): State<(Admins, Refunding)>,
    admin: CurrentAdmin,
    PathId(id): PathId<PaymentId>,
    key: Option<IdempotencyKey>,
    Now(now): Now,
    Input(asked): Input<NewRefund>,
) -> Result<Answer<RefundAskedView>, Problem> {
    telemetry::about("payments", id);
    let key = IdempotencyKey::required(key)?;
    let keyed = KeyedRequest::of("refund-payment", &admin.0, Some(&key), &(id, &asked))?;
    let asked = refunding.refund(&admin, id, &asked, keyed.as_ref(), now).await?;
    Ok(Answer::created_once(asked.map(Into::into)).at(format!("/payments/{id}")))
}
