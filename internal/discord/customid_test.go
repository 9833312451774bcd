package discord

import (
	"slices"
	"strings"
	"testing"
)

func TestCustomIDThatCannotBeMadePanics(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"no action": {""},
		"too long":  {"go", strings.Repeat("x", 98)},
		"by emoji":  {"go", strings.Repeat("😀", 49)},
	} {
		if CustomIDFits(args[0], args[1:]...) {
			t.Errorf("%s: it fits", name)
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			CustomID(args[0], args[1:]...)
		}()
	}
	if id := CustomID("go", strings.Repeat("x", 97)); len(id) != longestCustomID {
		t.Errorf("an id of %d characters", len(id))
	}
}

func FuzzCustomID(f *testing.F) {
	f.Add("go", "1", "")
	f.Add("a:b%", "%3A", ":")
	f.Add("\xff", "😀", "%")
	f.Fuzz(func(t *testing.T, action, a, b string) {
		ParseCustomID(action) // whatever it is
		if !CustomIDFits(action, a, b) {
			return
		}
		valid := func(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
		got, args, ok := ParseCustomID(CustomID(action, a, b))
		if !ok || got != valid(action) || !slices.Equal(args, []string{valid(a), valid(b)}) {
			t.Errorf("%q, %q, %q came back as %q, %q, %v", action, a, b, got, args, ok)
		}
	})
}
