package words

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

func TestMatchTakesTheFirstTagThatFits(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		tags []string
		want Language
	}{
		{nil, English},
		{[]string{""}, English},
		{[]string{"ru"}, Russian},
		{[]string{"RU-ru"}, Russian},
		{[]string{"ru_RU.UTF-8"}, Russian},
		{[]string{"ru-Latn"}, Russian},
		{[]string{"en-GB", "ru"}, English},
		{[]string{"de", "ru", "en"}, Russian},
		{[]string{"???", "x", "ru"}, Russian},
		{[]string{"uk"}, English},
		{[]string{"und-Cyrl"}, English},
		{[]string{strings.Repeat("ru-", 1000)}, English},
		{[]string{"de", "fr"}, English},
	} {
		if got := Match(test.tags...); got != test.want {
			t.Errorf("Match(%q) = %s, want %s", test.tags, got, test.want)
		}
	}
}

func TestSayChoosesThePluralForm(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		l    Language
		n    any
		want string
	}{
		{English, 1, "1 day"}, {English, 0, "0 days"}, {English, 2, "2 days"}, {English, 21, "21 days"}, {English, int64(1_000_001), "1,000,001 days"},
		{Russian, 1, "1 день"}, {Russian, 2, "2 дня"}, {Russian, 5, "5 дней"}, {Russian, 11, "11 дней"}, {Russian, 12, "12 дней"},
		{Russian, 21, "21 день"}, {Russian, uint8(22), "22 дня"}, {Russian, 0, "0 дней"}, {Russian, 111, "111 дней"}, {Russian, -1, "-1 день"},
		{Russian, 1_000_001, "1\u00a0000\u00a0001 день"}, {Russian, 2_000_000, "2\u00a0000\u00a0000 дней"}, {Russian, 1234, "1234 дня"},
		{Russian, math.MinInt64, "-9\u00a0223\u00a0372\u00a0036\u00a0854\u00a0775\u00a0808 дней"},
		{Russian, uint64(math.MaxUint64), "18\u00a0446\u00a0744\u00a0073\u00a0709\u00a0551\u00a0615 дней"},
		{Russian, 1.5, "1.5 дня"}, {Russian, "2", "2 дня"},
	} {
		if got := test.l.Say(CommonDays, Args{"n": test.n}); got != test.want {
			t.Errorf("%v in %s: %q, want %q", test.n, test.l, got, test.want)
		}
	}
}

func TestSayNeverFails(t *testing.T) {
	t.Parallel()
	circle := Args{}
	circle["scope"] = Phrase{OperatorBudgetSpent, circle}
	for _, l := range append(Languages(), "", "de", "\x00") {
		for name, test := range map[string]struct {
			key  Key
			args Args
			want string // part of it
		}{
			"unknown key":     {"no.such", nil, "no.such"},
			"missing arg":     {PersonaBudgetAll, nil, "{time}"},
			"nil arg":         {PersonaBudgetAll, Args{"time": nil}, "{time}"},
			"no n":            {CommonDays, nil, "{n}"},
			"placeholder":     {MyDataHelp, Args{"operator": "{processor}{n}", "processor": "X"}, "{processor}{n}"},
			"error":           {OperatorBackupFailed, Args{"reason": errors.New("no space")}, "no space"},
			"nil error":       {OperatorBackupFailed, Args{"reason": (*broken)(nil)}, "nil"},
			"panicking":       {OperatorBackupFailed, Args{"reason": broken{}}, "PANIC"},
			"no text":         {OperatorBackupFailed, Args{"reason": circle}, "{reason}"},
			"circle":          {OperatorBudgetSpent, circle, "{used}"},
			"unknown phrase":  {OperatorBudgetSpent, Args{"scope": Phrase{Key: "no.such"}}, "no.such"},
			"typed text":      {OperatorBackupFailed, Args{"reason": OperatorScopeMoney}, "operator.scope_money"},
			"not valid UTF-8": {OperatorBackupFailed, Args{"reason": "\xff"}, "\xff"},
		} {
			if got := l.Say(test.key, test.args); !strings.Contains(got, test.want) {
				t.Errorf("%s in %q: %q, want %q in it", name, l, got, test.want)
			}
		}
	}
}

type broken struct{}

func (broken) Error() string { panic("broken") }

func TestAnUnknownLanguageSpeaksEnglish(t *testing.T) {
	t.Parallel()
	a := Args{"n": 1234, "time": time.Unix(0, 0).UTC()}
	for _, k := range []Key{CommonDays, PersonaBudgetAll} {
		if got, want := Language("tlh").Say(k, a), English.Say(k, a); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestPhrasesAreSaidInTheSameLanguage(t *testing.T) {
	t.Parallel()
	a := Args{"n": 2, "since": Russian.Date(time.Date(2026, 5, 3, 12, 0, 0, 0, time.UTC)), "kept": Days(31)}
	want := "– 2 ваших поста, где вы меня упоминаете; самый ранний от 3 мая 2026 года. Срок хранения: 31 день."
	if got := Russian.Say(MyDataMentions, a); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := English.Say(CommonHours, Hours(1).Args), "1 hour"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 10, 26, 22, 30, 0, 0, time.UTC)
	for _, test := range []struct {
		zone      int // minutes
		en, ru    string
		date, ru2 string
	}{
		{0, "26 October, 22:30 (UTC)", "26 октября в 22:30 (UTC)", "26 October 2026", "26 октября 2026 года"},
		{120, "27 October, 00:30 (UTC+2)", "27 октября в 00:30 (UTC+2)", "27 October 2026", "27 октября 2026 года"},
		{-210, "26 October, 19:00 (UTC-3:30)", "26 октября в 19:00 (UTC-3:30)", "26 October 2026", "26 октября 2026 года"},
		{345, "27 October, 04:15 (UTC+5:45)", "27 октября в 04:15 (UTC+5:45)", "27 October 2026", "27 октября 2026 года"},
	} {
		in := at.In(time.FixedZone("X", test.zone*60))
		for _, got := range [][2]string{{English.Time(in), test.en}, {Russian.Time(in), test.ru}, {English.Date(in), test.date}, {Russian.Date(in), test.ru2}} {
			if got[0] != got[1] {
				t.Errorf("%q, want %q", got[0], got[1])
			}
		}
	}
	if got := Russian.Say(PersonaBudgetAll, Args{"time": at}); !strings.Contains(got, "26 октября в 22:30 (UTC)") {
		t.Errorf("a time as an argument: %q", got)
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64][2]string{
		0: {"0", "0"}, 999: {"999", "999"}, 1000: {"1,000", "1000"}, -1000: {"-1,000", "-1000"},
		12345: {"12,345", "12\u00a0345"}, -123456: {"-123,456", "-123\u00a0456"}, 1234567: {"1,234,567", "1\u00a0234\u00a0567"},
	} {
		if got := [2]string{English.Number(n), Russian.Number(n)}; got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func FuzzSay(f *testing.F) {
	f.Add("mydata.mentions", "ru", "n", "{n}", int64(5))
	f.Add("mydata.help", "en", "operator", "@everyone {processor}", int64(-1))
	f.Add("", "", "", "", int64(0))
	f.Fuzz(func(t *testing.T, key, lang, name, value string, n int64) {
		l, k := Language(lang), Key(key)
		entry, known := l.find(k)
		for _, a := range []Args{nil, {name: value}, {name: value, "n": n}, {"n": value, name: Phrase{k, Args{name: n}}}} {
			got := l.Say(k, a)
			if !known {
				if got != key {
					t.Errorf("%q is unknown, but says %q", key, got)
				}
				continue
			}
			// The catalogue's own words come out whole and in order.
			rest := got
			for _, p := range entry.form(l, a["n"]) {
				_, after, ok := strings.Cut(rest, p.text)
				if !ok {
					t.Fatalf("%q says %q, without its %q", key, got, p.text)
				}
				rest = after
			}
		}
	})
}
