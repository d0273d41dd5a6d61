//! Which view an address is, as `site/shop/main.js` has them.

/// What a page of the shop is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum View {
    /// The front of the shop.
    Home,
    /// A category, by its name.
    Category(String),
    /// A product, by what stands for its id.
    Product(String),
    /// A store, by what stands for its id.
    Store(String),
    /// What is the same for everyone, and may be found.
    Public,
    /// What is somebody's own, or different for each: nothing for search engines.
    Own,
}

impl View {
    /// The view behind `/shop`; `None` where there is none.
    pub(crate) fn of(path: &str) -> Option<Self> {
        let parts: Vec<_> = path.split('/').filter(|part| !part.is_empty()).collect();
        Some(match parts[..] {
            [] => Self::Home,
            ["categories", name] => Self::Category(decoded(name)?),
            ["products", id] => Self::Product(id.to_owned()),
            ["stores", id] if id != "mine" => Self::Store(id.to_owned()),
            ["stores" | "terms" | "privacy" | "withdrawal" | "imprint"] => Self::Public,
            [
                "search" | "cart" | "checkout" | "orders" | "find-order" | "inbox" | "account" | "sell"
                | "sign-in" | "sign-up" | "confirm" | "forgot-password",
            ]
            | ["orders" | "guest-orders" | "account", _]
            | ["stores", "mine"]
            | ["sell", "products" | "orders" | "store"]
            | ["sell", "products" | "orders", _] => Self::Own,
            _ => return None,
        })
    }
}

impl View {
    /// What the browser needs besides what all pages do, so that it asks for it at once.
    pub(crate) fn modules(&self) -> &'static [&'static str] {
        match self {
            Self::Home => &["shop/home.js", "shop/parts.js", "shop/words.en.js"],
            Self::Category(_) => &["shop/listing.js", "shop/parts.js", "shop/words.en.js"],
            Self::Product(_) => &["common/form.js", "shop/parts.js", "shop/product.js", "shop/words.en.js"],
            Self::Store(_) => &["shop/parts.js", "shop/store.js", "shop/words.en.js"],
            Self::Public | Self::Own => &["shop/words.en.js"],
        }
    }
}

/// A part of a path without its percent signs (RFC 3986, section 2.1); `None` where it is no UTF-8.
fn decoded(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next()?, rest.next()?];
        bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_view_of_the_script_is_one_here_and_the_reverse() {
        let script = include_str!("../site/shop/main.js");
        let patterns = script.lines().filter_map(|line| line.trim().strip_prefix("[\"/")?.split('"').next());
        let mut count = 0;
        for pattern in patterns {
            let path = pattern.replace(":id", "01a1f83a-c81e-73c6-9369-b8a11a6916c7").replace(":name", "Tea");
            assert!(View::of(&path.replace(":part", "profile")).is_some(), "{pattern}");
            count += 1;
        }
        assert!(count > 20, "only {count}");
        for path in [
            "/wp-admin",
            "/products",
            "/products/1/2",
            "/sell/nothing",
            "/categories",
            "/categories/%",
            "/categories/%ff",
        ] {
            assert_eq!(View::of(path), None, "{path}");
        }
    }

    #[test]
    fn a_category_is_called_as_it_is() {
        assert_eq!(
            View::of("/categories/T%C3%A9%20%26%20caf%C3%A9/"),
            Some(View::Category("Té & café".into()))
        );
        assert_eq!(View::of("/"), Some(View::Home));
        assert_eq!(View::of("/stores/mine"), Some(View::Own));
    }
}
