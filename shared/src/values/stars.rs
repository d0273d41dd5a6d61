//! How well people like something: stars from one to five, and what many of them come to.

use serde::{Deserialize, Serialize, Serializer};

/// How many give how many stars. In an item these are five counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Stars {
    #[serde(default, rename = "stars1")]
    one: u32,
    #[serde(default, rename = "stars2")]
    two: u32,
    #[serde(default, rename = "stars3")]
    three: u32,
    #[serde(default, rename = "stars4")]
    four: u32,
    #[serde(default, rename = "stars5")]
    five: u32,
}

impl Stars {
    /// How many give one star, two, and so on to five.
    pub const fn each(self) -> [u32; 5] {
        [self.one, self.two, self.three, self.four, self.five]
    }

    /// So many for each number of stars, from one to five.
    pub const fn of([one, two, three, four, five]: [u32; 5]) -> Self {
        Self { one, two, three, four, five }
    }

    /// By how many more each number of stars is given than `before`, from one to five.
    pub fn since(self, before: Self) -> [i64; 5] {
        let (now, before) = (self.each().map(i64::from), before.each().map(i64::from));
        [0, 1, 2, 3, 4].map(|at: usize| now[at] - before[at])
    }

    /// What they come to.
    pub fn rating(self) -> Rating {
        let count: u64 = self.each().into_iter().map(u64::from).sum();
        let sum: u64 = (1..).zip(self.each()).map(|(stars, given)| stars * u64::from(given)).sum();
        // Half a tenth is rounded up.
        let tenths = (sum * 20 + count).checked_div(count * 2);
        Rating { average: tenths.map(Tenths), count }
    }
}

/// What people think of something, in one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rating {
    /// The mean of their stars to one decimal; `None` where nobody has rated it.
    average: Option<Tenths>,
    /// How many have rated it.
    count: u64,
}

impl Rating {
    /// The mean of their stars, in tenths; `None` where nobody has rated it.
    pub fn tenths(self) -> Option<u8> {
        self.average.and_then(|average| u8::try_from(average.0).ok())
    }
}

/// A number with one decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tenths(u64);

impl Serialize for Tenths {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_multiple_of(10) {
            return serializer.serialize_u64(self.0 / 10);
        }
        // The double nearest to it, whose shortest decimal is the number itself.
        serializer.serialize_f64(self.0 as f64 / 10.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn rating(each: [u32; 5]) -> serde_json::Value {
        json!(Stars::of(each).rating())
    }

    #[test]
    fn an_average_has_one_decimal_and_half_a_tenth_is_rounded_up() {
        assert_eq!(rating([0; 5]), json!({ "average": null, "count": 0 }));
        assert_eq!(rating([0, 0, 0, 0, 3]), json!({ "average": 5, "count": 3 }));
        assert_eq!(rating([1, 0, 0, 0, 1]), json!({ "average": 3, "count": 2 }));
        // 4.25 and 4.75, 4.333… and 4.666….
        assert_eq!(rating([0, 0, 0, 3, 1]), json!({ "average": 4.3, "count": 4 }));
        assert_eq!(rating([0, 0, 0, 1, 3]), json!({ "average": 4.8, "count": 4 }));
        assert_eq!(rating([0, 0, 0, 2, 1]), json!({ "average": 4.3, "count": 3 }));
        assert_eq!(rating([0, 0, 0, 1, 2]), json!({ "average": 4.7, "count": 3 }));
    }

    proptest! {
        #[test]
        fn what_was_before_and_what_came_since_are_what_is_now(
            before in prop::array::uniform5(0..=u32::MAX), now in prop::array::uniform5(0..=u32::MAX),
        ) {
            let since = Stars::of(now).since(Stars::of(before));
            let sum: Vec<i64> = before.iter().zip(since).map(|(before, since)| i64::from(*before) + since).collect();
            prop_assert_eq!(sum, now.map(i64::from));
        }

        #[test]
        fn an_average_is_the_tenth_nearest_to_the_mean(each in prop::array::uniform5(0..=u32::MAX)) {
            let count: i128 = each.iter().map(|given| i128::from(*given)).sum();
            let sum: i128 = (1..).zip(each).map(|(stars, given)| stars * i128::from(given)).sum();
            match Stars::of(each).rating().average {
                None => prop_assert_eq!(count, 0),
                Some(Tenths(tenths)) => {
                    prop_assert!((10..=50).contains(&tenths));
                    // Within half a tenth of the mean, times the count.
                    let off = 20 * sum - 2 * i128::from(tenths) * count;
                    prop_assert!(-count <= off && off < count, "{} off", off);
                }
            }
        }
    }

    #[test]
    fn who_sorts_by_a_rating_has_it_in_tenths() {
        assert_eq!(Stars::of([0, 0, 0, 1, 3]).rating().tenths(), Some(48));
        assert_eq!(Stars::default().rating().tenths(), None);
    }
}
