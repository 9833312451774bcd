package community

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestOptsOut(t *testing.T) {
	for text, want := range map[string]bool{
		"#noai":                        true,
		"#NoAI":                        true,
		"＃noai":                        true,
		"I draw. #noai #art":           true,
		"I draw.\nbots: #noai":         true,
		"(#noai)":                      true,
		"#art/#noai":                   true,
		"#noai, please":                true,
		"#noai.":                       true,
		"**#noai**":                    true,
		"\u2068#noai\u2069":            true,
		"#noai-art":                    true, // a hyphen ends a hashtag
		"##noai":                       true,
		"#noai #noai":                  true,
		"#nobot":                       true,
		"🐦#noai":                       true,
		"":                             false,
		"noai":                         false,
		"#noaim":                       false,
		"#noai_":                       false,
		"#noaí":                        false,
		"#noai\u0301":                  false,
		"#noai1":                       false,
		"x#noai":                       false,
		"1#noai":                       false,
		"# noai":                       false,
		"#":                            false,
		"#no ai":                       false,
		"#art":                         false,
		"I like noai and https://noai": false,
	} {
		if got := (Member{Note: text}).OptsOut("noai", "#nobot", ""); got != want {
			t.Errorf("in the profile %q: %v, want %v", text, got, want)
		}
		if got := (Member{Name: text, Note: "I draw."}).OptsOut("noai", "#nobot", ""); got != want {
			t.Errorf("in the name %q: %v, want %v", text, got, want)
		}
	}
	if (Member{Note: "#noai"}).OptsOut() {
		t.Error("without tags there is nothing to find")
	}
}

func FuzzOptsOut(f *testing.F) {
	for _, s := range []string{"#noai", "", "#", "\xff#noai", "x＃", "#noai#noai"} {
		f.Add(s, "noai")
	}
	f.Fuzz(func(t *testing.T, text, tag string) {
		found := (Member{Note: text}).OptsOut(tag)
		bare := strings.TrimLeft(tag, hashes)
		if found && (bare == "" || !strings.ContainsAny(text, hashes)) {
			t.Errorf("found %q in %q", tag, text)
		}
		word := bare != "" && utf8.ValidString(bare) && wordLen(bare) == len(bare)
		if word && !(Member{Note: text + " #" + bare}).OptsOut(tag) {
			t.Errorf("%q is not found at the end of %q", tag, text)
		}
	})
}
