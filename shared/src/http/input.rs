//! Reading a JSON body into types that prove it is valid, with every fault told at once.
//!
//! A derived `Deserialize` stops at its first error; a person who filled in a form wants them all. So the text becomes
//! a [`Value`], and [`Fields`] hands out its members: each is asked for once by name, what is wrong is noted with its
//! JSON pointer (RFC 6901), and what nobody asked for is reported as unknown.

use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::str;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use super::json::{Members, NotJson};
pub use super::json::{Number, Value};
use crate::http::problem::{FieldError, Problem};

/// A value that one member of a JSON object can hold.
pub trait Field: Sized {
    /// Checks and converts the value; the error completes a sentence about the field (`must be a string`).
    fn parse(value: Value) -> Result<Self, String>;
}

/// An object that can be read from [`Fields`]. [`body!`](crate::body) declares most of them; one whose rules concern
/// several members reads them by hand.
pub trait Body: Sized {
    /// Asks for every member. `None` only where a fault was noted.
    fn read(fields: &mut Fields) -> Option<Self>;
}

/// What a member of an object can be: a [`Field`], an object that [`body!`](crate::body) declares, or an `Option` of
/// either.
pub trait Member: Sized {
    /// Reads the member at `pointer`, which may be absent; gives every fault it has.
    #[doc(hidden)]
    fn read(pointer: &str, value: Option<Value>) -> Result<Self, Vec<FieldError>>;
}

impl<T: Field> Member for T {
    fn read(pointer: &str, value: Option<Value>) -> Result<Self, Vec<FieldError>> {
        let value = value.ok_or_else(|| is_required(pointer))?;
        T::parse(value).map_err(|detail| vec![FieldError::body(pointer, detail)])
    }
}

impl<T: Member> Member for Option<T> {
    fn read(pointer: &str, value: Option<Value>) -> Result<Self, Vec<FieldError>> {
        value.map(|value| T::read(pointer, Some(value))).transpose()
    }
}

/// What becomes of something that may be there: it stays where the member is absent, and is taken back by `null`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub enum Change<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// It is this, or nothing.
    To(Option<T>),
}

impl<T> Change<T> {
    /// What it is then.
    pub fn of(self, before: Option<T>) -> Option<T> {
        match self {
            Self::Keep => before,
            Self::To(after) => after,
        }
    }
}

fn is_required(pointer: &str) -> Vec<FieldError> {
    vec![FieldError::body(pointer, "is required")]
}

/// Declares what a JSON object of a request holds: a struct, and how it is read with every fault told at once.
///
/// | written | read from |
/// | --- | --- |
/// | `unit_price: Price` | the member `unitPrice`, which must be there and a `Price` |
/// | `note: Option<Note>` | the member `note`, if it is there and not null |
/// | `lines: Vec<Line>[1..=50]` | the member `lines`, an array of 1 to 50 entries |
/// | `code: Code = "confirmationCode"` | the member `confirmationCode` |
/// | `picture: NewPicture = ..` | the members of a `NewPicture`, which stand beside the others |
///
/// A member that no field reads is refused.
///
/// ```
/// shared::text!(
///     /// What a gift says.
///     Greeting, 1..=200
/// );
///
/// shared::body!(
///     /// A piece of a gift.
///     #[derive(Debug, PartialEq)]
///     pub struct Piece {
///         /// What it says on it.
///         pub label: Greeting,
///     }
/// );
///
/// shared::body!(
///     /// What somebody gives.
///     #[derive(Debug, PartialEq)]
///     pub struct Gift {
///         wrapped_up: bool,
///         greeting: Option<Greeting> = "cardText",
///         pieces: Vec<Piece>[1..=3],
///     }
/// );
///
/// let gift = shared::http::input::parse::<Gift>(br#"{"wrappedUp": true, "pieces": [{"label": "tea"}]}"#);
/// assert!(gift.is_ok_and(|gift| gift.wrapped_up && gift.greeting.is_none() && gift.pieces.len() == 1));
///
/// let faulty = shared::http::input::parse::<Gift>(br#"{"pieces": [{}], "cardText": ""}"#);
/// let faults = faulty.unwrap_err().errors().to_vec();
/// let pointers: Vec<_> = faults.iter().filter_map(|fault| fault.pointer.as_deref()).collect();
/// assert_eq!(pointers, ["#/wrappedUp", "#/cardText", "#/pieces/0/label"]);
/// ```
#[macro_export]
macro_rules! body {
    (
        $(#[$attribute:meta])*
        $visibility:vis struct $name:ident {$(
            $(#[$field_attribute:meta])*
            $field_visibility:vis $field:ident:
                $type:ty $([$length:expr])? $(= $json:tt)?
        ),+ $(,)?}
    ) => {
        $(#[$attribute])*
        $visibility struct $name {$(
            $(#[$field_attribute])*
            $field_visibility $field: $type,
        )+}

        impl $crate::http::input::Body for $name {
            fn read(fields: &mut $crate::http::input::Fields) -> ::std::option::Option<Self> {
                $(let $field = $crate::body!(@read fields, $field $type $([$length])? $(= $json)?);)+
                ::std::option::Option::Some(Self { $($field: $field?),+ })
            }
        }

        impl $crate::http::input::Member for $name {
            fn read(
                pointer: &str,
                value: ::std::option::Option<$crate::http::input::Value>,
            ) -> ::std::result::Result<Self, ::std::vec::Vec<$crate::http::problem::FieldError>> {
                $crate::http::input::object_at(pointer, value)
            }
        }
    };
    (@read $fields:ident, $field:ident $type:ty = ..) => {
        <$type as $crate::http::input::Body>::read($fields)
    };
    (@read $fields:ident, $field:ident $type:ty) => {
        $fields.member::<$type>($crate::body!(@name $field))
    };
    (@read $fields:ident, $field:ident $type:ty = $json:literal) => {
        $fields.member::<$type>($json)
    };
    (@read $fields:ident, $field:ident $type:ty [$length:expr]) => {
        $fields.list($crate::body!(@name $field), $length)
    };
    (@read $fields:ident, $field:ident $type:ty [$length:expr] = $json:literal) => {
        $fields.list($json, $length)
    };
    (@name $field:ident) => {{
        const SNAKE: &str = ::std::stringify!($field);
        const CAMEL: [u8; $crate::http::input::camel_length(SNAKE)] = $crate::http::input::camel_case(SNAKE);
        const NAME: &str = $crate::http::input::ascii(&CAMEL);
        NAME
    }};
}

/// How long a field's name is in camelCase.
#[doc(hidden)]
pub const fn camel_length(snake: &str) -> usize {
    let (bytes, mut index, mut length) = (snake.as_bytes(), 0, 0);
    while index < bytes.len() {
        if bytes[index] != b'_' {
            length += 1;
        }
        index += 1;
    }
    length
}

/// A field's name in camelCase: `unitPrice` for `unit_price`.
#[doc(hidden)]
pub const fn camel_case<const LENGTH: usize>(snake: &str) -> [u8; LENGTH] {
    let (bytes, mut index, mut length) = (snake.as_bytes(), 0, 0);
    let mut camel = [0; LENGTH];
    let mut begins_word = false;
    while index < bytes.len() {
        if bytes[index] == b'_' {
            begins_word = length > 0;
        } else {
            camel[length] = if begins_word { bytes[index].to_ascii_uppercase() } else { bytes[index] };
            begins_word = false;
            length += 1;
        }
        index += 1;
    }
    camel
}

/// The bytes as text, while the compiler runs.
///
/// # Panics
/// While the compiler runs, where a field's name is not ASCII.
#[doc(hidden)]
pub const fn ascii(bytes: &'static [u8]) -> &'static str {
    match str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => text,
        _ => panic!("a field whose name is not ASCII needs its JSON name: `field: Type = \"name\"`"),
    }
}

/// Reads an object that is a member of another one, or an entry of a list.
#[doc(hidden)]
pub fn object_at<T: Body>(pointer: &str, value: Option<Value>) -> Result<T, Vec<FieldError>> {
    object(pointer.to_owned(), value.ok_or_else(|| is_required(pointer))?)
}

/// What is percent-encoded in a URI fragment: all but letters, digits and these marks (RFC 3986, section 3.5).
const NOT_IN_FRAGMENTS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@')
    .remove(b'/')
    .remove(b'?');

/// Characters of a name that are told to whoever sent it.
const LONGEST_TOLD: usize = 100;

/// The members of one JSON object, and what was found wrong with them so far.
#[derive(Debug)]
pub struct Fields {
    pointer: String,
    members: Members,
    asked: HashSet<&'static str>,
    errors: Vec<FieldError>,
}

impl Fields {
    fn new(pointer: String, members: Members) -> Self {
        Self { pointer, members, asked: HashSet::new(), errors: Vec::new() }
    }

    /// The member `name`, which `T` may let be absent; `null` counts as absent. `None` where a fault was noted.
    pub fn member<T: Member>(&mut self, name: &'static str) -> Option<T> {
        let value = self.take(name);
        T::read(&self.pointer_to(name), value).map_err(|errors| self.errors.extend(errors)).ok()
    }

    /// The member `name`; its absence is a fault.
    pub fn required<T: Member>(&mut self, name: &'static str) -> Option<T> {
        self.member(name)
    }

    /// The member `name`; `null` counts as absent.
    pub fn optional<T: Member>(&mut self, name: &'static str) -> Option<T> {
        self.member(name).flatten()
    }

    /// What becomes of what the member `name` is about.
    pub fn change<T: Member>(&mut self, name: &'static str) -> Option<Change<T>> {
        let is_there = self.members.contains_key(name);
        let value: Option<T> = self.member(name)?;
        Some(if is_there { Change::To(value) } else { Change::Keep })
    }

    /// The member `name`: an array, as long as `length` allows.
    pub fn list<T: Member>(&mut self, name: &'static str, length: RangeInclusive<usize>) -> Option<Vec<T>> {
        let value = self.take(name);
        let Some(Value::Array(values)) = value else {
            self.fault(name, if value.is_none() { "is required" } else { "must be an array" });
            return None;
        };
        if !length.contains(&values.len()) {
            let (least, most, found) = (length.start(), length.end(), values.len());
            self.fault(name, &format!("must have {least} to {most} entries, but has {found}"));
            return None;
        }
        let pointer = self.pointer_to(name);
        let mut entries = Vec::with_capacity(values.len());
        for (index, value) in values.into_iter().enumerate() {
            match T::read(&format!("{pointer}/{index}"), Some(value)) {
                Ok(entry) => entries.push(entry),
                Err(errors) => self.errors.extend(errors),
            }
        }
        Some(entries)
    }

    /// Whether the member `name` is there, whatever it holds.
    pub fn has(&self, name: &str) -> bool {
        self.members.get(name).is_some_and(|value| !value.is_null())
    }

    /// Notes that the member `name` breaks a rule that concerns more than its own value.
    pub fn fault(&mut self, name: &str, detail: &str) {
        let pointer = self.pointer_to(name);
        self.errors.push(FieldError::body(pointer, detail));
    }

    /// Notes that the object breaks a rule that concerns several members alike (`needs exactly one of …`).
    pub fn fault_of_all(&mut self, detail: &str) {
        self.errors.push(FieldError::body(self.pointer.clone(), detail));
    }

    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.asked.insert(name);
        self.members.remove(name).filter(|value| !value.is_null())
    }

    /// The member's place, as a JSON pointer in a URI fragment (RFC 6901, section 6).
    fn pointer_to(&self, name: &str) -> String {
        let name = name.replace('~', "~0").replace('/', "~1");
        format!("{}/{}", self.pointer, utf8_percent_encode(&name, NOT_IN_FRAGMENTS))
    }

    fn finish(mut self) -> Vec<FieldError> {
        let unknown: Vec<String> =
            self.members.keys().filter(|name| !self.asked.contains(name.as_str())).cloned().collect();
        let mut known: Vec<&str> = self.asked.iter().copied().collect();
        known.sort_unstable();
        let detail = format!("is not a field of this request, which has {}", known.join(", "));
        for name in unknown {
            match name.chars().count() {
                ..=LONGEST_TOLD => self.fault(&name, &detail),
                length => {
                    self.fault_of_all(&format!("has a field of {length} characters, which it cannot have"));
                }
            }
        }
        self.errors
    }
}

/// Reads a whole request body: JSON in UTF-8, which may begin with a byte order mark (RFC 8259, section 8.1).
///
/// # Errors
/// `malformed-body` (400) when it is missing, not JSON, or has an object with a name twice; `invalid-input` (422) with
/// every faulty field otherwise.
pub fn parse<T: Body>(body: &[u8]) -> Result<T, Problem> {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(Problem::malformed_body("The request has no body. Send a JSON object."));
    }
    let text = str::from_utf8(body)
        .map_err(|error| Problem::malformed_body(format!("The body is not in UTF-8: {error}.")))?;
    let value = text.parse().map_err(|error: NotJson| Problem::malformed_body(error.to_string()))?;
    object("#".into(), value).map_err(Problem::invalid_input)
}

fn object<T: Body>(pointer: String, value: Value) -> Result<T, Vec<FieldError>> {
    let Value::Object(members) = value else {
        return Err(vec![FieldError::body(pointer, "must be a JSON object")]);
    };
    let mut fields = Fields::new(pointer.clone(), members);
    let read = T::read(&mut fields);
    let errors = fields.finish();
    match read {
        Some(read) if errors.is_empty() => Ok(read),
        None if errors.is_empty() => Err(vec![FieldError::body(pointer, "is not valid")]),
        _ => Err(errors),
    }
}

impl Field for bool {
    fn parse(value: Value) -> Result<Self, String> {
        match value {
            Value::Bool(value) => Ok(value),
            _ => Err("must be true or false".into()),
        }
    }
}

/// A whole number in `range`.
///
/// # Errors
/// A sentence's end that says what the field takes, for a [`Field`].
pub fn whole_number(value: &Value, range: RangeInclusive<u32>) -> Result<u32, String> {
    let fault = || format!("must be a whole number from {} to {}", range.start(), range.end());
    let number = integer(value).and_then(|number| u32::try_from(number).ok()).ok_or_else(fault)?;
    if range.contains(&number) { Ok(number) } else { Err(fault()) }
}

/// An integer as JSON Schema has it: `30.0` and `3e1` are the integer 30.
/// <https://json-schema.org/draft/2020-12/json-schema-core#section-4.2.3>
pub fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.shifted(0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_may_be_written_with_a_point() {
        for (json, expected) in [
            ("30", Some(30)),
            ("30.0", Some(30)),
            ("-3e1", Some(-30)),
            ("30.5", None),
            ("0.9999999999999999", None),
            ("1e400", None),
            ("18446744073709551616", None),
            ("\"30\"", None),
            ("null", None),
        ] {
            assert_eq!(integer(&json.parse().unwrap()), expected, "{json}");
        }
    }

    crate::text!(
        /// A name of the tests.
        Name, 1..=5
    );

    crate::body!(
        #[derive(Debug, PartialEq)]
        struct Line {
            name: Name,
        }
    );

    crate::body!(
        #[derive(Debug, PartialEq)]
        struct Form {
            name: Name,
            open: bool,
            note: Option<Name>,
            lines: Vec<Line>[1..=2],
        }
    );

    crate::body!(
        /// One of everything that a body can hold.
        #[derive(Debug, PartialEq)]
        struct Everything {
            first_name: Name,
            _last: Option<Name> = "last-name",
            form: Option<Form>,
            tags: Vec<Name>[0..=2] = "keyWords",
            line: Line = ..,
        }
    );

    fn faults(body: &str) -> Vec<(String, String)> {
        let errors = parse::<Form>(body.as_bytes()).unwrap_err().errors().to_vec();
        errors.into_iter().map(|error| (error.pointer.unwrap_or_default(), error.detail)).collect()
    }

    #[test]
    fn a_valid_body_is_read_whole() {
        let form = parse::<Form>(br#"{"name":" tea ","open":true,"note":null,"lines":[{"name":"a"}]}"#);
        let name = |text| Name::new(text).unwrap();
        assert_eq!(
            form.unwrap(),
            Form { name: name("tea"), open: true, note: None, lines: vec![Line { name: name("a") }] }
        );
        assert_eq!(name(" tea ").as_str(), "tea");
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let mut found = faults(r#"{"name":"too long","note":7,"lines":[{"nmae":"a"}],"x/y":1}"#);
        found.sort();
        let expected = [
            ("#/lines/0/name", "is required"),
            ("#/lines/0/nmae", "is not a field of this request, which has name"),
            ("#/name", "must have at most 5 characters, but has 8"),
            ("#/note", "must be a string"),
            ("#/open", "is required"),
            ("#/x~1y", "is not a field of this request, which has lines, name, note, open"),
        ];
        assert_eq!(found, expected.map(|(pointer, detail)| (pointer.to_owned(), detail.to_owned())));
    }

    #[test]
    fn a_pointer_is_a_fragment_of_a_uri() {
        for (name, pointer) in [
            ("100%", "#/100%25"),
            ("a b#\\\"^`{|}", "#/a%20b%23%5C%22%5E%60%7B%7C%7D"),
            ("größe", "#/gr%C3%B6%C3%9Fe"),
            ("a/b~c", "#/a~1b~0c"),
            ("-._!$&'()*+,;=:@?", "#/-._!$&'()*+,;=:@?"),
        ] {
            let body = serde_json::json!({ "name": "a", "open": true, "lines": [{ "name": "b" }], name: 1 });
            let found = faults(&body.to_string());
            assert_eq!(found[0].0, pointer, "{name}");
        }
    }

    #[test]
    fn a_name_that_is_too_long_to_be_told_is_counted() {
        let body = format!(r#"{{"name":"a","open":true,"lines":[{{"name":"b"}}],"{}":1}}"#, "ü".repeat(101));
        let detail = "has a field of 101 characters, which it cannot have";
        assert_eq!(faults(&body), [("#".to_owned(), detail.to_owned())]);
    }

    #[test]
    fn members_have_their_fields_names_or_others_and_may_be_objects() {
        let name = |text| Name::new(text).unwrap();
        let body = br#"{"firstName":"ann","last-name":"lee","keyWords":["a","b"],"name":"tea"}"#;
        let expected = Everything {
            first_name: name("ann"),
            _last: Some(name("lee")),
            form: None,
            tags: vec![name("a"), name("b")],
            line: Line { name: name("tea") },
        };
        assert_eq!(parse::<Everything>(body).unwrap(), expected);
        let problem = parse::<Everything>(br#"{"form":{"lines":[{}]},"keyWords":["",3]}"#).unwrap_err();
        let pointers: Vec<_> = problem.errors().iter().filter_map(|error| error.pointer.as_deref()).collect();
        let form = ["#/form/name", "#/form/open", "#/form/lines/0/name"];
        let expected = [&["#/firstName"][..], &form, &["#/keyWords/0", "#/keyWords/1", "#/name"]].concat();
        assert_eq!(pointers, expected);
    }

    #[test]
    fn a_fields_name_becomes_camel_case() {
        let camel = |name| ascii(Box::leak(camel_case::<9>(name).into()));
        assert_eq!(
            [camel("unit_price"), camel("unitprice"), camel("_x__y_abcdefg")],
            ["unitPrice", "unitprice", "xYAbcdefg"]
        );
        assert_eq!(["a", "unit_price", "_x__y_"].map(camel_length), [1, 9, 2]);
    }

    #[test]
    fn a_list_has_a_length() {
        let found = faults(r#"{"name":"a","open":false,"lines":[]}"#);
        assert_eq!(found, [("#/lines".to_owned(), "must have 1 to 2 entries, but has 0".to_owned())]);
    }

    #[test]
    fn what_is_not_a_json_object_is_told_apart() {
        let status = |body: &[u8]| parse::<Form>(body).unwrap_err().status().as_u16();
        assert_eq!([status(b""), status(b"{"), status(b"[1]"), status(b"\xff")], [400, 400, 422, 400]);
    }

    #[test]
    fn a_byte_order_mark_is_skipped() {
        let body = r#"{"name":"a","open":true,"lines":[{"name":"b"}]}"#;
        assert_eq!(parse::<Form>(format!("\u{feff}{body}").as_bytes()), parse::<Form>(body.as_bytes()));
        assert_eq!(parse::<Form>("\u{feff}".as_bytes()).unwrap_err().status(), 400);
        assert_eq!(parse::<Form>(format!("\u{feff}\u{feff}{body}").as_bytes()).unwrap_err().status(), 400);
    }

    #[test]
    fn a_name_stands_once_in_an_object() {
        for body in
            [r#"{"name":"a","name":"a"}"#, r#"{"lines":[{"name":"a","name":"b"}]}"#, r#"{"x":{"y":1,"y":1}}"#]
        {
            assert_eq!(parse::<Form>(body.as_bytes()).unwrap_err().status(), 400, "{body}");
        }
    }

    #[test]
    fn fractions_and_signs_are_no_whole_numbers() {
        for text in ["0", "-1", "1.5", "0.99999999999999999", "1e400", "11", "\"3\"", "null"] {
            let value = text.parse().unwrap();
            assert_eq!(
                whole_number(&value, 1..=10),
                Err("must be a whole number from 1 to 10".into()),
                "{text}"
            );
        }
    }
}
