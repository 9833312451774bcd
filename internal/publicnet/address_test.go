package publicnet

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

func TestPublic(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		addrs string
		want  bool
	}{
		{"8.8.8.8 1.1.1.1 93.184.216.34 100.63.255.255 100.128.0.0 172.15.255.255 172.32.0.0 198.17.255.255 198.20.0.0 223.255.255.255", true},
		{"192.0.1.0 192.31.196.1 192.175.48.1 169.253.255.255 169.255.0.0 126.255.255.255 128.0.0.0 11.0.0.0 168.63.129.15", true},
		{"2a00:1450:4001::1 2606:4700::1111 2001:200::1 2001:4860:4860::8888 2003::1 3ffe::1 3fff:1000::", true},
		{"::ffff:8.8.8.8 64:ff9b::8.8.8.8", true},

		{"0.0.0.0 0.1.2.3", false},                                // unspecified
		{"10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1", false}, // private
		{"127.0.0.1 127.255.255.254", false},                      // loopback
		{"100.64.0.1 100.127.255.255 100.100.100.200", false},     // carriers; a cloud's metadata
		{"169.254.169.254 169.254.0.1", false},                    // link-local, metadata
		{"192.0.0.1 192.0.0.170 192.88.99.1 192.88.99.2", false},
		{"192.0.2.1 198.51.100.7 203.0.113.9 2001:db8::1 3fff::1 3fff:fff::1", false}, // documentation
		{"198.18.0.1 198.19.255.255 2001:2::1", false},                                // benchmarking
		{"224.0.0.1 239.255.255.255 ff02::1 ff0e::1", false},                          // multicast
		{"240.0.0.1 255.255.255.255", false},
		{"168.63.129.16", false},
		{":: ::1 ::8.8.8.8 100::1 5f00::1 4000::1 e000::1", false},
		{"fe80::1 fec0::1 febf::1 fe80::1%eth0 2606:4700::1111%eth0", false},
		{"fc00::1 fd00:ec2::254 fdff::1", false},                             // unique local
		{"::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254", false},   // mapped
		{"64:ff9b::127.0.0.1 64:ff9b::10.0.0.1 64:ff9b::a9fe:a9fe", false},   // NAT64
		{"64:ff9b:1::1 64:ff9b:1:ffff::8.8.8.8 64:ff9b:0:1::8.8.8.8", false}, // NAT64 of a network's own
		{"2002:7f00:1:: 2002:808:808::1 2001::1 2001:0:4136:e378::1", false}, // 6to4, Teredo
		{"2001:10::1 2001:20::1 2001:1ff:ffff::1 2001:4:112::1", false},      // other protocols
	} {
		for s := range strings.FieldsSeq(c.addrs) {
			if got := Public(netip.MustParseAddr(s)); got != c.want {
				t.Errorf("Public(%s) = %v", s, got)
			}
		}
	}
	if Public(netip.Addr{}) {
		t.Error("no address at all is public")
	}
}

func TestAddressesAsTheyAreDialled(t *testing.T) {
	t.Parallel()
	strict := Options{}.withDefaults()
	open := Options{AllowLoopback: true}.withDefaults()
	for _, c := range []struct {
		opt  Options
		addr string
		want error
	}{
		{strict, "8.8.8.8:443", nil}, {strict, "8.8.8.8:80", nil}, {strict, "[2606:4700::1111]:443", nil},
		{strict, "8.8.8.8:22", ErrPort}, {strict, "8.8.8.8:0", ErrPort}, {strict, "[2606:4700::1111]:25", ErrPort},
		{strict, "127.0.0.1:80", ErrPrivate}, {strict, "[::1]:80", ErrPrivate}, {strict, "10.0.0.1:22", ErrPrivate},
		{open, "127.0.0.1:4711", nil}, {open, "[::1]:4711", nil}, {open, "[::ffff:127.0.0.1]:4711", nil},
		{open, "[64:ff9b::7f00:1]:80", ErrPrivate}, {open, "0.0.0.0:80", ErrPrivate}, {open, "[::]:80", ErrPrivate},
		{open, "10.0.0.1:80", ErrPrivate}, {open, "169.254.169.254:80", ErrPrivate}, {open, "8.8.8.8:4711", ErrPort},
		{open, "[::1%lo]:80", ErrPrivate},
		{Options{Ports: []uint16{8443}}.withDefaults(), "8.8.8.8:8443", nil},
		{Options{Ports: []uint16{8443}}.withDefaults(), "8.8.8.8:443", ErrPort},
	} {
		if err := c.opt.checkAddr(netip.MustParseAddrPort(c.addr)); !errors.Is(err, c.want) {
			t.Errorf("%s, loopback %v: %v, not %v", c.addr, c.opt.AllowLoopback, err, c.want)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	strict := Options{}.withDefaults()
	for host, want := range map[string]error{
		"art.example": nil, "Art.Example.": nil, "xn--e1afmkfd.xn--p1ai": nil, "a_b.example.org": nil, "localhost.example.org": nil,
		"1.2.3.4.example.org": nil, "0x7f.example.org": nil, strings.Repeat("a.", 120) + "example": nil,

		"localhost": ErrPrivate, "LOCALHOST.": ErrPrivate, "app.localhost": ErrPrivate, "printer.local": ErrPrivate,
		"metadata.google.internal": ErrPrivate, "router.home.arpa": ErrPrivate, "abc.onion": ErrPrivate, "router": ErrPrivate, "intranet.": ErrPrivate,

		"": ErrURL, ".": ErrURL, "a..example": ErrURL, ".example.org": ErrURL, "a b.example": ErrURL, "exämple.org": ErrURL, "a\x00.example": ErrURL,
		"127.1": ErrURL, "127.0.0.1.": ErrURL, "2130706433": ErrURL, "0x7f000001": ErrURL, "0x7f.1": ErrURL, "0177.0.0.01": ErrURL, "a.09": ErrURL,
		"ｌocalhost": ErrURL, "１２７.0.0.1": ErrURL, "a%2eexample": ErrURL, "::1": ErrURL, "a/b.example": ErrURL,
		strings.Repeat("a", 64) + ".example": ErrURL, strings.Repeat("a.", 126) + "example": ErrURL,
	} {
		if _, err := strict.checkName(host); !errors.Is(err, want) {
			t.Errorf("%q: %v, not %v", host, err, want)
		}
	}
	open := Options{AllowLoopback: true}
	for host, want := range map[string]error{"localhost": nil, "App.localhost.": nil, "printer.local": ErrPrivate, "router": ErrPrivate} {
		if _, err := open.checkName(host); !errors.Is(err, want) {
			t.Errorf("with loopback, %q: %v, not %v", host, err, want)
		}
	}
}

func TestURLs(t *testing.T) {
	t.Parallel()
	strict := Options{}.withDefaults()
	for address, want := range map[string]error{
		"https://art.example": nil, "http://art.example:80/a?b#c": nil, "HTTPS://art.example:443/": nil, "https://art.example:": nil,
		"https://art.example:22": ErrPort, "http://art.example:8080": ErrPort, "http://art.example:0": ErrPort,
		"http://art.example:99999": ErrURL,
		"ftp://art.example":        ErrURL, "file:///etc/passwd": ErrURL, "gopher://art.example": ErrURL, "unix://x": ErrURL, "javascript:alert(1)": ErrURL,
		"https:art.example": ErrURL, "https:///art.example": ErrURL, "//art.example": ErrURL, "/a": ErrURL, "": ErrURL, "https://:443": ErrURL,
		"https://ada@art.example": ErrURL, "https://ada:secret@art.example": ErrURL, "https://@art.example": ErrURL, "https://art.example@10.0.0.1/": ErrURL,
		"https://art.example/" + strings.Repeat("a", maxURL): ErrURL,
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if err := strict.checkURL(u); !errors.Is(err, want) {
			t.Errorf("%.100q: %v, not %v", address, err, want)
		}
	}
}

// FuzzPublic: an address is what it is in every way of writing it, and nothing
// that the standard library calls private is public.
func FuzzPublic(f *testing.F) {
	for _, s := range []string{"8.8.8.8", "::1", "64:ff9b::7f00:1", "2002:7f00:1::", "fe80::1%eth0", "255.255.255.255"} {
		a := netip.MustParseAddr(s)
		f.Add(a.AsSlice())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, ok := netip.AddrFromSlice(b)
		if !ok {
			return
		}
		plain := a.Unmap()
		if !Public(a) {
			return
		}
		if plain.IsPrivate() || plain.IsLoopback() || plain.IsMulticast() || plain.IsLinkLocalUnicast() || plain.IsUnspecified() || !plain.IsGlobalUnicast() {
			t.Errorf("%s is public", a)
		}
		if !Public(netip.AddrFrom16(a.As16())) {
			t.Errorf("%s is public, but not when it is written with 16 bytes", a)
		}
	})
}

// FuzzURL: whatever passes has a scheme, a host and a port of the web, and its
// name is one that can be looked up.
func FuzzURL(f *testing.F) {
	for _, s := range []string{"https://art.example/a?b=c#d", "http://127.1/", "http://[::1]/", "http://ada@art.example", "http://ｌocalhost/", "http://a%2eb/", "https://2130706433"} {
		f.Add(s)
	}
	strict := Options{}.withDefaults()
	f.Fuzz(func(t *testing.T, address string) {
		u, err := url.Parse(address)
		if err != nil || strict.checkURL(u) != nil {
			return
		}
		if u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.Hostname() == "" {
			t.Errorf("%q passed", address)
		}
		if p := u.Port(); p != "" && strings.TrimLeft(p, "0") != "80" && strings.TrimLeft(p, "0") != "443" {
			t.Errorf("%q passed with the port %s", address, p)
		}
		name, err := strict.checkName(u.Hostname())
		if err != nil {
			return
		}
		if _, err := netip.ParseAddr(name); err == nil || strings.HasSuffix(name, "localhost") || !strings.Contains(name, ".") || strings.HasSuffix(name, ".") {
			t.Errorf("%q passed with the name %q", address, name)
		}
		if again, err := strict.checkName(name); err != nil || again != name {
			t.Errorf("%q became %q, then %q, %v", u.Hostname(), name, again, err)
		}
	})
}
