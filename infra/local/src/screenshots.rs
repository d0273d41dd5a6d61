//! `cargo local screenshots`: pictures of the running shop's pages, for `README.md` and `docs/pages.md`; with `--all`
//! of every view, to be looked at.
//!
//! Safe to repeat: what is missing to be shown, an order of two sellers and a cart, is made once.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use devtools::{Browser, Frame, Scheme};
use reqwest::Method;
use serde_json::{Value, json};

use crate::catalogue::{PRODUCTS, SELLERS};
use crate::cloud::{self, Cloud};
use crate::shop::{PASSWORD, Shop};
use crate::{deploy, needs, say, seed, up};

/// Where the documents' pictures are.
const FOLDER: &str = "docs/pages";

/// Larger ones make a document slow, in bytes.
const LARGEST: usize = 200_000;

/// The best at which a picture is not too large is taken.
const QUALITIES: [u8; 4] = [90, 75, 60, 45];

/// The windows of a telephone, a tablet and a laptop.
const WINDOWS: [(u32, u32); 3] = [(390, 844), (768, 1024), (1280, 900)];

/// What the order is of: something of either seller.
const ORDERED: [&str; 2] = ["stoneware-mug", "finjan"];

/// The documents' pictures: their names, what they are of, how wide, and of which time of day.
const SHOWN: [(&str, &str, u32, Scheme); 8] = [
    ("home", "/shop", 1280, Scheme::Day),
    ("product", "/shop/products/:id", 390, Scheme::Day),
    ("search", "/shop/search?sort=rating", 1280, Scheme::Night),
    ("checkout", "/shop/checkout", 390, Scheme::Night),
    ("order", "/shop/orders/:id", 1280, Scheme::Day),
    ("seller", "/shop/sell", 390, Scheme::Day),
    ("admin", "/admin#/", 1280, Scheme::Day),
    ("admin-order", "/admin#/orders/:id", 1280, Scheme::Night),
];

/// The options of `cargo local screenshots`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Every view instead, at three widths, by day and by night, into this folder.
    #[arg(long, value_name = "FOLDER")]
    all: Option<PathBuf>,
}

/// As whom something is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Visitor,
    Buyer,
    Seller,
    Admin,
}

impl Who {
    /// Whose an address of the pages is.
    fn of(path: &str) -> Self {
        let is_below = |folders: &[&str]| folders.iter().any(|folder| path.starts_with(folder));
        if path.starts_with("/admin") {
            Self::Admin
        } else if is_below(&["/shop/sell", "/shop/stores/mine"]) {
            Self::Seller
        } else if is_below(&["/shop/cart", "/shop/checkout", "/shop/orders", "/shop/inbox", "/shop/account"])
        {
            Self::Buyer
        } else {
            Self::Visitor
        }
    }

    /// Who signs in for it.
    fn email(self) -> Option<&'static str> {
        match self {
            Self::Visitor => None,
            Self::Buyer => Some(seed::BUYER.email),
            Self::Seller => Some(SELLERS[0].email),
            Self::Admin => Some(deploy::ADMIN),
        }
    }
}

/// What there is to be shown: ids, but for the coupon's code.
#[derive(Debug, Default)]
struct Scene {
    product: String,
    store: Option<String>,
    order: String,
    person: String,
    coupon: Option<String>,
    webhook: Option<String>,
}

/// Runs `cargo local screenshots`.
///
/// # Errors
/// No shop runs, there is no browser, or a page is not as it should be.
pub(crate) async fn run(options: &Options) -> Result<()> {
    let record = Cloud::shop().record();
    if !up::answers(&record).await {
        bail!("nothing runs: start the shop with `cargo local up`");
    }
    let program = needs::browser().context("there is no Chromium: install it, or name it with CHROMIUM")?;
    let url = record.url();
    let shop = Shop::at(&url);
    let scene = say::step("Preparing what is to be seen", Scene::set(&shop)).await?;
    let mut tokens = Vec::new();
    for who in [Who::Buyer, Who::Seller, Who::Admin] {
        tokens.push((who, refresh_token(&shop, who).await?));
    }
    let all = options.all.clone();
    let taken = tokio::task::spawn_blocking(move || {
        let mut camera = Camera { browser: Browser::start(&program, &url)?, tokens, who: Who::Visitor };
        match all {
            None => camera.takes_shown(&scene, &cloud::root().join(FOLDER)),
            Some(folder) => camera.takes_all(&scene, &folder),
        }
    });
    taken.await.context("the browser's thread ended")?
}

async fn refresh_token(shop: &Shop, who: Who) -> Result<String> {
    let body = json!({ "email": who.email(), "password": PASSWORD });
    let answer = shop.want(Method::POST, "/sign-in", None, &body).await?;
    Ok(answer.text("/tokens/RefreshToken")?.to_owned())
}

impl Scene {
    /// Finds what there is, and makes an order of two sellers and a cart, unless they are there.
    async fn set(shop: &Shop) -> Result<Self> {
        let [seller, maker] = [shop.sign_in(SELLERS[0].email).await?, shop.sign_in(SELLERS[1].email).await?];
        let buyer = shop.sign_in(seed::BUYER.email).await?;
        let admin = shop.sign_in(deploy::ADMIN).await?;
        let get = async |path: &str, token: &str| {
            let answer = shop.want(Method::GET, path, Some(token), &Value::Null).await?;
            anyhow::Ok(answer.body)
        };
        let mut ordered = Vec::new();
        for (file, token) in ORDERED.into_iter().zip([&seller, &maker]) {
            let product = PRODUCTS.iter().find(|product| product.file == file);
            let name = product.with_context(|| format!("the catalogue has no {file}"))?.name;
            let own = seed::products_of(shop, token).await?;
            let own = own.iter().find(|one| one["productName"] == name);
            let id =
                own.and_then(|own| own["id"].as_str()).with_context(|| format!("{name} is not there"))?;
            ordered.push(id.to_owned());
        }
        let order = order(shop, &buyer, &maker, &ordered).await?;
        fill_cart(shop, &buyer, &ordered).await?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Ok(Self {
            store: text(&get("/users/me/stores", &seller).await?["stores"][0]["id"]),
            person: text(&get("/users/me", &buyer).await?["userId"]).context("a profile without an id")?,
            coupon: text(&get("/coupons", &admin).await?["coupons"][0]["code"]),
            webhook: text(&get("/webhooks", &admin).await?["webhooks"][0]["id"]),
            product: ordered.swap_remove(0),
            order,
        })
    }

    /// An address of a pattern; none where there is nothing that it could be of.
    fn address(&self, pattern: &str) -> Option<String> {
        let Some((before, _)) = pattern.split_once("/:") else { return Some(pattern.to_owned()) };
        let which = match before.rsplit('/').next()? {
            "categories" => "Home",
            "products" => &self.product,
            "stores" => self.store.as_deref()?,
            "orders" => &self.order,
            "people" => &self.person,
            "coupons" => self.coupon.as_deref()?,
            "webhooks" => self.webhook.as_deref()?,
            _ => return None,
        };
        Some(format!("{before}/{which}"))
    }
}

fn address_of_buyer() -> Value {
    json!({ "name": "Mara Lindqvist", "line1": "Quay 42", "postalCode": "20459", "city": "Hamburg", "country": "DE" })
}

/// The order that is shown: of two sellers, of whom one has said that the own parcel arrived. Asked for again it is the
/// same one.
async fn order(shop: &Shop, buyer: &str, maker: &str, products: &[String]) -> Result<String> {
    let items: Vec<_> = products.iter().map(|id| json!({ "id": id, "quantity": 1 })).collect();
    let body = json!({ "items": items, "shippingAddress": address_of_buyer() });
    let once = shop.with("idempotency-key", "screenshots");
    let placed = once.want(Method::POST, "/orders", Some(buyer), &body).await?;
    let order = placed.text("/orderId")?.to_owned();
    let is_sent = |order: &Value| order["status"] == "shipping" || order["status"] == "delivered";
    shop.wait(&format!("/orders/{order}"), Some(buyer), is_sent).await?;
    let path = format!("/seller/orders/{order}/status");
    shop.want(Method::PUT, &path, Some(maker), &json!({ "status": "delivered" })).await?;
    Ok(order)
}

/// Puts something into the buyer's cart, if there is nothing, and says where it is to be sent.
async fn fill_cart(shop: &Shop, buyer: &str, products: &[String]) -> Result<()> {
    let cart = shop.want(Method::GET, "/cart", Some(buyer), &Value::Null).await?.body;
    if cart["items"].as_array().is_some_and(|items| !items.is_empty()) {
        return Ok(());
    }
    for (id, quantity) in products.iter().zip([2, 1]) {
        let item = json!({ "id": id, "quantity": quantity });
        shop.want(Method::POST, "/cart/items", Some(buyer), &item).await?;
    }
    let choices = json!({ "shippingAddress": address_of_buyer() });
    shop.want(Method::PUT, "/cart", Some(buyer), &choices).await?;
    Ok(())
}

/// All views, as the pages' own scripts name them, but for the account's, of which each part is one.
fn views(of: impl Fn(&str) -> Result<String>) -> Result<Vec<String>> {
    let mut views = Vec::new();
    for (page, base) in [("shop", "/shop"), ("admin", "/admin#")] {
        for pattern in devtools::views(&of(page)?) {
            match pattern.as_str() {
                "/account/:part" => {
                    let parts = ["addresses", "security", "notifications", "data"];
                    views.extend(parts.map(|part| format!("{base}/account/{part}")));
                }
                "/search" => views.push(format!("{base}/search?sort=rating")),
                // A gateway has no route for `/shop/`.
                "/" if page == "shop" => views.push(base.to_owned()),
                _ => views.push(format!("{base}{pattern}")),
            }
        }
    }
    views.extend(["terms", "nothing"].map(|name| format!("/shop/{name}")));
    Ok(views)
}

fn script(page: &str) -> Result<String> {
    let file = cloud::root().join(format!("functions/pages/site/{page}/main.js"));
    fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))
}

/// What a picture of a view is called.
fn name_of(view: &str) -> String {
    let words = view.split('?').next().unwrap_or_default().split(|c: char| !c.is_ascii_alphanumeric());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}

/// A browser, and who sits at it.
struct Camera {
    browser: Browser,
    tokens: Vec<(Who, String)>,
    who: Who,
}

impl Camera {
    /// Lets whoever may see a view sit there, and opens it.
    fn opens(&mut self, address: &str) -> Result<()> {
        let who = Who::of(address);
        if who != self.who {
            let token = self.tokens.iter().find(|(one, _)| *one == who);
            let (_, token) = token.with_context(|| format!("{who:?} comes after somebody who signed in"))?;
            self.browser.take_up(token)?;
            self.who = who;
        }
        self.browser.go(address).with_context(|| format!("cannot show {address}"))
    }

    /// Whether everything that was seen is as it should be.
    fn is_content(&mut self) -> Result<()> {
        match self.browser.complaints() {
            [] => Ok(()),
            complaints => bail!("the pages complain: {}", complaints.join("; ")),
        }
    }

    /// What is in the window, at the best quality that is not too large.
    fn small_picture(&mut self) -> Result<Vec<u8>> {
        for quality in QUALITIES {
            let picture = self.browser.picture(Frame::Window, quality)?;
            if picture.len() <= LARGEST {
                return Ok(picture);
            }
        }
        bail!("it has over {LARGEST} bytes")
    }

    fn takes_shown(&mut self, scene: &Scene, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut shown = SHOWN;
        shown.sort_by_key(|(_, view, ..)| Who::of(view));
        for (name, view, width, scheme) in shown {
            let address =
                scene.address(view).with_context(|| format!("there is nothing to show at {view}"))?;
            let height = WINDOWS.iter().find(|window| window.0 == width).map_or(900, |window| window.1);
            // A telephone's pixels are finer.
            self.browser.resize(width, height, if width < 600 { 2 } else { 1 })?;
            self.browser.looks(scheme)?;
            self.opens(&address)?;
            let file = folder.join(format!("{name}.webp"));
            let picture = self.small_picture().with_context(|| format!("cannot take {name}"))?;
            say::out!("{} ({} KB)", file.display(), picture.len() / 1000);
            fs::write(&file, picture).with_context(|| format!("cannot write {}", file.display()))?;
        }
        self.is_content()
    }

    fn takes_all(&mut self, scene: &Scene, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut views = views(script)?;
        views.sort_by_key(|view| Who::of(view));
        for view in views {
            let Some(address) = scene.address(&view) else {
                say::note(&format!("{view} is left out: there is nothing to show there"));
                continue;
            };
            for (width, height) in WINDOWS {
                self.browser.resize(width, height, 1)?;
                // What a window is too narrow for is decided when the view is opened.
                self.opens(&address)?;
                for scheme in Scheme::BOTH {
                    self.browser.looks(scheme)?;
                    let file = folder.join(format!("{}-{width}-{}.webp", name_of(&view), scheme.name()));
                    let picture = self.browser.picture(Frame::Whole, QUALITIES[1])?;
                    fs::write(&file, picture).with_context(|| format!("cannot write {}", file.display()))?;
                }
            }
            say::out!("{address}");
        }
        self.is_content()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn scene() -> Scene {
        let some = |text: &str| Some(text.to_owned());
        Scene {
            product: "p".into(),
            store: some("s"),
            order: "o".into(),
            person: "u".into(),
            coupon: some("TEN"),
            webhook: some("w"),
        }
    }

    #[test]
    fn every_view_can_be_shown_but_a_guests_order_whose_token_is_in_an_email() {
        let views = views(script).unwrap();
        assert!(views.len() > 45, "{views:?}");
        assert!(
            views.contains(&"/shop".to_owned()) && views.iter().all(|view| view != "/shop/"),
            "{views:?}"
        );
        let missing: Vec<_> = views.iter().filter(|view| scene().address(view).is_none()).collect();
        assert_eq!(missing, ["/shop/guest-orders/:id"]);
        let names: BTreeSet<_> = views.iter().map(|view| name_of(view)).collect();
        assert_eq!(names.len(), views.len(), "{names:?}");
        assert!(names.contains("admin-settings-tax") && names.contains("shop-account-security"), "{names:?}");
    }

    #[test]
    fn the_documents_pictures_are_of_what_there_is() {
        let scene = scene();
        let addresses: Vec<_> = SHOWN.iter().map(|(_, view, ..)| scene.address(view).unwrap()).collect();
        assert_eq!(addresses[1], "/shop/products/p");
        assert_eq!(addresses[7], "/admin#/orders/o");
        assert_eq!(Who::of(&addresses[4]), Who::Buyer);
        assert!(SHOWN.iter().all(|(.., width, _)| WINDOWS.iter().any(|window| window.0 == *width)));
        assert!(ORDERED.iter().all(|file| PRODUCTS.iter().any(|product| product.file == *file)));
    }
}
