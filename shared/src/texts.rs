//! What people are told by text message, in one part and no more: each further part is paid for like a text of its own,
//! and may come before the first.
//!
//! A part has 140 bytes ([3GPP TS 23.038](https://www.3gpp.org/dynareport/23038.htm)): 160 characters of the GSM
//! alphabet, which has seven bits for each, or 70 units of UTF-16 where one character of the text is in no GSM
//! alphabet.

use std::fmt;

use anyhow::Context;
use aws_sdk_sqs::Client;
use serde::{Deserialize, Serialize};

use crate::http::input::{Field, Value};
use crate::letters::Queued;
use crate::run::aws::{Aws, FromEnv};
use crate::run::config::{self, ConfigError};
use crate::values::text::{Lines, checked};

/// How much of the GSM alphabet one part has.
const MOST_SEPTETS: usize = 160;

/// How many units of UTF-16 one part has.
const MOST_UNITS: usize = 70;

/// The GSM alphabet.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡\
                     ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

/// Its extension: each of these takes the room of two.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// The words of a text message: one part, in characters that a telephone shows. They are for its reader alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text(String);

/// Words are for their reader, and no log's.
impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Text(…)")
    }
}

/// The words are too many for one part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must fit into one text message: it takes the room of {takes} characters of {of}, and there are {most}"
)]
pub struct TooLong {
    takes: usize,
    of: &'static str,
    most: usize,
}

impl Text {
    /// Words that fit into one part.
    ///
    /// # Errors
    /// [`TooLong`].
    pub fn new(words: impl Into<String>) -> Result<Self, TooLong> {
        let words = words.into();
        let (takes, of, most) = match septets(&words) {
            Some(septets) => (septets, "the GSM alphabet", MOST_SEPTETS),
            None => (words.encode_utf16().count(), "UTF-16", MOST_UNITS),
        };
        if takes <= most { Ok(Self(words)) } else { Err(TooLong { takes, of, most }) }
    }

    /// The first of these that fits into one part; `None` where none does. Whoever begins with the longest tells as
    /// much as there is room for.
    pub fn first_of(ways: impl IntoIterator<Item = String>) -> Option<Self> {
        ways.into_iter().find_map(|words| Self::new(words).ok())
    }

    /// The words themselves.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How much of the GSM alphabet the words take; `None` where a character is not of it.
fn septets(words: &str) -> Option<usize> {
    let room = |c: char| match c {
        c if BASIC.contains(c) => Some(1),
        c if EXTENSION.contains(c) => Some(2),
        _ => None,
    };
    words.chars().map(room).sum()
}

impl Field for Text {
    fn parse(value: Value) -> Result<Self, String> {
        let text = value.as_str().ok_or("must be a string")?;
        let words = checked(text, 1..=MOST_SEPTETS, Lines::One)?;
        Self::new(words).map_err(|fault| fault.to_string())
    }
}

/// The queue of texts to send.
#[derive(Debug, Clone)]
pub struct TextQueue {
    client: Client,
    url: String,
}

impl FromEnv for TextQueue {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { client: Client::new(aws.sdk()), url: config::required("TEXTS_QUEUE_URL")? })
    }
}

impl TextQueue {
    /// Queues a text, as a kind and an id. Queued twice, it still goes out once.
    ///
    /// # Errors
    /// When the queue takes nothing.
    pub async fn send(&self, queued: &Queued) -> anyhow::Result<()> {
        let body = serde_json::to_string(queued)?;
        let send = self.client.send_message().queue_url(&self.url).message_body(body);
        send.send().await.map(drop).context("queue a text")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fits(words: &str) -> bool {
        Text::new(words).is_ok()
    }

    #[test]
    fn the_alphabet_has_all_of_its_127_characters_once_and_ten_more() {
        let count = |alphabet: &str| alphabet.chars().collect::<std::collections::BTreeSet<_>>().len();
        // The 128th is the escape to the extension.
        assert_eq!((BASIC.chars().count(), count(BASIC)), (127, 127));
        assert_eq!((EXTENSION.chars().count(), count(EXTENSION)), (10, 10));
    }

    #[test]
    fn a_part_has_160_characters_of_the_gsm_alphabet_and_70_of_any_other() {
        assert!(fits(&"ä".repeat(160)) && !fits(&"ä".repeat(161)));
        assert!(fits(&"€".repeat(80)) && !fits(&"€".repeat(81)), "each takes the room of two");
        assert!(fits(&"ł".repeat(70)) && !fits(&"ł".repeat(71)));
        assert!(fits(&"🫖".repeat(35)) && !fits(&"🫖".repeat(36)), "each is two units");
        assert!(!fits(&format!("{}ł", "a".repeat(70))), "one character changes the alphabet of all");
        let fault = Text::new("ł".repeat(71)).unwrap_err().to_string();
        assert_eq!(
            fault,
            "must fit into one text message: it takes the room of 71 characters of UTF-16, and there are 70"
        );
    }

    #[test]
    fn as_much_is_told_as_there_is_room_for() {
        let ways = |longest: usize| ["a".repeat(longest), "b".repeat(9)];
        let told = |longest| Text::first_of(ways(longest)).unwrap().0;
        assert_eq!((told(160).len(), told(161).len()), (160, 9));
        assert_eq!(Text::first_of(["a".repeat(161)]), None);
    }

    #[test]
    fn words_of_a_request_are_one_line_that_can_be_seen() {
        let read = |words: &str| <Text as Field>::parse(Value::String(words.to_owned())).map(|text| text.0);
        assert_eq!(read("  Tea  is ready. "), Ok("Tea is ready.".to_owned()));
        for words in ["", " ", "a\nb", "a\u{202e}b", &"a".repeat(161), &"ł".repeat(71)] {
            assert!(read(words).is_err(), "{words}");
        }
    }

    #[test]
    fn words_are_never_printed() {
        assert_eq!(format!("{:?}", Text::new("Ann").unwrap()), "Text(…)");
    }

    proptest! {
        #[test]
        fn what_fits_has_140_bytes_at_most(words in "[a-zä€ł🫖]{0,200}") {
            let bytes = match septets(&words) {
                Some(septets) => (septets * 7).div_ceil(8),
                None => words.encode_utf16().count() * 2,
            };
            prop_assert_eq!(fits(&words), bytes <= 140);
        }
    }
}
