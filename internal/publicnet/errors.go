package publicnet

import "errors"

// Errors of Do, Get, Limit and ReadAll.
var (
	// ErrPrivate: the host is, or stands for, an address that is not public.
	ErrPrivate = errors.New("not a public address")
	// ErrURL: not an http or https address of a host, or one with a user's
	// name in it, or one that is too long.
	ErrURL = errors.New("not an address to fetch from")
	// ErrPort: the port is not one of Options.Ports.
	ErrPort = errors.New("not a port of the web")
	// ErrTooManyRedirects: it went on after Options.MaxRedirects.
	ErrTooManyRedirects = errors.New("too many redirects")
	// ErrDowngrade: a redirect led from https to http.
	ErrDowngrade = errors.New("a redirect from https to http")
	// ErrEncoding: the body is compressed in a way that was not asked for.
	ErrEncoding = errors.New("an encoding that was not asked for")
	// ErrRequest: neither GET nor HEAD, or with a body. The caller's mistake.
	ErrRequest = errors.New("not a request for reading")
	// ErrTooLarge: the body goes on after the limit.
	ErrTooLarge = errors.New("larger than the limit")
)
