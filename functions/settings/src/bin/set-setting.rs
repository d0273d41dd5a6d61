//! `PUT /settings/shipping` and `PUT /settings/tax`: an admin sets how the shop sends or taxes.
//!
//! Safe to repeat: what is so already changes nothing.

use settings::{Document, Settings, Shipping, Shown, Tax};
use shared::http::problem::Problem;
use shared::http::{self, Answer, IfMatch, Input, Now, State};
use users::{Admins, CurrentAdmin};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    let routes = http::put("/settings/shipping", set_setting::<Shipping>);
    http::serve(routes.or("/settings/tax", set_setting::<Tax>).conditional()).await
}

async fn set_setting<D: Document>(
    State((_, settings)): State<(Admins, Settings)>,
    _: CurrentAdmin,
    if_match: IfMatch,
    Now(now): Now,
    Input(document): Input<D>,
) -> Result<Answer<Shown<D::View>>, Problem> {
    Ok(Answer::ok(settings.replace(&document, &if_match, now).await?.into()))
}
