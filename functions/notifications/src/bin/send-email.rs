//! Consumes the Emails queue: sends each email about an order once and records that it went out.
//!
//! Safe to repeat: an email is claimed before it is sent, and one that was sent is not sent again.

use anyhow::Context;
use notifications::{Claim, Claims, Email, Mailer, NotSent, TryId, WebShop, settles};
use orders::{EmailQueued, Orders};
use shared::run::telemetry;
use shared::run::worker::{self, Message};
use users::Users;

type State = ((Orders, Users), Claims, (Mailer, WebShop));

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::consume(send_email).await
}

async fn send_email(
    ((orders, users), claims, (mailer, shop)): State,
    message: Message<EmailQueued>,
) -> anyhow::Result<()> {
    let EmailQueued { kind, order_id } = message.body;
    telemetry::about("orders", order_id);
    let order = orders.find(order_id).await?.context("there is no such order")?;
    let reader = users.find(order.buyer()).await?.context("the buyer has no profile")?;
    let Some(email) = Email::about(&order, kind, &reader.full_name, &shop)? else {
        tracing::info!(%order_id, kind = kind.as_str(), "no longer so: not sent");
        return Ok(());
    };
    let this_try = TryId::at(message.received_at);
    match claims.claim(message.body, this_try, message.received_at).await? {
        Claim::Busy => anyhow::bail!("another sender holds the claim"),
        Claim::AlreadySent => {}
        claim => {
            if claim == Claim::TakenOver {
                telemetry::count("PossibleDuplicateEmail", 1);
            }
            match mailer.send(reader.email.as_str(), &email).await {
                Ok(()) => claims.record(message.body, message.received_at).await?,
                Err(NotSent::Refused(error)) => {
                    claims.give_back(message.body, this_try).await?;
                    return Err(error);
                }
                Err(NotSent::Unknown(error)) => return Err(error),
            }
            tracing::info!(%order_id, kind = kind.as_str(), "email sent");
            telemetry::count("EmailSent", 1);
        }
    }
    match settles(kind) {
        Some(status) => orders.settle(order_id, status).await,
        None => Ok(()),
    }
}
