//! What `/local` shows of the repository itself: its documents, and the previews of emails.

use std::fs;
use std::path::Path;

use axum::extract;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::cloud::root;
use crate::proxy::nothing_here;

/// What the emails look like, as a test of `notifications` keeps it.
const PREVIEWS: &str = "functions/notifications/previews";

/// A preview is strangers' text, like the mail itself.
const PREVIEW_POLICY: &str = "sandbox allow-popups; default-src 'none'; style-src 'unsafe-inline'";

/// The emails' previews, by name: `[{name, text, html}]`. What Cognito sends has no text.
pub(crate) async fn previews() -> Response {
    let folder = root().join(PREVIEWS);
    let names = names_in(&folder, ".html");
    let read = |name: &str, ending: &str| fs::read_to_string(folder.join(format!("{name}{ending}"))).ok();
    let preview =
        |name: &String| json!({ "name": name, "text": read(name, ".txt"), "html": read(name, ".html") });
    axum::Json(Value::Array(names.iter().map(preview).collect())).into_response()
}

/// A preview on its own.
pub(crate) async fn preview(extract::Path(file): extract::Path<String>) -> Response {
    let folder = root().join(PREVIEWS);
    for (ending, kind) in [(".html", "text/html; charset=utf-8"), (".txt", "text/plain; charset=utf-8")] {
        let is_there = names_in(&folder, ending).iter().any(|name| format!("{name}{ending}") == file);
        if is_there && let Ok(content) = fs::read(folder.join(&file)) {
            let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, PREVIEW_POLICY)];
            return (headers, content).into_response();
        }
    }
    nothing_here()
}

/// A document, as it is written.
pub(crate) async fn document(extract::Path(path): extract::Path<String>) -> Response {
    let found = documents().into_iter().find(|document| *document == path);
    match found.and_then(|document| fs::read(root().join(document)).ok()) {
        Some(content) => ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], content).into_response(),
        None => nothing_here(),
    }
}

/// Links to the documents, as HTML.
pub(crate) fn links() -> String {
    // Names of files in this repository: letters, digits, dots, hyphens and slashes.
    let links = documents().into_iter().filter(|path| !path.starts_with("docs/decisions/"));
    links.map(|path| format!("<a href=\"/local/documents/{path}\">{path}</a>\n")).collect()
}

/// The documents: `README.md`, `docs/local.md`.
fn documents() -> Vec<String> {
    let mut all = Vec::new();
    for folder in ["", "docs/", "docs/decisions/"] {
        let names = names_in(&root().join(folder), ".md");
        all.extend(names.into_iter().map(|name| format!("{folder}{name}.md")));
    }
    all
}

/// The names of a folder's files with this ending, without it.
fn names_in(folder: &Path, ending: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names =
        entries.filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(ending)?.to_owned()));
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::StatusCode;

    #[test]
    fn the_documents_are_those_of_the_repository() {
        let documents = documents();
        for document in ["README.md", "docs/local.md", "docs/decisions/0002-express-workflow.md"] {
            assert!(documents.iter().any(|one| one == document), "{document} is not in {documents:?}");
        }
        let links = links();
        assert!(links.contains("<a href=\"/local/documents/docs/local.md\">docs/local.md</a>"), "{links}");
        assert!(!links.contains("decisions"), "{links}");
    }

    #[tokio::test]
    async fn nothing_but_documents_and_previews_is_served() {
        for path in ["Cargo.toml", "../secret.md", "docs/../README.md", ".git/config", ""] {
            let answer = document(extract::Path(path.to_owned())).await;
            assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        }
        for file in ["../Cargo.toml", "../src/lib.rs", "nothing.html", ""] {
            let answer = preview(extract::Path(file.to_owned())).await;
            assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{file}");
        }
        let answer = preview(extract::Path("shipping-one-product.html".to_owned())).await;
        assert_eq!(answer.headers()[header::CONTENT_SECURITY_POLICY], PREVIEW_POLICY);
        assert_eq!(document(extract::Path("README.md".to_owned())).await.status(), StatusCode::OK);
    }
}
