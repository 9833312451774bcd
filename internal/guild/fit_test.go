package guild

import (
	"strings"
	"testing"
	"unicode/utf8"

	"rookery/internal/discord"
)

// What is cut is cut as Discord counts, and between lines where it can be.
func TestFit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		most int
		want string
	}{
		{"owl", 3, "owl"},
		{"owls", 3, "ow…"},
		{"сова и ещё", 5, "сова…"},
		{"🦉🦉🦉", 6, "🦉🦉🦉"},
		{"🦉🦉🦉", 5, "🦉🦉…"},
		{"🦉🦉🦉", 4, "🦉…"},
		{"one\ntwo <#123456>", 12, "one…"},
	} {
		got := fit(c.text, c.most)
		if got != c.want || discord.Length(got) > c.most || !utf8.ValidString(got) {
			t.Errorf("fit(%q, %d) is %q, not %q", c.text, c.most, got, c.want)
		}
	}
	if got := fit(strings.Repeat("🦉", 3000), discord.MaxContent); discord.Length(got) > discord.MaxContent {
		t.Errorf("%d characters", discord.Length(got))
	}
}
