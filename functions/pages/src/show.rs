//! What is at an address: a page, one of its files, or what search engines ask for.

use categories::{Categories, CategoryList};
use products::{ProductList, Products, PublicPage, PublicProduct};
use serde::Serialize;
use serde_json::{Value, json};
use shared::dynamo::list::{Cursors, PageRequest};
use shared::http::problem::Problem;
use shared::http::{Document, Served};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::time::Timestamp;
use stores::{PublicStore, StoreList, Stores};

use crate::files::{self, ADMIN, ADMIN_MODULES, SHOP, SHOP_MODULES};
use crate::head::{Head, embedded, escaped};
use crate::policy::{Origins, policy};
use crate::robots::{encoded, robots, sitemap};
use crate::view::View;

const HTML: &str = "text/html; charset=utf-8";

/// How many of the newest products a sitemap has: as many as a list has on a page.
const OF_SITEMAP: usize = 100;

/// The shop as its pages tell of it.
#[derive(Debug, Clone)]
pub struct Pages {
    products: Products,
    stores: Stores,
    categories: Categories,
    cursors: Cursors,
    name: String,
    /// Where the shop is, without a slash at its end.
    url: String,
    policy: String,
    settings: Value,
}

impl FromEnv for Pages {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        let text = |name| config::optional::<String>(name).map(Option::unwrap_or_default);
        let providers: Vec<_> =
            text("PROVIDERS")?.split(',').filter(|one| !one.is_empty()).map(str::to_owned).collect();
        let name = config::required::<String>("SHOP_NAME")?;
        let settings = json!({
            "name": name, "currency": config::required::<String>("CURRENCY")?, "country": text("SHOP_COUNTRY")?,
            "cards": text("CARD_PAYMENTS")? == "on", "guestCash": text("GUEST_CASH")? == "true", "providers": providers,
            "live": !text("SOCKET_URL")?.is_empty(),
        });
        Ok(Self {
            products: Products::from_env(aws)?,
            stores: Stores::from_env(aws)?,
            categories: Categories::from_env(aws)?,
            cursors: Cursors::from_env(aws)?,
            name,
            url: config::required("SHOP_URL")?,
            policy: policy(
                &Origins::of(&text("IMAGE_ORIGINS")?),
                &Origins::of(&format!("{} {}", text("UPLOAD_ORIGINS")?, text("SOCKET_URL")?)),
            ),
            settings,
        })
    }
}

impl Pages {
    /// What is at a path. A page whose product, store or category cannot be read is shown all the same: its script asks
    /// again, and says what is wrong.
    ///
    /// # Errors
    /// `not-found` for a file that there is not; for a sitemap, when a table cannot be read.
    pub async fn at(&self, path: &str, now: Timestamp) -> Result<Served, Problem> {
        if let Some(file) = path.strip_prefix(files::FOLDER) {
            return files::file(file).map(Served::File).ok_or_else(|| Problem::not_found("file"));
        }
        match path {
            "/robots.txt" => {
                let api = self.url.strip_suffix("/shop").unwrap_or(&self.url);
                Ok(Served::Document(Document::text("text/plain; charset=utf-8", robots(&self.url, api))))
            }
            "/sitemap.xml" => {
                let addresses = self.addresses(now).await?;
                Ok(Served::Document(Document::text("application/xml; charset=utf-8", sitemap(&addresses))))
            }
            "/admin" => Ok(self.page(ADMIN, ADMIN_MODULES, &[], &Head::default(), true)),
            _ => {
                let view = View::of(path.strip_prefix("/shop").unwrap_or(path));
                let head = match &view {
                    Some(view) => self.head(view, path, now).await,
                    None => None,
                };
                let is_there = head.is_some();
                let own = view.as_ref().map_or(&[][..], View::modules);
                Ok(self.page(SHOP, SHOP_MODULES, own, &head.unwrap_or_default(), is_there))
            }
        }
    }

    fn page(&self, shell: &str, modules: &[&str], own: &[&str], head: &Head, is_there: bool) -> Served {
        let root = files::root();
        let preload: Vec<_> = modules
            .iter()
            .chain(own)
            .map(|module| format!("<link rel=\"modulepreload\" href=\"{root}/{module}\">"))
            .collect();
        let mut html = String::with_capacity(shell.len() + 4096);
        // In one pass, so that nothing which is put in is looked at again.
        let mut rest = shell;
        while let Some((before, after)) = rest.split_once("{{") {
            html.push_str(before);
            let (name, after) = after.split_once("}}").unwrap_or((after, ""));
            match name {
                "title" => html.push_str(&escaped(&head.title(&self.name))),
                "head" => html.push_str(&head.html(&self.name)),
                "name" => html.push_str(&escaped(&self.name)),
                "files" => html.push_str(&root),
                "preload" => html.push_str(&preload.join("\n")),
                "settings" => html.push_str(&embedded(&self.settings)),
                _ => {}
            }
            rest = after;
        }
        html.push_str(rest);
        Served::Document(Document {
            media_type: HTML,
            body: html,
            policy: Some(self.policy.clone()),
            is_there,
        })
    }

    /// The head of a view; `None` where what it is about is not there.
    async fn head(&self, view: &View, path: &str, now: Timestamp) -> Option<Head> {
        let address =
            || format!("{}{}", self.url, path.strip_prefix("/shop").unwrap_or(path).trim_end_matches('/'));
        match view {
            View::Home => Some(Head::of_home(&self.name, self.url.clone())),
            View::Public => Some(Head { address: Some(address()), kind: "website", ..Head::default() }),
            View::Own => Some(Head::default()),
            View::Product(id) => {
                let found = self.products.for_sale(id.parse().ok()?, now).await;
                let page = found.map(PublicPage::from);
                said(
                    page,
                    |error| matches!(error, products::Error::NotFound),
                    |it| Head::of_product(it, address()),
                )
            }
            View::Store(id) => {
                let found = self.stores.find_published(id.parse().ok()?).await.map(PublicStore::from);
                said(
                    found,
                    |error| matches!(error, stores::Error::NotFound),
                    |it| Head::of_store(it, address()),
                )
            }
            View::Category(name) => {
                let all = self
                    .categories
                    .list(&self.cursors, &PageRequest::first(OF_SITEMAP))
                    .await
                    .map(CategoryList::from);
                said(
                    all,
                    |_| false,
                    |all| {
                        let category = all
                            .as_array()
                            .and_then(|all| all.iter().find(|one| one["categoryName"] == **name));
                        // A product may be in a category that has no picture yet: it is shown, and not found by
                        // strangers.
                        category.map_or_else(Head::default, |category| Head::of_category(category, address()))
                    },
                )
            }
        }
    }

    /// The pages that search engines begin at: the front, the categories, the newest stores and products.
    async fn addresses(&self, now: Timestamp) -> Result<Vec<String>, Problem> {
        let first = PageRequest::first(OF_SITEMAP);
        let (categories, stores, products) = tokio::try_join!(
            self.categories.list(&self.cursors, &first),
            self.stores.list_published(&self.cursors, &first),
            self.products.list_approved(None, &self.cursors, &first, now),
        )?;
        let categories = json!(CategoryList::from(categories));
        let stores = json!(StoreList::<PublicStore>::from(stores));
        let products = json!(ProductList::<PublicProduct>::from(products));
        let of = |list: &Value, path: &str, member: &str| -> Vec<String> {
            let members = list.as_array().into_iter().flatten().filter_map(|one| one[member].as_str());
            members.map(|text| format!("{}{path}{}", self.url, encoded(text))).collect()
        };
        let mut all = vec![self.url.clone(), format!("{}/stores", self.url)];
        all.extend(of(&categories, "/categories/", "categoryName"));
        all.extend(of(&stores["stores"], "/stores/", "id"));
        all.extend(of(&products["products"], "/products/", "id"));
        Ok(all)
    }
}

/// The head of what was read. What could not be read now is no reason for not showing the page.
fn said<T: Serialize, E: std::fmt::Debug>(
    read: Result<T, E>,
    is_missing: impl Fn(&E) -> bool,
    head: impl Fn(&Value) -> Head,
) -> Option<Head> {
    match read {
        Ok(found) => Some(serde_json::to_value(found).map_or_else(|_| Head::default(), |found| head(&found))),
        Err(error) if is_missing(&error) => None,
        Err(error) => {
            tracing::warn!(?error, "a page is shown without what it is about");
            Some(Head::default())
        }
    }
}
