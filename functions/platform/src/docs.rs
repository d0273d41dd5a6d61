//! The API's contract and the page that shows it. All of it is in the binary: no CDN, and no network but the API
//! itself.
//!
//! Where the viewer comes from, and how it is renewed: `infra/api/docs/README.md`.

use shared::http::File;

/// What the page may do: load its own scripts and styles from here, show the pictures that are in them, and call this
/// API. Nothing inline, nothing evaluated, nobody else.
/// <https://www.w3.org/TR/CSP3/>
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

macro_rules! gzip {
    ($name:literal) => {
        include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".gz"))
    };
}

/// The file at a path, if there is one.
pub fn file(path: &str) -> Option<File> {
    let file = |media_type, gzip, immutable| Some(File { media_type, gzip, immutable, policy: None });
    match path {
        "/openapi.json" => file("application/json", gzip!("openapi.json"), false),
        "/docs" => Some(File {
            media_type: "text/html; charset=utf-8",
            gzip: gzip!("docs.html"),
            immutable: false,
            policy: Some(POLICY),
        }),
        "/docs/docs.css" => file("text/css; charset=utf-8", gzip!("docs.css"), false),
        "/docs/docs.js" => file("text/javascript; charset=utf-8", gzip!("docs.js"), false),
        "/docs/swagger-ui-5.35.0.css" => file("text/css; charset=utf-8", gzip!("swagger-ui.css"), true),
        "/docs/swagger-ui-5.35.0.js" => {
            file("text/javascript; charset=utf-8", gzip!("swagger-ui-bundle.js"), true)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(path: &str) -> String {
        let file = file(path).unwrap_or_else(|| panic!("{path} is not there"));
        std::io::read_to_string(flate2::read::GzDecoder::new(file.gzip)).unwrap()
    }

    #[test]
    fn the_page_names_only_files_that_are_there_and_has_nothing_inline() {
        let page = text("/docs");
        let named: Vec<_> = page.split(['"']).filter(|part| part.starts_with("docs/")).collect();
        assert_eq!(named.len(), 4, "{named:?}");
        for name in named {
            assert!(file(&format!("/{name}")).is_some(), "{name}");
        }
        assert!(!page.contains("<style") && !page.contains("style=") && !page.contains(" on"), "{page}");
        assert!(page.split("<script").skip(1).all(|script| script.contains(" src=\"docs/")), "{page}");
        assert!(!page.contains("://"), "the page names another host: {page}");
    }

    #[test]
    fn what_may_be_kept_for_a_year_has_its_version_in_its_name() {
        for path in ["/docs/swagger-ui-5.35.0.css", "/docs/swagger-ui-5.35.0.js"] {
            assert!(file(path).unwrap().immutable);
        }
        assert!(text("/docs/swagger-ui-5.35.0.js").contains("5.35.0"));
        assert!(!file("/docs/docs.js").unwrap().immutable);
    }

    #[test]
    fn the_contract_is_json_in_the_order_it_was_written() {
        let json = text("/openapi.json");
        let contract: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(contract["openapi"], "3.1.0");
        assert_eq!(contract["info"]["version"], env!("CARGO_PKG_VERSION"));
        assert!(json.starts_with(r#"{"openapi":"3.1.0","info":{"title":"#), "{}", &json[..80]);
        assert_eq!(
            contract["components"]["schemas"]["NewProduct"]["properties"]["productPrice"]["minimum"],
            0.01
        );
    }

    #[test]
    fn nothing_else_is_there() {
        for path in ["/docs/", "/docs/../openapi.json", "/docs/README.md", "/openapi.yaml", ""] {
            assert_eq!(file(path), None, "{path}");
        }
    }
}
