//! Addresses of the open internet: a client that goes to no other, whoever chose where it goes.
//!
//! A name is looked up once, every address that it has is checked, and the connection goes to one of those very
//! addresses: nobody asks for the name again in between, so an answer that changes changes nothing. What is checked is
//! the address and not how it is written; a host that is an address in the first place is refused, because nobody looks
//! such a one up.
//! <https://www.iana.org/assignments/iana-ipv4-special-registry/>,
//! <https://www.iana.org/assignments/iana-ipv6-special-registry/>

use std::error::Error;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs};
use std::sync::Arc;

use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};

/// What a host may not be to connect to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotPublic {
    /// The URL is not one that begins with `https://`, names a host and leaves the port as it is.
    #[error("the URL is not https with a host's name and no port")]
    Url,
    /// The name leads to an address that is not of the open internet. It is not told: it would tell of a network.
    #[error("the name leads to an address that is not public")]
    Address,
}

/// Whether an address is one of the open internet: not of this machine, of a private or a provider's network, of a
/// link, of many at once, for documents or tests, reserved, or an IPv6 address that stands for an IPv4 one, whichever.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Networks of IPv4 that are not public, by their first address and the length of their prefix.
const NOT_PUBLIC_V4: [([u8; 4], u32); 16] = [
    // This network.
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    // Of a provider that shares addresses.
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    // Of a link, with what clouds tell their machines.
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    // Of protocols.
    ([192, 0, 0, 0], 24),
    // For documents.
    ([192, 0, 2, 0], 24),
    // Of AS112, which answers for private addresses, and its second one below.
    ([192, 31, 196, 0], 24),
    // To relays of 6to4.
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([192, 175, 48, 0], 24),
    // For tests of speed.
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    // To many at once, reserved, and to all.
    ([224, 0, 0, 0], 3),
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    let is_in = |(network, length): &([u8; 4], u32)| {
        let differs = u32::from(address) ^ u32::from_be_bytes(*network);
        differs.leading_zeros() >= *length
    };
    !NOT_PUBLIC_V4.iter().any(is_in)
}

/// Of IPv6 only `2000::/3` is given out; in it these are not public.
const NOT_PUBLIC_V6: [([u16; 8], u32); 6] = [
    // Of protocols, with Teredo, tests of speed and ORCHID.
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
    // For documents.
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
    // 6to4, in which an IPv4 address stands.
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16),
    ([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48),
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
    // The 6bone of old.
    ([0x3ffe, 0, 0, 0, 0, 0, 0, 0], 16),
];

fn is_public_v6(address: Ipv6Addr) -> bool {
    let is_in = |network: [u16; 8], length: u32| {
        let differs = u128::from(address) ^ u128::from(Ipv6Addr::from(network));
        differs.leading_zeros() >= length
    };
    is_in([0x2000, 0, 0, 0, 0, 0, 0, 0], 3)
        && !NOT_PUBLIC_V6.iter().any(|(network, length)| is_in(*network, *length))
}

/// Whether this URL may be asked for at all: `https`, a host's name, the port that goes with it, and no user's name.
///
/// # Errors
/// [`NotPublic::Url`].
pub fn check_url(url: &str) -> Result<(), NotPublic> {
    let rest = url.strip_prefix("https://").ok_or(NotPublic::Url)?;
    let host = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    let host = host.strip_suffix(":443").unwrap_or(host);
    let last = host.rsplit('.').next().unwrap_or_default();
    // The last part of an address is a number in each of the ways to write one, of a name it never is.
    let is_number = last.starts_with(|c: char| c.is_ascii_digit());
    let is_part = |part: &str| {
        let is_plain = part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        is_plain && !part.is_empty() && !part.starts_with('-')
    };
    let is_name = host.contains('.') && host.split('.').all(is_part);
    if is_name && !is_number { Ok(()) } else { Err(NotPublic::Url) }
}

/// Asks for the addresses of a name.
type LookUp = dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync;

/// Gives the addresses of a name if each of them is public.
#[derive(Clone)]
pub(super) struct PublicNames(Arc<LookUp>);

impl PublicNames {
    /// As this machine knows names.
    pub(super) fn of_the_machine() -> Self {
        // The port is not asked for.
        Self::by(|name| Ok((name, 443).to_socket_addrs()?.map(|address| address.ip()).collect()))
    }

    /// As somebody else does.
    pub(super) fn by(look_up: impl Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync + 'static) -> Self {
        Self(Arc::new(look_up))
    }

    async fn addresses(self, name: String) -> Result<Vec<IpAddr>, ResolveDnsError> {
        // It may take long, and must not keep everything else of this thread from going on.
        let found = tokio::task::spawn_blocking(move || (self.0)(&name)).await;
        let found = found.map_err(ResolveDnsError::new)?.map_err(ResolveDnsError::new)?;
        if found.iter().all(|address| is_public(*address)) {
            Ok(found)
        } else {
            Err(ResolveDnsError::new(NotPublic::Address))
        }
    }
}

impl ResolveDns for PublicNames {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        DnsFuture::new(self.clone().addresses(name.to_owned()))
    }
}

impl fmt::Debug for PublicNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicNames(…)")
    }
}

/// The refusal that lies behind an error of a connection, if there is one.
pub(super) fn refusal(error: &(dyn Error + 'static)) -> Option<NotPublic> {
    let mut causes = std::iter::successors(Some(error), |&error| error.source());
    causes.find_map(|error| error.downcast_ref::<NotPublic>()).copied()
}

#[cfg(test)]
mod tests {
    use super::super::{Method, Outside, OutsideError, Request};
    use super::*;
    use std::net::TcpListener;
    use std::sync::Mutex;
    use std::time::Duration;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// This machine, which no code names.
    fn here() -> IpAddr {
        IpAddr::from([127, 0, 0, 1])
    }

    /// Of every network that is not public its first and its last address, and what stands for others.
    const NOT_PUBLIC: [&str; 58] = [
        "0.0.0.0",
        "0.255.255.255",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.0",
        "100.127.255.255",
        "127.0.0.2",
        "127.255.255.255",
        "169.254.0.0",
        "169.254.169.254",
        "169.254.170.2",
        "172.16.0.0",
        "172.31.255.255",
        "192.0.0.0",
        "192.0.0.170",
        "192.0.0.255",
        "192.0.2.1",
        "192.31.196.1",
        "192.88.99.1",
        "192.168.0.0",
        "192.168.255.255",
        "192.175.48.1",
        "198.18.0.0",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.7",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        // IPv4-compatible and IPv4-mapped, whatever is in them.
        "::10.0.0.1",
        "::1.1.1.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:1.1.1.1",
        "::ffff:0:10.0.0.1",
        // NAT64, also of a network of its own.
        "64:ff9b::10.0.0.1",
        "64:ff9b::1.1.1.1",
        "64:ff9b:1::10.0.0.1",
        "100::1",
        "2001::1",
        "2001:2::1",
        "2001:20::1",
        "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001:db8::1",
        "2002:a00:1::1",
        "2002:101:101::1",
        "2620:4f:8000::1",
        "3ffe::1",
        "3fff:fff:ffff::1",
        "5f00::1",
        "fc00::1",
        "fd00::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ];

    const PUBLIC: [&str; 16] = [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "198.20.0.0",
        "223.255.255.255",
        "2001:200::1",
        "2606:4700:4700::1111",
        "2a00:1450:4001::1",
    ];

    #[test]
    fn what_is_not_of_the_open_internet_is_not_public() {
        assert!(!is_public(here()));
        assert!(!is_public(IpAddr::V6(Ipv4Addr::from([127, 0, 0, 1]).to_ipv6_mapped())));
        assert_eq!(
            NOT_PUBLIC.into_iter().filter(|text| is_public(address(text))).collect::<Vec<_>>(),
            [""; 0]
        );
        assert_eq!(PUBLIC.into_iter().filter(|text| !is_public(address(text))).collect::<Vec<_>>(), [""; 0]);
    }

    #[test]
    fn a_host_is_a_name_reached_by_tls_on_its_port() {
        for url in [
            "https://example.com",
            "https://example.com:443/a?b=c",
            "https://a1.2b.example/",
            "https://e.c0m",
        ] {
            assert_eq!(check_url(url), Ok(()), "{url}");
        }
        for url in [
            "http://example.com/",
            "https://example.com:8443/",
            "https://example.com:22",
            "https://ann@example.com/",
            "https://ann:secret@example.com/",
            "https://10.0.0.1/",
            "https://1.1.1.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://a.0x7f000001/",
            "https://017700000001/",
            "https://127.1/",
            "https://[::1]/",
            "https://[fd00::1]/",
            "https://intranet/",
            "https://example.com./",
            "https://ex%61mple.com/",
            "https://exämple.com/",
            "https:///a",
            "ftp://example.com/",
            "",
        ] {
            assert_eq!(check_url(url), Err(NotPublic::Url), "{url}");
        }
    }

    /// A client whose names have these addresses, one list after another, and how often it asked for some.
    fn client(answers: Vec<Vec<IpAddr>>) -> (Outside, Arc<Mutex<usize>>) {
        let asked = Arc::new(Mutex::new(0));
        let count = Arc::clone(&asked);
        let names = PublicNames::by(move |_| {
            let mut asked = count.lock().unwrap();
            *asked += 1;
            Ok(answers.get(*asked - 1).or(answers.last()).cloned().unwrap_or_default())
        });
        (Outside::to_public("things").with_names(names), asked)
    }

    async fn get(outside: &Outside, url: &str) -> OutsideError {
        let request = Request { method: Method::Get, url, headers: &[], body: "" };
        outside.send(&request, Duration::from_secs(4)).await.unwrap_err()
    }

    #[tokio::test]
    async fn a_name_of_which_one_address_is_not_public_is_not_connected_to() {
        for bad in NOT_PUBLIC.map(address).into_iter().chain([here()]) {
            for addresses in [vec![bad], vec![address("1.1.1.1"), bad], vec![bad, address("1.1.1.1")]] {
                let (outside, asked) = client(vec![addresses]);
                let error = get(&outside, "https://shop.example/").await;
                assert!(matches!(error, OutsideError::NotPublic(NotPublic::Address)), "{bad}: {error:?}");
                assert_eq!(*asked.lock().unwrap(), 1);
            }
        }
    }

    /// Who looked at the first answer and connected by another would be here. Nobody is at the first address, or
    /// whoever is there has no certificate of that name.
    #[tokio::test]
    async fn a_name_that_leads_elsewhere_after_it_was_checked_leads_nobody_there() {
        let listener = TcpListener::bind((here(), 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let (outside, asked) = client(vec![vec![address("1.1.1.1")], vec![here()]]);
        let error = get(&outside, "https://shop.example/").await;
        assert!(matches!(error, OutsideError::Connection(_) | OutsideError::TimedOut(_)), "{error:?}");
        assert_eq!((*asked.lock().unwrap(), listener.accept().is_err()), (1, true));
        // The next request asks anew, and is refused by what it is told then.
        let error = get(&outside, "https://shop.example/").await;
        assert!(matches!(error, OutsideError::NotPublic(NotPublic::Address)), "{error:?}");
        assert_eq!((*asked.lock().unwrap(), listener.accept().is_err()), (2, true));
    }

    #[tokio::test]
    async fn what_needs_no_look_up_is_refused_before_anybody_connects() {
        let listener = TcpListener::bind((here(), 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (outside, asked) = client(vec![vec![address("1.1.1.1")]]);
        for url in [format!("http://{}:{port}/", here()), format!("https://{}:{port}/", here())] {
            let error = get(&outside, &url).await;
            assert!(matches!(error, OutsideError::NotPublic(NotPublic::Url)), "{error:?}");
        }
        assert_eq!((*asked.lock().unwrap(), listener.accept().is_err()), (0, true));
    }
}
