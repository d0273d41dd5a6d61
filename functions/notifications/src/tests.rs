use std::fs;
use std::path::PathBuf;

use html5gum::{Token, Tokenizer};
use orders::digests::{Hour, SaleLetterKind, Sold};
use orders::guests::OrderTokens;
use orders::letters::{GuestOrder, ParcelLetterKind, ReturnLetterKind};
use orders::{CancellationReason, LetterKind, Order, Return};
use payments::Refund;
use products::{ProductLetterKind, ProductOffer};
use reviews::{Review, ReviewLetterKind};
use serde_json::{Value, json};
use shared::letters::{Queued, Recipient, Row, Total};
use shared::run::aws::canned::{answering_each, item};
use shared::run::aws::{Aws, FromEnv};
use shared::run::worker::Failure;
use shared::values::time::Timestamp;
use stores::{Store, StoreLetterKind};
use users::{AccountLetterKind, Message, MessageLetterKind, NoticeLetterKind, Profile};

use super::*;

const ORDER: &str = "01a1fbbc-f982-7d04-8367-8c1b9055f3fd";

/// A pending order of `(pieces, name, price in cents)` that this person placed, as the table keeps it.
fn order(buyer: &str, lines: &[(u64, &str, u64)]) -> Order {
    let (at, id) = ("2026-11-21T12:04:00.000Z", "01a1fbbc-f7cc-71a0-aa66-431f703e44ea");
    let line = |(pieces, name, price): &(u64, &str, u64)| {
        json!({
            "offerId": id, "productId": id, "productName": name, "unitPrice": price, "quantity": pieces,
            "sellerId": "77e1"
        })
    };
    let total: u64 = lines.iter().map(|(pieces, _, price)| pieces * price).sum();
    let order = json!({
        "orderId": ORDER, "userId": "5d0c", "contact": { "email": "ann@cartwright.test", "fullName": buyer },
        "status": "pending", "paymentMethod": "cash_on_delivery",
        "lines": lines.iter().map(line).collect::<Vec<Value>>(), "total": total, "currency": "USD",
        "createdAt": at, "updatedAt": at, "history": [{ "status": "pending", "at": at }], "attempts": 0,
        "schemaVersion": 1
    });
    serde_json::from_value(order).unwrap()
}

fn in_status(order: &Order, status: &str, reason: Option<CancellationReason>) -> Order {
    let mut value = serde_json::to_value(order).unwrap();
    value["status"] = status.into();
    let entry = json!({ "status": status, "at": value["createdAt"], "reason": reason });
    value["history"].as_array_mut().unwrap().push(entry);
    serde_json::from_value(value).unwrap()
}

/// The same with all that can be said of its way.
fn on_its_way(order: &Order) -> Order {
    let mut value = serde_json::to_value(order).unwrap();
    value["shipment"] = json!({
        "carrier": "Hermes <b>&</b> Söhne", "trackingNumber": "JD 0146-00",
        "trackingUrl": "https://track.example/JD0146?lang=en&n=1",
    });
    serde_json::from_value(value).unwrap()
}

/// The letter with the links of two orders.
fn links() -> Letter {
    let order = |id: &str, total: u64| {
        json!({
            "orderId": id, "guest": "hash", "createdAt": "2026-11-21T12:04:00.000Z", "total": total,
            "contact": { "email": "gus@cartwright.test", "fullName": "Gus Guest" }, "currency": "USD"
        })
    };
    let orders = json!([order(ORDER, 2_400), order("01a1fb8c-b94b-7110-8144-8ca566ceab36", 19_998)]);
    let orders: Vec<GuestOrder> = serde_json::from_value(orders).unwrap();
    OrderTokens::new("key".into()).links(&orders).unwrap()
}

#[test]
fn a_guest_is_sent_the_link_of_each_order_with_what_opens_it_in_the_fragment() {
    let email = Email::of(&links(), &shop()).unwrap();
    let path = "guest-orders/01a1fb8c-b94b-7110-8144-8ca566ceab36#t0xpOcohAKtgwAdTxgHEcw";
    let text = format!(
        "Order C-7XRS-XASP of 21 November 2026 at 12:04 UTC, 199.98 USD:\nhttps://shop.example/{path}\n"
    );
    assert!(email.text.contains(&text), "{}", email.text);
    assert!(email.html.contains(&format!("href=\"https://shop.example/{path}\"")), "{}", email.html);
}

fn shop() -> WebShop {
    "https://shop.example".parse().unwrap()
}

fn about(order: &Order, kind: LetterKind) -> Email {
    Email::of(&order.letter(kind).unwrap().unwrap(), &shop()).unwrap()
}

/// A product name, a person's name and a path that try to be more than text.
const HOSTILE: [&str; 3] = [
    r#"<script>alert("tea")</script> & 'co'"#,
    r#"<img src=x onerror=alert(1)>"Ann"{{ 7*7 }}"#,
    r#"</td></table><a href="javascript:alert(1)" onclick="alert(2)">Pay here</a>"#,
];

/// A letter of whose words every one is hostile: more than any service would let through.
fn hostile() -> Letter {
    let [one, two, three] = HOSTILE.map(str::to_owned);
    Letter {
        to: Recipient::new("ann@cartwright.test", two.clone()),
        subject: format!("{one}\r\nBcc: everyone@evil.example\u{0}"),
        headline: three.clone(),
        paragraphs: HOSTILE.map(str::to_owned).into(),
        code: Some(one.clone()),
        rows: vec![Row { name: one.clone(), detail: Some(two.clone()), amount: three.clone() }],
        totals: vec![Total { name: two.clone(), amount: one.clone() }],
        link: Some(Link { text: two, path: format!("/orders/{three}") }),
        links: Vec::new(),
        reference: vec![one, three],
    }
}

#[test]
fn a_confirmation_says_what_was_ordered_and_where_to_see_it() {
    let email = about(&order("Ann", &[(2, "Gucci shoes", 9_999), (1, "Tea", 450)]), LetterKind::Confirmed);
    assert_eq!(email.subject, "Your order of Gucci shoes and 1 more item is confirmed");
    assert_eq!(
        email.text,
        "Hello Ann,\n\
         \n\
         Thank you for your order. We are preparing it. You pay when it arrives.\n\
         \n  \
           Gucci shoes (2 × 99.99 USD): 199.98 USD\n  \
           Tea (1 × 4.50 USD): 4.50 USD\n\
         \n\
         Total: 204.48 USD\n\
         \n\
         Order C-7XVS-BWZX (01a1fbbc-f982-7d04-8367-8c1b9055f3fd)\n\
         placed on 21 November 2026 at 12:04 UTC\n\
         https://shop.example/orders/01a1fbbc-f982-7d04-8367-8c1b9055f3fd\n\
         \n\
         Cartwright\n\
         https://shop.example\n"
    );
    for part in [
        "<title>Your order of Gucci shoes and 1 more item is confirmed</title>",
        ">We are preparing it. You pay when it arrives. Total: 204.48 USD. </div>",
        ">Thank you for your order</h1>",
        "Hello <bdi>Ann</bdi>,<br>We are preparing it. You pay when it arrives.</p>",
        "<bdi>Gucci shoes</bdi>",
        "2 × 99.99 USD</span>",
        ">199.98 USD</td>",
        ">204.48 USD</td>",
        r#"href="https://shop.example/orders/01a1fbbc-f982-7d04-8367-8c1b9055f3fd""#,
        ">See your order</a>",
        r#"href="https://shop.example""#,
        "Order C-7XVS-BWZX (01a1fbbc-f982-7d04-8367-8c1b9055f3fd)<br>placed on 21 November 2026 at 12:04 UTC",
    ] {
        assert!(email.html.contains(part), "{part} is not in {}", email.html);
    }
}

#[test]
fn a_letter_of_words_alone_is_an_email_of_words_alone() {
    let letter = Letter {
        to: Recipient::new("ann@cartwright.test", "Ann"),
        subject: "Your password has changed".into(),
        headline: "Your password has changed".into(),
        paragraphs: Vec::new(),
        code: None,
        rows: Vec::new(),
        totals: Vec::new(),
        link: None,
        links: Vec::new(),
        reference: Vec::new(),
    };
    let email = Email::of(&letter, &WebShop::default()).unwrap();
    assert_eq!(email.text, "Hello Ann,\n\nYour password has changed.\n\nCartwright\n");
    assert!(!email.html.contains("href") && email.html.matches("<table").count() == 3, "{}", email.html);
}

#[test]
fn without_a_web_shop_there_is_no_link() {
    let letter = order("Ann", &[(1, "Tea", 450)]).letter(LetterKind::Confirmed).unwrap().unwrap();
    let email = Email::of(&letter, &WebShop::default()).unwrap();
    assert!(!email.text.contains("http"), "{}", email.text);
    assert!(!email.html.contains("href"), "{}", email.html);
}

#[test]
fn what_people_write_stays_text_in_html_and_itself_in_the_text() {
    let email = Email::of(&hostile(), &shop()).unwrap();
    for raw in HOSTILE {
        assert!(!email.html.contains(raw), "{raw} is in {}", email.html);
        assert!(email.text.contains(raw), "{raw} is not in {}", email.text);
    }
    for escaped in [
        "<bdi>&#60;script&#62;alert(&#34;tea&#34;)&#60;/script&#62; &#38; &#39;co&#39;</bdi>",
        "<bdi>&#60;img src=x onerror=alert(1)&#62;&#34;Ann&#34;{{ 7*7 }}</bdi>",
        "&#60;/td&#62;&#60;/table&#62;&#60;a href=&#34;javascript:alert(1)&#34; onclick=&#34;alert(2)&#34;&#62;Pay",
    ] {
        assert!(email.html.contains(escaped), "{escaped} is not in {}", email.html);
    }
}

/// All elements that there are in `html` and in its conditional comments, with their attributes.
fn elements(html: &str) -> Vec<(String, Vec<(String, String)>)> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let mut found = Vec::new();
    for token in Tokenizer::new(html).map(|token| token.unwrap()) {
        match token {
            Token::StartTag(tag) => {
                let attributes = tag.attributes.iter().map(|(name, value)| (text(name), text(value)));
                found.push((text(&tag.name), attributes.collect()));
            }
            Token::Comment(comment) => {
                let comment = text(&comment);
                let content =
                    comment.strip_prefix("[if mso]>").and_then(|rest| rest.strip_suffix("<![endif]"));
                found.extend(elements(content.expect("every comment is one for Outlook")));
            }
            Token::Error(error) => panic!("{error:?}"),
            Token::EndTag(_) | Token::String(_) | Token::Doctype(_) => {}
        }
    }
    found
}

#[test]
fn the_html_of_every_email_loads_nothing_and_runs_nothing() {
    const ELEMENTS: [&str; 16] = [
        "a", "bdi", "body", "br", "div", "h1", "head", "html", "meta", "p", "span", "style", "table", "td",
        "title", "tr",
    ];
    const ATTRIBUTES: [&str; 13] = [
        "align",
        "cellpadding",
        "cellspacing",
        "charset",
        "class",
        "content",
        "href",
        "lang",
        "name",
        "role",
        "style",
        "valign",
        "width",
    ];
    let hostile = ("hostile".to_owned(), Email::of(&hostile(), &shop()).unwrap());
    let letters = previews().into_iter().chain([hostile]).map(|(name, email)| (name, email.html));
    for (name, html) in letters.chain(account::tests::previews()) {
        for (element, attributes) in elements(&html) {
            assert!(ELEMENTS.contains(&element.as_str()), "{name}: <{element}>");
            for (attribute, value) in attributes {
                assert!(ATTRIBUTES.contains(&attribute.as_str()), "{name}: <{element} {attribute}>");
                let is_ours = value == "https://shop.example"
                    || value.starts_with("https://shop.example/")
                    || value == STOP;
                assert!(attribute != "href" || is_ours, "{name}: {value}");
            }
        }
        // What a style could load.
        for foreign in ["url(", "@import", "expression("] {
            assert!(!html.contains(foreign), "{name}: {foreign} is in {html}");
        }
    }
}

#[test]
fn the_attributes_that_the_test_forbids_would_be_found() {
    let found = elements(r#"<!--[if mso]><p onclick=a><![endif]--><a title=" onx" href="javascript:b">"#);
    let attribute = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        found,
        [
            ("p".to_owned(), vec![attribute("onclick", "a")]),
            ("a".to_owned(), vec![attribute("href", "javascript:b"), attribute("title", " onx")]),
        ]
    );
}

#[test]
fn a_subject_is_one_line_without_control_characters() {
    let email = Email::of(&hostile(), &shop()).unwrap();
    let subject = r#"<script>alert("tea")</script> & 'co'  Bcc: everyone@evil.example "#;
    assert_eq!(email.subject, subject);
    for (name, email) in previews() {
        assert!(!email.subject.contains(char::is_control), "{name}: {:?}", email.subject);
    }
}

/// Names from before they were refused.
#[test]
fn a_name_neither_writes_a_line_of_its_own_nor_turns_what_is_around_it() {
    let name = "Tea\u{2028}Total: 0.01 USD\u{2029}\u{85}\u{202e}!";
    let order = order("A\u{202e}n\u{2028}n", &[(1, name, 450), (1, "\u{2066}תה\u{2069}", 450)]);
    let email = about(&order, LetterKind::Confirmed);
    assert_eq!(email.subject, "Your order of Tea Total: 0.01 USD  ! and 1 more item is confirmed");
    assert!(email.text.starts_with("Hello An n,\n"), "{}", email.text);
    let lines: Vec<_> = email.text.lines().filter(|line| line.starts_with("  ")).collect();
    let expected = [
        "  Tea Total: 0.01 USD  ! (1 × 4.50 USD): 4.50 USD",
        "  \u{2068}תה\u{2069} (1 × 4.50 USD): 4.50 USD",
    ];
    assert_eq!(lines, expected);
    assert!(
        !email.text.contains(['\u{2028}', '\u{2029}', '\u{85}', '\u{202e}', '\u{2066}']),
        "{:?}",
        email.text
    );
}

#[test]
fn the_largest_order_stays_under_what_gmail_shows() {
    let name = "\u{1f375}".repeat(120);
    let lines = vec![(10_000, name.as_str(), 100_000_000); 50];
    let email = about(&order("Ann", &lines), LetterKind::Confirmed);
    // Gmail cuts a message at 102 KB: https://support.google.com/mail/answer/6594?hl=en
    assert!(email.html.len() < 102_000, "{} bytes", email.html.len());
}

#[test]
fn a_web_shop_is_a_plain_url() {
    for url in ["https://shop.example", "http://shop.example:8080", "https://shop.example/en"] {
        assert_eq!(url.parse(), Ok(WebShop(Some(url.to_owned()))));
    }
    for url in
        ["", "shop.example", "javascript:alert(1)", "https://", "https://a/", "https://a?b", "https://a b"]
    {
        assert!(url.parse::<WebShop>().is_err(), "{url}");
    }
}

/// What `previews/` shows: each email about an order of one product, about one of several, and about one that is
/// hostile; beside them those about accounts.
fn previews() -> Vec<(String, Email)> {
    let several = [
        (3, "Stoneware mug", 1_450),
        (1, "Canvas shoes with a rubber sole, for summer and for the city, in a size that fits", 7_995),
        (120, "Χειροποίητο σαπούνι ελιάς", 1_325),
        (2, "كتاب الشعر", 1_825),
    ];
    let hostile: Vec<_> = HOSTILE.map(|name| (1, name, 450)).into();
    let samples = [
        ("one-product", order("Jay S Prajapati", &[(2, "Gucci shoes", 9_999)]), CancellationReason::ByBuyer),
        ("several-products", order("Zoë Ångström-Papadopoulou", &several), CancellationReason::NotShippable),
        ("hostile-names", order(HOSTILE[1], &hostile), CancellationReason::NotShippable),
    ];
    let mut previews = Vec::new();
    for (sample, pending, reason) in samples {
        for kind in LetterKind::ALL {
            let (name, order) = match kind {
                LetterKind::Confirmed => ("confirmed", pending.clone()),
                LetterKind::Shipping => ("shipping", on_its_way(&in_status(&pending, "shipping", None))),
                LetterKind::Delivered => ("delivered", in_status(&pending, "delivered", None)),
                LetterKind::Cancelled => ("cancelled", in_status(&pending, "cancelled", Some(reason))),
            };
            previews.push((format!("{name}-{sample}"), about(&order, kind)));
        }
    }
    previews.push(("guest-links".to_owned(), Email::of(&links(), &shop()).unwrap()));
    for kind in ReturnLetterKind::ALL {
        previews.push((kind.as_str().replace('.', "-"), Email::of(&about_return(kind), &shop()).unwrap()));
    }
    for kind in ParcelLetterKind::ALL {
        previews.push((kind.as_str().replace('.', "-"), Email::of(&about_parcel(kind), &shop()).unwrap()));
    }
    previews.push(("payment-refunded".to_owned(), Email::of(&about_refund(), &shop()).unwrap()));
    for (name, letter) in about_profiles() {
        previews.push((name.to_owned(), Email::of(&letter, &shop()).unwrap()));
    }
    for kind in AccountLetterKind::ALL {
        previews.push((kind.as_str().replace('.', "-"), Email::of(&about_account(kind), &shop()).unwrap()));
    }
    for language in Language::ALL {
        for (kind, letter) in of_events(language) {
            let name = match language {
                Language::English => kind.replace('.', "-"),
                Language::German => format!("{}-de", kind.replace('.', "-")),
            };
            let is_always = kind.starts_with("account.") || kind.starts_with("message.");
            let stop = (!is_always).then(|| STOP.to_owned());
            previews.push((name, Email::stopped_at(&letter, stop, &shop()).unwrap()));
        }
    }
    previews
}

/// Where no more emails of a kind can be asked for.
const STOP: &str =
    "https://api.example/unsubscribe?token=5d0c6a7e-2b0f-4f0e-9c68-3fd12c0b7a94.sales.t0xpOcohAKtgwAdTxgHEcw";

/// What events give rise to, told to somebody who reads this language. What others wrote is hostile.
fn of_events(language: Language) -> Vec<(&'static str, Letter)> {
    let at = "2026-11-29T10:00:00.000Z";
    let reader = json!({
        "userId": "5d0c6a7e-2b0f-4f0e-9c68-3fd12c0b7a94", "email": "ann@cartwright.test", "fullName": "Ann Lee",
        "username": "Ann_Lee", "createdAt": at, "locale": language.tag(), "role": "seller",
    });
    let reader: Profile = serde_json::from_value(reader).unwrap();
    let product = |is_approved: bool, reason: Option<&str>| -> ProductOffer {
        let product = json!({
            "id": OFFER, "ownerId": "5d0c", "fileName": "mug.png", "productName": "Stoneware mug",
            "productPrice": 1_450, "currency": "USD", "description": "Grey", "category": "Kitchen",
            "isApproved": is_approved, "rejectionReason": reason, "createdAt": at, "updatedAt": at, "version": 1
        });
        let offer = json!({
            "offerId": OFFER, "productId": OFFER, "productName": "Stoneware mug", "price": 1_450, "currency": "USD",
            "quantity": 3, "forSale": is_approved, "sellerId": "5d0c", "schemaVersion": 1
        });
        let (product, offer) = (serde_json::from_value(product), serde_json::from_value(offer));
        ProductOffer { product: product.unwrap(), offer: offer.unwrap(), rating: None }
    };
    let store = json!({
        "storeId": OFFER, "ownerId": "5d0c", "name": "Tea house", "nameKey": "teahouse", "status": "deactivated",
        "deactivatedBy": "admin", "reason": HOSTILE[2], "createdAt": at, "updatedAt": at, "version": 2,
        "schemaVersion": 1
    });
    let store: Store = serde_json::from_value(store).unwrap();
    let review = json!({
        "productId": OFFER, "userId": "b0b", "stars": 4, "title": "كتاب الشعر", "text": HOSTILE[0],
        "verified": true, "createdAt": at, "updatedAt": at, "version": 1, "schemaVersion": 1,
        "reply": { "text": HOSTILE[1], "at": at }
    });
    let review: Review = serde_json::from_value(review).unwrap();
    let mut letters: Vec<_> =
        NoticeLetterKind::ALL.map(|kind| (kind.as_str(), reader.notice(kind))).into_iter().collect();
    for kind in ProductLetterKind::ALL {
        let product = match kind {
            ProductLetterKind::Approved | ProductLetterKind::RanLow => product(true, None),
            ProductLetterKind::Rejected => product(false, Some(HOSTILE[0])),
        };
        letters.push((kind.as_str(), product.letter(kind, &reader).unwrap()));
    }
    let message = json!({
        "about": "5d0c6a7e-2b0f-4f0e-9c68-3fd12c0b7a94", "messageId": OFFER, "subject": "About your mugs",
        "text": format!("The box was open.\n\n{}", HOSTILE[2]), "by": "root", "at": at, "expiresAt": 0,
        "schemaVersion": 1
    });
    let message: Message = serde_json::from_value(message).unwrap();
    letters.push((MessageLetterKind::Sent.as_str(), message.letter(reader.recipient())));
    for kind in StoreLetterKind::ALL {
        letters.push((kind.as_str(), store.letter(kind, &reader).unwrap()));
    }
    let sold: Sold =
        serde_json::from_value(json!({ "orders": 3, "revenue": 45_850, "currency": "USD" })).unwrap();
    let hour = Hour::of(at.parse().unwrap());
    letters.push((SaleLetterKind::Digest.as_str(), sold.letter(hour, &reader).unwrap()));
    for kind in ReviewLetterKind::ALL {
        letters.push((kind.as_str(), review.letter(kind, "Stoneware mug", &reader).unwrap()));
    }
    letters
}

#[test]
fn what_an_email_says_by_itself_is_in_the_language_of_its_letter() {
    let (_, letter) = of_events(Language::German).remove(0);
    let email = Email::stopped_at(&letter, Some(STOP.into()), &shop()).unwrap();
    assert!(email.text.starts_with("Guten Tag Ann Lee,"), "{}", email.text);
    for part in ["<html lang=\"de\">", ">Guten Tag <bdi>", ">Zum Shop</a>", ">Keine solchen E-Mails mehr</a>"]
    {
        assert!(email.html.contains(part), "{part} is not in {}", email.html);
    }
    for word in ["Hello", "Go to the shop"] {
        assert!(!email.html.contains(word) && !email.text.contains(word), "{word}");
    }
}

const OFFER: &str = "01a1fbbc-f7cc-71a0-aa66-431f703e44ea";

/// What is told of a return of one of two pieces.
fn about_return(kind: ReturnLetterKind) -> Letter {
    let status = kind.as_str().trim_start_matches("return.");
    let at = "2026-11-29T10:00:00.000Z";
    let asked = json!({
        "returnId": "01a1fbbc-f982-7d04-8367-8c1b9055f4a1", "orderId": ORDER, "status": status,
        "lines": [{ "offerId": OFFER, "productName": HOSTILE[0], "quantity": 1 }], "reason": "Too small.",
        "refusal": HOSTILE[2], "createdAt": at, "updatedAt": at, "schemaVersion": 1,
        "paidBack": { "paymentId": "01a1fbbc-f982-7d04-8367-8c1b9055f401",
                      "refundId": "01a1fbbc-f982-7d04-8367-8c1b9055f402", "amount": 9_999 },
    });
    let asked: Return = serde_json::from_value(asked).unwrap();
    let shipping = in_status(&order("Ann", &[(2, HOSTILE[0], 9_999)]), "shipping", None);
    shipping.letter_of(kind, &asked).unwrap()
}

/// What is told of a parcel of two of the three products of an order.
fn about_parcel(kind: ParcelLetterKind) -> Letter {
    let pending =
        order("Ann", &[(2, "Gucci shoes", 9_999), (1, HOSTILE[0], 450), (3, "Stoneware mug", 1_450)]);
    let mut value = serde_json::to_value(&pending).unwrap();
    value["lines"][0]["sellerId"] = json!("b0b1");
    let parcel = match kind {
        ParcelLetterKind::Sent => {
            let url = "https://track.example/JD0146?lang=en&n=1";
            let shipment =
                json!({ "carrier": HOSTILE[2], "trackingNumber": "JD 0146-00", "trackingUrl": url });
            json!({ "status": "shipped", "shipment": shipment })
        }
        ParcelLetterKind::Refused => json!({ "status": "refused", "reason": HOSTILE[1], "back": 4_800 }),
    };
    value["parcels"] = json!({ "77e1": parcel, "b0b1": { "status": "to_send" } });
    let order: Order = serde_json::from_value(value).unwrap();
    order.letter_of_parcel(kind, &order.lines()[1].seller().clone()).unwrap().unwrap()
}

/// What is written to an address that somebody wants to have, to the one that it has replaced, and of an export.
fn about_profiles() -> [(&'static str, Letter); 3] {
    let at = "2026-11-29T10:00:00.000Z";
    let change = "01a1fbbc-f982-7d04-8367-8c1b9055f403";
    let profile = json!({
        "userId": "5d0c6a7e-2b0f-4f0e-9c68-3fd12c0b7a94", "email": "ann@cartwright.test", "fullName": HOSTILE[1],
        "username": "Ann_Lee", "createdAt": at,
        "newAddress": { "id": change, "address": "new@cartwright.test", "askedAt": at },
        "formerAddress": { "change": change, "address": "old@cartwright.test", "until": at },
        "export": { "id": change, "askedAt": at, "madeAt": at },
    });
    let profile: Profile = serde_json::from_value(profile).unwrap();
    let export = profile.letter_of_export(change.parse().unwrap()).unwrap();
    let change = change.parse().unwrap();
    [
        ("account-export-ready", export),
        ("account-new-address", profile.letter_to_new_address(change, "27402311".into()).unwrap()),
        ("account-address-changed", profile.letter_to_former_address(change).unwrap()),
    ]
}

/// What is told of an account that somebody asked to have deleted.
fn about_account(kind: AccountLetterKind) -> Letter {
    let status = match kind {
        AccountLetterKind::Kept => "active",
        AccountLetterKind::Deleted => "deleting",
    };
    let profile = json!({
        "userId": "5d0c6a7e-2b0f-4f0e-9c68-3fd12c0b7a94", "email": "ann@cartwright.test", "fullName": HOSTILE[1],
        "username": "Ann_Lee", "createdAt": "2026-11-29T10:00:00.000Z", "status": status,
    });
    let profile: Profile = serde_json::from_value(profile).unwrap();
    profile.letter(kind).unwrap()
}

/// What is told of a refund of a piece and of sending it.
fn about_refund() -> Letter {
    let at = "2026-11-29T10:00:00.000Z";
    let refund = json!({
        "paymentId": "01a1fbbc-f982-7d04-8367-8c1b9055f401", "entry": "refund#01a1fbbc-f982-7d04-8367-8c1b9055f402",
        "refundId": "01a1fbbc-f982-7d04-8367-8c1b9055f402", "orderId": ORDER, "intentId": "pi_1",
        "shop": "cartwright", "amount": 10_489, "reason": "requested_by_customer", "status": "accepted",
        "share": { "lines": [{ "offerId": OFFER, "pieces": 1, "amount": 9_999 }], "shipping": 490 },
        "counts": true, "tries": 0, "requestedAt": at, "updatedAt": at, "schemaVersion": 1,
    });
    let refund: Refund = serde_json::from_value(refund).unwrap();
    refund.letter(&order("Ann", &[(2, HOSTILE[0], 9_999)])).unwrap()
}

#[test]
fn a_refund_is_told_with_what_it_is_for() {
    let email = Email::of(&about_refund(), &shop()).unwrap();
    assert_eq!(email.subject, "You get 104.89 USD back");
    for part in ["(1 piece): 99.99 USD", "Shipping: 4.90 USD", "You get back: 104.89 USD"] {
        assert!(email.text.contains(part), "{part} is not in {}", email.text);
    }
}

#[test]
fn the_previews_are_what_is_sent() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("previews");
    let mut expected: Vec<(String, String)> = Vec::new();
    for (name, email) in previews() {
        expected.push((format!("{name}.html"), email.html));
        expected.push((format!("{name}.txt"), email.text));
    }
    expected
        .extend(account::tests::previews().into_iter().map(|(name, html)| (format!("{name}.html"), html)));
    expected.sort();
    if std::env::var_os("UPDATE_PREVIEWS").is_some() {
        fs::remove_dir_all(&folder).unwrap();
        fs::create_dir(&folder).unwrap();
        for (file, content) in &expected {
            fs::write(folder.join(file), content).unwrap();
        }
    }
    let mut found: Vec<(String, String)> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap())
        })
        .collect();
    found.sort();
    let hint =
        "run `UPDATE_PREVIEWS=1 cargo test --package notifications --lib previews`, and look at what changed";
    assert!(found == expected, "functions/notifications/previews/ is not what is sent: {hint}");
}

#[tokio::test]
async fn an_email_that_another_try_is_at_comes_again_and_is_not_sent() {
    let found = json!({ "Item": item(&serde_json::to_value(order("Ann", &[(1, "Tea", 450)])).unwrap()) });
    let claim = item(&json!({ "guardId": "claim", "holder": "another", "leaseUntil": 60_000, "tries": 1 }));
    let held = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
        "message": "The conditional request failed", "Item": claim
    });
    let (sdk, asked) = answering_each(move |request| match request.get("UpdateExpression") {
        Some(_) => (400, held.clone()),
        None => (200, found.clone()),
    });
    let variables =
        ["API_URL", "ORDER_TOKEN_KEY", "PAYMENTS_QUEUE_URL", "EMAIL_SENDER", "EMAIL_CONFIGURATION_SET"]
            .map(|name| (name, Some("a")));
    let tables = [("GUARDS_TABLE", Some("guards")), ("ORDERS_TABLE", Some("orders"))];
    let variables = [&variables[..], &tables].concat();
    let sending = temp_env::with_vars(variables, || Sending::from_env(&Aws::for_tests(sdk))).unwrap();
    let queued = Queued::new(LetterKind::Confirmed, ORDER);
    let sent = sending.send(&queued, Timestamp::from_unix_millis(30_000)).await;
    assert!(matches!(sent, Err(Failure::Later("another try is at it"))), "{sent:?}");
    let asked = asked.lock().unwrap();
    let mut tables: Vec<_> = asked.iter().map(|request| request["TableName"].clone()).collect();
    tables.sort_unstable_by_key(ToString::to_string);
    assert_eq!(tables, ["guards", "orders"], "one claim, one read and no email");
}
