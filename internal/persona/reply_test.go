package persona

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"rookery/internal/community"
	"rookery/internal/fedi"
)

func mastodon(limit int) fedi.Instance {
	return fedi.Instance{Software: fedi.Mastodon, MaxChars: limit, URLChars: 23}
}

// instances are the limits of well-known servers.
func instances() []fedi.Instance {
	return []fedi.Instance{
		mastodon(500), {Software: fedi.Misskey, MaxChars: 300}, {Software: fedi.GoToSocial, MaxChars: 5000}, {Software: fedi.Pleroma, MaxChars: 5000},
		{Software: fedi.SoftwareUnknown, MaxChars: 500, URLChars: 23}, {Software: fedi.Snac, MaxChars: 100_000}, mastodon(0),
	}
}

func TestReplySaysWhatTheModelSaidToTheAskerAlone(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]string{
		"Tea.":                           "@ada Tea.",
		"  Tea.\n\n":                     "@ada Tea.",
		`"Tea."`:                         "@ada Tea.",
		"“Tea.”":                         "@ada Tea.",
		"«Tea.»":                         "@ada Tea.",
		`"Tea", he said, "is best"`:      `@ada "Tea", he said, "is best"`,
		`He said "tea".`:                 `@ada He said "tea".`,
		"elelem: Tea.":                   "@ada Tea.",
		"@elelem: Tea.":                  "@ada Tea.",
		"ELELEM@Art.Example: Tea.":       "@ada ELELEM at Art.Example: Tea.", // no form that models write
		"@Elelem@art.example : \"Tea.\"": "@ada Tea.",
		"elelem likes tea: green":        "@ada elelem likes tea: green",
		"@ada Tea.":                      "@ada ada Tea.",
		"@everyone tea!":                 "@ada everyone tea!",
		"@here @channel":                 "@ada here channel",
		"ask @ben@other.example":         "@ada ask ben at other.example",
		"＠ben, ＠＠ben":                    "@ada ben, ben",
		"write to tea@example.org":       "@ada write to tea at example.org",
		"a@b@c@d":                        "@ada a at b at c at d",
		"(@ben)/@ben=@ben:@ben.@ben":     "@ada (ben)/ben=ben:ben.ben",
		"e\u0301@ben":                    "@ada e\u0301ben",
		"@-ben @.ben @_ben":              "@ada -ben .ben _ben",
		"@ 5 pm @":                       "@ada @ 5 pm @",
		"https://art.example/@ben/1":     "@ada https://art.example/ben/1",
		"42":                             "@ada 42",
		"да":                             "@ada да",
	} {
		if got := reply1(elelem, ada, said, "", mastodon(500)); got != want {
			t.Errorf("the model said %q: the reply is %q, not %q", said, got, want)
		}
	}
	if got := reply1(elelem, ben, "Tea.", "", mastodon(500)); got != "@ben@other.example Tea." {
		t.Errorf("the reply to a member of another server is %q", got)
	}
	if got := reply1(elelem, community.Member{Handle: "cleo@art.example"}, "Tea.", "", mastodon(500)); got != "@cleo@art.example Tea." {
		t.Errorf("the reply to a member whose server tells no acct is %q", got)
	}
}

func TestReplyIsNeverEmpty(t *testing.T) {
	t.Parallel()
	for _, said := range []string{"", " \n\u00a0 ", `""`, "“ ”", "elelem:", "@elelem@art.example: \"\"", "\u2003"} {
		if got := reply1(elelem, ada, said, "", mastodon(500)); got != "" {
			t.Errorf("the model said %q: the reply is %q; there is nothing to say", said, got)
		}
	}
	for _, said := range []string{"@", ".", "…", "@@@", "\u200d"} {
		if got := reply1(elelem, ada, said, "", mastodon(500)); !strings.HasPrefix(got, "@ada elelem: ") {
			t.Errorf("the model said %q: the reply is %q, without a word", said, got)
		}
	}
}

func TestAnswerOfEmojiAloneGetsAWord(t *testing.T) {
	t.Parallel()
	for _, said := range []string{"👍", "👩🏽‍🚀 🎉", "❤️", "1️⃣", "ℹ️", "🇩🇪", "™️", ":owl:", ":blob_cat_3: :+1:", "👍 :owl:", "?!", "#️⃣"} {
		if got := reply1(elelem, ada, said, "", mastodon(500)); got != "@ada elelem: "+said {
			t.Errorf("the reply to a model that says %q is %q: Sharkey would make a reaction of it", said, got)
		}
	}
	for _, said := range []string{"👍 yes", "12:30:45", "a: b: c", "7"} {
		if got := reply1(elelem, ada, said, "", mastodon(500)); got != "@ada "+said {
			t.Errorf("%q became %q", said, got)
		}
	}
	if got := reply1(community.Member{Handle: "@art.example"}, ada, "👍", "", mastodon(500)); got != "@ada re: 👍" {
		t.Errorf("without a name of ours: %q", got)
	}
}

func TestReplyFitsTheInstanceAndEndsAtASentenceOrAWord(t *testing.T) {
	t.Parallel()
	for _, in := range instances() {
		if in.Software == fedi.Snac {
			continue // no limit to speak of; TestReplyFitsEachServer has it
		}
		long := func(text string) string {
			return strings.Repeat(text, max(2*in.MaxChars, 600)/utf8.RuneCountInString(text)+1)
		}
		for _, cw := range []string{"", "food and drink", strings.Repeat("c", 200)} {
			for name, said := range map[string]string{
				"sentences": long("Tea is half of the answer. "), "words": long("tea and owls "), "Chinese": long("茶是答案的一半。"),
				"one word": long("ü"), "emoji": long("🦉"),
				"addresses": long("https://art.example/a/very/long/path/that/counts/as/twenty-three ") + long("more "),
			} {
				where := fmt.Sprintf("%s, limit %d, warning of %d, %s", in.Software, in.MaxChars, len(cw), name)
				got := reply1(elelem, ada, said, cw, in)
				if !utf8.ValidString(got) || !strings.HasPrefix(got, "@ada ") {
					t.Fatalf("%s: %.60q", where, got)
				}
				if in.MaxChars == 0 {
					if !strings.HasSuffix(got, strings.TrimSpace(said)) {
						t.Errorf("%s: cut though there is no limit", where)
					}
					continue
				}
				n := in.Length(got, cw)
				if n > in.MaxChars {
					t.Errorf("%s: %d characters", where, n)
				}
				if in.Length("@ada "+said, cw) <= in.MaxChars {
					continue
				}
				if n < (in.MaxChars-in.Length("@ada ", cw))/2 {
					t.Errorf("%s: only %d characters are left", where, n)
				}
				switch name {
				case "Chinese":
					if !strings.HasSuffix(got, "。") {
						t.Errorf("%s: ends %q, not with a sentence", where, got[len(got)-20:])
					}
				case "sentences":
					if !strings.HasSuffix(got, " answer.") {
						t.Errorf("%s: ends %q, not with a sentence", where, got[len(got)-20:])
					}
				case "words":
					if last := got[strings.LastIndexByte(got, ' ')+1:]; last != "tea…" && last != "and…" && last != "owls…" {
						t.Errorf("%s: ends with %q, not with a word", where, last)
					}
				case "addresses":
					if !strings.HasSuffix(got, "/twenty-three…") && !strings.HasSuffix(got, " more…") {
						t.Errorf("%s: ends %q, not with a whole address", where, got[len(got)-20:])
					}
				}
			}
		}
	}
}

func TestAnswerOfAMegabyteIsCut(t *testing.T) {
	t.Parallel()
	for _, said := range []string{strings.Repeat("owl ", 1<<18), strings.Repeat("@", 20_000), strings.Repeat("a@", 20_000), strings.Repeat("🦉", 20_000)} {
		if got := reply1(elelem, ada, said, "", mastodon(500)); mastodon(500).Length(got, "") > 500 || !strings.HasPrefix(got, "@ada ") {
			t.Errorf("%.80q", got)
		}
	}
}

func TestContentWarningIsKeptAndLeavesRoomForTheAnswer(t *testing.T) {
	t.Parallel()
	for _, in := range instances() {
		for _, cw := range []string{"", "food", strings.Repeat("food and drink ", 2_000), strings.Repeat("🦉", 9_000)} {
			got := warning(cw, in)
			if in.MaxChars == 0 || in.Length("", cw) <= in.MaxChars/2 {
				if got != cw {
					t.Errorf("%s: the warning %.20q became %.20q", in.Software, cw, got)
				}
				continue
			}
			if got == "" || !strings.HasPrefix(cw, strings.TrimSuffix(got, "…")) || in.Length("", got) > in.MaxChars/2 {
				t.Errorf("%s: the warning of %d became %.40q… of %d", in.Software, len(cw), got, in.Length("", got))
			}
			text := reply1(elelem, ada, strings.Repeat("Tea is good. ", 900), got, in)
			if in.Length(text, got) > in.MaxChars || !strings.HasPrefix(text, "@ada Tea is good.") {
				t.Errorf("%s: with a warning of %d the reply is %.40q…", in.Software, len(got), text)
			}
		}
	}
}

func TestShorterAnswerKeepsTheWholeNameOfTheAsker(t *testing.T) {
	t.Parallel()
	const to = "@a_member_with_a_long_name@of-a-server-with-a-long-name.example"
	for _, c := range []struct {
		text, want string
		why        fedi.Class
	}{
		{to + " Tea is good. Tea is hot.", to + " Tea is good.", fedi.TooLong},
		{to + " tea or no tea", to + " tea or…", fedi.TooLong},
		{to + " tea and owl", to + " tea…", fedi.TooLong},
		{to + " ab", to + " a…", fedi.TooLong},
		{to + " a", "", fedi.TooLong},
		{to, "", fedi.TooLong},
		{to + " no server calls this too long", "", fedi.Invalid},
		{to + " " + strings.Repeat("Tea is good. ", 20), to + " " + strings.TrimSpace(strings.Repeat("Tea is good. ", 10)), fedi.Invalid},
	} {
		got, ok := half(c.text, c.why)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("half of %q, %s: %q, %v", c.text, c.why, got, ok)
		}
	}
}

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

// FuzzCompose: whatever the model says, the reply mentions only the asker,
// fits, and holds something.
func FuzzCompose(f *testing.F) {
	f.Add("Tea.", "")
	f.Add("@ben “tea”", "food")
	f.Add("👍", strings.Repeat("c", 600))
	f.Add("elelem: \"@everyone\" "+strings.Repeat("https://x.example/"+strings.Repeat("y", 300)+" @z ", 20), "c")
	f.Add(strings.Repeat("🦉", 700), "🦉")
	f.Fuzz(func(t *testing.T, said, cw string) {
		for _, in := range instances() {
			cw := warning(cw, in)
			for _, asker := range []community.Member{ada, ben} {
				got := reply1(elelem, asker, said, cw, in)
				if got == "" {
					continue
				}
				rest, ok := strings.CutPrefix(got, "@"+asker.Acct+" ")
				if !ok || strings.TrimSpace(rest) == "" {
					t.Fatalf("%q: the reply is %q", said, got)
				}
				for name, g := range grammars {
					if m := g.FindString(rest); m != "" {
						t.Errorf("%q: %s finds the mention %q in %q", said, name, m, got)
					}
				}
				if n := in.Length(got, cw); in.MaxChars > 0 && n > in.MaxChars {
					t.Errorf("%s: %d characters for a limit of %d", in.Software, n, in.MaxChars)
				}
			}
		}
	})
}

// reply1 is an answer of one post; "" if there is none.
func reply1(self, asker community.Member, said, cw string, in fedi.Instance) string {
	return strings.Join(compose(self, asker, said, cw, in, 1), "|")
}
