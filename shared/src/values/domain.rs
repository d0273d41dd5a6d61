//! Domains of the internet, which have two forms: the letters that people write, and ASCII, which mail servers know.
//! <https://www.unicode.org/reports/tr46/>

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};

/// The domain in ASCII and lower case: `xn--mnchen-3ya.example` for `München.example`. `None` where it is none.
pub fn to_ascii(domain: &str) -> Option<String> {
    let form = Uts46::new().to_ascii(
        domain.as_bytes(),
        AsciiDenyList::STD3,
        Hyphens::CheckFirstLast,
        DnsLength::Verify,
    );
    form.ok().map(|ascii| ascii.to_string())
}

/// The domain as people write it; as it is where it has no such form.
pub fn to_unicode(domain: &str) -> String {
    let (form, read) =
        Uts46::new().to_unicode(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast);
    if read.is_ok() { form.to_string() } else { domain.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_the_same_in_both_forms() {
        for (written, ascii) in [
            ("münchen.example", "xn--mnchen-3ya.example"),
            ("straße.example", "xn--strae-oqa.example"),
            ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
            ("sub.example.co.uk", "sub.example.co.uk"),
        ] {
            assert_eq!(to_ascii(written).as_deref(), Some(ascii));
            assert_eq!(to_ascii(ascii).as_deref(), Some(ascii));
            assert_eq!(to_unicode(ascii), written);
        }
        for written in ["MÜNCHEN.Example", "mu\u{308}nchen.example", "ｍünchen。example"] {
            assert_eq!(to_ascii(written).as_deref(), Some("xn--mnchen-3ya.example"), "{written}");
        }
    }

    #[test]
    fn what_is_no_domain_has_no_form() {
        for text in [
            "",
            ".",
            "a..b",
            "a.",
            "-a.b",
            "a-.b",
            "a b",
            "a_b.c",
            "xn--\u{fc}.b",
            "xn--a.b",
            "\u{200b}.b",
            "\u{202e}a.b",
            "a@b",
        ] {
            assert_eq!(to_ascii(text), None, "{text:?}");
        }
        assert_eq!(to_ascii(&format!("{}.b", "ü".repeat(63))), None);
        assert_eq!(to_unicode("xn--a.b"), "xn--a.b");
    }
}
