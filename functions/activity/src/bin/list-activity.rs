//! `GET /users/me/activity`: lists what happened in the caller's account, newest first; changes nothing.

use activity::{Activity, ActivityList, Kind};
use shared::caller::Caller;
use shared::dynamo::list::{Cursors, PageRequest};
use shared::http::problem::Problem;
use shared::http::{self, Answer, QueryParameter, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/users/me/activity", list_activity)).await
}

async fn list_activity(
    State((activity, cursors)): State<(Activity, Cursors)>,
    caller: Caller,
    QueryParameter(kind): QueryParameter<Kind>,
    page: PageRequest,
) -> Result<Answer<ActivityList>, Problem> {
    Ok(Answer::page(activity.list_of(caller.id(), kind, &cursors, &page).await?))
}
