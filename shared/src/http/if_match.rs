//! `If-Match` (RFC 9110 §13.1.1): whoever changes a thing says which version of it they saw, so that nobody writes over
//! what they have not seen.
//!
//! A thing with versions has the `ETag` `"{version}-{hash of the body}"`. What is compared is the version alone: the
//! rest says which bytes went out, and those change without a version where a product's stock does.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::problem::{FieldError, Problem};
use super::representation::elements;
use crate::dynamo::number;

/// As many as DynamoDB compares with at once, but the one that nothing has.
const MOST: usize = 99;

/// No item has it: the versions in tables begin with 1.
const NO_VERSION: u32 = 0;

/// Which versions of a thing a request is about. The binary says `.conditional()` of a route whose handler takes it;
/// every other route refuses what could not be heeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    /// Whichever there is: the header is absent, or `*`.
    Any,
    /// One of these, which the strong tags begin with. A weak tag, or one that is not ours, names none.
    Versions(BTreeSet<u32>),
}

impl IfMatch {
    /// What the headers say.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        if !headers.contains_key(header::IF_MATCH) {
            return Self::Any;
        }
        let tags: Vec<_> = elements(headers, header::IF_MATCH).collect();
        if tags == ["*"] {
            Self::Any
        } else {
            Self::Versions(tags.into_iter().filter_map(version_in).collect())
        }
    }

    /// Whether it is about this version.
    pub fn allows(&self, version: u32) -> bool {
        match self {
            Self::Any => true,
            Self::Versions(versions) => versions.contains(&version),
        }
    }

    /// The same as a condition on an item's `version`, with its values.
    pub fn condition(&self) -> Option<(String, HashMap<String, AttributeValue>)> {
        let Self::Versions(versions) = self else { return None };
        // A list must not be empty.
        let versions = versions.iter().copied().chain([NO_VERSION]).enumerate();
        let values: Vec<_> =
            versions.map(|(index, version)| (format!(":v{index}"), number(version))).collect();
        let names: Vec<_> = values.iter().map(|(name, _)| name.as_str()).collect();
        Some((format!("version IN ({})", names.join(", ")), values.into_iter().collect()))
    }
}

/// The version in one of our strong tags: `"7-kPUmu2ELXxoS7M3Oq3mfHg"`, or `"7"` for short.
fn version_in(tag: &str) -> Option<u32> {
    let opaque = tag.strip_prefix('"')?.strip_suffix('"')?;
    let digits = opaque.split('-').next()?;
    // As we write it, without a sign or a zero before it.
    digits.parse().ok().filter(|version: &u32| version.to_string() == digits)
}

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match Self::of(&parts.headers) {
            Self::Versions(versions) if versions.len() > MOST => {
                let fault = FieldError::parameter("If-Match", format!("may name at most {MOST} versions"));
                Err(Problem::invalid_input(vec![fault]))
            }
            asked => Ok(asked),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn asking(lines: &[&'static str]) -> IfMatch {
        let lines = lines.iter().map(|line| (header::IF_MATCH, HeaderValue::from_static(line)));
        IfMatch::of(&lines.collect())
    }

    #[test]
    fn a_version_is_named_by_a_strong_tag_of_ours_in_any_place_of_the_list() {
        for lines in [
            &[r#""7-kPUmu2ELXxoS7M3Oq3mfHg""#][..],
            &[r#""7-kPUmu2ELXxoS7M3Oq3mfHg-gz""#],
            &[r#""7""#],
            &[r#""3-a", "7-b""#],
            &[r#""3-a""#, r#""7-b""#],
            &[r#"nonsense, "a,b" ,"7-b""#],
        ] {
            assert!(asking(lines).allows(7), "{lines:?}");
            assert!(!asking(lines).allows(8), "{lines:?}");
        }
    }

    #[test]
    fn a_weak_tag_or_one_of_others_names_no_version() {
        for lines in [
            &[r#"W/"7-kPUmu2ELXxoS7M3Oq3mfHg""#][..],
            &["7-a"],
            &[r#""7-a"#],
            &[r#""07-a""#],
            &[r#""+7-a""#],
            &[r#""-7-a""#],
            &[r#""seven""#],
            &[r#""99999999999999999999-a""#],
            &[""],
            &[r#"*, "3-a""#],
        ] {
            assert!(!asking(lines).allows(7), "{lines:?}");
        }
    }

    #[test]
    fn without_the_header_or_with_a_star_any_version_will_do() {
        assert_eq!((asking(&[]), asking(&["*"])), (IfMatch::Any, IfMatch::Any));
        assert_eq!(IfMatch::Any.condition(), None);
    }

    #[test]
    fn a_condition_has_a_value_even_where_nothing_matches() {
        let condition = |lines: &[&'static str]| asking(lines).condition().unwrap();
        assert_eq!(condition(&["nonsense"]).0, "version IN (:v0)");
        let (text, values) = condition(&[r#""3-a", "7-b""#]);
        assert_eq!(text, "version IN (:v0, :v1, :v2)");
        assert_eq!((&values[":v0"], &values[":v1"], &values[":v2"]), (&number(3), &number(7), &number(0)));
    }
}
