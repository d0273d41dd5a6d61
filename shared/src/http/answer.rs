//! What a handler answers: JSON, nothing, or a file that is part of the binary.

use std::fmt;

use axum::body::Body as HttpBody;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::representation::{NextCursor, Version};
use crate::dynamo::list::Page;
use crate::guards::Once;

/// For what is the same for everyone: half a minute fresh, and at most a minute longer while a cache asks again.
pub(crate) static PUBLIC: HeaderValue =
    HeaderValue::from_static("public, max-age=30, stale-while-revalidate=60");

/// A JSON answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T> {
    status: StatusCode,
    location: Option<String>,
    next_cursor: Option<String>,
    version: Option<u32>,
    replayed: bool,
    cacheable: bool,
    header: Option<(&'static str, String)>,
    body: T,
}

impl<T> Answer<T> {
    /// 200.
    pub fn ok(body: T) -> Self {
        Self {
            status: StatusCode::OK,
            location: None,
            next_cursor: None,
            version: None,
            replayed: false,
            cacheable: false,
            header: None,
            body,
        }
    }

    /// 200 with a page of a list; `Link` says where the next one is.
    pub fn page<E>(page: Page<E>) -> Self
    where
        T: From<Page<E>>,
    {
        let next_cursor = page.next_cursor.clone();
        Self { next_cursor, ..Self::ok(page.into()) }
    }

    /// The same with more than the page in its body.
    pub fn page_with<E>(page: Page<E>, body: impl FnOnce(Page<E>) -> T) -> Self {
        let next_cursor = page.next_cursor.clone();
        Self { next_cursor, ..Self::ok(body(page)) }
    }

    /// With where the page after this one is (`Link`), for a list that has more than its entries.
    #[must_use]
    pub fn followed_by(self, next_cursor: Option<String>) -> Self {
        Self { next_cursor, ..self }
    }

    /// 201.
    pub fn created(body: T) -> Self {
        Self { status: StatusCode::CREATED, ..Self::ok(body) }
    }

    /// 202: it will be done.
    pub fn accepted(body: T) -> Self {
        Self { status: StatusCode::ACCEPTED, ..Self::ok(body) }
    }

    /// With where the new thing is (`Location`).
    #[must_use]
    pub fn at(self, location: impl fmt::Display) -> Self {
        Self { location: Some(location.to_string()), ..self }
    }

    /// Of this version of a thing, so that its `ETag` is strong and what `If-Match` takes.
    #[must_use]
    pub fn version(self, version: u32) -> Self {
        Self { version: Some(version), ..self }
    }

    /// The same for everyone, so that browsers and CDNs may keep it for a moment. Without this nobody keeps an answer.
    #[must_use]
    pub fn cacheable(self) -> Self {
        Self { cacheable: true, ..self }
    }

    /// With a header of its service's own. A page of another origin reads it only where the template exposes it.
    #[must_use]
    pub fn header(self, name: &'static str, value: impl Into<String>) -> Self {
        Self { header: Some((name, value.into())), ..self }
    }

    /// 200, with `Idempotent-Replayed: true` where this answer was given before.
    pub fn once(answer: Once<T>) -> Self {
        let (body, replayed) = answer.into_parts();
        Self { replayed, ..Self::ok(body) }
    }

    /// 202, with `Idempotent-Replayed: true` where this answer was given before.
    pub fn accepted_once(answer: Once<T>) -> Self {
        Self { status: StatusCode::ACCEPTED, ..Self::once(answer) }
    }

    /// 201, with `Idempotent-Replayed: true` where this answer was given before.
    pub fn created_once(answer: Once<T>) -> Self {
        Self { status: StatusCode::CREATED, ..Self::once(answer) }
    }
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        let mut response = (self.status, axum::Json(self.body)).into_response();
        let location = self.location.and_then(|location| HeaderValue::try_from(location).ok());
        if let Some(location) = location {
            response.headers_mut().insert(header::LOCATION, location);
        }
        if let Some((name, value)) = self.header
            && let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value))
        {
            response.headers_mut().insert(name, value);
        }
        if self.cacheable {
            response.headers_mut().insert(header::CACHE_CONTROL, PUBLIC.clone());
        }
        if let Some(cursor) = self.next_cursor {
            response.extensions_mut().insert(NextCursor(cursor));
        }
        if let Some(version) = self.version {
            response.extensions_mut().insert(Version(version));
        }
        if self.replayed {
            let name = HeaderName::from_static("idempotent-replayed");
            response.headers_mut().insert(name, HeaderValue::from_static("true"));
        }
        response
    }
}

/// 204: it is done, and there is nothing to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoContent;

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

/// 200 with a page in HTML that was made for this request. It may load nothing; whoever makes it escapes what it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Html(pub String);

impl IntoResponse for Html {
    fn into_response(self) -> Response {
        axum::response::Html(self.0).into_response()
    }
}

/// A page or a text that was made for this request and is the same for everyone, so that it may be kept for a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its `Content-Type`.
    pub media_type: &'static str,
    /// Whoever makes it escapes what it shows.
    pub body: String,
    /// The `Content-Security-Policy` of a page that loads something; without one, a page may load nothing.
    pub policy: Option<String>,
    /// 200, or 404 for a page that says so.
    pub is_there: bool,
}

impl Document {
    /// A text that loads nothing.
    pub fn text(media_type: &'static str, body: String) -> Self {
        Self { media_type, body, policy: None, is_there: true }
    }
}

impl IntoResponse for Document {
    fn into_response(self) -> Response {
        let mut response = HttpBody::from(self.body).into_response();
        if !self.is_there {
            *response.status_mut() = StatusCode::NOT_FOUND;
        }
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        if self.is_there {
            headers.insert(header::CACHE_CONTROL, PUBLIC.clone());
        }
        if let Some(policy) = self.policy.and_then(|policy| HeaderValue::try_from(policy).ok()) {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
            // No other page holds this one by its window.
            let opener = HeaderName::from_static("cross-origin-opener-policy");
            headers.insert(opener, HeaderValue::from_static("same-origin"));
        }
        response
    }
}

/// What a function answers that has files and makes documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Served {
    /// One of its files.
    File(File),
    /// What it made.
    Document(Document),
}

impl IntoResponse for Served {
    fn into_response(self) -> Response {
        match self {
            Self::File(file) => file.into_response(),
            Self::Document(document) => document.into_response(),
        }
    }
}

/// 200 with a file that is part of the binary, kept there as gzip (RFC 1952). It goes out as it is, or unpacked for a
/// client that does not take gzip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct File {
    /// Its `Content-Type`.
    pub media_type: &'static str,
    /// Its bytes, as gzip.
    pub gzip: &'static [u8],
    /// Whether its path is never another file's, so that it may be kept for a year (RFC 8246).
    pub immutable: bool,
    /// The `Content-Security-Policy` of a page that loads something; without one, a page may load nothing.
    pub policy: Option<&'static str>,
}

impl IntoResponse for File {
    fn into_response(self) -> Response {
        let kept = if self.immutable {
            HeaderValue::from_static("public, max-age=31536000, immutable")
        } else {
            PUBLIC.clone()
        };
        let mut response = HttpBody::from(self.gzip).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        headers.insert(header::CACHE_CONTROL, kept);
        if let Some(policy) = self.policy {
            headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
        }
        response
    }
}
