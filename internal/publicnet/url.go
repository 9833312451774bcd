package publicnet

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// checkURL refuses what needs no look-up to be refused.
func (o Options) checkURL(u *url.URL) error {
	switch {
	case u == nil || u.Opaque != "" || u.Hostname() == "":
		return fmt.Errorf("%w: it names no host", ErrURL)
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("%w: it is %.20q, not http or https", ErrURL, u.Scheme)
	case u.User != nil:
		return fmt.Errorf("%w: it holds a user's name", ErrURL)
	case len(u.Host)+len(u.EscapedPath())+len(u.RawQuery) > maxURL:
		return fmt.Errorf("%w: it is longer than %d bytes", ErrURL, maxURL)
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return fmt.Errorf("%w: %.20q is no port", ErrURL, port)
	}
	// Whether it is loopback, where every port may be open, shows when dialled.
	if !o.AllowLoopback && !slices.Contains(o.Ports, uint16(n)) {
		return fmt.Errorf("%w: %d", ErrPort, n)
	}
	return nil
}

// checkAddr decides on an address that is about to be dialled.
func (o Options) checkAddr(a netip.AddrPort) error {
	if o.AllowLoopback && a.Addr().Unmap().IsLoopback() && a.Addr().Zone() == "" {
		return nil
	}
	if !Public(a.Addr()) {
		return fmt.Errorf("%w: %s", ErrPrivate, a.Addr())
	}
	if !slices.Contains(o.Ports, a.Port()) {
		return fmt.Errorf("%w: %d", ErrPort, a.Port())
	}
	return nil
}

// inner are the ends of names that mean something in one network only, or are
// not for the public's name servers at all: RFC 6761, RFC 6762, RFC 8375,
// RFC 7686, and ICANN's resolution 2024.07.29.06.
var inner = []string{"localhost", "local", "internal", "home.arpa", "onion"}

// checkName returns a host name as it is looked up: lower-case ASCII with at
// least one dot, but none at its end. International names have been brought
// to ASCII by the transport; where that failed, they are refused here.
func (o Options) checkName(host string) (string, error) {
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	if !wellFormed(name) {
		return "", fmt.Errorf("%w: %.80q is no name of a host", ErrURL, host)
	}
	if o.AllowLoopback && (name == "localhost" || strings.HasSuffix(name, ".localhost")) {
		return name, nil
	}
	for _, end := range inner {
		if name == end || strings.HasSuffix(name, "."+end) {
			return "", fmt.Errorf("%w: %.80s", ErrPrivate, name)
		}
	}
	if !strings.Contains(name, ".") {
		// A neighbour's name, which the machine's search list completes.
		return "", fmt.Errorf("%w: %.80s", ErrPrivate, name)
	}
	return name, nil
}

func wellFormed(name string) bool {
	if name == "" || len(name) > 253 {
		return false
	}
	last := ""
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_'
		}) {
			return false
		}
		last = label
	}
	// What ends in a number is an IPv4 address in disguise, like 127.1 or
	// 0x7f.1: https://url.spec.whatwg.org/#ends-in-a-number-checker
	_, err := strconv.ParseUint(last, 0, 64)
	return err != nil && strings.Trim(last, "0123456789") != ""
}
