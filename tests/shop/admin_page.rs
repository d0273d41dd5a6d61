//! The page on which admins work, looked at through a browser. `cargo local test` leaves these out, and says so, where
//! there is none.

pub(crate) mod in_a_browser {
    use serde_json::{Value, json};
    use tests::aws::Aws;
    use tests::browser::{Browser, SLOW, Scheme, unseen};
    use tests::paying::awaiting;
    use tests::shop::{PASSWORD, Person, Product, RED_PNG, Shop, product, unique};

    /// Taken for HTML anywhere, it would run.
    const HOSTILE: &str = "<img src=x onerror=\"window.pwned=1\">";

    /// A product that waits for an admin, with its picture.
    async fn waits(shop: &Shop, seller: &Person, name: &str) -> Product {
        let product = seller
            .lists(product().named(name).priced("4.50").stock(9).with("description", json!(HOSTILE)))
            .await;
        assert_eq!(shop.upload(&product.upload_url, "image/png", RED_PNG.to_vec()).await, 200);
        seller.own_once(&product, "its picture waits", |product| product["waitingPicture"].is_object()).await;
        product
    }

    /// The page of an admin, at a view.
    async fn admins(browser: &mut Browser, shop: &Shop, view: &str) {
        browser.is_signed_in_as(shop.admin().await);
        browser.go(&format!("/admin#{view}"));
    }

    /// Another view of the same page, which is loaded once.
    fn goes_to(browser: &mut Browser, view: &str) {
        browser.eval("document.querySelector('main h1').dataset.old = ''; window.moved = 0");
        browser.eval(&format!("location.hash = {}", json!(view)));
        browser.until(
            &format!("{view} is shown"),
            "document.querySelector('main h1:not([data-old])') && !document.querySelector('main[aria-busy]')",
        );
    }

    /// Presses the button of these words inside of what a selector means.
    fn presses(browser: &mut Browser, within: &str, words: &str) {
        let button = format!(
            "[...document.querySelectorAll({})].find(one => one.textContent.trim() === {})",
            json!(format!("{within} button")),
            json!(words)
        );
        browser.until(&format!("there is {words}"), &button);
        browser.eval(&format!("{button}.click()"));
    }

    /// Presses a button of the product of this name.
    pub(crate) fn decides(browser: &mut Browser, name: &str, kind: &str) {
        let card = format!(
            "[...document.querySelectorAll('.product')].find(one => one.querySelector('h2').textContent === {})",
            json!(name)
        );
        browser.until(&format!("{name} waits"), &card);
        assert_eq!(browser.eval(&format!("{card}.querySelectorAll('.pictures a').length")), 1);
        browser.eval(&format!("{card}.querySelector('button.{kind}').click()"));
    }

    #[tokio::test]
    async fn what_waits_is_approved_or_turned_down_with_a_reason() {
        let shop = Shop::open();
        let ann = shop.person("Ann").await;
        let (good, bad) = (unique("Good tea"), unique(HOSTILE));
        let (tea, hostile) = (waits(&shop, &ann, &good).await, waits(&shop, &ann, &bad).await);
        let mut browser = Browser::wide();
        admins(&mut browser, &shop, "/products").await;
        decides(&mut browser, &good, "primary");
        browser.says(&format!("{good} is for sale."));
        shop.get(&tea.path()).await.is(200);

        decides(&mut browser, &bad, "bad");
        browser.clicks("dialog button.danger");
        browser.says("Please fill this in.");
        browser.writes("dialog textarea", "The picture is blurred.");
        browser.clicks("dialog button.danger");
        browser.says(&format!("{bad} is rejected."));
        let own = ann.own(&hostile).await.expect("it is there");
        assert_eq!(own["rejectionReason"], "The picture is blurred.");
        assert_eq!(browser.eval("window.pwned === undefined && !document.querySelector('img[src=x]')"), true);
        browser.is_content();
    }

    #[tokio::test]
    async fn what_somebody_else_changed_meanwhile_is_not_decided_unseen() {
        let shop = Shop::open();
        let ann = shop.person("Ann").await;
        let name = unique("Changing tea");
        let tea = waits(&shop, &ann, &name).await;
        let mut browser = Browser::wide();
        admins(&mut browser, &shop, "/products").await;
        browser.says(&name);
        let changed = unique("Another one");
        ann.put(&tea.path(), &json!({ "description": changed })).await.is(200);
        decides(&mut browser, &name, "primary");
        browser.says("Somebody else has changed it since you opened it.");
        shop.get(&tea.path()).await.is_problem(404, "not-found");
        presses(&mut browser, ".told-here", "Load what is there now");
        browser.says(&changed);
        decides(&mut browser, &name, "primary");
        browser.says(&format!("{name} is for sale."));
        browser.is_content();
    }

    #[tokio::test]
    async fn an_admin_gives_some_money_back() {
        let awaiting = awaiting().await;
        awaiting.is_paid().await;
        let mut browser = Browser::wide();
        admins(&mut browser, &awaiting.shop, &format!("/orders/{}", awaiting.order)).await;
        presses(&mut browser, "main", "Refund");
        browser.clicks("dialog input[value=amount]");
        // A sum that nobody wrote would be all of it.
        browser.clicks("dialog button.danger");
        browser.says("Please fill this in.");
        browser.writes("dialog input[name=amount]", "10");
        browser.clicks("dialog button.danger");
        browser.says("$10.00 goes back.");
        let whole = awaiting.whole().await;
        let refunds: Vec<_> =
            whole["refunds"].as_array().expect("refunds").iter().map(|refund| &refund["amount"]).collect();
        assert_eq!(refunds, [&json!(10)]);
        browser.is_content();
    }

    #[tokio::test]
    async fn an_admin_signs_in_with_a_code_and_is_asked_again_after_half_an_hour() {
        let (shop, aws) = (Shop::open(), Aws::open().await);
        let root = shop.another_admin(&aws).await;
        let app = root.turns_totp_on().await;
        let mut browser = Browser::wide();
        browser.go("/admin");
        let signs_in = |browser: &mut Browser, code: &str| {
            browser.writes("[autocomplete=username]", &root.email);
            browser.writes("[autocomplete=current-password]", PASSWORD);
            browser.clicks("form button[type=submit]");
            browser.writes("[autocomplete=one-time-code]", code);
            browser.clicks("form button[type=submit]");
        };
        signs_in(&mut browser, &app.next_code());
        browser.says("What waits");
        browser.says("Latest orders");
        browser.eval(
            "sessionStorage.setItem('cartwright.admin.touched', Date.now() - 31 * 60_000); location.reload()",
        );
        browser
            .until("the password is asked for", "document.querySelector('[autocomplete=current-password]')");
        assert!(!browser.text().contains("Latest orders"));
        browser.is_content();
    }

    #[tokio::test]
    async fn nobody_but_an_admin_is_let_in() {
        let shop = Shop::open();
        let ann = shop.person("Ann").await;
        let mut browser = Browser::wide();
        browser.is_signed_in_as(&ann);
        browser.go("/admin");
        browser.writes("[autocomplete=username]", &ann.email);
        browser.writes("[autocomplete=current-password]", PASSWORD);
        browser.clicks("form button[type=submit]");
        browser.says("This account is not an admin's.");
        assert_eq!(browser.eval("sessionStorage.getItem('cartwright.session')"), Value::Null);
        browser.is_content();
    }

    #[tokio::test]
    async fn every_view_fits_a_small_screen_stays_where_it_is_and_can_be_used_by_everybody() {
        let awaiting = awaiting().await;
        awaiting.is_paid().await;
        let shop = &awaiting.shop;
        let admin = shop.admin().await;
        let store = json!({ "name": unique("Tea house"), "description": HOSTILE });
        let store =
            awaiting.seller.post("/stores", &store).await.is(201)["id"].as_str().expect("an id").to_owned();
        awaiting
            .seller
            .put(&format!("/stores/{store}/status"), &json!({ "status": "published" }))
            .await
            .is(200);
        let code = unique("TEN").to_uppercase().replace(' ', "-");
        admin.post("/coupons", &json!({ "code": code, "kind": "percent", "value": 10 })).await.is(201);
        let webhook =
            json!({ "url": "https://1.receiver.test/hook", "types": ["order.placed"], "isActive": false });
        let webhook =
            admin.post("/webhooks", &webhook).await.is(201)["id"].as_str().expect("an id").to_owned();
        let own = [
            format!("/orders/{}", awaiting.order),
            format!("/products/{}", awaiting.product.id),
            format!("/reviews?product={}", awaiting.product.id),
            format!("/people/{}", awaiting.buyer.id()),
            format!("/stores/{store}"),
            format!("/coupons/{code}"),
            format!("/webhooks/{webhook}"),
        ];
        let views = [
            "/",
            "/orders",
            "/orders?status=pending",
            "/returns",
            "/products",
            "/products?list=sale",
            "/people",
            "/stores",
            "/reviews",
            "/reviews?list=hidden",
            "/pictures",
            "/coupons",
            "/coupons/new",
            "/settings/shipping",
            "/settings/tax",
            "/webhooks",
            "/webhooks/new",
            "/security",
            "/nothing",
        ];
        let seen: Vec<_> = views.iter().map(|view| (*view).to_owned()).chain(own.iter().cloned()).collect();
        assert_eq!(unseen("functions/pages/site/admin/main.js", &seen), [] as [&str; 0]);
        for (width, height) in [(320, 700), (1280, 900)] {
            let mut browser = Browser::open(width, height);
            if width < 1000 {
                browser.network(SLOW);
            }
            let schemes = if width > 1000 { &Scheme::BOTH[..] } else { &[Scheme::Day] };
            browser.go("/admin");
            browser.is_accessible("who is let in", schemes);
            // Whichever comes first is another one.
            admins(&mut browser, shop, "/security").await;
            for view in &seen {
                goes_to(&mut browser, view);
                assert!(browser.width() <= u64::from(width), "{view} is {} wide", browser.width());
                assert_eq!(browser.eval("document.querySelectorAll('h1').length"), 1, "{view}");
                let astray = "[...document.querySelectorAll('a[href]')].filter(one => one.origin === location.origin && \
                              !one.getAttribute('href').startsWith('#') && !/^\\/(shop|local\\/media)(\\/|$)/.test(one.pathname)) \
                              .map(one => one.outerHTML)";
                assert_eq!(browser.eval(astray), json!([]), "{view} has links to what is no view");
                browser.is_accessible(view, schemes);
                // With all that came late, such as its pictures.
                assert!(browser.moved() <= 0.05, "{view} moves by {}", browser.moved());
            }
            assert_eq!(browser.eval("window.pwned === undefined"), true);
            browser.is_content();
        }
    }
}
