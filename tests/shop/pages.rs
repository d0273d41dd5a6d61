//! The shop's own pages: what is served, and what a browser makes of it.

use serde_json::{Value, json};
use tests::answer::calls;
use tests::shop::{Person, Product, Shop, product, unique};
use tests::wait::eventually;

/// The page at an address, as whoever runs no scripts gets it.
async fn page(shop: &Shop, path: &str, status: u16) -> String {
    let page = shop.get(path).await;
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
    let policy = page.header("content-security-policy").unwrap_or_default().to_owned();
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:"),
        "{policy}"
    );
    assert!(policy.ends_with("require-trusted-types-for 'script'; trusted-types 'none'"), "{policy}");
    page.is(status).as_str().expect("a text").to_owned()
}

/// What a page tells of itself as JSON-LD.
fn data(page: &str) -> Value {
    let (_, rest) = page.split_once("<script type=\"application/ld+json\">").expect("JSON-LD");
    serde_json::from_str(rest.split_once("</script>").expect("its end").0).expect("JSON")
}

#[tokio::test]
async fn a_products_page_says_what_it_is_and_costs_before_any_script_runs() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let name = unique("\"Tea\" & <b>biscuits</b>");
    let tea = ann.sells(product().named(&name).priced("4.50").stock(9).with("sku", json!("TEA-1"))).await;
    let path = format!("/shop{}", tea.path());
    let asked = shop.get(&path).await;
    assert_eq!(asked.calls(), calls([("dynamodb", 1)]));
    let page = page(&shop, &path, 200).await;
    assert!(
        page.contains("&quot;Tea&quot; &amp; &lt;b&gt;biscuits&lt;/b&gt;") && !page.contains("<b>"),
        "{page}"
    );
    let told = data(&page);
    assert_eq!(
        (&told["@type"], &told["name"], &told["sku"]),
        (&json!("Product"), &json!(name), &json!("TEA-1"))
    );
    assert_eq!(told["offers"]["price"], "4.5");
    assert_eq!(told["offers"]["availability"], "https://schema.org/InStock");
    let address = told["url"].as_str().expect("a URL").to_owned();
    assert!(address.ends_with(&path), "{address}");
    assert!(page.contains(&format!("<link rel=\"canonical\" href=\"{address}\">")), "{page}");
    // All that the page names is there, and may be kept for ever.
    let files = page.split('"').filter(|part| part.starts_with("/shop/files/")).collect::<Vec<_>>();
    assert!(files.len() > 5, "{files:?}");
    for file in files {
        let file = shop.get(file).await;
        assert_eq!(file.status, 200, "{}", file.request);
        assert_eq!(
            file.header("cache-control"),
            Some("public, max-age=31536000, immutable"),
            "{}",
            file.request
        );
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found_and_what_is_somebodys_own_is_not_for_search_engines() {
    let shop = Shop::open();
    let nothing = "01a1f83a-c81e-73c6-9369-b8a11a6916c7";
    for path in [
        "/shop/nothing".to_owned(),
        format!("/shop/products/{nothing}"),
        format!("/shop/stores/{nothing}"),
        "/shop/products/x".into(),
    ] {
        let page = page(&shop, &path, 404).await;
        assert!(page.contains("<meta name=\"robots\" content=\"noindex\">"), "{path}: {page}");
    }
    for path in ["/shop/cart", "/shop/search?q=tea", "/shop/orders", "/admin"] {
        let page = page(&shop, path, 200).await;
        assert!(page.contains("<meta name=\"robots\" content=\"noindex\">"), "{path}: {page}");
    }
    let file = shop.get("/shop/files/of-yesterday/theme.css").await;
    assert_eq!(file.header("cache-control"), Some("public, max-age=30, stale-while-revalidate=60"));
    shop.get("/shop/files/x/nothing.js").await.is_problem(404, "not-found");
}

#[tokio::test]
async fn search_engines_are_told_where_to_begin() {
    let shop = Shop::open();
    let ann = shop.person("Ann").await;
    let tea = ann.sells(product().named(&unique("Tea")).priced("4.50").stock(9)).await;
    let robots = shop.get("/robots.txt").await.is(200);
    let robots = robots.as_str().expect("a text");
    let (_, sitemap) = robots.split_once("\nSitemap: ").expect("a sitemap");
    assert!(
        sitemap.trim_end().ends_with("/sitemap.xml") && robots.contains("\nDisallow: /shop/orders\n"),
        "{robots}"
    );
    eventually("the sitemap has it", async || {
        let map = shop.get("/sitemap.xml").await.is(200);
        map.as_str()?.contains(&format!("/shop{}</loc>", tea.path())).then_some(())
    })
    .await;
}

/// A product that the search knows of.
async fn found(shop: &Shop, seller: &Person, name: &str) -> Product {
    let product = seller.sells(product().named(name).priced("4.50").stock(9)).await;
    eventually("it is found", async || {
        let found = shop.get(&format!("/search/suggest?q={}", name.replace(' ', "%20"))).await.is(200);
        let ids =
            found["suggestions"].as_array()?.iter().filter(|one| one["productId"] == product.id.as_str());
        (ids.count() > 0).then_some(())
    })
    .await;
    product
}

/// `cargo local test` leaves these out, and says so, where there is no browser.
mod in_a_browser {
    use std::time::Duration;

    use reqwest::Method;
    use tests::browser::{Browser, Network, SLOW, Scheme, unseen};
    use tests::shop::{Mail, RED_PNG, order_id};

    use super::*;
    use crate::admin_page::in_a_browser::decides;

    /// Taken for HTML anywhere, it would run.
    const HOSTILE: &str = "<img src=x onerror=\"window.pwned=1\">";

    /// The views that need no sign-in.
    const OPEN: [&str; 12] = [
        "/shop",
        "/shop/search?q=mug",
        "/shop/categories/Home",
        "/shop/stores",
        "/shop/cart",
        "/shop/sign-in",
        "/shop/sign-up",
        "/shop/confirm",
        "/shop/forgot-password",
        "/shop/find-order",
        "/shop/terms",
        "/shop/nothing-of-ours",
    ];

    /// Those of somebody who buys.
    const OF_BUYERS: [&str; 9] = [
        "/shop/cart",
        "/shop/checkout",
        "/shop/orders",
        "/shop/inbox",
        "/shop/account",
        "/shop/account/addresses",
        "/shop/account/security",
        "/shop/account/notifications",
        "/shop/account/data",
    ];

    /// Those of somebody who sells.
    const OF_SELLERS: [&str; 6] = [
        "/shop/sell",
        "/shop/sell/products",
        "/shop/sell/products/new",
        "/shop/sell/orders?status=all",
        "/shop/sell/store",
        "/shop/stores/mine",
    ];

    /// From the search to the checkout's second step, without a mouse.
    fn goes_to_pay(browser: &mut Browser, name: &str, email: &str) {
        browser.go("/shop");
        browser.tabs_to("[role=combobox]");
        browser.types(name);
        browser.until("it is suggested", "document.querySelector('[role=option]')");
        browser.press("ArrowDown");
        browser.press("Enter");
        browser.until(
            "its page is shown",
            &format!("document.querySelector('main h1')?.textContent === {}", json!(name)),
        );
        // Whoever reads with a screen reader goes on at what is new.
        browser.until("the focus is there", "document.activeElement === document.querySelector('main h1')");
        browser.tabs_to(".buy .primary");
        browser.press("Enter");
        browser.says("is in your cart.");
        browser.tabs_to(".toast button.link");
        browser.press("Enter");
        browser.until(
            "the cart is shown",
            "location.pathname === '/shop/cart' && document.querySelector('.line')",
        );
        browser.tabs_to("a[href='/shop/checkout']");
        browser.press("Enter");
        browser.tabs_to("[name=email]");
        browser.types(email);
        browser.tabs_to("[name=fullName]");
        browser.types("Gus Guest");
        browser.tabs_to("[name='shippingAddress.line1']");
        browser.types("Quay 1");
        browser.tabs_to("[name='shippingAddress.city']");
        browser.types("Hamburg");
        browser.tabs_to("main form button[type=submit]");
        browser.press("Enter");
        browser.until("how to pay is asked", "document.querySelector('main input[value=card]')");
    }

    fn orders(browser: &mut Browser) {
        browser.tabs_to("main input[type=checkbox]");
        browser.press(" ");
        browser.tabs_to("main form button[type=submit]");
        browser.press("Enter");
    }

    /// The link of a guest's order in the email that is about it.
    fn link(mails: &[Mail]) -> Option<String> {
        let mail = mails.iter().find(|mail| mail.text.contains("/shop/guest-orders/"))?;
        Some(mail.text.split_whitespace().find(|word| word.contains("/shop/guest-orders/"))?.to_owned())
    }

    #[tokio::test]
    async fn a_guest_buys_by_the_keyboard_alone_and_pays_at_the_door() {
        let shop = Shop::open();
        let ann = shop.person("Ann").await;
        let name = unique("Keyboard tea");
        let tea = found(&shop, &ann, &name).await;
        let email = format!("{}@cartwright.test", unique("gus").replace(' ', "."));
        let mut browser = Browser::wide();
        goes_to_pay(&mut browser, &name, &email);
        browser.tabs_to("main input[value=card]");
        browser.press("ArrowUp");
        assert_eq!(
            browser.eval("document.querySelector('main input[value=cash_on_delivery]').checked"),
            true
        );
        orders(&mut browser);
        browser.says("Thank you for your order.");
        assert_eq!(shop.stock_of(&tea).await, 8);
        let link = eventually("the email has a link", async || link(&shop.mail_to(&email).await)).await;
        browser.go(&link);
        browser.says(&name);
        browser.says("Quay 1");
        browser.is_content();
    }

    #[tokio::test]
    async fn a_guest_pays_by_card_and_comes_back() {
        let shop = Shop::open();
        let ann = shop.person("Ann").await;
        let name = unique("Card tea");
        found(&shop, &ann, &name).await;
        let email = format!("{}@cartwright.test", unique("gus").replace(' ', "."));
        let mut browser = Browser::wide();
        goes_to_pay(&mut browser, &name, &email);
        orders(&mut browser);
        browser.until("the provider's page is shown", "location.pathname.startsWith('/local/stripe/pay/')");
        let pay =
            "[...document.querySelectorAll('button')].find(one => /^Pay [0-9]/.test(one.textContent.trim()))";
        browser.until("it has its button", pay);
        browser.eval(&format!("{pay}.click()"));
        browser.until("it leads back", "location.pathname.startsWith('/shop/guest-orders/')");
        browser.says("Thank you, the order is paid.");
        browser.is_content();
    }

    #[tokio::test]
    async fn what_people_write_shows_as_text_wherever_it_stands() {
        let shop = Shop::open();
        let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
        let store = json!({ "name": unique(HOSTILE), "description": HOSTILE });
        let store = ann.post("/stores", &store).await.is(201)["id"].as_str().expect("an id").to_owned();
        ann.put(&format!("/stores/{store}/status"), &json!({ "status": "published" })).await.is(200);
        let name = unique(HOSTILE);
        let hostile = product().named(&name).priced("4.50").stock(9).in_category(HOSTILE);
        let hostile = hostile
            .with("description", json!(HOSTILE))
            .with("storeId", json!(store))
            .with("sku", json!(HOSTILE));
        let hostile = ann.sells(hostile).await;
        bob.put("/users/me", &json!({ "fullName": HOSTILE, "addresses": [address()] })).await.is(200);
        let order = json!({ "id": hostile.id, "quantity": 1, "shippingAddress": address() });
        let order = bob.post("/orders", &order).await.is(201)["orderId"].as_str().expect("an id").to_owned();
        bob.may_review(&hostile).await;
        let review = json!({ "stars": 4, "title": HOSTILE, "text": HOSTILE, "name": HOSTILE });
        bob.reviews(&hostile, &review).await.is(201);

        let mut browser = Browser::wide();
        browser.is_signed_in_as(&bob);
        let pages = [
            format!("/shop/products/{}", hostile.id),
            format!("/shop/stores/{store}"),
            format!(
                "/shop/categories/{}",
                HOSTILE.replace(' ', "%20").replace('"', "%22").replace('<', "%3C").replace('>', "%3E")
            ),
            format!("/shop/orders/{order}"),
            "/shop/orders".into(),
            "/shop/account".into(),
            "/shop/account/addresses".into(),
            "/shop/stores".into(),
        ];
        for page in pages {
            browser.go(&page);
            let told = "document.body.innerText + [...document.querySelectorAll('input, textarea')].map(one => one.value)";
            browser.until(&format!("{page} tells of it"), &format!("({told}).includes({})", json!(HOSTILE)));
            assert_eq!(browser.eval("document.querySelectorAll('img[src=x]').length"), 0, "{page}");
            assert_eq!(browser.eval("window.pwned === undefined"), true, "{page}");
        }
        browser.is_signed_in_as(&ann);
        for page in [
            format!("/shop/sell/products/{}", hostile.id),
            format!("/shop/sell/orders/{order}"),
            "/shop/sell/store".into(),
        ] {
            browser.go(&page);
            assert_eq!(
                browser.eval("window.pwned === undefined && !document.querySelector('img[src=x]')"),
                true,
                "{page}"
            );
        }
        browser.is_content();
    }

    fn address() -> Value {
        json!({ "name": HOSTILE, "line1": HOSTILE, "city": HOSTILE, "country": "DE" })
    }

    // S23.
    #[tokio::test]
    async fn only_what_was_typed_last_is_suggested() {
        let mut browser = Browser::wide();
        browser.go("/shop");
        browser.call("Fetch.enable", &json!({ "patterns": [{ "urlPattern": "*/search/suggest*" }] }));
        let answered = |id: &Value, name: &str| {
            use base64::Engine;
            let body = json!({ "suggestions": [{ "text": name, "productId": "01a1f83a-c81e-73c6-9369-b8a11a6916c7" }] });
            let body = base64::engine::general_purpose::STANDARD.encode(body.to_string());
            let header = json!([{ "name": "content-type", "value": "application/json" }]);
            json!({ "requestId": id, "responseCode": 200, "responseHeaders": header, "body": body })
        };
        browser.clicks("[role=combobox]");
        browser.writes("[role=combobox]", "te");
        let first = browser.event("Fetch.requestPaused", "q=te")["requestId"].clone();
        browser.types("apot");
        let second = browser.event("Fetch.requestPaused", "q=teapot")["requestId"].clone();
        browser.call("Fetch.fulfillRequest", &answered(&second, "Teapot"));
        browser.until("it is suggested", "document.querySelector('[role=option]')?.textContent === 'Teapot'");
        // The page may have given it up, which is as good.
        browser.send("Fetch.fulfillRequest", &answered(&first, "Tent"));
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(
            browser.eval("[...document.querySelectorAll('[role=option]')].map(one => one.textContent)"),
            json!(["Teapot"])
        );
        browser.is_content();
    }

    #[tokio::test]
    async fn a_shop_that_cannot_be_reached_says_so_and_nothing_is_lost() {
        let shop = Shop::open();
        let ann = shop.person("Ann").await;
        let tea = ann.sells(product().named(&unique("Offline tea")).priced("4.50").stock(9)).await;
        let mut browser = Browser::wide();
        browser.go(&format!("/shop{}", tea.path()));
        browser.network(Network::Offline);
        browser.clicks(".buy .primary");
        browser.says("The shop cannot be reached.");
        browser.network(Network::Delay(Duration::ZERO));
        browser.clicks(".buy .primary");
        browser.says("is in your cart.");

        // A fault of ours is told with what to do, and the page goes on from there.
        browser.call("Fetch.enable", &json!({ "patterns": [{ "urlPattern": "*/guest-cart" }] }));
        browser.call(
            "Page.navigate",
            &json!({ "url": format!("{}/shop/cart", std::env::var("CARTWRIGHT_URL").expect("a shop")) }),
        );
        for _ in 0..6 {
            let paused = browser.event("Fetch.requestPaused", "/guest-cart")["requestId"].clone();
            browser.call("Fetch.fulfillRequest", &json!({ "requestId": paused, "responseCode": 503 }));
        }
        browser.says("Something went wrong on our side.");
        browser.call("Fetch.disable", &json!({}));
        browser.clicks("main .notice button");
        browser.says(&tea.name);
        assert_eq!(browser.eval("document.querySelectorAll('.line').length"), 1);
    }

    #[tokio::test]
    async fn a_seller_lists_a_product_with_a_picture_and_it_is_found_once_it_is_approved() {
        let shop = Shop::open();
        let ann = shop.person("Ann").await;
        let name = unique("Pictured teapot");
        let mut browser = Browser::wide();
        browser.is_signed_in_as(&ann);
        browser.go("/shop/sell/products/new");
        let file = std::env::temp_dir().join(format!("cartwright-{}.png", uuid::Uuid::now_v7()));
        std::fs::write(&file, RED_PNG).expect("a file");
        let root = browser.call("DOM.getDocument", &json!({}))["root"]["nodeId"].clone();
        let input = json!({ "nodeId": root, "selector": "input[type=file]" });
        let input = browser.call("DOM.querySelector", &input)["nodeId"].clone();
        browser.call("DOM.setFileInputFiles", &json!({ "nodeId": input, "files": [file] }));
        browser.until("the picture is shown", "document.querySelector('.preview img')");
        browser.writes("[name=productName]", &name);
        browser.writes("[name=description]", "Holds one litre.");
        browser.writes("[name=productPrice]", "24.50");
        browser.writes("[name=quantity]", "12");
        browser.eval("(one => { if (one.tagName === 'SELECT') one.selectedIndex = 1; else one.value = 'Kitchen'; })(document.querySelector('[name=category]'))");
        browser.clicks("main form button[type=submit]");
        browser.says("It is listed.");
        browser.says("Waits for approval");
        let id = eventually("its picture waits", async || {
            let own = ann.get("/users/me/products").await.is(200)["products"][0].clone();
            own["waitingPicture"].is_object().then(|| own["id"].as_str().expect("an id").to_owned())
        })
        .await;
        browser.is_signed_in_as(shop.admin().await);
        browser.go("/admin#/products");
        decides(&mut browser, &name, "primary");
        browser.says(&format!("{name} is for sale."));
        shop.get(&format!("/products/{id}")).await.is(200);
        eventually("it is found", async || {
            browser.go(&format!("/shop/search?q={}", name.replace(' ', "+")));
            browser.text().contains(&name).then_some(())
        })
        .await;
        browser.is_content();
        let _ = std::fs::remove_file(file);
    }

    #[tokio::test]
    async fn somebody_opens_an_account_and_deletes_it() {
        let shop = Shop::open();
        let name = unique("Mara");
        let email = format!("{}@cartwright.test", name.replace(' ', "."));
        let mut browser = Browser::wide();
        browser.go("/shop/sign-up");
        // What is missing is told at its field, and the first of them has the focus.
        browser.clicks("main form button[type=submit]");
        browser.until("it is told", "document.activeElement.name === 'fullName'");
        assert_eq!(browser.eval("document.querySelectorAll('[aria-invalid=true]').length"), 4);
        browser.writes("[name=fullName]", &name);
        browser.writes("[name=email]", &email);
        browser.writes("[name=password]", "Lantern-42-Quay");
        browser.clicks("main input[type=checkbox]");
        browser.clicks("main form button[type=submit]");
        browser.says(&format!("We have mailed a code to {email}."));
        browser.writes("[name=confirmationCode]", "123456");
        browser.clicks("main form button[type=submit]");
        browser.until("she is signed in", "document.querySelector('.menu')");
        browser.go("/shop/account");
        assert_eq!(browser.eval("document.querySelector('[name=fullName]').value"), json!(name));
        browser.go("/shop/account/data");
        browser.clicks("main button.danger");
        browser.writes("dialog input", "delete");
        browser.clicks("dialog button.danger");
        browser.says("Your account is being deleted.");
        browser.until("she is signed out", "!document.querySelector('.menu')");
        eventually("nobody signs in any more", async || {
            let body = json!({ "email": email, "password": "Lantern-42-Quay" });
            (shop.post("/sign-in", &body).await.status >= 400).then_some(())
        })
        .await;
        browser.is_content();
    }

    /// A guest's order of something, at the address that opens it.
    async fn of_a_guest(shop: &Shop, product: &Product) -> String {
        let item = json!({ "id": product.id, "quantity": 1 });
        let cart = shop.post("/guest-cart/items", &item).await.is(200);
        let email = format!("{}@cartwright.test", unique("gus").replace(' ', "."));
        let body = json!({ "expectedTotal": 4.5, "email": email, "fullName": "Gus Guest" });
        let asked = shop.request(Method::POST, "/guest-cart/checkout");
        let asked = asked.header("cart-token", cart["cartToken"].as_str().expect("a token"));
        let placed = asked.json(&body).send().await.is(201);
        format!(
            "/shop/guest-orders/{}#{}",
            order_id(&placed),
            placed["orderToken"].as_str().expect("a token")
        )
    }

    #[tokio::test]
    async fn every_view_fits_a_small_screen_stays_where_it_is_and_can_be_used_by_everybody() {
        let shop = Shop::open();
        let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
        let store = json!({ "name": unique("Tea house"), "description": "Tea of all colours." });
        let store = ann.post("/stores", &store).await.is(201)["id"].as_str().expect("an id").to_owned();
        ann.put(&format!("/stores/{store}/status"), &json!({ "status": "published" })).await.is(200);
        let tea = product().named(&unique("Small tea")).priced("4.50").stock(9);
        let tea = ann.sells(tea.with("storeId", json!(store))).await;
        let order = bob.buys(&tea, 1).await;
        bob.order_once(&order, "shipping").await;
        bob.post("/cart/items", &json!({ "id": tea.id, "quantity": 2 })).await.is(200);
        let with = |views: &[&str], others: &[String]| -> Vec<String> {
            views.iter().map(|view| (*view).to_owned()).chain(others.iter().cloned()).collect()
        };
        let guests = of_a_guest(&shop, &tea).await;
        let everybody =
            with(&OPEN, &[format!("/shop{}", tea.path()), format!("/shop/stores/{store}"), guests]);
        let buyers = with(&OF_BUYERS, &[format!("/shop/orders/{order}")]);
        let own = [format!("/shop/sell/products/{}", tea.id), format!("/shop/sell/orders/{order}")];
        let sellers = with(&OF_SELLERS, &own);
        let views = [(None, everybody), (Some(&bob), buyers), (Some(&ann), sellers)];
        let seen: Vec<_> =
            views.iter().flat_map(|(_, paths)| paths).map(|path| path.replacen("/shop", "", 1)).collect();
        assert_eq!(unseen("functions/pages/site/shop/main.js", &seen), [] as [&str; 0]);

        for (width, height) in [(320, 700), (1280, 900)] {
            let mut browser = Browser::open(width, height);
            if width < 1000 {
                browser.network(SLOW);
            }
            let schemes = if width > 1000 { &Scheme::BOTH[..] } else { &[Scheme::Day] };
            for (person, paths) in &views {
                if let Some(person) = person {
                    browser.is_signed_in_as(person);
                }
                for path in paths {
                    browser.go(path);
                    assert!(browser.width() <= u64::from(width), "{path} is {} wide", browser.width());
                    assert_eq!(browser.eval("document.querySelectorAll('h1').length"), 1, "{path}");
                    let astray = "[...document.querySelectorAll('a[href]')].filter(one => one.origin === location.origin \
                                  && !/^\\/(shop|admin|local\\/media)(\\/|$)/.test(one.pathname)).map(one => one.outerHTML)";
                    assert_eq!(browser.eval(astray), json!([]), "{path} has links to what is no page");
                    browser.is_accessible(path, schemes);
                    // With all that came late, such as its pictures.
                    assert!(browser.moved() <= 0.05, "{path} moves by {}", browser.moved());
                }
            }
            browser.is_content();
        }
    }

    #[tokio::test]
    async fn what_happens_to_somebody_is_told_in_the_open_page_at_once() {
        let shop = Shop::open();
        let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
        let tea = ann.sells(product().named(&unique("Live tea")).priced("4.50").stock(9)).await;
        let order = bob.buys(&tea, 1).await;
        bob.order_once(&order, "shipping").await;
        eventually("the inbox has both", async || {
            (bob.get("/notifications").await.is(200)["unread"] == 2).then_some(())
        })
        .await;
        let mut browser = Browser::wide();
        browser.is_signed_in_as(&bob);
        browser.go(&format!("/shop/orders/{order}"));
        let opened = browser.event("Network.webSocketHandshakeResponseReceived", "response");
        assert_eq!(opened["response"]["status"], 101);
        browser.unread(2);
        browser.eval("window.isTheSame = true");

        ann.put(&format!("/orders/{order}/status"), &json!({ "status": "delivered" })).await.is(200);
        // By itself the page asks once a minute: that it was told is why it knows.
        let told = browser.event("Network.webSocketFrameReceived", "order.delivered");
        assert!(told["response"]["payloadData"].as_str().expect("a text").contains(&order), "{told}");
        browser.unread(3);
        browser.until("it has arrived", "document.querySelectorAll('.step-of.done').length === 3");
        assert_eq!(browser.eval("window.isTheSame"), true, "nothing was loaded again");
        browser.clicks("a[href='/shop/inbox']");
        browser.says("has arrived");
        browser.is_content();
    }

    #[tokio::test]
    async fn another_language_is_another_file() {
        let mut browser = Browser::wide();
        browser.go("/shop/cart");
        browser.says("Your cart is empty.");
        browser.eval("localStorage.setItem('cartwright.language', 'de')");
        browser.go("/shop/cart");
        browser.says("Ihr Warenkorb ist leer.");
        assert_eq!(browser.eval("document.documentElement.lang"), "de");
        browser.is_content();
    }
}
