//! `GET /email-suppressions`: lists the addresses that get no email to an admin, newest first; changes nothing.

use shared::caller::Admin;
use shared::dynamo::list::{Cursors, PageRequest};
use shared::http::problem::Problem;
use shared::http::{self, Answer, QueryParameter, State};
use users::{Email, SuppressionList, Suppressions};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/email-suppressions", list_email_suppressions)).await
}

async fn list_email_suppressions(
    State((suppressions, cursors)): State<(Suppressions, Cursors)>,
    _: Admin,
    QueryParameter(email): QueryParameter<Email>,
    page: PageRequest,
) -> Result<Answer<SuppressionList>, Problem> {
    Ok(Answer::page(suppressions.list(email.as_ref(), &cursors, &page).await?))
}
