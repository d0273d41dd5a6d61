//! Chance that can be repeated: each draw follows from the seed and from what it is for.

use sha2::{Digest, Sha256};

/// A stream of draws.
#[derive(Debug, Clone)]
pub(crate) struct Draws {
    key: String,
    count: u64,
}

impl Draws {
    /// The draws of `seed` for `purpose`: the same ones every time.
    pub(crate) fn new(seed: u64, purpose: &str) -> Self {
        Self { key: format!("{seed} {purpose}"), count: 0 }
    }

    fn next(&mut self) -> u64 {
        self.count += 1;
        let hash = Sha256::digest(format!("{} {}", self.key, self.count));
        hash.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.next() % end).unwrap_or_default()
    }

    /// True in so many of 10,000 cases.
    pub(crate) fn chance(&mut self, of_ten_thousand: usize) -> bool {
        self.below(10_000) < of_ten_thousand
    }

    /// One of these, each as likely as its weight.
    pub(crate) fn weighted<T: Copy>(&mut self, choices: &[(usize, T)]) -> Option<T> {
        let mut left = self.below(choices.iter().map(|(weight, _)| weight).sum());
        for (weight, choice) in choices {
            if left < *weight {
                return Some(*choice);
            }
            left -= weight;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_and_another_seed_does_not() {
        let draw = |seed, purpose| {
            let mut draws = Draws::new(seed, purpose);
            (0..8).map(|_| draws.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(draw(1, "a"), draw(1, "a"));
        assert_ne!(draw(1, "a"), draw(2, "a"));
        assert_ne!(draw(1, "a"), draw(1, "b"));
    }

    #[test]
    fn what_has_no_weight_is_never_drawn() {
        let mut draws = Draws::new(1, "weights");
        assert!((0..100).all(|_| draws.weighted(&[(0, 'a'), (1, 'b')]) == Some('b')));
        assert_eq!(draws.weighted::<char>(&[]), None);
    }
}
