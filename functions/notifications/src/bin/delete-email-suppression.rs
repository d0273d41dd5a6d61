//! `DELETE /email-suppressions/{id}`: an admin has an address get email again.
//!
//! Safe to repeat: then it does already.

use shared::http::problem::Problem;
use shared::http::{self, NoContent, PathId, State};
use users::{AddressId, Admins, CurrentAdmin, Mail};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::delete("/email-suppressions/{id}", delete_email_suppression)).await
}

async fn delete_email_suppression(
    State((_, mail)): State<(Admins, Mail)>,
    _: CurrentAdmin,
    PathId(id): PathId<AddressId>,
) -> Result<NoContent, Problem> {
    mail.lift(&id).await?;
    Ok(NoContent)
}
