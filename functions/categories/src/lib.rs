//! The shop's categories and their pictures. The rules are here and call nothing; [`store`] keeps them in DynamoDB.

pub mod announcing;
pub mod store;

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use shared::dynamo::list::Page;
use shared::http::input::{Field, Value};
use shared::media::{Images, Kind, NewPicture};
use shared::values::text::{self, Lines};
use shared::values::time::Timestamp;

pub use announcing::Announcing;
pub use store::Categories;

/// The pictures of categories.
pub const PICTURES: Kind = Kind::new("categories");

/// What a category is called, and what names it.
///
/// It stands in the path of `DELETE /categories/{name}`. API Gateway decodes a path before it passes it on, and cannot
/// pass on every character; and `.` and `..` are not names of anything in a path. So a name has none of these.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CategoryName(String);

impl CategoryName {
    const NOT_IN_PATHS: [char; 5] = ['/', '\\', '?', '#', '%'];

    /// Trims `text` and checks it; the error says what is wrong with it.
    ///
    /// # Errors
    /// The end of a sentence about the name.
    pub fn new(text: &str) -> Result<Self, String> {
        let name = text::checked(text, 1..=60, Lines::One)?;
        if name.contains(Self::NOT_IN_PATHS) {
            return Err(r"must not contain / \ ? # %".into());
        }
        if matches!(name.as_str(), "." | "..") {
            return Err("must not be only dots".into());
        }
        Ok(Self(name))
    }

    /// The name as a part of a key in S3, where every name is safe.
    pub fn key(&self) -> CategoryKey {
        CategoryKey(self.clone())
    }

    /// What the list is sorted by: people do not look for `books` behind `Tea`, nor for `Äpfel` behind `Zebra`. It has
    /// no capitals and no accents, as if the name were typed on the barest keyboard. Rules of one language, such as
    /// Swedish's `å` at the end, cannot be those of a list that all share.
    fn sort_key(&self) -> String {
        /// What DynamoDB takes for a sort key are 1 to 1,024 bytes, and some letters decompose into eighteen.
        const LONGEST: usize = 250;
        let key: String = text::folded(&self.0).chars().take(LONGEST).collect();
        // A name may be nothing but accents.
        if key.is_empty() { self.0.clone() } else { key }
    }
}

impl fmt::Display for CategoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Field for CategoryName {
    fn parse(value: Value) -> Result<Self, String> {
        Self::new(value.as_str().ok_or("must be a string")?)
    }
}

/// A name in a path: exactly that, so that one category has one path.
impl FromStr for CategoryName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = Self::new(text)?;
        if name.0 == text { Ok(name) } else { Err("must have no spaces around it".into()) }
    }
}

/// A category's name as a part of a key in S3: in base64url, without padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryKey(CategoryName);

impl CategoryKey {
    /// The name itself.
    pub fn name(&self) -> &CategoryName {
        &self.0
    }
}

impl fmt::Display for CategoryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(&self.0.0))
    }
}

impl FromStr for CategoryKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = URL_SAFE_NO_PAD.decode(text).map_err(|error| error.to_string())?;
        String::from_utf8(name).map_err(|error| error.to_string())?.parse().map(Self)
    }
}

shared::body!(
    /// A picture that an admin announces, and of which category.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct CategoryPicture {
        /// The picture.
        pub picture: NewPicture = ..,
        /// The category, be it new or not.
        pub category_name: CategoryName,
    }
);

/// A category that waits for its picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewCategory {
    category_name: CategoryName,
    sort_name: String,
    pending: &'static str,
    created_at: Timestamp,
    schema_version: u32,
}

/// The shape in which categories are written.
const SCHEMA_VERSION: u32 = 1;

impl NewCategory {
    /// What an admin asks for at `now`.
    pub fn new(category_name: CategoryName, now: Timestamp) -> Self {
        let sort_name = category_name.sort_key();
        Self {
            category_name,
            sort_name,
            pending: store::AWAITING_IMAGE,
            created_at: now,
            schema_version: SCHEMA_VERSION,
        }
    }
}

/// A category as everyone sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Category {
    category_name: CategoryName,
    image_url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    images: Option<Images>,
}

/// A page of categories. Seed 002 answers them as a bare array, so `Link` alone says where the next page is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct CategoryList(Vec<Category>);

impl From<Page<Category>> for CategoryList {
    fn from(page: Page<Category>) -> Self {
        Self(page.entries)
    }
}

/// What an admin gets for a category: where its picture goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadRequested {
    /// Takes one PUT with the picture and its content type, for 15 minutes.
    pub upload_url: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;
    use shared::http::input;

    fn name(text: &str) -> CategoryName {
        CategoryName::new(text).unwrap()
    }

    #[test]
    fn a_name_can_stand_in_a_path() {
        for good in ["fashion1", "Tea & more", "Бытовая техника", "4.5", "...", "a+b;c=d"] {
            assert_eq!(CategoryName::new(good).map(|name| name.to_string()), Ok(good.to_owned()));
        }
        for bad in ["", " ", ".", "..", "a/b", r"a\b", "a?b", "a#b", "100%", "a\nb", &"x".repeat(61)] {
            assert!(CategoryName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn one_category_has_one_path() {
        assert_eq!("Tea".parse(), Ok(name("Tea")));
        assert!(" Tea".parse::<CategoryName>().is_err());
        assert!("Tea  & more".parse::<CategoryName>().is_err());
    }

    #[test]
    fn the_longest_sort_key_fits() {
        assert!(name(&"\u{fdfa}".repeat(60)).sort_key().len() <= 1024);
    }

    #[test]
    fn names_are_sorted_as_people_sort() {
        let sorted_by_key = |mut names: Vec<&'static str>| {
            names.sort_by_key(|text| name(text).sort_key());
            names
        };
        let expected = [
            "Äpfel",
            "apple",
            "Banana",
            "Çay",
            "cups",
            "Œufs",
            "Øl",
            "olives",
            "straße",
            "Strasse 2",
            "Zebra",
            "еда",
            "Ёлки",
        ];
        assert_eq!(sorted_by_key(expected.into_iter().rev().collect()), expected);
        assert_eq!(name("ＴＥＡ ﬁne").sort_key(), "tea fine");
        assert_eq!(name("\u{301}\u{301}").sort_key(), "\u{301}\u{301}");
    }

    #[test]
    fn what_is_no_name_is_no_key() {
        for text in ["", "*", "VGVh=", "Li4", "_w", "IFRlYQ"] {
            assert!(text.parse::<CategoryKey>().is_err(), "{text}");
        }
        assert_eq!(name("Tea").key().to_string(), "VGVh");
    }

    proptest! {
        #[test]
        fn every_name_is_found_again_by_its_key(text in "\\PC{1,60}") {
            let Ok(name) = CategoryName::new(&text) else { return Ok(()) };
            let key = name.key().to_string();
            prop_assert!(key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
            prop_assert_eq!(key.parse(), Ok(name.key()));
        }

        #[test]
        fn every_name_can_be_sorted_by_dynamodb(text in "(\\PC|\u{301}|\u{fdfa}){1,60}") {
            let Ok(name) = CategoryName::new(&text) else { return Ok(()) };
            prop_assert!((1..=1024).contains(&name.sort_key().len()), "{} bytes", name.sort_key().len());
        }
    }

    #[test]
    fn a_category_waits_for_its_picture() {
        let new = NewCategory::new(name("Tea & More"), Timestamp::from_unix_millis(0));
        let item = json!({
            "categoryName": "Tea & More", "sortName": "tea & more", "pending": "image",
            "createdAt": "1970-01-01T00:00:00.000Z", "schemaVersion": 1,
        });
        assert_eq!(serde_json::to_value(new).unwrap(), item);
    }

    #[test]
    fn every_field_is_checked_at_once() {
        let body =
            br#"{"fileName":"","fileType":"image/svg+xml","categoryName":"a/b","fileSize":0,"colour":"red"}"#;
        let problem = input::parse::<CategoryPicture>(body).unwrap_err();
        let pointers: Vec<_> = problem.errors().iter().filter_map(|error| error.pointer.as_deref()).collect();
        assert_eq!(pointers, ["#/fileName", "#/fileType", "#/fileSize", "#/categoryName", "#/colour"]);
    }

    #[test]
    fn the_list_is_a_bare_array() {
        let tea = Category { category_name: name("Tea"), image_url: "u".into(), images: None };
        let list = CategoryList::from(Page { entries: vec![tea], next_cursor: Some("n".into()) });
        let expected = json!([{ "categoryName": "Tea", "imageUrl": "u" }]);
        assert_eq!(serde_json::to_value(list).unwrap(), expected);
    }
}
