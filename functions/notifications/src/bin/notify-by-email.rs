//! `POST /notifications/email`: an admin has something emailed to a person or to an address.
//!
//! Safe to repeat: the same key gives the first answer, and one email.

use shared::guards::IdempotencyKey;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};
use users::{Admins, CurrentAdmin, MessageQueued, Messaging, NewMessage};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/notifications/email", notify_by_email)).await
}

async fn notify_by_email(
    State((_, messaging)): State<(Admins, Messaging)>,
    CurrentAdmin(admin): CurrentAdmin,
    key: Option<IdempotencyKey>,
    Now(now): Now,
    Input(new): Input<NewMessage>,
) -> Result<Answer<MessageQueued>, Problem> {
    let key = IdempotencyKey::required(key)?;
    Ok(Answer::accepted_once(messaging.send(&admin, &key, new, now).await?))
}
