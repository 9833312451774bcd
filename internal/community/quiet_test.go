package community

import (
	"regexp"
	"strings"
	"testing"
)

// grammars are what servers take for a mention.
var grammars = map[string]*regexp.Regexp{
	// Mastodon's Account::MENTION_RE: (?<![=/[:word:]])@(([a-z0-9_]+([a-z0-9_.-]+[a-z0-9_]+)?)(?:@[[:word:]]+(?:[.-]+[[:word:]]+)*)?)
	// RE2 looks behind with a group; [[:word:]] is Unicode's there.
	"Mastodon":   regexp.MustCompile(`(?i)(^|[^=/\p{L}\p{M}\p{N}\p{Pc}])@[a-z0-9_]+([a-z0-9_.-]+[a-z0-9_]+)?`),
	"Misskey":    regexp.MustCompile(`(?i)(^|[^a-z0-9])@[a-z0-9_-]+(@[a-z0-9_.-]+)?`),
	"Pleroma":    regexp.MustCompile(`@[a-zA-Z\d_-]+(@[a-zA-Z0-9_.-]+)?`),
	"snac":       regexp.MustCompile(`@[A-Za-z0-9_]+(@[A-Za-z0-9.-]+)?`),
	"GoToSocial": regexp.MustCompile(`(?i)@[\p{L}\p{N}_.-]+(@[\p{L}\p{N}_.:-]+)?`),
	"full width": regexp.MustCompile(`[@＠][\p{L}\p{N}_]`),
}

// FuzzWithoutMentions: after it, no server's grammar finds a mention.
func FuzzWithoutMentions(f *testing.F) {
	for _, text := range []string{
		"@ben", "a@b@c", "@@@ben", "＠ben＠x", ".@ben", "-@-ben", "é@ben", "e\u0301@ben", "=@ben", "/@ben", "_@ben", "\u200b@ben", "@\u200bben",
		"@ben@other.example @cleo", "ben@other.example@x@y", "@@a@@b@@", "ſ@ſ", "K@K", "@١٢", "日本@日本", "@", "a@", "@.", "@-@-@", "@everyone",
		"\xff@ben\xfe@", "\x00@ben", strings.Repeat("@a", 50), strings.Repeat("a@", 50),
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := WithoutMentions(text)
		for name, g := range grammars {
			if at := g.FindStringIndex(got); at != nil {
				t.Errorf("%s finds the mention %q in what was made of %q: %q", name, got[at[0]:at[1]], text, got)
			}
		}
		if again := WithoutMentions(got); again != got {
			t.Errorf("%q is silenced once more: %q", got, again)
		}
		if strings.ContainsAny(text, "@＠") {
			return
		}
		if got != text {
			t.Errorf("%q holds no mention and became %q", text, got)
		}
	})
}
