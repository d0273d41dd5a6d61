//! Codes that people type: each follows from a key of the shop's and from what it is for.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The code of so many digits for this, and nothing else. Whoever names what it is for begins with a word of its own.
pub(crate) fn code_of(key: &str, what: &str, digits: usize) -> String {
    // HMAC takes a key of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(what.as_bytes());
    let tag = mac.finalize().into_bytes();
    let number = tag.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let all = 10_u64.pow(u32::try_from(digits).unwrap_or_default());
    format!("{:0digits$}", number % all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_so_many_digits_and_is_for_one_thing_alone() {
        let all: std::collections::BTreeSet<_> =
            (0..100).map(|number| code_of("key", &format!("thing#{number}"), 8)).collect();
        assert!(all.len() > 98 && all.iter().all(|code| code.len() == 8), "{all:?}");
        assert_eq!(code_of("key", "thing", 6), code_of("key", "thing", 6));
        assert_ne!(code_of("key", "thing", 8), code_of("other", "thing", 8));
    }
}
