package config

import (
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"
)

func notBlank(s string) string {
	if strings.TrimSpace(s) == "" {
		return "it is empty: write it, or take the line away"
	}
	return ""
}

func notEmpty(s string) string {
	if s == "" {
		return "an empty text is of no use here"
	}
	return ""
}

func isName(s string) string {
	if s == "" || len(s) > 64 || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
		return shown(s) + " is not a name: use 1 to 64 small letters, digits, - and _"
	}
	return ""
}

// isVariable never shows what it was given: it may be the secret itself.
func isVariable(s string) string {
	if !regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`).MatchString(s) {
		return "this is not the name of an environment variable: write the name (letters, digits and _), not the secret itself"
	}
	return ""
}

// isPath never shows what it was given, for the same reason.
func isPath(s string) string { return pathRule(s, runtime.GOOS) }

func pathRule(s, system string) string {
	switch {
	case strings.TrimSpace(s) == "":
		return notBlank(s)
	case s == "~" || strings.HasPrefix(s, "~/"):
		return "~ is not understood here: write the whole path"
	case strings.ContainsAny(s, "\n\r\t"):
		return `the path holds a line break or tab: a backslash is special in double quotes, so write 'C:\new' in single quotes, or with slashes`
	case system != "windows" && regexp.MustCompile(`^[A-Za-z]:[\\/]`).MatchString(s):
		return "this is a path of Windows, which this machine does not run"
	}
	return ""
}

func isLanguage(s string) string {
	if _, err := language.Parse(s); err != nil {
		return shown(s) + ` is not a language tag: write it like "en" or "pt-BR"`
	}
	return ""
}

// webAddress parses an http or https address without the parts that would
// hold a secret or make no base. It shows only the host in what it says.
func webAddress(s, example string) (*url.URL, string) {
	u, err := url.Parse(strings.TrimSpace(s))
	switch {
	case err != nil || strings.ContainsAny(s, " \n\t"):
		return nil, "this is not a URL: write it like " + example
	case u.Host == "" || (u.Scheme != "http" && u.Scheme != "https"):
		return nil, "a URL starts with https://: write it like " + example
	case u.User != nil:
		return nil, "a name or password does not belong into the URL: take the part before the @ away"
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, "take away what follows the ? or # in the URL"
	case u.Hostname() == "":
		return nil, "the URL has no host: write it like " + example
	}
	return u, ""
}

func isServer(s string) string {
	u, bad := webAddress(s, "https://social.example")
	switch {
	case bad != "":
		return bad
	case strings.Trim(u.Path, "/") != "":
		return shown(u.Path) + " does not belong here: only the scheme and the host, like https://social.example"
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return "plain http would show the token to everyone on the way: write https:// (http is for this machine only)"
	}
	return ""
}

func isBaseURL(s string) string {
	u, bad := webAddress(s, "http://127.0.0.1:11434/v1")
	switch {
	case bad != "":
		return bad
	case strings.HasSuffix(strings.TrimRight(u.Path, "/"), "/chat/completions"):
		return "leave /chat/completions out: the program adds it"
	}
	return ""
}

// loopback reports whether a host is this machine.
func loopback(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// nearby reports whether a host is this machine or one on its own network: a
// private address, or a name that the public DNS does not have.
func nearby(host string) bool {
	if loopback(host) {
		return true
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if ip, err := netip.ParseAddr(host); err == nil {
		ip = ip.Unmap()
		return ip.IsPrivate() || ip.IsLinkLocalUnicast()
	}
	for _, end := range []string{".local", ".lan", ".internal", ".home.arpa"} {
		if strings.HasSuffix(host, end) {
			return true
		}
	}
	return !strings.Contains(host, ".")
}

// hostOf is the host of a checked address.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// handleShape is user@host.
var handleShape = regexp.MustCompile(`^@?[A-Za-z0-9_][A-Za-z0-9_.-]*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:[0-9]{1,5})?$`)

func isHandle(s string) string {
	if !handleShape.MatchString(s) {
		return shown(s) + " is not a whole handle: write it like @me@social.example"
	}
	return ""
}

func isCatalogue(s string) string { return oneOf(s, []string{"en", "ru"}) }

func isCurrency(s string) string {
	if s == "" || len([]rune(s)) > 10 || strings.ContainsAny(s, " \n\t@<>") {
		return shown(s) + ` is not a currency: write it like "USD" or "€"`
	}
	return ""
}

func isTimeOfDay(s string) string {
	if _, err := time.Parse("15:04", s); err != nil {
		return shown(s) + ` is not a time of day: write it like "04:00"`
	}
	return ""
}

func isListen(s string) string {
	host, port, err := net.SplitHostPort(s)
	if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || n == 0 {
		return shown(s) + ` is not an address to listen on: write it like "127.0.0.1:9464"`
	}
	if host == "" {
		return `without a host everyone could reach it: write "127.0.0.1:` + port + `", or "0.0.0.0:` + port + `" if that is what you want`
	}
	return ""
}

func isStream(s string) string {
	rest, secure := strings.CutPrefix(s, "wss://")
	if !secure {
		var plain bool
		if rest, plain = strings.CutPrefix(s, "ws://"); !plain {
			return shown(s) + " is no address of a stream: write it like wss://streaming.social.example"
		}
	}
	u, bad := webAddress("https://"+rest, "wss://streaming.social.example")
	switch {
	case bad != "":
		return bad
	case !secure && !loopback(u.Hostname()):
		return "plain ws would show the token to everyone on the way: write wss:// (ws is for this machine only)"
	}
	return ""
}
