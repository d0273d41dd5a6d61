//! How an answer to a read goes out: not at all when the client has it already (`ETag` and 304) or wants another
//! version (`If-Match` and 412), small when it takes gzip, without its body for `HEAD`, and with where the list goes on
//! (`Link`). RFC 9110, RFC 8288.

use std::convert::Infallible;
use std::io::{Read, Write};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use super::if_match::IfMatch;
use super::problem::Problem;

/// Below this many bytes gzip saves nothing that a network would notice.
const WORTH_GZIP: usize = 1024;

/// Put on a page's answer: the cursor of the page that follows.
#[derive(Debug, Clone)]
pub(super) struct NextCursor(pub String);

/// Put on the answer to a read of a thing that has versions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Version(pub u32);

/// Answers a read in the form that suits its client. Other methods pass as they are.
pub(super) async fn choose(mut request: Request, next: Next) -> Result<Response, Infallible> {
    let is_head = *request.method() == Method::HEAD;
    if is_head {
        *request.method_mut() = Method::GET;
    } else if *request.method() != Method::GET {
        return Ok(next.run(request).await);
    }
    let asked = request.headers().clone();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let mut response = next.run(request).await;
    if let Some(NextCursor(cursor)) = response.extensions_mut().remove()
        && let Some(link) = link_to_next(&query, &cursor)
    {
        response.headers_mut().insert(header::LINK, link);
    }
    if response.status() == StatusCode::OK {
        response = represent(response, &asked).await;
    }
    if is_head {
        *response.body_mut() = Body::empty();
    }
    Ok(response)
}

async fn represent(response: Response, asked: &HeaderMap) -> Response {
    let (mut parts, body) = response.into_parts();
    let version = parts.extensions.remove();
    let wanted = IfMatch::of(asked);
    // By strong comparison a weak tag matches none.
    if !version.map_or(wanted == IfMatch::Any, |Version(version)| wanted.allows(version)) {
        return Problem::another_version("thing").into_response();
    }
    // Our own JSON, which is whole in memory: reading it does not fail.
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let is_small = parts.headers.contains_key(header::CONTENT_ENCODING);
    let goes_small = takes_gzip(asked) && (is_small || body.len() >= WORTH_GZIP);
    let hash = URL_SAFE_NO_PAD.encode(&Sha256::digest(&body)[..16]);
    let (weak, tag) = match version {
        Some(Version(version)) => ("", format!("{version}-{hash}{}", if goes_small { "-gz" } else { "" })),
        // Weak, because it is the same with and without gzip.
        None => ("W/", hash),
    };
    if let Ok(tag) = HeaderValue::try_from(format!("{weak}\"{tag}\"")) {
        parts.headers.insert(header::ETAG, tag);
    }
    parts.headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if has_already(asked, &tag) {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, Body::empty());
    }
    let other_form = match (is_small, goes_small) {
        (true, false) => gunzipped(&body),
        (false, true) => gzipped(&body),
        _ => return Response::from_parts(parts, Body::from(body)),
    };
    let Ok(other_form) = other_form else { return Response::from_parts(parts, Body::from(body)) };
    parts.headers.remove(header::CONTENT_LENGTH);
    if is_small {
        parts.headers.remove(header::CONTENT_ENCODING);
    } else {
        parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Response::from_parts(parts, Body::from(other_form))
}

/// Whether `If-None-Match` names this tag, by weak comparison, or anything (`*`).
fn has_already(asked: &HeaderMap, tag: &str) -> bool {
    elements(asked, header::IF_NONE_MATCH).any(|known| {
        let opaque = known.strip_prefix("W/").unwrap_or(known);
        known == "*" || opaque.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) == Some(tag)
    })
}

/// Whether `Accept-Encoding` names gzip, or anything (`*`), with a weight above zero.
fn takes_gzip(asked: &HeaderMap) -> bool {
    let weight_of = |coding: &str| {
        elements(asked, header::ACCEPT_ENCODING).find_map(|element| {
            let (name, parameter) = element.split_once(';').unwrap_or((element, ""));
            let weight = parameter.trim().strip_prefix("q=").unwrap_or("1").parse::<f32>();
            name.trim().eq_ignore_ascii_case(coding).then_some(weight.unwrap_or(0.0))
        })
    };
    weight_of("gzip").or_else(|| weight_of("*")).is_some_and(|weight| weight > 0.0)
}

/// The elements of a list header, over all its lines.
pub(super) fn elements(headers: &HeaderMap, name: header::HeaderName) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

fn gzipped(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 2), Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}

fn gunzipped(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut plain = Vec::with_capacity(body.len() * 4);
    GzDecoder::new(body).read_to_end(&mut plain)?;
    Ok(plain)
}

/// The same list with the next cursor, as a reference relative to the request: it holds behind any domain and path.
fn link_to_next(query: &str, cursor: &str) -> Option<HeaderValue> {
    let kept = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "cursor");
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(kept)
        .append_pair("cursor", cursor)
        .finish();
    HeaderValue::try_from(format!("<?{query}>; rel=\"next\"")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(name: &header::HeaderName, values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn a_tag_is_known_in_any_place_of_the_list() {
        for known in [&["W/\"a\""][..], &["\"a\""], &["\"b\", W/\"a\""], &["\"b\"", "\"a\""], &["*"]] {
            assert!(has_already(&asking(&header::IF_NONE_MATCH, known), "a"), "{known:?}");
        }
        for other in [&["W/\"b\""][..], &["a"], &["\"a"], &["\"\""], &[""], &[]] {
            assert!(!has_already(&asking(&header::IF_NONE_MATCH, other), "a"), "{other:?}");
        }
    }

    #[test]
    fn gzip_is_taken_when_it_or_anything_is_asked_for() {
        for asked in ["gzip", "br, gzip", "GZIP;q=0.5", "deflate, *", "gzip;q=1.0, identity; q=0.5"] {
            assert!(takes_gzip(&asking(&header::ACCEPT_ENCODING, &[asked])), "{asked}");
        }
        for asked in ["", "br", "identity", "gzip;q=0", "gzip;q=0, *", "*;q=0", "gzip;q=x", "x-gzip"] {
            assert!(!takes_gzip(&asking(&header::ACCEPT_ENCODING, &[asked])), "{asked}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    #[test]
    fn the_link_keeps_what_was_asked_for() {
        let link = |query| link_to_next(query, "abc").unwrap();
        assert_eq!(link(""), "<?cursor=abc>; rel=\"next\"");
        assert_eq!(link("limit=2&cursor=old"), "<?limit=2&cursor=abc>; rel=\"next\"");
        assert_eq!(
            link("category=Tea%20%26%20%22more%22%3E&limit=2"),
            "<?category=Tea+%26+%22more%22%3E&limit=2&cursor=abc>; rel=\"next\""
        );
    }
}
