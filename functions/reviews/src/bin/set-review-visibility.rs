//! `PUT /reviews/{productId}/{userId}/visibility`: an admin hides a review, or shows it again.
//!
//! Safe to repeat: what is so already changes nothing.

use reviews::{Author, Moderating, ProductId, ReviewView, Visibility};
use shared::http::problem::Problem;
use shared::http::{self, Answer, IfMatch, Input, Now, PathIds, State};
use users::{Admins, CurrentAdmin};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::put("/reviews/{productId}/{userId}/visibility", set_review_visibility).conditional())
        .await
}

async fn set_review_visibility(
    State((_, moderating)): State<(Admins, Moderating)>,
    _: CurrentAdmin,
    PathIds(product, author): PathIds<ProductId, Author>,
    if_match: IfMatch,
    Now(now): Now,
    Input(visibility): Input<Visibility>,
) -> Result<Answer<ReviewView>, Problem> {
    let changed = moderating.set_visibility((product, &author), &if_match, &visibility, now).await?;
    Ok(Answer::ok(changed.into()))
}
