//! `POST /notifications/sms`: an admin has something texted to a person or to a number.
//!
//! Safe to repeat: the same `Idempotency-Key`, without which nothing is sent, gives the first answer.

use notifications::admin_texts::{AdminText, AdminTexts, TextQueued};
use shared::guards::KeyedRequest;
use shared::http::problem::Problem;
use shared::http::{self, Answer, IdempotencyKey, Input, Now, State};
use users::{Admins, CurrentAdmin};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/notifications/sms", notify_by_text)).await
}

async fn notify_by_text(
    State((_, texts)): State<(Admins, AdminTexts)>,
    admin: CurrentAdmin,
    key: Option<IdempotencyKey>,
    Now(now): Now,
    Input(text): Input<AdminText>,
) -> Result<Answer<TextQueued>, Problem> {
    let key = IdempotencyKey::required(key)?;
    let keyed = KeyedRequest::of("notify-by-text", &admin.0, Some(&key), &text)?;
    Ok(Answer::accepted_once(texts.queue(&admin.0, &text, keyed.as_ref(), now).await?))
}
