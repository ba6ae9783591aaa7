package call

import (
	"cmp"
	"errors"
	"net/netip"
	"net/url"
	"strings"
)

// origin is a URL's scheme, host and port, as grants have it: without the
// scheme's own port.
func origin(u *url.URL) (string, error) {
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Hostname())
	usual, ok := map[string]string{"https": "443", "http": "80"}[scheme]
	if !ok || host == "" {
		return "", errors.New("a URL begins with https:// or http:// and a host")
	}
	if u.User != nil {
		return "", errors.New("a URL holds no user or password")
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port := cmp.Or(u.Port(), usual); port != usual {
		host += ":" + port
	}
	return scheme + "://" + host, nil
}

// named says that an origin means a machine by its address, or this one, so
// that who granted it knows where it is.
func named(u *url.URL) bool {
	_, err := netip.ParseAddr(u.Hostname())
	return err == nil || strings.EqualFold(u.Hostname(), "localhost")
}

// reserved are networks that netip has no word for: shared (RFC 6598), IETF
// protocols, benchmarks, NAT64 and 6to4, which lead to IPv4 addresses.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"),
}

// public says that an address is one of the internet: none of this machine, of
// the network that it is in, or of a cloud's metadata.
func public(ip netip.Addr) bool {
	ip = ip.Unmap()
	if !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return false
	}
	for _, net := range reserved {
		if net.Contains(ip) {
			return false
		}
	}
	return true
}
