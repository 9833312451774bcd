package texts

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rookery/internal/words"
)

func keys() []Key {
	return []Key{{words.CommonDays, 20}, {words.PersonaBudgetAll, 40}, {words.MyDataHelp, 0}, {words.SettingsOn, 0}}
}

func load(t testing.TB, text string) (*Texts, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "texts.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(path, keys())
}

func TestTheOperatorsTextsAreSaid(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"dotted": "\ufeff[en]\r\npersona.budget_all = \"\"\"\r\nFull.\r\nAgain {time}.\r\n\"\"\"\r\ncommon.days = { one = 'a day, {n}', other = '{n} d' }\r\n" +
			"[ru]\r\ncommon.days.one = '{n} д'\r\ncommon.days.few = '{n} дд'\r\ncommon.days.many = '{n} ддд'\r\ncommon.days.other = '{n} дддд'\r\n",
		"tables": "[en.persona]\nbudget_all = \"Full.\\nAgain {time}.\"\n[en.common.days]\none = 'a day, {n}'\nother = '{n} d'\n" +
			"[ru.common.days]\none = '{n} д'\nfew = '{n} дд'\nmany = '{n} ддд'\nother = '{n} дддд'\n",
		"quoted": "[en]\n\"persona.budget_all\" = \"Full.\\nAgain {time}.\"\n\"common.days\".one = 'a day, {n}'\n\"common.days\".other = '{n} d'\n" +
			"[ru]\n'common.days' = { one = '{n} д', few = '{n} дд', many = '{n} ддд', other = '{n} дддд' }\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			own, err := load(t, text)
			if err != nil {
				t.Fatal(err)
			}
			if got := own.Say(words.English, words.PersonaBudgetAll, words.Args{"time": "soon"}); got != "Full.\nAgain soon." {
				t.Errorf("%q", got)
			}
			for n, want := range map[int]string{1: "a day, 1", 5: "5 d", 1234: "1,234 d"} {
				if got := own.Say("tlh", words.CommonDays, words.Args{"n": n}); got != want {
					t.Errorf("%q, want %q", got, want)
				}
			}
			if got := own.Say(words.Russian, words.CommonDays, words.Args{"n": 22}); got != "22 дд" {
				t.Errorf("%q", got)
			}
			// What is not in the file is the catalogue's, in the same language.
			if got, want := own.Say(words.Russian, words.PersonaBudgetAll, nil), words.Russian.Say(words.PersonaBudgetAll, nil); got != want {
				t.Errorf("%q, want %q", got, want)
			}
			if !own.Changed(words.English, words.CommonDays) || own.Changed(words.Russian, words.PersonaBudgetAll) {
				t.Error("what was changed is not known")
			}
		})
	}
	var none *Texts
	if got := none.Say(words.English, words.CommonDays, words.Args{"n": 2}); got != "2 days" || none.Changed(words.English, words.CommonDays) {
		t.Errorf("without a file: %q", got)
	}
}

func TestAPlainTextMayServeForEveryNumber(t *testing.T) {
	t.Parallel()
	own, err := load(t, "[ru]\ncommon.days = 'дней: {n}'\n")
	if err != nil {
		t.Fatal(err)
	}
	if got := own.Say(words.Russian, words.CommonDays, words.Args{"n": 1}); got != "дней: 1" {
		t.Errorf("%q", got)
	}
}

func TestMistakesAreToldWithTheirLine(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"no quotes":       {"[en]\n\ncommon.days = many\n", []string{"line 3", "in quotes"}},
		"twice":           {"[en]\npersona.budget_all = '{time}'\n'persona.budget_all' = '{time}'\n", []string{"line 3", "here twice"}},
		"twice for TOML":  {"[en]\na = 1\na = 1\n", []string{"line 3"}},
		"no section":      {"persona.budget_all = '{time}'\n", []string{"line 1", `"persona" is no section`, "[en] or [ru]"}},
		"other language":  {"[en]\n[de]\na = ''\n", []string{"line 2", `"de" is no section`}},
		"list of tables":  {"[[en]]\na = ''\n", []string{`"en" is no section`}},
		"unknown":         {"[en]\n\npersona.budget_al = '{time}'\n", []string{"line 3", "persona.budget_al", "did you mean persona.budget_all?"}},
		"quite unknown":   {"[en]\n\npersona.stop = '{time}'\n", []string{"line 3", `"persona.stop"`, "take the line away"}},
		"none too near":   {"[en]\n\ncommon = '{time}'\n", []string{"line 3", `"common"`, "take the line away"}},
		"number":          {"[en]\npersona.budget_all = 4\n", []string{"line 2", "not a text", "persona.budget_all = \"…\""}},
		"list":            {"[en]\npersona.budget_all = ['a']\n", []string{"line 2", "not a text"}},
		"empty":           {"[en]\npersona.budget_all = ' '\n", []string{"line 2", "is empty"}},
		"lost value":      {"[en]\npersona.budget_all = 'Full.'\n", []string{"line 2", "lacks the placeholder {time}"}},
		"unknown value":   {"[en]\npersona.budget_all = 'Full till {time}, {name}.'\n", []string{"line 2", "{name}", "it knows {time}"}},
		"both":            {"[en]\npersona.budget_all = 'Full till {clock}.'\n", []string{"line 2: persona.budget_all has a placeholder {clock}", "line 2: persona.budget_all lacks the placeholder {time}"}},
		"broken value":    {"[en]\npersona.budget_all = 'Full till {time.'\n", []string{"line 2", "a placeholder looks like"}},
		"too long":        {"[en]\npersona.budget_all = '{time}" + strings.Repeat("😀", 21) + "'\n", []string{"line 2", "42 characters", "40 are the most"}},
		"a bell":          {"[en]\npersona.budget_all = \"{time}\\u0007\"\n", []string{"line 2", "cannot be shown"}},
		"forms of none":   {"[en]\npersona.budget_all.other = '{time}'\n", []string{"line 2", "no plural forms"}},
		"form missing":    {"[ru]\ncommon.days.one = '{n}'\ncommon.days.other = '{n}'\n", []string{"line 2", "lacks the plural form few", "lacks the plural form many"}},
		"form unknown":    {"[en]\ncommon.days.one = '{n}'\ncommon.days.few = '{n}'\ncommon.days.other = '{n}'\n", []string{"line 3", `"few" is not a plural form`, "one, other"}},
		"form no text":    {"[en]\n[en.common.days]\none = 1\nother = '{n}'\n", []string{"line 3", `"one"`}},
		"form too long":   {"[en]\n[en.common.days]\none = '{n} and of such days not any more'\nother = '{n}'\n", []string{"line 3", "20 are the most"}},
		"not UTF-8":       {"[en]\na = '\xff'\n", []string{"UTF-8"}},
		"sorted by lines": {"[ru]\nno.a = ''\n[en]\nno.b = ''\n", []string{"line 2: there is no text \"no.a\" that can be changed: take the line away\nline 4: "}},
		"huge":            {strings.Repeat("#\n", maxFile/2+1), []string{"larger than 256 KiB"}},
		"many":            {"[en]\n" + manyLines(), []string{"and so on"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := load(t, c.text)
			if err == nil {
				t.Fatal("nothing is wrong")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not said: %v", want, err)
				}
			}
		})
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none.toml"), keys()); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "configuration") {
		t.Errorf("no file: %v", err)
	}
	if _, err := Load(t.TempDir(), keys()); err == nil {
		t.Error("a folder is a file")
	}
}

func manyLines() string {
	var b strings.Builder
	for i := range 30 {
		b.WriteString(strings.Repeat("y", i+1) + " = 1\n")
	}
	return b.String()
}

// uncommented takes the # from every line that holds a text.
func uncommented(file []byte) string {
	lines := strings.Split(string(file), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "# ") {
			lines[i] = line[1:]
		}
	}
	return strings.Join(lines, "\n")
}

func TestTheFileForEditing(t *testing.T) {
	t.Parallel()
	file := Default(append(keys(), Key{Name: "no.such"}))
	own, err := load(t, string(file))
	if err != nil || len(own.own[words.English]) > 0 {
		t.Fatalf("as it is printed: %v, %v", own, err)
	}
	if !strings.Contains(string(file), "# At most 40 characters") {
		t.Errorf("the limit is not told:\n%s", file)
	}
	// With every text in force it says what the catalogue says.
	relaxed := keys()
	for i := range relaxed {
		relaxed[i].Most = 0
	}
	own, err = parse([]byte(uncommented(file)), relaxed)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range words.Languages() {
		for _, k := range keys() {
			if !own.Changed(l, k.Name) {
				t.Errorf("%s in %s is not in the file", k.Name, l)
			}
			for _, n := range []int{1, 2, 5} {
				a := words.Args{"n": n, "time": "soon"}
				if got, want := own.Say(l, k.Name, a), l.Say(k.Name, a); got != want {
					t.Errorf("%q, want %q", got, want)
				}
			}
		}
	}
}

func TestTextsOfSeveralLinesArePrintedAsSuch(t *testing.T) {
	t.Parallel()
	const text = "first \"line\"\n\n # \\n \"\"\"\nthird {time}"
	var printed bytes.Buffer
	entry(&printed, string(words.PersonaBudgetAll), text)
	if strings.Count(printed.String(), "\n") != 5 {
		t.Errorf("printed as\n%s", printed.String())
	}
	inForce := strings.ReplaceAll("\n"+printed.String(), "\n#", "\n")
	own, err := parse([]byte("[en]"+inForce), []Key{{Name: words.PersonaBudgetAll}})
	if err != nil {
		t.Fatal(err)
	}
	want := strings.ReplaceAll(text, "{time}", "soon")
	if got := own.Say(words.English, words.PersonaBudgetAll, words.Args{"time": "soon"}); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// FuzzLoad: whatever is in the file, it is read or refused, and what is said
// holds no value that was not given.
func FuzzLoad(f *testing.F) {
	f.Add([]byte("[en]\npersona.budget_all = 'Full till {time}.'\n[ru.common]\ndays = '{n}'\n"))
	f.Add([]byte("[en]\ncommon.days = {one = '{n}', other = \"\"\"{n}\"\"\"}\n\"common\".\"x\" = [{a=1}]\n"))
	f.Add(Default(keys()))
	f.Add([]byte("[en]\n'' = ''\n[[en.a]]\n[ru]\na.b.c.d = 1979-05-27\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		own, err := parse(data, keys())
		if err != nil {
			if own != nil || err.Error() == "" {
				t.Fatalf("%v, %v", own, err)
			}
			return
		}
		for l, all := range own.own {
			for k := range all {
				if !own.Changed(l, k) {
					t.Errorf("%s in %s is lost", k, l)
				}
				got := own.Say(l, k, words.Args{"n": 3, "time": "T", "operator": "O", "processor": "P", "kept": "K"})
				if strings.TrimSpace(got) == "" || strings.Contains(got, "{time}") || strings.Contains(got, "{n}") {
					t.Errorf("%s in %s says %q", k, l, got)
				}
			}
		}
	})
}
