//! Reviews and what their stars come to, and who has bought what: condition by condition.

use offers::Offer;
use orders::{OrderId, OrderStatus, Orders, ParcelProgress};
use products::ratings::Stars;
use products::{ProductId, Products};
use reviews::{
    Author, Error, Given, Moderating, NewReply, NewReview, Order, PurchaseRule, Purchases, Review, Reviews,
    Visibility,
};
use serde_json::{Value, json};
use shared::caller::{Caller, UserId};
use shared::dynamo::list::{Cursors, Page};
use shared::http::{IfMatch, input};
use shared::values::time::Timestamp;
use tests::aws::Aws as Cloud;
use tests::meddler::Meddler;
use tests::wait::{at_once, eventually};

use super::lists::page;
use super::products::rejected;
use super::{
    MINUTE, before, buyer, collected, conflict, for_sale, found_order, now, open, open_behind, placed,
    someone, waiting,
};

/// What these tests need of a shop.
#[derive(Clone)]
struct Shop {
    reviews: Reviews,
    purchases: Purchases,
    orders: Orders,
    products: Products,
    moderating: Moderating,
    cursors: Cursors,
}

impl Shop {
    async fn open() -> Self {
        Self {
            reviews: open().await,
            purchases: open().await,
            orders: open().await,
            products: open().await,
            moderating: open().await,
            cursors: open().await,
        }
    }

    /// A product that is for sale.
    async fn product(&self) -> Offer {
        for_sale(&self.products, 100).await
    }

    /// An order of a piece that is on its way.
    async fn sent(&self, buyer: &Caller, offer: &Offer) -> OrderId {
        let id = placed(&self.orders, buyer, &[(offer, 1)], before()).await;
        self.orders.ship(id, now()).await.expect("it ships");
        id
    }

    /// Somebody who has the product.
    async fn owner_of(&self, offer: &Offer) -> Caller {
        let buyer = buyer().await;
        let order = self.sent(&buyer, offer).await;
        self.purchases.follow(&self.orders, order).await.expect("the tables answer");
        buyer
    }

    /// A review by somebody who has the product, of so many stars.
    async fn reviewed(&self, offer: &Offer, stars: u8, at: Timestamp) -> Review {
        let owner = self.owner_of(offer).await;
        self.post(offer.product_id(), &owner, stars, at).await.expect("a review")
    }

    async fn post(
        &self,
        product: ProductId,
        author: &Caller,
        stars: u8,
        at: Timestamp,
    ) -> Result<Review, Error> {
        self.post_by(PurchaseRule::Needed, product, author, stars, at).await
    }

    async fn post_by(
        &self,
        rule: PurchaseRule,
        product: ProductId,
        author: &Caller,
        stars: u8,
        at: Timestamp,
    ) -> Result<Review, Error> {
        let review = Review::new(product, author.id(), said(stars), at);
        self.reviews.post(review, rule).await
    }

    async fn stars(&self, offer: &Offer) -> [u32; 5] {
        self.products.stars_of(offer.product_id(), now()).await.expect("it is for sale").each()
    }

    /// What the reviews of a product that are shown come to, and its totals, which are the same.
    async fn counted(&self, offer: &Offer) -> [u32; 5] {
        let mut counted = [0; 5];
        for review in self.listed(offer, Order::Newest, None).await {
            counted[usize::from(review.stars().stars()) - 1] += 1;
        }
        assert_eq!(counted, self.stars(offer).await);
        counted
    }

    async fn listed(&self, offer: &Offer, order: Order, stars: Option<u8>) -> Vec<Review> {
        let stars = stars.and_then(Given::new);
        let (mut reviews, mut cursor) = (Vec::new(), None);
        loop {
            let request = page(2, cursor.as_deref()).await;
            let found = self.reviews.list(offer.product_id(), order, stars, &self.cursors, &request).await;
            let Page { entries, next_cursor } = found.expect("a page");
            reviews.extend(entries);
            cursor = next_cursor;
            if cursor.is_none() {
                return reviews;
            }
        }
    }

    async fn hide(&self, review: &Review, visible: &Value) -> Result<Review, Error> {
        let visibility: Visibility = input::parse(visible.to_string().as_bytes()).expect("visibility");
        let author = Author(review.author().clone());
        self.moderating
            .set_visibility((review.product_id(), &author), &IfMatch::Any, &visibility, now())
            .await
    }

    async fn found(&self, review: &Review) -> Option<Review> {
        self.reviews.find(key(review)).await.expect("the table answers")
    }
}

fn key(review: &Review) -> (ProductId, &UserId) {
    (review.product_id(), review.author())
}

fn said(stars: u8) -> NewReview {
    input::parse(json!({ "stars": stars, "text": "So it is." }).to_string().as_bytes()).expect("a review")
}

fn version(version: u32) -> IfMatch {
    IfMatch::Versions([version].into())
}

fn later() -> Timestamp {
    now() + MINUTE
}

/// Changes what came back of an order behind the shop's back: so many pieces of what it is of.
async fn paid_back(order: OrderId, offer: &Offer, pieces: u32) {
    let cloud = Cloud::open().await;
    let number = |number: u32| json!({ "N": number.to_string() });
    let line = json!({ "M": {
        "offerId": { "S": offer.id() }, "refunded": number(pieces), "amount": number(450 * pieces),
        "returned": number(0)
    } });
    let update = json!({
        "TableName": cloud.output("OrdersTable"),
        "Key": { "orderId": { "S": order } },
        "UpdateExpression": "SET #back = :back",
        "ExpressionAttributeNames": { "#back": "back" },
        "ExpressionAttributeValues": { ":back": { "M": { "version": number(1), "lines": { "L": [line] } } } },
    });
    cloud.json("dynamodb", "DynamoDB_20120810.UpdateItem", update).await;
}

/// The orders by which somebody has a product.
async fn purchases(person: &Caller, offer: &Offer) -> Vec<String> {
    let cloud = Cloud::open().await;
    let key = json!({ "userId": { "S": person.id() }, "productId": { "S": offer.product_id() } });
    let input = json!({ "TableName": cloud.output("PurchasesTable"), "Key": key, "ConsistentRead": true });
    let item = cloud.json("dynamodb", "DynamoDB_20120810.GetItem", input).await["Item"].take();
    let orders = item["orders"]["SS"].as_array().into_iter().flatten();
    orders.map(|order| order.as_str().expect("an id").to_owned()).collect()
}

#[tokio::test]
async fn one_person_has_one_review_of_a_product_however_many_come_at_once() {
    let shop = Shop::open().await;
    let tea = shop.product().await;
    let ann = shop.owner_of(&tea).await;
    let results = at_once(5, |number| {
        let (shop, ann, tea) = (shop.clone(), ann.clone(), tea.product_id());
        async move { shop.post(tea, &ann, u8::try_from(number).expect("a digit") + 1, now()).await }
    });
    let (done, refused): (Vec<_>, Vec<_>) = results.await.into_iter().partition(Result::is_ok);
    assert!(refused.iter().all(|refused| matches!(refused, Err(Error::AlreadyReviewed))), "{refused:?}");
    let [Ok(review)] = &done[..] else { panic!("{done:?}") };
    assert_eq!(shop.found(review).await.as_ref(), Some(review));
    assert_eq!(shop.counted(&tea).await.iter().sum::<u32>(), 1);
}

#[tokio::test]
async fn the_stars_of_all_who_come_at_once_count() {
    let shop = Shop::open().await;
    let tea = shop.product().await;
    let mut owners = Vec::new();
    for _ in 0..10 {
        owners.push(shop.owner_of(&tea).await);
    }
    let results = at_once(owners.len(), |number| {
        let (shop, owner, tea) = (shop.clone(), owners[number].clone(), tea.product_id());
        async move { shop.post(tea, &owner, u8::try_from(number % 5).expect("a digit") + 1, now()).await.is_ok() }
    });
    assert_eq!(results.await, [true; 10]);
    assert_eq!(shop.counted(&tea).await, [2; 5]);
}

#[tokio::test]
async fn who_may_not_review_is_told_why_and_nothing_is_counted() {
    let shop = Shop::open().await;
    let tea = shop.product().await;
    let refused = async |product, author: &Caller| shop.post(product, author, 5, now()).await.unwrap_err();
    assert!(matches!(refused(tea.product_id(), &buyer().await).await, Error::NotBought));
    let unknown = ProductId::at(now());
    assert!(matches!(refused(unknown, &buyer().await).await, Error::NoProduct));
    // Also where both may say no.
    let seller = Caller::for_tests(&tea.seller().to_string());
    assert!(matches!(refused(tea.product_id(), &seller).await, Error::OwnProduct));
    let ann = shop.owner_of(&tea).await;
    shop.products.change(tea.product_id(), rejected).await.expect("an admin");
    assert!(matches!(refused(tea.product_id(), &ann).await, Error::NoProduct));
    shop.products.change(tea.product_id(), super::products::approved).await.expect("an admin");
    shop.post(tea.product_id(), &ann, 2, now()).await.expect("it is for sale");
    assert!(matches!(refused(tea.product_id(), &ann).await, Error::AlreadyReviewed));
    assert_eq!(shop.counted(&tea).await, [0, 1, 0, 0, 0]);
}

#[tokio::test]
async fn where_the_shop_lets_anybody_a_review_says_who_has_bought() {
    let shop = Shop::open().await;
    let tea = shop.product().await;
    let post = async |author: &Caller| {
        let product = tea.product_id();
        let review = shop.post_by(PurchaseRule::Noted, product, author, 4, now()).await.expect("a review");
        json!(reviews::ReviewView::from(review))["verified"].clone()
    };
    assert_eq!(post(&buyer().await).await, false);
    assert_eq!(post(&shop.owner_of(&tea).await).await, true);
    assert_eq!(shop.counted(&tea).await, [0, 0, 0, 2, 0]);
    let seller = Caller::for_tests(&tea.seller().to_string());
    let own = shop.post_by(PurchaseRule::Noted, tea.product_id(), &seller, 5, now()).await;
    assert!(matches!(own, Err(Error::OwnProduct)));
}

#[tokio::test]
async fn a_review_whose_reply_was_lost_is_posted_changed_and_deleted_once() {
    let shop = Shop::open().await;
    let tea = shop.product().await;
    let owner = shop.owner_of(&tea).await;
    let losing = async || -> Reviews { open_behind(Meddler::lose_reply("TransactWriteItems")).await };
    let new = Review::new(tea.product_id(), owner.id(), said(4), now());
    let posted = losing().await.post(new.clone(), PurchaseRule::Needed).await.expect("it is there");
    assert_eq!((&posted, shop.counted(&tea).await), (&new, [0, 0, 0, 1, 0]));
    let edited = losing().await.edit(&owner, tea.product_id(), &version(1), &said(1), later()).await;
    assert_eq!(edited.expect("it is changed").version(), 2);
    assert_eq!(shop.counted(&tea).await, [1, 0, 0, 0, 0]);
    losing().await.delete(key(&posted), &version(2)).await.expect("it is gone");
    assert_eq!((shop.found(&posted).await, shop.counted(&tea).await), (None, [0; 5]));
}

#[tokio::test]
async fn a_change_of_the_words_alone_whose_reply_was_lost_is_made_once() {
    let shop = Shop::open().await;
    let tea = shop.product().await;
    let owner = shop.owner_of(&tea).await;
    shop.post(tea.product_id(), &owner, 4, now()).await.expect("a review");
    let other = input::parse(br#"{"stars":4,"title":"Good"}"#).expect("a review");
    let reviews: Reviews = open_behind(Meddler::lose_reply("PutItem")).await;
    let edited = reviews.edit(&owner, tea.product_id(), &version(1), &other, later()).await.expect("changed");
    assert_eq!((edited.version(), shop.found(&edited).await), (2, Some(edited)));
}

#[tokio::test]
async fn of_many_changes_of_one_version_one_is_made() {
    let shop = Shop::open().await;
    let tea = shop.product().await;
    let owner = shop.owner_of(&tea).await;
    let review = shop.post(tea.product_id(), &owner, 3, now()).await.expect("a review");
    let results = at_once(4, |number| {
        let (shop, owner, tea) = (shop.clone(), owner.clone(), tea.product_id());
        let stars = [1, 2, 4, 5][number];
        async move { shop.reviews.edit(&owner, tea, &version(1), &said(stars), later()).await }
    });
    let (done, refused): (Vec<_>, Vec<_>) = results.await.into_iter().partition(Result::is_ok);
    assert!(refused.iter().all(|refused| matches!(refused, Err(Error::AnotherVersion))), "{refused:?}");
    let [Ok(done)] = &done[..] else { panic!("{done:?}") };
    assert_eq!(shop.found(&review).await.as_ref(), Some(done));
    let mut expected = [0; 5];
    expected[usize::from(done.stars().stars()) - 1] = 1;
    assert_eq!(shop.counted(&tea).await, expected);
    let gone = shop.reviews.delete(key(&review), &version(1)).await;
    assert!(matches!(gone, Err(Error::AnotherVersion)));
}

#[tokio::test]
async fn changes_of_all_kinds_at_once_leave_totals_that_equal_the_reviews() {
    let shop = Shop::open().await;
    let tea = shop.product().await;
    let mut owners = Vec::new();
    for stars in [1, 3, 5] {
        let owner = shop.owner_of(&tea).await;
        shop.post(tea.product_id(), &owner, stars, now()).await.expect("a review");
        owners.push(owner);
    }
    let results = at_once(18, |number| {
        let (shop, owner, tea) = (shop.clone(), owners[number % 3].clone(), tea.product_id());
        let stars = u8::try_from(number % 5).expect("a digit") + 1;
        async move {
            let key = (tea, owner.id());
            let done = match number / 3 {
                0 | 3 => shop.reviews.edit(&owner, tea, &IfMatch::Any, &said(stars), later()).await.map(drop),
                1 | 4 => shop.reviews.delete(key, &IfMatch::Any).await,
                2 => shop.post(tea, &owner, stars, now()).await.map(drop),
                _ => match shop.reviews.find(key).await.expect("the table answers") {
                    Some(review) => shop.hide(&review, &json!({ "visible": false })).await.map(drop),
                    None => Ok(()),
                },
            };
            let is_fine = matches!(
                done,
                Ok(()) | Err(Error::NotFound | Error::AlreadyReviewed | Error::ChangedMeanwhile)
            );
            assert!(is_fine, "{done:?}");
        }
    });
    results.await;
    shop.counted(&tea).await;
}

#[tokio::test]
async fn a_change_between_the_look_and_the_deletion_is_deleted_as_it_is_by_then() {
    let shop = Shop::open().await;
    let tea = shop.product().await;
    let owner = shop.owner_of(&tea).await;
    let review = shop.post(tea.product_id(), &owner, 3, now()).await.expect("a review");
    let rival = (shop.clone(), owner.clone(), tea.product_id());
    let reviews: Reviews = open_behind(Meddler::before("TransactWriteItems", 0..1, move || {
        let (shop, owner, tea) = rival.clone();
        async move {
            shop.reviews.edit(&owner, tea, &IfMatch::Any, &said(5), later()).await.expect("a change");
        }
    }))
    .await;
    reviews.delete(key(&review), &IfMatch::Any).await.expect("it is gone");
    assert_eq!((shop.found(&review).await, shop.counted(&tea).await), (None, [0; 5]));
}

#[tokio::test]
async fn a_review_that_was_posted_anew_meanwhile_is_not_taken_for_the_one_that_was_read() {
    let shop = Shop::open().await;
    let tea = shop.product().await;
    let owner = shop.owner_of(&tea).await;
    for at in [now(), later()] {
        // In the same moment as well: then its stars tell the two apart.
        shop.post(tea.product_id(), &owner, 3, now()).await.expect("a review");
        let rival = (shop.clone(), owner.clone(), tea.product_id());
        let reviews: Reviews = open_behind(Meddler::before("TransactWriteItems", 0..1, move || {
            let (shop, owner, tea) = rival.clone();
            async move {
                shop.reviews.delete((tea, owner.id()), &IfMatch::Any).await.expect("it is gone");
                shop.post(tea, &owner, 1, at).await.expect("another one");
            }
        }))
        .await;
        let edited = reviews.edit(&owner, tea.product_id(), &IfMatch::Any, &said(5), later()).await;
        assert_eq!(edited.expect("the other one is changed").version(), 2);
        assert_eq!(shop.counted(&tea).await, [0, 0, 0, 0, 1]);
        shop.reviews.delete((tea.product_id(), owner.id()), &IfMatch::Any).await.expect("it is gone");
        assert_eq!(shop.counted(&tea).await, [0; 5]);
    }
}

#[tokio::test]
async fn who_meets_others_at_the_totals_tries_again() {
    let shop = Shop::open().await;
    let tea = shop.product().await;
    let owner = shop.owner_of(&tea).await;
    let reviews: Reviews = open_behind(Meddler::answer("TransactWriteItems", 0..2, conflict)).await;
    let review = Review::new(tea.product_id(), owner.id(), said(4), now());
    reviews.post(review, PurchaseRule::Needed).await.expect("it is posted");
    assert_eq!(shop.counted(&tea).await, [0, 0, 0, 1, 0]);
}

#[tokio::test]
async fn what_an_admin_hides_counts_for_nothing_and_is_seen_by_its_author() {
    let shop = Shop::open().await;
    let tea = shop.product().await;
    let (shown, spam) = (shop.reviewed(&tea, 5, now()).await, shop.reviewed(&tea, 1, now()).await);
    let hidden = shop.hide(&spam, &json!({ "visible": false, "reason": "Spam." })).await.expect("hidden");
    assert_eq!(shop.counted(&tea).await, [0, 0, 0, 0, 1]);
    for order in Order::ALL {
        assert_eq!(shop.listed(&tea, order, None).await, std::slice::from_ref(&shown));
    }
    assert_eq!(shop.listed(&tea, Order::Newest, Some(1)).await, []);
    let own = shop.reviews.list_of(spam.author(), &shop.cursors, &page(20, None).await).await;
    assert_eq!(own.expect("a page").entries, std::slice::from_ref(&hidden));
    let mut cursor = None;
    loop {
        let found = shop.reviews.list_hidden(&shop.cursors, &page(1, cursor.as_deref()).await).await;
        let found = found.expect("a page");
        if found.entries == [hidden.clone()] {
            break;
        }
        cursor = Some(found.next_cursor.expect("it is on one of the pages"));
    }
    // Its author does not bring it back.
    let author = Caller::for_tests(&spam.author().to_string());
    shop.reviews.edit(&author, tea.product_id(), &IfMatch::Any, &said(2), later()).await.expect("changed");
    assert_eq!(shop.counted(&tea).await, [0, 0, 0, 0, 1]);
    shop.hide(&spam, &json!({ "visible": true })).await.expect("shown");
    assert_eq!(shop.counted(&tea).await, [0, 1, 0, 0, 1]);
    shop.hide(&spam, &json!({ "visible": false })).await.expect("hidden");
    shop.reviews.delete(key(&spam), &IfMatch::Any).await.expect("it is gone");
    assert_eq!(shop.counted(&tea).await, [0, 0, 0, 0, 1]);
}

#[tokio::test]
async fn the_seller_alone_replies_to_what_everybody_sees() {
    let shop = Shop::open().await;
    let tea = shop.product().await;
    let review = shop.reviewed(&tea, 3, now()).await;
    let author = Author(review.author().clone());
    let seller = Caller::for_tests(&tea.seller().to_string());
    let reply = async |who: &Caller, of: (ProductId, &Author), if_match: &IfMatch, text: &str| {
        let reply: NewReply = input::parse(json!({ "text": text }).to_string().as_bytes()).expect("a reply");
        shop.moderating.reply(who, of, if_match, &reply, later()).await
    };
    let of = (tea.product_id(), &author);
    let by_another = reply(&someone(), of, &IfMatch::Any, "Thank you.").await;
    assert!(matches!(by_another, Err(Error::NotTheSeller)), "{by_another:?}");
    let answered = reply(&seller, of, &version(1), "Thank you.").await.expect("a reply");
    assert_eq!((answered.version(), shop.found(&review).await.as_ref()), (2, Some(&answered)));
    assert_eq!(reply(&seller, of, &IfMatch::Any, "Thank you.").await.expect("the same"), answered);
    // Also what is so already is the seller's to say, and what is not there.
    let by_another = reply(&someone(), of, &IfMatch::Any, "Thank you.").await;
    assert!(matches!(by_another, Err(Error::NotTheSeller)), "{by_another:?}");
    let nobodys = Author(someone().id().clone());
    let missing = (tea.product_id(), &nobodys);
    assert!(matches!(reply(&seller, missing, &IfMatch::Any, "Who?").await, Err(Error::NotFound)));
    assert!(matches!(reply(&someone(), missing, &IfMatch::Any, "Who?").await, Err(Error::NotTheSeller)));
    assert!(matches!(reply(&seller, of, &version(1), "Sorry.").await, Err(Error::AnotherVersion)));
    let unknown = (ProductId::at(now()), &author);
    assert!(matches!(reply(&seller, unknown, &IfMatch::Any, "Who?").await, Err(Error::NoProduct)));
    shop.hide(&review, &json!({ "visible": false })).await.expect("hidden");
    assert!(matches!(reply(&seller, of, &IfMatch::Any, "Sorry.").await, Err(Error::NotFound)));
}

#[tokio::test]
async fn lists_have_each_review_once_in_their_order() {
    let shop = Shop::open().await;
    let tea = shop.product().await;
    let mut reviews = Vec::new();
    for (minute, stars) in [(1, 3), (2, 5), (3, 1), (4, 5), (5, 3)] {
        reviews.push(shop.reviewed(&tea, stars, now() + MINUTE * minute).await);
    }
    let in_order =
        |indexes: &[usize]| indexes.iter().map(|index| reviews[*index].clone()).collect::<Vec<_>>();
    for (order, stars, expected) in [
        (Order::Newest, None, &[4, 3, 2, 1, 0][..]),
        (Order::Highest, None, &[3, 1, 4, 0, 2]),
        (Order::Lowest, None, &[2, 0, 4, 1, 3]),
        (Order::Newest, Some(5), &[3, 1]),
        (Order::Lowest, Some(3), &[4, 0]),
        (Order::Highest, Some(2), &[]),
    ] {
        assert_eq!(shop.listed(&tea, order, stars).await, in_order(expected), "{order} {stars:?}");
    }
    // A cursor is its list's.
    let (list, of) = (tea.product_id(), page(1, None).await);
    let first = shop.reviews.list(list, Order::Newest, None, &shop.cursors, &of).await.expect("a page");
    let next = page(1, first.next_cursor.as_deref()).await;
    for (product, order, stars) in [
        (ProductId::at(now()), Order::Newest, None),
        (list, Order::Highest, None),
        (list, Order::Newest, Given::new(5)),
    ] {
        let other = shop.reviews.list(product, order, stars, &shop.cursors, &next).await;
        assert_eq!(other.unwrap_err().status(), 422, "{order}");
    }
}

#[tokio::test]
async fn a_product_is_shown_with_what_its_reviews_come_to() {
    let shop = Shop::open().await;
    let tea = shop.product().await;
    let shown =
        async || shop.products.for_sale(tea.product_id(), now()).await.expect("it is for sale").rating;
    assert_eq!(shown().await, Some(Stars::default().rating()));
    shop.reviewed(&tea, 5, now()).await;
    shop.reviewed(&tea, 4, now()).await;
    assert_eq!(shown().await, Some(Stars::of([0, 0, 0, 1, 1]).rating()));
}

#[tokio::test]
async fn an_order_is_had_from_when_it_is_sent_until_all_of_it_is_paid_back_however_often_that_is_told() {
    let shop = Shop::open().await;
    let tea = shop.product().await;
    let ann = buyer().await;
    let order = placed(&shop.orders, &ann, &[(&tea, 2)], before()).await;
    let follow = async || shop.purchases.follow(&shop.orders, order).await.expect("the tables answer");
    follow().await;
    assert_eq!(purchases(&ann, &tea).await, [""; 0], "it is not on its way");
    shop.orders.ship(order, now()).await.expect("it ships");
    for _ in 0..2 {
        follow().await;
        assert_eq!(purchases(&ann, &tea).await, [order.to_string()]);
    }
    paid_back(order, &tea, 1).await;
    follow().await;
    assert_eq!(purchases(&ann, &tea).await, [order.to_string()], "a piece is left");
    paid_back(order, &tea, 2).await;
    for _ in 0..2 {
        follow().await;
        assert_eq!(purchases(&ann, &tea).await, [""; 0]);
    }
    let refused = shop.post(tea.product_id(), &ann, 1, now()).await;
    assert!(matches!(refused, Err(Error::NotBought)), "{refused:?}");
    // The refund failed.
    paid_back(order, &tea, 0).await;
    follow().await;
    assert_eq!(purchases(&ann, &tea).await, [order.to_string()]);
    shop.post(tea.product_id(), &ann, 5, now()).await.expect("a review");
}

#[tokio::test]
async fn what_the_first_of_two_sellers_sent_is_had_before_the_rest_and_what_is_refused_never() {
    let shop = Shop::open().await;
    let (tea, cup, ann) = (shop.product().await, shop.product().await, buyer().await);
    let order = waiting(&shop.orders, &ann, &[(&tea, 1), (&cup, 1)], before()).await;
    shop.orders.ship(order, now()).await.expect("it waits");
    let follow = async || {
        shop.purchases.follow(&shop.orders, order).await.expect("the tables answer");
        [purchases(&ann, &tea).await.len(), purchases(&ann, &cup).await.len()]
    };
    let says = async |of: &Offer, order: OrderId, what: &str| {
        let seller = Caller::for_tests(&of.seller().to_string());
        let said = json!({ "status": what }).to_string();
        let said: ParcelProgress = input::parse(said.as_bytes()).expect("a word");
        shop.orders.progress_parcel(&seller, order, &said, &collected, now()).await.expect("said");
    };
    assert_eq!(follow().await, [0, 0]);
    says(&tea, order, "shipped").await;
    assert_eq!(found_order(&shop.orders, order).await.status(), OrderStatus::Pending);
    assert_eq!(follow().await, [1, 0]);
    shop.post(tea.product_id(), &ann, 4, now()).await.expect("a review");
    let early = shop.post(cup.product_id(), &ann, 1, now()).await;
    assert!(matches!(early, Err(Error::NotBought)), "{early:?}");
    says(&tea, order, "delivered").await;
    assert_eq!(follow().await, [1, 0]);
    paid_back(order, &tea, 1).await;
    assert_eq!(follow().await, [0, 0], "it came back before the rest was sent");
    paid_back(order, &tea, 0).await;
    says(&cup, order, "refused").await;
    assert_eq!(follow().await, [1, 0]);
    assert_eq!(found_order(&shop.orders, order).await.status(), OrderStatus::Delivered);
}

/// Makes that somebody's account is about to be deleted.
async fn leaves(person: &Caller) {
    let cloud = Cloud::open().await;
    let update = json!({
        "TableName": cloud.output("UsersTable"), "Key": { "userId": { "S": person.id() } },
        "UpdateExpression": "SET #status = :status", "ExpressionAttributeNames": { "#status": "status" },
        "ExpressionAttributeValues": { ":status": { "S": "deleting" } },
    });
    cloud.json("dynamodb", "DynamoDB_20120810.UpdateItem", update).await;
}

#[tokio::test]
async fn whose_account_is_about_to_be_deleted_says_nothing_more_and_nothing_else() {
    let shop = Shop::open().await;
    let (tea, cup) = (shop.product().await, shop.product().await);
    let ann = shop.owner_of(&tea).await;
    let order = shop.sent(&ann, &cup).await;
    shop.purchases.follow(&shop.orders, order).await.expect("the tables answer");
    let review = shop.post(tea.product_id(), &ann, 2, now()).await.expect("a review");
    leaves(&ann).await;
    for rule in PurchaseRule::ALL {
        let posted = shop.post_by(rule, cup.product_id(), &ann, 5, now()).await;
        assert!(matches!(posted, Err(Error::AccountClosed)), "{posted:?}");
    }
    // Whether or not its stars change with it.
    for stars in [2, 5] {
        let new = input::parse(json!({ "stars": stars, "text": "Ann." }).to_string().as_bytes());
        let new = new.expect("a review");
        let edited = shop.reviews.edit(&ann, tea.product_id(), &IfMatch::Any, &new, later()).await;
        assert!(matches!(edited, Err(Error::AccountClosed)), "{edited:?}");
    }
    assert_eq!((shop.counted(&tea).await, shop.counted(&cup).await), ([0, 1, 0, 0, 0], [0; 5]));
    assert_eq!(shop.found(&review).await, Some(review.clone()));
    // What others do with it goes on.
    shop.hide(&review, &json!({ "visible": false })).await.expect("hidden");
    shop.reviews.delete(key(&review), &IfMatch::Any).await.expect("it is gone");
    // Nor does somebody who never had an account.
    let nobody = shop.post_by(PurchaseRule::Noted, tea.product_id(), &someone(), 5, now()).await;
    assert!(matches!(nobody, Err(Error::AccountClosed)), "{nobody:?}");
}

#[tokio::test]
async fn whoever_leaves_between_the_look_at_a_review_and_its_change_changes_nothing() {
    let shop = Shop::open().await;
    let tea = shop.product().await;
    let review = shop.reviewed(&tea, 3, now()).await;
    let ann = Caller::for_tests(&review.author().to_string());
    let leaving = ann.clone();
    let reviews: Reviews = open_behind(Meddler::before("TransactWriteItems", 0..1, move || {
        let leaving = leaving.clone();
        async move { leaves(&leaving).await }
    }))
    .await;
    let edited = reviews.edit(&ann, tea.product_id(), &version(1), &said(1), later()).await;
    assert!(matches!(edited, Err(Error::AccountClosed)), "{edited:?}");
    assert_eq!(shop.counted(&tea).await, [0, 0, 1, 0, 0]);
}

#[tokio::test]
async fn what_is_had_by_two_orders_is_had_until_both_came_back() {
    let shop = Shop::open().await;
    let tea = shop.product().await;
    let ann = buyer().await;
    let orders = [shop.sent(&ann, &tea).await, shop.sent(&ann, &tea).await];
    for order in orders {
        shop.purchases.follow(&shop.orders, order).await.expect("the tables answer");
    }
    for (order, left) in orders.into_iter().zip([1, 0]) {
        paid_back(order, &tea, 1).await;
        shop.purchases.follow(&shop.orders, order).await.expect("the tables answer");
        assert_eq!(purchases(&ann, &tea).await.len(), left);
    }
}

#[tokio::test]
async fn whoever_writes_what_an_order_was_finds_what_it_has_become() {
    let shop = Shop::open().await;
    let tea = shop.product().await;
    let ann = buyer().await;
    let order = shop.sent(&ann, &tea).await;
    let rival = (shop.clone(), tea.clone());
    // Between the look at the order and the write, it is paid back, and whoever is told of that is faster.
    let purchases_: Purchases = open_behind(Meddler::before("UpdateItem", 0..1, move || {
        let (shop, tea) = rival.clone();
        async move {
            paid_back(order, &tea, 1).await;
            shop.purchases.follow(&shop.orders, order).await.expect("the tables answer");
        }
    }))
    .await;
    purchases_.follow(&shop.orders, order).await.expect("the tables answer");
    assert_eq!(purchases(&ann, &tea).await, [""; 0]);
}

#[tokio::test]
async fn what_a_person_ships_later_is_had_later_and_what_is_unknown_is_an_error() {
    let shop = Shop::open().await;
    let tea = shop.product().await;
    let ann = buyer().await;
    let order = waiting(&shop.orders, &ann, &[(&tea, 1)], before()).await;
    shop.purchases.follow(&shop.orders, order).await.expect("the tables answer");
    assert_eq!(purchases(&ann, &tea).await, [""; 0]);
    assert!(shop.purchases.follow(&shop.orders, OrderId::at(now())).await.is_err());
}

#[tokio::test]
async fn of_somebody_whose_account_goes_the_stars_stay_and_nothing_else() {
    let shop = Shop::open().await;
    let (tea, cup) = (shop.product().await, shop.product().await);
    let ann = shop.owner_of(&tea).await;
    let order = shop.sent(&ann, &cup).await;
    shop.purchases.follow(&shop.orders, order).await.expect("the tables answer");
    for (product, stars) in [(&tea, 4), (&cup, 1)] {
        shop.post(product.product_id(), &ann, stars, now()).await.expect("a review");
    }
    let spam = shop.reviews.find((cup.product_id(), ann.id())).await.expect("the table answers");
    shop.hide(&spam.expect("it is there"), &json!({ "visible": false })).await.expect("hidden");
    // The first dies on its way; the second is told twice.
    for lost in [true, false, false] {
        let reviews: Reviews = match lost {
            true => open_behind(Meddler::lose_reply("TransactWriteItems")).await,
            false => shop.reviews.clone(),
        };
        reviews.forget_author(ann.id(), later()).await.expect("forgotten");
        shop.purchases.forget(ann.id()).await.expect("forgotten");
    }
    // The shop's own record-purchases may be on its way with what was bought, as it may be when an account is deleted.
    eventually("what was bought is forgotten", async || {
        shop.purchases.forget(ann.id()).await.expect("forgotten");
        purchases(&ann, &tea).await.is_empty().then_some(())
    })
    .await;
    let own = shop.reviews.list_of(ann.id(), &shop.cursors, &page(20, None).await).await.expect("a page");
    assert_eq!(own.entries, Vec::new());
    assert_eq!((shop.counted(&tea).await, shop.counted(&cup).await), ([0, 0, 0, 1, 0], [0; 5]));
    let left = shop.listed(&tea, Order::Newest, None).await;
    let [left] = &left[..] else { panic!("{left:?}") };
    assert!(left.is_by_a_former_customer());
    let shown = json!(reviews::ReviewView::from(left.clone()));
    assert_eq!((&shown["formerCustomer"], shown.get("text")), (&json!(true), None));
}

#[tokio::test]
async fn what_a_guest_has_is_nobodys_until_it_is_claimed() {
    let shop = Shop::open().await;
    let tea = shop.product().await;
    let ann = buyer().await;
    let order = shop.sent(&ann, &tea).await;
    let guest = UserId::guest(order);
    let belongs_to = async |person: &UserId| {
        let cloud = Cloud::open().await;
        let values = json!({ ":person": { "S": person } });
        cloud
            .update_item("OrdersTable", ("orderId", &order.to_string()), "SET userId = :person", values)
            .await;
    };
    belongs_to(&guest).await;
    shop.purchases.follow(&shop.orders, order).await.expect("the tables answer");
    assert_eq!(purchases(&Caller::for_tests(&guest.to_string()), &tea).await, [""; 0]);
    belongs_to(ann.id()).await;
    shop.purchases.follow(&shop.orders, order).await.expect("the tables answer");
    assert_eq!(purchases(&ann, &tea).await, [order.to_string()]);
}
