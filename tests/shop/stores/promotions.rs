//! Coupons and the counting of their uses: within a limit, by a customer, by rules that were read, and given back once.

use promotions::{
    Counted, Coupon, CouponChanges, CouponCode, Coupons, Error, NewCoupon, NotRedeemed, Redemption, Refusal,
};
use serde_json::{Value, json};
use shared::caller::UserId;
use shared::dynamo::{Found, Write, Written};
use shared::http::{IfMatch, input};
use shared::values::money::Currency;
use tests::aws::Aws as Cloud;
use tests::meddler::Meddler;
use tests::shop::unique;
use tests::wait::at_once;

use super::{MINUTE, Tables, now, open, open_behind, someone};

/// The coupons, and what commits an order's transaction.
type Stores = (Coupons, Tables);

fn dollars() -> Currency {
    "USD".parse().expect("a currency")
}

fn new(mut rules: Value) -> Coupon {
    rules["code"] = json!(unique("c").replace(' ', "-"));
    rules["kind"] = json!("percent");
    rules["value"] = json!(10);
    let new: NewCoupon = input::parse(rules.to_string().as_bytes()).expect("a coupon");
    Coupon::new(new, dollars(), now())
}

/// A coupon in the table.
async fn made(coupons: &Coupons, rules: Value) -> Coupon {
    let coupon = new(rules);
    coupons.create(&coupon).await.expect("a coupon");
    coupon
}

async fn found(coupons: &Coupons, coupon: &Coupon) -> Coupon {
    coupons.find(coupon.code()).await.expect("the table answers").expect("it is there")
}

fn changes(rules: &Value) -> CouponChanges {
    input::parse(rules.to_string().as_bytes()).expect("changes")
}

/// An admin's change by somebody else.
async fn changed(coupons: &Coupons, coupon: &Coupon, rules: &Value) -> Coupon {
    let changes = changes(rules);
    let change = |coupon: Coupon| coupon.changed(&changes, dollars(), now());
    coupons.change(coupon.code(), &IfMatch::Any, change).await.expect("a change")
}

async fn commit(tables: &Tables, write: Write) -> Result<(), Found> {
    match write.commit(&tables.0).await.expect("the tables answer") {
        Written::Done(()) => Ok(()),
        Written::Refused(found) => Err(found),
    }
}

/// Counts a use as an order does, by the coupon as it was read.
async fn redeem((coupons, tables): &Stores, read: &Coupon, customer: &UserId) -> Result<(), NotRedeemed> {
    let mut write = Write::new();
    let redemption = coupons.redeem(&mut write, read, customer).expect("parts");
    commit(tables, write).await.map_err(|mut found| {
        redemption.refusal(&mut found, read).expect("a reason").expect("the coupon was refused")
    })
}

/// Gives a use back as a release does, and tells which part failed.
async fn give_back(
    (coupons, tables): &Stores,
    code: &CouponCode,
    customer: &UserId,
    counted: Counted,
) -> Result<(), [bool; 2]> {
    let mut write = Write::new();
    let Redemption { in_all, by_customer } =
        coupons.give_back(&mut write, code, customer, counted).expect("parts");
    let failed = |found: &Found, part: Option<_>| part.is_some_and(|part| found.at(part).is_some());
    commit(tables, write).await.map_err(|found| [failed(&found, in_all), failed(&found, by_customer)])
}

#[tokio::test]
async fn a_coupon_is_used_as_often_as_its_limit_says_however_many_come_at_once() {
    let stores: Stores = open().await;
    let coupons = stores.0.clone();
    let coupon = made(&coupons, json!({ "limit": 3 })).await;
    let results = at_once(12, |_| {
        let (stores, coupon) = (stores.clone(), coupon.clone());
        async move { redeem(&stores, &coupon, someone().id()).await }
    });
    let (counted, refused): (Vec<_>, Vec<_>) = results.await.into_iter().partition(Result::is_ok);
    assert_eq!((counted.len(), found(&coupons, &coupon).await.used()), (3, 3));
    let used_up = Err(NotRedeemed::Refused(Refusal::UsedUp));
    assert!(refused.iter().all(|result| *result == used_up), "{refused:?}");
}

#[tokio::test]
async fn one_customer_uses_a_coupon_as_often_as_one_may() {
    let stores: Stores = open().await;
    let coupons = stores.0.clone();
    let coupon = made(&coupons, json!({ "perCustomer": 2 })).await;
    let (ann, bob) = (someone(), someone());
    for used in 1..=2 {
        redeem(&stores, &coupon, ann.id()).await.expect("within the limit");
        assert_eq!(coupons.used_by(coupon.code(), ann.id()).await.expect("the table answers"), used);
    }
    let refused = redeem(&stores, &coupon, ann.id()).await;
    assert_eq!(refused, Err(NotRedeemed::Refused(Refusal::UsedByCustomer)));
    redeem(&stores, &coupon, bob.id()).await.expect("another customer");
    assert_eq!(coupons.used_by(coupon.code(), bob.id()).await.expect("the table answers"), 1);
    // What has no limit in all is not written to.
    assert_eq!(found(&coupons, &coupon).await, coupon);
}

#[tokio::test]
async fn where_the_customer_may_not_nothing_is_counted_in_all_either() {
    let stores: Stores = open().await;
    let coupons = stores.0.clone();
    let coupon = made(&coupons, json!({ "limit": 5, "perCustomer": 1 })).await;
    let ann = someone();
    redeem(&stores, &coupon, ann.id()).await.expect("the first");
    let refused = redeem(&stores, &coupon, ann.id()).await;
    assert_eq!(refused, Err(NotRedeemed::Refused(Refusal::UsedByCustomer)));
    assert_eq!(found(&coupons, &coupon).await.used(), 1);
}

#[tokio::test]
async fn a_coupon_without_limits_adds_nothing_to_an_order() {
    let coupons: Coupons = open().await;
    let coupon = made(&coupons, json!({})).await;
    let redemption = coupons.redeem(&mut Write::new(), &coupon, someone().id()).expect("parts");
    assert_eq!(redemption, Redemption::default());
}

#[tokio::test]
async fn an_order_counts_by_the_rules_that_it_read() {
    let stores: Stores = open().await;
    let coupons = stores.0.clone();
    let read = made(&coupons, json!({ "limit": 5 })).await;
    let more = json!({ "kind": "percent", "value": 20, "limit": 5 });
    let current = changed(&coupons, &read, &more).await;
    assert_eq!(redeem(&stores, &read, someone().id()).await, Err(NotRedeemed::Changed));
    redeem(&stores, &current, someone().id()).await.expect("as it is now");
    // A use is no change: the next one reads the same version.
    redeem(&stores, &current, someone().id()).await.expect("as it is now");
    coupons.change(read.code(), &IfMatch::Any, |coupon| coupon.ended(now())).await.expect("it ends");
    for read in [&read, &current] {
        let refused = redeem(&stores, read, someone().id()).await;
        assert_eq!(refused, Err(NotRedeemed::Refused(Refusal::Ended)));
    }
    Cloud::open().await.delete_item("CouponsTable", "couponId", &read.code().to_string()).await;
    let refused = redeem(&stores, &current, someone().id()).await;
    assert_eq!(refused, Err(NotRedeemed::Refused(Refusal::Ended)));
}

#[tokio::test]
async fn a_use_that_is_given_back_can_be_used_again_by_the_same_customer() {
    let stores: Stores = open().await;
    let coupons = stores.0.clone();
    let coupon = made(&coupons, json!({ "limit": 1, "perCustomer": 1 })).await;
    let ann = someone();
    for _ in 0..2 {
        redeem(&stores, &coupon, ann.id()).await.expect("it is free");
        assert!(redeem(&stores, &coupon, ann.id()).await.is_err());
        give_back(&stores, coupon.code(), ann.id(), coupon.counted()).await.expect("it was used");
        let by_ann = coupons.used_by(coupon.code(), ann.id()).await.expect("the table answers");
        assert_eq!((found(&coupons, &coupon).await.used(), by_ann), (0, 0));
    }
}

#[tokio::test]
async fn no_more_is_given_back_than_was_used_and_what_is_gone_is_told_apart() {
    let stores: Stores = open().await;
    let coupons = stores.0.clone();
    let coupon = made(&coupons, json!({ "limit": 1, "perCustomer": 1 })).await;
    let ann = someone();
    let back = async |counted| give_back(&stores, coupon.code(), ann.id(), counted).await;
    assert_eq!(back(Counted { in_all: true, by_customer: false }).await, Err([true, false]));
    assert_eq!(back(Counted { in_all: false, by_customer: true }).await, Err([false, true]));
    redeem(&stores, &coupon, ann.id()).await.expect("it is free");
    let key = format!("{}#{}", coupon.code(), ann.id());
    Cloud::open().await.delete_item("CouponsTable", "couponId", &key).await;
    assert_eq!(back(coupon.counted()).await, Err([false, true]));
    assert_eq!(found(&coupons, &coupon).await.used(), 1, "all or nothing");
    back(Counted { in_all: true, by_customer: false }).await.expect("without what is gone");
    assert_eq!(found(&coupons, &coupon).await.used(), 0);
}

#[tokio::test]
async fn a_use_between_an_admins_look_and_change_is_not_lost() {
    let direct: Stores = open().await;
    let coupon = made(&direct.0, json!({ "limit": 5 })).await;
    let read = coupon.clone();
    let coupons: Coupons = open_behind(Meddler::before("UpdateItem", 0..1, move || {
        let (direct, read) = (direct.clone(), read.clone());
        async move {
            redeem(&direct, &read, someone().id()).await.expect("a use");
        }
    }))
    .await;
    let after = changed(&coupons, &coupon, &json!({ "kind": "free_shipping", "limit": 5 })).await;
    assert_eq!((after.used(), after.version()), (1, 2));
    assert_eq!(found(&coupons, &coupon).await, after);
}

#[tokio::test]
async fn of_many_admins_who_saw_one_version_one_changes_it() {
    let coupons: Coupons = open().await;
    let coupon = made(&coupons, json!({})).await;
    let results = at_once(8, |number| {
        let (coupons, coupon) = (coupons.clone(), coupon.clone());
        async move {
            let changes = changes(&json!({ "kind": "percent", "value": 50 + number }));
            let change = |coupon: Coupon| coupon.changed(&changes, dollars(), now());
            coupons.change(coupon.code(), &IfMatch::Versions([1].into()), change).await
        }
    });
    let (done, refused): (Vec<_>, Vec<_>) = results.await.into_iter().partition(Result::is_ok);
    assert!(refused.iter().all(|refused| matches!(refused, Err(Error::AnotherVersion))), "{refused:?}");
    let [Ok(done)] = &done[..] else { panic!("{done:?}") };
    assert_eq!(&found(&coupons, &coupon).await, done);
}

#[tokio::test]
async fn a_coupon_whose_reply_was_lost_is_made_once_and_another_of_its_code_is_refused() {
    let coupons: Coupons = open_behind(Meddler::lose_reply("PutItem")).await;
    let coupon = made(&coupons, json!({})).await;
    assert_eq!(found(&coupons, &coupon).await, coupon);
    let body = json!({ "code": coupon.code(), "kind": "percent", "value": 10 });
    let new: NewCoupon = input::parse(body.to_string().as_bytes()).expect("a coupon");
    let later = Coupon::new(new, dollars(), now() + MINUTE);
    assert!(matches!(coupons.create(&later).await, Err(Error::Exists)));
    assert_eq!(found(&coupons, &coupon).await, coupon);
}

#[tokio::test]
async fn a_change_whose_reply_was_lost_is_known_again() {
    let coupons: Coupons = open_behind(Meddler::lose_reply("UpdateItem")).await;
    let coupon = made(&coupons, json!({})).await;
    let changes = changes(&json!({ "kind": "free_shipping" }));
    let change = |coupon: Coupon| coupon.changed(&changes, dollars(), now());
    let after =
        coupons.change(coupon.code(), &IfMatch::Versions([1].into()), change).await.expect("a change");
    assert_eq!(after.version(), 2);
    assert_eq!(found(&coupons, &coupon).await, after);
}
