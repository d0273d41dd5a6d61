//! `/local`, the page of the local cloud: what scripts read, and what a browser makes of it.

use reqwest::Method;
use serde_json::{Value, json};
use tests::shop::{Person, Product, RED_PNG, Shop, product};
use tests::wait::eventually;

/// A name that, taken for HTML anywhere on the page or in an email on it, would rename the page.
const HOSTILE: &str = r#"<img src=x onerror="top.document.title='pwned'">"#;

/// Somebody bought what has a hostile name, and got both emails.
async fn bought(shop: &Shop) -> (Person, String) {
    let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
    let product = ann.sells(product().named(HOSTILE).priced("4.50").stock(9)).await;
    let order = bob.buys(&product, 2).await;
    bob.order_once(&order, "shipping").await;
    bob.mail_once_there_are(2).await;
    eventually("the execution is over", async || {
        let runs = shop.get("/local/executions.json").await.is(200);
        let run = runs.as_array()?.iter().find(|run| run["orderId"] == order.as_str())?;
        (run["status"] == "SUCCEEDED").then_some(())
    })
    .await;
    (bob, order)
}

/// A product that waits for an admin, with its picture.
async fn waiting(shop: &Shop, seller: &Person, name: &str) -> Product {
    let product = seller.lists(product().named(name).priced("4.50").stock(9)).await;
    assert_eq!(shop.upload(&product.upload_url, "image/png", RED_PNG.to_vec()).await, 200);
    seller.own_once(&product, "its picture waits", |own| own["waitingPicture"].is_object()).await;
    product
}

fn one<'a>(list: &'a Value, member: &str, value: &str) -> &'a Value {
    let found = list.as_array().expect("a list").iter().find(|one| one[member] == value);
    found.unwrap_or_else(|| panic!("no {member} is {value} in {list}"))
}

#[tokio::test]
async fn scripts_can_follow_an_order_step_by_step() {
    let shop = Shop::open();
    let (_, order) = bought(&shop).await;
    let runs = shop.get("/local/executions.json").await.is(200);
    let run = one(&runs, "orderId", &order);
    let name = run["name"].as_str().expect("a name");
    assert!(name.starts_with(&order), "{name}");
    let steps = shop.get(&format!("/local/executions/{name}.json")).await.is(200);
    let steps = steps.as_array().expect("steps");
    let states: Vec<_> = steps.iter().map(|step| step["state"].as_str().expect("a state")).collect();
    assert_eq!(states, ["QueueConfirmationEmail", "ShipOrder", "WasItShipped", "QueueShippingEmail"]);
    let ship = &steps[1];
    assert_eq!((&ship["type"], &ship["tries"], &ship["failures"]), (&json!("Task"), &json!(1), &json!([])));
    assert_eq!(
        (&steps[0]["input"], &ship["output"]),
        (&json!({ "orderId": order }), &json!({ "outcome": "shipped" }))
    );
    assert!(ship["enteredAt"].as_str() <= ship["exitedAt"].as_str(), "{ship}");

    let answer = shop.get(&format!("/local/orders/{order}")).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some(format!("/local#{order}").as_str())));
    let answer = shop.get(&format!("/local/guest-orders/{order}")).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some(format!("/local#{order}").as_str())));
    assert_eq!(shop.get("/local/orders/not-an-order").await.status, 404);
}

#[tokio::test]
async fn an_execution_that_is_not_there_is_no_cloud_that_is_down() {
    let shop = Shop::open();
    for name in ["none", "a%2Fb", "%2e%2e", "a:b"] {
        shop.get(&format!("/local/executions/{name}.json")).await.is(404);
    }
    for path in ["executions/none", "orders/none", "previews/none", "documents/none", "nothing.json"] {
        shop.get(&format!("/local/{path}")).await.is(404);
    }
}

#[tokio::test]
async fn no_web_page_reads_the_mail() {
    let shop = Shop::open();
    let rebound = shop.request(Method::GET, "/local/emails.json").header("host", "evil.example:3000");
    rebound.send().await.is(421);
    // Nor does it from the emulated AWS itself.
    let gateway = std::env::var("AWS_ENDPOINT_URL").expect("the emulated AWS");
    let mail = || reqwest::Client::new().get(format!("{gateway}/_ministack/ses/messages?newest=1"));
    let status = async |request: reqwest::RequestBuilder| request.send().await.expect("an answer").status();
    assert_eq!(status(mail()).await, 200);
    assert_eq!(status(mail().header("host", "evil.example:4566")).await, 403);
    assert_eq!(status(mail().header("origin", "https://evil.example")).await, 403);
}

#[tokio::test]
async fn mail_is_found_by_its_address_and_has_both_parts() {
    let shop = Shop::open();
    let (bob, order) = bought(&shop).await;
    let newest = shop.get(&format!("/local/emails.json?to={}&limit=1", bob.email)).await.is(200);
    assert_eq!(newest.as_array().map(Vec::len), Some(1));
    assert_eq!(newest[0]["to"], bob.email.as_str());
    let mails = bob.mail().await;
    let shipping =
        mails.iter().find(|mail| mail.subject == format!("{HOSTILE} now shipping")).expect("an email");
    let home = format!("{}/shop", std::env::var("CARTWRIGHT_URL").expect("a shop"));
    let html = shipping.html.as_deref().expect("HTML");
    for told in [
        &format!("Hello {},", bob.full_name),
        HOSTILE,
        "Total: 9.00 USD",
        &format!("{home}/orders/{order}\n"),
    ] {
        assert!(shipping.text.contains(told), "{told} is not in {}", shipping.text);
    }
    for told in [&bob.full_name, ">9.00 USD</td>", &format!("href=\"{home}/orders/{order}\"")] {
        assert!(html.contains(told), "{told} is not in {html}");
    }
    assert!(!html.contains("<img"), "{html}");
    assert_eq!(shop.get("/local/emails.json?limit=2").await.is(200).as_array().map(Vec::len), Some(2));
    let nobody = shop.get("/local/emails.json?to=nobody@cartwright.test").await;
    assert_eq!(nobody.is(200), json!([]));
}

#[tokio::test]
async fn what_waits_for_an_admin_is_told_until_it_is_decided() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let product = waiting(&shop, &ann, "Tea").await;
    let pending = shop.get("/local/pending.json").await.is(200);
    let told = one(&pending, "id", &product.id);
    let expected = (&json!("Tea"), &json!(450), &json!(ann.email));
    assert_eq!((&told["productName"], &told["productPrice"], &told["email"]), expected);
    shop.admin()
        .await
        .put(&format!("{}/approval", product.path()), &json!({ "approved": true }))
        .await
        .is(200);
    eventually("it is decided", async || {
        let pending = shop.get("/local/pending.json").await.is(200);
        let is_there = pending.as_array()?.iter().any(|one| one["id"] == product.id.as_str());
        (!is_there).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_queues_are_counted() {
    let queues = Shop::open().get("/local/queues.json").await.is(200);
    for name in ["OrdersQueue", "OrdersDeadLetterQueue", "EmailsQueue", "EmailsDeadLetterQueue"] {
        let queue = one(&queues, "name", name);
        assert!(queue["waiting"].is_u64() && queue["inWork"].is_u64(), "{queue}");
    }
}

#[tokio::test]
async fn each_kind_of_email_can_be_looked_at_without_an_order() {
    let shop = Shop::open();
    let previews = shop.get("/local/previews.json").await.is(200);
    for kind in ["confirmed", "shipping", "cancelled"] {
        let preview = one(&previews, "name", &format!("{kind}-one-product"));
        let file = shop.get(&format!("/local/previews/{kind}-one-product.html")).await;
        let policy = file.header("content-security-policy").unwrap_or_default().to_owned();
        assert!(policy.starts_with("sandbox ") && policy.contains("default-src 'none'"), "{policy}");
        assert_eq!(file.is(200), preview["html"]);
        assert_eq!(
            shop.get(&format!("/local/previews/{kind}-one-product.txt")).await.is(200),
            preview["text"]
        );
    }
    // Cognito, which sends the codes, sends no text beside the page.
    let code = one(&previews, "name", "account-sign-up");
    assert_eq!(code["text"], Value::Null);
    assert_eq!(shop.get("/local/previews/account-sign-up.html").await.is(200), code["html"]);
    assert_eq!(shop.get("/local/previews/account-sign-up.txt").await.status, 404);
    assert_eq!(shop.get("/local/previews/..%2FCargo.toml").await.status, 404);
    let readme = shop.get("/local/documents/README.md").await.is(200);
    assert!(readme.as_str().is_some_and(|text| text.starts_with("# Cartwright")), "{readme}");
    assert_eq!(shop.get("/local/documents/Cargo.toml").await.status, 404);
}

#[tokio::test]
async fn the_page_lets_no_script_run_but_its_own() {
    let answer = Shop::open().request(Method::GET, "/local").send().await;
    let policy = answer.header("content-security-policy").unwrap_or_default();
    assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
    let page = answer.clone().is(200);
    assert_eq!(page.as_str().map(|page| page.matches("<script").count()), Some(1));
}

/// `cargo local test` leaves these out, and says so, where there is no browser.
pub(crate) mod in_a_browser {
    use std::path::PathBuf;
    use std::process::{Command, Stdio};

    use super::*;

    /// The page's DOM after it has settled, with what its script made.
    pub(crate) fn dom(page: &str) -> String {
        let browser = std::env::var("CARTWRIGHT_BROWSER");
        let browser = browser.expect("CARTWRIGHT_BROWSER names no browser: run `cargo local test`");
        let url = std::env::var("CARTWRIGHT_URL").expect("a shop");
        let profile = Profile::new();
        let output = Command::new(browser)
            // It opens pages of this test alone; as root there is no sandbox to be had.
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
            ])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-default-apps"])
            .arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost")
            .arg(format!("--user-data-dir={}", profile.0.display()))
            .args(["--virtual-time-budget=6000", "--timeout=60000", "--dump-dom"])
            .arg(format!("{url}{page}"))
            .stdin(Stdio::null())
            .output()
            .expect("the browser starts");
        let dom = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success() && dom.contains("</html>"),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        dom
    }

    /// A profile of the browser's, for one page.
    struct Profile(PathBuf);

    impl Profile {
        fn new() -> Self {
            Self(std::env::temp_dir().join(format!("cartwright-browser-{}", uuid::Uuid::now_v7())))
        }
    }

    impl Drop for Profile {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    /// A text as HTML has it.
    pub(crate) fn as_text(text: &str) -> String {
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
    }

    /// One part of the page, by the id of its element.
    fn part<'a>(dom: &'a str, id: &str) -> &'a str {
        let (_, part) =
            dom.split_once(&format!("<div id=\"{id}\">")).unwrap_or_else(|| panic!("no {id} in {dom}"));
        part.split("</section>").next().unwrap_or_default()
    }

    /// Whether the page has all of these.
    #[track_caller]
    pub(crate) fn has(dom: &str, parts: &[&str]) {
        for part in parts {
            assert!(dom.contains(part), "{part} is not in {dom}");
        }
    }

    #[tokio::test]
    async fn an_order_shows_its_execution_step_by_step_and_hostile_names_as_text() {
        let shop = Shop::open();
        let (bob, order) = bought(&shop).await;
        let pending = waiting(&shop, &bob, &format!("{HOSTILE} too")).await;
        let number = bob.order(&order).await["number"].as_str().expect("a number").to_owned();
        let dom = dom(&format!("/local#{order}"));

        has(&dom, &["<title>Cartwright, local</title>", "<p id=\"down\" class=\"bad\" hidden=\"\">"]);
        let name = as_text(HOSTILE);
        has(
            part(&dom, "orders"),
            &[
                &format!("<b>2 × {name}</b> 9.00 USD"),
                "<span class=\"status shipping\">shipping</span>",
                &format!("Order {number} ({order})</p>"),
                "<span class=\"status SUCCEEDED\">SUCCEEDED</span>",
                "<b>QueueConfirmationEmail</b> <span class=\"soft\">Task</span>",
                "<b>ShipOrder</b> <span class=\"soft\">Task</span>",
                "<b>WasItShipped</b> <span class=\"soft\">Choice</span>",
                "<b>QueueShippingEmail</b> <span class=\"soft\">Task</span>",
                "\"outcome\": \"shipped\"",
            ],
        );
        has(
            part(&dom, "emails"),
            &[
                &format!("<b>Your order of {name} is confirmed</b>"),
                &format!("<b>{name} now shipping</b><span class=\"soft\">{}</span>", bob.email),
            ],
        );
        let own = bob.own(&pending).await.expect("the product");
        let signed = own["waitingPicture"]["imageUrl"].as_str().expect("a picture");
        let (_, picture) = signed.split_once("/checked/").expect("a picture that waits");
        let picture = format!("/local/waiting/{}", picture.split('?').next().unwrap_or_default());
        let home = std::env::var("CARTWRIGHT_URL").expect("a shop");
        assert_eq!(shop.download(&format!("{home}{picture}")).await.bytes().await.expect("it"), RED_PNG);
        has(
            part(&dom, "pending"),
            &[
                &format!("<b>{name} too</b> 4.50 USD, 9 pieces, Things"),
                &format!("src=\"{picture}\""),
                "<button class=\"good\" type=\"button\">Approve</button>",
                &bob.email,
            ],
        );
        has(part(&dom, "queues"), &["<b>OrdersDeadLetterQueue</b> "]);
        has(part(&dom, "previews"), &["<b>Gucci shoes now shipping</b>"]);
        assert!(!dom.contains("<img src=\"x\""), "a name became HTML: {dom}");
    }

    #[tokio::test]
    async fn an_email_is_shown_as_html_in_which_nothing_runs() {
        let shop = Shop::open();
        let (bob, order) = bought(&shop).await;
        let mails = bob.mail_about(&order).await;
        let shipping = mails.iter().find(|mail| mail.subject.ends_with("now shipping")).expect("an email");
        let dom = dom(&format!("/local#{}%20{}", shipping.sent_at, bob.email));
        // Whether `<` is escaped in an attribute depends on the browser's age.
        let emails = part(&dom, "emails").replace("&lt;", "<").replace("&gt;", ">");
        has(&dom, &["<title>Cartwright, local</title>"]);
        has(
            &emails,
            &[
                "sandbox=\"allow-same-origin allow-popups allow-popups-to-escape-sandbox\"",
                "Your order is on its way</h1>",
                // The frame was loaded, and the page measured it.
                "style=\"height: ",
                &format!("<pre>Hello {},\n\nYour order is on its way.", bob.full_name),
            ],
        );
        assert!(!emails.contains("allow-scripts"), "{emails}");
    }
}
