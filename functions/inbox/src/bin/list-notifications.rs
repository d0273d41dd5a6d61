//! `GET /notifications`: lists what the caller was told, newest first, and how much is unread; changes nothing.

use inbox::{After, Inbox, Language, NotificationList};
use shared::caller::Caller;
use shared::dynamo::list::{Cursors, PageRequest};
use shared::http::problem::Problem;
use shared::http::{self, Answer, Now, QueryParameter, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/notifications", list_notifications)).await
}

async fn list_notifications(
    State((inbox, cursors)): State<(Inbox, Cursors)>,
    caller: Caller,
    QueryParameter(after): QueryParameter<After>,
    QueryParameter(language): QueryParameter<Language>,
    page: PageRequest,
    Now(now): Now,
) -> Result<Answer<NotificationList>, Problem> {
    let whose = (caller.id(), after, language.unwrap_or(Language::English));
    let list = inbox.list_of(whose, &cursors, &page, now).await?;
    let next = list.next_cursor();
    Ok(Answer::ok(list).followed_by(next))
}
