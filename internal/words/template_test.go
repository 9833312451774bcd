package words

import (
	"maps"
	"slices"
	"testing"
)

func TestTemplatesAreSaidAsTheCatalogueIs(t *testing.T) {
	t.Parallel()
	own, err := ParseTemplate(map[string]any{"one": "just {n} of {all}", "few": "{n} few", "many": "{n} many", "other": "{n} of {all}"})
	if err != nil {
		t.Fatal(err)
	}
	if got := own.Placeholders(); !slices.Equal(got, []string{"all", "n"}) {
		t.Errorf("placeholders %q", got)
	}
	if got := Russian.Fill(own, Args{"n": 22}); got != "22 few" {
		t.Errorf("%q", got)
	}
	if got := English.Fill(own, Args{"n": 1, "all": Days(2)}); got != "just 1 of 2 days" {
		t.Errorf("%q", got)
	}
	if got := English.Fill(Template{}, nil); got != "" {
		t.Errorf("nothing says %q", got)
	}
	if _, err := ParseTemplate("{"); err == nil {
		t.Error("a broken placeholder is taken")
	}
	if _, ok := English.Template("no.such"); ok {
		t.Error("an unknown key has a text")
	}
	// What Forms gives can be read again, and says the same.
	for _, l := range Languages() {
		for _, k := range []Key{CommonDays, PersonaBudgetAll} {
			was, ok := l.Template(k)
			forms := map[string]any{}
			for name, text := range was.Forms() {
				forms[name] = text
			}
			again, err := ParseTemplate(forms)
			if !ok || err != nil || !maps.Equal(again.Forms(), was.Forms()) {
				t.Fatalf("%s in %s: %v, %v", k, l, again.Forms(), err)
			}
			if a := (Args{"n": 5, "time": "soon"}); l.Fill(again, a) != l.Say(k, a) {
				t.Errorf("%s in %s: %q", k, l, l.Fill(again, a))
			}
		}
	}
}
