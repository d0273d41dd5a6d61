//! `PUT /notifications/{id}/read`: marks one notification of the caller's as read.
//!
//! Safe to repeat: it is read.

use inbox::{Inbox, NotificationId, Unread};
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Now, PathId, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::put("/notifications/{id}/read", mark_notification)).await
}

async fn mark_notification(
    State(inbox): State<Inbox>,
    caller: Caller,
    PathId(id): PathId<NotificationId>,
    Now(now): Now,
) -> Result<Answer<Unread>, Problem> {
    inbox.mark(caller.id(), id, now).await.map(Answer::ok)
}
