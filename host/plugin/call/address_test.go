package call

import (
	"context"
	"net/netip"
	"net/url"
	"testing"
)

func TestOnlyAddressesOfTheInternetArePublic(t *testing.T) {
	for address, want := range map[string]bool{
		"93.184.216.34": true, "2606:2800:220:1::1": true, "8.8.8.8": true,
		"127.0.0.1": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false,
		"100.64.0.1": false, "0.0.0.0": false, "0.1.2.3": false, "224.0.0.1": false, "255.255.255.255": false, "198.18.0.1": false,
		"::1": false, "::": false, "fe80::1": false, "fc00::1": false, "fd00:ec2::254": false, "::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false,
		"64:ff9b::7f00:1": false, "2002:7f00:1::": false, "ff02::1": false,
	} {
		if got := public(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: public = %v, want %v", address, got, want)
		}
	}
}

func TestANameCannotLeadIntoTheOwnNetwork(t *testing.T) {
	if err := guard(t.Context(), "tcp", "169.254.169.254:80", nil); err == nil {
		t.Error("a name may lead to a cloud's metadata")
	}
	if err := guard(t.Context(), "tcp", "8.8.8.8:443", nil); err != nil {
		t.Error(err)
	}
	if err := guard(context.WithValue(t.Context(), addressed{}, true), "tcp4", "10.0.0.1:443", nil); err != nil {
		t.Errorf("what is granted by its address: %v", err)
	}
}

func TestOriginsAreComparedInOneForm(t *testing.T) {
	for text, want := range map[string]string{
		"https://Example.COM/a?b":    "https://example.com",
		"https://example.com:443":    "https://example.com",
		"HTTP://example.com:80/":     "http://example.com",
		"https://example.com:8443/":  "https://example.com:8443",
		"https://[2001:DB8::1]:443/": "https://[2001:db8::1]",
	} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := origin(u); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", text, got, err, want)
		}
	}
}
