use std::time::Duration;

use orders::returns::Receipt;
use orders::{Actor, NotBack, Order, OrderId, OrderStatus, ParcelSaid, PaymentId, RefusedMoney, Return};
use proptest::prelude::*;
use serde_json::{Value, json};
use shared::caller::UserId;
use shared::http::input;
use shared::http::problem::Problem;
use shared::values::money::Amount;
use shared::values::time::Timestamp;

use crate::attempt::{AttemptKind, AttemptStatus, CardKind, Follows, Heard, Outcome, Payment};
use crate::deciding::{Decision, Known, Money, Said, State, decide};
use crate::ids::SessionId;
use crate::parcelling::refused_money;
use crate::refunding::{NewRefund, NoRefund, RefundPart, planned};
use crate::refunds::{Refund, RefundFollows, RefundHeard, RefundName, RefundState, RefundWhy};
use crate::returning::owed_for;
use crate::settings::{PublishableKey, Terms};
use crate::settling::made_within;
use crate::starting::{Next, Refusal, next};
use crate::store::Whole;
use crate::stripe::{CurrencyCode, Intent, Session};

pub(crate) fn now() -> Timestamp {
    Timestamp::from_unix_millis(1_790_000_000_000)
}

/// The attempt of this number.
pub(crate) fn id(number: u8) -> PaymentId {
    format!("01a1fbbc-f982-7d04-8367-8c1b9055f40{number}").parse().unwrap()
}

/// An order of 99.99 USD in a status, of so many attempts, of which this one counts.
pub(crate) fn order(status: OrderStatus, attempts: u8, counts: u8) -> Order {
    let attempts: Vec<_> = (1..=attempts).map(id).collect();
    let paid = if status == OrderStatus::AwaitingPayment { 0 } else { 9_999 };
    let payment = json!({
        "paid": paid, "refunding": 0, "refunded": 0, "processing": false, "paymentId": id(counts),
        "attempts": attempts
    });
    stored(status, &json!({ "payment": payment }))
}

fn stored(status: OrderStatus, with: &Value) -> Order {
    let at = "2026-11-28T12:00:00.000Z";
    let line = json!({
        "offerId": id(9), "productId": id(9), "productName": "Tea", "unitPrice": 3_333, "quantity": 3, "sellerId": "b0b"
    });
    let mut order = json!({
        "orderId": "01a1fbbc-f982-7d04-8367-8c1b9055f3ff", "userId": "ann",
        "contact": { "email": "ann@cartwright.test", "fullName": "Ann" }, "schemaVersion": 1, "status": status,
        "paymentMethod": "card", "lines": [line], "total": 9_999, "currency": "USD", "createdAt": at,
        "updatedAt": at, "history": [{ "status": "awaiting_payment", "at": at }]
    });
    order.as_object_mut().unwrap().extend(with.as_object().cloned().unwrap());
    serde_json::from_value(order).unwrap()
}

/// The attempt of this number in a status.
pub(crate) fn payment(number: u8, status: AttemptStatus, outcome: Option<Outcome>) -> Payment {
    let order = order(OrderStatus::AwaitingPayment, number, number);
    let new = Payment::new(id(number), &order, number.into(), &Terms::for_tests(), now());
    let captured = if status == AttemptStatus::Captured { Amount::from_minor(9_999) } else { Amount::ZERO };
    let session_id = (status != AttemptStatus::Creating).then(|| session(number));
    let refundable = if outcome.is_some() { Amount::ZERO } else { captured };
    Payment { status, outcome, captured, refundable, session_id, ..new }
}

/// Of a busy shop there are too many sessions to look through all that were made since.
#[test]
fn a_session_is_looked_for_among_those_of_the_minutes_in_which_stripe_would_have_made_it() {
    let minutes = |count: u64| Duration::from_secs(60 * count);
    let (from, to) = made_within(&payment(1, AttemptStatus::Creating, None));
    assert_eq!((from, to), (now() - minutes(1), now() + minutes(35 - 30 + 1)));
}

fn session(number: u8) -> SessionId {
    format!("cs_test_{number}").parse().unwrap()
}

pub(crate) fn money(number: u8) -> Money {
    Money {
        intent: format!("pi_{number}").parse().unwrap(),
        amount: Amount::from_minor(9_999),
        currency: code("usd"),
    }
}

fn code(code: &str) -> CurrencyCode {
    CurrencyCode::try_from(code.to_owned()).unwrap()
}

pub(crate) fn said(number: u8, state: State) -> Said {
    let order = "01a1fbbc-f982-7d04-8367-8c1b9055f3ff".parse().unwrap();
    Said { payment: id(number), order, session: Some(session(number)), state, event: None }
}

fn decided(order: &Order, payment: &Payment, is_in_the_ledger: bool, said: &Said) -> Decision {
    decide(Known { order: Some(order), payment: Some(payment), is_in_the_ledger }, said)
}

fn any_status() -> impl Strategy<Value = OrderStatus> {
    prop::sample::select(OrderStatus::ALL.to_vec())
}

fn any_attempt() -> impl Strategy<Value = AttemptStatus> {
    prop::sample::select(AttemptStatus::ALL.to_vec())
}

proptest! {
    // P3, P5, P6, P7: whatever came since, the same money has one effect.
    #[test]
    fn money_that_is_in_the_ledger_changes_nothing(
        status in any_status(), attempt in any_attempt(), number in 1..=2_u8,
    ) {
        let said = said(number, State::Paid(money(number)));
        let decision = decided(&order(status, 2, 2), &payment(number, attempt, None), true, &said);
        prop_assert_eq!(decision, Decision::Recorded { queue: status == OrderStatus::Pending });
    }

    // P22: neither "at least the amount" nor another currency.
    #[test]
    fn another_amount_or_currency_never_pays_and_goes_back(
        status in any_status(), attempt in any_attempt(), amount in 0..20_000_u64, currency in "(usd|eur|jpy)",
    ) {
        prop_assume!(attempt != AttemptStatus::Captured && (amount != 9_999 || currency != "usd"));
        let money = Money { amount: Amount::from_minor(amount), currency: code(&currency), ..money(1) };
        let said = said(1, State::Paid(money));
        let decision = decided(&order(status, 1, 1), &payment(1, attempt, None), false, &said);
        prop_assert_eq!(decision, Decision::SendBack(Outcome::Mismatch));
    }

    // P12, P13, P14, P16: what was asked for pays an order that awaits it, by whichever attempt; all else goes back.
    #[test]
    fn money_pays_what_awaits_it_and_otherwise_goes_back(
        status in any_status(), attempt in any_attempt(), number in 1..=2_u8, counts in 1..=2_u8,
    ) {
        prop_assume!(attempt != AttemptStatus::Captured);
        let said = said(number, State::Paid(money(number)));
        let decision = decided(&order(status, 2, counts), &payment(number, attempt, None), false, &said);
        let expected = match status {
            OrderStatus::AwaitingPayment => Decision::Capture,
            OrderStatus::Pending | OrderStatus::Shipping | OrderStatus::Delivered => {
                Decision::SendBack(Outcome::Duplicate)
            }
            OrderStatus::Cancelled => Decision::SendBack(Outcome::Late),
        };
        prop_assert_eq!(decision, expected);
    }

    // P11, P17: what is captured stays so, and an order is over only with the last of its attempts.
    #[test]
    fn the_end_of_an_attempt_ends_an_order_that_has_no_other_one(
        status in any_status(), attempt in any_attempt(), attempts in 1..=2_u8, number in 1..=2_u8,
    ) {
        prop_assume!(number <= attempts);
        let order = order(status, attempts, attempts);
        let decision = decided(&order, &payment(number, attempt, None), false, &said(number, State::Dead));
        let awaits = status == OrderStatus::AwaitingPayment;
        let may_release = awaits && attempts == 1 && attempt != AttemptStatus::Captured;
        prop_assert_eq!(decision == Decision::Release, may_release);
        if attempt == AttemptStatus::Captured {
            prop_assert_eq!(decision, Decision::Nothing);
        }
        if decision == (Decision::Bury { look: true }) {
            prop_assert!(awaits && number == attempts);
        }
    }

    // P4, P21, P24: money that is on its way pays nothing, and an open page means nothing.
    #[test]
    fn a_slow_payment_is_waited_for_and_pays_nothing(status in any_status(), attempt in any_attempt()) {
        let (order, payment) = (order(status, 1, 1), payment(1, attempt, None));
        let decision = decided(&order, &payment, false, &said(1, State::Processing));
        prop_assert!(matches!(decision, Decision::Wait | Decision::Note | Decision::Nothing));
        prop_assert!(decision != Decision::Wait || status == OrderStatus::AwaitingPayment);
        // That it was slow is told late: it has failed since.
        prop_assert!(attempt != AttemptStatus::Dead || decision == Decision::Nothing);
        prop_assert_eq!(decided(&order, &payment, false, &said(1, State::Open)), Decision::Nothing);
    }

    #[test]
    fn nothing_makes_an_attempt_less_than_captured(
        heard in prop::collection::vec(prop::sample::select(Heard::ALL.to_vec()), 0..12),
    ) {
        let mut status = AttemptStatus::Creating;
        let mut was_paid = false;
        for heard in heard {
            if let Follows::To(next) = status.on(heard) {
                status = next;
            }
            was_paid |= heard == Heard::Paid;
            prop_assert_eq!(status == AttemptStatus::Captured, was_paid);
        }
    }

    #[test]
    fn what_stripe_is_asked_for_comes_to_the_total_whatever_it_is_made_of(
        prices in prop::collection::vec((1..100_000_u64, 1..20_u32, 0..100_u64), 1..50),
        shipping in 0..5_000_u64, on_top in 0..9_000_u64, inside in 0..9_000_u64,
    ) {
        let discount = |(price, pieces, share): &(u64, u32, u64)| price * u64::from(*pieces) * share / 100;
        let lines: Vec<_> = prices.iter().map(|line| json!({
            "offerId": id(9), "productId": id(9), "productName": "Tea", "unitPrice": line.0, "quantity": line.1,
            "sellerId": "b0b",
            "amounts": { "discount": discount(line), "tax": 0, "taxRate": 0, "total": 1 },
        })).collect();
        let items: u64 = prices.iter().map(|line| line.0 * u64::from(line.1)).sum();
        let discounts: u64 = prices.iter().map(discount).sum();
        let total = items - discounts + shipping + on_top;
        prop_assume!(total > 0);
        let amounts = json!({
            "items": items, "discount": discounts, "shipping": shipping, "tax": on_top + inside, "taxIncluded": inside
        });
        let order = stored(OrderStatus::Pending, &json!({ "lines": lines, "total": total, "amounts": amounts }));
        let payment = Payment::new(id(1), &order, 1, &Terms::for_tests(), now());
        prop_assert_eq!(payment.session_request(&order).unwrap().lines.total(), Amount::from_minor(total));
    }
}

#[test]
fn a_payment_and_an_order_that_do_not_belong_together_are_unknown() {
    let (order, payment) = (order(OrderStatus::AwaitingPayment, 1, 1), payment(1, AttemptStatus::Open, None));
    let said = said(1, State::Paid(money(1)));
    let known = |order, payment| Known { order, payment, is_in_the_ledger: false };
    assert_eq!(decide(known(None, Some(&payment)), &said), Decision::Unknown);
    assert_eq!(decide(known(Some(&order), None), &said), Decision::Unknown);
    let of_another = Said { order: OrderId::at(now()), ..said.clone() };
    assert_eq!(decide(known(Some(&order), Some(&payment)), &of_another), Decision::Unknown);
    assert_eq!(decide(known(Some(&order), Some(&payment)), &said), Decision::Capture);
}

#[test]
fn money_by_another_session_than_the_attempts_own_does_not_pay() {
    let order = order(OrderStatus::AwaitingPayment, 1, 1);
    let by_another = Said { session: Some(session(7)), ..said(1, State::Paid(money(1))) };
    let open = payment(1, AttemptStatus::Open, None);
    assert_eq!(decided(&order, &open, false, &by_another), Decision::SendBack(Outcome::Mismatch));
    // Nobody noted its session: the process died before, and this is it.
    let unnoted = payment(1, AttemptStatus::Creating, None);
    assert_eq!(decided(&order, &unnoted, false, &by_another), Decision::Capture);
}

#[test]
fn a_session_is_what_stripe_says_of_it_and_nothing_that_it_does_not_say() {
    let of = |session: Value| {
        let mut whole = json!({ "id": "cs_test_1" });
        whole.as_object_mut().unwrap().extend(session.as_object().cloned().unwrap());
        State::of(&serde_json::from_value::<Session>(whole).unwrap())
    };
    assert_eq!(of(json!({ "status": "open", "payment_status": "unpaid" })), Some(State::Open));
    assert_eq!(of(json!({ "status": "expired", "payment_status": "unpaid" })), Some(State::Dead));
    assert_eq!(of(json!({ "status": "complete", "payment_status": "unpaid" })), Some(State::Processing));
    let paid = json!({
        "status": "complete", "payment_status": "paid", "payment_intent": "pi_1", "amount_total": 9_999,
        "currency": "usd"
    });
    assert_eq!(of(paid.clone()), Some(State::Paid(money(1))));
    for missing in ["payment_intent", "amount_total", "currency"] {
        let mut paid = paid.clone();
        paid.as_object_mut().unwrap().remove(missing);
        assert_eq!(of(paid), None, "{missing}");
    }
    assert_eq!(of(json!({ "status": "complete", "payment_status": "no_payment_required" })), None);
    assert_eq!(of(json!({})), None);
}

#[test]
fn what_stripe_is_asked_for_does_not_depend_on_the_present_configuration() {
    let order = order(OrderStatus::AwaitingPayment, 1, 1);
    let payment = payment(1, AttemptStatus::Creating, None);
    let asked = payment.session_request(&order).unwrap();
    let page = "https://shop.example/orders/01a1fbbc-f982-7d04-8367-8c1b9055f3ff";
    assert_eq!(asked.success_url, format!("{page}?payment={}", id(1)));
    assert_eq!(asked.cancel_url, format!("{page}?payment={}&cancelled=1", id(1)));
    assert_eq!(asked.expires_at, now() + Duration::from_mins(35));
    // As it comes back from the table, whatever the template says by then.
    let item = shared::dynamo::to_item(&payment).unwrap();
    let read: Payment = shared::dynamo::from_item(item).unwrap();
    assert_eq!((&read, read.session_request(&order).unwrap()), (&payment, asked));
}

#[test]
fn whoever_has_paid_comes_back_to_the_page_that_opened_the_order_also_after_it_was_claimed() {
    let id = OrderId::at(now());
    let of_guest = json!({ "orderId": id, "userId": UserId::guest(id) });
    let order = stored(OrderStatus::AwaitingPayment, &of_guest);
    let payment = Payment::new(self::id(1), &order, 1, &Terms::for_tests(), now());
    let asked = payment.session_request(&order).unwrap();
    let page = format!("https://shop.example/guest-orders/{id}?payment={}", self::id(1));
    assert_eq!((&asked.success_url, &asked.cancel_url), (&page, &format!("{page}&cancelled=1")));
    let ann = UserId::from("ann".to_owned());
    let claimed = Payment { user_id: ann.clone(), ..payment };
    assert_eq!(claimed.session_request(&order.claimed_by(ann)).unwrap(), asked, "the same to the byte");
}

#[test]
fn an_order_is_paid_on_the_open_page_or_on_a_new_one_three_times_at_most() {
    use AttemptStatus::{Captured, Creating, Dead, Open, Processing};
    let awaiting = |attempts| order(OrderStatus::AwaitingPayment, attempts, attempts);
    let terms = Terms::for_tests();
    let page = (CardKind::CheckoutSession, &terms);
    let next = |order: &Order, current: Option<&Payment>, at| next(order, current, page, at);
    let of = |attempts: u8, status, at| next(&awaiting(attempts), Some(&payment(attempts, status, None)), at);
    assert_eq!(of(1, Open, now()), Ok(Next::Open));
    assert_eq!(of(1, Open, now() + Duration::from_mins(35)), Ok(Next::Another), "its time is over");
    assert_eq!(of(1, Creating, now()), Ok(Next::Unmade));
    assert_eq!(of(1, Creating, now() + Duration::from_mins(5)), Ok(Next::Another), "too late to make it");
    assert_eq!(of(2, Dead, now()), Ok(Next::Another));
    assert_eq!(of(3, Dead, now()), Err(Refusal::TooMany));
    assert_eq!(of(3, Open, now()), Ok(Next::Open));
    assert_eq!(of(1, Processing, now()), Err(Refusal::Processing(id(1))));
    let captured = payment(1, Captured, Some(Outcome::Mismatch));
    assert_eq!(next(&awaiting(1), Some(&captured), now()), Ok(Next::Another), "another amount came");
    let pending = order(OrderStatus::Pending, 1, 1);
    assert_eq!(next(&pending, None, now()), Err(Refusal::AlreadyPaid(id(1))));
    assert_eq!(next(&order(OrderStatus::Cancelled, 1, 1), None, now()), Err(Refusal::Cancelled));
    assert_eq!(next(&stored(OrderStatus::Pending, &json!({})), None, now()), Err(Refusal::NotNeeded));
}

/// Whoever tries again and again holds stock no longer than that.
#[test]
fn all_attempts_of_an_order_together_hold_its_stock_for_two_hours_at_most() {
    let awaiting = order(OrderStatus::AwaitingPayment, 1, 1);
    let (dead, terms) = (payment(1, AttemptStatus::Dead, None), Terms::for_tests());
    let at = |minutes| {
        let at = awaiting.placed_at() + Duration::from_mins(minutes);
        next(&awaiting, Some(&dead), (CardKind::CheckoutSession, &terms), at)
    };
    assert_eq!(at(85), Ok(Next::Another), "its page is open until the end of two hours");
    assert_eq!(at(86), Err(Refusal::HeldTooLong));
    // A page that is open stays so: it has its own end.
    let open = payment(1, AttemptStatus::Open, None);
    let page = (CardKind::CheckoutSession, &terms);
    assert_eq!(next(&awaiting, Some(&open), page, now()), Ok(Next::Open));
}

#[test]
fn what_is_open_in_another_way_than_is_asked_for_is_given_up() {
    use AttemptStatus::{Creating, Open, Processing};
    use CardKind::{CheckoutSession, PaymentIntent};
    let (awaiting, terms) = (order(OrderStatus::AwaitingPayment, 1, 1), Terms::for_tests());
    for (is, asked) in [(CheckoutSession, PaymentIntent), (PaymentIntent, CheckoutSession)] {
        for status in [Open, Creating] {
            let current = payment(1, status, None).paid_by(is);
            let expected = if status == Open { Next::Open } else { Next::Unmade };
            assert_eq!(next(&awaiting, Some(&current), (is, &terms), now()), Ok(expected));
            assert_eq!(next(&awaiting, Some(&current), (asked, &terms), now()), Ok(Next::Another));
        }
        let slow = payment(1, Processing, None).paid_by(is);
        assert_eq!(next(&awaiting, Some(&slow), (asked, &terms), now()), Err(Refusal::Processing(id(1))));
    }
}

#[test]
fn an_order_is_paid_in_a_form_of_the_shops_own_only_where_that_is_switched_on() {
    let terms = Terms::for_tests();
    assert_eq!(terms.take(CardKind::CheckoutSession).unwrap(), None);
    assert_eq!(terms.take(CardKind::PaymentIntent).unwrap_err().status(), 409);
    assert!("pk_test_1".parse::<PublishableKey>().is_ok());
    for secret in ["sk_test_1", "rk_live_1", "", "pk_ 1"] {
        assert!(secret.parse::<PublishableKey>().is_err(), "{secret}: everybody would be told");
    }
}

fn intent(with: &Value) -> Intent {
    let mut whole = json!({ "id": "pi_1" });
    whole.as_object_mut().unwrap().extend(with.as_object().cloned().unwrap());
    serde_json::from_value(whole).unwrap()
}

#[test]
fn an_intent_is_what_stripe_says_of_it() {
    let of = |status: &str| {
        let paid = json!({ "status": status, "amount_received": 9_999, "currency": "usd" });
        State::of_intent(&intent(&paid))
    };
    for status in ["requires_payment_method", "requires_confirmation", "requires_action"] {
        assert_eq!(of(status), Some(State::Open), "{status}");
    }
    assert_eq!(of("processing"), Some(State::Processing));
    assert_eq!(of("canceled"), Some(State::Canceled));
    assert_eq!(of("succeeded"), Some(State::Paid(money(1))));
    assert_eq!(of("requires_capture"), None, "nobody asks for that");
    assert_eq!(State::of_intent(&intent(&json!({ "status": "succeeded", "currency": "usd" }))), None);
}

/// A session that expires cancels its intent, and Stripe tells both.
#[test]
fn the_end_of_an_intent_ends_an_attempt_that_is_one_and_no_other() {
    let order = order(OrderStatus::AwaitingPayment, 1, 1);
    let canceled = Said { session: None, ..said(1, State::Canceled) };
    let page = payment(1, AttemptStatus::Open, None);
    assert_eq!(decided(&order, &page, false, &canceled), Decision::Nothing);
    let form = page.paid_by(CardKind::PaymentIntent);
    assert_eq!(decided(&order, &form, false, &canceled), Decision::Release);
    let captured = payment(1, AttemptStatus::Captured, None).paid_by(CardKind::PaymentIntent);
    assert_eq!(decided(&order, &captured, false, &canceled), Decision::Nothing);
}

#[test]
fn money_by_another_intent_than_the_attempts_own_does_not_pay() {
    let order = order(OrderStatus::AwaitingPayment, 1, 1);
    let form = payment(1, AttemptStatus::Open, None).paid_by(CardKind::PaymentIntent);
    let of = |known: &str| Payment { session_id: None, intent_id: known.parse().ok(), ..form.clone() };
    let paid = Said { session: None, ..said(1, State::Paid(money(1))) };
    assert_eq!(decided(&order, &of("pi_1"), false, &paid), Decision::Capture);
    assert_eq!(decided(&order, &of("pi_7"), false, &paid), Decision::SendBack(Outcome::Mismatch));
    // Nobody noted it: the process died before.
    assert_eq!(decided(&order, &of(""), false, &paid), Decision::Capture);
}

#[test]
fn what_stripe_is_asked_for_to_be_paid_in_a_form_comes_from_what_was_stored() {
    let form = payment(1, AttemptStatus::Creating, None).paid_by(CardKind::PaymentIntent);
    let read: Payment = shared::dynamo::from_item(shared::dynamo::to_item(&form).unwrap()).unwrap();
    assert_eq!((read.intent_request(), read.kind()), (form.intent_request(), AttemptKind::PaymentIntent));
    assert_eq!(form.intent_request().amount, Amount::from_minor(9_999));
}

#[test]
fn a_refund_is_accepted_once_and_may_fail_after_that() {
    use RefundState::{Accepted, Failed, Requested};
    let on = |state: RefundState| [RefundHeard::Accepted, RefundHeard::Failed].map(|heard| state.on(heard));
    assert_eq!(on(Requested), [RefundFollows::To(Accepted), RefundFollows::To(Failed)]);
    assert_eq!(on(Accepted), [RefundFollows::Nothing, RefundFollows::To(Failed)]);
    assert_eq!(on(Failed), [RefundFollows::Nothing; 2]);
}

/// An attempt of which 99.99 came, with such a ledger.
fn whole(payment: Payment, ledger: &[(&str, i64)]) -> Whole {
    let entry = |(fact, amount): &(&str, i64)| {
        json!({
            "paymentId": id(1), "entry": format!("ledger#{fact}"), "amount": amount, "at": now(),
            "objectId": "re_1", "schemaVersion": 1
        })
    };
    let ledger = ledger.iter().map(entry).map(|entry| serde_json::from_value(entry).unwrap()).collect();
    Whole { payment, refunds: Vec::new(), disputes: Vec::new(), ledger }
}

// F11: a dispute of 100.40 of 99.99 leaves the ledger at -0.41, and that adds up.
#[test]
fn a_ledger_adds_up_to_what_its_attempt_counts() {
    let captured = payment(1, AttemptStatus::Captured, None);
    let (came, taken) = (("charge:pi_1", 9_999), ("dispute:du_1:withdrawn", -10_040));
    assert!(whole(captured.clone(), &[came]).adds_up());
    assert!(!whole(captured.clone(), &[]).adds_up(), "nobody wrote down what came");
    assert!(!whole(captured.clone(), &[came, taken]).adds_up(), "nobody counted what was taken");
    let disputed = Payment { disputed: 10_040, ..captured.clone() };
    assert!(whole(disputed.clone(), &[came, taken]).adds_up());
    assert!(!whole(disputed, &[came]).adds_up());
    let amount = Amount::from_minor;
    let refunded = Payment { refundable: amount(8_000), refunded: amount(1_999), ..captured.clone() };
    assert!(whole(refunded.clone(), &[came, ("refund:re_1", -1_999)]).adds_up());
    let lost = Payment { refundable: amount(7_999), ..refunded };
    assert!(!whole(lost, &[came, ("refund:re_1", -1_999)]).adds_up(), "a cent is nowhere");
    // Heard of before it was heard that it was taken.
    let early = Payment { disputed: -10_040, ..captured };
    assert!(whole(early, &[came, ("dispute:du_1:reinstated", 10_040)]).adds_up());
    assert!(whole(payment(1, AttemptStatus::Open, None), &[]).adds_up());
}

#[test]
fn what_banks_take_comes_and_goes_with_the_attempt_and_without_it_the_item_is_as_before() {
    let captured = payment(1, AttemptStatus::Captured, None);
    let item = shared::dynamo::to_item(&captured).unwrap();
    assert!(!item.contains_key("disputes") && !item.contains_key("disputed"));
    let disputed = Payment { disputes: 2, disputed: -41, ..captured };
    let item = shared::dynamo::to_item(&disputed).unwrap();
    assert_eq!(shared::dynamo::from_item::<Payment>(item).unwrap(), disputed);
}

fn asked(body: &str) -> Result<NewRefund, Problem> {
    input::parse(body.as_bytes())
}

// F1, F2, F10.
#[test]
fn an_admin_gives_back_a_part_or_all_that_is_left_and_never_more() {
    let captured = payment(1, AttemptStatus::Captured, None);
    let order = order(OrderStatus::Shipping, 1, 1);
    let of = |payment: &Payment, body: &str| {
        planned(payment, &order, &asked(body).unwrap()).map(|(amount, _)| amount.minor())
    };
    assert_eq!(of(&captured, r#"{"amount":10}"#), Ok(1_000));
    assert_eq!(of(&captured, "{}"), Ok(9_999));
    let left = Payment { refundable: Amount::from_minor(1), ..captured };
    assert_eq!(
        of(&left, r#"{"amount":0.02}"#),
        Err(NoRefund::TooLarge { refundable: Amount::from_minor(1) })
    );
    assert_eq!(of(&left, r#"{"amount":0.01}"#), Ok(1));
    let none = Payment { refundable: Amount::ZERO, ..left };
    assert_eq!(of(&none, "{}"), Err(NoRefund::Nothing));
    assert_eq!(of(&payment(1, AttemptStatus::Open, None), "{}"), Err(NoRefund::Nothing));
    // F11: not as long as its buyer has it from the bank, whatever is left.
    for refundable in [Amount::ZERO, Amount::from_minor(9_999)] {
        let disputed = Payment { disputes: 1, refundable, ..none.clone() };
        assert_eq!(of(&disputed, r#"{"amount":0.01}"#), Err(NoRefund::Disputed));
        assert_eq!(disputed.can_go_back(), Amount::ZERO);
    }
    for body in [r#"{"amount":0}"#, r#"{"amount":-1}"#, r#"{"amount":1.001}"#, r#"{"all":true}"#] {
        assert!(asked(body).is_err(), "{body}");
    }
}

// F8, F9.
#[test]
fn an_admin_gives_back_pieces_of_lines_and_what_sending_cost() {
    let line = |number: u8, price: u64, quantity: u32, total: u64| {
        json!({
            "offerId": id(number), "productId": id(number), "productName": "Tea", "unitPrice": price,
            "quantity": quantity, "sellerId": "b0b",
            "amounts": { "discount": 0, "tax": 0, "taxRate": 0, "total": total },
        })
    };
    // 90.00 and 4.99, and 5.00 for sending it.
    let lines = json!({ "lines": [line(7, 3_000, 3, 9_000), line(8, 499, 1, 499)], "total": 9_999 });
    let counts = json!({ "payment": {
        "paid": 9_999, "refunding": 0, "refunded": 0, "paymentId": id(1), "attempts": [id(1)]
    } });
    let mut with = lines;
    with.as_object_mut().unwrap().extend(counts.as_object().cloned().unwrap());
    let order = stored(OrderStatus::Shipping, &with);
    let captured = payment(1, AttemptStatus::Captured, None);
    let of = |payment: &Payment, body: &str| planned(payment, &order, &asked(body).unwrap());
    let tea = id(7);
    let (amount, share) = of(&captured, &format!(r#"{{"lines":[{{"id":"{tea}","quantity":2}}]}}"#)).unwrap();
    assert_eq!((amount.minor(), share.unwrap().lines[0].pieces), (6_000, 2));
    let with_shipping = format!(r#"{{"lines":[{{"id":"{tea}","quantity":3}}],"shipping":true}}"#);
    assert_eq!(of(&captured, &with_shipping).unwrap().0.minor(), 9_500);
    assert_eq!(of(&captured, r#"{"shipping":true}"#).unwrap().0.minor(), 500);
    let four = of(&captured, &format!(r#"{{"lines":[{{"id":"{tea}","quantity":4}}]}}"#));
    let offer = tea.to_string().parse().unwrap();
    assert_eq!(four, Err(NoRefund::NotBack(NotBack::TooMany { id: offer, left: 3 })));
    // An amount went back before, and the rest is less than the pieces cost.
    let refundable = Amount::from_minor(1_000);
    let left = Payment { refundable, ..captured };
    assert_eq!(of(&left, &with_shipping), Err(NoRefund::TooLarge { refundable }));
    let mismatched = Payment {
        refundable: Amount::from_minor(9_999),
        ..payment(1, AttemptStatus::Captured, Some(Outcome::Mismatch))
    };
    assert_eq!(of(&mismatched, &with_shipping), Err(NoRefund::Nothing), "what came was not the order's");
}

#[test]
fn a_refund_is_of_an_amount_or_of_lines_and_says_what_is_wrong_with_it() {
    let tea = format!(r#"{{"id":"{}","quantity":1}}"#, id(7));
    let is_share = |body: &str| matches!(asked(body).unwrap().part, RefundPart::Share { .. });
    assert!(is_share(&format!(r#"{{"lines":[{tea}]}}"#)) && is_share(r#"{"shipping":true}"#));
    assert_eq!(
        asked(r#"{"shipping":false,"outside":true}"#).unwrap(),
        NewRefund { part: RefundPart::Rest, reason: None, outside: true }
    );
    for (body, pointer) in [
        (format!(r#"{{"amount":1,"lines":[{tea}]}}"#), "#/amount"),
        (r#"{"amount":1,"shipping":true}"#.to_owned(), "#/amount"),
        (format!(r#"{{"lines":[{tea},{tea}]}}"#), "#/lines"),
        (r#"{"lines":[]}"#.to_owned(), "#/lines"),
        (format!(r#"{{"lines":[{{"id":"{}","quantity":0}}]}}"#, id(7)), "#/lines/0/quantity"),
        (r#"{"outside":"yes"}"#.to_owned(), "#/outside"),
    ] {
        let problem = asked(&body).unwrap_err();
        let pointers: Vec<_> = problem.errors().iter().filter_map(|error| error.pointer.as_deref()).collect();
        assert_eq!(pointers, [pointer], "{body}");
    }
}

#[test]
fn what_was_given_back_otherwise_is_no_business_of_stripes() {
    let captured =
        Payment { intent_id: Some("pi_1".parse().unwrap()), ..payment(1, AttemptStatus::Captured, None) };
    let (amount, why) = (Amount::from_minor(10), RefundWhy::RequestedByCustomer);
    let outside = Refund::outside(&captured, amount, why, Some("admin".into()), now());
    assert_eq!(outside.state(), RefundState::Accepted);
    assert!(outside.request().is_err());
    let by_stripe = Refund::requested(&captured, "pi_1".parse().unwrap(), amount, why, None, now());
    assert_eq!(by_stripe.request().unwrap().amount, amount);
    for refund in [outside, by_stripe] {
        let item = shared::dynamo::to_item(&refund).unwrap();
        assert_eq!(shared::dynamo::from_item::<Refund>(item).unwrap(), refund);
    }
}

#[test]
fn what_was_paid_at_the_door_is_given_back_by_whoever_says_so_and_by_nobody_else() {
    let order = stored(OrderStatus::Delivered, &json!({ "paymentMethod": "cash_on_delivery" }));
    let cash = Payment::of_cash(id(1), &order, &"cartwright".parse().unwrap(), now());
    assert_eq!(
        (cash.status, cash.captured, cash.refundable),
        (AttemptStatus::Captured, order.total(), order.total())
    );
    let of = |body: &str| planned(&cash, &order, &asked(body).unwrap()).map(|(amount, _)| amount.minor());
    assert_eq!(of(r#"{"amount":10}"#), Err(NoRefund::InCash));
    assert_eq!(of(r#"{"amount":10,"outside":true}"#), Ok(1_000));
    let item = shared::dynamo::to_item(&cash).unwrap();
    assert_eq!(shared::dynamo::from_item::<Payment>(item).unwrap(), cash);
}

/// A return of so many pieces of the order's one line, which the shop agreed to.
fn returned(quantity: u32) -> Return {
    let at = "2026-11-29T12:00:00.000Z";
    serde_json::from_value(json!({
        "returnId": id(5), "orderId": "01a1fbbc-f982-7d04-8367-8c1b9055f3ff", "status": "accepted",
        "lines": [{ "offerId": id(9), "productName": "Tea", "quantity": quantity }], "createdAt": at,
        "updatedAt": at, "open": "0", "schemaVersion": 1
    }))
    .unwrap()
}

#[test]
fn a_return_pays_back_what_its_pieces_cost_and_never_more_than_is_left() {
    let counts =
        json!({ "paid": 9_999, "refunding": 0, "refunded": 0, "paymentId": id(1), "attempts": [id(1)] });
    let with = |back: Value| stored(OrderStatus::Delivered, &json!({ "payment": counts, "back": back }));
    let captured =
        Payment { intent_id: Some("pi_1".parse().unwrap()), ..payment(1, AttemptStatus::Captured, None) };
    let receipt = Receipt { restock: false, shipping: false, outside: false };
    let owed = |payment: &Payment, order: &Order, pieces, receipt| {
        let refund = owed_for(payment, order, &returned(pieces), receipt, &Actor::WORKFLOW, now())?;
        Ok::<_, NoRefund>(refund.map(|refund| (refund.amount().minor(), refund.reason)))
    };
    let untouched = with(Value::Null);
    let why = RefundWhy::Returned;
    assert_eq!(owed(&captured, &untouched, 1, receipt), Ok(Some((3_333, why))));
    assert_eq!(owed(&captured, &untouched, 3, receipt), Ok(Some((9_999, why))));
    // Two were refunded before.
    let line = json!({ "offerId": id(9), "refunded": 2, "amount": 6_666, "returned": 3 });
    let two_gone = with(json!({ "version": 4, "lines": [line] }));
    let left = Payment { refundable: Amount::from_minor(3_333), ..captured.clone() };
    assert_eq!(owed(&left, &two_gone, 3, receipt), Ok(Some((3_333, why))));
    // An amount went back that was for nothing in particular.
    let less = Payment { refundable: Amount::from_minor(100), ..captured.clone() };
    assert_eq!(owed(&less, &untouched, 2, receipt), Ok(Some((100, why))));
    let none = Payment { refundable: Amount::ZERO, ..captured };
    assert_eq!(owed(&none, &untouched, 2, receipt), Ok(None));
    let at_the_door = Payment::of_cash(id(1), &untouched, &"cartwright".parse().unwrap(), now());
    assert_eq!(owed(&at_the_door, &untouched, 1, receipt), Err(NoRefund::InCash));
    let said = Receipt { outside: true, ..receipt };
    assert_eq!(owed(&at_the_door, &untouched, 1, said), Ok(Some((3_333, why))));
}

// R6.
#[test]
fn a_return_is_for_nothing_where_a_bank_has_decided_for_its_buyer() {
    let order = |disputes, lost| {
        let paid = json!({
            "paid": 9_999, "refunding": 0, "refunded": 0, "paymentId": id(1), "attempts": [id(1)],
            "disputes": disputes, "chargedBack": lost
        });
        stored(OrderStatus::Delivered, &json!({ "payment": paid }))
    };
    let owed = |disputes, lost| {
        let captured = Payment {
            intent_id: Some("pi_1".parse().unwrap()),
            disputes,
            ..payment(1, AttemptStatus::Captured, None)
        };
        let receipt = Receipt { restock: true, shipping: false, outside: false };
        owed_for(&captured, &order(disputes, lost), &returned(1), receipt, &Actor::WORKFLOW, now())
            .map(|refund| refund.map(|refund| refund.amount().minor()))
    };
    assert_eq!(owed(0, 0), Ok(Some(3_333)));
    assert_eq!(owed(1, 0), Err(NoRefund::Disputed), "the bank decides");
    assert_eq!(owed(2, 1), Err(NoRefund::Disputed), "it decides about another one");
    assert_eq!(owed(1, 1), Ok(None), "its buyer has the money");
}

#[test]
fn a_buyer_is_told_of_money_that_went_back_where_nothing_else_tells_of_it() {
    let order = order(OrderStatus::Shipping, 1, 1);
    let captured = payment(1, AttemptStatus::Captured, None);
    let refund = |why| {
        Refund::requested(&captured, "pi_1".parse().unwrap(), Amount::from_minor(1_000), why, None, now())
    };
    let accepted = |why| Refund { status: RefundState::Accepted, ..refund(why) };
    assert!(refund(RefundWhy::RequestedByCustomer).letter(&order).is_none(), "it has not gone yet");
    let told = RefundWhy::ALL.into_iter().filter(|why| accepted(*why).letter(&order).is_some());
    let expected = [
        RefundWhy::RequestedByCustomer,
        RefundWhy::Duplicate,
        RefundWhy::Fraudulent,
        RefundWhy::Late,
        RefundWhy::Elsewhere,
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
    let letter = accepted(RefundWhy::Late).letter(&order).unwrap();
    assert_eq!(letter.subject, "You get 10.00 USD back");
    assert_eq!(letter.paragraphs[0], "Your money came when the order was cancelled already.");
    let failed = Refund { status: RefundState::Failed, ..accepted(RefundWhy::Late) };
    assert!(failed.letter(&order).is_none(), "it came again");
    let name = accepted(RefundWhy::Late).name();
    assert_eq!(name.to_string().parse::<RefundName>(), Ok(name));
}

#[test]
fn what_is_to_be_told_is_due_until_it_is() {
    let captured = payment(1, AttemptStatus::Captured, None);
    let outside = |why| Refund::outside(&captured, Amount::from_minor(10), why, None, now());
    assert!(outside(RefundWhy::RequestedByCustomer).due.is_some());
    assert!(outside(RefundWhy::Returned).due.is_none(), "the letter of its return tells of it");
}

/// A pending order of two sellers that a person ships, `b0b` 33.33 and `eve` 66.66, with 4.90 for sending it.
fn of_two(with: &Value) -> Order {
    let line = |number: u8, seller: &str, quantity: u32| {
        json!({
            "offerId": id(number), "productId": id(number), "productName": "Tea", "unitPrice": 3_333,
            "quantity": quantity, "sellerId": seller
        })
    };
    let mut order = json!({
        "lines": [line(8, "b0b", 1), line(9, "eve", 2)], "total": 10_489, "manual": true,
        "history": [{ "status": "pending", "at": "2026-11-28T12:00:00.000Z" }]
    });
    order.as_object_mut().unwrap().extend(with.as_object().cloned().unwrap());
    stored(OrderStatus::Pending, &order)
}

#[test]
fn a_refused_parcel_gives_back_what_was_paid_for_it_and_never_more_than_is_left() {
    let (bob, said) = (UserId::from("b0b".to_owned()), ParcelSaid::Refused(None));
    let paid = |disputes: u32, lost: u32| {
        json!({
            "paid": 10_489, "refunding": 0, "refunded": 0, "paymentId": id(1), "attempts": [id(1)],
            "disputes": disputes, "chargedBack": lost
        })
    };
    let captured = |refundable: u64, disputes| Payment {
        intent_id: Some("pi_1".parse().unwrap()),
        refundable: Amount::from_minor(refundable),
        disputes,
        ..payment(1, AttemptStatus::Captured, None)
    };
    let money = |order: &Order, payment: Option<&Payment>| {
        let moves = order.moves(std::slice::from_ref(&bob), &said).unwrap().unwrap();
        let money = refused_money(order, &moves, &bob, payment, &Actor::WORKFLOW, now())?;
        Ok::<_, NoRefund>((money.0, money.1.map(|refund| (refund.amount().minor(), refund.reason))))
    };
    let order = of_two(&json!({ "payment": paid(0, 0) }));
    // A third of what sending it cost.
    let share = order.share_of_parcel(&bob).unwrap();
    assert_eq!(share.amount().minor(), 3_333 + 163);
    let goes_back =
        |amount| RefusedMoney::GoesBack { share: share.clone(), amount: Amount::from_minor(amount) };
    let why = RefundWhy::Refused;
    let of = |refundable| money(&order, Some(&captured(refundable, 0)));
    assert_eq!(of(10_489), Ok((goes_back(3_496), Some((3_496, why)))));
    assert_eq!(of(100), Ok((goes_back(100), Some((100, why)))), "an amount went back before");
    assert_eq!(of(0), Ok((RefusedMoney::None, None)));
    let disputed = |lost| money(&of_two(&json!({ "payment": paid(1, lost) })), Some(&captured(10_489, 1)));
    assert_eq!(disputed(0), Err(NoRefund::Disputed), "the bank decides");
    assert_eq!(disputed(1), Ok((RefusedMoney::None, None)), "its buyer has the money");

    // The last one ends the order, and all that is kept goes back.
    let other = json!({ "b0b": { "status": "to_send" }, "eve": { "status": "refused" } });
    let last = |with: Value| {
        let mut value = json!({ "parcels": other });
        value.as_object_mut().unwrap().extend(with.as_object().cloned().unwrap());
        of_two(&value)
    };
    let gone = json!({
        "paid": 10_489, "refunding": 6_993, "refunded": 0, "paymentId": id(1), "attempts": [id(1)]
    });
    let all = money(&last(json!({ "payment": gone })), Some(&captured(3_496, 0)));
    let amount = Amount::from_minor(3_496);
    assert_eq!(all, Ok((RefusedMoney::AllGoesBack(amount), Some((3_496, RefundWhy::Cancelled)))));
    let disputed = money(&last(json!({ "payment": paid(1, 0) })), Some(&captured(10_489, 1)));
    assert_eq!(disputed, Ok((RefusedMoney::AllGoesBack(Amount::ZERO), None)));

    // What is paid at the door is not paid for it, and what costs nothing is nothing.
    let cash = json!({ "paymentMethod": "cash_on_delivery" });
    assert_eq!(money(&of_two(&cash), None), Ok((RefusedMoney::NotCollected(share), None)));
    assert_eq!(money(&last(cash), None), Ok((RefusedMoney::None, None)));
    assert_eq!(money(&of_two(&json!({ "paymentMethod": "none" })), None), Ok((RefusedMoney::None, None)));
}

#[test]
fn what_is_not_paid_at_the_door_is_no_part_of_the_payment() {
    let of = |waived: u64| {
        let with = json!({ "paymentMethod": "cash_on_delivery", "waived": waived });
        Payment::of_cash(id(1), &of_two(&with), &"cartwright".parse().unwrap(), now())
    };
    assert_eq!((of(0).captured.minor(), of(3_496).captured.minor()), (10_489, 6_993));
    assert_eq!(of(3_496).refundable.minor(), 6_993);
}
