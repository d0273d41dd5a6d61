//! `GET /webhooks/{id}/deliveries`: lists to an admin what an address was told, newest first; changes nothing.

use shared::caller::Admin;
use shared::dynamo::list::{Cursors, PageRequest};
use shared::http::problem::Problem;
use shared::http::{self, Answer, PathId, QueryParameter, State};
use webhooks::{DeliveryList, DeliveryStatus, EndpointId, Webhooks};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/webhooks/{id}/deliveries", list_webhook_deliveries)).await
}

async fn list_webhook_deliveries(
    State((webhooks, cursors)): State<(Webhooks, Cursors)>,
    _: Admin,
    PathId(id): PathId<EndpointId>,
    QueryParameter(status): QueryParameter<DeliveryStatus>,
    page: PageRequest,
) -> Result<Answer<DeliveryList>, Problem> {
    webhooks.existing(id).await?;
    Ok(Answer::page(webhooks.deliveries(id, status, &cursors, &page).await?))
}
