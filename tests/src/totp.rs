//! An authenticator app (RFC 6238): SHA-1, six digits, half a minute. A crate for it would bring settings, clocks and
//! QR codes; the two that it needs are here already, and the rest is this.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// How long a code is shown.
const SECONDS: i64 = 30;

/// A key that an app was told.
#[derive(Debug, Clone)]
pub struct App {
    key: Vec<u8>,
}

impl App {
    /// The app of a key in Base32 (RFC 4648).
    ///
    /// # Panics
    /// When it is none.
    pub fn of(secret: &str) -> Self {
        let letters = secret.bytes().map(|letter| match letter {
            b'A'..=b'Z' => u64::from(letter - b'A'),
            b'2'..=b'7' => u64::from(letter - b'2' + 26),
            _ => panic!("a key in Base32, and not {secret}"),
        });
        let letters: Vec<_> = letters.collect();
        // Eight letters are five bytes; what is left of the last letters is padding.
        let key = letters.chunks(8).flat_map(|eight| {
            let bits = eight.iter().fold(0, |bits, letter| bits << 5 | letter) << (5 * (8 - eight.len()));
            bits.to_be_bytes().into_iter().skip(3).take(eight.len() * 5 / 8)
        });
        Self { key: key.collect() }
    }

    /// What it shows now.
    pub fn code(&self) -> String {
        self.code_at(now())
    }

    /// What it shows next, which is taken already: clocks differ. For what follows a code, since each is taken once.
    pub fn next_code(&self) -> String {
        self.code_at(now() + SECONDS)
    }

    fn code_at(&self, unix_seconds: i64) -> String {
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(&(unix_seconds / SECONDS).to_be_bytes());
        let hash = mac.finalize().into_bytes();
        let at = usize::from(hash[19] & 0xf);
        let four: [u8; 4] = hash[at..at + 4].try_into().expect("four bytes");
        format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000)
    }
}

#[expect(clippy::disallowed_methods, reason = "a test stands outside of the shop, where the time comes from")]
fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, whose codes have two digits more in front.
    #[test]
    fn codes_are_those_of_the_standard() {
        let app = App::of("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(app.key, b"12345678901234567890");
        for (time, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(app.code_at(time), code);
        }
    }
}
