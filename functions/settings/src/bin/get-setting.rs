//! `GET /settings/shipping` and `GET /settings/tax`: shows an admin how the shop sends or taxes; changes nothing.

use settings::{Document, Settings, Shipping, Shown, Tax};
use shared::caller::Admin;
use shared::http::problem::Problem;
use shared::http::{self, Answer, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    let routes = http::get("/settings/shipping", get_setting::<Shipping>);
    http::serve(routes.or("/settings/tax", get_setting::<Tax>)).await
}

async fn get_setting<D: Document>(
    State(settings): State<Settings>,
    _: Admin,
) -> Result<Answer<Shown<D::View>>, Problem> {
    let found = settings.find::<D>().await?;
    let version = found.version();
    Ok(Answer::ok(found.into()).version(version))
}
