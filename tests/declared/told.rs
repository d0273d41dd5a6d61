//! Whatever people are told, each kind by each of its ways, is told by a journey through a running shop: here stands by
//! which. A kind that is new has to be tried before this is content, and so has one whose journey went.

use std::collections::BTreeSet;

use tests::template::text;

use crate::events::told_by;

/// A kind, the file below `tests/` and the test in it, and what of that test tells that it is tried there.
type Tried = (&'static str, &'static str, &'static str, &'static str);

const ACCOUNTS: &str = "shop/accounts.rs";
const MESSAGES: &str = "shop/messages.rs";
const PHONES: &str = "shop/phones.rs";
const RETURNS: &str = "shop/returns.rs";
const TOLD: &str = "shop/told.rs";
const LEAVING: &str = "disruptions/accounts.rs";
const PARCELS: &str = "disruptions/orders.rs";

const MAIN_JOB: &str = "from_sign_up_to_the_shipping_email";
const TWO_PARCELS: &str = "an_order_of_two_sellers_is_sent_in_two_parcels_and_its_buyer_is_told_of_each";
const REFUSED_PARCEL: &str = "of_an_order_by_card_a_refused_parcel_goes_back_and_the_other_is_sent";
const SENT_BACK: &str = "what_comes_back_is_paid_back_and_sold_again_once_and_its_buyer_told_each_time";
const DECIDED: &str = "a_seller_is_told_what_was_decided_on_products_until_that_is_not_wanted";
const REVIEWED: &str = "a_seller_is_told_of_a_review_and_its_author_of_the_reply";
const ALWAYS_TOLD: &str = "whoever_has_another_password_or_role_is_told_whatever_was_switched_off";
const NEW_ADDRESS: &str = "a_new_address_counts_once_its_code_was_entered";

/// By email; most are told apart by their subjects.
const EMAILS: [Tried; 28] = [
    ("order.confirmed", "shop/main_job.rs", MAIN_JOB, "is confirmed\""),
    ("order.shipping", "shop/main_job.rs", MAIN_JOB, "now shipping\""),
    ("parcel.sent", PARCELS, TWO_PARCELS, "\"Part of your order is on its way: tea\""),
    ("parcel.refused", PARCELS, REFUSED_PARCEL, "\"We cannot send tea\""),
    (
        "order.delivered",
        "shop/orders/fulfilling.rs",
        "an_order_arrives_when_its_seller_says_so_and_its_buyer_is_told_once",
        "\"Your order of tea has arrived\"",
    ),
    (
        "order.cancelled",
        TOLD,
        "a_buyer_hears_at_once_that_an_order_is_over_and_reads_it_in_the_mail",
        "\"Your order of shoes is cancelled\"",
    ),
    ("payment.refunded", RETURNS, "each_refund_is_told_of_once", "\"You get 10.00 USD back\""),
    ("return.requested", RETURNS, SENT_BACK, "\"We have your request to return shoes\""),
    ("return.accepted", RETURNS, SENT_BACK, "\"You can send shoes back\""),
    ("return.received", RETURNS, SENT_BACK, "\"We have shoes back\""),
    (
        "return.refused",
        RETURNS,
        "no_piece_is_in_two_returns_unless_the_first_was_refused",
        "\"We do not take shoes back\"",
    ),
    (
        "guest.links",
        "shop/guests.rs",
        "links_are_mailed_to_their_address_and_the_answer_tells_nothing",
        "\"Your orders\"",
    ),
    ("product.approved", MESSAGES, DECIDED, "\"Tea is for sale\""),
    ("product.rejected", MESSAGES, DECIDED, "\"Tea wurde nicht freigegeben\""),
    ("sale.digest", MESSAGES, "a_seller_is_told_once_what_was_sold_in_an_hour", "\"You have 2 new orders\""),
    (
        "product.ran-low",
        MESSAGES,
        "a_seller_is_told_that_few_pieces_are_left_in_writing_and_in_the_inbox",
        "\"Tea is running low\"",
    ),
    (
        "store.deactivated",
        MESSAGES,
        "an_owner_is_told_that_the_shop_closed_a_store_and_why",
        "\"Your store {name} is closed\"",
    ),
    ("review.posted", MESSAGES, REVIEWED, "\"Tea has a new review\""),
    ("review.answered", MESSAGES, REVIEWED, "\"The seller replied to your review of Tea\""),
    ("account.password-changed", MESSAGES, ALWAYS_TOLD, "\"Your password at Cartwright was changed\""),
    ("account.role-changed", MESSAGES, ALWAYS_TOLD, "\"Your role at Cartwright was changed\""),
    (
        "account.second-factor-changed",
        MESSAGES,
        "whoever_turns_a_second_factor_on_or_off_is_told_whatever_was_switched_off",
        "\"Your second factor at Cartwright is on\"",
    ),
    ("account.new-address", ACCOUNTS, NEW_ADDRESS, "code_for_a_new_address(&address)"),
    ("account.address-changed", ACCOUNTS, NEW_ADDRESS, "mail.subject == ADDRESS_CHANGED"),
    (
        "account.export-ready",
        ACCOUNTS,
        "an_export_of_much_is_made_in_the_background_and_can_be_fetched_for_a_day",
        "\"Your data at Cartwright is ready\"",
    ),
    (
        "account.deleted",
        LEAVING,
        "after_an_account_is_deleted_nothing_of_its_person_is_found_anywhere",
        "is_told(&shop, &ann, DELETED)",
    ),
    (
        "account.kept",
        LEAVING,
        "whoever_waits_for_an_order_or_owes_one_stays_and_hears_why",
        "mail.subject == KEPT",
    ),
    (
        "message.sent",
        "shop/mail.rs",
        "a_person_is_written_to_once_in_the_shops_layout_and_finds_it_in_the_log",
        "\"The shop has a message for you.",
    ),
];

const SELLER: &str = "a_seller_hears_at_once_what_becomes_of_what_they_sell_and_who_reviews_it_of_the_reply";
const BUYER: &str = "a_buyer_hears_at_once_how_an_order_goes_on_and_that_money_goes_back";
const OVER: &str = "a_buyer_hears_at_once_that_an_order_is_over_and_reads_it_in_the_mail";
const PERSON: &str = "a_person_hears_at_once_what_happens_to_the_account";
const STOPPED: &str = "whoever_answered_stop_gets_no_text_any_more_and_reads_of_it_in_the_inbox";

/// In the inbox, and by that very entry in the open page.
const IN_THE_PAGE: [(&str, &str, &str); 20] = [
    ("order.placed", TOLD, BUYER),
    ("order.paid", TOLD, BUYER),
    ("order.shipped", TOLD, BUYER),
    ("order.parcel-sent", PARCELS, TWO_PARCELS),
    ("order.parcel-refused", PARCELS, REFUSED_PARCEL),
    ("order.delivered", TOLD, BUYER),
    ("order.cancelled", TOLD, OVER),
    ("order.refunded", TOLD, BUYER),
    ("sale.made", TOLD, SELLER),
    ("product.approved", TOLD, SELLER),
    ("product.rejected", TOLD, SELLER),
    ("product.ran-low", TOLD, SELLER),
    ("review.posted", TOLD, SELLER),
    ("review.answered", TOLD, SELLER),
    ("store.deactivated", TOLD, SELLER),
    ("user.profile-changed", TOLD, PERSON),
    ("user.second-factor-changed", TOLD, PERSON),
    ("user.email-suppressed", TOLD, PERSON),
    ("user.role-changed", TOLD, PERSON),
    ("user.texts-stopped", "disruptions/texts.rs", STOPPED),
];

/// In the inbox alone: what is pushed of another password is the end of the sockets from before it.
const PASSWORD: [Tried; 2] = [
    (
        "user.password-changed",
        "shop/inbox.rs",
        "whoever_has_another_password_name_or_role_is_told",
        "\"user.password-changed\"",
    ),
    (
        "user.password-changed",
        "shop/sockets.rs",
        "another_password_and_a_closed_account_end_the_sockets_from_before",
        "ends_without(\"user.password-changed\")",
    ),
];

const WANTED: &str = "a_buyer_who_wants_it_is_told_once_that_an_order_left_and_that_it_arrived";

/// By text.
const TEXTS: [Tried; 5] = [
    ("order.shipped", PHONES, WANTED, "\"on its way\""),
    ("order.delivered", PHONES, WANTED, "\"ist angekommen\""),
    ("order.parcel-sent", PARCELS, TWO_PARCELS, "\"a parcel of your order\""),
    (
        "admin.text",
        PHONES,
        "an_admin_texts_a_person_or_a_number_once_under_a_key_and_finds_it_in_the_log",
        "\"/notifications/sms\"",
    ),
    (
        "phone.code",
        PHONES,
        "a_phone_is_proved_by_the_code_that_came_there_and_then_texts_can_be_chosen",
        "code_of(&shop, &number, 1)",
    ),
];

fn kinds<'a>(tried: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    tried.into_iter().map(str::to_owned).collect()
}

/// That there is this test, and that it has this.
fn is_tried(file: &str, test: &str, by: &str) {
    let source = text(&format!("tests/{file}"));
    let begin = format!("#[tokio::test]\nasync fn {test}()");
    let (_, rest) = source.split_once(&begin).unwrap_or_else(|| panic!("no test {test} in {file}"));
    let body = rest.split("\n}\n").next().unwrap_or_default();
    assert!(body.contains(by), "{by} is not in {test} of {file}");
}

#[test]
fn each_thing_is_told_by_each_of_its_ways_in_a_journey() {
    assert_eq!(kinds(EMAILS.map(|(kind, ..)| kind)), told_by(3), "by email");
    let in_the_page = IN_THE_PAGE.map(|(kind, ..)| kind);
    assert_eq!(
        kinds(in_the_page.into_iter().chain(PASSWORD.map(|(kind, ..)| kind))),
        told_by(4),
        "in the inbox"
    );
    assert_eq!(kinds(TEXTS.map(|(kind, ..)| kind)), told_by(5), "by text");
    for (_, file, test, by) in EMAILS.iter().chain(&PASSWORD).chain(&TEXTS) {
        is_tried(file, test, by);
    }
    for (kind, file, test) in IN_THE_PAGE {
        is_tried(file, test, &format!("is_told(\"{kind}\""));
    }
}
