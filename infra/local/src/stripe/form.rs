//! A request's parameters, in Stripe's form of brackets: `line_items[0][price_data][currency]=usd`.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::books::Metadata;
use super::refusal::Refusal;

/// The most that a page of a list has.
const LONGEST_PAGE: i64 = 100;

/// The parameters, as they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// Reads a query or a form.
    pub(crate) fn read(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// Refuses every parameter that is not one of these, written as `list[][name]` and `metadata[*]`.
    pub(crate) fn are_among(&self, known: &[&str]) -> Result<(), Refusal> {
        let stranger = self.0.iter().find(|(name, _)| !known.contains(&shape(name).as_str()));
        stranger.map_or(Ok(()), |(name, _)| {
            Err(Refusal::invalid(format!("Received unknown parameter: {name}"))
                .code("parameter_unknown")
                .param(name))
        })
    }

    /// A text, if it is there; an empty one is refused.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        match self.raw(name) {
            Some("") => Err(Refusal::invalid(format!(
                "You passed an empty string for '{name}'. We assume empty values are an attempt to unset a \
                 parameter; however '{name}' cannot be unset. You should remove '{name}' from your request or \
                 supply a non-empty value."
            ))
            .code("parameter_invalid_empty")
            .param(name)),
            text => Ok(text),
        }
    }

    /// A text that has to be there.
    pub(crate) fn needed(&self, name: &str) -> Result<&str, Refusal> {
        self.text(name)?.ok_or_else(|| missing(name))
    }

    /// A text of at most so many characters.
    pub(crate) fn short_text(&self, name: &str, most: usize) -> Result<Option<String>, Refusal> {
        match self.text(name)? {
            Some(text) if text.chars().count() > most => {
                let start: String = text.chars().take(3).collect();
                let message = format!("Invalid string: {start}...; must be at most {most} characters");
                Err(Refusal::invalid(message).param(name))
            }
            text => Ok(text.map(str::to_owned)),
        }
    }

    /// One of these words.
    pub(crate) fn word(&self, name: &str, words: &[&str]) -> Result<Option<String>, Refusal> {
        match self.text(name)? {
            Some(word) if !words.contains(&word) => {
                let message = format!("Invalid {name}: must be one of {}", words.join(", "));
                Err(Refusal::invalid(message).param(name))
            }
            word => Ok(word.map(str::to_owned)),
        }
    }

    /// `true` or `false`.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.text(name)? {
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(Refusal::invalid(format!("Invalid boolean: {other}")).param(name)),
            None => Ok(None),
        }
    }

    /// A whole number.
    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| bad_integer(name, format!("Invalid integer: {text}")))
    }

    /// A whole number of at least this.
    pub(crate) fn at_least(&self, name: &str, least: i64) -> Result<Option<i64>, Refusal> {
        match self.integer(name)? {
            Some(number) if number < least => {
                Err(bad_integer(name, format!("This value must be greater than or equal to {least}.")))
            }
            number => Ok(number),
        }
    }

    /// An address of a page.
    pub(crate) fn url(&self, name: &str) -> Result<Option<String>, Refusal> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let is_one = reqwest::Url::parse(text).is_ok_and(|url| ["http", "https"].contains(&url.scheme()));
        if !is_one {
            return Err(Refusal::invalid("Not a valid URL").code("url_invalid").param(name));
        }
        Ok(Some(text.to_owned()))
    }

    /// The beginnings of what a list's elements have: `line_items[0]`, in the order of their numbers.
    pub(crate) fn elements(&self, list: &str) -> Vec<String> {
        let number = |name: &String| {
            let (number, _) = name.strip_prefix(list)?.strip_prefix('[')?.split_once(']')?;
            number.parse::<u32>().ok()
        };
        let numbers: BTreeSet<u32> = self.0.iter().filter_map(|(name, _)| number(name)).collect();
        numbers.into_iter().map(|number| format!("{list}[{number}]")).collect()
    }

    /// A list of texts: `types[]=a&types[]=b`.
    pub(crate) fn texts(&self, list: &str) -> Vec<String> {
        let one = format!("{list}[]");
        self.0.iter().filter(|(name, _)| shape(name) == one).map(|(_, text)| text.clone()).collect()
    }

    /// What a shop hangs on an object.
    pub(crate) fn metadata(&self, name: &str) -> Result<Metadata, Refusal> {
        let mut all = Metadata::new();
        for (full, value) in &self.0 {
            let key = full.strip_prefix(name).and_then(|rest| rest.strip_prefix('[')?.strip_suffix(']'));
            let Some(key) = key else { continue };
            let limits = [("keys", key, 40), ("values", value.as_str(), 500)];
            for (what, text, most) in limits {
                let length = text.chars().count();
                if length > most {
                    let message = format!(
                        "Metadata {what} can have up to {most} characters, but you passed in a {} that is \
                         {length} characters. Invalid {}: {text}",
                        what.trim_end_matches('s'),
                        what.trim_end_matches('s'),
                    );
                    return Err(Refusal::invalid(message).param(full));
                }
            }
            all.insert(key.to_owned(), value.clone());
        }
        if all.len() > 50 {
            let message = "Metadata can have up to 50 keys.";
            return Err(Refusal::invalid(message).param(name));
        }
        Ok(all)
    }

    /// How many elements a page of a list has.
    pub(crate) fn limit(&self) -> Result<usize, Refusal> {
        let limit = self.at_least("limit", 1)?.unwrap_or(10);
        if limit > LONGEST_PAGE {
            let message = format!("This value must be less than or equal to {LONGEST_PAGE}.");
            return Err(bad_integer("limit", message));
        }
        Ok(usize::try_from(limit).unwrap_or_default())
    }

    /// The values whose names end like those of ids, such as `metadata[payment_id]`.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(name, _)| names_an_id(name.trim_end_matches(']'))).map(|(_, id)| id.as_str())
    }

    /// What tells this request from others, in whatever order its parameters came.
    pub(crate) fn fingerprint(&self, method: &str, path: &str) -> String {
        let mut sorted: Vec<_> = self.0.iter().collect();
        sorted.sort();
        let digest = Sha256::digest(format!("{method} {path} {sorted:?}"));
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn raw(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
    }
}

/// Whether a name of metadata names something of the shop's: `payment_id`.
pub(crate) fn names_an_id(name: &str) -> bool {
    name.ends_with("_id")
}

/// A parameter that has to be there.
pub(crate) fn missing(name: &str) -> Refusal {
    Refusal::invalid(format!("Missing required param: {name}.")).code("parameter_missing").param(name)
}

/// A number that is none, or too small, or too large.
pub(crate) fn bad_integer(name: &str, message: impl Into<String>) -> Refusal {
    Refusal::invalid(message).code("parameter_invalid_integer").param(name)
}

/// A name with its numbers and keys left out: `line_items[0][price_data][currency]` is
/// `line_items[][price_data][currency]`.
fn shape(name: &str) -> String {
    let mut parts = name.split('[');
    let mut last = parts.next().unwrap_or_default();
    let mut shape = last.to_owned();
    for part in parts {
        let Some(part) = part.strip_suffix(']') else { return name.to_owned() };
        shape += &match part {
            _ if last.ends_with("metadata") => "[*]".to_owned(),
            number if number.bytes().all(|digit| digit.is_ascii_digit()) => "[]".to_owned(),
            word => format!("[{word}]"),
        };
        last = part;
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_say_where_a_parameter_belongs() {
        let params = Params::read(
            "line_items[1][quantity]=2&line_items%5B0%5D%5Bquantity%5D=1&line_items[10][quantity]=3&types[]=a\
             &types[1]=b&metadata[order_id]=o+1%26&created[gte]=5",
        );
        assert_eq!(params.elements("line_items"), ["line_items[0]", "line_items[1]", "line_items[10]"]);
        assert_eq!(params.text("line_items[0][quantity]").unwrap(), Some("1"));
        assert_eq!(params.texts("types"), ["a", "b"]);
        assert_eq!(params.metadata("metadata").unwrap(), [("order_id".into(), "o 1&".into())].into());
        assert_eq!(params.ids().collect::<Vec<_>>(), ["o 1&"]);
        let known = ["line_items[][quantity]", "types[]", "metadata[*]", "created[gte]"];
        params.are_among(&known).unwrap();
        let refused = params.are_among(&known[1..]).unwrap_err();
        assert_eq!(
            refused.body(),
            serde_json::json!({ "error": {
                "code": "parameter_unknown",
                "doc_url": "https://docs.stripe.com/error-codes#parameter-unknown",
                "message": "Received unknown parameter: line_items[1][quantity]",
                "param": "line_items[1][quantity]",
                "type": "invalid_request_error",
            } })
        );
    }

    #[test]
    fn a_key_of_metadata_may_look_like_anything() {
        let params = Params::read("metadata[0]=a&metadata[order_id]=b&payment_intent_data[metadata][x]=c");
        params.are_among(&["metadata[*]", "payment_intent_data[metadata][*]"]).unwrap();
        for broken in ["metadata[a", "metadata", "metadata[a][b]"] {
            assert!(Params::read(&format!("{broken}=1")).are_among(&["metadata[*]"]).is_err(), "{broken}");
        }
    }

    #[test]
    fn the_order_of_parameters_makes_no_other_request() {
        let print = |text: &str| Params::read(text).fingerprint("POST", "/v1/refunds");
        assert_eq!(print("a=1&b=2"), print("b=2&a=1"));
        assert_ne!(print("a=1&b=2"), print("a=2&b=1"));
        assert_ne!(print("a=1"), Params::read("a=1").fingerprint("POST", "/v1/payment_intents"));
    }

    #[test]
    fn what_a_parameter_must_not_be_is_refused_by_name() {
        let params = Params::read("a=&n=x&low=0&limit=101&url=javascript:x&mode=m&long=abcdef&flag=1");
        let codes = [
            params.text("a").unwrap_err(),
            params.integer("n").unwrap_err(),
            params.at_least("low", 1).unwrap_err(),
            params.limit().unwrap_err(),
            params.url("url").unwrap_err(),
            params.needed("none").unwrap_err(),
            params.word("mode", &["payment", "setup"]).unwrap_err(),
            params.short_text("long", 5).unwrap_err(),
            params.flag("flag").unwrap_err(),
        ]
        .map(|refusal| (refusal.code.unwrap_or_default(), refusal.param.unwrap_or_default()));
        let expected = [
            ("parameter_invalid_empty", "a"),
            ("parameter_invalid_integer", "n"),
            ("parameter_invalid_integer", "low"),
            ("parameter_invalid_integer", "limit"),
            ("url_invalid", "url"),
            ("parameter_missing", "none"),
            ("", "mode"),
            ("", "long"),
            ("", "flag"),
        ];
        assert_eq!(codes, expected.map(|(code, param)| (code, param.to_owned())));
    }

    #[test]
    fn metadata_has_bounds() {
        let long = |key: usize, value: usize| format!("metadata[{}]={}", "k".repeat(key), "v".repeat(value));
        let read = |text: &str| Params::read(text).metadata("metadata");
        assert!(read(&long(40, 500)).is_ok());
        let refused = read(&long(40, 501)).unwrap_err().message;
        assert!(
            refused.starts_with(
                "Metadata values can have up to 500 characters, but you passed in a value \
             that is 501 characters."
            ),
            "{refused}"
        );
        assert!(read(&long(41, 1)).unwrap_err().message.starts_with("Metadata keys can have up to 40"));
        let many = |count: usize| (0..count).map(|n| format!("metadata[k{n}]=v&")).collect::<String>();
        assert!(read(&many(50)).is_ok() && read(&many(51)).is_err());
    }
}
