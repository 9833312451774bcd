package words

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"golang.org/x/text/feature/plural"
)

// constants are the Keys that this package's sources declare: value by name.
func constants(t *testing.T) map[string]Key {
	t.Helper()
	found := map[string]Key{}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "keys_") || !strings.HasSuffix(e.Name(), ".go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			group, ok := d.(*ast.GenDecl)
			if !ok || group.Tok != token.CONST {
				continue
			}
			for _, s := range group.Specs {
				v := s.(*ast.ValueSpec)
				if id, ok := v.Type.(*ast.Ident); !ok || id.Name != "Key" || len(v.Values) != 1 {
					t.Errorf("%s: %s must be written as NAME Key = \"…\"", e.Name(), v.Names[0].Name)
					continue
				}
				text, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				found[v.Names[0].Name] = Key(text)
			}
		}
	}
	if len(found) < 20 {
		t.Fatalf("only %d constants found", len(found))
	}
	return found
}

func catalogue(t *testing.T) map[Language]map[Key]template {
	t.Helper()
	all, err := load(files)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEveryKeyHasATextInEveryLanguageAndNoTextIsWithoutKey(t *testing.T) {
	all, known := catalogue(t), constants(t)
	keys := map[Key]string{}
	for name, k := range known {
		if other, ok := keys[k]; ok {
			t.Errorf("%s and %s are both %q", name, other, k)
		}
		keys[k] = name
		// The name follows from the key, so that both are found by either.
		want := strings.ReplaceAll(string(k), ".", "_")
		if got := strings.ReplaceAll(strings.ToLower(name), "_", ""); got != strings.ReplaceAll(want, "_", "") {
			t.Errorf("%s is named unlike its key %q", name, k)
		}
	}
	for _, l := range Languages() {
		for k, name := range keys {
			if _, ok := all[l][k]; !ok {
				t.Errorf("%s has no text in %s: add %s to text/%s/", name, l, k, l)
			}
		}
		for k := range all[l] {
			if _, ok := keys[k]; !ok {
				t.Errorf("%s in %s has no constant in keys_*.go", k, l)
			}
		}
	}
}

func placeholders(pieces []piece) []string {
	names := map[string]bool{}
	for _, p := range pieces {
		if p.name != "" {
			names[p.name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func TestPlaceholdersAreTheSameInEveryFormAndLanguage(t *testing.T) {
	all := catalogue(t)
	for k, english := range all[English] {
		want := placeholders(english[plural.Other])
		for _, l := range Languages() {
			for form, pieces := range all[l][k] {
				if got := placeholders(pieces); !slices.Equal(got, want) {
					t.Errorf("%s in %s, form %d: placeholders %q, in English %q", k, l, form, got, want)
				}
			}
		}
		if len(english) > 1 && !slices.Contains(want, "n") {
			t.Errorf("%s has plural forms but no {n}", k)
		}
	}
}

func TestPluralFormsAreComplete(t *testing.T) {
	all := catalogue(t)
	need := map[Language]int{English: 2, Russian: 4} // one, other; one, few, many, other
	for _, l := range Languages() {
		for k, text := range all[l] {
			isPlural := len(all[English][k]) > 1
			if want := need[l]; isPlural && len(text) != want || !isPlural && len(text) != 1 {
				t.Errorf("%s in %s has %d forms; a text of one form has none in any language, another has %d", k, l, len(text), want)
			}
		}
	}
}

// raw is a text with its placeholders.
func raw(pieces []piece) string {
	var b strings.Builder
	for _, p := range pieces {
		b.WriteString(p.text)
		if p.name != "" {
			b.WriteString("{" + p.name + "}")
		}
	}
	return b.String()
}

func TestTextsAreFitToBeSent(t *testing.T) {
	typed := regexp.MustCompile(`@[\pL\d]|\t|"|  | $|^ |\.\.|[\x00-\x08\x0b-\x1f]`)
	latin, cyrillic := regexp.MustCompile(`[A-Za-z]`), regexp.MustCompile(`[а-яёА-ЯЁ]`)
	for l, texts := range catalogue(t) {
		for k, forms := range texts {
			for _, pieces := range forms {
				s := raw(pieces)
				if bad := typed.FindString(s); bad != "" {
					t.Errorf("%s in %s holds %q: %s", k, l, bad, s)
				}
				if l == English && cyrillic.MatchString(s) || l == Russian && !cyrillic.MatchString(s) || l == English && !latin.MatchString(s) {
					t.Errorf("%s in %s is in another language: %s", k, l, s)
				}
				// With room for values of twenty characters each.
				if n := utf8.RuneCountInString(s) + 20*len(placeholders(pieces)); strings.HasPrefix(string(k), "mydata.") && n > 500 ||
					strings.HasPrefix(string(k), "persona.") && n > 300 {
					t.Errorf("%s in %s has %d characters with its values: too long for one post", k, l, n)
				}
			}
		}
	}
}

// What a text quotes in a member's help is a command, or the member is misled.
func TestQuotedWordsAreCommands(t *testing.T) {
	quoted := map[Language]*regexp.Regexp{English: regexp.MustCompile(`“([^”]*)”`), Russian: regexp.MustCompile(`«([^»]*)»`)}
	for l, texts := range catalogue(t) {
		for k, forms := range texts {
			if !strings.HasPrefix(string(k), "mydata.") {
				continue
			}
			shown := map[Command]bool{}
			for _, pieces := range forms {
				for _, m := range quoted[l].FindAllStringSubmatch(raw(pieces), -1) {
					c, ok := ParseCommand(m[1])
					if !ok || l.Word(c) != m[1] {
						t.Errorf("%s in %s quotes %q, which is no command's word", k, l, m[1])
					}
					shown[c] = true
				}
			}
			if !strings.HasPrefix(string(k), "mydata.help") {
				continue
			}
			for _, c := range Commands() {
				shares, pictures := strings.HasPrefix(string(k), "mydata.help_shares"), strings.HasPrefix(string(k), "mydata.help_pictures")
				want := true
				switch c {
				case Quota: // pictures are not counted, nor what is shared
					want = !pictures && !shares
				case DeleteAnswers:
					want = !shares
				case DeletePosts:
					want = shares
				}
				if shown[c] != want {
					t.Errorf("%s in %s shows the command %s: %v", k, l, c, shown[c])
				}
			}
		}
	}
}

func TestABrokenCatalogueIsReported(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want string }{
		"not TOML":            {`a = `, "en/x.toml"},
		"empty":               {`a = " "`, "empty"},
		"unclosed":            {`a = "{n"`, "placeholder"},
		"strange name":        {`a = "{N 1}"`, "placeholder"},
		"no name":             {`a = "{}"`, "placeholder"},
		"unknown form":        {`a.two = "x"`, "plural form"},
		"form without a text": {`a.one.one = "x"`, "plural form"},
		"no other":            {`a.one = "x"`, "other"},
		"number":              {`a = 1`, "expected"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all, err := load(fstest.MapFS{
				"text/en/x.toml": {Data: []byte(test.text)}, "text/ru/x.toml": {Data: []byte(`b = "да {n}"`)}})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one about %q", err, test.want)
			}
			if len(all[Russian]["x.b"]) != 1 {
				t.Error("what could be read was not")
			}
		})
	}
	if _, err := load(fstest.MapFS{}); err == nil {
		t.Error("no files: no error")
	}
}
