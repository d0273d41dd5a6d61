//! What a page may do: run its own scripts, and nobody else's; show the shop's pictures; call this API and put pictures
//! where it says. <https://www.w3.org/TR/CSP3/>, <https://www.w3.org/TR/trusted-types/>.

/// Other origins that the shop consists of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Origins(String);

impl Origins {
    /// The origins of these URLs, with white space between them: scheme, host and port, each once. What is no URL is
    /// left out, so that nothing else gets into the policy.
    pub(crate) fn of(urls: &str) -> Self {
        let mut all: Vec<String> = Vec::new();
        for url in urls.split_whitespace() {
            let Some((scheme, rest)) = url.split_once("://") else { continue };
            let host = rest.split('/').next().unwrap_or_default();
            let is_host = |host: &str| {
                !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-:[]".contains(c))
            };
            let origin = format!("{scheme}://{host}");
            if matches!(scheme, "http" | "https" | "ws" | "wss") && is_host(host) && !all.contains(&origin) {
                all.push(origin);
            }
        }
        Self(all.iter().map(|origin| format!(" {origin}")).collect())
    }
}

/// The `Content-Security-Policy` of a page. `trusted-types 'none'` leaves no way to make HTML or code out of text.
pub(crate) fn policy(images: &Origins, connections: &Origins) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:{}; connect-src 'self'{}; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
         trusted-types 'none'",
        images.0, connections.0
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_loads_from_the_shop_alone() {
        let (images, connections) = (
            Origins::of(
                "https://cdn.example/pictures https://media.s3.us-east-1.amazonaws.com https://cdn.example",
            ),
            Origins::of("https://uploads.s3.us-east-1.amazonaws.com wss://push.example/v1"),
        );
        assert_eq!(
            policy(&images, &connections),
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https://cdn.example \
             https://media.s3.us-east-1.amazonaws.com; connect-src 'self' https://uploads.s3.us-east-1.amazonaws.com \
             wss://push.example; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for \
             'script'; trusted-types 'none'"
        );
    }

    #[test]
    fn nothing_but_origins_gets_into_the_policy() {
        for url in [
            "",
            "https://",
            "javascript:alert(1)",
            "https://a.example;script-src",
            "https://*",
            "'unsafe-inline'",
        ] {
            assert_eq!(Origins::of(url), Origins::default(), "{url}");
        }
        assert_eq!(
            Origins::of("http://pictures.example:8080/images"),
            Origins(" http://pictures.example:8080".into())
        );
    }
}
