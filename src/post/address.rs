//! Which addresses are of the public internet: a webhook that anybody may enter must not lead
//! into the network that the portal stands in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Resolves names to public addresses alone, but for the hosts it is told to let pass. What is
/// connected to is what was looked at: a name that changes its mind in between gains nothing.
#[derive(Clone, Debug)]
pub(super) struct PublicOnly {
    pub spared: Arc<dyn Spared>,
}

/// Which hosts may have any address.
pub(super) trait Spared: std::fmt::Debug + Send + Sync {
    fn spares(&self, host: &str) -> bool;
}

#[derive(Debug, thiserror::Error)]
#[error("its address is not of the public internet")]
struct Inside;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let spared = self.spared.spares(name.as_str());
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let usable: Vec<_> = found.filter(|it| spared || is_public(it.ip())).collect();
            if usable.is_empty() {
                return Err(Inside.into());
            }
            Ok(Box::new(usable.into_iter()) as Addrs)
        })
    }
}

/// Whether a name leads nowhere but into a private network, as this machine sees it. One that it
/// cannot look up, as behind a proxy that does so for it, is left to that proxy.
pub(super) async fn leads_inside(host: &str) -> bool {
    let Ok(found) = tokio::net::lookup_host((host, 0)).await else { return false };
    !found.into_iter().any(|address| is_public(address.ip()))
}

/// Whether an address is one of the public internet, by IANA's registries of special ones.
pub(super) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a, b, c) == (192, 0, 0)
        || (a, b, c) == (192, 88, 99)
        || (a == 198 && (18..20).contains(&b));
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [first, second, third, _, _, _, last_but_one, last] = ip.segments();
    // Addresses that carry another inside are judged by it.
    let carried = |high: u16, low: u16| {
        is_public_v4(Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low)))
    };
    match first {
        0x64 if second == 0xff9b && third == 0 => carried(last_but_one, last),
        0x2002 => carried(second, third),
        // 2001::/23 is IETF's own (Teredo among it), 2001:db8::/32 is for books.
        0x2001 => second >= 0x0200 && second != 0x0db8,
        // What is given out to anybody; all else is special, ::ffff:0:0/96 among it.
        0x2000..=0x3fff => first != 0x3fff,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_is_inside_when_all_its_addresses_are_and_left_to_a_proxy_when_unknown() {
        assert!(leads_inside("localhost").await && leads_inside("10.0.0.8").await);
        let unknown = "a".repeat(300);
        assert!(!leads_inside("8.8.8.8").await && !leads_inside(&unknown).await);
    }

    #[test]
    fn nothing_inside_is_taken_for_public() {
        for inside in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.0.8",
            "::1",
            "::",
            "::ffff:10.0.0.1",
            "::ffff:8.8.8.8",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "fec0::1",
            "ff02::1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
            "3fff::1",
        ] {
            assert!(!is_public(inside.parse().unwrap()), "{inside}");
        }
        for outside in [
            "8.8.8.8",
            "52.112.0.1",
            "172.32.0.1",
            "100.128.0.1",
            "2603:1020::1",
            "2001:4860::8888",
            "64:ff9b::808:808",
        ] {
            assert!(is_public(outside.parse().unwrap()), "{outside}");
        }
    }
}
