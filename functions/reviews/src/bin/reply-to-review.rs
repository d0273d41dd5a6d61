//! `PUT /reviews/{productId}/{userId}/reply`: the seller of a product replies to a review, or takes that back.
//!
//! Safe to repeat: what was said already changes nothing.

use reviews::{Author, Moderating, NewReply, ProductId, ReviewView};
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, IfMatch, Input, Now, PathIds, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::put("/reviews/{productId}/{userId}/reply", reply_to_review).conditional()).await
}

async fn reply_to_review(
    State(moderating): State<Moderating>,
    seller: Caller,
    PathIds(product, author): PathIds<ProductId, Author>,
    if_match: IfMatch,
    Now(now): Now,
    Input(reply): Input<NewReply>,
) -> Result<Answer<ReviewView>, Problem> {
    Ok(Answer::ok(moderating.reply(&seller, (product, &author), &if_match, &reply, now).await?.into()))
}
