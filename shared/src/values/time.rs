//! Points in time, and the one place where a clock is read.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::http::input::{Field, Value};

/// A point in time with milliseconds, written as RFC 3339 in UTC with exactly three decimals
/// (`2026-11-21T00:41:06.123Z`), so that its text sorts as the times do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    /// From milliseconds since 1970; times beyond year 9999 become the last one that can be written.
    pub fn from_unix_millis(millis: i64) -> Self {
        Self(jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX))
    }

    /// Milliseconds since 1970.
    pub fn unix_millis(self) -> i64 {
        self.0.as_millisecond()
    }

    /// Seconds since 1970, as DynamoDB's time to live takes them.
    pub fn unix_seconds(self) -> i64 {
        self.0.as_second()
    }

    /// This moment, or a millisecond after `earlier` where it is not later than that. What follows something is dated
    /// after it, also where its request began before or the clock of its machine is behind.
    #[must_use]
    pub fn after(self, earlier: Self) -> Self {
        self.max(earlier + Duration::from_millis(1))
    }

    /// As people write it: `21 November 2026 at 12:04 UTC`. Nobody knows the reader's zone, so it names its own.
    pub fn in_words(self) -> String {
        self.0.strftime("%-d %B %Y at %H:%M UTC").to_string()
    }

    /// The wall clock. Only what begins an invocation calls it; everything after takes the time as an argument.
    #[expect(clippy::disallowed_methods, reason = "this is the one place where time enters")]
    pub(crate) fn now() -> Self {
        Self::from_unix_millis(jiff::Timestamp::now().as_millisecond())
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration).unwrap_or(jiff::Timestamp::MAX))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration).unwrap_or(jiff::Timestamp::MIN))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

impl FromStr for Timestamp {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<jiff::Timestamp>().map(|time| Self::from_unix_millis(time.as_millisecond()))
    }
}

/// A time as clients send it: RFC 3339, in whichever zone.
impl Field for Timestamp {
    fn parse(value: Value) -> Result<Self, String> {
        let fault = "must be a time of RFC 3339, like 2026-12-01T00:00:00.000Z";
        let text = value.as_str().ok_or(fault)?;
        // What else its library reads, such as names of zones, is in no contract.
        let is_part = |byte: u8| byte.is_ascii_digit() || b"-:.TZ+".contains(&byte);
        let is_plain = text.starts_with(|first: char| first.is_ascii_digit())
            && text.get(10..11) == Some("T")
            && text.bytes().all(is_part);
        is_plain.then(|| text.parse().ok()).flatten().ok_or_else(|| fault.into())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_follows_something_is_dated_after_it() {
        let [now, next, later] = [7, 8, 9].map(Timestamp::from_unix_millis);
        assert_eq!((later.after(now), now.after(now), now.after(next)), (later, next, later));
    }

    #[test]
    fn whole_seconds_keep_their_three_decimals() {
        assert_eq!(Timestamp::from_unix_millis(0).to_string(), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn people_read_a_day_and_an_hour() {
        let time: Timestamp = "2026-11-01T09:04:59.999Z".parse().unwrap();
        assert_eq!(time.in_words(), "1 November 2026 at 09:04 UTC");
    }

    #[test]
    fn a_client_may_send_a_time_in_its_own_zone_and_no_other_form() {
        let sent = |text: &str| Timestamp::parse(Value::String(text.into())).map(|time| time.to_string());
        for text in ["2026-12-01T00:00:00Z", "2026-12-01T01:00:00.000+01:00", "2026-11-30T19:00:00.0-05:00"] {
            assert_eq!(sent(text), Ok("2026-12-01T00:00:00.000Z".into()), "{text}");
        }
        for text in [
            "",
            "2026-12-01",
            "2026-12-01 00:00:00Z",
            "2026-12-01t00:00:00z",
            "2026-12-01T00:00:00",
            "2026-02-30T00:00:00Z",
            "2026-12-01T00:00:00Z[UTC]",
            "-002026-12-01T00:00:00Z",
            "tomorrow",
        ] {
            assert!(sent(text).is_err(), "{text}");
        }
        assert!(Timestamp::parse("1790000000".parse().unwrap()).is_err());
    }

    proptest! {
        #[test]
        fn text_sorts_as_time_does(a in 0..4_102_444_800_000_i64, b in 0..4_102_444_800_000_i64) {
            let (first, second) = (Timestamp::from_unix_millis(a), Timestamp::from_unix_millis(b));
            prop_assert_eq!(first.cmp(&second), first.to_string().cmp(&second.to_string()));
        }

        #[test]
        fn text_reads_back(millis in 0..4_102_444_800_000_i64) {
            let time = Timestamp::from_unix_millis(millis);
            prop_assert_eq!(time.to_string().parse::<Timestamp>().unwrap(), time);
        }
    }
}
