//! What stands in a page's head for whoever does not run its scripts: title, description, Open Graph
//! (<https://ogp.me>) and JSON-LD of schema.org. All of it is text of strangers, and is escaped.

use serde_json::{Value, json};

/// Longer descriptions are cut by those who show them.
const DESCRIPTION: usize = 200;

/// A page's head.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Head {
    /// Without the shop's name.
    pub title: Option<String>,
    pub description: Option<String>,
    /// The URL of a picture.
    pub image: Option<String>,
    /// What the page is to be called by, absolute; without one nobody is to keep it in an index.
    pub address: Option<String>,
    /// `website`, `product`, `profile`: Open Graph's type.
    pub kind: &'static str,
    /// JSON-LD.
    pub data: Option<Value>,
}

/// A text in HTML, also within quotes.
pub(crate) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(c),
        }
    }
    safe
}

/// JSON inside a `<script>`: no `<` in it can end that.
pub(crate) fn embedded(value: &Value) -> String {
    value.to_string().replace('<', "\\u003c")
}

/// One line of a text, cut at a word.
fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= DESCRIPTION {
        return line;
    }
    let cut: String = line.chars().take(DESCRIPTION).collect();
    let cut = cut.rsplit_once(' ').map_or(cut.as_str(), |(whole, _)| whole);
    format!("{cut}…")
}

impl Head {
    /// A product, as the API shows it to everyone (`GET /products/{id}`).
    pub(crate) fn of_product(product: &Value, address: String) -> Self {
        let text = |name: &str| product[name].as_str().map(str::to_owned);
        let pictures = product["pictures"].as_array().into_iter().flatten();
        let pictures: Vec<_> = pictures.filter_map(large).collect();
        let image = pictures.first().cloned().or_else(|| large(product));
        let in_stock = product["quantity"].as_u64().is_some_and(|pieces| pieces > 0);
        let availability = if in_stock { "InStock" } else { "OutOfStock" };
        let mut data = json!({
            "@context": "https://schema.org", "@type": "Product",
            "name": product["productName"], "description": product["description"], "category": product["category"],
            "image": pictures, "url": address,
            "offers": {
                "@type": "Offer", "url": address, "price": product["productPrice"].to_string(),
                "priceCurrency": product["currency"], "availability": format!("https://schema.org/{availability}"),
            },
        });
        if product["sku"].is_string() {
            data["sku"] = product["sku"].clone();
        }
        if product["rating"]["count"].as_u64().is_some_and(|count| count > 0) {
            data["aggregateRating"] = json!({
                "@type": "AggregateRating", "ratingValue": product["rating"]["average"],
                "reviewCount": product["rating"]["count"],
            });
        }
        Self {
            title: text("productName"),
            description: text("description").as_deref().map(short),
            image,
            address: Some(address),
            kind: "product",
            data: Some(data),
        }
    }

    /// A store, as the API shows it to everyone (`GET /stores/{id}`).
    pub(crate) fn of_store(store: &Value, address: String) -> Self {
        let text = |name: &str| store[name].as_str().map(str::to_owned);
        let image = text("bannerUrl").or_else(|| text("logoUrl"));
        let mut data = json!({ "@context": "https://schema.org", "@type": "Store", "name": store["name"], "url": address });
        for (name, of) in [
            ("description", "description"),
            ("logo", "logoUrl"),
            ("image", "bannerUrl"),
            ("email", "supportEmail"),
        ] {
            if store[of].is_string() {
                data[name] = store[of].clone();
            }
        }
        Self {
            title: text("name"),
            description: text("description").as_deref().map(short),
            image,
            address: Some(address),
            kind: "profile",
            data: Some(data),
        }
    }

    /// A category of the shop.
    pub(crate) fn of_category(category: &Value, address: String) -> Self {
        let name = &category["categoryName"];
        let data = json!({ "@context": "https://schema.org", "@type": "CollectionPage", "name": name, "url": address });
        Self {
            title: name.as_str().map(str::to_owned),
            description: None,
            image: large(category),
            address: Some(address),
            kind: "website",
            data: Some(data),
        }
    }

    /// The front of the shop.
    pub(crate) fn of_home(shop: &str, address: String) -> Self {
        let data = json!({
            "@context": "https://schema.org", "@type": "WebSite", "name": shop, "url": address,
            "potentialAction": {
                "@type": "SearchAction", "target": format!("{address}/search?q={{search_term_string}}"),
                "query-input": "required name=search_term_string",
            },
        });
        Self { address: Some(address), kind: "website", data: Some(data), ..Self::default() }
    }

    /// The title with the shop's name, as text.
    pub(crate) fn title(&self, shop: &str) -> String {
        self.title.as_ref().map_or_else(|| shop.to_owned(), |title| format!("{title} · {shop}"))
    }

    /// The elements of the head, as HTML.
    pub(crate) fn html(&self, shop: &str) -> String {
        let Some(address) = &self.address else { return "<meta name=\"robots\" content=\"noindex\">".into() };
        let mut lines = vec![
            format!("<link rel=\"canonical\" href=\"{}\">", escaped(address)),
            format!("<meta property=\"og:site_name\" content=\"{}\">", escaped(shop)),
            format!(
                "<meta property=\"og:title\" content=\"{}\">",
                escaped(self.title.as_deref().unwrap_or(shop))
            ),
            format!("<meta property=\"og:type\" content=\"{}\">", self.kind),
            format!("<meta property=\"og:url\" content=\"{}\">", escaped(address)),
        ];
        if let Some(description) = &self.description {
            lines.push(format!("<meta name=\"description\" content=\"{}\">", escaped(description)));
            lines.push(format!("<meta property=\"og:description\" content=\"{}\">", escaped(description)));
        }
        if let Some(image) = &self.image {
            lines.push(format!("<meta property=\"og:image\" content=\"{}\">", escaped(image)));
        }
        if let Some(data) = &self.data {
            lines.push(format!("<script type=\"application/ld+json\">{}</script>", embedded(data)));
        }
        lines.join("\n")
    }
}

/// The largest size of what has pictures.
fn large(of: &Value) -> Option<String> {
    let url = of["images"]["large"].as_str().or_else(|| of["imageUrl"].as_str());
    url.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "</script><img src=x onerror=\"alert('1')\">";

    fn product() -> Value {
        json!({
            "productName": HOSTILE, "description": format!("{HOSTILE}\nA second line."), "productPrice": 14.5, "currency": "USD",
            "quantity": 0, "category": "Home", "sku": "MUG-1", "imageUrl": "https://cdn.example/a.png",
            "pictures": [{ "imageUrl": "https://cdn.example/a.png", "images": { "large": "https://cdn.example/l.webp" } }],
            "rating": { "average": 4.5, "count": 2 },
        })
    }

    #[test]
    fn a_product_tells_what_it_costs_and_whether_it_is_there() {
        let head = Head::of_product(&product(), "https://shop.example/products/1".into());
        let data = head.data.clone().unwrap();
        assert_eq!(data["offers"]["price"], "14.5");
        assert_eq!(data["offers"]["availability"], "https://schema.org/OutOfStock");
        assert_eq!((&data["sku"], &data["aggregateRating"]["reviewCount"]), (&json!("MUG-1"), &json!(2)));
        assert_eq!(head.image.as_deref(), Some("https://cdn.example/l.webp"));
    }

    #[test]
    fn no_text_gets_out_of_where_it_stands() {
        let head = Head::of_product(&product(), "https://shop.example/products/1".into());
        let html = head.html("A \"shop\"");
        assert!(!html.contains("<img") && html.matches("</script>").count() == 1, "{html}");
        assert!(
            html.contains("content=\"A &quot;shop&quot;\"") && html.contains(r"\u003c/script>\u003cimg"),
            "{html}"
        );
        let data = html.split_once("ld+json\">").unwrap().1.split_once("</script>").unwrap().0;
        assert_eq!(serde_json::from_str::<Value>(data).unwrap()["name"], HOSTILE);
        for line in html.lines().filter(|line| line.starts_with("<meta") || line.starts_with("<link")) {
            assert_eq!((line.matches('<').count(), line.matches('"').count() % 2), (1, 0), "{line}");
        }
    }

    #[test]
    fn a_store_a_category_and_the_shop_are_found_and_what_is_somebodys_own_is_not() {
        let store = Head::of_store(
            &json!({ "name": "Hearth", "logoUrl": "https://cdn.example/l.png" }),
            "https://s/1".into(),
        );
        assert_eq!(
            (store.image.as_deref(), &store.data.unwrap()["@type"]),
            (Some("https://cdn.example/l.png"), &json!("Store"))
        );
        let category = Head::of_category(&json!({ "categoryName": "Tea" }), "https://s/2".into());
        assert_eq!(category.title("Shop"), "Tea · Shop");
        assert!(
            Head::of_home("Shop", "https://s".into())
                .html("Shop")
                .contains("https://s/search?q={search_term_string}")
        );
        assert_eq!(Head::default().html("Shop"), "<meta name=\"robots\" content=\"noindex\">");
    }

    #[test]
    fn a_long_description_ends_at_a_word() {
        let text = short(&"word ".repeat(100));
        assert!(text.chars().count() <= DESCRIPTION + 1 && text.ends_with("word…"), "{text}");
        assert_eq!(short(" two\n lines "), "two lines");
    }
}
