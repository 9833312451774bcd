package publicnet

import "net/netip"

// special are the blocks within the unicast space that are not for the public.
// From the two IANA registries: every block that is not "globally reachable",
// and those of protocols no website uses.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),       // this network, RFC 791
	netip.MustParsePrefix("10.0.0.0/8"),      // private use, RFC 1918
	netip.MustParsePrefix("100.64.0.0/10"),   // shared space of carriers (CGNAT), RFC 6598
	netip.MustParsePrefix("127.0.0.0/8"),     // loopback, RFC 1122
	netip.MustParsePrefix("169.254.0.0/16"),  // link-local, RFC 3927; most clouds' metadata
	netip.MustParsePrefix("172.16.0.0/12"),   // private use, RFC 1918
	netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments, RFC 6890
	netip.MustParsePrefix("192.0.2.0/24"),    // documentation, RFC 5737
	netip.MustParsePrefix("192.88.99.0/24"),  // relays of 6to4, RFC 7526
	netip.MustParsePrefix("192.168.0.0/16"),  // private use, RFC 1918
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarking, RFC 2544
	netip.MustParsePrefix("198.51.100.0/24"), // documentation, RFC 5737
	netip.MustParsePrefix("203.0.113.0/24"),  // documentation, RFC 5737
	netip.MustParsePrefix("224.0.0.0/4"),     // multicast, RFC 5771
	netip.MustParsePrefix("240.0.0.0/4"),     // reserved, RFC 1112; holds the broadcast address

	// A public number that Azure answers on inside of its guests' networks:
	// https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
	netip.MustParsePrefix("168.63.129.16/32"),

	netip.MustParsePrefix("2001::/23"),     // protocol assignments, RFC 2928: Teredo, benchmarking, ORCHID
	netip.MustParsePrefix("2001:db8::/32"), // documentation, RFC 3849
	netip.MustParsePrefix("2002::/16"),     // 6to4, RFC 3056: holds any IPv4 address
	netip.MustParsePrefix("3fff::/20"),     // documentation, RFC 9637
}

var (
	// unicast6 is all of IPv6 that has been given out for the public. Outside
	// of it are loopback, link-local, unique local, multicast, the discard
	// block, IPv4-compatible addresses, and 64:ff9b:1::/48 (RFC 8215).
	unicast6 = netip.MustParsePrefix("2000::/3")
	// nat64 holds an IPv4 address in its last 32 bits, RFC 6052. On networks
	// without IPv4 every older website has such an address.
	nat64 = netip.MustParsePrefix("64:ff9b::/96")
)

// Public reports whether an address belongs to the public internet. An IPv4
// address within an IPv6 one (mapped, or NAT64) is judged itself. An address
// with a zone, or none at all, is not public.
func Public(a netip.Addr) bool {
	if !a.IsValid() || a.Zone() != "" {
		return false
	}
	a = a.Unmap()
	if nat64.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	if a.Is6() && !unicast6.Contains(a) {
		return false
	}
	for _, block := range special {
		if block.Contains(a) {
			return false
		}
	}
	return true
}
