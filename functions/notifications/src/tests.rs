use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::*;

const ORDER: &str = "01a1fbbc-f982-7d04-8367-8c1b9055f3fd";

/// A pending order of `(pieces, name, price in cents)`, as the table keeps it.
fn order(lines: &[(u64, &str, u64)]) -> Order {
    let at = "2026-11-21T12:04:00.000Z";
    let line = |(pieces, name, price): &(u64, &str, u64)| {
        json!({
            "productId": "01a1fbbc-f7cc-71a0-aa66-431f703e44ea", "productName": name, "unitPrice": price,
            "quantity": pieces
        })
    };
    let total: u64 = lines.iter().map(|(pieces, _, price)| pieces * price).sum();
    let order = json!({
        "orderId": ORDER, "userId": "5d0c", "status": "pending", "paymentMethod": "cash_on_delivery",
        "lines": lines.iter().map(line).collect::<Vec<Value>>(), "total": total, "currency": "USD",
        "createdAt": at, "updatedAt": at, "history": [{ "status": "pending", "at": at }], "attempts": 0
    });
    serde_json::from_value(order).unwrap()
}

fn in_status(order: &Order, status: &str, reason: Option<&str>) -> Order {
    let mut value = serde_json::to_value(order).unwrap();
    value["status"] = status.into();
    let entry = json!({ "status": status, "at": value["createdAt"], "reason": reason });
    value["history"].as_array_mut().unwrap().push(entry);
    serde_json::from_value(value).unwrap()
}

fn ann() -> FullName {
    FullName::new("Ann").unwrap()
}

fn no_shop() -> WebShop {
    WebShop::default()
}

fn shop() -> WebShop {
    "https://shop.example".parse().unwrap()
}

fn about(order: &Order, kind: EmailKind) -> Email {
    Email::about(order, kind, &ann(), &no_shop()).unwrap().unwrap()
}

/// A product name, a person's name and a reason that try to be more than text.
const HOSTILE: [&str; 3] = [
    r#"<script>alert("tea")</script> & 'co'"#,
    r#"<img src=x onerror=alert(1)>"Ann"{{ 7*7 }}"#,
    r#"</td></table><a href="https://evil.example">Pay here</a>"#,
];

#[test]
fn a_confirmation_says_what_was_ordered_and_where_to_see_it() {
    let order = order(&[(2, "Gucci shoes", 9_999), (1, "Tea", 450)]);
    let email = Email::about(&order, EmailKind::Confirmed, &ann(), &shop()).unwrap().unwrap();
    assert_eq!(email.subject, "Gucci shoes and 1 more ordered");
    assert_eq!(
        email.text,
        "Hello Ann,\n\
         \n\
         Thank you for your order. We are preparing it. You pay when it arrives.\n\
         \n  \
           2 × Gucci shoes at 99.99 USD: 199.98 USD\n  \
           1 × Tea at 4.50 USD: 4.50 USD\n\
         \n\
         Total: 204.48 USD\n\
         \n\
         Order 01a1fbbc-f982-7d04-8367-8c1b9055f3fd\n\
         of 21 November 2026, 12:04 UTC\n\
         https://shop.example/orders/01a1fbbc-f982-7d04-8367-8c1b9055f3fd\n\
         \n\
         Cartwright\n\
         https://shop.example\n"
    );
    for part in [
        "<title>Gucci shoes and 1 more ordered</title>",
        ">Thank you for your order</h1>",
        "Hello <bdi>Ann</bdi>,<br>We are preparing it. You pay when it arrives.</p>",
        "<bdi>Gucci shoes</bdi>",
        "2 × 99.99 USD</span>",
        ">199.98 USD</td>",
        ">204.48 USD</td>",
        r#"href="https://shop.example/orders/01a1fbbc-f982-7d04-8367-8c1b9055f3fd""#,
        r#"href="https://shop.example""#,
        "Order 01a1fbbc-f982-7d04-8367-8c1b9055f3fd<br>21 November 2026, 12:04 UTC",
    ] {
        assert!(email.html.contains(part), "{part} is not in {}", email.html);
    }
}

#[test]
fn the_shipping_email_has_the_subject_of_seed_002() {
    let order = in_status(&order(&[(2, "gucci", 450)]), "shipping", None);
    let email = about(&order, EmailKind::Shipping);
    assert_eq!(email.subject, "gucci now shipping");
    assert_eq!(
        email.text,
        "Hello Ann,\n\
         \n\
         Your order is on its way. You pay when it arrives.\n\
         \n  \
           2 × gucci at 4.50 USD: 9.00 USD\n\
         \n\
         Total: 9.00 USD\n\
         \n\
         Order 01a1fbbc-f982-7d04-8367-8c1b9055f3fd\n\
         of 21 November 2026, 12:04 UTC\n\
         \n\
         Cartwright\n"
    );
    assert!(email.html.contains("Hello <bdi>Ann</bdi>,<br>You pay when it arrives.</p>"), "{}", email.html);
}

#[test]
fn many_products_are_the_first_and_how_many_more() {
    let three = order(&[(1, "Tea", 450), (1, "Cup", 450), (1, "Pot", 450)]);
    let order = in_status(&three, "shipping", None);
    assert_eq!(about(&order, EmailKind::Shipping).subject, "Tea and 2 more now shipping");
}

#[test]
fn a_cancelled_order_says_why() {
    let order = in_status(&order(&[(1, "Tea", 450)]), "cancelled", Some("You cancelled it."));
    let email = about(&order, EmailKind::Cancelled);
    assert_eq!(email.subject, "Tea cancelled");
    let beginning = "Hello Ann,\n\nYour order is cancelled. You cancelled it.\n\n  1 × Tea at 4.50 USD";
    assert!(email.text.starts_with(beginning), "{}", email.text);
    assert!(email.html.contains("Hello <bdi>Ann</bdi>,<br>You cancelled it.</p>"), "{}", email.html);
}

#[test]
fn without_a_web_shop_there_is_no_link() {
    let email = about(&order(&[(1, "Tea", 450)]), EmailKind::Confirmed);
    assert!(!email.text.contains("http"), "{}", email.text);
    assert!(!email.html.contains("href"), "{}", email.html);
}

#[test]
fn what_people_write_stays_text_in_html_and_itself_in_the_text() {
    let [product, person, reason] = HOSTILE;
    let order = in_status(&order(&[(1, product, 450)]), "cancelled", Some(reason));
    let reader = FullName::new(person).unwrap();
    let email = Email::about(&order, EmailKind::Cancelled, &reader, &shop()).unwrap().unwrap();
    for raw in HOSTILE {
        assert!(!email.html.contains(raw), "{raw} is in {}", email.html);
        assert!(email.text.contains(raw), "{raw} is not in {}", email.text);
    }
    assert_eq!(email.subject, r#"<script>alert("tea")</script> & 'co' cancelled"#);
    for escaped in [
        "<title>&#60;script&#62;alert(&#34;tea&#34;)&#60;/script&#62; &#38; &#39;co&#39; cancelled</title>",
        "<bdi>&#60;script&#62;alert(&#34;tea&#34;)&#60;/script&#62; &#38; &#39;co&#39;</bdi>",
        "<bdi>&#60;img src=x onerror=alert(1)&#62;&#34;Ann&#34;{{ 7*7 }}</bdi>",
        "&#60;/td&#62;&#60;/table&#62;&#60;a href=&#34;https://evil.example&#34;&#62;Pay here&#60;/a&#62;",
    ] {
        assert!(email.html.contains(escaped), "{escaped} is not in {}", email.html);
    }
}

#[test]
fn the_html_loads_nothing_and_runs_nothing() {
    let order = order(&[(1, "Tea", 450)]);
    let email = Email::about(&order, EmailKind::Confirmed, &ann(), &shop()).unwrap().unwrap();
    for foreign in ["<script", "<img", "<link", "<iframe", "src=", "url(", "@import", "javascript:", " on"] {
        let found = email.html.find(foreign);
        // " on" stands for onclick and its like; a word of a sentence is not followed by letters and "=".
        let is_harmless = |at: usize| {
            foreign == " on" && {
                let rest = email.html[at..].trim_start();
                let word: String = rest.chars().take_while(char::is_ascii_alphabetic).collect();
                !rest[word.len()..].starts_with('=')
            }
        };
        assert!(found.is_none_or(is_harmless), "{foreign} is in {}", email.html);
    }
}

#[test]
fn the_largest_order_stays_under_what_gmail_shows() {
    let name = "\u{1f375}".repeat(120);
    let lines = vec![(10_000, name.as_str(), 100_000_000); 50];
    let email = Email::about(&order(&lines), EmailKind::Confirmed, &ann(), &shop()).unwrap().unwrap();
    // Gmail cuts a message at 102 KB: https://support.google.com/mail/answer/6594?hl=en
    assert!(email.html.len() < 102_000, "{} bytes", email.html.len());
}

#[test]
fn nobody_is_told_what_is_no_longer_so() {
    let pending = order(&[(1, "Tea", 450)]);
    let cancelled = in_status(&pending, "cancelled", None);
    let shipping = in_status(&pending, "shipping", None);
    for (order, kind) in [
        (&cancelled, EmailKind::Confirmed),
        (&cancelled, EmailKind::Shipping),
        (&pending, EmailKind::Shipping),
        (&pending, EmailKind::Cancelled),
        (&shipping, EmailKind::Cancelled),
    ] {
        assert_eq!(Email::about(order, kind, &ann(), &no_shop()).unwrap(), None, "{kind:?}");
    }
}

#[test]
fn a_cancellation_without_a_reason_gives_none() {
    let order = in_status(&order(&[(1, "Tea", 450)]), "cancelled", None);
    let email = about(&order, EmailKind::Cancelled);
    assert!(email.text.starts_with("Hello Ann,\n\nYour order is cancelled.\n\n"), "{}", email.text);
    assert!(email.html.contains("Hello <bdi>Ann</bdi>,</p>"), "{}", email.html);
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

/// What `previews/` shows: each email about an order of one product, about one of several, and about one that is hostile.
fn previews() -> Vec<(String, Email)> {
    let [product, person, reason] = HOSTILE;
    let (by_buyer, not_shippable) =
        (orders::CancellationReason::ByBuyer.as_str(), orders::CancellationReason::NotShippable.as_str());
    let several = [
        (3, "Stoneware mug", 1_450),
        (1, "Canvas shoes with a rubber sole, for summer and for the city, in a size that fits", 7_995),
        (12, "Χειροποίητο σαπούνι ελιάς", 325),
        (2, "كتاب الشعر", 1_825),
    ];
    let samples = [
        ("one-product", order(&[(2, "Gucci shoes", 9_999)]), "Jay S Prajapati", by_buyer),
        ("several-products", order(&several), "Zoë Ångström-Papadopoulou", not_shippable),
        ("hostile-names", order(&[(1, product, 450), (2, HOSTILE[1], 450)]), person, reason),
    ];
    let mut previews = Vec::new();
    for (sample, pending, reader, reason) in samples {
        let reader = FullName::new(reader).unwrap();
        let emails = [
            ("confirmed", EmailKind::Confirmed, pending.clone()),
            ("shipping", EmailKind::Shipping, in_status(&pending, "shipping", None)),
            ("cancelled", EmailKind::Cancelled, in_status(&pending, "cancelled", Some(reason))),
        ];
        for (name, kind, order) in emails {
            let email = Email::about(&order, kind, &reader, &shop()).unwrap().unwrap();
            previews.push((format!("{name}-{sample}"), email));
        }
    }
    previews
}

#[test]
fn the_previews_are_what_is_sent() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("previews");
    let mut expected: Vec<(String, String)> = Vec::new();
    for (name, email) in previews() {
        expected.push((format!("{name}.html"), email.html));
        expected.push((format!("{name}.txt"), email.text));
    }
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
