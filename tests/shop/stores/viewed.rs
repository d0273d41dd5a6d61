//! What people looked at: the last look counts, and nothing is left of who goes.

use products::RecentlyViewed;
use shared::dynamo::Remains;
use tests::wait::eventually;

use super::{DAY, MINUTE, for_sale, now, open, someone};

#[tokio::test]
async fn a_look_that_comes_late_or_twice_turns_nothing_back_and_goes_after_a_month() {
    let (viewed, products): (RecentlyViewed, products::Products) = open().await;
    let ann = someone().id().clone();
    let (tea, cup) = (for_sale(&products, 5).await.product_id(), for_sale(&products, 5).await.product_id());
    for (product, at) in [(tea, now() + MINUTE), (cup, now()), (tea, now() - MINUTE), (tea, now() + MINUTE)] {
        viewed.look(&ann, product, at).await.unwrap();
    }
    let seen = async |at| -> Vec<_> {
        let found = viewed.list_of(&ann, at).await.unwrap();
        found.into_iter().map(|found| found.product.id()).collect()
    };
    let last_first = async || (seen(now() + MINUTE).await == [tea, cup]).then_some(());
    eventually("the last look is the first", last_first).await;
    assert_eq!(seen(now() + 30 * DAY).await, [tea], "whatever DynamoDB has deleted");
    while viewed.forget(&ann).await.unwrap() == Remains::More {}
    eventually("all of it is gone", async || seen(now()).await.is_empty().then_some(())).await;
}
