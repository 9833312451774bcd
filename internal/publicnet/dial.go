package publicnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
)

// dialer connects to addresses that it has checked.
type dialer struct {
	opt     Options
	connect func(ctx context.Context, network, address string) (net.Conn, error)
}

func newDialer(o Options) *dialer {
	d := &dialer{opt: o}
	d.connect = (&net.Dialer{
		Timeout: oneDial,
		// The last look, at what the system is told: it holds even if what
		// comes before it has a hole.
		ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil {
				return fmt.Errorf("%w: %.80q", ErrPrivate, address)
			}
			return o.checkAddr(to)
		},
	}).DialContext
	return d
}

// dial connects to one of the addresses of a host. If any of them is not
// public none is tried: an honest website has no such mixture.
func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupAndDial)
	defer cancel()
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("%w: %.80q", ErrURL, address)
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("%w: %.20q is no port", ErrURL, service)
	}
	addrs, err := d.addresses(ctx, host)
	if err != nil {
		return nil, err
	}
	for _, a := range addrs {
		if err := d.opt.checkAddr(netip.AddrPortFrom(a, uint16(port))); err != nil {
			return nil, err
		}
	}
	var errs []error
	for _, a := range addrs[:min(len(addrs), maxDials)] {
		conn, err := d.connect(ctx, network, netip.AddrPortFrom(a, uint16(port)).String())
		if err == nil {
			return conn, nil
		}
		if errs = append(errs, err); ctx.Err() != nil {
			break
		}
	}
	return nil, errors.Join(errs...)
}

// addresses returns at least one address of a host, or an error.
func (d *dialer) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	name, err := d.opt.checkName(host)
	if err != nil {
		return nil, err
	}
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		// Its meaning is fixed, RFC 6761; checkName lets it pass for tests only.
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}, nil
	}
	addrs, err := d.opt.Resolver(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("look up %s: %w", name, err)
	}
	if len(addrs) == 0 {
		return nil, &net.DNSError{Err: "it has no address", Name: name, IsNotFound: true}
	}
	return addrs, nil
}

// lookup asks the machine's resolver. The dot at the end keeps it from
// completing the name with the domains of the network it is in.
func lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host+".")
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	return addrs, err
}
