//! `PUT /notifications/read`: marks all notifications of the caller's up to one of them as read.
//!
//! Safe to repeat: they are read, and what came since is not.

use inbox::{Inbox, ReadUpTo, Unread};
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::put("/notifications/read", mark_notifications)).await
}

async fn mark_notifications(
    State(inbox): State<Inbox>,
    caller: Caller,
    Now(now): Now,
    Input(read): Input<ReadUpTo>,
) -> Result<Answer<Unread>, Problem> {
    inbox.mark_up_to(caller.id(), read, now).await.map(Answer::ok)
}
