package settings

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
	"pgregory.net/rapid"

	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
	"rookery/internal/words"
)

func TestExportCanBeReadByPeople(t *testing.T) {
	each(t, func(w *world) {
		w.set(ada, "owl.daily", "30")
		w.set(ada, "owl.about", "Two\nlines, \"\"\"quoted\"\"\".")
		w.set(ada, "owl.channels", "1 2")
		for l, wants := range map[words.Language][]string{
			words.English: {"# Default: 20. Possible: from -5 to 5,000.\ndaily = 30\n", "[owl]\n", "[general]\n", "enabled = false\n", "pause = \"1m30s\"\n",
				"channels = [\"1\", \"2\"]\n", "roles = []\n", "channel = \"\"\n", "about = \"\"\"\nTwo\nlines, \\\"\\\"\\\"quoted\\\"\\\"\\\".\"\"\"\n"},
			words.Russian: {"# По умолчанию: 20. Возможно: от -5 до 5000.\ndaily = 30\n"},
		} {
			file, err := w.Export(t.Context(), guild, l)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range wants {
				if !strings.Contains(string(file), want) {
					t.Errorf("in %s there is no %q:\n%s", l, want, file)
				}
			}
			if changes, err := w.Import(t.Context(), guild, file, ben, nil); err != nil || changes != nil {
				t.Errorf("what was exported in %s changed %+v, %v", l, changes, err)
			}
		}
	})
}

func TestImportChangesWhatStandsInTheFile(t *testing.T) {
	each(t, func(w *world) {
		w.set(ada, "owl.about", "kept")
		file := "\xef\xbb\xbf# mine\r\nowl.enabled = \"on\"\r\ngeneral = { zone = 'europe/berlin', \"language\" = \"ru\" }\r\n" +
			"owl.daily = 1_000\r\nowl.channels = [ # two\r\n  '<#1>', 2,\r\n]\r\n"
		changes, err := w.Import(t.Context(), guild, []byte(file), By{Member: "1", Name: "Ada", Via: "import"}, &platform{})
		if err != nil || len(changes) != 5 {
			t.Fatalf("changes %+v, %v", changes, err)
		}
		if !in(w, w.enabled) || in(w, w.daily) != 1000 || in(w, w.zone).String() != "Europe/Berlin" || in(w, w.language) != words.Russian ||
			!slices.Equal(in(w, w.channels), []community.ChannelID{"1", "2"}) || in(w, w.about) != "kept" {
			t.Errorf("after the import: %+v", w.show())
		}
		if lines := w.history(); len(lines) != 6 || lines[0].By.Via != "import" || lines[0].Revision != lines[4].Revision {
			t.Errorf("history: %+v", lines)
		}
		if changes, err := w.Import(t.Context(), guild, nil, ada, nil); err != nil || changes != nil {
			t.Errorf("an empty file: %v, %v", changes, err)
		}
	})
}

func TestAllMistakesOfAFileAreToldWithTheirLines(t *testing.T) {
	each(t, func(w *world) {
		for name, test := range map[string]struct {
			file string
			want []string // line, key, and a part of the text
		}{
			"of all kinds": {`[owl]
daily = 9000
dayly = 1
about = 5
pause = 20
daily = 3
channel = "<#81>"
channels = ["1", ["2"]]
enabled = 1
mood = [ "calm" ]

[genral]
zone = "UTC"
[general]
role = "<@&9>"
enabled = true
zone = 2026-01-01
`, []string{"2 settings.out_of_range -5", "3 settings.unknown_near owl.daily", "4 settings.file_wrong_type", "5 settings.no_unit", "6 settings.file_twice first on line 2",
				"7 settings.channel_permission Send Messages", "8 settings.file_wrong_type", "9 settings.file_wrong_type", "10 settings.file_wrong_type",
				"12 settings.unknown_near [general]", "15 settings.role_gone", "16 settings.unknown_near owl.enabled", "17 settings.file_wrong_type"}},
			"at the top":     {"owl = 3\ndaily = 4\n[[owl]]\nfish = 1\n", []string{"1 settings.file_section [owl]", "2 settings.unknown_near owl.daily", "3 settings.file_section [owl]", "4 settings.unknown owl.fish"}},
			"deep":           {"owl.daily.x = 1\nowl = { enabled = { a = 1 } }\n", []string{"1 settings.unknown_near owl.daily?", "2 settings.file_wrong_type"}},
			"no TOML":        {"[owl]\nfish = 1\ndaily = many\n", []string{"2 settings.unknown", "3 settings.file_syntax"}},
			"section twice":  {"[owl]\ndaily = 1\n[owl]\nenabled = true\n", []string{"3 settings.file_syntax owl"}},
			"not UTF-8":      {"[owl]\nabout = \"\xff\"\n", []string{"2 settings.file_not_text"}},
			"UTF-16":         {"\xff\xfe[\x00", []string{"1 settings.file_not_text"}},
			"too large":      {strings.Repeat("#", MostFile+1), []string{"0 settings.file_too_large 256"}},
			"very deep list": {"owl.channels = " + strings.Repeat("[", 5000), []string{"1 settings.file_syntax"}},
		} {
			_, err := w.Import(t.Context(), guild, []byte(test.file), ada, &platform{})
			problems := refused(t, err)
			if len(problems) != len(test.want) {
				t.Errorf("%s: %d problems, want %d: %v", name, len(problems), len(test.want), err)
				continue
			}
			for i, p := range problems {
				place, part, _ := strings.Cut(test.want[i], " ")
				key, part, _ := strings.Cut(part, " ")
				if fmt.Sprint(p.Line) != place || string(p.Key) != key || !strings.Contains(p.Say(words.English), part) {
					t.Errorf("%s: problem %d is %d %s %q, want %s", name, i, p.Line, p.Key, p.Say(words.English), test.want[i])
				}
			}
		}
		if len(w.history()) != 0 {
			t.Error("a refused file changed something")
		}
		_, err := w.Import(t.Context(), guild, []byte("[owl]\n"+numbered(250)), ada, nil)
		if n := refused(t, err); len(n) != 100 || !strings.Contains(err.Error(), "and 150 more") {
			t.Errorf("250 mistakes: %d", len(n))
		}
	})
}

func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "fish%d = 1\n", i)
	}
	return b.String()
}

// rawOf draws what a person may have set a field to.
func rawOf(r *rapid.T, f *Field) string {
	id := rapid.StringMatching(`[1-9][0-9]{0,19}`)
	switch f.kind {
	case KindBool:
		return rapid.SampledFrom([]string{"on", "off"}).Draw(r, f.name)
	case KindInt:
		return fmt.Sprint(rapid.Int64Range(f.min, f.max).Draw(r, f.name))
	case KindDuration:
		return fmt.Sprintf("%ds", rapid.Int64Range(f.min, f.max).Draw(r, f.name))
	case KindText:
		return rapid.StringN(0, int(f.max), -1).Draw(r, f.name)
	case KindChannel, KindRole:
		return rapid.OneOf(id, rapid.Just("")).Draw(r, f.name)
	case KindChannels, KindRoles:
		return strings.Join(rapid.SliceOfN(id, 0, MostItems).Draw(r, f.name), " ")
	case KindZone:
		return rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "America/Port-au-Prince", "Etc/GMT+3"}).Draw(r, f.name)
	}
	return rapid.SampledFrom(f.options).Draw(r, f.name).Value
}

func TestWhatIsExportedIsImported(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, storetest.Config(t, store.SQLite), Migrations())
	w := process(t, s, clock.NewManual(at))
	guilds := 0
	ctx := context.WithoutCancel(t.Context())
	rapid.Check(t, func(r *rapid.T) {
		guilds += 2
		from, to := community.GuildID(fmt.Sprint(guilds)), community.GuildID(fmt.Sprint(guilds+1))
		for _, g := range []community.GuildID{from, to} {
			form := Form{Guild: g, By: ada}
			for _, group := range w.Groups() {
				for _, f := range group.Fields() {
					if rapid.Bool().Draw(r, "set") {
						form.Values = append(form.Values, Raw{Field: f.Name(), Text: rawOf(r, f)})
					}
				}
			}
			if _, err := w.Set(ctx, form); err != nil {
				r.Fatal(err)
			}
		}
		l := rapid.SampledFrom(words.Languages()).Draw(r, "language")
		file, err := w.Export(ctx, from, l)
		if err != nil {
			r.Fatal(err)
		}
		var any map[string]any
		if err := toml.Unmarshal(file, &any); err != nil {
			r.Fatalf("%v in\n%s", err, file)
		}
		if _, err := w.Import(ctx, to, file, ben, nil); err != nil {
			r.Fatalf("%v in\n%s", err, file)
		}
		again, err := w.Export(ctx, to, l)
		if err != nil || string(again) != string(file) {
			r.Fatalf("exported:\n%s\nand after the import:\n%s\n%v", file, again, err)
		}
	})
}

func FuzzImport(f *testing.F) {
	for _, s := range []string{"", "[owl]\ndaily = 3\n", "owl = { daily = 3 }", "[[owl]]", "owl.daily = 0x_", "[owl]\nabout = \"\"\"\na\"\"\"\nchannels = ['1', 2]",
		"\xef\xbb\xbf[general]\nzone = 'UTC' # c", "[owl\n", "owl.channels = [[[", "a = {b = {c = 1}}", "[owl]\ndaily = 1\n[owl]\n", "owl.'daily'.\"x\" = 1e9"} {
		f.Add([]byte(s))
	}
	all := declareAll()
	book := New(Config{Groups: all.all})
	f.Fuzz(func(t *testing.T, file []byte) {
		p, err := book.PrepareImport(context.Background(), guild, file, ada, &platform{})
		if err == nil {
			var any map[string]any
			if err := toml.Unmarshal([]byte(strings.TrimPrefix(string(file), "\xef\xbb\xbf")), &any); err != nil {
				t.Errorf("what is no TOML passed: %v", err)
			}
			for _, v := range p.values {
				if again, bad := v.field.Parse(v.text); bad != nil || again != v.text {
					t.Errorf("%s became %q", v.field.Name(), v.text)
				}
			}
			return
		}
		lines := strings.Count(string(file), "\n") + 1
		last := 0
		for _, problem := range refused(t, err) {
			if problem.Line < last || problem.Line > lines || problem.Line < 1 && len(file) <= MostFile {
				t.Errorf("line %d of %d, after %d: %v", problem.Line, lines, last, problem)
			}
			last = problem.Line
		}
	})
}

// Files that are large and of no sense are refused like small ones.
func TestLargeNonsenseIsRefused(t *testing.T) {
	t.Parallel()
	book := New(Config{Groups: declareAll().all})
	const n = MostFile / 4
	for name, file := range map[string]string{
		"lists in lists":   "owl.channels = " + strings.Repeat("[", n) + strings.Repeat("]", n),
		"tables in tables": "x = " + strings.Repeat("{a=", n-10) + "1",
		"a long name":      "a" + strings.Repeat(".a", n) + " = 1",
		"a long section":   "[a" + strings.Repeat(".a", n) + "]",
		"a long number":    "owl.daily = " + strings.Repeat("1", n),
		"a long list":      "owl.channels = [" + strings.Repeat("1, ", n) + "]",
		"unknown names":    strings.Repeat("d=1\n", n),
	} {
		_, err := book.PrepareImport(t.Context(), guild, []byte(file), ada, nil)
		if got := refused(t, err); got[0].Line != 1 || len(err.Error()) > 20_000 {
			t.Errorf("%s: line %d, %d bytes", name, got[0].Line, len(err.Error()))
		}
	}
}
