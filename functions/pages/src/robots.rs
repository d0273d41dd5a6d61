//! What search engines may look at, and where they begin: <https://www.rfc-editor.org/rfc/rfc9309>,
//! <https://www.sitemaps.org/protocol.html>.

use std::fmt::Write;

use crate::head::escaped;

/// `robots.txt` of a shop at this URL.
pub(crate) fn robots(shop: &str, api: &str) -> String {
    let own =
        ["account", "cart", "checkout", "guest-orders", "inbox", "orders", "sell", "sign-in", "sign-up"];
    let lines: String = own.iter().map(|view| format!("Disallow: /shop/{view}\n")).collect();
    let sitemap = if shop.is_empty() { String::new() } else { format!("\nSitemap: {api}/sitemap.xml\n") };
    format!("User-agent: *\nAllow: /shop\n{lines}Disallow: /admin\n{sitemap}")
}

/// `sitemap.xml` with these addresses.
pub(crate) fn sitemap(addresses: &[String]) -> String {
    let urls: String =
        addresses.iter().map(|address| format!("<url><loc>{}</loc></url>\n", escaped(address))).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n{urls}</urlset>\n"
    )
}

/// A part of a path as it stands in an address (RFC 3986, section 2.3).
pub(crate) fn encoded(part: &str) -> String {
    let mut text = String::with_capacity(part.len());
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing into a text does not fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_somebodys_own_is_not_looked_at() {
        let text = robots("https://shop.example/shop", "https://shop.example");
        assert!(
            text.contains("\nDisallow: /shop/orders\n") && text.contains("\nDisallow: /admin\n"),
            "{text}"
        );
        assert!(text.ends_with("\nSitemap: https://shop.example/sitemap.xml\n"), "{text}");
    }

    #[test]
    fn addresses_are_as_the_standard_wants_them() {
        let address = format!("https://shop.example/categories/{}", encoded("Té & <cafés>"));
        assert_eq!(address, "https://shop.example/categories/T%C3%A9%20%26%20%3Ccaf%C3%A9s%3E");
        assert!(
            sitemap(&[address])
                .contains("<loc>https://shop.example/categories/T%C3%A9%20%26%20%3Ccaf%C3%A9s%3E</loc>")
        );
        assert!(sitemap(&["https://a?b&c".into()]).contains("b&amp;c"));
    }
}
