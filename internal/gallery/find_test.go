package gallery

import (
	"strings"
	"testing"
)

// What people paste is taken off its wrapping, and nothing they write breaks
// anything.
func FuzzRef(f *testing.F) {
	for _, s := range []string{"", "<https://art.example/@gallery/1>", "[a](b)", "[](", "`ABCD-EFGH-JKMN`", "art.example/notice/9", "://", "http://[::1", "%%%/%zz", "<<<", "[x](<y>)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, ref string) {
		plain := plainRef(ref)
		if plainRef(plain) != plain {
			t.Errorf("%q becomes %q, and that %q", ref, plain, plainRef(plain))
		}
		if code := normalCode(plain); code != "" && (len(code) != codeLength || normalCode(shownCode(code)) != code) {
			t.Errorf("%q is the code %q", ref, code)
		}
		if u, ok := addressOf(plain); ok && (u.Host == "" || strings.ToLower(u.Host) != u.Host) {
			t.Errorf("%q is on %q", ref, u.Host)
		}
	})
}

func TestAddressOf(t *testing.T) {
	t.Parallel()
	for ref, want := range map[string]string{
		"https://art.example/@gallery/1":   "https://art.example/@gallery/1",
		"HTTPS://ART.example/@gallery/1":   "https://art.example/@gallery/1",
		"art.example/notice/1":             "https://art.example/notice/1",
		"http://127.0.0.1:4000/notice/1":   "http://127.0.0.1:4000/notice/1",
		"11543/abc":                        "",
		"115430000":                        "",
		"https:///nothing":                 "",
		"https://art.example/@gallery/%zz": "",
	} {
		got := ""
		if u, ok := addressOf(ref); ok {
			got = u.String()
		}
		if got != want {
			t.Errorf("%q is the address %q, not %q", ref, got, want)
		}
	}
}
